"""The empirical null: what the scores of series that cannot have gained say of all scores, and the correction.

A score says how far a series is from what was expected of it, in standard errors that were calibrated on its own
past. Something that touched every series at the time of the outage, a holiday or a fault of the counting, is not in
that past. Series that the outage cannot have touched show it: their scores should be standard normal. Where there
are enough of them, centre and spread of their scores take the place of 0 and 1 (Efron 2004, Journal of the American
Statistical Association 99, 96-104). Both are estimated robustly, as one of the series may have gained after all:
the median, and Qn (Rousseeuw and Croux 1993) with its correction for few values. That they are estimates makes the
reference a Student's t: Qn of n scores is worth about 0.7 (n - 1) degrees of freedom, and the median adds 1.57 / n
to the variance.

Corrected p-values and intervals are read from one predictive distribution, so that they still cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.measured.totals import Predictive

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
#: Placebo series without which centre and spread are not corrected.
LEAST_PLACEBOS = 20
_QN_WORTH, _MEDIAN_COST = 0.7, 1.57
#: Tails that are told apart: 37 standard errors; and probabilities that a float tells from one.
_TINY, _NEARLY_ONE = 1e-300, 1e-15


@dataclass(frozen=True)
class Null:
    """Distribution of scores where nothing happened: centre + spread * t with so many degrees of freedom."""

    centre: float = 0.0
    spread: float = 1.0
    freedom: float = np.inf

    def score(self, z: Array) -> Array:
        """Return scores as they would be if those of the placebo series were standard normal."""
        far = (np.asarray(z) - self.centre) / self.spread
        tail = np.maximum(stats.t.sf(np.abs(far), self.freedom), _TINY)
        return np.asarray(np.sign(far) * stats.norm.isf(tail))

    def p_value(self, z: Array) -> Array:
        """Return two-sided p-values of scores."""
        return np.asarray(2 * stats.t.sf(np.abs(np.asarray(z) - self.centre) / self.spread, self.freedom))


def fit(z: Array) -> Null:
    """Estimate the null from the scores of series that cannot have gained.

    Raises
    ------
    ValueError
        If there are fewer than `LEAST_PLACEBOS`, or half of them are equal.
    """
    # Imported here: it takes a second, which panels without placebos need not pay.
    from statsmodels.robust.scale import qn_scale

    n = len(z)
    if n < LEAST_PLACEBOS:
        raise ValueError(f"{n} placebo series, expected at least {LEAST_PLACEBOS}")
    few = n / (n + 1.4) if n % 2 else n / (n + 3.8)
    spread = float(qn_scale(np.asarray(z, dtype=float))) * few
    if spread <= 0:
        raise ValueError("the scores of the placebo series do not differ: their spread cannot be told")
    return Null(float(np.median(z)), spread * float(np.sqrt(1 + _MEDIAN_COST / n)), _QN_WORTH * (n - 1))


def uniformity(z: Array) -> float:
    """Return the p-value of scores being standard normal, and their p-values so uniform (Kolmogorov-Smirnov).

    It takes the series for independent. What touched all of them at once makes it small, which is what it is for.
    """
    return float(stats.kstest(np.asarray(z, dtype=float), "norm").pvalue) if len(z) else float("nan")


def p_values(table: pd.DataFrame, null: Null, fractional: bool = False) -> Array:
    """Return two-sided p-values under a null, from the predictive distribution that `intervals` reads, too.

    Parameters
    ----------
    table : rows of `PanelResult.table`; failed ones give NaN.
    null : distribution of the scores where nothing happened.
    fractional : whether the values are measures, not counts.
    """
    p = np.full(len(table), np.nan)
    observed = table["observed"].to_numpy(dtype=float)
    for rows, predicted in _predicted(table, fractional):
        below = stats.norm.ppf(np.maximum(predicted.at_most(observed[rows]), _TINY))
        above = stats.norm.isf(np.maximum(predicted.at_least(observed[rows]), _TINY))
        lower = stats.t.cdf((below - null.centre) / null.spread, null.freedom)
        upper = stats.t.sf((above - null.centre) / null.spread, null.freedom)
        p[rows] = np.minimum(1.0, 2 * np.minimum(lower, upper))
    return p


def intervals(table: pd.DataFrame, null: Null, level: float, fractional: bool = False) -> tuple[Array, Array, Array]:
    """Return expected counts under a null: middle, low and high end of their interval at a level.

    Parameters
    ----------
    table, null, fractional : as for `p_values`.
    level : probability that the intervals hold.
    """
    reach = null.spread * stats.t.isf((1 - level) / 2, null.freedom)
    ends = []
    for score in (null.centre, null.centre - reach, null.centre + reach):
        found = np.full(len(table), np.nan)
        for rows, predicted in _predicted(table, fractional):
            chance = max(float(stats.norm.cdf(score)), _TINY)
            found[rows] = np.inf if stats.norm.sf(score) < _NEARLY_ONE else predicted.quantile(chance)
        ends.append(found)
    return ends[0], ends[1], ends[2]


def _predicted(table: pd.DataFrame, fractional: bool) -> Iterator[tuple[Rows, Predictive]]:
    """Yield measured rows and their predictive distributions, those with the same degrees of freedom together."""
    freedom = table["effective_freedom"].to_numpy(dtype=float)
    mean = table["predicted_mean"].to_numpy(dtype=float)
    variance = table["predicted_variance"].to_numpy(dtype=float)
    known = np.isfinite(mean)
    for one in np.unique(freedom[known]):
        rows = np.flatnonzero(known & (freedom == one))
        yield rows, Predictive(mean[rows], variance[rows], 1.0, float(one), not fractional)
