"""Stretches of time in a measured series, and the refusal to say what a series cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

Code = Literal[
    "too_short", "too_few_seasons", "too_broken", "all_zero", "constant", "outside", "no_counts", "control", "failed"
]


@dataclass(frozen=True)
class Window:
    """A stretch of time, in UTC: an outage, a known event, hours to leave out.

    Raises
    ------
    ValueError
        If an end carries no time zone or does not lie after the start.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse a window that no clock can place, or that holds no time."""
        for which, moment in (("start", self.start), ("end", self.end)):
            if moment.tzinfo is None:
                raise ValueError(f"{which}: got {moment}, expected a moment with its time zone, such as {moment}Z")
        if self.end <= self.start:
            raise ValueError(f"end: got {self.end}, expected a moment after the start, {self.start}")


class CannotTell(ValueError):  # noqa: N818 - it is an answer, and reads as one
    """A series that gives no honest interval.

    Attributes
    ----------
    code : str
        The kind of reason, for counting; ``str(error)`` says it in words, with the numbers that led to it.
    """

    def __init__(self, code: Code, reason: str) -> None:
        """Keep the code beside the reason."""
        super().__init__(reason)
        self.code = code
