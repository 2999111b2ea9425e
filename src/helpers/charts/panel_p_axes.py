"""Distribution of p-values by group of series, over what it would be if nothing had happened to any of them."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from helpers import words
from helpers.charts import history_axes, measured_scale, theme
from helpers.charts.measured_scale import ValueScale
from helpers.charts.panel_view import PGroup, PValueView
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, QUIET, Size

_GAP = 26.0  # points between columns


def draw(view: PValueView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw in one width; ``words_above`` are title, subtitle and source."""
    title, subtitle, source = words_above
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    groups = [group for group in view.groups if len(group.values)]
    history_axes.head(sheet, f"Number of {view.noun} by p-value", 5)
    keys = [
        history_axes.line_key("even, as if nothing had happened to any", INK, ls=theme.DASHES, lw=1.2),
        history_axes.patch_key("95 in 100 even counts end here", facecolor=theme.OTHER_BAND, edgecolor=QUIET, lw=0.5),
    ]
    history_axes.key_rows(sheet, keys)
    columns = 1 if size is NARROW else min(2, len(groups))
    width = (sheet.inner - _GAP * (columns - 1)) / columns
    height = 150.0
    counts = [np.histogram(group.values, _bins(len(group.values)), (0, 1))[0] for group in groups]
    scales = [_scale(len(g.values), c) for g, c in zip(groups, counts, strict=True)]
    ticks = [[v for v in scale.ticks(height, size.text, 4) if v == round(v)] for scale in scales]
    gutter = measured_scale.gutter([measured_scale.short(v) for values in ticks for v in values], size.text)
    for start in range(0, len(groups), columns):
        row = range(start, min(start + columns, len(groups)))
        sheet.skip(10)
        heads = [theme.wrap(_head(groups[i]), width, size.text, bold=True) for i in row]
        notes = [theme.wrap(_note(groups[i]), width, size.small) for i in row]
        for column, (head, note) in enumerate(zip(heads, notes, strict=True)):
            _write(sheet, size.edge + column * (width + _GAP), head, note)
        deep = [
            theme.extent(h, size.text, True)[1] + 4 + theme.extent(n, size.small)[1]
            for h, n in zip(heads, notes, strict=True)
        ]
        sheet.skip(max(deep) + 10)
        for i in row:
            if i > start:
                sheet.skip(-height)
            left = size.edge + (i - start) * (width + _GAP)
            axes = sheet.panel(left + gutter, size.width - left - width + 6, height)
            sheet.last(lambda axes=axes, i=i: _fill(axes, groups[i], counts[i], scales[i], ticks[i]))  # type: ignore[misc]
        sheet.skip(size.text * 2.1)
        if start + columns >= len(groups):
            sheet.note("p-value, calibrated, two-sided", size.text, left=gutter)
            sheet.skip(size.text)
    sheet.note(source, size.small)
    return sheet.finish()


def _write(sheet: Sheet, x: float, head: str, note: str) -> None:
    drop = theme.extent(head, sheet.size.text, bold=True)[1] + 4

    def put(y: float) -> None:
        sheet.write(x, y, head, sheet.size.text, bold=True, va="top")
        sheet.write(x, y - drop, note, sheet.size.small, QUIET, va="top")

    sheet.later(put)


def _bins(n: int) -> int:
    """Number of bars: none is to hold much less than one series in ten, or five of them by chance."""
    return 20 if n >= 100 else 10 if n >= 30 else 5


def _even(n: int) -> tuple[float, float, float]:
    """Expected count of a bar if all were even, and the ends of the middle 95% (binomial)."""
    share = 1 / _bins(n)
    low, high = stats.binom.interval(0.95, n, share)
    return float(low), n * share, float(high)


def _scale(n: int, counts: object) -> ValueScale:
    return ValueScale(0.0, 1.08 * max(float(np.max(np.asarray(counts))), _even(n)[2], 1.0))


def _head(group: PGroup) -> str:
    return f"{group.label[:1].upper()}{group.label[1:]} ({len(group.values):,})"


def _note(group: PGroup) -> str:
    """How many lie below 0.05, and how many would."""
    below, n = int((group.values < 0.05).sum()), len(group.values)
    by_chance = words.digits(words.significant(0.05 * n)) if n * 0.05 < 10 else f"{math.floor(0.05 * n + 0.5):,}"
    return f"{below:,} below 0.05, by chance about {by_chance}"


def _fill(axes: Axes, group: PGroup, counts: object, scale: ValueScale, ticks: list[float]) -> None:
    values = np.asarray(counts, dtype=float)
    bars, n = len(values), len(group.values)
    low, middle, high = _even(n)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.tick_params(axis="x", length=4, color=QUIET)
    scale.apply(axes, ticks)
    axes.axhspan(low, high, color=theme.OTHER_BAND, lw=0, zorder=0.5)
    colour = QUIET if group.placebo else FIT
    axes.bar((np.arange(bars) + 0.5) / bars, values, width=0.86 / bars, color=colour, alpha=0.85, lw=0, zorder=3)
    axes.axhline(middle, color=INK, ls=theme.DASHES, lw=1.2, zorder=4)
