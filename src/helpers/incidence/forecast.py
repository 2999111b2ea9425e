"""Outages and hours down to expect in the next twelve months, as predictive distributions."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.incidence import duration_model, intervals
from helpers.incidence.durations import lengths
from helpers.incidence.exposure import decimal_year
from helpers.incidence.history import YEAR_HOURS, History
from helpers.incidence.rates import check_level, fitted, yearly

Array = NDArray[np.float64]

DRAWS = 4_000
SEED = 20140222
#: Outages simulated at a time: what fits into memory easily.
BATCH = 3_000_000
FEWEST_DRAWS = 200
#: A shorter watch predicts no year, nor does one below a year with fewer incidents than this.
LEAST_YEARS, FEW_YEARS, FEW_INCIDENTS = 0.5, 1.0, 2
NOTHING, UNWATCHED, SHORT = "nothing collected", "not watched in this time", "too short a watch"


@dataclass(frozen=True)
class Forecast:
    """Predictive distributions of the twelve months after the end of each service's exposure.

    Attributes
    ----------
    counts : one row a service: service_id, name, starts and ends (of the twelve months; UTC, the end not included),
        incidents and years (what it rests on), mean, median, low, high, probability (that this interval really
        holds: counts make no exact 95%), low_80, high_80, probability_80, none (probability of no incident at all).
    hours : the same for hours down, overlapping outages once: service_id, name, known (published lengths of the
        service itself), median, low, high, probability, low_80, high_80, probability_80.
    pmf : service_id, count, probability.
    draws : service_id, incidents, hours: draws of both together.
    starts, ends : the earliest and latest of those in counts.
    left_out : services asked for, or with enough incidents, of which no year is predicted: service_id, name, years,
        incidents, why (NOTHING, UNWATCHED or SHORT).
    """

    counts: pd.DataFrame
    hours: pd.DataFrame
    pmf: pd.DataFrame
    draws: pd.DataFrame
    starts: pd.Timestamp
    ends: pd.Timestamp
    left_out: pd.DataFrame


def forecast(history: History, level: float = 0.95, seed: int = SEED) -> Forecast:
    """Predict incidents and hours down of each main service for the twelve months after its own exposure.

    The number of incidents is a gamma-varying Poisson count with a trend (:mod:`helpers.incidence.gamma_poisson`); the
    calendar year that is under way keeps the luck it has shown. Each incident then gets a moment in the twelve
    months and a log-normal length (:mod:`helpers.incidence.duration_model`); hours in which several overlap count once.
    What is predicted is what would be published: incidents nobody writes about are in no number here. The lengths
    are pooled over all services of the evidence that are watched in the same way, whatever was asked for. A watch
    of less than half a year, or of less than a year with fewer than two incidents, is too short to predict from.

    Parameters
    ----------
    history : see :func:`helpers.incidence.history.select`.
    level : of the wider interval; the other is always 80%.
    seed : of the simulation; the same seed gives the same numbers, whatever other services are asked for.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.
    """
    check_level(level)
    timed, pools = with_hours(history.events), Pools(history)
    left_out = _left_out(history)
    watch = history.services.set_index("service_id")
    counts, hours, pmf, draws = [], [], [], []
    for service, years in yearly(history).groupby("service_id", sort=False):
        if service in set(left_out["service_id"]):
            continue
        starts = watch.loc[service, "exposure_end"]
        ends = starts + pd.DateOffset(years=1)
        name = {"service_id": service, "name": years["name"].iloc[0]}
        rng = generator(seed, str(service))
        means = fitted(years).means(*parts(starts, ends), DRAWS, rng)
        count, probability = intervals.mixture(means, rng)
        usual, wide = intervals.counted(count, probability, (0.8, level))
        counts.append(
            name
            | {
                "starts": starts,
                "ends": ends,
                "incidents": int(years["incidents"].sum()),
                "years": years["exposure_years"].sum(),
                "mean": float(count @ probability),
                "median": float(count[np.searchsorted(np.cumsum(probability), 0.5)]),
            }
            | _ends(wide, usual)
            | {"none": float(probability[0]) if count[0] == 0 else 0.0}
        )
        lasting = pools.fit(str(service), starts).draws(str(service), DRAWS, rng)
        number, down = hours_down(means, *lasting, _hours(starts, ends), rng)
        own = timed[(timed["service_id"] == service) & timed["known"]]
        spans = [intervals.amounts(down, share) for share in (level, 0.8)]
        hours.append(name | {"known": len(own), "median": float(np.median(down))} | _ends(*spans))
        pmf.append(pd.DataFrame({"service_id": service, "count": count, "probability": probability}))
        draws.append(pd.DataFrame({"service_id": service, "incidents": number, "hours": down}))
    table = pd.DataFrame(counts, columns=None if counts else _COUNTS)
    return Forecast(
        table,
        pd.DataFrame(hours, columns=None if hours else _HOURS),
        pd.concat(pmf, ignore_index=True) if pmf else pd.DataFrame(columns=["service_id", "count", "probability"]),
        pd.concat(draws, ignore_index=True) if draws else pd.DataFrame(columns=["service_id", "incidents", "hours"]),
        table["starts"].min() if counts else history.until,
        table["ends"].max() if counts else history.until + pd.DateOffset(years=1),
        left_out,
    )


_ENDS = ["low", "high", "probability", "low_80", "high_80", "probability_80"]
_COUNTS = ["service_id", "name", "starts", "ends", "incidents", "years", "mean", "median", *_ENDS, "none"]
_HOURS = ["service_id", "name", "known", "median", *_ENDS]


def _ends(wide: intervals.Interval, usual: intervals.Interval) -> dict[str, float]:
    values = (wide.low, wide.high, wide.probability, usual.low, usual.high, usual.probability)
    return dict(zip(_ENDS, values, strict=True))


def generator(seed: int, service: str) -> np.random.Generator:
    """Return a generator of a service's own, so that asking for another service does not change its numbers."""
    return np.random.default_rng([seed, zlib.crc32(service.encode())])


