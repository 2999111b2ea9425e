"""A source as a table of raw columns, whatever its format; formats are told by content, not by the ending."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.measured.cells import MOST_LISTED
from helpers.raw_table import near
from helpers.reading import delimited, mastodon, parquet, tor, wikimedia
from helpers.reading.errors import ReadingError, check_columns
from helpers.reading.fetch import fetch, is_address, name_of


@dataclass(frozen=True)
class Loaded:
    """A table as read.

    Attributes
    ----------
    table : raw columns; the index, named "line", is the line of the file, or two more than the position.
    name : what messages call the source.
    time, value : columns of times and counts where the format names them, else empty.
    notes : what the format makes necessary to know.
    """

    table: pd.DataFrame
    name: str
    time: str = ""
    value: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """Names of the table's columns."""
        return [str(name) for name in self.table.columns]


def load(source: str | Path, columns: list[str] | None = None, codes: tuple[str, ...] = ()) -> Loaded:
    """Read a file or an address: CSV and its kin, Parquet, gzip of these, or a known JSON.

    Parameters
    ----------
    source : str or Path
        Path, or address beginning with http:// or https://.
    columns : list of str, optional
        Columns to read, where the format allows; for long tables.
    codes : tuple of str
        Columns of text that may come back as categories.

    Raises
    ------
    ReadingError
        If it cannot be had or is nothing of these.
    ColumnError
        If a column to read is missing, where the format allows to tell.
    """
    name = name_of(source)
    if not is_address(source) and parquet.is_parquet(Path(source)):
        return _lined(Loaded(parquet.read(Path(source), name, columns, codes), name))
    data = fetch(source)
    if data.startswith(parquet.MAGIC):
        return _lined(Loaded(parquet.read(data, name, columns, codes), name))
    if data.startswith(b"PK\x03\x04"):
        raise ReadingError(f"{name}: a spreadsheet or zip archive; save the sheet as CSV")
    begin = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin[:1] == b"<":
        raise ReadingError(f"{name}: a web page or XML, expected the data themselves: CSV, Parquet or JSON")
    if begin[:1] in (b"{", b"["):
        return _lined(_json(data, name))
    table = delimited.read(data, name, columns)
    if tor.is_it(table):
        return Loaded(table, name, tor.TIME, tor.VALUE)
    return Loaded(table, name)


def _json(data: bytes, name: str) -> Loaded:
    try:
        content: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ReadingError(f"{name}: JSON that cannot be read: {error}") from None
    if wikimedia.is_it(content):
        table = wikimedia.table(content, name)
        value = wikimedia.VALUE if wikimedia.VALUE in table.columns else ""
        return Loaded(table, name, wikimedia.TIME, value, [wikimedia.NOTE])
    if wikimedia.is_refusal(content):
        raise ReadingError(f"{name}: the interface refuses: {content['title']} {content['detail']}")
    if mastodon.is_it(content):
        table, notes = mastodon.table(content)
        return Loaded(table, name, mastodon.TIME, mastodon.VALUE, notes)
    said = 'Wikimedia\'s {"items": [{"timestamp", "views"}]} or Mastodon\'s [{"week", "registrations"}]'
    raise ReadingError(f"{name}: JSON of an unknown form, expected {said}")


def _lined(loaded: Loaded) -> Loaded:
    loaded.table.index = pd.RangeIndex(2, len(loaded.table) + 2, name="line")
    return loaded


def only(loaded: Loaded, where: Mapping[str, str]) -> Loaded:
    """Keep the rows in which each column named has the value given, both as text.

    Raises
    ------
    ColumnError
        If there is no such column.
    ReadingError
        If no row is left.
    """
    table = loaded.table
    check_columns(loaded.name, loaded.columns, where)
    for column, wanted in where.items():
        cells = table[column]
        known = cells.astype("str").fillna("").str.strip()
        chosen = (known == str(wanted).strip()).to_numpy(dtype=bool)
        if not chosen.any():
            different = list(dict.fromkeys(known))
            listed = ", ".join(different[:MOST_LISTED]) + (", ..." if len(different) > MOST_LISTED else "")
            hint = near(str(wanted), different)
            raise ReadingError(f"{loaded.name}: where {column} is {wanted!r}, expected one of {listed}{hint}")
        table = table[chosen]
    return Loaded(table, loaded.name, loaded.time, loaded.value, loaded.notes)
