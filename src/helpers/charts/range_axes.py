"""Panels of ranges, one line each: a bar, and the range in words beside it or on a phone above it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from helpers import words
from helpers.charts import theme
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, OTHER, QUIET

Five = tuple[float, float, float, float, float]
Unit = Literal["hours", "count", "rate"]
_WORDS: dict[Unit, tuple[Callable[[float, float], str], Callable[[float], str]]] = {
    "hours": (words.duration_interval, words.duration),
    "count": (words.interval, words.count),
    "rate": (words.rate_interval, words.rate),
}


@dataclass(frozen=True)
class Range:
    """One line of a figure of ranges: quantiles 0.025, 0.25, 0.5, 0.75, 0.975, or None and a note why.

    Raises
    ------
    ValueError
        If the quantiles are not finite and increasing, or both quantiles and note are missing.
    """

    label: str
    five: Five | None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.five is None and not self.note:
            raise ValueError(f"{self.label!r} has neither a range nor a note that says why")
        if self.five and (list(self.five) != sorted(self.five) or not np.isfinite(self.five).all()):
            raise ValueError(f"{self.label!r}: expected five finite increasing quantiles, got {self.five}")


@dataclass(frozen=True)
class Update:
    """What the published figures did to a quantity: its quantiles before (prior) and after (posterior).

    ``unit`` says how its numbers are written: hours, a count of people, or people per second.
    """

    name: str
    prior: Five
    posterior: Five
    unit: Unit

    @property
    def left(self) -> float:
        """Share of the prior's width that is left, on a logarithmic scale."""
        return math.log(self.posterior[-1] / self.posterior[0]) / math.log(self.prior[-1] / self.prior[0])


def add(
    sheet: Sheet,
    head: str,
    rows: Sequence[Range],
    unit: Unit,
    log: bool,
    shade: bool = False,
    prior: bool = False,
) -> None:
    """Add a panel of ranges, one below the other, to a page that is not finished yet.

    ``shade`` marks the first row's range through all, ``prior`` draws the first row as what was assumed.
    Wide: names left, ranges in words right. Narrow: both above the bar.
    """
    size, narrow = sheet.size, sheet.size is NARROW
    between = _WORDS[unit][0]
    names_at, words_at = (sheet.inner, sheet.inner) if narrow else (sheet.inner * 0.3, sheet.inner * 0.28)
    names = [theme.wrap(row.label, names_at, size.text, even=True) for row in rows]
    spoken = [between(row.five[0], row.five[-1]) if row.five else row.note for row in rows]
    spoken = [theme.wrap(text, words_at, size.text, even=True) for text in spoken]
    heads = [theme.extent(name, size.text) for name in names]
    tails = [theme.extent(text, size.text) for text in spoken]
    left = size.edge + 12 + (0 if narrow else max(width for width, _ in heads))
    right = size.edge + 12 + (0 if narrow else max(width for width, _ in tails))
    # on a phone the range goes on the name's line where both fit
    beside = [
        not narrow or (h[0] + t[0] + 12 < sheet.inner and "\n" not in name)
        for name, h, t in zip(names, heads, tails, strict=True)
    ]
    if narrow:
        heights = [max(h, t) + 24 if b else h + t + 27 for (_, h), (_, t), b in zip(heads, tails, beside, strict=True)]
    else:
        heights = [max(h, t, 12) + 14 for (_, h), (_, t) in zip(heads, tails, strict=True)]
    sheet.note(head, size.text, bold=True, colour=INK)
    sheet.skip(6)
    axes = sheet.panel(left, right, sum(heights))
    sheet.skip(size.text * 2.2)

    def draw() -> None:
        low, high = _limits([row.five for row in rows if row.five], log)
        axes.set(xscale="log" if log else "linear", xlim=(low, high), ylim=(sum(heights), 0), yticks=[])
        axes.set_xticks(*_ticks(low, high, log, unit, size.text, size.width - left - right))
        axes.minorticks_off()
        axes.grid(axis="x", color=theme.RULE, lw=0.8)
        if shade and rows and rows[0].five:
            axes.axvspan(max(rows[0].five[0], low), rows[0].five[-1], color=theme.FIT_95, lw=0, alpha=0.6)
        _, _, edge, top = sheet.edges(axes)
        backed = {"boxstyle": "square,pad=0.1", "fc": "none" if shade else theme.PAPER, "ec": "none"}
        down = 0.0
        for i, (row, name, text, height) in enumerate(zip(rows, names, spoken, heights, strict=True)):
            y = top - down
            muted = QUIET if row.five is None else INK
            if narrow:
                sheet.write(size.edge, y - 3, name, size.text, va="top").set_bbox(backed)
                at, ha = (size.width - size.edge, "right") if beside[i] else (size.edge, "left")
                drop = 3 if beside[i] else heads[i][1] + 6
                sheet.write(at, y - drop, text, size.text, muted, va="top", ha=ha).set_bbox(backed)
            else:
                sheet.write(left - 12, y - height / 2, name, size.text, va="center", ha="right")
                sheet.write(edge + 12, y - height / 2, text, size.text, muted, va="center")
            if row.five:
                _bar(axes, row.five, down + (height - 12 if narrow else height / 2), low, prior and i == 0)
            down += height

    sheet.last(draw)


