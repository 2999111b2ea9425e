"""A handful of real series at dates when nothing is known to have happened; bench/real_placebos.csv has them all."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from shared_series import FOLDER, series

sys.path.append(str(Path(__file__).parents[1] / "bench"))
real_placebos = import_module("real_placebos")


@pytest.fixture(scope="module")
def read() -> list:
    """Read the series of the benchmark, without the finest taxi trips, which take long."""
    series("nab_counts")  # skips where there is none
    sources = [
        real for real in real_placebos.read(FOLDER) if real.counts.index[1] - real.counts.index[0] >= pd.Timedelta("1h")
    ]
    first_of = {real.source: real for real in sources}
    return list(first_of.values())


def test_intervals_cover_nothing_where_nothing_happened(read):
    answers = [real_placebos.measured(real, window) for real in read for window in real_placebos.placebos(real)[::2]]
    found = [told for _, told in answers if isinstance(told, real_placebos.Result)]
    assert len(found) >= 25
    assert len(found) >= 0.9 * len(answers)
    covered = [told.low <= 0 <= told.high for told in found]
    assert sum(covered) >= 0.8 * len(found)  # of 30 at 95%: fewer has a chance of 0.1%
    # Never so wide that it says nothing: half of them are narrower than what was expected.
    widths = sorted((told.high - told.low) / told.expected for told in found)
    assert widths[len(widths) // 2] < 1


def test_no_window_holds_a_known_event(read):
    for real in read:
        for window in real_placebos.placebos(real):
            for begin, end in real.special:
                assert window.end <= pd.Timestamp(begin, tz="UTC") or window.start >= pd.Timestamp(end, tz="UTC")
