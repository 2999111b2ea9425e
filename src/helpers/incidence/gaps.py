"""What the outage history leaves out: lengths, hours, days, and every incident that nobody published."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers import words
from helpers.incidence.durations import durations
from helpers.incidence.exposure import FEED
from helpers.incidence.history import History, noun

RECENT = 5
TICK = pd.Timedelta(microseconds=1)


@dataclass(frozen=True)
class Gaps:
    """Coverage of the evidence, in numbers and sentences.

    Attributes
    ----------
    events : rows of the evidence used, each once.
    incidents : incidents they stand for.
    several : rows that stand for several incidents, none of them with a date of its own.
    sources : pages that tell of them.
    no_duration : incidents whose length is not published.
    no_hour : incidents whose beginning is known to the day or less.
    month_only : incidents known to a month or less.
    uncounted : events that open the exposure of every service they count for, and so are in no rate.
    shared : events that count for more than one service.
    feeds : one row a service that is watched by its imported feed: name, first and last (UTC, of the watch), outside
        (its events that lie outside of it, listed and in no rate).
    by_year : year, events, sources: what is told of each calendar year.
    recent_share : share of the incidents in the last RECENT years; NaN without events.
    sentences : the cautions, ready to print.
    """

    events: int
    incidents: int
    several: int
    sources: int
    no_duration: int
    no_hour: int
    month_only: int
    uncounted: int
    shared: int
    feeds: pd.DataFrame
    by_year: pd.DataFrame
    recent_share: float
    sentences: tuple[str, ...]


def gaps(history: History) -> Gaps:
    """Count what is missing in the events of a history."""
    events = history.once
    per_event = history.events.groupby("outage_id")
    timed = events.assign(year=events["start"].dt.year, source=events["source_ids"].str.split(";")).explode("source")
    by = timed.groupby("year")
    by_year = pd.DataFrame({"events": by["outage_id"].nunique(), "sources": by["source"].nunique()}).reset_index()
    recent = events["start"] >= history.until - pd.DateOffset(years=RECENT)
    many = events["incidents"]
    found = Gaps(
        len(events),
        history.total,
        int((many > 1).sum()),
        int(timed["source"].nunique()),
        history.total - int(durations(history)["known"].sum()),
        int(many[~events["precision"].isin(["minute", "hour"])].sum()),
        int(many[events["precision"] == "month"].sum()),
        int(per_event["opens"].all().sum()),
        int((per_event.size() > 1).sum()),
        _feeds(history),
        by_year,
        float(many[recent].sum() / history.total) if len(events) else float("nan"),
        (),
    )
    return Gaps(**{**vars(found), "sentences": _sentences(found, noun(history))})


def _feeds(history: History) -> pd.DataFrame:
    """Watch of each service with a feed, and its events outside of it."""
    fed = history.services[history.services["regime"] == FEED]
    events = history.events.merge(fed[["service_id", "exposure_start", "exposure_end"]], on="service_id")
    out = (events["start"] < events["exposure_start"]) | (events["start"] >= events["exposure_end"])
    outside = fed["service_id"].map(out.groupby(events["service_id"]).sum()).fillna(0).astype("int64")
    last = fed["exposure_end"] - TICK
    return pd.DataFrame({"name": fed["name"], "first": fed["exposure_start"], "last": last, "outside": outside})


def _sentences(found: Gaps, what: str) -> tuple[str, ...]:
    if not found.events:
        return ("No event of this choice is in the tables, which does not mean that there was none.",)
    said = [
        "These are the incidents that were published and collected, not all incidents.",
        f"Of {found.incidents:,} {what}, {found.no_duration:,} have no published length, {found.no_hour:,} no hour and "
        f"{found.month_only:,} no day.",
        f"{words.percent(found.recent_share)} of them lie in the last {RECENT} years: more is published, and found, "
        "of recent years, so a rise may be one of attention.",
    ]
    if found.several:
        rows = f"{found.several:,} row{'s' * (found.several > 1)}"
        said.append(
            f"{found.incidents - found.events + found.several:,} of them have no date of their own and stand in {rows} "
            f"of the evidence: for {found.incidents:,} {what} it has {found.events:,} rows."
        )
    for feed in found.feeds.to_dict("records"):
        more = (
            f"; {feed['outside']:,} of its events lie outside of it, listed and in no rate" if feed["outside"] else ""
        )
        said.append(
            f"{feed['name']} is watched by its own imported record of incidents, from {words.day(feed['first'])} to "
            f"{words.day(feed['last'])}{more}."
        )
    if found.uncounted:
        open_, are = ("opens", "is") if found.uncounted == 1 else ("open", "are")
        said.append(
            f"{found.uncounted:,} of these {what} {open_} the record of a service, as its first mention, and {are} in "
            "no rate."
        )
    return tuple(said)
