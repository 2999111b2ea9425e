"""The main figure: the fitted rate with the published figures on it, and below it whose doing the extra users are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from helpers import words
from helpers.charts import labels, lanes, marks, theme
from helpers.charts.lanes import Event
from helpers.charts.marks import Mark, Panel
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, OTHER, OUTAGE, QUIET, Size

Array = NDArray[np.float64]
Rate = Mapping[float, Array]
_UNITS = (("second", 1 / 3600), ("minute", 1 / 60), ("hour", 1.0), ("day", 24.0))
_SCALES = ((1e9, ", billions", 1e9), (1e6, ", millions", 1e6), (2e4, ", thousands", 1e3), (0.0, "", 1.0))
_STEPS = (1, 3, 6, 12, 24, 48, 96, 168, 336, 672, 1344, 2688, 8064)  # hours between dates on the axis
# how many times above the fit's band a published figure may stretch the axis: when it fits, when it does not
_OFF = {True: 3.0, False: 1.3}


@dataclass(frozen=True)
class CurveView:
    """What the main figure shows of one rival.

    Parameters
    ----------
    service, unit_noun : str
        "Telegram", "sign-ups" (or "installs", "daily users": those are levels of a day).
    times : DatetimeIndex, shape (n,)
        UTC, increasing, n >= 2.
    rate : dict of quantile to array, shape (n,)
        Per hour, at 0.025, 0.25, 0.5, 0.75 and 0.975.
    baseline : tuple of float
        Low, middle and high of the usual rate per hour.
    extra_outage, extra_other : dict of quantile to array, shape (n,)
        Extra people so far because of the outage, and because of the other shock (None when there is none).
    other_label : str or None
        "the purchase".
    outage_start, outage_end : Timestamp
        UTC; the end is None when none was published and equals the start for a moment (an announcement).
    outage_label : str
        "WhatsApp down 19:00-22:48 UTC".
    marks : sequence of Mark
    others : sequence of (Timestamp, str)
        Confounding events.
    level : float
        Mass of the wide band.
    cause : str
        What happened, as in "because of the outage".
    line : str
        What the line is.
    """

    service: str
    unit_noun: str
    times: pd.DatetimeIndex
    rate: Rate
    baseline: tuple[float, float, float]
    extra_outage: Rate
    outage_start: pd.Timestamp
    outage_end: pd.Timestamp | None
    outage_label: str
    extra_other: Rate | None = None
    other_label: str | None = None
    marks: Sequence[Mark] = ()
    others: Sequence[tuple[pd.Timestamp, str]] = ()
    level: float = 0.95
    cause: str = "the outage"
    line: str = "fitted rate"

    @property
    def is_level(self) -> bool:
        """Whether the quantity belongs to a day by its nature (daily users)."""
        return self.unit_noun.startswith("daily ")

    def hours(self, when: pd.Timestamp) -> float:
        """Place of a time on the axis: hours since the first of the times."""
        return float((when - self.times[0]) / pd.Timedelta(hours=1))


@dataclass(frozen=True)
class _Shock:
    """Extra people so far because of one shock: whose doing, how many in the end, and how it is drawn."""

    who: str
    bands: Rate
    colour: str
    line: dict[str, Any]
    band: dict[str, Any]

    @property
    def text(self) -> str:
        """Whose doing, and how many in the end."""
        ends = sorted((self.bands[min(self.bands)][-1], self.bands[max(self.bands)][-1]))
        return f"because of {self.who}: {words.interval(*ends)}"


def _shocks(view: CurveView) -> list[_Shock]:
    band: dict[str, Any] = {"color": theme.OUTAGE_BAND, "lw": 0}
    shocks = [_Shock(view.cause, view.extra_outage, OUTAGE, {"lw": 2}, band)]
    if view.extra_other:
        who = view.other_label or "the other shock"
        band = {"facecolor": theme.OTHER_BAND, "edgecolor": "#9aa1ad", "hatch": theme.HATCH, "lw": 0, "alpha": 0.75}
        shocks.append(_Shock(who, view.extra_other, OTHER, {"lw": 2, "ls": theme.DASHES}, band))
    return shocks


def draw(view: CurveView, title: str, subtitle: str, source: str, size: Size) -> Figure:
    """Draw the figure in one width.

    Words stand beside the published figures where they find room; else, and on a phone, numbers with a key below.
    """
    drawing = _Drawing(view, size)
    figure = None if size is NARROW else drawing.draw(title, subtitle, source, keyed=False)
    figure = figure or drawing.draw(title, subtitle, source, keyed=True)
    assert figure is not None  # numbers always get a place
    return figure


class _Drawing:
    """What is shown in one width and on which scales, then the page and what stands on its axes."""

    def __init__(self, view: CurveView, size: Size) -> None:
        self.view, self.size, self.narrow = view, size, size is NARROW
        hours = np.asarray((view.times - view.times[0]) / pd.Timedelta(hours=1), dtype=float)
        self.last = float(hours[-1])
        self.keep = _thin(view, hours)
        self.x = hours[self.keep]
        self.shocks = _shocks(view)
        self.seen = [mark for mark in view.marks if mark.end >= view.times[0] and mark.start <= view.times[-1]]
        self.top = self._limit(max(_cap(view.rate), view.baseline[1]), total=False)
        self.extra_top = self._limit(max(_cap(shock.bands) for shock in self.shocks), total=True)
        units = _UNITS[-1:] if view.is_level else _UNITS
        self.unit, self.factor = next((u for u in units if self.top * u[1] >= 1.08), units[-1])

    def draw(self, title: str, subtitle: str, source: str, keyed: bool) -> Figure | None:
        """Draw with words, or with numbers; None when the words find no room."""
        view, size, narrow = self.view, self.size, self.narrow
        y_values, y_words, y_scale = _ticks(self.top * self.factor, 5 if narrow else 6)
        e_values, e_words, e_scale = _ticks(self.extra_top, 3)
        left = size.edge + 8 + max(theme.extent(text, size.text)[0] for text in y_words + e_words)
        right = size.edge + (12 if narrow else 136)
        self.left, self.right = left, size.width - right
        ticks, names = self._dates()

        sheet = Sheet(size)
        sheet.heading(title, subtitle)
        unit = "" if view.is_level else f" per {self.unit}"
        sheet.note(f"{view.service} {view.unit_noun}{unit}{y_scale}", size.text, bold=True, colour=INK)
        if narrow:
            sheet.skip(4)
            bands = f"{view.line}, bands: 50% and {words.percent(view.level)}"
            sheet.keys([(bands, FIT, {"lw": 2}), ("usual day", QUIET, {"ls": theme.DOTS, "lw": 1.4})])
        obstacles: list[Array] = []
        named, room = lanes.arrange(self._events(), size)
        sheet.skip(room + 8)
        upper = Panel(sheet, sheet.panel(left, right, 235 if narrow else 270), view.times[0], obstacles, backed=True)
        sheet.skip(20)
        noun = "user-days" if view.is_level else view.unit_noun
        sheet.note(f"Extra {noun} so far{e_scale}", size.text, bold=True, colour=INK)
        if narrow:
            sheet.skip(4)
            sheet.keys([(shock.text, shock.colour, shock.line) for shock in self.shocks])
        sheet.skip(8)
        lower = Panel(sheet, sheet.panel(left, right, 95 if narrow else 118), view.times[0], obstacles)
        sheet.skip(size.text * (3.5 if any("\n" in name for name in names) else 2.2))
        years = sorted({view.times[0].year, view.times[-1].year})
        sheet.note(f"Day and time in UTC, {'–'.join(map(str, years))}", size.text, left=left - size.edge)
        sheet.skip(size.text)
        if keyed and self.seen:
            self._key(sheet)
        sheet.note(source, size.small)
        figure = sheet.finish()

        upper.axes.set_yticks([v / self.factor for v in y_values], y_words)
        lower.axes.set_yticks(e_values, e_words)
        for panel, top, shown in ((upper, self.top, [""] * len(ticks)), (lower, self.extra_top, names)):
            panel.axes.set(xlim=(0, self.last), ylim=(0, top))
            panel.axes.set_xticks(ticks, shown)
            panel.axes.grid(axis="y", color=theme.RULE, lw=0.8)
            panel.axes.tick_params(axis="x", length=4, color=QUIET)
            self._shade(panel.axes)
        lanes.draw(sheet, named, upper.axes, lower.axes)
        base, ceiling = sheet.edges(lower.axes)[1], sheet.edges(upper.axes)[3]
        obstacles += [labels.along(np.array([(lane.event.x, base), (lane.event.x, ceiling)]), 0.7) for lane in named]
        self._rates(upper)
        self._extras(lower)
        return figure if self._marks(upper, False, keyed) and self._marks(lower, True, keyed) else None

    # the parts, in reading order

    def _limit(self, band: float, total: bool) -> float:
        """Top of an axis: above the fit's band, and above the published figures that are not absurdly far off."""
        tops = [
            mark.top for mark in self.seen if (mark.kind == "total") == total and mark.top <= _OFF[mark.agrees] * band
        ]
        return 1.08 * max([band, *tops])

    def _at(self, hours: float) -> float:
        """Horizontal place, in points, of a time on the axis."""
        return self.left + (self.right - self.left) * min(max(hours / self.last, 0.0), 1.0)

    def _events(self) -> list[Event]:
        """Words for the outage and for the other events on the axis, in order of time."""
        view = self.view
        start, end = view.hours(view.outage_start), self.last
        text = view.outage_label
        if view.outage_end is None:
            text += " – no end published →"
        else:
            end = view.hours(view.outage_end)
            if end > self.last:
                text += f" – until {words.moment(view.outage_end).split(',')[0]} →"
        long = self._at(end) - self._at(start) > 60
        at = start if long else (max(start, 0.0) + min(end, self.last)) / 2
        inside = sorted((view.hours(when), label) for when, label in view.others)
        others = [Event(self._at(hours), label) for hours, label in inside if 0 <= hours <= self.last]
        return [Event(self._at(at), text, outage=True, long=long), *others]

    def _shade(self, axes: Axes) -> None:
        """Mark the time of the outage."""
        view = self.view
        start = view.hours(view.outage_start)
        end = self.last if view.outage_end is None else min(view.hours(view.outage_end), self.last)
        if end > max(start, 0.0):
            axes.axvspan(max(start, 0.0), end, color=theme.SHADE, lw=0, zorder=0.5)
        if start >= 0:  # a line at the start keeps an outage of minutes in sight
            axes.axvline(start, color=OUTAGE, lw=1, zorder=0.6)

    def _rates(self, panel: Panel) -> None:
        """Draw the fitted rate with its bands, and the usual day."""
        x, usual, axes = self.x, self.view.baseline[1], panel.axes
        lowest, low, middle, high, highest = (self.view.rate[q][self.keep] for q in sorted(self.view.rate))
        axes.fill_between(x, lowest, highest, color=theme.FIT_95, lw=0)
        axes.fill_between(x, low, high, color=theme.FIT_50, lw=0)
        axes.axhline(usual, color=QUIET, lw=1.3, ls=theme.DOTS, zorder=3)
        axes.plot(x, middle, color=FIT, lw=2.2, zorder=4, solid_joinstyle="round")
        panel.curve = panel.points(x, middle)
        panel.avoid(panel.curve, 8)
        panel.avoid(panel.points((0, self.last), (usual, usual)), 1.5)
        panel.avoid(panel.points(x, np.minimum(highest, self.top)), 0.8)
        panel.avoid(panel.points(x, high), 0.8)
        band = f"{self.view.line},\n50% and {words.percent(self.view.level)}\nbands"
        self._ends(panel, [(float(middle[-1]), band, FIT), (usual, "usual day", QUIET)])

    def _extras(self, panel: Panel) -> None:
        """Draw the extra people so far because of each shock."""
        for shock in self.shocks:
            q = sorted(shock.bands)
            panel.axes.fill_between(self.x, shock.bands[q[0]][self.keep], shock.bands[q[-1]][self.keep], **shock.band)
            panel.axes.plot(self.x, shock.bands[0.5][self.keep], color=shock.colour, zorder=4, **shock.line)
            line = panel.points(self.x, shock.bands[0.5][self.keep])
            panel.avoid(line, 8)
            if shock is self.shocks[0]:
                panel.curve = line
        ends = [(float(s.bands[0.5][-1]), s.text.replace(": ", ":\n"), s.colour) for s in self.shocks]
        self._ends(panel, ends)

    def _ends(self, panel: Panel, ends: Sequence[tuple[float, str, str]]) -> None:
        """Words in the right margin, level with the ends of their lines as far as there is room for each."""
        if self.narrow:
            return  # there they are keys
        size, room = self.size.text, self.size.width - self.right - self.size.edge - 6
        texts = [theme.wrap(text, room, size) for _, text, _ in ends]
        heights = [theme.extent(text, size)[1] + 5 for text in texts]
        wanted = [float(y) for y in panel.points(np.zeros(len(ends)), [value for value, *_ in ends])[:, 1]]
        _, bottom, _, top = panel.sheet.edges(panel.axes)
        levels = labels.spread(wanted, heights, bottom - 4, top)
        for text, (_, _, colour), y in zip(texts, ends, levels, strict=True):
            panel.sheet.write(self.right + 7, y, text, size, colour, va="center")

    def _dates(self) -> tuple[Array, list[str]]:
        """Round hours or days of UTC for the axis, as many as their words leave room for: hours, words."""
        first = self.view.times[0]
        widest = theme.extent("28 May", self.size.text)[0] * 1.45
        step = next((s for s in _STEPS if self.last / s * widest <= self.right - self.left), _STEPS[-1])
        midnight = self.view.hours(first.normalize())
        ticks = np.arange(0, self.last + 24 + step, step) + midnight
        ticks = ticks[(ticks >= 0) & (ticks <= self.last)]
        names = []
        for i, m in enumerate((first + pd.Timedelta(hours=float(h))).round("min") for h in ticks):
            day = f"{m.day} {words.MONTHS[m.month - 1]}"
            names.append(day if step >= 24 else f"{m:%H:%M}" + (f"\n{day}" if i == 0 or m.hour < step else ""))
        return ticks, names

    def _words(self, mark: Mark) -> str:
        text = mark.label if mark.label.startswith("“") else f"“{mark.label}”"
        notes = [] if mark.agrees else ["does not fit"]
        if mark.kind == "total":
            notes += ["off the scale"] * (mark.height > self.extra_top)
        elif mark.height > self.top:
            each = words.digits(words.significant(mark.height * self.factor))
            notes.append(f"off the scale, at {each}" + ("" if self.view.is_level else f" a {self.unit}"))
        return text + (f" – {', '.join(notes)}" if notes else "")

    def _key(self, sheet: Sheet) -> None:
        """List what the numbers on the axes say."""
        x, drop = self.size.edge + 7, self.size.small * 0.52
        sheet.note("Published figures", self.size.small, bold=True, colour=INK)
        sheet.skip(6)
        for number, mark in enumerate(self.seen, 1):

            def disc(y: float, number: int = number) -> None:
                sheet.badge(x, y - drop, number)

            sheet.later(disc)
            sheet.note(self._words(mark), self.size.small, left=22, colour=INK)
            sheet.skip(6)
        sheet.skip(4)

    def _marks(self, panel: Panel, total: bool, keyed: bool) -> bool:
        """Draw the published figures of one panel; False when their words find no room."""
        here = [(number, mark) for number, mark in enumerate(self.seen, 1) if (mark.kind == "total") == total]
        texts = [str(number) if keyed else self._words(mark) for number, mark in here]
        return marks.draw(panel, [mark for _, mark in here], texts, keyed)


