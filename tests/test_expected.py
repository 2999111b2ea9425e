"""A measured series: the truth recovered, options that do what they say, every refusal in words."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.measured import drift
from helpers.measured.expected import Measurement, measure, usual_horizon
from helpers.measured.window import CannotTell, Window

sys.path.append(str(Path(__file__).parents[1] / "bench"))
odd_series, sets = import_module("odd_series"), import_module("measured_sets")

DAY, HOUR = pd.Timedelta(days=1), pd.Timedelta(hours=1)
#: Days before the outage of the series made here, and the outage's own place.
BEFORE = 210


def days(seed: int = 0, size: float = 2000.0, before: int = BEFORE, after: int = 30, first: str = "2025-01-06"):
    """Return daily counts with a weekly rhythm, a drift of 1% a day and noise of 3%; nothing happens."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(first, periods=before + after, freq="D", tz="UTC")
    log = np.log(size) + 0.2 * sets.WEEK[times.day_of_week] + sets.ar1(rng, len(times), 0.9, 0.01)
    return pd.Series(sets.negative_binomial(rng, np.exp(log), 0.0009), times)


def outage(counts: pd.Series, at: int = BEFORE, lasts: pd.Timedelta = 4 * HOUR) -> Window:
    """Return an outage that begins with a step."""
    return Window(counts.index[at], counts.index[at] + lasts)


def surged(counts: pd.Series, at: int = BEFORE, times: float = 3.0) -> pd.Series:
    """Multiply the counts by so much, fading with a half-life of two steps."""
    since = np.arange(len(counts)) - at
    factor = 1 + np.where(since >= 0, (times - 1) * 0.5 ** (np.maximum(since, 0) / 2), 0.0)
    return (counts * factor).round()


def holds(found: Measurement, truth: float) -> bool:
    return found.extra.low <= truth <= found.extra.high


class TestTruth:
    def test_is_recovered_on_sets_with_faults(self):
        held, off = [], []
        for name in ("a step in the past", "exponential growth", "gaps", "ten sign-ups a day"):
            for i in range(500, 507):
                case = sets.case(name, i)
                found = measure(case.counts, outage(case.counts, sets.BEFORE), horizon=sets.AFTER * DAY)
                held.append(holds(found, case.truth))
                off.append(abs(found.extra.median - case.truth) / found.expected_total.median)
        assert sum(held) >= 23  # of 28 at 95%: fewer has a chance of 0.4%
        assert np.median(off) < 0.05

    def test_interval_is_for_people_who_came_so_a_surge_moves_it_but_does_not_widen_it(self):
        quiet = days(1)
        extra = surged(quiet) - quiet
        before, after = (measure(counts, outage(quiet)) for counts in (quiet, quiet + extra))
        assert after.extra.median - before.extra.median == pytest.approx(extra.sum())
        assert after.extra.high - after.extra.low == pytest.approx(before.extra.high - before.extra.low)
        assert before.p > 0.01 > after.p

    def test_parts_add_up(self):
        found = measure(surged(days(2)), outage(days(2)))
        gap, path = found.gap, found.path
        assert gap["cumulative"].iloc[-1] == pytest.approx(found.extra.median)
        assert gap["cumulative_low"].iloc[-1] == pytest.approx(found.extra.low)
        assert found.observed_total == path["observed"].iloc[BEFORE:].sum()
        assert found.observed_total - found.expected_total.median == pytest.approx(found.extra.median)
        assert found.relative.median == pytest.approx(found.extra.median / found.expected_total.median)
        np.testing.assert_allclose(gap["extra"], (path["observed"] - path["expected"]).iloc[BEFORE:])
        # Steps move together: a total is less certain than independent steps would have it.
        apart = np.sqrt(((gap["extra_high"] - gap["extra_low"]) ** 2).sum())
        assert found.extra.high - found.extra.low > 1.3 * apart
        assert found.path["used"].iloc[:BEFORE].all()
        assert not found.path["used"].iloc[BEFORE:].any()

    def test_levels_are_nested_and_agree_with_the_p_value(self):
        found = measure(surged(days(3), times=1.12), outage(days(3)))
        ends = np.array([found.at_level(level) for level in (0.5, 0.8, 0.95, 0.99)])
        assert (np.diff(ends[:, 1]) < 0).all()
        assert (np.diff(ends[:, 2]) > 0).all()
        assert found.at_level(0.95) == found.extra
        edge = found.at_level(1 - found.p)
        assert min(abs(edge.low), abs(edge.high)) < 1e-6 * found.observed_total

    def test_the_later_past_of_a_long_series_is_enough(self, monkeypatch):
        counts = surged(days(4, before=400), 400)
        whole = measure(counts, outage(counts, 400))
        monkeypatch.setattr("helpers.measured.expected.MOST_STEPS", 300)
        latest = measure(counts, outage(counts, 400))
        assert latest.path.index[0] == counts.index[100]
        assert latest.extra.median == pytest.approx(whole.extra.median, rel=0.05)


