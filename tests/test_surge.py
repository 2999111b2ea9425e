"""The surge after an outage: its half-life, its height, what stays and what was only brought forward."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.measured.expected import Measurement, measure
from helpers.measured.surge import SHAPES, Surge, surge
from helpers.measured.window import Window

HOUR = pd.Timedelta(hours=1)
BEFORE, AFTER, LASTED = 28 * 24, 10 * 24, 5


def market(seed: int, times: float, half_life: float, stays: float = 0.0, size: float = 2000.0) -> pd.Series:
    """Hourly counts with a surge that is full for five hours, then halves; afterwards a level that stays."""
    rng = np.random.default_rng(seed)
    t = np.arange(BEFORE + AFTER)
    usual = size * np.exp(0.5 * np.cos(2 * np.pi * (t - 15) / 24))
    since = t - BEFORE
    response = np.where(since < 0, 0.0, np.where(since < LASTED, 1.0, 0.5 ** ((since - LASTED + 0.5) / half_life)))
    settling = np.where(since >= LASTED, 1 - response, 0.0)
    mean = usual * (1 + (times - 1) * response + stays * settling)
    index = pd.date_range("2025-01-06", periods=len(t), freq="h", tz="UTC")
    return pd.Series(rng.poisson(rng.gamma(500, mean / 500)).astype(float), index)


def measured(counts: pd.Series) -> tuple[Measurement, Surge | None]:
    start = counts.index[BEFORE]
    found = measure(counts, Window(start, start + LASTED * HOUR), horizon=AFTER * HOUR)
    return found, surge(found, seed=3)


@pytest.fixture(scope="module")
def plain() -> tuple[Measurement, Surge]:
    found, after = measured(market(9, 4.0, 8.0))
    assert after is not None
    return found, after


def test_half_life_and_height_are_recovered(plain):
    _, after = plain
    assert after.half_life.low <= 8.0 <= after.half_life.high
    assert after.half_life.high / after.half_life.low < 2
    assert after.peak.low <= 4.0 <= after.peak.high
    assert after.shape == SHAPES[0]
    assert after.settled.low <= 0 <= after.settled.high


def test_every_interval_is_in_order(plain):
    _, after = plain
    for name in ("half_life", "peak", "peak_rate", "baseline_rate", "settled", "brought_forward", "stayed"):
        estimate = getattr(after, name)
        assert estimate.low <= estimate.median <= estimate.high, name


def test_peak_rate_is_the_height_times_the_usual_rate(plain):
    found, after = plain
    highest = found.path["observed"].max() / 3600
    assert after.peak_rate.low < highest < 1.25 * after.peak_rate.high
    usual = found.gap["ratio"].rdiv(found.path["observed"].iloc[-AFTER:].to_numpy()).mean()
    assert after.baseline_rate.median == pytest.approx(usual, rel=0.05)


@pytest.mark.parametrize("stays", [0.4, -0.3])
def test_what_stays_and_what_was_brought_forward(stays):
    _, after = measured(market(2, 6.0, 6.0, stays))
    assert after is not None
    assert after.settled.low <= stays <= after.settled.high
    assert np.sign(after.settled.low) == np.sign(after.settled.high) == np.sign(stays)
    if stays < 0:
        assert after.brought_forward.low > 0
        assert after.stayed.high == 0
    else:
        assert after.stayed.low > 0
        assert after.brought_forward.high == 0


def test_no_rise_has_no_surge():
    assert sum(measured(market(200 + seed, 1.0, 8.0))[1] is not None for seed in range(15)) <= 2
    assert measured(market(4, 0.3, 30.0))[1] is None


def test_a_surge_that_is_lost_again_is_still_a_surge():
    found, after = measured(market(2, 6.0, 6.0, -0.3))
    assert found.extra.median < 0
    assert after is not None
    assert after.peak.low > 5


def test_intervals_hold_the_half_life_as_often_as_they_say():
    held = 0
    for seed in range(20):
        _, after = measured(market(100 + seed, 3.0, 6.0))
        assert after is not None
        held += after.half_life.low <= 6.0 <= after.half_life.high
    assert held >= 17  # 95%: fewer than 17 of 20 has a chance of 0.3%


def test_small_counts_work_too():
    _, after = measured(market(5, 8.0, 8.0, size=5.0))
    assert after is not None
    assert after.half_life.low <= 8.0 <= after.half_life.high


def test_same_seed_same_numbers(plain):
    found, after = plain
    again = surge(found, seed=3)
    assert again is not None
    assert (again.half_life, again.settled) == (after.half_life, after.settled)


def test_missing_steps_are_left_out():
    counts = market(6, 4.0, 8.0)
    counts.iloc[BEFORE + 12 : BEFORE + 20] = np.nan
    _, after = measured(counts)
    assert after is not None
    assert after.half_life.low <= 8.0 <= after.half_life.high
    assert len(after.path) == (AFTER - 8) / 2  # more than 200 steps are joined two by two
