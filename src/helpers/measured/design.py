"""What the expected path is made of besides drift: level, trend, seasonal rhythms, controls, known events, steps.

All on the log scale, as columns of one matrix; each column has a prior standard deviation, so that a rhythm that the
data cannot tell from noise stays small (ridge regression: Hoerl and Kennard 1970).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.measured.window import CannotTell, Window

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
DAY = pd.Timedelta(days=1)
WEEK = pd.Timedelta(days=7)
YEAR = pd.Timedelta(days=365.2425)
#: Seasons a rhythm must have been seen for before it is believed.
SEASONS = 2
#: Prior standard deviations on the log scale. Flat: as good as none.
FLAT, TREND, PROFILE, CONTROL, KNOWN = 10.0, 1.0, 0.15, 2.0, 2.0
#: Harmonics of the day where a step is shorter than an hour, of the day's shape by weekday, and of the year.
HARMONICS_DAY, HARMONICS_SHAPE, HARMONICS_YEAR = 12, 3, 3
#: Weekly steps without a year's rhythm need this many to learn trend and drift from.
FEWEST_STEPS = 16


@dataclass(frozen=True)
class Design:
    """Columns of the expected path on the log scale.

    Attributes
    ----------
    matrix : (n, p) one row a step.
    spread : (p,) prior standard deviation of each coefficient.
    names : (p,) what each column is.
    rhythms : names of the seasonal rhythms in it: "day", "week", "year".
    notes : what could not be learnt, in words.
    """

    matrix: Array
    spread: Array
    names: tuple[str, ...]
    rhythms: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def with_column(self, column: Array, name: str, spread: float = KNOWN) -> Design:
        """Return the design with one column more."""
        return Design(
            np.column_stack([self.matrix, column]),
            np.append(self.spread, spread),
            (*self.names, name),
            self.rhythms,
            self.notes,
        )


def design(
    times: pd.DatetimeIndex,
    training: Mask,
    controls: pd.DataFrame | None = None,
    known: Sequence[Window] = (),
) -> Design:
    """Return the columns for all steps.

    Parameters
    ----------
    times : (n,) regular steps, UTC.
    training : (n,) steps that the baseline may learn from.
    controls : series that the outage does not touch, same steps; enter as logarithms.
    known : events with names; a name that has come before is learnt from then.

    Raises
    ------
    CannotTell
        If the training steps hold fewer than two of the shortest seasons that such a series must have.
    """
    step = times[1] - times[0]
    seen = times[training]
    rhythms, notes = _rhythms(step, seen)
    n = len(times)
    span = max(int(np.flatnonzero(training)[-1]) - int(np.flatnonzero(training)[0]), 1)
    middle = (np.flatnonzero(training)[-1] + np.flatnonzero(training)[0]) / 2
    blocks = [(np.ones((n, 1)), FLAT, "level"), (((np.arange(n) - middle) / span)[:, None], TREND, "trend")]
    if "day" in rhythms:
        blocks += [(_day(times, step), FLAT, "day")]
    if "week" in rhythms:
        blocks += [(_contrasts(times.day_of_week.to_numpy(), 7), FLAT, "weekday")]
    if "day" in rhythms and "week" in rhythms:
        blocks += [(_shape(times, step), PROFILE, "day by weekday")]
    if "year" in rhythms:
        blocks += [(_waves(_phase(times, YEAR), HARMONICS_YEAR), 1.0, "year")]
    if controls is not None and len(controls.columns):
        blocks += [(_logs(controls, training), CONTROL, "control")]
    for name, column in _known(times, step, training, known).items():
        blocks += [(column[:, None], KNOWN, name)]
    sizes = [block.shape[1] for block, _, _ in blocks]
    return Design(
        np.column_stack([block for block, _, _ in blocks]),
        np.repeat([spread for _, spread, _ in blocks], sizes),
        tuple(name for (_, _, name), size in zip(blocks, sizes, strict=True) for _ in range(size)),
        rhythms,
        notes,
    )


def _rhythms(step: pd.Timedelta, seen: pd.DatetimeIndex) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the rhythms a series of this step has and has shown often enough, and what is missing in words."""
    span = len(seen) * step
    found: list[str] = []
    for name, period, finest in (("day", DAY, DAY), ("week", WEEK, WEEK)):
        if step >= finest:
            continue
        if period % step != pd.Timedelta(0):
            continue  # steps that do not divide the period never meet the same phase again
        if span < SEASONS * period:
            raise CannotTell(
                "too_few_seasons",
                f"{len(seen)} usable steps before the outage are {span / period:.1f} {name}s; the rhythm of the "
                f"{name} can be learnt from {SEASONS} {name}s on ({SEASONS * period // step} steps)",
            )
        found.append(name)
    if len(seen) < FEWEST_STEPS:
        raise CannotTell(
            "too_short", f"{len(seen)} usable steps before the outage; trend and drift need at least {FEWEST_STEPS}"
        )
    if seen[-1] - seen[0] >= SEASONS * YEAR - 4 * step:
        return (*found, "year"), ()
    return tuple(found), ("Less than two years before the outage: no rhythm of the year is taken out.",)