def parts(start: pd.Timestamp, end: pd.Timestamp) -> tuple[Array, Array, Array]:
    """Cut a span into calendar years: the year, decimal middle and share of the year of each part."""
    years = np.arange(start.year, end.year + 1)
    edges = pd.Series([start, *(pd.Timestamp(int(y), 1, 1, tz="UTC") for y in years[1:]), end])
    decimal = decimal_year(edges.astype("datetime64[us, UTC]")).to_numpy("float64")
    long = np.diff(decimal)
    kept = long > 0
    return years[kept].astype("float64"), (decimal[:-1] + long / 2)[kept], long[kept]


def with_hours(events: pd.DataFrame) -> pd.DataFrame:
    """Events for each service they count for, with what is known of their length: hours, known."""
    found = lengths(events)
    return events.assign(hours=found["hours"], known=found["known"])


class Pools:
    """Lengths of all services of the evidence that are watched in the same way, fitted as they are asked for.

    Parameters
    ----------
    history : its ``pool`` is used, so that the lengths do not depend on the services that were asked for.
    """

    def __init__(self, history: History) -> None:
        """Work out what is known of every length."""
        self._timed = with_hours(history.pool)
        self._regimes = dict(zip(history.services["service_id"], history.services["regime"], strict=True))
        self._whole = set(self._timed.loc[self._timed["whole"], "service_id"])
        self._fits: dict[tuple[str, str, pd.Timestamp], duration_model.Lengths] = {}

    def fit(self, service: str, until: pd.Timestamp) -> duration_model.Lengths:
        """Fit the lengths of the events of a service's regime that began before a moment, as known at that moment.

        An event of several services counts for each of them: its length says as much about each. It counts for
        their group as one more only where the group itself is asked for.
        """
        regime = self._regimes[service]
        group = service if service in self._whole else ""
        if (regime, group, until) not in self._fits:
            timed = self._timed
            same = (timed["regime"] == regime) & (~timed["whole"] | (timed["service_id"] == group))
            self._fits[regime, group, until] = fit_lengths(timed[same], until)
        return self._fits[regime, group, until]


def fit_lengths(timed: pd.DataFrame, until: pd.Timestamp) -> duration_model.Lengths:
    """Fit the lengths of the events of :func:`with_hours` that began before a moment, as known at that moment."""
    before = timed[timed["start"] < until]
    left = ((until - before["start"]) / pd.Timedelta(hours=1)).to_numpy("float64")
    hours = before["hours"].to_numpy("float64")
    known = before["known"].to_numpy(bool) & (hours <= left)
    return duration_model.fit(before["service_id"].tolist(), np.minimum(hours, left), known)


def _left_out(history: History) -> pd.DataFrame:
    """Services that no year is predicted of."""
    rows = [(service, name, 0.0, 0, NOTHING) for service, name in history.nothing.items()]
    watch = history.services.set_index("service_id")
    rows += [(service, name, 0.0, 0, UNWATCHED) for service, name in history.unwatched.items()]
    for service in history.main:
        name, years, incidents = watch.loc[service, ["name", "exposure_years", "incidents"]]
        if years < LEAST_YEARS or (years < FEW_YEARS and incidents < FEW_INCIDENTS):
            rows.append((service, name, float(years), int(incidents), SHORT))
    return pd.DataFrame(rows, columns=["service_id", "name", "years", "incidents", "why"])


def hours_down(
    means: Array, centre: Array, scatter: Array, span: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Array]:
    """Simulate the incidents of a span of time and the hours in which at least one goes on.

    Parameters
    ----------
    means : draws of the expected incidents, (n,).
    centre, scatter : draws of the mean and standard deviation of the log length in hours, (n,).
    span : length of the span in hours; incidents begin anywhere in it, and count to its end at most.

    Returns
    -------
    incidents, hours : (m,) each; m is n, or fewer draws where the incidents are very many.
    """
    number = rng.poisson(np.minimum(means, 1e6))
    most = int(np.clip(BATCH / max(number.mean(), 1), FEWEST_DRAWS, len(means)))
    number = number[:most]
    order = np.argsort(number)
    down = np.zeros(len(number))
    filled = np.maximum(np.cumsum(number[order]), 1)
    for batch in np.split(order, np.flatnonzero(np.diff(filled // BATCH)) + 1):
        width = int(number[batch].max(initial=0))
        if width == 0:
            continue
        begin = rng.uniform(0, span, (len(batch), width))
        # Places beyond the number of this draw lie at the end of the span, where nothing is left to count.
        begin[np.arange(width) >= number[batch][:, None]] = span
        begin.sort(axis=1)
        log = centre[batch][:, None] + scatter[batch][:, None] * rng.standard_normal(begin.shape)
        end = np.minimum(begin + np.exp(np.minimum(log, 20.0)), span)
        down[batch] = union(begin, end)
    return number, down


def union(begin: Array, end: Array) -> Array:
    """Length of the union of intervals, row by row; each row is sorted by where its intervals begin."""
    reached = np.maximum.accumulate(end, axis=1)
    covered = np.concatenate([np.zeros((len(begin), 1)), reached[:, :-1]], axis=1)
    total: Array = np.maximum(end - np.maximum(begin, covered), 0).sum(axis=1)
    return total


def _hours(start: pd.Timestamp, end: pd.Timestamp) -> float:
    return float((end - start) / pd.Timedelta(hours=1))


def part_hours(years: float) -> float:
    """Hours in a share of a calendar year."""
    return years * YEAR_HOURS
