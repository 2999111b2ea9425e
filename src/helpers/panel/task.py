"""What one worker does: measure the series of a batch, each for every window, and keep only what is compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.measured.window import CannotTell, Window
from helpers.panel.grid import Floats, Ints, Panel, regular

if TYPE_CHECKING:
    from helpers.measured.expected import Measurement

Small = NDArray[np.float32]
#: Numbers kept of each measurement. The last two are moments of what was predicted for the horizon, with the scale
#: from the placebo dates in them: intervals at other levels are read from them.
NUMBERS = (
    *("observed", "expected", "extra", "extra_low", "extra_high", "relative", "relative_low", "relative_high"),
    *("p", "z", "effective_freedom", "predicted_mean", "predicted_variance"),
)
#: Series of a batch, and counts that they hold together: small enough for a steady bar and a short way back.
MOST_SERIES, MOST_COUNTS = 50, 500_000


@dataclass(frozen=True)
class Settings:
    """How each series is measured.

    Attributes
    ----------
    windows : the outages.
    horizon : time after each start in which people are counted.
    exclude : disturbed times that no baseline learns from.
    level : probability that the intervals hold.
    fractional : whether values are measures, not counts.
    step, phase : the common grid, see `helpers.panel.grid.Panel`.
    steps : steps of the horizon.
    """

    windows: tuple[Window, ...]
    horizon: pd.Timedelta
    exclude: tuple[Window, ...]
    level: float
    fractional: bool
    step: pd.Timedelta
    phase: pd.Timedelta
    steps: int

    def left_out(self, number: int) -> tuple[Window, ...]:
        """Return what the baseline of one window must not learn from: the other outages with their aftermath, too."""
        others = (
            replace(other, end=max(other.end, other.start + self.horizon))
            for place, other in enumerate(self.windows)
            if place != number
        )
        return (*self.exclude, *others)


@dataclass(frozen=True)
class Batch:
    """Some neighbouring series of a panel.

    Attributes
    ----------
    begin : place of the first one in the panel.
    first : (n,) positions of their first steps.
    offsets : (n + 1,) where they lie in `counts`; a series with a fault is empty.
    counts : counts.
    """

    begin: int
    first: Ints
    offsets: Ints
    counts: Floats

    def __len__(self) -> int:
        """Return the number of series."""
        return len(self.first)


class Part(NamedTuple):
    """What a batch gave, one row a series and window, windows of a series together.

    Attributes
    ----------
    numbers : (rows, len(NUMBERS)), NaN where a series failed.
    early : (rows,) int64, microseconds since 1970 UTC at which the surge seems to have begun before its stated
        start; the least integer where it has not.
    code, reason : why a series failed; empty where it was measured.
    observed, expected, log_error : (rows, steps) by steps since the start, NaN where missing or beyond the data.
    """

    numbers: Floats
    early: Ints
    code: list[str]
    reason: list[str]
    observed: Small
    expected: Small
    log_error: Small


NEVER = np.iinfo(np.int64).min


def batches(panel: Panel) -> Iterator[Batch]:
    """Cut a panel into batches; how, depends on the panel alone, never on who measures it."""
    n = len(panel.names)
    most = min(MOST_SERIES, max(1, -(-n // 16)))
    begin = 0
    while begin < n:
        end = begin + 1
        while end < min(begin + most, n) and panel.offsets[end + 1] - panel.offsets[begin] <= MOST_COUNTS:
            end += 1
        low, high = panel.offsets[begin], panel.offsets[end]
        values = panel.counts[low:high]
        offsets, first = panel.offsets[begin : end + 1] - low, panel.first[begin:end].copy()
        yield Batch(begin, first, offsets, values)
        begin = end


def empty_part(rows: int, steps: int) -> Part:
    """Return a part in which nothing has been measured yet."""
    arrays = (np.full((rows, steps), np.nan, dtype=np.float32) for _ in range(3))
    return Part(np.full((rows, len(NUMBERS)), np.nan), np.full(rows, NEVER), [""] * rows, [""] * rows, *arrays)


def measure_batch(batch: Batch, settings: Settings) -> Part:
    """Measure each series of a batch for each window; a series that fails says why and the others go on."""
    part = empty_part(len(batch) * len(settings.windows), settings.steps)
    row = 0
    for number in range(len(batch)):
        values = batch.counts[batch.offsets[number] : batch.offsets[number + 1]]
        counts = regular(values, int(batch.first[number]), settings.step, settings.phase)
        for window in range(len(settings.windows)):
            if len(values):
                _measure(counts, settings, window, part, row)
            row += 1
    return part


def measure_window(counts: pd.Series, settings: Settings, number: int) -> Measurement:
    """Measure one series for one window.

    Raises
    ------
    CannotTell
        If the series gives no honest interval.
    """
    # Looked up at each call: importing it takes a second, which a command that only parses its options need not pay.
    from helpers.measured.expected import measure

    return measure(
        counts,
        settings.windows[number],
        horizon=settings.horizon,
        exclude=settings.left_out(number),
        level=settings.level,
        fractional=settings.fractional,
    )


def _measure(counts: pd.Series, settings: Settings, number: int, part: Part, row: int) -> None:
    try:
        _keep(measure_window(counts, settings, number), part, row)
    except CannotTell as error:
        part.code[row], part.reason[row] = error.code, str(error)
    except Exception as error:  # whatever it is, 19,999 others are still to be measured
        part.code[row], part.reason[row] = "error", f"{type(error).__name__}: {error}"


def _keep(found: Measurement, part: Part, row: int) -> None:
    gap, steps = found.gap, part.observed.shape[1]
    observed = found.path["observed"].to_numpy(dtype=float)[-len(gap) :]
    stretch, total = found.stretch, found.total
    part.numbers[row] = (
        *(found.observed_total, found.expected_total.median, *found.extra, *found.relative),
        *(found.p, found.z, found.effective_freedom),
        *(float(total.mean.item()) / stretch, float(total.variance.item()) * total.scale / stretch**2),
    )
    if found.early is not None:
        part.early[row] = found.early.asm8.astype("datetime64[us]").astype(np.int64)  # `.value` is nanoseconds
    for kept_steps, values in (
        (part.observed, observed),
        (part.expected, found.moments.mean / stretch),
        (part.log_error, gap["log_error"].to_numpy(dtype=float)),
    ):
        kept_steps[row, : min(len(values), steps)] = values[:steps]


def rows_of(parts: Sequence[Part]) -> Part:
    """Join parts, in order."""
    return Part(
        np.concatenate([part.numbers for part in parts]),
        np.concatenate([part.early for part in parts]),
        [code for part in parts for code in part.code],
        [reason for part in parts for reason in part.reason],
        *(np.concatenate([part[place] for part in parts]) for place in (4, 5, 6)),
    )
