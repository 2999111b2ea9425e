"""What a report leaves behind: a typed record that the last cell of every notebook emits."""

import hashlib
import json
import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from helpers import together

MIME = "application/vnd.adoption.result+json"
PACKAGES = ("numpy", "pandas", "scipy", "statsmodels", "adoption")


class ResultError(ValueError):
    """A notebook without exactly one readable result record."""


class Estimate(BaseModel):
    """One number with its interval.

    Attributes
    ----------
    service : str
        Id of the service it is about.
    quantity : str
        Fixed name: ``extra_users``, ``peak_rate``, ``half_life``, ``baseline_rate``, ...
    unit : str
        Unit of the three numbers.
    median, low, high : float
        Centre and ends of the interval.
    level : float
        Probability that the interval holds, between 0 and 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    service: str
    quantity: str
    unit: str
    median: float
    low: float
    high: float
    level: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> "Estimate":
        if not self.low <= self.median <= self.high:
            raise ValueError(f"low {self.low} <= median {self.median} <= high {self.high} does not hold")
        return self


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that make the numbers, without importing them."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


class Record(BaseModel):
    """The results of one report.

    Attributes
    ----------
    notebook, title, headline : str
        Name of the notebook; the question it asks; the answer in a sentence with its range.
    outage_id : str
        The outage it is about; empty if it is about none.
    parameters : dict
        All parameters, as checked.
    evidence_ids : list of str
        Ids of the rows of evidence that were used.
    estimates : list of Estimate
        Main numbers first.
    diagnostics : dict
        How well the fit went; no NaN, no infinity.
    versions : dict of str to str
        Python and packages.
    data_hash : str
        Hash of the evidence tables.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    notebook: str
    title: str = Field(min_length=1)
    headline: str = Field(min_length=1)
    outage_id: str = ""
    parameters: dict[str, Any]
    evidence_ids: list[str]
    estimates: list[Estimate]
    diagnostics: dict[str, Any] = {}
    versions: dict[str, str] = Field(default_factory=versions)
    data_hash: str


def stable_json(value: Any) -> str:
    """Return JSON that is the same for the same content: sorted keys, floats to 10 significant digits.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return json.dumps(_rounded(value), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


class Emitted:
    """A record on display: text for the reader of the notebook, JSON for the report."""

    def __init__(self, record: Record) -> None:
        """Keep the record."""
        self.record = record

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        content = json.loads(stable_json(self.record.model_dump(mode="json")))
        return {MIME: content, "text/plain": repr(self)}

    def __repr__(self) -> str:
        """Return the headline and the estimates."""
        lines = [
            f"{item.service}: {item.quantity} {item.low:.4g} to {item.high:.4g} {item.unit}"
            for item in self.record.estimates
        ]
        return "\n".join([self.record.headline, *lines])


def emit(record: Record) -> Emitted:
    """Return what the last cell of a notebook shows, so that the report can read the record from it."""
    return Emitted(record)


def read(notebook: Mapping[str, Any]) -> Record:
    """Read the record from the last code cell of an executed notebook.

    Parameters
    ----------
    notebook : mapping
        The notebook as nbformat (or json) reads it.

    Raises
    ------
    ResultError
        If that cell emits no record, more than one, or one that is not whole.
    """
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    outputs = code[-1].get("outputs", []) if code else []
    found = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
    if len(found) != 1:
        raise ResultError(
            f"the last code cell emits {len(found) or 'no'} result record{'s' if len(found) > 1 else ''}, "
            "expected results.emit(record)"
        )
    try:
        return Record.model_validate(found[0])
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ResultError(f"the result record is not whole: {faults}") from None


def commands(
    notebook: str,
    parameters: Mapping[str, Any],
    changed: Mapping[str, Any],
    data: Path | None = None,
    subject: Sequence[str] = ("outage_id",),
) -> dict[str, str]:
    """Return the lines that make a report again.

    Parameters
    ----------
    notebook : str
        Name of the notebook.
    parameters, changed : mapping
        All parameters, and those that differ from their defaults.
    data : Path, optional
        Folder of the evidence tables, if it is not the project's own.
    subject : sequence of str
        Parameters that say what the report is about: they are always written out.

    Returns
    -------
    dict of str to str
        Name of the command -> the line to type.
    """
    given = [word for name, value in changed.items() for word in ("-p", name, _as_typed(value))]
    about = [word for name in subject if parameters[name] for word in (flag(name), _as_typed(parameters[name]))]
    rest = [word for name, value in changed.items() if name not in subject for word in ("-p", name, _as_typed(value))]
    adoption = ["adoption", "report", notebook.partition("_")[0], *about, *rest]
    papermill = ["papermill", f"notebooks/{notebook}.ipynb", "out.ipynb", *given]
    if data is None:
        return {"adoption": shlex.join(adoption), "papermill": shlex.join(papermill)}
    return {
        "adoption": shlex.join([*adoption, "--data", data.name]),
        "papermill": f"ADOPTION_DATA={shlex.quote(data.name)} {shlex.join(papermill)}",
    }


def flag(name: str) -> str:
    """Return a parameter's option of the command: --outage for outage_id, --horizon-hours for horizon_hours."""
    return f"--{name.removesuffix('_id').replace('_', '-')}"


