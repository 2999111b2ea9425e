"""The tables of the published figures: each on one scale beside its usual level, and what says nothing of a rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from helpers import tables, words
from helpers.evidence import Evidence
from helpers.published.claimants import Claimants
from helpers.published.figures import window
from helpers.published.levels import usual
from helpers.published.one_scale import OneScale, worded
from helpers.table import Sentence, Table

_MEASURES = {"mean": "mean", "moment": "at some moment", "peak": "at the peak", "excess": "above the usual"}


def scaled(scale: OneScale, against: pd.DataFrame, evidence: Evidence) -> Table | Sentence:
    """Every figure as published and as a rate, with its width, its claimant's error and the usual level."""
    if scale.figures.empty:
        return Sentence("Nothing was published that is a rate.")
    rows = evidence.growth_figures.set_index("figure_id")
    beside = against.set_index("figure_id")
    made = []
    for seen in scale.figures.itertuples(index=False):
        row, base = rows.loc[seen.figure_id], beside.loc[seen.figure_id]
        made.append(
            {
                "as published": seen.published,
                "counts": _counts(seen.quantity, seen.scope),
                "window (UTC)": window(row),
                "by": tables.CLAIMANTS[seen.claimant_class],
                f"{'an' if scale.per == 'hour' else 'a'} {scale.per}, as worded": _worded(
                    seen.low, seen.value, seen.high, seen.bound
                ),
                "with the claimant’s error": worded(seen.least, seen.most),
                "which rate": _MEASURES[seen.measure],
                "usual": worded(base["usual_low"], base["usual_high"]) if base["usual_low"] > 0 else "not published",
                "times the usual": _times(base["times_low"], base["times_high"]),
                **tables.source(evidence, row),
            }
        )
    caption = f"Every figure as a rate {'an' if scale.per == 'hour' else 'a'} {scale.per}"
    return Table(pd.DataFrame(made), caption, links={"source": "address"})


def _counts(quantity: str, scope: str) -> str:
    return quantity.replace("_", " ") + ("" if scope == "world" else f", {scope}")


def _worded(low: float, value: float, high: float, bound: str) -> str:
    if bound == "lower":
        return f"over {worded(value, value).removeprefix('about ')}"
    if bound == "upper":
        return f"up to {worded(value, value).removeprefix('about ')}"
    return worded(low, high)


def _times(low: float, high: float) -> str:
    if pd.isna(low):
        return "unknown"
    ends = [f"{words.significant(end):,g}" for end in (low, min(high, 1e12))]
    if high == float("inf"):
        return f"over {ends[0]}"
    return f"about {ends[0]}" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def claimants(found: Claimants) -> Table:
    """The error granted to each class of claimant: what was assumed, what the pairs make of it, what the fit gets."""
    made = [
        {
            "claimant": tables.CLAIMANTS[row["claimant_class"]],
            "figures in pairs": int(row["figures"]),
            "prior error": _error(row["prior"]),
            "estimated": f"{_error(row['scale_low'])} to {_error(row['scale_high'])}",
            "claims, times a panel's": "1" if row["claimant_class"] == "panel" else _bias(row),
            "handed to the fit": _error(row["handed"]),
        }
        for row in found.classes.to_dict("records")
    ]
    level = words.percent(found.level)
    caption = f"Error of each class of claimant (standard deviation of the log; {level} intervals)"
    return Table(pd.DataFrame(made), caption)


def _bias(row: Mapping[str, Any]) -> str:
    low, high = (words.significant(math.exp(row[name])) for name in ("bias_low", "bias_high"))
    return f"{low:g} to {high:g}"


def _error(scale: float) -> str:
    return f"{words.significant(scale):g}"


def left_out(scale: OneScale, evidence: Evidence) -> Table | Sentence:
    """Every figure that is no rate, and why."""
    if scale.left_out.empty:
        return Sentence("Every published figure is a rate.")
    rows = evidence.growth_figures.set_index("figure_id")
    made = [
        {
            "as published": seen.published,
            "counts": _counts(seen.quantity, seen.scope),
            "window (UTC)": window(rows.loc[seen.figure_id]),
            "why not": seen.why_not,
            **tables.source(evidence, rows.loc[seen.figure_id]),
        }
        for seen in scale.left_out.itertuples(index=False)
    ]
    return Table(pd.DataFrame(made), "Figures that are no rate", links={"source": "address"})


def levels(scale: OneScale, evidence: Evidence) -> Table | Sentence:
    """The usual level over time: published rates, and the growth between published totals."""
    steps = usual(evidence, scale.service_id, scale.per)
    steps = steps[steps["quantity"].isin(set(scale.figures["quantity"])) | (steps["quantity"] == "signups")]
    if steps.empty:
        return Sentence("No usual level of this service was published.")
    made = [
        {
            "from": f"{step.window_start:%Y-%m-%d}",
            "to": f"{step.window_end - pd.Timedelta(hours=1):%Y-%m-%d}",
            "counts": _counts(step.quantity, step.scope),
            f"{'an' if scale.per == 'hour' else 'a'} {scale.per}": worded(step.low, step.high),
            "made of": step.made_of,
            "speaks of": "usual days" if step.usual else str(step.role).replace("_", " "),
        }
        for step in steps.sort_values(["quantity", "scope", "window_start"]).itertuples(index=False)
    ]
    return Table(pd.DataFrame(made), f"Usual level of {scale.service} over time")
