"""Any valid series gives an answer or a named reason; bench/never_an_exception.py asks 10,000 times."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from hypothesis import HealthCheck, given, settings

BENCH = Path(__file__).parents[1] / "bench"
sys.path.append(str(BENCH))
odd_series = import_module("odd_series")


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(odd_series.odd_series(long=200))
def test_gives_an_answer_or_a_named_reason(odd):
    told = odd_series.outcome(odd)
    assert told == "measured" or told.startswith("refused: "), odd
