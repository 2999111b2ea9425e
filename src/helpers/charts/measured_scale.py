"""Scales of values for measured series: from zero, and where a surge would flatten what was usual, bent upwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from helpers import words
from helpers.charts import theme
from helpers.charts.theme import RULE

Array = NDArray[np.float64]
#: How many times what is usual the highest value may be before a straight scale hides the usual.
FLAT = 8.0
_SHORT = ((1e9, " bn"), (1e6, " M"), (1.0, ""))
_LADDERS = ((1, 2, 5), (1, 3), (1,))


def short(value: float) -> str:
    """Write a value for an axis: "4.95 M", "1,200", "0.3", "−50"."""
    unit, word = next((scale for scale in _SHORT if abs(value) >= scale[0]), _SHORT[-1])
    return words.digits(words.significant(value / unit, 6)) + word


@dataclass(frozen=True)
class ValueScale:
    """The ends of an axis of values; beyond ``bend``, where there is one, it is logarithmic, below it straight.

    The bent scale is matplotlib's "asinh": zero and negative values keep their place on it.
    """

    low: float
    high: float
    bend: float | None = None

    def share(self, value: float) -> float:
        """Place of a value as a share of the height of the axis."""
        low, high, at = (self._bent(v) for v in (self.low, self.high, value))
        return (at - low) / (high - low)

    def ticks(self, height: float, size: float, most: int = 5) -> list[float]:
        """Round values whose words leave each other room on an axis ``height`` points high."""
        apart = size * 1.7 / height
        most = max(1, min(most, int(1 / apart)))
        if self.bend is None:
            found = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
            slack = (self.high - self.low) * 1e-9
            return [float(v) for v in found if self.low - slack <= v <= self.high + slack]
        for steps, decades in ((ladder, n) for n in (1, 2, 3) for ladder in _LADDERS):
            values = self._ladder(steps, decades)
            shares = [self.share(v) for v in values]
            if all(b - a >= apart for a, b in pairwise(shares)):
                break
        return values

    def apply(self, axes: Axes, ticks: Sequence[float], name: Callable[[float], str] = short) -> None:
        """Give axes this scale, with a rule and a name at each tick."""
        if self.bend is not None:
            axes.set_yscale("asinh", linear_width=self.bend)
        axes.set_ylim(self.low, self.high)
        axes.set_yticks(list(ticks), [name(v) for v in ticks])
        axes.set_yticks([], minor=True)
        axes.grid(axis="y", color=RULE, lw=0.8)

    @property
    def note(self) -> str:
        """What the head of an axis must say of its scale."""
        return "" if self.bend is None else f", logarithmic above {short(self.bend)}"

    def _bent(self, value: float) -> float:
        return value if self.bend is None else math.asinh(value / self.bend)

    def _ladder(self, steps: Sequence[int], decades: int) -> list[float]:
        """Zero and the round values from the bend on, both ways, one decade in ``decades``."""
        assert self.bend is not None  # a straight scale has no ladder
        first = math.floor(math.log10(self.bend))
        last = math.ceil(math.log10(max(abs(self.low), abs(self.high), self.bend))) + 1
        up = [m * 10.0**k for k in range(first, last, decades) for m in steps]
        up = [v for v in up if v >= self.bend * (1 - 1e-9)]
        return [v for v in [*(-v for v in reversed(up)), 0.0, *up] if self.low <= v <= self.high]


def counts_scale(values: Sequence[Array], usual: float, how: str = "auto") -> ValueScale:
    """Scale of counts from zero to above all ``values``; ``how`` is "auto", "linear" or "log".

    ``usual`` is the level that has to stay visible: where the highest value is more than `FLAT` times above
    it, "auto" bends the scale there.
    """
    top = 1.06 * max((finite_max(v) for v in values), default=0.0) or 1.0
    bent = usual > 0 and (how == "log" or (how == "auto" and top > FLAT * usual))
    return ValueScale(0.0, top * 1.15 if bent else top, round_down(usual) if bent else None)


def spread_scale(values: Sequence[Array], usual: float, how: str = "auto") -> ValueScale:
    """Scale around zero that holds all ``values``, with a little room; bent like `counts_scale`."""
    high = max([0.0, *(finite_max(v) for v in values)])
    low = -max([0.0, *(finite_max(-v) for v in values)])
    most = max(high, -low)
    if most == 0:
        return ValueScale(-1.0, 1.0)
    bend = round_down(usual) if usual > 0 and (how == "log" or (how == "auto" and most > FLAT * usual)) else None
    room = 0.06 * (high - low) if bend is None else 0.0
    grow = 1.0 if bend is None else 1.4
    return ValueScale(low * grow - room * (low < 0), high * grow + room * (high > 0), bend)


def finite_max(values: Array) -> float:
    """Return the highest finite value; 0 if there is none."""
    kept = values[np.isfinite(values)]
    return float(kept.max()) if len(kept) else 0.0


def round_down(value: float) -> float:
    """Return the round value (1, 2 or 5 times a power of ten) at or below a positive one."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(next((power * m for m in (5, 2, 1) if power * m <= value * (1 + 1e-9)), power))


def gutter(names: Sequence[str], size: float) -> float:
    """Width of the words at ticks, with the space before the axis."""
    return 8 + max((theme.extent(name, size)[0] for name in names), default=0.0)
