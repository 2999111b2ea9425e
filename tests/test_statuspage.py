"""Feeds in the shape of real ones, and out of shape."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from feed_tools import FEEDS, feed, post

from helpers.importing import statuspage
from helpers.importing.feeds import FeedError, Fetched
from helpers.importing.incidents import Feed

A, B = "2024-06-01T10:00:00Z", "2024-06-01T11:00:00Z"


def read(data: bytes, **more: Any) -> Feed:
    return statuspage.read(Fetched(data), **more)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def refusal(**cells: Any) -> str:
    """What is said of one bad incident among good ones."""
    found = read(feed(post(1, A, B), post(2, A, B, **cells), post(3, A, B)))
    assert [incident.key for incident in found.incidents] == ["status.example:id0001", "status.example:id0003"]
    assert len(found.refused) == 1
    return str(found.refused[0])


class TestJson:
    found = read((FEEDS / "incidents.json").read_bytes())

    def test_the_page(self) -> None:
        assert self.found.name == "Chat"
        assert self.found.address == "https://www.status.example"
        assert self.found.host == "status.example"
        assert self.found.newest == utc("2024-05-02T16:40")
        assert self.found.refused == ()

    def test_a_feed_in_a_time_zone_is_converted(self) -> None:
        incident = self.found.incidents[1]
        assert incident.key == "status.example:major001"
        assert (incident.start, incident.end) == (utc("2024-04-21T00:55"), utc("2024-04-21T03:31"))
        assert incident.impact == "critical"
        assert incident.parts == ("Messages", "Calls")

    def test_an_open_incident_has_no_end(self) -> None:
        incident = self.found.incidents[0]
        assert incident.end is None
        assert incident.until == utc("2024-05-02T16:41")

    def test_maintenance_and_notes_are_told_apart(self) -> None:
        assert [incident.impact for incident in self.found.incidents[3:]] == ["none", "maintenance"]

    def test_starts_fall_back(self) -> None:
        def start(**cells: Any) -> datetime:
            return read(feed(post(1, A, B, **cells))).incidents[0].start

        assert start(started_at="2024-06-01T09:00:00Z") == utc("2024-06-01T09:00")
        assert start(started_at=None, created_at="2024-06-01T09:30:00Z") == utc("2024-06-01T09:30")
        assert start(started_at=None, created_at=None) == utc("2024-06-01T10:00")

    def test_ends_fall_back(self) -> None:
        assert read(feed(post(1, A, B, resolved_at=None))).incidents[0].end == utc("2024-06-01T11:00")
        updates = [{"status": "resolved", "created_at": "2024-06-02T00:00:00Z", "display_at": B}]
        cells = {"resolved_at": None, "incident_updates": updates}
        assert read(feed(post(1, A, B, **cells))).incidents[0].end == utc("2024-06-01T11:00")
        # Resolved, but nobody knows when: the end stays unknown.
        assert read(feed(post(1, A, B, resolved_at=None, incident_updates=[]))).incidents[0].end is None
        # Reopened: it goes on.
        assert read(feed(post(1, A, B, resolved_at=None, status="identified"))).incidents[0].end is None

    def test_what_may_be_missing(self) -> None:
        bare = {"id": "a", "name": "x", "status": "resolved", "created_at": A, "resolved_at": B}
        incident = read(feed(bare)).incidents[0]
        assert (incident.impact, incident.parts) == ("", ())
        assert read(feed()).incidents == ()
        assert read(json.dumps({"page": 7, "incidents": [bare]}).encode(), host="x.example").host == "x.example"

    def test_a_host_that_is_given_stands_before_the_ids(self) -> None:
        assert read(feed(post(1, A, B)), host="mine").incidents[0].key == "mine:id0001"

    def test_markup_in_names(self) -> None:
        incident = read(feed(post(1, A, B, name="<b>Log-in</b>\u202e\n down\0\ud800", components=[{"name": "<i>"}])))
        assert incident.incidents[0].name == "Log-in down"
        assert incident.incidents[0].parts == ()

    def test_entities_in_names_are_read_once_and_stay_harmless(self) -> None:
        def name(text: str) -> str:
            return read(feed(post(1, A, B, name=text))).incidents[0].name

        assert name("Login fails &amp; more") == "Login fails & more"
        assert name("R&D, Errors &amp;lt; 5%") == "R&D, Errors &lt; 5%"
        assert name("&lt;script&gt;alert(1)&lt;/script&gt;down") == "alert(1)down"
        assert name("&#61;HYPERLINK(1)") == "“=HYPERLINK(1)”"
        assert name("&#x202e;gnol&#10;line") == "gnol line"
        found = read(feed(post(1, A, B, components=[{"name": "R&amp;D"}]), name="Chat &amp; Co"))
        assert (found.incidents[0].parts, found.name) == (("R&D",), "Chat & Co")

    def test_planned_work_is_maintenance_whatever_its_impact(self) -> None:
        assert read(feed(post(1, A, None, status="in_progress"))).incidents[0].impact == "maintenance"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"id": None}, "incident 2: id: 'None': expected a valid string"),
        ({"id": 12}, "incident 2: id: '12': expected a valid string"),
        ({"id": "a;b c"}, "incident 2 (a;b c): id: 'a;b c': expected an id of letters and digits"),
        ({"id": "a\u202e\n" * 99}, "incident 2 (a a a a"),
        ({"name": None}, "incident 2 (id0002): name: 'None': expected a valid string"),
        ({"name": ["x"]}, "name: \"['x']\": expected a valid string"),
        ({"impact": "severe"}, "impact: 'severe': expected 'none', 'minor', 'major', 'critical' or 'maintenance'"),
        ({"impact": 3}, "impact: '3': expected 'none'"),
        ({"status": None}, "status: 'None': expected a valid string"),
        ({"started_at": 1717236000}, "started_at: '1717236000': expected a time as text"),
        ({"started_at": "2024-06-01T10:00:00"}, "started_at: '2024-06-01T10:00:00': expected a time with its zone"),
        ({"started_at": "yesterday"}, "started_at: 'yesterday': expected a time written 2014-02-22T19:00Z, or"),
        ({"resolved_at": "2024-06-01T09:00:00Z"}, "resolved_at: '2024-06-01T09:00Z': expected a time after the start"),
        ({"started_at": None, "created_at": None, "incident_updates": []}, "started_at: '': expected a time, here or"),
        ({"incident_updates": "none"}, "incident_updates: 'none': expected a valid list"),
        ({"incident_updates": [{"status": 1}]}, "incident_updates.0.status: '1': expected a valid string"),
        ({"components": [{}]}, "components.0.name: '': expected a value; there is none"),
    ],
)
def test_one_bad_incident_is_listed_and_the_others_go_on(cells: dict[str, Any], said: str) -> None:
    line = refusal(**cells)
    assert said in line
    assert line.startswith("incident 2")
    assert line.isprintable()


@pytest.mark.parametrize("junk", [None, 3, "x", [], {}])
def test_incidents_that_are_none(junk: Any) -> None:
    found = read(feed(junk, post(1, A, B)))
    assert len(found.incidents) == len(found.refused) == 1


def test_an_id_twice_is_listed() -> None:
    found = read(feed(post(1, A, B), post(1, A, B)))
    assert len(found.incidents) == 1
    assert "incident 1 (id0001) has it and is taken" in str(found.refused[0])


def test_times_without_a_zone_may_be_taken_for_utc() -> None:
    data = feed(post(1, "2024-06-01T10:00:00", "2024-06-01T11:00:00"))
    assert len(read(data).refused) == 1
    assert read(data, assume_utc=True).incidents[0].start == utc("2024-06-01T10:00")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "nothing in it"),
        (b" \n", "nothing in it"),
        (b"\xff\xfe{", "not text in UTF-8"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a page in HTML"),
        (b"<html lang='en'></html>", "a page in HTML"),
        (feed(post(1, A, B))[:300], "not whole JSON"),
        (b"[" * 100_000, "not whole JSON"),
        (b"[]", "without a list of incidents"),
        (b'{"incidents": {"a": 1}}', "without a list of incidents"),
        (b'{"status": {"indicator": "none"}}', "without a list of incidents"),
        (b"down", "not whole JSON"),
        (b'{"incidents": []}', "does not say whose page it is"),
        ((FEEDS / "history.atom").read_bytes()[:900], "not whole XML"),
        (b"<rss version='2.0'></rss>", "XML that begins with 'rss'"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><feed xmlns="http://www.w3.org/2005/Atom">&b;</feed>', "declares entities"),
    ],
)
def test_what_is_no_feed_is_one_sentence(data: bytes, message: str) -> None:
    with pytest.raises(FeedError) as caught:
        read(data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


class TestAtom:
    text = (FEEDS / "history.atom").read_text(encoding="utf-8")
    found = read(text.encode())

    def entry(self, old: str, new: str) -> Feed:
        assert old in self.text
        return read(self.text.replace(old, new).encode())

    def test_the_page(self) -> None:
        assert (self.found.name, self.found.host) == ("Chat", "status.example")
        assert self.found.address == "https://www.status.example"
        assert self.found.refused == ()

    def test_ids_are_those_of_the_json_feed(self) -> None:
        assert [incident.key.partition(":")[2] for incident in self.found.incidents] == [
            "newyear1",
            "open0000",
            "planned1",
        ]

    def test_without_an_address_the_tag_has_the_id(self) -> None:
        found = self.entry('href="https://www.status.example/incidents/newyear1"', 'href="https://www.status.example"')
        assert found.incidents[0].key == "status.example:9000003"

    def test_posts_without_a_year_find_theirs(self) -> None:
        incident = self.found.incidents[0]
        assert (incident.start, incident.end) == (utc("2024-12-31T23:50"), utc("2025-01-01T00:45"))
        assert incident.name == "Messages late at New Year & after"

    def test_posts_in_a_time_zone_are_converted(self) -> None:
        incident = self.found.incidents[1]
        assert (incident.start, incident.end) == (utc("2024-05-02T16:10"), None)
        assert incident.until == utc("2024-05-02T16:41")

    def test_planned_work_is_maintenance(self) -> None:
        assert [incident.impact for incident in self.found.incidents] == ["", "", "maintenance"]

    def test_a_zone_nobody_knows_leaves_the_time_of_the_update(self) -> None:
        found = self.entry("UTC&lt;/small&gt;", "XYZ&lt;/small&gt;").incidents[0]
        assert (found.start, found.end) == (utc("2025-01-01T00:45"), utc("2025-01-01T00:46"))

    def test_a_postmortem_is_not_the_end(self) -> None:
        late = "&lt;p&gt;&lt;small&gt;Jan 1, 00:46 UTC&lt;/small&gt;&lt;strong&gt;Postmortem&lt;/strong&gt;&lt;/p&gt;"
        mark = "<content type=\"html\">&lt;p&gt;&lt;small&gt;Jan &lt;var data-var='date'&gt; 1"
        assert self.entry(mark, mark.replace("&lt;p", late + "&lt;p", 1)).incidents[0].end == utc("2025-01-01T00:45")

    def test_a_bad_entry_is_listed(self) -> None:
        found = self.entry("<published>2024-05-02T09:10:30-07:00", "<published>2024-05-02T09:10:30")
        assert [str(line) for line in found.refused] == [
            "incident 2 (open0000): published: '2024-05-02T09:10:30': expected a time with its zone, "
            "2014-02-22T19:00Z (or --assume-utc, where all times are UTC)"
        ]
        assert len(found.incidents) == 2

    def test_an_entry_without_any_time_is_listed(self) -> None:
        found = self.entry(
            "<published>2024-02-03T08:00:00Z</published>\n    <updated>2024-02-03T12:00:00Z</updated>", ""
        )
        assert "published: '': expected a time, here or in updated" in str(found.refused[0])

    def test_an_entry_without_posts_has_no_end(self) -> None:
        start = self.text.index("<content", self.text.index("newyear1"))
        end = self.text.index("</content>", start)
        found = read((self.text[:start] + "<content>https://www.status.example/x" + self.text[end:]).encode())
        assert (found.incidents[0].start, found.incidents[0].end) == (utc("2025-01-01T00:45"), None)

    def test_29_february(self) -> None:
        text = self.text.replace("2025-01-01T00:45:12Z", "2024-03-01T00:45:12Z")
        text = text.replace("Dec &lt;var data-var='date'&gt;31", "Feb &lt;var data-var='date'&gt;29")
        text = text.replace("Jan &lt;var data-var='date'&gt; 1", "Mar &lt;var data-var='date'&gt; 1")
        assert read(text.encode()).incidents[0].start == utc("2024-02-29T23:50")


def test_five_megabytes_are_read() -> None:
    data = feed(*(post(n, f"2020-01-01T{n % 24:02}:00:00Z", None, note="x" * 600) for n in range(4000)))
    assert len(data) > 5_000_000
    assert len(read(data).incidents) == 4000
