"""``adoption outages``: what is in the evidence, filtered, as a table, JSON or CSV."""

import argparse
import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers import groups, params, values
from helpers.commands import terminal
from helpers.schemas import FIELDS, KINDS
from helpers.words import FORMULA

_NAMED = 5


def add(commands: Any) -> None:
    """Add the command to a parser's commands."""
    parser = commands.add_parser(
        "outages",
        help="list the outages in the evidence",
        description="List the events in the evidence, the earliest first, with the number of growth figures for each.",
    )
    parser.add_argument(
        "--service",
        action="append",
        metavar="S",
        help="only those of a service, by id or name, and of groups named after it "
        "(facebook-instagram-whatsapp for whatsapp); may be repeated",
    )
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
        return values.first_day(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"given {text!r}, expected a day, month or year: 2014-02-22") from None


def run(options: argparse.Namespace) -> int:
    """List the outages that were asked for; 1 where the tables are broken."""
    if options.since and options.until and options.since >= options.until:
        raise params.ParameterError(f"--until: given {options.until}, expected a day after --since {options.since}")
    data = params.evidence_folder(options.data)
    try:
        names = params.known_in(data).services
        shown = _chosen(options, data)
        text = _form(options)(shown, names)
    except params.ParameterError:
        raise
    except (OSError, LookupError, ValueError, csv.Error) as error:
        said = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)
        return terminal.complain(f"the tables in {data} are broken ({said}); `adoption check` lists every problem", 1)
    print(text)
    nobody = dict.fromkeys(row["service_id"] for row in shown if row["service_id"] not in names)
    if nobody:
        some = ", ".join([*list(nobody)[:_NAMED], *(["..."] if len(nobody) > _NAMED else [])])
        return terminal.complain(f"not in services.csv: {some}; `adoption check` lists every problem", 1)
    return 0


def _chosen(options: argparse.Namespace, data: Path) -> list[dict[str, str]]:
    wanted = _services(options.service, data) if options.service else None
    figures: dict[str, int] = {}
    for row in params.rows(data, "growth_figures"):
        figures[row["outage_id"]] = figures.get(row["outage_id"], 0) + 1
    shown = [
        {**row, "figures": str(figures.get(row["outage_id"], 0))}
        for row in params.rows(data, "outages")
        if (wanted is None or row["service_id"] in wanted)
        and (not options.kind or row["kind"] in options.kind)
        and (options.since or "") <= row["start_utc"][:10]
        and (options.until is None or row["start_utc"][:10] < options.until)
        and (not options.with_figures or row["outage_id"] in figures)
    ]
    return sorted(shown, key=lambda row: (row["start_utc"], row["outage_id"]))


def _services(given: Iterable[str], data: Path) -> set[str]:
    """Return the ids of services, and of the groups they are members of: whose group fails, fails."""
    known = params.known_in(data)
    wanted = {params.service(name, known) for name in given}
    rows = params.rows(data, "services")
    grouped = [row["service_id"] for row in rows if row["is_group"] == "true"]
    members = groups.members(grouped, {row["service_id"] for row in rows} - set(grouped))
    return wanted | {group for group, parts in members.items() if wanted & set(parts)}


def _form(options: argparse.Namespace) -> Any:
    return _json if options.json else _csv if options.csv else _table


def _json(shown: list[dict[str, str]], _: dict[str, str]) -> str:
    return json.dumps([_typed(row) for row in shown], ensure_ascii=False, indent=1)


def _csv(shown: list[dict[str, str]], _: dict[str, str]) -> str:
    text = io.StringIO(newline="")
    names = [*(field.name for field in FIELDS["outages"]), "figures"]
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(cell) for name, cell in row.items()} for row in shown)
    return text.getvalue().removesuffix("\n")


def _typed(row: dict[str, str]) -> dict[str, Any]:
    """Turn cells that are numbers into numbers, and empty ones into null."""
    kinds = {"figures": "integer", **{field.name: field.kind for field in FIELDS["outages"]}}
    made = {"integer": int, "number": float}
    return {name: made.get(kinds[name], str)(cell) if cell else None for name, cell in row.items()}


def _harmless(cell: str) -> str:
    """Make text of what a spreadsheet would run."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _table(shown: list[dict[str, str]], names: dict[str, str]) -> str:
    if not shown:
        return "none in the evidence"
    lines = [("start", "outage_id", "kind", "service", "hours", "figures")]
    lines += [
        (
            row["start_utc"][:10],
            row["outage_id"],
            row["kind"],
            names.get(row["service_id"], row["service_id"]),
            row["duration_hours"],
            row["figures"],
        )
        for row in shown
    ]
    return terminal.columns(lines, right=(4, 5))
