"""Do the intervals of the rule across outages hold the truth, also where only big gains are published?

    OMP_NUM_THREADS=1 python bench/rule.py [--sets 200] [--workers 1]

Simulated tables: every parameter is drawn from its prior (`helpers.pooled.design`), so that the coverage is
simulation-based calibration; the covariates are those of events of the evidence, drawn with replacement. Then the
evidence itself: each outage predicted from all the others. Writes bench/rule.csv.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr

from helpers import evidence, likelihood, sampling
from helpers.claims import CLAIMANT_SCALE, FRESH, PASSED, Claim
from helpers.curve import Array
from helpers.models import AcrossOutages
from helpers.pooled import events, gains, kept, question, rule, selection
from helpers.pooled.design import (
    HOURS,
    NAMES,
    OF_EVENT,
    PEOPLE,
    SCATTER,
    SCATTER_SD,
    TERMS,
    USUAL,
    Moments,
    lay_out,
    moments,
    of_event,
    of_rival,
)
from helpers.pooled.events import Event
from helpers.pooled.gains import SLICES, Gain

HERE = Path(__file__).parent
SEED = 20140222
LEVELS = (0.95, 0.8)
WATCHED = ("affected", "hours", "intercept")
#: Outages of a table, all with a gain; events of a table of which about a third is published.
OUTAGES, CANDIDATES, PUBLISHED = 30, 90, 1 / 3
SLOPE = 0.5
#: Shares of the events whose people hit, and of the outages whose hours, nobody published: as in the evidence.
NO_PEOPLE, NO_HOURS = 0.6, 1 / 3
MOST_RIVALS = 4
#: A third of the gains each: log error of those sharply known, and of the vague ones (the middle half of the evidence).
#: The others are lower bounds only; in the evidence 28 of 80 gains rest on bounds in whole or in part.
SHARP, VAGUE = (0.15, 0.7), (1.4, 3.3)
BOUND_SCALE = CLAIMANT_SCALE["company"]
PLAIN, CORRECTED = "this rule", "this rule with the chance of being published"
LEFT_OUT = "the evidence, each outage left out"


@dataclass(frozen=True)
class Pattern:
    """What simulated tables are made after: events of the evidence, their gains by event, events with a gain by kind.

    ``known`` are the moments of people hit and hours where they were published; others are drawn from them.
    """

    events: tuple[Event, ...]
    gains: dict[str, list[Gain]]
    told: dict[str, list[str]]
    known: Moments


@dataclass(frozen=True)
class Simulated:
    """A table and its truth.

    ``complete`` are the events as they are in truth, ``parameters`` in the order of NAMES; of each gain the true log
    gain in usual days and the true log usual people a day.
    """

    events: list[Event]
    gains: list[Gain]
    complete: list[Event]
    parameters: Array
    log_gain: Array
    log_usual: Array


@dataclass(frozen=True)
class Scenario:
    """How tables are simulated.

    ``selected`` : only a part of the events is published, the more likely the more a typical rival gained.
    ``taken_out`` : gains are what the main job makes of them, its prior put in and taken out again.
    ``share`` : of the number of sets asked for.
    """

    name: str
    selected: bool
    taken_out: bool
    share: float


SCENARIOS = (
    Scenario("all published", False, False, 1.0),
    Scenario("all published, prior of every fit in and out again", False, True, 1.0),
    Scenario("a third published, rather the big gains", True, False, 0.4),
)


@lru_cache(maxsize=1)
def pattern() -> Pattern:
    """Take the pattern from the evidence and from its kept gains."""
    found = events.all_events(evidence.load())
    own: dict[str, list[Gain]] = {}
    for gain in kept.load(evidence.ROOT / "data").gains:
        own.setdefault(gain.outage_id, []).append(gain)
    told: dict[str, list[str]] = {}
    for event in found:
        if event.outage_id in own:
            told.setdefault(event.kind, []).append(event.outage_id)
    return Pattern(tuple(found), own, told, moments(found))


def truths(rng: np.random.Generator) -> Array:
    """Draw the parameters from their priors, in the order of NAMES."""
    terms = [rng.normal(term.mean, term.sd) for term in TERMS]
    return np.array([*terms, *(SCATTER * np.exp(SCATTER_SD * rng.standard_normal(2)))])


def an_event(made_after: Pattern, number: int, rng: np.random.Generator) -> tuple[Event, Event]:
    """Draw an event of the evidence: as it is in truth, and as it is published."""
    event = made_after.events[rng.integers(len(made_after.events))]
    affected, down = event.affected, event.hours * np.exp(event.hours_sd * rng.standard_normal())
    if np.isnan(affected):
        affected = PEOPLE * np.exp(rng.normal(*made_after.known.people))
    if np.isnan(down):
        down = HOURS * np.exp(rng.normal(*made_after.known.hours))
    named = replace(event, outage_id=f"{event.outage_id} {number}", silent=False)
    true = replace(named, affected=float(affected), hours=float(down), hours_sd=0.0)
    people = float("nan") if rng.random() < NO_PEOPLE else true.affected
    told = event.hours  # a range stays one, the truth lies in it; blocks without hours stay without
    if event.kind == "outage":
        told = float("nan") if rng.random() < NO_HOURS else event.hours if event.hours_sd else true.hours
    return true, replace(named, affected=people, hours=told)


def _rivals(made_after: Pattern, event: Event, rng: np.random.Generator) -> list[Gain]:
    """Gains of an event of the evidence of the same kind, at most MOST_RIVALS: whom one counted, what, how usual."""
    ids = made_after.told[event.kind]
    some = made_after.gains[ids[rng.integers(len(ids))]]
    return [some[i] for i in rng.permutation(len(some))[:MOST_RIVALS]]


def simulate(scenario: Scenario, seed: int) -> Simulated:
    """Draw parameters from the priors, and a table from them."""
    rng = np.random.default_rng([SEED, SCENARIOS.index(scenario), seed])
    made_after, values = pattern(), truths(rng)
    pairs = [an_event(made_after, i, rng) for i in range(CANDIDATES if scenario.selected else OUTAGES)]
    between, within = values[-2:]
    rows = np.array([of_event(true, made_after.known)[0] for true, _ in pairs])
    typical = rows @ values[: len(OF_EVENT)] + between * rng.standard_normal(len(pairs))
    told = chances(typical) > rng.random(len(pairs)) if scenario.selected else np.ones(len(pairs), dtype=bool)
    usual = values[NAMES.index("usual")]
    made, log_gain, log_usual = [], [], []
    for (_, event), expected, is_told in zip(pairs, typical, told, strict=True):
        for like in _rivals(made_after, event, rng) if is_told else ():
            centre, sd = _usual(like)
            own = rng.normal(centre, sd)
            mean = expected + np.array(of_rival(like, event.identity)) @ values[len(OF_EVENT) : len(TERMS)]
            true = mean + usual * (own - np.log(USUAL)) + within * rng.standard_normal()
            both = measured(true + own, (centre, sd), rng)
            made.append(sliced(like, event, both, scenario.taken_out, rng))
            log_gain.append(true)
            log_usual.append(own)
    shown = [replace(event, silent=not is_told) for (_, event), is_told in zip(pairs, told, strict=True)]
    return Simulated(shown, made, [true for true, _ in pairs], values, np.array(log_gain), np.array(log_usual))


def chances(typical: Array) -> Array:
    """Probability that each event is published, given the log gains of its typical rival: PUBLISHED on average."""
    probit = SLOPE * (typical - selection.CENTRE)
    chance = brentq(lambda x: float(ndtr(x + probit).mean()) - PUBLISHED, -40.0, 40.0)
    probability: Array = ndtr(chance + probit)
    return probability


def _usual(gain: Gain) -> tuple[float, float]:
    """Mean and standard deviation of the log usual people a day."""
    centre = float(gain.weight @ gain.middle[:, 1])
    square = float(gain.weight @ (gain.spread[:, 1, 1] + gain.middle[:, 1] ** 2))
    return centre, float(np.sqrt(square - centre**2))


def measured(log_total: float, usual: tuple[float, float], rng: np.random.Generator) -> Array:
    """Publish the log of all extra people and draw from its likelihood.

    The usual level is known by itself, with a normal log error; the truth was drawn from what is known of it.

    Returns
    -------
    Array
        Log gain in usual days and log usual people a day, (n, 2), with density as their likelihood.
    """
    size = 10 * sampling.KEPT
    what = rng.integers(3)
    if what < 2:
        sd = float(np.exp(rng.uniform(*np.log((SHARP, VAGUE)[what]))))
        total = rng.normal(log_total + sd * rng.standard_normal(), sd, size)
    else:
        total = from_likelihood(more_than(log_total, rng), size, rng)
    own = rng.normal(*usual, size)
    return np.column_stack([total - own, own])


def more_than(log_total: float, rng: np.random.Generator) -> Claim:
    """Publish "more than": half the time the count rounded down, half a mark of one digit passed before."""
    seen = log_total + BOUND_SCALE * rng.standard_normal()
    seen -= rng.exponential(PASSED) if rng.random() >= FRESH else 0.0
    unit = 10.0 ** np.floor(seen / np.log(10))
    low = float(np.floor(np.exp(seen) / unit) * unit)
    return Claim("", "excess", low, low + float(unit), "lower", 0.0, 1.0, (0.0, 0.0), BOUND_SCALE)


def from_likelihood(claim: Claim, size: int, rng: np.random.Generator) -> Array:
    """Draw log values with density as the likelihood of what was published."""
    grid = np.arange(np.log(claim.low) - 10 * claim.scale, np.log(claim.high) + 12, 0.005)
    mass = np.cumsum(likelihood.published(claim, grid, claim.scale))
    drawn: Array = np.interp(rng.random(size), mass / mass[-1], grid)
    return drawn


def sliced(like: Gain, event: Event, both: Array, taken_out: bool, rng: np.random.Generator) -> Gain:
    """Cut a likelihood into the slices of a gain; ``taken_out``: from a posterior by weights, as the main job does."""
    prior = likelihood.Prior()
    loose = 0.5 * ((both[:, 0] - np.log(prior.gain_days)) / prior.gain_sd) ** 2
    if taken_out:
        chance = np.exp(loose.min() - loose)
        some = rng.choice(len(both), sampling.KEPT, p=chance / chance.sum())
        weight = loose[some]
    else:
        some = np.arange(sampling.KEPT)
        weight = np.zeros(sampling.KEPT)
    parts = gains._sliced(both[some], weight)
    return replace(
        like,
        outage_id=event.outage_id,
        weight=parts["weight"],
        middle=parts["middle"],
        spread=parts["spread"],
        half_life=np.column_stack([np.full(SLICES, 1 / SLICES), np.zeros(SLICES)]),
        total=np.zeros(0),
        week=np.zeros(0),
    )


def compared(task: tuple[Scenario, int]) -> list[dict[str, object]]:
    """Simulate a table, fit it, and compare with the truth: one row for each rule."""
    scenario, seed = task
    made = simulate(scenario, seed)
    table = lay_out(made.events, made.gains)
    rows = []
    for name, fit in ((PLAIN, rule.fit), (CORRECTED, selection.fit))[: 1 + scenario.selected]:
        row: dict[str, object] = {"scenario": scenario.name, "rule": name, "outages": len(table.events), "refused": 0}
        try:
            found = fit(table, seed)
        except sampling.ConvergenceError:
            rows.append(row | {"refused": 1})
            continue
        for watched in WATCHED:
            draws, true = found.of(watched), made.parameters[NAMES.index(watched)]
            row[f"{watched} error"] = draws.mean() - true
            for level in LEVELS:
                low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
                row[f"{watched} {level}"] = float(low <= true <= high)
        rows.append(row)
    return rows


def summed(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """One row for each scenario and rule."""
    table = []
    for (scenario, name), part in pd.DataFrame(rows).groupby(["scenario", "rule"], sort=False):
        good = part[part["refused"] == 0]
        row = {"scenario": scenario, "rule": name, "sets": len(part), "refused": int(part["refused"].sum())}
        row["outages"] = part["outages"].mean()
        for watched in WATCHED:
            row |= {f"{watched}_cover_{100 * level:.0f}": good[f"{watched} {level}"].mean() for level in LEVELS}
            error = good[f"{watched} error"]
            row |= {f"{watched}_bias": error.mean(), f"{watched}_bias_se": error.std() / np.sqrt(len(error))}
        table.append(row)
    return pd.DataFrame(table)


def left_out() -> pd.DataFrame:
    """Predict each outage of the evidence from all the others, by the three rules of notebook 06."""
    rows = []
    for name, test in question.pool(evidence.load(), AcrossOutages()).tests.items():
        row: dict[str, object] = {"scenario": LEFT_OUT, "rule": name}
        row |= {"outages": len(test.outages), "score": test.score}
        for what in ("outages", "gains"):
            for level in LEVELS:
                inside, of = test.covers(level, what)
                row[f"left_out_{what}_cover_{100 * level:.0f}"] = inside / of
        rows.append(row)
    return pd.DataFrame(rows)


def told_of(rows: Iterable[list[dict[str, object]]], sets: int) -> Iterator[dict[str, object]]:
    """Pass rows on, and print how far they are."""
    begun = time.monotonic()
    for done, some in enumerate(rows, start=1):
        yield from some
        if done % 20 == 0 or done == sets:
            print(f"{done} of {sets} sets, {time.monotonic() - begun:.0f} s", flush=True)


def main() -> None:
    """Run and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    wanted = parser.parse_args()
    tasks = [(scenario, seed) for scenario in SCENARIOS for seed in range(max(round(wanted.sets * scenario.share), 1))]
    if wanted.workers > 1:
        with ProcessPoolExecutor(wanted.workers) as pool:
            rows = list(told_of(pool.map(compared, tasks, chunksize=2), len(tasks)))
    else:
        rows = list(told_of(map(compared, tasks), len(tasks)))
    table = pd.concat([summed(rows), left_out()])
    whole = ["sets", "refused"]
    table[whole] = table[whole].astype("Int64")
    table.to_csv(HERE / "rule.csv", index=False, float_format="%.3f", lineterminator="\n")
    print(table.T.to_string())


if __name__ == "__main__":
    main()
