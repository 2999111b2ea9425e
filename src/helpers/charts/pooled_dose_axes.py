"""What rivals gained against the people hit, on logarithmic scales, with every event's name beside its mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from helpers import words
from helpers.charts import history_axes, labels, theme
from helpers.charts.history_axes import Key
from helpers.charts.labels import Array, Pair
from helpers.charts.pooled_names import FONT, MARK, REACH, Name, options, settle, short
from helpers.charts.pooled_view import DosePoint, DoseView
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, OUTAGE, QUIET, Box, Size

# of kinds: words, colour, shape, whether filled; told apart without colour
_KINDS: dict[str, tuple[str, str, str, bool]] = {
    "outage": ("outage", INK, "o", True),
    "block": ("block", OUTAGE, "s", True),
    "shutdown": ("shutdown", "#7a4fa3", "D", True),
    "policy_shock": ("shock without downtime", "#b06f00", "^", True),
    "nothing_failed": ("placebo: nothing failed", QUIET, "v", False),
}
_STRIP, _LEADER = "#f4f5f7", "#6d7583"
_CROWDED = 22.0  # mean cost of the names from which on numbers are easier to read


def draw(view: DoseView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw in one width: names beside the marks where they find room, else and on a phone numbers with a list."""
    known = sum(point.x is not None for point in view.points)
    tall = max(330.0, 9.5 * max(known, len(view.points) - known))
    tries = [(True, tall * more) for more in (1, 1.3, 1.8, 2.7, 4)]
    if size is not NARROW:
        tall = 430 + 4.5 * known + 6 * max(known - 45, 0)
        tries = [(False, tall), (False, 1.25 * tall), *tries[1:]]
    figure = None
    for keyed, tall in tries:
        figure = figure or _Drawing(view, size, keyed, tall).draw(*words_above)
    assert figure is not None  # numbers find room at the last
    return figure


