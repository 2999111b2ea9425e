"""How long outages last: what is known, what is censored, and the model of it."""

import numpy as np
import pytest
from histories import steady, tables
from scipy.stats import norm

from helpers.incidence import duration_model
from helpers.incidence.durations import (
    AT_LEAST,
    DATES,
    DAYS,
    MIDDLE,
    NOTHING,
    OTHERS,
    PUBLISHED,
    RUNNING,
    UNKNOWN,
    durations,
    survival,
)
from helpers.incidence.history import select

START = "2014-01-10T10:00Z"


def known_of(until="2015-01-01", **event):
    return durations(select(tables([{"start_utc": START} | event]), until=until)).iloc[0]


def lasting(hours, cause="unknown"):
    return [
        {"start_utc": f"2014-{1 + i // 28:02}-{1 + i % 28:02}", "duration_hours": h, "cause_category": cause}
        for i, h in enumerate(hours)
    ]


class TestWhatIsKnown:
    @pytest.mark.parametrize(
        ("event", "hours", "known", "why"),
        [
            ({"duration_hours": 3.8, "duration_low_hours": 2, "duration_high_hours": 4}, 3.8, True, PUBLISHED),
            ({"duration_low_hours": 2, "duration_high_hours": 8}, 4, True, MIDDLE),
            ({"end_utc": "2014-01-10T12:30Z"}, 2.5, True, DATES),
            ({"end_utc": "2014-01-10T12:00Z", "time_precision": "hour"}, 2, True, DATES),
            ({"duration_low_hours": 5}, 5, False, AT_LEAST),
            ({"end_utc": "2014-01-14T10:00Z", "time_precision": "day"}, 48, False, DAYS),
            ({"end_utc": "2014-01-11", "time_precision": "day"}, 0, False, NOTHING),
            ({"end_utc": "2014-02-01", "time_precision": "month"}, 0, False, NOTHING),
            ({}, 0, False, NOTHING),
            ({"end_utc": START}, 0, False, NOTHING),
            ({"duration_hours": 0.0}, 0, True, PUBLISHED),
        ],
    )
    def test_reason(self, event, hours, known, why):
        row = known_of(**event)
        assert (row["hours"], row["known"], row["why"]) == (pytest.approx(hours), known, why)

    def test_still_going_on_at_the_end(self):
        row = known_of(duration_hours=100.0, until="2014-01-11T10:00Z")
        assert (row["hours"], row["known"], row["why"]) == (24, False, RUNNING)

    def test_range_is_kept(self):
        row = known_of(duration_hours=3.8, duration_low_hours=2, duration_high_hours=4)
        assert (row["low"], row["high"]) == (2, 4)

    def test_each_event_once_and_no_row_of_several(self):
        events = [{"service_id": "a-b", "start_utc": START}, {"service_id": "a", "start_utc": START, "incidents": 7}]
        table = durations(select(tables(events, groups=("a-b",), more=("b",)), until="2015-01-01"))
        assert table["outage_id"].tolist() == ["e0"]
        assert table["service_id"].tolist() == ["a-b"]

    def test_none(self):
        assert durations(select(tables([], usual=[("a", "2014-01-01")]), until="2015-01-01")).empty


