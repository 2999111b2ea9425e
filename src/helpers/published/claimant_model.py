"""The model of who claims what: pairs of claims, a bias and a scale for each class, posterior draws.

A claim is truth + bias of its class + error, on the log scale. A pair of claims cancels the truth and leaves the
difference of two biases and of two errors. Where sign-ups stand against installs, the conversion between the two comes
in, with a part of its own for each outage (a random effect). One claim in ten is simply wrong, as in the
fit (:class:`helpers.likelihood.Prior`), and bounds are bounds, so that the scales estimated here mean there
what they mean here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.ndimage import map_coordinates
from scipy.special import logsumexp
from scipy.stats import halfnorm, multivariate_t, norm, qmc

from helpers import claims as cl
from helpers.claims import CLAIMANT_SCALE, Bound, Claim
from helpers.coarsened import published
from helpers.curve import Array
from helpers.prior import Prior
from helpers.sampling import ConvergenceError
from helpers.usual import CONVERSION_SCALE

#: Priors. Bias of a class against the reference, log: 95% between 0.4 and 2.7 times.
REFERENCE, BIAS_SD = "panel", 0.5
#: A scale lies within a factor of 2.7 of CLAIMANT_SCALE (95%); the conversion of one outage strays by so much.
SCALE_SD, OUTAGE_SD = 0.5, 0.4
DIMENSIONS = 2 * len(CLAIMANT_SCALE) + 1
#: Draws, first from the prior (a power of two: Sobol points). Where fewer of them than ENOUGH count, they are drawn
#: anew from where the weights are, in so many rounds at most.
DRAWS, ENOUGH, ROUNDS, SEED = 1 << 13, 400, 12, 20140222
FLATTENED, DEGREES, DEFENSIVE = 150.0, 7, 0.1
_MU = np.linspace(-7.0, 7.0, 467)
_SCALES = np.geomspace(0.03, 3.2, 28)
_SHAPES, _LAGS = 6, 6
#: An outage's own conversion, in standard deviations, where several pairs of one outage share it.
_OUTAGE = np.linspace(-3.0, 3.0, 21)
_TINY = 1e-300


@dataclass(frozen=True)
class Draws:
    """Draws from the prior, one row each: ``bias`` and ``scale`` by class (reference: bias zero), conversion, outage.

    ``conversion`` is the log of sign-ups over installs in general, ``outage`` the standard deviation of that
    between outages.
    """

    bias: Mapping[str, Array]
    scale: Mapping[str, Array]
    conversion: Array
    outage: Array


def unpack(z: Array) -> Draws:
    """Turn standard normal draws (n, DIMENSIONS) into parameters."""
    column = iter(z.T)
    scale = {c: prior * np.exp(SCALE_SD * next(column)) for c, prior in CLAIMANT_SCALE.items()}
    bias = {c: np.zeros(len(z)) if c == REFERENCE else BIAS_SD * next(column) for c in CLAIMANT_SCALE}
    conversion = CONVERSION_SCALE * next(column)
    return Draws(bias, scale, conversion, OUTAGE_SD * halfnorm.isf(norm.sf(next(column))))


@lru_cache(maxsize=1)
def _prior() -> Array:
    """Standard normal draws (DRAWS, DIMENSIONS): Sobol points, scrambled with a fixed seed."""
    uniform = qmc.Sobol(DIMENSIONS, seed=SEED).random(DRAWS)
    z: Array = norm.ppf(np.clip(uniform, 1e-12, 1 - 1e-12))
    return z


def _table(pair: pd.Series) -> Array:
    """Probability of what a pair says, for each log ratio expected (first axis) and standard deviation (second).

    The place of the ratio between the ends of its shape is uniform. The first figure's bound is part of the
    likelihood of a claim; the second's is averaged over how long ago its mark was passed.
    """
    first, last = np.exp([pair["log_low"], pair["log_high"]])
    bound: Bound = pair["first_bound"]
    claim = Claim(str(pair["first_id"]), "increment", float(first), float(last), bound, 0.0, 0.0, (0.0, 0.0), 1.0)
    low, high = pair["shape_low"], pair["shape_high"]
    shapes = low + (high - low) * (np.arange(_SHAPES) + 0.5) / _SHAPES if high > low else np.array([low])
    lags, weights = np.zeros(1), np.ones(1)
    if pair["second_bound"] != "none":
        late = -cl.PASSED * np.log1p(-(np.arange(_LAGS) + 0.5) / _LAGS)
        lags = np.concatenate([[0.0], late]) * (1 if pair["second_bound"] == "lower" else -1)
        weights = np.array([cl.FRESH, *[(1 - cl.FRESH) / _LAGS] * _LAGS])
    seen = _MU[:, None, None] + shapes[:, None] + lags
    return np.array([(published(claim, seen, scale) @ weights).mean(axis=1) for scale in _SCALES]).T


def _look_up(table: Array, mu: Array, scale: Array) -> Array:
    """Interpolate a table between its points."""
    row = (mu - _MU[0]) / (_MU[1] - _MU[0])
    column = np.log(scale / _SCALES[0]) / np.log(_SCALES[1] / _SCALES[0])
    row, column = np.broadcast_arrays(row, column)
    found: Array = map_coordinates(table, [row, column], order=1, mode="nearest")
    return found


def _probability(pair: pd.Series, table: Array, draws: Draws, outage: Array, spread: Array) -> Array:
    """Probability of one pair for each draw (last axis).

    ``outage`` is the outage's own part of the conversion, ``spread`` its standard deviation where it is averaged over.
    """
    first, second = str(pair["first_class"]), str(pair["second_class"])
    sign = 0.0 if not pair["converted"] else 1.0 if pair["first_quantity"] == "signups" else -1.0
    mu = draws.bias[first] - draws.bias[second] + sign * (draws.conversion + outage)
    prior = Prior()
    wrong = np.full(len(draws.outage), prior.wrong)
    total = np.zeros(np.shape(mu))
    for one, share in ((draws.scale[first], 1 - prior.false), (wrong, prior.false)):
        for other, other_share in ((draws.scale[second], 1 - prior.false), (wrong, prior.false)):
            total += share * other_share * _look_up(table, mu, np.sqrt(one**2 + other**2 + spread**2))
    return total


def log_likelihood(used: pd.DataFrame, draws: Draws, tables: Sequence[Array]) -> tuple[list[str], Array]:
    """Log likelihood of the pairs of each outage and service, for each draw.

    Parameters
    ----------
    used : pairs (see :func:`helpers.published.pairs.pairs`) that are to count.
    draws : parameters.
    tables : of each pair, in their order.

    Returns
    -------
    tuple of list of str and (groups, n)
        The outage of each group, and the values.
    """
    nothing = np.zeros(len(draws.outage))
    weights = norm.pdf(_OUTAGE) / norm.pdf(_OUTAGE).sum()
    outages, rows = [], []
    known = dict(zip(used.index, tables, strict=True))
    for (outage_id, _), part in used.groupby(["outage_id", "service_id"], sort=False):
        outages.append(str(outage_id))
        total = nothing
        shared = part[part["converted"].astype(bool)]
        for i, pair in part.iterrows():
            if not pair["converted"]:
                total = total + np.log(_probability(pair, known[i], draws, nothing, nothing) + _TINY)
            elif len(shared) == 1:
                total = total + np.log(_probability(pair, known[i], draws, nothing, draws.outage) + _TINY)
        if len(shared) > 1:
            own = _OUTAGE[:, None] * draws.outage
            each = [np.log(_probability(p, known[i], draws, own, nothing) + _TINY) for i, p in shared.iterrows()]
            total = total + logsumexp(sum(each), axis=0, b=weights[:, None])
        rows.append(total)
    return outages, np.array(rows).reshape(len(rows), len(draws.outage))


@dataclass(frozen=True)
class Posterior:
    """Weighted draws of the parameters given pairs, and the log likelihood of each outage's (groups, n)."""

    draws: Draws
    log_weight: Array
    outages: tuple[str, ...]
    values: Array

    def weights(self, without: Collection[str] = ()) -> Array:
        """Weights that sum to one, with some outages left out."""
        out = [i for i, outage in enumerate(self.outages) if outage in without]
        log_weight = self.log_weight - self.values[out].sum(axis=0)
        weights: Array = np.exp(log_weight - logsumexp(log_weight))
        return weights

    def effective(self, without: Collection[str] = ()) -> float:
        """Kish's effective number of draws."""
        return float(1 / (self.weights(without) ** 2).sum())


