"""Incidents from a table with columns of any name."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpers.importing import incident_table
from helpers.importing.feeds import FeedError
from helpers.importing.incidents import Feed
from helpers.params import ROOT, ParameterError

SERIES = Path(os.environ.get("ADOPTION_SERIES", ROOT.parent / "shared" / "series")) / "github_status_incidents"
real = pytest.mark.skipif(not SERIES.is_dir(), reason="no measured series here (ADOPTION_SERIES names their folder)")
COLUMNS = {"id": "nr", "start_utc": "from", "end_utc": "to", "cause": "what"}


def read(text: str, columns: dict[str, str] = COLUMNS, **more: Any) -> Feed:
    return incident_table.read(text.encode(), columns, "list.example", **more)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_words_of_map_and_set() -> None:
    allowed = incident_table.MAPPED
    assert incident_table.pairs(["a=b=start_utc", "x = id"], "--map", allowed) == {"start_utc": "a=b", "id": "x"}
    assert incident_table.pairs(["cause=a=b"], "--set", incident_table.SET) == {"cause": "a=b"}
    for words, message in [
        (["from"], "expected COLUMN=FIELD"),
        (["=id"], "expected COLUMN=FIELD"),
        (["from=start"], "did you mean start_utc?"),
        (["a=id", "b=id"], "id given twice"),
        (["a=outage_id"], "expected one of id, start_utc"),
    ]:
        with pytest.raises(ParameterError, match=message):
            incident_table.pairs(words, "--map", allowed)


def test_values_for_all_rows_fit_their_column() -> None:
    assert incident_table.check_set({"kind": "block", "scope": " <b>EU\n"}) == {"kind": "block", "scope": "EU"}
    with pytest.raises(ParameterError, match="did you mean network"):
        incident_table.check_set({"cause_category": "netwrk"})


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_row_becomes_an_incident(mark: str) -> None:
    text = "\ufeffnr,from,to,what\r\n7,2024-06-01T10:00+02:00,2024-06-01 10:30 UTC,Down\r\n".replace(",", mark)
    incident = read(text).incidents[0]
    assert (incident.key, incident.where) == ("list.example:7", "row 2")
    assert (incident.start, incident.end) == (utc("2024-06-01T08:00"), utc("2024-06-01T10:30"))
    assert (incident.name, incident.days, incident.impact) == ("Down", False, "")


def test_dates_are_whole_days() -> None:
    found = read("nr,from,to,what\n1,2024-06-01,2024-06-02,x\n2,2024-06-05,,y\n", assume_utc=True).incidents
    assert (found[0].start, found[0].end) == (utc("2024-06-01T00:00"), utc("2024-06-03T00:00"))
    assert all(incident.days for incident in found)
    assert found[1].end is None
    # A day and a time: what is known is the days.
    mixed = read("nr,from,to,what\n1,2024-06-01,2024-06-02T10:00Z,x\n", assume_utc=True).incidents[0]
    assert (mixed.days, mixed.end) == (True, utc("2024-06-03T00:00"))


def test_without_an_id_the_start_is_one() -> None:
    columns = {"start_utc": "from"}
    found = read("from\n2024-06-01T10:00Z\n2024-06-02T10:00Z\n2024-06-01T10:00Z\n", columns)
    assert [incident.key for incident in found.incidents] == [
        "list.example:2024-06-01T10:00Z",
        "list.example:2024-06-02T10:00Z",
    ]
    assert "row 4: id: 'list.example:2024-06-01T10:00Z': expected each id once; row 2" in str(found.refused[0])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,2024-06-01T10:00,,x", "row 3: from: '2024-06-01T10:00': expected a time with its zone"),
        ("1,2024-06-01,,x", "row 3: from: '2024-06-01': expected a time with its zone"),
        ("1,,,x", "row 3: from: '': expected a time"),
        ("1,2024-06-01T10:00Z,never,x", "row 3: to: 'never': expected a time"),
        ("1,2024-06-01T10:00Z,2024-06-01T09:00Z,x", "row 3: to: '2024-06-01T09:00Z': expected a time after the start"),
        ("a b,2024-06-01T10:00Z,,x", "row 3: nr: 'a b': expected an id"),
        (",2024-06-01T10:00Z,,x", "row 3: nr: '': expected an id"),
        ("1,2024-06-01T10:00Z,x", "row 3: fields: '3': expected 4, as the header has"),
    ],
)
def test_one_bad_row_is_listed_and_the_others_go_on(line: str, said: str) -> None:
    found = read(f"nr,from,to,what\n8,2024-06-01T10:00Z,,x\n{line}\n\n9,2024-06-03T10:00Z,,x\n")
    assert [incident.where for incident in found.incidents] == ["row 2", "row 5"]
    assert len(found.refused) == 1
    assert said in str(found.refused[0])


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"affected_users": "1,8 million"}, "affected_users: '1,8 million': expected a whole number of at least 1"),
        ({"affected_users": "0"}, "at least 1"),
        ({"affected_users": "5"}, "affected_unit: '': expected a unit for affected_users"),
        ({"duration_hours": "-1"}, "duration_hours: '-1': expected a number of at least 0"),
        ({"duration_hours": "9"}, "duration_hours: '9': expected 1, the hours from start to end"),
        ({"cause_category": "netwrk"}, "did you mean network?"),
        ({"impact": "sev1"}, "impact: 'sev1': expected none, minor, major, critical, maintenance or nothing"),
    ],
)
def test_further_columns_are_held_to_the_tables(cells: dict[str, str], said: str) -> None:
    header = ",".join(cells)
    values = ",".join(f'"{value}"' for value in cells.values())
    columns = {"start_utc": "from", "end_utc": "to", **{name: name for name in cells}}
    found = read(f"from,to,{header}\n2024-06-01T10:00Z,2024-06-01T11:00Z,{values}\n", columns)
    assert found.incidents == ()
    assert said in str(found.refused[0])


def test_a_scope_is_a_list_of_parts() -> None:
    found = read("from,s\n2024-06-01T10:00Z,API; Web|<b>Web\n2024-06-02T10:00Z,\n", {"start_utc": "from", "scope": "s"})
    assert [incident.parts for incident in found.incidents] == [("API", "Web"), ()]


def test_entities_are_read_once_and_part_nothing() -> None:
    columns = {"start_utc": "from", "scope": "s", "cause": "what"}
    text = "from,s,what\n2024-06-01T10:00Z,R&amp;D;AT&T;Web|&lt;b&gt;API,Login &amp; more\n"
    (incident,) = read(text, columns).incidents
    assert incident.parts == ("R&D", "AT&T", "Web", "API")
    assert incident.name == "Login & more"


def test_further_columns_come_along() -> None:
    columns = {"start_utc": "from", "affected_users": "n", "affected_unit": "u", "impact": "i"}
    found = read("from,n,u,i\n2024-06-01T10:00Z,5,users,Major\n2024-06-02T10:00Z,,users,\n", columns).incidents
    assert dict(found[0].more) == {"affected_users": "5", "affected_unit": "users"}
    assert (found[0].impact, found[1].impact) == ("major", "")
    assert dict(found[1].more) == {}
    fixed = {"affected_unit": "users"}
    assert read("from,n\n2024-06-01T10:00Z,5\n", {"start_utc": "from", "affected_users": "n"}, fixed=fixed).incidents


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("nr,from\n", {"id": "nr"}, "no column for start_utc"),
        ("nr,from\n", {"start_utc": "form"}, "column 'form' is not in the header nr, from; did you mean from?"),
        ("from,from\n", {"start_utc": "from"}, "column 'from' is twice in the header"),
    ],
)
def test_a_map_that_does_not_fit(text: str, columns: dict[str, str], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read(text, columns)
    assert message in str(caught.value)


def test_what_is_no_table() -> None:
    with pytest.raises(FeedError, match="not text in UTF-8"):
        incident_table.read(b"\xff\xfef", COLUMNS, "x")
    for empty in (b"", b"\xef\xbb\xbf", b" \n\n"):
        with pytest.raises(FeedError, match=r"^the file is empty, expected a table in CSV with a header$"):
            incident_table.read(empty, COLUMNS, "x")
    with pytest.raises(FeedError, match="row 2: "):
        read('nr,from,to,what\n1,2024-06-01T10:00Z,,"half')
    assert read("nr,from,to,what\n").incidents == ()


@real
@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("incidents.csv", {"id": "id", "start_utc": "started_at", "end_utc": "resolved_at", "impact": "impact"}),
        (
            "downtime_windows.csv",
            {"id": "incident_id", "start_utc": "downtime_start", "end_utc": "downtime_end", "impact": "impact"},
        ),
    ],
)
def test_a_real_table_is_read_whole(name: str, columns: dict[str, str]) -> None:
    data = (SERIES / name).read_bytes()
    found = incident_table.read(data, columns, "githubstatus.com")
    assert len(found.incidents) + len(found.refused) == data.count(b"\n") - 1
    assert len(found.incidents) >= 700
    counts = {impact: sum(one.impact == impact for one in found.incidents) for impact in ("minor", "maintenance")}
    assert counts["minor"] > 500
    assert all(one.end is None or one.end > one.start for one in found.incidents)
