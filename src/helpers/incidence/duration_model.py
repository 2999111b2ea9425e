"""Log-normal lengths of outages, services partly pooled, censored ones included: a posterior on a grid.

The log length of an outage of service s is normal around ``m_s`` with standard deviation ``scatter``; the ``m_s``
are normal around a common centre with standard deviation ``between``. A service with few known lengths leans on
the others (Gelman and others, Bayesian Data Analysis, 3rd edition, 2013, section 5.4); one with many does not.
An outage known to have lasted longer than so many hours contributes the probability of that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

Array = NDArray[np.float64]

#: A length of nothing is taken as a minute: shorter ones are not published.
SHORTEST = 1 / 60
SCATTERS = 19
CENTRES = 31
MOST_NODES = 4_000
BETWEEN = np.array([0.1, 0.2, 0.35, 0.55, 0.8, 1.1, 1.5, 2.1])

#: Priors: the centre is a log-normal length, 95% between 2 minutes and 4 days, 2 hours in the middle; services
#: differ by a factor whose log is half normal with this scale; so do, around their centre, the outages of one.
CENTRE, CENTRE_SD = np.log(2.0), 2.0
BETWEEN_SD = 0.8
SCATTER_MEDIAN, SCATTER_SD = 1.3, 0.5


@dataclass(frozen=True)
class Lengths:
    """Posterior of the lengths of each service's outages.

    Attributes
    ----------
    services : ids that have any known or censored length; any other is like a new one.
    node : log hours, (g,).
    scatter : (k,).
    weight : posterior probability of scatter and log centre for each service, then for a new one,
        (services + 1, k, g); each sums to one.
    """

    services: tuple[str, ...]
    node: Array
    scatter: Array
    weight: Array

    def draws(self, service: str, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw log centre and scatter of a service's outages: (n,) each."""
        own = self.services.index(service) if service in self.services else len(self.services)
        ends = np.cumsum(self.weight[own].ravel())
        places = (rng.random() + np.arange(n)) / n * ends[-1]
        which = rng.permutation(np.minimum(np.searchsorted(ends, places), len(ends) - 1))
        k, g = np.unravel_index(which, self.weight[own].shape)
        step = self.node[1] - self.node[0]
        return self.node[g] + step * (rng.random(n) - 0.5), self.scatter[k]


def fit(service: list[str], hours: Array, known: NDArray[np.bool_]) -> Lengths:
    """Integrate the model on a grid.

    Parameters
    ----------
    service : id of each outage, (n,).
    hours : its length, or the time it is known to have lasted, (n,).
    known : whether it is the length, (n,).

    Raises
    ------
    ValueError
        For a length that is negative or missing.
    """
    hours, known = np.asarray(hours, dtype=np.float64), np.asarray(known, dtype=bool)
    if not (hours >= 0).all():
        raise ValueError("expected lengths of zero hours or more")
    useful = known | (hours > 0)
    names, place = np.unique(np.asarray(service, dtype=str)[useful], return_inverse=True)
    log, known = np.log(np.maximum(hours[useful], SHORTEST)), known[useful]
    size, total = np.bincount(place[known], minlength=len(names)), np.bincount(place[known], log[known], len(names))
    mean = total / np.maximum(size, 1)
    squares = np.bincount(place[known], (log[known] - mean[place[known]]) ** 2, len(names))
    scatter, prior = _scatters(size, float(squares.sum()))
    node = _nodes(log, size, scatter)
    centre = _centres(mean[size > 0], size, scatter)
    weight = np.zeros((len(names) + 1, len(scatter), len(node)))
    log_weight = np.zeros(len(scatter))
    cuts = [np.unique(log[~known & (place == i)], return_counts=True) for i in range(len(names))]
    for k, s in enumerate(scatter):
        likelihood = -0.5 * (size[:, None] * (node - mean[:, None]) ** 2 + squares[:, None]) / s**2
        likelihood -= size[:, None] * np.log(s)
        for i, cut in enumerate(cuts):
            for value, times in zip(*cut, strict=True):
                likelihood[i] += times * log_ndtr((node - value) / s)
        top = likelihood.max(axis=1)
        own = np.exp(likelihood - top[:, None])
        weight[:, k], evidence = _pooled(np.vstack([own, np.ones_like(node)]), node, centre)
        log_weight[k] = evidence + top.sum() + prior[k]
    share = np.exp(log_weight - log_weight.max())
    weight *= (share / share.sum())[:, None]
    return Lengths(tuple(str(name) for name in names), node, scatter, weight)


def _pooled(own: Array, node: Array, centre: Array) -> tuple[Array, float]:
    """Weights of each service's log centre given the others, and the log evidence of all: (services + 1, g)."""
    mid, between = (grid.ravel() for grid in np.meshgrid(centre, BETWEEN, indexing="ij"))
    normal = np.exp(-0.5 * ((node - mid[:, None]) / between[:, None]) ** 2)
    normal /= normal.sum(axis=1, keepdims=True)
    held = np.maximum(normal @ own.T, 1e-300)
    # The last row is a service without data: it adds nothing to what is known of the population.
    log = np.log(held[:, :-1]).sum(axis=1) - 0.5 * ((mid - CENTRE) / CENTRE_SD) ** 2
    log += -0.5 * (between / BETWEEN_SD) ** 2 + np.log(np.gradient(BETWEEN))[np.arange(len(mid)) % len(BETWEEN)]
    shift = log.max()
    hyper = np.exp(log - shift)
    # The grid of centres may differ in step between fits, never within one.
    evidence = float(shift + np.log(hyper.sum()))
    share = hyper / hyper.sum()
    weight: Array = own * ((share[:, None] / held).T @ normal)
    return weight / weight.sum(axis=1, keepdims=True), evidence


def _scatters(size: NDArray[np.intp], squares: float) -> tuple[Array, Array]:
    """Grid of the scatter around its estimate, wide where little is known, and its log prior."""
    free = max(float((size - 1)[size > 1].sum()), 0.0)
    guess = np.sqrt((squares + 2 * SCATTER_MEDIAN**2) / (free + 2))
    half = min(1.6, 14 / np.sqrt(2 * (free + 2)))
    log = np.log(guess) + np.linspace(-half, half, SCATTERS)
    return np.exp(log), -0.5 * ((log - np.log(SCATTER_MEDIAN)) / SCATTER_SD) ** 2


def _nodes(log: Array, size: NDArray[np.intp], scatter: Array) -> Array:
    """Grid of log hours, fine enough for the service that is known best and for the least difference."""
    low, high = (min(log.min(), 0.0), max(log.max(), 1.0)) if len(log) else (0.0, 1.0)
    finest = min(0.7 * BETWEEN[0], scatter[0] / np.sqrt(max(size.max(initial=1), 1)))
    count = int(np.clip((high - low + 8) / finest, 200, MOST_NODES))
    return np.linspace(low - 4, high + 4, count)


def _centres(mean: Array, size: NDArray[np.intp], scatter: Array) -> Array:
    """Grid of the common centre: the prior's range, or the data's where that is narrower."""
    if len(mean) == 0:
        return np.linspace(CENTRE - 4 * CENTRE_SD, CENTRE + 4 * CENTRE_SD, CENTRES)
    spread = mean.std() + 1.0 + scatter.mean() / np.sqrt(size.mean())
    half = min(6 * spread / np.sqrt(len(mean)), 6.0)
    return float(mean.mean()) + np.linspace(-half, half, CENTRES)