def posterior(used: pd.DataFrame) -> Posterior:
    """Posterior given pairs.

    Raises
    ------
    helpers.sampling.ConvergenceError
        If too few of the draws count, in every one of ROUNDS rounds.
    """
    tables = [_table(pair) for _, pair in used.iterrows()]
    rng = np.random.default_rng(SEED)
    z, proposed = _prior(), _log_normal(_prior())
    for _ in range(ROUNDS):
        draws = unpack(z)
        outages, values = log_likelihood(used, draws, tables)
        made = Posterior(draws, values.sum(axis=0) + _log_normal(z) - proposed, tuple(outages), values)
        if made.effective() >= ENOUGH:
            return made
        z, proposed = _nearer(z, made.log_weight, rng)
    raise ConvergenceError(f"{made.effective():.0f} effective draws of at least {ENOUGH} wanted for the claimants")


def _log_normal(z: Array) -> Array:
    density: Array = norm.logpdf(z).sum(axis=1)
    return density


def _nearer(z: Array, log_weight: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw from where the weights are: a t distribution of their mean and covariance, and a share of the prior.

    Population Monte Carlo (Cappe, Guillin, Marin and Robert 2004). Weights that rest on a few draws are flattened
    first, so that the shape of the cloud is known.
    """
    power = 1.0
    while (weights := np.exp(power * (log_weight - log_weight.max()))).sum() ** 2 < FLATTENED * (weights**2).sum():
        power *= 0.8
    weights /= weights.sum()
    mean = weights @ z
    spread = (weights[:, None] * (z - mean)).T @ (z - mean) + 0.02 * np.eye(DIMENSIONS)
    near = multivariate_t(mean, spread, df=DEGREES)
    drawn = near.rvs(DRAWS, random_state=rng)
    prior = rng.random(DRAWS) < DEFENSIVE
    drawn[prior] = rng.standard_normal((int(prior.sum()), DIMENSIONS))
    density = np.logaddexp(np.log(1 - DEFENSIVE) + near.logpdf(drawn), np.log(DEFENSIVE) + _log_normal(drawn))
    return drawn, density


def quantiles(values: Array, weights: Array, level: float) -> tuple[float, float, float]:
    """Low end, median and high end of weighted draws."""
    order = np.argsort(values)
    low, median, high = np.interp(
        [(1 - level) / 2, 0.5, (1 + level) / 2], np.cumsum(weights[order]) - weights[order] / 2, values[order]
    )
    return float(low), float(median), float(high)
