"""How long outages last: the share still going on after a time, with a logarithmic axis of minutes to weeks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from helpers import words
from helpers.charts import history_axes, labels, theme
from helpers.charts.history_axes import LOOKS, Array, Look
from helpers.charts.labels import Item
from helpers.charts.sheet import Sheet
from helpers.charts.theme import INK, NARROW, QUIET, Box, Size

_ALL = Look(INK, "", "-")


@dataclass(frozen=True)
class Survival:
    """A survival curve of lengths in hours.

    Parameters
    ----------
    label : str
        What it is of: "all outages", "too many users".
    hours, share : array, shape (k,)
        Lengths at which the curve steps, increasing, and the share still going on just after each.
    n : int
        Events it rests on, those with unknown end among them.
    low, high : array, shape (k,), or None
        Pointwise band.
    censored : array, shape (c,)
        Hours at which events left sight that were still going on.
    median : tuple of float or None
        Low, middle and high of the median; missing where the curve does not reach a half.

    Raises
    ------
    ValueError
        If lengths decrease, shares are not between 0 and 1, or the shapes differ.
    """

    label: str
    hours: Array
    share: Array
    n: int
    low: Array | None = None
    high: Array | None = None
    censored: Array = field(default_factory=lambda: np.empty(0))
    median: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        hours, share = np.asarray(self.hours, dtype=float), np.asarray(self.share, dtype=float)
        if hours.shape != share.shape or hours.ndim != 1:
            raise ValueError(f"{self.label!r}: hours {hours.shape} and share {share.shape} must be lists of one length")
        if (np.diff(hours) < 0).any() or not ((share >= 0) & (share <= 1)).all():
            raise ValueError(f"{self.label!r}: expected increasing hours and shares between 0 and 1")


def draw(curves: Sequence[Survival], words_above: tuple[str, str, str], noun: str, size: Size) -> Figure:
    """Draw in one width: the lines named where they have room, else and on a phone in a row of keys."""
    figure = None if size is NARROW else _draw(curves, words_above, noun, size, keyed=False)
    figure = figure or _draw(curves, words_above, noun, size, keyed=True)
    assert figure is not None  # with keys nothing needs a place
    return figure


def _draw(
    curves: Sequence[Survival], words_above: tuple[str, str, str], noun: str, size: Size, keyed: bool
) -> Figure | None:
    title, subtitle, source = words_above
    shown = [curve for curve in curves if len(curve.hours)][: 1 + len(LOOKS)]
    sheet = Sheet(size)
    sheet.heading(title, subtitle)
    if not shown:
        sheet.note(f"No {noun} with a known length.", size.text, colour=INK)
        sheet.skip(size.text)
        sheet.note(source, size.small)
        return sheet.finish()
    looks = [_ALL, *history_axes.line_looks([curve.label for curve in shown[1:]])]
    history_axes.head(sheet, f"Share of {noun}s still going on", 5)
    keys = []
    if keyed:
        for curve, look in zip(shown, looks, strict=False):
            keys.append(history_axes.line_key(_name(curve), look.colour, ls=look.dash, lw=_weight(curve, shown)))
    middle = _median(shown[0], noun)
    if keyed and middle:
        keys.append(history_axes.dot_key(middle, INK, "o"))
    if any((np.asarray(curve.censored) > 0).any() for curve in shown):
        keys.append(history_axes.dot_key("went on for longer, end unknown", INK, "|"))
    if keys:
        history_axes.key_rows(sheet, keys)
    sheet.skip(8)
    left = size.edge + 8 + theme.extent("100%", size.text)[0]
    right = size.edge + 14
    axes = sheet.panel(left, right, 220 if size is NARROW else 260)
    sheet.skip(size.text * 2.1)
    sheet.note("Time since the beginning, logarithmic scale", size.text, left=left - size.edge)
    sheet.skip(size.text)
    hidden = len([curve for curve in curves if len(curve.hours)]) - len(shown)
    if hidden:
        sheet.note(f"{hidden} smaller group{'s' * (hidden > 1)} not drawn.", size.small)
        sheet.skip(4)
    sheet.note(source, size.small)
    figure = sheet.finish()

    seen = np.concatenate([np.asarray(curve.hours, dtype=float) for curve in shown])
    low, high = max(float(seen[seen > 0].min(initial=math.inf)), 1 / 60), max(float(seen.max()), 0.5)
    low, high = min(low, high / 2) / 1.6, high * 1.6
    axes.set(xscale="log", xlim=(low, high), ylim=(0, 1))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    _, _, wide, _ = sheet.edges(axes)
    room = (wide - left) / math.log(high / low)
    ticks = history_axes.length_ticks(
        low,
        high,
        lambda hours: room * math.log(hours / low),
        lambda a, b: (theme.extent(a, size.text)[0] + theme.extent(b, size.text)[0]) / 2 + 10,
    )
    axes.set_xticks([hours for hours, _ in ticks], [text for _, text in ticks])
    axes.minorticks_off()
    axes.tick_params(axis="x", length=4, color=QUIET)
    axes.grid(axis="y", color=theme.RULE, lw=0.8)
    lines = [_curve(axes, curve, look, _weight(curve, shown)) for curve, look in zip(shown, looks, strict=False)]
    return figure if _words(sheet, axes, shown, looks, lines, noun, keyed) else None


def _median(curve: Survival, noun: str) -> str:
    """Say after what time half were over; empty where that is not known."""
    if curve.median is None or not math.isfinite(curve.median[1]):
        return ""
    low, middle, high = curve.median
    text = f"half of the {noun}s were over after {words.duration(middle)}"
    return f"{text} ({words.duration_interval(low, high)})" if math.isfinite(low) and not math.isnan(high) else text


def _name(curve: Survival) -> str:
    return f"{curve.label} ({curve.n:,})"


def _weight(curve: Survival, shown: Sequence[Survival]) -> float:
    return 2.4 if curve is shown[0] else 1.5


def _curve(axes: Axes, curve: Survival, look: Look, weight: float) -> Array:
    """Draw one curve with its band and the events that left sight; return its corners in points."""
    start = axes.get_xlim()[0]
    hours = np.clip(np.concatenate([[start], curve.hours, [axes.get_xlim()[1]]]), start, None)
    at_start = curve.share[np.asarray(curve.hours) <= start]
    share = np.concatenate([[1.0], curve.share, [curve.share[-1]]])
    if len(at_start):
        share[0] = at_start[-1]
    # the curve is known no further than its last event, be it an end or the last sight of one that went on
    last = max([float(curve.hours[-1]), *np.asarray(curve.censored, dtype=float).tolist()])
    hours[-1] = max(min(last, hours[-1]), hours[-2])
    keep = _thin(np.log(hours))
    if curve.low is not None and curve.high is not None:
        low = np.concatenate([[1.0], curve.low, [curve.low[-1]]])
        high = np.concatenate([[1.0], curve.high, [curve.high[-1]]])
        known = np.isfinite(low) & np.isfinite(high) & keep
        axes.fill_between(hours[known], low[known], high[known], step="post", color=theme.OTHER_BAND, lw=0, zorder=1)
    axes.plot(hours[keep], share[keep], drawstyle="steps-post", color=look.colour, ls=look.dash, lw=weight, zorder=4)
    gone = np.asarray(curve.censored, dtype=float)
    gone = np.unique(np.round(np.log(gone[gone > start]), 2))
    level = share[np.clip(np.searchsorted(np.log(hours), gone, side="right") - 1, 0, None)]
    axes.plot(np.exp(gone), level, "|", color=look.colour, ms=8, mew=1.2, zorder=5)
    corners = np.column_stack([np.repeat(hours[keep], 2)[1:], np.repeat(share[keep], 2)[:-1]])
    return np.asarray(axes.transData.transform(corners))


def _thin(x: Array, most: int = 400) -> NDArray[np.bool_]:
    """Which steps to draw: all, or where they are many the last in each of ``most`` equal parts of the axis."""
    keep = np.ones(len(x), dtype=bool)
    if len(x) > most:
        part = np.floor((x - x[0]) / max(x[-1] - x[0], 1e-9) * most)
        keep[1:-1] = part[1:-1] != part[2:]
    return keep


def _beside(lines: Sequence[Array], i: int, size: tuple[float, float], bounds: Box, taken: Sequence[Box]) -> Box | None:
    """Place for the name of a line: right beside it, where it is farthest from the others and covers none."""
    own = labels.along(lines[i], 1)[::2, :2]
    others = [labels.along(line, 1)[:, :2] for k, line in enumerate(lines) if k != i]
    rest = np.concatenate([*others, np.empty((0, 2))])
    width, height = size
    sides = [(5, 3), (5, -height / 2), (5, -height - 3), (-width - 5, -height - 3), (-width - 5, -height / 2)]
    corners = np.concatenate([own + np.array(side) for side in (*sides, (-width / 2, 4), (-width / 2, -height - 4))])
    boxes = np.hstack([corners, corners + np.array(size)])
    away = np.tile(cdist(own, rest).min(axis=1) if len(rest) else np.zeros(len(own)), len(sides) + 2)
    score = -np.minimum(away, 40)
    score += 400 * _covered(boxes, rest) + 8 * _covered(boxes, labels.along(lines[i], 1)[:, :2])
    score[(boxes[:, 0] < bounds[0]) | (boxes[:, 1] < bounds[1])] = np.inf
    score[(boxes[:, 2] > bounds[2]) | (boxes[:, 3] > bounds[3])] = np.inf
    for box in taken:
        meets = (boxes[:, 0] < box[2] + 4) & (boxes[:, 2] > box[0] - 4)
        score[meets & (boxes[:, 1] < box[3] + 2) & (boxes[:, 3] > box[1] - 2)] = np.inf
    best = int(score.argmin())
    if not score[best] < 30:
        return None
    left, bottom, right, top = boxes[best].tolist()
    return left, bottom, right, top


def _covered(boxes: Array, points: Array) -> Array:
    """How many points each box covers, in tens of them."""
    inside = (points[None, :, 0] > boxes[:, 0, None] - 1) & (points[None, :, 0] < boxes[:, 2, None] + 1)
    inside &= (points[None, :, 1] > boxes[:, 1, None]) & (points[None, :, 1] < boxes[:, 3, None])
    return np.asarray(inside.sum(axis=1) / 10.0)


def _words(
    sheet: Sheet,
    axes: Axes,
    shown: Sequence[Survival],
    looks: Sequence[Look],
    lines: Sequence[Array],
    noun: str,
    keyed: bool,
) -> bool:
    """Mark the median and name the lines; False when their names find no room."""
    size = sheet.size.text
    left, base, right, roof = sheet.edges(axes)
    bounds = (left + 2, base + 2, right + 8, roof + 2)
    placed: list[tuple[Box, str, str]] = []
    for i, (curve, look) in enumerate(zip(shown, looks, strict=False)):
        if keyed:
            break
        text = theme.wrap(_name(curve), 170, size)
        box = _beside(lines, i, theme.extent(text, size), bounds, [box for box, *_ in placed])
        if box is None:
            return False
        placed.append((box, text, look.colour))
    text = _median(shown[0], noun)
    if text and shown[0].median:
        x, y = axes.transData.transform((max(shown[0].median[1], axes.get_xlim()[0]), 0.5))
        sheet.rule((left, x, x), (y, y, base), QUIET, ls=theme.DASHES, zorder=2)
        sheet.rule((x,), (y,), INK, marker="o", ms=6, mec=theme.PAPER, zorder=6)
        text = text.replace(" after ", "\nafter ")
        if not keyed:
            obstacles = [labels.along(line, 6) for line in lines]
            obstacles += [labels.along(np.array([(left, y), (x, y), (x, base)]), 2)]
            obstacles += [
                labels.along(np.array([(b[0], at), (b[2], at)]), 60) for b, *_ in placed for at in (b[1], b[3])
            ]
            width, height = theme.extent(text, size)
            wishes = [(at, y + up) for up in (-height - 8, 8) for at in (x - width - 8, x + 8)]
            item = Item(width, height, (x, x, y), tuple(wishes))
            boxes = labels.place([item], bounds, np.concatenate(obstacles), np.array([[left, -1e9], [right, -1e9]]))
            if boxes is None:
                return False
            placed.append((boxes[0], text, INK))
            tie = labels.leader(boxes[0], item.anchor, 10)
            if tie:
                sheet.rule(*tie, QUIET, lw=0.8, zorder=5)
    for box, text, colour in placed:
        written = sheet.write(box[0], box[1], text, size, colour, zorder=7)
        written.set_bbox({"boxstyle": "square,pad=0.05", "fc": theme.PAPER, "ec": "none", "alpha": 0.75})
    return True
