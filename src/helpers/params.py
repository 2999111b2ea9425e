"""Parameters of the notebooks: one pydantic model each, checked before a kernel starts.

Papermill only warns about an unknown parameter and checks no type; here both are errors, all at once, each
with what was given, what was expected and near matches.
"""

import csv
import difflib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from helpers.groups import members
from helpers.models import NOTEBOOKS, Parameters
from helpers.results import state
from helpers.scenario.named import Published, published, settle
from helpers.schemas import FIELDS

ROOT = Path(__file__).resolve().parents[2]


#: Services that a message names before it says "...".
MOST_NAMED = 8


class ParameterError(ValueError):
    """Parameters that cannot be used; the message has one line for every fault."""


def resolve(notebook: str) -> str:
    """Return the whole name of a notebook given by its number, its name or its file name.

    Raises
    ------
    ParameterError
        If there is no such notebook; the message lists near matches.
    """
    given = Path(notebook).name.removesuffix(".ipynb")
    for name in NOTEBOOKS:
        number = name.partition("_")[0]
        if given in {name, number, number.lstrip("0")}:
            return name
    near = _near(given, NOTEBOOKS) or sorted(NOTEBOOKS)
    raise ParameterError(f"notebook: given {given!r}, expected a notebook's number or name: {', '.join(near)}")


@dataclass(frozen=True)
class Known:
    """Ids the evidence tables hold, as far as parameters refer to them.

    Attributes
    ----------
    services, outages : dict of str to str
        Names by service id; service ids by outage id.
    rivals : dict of str to tuple of str
        Service ids with a published figure, but for the failing service, by outage id.
    figures : dict of str to tuple of str
        The same with the failing service.
    last : str
        Day of the latest event; empty where there is none.
    events : dict of str to Published
        What a scenario has to know of every event, by outage id.
    groups : dict of str to tuple of str
        Parts of services that stand for several.
    """

    services: dict[str, str]
    outages: dict[str, str]
    rivals: dict[str, tuple[str, ...]]
    figures: dict[str, tuple[str, ...]]
    last: str = ""
    events: dict[str, Published] = dataclass_field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = dataclass_field(default_factory=dict)


def evidence_folder(directory: Path | str | None = None) -> Path:
    """Return the folder of the tables: the one given, ``ADOPTION_DATA``, or the project's ``data``."""
    return Path(directory or os.environ.get("ADOPTION_DATA") or ROOT / "data")


def rows(directory: Path, table: str) -> list[dict[str, str]]:
    """Read one evidence table as text, without the second pandas takes.

    A file without the table's columns, or a row with another number of cells, is a ValueError with file and line.
    """
    name = f"{table}.csv"
    with (directory / name).open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        missing = next((field.name for field in FIELDS[table] if field.name not in header), None)
        if missing:
            raise ValueError(f"{name}:1: no {missing} in the header" if header else f"{name}: nothing in it")
        found, line = [], 2
        for cells in reader:
            if cells and len(cells) != len(header):
                raise ValueError(f"{name}:{line}: fields: {len(cells)}, expected {len(header)}, as the header has")
            found += [dict(zip(header, cells, strict=True))] if cells else []
            line = reader.line_num + 1
    return found


def known_in(directory: Path) -> Known:
    """Return the ids in the tables of a folder.

    Raises
    ------
    OSError, ValueError
        If a table or a column is missing, or a row is not whole; `helpers.evidence.check` says more.
    """
    return _read(directory, state(directory / f"{table}.csv" for table in ("services", "outages", "growth_figures")))


@lru_cache(maxsize=4)
def _read(directory: Path, unchanged: tuple[object, ...]) -> Known:
    return _known(*(rows(directory, table) for table in ("services", "outages", "growth_figures")))


def _known(
    services: Iterable[Mapping[str, Any]],
    outages: Iterable[Mapping[str, Any]],
    figures: Iterable[Mapping[str, Any]],
) -> Known:
    rivals: dict[str, list[str]] = {}
    everyone: dict[str, list[str]] = {}
    for row in figures:
        for found, there in ((rivals, row["role"] != "failing_service"), (everyone, True)):
            told = found.setdefault(str(row["outage_id"]), [])
            if there and row["service_id"] not in told:
                told.append(str(row["service_id"]))
    events, named = list(outages), list(services)
    together = {str(row["service_id"]) for row in named if str(row["is_group"]).lower() == "true"}
    return Known(
        {str(row["service_id"]): str(row["name"]) for row in named},
        {str(row["outage_id"]): str(row["service_id"]) for row in events},
        {outage: tuple(told) for outage, told in rivals.items()},
        {outage: tuple(told) for outage, told in everyone.items()},
        max((str(row["start_utc"])[:10] for row in events), default=""),
        {str(row["outage_id"]): published(row) for row in events},
        members(together, {str(row["service_id"]) for row in named} - together),
    )


