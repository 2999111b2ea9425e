"""The residual checks say in words what is wrong, and nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.measured.checks import checks
from helpers.measured.expected import measure
from helpers.measured.window import Window

N = 300


def said(log: np.ndarray, noise: np.ndarray | float = 0.0, seed: int = 0, freq: str = "D") -> str:
    """Return the faults of a series with this log mean, before an outage at its end."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2025-01-06", periods=len(log), freq=freq, tz="UTC")
    counts = pd.Series(rng.poisson(np.exp(log + noise * rng.normal(size=len(log)))).astype(float), index)
    start = index[-14]
    found = measure(counts, Window(start, start + pd.Timedelta(hours=2)))
    return " ".join(checks(found).faults)


def test_a_good_fit_has_no_faults():
    quiet = [said(np.full(N, 8.0), 0.03, seed) for seed in range(10)]
    assert sum(bool(text) for text in quiet) <= 1


def test_noise_that_grows_is_named():
    growing = np.where(np.arange(N) > 2 * N / 3, 0.12, 0.02)
    assert "noise is more than it was" in said(np.full(N, 9.0), growing)


def test_wild_steps_are_named():
    rng = np.random.default_rng(3)
    wild = 0.03 * rng.standard_t(2.2, N)
    assert "excess kurtosis" in said(8 + wild)


def test_a_rhythm_that_is_left_is_named():
    # Fridays are twice as busy in odd weeks only: no weekly rhythm can take that out.
    t = np.arange(N)
    odd = 0.5 * ((t % 7 == 4) & (t // 7 % 2 == 1))
    text = said(8 + odd, 0.02)
    assert "move together" in text or "depend on the weekday" in text or "stray further" in text


def test_short_past_says_that_nothing_tested_the_width():
    rng = np.random.default_rng(0)
    index = pd.date_range("2025-01-06", periods=16 + 28, freq="D", tz="UTC")
    counts = pd.Series(rng.poisson(500.0, 44).astype(float), index)
    start = index[16]
    found = measure(counts, Window(start, start + pd.Timedelta(hours=2)), horizon=pd.Timedelta(days=28))
    assert len(found.placebos.table) == 0
    assert "no room for placebo dates" in " ".join(checks(found).faults)


def test_residuals_are_standardised_and_missing_where_nothing_was_learnt():
    rng = np.random.default_rng(1)
    index = pd.date_range("2025-01-06", periods=N, freq="D", tz="UTC")
    counts = pd.Series(rng.poisson(500.0, N).astype(float), index)
    counts.iloc[40:45] = np.nan
    start = index[-14]
    found = checks(measure(counts, Window(start, start + pd.Timedelta(hours=2))))
    assert found.residuals.iloc[40:45].isna().all()
    assert abs(found.residuals.std() - 1) < 0.02
    assert len(found.autocorrelation) > 5
    assert 0 < found.bound < 0.3
