"""One report as one file: page, executed notebook, record, the rows of evidence it uses, and how to make it again.

The tables of a bundle are whole tables with fewer rows: `adoption check` finds nothing wrong with them, and the report
can be made again from them alone.
"""

import csv
import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers import params, report, results, steady, together, uses
from helpers.fingerprint import BESIDE
from helpers.models import NOTEBOOKS
from helpers.schemas import FIELDS

#: Notebooks whose `uses.rows` are rows of their own and parts of others; those without evidence; all others use it all.
SOME = ("02_growth_figures", "03_adoption_after_outage")
NONE = ("04_measured_signups", "05_who_gained")
_README = """{title}
{line}

{headline}

Made {made} with adoption {adoption}, Python {python}.

{slug}.html    the report; opens in any browser, without a network
{slug}.ipynb   the notebook as it ran, with all its code and numbers
{slug}.json    the record: parameters, estimates, versions
{tables}requirements.lock    the packages, with their hashes

To make it again in this folder, with the project's files of that version in CHECKOUT:

    pip install --require-hashes -r requirements.lock
    pip install --no-deps -e CHECKOUT
    adoption check .
    {command}

The numbers come out the same; the record names another hash of the evidence, as this folder holds only the rows that
the report uses.
"""


class BundleError(RuntimeError):
    """A bundle that cannot be made; the message says why."""


def check_target(target: Path) -> None:
    """Refuse a file that cannot be written, before anything is made.

    Raises
    ------
    ParameterError
        If it is a folder, has another ending than .zip, or its folder is not there.
    """
    wrong = ""
    if target.is_dir():
        wrong = "that is a folder"
    elif target.suffix.lower() != ".zip":
        wrong = "it does not end in .zip"
    elif not target.absolute().parent.is_dir():
        wrong = f"there is no folder {target.absolute().parent}"
    if wrong:
        raise params.ParameterError(f"bundle: given {str(target)!r}, expected a file that ends in .zip: {wrong}")


def write(job: report.Job, target: Path) -> Path:
    """Write a bundle of a report that has been made; the same report gives the same bytes.

    Parameters
    ----------
    job : report.Job
        The report, planned after it was made: rows that have changed since are noticed.
    target : Path
        The .zip file; an earlier one stays until the new one is whole.

    Raises
    ------
    ParameterError
        If the file cannot be written there.
    BundleError
        If the report is not whole, or is of other evidence.
    """
    check_target(target)
    contents = _contents(job)
    made = json.loads(contents[f"{job.slug}.json"])["made"]
    when = steady.fixed() or datetime.fromisoformat(made).astimezone(UTC)
    part = target.with_name(f".{target.stem}.{os.getpid()}.part.zip")
    try:
        with zipfile.ZipFile(part, "w") as archive:
            for name in sorted(contents):
                # Nothing of this machine: neither the times of its files nor who may read them.
                entry = zipfile.ZipInfo(name, (max(when.year, 1980), *when.timetuple()[1:6]))
                entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
                archive.writestr(entry, contents[name], compresslevel=9)
        return part.replace(target)
    except OSError as error:
        raise BundleError(f"{target}: {error.strerror or error}; nothing was put in place") from None
    finally:
        part.unlink(missing_ok=True)


