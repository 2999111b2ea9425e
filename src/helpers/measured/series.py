"""From a table to a regular series; what is not honest to measure is refused, with its row and value."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import words
from helpers.measured import grid
from helpers.measured import rows as table_rows
from helpers.measured.cells import Floats, Ints, Problems, SeriesError, column, lines_of
from helpers.measured.rows import Rows
from helpers.raw_table import near

__all__ = ["FIXES", "Series", "SeriesError", "regular"]

#: What may be put right when asked for, and only then.
FIXES = {
    "sort": "rows put into the order of their times",
    "drop_duplicates": "rows that repeat another one exactly left out",
    "sum_duplicates": "rows of one time added up",
    "snap": "times off the grid moved to the nearest step",
    "fill_zero": "missing steps counted as zero",
}


@dataclass(frozen=True)
class Series:
    """Counts at a regular step.

    Attributes
    ----------
    counts : (n,) float64, NaN where missing; index: starts of the steps, DatetimeIndex in UTC, named "time".
    step : length of a step, a minute to a week.
    controls : (n, k) float64, the same index; no holes where the counts are present.
    source : what the data are called in messages.
    notes : what was assumed, changed or is missing, a sentence each.
    """

    counts: pd.Series
    step: pd.Timedelta
    controls: pd.DataFrame
    source: str
    notes: tuple[str, ...]


def regular(
    table: pd.DataFrame,
    time_column: str,
    value_column: str,
    every: str | None = None,
    controls: Sequence[str] = (),
    fix: Collection[str] = (),
    fractional: bool = False,
    source: str = "",
) -> Series:
    """Turn a table into a series of counts at a regular step, or say what is wrong with which row.

    Times without a zone are read as UTC; with offsets they are converted. Where all times are midnight in a zone
    whose offset changes over the year, each becomes 00:00 UTC of its date, so that days stay days. A step that is
    not in the table is missing, not zero.

    Parameters
    ----------
    table : DataFrame
        As read, text or typed; an index named "line" holds the lines of the file for messages.
    time_column, value_column : str
        Names of the columns of times (start of a step) and of counts.
    every : str, optional
        Length of a step, "1min" to "1W"; else the most common distance between times. When it is longer than that
        distance, counts and controls are added up; a step of which a part is missing is missing. Added-up steps of
        less than a day start at midnight UTC, longer ones at the first midnight of the data.
    controls : sequence of str
        Columns of what the outage cannot have touched; they may hold any number.
    fix : collection of str
        Names from `FIXES`.
    fractional : bool
        Whether counts with a fraction are meant.
    source : str
        What to call the table in messages.

    Raises
    ------
    SeriesError
        If the table is not an honest series; the message has a line for every problem, up to twenty.
    """
    problems = Problems(source or "the table", lines_of(table))
    fixes = checked_fixes(fix, problems)
    asked = checked_step(every, problems)
    time_cells = column(table, time_column, problems)
    names = [value_column, *dict.fromkeys(controls)]
    cells = [column(table, name, problems) for name in names]
    if time_column in names or value_column in names[1:]:
        problems.whole("", ", ".join([time_column, *names]), "a column of its own for times, counts and each control")
    problems.check()
    notes: list[str] = []
    rows = table_rows.read(time_cells, dict(zip(names, cells, strict=True)), fractional, problems, notes)
    # A grid through some of the times only would blame the wrong rows.
    unread = any(problem.column == time_column for problem in problems.found)
    rows = table_rows.in_order(rows, fixes, problems, notes)
    base, step = (0, 0) if unread else _steps(np.unique(rows.times), asked, fixes, problems)
    if base:
        rows = table_rows.on_grid(rows, base, fixes, problems, notes)
    rows = table_rows.once(rows, fixes, problems, notes)
    problems.check()
    start, numbers = _filled(rows, base, value_column, fixes, problems, notes)
    if step > base:
        start, numbers = _summed(start, base, step, numbers, notes)
    if np.isnan(numbers[:, 0]).all():
        whole = "" if step == base else f" for a whole step of {grid.said(step)}"
        problems.whole(value_column, "", f"at least one count{whole}")
    problems.check()
    length = pd.Timedelta(step, unit="us")
    first = pd.Timestamp(start, unit="us", tz="UTC")
    index = pd.date_range(first, periods=len(numbers), freq=length, unit="us", name="time")
    counts = pd.Series(numbers[:, 0], index, name=value_column)
    return Series(counts, length, pd.DataFrame(numbers[:, 1:], index, names[1:]), problems.source, tuple(notes))


def checked_fixes(fix: Collection[str], problems: Problems) -> set[str]:
    """Return the names of `FIXES` asked for; one that is unknown is a problem."""
    asked = fix.replace(",", " ").split() if isinstance(fix, str) else [str(name) for name in fix]
    for name in asked:
        if name not in FIXES:
            problems.whole("fix", name, f"one of {', '.join(FIXES)}{near(name, FIXES)}")
    return set(asked)


def checked_step(every: str | None, problems: Problems) -> int:
    """Return the step asked for in microseconds, 0 for the one the times have; one that is unknown is a problem."""
    if every is None or not every.strip():
        return 0
    try:
        return int(grid.step_of(every) // pd.Timedelta(1, "us"))
    except ValueError as error:
        problems.whole("every", every, str(error))
        return 0


def _steps(times: Ints, asked: int, fixes: set[str], problems: Problems) -> tuple[int, int]:
    """Return the step of the rows and that of the series; both 0 where they are a problem."""
    if len(times) < 2:
        if not asked:
            problems.whole("every", "", f"a step such as {grid.STEPS}, as a single time shows none")
        return asked, asked
    usual = grid.usual_step(times)
    if not asked and "snap" in fixes:
        problems.whole("every", "", f'a step such as {grid.STEPS} with fix="snap"')
    elif not asked and not grid.MINUTE <= usual <= grid.WEEK:
        said = f"steps from one minute to one week; the most common distance between times is {grid.said(usual)}"
        problems.whole("every", "", said + (f"; {grid.STEPS} adds them up" if usual < grid.MINUTE else ""))
    elif usual * 4 < asked * 3:  # well below: not a step with some jitter
        if asked % usual == 0:
            return _in_reach(times, usual, problems), asked
        said = f"a whole number of the steps of the rows, {grid.said(usual)}"
        problems.whole("every", grid.said(asked), said)
    elif asked and (coarser := grid.too_fine(times, asked)):
        problems.whole("every", grid.said(asked), f"{grid.said(coarser)} or more, the distance between the rows")
    else:
        return _in_reach(times, asked or usual, problems), asked or usual
    return 0, 0


def _in_reach(times: Ints, base: int, problems: Problems) -> int:
    steps = int(times[-1] - times[0]) // base + 1
    if steps <= grid.MOST_STEPS:
        return base
    ends = f"{grid.said_moment(times[0])} to {grid.said_moment(times[-1])}"
    said = f"at most {grid.MOST_STEPS:,} steps, not {steps:,} of {grid.said(base)}; is a year mistyped?"
    problems.whole("", ends, said)
    return 0


def _filled(
    rows: Rows, base: int, name: str, fixes: set[str], problems: Problems, notes: list[str]
) -> tuple[int, Floats]:
    """Put the rows on their grid, and say what is missing."""
    start = int(rows.times[0])
    numbers = grid.placed(rows.times, base, rows.numbers)
    missing = np.isnan(numbers[:, 0])
    if not missing.any():
        return start, numbers
    many = f"{words.digits(int(missing.sum()))} of {words.digits(len(numbers))} steps of {grid.said(base)}"
    if "fill_zero" not in fixes:
        notes.append(f"Missing: {many}; they stay missing, not zero.")
        return start, numbers
    notes.append(f"fix fill_zero: {many} were missing and count as zero.")
    # Where no row is, there are no controls either; an empty control beside an empty count stays a hole.
    absent = np.ones(len(numbers), bool)
    absent[(rows.times - start) // base] = False
    numbers[absent] = 0.0
    numbers[missing, 0] = 0.0
    if np.isnan(numbers).any():
        problems.whole(name, "", "a number in each control wherever an empty count is filled with zero")
    return start, numbers


def _summed(start: int, base: int, step: int, numbers: Floats, notes: list[str]) -> tuple[int, Floats]:
    start, longer = grid.summed(start, base, step, numbers)
    notes.append(f"Steps of {grid.said(base)} were added up into steps of {grid.said(step)}, in UTC.")
    if missing := int(np.isnan(longer[:, 0]).sum()):
        many = f"{words.digits(missing)} of {words.digits(len(longer))} steps of {grid.said(step)}"
        notes.append(f"Missing: {many}, as they are only partly covered.")
    return start, longer
