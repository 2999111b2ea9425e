"""How long things take: a fit, a measured series, an import, the loader, a report over its notebook's own time,
two notebooks.

    python bench/speed.py [--fresh | --measured]

Writes bench/speed.csv, one row a measure with its limit: medians of RUNS whole processes or fits. With --fresh a
clone of the last commit is set up in an empty home and renders all reports (needs a network); with --measured only
measured series are timed. The other rows of the last run stay. A report takes some ten seconds: of those REPORTS are
made.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import long_history
import numpy as np
import pandas as pd
from measured_sets import WEEK, ar1, negative_binomial
from one_measurement import timed
from simulate import outage

from helpers import sampling
from helpers.measured.window import Window
from helpers.prior import Prior

HERE = Path(__file__).parent
ROOT = HERE.parent
RUNS = 5
REPORTS = 3
FITS = 30
SERIES = 20
NOTEBOOK = "notebooks/03_adoption_after_outage.ipynb"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
FRESH = ("fresh clone: make reports", "fresh clone: make reports again")


def wall(command: list[str], cwd: Path = ROOT, **env: str) -> float:
    """Seconds a whole process takes."""
    began = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=os.environ | ONE_THREAD | env, check=True, capture_output=True)
    return time.perf_counter() - began


def fits() -> list[tuple[str, float, float]]:
    """CPU seconds and effective draws of fits with eight figures; the worst of FITS counts for the draws."""
    seconds, effective = [], []
    for seed in range(FITS):
        model, _ = outage(np.random.default_rng([7, seed]), 8, Prior())
        began = time.process_time()
        drawn = sampling.sample(model.log_likelihood, len(model.names), seed)
        seconds.append(time.process_time() - began)
        effective.append(drawn.effective)
    return [
        ("fit of 8 figures: CPU s, median", median(seconds), 2.0),
        ("fit of 8 figures: CPU s, longest", max(seconds), 2.0),
        ("fit of 8 figures: effective draws, fewest (at least)", min(effective), 1000.0),
    ]


def signups(seed: int, step: str, before: int, after: int) -> tuple[pd.Series, Window]:
    """Simulate sign-ups by the day or hour, 20,000 a day, three times as many for a step after an outage."""
    rng = np.random.default_rng([8, seed])
    times = pd.date_range("2025-01-06", periods=before + after, freq=step, tz="UTC")
    memory = np.exp(-(times[1] - times[0]) / pd.Timedelta(days=10))
    log = np.log(20_000 * (times[1] - times[0]) / pd.Timedelta(days=1)) + np.log1p(0.2 * WEEK[times.day_of_week])
    log = log + 0.6 * np.cos(2 * np.pi * (times.hour.to_numpy() - 15) / 24) * (step == "h")
    log = log + ar1(rng, before + after, memory, 0.023 * np.sqrt(1 - memory**2))
    log = log + np.log(3) * (np.arange(before + after) == before)
    start = times[before]
    counts = negative_binomial(rng, np.exp(log), 0.001)
    return pd.Series(counts, times), Window(start, start + pd.Timedelta(hours=6))


def seconds_of_series(step: str, before: int, after: int) -> list[float]:
    """CPU seconds of SERIES measurements, in this process, after one to warm up."""
    made = [signups(seed, step, before, after) for seed in range(SERIES + 1)]
    return [timed(counts, window)[1] for counts, window in made][1:]


def measured() -> list[tuple[str, float, float]]:
    """CPU seconds of one measured series, calibrated on its placebo dates; in a process of one thread."""
    rows = []
    for name, given, limit in (
        ("one daily series of a year", ("D", 365, 30), 0.15),
        ("one hourly series of 60 days", ("h", 60 * 24, 7 * 24), 0.4),
    ):
        code = f"import speed; print(*speed.seconds_of_series{given})"
        told = subprocess.check_output([sys.executable, "-c", code], cwd=HERE, env=os.environ | ONE_THREAD)
        seconds = [float(word) for word in told.split()]
        rows += [(f"{name}: CPU s, median", median(seconds), limit), (f"{name}: CPU s, longest", max(seconds), limit)]
    return rows


def imports() -> float:
    """Seconds of `import helpers`, inside a new interpreter."""
    code = "import time; t = time.perf_counter(); import helpers; print(time.perf_counter() - t)"
    return median(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(RUNS))


def loader() -> list[tuple[str, float, float]]:
    """Seconds and memory of a new process that reads and checks 100,000 incidents and 10,000 figures."""
    code = (
        "import re, sys, time; t = time.perf_counter(); from helpers import evidence; "
        "evidence.load(sys.argv[1]); print(time.perf_counter() - t); "
        # not getrusage: its maximum begins with that of the process that started this one
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)"
    )
    with tempfile.TemporaryDirectory() as folder:
        long_history.write(Path(folder))
        runs = [subprocess.check_output([sys.executable, "-c", code, folder]).split() for _ in range(RUNS)]
    return [
        ("load 100,000 incidents and 10,000 figures: s, imports included", median(float(s) for s, _ in runs), 3.0),
        ("the same: MB of memory at the most", max(float(m) for _, m in runs), 300.0),
    ]


def own_time(folder: Path) -> float:
    """Seconds of the notebook's own code plus one kernel start, by nbclient's time stamps and a timed start."""
    out = folder / "own.ipynb"
    wall([sys.executable, "-m", "papermill", NOTEBOOK, str(out), "--no-progress-bar"])
    cells = json.loads(out.read_text())["cells"]
    return sum(cell["metadata"]["papermill"].get("duration") or 0 for cell in cells)


def kernel_start() -> float:
    """Seconds from asking for a kernel until it answers."""
    code = (
        "import time; from jupyter_client.manager import start_new_kernel; t = time.perf_counter(); "
        "m, c = start_new_kernel(); print(time.perf_counter() - t); c.stop_channels(); m.shutdown_kernel(now=True)"
    )
    seen = [subprocess.check_output([sys.executable, "-c", code], stderr=subprocess.DEVNULL) for _ in range(RUNS)]
    return median(float(line) for line in seen)


def notebooks() -> list[tuple[str, float, float]]:
    """CPU seconds of the kernel that runs 06 and 07, its start and imports included, and of papermill beside it."""
    code = (
        "import resource as r, sys, papermill; papermill.execute_notebook(*sys.argv[1:], progress_bar=False); "
        "print(*(sum(r.getrusage(who)[:2]) for who in (r.RUSAGE_CHILDREN, r.RUSAGE_SELF)))"
    )
    rows = []
    for name, limit in (("06_across_outages", 60.0), ("07_next_outage", 10.0)):
        seen = []
        for _ in range(REPORTS):
            with tempfile.TemporaryDirectory() as folder:
                given = [f"notebooks/{name}.ipynb", str(Path(folder) / "out.ipynb")]
                told = subprocess.check_output(
                    [sys.executable, "-c", code, *given],
                    cwd=ROOT,
                    env=os.environ | ONE_THREAD,
                    stderr=subprocess.DEVNULL,
                )
                seen.append([float(word) for word in told.split()])
        kernel, beside = (median(one) for one in zip(*seen, strict=True))
        rows += [(f"{name}, its kernel: CPU s", kernel, limit), (f"{name}, papermill beside it: CPU s", beside, np.nan)]
    return rows


def report() -> list[tuple[str, float, float]]:
    """A whole `adoption report` against the time its notebook needs anyway, and a run with nothing changed."""
    adoption = shutil.which("adoption", path=Path(sys.executable).parent)
    assert adoption is not None  # installed with the package
    whole, own = [], []
    start = kernel_start()
    with tempfile.TemporaryDirectory() as folder:
        command = [adoption, "report", "03", "--outage", "whatsapp-2014-02-22", "--out", folder]
        for _ in range(REPORTS):
            own.append(own_time(Path(folder)) + start)
            whole.append(wall([*command, "--force"]))
        again = median(wall(command) for _ in range(RUNS))
        size = max(path.stat().st_size for path in Path(folder).rglob("*.html")) / 1000
    ratio = median(a / b for a, b in zip(whole, own, strict=True))
    return [
        ("report: s", median(whole), np.nan),
        ("its notebook's code and a kernel start: s", median(own), np.nan),
        ("report over that", ratio, 1.3),
        ("report again, nothing changed: s", again, 2.0),
        ("page: kB", size, 600.0),
    ]


def fresh() -> list[tuple[str, float, float]]:
    """A fresh clone with an empty home: `make reports`, twice."""
    with tempfile.TemporaryDirectory() as folder:
        clone, home = Path(folder) / "clone", Path(folder) / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        seconds = [wall(["make", "reports"], cwd=clone, HOME=str(home)) for _ in range(2)]
    return [(f"{name}: s", took, limit) for name, took, limit in zip(FRESH, seconds, (180.0, 2.0), strict=True)]


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--fresh", action="store_true", help="also set up a fresh clone (needs a network)")
    only.add_argument("--measured", action="store_true", help="only measured series")
    wanted = parser.parse_args()
    table = HERE / "speed.csv"
    rows = measured()
    if not wanted.measured:
        rows = [*fits(), *rows, ("import helpers: s", imports(), 0.3), *loader(), *report(), *notebooks()]
    if wanted.fresh:
        rows += fresh()
    made = pd.DataFrame(rows, columns=["measure", "value", "limit"])
    if table.exists():
        before = pd.read_csv(table)
        stays = ~before["measure"].isin(made["measure"])
        if not wanted.measured:
            stays &= before["measure"].str.startswith("fresh")
        made = pd.concat([before[stays], made] if wanted.measured else [made, before[stays]])
    made.to_csv(table, index=False, float_format="%.3f", lineterminator="\n")
    print(made.to_string(index=False))


if __name__ == "__main__":
    main()
