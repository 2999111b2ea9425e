"""The simulated series that the tools in use were measured on, each with its truth; two faults put in on request.

`../shared/bench` beside the repository holds `make_series.py` and `reference.py`: they are run from there, unchanged.
The truth is the extra sign-ups that were really drawn, step by step: the counts less those of the same series at 1x.
"""

from __future__ import annotations

import runpy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from helpers.measured.window import Window

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "bench"
Kind = Literal["daily", "hourly"]
Fault = Literal["none", "late", "unmarked"]
MULTIPLES = (1.0, 1.5, 3.0, 20.0)
#: Steps by which the stated start is late: a day. Steps by which the unmarked surge comes earlier, and its multiple.
LATE = {"daily": 1, "hourly": 24}
EARLIER = {"daily": 45, "hourly": 20 * 24}
UNMARKED = 3.0
#: Columns that the outage does not touch.
CONTROLS = {"daily": ["c1", "c2"], "hourly": ["c1"]}
HOURS = pd.Timedelta(hours=6)


@dataclass(frozen=True)
class Case:
    """One series: counts (UTC), the outage as stated, extra sign-ups of each step from then on, controls.

    `place` is where the fault lies: the real start of a surge that began before the stated one, or the start of the
    surge that nobody marked.
    """

    counts: pd.Series
    window: Window
    extra: pd.Series
    controls: pd.DataFrame
    place: pd.Timestamp | None = None

    @property
    def truth(self) -> float:
        """Return the extra sign-ups from the stated start to the end."""
        return float(self.extra.sum())

    @property
    def horizon(self) -> pd.Timedelta:
        """Return the time from the stated start to the end."""
        times = self.extra.index
        return times[-1] - times[0] + (times[1] - times[0])


@cache
def script(folder: Path, name: str) -> dict[str, Any]:
    """Run a shared script and return what it defines; nothing is written beside it."""
    path = folder / f"{name}.py"
    if not path.exists():
        raise FileNotFoundError(f"{name}.py is not in {folder.name}: the shared benchmark is not beside this checkout")
    return runpy.run_path(str(path))


def case(folder: Path, kind: Kind, i: int, multiple: float, fault: Fault = "none") -> Case:
    """Return series i at a multiple of the usual, with a fault."""
    made = script(folder, "make_series")
    table, base = (made[kind](i, size)[0].tz_localize("UTC") for size in (multiple, 1.0))
    begin = made["PRE" if kind == "daily" else "HPRE"]
    counts, extra, times = table["y"].copy(), table["y"] - base["y"], table.index
    start, place = begin, None
    if fault == "late":
        start, place = begin + LATE[kind], times[begin]
    elif fault == "unmarked":
        shift = EARLIER[kind]
        earlier = (made[kind](i, UNMARKED)[0]["y"].to_numpy() - base["y"].to_numpy())[shift:]
        before = np.arange(len(earlier)) < begin
        counts.iloc[: len(earlier)] += earlier * before
        place = times[begin - shift]
    window = Window(times[start], times[start] + HOURS)
    return Case(counts, window, extra.iloc[start:], table[CONTROLS[kind]], place)


def reference(folder: Path, i: int, controls: bool) -> tuple[float, float, float]:
    """Return extra, low and high of the reference fit of daily series i at 1x; it knows the form of the process."""
    made = script(folder, "make_series")
    table = made["daily"](i, 1.0)[0]
    found = script(folder, "reference")["fit"](table, made["PRE"], CONTROLS["daily"] if controls else ())
    return tuple(float(end) for end in found)  # type: ignore[return-value]
