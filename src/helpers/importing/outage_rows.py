"""One row of outages.csv from incidents that overlap: made new, or brought up to date.

Who owns a cell decides who may change it. Start and end belong to the feed as long as the note says that they are
from it; whoever knows better edits them and takes that sentence out. Cause and scope belong to the feed while it is
the row's only source and nobody has given a category of cause. All else belongs to whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from helpers import schemas
from helpers.importing.incidents import DAY, IMPACTS, MINUTE, Incident
from helpers.importing.origin import Origin, Row

_COLUMNS = tuple(item.name for item in schemas.FIELDS["outages"])
_LATER = ", the times of its posts: the true ones may be earlier"
_MORE = re.compile(r"and \d+ more")
#: As in the rules of the tables.
_PLAY_HOURS = 0.1
_AFFECTED = ("affected_users", "affected_unit", "affected_users_basis")
_MOST_CAUSE, _MOST_SCOPE = 400, 200


@dataclass(frozen=True)
class Draft:
    """What the feed says about one outage.

    Attributes
    ----------
    start, end : datetime, UTC; the end is None while one of the incidents is not over.
    until : datetime; the end, or the last moment known to belong to it.
    days : only the dates are known.
    names, parts : of all incidents, in the order of their starts, each once.
    impact : the largest that is stated, or empty.
    keys : external ids, in the order of the starts.
    more : further columns.
    """

    start: datetime
    end: datetime | None
    until: datetime
    days: bool
    names: tuple[str, ...]
    parts: tuple[str, ...]
    impact: str
    keys: tuple[str, ...]
    more: Mapping[str, str]

    @property
    def edges(self) -> Row:
        """Start, end, precision and length as cells."""
        if self.days:
            end = f"{self.end - DAY:%Y-%m-%d}" if self.end else ""
            return {"start_utc": f"{self.start:%Y-%m-%d}", "end_utc": end, "time_precision": "day"}
        return {
            "start_utc": _minute(self.start),
            "end_utc": _minute(self.end) if self.end else "",
            "time_precision": "minute",
            "duration_hours": hours(self.start, self.end) if self.end else "",
        }


def draft(members: Iterable[Incident]) -> Draft:
    """Put overlapping incidents together: the earliest start, the latest end, all names, parts and ids."""
    ordered = sorted(members, key=lambda one: (one.start, one.key))
    stated = [one.impact for one in ordered if one.impact in IMPACTS]
    more: Row = {}
    for one in ordered:
        for name, value in one.more.items():
            more.setdefault(name, value)
    if len(ordered) > 1:
        more.pop("duration_hours", None)  # of one of them, not of all
        largest = max(ordered, key=lambda one: int(one.more.get("affected_users", 0)))
        more |= {name: largest.more.get(name, "") for name in _AFFECTED if name in more}
    days = any(one.days for one in ordered)
    start = min(one.start for one in ordered)
    ends = [one.end for one in ordered if one.end]
    end = max(ends) if len(ends) == len(ordered) else None
    start, end = _whole_days(start, end) if days else (start, end)
    return Draft(
        start=start,
        end=end,
        until=max(one.until for one in ordered),
        days=days,
        names=tuple(dict.fromkeys(one.name for one in ordered if one.name)),
        parts=tuple(dict.fromkeys(part for one in ordered for part in one.parts)),
        impact=max(stated, key=IMPACTS.index) if stated else next((one.impact for one in ordered), ""),
        keys=tuple(one.key for one in ordered),
        more=more,
    )


def made(found: Draft, origin: Origin, outage_id: str) -> Row:
    """Return a new row."""
    row = dict.fromkeys(_COLUMNS, "")
    row |= {"kind": "outage", "cause_category": "unknown", **origin.fixed, **found.more}
    row |= {
        "outage_id": outage_id,
        "service_id": origin.service_id,
        "service": origin.service,
        "incidents": "1",
        **found.edges,
        "external_ids": ";".join(found.keys),
        "source_ids": origin.source_id,
    }
    row["duration_hours"] = row["duration_hours"] or found.more.get("duration_hours", "")
    row["cause"] = _listed(found.names, "; ", _MOST_CAUSE) or row["cause"]
    row["scope"] = _listed(found.parts, ", ", _MOST_SCOPE) or row["scope"]
    row["note"] = " ".join(part for part in (row["note"], sentence(origin, found.impact)) if part)
    if not row["affected_users"]:
        row["affected_unit"] = ""
    return row


def updated(row: Row, found: Draft, origin: Origin, lost: Sequence[Row] = ()) -> tuple[Row, str]:
    """Bring a row up to date.

    Parameters
    ----------
    row : dict
        The row as it stands.
    found : Draft
        What the feed says by now about the incidents of the row, and others that overlap them.
    origin : Origin
        Where the import is from.
    lost : sequence of dict
        Rows that become part of this one.

    Returns
    -------
    tuple of dict and str
        The row as it is to stand, and, where the row keeps times that differ from the feed's, those of the feed.
    """
    new, kept = dict(row), ""
    only = row["source_ids"] == origin.source_id
    rows = (row, *lost)
    # Some of the incidents may have left the feed: of those, only the rows know.
    partly = [one for one in rows if set(keys(one)) - set(found.keys)]
    unseen = [key for one in partly for key in keys(one) if key not in found.keys]
    new["external_ids"] = ";".join([*unseen, *found.keys])
    if origin.source_id not in row["source_ids"].split(";"):
        new["source_ids"] = f"{row['source_ids']};{origin.source_id}"
    if from_feed(row, origin):
        wide = found
        for one in partly:
            wide = _wider(one, wide)
        _set_edges(new, wide)
        impact = _larger(rows, found.impact, origin) if unseen or not found.impact else found.impact
        new["note"] = _sentence(origin).sub(lambda _: sentence(origin, impact), row["note"], count=1)
    elif row["incidents"] == "1":
        kept = _fill(new, found, origin)
    given = found.more.get("cause_category") or origin.fixed.get("cause_category")
    own_words = only and row["cause_category"] in ("unknown", given)
    for name, said, mark, most in (
        ("cause", found.names, "; ", _MOST_CAUSE),
        ("scope", found.parts, ", ", _MOST_SCOPE),
    ):
        if said and not row[name]:
            new[name] = _listed(said, mark, most)
        elif said and (own_words if name == "cause" else only):
            more = [part for one in lost for part in one[name].split(mark) if part] if unseen else []
            new[name] = _longer(row[name], [*more, *said], mark, most) if unseen else _listed(said, mark, most)
    for name, value in found.more.items():
        # The length is part of the edges, and a note is more than the feed's part of it.
        if name not in ("note", "duration_hours") and (only or not row[name]):
            new[name] = value
    if new["affected_users"] and not new["affected_unit"]:
        new["affected_unit"] = origin.fixed.get("affected_unit", "")
    return new, kept


def from_feed(row: Row, origin: Origin) -> bool:
    """Say whether start and end of a row are the feed's, as its note says."""
    return bool(_sentence(origin).search(row["note"]))


