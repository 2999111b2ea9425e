"""The mean response by time since the outage, with intervals that allow for series that move together.

Three means, for three questions:

- "equal": mean over series of the log ratio of observed to expected, each series alike: what became of a typical one.
  Of few people a logarithm says little and of nobody nothing: steps in which fewer than `FEWEST` were expected are left
  out, half a person is added to what was observed (Haldane 1955), and the log of the predicted mean is lowered to the
  mean of the log, so that nothing happening gives 0. Measures that are not counts have no few people and no half
  ones: of them only zeros are left out.
- "precision": the same, each weighted by one over its squared standard error: more exact, but the mean of the series
  that can be predicted well.
- "pooled": log of all observed over all expected: what became of the people. Large series decide it; zeros are
  no matter.

Intervals come from leaving out one cluster at a time (the jackknife around the full estimate: MacKinnon, Nielsen and
Webb 2023, Journal of Applied Econometrics 38, 671-694), which does for a ratio of sums as for a mean. The reference is
Student's t; its degrees of freedom are one less than the effective number of clusters, the square of the sum of their
weights over the sum of the squares (Carter, Schnepel and Steigerwald 2017, Review of Economics and Statistics 99,
698-709): with as many degrees as clusters, one large cluster among small ones would make 95% intervals hold 90%.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from helpers.panel.measure_all import PanelResult

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
By = Literal["equal", "precision", "pooled"]
#: Expected people in a step below which its logarithm is left out.
FEWEST = 10.0


@dataclass(frozen=True)
class Response:
    """Mean response of some series.

    Attributes
    ----------
    table : DataFrame by time since the outage: log_ratio, log_low, log_high; ratio, low, high (observed over
        expected); rows (series and windows in it) and clusters.
    by : which mean.
    level : probability that each interval holds; for one step, not for all at once.
    left_out : share of the counts at hand that were left out because they have no logarithm worth taking.
    """

    table: pd.DataFrame
    by: By
    level: float
    left_out: float


def mean_response(
    result: PanelResult,
    *,
    by: By = "equal",
    clusters: Sequence[object] | NDArray[np.object_] | pd.Series | None = None,
    rows: Sequence[bool] | Mask | None = None,
    level: float | None = None,
) -> Response:
    """Average the response over series and windows.

    Parameters
    ----------
    result : PanelResult
        What was measured.
    by : "equal", "precision" or "pooled"
        Which mean; see above.
    clusters : (rows,) labels, optional
        Rows with the same label may move together: country, window. By default each series is a cluster of its own,
        so that the interval is for this outage; to speak of outages in general, give `result.table["window"]`.
    rows : (rows,) bool, optional
        Rows to average; by default all that were measured.
    level : float, optional
        Probability that the intervals hold; by default that of the result.

    Raises
    ------
    ValueError
        If labels or flags are not as many as the rows, or no row is left.
    """
    if by not in get_args(By):
        raise ValueError(f"by: given {by!r}, expected one of {', '.join(get_args(By))}")
    level = result.settings.level if level is None else level
    if not 0 < level < 1:
        raise ValueError(f"level: given {level}, expected a number between 0 and 1")
    n = len(result.table)
    keep = (result.table["status"] == "measured").to_numpy() & (True if rows is None else _as_long(rows, n, "rows"))
    if not keep.any():
        raise ValueError("no measured series is left to average")
    labels = _as_long(result.table["series"] if clusters is None else clusters, n, "clusters")[keep]
    codes, names = pd.factorize(pd.Series(labels))
    if (codes < 0).any():
        raise ValueError("clusters: a row has no label")
    observed, expected, error = (
        np.asarray(part[keep], dtype=float) for part in (result.observed, result.expected, result.log_error)
    )
    top, bottom, there, left_out = _terms(observed, expected, error, by, result.settings.fractional)
    table = pd.DataFrame(index=pd.Index(result.since, name="since"))
    tops, bottoms = _by_cluster(top, codes, len(names)), _by_cluster(bottom, codes, len(names))
    estimates = jackknife(tops, bottoms, level, by == "pooled")
    for end, values in zip(("ratio", "low", "high"), estimates, strict=True):
        table[f"log_{end}"] = values
        table[end] = np.exp(values)
    table["rows"] = there.sum(axis=0)
    table["clusters"] = (bottoms > 0).sum(axis=0)
    return Response(table, by, level, left_out)


def _as_long(values: object, n: int, name: str) -> np.ndarray:
    array = np.asarray(values)
    if len(array) != n:
        raise ValueError(f"{name}: {len(array)} of them for {n} rows")
    return array


def _terms(
    observed: Array, expected: Array, error: Array, by: By, fractional: bool
) -> tuple[Array, Array, Mask, float]:
    """Return numerators and denominators (rows, steps), which of them count, and the share left out."""
    at_hand = np.isfinite(observed) & np.isfinite(expected) & (expected > 0)
    if by == "pooled":
        return np.where(at_hand, observed, 0.0), np.where(at_hand, expected, 0.0), at_hand, 0.0
    there = at_hand & ((observed > 0) if fractional else (expected >= FEWEST))
    left_out = 1 - there.sum() / max(at_hand.sum(), 1)
    safe = np.where(there, expected, 1.0)
    squared = np.where(there, error, 1.0) ** 2
    # What is lowered is the part beyond counting noise: the half person sees to that.
    half, counting = (0.0, 0.0) if fractional else (0.5, 1 / safe)
    log = np.log(np.where(there, observed, 1.0) + half) - np.log(safe) + np.maximum(squared - counting, 0.0) / 2
    weight = np.where(there, 1 / squared if by == "precision" else 1.0, 0.0)
    return log * weight, weight, there, float(left_out)


def _by_cluster(values: Array, codes: NDArray[np.intp], clusters: int) -> Array:
    """Sum rows by cluster: (clusters, steps)."""
    sums = np.zeros((clusters, values.shape[1]))
    np.add.at(sums, codes, values)
    return sums


def jackknife(top: Array, bottom: Array, level: float, log: bool = False) -> tuple[Array, Array, Array]:
    """Return a ratio of sums over clusters, or its logarithm, with its interval.

    Parameters
    ----------
    top, bottom : (clusters, steps)
        Parts of numerator and denominator; a cluster whose denominator is 0 takes no part in a step.
    level : float
        Probability that the interval holds.
    log : bool
        Whether the logarithm of the ratio is wanted.

    Returns
    -------
    estimate, low, high : (steps,)
        NaN where there is nothing; the ends are NaN with fewer than two clusters, or where nobody was observed.
    """
    part = bottom > 0
    count = part.sum(axis=0)
    whole, square = bottom.sum(axis=0), (bottom**2).sum(axis=0)
    freedom = np.maximum(whole**2 / np.where(square > 0, square, 1.0) - 1, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = top.sum(axis=0) / whole
        without = (top.sum(axis=0) - top) / (whole - bottom)
        if log:
            estimate, without = np.log(estimate), np.log(without)
        off = np.where(part, without - estimate, 0.0)
        variance = (count - 1) / count * (off**2).sum(axis=0)
        reach = stats.t.isf((1 - level) / 2, freedom) * np.sqrt(variance)
    reach = np.where((count > 1) & np.isfinite(reach), reach, np.nan)
    return estimate, estimate - reach, estimate + reach
