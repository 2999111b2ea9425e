"""The next twelve months, past years predicted, and the rhythm of the day and week."""

import numpy as np
import pandas as pd
import pytest
from histories import fed, steady, tables, watched

from helpers.incidence.backtest import HOURS, OUTAGES, Backtest, backtest, poor
from helpers.incidence.forecast import NOTHING, SHORT, forecast, hours_down, parts, union
from helpers.incidence.history import select
from helpers.incidence.rates import yearly
from helpers.incidence.rhythm import rhythm


def day(text):
    return pd.Timestamp(text, tz="UTC")


class TestParts:
    def test_twelve_months_from_the_middle_of_a_year(self):
        year, middle, long = parts(day("2025-07-02T12:00"), day("2026-07-02T12:00"))
        assert year.tolist() == [2025, 2026]
        assert middle == pytest.approx([2025.75, 2026.25])
        assert long == pytest.approx([0.5, 0.5])

    def test_a_calendar_year_is_one_part(self):
        year, middle, long = parts(day("2024-01-01"), day("2025-01-01"))
        assert (year.tolist(), middle.tolist(), long.tolist()) == ([2024], [2024.5], [1])

    def test_from_a_leap_day(self):
        starts = day("2024-02-29")
        assert parts(starts, starts + pd.DateOffset(years=1))[2].sum() == pytest.approx(1, abs=0.004)


class TestHoursDown:
    def test_overlaps_count_once(self):
        begin, end = np.array([[0.0, 1.0, 1.0, 10.0]]), np.array([[4.0, 2.0, 5.0, 12.0]])
        assert union(begin, end).tolist() == [7]

    def test_union_by_counting_minutes(self):
        rng = np.random.default_rng(0)
        begin = np.sort(rng.integers(0, 500, (30, 12)), axis=1).astype(float)
        end = begin + rng.integers(0, 60, (30, 12))
        seen = [
            len({m for b, e in zip(*row, strict=True) for m in range(int(b), int(e))})
            for row in zip(begin, end, strict=True)
        ]
        assert union(begin, end).tolist() == seen

    def test_mean_of_rare_outages_is_rate_times_length(self):
        rng, n = np.random.default_rng(1), 40_000
        number, down = hours_down(np.full(n, 0.7), np.full(n, 0.5), np.full(n, 0.8), 8760.0, rng)
        assert number.mean() == pytest.approx(0.7, rel=0.03)
        assert down.mean() == pytest.approx(0.7 * np.exp(0.5 + 0.32), rel=0.05)
        assert (down[number == 0] == 0).all()

    def test_share_of_time_when_outages_overlap_all_the_time(self):
        """Poisson arrivals of mean load 2: the share of time without any is exp(-2), but for the first hours."""
        rng, n = np.random.default_rng(2), 300
        _, down = hours_down(np.full(n, 2000.0), np.full(n, 0.0), np.full(n, 0.01), 1000.0, rng)
        assert down.mean() / 1000 == pytest.approx(1 - np.exp(-2), rel=0.01)

    def test_never_more_than_the_span(self):
        rng, n = np.random.default_rng(3), 500
        _, down = hours_down(np.full(n, 5.0), np.full(n, 8.0), np.full(n, 3.0), 100.0, rng)
        assert 0 <= down.min() <= down.max() <= 100

    def test_very_many_outages_take_fewer_draws(self):
        rng = np.random.default_rng(4)
        number, down = hours_down(np.full(4000, 30_000.0), np.zeros(4000), np.ones(4000), 8760.0, rng)
        assert len(number) == len(down) == 200


