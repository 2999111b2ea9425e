"""Do next year's outages fall into their predictive interval? Simulated histories with a known truth.

    python bench/forecast.py [--worlds 500] [--jobs 2]

Writes bench/forecast.csv (coverage of the intervals for incidents and hours down) and bench/trend.csv (what the
verdict on the trend says when the truth is known: its false alarms and its power).
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.evidence import Evidence
from helpers.incidence.forecast import forecast, union
from helpers.incidence.history import History, select
from helpers.incidence.rates import VERDICTS, trend

HERE = Path(__file__).parent
SERVICES = 4
SHAPES = (0.5, 1.0, 2.0, 5.0, 20.0, np.inf)
TRENDS = (0.0, 0.0, 0.0, -0.15, 0.15)
LENGTHS = ("log-normal", "log-normal", "log-normal", "Weibull")
UNPUBLISHED = 0.3
DAY_ZERO = pd.Timestamp("2010-01-01", tz="UTC")


@dataclass(frozen=True)
class Truth:
    """What makes the incidents of one service.

    Attributes
    ----------
    rate : incidents per year in the middle of what is observed; a gamma of this shape multiplies each calendar year.
    change : relative change of the rate a year.
    years : observed, from the first of a day to the end of the history, part years at both ends.
    centre, scatter : of the log length in hours.
    lengths : their distribution.
    """

    rate: float
    shape: float
    change: float
    years: float
    centre: float
    scatter: float
    lengths: str


def draw(rng: np.random.Generator, lengths: str) -> Truth:
    """Draw a truth over the whole range that is to be served; not from the model's prior."""
    rate = float(np.exp(rng.uniform(np.log(0.5), np.log(30))))
    shape, change = float(rng.choice(SHAPES)), float(rng.choice(TRENDS))
    scatter = float(rng.choice([0.8, 1.2, 1.6]))
    return Truth(rate, shape, change, rng.uniform(2, 12), rng.normal(np.log(1.5), 0.7), scatter, lengths)


