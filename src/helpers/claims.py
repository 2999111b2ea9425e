"""A published growth figure as a statement about the adoption curve.

"About 100 new users a second", "more than 3 million", "4.95 million on 23 February": each becomes a
:class:`Claim`, with the width of its rounding, its bound if it is one, the hours it may speak of, and the
error that a claimant of its class is granted. Coarsened data in the sense of Heitjan and Rubin (1990): what
was published is an interval of values and of times, not a point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Bound = Literal["none", "lower", "upper"]

#: Hours per unit of time in a rate's unit, "users/min" for example.
PER_HOURS = {"s": 1 / 3600, "min": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0, "month": 730.5}

#: Prior of the standard deviation of the log error of each class of claimant (see :mod:`helpers.published.claimants`).
#: A count from a public interface is nearly exact; a company knows its own count but chooses what to say;
#: a panel extrapolates from a sample; a press figure comes without its maker.
CLAIMANT_SCALE = {"api_count": 0.05, "company": 0.15, "paper": 0.15, "panel": 0.25, "press": 0.35}

#: Offset from UTC in hours, west to east, of the places in the evidence: the day a page speaks of.
UTC_OFFSETS = {
    "Australia": (8, 11),
    "Brazil": (-5, -2),
    "Canada": (-8, -2.5),
    "France": (1, 2),
    "Germany": (1, 2),
    "Hong Kong": (8, 8),
    "India": (5.5, 5.5),
    "Iran": (3.5, 4.5),
    "Iraq": (3, 3),
    "Italy": (1, 2),
    "Japan": (9, 9),
    "Kazakhstan": (5, 6),
    "Madagascar": (3, 3),
    "Myanmar": (6.5, 6.5),
    "Nepal": (5.75, 5.75),
    "Nigeria": (1, 1),
    "Russia": (2, 12),
    "South Korea": (9, 9),
    "Spain": (1, 2),
    "Sri Lanka": (5.5, 5.5),
    "Turkey": (2, 3),
    "Uganda": (3, 3),
    "Ukraine": (2, 3),
    "United Kingdom": (0, 1),
    "United States": (-10, -4),
    "Vietnam": (7, 7),
}
ANYWHERE = (-12.0, 12.0)

#: "More than 3 million" is a count rounded down (this share of bounds), or a mark passed a while ago: then the
#: truth lies further on, by a log factor that is exponential with mean PASSED. "Up to" is the mirror image. Of 20
#: curves with such a claim beside others, the figures are 4 times as probable in all under 0.25 as under 0.5.
FRESH = 0.5
PASSED = 0.25

#: What a ratio may be relative to, other than the usual level, and how many hours before that lies.
LAGS = {"previous_day": 24.0, "previous_week": 168.0, "previous_month": 730.5}

#: Readings that say something about the curve, and what each of them observes (see :mod:`helpers.likelihood`).
MODELLED = (
    "increment",
    "rate_mean",
    "rate_instant",
    "rate_peak",
    "daily_level",
    "excess",
    "ratio_mean",
    "ratio_peak",
    "total",
)


@dataclass(frozen=True)
class Claim:
    """What one published figure says about a curve, in users (or installs, ...) and hours.

    Parameters
    ----------
    figure_id : key in the evidence.
    reading : what is observed, one of MODELLED or "baseline".
    low, high : the interval of values that would have been published so: users, users per hour, or times
        the usual. For a bound, from it to the next round number (see :func:`interval`).
    bound : "lower" for "more than", "upper" for "up to": the value may lie beyond the next round number.
    start, end : window in hours since the origin.
    shift : the window may lie this many hours later (earliest, latest), for want of a time zone or a date.
    scale : standard deviation of the figure's own log error.
    group : claims with the same group come from one running count and share most of that error.
    claimant : class of who claims it; the figures of one claimant share its bias, and its time zone.
    bias : standard deviation of the log error that all figures of the claimant have in common.
    clock : the window may be shifted because nobody says in which time zone its days are.
    since : for an increment made of a running total, the earlier total that it counts from.
    lag : a ratio is relative to the same hours this long before; 0: to the usual level.
    anchored : hours count from the start of the event, not from the origin.
    """

    figure_id: str
    reading: str
    low: float
    high: float
    bound: Bound
    start: float
    end: float
    shift: tuple[float, float]
    scale: float
    group: str = ""
    claimant: str = ""
    bias: float = 0.0
    clock: bool = False
    since: float = 0.0
    lag: float = 0.0
    anchored: bool = False

    @property
    def error(self) -> float:
        """Standard deviation of the whole log error, its own and its claimant's."""
        return math.hypot(self.scale, self.bias)

    def content(self) -> tuple[object, ...]:
        """Everything but the name: two claims with the same content are one claim told twice."""
        return (self.reading, self.low, self.high, self.bound, self.start, self.end, self.shift, self.scale, self.lag)


