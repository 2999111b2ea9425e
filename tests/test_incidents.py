"""Text made harmless, times made UTC, what counts as an outage."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.evidence import DATE
from helpers.importing import incidents
from helpers.importing.incidents import Incident, Refused, UnreadableError

START = datetime(2024, 6, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Errors < 5% on R&D > 3", "Errors < 5% on R&D > 3"),
        ("<script>alert(1)</script>Log-in down", "alert(1)Log-in down"),
        ("<scr<b>ipt src=x>x", "x"),
        ("<\u200bscript>x<\u202eb>", "x"),
        ("Login fails &amp; more", "Login fails &amp; more"),
        ("<img src=x onerror=alert(1)>", ""),
        ("two\nlines\r\n\tand a tab", "two lines and a tab"),
        ("nul\0 and bell\a", "nul and bell"),
        ("right \u202eot tfel\u202c", "right ot tfel"),
        ("\ufeffmark\u200b\u2066", "mark"),
        ("half \ud800 pair", "half pair"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("line\u2028separator", "line separator"),
        ('=HYPERLINK("http://x.example","y")', '“=HYPERLINK("http://x.example","y")”'),
        ("@sum", "“@sum”"),
        ("-5% of requests", "“-5% of requests”"),
        ("  ", ""),
    ],
)
def test_text_becomes_one_harmless_line(text: str, line: str) -> None:
    assert incidents.one_line(text) == line


@given(st.text(max_size=300), st.integers(4, 250))
def test_any_text_becomes_a_line_the_tables_take(text: str, most: int) -> None:
    line = incidents.one_line(text, most)
    assert line.isprintable() or any(letter in line for letter in "\u200c\u200d") or not line.isascii()
    assert line == line.strip()
    assert not line.startswith(("=", "+", "-", "@"))
    assert len(line) <= most + 2
    line.encode()
    assert "\n" not in line
    assert incidents.one_line(line, most + 2) == line


def test_long_text_is_cut_where_one_sees_it() -> None:
    assert incidents.one_line("a" * 300) == "a" * 197 + "..."


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-06-01T10:00:00Z", "2024-06-01T10:00"),
        ("2024-06-01T10:00:59.999Z", "2024-06-01T10:00"),
        ("2024-06-01T10:00:30.412-07:00", "2024-06-01T17:00"),
        ("2024-06-01 10:00:00 UTC", "2024-06-01T10:00"),
        ("2024-06-01 10:00 GMT", "2024-06-01T10:00"),
        ("2024-06-01 10:00:00 +0530", "2024-06-01T04:30"),
        ("2024-12-31T23:30-01:00", "2025-01-01T00:30"),
        ("20240601T100000Z", "2024-06-01T10:00"),
    ],
)
def test_times_become_utc(text: str, utc: str) -> None:
    assert incidents.moment(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["2024-06-01T10:00:00", "2024-06-01 10:00", "2024-06-01"])
def test_a_time_without_a_zone_is_refused_unless_assumed(text: str) -> None:
    with pytest.raises(ValueError, match="--assume-utc"):
        incidents.moment(text)
    assert incidents.moment(text, assume_utc=True).date().isoformat() == "2024-06-01"


@pytest.mark.parametrize("assume_utc", [False, True])
@pytest.mark.parametrize(
    "text", ["", "soon", "1717236000", "2024-13-01T00:00Z", "1/6/2024", "22.02.2014 19:00", "22.02.2014 19:00 UTC"]
)
def test_what_is_no_time(text: str, assume_utc: bool) -> None:
    with pytest.raises(
        ValueError, match=r"^a time written 2014-02-22T19:00Z, or with an offset, 2014-02-22T20:00\+01:00$"
    ):
        incidents.moment(text, assume_utc)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00+05:00", "9999-12-31T23:00-05:00", "2100-01-01T00:00Z", "1899-12-31"]
)
def test_what_is_too_long_ago_or_too_far_ahead(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a time of the years 1900 to 2099$"):
        incidents.moment(text, assume_utc=True)


@given(st.datetimes(datetime(1900, 1, 2), datetime(2099, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_any_time_keeps_its_moment_to_the_minute(naive: datetime, offset: int) -> None:
    zoned = naive.replace(tzinfo=UTC).astimezone(__import__("datetime").timezone(timedelta(minutes=offset)))
    found = incidents.moment(zoned.isoformat())
    assert timedelta(0) <= zoned - found < timedelta(minutes=1)
    assert DATE.fullmatch(f"{found:%Y-%m-%dT%H:%MZ}")


def test_an_end_is_after_the_start() -> None:
    assert incidents.checked_end(START, None, "end") is None
    assert incidents.checked_end(START, START, "end") == START + timedelta(minutes=1)
    with pytest.raises(UnreadableError, match="a time after the start, 2024-06-01T10:00Z"):
        incidents.checked_end(START, START - timedelta(minutes=1), "end")


def one(key: str, impact: str) -> Incident:
    return Incident(f"h:{key}", START, None, key, impact, where=f"incident {key}")


def test_what_counts_as_an_outage() -> None:
    every = [one(impact or "unstated", impact) for impact in ("none", "minor", "major", "critical", "maintenance", "")]

    def taken(least: str, known: tuple[str, ...] = ()) -> list[str]:
        chosen, left = incidents.chosen(every, least, known)
        assert len(chosen) + len(left) == len(every)
        return [incident.name for incident in chosen]

    assert taken("minor") == ["minor", "major", "critical", "unstated"]
    assert taken("major") == ["major", "critical"]
    assert taken("critical") == ["critical"]
    # An incident in the tables is brought up to date, whatever its impact is by now.
    assert taken("critical", ("h:none",)) == ["none", "critical"]


def test_an_id_counts_once() -> None:
    kept, refused = incidents.once([one("a", "major"), one("b", "major"), one("a", "minor")])
    assert [incident.impact for incident in kept] == ["major", "major"]
    assert [str(line) for line in refused] == [
        "incident a: id: 'h:a': expected each id once; incident a has it and is taken"
    ]


def test_what_is_refused_is_one_printable_line() -> None:
    line = str(Refused("row 3", "cause", "x\u202e\n" + "y" * 200, "text"))
    assert line.isprintable()
    assert len(line) < 140