def check(notebook: str, given: Mapping[str, Any], evidence: Any = None) -> Any:
    """Return a notebook's parameters as its model, with ids as the evidence spells them.

    Parameters
    ----------
    notebook : str
        Number or name of the notebook.
    given : mapping
        Parameters by name; those left out take their defaults. Numbers may be given as text.
    evidence : helpers.evidence.Evidence or Known, optional
        With it, outages and services must exist, whatever their case.

    Raises
    ------
    ParameterError
        If anything cannot be used; the message has one line for every fault.
    """
    name = resolve(notebook)
    model = NOTEBOOKS[name]
    faults: list[str] = []
    try:
        good = model(**given).model_dump()
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors()}
        faults += [_fault(model, field, given[field]) for field in dict.fromkeys(given) if field in wrong]
        good = model(**{field: value for field, value in given.items() if field not in wrong}).model_dump()
        good = {field: value for field, value in good.items() if field not in wrong}
    if "users_affected" in model.model_fields and "outage_id" not in given and good.get("service", "").strip():
        good["outage_id"] = ""  # whoever names a service does not mean the default event
    if evidence is not None:
        tables = ("services", "outages", "growth_figures")
        known = evidence
        if not isinstance(known, Known):
            known = _known(*(getattr(evidence, table).to_dict("records") for table in tables))
        faults += _match(good, known, model.model_fields)
    faults += _together(good)
    if faults:
        head = f"{name}: {len(faults)} parameter{'s' if len(faults) > 1 else ''} cannot be used"
        raise ParameterError("\n".join([head, *(f"  {fault}" for fault in faults)]))
    return model(**good)


def _fault(model: type[Parameters], field: str, value: object) -> str:
    if field not in model.model_fields:
        near = _near(field, model.model_fields)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(model.model_fields)}"
        return f"{field}: given {value!r}, expected no such parameter; {hint}"
    extra = model.model_fields[field].json_schema_extra
    expected = extra["expected"] if isinstance(extra, dict) else "another value"
    line = f"{field}: given {value!r}, expected {expected}"
    if field == "level" and re.fullmatch(r"\s*[5-9][0-9](\.[0-9]+)?\s*%?\s*", str(value)):
        line += f"; did you mean {float(str(value).strip(' %')) / 100:.10g}?"
    return line


def _match(good: dict[str, Any], known: Known, fields: Collection[str]) -> list[str]:
    """Check ids against the evidence, and put them into `good` as the evidence spells them."""
    faults = []
    spelled = _spelled(known)
    outage = good.get("outage_id")
    scenario = "users_affected" in fields
    none = ("",) if scenario else ("", "all") if "service" in fields else ()
    if outage is not None and outage.strip().lower() not in none:
        found = _outage_id(outage, known)
        if found is None:
            faults.append(_unknown_outage(outage, known))
        good["outage_id"] = outage = found
    elif outage is not None:
        good["outage_id"] = outage = "" if scenario else "all"
    rated = None if scenario else outage  # a scenario may have any rival
    here = known.rivals.get(rated or "", ())
    for field in ("rivals", "baseline_per_day"):
        value = good.get(field)
        if not isinstance(value, list | dict):
            continue
        ids = {name: spelled.get(name.strip().lower()) for name in value}
        faults += [
            _unknown_rival(field, name, found, rated, here, known)
            for name, found in ids.items()
            if found is None or (rated and found not in here)
        ]
        if isinstance(value, list):
            good[field] = list(dict.fromkeys(found for found in ids.values() if found))
        else:
            good[field] = {found: value[name] for name, found in ids.items() if found}
    faults += _match_services(good, known, spelled, scenario)
    if scenario:
        faults += settle(good, known)
    if "sectors" in good and "exclude" in good:
        events = {name: _outage_id(name, known) for name in good["exclude"]}
        faults += [_unknown_outage(name, known, "exclude") for name, event in events.items() if event is None]
        good["exclude"] = list(dict.fromkeys(event for event in events.values() if event))
    if good.get("since") and known.last and good["since"] > known.last:
        faults.append(f"since: given {good['since']!r}, expected a day of the evidence, which ends on {known.last}")
    return faults


def _match_services(good: dict[str, Any], known: Known, spelled: Mapping[str, str], scenario: bool) -> list[str]:
    """Check the services a history or a list of figures is about."""
    faults = []
    if "services" in good:
        ids = {name: spelled.get(name.strip().lower()) for name in good["services"]}
        wrong = [name for name, found in ids.items() if found is None]
        faults += [f"services: {_no_service(name, spelled)}" for name in wrong]
        good["services"] = list(dict.fromkeys(found for found in ids.values() if found))
    if good.get("service"):
        found = spelled.get(good["service"].strip().lower())
        if found is None:
            return [*faults, f"service: {_no_service(good['service'], spelled)}"]
        good["service"] = found
        if "outage_id" not in good or scenario:
            return faults
        outage = good["outage_id"]
        about = sorted(event for event, services in known.figures.items() if found in services)
        if not about:
            told = dict.fromkeys(one for services in known.figures.values() for one in services)
            near = f"{', '.join(list(told)[:MOST_NAMED])}{', ...' if len(told) > MOST_NAMED else ''}"
            faults.append(f"service: given {found!r}, expected one with published figures: {near}")
        elif outage not in (None, "all", *about):
            there = ", ".join(known.figures.get(outage, ())) or "nobody"
            faults.append(
                f"service: given {found!r}, expected one with figures after {outage} ({there}); "
                f"{known.services[found]} has figures after {', '.join(about)} (or ask for all)"
            )
    return faults