class TestOptions:
    def test_what_is_missing_is_not_zero(self):
        counts = surged(days(5))
        holed = counts.copy()
        holed.iloc[np.random.default_rng(0).choice(BEFORE, 30, replace=False)] = np.nan
        holed.iloc[BEFORE + 10 : BEFORE + 15] = np.nan
        whole, found = (measure(series, outage(counts)) for series in (counts, holed))
        there = np.isfinite(holed.to_numpy()[BEFORE:])
        assert found.expected_total.median == pytest.approx(whole.path["expected"].iloc[BEFORE:][there].sum(), rel=0.02)
        assert found.observed_total == holed.iloc[BEFORE:].sum()
        assert found.path["used"].sum() == BEFORE - 30
        assert np.ptp(found.gap["cumulative"].iloc[9:15]) == 0
        filled = measure(holed.fillna(0.0), outage(counts))
        assert filled.extra.high - filled.extra.low > 1.5 * (found.extra.high - found.extra.low)

    @pytest.mark.parametrize("how", ["marked", "unmarked"])
    def test_two_outages_in_one_series(self, how):
        counts = surged(days(6))
        both = surged(counts, 150, 20.0)
        first = Window(counts.index[150], counts.index[170], "the outage before")
        plain = measure(counts, outage(counts))
        found = measure(both, outage(counts), exclude=[first] if how == "marked" else [])
        width = plain.extra.high - plain.extra.low
        assert abs(found.extra.median - plain.extra.median) < 0.2 * width
        assert found.extra.high - found.extra.low < 1.3 * width
        assert not found.path["used"].iloc[150:155].any()
        if how == "marked":
            assert found.unmarked == ()
            assert found.path["used"].sum() == BEFORE - 20
        else:
            assert [(event.kind, event.first) for event in found.unmarked] == [("surge", 150)]

    def test_a_known_event_is_learnt_from_the_times_before(self):
        counts = days(7)
        places = [20, 60, 95, 130, 170, BEFORE + 5]
        counts.iloc[places] *= 0.5
        known = [Window(counts.index[place], counts.index[place] + DAY, "holiday") for place in places]
        never = Window(counts.index[BEFORE + 3], counts.index[BEFORE + 4], "fair")
        found = measure(counts, outage(counts), known=[*known, never])
        expected = found.path["expected"].iloc[BEFORE + 5]
        assert expected == pytest.approx(0.5 * found.path["expected"].iloc[BEFORE + 12], rel=0.06)
        assert found.gap["extra_low"].iloc[5] < 0 < found.gap["extra_high"].iloc[5]
        assert found.design.names.count("holiday") == 1
        assert "fair" not in found.design.names
        blind = measure(counts, outage(counts))
        assert blind.gap["extra_high"].iloc[5] < 0

    def test_people_who_knew_beforehand_are_not_learnt_from(self):
        counts = days(8)
        told = counts.copy()
        told.iloc[BEFORE - 3 : BEFORE] *= 1.15  # too little to be seen as a surge that began before its start
        plain, drawn, warned = (
            measure(series, outage(counts), anticipation=time)
            for series, time in ((counts, 3 * DAY), (told, 0 * DAY), (told, 3 * DAY))
        )
        assert warned.path["used"].iloc[:BEFORE].sum() == BEFORE - 3
        assert warned.extra == plain.extra
        assert drawn.extra.median < warned.extra.median

    def test_a_control_that_drifts_along_narrows_the_interval(self):
        rng = np.random.default_rng(9)
        counts = days(9)
        shared = np.exp(np.cumsum(rng.normal(0, 0.02, len(counts))))
        counts = surged((counts * shared).round())
        controls = pd.DataFrame({"rival": rng.poisson(5e4 * shared).astype(float)}, counts.index)
        alone, beside = (measure(counts, outage(counts), controls=given) for given in (None, controls))
        assert beside.extra.high - beside.extra.low < 0.6 * (alone.extra.high - alone.extra.low)
        truth = (counts - counts / (1 + 2 * 0.5 ** (np.maximum(np.arange(len(counts)) - BEFORE, 0) / 2))).iloc[BEFORE:]
        assert holds(beside, truth.sum())

    def test_controls_are_matched_by_time(self):
        counts = days(10)
        good = pd.DataFrame({"rival": days(11)})
        found = measure(counts, outage(counts), controls=good)
        shuffled = pd.concat([good.iloc[::-1], pd.DataFrame({"rival": [1.0]}, counts.index[-1:] + DAY)])
        assert measure(counts, outage(counts), controls=shuffled).extra == found.extra

    def test_a_horizon_beyond_the_data_is_noted(self):
        counts = days(12, after=5)
        found = measure(counts, outage(counts))
        assert usual_horizon(DAY) == 30 * DAY
        assert "The data end after 5 of 30 steps of the horizon." in found.notes
        assert len(found.gap) == 5
        assert not any("The data end" in note for note in measure(counts, outage(counts), horizon=5 * DAY).notes)

    def test_an_outage_within_a_step_begins_with_that_step(self):
        counts = surged(days(13))
        within = Window(counts.index[BEFORE] + 20 * HOUR, counts.index[BEFORE] + 23 * HOUR)
        assert (
            measure(counts, within, horizon=20 * DAY).extra == measure(counts, outage(counts), horizon=20 * DAY).extra
        )


