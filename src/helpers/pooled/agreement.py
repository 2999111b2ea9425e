"""The rule by other means: statsmodels' mixed model and a random-effects meta-regression, on gains they can take.

Both want points: a gain that is known to a factor or so, after an event whose people hit were published. Where they
apply, sampler and they have to agree; where figures are bounds, or say little, or covariates are missing, only the
sampler reaches.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.curve import Array
from helpers.pooled import meta, rule
from helpers.pooled.design import OF_EVENT, TERMS, Table, lay_out

#: A gain is a point where its log is known this well (standard deviation).
POINT = 2.0
ASKED = ("intercept", "affected", "usual")
HELD = {term.name: 0.0 for term in TERMS if term.name not in ASKED}
FEWEST = 8


@dataclass(frozen=True)
class Points:
    """Gains as points: log extra people, variance, log of people hit and usual level, and the row of its event."""

    total: Array
    variance: Array
    affected: Array
    usual: Array
    owner: Array

    @property
    def design(self) -> Array:
        """Columns of ASKED, (n, 3)."""
        return np.column_stack([np.ones(len(self.total)), self.affected, self.usual])


def well_measured(table: Table) -> Table:
    """Keep the gains that can be taken for points, and their events."""
    people = [term.name for term in OF_EVENT].index("affected")
    mean = (table.weight * table.gain).sum(axis=1)
    sd = np.sqrt((table.weight * (table.var_gain + table.gain**2)).sum(axis=1) - mean**2)
    kept = (sd < POINT) & (table.doubt[table.owner, people] == 0)
    gains = [gain for gain, keep in zip(table.gains, kept, strict=True) if keep]
    ids = {gain.outage_id for gain in gains}
    return lay_out([event for event in table.events if event.outage_id in ids], gains, table.known)


def points(table: Table) -> Points:
    """Take the gains of a table for points: log extra people, with their variance."""
    mean = (table.weight * table.gain).sum(axis=1)
    usual = (table.weight * table.usual).sum(axis=1)
    total = table.gain + table.usual
    centre = (table.weight * total).sum(axis=1)
    own = table.var_gain + 2 * table.var_both + table.var_usual
    variance = (table.weight * (own + total**2)).sum(axis=1) - centre**2
    people = [term.name for term in OF_EVENT].index("affected")
    return Points(mean + usual, variance, table.event[table.owner, people], usual, table.owner.astype(float))


def compared(table: Table, seed: int, level: float = 0.95) -> pd.DataFrame | None:
    """The exponents of people hit and of the usual level, by sampler, mixed model and meta-regression.

    Returns
    -------
    DataFrame or None
        One row a method: method, gains, and for each exponent low, middle and high. The exponent of the usual level is
        that on people, not on usual days. None where fewer than FEWEST gains can be taken for points.
    """
    some = well_measured(table)
    if len(some.gains) < FEWEST or len(some.events) < FEWEST:
        return None
    taken = points(some)
    ends = [(1 - level) / 2, 0.5, (1 + level) / 2]
    found = rule.fit(some, seed, HELD)
    mine = {name: np.quantile(found.of(name) + (name == "usual"), ends) for name in ASKED[1:]}
    rows = [_row("sampler", len(taken.total), mine), _row("mixed model", len(taken.total), _mixed(taken, level))]
    best = pd.DataFrame({"owner": taken.owner, "variance": taken.variance}).groupby("owner")["variance"].idxmin()
    one = np.sort(best.to_numpy())
    fitted = meta.fit(taken.total[one], taken.variance[one], taken.design[one], level)
    regressed = {
        name: np.array([fitted.low[i], fitted.coefficients[i], fitted.high[i]]) for i, name in enumerate(ASKED) if i
    }
    rows.append(_row("meta-regression", len(one), regressed))
    return pd.DataFrame(rows)


def _mixed(taken: Points, level: float) -> dict[str, Array]:
    """Intervals by statsmodels' mixed model: events as groups, every gain with the same error."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    with warnings.catch_warnings():
        # A variance of zero between events is an answer here, not a fault; statsmodels warns of it in several ways.
        warnings.simplefilter("ignore")
        fitted = MixedLM(taken.total, taken.design, taken.owner).fit(reml=True)
        ends = np.asarray(fitted.conf_int(alpha=1 - level))
    return {
        name: np.array([ends[i, 0], fitted.fe_params[i], ends[i, 1]])
        for i, name in enumerate(ASKED)
        if name != ASKED[0]
    }


def _row(method: str, gains: int, ends: dict[str, Array]) -> dict[str, object]:
    row: dict[str, object] = {"method": method, "gains": gains}
    for name, (low, middle, high) in ends.items():
        row |= {f"{name}_low": low, f"{name}": middle, f"{name}_high": high}
    return row
