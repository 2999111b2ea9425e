"""What a gain cannot exceed: the people hit, a later total of the rival less what it had, the population of the place.

A ceiling is a fact, not a prior: no draw of a curve may lie above it. One that contradicts a published figure (its
firm lower end lies above the ceiling) is not applied; the report names both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers import curve as curves
from helpers.claims import Claim
from helpers.curve import Array, Curve
from helpers.evidence import Evidence
from helpers.published.figures import PEOPLE
from helpers.published.levels import as_total
from helpers.schemas import NOTHING_FAILED

#: Units that are people whom an event hit; reports of a panel are not.
PEOPLE_HIT = ("users", "customers", "accounts")
#: Quantities whose level on a day is of people: more than a ceiling cannot be there at once.
OF_A_DAY = ("daily_active",)
#: Long before every shock, hours.
LONG_AGO = -2_000.0
#: A claim's lower end is firm this many standard deviations of its error below what was published.
FIRM = 2.0
#: Later totals further away than this say little and may be after a decline, days.
LATEST_DAYS = 1_100
#: Totals and the like, of which so many are kept, those that end first.
TOTALS, MOST_KEPT = ("later total", "users of a month"), 3
#: What is read of a figure or a level here.
_NEEDED = [
    *("id", "service_id", "quantity", "value", "unit", "qualifier", "reading", "role", "scope", "platform"),
    *("window_start_utc", "window_end_utc"),
]
#: Users of a month, how long that is (days), and how many times as many make another service of it.
ACTIVE, MONTH_DAYS, STEADY = "monthly_active", 31, 2.0
#: Total population, millions, mid-2025, rounded up (United Nations, World Population Prospects 2024, medium variant).
POPULATION = {
    "world": 8_240, "Afghanistan": 44, "Albania": 2.8, "Australia": 27, "Brazil": 213, "Canada": 41, "Egypt": 119,
    "France": 67, "Gabon": 2.6, "Germany": 85, "Hong Kong": 7.4, "India": 1_465, "Iran": 93, "Iraq": 48, "Italy": 60,
    "Japan": 124, "Kazakhstan": 21, "Kenya": 58, "Madagascar": 33, "Myanmar": 55, "Nepal": 30, "Nigeria": 238,
    "Pakistan": 256, "Russia": 145, "Saudi Arabia": 35, "South Korea": 52, "Spain": 48, "Sri Lanka": 24, "Sudan": 52,
    "Thailand": 72, "Turkey": 88, "Uganda": 52, "Ukraine": 40, "United Kingdom": 70, "United States": 348,
    "Venezuela": 29, "Vietnam": 102,
}  # fmt: skip


@dataclass(frozen=True)
class Ceiling:
    """At most ``most`` extra people, until an hour after the case's origin (inf: ever).

    Parameters
    ----------
    kind : "people hit", "later total", "users of a month" or "population".
    most : people; the upper end of the rounding of what was published.
    until : hours since the origin up to which extra people are counted.
    row : key of the row of evidence, and of the earlier total that is taken off; empty for a population.
    value : what was published, people.
    before : the earlier total that is taken off, people.
    own : whether it binds the event's own push only, or that of all events together.
    since : hour since the origin from which extra people are counted: that of the earlier total.
    """

    kind: str
    most: float
    until: float
    row: str = ""
    value: float = 0.0
    before: float = 0.0
    own: bool = False
    since: float = LONG_AGO


def ceilings(evidence: Evidence, outage: pd.Series, origin: pd.Timestamp, like: pd.Series) -> tuple[Ceiling, ...]:
    """Collect what bounds the gain of one rival; none where no people are counted (visits, searches, uses).

    Parameters
    ----------
    outage : the event.
    origin : hour zero (UTC).
    like : service_id, quantity, scope and platform of the curve.
    """
    if like["quantity"] not in (*PEOPLE, *OF_A_DAY):
        return ()
    made = [_people_hit(outage, origin), *_later_totals(evidence, origin, like)]
    place = str(like["scope"]).split(" (")[0]
    people = POPULATION.get(place, POPULATION["world"]) * 1e6
    made.append(Ceiling("population", people, np.inf, "", people))
    return tuple(one for one in made if one is not None)


def _people_hit(outage: pd.Series, origin: pd.Timestamp) -> Ceiling | None:
    """Whoever leaves because of an event was hit by it, unless attention also brought newcomers."""
    if outage["affected_unit"] not in PEOPLE_HIT or pd.isna(outage["affected_users"]):
        return None
    if outage["cause_category"] == NOTHING_FAILED:
        return None
    people = float(outage["affected_users"])
    return Ceiling("people hit", cl.rounding(people, "about")[1], np.inf, str(outage["outage_id"]), people, own=True)


def _later_totals(evidence: Evidence, origin: pd.Timestamp, like: pd.Series) -> list[Ceiling]:
    """Totals that the rival published after the event, less what it had before."""
    known, told = (
        table[(table["service_id"] == like["service_id"]) & table["scope"].isin([like["scope"], "world"])]
        for table in (evidence.baselines, evidence.growth_figures)
    )
    told = told[(told["value_kind"] == "absolute") & (told["repeats"] == "")].assign(role="during_event")
    known, told = known.rename(columns={"baseline_id": "id"}), told.rename(columns={"figure_id": "id"})
    rows = pd.concat([known[_NEEDED], told[_NEEDED]], ignore_index=True)
    rows = rows[rows["platform"].isin(["", like["platform"]]) & (rows["value"] > 0)].sort_values("id")
    wanted = "installs" if like["quantity"] == "installs" else "signups"
    totals = rows[(rows["reading"] == "total") & (rows["quantity"] == wanted)]
    found = _after(totals, origin, like, "later total")
    if wanted == "signups":
        found += _after(_of_a_month(rows, origin), origin, like, "users of a month")
    return found


def binding(found: Sequence[Ceiling]) -> tuple[Ceiling, ...]:
    """Drop ceilings that bind nothing: of several totals only one that is smaller than all later ones does."""
    totals = [one for one in found if one.kind in TOTALS]
    kept: list[Ceiling] = []
    for ceiling in sorted(totals, key=lambda one: (-one.until, one.most, one.row)):
        if not kept or ceiling.most < kept[-1].most:
            kept.append(ceiling)
    return (*(one for one in found if one.kind not in TOTALS), *kept[-MOST_KEPT:])


def _after(rows: pd.DataFrame, origin: pd.Timestamp, like: pd.Series, kind: str) -> list[Ceiling]:
    """Read totals as ceilings, the largest total from before taken off where it counts the same people."""
    start, end = ((rows[f"window_{edge}_utc"] - origin) / pd.Timedelta(hours=1) for edge in ("start", "end"))
    mine = rows["scope"] == like["scope"]
    # Users of a day may be users of long ago who come back: nothing is taken off for them.
    takes_off = kind == "later total" and like["quantity"] not in OF_A_DAY
    # Told in the month of the event, a total may be of a day before: only its role says that it came after.
    later = (start >= 0) | ((end > 0) & (rows["role"] == "after_event"))
    found = []
    for i, row in rows[later & (start <= 24 * LATEST_DAYS)].iterrows():
        value, qualifier = float(row["value"]), str(row["qualifier"])
        # A mark that was passed may lie anywhere below the next round number.
        most = cl.rounding(value, qualifier)[1] if qualifier == "more_than" else as_total(row).high
        off, since = 0.0, LONG_AGO
        for j, before in rows[mine & (end <= 0) & (rows["platform"] == row["platform"])].iterrows():
            low = as_total(before).low
            if takes_off and mine.loc[i] and off < low < most:
                off, since = low, float(end.loc[j])
        # Nobody knows the day within a window: it bounds what came until its first hour, or, where the event lies in
        # it, until its last.
        until = float(start.loc[i] if start.loc[i] > 0 else end.loc[i])
        found.append(Ceiling(kind, float(most - off), until, str(row["id"]), value, float(off), since=since))
    return found


def _of_a_month(rows: pd.DataFrame, origin: pd.Timestamp) -> pd.DataFrame:
    """Users of a month that bound how many joined: people also leave, so not all do.

    Those of the month after the event hold everybody who joined in it. Later ones do where the rival was large before
    and at most STEADY times as large then: more than all its users cannot have come and gone.
    """
    rows = rows[(rows["quantity"] == ACTIVE) & (rows["unit"] == "users")]
    days = (rows["window_start_utc"] - origin) / pd.Timedelta(days=1)
    earlier = rows.loc[(rows["window_end_utc"] <= origin) & (days >= -LATEST_DAYS), "value"].max()
    steady = rows["value"].between(earlier, STEADY * earlier)
    return rows[days.between(0, MONTH_DAYS) | ((days > MONTH_DAYS) & steady)]


def contradicted(ceiling: Ceiling, claims: Sequence[Claim], usual: float) -> Claim | None:
    """Return a claim whose firm lower end lies above a ceiling.

    Parameters
    ----------
    usual : highest usual level per hour that was published, 0 where none was.
    """
    for claim in claims:
        if claim.reading not in ("increment", "excess", "rate_mean") or claim.bound == "upper":
            continue
        if claim.end + claim.shift[0] > ceiling.until:
            continue  # it also counts hours after the ceiling's
        hours = claim.end - claim.start
        gross = claim.low * (hours if claim.reading == "rate_mean" else 1.0) * float(np.exp(-FIRM * claim.error))
        if gross - usual * hours * (claim.reading != "excess") > ceiling.most:
            return claim
    return None


def highest(made: Curve, ceiling: Ceiling, own: tuple[int, ...], of_a_day: bool) -> Array:
    """Extra people of each curve that a ceiling bounds: (n,).

    Of daily users, the highest level above the usual one; of people who join, all until the ceiling's hour.
    """
    shocks = own if ceiling.own else tuple(range(made.shocks))
    if of_a_day:
        ends = np.minimum(made.end, ceiling.until)
        levels = [
            np.sum([made.amplitude[:, j] * curves.response(made, ends[:, [k]], j)[:, 0] for j in shocks], axis=0)
            for k in shocks
        ]
        best: Array = curves.DAY * np.max(levels, axis=0)
        return best
    if np.isinf(ceiling.until):
        total: Array = (made.amplitude * (made.end - made.start))[:, list(shocks)].sum(axis=1)
        return total
    parts = [curves.extra(made, ceiling.since, ceiling.until, j)[:, 0] for j in shocks]
    gained: Array = np.sum(parts, axis=0)
    return gained