def _bar(axes: Axes, five: Five, y: float, low: float, prior: bool) -> None:
    """One range: thin for 95%, thick for 50%, a dot for the median; an arrow where it goes on below."""
    colour = OTHER if prior else FIT
    box: dict[str, Any] = {"facecolor": theme.PAPER, "hatch": theme.HATCH} if prior else {"facecolor": theme.FIT_50}
    first, left, middle, right, last = (max(value, low) for value in five)
    axes.plot([first, last], [y, y], color=colour, lw=1.6, ls=theme.DASHES if prior else "-", zorder=3)
    axes.fill_between([left, right], y - 4.5, y + 4.5, edgecolor=colour, lw=0.8, zorder=4, **box)
    axes.plot([middle], [y], "o", color=colour, ms=5.5, mec=theme.PAPER, mew=0.8, zorder=5)
    if five[0] < low:
        axes.plot([low], [y], "<", color=colour, ms=6, zorder=5, clip_on=False)


def _limits(drawn: Sequence[Five], log: bool) -> tuple[float, float]:
    values = [value for five in drawn for value in five] or [1.0, 10.0]
    top = max(values)
    if not log:
        low = min(0.0, *values)
        return low, max(top + 0.06 * (top - low), low + 1e-9)
    top = max(top, 1e-12)
    # four decades are enough to see; what goes on below them gets an arrow
    low = max(min([v for v in values if v > 0] or [top / 10]), top / 1e4)
    return low / 1.3, top * 1.3


def _ticks(low: float, high: float, log: bool, unit: Unit, size: float, room: float) -> tuple[list[float], list[str]]:
    """Round values whose words do not meet: values and words."""
    single = _WORDS[unit][1]
    if unit == "hours" and log:
        long = [24.0 * d for d in (1, 2, 7, 14, 30, 90, 365, 1500)]
        choices = [
            [*(m / 60 for m in (1, 5, 15, 30)), 1, 2, 4, 8, 12, *long],
            [0.1, 0.5, 1, 4, 12, *long[1::2]],
            [1 / 60, 1, 24, 720],
        ]
    elif log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        choices = [[10.0**p * m for p in powers for m in steps] for steps in ((1, 2, 5), (1, 3), (1,))]
        choices += [[10.0**p for p in powers if p % 2 == odd] for odd in (0, 1)]
    else:
        choices = [list(MaxNLocator(n, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)) for n in (5, 4, 3, 2)]

    def spans(values: Sequence[float]) -> list[tuple[float, float, float]]:
        """Each value with where its word stands, in points from the left: middle and half the width."""
        share = [math.log(v / low) / math.log(high / low) if log else (v - low) / (high - low) for v in values]
        return [(v, room * s, theme.extent(single(v), size)[0] / 2) for v, s in zip(values, share, strict=True)]

    inside: list[float] = []
    for choice in choices:
        kept = spans([v for v in choice if low <= v <= high])
        apart = all(b - a > half + other + 10 for (_, a, half), (_, b, other) in pairwise(kept))
        fits = [v for v, at, half in kept if at + half < room + 16 and at - half > -16]
        if apart and len(fits) > len(inside):
            inside = fits
    inside = inside or fits[:1]  # one word where any two would meet
    return inside, [single(v) for v in inside]
