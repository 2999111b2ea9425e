"""From a measurement to what its figures show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers import words
from helpers.charts.measured_view import CheckView, MeasuredView, OtherTime, PlaceboView, SurgeView
from helpers.charts.scale_view import OutageSpan
from helpers.measured.checks import Checks
from helpers.measured.expected import Measurement
from helpers.measured.surge import HOUR, Surge
from helpers.measured.totals import Predictive
from helpers.measured.window import Window


def panels(
    found: Measurement, label: str, noun: str, exclude: Sequence[Window] = (), known: Sequence[Window] = ()
) -> MeasuredView:
    """Return observed against expected, the gap and what it adds up to."""
    path, gap = found.path, found.gap
    others = [OtherTime(w.start, w.end, "excluded", w.name) for w in exclude]
    others += [OtherTime(w.start, w.end, "known", w.name) for w in known]
    times = path.index
    others += [
        OtherTime(times[event.first], times[event.last] + found.step, "unmarked")
        for event in found.unmarked
        if event.kind != "step"
    ]
    return MeasuredView(
        service=label,
        noun=noun,
        step=found.step,
        times=pd.DatetimeIndex(times),
        outage=OutageSpan(found.window.start, found.window.end, "outage"),
        others=others,
        early=found.early,
        level=found.level,
        **{name: path[name].to_numpy() for name in ("observed", "expected", "low", "high")},
        **{name: gap[name].to_numpy() for name in ("extra", "extra_low", "extra_high")},
        **{name: gap[name].to_numpy() for name in ("cumulative", "cumulative_low", "cumulative_high")},
    )


def placebos(found: Measurement, noun: str) -> PlaceboView:
    """Return the gain beside what the same procedure claims at the placebo dates, as shares of the expected."""
    table, shams = found.placebos.table, found.placebos
    told = Predictive(table["expected"].to_numpy(), table["variance"].to_numpy(), shams.scale, shams.freedom)
    low, middle, high = ((table["observed"] / told.quantile(q)).to_numpy() - 1 for q in _ends(found.level))
    real = found.relative
    return PlaceboView(
        dates=pd.DatetimeIndex(found.path.index[table["position"].to_numpy(dtype=int)]),
        low=high,
        middle=middle,
        high=low,
        real_date=found.window.start,
        real=(real.low, real.median, real.high),
        real_label="the outage",
        noun=noun,
        level=found.level,
    )


def _ends(level: float) -> tuple[float, float, float]:
    return (1 - level) / 2, 0.5, (1 + level) / 2


def residuals(found: Measurement, checked: Checks) -> CheckView:
    """Return what the model left over."""
    return CheckView(
        pd.DatetimeIndex(checked.residuals.index),
        checked.residuals.to_numpy(),
        found.step,
        checked.autocorrelation,
        checked.bound,
        found.level,
    )


def response(found: Measurement, after: Surge, noun: str) -> SurgeView:
    """Return how many times the expected was counted, and the response fitted to it."""
    path, settled = after.path, after.settled
    top = float(path.index[int(np.argmax(path["fitted"].to_numpy()))])
    lasted = (found.window.end - after.start) / HOUR
    return SurgeView(
        noun=noun,
        hours=path.index.to_numpy(dtype=float),
        ratio=path["ratio"].to_numpy(),
        curve_hours=path.index.to_numpy(dtype=float),
        curve=path["fitted"].to_numpy(),
        curve_low=path["fitted_low"].to_numpy(),
        curve_high=path["fitted_high"].to_numpy(),
        outage_hours=lasted,
        outage_label=f"outage, {words.duration(lasted)}",
        half_life=(after.half_life.low, after.half_life.median, after.half_life.high),
        peak_hours=max(top, lasted),
        stays=(1 + settled.low, 1 + settled.median, 1 + settled.high),
        level=found.level,
    )
