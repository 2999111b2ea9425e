"""What the figures of one measured series show: plain arrays and times in UTC, checked before they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.charts.scale_view import OutageSpan

Array = NDArray[np.float64]
Scale = Literal["auto", "linear", "log"]
Interval = tuple[float, float, float]  # low, middle, high
#: Kinds of other times, and what each is called.
KINDS = {
    "excluded": "left out of the baseline",
    "known": "event that comes back",
    "unmarked": "event nobody marked, taken out",
}


@dataclass(frozen=True)
class OtherTime:
    """A stretch of time (UTC) that is not the outage: excluded, a known event, or one that nobody marked."""

    start: pd.Timestamp
    end: pd.Timestamp
    kind: Literal["excluded", "known", "unmarked"]
    label: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.label!r}: the kind is {self.kind!r}, expected one of {', '.join(KINDS)}")
        if self.start.tzinfo is None or self.end.tzinfo is None or not self.end > self.start:
            raise ValueError(f"{self.label!r}: expected a window in UTC that ends after it starts")


@dataclass(frozen=True)
class MeasuredView:
    """Observed, expected, the gap between them and what it adds up to; NaN is a step that was not counted.

    Parameters
    ----------
    service, noun : str
        Whose series, and what it counts: "Telegram", "sign-ups".
    step : Timedelta
        Time from one count to the next.
    times : DatetimeIndex, shape (n,)
        UTC: the start of each step, increasing; up to the end of the horizon.
    observed, expected, low, high : array, shape (n,)
        Counts a step: as counted, as expected without the outage, and the interval of the latter.
    extra, extra_low, extra_high : array, shape (m,)
        Observed less expected in each of the last m steps, those from the start of the outage on.
    cumulative, cumulative_low, cumulative_high : array, shape (m,)
        Sum of the extra up to the end of each of those steps.
    outage : OutageSpan
        Drawn as a shade with its label; an unknown end is None.
    others : sequence of OtherTime
        Drawn as hatched grey.
    early : Timestamp or None
        When the surge seems to have begun, if before the stated start.
    level : float
        Mass of the bands.
    before : float
        How much of the time before the outage is drawn, in multiples of the horizon.
    scale : {"auto", "linear", "log"}
        Scale of the first panel; "auto" bends it where a straight one would flatten the usual level.
    total_label : str
        What stands at the end of the sum; by default its interval in words.

    Raises
    ------
    ValueError
        If lengths differ, times are not in UTC and increasing, or nothing was counted.
    """

    service: str
    noun: str
    step: pd.Timedelta
    times: pd.DatetimeIndex
    observed: Array
    expected: Array
    low: Array
    high: Array
    extra: Array
    extra_low: Array
    extra_high: Array
    cumulative: Array
    cumulative_low: Array
    cumulative_high: Array
    outage: OutageSpan
    others: Sequence[OtherTime] = ()
    early: pd.Timestamp | None = None
    level: float = 0.95
    before: float = 1.5
    scale: Scale = "auto"
    total_label: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        check_times(self.times)
        same_length("steps", len(self.times), self.observed, self.expected, self.low, self.high)
        after = (self.extra_low, self.extra_high, self.cumulative, self.cumulative_low, self.cumulative_high)
        same_length("steps after the outage", len(self.extra), self.extra, *after)
        if not 0 < len(self.extra) <= len(self.times):
            raise ValueError(f"{len(self.extra)} steps after the outage of {len(self.times)} in all: nothing to draw")
        if not np.isfinite(self.observed).any():
            raise ValueError("nothing to draw: no step was counted")


@dataclass(frozen=True)
class PlaceboView:
    """The real gain beside what the same procedure claims at dates when nothing happened.

    Parameters
    ----------
    dates : DatetimeIndex, shape (k,)
        UTC, k >= 1, in any order.
    low, middle, high : array, shape (k,)
        What was claimed at each date, with its interval, in ``unit``.
    real_date, real : Timestamp and (low, middle, high)
        The outage, in the same unit.
    real_label : str
        "WhatsApp down".
    unit : {"share", "score"}
        A share of the expected (0.12 is drawn as 12%), or a calibrated score.
    noun : str
        What is counted.

    Raises
    ------
    ValueError
        If there is no placebo date, lengths differ, or a value is missing.
    """

    dates: pd.DatetimeIndex
    low: Array
    middle: Array
    high: Array
    real_date: pd.Timestamp
    real: Interval
    real_label: str
    unit: Literal["share", "score"] = "share"
    noun: str = "sign-ups"
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not len(self.dates):
            raise ValueError("nothing to draw: there is no placebo date")
        if self.dates.tz is None or self.real_date.tzinfo is None:
            raise ValueError("expected dates in UTC")
        same_length("placebo dates", len(self.dates), self.low, self.middle, self.high)
        ends = np.concatenate([self.low, self.middle, self.high, self.real])
        if not np.isfinite(ends).all():
            raise ValueError("a gain or an end of its interval is not finite")
        if (self.low > self.high).any() or self.real[0] > self.real[2]:
            raise ValueError("an interval ends below its start")

    @property
    def misses(self) -> NDArray[np.bool_]:
        """Which placebo intervals do not hold zero, shape (k,)."""
        return np.asarray((self.low > 0) | (self.high < 0))


@dataclass(frozen=True)
class CheckView:
    """What the model left over; NaN is a step that was not counted.

    Parameters
    ----------
    times : DatetimeIndex, shape (n,)
        UTC, increasing.
    residuals : array, shape (n,)
        Standardised: of mean 0 and variance 1 if the model holds.
    autocorrelation : array, shape (k,)
        At lags 1 to k steps; may be empty.
    bound : float
        Half-width of the band that holds an autocorrelation with probability ``level`` if there is none.
    step : Timedelta
        Time from one step to the next.

    Raises
    ------
    ValueError
        If lengths differ or fewer than 3 residuals are finite.
    """

    times: pd.DatetimeIndex
    residuals: Array
    step: pd.Timedelta
    autocorrelation: Array
    bound: float
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        check_times(self.times)
        same_length("steps", len(self.times), self.residuals)
        if np.isfinite(self.residuals).sum() < 3:
            raise ValueError("nothing to draw: fewer than 3 residuals")


@dataclass(frozen=True)
class SurgeView:
    """How many times the expected was counted after the outage began, and the response fitted to that.

    Parameters
    ----------
    noun : str
        What is counted.
    hours, ratio : array, shape (n,)
        Hours since the start of the outage (negative before it), and observed over expected there.
    curve_hours, curve, curve_low, curve_high : array, shape (k,)
        The fitted response with its band, as a ratio; k may be 0 where nothing could be fitted.
    outage_hours : float or None
        Length of the outage; None if its end is not known.
    outage_label : str
        "WhatsApp down".
    half_life : (low, middle, high) or None
        Hours from ``peak_hours`` until half of the excess that goes away is gone.
    peak_hours : float
        Where the half-life is counted from.
    stays : (low, middle, high) or None
        Level that stayed, as a ratio.

    Raises
    ------
    ValueError
        If lengths differ or no ratio is finite.
    """

    noun: str
    hours: Array
    ratio: Array
    curve_hours: Array
    curve: Array
    curve_low: Array
    curve_high: Array
    outage_hours: float | None
    outage_label: str
    half_life: Interval | None = None
    peak_hours: float = 0.0
    stays: Interval | None = None
    level: float = 0.95
    scale: Scale = "auto"

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        same_length("steps", len(self.hours), self.ratio)
        same_length("points of the curve", len(self.curve_hours), self.curve, self.curve_low, self.curve_high)
        if not np.isfinite(self.ratio).any():
            raise ValueError("nothing to draw: no ratio of observed to expected")


def check_times(times: pd.DatetimeIndex) -> None:
    """Refuse times that are none, not in UTC, or not increasing."""
    if not len(times):
        raise ValueError("nothing to draw: no step")
    if times.tz is None:
        raise ValueError("expected times in UTC")
    if not (times.is_monotonic_increasing and times.is_unique):
        raise ValueError("expected increasing times")


def same_length(what: str, n: int, *arrays: Array) -> None:
    """Refuse arrays that are not of the length ``n``."""
    wrong = [array.shape for array in arrays if array.shape != (n,)]
    if wrong:
        raise ValueError(f"expected arrays of {n} {what}, got {wrong[0]}")
