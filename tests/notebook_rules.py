"""Rules of every notebook: `python tests/notebook_rules.py notebooks/*.ipynb` prints what breaks them, exit 1."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from statistics import median

import nbformat

MOST_LINES, USUAL_LINES = 12, 4
#: The cell of parameters has a line for each.
MOST_PARAMETERS = 15
PAPERMILL_KEYS = {"papermill", "execution"}


def faults(path: Path) -> list[str]:
    """Everything that breaks a rule in one notebook."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = notebook.cells
    found = []
    code = [cell for cell in cells if cell.cell_type == "code"]
    titles = [
        line
        for cell in cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("# ")
    ]
    if len(titles) != 1 or not cells[0].source.startswith("# "):
        found.append(f"{len(titles)} top headings, expected one, in the first cell")
    elif not titles[0].rstrip().endswith("?"):
        found.append(f"title {titles[0]!r}, expected a question")
    tagged = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1 or code[:1] != tagged:
        found.append("expected the first code cell, and only it, to carry the tag `parameters`")
    for line in tagged[0].source.splitlines() if tagged else []:
        if ":" not in line.split("=")[0] or "#" not in line:
            found.append(f"parameter {line!r}: expected a type and a comment")
    if PAPERMILL_KEYS & set(notebook.metadata):
        found.append("papermill's timings in the metadata, expected them stripped")
    for number, cell in enumerate(cells):
        found += [f"cell {number}: {fault}" for fault in _cell_faults(cell, cells[number - 1] if number else None)]
    lines = [len(cell.source.splitlines()) for cell in code]
    if median(lines or [0]) > USUAL_LINES:
        found.append(f"median of {median(lines):g} lines a code cell, expected at most {USUAL_LINES}")
    return found


def _cell_faults(cell: nbformat.NotebookNode, before: nbformat.NotebookNode | None) -> list[str]:
    found = []
    if PAPERMILL_KEYS & set(cell.metadata):
        found.append("papermill's timings in the metadata, expected them stripped")
    if cell.cell_type != "code":
        return found
    if cell.outputs or cell.execution_count:
        found.append("stored outputs, expected them stripped")
    most = MOST_PARAMETERS if "parameters" in cell.metadata.get("tags", []) else MOST_LINES
    if len(cell.source.splitlines()) > most:
        found.append(f"{len(cell.source.splitlines())} lines, expected at most {most}")
    if any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) for node in ast.walk(ast.parse(cell.source))):
        found.append("defines a function or class, expected it in src/helpers")
    if before is None or before.cell_type != "markdown":
        found.append("no prose before it")
    return found


def main(paths: list[str]) -> int:
    """Check all notebooks; 1 if any breaks a rule."""
    found = [f"{path}: {fault}" for path in paths for fault in faults(Path(path))]
    print("\n".join(found) if found else f"ok: {len(paths)} notebooks")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
