"""Placebo dates: what the method would have said on days when nothing happened, and what that does to its width.

At each placebo date the same forecast is made from the steps before it, over as many steps as after the outage, and
held against what was counted. How far off it was, in its own standard errors, scales the interval after the outage.
The scale has a prior at one, worth some placebo windows, so that few windows change little; the reference is then
Student's (scaled inverse chi-squared prior: Gelman and others 2013, section 2.6). Placebo-in-time: Abadie 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.measured import drift
from helpers.measured.totals import Moments, Predictive, moments

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Weight of the model's own width, in placebo windows, and the factor on its variance assumed beforehand: above one,
#: because no model knows all its own faults. Where it fits, on 1,000 simulated series, that is a little too wide.
PRIOR_WINDOWS, PRIOR_SCALE = 8.0, 1.25
#: Share of the past that a first forecast needs, most placebo dates, least share of a window that must be there.
FIRST, MOST_DATES, LEAST_SEEN = 1 / 3, 24, 0.7


@dataclass(frozen=True)
class Placebos:
    """What came out at the placebo dates.

    Attributes
    ----------
    table : DataFrame, one row a placebo date: position, observed, expected, variance, score.
    windows : how many windows' worth of independent evidence they are.
    scale : factor on the variance, from prior and placebo dates.
    freedom : degrees of freedom that come with it.
    """

    table: pd.DataFrame
    windows: float
    scale: float
    freedom: float


def placebos(
    fitted: drift.Fit,
    design: Array,
    counts: Array,
    good: Mask,
    horizon: int,
    widening: float,
    chance: float,
    steps: tuple[int, ...],
) -> Placebos:
    """Forecast from placebo dates in the past, and scale.

    Parameters
    ----------
    fitted : fit of all steps before the outage.
    design : (n, p) columns of those steps.
    counts : (n,) counts.
    good : (n,) steps that a forecast may be held against: there, and in no event.
    horizon : steps of a window.
    widening : variance with unknown tau, sigma and alpha over variance without, as after the outage.
    chance : share of the variance after the outage that is the noise of counting, which no fault of a model widens.
    steps : positions of known level shifts, which no forecast from before them can know.
    """
    n = len(counts)
    first = max(int(np.ceil(FIRST * n)), 2 * design.shape[1])
    last = n - horizon
    rows = []
    if last >= first:
        apart = max(horizon // 3, (last - first) // MOST_DATES, 1)
        for origin in range(last, first - 1, -apart):
            row = _at(fitted, design, counts, good, origin, horizon, widening)
            if row and not any(origin < step <= origin + horizon for step in steps):
                rows.append(row)
    table = pd.DataFrame(rows[::-1], columns=["position", "observed", "expected", "variance", "score"])
    prior = PRIOR_SCALE - (PRIOR_SCALE - 1) * chance
    if not len(table):
        return Placebos(table, 0.0, prior, PRIOR_WINDOWS)
    span = int(table["position"].iloc[-1] - table["position"].iloc[0]) + horizon
    windows = min(span / horizon, float(len(table)))
    mean_square = float(np.mean(np.minimum(table["score"] ** 2, 100.0)))
    # tau, sigma and alpha have seen the placebo dates too, which makes errors there a little too small.
    mean_square *= windows / (windows - 1) if windows >= 2 else 1.0
    scale = (PRIOR_WINDOWS * prior + windows * mean_square) / (PRIOR_WINDOWS + windows)
    return Placebos(table, windows, scale, PRIOR_WINDOWS + windows)


def _at(
    fitted: drift.Fit, design: Array, counts: Array, good: Mask, origin: int, horizon: int, widening: float
) -> tuple[int, float, float, float, float] | None:
    window = slice(origin, origin + horizon)
    keep = good[window]
    # A forecast from a hole, or held against one, tells of the hole.
    if keep.mean() < LEAST_SEEN or fitted.work.used[:origin].sum() < origin * 0.4:
        return None
    solved = fitted.at(stop=origin)
    told = _sum(moments([drift.forecast(solved, design[window])], [solved.alpha]), keep)
    observed = float(counts[window][keep].sum())
    mean, variance = told[0], told[1] * widening
    score = float(Predictive(np.array(mean), np.array(variance)).score(np.array(observed)))
    return origin, observed, mean, variance, score


def _sum(expected: Moments, keep: Mask) -> tuple[float, float]:
    kept = expected.kept(keep)
    return float(kept.mean.sum()), float(kept.covariance.sum())
