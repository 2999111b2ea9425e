"""Lines, bands and dots of a measured series: as many marks as can be seen, gaps where nothing was counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from helpers import words
from helpers.charts import history_axes, theme
from helpers.charts.history_axes import Key
from helpers.charts.sheet import Sheet

Array = NDArray[np.float64]
#: More points than this become a thin line.
DOTS = 400
_DAY = pd.Timedelta(days=1)
_STEPS = ((60.0, "second"), (3600.0, "minute"), (86400.0, "hour"), (7 * 86400.0, "day"), (float("inf"), "week"))
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0}


def days(times: pd.DatetimeIndex) -> Array:
    """Places of times on an axis of dates: days since 1970 in UTC."""
    return np.asarray((times - pd.Timestamp(0, unit="us", tz="UTC")) / _DAY, dtype=float)


def per(step: pd.Timedelta) -> str:
    """Say what a step is, after "per": "hour", "15 minutes", "day", "week"."""
    seconds = step.total_seconds()
    unit = next(name for longest, name in _STEPS if seconds < longest)
    number = seconds / _SECONDS[unit]
    return unit if number == 1 else f"{number:g} {unit}s"


def thin_line(y: Array, most: int) -> NDArray[np.intp]:
    """Indices that draw a line of many points the same: the lowest and the highest of each of ``most / 2`` parts.

    A part without any value keeps one index, so that the gap stays a gap.
    """
    n = len(y)
    if n <= most:
        return np.arange(n)
    part = pd.Series(np.arange(n) * (most // 2) // n)
    values = pd.Series(y)
    seen = values.notna()
    low = values[seen].groupby(part[seen]).idxmin()
    high = values[seen].groupby(part[seen]).idxmax()
    empty = part[~part.isin(part[seen])].drop_duplicates().index
    return np.unique(np.concatenate([low.to_numpy(), high.to_numpy(), empty.to_numpy()])).astype(np.intp)


def thin_band(x: Array, low: Array, middle: Array, high: Array, most: int) -> tuple[Array, Array, Array, Array]:
    """Thin a line with its band to ``most`` points: mean of the line, lowest and highest of the band in each part."""
    n = len(x)
    if n <= most:
        return x, low, middle, high
    part = np.arange(n) * most // n
    table = pd.DataFrame({"x": x, "low": low, "middle": middle, "high": high}).groupby(part)
    ends = table.agg({"x": "mean", "low": "min", "middle": "mean", "high": "max"}).to_numpy(dtype=float)
    ends[0, 0], ends[-1, 0] = x[0], x[-1]
    return ends[:, 0], ends[:, 1], ends[:, 2], ends[:, 3]


def band(axes: Axes, x: Array, low: Array, high: Array, colour: str, zorder: float = 1) -> None:
    """Fill between two lines where both are known; a step that stands alone between gaps gets a stroke."""
    known = np.isfinite(low) & np.isfinite(high)
    axes.fill_between(x, low, high, where=known, color=colour, lw=0, zorder=zorder)
    alone = known & ~np.append(known[1:], False) & ~np.append(False, known[:-1])
    if alone.any():
        axes.vlines(x[alone], low[alone], high[alone], color=colour, lw=3, zorder=zorder)


def observed(axes: Axes, x: Array, y: Array, colour: str, most: int, zorder: float = 4) -> None:
    """Draw what was counted: dots, or beyond `DOTS` points a thin line."""
    if len(x) > DOTS:
        keep = thin_line(y, most)
        axes.plot(x[keep], y[keep], color=colour, lw=0.8, zorder=zorder, solid_joinstyle="round")
        return
    across = axes.get_window_extent().width / max(len(x), 1)
    size = float(np.clip(across * 0.75, 2.2, 5))
    axes.plot(x, y, "o", color=colour, ms=size, mew=0, zorder=zorder)


def line(axes: Axes, x: Array, y: Array, colour: str, most: int, width: float, zorder: float = 3) -> None:
    """Draw a line; a step that stands alone between gaps gets a dot."""
    keep = thin_line(y, most)
    x, y = x[keep], y[keep]
    axes.plot(x, y, color=colour, lw=width, zorder=zorder, solid_joinstyle="round")
    known = np.isfinite(y)
    alone = known & ~np.append(known[1:], False) & ~np.append(False, known[:-1])
    if alone.any():
        axes.plot(x[alone], y[alone], "o", color=colour, ms=width + 1.5, mew=0, zorder=zorder)


def time_ticks(start: pd.Timestamp, end: pd.Timestamp, room: float, size: float) -> tuple[list[float], list[str]]:
    """Round moments of UTC whose words leave each other room, down to minutes: places in days, words."""
    found = history_axes.date_ticks(start, end, room, size)
    if len(found[0]) >= 2 or end - start > pd.Timedelta(hours=6):
        return found
    widest = theme.extent("00:00", size)[0] + 14
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120):
        moments = list(pd.date_range(start.ceil(f"{minutes}min"), end, freq=f"{minutes}min"))
        if (len(moments) + 1) * widest <= room:
            break
    names = [f"{m:%H:%M}" for m in moments]
    if names:
        names[0] += f"\n{moments[0].day} {words.MONTHS[moments[0].month - 1]}"
    return [history_axes.days(m) for m in moments], names


_SINCE = (
    (1 / 60, "Minutes", 3.0, (1, 2, 5, 10, 15, 30, 60)),
    (1.0, "Hours", 72.0, (1, 2, 3, 6, 12, 24)),
    (24.0, "Days", float("inf"), (1, 2, 5, 7, 14, 28, 56, 112, 364)),
)  # unit in hours, its name, the longest time told in it, round steps


def since_ticks(low: float, high: float, room: float, size: float) -> tuple[list[float], list[str], str]:
    """Round times from ``low`` to ``high`` hours: places in hours, words, and the unit they are in ("Days")."""
    unit, name, _, steps = next(scale for scale in _SINCE if high - low <= scale[2])
    first, last = low / unit, high / unit
    widest = max(theme.extent(words.digits(float(round(end))), size)[0] for end in (first, last)) + 14
    step = next((s for s in steps if (last - first) / s * widest <= room), steps[-1])
    values = [float(v) for v in np.arange(np.ceil(first / step) * step, last + 1e-9, step)]
    return [v * unit for v in values], [words.digits(v) for v in values], name


def dot_key(text: str, colour: str) -> Key:
    """Key of small dots, such as `observed` draws."""

    def draw(sheet: Sheet, x: float, y: float) -> None:
        sheet.rule((x - 7, x, x + 7), (y - 1.5, y + 2, y - 0.5), colour, ls="none", marker="o", ms=4.2, mew=0)

    return Key(text, draw, 22)
