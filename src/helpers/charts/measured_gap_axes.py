"""The three panels of a measured series: observed against expected, the gap of each step, and what it adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from helpers import words
from helpers.charts import history_axes, labels, lanes, measured_lines, measured_scale, theme
from helpers.charts.history_axes import days
from helpers.charts.lanes import Event
from helpers.charts.measured_scale import ValueScale
from helpers.charts.measured_view import KINDS, MeasuredView
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, OTHER, OUTAGE, QUIET, Size

Array = NDArray[np.float64]
#: Hatches of the kinds of other times: told apart without colour.
_HATCHES = {"excluded": "////", "known": "----", "unmarked": "\\\\\\\\"}
_NAMED = 3  # other times with words of their own; the rest have their hatch
_THINNEST = 3.0  # points


def draw(view: MeasuredView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw the page in one width; ``words_above`` are title, subtitle and source."""
    return _Drawing(view, size).draw(*words_above)


def hatch(kind: str) -> dict[str, Any]:
    """Look of other times of one kind."""
    return {"facecolor": "#f4f5f7", "edgecolor": "#b3b9c4", "hatch": _HATCHES[kind], "lw": 0}


@dataclass(frozen=True)
class _Ready:
    """What of the view lies in the part that is drawn, in days since 1970; sums stand at the end of their step."""

    x: Array
    observed: Array
    expected: Array
    low: Array
    high: Array
    gap_x: Array
    gap: tuple[Array, Array, Array]
    total_x: Array
    total: tuple[Array, Array, Array]
    begin: int  # of the gap: where the outage starts


def _ready(view: MeasuredView) -> _Ready:
    n, m = len(view.times), len(view.extra)
    first = max(0, n - m - int(np.ceil(view.before * m)))
    step = view.step / pd.Timedelta(days=1)
    start = measured_lines.days(view.times[first:])
    observed, expected, low, high = (a[first:] for a in (view.observed, view.expected, view.low, view.high))
    begin = n - m - first
    gaps = (
        np.concatenate([(observed - high)[:begin], view.extra_low]),
        np.concatenate([(observed - expected)[:begin], view.extra]),
        np.concatenate([(observed - low)[:begin], view.extra_high]),
    )
    sums = (view.cumulative_low, view.cumulative, view.cumulative_high)
    total_x = np.append(start[begin], start[begin:] + step)
    total = (np.append(0.0, sums[0]), np.append(0.0, sums[1]), np.append(0.0, sums[2]))
    middle = start + step / 2
    return _Ready(middle, observed, expected, low, high, middle, gaps, total_x, total, begin)