def untouched(row: Row, found: Draft, origin: Origin) -> bool:
    """Say whether a row holds nothing but what this feed put there."""
    fresh = made(found, origin, row["outage_id"])
    own = ("outage_id", "external_ids", "start_utc", "end_utc", "time_precision", "duration_hours", "cause", "scope")
    same = all(row[name] == fresh[name] for name in _COLUMNS if name not in (*own, "note"))
    return same and bool(_sentence(origin).fullmatch(row["note"]))


def sentence(origin: Origin, impact: str) -> str:
    """Return the part of the note that belongs to the feed."""
    stated = f"Impact {impact}. " if impact else ""
    return f"{stated}Start and end are from {origin.source_id}{_LATER if origin.posts else ''}."


def span(row: Row, unknown: timedelta = DAY) -> tuple[datetime, datetime]:
    """Return from when to when an event may have lasted, UTC; the end is not part of it.

    A start or end known to the hour may lie an hour off. Without an end it is the published length, else the whole
    day where only that is known, else as long as `unknown`.
    """
    start = _time(row["start_utc"])
    play = (DAY / 24) if row["time_precision"] == "hour" else DAY * 0
    if row["end_utc"]:
        end = _time(row["end_utc"]) + (DAY if len(row["end_utc"]) == len("2014-02-22") else play)
    elif row["time_precision"] != "day" and row["duration_hours"]:
        end = start + DAY / 24 * float(row["duration_hours"]) + play
    else:
        end = start + (DAY if row["time_precision"] == "day" else unknown)
    return start - play, max(end, start + MINUTE)


def keys(row: Row) -> list[str]:
    """Return the external ids of a row."""
    return row["external_ids"].split(";") if row["external_ids"] else []


