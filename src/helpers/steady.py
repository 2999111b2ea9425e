"""Same inputs, same bytes: with ``SOURCE_DATE_EPOCH`` set, nothing of a run's own time stays in a report."""

import os
from datetime import UTC, datetime
from typing import Any

NAME = "SOURCE_DATE_EPOCH"


def fixed() -> datetime | None:
    """Return the time that ``SOURCE_DATE_EPOCH`` fixes, in seconds since 1970; None without it.

    Raises
    ------
    ValueError
        If it is no such number.
    """
    given = os.environ.get(NAME)
    try:
        return datetime.fromtimestamp(int(given), UTC) if given else None
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{NAME}: given {given!r}, expected whole seconds since 1970") from None


def now() -> datetime:
    """Return the time, or the one that is fixed."""
    return fixed() or datetime.now(UTC).replace(microsecond=0)


def without_chance(executed: Any, made: datetime) -> None:
    """Take out of an executed notebook what differs from run to run, where the time is fixed.

    That is when each cell ran and how long, and the random id of the cell of parameters that papermill adds.
    """
    if fixed() is None:
        return
    when = {"start_time": made.isoformat(), "end_time": made.isoformat(), "duration": 0.0}
    for part in (executed, *executed.cells):
        part.metadata.pop("execution", None)
        part.metadata.get("papermill", {}).update(when)
        if "injected-parameters" in part.metadata.get("tags", ()):
            part["id"] = "injected-parameters"
