"""Heavy-tailed mixtures laid on particles: the proposals of importance sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Array = NDArray[np.float64]

#: How often the particles are halved for kernels of a covariance of their own.
SPLITS = 2
#: From more parameters than this on a kernel is nearly as wide as all particles of its part.
MANY = 6
#: Degrees of freedom of the one kernel of a posterior with one mode, which is nearly normal.
ONE_KERNEL = 8
#: Share of the draws that come from the distribution to start from.
DEFENSIVE = 0.1
#: Draws whose distances to all kernels are worked out at a time: they stay in the processor's cache.
_PART = 200
#: Particles that have run together in one direction still give kernels of some width.
_RIDGE = 1e-9


def degrees(dim: int, least: int = 4) -> int:
    """Degrees of freedom of a kernel: so many that its density is a whole power, and no logarithm is needed."""
    return least + (least + dim) % 2


def log_normal(z: Array) -> Array:
    """Log density of the standard normal distribution at some points (n, d): (n,)."""
    density: Array = -0.5 * (z**2).sum(axis=1) - 0.5 * z.shape[1] * np.log(2 * np.pi)
    return density


@dataclass(frozen=True)
class Mixture:
    """Multivariate t kernels, and the distribution to start from with weight DEFENSIVE.

    ``parts`` hold the centres (k, d) of some kernels and the factor (d, d) of their covariance; all parts weigh the
    same. The kernels have at least ``least`` degrees of freedom.
    """

    parts: tuple[tuple[Array, Array], ...]
    least: int = 4

    def draw(self, size: int, rng: np.random.Generator) -> Array:
        """Draws (size, d)."""
        dim = self.parts[0][0].shape[1]
        free = degrees(dim, self.least)
        noise = rng.standard_normal((size, dim)) / np.sqrt(rng.chisquare(free, size) / free)[:, None]
        draws = np.empty((size, dim))
        for i, (centres, spread) in enumerate(self.parts):
            own = slice(i, None, len(self.parts))
            draws[own] = centres[rng.integers(len(centres), size=len(draws[own]))] + noise[own] @ spread.T
        start = rng.random(size) < DEFENSIVE
        draws[start] = rng.standard_normal((int(start.sum()), dim))
        return draws

    def log_density(self, draws: Array) -> Array:
        """Log density at some points (n, d): (n,)."""
        kernels = np.mean([_kernels(draws, *part, self.least) for part in self.parts], axis=0)
        density: Array = np.logaddexp(
            np.log1p(-DEFENSIVE) + np.log(kernels + 1e-300), np.log(DEFENSIVE) + log_normal(draws)
        )
        return density


def _kernels(draws: Array, centres: Array, spread: Array, least: int) -> Array:
    """Mean density of t kernels of one covariance at some points (n, d): (n,)."""
    (size, dim), free = draws.shape, degrees(draws.shape[1], least)
    whitened = np.linalg.solve(spread, draws.T).T
    middles = np.linalg.solve(spread, centres.T).T
    # One plus the squared distance of each draw from each kernel, its three parts as one product of matrices.
    left = np.column_stack([whitened, (whitened**2).sum(axis=1) / free, np.ones(size)])
    right = np.vstack([-2 / free * middles.T, np.ones(len(middles)), 1 + (middles**2).sum(axis=1) / free])
    kernels, (squares, power) = np.empty(size), np.empty((2, _PART, len(middles)))
    for i in range(0, size, _PART):
        part, whole = (space[: size - i] for space in (squares, power))
        np.maximum(np.matmul(left[i : i + _PART], right, out=part), 1, out=part)
        np.reciprocal(part, out=whole)
        np.copyto(part, whole)
        for _ in range((free + dim) // 2 - 1):
            np.multiply(whole, part, out=whole)
        kernels[i : i + _PART] = whole.sum(axis=1)
    # Multivariate t density, its constant in gamma functions.
    constant = gammaln((free + dim) / 2) - gammaln(free / 2) - 0.5 * dim * np.log(free * np.pi)
    mean: Array = kernels / len(middles) * np.exp(constant - np.log(np.diag(spread)).sum())
    return mean


def one_kernel(middle: Array, covariance: Array) -> Mixture:
    """Lay one kernel at a place (d,) with a covariance (d, d): enough for one mode, nearly normal."""
    spread = np.asarray(np.linalg.cholesky(covariance), dtype=float)
    return Mixture(((middle[None], spread),), ONE_KERNEL)


def mixture(z: Array, size: int, narrow: float, rng: np.random.Generator, further: int = 0) -> Mixture:
    """Lay ``size`` kernels on particles (n, d).

    They take their covariance from the particles around them, so that modes of different shapes each have kernels that
    fit. In many dimensions, where a kernel is nearly as wide as its whole part, they are drawn in towards the middle,
    so that the mixture is as wide as the particles are (West 1993).
    """
    dim, made = z.shape[1], []
    for part in (parts := _split(z, SPLITS + further)):
        centres = part[rng.choice(len(part), size // len(parts), replace=False)]
        factor = narrow * (4 / ((dim + 2) * len(centres))) ** (1 / (dim + 4))  # Silverman's bandwidth
        if dim > MANY:
            centres = centres.mean(axis=0) + np.sqrt(max(1 - factor**2, 0.0)) * (centres - centres.mean(axis=0))
        covariance = np.cov(part.T).reshape(dim, dim)
        made.append((centres, factor * np.linalg.cholesky(covariance + _RIDGE * np.eye(dim))))
    return Mixture(tuple(made))


def _split(z: Array, times: int) -> list[Array]:
    """Halve particles (n, d) at the median along their longest axis, again and again."""
    if times == 0:
        return [z]
    centred = z - z.mean(axis=0)
    along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = np.argsort(along, kind="stable")
    half = len(z) // 2
    return _split(z[order[:half]], times - 1) + _split(z[order[half:]], times - 1)
