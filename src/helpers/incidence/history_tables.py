"""The tables of the outage history: the events, what is expected, and how earlier predictions did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers import words
from helpers.evidence import Evidence
from helpers.incidence import durations
from helpers.incidence.backtest import HOURS, Backtest
from helpers.incidence.forecast import Forecast
from helpers.incidence.history import History, noun
from helpers.incidence.history_view import CAUSES, last_day
from helpers.incidence.rates import Trends
from helpers.table import Sentence, Table

#: Rows of events that a page shows; all of them are in the tables.
MOST_ROWS = 60
#: Letters of a cause in the words of its source.
MOST_LETTERS = 60
NO_LENGTH = "not published"


def expected(found: Forecast, level: float) -> Table | Sentence:
    """The 12 months after the exposure of each service: outages and time down."""
    if found.counts.empty:
        return Sentence("None of these services has had enough published incidents to predict a year from.")
    hours = found.hours.set_index("service_id")
    rows = []
    for row in found.counts.to_dict("records"):
        down = hours.loc[row["service_id"]]
        rows.append(
            {
                "service": row["name"],
                "12 months after": words.day(last_day(row["starts"])),
                "incidents so far": f"{row['incidents']:,.0f} in {row['years']:.1f} years",
                "expected (mean)": f"{row['mean']:,.1f}",
                "80% interval": _range(row["low_80"], row["high_80"], row["probability_80"]),
                f"{words.percent(level)} interval": _range(row["low"], row["high"], row["probability"]),
                "chance of none": words.percent(row["none"]),
                "time down, 80%": _time(down["low_80"], down["high_80"]),
                f"time down, {words.percent(level)}": _time(down["low"], down["high"]),
            }
        )
    frame, when = pd.DataFrame(rows), "the 12 months after each record ends"
    if (found.counts["starts"] == found.starts).all():
        when = f"the 12 months after {frame.pop('12 months after').iloc[0]}"
    caption = f"Expected in {when}; whole numbers cannot hit a level exactly: each interval says its own probability"
    return Table(frame, caption)


def _range(low: float, high: float, probability: float) -> str:
    return f"{counts(low, high)} ({words.percent(probability)})"


def counts(low: float, high: float) -> str:
    """Write an interval of counts in full: "0 to 4", "1,020 to 1,310", "3"."""
    return f"{low:,.0f} to {high:,.0f}" if low < high else f"{low:,.0f}"


def _time(low: float, high: float) -> str:
    return words.duration_interval(low, high) if high > 0 else "none"


def trends(found: Trends, level: float) -> Table | Sentence:
    """Whether the outages of each service became rarer."""
    if found.table.empty:
        return Sentence("None of these services has had enough published incidents for a trend.")
    rows = [
        {
            "service": row["name"],
            "incidents": int(row["incidents"]),
            "years": round(float(row["years"]), 1),
            f"change a year, {words.percent(level)} interval": f"{_signed(row['low'])} to {_signed(row['high'])}",
            "p": f"{row['p']:.2f}" if row["p"] >= 0.01 else "under 0.01",
            "verdict": row["verdict"],
        }
        for row in found.table.to_dict("records")
    ]
    return Table(pd.DataFrame(rows), "Change of the yearly rate; interval and p come from one posterior")


def _signed(change: float) -> str:
    return f"{words.MINUS if change < 0 else '+'}{abs(100 * change):.0f}%"


def hits(tested: Backtest) -> Table | Sentence:
    """How often the prediction of a past year from the years before it held."""
    if tested.table.empty:
        return Sentence("No service has a past year with two watched years before it.")
    rows = [
        {
            "what": row["quantity"],
            "promised": f"{words.percent(row['level'])} (intervals as drawn: {words.percent(row['promised'])})",
            "predictions": int(row["predictions"]),
            "held": int(row["hits"]),
            "missed": int(row["predictions"] - row["hits"]),
            "share held": words.percent(row["share"]),
            "95% interval of the share": f"{words.percent(row['low'])} to {words.percent(row['high'])}",
        }
        for row in tested.shares.to_dict("records")
        if row["predictions"]
    ]
    return Table(pd.DataFrame(rows), "Hits and misses: each past year predicted from the years before it only")


def misses(tested: Backtest, level: float) -> Table | Sentence:
    """Every prediction that did not hold, at either level."""
    wrong = tested.table[~(tested.table["hit_80"] & tested.table["hit"])]
    if wrong.empty:
        return Sentence("No prediction missed.")
    rows = [
        {
            "service": row["name"],
            "what": row["quantity"],
            "year": f"{row['year']} (part)" if row["part"] else str(row["year"]),
            "80% interval": _amounts(row, "low_80", "high_80"),
            f"{words.percent(level)} interval": _amounts(row, "low", "high"),
            "happened": _amounts(row, "observed", "observed"),
            "missed": "both" if not row["hit"] else "80% only",
        }
        for row in wrong.to_dict("records")
    ]
    return Table(pd.DataFrame(rows), "The misses")


def _amounts(row: Mapping[str, Any], low: str, high: str) -> str:
    if row["quantity"] != HOURS:
        return counts(row[low], row[high])
    one = words.duration(row[low]) if row[low] > 0 else "none"
    return one if low == high else _time(row[low], row[high])


def events(history: History, evidence: Evidence) -> Table | Sentence:
    """The latest events, each with its length, cause and source."""
    if history.events.empty:
        return Sentence("None.")
    names = evidence.services.set_index("service_id")["name"]
    pages = evidence.sources.set_index("source_id")
    told = evidence.outages.set_index("outage_id")["cause"]
    lengths = durations.durations(history).set_index("outage_id")
    rows = []
    for row in history.once.sort_values("start", ascending=False).head(MOST_ROWS).to_dict("records"):
        page = pages.loc[str(row["source_ids"]).split(";")].sort_values("url", key=lambda u: u == "", kind="stable")
        rows.append(
            {
                "service": names[row["named_service_id"]],
                "day (UTC)": _when(row),
                "incidents": int(row["incidents"]),
                "length": _length(lengths.loc[row["outage_id"]]) if row["outage_id"] in lengths.index else NO_LENGTH,
                "cause": _cause(row["cause"], str(told[row["outage_id"]])),
                "source": str(page["publisher"].iloc[0]) or str(page["title"].iloc[0]),
                "address": str(page["url"].iloc[0]),
            }
        )
    count, what = len(history.once), f"{history.total:,} {noun(history, history.total != 1)}"
    held = f"{count:,} rows, which stand for {what}" if count < history.total else what
    shown = f"The latest {MOST_ROWS} of {held}" if count > MOST_ROWS else f"All {held}, the latest first"
    return Table(pd.DataFrame(rows), f"{shown}; every one is in data/outages.csv", links={"source": "address"})


def _length(row: pd.Series) -> str:
    """Write what is known of a length: published, between two ends, or at least."""
    if row["why"] == durations.MIDDLE:
        return words.duration_interval(row["low"], row["high"])
    if row["known"]:
        return words.duration(row["hours"]) if row["hours"] > 0 else "moments"
    return f"over {words.duration(row['hours'])}" if row["hours"] > 0 else NO_LENGTH


def _cause(category: str, told: str) -> str:
    """Name the kind of cause; where it is not told, the words of the source, such as the title of an incident."""
    if category not in ("", durations.UNKNOWN) or not told:
        return CAUSES.get(category or durations.UNKNOWN, category)
    return told if len(told) <= MOST_LETTERS else f"{told[: MOST_LETTERS - 3].rsplit(' ', 1)[0]}..."


def _when(row: Mapping[str, Any]) -> str:
    start = pd.Timestamp(row["start"])
    if row["precision"] == "month":
        end = pd.Timestamp(row["end"]) if pd.notna(row["end"]) else start
        return f"{start.year}" if end - start > pd.Timedelta(days=300) else f"{start:%b %Y}"
    return f"{start.day} {start:%b %Y}"
