"""The files that parameters name: a report depends on them, and says before anything runs when one is not there."""

import difflib
from pathlib import Path

from helpers.models import Parameters
from helpers.params import ParameterError


def files(notebook: str, model: Parameters) -> tuple[Path, ...]:
    """Return the files that checked parameters name.

    Raises
    ------
    ParameterError
        If one is not there; the message lists near matches.
    """
    for path in model.files():
        if not path.is_file():
            kind = "that is a folder" if path.is_dir() else "there is none"
            near = difflib.get_close_matches(path.name, [other.name for other in path.parent.glob("*.*")], 3, 0.7)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise ParameterError(f"{notebook}: source: given {str(path)!r}, expected a file: {kind}{hint}")
    return model.files()
