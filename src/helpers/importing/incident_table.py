"""Incidents from any table: a CSV file, and a map from its columns to those of the evidence."""

from __future__ import annotations

import csv
import difflib
import html
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from helpers import schemas
from helpers.importing import incidents
from helpers.importing.feeds import FeedError
from helpers.importing.incidents import DAY, IMPACTS, MAINTENANCE, Feed, Incident, Refused, UnreadableError
from helpers.params import ParameterError

#: Columns of outages.csv that are taken over as they are.
MORE = (
    "duration_hours", "affected_users", "affected_unit", "affected_users_basis", "cause_category",
    "confounders", "operator", "note",
)  # fmt: skip
#: What a column may be mapped to.
MAPPED = ("id", "start_utc", "end_utc", "impact", "cause", "scope", *MORE)
#: What may be set for all rows alike.
SET = ("kind", "cause", "scope", *(name for name in MORE if name not in ("duration_hours", "affected_users")))
_FIELDS = {item.name: item for item in schemas.FIELDS["outages"]}
_LIST = re.compile(r"[;|]")
_ENTITY = re.compile(r"&#?\w{1,20};")
_NUMBER = re.compile(r"\d+(\.\d+)?")
#: Duration and edges may differ by so much, as in the rules of the tables.
_PLAY_HOURS = 0.1


def pairs(words: Iterable[str], option: str, allowed: Collection[str]) -> dict[str, str]:
    """Read words like "column=field".

    Returns
    -------
    dict of str to str
        What stands left of the last "=" by field for "--map", and what stands right of the first by field
        for "--set": field to column, field to value.

    Raises
    ------
    ParameterError
        If a word has no "=", the field is not one of `allowed`, or it is given twice.
    """
    found: dict[str, str] = {}
    for word in words:
        # A column may have any name; a value may be any text.
        left, equals, right = word.rpartition("=") if option == "--map" else word.partition("=")
        field, value = (right, left) if option == "--map" else (left, right)
        field = field.strip()
        if not equals or not value.strip():
            form = "COLUMN=FIELD" if option == "--map" else "FIELD=VALUE"
            raise ParameterError(f"{option}: given {word!r}, expected {form}")
        if field not in allowed:
            near = difflib.get_close_matches(field, list(allowed), n=1, cutoff=0.6)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ParameterError(f"{option}: given {field!r}, expected one of {', '.join(allowed)}{hint}")
        if field in found:
            raise ParameterError(f"{option}: {field} given twice, {found[field]!r} and {value!r}, expected once")
        found[field] = value.strip()
    return found


def check_set(values: Mapping[str, str]) -> dict[str, str]:
    """Return values for all rows, cleaned.

    Raises
    ------
    ParameterError
        If one does not fit its column.
    """
    clean = {name: incidents.one_line(value, 400) for name, value in values.items()}
    for name, value in clean.items():
        try:
            _check(name, value)
        except UnreadableError as error:
            raise ParameterError(f"--set: {error}") from None
    return clean


def read(
    data: bytes,
    columns: Mapping[str, str],
    host: str,
    fixed: Mapping[str, str] | None = None,
    assume_utc: bool = False,
) -> Feed:
    """Read the incidents of a CSV file.

    Parameters
    ----------
    data : bytes
        UTF-8, with a header; comma, semicolon or tab between fields.
    columns : mapping of str to str
        Column of the file by field, `MAPPED`. Without an id the start serves as one.
    host : str
        What to put before the ids.
    fixed : mapping of str to str, optional
        Values for all rows, checked already.
    assume_utc : bool
        Whether a time without a zone is one in UTC, not a fault.

    Returns
    -------
    Feed
        Incidents in UTC, in the order of the file. Plain dates make an incident of whole days.

    Raises
    ------
    FeedError
        If it is no such table. A single bad row is listed in `refused`, the others go on.
    ParameterError
        If a mapped column is not in the file, or no column holds the start.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeedError(f"not text in UTF-8 (byte {error.start}), expected a table in CSV") from None
    if not text.strip():
        raise FeedError("the file is empty, expected a table in CSV with a header")
    if "start_utc" not in columns:
        raise ParameterError("--map: no column for start_utc, expected COLUMN=start_utc")
    records = _records(text)
    _, header = next(records, (0, []))
    places = {field: _place(column, header) for field, column in columns.items()}
    found, refused, newest = [], [], None
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        where = f"row {line}"
        try:
            if len(cells) != len(header):
                raise UnreadableError("fields", len(cells), f"{len(header)}, as the header has")
            row = {field: cells[place].strip() for field, place in places.items()}
            incident = _incident(row, host, fixed or {}, assume_utc, where)
        except UnreadableError as error:
            refused.append(Refused(where, columns.get(error.field, error.field), error.value, error.expected))
            continue
        found.append(incident)
        newest = max(newest or incident.start, incident.end or incident.start)
    kept, twice = incidents.once(found)
    return Feed("", "", host, newest, kept, (*refused, *twice))


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line it begins on."""
    head = text.partition("\n")[0]
    mark = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise FeedError(f"row {line}: {error}, expected a table in CSV") from None


