"""From the rule to what its figures show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers import words
from helpers.charts.pooled_view import DosePoint, DoseView, LeftOutView, PredictedRow
from helpers.charts.range_axes import Range
from helpers.curve import Array
from helpers.fit import Five, five
from helpers.pooled import half_lives
from helpers.pooled.design import HOURS, NAMES, OF_EVENT, OF_RIVAL, PEOPLE, USUAL, Table
from helpers.pooled.events import UNAVAILABLE, Event
from helpers.pooled.gains import Gain
from helpers.pooled.question import Pool
from helpers.pooled.rule import Rule
from helpers.schemas import ALL_KINDS

KIND_WORDS = {
    "outage": "outages",
    "block": "blocks",
    "shutdown": "shutdowns",
    "policy_shock": "news",
    "nothing_failed": "nothing failed",
}
POINTS = 40
#: User-hours that a forest counts the gain of.
MILLION = 1e6


def first_gains(table: Table) -> list[tuple[Event, Gain]]:
    """Return the gain of each event that is known best, with the narrowest interval, in the order of time."""
    made = []
    for number, event in enumerate(table.events):
        own = [table.gains[i] for i in np.flatnonzero(table.owner == number)]
        made.append((event, min(own, key=lambda gain: float(np.ptp(np.quantile(gain.total, [0.025, 0.975]))))))
    return made


def dose(pool: Pool, level: float, rng: np.random.Generator) -> DoseView:
    """Return the gain of every event that is known best against the people hit, with the rule for a usual outage."""
    ends = [(1 - level) / 2, 0.5, (1 + level) / 2]
    points = []
    for event, gain in first_gains(pool.table):
        low, middle, high = np.exp(np.quantile(gain.total, ends))
        hit = None if np.isnan(event.affected) else event.affected
        points.append(DosePoint(event.label, hit, float(low), float(middle), float(high), event.kind))
    known = [point.x for point in points if point.x is not None]
    if len(set(known)) < 2 or not any(event.kind == "outage" for event in pool.table.events):
        nothing = np.zeros(0)
        return DoseView(points, nothing, nothing, nothing, nothing, nothing, nothing, "people", level)
    grid = np.geomspace(min(known), max(known), POINTS)
    mean = np.stack([typical(pool.found, people=people) for people in grid], axis=1)
    noise = scatter(pool.found)[:, None] * rng.standard_normal((len(mean), 1))
    low, middle, high = np.exp(np.quantile(mean, ends, axis=0))
    wide = np.exp(np.quantile(mean + noise, [ends[0], ends[2]], axis=0))
    return DoseView(points, grid, low, middle, high, wide[0], wide[1], "people", level)


def typical(
    found: Rule, people: float = PEOPLE, hours: float = HOURS, kind: str = "outage", usual: float = USUAL
) -> Array:
    """Draws of the log of the extra people of a typical rival, without the scatter of single ones: (n,)."""
    row = np.zeros(len(NAMES))
    named = {"intercept": 1.0, "affected": np.log(people / PEOPLE), "usual": np.log(usual / USUAL)}
    named |= {"hours": np.log(hours / HOURS)} if kind in ("outage", "block", "shutdown") else {}
    named |= {kind: 1.0} if kind != "outage" else {}
    for name, value in named.items():
        row[NAMES.index(name)] = value
    terms = len(OF_EVENT) + len(OF_RIVAL)
    log: Array = found.draws[:, :terms] @ row[:terms] + np.log(usual)
    return log


def scatter(found: Rule) -> Array:
    """Draws of the standard deviation of a new rival's log gain after a new event: (n,)."""
    total: Array = np.sqrt(found.of("between") ** 2 + found.of("within") ** 2)
    return total


def forest(pool: Pool, level: float) -> list[Range]:
    """Return people gained for each million user-hours without the service, where people and hours are known."""
    rows = []
    for event, gain in first_gains(pool.table):
        if not np.isnan(event.affected) and not np.isnan(event.hours):
            each = np.exp(gain.total) / (event.affected * event.hours / MILLION)
            rows.append(Range(f"{event.label}: {gain.rival}", five(each, level)))
    return sorted(rows, key=lambda row: -row.five[2] if row.five else 0.0)


