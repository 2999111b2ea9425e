"""What a rate of one moment would have brought had it lasted, and what long counts leave for the hours around.

"100 a second" held for a day would be 8.64 million. Where 4.95 million came in that day, it was held for 13.75
hours at most, or it was no hundred.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers import words
from helpers.published.stretch import Fact

DAY = 24.0


@dataclass(frozen=True)
class Held:
    """A moment's rate against a count.

    Attributes
    ----------
    figure_id, count_id : the rate, and the count whose hours it may lie in; empty where no count was told.
    per_second : the rate; ``low`` and ``high`` its rounding.
    held_day, held_outage : people, had it been held for a day, for the length of the outage (missing if unknown).
    count, count_hours, count_per_second : the count, its length in hours, and its mean.
    hours : for how many hours at most the rate can have been held, by the numbers as published; ``hours_low`` and
        ``hours_high`` with their rounding (a bound is read as a number rounded down).
    text : the same in a sentence.
    """

    figure_id: str
    count_id: str
    per_second: float
    low: float
    high: float
    held_day: float
    held_outage: float
    count: float
    count_hours: float
    count_per_second: float
    hours: float
    hours_low: float
    hours_high: float
    text: str


@dataclass(frozen=True)
class Remainder:
    """What a long count leaves for the hours that no shorter one within it speaks of.

    Attributes
    ----------
    figure_id, inside : the long count, and the shorter ones that do not overlap.
    hours : length of what is left.
    value, low, high : people left in those hours, by the numbers as published and with their rounding (a bound is
        read as a number rounded down); negative where the parts are more than the whole.
    text : the same in a sentence.
    """

    figure_id: str
    inside: tuple[str, ...]
    hours: float
    value: float
    low: float
    high: float
    text: str


def held(facts: Mapping[str, Fact], figures: pd.DataFrame, outage_hours: float) -> Iterator[Held]:
    """Set each moment's or peak rate against each count whose hours may hold it.

    Parameters
    ----------
    facts : by figure id, as told.
    figures : figure_id, published, repeats, value (people, or people per hour).
    outage_hours : length of the outage; missing if not known.
    """
    rows = figures.set_index("figure_id")
    originals = [i for i in facts if not rows.loc[i, "repeats"]]
    for i in originals:
        rate = facts[i]
        if rate.kind not in ("moment", "peak") or rate.hours > 1:
            continue
        value = float(rows.loc[i, "value"])
        counts = [
            j for j in originals if facts[j].kind == "count" and facts[j].hours >= 1 and _may_hold(facts[j], rate)
        ]
        whole = f"{_capital(rows.loc[i, 'published'])} held for a day would be {words.count(value * DAY)}"
        rate_alone = Held(
            figure_id=i,
            count_id="",
            per_second=value / 3600,
            low=rate.low / 3600,
            high=rate.high / 3600,
            held_day=value * DAY,
            held_outage=value * outage_hours,
            **dict.fromkeys(("count", "count_hours", "count_per_second", "hours", "hours_low", "hours_high"), np.nan),
            text=f"{whole}.",
        )
        if not counts:
            yield rate_alone
        for j in counts:
            count, amount = facts[j], float(rows.loc[j, "value"])
            each = [amount / value, count.low / rate.high, count.high / rate.low if rate.low else np.inf]
            hours = [min(h, count.hours) for h in each]
            mean = amount / count.hours / 3600
            text = (
                f"{whole}; {rows.loc[j, 'published']} in {words.duration(count.hours)} are a mean of "
                f"{words.rate(mean)}. {_at_most(hours, count.hours)}"
            )
            yield replace(
                rate_alone,
                count_id=j,
                count=amount,
                count_hours=count.hours,
                count_per_second=mean,
                hours=hours[0],
                hours_low=hours[1],
                hours_high=hours[2],
                text=text,
            )


def _at_most(hours: list[float], length: float) -> str:
    if hours[0] >= length:
        return "It can have been held all that time."
    text = f"It can have been held for {words.duration(hours[0])} of that time at most"
    return f"{text} ({words.duration_interval(*hours[1:])} with the rounding)."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _may_hold(count: Fact, rate: Fact) -> bool:
    """Whether the moment may lie in the hours of the count, in some time zone."""
    return (
        count.start + count.zone[0] < rate.end + rate.zone[1] and rate.start + rate.zone[0] < count.end + count.zone[1]
    )


def remainders(facts: Sequence[Fact], said: Mapping[str, str]) -> Iterator[Remainder]:
    """Subtract from each count the shorter ones within it that do not overlap, longest first.

    Parameters
    ----------
    facts : originals only, as told; windows as written.
    said : each figure in words, by figure id.
    """
    counts = [f for f in facts if f.kind == "count" and f.hours >= f.end - f.start - 1e-6]
    for whole in counts:
        inside: list[Fact] = []
        for part in sorted(counts, key=lambda f: -f.hours):
            within = part.hours < whole.hours and whole.start <= part.start and part.end <= whole.end
            if within and all(part.end <= other.start or other.end <= part.start for other in inside):
                inside.append(part)
        if not inside:
            continue
        inside.sort(key=lambda f: f.start)
        hours = whole.hours - sum(f.hours for f in inside)
        low = whole.low - sum(f.high for f in inside)
        high = whole.high - sum(f.low for f in inside)
        names = words.listing([said[f.figure_id] for f in inside])
        left = _left(low, high, hours)
        text = f"{_capital(said[whole.figure_id])} in {words.duration(whole.hours)} hold {names}: {left}"
        yield Remainder(whole.figure_id, tuple(f.figure_id for f in inside), hours, (low + high) / 2, low, high, text)


def _left(low: float, high: float, hours: float) -> str:
    if high < 0:
        return f"the parts are more than the whole by {words.interval(-high, -low)}."
    if hours <= 0:
        return f"{words.interval(max(low, 0.0), high)} left for no time at all."
    rate = words.rate_interval(max(low, 0.0) / hours / 3600, high / hours / 3600)
    return f"{words.interval(max(low, 0.0), high)} left for the other {words.duration(hours)}, {rate}."
