"""Past years predicted from the years before them, against what then happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import history_axes, multiples, theme
from helpers.charts.multiples import Grid
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, OUTAGE, Size


@dataclass(frozen=True)
class Prediction:
    """One year of one service: median, intervals of 80% and 95%, what then was, and the months of a part year.

    Raises
    ------
    ValueError
        If an end of an interval is above the other.
    """

    service: str
    year: int
    actual: float
    middle: float
    inner: tuple[float, float]
    outer: tuple[float, float]
    part: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        for low, high in (self.inner, self.outer):
            if not low <= high:
                raise ValueError(f"{self.service} {self.year}: an interval from {low} to {high}")

    @property
    def inside(self) -> bool:
        """Whether what was lies in the wide interval, its ends included."""
        return self.outer[0] <= self.actual <= self.outer[1]


def draw(rows: Sequence[Prediction], words_above: tuple[str, str, str], noun: str, size: Size) -> Figure:
    """Draw in one width: a panel for each of the services with most predictions."""
    title, subtitle, source = words_above
    counted = Counter(row.service for row in rows)
    # equal numbers of predictions in the order of the rows
    shown = [name for name, _ in counted.most_common(multiples.MOST)]
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    if not shown:
        sheet.note("No year has enough years before it to be predicted.", size.text, colour=INK)
        sheet.skip(size.text)
        sheet.note(source, size.small)
        return sheet.finish()
    history_axes.head(sheet, f"{noun[:1].upper()}{noun[1:]} in a year, predicted from the years before", 5)
    keys = [
        history_axes.line_key("95% interval", FIT, lw=1.6),
        history_axes.line_key("80% interval", theme.FIT_50, lw=8, solid_capstyle="butt"),
        history_axes.dot_key("what happened, inside 95%", INK, "o"),
    ]
    if any(not row.inside for row in rows if row.service in shown):
        keys.append(history_axes.dot_key("outside", OUTAGE, "X"))
    history_axes.key_rows(sheet, keys)
    groups = [sorted((row for row in rows if row.service == name), key=lambda row: row.year) for name in shown]
    seen = [row for group in groups for row in group]
    grid = Grid(
        sheet,
        heads=[(name, _note(group)) for name, group in zip(shown, groups, strict=True)],
        tops=[_top(group) for group in groups],
        first=min(row.year for row in seen),
        last=max(row.year for row in seen) + 1,
    )
    grid.add(lambda axes, i, top: _fill(axes, groups[i], top))
    rest = len(counted) - len(shown)
    if rest:
        left_out = len(rows) - len(seen)
        sheet.note(
            f"Not drawn: {rest} more service{'s' * (rest > 1)} with {left_out} predicted year{'s' * (left_out > 1)}.",
            size.small,
        )
        sheet.skip(4)
    sheet.note(source, size.small)
    return sheet.finish()


def _note(group: Sequence[Prediction]) -> str:
    """How many were inside, and which years are part years."""
    inside = sum(row.inside for row in group)
    text = f"{inside} of {len(group)} inside the 95% interval"
    parts = [f"{row.part} {row.year}" for row in group if row.part]
    return text + (f". Part year{'s' * (len(parts) > 1)}: {words.listing(parts)}" if parts else "")


def _top(group: Sequence[Prediction]) -> float:
    """Top of a panel: above all that happened and most intervals; those of the first years may run off it."""
    actual = max(row.actual for row in group)
    middle = max(row.middle for row in group)
    outer = float(np.quantile([row.outer[1] for row in group], 0.75))
    return 1.1 * max(1.1 * actual, middle, min(outer, 4 * max(actual, middle, 1.0)), 1.0)


def _fill(axes: Axes, group: Sequence[Prediction], top: float) -> None:
    """Draw one service."""
    for row in group:
        x = row.year + 0.5
        axes.plot([x, x], [row.outer[0], min(row.outer[1], top)], color=FIT, lw=1.6, zorder=2)
        axes.plot([x, x], row.inner, color=theme.FIT_50, lw=7, solid_capstyle="butt", zorder=3)
        axes.plot([x], [row.middle], "_", color=FIT, ms=15, mew=1.6, zorder=4)
        if row.outer[1] > top:
            axes.plot([x], [top], "^", color=FIT, ms=5, zorder=5, clip_on=False)
        if row.inside:
            axes.plot([x], [row.actual], "o", color=INK, ms=5, mec=theme.PAPER, mew=0.6, zorder=6, clip_on=False)
        else:
            axes.plot([x], [row.actual], "X", color=OUTAGE, ms=8, mec=theme.PAPER, mew=0.6, zorder=6, clip_on=False)
