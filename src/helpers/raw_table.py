"""A CSV file as rows of text: its bytes, lines and columns, and everything that is wrong with them."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

#: A cell of so many characters is hardly ever said twice.
_REPEATED = 24
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
    numbers, ragged = [], 0
    columns: list[list[str]] = [[] for _ in names]
    known: dict[str, str] = {}
    for number, cells in lines:
        if len(cells) == len(names):
            numbers.append(number)
            for column, cell in zip(columns, cells, strict=True):
                # Short cells mostly say what another said already: kept once, a long history takes half the memory.
                column.append(known.setdefault(cell, cell) if len(cell) < _REPEATED else cell)
        else:
            ragged += 1
            count = f"{len(cells)} field{'s' if len(cells) != 1 else ''}"
            table.add(number, "", count, f"{len(names)} fields, as the header has")
    del known, data, lines
    index = pd.Index(numbers, dtype="int64")
    found = {}
    for name, place in header.items():
        found[name] = pd.Series(columns[place], index=index, dtype="str")
        columns[place] = []
    table.cells = pd.DataFrame(found, index=index)
    # A row that is not whole may hold an id that others refer to: those are not wrong.
    table.known = fields[0] in header and not ragged and not table.problems
    _check_text(table)
    return table


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


def _check_text(table: RawTable) -> None:
    for column in map(str, table.cells):
        # Printable text without blanks at its ends is good; what is not is looked at more closely.
        odd = {
            value for value in set(table.cells[column].tolist()) if not value.isprintable() or value != value.strip()
        }
        for row, value in table.column(column) if odd else ():
            if value in odd and _CONTROL.search(value):
                table.add(row, column, value, "one line of text without control characters")
            elif value in odd and value != value.strip():
                table.add(row, column, value, "no blanks before or after the text")


def near(value: str, known: Iterable[str]) -> str:
    """Return a hint at the known text that is most like the value; empty where none is."""
    close = difflib.get_close_matches(value, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
