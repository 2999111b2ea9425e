"""The surge after an outage: how high, how fast it fades, what stays, and what was only brought forward.

Relative to what was expected, the counts after the start are

    observed / expected = 1 + A k(t) + L s(t)

k is the response to the outage with a half-life, s rises from nothing to one as the response fades, so that L is the
level at which things settle: above nothing people stayed, below nothing some of the surge were people who would have
come later anyway. Two responses are tried: one that is full while the outage lasts and fades after it, and the adoption
curve of `helpers.curve`, which builds up during the outage. The half-life is integrated over a grid with a log-uniform
prior, and over half a step more or less of the outage's length, which is known no better; A and L come by generalised
least squares given those, with the covariance of what was expected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from helpers import curve
from helpers.measured.expected import Measurement
from helpers.measured.totals import Estimate

Array = NDArray[np.float64]
#: Steps that the surge is fitted to at the most (longer ones are joined), points of the half-life, draws.
MOST_BINS, GRID, DRAWS = 200, 30, 4000
#: Log evidence below the best from which a half-life is left out.
IMPOSSIBLE = 12.0
#: Share of the surge that must have faded within the horizon before a settled level is told from it.
FADED = 0.8
HOUR = pd.Timedelta(hours=1)
SHAPES = ("full while it lasts", "building up")


@dataclass(frozen=True)
class Surge:
    """What the surge was like.

    Attributes
    ----------
    half_life : hours until the response has fallen by half.
    peak : highest ratio of observed to expected that the fitted response reaches, in a step.
    peak_rate : highest rate, users per second, baseline included, in a step.
    baseline_rate : expected users per hour without the outage, over the horizon.
    settled : level at which it settles, as a share of the expected: 0.03 is 3% more than usual.
    settled_per_day : the same in users per day.
    brought_forward : users of the surge who are missing later, within the horizon; 0 where none are.
    stayed : users above the expected within the horizon that belong to the settled level.
    faded : share of the response that has faded at the end of the horizon, in the median.
    shape : which of `SHAPES` fits better.
    path : DataFrame by hours since the start: ratio (observed / expected), low and high ends of the noise to expect
        around it, fitted, fitted_low, fitted_high.
    start : when the response is taken to begin (UTC).
    """

    half_life: Estimate
    peak: Estimate
    peak_rate: Estimate
    baseline_rate: Estimate
    settled: Estimate
    settled_per_day: Estimate
    brought_forward: Estimate
    stayed: Estimate
    faded: float
    shape: str
    path: pd.DataFrame
    start: pd.Timestamp


@dataclass(frozen=True)
class _Bins:
    """Joined steps after the start: hours of their edges, counts, expected mean, its covariance and own noise."""

    edges: Array
    observed: Array
    expected: Array
    latent: Array
    alpha: float


def surge(found: Measurement, seed: int = 0) -> Surge | None:
    """Fit the response to what came after the start; None where no rise can be told from none.

    Parameters
    ----------
    found : Measurement
    seed : int
        Seed of the draws that the intervals are read from.
    """
    bins = _bins(found)
    if len(bins.expected) < 3:
        return None
    start = found.early or found.window.start
    began = (start - found.gap.index[0]) / HOUR
    lasted = max((found.window.end - start) / HOUR, 1e-3)
    hours = found.step / HOUR
    grid = np.geomspace(0.25 * hours, 2 * float(bins.edges[-1, 1] - bins.edges[0, 0]), GRID)
    since = bins.edges - began
    responses: dict[str, Callable[[float, float], Array]] = {
        SHAPES[0]: lambda half, length: _full(since, length, half),
        SHAPES[1]: lambda half, length: _building(since, length, half),
    }
    tried = {
        name: [_given(bins, response(half, lasted), began) for half in grid] for name, response in responses.items()
    }
    best = max(tried, key=lambda name: float(np.logaddexp.reduce([fit.evidence for fit in tried[name]])))
    fine = _narrowed(grid, [fit.evidence for fit in tried[best]])
    # When exactly people stop coming is known to a step at best.
    lengths = np.maximum(lasted + np.array([-0.5, 0.0, 0.5]) * hours, 0.1 * hours)
    fits = [_given(bins, responses[best](half, length), began) for half in fine for length in lengths]
    return _read(found, bins, np.repeat(fine, len(lengths)), fine[1] / fine[0], fits, best, start, began, seed)


def _narrowed(grid: Array, evidence: list[float]) -> Array:
    """Return a finer grid over the part of a coarse one that can be true."""
    possible = np.flatnonzero(np.array(evidence) > max(evidence) - IMPOSSIBLE)
    first, last = max(int(possible[0]) - 1, 0), min(int(possible[-1]) + 1, len(grid) - 1)
    return np.geomspace(grid[first], grid[last], GRID)


def _bins(found: Measurement) -> _Bins:
    """Join steps where there are many; steps without a count are left out of both sides."""
    there = np.isfinite(found.gap["extra"].to_numpy())
    n = len(there)
    joined = int(np.ceil(n / MOST_BINS))
    group = np.arange(n) // joined
    gather = np.zeros((group[-1] + 1, n))
    gather[group, np.arange(n)] = there
    keep = gather.any(axis=1)
    mean = found.moments.mean
    alpha = found.fit.at().alpha
    own = mean + alpha * mean**2
    latent = found.moments.covariance - np.diag(np.minimum(own, np.diag(found.moments.covariance)))
    observed = np.nan_to_num(found.path["observed"].to_numpy()[-n:]) * found.stretch
    hours = found.step / HOUR
    edges = np.minimum(np.arange(group[-1] + 2) * joined, n) * hours
    expected = gather @ mean
    # A joined step has the relative noise of its parts, averaged.
    mixed = alpha * float(np.mean((gather @ mean**2)[keep] / expected[keep] ** 2))
    return _Bins(
        np.column_stack([edges[:-1], edges[1:]])[keep],
        (gather @ observed)[keep],
        expected[keep],
        (gather @ latent @ gather.T)[np.ix_(keep, keep)] * found.placebos.scale,
        mixed,
    )


def _full(edges: Array, lasted: float, half_life: float) -> Array:
    """Mean response in each bin: one during the outage, fading after it; edges (m, 2) in hours since the start."""
    tau = half_life / np.log(2)

    def until(t: Array) -> Array:
        during = np.clip(t, 0, lasted)
        after = -tau * np.expm1(-np.maximum(t - lasted, 0) / tau)
        return np.asarray(during + after)

    return np.asarray((until(edges[:, 1]) - until(edges[:, 0])) / (edges[:, 1] - edges[:, 0]))


def _building(edges: Array, lasted: float, half_life: float) -> Array:
    """Mean response of the adoption curve in each bin, for one user per hour of outage."""
    one = np.ones((1, 1))
    shock = curve.Curve(np.zeros(1), one, np.array([half_life / np.log(2)]), np.zeros(1), np.array([lasted]))
    joined = curve.extra(shock, edges[:, 0], edges[:, 1], 0)[0]
    return np.asarray(joined / (edges[:, 1] - edges[:, 0]))


@dataclass(frozen=True)
class _Given:
    """Coefficients (2,), covariance (2, 2), log evidence and columns (m, 2) for one half-life."""

    coefficients: Array
    covariance: Array
    evidence: float
    columns: Array


def _given(bins: _Bins, response: Array, began: float) -> _Given:
    """Fit height and settled level, given the half-life's response."""
    top = max(float(response.max()), 1e-12)
    after = (np.arange(len(response)) >= int(response.argmax())) & (bins.edges[:, 0] >= began)
    settling = np.where(after, 1 - response / top, 0.0)
    columns = np.column_stack([response / top, settling])
    ratio = bins.observed / bins.expected - 1
    level = np.maximum(1 + ratio, 0.2)
    latent = bins.latent / np.outer(bins.expected, bins.expected)
    for _ in range(3):
        noise = level / bins.expected + bins.alpha * level**2
        covariance = latent * np.outer(level, level) + np.diag(noise)
        factor = cho_factor(covariance, lower=True)
        pulled = cho_solve(factor, columns)
        inverse = columns.T @ pulled + np.diag([1e-8, 1.0])
        spread = np.linalg.inv(inverse)
        coefficients = spread @ (pulled.T @ ratio)
        level = np.maximum(1 + columns @ coefficients, 0.2)
    left = ratio - columns @ coefficients
    log_det = 2 * np.log(np.diag(factor[0])).sum() + np.linalg.slogdet(inverse)[1]
    misfit = float(left @ cho_solve(factor, left)) + float(coefficients[1] ** 2)
    return _Given(coefficients, spread, -0.5 * (misfit + log_det), columns)


