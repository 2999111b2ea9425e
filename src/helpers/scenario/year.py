"""Users lost in a year of outages: the incidents of a forecast, each with a length and what a length costs.

A compound sum (Klugman, Panjer and Willmot, Loss Models, 4th edition, 2012, chapter 9), simulated: the number of
incidents from the draws of :mod:`helpers.incidence.forecast`, each one's length from the posterior of
:mod:`helpers.incidence.duration_model`, each one's loss from the caller. Losses are added up: incidents that overlap
count twice, and nobody is lost in one incident because of another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers import words
from helpers.incidence import intervals
from helpers.incidence.duration_model import Lengths
from helpers.incidence.forecast import Forecast, Pools
from helpers.incidence.history import YEAR_HOURS, History

Array = NDArray[np.float64]
#: Loss of each of several incidents, (n,), from its hours and the number of the simulated year it falls into, (n,)
#: each: what is uncertain about all incidents alike has to be drawn once a year, or it would average out.
Loss = Callable[[Array, NDArray[np.intp], np.random.Generator], Array]

#: Incidents whose losses are worked out at a time.
BATCH = 500_000
#: The loss that one year in twenty goes beyond.
WORST = 0.95
#: A mean is dominated where less than this share of the simulated years makes up half of it.
FEW_YEARS = 0.01
NOT_AMONG = "not among the services with a forecast: ask for it by name"


@dataclass(frozen=True)
class NotForecast:
    """A service of which no year is predicted, and why."""

    service_id: str
    why: str


@dataclass(frozen=True)
class YearLoss:
    """Users lost to outages within the twelve months of a forecast.

    Attributes
    ----------
    service_id : the service.
    starts, ends : of the twelve months (UTC, the end not included).
    incidents : expected number of incidents.
    mean, median : expected loss and the middle one, users.
    low, high : interval of the loss, users; it holds with ``probability``.
    worst : loss that one year in twenty goes beyond, users.
    none : probability of no loss at all.
    half : smallest share of the simulated years that makes up half of the mean; nan where nothing is lost.
    draws : simulated losses, (n,).
    """

    service_id: str
    starts: pd.Timestamp
    ends: pd.Timestamp
    incidents: float
    mean: float
    median: float
    low: float
    high: float
    probability: float
    worst: float
    none: float
    half: float
    draws: Array

    @property
    def dominated(self) -> bool:
        """Whether a few of the simulated years make the mean: then it is no number to plan with."""
        return self.half < FEW_YEARS

    @property
    def remark(self) -> str:
        """What a reader should know of the mean."""
        if self.mean == 0:
            return "No year in the simulation lost anyone."
        both = f"mean {words.count(self.mean, 2)}, median {words.count(self.median, 2)}"
        if self.dominated:
            return (
                f"The mean rests on less than {words.percent(FEW_YEARS)} of the simulated years ({both}): it would "
                "change with a few of them. Plan with the median and the loss of the worst year in twenty."
            )
        return f"Half of the mean comes from {words.percent(self.half)} of the simulated years ({both})."


def lengths_of(history: History, made: Forecast, service_id: str) -> Lengths | None:
    """Posterior of the lengths that the forecast of a service used; None where it has no forecast."""
    starts = made.counts.loc[made.counts["service_id"] == service_id, "starts"]
    return None if starts.empty else Pools(history).fit(service_id, starts.iloc[0])


def year(
    made: Forecast,
    service_id: str,
    loss: Loss,
    incident_hours: Lengths | None,
    rng: np.random.Generator,
    level: float = 0.8,
) -> YearLoss | NotForecast:
    """Sum what the incidents of the next twelve months would cost.

    Parameters
    ----------
    made : forecast that holds the service.
    service_id : the failing service.
    loss : users lost for good in each of n incidents, given the hours of each, the simulated year it falls into
        ((n,) each) and a generator.
    incident_hours : posterior of the lengths, from :func:`lengths_of`. A length is cut to a year.
    rng : generator of lengths and losses.
    level : of the interval.

    Returns
    -------
    YearLoss or NotForecast
        The latter with the reason the forecast gives for leaving the service out.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1, the lengths are missing, or ``loss`` does not return one finite loss of
        zero or more for each incident.
    """
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, expected a number between 0 and 1")
    row = made.counts[made.counts["service_id"] == service_id]
    if row.empty:
        why = made.left_out.loc[made.left_out["service_id"] == service_id, "why"]
        return NotForecast(service_id, NOT_AMONG if why.empty else str(why.iloc[0]))
    if incident_hours is None:
        raise ValueError(f"incident_hours: {service_id} has a forecast, so its lengths are needed; see lengths_of()")
    number = made.draws.loc[made.draws["service_id"] == service_id, "incidents"].to_numpy("int64")
    draws = _sums(number, loss, *incident_hours.draws(service_id, len(number), rng), rng)
    span = intervals.amounts(draws, level)
    return YearLoss(
        service_id,
        row["starts"].iloc[0],
        row["ends"].iloc[0],
        float(number.mean()),
        float(draws.mean()),
        float(np.median(draws)),
        span.low,
        span.high,
        span.probability,
        float(np.quantile(draws, WORST)),
        float(np.mean(draws == 0)),
        _half(draws),
        draws,
    )


def _sums(number: NDArray[np.int64], loss: Loss, centre: Array, scatter: Array, rng: np.random.Generator) -> Array:
    """Sum the losses of each draw's incidents: (n,) from numbers, log centres and scatters (n,)."""
    total = np.zeros(len(number))
    reached = np.maximum(np.cumsum(number), 1) // BATCH
    for batch in np.split(np.arange(len(number)), np.flatnonzero(np.diff(reached)) + 1):
        which = np.repeat(batch, number[batch])
        if len(which) == 0:
            continue
        log = centre[which] + scatter[which] * rng.standard_normal(len(which))
        lost = np.asarray(loss(np.exp(np.minimum(log, np.log(YEAR_HOURS))), which, rng), dtype=np.float64)
        if lost.shape != which.shape:
            raise ValueError(f"loss: got shape {lost.shape} for {len(which)} incidents, expected one loss for each")
        if not (np.isfinite(lost) & (lost >= 0)).all():
            raise ValueError("loss: expected finite losses of zero or more")
        total += np.bincount(which, lost, len(number))
    return total


def _half(draws: Array) -> float:
    """Smallest share of the draws that makes up half of their sum."""
    if draws.sum() == 0:
        return float("nan")
    reached = np.cumsum(np.sort(draws)[::-1])
    return float((np.searchsorted(reached, reached[-1] / 2) + 1) / len(draws))