class TestForecast:
    def test_steady_history(self):
        made = forecast(watched(steady(range(2010, 2020), 12), "2020-01-01"))
        row = made.counts.iloc[0]
        assert 9 <= row["median"] <= 14
        assert 5 <= row["low"] < row["low_80"] < row["high_80"] < row["high"] <= 24
        assert row["mean"] == pytest.approx(12, abs=1.5)
        assert (made.starts, made.ends) == (day("2020-01-01"), day("2021-01-01"))
        hours = made.hours.iloc[0]
        assert hours["known"] == 120
        assert hours["low"] < 12 < hours["high"]

    def test_distribution_and_draws_agree(self):
        made = forecast(watched(steady(range(2010, 2016), 3), "2016-05-01"))
        row = made.counts.iloc[0]
        assert made.pmf["probability"].sum() == pytest.approx(1)
        assert made.pmf["count"] @ made.pmf["probability"] == pytest.approx(row["mean"])
        assert made.draws["incidents"].mean() == pytest.approx(row["mean"], rel=0.07)
        inside = made.pmf["count"].between(row["low"], row["high"])
        assert made.pmf.loc[inside, "probability"].sum() == pytest.approx(row["probability"])
        assert row["none"] == pytest.approx(made.pmf["probability"].iloc[0])

    def test_same_seed_same_numbers_whatever_else_is_asked_for(self):
        events = [*steady(range(2010, 2016), 3), *steady(range(2010, 2016), 1, "b")]
        one, two = (forecast(watched(events, "2016-01-01", names)) for names in (("a",), ("b", "a")))
        two_a = two.counts[two.counts["service_id"] == "a"].reset_index(drop=True)
        pd.testing.assert_frame_equal(one.counts, two_a)
        assert two.counts["service_id"].tolist() == ["a", "b"]

    def test_no_incidents_in_ten_years(self):
        row = forecast(watched([], "2020-01-01")).counts.iloc[0]
        assert (row["low"], row["median"], row["low_80"]) == (0, 0, 0)
        assert row["high"] <= 1
        assert row["none"] > 0.9

    def test_seven_months_say_little(self):
        row = forecast(watched(steady(range(2010, 2011), 365)[:2], "2010-08-01")).counts.iloc[0]
        assert row["high"] > 3 * row["median"]

    @pytest.mark.parametrize(
        ("counted", "until", "why"),
        [
            (9, "2010-06-25", [SHORT]),
            (9, "2010-07-10", []),
            (1, "2010-12-20", [SHORT]),
            (2, "2010-12-20", []),
            (0, "2011-01-10", []),
        ],
    )
    def test_too_short_a_watch(self, counted, until, why):
        made = forecast(watched(steady(range(2010, 2011), 365)[:counted], until))
        assert made.left_out["why"].tolist() == why
        assert len(made.counts) == len(made.hours) == 1 - len(why)

    def test_nothing_collected_is_not_none_at_all(self):
        events = [*steady(range(2010, 2016), 3), {"service_id": "b", "start_utc": "2010-01-01", "kind": "policy_shock"}]
        history = select(tables(events), ["b", "a"], until="2016-01-01")
        made, tested = forecast(history), backtest(history)
        assert made.counts["service_id"].tolist() == yearly(history)["service_id"].unique().tolist() == ["a"]
        assert set(tested.table["service_id"]) == {"a"}
        assert made.left_out[["service_id", "name", "why"]].to_numpy().tolist() == [["b", "B", NOTHING]]

    def test_lengths_are_pooled_whatever_is_asked_for(self):
        """A service of long outages changes the hours of the other, and does so too where nobody asks for it."""
        lone = steady(range(2010, 2016), 1, duration_hours=None)
        evidence = tables([*lone, *steady(range(2010, 2016), 3, "b", duration_hours=30.0)])
        one, two = (select(evidence, names, until="2016-01-01") for names in (["a"], ["b", "a"]))
        for made in (forecast, backtest):
            left, right = (made(history) for history in (one, two))
            for name in ("hours", "counts", "table"):
                if hasattr(left, name):
                    other = getattr(right, name)
                    own = other[other["service_id"] == "a"].reset_index(drop=True)
                    pd.testing.assert_frame_equal(getattr(left, name), own, check_exact=True)
        alone = forecast(select(tables(lone), ["a"], until="2016-01-01"))
        assert forecast(one).hours["high_80"].iloc[0] > 2 * alone.hours["high_80"].iloc[0]

    def test_a_group_by_its_own_name_has_its_own_lengths(self):
        events = [*steady(range(2010, 2016), 3, "a-b", duration_hours=30.0), *steady(range(2010, 2016), 3, "c")]
        evidence = tables(events, groups=("a-b",), more=("a", "b"))
        both = forecast(select(evidence, ["a-b", "a"], until="2016-01-01")).hours.set_index("service_id")
        assert both.loc["a-b", "median"] == pytest.approx(both.loc["a", "median"], rel=0.2)
        alone = forecast(select(evidence, ["a"], until="2016-01-01")).hours
        assert alone["high"].iloc[0] == both.loc["a", "high"]


