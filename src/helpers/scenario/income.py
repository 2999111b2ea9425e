"""Income at stake for those who earn on a service while it is down: creators, streamers, sellers.

What they would have earned in the hours down, times the part of it that is really lost and not earned later or
elsewhere. That part is known badly. The one published anchor is of attention, not of money: of the minutes that people
would have spent at Meta's services in the outage of 4 October 2021, some moved to other services and the rest went
nowhere (Crosby, Center for Growth and Opportunity, 2021; the figures are rows of the evidence). What went nowhere may
have been caught up later, or not: nobody counted it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers import words
from helpers.evidence import Evidence

Array = NDArray[np.float64]

#: Row of ``growth_figures`` with the percent of the lost minutes that moved to other services (Crosby 2021).
MOVED_ID = "facebook-2021-10-04--other-social-media-and-streaming--1"
#: Ends of the part that is lost: all may be caught up (a video is watched, a sale is made, the day after), and
#: nothing may (a live show, an advertisement of the day). Assumed: neither end is ruled out by anything published.
LEAST_LOST, MOST_LOST = 0.0, 1.0
NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Income:
    """Income lost by those who earn on a service, with what it rests on.

    Attributes
    ----------
    draws : of the loss, in the currency of the income per hour, (n,).
    low, median, high : interval with equal tails, and the middle.
    mean : expected loss.
    level : probability that the interval holds, given the assumptions.
    currency : name or sign of the currency, perhaps empty.
    assumptions : sentences.
    """

    draws: Array
    low: float
    median: float
    high: float
    mean: float
    level: float
    currency: str
    assumptions: tuple[str, ...]


def likely_lost(evidence: Evidence) -> float | None:
    """Return the part of the attention that went nowhere in the one study; None where the evidence lacks it."""
    figures = evidence.growth_figures
    row = figures[
        (figures["figure_id"] == MOVED_ID) & (figures["unit"] == "percent") & figures["value"].between(0, 100)
    ]
    return None if row.empty else 1 - float(row["value"].iloc[0]) / 100


def at_stake(
    creators: float,
    income_per_creator_hour: float,
    hours: Array,
    likely: float | None,
    rng: np.random.Generator,
    currency: str = "",
    level: float = 0.8,
) -> Income | None:
    """Work out the income lost in an outage.

    Creators x income per hour x hours down x the part really lost. That part is triangular: anything from LEAST_LOST
    to MOST_LOST, most likely what the study found to go nowhere; without the study uniform. It is drawn once for each
    draw of the hours and is the same for everyone.

    Parameters
    ----------
    creators : how many earn on the service; 0 where it is not asked.
    income_per_creator_hour : mean income of one of them in an hour, over all hours of day and night, in a currency.
    hours : draws of the hours down, (n,).
    likely : most likely part that is lost, from :func:`likely_lost`; None without the study.
    rng : generator of the part.
    currency : shown with the amounts.
    level : of the interval.

    Returns
    -------
    Income or None
        None where creators or income are zero: nobody asked. :func:`said` says so.

    Raises
    ------
    ValueError
        For a number that is negative or not finite, hours that are empty or not one-dimensional, a part outside of 0
        to 1, or a level not between 0 and 1.
    """
    for name, value in (("creators", creators), ("income_per_creator_hour", income_per_creator_hour)):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{name}: got {value}, expected a number of zero or more")
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, expected a number between 0 and 1")
    if likely is not None and not LEAST_LOST <= likely <= MOST_LOST:
        raise ValueError(f"likely: got {likely}, expected a share between {LEAST_LOST:g} and {MOST_LOST:g}")
    if creators == 0 or income_per_creator_hour == 0:
        return None
    hours = np.asarray(hours, dtype=np.float64)
    if hours.ndim != 1 or len(hours) == 0 or not (np.isfinite(hours) & (hours >= 0)).all():
        raise ValueError("hours: expected at least one length of zero hours or more, each a finite number")
    if likely is None:
        part = rng.uniform(LEAST_LOST, MOST_LOST, len(hours))
    else:
        part = rng.triangular(LEAST_LOST, likely, MOST_LOST, len(hours))
    lost = creators * income_per_creator_hour * hours * part
    low, median, high = np.quantile(lost, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Income(
        lost, float(low), float(median), float(high), float(lost.mean()), level, currency, _assumptions(likely)
    )


def said(income: Income | None) -> str:
    """Say the range of the loss in a sentence, or that it was not asked."""
    if income is None:
        return f"Income of those who earn on the service: {NOT_ASKED}."
    amount = words.interval(income.low, income.high)
    unit = f" {income.currency}" if income.currency else ""
    return (
        f"Those who earn on the service would lose {amount}{unit} (with {words.percent(income.level)} probability, "
        f"middle {words.count(income.median, 2)}), if the assumptions hold."
    )


def _assumptions(likely: float | None) -> tuple[str, ...]:
    ends = f"anything from {words.percent(LEAST_LOST)} to {words.percent(MOST_LOST)} of the income of those hours"
    if likely is None:
        part = f"{ends} is really lost, each share as likely as any other: the evidence has no study of it."
    else:
        part = (
            f"{ends} is really lost and not earned later or elsewhere; {words.percent(likely)} is taken as the most "
            "likely, the part of the attention that went to no other service in the outage of 4 October 2021 "
            "(Crosby 2021). That study counted minutes, not money, and not what was caught up afterwards."
        )
    return (
        "An hour down costs the mean hour's income, whatever the hour of the day.",
        f"{part[0].upper()}{part[1:]}",
        "The part lost is the same for everyone and does not change with the length of the outage.",
    )
