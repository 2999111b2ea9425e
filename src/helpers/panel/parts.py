"""What is done already, on disk: one Parquet file a batch, named after everything that its numbers depend on.

A file is written under another name and renamed, so that a killed run leaves whole files only. Files of other data,
windows, settings or versions have other names: they are passed over, never mixed in.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

import helpers.measured
from helpers.panel.task import NUMBERS, Batch, Part, Settings

_STEPS = ("observed_steps", "expected_steps", "log_error_steps")


@lru_cache
def code_version() -> str:
    """Return a digest of the code that measures, and the versions of the libraries that do its arithmetic."""
    digest = hashlib.sha256()
    for path in sorted([*Path(helpers.measured.__file__).parent.glob("*.py"), Path(__file__).with_name("task.py")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return " ".join([digest.hexdigest(), *(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas"))])


def key(batch: Batch, settings: Settings) -> str:
    """Return the name of a batch: a digest of its counts and their times, the settings, the code."""
    digest = hashlib.sha256()
    digest.update(f"{settings!r}\0{code_version()}\0".encode())
    for array in (batch.first, batch.offsets, batch.counts):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:40]


def _path(folder: Path, name: str) -> Path:
    return folder / f"part-{name}.parquet"


def save(folder: Path, name: str, part: Part) -> None:
    """Write a part, whole or not at all."""
    columns = {number: pa.array(part.numbers[:, place]) for place, number in enumerate(NUMBERS)}
    columns |= {"early": pa.array(part.early), "code": pa.array(part.code, pa.string())}
    columns |= {"reason": pa.array(part.reason, pa.string())}
    for column, steps in zip(_STEPS, (part.observed, part.expected, part.log_error), strict=True):
        columns[column] = pa.FixedSizeListArray.from_arrays(pa.array(steps.ravel()), steps.shape[1])
    table = pa.table(columns).replace_schema_metadata({"key": name})
    temporary = folder / f".{name}.{os.getpid()}.tmp"
    try:
        pq.write_table(table, temporary)
        temporary.replace(_path(folder, name))
    finally:
        temporary.unlink(missing_ok=True)


def load(folder: Path, name: str, rows: int, steps: int) -> Part | None:
    """Read a part that was done before; None where there is none, or none that can be read."""
    path = _path(folder, name)
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        arrays = [
            np.asarray(table[column].combine_chunks().flatten(), dtype=np.float32).reshape(rows, steps)
            for column in _STEPS
        ]
        numbers = np.column_stack([table[name].to_numpy() for name in NUMBERS])
        early, code, reason = table["early"].to_numpy(), table["code"].to_pylist(), table["reason"].to_pylist()
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None  # measured again, and written over
    if table.num_rows != rows or (table.schema.metadata or {}).get(b"key") != name.encode():
        return None
    return Part(numbers, early, code, reason, *arrays)
