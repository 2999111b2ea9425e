"""A forest of ratios: how many times one claimant's figure another's is, pair by pair and taken together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import history_axes, theme
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, OUTAGE, QUIET, Size

_ROWS = 30


@dataclass(frozen=True)
class Ratio:
    """One pair: how many times the second figure the first is.

    ``low`` of 0 makes it an upper bound, an infinite ``high`` a lower bound; ``note`` says the two figures.

    Raises
    ------
    ValueError
        If the middle is not positive and finite, or outside its interval.
    """

    label: str
    low: float
    middle: float
    high: float
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not (0 <= self.low <= self.middle <= self.high and 0 < self.middle < math.inf):
            raise ValueError(f"{self.label!r}: a ratio of {self.middle} in {self.low} to {self.high}")


@dataclass(frozen=True)
class PooledRatio:
    """All pairs together: the ratio with its interval, and the interval in which the next pair is expected."""

    middle: float
    low: float
    high: float
    next_low: float | None = None
    next_high: float | None = None
    label: str = "All pairs together"


def times(low: float, high: float) -> str:
    """Write a range of ratios: "1.2 to 4 times", "at least 11 times", "at most 2 times"."""
    if math.isinf(high):
        return f"at least {_digits(low)} times"
    if low <= 0:
        return f"at most {_digits(high)} times"
    ends = _digits(low), _digits(high)
    return f"about {ends[0]} times" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} times"


def _digits(value: float) -> str:
    return words.digits(words.significant(value, 2))


@dataclass(frozen=True)
class _Row:
    """A row in its words: name, note below it, range at the right, and its height in points."""

    name: str
    note: str
    said: str
    height: float


def draw(
    rows: Sequence[Ratio],
    pooled: PooledRatio | None,
    words_above: tuple[str, str, str],
    axis: str,
    size: Size,
) -> Figure:
    """Draw in one width; ``axis`` says what the ratio is of."""
    title, subtitle, source = words_above
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    if not rows and pooled is None:
        sheet.note("There is no pair of figures that can be compared.", size.text, colour=INK)
        sheet.skip(size.text)
        sheet.note(source, size.small)
        return sheet.finish()
    _Forest(sheet, rows[:_ROWS], pooled).add(axis)
    hidden = len(rows) - _ROWS
    if hidden > 0:
        sheet.note(f"{hidden} more pair{'s' * (hidden > 1)} not drawn.", size.small)
        sheet.skip(4)
    sheet.note(source, size.small)
    return sheet.finish()


class _Forest:
    """The rows, and the axis they share."""

    def __init__(self, sheet: Sheet, rows: Sequence[Ratio], pooled: PooledRatio | None) -> None:
        self.sheet, self.rows, self.pooled = sheet, rows, pooled
        self.narrow = sheet.size is NARROW
        self.lines = [self._line(row.label, row.note, times(row.low, row.high)) for row in rows]
        if pooled:
            self.lines.append(self._line(pooled.label, "", times(pooled.low, pooled.high), bold=True))
            if self.next:
                self.lines.append(self._line("Where the next pair is expected", "", times(*self.next)))
        ends = [end for row in rows for end in (row.low, row.middle, row.high)] + [0.8, 2.5]
        ends += [pooled.low, pooled.high, *self.next] if pooled else []
        finite = [end for end in ends if 0 < end < math.inf]
        self.low, self.high = max(min(finite), max(finite) / 1e5) / 1.5, max(finite) * 1.5

    @property
    def next(self) -> tuple[float, float] | tuple[()]:
        """Interval of the next pair, if there is one."""
        pooled = self.pooled
        if pooled is None or pooled.next_low is None or pooled.next_high is None:
            return ()
        return pooled.next_low, pooled.next_high

    def _line(self, label: str, note: str, said: str, bold: bool = False) -> _Row:
        size, inner = self.sheet.size, self.sheet.inner
        at = inner * (0.62 if self.narrow else 0.33)
        name = theme.wrap(label, at, size.text, bold, even=True)
        small = theme.wrap(note, inner if self.narrow else at, size.small) if note else ""
        said = theme.wrap(said, inner * (0.34 if self.narrow else 0.18), size.text)
        tall = theme.extent(name, size.text, bold)[1]
        beside = theme.extent(said, size.text, bold)[1]
        if self.narrow:
            tall = max(tall, beside)
        tall += theme.extent(small, size.small)[1] + 3 if small else 0
        tall = max(tall, beside)
        return _Row(name, small, said, tall + (26 if self.narrow else 12))

    def add(self, axis: str) -> None:
        """Add the forest to the page."""
        sheet, size, narrow = self.sheet, self.sheet.size, self.narrow
        history_axes.head(sheet, f"{axis}, logarithmic scale", 6)
        names = max(
            max(theme.extent(r.name, size.text, True)[0], theme.extent(r.note or " ", size.small)[0])
            for r in self.lines
        )
        said = max(theme.extent(r.said, size.text, True)[0] for r in self.lines)
        left = size.edge + (12 if narrow else names + 14)
        right = size.edge + (12 if narrow else said + 14)
        rows = [row.height for row in self.lines]
        self.gap = 12.0 if self.pooled and self.rows else 0.0
        self.tall = sum(rows) + self.gap
        axes = sheet.panel(left, right, self.tall)
        sheet.skip(size.text * 2.4)
        sheet.last(lambda: self._fill(axes))

    def _fill(self, axes: Axes) -> None:
        sheet, size = self.sheet, self.sheet.size
        axes.set(xscale="log", xlim=(self.low, self.high), ylim=(self.tall, 0), yticks=[])
        left, _, right, top = sheet.edges(axes)
        values, texts = self._ticks(right - left)
        axes.set_xticks(values, texts)
        axes.minorticks_off()
        axes.grid(axis="x", color=theme.RULE, lw=0.8)
        axes.axvline(1, color=QUIET, lw=1.2, ls=theme.DASHES, zorder=1)
        if self.pooled:
            axes.axvspan(self.pooled.low, self.pooled.high, color=theme.FIT_95, alpha=0.6, lw=0, zorder=0)
        down = 0.0
        for i, line in enumerate(self.lines):
            if i == len(self.rows) and self.gap:
                sheet.rule((size.edge, size.width - size.edge), (top - down - self.gap / 2,) * 2, theme.RULE, lw=1)
                down += self.gap
            self._write(line, top - down, left, right, bold=i == len(self.rows))
            y = down + (line.height - 13 if self.narrow else line.height / 2)
            if i < len(self.rows):
                self._ratio(axes, self.rows[i], y)
            else:
                self._pool(axes, y, i == len(self.rows))
            down += line.height

    def _write(self, line: _Row, y: float, left: float, right: float, bold: bool) -> None:
        """Write the words of a row: beside it, or on a phone above it."""
        sheet, size = self.sheet, self.sheet.size
        high = theme.extent(line.name, size.text, bold)[1]
        backed = {"boxstyle": "square,pad=0.1", "fc": theme.PAPER, "ec": "none", "alpha": 0.85}
        if self.narrow:
            sheet.write(size.edge, y - 3, line.name, size.text, bold=bold, va="top").set_bbox(backed)
            at = size.width - size.edge
            sheet.write(at, y - 3, line.said, size.text, bold=bold, va="top", ha="right").set_bbox(backed)
            if line.note:
                sheet.write(size.edge, y - high - 6, line.note, size.small, QUIET, va="top").set_bbox(backed)
            return
        block = high + (theme.extent(line.note, size.small)[1] + 3 if line.note else 0)
        start = y - (line.height - block) / 2
        sheet.write(left - 14, start, line.name, size.text, bold=bold, va="top", ha="right", ma="right")
        if line.note:
            sheet.write(left - 14, start - high - 3, line.note, size.small, QUIET, va="top", ha="right", ma="right")
        sheet.write(right + 14, y - line.height / 2, line.said, size.text, bold=bold, va="center")

    def _ratio(self, axes: Axes, row: Ratio, y: float) -> None:
        """One pair: a bar with a dot, or an arrow from a bound."""
        open_below, open_above = row.low <= 0, math.isinf(row.high)
        low = row.middle / 1.35 if open_below else max(row.low, self.low)
        high = row.middle * 1.35 if open_above else min(row.high, self.high)
        axes.plot([low, high], [y, y], color=INK, lw=1.6, zorder=3)
        fill = theme.PAPER if open_below or open_above else INK
        axes.plot([row.middle], [y], "s", ms=6, mfc=fill, mec=INK, mew=1.3, zorder=4)
        if open_above or row.high > self.high:
            axes.plot([high], [y], ">", color=INK, ms=6, zorder=4)
        if open_below or row.low < self.low:
            axes.plot([low], [y], "<", color=INK, ms=6, zorder=4)

    def _pool(self, axes: Axes, y: float, own: bool) -> None:
        """The diamond of all pairs, or the interval of the next one."""
        pooled = self.pooled
        assert pooled is not None  # only its rows come here
        if own:
            xs = [pooled.low, pooled.middle, pooled.high, pooled.middle]
            axes.fill(xs, [y, y - 7, y, y + 7], facecolor=FIT, edgecolor=FIT, lw=1, zorder=4)
        elif self.next:
            axes.plot(self.next, [y, y], color=OUTAGE, lw=2, ls=theme.DASHES, zorder=3)
            axes.plot(self.next, [y, y], "|", color=OUTAGE, ms=9, mew=1.6, zorder=4)

    def _ticks(self, room: float) -> tuple[list[float], list[str]]:
        """Round ratios whose words do not meet: values and words."""
        choices = (
            [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
            [0.01, 0.1, 1, 2, 10, 100, 1000],
            [0.01, 0.1, 1, 10, 100, 1000],
            [1e-4, 0.01, 1, 100, 1e4],
        )
        size = self.sheet.size.text
        for choice in choices:
            kept = [float(v) for v in choice if self.low <= v <= self.high]
            at = [room * math.log(v / self.low) / math.log(self.high / self.low) for v in kept]
            half = [theme.extent(_tick(v), size)[0] / 2 for v in kept]
            if all(at[i + 1] - at[i] > half[i] + half[i + 1] + 8 for i in range(len(kept) - 1)):
                break
        return kept, [_tick(v) for v in kept]


def _tick(value: float) -> str:
    return f"×{words.digits(value)}" if value >= 1 else f"×1/{words.digits(round(1 / value))}"
