"""``adoption import``: incidents from a status page or a table into the evidence; a dry run unless ``--write``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import params
from helpers.commands import terminal
from helpers.schemas import SECTORS

if TYPE_CHECKING:
    from helpers.importing.incidents import Feed
    from helpers.importing.merge import Merge
    from helpers.importing.origin import Origin, Row


def add(commands: Any) -> None:
    """Add the command to a parser's commands."""
    parser = commands.add_parser(
        "import",
        help="import outages from a status page or a table",
        description="Import incidents as outages. What is there already is updated, not doubled. "
        "Without --write nothing is written: what would change is shown.",
    )
    kinds = parser.add_subparsers(title="from", required=True, metavar="KIND")

    page = kinds.add_parser(
        "statuspage",
        help="the incident feed of a status page, JSON or Atom",
        description="Import the incident feed of a status page: /api/v2/incidents.json or /history.atom.",
    )
    page.add_argument("source", metavar="FILE|URL", help="file or address; a bare site stands for its incidents.json")
    page.add_argument("--timeout", type=_seconds, metavar="S", help="seconds to wait for an answer (default: 20)")
    _add_common(page)
    page.set_defaults(run=run_statuspage)

    table = kinds.add_parser(
        "csv",
        help="any table with one incident a row",
        description="Import a CSV file with one incident a row. Fields for --map: id, start_utc (needed), end_utc, "
        "impact, cause, and further columns of outages.csv.",
    )
    table.add_argument("source", metavar="FILE", help="file with a header")
    table.add_argument(
        "--map", nargs="+", action="extend", default=[], metavar="COLUMN=FIELD", help="what a column of the file holds"
    )
    table.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="the same value in every new row"
    )
    table.add_argument("--source", dest="source_id", metavar="ID", help="where it is from: a source_id of sources.csv")
    for name in ("title", "url", "publisher"):
        table.add_argument(f"--source-{name}", metavar=name[0].upper(), help=f"{name} of a new source")
    table.add_argument("--source-language", default="en", metavar="L", help="language of a new source (default: en)")
    _add_common(table)
    table.set_defaults(run=run_csv)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--service", required=True, metavar="NAME", help="the service that failed, by id or name")
    parser.add_argument(
        "--sector", choices=SECTORS, metavar="S", help="sector of a service that is new to the evidence"
    )
    parser.add_argument(
        "--least-impact",
        choices=("minor", "major", "critical"),
        default="minor",
        help="the smallest impact that counts as an outage (default: minor)",
    )
    parser.add_argument(
        "--overlaps",
        choices=("report", "merge", "add"),
        default="report",
        help="what becomes of an outage that overlaps a row from elsewhere (default: report, and leave it out)",
    )
    parser.add_argument("--assume-utc", action="store_true", help="take times without a zone for UTC")
    parser.add_argument("--feed", metavar="NAME", help="what to put before the ids (default: host of the page)")
    parser.add_argument("--list-all", action="store_true", help="show every row and incident, not ten of each group")
    parser.add_argument("--write", action="store_true", help="write the tables")
    terminal.add_data_option(parser)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 86400:
        raise argparse.ArgumentTypeError(f"given {text!r}, expected a number of seconds above 0")
    return value


def run_statuspage(options: argparse.Namespace) -> int:
    """Import the feed of a status page."""
    from helpers import store
    from helpers.importing import feeds, origin, statuspage

    data, service_id, service = _place(options)
    fetched = feeds.fetch(options.source, options.timeout or feeds.TIMEOUT)
    try:
        feed = statuspage.read(fetched, _feed_name(options.feed or ""), options.assume_utc)
    except feeds.FeedError as error:
        raise feeds.FeedError(f"{options.source}: {error}") from None
    source = origin.page_source(store.read(data, "sources"), service_id, service, feed)
    return _import(options, data, feed, origin.Origin(feed.host, source, service_id, service))


