"""Hour of the day and day of the week at which outages begin, against an even spread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.incidence.history import History
from helpers.incidence.rates import check_level

Array = NDArray[np.float64]
Statistic = Callable[[NDArray[np.int64]], Array]

VERDICTS = ("uneven", "no sign of a rhythm", "too few to tell")
#: Below these the tests see nothing but the strongest rhythm; the benchmark gives their power.
LEAST_HOURS = 30
LEAST_DAYS = 35
SIMULATIONS = 9_999
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Rhythm:
    """When outages begin.

    Attributes
    ----------
    hours : 24 rows: hour (UTC), events, expected (if the hours were even), low, high (range of a single bar then).
    weekdays : 7 rows: weekday (0 is Monday), day, events, expected (by the days of the exposure), low, high.
    hour_p, weekday_p : probability of as uneven a spread by chance; NaN with too few events.
    hour_verdict, weekday_verdict : one of VERDICTS.
    hour_events, weekday_events : events used.
    hour_left_out, weekday_left_out : events whose hour or day is not published.
    """

    hours: pd.DataFrame
    weekdays: pd.DataFrame
    hour_p: float
    weekday_p: float
    hour_verdict: str
    weekday_verdict: str
    hour_events: int
    weekday_events: int
    hour_left_out: int
    weekday_left_out: int


def rhythm(history: History, level: float = 0.95, seed: int = 20140222) -> Rhythm:
    """Count beginnings by hour and weekday, each event once, and test both against an even spread.

    Hours (only where the beginning is known to the hour) are tested by the length of their mean vector on the
    circle (Rayleigh 1919; Mardia and Jupp, Directional Statistics, 2000): a rhythm of the day is smooth, and 24
    counts would dilute it. Weekdays (known to the day) are tested by Pearson's statistic against the days that
    the exposure has of each. Both p values come from the same simulated even spreads as the numbers are compared
    with (Monte Carlo test of Barnard 1963), so they hold for few events.

    Parameters
    ----------
    history : see :func:`helpers.incidence.history.select`.
    level : of the range of a bar, and of the test.
    seed : of the simulation.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.
    """
    check_level(level)
    rng = np.random.default_rng(seed)
    events = history.once
    single = events["incidents"] == 1
    timed = events.loc[single & events["precision"].isin(["minute", "hour"]), "start"]
    dated = events.loc[single & (events["precision"] != "month"), "start"]
    hours = np.bincount(timed.dt.hour, minlength=24)
    days = np.bincount(dated.dt.day_of_week, minlength=7)
    shares = _weekday_shares(history)
    hour_p = _test(hours, np.full(24, 1 / 24), _resultant, LEAST_HOURS, rng)
    weekday_p = _test(days, shares, _pearson(shares), LEAST_DAYS, rng)
    return Rhythm(
        pd.DataFrame({"hour": np.arange(24)} | _bars(hours, np.full(24, 1 / 24), level)),
        pd.DataFrame({"weekday": np.arange(7), "day": list(DAYS)} | _bars(days, shares, level)),
        hour_p,
        weekday_p,
        _verdict(hour_p, level),
        _verdict(weekday_p, level),
        int(hours.sum()),
        int(days.sum()),
        len(events) - int(hours.sum()),
        len(events) - int(days.sum()),
    )


def _weekday_shares(history: History) -> Array:
    """Share of each weekday among the days from the first exposure to the end."""
    if history.services.empty:
        return np.full(7, 1 / 7)
    first = history.services["exposure_start"].min().floor("D")
    days = pd.date_range(first, history.until, freq="D", inclusive="left")
    counts = np.bincount(days.day_of_week, minlength=7).astype("float64")
    # In less than a week some days never came: an event on them would be impossible.
    return counts / counts.sum() if (counts > 0).all() else np.full(7, 1 / 7)


def _bars(counts: NDArray[np.int64], shares: Array, level: float) -> dict[str, Array | NDArray[np.int64]]:
    from scipy.stats import binom

    total = int(counts.sum())
    low, high = (binom.ppf(q, total, shares) for q in ((1 - level) / 2, (1 + level) / 2))
    return {"events": counts, "expected": total * shares, "low": low, "high": high}


def _resultant(counts: NDArray[np.int64]) -> Array:
    """Length of the mean vector of hours on the circle, times their number: (...,) from (..., 24)."""
    angle = 2 * np.pi * np.arange(24) / 24
    length: Array = np.hypot(counts @ np.cos(angle), counts @ np.sin(angle))
    return length


def _pearson(shares: Array) -> Statistic:
    def statistic(counts: NDArray[np.int64]) -> Array:
        expected = counts.sum(axis=-1, keepdims=True) * shares
        value: Array = ((counts - expected) ** 2 / expected).sum(axis=-1)
        return value

    return statistic


def _test(
    counts: NDArray[np.int64], shares: Array, statistic: Statistic, least: int, rng: np.random.Generator
) -> float:
    """Monte Carlo p value: the data count as one of the simulations."""
    total = int(counts.sum())
    if total < least:
        return float("nan")
    even = statistic(rng.multinomial(total, shares, SIMULATIONS))
    seen = float(statistic(counts))
    return float((1 + (even >= seen - 1e-9).sum()) / (SIMULATIONS + 1))


def _verdict(p: float, level: float) -> str:
    if np.isnan(p):
        return VERDICTS[2]
    return VERDICTS[0] if p < 1 - level else VERDICTS[1]
