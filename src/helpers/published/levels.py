"""The usual level of a service over time: published rates, and the growth between its published totals.

Totals are read to two significant digits at least: "300 million" with a day is the mark passed on that day. Totals
that disagree about one time all stay, each with the growth that it implies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers.evidence import Evidence
from helpers.published.figures import KEY, NOT_A_COUNT, hours_between

#: Hours of the periods in which a rate can be asked for.
PERIODS = {"second": 1 / 3600, "hour": 1.0, "day": 24.0}
#: Growth between two totals is told where its ends are known within this factor; else an earlier total is taken.
KNOWN_WITHIN = 3.0
#: Totals told within so many hours belong to one moment: they do not count from each other.
ONE_MOMENT = 72.0
#: A step that holds an event still counts as usual where the time from the event on is this share of it at most
#: (three days of ninety-two), and growth within so many days after an event never does.
EVENT_SHARE, SETTLING_DAYS = 0.1, 14
#: A published rate made from two totals agrees with them within this share.
SAME_RATE = 0.02
COLUMNS = [
    *KEY,
    "window_start",
    "window_end",
    "low",
    "value",
    "high",
    "usual",
    "role",
    "made_of",
    "ids",
]


@dataclass(frozen=True)
class Total:
    """A total and when it was reached: at some moment of its window."""

    name: str
    low: float
    value: float
    high: float
    start: pd.Timestamp
    end: pd.Timestamp
    role: str

    @property
    def middle(self) -> pd.Timestamp:
        """Middle of the window: nobody says when a total was read off."""
        return self.start + (self.end - self.start) / 2


def period(per: str) -> float:
    """Hours of a period.

    Raises
    ------
    ValueError
        If ``per`` is not one of PERIODS.
    """
    if per not in PERIODS:
        raise ValueError(f"per: got {per!r}, expected one of {', '.join(PERIODS)}")
    return PERIODS[per]


def usual(evidence: Evidence, service_id: str, per: str = "day") -> pd.DataFrame:
    """Mean growth of a service over time, as steps.

    Parameters
    ----------
    service_id : key of the service.
    per : "second", "hour" or "day".

    Returns
    -------
    DataFrame
        One row a step, in the order of kinds and time: service_id, quantity, scope, platform; window_start and
        window_end (UTC); low, value and high, users (installs, ...) per period, as wide as rounding and
        unknown days make them; usual, whether the step speaks of usual days (not of a record, of an event, or of
        the two weeks after one); role, as in ``baselines``; made_of, "published rate" or "growth between totals";
        ids, the rows it is made of, with ";" between. Empty where nothing was published.

    Raises
    ------
    ValueError
        If ``per`` is unknown.
    """
    hours = period(per)
    made = [_published(row) for _, row in _rates(evidence, service_id).iterrows()]
    for key, found in totals(evidence, service_id).items():
        made += [dict(zip(KEY, key, strict=True)) | step for step in _grown(found)]
    steps = pd.DataFrame(made, columns=COLUMNS)
    steps[["low", "value", "high"]] = steps[["low", "value", "high"]].astype(float) * hours
    windows = ["window_start", "window_end"]
    steps[windows] = steps[windows].astype("datetime64[us, UTC]")
    steps["usual"] = _is_usual(steps, evidence, service_id)
    return steps.sort_values([*KEY, "window_start", "window_end"], ignore_index=True)


def before(steps: pd.DataFrame, like: pd.Series, start: pd.Timestamp) -> pd.DataFrame:
    """Choose the usual level nearest before a moment: one step, or several that speak of the same days.

    Nearest by the middle of its days: a mean over half a year says less of last week than a day of last month.

    Parameters
    ----------
    steps : what :func:`usual` returns.
    like : quantity, scope and platform wanted; kinds are never mixed.
    start : moment (UTC).
    """
    found = steps[steps["usual"] & (steps["window_start"] < start)]
    found = found[(found[KEY] == like[KEY]).all(axis=1)]
    length = found["window_end"] - found["window_start"]
    found = found[found["window_end"] - start <= EVENT_SHARE * length]
    if found.empty:
        return found
    middle = found["window_start"] + (found["window_end"] - found["window_start"]) / 2
    return found[middle.max() - middle <= pd.Timedelta(hours=ONE_MOMENT)]


def _rates(evidence: Evidence, service_id: str) -> pd.DataFrame:
    rows = evidence.baselines
    flows = rows["reading"].isin(["rate_mean", "rate_peak", "increment", "daily_level"])
    counts = ~rows["quantity"].isin([*NOT_A_COUNT, "other"])
    return rows[(rows["service_id"] == service_id) & flows & counts & (rows["value"] > 0)]


def _published(row: pd.Series) -> dict[str, Any]:
    reading = str(row["reading"])
    low, high = cl.interval(float(row["value"]), str(row["unit"]), "about", reading)
    length = hours_between(row["window_end_utc"], row["window_start_utc"]) if reading == "increment" else 1.0
    value = float(row["value"]) * cl.per_hour(str(row["unit"]), reading)
    return {
        **{c: row[c] for c in KEY},
        "window_start": row["window_start_utc"],
        "window_end": row["window_end_utc"],
        "low": low / length,
        "value": value / length,
        "high": high / length,
        "role": row["role"],
        "made_of": "published rate",
        "ids": row["baseline_id"],
    }


def totals(evidence: Evidence, service_id: str) -> dict[tuple[str, ...], list[Total]]:
    """Return all totals of a service by kind (KEY), in the order of time; retellings left out."""
    known = evidence.baselines.rename(columns={"baseline_id": "id"})
    told = evidence.growth_figures.rename(columns={"figure_id": "id"})
    told = told[told["repeats"] == ""].assign(role="during_event")
    made: dict[tuple[str, ...], list[Total]] = {}
    for rows in (known, told):
        rows = rows[(rows["service_id"] == service_id) & (rows["reading"] == "total") & (rows["value"] > 0)]
        for _, row in rows.iterrows():
            made.setdefault(tuple(str(row[c]) for c in KEY), []).append(as_total(row))
    rates = [_published(row) for _, row in _rates(evidence, service_id).iterrows()]
    return {key: _placed(found, [r for r in rates if tuple(r[c] for c in KEY) == key]) for key, found in made.items()}


def as_total(row: pd.Series) -> Total:
    """Read a row with an ``id`` as a total, to two significant digits at least."""
    value, qualifier = float(row["value"]), str(row.get("qualifier", "about"))
    unit = min(cl.last_digit(value, qualifier), 10.0 ** (np.floor(np.log10(value)) - 1))
    down, up = {"lower": (0.0, 1.0), "upper": (1.0, 0.0)}.get(cl.bound_of(qualifier), (0.5, 0.5))
    start, end = row["window_start_utc"], row["window_end_utc"]
    return Total(str(row["id"]), value - down * unit, value, value + up * unit, start, end, str(row.get("role", "")))


def _placed(totals: list[Total], rates: list[dict[str, Any]]) -> list[Total]:
    """Place totals of which only the month is known.

    A published rate that is the growth from such a total to a later one tells its day: the rate's first.
    """
    day = pd.Timedelta(days=1)
    made = []
    for total in totals:
        found = total
        for rate in rates if total.end - total.start > 3 * day else []:
            first, last = rate["window_start"], rate["window_end"]
            grown = rate["value"] * hours_between(last, first)
            later = [t.value - total.value for t in totals if t.start < last + day and t.end >= last - day]
            if total.start <= first < total.end and any(abs(g / grown - 1) <= SAME_RATE for g in later):
                found = replace(total, start=first, end=first + day)
        made.append(found)
    return sorted(made, key=lambda t: t.middle)


def _grown(totals: list[Total]) -> Iterator[dict[str, Any]]:
    """Yield the growth up to each total from the nearest earlier one that it can be told from."""
    for i, later in enumerate(totals):
        steps = [step for step in since(totals[:i], later) if step["high"] <= KNOWN_WITHIN * step["low"]]
        nearest = max((step["window_start"] for step in steps), default=later.middle)
        yield from (s for s in steps if hours_between(nearest, s["window_start"]) <= ONE_MOMENT)


def since(totals: list[Total], later: Total) -> list[dict[str, Any]]:
    """Mean growth up to a total from each earlier one, the one that tells it best last.

    Best is the nearest from which the growth is known within a factor of KNOWN_WITHIN; where there is none,
    the nearest.
    """
    steps = [step for earlier in totals if (step := growth(earlier, later))]
    return sorted(steps, key=lambda s: (s["high"] <= KNOWN_WITHIN * s["low"], s["window_start"]))


def growth(earlier: Total, later: Total) -> dict[str, Any] | None:
    """Mean growth per hour between two totals; None where they are of one moment, or the later is not larger.

    The days of both are known to their windows only, so the length between them is an interval too.
    """
    shortest, longest = hours_between(later.start, earlier.end), hours_between(later.end, earlier.start)
    if hours_between(later.middle, earlier.middle) <= ONE_MOMENT or shortest <= 0 or later.value <= earlier.value:
        return None
    return {
        "window_start": earlier.middle,
        "window_end": later.middle,
        "low": max(later.low - earlier.high, 0.0) / longest,
        "value": (later.value - earlier.value) / hours_between(later.middle, earlier.middle),
        "high": (later.high - earlier.low) / shortest,
        "role": later.role,
        "made_of": "growth between totals",
        "ids": f"{earlier.name};{later.name}",
    }


def _is_usual(steps: pd.DataFrame, evidence: Evidence, service_id: str) -> list[bool]:
    """Whether each step speaks of usual days: a published rate by its role, growth by the events it holds."""
    told = evidence.growth_figures.loc[evidence.growth_figures["service_id"] == service_id, "outage_id"]
    events = evidence.outages.loc[evidence.outages["outage_id"].isin(told), "start_utc"].tolist()
    settling = pd.Timedelta(days=SETTLING_DAYS)
    made = []
    for _, step in steps.iterrows():
        start, end = step["window_start"], step["window_end"]
        if step["made_of"] == "published rate":
            made.append(step["role"] == "baseline")
            continue
        latest = end - EVENT_SHARE * (end - start)
        made.append(not any(start - settling < event < latest for event in events))
    return made
