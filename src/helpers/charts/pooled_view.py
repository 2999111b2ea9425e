"""What the figures of all events together show: plain numbers and arrays, checked before they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.charts.measured_view import same_length

Array = NDArray[np.float64]
KINDS = ("outage", "block", "shutdown", "policy_shock", "nothing_failed")


@dataclass(frozen=True)
class DosePoint:
    """One event: how many people it hit, and how many extra users one of its rivals gained.

    Parameters
    ----------
    label : str
        Its name; beside its mark a long one is cut: "WhatsApp, 22 Feb 2014".
    x : float or None
        People hit by the event; None if nobody published how many.
    low, middle, high : float
        Extra users that the rival gained whose gain is known best: the median within its interval.
    kind : {"outage", "block", "shutdown", "policy_shock", "nothing_failed"}

    Raises
    ------
    ValueError
        If a number is not finite, positive and in order, the name is empty or the kind is not known.
    """

    label: str
    x: float | None
    low: float
    middle: float
    high: float
    kind: str

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        _named(self.label)
        _increasing(self.label, "low <= middle <= high", self.low, self.middle, self.high)
        if self.x is not None:
            _increasing(self.label, "people hit, or None", self.x)
        if self.kind not in KINDS:
            raise ValueError(f"{self.label!r}: expected a kind of {', '.join(KINDS)}, got {self.kind!r}")


@dataclass(frozen=True)
class DoseView:
    """All events, and the rule that was fitted to them.

    Parameters
    ----------
    points : sequence of DosePoint
    grid : array, shape (m,)
        People hit, increasing; empty when there is no rule.
    low, middle, high : array, shape (m,)
        The line of the rule, with the interval of the median gain.
    wide_low, wide_high : array, shape (m,)
        Interval in which a single new gain falls.
    noun : str
        What rivals gained: "users".
    level : float
        Mass of all intervals.

    Raises
    ------
    ValueError
        If there is no point, the arrays differ in length, or a number is not finite, positive and in order.
    """

    points: Sequence[DosePoint]
    grid: Array
    low: Array
    middle: Array
    high: Array
    wide_low: Array
    wide_high: Array
    noun: str = "users"
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.points:
            raise ValueError("nothing to draw: no event has a gain")
        _share(self.level)
        bands = (self.wide_low, self.low, self.middle, self.high, self.wide_high)
        same_length("people hit", len(self.grid), *bands)
        if not np.isfinite(self.grid).all() or (self.grid <= 0).any() or (np.diff(self.grid) <= 0).any():
            raise ValueError(f"the rule: expected people hit that are finite, positive and increasing, got {self.grid}")
        for i, hit in enumerate(self.grid):
            order = "wide_low <= low <= middle <= high <= wide_high"
            _increasing(f"the rule at {hit:g} people", order, *(float(band[i]) for band in bands))


@dataclass(frozen=True)
class PredictedRow:
    """One event, predicted from all others, against what its own figures say; extra users.

    Parameters
    ----------
    label : str
        Its name: "WhatsApp, 22 Feb 2014: Telegram".
    low95, low80, middle, high80, high95 : float
        The median predicted, within intervals of 80% and 95%.
    seen_low, seen_middle, seen_high : float
        What the figures of that event say, with the interval.

    Raises
    ------
    ValueError
        If a number is not finite, positive and in order, or the name is empty.
    """

    label: str
    low95: float
    low80: float
    middle: float
    high80: float
    high95: float
    seen_low: float
    seen_middle: float
    seen_high: float

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        _named(self.label)
        predicted = self.low95, self.low80, self.middle, self.high80, self.high95
        _increasing(self.label, "low95 <= low80 <= middle <= high80 <= high95", *predicted)
        order = "seen_low <= seen_middle <= seen_high"
        _increasing(self.label, order, self.seen_low, self.seen_middle, self.seen_high)

    @property
    def inside(self) -> bool:
        """Whether what was seen lies in the interval of 95%, its ends included."""
        return self.low95 <= self.seen_middle <= self.high95


@dataclass(frozen=True)
class LeftOutView:
    """Every event predicted from all others, drawn in the order given; ``noun`` is what rivals gained.

    Raises
    ------
    ValueError
        If there are no rows.
    """

    rows: Sequence[PredictedRow]
    noun: str = "users"

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.rows:
            raise ValueError("nothing to draw: no event was predicted from the others")


def _named(label: str) -> None:
    if not label.strip():
        raise ValueError("an event needs a name: it is empty")


def _share(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}")


def _increasing(label: str, order: str, *values: float) -> None:
    """Refuse values that a logarithmic axis cannot show, or that stand in the wrong order."""
    if not np.isfinite(values).all() or min(values) <= 0 or list(values) != sorted(values):
        given = ", ".join(f"{value:g}" for value in values)
        raise ValueError(f"{label!r}: expected finite positive numbers, {order}, got {given}")
