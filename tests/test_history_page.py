"""What the page about the outage history says and shows: words, tables and marks made from its statistics."""

import pandas as pd
import pytest
from histories import fed, steady, tables

from helpers.evidence import load
from helpers.incidence import history_story as story
from helpers.incidence import history_tables as shown
from helpers.incidence import history_view as view
from helpers.incidence.backtest import HOURS, OUTAGES, Backtest, backtest
from helpers.incidence.durations import survival
from helpers.incidence.forecast import forecast
from helpers.incidence.gaps import gaps
from helpers.incidence.history import select
from helpers.incidence.rates import trend

WEEKS = [str(d.date()) for d in pd.date_range("2016-02-01", "2019-06-01", freq="5D")]


def answer(history):
    tested = backtest(history)
    return " ".join(
        story.answer(history, trend(history), forecast(history), survival(history), tested, 0.95).paragraphs
    )


class TestAnswer:
    def test_names_the_day_after_which_it_predicts(self):
        said = answer(select(tables(steady(range(2010, 2016), 2)), ["a"]))
        assert "The 12 months after 1 October 2015, where the evidence ends, are expected to bring A 0 to" in said
        assert "next 12 months" not in said

    def test_a_day_asked_for_is_not_where_the_evidence_ends(self):
        said = answer(select(tables(steady(range(2010, 2016), 2)), ["a"], until="2014-01-01"))
        assert "The 12 months after 31 December 2013 are expected" in said

    def test_records_that_end_on_different_days(self):
        history = select(tables([*steady(range(2010, 2016), 2), *fed(WEEKS)]), ["a", "f"])
        said = answer(history)
        assert "after each record ends" in said
        assert "(after 1 October 2015)" in said
        assert "(after 31 May 2019)" in said
        assert "F: counted from an imported record of incidents; A: from the press" in said

    def test_nothing_collected(self):
        evidence = tables(steady(range(2010, 2016), 2), more=("b",))
        assert "B: nothing collected, so nothing can be predicted." in answer(select(evidence, ["a", "b"]))
        alone = answer(select(evidence, ["b"]))
        assert alone == (
            "The evidence holds no outage of these services in this time. "
            "B: nothing collected, so nothing can be predicted."
        )

    @pytest.mark.parametrize(
        ("days", "words"), [(["2020-01-01", "2020-02-05"], "5 weeks"), (["2020-01-01", "2020-05-10"], "4 months")]
    )
    def test_too_short_a_watch(self, days, words):
        said = answer(select(tables(fed(days)), ["f"]))
        assert f"F: watched for {words}: too short to predict a year." in said
        assert "expected to bring" not in said

    def test_says_where_not_to_trust_it(self):
        history = select(tables(steady(range(2010, 2016), 2)), ["a"])
        rows = [{"name": "A", "quantity": HOURS, "hit_80": i < 1, "probability_80": 0.8} for i in range(5)]
        rows += [{"name": "A", "quantity": OUTAGES, "hit_80": True, "probability_80": 0.8}] * 5
        said = story.doubts(Backtest(pd.DataFrame(rows), pd.DataFrame()), forecast(history))
        assert said == [
            "A: predicting past years from those before, the 80% interval for hours down held in 1 of 5. "
            "The hours expected are not to be trusted."
        ]
        assert not story.doubts(backtest(history), forecast(history))

    def test_thousands(self):
        days = pd.date_range("2014-01-01", "2019-12-31", freq="D")
        history = select(tables(fed([str(d.date()) for d in days])), ["f"])
        assert "2,191 published outages: F 2,190 in 6.0 years." in answer(history)
        assert "2,191" in shown.events(history, tables(fed([str(d.date()) for d in days]))).caption
        assert gaps(history).sentences[1].startswith("Of 2,191 outages")


class TestTimeLine:
    def test_longest_is_that_of_the_whole_group(self):
        known = load()
        assert "Facebook, Instagram and WhatsApp, 13 March 2019" in story.shown_timeline(select(known, ["whatsapp"]))

    def test_length_from_the_edges_is_a_length(self):
        known = load()
        history = select(known, ["whatsapp"])
        marks = {mark.start: mark for mark in view.lanes(history)[0].incidents}
        assert marks[pd.Timestamp("2025-04-12T11:50", tz="UTC")].hours == pytest.approx(19 / 6)
        rows = shown.events(history, known)
        lengths = {row[1]: row[3] for row in rows.cells}
        assert lengths["12 Apr 2025"] == "3.2 hours"
        assert "data/outages.csv" in rows.caption

    def test_a_service_not_watched_in_the_span_has_a_lane(self):
        history = select(tables([*steady(range(2012, 2014), 2, "f"), *fed(WEEKS)]), ["f"], until="2015-01-01")
        (lane,) = view.lanes(history)
        assert (lane.service, lane.total, lane.observed_from) == ("F", 4, None)


class TestTables:
    @pytest.mark.parametrize(
        ("event", "length"),
        [
            ({"duration_low_hours": 2, "duration_high_hours": 8}, "2 to 8 hours"),
            ({"duration_low_hours": 5}, "over 5 hours"),
            ({"duration_hours": 0.5}, "30 minutes"),
            ({}, "not published"),
            ({"incidents": 3, "end_utc": "2014-02-01", "time_precision": "month"}, "not published"),
        ],
    )
    def test_length(self, event, length):
        evidence = tables([{"start_utc": "2014-01-10T10:00Z"} | event, {"start_utc": "2015-01-01"}])
        assert shown.events(select(evidence), evidence).cells[-1][3] == length

    @pytest.mark.parametrize(
        ("event", "cause"),
        [
            ({"cause_category": "network", "cause": "a router"}, "network"),
            ({"cause": "Incident with Pages"}, "Incident with Pages"),
            ({}, "cause not published"),
            ({"cause": "Intermittent failures " * 9}, "Intermittent failures Intermittent failures Intermittent..."),
        ],
    )
    def test_cause(self, event, cause):
        evidence = tables([{"start_utc": "2014-01-10"} | event])
        assert shown.events(select(evidence), evidence).cells[0][4] == cause

    def test_expected_in_units_that_fit(self):
        made = forecast(select(tables(steady(range(2010, 2016), 2, duration_hours=0.01)), ["a"]))
        table = shown.expected(made, 0.95)
        assert table.caption.startswith("Expected in the 12 months after 1 October 2015;")
        row = dict(zip(table.columns, table.cells[0], strict=True))
        assert row["incidents so far"] == "11 in 5.5 years"
        assert row["time down, 95%"].endswith(("minutes", "seconds"))

    def test_expected_after_different_days(self):
        made = forecast(select(tables([*steady(range(2010, 2016), 2), *fed(WEEKS)]), ["a", "f"]))
        table = shown.expected(made, 0.95)
        assert [row[table.columns.index("12 months after")] for row in table.cells] == ["31 May 2019", "1 October 2015"]

    def test_misses_in_units_that_fit(self):
        events = steady(range(2010, 2015), 2) + steady(range(2015, 2016), 2, duration_hours=300.0)
        table = shown.misses(backtest(select(tables(events), ["a"], until="2016-01-01")), 0.95)
        assert "25 days" in {row[table.columns.index("happened")] for row in table.cells}
