"""Any valid series gives an answer or a named reason; bench/never_an_exception.py asks 10,000 times."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings

BENCH = Path(__file__).parents[1] / "bench"
sys.path.append(str(BENCH))
odd_series = import_module("odd_series")


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(odd_series.odd_series(long=200))
def test_gives_an_answer_or_a_named_reason(odd):
    told = odd_series.outcome(odd)
    assert told == "measured" or told.startswith("refused: "), odd


def test_the_committed_table_has_ten_thousand_and_no_failure():
    table = pd.read_csv(BENCH / "never_an_exception.csv", index_col="series")
    assert set(table.index) == {*odd_series.KINDS, "all"}
    assert table.loc["all"].sum() == 10_000
    assert table.loc["all", "failed"] == 0
    assert table.loc["all", "measured"] > 3_000
