"""The evidence tables: reading them, typing them, and finding everything that is wrong with them."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from helpers import schemas

TABLES = ("outages", "growth_figures", "baselines", "services", "sources")
ROOT = Path(__file__).resolve().parents[2]

#: Columns whose plain date names the last day of a span, not its first.
ENDS = ("end_utc", "window_end_utc")
_DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d(?:T\d\d:\d\dZ)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: Enough to see a pattern; a column of junk would otherwise cost a search per cell.
_HINTS = 20


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


class EvidenceError(ValueError):
    """The tables cannot be used as they are.

    Attributes
    ----------
    problems : list of Problem
        Every one that was found.
    """

    def __init__(self, problems: list[Problem]) -> None:
        """Hold the problems, and list them in the message."""
        self.problems = problems
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''} in the evidence tables"
        super().__init__("\n".join([count, *(f"  {problem}" for problem in problems)]))


@dataclass(frozen=True)
class Evidence:
    """The five tables, typed.

    Text is `str` and empty where nothing is published; numbers are float64 or Int64 and missing there. Times
    are datetime64[us, UTC]: a plain date starts at 00:00 and ends at 00:00 of the next day. Several values in
    one cell stay one text, separated by ";".

    Attributes
    ----------
    outages : one row an event, key `outage_id`.
    growth_figures : one row a published figure, key `figure_id`.
    baselines : one row a usual level, key `baseline_id`.
    services : one row a service or group of services, key `service_id`.
    sources : one row a page, key `source_id`.
    """

    outages: pd.DataFrame
    growth_figures: pd.DataFrame
    baselines: pd.DataFrame
    services: pd.DataFrame
    sources: pd.DataFrame


@dataclass
class _Table:
    """A table as read: cells of text, indexed by line, and what was wrong with its form."""

    name: str
    cells: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)
    known: bool = True  # its ids are to be trusted, so references into it can be checked

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    def column(self, name: str) -> Iterator[tuple[int, str]]:
        """Yield the line and the text of each cell of a column."""
        yield from zip(self.cells.index.tolist(), self.cells[name].tolist(), strict=True)

    def add(self, row: int, column: str, value: str, expected: str) -> None:
        self.problems.append(Problem(self.file, row, column, value, expected))


def load(directory: Path | str | None = None) -> Evidence:
    """Read and check the tables of a folder.

    Parameters
    ----------
    directory : Path or str, optional
        Folder with the five tables; otherwise the one named by ``ADOPTION_DATA``, or the project's ``data``.

    Returns
    -------
    Evidence
        Typed frames with a plain RangeIndex.

    Raises
    ------
    EvidenceError
        If anything is wrong with any table; it holds the whole list.
    """
    typed, problems = _read_all(_folder(directory))
    if problems:
        raise EvidenceError(problems)
    return Evidence(**{name: frame.reset_index(drop=True) for name, frame in typed.items()})


def check(directory: Path | str | None = None) -> list[Problem]:
    """List everything that is wrong with the tables of a folder, in the order of files and rows.

    Bad data never raises: a file that is missing, empty, cut off or not a table is a problem like any other.
    """
    return _read_all(_folder(directory))[1]


def data_hash(directory: Path | str | None = None) -> str:
    """Return the SHA-256 of the five tables, in their order; a missing one counts as empty."""
    digest = hashlib.sha256()
    for name in TABLES:
        path = _folder(directory) / f"{name}.csv"
        data = path.read_bytes() if path.is_file() else b""
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _folder(directory: Path | str | None) -> Path:
    return Path(directory or os.environ.get("ADOPTION_DATA") or ROOT / "data")


def _read_all(folder: Path) -> tuple[dict[str, pd.DataFrame], list[Problem]]:
    tables = {name: _read(folder / f"{name}.csv", name) for name in TABLES}
    typed = {name: _typed(table) for name, table in tables.items()}
    for table in tables.values():
        _check_keys(table)
        _check_references(table, tables)
    problems: dict[tuple[str, int, str], Problem] = {}
    for table in tables.values():
        for problem in sorted(table.problems, key=lambda found: found.row):
            # One cell, one problem: the first found says most, the others follow from it.
            problems.setdefault((problem.file, problem.row, problem.column), problem)
    return typed, list(problems.values())


# --- form: bytes, lines, columns


def _read(path: Path, name: str) -> _Table:
    fields = [item.name for item in schemas.FIELDS[name]]
    table = _Table(name, pd.DataFrame(columns=fields, dtype="str"), known=False)
    try:
        data = path.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        table.add(0, "", "no such file" if missing else (error.strerror or "cannot be read"), f"a file {path}")
        return table
    text = _decode(table, data)
    if not text.strip():
        table.add(1, "", "", f"a header: {','.join(fields)}")
        return table
    lines = list(_records(table, text))
    if not lines:
        return table
    header = _check_header(table, lines[0][1], fields)
    rows, numbers = [], []
    for number, cells in lines[1:]:
        if len(cells) == len(lines[0][1]):
            rows.append(cells)
            numbers.append(number)
        else:
            count = f"{len(cells)} field{'s' if len(cells) != 1 else ''}"
            table.add(number, "", count, f"{len(lines[0][1])} fields, as the header has")
    frame = pd.DataFrame(rows, index=numbers, columns=range(len(lines[0][1])), dtype="str")
    table.cells = frame[list(header.values())].set_axis(list(header), axis=1)
    # A row that is not whole may hold an id that others refer to: those are not wrong.
    table.known = fields[0] in header and len(rows) == len(lines) - 1 and not table.problems
    _check_text(table)
    return table


def _decode(table: _Table, data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        table.add(1, "", "a byte order mark", "UTF-8 without one")
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        table.add(row, "", repr(data[error.start : error.end])[2:-1], "text in UTF-8")
        return data.decode("utf-8", errors="replace")


def _records(table: _Table, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            # csv gives an empty list for an empty line.
            yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        table.add(start, "", str(error), "a comma between fields, and a closing quotation mark for each opening one")


def _check_header(table: _Table, header: list[str], fields: list[str]) -> dict[str, int]:
    """Return the position of each known column."""
    found: dict[str, int] = {}
    for position, name in enumerate(header):
        if name in found:
            table.add(1, name, name, "each column once")
        elif name in fields:
            found[name] = position
        else:
            table.add(1, name, name, "no such column" + _near(name, fields))
    for name in fields:
        if name not in found:
            table.add(1, name, "no such column", f"a column {name}")
    return found


def _check_text(table: _Table) -> None:
    for column in map(str, table.cells):
        for row, value in table.column(column):
            if _CONTROL.search(value):
                table.add(row, column, value, "one line of text without control characters")
            elif value != value.strip():
                table.add(row, column, value, "no blanks before or after the text")


# --- content: types, ranges, rules


def _typed(table: _Table) -> pd.DataFrame:
    """Turn text into numbers and times, and run the schema."""
    items = [item for item in schemas.FIELDS[table.name] if item.name in table.cells]
    frame = pd.DataFrame({item.name: _parse(table, item) for item in items}, index=table.cells.index)
    if len(frame):
        _run_schema(table, frame)
    return frame


def _parse(table: _Table, item: schemas.Field) -> pd.Series:
    text = table.cells[item.name]
    if item.kind == "string":
        return text
    # Checked for form above; the number or time itself is read without them, so as not to report twice.
    bare = text.str.strip()
    wanted: dict[schemas.Kind, str] = {
        "number": "a number without thousands separators: 1800000 or 3.8",
        "integer": "a whole number without thousands separators: 1800000",
        "boolean": "true or false",
        "datetime": "a date 2014-02-22 or a time in UTC 2014-02-22T19:00Z",
    }
    if item.kind == "boolean":
        _report_unread(table, item, bare, ~bare.isin(["true", "false", ""]), wanted)
        return bare == "true"
    if item.kind == "datetime":
        good = bare.str.fullmatch(_DATE)
        times = pd.to_datetime(bare.where(good).str.removesuffix("Z"), format="ISO8601", errors="coerce", utc=True)
        if item.name in ENDS:
            times = times.where(bare.str.len() != len("2014-02-22"), times + pd.Timedelta(days=1))
        values: pd.Series = times.astype("datetime64[us, UTC]")
    else:
        good = bare.str.fullmatch(_NUMBER)
        numbers = pd.to_numeric(bare.where(good), errors="coerce").astype("float64")
        if item.kind == "integer":
            # Beyond 2**53 a float no longer tells whole numbers apart.
            numbers = numbers.where((numbers % 1 == 0) & (numbers.abs() < 2**53))
        values = numbers.astype("Int64") if item.kind == "integer" else numbers
    _report_unread(table, item, bare, values.isna() & (bare != ""), wanted)
    return values


def _report_unread(
    table: _Table, item: schemas.Field, text: pd.Series, unread: pd.Series, wanted: dict[schemas.Kind, str]
) -> None:
    empty = (text == "") if item.required else pd.Series(False, index=text.index)
    bad = text[unread | empty]
    for row, value in zip(bad.index.tolist(), bad.tolist(), strict=True):
        table.add(row, item.name, value, wanted[item.kind])


def _run_schema(table: _Table, frame: pd.DataFrame) -> None:
    import pandera.errors

    schema = schemas.frame_schema(table.name, list(frame.columns))
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        enums = {item.name: item.enum for item in schemas.FIELDS[table.name]}
        hints = 0
        cases = error.failure_cases[["column", "check", "index"]].drop_duplicates()
        # What is wrong with a cell by itself comes before what it does not agree with.
        alone = ~cases["check"].str.contains("\t", regex=False)
        for case in pd.concat([cases[alone], cases[~alone]]).itertuples(index=False):
            column, _, expected = str(case.check).rpartition("\t")
            column = column or str(case.column)
            if pd.isna(case.index):  # the check itself failed, so no row can be named
                table.add(0, column, "values that cannot be checked", expected)
                continue
            row = int(str(case.index))
            value = str(table.cells[column].loc[row])
            if enums[column] and hints < _HINTS:
                hints += 1
                expected += _near(value, enums[column])
            table.add(row, column, value, expected)


# --- between rows and tables


def _check_keys(table: _Table) -> None:
    for item in schemas.FIELDS[table.name]:
        if not item.unique or item.name not in table.cells:
            continue
        first: dict[str, int] = {}
        for row, value in table.column(item.name):
            if value and first.setdefault(value, row) != row:
                table.add(row, item.name, value, f"a value of its own, row {first[value]} has this one")


def _check_references(table: _Table, tables: dict[str, _Table]) -> None:
    for item in schemas.FIELDS[table.name]:
        if not item.refers or item.name not in table.cells or not tables[item.refers].known:
            continue
        target = tables[item.refers]
        key = schemas.FIELDS[item.refers][0].name
        ids = set(target.cells[key])
        keys = dict(table.column(key)) if target is table else {}
        hints = 0
        for row, cell in table.column(item.name):
            values = cell.split(";") if item.many else [cell]
            for value in values if cell else []:
                if value not in ids:
                    hints += 1
                    near = _near(value, ids) if hints <= _HINTS else ""
                    table.add(
                        row,
                        item.name,
                        cell,
                        f"{'an' if key[0] in 'aeiou' else 'a'} {key} of {target.file}{near}",
                    )
                elif value == keys.get(row):
                    table.add(row, item.name, cell, "another row, not this one")
            if len(set(values)) < len(values):
                table.add(row, item.name, cell, "each id once")
    if table.name == "growth_figures" and {"figure_id", "repeats"} <= set(table.cells):
        keys = dict(table.column("figure_id"))
        copies = {keys[row] for row, value in table.column("repeats") if value}
        for row, value in table.column("repeats"):
            if value in copies:
                table.add(row, "repeats", value, "the original, which repeats nothing itself")


def _near(value: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(value, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
