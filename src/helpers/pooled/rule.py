"""The rule across outages: what an event of so many people and hours sends to a rival of such a size.

A mixed model with a random effect of the event and one of the rival within it, fitted to the likelihood of each gain
instead of to points (:mod:`helpers.pooled.gains`). Both effects are integrated out: that of a rival exactly, slice by
slice; that of an event by adaptive Gauss-Hermite quadrature (Pinheiro and Bates 1995, Journal of Computational and
Graphical Statistics 4: 12). What is left, some fifteen parameters, goes to the sampler of the main job.

Arrays come as (draws, gains, slices), but lie in memory the other way round, and are worked on as ``.T``: loops over
the many draws are several times quicker than loops over the ten slices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from helpers import sampling
from helpers.curve import Array
from helpers.pooled.design import NAMES, OF_EVENT, OF_RIVAL, SCATTER, SCATTER_SD, TERMS, Table

NODES = 13
#: Fewer events than this make no rule.
LEAST_EVENTS = 3
#: The quadrature reaches a little further than the normal approximation: what it approximates has heavier tails.
REACH = 1.0
#: Draws whose likelihood is worked out at a time: they stay in the processor's cache.
PART = 50
_TINY = 1e-300
#: The two rules that the full one has to beat, as coefficients that are held: the gain in people is in proportion to
#: the people hit whoever the rival is, or the same whatever happens.
_NONE = {term.name: 0.0 for term in TERMS if term.name != "intercept"}
SAME_SHARE: Mapping[str, float] = _NONE | {"affected": 1.0, "usual": -1.0}
MEDIAN_GAIN: Mapping[str, float] = _NONE | {"usual": -1.0}


@dataclass(frozen=True)
class Model:
    """The rule's likelihood; ``held`` coefficients have a given value and are no parameters.

    Parameters are standard normal: :meth:`unpack` turns draws (n, d) into values by name.
    """

    table: Table
    held: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the sampler's columns."""
        return tuple(name for name in NAMES if name not in self.held)

    def unpack(self, z: Array) -> Array:
        """Turn standard normal draws (n, d) into the values of NAMES, (n, len(NAMES))."""
        made = np.empty((len(z), len(NAMES)))
        column = {name: i for i, name in enumerate(self.free)}
        for j, name in enumerate(NAMES):
            if name in self.held:
                made[:, j] = self.held[name]
            elif j < len(TERMS):
                made[:, j] = TERMS[j].mean + TERMS[j].sd * z[:, column[name]]
            else:
                made[:, j] = SCATTER * np.exp(SCATTER_SD * z[:, column[name]])
        return made

    def log_likelihood(self, z: Array) -> Array:
        """Log likelihood of all figures for standard normal draws (n, d): (n,)."""
        total: Array = self.by_event(self.unpack(z)).sum(axis=1)
        return total

    def by_event(self, values: Array) -> Array:
        """Log likelihood of each event's figures for values (n, len(NAMES)): (n, events)."""
        parts = [self._by_event(values[i : i + PART]) for i in range(0, len(values), PART)]
        result: Array = np.concatenate(parts)
        return result

    @cached_property
    def alone(self) -> NDArray[np.bool_]:
        """Whether a gain is the only one of its event."""
        counts: NDArray[np.bool_] = (
            np.bincount(self.table.owner, minlength=len(self.table.events))[self.table.owner] == 1
        )
        return counts

    def _by_event(self, values: Array) -> Array:
        table = self.table
        middle, variance = expected(values, table)
        between = event_variance(values, table.doubt)
        total = np.zeros((len(values), len(table.events)))
        for alone in (True, False):
            chosen = np.flatnonzero(self.alone == alone)
            if not len(chosen):
                continue
            off, var = slices(values, table, chosen, middle, variance)
            owner = table.owner[chosen]
            if alone:
                total[:, owner] = _log_mixture(off.T, var.T + between.T[owner], table.weight[chosen].T).T
            else:
                some = np.unique(owner)
                effects = Effects(off, var, table.weight[chosen], np.searchsorted(some, owner), between[:, some])
                total[:, some] = effects.log_mean()
        return total


def expected(values: Array, table: Table) -> tuple[Array, Array]:
    """Mean of each gain without its usual level, and variance of the rivals within an event: (n, gains), (n,)."""
    n = len(OF_EVENT)
    middle = (table.event @ values[:, :n].T)[table.owner] + table.rival @ values[:, n : n + len(OF_RIVAL)].T
    return middle.T, values[:, -1] ** 2


def event_variance(values: Array, doubt: Array) -> Array:
    """Variance of the events' effects, with that of covariates nobody published: (n, events)."""
    variance: Array = values[:, -2] ** 2 + doubt**2 @ (values[:, : len(OF_EVENT)] ** 2).T
    return variance.T


