"""A forest of gains: the clearest winners and losers of a panel of series, on one logarithmic scale of ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import history_axes, theme
from helpers.charts.panel_view import RankingView, RankRow
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, NARROW, OUTAGE, QUIET, Size

MOST = {True: 16, False: 30}  # rows on a phone, and on a wide page
_SPAN = 1e4  # an axis holds no more than so many times its low end
_PERCENTS = (-75, -50, -40, -30, -20, -10, -5, -2, 0, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300)
_TIMES = tuple(m * 10.0**k for k in range(-4, 6) for m in (1, 2, 5))


@dataclass(frozen=True)
class _Line:
    """A row in its words, and its height in points."""

    row: RankRow
    name: str
    said: str
    height: float


def draw(view: RankingView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw in one width; ``words_above`` are title, subtitle and source."""
    title, subtitle, source = words_above
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    winners, losers = choose(view.rows, MOST[size is NARROW])
    noun = f"{view.noun[:1].upper()}{view.noun[1:]}"
    history_axes.head(sheet, f"{noun} against the expected, logarithmic scale", 5)
    rate = words.percent(view.rate)
    keys = []
    if any(row.found for row in winners):
        keys.append(history_axes.dot_key("gained", FIT, "o"))
    if any(row.found for row in losers):
        keys.append(history_axes.dot_key("lost", OUTAGE, "s"))
    if any(not row.found for row in (*winners, *losers)):
        keys.append(history_axes.dot_key(f"not clear at {rate} false discoveries", QUIET, "o", hollow=True))
    history_axes.key_rows(sheet, keys)
    sheet.skip(4)
    _Forest(sheet, winners, losers, view.noun).add()
    hidden = len(view.rows) - len(winners) - len(losers) + view.others
    if hidden:
        sheet.note(f"{hidden:,} more series not drawn.", size.small)
        sheet.skip(4)
    sheet.note(source, size.small)
    return sheet.finish()


