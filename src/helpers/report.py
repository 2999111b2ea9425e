"""From parameters to a report: check, run the notebook, make the page, put everything in place at once.

A report is three files: ``<slug>.html``, the executed ``<slug>.ipynb`` and ``<slug>.json``.
Libraries that take long to load are loaded only when something has to be rendered.
"""

import csv
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers import declared, failed_cell, fingerprint, params, results, steady, together
from helpers.models import NOTEBOOKS

NOTEBOOKS_DIR = params.ROOT / "notebooks"
OUT_DIR = params.ROOT / "reports"
MAIN = "03_adoption_after_outage"
TIMEOUT = 600.0
#: What a report is about takes this much of its file's name at the most, in characters.
LONGEST_NAME = 80


class ReportError(RuntimeError):
    """A report that could not be made; the message says where and why."""


@dataclass(frozen=True)
class Job:
    """One report to make, with parameters already checked.

    Attributes
    ----------
    notebook : Path
        Source notebook.
    parameters : dict
        All parameters, as the model gives them.
    changed : dict
        Those that differ from their defaults.
    subject : str
        What it is about, as its file's name begins.
    place, fingerprint : results.Place, str
        Where the report goes; hash of all that it depends on.
    data, data_given : Path, bool
        Folder of the evidence tables, and whether somebody asked for it.
    timeout, kernel : float, str
        Seconds that one cell may take; name of the Jupyter kernel.
    """

    notebook: Path
    parameters: dict[str, Any]
    changed: dict[str, Any]
    subject: str
    place: results.Place
    fingerprint: str
    data: Path
    data_given: bool = False
    timeout: float = TIMEOUT
    kernel: str = "python3"

    @property
    def slug(self) -> str:
        """Name of the report."""
        return self.place.slug


@dataclass(frozen=True)
class Outcome:
    """What became of a job: ``made``, ``unchanged`` or ``failed``, with the reason."""

    job: Job
    status: str
    seconds: float = 0.0
    message: str = ""


def plan(
    notebook: str | Path,
    parameters: Mapping[str, Any] | None = None,
    out_dir: Path | None = None,
    evidence_dir: Path | None = None,
    timeout: float = TIMEOUT,
    kernel_name: str = "python3",
) -> Job:
    """Check the parameters of a report and say where it goes; nothing is run.

    Raises
    ------
    ParameterError
        If the notebook or a parameter cannot be used.
    EvidenceError
        If the tables are too broken to look up an outage.
    """
    name = params.resolve(str(notebook))
    path = Path(notebook) if str(notebook).endswith(".ipynb") else NOTEBOOKS_DIR / f"{name}.ipynb"
    data = params.evidence_folder(evidence_dir).resolve()
    model = params.check(name, parameters or {}, known(data))
    if not path.is_file():
        raise ReportError(f"{path}: no such notebook")
    declared.check_declared(path, NOTEBOOKS[name])
    changed = model.changed()
    subject = model.subject()
    rest = {key: value for key, value in changed.items() if key not in model.SUBJECT or len(subject) > LONGEST_NAME}
    slug = subject[:LONGEST_NAME] + (f"--{results.sha(results.stable_json(rest))[:8]}" if rest else "")
    values = model.model_dump()
    with _broken_tables_told(data):
        made_of = fingerprint.fingerprint(path, name, model, values, data)
    return Job(
        notebook=path.resolve(),
        parameters=values,
        changed=changed,
        subject=subject[:LONGEST_NAME],
        place=results.Place((out_dir or OUT_DIR).resolve() / name, slug),
        fingerprint=results.sha(kernel_name + made_of),
        data=data,
        data_given=evidence_dir is not None,
        timeout=timeout,
        kernel=kernel_name,
    )


@contextmanager
def _broken_tables_told(data: Path) -> Iterator[None]:
    """Say what is broken in the tables where they cannot be read."""
    try:
        yield
    except params.ParameterError:
        raise
    except (OSError, LookupError, ValueError, csv.Error):
        check_tables(data)
        raise


