"""Posterior draws for a handful of parameters: tempered particles, then exact importance sampling.

The model hands over a log likelihood that is vectorised over draws and written for standard normal
parameters, so the prior is N(0, I). First, sequential Monte Carlo carries particles from the prior to the
posterior (Del Moral, Doucet and Jasra 2006), in independent clouds: a mode that one of them loses on the way is held by
the others. Then each cloud's particles become the kernels of a heavy-tailed mixture, draws from the mixtures are
weighted by the target over the mean of all proposals (deterministic mixture weights; Owen and Zhou 2000), and the
weights say how well that worked: Kish's effective sample size and the Pareto shape of their tail (Vehtari, Simpson,
Gelman, Yao and Gabry 2024). A cloud that has missed a mode gives another log evidence than the rest: then the draws of
all become the particles of each, and where they still disagree the fit is refused. The result is exact up to that; no
burn-in, no chain. A posterior of many parameters and one mode needs no particles: one kernel at its mode will do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from helpers.laplace import laplace
from helpers.mixtures import Mixture, log_normal, mixture, one_kernel

Array = NDArray[np.float64]
LogLikelihood = Callable[[Array], Array]

#: Independent clouds and the particles of each.
CLOUDS, PARTICLES = 3, 1_000
#: Kernels of all proposals together.
KERNELS = 504
#: Several modes are looked for from a normal distribution this many times as wide as the prior: a mode three standard
#: deviations out, which figures that fade slowly can make, holds one particle in a thousand of the prior.
WIDE = 2.0
#: Draws that the clouds are compared by, and those added once they agree, so that another seed gives nearly the same.
PROPOSALS, MORE = 9_000, 15_000
#: Draws that say how wide the kernel on one mode has to be.
PILOT = 3_000
KEPT, FEWER = 8_000, 4_000
LONGEST_ROAD = 200
ATTEMPTS = 6
#: Moves at each temperature, and at that of the posterior before another attempt.
MOVES, SETTLING = 2, 15
#: The first kernel on one mode has so many times the covariance of the normal distribution nearest to it.
WIDER = 1.4
ENOUGH_DRAWS = 1_000
WORST_TAIL = 0.7
#: Weights that leave something out have a variance where their tail is lighter than this: else it is fitted again.
GOOD_TAIL = 0.5
#: Clouds that found the same modes differ by some 0.05 in log evidence, one that missed a mode by 0.3.
AGREE = 0.15
#: The particles' own log evidence is this much off at worst: over all curves of this repository, plain and delayed,
#: it never was in 804 runs (bench/rough_evidence.csv).
ROUGH = 2.5


class ConvergenceError(RuntimeError):
    """The sampler did not reach its promise; the estimate must not be shown."""


class OutOfReachError(RuntimeError):
    """The log evidence is surely lower than the caller can use."""


@dataclass(frozen=True)
class Sample:
    """Equally weighted posterior draws (n, d) and how well they were made.

    ``effective`` is Kish's effective sample size of the weights before resampling, which bounds that of every
    parameter; ``tail`` the Pareto shape of the largest weights (below 0.7 is trustworthy); ``log_evidence``
    the log of the marginal likelihood, ``rough_evidence`` what the particles alone said of it; ``apart`` by how much
    the clouds' own log evidences differ at most.
    """

    draws: Array
    effective: float
    tail: float
    log_evidence: float
    rough_evidence: float
    apart: float = 0.0


def systematic(weights: Array, size: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Systematic resampling: indices with counts within one of ``size * weights``."""
    points = (rng.random() + np.arange(size)) / size
    cumulative = np.cumsum(weights)
    return np.minimum(np.searchsorted(cumulative / cumulative[-1], points), len(weights) - 1)


def _effective(log_weights: Array) -> float:
    """Kish's effective sample size."""
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum())


def _next_temperature(loglik: Array, beta: float, target: float) -> float:
    """Largest step that keeps the effective number of particles at ``target`` (bisection)."""

    below = loglik - loglik.max()

    def effective(step: float) -> float:
        return _effective(step * below)

    if effective(1 - beta) >= target:
        return 1.0
    low, high = 0.0, 1 - beta
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective(middle) >= target else (low, middle)
    return beta + max(low, 1e-6)


@dataclass
class _Cloud:
    """Particles, their log likelihood, the length of the next jumps, and the log evidence on the road to here."""

    z: Array
    value: Array
    step: float = 1.0
    log_evidence: float = 0.0

    def keep(self, chosen: NDArray[np.intp]) -> None:
        self.z, self.value = self.z[chosen], self.value[chosen]

    def move(self, loglik: LogLikelihood, beta: float, times: int, rng: np.random.Generator) -> None:
        """Metropolis steps that leave the posterior at this temperature as it is.

        Differences of random pairs follow the cloud's own shape, also when it has several modes (differential
        evolution MCMC, ter Braak 2006).
        """
        size, dim = self.z.shape
        for _ in range(times):
            first, second = rng.integers(size, size=(2, size))
            jump = self.step * 1.68 / np.sqrt(dim) * (self.z[first] - self.z[second])
            proposal = self.z + jump + 0.02 * rng.standard_normal(self.z.shape)
            proposed = loglik(proposal)
            log_ratio = beta * (proposed - self.value) + log_normal(proposal) - log_normal(self.z)
            accepted = np.log(rng.random(size)) < log_ratio
            self.z[accepted], self.value[accepted] = proposal[accepted], proposed[accepted]
            self.step = float(np.clip(self.step * np.exp(accepted.mean() - 0.3), 0.2, 2.0))


