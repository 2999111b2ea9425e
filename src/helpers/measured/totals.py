"""Predictive distributions of counts that did not happen: one step, a running sum, a total.

Each is described by its mean and its variance; what lies around them is log-Student for large counts and negative
binomial for small ones, where a logarithm would put weight between the whole numbers and none on zero. Interval and
p-value are read from the same distribution, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
#: Expected counts below this are predicted as whole numbers.
SMALL = 200.0
#: What stands for an observed zero where logarithms are compared: below every quantile, as zero is.
NOTHING = 1e-300


class Estimate(NamedTuple):
    """A number with the interval that holds the truth with some stated probability."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Moments:
    """Mean (h,) and covariance (h, h) of the counts of h steps, their own noise included."""

    mean: Array
    covariance: Array

    def kept(self, keep: NDArray[np.bool_]) -> Moments:
        """Return the same with the other steps as certain zeros, so that sums leave them out."""
        return Moments(np.where(keep, self.mean, 0.0), self.covariance * np.outer(keep, keep))

    def running(self) -> tuple[Array, Array]:
        """Return mean and variance of the running sums: (h,), (h,)."""
        return np.cumsum(self.mean), np.diag(np.cumsum(np.cumsum(self.covariance, axis=0), axis=1)).copy()


def moments(forecasts: Sequence[tuple[Array, Array]], alphas: Sequence[float], weights: Array | None = None) -> Moments:
    """Turn forecasts of the log mean into moments of the counts.

    Parameters
    ----------
    forecasts : mean (h,) and covariance (h, h) of the log mean, one pair for each point of the parameters.
    alphas : overdispersion of the counts at each point.
    weights : weight of each point, adding up to one; by default all the same.
    """
    means, covariances = [], []
    for (mean, covariance), alpha in zip(forecasts, alphas, strict=True):
        variance = np.minimum(np.diag(covariance), 4.0)
        expected = np.exp(np.clip(mean + variance / 2, -20, 40))
        shared = np.outer(expected, expected) * np.expm1(np.clip(covariance, -4.0, 4.0))
        own = expected + alpha * expected**2 * np.exp(variance)
        means.append(expected)
        covariances.append(shared + np.diag(own))
    shares = np.full(len(means), 1 / len(means)) if weights is None else weights
    centre = shares @ np.array(means)
    off = np.array(means) - centre
    return Moments(centre, np.tensordot(shares, covariances, 1) + (off.T * shares) @ off)


@dataclass(frozen=True)
class Predictive:
    """Distribution of counts by mean and variance, elementwise.

    Attributes
    ----------
    mean, variance : (...,) moments, the count noise included.
    scale : factor on the variance, from the placebo dates.
    freedom : degrees of freedom of the reference.
    whole : whether small counts are whole numbers; False for measures that are not counts.
    """

    mean: Array
    variance: Array
    scale: float = 1.0
    freedom: float = np.inf
    whole: bool = True

    def _log(self) -> tuple[Array, Array]:
        ratio = np.log1p(self.variance * self.scale / np.maximum(self.mean, 1e-12) ** 2)
        return np.log(np.maximum(self.mean, 1e-12)) - ratio / 2, np.sqrt(np.maximum(ratio, 1e-16))

    def _small(self) -> NDArray[np.bool_]:
        return np.asarray((self.mean < SMALL) & self.whole)

    def _binomial(self) -> tuple[Array, Array]:
        """Number and chance of the negative binomial with these moments; barely wider than Poisson at the least."""
        wider = self.freedom / (self.freedom - 2) if self.freedom > 2 and np.isfinite(self.freedom) else 1.0
        mean = np.maximum(self.mean, 1e-9)
        variance = np.maximum(self.variance * self.scale * wider, mean * (1 + 1e-6))
        return mean**2 / (variance - mean), mean / variance

    def quantile(self, q: float) -> Array:
        """Return the count that is not exceeded with probability q."""
        centre, spread = self._log()
        large = np.exp(np.minimum(centre + stats.t.ppf(q, self.freedom) * spread, 700.0))
        small = self._small()
        if not small.any():
            return np.asarray(large)
        return np.asarray(np.where(small, stats.nbinom.ppf(q, *self._binomial()), large))

    def at_most(self, observed: Array) -> Array:
        """Return the probability of so many or fewer."""
        centre, spread = self._log()
        large = stats.t.cdf((np.log(np.maximum(observed, NOTHING)) - centre) / spread, self.freedom)
        return np.asarray(np.where(self._small(), stats.nbinom.cdf(np.floor(observed), *self._binomial()), large))

    def at_least(self, observed: Array) -> Array:
        """Return the probability of so many or more."""
        centre, spread = self._log()
        large = stats.t.sf((np.log(np.maximum(observed, NOTHING)) - centre) / spread, self.freedom)
        return np.asarray(np.where(self._small(), stats.nbinom.sf(np.ceil(observed) - 1, *self._binomial()), large))

    def p_value(self, observed: Array) -> Array:
        """Return the two-sided p-value: below 1 - level just when the interval at that level leaves `observed` out."""
        return np.asarray(np.minimum(1.0, 2 * np.minimum(self.at_most(observed), self.at_least(observed))))

    def score(self, observed: Array) -> Array:
        """Return the normal score of what was observed; of a whole number, that of its middle."""
        centre, spread = self._log()
        large = (np.log(np.maximum(observed, NOTHING)) - centre) / spread
        small = self._small()
        if not small.any() and not np.isfinite(self.freedom):
            return np.asarray(large)
        below, above = self.at_most(observed), self.at_least(observed)
        tail = np.clip(np.where(small, 0.5 * (below + 1 - above), below), 1e-300, 1.0)
        upper = np.clip(np.where(small, 0.5 * (above + 1 - below), above), 1e-300, 1.0)
        return np.asarray(np.where(tail < upper, stats.norm.ppf(tail), stats.norm.isf(upper)))
