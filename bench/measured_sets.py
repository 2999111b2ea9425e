"""Simulated sign-ups with known truth, harder than the shared set: one fault of real series in each.

Every series has a year of days (or as said) before an outage and 30 days after it. Counts are negative binomial around

    size (1 + growth) week[weekday] exp(drift),   drift AR(1) 0.9 with innovations of 1%,   noise of 3%,

and the surge multiplies the mean by 3 on the first day and fades with a half-life of two days. The truth is the extra
sign-ups that were really drawn. Nothing here uses the estimator's code.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
SEED = 20260404
BEFORE, AFTER = 365, 30
WEEK = np.array([1.0, 0.9, 0.6, 0.3, -0.1, -1.0, -0.95])
MULTIPLE, HALF_LIFE = 3.0, 2.0


@dataclass(frozen=True)
class Case:
    """One simulated series: counts by time (UTC), start of the outage, extra sign-ups after it, named events."""

    counts: pd.Series
    start: pd.Timestamp
    truth: float
    known: list[tuple[pd.Timestamp, pd.Timestamp, str]] = field(default_factory=list)


def ar1(rng: np.random.Generator, n: int, phi: float, sd: float) -> Array:
    """Stationary first-order autoregression."""
    shocks = rng.normal(0, sd, n)
    out = np.empty(n)
    out[0] = rng.normal(0, sd / np.sqrt(1 - phi**2))
    for t in range(1, n):
        out[t] = phi * out[t - 1] + shocks[t]
    return out


def negative_binomial(rng: np.random.Generator, mean: Array, alpha: float) -> Array:
    """Counts with variance mean + alpha mean^2."""
    return rng.poisson(rng.gamma(1 / alpha, alpha * np.maximum(mean, 1e-12))).astype(float)


def case(name: str, i: int) -> Case:
    """Return series i of a set of `SETS`."""
    rng = np.random.default_rng([SEED, list(SETS).index(name), i])
    n = BEFORE + AFTER
    t = np.arange(n)
    times = pd.date_range("2025-01-06", periods=n, freq="D", tz="UTC")
    log = np.log(20000) + np.log1p(rng.uniform(-0.05, 0.30) * t / 365) + np.log1p(0.2 * WEEK[t % 7])
    log = log + ar1(rng, n, 0.9, 0.010)
    alpha, known, missing = 0.0009, [], np.zeros(n, dtype=bool)
    if name == "a step in the past":
        log += rng.choice([-1, 1]) * rng.uniform(0.15, 0.6) * (t >= rng.integers(100, 300))
    elif name == "holidays":
        days = np.sort(np.concatenate([rng.choice(BEFORE, 10, replace=False), BEFORE + rng.choice(AFTER, 2, False)]))
        log += rng.choice([-0.5, 0.4]) * np.isin(t, days)
        known = [(times[d], times[d] + pd.Timedelta(days=1), "public holiday") for d in days]
    elif name == "heavy tails":
        log += 0.04 * rng.standard_t(3, n)
    elif name == "exponential growth":
        log += rng.uniform(1.0, 3.0) * t / 365
    elif name == "ten sign-ups a day":
        log += np.log(10 / 20000)
    elif name == "one sign-up in two days":
        log += np.log(0.5 / 20000)
    elif name == "gaps":
        missing = rng.random(n) < 0.1
        hole = rng.integers(60, BEFORE - 40)
        missing[hole : hole + 21] = True
        missing[BEFORE - 2 : BEFORE] = rng.random() < 0.5
    elif name == "drift that speeds up":
        log += rng.choice([-1, 1]) * rng.uniform(0.2, 0.7) * (t / 365) ** 2
    elif name == "a drift like a random walk":
        log += np.cumsum(rng.normal(0, 0.012, n))
    else:
        assert name == "noise that changes", name
        alpha = 0.004
        log += 0.05 * rng.normal(size=n) * (t > 180)
    mean = np.exp(log)
    fading = np.where(t >= BEFORE, 0.5 ** ((t - BEFORE) / HALF_LIFE), 0.0)
    usual = negative_binomial(rng, mean, alpha)
    extra = np.where(t >= BEFORE, negative_binomial(rng, mean * (MULTIPLE - 1) * fading, alpha), 0.0)
    counts = pd.Series(np.where(missing, np.nan, usual + extra), times)
    return Case(counts, times[BEFORE], float(extra[~missing].sum()), known)


SETS = {
    "a step in the past": "a lasting step of 15 to 60%, up or down, 65 to 265 days before the outage",
    "holidays": "ten single days of -40% or +50%, two more after the outage, given as known events",
    "heavy tails": "daily noise with Student's t of 3 degrees of freedom on the log scale, 4% a unit",
    "exponential growth": "growth by a factor of 2.7 to 20 a year",
    "ten sign-ups a day": "the same process around ten a day",
    "one sign-up in two days": "the same around half a sign-up a day: most days are zero",
    "gaps": "a tenth of the days missing, a hole of three weeks, often the last two days before the outage",
    "drift that speeds up": "growth or decline whose pace rises from nothing to 0.4 to 1.4 log units a year",
    "a drift like a random walk": "a level that never returns: 1.2% a day",
    "noise that changes": "noise that doubles half a year before the outage",
}
