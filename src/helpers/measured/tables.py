"""The tables of one measured series: the numbers, the placebo dates, what was taken out of the past."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from helpers import words
from helpers.measured import interrupted, story, view
from helpers.measured.expected import Measurement
from helpers.measured.surge import Surge
from helpers.measured.totals import Estimate
from helpers.measured.window import CannotTell
from helpers.models import MeasuredSignups
from helpers.table import Sentence, Table

#: Rows of events that a page shows.
MOST_ROWS = 12


def numbers(found: Measurement | CannotTell, after: Surge | None, asked: MeasuredSignups) -> Table | Sentence:
    """Every quantity with its interval, in the names and units of the main job."""
    if isinstance(found, CannotTell):
        return Sentence("No numbers: " + str(found) + ".")
    what = story.noun(asked)
    rows = [
        ("counted", words.count(found.observed_total), ""),
        ("expected without the outage", *_counts(found.expected_total)),
        ("extra", *_counts(found.extra)),
        ("extra, as a share of the expected", *_shares(found.relative)),
    ]
    if found.extra_early is not None:
        rows.append(("before the stated start, above the expected", *_counts(found.extra_early)))
    if after is not None:
        rows += [
            ("highest rate", words.rate_interval(after.peak_rate.low, after.peak_rate.high),
             words.rate(after.peak_rate.median)),
            ("expected rate", words.rate_interval(after.baseline_rate.low / 3600, after.baseline_rate.high / 3600),
             words.rate(after.baseline_rate.median / 3600)),
            ("half-life of the surge", words.duration_interval(after.half_life.low, after.half_life.high),
             words.duration(after.half_life.median)),
            ("level once it has faded, against the expected", *_shares(after.settled)),
            ("people only brought forward, so far", *_counts(after.brought_forward)),
        ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["quantity", f"{words.percent(found.level)} interval", "middle"])
    caption = f"{story.label(asked)}: {what}; for no effect {story.p_value(found.p)}"
    return Table(frame, caption, align={frame.columns[1]: "num", "middle": "num"})


def _counts(estimate: tuple[float, float, float]) -> tuple[str, str]:
    median, low, high = estimate
    return words.interval(low, high), words.count(median, 2)


def _shares(estimate: tuple[float, float, float]) -> tuple[str, str]:
    median, low, high = (f"{value:+.0%}".replace("-", words.MINUS) for value in estimate)
    return f"{low} to {high}", median


def placebos(found: Measurement | CannotTell, asked: MeasuredSignups) -> Table | Sentence:
    """What the same forecast claimed at each placebo date."""
    if isinstance(found, CannotTell) or not len(found.placebos.table):
        return Sentence("The past is too short for placebo dates: nothing here has tested the width.")
    table, shown = found.placebos.table, view.placebos(found, story.noun(asked))
    frame = pd.DataFrame(
        {
            "date (UTC)": [words.moment(when) for when in shown.dates],
            "counted": [words.count(value) for value in table["observed"]],
            "expected": [words.count(value) for value in table["expected"]],
            f"claimed gain, {words.percent(found.level)} interval": [
                _shares((0.0, low, high))[0] for low, high in zip(shown.low, shown.high, strict=True)
            ],
            "holds zero": np.where(shown.misses, "no", "yes"),
        }
    )
    held = int((~shown.misses).sum())
    return Table(frame, f"{held} of {len(frame)} placebo intervals hold zero; windows overlap")


def second_opinion(found: Measurement | CannotTell) -> Table | Sentence:
    """The gain by an interrupted time series regression, beside the answer."""
    other = None if isinstance(found, CannotTell) else interrupted.second_opinion(found)
    if other is None or isinstance(found, CannotTell):
        return Sentence("The regression gives no answer here.")
    other = Estimate(*(end - 1 for end in other))
    frame = pd.DataFrame(
        [("this report", *_shares(found.relative)), ("interrupted time series, quasi-Poisson", *_shares(other))],
        columns=["method", f"gain, {words.percent(found.level)} interval", "middle"],
    )
    caption = "Gain over the horizon as a share of the expected, by two methods"
    return Table(frame, caption, align=dict.fromkeys(frame.columns[1:], "num"))


def events(found: Measurement | CannotTell) -> Table | Sentence:
    """Events nobody marked that were taken out of the past."""
    if isinstance(found, CannotTell) or not found.unmarked:
        return Sentence("Nothing in the past strays so far that it had to be taken out.")
    times = found.path.index
    rows = [
        {
            "kind": event.kind,
            "first step (UTC)": words.moment(times[event.first]),
            "last step (UTC)": "lasts" if event.kind == "step" else words.moment(times[event.last]),
            "size at its beginning": f"{math.expm1(event.size):+.0%}".replace("-", words.MINUS),
            "standard errors": round(abs(event.score), 1),
        }
        for event in found.unmarked[:MOST_ROWS]
    ]
    more = len(found.unmarked) - len(rows)
    return Table(pd.DataFrame(rows), "Unmarked events taken out of the baseline" + (f", and {more} more" * bool(more)))
