"""Who measures a panel does not change it: two processes, or a Dask scheduler with two worker processes."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from panel_data import HORIZON, OUTAGE, panel

from helpers.panel import machines
from helpers.panel.grid import PanelError
from helpers.panel.measure_all import PanelResult, measure_panel

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed: adoption[cluster]")
SERIES = 40


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return panel(SERIES)


@pytest.fixture(scope="module")
def alone(table: pd.DataFrame) -> PanelResult:
    return measure_panel(table, [OUTAGE], horizon=HORIZON, jobs=1)


class Cluster:
    """A scheduler and workers, each a process of its own on this machine."""

    def __init__(self, folder: Path) -> None:
        self.file, self.log = folder / "scheduler.json", (folder / "log").open("w")
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        self.workers: list[subprocess.Popen[bytes]] = []
        until = time.monotonic() + 60
        while not self.file.exists() and time.monotonic() < until:
            time.sleep(0.05)
        with distributed.Client(scheduler_file=str(self.file), timeout=30, set_as_default=False) as client:
            self.address = client.scheduler.address

    def _start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--scheduler-file", str(self.file), *options]
        return subprocess.Popen(command, stdout=self.log, stderr=self.log, cwd=Path(__file__).parent)

    def add_workers(self, count: int) -> None:
        options = ("--no-nanny", "--nthreads", "1", "--host", "127.0.0.1", "--no-dashboard", "--memory-limit", "0")
        self.workers += [self._start("worker", *options) for _ in range(count)]
        with distributed.Client(self.address, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(len([one for one in self.workers if one.poll() is None]), timeout=60)

    def close(self) -> None:
        # Not politely: a worker that is told to leave asks its scheduler first, which may be gone or just as slow.
        for process in [*self.workers, self.scheduler]:
            process.kill()
        for process in [*self.workers, self.scheduler]:
            process.wait(timeout=30)
        self.log.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield started
    finally:
        started.close()


def assert_same(one: PanelResult, other: PanelResult) -> None:
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    for name in ("observed", "expected", "log_error"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_two_processes_give_the_same_as_one(table: pd.DataFrame, alone: PanelResult) -> None:
    assert_same(measure_panel(table, [OUTAGE], horizon=HORIZON, jobs=2), alone)


def test_one_thread_of_linear_algebra_in_each_process() -> None:
    found: list[Callable[[], str]] = [one for _, one in machines.here(threads, [(0, 0), (1, 1)], jobs=2)]
    assert found == ["1", "1"]


def threads(_: int) -> str:
    import os

    return os.environ["OPENBLAS_NUM_THREADS"]


def test_a_scheduler_without_workers_is_said(
    cluster: Cluster, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "WAIT", 1)
    with pytest.raises(PanelError, match="has no worker"):
        measure_panel(table, [OUTAGE], cluster=cluster.address)


def test_a_cluster_gives_the_same_as_one_process(
    cluster: Cluster, table: pd.DataFrame, alone: PanelResult, tmp_path: Path
) -> None:
    cluster.add_workers(2)
    there = measure_panel(table, [OUTAGE], horizon=HORIZON, cluster=cluster.address, resume=tmp_path)
    assert_same(there, alone)
    # What a cluster has done, one process takes over.
    assert measure_panel(table, [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path).taken_over == SERIES


def test_both_workers_take_part_and_few_tasks_wait(cluster: Cluster) -> None:
    sent: list[int] = []

    def tasks() -> Iterator[tuple[int, float]]:
        for number in range(24):
            sent.append(number)
            yield number, 0.05

    results, most = [], 0
    for _, process in machines.on_cluster(who, tasks(), cluster.address):
        results.append(process)
        most = max(most, len(sent) - len(results))
    assert len(results) == 24
    assert len(set(results)) == 2
    assert most <= 2 * machines.AHEAD


def who(seconds: float) -> int:
    import os
    import time

    time.sleep(seconds)
    return os.getpid()


def test_a_worker_killed_in_the_middle_is_replaced_by_the_other(
    cluster: Cluster, table: pd.DataFrame, alone: PanelResult, tmp_path: Path
) -> None:
    victim, *_ = cluster.workers

    def kill() -> None:
        until = time.monotonic() + 60
        while len(list(tmp_path.glob("part-*"))) < 2 and time.monotonic() < until:
            time.sleep(0.005)
        victim.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    there = measure_panel(table, [OUTAGE], horizon=HORIZON, cluster=cluster.address, resume=tmp_path)
    killer.join()
    assert victim.wait(timeout=30) == -signal.SIGKILL
    assert_same(there, alone)
    assert there.measured_now == SERIES


def test_an_error_of_a_task_comes_back_and_the_client_goes(cluster: Cluster) -> None:
    with pytest.raises(ZeroDivisionError):
        list(machines.on_cluster(reciprocal, [(0, 1.0), (1, 0.0)], cluster.address))


def reciprocal(value: float) -> float:
    return 1 / value


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://here"])
def test_a_cluster_that_is_not_there_is_said_soon(
    address: str, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "WAIT", 1)
    with pytest.raises(PanelError, match=f"no Dask scheduler answers at {address} within 1 seconds"):
        measure_panel(table, [OUTAGE], cluster=address)


def test_without_dask_the_way_to_it_is_said(table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PanelError, match=r"pip install 'adoption\[cluster\]'"):
        measure_panel(table, [OUTAGE], cluster="tcp://127.0.0.1:8786")


def test_a_process_killed_in_the_middle_is_said() -> None:
    with pytest.raises(PanelError, match="was killed, or ran out of memory"):
        list(machines.here(dies, [(number, number) for number in range(4)], jobs=2))


def dies(number: int) -> int:
    import os

    os.kill(os.getpid(), signal.SIGKILL)
    return number
