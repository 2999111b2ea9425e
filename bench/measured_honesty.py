"""Do the intervals for extra sign-ups of a measured series keep their promise, and at what width?

    python bench/measured_honesty.py [--shared DIR] [--series 100] [--jobs 2]

Writes bench/measured_honesty.csv (coverage, width, score and cost on the shared daily and hourly series, with two
faults put in, and on the harder sets of `measured_sets`) and bench/measured_peers.csv (the same at 1x beside the tools
in use, on the same series). The truth is the extra sign-ups that were really drawn over the window after the stated
start, not their mean. Every process has one thread. Needs `../shared/bench` beside the repository.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import measured_sets
import numpy as np
import pandas as pd
import shared_sets
from joblib import Parallel, delayed, parallel_config
from measured_peers import peers
from one_measurement import Result, beside, interval_score, timed
from shared_sets import Case, Fault, Kind

from helpers.measured.window import CannotTell, Window

HERE = Path(__file__).parent
#: What must come out (issue 4), in words beside the numbers.
SHARED = "95%: 0.93 to 0.97; 80%: 0.75 to 0.85"
AT_NONE = f"{SHARED}; excludes zero: at most 0.05"
FAULTS = "95%: at least 0.90"
HARDER = "95%: 0.90 to 0.98"
#: A fault is found where what is said of it lies within so many steps of its place.
NEAR = 2
KINDS: tuple[Kind, ...] = ("daily", "hourly")
#: What the rows with a fault are called, and at which multiples they are.
LATE, ANTICIPATION, AT_FAULTS = "stated a day late", "anticipation of a day", (3.0, 20.0)
#: Once more with so many times the series, because 100 tell coverage to two points only.
MORE = 10


class Answer(NamedTuple):
    """One measurement beside its truth; whether the fault was found at its place."""

    result: Result
    found: bool


def one(case: Case, **options: Any) -> Answer | str:
    """Measure a shared series; a refusal is its reason."""
    try:
        told, seconds = timed(case.counts, case.window, horizon=case.horizon, **options)
    except CannotTell as refused:
        return str(refused)
    times = [told.path.index[event.first] for event in told.unmarked]
    said = [*times, *([told.early] if told.early is not None else [])]
    near = case.place is not None and any(abs(time - case.place) <= NEAR * told.step for time in said)
    return Answer(beside(told, case.truth, seconds), near)


def shared(folder: Path, kind: Kind, i: int, multiple: float, fault: Fault, given: str) -> Answer | str:
    """Make and measure one shared series; `given` is what the method is told beside the counts."""
    case = shared_sets.case(folder, kind, i, multiple, fault)
    options: dict[str, Any] = {}
    if given == "controls":
        options["controls"] = case.controls
    elif given == ANTICIPATION:
        options["anticipation"] = pd.Timedelta(days=1)
    return one(case, **options)


def harder(name: str, i: int) -> Answer | str:
    """Make and measure one series of the harder sets."""
    case = measured_sets.case(name, i)
    window = Window(case.start, case.start + pd.Timedelta(hours=4))
    known = [Window(*event) for event in case.known]
    try:
        told, seconds = timed(case.counts, window, horizon=pd.Timedelta(days=measured_sets.AFTER), known=known)
    except CannotTell as refused:
        return str(refused)
    return Answer(beside(told, case.truth, seconds), False)


def by_step(folder: Path, kind: Kind, i: int) -> dict[str, np.ndarray]:
    """Return truth, ends and 80% ends of every step at 1x and of every running sum: (5, steps) each."""
    case = shared_sets.case(folder, kind, i, 1.0)
    wide, narrow = (timed(case.counts, case.window, horizon=case.horizon, level=level)[0].gap for level in (0.95, 0.8))
    truth = {"extra": case.extra, "cumulative": case.extra.cumsum()}
    return {
        name: np.array([true, *(gap[f"{name}_{end}"] for gap in (wide, narrow) for end in ("low", "high"))])
        for name, true in truth.items()
    }


def scored(truth: np.ndarray, low: np.ndarray, high: np.ndarray, low_80: np.ndarray, high_80: np.ndarray) -> dict:
    """Return coverage, width and score of intervals."""
    return {
        "coverage_95": np.mean((low <= truth) & (truth <= high)),
        "coverage_80": np.mean((low_80 <= truth) & (truth <= high_80)),
        "excludes_zero": np.mean((low > 0) | (high < 0)),
        "mean_width_95": np.mean(high - low),
        "mean_interval_score_95": np.mean(interval_score(truth, low, high, 0.95)),
        "mean_interval_score_80": np.mean(interval_score(truth, low_80, high_80, 0.8)),
    }


def row(name: str, multiple: float, answers: Iterable[Answer | str], target: str, fault: Fault = "none") -> dict:
    """Return one row of the table."""
    answers = list(answers)
    kept = [answer for answer in answers if isinstance(answer, Answer)]
    values = pd.DataFrame([answer.result for answer in kept])
    ends = (values[column].to_numpy() for column in ("truth", "low", "high", "low_80", "high_80"))
    early, event = values["early"].mean(), (values["unmarked"] > 0).mean()
    found = np.mean([answer.found for answer in kept])
    return {
        "set": name,
        "multiple": multiple,
        "n": len(kept),
        "refused": len(answers) - len(kept),
        **scored(*ends),
        "says_early": early,
        "says_event": event,
        "share_said": {"none": np.nan, "late": early, "unmarked": found}[fault],
        "share_said_where": np.nan if fault == "none" else found,
        "cpu_s_median": values["seconds"].median(),
        "cpu_s_max": values["seconds"].max(),
        "target": target,
    }


def several(folder: Path, kind: Kind, count: int, multiple: float, fault: Fault = "none", given: str = "") -> list:
    """Measure the first series of a shared set."""
    return list(Parallel()(delayed(shared)(folder, kind, i, multiple, fault, given) for i in range(count)))


def plain_rows(folder: Path, kind: Kind, series: int, more: int = MORE) -> tuple[list[dict], dict[str, list]]:
    """Measure a shared set as it is.

    Returns
    -------
    rows : one a multiple, with controls, of more series, of single steps and running sums.
    at_none : answers at 1x by what was given, in the order of the series; for the table of peers.
    """
    rows = []
    at_none = {given: several(folder, kind, series, 1.0, given=given) for given in ("", "controls")}
    for multiple in shared_sets.MULTIPLES:
        none = multiple == 1
        answers = at_none[""] if none else several(folder, kind, series, multiple)
        rows.append(row(f"shared {kind}", multiple, answers, AT_NONE if none else SHARED))
    rows.append(row(f"shared {kind}, with controls", 1.0, at_none["controls"], ""))
    if more > 1:
        answers = several(folder, kind, more * series, 1.0)
        rows.append(row(f"shared {kind}, {more} times the series", 1.0, answers, ""))
    steps = list(Parallel()(delayed(by_step)(folder, kind, i) for i in range(series)))
    for name, what in (("extra", "each step"), ("cumulative", "each running sum")):
        values = scored(*np.hstack([one_series[name] for one_series in steps]))
        rows.append({"set": f"shared {kind}, {what}", "multiple": 1.0, "n": series, "refused": 0, **values})
    return rows, at_none


def fault_rows(folder: Path, kind: Kind, series: int) -> list[dict]:
    """Measure a shared set with each of the two faults."""
    rows = []
    for fault, words in (("late", LATE), ("unmarked", "unmarked surge in the past")):
        for multiple in AT_FAULTS:
            rows.append(
                row(f"shared {kind}, {words}", multiple, several(folder, kind, series, multiple, fault), FAULTS, fault)
            )
    for multiple in AT_FAULTS:
        answers = several(folder, kind, series, multiple, "late", ANTICIPATION)
        rows.append(row(f"shared {kind}, {LATE}, {ANTICIPATION} given", multiple, answers, ""))
    return rows


def harder_rows(series: int, names: Iterable[str] = tuple(measured_sets.SETS)) -> list[dict]:
    """Measure the harder sets."""
    answers = {name: list(Parallel()(delayed(harder)(name, i) for i in range(series))) for name in names}
    return [row(name, measured_sets.MULTIPLE, found, HARDER) for name, found in answers.items()]


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Shares to three places, people to four digits."""
    table = table.copy()
    for column in table.columns[table.columns.str.contains("width|score")]:
        table[column] = [float(f"{value:.4g}") for value in table[column]]
    return table.round(3)


def main() -> int:
    """Measure and write the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=shared_sets.FOLDER)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    wanted = parser.parse_args()
    folder = wanted.shared.resolve()
    try:
        for name in ("make_series", "reference"):
            shared_sets.script(folder, name)
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 1
    rows, answers = [], {}
    with parallel_config("loky", n_jobs=wanted.jobs, inner_max_num_threads=1):
        for kind in KINDS:
            plain, at_none = plain_rows(folder, kind, wanted.series)
            rows += plain
            answers |= {(kind, given): found for given, found in at_none.items()}
        for kind in KINDS:
            rows += fault_rows(folder, kind, wanted.series)
        rows += harder_rows(4 * wanted.series)
        beside_others = peers(folder, answers, wanted.series)
    for name, made in (("measured_honesty", pd.DataFrame(rows)), ("measured_peers", beside_others)):
        rounded(made).to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")
        print(rounded(made).drop(columns="target", errors="ignore").to_string(index=False), end="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
