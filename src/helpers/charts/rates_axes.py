"""Incidents per year as small multiples: what was counted, how sure that is, the trend, and the year to come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import history_axes, multiples, theme
from helpers.charts.history_axes import Array
from helpers.charts.multiples import Grid
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, QUIET, Size


@dataclass(frozen=True)
class YearRate:
    """One calendar year: what was counted, and the rate a year with its interval; ``part`` names a part year.

    Raises
    ------
    ValueError
        If the rate is not finite, or outside its interval.
    """

    year: int
    count: int
    rate: float
    low: float
    high: float
    part: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not (math.isfinite(self.rate) and 0 <= self.low <= self.rate <= self.high):
            raise ValueError(f"{self.year}: a rate of {self.rate} in {self.low} to {self.high}")


@dataclass(frozen=True)
class TrendLine:
    """A fitted rate: ``years`` (n,) as 2014.5 for the middle of 2014, and its middle, low and high, each (n,)."""

    years: Array
    middle: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class NextYear:
    """The forecast: median, the interval of 80% and that of 95%, and the name of its time."""

    middle: float
    inner: tuple[float, float]
    outer: tuple[float, float]
    label: str = "next 12 months"


@dataclass(frozen=True)
class RatePanel:
    """What one panel shows: the service, its years, and where they were computed trend, forecast and a verdict."""

    service: str
    years: Sequence[YearRate]
    trend: TrendLine | None = None
    forecast: NextYear | None = None
    note: str = ""


def draw(panels: Sequence[RatePanel], words_above: tuple[str, str, str], noun: str, level: float, size: Size) -> Figure:
    """Draw the page in one width; ``words_above`` are title, subtitle and source."""
    title, subtitle, source = words_above
    shown = [panel for panel in panels if panel.years][: multiples.MOST]
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    if not shown:
        sheet.note("No year of any service could be counted.", size.text, colour=INK)
    else:
        history_axes.head(sheet, f"{noun[:1].upper()}{noun[1:]} per year", 5)
        _keys(sheet, shown, level)
        page = _Panels(sheet, shown)
        page.grid.add(page.fill)
    hidden = len(panels) - len(shown)
    if hidden and shown:
        sheet.note(f"Not drawn: {words.count(hidden)} more service{'s' * (hidden > 1)}.", size.small)
        sheet.skip(4)
    sheet.note(source, size.small)
    return sheet.finish()


def _keys(sheet: Sheet, panels: Sequence[RatePanel], level: float) -> None:
    keys = [history_axes.dot_key(f"counted, bar: {words.percent(level)} interval", INK, "o")]
    if any(year.part for panel in panels for year in panel.years):
        keys.append(history_axes.dot_key("part of a year, scaled up", INK, "o", hollow=True))
    if any(panel.trend for panel in panels):
        keys.append(history_axes.line_key("trend", FIT, lw=2))
    if any(panel.forecast for panel in panels):
        keys.append(history_axes.dot_key("forecast: thick 80%, thin 95%", theme.OUTAGE, "D"))
    history_axes.key_rows(sheet, keys)


class _Panels:
    """What stands on the panels."""

    def __init__(self, sheet: Sheet, panels: Sequence[RatePanel]) -> None:
        self.sheet, self.panels = sheet, panels
        forecasts = any(panel.forecast for panel in panels)
        # the forecast gets a strip of its own, wide enough for its name
        self.strip = 62.0 if forecasts else 0.0
        years = [year.year for panel in panels for year in panel.years]
        self.grid = Grid(
            sheet,
            heads=[(panel.service, _note(panel)) for panel in panels],
            tops=[_top(panel) for panel in panels],
            first=min(years),
            last=max(years) + 1,
            strip=self.strip,
            below=2.9 if forecasts else 1.8,
        )

    def fill(self, axes: Axes, i: int, top: float) -> None:
        """Draw one panel."""
        panel = self.panels[i]
        begin = min(year.year for year in panel.years)
        if begin > self.grid.first:
            axes.axvspan(self.grid.first, begin, **history_axes.UNSEEN)
        if panel.trend:
            trend = panel.trend
            axes.fill_between(trend.years, trend.low, np.minimum(trend.high, top), color=theme.FIT_95, lw=0)
            axes.plot(trend.years, trend.middle, color=FIT, lw=2, zorder=2)
        for year in panel.years:
            x = year.year + 0.5
            axes.plot([x, x], [year.low, min(year.high, top)], color=INK, lw=1.3, zorder=3)
            face = theme.PAPER if year.part else INK
            axes.plot([x], [year.rate], "o", ms=5.5, mfc=face, mec=INK, mew=1.2, zorder=4, clip_on=False)
            if year.high > top:
                axes.plot([x], [top], "^", color=INK, ms=5, zorder=5, clip_on=False)
        if panel.forecast:
            self._forecast(panel.forecast, axes, top)

    def _forecast(self, forecast: NextYear, axes: Axes, top: float) -> None:
        """Draw the year to come in its strip, set off from the past."""
        sheet = self.sheet
        _, base, right, roof = sheet.edges(axes)
        x = right + 12 + (self.strip - 12) / 2
        left_edge = right + 10

        def y(value: float) -> float:
            return base + (roof - base) * min(value, top) / top

        colour = theme.OUTAGE
        sheet.rule((left_edge, left_edge), (base, roof), QUIET, ls=theme.DOTS, lw=1)
        sheet.rule((left_edge + 3, right + self.strip), (base, base), QUIET)
        sheet.rule((x, x), [y(v) for v in forecast.outer], colour, lw=1.6, zorder=3)
        sheet.rule((x, x), [y(v) for v in forecast.inner], colour, lw=7, alpha=0.45, zorder=3, solid_capstyle="butt")
        sheet.rule((x,), (y(forecast.middle),), colour, marker="D", ms=6, mec=theme.PAPER, mew=0.8, zorder=5)
        if forecast.outer[1] > top:
            sheet.rule((x,), (roof,), colour, marker="^", ms=5, zorder=5)
        name = theme.wrap(forecast.label, self.strip - 8, sheet.size.small, even=True)
        sheet.write(x, base - 7, name, sheet.size.small, colour, va="top", ha="center", linespacing=1.1)


def _top(panel: RatePanel) -> float:
    """Top of an axis: above all rates and the forecast; intervals of short years may run off it."""
    rates = [year.rate for year in panel.years]
    highs = [year.high for year in panel.years if not year.part] or [max(rates)]
    trend = [float(np.max(panel.trend.middle))] if panel.trend and len(panel.trend.middle) else []
    most = max([*rates, *trend, panel.forecast.outer[1] if panel.forecast else 0.0, 1.0])
    return 1.06 * max(most, min(max(highs), max(1.8 * max(rates), 4.0)))


def _note(panel: RatePanel) -> str:
    """Verdict of a panel, and which months its part years hold."""
    parts = [f"{year.part} {year.year}" for year in panel.years if year.part]
    seen = f"Part year{'s' * (len(parts) > 1)}: {words.listing(parts)}" if parts else ""
    said = [text[:1].upper() + text[1:] + "." for text in (panel.note.removesuffix("."), seen) if text]
    return " ".join(said)
