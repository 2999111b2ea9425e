"""Mastodon's ``/api/v1/instance/activity``: twelve weeks, newest first, every value a text.

``[{"week": "1669505410", "statuses": "26320", "logins": "13892", "registrations": "12"}, ...]``. The server adds up
the seven UTC days from the day of ``week`` on. That is a Monday up to Mastodon 3 and the time of the request less
whole weeks in later versions, so that weeks of different servers need not agree. The newest week has only begun.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

TIME, VALUE = "week", "registrations"
_DAY = 86400
NOTE_PARTIAL = "The newest week of Mastodon's answer has only begun; it is missing."
NOTE_DAYS = "A week of Mastodon's answer begins on the day of its label, at 00:00 UTC."


def is_it(content: Any) -> bool:
    """Say whether a JSON document is an answer of the interface."""
    return bool(
        isinstance(content, list)
        and content
        and all(isinstance(week, dict) and {"week", "logins", "registrations"} <= set(week) for week in content)
    )


def table(content: list[dict[str, Any]]) -> tuple[pd.DataFrame, list[str]]:
    """Turn an answer into a table, oldest week first, and say what was done to it.

    Returns
    -------
    DataFrame
        ``week`` as ISO 8601 in UTC, the counts as text; the newest week has empty counts.
    list of str
        Notes.
    """
    frame = pd.DataFrame(content).astype("str")
    stamps = pd.to_numeric(frame[TIME], errors="coerce")
    notes = [NOTE_PARTIAL]
    if (stamps % _DAY != 0).any():
        notes.append(NOTE_DAYS)
    days = pd.to_datetime(stamps // _DAY * _DAY, unit="s", utc=True, errors="coerce")
    frame[TIME] = days.dt.strftime("%Y-%m-%dT%H:%MZ").fillna(frame[TIME])
    newest = stamps == stamps.max()
    frame.loc[newest, [column for column in frame.columns if column != TIME]] = ""
    # Every answer is newest first: to turn it round changes nothing, so no fix is needed for it.
    return frame.iloc[::-1] if stamps.is_monotonic_decreasing else frame, notes
