"""Places for labels: off each other, off the lines, and the same for the same input; lengths in points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from helpers.charts.theme import Box

Array = NDArray[np.float64]
Pair = tuple[float, float]
Stretch = tuple[float, float, float]  # left end, right end, height


#: Places of a label that are looked at first.
FEW = 200


@dataclass(frozen=True)
class Item:
    """A label looking for a place: its size, what it speaks of, and the places it would like best first.

    A label is tied to the nearest point of its anchor, the level stretch it speaks of.
    """

    width: float
    height: float
    anchor: Stretch
    wishes: tuple[Pair, ...]  # lower left corners


def leader(box: Box, anchor: Stretch, reach: float = 16) -> tuple[Pair, Pair] | None:
    """Line from a label to the nearest point of its anchor; None when it is near enough to need none."""
    start, tip = _tie(np.array([box]), anchor)
    away = float(np.hypot(*(start[0] - tip[0])))
    return ((start[0, 0], tip[0, 0]), (start[0, 1], tip[0, 1])) if away > reach else None


def _tie(boxes: Array, anchor: Stretch) -> tuple[Array, Array]:
    """Nearest points of boxes (k, 4) and anchor, each (k, 2)."""
    left, right, y = anchor
    middle = np.clip((boxes[:, 0] + boxes[:, 2]) / 2, left, right)
    start = np.column_stack([np.clip(middle, boxes[:, 0], boxes[:, 2]), np.clip(y, boxes[:, 1], boxes[:, 3])])
    return start, np.column_stack([middle, np.full(len(boxes), y)])


def place(
    items: Sequence[Item],
    bounds: Box,
    obstacles: Array,
    curve: Array,
    worst: float = np.inf,
) -> list[Box] | None:
    """Give each label a place of its own: never on another label, off the lines as far as can be.

    Greedy, from three orders, each label twice again with all others known; the cheapest is taken. The
    same input gives the same places.

    Parameters
    ----------
    items : sequence of Item
    bounds : Box
        Nothing is placed outside.
    obstacles : array, shape (m, 3)
        x, y and weight of points better not covered.
    curve : array, shape (k, 2)
        The one line, from left to right, that no leader should cross.
    worst : float
        Highest cost accepted for any label.

    Returns
    -------
    list of Box or None
        None when a label finds no room, or only a place that costs more than ``worst``.
    """
    options = [_options(item, bounds, obstacles, curve) for item in items]
    given = list(range(len(items)))
    narrow_first = sorted(given, key=lambda i: items[i].anchor[1] - items[i].anchor[0])
    best: tuple[float, list[Box]] | None = None
    for order in (given, given[::-1], narrow_first):
        found = _settle(items, options, order, worst)
        if found and (best is None or found[0] < best[0]):
            best = found
    return best[1] if best else None


def _settle(
    items: Sequence[Item],
    options: Sequence[tuple[Array, Array]],
    order: Sequence[int],
    worst: float,
) -> tuple[float, list[Box]] | None:
    """Place one after the other, then each again with all others known: total cost and places."""
    chosen: dict[int, Box] = {}
    cost: dict[int, float] = {}
    for _ in range(3):
        for i in order:
            boxes, own = options[i]
            others = [box for j, box in chosen.items() if j != i]
            total = own[:FEW] + _conflicts(boxes[:FEW], items[i].anchor, others)
            if len(own) > FEW and total.min() > own[FEW]:  # conflicts only add: else none of the rest is cheaper
                total = own + _conflicts(boxes, items[i].anchor, others)
            if not len(total) or not total.min() <= min(worst, 1e9):
                return None
            best = int(total.argmin())
            left, bottom, right, top = boxes[best].tolist()
            chosen[i], cost[i] = (left, bottom, right, top), float(total[best])
    return sum(cost.values()), [chosen[i] for i in range(len(items))]


def _options(item: Item, bounds: Box, obstacles: Array, curve: Array) -> tuple[Array, Array]:
    """Places within the bounds, as boxes (k, 4), and what each costs on its own, the cheapest first."""
    xs = np.arange(bounds[0], bounds[2] - item.width, 9.0)
    ys = np.arange(bounds[1], bounds[3] - item.height, 6.0)
    grid = np.array(np.meshgrid(xs, ys)).reshape(2, -1).T
    corners = np.concatenate([np.array(item.wishes).reshape(-1, 2), grid])
    boxes = np.hstack([corners, corners + np.array([item.width, item.height])])
    order = np.concatenate([np.arange(len(item.wishes)), np.full(len(grid), 8.0)])
    inside = (
        (boxes[:, 0] >= bounds[0]) & (boxes[:, 1] >= bounds[1])
        & (boxes[:, 2] <= bounds[2]) & (boxes[:, 3] <= bounds[3])
    )  # fmt: skip
    boxes, order = boxes[inside], order[inside]
    start, tip = _tie(boxes, item.anchor)
    away = np.hypot(*(start - tip).T)
    # most places share their left and their lower edge with others: each edge is compared once
    (x, column), (y, row) = (np.unique(boxes[:, axis], return_inverse=True) for axis in (0, 1))
    beside = (obstacles[:, 0] > x[:, None] - 2.5) & (obstacles[:, 0] < x[:, None] + item.width + 2.5)
    above = (obstacles[:, 1] > y[:, None] - 1) & (obstacles[:, 1] < y[:, None] + item.height + 1)
    covered = ((beside * obstacles[:, 2]) @ above.T)[column, row]
    # a leader had better not cross the curve: both its ends on one side
    side = [points[:, 1] > np.interp(points[:, 0], curve[:, 0], curve[:, 1]) for points in (start, tip)]
    through = (side[0] != side[1]) & (away > 16)
    cost = 20 * through + 0.5 * order + 0.2 * away + np.where(away > 100, 40, 0) + covered
    cheapest = np.argsort(cost, kind="stable")
    return boxes[cheapest], cost[cheapest]


def _conflicts(boxes: Array, anchor: Stretch, others: Sequence[Box]) -> Array:
    """Infinite where a box meets another label; dear where its leader would cross one."""
    cost = np.zeros(len(boxes))
    start, tip = _tie(boxes, anchor)
    steps = np.linspace(0, 1, 12)[None, :, None]
    path = start[:, None, :] * (1 - steps) + tip[:, None, :] * steps
    for left, bottom, right, top in others:
        meets = (
            (boxes[:, 0] < right + 4) & (boxes[:, 2] > left - 4) & (boxes[:, 1] < top + 2) & (boxes[:, 3] > bottom - 2)
        )
        cost[meets] = np.inf
        crossing = (path[..., 0] > left) & (path[..., 0] < right) & (path[..., 1] > bottom) & (path[..., 1] < top)
        cost += 15.0 * crossing.any(axis=1)
    return cost


def spread(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Move the centres of stacked labels as little as needed so that they neither meet nor leave low..high.

    The order of ``wanted`` is kept from the lowest up; where the room does not suffice they go on above it.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    centres = list(wanted)
    edge = high
    for i in reversed(order):
        centres[i] = min(centres[i], edge - heights[i] / 2)
        edge = centres[i] - heights[i] / 2
    edge = low
    for i in order:
        centres[i] = max(centres[i], edge + heights[i] / 2)
        edge = centres[i] + heights[i] / 2
    return centres


def along(line: Array, weight: float) -> Array:
    """Points every three points or so along a line of shape (n, 2), as obstacles of a given weight, (m, 3)."""
    parts = []
    for (x0, y0), (x1, y1) in pairwise(line):
        steps = np.linspace(0, 1, max(2, int(np.hypot(x1 - x0, y1 - y0) / 3)))
        parts.append(np.column_stack([x0 + (x1 - x0) * steps, y0 + (y1 - y0) * steps]))
    points = np.concatenate(parts)
    return np.column_stack([points, np.full(len(points), weight)])
