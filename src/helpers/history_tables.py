"""The tables of the outage history: the events, what is expected, and how earlier predictions did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers import words
from helpers.backtest import Backtest
from helpers.evidence import Evidence
from helpers.forecast import Forecast
from helpers.history import History
from helpers.history_view import CAUSES
from helpers.rates import Trends
from helpers.table import Sentence, Table

#: Rows of events that a page shows; all of them are in the tables.
MOST_ROWS = 60


def expected(found: Forecast, level: float) -> Table | Sentence:
    """The next 12 months of each service: outages and hours down."""
    if found.counts.empty:
        return Sentence("None of these services has had enough published incidents to predict a year from.")
    hours = found.hours.set_index("service_id")
    rows = []
    for row in found.counts.to_dict("records"):
        down = hours.loc[row["service_id"]]
        rows.append(
            {
                "service": row["name"],
                "incidents so far": f"{row['incidents']:.0f} in {row['years']:.1f} years",
                "expected (mean)": f"{row['mean']:.1f}",
                "80% interval": _range(row["low_80"], row["high_80"], row["probability_80"]),
                f"{words.percent(level)} interval": _range(row["low"], row["high"], row["probability"]),
                "chance of none": words.percent(row["none"]),
                "hours down, 80%": _hours(down["low_80"], down["high_80"]),
                f"hours down, {words.percent(level)}": _hours(down["low"], down["high"]),
            }
        )
    span = f"{words.day(found.starts)} to {words.day(found.ends)}"
    caption = f"Expected from {span}; whole numbers cannot hit a level exactly: each interval says its own probability"
    return Table(pd.DataFrame(rows), caption)


def _range(low: float, high: float, probability: float) -> str:
    ends = f"{low:.0f} to {high:.0f}" if low < high else f"{low:.0f}"
    return f"{ends} ({words.percent(probability)})"


def _hours(low: float, high: float) -> str:
    return f"{words.significant(low):g} to {words.significant(high):g}" if high > 0 else "0"


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
            "80% interval": _hours(row["low_80"], row["high_80"]),
            f"{words.percent(level)} interval": _hours(row["low"], row["high"]),
            "happened": f"{words.significant(row['observed']):g}",
            "missed": "both" if not row["hit"] else "80% only",
        }
        for row in wrong.to_dict("records")
    ]
    return Table(pd.DataFrame(rows), "The misses")


def events(history: History, evidence: Evidence) -> Table | Sentence:
    """The latest events, each with its length, cause and source."""
    if history.events.empty:
        return Sentence("None.")
    names = evidence.services.set_index("service_id")["name"]
    pages = evidence.sources.set_index("source_id")
    rows = []
    for row in history.once.sort_values("start", ascending=False).head(MOST_ROWS).to_dict("records"):
        page = pages.loc[str(row["source_ids"]).split(";")].sort_values("url", key=lambda u: u == "", kind="stable")
        rows.append(
            {
                "service": names[row["named_service_id"]],
                "day (UTC)": _when(row),
                "incidents": int(row["incidents"]),
                "length": words.duration(float(row["duration_hours"]))
                if row["duration_hours"] > 0
                else "not published",
                "cause": CAUSES.get(row["cause"], row["cause"]),
                "source": str(page["publisher"].iloc[0]) or str(page["title"].iloc[0]),
                "address": str(page["url"].iloc[0]),
            }
        )
    count = len(history.once)
    shown = f"The latest {MOST_ROWS} of {count} events" if count > MOST_ROWS else "All events, the latest first"
    return Table(pd.DataFrame(rows), shown, links={"source": "address"})


def _when(row: Mapping[str, Any]) -> str:
    start = pd.Timestamp(row["start"])
    if row["precision"] == "month":
        end = pd.Timestamp(row["end"]) if pd.notna(row["end"]) else start
        return f"{start.year}" if end - start > pd.Timedelta(days=300) else f"{start:%b %Y}"
    return f"{start.day} {start:%b %Y}"
