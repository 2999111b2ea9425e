"""``adoption outages``: what is in the evidence, filtered, as a table, JSON or CSV."""

import argparse
import csv
import json
import sys
from datetime import date
from typing import Any

from helpers import params, terminal
from helpers.schemas import FIELDS, KINDS

#: A spreadsheet runs a cell that begins so; a quotation mark before it makes it text.
FORMULA = ("=", "+", "-", "@")


def add(commands: Any) -> None:
    """Add the command to a parser's commands."""
    parser = commands.add_parser(
        "outages",
        help="list the outages in the evidence",
        description="List the events in the evidence, the earliest first, with the number of growth figures for each.",
    )
    parser.add_argument("--service", metavar="S", help="only those of a service, by id or name")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only those of a kind; may be repeated")
    parser.add_argument("--since", type=_day, metavar="DAY", help="only those that began on this day (UTC) or later")
    parser.add_argument("--until", type=_day, metavar="DAY", help="only those that began before this day (UTC)")
    parser.add_argument("--with-figures", action="store_true", help="only those with a growth figure")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="all columns as JSON, empty cells as null")
    form.add_argument("--csv", action="store_true", help="all columns as CSV")
    terminal.add_data_option(parser)
    parser.set_defaults(run=run)


def _day(text: str) -> str:
    """Read a year, a month or a day as the first day of it."""
    try:
        return date.fromisoformat(text + {4: "-01-01", 7: "-01"}.get(len(text), "")).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"given {text!r}, expected a day, month or year: 2014-02-22") from None


def run(options: argparse.Namespace) -> int:
    """List the outages that were asked for."""
    data = params.evidence_folder(options.data)
    try:
        shown = _chosen(options, data)
    except params.ParameterError:
        raise
    except (LookupError, ValueError, csv.Error) as error:
        return terminal.complain(f"the tables in {data} are broken ({error}); `adoption check` lists every problem", 1)
    if options.json:
        print(json.dumps([_typed(row) for row in shown], ensure_ascii=False, indent=1))
    elif options.csv:
        writer = csv.DictWriter(sys.stdout, _columns(data), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _harmless(cell) for name, cell in row.items()} for row in shown)
    else:
        _print_table(shown, params.known_in(data).services)
    return 0


def _chosen(options: argparse.Namespace, data: Any) -> list[dict[str, str]]:
    known = params.known_in(data)
    service = params.service(options.service, known) if options.service else None
    figures: dict[str, int] = {}
    for row in params.rows(data, "growth_figures"):
        figures[row["outage_id"]] = figures.get(row["outage_id"], 0) + 1
    shown = [
        {**row, "figures": str(figures.get(row["outage_id"], 0))}
        for row in params.rows(data, "outages")
        if service in (None, row["service_id"])
        and row["kind"] in (options.kind or KINDS)
        and (options.since or "") <= row["start_utc"][:10]
        and (options.until is None or row["start_utc"][:10] < options.until)
        and (not options.with_figures or row["outage_id"] in figures)
    ]
    return sorted(shown, key=lambda row: (row["start_utc"], row["outage_id"]))


def _columns(data: Any) -> list[str]:
    return [*params.rows(data, "outages")[0], "figures"]


def _typed(row: dict[str, str]) -> dict[str, Any]:
    """Turn cells that are numbers into numbers, and empty ones into null."""
    kinds = {"figures": "integer", **{field.name: field.kind for field in FIELDS["outages"]}}
    made = {"integer": int, "number": float}
    return {name: made.get(kinds[name], str)(cell) if cell else None for name, cell in row.items()}


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _print_table(shown: list[dict[str, str]], names: dict[str, str]) -> None:
    if not shown:
        print("none in the evidence")
        return
    lines = [("start", "outage_id", "kind", "service", "hours", "figures")]
    lines += [
        (
            row["start_utc"][:10],
            row["outage_id"],
            row["kind"],
            names[row["service_id"]],
            row["duration_hours"],
            row["figures"],
        )
        for row in shown
    ]
    print(terminal.columns(lines, right=(4, 5)))
