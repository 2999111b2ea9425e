"""Everything unusual in a series, with no outage stated: where to look first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.measured import drift, unmarked
from helpers.measured.design import WEEK, design
from helpers.measured.window import CannotTell

#: Scores from which an event is listed, and how many of each kind may be: a list is read by a person.
LISTED = unmarked.Rules(clear=5.0, outliers=0.05, surges=12, passes=12)


def scan(counts: pd.Series, rules: unmarked.Rules = LISTED) -> pd.DataFrame:
    """List outliers, surges (and dips) that fade, and steps that stay.

    Parameters
    ----------
    counts : Series of float by time (UTC, regular steps); NaN where missing.
    rules : what counts as an event.

    Returns
    -------
    DataFrame, one row an event in order of time: kind, start, end (UTC; a step lasts to the end), change (0.5 is half
    as much again, at its beginning), score (in standard errors).

    Raises
    ------
    CannotTell
        If the series is too short for its rhythms, or all the same.
    """
    times, values = pd.DatetimeIndex(counts.index), counts.to_numpy(dtype=float)
    there = np.isfinite(values)
    if there.sum() < 3:
        raise CannotTell("too_short", f"{there.sum()} counts are no series")
    if np.ptp(values[there]) == 0:
        raise CannotTell("constant", f"all {there.sum()} counts are {values[there][0]:g}: nothing can stand out")
    columns = design(times, there)
    step = times[1] - times[0]
    cleaned = unmarked.clean(values, there, columns, drift.usual_prior(WEEK / step), rules)
    late = cleaned.early is not None
    events = list(cleaned.events)
    if late:  # here no start was stated: what runs into the end is an event like any other
        events.append(unmarked.Event("surge", cleaned.early or 0, len(values) - 1, np.nan, np.nan))
    return pd.DataFrame(
        [(e.kind, times[e.first], times[e.last] + step, np.expm1(e.size), e.score) for e in events],
        columns=["kind", "start", "end", "change", "score"],
    )
