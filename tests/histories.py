"""Evidence tables made of a few events, for the tests of the outage history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from helpers.evidence import Evidence
from helpers.history import History, select

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
) -> Evidence:
    """Build evidence of events, usual levels (service, day) and growth figures (service, event, day)."""
    rows = [EVENT | {"outage_id": f"e{i}"} | event for i, event in enumerate(events)]
    outages = frame(
        rows,
        {
            "outage_id": "str", "service_id": "str", "kind": "str", "incidents": "Int64", "start_utc": UTC,
            "end_utc": UTC, "time_precision": "str", "duration_hours": "float64", "duration_low_hours": "float64",
            "duration_high_hours": "float64", "cause_category": "str", "cause": "str", "source_ids": "str",
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
    return Evidence(outages, told, level, services, pd.DataFrame())


def steady(years: range, each: int, service: str = "a", **more: Any) -> list[dict[str, Any]]:
    """Put so many events into every year, evenly, an hour long each."""
    days = [pd.Timestamp(f"{y}-01-01") + pd.Timedelta(days=(i + 0.5) * 365 / each) for y in years for i in range(each)]
    return [{"service_id": service, "start_utc": str(day), "duration_hours": 1.0} | more for day in days]


def watched(
    events: Sequence[dict[str, Any]], until: str, services: Sequence[str] = ("a",), since: str = "2010-01-01"
) -> History:
    """Make a history of services that are all watched from a day on."""
    return select(tables(events, usual=[(service, since) for service in services]), list(services), until=until)
