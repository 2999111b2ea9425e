"""What the figure of published rates shows: figures, usual levels and outages, checked before they are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from helpers import words

Per = Literal["second", "hour", "day"]


@dataclass(frozen=True)
class ScaleFigure:
    """A published figure as a rate.

    Parameters
    ----------
    label : str
        Its words as published: "4.95 million users on 23 Feb".
    start, end : Timestamp
        UTC: its window, ``end > start``.
    value, low, high : float
        Rate per the unit of the view, and its width. ``low`` of 0 makes it an upper bound, an infinite ``high``
        a lower bound.
    kind : {"mean", "instant"}
        A mean over its window, drawn as a box, or an instant or peak rate somewhere in it, drawn as a dot.
    quantity : str
        What is counted, in words: "sign-ups".
    claimant : str
        Class of who says so, as in the tables: "company", "panel", "press", "api_count", "paper".
    agrees : bool
        False crosses it: it cannot be true together with the others.

    Raises
    ------
    ValueError
        If the window is empty, the value is not positive and finite, or the width does not hold the value.
    """

    label: str
    start: pd.Timestamp
    end: pd.Timestamp
    value: float
    low: float
    high: float
    kind: Literal["mean", "instant"] = "mean"
    quantity: str = "sign-ups"
    claimant: str = "company"
    agrees: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        _check_window(self.label, self.start, self.end)
        if not (math.isfinite(self.value) and self.value > 0):
            raise ValueError(f"figure {self.label!r}: a rate of {self.value} has no place on a logarithmic scale")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"figure {self.label!r}: {self.value} is not in {self.low} to {self.high}")

    @property
    def bounds(self) -> tuple[float, float]:
        """Lower and upper end as drawn: those of an open side stand at the value."""
        low = self.low if self.low > 0 else self.value
        return low, self.high if math.isfinite(self.high) else self.value


@dataclass(frozen=True)
class UsualStep:
    """What was usual from ``start`` to ``end`` (UTC): a rate with its width, all positive and finite."""

    start: pd.Timestamp
    end: pd.Timestamp
    low: float
    value: float
    high: float
    label: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        _check_window("usual", self.start, self.end)
        if not 0 < self.low <= self.value <= self.high < math.inf:
            raise ValueError(f"the usual level {self.value} in {self.low} to {self.high} cannot be drawn")


@dataclass(frozen=True)
class OutageSpan:
    """An outage, UTC: an end that is not known is None."""

    start: pd.Timestamp
    end: pd.Timestamp | None
    label: str = ""


@dataclass(frozen=True)
class ScaleView:
    """What the figure shows: ``noun`` is what the axis counts, ``since`` and ``until`` (UTC) cut its time."""

    service: str
    per: Per
    figures: Sequence[ScaleFigure]
    usual: Sequence[UsualStep] = ()
    outages: Sequence[OutageSpan] = ()
    noun: str = "users"
    since: pd.Timestamp | None = None
    until: pd.Timestamp | None = None

    @property
    def span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """First and last moment of the axis: around the figures and the outages, usual levels only if alone."""
        times = [when for figure in self.figures for when in (figure.start, figure.end)]
        times += [when for outage in self.outages for when in (outage.start, outage.end) if when is not None]
        times = times or [when for step in self.usual for when in (step.start, step.end)]
        times = times or [pd.Timestamp("2014-01-01", tz="UTC"), pd.Timestamp("2015-01-01", tz="UTC")]
        room = max((max(times) - min(times)) * 0.06, pd.Timedelta(hours=3))
        start = min(times) - room if self.since is None else self.since
        end = max(times) + room if self.until is None else self.until
        return start, max(end, start + pd.Timedelta(hours=6))

    def rate(self, low: float, high: float) -> str:
        """Write rates of this view in words: "440,000 to 650,000 a day"."""
        return f"{words.interval(low, high)} {'an' if self.per == 'hour' else 'a'} {self.per}"


def _check_window(name: str, start: pd.Timestamp, end: pd.Timestamp) -> None:
    if pd.isna(start) or pd.isna(end) or start.tzinfo is None or end.tzinfo is None or end <= start:
        raise ValueError(f"{name!r}: expected a window in UTC that ends after it starts, got {start} to {end}")
