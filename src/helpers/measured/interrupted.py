"""Interrupted time series regression: the second opinion that everybody knows.

One regression of the counts on trend, season and a change of level from the start of the event on (Lopez Bernal,
Cummins and Gasparrini 2017). It takes the change for one step that lasts, and every count for independent of the one
before: with the drift that real series have its intervals are mostly too narrow, so it is not the answer here.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats

from helpers.measured.expected import Measurement
from helpers.measured.totals import Estimate

Array = NDArray[np.float64]
Errors = Literal["poisson", "quasi-poisson", "newey-west"]


def level_change(
    counts: Array,
    after: NDArray[np.bool_],
    design: Array | None = None,
    offset: Array | None = None,
    errors: Errors = "quasi-poisson",
    lags: int = 6,
    level: float = 0.95,
) -> Estimate:
    """Return the rate after the event as a multiple of the rate before it.

    Parameters
    ----------
    counts : (n,) counts a step, none missing.
    after : (n,) steps from the start of the event on.
    design : (n, p) further columns on the log scale, such as trend and `harmonics`; the intercept is added.
    offset : (n,) logarithm of what each count is out of, such as person-years.
    errors : "poisson" takes the variance for the mean, "quasi-poisson" scales it by Pearson's statistic,
        "newey-west" allows for autocorrelation up to ``lags`` steps.
    level : probability of the interval.

    Raises
    ------
    ValueError
        If no step lies before the event, or none after it.
    """
    if not after.any() or after.all():
        raise ValueError("expected steps before the event and after it")
    columns = [np.ones(len(counts)), after.astype(float)]
    matrix = np.column_stack([*columns, *([design] if design is not None else [])])
    model = sm.GLM(counts, matrix, family=sm.families.Poisson(), offset=offset)
    if errors == "newey-west":
        fitted = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    else:
        fitted = model.fit(scale="X2" if errors == "quasi-poisson" else 1.0)
    middle, error = float(fitted.params[1]), float(fitted.bse[1])
    reach = float(stats.norm.ppf((1 + level) / 2)) * error
    return Estimate(float(np.exp(middle)), float(np.exp(middle - reach)), float(np.exp(middle + reach)))


def harmonics(phase: Array, number: int) -> Array:
    """Return the first waves of a season: (n, 2 number) for ``phase`` (n,) from 0 to 1 within it."""
    angle = 2 * np.pi * np.outer(phase, np.arange(1, number + 1))
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


def second_opinion(found: Measurement) -> Estimate | None:
    """Return observed over expected after the start by this regression, with the columns of the measurement.

    None where it does not come to an end.
    """
    observed = found.path["observed"].to_numpy() * found.stretch
    n = len(found.used)
    use = np.concatenate([found.used, np.isfinite(observed[n:])])
    after = np.arange(len(observed)) >= n
    scaled = found.design.matrix[:, 1:] / np.maximum(np.abs(found.design.matrix[:, 1:]).max(axis=0), 1e-12)
    try:
        with np.errstate(all="ignore"):
            return level_change(observed[use], after[use], scaled[use], level=found.level)
    except (ValueError, np.linalg.LinAlgError, sm.tools.sm_exceptions.PerfectSeparationError):
        return None
