"""Events that nobody marked are found where they are and for what they are, and none where there is none."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shared_series import series

from helpers.measured import drift, unmarked
from helpers.measured.design import WEEK, design
from helpers.measured.scan import scan
from helpers.measured.window import CannotTell

sys.path.append(str(Path(__file__).parents[1] / "bench"))
sets = import_module("measured_sets")

N = 300
DAY = pd.Timedelta(days=1)


def quiet(seed: int, n: int = N, size: float = 2000.0, noise: float = 0.03, step: str = "D") -> pd.Series:
    """Return counts with a weekly rhythm (and a daily one), a drift of 1% a step and noise; nothing happens."""
    rng = np.random.default_rng([7, seed])
    times = pd.date_range("2025-01-06", periods=n, freq=step, tz="UTC")
    log = np.log(size) + 0.2 * sets.WEEK[times.day_of_week] + sets.ar1(rng, n, 0.9, 0.01)
    log += 0.6 * np.cos(2 * np.pi * times.hour.to_numpy() / 24) * (step == "h")
    return pd.Series(sets.negative_binomial(rng, np.exp(log), noise**2), times)


def put(counts: pd.Series, kind: str, times: float, at: int) -> pd.Series:
    """Put an event into counts: so many times the usual at its beginning; a surge halves every three steps."""
    since = np.arange(len(counts)) - at
    fading = np.where(since >= 0, 0.5 ** (np.maximum(since, 0) / 3), 0.0)
    lasts = {"outlier": since == 0, "surge": fading, "step": since >= 0}[kind]
    return (counts * (1 + (times - 1) * lasts)).round()


def cleaned(counts: pd.Series) -> unmarked.Cleaned:
    used = np.isfinite(counts.to_numpy())
    columns = design(pd.DatetimeIndex(counts.index), used)
    return unmarked.clean(
        counts.to_numpy(), used, columns, drift.usual_prior(WEEK / (counts.index[1] - counts.index[0]))
    )


class TestEvents:
    @pytest.mark.parametrize("at", [40, 150, 235])
    @pytest.mark.parametrize(
        ("kind", "times"), [("outlier", 2.0), ("outlier", 0.3), ("surge", 3.0), ("surge", 20.0), ("surge", 0.2)]
    )
    def test_one_that_passes_is_found_where_it_is(self, kind, times, at):
        for seed in (1, 2):
            found = cleaned(put(quiet(seed), kind, times, at))
            assert [(event.kind, event.first) for event in found.events] == [(kind, at)]
            event = found.events[0]
            # A large surge may be taken for a lower and longer one.
            assert abs(event.size - np.log(times)) < (0.35 if times < 20 else 1.5)
            assert not found.used[at : event.last + 1].any()
            assert found.used.sum() == N - (event.last + 1 - at)
            if kind == "surge" and times > 1:
                over = at + 3 * int(np.log2((times - 1) / 0.1))  # until a tenth of the usual is left
                assert event.last >= min(over, N - 1) - 3
            assert found.early is None

    @pytest.mark.parametrize("times", [1.3, 0.6])
    @pytest.mark.parametrize("at", [100, 200])
    def test_a_step_stays_and_is_learnt_from(self, times, at):
        found = cleaned(put(quiet(3), "step", times, at))
        assert [event.kind for event in found.events] == ["step"]
        assert abs(found.events[0].first - at) <= 1
        assert found.used.all()
        assert found.design.names[-1] == f"step at {found.events[0].first}"
        assert found.fit.at().coefficients[-1] == pytest.approx(np.log(times), abs=0.06)

    def test_several_at_once(self):
        counts = put(put(put(quiet(4), "surge", 5.0, 60), "outlier", 0.4, 150), "step", 1.5, 220)
        found = cleaned(counts)
        assert [(event.kind, event.first) for event in found.events] == [("surge", 60), ("outlier", 150), ("step", 220)]

    def test_none_in_quiet_series(self):
        kinds = {
            "usual": {},
            "few": {"size": 5.0},
            "rare": {"size": 0.5},
            "noisy": {"noise": 0.3},
            "many": {"size": 1e6},
        }
        false = {name: sum(bool(cleaned(quiet(i, **kind)).events) for i in range(20)) for name, kind in kinds.items()}
        assert sum(false.values()) <= 3, false  # of 100
        hours = sum(bool(cleaned(quiet(i, 28 * 24, 100.0, step="h")).events) for i in range(10))
        assert hours <= 1

    def test_outliers_of_a_wild_series_are_what_it_is_like(self):
        for seed in range(5):
            rng = np.random.default_rng([8, seed])
            wild = (quiet(seed) * np.exp(0.1 * np.clip(rng.standard_t(1.5, N), -15, 15))).round()
            found = cleaned(wild)
            # Three of them at the most, and no more than four surges: the others stay and widen the interval.
            assert sum(event.kind == "outlier" for event in found.events) <= 3
            assert found.used.mean() > 0.9
            left, _, _ = unmarked.innovations(found.fit, found.fit.at(), wild.to_numpy(), found.used)
            assert np.abs(left).max() > 7 * np.median(np.abs(left)) / 0.6745

    def test_too_many_events_leave_nothing_to_learn_from(self):
        counts = quiet(5, n=60)
        columns = design(pd.DatetimeIndex(counts.index), np.arange(60) < 17)
        few = np.arange(60) < 17
        wild = counts.where(np.arange(60) % 20 != 8, 1e7).to_numpy()
        with pytest.raises(CannotTell, match=r"leave \d+ of 60 steps before the outage") as refused:
            unmarked.clean(wild, few, columns, drift.usual_prior(7))
        assert refused.value.code == "failed"


class TestEarly:
    @pytest.mark.parametrize("before", [1, 2, 5])
    @pytest.mark.parametrize("times", [2.0, 3.0, 20.0])
    def test_a_surge_before_its_stated_start_is_found_and_not_learnt_from(self, times, before):
        for seed in range(3):
            found = cleaned(put(quiet(seed), "surge", times, N - before))
            assert found.early == N - before
            assert not found.used[N - before :].any()
            assert found.events == ()

    @pytest.mark.parametrize("before", [1, 2, 5])
    def test_a_dip_is_an_event_but_no_beginning(self, before):
        found = cleaned(put(quiet(6), "surge", 0.2, N - before))
        assert found.early is None
        assert [event.first for event in found.events] == [N - before]

    def test_nothing_in_quiet_series(self):
        assert sum(cleaned(quiet(400 + i)).early is not None for i in range(40)) <= 1

    def test_an_hourly_surge_a_day_before(self):
        counts = put(quiet(7, 28 * 24, 100.0, step="h"), "surge", 3.0, 27 * 24)
        counts.iloc[27 * 24 :] = np.maximum(
            counts.iloc[27 * 24 :], 1.8 * quiet(7, 28 * 24, 100.0, step="h").iloc[27 * 24 :]
        )
        found = cleaned(counts)
        assert found.early is not None
        assert abs(found.early - 27 * 24) <= 1


class TestScan:
    def test_says_when_and_how_much(self):
        counts = put(put(quiet(8), "outlier", 2.5, 100), "surge", 4.0, 200)
        found = scan(counts)
        assert list(found["kind"]) == ["outlier", "surge"]
        assert list(found["start"]) == [counts.index[100], counts.index[200]]
        assert found["end"].iloc[0] == counts.index[101]
        np.testing.assert_allclose(np.log1p(found["change"]), np.log([2.5, 4.0]), atol=0.3)
        assert (found["score"] > 8).all()

    def test_tells_what_is_still_going_on_at_the_end(self):
        counts = put(quiet(9), "surge", 4.0, N - 4)
        found = scan(counts)
        assert list(found["start"]) == [counts.index[N - 4]]
        assert found["end"].iloc[0] == counts.index[-1] + DAY

    def test_lists_what_a_baseline_would_keep_and_little_that_is_chance(self):
        counts = put(quiet(10), "outlier", 1.27, 150)
        assert cleaned(counts).events == ()
        assert list(scan(counts)["start"]) == [counts.index[150]]
        assert scan(counts, unmarked.BASELINE).empty
        assert sum(len(scan(quiet(i))) for i in range(20)) <= 4

    @pytest.mark.parametrize(
        ("said", "change"),
        [
            ("all 300 counts are 0", lambda c: c * 0),
            ("all 300 counts are 4", lambda c: c * 0 + 4),
            ("0 counts are no series", lambda c: c * np.nan),
            ("1 counts are no series", lambda c: c.iloc[:1]),
            ("rhythm of the week can be learnt from 2 weeks", lambda c: c.iloc[:9]),
        ],
    )
    def test_refuses_what_has_no_usual(self, said, change):
        with pytest.raises(CannotTell, match=said):
            scan(change(quiet(11)))


class TestTaxis:
    """Trips by taxi in New York with the five events that the Numenta benchmark labels; what else is found."""

    @pytest.fixture(scope="class")
    @staticmethod
    def trips() -> pd.Series:
        table = pd.read_csv(series("nab_counts/nyc_taxi_30min.csv"))
        times = pd.DatetimeIndex(pd.to_datetime(table["timestamp"])).tz_localize("UTC")
        return pd.Series(table["value"].to_numpy(float), times)

    @pytest.mark.parametrize(
        ("step", "days"),
        [
            ("D", ["11-01", "11-27", "12-25", "01-02", "01-26"]),
            # The clocks were put back on 2 November: the hour from 01:00 has the trips of two.
            ("h", ["11-02", "11-27", "12-25", "12-31", "01-25"]),
        ],
    )
    def test_each_labelled_event_is_found_and_all_else_is_a_public_holiday(self, trips, step, days):
        found = scan(trips.resample(step).sum())
        labels = json.loads(series("nab_counts/labels.json").read_text())["windows"]["realKnownCause/nyc_taxi.csv"]
        rest = found
        for (begin, end), day in zip(labels, days, strict=True):
            within = found["start"].between(pd.Timestamp(begin, tz="UTC"), pd.Timestamp(end, tz="UTC"))
            assert found.loc[within, "start"].iloc[0].strftime("%m-%d") == day
            rest = rest[~within.reindex(rest.index)]
        # Independence Day, Labor Day, Martin Luther King Day.
        assert set(rest["start"].dt.strftime("%m-%d")) <= {"07-04", "09-01", "01-19"}
