"""Prior and likelihood of one rival's adoption curve, given claims.

A claim is a functional of the curve (a rate, a maximum, an integral, a ratio), seen with the claimant's log
error, then rounded or turned into a bound, over a window whose place may be uncertain. One claim in ten is
assumed to be simply wrong: then its log error has the standard deviation ``Prior.wrong``. That mixture is
what makes the fit robust and names the figure that does not fit the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.special import ndtr

from helpers import curve as curves
from helpers.ceilings import Ceiling, highest
from helpers.claims import FRESH, PASSED, Claim
from helpers.curve import Array, Curve, Season

NODES = 7
SHARED_NODES = 5
#: Share of a claimant's error variance that the figures of one running count have in common.
SHARED = 0.75
_TINY = 1e-300
_SHARED_NODES, _SHARED_WEIGHTS = hermegauss(SHARED_NODES)
_SHARED_WEIGHTS /= _SHARED_WEIGHTS.sum()
#: Draws whose likelihood is worked out at a time.
_PART = 2_000
#: Tables reach this many standard deviations, where nothing is left, in steps of so much of the smaller one.
_FAR, _STEP = 40.0, 0.01
#: Hours after the start of a shock at which the best day may end.
_DAYS_END = np.geomspace(24.0, 480.0, 40)
#: Log likelihood of a curve that breaks a ceiling: none of them is ever drawn.
IMPOSSIBLE = -1e4
#: Name of the shock that stands for people who left before an announced event began.
ANTICIPATION = "anticipation"


@dataclass(frozen=True)
class Prior:
    """What is assumed before any figure is read; log-normal unless said otherwise.

    ``gain`` is the extra total of a shock in usual days of the rival, so that it travels between rivals of
    all sizes: 95% between 0.2 and 500 usual days. The half-life lies between 3 hours and a week, the
    baseline anywhere between 30 and 4 million a day.
    """

    baseline_per_day: float = 10_000.0
    baseline_sd: float = 3.0
    gain_days: float = 10.0
    gain_sd: float = 2.0
    half_life_hours: float = 24.0
    half_life_sd: float = 1.0
    rise_hours: float = 6.0
    rise_sd: float = 1.0
    false: float = 0.1
    wrong: float = 1.5


@dataclass(frozen=True)
class Shock:
    """Something that pushed people to the rival; severity one from its start for so many hours.

    ``start`` (earliest, latest) in hours since the origin is uniform, ``hours`` (shortest, longest) log-uniform;
    equal ends mean that it is known.
    """

    event_id: str
    label: str
    start: tuple[float, float]
    hours: tuple[float, float]


@dataclass(frozen=True)
class Model:
    """One curve to be fitted. The first shock is the outage, the others are confounders.

    No draw lies above one of the ``ceilings``; ``of_a_day`` says that the curve counts people of a day, not those who
    join.
    """

    shocks: tuple[Shock, ...]
    claims: tuple[Claim, ...]
    prior: Prior = field(default_factory=Prior)
    season: Season = field(default_factory=Season)
    delayed: bool = False
    ceilings: tuple[Ceiling, ...] = ()
    of_a_day: bool = False

    @property
    def own(self) -> tuple[int, ...]:
        """Shocks that the outage itself is: the outage, and the rush before an announced one."""
        return tuple(j for j, s in enumerate(self.shocks) if j == 0 or s.event_id == ANTICIPATION)

    @property
    def others(self) -> tuple[int, ...]:
        """Shocks of other making: the confounders."""
        return tuple(j for j in range(len(self.shocks)) if j not in self.own)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the sampler's columns."""
        names = ["baseline", "half_life", *(f"gain_{j}" for j in range(len(self.shocks)))]
        names += [f"start_{j}" for j, s in enumerate(self.shocks) if s.start[1] > s.start[0]]
        names += [f"hours_{j}" for j, s in enumerate(self.shocks) if s.hours[1] > s.hours[0]]
        names += ["rise"] * self.delayed
        return tuple(names)

    def unpack(self, z: Array) -> Curve:
        """Turn standard normal draws (n, d) into n curves."""
        prior, column = self.prior, {name: z[:, i] for i, name in enumerate(self.names)}
        n = len(z)
        baseline = prior.baseline_per_day / curves.DAY * np.exp(prior.baseline_sd * column["baseline"])
        half_life = prior.half_life_hours * np.exp(prior.half_life_sd * column["half_life"])
        start, hours, amplitude = np.empty((3, n, len(self.shocks)))
        for j, shock in enumerate(self.shocks):
            early, late = shock.start
            start[:, j] = early + (late - early) * ndtr(column.get(f"start_{j}", np.zeros(n)))
            short, long = np.log(shock.hours)
            hours[:, j] = np.exp(short + (long - short) * ndtr(column.get(f"hours_{j}", np.zeros(n))))
            gain = prior.gain_days * np.exp(prior.gain_sd * column[f"gain_{j}"])
            amplitude[:, j] = gain * curves.DAY * baseline / hours[:, j]
        rise = prior.rise_hours * np.exp(prior.rise_sd * column["rise"]) if self.delayed else None
        return Curve(baseline, amplitude, half_life / np.log(2), start, start + hours, self.season, rise)

    def groups(self) -> Iterator[list[Claim]]:
        """Yield claims that share their error together, all others alone."""
        together: dict[str, list[Claim]] = {}
        for i, claim in enumerate(self.claims):
            together.setdefault(claim.group or f"alone {i}", []).append(claim)
        yield from together.values()

    @cached_property
    def _looked_up(self) -> list[list[tuple[Claim, Table]]]:
        """Each group of claims with the probabilities of what they say, made once for all draws."""
        return [[(c, tabulated(c, self.prior, shared=len(group) > 1)) for c in group] for group in self.groups()]

    def possible(self, made: Curve) -> NDArray[np.bool_]:
        """Whether each curve keeps below all ceilings: (n,)."""
        kept = np.ones(len(made.tau), dtype=bool)
        for ceiling in self.ceilings:
            kept &= highest(made, ceiling, self.own, self.of_a_day) <= ceiling.most
        return kept

    def log_likelihood(self, z: Array) -> Array:
        """Log likelihood of all claims for standard normal draws (n, d): (n,).

        In parts, so that what is computed on the way stays in the processor's cache.
        """
        return np.concatenate([self._log_likelihood(z[i : i + _PART]) for i in range(0, len(z), _PART)])

    def _log_likelihood(self, z: Array) -> Array:
        made = self.unpack(z)
        total = np.where(self.possible(made), 0.0, IMPOSSIBLE)
        sums: dict[bytes, Array] = {}
        for group in self._looked_up:
            parts = np.stack([np.log(table.at(observed(claim, made, sums=sums)) + _TINY) for claim, table in group])
            parts = parts.sum(axis=0)
            top = parts.max(axis=1, keepdims=True)
            weights = _SHARED_WEIGHTS if len(group) > 1 else np.ones(1)
            total += top[:, 0] + np.log(np.exp(parts - top) @ weights)
        return total

    def false(self, claim: Claim, made: Curve) -> float:
        """Posterior probability that a claim is simply wrong, given draws of the curve."""
        value = np.log(np.maximum(observed(claim, made), _TINY))
        right = (1 - self.prior.false) * published(claim, value, claim.scale).mean(axis=1)
        wrong = self.prior.false * published(claim, value, self.prior.wrong).mean(axis=1)
        return float(np.mean(wrong / (right + wrong + _TINY)))


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

    def at(self, value: Array) -> Array:
        """Mean over the places (n, places) of the probability of values, at each node: (n, nodes)."""
        place = np.arcsinh((np.log(np.maximum(value.T, _TINY)) - self.centre) / self.scale)
        place = (np.clip(place, -self.reach, self.reach) + self.reach) * ((len(self.slope) - 1) / (2 * self.reach))
        point = place.astype(np.intp)
        part = (place - point)[..., None] * self.slope.take(point, axis=0)
        mean: Array = np.exp(part + self.log_probability.take(point, axis=0)).mean(axis=0)
        return mean


