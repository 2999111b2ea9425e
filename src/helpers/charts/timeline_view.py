"""What a time line shows: services and their events, checked before they are drawn, gathered where they are many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from helpers import words
from helpers.charts import history_axes
from helpers.charts.history_axes import NO_CAUSE


@dataclass(frozen=True)
class Incident:
    """An event on the time line.

    Parameters
    ----------
    start : Timestamp
        UTC: when it began, or the first moment at which it can have begun.
    hours : float or None
        Length without service; None or NaN when it is not known, which draws it hollow.
    group : str
        Its cause in words. At most five groups are told apart.
    until : Timestamp or None
        UTC; given where only a span (a month, a year) is known: somewhere in ``start`` .. ``until``.
    count : int
        How many incidents it stands for; more than one only with ``until``.
    label : str
        Words beside it if it is one of the longest; made from date and length when empty.

    Raises
    ------
    ValueError
        If a time has no time zone, the span is reversed, the length is negative or infinite, or several
        incidents have no span.
    """

    start: pd.Timestamp
    hours: float | None
    group: str = NO_CAUSE
    until: pd.Timestamp | None = None
    count: int = 1
    label: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        for when in (self.start, self.until):
            if when is not None and (pd.isna(when) or when.tzinfo is None):
                raise ValueError(f"an incident at {when}: expected a time in UTC")
        if self.until is not None and self.until <= self.start:
            raise ValueError(f"the span of an incident ends {self.until}, not after its start {self.start}")
        if self.count < 1 or (self.count > 1 and self.until is None):
            raise ValueError(f"{self.count} incidents at {self.start}: several need the span they fell into")
        if self.known and not 0 <= self.length < math.inf:
            raise ValueError(f"an incident at {self.start} lasted {self.hours} hours")

    @property
    def known(self) -> bool:
        """Whether its length is known."""
        return self.hours is not None and not math.isnan(self.hours)

    @property
    def length(self) -> float:
        """Hours it lasted, 0 where that is not known."""
        return float(self.hours or 0) if self.known else 0.0

    @property
    def middle(self) -> float:
        """Where it is drawn, in days since 1970: at its start, or in the middle of its span."""
        first = history_axes.days(self.start)
        return first if self.until is None else (first + history_axes.days(self.until)) / 2

    @property
    def words(self) -> str:
        """Its label: "4 Oct 2021, 7.2 hours", "7 in 2013, days unknown"."""
        if self.label:
            return self.label
        if self.until is None:
            when = f"{self.start.day} {words.MONTHS[self.start.month - 1]} {self.start.year}"
        else:
            when = span_name(self.start, self.until)
        if self.count > 1:
            return f"{self.count} in {when}, days unknown"
        return f"{when}, {words.duration(self.length) if self.known else 'length unknown'}"


@dataclass(frozen=True)
class TimeLane:
    """One service: its name, its events in any order, and since when (UTC) anything would have been seen."""

    service: str
    incidents: Sequence[Incident]
    observed_from: pd.Timestamp | None = None

    @property
    def total(self) -> int:
        """How many incidents its events stand for."""
        return sum(incident.count for incident in self.incidents)


def span_name(start: pd.Timestamp, until: pd.Timestamp) -> str:
    """Name a span in words: "2013", "Feb 2023", "Aug–Nov 2019"."""
    last = until - pd.Timedelta(seconds=1)
    if start.year == last.year:
        if (start.month, start.day, last.month, last.day) == (1, 1, 12, 31):
            return str(start.year)
        months = dict.fromkeys(words.MONTHS[when.month - 1] for when in (start, last))
        return f"{'–'.join(months)} {start.year}"
    return f"{start.year}–{last.year}"


def capped(lanes: Sequence[TimeLane], most: int) -> list[TimeLane]:
    """Order lanes by their number of events, and gather what is beyond ``most`` of them in a last one."""
    ordered = sorted(lanes, key=lambda lane: -lane.total)
    if len(ordered) <= most:
        return ordered
    rest = ordered[most - 1 :]
    named = [replace(i, label=f"{lane.service}, {i.words}") for lane in rest for i in lane.incidents]
    return [*ordered[: most - 1], TimeLane(f"and {len(rest)} more services", named)]
