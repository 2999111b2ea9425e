"""Prior and likelihood of one rival's adoption curve, given claims.

A claim is a functional of the curve (a rate, a maximum, an integral, a ratio), seen with the claimant's log
error, then rounded or turned into a bound, over a window whose place may be uncertain. One claim in ten is
assumed to be simply wrong: then its log error has the standard deviation ``Prior.wrong``. That mixture is
what makes the fit robust and names the figure that does not fit the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from helpers import curve as curves
from helpers.ceilings import Ceiling, highest
from helpers.claims import Claim
from helpers.coarsened import ERROR_WEIGHTS, SHARED, Table, log_mean, own_scale, published, tabulated
from helpers.curve import Array, Curve, Season
from helpers.prior import Prior

NODES = 7
#: Classes of claimant that count what the service itself counts.
OWN_COUNT = ("company", "api_count")
#: Places of an unknown time zone that figures of one claimant have in common.
CLOCK_NODES = 9
_TINY = 1e-300
#: Draws whose likelihood is worked out at a time.
_PART = 2_000
#: Hours after the start of a shock at which the best day may end.
_DAYS_END = np.geomspace(24.0, 480.0, 40)
#: Log likelihood of a curve that breaks a ceiling: none of them is ever drawn.
IMPOSSIBLE = -1e4
#: Name of the shock that stands for people who left before an announced event began.
ANTICIPATION = "anticipation"
#: Name of the shock that stands for people who were still pushed in the days after, and what is assumed of it: so
#: large a share of the event's own gain, log-normal.
AFTERMATH, AFTER_SHARE, AFTER_SD = "aftermath", 1.0, 1.5


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

    The curve counts as the class of claimant ``counts_as`` does; none named: see ``reference``. No draw lies above one
    of the ``ceilings``; ``of_a_day`` says that the curve counts people of a day, not those who join.
    """

    shocks: tuple[Shock, ...]
    claims: tuple[Claim, ...]
    prior: Prior = field(default_factory=Prior)
    season: Season = field(default_factory=Season)
    delayed: bool = False
    ceilings: tuple[Ceiling, ...] = ()
    of_a_day: bool = False
    counts_as: str = ""

    @property
    def own(self) -> tuple[int, ...]:
        """Shocks that the outage itself is: the outage, the rush before an announced one, and the days after."""
        return tuple(j for j, s in enumerate(self.shocks) if j == 0 or s.event_id in (ANTICIPATION, AFTERMATH))

    @property
    def others(self) -> tuple[int, ...]:
        """Shocks of other making: the confounders."""
        return tuple(j for j in range(len(self.shocks)) if j not in self.own)

    @property
    def response(self) -> str:
        """How people respond: plain, delayed, or prolonged where the event goes on pushing."""
        prolonged = any(shock.event_id == AFTERMATH for shock in self.shocks)
        return "delayed" if self.delayed else "prolonged" if prolonged else "plain"

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
        middle, sd = prior.gain(baseline * curves.DAY)
        first = np.exp(middle + sd * column["gain_0"])
        for j, shock in enumerate(self.shocks):
            early, late = shock.start
            start[:, j] = early + (late - early) * ndtr(column.get(f"start_{j}", np.zeros(n)))
            short, long = np.log(shock.hours)
            hours[:, j] = np.exp(short + (long - short) * ndtr(column.get(f"hours_{j}", np.zeros(n))))
            gain = first if j == 0 else prior.gain_days * np.exp(prior.gain_sd * column[f"gain_{j}"])
            if shock.event_id == AFTERMATH:
                gain = first * AFTER_SHARE * np.exp(AFTER_SD * column[f"gain_{j}"])
            amplitude[:, j] = gain * curves.DAY * baseline / hours[:, j]
        rise = prior.rise_hours * np.exp(prior.rise_sd * column["rise"]) if self.delayed else None
        return Curve(baseline, amplitude, half_life / np.log(2), start, start + hours, self.season, rise)

    @cached_property
    def reference(self) -> str:
        """Class of claimant as which the curve counts: the service where it speaks, else who speaks most often."""
        told = Counter(counter(claim) for claim in self.claims if claim.claimant)
        return self.counts_as or max(sorted(told), key=lambda name: (name == OWN_COUNT[0], told[name]), default="")

    def shared(self, claim: Claim) -> float:
        """Standard deviation of the log error that a claim has in common with others of its claimant.

        The curve counts as its reference does: that one's bias is none here, and the bias of any other is against it.
        """
        against = next((one.bias for one in self.claims if counter(one) == self.reference), 0.0)
        bias = 0.0 if counter(claim) in ("", self.reference) else np.hypot(claim.bias, against)
        return float(np.hypot(bias, np.sqrt(SHARED) * claim.scale * bool(claim.group)))

    def groups(self) -> Iterator[list[Claim]]:
        """Yield together the claims that share an error or a clock, all others alone."""
        together: dict[str, list[Claim]] = {}
        for i, claim in enumerate(self.claims):
            common = claim.claimant if slides(claim) or self.shared(claim) else ""
            together.setdefault(common or claim.group or f"alone {i}", []).append(claim)
        yield from together.values()

    @cached_property
    def looked_up(self) -> list[tuple[list[tuple[Claim, Table]], tuple[float, float] | None]]:
        """Each group of claims with the probabilities of what they say, and its clock; made once for all draws."""
        made = []
        for group in self.groups():
            clock = one_clock(group)
            group = [replace(c, shift=clock) if clock and slides(c) else c for c in group]
            made.append(([(c, tabulated(c, self.prior, self.shared(c), len(group) > 1)) for c in group], clock))
        return made

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
        for group, clock in self.looked_up:
            nodes = CLOCK_NODES if clock else NODES
            log = np.zeros((1, len(z), 1))
            for claim, table in group:
                part = table.log_at(observed(claim, made, sums=sums, nodes=nodes))
                # Places that are its own are averaged over at once, those of a common clock after all have spoken.
                log = log + (part if clock and slides(claim) else log_mean(part, np.ones(len(part))))
            log = log_mean(log, np.ones(len(log)))[0]
            weights = ERROR_WEIGHTS if log.shape[1] > 1 else np.ones(1)
            total += log_mean(log.T, weights)[0]
        return total

    def false(self, claim: Claim, made: Curve) -> float:
        """Posterior probability that a claim is simply wrong, given draws of the curve."""
        value = np.log(np.maximum(observed(claim, made), _TINY))
        error = float(np.hypot(own_scale(claim), self.shared(claim)))
        right = (1 - self.prior.false) * published(claim, value, error).mean(axis=1)
        wrong = self.prior.false * published(claim, value, self.prior.wrong).mean(axis=1)
        return float(np.mean(wrong / (right + wrong + _TINY)))


