"""One series measured, and held against the truth: what all benchmarks of measured sign-ups share."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.measured.expected import Measurement, measure
from helpers.measured.window import Window


class Result(NamedTuple):
    """Interval, p-value and cost of one measurement beside the truth."""

    truth: float
    low: float
    high: float
    low_80: float
    high_80: float
    expected: float
    p: float
    seconds: float
    early: bool
    unmarked: int


def timed(counts: pd.Series, window: Window, **options: Any) -> tuple[Measurement, float]:
    """Measure; seconds are CPU time."""
    began = time.process_time()
    found = measure(counts, window, **options)
    return found, time.process_time() - began


def beside(found: Measurement, truth: float, seconds: float) -> Result:
    """Hold a measurement against the truth, at its own level and at 80%."""
    middle = found.at_level(0.8)
    early, unmarked = found.early is not None, len(found.unmarked)
    total = found.expected_total.median
    return Result(
        truth, found.extra.low, found.extra.high, middle.low, middle.high, total, found.p, seconds, early, unmarked
    )


def result(counts: pd.Series, window: Window, truth: float, level: float = 0.95, **options: Any) -> Result:
    """Measure at a level and hold it against the truth."""
    found, seconds = timed(counts, window, level=level, **options)
    return beside(found, truth, seconds)


def interval_score(truth: NDArray[Any], low: NDArray[Any], high: NDArray[Any], level: float) -> NDArray[Any]:
    """Width plus the penalty for a miss (Gneiting and Raftery 2007, equation 43): lower is better."""
    miss = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return np.asarray(high - low + 2 / (1 - level) * miss)
