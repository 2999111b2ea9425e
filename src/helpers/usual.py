"""The usual level of a rival at the time of an event: what was published, and how doubtful it has become."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers.claims import Claim
from helpers.evidence import Evidence
from helpers.published.figures import hours_between

#: A baseline ages: standard deviation of its log after one year (it grows with the square root of time). Estimated
#: from levels that were published twice (:mod:`helpers.published.ageing`), as is the error of a usual level as
#: published (log), and that of one panel's level against its other counts.
DRIFT_PER_ROOT_YEAR, BASELINE_SCALE, SAME_PANEL_SCALE = 0.4, 0.35, 0.1
#: Half the width of a level that has no rounding of its own.
ROUNDED = 0.001
#: Error of installs taken for sign-ups or the other way round (log): assumed, and what
#: :mod:`helpers.published.claimants` finds agrees with it.
CONVERSION_SCALE = 0.7
OLDEST_BASELINE_YEARS = 3.0
#: A total told within so many days has a place in time, and one this long before the event is old, days.
LONGEST_TOTAL_DAYS, OLDEST_TOTAL_DAYS = 3, 30
CONVERTIBLE = {"signups": "installs", "installs": "signups"}


def earlier_totals(evidence: Evidence, origin: pd.Timestamp, like: pd.Series) -> list[Claim]:
    """Totals published shortly before the event: later totals grow from them."""
    rows = _like(evidence, like)
    days = (rows["window_end_utc"] - origin) / pd.Timedelta(days=1)
    rows = rows[(rows["reading"] == "total") & (rows["value"] > 0) & days.between(-OLDEST_TOTAL_DAYS, 2)]
    rows = rows[rows["window_end_utc"] - rows["window_start_utc"] <= pd.Timedelta(days=LONGEST_TOTAL_DAYS)]
    rows = rows[rows["role"].isin(["baseline", "during_event"]) & (rows["quantity"] == like["quantity"])]
    made = []
    for _, row in rows.iterrows():
        low, high = cl.interval(float(row["value"]), str(row["unit"]), "about", "total")
        start, end = hours_between(row["window_start_utc"], origin), hours_between(row["window_end_utc"], origin)
        name = str(row["baseline_id"])
        made.append(Claim(name, "total", low, high, "none", start, end, (0.0, 0.0), BASELINE_SCALE))
    return made


def _like(evidence: Evidence, like: pd.Series) -> pd.DataFrame:
    rows = evidence.baselines
    rows = rows[(rows["service_id"] == like["service_id"]) & (rows["scope"] == like["scope"])]
    return rows.sort_values("baseline_id")  # the order of the table's rows decides nothing


def baselines(
    evidence: Evidence, origin: pd.Timestamp, like: pd.Series, panels: Collection[str] = ()
) -> tuple[list[Claim], str]:
    """Usual level at the time of an event, from all that were published of the service and place.

    A level wanders as a Brownian path on the log scale; seen at some times, with the errors of its publication and of
    conversion from another count, each kind of which is shared by all levels of that kind, it is known at the event's
    by kriging (best linear unbiased prediction; Cressie 1993, Statistics for Spatial Data, chapter 3).

    Parameters
    ----------
    like : service_id, scope, quantity and platform of the curve.
    panels : firms whose figures are on the curve: their own levels bear the same error as those.

    Returns
    -------
    list of Claim and str
        One claim, whose id is that of the levels it is made of, the nearest first; none where none was published. And
        a sentence's part about it.
    """
    rows = _like(evidence, like)
    rows = rows[(rows["role"] == "baseline") & rows["reading"].isin(["rate_mean", "increment", "daily_level"])]
    rows = rows[rows["quantity"].isin([like["quantity"], CONVERTIBLE.get(str(like["quantity"]))]) & (rows["value"] > 0)]
    middle = rows["window_start_utc"] + (rows["window_end_utc"] - rows["window_start_utc"]) / 2
    years = ((middle - origin) / pd.Timedelta(days=365.25)).to_numpy(dtype=float)
    near = np.abs(years) <= OLDEST_BASELINE_YEARS
    rows, years = rows[near], years[near]
    if rows.empty:
        return [], "no usual level was published: how much of a figure is extra leans on the prior"
    ends = np.log([_per_hour(row) for _, row in rows.iterrows()])
    other_count = (rows["quantity"] != like["quantity"]).to_numpy()
    other_part = (rows["platform"] != like["platform"]).to_numpy()
    other_panel = rows["panel"].ne("").to_numpy() & bool(panels) & ~rows["panel"].isin(panels).to_numpy()
    same_panel = rows["panel"].isin(panels).to_numpy() & rows["panel"].ne("").to_numpy()
    path = np.minimum(np.abs(years)[:, None], np.abs(years)) * (np.sign(years)[:, None] == np.sign(years))
    error = np.where(same_panel, SAME_PANEL_SCALE, BASELINE_SCALE)
    # What a rounding hides is even over its width.
    spread = DRIFT_PER_ROOT_YEAR**2 * path + np.diag(error**2 + (ends[:, 1] - ends[:, 0]) ** 2 / 12)
    for kind in (other_count, other_part, other_panel):
        spread += CONVERSION_SCALE**2 * np.outer(kind, kind)
    log_level, precision = ends.mean(axis=1), np.linalg.inv(spread)
    weight = precision.sum(axis=0) / precision.sum()
    scale = float(np.sqrt(1 / precision.sum()))
    level = np.exp(weight @ log_level)
    ids = rows["baseline_id"].to_numpy()[np.argsort(np.abs(years), kind="stable")]
    low, high = level * (1 - ROUNDED), level * (1 + ROUNDED)
    claim = Claim(";".join(ids), "baseline", float(low), float(high), "none", 0, 0, (0.0, 0.0), scale)
    if (other_count | other_part | other_panel).all():
        return [claim], "the usual level was published for another count and is converted one to one"
    return [claim], "the usual level was published"


def _per_hour(row: pd.Series) -> tuple[float, float]:
    """Users per hour that would be published as a level is: lowest and highest."""
    low, high = cl.interval(float(row["value"]), str(row["unit"]), "about", str(row["reading"]))
    hours = hours_between(row["window_end_utc"], row["window_start_utc"]) if row["reading"] == "increment" else 1.0
    return max(low, high / 100) / hours, high / hours


def records(evidence: Evidence, origin: pd.Timestamp, like: pd.Series) -> tuple[Claim, ...]:
    """Best days of a rival that were told after the event: no day before them was better."""
    rows = _like(evidence, like)
    rows = rows[(rows["role"] == "record") & (rows["quantity"] == like["quantity"]) & (rows["unit"] == "users/day")]
    made = []
    for _, row in rows[(rows["value"] > 0) & (rows["window_end_utc"] > origin)].iterrows():
        low, high = cl.interval(float(row["value"]), str(row["unit"]), "up_to", "rate_mean")
        name = str(row["baseline_id"])
        made.append(Claim(name, "record", low, high, "upper", 0.0, 24.0, (0.0, 0.0), BASELINE_SCALE))
    return tuple(made)
