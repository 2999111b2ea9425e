"""The names of a panel's series: which a pattern chooses, and which belong together by a part of their name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Literal

import pandas as pd

from helpers.panel.grid import PanelError
from helpers.reading.long import JOINT

Part = Literal["first", "last", "none"]


def matching(names: Iterable[str], patterns: Sequence[str]) -> set[str]:
    """Return the series that are named, or match a pattern: "JP / *" is all that begin with "JP / ".

    Raises
    ------
    PanelError
        If one chooses no series: a slip of the pen must not leave the method untested.
    """
    known = [str(name) for name in names]
    chosen: set[str] = set()
    for pattern in patterns:
        found = {name for name in known if name == pattern or fnmatchcase(name, pattern)}
        if not found:
            raise PanelError(f"{pattern!r} is no series of the table: {', '.join(known[:5])}, ...")
        chosen |= found
    return chosen


def clusters(series: pd.Series, part: Part) -> pd.Series:
    """Return a label for each row: series with the same label may move together.

    Parameters
    ----------
    series : names; those of several columns are joined by " / ".
    part : whether the first or the last of the joined parts is the label, or the whole name. A name without parts is
        its own label.
    """
    if part == "none":
        return series.astype("str")
    return series.astype("str").str.split(JOINT, regex=False).str[0 if part == "first" else -1]
