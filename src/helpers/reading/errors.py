"""What goes wrong before there is a table."""

from collections.abc import Collection, Sequence

from helpers.measured.cells import MOST_LISTED
from helpers.params import ParameterError
from helpers.raw_table import near


class ReadingError(ValueError):
    """A source that cannot be had, or that is no table this project knows."""


class ColumnError(ReadingError, ParameterError):
    """Columns that were asked for and that the table does not have: asked wrongly, whatever the format."""


def check_columns(name: str, there: Sequence[str], wanted: Collection[str]) -> None:
    """Refuse a table called `name` with the columns `there` that lacks some of those wanted, or has them twice.

    Raises
    ------
    ColumnError
        The message has a line for each: what is missing, what there is, and the nearest of what is still free.
    """
    free = [column for column in there if column not in wanted]
    listed = ", ".join(there[:MOST_LISTED]) + (", ..." if len(there) > MOST_LISTED else "")
    faults = []
    for column in dict.fromkeys(wanted):
        if column not in there:
            faults.append(f"{name}, row 1: no column {column!r}, expected one of {listed}{near(column, free)}")
        elif there.count(column) > 1:
            faults.append(f"{name}, row 1: {there.count(column)} columns {column!r}, expected each once")
    if faults:
        raise ColumnError("\n".join(faults))
