"""Places for dozens of names, each beside its own point: off each other, off the marks, and never far away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from helpers.charts import theme
from helpers.charts.labels import Array
from helpers.charts.theme import INK, Box

FONT = 9.5  # size of names
REACH = 4.0  # points from the middle of a mark to its edge
MARK = 25.0  # weight of the points of a mark among the obstacles
_GAP = 3.5  # a name farther than this from its mark gets a line to it
_MET = 1000.0  # cost of words on words
#: Length of the longest name of an event beside its mark, in characters; tables and alternative texts have it whole.
LONGEST = 34


def short(label: str) -> str:
    """Cut the name of a service, not its day, so that "Service, 22 Feb 2014" finds room beside a mark."""
    if len(label) <= LONGEST:
        return label
    head, comma, date = label.rpartition(", ")
    room = LONGEST - len(comma + date) - 1
    if not comma or room < 1:
        return label[: LONGEST - 1].rstrip(" ,") + "…"
    return head[:room].rstrip(" ,") + "…" + comma + date


@dataclass
class Name:
    """Words that look for a place beside a point, in one of their shapes; lengths in points."""

    shapes: tuple[str, ...]
    x: float
    y: float
    colour: str = INK
    bold: bool = False
    close: bool = False  # better on other lines than with a line of its own
    texts: list[str] = field(default_factory=list)  # of each place
    crossing: Array = field(default_factory=lambda: np.empty(0))  # what each place covers
    boxes: Array = field(default_factory=lambda: np.empty((0, 4)))
    cost: Array = field(default_factory=lambda: np.empty(0))
    tips: Array = field(default_factory=lambda: np.empty((0, 2)))  # where the line to the mark would start
    led: Array = field(default_factory=lambda: np.empty(0, dtype=bool))  # whether there would be one


def settle(names: Sequence[Name], bounds: Box, obstacles: Array, worst: float) -> list[int] | None:
    """Give each of up to dozens of names one of its places; None when there is none, or the mean cost above ``worst``.

    As `labels.place`, but with places near the point only: seventy names in seconds. Each name takes the cheapest
    place, then again with all others known, from two orders.
    """
    for name in names:
        options(name, bounds, obstacles)
        if not len(name.boxes):
            return None
    given = list(range(len(names)))
    crowded = sorted(given, key=lambda i: -float(np.median(names[i].cost)))
    best: tuple[float, list[int]] | None = None
    for order in (crowded, given):
        if best and math.isinf(worst):
            break  # any places will do
        chosen: dict[int, int] = {}
        total: dict[int, float] = {}
        for _ in range(5):
            before = dict(chosen)
            for i in order:
                cost = names[i].cost + _conflicts(names[i], [(names[j], k) for j, k in chosen.items() if j != i])
                chosen[i] = int(cost.argmin())
                total[i] = float(cost[chosen[i]])
            if chosen == before:
                break
        whole = sum(total.values())
        if max(total.values(), default=0) < _MET and (best is None or whole < best[0]):
            best = whole, [chosen[i] for i in given]
    return best[1] if best and best[0] <= worst * max(len(names), 1) else None


def options(name: Name, bounds: Box, obstacles: Array) -> Name:
    """Note the places around a point that are within the bounds, the cheapest of them, and what each costs alone."""
    corners, texts, sizes, order = [], [], [], []
    r, turns = REACH + 1.5, np.arange(20) * math.pi / 10
    for extra, text in enumerate(name.shapes):
        w, h = theme.extent(text, FONT, name.bold)
        near = [(dx, dy) for dy in (-h / 2, r - 3, 3 - r - h) for dx in (r, -r - w)]
        near += [(-w / 2, r), (-w / 2, -r - h)]
        near += [
            (math.cos(a) * (d + w / 2) - w / 2, math.sin(a) * (d + h / 2) - h / 2)
            for d in (10, 16, 24, 34, 46, 60, 78, 100) for a in turns
        ]  # fmt: skip
        corners += near
        texts += [text] * len(near)
        sizes += [(w, h)] * len(near)
        order += [min(0.4 * i, 4.0) + extra for i in range(len(near))]
    spot = np.array([name.x, name.y])
    boxes = np.hstack([spot + np.array(corners), spot + np.array(corners) + np.array(sizes)])
    inside = (boxes[:, :2] >= np.array(bounds[:2])).all(axis=1) & (boxes[:, 2:] <= np.array(bounds[2:])).all(axis=1)
    boxes, texts = boxes[inside], [texts[i] for i in np.flatnonzero(inside)]
    tips = np.clip(spot, boxes[:, :2], boxes[:, 2:])
    away = np.hypot(*(tips - spot).T)
    points = obstacles[(abs(obstacles[:, :2] - spot) < 260).all(axis=1)]
    covered = (
        (points[None, :, 0] > boxes[:, 0, None] - 1) & (points[None, :, 0] < boxes[:, 2, None] + 1)
        & (points[None, :, 1] > boxes[:, 1, None] - 0.5) & (points[None, :, 1] < boxes[:, 3, None] + 0.5)
    )  # fmt: skip
    crossing = covered @ points[:, 2]
    cost = np.array(order)[inside] + 0.35 * away + crossing
    kept = np.argsort(cost, kind="stable")[:100]
    name.boxes, name.cost, name.tips, name.crossing = boxes[kept], cost[kept], tips[kept], crossing[kept]
    name.led, name.texts = away[kept] > REACH + _GAP, [texts[i] for i in kept]
    if name.close:
        name.cost[name.led] += 60.0
    # a line to the mark had better not run through another mark
    marks = points[(points[:, 2] >= MARK) & (np.hypot(*(points[:, :2] - spot).T) > 2 * REACH), :2]
    if len(marks) and name.led.any():
        steps = np.linspace(0.1, 1, 12)[:, None]
        path = spot * (1 - steps) + name.tips[name.led][:, None, :] * steps
        beside, above = (np.abs(path[..., None, axis] - marks[:, axis]) < 3.0 for axis in (0, 1))
        hit = (beside & above).any(axis=(1, 2))
        name.cost[name.led] += 25.0 * hit
    return name


def _conflicts(name: Name, others: Sequence[tuple[Name, int]]) -> Array:
    """What each place of a name costs beside the places that others have taken."""
    cost = np.zeros(len(name.boxes))
    least, most = name.boxes[:, :2].min(axis=0) - 3, name.boxes[:, 2:].max(axis=0) + 3
    others = [
        (other, k) for other, k in others
        if min(other.boxes[k, 0], other.x) < most[0] and max(other.boxes[k, 2], other.x) > least[0]
        and min(other.boxes[k, 1], other.y) < most[1] and max(other.boxes[k, 3], other.y) > least[1]
    ]  # fmt: skip
    if not others:
        return cost
    theirs = np.array([other.boxes[k] for other, k in others])
    b = name.boxes[:, None, :]
    meets = (b[..., 0] < theirs[:, 2] + 3) & (b[..., 2] > theirs[:, 0] - 3)
    meets &= (b[..., 1] < theirs[:, 3] + 2.5) & (b[..., 3] > theirs[:, 1] - 2.5)
    cost += _MET * meets.sum(axis=1)
    steps = np.linspace(0.05, 1, 9)[:, None]
    own = np.array([name.x, name.y]) * (1 - steps) + name.tips[:, None, :] * steps  # (k, 9, 2)
    for left, bottom, right, top in theirs:
        crossed = (own[..., 0] > left) & (own[..., 0] < right) & (own[..., 1] > bottom) & (own[..., 1] < top)
        cost += 30.0 * (crossed.any(axis=1) & name.led)
    for other, k in others:
        if other.led[k]:
            path = np.array([other.x, other.y]) * (1 - steps) + other.tips[k] * steps
            inside = ((path[None] > name.boxes[:, None, :2]) & (path[None] < name.boxes[:, None, 2:])).all(axis=2)
            cost += 30.0 * inside.any(axis=1)
    return cost
