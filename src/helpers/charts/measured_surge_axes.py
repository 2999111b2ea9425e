"""The surge after an outage: how many times the expected, how fast it went, and what stayed."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import history_axes, labels, lanes, measured_lines, measured_scale, theme
from helpers.charts.labels import Item
from helpers.charts.lanes import Event
from helpers.charts.measured_scale import Array
from helpers.charts.measured_view import SurgeView
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, OUTAGE, QUIET, Size

STAYED = "#0c7d66"
_STAYED_BAND = "#d3e9e3"
_MOST = 200


def draw(view: SurgeView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw in one width; ``words_above`` are title, subtitle and source."""
    return _Drawing(view, size).draw(*words_above)


class _Drawing:
    """What is shown in one width and on which scale, then the page and what stands on its axes."""

    def __init__(self, view: SurgeView, size: Size) -> None:
        self.view, self.size, self.narrow = view, size, size is NARROW
        ends = np.concatenate([view.hours, view.curve_hours])
        self.low, self.high = min(float(ends.min()), 0.0), float(ends.max())
        if self.high <= self.low:
            self.low, self.high = self.low - 0.5, self.high + 0.5
        inner = [view.ratio, view.curve, np.array([1.0])]
        most = max(measured_scale.finite_max(values) for values in inner)
        stays = np.array(view.stays or (1.0,))
        self.scale = measured_scale.counts_scale(
            [*inner, np.minimum(view.curve_high, 1.5 * most), np.minimum(stays, 1.5 * most)], 1.0, view.scale
        )

    def draw(self, title: str, subtitle: str, source: str) -> Figure:
        """Lay out the page, then draw on it."""
        view, size, narrow = self.view, self.size, self.narrow
        height = 220.0 if narrow else 280.0
        ticks = self.scale.ticks(height, size.text, 6)
        left = size.edge + measured_scale.gutter([_name(v) for v in ticks], size.text)
        right = size.edge + (12 if narrow else 136)
        room = size.width - left - right
        at, names, unit = measured_lines.since_ticks(self.low, self.high, room, size.text)

        sheet = self.sheet = Sheet(size)
        sheet.heading(title, subtitle)
        bent = f", logarithmic above {_name(self.scale.bend)}" if self.scale.bend else ""
        noun = f"{view.noun[:1].upper()}{view.noun[1:]}"
        history_axes.head(sheet, f"{noun}, times the expected{bent}", 5)
        if narrow:
            many = len(view.hours) > measured_lines.DOTS
            line = history_axes.line_key("observed", INK, lw=1)
            keys = [line if many else measured_lines.dot_key("observed", INK)]
            if len(view.curve_hours):
                keys.append(history_axes.line_key(self._fitted(), FIT, lw=2.2))
            if view.stays:
                keys.append(history_axes.line_key(self._stayed(), STAYED, ls=theme.DASHES, lw=1.6))
            history_axes.key_rows(sheet, keys)
        event = self._event(left, room)
        named, above = lanes.arrange([event], size)
        sheet.skip(above + 8)
        axes = sheet.panel(left, right, height)
        sheet.skip(size.text * 2.1)
        sheet.note(f"{unit} since the start of the outage", size.text, left=left - size.edge)
        sheet.skip(size.text)
        sheet.note(source, size.small)
        figure = sheet.finish()

        self.scale.apply(axes, ticks, _name)
        axes.set_xlim(self.low, self.high)
        axes.set_xticks(at, names)
        axes.tick_params(axis="x", length=4, color=QUIET)
        lanes.draw(sheet, named, axes, axes)
        last = self.high if view.outage_hours is None else min(view.outage_hours, self.high)
        axes.axvspan(0, last, color=theme.SHADE, lw=0, zorder=0.3)
        axes.axvline(0, color=OUTAGE, lw=1, zorder=2.2)
        axes.axhline(1, color=QUIET, lw=1.2, zorder=2.1)
        self._stay(axes)
        self._curve(axes)
        measured_lines.observed(axes, view.hours, view.ratio, INK, 2 * _MOST)
        self._bracket(axes)
        if not narrow:
            self._ends(axes)
        return figure

    def _event(self, left: float, room: float) -> Event:
        """Words for the outage, above the axes."""
        start = left + room * (0 - self.low) / (self.high - self.low)
        hours = self.high if self.view.outage_hours is None else min(self.view.outage_hours, self.high)
        end = left + room * (hours - self.low) / (self.high - self.low)
        long = end - start > 60
        return Event(start if long else (start + end) / 2, self.view.outage_label or "outage", outage=True, long=long)

    def _fitted(self) -> str:
        return f"fitted response, {words.percent(self.view.level)} band"

    def _stayed(self) -> str:
        """Say what level stayed, against the expected."""
        assert self.view.stays is not None  # asked for only then
        low, _, high = (words.significant(100 * (end - 1), 2) for end in self.view.stays)
        sign = ["+" if end > 0 else "" for end in (low, high)]
        return f"level that stayed: {sign[0]}{words.digits(low)}% to {sign[1]}{words.digits(high)}%"

    def _stay(self, axes: Axes) -> None:
        if self.view.stays is None:
            return
        low, middle, high = self.view.stays
        start = max(self.view.peak_hours, 0.0)
        axes.fill_between([start, self.high], low, high, color=_STAYED_BAND, lw=0, zorder=0.8)
        axes.plot([start, self.high], [middle, middle], color=STAYED, ls=theme.DASHES, lw=1.6, zorder=3.2)

    def _curve(self, axes: Axes) -> None:
        view = self.view
        if not len(view.curve_hours):
            return
        thin = measured_lines.thin_band(view.curve_hours, view.curve_low, view.curve, view.curve_high, _MOST)
        measured_lines.band(axes, thin[0], thin[1], thin[3], theme.FIT_95, zorder=1)
        over = 5 if len(view.hours) > measured_lines.DOTS else 3.5  # a line of counts would hide it
        axes.plot(thin[0], thin[2], color=FIT, lw=2.2, zorder=over, solid_joinstyle="round")

    def _bracket(self, axes: Axes) -> None:
        """The half-life: from the peak to where half is gone, with its interval and its words."""
        view = self.view
        if view.half_life is None or not len(view.curve_hours):
            return
        low, middle, high = (view.peak_hours + hours for hours in view.half_life)
        stays = view.stays[1] if view.stays else 1.0
        peak = float(np.interp(view.peak_hours, view.curve_hours, view.curve))
        level = stays + (peak - stays) / 2
        first, *ends = (float(axes.transData.transform((h, level))[0]) for h in (view.peak_hours, low, middle, high))
        y = float(axes.transData.transform((0, level))[1])
        left, base, right, roof = self.sheet.edges(axes)
        ends = [min(end, right) for end in ends]
        over: dict[str, float] = {"zorder": 6}
        self.sheet.rule((first, ends[1]), (y, y), INK, lw=1.4, **over)
        for x in (first, ends[1]):
            self.sheet.rule((x, x), (y - 5, y + 5), INK, lw=1.4, **over)
        self.sheet.rule((ends[0], ends[2]), (y, y), INK, lw=5, alpha=0.3, solid_capstyle="butt", **over)
        if ends[2] >= right:
            self.sheet.rule((right,), (y,), INK, marker=">", ms=5, mew=0, **over)
        text = f"half of the {'surge' if peak >= stays else 'drop'} gone after {_after(*view.half_life)}"
        text = theme.wrap(text, 126 if self.narrow else 150, self.size.text, even=True)
        width, height = theme.extent(text, self.size.text)
        wishes = ((ends[2] + 8, y - height / 2), (ends[2] + 8, y + 2), (first, y + 8), (ends[2] - width, y + 8))
        item = Item(width, height, (first, ends[2], y), wishes)
        points = [labels.along(self._points(axes, view.curve_hours, view.curve), 8)]
        seen = np.isfinite(view.ratio)
        dots = self._points(axes, view.hours[seen], view.ratio[seen])
        points.append(np.column_stack([dots, np.full(len(dots), 6.0)]))
        points.append(labels.along(np.array([(first, y), (max(ends[2], first + 1), y)]), 30))
        bounds = (left + 3, base + 3, right - 2, roof - 2)
        line = np.array([(left, -1e9), (right, -1e9)])
        boxes = labels.place([item], bounds, np.concatenate(points), line)
        if boxes:
            tie = labels.leader(boxes[0], item.anchor, 12)
            if tie:
                self.sheet.rule(*tie, QUIET, lw=0.8, zorder=5)
            self.sheet.write(boxes[0][0], boxes[0][1], text, self.size.text, INK, zorder=7).set_bbox(
                {"boxstyle": "square,pad=0.05", "fc": theme.PAPER, "ec": "none", "alpha": 0.75}
            )

    def _points(self, axes: Axes, x: Array, y: Array) -> Array:
        keep = measured_lines.thin_line(y, 2 * _MOST)
        x, y = x[keep], y[keep]
        known = np.isfinite(y)
        return np.asarray(axes.transData.transform(np.column_stack([x[known], y[known]])), dtype=float)

    def _ends(self, axes: Axes) -> None:
        """Words in the right margin, level with the ends of their lines as far as there is room for each."""
        view, size = self.view, self.size.text
        seen = view.ratio[np.isfinite(view.ratio)]
        ends = [("observed", INK, float(seen[-1])), ("as expected", QUIET, 1.0)]
        if len(view.curve_hours):
            known = view.curve[np.isfinite(view.curve)]
            ends.append((self._fitted(), FIT, float(known[-1]) if len(known) else 1.0))
        if view.stays:
            ends.append((self._stayed(), STAYED, view.stays[1]))
        _, bottom, right, top = self.sheet.edges(axes)
        room = self.size.width - right - self.size.edge - 8
        texts = [theme.wrap(text, room, size, even=True) for text, *_ in ends]
        heights = [theme.extent(text, size)[1] + 5 for text in texts]
        wanted = [float(axes.transData.transform((0, value))[1]) for *_, value in ends]
        levels = labels.spread(wanted, heights, bottom - 4, top)
        for text, (_, colour, _), y in zip(texts, ends, levels, strict=True):
            self.sheet.write(right + 8, y, text, size, colour, va="center")


def _after(low: float, middle: float, high: float) -> str:
    """Say the interval of a half-life; one without an upper end as a bound."""
    return f"{words.duration(low)} or more" if np.isinf(high) else words.duration_interval(low, high)


def _name(value: float) -> str:
    return f"×{measured_scale.short(value)}" if value else "0"
