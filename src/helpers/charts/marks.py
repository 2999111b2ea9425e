"""Published figures, drawn on a panel as what they are, each with its words or its number beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.charts import labels, theme
from helpers.charts.labels import Array, Item, Pair, Stretch
from helpers.charts.sheet import Sheet
from helpers.charts.theme import INK


@dataclass(frozen=True)
class Mark:
    """A published figure on the curve, drawn as what it is.

    Parameters
    ----------
    kind : {"box", "point", "floor", "ceiling", "total"}
        box: a count over start..end, whose area is the claim; floor and ceiling: the same as a bound;
        point: a rate at an unknown time in start..end; total: a count so far, on the lower panel.
    label : str
        Short words: "about 100 a second".
    start, end : Timestamp
        UTC; boxes need ``end > start``.
    value, low, high : float
        A count, or for a point a rate per hour; low and high from rounding, an infinite one is an open bound.
    agrees : bool
        False draws it hollow, dashed and crossed, with the words "does not fit".

    Raises
    ------
    ValueError
        If the window is empty for a box or reversed, or the value is not finite.
    """

    kind: Literal["box", "point", "floor", "ceiling", "total"]
    label: str
    start: pd.Timestamp
    end: pd.Timestamp
    value: float
    low: float
    high: float
    agrees: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        hours = (self.end - self.start) / pd.Timedelta(hours=1)
        if hours < 0 or (hours == 0 and self.kind in ("box", "floor", "ceiling")):
            raise ValueError(f"mark {self.label!r}: a {self.kind} needs an end after its start, got {self.end}")
        if not math.isfinite(self.value):
            raise ValueError(f"mark {self.label!r}: its value is {self.value}, expected a finite number")

    @property
    def height(self) -> float:
        """Where it stands on its axis: a total as it is, all others as a rate per hour."""
        if self.kind in ("point", "total"):
            return self.value
        return float(self.value / ((self.end - self.start) / pd.Timedelta(hours=1)))

    @property
    def top(self) -> float:
        """Up to where it is drawn: of a point also its rounding."""
        return max(self.height, self.high) if self.kind == "point" and math.isfinite(self.high) else self.height


@dataclass
class Panel:
    """Axes in hours since an origin, and what the words on them had better not cover or cross."""

    sheet: Sheet
    axes: Axes
    origin: pd.Timestamp
    obstacles: list[Array]  # of the whole page
    backed: bool = False  # words get paper behind them: they may stand before the stem of an event
    curve: Array = field(default_factory=lambda: np.empty((0, 2)))  # the one line no leader should cross

    def points(self, hours: Any, values: Any) -> Array:
        """Data to points, shape (n, 2)."""
        return np.asarray(self.axes.transData.transform(np.column_stack([hours, values])))

    def avoid(self, line: Array, weight: float) -> None:
        """Keep words off a line given in points, shape (n, 2)."""
        self.obstacles.append(labels.along(line, weight))


def draw(panel: Panel, marks: Sequence[Mark], texts: Sequence[str], keyed: bool) -> bool:
    """Draw the marks, then find a place for the text of each, which is a number in a disc when ``keyed``.

    False when there are words and no good place for all of them.
    """
    sheet, size = panel.sheet, panel.sheet.size.text
    if not keyed:
        texts = [theme.wrap(text, 118, size, even=True) for text in texts]
    items = []
    for mark, text in zip(marks, texts, strict=True):
        anchor = _shape(panel, mark)
        width, height = (15.0, 15.0) if keyed else theme.extent(text, size)
        items.append(Item(width, height, anchor, _wishes(mark, anchor, width, height)))
    obstacles = np.concatenate(panel.obstacles)
    if keyed:
        obstacles = obstacles[obstacles[:, 2] > 2]  # a disc may hide a band's edge, not a line
    left, bottom, right, top = sheet.edges(panel.axes)
    bounds = (left + 2, bottom + 2, right, top + 1)
    boxes = labels.place(items, bounds, obstacles, panel.curve, np.inf if keyed else 45)
    if boxes is None and not keyed:
        return False
    # dozens of numbers in one spot: better on each other than left out
    boxes = boxes or [(x, y, x + 15, y + 15) for x, y in (item.wishes[0] for item in items)]
    for item, box, text in zip(items, boxes, texts, strict=True):
        tie = labels.leader(box, item.anchor)
        if tie:
            sheet.rule(*tie, lw=0.6, zorder=5)
        if keyed:
            sheet.badge((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, int(text))
        else:
            shown = sheet.write(box[0], box[1], text, size, zorder=7)
            if panel.backed:
                shown.set_bbox({"boxstyle": "square,pad=0.05", "fc": theme.PAPER, "ec": "none", "alpha": 0.6})
    return True


def _shape(panel: Panel, mark: Mark) -> Stretch:
    """Draw one mark; return the level stretch its words speak of."""
    rule = panel.sheet.rule
    _, base, _, ceiling = panel.sheet.edges(panel.axes)
    hours = [(when - panel.origin) / pd.Timedelta(hours=1) for when in (mark.start, mark.end)]
    x0, x1 = panel.points(np.clip(hours, *panel.axes.get_xlim()), np.zeros(2))[:, 0]
    open_below, open_above = math.isinf(mark.low), math.isinf(mark.high)
    values = [mark.height, 0 if open_below else mark.low, 0 if open_above else mark.high]
    y, low, high = panel.points(np.zeros(3), values)[:, 1]
    off = y > ceiling
    y, middle = min(y, ceiling), (x0 + x1) / 2
    look: dict[str, Any] = {"lw": 1.4, "zorder": 5, "ls": "-" if mark.agrees else (0, (4, 2))}
    arrows: list[tuple[float, float, int]] = []  # with the way they point
    if mark.kind in ("point", "total"):
        low, high = np.clip([y - 16 if open_below else low, high], base, ceiling)
        high = min(y + 16, ceiling) if open_above else high
        line = [(x0, y), (x1, y), (middle, y), (middle, low), (middle, high)]
        rule((x0, x1), (y, y), **look)
        rule((middle, middle), (low, high), **look)
        fill = INK if mark.agrees else theme.PAPER
        shape = "D" if mark.kind == "total" else "o"
        rule((middle,), (y,), marker=shape, ms=6.5, mfc=fill, mec=INK, mew=1.3, zorder=6)
        if open_above or off:
            arrows.append((middle, high, 1))
        if open_below:
            arrows.append((middle, low, -1))
    else:
        line = [(x0, base), (x0, y), (x1, y), (x1, base)]
        rule((x0, x0), (base, y), **look)
        rule((x1, x1), (y, base), **look)
        if off:
            arrows = [(x0, ceiling - 2, 1), (x1, ceiling - 2, 1)]
            y = ceiling - 10
        else:
            rule((x0, x1), (y, y), **look)
            if mark.kind != "box":
                way = -1 if mark.kind == "ceiling" else 1
                arrows = [(x, y + 10 * way, way) for x in ((x0 + 7, x1 - 7) if x1 - x0 > 24 else (middle,))]
                for x, tip, _ in arrows:
                    rule((x, x), (y, tip), lw=1.2, zorder=5)
    for x, tip, way in arrows:
        panel.obstacles.append(np.array([[x, tip + dy, 6.0] for dy in (-4, 0, 4)]))
        rule((x,), (tip,), marker="^" if way > 0 else "v", ms=5, zorder=6)
    if not mark.agrees:
        rule((middle,), (y,), marker="x", ms=9, mew=1.6, zorder=6)
    panel.avoid(np.array(line), 2.5)
    return x0, x1, y


def _wishes(mark: Mark, anchor: Stretch, width: float, height: float) -> tuple[Pair, ...]:
    """Where the words of a mark would like to stand, best first: lower left corners in points."""
    left, right, y = anchor
    sides = (right + 6, left - 6 - width)
    if mark.kind in ("point", "total"):
        return tuple((x, y + up * height - height / 2) for up in (0, 0.6, -0.6, 1.2, -1.2) for x in sides)
    above, below = y + (15 if mark.kind == "floor" else 3), y - height - (15 if mark.kind == "ceiling" else 4)
    first, last = left + 3, right - width - 3
    starts = [first + (last - first) * f for f in (0, 1, 0.5, 0.25, 0.75)]
    beside = [(x, y - drop) for drop in (height / 2, height) for x in sides]
    return (*((s, above) for s in starts), *((s, below) for s in starts), *beside)
