"""Incidents as status pages and lists tell them: text cleaned, times in UTC, what cannot be read listed."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from helpers.words import FORMULA

#: From what nobody notices to what everybody does. Maintenance is announced, so it stands outside.
IMPACTS = ("none", "minor", "major", "critical")
MAINTENANCE = "maintenance"
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
#: What may stand after the colon of an external id: visible ASCII without the separator of a cell.
ID = r"[!-:<-~]{1,100}"

_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_ZONE_NAME = re.compile(r"\s*(?:UTC|GMT)$")
_SPACED_OFFSET = re.compile(r"\s+([+-]\d\d:?\d\d)$")
#: Zero-width joiners shape letters (Persian, Indic scripts, emoji) and move nothing.
_JOINERS = "\u200c\u200d"
_WITH_ZONE = "a time with its zone, 2014-02-22T19:00Z (or --assume-utc, where all times are UTC)"
_ANY_TIME = "a time written 2014-02-22T19:00Z, or with an offset, 2014-02-22T20:00+01:00"
_YEARS = "a time of the years 1900 to 2099"


class UnreadableError(ValueError):
    """One incident cannot be used: which field, what stands there, what was expected."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        """Hold the parts, as `Refused` lists them."""
        self.field, self.value, self.expected = name, str(value), expected
        super().__init__(f"{name}: {value!r}, expected {expected}")


@dataclass(frozen=True)
class Refused:
    """An incident that is not imported, and why.

    Attributes
    ----------
    where : position and id in the feed, "incident 3 (kctbh9vrtdwd)" or "row 12".
    field, value, expected : what could not be used, and what could have been.
    """

    where: str
    field: str
    value: str
    expected: str

    def __str__(self) -> str:
        """Write it as one line, with a long value cut short and nothing in it that moves a cursor."""
        value = self.value if len(self.value) <= 80 else self.value[:77] + "..."
        return f"{self.where}: {self.field}: {value!r}: expected {self.expected}"


@dataclass(frozen=True)
class Incident:
    """One incident of one service.

    Attributes
    ----------
    key : external id, "githubstatus.com:kctbh9vrtdwd".
    start : datetime, UTC, to the minute.
    end : datetime or None, UTC, to the minute, after `start`; None while it is not known to be over.
    name : one line of text.
    impact : one of `IMPACTS`, "maintenance", or empty where the feed does not state it.
    parts : the components that failed.
    seen : datetime or None, UTC; the latest moment at which it is known to have been going on.
    days : only the dates are known; `start` and `end` are then midnights, `end` that after the last day.
    more : further columns of outages.csv that the feed delivers.
    where : position in the feed, for messages.
    """

    key: str
    start: datetime
    end: datetime | None
    name: str
    impact: str = ""
    parts: tuple[str, ...] = ()
    seen: datetime | None = None
    days: bool = False
    more: Mapping[str, str] = field(default_factory=dict)
    where: str = ""

    @property
    def until(self) -> datetime:
        """The end; of an incident that is not over, the minute after it was last known to go on."""
        return self.end or max(self.seen or self.start, self.start) + MINUTE


@dataclass(frozen=True)
class Feed:
    """What was read from one feed.

    Attributes
    ----------
    name : name of the page; empty where it is not told.
    address : the page, http(s)://...
    host : the part of external ids before the colon.
    newest : datetime or None, UTC; the newest update.
    incidents : all that could be read, maintenance and those without impact among them.
    refused : all that could not.
    """

    name: str
    address: str
    host: str
    newest: datetime | None
    incidents: tuple[Incident, ...]
    refused: tuple[Refused, ...]


def one_line(text: str, most: int = 200) -> str:
    """Return text as one harmless line: no markup, no control or bidirectional characters, not too long.

    A text that a spreadsheet would run as a formula is set in quotation marks.
    """
    kept = (
        " " if unicodedata.category(letter) == "Cc" else letter
        for letter in text
        if letter in _JOINERS or unicodedata.category(letter) not in ("Cf", "Cs", "Co", "Cn")
    )
    text = "".join(kept)
    while (bare := _TAG.sub("", text)) != text:  # what is left of nested tags may be a tag again
        text = bare
    text = " ".join(text.split()).strip(_JOINERS)
    if len(text) > most:
        text = text[: most - 3].rstrip() + "..."
    return f"“{text}”" if text.startswith(FORMULA) else text


def title(text: str, most: int = 200) -> str:
    """Return a name as `one_line` does. Some pages write "&amp;" in it: entities are read first, and once."""
    return one_line(html.unescape(text), most)


def parts(names: Iterable[str]) -> tuple[str, ...]:
    """Clean the names of components, each once; pages have some among them that are a notice, "Visit ..."."""
    clean = (title(name, 60) for name in names)
    return tuple(dict.fromkeys(name for name in clean if name and not name.startswith(("Visit ", "http"))))


def moment(text: str, assume_utc: bool = False) -> datetime:
    """Read a time as UTC, with its seconds cut off: the evidence is kept to the minute.

    Parameters
    ----------
    text : str
        ISO 8601, with an offset, "Z", "UTC" or "GMT"; a plain date is its midnight.
    assume_utc : bool
        Whether a time without a zone is one in UTC, not a fault.

    Raises
    ------
    ValueError
        If it is not written so, has no zone, or lies outside the years 1900 to 2099; the message says what was
        expected.
    """
    wrong = _ANY_TIME
    plain = _SPACED_OFFSET.sub(r"\1", _ZONE_NAME.sub("+00:00", text.strip()))
    try:
        found = datetime.fromisoformat(plain)
        if found.tzinfo is None and assume_utc:
            found = found.replace(tzinfo=UTC)
        wrong = _WITH_ZONE if found.tzinfo is None else _YEARS
        found = found.astimezone(UTC) if found.tzinfo else found
    except (ValueError, OverflowError):
        raise ValueError(wrong) from None
    if found.tzinfo is None or not 1900 <= found.year <= 2099:
        raise ValueError(wrong)
    return found.replace(second=0, microsecond=0)


def is_date(text: str) -> bool:
    """Say whether a text is a date without a time."""
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def checked_end(start: datetime, end: datetime | None, name: str) -> datetime | None:
    """Return an end that is after the start: an incident within one minute lasts that minute.

    Raises
    ------
    UnreadableError
        If the incident ends before it begins.
    """
    if end is not None and end < start:
        raise UnreadableError(name, f"{end:%Y-%m-%dT%H:%MZ}", f"a time after the start, {start:%Y-%m-%dT%H:%MZ}")
    return start + MINUTE if end == start else end


def once(incidents: Iterable[Incident]) -> tuple[tuple[Incident, ...], list[Refused]]:
    """Keep the first incident of every id; list the others."""
    first: dict[str, Incident] = {}
    refused = []
    for incident in incidents:
        if first.setdefault(incident.key, incident) is not incident:
            taken = first[incident.key].where
            refused.append(Refused(incident.where, "id", incident.key, f"each id once; {taken} has it and is taken"))
    return tuple(first.values()), refused


def chosen(
    incidents: Iterable[Incident], least: str, known: Iterable[str] = ()
) -> tuple[list[Incident], list[Incident]]:
    """Part what counts as an outage from what does not.

    Parameters
    ----------
    incidents : iterable of Incident
        All that could be read.
    least : str
        The smallest of `IMPACTS` that counts. An impact that is not stated counts where the least is minor,
        the least there is; with a higher one it cannot be told, and the incident is left out.
    known : iterable of str
        External ids already in the tables: their incidents stay in, whatever their impact is by now.

    Returns
    -------
    tuple of list
        Those that count, and those left out: without impact, smaller than asked for, maintenance.
    """
    wanted = {*IMPACTS[IMPACTS.index(least) :], *([""] if least in ("none", "minor") else [])}
    there = set(known)
    taken: list[Incident] = []
    left: list[Incident] = []
    for incident in incidents:
        (taken if incident.impact in wanted or incident.key in there else left).append(incident)
    return taken, left
