"""The probability that a value is published as a claim says: its claimant's error, then its rounding or its bound.

Coarsened data in the sense of Heitjan and Rubin (1990). An error that several claims share is summed out over nodes of
Gauss-Hermite quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import ndtr

from helpers.claims import FRESH, PASSED, Claim
from helpers.curve import Array
from helpers.prior import Prior

SHARED_NODES = 11
#: Share of a figure's own error variance that the figures of one running count have in common.
SHARED = 0.75
#: Overdispersion: standard deviation of the log of what came in some hours about the smooth curve (weekdays, weather,
#: chance), beside the claimant's own error.
UNEVEN = 0.2
_TINY = 1e-300
ERROR_NODES, ERROR_WEIGHTS = hermegauss(SHARED_NODES)
ERROR_WEIGHTS /= ERROR_WEIGHTS.sum()
#: Tables reach this many standard deviations, where nothing is left, in steps of so much of the smaller one.
_FAR, _STEP = 40.0, 0.01


@dataclass(frozen=True)
class Table:
    """Probability of what a claim says, true or false, at each node of an error that it may share.

    The distribution functions behind a claim are dear, and they depend on nothing but the value that it
    observes: so they are worked out on a grid of log values, ``log_probability`` (points, nodes), and looked up.
    The grid is even in the inverse hyperbolic sine of the distance from ``centre`` in units of ``scale``: fine
    near the claim, coarse far from it, where the log is a smooth parabola. ``reach`` is its last point.
    """

    centre: float
    scale: float
    reach: float
    log_probability: Array
    slope: Array

    def log_at(self, value: Array) -> Array:
        """Log probability of values (n, places) at each node: (places, n, nodes)."""
        place = np.arcsinh((np.log(np.maximum(value.T, _TINY)) - self.centre) / self.scale)
        place = (np.clip(place, -self.reach, self.reach) + self.reach) * ((len(self.slope) - 1) / (2 * self.reach))
        point = place.astype(np.intp)
        log: Array = (place - point)[..., None] * self.slope.take(point, axis=0)
        log += self.log_probability.take(point, axis=0)
        return log


def log_mean(log: Array, weights: Array) -> Array:
    """Log of the weighted mean of exponentials along the first axis, which stays: (1, ...)."""
    if len(log) == 1:
        return log
    top = log.max(axis=0, keepdims=True)
    mean = np.tensordot(weights / weights.sum(), np.exp(log - top), axes=1)
    found: Array = top + np.log(mean)[None]
    return found


def own_scale(claim: Claim) -> float:
    """Standard deviation of the log error that a claim shares with no other."""
    own = claim.scale**2 * (1 - SHARED * bool(claim.group))
    return float(np.sqrt(own + UNEVEN**2 * (claim.reading not in ("baseline", "record"))))


def tabulated(claim: Claim, prior: Prior, shared: float, together: bool) -> Table:
    """Tabulate the probability of what a claim says.

    ``shared`` is the standard deviation of an error that it has in common with others: one column for each of its
    nodes where they stand ``together``. Beside the error of a wrong claim the shared one is nothing: it is left out
    there.
    """
    own = own_scale(claim)
    if not together:
        own, shared = float(np.hypot(own, shared)), 0.0
    ends = np.log([end for end in (claim.low, claim.high) if 0 < end < np.inf])
    centre = float(ends.mean()) if len(ends) else 0.0
    reach = float(np.arcsinh(_FAR * max(own, prior.wrong) / own))
    grid = np.linspace(-reach, reach, 2 * int(reach / _STEP) + 1)
    value = (centre + own * np.sinh(grid))[:, None]
    right = published(claim, value + shared * (ERROR_NODES if shared else np.zeros(1)), own)
    wrong = published(claim, value, prior.wrong)
    table = np.log((1 - prior.false) * right + prior.false * wrong + _TINY)
    return Table(centre, own, reach, table, np.diff(table, axis=0, append=table[-1:]))


def published(claim: Claim, log_value: Array, scale: float) -> Array:
    """Probability that a true log value is published as the claim says, with a log error of ``scale``."""
    with np.errstate(divide="ignore"):
        low, high = np.log([claim.low, claim.high])
    if claim.bound == "upper":
        low, high, log_value = -high, -low, -log_value
    upper, lower = (high - log_value) / scale, (low - log_value) / scale
    # Far out on the right both distribution functions are 1; mirrored, the left tail keeps the digits.
    right = lower > 0
    rounded: Array = ndtr(np.where(right, -lower, upper)) - ndtr(np.where(right, -upper, lower))
    if claim.bound == "none":
        return rounded
    passed = _passed(-lower, scale) - _passed(-upper, scale)
    return FRESH * rounded + (1 - FRESH) * np.maximum(passed, 0)


def _passed(distance: Array, scale: float) -> Array:
    """Probability that a mark this many standard deviations behind the true value was passed before the claim.

    The mark lags behind by an exponential log factor of mean PASSED, the value is seen with a normal log error:
    an exponentially modified normal distribution function.
    """
    ratio = scale / PASSED
    distance = np.clip(distance, -100.0, 100.0)  # a zero has a log of minus infinity; the exponential stays finite
    lag: Array = np.exp(ratio**2 / 2 - ratio * distance) * ndtr(distance - ratio)
    passed: Array = ndtr(distance) - lag
    return passed
