"""Evidence tables made of a few events, for the tests of the outage history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from helpers.evidence import Evidence
from helpers.incidence.history import History, select

UTC = "datetime64[us, UTC]"
EVENT = {
    "service_id": "a",
    "kind": "outage",
    "incidents": 1,
    "end_utc": None,
    "time_precision": "minute",
    "duration_hours": None,
    "duration_low_hours": None,
    "duration_high_hours": None,
    "cause_category": "unknown",
    "cause": "",
    "external_ids": "",
    "source_ids": "p",
}


def frame(rows: list[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    """Build a typed frame, also from no rows."""
    made = pd.DataFrame(rows, columns=list(columns))
    for name, dtype in columns.items():
        made[name] = (
            pd.to_datetime(made[name], utc=True, format="ISO8601").astype(UTC)
            if dtype == UTC
            else made[name].astype(dtype)
        )
    return made


def tables(
    events: Sequence[dict[str, Any]],
    usual: Sequence[tuple[str, str]] = (),
    figures: Sequence[tuple[str, str, str]] = (),
    groups: tuple[str, ...] = (),
    more: tuple[str, ...] = (),
    published: dict[str, str] | None = None,
) -> Evidence:
    """Build evidence of events, usual levels (service, day), growth figures (service, event, day) and dated sources."""
    rows = [EVENT | {"outage_id": f"e{i}"} | event for i, event in enumerate(events)]
    outages = frame(
        rows,
        {
            "outage_id": "str", "service_id": "str", "kind": "str", "incidents": "Int64", "start_utc": UTC,
            "end_utc": UTC, "time_precision": "str", "duration_hours": "float64", "duration_low_hours": "float64",
            "duration_high_hours": "float64", "cause_category": "str", "cause": "str", "external_ids": "str",
            "source_ids": "str",
        },
    )  # fmt: skip
    told = frame(
        [{"service_id": s, "outage_id": o, "window_start_utc": d, "window_end_utc": d} for s, o, d in figures],
        {"service_id": "str", "outage_id": "str", "window_start_utc": UTC, "window_end_utc": UTC},
    )
    level = frame(
        [{"service_id": s, "window_start_utc": d} for s, d in usual], {"service_id": "str", "window_start_utc": UTC}
    )
    names = sorted({*outages["service_id"], *told["service_id"], *level["service_id"], *more})
    services = pd.DataFrame({"service_id": names, "name": [n.upper() for n in names]}).astype("str")
    services["is_group"] = services["service_id"].isin(groups)
    pages = sorted({page for named in outages["source_ids"] for page in named.split(";")} | set(published or {}))
    dates = [(published or {}).get(page, "") for page in pages]
    sources = pd.DataFrame({"source_id": pages, "title": "t", "publisher": "P", "url": "", "published_date": dates})
    return Evidence(outages, told, level, services, sources.astype("str"))


def steady(years: range, each: int, service: str = "a", **more: Any) -> list[dict[str, Any]]:
    """Put so many events into every year, evenly, an hour long each."""
    days = [pd.Timestamp(f"{y}-01-01") + pd.Timedelta(days=(i + 0.5) * 365 / each) for y in years for i in range(each)]
    return [{"service_id": service, "start_utc": str(day), "duration_hours": 1.0} | more for day in days]


def watched(
    events: Sequence[dict[str, Any]], until: str, services: Sequence[str] = ("a",), since: str = "2010-01-01"
) -> History:
    """Make a history of services that are all watched from a day on: an event of that day opens each of them."""
    opened = [{"service_id": service, "start_utc": since} for service in services]
    return select(tables([*events, *opened]), list(services), until=until)


def fed(days: Sequence[str], service: str = "f", **more: Any) -> list[dict[str, Any]]:
    """Make imported events of an hour, one at noon of each day."""
    return [
        {"service_id": service, "start_utc": f"{day}T12:00Z", "end_utc": f"{day}T13:00Z", "duration_hours": 1.0,
         "external_ids": f"page:{service}{i}", "source_ids": "feed"} | more
        for i, day in enumerate(days)
    ]  # fmt: skip
