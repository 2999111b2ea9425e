"""The rows of evidence that a report is made of: a change of any other row leaves it as it is.

Rows are text, read without pandas, so that asking costs nothing. What is named here is rather too much than too little:
a test changes rows that a report does not use and holds its numbers to what they were.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from helpers import params, results

Row = dict[str, str]
Tables = Mapping[str, list[Row]]
TABLES = ("outages", "growth_figures", "baselines", "services", "sources")
KEYS = {"outages": "outage_id", "growth_figures": "figure_id", "baselines": "baseline_id", "services": "service_id"}
#: What the error of a class of claimant is estimated from, wherever two classes spoke of one service and event
#: (`helpers.published.claimants`); the words of those rows do not count.
_CLAIMANTS = {
    "growth_figures": (
        *("figure_id", "outage_id", "service_id", "quantity", "value", "unit", "value_kind", "reading", "platform"),
        *("qualifier", "window_start_utc", "window_end_utc", "window_hours", "window_precision", "scope"),
        *("claimant_class", "repeats"),
    ),
    "baselines": (
        *("baseline_id", "service_id", "quantity", "value", "unit", "reading", "window_start_utc", "window_end_utc"),
        *("scope", "platform", "role"),
    ),
    "outages": ("outage_id", "start_utc"),
    "services": ("service_id", "name"),
}
#: What says since when a service is watched (`helpers.incidence.exposure`).
_WATCHED = {
    "growth_figures": ("outage_id", "service_id", "window_start_utc", "window_end_utc"),
    "baselines": ("service_id", "window_start_utc", "window_end_utc"),
}


def digest(notebook: str, values: Mapping[str, Any], folder: Path) -> str:
    """Return a hash of the rows that a report with these parameters is made of.

    Parameters
    ----------
    notebook : str
        Whole name.
    values : mapping
        Its parameters, as checked.
    folder : Path
        Of the evidence tables.
    """
    # Text only, in the order of its tables: the plain encoder gives the same for the same, ten times as fast.
    return results.sha(json.dumps(rows(notebook, values, folder)))


def rows(notebook: str, values: Mapping[str, Any], folder: Path) -> Any:
    """Return the rows that a report is made of, and parts of rows, as plain lists."""
    rule = _RULES.get(notebook, _everything)
    files = [folder / f"{table}.csv" for table in TABLES]
    return rule(_read(folder, results.state(files)), values)


@lru_cache(maxsize=4)
def _read(folder: Path, unchanged: tuple[object, ...]) -> Tables:
    return {table: params.rows(folder, table) for table in TABLES}


def _everything(tables: Tables, values: Mapping[str, Any]) -> Any:
    return tables


def _nothing(tables: Tables, values: Mapping[str, Any]) -> Any:
    return []


def _history(tables: Tables, values: Mapping[str, Any]) -> Any:
    whole = {table: tables[table] for table in ("outages", "services", "sources")}
    return whole, {table: _columns(tables[table], names) for table, names in _WATCHED.items()}


def _outage(tables: Tables, values: Mapping[str, Any]) -> Any:
    """One event, its confounders, the failures of its service, their figures and the usual levels of the rivals."""
    event = next(row for row in tables["outages"] if row["outage_id"] == values["outage_id"])
    near = {event["outage_id"], *_many(event["confounder_ids"])}
    family = set(event["service_id"].split("-"))
    outages = [
        row for row in tables["outages"] if row["outage_id"] in near or family & set(row["service_id"].split("-"))
    ]
    figures = [row for row in tables["growth_figures"] if row["outage_id"] in near]
    services = {row["service_id"] for row in [*outages, *figures]}
    figures += [row for row in tables["growth_figures"] if row["service_id"] in services and _is_total(row)]
    return _with_rest(tables, outages, figures, services)


def _is_total(row: Row) -> bool:
    """Whether a figure of any event may bound a gain (`helpers.ceilings`)."""
    return row["reading"] == "total" or row["quantity"] == "monthly_active"


def _figures(tables: Tables, values: Mapping[str, Any]) -> Any:
    """Every figure of one service, their events and what confounds those, and its usual levels."""
    figures = [row for row in tables["growth_figures"] if row["service_id"] == values["service"]]
    near = {row["outage_id"] for row in figures}
    near |= {other for row in tables["outages"] if row["outage_id"] in near for other in _many(row["confounder_ids"])}
    outages = [row for row in tables["outages"] if row["outage_id"] in near]
    return _with_rest(tables, outages, figures, {values["service"], *(row["service_id"] for row in outages)})


def _with_rest(tables: Tables, outages: list[Row], figures: list[Row], services: Collection[str]) -> Any:
    """Add usual levels, names, pages, and what errors of claimants are estimated from."""
    levels = [row for row in tables["baselines"] if row["service_id"] in services]
    named = [row for row in tables["services"] if row["service_id"] in services]
    pages = {page for row in (*outages, *figures, *levels, *named) for page in _many(row["source_ids"])}
    sources = [row for row in tables["sources"] if row["source_id"] in pages]
    groups = _columns(tables["services"], ("service_id", "is_group"))
    return outages, figures, levels, named, sources, groups, _claimants(tables)


def _claimants(tables: Tables) -> Any:
    classes: dict[tuple[str, str], set[str]] = {}
    for row in tables["growth_figures"]:
        classes.setdefault((row["outage_id"], row["service_id"]), set()).add(row["claimant_class"])
    told = {pair for pair, found in classes.items() if len(found) > 1}
    events, services = ({pair[place] for pair in told} for place in (0, 1))
    kept = {
        # Also totals told with other events: a stock of years is told from growth by them.
        "growth_figures": [
            row
            for row in tables["growth_figures"]
            if (row["outage_id"], row["service_id"]) in told
            or (row["service_id"] in services and row["reading"] == "total")
        ],
        "baselines": [row for row in tables["baselines"] if row["service_id"] in services],
        "outages": [row for row in tables["outages"] if row["outage_id"] in events],
        "services": [row for row in tables["services"] if row["service_id"] in services],
    }
    return {table: _columns(found, _CLAIMANTS[table]) for table, found in kept.items()}


def _columns(found: Iterable[Row], names: Collection[str]) -> list[list[str]]:
    return [[row[name] for name in names] for row in found]


def _many(cell: str) -> list[str]:
    return [one for one in cell.split(";") if one]


_RULES: dict[str, Callable[[Tables, Mapping[str, Any]], Any]] = {
    "01_outage_history": _history,
    "02_growth_figures": _figures,
    "03_adoption_after_outage": _outage,
    "04_measured_signups": _nothing,
    "05_who_gained": _nothing,
}
