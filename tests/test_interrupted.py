"""The interrupted time series regression against the published tutorial, and against what it must get right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from shared_series import series

from helpers.measured.expected import measure
from helpers.measured.interrupted import harmonics, level_change, second_opinion
from helpers.measured.window import Window


@pytest.fixture(scope="module")
def sicily() -> pd.DataFrame:
    return pd.read_csv(series("sicily_smoking_ban") / "sicily.csv")


def ban(data: pd.DataFrame, **options):
    return level_change(
        data["aces"].to_numpy(dtype=float),
        data["smokban"].to_numpy() == 1,
        offset=np.log(data["stdpop"].to_numpy()),
        **options,
    )


def columns(data: pd.DataFrame, number: int = 0) -> np.ndarray:
    trend = data["time"].to_numpy(dtype=float)[:, None]
    return np.hstack([trend, harmonics((data["month"].to_numpy() / 12) % 1, number)]) if number else trend


def test_sicily_without_season(sicily):
    found = ban(sicily, design=columns(sicily), errors="poisson")
    # Lopez Bernal and others 2017 print 0.894 (0.864 to 0.925); the low end is 0.8647.
    assert list(found) == pytest.approx([0.894, 0.864, 0.925], abs=1e-3)


def test_sicily_with_season(sicily):
    found = ban(sicily, design=columns(sicily, 2))
    assert [round(end, 3) for end in found] == [0.885, 0.839, 0.933]


def test_sicily_quasi_poisson_and_newey_west(sicily):
    quasi = ban(sicily, design=columns(sicily))
    assert quasi.low == pytest.approx(0.8392, abs=2e-4)
    assert quasi.high == pytest.approx(0.9532, abs=2e-4)
    newey = ban(sicily, design=columns(sicily, 2), errors="newey-west", lags=6)
    assert newey.low == pytest.approx(0.8502, abs=3e-3)
    assert newey.high == pytest.approx(0.9214, abs=3e-3)


def test_a_known_change_is_recovered():
    rng = np.random.default_rng(1)
    t = np.arange(200)
    counts = rng.poisson(np.exp(5 + 0.002 * t + 0.3 * (t >= 150))).astype(float)
    found = level_change(counts, t >= 150, design=t[:, None] / 200)
    assert found.low < np.exp(0.3) < found.high
    assert found.low < found.median < found.high


def test_nothing_before_or_after_is_refused():
    with pytest.raises(ValueError, match="before the event and after it"):
        level_change(np.ones(5), np.ones(5, dtype=bool))


def test_second_opinion_is_near_the_answer():
    rng = np.random.default_rng(2)
    index = pd.date_range("2025-01-06", periods=150, freq="D", tz="UTC")
    mean = 2000 * (1 + 0.2 * (index.day_of_week >= 5)) * np.where(np.arange(150) >= 136, 1.5, 1.0)
    counts = pd.Series(rng.poisson(mean).astype(float), index)
    counts.iloc[20] = np.nan
    start = index[136]
    found = measure(counts, Window(start, start + pd.Timedelta(hours=5)), horizon=pd.Timedelta(days=14))
    opinion = second_opinion(found)
    assert opinion is not None
    assert opinion.low < 1.5 < opinion.high
    assert opinion.median == pytest.approx(1 + found.relative.median, abs=0.03)
