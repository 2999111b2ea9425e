"""Posterior draws for a handful of parameters: tempered particles, then exact importance sampling.

The model hands over a log likelihood that is vectorised over draws and written for standard normal
parameters, so the prior is N(0, I). First, sequential Monte Carlo carries particles from the prior to the
posterior (Del Moral, Doucet and Jasra 2006), which finds every mode that a wrong claim can make. Then the
particles become the kernels of a heavy-tailed mixture, draws from it are weighted by target over proposal,
and the weights say how well that worked: Kish's effective sample size and the Pareto shape of their tail
(Vehtari, Simpson, Gelman, Yao and Gabry 2024). The result is exact up to that; no burn-in, no chain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

Array = NDArray[np.float64]
LogLikelihood = Callable[[Array], Array]

#: Particles where there may be several modes, and where one is supposed.
PARTICLES, FEWER = 2_000, 1_000
KERNELS = 500
PROPOSALS = 10_000
KEPT = 4_000
DEFENSIVE = 0.1
DEGREES = 5
LONGEST_ROAD = 200
ATTEMPTS = 6
#: Moves at the temperature of the posterior, where the particles must forget where they were; more in many dimensions.
SETTLING, LONGER = 15, 25
ENOUGH_DRAWS = 1_000
WORST_TAIL = 0.7
#: The particles' own log evidence is this much off at worst: over all curves of this repository, plain and delayed,
#: it never was in 615 runs (bench/rough_evidence.csv).
ROUGH = 1.0
#: Draws whose distances to all kernels are worked out at a time: they stay in the processor's cache.
_PART = 200


class ConvergenceError(RuntimeError):
    """The sampler did not reach its promise; the estimate must not be shown."""


class OutOfReachError(RuntimeError):
    """The log evidence is surely lower than the caller can use."""


@dataclass(frozen=True)
class Sample:
    """Equally weighted posterior draws (KEPT, d) and how well they were made.

    ``effective`` is Kish's effective sample size of the weights before resampling, which bounds that of every
    parameter; ``tail`` the Pareto shape of the largest weights (below 0.7 is trustworthy); ``log_evidence``
    the log of the marginal likelihood, ``rough_evidence`` what the particles alone said of it.
    """

    draws: Array
    effective: float
    tail: float
    log_evidence: float
    rough_evidence: float


def _log_normal(z: Array) -> Array:
    density: Array = -0.5 * (z**2).sum(axis=1) - 0.5 * z.shape[1] * np.log(2 * np.pi)
    return density


def _systematic(weights: Array, size: int, rng: np.random.Generator) -> NDArray[np.intp]:
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
            log_ratio = beta * (proposed - self.value) + _log_normal(proposal) - _log_normal(self.z)
            accepted = np.log(rng.random(size)) < log_ratio
            self.z[accepted], self.value[accepted] = proposal[accepted], proposed[accepted]
            self.step = float(np.clip(self.step * np.exp(accepted.mean() - 0.3), 0.2, 2.0))


def _tempered(loglik: LogLikelihood, dim: int, particles: int, rng: np.random.Generator) -> _Cloud:
    """Particles (particles, dim) carried from the prior to the posterior."""
    z = rng.standard_normal((particles, dim))
    cloud = _Cloud(z, loglik(z))
    if not np.isfinite(cloud.value).all():
        raise ConvergenceError("the likelihood is not a number for some values that the prior allows")
    beta = 0.0
    for _ in range(LONGEST_ROAD):
        if beta == 1:
            return cloud
        new = _next_temperature(cloud.value, beta, 0.5 * particles)
        top = cloud.value.max()
        weights = np.exp((new - beta) * (cloud.value - top))
        cloud.log_evidence += float((new - beta) * top + np.log(weights.mean()))
        cloud.keep(_systematic(weights, particles, rng))
        beta = new
        cloud.move(loglik, beta, 3, rng)
    raise ConvergenceError(f"the posterior was not reached from the prior in {LONGEST_ROAD} steps")


def _mixture(centres: Array, narrow: float, size: int, rng: np.random.Generator, shrunk: bool) -> tuple[Array, Array]:
    """Draw from a mixture of t kernels on the centres and the prior: (draws (size, d), log density (size,)).

    ``shrunk`` kernels are drawn in towards the mean, so that the mixture is as wide as the centres are (West 1993):
    in many dimensions a kernel is nearly as wide as all of them.
    """
    dim = centres.shape[1]
    factor = narrow * (4 / ((dim + 2) * len(centres))) ** (1 / (dim + 4))  # Silverman's bandwidth
    if shrunk:
        centres = centres.mean(axis=0) + np.sqrt(max(1 - factor**2, 0.0)) * (centres - centres.mean(axis=0))
    spread = factor * np.linalg.cholesky(np.cov(centres.T).reshape(dim, dim) + 1e-9 * np.eye(dim))
    noise = rng.standard_normal((size, dim)) / np.sqrt(rng.chisquare(DEGREES, size) / DEGREES)[:, None]
    draws = centres[rng.integers(len(centres), size=size)] + noise @ spread.T
    prior = rng.random(size) < DEFENSIVE
    draws[prior] = rng.standard_normal((int(prior.sum()), dim))

    whitened = np.linalg.solve(spread, draws.T).T
    middles = np.linalg.solve(spread, centres.T).T
    # One plus the squared distance of each draw from each kernel, its three parts as one product of matrices.
    left = np.column_stack([whitened, (whitened**2).sum(axis=1) / DEGREES, np.ones(size)])
    right = np.vstack([-2 / DEGREES * middles.T, np.ones(len(middles)), 1 + (middles**2).sum(axis=1) / DEGREES])
    kernels, squares = np.empty(size), np.empty((_PART, len(middles)))
    for i in range(0, size, _PART):
        part = np.matmul(left[i : i + _PART], right, out=squares[: size - i])
        # A power by way of the logarithm: np.power takes twice as long.
        np.log(np.maximum(part, 1, out=part), out=part)
        part *= -(DEGREES + dim) / 2
        kernels[i : i + _PART] = np.exp(part, out=part).sum(axis=1)
    kernels /= len(middles)
    # Multivariate t density, its constant in gamma functions.
    constant = gammaln((DEGREES + dim) / 2) - gammaln(DEGREES / 2) - 0.5 * dim * np.log(DEGREES * np.pi)
    constant -= np.log(np.diag(spread)).sum()
    density = np.logaddexp(
        np.log1p(-DEFENSIVE) + constant + np.log(kernels + 1e-300), np.log(DEFENSIVE) + _log_normal(draws)
    )
    return draws, density


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


def sample(loglik: LogLikelihood, dim: int, seed: int, at_least: float = -np.inf, shrunk: bool = False) -> Sample:
    """Draw from the posterior of ``dim`` standard normal parameters given a vectorised log likelihood.

    ``shrunk`` kernels suit a posterior of many parameters and one mode, plain ones a few parameters and several. In
    many dimensions the particles also need more moves to forget the road, and more draws.

    Raises
    ------
    OutOfReachError
        When the particles alone say that the log evidence is not ``at_least`` so much.
    ConvergenceError
        When, after ATTEMPTS rounds, fewer than ENOUGH_DRAWS effective draws came out or the weights' tail is
        heavier than WORST_TAIL.
    """
    rng = np.random.default_rng(seed)
    particles, settling = (FEWER, LONGER) if shrunk else (PARTICLES, SETTLING)
    cloud = _tempered(loglik, dim, particles, rng)
    rough = cloud.log_evidence
    if rough + ROUGH < at_least:
        raise OutOfReachError(f"log evidence {rough:.1f}, at least {at_least:.1f} wanted")
    effective = tail = float("nan")
    if shrunk:
        cloud.move(loglik, 1.0, settling, rng)
    for attempt in range(ATTEMPTS):
        centres = cloud.z[rng.choice(particles, KERNELS, replace=False)]
        # A posterior that bends is met by narrower kernels and more draws.
        narrow = 1.0 if shrunk else 0.8**attempt
        draws, density = _mixture(centres, narrow, PROPOSALS * (1 + attempt + shrunk), rng, shrunk)
        value = loglik(draws)
        log_weights = value + _log_normal(draws) - density
        effective = _effective(log_weights)
        tail = pareto_tail(log_weights)
        weights = np.exp(log_weights - log_weights.max())
        if effective >= ENOUGH_DRAWS and tail < WORST_TAIL:
            kept = draws[_systematic(weights, KEPT, rng)]
            evidence = float(logsumexp(log_weights) - np.log(len(log_weights)))
            return Sample(kept, effective, tail, evidence, rough)
        # What the draws found and the particles had missed becomes part of the next proposal.
        chosen = _systematic(weights, particles, rng)
        cloud = _Cloud(draws[chosen], value[chosen], cloud.step)
        cloud.move(loglik, 1.0, settling, rng)
    raise ConvergenceError(
        f"{effective:.0f} effective draws of at least {ENOUGH_DRAWS} wanted, Pareto tail {tail:.2f} of at most "
        f"{WORST_TAIL}: the published figures and the prior disagree too much for this curve"
    )
