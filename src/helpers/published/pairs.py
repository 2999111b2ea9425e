"""Two claimants about one thing: all pairs of figures by which classes of claimant can be compared.

Two figures make a pair when two classes of claimant speak of one service, outage and place, in hours that overlap, and
of the same count, or one of sign-ups and the other of installs. Where the hours differ, the ratio of what happened in
them is only known to an interval. It rests on one assumption: the hours that both speak of were at least
as busy as the mean of either window, because figures are published about the surge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers import words
from helpers.evidence import Evidence
from helpers.published import levels
from helpers.published.figures import KEY, QUANTITIES, hours_between, no_rate

#: Classes of claimant; in a pair the earlier one comes first.
CLASSES = ("company", "press", "paper", "panel", "api_count")
#: Counts that are set against each other although they differ: the company says sign-ups, the panel says installs.
CONVERTED = ("signups", "installs")
#: Windows longer than this many times the other, or with less than this share of the shorter in common, say nothing.
LONGEST_RATIO, LEAST_COMMON = 8.0, 0.5
#: A figure for one platform stands for a share of the whole between this and one.
LEAST_PLATFORM = 0.2
#: A total was grown in the event where an earlier one, at most so many days before it, was this share of it at most.
GROWN_FROM, GROWN_DAYS = 0.25, 30
_Totals = Callable[[str], Mapping[tuple[str, ...], list[levels.Total]]]
COLUMNS = [
    *("outage_id", "service_id", "scope", "first_id", "second_id", "first_class", "second_class"),
    *("first_quantity", "second_quantity", "first_published", "second_published"),
    *("first_start", "first_end", "second_start", "second_end"),
    *("log_ratio", "log_low", "log_high", "shape_low", "shape_high", "first_bound", "second_bound"),
    *("converted", "used", "why_not", "text"),
]


@dataclass(frozen=True)
class _Told:
    """An amount told by somebody: people in a window of hours since the outage began."""

    row: pd.Series
    value: float
    low: float
    high: float
    start: float
    end: float
    hours: float

    @property
    def rank(self) -> int:
        return CLASSES.index(str(self.row["claimant_class"]))


def pairs(evidence: Evidence) -> pd.DataFrame:
    """All pairs of figures of two classes of claimant, and which of them are used.

    A figure enters one pair at most, the one whose windows agree best; a figure that repeats another enters none.

    Returns
    -------
    DataFrame
        One row a pair, those used first within an outage and service: outage_id, service_id, scope; first_id,
        second_id and their class, quantity, published (in words), start and end (UTC); log_ratio, the natural log
        of the first number over the second, with log_low and log_high as wide as both were published (bounds up
        to the next round number); shape_low and shape_high, between which the log ratio of what happened in the two
        windows lies; first_bound, second_bound; converted, whether sign-ups stand against installs; used;
        why_not; text, a sentence.
    """
    rows = evidence.growth_figures
    rows = rows[(rows["repeats"] == "") & rows["quantity"].isin(QUANTITIES) & rows["claimant_class"].isin(CLASSES)]
    rows = rows[rows["reading"].isin(["increment", "rate_mean", "daily_level", "total"]) & (rows["value"] > 0)]
    several = rows.groupby(["outage_id", "service_id"])["claimant_class"].transform("nunique") > 1
    begun = evidence.outages.set_index("outage_id")["start_utc"]
    known = cache(partial(levels.totals, evidence))
    made: list[dict[str, Any]] = []
    for (outage_id, _), part in rows[several].groupby(["outage_id", "service_id"], sort=False):
        told = [t for _, row in part.iterrows() if (t := _told(row, begun[outage_id], known))]
        found = [pair for one, other in combinations(told, 2) if (pair := _pair(*sorted((one, other), key=_rank)))]
        made += _matched(found)
    return pd.DataFrame(made, columns=COLUMNS)


def _rank(told: _Told) -> int:
    return told.rank


def _told(row: pd.Series, begun: pd.Timestamp, known: _Totals) -> _Told | None:
    if no_rate(row):
        return None
    start, end = hours_between(row["window_start_utc"], begun), hours_between(row["window_end_utc"], begun)
    hours = min(float(row["window_hours"]), end - start) if pd.notna(row["window_hours"]) else end - start
    reading = str(row["reading"])
    low, high = cl.interval(float(row["value"]), str(row["unit"]), str(row["qualifier"]), reading)
    value = float(row["value"]) * cl.per_hour(str(row["unit"]), reading)
    if reading == "total":
        if not _grown(row, begun, known(str(row["service_id"]))):
            return None
        start, end = 0.0, (start + end) / 2
        return _Told(row, value, low, high, start, end, end - start) if end > 0 else None
    times = 1.0 if reading == "increment" else hours
    return _Told(row, value * times, low * times, high * times, start, end, hours)


def _grown(row: pd.Series, begun: pd.Timestamp, totals: Mapping[tuple[str, ...], list[levels.Total]]) -> bool:
    """Whether most of a total came since shortly before the event: a stock of years is no claim about a surge."""
    key = tuple(str(row[c]) for c in KEY)
    since, until = begun - pd.Timedelta(days=GROWN_DAYS), row["window_start_utc"]
    return any(t.value <= GROWN_FROM * row["value"] and since <= t.middle < until for t in totals.get(key, []))


def _pair(one: _Told, other: _Told) -> dict[str, Any] | None:
    first, second = one.row, other.row
    kinds = {first["quantity"], second["quantity"]}
    if one.rank == other.rank or first["scope"] != second["scope"] or (len(kinds) > 1 and kinds != set(CONVERTED)):
        return None
    if first["platform"] != second["platform"] and first["platform"] and second["platform"]:
        return None
    common = min(one.end, other.end) - max(one.start, other.start)
    common = min(common, one.hours, other.hours)
    shorter, longer = sorted((one.hours, other.hours))
    if common < LEAST_COMMON * shorter or longer > LONGEST_RATIO * shorter:
        return None
    # A figure for one platform is a share of the whole.
    share = np.log(LEAST_PLATFORM)
    less, more = (share * bool(first["platform"]), -share * bool(second["platform"]))
    if first["platform"] == second["platform"]:
        less = more = 0.0
    return {
        **{c: first[c] for c in ("outage_id", "service_id", "scope")},
        **_named("first", one),
        **_named("second", other),
        "log_ratio": float(np.log(one.value / other.value)),
        "log_low": float(np.log(max(one.low, 1e-9) / other.high)),
        "log_high": float(np.log(one.high / max(other.low, 1e-9))),
        "shape_low": float(np.log(common / other.hours)) + less,
        "shape_high": float(np.log(one.hours / common)) + more,
        "converted": len(kinds) > 1,
    }


def _named(name: str, told: _Told) -> dict[str, Any]:
    row = told.row
    return {
        f"{name}_id": row["figure_id"],
        f"{name}_class": row["claimant_class"],
        f"{name}_quantity": row["quantity"],
        f"{name}_published": words.published(float(row["value"]), str(row["unit"]), str(row["qualifier"])),
        f"{name}_start": row["window_start_utc"],
        f"{name}_end": row["window_end_utc"],
        f"{name}_bound": cl.bound_of(str(row["qualifier"])),
    }


def _width(pair: dict[str, Any]) -> tuple[float, ...]:
    """Order of merit: windows that agree, then narrow numbers without a bound."""
    bounds = (pair["first_bound"] != "none") + (pair["second_bound"] != "none")
    return pair["shape_high"] - pair["shape_low"], bounds, pair["log_high"] - pair["log_low"]


def _matched(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Use the best pair of each figure, and say of the others why not."""
    taken: dict[str, str] = {}
    made = []
    for pair in sorted(found, key=_width):
        ids = (str(pair["first_id"]), str(pair["second_id"]))
        busy = [i for i in ids if i in taken]
        if not busy:
            taken |= {ids[0]: ids[1], ids[1]: ids[0]}
        why = f"{busy[0]} is set against {taken[busy[0]]} already" if busy else ""
        made.append({**pair, "used": not busy, "why_not": why, "text": _text(pair)})
    return sorted(made, key=lambda pair: not pair["used"])


def _text(pair: dict[str, Any]) -> str:
    least, most = pair["log_low"] - pair["shape_high"], pair["log_high"] - pair["shape_low"]
    # "More than" in the first number leaves the ratio open above, in the second below; "up to" the other way round.
    above = pair["first_bound"] == "lower" or pair["second_bound"] == "upper"
    below = pair["first_bound"] == "upper" or pair["second_bound"] == "lower"
    low, high = (words.digits(words.significant(float(np.exp(v)), 2)) for v in (least, most))
    times = f"{low} to {high} times" if low != high else f"{low} times"
    if above or below:
        times = (
            "any number of times" if above and below else f"at least {low} times" if above else f"up to {high} times"
        )
    one, other = (pair[f"{n}_class"].replace("_", " ") for n in ("first", "second"))
    return f"{pair['first_published']} ({one}) against {pair['second_published']} ({other}): {times} as many."
