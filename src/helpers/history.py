"""The outage history: which events count for which service, and how long each service was watched.

The tables hold published incidents, not all of them. A service is watched from the first day anything in the
tables names it: before that nobody would have written its outages down here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from helpers.evidence import Evidence
from helpers.schemas import KINDS

#: With fewer incidents a service has no line of its own unless it is asked for by name.
ENOUGH = 5
DAY = pd.Timedelta(days=1)
#: Mean length of a calendar year in hours.
YEAR_HOURS = 8765.82


@dataclass(frozen=True)
class History:
    """Events of some services over a span of time, with the exposure of each service.

    Attributes
    ----------
    events : one row an event and service it counts for, in order of time: service_id, name, outage_id,
        named_service_id (as in the table, perhaps a group), kind, start and end (UTC; end missing where it is
        not published), precision, incidents, counted (incidents that enter the rates), opens (the event is
        itself the first mention of the service), cause, duration_hours, duration_low_hours,
        duration_high_hours, source_ids.
    services : one row a service, most incidents first: service_id, name, exposure_start, exposure_end (UTC),
        exposure_years, events, incidents (those counted), opened_by (why the exposure begins there).
    since : start of the span, or None for as early as the tables go.
    until : end of the span, not included.
    kinds : kinds of events.
    shared : groups whose events count for each of their members.
    named : services asked for by name; empty for all.
    """

    events: pd.DataFrame
    services: pd.DataFrame
    since: pd.Timestamp | None
    until: pd.Timestamp
    kinds: tuple[str, ...]
    shared: dict[str, tuple[str, ...]]
    named: tuple[str, ...] = ()

    @property
    def main(self) -> tuple[str, ...]:
        """Services worth a line of their own: those asked for, otherwise those with enough incidents."""
        return self.named or tuple(self.services.loc[self.services["incidents"] >= ENOUGH, "service_id"])

    @property
    def once(self) -> pd.DataFrame:
        """Every event once, also where it counts for several services."""
        return self.events.drop_duplicates("outage_id", ignore_index=True)


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

    The events of a group whose id is made of the ids of single services (facebook-instagram-whatsapp) count for
    each of these.

    Parameters
    ----------
    evidence : the tables.
    services : ids; empty for all that failed.
    since, until : dates such as "2014-01-01", in UTC. Without ``until`` the span ends with the last day on which
        an event or a figure of the tables falls.
    kinds : kinds of events, of :data:`helpers.schemas.KINDS`.

    Raises
    ------
    ValueError
        For a service or kind that is not in the tables, a date that is none, ``since`` not before ``until``.
    """
    named, wanted = tuple(dict.fromkeys(services)), tuple(dict.fromkeys(kinds))
    titles = dict(zip(evidence.services["service_id"], evidence.services["name"], strict=True))
    for value, known, what in [(named, titles, "service"), (wanted, KINDS, "kind")]:
        for item in value:
            if item not in known:
                near = difflib.get_close_matches(item, list(known), 1)
                raise ValueError(f"no {what} {item!r} in the tables{f', did you mean {near[0]!r}?' if near else ''}")
    first, last = _moment(since, "since"), _moment(until, "until") or _last_day(evidence)
    if first is not None and first >= last:
        raise ValueError(f"since {first.date()} is not before until {last.date()}")
    members = _members(evidence.services)
    mentions = _first_mentions(evidence, members)
    events = _events(evidence, members, wanted or KINDS, titles)
    chosen = named or tuple(set(events["service_id"]) - set(members))
    events = _within(events[events["service_id"].isin(chosen)], first, last)
    exposure = _exposure(mentions[mentions["service_id"].isin(chosen)], first, last)
    events = _counted(events, exposure)
    used = set(events["named_service_id"])
    return History(
        events,
        _summary(exposure, events, titles, named),
        first,
        last,
        wanted or KINDS,
        {group: parts for group, parts in members.items() if group in used},
        named,
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


def decimal_year(moments: pd.Series) -> pd.Series:
    """Write moments (UTC) as years with a fraction: the middle of 2024, a leap year, is 2024.5."""
    naive = moments.dt.tz_localize(None)
    begun = naive.dt.to_period("Y").dt.start_time
    length = pd.to_timedelta(365 + moments.dt.is_leap_year.astype("int64"), unit="D")
    decimal: pd.Series = moments.dt.year + (naive - begun) / length
    return decimal


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


def _last_day(evidence: Evidence) -> pd.Timestamp:
    """Day after the last event or figure. Ends of events are left out: a block may be announced for years."""
    times = [
        evidence.outages["start_utc"] + pd.Timedelta(microseconds=1),
        evidence.growth_figures["window_end_utc"],
        evidence.baselines["window_start_utc"],
    ]
    known = [series.max() for series in times if len(series)]
    if not known:
        raise ValueError("the tables hold no date: give until")
    return pd.Timestamp(max(known)).ceil("D")


def _members(services: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Single services that a group's id is made of, for those groups whose whole id can be read so."""
    single = set(services.loc[~services["is_group"], "service_id"])
    made = {group: _split(group.split("-"), single) for group in services.loc[services["is_group"], "service_id"]}
    return {group: parts for group, parts in made.items() if len(parts) > 1}


def _split(words: list[str], known: set[str]) -> tuple[str, ...]:
    """Read joined words as ids, the longest first; nothing where some words are no id."""
    for n in range(len(words), 0, -1):
        if "-".join(words[:n]) in known:
            rest = _split(words[n:], known)
            if n == len(words) or rest:
                return ("-".join(words[:n]), *rest)
    return ()


def _to_members(frame: pd.DataFrame, members: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """Repeat each row of a group for each of its members, and for the group itself."""
    single = frame.assign(named_service_id=frame["service_id"])
    groups = single[single["service_id"].isin(list(members))]
    if groups.empty:
        return single
    parts = groups["service_id"].map(members)
    return pd.concat([single, groups.assign(service_id=parts).explode("service_id")], ignore_index=True)


def _first_mentions(evidence: Evidence, members: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """First mention of each service: service_id, at, by (an outage_id, or the words of another table), several."""
    outages, figures = evidence.outages, evidence.growth_figures
    events = outages[["service_id", "start_utc", "outage_id", "incidents"]]
    events = events.set_axis(["service_id", "at", "by", "several"], axis=1)
    events = events.assign(several=events["several"] > 1)
    failed = figures["outage_id"].map(outages.set_index("outage_id")["service_id"])
    told = pd.DataFrame({"service_id": figures["service_id"], "at": figures["window_start_utc"], "failed": failed})
    told = _to_members(told.assign(by="a growth figure", several=False), members)
    own = [
        service in members.get(group, (group,))
        for service, group in zip(told["service_id"], told["failed"], strict=True)
    ]
    # A figure told with the service's own outage is here because of that outage: it is no earlier mention.
    told = told[~pd.Series(own, index=told.index, dtype="bool")]
    usual = evidence.baselines[["service_id", "window_start_utc"]].set_axis(["service_id", "at"], axis=1)
    usual = _to_members(usual.assign(by="a usual level", several=False), members)
    every = pd.concat([_to_members(events, members), told, usual], ignore_index=True)
    return every.sort_values("at", kind="stable").drop_duplicates("service_id")[["service_id", "at", "by", "several"]]


def _events(
    evidence: Evidence, members: dict[str, tuple[str, ...]], kinds: tuple[str, ...], titles: dict[str, str]
) -> pd.DataFrame:
    chosen = evidence.outages[evidence.outages["kind"].isin(kinds)]
    frame = _to_members(chosen.drop(columns="cause"), members).rename(
        columns={"start_utc": "start", "end_utc": "end", "time_precision": "precision", "cause_category": "cause"}
    )
    columns = [
        "service_id", "name", "outage_id", "named_service_id", "kind", "start", "end", "precision", "incidents",
        "cause", "duration_hours", "duration_low_hours", "duration_high_hours", "source_ids",
    ]  # fmt: skip
    frame = frame.assign(
        name=frame["service_id"].map(titles).astype("str"), incidents=frame["incidents"].astype("int64")
    )
    return frame[columns].sort_values(["start", "outage_id"], kind="stable").reset_index(drop=True)


def _within(events: pd.DataFrame, first: pd.Timestamp | None, last: pd.Timestamp) -> pd.DataFrame:
    """Keep the events that have an incident in the span."""
    at = placed(events)["at"]
    inside = at < last if first is None else (at >= first) & (at < last)
    return events[events.index.isin(at.index[inside])].reset_index(drop=True)


def _exposure(mentions: pd.DataFrame, first: pd.Timestamp | None, last: pd.Timestamp) -> pd.DataFrame:
    """Span in which each service was watched."""
    start = mentions["at"] if first is None else mentions["at"].clip(lower=first)
    mentioned = mentions["by"].where(start == mentions["at"], "the date asked for")
    opens = mentions["by"].where((start == mentions["at"]) & ~mentions["several"], "")
    end = pd.Series(last, index=mentions.index, dtype=start.dtype)
    frame = pd.DataFrame(
        {
            "service_id": mentions["service_id"],
            "exposure_start": start,
            "exposure_end": end,
            "exposure_years": decimal_year(end) - decimal_year(start),
            "opened_by": mentioned,
            "opens": opens,
        }
    )
    return frame[frame["exposure_start"] < last].reset_index(drop=True)


def _counted(events: pd.DataFrame, exposure: pd.DataFrame) -> pd.DataFrame:
    """Count the incidents of each event that fall into the exposure of its service."""
    frame = events.merge(exposure, on="service_id", how="left")
    opens = frame["outage_id"] == frame["opens"]
    at = placed(frame)
    inside = (at["at"] >= at["exposure_start"]) & (at["at"] < at["exposure_end"])
    counted = inside.groupby(level=0).sum().reindex(frame.index, fill_value=0)
    events = events.assign(counted=counted.where(~opens, 0).astype("int64"), opens=opens.astype("bool"))
    order = [name for name in events if name not in ("counted", "opens")]
    place = order.index("incidents") + 1
    return events[[*order[:place], "counted", "opens", *order[place:]]]


def _summary(
    exposure: pd.DataFrame, events: pd.DataFrame, titles: dict[str, str], named: tuple[str, ...]
) -> pd.DataFrame:
    """One row a service: exposure, events and incidents."""
    kept = exposure[exposure["service_id"].isin([*named, *events["service_id"]])].drop(columns="opens")
    by = events.groupby("service_id")
    events_of, incidents_of = by.size(), by["counted"].sum()
    frame = kept.assign(
        name=kept["service_id"].map(titles).astype("str"),
        events=kept["service_id"].map(events_of).fillna(0).astype("int64"),
        incidents=kept["service_id"].map(incidents_of).fillna(0).astype("int64"),
    )
    columns = [
        "service_id", "name", "exposure_start", "exposure_end", "exposure_years", "events", "incidents", "opened_by",
    ]  # fmt: skip
    return frame[columns].sort_values(["incidents", "service_id"], ascending=[False, True]).reset_index(drop=True)