def _no_service(given: str, spelled: Mapping[str, str]) -> str:
    line = f"given {given!r}, expected a service_id or name of data/services.csv"
    return line + _hint(_near_ids(given, spelled))


def _unknown_outage(given: str, known: Known, field: str = "outage_id") -> str:
    text = given.strip().lower()
    near = _near(text, known.outages)
    # An id starts with the name of its service: whoever knows the service may not know the date.
    services = [service for service in sorted(known.services, key=len) if text.startswith(service.lower())][-1:]
    services = services or [known.outages[name] for name in near[:1]]
    same = sorted(name for name, service in known.outages.items() if services and service == services[0])
    line = f"{field}: given {given!r}, expected an outage_id of data/outages.csv{_hint(near)}"
    return line + (f"; outages of {known.services[services[0]]}: {', '.join(same)}" if same else "")


def _unknown_rival(
    field: str, given: str, found: str | None, outage: str | None, here: tuple[str, ...], known: Known
) -> str:
    line = f"{field}: given {given!r}, expected a service with figures"
    if found is None:
        line += "; no such service" + _hint(_near_ids(given, _spelled(known)))
    return line + (f"; {outage} has figures for {', '.join(here) or 'nobody'}" if outage else "")


def _together(good: dict[str, Any]) -> list[str]:
    """Check what no single parameter can be blamed for."""
    if good.get("since") and good.get("until") and good["since"] >= good["until"]:
        return [f"until: given {good['until']!r}, expected a day after since, {good['since']}"]
    if good.get("outage_end") and good.get("outage_start") and good["outage_start"] >= good["outage_end"]:
        return [f"outage_end: given {good['outage_end']!r}, expected a moment after the start, {good['outage_start']}"]
    creators, hit = good.get("creators") or 0.0, good.get("users_affected") or 8.2e9
    if creators > hit:
        return [f"creators: given {creators:,.0f}, expected at most as many as people hit, {hit:,.0f}"]
    if not "1900" < (good.get("start") or "1970") < "2200":
        return [f"start: given {good['start']!r}, expected a moment between the years 1900 and 2200"]
    usual, rivals = good.get("baseline_per_day"), good.get("rivals")
    if isinstance(usual, float) and rivals is not None and len(rivals) != 1:
        return [
            f"baseline_per_day: given {usual:g}, expected one number for each rival (telegram={usual:g}), "
            f"as {len(rivals) or 'all'} rivals are looked at, not one"
        ]
    if isinstance(usual, dict) and rivals and set(usual) - set(rivals):
        return [
            f"baseline_per_day: given {', '.join(sorted(usual))}, expected only the rivals looked at: "
            f"{', '.join(rivals)}"
        ]
    return []


def service(given: str, known: Known) -> str:
    """Return the id of a service given by its id or its name, in any case.

    Raises
    ------
    ParameterError
        If there is no such service; the message lists near matches.
    """
    spelled = _spelled(known)
    found = spelled.get(given.strip().lower())
    if found is None:
        raise ParameterError(f"service: {_no_service(given, spelled)}")
    return found


def outage(given: str, known: Known) -> str:
    """Return the id of an outage as the evidence spells it.

    Raises
    ------
    ParameterError
        If there is no such outage; the message lists near matches.
    """
    found = _outage_id(given, known)
    if found is None:
        raise ParameterError(_unknown_outage(given, known))
    return found


def _outage_id(given: str, known: Known) -> str | None:
    """Return the id of an outage in any case as the evidence spells it."""
    return {known_id.lower(): known_id for known_id in known.outages}.get(given.strip().lower())


def _spelled(known: Known) -> dict[str, str]:
    """Return service ids by all that may be written for them, in small letters."""
    return {
        **{name.lower(): key for key, name in known.services.items()},
        **{key.lower(): key for key in known.services},
    }


def _hint(near: list[str]) -> str:
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _near_ids(given: str, spelled: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(spelled[name] for name in _near(given.strip(), spelled)))


def _near(given: str, names: Iterable[str]) -> list[str]:
    lower = {name.lower(): name for name in names}
    return [lower[match] for match in difflib.get_close_matches(given.lower(), lower, n=3, cutoff=0.7)]