def _contents(job: report.Job) -> dict[str, bytes]:
    """Return the files of a bundle by name."""
    with together.alone(job.place.folder):
        if not report.is_fresh(job):
            raise BundleError(f"{job.slug}: no bundle: what it is made of has changed since; make it again")
        found = {f"{job.slug}.{end}": job.place.file(end).read_bytes() for end in ("html", "ipynb", "json")}
    record = json.loads(found[f"{job.slug}.json"])
    tables = rows(job, record["evidence_ids"])
    found |= {f"{table}.csv": _text(table, kept) for table, kept in tables.items()}
    beside = {f"{path.parent.name}/{path.name}": path.read_bytes() for path in _beside(job)}
    model = NOTEBOOKS[record["notebook"]](**job.parameters)
    named = {f"inputs/{path.name}": path.read_bytes() for path in model.files()}
    lock = params.ROOT / "requirements.lock"
    found |= beside | named | ({lock.name: lock.read_bytes()} if lock.is_file() else {})
    changed = job.changed | ({"source": next(iter(named))} if named else {})
    shown = job.parameters | changed
    line = results.commands(record["notebook"], shown, changed, subject=model.SUBJECT)["adoption"]
    counts = {f"{table}.csv": f"{len(kept):,} rows of evidence" for table, kept in tables.items()}
    counts |= {
        f"{folder}/": "what it reads beside them" for folder in sorted({n.split("/")[0] for n in beside | named})
    }
    text = _README.format(
        **{name: record[name] for name in ("title", "headline", "made")},
        **{name: record["versions"][name] for name in ("adoption", "python")},
        line="=" * len(record["title"]),
        slug=job.slug,
        tables="".join(f"{name}    {what}\n" for name, what in counts.items()),
        command=f"{line} --data . --out again",
    )
    return found | {"README.txt": text.encode()}


def _beside(job: report.Job) -> list[Path]:
    """Return the files beside the tables that the notebook reads, as `helpers.fingerprint` counts them."""
    folder = BESIDE.get(job.notebook.stem, "")
    own = job.data / folder if (job.data / folder).is_dir() else params.ROOT / "data" / folder
    return sorted(path for path in own.iterdir() if path.is_file() and path.name[0] != ".") if folder else []


def rows(job: report.Job, evidence_ids: Iterable[str] = ()) -> dict[str, list[uses.Row]]:
    """Return the whole rows of evidence that a report uses, and all that they refer to, by table.

    Parameters
    ----------
    job : report.Job
        The report.
    evidence_ids : iterable of str
        Ids that its record names; they are kept whatever the rule of its notebook says.
    """
    tables = {table: params.rows(job.data, table) for table in uses.TABLES}
    notebook, named = job.notebook.stem, set(evidence_ids)
    if notebook not in (*SOME, *NONE):
        return tables
    keys = {table: FIELDS[table][0].name for table in tables}
    wanted = {table: {row[keys[table]] for row in tables[table] if row[keys[table]] in named} for table in tables}
    if notebook in SOME:
        *whole, _, claimants = uses.rows(notebook, job.parameters, job.data)
        for table, used in zip(uses.TABLES, whole, strict=True):
            wanted[table] |= {row[keys[table]] for row in used}
        for table, parts in claimants.items():
            wanted[table] |= {cells[0] for cells in parts}
    for path in _beside(job):
        if path.name == "gains.csv":  # the kept rule counts the events that it is made of
            with path.open(encoding="utf-8", newline="") as file:
                wanted["outages"] |= {row["outage_id"] for row in csv.DictReader(file)}
    _refer(tables, keys, wanted)
    return {table: [row for row in tables[table] if row[keys[table]] in wanted[table]] for table in tables}


def _refer(tables: Mapping[str, list[uses.Row]], keys: Mapping[str, str], wanted: dict[str, set[str]]) -> None:
    """Add the rows that wanted rows refer to, and those that these refer to."""
    by_key = {table: {row[keys[table]]: row for row in found} for table, found in tables.items()}
    waiting = [(table, key) for table, ids in wanted.items() for key in ids]
    while waiting:
        table, key = waiting.pop()
        row: Mapping[str, Any] = by_key[table].get(key, {})
        for field in FIELDS[table]:
            for other in row.get(field.name, "").split(";") if field.many else [row.get(field.name, "")]:
                if field.refers and other and other not in wanted[field.refers]:
                    wanted[field.refers].add(other)
                    waiting.append((field.refers, other))


def _text(table: str, kept: Iterable[uses.Row]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, [field.name for field in FIELDS[table]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    return buffer.getvalue().encode()
