"""Yearly counts whose rate varies from year to year: the posterior of rate, spread and trend, on a grid.

The count of year j is Poisson with mean ``rate * exp(trend * (t_j - centre)) * g_j * exposure_j``, where g_j is
gamma with mean one: a negative binomial count (Greenwood and Yule 1920; Lawless 1987, Canadian Journal of
Statistics 15:209-225). Three parameters are few enough to integrate numerically (Gelman and others, Bayesian
Data Analysis, 3rd edition, 2013, sections 2.6 and 3.7), so nothing here depends on a sampler's luck.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Array = NDArray[np.float64]

SPREADS = 22
SPREAD_MOST = 2.5
#: Steps along the two main directions of the posterior, in standard deviations; a small count has a long tail of
#: low rates, so the grid reaches further down than up.
RATE_STEPS = np.linspace(-8.0, 6.0, 25)
TREND_STEPS = np.linspace(-4.5, 4.5, 15)
NEWTON = 40


@dataclass(frozen=True)
class Prior:
    """What is assumed of a service before any of its incidents is counted.

    Parameters
    ----------
    rate : the mean rate in incidents per year is this times a beta prime variable of shapes 1/2 and 1: three in
        ten times this in the middle, 95% between a 1,600th of it and 19 times it.
    spread : the coefficient of variation of the yearly rates is half normal with this scale.
    trend : the log-linear change per year is normal around none with this standard deviation.
    """

    rate: float = 10.0
    spread: float = 0.7
    trend: float = 0.2


@dataclass(frozen=True)
class Posterior:
    """Weighted nodes of rate, spread and trend.

    Attributes
    ----------
    rate : incidents per year at ``centre``, (n,).
    shape : shape of the gamma that varies the years, (n,); the coefficient of variation is 1 / sqrt(shape).
    trend : change of the log rate per year, (n,).
    weight : posterior probability, (n,), sums to one.
    centre : decimal year at which the rate holds.
    year, count, exposure : the data: calendar years, incidents, years of exposure in each.
    """

    rate: Array
    shape: Array
    trend: Array
    weight: Array
    centre: float
    year: Array
    count: Array
    exposure: Array
    prior: Prior = field(default_factory=Prior)

    def pick(self, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Pick n nodes with probability by weight, evenly spread over the grid (systematic resampling)."""
        ends = np.cumsum(self.weight)
        places = (rng.random() + np.arange(n)) / n * ends[-1]
        picked: NDArray[np.intp] = np.minimum(np.searchsorted(ends, places), len(ends) - 1)
        return picked

    def means(self, year: Array, middle: Array, exposure: Array, n: int, rng: np.random.Generator) -> Array:
        """Draw the mean count of a stretch of time ahead, made of parts of calendar years.

        A part of a year that was partly observed shares the luck of that year; any other has its own.

        Parameters
        ----------
        year : calendar year of each part, (k,).
        middle : decimal year in the middle of each part, (k,).
        exposure : years of each part, (k,).
        n : number of draws.

        Returns
        -------
        (n,) expected incidents in all parts together.
        """
        node = self.pick(n, rng)
        rate, shape, trend = self.rate[node], self.shape[node], self.trend[node]
        total = np.zeros(n)
        for own, at, long in zip(year, middle, exposure, strict=True):
            seen = self.year == own
            usual = rate * np.exp(np.clip(trend * (at - self.centre), -20, 20))
            count, mean = self.count[seen].sum(), usual * self.exposure[seen].sum()
            luck = rng.standard_gamma(shape + count) / (shape + mean)
            total += usual * luck * long
        return rng.permutation(total)


