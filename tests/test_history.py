"""Which events count for which service, and how long each service was watched."""

import pandas as pd
import pytest
from histories import steady, tables

from helpers.evidence import load
from helpers.incidence.exposure import decimal_year
from helpers.incidence.gaps import gaps
from helpers.incidence.history import placed, select


def spans(history):
    return history.services.set_index("service_id")


class TestExposure:
    def test_begins_with_a_usual_level_before_the_first_event(self):
        history = select(tables([{"start_utc": "2015-07-01T10:00Z"}], usual=[("a", "2014-01-01")]), until="2016-01-01")
        row = spans(history).loc["a"]
        assert row["exposure_start"] == pd.Timestamp("2014-01-01", tz="UTC")
        assert row["exposure_years"] == pytest.approx(2)
        assert row["incidents"] == 1
        assert row["opened_by"] == "a usual level"

    def test_first_mention_is_not_counted(self):
        history = select(tables([{"start_utc": "2014-01-01"}, {"start_utc": "2015-01-01"}]), until="2016-01-01")
        assert history.events["counted"].tolist() == [0, 1]
        assert history.events["opens"].tolist() == [True, False]
        assert spans(history).loc["a", ["events", "incidents", "opened_by"]].tolist() == [2, 1, "e0"]

    def test_asking_for_a_later_start_leaves_nothing_to_open(self):
        events = [{"start_utc": "2014-01-01"}, {"start_utc": "2015-06-01"}]
        history = select(tables(events), since="2015-01-01", until="2016-01-01")
        row = spans(history).loc["a"]
        assert (row["exposure_years"], row["incidents"], row["opened_by"]) == (1, 1, "the date asked for")

    def test_figure_of_the_own_outage_is_no_earlier_mention(self):
        evidence = tables(
            [{"start_utc": "2014-02-22T19:00Z"}, {"start_utc": "2016-01-01"}], figures=[("a", "e0", "2014-02-20")]
        )
        assert spans(select(evidence)).loc["a", "opened_by"] == "e0"

    def test_figure_of_another_outage_is_one(self):
        events = [{"service_id": "b", "start_utc": "2014-02-22"}, {"start_utc": "2016-01-01"}]
        history = select(tables(events, figures=[("a", "e0", "2014-02-22")]))
        assert spans(history).loc["a", "opened_by"] == "a growth figure"
        assert spans(history).loc["a", "incidents"] == 1

    def test_event_of_another_kind_opens_too(self):
        events = [{"start_utc": "2013-01-01", "kind": "policy_shock"}, {"start_utc": "2014-01-01"}]
        history = select(tables(events), until="2015-01-01")
        assert spans(history).loc["a", ["exposure_years", "incidents"]].tolist() == [2, 1]

    def test_two_events_at_one_time_lose_only_one(self):
        history = select(tables([{"start_utc": "2014-01-01"}, {"start_utc": "2014-01-01"}]), until="2015-01-01")
        assert sorted(history.events["counted"]) == [0, 1]

    def test_ends_the_day_after_the_last_thing_known(self):
        history = select(
            tables([{"start_utc": "2014-01-01T10:00Z", "end_utc": "2030-01-01"}], usual=[("a", "2013-01-01")])
        )
        assert history.until == pd.Timestamp("2014-01-02", tz="UTC")

    def test_leap_years_are_years(self):
        days = pd.Series(pd.to_datetime(["2024-01-01", "2024-02-29", "2024-07-02", "2025-01-01"], utc=True))
        assert decimal_year(days).tolist() == pytest.approx([2024, 2024 + 59 / 366, 2024.5, 2025])


class TestCounting:
    def test_row_of_several_counts_in_its_span_and_opens_it(self):
        row = {"incidents": 7, "start_utc": "2013-01-01", "end_utc": "2014-01-01", "time_precision": "month"}
        history = select(tables([row, {"start_utc": "2014-02-22"}]), until="2015-01-01")
        assert history.events["counted"].tolist() == [7, 1]
        assert spans(history).loc["a", "exposure_years"] == pytest.approx(2)

    def test_row_of_several_is_cut_at_the_ends(self):
        row = {"incidents": 4, "start_utc": "2013-01-01", "end_utc": "2014-01-01", "time_precision": "month"}
        history = select(tables([row]), since="2013-07-02", until="2015-01-01")
        assert history.events["counted"].tolist() == [2]

    def test_month_lies_in_its_middle(self):
        event = {"start_utc": "2014-06-01", "end_utc": "2014-07-01", "time_precision": "month"}
        history = select(tables([event], usual=[("a", "2014-01-01")]), until="2014-12-31")
        assert placed(history.events)["at"].tolist() == [pd.Timestamp("2014-06-16", tz="UTC")]

    def test_start_belongs_to_the_span_and_end_does_not(self):
        events = [{"start_utc": "2014-01-01"}, {"start_utc": "2015-01-01"}]
        history = select(tables(events, usual=[("a", "2013-01-01")]), since="2014-01-01", until="2015-01-01")
        assert history.events["outage_id"].tolist() == ["e0"]