def known(data: Path) -> params.Known:
    """Return the ids in the tables of a folder.

    Raises
    ------
    EvidenceError
        If the tables are too broken to be read.
    """
    with _broken_tables_told(data):
        return params.known_in(data)


def check_tables(data: Path, reports: Path | None = None) -> None:
    """Refuse broken tables; those that a report in the folder `reports` was made of need no second check.

    Raises
    ------
    EvidenceError
        If `helpers.evidence.check` finds anything; the error holds the whole list.
    """
    made_of = (_manifest(path).get("tables") for path in (reports.glob("*.json") if reports else ()))
    if tables_hash(data) in made_of:
        return
    from helpers import evidence

    evidence.load(data)


def tables_hash(data: Path) -> str:
    """Return a hash of the tables and of the code that checks them."""
    here = Path(__file__).parent
    files = [*sorted(data.glob("*.csv")), *(here / f"{name}.py" for name in ("evidence", "raw_table", "schemas"))]
    return results.sha("\n".join(results.sha(path.read_bytes()) for path in files))


def is_fresh(job: Job) -> bool:
    """Say whether the report in its place is whole and would come out the same."""
    manifest, page = _manifest(job.place.file("json")), job.place.file("html")
    if manifest.get("fingerprint") != job.fingerprint or not job.place.file("ipynb").is_file():
        return False
    return page.is_file() and manifest.get("page_sha256") == results.sha(page.read_bytes())


def _manifest(path: Path) -> dict[str, Any]:
    """Read a report's record; one that is not there, or not whole, is empty."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def render(
    notebook: str | Path,
    parameters: Mapping[str, Any] | None = None,
    out_dir: Path | None = None,
    evidence_dir: Path | None = None,
    force: bool = False,
    progress: bool = False,
    kernel_name: str = "python3",
    timeout: float = TIMEOUT,
) -> Outcome:
    """Make one report in this process, unless nothing has changed since it was made.

    Parameters
    ----------
    notebook, parameters : str or Path, mapping
        Number, name or file of a notebook; parameters by name, those left out take their defaults.
    out_dir, evidence_dir : Path, optional
        Folders of the reports and of the evidence tables.
    force, progress : bool
        Make it even if nothing has changed; show a bar of cells on standard error, if that is a terminal.
    kernel_name, timeout : str, float
        Jupyter kernel to run it in; seconds that one cell may take.

    Raises
    ------
    ParameterError, EvidenceError
        Before anything is run, if a parameter cannot be used or the tables are broken.
    ReportError
        If the notebook fails; the earlier report stays as it was.
    """
    job = plan(notebook, parameters, out_dir, evidence_dir, timeout, kernel_name)
    if not force and is_fresh(job):
        return Outcome(job, "unchanged")
    check_tables(job.data, job.place.folder)
    start = time.monotonic()
    contents = build(job, progress)
    with _unwritable_told(job):
        job.place.put(contents)
    return Outcome(job, "made", time.monotonic() - start)


def build(job: Job, progress: bool = False) -> dict[str, str]:
    """Run the notebook of a checked job and return the report's files, without putting them in place.

    Returns
    -------
    dict of str to str
        Contents by ending, as `Place.put` takes them.

    Raises
    ------
    ReportError
        If the notebook fails or the page may not be published. The notebook as far as it got is kept beside
        the earlier report as ``<slug>.failed.ipynb``.
    """
    place, made = job.place, steady.now()
    together.end_with_parent()
    with _unwritable_told(job):
        place.folder.mkdir(parents=True, exist_ok=True)
        try:
            place.sweep()
            return _contents(job, _execute(job, progress), made)
        except ReportError as error:
            kept, note = place.file("failed.ipynb"), ""
            if _manifest(place.part("ipynb")):  # whole: on a full disk it may not be
                note = f"\n  as far as it got: {short(place.part('ipynb').replace(kept))}"
            raise ReportError(f"{job.notebook.stem}, {job.slug}: {error}{note}") from None
        finally:
            place.sweep()


@contextmanager
def _unwritable_told(job: Job) -> Iterator[None]:
    """Say where something could not be written: a full disk, a folder that nobody may write to."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename or job.place.folder}: {error.strerror or error}"
        raise ReportError(f"{job.notebook.stem}, {job.slug}: {where}; nothing was put in place") from None


