"""The parameters cell of a notebook, held to its model."""

import ast
import json
from pathlib import Path
from typing import Any

from helpers.models import Parameters
from helpers.params import ParameterError


def declared(notebook: Path) -> dict[str, Any]:
    """Return the names and defaults in the parameters cell of a notebook.

    Raises
    ------
    ParameterError
        If there is not exactly one cell tagged ``parameters``, or a default is not a plain value.
    """
    cells = [
        cell
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        if "parameters" in cell.get("metadata", {}).get("tags", [])
    ]
    if len(cells) != 1:
        raise ParameterError(f"{notebook.name}: {len(cells)} cells tagged parameters, expected one")
    found = {}
    for line in ast.parse("".join(cells[0]["source"])).body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value:
            if "|" in ast.unparse(line.annotation):
                # Papermill overlooks the parameter then, and warns that it is unknown.
                raise ParameterError(f"{notebook.name}: {line.target.id}: papermill cannot read a type with |")
            found[line.target.id] = ast.literal_eval(line.value)
        else:
            raise ParameterError(
                f"{notebook.name}: parameters cell: expected `name: type = value`, found `{ast.unparse(line)}`"
            )
    return found


def check_declared(notebook: Path, model: type[Parameters]) -> None:
    """Hold a notebook's parameters cell to its model: the same names, the same defaults.

    Raises
    ------
    ParameterError
        If they differ.
    """
    here, there = declared(notebook), model().model_dump()
    faults = [
        f"  {name}: {here.get(name, 'missing')!r} in the notebook, {there.get(name, 'missing')!r} in the model"
        for name in {**here, **there}
        if (name in here) != (name in there) or here.get(name) != there.get(name)
    ]
    if faults:
        raise ParameterError("\n".join([f"{notebook.name}: parameters cell and model differ", *faults]))