def tabulated(claim: Claim, prior: Prior, shared: bool) -> Table:
    """Tabulate the probability of what a claim says.

    ``shared`` claims have most of their error in common with others: one column for each of its nodes. Beside
    the error of a wrong claim the shared one is nothing: it is left out there.
    """
    ends = np.log([end for end in (claim.low, claim.high) if 0 < end < np.inf])
    centre = float(ends.mean()) if len(ends) else 0.0
    reach = float(np.arcsinh(_FAR * max(claim.scale, prior.wrong) / claim.scale))
    grid = np.linspace(-reach, reach, 2 * int(reach / _STEP) + 1)
    value = (centre + claim.scale * np.sinh(grid))[:, None]
    error, own = np.sqrt([SHARED, 1 - SHARED] if shared else [0.0, 1.0]) * claim.scale
    right = published(claim, value + error * (_SHARED_NODES if shared else np.zeros(1)), own)
    wrong = published(claim, value, prior.wrong)
    table = np.log((1 - prior.false) * right + prior.false * wrong + _TINY)
    return Table(centre, claim.scale, reach, table, np.diff(table, axis=0, append=table[-1:]))


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


def _places(low: float, high: float, nodes: int = NODES) -> Array:
    """Midpoints of ``nodes`` equal parts of an interval, one point for a known place."""
    if high <= low:
        return np.array([low])
    return low + (high - low) * (np.arange(nodes) + 0.5) / nodes