class TestSurvival:
    def test_kaplan_and_meier_by_hand(self):
        """Lengths 1, 2, 3+, 4: shares 3/4, 1/2, 0."""
        events = [*lasting([1, 2]), *lasting([None, 4])]
        events[2] |= {"duration_low_hours": 3}
        found = survival(select(tables(events), until="2015-01-01"))
        curve = found.curves[0]
        assert curve.hours.tolist() == [1, 2, 4]
        assert curve.share.tolist() == pytest.approx([0.75, 0.5, 0])
        assert curve.censored_at.tolist() == [3]
        assert (found.known, found.censored) == (3, 1)

    def test_band_is_log_log(self):
        curve = survival(select(tables(lasting([1, 2, 3, 4])), until="2015-01-01")).curves[0]
        share, se = 0.75, np.sqrt(0.75**2 * 1 / (4 * 3))
        theta = norm.ppf(0.975) * se / (share * np.log(share))
        assert curve.low[0] == pytest.approx(share ** np.exp(-theta))
        assert curve.high[0] == pytest.approx(share ** np.exp(theta))
        assert (curve.low <= curve.share).all()
        assert (curve.share <= curve.high).all()

    def test_unknown_ends_say_nothing(self):
        with_them = survival(select(tables([*lasting([1, 2, 3]), *lasting([None] * 9)]), until="2015-01-01"))
        alone = survival(select(tables(lasting([1, 2, 3])), until="2015-01-01"))
        assert with_them.curves[0].share.tolist() == alone.curves[0].share.tolist()
        assert with_them.censored == 9

    def test_causes_that_differ(self):
        events = [*lasting([1, 1.1, 1.2, 1.3, 1.4, 1.5], "network"), *lasting([20, 21, 22, 23, 24, 25], "fire")]
        found = survival(select(tables([*events, *lasting([3], "dns")]), until="2015-01-01"))
        assert [curve.label for curve in found.curves] == ["all", "fire", "network"]
        assert found.test_p < 0.01
        assert "differ" in found.sentence

    def test_causes_that_do_not(self):
        events = [*lasting([1, 3, 5, 7, 9, 2], "network"), *lasting([2, 4, 6, 8, 1, 3, 5, 7], "fire")]
        found = survival(select(tables(events), until="2015-01-01"))
        assert found.test_p > 0.2
        assert "no clear difference" in found.sentence

    def test_rare_causes_are_taken_together(self):
        events = [*lasting([1] * 5, "network"), *lasting([2, 3, 4], "fire"), *lasting([2, 3], "dns")]
        found = survival(select(tables(events), until="2015-01-01"))
        assert [(c.label, c.known) for c in found.curves] == [("all", 10), ("network", 5), (OTHERS, 5)]

    def test_no_published_cause_is_no_group_of_causes(self):
        named = [*lasting([1, 3, 5, 7, 9, 2], "network"), *lasting([2, 4, 6, 8, 1, 3, 5, 7], "fire")]
        alone = survival(select(tables(named), until="2015-01-01"))
        found = survival(select(tables([*named, *lasting([100] * 9)]), until="2015-01-01"))
        assert [curve.label for curve in found.curves] == ["all", "fire", "network", UNKNOWN]
        assert found.test_p == alone.test_p
        assert "The 2 groups" in found.sentence
        assert "without a published cause left out" in found.sentence
        assert "left out" not in alone.sentence

    def test_few_of_no_published_cause_are_not_other_causes(self):
        events = [*lasting([1, 3, 5, 7, 9, 2], "network"), *lasting([2, 4], "fire"), *lasting([2, 3, 4])]
        found = survival(select(tables(events), until="2015-01-01"))
        assert [curve.label for curve in found.curves] == ["all", "network"]
        assert np.isnan(found.test_p)

    def test_too_few_to_compare(self):
        found = survival(select(tables(lasting([1, 2], "network")), until="2015-01-01"))
        assert np.isnan(found.test_p)
        assert "too few" in found.sentence

    @pytest.mark.parametrize("events", [[], lasting([None, None])])
    def test_no_length_at_all(self, events):
        found = survival(select(tables(events, usual=[("a", "2014-01-01")]), until="2015-01-01"))
        assert found.curves == ()
        assert found.censored == len(events)

    def test_one_length(self):
        curve = survival(select(tables(lasting([2])), until="2015-01-01")).curves[0]
        assert (curve.median, curve.share.tolist()) == (2, [0])
        assert np.isnan(curve.median_low)

    def test_identical_lengths(self):
        curve = survival(select(tables(lasting([2] * 8)), until="2015-01-01")).curves[0]
        assert (curve.hours.tolist(), curve.median) == ([2], 2)

    def test_median_interval_covers(self):
        rng = np.random.default_rng(1)
        hits = 0
        for _ in range(60):
            events = steady(range(2014, 2015), 25)
            for event, hours in zip(events, rng.lognormal(np.log(3), 1.2, 25), strict=True):
                event["duration_hours"] = hours
            curve = survival(select(tables(events), until="2015-06-01")).curves[0]
            hits += curve.median_low <= 3 <= curve.median_high
        assert hits >= 51


class TestModel:
    def test_many_lengths_give_their_own_mean(self):
        rng = np.random.default_rng(0)
        model = duration_model.fit(["a"] * 4000, rng.lognormal(0.5, 1.4, 4000), np.ones(4000, bool))
        centre, scatter = model.draws("a", 4000, rng)
        assert centre.mean() == pytest.approx(0.5, abs=0.08)
        assert centre.std() == pytest.approx(1.4 / np.sqrt(4000), rel=0.1)
        assert scatter.mean() == pytest.approx(1.4, abs=0.06)

    def test_censored_ones_count_as_longer(self):
        """Half of the lengths cut at their median: dropping them would halve the rest."""
        rng = np.random.default_rng(0)
        hours = rng.lognormal(1, 1, 600)
        cut = np.minimum(hours, np.e)
        centre, scatter = duration_model.fit(["a"] * 600, cut, hours <= np.e).draws("a", 2000, rng)
        assert centre.mean() == pytest.approx(1, abs=0.15)
        assert scatter.mean() == pytest.approx(1, abs=0.15)

    def test_few_lengths_lean_on_the_others(self):
        rng = np.random.default_rng(1)
        names = [f"s{i}" for i in range(12) for _ in range(15)] + ["few"]
        hours = np.concatenate([rng.lognormal(1, 0.8, 180), [60.0]])
        model = duration_model.fit(names, hours, np.ones(181, bool))
        few = np.exp(np.median(model.draws("few", 4000, rng)[0]))
        assert np.e < few < 10

    def test_a_new_service_is_like_the_population(self):
        rng = np.random.default_rng(1)
        names = [f"s{i}" for i in range(12) for _ in range(15)]
        model = duration_model.fit(names, rng.lognormal(1, 0.8, 180), np.ones(180, bool))
        centre = model.draws("new", 4000, rng)[0]
        assert np.median(centre) == pytest.approx(1, abs=0.15)
        assert centre.std() > model.draws("s0", 4000, rng)[0].std()

    def test_no_lengths_give_the_prior(self):
        rng = np.random.default_rng(0)
        centre, _ = duration_model.fit([], np.array([]), np.array([], bool)).draws("a", 4000, rng)
        assert np.exp(np.median(centre)) == pytest.approx(2, rel=0.15)
        assert centre.std() == pytest.approx(np.hypot(2, 0.8), rel=0.1)

    def test_nothing_known_of_an_end_changes_nothing(self):
        hours = np.array([1.0, 2.0, 4.0, 0.0, 0.0])
        model = duration_model.fit(["a"] * 5, hours, np.array([True] * 3 + [False] * 2))
        alone = duration_model.fit(["a"] * 3, hours[:3], np.ones(3, bool))
        np.testing.assert_allclose(model.weight, alone.weight)

    @pytest.mark.parametrize("hours", [[-1.0], [np.nan]])
    def test_impossible_lengths(self, hours):
        with pytest.raises(ValueError, match="zero hours or more"):
            duration_model.fit(["a"], np.array(hours), np.array([True]))
