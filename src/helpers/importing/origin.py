"""Where imported rows are from: the feed's row in sources.csv, and that of a new service in services.csv."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from helpers.importing.incidents import Feed, one_line
from helpers.params import ParameterError

Row = dict[str, str]


@dataclass(frozen=True)
class Origin:
    """What all rows of one import have in common.

    Attributes
    ----------
    host : what stands before the ids in `external_ids`.
    source : the row of sources.csv.
    service_id, service : the service that failed, by key and by name.
    fixed : columns filled alike in every new row; `kind` is among them.
    posts : whether start and end are times of status posts, not of the outage itself.
    """

    host: str
    source: Row
    service_id: str
    service: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    posts: bool = True

    @property
    def source_id(self) -> str:
        """Key of the source."""
        return self.source["source_id"]

    @property
    def kind(self) -> str:
        """Kind of the events."""
        return self.fixed.get("kind", "outage")


def slug(text: str) -> str:
    """Return text as part of an id: small letters, digits, hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def service_row(name: str, sector: str, source_id: str, known: Mapping[str, str]) -> Row:
    """Return the row of a new service.

    Parameters
    ----------
    name, sector : str
        As typed.
    source_id : str
        Where it is from.
    known : mapping of str to str
        Names of services by id.

    Raises
    ------
    ParameterError
        If no id can be made of the name, or another service has it.
    """
    name = one_line(name, 80)
    key = slug(name)
    if not key:
        raise ParameterError(f"--service: given {name!r}, expected a name with Latin letters or digits")
    if key in known:
        raise ParameterError(
            f"--service: given {name!r}, whose id {key} is that of {known[key]}; expected another name"
        )
    return {
        "service_id": key,
        "name": name,
        "sector": sector,
        "is_group": "false",
        "identity": "",
        "source_ids": source_id,
    }


def page_source(sources: Sequence[Row], service_id: str, service: str, feed: Feed) -> Row:
    """Return the source row of a status page: the one there is, or a new one; dated by the newest update."""
    start = f"statuspage-{service_id}"
    own = re.compile(rf"{re.escape(start)}(-\d+)?")
    for row in sources:
        if own.fullmatch(row["source_id"]) and host(row["url"]) == host(feed.address):
            return _dated(row, feed)
    publisher = feed.name or service
    row = {
        "source_id": _free(start, {row["source_id"] for row in sources}),
        "title": f"{publisher} status page: incident history",
        "publisher": publisher,
        "url": feed.address,
        "published_date": "",
        "language": "en",
    }
    return _dated(row, feed)


def table_source(sources: Sequence[Row], given: str | None, new: Mapping[str, str | None]) -> Row:
    """Return the source row of a table: the one named by its id, or one made of title, address and publisher.

    Parameters
    ----------
    sources : sequence of dict
        Rows of sources.csv.
    given : str or None
        Id of a source that is there.
    new : mapping
        Title, url, publisher and language of a new one. A source with that address is that source.

    Raises
    ------
    ParameterError
        If there is no such source, or too little or too much is given.
    """
    known = {row["source_id"]: row for row in sources}
    if given is not None:
        if any(new[name] for name in ("title", "url", "publisher")):
            raise ParameterError("--source: given with --source-title, -url or -publisher, expected one or the other")
        if given not in known:
            raise ParameterError(f"--source: given {given!r}, expected a source_id of data/sources.csv")
        return known[given]
    clean = {name: one_line(value or "", 300) for name, value in new.items()}
    missing = [f"--source-{name}" for name in ("title", "url", "publisher") if not clean[name]]
    if missing:
        raise ParameterError(f"no {', '.join(missing)}: expected --source ID, or title, url and publisher of a new one")
    if not host(clean["url"]):
        raise ParameterError(f"--source-url: given {clean['url']!r}, expected an address that begins with https://")
    for row in sources:
        if row["url"] == clean["url"]:
            return row
    key = _free(slug(f"{clean['publisher']} {clean['title']}")[:60].strip("-") or "table", set(known))
    return {"source_id": key, "published_date": "", **clean}


def _dated(row: Row, feed: Feed) -> Row:
    newest = f"{feed.newest:%Y-%m-%d}" if feed.newest else ""
    return {**row, "published_date": max(row["published_date"], newest)}


def host(address: str) -> str:
    """Return the host of an address, without www; empty where it is none."""
    parts = urlsplit(address)
    return (parts.hostname or "").removeprefix("www.") if parts.scheme in ("http", "https") else ""


def _free(start: str, taken: Collection[str]) -> str:
    number, found = 1, start
    while found in taken:
        number += 1
        found = f"{start}-{number}"
    return found
