"""Take the README's picture out of the 2014 report: run `make reports` first, then `python bench/picture.py`."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat

REPORTS = Path(__file__).parents[1] / "reports"
OUTAGE = "whatsapp-2014-02-22"


def main() -> None:
    """Write the first figure of the executed notebook as PNG."""
    notebook = nbformat.read(REPORTS / "03_adoption_after_outage" / f"{OUTAGE}.ipynb", as_version=4)
    outputs = (output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs)
    first = next(output.data["image/png"] for output in outputs if "image/png" in output.get("data", {}))
    place = REPORTS / "pictures" / f"{OUTAGE}.png"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(base64.b64decode(first))


if __name__ == "__main__":
    main()