def _tempered(loglik: LogLikelihood, dim: int, moves: int, rng: np.random.Generator) -> _Cloud:
    """Particles (PARTICLES, dim) carried from the prior to the posterior."""
    z = rng.standard_normal((PARTICLES, dim))
    cloud = _Cloud(z, loglik(z))
    if not np.isfinite(cloud.value).all():
        raise ConvergenceError("the likelihood is not a number for some values that the prior allows")
    beta = 0.0
    for _ in range(LONGEST_ROAD):
        if beta == 1:
            return cloud
        new = _next_temperature(cloud.value, beta, 0.5 * PARTICLES)
        top = cloud.value.max()
        weights = np.exp((new - beta) * (cloud.value - top))
        cloud.log_evidence += float((new - beta) * top + np.log(weights.mean()))
        cloud.keep(systematic(weights, PARTICLES, rng))
        beta = new
        cloud.move(loglik, beta, moves, rng)
    raise ConvergenceError(f"the posterior was not reached from the prior in {LONGEST_ROAD} steps")


@dataclass(frozen=True)
class _Weighted:
    """Draws (n, d) of several mixtures in turn, their log likelihood and log weights (n,).

    ``own`` are the log weights over the density of the mixture that each draw comes from.
    """

    draws: Array
    value: Array
    log_weights: Array
    own: Array
    owner: NDArray[np.intp]

    @cached_property
    def apart(self) -> float:
        """Largest difference between the log evidences of the mixtures, each from its own draws alone."""
        parts = [self.own[self.owner == i] for i in range(self.owner.max() + 1)]
        evidence = [float(logsumexp(part)) - np.log(len(part)) for part in parts]
        return float(max(evidence) - min(evidence))

    @cached_property
    def effective(self) -> float:
        """Kish's effective sample size."""
        return _effective(self.log_weights)

    @cached_property
    def tail(self) -> float:
        """Pareto shape of the largest weights."""
        return pareto_tail(self.log_weights)

    @property
    def log_evidence(self) -> float:
        """Log of the marginal likelihood."""
        return float(logsumexp(self.log_weights) - np.log(len(self.log_weights)))

    @property
    def trusted(self) -> bool:
        """Whether there are enough draws, no few of them count for all, and the mixtures found the same."""
        return self.effective >= ENOUGH_DRAWS and self.tail < WORST_TAIL and self.apart <= AGREE

    @property
    def weights(self) -> Array:
        """Weights (n,), the largest 1."""
        weights: Array = np.exp(self.log_weights - self.log_weights.max())
        return weights


def _weigh(loglik: LogLikelihood, mixtures: list[Mixture], size: int, rng: np.random.Generator) -> _Weighted:
    """Draw ``size`` points in equal parts from some mixtures and weigh them by target over the mean of the mixtures."""
    owner = np.arange(size) % len(mixtures)
    draws = np.empty((size, mixtures[0].parts[0][0].shape[1]))
    for i, one in enumerate(mixtures):
        draws[owner == i] = one.draw(int((owner == i).sum()), rng)
    value = loglik(draws)
    target = value + log_normal(draws)
    density = np.stack([one.log_density(draws) for one in mixtures])
    together = logsumexp(density, axis=0) - np.log(len(mixtures))
    return _Weighted(draws, value, target - together, target - density[owner, np.arange(size)], owner)


