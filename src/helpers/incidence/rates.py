"""Incidents per service and year with their exposure, and whether they become more or fewer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.incidence.exposure import decimal_year
from helpers.incidence.gamma_poisson import Posterior, posterior
from helpers.incidence.history import History, placed

Array = NDArray[np.float64]

VERDICTS = ("fewer", "more", "no clear trend", "too few to tell")
#: Below these a trend is not told, whatever the interval says.
LEAST_YEARS = 3.0
LEAST_INCIDENTS = 5
LINE_POINTS = 40


@dataclass(frozen=True)
class Trends:
    """Change of the incident rate of each service.

    Attributes
    ----------
    table : one row a service: service_id, name, years (of exposure), incidents, change (a year, relative: -0.05
        is 5% fewer each year; posterior median), low, high (its interval), p (two-sided tail probability of no
        change, from the same posterior as the interval), verdict (one of VERDICTS).
    line : the fitted rate for drawing: service_id, name, at (UTC), rate (per year, posterior median), low, high.
    """

    table: pd.DataFrame
    line: pd.DataFrame


def yearly(history: History, level: float = 0.95) -> pd.DataFrame:
    """Count the incidents of each main service in each calendar year of its exposure.

    Parameters
    ----------
    history : see :func:`helpers.incidence.history.select`.
    level : of the interval for the rate: the exact central one of Garwood (1936, Biometrika 28:437-442), which
        takes the year's own rate as fixed.

    Returns
    -------
    DataFrame
        service_id, name, year, first_day, last_day (of what was observed; UTC), exposure_years (share of the
        year), part (a part of the year only), incidents, rate, low, high (incidents per year), middle (decimal
        year in the middle of what was observed).

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.
    """
    from statsmodels.stats.rates import confint_poisson

    check_level(level)
    spans = history.services[history.services["service_id"].isin(history.main)]
    spans = spans[["service_id", "name", "exposure_start", "exposure_end"]]
    ends = spans["exposure_end"] - pd.Timedelta(microseconds=1)
    years = [list(range(a, b + 1)) for a, b in zip(spans["exposure_start"].dt.year, ends.dt.year, strict=True)]
    frame = spans.assign(year=years).explode("year", ignore_index=True)
    frame["year"] = frame["year"].astype("int64")
    frame["first_day"] = frame["exposure_start"].clip(lower=_new_year(frame["year"]))
    end = frame["exposure_end"].clip(upper=_new_year(frame["year"] + 1))
    begin = decimal_year(frame["first_day"])
    # The end of December is the next year's beginning.
    finish = decimal_year(end)
    frame["exposure_years"] = finish - begin
    frame["middle"] = (begin + finish) / 2
    frame["part"] = frame["exposure_years"] < 1 - 1e-9
    frame["last_day"] = (end - pd.Timedelta(microseconds=1)).dt.floor("D")
    frame["incidents"] = _incidents(history, frame)
    frame["rate"] = frame["incidents"] / frame["exposure_years"]
    low, high = confint_poisson(
        frame["incidents"].to_numpy(), frame["exposure_years"].to_numpy(), method="exact-c", alpha=1 - level
    )
    frame["low"], frame["high"] = np.where(frame["incidents"] == 0, 0.0, low), high
    columns = [
        "service_id", "name", "year", "first_day", "last_day", "exposure_years", "part", "incidents", "rate", "low",
        "high", "middle",
    ]  # fmt: skip
    return frame[columns]


def fitted(years: pd.DataFrame) -> Posterior:
    """Fit the model of :mod:`helpers.incidence.gamma_poisson` to the rows of one service from :func:`yearly`."""
    return posterior(*(years[name].to_numpy("float64") for name in ("incidents", "exposure_years", "middle", "year")))


def trend(history: History, level: float = 0.95) -> Trends:
    """Estimate the log-linear change of each main service's incident rate, the years varying as a gamma.

    The model is the negative binomial regression of Lawless (1987) with the priors of
    :class:`helpers.incidence.gamma_poisson.Prior`, integrated on a grid: more honest than the Laplace test for a
    Poisson process (Cox and Lewis 1966), which takes every good or bad year for a trend. Interval and p come from one
    posterior: p is below ``1 - level`` exactly where the interval leaves out no change.

    The verdict is "too few to tell" with fewer than 3 years of exposure or 5 incidents, and where the interval
    holds both a halving and a doubling over the years observed.
    """
    check_level(level)
    rows, lines = [], []
    for service, years in yearly(history, level).groupby("service_id", sort=False):
        model = fitted(years)
        name, span, incidents = years["name"].iloc[0], years["exposure_years"].sum(), int(years["incidents"].sum())
        slope = _Distribution(model.trend, model.weight)
        low, middle, high = slope.quantile(np.array([(1 - level) / 2, 0.5, (1 + level) / 2]))
        below = float(slope.below(0.0))
        rows.append(
            {
                "service_id": service,
                "name": name,
                "years": span,
                "incidents": incidents,
                "change": np.expm1(middle),
                "low": np.expm1(low),
                "high": np.expm1(high),
                "p": 2 * min(below, 1 - below),
                "verdict": verdict(low, high, span, incidents),
            }
        )
        lines.append(_line(model, years, level).assign(service_id=service, name=name))
    columns = ["service_id", "name", "years", "incidents", "change", "low", "high", "p", "verdict"]
    empty = pd.DataFrame(columns=["service_id", "name", "at", "rate", "low", "high"])
    drawn = pd.concat(lines, ignore_index=True)[list(empty)] if lines else empty
    return Trends(pd.DataFrame(rows, columns=columns), drawn)


def verdict(low: float, high: float, years: float, incidents: int) -> str:
    """Say what an interval (low, high) of the change of the log rate per year supports: one of VERDICTS."""
    either = low * years < -np.log(2) and high * years > np.log(2)
    if years < LEAST_YEARS or incidents < LEAST_INCIDENTS or either:
        return "too few to tell"
    if high < 0:
        return "fewer"
    return "more" if low > 0 else "no clear trend"


def check_level(level: float) -> None:
    """Raise ValueError for a level that is not between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, expected a share between 0 and 1, such as 0.95")


