"""The gain of an outage beside what the same procedure claims at dates when nothing happened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import history_axes, measured_lines, measured_scale, theme
from helpers.charts.history_axes import days
from helpers.charts.measured_scale import Array
from helpers.charts.measured_view import PlaceboView
from helpers.charts.sheet import Sheet
from helpers.charts.theme import NARROW, OUTAGE, QUIET, Size

MISSED = "#b06f00"
_BOLD_FROM = 60  # placebo dates from which bars and dots are thinner


def draw(view: PlaceboView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw in one width; ``words_above`` are title, subtitle and source."""
    title, subtitle, source = words_above
    narrow = size is NARROW
    factor = 100.0 if view.unit == "share" else 1.0
    low, middle, high = (factor * np.asarray(values, dtype=float) for values in (view.low, view.middle, view.high))
    real = factor * np.array(view.real)
    outer = np.maximum(np.abs(low), np.abs(high))
    usual = float(np.quantile(outer, 0.9))
    # single intervals far longer than the rest run off the axis
    reach = 1.5 * max(usual, *np.abs(middle), *np.abs(real), 1e-9)
    ends = [np.clip(values, -reach, reach) for values in (low, middle, high, real)]
    scale = measured_scale.spread_scale(ends, usual)
    height = 210.0 if narrow else 260.0
    ticks = scale.ticks(height, size.text, 6)

    def name(value: float) -> str:
        return signed(value, view.unit)

    said = f"{view.real_label}: {span(view.real[0], view.real[2], view.unit)}"
    left = size.edge + measured_scale.gutter([name(v) for v in ticks], size.text)
    right = size.edge + (14 if narrow else 132)
    first, last = min(view.dates.min(), view.real_date), max(view.dates.max(), view.real_date)
    pad = max((last - first) * 0.03, pd.Timedelta(hours=1))
    dates, dated = measured_lines.time_ticks(first - pad, last + pad, size.width - left - right, size.text)

    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    bent = f", logarithmic above {name(scale.bend)}" if scale.bend else ""
    what = f"Extra {view.noun}, share of the expected" if view.unit == "share" else "Calibrated score of the gain"
    history_axes.head(sheet, what + bent, 5)
    history_axes.key_rows(sheet, _keys(view, said if narrow else ""))
    sheet.skip(8)
    axes = sheet.panel(left, right, height)
    sheet.skip(size.text * (3.4 if any("\n" in text for text in dated) else 2.1))
    years = sorted({str(first.year), str(last.year)})
    told = any(year in text for text in dated for year in years)
    sheet.note("Time in UTC" if told else f"Time in UTC, {'–'.join(years)}", size.text, left=left - size.edge)
    sheet.skip(size.text)
    sheet.note(source, size.small)
    figure = sheet.finish()

    scale.apply(axes, ticks, name)
    axes.set_xlim(days(first - pad), days(last + pad))
    axes.set_xticks(dates, dated)
    axes.tick_params(axis="x", length=4, color=QUIET)
    axes.axhline(0, color=QUIET, lw=1.2, zorder=2)
    x, misses = measured_lines.days(view.dates), view.misses
    small = len(x) > _BOLD_FROM
    for chosen, colour, mark in ((~misses, QUIET, "o"), (misses, MISSED, "^")):
        look: dict[str, Any] = {"color": colour, "zorder": 3 + 0.5 * (mark == "^")}
        _bars(
            axes,
            x[chosen],
            low[chosen],
            middle[chosen],
            high[chosen],
            mark,
            (3.4 if small else 5.5) + 1.5 * (mark == "^"),
            look,
        )
    look = {"color": OUTAGE, "zorder": 5}
    at = np.array([days(view.real_date)])
    _bars(axes, at, real[:1], real[1:2], real[2:], "D", 8.5, look)
    axes.plot(at, np.clip(real[1:2], scale.low, scale.high), "D", ms=8.5, mec=theme.PAPER, mew=0.9, **look)
    if not narrow:
        room = size.width - sheet.edges(axes)[2] - size.edge - 8
        text = theme.wrap(said, room, size.text, even=True)
        tall = theme.extent(text, size.text)[1]
        _, base, edge, roof = sheet.edges(axes)
        y = float(axes.transData.transform((0, min(real[1], scale.high)))[1])
        sheet.write(edge + 8, min(max(y, base + tall / 2), roof - tall / 2), text, size.text, OUTAGE, va="center")
    return figure


def _keys(view: PlaceboView, real: str) -> list[history_axes.Key]:
    """Keys of the marks there are; on a phone also of the outage."""
    missed = int(view.misses.sum())
    held = len(view.dates) - missed
    level = words.percent(view.level)
    keys = []
    if held:
        keys.append(history_axes.dot_key(f"placebo date, {level} interval holds zero ({held:,})", QUIET, "o"))
    if missed:
        keys.append(history_axes.dot_key(f"placebo date, misses zero ({missed:,})", MISSED, "^"))
    return [*keys, history_axes.dot_key(real, OUTAGE, "D")] if real else keys


def _bars(
    axes: Axes, x: Array, low: Array, middle: Array, high: Array, mark: str, size: float, look: dict[str, Any]
) -> None:
    """Draw claims with their intervals; small arrows stand where an interval runs off the axis."""
    if not len(x):
        return
    bottom, top = axes.get_ylim()
    axes.vlines(
        x, np.maximum(low, bottom), np.minimum(high, top), lw=2.4 if mark == "D" else 1.1,
        alpha=0.55 if mark == "o" and len(x) > _BOLD_FROM else 1, **look,
    )  # fmt: skip
    axes.plot(x, middle, mark, ms=size, mew=0, **look)
    for off, y, arrow in ((low < bottom, bottom, "v"), (high > top, top, "^")):
        if off.any():
            axes.plot(x[off], np.full(int(off.sum()), y), arrow, ms=4, mew=0, clip_on=False, **look)


def signed(value: float, unit: str) -> str:
    """Write a gain for an axis: "+50%", "−2", "0%"."""
    text = measured_scale.short(value)
    return f"{'+' if value > 0 else ''}{text}{'%' if unit == 'share' else ''}"


def span(low: float, high: float, unit: str) -> str:
    """Write an interval of gains: "+45% to +80%" of shares 0.45 to 0.8, "+2.1 to +4" of scores."""
    factor = 100.0 if unit == "share" else 1.0
    ends = [
        words.significant(factor * end) if abs(factor * end) >= 1 else round(factor * end, 1) for end in (low, high)
    ]
    return " to ".join(signed(end, unit) for end in ends)
