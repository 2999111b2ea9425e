"""The ``adoption`` command: reports, checks of the tables, what is in the evidence."""

import argparse
import csv
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers import __version__, params

TABLES = ("outages", "growth_figures", "baselines", "services", "sources")
# The one parameter whose option has a shorter name than the parameter.
SHORT = {"outage_id": "outage"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 well, 1 something failed, 2 it was asked wrongly.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after the command's name; by default that of this process.
    """
    options = _parser().parse_args(arguments)
    # A polite end is an end like Ctrl-C: workers and kernels are stopped, nothing is left half written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(options.run(options))
    except params.ParameterError as error:
        return _complain(str(error), 2)
    except KeyboardInterrupt:
        return _complain("stopped", 130)
    except BrokenPipeError:  # `adoption outages | head`
        sys.stderr.close()
        return 0
    except (OSError, RuntimeError, ValueError) as error:
        # Reports, tables and pages have their own errors; each message stands by itself.
        problems = getattr(error, "problems", None)
        if problems is None and type(error).__module__.partition(".")[0] != "helpers":
            return _complain(f"{type(error).__name__}: {error}", 1)
        return _complain("\n".join(map(_problem, problems)) if problems else str(error), 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="adoption", description="Who gains when a service goes down.")
    parser.add_argument("--version", action="version", version=f"adoption {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

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
        flag = f"--{SHORT.get(name, name).replace('_', '-')}"
        metavar = {"outage_id": "ID"}.get(name, name.rpartition("_")[2].upper())
        report.add_argument(flag, dest=f"parameter_{name}", metavar=metavar, help=text)
    report.add_argument("--all", action="store_true", help="one report for every outage in the evidence")
    report.add_argument(
        "--jobs", type=_positive(int), metavar="N", help="reports at the same time (default: one a processor)"
    )
    report.add_argument("--force", action="store_true", help="also make what has not changed")
    report.add_argument("--out", type=Path, metavar="DIR", help="where the reports go (default: reports)")
    report.add_argument("--data", type=Path, metavar="DIR", help="folder of the evidence tables (default: data)")
    report.add_argument(
        "--timeout", type=_positive(float), metavar="S", help="seconds one cell may take (default: 600)"
    )
    report.set_defaults(run=_report)

    check = commands.add_parser("check", help="list every problem in the evidence tables")
    check.add_argument("data", nargs="?", type=Path, metavar="DIR", help="folder of the tables (default: data)")
    check.set_defaults(run=_check)

    outages = commands.add_parser("outages", help="list the outages in the evidence")
    outages.add_argument("--service", metavar="S", help="only those of a service, by id or name")
    outages.add_argument("--kind", choices=("outage", "block", "shutdown", "policy_shock"), help="only those of a kind")
    outages.add_argument("--data", type=Path, metavar="DIR", help="folder of the evidence tables (default: data)")
    outages.set_defaults(run=_outages)
    return parser


def _parameters() -> dict[str, str]:
    """Return help for every parameter of any notebook."""
    found = {}
    for model in params.NOTEBOOKS.values():
        for name, field in model.model_fields.items():
            usual = {None: "none", (): "all"}.get(tuple(field.default) if field.default == [] else field.default)
            found[name] = f"{field.description} (default: {usual or field.default})".replace("%", "%%")
    return found


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


def _report(options: argparse.Namespace) -> int:
    from helpers import index, report

    given = _given(options)
    timeout = options.timeout or report.TIMEOUT
    if options.all:
        if "outage_id" in given:
            raise params.ParameterError(f"outage_id: given {given['outage_id']!r} and --all, expected one of them")
        notebook = params.resolve(options.notebook or report.MAIN)
        data = params.evidence_folder(options.data)
        wanted = [(notebook, {**given, "outage_id": row["outage_id"]}) for row in params.rows(data, "outages")]
    elif given or options.notebook:
        wanted = [(params.resolve(options.notebook or report.MAIN), dict(given))]
    else:
        wanted = [(notebook, dict(given)) for notebook, given in report.REPORTS]
    jobs = [report.plan(name, values, options.out, options.data, timeout) for name, values in wanted]
    outcomes = index.render_all(jobs, options.jobs, options.force, progress=True, done=_say)

    names = report.known(params.evidence_folder(options.data).resolve()).services
    page = index.write((options.out or report.OUT_DIR).resolve(), names)
    counts = {status: sum(o.status == status for o in outcomes) for status in ("made", "unchanged", "failed")}
    if len(outcomes) > 1 or counts["failed"]:
        print(", ".join(f"{count} {status}" for status, count in counts.items() if count))
    print(f"all reports: {report.short(page)}")
    return 1 if counts["failed"] else 0


def _say(outcome: Any) -> None:
    from helpers import report

    if outcome.status == "failed":
        _complain(outcome.message, 1)
    else:
        took = f" ({outcome.seconds:.1f} s)" if outcome.status == "made" else ""
        print(f"{outcome.status}: {report.short(outcome.job.place.file('html'))}{took}", flush=True)


def _check(options: argparse.Namespace) -> int:
    from helpers import evidence

    data = params.evidence_folder(options.data)
    problems = evidence.check(data)
    for problem in problems:
        print(_problem(problem))
    if problems:
        return _complain(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in {data}", 1)
    count = sum(len(params.rows(data, table)) for table in TABLES)
    print(f"ok: {count:,} rows in {len(TABLES)} tables")
    return 0


def _problem(problem: Any) -> str:
    return f"{problem.file}:{problem.row}: {problem.column}: {problem.value!r}: {problem.expected}"


def _outages(options: argparse.Namespace) -> int:
    data = params.evidence_folder(options.data)
    try:
        known = params.known_in(data)
        rows = params.rows(data, "outages")
        figures = [row["outage_id"] for row in params.rows(data, "growth_figures")]
        service = params.service(options.service, known) if options.service else None
        shown = [
            (
                row["start_utc"][:10],
                row["outage_id"],
                row["kind"],
                known.services[row["service_id"]],
                str(figures.count(row["outage_id"])),
            )
            for row in rows
            if service in (None, row["service_id"]) and options.kind in (None, row["kind"])
        ]
    except params.ParameterError:
        raise
    except (LookupError, ValueError, csv.Error) as error:
        return _complain(f"the tables in {data} are broken ({error}); `adoption check` lists every problem", 1)
    lines = [("start", "outage_id", "kind", "service", "figures"), *sorted(shown)]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    for line in lines:
        cells = [text.ljust(width) for text, width in zip(line[:4], widths, strict=False)]
        print("  ".join([*cells, line[4].rjust(widths[4])]))
    return 0


def _complain(message: str, code: int) -> int:
    print(f"adoption: {message}", file=sys.stderr, flush=True)
    return code
