"""Intervals of a count or an amount from its predictive distribution, with the probability each really holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

Array = NDArray[np.float64]

#: Beyond this the counts of a mixture are taken from draws: the steps between whole numbers no longer matter.
LARGE = 1_000
GROUPS = 400


@dataclass(frozen=True)
class Interval:
    """An interval with both ends included, and the predictive probability that it holds."""

    low: float
    high: float
    probability: float


def mixture(means: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the distribution of a Poisson count over draws of its mean: counts and their probabilities.

    Parameters
    ----------
    means : draws of the mean, (n,).
    rng : used only where the counts are large.
    """
    means = np.sort(np.asarray(means, dtype=np.float64))
    top = np.quantile(means, 0.9995)
    if top > LARGE:
        drawn, often = np.unique(rng.poisson(np.minimum(means, 1e15)), return_counts=True)
        return drawn.astype(np.float64), often / often.sum()
    count = np.arange(int(top + 8 * np.sqrt(top) + 12) + 1).astype(np.float64)
    # Neighbouring draws give nearly the same Poisson: their average stands for a group of them.
    first = np.unique(np.linspace(0, len(means), GROUPS, endpoint=False).astype(int))
    groups = np.add.reduceat(np.minimum(means, top), first) / np.diff(first, append=len(means))
    probability = np.diff(first, append=len(means)) @ poisson.pmf(count, groups[:, None])
    return count, probability / probability.sum()


def counted(count: Array, probability: Array, levels: tuple[float, ...]) -> list[Interval]:
    """Choose one interval of whole numbers for each level, the wider levels around the narrower.

    A count makes no interval of exactly 80%. An equal-tailed one always holds more than it says; of the intervals
    whose ends lie at most one count from the equal-tailed ones, this takes the one whose probability is nearest
    to the level, then the more even one. Its own probability comes with it.

    Parameters
    ----------
    count : counts in increasing order, (k,).
    probability : their probabilities, (k,).
    levels : between 0 and 1, in any order.
    """
    below = np.concatenate([[0.0], np.cumsum(probability)])
    centre = int(np.searchsorted(below[1:], 0.5))
    found: dict[float, tuple[int, int]] = {}
    inner = (centre, centre)
    for level in sorted(levels):
        tail = (1 - level) / 2
        i = min(int(np.searchsorted(below[1:], tail, side="right")), len(count) - 1)
        j = min(int(np.searchsorted(below[1:], 1 - tail)), len(count) - 1)
        best = (np.inf, np.inf, inner)
        for low in range(max(i - 1, 0), i + 3):
            for high in range(max(j - 2, 0), min(j + 2, len(count))):
                low_in, high_in = min(low, inner[0]), max(high, inner[1])
                held = below[high_in + 1] - below[low_in]
                uneven = abs(below[low_in] - (1 - below[high_in + 1]))
                best = min(best, (round(abs(held - level), 6), uneven, (low_in, high_in)))
        inner = found[level] = best[2]
    return [
        Interval(float(count[i]), float(count[j]), float(below[j + 1] - below[i]))
        for i, j in (found[level] for level in levels)
    ]


def amounts(draws: Array, level: float) -> Interval:
    """Interval of an amount that may be nothing: equal tails, or from nothing up where nothing is likely.

    Parameters
    ----------
    draws : of the amount, not negative, (n,).
    level : between 0 and 1.
    """
    tail = (1 - level) / 2
    low = float(np.quantile(draws, tail))
    if low <= 0:
        high = float(np.quantile(draws, level))
        low = 0.0
    else:
        high = float(np.quantile(draws, 1 - tail))
    return Interval(low, high, float(np.mean((draws >= low) & (draws <= high))))
