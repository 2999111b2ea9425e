"""Which event of the evidence a scenario is about, and whether enough is known of it to ask; read without pandas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from helpers.models import NextOutage
from helpers.values import moment

if TYPE_CHECKING:
    from helpers.params import Known

#: A published event of the service that begins so near to the scenario's start is the one that is asked about.
SAME = timedelta(days=3)
#: The event of a report that names none.
DEFAULT = str(NextOutage.model_fields["outage_id"].default)
#: Events that a message names before it says "...".
MOST_NAMED = 6
NO_DOWNTIME = "policy_shock"
_NOTHING = ("", "nan", "NaT", "<NA>", "None")


@dataclass(frozen=True)
class Published:
    """An event of the evidence: ``timed`` where its length is known, ``happened`` unless nothing failed at all."""

    outage_id: str
    service_id: str
    kind: str
    start: datetime
    timed: bool
    happened: bool


def published(row: Mapping[str, Any]) -> Published:
    """Read a row of the outages table, as text or as values."""
    whole, low = (float(_cell(row[name]) or "nan") for name in ("duration_hours", "duration_low_hours"))
    # A block or a shutdown without a length goes on; a length of nothing was averted.
    timed = whole > 0 or low > 0 or (row["kind"] in ("block", "shutdown") and whole != 0)
    return Published(
        str(row["outage_id"]),
        str(row["service_id"]),
        str(row["kind"]),
        datetime.fromisoformat(moment(_cell(row["start_utc"]))),
        timed,
        row["cause_category"] != "nothing_failed",
    )


def _cell(value: object) -> str:
    return "" if str(value) in _NOTHING else str(value)


def settle(good: dict[str, Any], known: Known) -> list[str]:
    """Put the event that is meant into `good`, and say what is missing: faults, one a line.

    An outage_id stays; else it is the event of the service, or of a group that holds it, within three days of the
    start, or without a start the latest of them; else none, and the scenario is an outage to come.
    """
    if good.get("outage_id") is None or good.get("service") not in ("", *known.services):
        return []  # said already
    if not {"kind", "start", "duration_hours"} <= good.keys():
        return []
    event = known.events.get(good["outage_id"]) if good["outage_id"] else _meant(good, known)
    if event is None and not good["service"]:
        return ["service: not given, expected the service that fails, or an event of the evidence as outage_id"]
    faults = _of_another(good["service"], event, known) if event else []
    service = good["service"] or (event.service_id if event else "")
    newest = f", the latest event of {known.services[service]}" if not (good["outage_id"] or good["start"]) else ""
    good["outage_id"] = event.outage_id if event else ""
    good["service"] = "" if event and service == event.service_id else service
    good["kind"] = good["kind"] or ("" if event else "outage")
    if service in (good.get("rivals") or ()):
        faults.append(f"rivals: given {service!r}, expected services other than the one that fails")
    return faults or [*_missing(good, event, known.services[service], newest), *_unpaid(good)]


def _of(service: str, known: Known) -> list[Published]:
    """Events of a service and of groups that hold it, in the order of time."""
    own = (one for one in known.events.values() if service in _parts(one.service_id, known))
    return sorted(own, key=lambda one: one.start)


def _parts(service: str, known: Known) -> tuple[str, ...]:
    return (service, *known.groups.get(service, ()))


def _meant(good: Mapping[str, Any], known: Known) -> Published | None:
    own = [one for one in _of(good["service"], known) if good["kind"] in ("", one.kind)]
    if not good["start"]:
        return latest(own)
    when = datetime.fromisoformat(good["start"])
    near = [one for one in own if abs(one.start - when) <= SAME]
    return min(near, key=lambda one: (abs(one.start - when), one.service_id != good["service"]), default=None)


def latest(own: list[Published]) -> Published | None:
    """Return the latest outage, else the latest block or shutdown, else the latest news; nothing where none failed."""
    rank = {"outage": 2, NO_DOWNTIME: 0}
    happened = [one for one in own if one.happened]
    return max(happened, key=lambda one: (rank.get(one.kind, 1), one.start), default=None)


def _of_another(service: str, event: Published, known: Known) -> list[str]:
    """Refuse an event of one service under the name of another."""
    if service in ("", *_parts(event.service_id, known)):
        return []
    others = [one.outage_id for one in reversed(_of(service, known))]
    named = f": {', '.join(others[:MOST_NAMED])}{', ...' if others[MOST_NAMED:] else ''}" if others else ""
    return [
        f"service: given {service!r}, expected {event.service_id}, whose event {event.outage_id} is; for an outage of "
        f"{known.services[service]} leave outage_id empty" + (f", or name one of its events{named}" if named else "")
    ]


def _missing(good: Mapping[str, Any], event: Published | None, name: str, newest: str) -> list[str]:
    """Say what neither the reader nor the evidence tells."""
    faults = []
    if event is None and not good["start"]:
        faults.append(
            f"start: not given, expected a moment, such as 2027-01-01T12:00Z: the evidence has no event of {name}"
        )
    kind = good["kind"] or (event.kind if event else "")
    if kind != NO_DOWNTIME and good["duration_hours"] is None and not (event and event.timed):
        why = f"the evidence has no event of {name} within {SAME.days} days of {good['start'] or 'it'}"
        why = f"the evidence has no length of {event.outage_id}{newest}" if event else why
        faults.append(f"duration_hours: not given, expected a number of hours: {why}")
    return faults


def _unpaid(good: Mapping[str, Any]) -> list[str]:
    """Ask for the other half of creators and their income; after the default event both have numbers of their own."""
    names = ("creators", "income_per_creator_hour")
    given = [name for name in names if good.get(name) is not None]
    if good["outage_id"] == DEFAULT or len(given) != 1 or not good[given[0]]:
        return []
    other = names[1 - names.index(given[0])]
    return [f"{other}: not given, expected a number of 0 or more beside {given[0]}"]
