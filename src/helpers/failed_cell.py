"""Which cell of a notebook failed, in words for who asked for the report."""

import json
from pathlib import Path


def started(part: Path, notebook: Path) -> str:
    """Name the cell that was running: the last one with a time of start."""
    cells = json.loads(part.read_text(encoding="utf-8"))["cells"]
    times = [cell["metadata"].get("papermill", {}).get("start_time") for cell in cells]
    last = max((number for number, when in enumerate(times) if when), default=0)
    return named(last, "".join(cells[last]["source"]), notebook)


def named(index: int, source: str, notebook: Path) -> str:
    """Name a cell of the executed notebook by its number in the source and its first line of code."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = [n for n, cell in enumerate(cells) if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if tagged and index == tagged[0] + 1:
        return "the cell of injected parameters"
    number = index if tagged and index > tagged[0] else index + 1
    lines = [line.strip() for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]
    return f"cell {number} of {len(cells)} (`{(lines or [''])[0][:80]}`)"


def brief(text: str, lines: int = 12) -> str:
    """Return the first lines of a message."""
    found = text.strip().splitlines()
    return "\n  ".join(found[:lines] + (["..."] if len(found) > lines else [])) or "no message"
