"""Can published figures be true together? A linear program over any rate that is never negative.

No model of a surge is assumed. The unknown is how many joined in each stretch of time between the edges of the
figures' windows. By what factor would every figure have to be off, at least, for one history to satisfy all of them?
With all amounts multiplied by the factor s, "low / s <= sum <= s high" becomes "low <= sum <= u high" with u = s^2:
one linear program (Charnes and Cooper 1962 for the substitution), no search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

Array = NDArray[np.float64]
Kind = Literal["count", "total", "moment", "peak"]
#: No program of a dozen figures is worse than this; HiGHS then says that it failed.
_IMPOSSIBLE = float("inf")


@dataclass(frozen=True)
class Fact:
    """A figure as a constraint on a rate over time.

    Parameters
    ----------
    figure_id : key in the evidence.
    kind : "count", how many came in the window; "total", how many there were at some moment of it; "moment", the rate
        at some moment of it; "peak", the highest rate in it.
    low, high : number of people, or people per hour; ``high`` may be infinite.
    start, end : window in hours since any origin, as written. Wider than ``hours`` where its place is not known.
    hours : length of what is counted; for a peak, the length that its rate is a mean of.
    zone : hours (earliest, latest) by which the window may lie later, for want of a time zone.
    """

    figure_id: str
    kind: Kind
    low: float
    high: float
    start: float
    end: float
    hours: float
    zone: tuple[float, float] = (0.0, 0.0)

    def window(self, shift: float) -> tuple[float, float]:
        """Window when clocks run ``shift`` hours late; a place that is known better keeps its own time."""
        moved = float(np.clip(shift, *self.zone))
        return self.start + moved, self.end + moved


class _Program:
    """Columns: amounts in the cells, the total at the first edge, a rate for each moment or peak, and u."""

    def __init__(self, facts: Sequence[Fact], shift: float, loose: int | None = None) -> None:
        self.facts, self.loose = facts, loose
        self.windows = [fact.window(shift) for fact in facts]
        edges = {
            edge for fact, window in zip(facts, self.windows, strict=True) for edge in (*window, *_core(fact, window))
        }
        self.edges = np.array(sorted(round(edge, 6) for edge in edges))
        self.rates = [i for i, fact in enumerate(facts) if fact.kind in ("moment", "peak")]
        self.cells = len(self.edges) - 1
        self.columns = self.cells + 1 + len(self.rates) + 1
        self.scale = max((fact.low for fact in facts), default=1.0) or 1.0
        self.rows: list[Array] = []
        self.limits: list[float] = []

    def between(self, start: float, end: float) -> Array:
        """Row that sums the cells between two moments."""
        row = np.zeros(self.columns)
        row[: self.cells] = (self.edges[:-1] >= start - 1e-5) & (self.edges[1:] <= end + 1e-5)
        return row

    def at_most(self, row: Array, limit: float) -> None:
        self.rows.append(row)
        self.limits.append(limit)

    def bounded(self, i: int, row: Array, above: Array) -> None:
        """Add ``low <= row`` and ``above <= u high``; u is 1 for all others where one figure alone is loose."""
        low, high = self.facts[i].low / self.scale, self.facts[i].high / self.scale
        if i == self.loose:
            self.low_row = row
        elif low > 0:
            self.at_most(-row, -low)
        if not np.isfinite(high):
            return
        if self.loose is None or i == self.loose:
            above = above.copy()
            above[-1] -= high
            self.at_most(above, 0.0)
        else:
            self.at_most(above, high)

    def rate(self, i: int) -> Array:
        row = np.zeros(self.columns)
        row[self.cells + 1 + self.rates.index(i)] = 1.0
        return row

    def add(self, i: int) -> None:
        fact, (start, end) = self.facts[i], self.windows[i]
        if fact.kind == "count":
            inner = _core(fact, (start, end))
            self.bounded(i, self.between(start, end), self.between(*inner) if inner else np.zeros(self.columns))
        elif fact.kind == "total":
            # A total that only grows has the value at some moment: too small before it, or too large after, is wrong.
            until = self.between(-np.inf, end)
            before = self.between(-np.inf, start)
            until[self.cells] = before[self.cells] = 1.0
            self.bounded(i, until, before)
        else:
            self.bounded(i, self.rate(i), self.rate(i))
            if fact.kind == "peak":
                self.cap(i)

    def cap(self, i: int) -> None:
        """No rate in its window lies above a peak, and the window holds as many as the peak itself brought."""
        fact, (start, end) = self.facts[i], self.windows[i]
        self.at_most(fact.hours * self.rate(i) - self.between(start, end), 0.0)
        inside = self.edges[(self.edges >= start - 1e-5) & (self.edges <= end + 1e-5)]
        for a, first in enumerate(inside):
            for last in inside[a + 1 :]:
                self.at_most(self.between(first, last) - max(last - first, fact.hours) * self.rate(i), 0.0)
        for j in self.rates:
            low, high = self.windows[j]
            if self.facts[j].kind == "moment" and start <= low and high <= end:
                self.at_most(self.rate(j) - self.rate(i), 0.0)

    def solve(self) -> float:
        """Least u that makes it possible; infinite where none does."""
        for i in range(len(self.facts)):
            self.add(i)
        aim = np.zeros(self.columns)
        aim[-1] = 1.0
        return self._least(aim)

    def most(self) -> float:
        """Most that the loose figure can be as a share of its lower end; call after :meth:`solve`."""
        low = self.facts[self.loose or 0].low / self.scale
        return -self._least(-self.low_row) / low if low else _IMPOSSIBLE

    def _least(self, aim: Array) -> float:
        bounds = [(0, None)] * (self.columns - 1) + [(1, None)]
        found = linprog(aim, np.array(self.rows), np.array(self.limits), bounds=bounds, method="highs")
        return float(found.fun) if found.status == 0 else -_IMPOSSIBLE if found.status == 3 else _IMPOSSIBLE


def _core(fact: Fact, window: tuple[float, float]) -> tuple[float, ...]:
    """Part of a window that is counted wherever the counted hours lie in it; nothing where there is none."""
    start, end = window
    slack = end - start - fact.hours
    if fact.kind != "count" or slack <= 1e-6:
        return window
    return (start + slack, end - slack) if fact.hours > slack else ()


def factor(facts: Sequence[Fact], shift: float = 0.0) -> float:
    """Smallest factor by which all figures must be off for one history to satisfy them; 1 if they agree.

    Parameters
    ----------
    shift : hours by which windows without a time zone lie later, the same for all.

    Returns
    -------
    float
        At least 1; infinite where no factor helps (a count of zero against people counted).
    """
    return float(np.sqrt(_Program(facts, shift).solve())) if len(facts) > 1 else 1.0


def factor_alone(facts: Sequence[Fact], i: int, shift: float = 0.0) -> float:
    """Factor by which figure ``i`` alone must be off so that all others can stand as they are.

    Returns
    -------
    float
        At least 1; infinite where the others contradict each other without it.
    """
    program = _Program(facts, shift, loose=i)
    above = program.solve()
    most = program.most()
    return above if np.isinf(above) else max(above, 1 / max(most, 1e-12))


def shifts(facts: Sequence[Fact]) -> list[float]:
    """Time zones worth trying: whole hours (shift of the windows), those nearest to UTC first."""
    low, high = min(f.zone[0] for f in facts), max(f.zone[1] for f in facts)
    if high - low < 1:
        return [(low + high) / 2]
    return sorted(np.arange(np.ceil(low), np.floor(high) + 1).tolist(), key=lambda z: (abs(z), z))
