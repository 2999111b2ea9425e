"""What the called rows of a panel add up to, and what other rules would have called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.measured.totals import Estimate
from helpers.panel.discoveries import Discoveries

Mask = NDArray[np.bool_]
#: Shares of false discoveries that a reader might have allowed instead.
LEVELS = (0.01, 0.05, 0.1, 0.2)


def surest(found: Discoveries, most: int) -> pd.DataFrame:
    """Return at most so many called rows: the surest gains, then the surest losses, which have at least a third."""
    gained, lost = found.gainers(), found.losers()
    fewer = min(len(lost), max(most // 3, most - len(gained)))
    return pd.concat([gained.head(most - fewer), lost.head(fewer)])


def total(rows: pd.DataFrame, clusters: Sequence[object] | pd.Series) -> Estimate:
    """Add up the extra counts of called rows, with an interval.

    Ends are never added up as such. What each interval reaches to either side stands for an error; errors of rows
    with the same label are taken to go together and are added, those of others to be independent, and the squares are
    added (Zou and Donner 2008, Statistics in Medicine 27, 1693-1702). As the intervals of the rows are for all called
    ones together, the total is protected against the choice of the largest, too, and is wide rather than narrow.

    Parameters
    ----------
    rows : called rows of `Discoveries.table`, not none.
    clusters : (rows,) labels.
    """
    middle = rows["extra"].to_numpy(dtype=float)
    reaches = pd.DataFrame({"below": middle - rows["called_low"], "above": rows["called_high"] - middle})
    together = reaches.groupby(np.asarray(clusters, dtype=object)).sum()
    below, above = np.sqrt((together**2).sum())
    return Estimate(float(middle.sum()), float(middle.sum() - below), float(middle.sum() + above))


class Rule(NamedTuple):
    """A rule of calling: its name, the rows it calls, and what chance adds to them, in words or as a number."""

    name: str
    level: float
    called: Mask


def rules(found: Discoveries, plain: Discoveries | None = None) -> list[Rule]:
    """Return what other rules call among the tested rows.

    Parameters
    ----------
    found : what was called.
    plain : the same without the correction by placebo series, where there was one: the rule "uncorrected".

    "share" is Benjamini and Hochberg's at a level; "any dependence" is Benjamini and Yekutieli's (2001, Annals of
    Statistics 29, 1165-1188), which holds however the series depend on each other; "not one" is Holm's (1979), which
    allows one wrong call at all with that probability; "none" takes each series as if it were the only one.
    """
    uncorrected = (
        [] if plain is None else [Rule("uncorrected", found.level, plain.table["called"].to_numpy(dtype=bool))]
    )
    tested = found.table["q"].notna().to_numpy()
    q, p = (found.table[name].to_numpy(dtype=float) for name in ("q", "p"))
    level = found.level

    def among(adjusted: NDArray[np.float64], bound: float) -> Mask:
        called = np.zeros(len(tested), dtype=bool)
        called[tested] = adjusted <= bound
        return called

    levels = sorted({*LEVELS, level})
    known = p[tested]
    cautious = stats.false_discovery_control(known, method="by") if len(known) else known
    return [
        *(Rule("share", one, among(q[tested], one)) for one in levels),
        *uncorrected,
        Rule("any dependence", level, among(cautious, level)),
        Rule("not one", level, among(_holm(known), level)),
        Rule("none", 0.05, among(known, 0.05)),
    ]


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Holm's adjusted p-values."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def smallest_seen(found: Discoveries) -> float:
    """Return by how much of the expected half of the tested rows would have had to exceed it to leave chance.

    That is the median of the upper ends of what was expected, each as a share of its middle, by the plain intervals.
    """
    rows = found.table[found.table["q"].notna()]
    top = rows["observed"] / np.maximum(1 + rows["relative_low"], 1e-9)
    share = (top / np.maximum(rows["expected"], 1e-9) - 1)[rows["observed"] > 0]
    return float(share.median()) if len(share) else float("nan")