def pareto_tail(log_weights: Array) -> float:
    """Shape of a generalised Pareto distribution fitted to the largest 3 sqrt(n) weights.

    By the nearly Bayesian estimate of Zhang and Stephens (2009), which needs no search: the mean of the shape over
    a grid of scales, each weighted by its profile likelihood.
    """
    ordered = np.sort(np.exp(log_weights - log_weights.max()))
    size = int(min(0.2 * len(ordered), 3 * np.sqrt(len(ordered))))
    excess = ordered[-size:] - ordered[-size - 1]
    if excess[-1] <= 1e-12:
        return 0.0
    excess = excess[excess > 0]
    count = 30 + int(np.sqrt(len(excess)))
    grid = (1 - np.sqrt(count / (np.arange(count) + 0.5))) / (3 * excess[len(excess) // 4]) + 1 / excess[-1]
    shape = np.log1p(-grid[:, None] * excess).mean(axis=1)
    profile = len(excess) * (np.log(-grid / shape) - shape - 1)
    weights = np.exp(profile - profile.max())
    return float(np.log1p(-(weights @ grid) / weights.sum() * excess).mean())


def sample(
    loglik: LogLikelihood,
    dim: int,
    seed: int,
    at_least: float = -np.inf,
    one_mode: bool = False,
    attempts: int = ATTEMPTS,
    more: bool = True,
) -> Sample:
    """Draw from the posterior of ``dim`` standard normal parameters given a vectorised log likelihood.

    Several modes are looked for by several clouds, and drawn from by many kernels; ``one_mode`` of many parameters is
    climbed to, and drawn from by one kernel. ``more`` draws are added once the clouds agree; without them an answer is
    quicker and moves a little more with the seed.

    Raises
    ------
    OutOfReachError
        When the particles alone say that the log evidence is not ``at_least`` so much.
    ConvergenceError
        When, after so many ``attempts``, fewer than ENOUGH_DRAWS effective draws came out, the weights' tail is
        heavier than WORST_TAIL, or the clouds' log evidences differ by more than AGREE.
    """
    if one_mode:
        return _one_mode(loglik, dim, seed, attempts)
    wide = _sample(_widened(loglik), dim, seed, at_least, attempts, more)
    return replace(wide, draws=WIDE * wide.draws)


def _widened(loglik: LogLikelihood) -> LogLikelihood:
    """The same posterior for parameters in units of WIDE: the log likelihood, and the prior over a wide start."""

    def over_start(z: Array) -> Array:
        wide = WIDE * z
        prior: Array = loglik(wide) + log_normal(wide) - log_normal(z) + z.shape[1] * np.log(WIDE)
        return prior

    return over_start


def _one_mode(loglik: LogLikelihood, dim: int, seed: int, attempts: int) -> Sample:
    """Importance sampling from one kernel at the mode, then from one as wide as what was found (Oh and Berger 1992)."""
    rng = np.random.default_rng(seed)
    try:
        middle, covariance = laplace(lambda z: loglik(z) + log_normal(z), dim)
    except np.linalg.LinAlgError as error:
        raise ConvergenceError("the search for the mode ended where the posterior is not highest") from error
    found = _weigh(loglik, [one_kernel(middle, WIDER * covariance)], PILOT, rng)
    for attempt in range(attempts):
        middle = np.average(found.draws, axis=0, weights=found.weights)
        covariance = np.cov(found.draws.T, aweights=found.weights).reshape(dim, dim)
        found = _weigh(loglik, [one_kernel(middle, covariance)], PROPOSALS * (1 + attempt), rng)
        if found.trusted:
            return _kept(found, FEWER, found.log_evidence, rng)
    raise _not_reached(found)


def _sample(loglik: LogLikelihood, dim: int, seed: int, at_least: float, attempts: int, more: bool) -> Sample:
    rng = np.random.default_rng(seed)
    clouds = [_tempered(loglik, dim, MOVES, rng) for _ in range(CLOUDS)]
    rough = float(logsumexp([cloud.log_evidence for cloud in clouds]) - np.log(len(clouds)))
    if rough + ROUGH < at_least:
        raise OutOfReachError(f"log evidence {rough:.1f}, at least {at_least:.1f} wanted")
    for attempt in range(attempts):
        # A posterior that bends is met by more and narrower kernels of their own shapes, and more draws.
        size = min(KERNELS // CLOUDS * 2**attempt, PARTICLES)
        mixtures = [mixture(cloud.z, size, 0.8**attempt, rng, attempt // 2) for cloud in clouds]
        found = _weigh(loglik, mixtures, PROPOSALS * (1 + attempt), rng)
        if more and found.effective >= ENOUGH_DRAWS and found.tail < WORST_TAIL:
            found = _joined(found, _weigh(loglik, mixtures, MORE, rng))
        if found.trusted:
            return _kept(found, KEPT if more else FEWER, rough, rng)
        # What the draws found and the particles had missed becomes part of the next proposal.
        for cloud in clouds:
            chosen = systematic(found.weights, PARTICLES, rng)
            cloud.z, cloud.value = found.draws[chosen], found.value[chosen]
            cloud.move(loglik, 1.0, SETTLING, rng)
    raise _not_reached(found)


def _not_reached(found: _Weighted) -> ConvergenceError:
    return ConvergenceError(
        f"{found.effective:.0f} effective draws of at least {ENOUGH_DRAWS} wanted, Pareto tail {found.tail:.2f} of at "
        f"most {WORST_TAIL}, log evidences {found.apart:.2f} apart of at most {AGREE}: the published figures and the "
        "prior disagree too much for this curve"
    )


def _joined(first: _Weighted, second: _Weighted) -> _Weighted:
    """Put draws of the same mixtures together."""
    columns = (np.concatenate([getattr(part, f.name) for part in (first, second)]) for f in fields(_Weighted))
    return _Weighted(*columns)


def _kept(found: _Weighted, size: int, rough: float, rng: np.random.Generator) -> Sample:
    """Resample weighted draws to equal weights."""
    draws = found.draws[systematic(found.weights, size, rng)]
    return Sample(draws, found.effective, found.tail, found.log_evidence, rough, found.apart)
