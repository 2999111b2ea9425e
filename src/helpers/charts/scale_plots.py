"""The figures about published figures: each takes plain data and returns a `Picture`, drawn wide and for a phone."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from helpers import words
from helpers.charts import ratio_axes, scale_axes
from helpers.charts.picture import Picture
from helpers.charts.ratio_axes import PooledRatio, Ratio
from helpers.charts.scale_view import OutageSpan, ScaleFigure, ScaleView, UsualStep
from helpers.charts.theme import Size

__all__ = [
    "OutageSpan",
    "PooledRatio",
    "Ratio",
    "ScaleFigure",
    "ScaleView",
    "UsualStep",
    "claim_ratios",
    "figures_on_scale",
]


def figures_on_scale(view: ScaleView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw every published figure of a service as a rate, over what was usual.

    Parameters
    ----------
    view : ScaleView
        Times in UTC, rates per its unit. Where the figures are many, only the highest get words.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.

    Returns
    -------
    Picture
    """
    read = ["Boxes are means over their window, as high as rounding and the claimant leave open"]
    if any(figure.kind == "instant" for figure in view.figures):
        read.append("dots are rates at one moment or at the peak, somewhere in the time of their line")
    if any(figure.low <= 0 or figure.high == float("inf") for figure in view.figures):
        read.append("arrows are bounds")
    if view.usual:
        read.append("the grey band is what was usual")
    if any(not figure.agrees for figure in view.figures):
        read.append("what is crossed cannot be true together with the rest")

    def draw(size: Size) -> Figure:
        return scale_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)


def claim_ratios(
    rows: Sequence[Ratio],
    pooled: PooledRatio | None,
    title: str,
    subtitle: str,
    source: str,
    alt: str,
    caption: str = "",
    *,
    level: float = 0.95,
    axis: str = "How many times the panel’s figure the company’s is",
) -> Picture:
    """Draw a forest of ratios: each pair of figures, and all of them together.

    Parameters
    ----------
    rows : sequence of Ratio
        The first thirty are drawn, in the order given, and how many are not is said.
    pooled : PooledRatio or None
        All pairs together and the interval of the next one, if estimated.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.
    level : float
        Mass of the intervals.
    axis : str
        What the ratio is of.

    Returns
    -------
    Picture
    """
    read = ["Squares are ratios of two published figures about the same days, bars what their wording leaves open"]
    if any(row.low <= 0 or row.high == float("inf") for row in rows):
        read.append("hollow squares with an arrow are bounds")
    if pooled:
        read.append(
            f"the diamond is the estimate from all pairs with its {words.percent(level)} interval, shaded above it"
        )
        if pooled.next_low is not None:
            read.append("the dashed bar is where the ratio of a new pair is expected")

    def draw(size: Size) -> Figure:
        return ratio_axes.draw(rows, pooled, (title, subtitle, source), axis, size)

    data = {"rows": rows, "pooled": pooled, "level": level}
    return Picture(draw, alt, caption or "; ".join(read) + ".", source, data)
