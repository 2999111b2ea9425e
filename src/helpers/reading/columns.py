"""Which columns hold the times and the counts, where nobody said so and only one can be meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from helpers.measured.cells import MOST_LISTED, read_numbers, read_times
from helpers.reading.errors import ReadingError
from helpers.reading.load import Loaded

#: Rows that are looked at.
_ROWS = 1000


def kinds(table: pd.DataFrame) -> dict[str, str]:
    """Return for each column "time", "number", "text" or "empty", by its first rows.

    Digits alone are a number: 20250305 may be a date, and who means one names the column.
    """
    return {str(name): _kind(table.iloc[:_ROWS, place]) for place, name in enumerate(table.columns)}


def _kind(cells: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return "time"
    numbers = read_numbers(cells)
    if not numbers.wrong.any():
        return "number" if (numbers.found == numbers.found).any() else "empty"
    return "time" if read_times(cells).good.all() else "text"


def choose(loaded: Loaded, time_column: str, value_column: str, taken: Collection[str] = ()) -> tuple[str, str]:
    """Return the columns of times and of counts: those given, those of the format, or the only ones there can be.

    Parameters
    ----------
    loaded : Loaded
    time_column, value_column : str
        Empty where it is to be found.
    taken : collection of str
        Columns used for something else: controls, and what rows were chosen by.

    Raises
    ------
    ReadingError
        If none or more than one could be meant; the message lists the columns.
    """
    time, value = time_column or loaded.time, value_column or loaded.value
    if time and value:
        return time, value
    found = kinds(loaded.table)
    free = {name: kind for name, kind in found.items() if name not in {time, value, *taken}}
    time = time or _only(loaded.name, "time_column", "time", free, found)
    value = value or _only(loaded.name, "value_column", "number", free, found)
    return time, value


def _only(source: str, parameter: str, wanted: str, free: Mapping[str, str], found: Mapping[str, str]) -> str:
    can = [name for name, kind in free.items() if kind == wanted]
    if len(can) == 1:
        return can[0]
    listed = ", ".join(f"{name} ({kind})" for name, kind in list(found.items())[:MOST_LISTED])
    listed += ", ..." if len(found) > MOST_LISTED else ""
    many = f"{len(can)} columns could be it" if can else f"no column is a {wanted}"
    raise ReadingError(f"{source}: {parameter} is not given and {many}; columns: {listed}")


def check_one_series(loaded: Loaded, time: str, value: str, controls: Collection[str] = ()) -> None:
    """Refuse a long table of several series, and say how one of them is chosen.

    Raises
    ------
    ReadingError
        If times repeat, and do not within each value of one column of text.
    """
    table = loaded.table
    if time not in table.columns or not table[time].duplicated().any():
        return
    for name, kind in kinds(table).items():
        if kind != "text" or name in {time, value, *controls} or table.duplicated([time, name]).any():
            continue
        different = list(dict.fromkeys(table[name].astype("str")))
        examples = ", ".join(repr(one) for one in different[:5]) + (", ..." if len(different) > 5 else "")
        raise ReadingError(
            f"{loaded.name}: several series, one for each {name} ({examples}): choose one with "
            f"where={{{name!r}: {max(different[:2], key=bool)!r}}}"
        )