def choose(rows: Sequence[RankRow], most: int) -> tuple[list[RankRow], list[RankRow]]:
    """Winners and losers to draw, ``most`` in all: the first of each, losers at least a third where there are any."""
    winners = [row for row in rows if row.ratio >= 1]
    losers = [row for row in rows if row.ratio < 1]
    fewer = min(len(losers), max(most // 3, most - len(winners)))
    return winners[: most - fewer], losers[:fewer]


class _Forest:
    """The rows, and the axis they share."""

    def __init__(self, sheet: Sheet, winners: Sequence[RankRow], losers: Sequence[RankRow], noun: str) -> None:
        self.sheet, self.narrow, self.noun = sheet, sheet.size is NARROW, noun
        self.lines = [self._line(row) for row in (*winners, *losers)]
        self.first_loser = len(winners)
        self.gap = 12.0 if winners and losers else 0.0
        self.low, self.high = _span([line.row for line in self.lines])

    def _line(self, row: RankRow) -> _Line:
        size, inner = self.sheet.size, self.sheet.inner
        said = theme.wrap(_extra(row), inner * (0.45 if self.narrow else 0.22), size.text, even=True)
        beside = theme.extent(said, size.text)
        room = inner - beside[0] - 14 if self.narrow else inner * 0.27
        name = theme.wrap(row.name, room, size.text, even=True)
        tall = max(theme.extent(name, size.text)[1], beside[1])
        return _Line(row, name, said, tall + (22 if self.narrow else 7.5))

    def add(self) -> None:
        """Add the forest to the page."""
        sheet, size, narrow = self.sheet, self.sheet.size, self.narrow
        names = max(theme.extent(line.name, size.text)[0] for line in self.lines)
        said = max(theme.extent(line.said, size.text)[0] for line in self.lines)
        head = f"extra {self.noun}"
        said = max(said, theme.extent(head, size.small)[0])
        self.left = size.edge + (10 if narrow else names + 14)
        right = size.edge + (10 if narrow else said + 14)
        at, side = (size.width - size.edge, "right") if narrow else (size.width - right + 14, "left")
        sheet.later(lambda y: sheet.write(at, y, head, size.small, QUIET, va="top", ha=side))
        sheet.skip(size.small * 1.5)
        self.tall = sum(line.height for line in self.lines) + self.gap
        axes = sheet.panel(self.left, right, self.tall)
        sheet.skip(size.text * 2.4)
        sheet.last(lambda: self._fill(axes))

    def _fill(self, axes: Axes) -> None:
        sheet, size = self.sheet, self.sheet.size
        axes.set(xscale="log", xlim=(self.low, self.high), ylim=(self.tall, 0), yticks=[])
        left, _, right, top = sheet.edges(axes)
        values, texts = ratio_ticks(self.low, self.high, right - left, size.text)
        axes.set_xticks(values, texts)
        axes.minorticks_off()
        if not self.narrow:
            axes.grid(axis="x", color=theme.RULE, lw=0.8)
        axes.axvline(1, color=QUIET, lw=1.2, ls=theme.DASHES, zorder=1)
        down = 0.0
        for i, line in enumerate(self.lines):
            if i == self.first_loser and self.gap:
                y = top - down - self.gap / 2
                sheet.rule((size.edge, size.width - size.edge), (y, y), QUIET, lw=0.8)
                down += self.gap
            self._write(line, top - down, left, right)
            self._bar(axes, line.row, down + (line.height - 9 if self.narrow else line.height / 2))
            down += line.height

    def _write(self, line: _Line, y: float, left: float, right: float) -> None:
        """Write the words of a row: beside it, or on a phone above it."""
        sheet, size = self.sheet, self.sheet.size
        if self.narrow:
            backed = {"boxstyle": "square,pad=0.1", "fc": theme.PAPER, "ec": "none"}
            sheet.write(size.edge, y - 3, line.name, size.text, va="top").set_bbox(backed)
            at = size.width - size.edge
            sheet.write(at, y - 3, line.said, size.text, va="top", ha="right", ma="right").set_bbox(backed)
            return
        middle = y - line.height / 2
        sheet.write(left - 14, middle, line.name, size.text, va="center", ha="right", ma="right")
        sheet.write(right + 14, middle, line.said, size.text, va="center")

    def _bar(self, axes: Axes, row: RankRow, y: float) -> None:
        """One series: a bar with a dot or square, arrows where it runs off the axis."""
        gained = row.ratio >= 1
        colour = QUIET if not row.found else FIT if gained else OUTAGE
        low, high = max(row.low, self.low), min(row.high, self.high)
        at = min(max(row.ratio, self.low), self.high)  # an arrow stands for a ratio off the axis
        axes.plot([low, high], [y, y], color=colour, lw=1.8 if row.found else 1.3, zorder=3, solid_capstyle="butt")
        fill = colour if row.found else theme.PAPER
        mark = "o" if gained else "s"
        if at == row.ratio:
            axes.plot([at], [y], mark, ms=6.5, mfc=fill, mec=colour, mew=1.3, zorder=4, clip_on=False)
        if row.low < self.low:
            axes.plot(
                [self.low], [y], "<", color=colour, ms=6 if at == row.ratio else 9, mew=0, zorder=4, clip_on=False
            )
        if row.high > self.high:
            axes.plot([self.high], [y], ">", color=colour, ms=6, mew=0, zorder=4, clip_on=False)


def _extra(row: RankRow) -> str:
    """Say the interval of the extra count with its signs: "+340,000 to +600,000", "−900 to −200"."""
    text = words.interval(row.extra_low, row.extra_high)
    if row.extra_low > 0 and not math.isinf(row.extra_high):
        return f"+{text.removeprefix('about ')}" if not text.startswith(("fewer", "up to")) else text
    return text


def _span(rows: Sequence[RankRow]) -> tuple[float, float]:
    """Ends of the axis: around all ratios and finite ends, but open and absurdly long bars may run off it."""
    middles = [row.ratio for row in rows if row.ratio > 0] or [1.0]
    inner = min(*middles, 1.0), max(*middles, 1.0)
    reach = max(3.0, inner[1] / inner[0])
    lows = [row.low for row in rows if row.low >= inner[0] / reach]
    highs = [row.high for row in rows if row.high <= inner[1] * reach]
    low, high = min([inner[0], *lows]), max([inner[1], *highs])
    low = max(low, high / _SPAN)
    # the words below "as expected" need room, also where all bars lie to one side of it
    low, high = min(low, (high / low) ** -0.16), max(high, (high / low) ** 0.16)
    room = max((high / low) ** 0.04, 1.02)
    return low / room, high * room


def ratio_ticks(low: float, high: float, room: float, size: float) -> tuple[list[float], list[str]]:
    """Round ratios whose words do not meet: as percent more or less, or over a wide range as times."""
    if high <= 4 and low >= 0.2:
        known = [(1 + p / 100, percent_more(p)) for p in _PERCENTS]
        rank = {0: 0, 100: 1, -50: 1, 10: 2, -10: 2, 50: 2, 20: 3, -20: 3, 200: 3, -30: 4, 30: 4, -75: 4, 5: 4, -5: 4}
        order = sorted(known, key=lambda tick: rank.get(round(100 * (tick[0] - 1)), 5))
    else:
        known = [(v, times(v)) for v in _TIMES]
        order = sorted(known, key=lambda tick: (abs(math.log10(tick[0])) % 1 > 1e-9, abs(math.log10(tick[0]))))

    def place(value: float) -> float:
        return room * math.log(value / low) / math.log(high / low)

    chosen: list[tuple[float, str]] = []
    for value, text in order:
        half = theme.extent(text, size)[0] / 2
        inside = low <= value <= high and half - 10 < place(value) < room - half + 10
        if inside and all(
            abs(place(value) - place(other)) >= half + theme.extent(word, size)[0] / 2 + 10 for other, word in chosen
        ):
            chosen.append((value, text))
    chosen.sort()
    assert all(a[0] < b[0] for a, b in pairwise(chosen))
    return [value for value, _ in chosen], [text for _, text in chosen]


def percent_more(percent: float) -> str:
    """Write a change: "+20%", "−5%", and "as expected" for none."""
    return "as expected" if percent == 0 else f"{'+' if percent > 0 else ''}{words.digits(percent)}%"


def times(ratio: float) -> str:
    """Write a ratio: "×5", "×1/2", and "as expected" for 1."""
    if ratio == 1:
        return "as expected"
    return f"×{words.digits(ratio)}" if ratio > 1 else f"×1/{words.digits(round(1 / ratio))}"
