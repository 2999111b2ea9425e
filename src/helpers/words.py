"""Numbers and moments in words a reader can check: the range first, rounded to what it supports.

Plain text only: nothing here is escaped, and no other library is imported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

UNKNOWN = "unknown"
MINUS = "−"
#: A spreadsheet runs a cell that begins so.
FORMULA = ("=", "+", "-", "@")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SWAPPED = "the low end {!r} is above the high end {!r}"
_SCALES = ((1e9, " billion"), (1e6, " million"), (1.0, ""))
_PERIODS = ((1.0, "second"), (60.0, "minute"), (3600.0, "hour"), (86400.0, "day"))
_LENGTHS = ((24.0, "days"), (1.0, "hours"), (1 / 60, "minutes"), (1 / 3600, "seconds"))
_SHORT = {"s": "second", "min": "minute", "hour": "hour", "day": "day", "week": "week", "month": "month"}
_QUALIFIERS = {"about": "about ", "more_than": "over ", "up_to": "up to ", "exact": "", "none": "", "": ""}


def significant(value: float, digits: int = 2) -> float:
    """Round to a number of significant digits: 342123 with 2 digits is 340000."""
    return float(f"{value:.{digits - 1}e}") + 0.0


def digits(value: float) -> str:
    """Write a number in full, with thousands commas, a true minus and no exponent or idle zeros."""
    text = f"{Decimal(repr(float(value))):,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", MINUS) if text not in ("-0", "0") else "0"


def _scale(value: float) -> tuple[float, str]:
    return next((scale for scale in _SCALES if abs(value) >= scale[0]), _SCALES[-1])


def _scaled(value: float, unit: float) -> str:
    # Decimal division keeps 1.9e6 / 1e6 at 1.9
    return digits(float(Decimal(repr(float(value))) / Decimal(repr(unit))))


def _whole(value: float, figures: int) -> float:
    """Round a count to significant digits, or to whole people below a hundred; once only, 1.49 is 1."""
    return float(round(value)) + 0.0 if abs(value) < 100 else significant(value, figures)


def _worded(value: float) -> str:
    unit, word = _scale(value)
    return _scaled(value, unit) + word


def count(value: float, figures: int = 3) -> str:
    """Write a count of people or things: ``count(342123)`` is "342,000", ``count(4.95e6)`` "4.95 million".

    Parameters
    ----------
    value : float
        How many; a number that is not finite gives "unknown".
    figures : int
        Significant digits kept.
    """
    if not math.isfinite(value):
        return UNKNOWN
    return _worded(_whole(value, figures))


def interval(low: float, high: float) -> str:
    """Write a range of counts, each end rounded to two significant digits.

    Parameters
    ----------
    low, high : float
        The ends, ``low <= high``. Infinite ends are written as bounds; a missing end makes the range unknown.

    Returns
    -------
    str
        "340,000 to 600,000", "1.2 to 1.9 million", "900,000 to 1.4 million", "fewer than 100" (from
        nothing to under a hundred), "up to 1.2 million" (from under a thousand), "about 4.9 million" (ends
        equal after rounding), "over 3 million", "unknown".

    Raises
    ------
    ValueError
        If ``low`` is above ``high``.
    """
    if low > high:
        raise ValueError(_SWAPPED.format(low, high))
    if math.isnan(low) or math.isnan(high) or (math.isinf(low) and math.isinf(high)):
        return UNKNOWN
    if math.isinf(high):
        return f"over {count(low, 2)}"
    if math.isinf(low):
        return f"under {count(high, 2)}"
    if 0 <= low < 1 and 1 <= high < 100:
        return "fewer than 100"
    ends = [_whole(end, 2) for end in (low, high)]
    if ends[0] == ends[1]:
        return "none" if ends[0] == 0 else f"about {count(ends[0], 2)}"
    if 0 <= ends[0] < 1000 and ends[1] >= 1e6:
        return f"up to {count(ends[1], 2)}"  # "1 to 1.2 million" would be read as two numbers of millions
    (unit, word), (unit_high, word_high) = _scale(ends[0]), _scale(ends[1])
    if unit == unit_high:
        return f"{_scaled(ends[0], unit)} to {_scaled(ends[1], unit)}{word}"
    return f"{_scaled(ends[0], unit)}{word} to {_scaled(ends[1], unit_high)}{word_high}"


def _pair(low: float, high: float, unit: float) -> str:
    """Two ends in one unit, two digits each; an end ten thousand times smaller is written as 0."""
    largest = max(abs(low), abs(high))
    ends = [significant(end / unit) if abs(end) > largest / 10000 else 0.0 for end in (low, high)]
    if ends[0] == ends[1]:
        return f"about {_worded(ends[0])}"
    return f"{_worded(ends[0])} to {_worded(ends[1])}"


def _period(per_second: float) -> tuple[float, str]:
    """Seconds and name of the shortest period in which the rounded rate is at least one."""
    return next((p for p in _PERIODS if significant(abs(per_second) * p[0]) >= 1), _PERIODS[-1])


def rate(per_second: float) -> str:
    """Write a rate in the unit its size asks for: "86 a second", "4 a minute", "12 an hour", "3 a day".

    Parameters
    ----------
    per_second : float
        Events per second.
    """
    if not math.isfinite(per_second):
        return UNKNOWN
    if per_second == 0:
        return "none"
    seconds, name = _period(per_second)
    value = significant(per_second * seconds)
    return f"fewer than 1 {_each(name)}" if 0 < value < 1 else f"{_worded(value)} {_each(name)}"


def rate_interval(low: float, high: float) -> str:
    """Write a range of rates (events per second) in the unit of its larger end: "40 to 86 a second".

    Raises
    ------
    ValueError
        If ``low`` is above ``high``.
    """
    if low > high:
        raise ValueError(_SWAPPED.format(low, high))
    if math.isnan(low) or math.isnan(high) or (math.isinf(low) and math.isinf(high)):
        return UNKNOWN
    if math.isinf(high):
        return f"over {rate(low)}"
    if math.isinf(low):
        return f"under {rate(high)}"
    if low == high == 0:
        return "none"
    seconds, name = _period(max(abs(low), abs(high)))
    return f"{_pair(low, high, 1 / seconds)} {_each(name)}"


def _each(period: str) -> str:
    return f"{'an' if period == 'hour' else 'a'} {period}"


def _length(hours: float) -> tuple[float, str]:
    """Hours and name of the unit for a duration; days from two days on, so that "38 hours" stays hours."""
    if abs(hours) >= 48:
        return _LENGTHS[0]
    return next((u for u in _LENGTHS[1:] if significant(abs(hours) / u[0], 2) >= 1), _LENGTHS[-1])


def duration(hours: float) -> str:
    """Write a length of time given in hours: "3.8 hours", "45 minutes", "38 days"."""
    if not math.isfinite(hours):
        return UNKNOWN
    unit, name = _length(hours)
    value = significant(hours / unit, 3 if abs(hours / unit) >= 100 else 2)
    return f"{digits(value)} {name[:-1] if abs(value) == 1 else name}"


def duration_interval(low: float, high: float) -> str:
    """Write a range of lengths given in hours: "4 to 10 hours", "45 minutes to 3 hours", "over 3 days".

    Raises
    ------
    ValueError
        If ``low`` is above ``high``.
    """
    if low > high:
        raise ValueError(_SWAPPED.format(low, high))
    if math.isnan(low) or math.isnan(high) or math.isinf(low):
        return UNKNOWN
    if math.isinf(high):
        return f"over {duration(low)}"
    (unit, name), (unit_high, name_high) = _length(low), _length(high)
    # nothing at the low end has no unit of its own
    if low <= 0 or unit == unit_high:
        text = _pair(low, high, unit_high)
        return f"{text} {name_high[:-1] if text == 'about 1' else name_high}"
    first, last = significant(low / unit), significant(high / unit_high)
    if first * unit == last * unit_high:
        return f"about {duration(high)}"
    return (
        f"{digits(first)} {name[:-1] if first == 1 else name} to "
        f"{digits(last)} {name_high[:-1] if last == 1 else name_high}"
    )


def moment(when: datetime | None) -> str:
    """Write a moment in UTC: "22 Feb 2014, 19:00 UTC"; a missing one is "unknown".

    Raises
    ------
    ValueError
        If the moment carries no time zone.
    """
    if when is None or when != when:  # NaT is the only moment unequal to itself
        return UNKNOWN
    if when.tzinfo is None:
        raise ValueError(f"{when!r} has no time zone; moments are UTC")
    at = when.astimezone(UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def day(when: datetime) -> str:
    """Write a date: "4 October 2021"."""
    return f"{when.day} {when:%B %Y}"


def percent(share: float) -> str:
    """Write a share between 0 and 1 as whole percent: "42%", "less than 1%", "more than 99%".

    Only an exact 0 or 1 is written as 0% or 100%.
    """
    if not math.isfinite(share):
        return UNKNOWN
    if 0 < share < 0.01:
        return "less than 1%"
    if 0.99 < share < 1:
        return "more than 99%"
    return f"{digits(float(round(100 * share)))}%"


def listing(items: Sequence[str]) -> str:
    """Join words as prose: "a", "a and b", "a, b and c"."""
    words = list(items)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def published(value: float | None, unit: str, qualifier: str = "") -> str:
    """Write a figure as it was published, briefly and without rounding it.

    Parameters
    ----------
    value : float or None
        The published number; None or NaN when none was given.
    unit : str
        As in the tables: "users", "users/s", "installs/day", "percent" (a change), "ratio", "rank" ...
    qualifier : str
        "about", "more_than", "up_to", "exact", "none" or empty.

    Returns
    -------
    str
        "about 100 users a second", "over 9 million users", "10 times", "+404 percent", "rank 5".
    """
    if value is None or not math.isfinite(value):
        return "no figure"
    before = _QUALIFIERS.get(qualifier, f"{qualifier.replace('_', ' ')} ")
    thing, _, per = unit.partition("/")
    scale, word = _scale(value)
    shown = _scaled(value, scale)
    # a published 1,234,567 stays whole: more than three decimals of a million are digits, not words
    number = shown + word if len(shown.partition(".")[2]) <= 3 else digits(value)
    if thing == "percent":
        return f"{before}{'+' if value > 0 else ''}{number} percent"
    if thing == "ratio":
        return f"{before}{number} times"
    if thing == "rank":
        return f"{before}rank {number}"
    named = f"{number} {thing}" if thing else number
    return before + (f"{named} {_each(_SHORT.get(per, per))}" if per else named)