def posterior(count: Array, exposure: Array, middle: Array, year: Array, prior: Prior | None = None) -> Posterior:
    """Integrate the model of yearly counts on a grid that follows the posterior.

    Parameters
    ----------
    count : incidents of each year, (k,); k may be none, then the posterior is the prior.
    exposure : years observed in each, (k,), above zero.
    middle : decimal year in the middle of what was observed, (k,).
    year : calendar year, (k,).
    prior : by default :class:`Prior`.

    Raises
    ------
    ValueError
        For an exposure that is not above zero, or a count below zero.
    """
    prior = prior or Prior()
    count, exposure, middle, year = (np.asarray(a, dtype=np.float64) for a in (count, exposure, middle, year))
    if (exposure <= 0).any() or (count < 0).any():
        raise ValueError("expected exposures above zero and counts of zero or more")
    centre = float(np.average(middle, weights=exposure)) if len(count) else 0.0
    time = middle - centre
    # Denser at small spreads, where one step of the spread changes the shape most.
    steps = (np.arange(SPREADS) + 0.5) / SPREADS
    spread = SPREAD_MOST * steps**2
    shape = spread**-2
    mode, root = _modes(count, exposure, time, shape, prior)
    u, v = (grid.ravel() for grid in np.meshgrid(RATE_STEPS, TREND_STEPS, indexing="ij"))
    x = mode[:, :1] + root[:, 0, 0, None] * u
    b = mode[:, 1:] + root[:, 1, 0, None] * u + root[:, 1, 1, None] * v
    log = _log_prior(x, b, prior) - 0.5 * (spread[:, None] / prior.spread) ** 2
    for n, e, t in zip(count, exposure, time, strict=True):
        mean = e * np.exp(np.clip(x + b * t, -60, 60))
        a = shape[:, None]
        log += gammaln(n + a) - gammaln(a) + n * np.log(mean / (a + mean)) - a * np.log1p(mean / a)
    # Size of a cell: the grid is sheared and stretched differently at each spread.
    log += np.log(root[:, 0, 0] * root[:, 1, 1] * steps)[:, None]
    weight = np.exp(log - log.max())
    weight = weight.ravel() / weight.sum()
    shapes = np.broadcast_to(shape[:, None], x.shape).ravel()
    return Posterior(np.exp(x).ravel(), shapes, b.ravel(), weight, centre, year, count, exposure, prior)


def _log_prior(x: Array, b: Array, prior: Prior) -> Array:
    """Log density of log rate and trend, without constants."""
    log: Array = 0.5 * x - 1.5 * np.log1p(np.exp(x) / prior.rate) - 0.5 * (b / prior.trend) ** 2
    return log


def _modes(count: Array, exposure: Array, time: Array, shape: Array, prior: Prior) -> tuple[Array, Array]:
    """Mode of log rate and trend at each spread, and a root of the inverse curvature there: (c, 2), (c, 2, 2).

    The log posterior is concave in both, so that Newton's method with bounded steps finds the one mode.
    """
    a = shape[:, None]
    start = np.log((count.sum() + 0.5) / exposure.sum()) if len(count) else np.log(prior.rate / 2)
    x, b = np.full(len(shape), start), np.zeros(len(shape))
    for _ in range(NEWTON):
        mean = exposure * np.exp(np.clip(x[:, None] + b[:, None] * time, -60, 60))
        slope = a * (count - mean) / (a + mean)
        bend = (count + a) * a * mean / (a + mean) ** 2
        share = np.exp(x) / (np.exp(x) + prior.rate)
        gx = slope.sum(axis=1) + 0.5 - 1.5 * share
        gb = (slope * time).sum(axis=1) - b / prior.trend**2
        hx = bend.sum(axis=1) + 1.5 * share * (1 - share)
        hxb = (bend * time).sum(axis=1)
        hb = (bend * time**2).sum(axis=1) + prior.trend**-2
        det = hx * hb - hxb**2
        dx, db = (hb * gx - hxb * gb) / det, (hx * gb - hxb * gx) / det
        x, b = x + np.clip(dx, -1.0, 1.0), b + np.clip(db, -0.3, 0.3)
        if max(np.abs(dx).max(), np.abs(db).max()) < 1e-9:
            break
    root = np.zeros((len(shape), 2, 2))
    root[:, 0, 0] = np.sqrt(hb / det)
    root[:, 1, 0] = -hxb / det / root[:, 0, 0]
    root[:, 1, 1] = np.sqrt(1 / hb)
    return np.stack([x, b], axis=1), root
