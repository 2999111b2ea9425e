"""From published figures on one scale to what the figures of their report show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.charts.scale_plots import PooledRatio, Ratio
from helpers.charts.scale_view import OutageSpan, ScaleFigure, ScaleView, UsualStep
from helpers.evidence import Evidence
from helpers.published.claimants import Claimants
from helpers.published.consistency import Consistency
from helpers.published.figures import window
from helpers.published.levels import usual
from helpers.published.one_scale import OneScale, worded
from helpers.view import NOUNS

#: Counts that are drawn together: people who came, or nearly.
JOINED = ("signups", "installs", "ported_numbers")
#: A set of figures is called contradictory on a chart when each would have to be off by more than this factor.
CROSSED = 1.05
DAY = pd.Timedelta(days=1)
HOUR = pd.Timedelta(hours=1)
#: Figures of longer windows are not drawn beside those of an event's days.
LONGEST = pd.Timedelta(days=62)


def families(scale: OneScale) -> list[tuple[str, ...]]:
    """Return the kinds of counts that have a chart of their own, people who came first."""
    there = list(dict.fromkeys(scale.figures["quantity"]))
    joined = tuple(quantity for quantity in there if quantity in JOINED)
    others = [(quantity,) for quantity in there if quantity not in JOINED]
    return [family for family in [joined, *others] if family]


def crossed(checks: Mapping[str, Sequence[Consistency]]) -> set[str]:
    """Figures that cannot be true as told beside the others: of a set with a retelling, the retelling."""
    found: set[str] = set()
    for checked in (one for found_there in checks.values() for one in found_there):
        retold = set(checked.figures.loc[checked.figures["repeats"] != "", "figure_id"])
        for row in checked.contradictions[checked.contradictions["factor"] > CROSSED].itertuples(index=False):
            ids = set(row.figure_ids)
            found |= (ids & retold) or ids
    return found


def chart(
    scale: OneScale,
    against: pd.DataFrame,
    family: Sequence[str],
    doubted: set[str],
    evidence: Evidence,
) -> ScaleView:
    """Collect the chart of one family of counts: its figures, the usual level under them, the events.

    Parameters
    ----------
    against : what :func:`helpers.published.one_scale.uplift` returns for ``scale``.
    doubted : figures to be crossed; a retelling is drawn only if it is one of them.
    """
    rows = evidence.growth_figures.set_index("figure_id")
    shown = scale.figures[scale.figures["quantity"].isin(family)]
    shown = shown[(shown["repeats"] == "") | shown["figure_id"].isin(doubted)]
    # The growth between totals months apart is the usual level itself: it is drawn there.
    short = shown["window_end"] - shown["window_start"] <= LONGEST
    shown = shown[short] if short.any() else shown
    one = len(set(shown["outage_id"])) == 1
    figures = [_figure(row, rows.loc[row.figure_id], doubted, family) for row in shown.itertuples(index=False)]
    outages = evidence.outages.set_index("outage_id").loc[list(dict.fromkeys(shown["outage_id"]))]
    names = evidence.services.set_index("service_id")["name"]
    return ScaleView(
        scale.service,
        scale.per,  # type: ignore[arg-type]
        [figure for figure in figures if figure.value > 0],
        _usual(shown, against, scale) if one else [],
        [_span(row, names, one) for _, row in outages.iterrows()],
        " or ".join(NOUNS.get(quantity, quantity.replace("_", " ")) for quantity in family),
    )


def _figure(row: Any, published: pd.Series, doubted: set[str], family: Sequence[str]) -> ScaleFigure:
    place = "" if row.scope == "world" else f" in {row.scope}"
    low, high = {"lower": (row.value, float("inf")), "upper": (0.0, row.value)}.get(row.bound, (row.low, row.high))
    return ScaleFigure(
        f"{'growth to ' if row.reading == 'total' else ''}{row.published}{place}, {window(published)}",
        row.window_start,
        row.window_end,
        float(row.value),
        min(float(low), float(row.value)),
        max(float(high), float(row.value)),
        "instant" if row.measure in ("moment", "peak") else "mean",
        NOUNS.get(row.quantity, str(row.quantity).replace("_", " ")),
        row.claimant_class,
        row.figure_id not in doubted,
    )


def _usual(shown: pd.DataFrame, against: pd.DataFrame, scale: OneScale) -> list[UsualStep]:
    """Return the usual level of each count as one band under its figures: the range of what was published."""
    made = []
    beside = shown.merge(against, on="figure_id")
    for (quantity, scope), rows in beside[beside["usual_low"] > 0].groupby(["quantity", "scope"], sort=False):
        latest = rows.loc[rows["usual_end"] == rows["usual_end"].max()]
        low, high = float(latest["usual_low"].min()), float(latest["usual_high"].max())
        start, end = shown["window_start"].min() - DAY, shown["window_end"].max() + DAY
        noun = NOUNS.get(str(quantity), str(quantity).replace("_", " "))
        place = "" if scope == "world" else f" in {scope}"
        label = f"usual {noun}{place}: {worded(low, high)} {'an' if scale.per == 'hour' else 'a'} {scale.per}"
        made.append(UsualStep(start, end, low, (low * high) ** 0.5, high, label))
    return made


def over_time(scale: OneScale, evidence: Evidence, quantity: str, scope: str) -> ScaleView | None:
    """Collect the usual level of one count over the years, with the figures on it; None where none was published."""
    steps = usual(evidence, scale.service_id, scale.per)
    steps = steps[steps["usual"] & (steps["quantity"] == quantity) & (steps["scope"] == scope) & (steps["low"] > 0)]
    if steps.empty:
        return None
    rows = evidence.growth_figures.set_index("figure_id")
    same = (
        (scale.figures["quantity"] == quantity) & (scale.figures["scope"] == scope) & (scale.figures["repeats"] == "")
    )
    # The growth to a total is a step already.
    shown = scale.figures[same & (scale.figures["value"] > 0) & (scale.figures["reading"] != "total")]
    figures = [_figure(row, rows.loc[row.figure_id], set(), (quantity,)) for row in shown.itertuples(index=False)]
    made = [
        UsualStep(row.window_start, row.window_end, row.low, row.value, row.high)
        for row in steps.sort_values("window_start").itertuples(index=False)
    ]
    starts = [*steps["window_start"], *shown["window_start"]]
    ends = [*steps["window_end"], *shown["window_end"]]
    room = (max(ends) - min(starts)) * 0.04 + DAY
    noun = NOUNS.get(quantity, quantity.replace("_", " "))
    return ScaleView(
        scale.service,
        scale.per,  # type: ignore[arg-type]
        figures,
        made,
        [],
        noun,
        min(starts) - room,
        max(ends) + room,
    )


def ratios(found: Claimants, evidence: Evidence) -> list[Ratio]:
    """Return how many times a panel's figure each company's is, for the pairs that are used."""
    names = evidence.services.set_index("service_id")["name"]
    begun = evidence.outages.set_index("outage_id")["start_utc"]
    rows = found.pairs[found.pairs["used"].astype(bool)]
    rows = rows[(rows["first_class"] == "company") & (rows["second_class"] == "panel")]
    made = []
    for row in rows.to_dict("records"):
        # What happened in the two windows may differ by itself; that part of the ratio nobody claimed.
        low, high = row["log_low"] - row["shape_high"], row["log_high"] - row["shape_low"]
        middle = row["log_ratio"] - (row["shape_low"] + row["shape_high"]) / 2
        low = -np.inf if row["second_bound"] == "lower" or row["first_bound"] == "upper" else min(low, middle)
        high = np.inf if row["first_bound"] == "lower" or row["second_bound"] == "upper" else max(high, middle)
        label = f"{names[row['service_id']]}, {begun[row['outage_id']]:%b %Y}"
        place = "" if row["scope"] == "world" else f" ({row['scope']})"
        note = f"{row['first_published']} against {row['second_published']}"
        made.append(Ratio(label + place, float(np.exp(low)), float(np.exp(middle)), float(np.exp(high)), note))
    return made


def pooled(found: Claimants) -> PooledRatio:
    """Return the estimate from all pairs, and what is expected of one more."""
    gap, after = found.gap, found.next_gap
    return PooledRatio(gap.median, gap.low, gap.high, after.low, after.high)


def most_told(scale: OneScale) -> tuple[str, str]:
    """Return the count and the place that most figures speak of; people who came before other counts."""
    counted = scale.figures.groupby(["quantity", "scope"], sort=False).size()
    keys = sorted(counted.index, key=lambda key: (key[0] not in JOINED, -counted[key]))
    return (str(keys[0][0]), str(keys[0][1])) if keys else ("signups", "world")


def _span(outage: pd.Series, names: pd.Series, whole: bool) -> OutageSpan:
    """Return where an event is drawn: over its hours, or as a line where it has none or many years are shown."""
    start, ended = outage["start_utc"], outage["end_utc"] if pd.notna(outage["end_utc"]) else None
    vague = outage["time_precision"] == "month" or outage["kind"] == "policy_shock"
    if not whole or vague or (ended is not None and ended - start > 30 * DAY):
        ended = start + HOUR
    what = {"outage": "down", "block": "blocked", "shutdown": "shut down"}.get(outage["kind"], "in the news")
    return OutageSpan(start, ended, f"{names[outage['service_id']]} {what}")
