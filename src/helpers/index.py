"""Many reports: made in processes of their own, and listed on a page made from what they left behind."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers import cards, params, report, results
from helpers.cards import card, estimate
from helpers.render import TEMPLATES, PageError, page_faults, style

__all__ = ["card", "estimate", "render_all", "write"]
#: Notebook whose first figure stands on top of the index.
TOP = "06_across_outages"
#: Orders that a reader can choose.
ORDERS = {
    "date": "latest event",
    "size": "largest gain",
    "width": "narrowest interval",
    "asked": "question asked",
}
#: Room in the index for pictures, in characters; fifty reports need half of it.
PICTURES = 1_100_000
#: How often the index is written anew when reports arrive while it is written.
TRIES = 5
DATA = re.compile(r"data:image/(?:png|svg\+xml);base64,[A-Za-z0-9+/=]+")
#: What no report may hold and the index may: exactly these, so that nothing else hides in them.
OWN = re.compile(
    r'<input type="radio" name="[a-z]+" id="[a-z0-9-]+"(?: checked)?>'
    r'|<img class="shot" data-of="[0-9a-f]{64}" src="data:," alt="" role="presentation" width="\d+" height="\d+">'
)


def render_all(
    jobs: Sequence[report.Job],
    workers: int | None = None,
    force: bool = False,
    progress: bool = False,
    done: Callable[[report.Outcome], None] = lambda outcome: None,
) -> list[report.Outcome]:
    """Make several reports in processes of their own; a failure does not stop the others.

    Parameters
    ----------
    jobs : sequence of report.Job
        What to make.
    workers : int, optional
        Reports made at the same time; by default as many as there are processors.
    force, progress : bool
        As in `report.render`; several reports share one bar.
    done : callable
        Called with every outcome as soon as it is known.

    Returns
    -------
    list of report.Outcome
        In the order of the jobs.

    Raises
    ------
    EvidenceError
        If the tables are broken; then nothing is made.
    """
    outcomes = [report.Outcome(job, "unchanged" if not force and report.is_fresh(job) else "waiting") for job in jobs]
    for outcome in outcomes:
        if outcome.status == "unchanged":
            done(outcome)
    waiting = [number for number, outcome in enumerate(outcomes) if outcome.status == "waiting"]
    if waiting:
        for number, outcome in _in_processes(jobs, waiting, workers or os.cpu_count() or 1, progress):
            outcomes[number] = outcome
            done(outcome)
    return outcomes


def _in_processes(
    jobs: Sequence[report.Job], waiting: Sequence[int], workers: int, progress: bool
) -> Iterator[tuple[int, report.Outcome]]:
    """Yield the outcomes of the waiting jobs as they come."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    from tqdm import tqdm

    alone = len(waiting) == 1
    with ProcessPoolExecutor(min(workers, len(waiting)), mp_context=get_context("spawn")) as pool:
        tasks = {pool.submit(_attempt, jobs[number], progress and alone): number for number in waiting}
        try:
            # While the kernels start; nothing is put in place before the tables are known to be sound.
            for data, folder in {(jobs[number].data, jobs[number].place.folder) for number in waiting}:
                report.check_tables(data, folder)
        except ValueError:
            pool.shutdown(cancel_futures=True)
            for number in waiting:
                jobs[number].place.file("failed.ipynb").unlink(missing_ok=True)
            raise
        with tqdm(total=len(waiting), unit="report", disable=alone or not progress or None) as bar:
            for task in as_completed(tasks):
                job = jobs[tasks[task]]
                try:
                    outcome, contents = task.result()
                    if contents:
                        job.place.put(contents)
                except Exception as error:  # not the notebook: the process was killed, the disk is full
                    outcome = report.Outcome(job, "failed", message=f"{job.slug}: {type(error).__name__}: {error}")
                bar.set_description(job.slug)
                bar.update()
                bar.clear()
                yield tasks[task], outcome


def _attempt(job: report.Job, progress: bool) -> tuple[report.Outcome, dict[str, str]]:
    start = time.monotonic()
    try:
        contents = report.build(job, progress)
    except report.ReportError as error:
        return report.Outcome(job, "failed", time.monotonic() - start, str(error)), {}
    return report.Outcome(job, "made", time.monotonic() - start), contents


def write(folder: Path, names: Mapping[str, str] | None = None, kinds: Mapping[str, str] | None = None) -> Path:
    """Write ``index.html`` into the folder of the reports, the latest event first.

    Parameters
    ----------
    folder : Path
        Folder of the reports.
    names : mapping of str to str, optional
        Names of services by id.
    kinds : mapping of str to str, optional
        Kinds of events by the event's id; by default as the evidence says.

    Raises
    ------
    PageError
        If the page may not be published.
    """
    place = results.Place(folder, "index")
    folder.mkdir(parents=True, exist_ok=True)
    place.sweep()
    if kinds is None:
        kinds = _kinds()
    for _ in range(TRIES):
        before = _state(folder)
        text = _checked(_page(*_listed(folder, names or {}, kinds)))
        if not place.file("html").is_file() or place.file("html").read_bytes() != text.encode():
            place.put({"html": text})
        # Another run may have added a report and its own index since: then this index may be the older one.
        if _state(folder) == before:
            break
    return place.file("html")