class TestInvariance:
    def test_the_same_again(self):
        counts = surged(days(20))
        one, again = (measure(counts, outage(counts)) for _ in range(2))
        pd.testing.assert_frame_equal(one.path, again.path, check_exact=True)
        assert (one.extra, one.p, one.z) == (again.extra, again.p, again.z)

    @pytest.mark.parametrize("weeks", [11, -40])
    def test_shifted_by_whole_weeks_across_changes_of_the_clocks(self, weeks):
        """In UTC no hour is missing or there twice, so it makes no difference where in the year a series lies."""
        counts = surged(days(21))
        shifted = pd.Series(counts.to_numpy(), counts.index + weeks * 7 * DAY)
        one, other = (measure(series, outage(series)) for series in (counts, shifted))
        assert one.extra == other.extra
        np.testing.assert_array_equal(one.gap.to_numpy(), other.gap.to_numpy())

    @pytest.mark.parametrize("factor", [1000.0, 1e-6])
    def test_a_measure_has_no_unit(self, factor):
        counts = surged(days(22)) + 0.5
        one, other = (measure(series, outage(counts), fractional=True) for series in (counts, counts * factor))
        for name in ("extra", "expected_total"):
            np.testing.assert_allclose(np.array(getattr(one, name)) * factor, getattr(other, name), rtol=1e-6)
        np.testing.assert_allclose(one.relative, other.relative, rtol=1e-6)
        np.testing.assert_allclose(one.path["low"] * factor, other.path["low"], rtol=1e-6)
        assert one.p == pytest.approx(other.p, rel=1e-4)

    def test_large_counts_in_another_unit(self):
        """Of millions, counting noise is nothing: ten times the people are the same shares of the usual."""
        counts = surged(days(23, size=2e6))
        one, other = (measure(series, outage(counts)) for series in (counts, 10 * counts))
        np.testing.assert_allclose(one.relative, other.relative, rtol=0.02)

    def test_hours_and_their_days_tell_the_same(self):
        rng = np.random.default_rng(24)
        times = pd.date_range("2025-01-06", periods=49 * 24, freq="h", tz="UTC")
        log = (
            np.log(300) + 0.6 * np.cos(2 * np.pi * times.hour.to_numpy() / 24) + sets.ar1(rng, len(times), 0.99, 0.004)
        )
        hours = surged(pd.Series(rng.poisson(np.exp(log)).astype(float), times), 42 * 24, 5.0)
        window = Window(times[42 * 24], times[42 * 24] + 3 * HOUR)
        fine, coarse = (measure(series, window, horizon=7 * DAY) for series in (hours, hours.resample("D").sum()))
        assert fine.observed_total == coarse.observed_total
        assert abs(fine.extra.median - coarse.extra.median) < 0.02 * fine.observed_total
        assert coarse.extra.low < fine.extra.median < coarse.extra.high


