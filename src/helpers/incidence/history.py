"""The outage history: which events count for which service, and how long each service was watched.

The tables hold published incidents, not all of them. A service is watched from the first day anything in the
tables names it: before that nobody would have written its outages down here. Where its own feed of incidents was
imported it is watched by that feed instead (:mod:`helpers.incidence.exposure`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from helpers.evidence import Evidence
from helpers.incidence import exposure
from helpers.incidence.exposure import FEED, PRESS
from helpers.schemas import KINDS

#: With fewer incidents a service has no line of its own unless it is asked for by name.
ENOUGH = 5
NOUNS = {"outage": "outage", "block": "block", "shutdown": "shutdown", "policy_shock": "shock without downtime"}
#: Mean length of a calendar year in hours.
YEAR_HOURS = 8765.82


@dataclass(frozen=True)
class History:
    """Events of some services over a span of time, with the exposure of each service.

    Attributes
    ----------
    events : one row an event and service it counts for, in order of time: service_id, name, outage_id,
        named_service_id (as in the table, perhaps a group), named (its name), kind, start and end (UTC; end
        missing where it is not published), precision, incidents, counted (incidents that enter the rates), opens
        (the event is itself the first mention of the service), cause, duration_hours, duration_low_hours,
        duration_high_hours, source_ids, regime (of the row: exposure.PRESS or FEED), seen_until (end of what was
        watched so, UTC).
    services : one row a service, most incidents first: service_id, name, exposure_start, exposure_end (UTC),
        exposure_years, events, incidents (those counted), opened_by (why the exposure begins there), regime,
        closed_by (exposure.ASKED or EVIDENCE). A service asked for of which nothing was collected has no row.
    since : start of the span, or None for as early as the tables go.
    until : end of the span, not included: the date asked for, or the latest end of an exposure.
    kinds : kinds of events.
    shared : groups whose events count for each of their members.
    pool : the same columns as ``events`` but for counted and opens, for all services of the evidence whatever was
        asked for, and whole (the row is that of a group whose members have it too).
    named : services asked for by name; empty for all.
    nothing : id and name of those asked for of which the evidence holds no event of these kinds at any time.
    unwatched : id and name of the others asked for that are not watched in this span.
    """

    events: pd.DataFrame
    services: pd.DataFrame
    since: pd.Timestamp | None
    until: pd.Timestamp
    kinds: tuple[str, ...]
    shared: dict[str, tuple[str, ...]]
    pool: pd.DataFrame
    named: tuple[str, ...] = ()
    nothing: dict[str, str] = field(default_factory=dict)
    unwatched: dict[str, str] = field(default_factory=dict)

    @property
    def main(self) -> tuple[str, ...]:
        """Services worth a line of their own: those asked for and watched, otherwise those with enough incidents."""
        if self.named:
            watched = set(self.services["service_id"])
            return tuple(service for service in self.named if service in watched)
        return tuple(self.services.loc[self.services["incidents"] >= ENOUGH, "service_id"])

    @property
    def once(self) -> pd.DataFrame:
        """Every event once, also where it counts for several services."""
        return self.events.drop_duplicates("outage_id", ignore_index=True)

    @property
    def total(self) -> int:
        """How many incidents there are: what every count of the page is out of."""
        return int(self.once["incidents"].sum())


def noun(history: History, many: bool = True) -> str:
    """Name what is counted: "outages", or "events" where several kinds are."""
    one = NOUNS[history.kinds[0]] if len(history.kinds) == 1 else "event"
    return one.replace("shock ", "shocks ") if many and "shock " in one else f"{one}s" if many else one


def select(
    evidence: Evidence,
    services: Iterable[str] = (),
    since: str = "",
    until: str = "",
    kinds: Iterable[str] = ("outage",),
) -> History:
    """Choose the events of some services, kinds and dates, and work out the exposure of each service.

    The exposure of a service begins at ``since`` or at the first mention of the service in the tables, whichever
    is later: an event of any kind, a growth figure told with another service's event, or a usual level. It ends
    at ``until``. An event that is itself the first mention opens the exposure and is not counted in rates: the
    service would not be watched without it, so counting it would make every rate too high. A row that stands
    for several incidents of a span is a count of that whole span: its exposure begins with the span and all of
    them count, spread evenly over it for want of dates. An event known to a month is put into the middle of it.

    A service with imported events is watched by its feed alone, from the first of them to the end of the feed: its
    events outside of that are listed and not counted. No imported row changes the exposure of another service.

    The events of a group whose id is made of the ids of single services (facebook-instagram-whatsapp) count for
    each of these.

    Parameters
    ----------
    evidence : the tables.
    services : ids; empty for all that failed.
    since, until : dates such as "2014-01-01", in UTC. Without ``until`` the span ends with the last day on which
        an event or a figure of the press falls, and for an imported service with its feed.
    kinds : kinds of events, of :data:`helpers.schemas.KINDS`.

    Raises
    ------
    ValueError
        For a service or kind that is not in the tables, a date that is none, ``since`` not before ``until``.
    """
    named, wanted = tuple(dict.fromkeys(services)), tuple(dict.fromkeys(kinds)) or KINDS
    titles = dict(zip(evidence.services["service_id"], evidence.services["name"], strict=True))
    for value, known, what in [(named, titles, "service"), (wanted, KINDS, "kind")]:
        for item in value:
            if item not in known:
                near = difflib.get_close_matches(item, list(known), 1)
                raise ValueError(f"no {what} {item!r} in the tables{f', did you mean {near[0]!r}?' if near else ''}")
    first, asked = _moment(since, "since"), _moment(until, "until")
    made_of = exposure.members(evidence.services)
    watched = exposure.watches(evidence, made_of, asked)
    press = asked if asked is not None else exposure.press_end(evidence)
    ends = [pd.Timestamp(moment) for moment in (press, watched["end"].max()) if pd.notna(moment)]
    if not ends:
        raise ValueError("the tables hold no date: give until")
    last = asked if asked is not None else max(ends)
    if first is not None and first >= last:
        raise ValueError(f"since {first.date()} is not before until {last.date()}")
    every = _events(evidence, made_of, wanted, titles, watched.set_index("service_id")["end"], press)
    pool = _within(every, first)
    chosen = named or tuple(set(pool["service_id"]) - set(made_of))
    nothing = {service: titles[service] for service in named if service not in set(every["service_id"])}
    spans = exposure.spans(watched[watched["service_id"].isin(chosen)], first)
    events = _counted(pool[pool["service_id"].isin(chosen)].drop(columns="whole").reset_index(drop=True), spans)
    summary = _summary(spans, events, titles, [service for service in named if service not in nothing])
    there = {*nothing, *summary["service_id"]}
    used = set(events["named_service_id"])
    return History(
        events,
        summary,
        first,
        last if asked is not None or summary.empty else summary["exposure_end"].max(),
        wanted,
        {group: parts for group, parts in made_of.items() if group in used},
        pool,
        named,
        nothing,
        {service: titles[service] for service in named if service not in there},
    )


def placed(events: pd.DataFrame) -> pd.DataFrame:
    """Put every incident at a moment: one row an incident with all columns of its event and `at` (UTC).

    A row that stands for several incidents is spread evenly over its span; one that is known to a month lies in
    the middle of it.
    """
    frame = events.loc[events.index.repeat(events["incidents"])]
    order = frame.groupby(level=0).cumcount()
    loose = (frame["precision"] == "month") | (frame["incidents"] > 1)
    span = (frame["end"].fillna(frame["start"]) - frame["start"]).where(loose, pd.Timedelta(0))
    share = (order + 0.5) / frame["incidents"].astype("float64")
    return frame.assign(at=(frame["start"] + span * share).astype("datetime64[us, UTC]"))


def _moment(text: str, name: str) -> pd.Timestamp | None:
    if not text:
        return None
    try:
        moment = pd.Timestamp(text)
    except ValueError:
        raise ValueError(f"{name}: got {text!r}, expected a date such as 2014-01-01") from None
    if moment is pd.NaT:
        raise ValueError(f"{name}: got {text!r}, expected a date such as 2014-01-01")
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")


def _events(
    evidence: Evidence,
    made_of: dict[str, tuple[str, ...]],
    kinds: tuple[str, ...],
    titles: dict[str, str],
    ends: pd.Series,
    press: pd.Timestamp | None,
) -> pd.DataFrame:
    """Events of all services, one row for each service that an event counts for."""
    chosen = evidence.outages[evidence.outages["kind"].isin(kinds)]
    frame = exposure.to_members(chosen.drop(columns="cause"), made_of).rename(
        columns={"start_utc": "start", "end_utc": "end", "time_precision": "precision", "cause_category": "cause"}
    )
    columns = [
        "service_id", "name", "outage_id", "named_service_id", "named", "kind", "start", "end", "precision",
        "incidents", "cause", "duration_hours", "duration_low_hours", "duration_high_hours", "source_ids", "regime",
        "seen_until", "whole",
    ]  # fmt: skip
    fed = exposure.imported(frame)
    frame = frame.assign(
        name=frame["service_id"].map(titles).astype("str"),
        named=frame["named_service_id"].map(titles).astype("str"),
        incidents=frame["incidents"].astype("int64"),
        regime=pd.Series(PRESS, index=frame.index, dtype="str").mask(fed, FEED),
        # What the press told of a service that has a feed by now was still seen by the press.
        seen_until=frame["service_id"].map(ends).where(fed, press).astype("datetime64[us, UTC]"),
        whole=frame["service_id"].isin(list(made_of)),
    )
    return frame[columns].sort_values(["start", "outage_id"], kind="stable").reset_index(drop=True)


def _within(events: pd.DataFrame, first: pd.Timestamp | None) -> pd.DataFrame:
    """Keep the events that have an incident in the span."""
    at = placed(events)
    inside = at["at"] < at["seen_until"]
    if first is not None:
        inside &= at["at"] >= first
    return events[events.index.isin(at.index[inside])].reset_index(drop=True)


def _counted(events: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Count the incidents of each event that fall into the exposure of its service."""
    frame = events.merge(spans.drop(columns="regime"), on="service_id", how="left")
    opens = frame["outage_id"] == frame["opens"]
    at = placed(frame)
    inside = (at["at"] >= at["exposure_start"]) & (at["at"] < at["exposure_end"])
    counted = inside.groupby(level=0).sum().reindex(frame.index, fill_value=0)
    events = events.assign(counted=counted.where(~opens, 0).astype("int64"), opens=opens.astype("bool"))
    order = [name for name in events if name not in ("counted", "opens")]
    place = order.index("incidents") + 1
    return events[[*order[:place], "counted", "opens", *order[place:]]]


def _summary(spans: pd.DataFrame, events: pd.DataFrame, titles: dict[str, str], named: list[str]) -> pd.DataFrame:
    """One row a service: exposure, events and incidents."""
    kept = spans[spans["service_id"].isin([*named, *events["service_id"]])].drop(columns="opens")
    by = events.groupby("service_id")
    events_of, incidents_of = by.size(), by["counted"].sum()
    frame = kept.assign(
        name=kept["service_id"].map(titles).astype("str"),
        events=kept["service_id"].map(events_of).fillna(0).astype("int64"),
        incidents=kept["service_id"].map(incidents_of).fillna(0).astype("int64"),
    )
    columns = [
        "service_id", "name", "exposure_start", "exposure_end", "exposure_years", "events", "incidents", "opened_by",
        "regime", "closed_by",
    ]  # fmt: skip
    return frame[columns].sort_values(["incidents", "service_id"], ascending=[False, True]).reset_index(drop=True)
