"""How long each service was watched: by the press, or by a feed of its own incidents.

Rows with ``external_ids`` were imported from a status page or a table of incidents. Such a feed tells of nearly every
incident of one service, the press only of those that many people noticed: they are two regimes, and a service is
watched under one of them.
"""

from __future__ import annotations

import pandas as pd

from helpers import groups
from helpers.evidence import Evidence

PRESS, FEED = "press", "feed"
#: What ends the watch of a service.
ASKED, EVIDENCE = "the date asked for", "the evidence"
TICK = pd.Timedelta(microseconds=1)
DAY = pd.Timedelta(days=1)


def decimal_year(moments: pd.Series) -> pd.Series:
    """Write moments (UTC) as years with a fraction: the middle of 2024, a leap year, is 2024.5."""
    naive = moments.dt.tz_localize(None)
    begun = naive.dt.to_period("Y").dt.start_time
    length = pd.to_timedelta(365 + moments.dt.is_leap_year.astype("int64"), unit="D")
    decimal: pd.Series = moments.dt.year + (naive - begun) / length
    return decimal


def members(services: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Single services that a group's id is made of, for those groups whose whole id can be read so."""
    single = set(services.loc[~services["is_group"], "service_id"])
    return groups.members(services.loc[services["is_group"], "service_id"], single)


def to_members(frame: pd.DataFrame, made_of: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """Repeat each row of a group for each of its members, and for the group itself."""
    single = frame.assign(named_service_id=frame["service_id"])
    several = single[single["service_id"].isin(list(made_of))]
    if several.empty:
        return single
    parts = several["service_id"].map(made_of)
    return pd.concat([single, several.assign(service_id=parts).explode("service_id")], ignore_index=True)


def imported(outages: pd.DataFrame) -> pd.Series:
    """Tell which rows of the outages came from a feed."""
    return (outages["external_ids"].fillna("") != "").astype("bool")


def press_end(evidence: Evidence) -> pd.Timestamp | None:
    """Day after the last event or figure of the press, None without any.

    Imported rows are left out: what one service's feed tells later says nothing about the others. So are ends of
    events: a block may be announced for years.
    """
    times = [
        evidence.outages.loc[~imported(evidence.outages), "start_utc"] + TICK,
        evidence.growth_figures["window_end_utc"],
        evidence.baselines["window_start_utc"],
    ]
    known = [series.max() for series in times if len(series)]
    known = [moment for moment in known if pd.notna(moment)]
    return pd.Timestamp(max(known)).ceil("D") if known else None


def watches(evidence: Evidence, made_of: dict[str, tuple[str, ...]], until: pd.Timestamp | None) -> pd.DataFrame:
    """Work out since when, until when and how each service is watched.

    A service with imported events is watched by its feed only, from the first of them to the end of its last day:
    the latest start or end among them, or the day on which the feed's page was published in its newest form,
    whichever is later. The feed's page is the source that most of them name. Any other service is watched by the
    press, from its first mention to :func:`press_end`.

    Parameters
    ----------
    evidence : the tables.
    made_of : members of the groups.
    until : moment (UTC) at which every watch ends at the latest, or at which the press ends if that is later.

    Returns
    -------
    DataFrame
        service_id, at and end (UTC), by (an outage_id, or the words of another table), several (the event that
        opens the watch stands for several incidents), regime (PRESS or FEED), closed_by.
    """
    feeds = _feeds(evidence, made_of)
    press = _first_mentions(evidence, made_of)
    press = press[~press["service_id"].isin(feeds["service_id"])]
    last = until if until is not None else press_end(evidence)
    closed = ASKED if until is not None else EVIDENCE
    press = press.assign(end=pd.Series(last, index=press.index, dtype=_UTC), regime=PRESS, closed_by=closed)
    if until is not None and len(feeds):
        cut = feeds["end"] > until
        feeds = feeds.assign(closed_by=feeds["closed_by"].mask(cut, ASKED), end=feeds["end"].clip(upper=until))
    return pd.concat([part for part in (press, feeds) if len(part)] or [press], ignore_index=True)


def spans(watched: pd.DataFrame, since: pd.Timestamp | None) -> pd.DataFrame:
    """Cut watches to a span: service_id, exposure_start and exposure_end (UTC), exposure_years, opened_by, opens.

    ``opens`` is the event that opens the watch and is no part of it: empty where another thing opens it. Services
    that are not watched in the span are left out.
    """
    start = watched["at"] if since is None else watched["at"].clip(lower=since)
    own = start == watched["at"]
    by = watched["by"].mask(watched["regime"] == FEED, watched["by"] + ", the first that was imported")
    frame = pd.DataFrame(
        {
            "service_id": watched["service_id"],
            "exposure_start": start,
            "exposure_end": watched["end"],
            "exposure_years": decimal_year(watched["end"]) - decimal_year(start),
            "opened_by": by.where(own, ASKED),
            "opens": watched["by"].where(own & ~watched["several"], ""),
            "regime": watched["regime"],
            "closed_by": watched["closed_by"],
        }
    )
    return frame[frame["exposure_start"] < frame["exposure_end"]].reset_index(drop=True)


_UTC = "datetime64[us, UTC]"
_COLUMNS = ["service_id", "at", "by", "several"]


def _feeds(evidence: Evidence, made_of: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """Watch of each service with imported events."""
    rows = evidence.outages[imported(evidence.outages)]
    rows = to_members(rows[["service_id", "outage_id", "start_utc", "end_utc", "incidents", "source_ids"]], made_of)
    rows = rows.sort_values(["start_utc", "outage_id"], kind="stable")
    by = rows.groupby("service_id")
    first = by.first()
    end = pd.concat([by["start_utc"].max() + TICK, by["end_utc"].max(), _published(rows, evidence.sources)], axis=1)
    frame = pd.DataFrame(
        {
            "at": first["start_utc"],
            "by": first["outage_id"],
            "several": (first["incidents"] > 1).astype("bool"),
            "end": end.max(axis=1).astype(_UTC).dt.ceil("D"),
            "regime": FEED,
            "closed_by": EVIDENCE,
        }
    )
    return frame.rename_axis("service_id").reset_index()


def _published(rows: pd.DataFrame, sources: pd.DataFrame) -> pd.Series:
    """Day after the one on which each service's feed was published, NaT where that is no full date."""
    empty = pd.Series(pd.NaT, index=pd.Index([], dtype="str"), dtype=_UTC)
    if sources.empty or rows.empty:
        return empty
    named = rows[["service_id"]].assign(source_id=rows["source_ids"].str.split(";")).explode("source_id")
    often = named.groupby(["service_id", "source_id"]).size().rename("often").reset_index()
    # An article that one of the rows names as well may be of years later: it does not say how far the feed reaches.
    often = often[often["often"] == often.groupby("service_id")["often"].transform("max")]
    days = sources.set_index("source_id")["published_date"]
    dates = often["source_id"].map(days[days.str.len() == len("2026-03-09")])
    days_after = pd.to_datetime(dates, utc=True).astype(_UTC) + DAY
    latest: pd.Series = days_after.groupby(often["service_id"]).max()
    return latest


def _first_mentions(evidence: Evidence, made_of: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """First mention of each service: service_id, at, by (an outage_id, or the words of another table), several."""
    outages, figures = evidence.outages, evidence.growth_figures
    events = outages[["service_id", "start_utc", "outage_id", "incidents"]].set_axis(_COLUMNS, axis=1)
    events = events.assign(several=(events["several"] > 1).astype("bool"))
    failed = figures["outage_id"].map(outages.set_index("outage_id")["service_id"])
    told = pd.DataFrame({"service_id": figures["service_id"], "at": figures["window_start_utc"], "failed": failed})
    told = to_members(told.assign(by="a growth figure", several=False), made_of)
    own = [
        service in made_of.get(group, (group,))
        for service, group in zip(told["service_id"], told["failed"], strict=True)
    ]
    # A figure told with the service's own outage is here because of that outage: it is no earlier mention.
    told = told[~pd.Series(own, index=told.index, dtype="bool")]
    usual = evidence.baselines[["service_id", "window_start_utc"]].set_axis(["service_id", "at"], axis=1)
    usual = to_members(usual.assign(by="a usual level", several=False), made_of)
    every = pd.concat([to_members(events[_COLUMNS], made_of), told, usual], ignore_index=True)
    return every.sort_values("at", kind="stable").drop_duplicates("service_id")[_COLUMNS]
