"""Merging: the same incidents give the same rows, in whatever order and pieces they come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from feed_tools import PRESS, row
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import schemas
from helpers.importing import merge, outage_rows
from helpers.importing.incidents import Incident
from helpers.importing.merge import Merge
from helpers.importing.origin import Origin

START = datetime(2024, 6, 1, tzinfo=UTC)
ORIGIN = Origin("status.example", {"source_id": "statuspage-chat"}, "chat", "Chat")
NOTE = "Start and end are from statuspage-chat, the times of its posts: the true ones may be earlier."
Row = dict[str, str]


def incident(number: int, start: float, end: float | None, name: str = "", impact: str = "major", **more) -> Incident:
    """Return an incident from hour to hour."""
    return Incident(
        key=f"status.example:{number}",
        start=START + timedelta(hours=start),
        end=None if end is None else START + timedelta(hours=end),
        name=name or f"Incident {number}",
        impact=impact,
        where=f"incident {number}",
        **more,
    )


def run(outages: list[Row], *incidents: Incident, **more) -> Merge:
    before = [dict(one) for one in outages]
    result = merge.merge(outages, more.pop("figures", []), incidents, more.pop("origin", ORIGIN), **more)
    assert outages == before
    total = sum(result.count(state) for state in ("new", "changed", "same", "against")) + len(result.refused)
    assert total == len(incidents)
    return result


def added(result: Merge) -> list[Row]:
    return [outcome.after for outcome in result.those("new") if outcome.after]


def changes(result: Merge) -> dict[str, tuple[str, str]]:
    (only,) = result.those("changed")
    return only.changes


def removed(result: Merge) -> dict[str, str]:
    return {name: outcome.name for outcome in result.outcomes for name in outcome.lost}


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {one["outage_id"]: one for one in rows}


class TestNewRows:
    def test_every_cell(self) -> None:
        result = run([], incident(7, 10, 11.5, "Log-in down", parts=("API", "Web")))
        assert added(result) == result.rows
        assert {name: cell for name, cell in result.rows[0].items() if cell} == {
            "outage_id": "chat-2024-06-01",
            "service_id": "chat",
            "service": "Chat",
            "kind": "outage",
            "incidents": "1",
            "start_utc": "2024-06-01T10:00Z",
            "end_utc": "2024-06-01T11:30Z",
            "time_precision": "minute",
            "duration_hours": "1.5",
            "scope": "API, Web",
            "cause_category": "unknown",
            "cause": "Log-in down",
            "external_ids": "status.example:7",
            "source_ids": "statuspage-chat",
            "note": f"Impact major. {NOTE}",
        }
        assert list(result.rows[0]) == [field.name for field in schemas.FIELDS["outages"]]

    def test_ids_are_unique_and_never_given_again(self) -> None:
        there = [row(outage_id="chat-2024-06-01", start_utc="2020-01-01", end_utc="")]
        result = run(there, incident(1, 1, 2), incident(2, 3, 4), incident(3, 30, 31))
        assert [one["outage_id"] for one in added(result)] == [
            "chat-2024-06-01-2",
            "chat-2024-06-01-3",
            "chat-2024-06-02",
        ]

    def test_without_an_end(self) -> None:
        only = run([], incident(1, 10, None)).rows[0]
        assert (only["end_utc"], only["duration_hours"]) == ("", "")

    def test_whole_days(self) -> None:
        only = run([], incident(1, 0, 48, days=True)).rows[0]
        assert (only["start_utc"], only["end_utc"], only["time_precision"]) == ("2024-06-01", "2024-06-02", "day")
        assert only["duration_hours"] == ""
        with_length = run([], incident(1, 0, 48, days=True, more={"duration_hours": "3"})).rows[0]
        assert with_length["duration_hours"] == "3"

    def test_values_for_all_rows(self) -> None:
        fixed = {"kind": "block", "cause_category": "court_order", "affected_unit": "users", "scope": "Brazil"}
        origin = Origin("x", {"source_id": "s"}, "chat", "Chat", fixed, posts=False)
        only = run([], incident(1, 1, 2), origin=origin).rows[0]
        assert (only["kind"], only["cause_category"], only["scope"]) == ("block", "court_order", "Brazil")
        assert only["affected_unit"] == ""
        assert only["note"] == "Impact major. Start and end are from s."


class TestOverlapsInTheFeed:
    def test_those_that_overlap_are_one_outage(self) -> None:
        result = run(
            [],
            incident(2, 11, 14, "Calls drop", "minor", parts=("Calls",)),
            incident(1, 10, 12, "No messages", "critical", parts=("Messages", "Calls")),
            incident(3, 14, 15, "Later"),
        )
        first, second = result.rows
        assert (first["start_utc"], first["end_utc"]) == ("2024-06-01T10:00Z", "2024-06-01T14:00Z")
        assert (first["cause"], first["scope"]) == ("No messages; Calls drop", "Messages, Calls")
        assert (first["external_ids"], first["incidents"]) == ("status.example:1;status.example:2", "1")
        assert first["note"].startswith("Impact critical. ")
        assert result.outcomes[0].found.keys == ("status.example:1", "status.example:2")
        assert second["cause"] == "Later"  # one that begins when the other ends does not overlap it

    def test_numbers_are_those_of_the_largest(self) -> None:
        small = {"affected_users": "90", "affected_unit": "reports", "duration_hours": "2", "operator": "Chat Inc."}
        large = {"affected_users": "100", "affected_unit": "users"}
        both = [incident(1, 10, 12, more=small, parts=("API",)), incident(2, 11, 13, more=large, parts=("Web",))]
        only = run([], *both).rows[0]
        assert (only["affected_users"], only["affected_unit"], only["operator"]) == ("100", "users", "Chat Inc.")
        assert (only["duration_hours"], only["scope"]) == ("3", "API, Web")
        assert run(run([], both[0]).rows, *both).rows == [only]

    def test_one_that_is_not_over_leaves_the_end_open(self) -> None:
        open_one = incident(1, 10, None, seen=START + timedelta(hours=12))
        result = run([], open_one, incident(2, 11, 13), incident(3, 20, 21))
        assert [one["end_utc"] for one in result.rows] == ["", "2024-06-01T21:00Z"]

    def test_long_lists_are_cut_with_their_number(self) -> None:
        many = [incident(n, 1, 2, f"Incident number {n} with a long name", parts=(f"Part {n}",)) for n in range(100)]
        only = run([], *many).rows[0]
        assert len(only["cause"]) <= 400
        assert only["cause"].endswith(f"; and {100 - only['cause'].count('; ')} more")
        assert len(only["scope"]) <= 200
        assert run([only], *many).changed is False


class TestUpdates:
    there = run([], incident(1, 10, None, impact="minor"), incident(2, 30, 31)).rows

    def test_the_same_again_changes_nothing(self) -> None:
        result = run(self.there, incident(1, 10, None, impact="minor"), incident(2, 30, 31))
        assert (result.changed, result.rows, result.count("same")) == (False, self.there, 2)

    def test_an_open_one_gets_its_end(self) -> None:
        result = run(self.there, incident(1, 10, 12, impact="major"))
        assert [(column, *cells) for column, cells in changes(result).items()] == [
            ("end_utc", "", "2024-06-01T12:00Z"),
            ("duration_hours", "", "2"),
            ("note", f"Impact minor. {NOTE}", f"Impact major. {NOTE}"),
        ]
        assert result.rows[1] == self.there[1]

    def test_one_that_is_reopened_loses_its_end(self) -> None:
        changed = run(self.there, incident(2, 30, None)).rows[1]
        assert (changed["end_utc"], changed["duration_hours"]) == ("", "")

    def test_what_a_person_wrote_is_kept(self) -> None:
        mine = {
            "cause_category": "network",
            "cause": "a router",
            "confounders": "a holiday",
            "affected_users": "5000",
            "affected_unit": "users",
            "operator": "Chat Inc.",
            "note": f"Ask Ada. Impact minor. {NOTE} Really.",
        }
        result = run([{**self.there[0], **mine}], incident(1, 10, 12, "New name", parts=("API",)))
        changed = result.rows[0]
        assert {name: changed[name] for name in mine if name != "note"} == {
            k: v for k, v in mine.items() if k != "note"
        }
        assert changed["note"] == f"Ask Ada. Impact major. {NOTE} Really."
        assert (changed["end_utc"], changed["scope"]) == ("2024-06-01T12:00Z", "API")

    def test_times_are_a_persons_once_the_note_does_not_name_the_feed(self) -> None:
        mine = {
            "start_utc": "2024-06-01T09:40Z",
            "end_utc": "2024-06-01T11:00Z",
            "duration_hours": "1.33",
            "note": "Me.",
        }
        result = run([{**self.there[0], **mine}], incident(1, 10, 12))
        assert {name: result.rows[0][name] for name in mine} == mine
        assert (result.outcomes[0].name, result.outcomes[0].kept) == (
            "chat-2024-06-01",
            "2024-06-01T10:00Z to 2024-06-01T12:00Z",
        )

    def test_a_published_range_of_lengths_holds_the_new_one(self) -> None:
        ranged = {**self.there[1], "duration_low_hours": "0.5", "duration_high_hours": "1.5"}
        changed = run([ranged], incident(2, 30, 34)).rows[0]
        assert [changed[f"duration_{name}hours"] for name in ("low_", "", "high_")] == ["0.5", "4", "4"]

    def test_an_id_of_another_service_is_refused(self) -> None:
        elsewhere = [{**self.there[0], "service_id": "rival", "outage_id": "rival-2024-06-01"}]
        result = run(elsewhere, incident(1, 10, 12), incident(2, 30, 31))
        assert "an incident of chat; rival-2024-06-01 of rival has this id" in str(result.refused[0])
        assert result.rows[0] == elsewhere[0]
        assert len(added(result)) == 1

    def test_a_feed_that_does_not_tell_the_impact_leaves_it(self) -> None:
        assert run(self.there, incident(2, 30, 31, impact="")).changed is False

    def test_an_incident_that_left_the_feed_still_counts(self) -> None:
        both = run([], incident(1, 10, 12, "A", "critical"), incident(2, 11, 13, "B", "minor")).rows
        assert run(both, incident(2, 11, 13, "B", "minor")).changed is False
        wider = run(both, incident(2, 11, 15, "B", "minor"), incident(3, 14, 16, "C")).rows
        assert len(wider) == 1
        assert (wider[0]["start_utc"], wider[0]["end_utc"]) == ("2024-06-01T10:00Z", "2024-06-01T16:00Z")
        assert (wider[0]["cause"], wider[0]["duration_hours"]) == ("A; B; C", "6")
        assert wider[0]["external_ids"] == "status.example:1;status.example:2;status.example:3"
        assert wider[0]["note"] == f"Impact critical. {NOTE}"


class TestRowsThatBecomeOne:
    there = run([], incident(1, 10, 12, "A"), incident(2, 14, 16, "B")).rows
    bridge = incident(3, 11, 15, "C")

    def test_the_first_stays(self) -> None:
        result = run(self.there, incident(1, 10, 12, "A"), incident(2, 14, 16, "B"), self.bridge)
        assert removed(result) == {"chat-2024-06-01-2": "chat-2024-06-01"}
        assert len(result.rows) == 1
        assert result.rows[0]["cause"] == "A; C; B"
        assert result.rows[0]["end_utc"] == "2024-06-01T16:00Z"

    def test_also_when_the_two_have_left_the_feed(self) -> None:
        result = run(self.there, self.bridge)
        assert len(result.rows) == 1
        assert (result.rows[0]["start_utc"], result.rows[0]["end_utc"]) == ("2024-06-01T10:00Z", "2024-06-01T16:00Z")
        assert set(result.rows[0]["external_ids"].split(";")) == {f"status.example:{n}" for n in (1, 2, 3)}
        assert set(result.rows[0]["cause"].split("; ")) == {"A", "B", "C"}

    def test_the_one_a_person_worked_on_stays(self) -> None:
        worked = [self.there[0], {**self.there[1], "confounders": "a holiday"}]
        result = run(worked, self.bridge)
        assert removed(result) == {"chat-2024-06-01": "chat-2024-06-01-2"}
        assert result.rows[0]["confounders"] == "a holiday"
        assert result.rows[0]["start_utc"] == "2024-06-01T10:00Z"

    def test_the_one_with_figures_stays(self) -> None:
        assert removed(run(self.there, self.bridge, figures=[{"outage_id": "chat-2024-06-01-2"}])) == {
            "chat-2024-06-01": "chat-2024-06-01-2"
        }

    def test_two_that_somebody_needs_are_left_to_a_person(self) -> None:
        figures = [{"outage_id": "chat-2024-06-01"}, {"outage_id": "chat-2024-06-01-2"}]
        result = run(self.there, self.bridge, figures=figures)
        assert result.rows == self.there
        assert result.those("against")[0].rows == ("chat-2024-06-01", "chat-2024-06-01-2")
        assert "by hand" in result.those("against")[0].advice


class TestRowsFromElsewhere:
    press = row(start_utc="2024-06-01", end_utc="2024-06-01")

    def test_the_same_day_is_reported_and_left_out(self) -> None:
        result = run([self.press], incident(1, 10, 12), incident(2, 30, 31))
        assert [one["cause"] for one in added(result)] == ["Incident 2"]
        assert result.those("against")[0].rows == (PRESS["outage_id"],)
        assert "--overlaps merge" in result.those("against")[0].advice
        assert run(result.rows, incident(1, 10, 12), incident(2, 30, 31)).those("against") == result.those("against")

    def test_merging_fills_what_the_press_lacks(self) -> None:
        found = incident(1, 10, 13.5, parts=("API",))
        result = run([self.press], found, overlaps="merge")
        merged = result.rows[0]
        assert (merged["start_utc"], merged["end_utc"]) == ("2024-06-01T10:00Z", "2024-06-01T13:30Z")
        assert (merged["time_precision"], merged["duration_hours"]) == ("minute", "3.5")
        assert (merged["duration_low_hours"], merged["duration_high_hours"]) == ("2", "3.5")
        assert (merged["cause"], merged["scope"]) == ("a cut cable", "API")
        assert merged["note"] == f"As the paper has it. Impact major. {NOTE}"
        assert merged["source_ids"] == "press-2024;statuspage-chat"
        assert merged["external_ids"] == "status.example:1"
        assert run(result.rows, found).changed is False
        assert run(result.rows, incident(1, 10, 14)).rows[0]["end_utc"] == "2024-06-01T14:00Z"

    def test_times_of_the_press_to_the_minute_are_kept(self) -> None:
        exact = row(
            start_utc="2024-06-01T09:50Z", end_utc="2024-06-01T12:05Z", time_precision="minute", duration_hours="2.25"
        )
        result = run([exact], incident(1, 10, 12), overlaps="merge")
        assert list(changes(result)) == ["external_ids", "source_ids"]
        assert (result.outcomes[0].name, result.outcomes[0].kept) == (
            PRESS["outage_id"],
            "2024-06-01T10:00Z to 2024-06-01T12:00Z",
        )
        # One more that overlaps it is part of it, not a row beside it.
        again = run(result.rows, incident(1, 10, 12), incident(2, 12.05, 13))
        assert len(again.rows) == 1
        assert again.rows[0]["external_ids"] == "status.example:1;status.example:2"

    def test_an_end_the_press_does_not_have_is_filled(self) -> None:
        begun = row(start_utc="2024-06-01T09:50Z", end_utc="", time_precision="minute", duration_hours="")
        merged = run([begun], incident(1, 10, 12), overlaps="merge").rows[0]
        assert (merged["start_utc"], merged["end_utc"]) == ("2024-06-01T09:50Z", "2024-06-01T12:00Z")
        assert merged["duration_hours"] == "2.17"
        # A published length that does not fit is not talked over.
        long = run([{**begun, "duration_hours": "9"}], incident(1, 10, 12), overlaps="merge").rows[0]
        assert (long["end_utc"], long["duration_hours"]) == ("", "9")

    def test_an_open_incident_gives_no_times_yet(self) -> None:
        merged = run([self.press], incident(1, 10, None), overlaps="merge").rows
        assert (merged[0]["start_utc"], merged[0]["external_ids"]) == ("2024-06-01", "status.example:1")
        assert run(merged, incident(1, 10, 12)).rows[0]["end_utc"] == "2024-06-01T12:00Z"

    def test_several_on_one_day_are_left_to_a_person(self) -> None:
        result = run([self.press], incident(1, 10, 12), incident(2, 14, 15), overlaps="merge")
        assert result.changed is False
        assert ["by hand" in conflict.advice for conflict in result.those("against")] == [True, True]
        two = [self.press, {**self.press, "outage_id": "chat-b"}]
        assert run(two, incident(1, 10, 12), overlaps="merge").those("against")[0].rows == ("chat-2024-03-05", "chat-b")

    def test_adding_keeps_both(self) -> None:
        result = run([self.press], incident(1, 10, 12), overlaps="add")
        assert (len(result.rows), result.those("against")) == (2, [])
        again = run(result.rows, incident(1, 10, 12))
        assert (again.changed, again.those("against")) == (False, [])

    @pytest.mark.parametrize(
        "cells",
        [
            {"service_id": "rival"},
            {"kind": "block"},
            {"time_precision": "month", "end_utc": "2024-06-30"},
            {"incidents": "7", "end_utc": "2024-12-31"},
            {"start_utc": "2024-05-31", "end_utc": "2024-05-31"},
            {"start_utc": "2024-06-01T12:00Z", "end_utc": "2024-06-01T13:00Z", "time_precision": "minute"},
            {"start_utc": "2024-05-30", "end_utc": ""},
        ],
    )
    def test_what_does_not_meet(self, cells: Row) -> None:
        assert run([{**self.press, **cells}], incident(1, 10, 12)).those("against") == []

    @pytest.mark.parametrize(
        "cells",
        [
            {"start_utc": "2024-05-30", "end_utc": "2024-06-03"},
            {"start_utc": "2024-06-01T12:45Z", "end_utc": "2024-06-01T14:00Z", "time_precision": "hour"},
            {"start_utc": "2024-06-01T02:00Z", "end_utc": "", "time_precision": "minute", "duration_hours": ""},
            {"start_utc": "2024-06-01T08:00Z", "end_utc": "", "time_precision": "minute", "duration_hours": "3"},
            {"external_ids": "other.example:1"},
        ],
    )
    def test_what_meets(self, cells: Row) -> None:
        assert len(run([{**self.press, **cells}], incident(1, 10, 12)).those("against")) == 1


# --- whatever the order and the pieces

hours = st.integers(0, 60).map(lambda n: n / 4)


@st.composite
def histories(draw: st.DrawFn) -> list[Incident]:
    """A dozen incidents within a few days, many of which overlap."""
    made = []
    for number in range(draw(st.integers(1, 12))):
        start = draw(hours) * 4
        impact = draw(st.sampled_from(("minor", "major", "critical")))
        name = draw(st.sampled_from((f"Incident {number}", "Slow", "Slow; late")))
        parts = (f"Part {number % 3}",)
        made.append(incident(number, start, start + 0.25 + draw(hours) / 3, name, impact, parts=parts))
    return made


def without_ids(rows: list[Row]) -> list[tuple[str, ...]]:
    """Rows but for their own ids, with lists as sets: what is the same however the incidents came."""
    keep = ("start_utc", "end_utc", "duration_hours", "note", "source_ids", "cause", "scope", "external_ids")
    marks = {"cause": "; ", "scope": ", ", "external_ids": ";"}
    return sorted(
        tuple("|".join(sorted(one[name].split(marks[name]))) if name in marks else one[name] for name in keep)
        for one in rows
    )


def exactly(rows: list[Row]) -> list[tuple[str, ...]]:
    return sorted(tuple(cell for name, cell in one.items() if name != "outage_id") for one in rows)


@settings(max_examples=150, deadline=None)
@given(histories(), st.data())
def test_order_does_not_matter_and_a_second_time_changes_nothing(history: list[Incident], data: st.DataObject) -> None:
    once = run([], *history).rows
    shuffled = data.draw(st.permutations(history))
    assert run([], *shuffled).rows == once
    again = run(once, *shuffled)
    assert again.changed is False
    assert again.rows == once
    assert [one["start_utc"] for one in once] == sorted(one["start_utc"] for one in once)
    spans = [outage_rows.span(one) for one in once]
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


@settings(max_examples=150, deadline=None)
@given(histories(), st.data())
def test_a_part_first_gives_what_all_at_once_gives(history: list[Incident], data: st.DataObject) -> None:
    part = data.draw(st.lists(st.sampled_from(history), unique_by=lambda one: one.key))
    first = run([], *part).rows
    result = run(first, *history)
    assert exactly(result.rows) == exactly(run([], *history).rows)
    ids = set(by_id(first))
    assert set(removed(result)) <= ids
    assert ids - set(removed(result)) <= set(by_id(result.rows))  # an id once given stays


@settings(max_examples=150, deadline=None)
@given(histories(), st.data())
def test_pieces_one_after_the_other_give_what_all_at_once_gives(history: list[Incident], data: st.DataObject) -> None:
    """A feed that shows its latest incidents only: the others are known by their rows."""
    pieces: dict[int, list[Incident]] = {}
    for one in history:
        pieces.setdefault(data.draw(st.integers(0, 3)), []).append(one)
    rows: list[Row] = []
    for _, piece in sorted(pieces.items()):
        rows = run(rows, *piece).rows
    assert without_ids(rows) == without_ids(run([], *history).rows)


@settings(max_examples=100, deadline=None)
@given(histories(), st.data())
def test_incidents_that_end_later_end_in_their_rows(history: list[Incident], data: st.DataObject) -> None:
    still = data.draw(st.sets(st.sampled_from([one.key for one in history])))
    early = [replace(one, end=None, seen=one.start) if one.key in still else one for one in history]
    rows = run(run([], *early).rows, *history).rows
    assert exactly(rows) == exactly(run([], *history).rows)


def test_thousands_of_incidents_beside_hundreds_of_days() -> None:
    many = [incident(n, n * 2, n * 2 + (3 if n % 5 == 0 else 1)) for n in range(8000)]
    there = [row(outage_id=f"p{n}", start_utc=f"{START + timedelta(days=n):%Y-%m-%d}", end_utc="") for n in range(700)]
    result = run(there, *many)
    assert len(result.those("against")) > 5000
