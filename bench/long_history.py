"""Tables as long as a status page's archive, made of the evidence's own rows under new ids."""

from __future__ import annotations

import itertools
from pathlib import Path

from helpers import evidence, store

ROOT = Path(__file__).resolve().parents[1]


def write(folder: Path, incidents: int = 100_000, figures: int = 10_000) -> None:
    """Write five valid tables with so many outages and growth figures into a folder."""
    tables = {name: store.read(ROOT / "data", name) for name in evidence.TABLES}
    for name, key, wanted in (("outages", "outage_id", incidents), ("growth_figures", "figure_id", figures)):
        rows = tables[name]
        # A copy refers to no other row: what it referred to may be a copy as well.
        alone = [row for row in rows if not any(row.get(c) for c in ("confounder_ids", "repeats", "part_of"))]
        copies = itertools.cycle(alone)
        for number in range(wanted - len(rows)):
            row = dict(next(copies))
            row[key] = f"{row[key]}-copy{number}"
            row["note"] = f"{row['note']} (copy {number})".strip()
            rows.append(row)
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_text(store.text(name, rows), encoding="utf-8", newline="")
