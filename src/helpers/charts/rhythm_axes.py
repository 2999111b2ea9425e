"""Counts by hour of the day and by weekday, over the level they would all have if the time did not matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import history_axes, theme
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, QUIET, Size

_BAND: dict[str, Any] = {"facecolor": theme.OTHER_BAND, "edgecolor": "#9aa1ad", "lw": 0.8}
_TALL, _GAP = 150.0, 26.0  # points: height of a panel, and between two
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Even:
    """Counts by hour of the day (24) or by weekday (7, Monday first), all in UTC.

    ``expected`` is the count each would have if they were even, ``low`` and ``high`` are the range in which an
    even one falls 95 times of 100; ``note`` is the verdict in words.

    Raises
    ------
    ValueError
        If a count is negative, or the expected one is outside its range.
    """

    counts: Sequence[int]
    expected: float
    low: float
    high: float
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if any(count < 0 for count in self.counts):
            raise ValueError(f"counts cannot be negative: {list(self.counts)}")
        if not 0 <= self.low <= self.expected <= self.high:
            raise ValueError(f"an expected count of {self.expected} in {self.low} to {self.high}")


def draw(hours: Even | None, weekdays: Even | None, words_above: tuple[str, str, str], noun: str, size: Size) -> Figure:
    """Draw in one width: side by side, on a phone one below the other."""
    title, subtitle, source = words_above
    panels = []
    if hours is not None:
        panels.append(
            _Panel("hour of the day", "hour", hours, (0, 6, 12, 18), ("00:00", "06:00", "12:00", "18:00"), 24)
        )
    if weekdays is not None:
        panels.append(_Panel("weekday", "day", weekdays, tuple(range(7)), _DAYS, 7))
    for panel in panels:
        if len(panel.even.counts) != panel.length:
            raise ValueError(f"{len(panel.even.counts)} counts by {panel.name}: expected {panel.length}")
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    if panels:
        history_axes.key_rows(
            sheet,
            [
                history_axes.patch_key("counted", facecolor=theme.FIT_50, edgecolor=FIT, lw=0.8),
                history_axes.line_key("even", INK, ls=(0, (4, 2)), lw=1.4),
                history_axes.patch_key("where 95 of 100 would be if even", **_BAND),
            ],
        )
        sheet.skip(8)
    else:
        sheet.note(f"No {noun} whose hour or day is known.", size.text, colour=INK)
        sheet.skip(size.text)
        sheet.note(source, size.small)
        return sheet.finish()
    stacked = size is NARROW or len(panels) == 1
    widths = [sheet.inner] * len(panels) if stacked else [(sheet.inner - _GAP) * share for share in (0.62, 0.38)]
    heads = [_Head(panel, noun, width, size) for panel, width in zip(panels, widths, strict=True)]
    start = 0.0
    for i, (panel, head, width) in enumerate(zip(panels, heads, widths, strict=True)):
        down = head.height if stacked else max(other.height for other in heads)
        if i and not stacked:
            sheet.skip(-down - _TALL)
        _add(sheet, panel, head, (size.edge + start, width), down)
        if stacked:
            sheet.skip(size.text * 2 + 10)
        start += 0 if stacked else width + _GAP
    if not stacked:
        sheet.skip(size.text * 2 + 10)
    sheet.note(source, size.small)
    return sheet.finish()


@dataclass(frozen=True)
class _Panel:
    """What one panel counts, and the names below its bars."""

    name: str
    known: str
    even: Even
    ticks: tuple[int, ...]
    texts: tuple[str, ...]
    length: int


class _Head:
    """Words above a panel, wrapped to its width."""

    def __init__(self, panel: _Panel, noun: str, width: float, size: Size) -> None:
        head = f"{noun[:1].upper()}{noun[1:]}s by {panel.name}, UTC"
        note = f"{sum(panel.even.counts):,} whose {panel.known} is known"
        self.text = theme.wrap(head, width, size.text, bold=True)
        self.note = theme.wrap(note + (f": {panel.even.note}" if panel.even.note else ""), width, size.small)
        self.drop = theme.extent(self.text, size.text, True)[1] + 4
        self.height = self.drop + theme.extent(self.note, size.small)[1] + 8


def _add(sheet: Sheet, panel: _Panel, head: _Head, place: tuple[float, float], down: float) -> None:
    """Add one panel at ``place``, its left edge and width in points, ``down`` below its words."""
    size = sheet.size
    x, width = place
    top = max([*panel.even.counts, panel.even.high, 1]) * 1.12

    def put(y: float) -> None:
        sheet.write(x, y, head.text, size.text, bold=True, va="top")
        sheet.write(x, y - head.drop, head.note, size.small, QUIET, va="top")

    sheet.later(put)
    sheet.skip(down)
    values = history_axes.count_ticks(top)
    gutter = 8 + max(theme.extent(words.digits(v), size.text)[0] for v in values)
    axes = sheet.panel(x + gutter, size.width - x - width, _TALL)

    def fill() -> None:
        _fill(axes, panel.even, top)
        axes.set_yticks(values, [words.digits(v) for v in values])
        axes.set_xticks(panel.ticks, panel.texts)
        axes.tick_params(axis="x", length=3, color=QUIET)

    sheet.last(fill)


def _fill(axes: Axes, even: Even, top: float) -> None:
    n = len(even.counts)
    axes.set(xlim=(-0.6, n - 0.4), ylim=(0, top))
    axes.grid(axis="y", color=theme.RULE, lw=0.8)
    axes.axhspan(even.low, even.high, zorder=1, **_BAND)
    axes.bar(range(n), list(even.counts), width=0.72, color=theme.FIT_50, edgecolor=FIT, lw=0.8, zorder=2, alpha=0.85)
    axes.axhline(even.expected, color=INK, lw=1.4, ls=(0, (4, 2)), zorder=3)
