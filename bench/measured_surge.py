"""How often the intervals of the surge hold the truth: its half-life, and the level at which things settle.

    python bench/measured_surge.py [--series N]

Writes bench/measured_surge.csv: the shared daily and hourly sets at 1.5, 3 and 20 times the usual, where the half-life
is two days and six hours and nobody stays; and a market of our own where 30% more or fewer than usual remain.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from measured_sets import WEEK, negative_binomial
from shared_sets import FOLDER, case

from helpers.measured.expected import measure
from helpers.measured.surge import surge
from helpers.measured.window import Window

HERE = Path(__file__).parent
HALF_LIVES = {"daily": 48.0, "hourly": 6.0}
OWN_HALF_LIFE, BEFORE, AFTER = 8.0, 42 * 24, 10 * 24
Found = tuple[float, float, float, float, float] | None


def fitted(counts: pd.Series, window: Window, horizon: pd.Timedelta) -> Found:
    """Return the ends of the half-life and of the settled level, and the middle of the former; None without a rise."""
    after = surge(measure(counts, window, horizon=horizon), seed=1)
    if after is None:
        return None
    half, settled = after.half_life, after.settled
    return half.low, half.high, settled.low, settled.high, half.median


def shared(kind: str, multiple: float, i: int) -> Found:
    """Fit one series of the shared sets."""
    one = case(FOLDER, kind, i, multiple)
    return fitted(one.counts, one.window, one.horizon)


def own(stays: float, i: int) -> Found:
    """Fit one hourly market in which a share of the usual stays after the surge, or is missing."""
    rng = np.random.default_rng([31, int(100 * stays) + 100, i])
    t = np.arange(BEFORE + AFTER)
    usual = 1000 * np.exp(0.5 * np.cos(2 * np.pi * (t - 15) / 24)) * (1 + 0.2 * WEEK[t // 24 % 7])
    since = t - BEFORE + 0.5
    response = np.where(since < 0, 0.0, np.where(since < 5, 1.0, 0.5 ** ((since - 5) / OWN_HALF_LIFE)))
    settling = np.where(since >= 5, 1 - response, 0.0)
    counts = negative_binomial(rng, usual * (1 + 3 * response + stays * settling), 0.002)
    times = pd.date_range("2025-01-06", periods=len(t), freq="h", tz="UTC")
    start = times[BEFORE]
    return fitted(pd.Series(counts, times), Window(start, start + pd.Timedelta(hours=5)), pd.Timedelta(hours=AFTER))


def main() -> None:
    """Measure all and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=60)
    number = parser.parse_args().series
    sets = [(f"shared {kind}", m, HALF_LIVES[kind], 0.0, partial(shared, kind, m)) for kind in HALF_LIVES
            for m in (1.5, 3.0, 20.0)]  # fmt: skip
    sets += [("own hourly", 4.0, OWN_HALF_LIFE, stays, partial(own, stays)) for stays in (0.0, 0.3, -0.3)]
    rows = []
    for name, multiple, half_life, stays, fit in sets:
        found = Parallel(n_jobs=2)(delayed(fit)(i) for i in range(number))
        ends = np.array([one for one in found if one is not None])
        held = (ends[:, 0] <= half_life) & (half_life <= ends[:, 1])
        level = (ends[:, 2] <= stays) & (stays <= ends[:, 3])
        rows.append((name, multiple, stays, number, number - len(ends), held.mean(), np.median(ends[:, 4]) / half_life,
                     np.median(ends[:, 1] / ends[:, 0]), level.mean(), np.mean(ends[:, 3] - ends[:, 2])))  # fmt: skip
        print(*rows[-1], flush=True)
    columns = ["set", "multiple", "settles_at", "n", "no_rise_found", "half_life_coverage_95", "median_over_true",
               "median_factor_between_ends", "settled_coverage_95", "settled_mean_width"]  # fmt: skip
    pd.DataFrame(rows, columns=columns).round(3).to_csv(HERE / "measured_surge.csv", index=False)


if __name__ == "__main__":
    main()
