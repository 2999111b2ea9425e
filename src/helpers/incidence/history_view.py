"""From the statistics of the outage history to what its figures show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from helpers.charts import history_plots
from helpers.charts.history_plots import Even, Incident, NextYear, Prediction, RatePanel, TimeLane, TrendLine, YearRate
from helpers.incidence import backtest, durations, forecast, rates, rhythm
from helpers.incidence.history import History

#: Causes in words; those that are not published have no colour of their own.
CAUSES = {
    "unknown": history_plots.NO_CAUSE,
    "load": "too many users",
    "configuration": "change of settings",
    "software_fault": "fault in software",
    "software_update": "software update",
    "hardware": "hardware",
    "network": "network",
    "power": "power",
    "fire": "fire",
    "dns": "names of servers (DNS)",
    "attack": "attack",
    "third_party": "a supplier failed",
    "government_ban": "government ban",
    "court_order": "court order",
    "policy": "a decision of the operator",
    "shutdown": "closed for good",
    "protest": "protest",
    "acquisition": "purchase",
    "deplatforming": "thrown off its host",
    "nothing_failed": "nothing failed",
}
#: Panels a figure has room for.
MOST_PANELS = 6


def lanes(history: History) -> list[TimeLane]:
    """Return one lane a service: its events, and since when it is watched.

    Lengths are those of :func:`helpers.incidence.durations.lengths`, so that an end told to the minute is a length too.
    """
    events = forecast.with_hours(history.events)
    since = dict(zip(history.services["service_id"], history.services["exposure_start"], strict=True))
    # Events of a service that is not watched in this span are there all the same.
    names = dict.fromkeys([*since, *events["service_id"]])
    return [
        TimeLane(
            str(own["name"].iloc[0]), [_incident(row) for row in own.itertuples(index=False)], since.get(str(service))
        )
        for service in names
        if len(own := events[events["service_id"] == service])
    ]


def _incident(event: Any) -> Incident:
    hours = float(event.hours) if event.known and event.hours > 0 else None
    vague = event.precision == "month" and pd.notna(event.end)
    return Incident(
        event.start,
        hours,
        str(CAUSES.get(event.cause, event.cause)),
        event.end if vague else None,
        int(event.incidents),
    )


def panels(yearly: pd.DataFrame, trends: rates.Trends, expected: forecast.Forecast) -> list[RatePanel]:
    """Return the yearly rates of each service with a trend, its fitted line and what is expected next."""
    made = []
    for row in trends.table.head(MOST_PANELS).itertuples(index=False):
        years = yearly[yearly["service_id"] == row.service_id]
        line = trends.line[trends.line["service_id"] == row.service_id]
        counts = expected.counts[expected.counts["service_id"] == row.service_id]
        made.append(
            RatePanel(
                str(row.name),
                [_year(year) for year in years.itertuples(index=False)],
                _line(line) if len(line) else None,
                _next(counts.iloc[0]) if len(counts) else None,
                str(row.verdict),
            )
        )
    return made


def _year(row: Any) -> YearRate:
    return YearRate(
        int(row.year),
        int(row.incidents),
        float(row.rate),
        float(row.low),
        float(row.high),
        _months(row),
    )


def _months(row: Any) -> str:
    """Months of a year that was watched only in part: "Jan–Mar"."""
    if not row.part:
        return ""
    first, last = f"{row.first_day:%b}", f"{row.last_day:%b}"
    return first if first == last else f"{first}–{last}"


def _line(line: pd.DataFrame) -> TrendLine:
    at = line["at"].dt
    length = np.where(at.is_leap_year, 366, 365)
    years = at.year + (at.day_of_year - 1 + at.hour / 24) / length
    return TrendLine(*(np.asarray(column, dtype=float) for column in (years, line["rate"], line["low"], line["high"])))


def _next(row: pd.Series) -> NextYear:
    last = last_day(row["starts"])
    return NextYear(
        float(row["median"]),
        (float(row["low_80"]), float(row["high_80"])),
        (float(row["low"]), float(row["high"])),
        f"12 months after {last.day} {last:%b %Y}",
    )


def last_day(end: pd.Timestamp) -> pd.Timestamp:
    """Return the last day of a span whose end is not included."""
    return (end - pd.Timedelta(microseconds=1)).floor("D")


def survival(found: durations.Survival) -> list[history_plots.Survival]:
    """Return the curves of durations, all outages first, then each group of causes."""
    made = []
    for number, curve in enumerate(found.curves):
        label = "all" if number == 0 else CAUSES.get(curve.label, curve.label)
        whole = number == 0
        middle = (curve.median_low, curve.median, curve.median_high)
        made.append(
            history_plots.Survival(
                label,
                curve.hours,
                curve.share,
                curve.known,
                curve.low if whole else None,
                curve.high if whole else None,
                curve.censored_at,
                middle if whole and np.isfinite(middle).all() else None,
            )
        )
    return made


def even(found: rhythm.Rhythm) -> tuple[Even | None, Even | None]:
    """Return the counts by hour and by weekday, each with the level and range of an even spread."""
    return _even(found.hours, found.hour_verdict), _even(found.weekdays, found.weekday_verdict)


def _even(counts: pd.DataFrame, verdict: str) -> Even | None:
    if not counts["events"].sum():
        return None
    middle, low, high = (float(counts[name].mean()) for name in ("expected", "low", "high"))
    # Of so few events that a fraction is expected, the range of whole numbers may miss it.
    return Even([int(n) for n in counts["events"]], middle, min(low, middle), max(high, middle), verdict)


def predictions(tested: backtest.Backtest, yearly: pd.DataFrame, quantity: str = "outages") -> list[Prediction]:
    """Return what each past year was predicted to bring, and what it brought."""
    rows = tested.table[tested.table["quantity"] == quantity]
    watched = {(row.service_id, row.year): _months(row) for row in yearly.itertuples(index=False)}
    return [
        Prediction(
            str(row.name),
            int(row.year),
            float(row.observed),
            float(row.median),
            (float(row.low_80), float(row.high_80)),
            (float(row.low), float(row.high)),
            watched[row.service_id, row.year],
        )
        for row in rows.itertuples(index=False)
    ]
