"""``adoption add-figure``: one published figure more, checked, with its effect shown before it is written."""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers import params, schemas
from helpers.commands import terminal

SOURCES = {
    "source_url": "address of the page, where it is not among the sources yet",
    "source_title": "its title",
    "source_publisher": "who published it",
    "source_date": "when: 2014-02-25, 2014-02 or 2014",
    "source_language": "language of the page, two letters (default: en)",
}
_SHORT = {"outage_id": "outage", "service_id": "service", "window_start_utc": "start", "window_end_utc": "end"}
_GIVE_UP = 5


def add(commands: Any) -> None:
    """Add the command to a parser's commands."""
    parser = commands.add_parser(
        "add-figure",
        help="add a published growth figure to the evidence",
        description="Add one published growth figure. What is needed and not given is asked for; what follows from "
        "the rest is filled in. The row, and how the fit of its outage changes, are shown before anything is written.",
    )
    told = _descriptions()
    for field in schemas.FIELDS["growth_figures"]:
        text = told.get(field.name, schemas.expected_of(field))
        name = _SHORT.get(field.name, field.name).replace("_", "-")
        parser.add_argument(f"--{name}", dest=field.name, metavar="TEXT", help=text.replace("%", "%%"))
    for name, text in SOURCES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="TEXT", help=text)
    parser.add_argument("--write", action="store_true", help="write it without asking; otherwise one is asked")
    parser.add_argument("--no-fit", action="store_true", help="leave out the fit")
    terminal.add_data_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask for what is missing, check, show, and write if that is wanted."""
    from helpers import store
    from helpers.commands import new_figure

    folder = params.evidence_folder(options.data)
    tables = {name: store.read(folder, name) for name in ("growth_figures", "outages", "sources")}
    names = [*(field.name for field in schemas.FIELDS["growth_figures"]), *SOURCES]
    given = {name: getattr(options, name) for name in names if getattr(options, name)}
    asks = sys.stdin.isatty()
    _settle(given, params.known_in(folder))
    unfit = {name: expected for name, text in given.items() if (expected := new_figure.fault(name, text))}
    for name, expected in unfit.items():
        print(f"{name}: {given[name]!r}: {expected}")
        if asks:
            del given[name]
    if unfit and not asks:
        return terminal.complain("nothing written: the row cannot be used as it is", 1)
    missing = [name for name in _needed(given) if not given.get(name)]
    if missing and not asks:
        flags = ", ".join(f"--{_SHORT.get(name, name).replace('_', '-')}" for name in missing)
        return terminal.complain(f"add-figure: expected {flags} as well, or a terminal to ask in", 2)
    for name in missing:
        if name in _needed(given) and not given.get(name):  # a known page needs no title
            _ask(name, given, params.known_in(folder))
    for _ in range(_GIVE_UP):
        row, changed = _rows(given, tables)
        problems = store.check(folder, changed)
        if not problems:
            break
        # What follows from a wrong cell is wrong with it: only what was given is worth a word.
        own = [problem for problem in problems if problem.column in given] or problems
        print(*map(terminal.problem_line, own), sep="\n")
        wrong = [problem.column for problem in own if problem.column in given]
        if not asks or not wrong:
            return terminal.complain("nothing written: the row cannot be used as it is", 1)
        for name in dict.fromkeys(wrong):
            _ask(name, given, params.known_in(folder))
    else:
        return terminal.complain("nothing written: the row still cannot be used", 1)
    print("The new row of growth_figures.csv:")
    print(terminal.columns([(f"  {name}", cell) for name, cell in row.items() if cell]))
    if "sources" in changed and len(changed["sources"]) > len(tables["sources"]):
        print("The new row of sources.csv:")
        print(terminal.columns([(f"  {name}", cell) for name, cell in changed["sources"][-1].items() if cell]))
    there = new_figure.same(row, tables["growth_figures"])
    if there and not row["repeats"]:
        return terminal.complain(f"nothing written: {there[0]} says the same of the same hours by the same page", 1)
    for same in new_figure.alike(row, tables["growth_figures"]):
        print(f"Told already? {same}: if this row says the same, name it in --repeats.")
    if not options.no_fit:
        print(*_effect(folder, changed, row["figure_id"]), sep="\n")
    if not options.write and not (asks and input("Write it? [y/N] ").strip().lower() in ("y", "yes")):
        print("nothing written" + ("" if asks else "; add --write"))
        return 0
    store.write(folder, changed, tables)
    print(f"written: {row['figure_id']}")
    return 0


def _needed(given: dict[str, str]) -> Iterable[str]:
    from helpers.commands import new_figure

    if given.get("source_ids"):
        return new_figure.NEEDED
    return (*new_figure.NEEDED, *new_figure.SOURCE.values())


def _settle(given: dict[str, str], known: params.Known) -> None:
    """Put ids as the evidence spells them; a name that nobody knows is an error with near matches."""
    if given.get("service_id"):
        given["service_id"] = params.service(given["service_id"], known)
    if given.get("outage_id"):
        given["outage_id"] = params.outage(given["outage_id"], known)


def _ask(name: str, given: dict[str, str], known: params.Known) -> None:
    from helpers.commands import new_figure

    field = next((field for field in schemas.FIELDS["growth_figures"] if field.name == name), None)
    about = _descriptions().get(name) or SOURCES[name]
    if field is not None and 0 < len(field.enum) <= 25:
        about += f"\n  one of: {', '.join(field.enum)}"
    print(f"\n{name}: {about}")
    for _ in range(_GIVE_UP):
        given[name] = input(f"{name}{f' [{given[name]}]' if given.get(name) else ''}: ").strip() or given.get(name, "")
        try:
            _settle(given, known)
        except params.ParameterError as error:
            print(error)
            del given[name]
            continue
        expected = new_figure.fault(name, given[name]) if given[name] else "a value"
        if not expected:
            return
        del given[name]
        print(f"expected {expected}")
    raise params.ParameterError(f"{name}: no value that can be used")


def _rows(given: dict[str, str], tables: dict[str, Any]) -> tuple[dict[str, str], dict[str, list[dict[str, str]]]]:
    """Return the new row, and the tables that change by it."""
    from helpers.commands import new_figure

    cells = {name: cell for name, cell in given.items() if name not in SOURCES}
    changed = {}
    if not cells.get("source_ids"):
        page = new_figure.source_row(given, tables["sources"])
        cells["source_ids"] = page["source_id"]
        if page not in tables["sources"]:
            changed["sources"] = [*tables["sources"], page]
    row = new_figure.completed(cells, tables["growth_figures"], tables["outages"])
    return row, {**changed, "growth_figures": [*tables["growth_figures"], row]}


def _effect(folder: Path, changed: dict[str, list[dict[str, str]]], figure_id: str) -> list[str]:
    from helpers import evidence, store
    from helpers.commands import figure_effect

    print("Fitting the outage without it and with it ...", flush=True)
    with store.trial(folder, changed) as copy:
        return figure_effect.effect(evidence.load(folder), evidence.load(copy), figure_id)


def _descriptions() -> dict[str, str]:
    """Return what the codebook says of each column; nothing where there is none beside the code."""
    try:
        package = json.loads((params.ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    (table,) = [item for item in package["resources"] if item["name"] == "growth_figures"]
    # The codebook has tables below its columns; here the allowed values stand beside the question.
    return {field["name"]: field["description"].replace(", see below", "") for field in table["schema"]["fields"]}
