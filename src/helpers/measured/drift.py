"""Counts around a drifting level: the state space model behind the expected path, in tridiagonal algebra.

    y_t ~ negative binomial with mean exp(X_t b + x_t) and variance mean + alpha mean^2,
    x_t = phi x_{t-1} + innovation of standard deviation sigma,    phi = exp(-1 / tau)

The counts are linearised around the current fit (penalised quasi-likelihood: Breslow and Clayton 1993; for state space
models Durbin and Koopman 2012, chapter 10), so that large counts are treated as logarithms and zeros have no
logarithm to be taken of. Given the working values, the states have a tridiagonal precision (Rue and Held 2005):
likelihood and forecast take a time proportional to the number of steps. A missing step has weight nothing. The
coefficients are integrated out (restricted likelihood), tau, sigma and alpha have weak priors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.optimize import minimize

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: From so many columns on, tau, sigma and alpha are found after the rhythms were taken out once.
MANY = 24
#: How far the points for unknown parameters lie from the mode, in standard deviations.
FAR = 2.0
#: Counts from which the logarithm itself is the working value at the start.
FEW = 0.5
#: A fit of so many times the counts has overshot, as a linearised step does where counts differ by orders of magnitude;
#: it goes on from the right total, so many rounds more at the most.
ASTRAY, MORE_ROUNDS = 3.0, 6


@dataclass(frozen=True)
class Prior:
    """Means (3,) and standard deviations (3,) of log tau (steps), log sigma and log alpha."""

    mean: Array
    spread: Array


def usual_prior(steps_per_week: float) -> Prior:
    """Return the prior for a step: drift remembers about a week, within a factor of 11 either way (95%)."""
    memory = max(steps_per_week, 8.0)
    sigma = 0.025 * np.sqrt(2 / memory)
    return Prior(np.array([np.log(memory), np.log(sigma), np.log(2e-3)]), np.array([1.2, 1.0, 2.0]))


@dataclass(frozen=True)
class Work:
    """Working values of a linearised fit: value and variance-giving mean of each step, which steps count."""

    value: Array
    mean: Array
    used: Mask


@dataclass(frozen=True)
class Solved:
    """One solution for given tau, sigma, alpha and steps up to some end.

    Attributes
    ----------
    phi, sigma, alpha : parameters.
    weight : (n,) precision of each working value.
    factor : (2, n) banded Cholesky factor of the states' precision.
    pull : (n, 1 + p) smoothed states that the values, and each column, would give.
    coefficients, covariance : (p,), (p, p).
    loss : minus twice the restricted log-likelihood, up to a constant.
    """

    phi: float
    sigma: float
    alpha: float
    weight: Array
    factor: Array
    pull: Array
    coefficients: Array
    covariance: Array
    loss: float

    def state(self) -> Array:
        """Smoothed drift of each step: (n,)."""
        drift: Array = self.pull[:, 0] - self.pull[:, 1:] @ self.coefficients
        return drift


def solve(theta: Array, work: Work, matrix: Array, spread: Array, stop: int | None = None) -> Solved:
    """Solve for coefficients and drift, given log tau, log sigma and log alpha.

    Parameters
    ----------
    theta : (3,)
    work : values of n steps; only those before ``stop`` are looked at.
    matrix, spread : (n, p) columns and the (p,) prior standard deviations of their coefficients.
    """
    n = len(work.value) if stop is None else stop
    phi, sigma, alpha = float(np.exp(-np.exp(-theta[0]))), float(np.exp(theta[1])), float(np.exp(theta[2]))
    weight = np.where(work.used[:n], 1 / (1 / work.mean[:n] + alpha), 0.0)
    precision = np.empty((2, n))
    precision[0] = -phi / sigma**2
    precision[1] = (1 + phi**2) / sigma**2 + weight
    precision[1, 0] -= phi**2 / sigma**2
    precision[1, -1] -= phi**2 / sigma**2
    factor = cholesky_banded(precision, check_finite=False)
    both = np.column_stack([work.value[:n], matrix[:n]])
    pulled = weight[:, None] * both
    pull = cho_solve_banded((factor, False), pulled, check_finite=False)
    cross = both.T @ (pulled - weight[:, None] * pull)
    inverse = cross[1:, 1:] + np.diag(1 / spread**2)
    covariance = np.linalg.inv(inverse)
    coefficients = covariance @ cross[1:, 0]
    fit = cross[0, 0] - cross[1:, 0] @ coefficients
    states = 2 * np.log(factor[1]).sum() - np.log1p(-(phi**2)) + 2 * n * np.log(sigma)
    loss = fit + states - np.log(weight[weight > 0]).sum() + np.linalg.slogdet(inverse)[1]
    return Solved(phi, sigma, alpha, weight, factor, pull, coefficients, covariance, float(loss))


@dataclass(frozen=True)
class Fit:
    """A fitted series: working values, parameters at their mode, and the points that stand for their posterior.

    Attributes
    ----------
    theta : (3,) log tau, log sigma, log alpha at the mode.
    points : (k, 3) points that stand for the posterior of the three, the mode first.
    weights : (k,) their weights, adding up to one.
    """

    work: Work
    matrix: Array
    spread: Array
    prior: Prior
    theta: Array
    points: Array
    weights: Array

    def at(self, theta: Array | None = None, stop: int | None = None) -> Solved:
        """Solve at the mode, or at other parameters, from the steps before ``stop``."""
        return solve(self.theta if theta is None else theta, self.work, self.matrix, self.spread, stop)


def fit(
    counts: Array, used: Mask, matrix: Array, spread: Array, prior: Prior, begin: Array | None = None, rounds: int = 2
) -> Fit:
    """Fit coefficients, drift and the three parameters to counts.

    Parameters
    ----------
    counts : (n,) counts, anything where not used.
    used : (n,) steps to learn from; the last one is the last of the array or earlier.
    matrix, spread, prior : see `solve` and `Prior`.
    begin : (3,) parameters to begin at, from an earlier fit of nearly the same.
    """
    work = _first_work(counts, used, matrix)
    theta = prior.mean if begin is None else begin
    for number in range(rounds):
        theta = _mode(theta, work, matrix, spread, prior, wide=number == 0 and begin is None)
        work = _next_work(counts, work, solve(theta, work, matrix, spread), matrix)
    for _ in range(MORE_ROUNDS):
        solved = solve(theta, work, matrix, spread)
        if _times(counts, work, _level(solved, matrix)) <= ASTRAY:
            break
        work = _next_work(counts, work, solved, matrix)
        theta = _mode(theta, work, matrix, spread, prior, wide=False)
    return Fit(work, matrix, spread, prior, theta, theta[None], np.ones(1))


def with_points(fitted: Fit) -> Fit:
    """Return the fit with points for what is not known of tau, sigma and alpha.

    The points are those of the unscented transformation (Julier and Uhlmann 1997) around the mode; each is weighted by
    how the posterior there compares with the normal one, so that a direction in which it falls off faster counts less.
    """
    profile = _profile(fitted.theta, fitted.work, fitted.matrix, fitted.spread)

    def loss(theta: Array) -> float:
        return _penalised(theta, *profile, fitted.prior)

    values, vectors = np.linalg.eigh(_curvature(loss, fitted.theta))
    roots = vectors / np.sqrt(np.maximum(values, 1 / fitted.prior.spread.max() ** 2))
    moves = FAR * np.concatenate([roots.T, -roots.T])
    points = fitted.theta + moves
    here = loss(fitted.theta)
    drop = np.array([here - loss(point) for point in points]) + FAR**2 / 2
    weights = np.concatenate([[1 - 3 / FAR**2], np.exp(np.minimum(drop, 1.0)) / (2 * FAR**2)])
    return replace(fitted, points=np.vstack([fitted.theta, points]), weights=weights / weights.sum())


def _first_work(counts: Array, used: Mask, matrix: Array) -> Work:
    """Start from logarithms, and from a regression on the columns where there is no count."""
    filled = np.where(used, counts, 0.0)
    value = np.log(np.maximum(filled, FEW))
    start = np.linalg.lstsq(matrix[used], value[used], rcond=None)[0]
    mean = np.where(used, np.maximum(filled, FEW), 1.0)
    few = mean < 20
    if few.any():
        # A logarithm of few people says little: begin from the regression there.
        level = np.exp(np.clip(matrix @ start, -20, 30))
        value = np.where(few, np.log(level) + (filled - level) / level, value)
        mean = np.where(few, level, mean)
    return Work(np.where(used, value, 0.0), mean, used)


def _level(solved: Solved, matrix: Array) -> Array:
    return np.clip(matrix @ solved.coefficients + solved.state(), -20, 30)


def times_the_counts(fitted: Fit, counts: Array) -> float:
    """Return the total that a fit gives for the steps it has learnt from over what was counted in them: about one."""
    return _times(counts, fitted.work, _level(fitted.at(), fitted.matrix))


def _times(counts: Array, work: Work, level: Array) -> float:
    return float(np.exp(level[work.used]).sum() / max(counts[work.used].sum(), 1e-9))


def _next_work(counts: Array, work: Work, solved: Solved, matrix: Array) -> Work:
    level = _level(solved, matrix)
    times = _times(counts, work, level)
    if times > ASTRAY:
        level = level - np.log(times)
    mean = np.exp(level)
    value = np.where(work.used, level + (np.where(work.used, counts, mean) - mean) / mean, 0.0)
    return Work(value, mean, work.used)


def _profile(theta: Array, work: Work, matrix: Array, spread: Array) -> tuple[Work, Array, Array]:
    """Return what the parameters are found from: with many columns, what is left after taking the rhythms out."""
    if matrix.shape[1] <= MANY:
        return work, matrix, spread
    rhythm = matrix[:, 2:] @ solve(theta, work, matrix, spread).coefficients[2:]
    return Work(np.where(work.used, work.value - rhythm, 0.0), work.mean, work.used), matrix[:, :2], spread[:2]


def _penalised(theta: Array, work: Work, matrix: Array, spread: Array, prior: Prior) -> float:
    off = (theta - prior.mean) / prior.spread
    # Outside of this the numbers overflow before the prior has a say.
    if np.any(np.abs(off) > 8):
        return float(1e10 + (off**2).sum())
    try:
        return 0.5 * solve(theta, work, matrix, spread).loss + 0.5 * float(off @ off)
    except np.linalg.LinAlgError:
        return 1e10


def penalised(fitted: Fit) -> float:
    """Return half the loss at the mode, prior included: lower is better, for fits of the same steps."""
    return _penalised(fitted.theta, fitted.work, fitted.matrix, fitted.spread, fitted.prior)


def _mode(theta: Array, work: Work, matrix: Array, spread: Array, prior: Prior, wide: bool) -> Array:
    profile = _profile(theta, work, matrix, spread)
    size = 0.8 if wide else 0.25
    simplex = np.vstack([theta, theta + np.diag([size, size, 1.2 * size])])
    options: dict[str, Any] = {"xatol": 0.03, "fatol": 0.01, "maxfev": 250, "initial_simplex": simplex}
    found = minimize(_penalised, theta, args=(*profile, prior), method="Nelder-Mead", options=options)
    return np.asarray(found.x, dtype=float)


def _curvature(loss: Any, at: Array, width: float = 0.15) -> Array:
    """Second derivatives by differences: (k, k)."""
    k = len(at)
    moves = np.eye(k) * width
    here = loss(at)
    up, down = [loss(at + m) for m in moves], [loss(at - m) for m in moves]
    second = np.empty((k, k))
    for i in range(k):
        second[i, i] = (up[i] - 2 * here + down[i]) / width**2
        for j in range(i):
            second[i, j] = second[j, i] = (loss(at + moves[i] + moves[j]) - up[i] - up[j] + here) / width**2
    return second


def forecast(solved: Solved, ahead: Array, gap: int = 0) -> tuple[Array, Array]:
    """Forecast the log mean of the steps that follow the last one solved for.

    Parameters
    ----------
    ahead : (h, p) columns of the steps to forecast.
    gap : steps between the last one solved for and the first one forecast, none of them observed.

    Returns
    -------
    mean, covariance : (h,), (h, h) of the log mean: coefficients, last state and innovations to come.
    """
    h = len(ahead)
    lead = gap + np.arange(1, h + 1)
    memory = solved.phi**lead
    last = np.zeros(len(solved.weight))
    last[-1] = 1
    variance = cho_solve_banded((solved.factor, False), last, check_finite=False)[-1]
    mean = ahead @ solved.coefficients + memory * solved.state()[-1]
    lean = ahead - memory[:, None] * solved.pull[-1, 1:]
    apart = np.abs(lead[:, None] - lead[None, :])
    fresh = solved.sigma**2 / (1 - solved.phi**2) * (solved.phi**apart - np.outer(memory, memory))
    covariance = lean @ solved.covariance @ lean.T + np.outer(memory, memory) * variance + fresh
    return mean, covariance
