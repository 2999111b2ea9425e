"""``adoption report``: make reports, one or many, and their index."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from helpers import chosen, models, params, results
from helpers.commands import terminal

#: Notebook and parameters of one report.
Wanted = tuple[str, dict[str, Any]]
#: What a table or a notebook that is being edited may raise.
BROKEN = (OSError, LookupError, RuntimeError, TypeError, ValueError)


def add(commands: Any) -> None:
    """Add the command to a parser's commands."""
    report = commands.add_parser(
        "report",
        help="make reports",
        description="Make a report about an outage; without any outage, the chosen set.",
    )
    report.add_argument("notebook", nargs="?", metavar="NOTEBOOK", help="number or name (default: 03)")
    report.add_argument(
        "-p",
        dest="pairs",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="any parameter",
    )
    for name, text in _parameters().items():
        metavar = {"outage_id": "ID"}.get(name, name.rpartition("_")[2].upper())
        report.add_argument(results.flag(name), dest=f"parameter_{name}", metavar=metavar, help=text)
    report.add_argument("--all", action="store_true", help="one report for every outage in the evidence")
    report.add_argument(
        "--jobs", type=_positive(int), metavar="N", help="reports at the same time (default: one a processor)"
    )
    report.add_argument("--force", action="store_true", help="also make what has not changed")
    report.add_argument("--to", choices=("html", "pdf"), default="html", help="also print the page to a PDF beside it")
    report.add_argument("--bundle", type=Path, metavar="FILE.zip", help="one report with all that it is made of")
    report.add_argument("--watch", action="store_true", help="make again whatever changes, until Ctrl-C")
    report.add_argument("--out", type=Path, metavar="DIR", help="where the reports go (default: reports)")
    terminal.add_data_option(report)
    report.add_argument(
        "--timeout", type=_positive(float), metavar="S", help="seconds one cell may take (default: 600)"
    )
    report.set_defaults(run=run)


def _parameters() -> dict[str, str]:
    """Return help for every parameter of any notebook, with the notebooks that have it."""
    told: dict[str, dict[str, list[str]]] = {}
    for notebook, model in models.NOTEBOOKS.items():
        for name, field in model.model_fields.items():
            usual = {None: "none", "": "none", (): "none"}.get(
                tuple(field.default) if field.default == [] else str(field.default or ""), field.default
            )
            usual = ",".join(usual) if isinstance(usual, list) else usual
            text = f"{field.description} (default: {usual})".replace("%", "%%")
            told.setdefault(name, {}).setdefault(text, []).append(notebook.partition("_")[0])
    return {
        name: "; ".join(f"{', '.join(numbers)}: {text}" for text, numbers in texts.items())
        for name, texts in told.items()
    }


def _positive(kind: type[int] | type[float]) -> Any:
    def positive(text: str) -> int | float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    positive.__name__ = f"number above 0 ({kind.__name__})"
    return positive


def _given(options: argparse.Namespace) -> dict[str, str]:
    """Return the parameters that were typed; the same one twice is a mistake."""
    pairs = [(name, value) for name, value in options.pairs]
    for name, value in vars(options).items():
        if name.startswith("parameter_") and value is not None:
            pairs.append((name.removeprefix("parameter_"), value))
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise params.ParameterError(f"{name}: given twice, {given[name]!r} and {value!r}, expected once")
        given[name] = value
    return given


def run(options: argparse.Namespace) -> int:
    """Make what was asked for; 1 when a report failed, 2 when it was asked wrongly."""
    given = _given(options)
    wanted = _wanted(options, given)
    if options.bundle is not None:
        from helpers import bundle

        bundle.check_target(options.bundle)
        if len(wanted) != 1:
            asked = f"given {str(options.bundle)!r} and {len(wanted)} reports"
            raise params.ParameterError(f"bundle: {asked}, expected one report: adoption report 03 --outage ID")
    return _watch(options, given) if options.watch else _round(options, wanted)


def _wanted(options: argparse.Namespace, given: dict[str, str]) -> list[Wanted]:
    """Return notebook and parameters of every report that was asked for."""
    from helpers import report

    if options.all:
        if "outage_id" in given:
            raise params.ParameterError(f"outage_id: given {given['outage_id']!r} and --all, expected one of them")
        notebook = params.resolve(options.notebook or report.MAIN)
        if notebook != report.MAIN:
            raise params.ParameterError(f"notebook: given {options.notebook!r} and --all, expected {report.MAIN}")
        data = params.evidence_folder(options.data)
        return [(notebook, {**given, "outage_id": row["outage_id"]}) for row in params.rows(data, "outages")]
    if given or options.notebook:
        return [(params.resolve(options.notebook or report.MAIN), dict(given))]
    return list(chosen.REPORTS)


def _plans(options: argparse.Namespace, wanted: Sequence[Wanted]) -> list[Any]:
    from helpers import report

    timeout = options.timeout or report.TIMEOUT
    return [report.plan(name, values, options.out, options.data, timeout) for name, values in wanted]


