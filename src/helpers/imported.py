"""The helpers that a notebook imports, and what those import: a change of any other leaves its report as it is."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from helpers import results

HERE = Path(__file__).parent
#: What makes the page of any report.
PAGE = ("helpers.report", "helpers.render")
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(helpers(?:\.\w+)*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)|import[ \t]+(helpers(?:\.\w+)*))",
    re.M,
)


def files(notebook: Path) -> list[Path]:
    """Return the files of helpers behind a notebook, sorted; imports inside functions count as well.

    Parameters
    ----------
    notebook : Path
        Of the source notebook.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return sorted(_closure([*_imports(code), *PAGE]))


def _closure(names: Iterable[str]) -> set[Path]:
    found: set[Path] = set()
    waiting = [path for name in names for path in _paths(name)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [near for name in _of_file(path, results.state([path])) for near in _paths(name)]
    return found


@lru_cache(maxsize=1024)
def _of_file(path: Path, unchanged: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(_imports(path.read_text(encoding="utf-8")))


def _imports(code: str) -> Iterator[str]:
    """Yield the names of our modules that code imports; of `from a import b` both a and a.b.

    By a pattern: two hundred files are read before a report that has not changed is left alone, and a syntax tree of
    each would take seconds. A line in a text that looks like an import counts as well, which does no harm.
    """
    for module, names, plain in _IMPORT.findall(code):
        yield module or plain
        yield from (f"{module}.{name}" for name in re.findall(r"\w+", names))


@lru_cache(maxsize=4096)
def _paths(name: str) -> tuple[Path, ...]:
    """Return the files of a module of helpers and of the packages it is in; none for what is no module of ours."""
    first, *rest = name.split(".")
    if first != "helpers":
        return ()
    place, made = HERE, [HERE / "__init__.py"]
    for part in rest:
        place = place / part
        made += [path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()]
    return tuple(made)
