"""Measured series out of the files and interfaces people have; one module for each format."""

from helpers.measured.cells import SeriesError
from helpers.reading.errors import ColumnError, ReadingError
from helpers.reading.long import long_table
from helpers.reading.read import read

__all__ = ["ColumnError", "ReadingError", "SeriesError", "long_table", "read"]
