"""Each outage predicted from all the others, against what its own figures say.

An event of the same days shares figures with it (a purchase three days before an outage) and is left out with it.

The draws of the rule are weighted by one over the likelihood of the outage that is left out (importance sampling;
Gelfand, Dey and Chang 1992). Where the weights' tail is too heavy to be trusted (Vehtari, Gelman and Gabry 2017) the
rule is fitted again without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp, ndtr

from helpers.curve import Array
from helpers.pooled import rule
from helpers.pooled.design import NAMES, USUAL, Table
from helpers.pooled.rule import Rule
from helpers.sampling import GOOD_TAIL, pareto_tail

#: By the ids of the events left out: draws of the rule that was fitted again, and each event's log likelihood.
Refitted = dict[frozenset[str], tuple[Array, Array]]
ENDS = {"low95": 0.025, "low80": 0.1, "middle": 0.5, "high80": 0.9, "high95": 0.975}


@dataclass(frozen=True)
class LeftOut:
    """Predictions of what was left out.

    Attributes
    ----------
    outages : one row an outage, in the order of the rule's events: outage_id, score (log density of its figures given
        all others), rank (of the mean log gain of its rivals in what was predicted for it, 0 to 1), again (whether the
        rule was fitted again without it).
    gains : one row a gain: outage_id, rival, rank; where asked for, the quantiles (2.5, 10, 50, 90 and 97.5%) of the
        log of all extra people that were predicted for it: low95, low80, middle, high80, high95.
    """

    outages: pd.DataFrame
    gains: pd.DataFrame

    @property
    def score(self) -> float:
        """Mean log score of an outage; higher is better."""
        return float(self.outages["score"].mean())

    def covers(self, level: float, of: str = "outages") -> tuple[int, int]:
        """How many lie inside the central interval of a level, and how many there are."""
        rank = getattr(self, of)["rank"]
        return int(rank.between((1 - level) / 2, (1 + level) / 2).sum()), len(rank)


def leave_one_out(found: Rule, seed: int, held: Mapping[str, float] | None = None, people: bool = False) -> LeftOut:
    """Predict every outage of a rule from the others; ``people`` adds quantiles of what was predicted of each gain."""
    outages, gains = [], []
    refitted: Refitted = {}
    for number, event in enumerate(found.table.events):
        values, weight, score, again = without(found, number, seed, held, refitted)
        own = np.flatnonzero(found.table.owner == number)
        ranks, mean_rank = _ranks(values, weight, found.table, own)
        outages.append({"outage_id": event.outage_id, "score": score, "rank": mean_rank, "again": again})
        for i, rank in zip(own, ranks, strict=True):
            row = {"outage_id": event.outage_id, "rival": found.table.gains[i].rival, "rank": rank}
            if people:
                told = predicted(values, weight, found.table, int(i), tuple(ENDS.values()))
                row |= dict(zip(ENDS, told, strict=True))
            gains.append(row)
    return LeftOut(pd.DataFrame(outages), pd.DataFrame(gains))


def without(
    found: Rule,
    number: int,
    seed: int,
    held: Mapping[str, float] | None = None,
    refitted: Refitted | None = None,
) -> tuple[Array, Array, float, bool]:
    """Draws of the rule without one event, their weights, the event's log score, and whether it was fitted again.

    ``refitted`` rules of the same table, seed and held coefficients are taken from there, and new ones put there.
    """
    event = found.table.events[number]
    # An event of the same days shares figures with it.
    out = [i for i, other in enumerate(found.table.events) if i == number or other.outage_id in event.near]
    log_weight = -found.by_event[:, out].sum(axis=1)
    if pareto_tail(log_weight) < GOOD_TAIL:
        log_weight -= logsumexp(log_weight)
        return found.draws, np.exp(log_weight), float(logsumexp(log_weight + found.by_event[:, number])), False
    refitted = {} if refitted is None else refitted
    # Events of the same days are left out with each other: one rule predicts them all.
    gone = frozenset(found.table.events[i].outage_id for i in out)
    if gone not in refitted:
        draws = rule.fit(found.table.without(set(gone)), seed, held).draws
        refitted[gone] = draws, rule.Model(found.table, held or {}).by_event(draws)
    draws, by_event = refitted[gone]
    likelihood = by_event[:, number]
    even = np.full(len(draws), 1 / len(draws))
    return draws, even, float(logsumexp(likelihood) - np.log(len(likelihood))), True


def _ranks(values: Array, weight: Array, table: Table, own: NDArray[np.intp]) -> tuple[Array, float]:
    """Rank of each gain of an event, and of their mean, in what the rule predicts of figures as uncertain as these."""
    middle, within = rule.expected(values, table)
    number = table.owner[own[0]]
    between = rule.event_variance(values, table.doubt[[number]])[:, 0]
    off, variance = rule.slices(values, table, own, middle, within)
    share = table.weight[own]
    centre = (share * off).sum(axis=-1)
    wide = (share * (variance + off**2)).sum(axis=-1) - centre**2
    ranks = weight @ ndtr(centre / np.sqrt(wide + between[:, None]))
    mean_rank = weight @ ndtr(centre.mean(axis=1) / np.sqrt(between + wide.sum(axis=1) / len(own) ** 2))
    return ranks, float(mean_rank)


def predicted(values: Array, weight: Array, table: Table, own: int, ends: tuple[float, ...]) -> Array:
    """Quantiles of the log extra people that the rule predicts for a rival whose usual level is known.

    Parameters
    ----------
    values, weight : draws of the rule and their weights, (n, len(NAMES)) and (n,).
    own : which gain.
    ends : probabilities.
    """
    middle, within = rule.expected(values, table)
    between = rule.event_variance(values, table.doubt[[table.owner[own]]])[:, 0]
    usual = float((table.weight[own] * table.usual[own]).sum())
    centre = middle[:, own] + (1 + values[:, NAMES.index("usual")]) * usual + np.log(USUAL)
    return quantiles(centre, np.sqrt(between + within), weight, ends)


def quantiles(centre: Array, sd: Array, weight: Array, ends: tuple[float, ...]) -> Array:
    """Quantiles of a weighted mixture of normals, one normal a draw: (len(ends),)."""
    low, high = float((centre - 9 * sd).min()), float((centre + 9 * sd).max())
    return np.array([brentq(lambda x, p=p: float(weight @ ndtr((x - centre) / sd)) - p, low, high) for p in ends])
