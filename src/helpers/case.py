"""From the evidence to what can be fitted: one outage, its shocks, and the curves of its rivals.

A curve belongs to one service, one quantity (sign-ups, installs, daily users, ...), one place and one platform:
figures of different kinds are never put on one curve. Every figure that is left out says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from helpers import claims as cl
from helpers.ceilings import PEOPLE_HIT, Ceiling, binding, ceilings, contradicted
from helpers.claims import Claim
from helpers.evidence import Evidence
from helpers.likelihood import Shock
from helpers.published import claimants
from helpers.published.figures import KEY as KEY
from helpers.published.figures import (
    NO_BIAS,
    NO_NUMBER,
    NOT_A_COUNT,
    NOT_POSITIVE,
    SAYS_ELSE,
    another_window,
    hours_between,
    with_roles,
)
from helpers.published.figures import PEOPLE as PEOPLE
from helpers.published.figures import QUANTITIES as QUANTITIES
from helpers.published.figures import claim as read
from helpers.schemas import NOTHING_FAILED
from helpers.shocks import PUSH_HOURS as PUSH_HOURS
from helpers.shocks import about, early, is_consequence, shock
from helpers.totals import differences
from helpers.usual import baselines, earlier_totals, records

#: Figures that begin later than this after the event, or earlier before it, do not speak of its surge, days.
DAYS_BEFORE, DAYS_AFTER, LONGEST_WINDOW = 30, 60, 62
OVERRIDE_SCALE = 0.05

#: Scale and bias of the log error by class of claimant.
Errors = tuple[Mapping[str, float], Mapping[str, float]]
RIVAL_ROLES = ("gainer", "circumvention", "no_gain_named")


@dataclass(frozen=True)
class Series:
    """One curve to be fitted.

    ``claims`` are the figures that enter, ``baselines`` the usual levels that do (both in hours since the
    case's origin), ``records`` the best days that bound it, ``shocks`` the outage first. ``figures`` are all its rows
    of the evidence, with the columns ``used`` and ``why_not``. ``panel`` names the firm whose figures they are, where
    another firm's figures make a curve of their own. ``ceilings`` bound the gain; ``contradicted`` are those that do
    not, as a figure's firm lower end lies above them: each with that figure.
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
    records: tuple[Claim, ...] = ()
    panel: str = ""
    ceilings: tuple[Ceiling, ...] = ()
    contradicted: tuple[tuple[Ceiling, Claim], ...] = ()

    @property
    def statements(self) -> tuple[Claim, ...]:
        """All that was published of this curve."""
        return self.claims + self.baselines + self.records

    @property
    def fits(self) -> bool:
        """Whether anything published can be put on this curve."""
        return bool(self.claims)

    @property
    def place(self) -> str:
        """Where it counts, as the end of a phrase: " in Brazil", nothing for the world."""
        the = "the " if self.scope.startswith("world") else ""
        return "" if self.scope == "world" else f" in {the}{self.scope}"


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

    @property
    def failed(self) -> bool:
        """Whether anything failed at all, or people left because of news."""
        return bool(self.outage["kind"] != "policy_shock" and self.outage["cause_category"] != NOTHING_FAILED)

    def affected(self, series: Series) -> float | None:
        """People whom the event hit, to set a curve's gain against.

        None where the evidence counts something else (reports) or nothing, and where the curve counts one place
        of an event that hit others too.
        """
        outage = self.outage
        people = outage["affected_unit"] in PEOPLE_HIT and pd.notna(outage["affected_users"])
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
    scales : standard deviation of the log error by class of claimant, without a bias; by default both are estimated
        from all other outages (see :func:`helpers.published.claimants.errors`).

    Raises
    ------
    KeyError
        If the evidence has no such outage.
    EvidenceError
        If a figure has no known role.
    """
    outage = evidence.outage(outage_id)
    origin = outage["start_utc"]
    others = _confounders(evidence, outage)
    # The order of the table's rows decides nothing.
    figures = with_roles(evidence.growth_figures).sort_values("figure_id")
    own = figures[figures["outage_id"] == outage_id]
    rows = own[own["role"].isin(RIVAL_ROLES)]
    if rivals:
        rows = rows[rows["service_id"].isin(rivals)]
    nearby = figures[figures["outage_id"].isin(others["outage_id"]) & figures["role"].isin(RIVAL_ROLES)]
    biases: Mapping[str, float] = NO_BIAS
    if scales is None:
        scales, biases = claimants.errors(evidence, without=[outage_id, *others["outage_id"]])
    names = evidence.services.set_index("service_id")["name"]
    worldwide = set(rows.loc[rows["scope"] == "world", "service_id"])
    made = []
    for key, part in rows.groupby(KEY):
        same = nearby[(nearby[KEY] == pd.Series(key, index=KEY)).all(axis=1)]
        override = baseline_per_day.get(key[0]) if isinstance(baseline_per_day, Mapping) else baseline_per_day
        if key[KEY.index("scope")] != "world" and key[0] in worldwide:
            override = None  # a usual level of the world says nothing about a part of it
        for panel, mine in _by_panel(pd.concat([part, same]), outage_id):
            made.append(
                _series(evidence, outage, origin, others, mine, names[key[0]], override, (scales, biases), panel)
            )
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


def _by_panel(figures: pd.DataFrame, outage_id: str) -> list[tuple[str, pd.DataFrame]]:
    """Part the figures of two panels or more: each is a sample of its own.

    Figures that no panel made go with the panel that has most of them. One panel, or none: all together, no name.
    """
    counts = figures.loc[figures["panel"] != "", "panel"].value_counts()
    if len(counts) < 2:
        return [("", figures)]
    first = min(counts[counts == counts.max()].index)
    whose = figures["panel"].where(figures["panel"] != "", first)
    parts = [(str(panel), part) for panel, part in figures.groupby(whose)]
    return [(panel, part) for panel, part in parts if (part["outage_id"] == outage_id).any()]


def _confounders(evidence: Evidence, outage: pd.Series) -> pd.DataFrame:
    ids = [i for i in outage["confounder_ids"].split(";") if i]
    rows = evidence.outages[evidence.outages["outage_id"].isin(ids)].sort_values(["start_utc", "outage_id"])
    days = (rows["start_utc"] - outage["start_utc"]) / pd.Timedelta(days=1)
    return rows[days.between(-DAYS_BEFORE, DAYS_AFTER)]


def _series(
    evidence: Evidence,
    outage: pd.Series,
    origin: pd.Timestamp,
    others: pd.DataFrame,
    figures: pd.DataFrame,
    name: str,
    override: float | None,
    errors: Errors,
    panel: str,
) -> Series:
    first = figures.iloc[0]
    service_id, quantity, scope, platform = (str(first[c]) for c in KEY)
    if override is not None:
        low, high = override / 24 * 0.999, override / 24 * 1.001
        levels = [Claim("given", "baseline", low, high, "none", 0, 0, (0.0, 0.0), OVERRIDE_SCALE)]
        note = "given by the reader"
    else:
        levels, note = baselines(evidence, origin, first, set(figures["panel"]) - {""})
    own = shock(outage, origin)
    totals = earlier_totals(evidence, origin, first)
    figures, claims = _claims(figures, totals, origin, bool(levels), own, errors)
    others = others[~others.apply(is_consequence, axis=1, outage=outage, service_id=service_id).astype(bool)]
    shocks = early(claims, [own, *(shock(e, origin) for _, e in others.iterrows())])
    usual = max((level.high for level in levels), default=0.0)
    bounds = [(one, contradicted(one, claims, usual)) for one in ceilings(evidence, outage, origin, first)]
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
        records(evidence, origin, first),
        panel,
        binding([ceiling for ceiling, claim in bounds if claim is None]),
        tuple((ceiling, claim) for ceiling, claim in bounds if claim is not None),
    )


def _claims(
    figures: pd.DataFrame,
    earlier: list[Claim],
    origin: pd.Timestamp,
    has_baseline: bool,
    event: Shock,
    errors: Errors,
) -> tuple[pd.DataFrame, list[Claim]]:
    """Turn rows into claims; say of every other row why it is not one."""
    figures = figures.assign(another_window=another_window(figures))
    reasons = [_why_not(row, origin, has_baseline) for _, row in figures.iterrows()]
    made: list[Claim] = []
    seen: dict[tuple[object, ...], str] = {}
    for i, (_, row) in enumerate(figures.iterrows()):
        if reasons[i]:
            continue
        claim = about(read(row, origin, *errors), event)
        twin = seen.setdefault(claim.content(), claim.figure_id)
        if twin != claim.figure_id:
            reasons[i] = f"says the same as {twin}: one claim counts once"
        else:
            made.append(claim)
    flows = [claim for claim in made if claim.reading != "total"]
    grown = differences([claim for claim in made if claim.reading == "total"] + earlier)
    grown = [about(claim, event) for claim in grown if claim.figure_id in set(figures["figure_id"])]
    entered = {claim.figure_id for claim in flows + grown}
    alone = "a running total, and none before it near enough to count from"
    reasons = [why or ("" if i in entered else alone) for why, i in zip(reasons, figures["figure_id"], strict=True)]
    figures = figures.drop(columns="another_window").assign(used=[not why for why in reasons], why_not=reasons)
    return figures, _grouped(flows + grown, figures)


def _why_not(row: pd.Series, origin: pd.Timestamp, has_baseline: bool) -> str:
    start, end = hours_between(row["window_start_utc"], origin) / 24, hours_between(row["window_end_utc"], origin) / 24
    reading = row["reading"]
    if row["value_kind"] in NO_NUMBER:
        return NO_NUMBER[row["value_kind"]]
    if row["repeats"] and not row["another_window"]:
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


def _grouped(claims: list[Claim], figures: pd.DataFrame) -> list[Claim]:
    """Name the running counts: a figure, those that it is part of, and the parts of those."""
    root = {claim.figure_id: claim.figure_id for claim in claims}

    def find(i: str) -> str:
        while root.setdefault(i, i) != i:
            i = root[i]
        return i

    for _, row in figures.iterrows():
        for whole in filter(None, [row["repeats"], *row["part_of"].split(";")]):
            root[find(row["figure_id"])] = find(whole)
    members = [find(claim.figure_id) for claim in claims]
    return [
        replace(claim, group=name if members.count(name) > 1 else "")
        for claim, name in zip(claims, members, strict=True)
    ]