def _read(
    found: Measurement,
    bins: _Bins,
    half_lives: Array,
    apart: float,
    fits: list[_Given],
    shape: str,
    start: pd.Timestamp,
    began: float,
    seed: int,
) -> Surge | None:
    """Draw from the posterior and read every quantity off the draws."""
    rng = np.random.default_rng(seed)
    evidence = np.array([fit.evidence for fit in fits])
    weight = np.exp(evidence - evidence.max())
    # Between two points of the grid the half-life is as likely anywhere.
    place = rng.choice(len(fits), DRAWS, p=weight / weight.sum())
    half_life = half_lives[place] * apart ** rng.uniform(-0.5, 0.5, DRAWS)
    roots = np.array([np.linalg.cholesky(fit.covariance) for fit in fits])
    stretch = np.sqrt(found.effective_freedom / rng.chisquare(found.effective_freedom, DRAWS))
    normal = rng.normal(size=(DRAWS, 2)) * stretch[:, None]
    drawn = np.array([fit.coefficients for fit in fits])[place] + np.einsum("dij,dj->di", roots[place], normal)
    if np.quantile(drawn[:, 0], (1 - found.level) / 2) <= 0:
        return None
    columns = np.array([fit.columns for fit in fits])
    ratio = 1 + np.einsum("dmj,dj->dm", columns[place], drawn)
    settling = columns[place][:, :, 1]
    expected = bins.expected / found.stretch
    width = (bins.edges[:, 1] - bins.edges[:, 0])[None, :]
    settled = (settling * drawn[:, 1:]) @ expected
    per_hour = expected.sum() / width.sum()

    def told(values: Array) -> Estimate:
        low, middle, high = np.quantile(values, [(1 - found.level) / 2, 0.5, (1 + found.level) / 2])
        return Estimate(float(middle), float(low), float(high))

    total = found.expected_total
    scaled = Estimate(*(per_hour * end / total.median for end in total))
    middle = (bins.edges.mean(axis=1) - began)[:, None]
    ends = np.quantile(ratio, [(1 - found.level) / 2, 0.5, (1 + found.level) / 2], axis=0).T
    noise = np.sqrt(np.diag(bins.latent) + bins.expected * ends[:, 1] + bins.alpha * (bins.expected * ends[:, 1]) ** 2)
    noise = 2 * (noise / bins.expected)[:, None]
    seen = (bins.observed / bins.expected)[:, None]
    names = ["hours", "ratio", "low", "high", "fitted_low", "fitted", "fitted_high"]
    path = pd.DataFrame(np.hstack([middle, seen, seen - noise, seen + noise, ends]), columns=names)
    return Surge(
        half_life=told(half_life),
        peak=told(ratio.max(axis=1)),
        peak_rate=told((ratio * expected / width).max(axis=1) / 3600),
        baseline_rate=scaled,
        settled=told(drawn[:, 1]),
        settled_per_day=told(drawn[:, 1] * per_hour * 24),
        brought_forward=told(np.maximum(-settled, 0.0)),
        stayed=told(np.maximum(settled, 0.0)),
        faded=float(np.median(settling[:, -1])),
        shape=shape,
        path=path.set_index("hours"),
        start=start,
    )
