"""Every series of a panel measured for every outage: here or on a cluster, with a way back after a kill."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from helpers.measured.window import Window
from helpers.panel import machines, parts
from helpers.panel.grid import Panel, PanelError, gather
from helpers.panel.task import NUMBERS, Batch, Part, Settings, Small, batches, measure_batch, rows_of


@dataclass(frozen=True)
class PanelResult:
    """What a panel of series says of its outages; times in UTC.

    Attributes
    ----------
    table : DataFrame, one row a series and window, in the order of the input: series, window, start, observed,
        expected, extra, extra_low, extra_high (over the horizon), relative, relative_low, relative_high (extra as a
        share of what was expected), p, z, effective_freedom, predicted_mean, predicted_variance (of the counts of
        the horizon, calibrated), early (when the surge seems to have begun, if before the stated start), status
        ("measured" or "failed"), reason (code) and reason_text.
    observed, expected, log_error : (rows, steps) float32, by steps since the start: counts, predicted mean, and
        calibrated standard error of log(observed / expected) when nothing happens.
    settings : how each series was measured: windows, horizon, level, step and so on.
    measured_now, taken_over : series measured in this run, and taken over from an earlier one.
    seconds : how long it took.
    notes : what a reader must know, in words.
    """

    table: pd.DataFrame
    observed: Small
    expected: Small
    log_error: Small
    settings: Settings
    measured_now: int
    taken_over: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def log_ratio(self) -> Small:
        """(rows, steps) log(observed / expected); minus infinity where nobody was counted."""
        with np.errstate(divide="ignore"):
            ratio: Small = np.log(self.observed / self.expected)
        return ratio

    @property
    def since(self) -> pd.TimedeltaIndex:
        """(steps,) time from the start of the outage's first step to the start of each step."""
        return pd.timedelta_range(pd.Timedelta(0), periods=self.observed.shape[1], freq=self.settings.step)

    @property
    def failures(self) -> pd.Series:
        """Number of failed rows by reason code, the most frequent first."""
        failed = self.table.loc[self.table["status"] == "failed", "reason"]
        return failed.value_counts()


def measure_panel(
    table: pd.DataFrame | Iterable[pd.DataFrame],
    windows: Sequence[Window],
    *,
    horizon: pd.Timedelta | None = None,
    exclude: Sequence[Window] = (),
    level: float = 0.95,
    fractional: bool = False,
    every: pd.Timedelta | None = None,
    columns: tuple[str, str, str] = ("series", "time", "count"),
    jobs: int | None = None,
    cluster: str | None = None,
    progress: bool | None = None,
    resume: Path | None = None,
) -> PanelResult:
    """Measure every series of a long table for every outage.

    The series share one step; a count that is not there is missing, not zero. The baseline of one outage does not
    learn from the others, nor from the horizon after them. There is no chance in it: who measures, and how many
    processes, does not change a number.

    Parameters
    ----------
    table : DataFrame, or several that follow each other
        One row a count; see `helpers.panel.grid.gather`. Of several, read one after the other, each can be let go of,
        so that millions of rows leave room for the workers.
    windows : sequence of Window
        The outages; each with a name of its own, or none.
    horizon : Timedelta, optional
        Time after each start in which people are counted; by default `usual_horizon` of the step.
    exclude : sequence of Window
        Disturbed times that no baseline shall learn from.
    level : float
        Probability that the intervals hold.
    fractional : bool
        Whether the values are measures, not counts.
    every : Timedelta, optional
        The step; told from the table by default.
    columns : names of the columns of series, time and count.
    jobs : int, optional
        Processes of this machine; by default one for each core.
    cluster : str, optional
        Address of a Dask scheduler, "tcp://host:8786", whose workers measure instead. They need this package.
    progress : bool, optional
        Whether to show a bar on standard error; by default where that is a terminal.
    resume : Path, optional
        Folder that keeps what is done, so that a run that was killed goes on where it stopped.

    Returns
    -------
    PanelResult
        A series that fails is in it with its reason; the others go on.

    Raises
    ------
    PanelError
        If no panel can be made of the table, the request contradicts itself, or the cluster cannot be reached.
    """
    begun = time.perf_counter()
    _check(windows, level, jobs, cluster)
    panel = gather(table, columns, every, fractional)
    # What was read by way of Arrow is not needed any more, and the workers need room.
    pa.default_memory_pool().release_unused()
    settings = _settings(panel, windows, horizon, exclude, level, fractional)
    done, taken_over = _measured(panel, settings, jobs, cluster, progress, resume)
    whole = rows_of(done)
    return PanelResult(
        table=_table(panel, settings, whole),
        observed=whole.observed,
        expected=whole.expected,
        log_error=whole.log_error,
        settings=settings,
        measured_now=len(panel.names) - len(panel.faults) - taken_over,
        taken_over=taken_over,
        seconds=time.perf_counter() - begun,
        notes=_notes(settings),
    )


