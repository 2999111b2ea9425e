"""The figures of the reports: each takes plain data and returns a `Picture`, drawn wide and for a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure

from helpers import words
from helpers.charts import curve_axes, range_axes
from helpers.charts.curve_axes import CurveView
from helpers.charts.marks import Mark
from helpers.charts.picture import Picture
from helpers.charts.range_axes import Range, Update
from helpers.charts.sheet import Sheet
from helpers.charts.theme import Size

__all__ = [
    "CurveView",
    "Mark",
    "Range",
    "Update",
    "adoption_curve",
    "prior_posterior",
    "rivals_overview",
    "sensitivity",
]


def adoption_curve(view: CurveView, title: str, subtitle: str, source: str, alt: str, caption: str = "") -> Picture:
    """Draw the fitted rate with the published figures on it, and below it whose doing the extra users are.

    Parameters
    ----------
    view : CurveView
    title, subtitle, source : str
        The finding as a range, the line below it, and where the numbers are from; wrapped to the width.
    alt : str
        Alternative text.
    caption : str
        How to read the figure; written from what is drawn when empty.

    Returns
    -------
    Picture
    """
    read = [f"The line is the fitted rate, its bands hold 50% and {words.percent(view.level)} of the posterior"]
    kinds = {mark.kind for mark in view.marks}
    if kinds & {"box", "floor", "ceiling"}:
        read.append("boxes are published counts, whose area is the claim (an arrow marks a bound)")
    if "point" in kinds:
        read.append("dots are published rates, as wide as their time and as high as their rounding are uncertain")
    if any(not mark.agrees for mark in view.marks):
        read.append("what is dashed and crossed does not fit the rest")

    def draw(size: Size) -> Figure:
        return curve_axes.draw(view, title, subtitle, source, size)

    return Picture(draw, alt, caption or "; ".join(read) + ".", source, view)


def rivals_overview(
    rows: Sequence[Range],
    title: str,
    subtitle: str,
    source: str,
    alt: str,
    noun: str = "Extra count",
    unit: range_axes.Unit = "count",
) -> Picture:
    """Draw one line per rival: the range of its extra users on a logarithmic axis, or why there is none."""
    caption = "Thick bars hold 50%, thin lines the whole interval; the axis is logarithmic."

    def fill(sheet: Sheet) -> None:
        range_axes.add(sheet, f"{noun}, logarithmic scale", rows, unit, log=True)

    return Picture(_page(title, subtitle, source, fill), alt, caption, source, rows)


def sensitivity(
    rows: Sequence[Range], title: str, subtitle: str, source: str, alt: str, noun: str = "Extra count"
) -> Picture:
    """Draw what would change the answer: the first row is the answer, the others what it would be instead."""
    caption = "Dots are medians, thick bars hold 50%, thin lines the whole interval; the shade is that of the answer."
    ends = [end for row in rows if row.five for end in (row.five[0], row.five[-1])]
    log = bool(ends) and min(ends) > 0 and max(ends) > 30 * min(ends)

    def fill(sheet: Sheet) -> None:
        range_axes.add(sheet, noun + (", logarithmic scale" if log else ""), rows, "count", log, shade=True)

    return Picture(_page(title, subtitle, source, fill), alt, caption, source, rows)


def prior_posterior(updates: Sequence[Update], title: str, subtitle: str, source: str, alt: str) -> Picture:
    """Draw how much of the answer is prior: for each quantity its range before and after the figures."""
    caption = "Hatched bars are the prior, solid bars the posterior; thick 50%, thin all of it; logarithmic axes."

    def fill(sheet: Sheet) -> None:
        for update in updates:
            head = f"{update.name}: {words.percent(update.left)} of the prior’s width is left"
            rows = [Range("before the figures", update.prior), Range("with the figures", update.posterior)]
            range_axes.add(sheet, head, rows, update.unit, log=True, prior=True)
            sheet.skip(8)

    return Picture(_page(title, subtitle, source, fill), alt, caption, source, updates)


def _page(title: str, subtitle: str, source: str, fill: Callable[[Sheet], None]) -> Callable[[Size], Figure]:
    """Drawing of a page with its heading, what ``fill`` adds to it, and its source."""

    def draw(size: Size) -> Figure:
        sheet = Sheet(size)
        sheet.heading(title, subtitle)
        fill(sheet)
        sheet.skip(6)
        sheet.note(source, size.small)
        return sheet.finish()

    return draw
