"""The time line of outages: a lane for each service, on it every event as high as it was long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.charts import history_axes, labels, theme
from helpers.charts.history_axes import Look
from helpers.charts.labels import Item
from helpers.charts.sheet import Sheet
from helpers.charts.theme import INK, NARROW, QUIET, Size
from helpers.charts.timeline_view import Incident, TimeLane, capped

_UNKNOWN_AT, _FOOT, _ROOF = 6.0, 15.0, 13.0  # points above the lane's base, and of room above its longest event
_CROWD = 300  # events in a lane from which on marks are smaller, and those on one spot are drawn once


@dataclass(frozen=True)
class _Scale:
    """Heights of lengths in a lane: logarithmic from the shortest to the longest of all lanes, in points."""

    low: float
    high: float
    tall: float

    def __call__(self, hours: float) -> float:
        share = math.log(max(hours, self.low) / self.low) / math.log(self.high / self.low)
        return _FOOT + share * (self.tall - _ROOF - _FOOT)


def draw(
    lanes: Sequence[TimeLane],
    words_above: tuple[str, str, str],
    span: tuple[pd.Timestamp | None, pd.Timestamp | None],
    noun: str,
    size: Size,
) -> Figure:
    """Draw the page in one width; ``words_above`` are title, subtitle and source."""
    title, subtitle, source = words_above
    narrow = size is NARROW
    shown = capped(lanes, 8 if narrow else 12)
    events = [incident for lane in shown for incident in lane.incidents]
    looks = history_axes.group_looks(incident.group for incident in events)
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    if not events:
        sheet.note(f"No {noun} of the services asked for is in the tables.", size.text, colour=INK)
        sheet.skip(size.text)
        sheet.note(source, size.small)
        return sheet.finish()

    lengths = [incident.length for incident in events if incident.length > 0]
    tall = _tall(len(shown), max(len(lane.incidents) for lane in shown))
    low = max(min([*lengths, 1.0]), 1 / 60)  # nothing is known to less than a minute
    scale = _Scale(low, max([*lengths, 10 * low]), tall)
    history_axes.head(sheet, "Higher means longer, on a logarithmic scale", 4)
    _keys(sheet, events, looks)
    names_at = sheet.inner if narrow else 118.0
    names = [theme.wrap(lane.service, names_at, size.text, bold=True) for lane in shown]
    widest = max(_name_width(lane, name, noun, size) for lane, name in zip(shown, names, strict=True))
    left = size.edge + (0 if narrow else widest + 12)
    right = size.edge + theme.extent("30 days", size.small)[0] + 6
    start, end = _span(events, lanes, span)
    ticks, tick_words = history_axes.date_ticks(start, end, size.width - left - right, size.text)
    panels = []
    for lane, name in zip(shown, names, strict=True):
        sheet.skip(10)
        # a name of many lines needs more than its lane
        spare = 0.0 if narrow else max(_name_height(name, size) - tall, 0) / 2
        if narrow:
            sheet.note(f"{name} ({_counted(lane, noun)})", size.text, colour=INK)
            sheet.skip(5)
        sheet.skip(spare)
        panels.append((lane, name, sheet.panel(left, right, tall)))
        sheet.skip(spare)
    sheet.skip(size.text * (3.2 if any("\n" in name for name in tick_words) else 2.0))
    sheet.skip(size.text * 0.6)
    sheet.note(source, size.small)

    def fill() -> None:
        for lane, name, axes in panels:
            last = axes is panels[-1][2]
            axes.set(xlim=(history_axes.days(start), history_axes.days(end)), ylim=(0, tall), yticks=[])
            axes.set_xticks(ticks, tick_words if last else [""] * len(ticks))
            axes.tick_params(axis="x", length=4 if last else 0, color=QUIET)
            axes.grid(axis="x", color=theme.RULE, lw=0.8)
            if not narrow:
                _name(sheet, axes, lane, name, noun)
            _Lane(sheet, axes, lane, scale, looks).draw(3 if len(panels) < 4 else 2)

    sheet.last(fill)
    return sheet.finish()


def _tall(lanes: int, most: int) -> float:
    """Height of a lane in points: the fewer lanes, the higher."""
    if lanes == 1:
        return 80.0 if most <= 2 else 130.0 if most < _CROWD else 190.0
    return {2: 96.0, 3: 84.0, 4: 72.0}.get(lanes, 62.0)


def _counted(lane: TimeLane, noun: str) -> str:
    return f"{lane.total:,} {noun}{'' if lane.total == 1 else 's'}"


def _name_width(lane: TimeLane, name: str, noun: str, size: Size) -> float:
    return max(theme.extent(name, size.text, bold=True)[0], theme.extent(_counted(lane, noun), size.small)[0])


def _name_height(name: str, size: Size) -> float:
    return theme.extent(name, size.text, bold=True)[1] + size.small * 1.3


def _name(sheet: Sheet, axes: Axes, lane: TimeLane, name: str, noun: str) -> None:
    """Write the service and its number of events to the left of its lane."""
    _, bottom, _, top = sheet.edges(axes)
    high = theme.extent(name, sheet.size.text, bold=True)[1]
    y = (bottom + top + _name_height(name, sheet.size)) / 2
    sheet.write(sheet.size.edge, y, name, sheet.size.text, bold=True, va="top")
    sheet.write(sheet.size.edge, y - high - 3, _counted(lane, noun), sheet.size.small, QUIET, va="top")


def _keys(sheet: Sheet, events: Sequence[Incident], looks: dict[str, tuple[str, Look]]) -> None:
    """Say which shape and colour is which cause, and what hollow means."""
    named = dict.fromkeys(looks.values())
    keys = [history_axes.dot_key(name, look.colour, look.marker) for name, look in named]
    if any(not incident.known and incident.count == 1 for incident in events):
        keys.append(history_axes.dot_key("hollow: length not published", INK, "o", hollow=True))
    history_axes.key_rows(sheet, keys)


def _span(
    events: Sequence[Incident], lanes: Sequence[TimeLane], asked: tuple[pd.Timestamp | None, pd.Timestamp | None]
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last moment of the axis: as asked for, else around all events."""
    since = [lane.observed_from for lane in lanes if lane.observed_from is not None]
    first = min([incident.start for incident in events] + since)
    last = max(incident.until or incident.start for incident in events)
    room = max((last - first) * 0.02, pd.Timedelta(days=2))
    start, end = asked
    start, end = (first - room if start is None else start), (last + room if end is None else end)
    return (start, end) if end > start else (start, start + pd.Timedelta(days=30))