def _kinds() -> dict[str, str]:
    try:
        return {row["outage_id"]: row["kind"] for row in params.rows(params.evidence_folder(), "outages")}
    except (OSError, ValueError):
        return {}


def _records(folder: Path) -> list[Path]:
    """Return the records of reports whose files are all in place; a name that starts with a dot is being written."""
    found = (path for path in sorted(folder.glob("*/*.json")) if not path.name.startswith("."))
    return [path for path in found if path.with_suffix(".html").is_file()]


def _state(folder: Path) -> tuple[object, ...]:
    try:
        return results.state(_records(folder))
    except OSError:  # one was taken away just now
        return ()


def _listed(
    folder: Path, names: Mapping[str, str], kinds: Mapping[str, str]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Return the cards in the order of the page, and the drawing for its top with its card."""
    listed = []
    for path in _records(folder):
        try:
            listed.append((card(path, folder, names, kinds), path.with_suffix(".ipynb")))
        except (OSError, ValueError, TypeError, LookupError, OverflowError, RecursionError):
            continue  # a broken record is no reason to show none
    order = list(cards.GROUPS)
    listed.sort(key=lambda pair: (pair[0]["title"], pair[0]["link"]))
    listed.sort(key=lambda pair: pair[0]["date"], reverse=True)
    asked = [order.index(item["notebook"]) if item["notebook"] in order else len(order) for item, _ in listed]
    listed = [pair for _, pair in sorted(zip(asked, listed, strict=True), key=lambda pair: pair[0])]
    top = None
    for item, notebook in sorted(listed, key=lambda pair: (pair[0]["changed"], pair[1].stem != "all")):
        if item["notebook"] == TOP and (drawn := cards.drawing(notebook)):
            top = {**drawn, "card": item}
            break
    found = [item for item, _ in listed]
    _rank(found, "asked", lambda item: 0)
    _rank(found, "date", lambda item: -int(item["date"].replace("-", "") or 0))
    _rank(found, "size", lambda item: -item["size"])
    _rank(found, "width", lambda item: item["width"])
    listed.sort(key=lambda pair: pair[0]["ranks"]["date"])
    _add_pictures(listed, folder, sum(len(top[size][0]) for size in ("wide", "narrow") if top[size]) if top else 0)
    return [item for item, _ in listed], top


def _rank(items: list[dict[str, Any]], name: str, key: Callable[[dict[str, Any]], float]) -> None:
    """Number the cards in one more order; equals stay as they are."""
    for rank, item in enumerate(sorted(items, key=key)):
        item["ranks"][name] = rank


def _add_pictures(listed: Sequence[tuple[dict[str, Any], Path]], folder: Path, taken: int) -> None:
    """Give the cards their pictures, the first ones first, as long as there is room in the page."""
    earlier = cards.shots(folder / "index.html")
    for item, notebook in listed:
        item["shot"] = cards.shot(notebook, item["headline"], earlier)
        taken += len(item["shot"].png) if item["shot"] else 0
        if taken > PICTURES:
            item["shot"] = None
            break  # a smaller one further down might fit, but would be drawn anew each time


def _page(listed: list[dict[str, Any]], top: Mapping[str, Any] | None) -> str:
    from jinja2 import Environment, FileSystemLoader

    loader = FileSystemLoader(TEMPLATES / "adoption")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=False, keep_trailing_newline=True)
    asked = sorted(listed, key=lambda item: item["ranks"]["asked"])
    found = {
        "asks": ("Question asked", list(dict.fromkeys(item["group"] for item in asked)), "group"),
        "kind": (
            "Kind of event",
            [kind for kind in cards.KINDS.values() if any(i["kind"] == kind for i in listed)],
            "kind",
        ),
    }
    filters = [(name, legend, ["all", *options]) for name, (legend, options, _) in found.items() if len(options) > 1]
    for item in listed:
        numbers = ((name, options.index(item[key]) + 1) for name, (_, options, key) in found.items() if item[key])
        item["filters"] = " ".join(f"{name}-{number}" for name, number in numbers)
    return environment.get_template("reports.html.j2").render(
        cards=listed,
        top=top,
        orders=ORDERS,
        filters=filters,
        size=(cards.WIDE, cards.HIGH),
        style=style() + (TEMPLATES / "adoption" / "reports.css").read_text(encoding="utf-8"),
    )


def _checked(text: str) -> str:
    """Refuse a page that may not be published; the index alone may hold choices, and pictures its words repeat.

    Raises
    ------
    PageError
        With every fault.
    """
    faults = page_faults(OWN.sub("", DATA.sub("data:,", text)), relative=True)
    if faults:
        raise PageError("index: " + "; ".join(faults))
    return text
