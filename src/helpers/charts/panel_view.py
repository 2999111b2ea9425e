"""What the figures of many series show: plain arrays and times in UTC, checked before they are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.charts.measured_view import check_times, same_length
from helpers.charts.scale_view import OutageSpan

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RankRow:
    """One series: how many times the expected was counted, and what that is in people.

    Parameters
    ----------
    name : str
        The series in words.
    low, ratio, high : float
        Observed over expected with its interval; 0 and infinity are open ends.
    extra_low, extra_high : float
        The interval of the extra count.
    found : bool
        Whether it passes the threshold of false discoveries.

    Raises
    ------
    ValueError
        If the ratio is negative, not finite, or outside its interval.
    """

    name: str
    low: float
    ratio: float
    high: float
    extra_low: float
    extra_high: float
    found: bool

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not (0 <= self.low <= self.ratio <= self.high and self.ratio < math.inf):
            raise ValueError(f"{self.name!r}: a ratio of {self.ratio} in {self.low} to {self.high}")
        if not self.extra_low <= self.extra_high:
            raise ValueError(f"{self.name!r}: an extra of {self.extra_low} to {self.extra_high}")


@dataclass(frozen=True)
class RankingView:
    """The clearest winners and losers of a panel.

    Parameters
    ----------
    rows : sequence of RankRow
        The clearest first; winners (a ratio from 1 on) are drawn above losers, each in the order given.
    noun : str
        What is counted: "sign-ups".
    rate : float
        Threshold of the false-discovery rate.
    others : int
        How many series of the panel are not among the rows.
    level : float
        Mass of the intervals.

    Raises
    ------
    ValueError
        If there are no rows.
    """

    rows: Sequence[RankRow]
    noun: str = "sign-ups"
    rate: float = 0.05
    others: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.rows:
            raise ValueError("nothing to draw: no series has a gain")


@dataclass(frozen=True)
class Response:
    """The mean of one group of series by time since the start of the outage.

    Parameters
    ----------
    label : str
        The group in words: "series that gained".
    series : int
        How many series it holds.
    hours : array, shape (n,)
        Since the start of the outage, increasing; negative before it.
    mean, low, high : array, shape (n,)
        Mean logarithm of observed over expected, with its clustered interval; NaN where no series was counted.
    placebo : bool
        Whether these series cannot have gained.
    """

    label: str
    series: int
    hours: Array
    mean: Array
    low: Array
    high: Array
    placebo: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        same_length("points", len(self.hours), self.mean, self.low, self.high)
        if (np.diff(self.hours) <= 0).any():
            raise ValueError(f"{self.label!r}: expected increasing hours")


@dataclass(frozen=True)
class ResponseView:
    """Mean responses of groups of series.

    Parameters
    ----------
    groups : sequence of Response
        At most four; those without any finite mean are left out.
    outage_hours : float or None
        Length of the outage; None if its end is not known.
    outage_label, noun : str
        "WhatsApp down", "sign-ups".
    level : float
        Mass of the bands.

    Raises
    ------
    ValueError
        If no group has a finite mean, or there are more than four.
    """

    groups: Sequence[Response]
    outage_hours: float | None
    outage_label: str
    noun: str = "sign-ups"
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not any(np.isfinite(group.mean).any() for group in self.groups):
            raise ValueError("nothing to draw: no group has a mean response")
        if len(self.groups) > 4:
            raise ValueError(f"{len(self.groups)} groups: four can be told apart")


@dataclass(frozen=True)
class Multiple:
    """One series around the outage: observed against expected with its band, counts a step, NaN where missing.

    ``times`` (n,) are the starts of its steps in UTC; ``gain`` says below its name what it gained.
    """

    name: str
    gain: str
    times: pd.DatetimeIndex
    step: pd.Timedelta
    observed: Array
    expected: Array
    low: Array
    high: Array

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        check_times(self.times)
        same_length("steps", len(self.times), self.observed, self.expected, self.low, self.high)
        if not np.isfinite(self.observed).any():
            raise ValueError(f"{self.name!r}: nothing to draw, no step was counted")


@dataclass(frozen=True)
class MultiplesView:
    """Small panels of the clearest winners and losers; the first twelve are drawn, in the order given.

    Raises
    ------
    ValueError
        If there are no panels.
    """

    panels: Sequence[Multiple]
    outage: OutageSpan
    noun: str = "sign-ups"
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.panels:
            raise ValueError("nothing to draw: no series")


@dataclass(frozen=True)
class PGroup:
    """Two-sided p-values of one group of series, shape (n,); ``placebo`` says that they cannot have gained.

    Raises
    ------
    ValueError
        If a value is not between 0 and 1.
    """

    label: str
    values: Array
    placebo: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not ((self.values >= 0) & (self.values <= 1)).all():
            raise ValueError(f"{self.label!r}: expected p-values between 0 and 1")


@dataclass(frozen=True)
class PValueView:
    """Distribution of calibrated p-values by group, at most four groups; ``noun`` is what a value belongs to.

    Raises
    ------
    ValueError
        If there is no p-value, or there are more than four groups.
    """

    groups: Sequence[PGroup]
    noun: str = "series"

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not any(len(group.values) for group in self.groups):
            raise ValueError("nothing to draw: no p-value")
        if len(self.groups) > 4:
            raise ValueError(f"{len(self.groups)} groups: four find room")
