"""Only big gains make the news: the rule together with the chance that a gain is published at all.

A selection model in the sense of Heckman (1979) and of Copas (1999, Journal of the Royal Statistical Society A 162:
95), for events: the more a typical rival gained, the likelier somebody published a figure. The events after which
nobody did enter as that. What it says leans on the normal form of both parts, so it tells how much the effect could
matter, not how much it does; the bound in :func:`bound` leans on nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import log_ndtr, ndtr

from helpers.curve import Array
from helpers.pooled import rule
from helpers.pooled.design import NAMES, OF_EVENT, TERMS, Table
from helpers.pooled.events import Event
from helpers.pooled.rule import Effects, Rule
from helpers.schemas import ALL_KINDS

#: The probit of being published is ``chance + slope * (log gain of a typical rival - CENTRE)``, normal beforehand; the
#: slope may be of either sign: what is assumed is only that a factor of e changes the probit by about a half. Outages
#: are in the evidence whether or not anybody gained, other events mostly because somebody did: they have a chance of
#: their own, or that difference in collecting would pass for a difference in gains.
CENTRE = TERMS[0].mean
CHANCE, OTHERS, SLOPE = (-0.5, 1.0), (1.0, 1.0), (0.0, 0.5)
EXTRA = ("chance", "chance_others", "slope")


@dataclass(frozen=True)
class Published(rule.Model):
    """The rule's likelihood with the chance of being published. Values have more columns, EXTRA."""

    @cached_property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the sampler's columns."""
        return (*(name for name in NAMES if name not in self.held), *EXTRA)

    def unpack(self, z: Array) -> Array:
        """Turn standard normal draws (n, d) into values of NAMES and EXTRA, (n, len(NAMES) + len(EXTRA))."""
        priors = np.array([CHANCE, OTHERS, SLOPE])
        own = priors[:, 0] + priors[:, 1] * z[:, -len(EXTRA) :]
        return np.column_stack([super().unpack(z[:, : -len(EXTRA)]), own])

    def log_likelihood(self, z: Array) -> Array:
        """Log likelihood of all figures, and of the silence of the other events: (n,)."""
        values = self.unpack(z)
        total: Array = self.by_event(values).sum(axis=1) + self.silence(values)
        return total

    def silence(self, values: Array) -> Array:
        """Log probability that nothing was published after the silent events: (n,)."""
        parts = [self._silence(values[i : i + rule.PART]) for i in range(0, len(values), rule.PART)]
        result: Array = np.concatenate(parts)
        return result

    def _silence(self, values: Array) -> Array:
        _, named = _split(values)
        silent, doubt, often = self._alike
        middle = (silent @ named.T).T
        variance = rule.event_variance(values[:, : len(NAMES)], doubt)
        chance, slope = _chance(values, silent), values[:, -1, None]
        quiet: Array = often @ log_ndtr(-_probit(chance, slope, middle, variance)).T
        return quiet

    @cached_property
    def _alike(self) -> tuple[Array, Array, Array]:
        """Different rows of the silent events and of their doubts, and how often each comes: many are alike."""
        both = np.column_stack([self.table.silent, self.table.silent_doubt])
        rows, often = np.unique(both, axis=0, return_counts=True)
        return rows[:, : len(OF_EVENT)], rows[:, len(OF_EVENT) :], often.astype(float)

    def _by_event(self, values: Array) -> Array:
        table = self.table
        plain, named = _split(values)
        middle, within = rule.expected(plain, table)
        between = rule.event_variance(plain, table.doubt)
        typical = (table.event @ named.T).T
        chance, slope = _chance(values, table.event), values[:, -1, None]
        total = np.zeros(between.shape)
        for alone in (True, False):
            chosen = np.flatnonzero(self.alone == alone)
            if not len(chosen):
                continue
            off, variance = rule.slices(plain, table, chosen, middle, within)
            owner, weight = table.owner[chosen], table.weight[chosen]
            if alone:
                parts = (typical[:, owner], between[:, owner], chance[:, owner], slope)
                total[:, owner] = _one(off, variance, weight, *parts)
                continue
            some = np.unique(owner)
            middles, chances = typical[:, some], chance[:, some]

            def published(effect: Array, middles: Array = middles, chances: Array = chances) -> Array:
                log: Array = log_ndtr(_probit(chances, slope, middles + effect, 0.0))
                return log

            effects = Effects(off, variance, weight, np.searchsorted(some, owner), between[:, some])
            total[:, some] = effects.log_mean(published)
        return total


def _one(
    off: Array, variance: Array, weight: Array, typical: Array, between: Array, chance: Array, slope: Array
) -> Array:
    """Log likelihood of single gains and of their being published, the event's effect integrated out: (n, gains)."""
    # As (slices, gains, n), which is how they lie in memory.
    off, variance, between = off.T, variance.T, between.T
    whole = variance + between
    ratio = between / whole
    chances = ndtr(_probit(chance.T, slope[:, 0], typical.T + off * ratio, variance * ratio))
    log: Array = np.log((rule.densities(off, whole, weight.T) * chances).sum(axis=0) + 1e-300)
    return log.T


def _probit(chance: Array, slope: Array, log_gain: Array, variance: Array | float) -> Array:
    """Probit of being published for a normal log gain: its variance joins that of the probit."""
    probit: Array = (chance + slope * (log_gain - CENTRE)) / np.sqrt(1 + slope**2 * variance)
    return probit


def _chance(values: Array, event: Array) -> Array:
    """The probit of events at the centre: (n, events)."""
    other = event[:, [term.name in ALL_KINDS for term in OF_EVENT]].sum(axis=1)
    chance: Array = values[:, -3] + other[:, None] * values[:, -2]
    return chance.T


def _split(values: Array) -> tuple[Array, Array]:
    """Values of the rule, and of those that an event decides."""
    return values[:, : len(NAMES)], values[:, : len(OF_EVENT)]


def fit(table: Table, seed: int) -> Rule:
    """Fit the rule together with the chance of being published.

    Raises
    ------
    helpers.sampling.ConvergenceError
        If the draws cannot be trusted.
    """
    return rule.draw(Published(table), seed)


@dataclass(frozen=True)
class Bound:
    """How many events of a kind there are, and after how many of them somebody published that a rival gained."""

    kind: str
    events: int
    told: int

    @property
    def share(self) -> float:
        """Share told of: were the others without any gain, the mean over all events would be this much of theirs."""
        return self.told / self.events


def bound(events: list[Event], kinds: tuple[str, ...]) -> list[Bound]:
    """Count by kind what was told of; events of kinds that are not there are left out."""
    made = []
    for kind in kinds:
        own = [event for event in events if event.kind == kind]
        if own:
            made.append(Bound(kind, len(own), sum(not event.silent for event in own)))
    return made
