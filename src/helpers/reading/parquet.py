"""Parquet: typed columns, read no more of than is asked for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from helpers.reading.errors import ReadingError, check_columns

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
        If it cannot be read.
    ColumnError
        If a column is missing.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    place = pa.BufferReader(source) if isinstance(source, bytes) else source
    try:
        schema = pq.read_schema(place)
        check_columns(name, schema.names, [*(columns or []), *codes])
        plain = [column for column in codes if not pa.types.is_nested(schema.field(column).type)]
        with pq.ParquetFile(place, read_dictionary=plain) as file:
            table = file.read(columns=columns)
        for column in plain:
            if not pa.types.is_dictionary(table.schema.field(column).type):
                place_of = table.schema.get_field_index(column)
                table = table.set_column(place_of, column, table.column(column).dictionary_encode())
        frame = table.to_pandas(split_blocks=True, self_destruct=True)
    except (pa.ArrowException, OSError) as error:
        raise ReadingError(f"{name}: Parquet that cannot be read: {' '.join(str(error).split())[:200]}") from None
    return frame.reset_index() if frame.index.names != [None] else frame
