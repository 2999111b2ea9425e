"""From a prediction to what its figures show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers import view as curves_view
from helpers import words
from helpers.charts.plots import CurveView
from helpers.charts.range_axes import Range
from helpers.fit import compared, five
from helpers.scenario.outcome import Outcome, Year
from helpers.scenario.predict import Prediction
from helpers.scenario.year import YearLoss


def curve(one: Prediction, names: pd.Series, horizon: float, level: float, seed: int) -> CurveView:
    """Return a rival's predicted sign-ups by hour, with the figures published later, if any, laid over them."""
    shown = curves_view.curve_view(one.case, one.fitted, names, horizon, level, seed)
    # A figure agrees with a prediction that holds it; that it is likelier wrong than right is asked of a fit.
    figures = one.fitted.series.figures.set_index("figure_id")
    holds = {}
    for seen in compared(one.fitted, level, seed).itertuples(index=False):
        row = figures.loc[seen.figure_id]
        holds[words.published(row["value"], row["unit"], row["qualifier"])] = seen.low <= row["value"] <= seen.high
    marks = [replace(mark, agrees=bool(holds.get(mark.label, True))) for mark in shown.marks]
    return replace(shown, marks=marks, line="predicted rate")


def gains(made: Sequence[Prediction], level: float) -> list[Range]:
    """Return the extra people of each rival within the horizon."""
    return [Range(one.rival, five(one.extra, level)) for one in made]


def peaks(made: Sequence[Prediction], level: float) -> list[Range]:
    """Return the highest rate of each rival, people a second."""
    return [Range(one.rival, five(one.peak, level)) for one in made]


def losses(found: Outcome, level: float) -> list[Range]:
    """Return people who come, who stay with the rivals, and who are lost for good to the service that failed."""
    return [
        Range("join a rival, sooner or later", five(found.extra, level)),
        Range("are still active there later", five(found.stay, level)),
        Range("are lost to the service for good", five(found.lost, level)),
    ]


def years(rows: Sequence[Year], level: float) -> list[Range]:
    """Return each service's loss within a year, or why none is predicted."""
    made = []
    for row in rows:
        if isinstance(row.loss, YearLoss):
            made.append(Range(row.service, five(np.maximum(row.loss.draws, 1.0), level)))
        else:
            made.append(Range(row.service, None, row.loss.why))
    return made
