"""The numbers behind a figure as one table in CSV, made from whatever a figure is drawn from.

A figure often draws several things: a curve, published figures, a few events. They stand below each other in one
file; its first column, ``table``, says which is which, and cells that a part does not have are empty.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from helpers.words import FORMULA, significant

#: Text that one figure may add to a page, in characters; a page as a whole has to stay small enough for a mail.
BUDGET = 60_000
#: Significant digits of a number.
DIGITS = 6
#: Tuples of so many numbers are an interval; tables of more rows than that may be thinned.
INTERVALS = {
    2: ("low", "high"),
    3: ("low", "middle", "high"),
    5: ("low", "low half", "middle", "high half", "high"),
}
LONG = 60
_QUANTILES = dict(zip((0.025, 0.25, 0.5, 0.75, 0.975), INTERVALS[5], strict=True))
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


@dataclass(frozen=True)
class Data:
    """The table behind a figure.

    Attributes
    ----------
    text : str
        CSV with one line of headings.
    note : str
        What was left out of it to keep the page small; empty when it is whole.
    """

    text: str
    note: str = ""


@dataclass
class _Part:
    """Rows of one kind; those of a long grid may be thinned."""

    name: str
    grid: bool
    rows: list[dict[str, str]] = field(default_factory=list)


def table(view: object, budget: int = BUDGET) -> Data:
    """Write what a figure draws as CSV.

    Parameters
    ----------
    view : dataclass, sequence of dataclasses, or mapping of str to any of what a field may hold
        Sequences of dataclasses become rows; arrays and times of one length the columns of a part; mappings to
        arrays (quantile -> array) several columns; tuples of two, three or five numbers the ends and middles of an
        interval. Single values of the whole view are one last row, those of a row its cells.
    budget : int
        Characters that the text may have. What is longer keeps every n-th row of its grids of more than 60 rows, and
        if that is not enough only the first rows; the note says so.

    Returns
    -------
    Data
    """
    parts: dict[str, _Part] = {}
    given = {"rows": view} if isinstance(view, list | tuple) else view
    _collect(given, "figure", {}, parts, top=True)
    if not parts:
        return Data("")
    whole = list(parts.values())
    if "figure" in parts:  # what holds for all of the figure is read last
        whole.sort(key=lambda part: part.name == "figure")
    text = _csv(whole)
    if len(text) <= budget:
        return Data(text)
    every = math.ceil(len(text) / budget)
    while True:
        kept = [_thinned(part, every) for part in whole]
        text = _csv(kept)
        if len(text) <= budget or all(len(part.rows) <= LONG for part in kept if part.grid):
            break
        every += 1
    notes = [f"long tables thinned to one row in {every}"] if any(p.grid and len(p.rows) > LONG for p in whole) else []
    rows = sum(len(part.rows) for part in kept)
    if len(text) > budget:
        ends = [found.end() for found in re.finditer("\r\n", text)]
        # A break of a line inside a cell is written as a space, so every one found is the end of a row.
        count = max(sum(end <= budget for end in ends), 1)
        text = text[: ends[count - 1]]
        notes.append(f"the first {count - 1:,} of {rows:,} rows")
    return Data(text, " and ".join(notes))


def _thinned(part: _Part, every: int) -> _Part:
    return _Part(part.name, True, part.rows[::every]) if part.grid and len(part.rows) > LONG else part


def _collect(value: Any, name: str, known: dict[str, str], parts: dict[str, _Part], top: bool = False) -> None:
    """Sort what a dataclass or mapping holds into its own row, columns, and rows of what it is made of."""
    holds = value if isinstance(value, Mapping) else {f.name: getattr(value, f.name) for f in fields(value)}
    row: dict[str, str] = {}
    columns: dict[int, dict[str, Sequence[Any]]] = {}
    inner: list[tuple[str, Sequence[Any]]] = []
    for key, item in holds.items():
        label = str(key).replace("_", " ")
        below = _rows(item)
        if below is not None:
            inner.append((label, below))
        elif isinstance(item, Mapping):
            for quantile, values in item.items():
                _sort(f"{label} {_QUANTILES.get(quantile, quantile)}", values, row, columns)
        else:
            _sort(label, item, row, columns)
    if row:
        own = {(f"{name} {key}" if key in known else key): cell for key, cell in row.items()}
        _part(parts, name, False).rows.append({**known, **own})
    # The name of a thing stands on all rows that it is made of, so that each can be read alone.
    names = [] if top else [key for key, item in holds.items() if isinstance(item, str)][:1]
    told = {**known, **{str(key).replace("_", " "): _cell(holds[key]) for key in names}}
    for length, group in columns.items():
        if not length:
            continue
        first = next(iter(group))
        part = _part(parts, first if top else f"{name}: {first}", True)
        if len(group) == 1:
            group = {"row": range(1, length + 1), **group}
        cells = [[_cell(item) for item in values] for values in group.values()]
        part.rows += [{**told, **dict(zip(group, line, strict=True))} for line in zip(*cells, strict=True)]
    for label, things in inner:
        for thing in things:
            _collect(_named(thing), label, told, parts)


def _part(parts: dict[str, _Part], name: str, grid: bool) -> _Part:
    return parts.setdefault(name, _Part(name, grid))


def _rows(item: object) -> Sequence[Any] | None:
    """Return what becomes rows: one dataclass, a sequence of them, a sequence of short tuples of several kinds."""
    if is_dataclass(item) and not isinstance(item, type):
        return [item]
    if not isinstance(item, list | tuple) or not item:
        return None
    if all(is_dataclass(thing) for thing in item):
        return item
    return item if all(isinstance(thing, tuple) for thing in item) else None


def _named(thing: Any) -> Any:
    """Give the members of a plain tuple names by what they are."""
    if not isinstance(thing, tuple):
        return thing
    kinds = {str: "label", datetime: "time"}
    made: dict[str, Any] = {}
    for number, item in enumerate(thing, 1):
        name = next((name for kind, name in kinds.items() if isinstance(item, kind)), "value")
        made[name if name not in made else f"{name} {number}"] = item
    return made


def _sort(label: str, item: Any, row: dict[str, str], columns: dict[int, dict[str, Sequence[Any]]]) -> None:
    """Put a field into the row or among the columns."""
    if isinstance(item, tuple) and len(item) in INTERVALS and all(_is_number(number) for number in item):
        before = "" if label == "five" else f"{label} "  # only that it is five numbers
        row.update({before + end: _cell(number) for end, number in zip(INTERVALS[len(item)], item, strict=True)})
    elif isinstance(item, Iterable) and not isinstance(item, str | bytes):
        values = list(item)
        columns.setdefault(len(values), {})[label] = values
    elif item is not None and item != "":
        row[f"{label} hours" if isinstance(item, timedelta) else label] = _cell(item)


def _is_number(item: object) -> bool:
    return isinstance(item, int | float | np.integer | np.floating) and not isinstance(item, bool)


def _cell(item: Any) -> str:
    """Write one value: numbers to six significant digits without an exponent, times in UTC, nothing for nothing."""
    if item is None or type(item).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(item, bool | np.bool_):
        return "true" if item else "false"
    if isinstance(item, np.datetime64):
        return f"{np.datetime_as_string(item, unit='s')}Z"
    if isinstance(item, datetime):
        return f"{(item.astimezone(UTC) if item.tzinfo else item):%Y-%m-%dT%H:%M:%S}Z"
    if isinstance(item, date):
        return item.isoformat()
    if isinstance(item, timedelta):
        return _digits(item.total_seconds() / 3600)
    return _digits(float(item)) if _is_number(item) else harmless(str(item))


def _digits(number: float) -> str:
    if math.isnan(number):
        return ""
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    text = format(Decimal(repr(significant(number, DIGITS))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def harmless(text: str) -> str:
    """Return text as a cell that no spreadsheet runs: what begins like a formula gets an apostrophe before it."""
    flat = re.sub(r"\0|[\r\n]+", lambda found: "" if found[0] == "\0" else " ", text)
    # A spreadsheet may pass over blanks, so they do not hide a formula either.
    risky = flat.startswith("\t") or flat.lstrip().startswith(FORMULA)
    return f"'{flat}" if risky and not _NUMBER.fullmatch(flat) else flat


def _csv(parts: Sequence[_Part]) -> str:
    heads = list(dict.fromkeys(key for part in parts for row in part.rows for key in row))
    several = len(parts) > 1
    buffer = io.StringIO()
    write = csv.writer(buffer)
    write.writerow([*(["table"] if several else []), *map(harmless, heads)])
    for part in parts:
        for row in part.rows:
            write.writerow([*([harmless(part.name)] if several else []), *(row.get(head, "") for head in heads)])
    return buffer.getvalue()
