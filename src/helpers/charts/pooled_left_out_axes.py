"""Every event predicted from all others, one line each, against what its own figures say."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.charts import history_axes, theme
from helpers.charts.history_axes import Key
from helpers.charts.pooled_dose_axes import decades, power_ticks
from helpers.charts.pooled_view import LeftOutView, PredictedRow
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, OUTAGE, Size

_HALF = 4.0  # half the height of a bar in points
_LONG = 420.0  # a taller panel has its scale at the top too


def draw(view: LeftOutView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw in one width; ``words_above`` are title, subtitle and source."""
    title, subtitle, source = words_above
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    history_axes.head(sheet, f"Extra {view.noun} that a rival gained, logarithmic scale", 5)
    history_axes.key_rows(sheet, _keys(view))
    sheet.skip(6)
    _Rows(sheet, view).add()
    sheet.note(source, size.small)
    return sheet.finish()


def _keys(view: LeftOutView) -> list[Key]:
    inside = sum(row.inside for row in view.rows)

    def band(sheet: Sheet, x: float, y: float) -> None:
        sheet.rule((x - 20, x + 20), (y, y), theme.FIT_95, lw=2 * _HALF, solid_capstyle="butt")
        sheet.rule((x - 11, x + 11), (y, y), theme.FIT_50, lw=2 * _HALF, solid_capstyle="butt")
        sheet.rule((x, x), (y - _HALF, y + _HALF), FIT, lw=2, solid_capstyle="butt")

    def seen(colour: str, marker: str) -> Key:
        def put(sheet: Sheet, x: float, y: float) -> None:
            sheet.rule((x - 11, x + 11), (y, y), colour, lw=1.3)
            sheet.rule((x,), (y,), colour, marker=marker, ms=8 if marker == "X" else 6, mec=theme.PAPER, mew=0.7)

        where = "its own figures, in" if marker == "o" else "outside"
        return Key(f"{where} the 95% band ({inside if marker == 'o' else len(view.rows) - inside})", put, 22)

    keys = [Key("predicted from all other events: 95%, 80%, median", band, 40)]
    if inside:
        keys.append(seen(INK, "o"))
    if inside < len(view.rows):
        keys.append(seen(OUTAGE, "X"))
    return keys


class _Rows:
    """The rows, and the axis they share."""

    def __init__(self, sheet: Sheet, view: LeftOutView) -> None:
        self.sheet, self.rows, self.narrow = sheet, view.rows, sheet.size is NARROW
        size, room = sheet.size.text, sheet.inner * (1 if self.narrow else 0.3)
        # bold ones are wider
        self.names = [theme.wrap(row.label, room, size, not row.inside, even=True) for row in self.rows]
        boxes = [theme.extent(name, size, not row.inside) for name, row in zip(self.names, self.rows, strict=True)]
        self.wide = max(width for width, _ in boxes)
        self.tops = [height for _, height in boxes]
        self.heights = [top + (2 * _HALF + 13 if self.narrow else 6.5) for top in self.tops]
        low = min(min(row.low95, row.seen_low) for row in self.rows)
        high = max(max(row.high95, row.seen_high) for row in self.rows)
        self.low, self.high = decades(low, high, 0.02)

    def add(self) -> None:
        """Add the rows to the page."""
        sheet, size = self.sheet, self.sheet.size
        left = size.edge + (4 if self.narrow else self.wide + 14)
        right = size.edge + 10
        self.tall = sum(self.heights)
        ticks = power_ticks(self.low, self.high, size.width - left - right, size.text, across=True)
        lines = 2.4 if any("\n" in text for text in ticks[1]) else 1.2
        self.long = self.tall > _LONG
        sheet.skip(size.text * (lines + 0.4) if self.long else 0)
        axes = sheet.panel(left, right, self.tall)
        sheet.skip(size.text * (lines + 1.2))
        sheet.last(lambda: self._fill(axes, ticks))

    def _fill(self, axes: Axes, ticks: tuple[list[float], list[str]]) -> None:
        sheet = self.sheet
        axes.set(xscale="log", xlim=(self.low, self.high), ylim=(self.tall, 0), yticks=[])
        axes.set_xticks(*ticks)
        axes.minorticks_off()
        axes.tick_params(axis="x", labeltop=self.long)
        axes.grid(axis="x", color=theme.RULE, lw=0.8)
        left, _, right, top = sheet.edges(axes)
        down = 0.0
        for row, name, head, height in zip(self.rows, self.names, self.tops, self.heights, strict=True):
            colour, y = INK if row.inside else OUTAGE, top - down
            if self.narrow:
                backed = {"boxstyle": "square,pad=0.1", "fc": theme.PAPER, "ec": "none"}
                shown = sheet.write(sheet.size.edge, y - 3, name, sheet.size.text, colour, not row.inside, va="top")
                shown.set_bbox(backed)
                _row(axes, row, down + head + 7 + _HALF)
            else:
                at = y - height / 2
                sheet.rule((left, right), (at, at), theme.RULE, lw=0.6, zorder=-1)
                where = {"va": "center", "ha": "right", "ma": "right"}
                sheet.write(left - 12, at, name, sheet.size.text, colour, not row.inside, **where)
                _row(axes, row, down + height / 2)
            down += height


def _row(axes: Axes, row: PredictedRow, y: float) -> None:
    """One event: the predicted band, and what was seen on top of it."""
    axes.fill_between([row.low95, row.high95], y - _HALF, y + _HALF, color=theme.FIT_95, lw=0, zorder=2)
    axes.fill_between([row.low80, row.high80], y - _HALF, y + _HALF, color=theme.FIT_50, lw=0, zorder=2.1)
    axes.plot([row.middle] * 2, [y - _HALF, y + _HALF], color=FIT, lw=2, zorder=2.2, solid_capstyle="butt")
    colour = INK if row.inside else OUTAGE
    axes.plot([row.seen_low, row.seen_high], [y, y], color=colour, lw=1.3, zorder=3, solid_capstyle="butt")
    look = ("o", 6.0) if row.inside else ("X", 8.5)
    axes.plot([row.seen_middle], [y], look[0], ms=look[1], color=colour, mec=theme.PAPER, mew=0.7, zorder=4)
