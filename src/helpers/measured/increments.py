"""Running totals as increments at a regular step, with corrections and implausible jumps flagged.

A crawled total is not monotone: servers drop out of a crawl, lists change, accounts are purged. What a total lost
was never "minus so many sign-ups", so nothing is clipped: such steps are missing, and said to be.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import words
from helpers.measured import grid
from helpers.measured import rows as table_rows
from helpers.measured.cells import Bools, Floats, Ints, Problems, SeriesError, column, lines_of
from helpers.measured.series import Series, checked_step
from helpers.raw_table import near

__all__ = ["FIXES", "Increments", "SeriesError", "from_totals", "increments"]

#: What may be put right in running totals when asked for.
FIXES = {
    "sort": "rows put into the order of their times",
    "drop_duplicates": "rows that repeat another one exactly left out",
    "drop_jumps": "single rises far beyond their neighbours left out",
}
GAP, CORRECTION, BESIDE, JUMP = "gap", "correction", "beside a correction", "jump"
#: A rise is touched by the fall beside it unless it is so many times larger.
_LARGER = 10.0
#: A jump: so far from the median log rate of the neighbours, in their scatter, of which this is the least.
_FAR, _LEAST_SCATTER = 5.0, 0.25
#: ... and so many times the rate of the nearest steps on both sides: what lasts two steps is no jump.
_ALONE = 3.0
_NEIGHBOURS = 8
_SOME = 5


@dataclass(frozen=True)
class Increments:
    """What was added in each step.

    Attributes
    ----------
    steps : index "time", starts of the steps in UTC; ``increment`` float64, NaN where missing; ``flag`` str, empty,
        "gap", "correction", "beside a correction" or "jump": the worst of the observations the step draws on.
    changes : one row for each pair of neighbouring observations: ``start``, ``end`` (UTC), ``change``, ``per_hour``,
        ``z`` (robust distance from the neighbours, NaN where not computed) and ``flag``.
    step : length of a step.
    notes : what was flagged, spread or left out, a sentence each.
    """

    steps: pd.DataFrame
    changes: pd.DataFrame
    step: pd.Timedelta
    notes: tuple[str, ...]


def increments(
    times: pd.DatetimeIndex,
    totals: Sequence[float] | Floats | pd.Series,
    every: str,
    *,
    limit: pd.Timedelta | None = None,
    drop_jumps: bool = False,
) -> Increments:
    """Turn running totals, seen at any times, into increments at a regular step.

    The total at the start of each step is read off the straight line between the observations around it, and only
    where these are closer than `limit`; the step's increment is the difference to the next. Steps count from
    midnight UTC. Flagged are, in this order:

    * *correction*: the total falls. Missing.
    * *beside a correction*: a rise right before or after a fall that is not ten times larger than the fall: a
      crawl that lost servers and found them again, or counted some twice. Which of the totals was wrong is not
      known, so both steps are missing.
    * *jump*: a single rise far beyond its neighbours, such as a server with all its old accounts added to the list.
      The rule: z = (log(1 + rate an hour) - median) / scatter over the 8 unflagged rises on each side, scatter
      being 1.4826 times the median absolute deviation and at least 0.25; a jump has z > 5 and is at least three
      times as fast as the nearest unflagged rise on either side. A surge that lasts two observations is none. A
      jump is kept, and named, unless `drop_jumps`.

    Parameters
    ----------
    times : (n,) DatetimeIndex with a zone
        Sorted, different.
    totals : (n,) float
        Running total at each time; NaN is no observation.
    every : str
        Length of a step, "1min" to "1W", not much finer than the observations.
    limit : Timedelta, optional
        Default: twice the step, or twice the usual distance of the observations if that is more.
    drop_jumps : bool
        Whether jumps are missing, too.

    Raises
    ------
    SeriesError
        If fewer than two totals are there, the times are not sorted and different, or the step is too fine.
    """
    problems = Problems("the totals", np.arange(2, len(times) + 2, dtype=np.int64))
    step = checked_step(every, problems)
    if times.tz is None:
        problems.whole("times", "", "times with a zone")
    problems.check()
    values = np.asarray(totals, dtype=np.float64)
    at = times.tz_convert("UTC").tz_localize(None).as_unit("us").to_numpy().astype(np.int64)
    kept = np.isfinite(values)
    if (np.diff(at) <= 0).any():
        problems.whole("times", "", "sorted times, each once")
    problems.check()
    return _increments(at[kept], values[kept], step, limit, drop_jumps, problems)


def from_totals(
    table: pd.DataFrame,
    time_column: str,
    value_column: str,
    every: str | None = None,
    fix: Collection[str] = (),
    fractional: bool = False,
    source: str = "",
) -> Series:
    """Turn a table of running totals into a series of counts; like `helpers.measured.series.regular`.

    An increment stands at the start of its step, and a total is that at its time. Names for `fix` are in `FIXES`.

    Raises
    ------
    SeriesError
        If the table is not an honest series of totals, or `every` is not given where the times are irregular.
    """
    problems = Problems(source or "the table", lines_of(table))
    fixes = set(fix.replace(",", " ").split() if isinstance(fix, str) else fix)
    for name in sorted(fixes - set(FIXES)):
        said = f"one of {', '.join(FIXES)} for running totals{near(name, FIXES)}"
        problems.whole("fix", name, said)
    step = checked_step(every, problems)
    time_cells, cells = column(table, time_column, problems), column(table, value_column, problems)
    problems.check()
    notes: list[str] = []
    rows = table_rows.read(time_cells, {value_column: cells}, fractional, problems, notes)
    rows = table_rows.in_order(rows, fixes, problems, notes)
    rows = table_rows.once(rows, fixes, problems, notes, totals=True)
    if not step and not problems.found:
        step = _own_step(rows.times, problems)
    problems.check()
    seen = np.isfinite(rows.numbers[:, 0])
    found = _increments(rows.times[seen], rows.numbers[seen, 0], step, None, "drop_jumps" in fixes, problems)
    counts = found.steps["increment"].rename(value_column)
    if counts.isna().all():
        problems.whole(value_column, "", f"at least one increment for a step of {grid.said(step)}")
    problems.check()
    return Series(counts, found.step, pd.DataFrame(index=counts.index), problems.source, (*notes, *found.notes))


def _own_step(times: Ints, problems: Problems) -> int:
    """Return the distance most times have; where there is none, a step is to be given."""
    if len(times) > 1:
        usual = grid.usual_step(times)
        if grid.MINUTE <= usual <= grid.WEEK and (np.diff(times) == usual).mean() >= 0.5:
            return usual
    problems.whole("every", "", f"a step such as {grid.STEPS}, as the times are not regular")
    return 0


def _increments(
    times: Ints, totals: Floats, step: int, limit: pd.Timedelta | None, drop_jumps: bool, problems: Problems
) -> Increments:
    if len(times) < 2:
        problems.whole("", f"{len(times)} totals", "at least two totals")
        problems.check()
    usual = int(np.median(np.diff(times)))
    if 2 * step < usual:
        said = f"at least about the usual distance of the observations, {grid.said(usual)}"
        problems.whole("every", grid.said(step), said)
    if (times[-1] - times[0]) // step > grid.MOST_STEPS:
        problems.whole("", grid.said_moment(times[-1]), "a time nearer to the others; is a year mistyped?")
    # On the grid of the totals where they are regular, else from midnight on.
    anchor = times[0] // grid.DAY * grid.DAY if grid.DAY % step else 0
    phase = grid.phase_of(times, step)
    anchor = phase if (times % step == phase).mean() >= 0.5 else anchor % step
    first = -((anchor - times[0]) // step) * step + anchor
    count = int((times[-1] - first) // step)
    if count < 1:
        problems.whole("", grid.said_moment(times[-1]), f"totals over at least one whole step of {grid.said(step)}")
    problems.check()
    reach = 2 * max(step, usual) if limit is None else int(limit / pd.Timedelta(1, "us"))
    changes = _changes(times, totals, reach)
    edges = first + step * np.arange(count + 1, dtype=np.int64)
    added = np.diff(np.interp(edges, times, totals))
    flag = np.full(count, "", dtype=object)
    for kind in (JUMP, BESIDE, CORRECTION, GAP):
        touched = _touched(times, (changes["flag"] == kind).to_numpy(), first, step, count)
        flag[touched] = kind
        if kind != JUMP or drop_jumps:
            added[touched] = np.nan
    length = pd.Timedelta(step, unit="us")
    start = pd.Timestamp(first, unit="us", tz="UTC")
    index = pd.date_range(start, periods=count, freq=length, unit="us", name="time")
    steps = pd.DataFrame({"increment": added, "flag": pd.array(flag, dtype="str")}, index=index)
    spread = usual if ((times - first) % step).any() else 0
    return Increments(steps, changes, length, _notes(changes, steps, step, spread, drop_jumps))


def _changes(times: Ints, totals: Floats, reach: int) -> pd.DataFrame:
    """Flag what happened between neighbouring observations."""
    change = np.diff(totals)
    hours = np.diff(times) / grid.HOUR
    rate = change / hours
    flag = np.full(len(change), "", dtype=object)
    flag[hours * grid.HOUR >= reach] = GAP
    fall = change < 0
    before, after = np.append(-change[1:], 0.0), np.insert(-change[:-1], 0, 0.0)
    beside = ~fall & (np.maximum(before, after) > 0) & (change < _LARGER * np.maximum(before, after))
    flag[beside] = BESIDE
    flag[fall] = CORRECTION
    z = np.full(len(change), np.nan)
    clean = np.flatnonzero(flag == "")
    log_rate = np.log1p(np.maximum(rate, 0.0))
    for place, one in enumerate(clean):
        left, right = clean[max(place - _NEIGHBOURS, 0) : place], clean[place + 1 : place + 1 + _NEIGHBOURS]
        others = log_rate[np.concatenate([left, right])]
        if len(others) < _SOME:
            continue
        middle = np.median(others)
        scatter = max(1.4826 * float(np.median(np.abs(others - middle))), _LEAST_SCATTER)
        z[one] = (log_rate[one] - middle) / scatter
        nearest = rate[np.concatenate([left[-1:], right[:1]])]
        if z[one] > _FAR and rate[one] >= _ALONE * nearest.max():
            flag[one] = JUMP
    ends = pd.to_datetime(times, unit="us", utc=True).as_unit("us")
    return pd.DataFrame(
        {
            "start": ends[:-1],
            "end": ends[1:],
            "change": change,
            "per_hour": rate,
            "z": z,
            "flag": pd.array(flag, dtype="str"),
        }
    )


def _touched(times: Ints, chosen: Bools, first: int, step: int, count: int) -> Bools:
    """Say which steps draw on a chosen pair of neighbouring observations."""
    begin = np.clip((times[:-1][chosen] - first) // step, 0, count)
    end = np.clip(-((first - times[1:][chosen]) // step), 0, count)
    edges = np.zeros(count + 1, np.int64)
    np.add.at(edges, begin, 1)
    np.add.at(edges, end, -1)
    touched: Bools = np.cumsum(edges)[:count] > 0
    return touched


def _notes(changes: pd.DataFrame, steps: pd.DataFrame, step: int, spread: int, drop_jumps: bool) -> tuple[str, ...]:
    notes = ["The counts are increments of a running total."]
    if spread:
        notes.append(
            f"The total was seen every {grid.said(spread)} or so, not at the steps of {grid.said(step)}: what came "
            "between two observations is spread evenly over the time between them."
        )
    many = changes["flag"].value_counts()
    if falls := int(many.get(CORRECTION, 0)):
        beside = words.digits(int(many.get(BESIDE, 0)))
        notes.append(
            f"The total falls {words.digits(falls)} time{'s' if falls > 1 else ''}, which are corrections of the "
            f"count and not sign-ups; these and {beside} rises beside them are missing."
        )
    if gaps := int(many.get(GAP, 0)):
        notes.append(f"Between {words.digits(gaps)} pairs of observations too much time lies; it is missing.")
    for _, row in changes[changes["flag"] == JUMP].iterrows():
        kept = "left out" if drop_jumps else 'kept; fix="drop_jumps" leaves it out'
        notes.append(
            f"The total jumps by {words.digits(row['change'])} between {row['start']:%Y-%m-%d %H:%M} and "
            f"{row['end']:%Y-%m-%d %H:%M}, far beyond its neighbours, as when a server is added to a list; {kept}."
        )
    if missing := int(steps["increment"].isna().sum()):
        notes.append(f"Missing: {words.digits(missing)} of {words.digits(len(steps))} steps of {grid.said(step)}.")
    return tuple(notes)
