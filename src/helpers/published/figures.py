"""A row of the growth figures as a claim: which number, in which hours, told by whom."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers import schemas, words
from helpers.claims import Claim
from helpers.evidence import EvidenceError
from helpers.raw_table import Problem, near

#: Quantities that count people, or nearly.
PEOPLE = ("signups", "installs", "ported_numbers")
#: Quantities that can be a curve, the one that counts people first.
QUANTITIES = ("signups", "installs", "ported_numbers", "daily_active", "visits", "searches", "usage")
#: What a curve belongs to: figures that differ in one of these are never put on one curve.
KEY = ["service_id", "quantity", "scope", "platform"]
#: Quantities that are no count over time, and why not.
NOT_A_COUNT = {
    "store_rank": "a rank in an app store is not a count of people",
    "monthly_active": "users of a month overlap from month to month; they do not say when anyone joined",
    "weekly_active": "users of a week overlap from week to week; they do not say when anyone joined",
}
#: Kinds of value that hold no number, and what they are.
NO_NUMBER = {
    "qualitative": "published without a number",
    "gain_without_number": "published without a number",
    "none_stated": "the page states that there was no gain, without a number",
    "not_mentioned": "the page says nothing about a gain: missing, not zero",
    "retention_remark": "a remark about who stayed, not about who came",
}
#: A retelling speaks of other hours where it begins so much earlier or later, or its length differs by so much (log).
OTHER_HOURS, OTHER_LENGTH = 12.0, 0.15
NO_BIAS: Mapping[str, float] = {}
SAYS_ELSE = "says something else than how many joined in which hours"
NOT_POSITIVE = "not a positive number"


def hours_between(later: pd.Timestamp, earlier: pd.Timestamp) -> float:
    """Hours from one moment to another."""
    return float((later - earlier) / pd.Timedelta(hours=1))


def claim(
    row: pd.Series,
    origin: pd.Timestamp,
    scales: Mapping[str, float] = cl.CLAIMANT_SCALE,
    biases: Mapping[str, float] = NO_BIAS,
) -> Claim:
    """Read one row of the growth figures.

    Parameters
    ----------
    row : a row of ``growth_figures`` with a value and a reading in MODELLED.
    origin : hour zero of the claim's window (UTC).
    scales : standard deviation of a figure's own log error by class of claimant.
    biases : standard deviation of the log error that a claimant's figures share, by class; none: zero.

    Raises
    ------
    ValueError
        For a unit of time that is not known.
    """
    start, end = hours_between(row["window_start_utc"], origin), hours_between(row["window_end_utc"], origin)
    hours = float(row["window_hours"]) if pd.notna(row["window_hours"]) else end - start
    precision = str(row["window_precision"])
    moved = cl.shift(precision, str(row["scope"]), end - start, hours)
    if precision == "unknown" or hours < end - start:
        end = start + hours
    low, high = cl.interval(float(row["value"]), str(row["unit"]), str(row["qualifier"]), str(row["reading"]))
    scale = scales[str(row["claimant_class"])]
    bound = cl.bound_of(str(row["qualifier"]))
    lag = cl.LAGS.get(str(row["compared_with"]), 0.0) if str(row["reading"]).startswith("ratio") else 0.0
    # The days before a longer window are as long as the window.
    lag = max(lag, end - start) if lag else 0.0
    return Claim(
        str(row["figure_id"]),
        str(row["reading"]),
        *(low, high, bound, start, end, moved, scale),
        claimant=str(row["claimant_class"]),
        bias=biases.get(str(row["claimant_class"]), 0.0),
        clock=precision == "day",
        lag=lag,
    )


def with_roles(figures: pd.DataFrame) -> pd.DataFrame:
    """Return the growth figures as they are, if each has a role: one made by hand without would vanish unsaid.

    Raises
    ------
    EvidenceError
        With each figure whose role is missing or unknown.
    """
    (role,) = (item for item in schemas.FIELDS["growth_figures"] if item.name == "role")
    odd = figures.loc[~figures["role"].isin(role.enum), ["figure_id", "role"]].astype("str").fillna("")
    problems = [
        Problem(f"growth_figures, {name}", 0, "role", value, schemas.expected_of(role) + near(value, role.enum))
        for name, value in odd.itertuples(index=False)
    ]
    if problems:
        raise EvidenceError(problems)
    return figures


def no_rate(row: pd.Series) -> str:
    """Why a row has no rate of its own; empty where it has one."""
    if row["value_kind"] in NO_NUMBER:
        return NO_NUMBER[row["value_kind"]]
    if row["quantity"] in NOT_A_COUNT:
        return NOT_A_COUNT[row["quantity"]]
    if row["reading"] not in cl.MODELLED or row["quantity"] == "other":
        return SAYS_ELSE
    if pd.isna(row["value"]) or (row["value"] <= 0 and not row["reading"].startswith("ratio")):
        return NOT_POSITIVE
    return ""


def window(row: pd.Series) -> str:
    """Hours or days a figure speaks of."""
    start, end = row["window_start_utc"], row["window_end_utc"]
    if row["window_precision"] in ("hour", "minute"):
        last = f"{end:%H:%M}" if end.date() == start.date() else f"{end.day} {end:%b %H:%M}"
        return f"{start.day} {start:%b %H:%M} to {last}"
    last = end - pd.Timedelta(days=1)
    days = f"{start.day} {start:%b %Y}" if last <= start else f"{start.day} {start:%b} to {last.day} {last:%b %Y}"
    hours = row["window_hours"]
    if row["window_precision"] == "unknown" and pd.notna(hours):
        return f"{words.duration(float(hours))} in {days}"
    return days


def another_window(figures: pd.DataFrame) -> pd.Series:
    """Whether each row retells a count of the same frame over other hours: a claim of its own, with the same error.

    Where the page does not say when, or retells a rate of a moment, it is no other window; and hours wholly outside
    those of the original contradict it: the same count was not made there.
    """
    of = figures.set_index("figure_id")
    original = of.reindex(figures["repeats"])
    moved = (figures["window_start_utc"].array - original["window_start_utc"].array) / pd.Timedelta(hours=1)
    longer = figures["window_hours"].array / original["window_hours"].array
    counts = figures["reading"].isin(["increment", "excess", "rate_mean"])
    same = counts & (figures["reading"].array == original["reading"].array)
    told = same & (figures["window_precision"] != "unknown") & (original["window_precision"].array != "unknown")
    meets = (figures["window_start_utc"].array < original["window_end_utc"].array) & (
        figures["window_end_utc"].array > original["window_start_utc"].array
    )
    other = (np.abs(moved) >= OTHER_HOURS) | (np.abs(np.log(longer.astype(float))) >= OTHER_LENGTH)
    return told & meets & np.nan_to_num(other.astype(float), nan=0.0).astype(bool)