def last_digit(value: float, qualifier: str) -> float:
    """Worth of the last digit that is not zero; of the last printed one for an exact figure."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"got {value}, expected a finite number")
    return float(10.0 ** (min(exponent, 0) if qualifier == "exact" else exponent))


def rounding(value: float, qualifier: str) -> tuple[float, float]:
    """Interval of true values that are published as ``value``.

    "About" rounds to the last digit that is not zero. "More than" rounds down to it and "up to" rounds up:
    who passes the next round number says so. An exact figure is as wide as its last printed digit.

    >>> rounding(100, "about")
    (50.0, 150.0)
    >>> rounding(4_950_000, "about")
    (4945000.0, 4955000.0)
    >>> rounding(3_000_000, "more_than")
    (3000000.0, 4000000.0)
    >>> rounding(10_000, "up_to")
    (9000.0, 10000)
    >>> rounding(2_000_000, "exact")
    (1999999.5, 2000000.5)
    """
    unit = last_digit(value, qualifier) if value else 1.0
    bound = bound_of(qualifier)
    if bound == "lower":
        return value, value + unit
    if bound == "upper":
        # Below 10,000 the next rounder number is 9,000, not nothing.
        return value - (unit if value > unit else unit / 10), value
    return value - unit / 2, value + unit / 2


def bound_of(qualifier: str) -> Bound:
    """Which way a qualifier bounds."""
    return {"more_than": "lower", "up_to": "upper"}.get(qualifier, "none")  # type: ignore[return-value]


def per_hour(unit: str, reading: str) -> float:
    """Factor that turns a value in ``unit`` into one per hour; 1 where a count is read as a count.

    A count that belongs to a day by its nature ("3.4 million daily users") is one per day.

    Raises
    ------
    ValueError
        For a unit of time that PER_HOURS does not know.
    """
    if "/" not in unit:
        return 1 / PER_HOURS["day"] if reading.startswith(("rate", "daily")) else 1.0
    per = unit.rsplit("/", 1)[1]
    if per not in PER_HOURS:
        raise ValueError(f"unit {unit!r}: unknown unit of time {per!r}, expected one of {', '.join(PER_HOURS)}")
    return 1 / PER_HOURS[per]


def times_usual(value: float, unit: str) -> float:
    """Return a ratio to the usual: 10 times is 10, +404 percent is 5.04."""
    return 1 + value / 100 if unit == "percent" else value


def interval(value: float, unit: str, qualifier: str, reading: str) -> tuple[float, float]:
    """Interval of values in users, users per hour or times the usual that would be published so."""
    low, high = rounding(value, qualifier)
    if reading.startswith("ratio"):
        low, high = times_usual(low, unit), times_usual(high, unit)
    else:
        factor = per_hour(unit, reading)
        low, high = low * factor, high * factor
    return max(low, 0.0), max(high, 0.0)


def shift(precision: str, scope: str, bracket_hours: float, hours: float) -> tuple[float, float]:
    """Hours by which a window may lie later than written.

    A plain date is a day in somebody's time zone: the place's own where the scope names one, otherwise any.
    A window of unknown position slides within its bracket as well.
    """
    if precision == "minute":
        return 0.0, 0.0
    if precision == "hour":
        return -0.5, 0.5
    west, east = UTC_OFFSETS.get(scope, ANYWHERE)
    slack = max(bracket_hours - hours, 0.0) if precision == "unknown" else 0.0
    return -float(east), float(-west) + slack