def power_ticks(low: float, high: float, room: float, size: float, across: bool) -> tuple[list[float], list[str]]:
    """Powers of ten whose words leave each other room, on a scale ``room`` points long: values, words.

    Over less than two decades also 2 and 5 times them. ``across``: the words stand side by side, and may break.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    choices = [[10.0**p * m for p in powers for m in (1, 2, 5)]] if high / low < 300 else []
    choices += [[10.0**p for p in powers if p % step == 0] for step in (1, 2, 3, 4, 6)]
    for whole in (True, False):  # better all words on one line, then broken, then fewer of them
        for values in choices[: 2 if whole else None]:
            kept = [value for value in values if low <= value <= high]
            texts = [_number(value) if whole or not across else _number(value).replace(" ", "\n") for value in kept]
            at = [room * math.log(value / low) / math.log(high / low) for value in kept]
            need = [theme.extent(text, size)[0] if across else size * 1.6 for text in texts]
            if all(b - a > (n + m) / 2 + 6 for (a, b), (n, m) in zip(pairwise(at), pairwise(need), strict=True)):
                return kept, texts
    return kept, texts


def decades(low: float, high: float, room: float) -> tuple[float, float]:
    """Ends of a logarithmic scale: ``room`` of its length left free at both ends, and at least a decade and a half."""
    middle, half = math.sqrt(low) * math.sqrt(high), max(math.log(high / low), math.log(30)) / 2
    return middle * math.exp(-half * (1 + 2 * room)), middle * math.exp(half * (1 + 2 * room))


def _number(value: float) -> str:
    return words.count(value) if value >= 10 else words.digits(words.significant(value, 2))


class _Drawing:
    """The page in one width, then what stands on its axes."""

    def __init__(self, view: DoseView, size: Size, keyed: bool, tall: float) -> None:
        self.view, self.size, self.keyed, self.tall = view, size, keyed, tall
        self.narrow = size is NARROW
        ranked = sorted(view.points, key=lambda point: -point.middle)
        self.known = [point for point in ranked if point.x is not None]
        self.unknown = [point for point in ranked if point.x is None]
        self.plotted = bool(self.known) or len(view.grid) > 0
        self.low, self.high = self._gains()
        hit = [point.x for point in self.known if point.x is not None] + view.grid.tolist()
        self.left_end, self.right_end = decades(min(hit), max(hit), 0.03) if hit else (1.0, 100.0)
        self.numbers = {id(point): str(i) for i, point in enumerate([*self.known, *self.unknown], 1)}

    def _gains(self) -> tuple[float, float]:
        """Ends of the axis of gains: all intervals, and of the pale band no more than twice beyond them."""
        view = self.view
        low = min(min(point.low for point in view.points), *view.low, math.inf)
        high = max(max(point.high for point in view.points), *view.high, 0.0)
        if len(view.grid):
            low = min(low, max(view.wide_low.min(), low / 2))
            high = max(high, min(view.wide_high.max(), high * 2))
        return decades(low, high, 0.02)

    def draw(self, title: str, subtitle: str, source: str) -> Figure | None:
        """Draw with names, or with numbers; None when they find no room."""
        size, sheet = self.size, Sheet(self.size)
        self.sheet = sheet
        sheet.heading(title, subtitle)
        history_axes.head(sheet, f"Extra {self.view.noun} that a rival gained, logarithmic scale", 5)
        history_axes.key_rows(sheet, self._keys())
        sheet.skip(8)
        strip = self._strip_words()
        self.ticks = power_ticks(self.low, self.high, self.tall, size.text, across=False)
        left = size.edge + 8 + max(theme.extent(text, size.text)[0] for text in self.ticks[1])
        right, beside = size.edge + 6, bool(self.unknown) and not self.narrow
        if beside:
            names = max(theme.extent(text, FONT)[0] for text in strip)
            dots = min(max(3.8 * len(self.unknown), 64.0), 130.0) + 16
            side = size.edge + names + 22  # right of the strip: lines to the names, and the names
            strip_left = size.width - side - dots if self.plotted else left
            right = size.width - strip_left + 14  # of the plot
            heads = f"People hit:\nnot published ({len(self.unknown)})"
            sheet.later(lambda y: sheet.write(strip_left, y, heads, size.small, QUIET, va="top"))
            sheet.skip(theme.extent(heads, size.small)[1] + 6)
        main = self._panel(left, right) if self.plotted else None
        apart = None
        if beside:
            sheet.skip(-self.tall if main else 0)
            apart = self._panel(strip_left, side)
        if main:
            ends = self.left_end, self.right_end, size.width - left - right
            across = power_ticks(*ends, size.text, across=True)
            sheet.skip(size.text * (3.2 if any("\n" in text for text in across[1]) else 2.1))
            sheet.note("People hit by the event, logarithmic scale", size.text, left=left - size.edge)
            sheet.skip(size.text * 1.2)
            main.set_xscale("log")
            main.set_xlim(self.left_end, self.right_end)
            main.set_xticks(*across)
            main.tick_params(axis="x", length=4, color=QUIET)
        else:
            sheet.skip(size.text * 0.8)
        if self.unknown and self.narrow:
            history_axes.head(sheet, f"People hit: not published ({len(self.unknown)})", 6)
            apart = self._panel(left, size.edge + 6)
            sheet.skip(size.text * 1.2)
        if self.keyed:
            self._list()
        sheet.note(source, size.small)
        figure = sheet.finish()
        for axes in (main, apart):
            if axes:
                axes.set(yscale="log", ylim=(self.low, self.high))
                axes.minorticks_off()
                axes.set_yticks([])
                axes.grid(axis="y", color=theme.RULE, lw=0.8)
        if main:
            main.set_yticks(*self.ticks)
            main.minorticks_off()
            self._rule(main)
            if not self._points(main, self.known, [point.x or 0.0 for point in self.known], self.keyed):
                return None
        if apart:
            if not main or self.narrow:
                apart.set_yticks(*self.ticks)
            if not self._strip(apart, strip):
                return None
        return figure

    # --- the page

    def _panel(self, left: float, right: float) -> Axes:
        return self.sheet.panel(left, right, self.tall)

    def _keys(self) -> list[Key]:
        kinds = {point.kind for point in self.view.points}
        keys = [history_axes.dot_key(name, colour, shape, not full) for kind, (name, colour, shape, full)
                in _KINDS.items() if kind in kinds]  # fmt: skip
        level = words.percent(self.view.level)
        keys.append(Key(f"{level} interval", lambda s, x, y: s.rule((x, x), (y - 6, y + 6), QUIET, lw=1.2), 4))
        if len(self.view.grid) and (self.narrow or self.keyed):

            def band(sheet: Sheet, x: float, y: float) -> None:
                sheet.rule((x - 11, x + 11), (y, y), theme.FIT_50, lw=8, solid_capstyle="butt")
                sheet.rule((x - 11, x + 11), (y, y), FIT, lw=2)

            keys.append(Key(f"the rule and the {level} interval of the median", band, 22))
            keys.append(history_axes.line_key(_new(level), theme.FIT_95, lw=9, solid_capstyle="butt"))
        return keys

    def _strip_words(self) -> list[str]:
        """Names of the strip, and the height that they ask for."""
        texts = [theme.wrap(short(point.label), 140, FONT, even=True) for point in self.unknown]
        if not self.narrow:
            self.tall = max(self.tall, sum(theme.extent(text, FONT)[1] + 2 for text in texts) + 8)
        return texts

    def _list(self) -> None:
        """Say below the axes what the numbers are, in columns."""
        groups = [("People hit: published", self.known)] if self.known else []
        # in the wide strip the names stand themselves
        groups += [("People hit: not published", self.unknown)] if self.unknown and self.narrow else []
        sheet, size = self.sheet, self.size.small - 0.5
        columns = max(int(sheet.inner // 138), 1)
        width = (sheet.inner - 10 * (columns - 1)) / columns
        for head, points in groups:
            sheet.note(f"{head} ({len(points)}), most gained first", size, bold=True, colour=INK)
            sheet.skip(5)
            texts = [theme.wrap(short(point.label), width - 21, size, even=True) for point in points]
            tall = [theme.extent(text, size)[1] + 3.5 for text in texts]
            column, down, deepest = 0, 0.0, 0.0
            for point, text, height in zip(points, texts, tall, strict=True):
                if down >= sum(tall) / columns - 0.01 and column < columns - 1:
                    column, down = column + 1, 0.0
                x, number, colour = sheet.size.edge + column * (width + 10), self.numbers[id(point)], _look(point)[0]

                def put(
                    y: float, x: float = x, text: str = text, down: float = down, n: str = number, c: str = colour
                ) -> None:
                    sheet.write(x + 16, y - down, n, size, c, bold=True, va="top", ha="right")
                    sheet.write(x + 21, y - down, text, size, va="top")

                sheet.later(put)
                down += height
                deepest = max(deepest, down)
            sheet.skip(deepest + 7)

    # --- on the axes

    def _rule(self, axes: Axes) -> None:
        view = self.view
        if not len(view.grid):
            return
        axes.fill_between(view.grid, view.wide_low, view.wide_high, color=theme.FIT_95, lw=0, alpha=0.65, zorder=0.5)
        axes.fill_between(view.grid, view.low, view.high, color=theme.FIT_50, lw=0, alpha=0.75, zorder=0.7)
        axes.plot(view.grid, view.middle, color=FIT, lw=1.8, zorder=1.5)

    def _points(self, axes: Axes, points: Sequence[DosePoint], xs: Sequence[float], keyed: bool) -> bool:
        """Draw marks with their intervals, and names or numbers beside them; False when these find no room."""
        for point, x in zip(points, xs, strict=True):
            _mark(axes, point, x)
        spots = [_at(axes, x, point.middle) for point, x in zip(points, xs, strict=True)]
        lines = [
            np.array([_at(axes, x, point.low), _at(axes, x, point.high)]) for point, x in zip(points, xs, strict=True)
        ]
        around = [(0.0, 0.0), *((REACH * math.cos(a), REACH * math.sin(a)) for a in np.arange(8) * math.pi / 4)]
        obstacles = [np.empty((0, 3))]
        obstacles += [np.array([(x + dx, y + dy, MARK) for dx, dy in around]) for x, y in spots]
        obstacles += [labels.along(line, 0.8) for line in lines]
        names = []
        for point, (x, y) in zip(points, spots, strict=True):
            # tall ones find room between the intervals where wide ones do not
            label = short(point.label)
            wrapped = [theme.wrap(text, 140, FONT, even=True) for text in (label, _tall(label))]
            shapes = (self.numbers[id(point)],) if keyed else tuple(dict.fromkeys(wrapped))
            names.append(Name(shapes, x, y, _look(point)[0], keyed))
        left, base, right, top = self.sheet.edges(axes)
        bounds, worst = (left + 2, base + 2, right + 4, top + 4), math.inf if keyed else _CROWDED
        if axes.get_xscale() == "log" and len(self.view.grid):
            if not keyed:
                names += self._rule_names(axes, bounds, np.concatenate(obstacles))
            obstacles.append(labels.along(self._line(axes, self.view.middle), 1.5))
        places = settle(names, bounds, np.concatenate(obstacles), worst)
        if places is None:
            return False
        for name, k in zip(names, places, strict=True):
            x, y = name.boxes[k, :2]
            if name.led[k]:
                tie = [name.x, name.tips[k, 0]], [name.y, name.tips[k, 1]]
                # on the axes, between the bands and the marks
                axes.add_artist(
                    Line2D(
                        *tie,
                        color=FIT if name.colour == FIT else _LEADER,
                        lw=0.7,
                        transform=self.sheet.points,
                        zorder=1.8,
                    )
                )
            shown = self.sheet.write(x, y, name.texts[k], FONT, name.colour, bold=name.bold, zorder=7)
            if name.crossing[k] > 0 and not keyed:
                shown.set_bbox({"boxstyle": "square,pad=0.02", "fc": theme.PAPER, "ec": "none", "alpha": 0.6})
        return True

    def _line(self, axes: Axes, values: Array) -> Array:
        return np.asarray(axes.transData.transform(np.column_stack([self.view.grid, values])))

    def _rule_names(self, axes: Axes, bounds: Box, obstacles: Array) -> list[Name]:
        """Words for the line and for the lower edge of the pale band, where they cover least."""
        level = words.percent(self.view.level)
        said = [(f"the rule, and the {level}\ninterval of the median", self.view.middle)]
        said.append((_new(level).replace("new gains", "new\ngains"), self.view.wide_low))
        names = []
        for text, values in said:
            line = self._line(axes, values)
            xs = np.linspace(0.95, 0.05, 13) * (line[-1, 0] - line[0, 0]) + line[0, 0]
            ys = np.clip(np.interp(xs, line[:, 0], line[:, 1]), bounds[1] + 12, bounds[3] - 12)
            spots = [Name((text,), float(x), float(y), FIT, close=True) for x, y in zip(xs, ys, strict=True)]
            # other names crowd where marks do
            across, down = (xs[:, None] - obstacles[:, 0]) / 60, (ys[:, None] - obstacles[:, 1]) / 30
            crowd = np.exp(-(across**2) - down**2) @ obstacles[:, 2]
            own = [min(options(spot, bounds, obstacles).cost, default=math.inf) for spot in spots]
            names.append(spots[int((np.array(own) + crowd / 60).argmin())])
        return names

    def _strip(self, axes: Axes, texts: Sequence[str]) -> bool:
        """Draw the events whose number of people hit is not known: most gained first, from left to right."""
        axes.spines["bottom"].set_visible(False)
        axes.set_xlim(-0.8, len(self.unknown) - 0.2)
        axes.set_xticks([])
        places = [float(i) for i in range(len(self.unknown))]
        left, base, right, top = self.sheet.edges(axes)
        # not the face of the axes, which would hide the lines to the names
        face = Rectangle(
            (left, base), right - left, top - base, fc=_STRIP, lw=0, zorder=-2, transform=self.sheet.points
        )
        self.sheet.figure.add_artist(face)
        if self.narrow:
            return self._points(axes, self.unknown, places, keyed=True)
        spots = [_at(axes, x, point.middle) for x, point in zip(places, self.unknown, strict=True)]
        high = [theme.extent(text, FONT)[1] + 2 for text in texts]
        # equal gains keep their order in the stack: the lowest is its first
        wanted = [y - 1e-6 * i for i, (_, y) in enumerate(spots)]
        # one stack gives way downwards, its mirror image upwards: halfway is nearest to all
        under = labels.spread(wanted, high, base, top)
        over = labels.spread([-y for y in wanted], high, -top, -base)
        wanted = [(a - b) / 2 for a, b in zip(under, over, strict=True)]
        for point, x, spot, text, y in zip(self.unknown, places, spots, texts, wanted, strict=True):
            # level first, then aslant: these lines never cross each other, nor a mark, as marks fall to the right
            self.sheet.rule((spot[0], right + 2, right + 17), (spot[1], spot[1], y), _LEADER, lw=0.6, zorder=-1)
            _mark(axes, point, x)
            self.sheet.write(right + 20, y, text, FONT, _look(point)[0], va="center")
        return True


def _tall(label: str) -> str:
    """Break a name before its date."""
    head, comma, date = label.rpartition(", ")
    return f"{head},\n{date}" if comma else label


def _new(level: str) -> str:
    return f"where {level} of new gains fall"


def _look(point: DosePoint) -> tuple[str, str, bool]:
    return _KINDS[point.kind][1:]


def _mark(axes: Axes, point: DosePoint, x: float) -> None:
    colour, shape, full = _look(point)
    axes.plot([x, x], [point.low, point.high], color=_pale(colour), lw=1.1, zorder=2, solid_capstyle="butt")
    look: dict[str, Any] = {"mfc": colour if full else theme.PAPER, "mec": theme.PAPER if full else colour}
    axes.plot([x], [point.middle], shape, ms=7 if full else 6, mew=0.7 if full else 1.3, zorder=3, **look)


def _pale(colour: str) -> str:
    """Mix a colour with paper: an opacity would add up where intervals meet."""
    return "#" + "".join(f"{round(0.42 * int(colour[i : i + 2], 16) + 0.58 * 255):02x}" for i in (1, 3, 5))


def _at(axes: Axes, x: float, y: float) -> Pair:
    spot = axes.transData.transform((x, y))
    return float(spot[0]), float(spot[1])