def incidents(truth: Truth, until: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Moments (years since DAY_ZERO) and hours of the incidents of the exposure and of the year after it."""
    first = until - truth.years
    years = np.arange(np.floor(first), np.floor(until + 1) + 1)
    luck = np.ones(len(years)) if np.isinf(truth.shape) else rng.gamma(truth.shape, 1 / truth.shape, len(years))
    # In small steps, so that a trend goes on within a year.
    step = np.arange(0, 1, 1 / 50)
    at = (years[:, None] + step).ravel()
    usual = truth.rate * (1 + truth.change) ** (at + 0.01 - (until - truth.years / 2)) / 50
    number = rng.poisson(usual * luck.repeat(50))
    moments = np.sort(np.repeat(at, number) + rng.uniform(0, 1 / 50, number.sum()))
    moments = moments[(moments >= first) & (moments < until + 1)]
    if truth.lengths == "Weibull":
        hours = np.exp(truth.centre) * rng.weibull(1 / truth.scatter, len(moments))
    else:
        hours = rng.lognormal(truth.centre, truth.scatter, len(moments))
    return moments, np.maximum(hours, 1 / 60)


def tables(truths: list[Truth], until: float, rng: np.random.Generator) -> tuple[Evidence, list[int], list[float]]:
    """Evidence tables up to ``until``, and the incidents and hours down of each service in the year after."""
    rows, counts, downs = [], [], []
    for i, truth in enumerate(truths):
        moments, hours = incidents(truth, until, rng)
        past = moments < until
        start = _when(moments[past])
        unpublished = rng.random(past.sum()) < UNPUBLISHED
        rows.append(
            pd.DataFrame(
                {
                    "service_id": f"s{i}",
                    "start_utc": start,
                    "duration_hours": np.where(unpublished, np.nan, hours[past]),
                }
            )
        )
        # Each service is there because an event of it opens its exposure; that event is in no rate.
        opened = _when(np.array([until - truth.years]))
        rows.append(pd.DataFrame({"service_id": f"s{i}", "start_utc": opened, "duration_hours": [np.nan]}))
        begin = (moments[~past] - until) * 8760
        counts.append(int((~past).sum()))
        downs.append(float(union(begin[None], np.minimum(begin + hours[~past], 8760)[None])[0]))
    events = pd.concat(rows, ignore_index=True)
    events = events.assign(
        outage_id=[f"o{i}" for i in range(len(events))], kind="outage", incidents=1, time_precision="minute",
        duration_low_hours=np.nan, duration_high_hours=np.nan, cause_category="unknown", cause="", source_ids="p",
        external_ids="",
        end_utc=pd.Series(pd.NaT, index=events.index, dtype="datetime64[us, UTC]"),
    )  # fmt: skip
    names = [f"s{i}" for i in range(len(truths))]
    services = pd.DataFrame({"service_id": names, "name": names, "is_group": False})
    figures = pd.DataFrame({"service_id": [], "outage_id": [], "window_start_utc": [], "window_end_utc": []})
    figures = figures.astype({"window_start_utc": "datetime64[us, UTC]", "window_end_utc": "datetime64[us, UTC]"})
    usual = figures[["service_id", "window_start_utc"]]
    return Evidence(events, figures, usual, services, pd.DataFrame()), counts, downs


def _when(years: np.ndarray) -> pd.DatetimeIndex:
    """Moments of decimal years since DAY_ZERO, at the place in their calendar year."""
    whole = np.floor(years).astype(int)
    begun = pd.to_datetime([f"{DAY_ZERO.year + y}-01-01" for y in whole], utc=True)
    ended = pd.to_datetime([f"{DAY_ZERO.year + y + 1}-01-01" for y in whole], utc=True)
    return (begun + (ended - begun) * (years - whole)).as_unit("us")


def world(seed: int, truths: list[Truth], rng: np.random.Generator) -> tuple[History, list[int], list[float]]:
    """Simulate services that are watched until the same moment, some day of a year."""
    until = 14 + float(rng.choice([0.0, rng.uniform(0.02, 0.98)]))
    evidence, counts, downs = tables(truths, until, rng)
    end = _when(np.array([until]))[0]
    names = [f"s{i}" for i in range(len(truths))]
    return select(evidence, names, until=end.isoformat()), counts, downs


def one(seed: int) -> list[dict[str, object]]:
    """Simulate some services, forecast, and compare with what came."""
    rng = np.random.default_rng([20140222, seed])
    truths = [draw(rng, LENGTHS[seed % len(LENGTHS)]) for _ in range(SERVICES)]
    history, counts, downs = world(seed, truths, rng)
    made = forecast(history, seed=seed)
    rows = []
    for i, truth in enumerate(truths):
        row: dict[str, object] = {
            "rate": "0.5 to 2" if truth.rate < 2 else "2 to 8" if truth.rate < 8 else "8 to 30",
            "shape": truth.shape,
            "change": truth.change,
            "years": "2 to 4" if truth.years < 4 else "4 to 8" if truth.years < 8 else "8 to 12",
            "lengths": truth.lengths,
        }
        for name, frame, came in (("incidents", made.counts, counts[i]), ("hours", made.hours, downs[i])):
            seen = frame[frame["service_id"] == f"s{i}"].iloc[0]
            row[f"{name}_80"] = float(seen["low_80"] <= came <= seen["high_80"])
            row[f"{name}_95"] = float(seen["low"] <= came <= seen["high"])
            row[f"{name}_own_80"], row[f"{name}_own_95"] = seen["probability_80"], seen["probability"]
        rows.append(row)
    return rows


def told(case: tuple[int, float, int]) -> list[dict[str, object]]:
    """Simulate services with a known change of rate and see what is said of it."""
    seed, change, years = case
    rng = np.random.default_rng([20140222, 1, seed, years, int(1000 * (1 + change))])
    truths = [draw(rng, LENGTHS[0]) for _ in range(SERVICES)]
    truths = [Truth(t.rate, t.shape, change, years, t.centre, t.scatter, t.lengths) for t in truths]
    table = trend(world(seed, truths, rng)[0]).table.set_index("service_id")
    return [
        {
            "change": change,
            "years": years,
            "verdict": table.loc[f"s{i}", "verdict"],
            "covers": _covers(table.loc[f"s{i}"], change),
        }
        for i in range(SERVICES)
    ]


def _covers(row: pd.Series, change: float) -> bool:
    return bool(row["low"] <= change <= row["high"])


def coverage(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage of the flat histories, in all and by group; of those with a trend, by trend."""
    flat = rows[rows["change"] == 0]
    groups = [("all without trend", flat)]
    for column in ("rate", "shape", "years"):
        groups += [(f"{column} {value}", part) for value, part in flat.groupby(column)]
    groups += [(f"lengths {value}", part) for value, part in flat.groupby("lengths")]
    groups += [(f"trend {value:+.0%} a year", part) for value, part in rows[rows["change"] != 0].groupby("change")]
    table = []
    for name, part in groups:
        row: dict[str, object] = {"group": name, "histories": len(part)}
        for quantity in ("incidents", "hours"):
            for level in ("80", "95"):
                share = part[f"{quantity}_{level}"].mean()
                row[f"{quantity}_{level}"] = share
                row[f"{quantity}_{level}_error"] = np.sqrt(share * (1 - share) / len(part))
                row[f"{quantity}_{level}_promised"] = part[f"{quantity}_own_{level}"].mean()
        table.append(row)
    return pd.DataFrame(table)


def verdicts(rows: pd.DataFrame) -> pd.DataFrame:
    """Shares of the verdicts by true change and years observed, and coverage of the interval of the change."""
    by = rows.groupby(["change", "years"])
    shares = pd.DataFrame({verdict: by["verdict"].apply(lambda v, w=verdict: (v == w).mean()) for verdict in VERDICTS})
    return shares.assign(covers_95=by["covers"].mean(), histories=by.size()).reset_index()


def main() -> None:
    """Run and write the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=500, help=f"of {SERVICES} services each")
    parser.add_argument("--jobs", type=int, default=2)
    wanted = parser.parse_args()
    cases = [(i, c, y) for c in (0.0, -0.15, 0.15, -0.3, 0.3) for y in (4, 8, 12) for i in range(wanted.worlds // 8)]
    with ProcessPoolExecutor(wanted.jobs) as pool:
        rows = [row for found in pool.map(one, range(wanted.worlds), chunksize=4) for row in found]
        said = [row for found in pool.map(told, cases, chunksize=8) for row in found]
    for name, table in (("forecast", coverage(pd.DataFrame(rows))), ("trend", verdicts(pd.DataFrame(said)))):
        table.to_csv(HERE / f"{name}.csv", index=False, float_format="%.3f", lineterminator="\n")
        print(table.round(3).to_string(index=False), end="\n\n")


if __name__ == "__main__":
    main()
