"""Published figures of a service on one logarithmic scale of rates, over what it usually gained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers import words
from helpers.charts import history_axes, labels, lanes, theme
from helpers.charts.history_axes import Array, days
from helpers.charts.labels import Item
from helpers.charts.lanes import Event
from helpers.charts.scale_view import ScaleFigure, ScaleView
from helpers.charts.sheet import Sheet
from helpers.charts.theme import INK, NARROW, OUTAGE, QUIET, Box, Size

# of kinds of count: the usual ones keep theirs in every figure
_COLOURS = {"sign-ups": theme.FIT, "installs": "#b06f00", "daily users": "#0c7d66"}
_SPARE = ("#7a4fa3", "#0c7d66", "#b06f00")
_BOUND = 15.0  # length in points of the arrow of a bound
# how the box of a claimant is filled: told apart without colour
_FILLS: dict[str, dict[str, Any]] = {
    "company": {"fill": 0.32, "hatch": None, "ls": "-"},
    "panel": {"fill": 0.10, "hatch": "////", "ls": "-"},
    "press": {"fill": 0.0, "hatch": None, "ls": (0, (1, 1.5))},
    "api_count": {"fill": 0.0, "hatch": "----", "ls": "-"},
    "paper": {"fill": 0.0, "hatch": "xxxx", "ls": (0, (4, 2))},
}
_OTHER_FILL: dict[str, Any] = {"fill": 0.0, "hatch": "\\\\\\\\", "ls": (0, (4, 2))}
_CLAIMANTS = {
    "company": "said by the company",
    "panel": "measured by a panel",
    "press": "press, no maker named",
    "api_count": "full count",
    "paper": "a study",
}


def draw(view: ScaleView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw in one width: words beside the figures where they find room, else and on a phone numbers with a list."""
    figure = None if size is NARROW else _Drawing(view, size, keyed=False).draw(*words_above)
    figure = figure or _Drawing(view, size, keyed=True).draw(*words_above)
    assert figure is not None  # numbers always get a place
    return figure


