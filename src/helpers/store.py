"""Changing the evidence tables: read as text, checked as a whole, written whole or not at all."""

import csv
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from helpers import evidence, schemas
from helpers.evidence import EvidenceError
from helpers.raw_table import Problem

Row = dict[str, str]
LOCK = ".writing"
#: Referred to before referring: whoever reads between two renames finds no reference into nothing.
ORDER = ("sources", "services", "outages", "growth_figures", "baselines")


class ConflictError(RuntimeError):
    """Somebody else writes the tables, or has since they were read; nothing is written."""


def read(folder: Path, table: str) -> list[Row]:
    """Read one table as text, in the order of its file.

    Raises
    ------
    EvidenceError
        If the file is missing, empty, or a row has another number of cells than the header.
    """
    path = folder / f"{table}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EvidenceError([Problem(path.name, 0, "", str(error), "a table in UTF-8")]) from None
    names = [field.name for field in schemas.FIELDS[table]]
    if not lines or lines[0] != names:
        raise EvidenceError(
            [Problem(path.name, 1, "", ",".join(lines[0] if lines else []), f"the header {','.join(names)}")]
        )
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(names):
            raise EvidenceError([Problem(path.name, number, "", f"{len(line)} fields", f"{len(names)} fields")])
    return [dict(zip(names, line, strict=True)) for line in lines[1:]]


@contextmanager
def trial(folder: Path, changed: Mapping[str, Sequence[Row]]) -> Iterator[Path]:
    """Yield a temporary folder with the five tables, some of them replaced; the tables themselves stay."""
    with tempfile.TemporaryDirectory() as name:
        for table in evidence.TABLES:
            path = Path(name) / f"{table}.csv"
            if table in changed:
                path.write_text(text(table, changed[table]), encoding="utf-8", newline="")
            elif (folder / path.name).is_file():
                shutil.copyfile(folder / path.name, path)
        yield Path(name)


def check(folder: Path, changed: Mapping[str, Sequence[Row]]) -> list[Problem]:
    """List every problem the tables would have with some of them replaced; nothing is written into the folder."""
    with trial(folder, changed) as copy:
        return evidence.check(copy)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder of tables: a file with the number of the process that writes.

    The system lets go of a lock when its process ends, however it ends; a file that is left behind stands in
    nobody's way.

    Raises
    ------
    ConflictError
        If another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # a system without such locks
        yield
        return
    path = folder / LOCK
    while True:
        with path.open("a+", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                number = f" (process {file.read().strip()})".replace(" (process )", "")
                raise ConflictError(f"another import is writing{number}: nothing written; try again") from None
            try:
                if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    continue  # the file of somebody who has just ended
            except FileNotFoundError:
                continue
            try:
                file.truncate(0)
                file.write(str(os.getpid()))
                file.flush()
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def write(
    folder: Path, changed: Mapping[str, Sequence[Row]], before: Mapping[str, Sequence[Row]] | None = None
) -> None:
    """Replace tables, after checking all five with the new ones among them.

    Every new table is written whole under a temporary name beside its place; then they are renamed, tables
    that are referred to first. A failure before the first rename leaves everything as it was. Who may read a
    table does not change.

    Parameters
    ----------
    folder : Path
        Folder of the tables.
    changed : mapping of str to sequence of dict
        New rows by table, in the order in which they are to stand; missing cells are empty.
    before : mapping of str to sequence of dict, optional
        Rows by table, as they were read when the new ones were worked out. Without it, rows that somebody else
        has written since then are lost.

    Raises
    ------
    EvidenceError
        If the tables would have a problem; nothing is written.
    ConflictError
        If somebody else is writing, or a table is no longer as in `before`; nothing is written.
    OSError
        If the folder cannot be written to.
    """
    with alone(folder):
        for table, rows in (before or {}).items():
            if read(folder, table) != list(rows):
                raise ConflictError(f"{table}.csv has changed since it was read: nothing written; run it again")
        problems = check(folder, changed)
        if problems:
            raise EvidenceError(problems)
        _replace(folder, changed)


def _replace(folder: Path, changed: Mapping[str, Sequence[Row]]) -> None:
    parts = {table: folder / f".{table}.{os.getpid()}.part.csv" for table in ORDER if table in changed}
    try:
        for table, part in parts.items():
            with part.open("w", encoding="utf-8", newline="") as file:
                file.write(text(table, changed[table]))
                file.flush()
                os.fsync(file.fileno())
        for table, part in parts.items():
            if (folder / f"{table}.csv").is_file():
                shutil.copymode(folder / f"{table}.csv", part)
            part.replace(folder / f"{table}.csv")
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def text(table: str, rows: Sequence[Row]) -> str:
    """Write rows as the text of a table's file."""
    buffer = io.StringIO(newline="")
    names = [field.name for field in schemas.FIELDS[table]]
    writer = csv.DictWriter(buffer, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
