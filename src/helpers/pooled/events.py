"""What is known of every event before anybody counts a gain: the covariates of the rule across outages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.ceilings import PEOPLE_HIT
from helpers.evidence import Evidence
from helpers.groups import members
from helpers.schemas import NOTHING_FAILED
from helpers.words import MONTHS

#: Kinds in which something could not be used, so that hours without it mean something.
UNAVAILABLE = ("outage", "block", "shutdown")
#: Whoever has been without a service for a week has found another one, hours.
LONGEST_HOURS = 168.0
MEMORY = pd.Timedelta(days=365)


@dataclass(frozen=True)
class Event:
    """One event of the evidence.

    ``affected`` are people (nan: not published); ``hours`` without the service, at most LONGEST_HOURS (nan: not
    published, or nothing failed), ``hours_sd`` the standard deviation of their log where only a range is known;
    ``earlier`` counts the service's failures in the 365 days before; ``silent`` that nobody published that
    a rival gained; ``near`` are the events of the same days, whose figures it shares. ``identity`` is how the service
    knows people (``phone_number`` or nothing).
    """

    outage_id: str
    service_id: str
    label: str
    kind: str
    sector: str
    start: pd.Timestamp
    affected: float
    hours: float
    hours_sd: float
    earlier: int
    identity: str
    silent: bool
    near: frozenset[str] = frozenset()

    @property
    def failed(self) -> bool:
        """Whether anything failed at all, or people left because of news."""
        return self.kind not in ("policy_shock", NOTHING_FAILED)


def neighbours(evidence: Evidence) -> dict[str, set[str]]:
    """Events of the same days by outage_id, whichever of the two names the other among its confounders."""
    outages = evidence.outages
    near: dict[str, set[str]] = {name: set() for name in outages["outage_id"]}
    for name, others in zip(outages["outage_id"], outages["confounder_ids"], strict=True):
        for other in filter(None, others.split(";")):
            near[name].add(other)
            near.setdefault(other, set()).add(name)
    return near


def all_events(evidence: Evidence) -> list[Event]:
    """Describe every event of the evidence, in the order of time."""
    services = evidence.services.set_index("service_id")
    groups = members(services.index[services["is_group"]], set(services.index[~services["is_group"]]))
    rows = evidence.growth_figures
    told = set(rows.loc[rows["role"].isin(["gainer", "circumvention"]), "outage_id"])
    outages = evidence.outages.sort_values("start_utc", kind="stable")
    made_of = {name: {name, *groups.get(name, ())} for name in outages["service_id"].unique()}
    rows, about = outages.to_dict("records"), services.to_dict("index")
    failures = [row for row in rows if row["kind"] == "outage"]
    near = neighbours(evidence)
    made = []
    for row in rows:
        own = made_of[row["service_id"]]
        before = [
            other["incidents"]
            for other in failures
            if row["start_utc"] - MEMORY <= other["start_utc"] < row["start_utc"]
            and not own.isdisjoint(made_of[other["service_id"]])
        ]
        hours, spread = _hours(row)
        service = about[row["service_id"]]
        people = row["affected_unit"] in PEOPLE_HIT and pd.notna(row["affected_users"])
        made.append(
            Event(
                outage_id=row["outage_id"],
                service_id=row["service_id"],
                label=label(str(service["name"]), row),
                kind=NOTHING_FAILED if row["cause_category"] == NOTHING_FAILED else row["kind"],
                sector=service["sector"],
                start=row["start_utc"],
                affected=float(row["affected_users"]) if people else float("nan"),
                hours=hours,
                hours_sd=spread,
                earlier=int(sum(before)),
                identity=service["identity"],
                # Where nothing failed, the row stands for what else happened: nobody looks for a gain after it.
                silent=row["outage_id"] not in told and row["cause_category"] != NOTHING_FAILED,
                near=frozenset(near[row["outage_id"]]),
            )
        )
    return made


def label(service: str, row: dict[str, object]) -> str:
    """Name an event in a few words: its service and its day, or its month where the day is not known."""
    start = row["start_utc"]
    assert isinstance(start, pd.Timestamp)
    when = f"{MONTHS[start.month - 1]} {start.year}"
    when = when if row["time_precision"] == "month" else f"{start.day} {when}"
    return f"{service.split(' (')[0]}, {when}"


def _hours(row: dict[str, object]) -> tuple[float, float]:
    """Hours without the service, and the standard deviation of their log."""
    if row["kind"] not in UNAVAILABLE:
        return float("nan"), 0.0
    known = [float(row[name]) for name in ("duration_hours", "duration_low_hours", "duration_high_hours")]  # type: ignore[arg-type]
    middle, low, high = (min(hours, LONGEST_HOURS) if hours > 0 else float("nan") for hours in known)
    if not np.isnan(low):
        middle = middle if not np.isnan(middle) else float(np.sqrt(low * high))
        return middle, float(np.log(high / low) / 4)  # four standard deviations wide
    if not np.isnan(middle):
        return middle, 0.0
    if row["kind"] == "outage" or known[0] == 0:
        return float("nan"), 0.0  # not published, or averted before it began
    # A block or a shutdown without an end goes on.
    end, start = row["end_utc"], row["start_utc"]
    lasted = LONGEST_HOURS if pd.isna(end) else (end - start) / pd.Timedelta(hours=1)  # type: ignore[operator]
    return min(lasted, LONGEST_HOURS), 0.0


def chosen(
    events: list[Event], kinds: Collection[str] = (), sectors: Collection[str] = (), exclude: Collection[str] = ()
) -> list[Event]:
    """Keep events of some kinds and sectors (none named: all), but for those excluded by id."""
    return [
        event
        for event in events
        if (not kinds or event.kind in kinds)
        and (not sectors or event.sector in sectors)
        and event.outage_id not in exclude
    ]