def _round(options: argparse.Namespace, wanted: Sequence[Wanted]) -> int:
    """Make the reports that have changed, their index, and what else was asked for.

    Returns 1 when anything failed, 2 when it failed for a column that was asked for and is not in the source.
    """
    from helpers import index, report

    jobs = _plans(options, wanted)
    outcomes = _made(jobs, options)
    names = report.known(params.evidence_folder(options.data).resolve()).services
    folder, unwritten = (options.out or report.OUT_DIR).resolve(), ""
    try:
        page = index.write(folder, names)
    except OSError as error:
        unwritten = f"{error.filename or folder}: {error.strerror or error}; the list of all reports was not written"
    counts = {status: sum(o.status == status for o in outcomes) for status in ("made", "unchanged", "failed")}
    if len(outcomes) > 1 or counts["failed"]:
        print(", ".join(f"{count} {status}" for status, count in counts.items() if count))
    failed = [f"{o.job.notebook.stem} {o.job.slug}" for o in outcomes if o.status == "failed"]
    if failed and len(outcomes) > 1:
        terminal.complain(f"failed: {', '.join(failed)}", 1)
    if unwritten:
        terminal.complain(unwritten, 1)
    else:
        print(f"all reports: {report.short(page)}")
    good = [outcome.job for outcome in outcomes if outcome.status != "failed"]
    unprinted = _print(good, options.jobs) if options.to == "pdf" and good else 0
    if options.bundle is not None and good:
        from helpers import bundle

        # Planned again: what changed since it was made is no part of it.
        print(f"bundle: {report.short(bundle.write(_plans(options, wanted)[0], options.bundle))}")
    if any(": ColumnError: " in outcome.message for outcome in outcomes):
        return 2
    return 1 if failed or unprinted or unwritten else 0


def _made(jobs: Sequence[Any], options: argparse.Namespace) -> list[Any]:
    """Make the reports; those that only shared their processes with one that was killed are tried again, alone."""
    from helpers import index

    say = _Progress(len(jobs))
    outcomes = list(index.render_all(jobs, options.jobs, options.force, progress=True, done=say))
    for number, outcome in enumerate(outcomes):
        if _killed(outcome):
            (outcomes[number],) = index.render_all([outcome.job], 1, options.force, progress=True, done=_say)
    return outcomes


def _killed(outcome: Any) -> bool:
    """Say whether a report failed because a process of the pool was killed, perhaps not its own."""
    return outcome.status == "failed" and "BrokenProcessPool" in outcome.message


class _Progress:
    """Tells of each report; where no bar can be shown, also how long the rest will take."""

    def __init__(self, reports: int) -> None:
        self._left, self._took, self._start = reports, 0, time.monotonic()

    def __call__(self, outcome: Any) -> None:
        self._left -= 1
        self._took += outcome.status != "unchanged"
        if _killed(outcome):
            return
        rest = ""
        if self._took and self._left and not sys.stderr.isatty():
            seconds = (time.monotonic() - self._start) / self._took * self._left
            rest = f", about {seconds:.0f} s left for {self._left} more"
        _say(outcome, rest)


def _say(outcome: Any, rest: str = "") -> None:
    from helpers import report

    if outcome.status == "failed":
        terminal.complain(outcome.message, 1)
    else:
        took = f" ({outcome.seconds:.1f} s)" if outcome.status == "made" else ""
        print(f"{outcome.status}: {report.short(outcome.job.place.file('html'))}{took}{rest}", flush=True)


def _print(jobs: Sequence[Any], workers: int | None) -> int:
    """Print the pages of reports to PDF, several at a time; return how many failed."""
    from concurrent.futures import ThreadPoolExecutor

    from helpers import pdf, report

    def one(job: Any) -> str:
        try:
            fresh = pdf.is_fresh(job.place)
            path = job.place.file("pdf") if fresh else pdf.write(job.place)
        except pdf.PdfError as error:
            terminal.complain(str(error), 1)
            return "failed"
        print(f"{'unchanged' if fresh else 'printed'}: {report.short(path)}", flush=True)
        return ""

    try:
        pdf.browser()
    except pdf.PdfError as error:
        terminal.complain(str(error), 1)
        return len(jobs)
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        return sum(map(bool, pool.map(one, jobs)))


def _watch(options: argparse.Namespace, given: dict[str, str]) -> int:
    """Make the reports again whenever something they are made of has changed, until Ctrl-C."""
    from helpers import watch

    named: set[Path] = set()

    def again() -> None:
        try:
            _round(options, _wanted(options, given))
        except BROKEN as error:
            problems = getattr(error, "problems", None)
            terminal.complain(terminal.problem_lines(problems) if problems else _in_words(error), 1)
        options.force = False  # that was for the first time; from now on only what has changed

    def paths() -> list[Path]:
        with suppress(*BROKEN):
            for name, values in _wanted(options, given):
                named.update(models.NOTEBOOKS[name](**values).files())
        return watch.files(params.evidence_folder(options.data).resolve(), named)

    try:
        _plans(options, _wanted(options, given))
    except params.ParameterError:
        raise  # typed wrongly: watching would not mend it
    except BROKEN:
        pass  # the first round says it
    try:
        watch.watch(again, paths, lambda line: print(line, flush=True))
    except KeyboardInterrupt:
        print("stopped watching", flush=True)
    return 0


def _in_words(error: Exception) -> str:
    ours = type(error).__module__.partition(".")[0] == "helpers"
    return str(error) if ours else f"{type(error).__name__}: {error}"
