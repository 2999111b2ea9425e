"""What the commands have in common in a terminal: complaints, problems, columns, the folder of the tables."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import IO, Any, cast


class _Lasting:
    """An output that nobody has to read to the end: what comes after the reader has gone is dropped."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or drop."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._drop()

    def _drop(self) -> None:
        # What is in the buffer goes nowhere as well, or the interpreter would complain of it at its end.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


@contextmanager
def lasting_output() -> Iterator[None]:
    """Let the work go on when nobody reads its output any more, as in ``adoption import ... --write | head``."""
    if sys.stdout is None:  # closed by whoever started this
        yield
        return
    lasting = _Lasting(sys.stdout)
    with redirect_stdout(cast(IO[str], lasting)):
        try:
            yield
        finally:
            lasting.flush()


def complain(message: str, code: int) -> int:
    """Write a message to standard error and return the exit code."""
    print(f"adoption: {message}", file=sys.stderr, flush=True)
    return code


def problem_line(problem: Any) -> str:
    """Write a `helpers.evidence.Problem` as editors and CI systems read it: file:row: column: value: expected."""
    return f"{problem.file}:{problem.row}: {problem.column}: {problem.value!r}: {problem.expected}"


def problem_lines(problems: Sequence[Any], most: int = 50) -> str:
    """Write the first problems, one a line, and how many there are beyond them."""
    more = [f"and {len(problems) - most:,} more; `adoption check` lists all"] if len(problems) > most else []
    return "\n".join([*map(problem_line, problems[:most]), *more])


def add_data_option(parser: argparse._ActionsContainer) -> None:
    """Add the option that says where the evidence tables are."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the evidence tables (default: data)")


def no_folder(folder: Path) -> str:
    """Return what is wrong with a folder that should hold the tables; empty where there is one."""
    if folder.is_dir():
        return ""
    return f"{'not a folder' if folder.exists() else 'no such folder'}: {folder}; expected one with outages.csv"


def columns(lines: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Set lines of text cells in columns two blanks apart; the columns numbered in ``right`` end flush."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = (
        [cell.rjust(widths[i]) if i in right else cell.ljust(widths[i]) for i, cell in enumerate(line)]
        for line in lines
    )
    return "\n".join("  ".join(cells).rstrip() for cells in padded)
