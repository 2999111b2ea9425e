"""What the commands have in common in a terminal: complaints, problems, columns, the folder of the tables."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


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


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where the evidence tables are."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the evidence tables (default: data)")


def columns(lines: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Set lines of text cells in columns two blanks apart; the columns numbered in ``right`` end flush."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = (
        [cell.rjust(widths[i]) if i in right else cell.ljust(widths[i]) for i, cell in enumerate(line)]
        for line in lines
    )
    return "\n".join("  ".join(cells).rstrip() for cells in padded)