class TestSteps:
    def test_weeks(self):
        rng = np.random.default_rng(30)
        times = pd.date_range("2020-01-06", periods=4 * 52, freq="7D", tz="UTC")
        season = 0.3 * np.cos(2 * np.pi * times.day_of_year.to_numpy() / 365.25)
        counts = surged(pd.Series(rng.poisson(3000 * np.exp(season)).astype(float), times), 190)
        found = measure(counts, Window(times[190], times[191]), horizon=12 * 7 * DAY)
        assert found.design.rhythms == ("year",)
        truth = (counts.iloc[190:202] - 3000 * np.exp(season[190:202])).sum()
        assert holds(found, truth)
        assert found.extra.high - found.extra.low < 0.25 * found.expected_total.median

    def test_five_minutes(self):
        rng = np.random.default_rng(31)
        times = pd.date_range("2025-01-06", periods=15 * 288, freq="5min", tz="UTC")
        hour = times.hour.to_numpy() + times.minute.to_numpy() / 60
        mean = 40 * np.exp(0.8 * np.cos(2 * np.pi * (hour - 15) / 24))
        usual = rng.poisson(mean).astype(float)
        extra = rng.poisson(
            np.where(np.arange(len(times)) >= 14 * 288, 2 * mean * 0.5 ** ((np.arange(len(times)) - 14 * 288) / 24), 0)
        )
        counts = pd.Series(usual + extra, times)
        found = measure(counts, Window(times[14 * 288], times[14 * 288 + 12]), horizon=12 * HOUR)
        assert found.design.rhythms == ("day", "week")
        assert holds(found, extra[14 * 288 : 14 * 288 + 144].sum())
        assert found.extra.low > 0

    @pytest.mark.parametrize(("step", "before", "after", "limit"), [("D", 365, 30, 0.15), ("h", 60 * 24, 7 * 24, 0.4)])
    def test_takes_no_longer_than_three_times_the_limit_of_the_benchmark(self, step, before, after, limit):
        rng = np.random.default_rng(32)
        times = pd.date_range("2025-01-06", periods=before + after, freq=step, tz="UTC")
        log = np.log(800) + 0.2 * sets.WEEK[times.day_of_week] + 0.5 * np.cos(2 * np.pi * times.hour.to_numpy() / 24)
        counts = pd.Series(rng.poisson(np.exp(log + sets.ar1(rng, len(times), 0.98, 0.006))).astype(float), times)
        seconds = []
        for _ in range(3):
            began = process_time()
            measure(counts, outage(counts, before))
            seconds.append(process_time() - began)
        assert min(seconds) < 3 * limit


