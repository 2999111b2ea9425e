"""Many series in one table, as panels take them: a row for each series and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.measured import rows
from helpers.measured.cells import NUMBER, Floats, Ints, Problems, column, lines_of, read_numbers, read_times
from helpers.reading.errors import check_columns
from helpers.reading.load import Loaded, load, only

JOINT = " / "


def long_table(
    source: str | Path,
    series_columns: str | Sequence[str],
    time_column: str,
    value_column: str = "",
    *,
    wide: bool = False,
    where: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Read many series as one long table.

    Only what makes the table unreadable is refused here: a series with gaps, or negative, fractional or repeated
    counts, is for the panel to list. Eight million rows of Parquet take less than 1 GB.

    Parameters
    ----------
    source : str or Path
        Path or address, of any format `helpers.reading.read` knows.
    series_columns : str or sequence of str
        Columns that name a series, joined with " / " where they are several; of a wide table the columns that
        are series, none meaning all but the time.
    time_column, value_column : str
        Columns of times and counts; a wide table has no value column.
    wide : bool
        Whether each series is a column.
    where : mapping of str to str, optional
        Keep only rows in which a column has this value.

    Returns
    -------
    DataFrame
        ``series`` (category of str), ``time`` (datetime64[us, UTC]) and ``count`` (float64, NaN where missing), in
        the order of the rows, or of the columns where wide. ``attrs["notes"]`` says what was assumed.

    Raises
    ------
    ReadingError
        If the source cannot be had or is of no known format.
    ColumnError
        If a column is missing.
    SeriesError
        If a time cannot be read, or text stands among the counts.
    """
    names = [series_columns] if isinstance(series_columns, str) else list(series_columns)
    wanted = None if wide and not names else [time_column, *names, *([] if wide else [value_column]), *(where or {})]
    loaded = load(source, None if wanted is None else list(dict.fromkeys(wanted)), () if wide else tuple(names))
    check_columns(loaded.name, loaded.columns, wanted or [time_column])
    loaded = only(loaded, where or {})
    if wide and not names:
        names = [str(name) for name in loaded.table.columns if str(name) not in {time_column, *(where or {})}]
    problems = Problems(loaded.name, lines_of(loaded.table))
    notes = list(loaded.notes)
    times = _times(loaded, time_column, problems, notes)
    if wide:
        counts = [_counts(loaded, name, problems) for name in names]
        problems.check()
        length = len(loaded.table)
        codes = np.repeat(np.arange(len(names), dtype=np.int32), length)
        labels, values, times = names, np.concatenate(counts or [np.zeros(0)]), np.tile(times, len(names))
    else:
        codes, labels = _series(loaded, names, problems)
        values = _counts(loaded, value_column, problems)
        problems.check()
    table = pd.DataFrame(
        {
            "series": pd.Categorical.from_codes(codes, pd.Index(labels, dtype="str")),
            "time": pd.Series(times.view("datetime64[us]"), copy=False).dt.tz_localize("UTC"),
            "count": pd.Series(values, copy=False),
        },
        copy=False,
    )
    table.attrs["notes"] = tuple(notes)
    return table


def _times(loaded: Loaded, name: str, problems: Problems, notes: list[str]) -> Ints:
    cells = column(loaded.table, name, problems)
    if cells is None:
        return np.zeros(0, np.int64)
    times = read_times(cells)
    rows.check_times(times, cells, problems, notes)
    return rows.days(times, notes)


def _counts(loaded: Loaded, name: str, problems: Problems) -> Floats:
    cells = column(loaded.table, name, problems)
    if cells is None:
        return np.zeros(0)
    numbers = read_numbers(cells)
    problems.rows(name, cells, np.flatnonzero(numbers.wrong), NUMBER)
    return numbers.found


def _series(loaded: Loaded, names: Sequence[str], problems: Problems) -> tuple[np.ndarray, list[str]]:
    """Return for each row the number of its series, and the names of the series."""
    codes, labels = np.zeros(len(loaded.table), np.int64), [""]
    for place, name in enumerate(names):
        cells = column(loaded.table, name, problems)
        if cells is None:
            continue
        parts = cells if isinstance(cells.dtype, pd.CategoricalDtype) else cells.astype("str").astype("category")
        known = [*(str(label).strip() for label in parts.cat.categories), ""]
        part = parts.cat.codes.to_numpy()
        # A missing name has the code -1, the last of `known`.
        joined = codes * len(known) + np.where(part < 0, len(known) - 1, part)
        codes, different = pd.factorize(joined)
        labels = [
            known[both % len(known)]
            if place == 0
            else JOINT.join([labels[both // len(known)], known[both % len(known)]])
            for both in different.tolist()
        ]
    # Names that differ by blanks only are one series.
    unique = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    if len(unique) < len(labels):
        codes = np.array([unique[label] for label in labels])[codes]
    return codes.astype(np.int32), list(unique)