def hours(start: datetime, end: datetime) -> str:
    """Return the hours between two times, to two decimals."""
    return f"{(end - start).total_seconds() / 3600:.2f}".rstrip("0").rstrip(".")


def _fill(new: Row, found: Draft, origin: Origin) -> str:
    """Take from the feed what a row published elsewhere lacks; return the feed's times where they differ."""
    said = found.edges
    stated = f"{said['start_utc']} to {said['end_utc'] or 'now'}"
    if found.end is None or found.days:
        return ""
    if new["time_precision"] in ("hour", "day"):
        published, length = new["duration_hours"], hours(found.start, found.end)
        if published and not new["duration_low_hours"] and abs(float(published) - float(length)) > _PLAY_HOURS:
            new["duration_low_hours"] = new["duration_high_hours"] = published
        _set_edges(new, found)
        new["note"] = " ".join(part for part in (new["note"], sentence(origin, found.impact)) if part)
        return ""
    if new["time_precision"] == "minute" and not new["end_utc"]:
        start = _time(new["start_utc"])
        length = hours(start, found.end)
        fits = not new["duration_hours"] or abs(float(new["duration_hours"]) - float(length)) <= _PLAY_HOURS
        if found.end > start and fits:
            new["end_utc"] = said["end_utc"]
            new["duration_hours"] = new["duration_hours"] or length
            new["note"] = " ".join(part for part in (new["note"], f"End from {origin.source_id}.") if part)
            return ""
    same = (new["start_utc"], new["end_utc"]) == (said["start_utc"], said["end_utc"])
    return "" if same else stated


def _set_edges(new: Row, found: Draft) -> None:
    """Put the feed's times into a row; a published range of lengths is widened to hold the new one."""
    said, before = found.edges, dict(new)
    new |= said
    if found.days or not (found.end or before["end_utc"]):
        # Nothing to compute it from: the length is what was published, if anything was.
        new["duration_hours"] = found.more.get("duration_hours", before["duration_hours"])
    ranged = [new["duration_low_hours"], new["duration_high_hours"]]
    if all(ranged) and new["duration_hours"]:
        ranged.append(new["duration_hours"])
        new["duration_low_hours"], new["duration_high_hours"] = min(ranged, key=float), max(ranged, key=float)


def _wider(row: Row, found: Draft) -> Draft:
    """Return what the feed says, widened to the row: some of its incidents have left the feed."""
    start = min(found.start, _time(row["start_utc"]))
    end = found.end
    if end and row["end_utc"]:
        day = len(row["end_utc"]) == len("2014-02-22")
        end = max(end, _time(row["end_utc"]) + (DAY if day else DAY * 0))
    days = found.days or row["time_precision"] == "day"
    start, end = _whole_days(start, end) if days else (start, end)
    return replace(found, start=start, end=end, days=days)


def _larger(rows: Iterable[Row], impact: str, origin: Origin) -> str:
    """Return the largest of the impacts that notes tell and that of the feed."""
    told = [match[1] for row in rows if (match := _sentence(origin).search(row["note"])) and match[1]]
    stated = [one for one in (*told, impact) if one]
    return max(stated, key=lambda one: IMPACTS.index(one) if one in IMPACTS else -1, default="")


def _sentence(origin: Origin) -> re.Pattern[str]:
    own = re.escape(origin.source_id)
    return re.compile(rf"(?:Impact (\w+)\. )?Start and end are from {own}(?:{re.escape(_LATER)})?\.")


def _listed(parts: Sequence[str], mark: str, most: int) -> str:
    """Join parts, each once and as many as fit; say how many do not."""
    parts = list(dict.fromkeys(mark.join(parts).split(mark)))  # a part may hold the mark itself
    text = mark.join(parts)
    count = len(parts)
    while len(text) > most and count > 1:
        count -= 1
        text = mark.join([*parts[:count], f"and {len(parts) - count} more"])
    return text


def _longer(text: str, said: Sequence[str], mark: str, most: int) -> str:
    """Add what is new to a list that was joined before; one that was cut short stays as it is."""
    there = text.split(mark)
    return text if _MORE.fullmatch(there[-1]) else _listed([*there, *said], mark, most)


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%MZ}"


def _whole_days(start: datetime, end: datetime | None) -> tuple[datetime, datetime | None]:
    """Widen times to midnights."""
    late = end and end.replace(hour=0, minute=0)
    return start.replace(hour=0, minute=0), late if late == end else late and late + DAY


def _time(cell: str) -> datetime:
    found = datetime.fromisoformat(cell)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
