"""Tor metrics: CSV with comment lines first, then ``date,country,users,lower,upper,frac``.

Days in UTC; users are an average of how many were connected at a time, estimated. ``country`` is a two-letter code
in small letters, "??" where unknown, and empty in the rows of the whole world.
"""

from __future__ import annotations

import pandas as pd

TIME, VALUE = "date", "users"


def is_it(table: pd.DataFrame) -> bool:
    """Say whether a table is a file of estimated users."""
    return {TIME, VALUE, "frac"} <= set(table.columns)
