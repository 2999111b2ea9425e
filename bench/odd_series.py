"""Series that a measurement must survive: zeros, constants, spikes, huge and tiny counts, holes, clock changes.

A hypothesis strategy over a few numbers each; the counts are then drawn by numpy from a seed, so that a failure is
small to write down and `Odd(...)` alone makes it again. All are valid input of `helpers.measured.expected.measure`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers.measured.expected import Measurement, measure
from helpers.measured.window import CannotTell, Window

Array = NDArray[np.float64]
#: Steps that people have, and three that no week is a multiple of.
STEPS = ("1min", "5min", "1h", "6h", "1D", "7D", "7min", "7h", "36h")
#: Length that only the finest steps have, so that a rhythm of the day is seen.
LONG = 2200


@dataclass(frozen=True)
class Odd:
    """Everything that makes one series and the question asked of it.

    Attributes
    ----------
    kind : one of `KINDS`.
    step, length : step, and number of steps.
    log_size : decimal logarithm of the usual count.
    seed : of the counts.
    holes : share of steps missing at random; a hole of `hole` steps besides, from `hole_at` (share of the length).
    begins : when the series starts, hours after 2024-03-01 UTC, four weeks of them: clock changes lie within.
    at : start of the outage, as a share of the length; beyond 0 and 1 it lies outside.
    between : whether the outage starts within a step and not with it.
    surge : factor on the counts after the start.
    horizon : steps, or None for the usual one.
    controls : how many there are, from a good one to one that is zero, and whether they have a hole.
    exclude, known : windows left out, windows with a name, evenly spread.
    anticipation : steps.
    level : of the intervals.
    fractional : whether the values are read as measures; they are then spread by `unit`.
    """

    kind: str
    step: str
    length: int
    log_size: float
    seed: int
    holes: float = 0.0
    hole: int = 0
    hole_at: float = 0.5
    begins: int = 0
    at: float = 0.7
    between: bool = False
    surge: float = 1.0
    horizon: int | None = None
    controls: int = 0
    holed: bool = False
    exclude: int = 0
    known: int = 0
    anticipation: int = 0
    level: float = 0.95
    fractional: bool = False
    unit: float = 1.0


def _poisson(rng: np.random.Generator, mean: Array) -> Array:
    """Poisson counts; normal ones where the generator would not go."""
    large = mean > 1e15
    return np.where(large, np.floor(mean), rng.poisson(np.where(large, 0, mean))).astype(float)


def _usual(rng: np.random.Generator, times: pd.DatetimeIndex, size: float) -> Array:
    local = times.tz_convert("America/New_York")
    hour = local.hour.to_numpy() + local.minute.to_numpy() / 60
    n = len(times)
    log = np.log(size) + 0.7 * np.cos(2 * np.pi * (hour - 15) / 24) + 0.3 * (local.day_of_week.to_numpy() < 5)
    return _poisson(rng, np.exp(log + 0.02 * np.cumsum(rng.normal(size=n)) / np.sqrt(1 + n / 100)))


def _rare(rng: np.random.Generator, n: int, base: Array, every: int) -> Array:
    return np.where(rng.integers(0, every, n) == 0, base, 0.0)


Made = Callable[[np.random.Generator, pd.DatetimeIndex, float], Array]
KINDS: dict[str, Made] = {
    "usual": _usual,
    "zeros": lambda _, times, __: np.zeros(len(times)),
    "constant": lambda _, times, size: np.full(len(times), np.round(size)),
    "one spike": lambda rng, times, size: np.eye(1, len(times), rng.integers(len(times)))[0] * np.ceil(size),
    "constant with a spike": lambda rng, times, size: 5 + np.eye(1, len(times), rng.integers(len(times)))[0] * size,
    "almost constant": lambda rng, times, size: np.round(size) + rng.integers(0, 2, len(times)),
    "rarely anything": lambda rng, times, size: _rare(rng, len(times), np.full(len(times), np.ceil(size)), 20),
    "ones and noughts": lambda rng, times, _: rng.integers(0, 2, len(times)).astype(float),
    "anything": lambda rng, times, size: np.floor(size ** rng.uniform(0, 2, len(times))),
    "grows": lambda rng, times, size: _poisson(rng, size * np.exp(np.linspace(0, rng.uniform(-12, 12), len(times)))),
    "steps": lambda rng, times, size: _poisson(
        rng, size * np.where(np.arange(len(times)) < rng.integers(len(times)), 1.0, rng.choice([1e-3, 0.1, 10, 1e3]))
    ),
    "ends in zeros": lambda rng, times, size: (
        _poisson(rng, np.full(len(times), size)) * (np.arange(len(times)) < len(times) / 2)
    ),
    "a saw": lambda _, times, size: np.round(size) * (np.arange(len(times)) % 2),
    "heavy tails": lambda rng, times, size: np.floor(size * np.exp(np.clip(rng.standard_t(1.5, len(times)), -30, 12))),
}


#: Kinds that are refused however long they are.
NOTHING = ("zeros", "constant", "one spike")


def odd_series(long: int = 490) -> st.SearchStrategy[Odd]:
    """Return the strategy: two of three of so many steps or more, enough to be measured; a third may be anything."""
    long_enough = st.builds(
        Odd,
        kind=st.sampled_from([*(kind for kind in KINDS if kind not in NOTHING), "usual", "usual"]),
        step=st.sampled_from(["1D", "1h", "6h", "7D", "7h", "36h"]),
        length=st.integers(long, long + 110),
        log_size=st.one_of(st.floats(-1, 4), st.floats(-2, 12)),
        seed=st.integers(0, 2**32 - 1),
        holes=st.sampled_from([0.0, 0.0, 0.02, 0.2]),
        begins=st.integers(0, 28 * 24),
        at=st.floats(0.7, 0.95),
        between=st.booleans(),
        surge=st.sampled_from([1.0, 0.0, 3.0, 1000.0]),
        horizon=st.one_of(st.none(), st.integers(1, 200)),
        controls=st.sampled_from([0, 0, 0, 1, 2, 3]),
        exclude=st.integers(0, 3),
        known=st.integers(0, 4),
        anticipation=st.sampled_from([0, 0, 0, 1, 20]),
        level=st.sampled_from([0.95, 0.8, 0.999]),
        fractional=st.sampled_from([False, False, True]),
        unit=st.sampled_from([1.0, 1e-9, 1e6]),
    )
    anything = st.builds(
        Odd,
        kind=st.sampled_from(list(KINDS)),
        step=st.sampled_from(STEPS),
        length=st.integers(3, 600),
        log_size=st.floats(-2, 12),
        seed=st.integers(0, 2**32 - 1),
        holes=st.sampled_from([0.0, 0.0, 0.3, 0.6, 0.97]),
        hole=st.sampled_from([0, 0, 1, 5, 30, 200]),
        hole_at=st.floats(0, 1),
        begins=st.integers(0, 28 * 24),
        at=st.floats(-0.02, 1.02),
        between=st.booleans(),
        surge=st.sampled_from([1.0, 0.0, 3.0, 1000.0]),
        horizon=st.one_of(st.none(), st.integers(1, 700)),
        controls=st.sampled_from([0, 0, 1, 2, 3]),
        holed=st.booleans(),
        exclude=st.integers(0, 3),
        known=st.integers(0, 4),
        anticipation=st.sampled_from([0, 0, 1, 3, 50]),
        level=st.sampled_from([0.95, 0.5, 0.999]),
        fractional=st.booleans(),
        unit=st.sampled_from([1.0, 1e-9, 1e6]),
    )
    return st.one_of(long_enough, long_enough, anything)


def made(odd: Odd) -> tuple[pd.Series, Window, dict[str, Any]]:
    """Return the counts, the outage and the options of `measure`."""
    rng = np.random.default_rng(odd.seed)
    step = pd.Timedelta(odd.step)
    length = odd.length + LONG if odd.step in ("1min", "5min") and odd.seed % 10 == 0 else odd.length
    first = pd.Timestamp("2024-03-01", tz="UTC") + pd.Timedelta(hours=odd.begins)
    times = pd.date_range(first, periods=length, freq=step)
    counts = KINDS[odd.kind](rng, times, 10**odd.log_size)
    start = first + (round(odd.at * length) + 0.4 * odd.between) * step
    counts = np.floor(counts * np.where(times >= start, odd.surge, 1.0))
    if odd.fractional:
        counts = counts * odd.unit
    counts[rng.random(length) < odd.holes] = np.nan
    hole = int(odd.hole_at * length)
    counts[hole : hole + odd.hole] = np.nan
    options: dict[str, Any] = {
        "horizon": None if odd.horizon is None else odd.horizon * step,
        "exclude": _windows(times, step, odd.exclude, 5),
        "known": _windows(times, step, odd.known, 2, "holiday"),
        "anticipation": odd.anticipation * step,
        "level": odd.level,
        "fractional": odd.fractional,
    }
    if odd.controls:
        options["controls"] = _controls(rng, times, counts, odd)
    return pd.Series(counts, times), Window(start, start + 2.5 * step), options


def _windows(times: pd.DatetimeIndex, step: pd.Timedelta, count: int, steps: int, name: str = "") -> list[Window]:
    places = np.linspace(0, len(times) - 1, count + 2).astype(int)[1:-1]
    return [Window(times[place], times[place] + steps * step, name) for place in places]


def _controls(rng: np.random.Generator, times: pd.DatetimeIndex, counts: Array, odd: Odd) -> pd.DataFrame:
    good = np.nan_to_num(counts) * rng.lognormal(0, 0.05, len(times))
    columns = {"good": good, "zero": np.zeros(len(times)), "huge": rng.uniform(0, 1e15, len(times))}
    controls = pd.DataFrame(columns, times).iloc[:, : odd.controls]
    if odd.holed:
        controls.iloc[rng.integers(len(times)), 0] = np.nan
    return controls


def faults(told: Measurement) -> list[str]:
    """Return what is wrong with an answer; every one must be in order, finite and agree with itself."""
    wrong = []
    for name in ("extra", "expected_total", "relative"):
        estimate = getattr(told, name)
        if not (np.isfinite(estimate).all() and estimate.low <= estimate.median <= estimate.high):
            wrong.append(f"{name}: {estimate}")
    if not (0 <= told.p <= 1 and np.isfinite(told.z) and told.effective_freedom > 0):
        wrong.append(f"p {told.p}, z {told.z}, freedom {told.effective_freedom}")
    if (told.p < 1 - told.level) != (told.extra.low > 0 or told.extra.high < 0):
        wrong.append(f"p {told.p} beside {told.extra}")
    path, gap = told.path, told.gap
    seen = np.isfinite(path["observed"].to_numpy()[-len(gap) :])
    if not np.isfinite(path[["expected", "low", "high"]].to_numpy()).all() or (path["low"] > path["high"]).any():
        wrong.append("path")
    if not np.isfinite(gap.loc[seen].to_numpy()).all():
        wrong.append(f"gap: {list(gap.columns[~np.isfinite(gap.loc[seen]).all()])}")
    # The median of the last running sum is that of the total: the same people, counted once.
    rounding = 1e-9 * (told.observed_total + told.expected_total.high)
    if seen.any() and not np.isclose(gap["cumulative"].iloc[-1], told.extra.median, rtol=1e-6, atol=rounding):
        wrong.append(f"cumulative ends at {gap['cumulative'].iloc[-1]}, extra is {told.extra.median}")
    return wrong


def outcome(odd: Odd) -> str:
    """Measure one, warnings being errors: "measured", the code of a refusal, or what went wrong."""
    counts, window, options = made(odd)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            wrong = faults(measure(counts, window, **options))
        except CannotTell as refused:
            return f"refused: {refused.code}"
        except Exception as error:  # this is what is being counted
            return f"{type(error).__name__}: {error}"
    return f"unsound: {'; '.join(wrong)}" if wrong else "measured"
