"""Simulated panels for the tests: some series gain, the others do not."""

import numpy as np
import pandas as pd

from helpers.measured.window import Window

STEPS, BEGIN = 150, 125
DAYS = pd.date_range("2024-01-01", periods=STEPS, freq="D", tz="UTC")
OUTAGE = Window(DAYS[BEGIN], DAYS[BEGIN] + pd.Timedelta(hours=6), "it was down")
HORIZON = pd.Timedelta(days=7)
#: Every so many series gain.
GAINING = 4


def panel(series: int, seed: int = 1, least: float = 20.0, most: float = 5000.0) -> pd.DataFrame:
    """Return a long table of daily counts; every fourth series doubles, at first, after the outage."""
    random = np.random.default_rng(seed)
    week = 1 + 0.2 * np.sin(2 * np.pi * np.arange(STEPS) / 7)
    tables = []
    for number in range(series):
        mean = np.exp(random.uniform(np.log(least), np.log(most))) * week
        if number % GAINING == 0:
            mean[BEGIN:] *= 1 + 2 * 0.5 ** (np.arange(STEPS - BEGIN) / 3)
        counts = random.negative_binomial(100, 100 / (100 + mean))
        tables.append(pd.DataFrame({"series": f"country {number:03}", "time": DAYS, "count": counts}))
    return pd.concat(tables, ignore_index=True)