def _phase(times: pd.DatetimeIndex, period: pd.Timedelta) -> Array:
    """Return the place of each time within a period, 0 to 1, since 1970 in UTC (a Thursday)."""
    part: Array = np.asarray((times - pd.Timestamp(0, tz="UTC")) / period, dtype=float)
    return part - np.floor(part)


def _waves(phase: Array, harmonics: int) -> Array:
    angle = 2 * np.pi * np.outer(phase, np.arange(1, harmonics + 1))
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def _contrasts(level: NDArray[np.integer], count: int) -> Array:
    """Return sum-to-zero contrasts of a factor: (n, count - 1)."""
    one = (level[:, None] == np.arange(count)).astype(float)
    return np.asarray(one[:, :-1] - one[:, -1:])


def _day(times: pd.DatetimeIndex, step: pd.Timedelta) -> Array:
    """Return the shape of the day: one free value for each of up to 24 steps, waves where there are more."""
    steps = DAY // step
    if steps <= 24:
        place = np.asarray((times - times[0].normalize()) // step) % steps
        return _contrasts(place, steps)
    return _waves(_phase(times, DAY), HARMONICS_DAY)


def _shape(times: pd.DatetimeIndex, step: pd.Timedelta) -> Array:
    """Return how the day's shape differs by weekday: smooth waves for each of six contrasts."""
    waves = _waves(_phase(times, DAY), min(HARMONICS_SHAPE, max((DAY // step - 1) // 2, 1)))
    days = _contrasts(times.day_of_week.to_numpy(), 7)
    return np.asarray((days[:, :, None] * waves[:, None, :]).reshape(len(times), -1))


def _logs(controls: pd.DataFrame, training: Mask) -> Array:
    logs = np.log(np.maximum(controls.to_numpy(dtype=float), 0.5))
    centred: Array = logs - np.nanmean(logs[training], axis=0)
    return np.nan_to_num(centred)


def _known(times: pd.DatetimeIndex, step: pd.Timedelta, training: Mask, known: Sequence[Window]) -> dict[str, Array]:
    """Return a column for each named event that has come before: the share of each step that it covers."""
    columns: dict[str, Array] = {}
    for window in known:
        columns[window.name] = columns.get(window.name, np.zeros(len(times))) + covered(times, step, window)
    return {name: column for name, column in columns.items() if np.any(column[training] > 0)}


def covered(times: pd.DatetimeIndex, step: pd.Timedelta, window: Window) -> Array:
    """Return the share of each step, 0 to 1, that lies within a window: (n,)."""
    begin = np.asarray((window.start - times) / step, dtype=float)
    end = np.asarray((window.end - times) / step, dtype=float)
    share: Array = np.clip(end, 0, 1) - np.clip(begin, 0, 1)
    return share
