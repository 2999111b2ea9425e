"""What the figures of the outage history share: looks of groups, axes of dates, scales of lengths, rows of keys."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from helpers import words
from helpers.charts import theme
from helpers.charts.sheet import Sheet
from helpers.charts.theme import INK, QUIET

Array = NDArray[np.float64]
NO_CAUSE = "cause not published"
OTHERS = "other causes"
_UNNAMED = ("", "unknown", NO_CAUSE)
_MOST = 5
# the time before anything would have been seen
UNSEEN: dict[str, Any] = {"facecolor": "#f3f4f6", "edgecolor": "#d5d9e0", "hatch": theme.HATCH, "lw": 0, "zorder": 0}


@dataclass(frozen=True)
class Look:
    """How one group is drawn: colour, shape and line differ all three, so that no reader needs the colour."""

    colour: str
    marker: str
    dash: tuple[int, tuple[float, ...]] | str


LOOKS = (
    Look(theme.FIT, "s", "-"),
    Look(theme.OUTAGE, "^", (0, (5, 2))),
    Look("#b06f00", "D", (0, (1.5, 1.5))),
    Look("#0c7d66", "v", (0, (6, 2, 1.5, 2))),
    Look("#7a4fa3", "p", (0, (3, 1.5))),
)
QUIET_LOOK = Look(theme.OTHER, "o", (0, (1, 1)))


def group_looks(names: Iterable[str]) -> dict[str, tuple[str, Look]]:
    """Give every group a look, at most five different: group to (name shown, look), the commonest first.

    Groups beyond the fifth become "other causes"; where no cause is known the look is grey and stands last.
    """
    counted = Counter(names)
    # equal counts in the order of the alphabet: the same events give the same figure in any order
    known = sorted((n for n in counted if n not in _UNNAMED), key=lambda n: (-counted[n], n))
    unnamed = [n for n in counted if n in _UNNAMED]
    room = _MOST - bool(unnamed)
    own = known if len(known) <= room else known[: room - 1]
    looks = {name: (name, LOOKS[i]) for i, name in enumerate(own)}
    looks |= {name: (OTHERS, LOOKS[len(own)]) for name in known[len(own) :]}
    return looks | dict.fromkeys(sorted(unnamed), (NO_CAUSE, QUIET_LOOK))


def line_looks(names: Sequence[str]) -> list[Look]:
    """Give each of a few groups a look in the order given, grey to the one whose cause is not known."""
    spare = iter(LOOKS)
    return [QUIET_LOOK if name in _UNNAMED else next(spare, QUIET_LOOK) for name in names]


def days(when: pd.Timestamp) -> float:
    """Place of a time on an axis of dates: days since 1970 in UTC."""
    return float((when - pd.Timestamp(0, unit="us", tz="UTC")) / pd.Timedelta(days=1))


def date_ticks(start: pd.Timestamp, end: pd.Timestamp, room: float, size: float) -> tuple[list[float], list[str]]:
    """Round hours, days, months or years of UTC whose words leave each other room: places in days, words."""
    begin, span = days(start), max(days(end) - days(start), 1e-9)
    for step, unit in _STEPS:
        if span / _DAYS[unit] / step > 40:
            continue
        moments = [m for m in _moments(start, end, step, unit) if start <= m <= end]
        names = [_tick_name(m, i == 0, step, unit) for i, m in enumerate(moments)]
        at = [(days(m) - begin) / span * room for m in moments]
        half = [theme.extent(name, size)[0] / 2 for name in names]
        if all(b - a > h + k + 8 for (a, b), (h, k) in zip(pairwise(at), pairwise(half), strict=True)):
            kept = [i for i in range(len(at)) if at[i] - half[i] > -7 and at[i] + half[i] < room + 7]
            return [days(moments[i]) for i in kept], [names[i] for i in kept]
    return [], []


_DAYS = {"h": 1 / 24, "D": 1.0, "M": 30.44, "Y": 365.25}
_STEPS = (
    *((n, "h") for n in (1, 3, 6, 12)), *((n, "D") for n in (1, 2, 4, 7, 14)),
    *((n, "M") for n in (1, 2, 3, 6)), *((n, "Y") for n in (1, 2, 5, 10, 20, 50, 100)),
)  # fmt: skip


def _moments(start: pd.Timestamp, end: pd.Timestamp, step: int, unit: str) -> list[pd.Timestamp]:
    if unit == "Y":
        first = start.year - start.year % step
        return [pd.Timestamp(year=y, month=1, day=1, tz="UTC") for y in range(max(first, 1700), end.year + 1, step)]
    if unit == "M":
        first = pd.Timestamp(year=start.year, month=1, day=1, tz="UTC")
        return list(pd.date_range(first, end, freq=f"{step}MS"))
    return list(pd.date_range(start.normalize(), end, freq=f"{step}{unit}"))


def _tick_name(when: pd.Timestamp, first: bool, step: int, unit: str) -> str:
    month = words.MONTHS[when.month - 1]
    if unit == "Y":
        return str(when.year)
    if unit == "M":
        return month + (f"\n{when.year}" if first or when.month <= step else "")
    day = f"{when.day} {month}"
    if unit == "D":
        return day + (f"\n{when.year}" if first or when.day_of_year <= step else "")
    return f"{when:%H:%M}" + (f"\n{day}" if first or when.hour < step else "")


_LENGTHS = (
    (1 / 60, "1 minute"), (5 / 60, "5 min"), (0.25, "15 min"), (1.0, "1 hour"), (4.0, "4 hours"), (24.0, "1 day"),
    (96.0, "4 days"), (168.0, "1 week"), (720.0, "30 days"), (8766.0, "1 year"), (87660.0, "10 years"),
)  # fmt: skip
_FIRST = (1.0, 24.0, 720.0, 8766.0, 0.25, 168.0, 1 / 60, 4.0, 5 / 60, 96.0, 87660.0)  # the best known lengths first


def length_ticks(
    low: float, high: float, place: Callable[[float], float], apart: Callable[[str, str], float]
) -> list[tuple[float, str]]:
    """Lengths of time everybody knows, in hours, with their words; as many as keep their distance.

    ``place`` gives the points of a length, ``apart`` the points that two words need between their middles.
    """
    known = dict(_LENGTHS)
    chosen: list[float] = []
    for hours in _FIRST:
        if low <= hours <= high and all(
            abs(place(hours) - place(other)) >= apart(known[hours], known[other]) for other in chosen
        ):
            chosen.append(hours)
    return [(hours, known[hours]) for hours in sorted(chosen)]


@dataclass(frozen=True)
class Key:
    """One entry of a row of keys: its words, and how to draw its sample centred on a point."""

    text: str
    draw: Callable[[Sheet, float, float], object]
    width: float = 10.0


def dot_key(text: str, colour: str, marker: str, hollow: bool = False) -> Key:
    """Key of a marker."""

    def draw(sheet: Sheet, x: float, y: float) -> None:
        sheet.rule((x,), (y,), marker=marker, ms=6.5, mec=colour, mfc=theme.PAPER if hollow else colour, mew=1.3)

    return Key(text, draw)


def line_key(text: str, colour: str, **look: object) -> Key:
    """Key of a line."""

    def draw(sheet: Sheet, x: float, y: float) -> None:
        sheet.rule((x - 11, x + 11), (y, y), colour, **look)

    return Key(text, draw, 22)


def patch_key(text: str, **look: object) -> Key:
    """Key of a filled surface: ``look`` as of a matplotlib patch."""
    from matplotlib.patches import Rectangle

    def draw(sheet: Sheet, x: float, y: float) -> None:
        patch = Rectangle((x - 9, y - 5), 18, 10, transform=sheet.points, **look)  # type: ignore[arg-type]
        sheet.figure.add_artist(patch)

    return Key(text, draw, 18)


def key_rows(sheet: Sheet, keys: Sequence[Key]) -> None:
    """Set keys side by side, in as many rows as the width asks for."""
    size, edge = sheet.size.small, sheet.size.edge
    x = 0.0
    for i, key in enumerate(keys):
        text = theme.wrap(key.text, sheet.inner - key.width - 8, size)
        width, height = theme.extent(text, size)
        if i and x + key.width + 6 + width > sheet.inner:
            x = 0.0
            sheet.skip(size * 1.55)

        def put(y: float, key: Key = key, x: float = x, text: str = text) -> None:
            key.draw(sheet, edge + x + key.width / 2, y - size * 0.52)
            sheet.write(edge + x + key.width + 6, y, text, size, QUIET, va="top")

        sheet.later(put)
        x += key.width + 6 + width + 16
        if "\n" in text:
            sheet.skip(height - size)
    sheet.skip(size * 1.2)


def head(sheet: Sheet, text: str, down: float = 6) -> None:
    """Set the bold line that says what an axis counts."""
    sheet.note(text, sheet.size.text, bold=True, colour=INK)
    sheet.skip(down)


def bare(axes: Axes) -> None:
    """Take everything off axes whose words stand elsewhere."""
    axes.set(xticks=[], yticks=[])
    axes.spines["bottom"].set_visible(False)


def count_ticks(top: float, most: int = 5) -> list[float]:
    """Whole numbers from zero to ``top`` in steps of 1, 2, 5, 10 ..., at most ``most`` of them after zero."""
    power = 10.0 ** math.floor(math.log10(max(top / most, 1.0)))
    step = next(power * m for m in (1, 2, 5, 10) if top / (power * m) <= most)
    return [float(v) for v in np.arange(0, top + 1e-9, step)]