def run_csv(options: argparse.Namespace) -> int:
    """Import a table."""
    from helpers import store
    from helpers.importing import feeds, incident_table, origin

    columns = incident_table.pairs(options.map, "--map", incident_table.MAPPED)
    fixed = incident_table.check_set(incident_table.pairs(options.set, "--set", incident_table.SET))
    data, service_id, service = _place(options)
    new = {name: getattr(options, f"source_{name}") for name in ("title", "url", "publisher", "language")}
    source = origin.table_source(store.read(data, "sources"), options.source_id, new)
    host = _feed_name(options.feed or origin.host(source["url"]) or source["source_id"])
    fetched = feeds.fetch(options.source)
    try:
        feed = incident_table.read(fetched.data, columns, host, fixed, options.assume_utc)
    except feeds.FeedError as error:
        raise feeds.FeedError(f"{options.source}: {error}") from None
    return _import(options, data, feed, origin.Origin(host, source, service_id, service, fixed, posts=False))


def _place(options: argparse.Namespace) -> tuple[Path, str, str]:
    """Return the folder of the tables, found sound, and id and name of the service."""
    from helpers import evidence, store
    from helpers.importing import origin

    data = params.evidence_folder(options.data)
    problems = evidence.check(data)
    if problems:
        raise evidence.EvidenceError(problems)
    known = params.Known({row["service_id"]: row["name"] for row in store.read(data, "services")}, {}, {}, {})
    try:
        found = params.service(options.service, known)
    except params.ParameterError as error:
        if not options.sector:
            raise params.ParameterError(f"{error}; a new one needs --sector, one of {', '.join(SECTORS)}") from None
        row = origin.service_row(options.service, options.sector, "", known.services)
        return data, row["service_id"], row["name"]
    return data, found, known.services[found]


def _feed_name(given: str) -> str:
    if any(letter.isspace() or letter in ":;" or not letter.isprintable() for letter in given):
        raise params.ParameterError(f"--feed: given {given!r}, expected a name without blanks, colons and semicolons")
    return given


def _import(options: argparse.Namespace, data: Path, feed: Feed, origin: Origin) -> int:
    """Merge a feed into the tables; write that if asked to, and show what it does."""
    from helpers import store
    from helpers.evidence import EvidenceError
    from helpers.importing import import_text, incidents, merge

    tables = {name: store.read(data, name) for name in ("outages", "growth_figures", "sources", "services")}
    known = [key for row in tables["outages"] for key in row["external_ids"].split(";")]
    taken, left = incidents.chosen(feed.incidents, options.least_impact, known)
    result = merge.merge(tables["outages"], tables["growth_figures"], taken, origin, options.overlaps)
    changed = _changed(tables, result, origin, options.sector)
    fault = ""
    try:
        # Written before anything is shown: whatever becomes of the output, the work is done.
        if changed and options.write:
            store.write(data, changed, tables)
        elif changed and (problems := store.check(data, changed)):
            raise EvidenceError(problems)
    except EvidenceError as error:
        fault = f"nothing written: the tables would have problems\n{terminal.problem_lines(error.problems)}"
    except store.ConflictError as error:
        fault = str(error)
    except OSError as error:
        fault = f"nothing written: {error.strerror or error} ({error.filename or data})"
    print(import_text.summary(result, left, feed))
    if not changed:
        print(import_text.nothing_to_write(result, feed))
    elif options.write and not fault:
        print(f"written: {', '.join(f'{table}.csv' for table in changed)}")
    for table in ("services", "sources"):
        for line in import_text.table_lines(table, tables[table], changed.get(table, tables[table])):
            print(line)
    most = None if options.list_all else import_text.FEW
    for line in import_text.group_lines(result, left, feed, origin, most):
        print(line)
    if fault:
        return terminal.complain(fault, 1)
    if changed and not options.write:
        print("nothing written; add --write")
    return 1 if feed.refused or result.refused or result.those("against") else 0


def _changed(tables: dict[str, list[Row]], result: Merge, origin: Origin, sector: str | None) -> dict[str, list[Row]]:
    """Return the tables that are to be written: outages, and the source and the service they are the first of."""
    from helpers.importing.origin import service_row

    changed = {"outages": result.rows} if result.changed else {}
    if not any(origin.source_id in row["source_ids"].split(";") for row in result.rows):
        return changed
    sources = [origin.source if row["source_id"] == origin.source_id else row for row in tables["sources"]]
    sources += [] if origin.source in sources else [origin.source]
    if sources != tables["sources"]:
        changed["sources"] = sources
    names = {row["service_id"]: row["name"] for row in tables["services"]}
    if origin.service_id not in names and sector:
        changed["services"] = [*tables["services"], service_row(origin.service, sector, origin.source_id, names)]
    return changed
