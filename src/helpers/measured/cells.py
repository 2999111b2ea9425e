"""Cells of a raw table, text or typed, as times and numbers; what cannot be read is a problem with its row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.raw_table import Problem, near

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Cells that say nothing; a missing count stays missing, it is not zero.
MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "NaT")
#: Problems that a message lists.
MOST_LISTED = 20
#: Problems of one kind that are kept; the others are counted.
_KEPT = 200
#: Beyond 2**53 a float no longer tells whole numbers apart.
MOST = 2.0**53
TIME = "a time such as 2025-03-05 14:00, 2025-03-05T14:00Z or 2025-03-05T15:00+01:00"
NUMBER = "a number without thousands separators, such as 1800, or an empty cell where it is missing"
_CLOCK = r"[T ][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2}(?:\.[0-9]{1,9})?)?)?"
_ZONE = r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
_TIME = re.compile(rf"[0-9]{{4}}-?[0-9]{{2}}-?[0-9]{{2}}(?:{_CLOCK}\s*{_ZONE}?)?")
_ZONED = re.compile(rf"[T ][0-9:.]+\s*{_ZONE}$")
# Seconds (or milliseconds) from 2001 to 2030: 2015100100 is an hour of 2015 to some, so it is nothing here.
_EPOCH = re.compile(r"1[0-8][0-9]{8}(?:[0-9]{3})?(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


class SeriesError(ValueError):
    """A table is no honest series as it stands.

    Attributes
    ----------
    problems : list of Problem
        What was found, in the order of the rows; the message lists the first of them.
    """

    def __init__(self, problems: Sequence[Problem], unlisted: int = 0) -> None:
        """Hold the problems, and list the first of them in the message; `unlisted` is how many more there are."""
        self.problems = sorted(problems, key=lambda problem: problem.row)
        found = len(problems) + unlisted
        count = f"{found:,} problem{'s' if found != 1 else ''} in {self.problems[0].file}"
        more = found - MOST_LISTED
        lines = [f"  {problem}" for problem in self.problems[:MOST_LISTED]]
        super().__init__("\n".join([count, *lines, *([f"  and {more:,} more"] if more > 0 else [])]))


@dataclass
class Problems:
    """What is wrong with one table, gathered before anything is said.

    Attributes
    ----------
    source : what the messages call the table.
    lines : line of the file for each row of the table, the header being 1.
    found : the problems so far.
    unlisted : how many more there are.
    """

    source: str
    lines: Ints
    found: list[Problem] = field(default_factory=list)
    unlisted: int = 0

    def whole(self, column: str, value: str, expected: str, row: int = 0) -> None:
        """Note a problem of the table as a whole or of its header."""
        self.found.append(Problem(self.source, row, column, value, expected))

    def rows(self, column: str, cells: pd.Series, rows: Ints, expected: str | Iterator[str]) -> None:
        """Note a problem of each row (by position) in one column."""
        self.unlisted += max(len(rows) - _KEPT, 0)
        for row in rows[:_KEPT]:
            said = expected if isinstance(expected, str) else next(expected)
            self.found.append(Problem(self.source, int(self.lines[row]), column, said_cell(cells.iloc[row]), said))

    def check(self) -> None:
        """Raise SeriesError if anything was noted."""
        if self.found:
            raise SeriesError(self.found, self.unlisted)


def said_cell(cell: object) -> str:
    """Return a cell as a message quotes it."""
    return "" if cell is None or cell is pd.NaT or cell is pd.NA or cell != cell else str(cell).strip()


def lines_of(table: pd.DataFrame) -> Ints:
    """Return the line of the file for each row: the index where a reader named it "line", else position + 2."""
    if table.index.name == "line":
        return np.asarray(table.index, dtype=np.int64)
    return np.arange(2, len(table) + 2, dtype=np.int64)


def column(table: pd.DataFrame, name: str, problems: Problems) -> pd.Series | None:
    """Return a column, or note that it is missing or there twice."""
    there = [str(other) for other in table.columns]
    if there.count(name) == 1:
        return table.iloc[:, there.index(name)]
    listed = ", ".join(there[:MOST_LISTED]) + (", ..." if len(there) > MOST_LISTED else "")
    if name in there:
        problems.whole("", name, "each column once in the header", 1)
    else:
        problems.whole("", name, f"a column of the table: {listed or 'it has none'}{near(name, there)}", 1)
    return None


@dataclass(frozen=True)
class Times:
    """A column of times.

    Attributes
    ----------
    utc : (n,) int64, microseconds since 1970 in UTC; 0 where not readable.
    local : (n,) int64, the same as the clock on the wall showed it.
    good : (n,) bool, whether it could be read.
    zoned : (n,) bool, whether the cell carries a zone.
    epoch : whether the column counts seconds or milliseconds since 1970.
    """

    utc: Ints
    local: Ints
    good: Bools
    zoned: Bools
    epoch: bool = False


def read_times(cells: pd.Series) -> Times:
    """Read a column of times, typed or ISO 8601 text or seconds (or milliseconds) since 1970.

    A day-month order is not guessed: 03/04/2025 cannot be read.
    """
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        local = None if str(cells.dt.tz) == "UTC" else cells.dt.tz_localize(None)
        return _typed(cells.dt.tz_convert("UTC").dt.tz_localize(None), local, zoned=True)
    if pd.api.types.is_datetime64_dtype(cells.dtype):
        return _typed(cells, None, zoned=False)
    text = _text(cells)
    # Long tables say the same times for every series: each different text is read once.
    codes, different = pd.factorize(text)
    found = pd.Series(different, dtype="str").str.replace(r"\s*UTC$", "Z", regex=True)
    epoch = found.str.fullmatch(_EPOCH).to_numpy(dtype=bool)
    if epoch.any() and (epoch | (found == "").to_numpy()).all():
        number = found.str.replace(r"\.0+$", "", regex=True).where(epoch, "0")
        utc = number.astype("int64").to_numpy() * np.where(number.str.len() == 13, 1000, 1_000_000)
        return Times(utc[codes], utc[codes], epoch[codes], epoch[codes], epoch=True)
    form = found.str.fullmatch(_TIME)
    found = found.where(form, "")
    zoned = found.str.contains(_ZONED).to_numpy(dtype=bool)
    bare = found.str.replace(rf"\s*{_ZONE}$", "", regex=True).where(zoned, found)
    utc, good = _microseconds(found)
    local, _ = _microseconds(bare)
    return Times(utc[codes], local[codes], good[codes], zoned[codes])


def _typed(utc: pd.Series, local: pd.Series | None, *, zoned: bool) -> Times:
    whole = _whole(utc)
    return Times(whole, whole if local is None else _whole(local), utc.notna().to_numpy(), np.full(len(utc), zoned))


def _microseconds(text: pd.Series) -> tuple[Ints, Bools]:
    times = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
    return _whole(times.dt.tz_localize(None)), times.notna().to_numpy()


def _whole(times: pd.Series) -> Ints:
    values: Ints = np.array(times.dt.as_unit("us").to_numpy(), dtype=np.int64)
    values[times.isna().to_numpy()] = 0
    return values


def _text(cells: pd.Series) -> pd.Series:
    if isinstance(cells.dtype, pd.StringDtype):
        return cells.fillna("").str.strip()
    missing = cells.isna()
    return cells.astype(object).where(~missing, "").map(str).astype("str").str.strip()


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    Attributes
    ----------
    found : (n,) float64, NaN where missing or not readable.
    wrong : (n,) bool, where something stands that is no finite number.
    """

    found: Floats
    wrong: Bools


def read_numbers(cells: pd.Series) -> Numbers:
    """Read a column of numbers, typed or text; empty cells and `MISSING` are NaN."""
    typed = cells.dtype
    if pd.api.types.is_bool_dtype(typed) or pd.api.types.is_complex_dtype(typed):
        return Numbers(np.full(len(cells), np.nan), np.ones(len(cells), bool))
    if pd.api.types.is_numeric_dtype(typed):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        infinite = np.isinf(values)
        return Numbers(np.where(infinite, np.nan, values), infinite)
    text = _text(cells)
    readable = text.str.fullmatch(_NUMBER).to_numpy(dtype=bool)
    values = pd.to_numeric(text.where(readable, "nan"), errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~text.isin(MISSING).to_numpy() & ~(readable & np.isfinite(values))
    return Numbers(np.where(wrong, np.nan, values), wrong)
