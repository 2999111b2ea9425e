"""The figures of all events together: each takes plain data and returns a `Picture`, drawn wide and for a phone."""

from __future__ import annotations

from matplotlib.figure import Figure

from helpers import words
from helpers.charts import pooled_dose_axes, pooled_left_out_axes
from helpers.charts.picture import Picture
from helpers.charts.pooled_view import DosePoint, DoseView, LeftOutView, PredictedRow
from helpers.charts.theme import Size

__all__ = ["DosePoint", "DoseView", "LeftOutView", "PredictedRow", "dose_response", "left_out"]


def dose_response(view: DoseView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw what rivals gained against the people hit, every event by name, over the rule that was fitted.

    Parameters
    ----------
    view : DoseView
        Names stand beside their marks; on a phone, or where they find no room, numbers do, with a list below. Events
        whose number of people hit was not published stand in a strip of their own.
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
        f"Each mark is one event: the extra {view.noun} gained by the rival whose gain is known best (the narrowest "
        f"interval), with the {level} interval; both scales are logarithmic"
    ]
    if len(view.grid):
        read.append(
            "the line is what the rule says of outages, the darker band where their median gain lies and the pale band "
            f"where a single new gain falls, each with {level}"
        )
    missing = sum(point.x is None for point in view.points)
    if missing:
        one = missing == 1
        read.append(
            f"of {missing} event{'' if one else 's'} nobody published how many people {'was' if one else 'were'} hit: "
            f"{'it stands' if one else 'they stand'} apart, in the order of the gain"
        )

    def draw(size: Size) -> Figure:
        return pooled_dose_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)


def left_out(view: LeftOutView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw every event as predicted from all others, against what its own figures say.

    Parameters
    ----------
    view : LeftOutView
        Drawn in the order given.
    title, subtitle, source, alt : str
        The finding, the line below it, where the numbers are from, and alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.

    Returns
    -------
    Picture
    """
    inside, rows = sum(row.inside for row in view.rows), len(view.rows)
    read = [
        "Bars are predicted from all other events: 95% pale, 80% darker, the median a tick",
        f"dots are what the figures of the event itself say about the extra {view.noun}, with their intervals",
        f"{inside} of {rows} lie in the pale bar" + (", red crosses do not" if inside < rows else ""),
    ]

    def draw(size: Size) -> Figure:
        return pooled_left_out_axes.draw(view, (title, subtitle, source), size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)