class _Drawing:
    """What is shown in one width, then the page and what stands on its axes."""

    def __init__(self, view: ScaleView, size: Size, keyed: bool) -> None:
        self.view, self.size, self.keyed = view, size, keyed
        self.start, self.end = view.span
        self.seen = [f for f in view.figures if f.end > self.start and f.start < self.end]
        self.usual = [step for step in view.usual if step.end > self.start and step.start < self.end]
        self.named = self._chosen(12 if keyed else 9)
        quantities = sorted({f.quantity for f in self.seen}, key=lambda name: ([*_COLOURS, name].index(name), name))
        spare = iter([c for c in _SPARE if c not in {_COLOURS.get(name) for name in quantities}])
        self.colours = {name: _COLOURS.get(name) or next(spare, QUIET) for name in quantities}
        ends = [end for f in self.seen for end in (*f.bounds, f.value)]
        ends += [end for step in self.usual for end in (step.low, step.high)]
        self.low, self.high = (min(ends) / 1.6, max(ends) * 1.9) if ends else (1.0, 10.0)
        if self.high < 30 * self.low:  # a scale of less than a decade and a half would exaggerate
            middle = math.sqrt(self.high * self.low)
            self.low, self.high = middle / 5.5, middle * 5.5

    def draw(self, title: str, subtitle: str, source: str) -> Figure | None:
        """Draw with words, or with numbers; None when the words find no good room."""
        view, size = self.view, self.size
        sheet = Sheet(size)
        sheet.heading(title, subtitle)
        history_axes.head(sheet, f"{view.service}: {view.noun} per {view.per}, logarithmic scale", 5)
        self._keys(sheet)
        values, texts = _ticks(self.low, self.high)
        left = size.edge + 8 + max(theme.extent(text, size.text)[0] for text in texts)
        right = size.edge + 12
        ticks, names = history_axes.date_ticks(self.start, self.end, size.width - left - right, size.text)
        self.edges = (left, 0.0, size.width - right, 0.0)
        named, room = lanes.arrange(self._events(), size) if self._events() else ([], 0.0)
        sheet.skip(8 + room)
        axes = sheet.panel(left, right, 290 if size is NARROW else 320)
        sheet.skip(size.text * (3.4 if any("\n" in name for name in names) else 2.1))
        years = sorted({str(self.start.year), str(self.end.year)})
        dated = any(year in name for name in names for year in years)
        sheet.note("Time in UTC" if dated else f"Time in UTC, {'–'.join(years)}", size.text, left=left - size.edge)
        sheet.skip(size.text)
        self._list(sheet)
        sheet.note(source, size.small)
        figure = sheet.finish()

        axes.set(yscale="log", xlim=(days(self.start), days(self.end)), ylim=(self.low, self.high))
        axes.set_yticks(values, texts)
        axes.minorticks_off()
        axes.set_xticks(ticks, names)
        axes.tick_params(axis="x", length=4, color=QUIET)
        axes.grid(axis="y", color=theme.RULE, lw=0.8)
        self.sheet, self.axes = sheet, axes
        self.edges = sheet.edges(axes)
        self.obstacles: list[Array] = [np.empty((0, 3))]
        self._outages()
        if named:
            lanes.draw(sheet, named, axes, axes)
        usual = self._usual()
        items = [self._figure(f) for f in self.seen]
        return figure if self._words(usual, items) else None

    # --- the page

    def _chosen(self, most: int) -> list[int]:
        """Places, among those seen, of the figures that get words or a number.

        All, or where they are many the highest, of any one time no more than two.
        """
        if len(self.seen) <= most:
            return list(range(len(self.seen)))
        chosen: list[int] = []
        near = (self.end - self.start) * 0.03
        for i in sorted(range(len(self.seen)), key=lambda i: (-self.seen[i].value, self.seen[i].start, i)):
            beside = [other for other in chosen if abs(self.seen[i].start - self.seen[other].start) < near]
            if len(beside) < 2 and len(chosen) < 8:
                chosen.append(i)
        return sorted(chosen, key=lambda i: (self.seen[i].start, self.seen[i].value, i))

    def _keys(self, sheet: Sheet) -> None:
        keys = []
        if len(self.colours) > 1:
            keys += [history_axes.dot_key(name, colour, "s") for name, colour in self.colours.items()]
        for claimant in dict.fromkeys(f.claimant for f in self.seen):
            name = _CLAIMANTS.get(claimant, claimant)
            keys.append(history_axes.patch_key(name, **_surface(claimant, INK)))
        if any(f.kind == "instant" for f in self.seen):
            keys.append(history_axes.dot_key("a rate at one moment", INK, "o"))
        if len(self.view.outages) > 5:
            keys.append(history_axes.line_key("outages and other events", theme.OUTAGE_BAND, lw=2))
        if any(not f.agrees for f in self.seen):
            keys.append(history_axes.dot_key("contradicted", INK, "x"))
        if keys:
            history_axes.key_rows(sheet, keys)

    def _list(self, sheet: Sheet) -> None:
        """Say what the numbers on the axes are, and how many figures have neither number nor words."""
        size = self.size.small
        if self.keyed and self.named:
            sheet.note("Published figures, as rates", size, bold=True, colour=INK)
            sheet.skip(6)
            for number, figure in enumerate((self.seen[i] for i in self.named), 1):

                def disc(y: float, number: int = number) -> None:
                    sheet.badge(self.size.edge + 7, y - size * 0.52, number)

                sheet.later(disc)
                text = theme.wrap(f"{figure.label}: {self._rate(figure)}", sheet.inner - 22, size, even=True)
                sheet.note(text, size, left=22, colour=INK)
                sheet.skip(6)
        rest = len(self.seen) - len(self.named)
        if rest:
            sheet.note(f"{rest} more figure{'s' * (rest > 1)} {'are' if rest > 1 else 'is'} drawn without words.", size)
            sheet.skip(6)

    def _rate(self, figure: ScaleFigure) -> str:
        each = f"{'an' if self.view.per == 'hour' else 'a'} {self.view.per}"
        bound = "at least " if math.isinf(figure.high) else "at most " if figure.low <= 0 else ""
        text = f"{bound}{_number(figure.value)} {each}"
        return text if figure.agrees else f"{text}, contradicted"

    # --- on the axes

    def x(self, when: pd.Timestamp) -> float:
        """Points from the left edge of the page, within the axes."""
        share = (days(when) - days(self.start)) / (days(self.end) - days(self.start))
        return self.edges[0] + (self.edges[2] - self.edges[0]) * min(max(share, 0.0), 1.0)

    def y(self, rate: float) -> float:
        """Points from the lower edge of the page, within the axes."""
        share = math.log(min(max(rate, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return self.edges[1] + (self.edges[3] - self.edges[1]) * share

    def _events(self) -> list[Event]:
        """Words for the outages, where they are few enough to be named."""
        inside = [o for o in self.view.outages if o.start < self.end and (o.end is None or o.end > self.start)]
        if len(inside) > 5:
            return []
        events = []
        for outage in sorted(inside, key=lambda o: o.start):
            x0, x1 = self.x(outage.start), self.x(self.end if outage.end is None else outage.end)
            text = outage.label + (", no end published" if outage.end is None else "")
            long = x1 - x0 > 60
            if outage.label:
                events.append(Event(x0 if long else (x0 + x1) / 2, text, outage=True, long=long))
        return events

    def _outages(self) -> None:
        """Shade the time of each outage, as a line where it is too short to see."""
        _, base, _, roof = self.edges
        few = len(self.view.outages) <= 5
        for outage in self.view.outages:
            end = self.end if outage.end is None else outage.end
            if outage.start >= self.end or end <= self.start:
                continue
            x0 = self.x(outage.start)
            self.axes.axvspan(
                days(max(outage.start, self.start)), days(min(end, self.end)), color=theme.SHADE, lw=0, zorder=0
            )
            if outage.start >= self.start:
                self.sheet.rule((x0, x0), (base, roof), OUTAGE if few else theme.OUTAGE_BAND, lw=1, zorder=0.6)
                self.obstacles.append(labels.along(np.array([(x0, base), (x0, roof)]), 0.7))

    def _usual(self) -> list[tuple[str, Item]]:
        """Draw what was usual as steps; return their own words, or those of the first and the last with room."""
        drawn: list[tuple[str, Item]] = []
        for step in self.usual:
            x0, x1 = _at_least(self.x(step.start), self.x(step.end), 4)
            low, high = _at_least(self.y(step.low), self.y(step.high), 4)
            self._patch((x0, low, x1, high), facecolor=theme.OTHER_BAND, edgecolor="#9aa1ad", lw=0.6, zorder=1)
            self.sheet.rule((x0, x1), (self.y(step.value),) * 2, QUIET, ls=theme.DOTS, lw=1.4, zorder=2)
            outline = np.array([(x0, low), (x0, high), (x1, high), (x1, low), (x0, low)])
            self.obstacles.append(labels.along(outline, 1.0))
            text = step.label or f"usual: {self.view.rate(step.low, step.high)}"
            text = theme.wrap(text, min(260.0, self.edges[2] - self.edges[0] - 12), self.size.text, even=True)
            width, height = theme.extent(text, self.size.text)
            starts = (x0 + 4, x1 - width - 4, (x0 + x1 - width) / 2)
            inside = (high - height - 2,) if high - self.y(step.value) > height + 4 else ()
            wishes = [(x, y) for y in (*inside, low - height - 3, high + 3) for x in starts]
            drawn.append((text, Item(width, height, (x0, x1, (low + high) / 2), tuple(wishes))))
        if all(step.label for step in self.usual):
            return drawn  # levels of different counts side by side: none goes without its name
        # words longer than their step would seem to speak of the next one
        roomy = [(text, item) for text, item in drawn if item.anchor[1] - item.anchor[0] > item.width + 6]
        roomy = roomy or sorted(drawn, key=lambda one: one[1].anchor[0] - one[1].anchor[1])[:1]
        if not roomy:
            return []
        apart = [one for one in roomy if one[1].anchor[0] >= roomy[0][1].anchor[1] - 1]
        return [roomy[0], *apart[-1:]]

    def _patch(self, box: Box, **look: Any) -> None:
        left, bottom, right, top = box
        self.sheet.figure.add_artist(
            Rectangle((left, bottom), right - left, top - bottom, transform=self.sheet.points, **look)
        )

    def _figure(self, figure: ScaleFigure) -> tuple[labels.Stretch, float, float]:
        """Draw one figure; return the level stretch its words speak of, and its lower and upper edge."""
        colour = self.colours[figure.quantity]
        x0, x1 = _at_least(self.x(figure.start), self.x(figure.end), 3)
        middle = (x0 + x1) / 2
        low, high = (self.y(end) for end in figure.bounds)
        y = self.y(figure.value)
        if figure.kind == "instant":
            self.sheet.rule((x0, x1), (y, y), colour, lw=1.3, ls=_look(figure.claimant)["ls"], zorder=4)
            self.sheet.rule((middle, middle), (low, high), colour, lw=1.6, zorder=4)
            fill = colour if figure.claimant == "company" and figure.agrees else theme.PAPER
            self.sheet.rule((middle,), (y,), colour, marker="o", ms=6.5, mfc=fill, mec=colour, mew=1.4, zorder=5)
        else:
            if high - low < 3:
                low, high = y - 1.5, y + 1.5
            self._patch((x0, low, x1, high), **_surface(figure.claimant, colour), zorder=3)
            if high - low > 9:  # a line in a thinner box would fill it
                self.sheet.rule((x0, x1), (y, y), colour, lw=1.4, zorder=4, solid_capstyle="butt")
        for way, is_open in ((1, math.isinf(figure.high)), (-1, figure.low <= 0)):
            if is_open:
                tip = y + way * _BOUND
                for x in (x0 + 7, x1 - 7) if x1 - x0 > 30 and figure.kind == "mean" else (middle,):
                    self.sheet.rule((x, x), (y, tip), colour, lw=1.3, zorder=4)
                    self.sheet.rule((x,), (tip,), colour, marker="^" if way > 0 else "v", ms=5, zorder=4)
                    self.obstacles.append(np.array([[x, tip - way * up, 5.0] for up in (0, 4, 8)]))
                low, high = min(low, tip), max(high, tip)
        if not figure.agrees:
            self.sheet.rule((middle,), (y,), INK, marker="x", ms=10, mew=1.8, zorder=6)
        outline = np.array([(x0, low), (x0, high), (x1, high), (x1, low), (x0, low)])
        self.obstacles.append(labels.along(outline, 2.5))
        self.obstacles.append(labels.along(np.array([(x0, y), (x1, y)]), 2.5))
        # the words of a moment belong to its dot, not to the time in which it can have been
        anchor = (x0, x1, y) if figure.kind == "mean" else (middle - 4, middle + 4, y)
        return anchor, low, high

    def _words(self, usual: list[tuple[str, Item]], drawn: list[tuple[labels.Stretch, float, float]]) -> bool:
        """Find places for the words of the usual level and of the figures; False when there are no good ones."""
        size = self.size.text
        items, texts = [item for _, item in usual], [text for text, _ in usual]
        reach = [(item.anchor[2] - 25, item.anchor[2] + 25) for item in items]  # what words are tied to
        for number, i in enumerate(self.named, 1):
            figure, (anchor, low, high) = self.seen[i], drawn[i]
            text = theme.wrap(f"“{figure.label.strip('“”')}”", 150, size, even=True)
            if not figure.agrees:
                text += "\ncontradicted"
            text = str(number) if self.keyed else text
            width, height = (15.0, 15.0) if self.keyed else theme.extent(text, size)
            items.append(Item(width, height, anchor, _wishes(anchor, low, high, width, height)))
            texts.append(text)
            reach.append((low, high))
        left, base, right, roof = self.edges
        bounds = (left + 2, base + 2, right + 8, roof + 1)
        line = np.array([[left, -1e9], [right, -1e9]])
        obstacles = _thinned(np.concatenate(self.obstacles))
        if self.keyed:
            obstacles = obstacles[obstacles[:, 2] > 2]  # a disc may hide the line of an outage
        boxes = labels.place(items, bounds, obstacles, line, math.inf if self.keyed else 38.0)
        if boxes is None and not self.keyed:
            return False
        boxes = boxes or [(x, y, x + item.width, y + item.height) for item in items for x, y in item.wishes[:1]]
        for i, (item, box, text) in enumerate(zip(items, boxes, texts, strict=True)):
            x0, x1, _ = item.anchor
            low, high = reach[i]
            tie = labels.leader(box, (x0, x1, min(max((box[1] + box[3]) / 2, low), high)), 14)
            if tie:
                self.sheet.rule(*tie, lw=0.6, zorder=5)
            if self.keyed and i >= len(usual):
                self.sheet.badge((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, int(text))
                continue
            written = self.sheet.write(box[0], box[1], text, size, QUIET if i < len(usual) else INK, zorder=7)
            written.set_bbox({"boxstyle": "square,pad=0.05", "fc": theme.PAPER, "ec": "none", "alpha": 0.7})
        return True


def _at_least(low: float, high: float, width: float) -> tuple[float, float]:
    """Widen a stretch about its middle to what can be seen."""
    middle, half = (low + high) / 2, max(high - low, width) / 2
    return middle - half, middle + half


def _thinned(obstacles: Array) -> Array:
    """Obstacles, those within two points of each other as one: dozens of figures may share a place."""
    spots = np.round(obstacles[:, :2] / 2)
    order = np.lexsort((-obstacles[:, 2], spots[:, 1], spots[:, 0]))  # the heaviest of a spot first
    spots = spots[order]
    new = np.ones(len(spots), dtype=bool)
    new[1:] = (spots[1:] != spots[:-1]).any(axis=1)
    return np.asarray(obstacles[order][new])


def _look(claimant: str) -> dict[str, Any]:
    return _FILLS.get(claimant, _OTHER_FILL)


def _surface(claimant: str, colour: str) -> dict[str, Any]:
    """How the box of a claimant is filled."""
    look = _look(claimant)
    share, parts = look["fill"], [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    face: str | tuple[float, ...] = (*parts, share)
    if look["hatch"]:
        # in SVG an opacity would hold for the strokes of the hatch too: mix the tint on paper instead
        face = tuple(1 - share * (1 - part) for part in parts) if share else "none"
    return {"facecolor": face, "edgecolor": colour, "hatch": look["hatch"], "ls": look["ls"], "lw": 1.2}


def _wishes(anchor: labels.Stretch, low: float, high: float, width: float, height: float) -> tuple[labels.Pair, ...]:
    """Where the words of a figure that reaches from ``low`` to ``high`` would like to stand, best first."""
    left, right, y = anchor
    starts = (left, right - width, (left + right - width) / 2)
    over, under = [(x, max(high, y) + 3) for x in starts], [(x, min(low, y) - height - 3) for x in starts]
    beside = [(x, y - height / 2) for x in (right + 5, left - 5 - width)]
    return (*over, *under, *beside) if right - left > width else (*beside, *over, *under)


def _ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Round rates on a logarithmic axis, few enough to read, and their words."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        values = [10.0**p * m for p in powers for m in steps if low <= 10.0**p * m <= high]
        if len(values) <= 9:
            break
    else:
        values = values[:: math.ceil(len(values) / 8)]
    return values, [_number(v) for v in values]


def _number(value: float) -> str:
    """Write a rate: people in words, parts of a person as a decimal number."""
    return words.count(value) if value >= 10 else words.digits(words.significant(value, 2))
