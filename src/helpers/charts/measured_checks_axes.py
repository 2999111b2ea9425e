"""What the model left over: residuals over time, their autocorrelation, and their quantiles against the normal."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from helpers import words
from helpers.charts import history_axes, measured_lines, measured_scale, theme
from helpers.charts.history_axes import days
from helpers.charts.measured_lines import Array
from helpers.charts.measured_scale import ValueScale
from helpers.charts.measured_view import CheckView
from helpers.charts.sheet import Sheet
from helpers.charts.theme import FIT, INK, NARROW, QUIET, Size

_GAP = 26.0  # points between columns
_FAR = 12.0  # residuals beyond this are drawn at the edge
_DOTS = 500
_FEW = 160  # dots of the quantile plot
#: Steps between the lags that are named, by the unit of the series.
_LAGS = {"hour": (1, 2, 3, 6, 12, 24, 48, 168), "day": (1, 2, 7, 14, 28, 91, 364), "week": (1, 2, 4, 8, 13, 26, 52)}


def draw(view: CheckView, words_above: tuple[str, str, str], size: Size) -> Figure:
    """Draw the panels in one width; ``words_above`` are title, subtitle and source."""
    title, subtitle, source = words_above
    narrow = size is NARROW
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    finite = view.residuals[np.isfinite(view.residuals)]
    reach = min(max(3.5, 1.08 * float(np.max(np.abs(finite)))), _FAR)
    scale = ValueScale(-reach, reach)
    lagged = len(view.autocorrelation) > 0
    widest = max(2.5 * view.bound, 1.1 * float(np.max(np.abs(view.autocorrelation), initial=0.0)))
    lag_scale = ValueScale(-min(widest, 1.05), min(widest, 1.05))
    ticks, lag_ticks = scale.ticks(110, size.text, 4), lag_scale.ticks(130, size.text, 4)
    gutter = measured_scale.gutter([measured_scale.short(v) for v in (*ticks, *lag_ticks)], size.text)
    columns = 2 if lagged and not narrow else 1
    width = (sheet.inner - _GAP * (columns - 1)) / columns

    every = _parts(len(view.times), narrow)
    head = "Standardised residuals; of good ones 95 in 100 lie in the band"
    history_axes.head(sheet, head, 4)
    if every > 1:
        text = f"strokes: the middle 95% of {every:,} steps; dots: beyond ±3"
        sheet.note(text, size.small)
        sheet.skip(2)
    sheet.skip(6)
    top = sheet.panel(size.edge + gutter, size.edge + 12, 120)
    start, end = view.times[0], view.times[-1] + view.step
    dates, dated = measured_lines.time_ticks(start, end, sheet.inner - gutter - 12, size.text)
    sheet.skip(size.text * (3.2 if any("\n" in text for text in dated) else 2.0))
    years = sorted({str(start.year), str(view.times[-1].year)})
    told = any(year in text for text in dated for year in years)
    sheet.note("Time in UTC" if told else f"Time in UTC, {'–'.join(years)}", size.text, left=gutter)
    sheet.skip(size.text * 1.4)

    heads = ["Autocorrelation", "Quantiles of the residuals"] if lagged else ["Quantiles of the residuals"]
    below = [_lag_words(view.step), "Quantiles of the normal distribution"][-len(heads) :]
    panels: list[Axes] = []
    for row in range(0, len(heads), columns):
        names = heads[row : row + columns]
        lefts = [size.edge + column * (width + _GAP) for column in range(len(names))]
        _texts(sheet, lefts, names, bold=True)
        sheet.skip(size.text * 1.2 + 7)
        for column, left in enumerate(lefts):
            if column:
                sheet.skip(-140)
            panels.append(sheet.panel(left + gutter, size.width - left - width + 6, 140))
        sheet.skip(size.text * 1.9)
        _texts(sheet, [left + gutter for left in lefts], below[row : row + columns])
        sheet.skip(size.text * 2.2)
    sheet.note(source, size.small)
    figure = sheet.finish()

    scale.apply(top, ticks)
    top.set_xlim(days(start), days(end))
    top.set_xticks(dates, dated)
    _residuals(top, view, reach, every)
    if lagged:
        lag_scale.apply(panels[0], lag_ticks)
        _autocorrelation(panels[0], view)
    _quantiles(panels[-1], finite, size)
    for axes in (top, *panels):
        axes.tick_params(axis="x", length=4, color=QUIET)
    return figure


def _texts(sheet: Sheet, lefts: list[float], texts: list[str], bold: bool = False) -> None:
    for left, text in zip(lefts, texts, strict=True):

        def put(y: float, left: float = left, text: str = text) -> None:
            colour = INK if bold else QUIET
            sheet.write(left, y, text, sheet.size.text, colour, bold=bold, va="top")

        sheet.later(put)


def _parts(n: int, narrow: bool) -> int:
    """How many steps share one stroke: one as long as each can have its dot."""
    most = _DOTS if not narrow else _DOTS // 2
    strokes = 110 if narrow else 240
    return 1 if n <= most else int(np.ceil(n / strokes))


def _lag_words(step: pd.Timedelta) -> str:
    unit = measured_lines.per(step)
    return f"Lag in steps of {unit}" if unit[0].isdigit() else f"Lag in {unit}s"


def _residuals(axes: Axes, view: CheckView, reach: float, every: int) -> None:
    """Dots, or strokes for many steps each with what lies far out."""
    axes.axhspan(-1.96, 1.96, color=theme.FIT_95, lw=0, zorder=0.5)
    axes.axhline(0, color=QUIET, lw=1, zorder=2)
    x = measured_lines.days(view.times) + view.step / pd.Timedelta(days=2)
    y = np.clip(view.residuals, -reach, reach)
    if every > 1:
        groups = pd.DataFrame({"x": x, "y": y}).groupby(np.arange(len(x)) // every)
        low, high = groups["y"].quantile(0.025), groups["y"].quantile(0.975)
        axes.vlines(groups["x"].mean(), low, high, color=INK, lw=1.1, alpha=0.75, zorder=3)
        far = np.flatnonzero(np.abs(y) > 3)
        far = far[np.argsort(-np.abs(y[far]), kind="stable")[: _DOTS // 2]]
        x, y = x[np.sort(far)], y[np.sort(far)]
    axes.plot(x, y, "o", color=INK, ms=2.6, mew=0, zorder=4, clip_on=False)


def _autocorrelation(axes: Axes, view: CheckView) -> None:
    values = np.asarray(view.autocorrelation, dtype=float)
    lags = np.arange(1, len(values) + 1)
    axes.axhspan(-view.bound, view.bound, color=theme.FIT_95, lw=0, zorder=0.5)
    axes.axhline(0, color=QUIET, lw=1, zorder=2)
    axes.vlines(lags, 0, values, color=INK, lw=1.2 if len(lags) < 80 else 0.8, zorder=3)
    axes.set_xlim(0, len(lags) + 1)
    steps = _LAGS.get(measured_lines.per(view.step), (1, 2, 4, 8, 12, 24, 48, 96, 192, 672))
    step = next((s for s in steps if len(lags) / s <= 7), max(1, len(lags)))
    at = list(range(0, len(lags) + 1, step))
    axes.set_xticks(at, [f"{lag:,}" for lag in at])


def _quantiles(axes: Axes, finite: Array, size: Size) -> None:
    n = len(finite)
    ordered = np.sort(finite)
    normal = stats.norm.ppf((np.arange(1, n + 1) - 0.5) / n)
    if n > _FEW:  # evenly on the axis of the figure, so that the tails keep all their dots
        even = stats.norm.cdf(np.linspace(normal[0], normal[-1], _FEW))
        keep = np.unique(np.clip((even * n).astype(int), 0, n - 1))
        ordered, normal = ordered[keep], normal[keep]
    most = min(max(2.5, 1.08 * float(np.max(np.abs(ordered))), 1.08 * float(normal[-1])), _FAR)
    scale = ValueScale(-most, most)
    scale.apply(axes, scale.ticks(140, size.text, 4))
    wide = max(2.5, 1.08 * float(normal[-1]))
    axes.set_xlim(-wide, wide)
    at = [v for v in (-4, -2, 0, 2, 4) if abs(v) < wide]
    axes.set_xticks(at, [words.digits(v) for v in at])
    axes.plot([-wide, wide], [-wide, wide], color=FIT, lw=1.4, zorder=2)
    axes.plot(normal, np.clip(ordered, -most, most), "o", color=INK, ms=3, mew=0, zorder=4)