def counter(claim: Claim) -> str:
    """Whose count a claim is: a service's public counter counts as the service does."""
    return OWN_COUNT[0] if claim.claimant in OWN_COUNT else claim.claimant


def slides(claim: Claim) -> bool:
    """Whether a claim's days lie in a zone that nobody named."""
    return claim.clock and claim.shift[1] > claim.shift[0] and claim.reading not in ("rate_instant", "record")


def one_clock(group: Sequence[Claim]) -> tuple[float, float] | None:
    """Hours (earliest, latest) by which all day-dated claims of one claimant are shifted alike.

    None where fewer than two of them have a doubtful zone, or where no shift is possible for all.
    """
    zones = [claim.shift for claim in group if slides(claim)]
    common = max((low for low, _ in zones), default=0.0), min((high for _, high in zones), default=0.0)
    return common if len(zones) > 1 and common[0] < common[1] else None


def _places(low: float, high: float, nodes: int = NODES) -> Array:
    """Midpoints of ``nodes`` equal parts of an interval, one point for a known place."""
    if high <= low:
        return np.array([low])
    return low + (high - low) * (np.arange(nodes) + 0.5) / nodes


def observed(
    claim: Claim,
    made: Curve,
    at: NDArray[np.intp] | None = None,
    sums: dict[bytes, Array] | None = None,
    nodes: int = NODES,
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

    places = _places(*claim.shift, nodes)
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
