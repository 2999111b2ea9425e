"""Merging incidents into the evidence: which rows are new, which change, what stands against it.

A row is found by the ids it was imported with. Incidents of one feed that overlap are one outage, also where the
other one is in the table already. One that overlaps a row from elsewhere is left to a person, unless told otherwise.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from helpers.importing import outage_rows
from helpers.importing.incidents import MINUTE, Incident, Refused
from helpers.importing.origin import Origin, Row
from helpers.importing.outage_rows import Draft

Overlaps = Literal["report", "merge", "add"]
State = Literal["new", "changed", "same", "against"]
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Outcome:
    """What becomes of one outage of the feed.

    Attributes
    ----------
    found : what the feed says.
    before : the row as it stands; None for an outage that is new.
    after : the row as it is to stand; None where it is not imported.
    lost : ids of rows that become part of this one.
    kept : the feed's times, where the row keeps times of its own.
    rows : ids of the rows that stand against it.
    advice : what a person can do then.
    """

    found: Draft
    before: Row | None = None
    after: Row | None = None
    lost: tuple[str, ...] = ()
    kept: str = ""
    rows: tuple[str, ...] = ()
    advice: str = ""

    @property
    def name(self) -> str:
        """Key of the row; empty where there is none."""
        return self.after["outage_id"] if self.after else ""

    @property
    def changes(self) -> dict[str, tuple[str, str]]:
        """The cells of an old row that change: what stands there and what is to, by column."""
        if not (self.before and self.after):
            return {}
        return {name: (old, self.after[name]) for name, old in self.before.items() if old != self.after[name]}

    @property
    def state(self) -> State:
        """Whether the row is new, changed, or as it was, or the outage is not imported."""
        if self.after is None:
            return "against"
        return "new" if self.before is None else "changed" if self.changes or self.lost else "same"


@dataclass(frozen=True)
class Merge:
    """What an import does to outages.csv.

    Attributes
    ----------
    rows : the whole table as it is to stand: old rows in their order, then the new ones by start.
    outcomes : what becomes of each outage of the feed, by start.
    refused : incidents that cannot be imported.
    """

    rows: list[Row]
    outcomes: list[Outcome]
    refused: list[Refused]

    def those(self, state: State) -> list[Outcome]:
        """Return the outages that end so."""
        return [outcome for outcome in self.outcomes if outcome.state == state]

    def count(self, state: State) -> int:
        """Return how many incidents are in outages that end so."""
        return sum(len(outcome.found.keys) for outcome in self.those(state))

    @property
    def changed(self) -> bool:
        """Whether the table is to be written."""
        return any(outcome.state in ("new", "changed") for outcome in self.outcomes)


@dataclass(frozen=True)
class _Group:
    """Incidents and rows that are one outage."""

    found: Draft
    rows: tuple[Row, ...]


def merge(
    outages: Sequence[Row],
    figures: Sequence[Row],
    incidents: Iterable[Incident],
    origin: Origin,
    overlaps: Overlaps = "report",
) -> Merge:
    """Work out what an import does; the tables given are left as they are.

    Parameters
    ----------
    outages, figures : sequence of dict
        Rows of outages.csv and growth_figures.csv, without problems.
    incidents : iterable of Incident
        Those that count as outages, each id once.
    origin : Origin
        Where they are from.
    overlaps : {"report", "merge", "add"}
        What becomes of an outage that overlaps one row from elsewhere of the same service and kind: it is
        reported and left out; the row takes its ids and what it lacks; or it becomes a row of its own.
        Rows of precision month, which are brackets, and rows of several incidents overlap nothing.
    """
    usable, refused = _of_this_service(outages, incidents, origin)
    groups = list(_groups(usable, outages, origin))
    names = _Names({row["outage_id"] for row in outages})
    referred = {row["outage_id"] for row in figures}
    referred |= {key for row in outages for key in row["confounder_ids"].split(";")}
    met = _met(groups, outages, origin) if overlaps != "add" else {}
    times_met = Counter(number for numbers in met.values() for number in numbers)

    outcomes = []
    for place, group in enumerate(groups):
        against = [outages[number] for number in met.get(place, ())]
        lone = len(against) == 1 and times_met[met[place][0]] == 1
        if lone and overlaps == "merge":
            group, against = _Group(group.found, tuple(against)), []
        if against:
            advice = "--overlaps merge joins them, --overlaps add keeps both" if lone else "several meet: join by hand"
            outcomes.append(Outcome(group.found, rows=_ids(against), advice=advice))
        elif group.rows:
            outcomes.append(_brought_up_to_date(group, origin, referred))
        else:
            row = outage_rows.made(group.found, origin, names.free(origin.service_id, group.found.start))
            outcomes.append(Outcome(group.found, after=row))
    lost = {name for outcome in outcomes for name in outcome.lost}
    now = {outcome.name: outcome.after for outcome in outcomes if outcome.before and outcome.after}
    rows = [now.get(row["outage_id"], row) for row in outages if row["outage_id"] not in lost]
    rows += [outcome.after for outcome in outcomes if outcome.after and not outcome.before]
    return Merge(rows, outcomes, refused)


def _of_this_service(
    outages: Sequence[Row], incidents: Iterable[Incident], origin: Origin
) -> tuple[list[Incident], list[Refused]]:
    owners = {key: row for row in outages for key in outage_rows.keys(row)}
    usable, refused = [], []
    for incident in incidents:
        owner = owners.get(incident.key)
        if owner and owner["service_id"] != origin.service_id:
            expected = f"an incident of {origin.service_id}; {owner['outage_id']} of {owner['service_id']} has this id"
            refused.append(Refused(incident.where, "id", incident.key, expected))
        else:
            usable.append(incident)
    return usable, refused


def _groups(incidents: Sequence[Incident], outages: Sequence[Row], origin: Origin) -> Iterator[_Group]:
    """Yield what is one outage, by start: incidents that overlap, and the rows that hold one of their ids."""
    from scipy.cluster.hierarchy import DisjointSet

    here = {incident.key: number for number, incident in enumerate(incidents)}
    start = f"{origin.host}:"
    rows = [
        (row, keys)
        for row, keys in ((row, outage_rows.keys(row)) for row in outages if row["service_id"] == origin.service_id)
        if any(key.startswith(start) for key in keys)
    ]
    sets = DisjointSet(range(len(incidents) + len(rows)))
    spans = [((incident.start, incident.until), number) for number, incident in enumerate(incidents)]
    for number, (row, keys) in enumerate(rows, len(incidents)):
        for key in keys:
            if key in here:
                sets.merge(number, here[key])
        # Incidents that have left the feed are known by their row only, and a row may have times of its own.
        # One that is not over lasts no longer than anybody knows, or it would take in all that comes after.
        alone = any(key not in here for key in keys) or not outage_rows.from_feed(row, origin)
        if alone and _exact(row):
            spans.append((outage_rows.span(row, MINUTE), number))
    latest: tuple[datetime, int] | None = None
    for (begin, end), number in sorted(spans):
        if latest and begin < latest[0]:
            sets.merge(latest[1], number)
            latest = max(latest[0], end), number
        else:
            latest = end, number
    found = []
    for members in sets.subsets():
        inside = sorted(members)
        own = [incidents[number] for number in inside if number < len(incidents)]
        if own:
            held = tuple(rows[number - len(incidents)][0] for number in inside if number >= len(incidents))
            found.append(_Group(outage_rows.draft(own), held))
    yield from sorted(found, key=lambda group: (group.found.start, group.found.keys))


def _brought_up_to_date(group: _Group, origin: Origin, referred: set[str]) -> Outcome:
    """Bring the row of a group up to date; of several, one stays, if a person has worked on one at most."""
    rows = sorted(group.rows, key=outage_rows.span)
    worked = [
        row for row in rows if row["outage_id"] in referred or not outage_rows.untouched(row, group.found, origin)
    ]
    if len(rows) > 1 and len(worked) > 1:
        return Outcome(group.found, rows=_ids(rows), advice="one outage by the feed now: join the rows by hand")
    row = (worked or rows)[0]
    lost = [other for other in rows if other is not row]
    after, kept = outage_rows.updated(row, group.found, origin, lost)
    return Outcome(group.found, row, after, _ids(lost), kept)


def _ids(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(row["outage_id"] for row in rows)


def _met(groups: Sequence[_Group], outages: Sequence[Row], origin: Origin) -> Mapping[int, tuple[int, ...]]:
    """Return, by number of a group without a row, the numbers of the rows from elsewhere that it overlaps."""
    taken = {key for group in groups for key in group.found.keys}
    fresh = [(number, group.found) for number, group in enumerate(groups) if not group.rows]
    there = [
        number
        for number, row in enumerate(outages)
        if row["service_id"] == origin.service_id
        and row["kind"] == origin.kind
        and _exact(row)
        and not taken & set(outage_rows.keys(row))
    ]
    left = [(found.start, found.end or found.until) for _, found in fresh]
    found: dict[int, list[int]] = {}
    for one, other in _overlapping(left, [outage_rows.span(outages[number]) for number in there]):
        found.setdefault(fresh[one][0], []).append(there[other])
    return {one: tuple(sorted(others)) for one, others in found.items()}


def _exact(row: Row) -> bool:
    return row["time_precision"] != "month" and row["incidents"] == "1"


def _overlapping(left: Sequence[Span], right: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of one span of each side that overlap, in the time that sorting and the pairs take."""
    events = sorted(
        (begin, end, side, number)
        for side, spans in enumerate((left, right))
        for number, (begin, end) in enumerate(spans)
    )
    going: tuple[list[tuple[datetime, int]], list[tuple[datetime, int]]] = ([], [])
    for begin, end, side, number in events:
        others = going[1 - side]
        while others and others[0][0] <= begin:
            heapq.heappop(others)
        for _, other in others:
            yield (number, other) if side == 0 else (other, number)
        heapq.heappush(going[side], (end, number))


class _Names:
    """Ids of outages: service and date, then -2, -3 and so on; an id once taken is never given again."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._last: dict[str, int] = {}

    def free(self, service_id: str, start: datetime) -> str:
        base = f"{service_id}-{start:%Y-%m-%d}"
        number = self._last.get(base, 0) + 1
        while (name := base if number == 1 else f"{base}-{number}") in self._taken:
            number += 1
        self._last[base] = number
        self._taken.add(name)
        return name