def slices(values: Array, table: Table, chosen: NDArray[np.intp], middle: Array, within: Array) -> tuple[Array, Array]:
    """How far each slice of some gains lies above the expected one, and its variance: (n, gains, slices) each."""
    usual = values[:, NAMES.index("usual")].copy()

    def of(known: Array) -> Array:
        return np.ascontiguousarray(known[chosen].T)[..., None]

    off = of(table.gain) - of(table.usual) * usual
    off -= middle.T[chosen]
    variance = of(table.var_gain) - of(table.var_both) * (2 * usual)
    variance += of(table.var_usual) * usual**2
    variance += within
    return off.T, variance.T


def _log_mixture(off: Array, variance: Array, weight: Array) -> Array:
    """Log density at zero of mixtures of normals: (gains, n) for ``weight`` (slices, gains), others with n behind."""
    log: Array = np.log(densities(off, variance, weight).sum(axis=0) + _TINY)
    return log


def densities(off: Array, variance: Array, weight: Array) -> Array:
    """Densities at zero of the normals in a mixture: (slices, gains, n) for ``weight`` (slices, gains)."""
    made = off**2
    made /= variance
    made *= -0.5
    np.exp(made, out=made)
    made *= weight[..., None]
    made /= np.sqrt(2 * np.pi * variance)
    return made


_POINTS, _WEIGHTS = hermegauss(NODES)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum()) + 0.5 * _POINTS**2 + 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True)
class Effects:
    """Effects of events on several gains at once, to be integrated out.

    ``off`` and ``variance`` (n, gains, slices) as :func:`slices` gives them, ``weight`` (gains, slices), ``owner``
    (gains,) the event of each, ``between`` (n, events) the variance of its effect.
    """

    off: Array
    variance: Array
    weight: Array
    owner: NDArray[np.intp]
    between: Array

    def log_mean(self, log_factor: Callable[[Array], Array] | None = None) -> Array:
        """Log likelihood of each event's gains, (n, events); ``log_factor`` of the effects (n, events) joins in."""
        off, variance, between = self.off.T, self.variance.T, self.between.T
        weight = np.ascontiguousarray(self.weight.T)[..., None]
        # Each gain as one normal: where the event's effect lies if all were normal.
        centre = (weight * off).sum(axis=0)
        wide = (weight * (variance + off**2)).sum(axis=0) - centre**2
        to_event = np.zeros((len(between), len(self.owner)))
        to_event[self.owner, np.arange(len(self.owner))] = 1.0
        precision = to_event @ (1 / wide) + 1 / between
        mean = (to_event @ (centre / wide)) / precision
        sd = REACH / np.sqrt(precision)
        level = np.log(sd) - 0.5 * np.log(2 * np.pi * between)
        height, pace = weight / np.sqrt(2 * np.pi * variance), -0.5 / variance
        parts, work = np.empty((NODES, *mean.shape)), np.empty_like(pace)
        for part, point, log_weight in zip(parts, _POINTS, _LOG_WEIGHTS, strict=True):
            effect = mean + sd * point
            # The one place where nearly all time goes: nothing is allocated in it.
            np.subtract(off, effect[self.owner], out=work)
            np.multiply(work, work, out=work)
            np.multiply(work, pace, out=work)
            np.exp(work, out=work)
            np.multiply(work, height, out=work)
            np.matmul(to_event, np.log(work.sum(axis=0) + _TINY), out=part)
            part += log_weight + level - 0.5 * effect**2 / between
            if log_factor is not None:
                part += log_factor(effect.T).T
        # SciPy's logsumexp takes longer to look at its arguments than this takes.
        top = parts.max(axis=0)
        total: Array = np.log(np.exp(parts - top).sum(axis=0)) + top
        return total.T


@dataclass(frozen=True)
class Rule:
    """Posterior draws of the rule, (draws, len(NAMES)), and the log likelihood of each event for them."""

    table: Table
    draws: Array
    by_event: Array
    sample: sampling.Sample

    def of(self, name: str) -> Array:
        """Draws of one parameter."""
        drawn: Array = self.draws[:, NAMES.index(name)]
        return drawn


def fit(table: Table, seed: int, held: Mapping[str, float] | None = None) -> Rule:
    """Fit the rule, with some coefficients held.

    Raises
    ------
    helpers.sampling.ConvergenceError
        If the draws cannot be trusted.
    ValueError
        If the table has fewer than three events with a gain, which make no rule.
    """
    if len(table.events) < LEAST_EVENTS:
        raise ValueError(f"{len(table.events)} events with a gain: at least {LEAST_EVENTS} make a rule")
    return draw(Model(table, held or {}), seed)


def draw(model: Model, seed: int) -> Rule:
    """Draw from the posterior of a model."""
    sample = sampling.sample(model.log_likelihood, len(model.free), seed, one_mode=True)
    values = model.unpack(sample.draws)
    return Rule(model.table, values, model.by_event(values), sample)
