"""What a report depends on, as one hash: it is made again when that has changed, and left alone otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers import imported, inputs, params, results, uses
from helpers.models import Parameters

#: Folders beside the tables that a notebook reads: the kept rule across outages, the simulated examples.
BESIDE = {
    "03_adoption_after_outage": "derived",
    "06_across_outages": "derived",
    "07_next_outage": "derived",
    "04_measured_signups": "simulated",
    "05_who_gained": "simulated",
}


def fingerprint(notebook: Path, name: str, model: Parameters, values: Mapping[str, Any], data: Path) -> str:
    """Return a hash of all that a report is made of.

    The notebook's source, its parameters, the rows of evidence it uses, the helpers it imports, the page's templates,
    the packages of the lock file, and the files that parameters name.

    Parameters
    ----------
    notebook, name : Path, str
        Its file, and the whole name by which its parameters are known.
    model, values : Parameters, mapping
        Its parameters, as checked.
    data : Path
        Folder of the evidence tables.
    """
    here = Path(__file__).parent
    files = [*imported.files(notebook), *sorted((here / "templates").rglob("*.*"))]
    files += [*params.ROOT.glob("requirements.lock"), *_beside(name, data), *inputs.files(name, model)]
    rows = uses.digest(name, values, data)
    return results.sha(results.stable_json([values, rows, results.digest(notebook, files)]))


def _beside(name: str, data: Path) -> list[Path]:
    folder = BESIDE.get(name, "")
    own = data / folder if (data / folder).is_dir() else params.ROOT / "data" / folder
    return sorted(path for path in own.iterdir() if path.is_file() and path.name[0] != ".") if folder else []
