"""Words for events above the axes, where no data run: each in a lane with room, its stem down to its moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product

from matplotlib.axes import Axes

from helpers.charts import theme
from helpers.charts.sheet import Sheet
from helpers.charts.theme import NARROW, OUTAGE, QUIET, Size


@dataclass(frozen=True)
class Event:
    """What happened at a place on the time axis, in points from the left edge of the figure.

    The outage is named where it begins when its shade is ``long``, else over its middle; others beside.
    """

    x: float
    text: str
    outage: bool = False
    long: bool = False


@dataclass(frozen=True)
class Lane:
    """An event's words in their place: left and right edge, row from the axes up, height above the axes."""

    event: Event
    left: float
    right: float
    row: int
    up: float = 0.0

    def over(self, x: float) -> bool:
        """Whether a stem there would run behind the words."""
        return self.left - 3 < x < self.right + 3


def arrange(events: Sequence[Event], size: Size) -> tuple[list[Lane], float]:
    """Give each event its lane: the lanes, and their height in all.

    Of all orders the one is taken that needs the least room and whose stems run behind the fewest words.
    """
    widest = (size.width - 2 * size.edge) * (0.55 if size is NARROW else 0.28)
    wrapped = [replace(e, text=theme.wrap(e.text, widest, size.text, even=True)) for e in events]
    orders = permutations(wrapped) if len(wrapped) <= 5 else [wrapped]
    return min((_stack(order, size) for order in orders), key=lambda stacked: stacked[2])[:2]


def _stack(events: Sequence[Event], size: Size) -> tuple[list[Lane], float, float]:
    """Put events into lanes in the given order: the lanes, their height, and how bad it looks."""
    placed: list[Lane] = []
    crossed = 0
    for event in events:
        width = theme.extent(event.text, size.text)[0]
        before, middle = event.x - 4 - width, event.x - width / 2
        starts = [event.x if event.long else event.x + 4, before, middle]
        if event.outage and not event.long:
            starts.reverse()
        tries = []
        for row, start in product(range(len(placed) + 1), starts):
            left = min(max(start, size.edge), size.width - size.edge - width)
            new = Lane(event, left, left + width, row)
            if all(old.row != row or new.right + 8 < old.left or old.right + 8 < left for old in placed):
                hits = sum(old.over(event.x) if old.row < row else new.over(old.event.x) for old in placed)
                tries.append((hits, new))
        hits, best = min(tries, key=lambda found: (found[0], found[1].row))
        crossed += hits
        placed.append(best)
    tall = [0.0] * (1 + max(lane.row for lane in placed))
    for lane in placed:
        tall[lane.row] = max(tall[lane.row], theme.extent(lane.event.text, size.text)[1] + 4)
    lanes = [replace(lane, up=8 + sum(tall[: lane.row])) for lane in placed]
    room = 8 + sum(tall)
    return lanes, room, room + 60 * crossed + sum(5 * lane.up for lane in lanes if lane.event.outage)


def draw(sheet: Sheet, lanes: Sequence[Lane], upper: Axes, lower: Axes) -> None:
    """Write the words above the upper axes, and draw their stems through both."""
    _, foot, _, ceiling = sheet.edges(upper)
    _, base, _, roof = sheet.edges(lower)
    size = sheet.size.text
    behind = {"boxstyle": "square,pad=0.1", "fc": theme.PAPER, "ec": "none"}
    for lane in lanes:
        event, bottom = lane.event, ceiling + lane.up
        colour = OUTAGE if event.outage else QUIET
        sheet.write(lane.left, bottom, event.text, size, colour, zorder=3).set_bbox(behind)
        beside = event.x < lane.left or event.x > lane.right
        tip = bottom + (theme.extent(event.text, size)[1] if beside else -2)
        if not event.outage:
            sheet.rule((event.x, event.x), (foot, tip), QUIET, ls=theme.DASHES, zorder=1)
            sheet.rule((event.x, event.x), (base, roof), QUIET, ls=theme.DASHES, zorder=1)
        elif lane.up > 8:
            sheet.rule((event.x, event.x), (ceiling, tip), OUTAGE, zorder=1)