class TestFeeds:
    """Imported incidents beside what the press tells."""

    PRESS = (*steady(range(2010, 2016), 2), *steady(range(2010, 2016), 1, "b", duration_hours=9.0))
    FEED = fed([str(d.date()) for d in pd.date_range("2013-02-01", "2019-06-01", freq="9D")])

    def both(self, services=()):
        return (select(tables([*self.PRESS, *more], more=("f",)), services) for more in ([], self.FEED))

    @pytest.mark.parametrize("services", [["a"], ["a", "b"]])
    def test_an_import_leaves_every_number_of_the_others(self, services):
        before, after = self.both(services)
        assert before.until == after.until
        pd.testing.assert_frame_equal(before.services, after.services, check_exact=True)
        pd.testing.assert_frame_equal(before.events, after.events, check_exact=True)
        one, two = forecast(before), forecast(after)
        for name in ("counts", "hours", "pmf", "draws", "left_out"):
            pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
        pd.testing.assert_frame_equal(backtest(before).table, backtest(after).table, check_exact=True)

    def test_also_on_a_page_that_shows_the_imported_one(self):
        before, _ = self.both(["a"])
        _, after = self.both(["a", "f"])
        for name in ("counts", "hours"):
            one, two = (getattr(forecast(history), name) for history in (before, after))
            pd.testing.assert_frame_equal(one, two[two["service_id"] == "a"].reset_index(drop=True), check_exact=True)

    def test_each_service_is_predicted_from_its_own_end(self):
        _, after = self.both(["a", "f"])
        made = forecast(after)
        ends = after.services.set_index("service_id")["exposure_end"]
        assert made.counts.set_index("service_id")["starts"].to_dict() == ends.to_dict()
        assert (made.starts, made.ends) == (ends.min(), ends.max() + pd.DateOffset(years=1))
        assert ends.min() < day("2016-01-01")
        assert ends.max() > day("2019-05-20")

    def test_lengths_of_a_feed_are_not_those_of_the_press(self):
        long = [event | {"duration_hours": 500.0} for event in self.PRESS]
        short, other = (forecast(select(tables([*press, *self.FEED]), ["f"])).hours for press in (self.PRESS, long))
        pd.testing.assert_frame_equal(short, other, check_exact=True)

    def test_rise_is_carried_on_with_care(self):
        rise = forecast(watched([e for i in range(8) for e in steady(range(2010 + i, 2011 + i), 2**i)], "2018-01-01"))
        row = rise.counts.iloc[0]
        assert row["low"] < 128 < row["high"]
        assert row["median"] > 100

    def test_long_lengths_of_its_own(self):
        events = [*steady(range(2010, 2016), 3), *steady(range(2010, 2016), 3, "b", duration_hours=30.0)]
        hours = forecast(watched(events, "2016-01-01", ("a", "b"))).hours.set_index("service_id")
        assert hours.loc["b", "median"] > 10 * hours.loc["a", "median"]

    def test_no_service(self):
        made = forecast(select(tables([], usual=[("a", "2014-01-01")]), until="2015-01-01"))
        assert made.counts.empty
        assert {"low_80", "probability"} <= set(made.hours)

    @pytest.mark.parametrize("level", [0.5, 0.9])
    def test_level(self, level):
        row = forecast(watched(steady(range(2010, 2016), 30), "2016-01-01"), level).counts.iloc[0]
        assert row["probability"] == pytest.approx(max(level, row["probability"] if level < 0.8 else level), abs=0.02)
        with pytest.raises(ValueError, match="level"):
            forecast(watched([], "2016-01-01"), 1.5)


class TestBacktest:
    def test_uses_the_years_before_only(self):
        events = steady(range(2010, 2016), 3)
        calm = backtest(watched(events, "2017-01-01")).table
        storm = backtest(watched([*events, *steady(range(2016, 2017), 50)], "2017-01-01")).table
        before = ["year", "quantity", "median", "low", "high", "low_80", "high_80", "observed", "hit"]
        pd.testing.assert_frame_equal(calm.loc[calm["year"] < 2016, before], storm.loc[storm["year"] < 2016, before])
        last = storm[(storm["year"] == 2016) & (storm["quantity"] == OUTAGES)].iloc[0]
        assert (last["observed"], last["hit"]) == (50, False)
        assert last["high"] == calm[(calm["year"] == 2016) & (calm["quantity"] == OUTAGES)].iloc[0]["high"]

    def test_two_years_before_the_first_prediction(self):
        table = backtest(watched(steady(range(2010, 2016), 3), "2016-01-01")).table
        assert table.loc[table["quantity"] == OUTAGES, "year"].tolist() == [2012, 2013, 2014, 2015]
        assert table["before_years"].min() == pytest.approx(2)

    def test_part_of_a_year(self):
        table = backtest(watched(steady(range(2010, 2016), 12), "2015-01-22")).table
        last = table[(table["year"] == 2015) & (table["quantity"] == OUTAGES)].iloc[0]
        assert last["part"]
        assert last["high"] < 6

    def test_hours_only_where_every_length_is_known(self):
        events = steady(range(2010, 2016), 2)
        events[-1]["duration_hours"] = None
        table = backtest(watched(events, "2016-01-01")).table
        down = table[table["quantity"] == HOURS].set_index("year")["observed"]
        assert down.to_dict() == pytest.approx({2012: 2, 2013: 2, 2014: 2})

    def test_overlapping_outages_count_once(self):
        events = steady(range(2010, 2014), 1)
        events += [
            {"start_utc": "2014-03-01T00:00", "duration_hours": 5.0},
            {"start_utc": "2014-03-01T02:00", "duration_hours": 5.0},
        ]
        table = backtest(watched(events, "2015-01-01")).table
        assert table[(table["year"] == 2014) & (table["quantity"] == HOURS)].iloc[0]["observed"] == pytest.approx(7)

    def test_shares_add_up(self):
        found = backtest(watched(steady(range(2010, 2019), 4), "2019-01-01"))
        for row in found.shares.itertuples():
            part = found.table[found.table["quantity"] == row.quantity]
            hit = part["hit_80"] if row.level == 0.8 else part["hit"]
            assert (row.predictions, row.hits) == (len(part), hit.sum())
            assert row.low <= row.share <= row.high
            assert row.promised == pytest.approx(row.level, abs=0.1)

    @pytest.mark.parametrize(
        ("hits", "found"),
        [
            ({"A": (1, 5), "B": (9, 10)}, [("A", 1, 5)]),
            ({"A": (0, 2)}, [("A", 0, 2)]),
            ({"A": (1, 2)}, []),
            ({"A": (3, 5), "B": (7, 10)}, []),
            ({"A": (4, 8), "B": (7, 12), "C": (7, 12)}, [("", 18, 32)]),
        ],
    )
    def test_says_what_was_predicted_badly(self, hits, found):
        rows = [
            {"name": name, "quantity": HOURS, "hit_80": i < held, "probability_80": 0.8}
            for name, (held, of) in hits.items()
            for i in range(of)
        ]
        told = poor(Backtest(pd.DataFrame(rows), pd.DataFrame()))
        assert [tuple(row) for row in told[["name", "hits", "predictions"]].to_numpy()] == found

    def test_nothing_to_predict(self):
        assert poor(backtest(watched([], "2011-01-01"))).empty
        found = backtest(watched(steady(range(2010, 2011), 3), "2011-01-01"))
        assert found.table.empty
        assert found.shares["predictions"].tolist() == [0, 0, 0, 0]


