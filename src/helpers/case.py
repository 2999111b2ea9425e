"""From the evidence to what can be fitted: one outage, its shocks, and the curves of its rivals.

A curve belongs to one service, one quantity (sign-ups, installs, daily users, ...), one place and one platform:
figures of different kinds are never put on one curve. Every figure that is left out says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers.claims import Claim
from helpers.evidence import Evidence
from helpers.likelihood import ANTICIPATION, Shock
from helpers.published import claimants
from helpers.published.figures import KEY as KEY
from helpers.published.figures import NO_NUMBER, NOT_A_COUNT, NOT_POSITIVE, SAYS_ELSE, hours_between
from helpers.published.figures import PEOPLE as PEOPLE
from helpers.published.figures import QUANTITIES as QUANTITIES
from helpers.published.figures import claim as read
from helpers.totals import differences
from helpers.usual import baselines, earlier_totals

#: People switch once, and news is new once: however long an event lasts, it pushes for at most this many hours.
PUSH_HOURS = 24.0
#: Shortest and longest length of a technical outage whose end nobody published, hours.
UNKNOWN_HOURS = (0.5, 24.0)
#: A figure of so few hours that begins before the event tells of a rush before it.
FEW_HOURS = 12.0
#: Figures that begin later than this after the event, or earlier before it, do not speak of its surge, days.
DAYS_BEFORE, DAYS_AFTER, LONGEST_WINDOW = 30, 60, 62
OVERRIDE_SCALE = 0.05

RIVAL_ROLES = ("gainer", "circumvention", "no_gain_named")


@dataclass(frozen=True)
class Series:
    """One curve to be fitted.

    ``claims`` are the figures that enter, ``baselines`` the usual levels that do (both in hours since the
    case's origin), ``shocks`` the outage first. ``figures`` are all its rows of the evidence, with the columns
    ``used`` and ``why_not``.
    """

    service_id: str
    service: str
    quantity: str
    scope: str
    platform: str
    shocks: tuple[Shock, ...]
    claims: tuple[Claim, ...]
    baselines: tuple[Claim, ...]
    figures: pd.DataFrame
    baseline_note: str

    @property
    def fits(self) -> bool:
        """Whether anything published can be put on this curve."""
        return bool(self.claims)

    @property
    def place(self) -> str:
        """Where it counts, as the end of a phrase: " in Brazil", nothing for the world."""
        return "" if self.scope == "world" else f" in {self.scope}"


@dataclass(frozen=True)
class Case:
    """One outage and what was published about it. ``origin`` (UTC) is hour zero of every claim and curve.

    ``series`` are the rivals' curves, those that can be fitted first; ``others`` the figures about the failing
    service itself.
    """

    outage: pd.Series
    origin: pd.Timestamp
    series: tuple[Series, ...]
    others: pd.DataFrame
    confounders: pd.DataFrame

    def affected(self, series: Series) -> float | None:
        """People whom the event hit, to set a curve's gain against.

        None where the evidence counts something else (reports) or nothing, and where the curve counts one place
        of an event that hit others too.
        """
        outage = self.outage
        people = outage["affected_unit"] in ("users", "customers", "accounts") and pd.notna(outage["affected_users"])
        there = series.scope == "world" or outage["scope"].split(" (")[0] == series.scope
        return float(outage["affected_users"]) if people and there else None


def build(
    evidence: Evidence,
    outage_id: str,
    rivals: list[str] | None = None,
    baseline_per_day: Mapping[str, float] | float | None = None,
    scales: Mapping[str, float] | None = None,
) -> Case:
    """Collect what is known about one outage.

    Parameters
    ----------
    rivals : service ids to keep; all of them when empty.
    baseline_per_day : usual level per day instead of the published one, for all rivals or by service id.
    scales : standard deviation of the log error by class of claimant; by default estimated from all other outages
        (see :func:`helpers.published.claimants.scales`).

    Raises
    ------
    KeyError
        If the evidence has no such outage.
    """
    outage = evidence.outage(outage_id)
    origin = outage["start_utc"]
    others = _confounders(evidence, outage)
    about = evidence.growth_figures
    own = about[(about["outage_id"] == outage_id)]
    rows = own[own["role"].isin(RIVAL_ROLES)]
    if rivals:
        rows = rows[rows["service_id"].isin(rivals)]
    nearby = about[about["outage_id"].isin(others["outage_id"]) & about["role"].isin(RIVAL_ROLES)]
    if scales is None:
        scales = claimants.scales(evidence, without=[outage_id, *others["outage_id"]])
    names = evidence.services.set_index("service_id")["name"]
    worldwide = set(rows.loc[rows["scope"] == "world", "service_id"])
    made = []
    for key, part in rows.groupby(KEY, sort=False):
        same = nearby[(nearby[KEY] == pd.Series(key, index=KEY)).all(axis=1)]
        override = baseline_per_day.get(key[0]) if isinstance(baseline_per_day, Mapping) else baseline_per_day
        if key[KEY.index("scope")] != "world" and key[0] in worldwide:
            override = None  # a usual level of the world says nothing about a part of it
        figures = pd.concat([part, same])
        made.append(_series(evidence, outage, origin, others, figures, names[key[0]], override, scales))
    made.sort(key=lambda s: (not s.fits, *_worth(s)))
    return Case(outage, origin, tuple(made), own[own["role"] == "failing_service"], others)


def primary(case: Case) -> tuple[Series, ...]:
    """Choose the best curve of each rival: people rather than visits, more figures first, the world before a place."""
    best: dict[str, Series] = {}
    for series in case.series:
        if series.fits:
            best.setdefault(series.service_id, series)
    return tuple(sorted(best.values(), key=_worth))


def secondary(case: Case) -> tuple[Series, ...]:
    """Return the other curves of the same rivals: other counts, other places."""
    first = {id(series) for series in primary(case)}
    return tuple(series for series in case.series if series.fits and id(series) not in first)


def _worth(series: Series) -> tuple[bool, int, int, bool]:
    rank = QUANTITIES.index(series.quantity) if series.quantity in QUANTITIES else len(QUANTITIES)
    return series.quantity not in PEOPLE, -len(series.claims), rank, series.scope != "world"


def _confounders(evidence: Evidence, outage: pd.Series) -> pd.DataFrame:
    ids = [i for i in outage["confounder_ids"].split(";") if i]
    rows = evidence.outages[evidence.outages["outage_id"].isin(ids)]
    days = (rows["start_utc"] - outage["start_utc"]) / pd.Timedelta(days=1)
    return rows[days.between(-DAYS_BEFORE, DAYS_AFTER)]


def shock(event: pd.Series, origin: pd.Timestamp) -> Shock:
    """What one event does to the curve: when it began to push, and for how long."""
    start = hours_between(event["start_utc"], origin)
    earliest = latest = start
    if event["time_precision"] in ("day", "month"):
        # A plain date is a day of the place where it happened.
        west, east = cl.UTC_OFFSETS.get(event["scope"], (0.0, 0.0))
        end = event["end_utc"] if pd.notna(event["end_utc"]) else event["start_utc"]
        day = 24.0 if event["time_precision"] == "day" else max(24.0, hours_between(end, event["start_utc"]))
        earliest, latest = start - east, start - west + day
    lengths = [event[c] for c in ("duration_low_hours", "duration_hours", "duration_high_hours")]
    known = [float(h) for h in lengths if pd.notna(h) and h > 0]
    if not known and event["kind"] == "outage":
        known = list(UNKNOWN_HOURS)
    known = known or [PUSH_HOURS]
    low, high = (min(h, PUSH_HOURS) for h in (min(known), max(known)))
    return Shock(str(event["outage_id"]), str(event["service"]), (earliest, latest), (low, high))


def _is_consequence(event: pd.Series, outage: pd.Series, service_id: str) -> bool:
    """Whether an event limits the rival (its own failure) or follows from the outage (a failure under the rush)."""
    return bool(
        event["service_id"] == service_id
        or (event["cause_category"] == "load" and event["start_utc"] >= outage["start_utc"])
    )


def _series(
    evidence: Evidence,
    outage: pd.Series,
    origin: pd.Timestamp,
    others: pd.DataFrame,
    figures: pd.DataFrame,
    name: str,
    override: float | None,
    scales: Mapping[str, float],
) -> Series:
    first = figures.iloc[0]
    service_id, quantity, scope, platform = (str(first[c]) for c in KEY)
    if override is not None:
        low, high = override / 24 * 0.999, override / 24 * 1.001
        levels = [Claim("given", "baseline", low, high, "none", 0, 0, (0.0, 0.0), OVERRIDE_SCALE)]
        note = "given by the reader"
    else:
        levels, note = baselines(evidence, origin, first)
    shocks = [shock(outage, origin)]
    totals = earlier_totals(evidence, origin, first)
    figures, claims = _claims(figures, totals, origin, bool(levels), shocks[0], scales)
    shocks += [shock(e, origin) for _, e in others.iterrows() if not _is_consequence(e, outage, service_id)]
    claims, shocks = _early(claims, shocks)
    return Series(
        service_id,
        name,
        quantity,
        scope,
        platform,
        tuple(shocks),
        tuple(claims),
        tuple(levels),
        figures,
        note,
    )


def _claims(
    figures: pd.DataFrame,
    earlier: list[Claim],
    origin: pd.Timestamp,
    has_baseline: bool,
    event: Shock,
    scales: Mapping[str, float],
) -> tuple[pd.DataFrame, list[Claim]]:
    """Turn rows into claims; say of every other row why it is not one."""
    reasons = [_why_not(row, origin, has_baseline) for _, row in figures.iterrows()]
    made: list[Claim] = []
    seen: dict[tuple[object, ...], str] = {}
    for i, (_, row) in enumerate(figures.iterrows()):
        if reasons[i]:
            continue
        claim = _about(read(row, origin, scales), event)
        twin = seen.setdefault(claim.content(), claim.figure_id)
        if twin != claim.figure_id:
            reasons[i] = f"says the same as {twin}: one claim counts once"
        else:
            made.append(claim)
    flows = [claim for claim in made if claim.reading != "total"]
    grown = differences([claim for claim in made if claim.reading == "total"] + earlier)
    grown = [_about(claim, event) for claim in grown if claim.figure_id in set(figures["figure_id"])]
    entered = {claim.figure_id for claim in flows + grown}
    alone = "a running total, and none before it near enough to count from"
    reasons = [why or ("" if i in entered else alone) for why, i in zip(reasons, figures["figure_id"], strict=True)]
    figures = figures.assign(used=[not why for why in reasons], why_not=reasons)
    return figures, _grouped(flows + grown, figures)


def _why_not(row: pd.Series, origin: pd.Timestamp, has_baseline: bool) -> str:
    start, end = hours_between(row["window_start_utc"], origin) / 24, hours_between(row["window_end_utc"], origin) / 24
    reading = row["reading"]
    if row["value_kind"] in NO_NUMBER:
        return NO_NUMBER[row["value_kind"]]
    if row["repeats"]:
        return f"repeats {row['repeats']}: one claim counts once"
    if row["quantity"] in NOT_A_COUNT:
        return NOT_A_COUNT[row["quantity"]]
    if reading not in cl.MODELLED or row["quantity"] not in QUANTITIES:
        return SAYS_ELSE
    if reading.startswith("ratio") and not has_baseline:
        return "relative to a usual level that was not published"
    if pd.isna(row["value"]) or (row["value"] <= 0 and not reading.startswith("ratio")):
        return NOT_POSITIVE
    if end < -DAYS_BEFORE or start > DAYS_AFTER:
        return "too far from the event in time"
    if (row["window_hours"] if pd.notna(row["window_hours"]) else 24 * (end - start)) > 24 * LONGEST_WINDOW:
        return "its window is too long to tell the surge from the usual growth"
    return ""


def _about(claim: Claim, event: Shock) -> Claim:
    """Narrow the place of a window that is dated on the event: it was published because it holds part of it.

    In any time zone the window then begins before the event does, and ends no earlier than half-way through it.
    """
    begun, into = event.start[0], event.start[0] + event.hours[0] / 2
    if claim.reading == "total" or not claim.start <= event.start[1] or not claim.end >= into:
        return claim
    low = max(claim.shift[0], into - claim.end)
    high = max(min(claim.shift[1], begun - claim.start), low)
    if claim.reading == "rate_instant" or low > claim.shift[1]:
        return claim
    return replace(claim, shift=(low, high))


def _grouped(claims: list[Claim], figures: pd.DataFrame) -> list[Claim]:
    """Name the running counts: a figure, those that it is part of, and the parts of those."""
    root = {claim.figure_id: claim.figure_id for claim in claims}

    def find(i: str) -> str:
        while root.setdefault(i, i) != i:
            i = root[i]
        return i

    for _, row in figures.iterrows():
        for whole in filter(None, row["part_of"].split(";")):
            root[find(row["figure_id"])] = find(whole)
    members = [find(claim.figure_id) for claim in claims]
    return [
        replace(claim, group=name if members.count(name) > 1 else "")
        for claim, name in zip(claims, members, strict=True)
    ]


def _early(claims: list[Claim], shocks: list[Shock]) -> tuple[list[Claim], list[Shock]]:
    """Add a shock of anticipation where figures speak of the time before the event and nothing else explains them."""
    begun = min(s.start[0] for s in shocks)
    wholly = [c.start for c in claims if c.end + c.shift[1] <= begun]
    # A window of some hours whose place is known tells of the time before even when it reaches into the event.
    partly = [c.start for c in claims if c.start + c.shift[1] < begun and c.end + c.shift[1] - c.start <= FEW_HOURS]
    before = wholly + partly
    if not before or len(shocks) > 1:
        return claims, shocks
    start = min(before)
    lasts = float(np.clip(begun - start, 1.0, PUSH_HOURS))
    return claims, [*shocks, Shock(ANTICIPATION, "the rush before it began", (start, start), (lasts, lasts))]
