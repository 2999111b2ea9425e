"""Small panels of many series around one outage: observed against expected, each on its own axis from zero."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import history_axes, measured_lines, measured_scale, theme
from helpers.charts.history_axes import days
from helpers.charts.measured_scale import ValueScale
from helpers.charts.panel_view import Multiple, MultiplesView
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, OUTAGE, QUIET, Size

MOST = 12
_GAP = 16.0  # points between columns


def draw(view: MultiplesView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw the page in one width; ``words_above`` are title, subtitle and source."""
    title, subtitle, source = words_above
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    panels = view.panels[:MOST]
    steps = {panel.step for panel in panels}
    each = measured_lines.per(panels[0].step) if len(steps) == 1 else "step"
    noun = f"{view.noun[:1].upper()}{view.noun[1:]}"
    history_axes.head(sheet, f"{noun} per {each}, each panel on its own scale from zero", 5)
    keys = [
        history_axes.line_key("observed", INK, lw=1.2),
        history_axes.line_key(f"expected without the outage, {words.percent(view.level)} band", FIT, lw=2),
        history_axes.patch_key(view.outage.label or "outage", facecolor=theme.SHADE, edgecolor=OUTAGE, lw=0.8),
    ]
    history_axes.key_rows(sheet, keys)
    sheet.skip(4)
    _Grid(sheet, panels, view).add()
    hidden = len(view.panels) - len(panels)
    if hidden:
        sheet.note(f"{hidden:,} more series not drawn.", size.small)
        sheet.skip(4)
    sheet.note(source, size.small)
    return sheet.finish()


class _Grid:
    """The panels, row by row."""

    def __init__(self, sheet: Sheet, panels: Sequence[Multiple], view: MultiplesView) -> None:
        self.sheet, self.panels, self.view = sheet, panels, view
        narrow = sheet.size is NARROW
        self.columns = min(2 if narrow else 3, len(panels))
        self.tall = 74.0 if narrow else 84.0
        self.most = 64 if narrow else 104  # points of a line
        self.text = sheet.size.small - (1 if narrow else 0)
        self.start = min(panel.times[0] for panel in panels)
        self.end = max(panel.times[-1] + panel.step for panel in panels)
        self.scales = [_scale(panel) for panel in panels]
        self.ticks = [scale.ticks(self.tall, self.text, 3) for scale in self.scales]
        names = [measured_scale.short(v) for ticks in self.ticks for v in ticks]
        self.gutter = measured_scale.gutter(names, self.text) - 2
        self.width = (sheet.inner - _GAP * (self.columns - 1)) / self.columns

    def add(self) -> None:
        """Add all panels to the page."""
        sheet, size = self.sheet, self.sheet.size
        for start in range(0, len(self.panels), self.columns):
            row = range(start, min(start + self.columns, len(self.panels)))
            sheet.skip(8)
            names = [theme.wrap(self.panels[i].name, self.width, size.text, bold=True) for i in row]
            gains = [theme.wrap(self.panels[i].gain, self.width, size.small, even=True) for i in row]
            high = max(theme.extent(name, size.text, bold=True)[1] for name in names)
            deep = max((theme.extent(gain, size.small)[1] + 3 for gain in gains if gain), default=0.0)
            for column, (name, gain) in enumerate(zip(names, gains, strict=True)):
                self._head(column, name, gain)
            sheet.skip(high + deep + 9)
            for i in row:
                if i > start:
                    sheet.skip(-self.tall)
                self._panel(i)
            last = start + self.columns >= len(self.panels) - self.columns + 1
            sheet.skip(self.text * (2.9 if last else 1.0))
        sheet.note("Time in UTC, " + "–".join(sorted({str(self.start.year), str(self.end.year)})), size.small)
        sheet.skip(6)

    def _head(self, column: int, name: str, gain: str) -> None:
        sheet, size = self.sheet, self.sheet.size
        x = size.edge + column * (self.width + _GAP)
        drop = theme.extent(name, size.text, bold=True)[1] + 3

        def put(y: float) -> None:
            sheet.write(x, y, name, size.text, bold=True, va="top")
            if gain:
                sheet.write(x, y - drop, gain, size.small, QUIET, va="top")

        sheet.later(put)

    def _panel(self, i: int) -> None:
        sheet = self.sheet
        left = sheet.size.edge + (i % self.columns) * (self.width + _GAP)
        right = sheet.size.width - left - self.width
        axes = sheet.panel(left + self.gutter, right + 2, self.tall)
        sheet.last(lambda: self._fill(axes, i))

    def _fill(self, axes: Axes, i: int) -> None:
        panel = self.panels[i]
        axes.set_xlim(days(self.start), days(self.end))
        room = self.width - self.gutter - 2
        dates, names = measured_lines.time_ticks(self.start, self.end, room, self.text)
        lowest = i + self.columns >= len(self.panels)
        # the year stands below the grid
        axes.set_xticks(dates, [name.split("\n")[0] if lowest else "" for name in names])
        axes.tick_params(axis="x", length=3, color=QUIET)
        axes.tick_params(labelsize=self.text)
        self.scales[i].apply(axes, self.ticks[i])
        outage = self.view.outage
        axes.axvspan(
            days(outage.start), days(min(outage.end or self.end, self.end)), color=theme.SHADE, lw=0, zorder=0.5
        )
        axes.axvline(days(outage.start), color=OUTAGE, lw=0.8, zorder=2.2)
        x = measured_lines.days(panel.times) + panel.step / pd.Timedelta(days=2)
        thin = measured_lines.thin_band(x, panel.low, panel.expected, panel.high, self.most // 2)
        measured_lines.band(axes, thin[0], thin[1], thin[3], theme.FIT_95)
        measured_lines.line(axes, thin[0], thin[2], FIT, self.most, 1.5)
        measured_lines.line(axes, x, panel.observed, INK, self.most, 1.0, zorder=4)


def _scale(panel: Multiple) -> ValueScale:
    """Scale of one panel: above all counts; a band far above them runs off it."""
    most = max(measured_scale.finite_max(panel.observed), measured_scale.finite_max(panel.expected))
    high = min(measured_scale.finite_max(panel.high), 1.5 * most)
    return ValueScale(0.0, 1.06 * max(most, high) or 1.0)
