"""The usual level of a rival: what was published nearest to an event, and how doubtful it has become."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers.claims import Claim
from helpers.evidence import Evidence
from helpers.published.figures import hours_between

#: A baseline ages: standard deviation of its log after one year (it grows with the square root of time). Estimated
#: from levels that were published twice (:mod:`helpers.published.ageing`), as is the error of a usual level as
#: published (log).
DRIFT_PER_ROOT_YEAR, BASELINE_SCALE = 0.4, 0.3
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


def baselines(evidence: Evidence, origin: pd.Timestamp, like: pd.Series, panel: str = "") -> tuple[list[Claim], str]:
    """Usual levels: the nearest in time before and after the event, with the error of age and of conversion.

    A level wanders, so one that lies behind a nearer one adds nothing of its own. Where the curve is one panel's, the
    level of another counts as one of another count.
    """
    rows = _like(evidence, like)
    rows = rows[(rows["role"] == "baseline") & rows["reading"].isin(["rate_mean", "increment", "daily_level"])]
    nearest: dict[tuple[bool, bool], Claim] = {}
    for _, row in rows[rows["value"] > 0].iterrows():
        if row["quantity"] not in (like["quantity"], CONVERTIBLE.get(str(like["quantity"]))):
            continue
        middle = row["window_start_utc"] + (row["window_end_utc"] - row["window_start_utc"]) / 2
        years = hours_between(middle, origin) / 8766
        if abs(years) > OLDEST_BASELINE_YEARS:
            continue
        converted = row["quantity"] != like["quantity"] or row["platform"] != like["platform"]
        converted |= bool(panel and row["panel"] and row["panel"] != panel)
        variance = BASELINE_SCALE**2 + DRIFT_PER_ROOT_YEAR**2 * abs(years) + CONVERSION_SCALE**2 * converted
        low, high = cl.interval(float(row["value"]), str(row["unit"]), "about", str(row["reading"]))
        if row["reading"] == "increment":
            low, high = (v / hours_between(row["window_end_utc"], row["window_start_utc"]) for v in (low, high))
        scale = float(np.sqrt(variance))
        claim = Claim(str(row["baseline_id"]), "baseline", low, high, "none", 0, 0, (0.0, 0.0), scale)
        side = (bool(years > 0), converted)
        if side not in nearest or scale < nearest[side].scale:
            nearest[side] = claim
    if not nearest:
        return [], "no usual level was published: how much of a figure is extra leans on the prior"
    if all(converted for _, converted in nearest):
        return list(nearest.values()), "the usual level was published for another count and is converted one to one"
    return list(nearest.values()), "the usual level was published"


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