def _as_typed(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, dict):
        return ",".join(f"{name}={number:.15g}" for name, number in value.items())
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def digest(notebook: Path, files: Sequence[Path]) -> str:
    """Return a hash of a notebook's source, of files and of Python's version.

    Take it before the notebook runs: what changes meanwhile is a change. Its outputs do not count.
    """
    return _digest(notebook, tuple(files), state([notebook, *files]))


@lru_cache(maxsize=4)
def _digest(notebook: Path, files: tuple[Path, ...], state: tuple[object, ...]) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = [[c["cell_type"], "".join(c["source"]), c.get("metadata", {}).get("tags", [])] for c in cells]
    parts = [stable_json([source, list(sys.version_info[:3])])]
    parts += [f"{path.name} {sha(path.read_bytes())}" for path in files]
    return sha("\n".join(parts))


def state(files: Iterable[Path]) -> tuple[object, ...]:
    """Return what changes when one of the files is changed, without reading them."""
    states = ((path, path.stat()) for path in sorted(files))
    return tuple((path, found.st_mtime_ns, found.st_size) for path, found in states)


def sha(content: bytes | str) -> str:
    """Return the SHA-256 of bytes, or of text in UTF-8, as hexadecimal digits."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


@dataclass(frozen=True)
class Place:
    """Where one report stands: a folder and how the names of its files start.

    The files are made under other names beside their places and moved there when all is well, so that an
    earlier report stays whole until then.
    """

    folder: Path
    slug: str

    def file(self, ending: str) -> Path:
        """Return the place of one of the report's files."""
        return self.folder / f"{self.slug}.{ending}"

    def part(self, ending: str) -> Path:
        """Return where a file is made before it is moved; the process id keeps two runs apart."""
        return self.folder / f".{self.slug}.{os.getpid()}.part.{ending}"

    def put(self, contents: Mapping[str, str]) -> None:
        """Write files by their endings, then move all to their places in the order given.

        The notebook of an earlier failure is past, and so is what was printed of an earlier page. Two runs do not mix:
        the files that stand there in the end are of one of them.
        """
        try:
            for ending, text in contents.items():
                self.part(ending).write_text(text, encoding="utf-8", newline="\n")
            with together.alone(self.folder):
                for ending in contents:
                    self.part(ending).replace(self.file(ending))
                for past in ("failed.ipynb", "pdf"):
                    self.file(past).unlink(missing_ok=True)
        except OSError as error:  # the disk is full, for example: what was written of it only takes room
            for ending in contents:
                self.part(ending).unlink(missing_ok=True)
            error.filename = error.filename or str(self.folder)  # writing, unlike opening, does not say where
            raise

    def sweep(self) -> None:
        """Remove what this run, and runs that were killed, have left unfinished."""
        for path in self.folder.glob(f".{self.slug}.*.part.*"):
            owner = path.name.removeprefix(f".{self.slug}.").partition(".")[0]
            if owner == str(os.getpid()) or not _runs(owner):
                path.unlink(missing_ok=True)


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return True
    return True