class TestFaults:
    def test_a_surge_before_its_stated_start_is_named_and_counted_apart(self):
        counts = surged(days(40), BEFORE - 1)
        late = measure(counts, outage(counts))
        right = measure(counts, outage(counts, BEFORE - 1), horizon=31 * DAY)
        assert late.early == counts.index[BEFORE - 1]
        assert late.extra_early is not None
        assert late.extra_early.low > 0
        assert late.extra_early.median + late.extra.median == pytest.approx(right.extra.median, rel=0.03)
        assert measure(surged(days(40)), outage(counts)).early is None

    @pytest.mark.parametrize(
        ("code", "said", "change"),
        [
            ("too_short", "2 steps are no series", lambda c, _: c.iloc[:2]),
            ("too_short", "14 usable steps .*; trend and drift need at least 16", lambda c, t: c[t >= -14]),
            ("too_few_seasons", r"13 .* are 1.9 weeks; .* from 2 weeks on \(14 steps\)", lambda c, t: c[t >= -13]),
            ("too_broken", "only 100 of 210 steps before .* half are needed", lambda c, t: c.where(t >= -100)),
            ("too_short", "no usable count before the outage", lambda c, t: c.where(t >= 0)),
            ("all_zero", "all 210 counts before the outage are zero", lambda c, _: c * 0),
            ("all_zero", "only 2 of 210 counts .* are not zero", lambda c, t: c.where((t < -208) | (t >= 0), 0.0)),
            ("constant", "all 210 counts before the outage are 7: how much is chance", lambda c, _: c * 0 + 7),
            ("no_counts", "no count after the start of the outage", lambda c, t: c.where(t < 0)),
        ],
    )
    def test_refuses_and_says_why(self, code, said, change):
        counts = days(50)
        with pytest.raises(CannotTell, match=said) as refused:
            measure(change(counts, np.arange(len(counts)) - BEFORE), outage(counts))
        assert refused.value.code == code

    @pytest.mark.parametrize("at", ["2020-01-01", "2025-01-06", "2030-01-01"])
    def test_refuses_an_outage_outside_the_data(self, at):
        start = pd.Timestamp(at, tz="UTC")
        with pytest.raises(CannotTell, match=f"starts at {at} 00:00 UTC, outside the data") as refused:
            measure(days(51), Window(start, start + HOUR))
        assert refused.value.code == "outside"

    @pytest.mark.parametrize(
        ("place", "refused"), [(100, True), (BEFORE + 3, True), (BEFORE + 40, False), (150, False)]
    )
    def test_refuses_a_control_with_a_hole_where_it_is_needed(self, place, refused):
        counts = days(52, after=60)
        counts.iloc[150] = np.nan
        controls = pd.DataFrame({"rival": days(53, after=60)})
        controls.iloc[place] = np.nan
        if not refused:
            assert measure(counts, outage(counts), controls=controls).p > 0
            return
        with pytest.raises(
            CannotTell, match=f"control rival: no value at {counts.index[place]:%Y-%m-%d} 00:00"
        ) as told:
            measure(counts, outage(counts), controls=controls)
        assert told.value.code == "control"

    def test_says_the_constant_of_a_measure_in_its_own_unit(self):
        with pytest.raises(CannotTell, match=r"are 0\.25: "):
            measure(days(54) * 0 + 0.25, outage(days(54)), fractional=True)

    def test_refuses_where_the_algebra_fails(self, monkeypatch):
        def singular(*_: object) -> None:
            raise np.linalg.LinAlgError("3-th leading minor not positive definite")

        monkeypatch.setattr(drift, "forecast", singular)
        with pytest.raises(CannotTell, match="did not come to an end") as refused:
            measure(days(55), outage(days(55)))
        assert refused.value.code == "failed"

    def test_refuses_where_the_fit_goes_astray(self):
        """Values spread over eleven orders of magnitude have no usual level that a linearised fit could find."""
        rng = np.random.default_rng(0)
        counts = pd.Series(10 ** rng.uniform(0, 11, 240), days().index)
        with pytest.raises(CannotTell, match=r"gives .* times what was counted") as refused:
            measure(counts, outage(counts), fractional=True)
        assert refused.value.code == "failed"


class TestAgreement:
    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(
        st.integers(0, 10_000), st.sampled_from([3.0, 1e2, 1e4]), st.sampled_from([0.5, 0.8, 0.95]), st.floats(0.9, 1.1)
    )
    def test_p_is_below_just_where_the_interval_leaves_zero_out(self, seed, size, level, times):
        counts = days(seed, size, before=60)
        counts.iloc[60:] = np.round(counts.iloc[60:] * times)
        found = measure(counts, outage(counts, 60), level=level)
        assert odd_series.faults(found) == []
