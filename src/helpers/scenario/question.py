"""From checked parameters to a scenario: the event that is asked about, its rivals, and what the rule may know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import case
from helpers.case import Case, Series
from helpers.evidence import Evidence
from helpers.groups import members
from helpers.models import NextOutage
from helpers.pooled import events
from helpers.pooled.design import CONTRACT, Moments
from helpers.pooled.events import Event
from helpers.pooled.gains import CAME
from helpers.pooled.kept import Kept, load
from helpers.pooled.unusual import without
from helpers.scenario.asked import WORLD, Asked, fill
from helpers.scenario.named import SAME

#: Rivals that are predicted when none is asked for.
MOST = 4


@dataclass(frozen=True)
class Scenario:
    """An event that may happen, or did.

    ``event`` is described as those of the rule; ``rivals`` are service ids; ``real`` is the published event that it
    stands for, with its figures, or None; ``kept`` is the rule without any figure of the service's events from that day
    on, of which ``left_out`` were left out; ``rule_events`` are those that it still knows; ``unknown`` are the ids of
    all events of the service from that day on.
    """

    asked: Asked
    event: Event
    origin: pd.Timestamp
    rivals: tuple[str, ...]
    real: Case | None
    kept: Kept
    rule_events: tuple[Event, ...]
    left_out: int
    unknown: frozenset[str]
    known: Moments
    sectors: dict[str, str]

    def bound(self, rival: str) -> bool:
        """Whether whoever joins a rival has to move a contract, an account or money."""
        return self.sectors[rival] in CONTRACT

    def figures(self, rival: str) -> Series | None:
        """Return the best curve of people who came to a rival after the real event; None where there is none."""
        if self.real is None:
            return None
        own = (series for series in case.primary(self.real) if series.service_id == rival)
        return next((series for series in own if series.quantity in CAME), None)


def scenario(evidence: Evidence, folder: Path, given: NextOutage) -> Scenario:
    """Build the scenario that was asked for, its gaps filled from the event that is named.

    Raises
    ------
    helpers.pooled.kept.KeptError
        If the kept rule cannot be read.
    """
    services = evidence.services.set_index("service_id")
    every = events.all_events(evidence)
    named = next((event for event in every if event.outage_id == given.outage_id), None)
    asked = fill(evidence, given, named)
    origin = asked.start
    family = same(evidence, asked.service)
    own = [event for event in every if event.service_id in family]
    # Begun at another time, it is another outage like the one that is named.
    real = named if named is not None and abs(named.start - origin) <= SAME else None
    kept = load(folder)
    later = {event.outage_id for event in own if event.start >= origin - SAME}
    later |= {name for event in own if event.outage_id in later for name in event.near}
    table = kept.table(every)
    service = services.loc[asked.service]
    event = Event(
        outage_id=real.outage_id if real else "",
        service_id=asked.service,
        label=str(service["name"]),
        kind=named.kind if named is not None and not given.kind else asked.kind,  # also where nothing failed at all
        sector=str(service["sector"]),
        start=origin,
        affected=asked.users_affected,
        hours=min(asked.duration_hours, events.LONGEST_HOURS) if asked.down else float("nan"),
        hours_sd=asked.hours_sd,
        earlier=sum(
            one.kind == "outage" and origin - events.MEMORY <= one.start < origin and one is not real for one in own
        ),
        identity=str(service["identity"]),
        silent=False,
    )
    return Scenario(
        asked=asked,
        event=event,
        origin=origin,
        rivals=tuple(given.rivals) or _rivals(evidence, every, event, family, real, asked.region),
        real=case.build(evidence, real.outage_id) if real else None,
        kept=without(kept, every, later)[0],
        rule_events=tuple(event for event in table.events if event.outage_id not in later),
        left_out=sum(event.outage_id in later for event in table.events),
        unknown=frozenset(later),
        known=kept.known,
        sectors=services["sector"].to_dict(),
    )


def same(evidence: Evidence, service: str) -> set[str]:
    """Ids that stand for a service: its own, groups that it is part of, and its parts."""
    services = evidence.services.set_index("service_id")
    groups = members(services.index[services["is_group"]], set(services.index[~services["is_group"]]))
    return {service, *(group for group, parts in groups.items() if service in parts), *groups.get(service, ())}


def _rivals(
    evidence: Evidence, every: Sequence[Event], event: Event, same: set[str], real: Event | None, region: str
) -> tuple[str, ...]:
    """Services with a gain in people after the real event, else after others of the service, else of its sector.

    Events of the service in other places than the scenario's say nothing of who is there. Who gained is taken from the
    evidence, also from afterwards; how many came is not.
    """
    rows = evidence.growth_figures
    services = evidence.services.set_index("service_id")
    rows = rows[(rows["role"] == "gainer") & rows["quantity"].isin(CAME) & rows["value"].notna()]
    rows = rows[~rows["service_id"].isin(same) & ~rows["service_id"].map(services["is_group"]).astype(bool)]
    near = {
        one.outage_id: 0 if real and one.outage_id == real.outage_id else 1 for one in every if one.service_id in same
    }
    scope = evidence.outages.set_index("outage_id")["scope"].str.split(" (", regex=False).str[0]
    places = {WORLD, "global", region} if region != WORLD else set(scope)
    near = {name: rank for name, rank in near.items() if scope[name] in places or rank == 0}
    near |= {one.outage_id: 2 for one in every if one.sector == event.sector and one.outage_id not in near}
    rows = rows[rows["outage_id"].isin(near)]
    if rows.empty:
        return ()
    ranked = rows.assign(near=rows["outage_id"].map(near)).groupby("service_id")["near"].agg(["min", "size"])
    # Other events of the service speak only where this one names nobody, its sector where those do not either.
    nearest = ranked[ranked["min"] == ranked["min"].min()]
    return tuple(nearest.sort_values("size", ascending=False, kind="stable").index[:MOST])