def _ticks(top: float, bins: int) -> tuple[list[float], list[str], str]:
    """Round values from 0 to top, their words, and the scale they are in (", millions")."""
    values = [v for v in MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10]).tick_values(0, top) if -1e-9 <= v <= top]
    _, name, scale = next(s for s in _SCALES if top >= s[0])
    return values, [words.digits(round(v / scale, 9)) for v in values], name


def _cap(bands: Rate) -> float:
    """Highest value worth an axis: the top of the bands, unless their last percents run far above."""
    order = sorted(bands)
    return min(float(np.max(bands[order[-1]])), 4 * float(np.max(bands[order[-2]]))) or 1.0


def _thin(view: CurveView, hours: Array, most: int = 180) -> NDArray[np.intp]:
    """Indices that draw the same curve with fewer points: evenly spaced, the peaks, and around the events."""
    n = len(hours)
    keep = set(np.linspace(0, n - 1, min(most, n)).astype(int).tolist())
    keep.update(int(np.argmax(values)) for values in view.rate.values())
    for when in (view.outage_start, view.outage_end, *(when for when, _ in view.others)):
        if when is not None:
            i = int(np.searchsorted(hours, view.hours(when)))
            keep.update(j for j in (i - 1, i, i + 1) if 0 <= j < n)
    return np.array(sorted(keep))
