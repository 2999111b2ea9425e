"""Sets of figures that agree or contradict each other, in the time zone that is kindest to them.

See :mod:`helpers.published.consistency` for what is compared, :mod:`helpers.published.stretch` for how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from helpers import words
from helpers.published.stretch import Fact, factor, factor_alone, shifts

#: Figures that are off by less than this factor agree.
AGREE = 1.002
#: Contradictions are looked for among so many figures at once; among many figures, among fewer.
LARGEST_SET, MANY_FIGURES, MOST_SETS = 4, 10, 5
#: Sorts of figures that are rates and can be told as one another.
RATES = {"moment", "peak"}
SETS = ["reading", "figure_ids", "retold", "factor", "zones", "text"]
RETOLD = [
    "figure_id",
    "repeats",
    "ratio",
    "numbers_agree",
    "same_window",
    "factor_worded",
    "factor_told",
    "against",
    "text",
]
ALONE = ["figure_id", "factor_worded", "factor_told"]


@dataclass(frozen=True)
class Verdict:
    """Whether a set of figures can be true together, in one reading.

    Attributes
    ----------
    reading : "as worded" or "as told".
    factor : by which all the figures would have to be off, at least; 1 where they agree, infinite where no factor
        helps. ``retold`` is the same with the retellings added.
    zones : hours from UTC of the places whose days allow the least factor.
    """

    reading: str
    factor: float
    retold: float
    zones: tuple[float, ...]

    @property
    def agree(self) -> bool:
        """Whether the figures can all be true, retellings left out."""
        return self.factor < AGREE


def off(by: float, bare: bool = False) -> str:
    """Write a factor: "off by 45% at least", "off by a factor of 3.4 at least"; ``bare`` of one near 1: "0.9%"."""
    if bare:
        return f"{words.digits(words.significant(100 * (by - 1), 1))}%"
    if not np.isfinite(by):
        return "off without limit"
    if by < 1.995:
        return f"off by {words.digits(words.significant(100 * (by - 1), 2 if by > 1.1 else 1))}% at least"
    return f"off by a factor of {words.digits(words.significant(by, 2))} at least"


@dataclass(frozen=True)
class Sets:
    """Figures in one reading, and what is found out about sets of them."""

    facts: dict[str, Fact]
    retold: dict[str, str]
    anchors: dict[str, tuple[float, float]]
    said: dict[str, str]
    _known: dict[tuple[str, ...], float] = field(default_factory=dict, init=False, compare=False)

    def clocks(self, ids: Sequence[str], anchored: bool = True) -> list[float]:
        """Shifts that the windows of a set may have."""
        tried = shifts([self.facts[i] for i in ids])
        ends = [self.anchors[i] for i in ids if i in self.anchors] if anchored else []
        kept = [z for z in tried if all(low <= z <= high for low, high in ends)]
        return kept or tried

    def factors(self, ids: Sequence[str], anchored: bool = True) -> dict[float, float]:
        """Factor for each shift, until one is found that agrees."""
        made: dict[float, float] = {}
        for shift in self.clocks(ids, anchored):
            made[shift] = factor([self.facts[i] for i in ids], shift)
            if made[shift] < AGREE and anchored:
                break
        return made

    def least(self, ids: Sequence[str]) -> float:
        """Factor in the time zone that is kindest to the set."""
        key = tuple(ids)
        if key not in self._known:
            self._known[key] = min(self.factors(ids).values()) if len(ids) > 1 else 1.0
        return self._known[key]

    def originals(self) -> list[str]:
        """Figures that do not tell another one again."""
        return [i for i in self.facts if i not in self.retold]

    def verdict(self, reading: str) -> Verdict:
        """Judge all figures at once."""
        if not self.originals():
            return Verdict(reading, 1.0, self.least(list(self.facts)), ())
        made = self.factors(self.originals())
        best = min(made.values())
        zones = tuple(sorted(0.0 - z for z, by in made.items() if by < best * AGREE))
        return Verdict(reading, best, self.least(list(self.facts)), zones)

    def smallest(self, reading: str) -> list[dict[str, Any]]:
        """Find the smallest sets that cannot be true, retellings included."""
        ids = list(self.facts)
        if self.least(ids) < AGREE:
            return []
        made: list[dict[str, Any]] = []
        found: list[set[str]] = []
        for size in range(2, (LARGEST_SET if len(ids) <= MANY_FIGURES else LARGEST_SET - 1) + 1):
            for some in combinations(ids, size):
                if any(smaller <= set(some) for smaller in found) or (by := self.least(some)) < AGREE:
                    continue
                made.append(self._row(reading, some, by))
            found = [set(row["figure_ids"]) for row in made]
            if self._explained(ids, found):
                break
        return made

    def _explained(self, ids: list[str], found: list[set[str]]) -> bool:
        """Whether leaving one figure out of each set found, in any way, leaves figures that agree: then that is all."""
        if not found or len(found) > MOST_SETS:
            return False
        kept = {tuple(i for i in ids if i not in out) for out in product(*found)}
        return all(self.least(some) < AGREE for some in kept)

    def _row(self, reading: str, ids: tuple[str, ...], by: float) -> dict[str, Any]:
        free = self.factors(ids, anchored=False)
        zones = tuple(sorted(0.0 - z for z, other in free.items() if other < AGREE))
        text = f"{self._named(ids)} cannot all be true {reading}: each would have to be {off(by)}."
        if zones:
            text += (
                f" They could be only if the day ended before the outage did (UTC{zones[0]:+g} to UTC{zones[-1]:+g})."
            )
        retold = any(i in self.retold for i in ids)
        numbers: dict[str, Any] = {
            "reading": reading,
            "figure_ids": ids,
            "retold": retold,
            "factor": by,
            "zones": zones,
        }
        return numbers | {"text": text.replace("all be", "both be") if len(ids) == 2 else text}

    def _named(self, ids: Sequence[str]) -> str:
        return words.listing(
            [self.said[i][:1].upper() + self.said[i][1:] if n == 0 else self.said[i] for n, i in enumerate(ids)]
        )


def alone(worded: Sets, told: Sets) -> pd.DataFrame:
    """By how much each original alone would have to be off, in the time zone that is kindest to all of them."""
    ids = told.originals()
    by = [_alone(sets, ids) for sets in (worded, told)]
    return pd.DataFrame(zip(ids, *by, strict=True), columns=ALONE)


def _alone(sets: Sets, ids: list[str]) -> list[float]:
    if sets.least(ids) < AGREE:
        return [1.0] * len(ids)
    tried = sets.factors(ids)
    shift = min(tried, key=lambda z: tried[z])
    facts = [sets.facts[name] for name in ids]
    return [factor_alone(facts, i, shift) for i in range(len(facts))]


def retellings(worded: Sets, told: Sets, values: dict[str, float]) -> pd.DataFrame:
    """Set each retelling against its original, and by its own words against all originals."""
    made = []
    for i, whole in told.retold.items():
        if i not in told.facts or whole not in told.facts:
            continue
        one, other = told.facts[i], told.facts[whole]
        alike = one.kind == other.kind or {one.kind, other.kind} == RATES
        ratio = values[i] / values[whole] if alike else np.nan
        others = [name for name in told.originals() if name != whole]
        against = _first_against(told, i, others)
        by = [sets.least([i, *against]) for sets in (worded, told)]
        agree = alike and one.low < other.high and other.low < one.high
        window = (one.start, one.end) == (other.start, other.end)
        row: dict[str, Any] = {
            "figure_id": i,
            "repeats": whole,
            "ratio": ratio,
            "numbers_agree": agree,
            "same_window": window,
        }
        row |= {"factor_worded": by[0], "factor_told": by[1], "against": ";".join(against)}
        made.append(row | {"text": _retold_text(told, row, against)})
    return pd.DataFrame(made, columns=RETOLD)


def _first_against(sets: Sets, i: str, others: list[str]) -> tuple[str, ...]:
    """Smallest set of originals that a retelling contradicts; of several, the one that it contradicts most."""
    for size in (1, 2):
        found = {some: sets.least([i, *some]) for some in combinations(others, size) if sets.least(some) < AGREE}
        worst = max(found, key=lambda some: found[some], default=())
        if worst and found[worst] >= AGREE:
            return worst
    return ()


def _retold_text(sets: Sets, row: dict[str, Any], against: tuple[str, ...]) -> str:
    said, other = sets.said[row["figure_id"]], sets.said[row["repeats"]]
    text = f"{said[:1].upper()}{said[1:]} retells {other}"
    off_by = abs(row["ratio"] - 1)
    if np.isnan(off_by):
        text += " as another sort of number."
    else:
        more = f"{words.percent(off_by)} {'more' if row['ratio'] > 1 else 'less'}"
        agree = "both can be one count" if row["numbers_agree"] else "as told they are two counts"
        text += f": {more if off_by >= 0.005 else 'the same number'}; {agree}."
    if not row["same_window"]:
        text += " It names other hours."
    if against:
        named = words.listing([sets.said[i] for i in against])
        text += f" By its own words it contradicts {named}: each would have to be {off(row['factor_told'])}."
    return text
