"""Mean response of groups of series by time since the start of the outage, in percent above the expected."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from helpers import words
from helpers.charts import history_axes, labels, lanes, measured_lines, measured_scale, theme
from helpers.charts.history_axes import QUIET_LOOK, Look
from helpers.charts.lanes import Event
from helpers.charts.panel_view import Response, ResponseView
from helpers.charts.sheet import Sheet
from helpers.charts.theme import NARROW, OUTAGE, QUIET, Size

Array = NDArray[np.float64]
_PLACEBO = (QUIET_LOOK, theme.OTHER_BAND)
_LOOKS = (
    (history_axes.LOOKS[0], theme.FIT_95),
    (history_axes.LOOKS[2], "#f3e6cd"),
    (history_axes.LOOKS[3], "#d3e9e3"),
    (history_axes.LOOKS[4], "#e5dbef"),
)
_MOST = 240


def draw(view: ResponseView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw in one width; ``words_above`` are title, subtitle and source."""
    title, subtitle, source = words_above
    narrow = size is NARROW
    groups = [group for group in view.groups if np.isfinite(group.mean).any()]
    looks = _looks(groups)
    low, high = min(float(g.hours[0]) for g in groups), max(float(g.hours[-1]) for g in groups)
    middles = [percent(group.mean) for group in groups]
    most = max(measured_scale.finite_max(np.abs(middle)) for middle in middles)
    reach = 2.5 * most or 1.0  # bands of a handful of series may run off the axis
    bands = [np.clip(percent(end), -100, reach) for group in groups for end in (group.low, group.high)]
    scale = measured_scale.spread_scale([*middles, *bands], 100.0)
    height = 210.0 if narrow else 260.0
    ticks = scale.ticks(height, size.text, 6)
    left = size.edge + measured_scale.gutter([_name(v) for v in ticks], size.text)
    right = size.edge + (12 if narrow else 150)
    room = size.width - left - right
    at, names, unit = measured_lines.since_ticks(low, high, room, size.text)

    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    bent = f", logarithmic above {_name(scale.bend)}" if scale.bend else ""
    noun = f"{view.noun[:1].upper()}{view.noun[1:]}"
    history_axes.head(sheet, f"{noun} above the expected, mean of series{bent}", 5)
    if narrow:
        keys = [
            history_axes.line_key(_said(group), look.colour, ls=look.dash, lw=2)
            for group, (look, _) in zip(groups, looks, strict=True)
        ]
        history_axes.key_rows(sheet, keys)
    start, end = _at(0, low, high, left, room), _at(view.outage_hours or high, low, high, left, room)
    long = end - start > 60
    event = Event(start if long else (start + end) / 2, view.outage_label or "outage", outage=True, long=long)
    named, above = lanes.arrange([event], size)
    sheet.skip(above + 8)
    axes = sheet.panel(left, right, height)
    sheet.skip(size.text * 2.1)
    sheet.note(f"{unit} since the start of the outage", size.text, left=left - size.edge)
    sheet.skip(size.text)
    sheet.note(source, size.small)
    figure = sheet.finish()

    scale.apply(axes, ticks, _name)
    axes.set_xlim(low, high)
    axes.set_xticks(at, names)
    axes.tick_params(axis="x", length=4, color=QUIET)
    lanes.draw(sheet, named, axes, axes)
    shade(axes, view.outage_hours, high)
    axes.axhline(0, color=QUIET, lw=1, zorder=2)
    widths = [float(np.nanmedian(group.high - group.low)) if np.isfinite(group.high).any() else 0.0 for group in groups]
    over = {i: 1.2 + 0.1 * rank for rank, i in enumerate(np.argsort([-width for width in widths]).tolist())}
    for i, (group, (look, colour), middle) in enumerate(zip(groups, looks, middles, strict=True)):
        thin = measured_lines.thin_band(group.hours, percent(group.low), middle, percent(group.high), _MOST)
        measured_lines.band(axes, thin[0], thin[1], thin[3], colour, zorder=over[i])  # a wide band covers no narrow one
        axes.plot(thin[0], thin[2], color=look.colour, ls=look.dash, lw=2, zorder=4)
    if not narrow:
        _ends(sheet, axes, groups, looks, middles, view.level)
    return figure


def shade(axes: Axes, hours: float | None, last: float) -> None:
    """Mark the time of the outage on an axis of hours since its start."""
    axes.axvspan(0, min(last if hours is None else hours, last), color=theme.SHADE, lw=0, zorder=0.5)
    axes.axvline(0, color=OUTAGE, lw=1, zorder=2.2)


def percent(log_ratio: Array) -> Array:
    """Percent above the expected of a logarithm of observed over expected."""
    return np.asarray(100 * np.expm1(log_ratio), dtype=float)


def _at(hours: float, low: float, high: float, left: float, room: float) -> float:
    return left + room * min(max((hours - low) / (high - low), 0.0), 1.0)


def _name(value: float) -> str:
    return f"{'+' if value > 0 else ''}{measured_scale.short(value)}%"


def _said(group: Response) -> str:
    return f"{group.label} ({group.series:,})"


def _looks(groups: list[Response]) -> list[tuple[Look, str]]:
    """One look a group: grey and dotted to those that cannot have gained."""
    spare = iter(_LOOKS)
    return [_PLACEBO if group.placebo else next(spare) for group in groups]


def _ends(
    sheet: Sheet, axes: Axes, groups: list[Response], looks: list[tuple[Look, str]], middles: list[Array], level: float
) -> None:
    """Name the lines in the right margin, level with their ends as far as there is room for each."""
    size = sheet.size.text
    _, bottom, right, top = sheet.edges(axes)
    room = sheet.size.width - right - sheet.size.edge - 8
    texts = [theme.wrap(_said(group), room, size, even=True) for group in groups]
    if any(np.isfinite(group.high).any() for group in groups):
        texts.append(theme.wrap(f"bands: {words.percent(level)} intervals", room, sheet.size.small, even=True))
    heights = [theme.extent(text, size)[1] + 6 for text in texts]
    ends = [float(middle[np.isfinite(middle)][-1]) for middle in middles]
    wanted = [*(float(axes.transData.transform((0, end))[1]) for end in ends), bottom][: len(texts)]
    levels = labels.spread(wanted, heights, bottom - 12, top)
    for i, (text, y) in enumerate(zip(texts, levels, strict=True)):
        own = i < len(groups)
        colour = looks[i][0].colour if own else QUIET
        sheet.write(right + 8, y, text, size if own else sheet.size.small, colour, va="center")
