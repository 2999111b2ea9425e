"""The page-view interface of Wikimedia: ``{"items": [{"timestamp": "2015100100", "views": 12, ...}]}``.

Stamps are YYYYMMDDHH in UTC, daily ones with hour 00; those of unique devices are YYYYMMDD. A day without a view
is left out of the answer for an article, and so is one that was lost: the two cannot be told apart.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from helpers.reading.errors import ReadingError

TIME, VALUE = "timestamp", "views"
NOTE = "Wikimedia leaves out steps without views as well as lost ones; both are missing here, not zero."


def is_it(content: Any) -> bool:
    """Say whether a JSON document is an answer of the interface."""
    return isinstance(content, dict) and isinstance(content.get("items"), list)


def is_refusal(content: Any) -> bool:
    """Say whether a JSON document is the interface's way to say no."""
    return isinstance(content, dict) and "detail" in content and "title" in content


def table(content: dict[str, Any], name: str) -> pd.DataFrame:
    """Turn an answer into a table: a column for each field, the stamps as ISO 8601 in UTC.

    Raises
    ------
    ReadingError
        If it holds no items, or none with a time.
    """
    items = content["items"]
    if not items:
        raise ReadingError(f"{name}: no items in the answer: no views are known for what was asked")
    if not all(isinstance(item, dict) and TIME in item for item in items):
        raise ReadingError(f"{name}: items without a timestamp, expected an answer with views by day or hour")
    frame = pd.DataFrame(items)
    stamps = frame[TIME].astype("str")
    iso = stamps.str.replace(r"^(\d{4})(\d{2})(\d{2})(\d{2})?$", r"\1-\2-\3T\4:00Z", regex=True)
    # Eight digits have no hour: "T:00Z" is midnight.
    frame[TIME] = iso.str.replace("T:00Z", "T00:00Z", regex=False)
    return frame
