"""Reports that follow what they are made of: once a second a look at the files, and another round when one changed."""

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from helpers import params, report
from helpers.fingerprint import BESIDE
from helpers.uses import TABLES

#: Time and size of each file; None where there is none.
Seen = Mapping[Path, tuple[int, int] | None]
EVERY = 1.0


def files(data: Path, more: Iterable[Path] = ()) -> list[Path]:
    """Return all that any report may depend on: too much is no harm, as each round makes only what has changed.

    Parameters
    ----------
    data : Path
        Folder of the evidence tables.
    more : iterable of Path
        Files that parameters name.
    """
    here = Path(__file__).parent
    found = [data / f"{table}.csv" for table in TABLES]
    for beside in sorted(set(BESIDE.values())):
        for folder in (data / beside, params.ROOT / "data" / beside):
            found += [path for path in folder.glob("*") if path.is_file() and path.name[0] != "."]
    found += [*report.NOTEBOOKS_DIR.glob("*.ipynb"), *here.rglob("*.py"), *(here / "templates").rglob("*.*")]
    return sorted({*found, params.ROOT / "requirements.lock", *more})


def look(paths: Iterable[Path]) -> Seen:
    """Return what changes with any of the files, without reading them."""
    return {path: _state(path) for path in paths}


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:  # an editor moves the new file into its place: for a moment there is none
        return None
    return found.st_mtime_ns, found.st_size


def watch(
    again: Callable[[], object],
    paths: Callable[[], Iterable[Path]],
    say: Callable[[str], object],
    every: float = EVERY,
) -> None:
    """Make reports, and again whenever a file has changed, until somebody interrupts it.

    Parameters
    ----------
    again : callable
        One round. It says itself what is broken.
    paths : callable
        The files to look at, asked for before every look: new ones count.
    say : callable
        Takes a line about what happens.
    every : float
        Seconds between two looks.

    Raises
    ------
    KeyboardInterrupt
        When somebody presses Ctrl-C.
    """
    with _interrupts() as pressed:
        seen = look(paths())  # before the round: what changes during it is a change
        again()
        say("watching; Ctrl-C ends it")
        while True:
            time.sleep(every)
            if pressed:
                raise KeyboardInterrupt
            now = look(paths())
            changed = sorted(path for path in {*seen, *now} if seen.get(path) != now.get(path))
            if changed:
                seen = now
                say(f"changed: {', '.join(report.short(path) for path in changed[:3])}{' ...' * (len(changed) > 3)}")
                for path in _running(changed):
                    say(f"{report.short(path)} is part of this command as well: start it again for that to count")
                again()


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Keep every Ctrl-C: what a round calls may swallow the exception, as C code that looks for an attribute does."""
    pressed: list[int] = []

    def interrupt(number: int, _: object) -> None:
        pressed.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _running(changed: Iterable[Path]) -> list[Path]:
    """Return the modules among the files that this process runs; reports are made in processes of their own."""
    loaded = {module.__file__ for name, module in list(sys.modules.items()) if name.startswith("helpers")}
    return [path for path in changed if str(path) in loaded]
