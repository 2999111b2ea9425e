"""Would the forecast have been right? Each past year predicted from the years before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.incidence import forecast as forecasts
from helpers.incidence import intervals
from helpers.incidence.forecast import SEED, Pools, generator, hours_down, union, with_hours
from helpers.incidence.history import History, placed
from helpers.incidence.rates import check_level, fitted, yearly

Array = NDArray[np.float64]

#: A year is predicted from at least so many years of exposure before it.
LEAST_BEFORE = 2.0
DRAWS = 2_000
OUTAGES, HOURS = "outages", "hours down"
#: So few hits by chance are taken for a poor prediction.
CHANCE = 0.05


@dataclass(frozen=True)
class Backtest:
    """Predictions of past years, and how often they held.

    Attributes
    ----------
    table : one row a prediction: service_id, name, quantity (OUTAGES or HOURS), year, part (only a part of the
        year was observed, and only that was predicted), exposure_years, before_years and before_incidents (what
        the prediction rests on), median, low_80, high_80, low, high, probability_80, probability, observed,
        hit_80, hit.
    shares : for each quantity and level: quantity, level, predictions, hits, share, low, high (exact interval of
        the share: Clopper and Pearson 1934), promised (mean probability of the intervals by themselves).
    """

    table: pd.DataFrame
    shares: pd.DataFrame


def backtest(history: History, level: float = 0.95, seed: int = SEED) -> Backtest:
    """Predict each past year of each main service from the years before it only (Dawid 1984).

    A year needs two years of exposure before it. Of the year under way only the observed part is predicted. Hours
    down are compared only where the length of every incident of the year is published. Two things flatter or
    spoil the comparison: services are here because incidents of them were published later, and what is
    published grows over the years.

    Parameters
    ----------
    history : see :func:`helpers.incidence.history.select`.
    level : of the wider interval; the other is always 80%.
    seed : of the simulation.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.
    """
    check_level(level)
    timed, pools = with_hours(history.events), Pools(history)
    years = yearly(history)
    down = _observed_hours(timed, years)
    rows = []
    for before, now in _cases(years):
        rng = generator(seed + int(now["year"]), str(now["service_id"]))
        exposure = float(now["exposure_years"])
        when = (np.array([now["year"]], float), np.array([now["middle"]]), np.array([exposure]))
        means = fitted(before).means(*when, DRAWS, rng)
        count, probability = intervals.mixture(means, rng)
        usual, wide = intervals.counted(count, probability, (0.8, level))
        middle = float(count[np.searchsorted(np.cumsum(probability), 0.5)])
        case = {name: now[name] for name in ("service_id", "name", "year", "part", "exposure_years")}
        case["before_years"] = float(before["exposure_years"].sum())
        case["before_incidents"] = int(before["incidents"].sum())
        rows.append(case | _row(OUTAGES, middle, usual, wide, float(now["incidents"])))
        seen = down.get((now["service_id"], now["year"]))
        if seen is not None:
            span = forecasts.part_hours(exposure)
            lasting = pools.fit(str(now["service_id"]), now["first_day"]).draws(str(now["service_id"]), DRAWS, rng)
            _, drawn = hours_down(means, *lasting, span, rng)
            usual, wide = intervals.amounts(drawn, 0.8), intervals.amounts(drawn, level)
            rows.append(case | _row(HOURS, float(np.median(drawn)), usual, wide, seen))
    table = pd.DataFrame(rows, columns=_COLUMNS).sort_values("quantity", ascending=False, kind="stable")
    table = table.reset_index(drop=True)
    return Backtest(table, _shares(table, level))


_COLUMNS = [
    "service_id", "name", "quantity", "year", "part", "exposure_years", "before_years", "before_incidents", "median",
    "low_80", "high_80", "low", "high", "probability_80", "probability", "observed", "hit_80", "hit",
]  # fmt: skip


def _cases(years: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, dict[str, Any]]]:
    """Yield the years before and the year to predict."""
    for _, own in years.groupby("service_id", sort=False):
        enough = own["exposure_years"].cumsum().shift(fill_value=0.0) >= LEAST_BEFORE - 1e-9
        for place in np.flatnonzero(enough):
            yield own.iloc[:place], own.iloc[place].to_dict()


def _row(
    quantity: str, middle: float, usual: intervals.Interval, wide: intervals.Interval, observed: float
) -> dict[str, object]:
    return {
        "quantity": quantity,
        "median": middle,
        "low_80": usual.low,
        "high_80": usual.high,
        "low": wide.low,
        "high": wide.high,
        "probability_80": usual.probability,
        "probability": wide.probability,
        "observed": observed,
        "hit_80": usual.low <= observed <= usual.high,
        "hit": wide.low <= observed <= wide.high,
    }


def _observed_hours(timed: pd.DataFrame, years: pd.DataFrame) -> dict[tuple[str, int], float]:
    """Hours down of each service and year in which the length of every incident is known."""
    counted = placed(timed[timed["counted"] > 0])
    counted = counted.assign(year=counted["at"].dt.year)
    events = dict(list(counted.groupby(["service_id", "year"])))
    found: dict[tuple[str, int], float] = {}
    for row in years.itertuples(index=False):
        key = (str(row.service_id), int(row.year))
        part = events.get(key)
        if part is None:
            found[key] = 0.0
        elif part["known"].all():
            span = forecasts.part_hours(float(row.exposure_years))
            begin = ((part["at"] - row.first_day) / pd.Timedelta(hours=1)).to_numpy("float64")
            order = np.argsort(begin)
            end = np.minimum(begin + part["hours"].to_numpy("float64"), span)
            found[key] = float(union(begin[order][None], end[order][None])[0])
    return found


def poor(tested: Backtest) -> pd.DataFrame:
    """Find what was predicted badly: so few 80% intervals held that it would be chance in fewer than one of 20.

    The chance is that of so few hits or fewer among independent predictions that hold as often as they say
    (binomial). Several services are looked at, each by itself: one warning too many is better than one too few.

    Returns
    -------
    DataFrame
        name (empty for all services together, told where no single one stands out), quantity, hits, predictions.
    """
    rows = []
    for quantity, part in tested.table.groupby("quantity", sort=False):
        own = [(str(name), quantity, some) for name, some in part.groupby("name", sort=False) if _missed(some)]
        rows += own or ([("", quantity, part)] if _missed(part) else [])
    found = [(name, quantity, int(part["hit_80"].sum()), len(part)) for name, quantity, part in rows]
    return pd.DataFrame(found, columns=["name", "quantity", "hits", "predictions"])


def _missed(part: pd.DataFrame) -> bool:
    from scipy.stats import binom

    return bool(binom.cdf(part["hit_80"].sum(), len(part), part["probability_80"].mean()) < CHANCE)


def _shares(table: pd.DataFrame, level: float) -> pd.DataFrame:
    """Share of predictions that held, with its exact interval at 95%."""
    from statsmodels.stats.proportion import proportion_confint

    rows = []
    for quantity in (OUTAGES, HOURS):
        part = table[table["quantity"] == quantity]
        for own, hit, promised in ((0.8, "hit_80", "probability_80"), (level, "hit", "probability")):
            hits, n = int(part[hit].sum()), len(part)
            low, high = proportion_confint(hits, n, method="beta") if n else (float("nan"), float("nan"))
            rows.append(
                {
                    "quantity": quantity,
                    "level": own,
                    "predictions": n,
                    "hits": hits,
                    "share": hits / n if n else float("nan"),
                    "low": float(low),
                    "high": float(high),
                    "promised": float(part[promised].mean()) if n else float("nan"),
                }
            )
    return pd.DataFrame(rows)
