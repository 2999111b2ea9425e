"""The figures of a panel of series: each takes plain data and returns a `Picture`, drawn wide and for a phone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import panel_multiples_axes, panel_p_axes, panel_ranking_axes, panel_response_axes
from helpers.charts.panel_view import (
    Multiple,
    MultiplesView,
    PGroup,
    PValueView,
    RankingView,
    RankRow,
    Response,
    ResponseView,
)
from helpers.charts.picture import Picture
from helpers.charts.scale_view import OutageSpan
from helpers.charts.theme import Size

__all__ = [
    "Multiple",
    "MultiplesView",
    "OutageSpan",
    "PGroup",
    "PValueView",
    "RankRow",
    "RankingView",
    "Response",
    "ResponseView",
    "mean_response",
    "p_values",
    "ranking",
    "small_multiples",
]


def ranking(view: RankingView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw a forest of the clearest winners and losers: observed over expected, and the extra count in words.

    Parameters
    ----------
    view : RankingView
        Thirty rows are drawn, on a phone sixteen, losers at least a third of them where there are so many; how many
        are not is said.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.

    Returns
    -------
    Picture
    """
    level = words.percent(view.level)
    read = [
        f"Marks are what was counted against what was expected, bars the {level} intervals, on a logarithmic scale",
        f"the numbers are the {level} intervals of the extra {view.noun}",
        "filled are series that pass: among all that do, about "
        f"{words.percent(view.rate)} are expected to be false; hollow are those that do not",
    ]

    def draw(size: Size) -> Figure:
        return panel_ranking_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)


def mean_response(view: ResponseView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw the mean response of groups of series by time since the start of the outage.

    Parameters
    ----------
    view : ResponseView
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.

    Returns
    -------
    Picture
    """
    read = [
        "Lines are means of the logarithm of observed over expected, written as percent above the expected",
    ]
    if any(np.isfinite(group.high).any() for group in view.groups):
        level = words.percent(view.level)
        read.append(f"bands are their {level} intervals, series that move together counted as one cluster")
    if any(group.placebo for group in view.groups):
        read.append("the dotted line is of series that cannot have gained")

    def draw(size: Size) -> Figure:
        return panel_response_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)


def small_multiples(
    view: MultiplesView, title: str, subtitle: str, source: str, alt: str, caption: str = ""
) -> Picture:
    """Draw observed against expected around the outage, one small panel a series.

    Parameters
    ----------
    view : MultiplesView
        The first twelve are drawn, three beside each other and on a phone two, and how many are not is said. A phone
        shows a week or so before and after at its best.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.

    Returns
    -------
    Picture
    """
    read = [
        "Each panel is one series on its own scale from zero: dark what was counted, blue what was expected without "
        f"the outage, with its {words.percent(view.level)} band",
        "the red line is the start of the outage",
    ]

    drawn = replace(view, panels=view.panels[: panel_multiples_axes.MOST])

    def draw(size: Size) -> Figure:
        return panel_multiples_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, drawn)


def p_values(view: PValueView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw how p-values of groups of series are distributed, over what they would be if nothing had happened.

    Parameters
    ----------
    view : PValueView
        Groups without any value are left out.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.

    Returns
    -------
    Picture
    """
    read = [
        f"Bars count the {view.noun} by p-value; if nothing had happened to any of them all bars would be about as "
        "high as the dashed line, 95 in 100 within the grey band",
    ]
    if any(group.placebo for group in view.groups):
        read.append(f"grey bars are {view.noun} that cannot have gained: theirs should be even")

    def draw(size: Size) -> Figure:
        return panel_p_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)
