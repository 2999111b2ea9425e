"""Rows of a table as times and numbers: read, put into order, on a grid, one for each time; each change is asked for.

A problem is noted with its row, its value and the ``fix`` that would put it right; nothing is raised here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers import words
from helpers.measured import grid
from helpers.measured.cells import MOST, NUMBER, TIME, Bools, Floats, Ints, Problems, Times, read_numbers, read_times

#: Offsets of one zone differ by so much over a year, at most.
_SAVING = 2 * grid.HOUR


@dataclass(frozen=True)
class Rows:
    """Rows whose time can be read.

    Attributes
    ----------
    places : (n,) int64, position in the table.
    times : (n,) int64, microseconds since 1970 in UTC.
    numbers : (n, 1 + k) float64: counts, then controls; NaN where missing.
    cells : the column of times, as read from the file.
    """

    places: Ints
    times: Ints
    numbers: Floats
    cells: pd.Series

    @property
    def column(self) -> str:
        """Name of the column of times."""
        return str(self.cells.name)

    def take(self, chosen: Ints | Bools) -> Rows:
        """Return some of the rows, or all in another order."""
        return Rows(self.places[chosen], self.times[chosen], self.numbers[chosen], self.cells)


def read(
    time_cells: pd.Series, cells: Mapping[str, pd.Series], fractional: bool, problems: Problems, notes: list[str]
) -> Rows:
    """Read all cells: the first of `cells` holds counts, the others controls."""
    times = read_times(time_cells)
    check_times(times, time_cells, problems, notes)
    name, *controls = cells
    counts = read_numbers(cells[name])
    problems.rows(name, cells[name], np.flatnonzero(counts.wrong), NUMBER)
    _check_counts(name, cells[name], counts.found, fractional, problems)
    columns = [counts.found]
    for control in controls:
        numbers = read_numbers(cells[control])
        problems.rows(control, cells[control], np.flatnonzero(numbers.wrong), NUMBER)
        holes = np.isnan(numbers.found) & ~np.isnan(counts.found) & ~numbers.wrong
        said = "a number wherever there is a count: a control with holes cannot be used"
        problems.rows(control, cells[control], np.flatnonzero(holes), said)
        columns.append(numbers.found)
    places = np.flatnonzero(times.good)
    moments = days(times, notes) if len(places) else times.utc
    return Rows(places, moments[places], np.column_stack(columns)[places], time_cells)


def check_times(times: Times, cells: pd.Series, problems: Problems, notes: list[str]) -> None:
    """Note the times that cannot be read, and those with a zone among those without."""
    name = str(cells.name)
    problems.rows(name, cells, np.flatnonzero(~times.good), TIME)
    zoned, naive = times.good & times.zoned, times.good & ~times.zoned
    if naive.any() and zoned.any():
        # The rarer kind is what is wrong, if anything can be told.
        few, kind = (naive, "with") if naive.sum() <= zoned.sum() else (zoned, "without")
        problems.rows(name, cells, np.flatnonzero(few), f"a time {kind} a zone, as the others are")
    elif naive.any():
        notes.append("The times carry no zone; they are read as UTC.")
    if times.epoch:
        notes.append("The times are seconds or milliseconds since 1970.")
    if not len(cells):
        problems.whole(name, "no rows", "at least one row")


def _check_counts(name: str, cells: pd.Series, counts: Floats, fractional: bool, problems: Problems) -> None:
    problems.rows(name, cells, np.flatnonzero(counts < 0), "a count, zero or more")
    problems.rows(name, cells, np.flatnonzero(counts >= MOST), "a count below 9e15, which a float holds exactly")
    broken = (counts >= 0) & (counts < MOST) & (counts % 1 != 0)
    if broken.any() and not fractional:
        said = "a whole number; fractional=True takes counts with a fraction"
        problems.rows(name, cells, np.flatnonzero(broken), said)


def days(times: Times, notes: list[str]) -> Ints:
    """Return the times in UTC, local midnights of a zone with summer time as midnights of their dates."""
    kept = times.good & times.zoned
    local, offsets = times.local[kept], (times.local - times.utc)[kept]
    spread = int(np.ptp(offsets)) if len(offsets) else 0
    if not (kept == times.good).all() or not 0 < spread <= _SAVING or (local % grid.DAY).any():
        return times.utc
    notes.append(
        "All times are midnight in a zone whose offset changes over the year; each day stands at 00:00 UTC of its "
        "date, and holds 23 or 25 hours where the clocks change."
    )
    return times.local


def in_order(rows: Rows, fixes: set[str], problems: Problems, notes: list[str]) -> Rows:
    """Return the rows in the order of their times; with no ``fix`` "sort", each step back is a problem."""
    back = np.flatnonzero(np.diff(rows.times) < 0) + 1
    if not len(back):
        return rows
    if "sort" in fixes:
        notes.append(f"fix sort: the rows were put into order; {_several(len(back), 'row')} stood below a later one.")
    else:
        lines = problems.lines[rows.places]
        said = (f'a time after that of row {lines[place - 1]}; fix="sort" puts the rows into order' for place in back)
        problems.rows(rows.column, rows.cells, rows.places[back], said)
    return rows.take(np.argsort(rows.times, kind="stable"))


def on_grid(rows: Rows, base: int, fixes: set[str], problems: Problems, notes: list[str]) -> Rows:
    """Return the rows with all times on a grid of `base` microseconds; off it, they need ``fix`` "snap"."""
    phase = grid.phase_of(np.unique(rows.times), base)
    off = np.flatnonzero(rows.times % base != phase)
    if not len(off):
        return rows
    if "snap" in fixes:
        moved = grid.snapped(rows.times, base)
        shifted = _several(int((moved != rows.times).sum()), "time")
        notes.append(f"fix snap: {shifted} moved to the nearest step of {grid.said(base)}.")
        return replace(rows, times=moved)
    if len(off) * 2 > len(rows.times):
        said = 'times at one regular distance; fix="snap" with every= moves them to the nearest step'
        said += ", cumulative=True reads running totals at any times"
        problems.whole(rows.column, f"{_several(len(off), 'time')} off any grid of {grid.said(base)}", said)
        return rows
    said_each = (
        f"{grid.said_moment(place)} or a whole number of steps of {grid.said(base)} from it; "
        'fix="snap" moves a time to the nearest step'
        for place in rows.times[off] - (rows.times[off] - phase) % base
    )
    problems.rows(rows.column, rows.cells, rows.places[off], said_each)
    return rows


def once(rows: Rows, fixes: set[str], problems: Problems, notes: list[str], *, totals: bool = False) -> Rows:
    """Return one row for each time; ``fix`` "drop_duplicates" and "sum_duplicates" say how, in this order.

    Running totals (`totals`) are never added up.
    """
    if "drop_duplicates" in fixes:
        repeated = pd.DataFrame(rows.numbers).assign(time=rows.times).duplicated().to_numpy()
        if repeated.any():
            many = _several(int(repeated.sum()), "row")
            notes.append(f"fix drop_duplicates: {many} that repeated another one exactly left out.")
            rows = rows.take(~repeated)
    new = np.diff(rows.times, prepend=rows.times[:1] - 1) != 0
    again = np.flatnonzero(~new)
    if not len(again):
        return rows
    if "sum_duplicates" not in fixes:
        problems.rows(rows.column, rows.cells, rows.places[again], _repeated(rows, new, problems.lines, totals))
        return rows
    first = np.flatnonzero(new)
    notes.append(f"fix sum_duplicates: {_several(len(again), 'row')} added to another one of the same time.")
    return replace(rows.take(first), numbers=np.add.reduceat(rows.numbers, first, axis=0))


def _repeated(rows: Rows, new: Bools, lines: Ints, totals: bool) -> Iterator[str]:
    first = np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))
    for place in np.flatnonzero(~new):
        one = first[place]
        same = np.array_equal(rows.numbers[one], rows.numbers[place], equal_nan=True)
        remedy = '; fix="drop_duplicates" leaves a repeated row out' if same else '; fix="sum_duplicates" adds them up'
        remedy = "" if totals and not same else remedy
        yield f"each time once, not that of row {lines[rows.places[one]]} again{remedy}"


def _several(count: int, what: str) -> str:
    return f"{words.digits(count)} {what}{'s' if count != 1 else ''}"
