"""``adoption report``: make reports, one or many, and their index."""

import argparse
from pathlib import Path
from typing import Any

from helpers import chosen, models, params, results
from helpers.commands import terminal


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
    """Make what was asked for; 1 when a report failed."""
    from helpers import index, report

    given = _given(options)
    timeout = options.timeout or report.TIMEOUT
    if options.all:
        if "outage_id" in given:
            raise params.ParameterError(f"outage_id: given {given['outage_id']!r} and --all, expected one of them")
        notebook = params.resolve(options.notebook or report.MAIN)
        if notebook != report.MAIN:
            raise params.ParameterError(f"notebook: given {options.notebook!r} and --all, expected {report.MAIN}")
        data = params.evidence_folder(options.data)
        wanted = [(notebook, {**given, "outage_id": row["outage_id"]}) for row in params.rows(data, "outages")]
    elif given or options.notebook:
        wanted = [(params.resolve(options.notebook or report.MAIN), dict(given))]
    else:
        wanted = [(notebook, dict(given)) for notebook, given in chosen.REPORTS]
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
        terminal.complain(outcome.message, 1)
    else:
        took = f" ({outcome.seconds:.1f} s)" if outcome.status == "made" else ""
        print(f"{outcome.status}: {report.short(outcome.job.place.file('html'))}{took}", flush=True)
