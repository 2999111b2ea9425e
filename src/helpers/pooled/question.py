"""From checked parameters to all outages together: gains collected, the rule fitted, checked and compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.evidence import Evidence
from helpers.models import AcrossOutages
from helpers.pooled import agreement, events, gains, half_lives, kept, left_out, rule, selection
from helpers.pooled.design import Table, lay_out
from helpers.pooled.events import Event
from helpers.pooled.rule import Rule
from helpers.schemas import ALL_KINDS

#: Fewer events with a gain than this make no rule that a report could show.
FEWEST = 8
#: The rules that are compared: what they are called, and what they hold.
RIVAL_RULES = {
    "this rule": None,
    "the same share of the people hit": rule.SAME_SHARE,
    "the median gain of all": rule.MEDIAN_GAIN,
}


class PoolError(ValueError):
    """Too few events for a rule; the message says how many there are, and of what."""


@dataclass(frozen=True)
class Pool:
    """All outages together.

    ``found`` is the rule, ``told`` the rule with the chance of being published, ``halves`` the half-lives by kind;
    ``tests`` leave-one-out by rule, in the order of RIVAL_RULES; ``means`` the exponents by other means, None where too
    few gains are known well enough.
    """

    events: list[Event]
    aside: list[gains.LeftOut]
    found: Rule
    told: Rule
    halves: Rule
    tests: dict[str, left_out.LeftOut]
    means: pd.DataFrame | None
    bounds: list[selection.Bound]

    @property
    def table(self) -> Table:
        """Events and gains as they entered."""
        return self.found.table


def pool(evidence: Evidence, asked: AcrossOutages, folder: Path | None = None) -> Pool:
    """Fit everything that notebook 06 shows; gains of the same evidence are taken from the kept rule of a folder.

    Raises
    ------
    PoolError
        If fewer than FEWEST of the events asked for have a gain that can be counted.
    helpers.sampling.ConvergenceError
        If draws cannot be trusted.
    """
    chosen = events.chosen(events.all_events(evidence), asked.kinds, asked.sectors, asked.exclude)
    found, out = _collected(evidence, chosen, asked.seed, folder)
    table = lay_out(chosen, found)
    if len(table.events) < FEWEST:
        of = "kinds, sectors, exclude"
        raise PoolError(
            f"{of}: {len(chosen)} events, and after {len(table.events)} of them a gain was published that can be "
            f"counted; expected at least {FEWEST}"
        )
    rules = {name: rule.fit(table, asked.seed, held) for name, held in RIVAL_RULES.items()}
    tests = {
        name: left_out.leave_one_out(rules[name], asked.seed, held, people=held is None)
        for name, held in RIVAL_RULES.items()
    }
    return Pool(
        events=chosen,
        aside=out,
        found=rules["this rule"],
        told=selection.fit(table, asked.seed),
        halves=half_lives.fit(table, asked.seed),
        tests=tests,
        means=agreement.compared(table, asked.seed, asked.level),
        bounds=selection.bound(chosen, ALL_KINDS),
    )


def _collected(
    evidence: Evidence, chosen: list[Event], seed: int, folder: Path | None
) -> tuple[list[gains.Gain], list[gains.LeftOut]]:
    """Collect the gains of some events, from the kept rule where it would be the same."""
    try:
        rules = kept.load(folder) if folder else None
    except kept.KeptError:
        rules = None
    if rules is None or not rules.fresh or seed != kept.SEED:
        return gains.collect(evidence, chosen, seed)
    ids = [event.outage_id for event in chosen]
    found = [one for one in rules.gains if one.outage_id in ids]
    return found, [one for one in rules.aside if one.outage_id in ids]