def _place(column: str, header: list[str]) -> int:
    names = [name.strip() for name in header]
    if names.count(column) != 1:
        near = difflib.get_close_matches(column, names, n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]}?" if near else ""
        state = "twice in" if column in names else "not in"
        raise ParameterError(f"--map: column {column!r} is {state} the header {', '.join(names)[:200]}{hint}")
    return names.index(column)


def _incident(row: Mapping[str, str], host: str, fixed: Mapping[str, str], assume_utc: bool, where: str) -> Incident:
    start = _time("start_utc", row["start_utc"], assume_utc)
    end = _time("end_utc", row["end_utc"], assume_utc) if row.get("end_utc") else None
    days = any(incidents.is_date(row.get(name, "")) for name in ("start_utc", "end_utc"))
    if days:
        # With one edge known to the day only, the incident is: a day's end is the midnight after it.
        start = start.replace(hour=0, minute=0)
        end = end and end.replace(hour=0, minute=0) + DAY
    end = incidents.checked_end(start, end, "end_utc")
    impact = row.get("impact", "").lower()
    if impact not in ("", *IMPACTS, MAINTENANCE):
        raise UnreadableError("impact", impact, f"{', '.join(IMPACTS)}, {MAINTENANCE} or nothing")
    given = row.get("id", f"{start:%Y-%m-%dT%H:%MZ}")
    if not re.fullmatch(incidents.ID, given):
        raise UnreadableError("id", given, "an id of letters and digits without blanks, at most 100")
    more = {name: incidents.one_line(row[name], 400) for name in MORE if row.get(name)}
    if "affected_users" not in more:
        more.pop("affected_unit", None)
    for name in more:
        if _FIELDS[name].kind != "string":
            more[name] = row[name]
        _check(name, more[name])
    _check_together(more, fixed, start, end, days)
    return Incident(
        key=f"{host}:{given}",
        start=start,
        end=end,
        name=incidents.title(row.get("cause", "")),
        impact=impact,
        parts=incidents.parts(_split(row.get("scope", ""))),
        days=days,
        more=more,
        where=where,
    )


def _split(scope: str) -> list[str]:
    """Part a list of components; a semicolon that ends an entity, as in "R&amp;D", parts nothing."""

    def hidden(found: re.Match[str]) -> str:
        return found[0] if html.unescape(found[0]) == found[0] else f"{found[0][:-1]}\0"

    return [part.replace("\0", ";") for part in _LIST.split(_ENTITY.sub(hidden, scope.replace("\0", " ")))]


def _time(name: str, text: str, assume_utc: bool) -> datetime:
    try:
        return incidents.moment(text, assume_utc)
    except ValueError as error:
        raise UnreadableError(name, text, str(error)) from None


def _check(name: str, value: str) -> None:
    """Hold one cell to what its column may hold."""
    item = _FIELDS[name]
    if item.enum and value not in item.enum:
        near = difflib.get_close_matches(value, item.enum, n=1, cutoff=0.6)
        raise UnreadableError(
            name, value, f"one of {', '.join(item.enum)}" + (f"; did you mean {near[0]}?" if near else "")
        )
    if item.kind in ("number", "integer"):
        whole = item.kind == "integer"
        good = _NUMBER.fullmatch(value) and not (whole and "." in value) and len(value) <= 15
        if not good or float(value) < (item.least or 0):
            raise UnreadableError(
                name, value, f"a {'whole ' * whole}number of at least {item.least:g}, without thousands separators"
            )


def _check_together(
    more: Mapping[str, str], fixed: Mapping[str, str], start: datetime, end: datetime | None, days: bool
) -> None:
    unit = more.get("affected_unit") or fixed.get("affected_unit")
    if "affected_users" in more and not unit:
        raise UnreadableError("affected_unit", "", "a unit for affected_users, by --map or --set affected_unit=users")
    if end is not None and not days and "duration_hours" in more:
        hours = (end - start).total_seconds() / 3600
        if abs(float(more["duration_hours"]) - hours) > _PLAY_HOURS:
            raise UnreadableError("duration_hours", more["duration_hours"], f"{hours:.3g}, the hours from start to end")
