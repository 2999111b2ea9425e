"""Many reports: made in processes of their own, and listed on a page made from what they left behind."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers import report, words
from helpers.render import TEMPLATES, PageError, page_faults, style

NAMES = {
    "extra_users_confounder": "extra users, other cause",
    "peak_rate": "at the peak",
    "half_life": "half-life",
    "baseline_rate": "usual",
    "gain_per_affected_user": "gain per affected user",
    "outages_next_12_months": "outages within 12 months",
    "expected_users": "expected without the outage",
    "settled_level": "level afterwards",
    "users_brought_forward": "only brought forward",
    "gain_ratio_affected": "gain at ten times the people hit:",
    "gain_ratio_hours": "gain at twice the hours down:",
    "gain_ratio_block": "a block against an outage:",
    "gain_ratio_shutdown": "a shutdown against an outage:",
}
#: Quantities that a card shows, and how many of them; headlines of the quiet notebooks say all that there is to say.
MAIN = ("extra_users", "outages_next_12_months")
MOST = 4
QUIET = ("01_outage_history", "02_growth_figures")
#: Headings of the index, the main job first.
GROUPS = {
    "03_adoption_after_outage": "One outage: who gained",
    "02_growth_figures": "The published figures of one service",
    "01_outage_history": "How often services fail",
    "04_measured_signups": "One measured series: against what was expected",
    "05_who_gained": "Many measured series: who gained",
    "06_across_outages": "All outages together: the rule",
    "07_next_outage": "The next outage",
}


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


def write(folder: Path, names: Mapping[str, str] | None = None) -> Path:
    """Write ``index.html`` into the folder of the reports, the latest outage first.

    Parameters
    ----------
    folder : Path
        Folder of the reports.
    names : mapping of str to str, optional
        Names of services by id.

    Raises
    ------
    PageError
        If the page may not be published.
    """
    records = (path for path in sorted(folder.glob("*/*.json")) if path.with_suffix(".html").is_file())
    cards = [card(path, folder, names or {}) for path in records]
    cards.sort(key=lambda item: (item["date"], item["title"]), reverse=True)
    order = list(GROUPS)
    cards.sort(key=lambda item: order.index(item["notebook"]) if item["notebook"] in order else len(order))
    text = _page(cards)
    faults = page_faults(text, relative=True)
    if faults:
        raise PageError("index: " + "; ".join(faults))
    place = folder / "index.html"
    part = folder / f".index.{os.getpid()}.part.html"
    folder.mkdir(parents=True, exist_ok=True)
    if not place.is_file() or place.read_text(encoding="utf-8") != text:
        part.write_text(text, encoding="utf-8")
        part.replace(place)
    return place


def card(path: Path, folder: Path, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what the index shows of one report.

    Parameters
    ----------
    path : Path
        The report's record.
    folder : Path
        Where the index stands.
    names : mapping of str to str
        Names of services by id.
    """
    record = json.loads(path.read_bytes())
    main = [item for item in record["estimates"] if item["quantity"] in MAIN][:MOST]
    outage = record["outage_id"]
    date = next((outage[i : i + 10] for i in range(len(outage)) if _is_date(outage[i : i + 10])), "")
    return {
        "notebook": record["notebook"],
        "group": GROUPS.get(record["notebook"], record["notebook"]),
        "title": record["title"],
        "headline": record["headline"],
        "link": path.with_suffix(".html").relative_to(folder).as_posix(),
        "estimates": [
            (names.get(item["service"], item["service"]), estimate(item))
            for item in main or (record["estimates"][:MOST] if record["notebook"] not in QUIET else [])
        ],
        "changed": path.stem != record.get("subject", outage),
        "date": date,
        "date_words": _date_words(datetime.fromisoformat(date)) if date else "",
        "made_words": _date_words(datetime.fromisoformat(record["made"]).astimezone(UTC)),
    }


def estimate(item: Mapping[str, Any]) -> str:
    """Write an estimate as a range in words, with its level if that is not 95%."""
    low, high, unit = item["low"], item["high"], item["unit"]
    what = NAMES.get(item["quantity"], item["quantity"].replace("_", " "))
    if unit.endswith(("/s", "/hour", "/day")):
        seconds = {"s": 1, "hour": 3600, "day": 86400}[unit.rpartition("/")[2]]
        text = f"{what} {words.rate_interval(low / seconds, high / seconds)}"
    elif unit == "hours":
        text = f"{what} {words.duration_interval(low, high)}"
    elif item["quantity"] == "outages_next_12_months":
        text = f"{low:.0f} to {high:.0f} {what}" if low < high else f"{low:.0f} {what}"
    elif item["quantity"] == "extra_users":
        text = f"{words.interval(low, high)} extra {unit}"
    else:
        text = f"{what} {low:.2g} to {high:.2g} {unit}".strip()
    return text if abs(item["level"] - 0.95) < 1e-9 else f"{text} ({words.percent(item['level'])} interval)"


def _date_words(when: datetime) -> str:
    return f"{when.day} {when:%B %Y}"


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _page(cards: list[dict[str, Any]]) -> str:
    from jinja2 import Environment, FileSystemLoader

    loader = FileSystemLoader(TEMPLATES / "adoption")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=False, keep_trailing_newline=True)
    return environment.get_template("reports.html.j2").render(cards=cards, style=style())