def observed(
    claim: Claim, made: Curve, at: NDArray[np.intp] | None = None, sums: dict[bytes, Array] | None = None
) -> Array:
    """Return what the claim observes of each curve, for each place its window may have: (n, places).

    ``at`` picks one place per draw instead, (n,) indices, and returns (n, 1): for simulation and prediction. ``sums``
    keeps what has joined by an hour for other claims of the same curves: days share their edges.
    """
    sums = {} if sums is None else sums

    def joined(hours: Array) -> Array:
        if claim.anchored:
            return curves.joined(made, made.start[:, :1] + hours)
        key = hours.tobytes()
        if key not in sums:
            sums[key] = curves.joined(made, hours)
        return sums[key]

    def between(first: Array, last: Array) -> Array:
        return joined(last) - joined(first)

    places = _places(*claim.shift)
    start, end = claim.start + places, claim.end + places
    hours = max(claim.end - claim.start, 1e-6)
    usual = made.baseline[:, None]
    if claim.lag:
        usual = between(start - claim.lag, end - claim.lag) / hours
    if claim.reading == "baseline":
        value = usual
    elif claim.reading == "rate_instant":
        value = curves.rate(made, _places(claim.start + claim.shift[0], claim.end + claim.shift[1]))
    elif claim.reading == "record":
        value = _best_day(made)[:, None]
    elif claim.reading in ("rate_peak", "ratio_peak"):
        since = made.start[:, :1] if claim.anchored else 0.0
        value = curves.peak(made, since + start, since + end)[0]
        value = value / usual if claim.reading == "ratio_peak" else value
    else:
        value = between(start, end)
        if claim.reading in ("rate_mean", "daily_level"):
            value = value / hours
        elif claim.reading == "excess":
            value = value - usual * hours
        elif claim.reading == "ratio_mean":
            value = value / (usual * hours)
    if at is None:
        return np.broadcast_to(value, (len(value), places.size)) if claim.reading == "record" else value
    return np.take_along_axis(value, (at % value.shape[1])[:, None], axis=1)


def _best_day(made: Curve) -> Array:
    """Users per hour on the best day of each curve: (n,). It ends a day after a shock's start, or some hours later."""
    ends = np.concatenate([made.start + later for later in _DAYS_END], axis=1)
    best: Array = curves.increment(made, ends - curves.DAY, ends).max(axis=1) / curves.DAY
    return best
