"""Several runs at once: files that belong together are put in place by one run at a time, and none outlives its parent.

The lock is on the folder itself, not on a file in it: nothing is left behind, and the system lets go of it when its
process ends, however it ends.
"""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process puts files into a folder, and hold it while the files of one report are moved.

    Where the system knows no such lock (Windows, some network drives) every file is still whole; only which of two
    runs at the same moment a file is from is then left to chance, and the next run sees it by the record's hash.
    """
    handle = None
    with suppress(ImportError, OSError):
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, if it is one of several workers.

    A worker whose parent was killed would wait for more work for ever; its kernel ends within a second of it.
    """
    parent = multiprocessing.parent_process()
    name = "end with parent"
    if parent is None or any(thread.name == name for thread in threading.enumerate()):
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name=name, daemon=True).start()
