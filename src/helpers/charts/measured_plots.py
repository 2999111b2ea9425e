"""The figures of one measured series: each takes plain data and returns a `Picture`, drawn wide and for a phone."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from helpers import words
from helpers.charts import measured_checks_axes, measured_gap_axes, measured_placebo_axes, measured_surge_axes
from helpers.charts.measured_view import CheckView, MeasuredView, OtherTime, PlaceboView, SurgeView
from helpers.charts.picture import Picture
from helpers.charts.scale_view import OutageSpan
from helpers.charts.theme import Size

__all__ = [
    "CheckView",
    "MeasuredView",
    "OtherTime",
    "OutageSpan",
    "PlaceboView",
    "SurgeView",
    "placebos",
    "residual_checks",
    "surge",
    "three_panels",
]


def three_panels(view: MeasuredView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw observed against expected, the gap of each step, and what it adds up to, over the same time.

    Parameters
    ----------
    view : MeasuredView
        Of the time before the outage only what it asks for is drawn.
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
        f"Above, what was counted against what was expected without the outage, with its {level} band",
        "in the middle the difference of each step, grey before the outage and red after it",
        f"below the sum of the differences since the outage began, with its {level} band",
        "the red shade is the outage",
    ]
    if view.others:
        read.append("hatched are times the baseline was not allowed to learn from, or learnt as events")
    if view.early is not None:
        read.append("the dashed line is where the rise seems to begin")

    def draw(size: Size) -> Figure:
        return measured_gap_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, _steps(view))


def _steps(view: MeasuredView) -> dict[str, object]:
    """Return what is drawn, each step with its time; sums are there from the start of the outage on."""
    n, m = len(view.times), len(view.extra)
    first = max(0, n - m - int(np.ceil(view.before * m)))
    counts = ("times", "observed", "expected", "low", "high")
    sums = ("extra", "extra_low", "extra_high", "cumulative", "cumulative_low", "cumulative_high")
    none_yet = np.full(n - m - first, np.nan)
    return {
        **{name: getattr(view, name)[first:] for name in counts},
        **{name: np.append(none_yet, getattr(view, name)) for name in sums},
        **{name: getattr(view, name) for name in ("outage", "others", "service", "noun", "level", "early")},
    }


def placebos(view: PlaceboView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw the gain of the outage beside what the same procedure claims at dates when nothing happened.

    Parameters
    ----------
    view : PlaceboView
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
        f"Each mark is what the procedure claims for one date before the outage, with its {level} interval",
        "triangles are intervals that miss zero although nothing happened",
        "the diamond is the outage",
    ]

    def draw(size: Size) -> Figure:
        return measured_placebo_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)


def residual_checks(view: CheckView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw what the model left over: residuals over time, their autocorrelation, quantiles against the normal.

    Parameters
    ----------
    view : CheckView
        Without autocorrelation there are two panels. Of many steps the middle 95% of each stretch is drawn, and what
        is far out.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.

    Returns
    -------
    Picture
    """
    level = words.percent(view.level)
    read = ["Above, observed less expected in units of its standard error, with the band that holds 95 in 100"]
    if len(view.autocorrelation):
        read.append(f"without autocorrelation {level} of the strokes of the second panel end in their band")
    read.append("dots on the blue line have the quantiles of a normal distribution")

    def draw(size: Size) -> Figure:
        return measured_checks_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)


def surge(view: SurgeView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw how many times the expected was counted after the outage began, how fast that went, and what stayed.

    Parameters
    ----------
    view : SurgeView
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.

    Returns
    -------
    Picture
    """
    level = words.percent(view.level)
    read = ["Dots are observed over expected"]
    if len(view.curve_hours):
        read.append(f"the line is the response fitted to them, with its {level} band")
    if view.half_life:
        read.append(f"the bracket is the time to half of the surge, its grey part the {level} interval")
    if view.stays:
        read.append("the dashed line is the level that stayed")

    def draw(size: Size) -> Figure:
        return measured_surge_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)
