"""Parquet: typed columns, read no more of than is asked for."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from helpers.raw_table import near
from helpers.reading.errors import ReadingError

MAGIC = b"PAR1"


def is_parquet(source: Path) -> bool:
    """Say whether a file is Parquet, by its first bytes."""
    try:
        with source.open("rb") as file:
            return file.read(4) == MAGIC
    except OSError:
        return False


def read(
    source: bytes | Path, name: str, columns: list[str] | None = None, codes: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Read a Parquet file; times keep their type and their zone.

    Parameters
    ----------
    source : bytes or Path
        The file, or where it is.
    name : str
        What messages call it.
    columns : list of str, optional
        Columns to read.
    codes : tuple of str
        Columns of text that come back as categories, which in a long table take a tenth of the memory.

    Raises
    ------
    ReadingError
        If it cannot be read, or a column is missing.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    place = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with pq.ParquetFile(place, read_dictionary=list(codes)) as file:
            there = file.schema_arrow.names
            for column in columns or []:
                if column not in there:
                    raise ReadingError(f"{name}: {column!r}, expected one of {', '.join(there)}{near(column, there)}")
            table = file.read(columns=columns)
        for column in codes:
            place_of = table.schema.get_field_index(column)
            if place_of >= 0 and not pa.types.is_dictionary(table.schema.field(column).type):
                table = table.set_column(place_of, column, table.column(column).dictionary_encode())
        frame = table.to_pandas(split_blocks=True, self_destruct=True)
    except (pa.ArrowException, OSError) as error:
        raise ReadingError(f"{name}: Parquet that cannot be read: {' '.join(str(error).split())[:200]}") from None
    return frame.reset_index() if frame.index.names != [None] else frame
