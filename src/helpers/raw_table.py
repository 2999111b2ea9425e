"""A CSV file as rows of text: its bytes, lines and columns, and everything that is wrong with them."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.csv as arrow_csv  # type: ignore[import-untyped]

#: Rows that are Python's own text at one time.
_AT_ONCE = 1000
_TEXT = pa.large_string()
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Problem:
    """One thing wrong in the tables.

    Attributes
    ----------
    file : name of the file, "outages.csv".
    row : line as an editor shows it, the header being 1; 0 where the whole file is meant.
    column : name of the column; empty where the whole row is meant.
    value : what stands there.
    expected : what should.
    """

    file: str
    row: int
    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        """Write the problem as one line, with a long value cut short."""
        where = ", ".join(
            [self.file, *([f"row {self.row}"] if self.row else []), *([self.column] if self.column else [])]
        )
        value = self.value if len(self.value) <= 80 else self.value[:77] + "..."
        return f"{where}: {value!r}, expected {self.expected}"


@dataclass
class RawTable:
    """A table as read: cells of text, indexed by line, and what was wrong with its form."""

    name: str
    cells: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)
    known: bool = True  # its ids are to be trusted, so references into it can be checked

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.name}.csv"

    def column(self, name: str) -> Iterator[tuple[int, str]]:
        """Yield the line and the text of each cell of a column."""
        yield from zip(self.cells.index.tolist(), self.cells[name].tolist(), strict=True)

    def add(self, row: int, column: str, value: str, expected: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.file, row, column, value, expected))


def read(path: Path, name: str, fields: list[str]) -> RawTable:
    """Read the rows of a file that have as many cells as its header; what is wrong is in the table's problems.

    Parameters
    ----------
    path : Path
        The file; one that is missing or cannot be read is a problem like any other.
    name : str
        Name of the table.
    fields : list of str
        Columns it should have; others are left out.
    """
    table = RawTable(name, pd.DataFrame(columns=fields, dtype="str"), known=False)
    try:
        data = path.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        table.add(0, "", "no such file" if missing else (error.strerror or "cannot be read"), f"a file {path}")
        return table
    data = _utf8(table, data)
    if not data.strip():
        table.add(1, "", "", f"a header: {','.join(fields)}")
        return table
    lines = _records(table, data)
    first = next(lines, None)
    if first is None:
        return table
    names = first[1]
    header = _check_header(table, names, fields)
    whole = _well_formed(data, names)
    index, columns, ragged = _by_row(table, lines, names) if whole is None else (*whole, 0)
    text = {name: columns[at] for name, at in header.items()}
    table.cells = pd.DataFrame({name: pd.Series(cells, index, "str") for name, cells in text.items()}, index=index)
    # A row that is not whole may hold an id that others refer to: those are not wrong.
    table.known = fields[0] in header and not ragged and not table.problems
    for column, cells in text.items():
        table.problems += _odd_text(table.file, column, index, cells)
    return table


def _well_formed(data: bytes, names: list[str]) -> tuple[pd.Index, list[pa.ChunkedArray]] | None:
    """Read a file at once if each line is one row with as many cells as the header, and quotes stand where they may.

    Arrow, six times as quick as Python's reader, forgives what the other reports; so None where a quotation mark
    neither opens nor closes a field, where a row is ragged, empty or of several lines, where a line ends in a carriage
    return alone, or a cell is longer than Python's reader takes.
    """
    if len(set(names)) < len(names) or data.count(b"\r") != data.count(b"\r\n"):
        return None
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    opens, closes = text[quotes[::2] - 1], text[(quotes[1::2] + 1).clip(max=len(text) - 1)]
    if len(opens) > len(closes):
        return None
    if not (np.isin(opens, list(b',"\n')).all() and np.isin(closes, list(b',"\r\n')).all()):
        return None
    try:
        read = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(use_threads=False),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, _TEXT)),
        )
    except pa.ArrowInvalid:
        return None
    longest = max((pc.max(pc.binary_length(cells)).as_py() or 0 for cells in read.columns), default=0)
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    # Empty lines are skipped, so that there are fewer rows.
    if len(read) + 1 < lines or longest > csv.field_size_limit():
        return None
    return pd.RangeIndex(2, lines + 1), read.columns


def _by_row(
    table: RawTable, lines: Iterator[tuple[int, list[str]]], names: list[str]
) -> tuple[pd.Index, list[pa.ChunkedArray], int]:
    """Return the lines and columns of the rows that are whole, and how many are not; those are noted."""
    numbers: list[int] = []
    parts: list[list[pa.Array]] = []
    ragged = 0
    # Some rows at a time: as Python's own text a long history takes several times as much memory.
    while some := list(islice(lines, _AT_ONCE)):
        good = {number: cells for number, cells in some if len(cells) == len(names)}
        for number, cells in some:
            if number not in good:
                ragged += 1
                count = f"{len(cells)} field{'s' if len(cells) != 1 else ''}"
                table.add(number, "", count, f"{len(names)} fields, as the header has")
        columns = list(zip(*good.values(), strict=True)) or [()] * len(names)
        parts.append([pa.array(cells, _TEXT) for cells in columns])
        numbers += good
    columns = [pa.chunked_array([part[at] for part in parts], _TEXT) for at in range(len(names))]
    return pd.Index(numbers, dtype="int64"), columns, ragged


def _utf8(table: RawTable, data: bytes) -> bytes:
    """Return the bytes as good UTF-8 without a byte order mark."""
    if data.startswith(b"\xef\xbb\xbf"):
        table.add(1, "", "a byte order mark", "UTF-8 without one")
        data = data[3:]
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        table.add(row, "", repr(data[error.start : error.end])[2:-1], "text in UTF-8")
        return data.decode("utf-8", errors="replace").encode()
    return data


def _records(table: RawTable, data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line it begins on."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            # csv gives an empty list for an empty line.
            yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        table.add(start, "", str(error), "a comma between fields, and a closing quotation mark for each opening one")


def _check_header(table: RawTable, header: list[str], fields: list[str]) -> dict[str, int]:
    """Return the position of each known column."""
    found: dict[str, int] = {}
    for position, name in enumerate(header):
        if name in found:
            table.add(1, name, name, "each column once")
        elif name in fields:
            found[name] = position
        else:
            table.add(1, name, name, "no such column" + near(name, fields))
    for name in fields:
        if name not in found:
            table.add(1, name, "no such column", f"a column {name}")
    return found


def _odd_text(file: str, column: str, rows: pd.Index, cells: pa.ChunkedArray) -> Iterator[Problem]:
    # Printable text without blanks at its ends is good; what is not is looked at more closely.
    fine = pc.and_(pc.utf8_is_printable(cells), pc.equal(cells, pc.utf8_trim_whitespace(cells)))
    for at in np.flatnonzero(~fine.to_numpy()):
        cell = cells[at].as_py()
        if _CONTROL.search(cell):
            yield Problem(file, int(rows[at]), column, cell, "one line of text without control characters")
        elif cell != cell.strip():
            yield Problem(file, int(rows[at]), column, cell, "no blanks before or after the text")


def near(value: str, known: Iterable[str]) -> str:
    """Return a hint at the known text that is most like the value; empty where none is."""
    close = difflib.get_close_matches(value, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