@dataclass(frozen=True)
class _Distribution:
    """A distribution of weighted values, its function linear between them, so that tail and quantile agree."""

    value: Array
    weight: Array

    def _sorted(self) -> tuple[Array, Array]:
        # Equal values are one step of the distribution function, up to the rounding of the grid.
        value, place = np.unique(np.round(self.value, 12), return_inverse=True)
        weight = np.bincount(place, self.weight)
        share = np.cumsum(weight)
        return value, (share - weight / 2) / share[-1]

    def quantile(self, q: Array) -> Array:
        value, share = self._sorted()
        at: Array = np.asarray(np.interp(q, share, value), dtype=np.float64)
        return at

    def below(self, x: float) -> float:
        value, share = self._sorted()
        return float(np.interp(x, value, share))


def _line(model: Posterior, years: pd.DataFrame, level: float) -> pd.DataFrame:
    """Rate at evenly spaced moments of the exposure."""
    first = years["middle"].iloc[0] - years["exposure_years"].iloc[0] / 2
    last = years["middle"].iloc[-1] + years["exposure_years"].iloc[-1] / 2
    at = np.linspace(first, last, LINE_POINTS)
    node = model.pick(2000, np.random.default_rng(0))
    rate = model.rate[node] * np.exp(model.trend[node] * (at[:, None] - model.centre))
    low, middle, high = np.quantile(rate, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=1)
    moments = [_moment(value) for value in at]
    return pd.DataFrame({"at": moments, "rate": middle, "low": low, "high": high})


def _moment(year: float) -> pd.Timestamp:
    whole = int(year)
    begun, ended = pd.Timestamp(whole, 1, 1, tz="UTC"), pd.Timestamp(whole + 1, 1, 1, tz="UTC")
    return (begun + (ended - begun) * (year - whole)).floor("s")


def _new_year(year: pd.Series) -> pd.Series:
    return pd.to_datetime(year.astype("str") + "-01-01", utc=True).astype("datetime64[us, UTC]")


def _incidents(history: History, frame: pd.DataFrame) -> NDArray[np.int64]:
    """Incidents that are counted, for each service and year of a frame."""
    events = history.events[~history.events["opens"]]
    at = placed(events).merge(
        history.services[["service_id", "exposure_start", "exposure_end"]], on="service_id", how="left"
    )
    inside = at[(at["at"] >= at["exposure_start"]) & (at["at"] < at["exposure_end"])]
    counts = inside.groupby(["service_id", inside["at"].dt.year]).size()
    keys = pd.MultiIndex.from_arrays([frame["service_id"], frame["year"]])
    found: NDArray[np.int64] = counts.reindex(keys, fill_value=0).to_numpy(dtype="int64")
    return found
