"""Services that are watched by the press, and those whose own feed of incidents was imported."""

import pandas as pd
import pytest
from histories import fed, steady, tables

from helpers.incidence.durations import RUNNING, lengths
from helpers.incidence.exposure import ASKED, EVIDENCE, FEED, PRESS
from helpers.incidence.gaps import gaps
from helpers.incidence.history import select
from helpers.incidence.rates import yearly

DAYS = ("2020-03-10", "2020-06-01", "2021-02-03")


def day(text):
    return pd.Timestamp(text, tz="UTC")


def watch(history, service="f"):
    return history.services.set_index("service_id").loc[service]


class TestFeed:
    def test_begins_with_the_first_imported_event_whatever_was_said_before(self):
        before = {"service_id": "f", "start_utc": "2012-05-01", "kind": "policy_shock"}
        history = select(tables([before, *fed(DAYS)], usual=[("f", "2011-01-01")]))
        row = watch(history)
        assert row["exposure_start"] == day("2020-03-10T12:00")
        assert row[["incidents", "events", "regime", "closed_by"]].tolist() == [2, 3, FEED, EVIDENCE]
        assert row["opened_by"] == "e1, the first that was imported"
        assert history.events["opens"].tolist() == [True, False, False]

    @pytest.mark.parametrize(
        ("published", "end"),
        [
            ("", "2021-02-04"),
            ("2021-04", "2021-02-04"),
            ("2020-12-31", "2021-02-04"),
            ("2021-04-05", "2021-04-06"),
        ],
    )
    def test_ends_with_its_page_or_its_last_incident(self, published, end):
        history = select(tables([*fed(DAYS), {"start_utc": "2024-01-01"}], published={"feed": published}), ["f"])
        assert watch(history)["exposure_end"] == history.until == day(end)

    def test_last_incident_may_end_after_all_others_began(self):
        events = fed(DAYS)
        events[1] |= {"end_utc": "2021-08-09T10:00Z"}
        assert watch(select(tables(events)))["exposure_end"] == day("2021-08-10")

    def test_an_article_about_one_incident_does_not_lengthen_it(self):
        events = fed(DAYS)
        events[1] |= {"source_ids": "feed;article"}
        history = select(tables(events, published={"feed": "2021-02-20", "article": "2024-01-01"}))
        assert watch(history)["exposure_end"] == day("2021-02-21")

    def test_what_the_press_told_before_is_listed_and_not_counted(self):
        press = steady(range(2015, 2018), 2, "f")
        history = select(tables([*press, *fed(DAYS)]), ["f"])
        assert len(history.events) == 9
        assert history.events["counted"].tolist() == [0] * 7 + [1, 1]
        assert yearly(history)["year"].tolist() == [2020, 2021]
        said = " ".join(gaps(history).sentences)
        assert "F is watched by its own imported record of incidents, from 10 March 2020 to 3 February 2021" in said
        assert "6 of its events lie outside of it" in said

    def test_what_the_press_told_meanwhile_counts(self):
        history = select(tables([{"service_id": "f", "start_utc": "2020-07-01"}, *fed(DAYS)]), ["f"])
        assert watch(history)["incidents"] == 3

    def test_press_after_the_feed_keeps_its_length(self):
        late = {"service_id": "f", "start_utc": "2023-01-01", "duration_hours": 5.0}
        history = select(tables([*fed(DAYS), late]), ["f"])
        last = history.events.iloc[-1]
        assert (last["counted"], last["regime"]) == (0, PRESS)
        assert lengths(history.events).iloc[-1][["hours", "known"]].tolist() == [5, True]

    def test_asking_for_an_earlier_end_cuts_it(self):
        history = select(tables(fed(DAYS)), ["f"], until="2020-12-31")
        assert watch(history)[["exposure_end", "closed_by"]].tolist() == [day("2020-12-31"), ASKED]
        later = watch(select(tables(fed(DAYS)), ["f"], until="2025-01-01"))
        assert later[["exposure_end", "closed_by"]].tolist() == [day("2021-02-04"), EVIDENCE]

    def test_length_cut_at_that_end(self):
        events = fed(DAYS, duration_hours=500.0)
        row = lengths(select(tables(events), ["f"], until="2021-02-05").events).iloc[-1]
        assert (row["why"], row["known"]) == (RUNNING, False)

    @pytest.mark.parametrize("span", [{"until": "2019-01-01"}, {"since": "2022-01-01", "until": "2023-01-01"}])
    def test_a_span_that_the_feed_does_not_reach(self, span):
        history = select(tables([*steady(range(2015, 2018), 2, "f"), *fed(DAYS)]), ["f"], **span)
        assert history.services.empty
        assert history.unwatched == {"f": "F"}
        assert (history.main, history.nothing) == ((), {})

    def test_feed_of_a_group_watches_its_members(self):
        history = select(tables(fed(DAYS, "a-b"), groups=("a-b",), more=("a", "b")), ["a", "b"])
        assert watch(history, "a")["regime"] == watch(history, "b")["regime"] == FEED

    def test_nothing_but_a_feed(self):
        history = select(tables(fed(DAYS)))
        assert history.until == day("2021-02-04")
        assert history.services["service_id"].tolist() == ["f"]


class TestPress:
    def test_imported_rows_do_not_move_its_end(self):
        press = [{"start_utc": "2014-01-01"}, {"start_utc": "2015-06-01T05:00Z"}]
        history = select(tables([*press, *fed(DAYS)]), ["a"])
        assert watch(history, "a")[["exposure_end", "regime"]].tolist() == [day("2015-06-02"), PRESS]

    def test_both_end_for_themselves(self):
        history = select(tables([*steady(range(2014, 2016), 2), *fed(DAYS)]), ["a", "f"])
        ends = history.services.set_index("service_id")["exposure_end"]
        assert ends["a"] < day("2016-01-01")
        assert history.until == ends["f"] == day("2021-02-04")
        years = yearly(history).groupby("service_id")["year"].max()
        assert years.to_dict() == {"a": 2015, "f": 2021}

    def test_nothing_collected_of_these_kinds(self):
        events = [{"start_utc": "2014-01-01"}, {"service_id": "b", "start_utc": "2014-01-01", "kind": "block"}]
        history = select(tables(events, usual=[("a", "2013-01-01")]), ["b", "a"])
        assert history.nothing == {"b": "B"}
        assert history.main == ("a",)
        assert history.services["service_id"].tolist() == ["a"]
        assert select(tables(events), ["b"], kinds=["block"]).nothing == {}

    def test_collected_but_not_in_this_span_is_none_in_it(self):
        history = select(tables([{"start_utc": "2014-01-01"}]), ["a"], since="2015-01-01", until="2017-01-01")
        assert watch(history, "a")[["incidents", "exposure_years"]].tolist() == [0, 2]
        assert history.nothing == {}