class _Drawing:
    """What is shown in one width and on which scales, then the page and what stands on its axes."""

    def __init__(self, view: MeasuredView, size: Size) -> None:
        self.view, self.size, self.narrow = view, size, size is NARROW
        self.most = 300 if self.narrow else 620  # points of a line
        self.shown = _ready(view)
        last = view.times[-1] + view.step
        self.start, self.end = view.times[len(view.times) - len(self.shown.x)], last
        self.others = [other for other in view.others if other.end > self.start and other.start < self.end]
        self.heights = (190.0, 96.0, 104.0) if self.narrow else (215.0, 104.0, 118.0)
        self.scales = self._scales()

    def _scales(self) -> tuple[ValueScale, ValueScale, ValueScale]:
        shown = self.shown
        inner = [shown.observed, shown.expected]
        most = max(measured_scale.finite_max(values) for values in inner)
        before = shown.observed[: shown.begin]
        before = before[np.isfinite(before)]
        # a count that is high in one step of ten is usual: rare single sign-ups are no surge
        usual = float(np.quantile(before, 0.9)) if len(before) else 0.0
        # a band far above all counts runs off the axis: it would flatten them
        counts = measured_scale.counts_scale([*inner, np.minimum(shown.high, 1.6 * most)], usual, self.view.scale)
        low, gap, high = shown.gap
        reach = 2.2 * max(measured_scale.finite_max(np.abs(gap)), 1e-12)
        gaps = measured_scale.spread_scale([gap, np.clip(low, -reach, reach), np.clip(high, -reach, reach)], 0.0)
        return counts, gaps, measured_scale.spread_scale(shown.total, 0.0)

    def draw(self, title: str, subtitle: str, source: str) -> Figure:
        """Lay out the page, then draw on it."""
        view, size = self.view, self.size
        ticks = [s.ticks(h, size.text, most) for s, h, most in zip(self.scales, self.heights, (6, 3, 4), strict=True)]
        names = [measured_scale.short(v) for values in ticks for v in values]
        self.left = size.edge + measured_scale.gutter(names, size.text)
        self.right = size.width - size.edge - (12 if self.narrow else 132)
        dates, dated = measured_lines.time_ticks(self.start, self.end, self.right - self.left, size.text)

        sheet = self.sheet = Sheet(size)
        sheet.heading(title, subtitle)
        each = measured_lines.per(view.step)
        noun = f"{view.service} {view.noun}".strip()
        self._head(f"{noun[:1].upper()}{noun[1:]} per {each}{self.scales[0].note}")
        self._keys()
        named, room = lanes.arrange(self._events(), size)
        sheet.skip(room + 8)
        upper = self._panel(self.heights[0])
        self._head(f"Difference from the expected, per {each}", 18)
        if self.narrow:
            sheet.keys([(f"after the start, with {words.percent(view.level)} band", OUTAGE, {"lw": 1.6})])
        sheet.skip(8)
        middle = self._panel(self.heights[1])
        self._head(f"Extra {view.noun} so far", 18)
        if self.narrow:
            sheet.keys([(f"{self._total()}, {words.percent(view.level)} interval", OUTAGE, {"lw": 2})])
        sheet.skip(8)
        lower = self._panel(self.heights[2])
        sheet.skip(size.text * (3.5 if any("\n" in name for name in dated) else 2.2))
        years = sorted({str(self.start.year), str(view.times[-1].year)})
        told = any(year in name for name in dated for year in years)
        sheet.note("Time in UTC" if told else f"Time in UTC, {'–'.join(years)}", size.text, left=self.left - size.edge)
        sheet.skip(size.text)
        sheet.note(source, size.small)
        figure = sheet.finish()

        panels = (upper, middle, lower)
        for axes, scale, values in zip(panels, self.scales, ticks, strict=True):
            scale.apply(axes, values)
            axes.set_xlim(days(self.start), days(self.end))
            axes.set_xticks(dates, dated if axes is lower else [""] * len(dates))
            axes.tick_params(axis="x", length=4, color=QUIET)
            self._shade(axes)
            early = self._early()
            if early is not None:
                axes.axvline(days(early), color=QUIET, lw=0.8, ls=theme.DASHES, zorder=1)
        lanes.draw(sheet, named, upper, upper)
        self._counts(upper)
        self._gap(middle)
        self._sum(lower)
        return figure

    # the parts, in reading order

    def _head(self, text: str, above: float = 0) -> None:
        self.sheet.skip(above)
        history_axes.head(self.sheet, text, 4)

    def _panel(self, height: float) -> Axes:
        return self.sheet.panel(self.left, self.size.width - self.right, height)

    def _keys(self) -> None:
        """On a phone the lines of the first panel, and in both widths the hatches."""
        if self.narrow:
            expected = f"expected without the outage, {words.percent(self.view.level)} band"
            many = len(self.shown.x) > measured_lines.DOTS
            seen = history_axes.line_key("observed", INK, lw=1) if many else measured_lines.dot_key("observed", INK)
            history_axes.key_rows(self.sheet, [seen, history_axes.line_key(expected, FIT, lw=2)])
        kinds = [kind for kind in KINDS if any(other.kind == kind for other in self.others)]
        if kinds:
            self.sheet.skip(2)
            history_axes.key_rows(
                self.sheet, [history_axes.patch_key(KINDS[kind], **(hatch(kind) | {"lw": 0.5})) for kind in kinds]
            )

    def _x(self, when: pd.Timestamp) -> float:
        """Place of a moment in points from the left edge of the page."""
        share = (when - self.start) / (self.end - self.start)
        return self.left + (self.right - self.left) * min(max(float(share), 0.0), 1.0)

    def _events(self) -> list[Event]:
        """Words for the outage, for its early beginning, and for the named other times nearest to it."""
        outage = self.view.outage
        start, end = self._x(outage.start), self._x(outage.end or self.end)
        text = outage.label or "outage"
        if outage.end is None:
            text += " – no end published →"
        elif outage.end > self.end:
            text += f" – until {words.moment(outage.end).split(',')[0]} →"
        early = self._early()
        rise = f"rise begins {_clock(early, outage.start)}" if early else ""
        beside = early is not None and start - self._x(early) > 14
        if rise and not beside:  # two stems so near each other would be taken for one
            text += f"\n{rise}"
        long = end - start > 60
        found = [Event(start if long else (start + end) / 2, text, outage=True, long=long)]
        if early and beside:
            found.append(Event(self._x(early), rise))
        named = sorted((o for o in self.others if o.label), key=lambda o: abs(o.start - outage.start))[:_NAMED]
        found += [Event(self._x(o.start), o.label) for o in sorted(named, key=lambda o: o.start)]
        return found

    def _early(self) -> pd.Timestamp | None:
        """When the surge seems to have begun, if that is on the axis and before the stated start."""
        early = self.view.early
        return early if early is not None and self.start <= early < self.view.outage.start else None

    def _shade(self, axes: Axes) -> None:
        """Mark the time of the outage and the other times."""
        wide = (days(self.end) - days(self.start)) * _THINNEST / (self.right - self.left)
        for other in self.others:
            start, end = days(max(other.start, self.start)), days(min(other.end, self.end))
            axes.axvspan(start, max(end, start + wide), zorder=0.3, **hatch(other.kind))
        outage = self.view.outage
        start, end = days(outage.start), days(min(outage.end or self.end, self.end))
        axes.axvspan(start, end, color=theme.SHADE, lw=0, zorder=0.5)
        axes.axvline(start, color=OUTAGE, lw=1, zorder=2.2)  # keeps an outage of minutes in sight

    def _counts(self, axes: Axes) -> None:
        shown = self.shown
        x, low, middle, high = measured_lines.thin_band(shown.x, shown.low, shown.expected, shown.high, self.most // 2)
        measured_lines.band(axes, x, low, high, theme.FIT_95)
        measured_lines.line(axes, x, middle, FIT, self.most, 1.8, zorder=3)
        measured_lines.observed(axes, shown.x, shown.observed, INK, self.most)
        expected = f"expected without the outage, {words.percent(self.view.level)} band"
        self._ends(axes, [(shown.observed, "observed", INK), (shown.expected, expected, FIT)])

    def _gap(self, axes: Axes) -> None:
        shown, begin = self.shown, self.shown.begin
        axes.axhline(0, color=QUIET, lw=1, zorder=2.5)
        parts = ((slice(0, begin), theme.OTHER_BAND, OTHER), (slice(begin, None), theme.OUTAGE_BAND, OUTAGE))
        for part, shade, colour in parts:
            if not len(shown.gap_x[part]):
                continue
            low, middle, high = (values[part] for values in shown.gap)
            x, low, _, high = measured_lines.thin_band(shown.gap_x[part], low, middle, high, self.most // 3)
            measured_lines.band(axes, x, low, high, shade)
            measured_lines.line(axes, shown.gap_x[part], middle, colour, self.most // 2, 1.3)
        text = f"observed less expected, {words.percent(self.view.level)} band"
        self._ends(axes, [(shown.gap[1], text, OUTAGE)])

    def _sum(self, axes: Axes) -> None:
        shown = self.shown
        axes.axhline(0, color=QUIET, lw=1, zorder=2.5)
        x, low, middle, high = measured_lines.thin_band(
            shown.total_x, shown.total[0], shown.total[1], shown.total[2], self.most // 3
        )
        measured_lines.band(axes, x, low, high, theme.OUTAGE_BAND)
        measured_lines.line(axes, x, middle, OUTAGE, self.most, 2.2)
        known = np.flatnonzero(np.isfinite(middle))
        if len(known):
            i = known[-1]
            axes.plot(x[i], middle[i], "o", color=OUTAGE, ms=5.5, mec=theme.PAPER, mew=0.8, zorder=5, clip_on=False)
        self._ends(axes, [(shown.total[1], self._total(), OUTAGE)])

    def _total(self) -> str:
        """Say what it adds up to."""
        if self.view.total_label:
            return self.view.total_label
        known = np.flatnonzero(np.isfinite(self.view.cumulative_low) & np.isfinite(self.view.cumulative_high))
        if not len(known):
            return words.UNKNOWN
        return total_words(self.view.cumulative_low[known[-1]], self.view.cumulative_high[known[-1]], self.view.noun)

    def _ends(self, axes: Axes, ends: Sequence[tuple[Array, str, str]]) -> None:
        """Words in the right margin, level with the ends of their lines as far as there is room for each."""
        if self.narrow:
            return  # there they are keys
        size, room = self.size.text, self.size.width - self.right - self.size.edge - 6
        texts = [theme.wrap(text, room, size, even=True) for _, text, _ in ends]
        heights = [theme.extent(text, size)[1] + 5 for text in texts]
        _, bottom, _, top = self.sheet.edges(axes)
        last = [values[np.isfinite(values)] for values, *_ in ends]
        wanted = [float(axes.transData.transform((0, v[-1] if len(v) else 0))[1]) for v in last]
        levels = labels.spread(wanted, heights, bottom - 4, top)
        for text, (_, _, colour), y in zip(texts, ends, levels, strict=True):
            self.sheet.write(self.right + 8, y, text, size, colour, va="center")


def total_words(low: float, high: float, noun: str) -> str:
    """Say an interval of extra people: "340,000 to 600,000 extra sign-ups", "200 to 900 fewer sign-ups"."""
    if high < 0:
        return f"{words.interval(-high, -low)} fewer {noun}"
    return f"{words.interval(low, high)} extra {noun}"


def _clock(when: pd.Timestamp, start: pd.Timestamp) -> str:
    """Time of day, and the date where it is not that of the outage."""
    if when.normalize() == start.normalize():
        return f"{when:%H:%M}"
    return f"{when.day} {words.MONTHS[when.month - 1]}, {when:%H:%M}"
