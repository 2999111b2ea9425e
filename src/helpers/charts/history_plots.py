"""The figures of the outage history: each takes plain data and returns a `Picture`, drawn wide and for a phone."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import backtest_axes, rates_axes, rhythm_axes, survival_axes, timeline_axes
from helpers.charts.backtest_axes import Prediction
from helpers.charts.history_axes import NO_CAUSE
from helpers.charts.picture import Picture
from helpers.charts.rates_axes import NextYear, RatePanel, TrendLine, YearRate
from helpers.charts.rhythm_axes import Even
from helpers.charts.survival_axes import Survival
from helpers.charts.theme import Size
from helpers.charts.timeline_view import Incident, TimeLane

__all__ = [
    "NO_CAUSE",
    "Even",
    "Incident",
    "NextYear",
    "Prediction",
    "RatePanel",
    "Survival",
    "TimeLane",
    "TrendLine",
    "YearRate",
    "backtest",
    "durations_survival",
    "rhythm",
    "timeline",
    "yearly_rates",
]


def timeline(
    lanes: Sequence[TimeLane],
    title: str,
    subtitle: str,
    source: str,
    alt: str,
    caption: str = "",
    *,
    since: pd.Timestamp | None = None,
    until: pd.Timestamp | None = None,
    noun: str = "outage",
) -> Picture:
    """Draw a lane for each service, and on it every event at its time, as high as it was long.

    Parameters
    ----------
    lanes : sequence of TimeLane
        In any order: the service with most events comes first. Beyond twelve lanes (eight on a phone) the
        services with fewest events share the last one.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.
    since, until : Timestamp or None
        UTC: ends of the axis; by default around all events.
    noun : str
        What an event is, in the singular.

    Returns
    -------
    Picture
    """
    events = [incident for lane in lanes for incident in lane.incidents]
    read = [f"Each mark is one {noun}, as high as it was long on a logarithmic scale; shape and colour are its cause"]
    if any(not incident.known and incident.count == 1 for incident in events):
        read.append("hollow marks at the foot are those whose length is not published")
    if any(incident.until is not None for incident in events):
        read.append("brackets are spans of which only the month or year is known")
    if any(lane.observed_from is not None for lane in lanes):
        read.append("hatched is the time before the evidence first names the service, or its imported record begins")

    def draw(size: Size) -> Figure:
        return timeline_axes.draw(lanes, (title, subtitle, source), (since, until), noun, size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, lanes)


def yearly_rates(
    panels: Sequence[RatePanel],
    title: str,
    subtitle: str,
    source: str,
    alt: str,
    caption: str = "",
    *,
    noun: str = "outages",
    level: float = 0.95,
) -> Picture:
    """Draw for each service its incidents per year, their trend, and the forecast of the next 12 months.

    Parameters
    ----------
    panels : sequence of RatePanel
        The first eight with any year are drawn, in the order given, and how many are not is said.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.
    noun : str
        What is counted, in the plural.
    level : float
        Mass of the intervals of the years.

    Returns
    -------
    Picture
    """
    read = [f"Dots are {noun} per year of observation, bars their exact {words.percent(level)} intervals"]
    if any(year.part for panel in panels for year in panel.years):
        read.append("hollow dots are years observed only in part, scaled up to a year")
    if any(panel.trend for panel in panels):
        read.append("the line is the fitted trend with its band")
    if any(panel.forecast for panel in panels):
        read.append(
            "at the right the count to expect in the 12 months that follow: thick 80%, thin 95%, the diamond its median"
        )

    def draw(size: Size) -> Figure:
        return rates_axes.draw(panels, (title, subtitle, source), noun, level, size)

    data = {"panels": panels, "level": level}
    return Picture(draw, alt, caption or "; ".join(read) + ".", source, data)


def durations_survival(
    curves: Sequence[Survival],
    title: str,
    subtitle: str,
    source: str,
    alt: str,
    caption: str = "",
    *,
    noun: str = "outage",
) -> Picture:
    """Draw the share of outages still going on after a time: all of them, and thinner by cause.

    Parameters
    ----------
    curves : sequence of Survival
        The first is of all and drawn heavier, with its band and its median; up to five more are drawn.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.
    noun : str
        What an event is, in the singular.

    Returns
    -------
    Picture
    """
    read = [f"Each line is the estimated share of {noun}s still going on after a time (Kaplan and Meier, 1958)"]
    if any(curve.low is not None for curve in curves):
        read.append("the band is its pointwise interval")
    if any(hours > 0 for curve in curves for hours in curve.censored):
        read.append("small strokes are those known to have lasted at least so long, with no end published")
    read.append("numbers in brackets are the events a line rests on")

    def draw(size: Size) -> Figure:
        return survival_axes.draw(curves, (title, subtitle, source), noun, size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, curves)


def rhythm(
    hours: Even | None,
    weekdays: Even | None,
    title: str,
    subtitle: str,
    source: str,
    alt: str,
    caption: str = "",
    *,
    noun: str = "outage",
) -> Picture:
    """Draw counts by hour of the day and by weekday, over what they would be if the time did not matter.

    Parameters
    ----------
    hours, weekdays : Even or None
        24 counts from midnight UTC and 7 from Monday; None leaves the panel out.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.
    noun : str
        What an event is, in the singular.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        When drawn, if there are not 24 and 7 counts.
    """
    caption = caption or (
        f"Bars count the {noun}s that began in each hour or on each weekday, in UTC; the dashed line is the count if "
        "all were even, and of even ones 95 in 100 would end in the grey band."
    )

    def draw(size: Size) -> Figure:
        return rhythm_axes.draw(hours, weekdays, (title, subtitle, source), noun, size)

    return Picture(draw, alt, caption, source, {"hours": hours, "weekdays": weekdays})


def backtest(
    rows: Sequence[Prediction],
    title: str,
    subtitle: str,
    source: str,
    alt: str,
    caption: str = "",
    *,
    noun: str = "outages",
) -> Picture:
    """Draw for each past year what the years before it predicted, and what then happened.

    Parameters
    ----------
    rows : sequence of Prediction
        In any order; the eight services with most predicted years get a panel, and how many do not is said.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.
    noun : str
        What is counted, in the plural: "outages", "hours down".

    Returns
    -------
    Picture
    """
    inside = sum(row.inside for row in rows)
    caption = caption or (
        f"Bars are what the years before predicted: thick 80%, thin 95%, the cross-stroke the median. Dots are what "
        f"happened: {inside} of {len(rows)} are inside the 95% intervals, crosses are outside."
    )

    def draw(size: Size) -> Figure:
        return backtest_axes.draw(rows, (title, subtitle, source), noun, size)

    return Picture(draw, alt, caption, source, rows)
