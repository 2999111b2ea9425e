"""What a series would have counted without the outage, and the extra sign-ups that really happened.

The expected path is a negative binomial state space model (`drift`) with trend, rhythms, controls and known events
(`design`), learnt from the steps before the outage only, with what nobody marked taken out (`unmarked`). The extra is
what was observed less what is predicted, so its interval is for the people who really came, not for their mean. Its
width is scaled by what the same forecast got wrong at placebo dates (`placebo`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.measured import drift, placebo, unmarked
from helpers.measured.design import DAY, WEEK, Design, covered, design
from helpers.measured.totals import Estimate, Moments, Predictive, moments
from helpers.measured.window import CannotTell, Window

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
NONE = pd.Timedelta(0)
#: Steps that a baseline learns from at the most: the latest ones.
MOST_STEPS = 40_000
#: Least share of steps that must be there.
LEAST_THERE = 0.5
#: Fractional measures are stretched to this mean, where the noise of counting is nothing.
STRETCH = 1e8


@dataclass(frozen=True)
class Measurement:
    """What one series says of one outage; times in UTC.

    Attributes
    ----------
    window : the outage.
    step : time between steps.
    level : probability that the intervals hold.
    path : DataFrame by time, from the start of the data to the end of the horizon: observed, expected, low, high,
        used (whether the baseline has learnt from the step). Before the outage expected is the fitted path.
    gap : DataFrame by time, from the outage on: extra, extra_low, extra_high, cumulative, cumulative_low,
        cumulative_high, ratio, log_error (standard error of the logarithm of what was expected).
    extra : extra sign-ups over the horizon.
    expected_total, observed_total : what was expected and counted in the steps that were observed.
    relative : extra as a share of what was expected.
    p : two-sided p-value of no effect, from the same distribution as the interval of `extra`.
    z : normal score of what was observed over the horizon, calibrated.
    effective_freedom : degrees of freedom of the reference distribution.
    placebos : what the same forecast said at placebo dates.
    unmarked : events in the past that nobody marked, taken out.
    early : when the surge seems to have begun, if that is before the stated start.
    extra_early : sign-ups above the expected between then and the stated start, not part of `extra`.
    moments : mean and covariance of the counts expected after the start.
    total : distribution of the total expected over the steps that were observed.
    fit, design, used : the fitted model, for checks.
    stretch : factor that the values of a fractional measure were multiplied with; moments and total are so too.
    notes : what a reader must know, in words.
    """

    window: Window
    step: pd.Timedelta
    level: float
    path: pd.DataFrame
    gap: pd.DataFrame
    extra: Estimate
    expected_total: Estimate
    observed_total: float
    relative: Estimate
    p: float
    z: float
    effective_freedom: float
    placebos: placebo.Placebos
    unmarked: tuple[unmarked.Event, ...]
    early: pd.Timestamp | None
    extra_early: Estimate | None
    moments: Moments
    total: Predictive
    fit: drift.Fit
    design: Design
    used: Mask
    stretch: float = 1.0
    notes: tuple[str, ...] = ()

    def at_level(self, level: float) -> Estimate:
        """Return the extra with the interval at another level."""
        extra, _ = _extra(self.total, np.array([self.observed_total * self.stretch]), level)
        return _shrunk(extra, self.stretch)


class Shape(NamedTuple):
    """What all predictive distributions of one series share: scale, degrees of freedom, whether counts are whole."""

    scale: float
    freedom: float
    whole: bool


def usual_horizon(step: pd.Timedelta) -> pd.Timedelta:
    """Return the time after the start in which people are counted where none is given: a week, a month, 12 weeks."""
    return WEEK if step < DAY else 30 * DAY if step < WEEK else 12 * WEEK


def measure(
    counts: pd.Series,
    window: Window,
    *,
    horizon: pd.Timedelta | None = None,
    controls: pd.DataFrame | None = None,
    exclude: Sequence[Window] = (),
    known: Sequence[Window] = (),
    anticipation: pd.Timedelta = NONE,
    level: float = 0.95,
    fractional: bool = False,
) -> Measurement:
    """Measure what came on top of the expected after an outage.

    Parameters
    ----------
    counts : Series of float
        Counts a step, by time (UTC, regular steps of a minute to a week); NaN where missing, which is not zero.
    window : Window
        The outage.
    horizon : Timedelta, optional
        Time after the start in which people are counted; by default `usual_horizon`. What lies beyond the data is
        left out and noted.
    controls : DataFrame, optional
        Series that the outage does not touch, by the same times; they must be there wherever the counts are.
    exclude : sequence of Window
        Other outages and disturbed times, which the baseline shall not learn from.
    known : sequence of Window
        Named events that come back, such as holidays; one that was there before is learnt from then.
    anticipation : Timedelta
        Time before the start in which people may already have known, left out of the training.
    level : float
        Probability that the intervals hold.
    fractional : bool
        Whether the values are measures, not counts: an index, a rate, an estimate. Their noise is then only what
        the past shows.

    Raises
    ------
    CannotTell
        If the series gives no honest interval: the reason is in its words.
    """
    times = pd.DatetimeIndex(counts.index)
    if len(times) < 3:
        raise CannotTell("too_short", f"{len(times)} steps are no series")
    step = times[1] - times[0]
    values = counts.to_numpy(dtype=float)
    begin, end, notes = _placed(times, step, window, horizon or usual_horizon(step))
    first = max(0, begin - MOST_STEPS)
    times, values = times[first:end], values[first:end]
    begin, end = begin - first, end - first
    controls = None if controls is None else controls.reindex(times)
    there = np.isfinite(values)
    training = there & (np.arange(len(times)) < begin)
    training &= ~_left_out(times, step, window, exclude, anticipation)
    _check(values, training, begin, there)
    if controls is not None:
        _check_controls(controls, training | (there & (np.arange(len(times)) >= begin)))
    stretch = STRETCH / max(float(np.nanmean(np.abs(values[:begin]))), 1e-300) if fractional else 1.0
    values = values * stretch
    columns = design(times, training, controls, known)
    prior = drift.usual_prior(WEEK / step)
    try:
        cleaned = unmarked.clean(values[:begin], training[:begin], columns, prior)
        fitted = drift.with_points(cleaned.fit)
        times_counted = drift.times_the_counts(fitted, values[:begin])
        if not 1 / drift.ASTRAY <= times_counted <= drift.ASTRAY:
            raise CannotTell(
                "failed",
                f"the fit did not come to an end: for the past it gives {times_counted:.3g} times what was counted",
            )
        return _measured(
            times, step, values, begin, window, level, fitted, cleaned, training, stretch, fractional, notes
        )
    except np.linalg.LinAlgError as error:
        raise CannotTell("failed", f"the fit did not come to an end ({error})") from None


def _placed(
    times: pd.DatetimeIndex, step: pd.Timedelta, window: Window, horizon: pd.Timedelta
) -> tuple[int, int, list[str]]:
    """Return positions of the first step after the start and of the end of the horizon."""
    last = times[-1] + step
    if not times[0] < window.start < last:
        raise CannotTell(
            "outside",
            f"the outage starts at {window.start:%Y-%m-%d %H:%M} UTC, outside the data "
            f"({times[0]:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC)",
        )
    begin = int((window.start - times[0]) // step)
    end = begin + max(int(np.ceil(horizon / step)), 1)
    notes = []
    if end > len(times):
        end = len(times)
        notes.append(f"The data end after {(end - begin)} of {int(np.ceil(horizon / step))} steps of the horizon.")
    return begin, end, notes


def _left_out(
    times: pd.DatetimeIndex, step: pd.Timedelta, window: Window, exclude: Sequence[Window], anticipation: pd.Timedelta
) -> Mask:
    out = np.asarray(times >= window.start - anticipation)
    for other in exclude:
        out |= covered(times, step, other) > 0
    return np.asarray(out)


def _check(values: Array, training: Mask, begin: int, there: Mask) -> None:
    seen = values[training]
    if not there[begin:].any():
        raise CannotTell("no_counts", "no count after the start of the outage: there is nothing to compare")
    if not len(seen):
        raise CannotTell("too_short", "no usable count before the outage")
    if training.sum() < LEAST_THERE * begin:
        raise CannotTell(
            "too_broken", f"only {training.sum()} of {begin} steps before the outage can be used; half are needed"
        )
    if not seen.any():
        raise CannotTell("all_zero", f"all {len(seen)} counts before the outage are zero: a usual level cannot be told")
    if (seen == seen[0]).all():
        raise CannotTell(
            "constant", f"all {len(seen)} counts before the outage are {seen[0]:g}: how much is chance cannot be told"
        )
    if (seen > 0).sum() < 3:
        raise CannotTell("all_zero", f"only {(seen > 0).sum()} of {len(seen)} counts before the outage are not zero")


def _check_controls(controls: pd.DataFrame, needed: Mask) -> None:
    for name, control in controls.items():
        holes = ~np.isfinite(control.to_numpy(dtype=float)) & needed
        if holes.any():
            at = pd.DatetimeIndex(controls.index)[int(np.flatnonzero(holes)[0])]
            raise CannotTell(
                "control",
                f"control {name}: no value at {at:%Y-%m-%d %H:%M} UTC, expected one wherever there is a count "
                f"({holes.sum()} missing)",
            )


def _measured(
    times: pd.DatetimeIndex,
    step: pd.Timedelta,
    values: Array,
    begin: int,
    window: Window,
    level: float,
    fitted: drift.Fit,
    cleaned: unmarked.Cleaned,
    training: Mask,
    stretch: float,
    fractional: bool,
    notes: Sequence[str],
) -> Measurement:
    matrix, horizon = cleaned.design.matrix, len(times) - begin
    ahead, there = matrix[begin:], np.isfinite(values[begin:])
    at_mode = fitted.at()
    solved = [fitted.at(point) for point in fitted.points]
    told = moments([drift.forecast(one, ahead) for one in solved], [one.alpha for one in solved], fitted.weights)
    plain = moments([drift.forecast(at_mode, ahead)], [at_mode.alpha])
    kept = told.kept(there)
    widening = max(float(kept.covariance.sum() / plain.kept(there).covariance.sum()), 1.0)
    good = training[:begin].copy()
    for event in cleaned.events:
        if event.kind == "surge":
            good[event.first : event.last + 1] = False
    if cleaned.early is not None:
        good[cleaned.early :] = False
    shifts = tuple(event.first for event in cleaned.events if event.kind == "step")
    chance = min(float(kept.mean.sum() / kept.covariance.sum()), 1.0)
    shams = placebo.placebos(fitted, matrix[:begin], values[:begin], good, horizon, widening, chance, shifts)
    shape = Shape(shams.scale, shams.freedom, not fractional)

    each = Predictive(told.mean, np.diag(told.covariance), *shape)
    sums, variances = kept.running()
    running = Predictive(sums, variances, *shape)
    observed = np.where(there, values[begin:], 0.0)
    total = Predictive(sums[-1:], variances[-1:], *shape)
    counted = float(observed.sum())
    extra, expected_total = _extra(total, np.array([counted]), level)
    low, middle, high = (each.quantile(q) for q in _ends(level))
    gap = pd.DataFrame(index=times[begin:])
    gap["extra"], gap["extra_low"], gap["extra_high"] = (
        values[begin:] - middle,
        values[begin:] - high,
        values[begin:] - low,
    )
    over = np.cumsum(observed)
    begun = np.cumsum(there) > 0
    for name, q in zip(("cumulative_high", "cumulative", "cumulative_low"), _ends(level), strict=True):
        gap[name] = np.where(begun, over - running.quantile(q), np.nan)
    gap = gap / stretch
    gap["ratio"] = values[begin:] / told.mean
    gap["log_error"] = np.sqrt(np.log1p(shams.scale * np.diag(told.covariance) / told.mean**2))
    path = _path(times, values, begin, cleaned, fitted, at_mode, (low, middle, high), level, shape) / stretch
    path["used"] = np.concatenate([cleaned.used, np.zeros(horizon, dtype=bool)])
    early = None if cleaned.early is None else times[cleaned.early]
    return Measurement(
        window=window,
        step=step,
        level=level,
        path=path[["observed", "expected", "low", "high", "used"]],
        gap=gap,
        extra=_shrunk(extra, stretch),
        expected_total=_shrunk(expected_total, stretch),
        observed_total=counted / stretch,
        relative=_relative(expected_total, counted),
        p=float(total.p_value(np.array([counted]))[0]),
        z=float(total.score(np.array([counted]))[0]),
        effective_freedom=shams.freedom,
        placebos=shams,
        unmarked=cleaned.events,
        early=early,
        extra_early=None if cleaned.early is None else _early(cleaned, at_mode, values, begin, level, shape, stretch),
        moments=told,
        total=total,
        fit=fitted,
        design=cleaned.design,
        used=cleaned.used,
        stretch=stretch,
        notes=(*notes, *cleaned.design.notes),
    )


def _ends(level: float) -> tuple[float, float, float]:
    return (1 - level) / 2, 0.5, (1 + level) / 2


def _extra(total: Predictive, counted: Array, level: float) -> tuple[Estimate, Estimate]:
    """Return the extra and the expected, each with its interval."""
    low, middle, high = (float(total.quantile(q)[0]) for q in _ends(level))
    seen = float(counted[0])
    return Estimate(seen - middle, seen - high, seen - low), Estimate(middle, low, high)


def _relative(expected: Estimate, counted: float) -> Estimate:
    low, middle, high = (max(end, 1e-9) for end in (expected.low, expected.median, expected.high))
    return Estimate(counted / middle - 1, counted / high - 1, counted / low - 1)


def _shrunk(estimate: Estimate, stretch: float) -> Estimate:
    return Estimate(*(end / stretch for end in estimate))


def _path(
    times: pd.DatetimeIndex,
    values: Array,
    begin: int,
    cleaned: unmarked.Cleaned,
    fitted: drift.Fit,
    solved: drift.Solved,
    after: tuple[Array, Array, Array],
    level: float,
    shape: Shape,
) -> pd.DataFrame:
    """Return observed and expected over all steps; before the outage the fitted path with the noise of a step."""
    mean = np.exp(np.clip(fitted.matrix @ solved.coefficients + solved.state(), -20, 40))
    before = Predictive(mean, mean + solved.alpha * mean**2, *shape)
    ends = [before.quantile(q) for q in _ends(level)]
    path = pd.DataFrame({"observed": values}, index=times)
    path["expected"] = np.concatenate([mean, after[1]])
    path["low"], path["high"] = np.concatenate([ends[0], after[0]]), np.concatenate([ends[2], after[2]])
    return path


def _early(
    cleaned: unmarked.Cleaned,
    solved: drift.Solved,
    values: Array,
    begin: int,
    level: float,
    shape: Shape,
    stretch: float,
) -> Estimate:
    """Return what came above the expected between the apparent and the stated start."""
    first = cleaned.early or 0
    told = moments([drift.forecast(cleaned.fit.at(stop=first), cleaned.design.matrix[first:begin])], [solved.alpha])
    there = np.isfinite(values[first:begin])
    kept = told.kept(there)
    total = Predictive(np.array([kept.mean.sum()]), np.array([kept.covariance.sum()]), *shape)
    extra, _ = _extra(total, np.array([values[first:begin][there].sum()]), level)
    return _shrunk(extra, stretch)
