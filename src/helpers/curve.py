"""The adoption curve: how fast people join a rival, before, during and after an outage.

Rate per hour, with times in hours since any one origin (UTC):

    r(t) = [ b + sum_j A_j (k * d_j)(t) ] * season(t)

``b`` is the baseline, ``d_j`` the severity of shock j (1 between its start and its end, 0 elsewhere),
``k`` a response kernel of mass one, ``season`` the day-and-night cycle with mean one. ``A_j`` is therefore
"extra users per hour of shock", and ``A_j`` times the hours of the shock is the extra total.

The kernel is exponential with mean ``tau`` hours: the response to a shot of news or need that fades with a
half-life of ``tau ln 2``. With a ``rise`` it is the convolution of two exponentials, so that the response
comes with a delay of mean ``rise`` hours (the two-stage kernel of pharmacokinetics, "Bateman function").

Everything here is closed form and vectorised over draws (first axis) and times (last axis).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
DAY = 24.0


@dataclass(frozen=True)
class Season:
    """Day-and-night cycle ``1 + depth cos(2 pi (t - peak) / 24)``, mean one over a day.

    ``depth`` lies in [0, 1); ``peak`` is the hour (since the curve's origin) of the busiest moment.
    """

    depth: float = 0.0
    peak: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a rate that would fall below zero at night."""
        if not 0 <= self.depth < 1:
            raise ValueError(f"season depth: got {self.depth}, expected 0 <= depth < 1")


@dataclass(frozen=True)
class Curve:
    """A batch of adoption curves.

    Parameters
    ----------
    baseline : (n,) users per hour on a usual day.
    amplitude : (n, s) extra users per hour of each of the s shocks.
    tau : (n,) mean of the response kernel, hours.
    start, end : (n, s) or (s,) beginning and end of each shock, hours since the origin.
    rise : (n,) mean delay of the response, hours; None for the plain exponential kernel.
    """

    baseline: Array
    amplitude: Array
    tau: Array
    start: Array
    end: Array
    season: Season = field(default_factory=Season)
    rise: Array | None = None

    @property
    def shocks(self) -> int:
        """Number of shocks."""
        return int(self.amplitude.shape[1])

    def modes(self) -> list[tuple[Array, Array]]:
        """Return the kernel as a weighted sum of exponentials: (weight (n,), mean in hours (n,))."""
        if self.rise is None:
            return [(np.ones_like(self.tau), self.tau)]
        # Equal means make the two-stage formula 0/0; a relative gap of 1e-3 changes the curve by less than that.
        rise = np.where(np.abs(self.rise / self.tau - 1) < 1e-3, self.tau * 1.001, self.rise)
        return [(self.tau / (self.tau - rise), self.tau), (-rise / (self.tau - rise), rise)]


def _columns(values: Array, n: int) -> Array:
    return np.broadcast_to(np.atleast_2d(values), (n, np.shape(np.atleast_2d(values))[1]))


def _season(season: Season, t: Array) -> Array:
    if season.depth == 0:
        return np.ones_like(t)
    wave: Array = 1 + season.depth * np.cos(2 * np.pi * (t - season.peak) / DAY)
    return wave


def _step_sum(x: Array, tau: Array, step: Array, season: Season) -> Array:
    """Integral of season(t) times the step response from the step (an hour) until x hours later."""
    x = np.maximum(x, 0)
    fallen = np.expm1(-x / tau)
    omega = 2 * np.pi / DAY
    # One turn of the clock from the step on, (cos, sin); the step's own place on it is the same at all times.
    cos, sin = np.cos(omega * x), np.sin(omega * x)
    begin = omega * (step - season.peak)
    cos_0, sin_0 = np.cos(begin), np.sin(begin)
    plain = x + tau * fallen
    flat = (sin_0 * cos + cos_0 * sin - sin_0) / omega
    real, imaginary = (1 + fallen) * cos - 1, (1 + fallen) * sin
    along, across = cos_0 * real - sin_0 * imaginary, cos_0 * imaginary + sin_0 * real
    decaying = (omega * across - along / tau) / (omega**2 + 1 / tau**2)
    swinging: Array = plain + season.depth * (flat - decaying)
    return swinging


def response(curve: Curve, t: ArrayLike, shock: int, cumulative: bool = False) -> Array:
    """Response to one shock of unit amplitude, season included.

    Parameters
    ----------
    t : (m,) or (n, m) hours since the origin.
    shock : index of the shock.
    cumulative : the integral from before the shock until t (hours), instead of the rate at t (1).
    """
    # Times come first in here, then draws: loops over the longer axis are quicker. Callers keep that layout by `.T`.
    t = np.atleast_2d(np.asarray(t, dtype=float)).T
    start, end = (np.atleast_2d(edge)[:, shock] for edge in (curve.start, curve.end))
    if (t <= start.min()).all():
        return np.zeros((len(t), len(curve.tau))).T  # nothing has happened yet
    season = curve.season
    during, after = np.minimum(np.maximum(t - start, 0), end - start), np.maximum(t - end, 0)
    total: Array = np.zeros(1)
    for weight, mean in curve.modes():
        if cumulative and season.depth:
            part = _step_sum(t - start, mean, start, season) - _step_sum(t - end, mean, end, season)
        else:
            pace = -1 / mean
            part = -np.exp(after * pace) * np.expm1(during * pace)
            part = during - mean * part if cumulative else part
        total = total + weight * part
    return (total if cumulative else total * _season(season, t)).T


def rate(curve: Curve, t: ArrayLike) -> Array:
    """Users joining per hour at each time: (n, m) for ``t`` of (m,) or (n, m) hours."""
    t = np.atleast_2d(np.asarray(t, dtype=float))
    joined: Array = (curve.baseline * _season(curve.season, t).T).T
    for j in range(curve.shocks):
        joined = joined + curve.amplitude[:, j, None] * response(curve, t, j)
    return joined


def joined(curve: Curve, t: ArrayLike) -> Array:
    """Users who have joined by each time, up to a constant of each curve, baseline and all shocks together: (n, m)."""
    t = np.atleast_2d(np.asarray(t, dtype=float))
    usual = t
    if curve.season.depth:
        omega = 2 * np.pi / DAY
        usual = t + curve.season.depth / omega * np.sin(omega * (t - curve.season.peak))
    total: Array = (curve.baseline * usual.T).T
    for j in range(curve.shocks):
        total = total + curve.amplitude[:, j, None] * response(curve, t, j, cumulative=True)
    return total


def increment(curve: Curve, t0: ArrayLike, t1: ArrayLike) -> Array:
    """Users joining between t0 and t1 (hours): (n, m), baseline and all shocks together."""
    return joined(curve, t1) - joined(curve, t0)


def extra(curve: Curve, t0: ArrayLike, t1: ArrayLike, shock: int) -> Array:
    """Users joining between t0 and t1 (hours) because of one shock: (n, m)."""
    gained = response(curve, t1, shock, cumulative=True) - response(curve, t0, shock, cumulative=True)
    joined: Array = curve.amplitude[:, shock, None] * gained
    return joined


def peak(curve: Curve, t0: ArrayLike, t1: ArrayLike) -> tuple[Array, Array]:
    """Highest rate between t0 and t1: (rate per hour (n, m), hour of it (n, m)).

    Without a season it lies at an end of the window or where the curve turns, which is the same for every
    window. With a season it is looked for on a grid (96 points) as well, and once more around the best of it.
    """
    n = curve.tau.shape[0]
    t0, t1 = (np.atleast_2d(np.asarray(edge, dtype=float)) for edge in (t0, t1))
    m = max(t0.shape[1], t1.shape[1])
    t0, t1 = (np.broadcast_to(edge, (n, m)) for edge in (t0, t1))
    if curve.season.depth == 0:
        turns = _turns(curve)
        inside = (turns[:, None] >= t0[..., None]) & (turns[:, None] <= t1[..., None])
        rates = [np.where(inside, rate(curve, turns)[:, None], -np.inf)]
        rates += [rate(curve, t0)[..., None], rate(curve, t1)[..., None]]
        hours = [np.broadcast_to(turns[:, None], inside.shape), t0[..., None], t1[..., None]]
        return _highest(np.concatenate(rates, axis=2), np.concatenate(hours, axis=2))
    edges = np.concatenate([_columns(curve.start, n), _columns(curve.end, n)], axis=1)
    candidates = [np.clip(edges[:, None, :], t0[..., None], t1[..., None]), t0[..., None], t1[..., None]]
    candidates.append(t0[..., None] + (t1 - t0)[..., None] * np.linspace(0, 1, 96))
    where = np.concatenate(candidates, axis=2)
    _, when = _highest(_rates(curve, where), where)
    # A short rise in a long window falls between two points of the grid: once more, around the best.
    around = when[..., None] + (t1 - t0)[..., None] / 95 * np.linspace(-1, 1, 25)
    where = np.clip(around, t0[..., None], t1[..., None])
    return _highest(_rates(curve, where), where)


def _turns(curve: Curve) -> Array:
    """Hours (n, k) among which are all where a rate without a season may turn from rising to falling.

    After each edge of a shock, until the next, the rate is a constant and one falling exponential for each mode
    of the kernel. With one mode it is monotone in between, so it turns at an edge; two balance at most once.
    """
    n = curve.tau.shape[0]
    edges = np.concatenate([_columns(curve.start, n), _columns(curve.end, n)], axis=1)
    if curve.rise is None:
        return edges
    jumps = np.concatenate([curve.amplitude, -curve.amplitude], axis=1)[:, None]
    since = edges[:, :, None] - edges[:, None]
    (_, tau), (_, rise) = curve.modes()
    left = [
        (jumps * np.where(since >= 0, np.exp(-np.maximum(since, 0) / mean[:, None, None]), 0)).sum(axis=2)
        for mean in (tau, rise)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        later = np.log(left[0] / left[1]) / (1 / tau - 1 / rise)[:, None]
    return np.concatenate([edges, edges + np.where(later > 0, later, 0)], axis=1)


def _rates(curve: Curve, where: Array) -> Array:
    """Rates at some hours (n, m, k)."""
    return rate(curve, where.reshape(len(where), -1)).reshape(where.shape)


def _highest(rates: Array, where: Array) -> tuple[Array, Array]:
    """Highest of some rates (n, m, k), and its hour: (n, m) each."""
    best = rates.argmax(axis=2)[..., None]
    return np.take_along_axis(rates, best, 2)[..., 0], np.take_along_axis(where, best, 2)[..., 0]


def half_life(curve: Curve) -> Array:
    """Hours until the response has fallen by half, once the shock is over: (n,)."""
    hours: Array = curve.tau * np.log(2)
    return hours