class _Lane:
    """What stands on one lane."""

    def __init__(
        self, sheet: Sheet, axes: Axes, lane: TimeLane, scale: _Scale, looks: dict[str, tuple[str, Look]]
    ) -> None:
        self.sheet, self.axes, self.lane, self.scale, self.looks = sheet, axes, lane, scale, looks
        self.left, self.base, self.right, self.top = sheet.edges(axes)
        self.begin, self.end = axes.get_xlim()
        self.seen = [i for i in lane.incidents if self.begin <= i.middle <= self.end]
        self.ms = 6.5 if len(self.seen) < 60 else 5.0 if len(self.seen) < _CROWD else 3.5
        self.obstacles: list[labels.Array] = []

    def x(self, day: float) -> float:
        """Points from the left edge of the page."""
        share = (min(max(day, self.begin), self.end) - self.begin) / (self.end - self.begin)
        return self.left + share * (self.right - self.left)

    def draw(self, most: int) -> None:
        """Shade, scale, events, words."""
        self._before()
        self._lengths()
        self._events()
        self._words(most if self.sheet.size is not NARROW else min(most, 2))

    def _before(self) -> None:
        """Shade the time in which nothing would have been seen."""
        since = self.lane.observed_from
        if since is None or history_axes.days(since) <= self.begin:
            return
        until = min(history_axes.days(since), self.end)
        self.axes.axvspan(self.begin, until, **history_axes.UNSEEN)

    def _lengths(self) -> None:
        """Draw fine lines at lengths everybody knows, with their words at the right."""
        small = self.sheet.size.small
        for hours, text in history_axes.length_ticks(
            self.scale.low, self.scale.high, self.scale, lambda *_: small * 1.15
        ):
            y = self.scale(hours)
            self.axes.axhline(y, color=theme.RULE, lw=0.8, zorder=0.5)
            self.sheet.write(self.right + 5, self.base + y, text, small, QUIET, va="center")

    def _events(self) -> None:
        """Draw spans, stems and marks, those on one spot once."""
        crowd = len(self.seen) >= _CROWD
        packed = len(self.seen) >= 10 * _CROWD  # then one mark a spot, whatever its group
        cell = 5.0 if packed else 3.0 if crowd else 1.0
        stems: dict[tuple[Look, int], tuple[float, float]] = {}
        marks: dict[tuple[Look | None, bool, int, int], tuple[float, float, Look]] = {}
        for incident in sorted(self.seen, key=lambda i: (i.length, i.start)):  # the longest last, over the others
            look = self.looks[incident.group][1]
            if incident.until is not None:
                self._bracket(incident, look)
            if incident.count > 1:
                continue
            x, y = self.x(incident.middle), self.base + self._height(incident)
            spot = round(x / cell), round(y / cell)
            kept = (None, incident.known, *spot) if packed else (look, incident.known, *spot)
            marks[kept] = (x, y, look)
            if incident.known and not crowd:  # the height of hundreds shows without stems
                stems[look, spot[0]] = (x, y)
        for look in dict.fromkeys(look for *_, look in marks.values()):
            self._stems([top for (owner, _), top in stems.items() if owner == look], look)
            for known in (True, False):
                own = [(x, y) for key, (x, y, owner) in marks.items() if owner == look and key[1] == known]
                self._marks(own, look, known)
        for x, y, _ in marks.values():
            spots = [[x + dx, y + dy, 8.0] for dx, dy in ((0, 0), (3, 0), (-3, 0), (0, 3), (0, -3))]
            self.obstacles.append(np.array(spots))
        for x, y in stems.values():
            self.obstacles.append(labels.along(np.array([(x, self.base), (x, y)]), 1.2))

    def _stems(self, tops: Sequence[tuple[float, float]], look: Look) -> None:
        line = [(x, y) for x, top in tops for y in (self.base, top, math.nan)]
        if line:
            xs, ys = zip(*line, strict=True)
            self.sheet.rule(xs, ys, look.colour, lw=1.2 if self.ms > 4 else 0.6, alpha=0.55, zorder=3)

    def _marks(self, spots: Sequence[tuple[float, float]], look: Look, known: bool) -> None:
        if spots:
            xs, ys = zip(*spots, strict=True)
            filled = {"mfc": look.colour, "mec": theme.PAPER, "mew": 0.6}
            fill = filled if known else {"mfc": theme.PAPER, "mew": 1.2}
            self.sheet.rule(xs, ys, look.colour, marker=look.marker, ms=self.ms, ls="none", zorder=4, **fill)

    def _height(self, incident: Incident) -> float:
        return self.scale(incident.length) if incident.known else _UNKNOWN_AT

    def _bracket(self, incident: Incident, look: Look) -> None:
        """Draw the span in which it must have been."""
        assert incident.until is not None  # only called for spans
        x0, x1 = self.x(history_axes.days(incident.start)), self.x(history_axes.days(incident.until))
        y = self.base + (10.0 if incident.count > 1 else self._height(incident))
        if incident.count > 1:
            self.sheet.rule((x0, x0, x1, x1), (y - 4, y, y, y - 4), INK, lw=1.3, zorder=3)
        else:
            self.sheet.rule((x0, x1), (y, y), look.colour, lw=1.3, zorder=3)
        self.obstacles.append(labels.along(np.array([(x0, y), (x1, y)]), 4))

    def _words(self, most: int) -> None:
        """Name the spans with several events and the longest events, as many as find a good place."""
        several = [i for i in self.seen if i.count > 1]
        longest = sorted((i for i in self.seen if i.count == 1 and i.length > 0), key=lambda i: (-i.length, i.start))
        size = self.sheet.size.text
        named = [*several, *longest[:most]]
        obstacles = np.concatenate([*self.obstacles, np.empty((0, 3))])
        over = 1 if self.sheet.size is NARROW else 9  # on a phone the name stands there
        bounds = (self.left, self.base + 2, self.right + 2, self.top + over)
        while named:
            items = [self._item(incident, size) for incident in named]
            boxes = labels.place(items, bounds, obstacles, np.array([[self.left, -1e9], [self.right, -1e9]]), 30)
            if boxes:
                break
            named = named[:-1]
        else:
            return
        for incident, item, box in zip(named, items, boxes, strict=True):
            tie = labels.leader(box, item.anchor, 12)
            if tie:
                self.sheet.rule(*tie, lw=0.6, zorder=2)
            text = self.sheet.write(box[0], box[1] + 0.5, incident.words, size, zorder=6)
            text.set_bbox({"boxstyle": "square,pad=0.05", "fc": theme.PAPER, "ec": "none", "alpha": 0.75})

    def _item(self, incident: Incident, size: float) -> Item:
        width, height = theme.extent(incident.words, size)
        x, y = self.x(incident.middle), self.base + (10.0 if incident.count > 1 else self._height(incident))
        reach = self.ms / 2 + 4
        beside = [(x + reach, y - height / 2), (x - reach - width, y - height / 2)]
        above = [(x - width / 2, y + reach), (x - 4, y + reach), (x - width + 4, y + reach)]
        lower = [(x + reach, y - height), (x - reach - width, y - height)]
        wishes = [*above, *beside, *lower] if incident.count > 1 else [*beside, *above, *lower]
        return Item(width, height, (x, x, y), tuple(wishes))