class TestRhythm:
    def starting(self, hours, days=("2014-01-01",)):
        events = [{"start_utc": f"{d}T{h:02}:00Z"} for d in days for h in hours]
        return rhythm(select(tables(events, usual=[("a", "2013-01-01")]), until="2016-01-01"))

    def test_office_hours(self):
        found = self.starting([13, 14, 15, 16, 17], [f"2014-01-{d:02}" for d in range(1, 11)])
        assert found.hour_verdict == "uneven"
        assert found.hour_p < 0.001
        assert found.hours["events"].sum() == found.hour_events == 50

    def test_every_hour_alike(self):
        found = self.starting(range(24), ["2014-01-01", "2014-01-02"])
        assert found.hour_verdict == "no sign of a rhythm"
        assert found.hour_p > 0.9

    def test_too_few(self):
        found = self.starting([12] * 20)
        assert found.hour_verdict == found.weekday_verdict == "too few to tell"
        assert np.isnan(found.hour_p)

    def test_only_on_mondays(self):
        found = self.starting([3], [str(d.date()) for d in pd.date_range("2014-01-06", periods=40, freq="7D")])
        assert found.weekday_verdict == "uneven"
        assert found.weekdays.set_index("day").loc["Mon", "events"] == 40

    def test_false_alarms(self):
        """A random spread is called uneven in one of twenty: at most 7 of 40 but for one case in a thousand."""
        rng, alarms = np.random.default_rng(6), np.zeros(2)
        for _ in range(40):
            when = pd.Timestamp("2013-01-01") + pd.to_timedelta(rng.uniform(0, 364, 60), unit="D")
            events = [{"start_utc": str(moment)} for moment in when.floor("s")]
            found = rhythm(select(tables(events, usual=[("a", "2013-01-01")]), until="2014-01-01"))
            alarms += [found.hour_verdict == "uneven", found.weekday_verdict == "uneven"]
        assert (alarms <= 7).all()
        assert alarms.sum() > 0

    def test_leaves_out_what_has_no_hour_or_day(self):
        events = [
            {"start_utc": "2014-01-01T10:00Z"},
            {"start_utc": "2014-01-02", "time_precision": "day"},
            {"start_utc": "2014-02-01", "end_utc": "2014-03-01", "time_precision": "month"},
            {"start_utc": "2014-01-01", "end_utc": "2015-01-01", "incidents": 7, "time_precision": "month"},
        ]
        found = rhythm(select(tables(events), until="2015-01-01"))
        assert (found.hour_events, found.hour_left_out) == (1, 3)
        assert (found.weekday_events, found.weekday_left_out) == (2, 2)

    def test_no_events(self):
        found = rhythm(select(tables([], usual=[("a", "2014-01-01")]), until="2015-01-01"))
        assert found.hours["events"].sum() == 0
        assert found.hour_verdict == "too few to tell"
