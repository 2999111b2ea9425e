"""Real series at dates when nothing happened: how often does the 95% interval cover zero?

    python bench/real_placebos.py [--series DIR]

Writes bench/real_placebos.csv, a row a source. The dates are spread evenly over the second half of each series, windows
do not overlap, and every window with a known event (the benchmarks' own labels, holidays, the events the sources'
notes name) is passed over. Nothing else is left out: what else happened on a date, nobody knows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from one_measurement import Result, result

from helpers.measured.window import CannotTell, Window

HERE = Path(__file__).parent
SHARED = HERE.parents[1] / "shared" / "series"
LEVEL = 0.95
#: Taken together, the share of windows whose 95% interval covers zero should lie here.
TARGET = (0.92, 0.98)


@dataclass(frozen=True)
class Real:
    """A real series: counts by time, hours of a window, placebo dates wanted, days that are known to be special."""

    source: str
    counts: pd.Series
    hours: float
    dates: int
    special: tuple[tuple[str, str], ...] = ()
    fractional: bool = False


def regular(times: pd.Series, values: pd.Series, step: str) -> pd.Series:
    """Sum to a step; a step without a row is missing."""
    index = pd.DatetimeIndex(pd.to_datetime(times)).tz_localize("UTC")
    return pd.Series(values.to_numpy(dtype=float), index).resample(step).sum(min_count=1)


def read(folder: Path) -> Iterator[Real]:
    """Read every real series there is."""
    labels = json.loads((folder / "nab_counts" / "labels.json").read_text())["windows"]
    taxi = pd.read_csv(folder / "nab_counts" / "nyc_taxi_30min.csv")
    taxi_days = (
        *((a[:19], b[:19]) for a, b in labels["realKnownCause/nyc_taxi.csv"]),
        ("2014-09-01", "2014-09-02"), ("2014-10-13", "2014-10-14"), ("2014-11-11", "2014-11-12"),
        ("2014-12-20", "2015-01-05"), ("2015-01-19", "2015-01-20"),
    )  # fmt: skip
    for step, dates in (("30min", 12), ("h", 12), ("D", 12)):
        hours = 24 if step != "D" else 7 * 24
        yield Real("taxi trips, New York", regular(taxi.timestamp, taxi.value, step), hours, dates, taxi_days)
    tweets = pd.read_csv(folder / "nab_counts" / "twitter_volume_10_5min.csv", index_col=0)
    for name in tweets:
        days = tuple((a[:19], b[:19]) for a, b in labels.get(f"realTweets/Twitter_volume_{name}.csv", []))
        yield Real(
            "mentions of ten companies", regular(tweets.index.to_series(), tweets[name], "h").iloc[1:-1], 24, 8, days
        )
    tor = pd.read_csv(folder / "tor_direct_users_2009_2011" / "direct-users.csv", index_col=0, na_values="NA")
    tor = tor.loc["2009-10-05":]
    large = [country for country in tor if country not in ("??", "all", "cn", "tn") and tor[country].median() > 200]
    for country in large:
        counts = regular(tor.index.to_series(), tor[country], "D")
        yield Real("Tor users of a country", counts, 14 * 24, 4, (("2010-12-15", "2011-02-01"),), True)
    bikes = pd.read_csv(folder / "bike_sharing_daily" / "bike_sharing_daily.csv")
    special = (
        ("2011-08-27", "2011-08-29"), ("2012-10-28", "2012-11-01"),  # hurricanes Irene and Sandy
        ("2011-11-24", "2011-11-26"), ("2012-11-22", "2012-11-24"),
        ("2011-12-20", "2012-01-05"), ("2012-12-20", "2013-01-05"),
    )  # fmt: skip
    for column in ("casual", "registered", "cnt"):
        yield Real("bicycle rentals, Washington", regular(bikes.dteday, bikes[column], "D"), 14 * 24, 10, special)
    for country in ("britain", "france", "sweden"):
        deaths = pd.read_csv(folder / "economist_excess_deaths" / f"historical-deaths__{country}_weekly_deaths.csv")
        deaths = deaths[deaths.start_date < "2020-02-20"]
        yield Real("weekly deaths", regular(deaths.start_date, deaths.total_deaths, "7D"), 6 * 7 * 24, 8, (), True)
    trends = pd.read_csv(folder / "google_trends_social_2022" / "gt_social_media_data.csv")
    for name in ("twitter", "linkedin", "tiktok", "instagram"):
        counts = regular(trends.date, trends[name], "D")
        yield Real("search interest", counts, 7 * 24, 6, (("2022-10-27", "2022-11-30"),), True)
    github = pd.read_csv(folder / "github_status_incidents" / "incidents.csv")
    started = pd.to_datetime(github.started_at, utc=True)
    days = pd.date_range("2022-04-01", "2026-08-01", freq="D", tz="UTC")
    daily = pd.Series(1.0, started).sort_index().resample("D").sum().reindex(days, fill_value=0.0)
    yield Real("incidents of GitHub a day", daily, 30 * 24, 12)
    visits = pd.read_csv(folder / "causalimpact_fixtures" / "comparison_data.csv")
    for name in visits.columns[2:]:
        yield Real("daily traffic", regular(visits.DATE, visits[name], "D"), 7 * 24, 4)


def placebos(real: Real) -> list[Window]:
    """Return windows in the second half that hold nothing known, evenly spread, without overlap."""
    times = pd.DatetimeIndex(real.counts.index)
    length = pd.Timedelta(hours=real.hours)
    special = [tuple(pd.Timestamp(end, tz="UTC") for end in ends) for ends in real.special]
    free = [
        start
        for start in pd.date_range(times[len(times) // 2], times[-1] - length, freq=length)
        if not any(start < last and start + length > first for first, last in special)
    ]
    chosen = np.unique(np.linspace(0, len(free) - 1, min(real.dates, len(free))).astype(int))
    return [Window(free[i], free[i] + length) for i in chosen]


def measured(real: Real, window: Window) -> tuple[str, Result | str]:
    """Measure one placebo window from the past before it; special times are not learnt from."""
    counts = real.counts.loc[: window.end]
    special = [Window(*(pd.Timestamp(end, tz="UTC") for end in ends)) for ends in real.special]
    try:
        return real.source, result(
            counts, window, 0.0, LEVEL, horizon=window.end - window.start, exclude=special, fractional=real.fractional
        )
    except CannotTell as refused:
        return real.source, str(refused)


def table(found: list[tuple[str, Result | str]]) -> pd.DataFrame:
    """Return coverage by source, and of all windows."""
    rows = []
    sources = list(dict.fromkeys(source for source, _ in found))
    for name in [*sources, "all"]:
        own = [r for source, r in found if name in (source, "all")]
        good = [r for r in own if isinstance(r, Result)]
        covered = np.array([r.low <= 0 <= r.high for r in good])
        width = np.median([(r.high - r.low) / max(r.expected, 1e-9) for r in good])
        rows.append((name, len(good), len(own) - len(good), covered.mean(), width))
    return pd.DataFrame(rows, columns=["source", "windows", "refused", "covers_zero_95", "median_relative_width"])


def main() -> None:
    """Measure all and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=Path, default=SHARED)
    options = parser.parse_args()
    work = [(real, window) for real in read(options.series) for window in placebos(real)]
    found = list(Parallel(n_jobs=2)(delayed(measured)(real, window) for real, window in work))
    shown = table(found)
    shown.round(3).to_csv(HERE / "real_placebos.csv", index=False)
    print(shown.to_string(index=False))


if __name__ == "__main__":
    main()
