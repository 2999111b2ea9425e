"""How long a panel takes, how much memory, and how much a second Dask worker helps.

    python bench/panel_speed.py [--series 20000] [--dask-series 1000]

Writes bench/panel_speed.csv, one row a measure with its limit. A Parquet file of simulated daily series of 400 days,
of few and of many people, is measured by `adoption panel` on two cores; memory is the proportional set size (PSS)
of the command and its workers together, read ten times a second, the reading of the file included. Some of the series
are measured again on a Dask scheduler with one and with two workers of one thread. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client

from helpers.measured.window import Window
from helpers.panel.measure_all import measure_panel

HERE = Path(__file__).parent
STEPS, BEGIN, JOBS = 400, 365, 2
DAYS = pd.date_range("2023-01-01", periods=STEPS, freq="D", tz="UTC")
OUTAGE = Window(DAYS[BEGIN], DAYS[BEGIN] + pd.Timedelta(hours=6))
#: People a day, by turns.
SIZES = (3.0, 30.0, 300.0, 3000.0, 30_000.0)
LIMITS = {"minutes": 30.0, "GB": 1.0, "ratio": 1.7}
PIECE = 1000


def series(first: int, count: int) -> pd.DataFrame:
    """Long table of some of the series; every tenth one doubles, at first, after the outage."""
    random = np.random.default_rng([5, first])
    numbers = np.arange(first, first + count)
    size = np.array(SIZES)[numbers % len(SIZES)] * np.exp(random.normal(0, 0.3, count))
    drift = np.cumsum(random.normal(0, 0.02, (count, STEPS)), axis=1)
    mean = size[:, None] * np.exp(0.2 * np.sin(2 * np.pi * np.arange(STEPS) / 7) + drift)
    surge = 1 + 0.5 ** (np.arange(STEPS - BEGIN) / 4)
    mean[numbers % 10 == 0, BEGIN:] *= surge
    counts = random.negative_binomial(100, 100 / (100 + mean))
    return pd.DataFrame(
        {
            "series": pd.Categorical.from_codes(np.repeat(np.arange(count), STEPS), [f"s{n:05}" for n in numbers]),
            "time": np.tile(DAYS, count),
            "count": counts.ravel(),
        }
    )


def write(path: Path, count: int) -> None:
    """Write the long table piece by piece."""
    schema = pa.schema({"series": pa.string(), "time": pa.timestamp("us", tz="UTC"), "count": pa.int64()})
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, count, PIECE):
            piece = series(first, min(PIECE, count - first)).astype({"series": "str"})
            writer.write_table(pa.Table.from_pandas(piece, schema, preserve_index=False))


def tree(root: int) -> list[int]:
    """Process and its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # gone in the meantime
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def proportional(processes: list[int]) -> int:
    """Bytes that processes hold, memory that several share counted once."""
    total = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


class Peak:
    """Most memory of a process and its descendants while it runs."""

    def __init__(self, root: int) -> None:
        self.most, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self.watch, args=(root,))
        self.thread.start()

    def watch(self, root: int) -> None:
        while not self.ended.wait(0.1):
            self.most = max(self.most, proportional(tree(root)))

    def end(self) -> int:
        self.ended.set()
        self.thread.join()
        return self.most


def on_this_machine(count: int, folder: Path) -> list[tuple[str, float, float]]:
    """Minutes and memory of the command."""
    source = folder / "panel.parquet"
    write(source, count)
    outage = f"{OUTAGE.start:%Y-%m-%dT%H:%M}/{OUTAGE.end:%Y-%m-%dT%H:%M}"
    command = [sys.executable, "-m", "helpers", "panel", str(source), "--outage", outage, "--jobs", str(JOBS)]
    began = time.perf_counter()
    with subprocess.Popen([*command, "--to", str(folder / "out.parquet")]) as process:
        peak = Peak(process.pid)
        code = process.wait()
        seconds, most = time.perf_counter() - began, peak.end()
    if code:
        raise SystemExit(f"adoption panel ended with {code}")
    measured = (pd.read_parquet(folder / "out.parquet", columns=["status"])["status"] == "measured").mean()
    return [
        (f"{count} daily series on {JOBS} cores: minutes", seconds / 60, LIMITS["minutes"]),
        (f"{count} daily series on {JOBS} cores: GB at the most", most / 1e9, LIMITS["GB"]),
        (f"{count} daily series: share measured (at least)", float(measured), 0.99),
    ]


def on_a_cluster(count: int, folder: Path) -> list[tuple[str, float, float]]:
    """Seconds with one worker over seconds with two; each warmed up by a few series."""
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    dask = [sys.executable, "-m"]
    place = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]
    running = [subprocess.Popen([*dask, "distributed.cli.dask_scheduler", "--port", "0", *place], **quiet)]
    try:
        while not file.exists():
            time.sleep(0.1)
        seconds = []
        for workers in (1, 2):
            one = [*dask, "distributed.cli.dask_worker", "--nthreads", "1", "--memory-limit", "0", *place]
            running.append(subprocess.Popen(one, **quiet))
            with Client(scheduler_file=str(file), timeout=60, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=60)
                address = client.scheduler.address
            measure_panel(series(0, 100), [OUTAGE], cluster=address)
            seconds.append(measure_panel(series(0, count), [OUTAGE], cluster=address).seconds)
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()
    return [
        (f"{count} daily series, one Dask worker over two: ratio (at least)", seconds[0] / seconds[1], LIMITS["ratio"])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--dask-series", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = on_this_machine(options.series, Path(name)) + on_a_cluster(options.dask_series, Path(name))
    table = pd.DataFrame(rows, columns=["measure", "value", "limit"])
    table.to_csv(HERE / "panel_speed.csv", index=False, float_format="%.3f")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
