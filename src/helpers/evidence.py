"""The evidence tables: reading them, typing them, and finding everything that is wrong with them."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import schemas
from helpers.raw_table import Problem, RawTable, near, read

TABLES = ("outages", "growth_figures", "baselines", "services", "sources")
ROOT = Path(__file__).resolve().parents[2]

#: Columns whose plain date names the last day of a span, not its first.
ENDS = ("end_utc", "window_end_utc")
DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d(?:T\d\d:\d\dZ)?")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?")
WANTED: dict[schemas.Kind, str] = {
    "number": "a number without thousands separators: 1800000 or 3.8",
    "integer": "a whole number without thousands separators: 1800000",
    "boolean": "true or false",
    "datetime": "a date 2014-02-22 or a time in UTC 2014-02-22T19:00Z",
}
#: Problems that an error message lists; `check` returns all.
MOST_LISTED = 50
#: A table of fewer rows is held for speed, a longer one in little memory.
SHORT = 10_000
#: Enough to see a pattern; a column of junk would otherwise cost a search per cell.
_HINTS = 20


class EvidenceError(ValueError):
    """The tables cannot be used as they are.

    Attributes
    ----------
    problems : list of Problem
        Every one that was found.
    """

    def __init__(self, problems: list[Problem]) -> None:
        """Hold the problems, and list the first of them in the message."""
        self.problems = problems
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''} in the evidence tables"
        more = [f"  and {len(problems) - MOST_LISTED} more"] if len(problems) > MOST_LISTED else []
        super().__init__("\n".join([count, *(f"  {problem}" for problem in problems[:MOST_LISTED]), *more]))


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

    def outage(self, outage_id: str) -> pd.Series:
        """Return the row of one event.

        Raises
        ------
        KeyError
            If there is no such event.
        """
        found = self.outages[self.outages["outage_id"] == outage_id]
        if found.empty:
            raise KeyError(outage_id)
        return found.iloc[0]


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
    return Evidence(**{name: _quick(frame.reset_index(drop=True)) for name, frame in typed.items()})


def _quick(frame: pd.DataFrame) -> pd.DataFrame:
    """Hold the text of a short table as Python's own: rows of many columns are picked from it in half the time."""
    if len(frame) > SHORT:
        return frame
    return frame.astype(dict.fromkeys(frame.columns[frame.dtypes == "str"], pd.StringDtype("python", na_value=np.nan)))


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
    tables = {name: read(folder / f"{name}.csv", name, [item.name for item in schemas.FIELDS[name]]) for name in TABLES}
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


# --- content: types, ranges, rules


def _typed(table: RawTable) -> pd.DataFrame:
    """Turn text into numbers and times, and run the schema."""
    items = [item for item in schemas.FIELDS[table.name] if item.name in table.cells]
    frame = pd.DataFrame({item.name: _parse(table, item) for item in items}, index=table.cells.index)
    if len(frame):
        _run_schema(table, frame)
    return frame


def _parse(table: RawTable, item: schemas.Field) -> pd.Series:
    text = table.cells[item.name]
    if item.kind == "string":
        return text
    # Each different text is read once. Checked for form above, it is read without its blanks, so as not to
    # report twice.
    codes, found = pd.factorize(text)
    bare = pd.Series(found, dtype="str").str.strip()
    values, unread = _read_values(bare, item)
    empty = (bare == "") if item.required else pd.Series(False, index=bare.index)
    _report_unread(table, item, pd.Series((unread | empty).to_numpy()[codes], index=text.index))
    return values.take(codes).set_axis(text.index)


def _read_values(bare: pd.Series, item: schemas.Field) -> tuple[pd.Series, pd.Series]:
    """Turn texts into values of the field's kind: the values, and which texts could not be read."""
    if item.kind == "boolean":
        return bare == "true", ~bare.isin(["true", "false", ""])
    if item.kind == "datetime":
        good = bare.str.fullmatch(DATE)
        times = pd.to_datetime(bare.where(good).str.removesuffix("Z"), format="ISO8601", errors="coerce", utc=True)
        if item.name in ENDS:
            times = times.where(bare.str.len() != len("2014-02-22"), times + pd.Timedelta(days=1))
        values: pd.Series = times.astype("datetime64[us, UTC]")
    else:
        good = bare.str.fullmatch(NUMBER)
        numbers = pd.to_numeric(bare.where(good), errors="coerce").astype("float64")
        if item.kind == "integer":
            # Beyond 2**53 a float no longer tells whole numbers apart.
            numbers = numbers.where((numbers % 1 == 0) & (numbers.abs() < 2**53))
        values = numbers.astype("Int64") if item.kind == "integer" else numbers
    return values, values.isna() & (bare != "")


def _report_unread(table: RawTable, item: schemas.Field, wrong: pd.Series) -> None:
    for row, value in table.cells.loc[wrong, item.name].items():
        table.add(int(str(row)), item.name, value.strip(), WANTED[item.kind])


def _run_schema(table: RawTable, frame: pd.DataFrame) -> None:
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
                expected += near(value, enums[column])
            table.add(row, column, value, expected)


# --- between rows and tables


def _check_keys(table: RawTable) -> None:
    for item in schemas.FIELDS[table.name]:
        if not item.unique or item.name not in table.cells or table.cells[item.name].is_unique:
            continue
        first: dict[str, int] = {}
        for row, value in table.column(item.name):
            if value and first.setdefault(value, row) != row:
                table.add(row, item.name, value, f"a value of its own, row {first[value]} has this one")


def _check_references(table: RawTable, tables: dict[str, RawTable]) -> None:
    for item in schemas.FIELDS[table.name]:
        if not item.refers or item.name not in table.cells or not tables[item.refers].known:
            continue
        target = tables[item.refers]
        key = schemas.FIELDS[item.refers][0].name
        ids = set(target.cells[key].tolist())
        cells = table.cells[item.name]
        keys = target.cells.loc[cells != "", key].to_dict() if target is table else {}
        hints = 0
        # A cell whose ids are all known, and each once, is right wherever it stands, unless a row may name itself.
        ids_of = {cell: cell.split(";") if item.many else [cell] for cell in cells.unique().tolist() if cell}
        doubtful = {
            cell: values
            for cell, values in ids_of.items()
            if keys or not ids.issuperset(values) or len(set(values)) < len(values)
        }
        for row, cell in cells[cells.isin(doubtful)].items() if doubtful else ():
            values = doubtful[cell]
            for value in values:
                if value not in ids:
                    hints += 1
                    hint = near(value, ids) if hints <= _HINTS else ""
                    table.add(
                        row,
                        item.name,
                        cell,
                        f"{'an' if key[0] in 'aeiou' else 'a'} {key} of {target.file}{hint}",
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
