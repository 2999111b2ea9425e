"""Small multiples: panels over the same years, one below the other, on a wide page two beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes

from helpers import words
from helpers.charts import history_axes, theme
from helpers.charts.sheet import Sheet
from helpers.charts.theme import NARROW, QUIET

MOST = 8
_GAP = 22.0  # points between columns
_LIKE = 4.0  # panels whose tops differ by no more share a scale


@dataclass
class Grid:
    """Panels of counts by year: their heads (name, note), tops, and the years from ``first`` to before ``last``.

    ``strip`` points are left free beside each panel, ``below`` lines of text below it.
    """

    sheet: Sheet
    heads: Sequence[tuple[str, str]]
    tops: list[float]
    first: int
    last: int
    strip: float = 0.0
    below: float = 1.8
    shared: bool = field(init=False)

    def __post_init__(self) -> None:
        """Share the scale where the panels allow it, and fix the widths."""
        self.columns = 1 if self.sheet.size is NARROW or len(self.heads) == 1 else 2
        self.shared = max(self.tops) <= _LIKE * min(self.tops)
        if self.shared:
            self.tops = [max(self.tops)] * len(self.tops)
        ticks = [words.digits(v) for top in self.tops for v in history_axes.count_ticks(top)]
        self.gutter = 8 + max(theme.extent(text, self.sheet.size.text)[0] for text in ticks)
        self.width = (self.sheet.inner - _GAP * (self.columns - 1)) / self.columns

    def add(self, fill: Callable[[Axes, int, float], object]) -> None:
        """Add all panels to the page; ``fill(axes, i, top)`` draws what is on the i-th, in years."""
        sheet, size = self.sheet, self.sheet.size
        tall = 170.0 if len(self.heads) == 1 else 104.0
        for start in range(0, len(self.heads), self.columns):
            row = self.heads[start : start + self.columns]
            sheet.skip(8)
            names = [theme.wrap(name, self.width, size.text, bold=True) for name, _ in row]
            notes = [theme.wrap(note, self.width, size.small) if note else "" for _, note in row]
            high = max(theme.extent(name, size.text, bold=True)[1] for name in names)
            deep = max((theme.extent(note, size.small)[1] + 4 for note in notes if note), default=0)
            for column, (name, note) in enumerate(zip(names, notes, strict=True)):
                self._head(column, name, note)
            sheet.skip(high + deep + 10)
            for i in range(start, start + len(row)):
                if i > start:
                    sheet.skip(-tall)
                self._panel(i, size.edge + (i - start) * (self.width + _GAP), tall, fill)
            sheet.skip(size.text * self.below)
        sheet.skip(6)
        if not self.shared:
            sheet.note("The panels have different scales.", size.small)
            sheet.skip(4)

    def _head(self, column: int, name: str, note: str) -> None:
        sheet, size = self.sheet, self.sheet.size
        x = size.edge + column * (self.width + _GAP)
        drop = theme.extent(name, size.text, bold=True)[1] + 4

        def put(y: float) -> None:
            sheet.write(x, y, name, size.text, bold=True, va="top")
            if note:
                sheet.write(x, y - drop, note, size.small, QUIET, va="top")

        sheet.later(put)

    def _panel(self, i: int, left: float, tall: float, fill: Callable[[Axes, int, float], object]) -> None:
        sheet = self.sheet
        right = sheet.size.width - left - self.width
        axes = sheet.panel(left + self.gutter, right + self.strip, tall)

        def draw() -> None:
            top = self.tops[i]
            axes.set(xlim=(self.first, self.last), ylim=(0, top))
            ticks = history_axes.count_ticks(top)
            axes.set_yticks(ticks, [words.digits(v) for v in ticks])
            axes.grid(axis="y", color=theme.RULE, lw=0.8)
            years = self._years(self.width - self.gutter - self.strip)
            axes.set_xticks([year + 0.5 for year in years], [str(year) for year in years])
            axes.tick_params(axis="x", length=3, color=QUIET)
            fill(axes, i, top)

        sheet.last(draw)

    def _years(self, room: float) -> list[int]:
        """Years whose names leave each other room; the last is always among them."""
        widest = theme.extent("2026", self.sheet.size.text)[0] + 8
        each = room / (self.last - self.first)
        step = next((s for s in (1, 2, 3, 5, 10, 20) if each * s >= widest), 50)
        years = range(self.last - 1, self.first - 1, -step)
        return [year for year in years if (year - self.first + 0.5) * each > widest / 2 - self.gutter][::-1]
