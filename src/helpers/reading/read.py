"""One series out of a source of any known format."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from helpers.measured.increments import from_totals
from helpers.measured.series import Series, regular
from helpers.reading import columns
from helpers.reading.errors import ReadingError, check_columns
from helpers.reading.load import load, only


def read(
    source: str | Path,
    time_column: str = "",
    value_column: str = "",
    every: str | None = None,
    controls: Sequence[str] = (),
    fix: Collection[str] = (),
    fractional: bool = False,
    cumulative: bool = False,
    where: Mapping[str, str] | None = None,
) -> Series:
    """Read one series of counts.

    Known are CSV with any usual separator and comment lines first (Tor metrics), Parquet, both also as gzip and
    behind an http or https address, the JSON of Wikimedia's page views and of Mastodon's weekly activity.

    Parameters
    ----------
    source : str or Path
        Path or address.
    time_column, value_column : str
        Columns of times and counts; may be empty where the format names them or only one can be meant.
    every, controls, fix, fractional
        As `helpers.measured.series.regular` takes them.
    cumulative : bool
        Whether the counts are running totals, as `helpers.measured.increments.from_totals` takes them; there are
        no controls then.
    where : mapping of str to str, optional
        Keep only rows in which a column has this value: ``{"country": "tn"}``.

    Raises
    ------
    ReadingError
        If the source cannot be had, is of no known format, or the columns are not clear.
    ColumnError
        If a column that was named is missing.
    SeriesError
        If its table is not an honest series.
    """
    loaded = only(load(source), where or {})
    time, value = columns.choose(loaded, time_column, value_column, [*controls, *(where or {})])
    check_columns(loaded.name, loaded.columns, [time, value, *controls])
    if "sum_duplicates" not in fix:
        columns.check_one_series(loaded, time, value, controls)
    if cumulative:
        if controls:
            raise ReadingError(f"{loaded.name}: controls {', '.join(controls)}, expected none with cumulative counts")
        series = from_totals(loaded.table, time, value, every, fix, fractional, loaded.name)
    else:
        series = regular(loaded.table, time, value, every, controls, fix, fractional, loaded.name)
    return replace(series, notes=(*loaded.notes, *series.notes))