def halves(pool: Pool, level: float) -> list[Range]:
    """Return the half-life of a typical surge after events of each kind there is."""
    there = {event.kind for event in pool.table.events}
    rows = []
    for kind in ALL_KINDS:
        if kind in there:
            count = sum(event.kind == kind for event in pool.table.events)
            told = f"{KIND_WORDS[kind]} ({count} event{'' if count == 1 else 's'})"
            rows.append(Range(told, five(half_lives.typical(pool.halves, kind), level)))
    return rows


def tested(pool: Pool) -> LeftOutView:
    """Return each event as it was predicted from all others, the largest prediction first."""
    told = pool.tests["this rule"].gains.set_index(["outage_id", "rival"])
    rows = []
    for event, gain in first_gains(pool.table):
        row = told.loc[(event.outage_id, gain.rival)]
        ends = [float(np.exp(row[name])) for name in ("low95", "low80", "middle", "high80", "high95")]
        seen = [float(value) for value in np.exp(np.quantile(gain.total, [0.025, 0.5, 0.975]))]
        rows.append(PredictedRow(f"{event.label}: {gain.rival}", *ends, *seen))
    return LeftOutView(sorted(rows, key=lambda row: -row.middle), "people")


@dataclass(frozen=True)
class Lead:
    """How far the rule predicts better than a simple one: mean difference in log score, with its standard error."""

    name: str
    score: float
    ahead: float
    error: float

    @property
    def clear(self) -> bool:
        """Whether the lead is more than two standard errors: less could be chance."""
        return self.ahead > 2 * self.error


def leads(pool: Pool) -> list[Lead]:
    """Return the lead over each simple rule, from the differences event by event."""
    own, made = pool.tests["this rule"].outages.set_index("outage_id")["score"], []
    for name, test in pool.tests.items():
        if name != "this rule":
            by_event = own - test.outages.set_index("outage_id")["score"]
            error = float(by_event.std(ddof=1)) / np.sqrt(len(by_event))
            made.append(Lead(name, test.score, float(by_event.mean()), float(error)))
    return made


@dataclass(frozen=True)
class Factor:
    """What a change does to the gain: how many times, without and with the chance of being published in the model."""

    name: str
    said: str
    plain: Five
    told: Five


def factors(pool: Pool, level: float) -> list[Factor]:
    """Return each coefficient of the rule as a factor on the extra people."""
    made = []
    for name, (said, base, more) in FACTORS.items():
        if _told_of(pool, name):
            pair = [five(base ** (found.of(name) + more), level) for found in (pool.found, pool.told)]
            made.append(Factor(name, said, *pair))
    return made


def _told_of(pool: Pool, name: str) -> bool:
    """Whether the events say anything of a coefficient: what they do not is its prior, and no finding."""
    there = {event.kind for event in pool.table.events}
    if name in ALL_KINDS:
        return name in there and "outage" in there
    if name == "hours":
        return bool(there & set(UNAVAILABLE))
    if name in ("affected", "earlier"):
        return bool(np.ptp(pool.table.event[:, [term.name for term in OF_EVENT].index(name)]) > 0)
    column = [term.name for term in OF_RIVAL].index(name)
    return name == "usual" or bool(np.ptp(pool.table.rival[:, column]) > 0)


#: What a report says of each coefficient, the change in its covariate as a base, and what is added to it: the gain in
#: people is that in usual days times the usual level.
FACTORS = {
    "affected": ("ten times as many people hit", 10.0, 0.0),
    "hours": ("twice as long down", 2.0, 0.0),
    "block": ("a block instead of an outage", np.e, 0.0),
    "shutdown": ("a shutdown instead of an outage", np.e, 0.0),
    "policy_shock": ("news instead of an outage", np.e, 0.0),
    "nothing_failed": ("nothing failed at all, instead of an outage", np.e, 0.0),
    "earlier": ("one failure in the year before, instead of none", np.e, 0.0),
    "usual": ("a rival that is usually ten times as large", 10.0, 1.0),
    "same_identity": ("both know people by their phone number", np.e, 0.0),
    "circumvention": ("a way around the block instead of a rival", np.e, 0.0),
    "installs": ("installs counted instead of sign-ups", np.e, 0.0),
    "contract": ("a contract, an account or money to be moved", np.e, 0.0),
}


def range_words(row: Range) -> str:
    """Name a range with its ends."""
    return f"{row.label} {words.interval(row.five[0], row.five[4])}" if row.five else row.label