def _check(windows: Sequence[Window], level: float, jobs: int | None, cluster: str | None) -> None:
    if not windows:
        raise PanelError("no outage: expected at least one window")
    names = [label(window) for window in windows]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PanelError(f"window {twice!r}: given twice; each outage needs a name of its own")
    if not 0 < level < 1:
        raise PanelError(f"level: given {level}, expected a number between 0 and 1")
    if jobs is not None and jobs < 1:
        raise PanelError(f"jobs: given {jobs}, expected at least 1")
    if jobs is not None and cluster is not None:
        raise PanelError("jobs counts processes of this machine, a cluster has its own: give one of the two")


def label(window: Window) -> str:
    """Return the name of a window, or its start where it has none."""
    return window.name or f"{window.start.tz_convert('UTC'):%Y-%m-%d %H:%M}"


def _settings(
    panel: Panel,
    windows: Sequence[Window],
    horizon: pd.Timedelta | None,
    exclude: Sequence[Window],
    level: float,
    fractional: bool,
) -> Settings:
    from helpers.measured.expected import usual_horizon

    length = usual_horizon(panel.step) if horizon is None else horizon
    if length <= pd.Timedelta(0):
        raise PanelError(f"horizon: given {length}, expected some time")
    steps = max(int(np.ceil(length / panel.step)), 1)
    return Settings(tuple(windows), length, tuple(exclude), level, fractional, panel.step, panel.phase, steps)


def _measured(
    panel: Panel,
    settings: Settings,
    jobs: int | None,
    cluster: str | None,
    progress: bool | None,
    resume: Path | None,
) -> tuple[list[Part], int]:
    """Return the parts in order, and how many series an earlier run had done."""
    import joblib  # type: ignore[import-untyped]
    from tqdm import tqdm

    whole = list(batches(panel))
    sizes = [int(np.count_nonzero(np.diff(batch.offsets))) for batch in whole]
    keys = [parts.key(batch, settings) for batch in whole] if resume is not None else []
    found = _done(whole, keys, settings, resume)
    taken_over = sum(sizes[number] for number in found)
    waiting = [(number, batch) for number, batch in enumerate(whole) if number not in found]
    work = partial(measure_batch, settings=settings)
    if cluster is not None and waiting:
        results = machines.on_cluster(work, waiting, cluster)
    else:
        results = machines.here(work, waiting, jobs or min(joblib.cpu_count(), len(waiting)) or 1)
    # Asked nothing, the bar itself looks whether anybody can see it.
    hidden = None if progress is None else not progress
    with tqdm(total=sum(sizes), initial=taken_over, unit=" series", disable=hidden) as bar:
        for number, part in results:
            if resume is not None:
                parts.save(resume, keys[number], part)
            found[number] = part
            bar.update(sizes[number])
    return [found[number] for number in range(len(whole))], taken_over


def _done(whole: Sequence[Batch], keys: Sequence[str], settings: Settings, resume: Path | None) -> dict[int, Part]:
    """Return what an earlier run has left, by number of the batch."""
    if resume is None:
        return {}
    resume.mkdir(parents=True, exist_ok=True)
    loaded = (
        parts.load(resume, name, len(batch) * len(settings.windows), settings.steps)
        for batch, name in zip(whole, keys, strict=True)
    )
    return {number: part for number, part in enumerate(loaded) if part is not None}


def _table(panel: Panel, settings: Settings, whole: Part) -> pd.DataFrame:
    labels, n = [label(window) for window in settings.windows], len(panel.names)
    starts = pd.DatetimeIndex([window.start.tz_convert("UTC") for window in settings.windows])
    code, reason = list(whole.code), list(whole.reason)
    for number, fault in panel.faults.items():
        for row in range(number * len(labels), (number + 1) * len(labels)):
            code[row], reason[row] = fault
    table = pd.DataFrame({"series": np.repeat(np.array(panel.names, dtype=object), len(labels))}, dtype="str")
    table["window"] = pd.Series(labels * n, dtype="str")
    table["start"] = starts[np.tile(np.arange(len(labels)), n)]
    for place, name in enumerate(NUMBERS):
        table[name] = whole.numbers[:, place]
    table["early"] = pd.to_datetime(pd.Series(whole.early.view("datetime64[us]")), utc=True)
    table["status"] = pd.Series(["failed" if one else "measured" for one in code], dtype="str")
    table["reason"], table["reason_text"] = pd.Series(code, dtype="str"), pd.Series(reason, dtype="str")
    return table


def _notes(settings: Settings) -> tuple[str, ...]:
    """Say which outages cannot be told apart, because one lies within the horizon of another."""
    ordered = sorted(settings.windows, key=lambda window: window.start)
    return tuple(
        f"{label(second)} starts within the horizon of {label(first)}: what follows counts for both."
        for first, second in pairwise(ordered)
        if second.start < first.start + settings.horizon
    )