class TestGroups:
    EVENTS = ({"service_id": "a-b", "start_utc": "2014-06-01"}, {"service_id": "a", "start_utc": "2015-06-01"})
    USUAL = (("a", "2014-01-01"), ("b", "2014-01-01"))

    def test_event_of_a_group_counts_for_each_member(self):
        history = select(tables(self.EVENTS, usual=self.USUAL, groups=("a-b",)), until="2016-01-01")
        assert spans(history)["incidents"].to_dict() == {"a": 2, "b": 1}
        assert history.shared == {"a-b": ("a", "b")}
        assert history.once["outage_id"].tolist() == ["e0", "e1"]

    def test_group_by_its_own_name(self):
        history = select(tables(self.EVENTS, usual=self.USUAL, groups=("a-b",)), ["a-b"], until="2016-01-01")
        assert set(history.events["service_id"]) == {"a-b"}

    def test_group_that_is_no_list_of_ids_stays_whole(self):
        events = [{"service_id": "a-apps", "start_utc": "2014-06-01"}, {"service_id": "a", "start_utc": "2014-06-01"}]
        history = select(tables(events, groups=("a-apps",)), until="2016-01-01")
        assert set(history.events["service_id"]) == {"a", "a-apps"}
        assert history.shared == {}

    def test_ids_that_have_a_dash_themselves(self):
        events = [{"service_id": "b-c-a", "start_utc": "2014-06-01"}]
        history = select(tables(events, groups=("b-c-a",), more=("a", "b-c", "b")), until="2016-01-01")
        assert history.shared == {"b-c-a": ("b-c", "a")}


class TestChoice:
    def test_services_of_their_own_line(self):
        events = [*steady(range(2014, 2020), 1), *steady(range(2014, 2017), 1, "b")]
        evidence = tables(events, usual=[("a", "2014-01-01"), ("b", "2014-01-01")])
        assert select(evidence).main == ("a",)
        assert select(evidence, ["b", "b"]).main == ("b",)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"services": ["whatsap"]}, "no service 'whatsap' in the tables"),
            ({"kinds": ["outages"]}, "did you mean 'outage'"),
            ({"since": "2015-01-01", "until": "2014-01-01"}, "since 2015-01-01 is not before until 2014-01-01"),
            ({"since": "2015-01-01", "until": "2015-01-01"}, "not before"),
            ({"since": "spring"}, "since: got 'spring'"),
            ({"until": "NaT"}, "until: got 'NaT'"),
        ],
    )
    def test_says_what_is_wrong(self, options, words):
        with pytest.raises(ValueError, match=words):
            select(tables([{"start_utc": "2014-01-01"}]), **options)

    def test_no_events_at_all(self):
        history = select(tables([], usual=[("a", "2014-01-01")]), until="2015-01-01")
        assert history.events.empty
        assert history.services.empty
        asked = select(tables([], usual=[("a", "2014-01-01")]), ["a"], until="2015-01-01")
        assert asked.services.empty
        assert (asked.nothing, asked.main) == ({"a": "A"}, ())

    def test_no_tables_and_no_end(self):
        with pytest.raises(ValueError, match="give until"):
            select(tables([]))

    def test_time_zone_is_converted(self):
        history = select(tables([{"start_utc": "2014-01-01"}]), until="2015-01-01T01:00+02:00")
        assert history.until == pd.Timestamp("2014-12-31T23:00", tz="UTC")


class TestRealTables:
    history = select(load())

    def test_seven_incidents_of_2013_count(self):
        events = self.history.events
        row = events[events["outage_id"] == "whatsapp-2013-seven-incidents"].iloc[0]
        assert row["counted"] == row["incidents"] == 7

    def test_outages_of_all_of_meta_count_for_whatsapp(self):
        events = self.history.events
        own = events[(events["outage_id"] == "facebook-2021-10-04") & (events["counted"] == 1)]
        assert set(own["service_id"]) == {"facebook", "instagram", "whatsapp"}

    def test_every_outage_once(self):
        assert len(self.history.once) == (load().outages["kind"] == "outage").sum()

    def test_incidents_add_up(self):
        events = self.history.events.groupby("service_id")["counted"].sum()
        assert events.to_dict() == spans(self.history)["incidents"].to_dict()


class TestGaps:
    def test_counts_what_is_missing(self):
        events = [
            {"start_utc": "2014-01-01", "time_precision": "day", "source_ids": "p;q"},
            {"start_utc": "2019-01-01T10:00Z", "duration_hours": 2.0},
            {"start_utc": "2019-05-01", "end_utc": "2019-06-01", "time_precision": "month", "source_ids": "q"},
        ]
        found = gaps(select(tables(events), until="2020-01-01"))
        assert (found.events, found.incidents, found.several, found.sources) == (3, 3, 0, 2)
        assert (found.no_duration, found.no_hour, found.month_only, found.uncounted) == (2, 2, 1, 1)
        assert found.by_year.to_dict("list") == {"year": [2014, 2019], "events": [1, 2], "sources": [2, 2]}
        assert found.recent_share == pytest.approx(2 / 3)
        assert "67%" in " ".join(found.sentences)

    def test_several_in_one_row_are_all_missing(self):
        year = {"start_utc": "2013-01-01", "end_utc": "2014-01-01", "time_precision": "month", "incidents": 7}
        found = gaps(
            select(tables([year, {"start_utc": "2019-01-01T10:00Z", "duration_hours": 2.0}]), until="2020-01-01")
        )
        assert (found.events, found.incidents, found.several) == (2, 8, 1)
        assert (found.no_duration, found.no_hour, found.month_only) == (7, 7, 7)
        assert found.recent_share == 1 / 8
        said = "7 of them have no date of their own and stand in 1 row of the evidence: for 8 outages it has 2 rows."
        assert said in found.sentences

    def test_nothing_to_count(self):
        found = gaps(select(tables([], usual=[("a", "2014-01-01")]), until="2015-01-01"))
        assert found.events == 0
        assert "does not mean" in found.sentences[0]
