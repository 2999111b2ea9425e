"""Which series gained, when many are asked at once: false discoveries controlled, placebos in space, a ranking.

Of the series called, at most a share `level` shall be called wrongly, on average (Benjamini and Hochberg 1995). Their
intervals are widened to match (Benjamini and Yekutieli 2005, Journal of the American Statistical Association 100,
71-81): of m series R called, the interval of each is at 1 - level R / m, which leaves zero out just when the series is
called. Without that the largest gains are overstated, as they were chosen for being large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers import words
from helpers.panel import null as nulls
from helpers.panel.null import LEAST_PLACEBOS, Array, Null

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Placebos:
    """What the series that cannot have gained say of the method, at this outage.

    Attributes
    ----------
    number : placebo rows that were measured.
    below : how many of them have p < 0.05 before any correction.
    uniform : p-value of the hypothesis that their p-values are uniform, before any correction.
    null : distribution of the scores where nothing happened, as used for all rows.
    corrected : whether it was estimated from them.
    called : how many of them would have been called, by the threshold that the other rows were called by.
    """

    number: int
    below: int
    uniform: float
    null: Null
    corrected: bool
    called: int


@dataclass(frozen=True)
class Discoveries:
    """Rows of a panel with what can be called of them.

    Attributes
    ----------
    table : rows of `PanelResult.table`, in the same order, with placebo (bool), q (adjusted p-value; NaN for failed and
        placebo rows), called (bool), called_low and called_high (interval of the extra of called rows, for all of
        them together; NaN for others) and rank (1 is the surest gain by `called_low`; the surest loss is -1; 0 for
        rows not called). Where the placebos corrected the null, p, z, extra, relative and their ends are corrected.
    level : share of false discoveries allowed.
    tested : rows that took part.
    placebos : None where no series was named one.
    """

    table: pd.DataFrame
    level: float
    tested: int
    placebos: Placebos | None

    def gainers(self) -> pd.DataFrame:
        """Return called rows that gained, the surest first."""
        rows = self.table[self.table["rank"] > 0]
        return rows.sort_values("rank")

    def losers(self) -> pd.DataFrame:
        """Return called rows that lost, the surest first."""
        rows = self.table[self.table["rank"] < 0]
        return rows.sort_values("rank", ascending=False)


def adjusted(p: Array) -> Array:
    """Return Benjamini-Hochberg adjusted p-values; NaN takes no part and stays.

    Parameters
    ----------
    p : (n,) p-values.
    """
    p = np.asarray(p, dtype=float)
    q = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    if known.any():
        q[known] = stats.false_discovery_control(p[known])
    return q


def find(
    table: pd.DataFrame,
    *,
    placebo: Sequence[bool] | Mask | None = None,
    level: float = 0.05,
    interval_level: float = 0.95,
    correct: bool = True,
    fractional: bool = False,
) -> Discoveries:
    """Call the series that gained or lost.

    Parameters
    ----------
    table : rows of `PanelResult.table`.
    placebo : (rows,) whether a series cannot have gained. Such rows are not tested, they test the method.
    level : share of false discoveries allowed, on average.
    interval_level : level of the intervals in the table, kept when they are corrected.
    correct : whether to correct the null where at least `LEAST_PLACEBOS` placebo rows were measured.
    fractional : whether the values are measures, not counts.

    Raises
    ------
    ValueError
        If `placebo` has another length than the table, or a level is not between 0 and 1.
    """
    for name, value in (("level", level), ("interval_level", interval_level)):
        if not 0 < value < 1:
            raise ValueError(f"{name}: given {value}, expected a number between 0 and 1")
    flags = np.zeros(len(table), dtype=bool) if placebo is None else np.asarray(placebo, dtype=bool)
    if len(flags) != len(table):
        raise ValueError(f"placebo: {len(flags)} flags for {len(table)} rows")
    before = table["z"].to_numpy(dtype=float)
    shams = before[flags & np.isfinite(before)]
    corrected = correct and len(shams) >= LEAST_PLACEBOS
    null = nulls.fit(shams) if corrected else Null()
    found = _corrected(table, null, interval_level, fractional) if corrected else table.copy()
    found["placebo"] = flags
    p = found["p"].to_numpy(dtype=float)
    found["q"] = adjusted(np.where(flags, np.nan, p))
    called = (found["q"] <= level).to_numpy()
    found["called"] = called
    tested = int(found["q"].notna().sum())
    _add_called(found, called, null, level, tested, fractional)
    seen = None
    if placebo is not None:
        threshold = level * called.sum() / max(tested, 1)
        seen = Placebos(
            number=len(shams),
            below=int((table["p"].to_numpy(dtype=float)[flags] < 0.05).sum()),
            uniform=nulls.uniformity(shams),
            null=null,
            corrected=corrected,
            called=int((p[flags] <= threshold).sum()) if called.any() else 0,
        )
    return Discoveries(found, level, tested, seen)


def _corrected(table: pd.DataFrame, null: Null, level: float, fractional: bool) -> pd.DataFrame:
    """Return the table with p-values, scores and intervals under another null."""
    found = table.copy()
    observed = table["observed"].to_numpy(dtype=float)
    expected, low, high = nulls.intervals(table, null, level, fractional)
    found["expected"] = expected
    found["p"] = nulls.p_values(table, null, fractional)
    found["z"] = null.score(table["z"].to_numpy(dtype=float))
    for name, end in (("", expected), ("_low", high), ("_high", low)):
        found[f"extra{name}"] = observed - end
        found[f"relative{name}"] = observed / np.maximum(end, 1e-9) - 1
    return found


def _add_called(found: pd.DataFrame, called: Mask, null: Null, level: float, tested: int, fractional: bool) -> None:
    for name in ("called_low", "called_high"):
        found[name] = np.nan
    found["rank"] = 0
    if not called.any():
        return
    rows = found[called]
    _, low, high = nulls.intervals(rows, null, 1 - level * called.sum() / tested, fractional)
    observed = rows["observed"].to_numpy(dtype=float)
    found.loc[called, "called_low"], found.loc[called, "called_high"] = observed - high, observed - low
    for sign, end in ((1, "called_low"), (-1, "called_high")):
        side = found[called & (sign * found["z"] > 0).to_numpy()]
        order = (sign * side[end]).sort_values(ascending=False, kind="stable").index
        found.loc[order, "rank"] = sign * np.arange(1, len(order) + 1)


def said_of_placebos(placebos: Placebos) -> str:
    """Say in words what the placebo series show."""
    if not placebos.number:
        return "No placebo series could be measured."
    expected = 0.05 * placebos.number
    lines = [
        f"Of {words.count(placebos.number)} measurements of series that cannot have gained, "
        f"{words.count(placebos.below)} {'has' if placebos.below == 1 else 'have'} p below 0.05, "
        f"where chance alone gives about {expected:.2g}; "
        f"{words.count(placebos.called) if placebos.called else 'none'} would have been called."
    ]
    if placebos.uniform < 0.05:
        lines.append("Their p-values are not uniform: something touched these series, too, or the widths are wrong.")
    else:
        lines.append("Their p-values are consistent with chance.")
    if placebos.corrected:
        null = placebos.null
        lines.append(
            f"All scores are held against theirs (centre {null.centre:+.2f}, spread {null.spread:.2f}, "
            f"{null.freedom:.0f} degrees of freedom)."
        )
    else:
        lines.append(f"Nothing is corrected by them; that takes {LEAST_PLACEBOS} or more.")
    return " ".join(lines)
