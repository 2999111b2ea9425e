"""Text tables: CSV, TSV and their kin, with comment lines before the header."""

from __future__ import annotations

import csv
import io
import warnings

import numpy as np
import pandas as pd

from helpers.reading.errors import ReadingError, check_columns

SEPARATORS = ",;\t|"
#: Enough to tell the separator.
_SAMPLE = 20_000


def read(data: bytes, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a text table; every cell stays text.

    Lines before the header that begin with # are left out, as in the files of Tor metrics; so are blank lines.

    Parameters
    ----------
    data : bytes
        UTF-8, with or without a byte order mark, or UTF-16 with one.
    name : str
        What messages call the file.
    columns : list of str, optional
        Columns to keep, for long files.

    Returns
    -------
    DataFrame
        Columns of str; the index, named "line", is the line of the file.

    Raises
    ------
    ReadingError
        If it is no text, has no header, or a row has more cells than the header.
    ColumnError
        If a column is missing.
    """
    text = _decoded(data, name)
    comments, start = _comments(text)
    body = text[start:]
    if not body.strip():
        raise ReadingError(f"{name}: nothing in it, expected a header and rows")
    separator, header = _separator(body), dict[str, bool]()
    keep = None if columns is None else lambda column: header.setdefault(column.strip(), column.strip() in columns)
    try:
        with warnings.catch_warnings():
            # A row longer than the header is an error here, not a warning with a cell thrown away.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.StringIO(body),
                sep=separator,
                dtype="str",
                keep_default_na=False,
                skip_blank_lines=False,
                index_col=False,
                usecols=keep,
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning, ValueError) as error:
        said = " ".join(str(error).removeprefix("Error tokenizing data. C error:").split())
        counted = f" (lines after {comments} lines of comment)" if comments else ""
        raise ReadingError(f"{name}: no table of text: {said}{counted}") from None
    check_columns(name, list(header), columns or [])
    table.columns = [str(column).strip() for column in table.columns]
    lines = _lines(body, table, separator)
    table.index = pd.Index(lines + comments, name="line")
    if "\n\n" not in body:
        return table
    blank = np.array([not line.strip() for line in body.split("\n")])
    return table[~blank[lines - 1]]


def _decoded(data: bytes, name: str) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ReadingError(f"{name}, row {line}: not UTF-8 text; save it as CSV in UTF-8") from None
    if "\x00" in text:
        raise ReadingError(f"{name}: not text; expected CSV, Parquet, or JSON of a known interface")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _comments(text: str) -> tuple[int, int]:
    """Count the lines before the header that are comment or blank, and find where the header begins."""
    lines = start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end + 1
        line = text[start:end].strip()
        if line and not line.startswith("#"):
            break
        lines, start = lines + 1, end
    return lines, start


def _separator(body: str) -> str:
    header = body.split("\n", 1)[0]
    there = [separator for separator in SEPARATORS if separator in header]
    if len(there) < 2:
        return there[0] if there else ","
    try:
        return csv.Sniffer().sniff(body[:_SAMPLE], delimiters=SEPARATORS).delimiter
    except csv.Error:
        return max(there, key=header.count)


def _lines(body: str, table: pd.DataFrame, separator: str) -> np.ndarray:
    """Return the line on which each row begins; a quoted cell may hold several lines."""
    plain = np.arange(2, len(table) + 2)
    if '"' not in body or body.rstrip("\n").count("\n") == len(table):
        return plain
    reader = csv.reader(io.StringIO(body), delimiter=separator)
    begins: list[int] = []
    before = 0
    try:
        for _ in reader:
            begins.append(before + 1)
            before = reader.line_num
    except csv.Error:  # a cell too long for this reader, which only counts
        return plain
    return np.array(begins[1:], dtype=int) if len(begins) == len(table) + 1 else plain
