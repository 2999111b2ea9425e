"""A long table of counts as regular series: one common step, gaps as missing, faults kept by series.

The table is read in slices, so that a table of millions of rows never exists twice; what remains of it is one flat
array of counts and where each series lies in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.measured import cells, grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
SLICE = 1_000_000
#: Steps a series may span for each of its counts, beyond a thousand: one year typed wrong must not fill the memory.
MOST_SPAN, SHORT = 4, 1000
NO_NAME = "(no name)"


class PanelError(ValueError):
    """A table or a request that no panel can be made of."""


class Fault(NamedTuple):
    """Why a series cannot be measured: code for counting, reason in words."""

    code: str
    reason: str


@dataclass(frozen=True)
class Panel:
    """Regular series, end to end in one array.

    Attributes
    ----------
    names : (n,) names, in the order in which the series first appear.
    step : time between steps.
    phase : time of day, or of the week, at which steps begin: position 0 is 1970-01-01 UTC plus this.
    first : (n,) position of each series' first step.
    offsets : (n + 1,) where each series begins in `counts`; a series with a fault is empty.
    counts : counts, NaN where missing.
    faults : by series, as its place in `names`.
    """

    names: tuple[str, ...]
    step: pd.Timedelta
    phase: pd.Timedelta
    first: Ints
    offsets: Ints
    counts: Floats
    faults: dict[int, Fault]

    def series(self, number: int) -> pd.Series:
        """Return one series by its UTC times."""
        values = self.counts[self.offsets[number] : self.offsets[number + 1]]
        return regular(values, int(self.first[number]), self.step, self.phase)


def regular(values: Floats, first: int, step: pd.Timedelta, phase: pd.Timedelta) -> pd.Series:
    """Return counts as a Series by UTC times, one a step from position `first` on."""
    start = pd.Timestamp(0, unit="us", tz="UTC") + phase + first * step
    return pd.Series(values, index=pd.date_range(start, periods=len(values), freq=step, unit="us"))


def gather(
    table: pd.DataFrame | Iterable[pd.DataFrame],
    columns: tuple[str, str, str] = ("series", "time", "count"),
    every: pd.Timedelta | None = None,
    fractional: bool = False,
) -> Panel:
    """Make a long table regular.

    Parameters
    ----------
    table : DataFrame, or several that follow each other
        One row a count. Times without a zone are UTC. Rows are named in faults by their line in the file, the header
        being 1 (`cells.lines_of`).
    columns : names of the columns of series, time and count.
    every : Timedelta, optional
        The step; by default the most frequent time between neighbouring counts of a series.
    fractional : bool
        Whether values between whole numbers are right.

    Raises
    ------
    PanelError
        If a column is missing, there is no row, or no step between a minute and a week can be told.
    """
    gathered = _Gathered(every, fractional)
    base = 2
    for piece in _pieces(table):
        gathered.add(piece, columns, base)
        base += len(piece)
    return gathered.panel()


def _pieces(table: pd.DataFrame | Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for whole in [table] if isinstance(table, pd.DataFrame) else table:
        for begin in range(0, len(whole), SLICE):
            yield whole.iloc[begin : begin + SLICE]


class _Rows(NamedTuple):
    """Rows of one slice: series, time (microseconds since 1970 UTC), count, line of the file."""

    series: Ints
    time: Ints
    value: Floats
    line: range | Ints


@dataclass
class _Gathered:
    every: pd.Timedelta | None
    fractional: bool
    names: dict[str, int] = field(default_factory=dict)
    rows: list[_Rows] = field(default_factory=list)
    faults: dict[int, Fault] = field(default_factory=dict)
    more: dict[int, int] = field(default_factory=dict)

    def add(self, piece: pd.DataFrame, columns: tuple[str, str, str], base: int) -> None:
        """Take in a slice whose first row is on line `base`, unless its index says otherwise."""
        for name in columns:
            if list(piece.columns).count(name) != 1:
                raise PanelError(f"column {name!r}: expected once in the table, which has {', '.join(map(str, piece))}")
        label, when, value = (piece[name] for name in columns)
        line = cells.lines_of(piece) if piece.index.name == "line" else range(base, base + len(piece))
        codes, labels = pd.factorize(label)
        known = [self.names.setdefault(str(one), len(self.names)) for one in labels]
        if (codes < 0).any():
            known.append(self.names.setdefault(NO_NAME, len(self.names)))
        series = np.asarray(known, dtype=np.int64)[codes]
        times, numbers = cells.read_times(when), cells.read_numbers(value)
        counts = numbers.found
        self._fault(series, codes < 0, "no_name", line, label, "is no name of a series")
        self._fault(series, ~times.good, "bad_time", line, when, f"is no time; expected {cells.TIME}")
        self._fault(series, numbers.wrong, "bad_count", line, value, "is no count; expected a number of at least 0")
        self._fault(series, counts < 0, "bad_count", line, value, "is negative; expected a count of at least 0")
        if not self.fractional:
            parts = np.isfinite(counts) & (counts % 1 != 0)
            self._fault(series, parts, "bad_count", line, value, "is not a whole number; measures need fractional=True")
        good = times.good & (codes >= 0)
        if good.all():
            self.rows.append(_Rows(series, times.utc, counts, line))
        else:
            self.rows.append(_Rows(series[good], times.utc[good], counts[good], np.asarray(line)[good]))

    def _fault(self, series: Ints, wrong: Bools, code: str, line: range | Ints, cell: pd.Series, said: str) -> None:
        """Keep the first fault of each series, and how many more rows have one."""
        rows = np.flatnonzero(wrong)
        if not len(rows):
            return
        which, at, number = np.unique(series[rows], return_index=True, return_counts=True)
        for one, row, count in zip(which, rows[at], number, strict=True):
            self.note(int(one), code, f"row {line[row]}: {cell.name} {cells.said_cell(cell.iloc[row])!r} {said}", count)

    def note(self, series: int, code: str, reason: str, count: int = 1) -> None:
        """Keep a fault if it is the first of its series; count it otherwise."""
        if series not in self.faults:
            self.faults[series], count = Fault(code, reason), count - 1
        self.more[series] = self.more.get(series, 0) + int(count)

    def panel(self) -> Panel:
        if not any(len(rows.series) for rows in self.rows):
            raise PanelError("no row with a series and a time: there is nothing to measure")
        step, phase = _steps(self.rows, self.every)
        wide = step // pd.Timedelta(microseconds=1)
        shift = phase // pd.Timedelta(microseconds=1)
        first, last, number = self._spans(wide, shift)
        length = np.where(number > 0, last - first + 1, 0)
        for one in np.flatnonzero(length > SHORT + MOST_SPAN * number):
            self.note(
                int(one),
                "too_broken",
                f"{number[one]} counts are spread over {length[one]:,} steps of {grid.said(wide)}",
            )
        length[list(self.faults)] = 0
        offsets = np.concatenate([[0], np.cumsum(length)])
        values = self._filled(first, offsets, wide, shift)
        twice = [one for one in self.faults if length[one]]
        if twice:  # two counts at one time were only found on the way
            values = values[~np.repeat(np.isin(np.arange(len(length)), twice), length)]
            length[twice] = 0
            offsets = np.concatenate([[0], np.cumsum(length)])
        said = {one: self._said(one) for one in sorted(self.faults)}
        return Panel(tuple(self.names), step, phase, np.where(length > 0, first, 0), offsets, values, said)

    def _spans(self, wide: int, shift: int) -> tuple[Ints, Ints, Ints]:
        """Return first and last position and number of counts of each series, noting rows between two steps."""
        n = len(self.names)
        first, last = np.full(n, np.iinfo(np.int64).max), np.full(n, np.iinfo(np.int64).min)
        number = np.zeros(n, dtype=np.int64)
        start = grid.said_moment(shift)[11:]
        for rows in self.rows:
            position, rest = np.divmod(rows.time - shift, wide)
            for row in np.flatnonzero(rest):
                when = grid.said_moment(rows.time[row])
                said = f"time {when} lies between the steps of the panel, {grid.said(wide)} from {start} UTC"
                self.note(int(rows.series[row]), "bad_time", f"row {rows.line[row]}: {said}")
            np.minimum.at(first, rows.series, position)
            np.maximum.at(last, rows.series, position)
            number += np.bincount(rows.series, minlength=n)
        return np.where(number > 0, first, 0), np.where(number > 0, last, 0), number

    def _filled(self, first: Ints, offsets: Ints, wide: int, shift: int) -> Floats:
        values = np.full(int(offsets[-1]), np.nan)
        taken = np.zeros(len(values), dtype=bool)
        empty = np.diff(offsets) == 0
        while self.rows:
            rows = self.rows.pop(0)  # what has been filled in is not kept
            place = offsets[rows.series] + (rows.time - shift) // wide - first[rows.series]
            keep = ~empty[rows.series]
            here = np.flatnonzero(keep)
            place = place[here]
            order = np.argsort(place, kind="stable")
            again = np.zeros(len(place), dtype=bool)
            again[order[1:]] = place[order[1:]] == place[order[:-1]]
            again |= taken[place]
            for row in here[again]:
                when = grid.said_moment(rows.time[row])
                said = f"row {rows.line[row]}: a second count ({rows.value[row]:g}) at {when} UTC"
                self.note(int(rows.series[row]), "duplicate_time", said)
            values[place] = rows.value[here]
            taken[place] = True
        return values

    def _said(self, series: int) -> Fault:
        code, reason = self.faults[series]
        more = self.more.get(series, 0)
        return Fault(code, f"{reason} (and {more:,} more row{'s' if more > 1 else ''})" if more else reason)


def _steps(slices: Sequence[_Rows], every: pd.Timedelta | None) -> tuple[pd.Timedelta, pd.Timedelta]:
    """Return step and phase: the most frequent ones, so that a few odd rows do not move everybody."""
    wide = 0 if every is None else every // pd.Timedelta(microseconds=1)
    for rows in slices:
        if wide:
            break
        order = np.lexsort((rows.time, rows.series))
        apart = np.diff(rows.time[order])
        apart = apart[(np.diff(rows.series[order]) == 0) & (apart > 0)]
        wide = _most_frequent(apart) if len(apart) else 0
    if not wide:
        raise PanelError("no series has two counts at different times: the step cannot be told; say it with every=")
    step = pd.Timedelta(microseconds=wide)
    if not grid.MINUTE <= wide <= grid.WEEK:
        raise PanelError(f"counts are {grid.said(wide)} apart; expected regular steps of a minute to a week")
    times = next(rows.time for rows in slices if len(rows.time))
    return step, pd.Timedelta(microseconds=grid.phase_of(times, wide))


def _most_frequent(values: Ints) -> int:
    found, number = np.unique(values, return_counts=True)
    return int(found[number.argmax()])
