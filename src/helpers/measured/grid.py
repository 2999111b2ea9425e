"""A regular grid of time: its step and phase as the times show them, and counts summed into coarser steps.

Times are int64 microseconds since 1970, in UTC.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from helpers import words
from helpers.measured.cells import Floats, Ints

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
#: Nearly ten years of minutes; a longer grid comes of a mistyped year.
MOST_STEPS = 5_000_000
STEPS = '"1min", "5min", "30min", "1h", "1D", "7D" or "1W"'
_STEP = re.compile(r"([1-9][0-9]{0,5})?\s*(min|h|d|w)", re.IGNORECASE)
_UNITS = {"min": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}


def step_of(every: str) -> pd.Timedelta:
    """Read the length of a step: "1min", "5min", "30min", "1h", "1D", "7D", "1W".

    Raises
    ------
    ValueError
        If it is not a regular step from a minute to a week; months are not regular.
    """
    form = _STEP.fullmatch(every.strip())
    length = int(form[1] or 1) * _UNITS[form[2].lower()] if form else 0
    if not MINUTE <= length <= WEEK:
        raise ValueError(f"a step from one minute to one week, such as {STEPS}")
    return pd.Timedelta(length, unit="us").as_unit("us")


def said(length: int) -> str:
    """Write a length in microseconds: "1 hour", "7 days"."""
    return "1 day" if length == DAY else words.duration(length / HOUR)


def said_moment(time: int) -> str:
    """Write a moment in UTC: "2025-03-05 14:00"."""
    moment = pd.Timestamp(int(time), unit="us")
    return f"{moment:%Y-%m-%d %H:%M}" if time % MINUTE == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


def usual_step(times: Ints) -> int:
    """Return the most common distance between sorted, different times; of equally common ones the shortest."""
    lengths, often = np.unique(np.diff(times), return_counts=True)
    return int(lengths[often.argmax()])


def phase_of(times: Ints, step: int) -> int:
    """Return where most times lie within a step; of equally common places that of the first time."""
    places = times % step
    found, first, often = np.unique(places, return_index=True, return_counts=True)
    return int(found[np.lexsort((first, -often))[0]])


def too_fine(times: Ints, step: int) -> int:
    """Return the coarser step on which sorted, different times all lie, or 0; three rows prove nothing."""
    if len(times) < 4:
        return 0
    common = int(np.gcd.reduce(np.diff(times)))
    return common if common >= 2 * step and common % step == 0 else 0


def snapped(times: Ints, step: int) -> Ints:
    """Round times to the nearest step: of the grid most of them lie on, else of the one through midnight UTC.

    Steps of more than a day begin with the day of the first time.
    """
    phase = phase_of(times, step)
    if (times % step == phase).mean() < 0.5:
        phase = int(times.min()) // DAY * DAY % step if DAY % step else 0
    rounded: Ints = (times - phase + step // 2) // step * step + phase
    return rounded


def placed(times: Ints, base: int, values: Floats) -> Floats:
    """Put rows (n, columns) on a grid from the first time to the last; steps without a row are NaN.

    Parameters
    ----------
    times : (n,) int64
        Sorted, different, all on one grid of `base`.
    base : int
        Length of the grid's step.
    values : (n, columns) float64

    Returns
    -------
    (steps, columns) float64
    """
    at = (times - times[0]) // base
    grid = np.full((int(at[-1]) + 1, values.shape[1]), np.nan)
    grid[at] = values
    return grid


def summed(start: int, base: int, step: int, values: Floats) -> tuple[int, Floats]:
    """Add steps up into longer ones; one with a missing part, at the edges as well, is missing.

    Steps of less than a day are counted from midnight UTC, longer ones from the first midnight of the data.

    Parameters
    ----------
    start : int
        Time of the first row.
    base, step : int
        Length of a step before and after, ``step`` a multiple of ``base``.
    values : (steps, columns) float64

    Returns
    -------
    start : int
        Time of the first longer step.
    values : (longer steps, columns) float64
    """
    anchor = start
    if DAY % base == 0:
        anchor = start // DAY * DAY + start % base
        anchor += DAY if step >= DAY and anchor < start else 0
    parts = step // base
    lead = (start - anchor) // base % parts
    trail = -(lead + len(values)) % parts
    padded = np.pad(values, ((lead, trail), (0, 0)), constant_values=np.nan)
    return start - lead * base, padded.reshape(-1, parts, values.shape[1]).sum(axis=1)