def _execute(job: Job, progress: bool) -> Any:
    """Run the notebook with papermill into its temporary file and return it."""
    _load()
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    # The page comes after the kernel: load what makes it while the kernel works.
    threading.Thread(target=_load_page, daemon=True).start()
    with _environment(job):
        try:
            return papermill.execute_notebook(
                _literal(job.notebook),
                _literal(job.place.part("ipynb")),
                job.parameters,
                kernel_name=job.kernel,
                progress_bar={"desc": job.slug, "disable": None} if progress else False,
                execution_timeout=job.timeout,
                # It would warn that the connection is not encrypted, which never leaves the machine.
                extra_arguments=["--Application.log_level=40"],
                shutdown_kernel="immediate",  # all is said and done; asking it to leave takes half a second
            )
        except PapermillExecutionError as error:
            cell = failed_cell.named(error.cell_index, error.source, job.notebook)
            raise ReportError(f"{cell} failed: {error.ename}: {failed_cell.brief(error.evalue)}") from None
        except CellTimeoutError:
            raise ReportError(f"{_running(job)} took longer than {job.timeout:g} s") from None
        except DeadKernelError:
            raise ReportError(f"{_running(job)} ended its kernel (out of memory, perhaps)") from None
        except OSError:
            raise
        except Exception as error:
            # No such kernel, a kernel that never starts: rare, and each says itself what it is.
            reason = f"{type(error).__name__}: {failed_cell.brief(str(error))}"
            raise ReportError(f"the notebook could not be run: {reason}") from error


def _literal(path: Path) -> str:
    """Keep papermill from filling in braces of a path."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _contents(job: Job, executed: Any, made: datetime) -> dict[str, str]:
    """Return the three files by their endings, the record last: it says that the others are there."""
    import nbformat

    from helpers import render as html

    folder = job.data if job.data_given else None
    try:
        record = results.read(executed)
        if (record.notebook, record.parameters) != (job.notebook.stem, job.parameters):
            raise results.ResultError(
                f"the record is of {record.notebook} with {record.parameters}, "
                f"expected {job.notebook.stem} with {job.parameters}"
            )
        subject = NOTEBOOKS[record.notebook].SUBJECT
        again = results.commands(record.notebook, job.parameters, job.changed, folder, subject)
        page = html.page(executed, record, made, again)
    except (results.ResultError, html.PageError) as error:
        raise ReportError(f"no report: {error}") from None
    # Where it was made is nobody's business who gets it by mail.
    names = {"input_path": job.notebook.name, "output_path": job.place.file("ipynb").name}
    executed.metadata.papermill.update(names)
    steady.without_chance(executed, made)
    manifest = {
        **record.model_dump(mode="json"),
        "fingerprint": job.fingerprint,
        "subject": job.subject,
        "tables": tables_hash(job.data),
        "made": made.isoformat(),
        "page_sha256": results.sha(page),
    }
    source = nbformat.writes(executed)  # type: ignore[no-untyped-call]
    return {"html": page, "ipynb": f"{source}\n", "json": results.stable_json(manifest)}


def short(path: Path) -> str:
    """Write a path as somebody in the working folder would type it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _load() -> None:
    """Load papermill, without the 0.7 s that one optional check of addresses takes to set itself up."""
    missing = "rfc3987_syntax"
    if "jsonschema" not in sys.modules and missing not in sys.modules:
        sys.modules[missing] = None  # type: ignore[assignment]
        try:
            import jsonschema  # type: ignore[import-untyped] # noqa: F401
        finally:
            del sys.modules[missing]
    import papermill  # noqa: F401


def _load_page() -> None:
    from helpers import render as html

    html.load()


@contextmanager
def _environment(job: Job) -> Iterator[None]:
    """Set what the kernel inherits: where the tables are, and one thread for each report."""
    wanted = {
        "ADOPTION_DATA": str(job.data),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _running(job: Job) -> str:
    return failed_cell.started(job.place.part("ipynb"), job.notebook)
