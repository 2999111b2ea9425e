"""Who does the work: processes of this machine (joblib), or the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from helpers.panel.grid import PanelError

Given = TypeVar("Given")
Made = TypeVar("Made")
#: Seconds to wait for the scheduler, and for its first worker.
WAIT = 5
#: Tasks under way for each thread of the cluster: one at work, the next ones on their way.
AHEAD = 3


def here(work: Callable[[Given], Made], given: Iterable[tuple[int, Given]], jobs: int) -> Iterator[tuple[int, Made]]:
    """Yield number and result of each task, as they come, from processes of this machine.

    Linear algebra runs on one thread in each, so that two processes do not get in each other's way on two cores.

    Raises
    ------
    PanelError
        If a process dies.
    """
    import joblib  # type: ignore[import-untyped]
    from joblib.externals.loky.process_executor import TerminatedWorkerError  # type: ignore[import-untyped]

    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        # Batches are small: sending them is cheaper than files that are shared, and leaves nothing behind.
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, max_nbytes=None)
    try:
        yield from parallel(joblib.delayed(_numbered)(work, number, one) for number, one in given)
    except TerminatedWorkerError as error:
        raise PanelError(
            "a process that measured was killed, or ran out of memory; with --resume what is done is kept: run it again"
        ) from error


def _numbered(work: Callable[[Given], Made], number: int, one: Given) -> tuple[int, Made]:
    return number, work(one)


def on_cluster(
    work: Callable[[Given], Made], given: Iterable[tuple[int, Given]], address: str
) -> Iterator[tuple[int, Made]]:
    """Yield number and result of each task, as they come, from a Dask cluster.

    Only as many tasks are under way as keep its workers busy. A task whose worker dies is given to another one.

    Raises
    ------
    PanelError
        If dask.distributed is not installed, the scheduler cannot be reached, has no worker, or its workers keep
        dying of a task.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise PanelError("a cluster needs dask.distributed: pip install 'adoption[cluster]'") from None
    client = _client(Client, address)
    try:
        waiting = iter(given)
        under_way: Any = as_completed(loop=client.loop, with_results=True)  # type: ignore[no-untyped-call]
        count = 0
        while True:
            room = AHEAD * max(sum(client.nthreads().values()), 1) - count
            for number, one in islice(waiting, max(room, 0)):
                under_way.add(client.submit(_numbered, work, number, one, pure=False))
                count += 1
            if not count:
                return
            _, result = next(under_way)
            count -= 1
            yield result
    except KilledWorker as error:
        raise PanelError(f"the workers of {address} died of one task again and again: {error}") from error
    finally:
        client.close()


def _client(connect: Callable[..., Any], address: str) -> Any:
    try:
        client = connect(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:  # TimeoutError is an OSError
        said = f" ({error})" if isinstance(error, ValueError | ImportError) else ""
        raise PanelError(f"no Dask scheduler answers at {address} within {WAIT} seconds{said}") from None
    try:
        client.wait_for_workers(1, timeout=WAIT)
    except TimeoutError:
        client.close()
        raise PanelError(f"the Dask scheduler at {address} has no worker") from None
    return client
