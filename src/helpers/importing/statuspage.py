"""The incident feeds of status pages in Atlassian's form: JSON (/api/v2/incidents.json) and Atom (/history.atom).

Other makers of status pages publish much the same. The feeds hold the latest incidents only, 50 in JSON and about 25
in Atom. Atom does not state the impact, and gives the times of posts as text, without a year.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from helpers.importing import incidents
from helpers.importing.feeds import FeedError, Fetched
from helpers.importing.incidents import DAY, MAINTENANCE, Feed, Incident, Refused, UnreadableError

_ATOM = "{http://www.w3.org/2005/Atom}"
_OVER = ("resolved", "postmortem")
_PLANNED = ("scheduled", "in_progress", "verifying", "completed")
_ONGOING = ("investigating", "identified", "monitoring", "update")
_POSTED = re.compile(r"([A-Z][a-z]{2})\s+(\d{1,2}),\s+(\d{2}:\d{2}(?::\d{2})?)\s+([A-Z]{1,5})(?:[+-]0+)?\s*$")
_IN_ADDRESS = re.compile(r"/incidents?/([^/?#]+)")
_HOST = re.compile(r"[a-z0-9._-]+")
_WHAT = "the incident feed of a status page, /api/v2/incidents.json or /history.atom"


def _time(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        raise ValueError("a time as text, 2014-02-22T19:00Z")
    return incidents.moment(value, bool((info.context or {}).get("assume_utc")))


Time = Annotated[datetime, BeforeValidator(_time)]
Id = Annotated[str, Field(pattern=f"^{incidents.ID}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Page(_Model):
    """Whose page it is."""

    name: str = ""
    url: str = ""


class Component(_Model):
    """A part of the service."""

    name: str


class Update(_Model):
    """One post about an incident; `display_at` is the time its author gave it."""

    status: str
    created_at: Time | None = None
    display_at: Time | None = None

    @property
    def at(self) -> datetime | None:
        """When it was posted, or is said to have been."""
        return self.display_at or self.created_at


class Post(_Model):
    """An incident as the JSON feed tells it."""

    id: Id
    name: str
    status: str
    impact: Literal["none", "minor", "major", "critical", "maintenance"] | None = None
    created_at: Time | None = None
    started_at: Time | None = None
    updated_at: Time | None = None
    resolved_at: Time | None = None
    incident_updates: list[Update] | None = None
    components: list[Component] | None = None


class Entry(_Model):
    """An incident as the Atom feed tells it."""

    id: Id
    name: str
    published: Time | None = None
    updated: Time | None = None


def read(fetched: Fetched, host: str = "", assume_utc: bool = False) -> Feed:
    """Read a feed in JSON or Atom.

    Parameters
    ----------
    fetched : Fetched
        The bytes, and where they are from.
    host : str, optional
        What to put before the ids; otherwise the host of the page that the feed names.
    assume_utc : bool
        Whether a time without a zone is one in UTC, not a fault.

    Returns
    -------
    Feed
        Incidents with times in UTC, in the order of the feed. An incident starts at `started_at`, else at
        `created_at`, else with its first post; it ends at `resolved_at`, else with the post that says resolved.

    Raises
    ------
    FeedError
        If it is no such feed as a whole. A single bad incident is listed in `refused`, the others go on.
    """
    try:
        text = fetched.data.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        raise FeedError(f"not text in UTF-8 (byte {error.start}), expected {_WHAT}") from None
    if not text:
        raise FeedError(f"nothing in it, expected {_WHAT}")
    if text.startswith("<"):
        return _from_atom(text, fetched.address, host, assume_utc)
    return _from_json(text, fetched.address, host, assume_utc)


# --- JSON


def _from_json(text: str, address: str, host: str, assume_utc: bool) -> Feed:
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedError(f"not whole JSON ({error}), expected {_WHAT}") from None
    posts = tree.get("incidents") if isinstance(tree, dict) else None
    if not isinstance(posts, list):
        raise FeedError(f"JSON without a list of incidents, expected {_WHAT}")
    try:
        page = Page.model_validate(tree.get("page") or {})
    except ValidationError:
        page = Page()
    home, host = _home(page.url, address, host)
    return _gathered(page.name, home, host, (_one_post(post, host, assume_utc) for post in posts))


def _one_post(raw: Any, host: str, assume_utc: bool) -> tuple[str, _Made | UnreadableError]:
    name = raw["id"] if isinstance(raw, dict) and isinstance(raw.get("id"), str) else ""
    try:
        return name, _from_post(Post.model_validate(raw, context={"assume_utc": assume_utc}), host)
    except ValidationError as error:
        return name, _fault(error)
    except UnreadableError as error:
        return name, error


def _from_post(post: Post, host: str) -> _Made:
    updates = [(update.status, update.at) for update in post.incident_updates or []]
    times = [at for _, at in updates if at]
    start = post.started_at or post.created_at or min(times, default=None)
    if start is None:
        raise UnreadableError("started_at", "", "a time, here or in created_at or an update")
    end, ended = post.resolved_at, "resolved_at"
    if end is None and post.status in _OVER:
        # Posts added later, a postmortem for one, do not make the outage longer.
        end = max((at for status, at in updates if status == "resolved" and at), default=None)
        ended = "incident_updates"
    newest = max([at for at in (post.updated_at, post.resolved_at, start, *times) if at])
    found = Incident(
        key=f"{host}:{post.id}",
        start=start,
        end=incidents.checked_end(start, end, ended),
        name=incidents.title(post.name),
        impact=MAINTENANCE if post.status in _PLANNED else post.impact or "",
        parts=incidents.parts(part.name for part in post.components or []),
        seen=max(times, default=start),
    )
    return found, newest


# --- Atom


def _from_atom(text: str, address: str, host: str, assume_utc: bool) -> Feed:
    from defusedxml import DefusedXmlException, ElementTree

    if re.match(r"<(?:!doctype\s+html|html)\b", text, re.IGNORECASE):
        raise FeedError(f"a page in HTML, expected {_WHAT}")
    try:
        root = ElementTree.fromstring(text)
    except DefusedXmlException:
        raise FeedError(f"XML that declares entities, expected {_WHAT}") from None
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise FeedError(f"not whole XML ({error}), expected {_WHAT}") from None
    if root.tag != f"{_ATOM}feed":
        raise FeedError(f"XML that begins with {root.tag!r:.60}, expected {_WHAT}")
    title = re.sub(r"\s*(?:- Incident History|- Incident history|Status|status)$", "", _text(root, "title"))
    home, host = _home(_link(root) or _link(root, "self"), address, host)
    title = re.sub(r"\s+[Ss]tatus$", "", title)
    return _gathered(title, home, host, (_one_entry(entry, host, assume_utc) for entry in root.iter(f"{_ATOM}entry")))


def _one_entry(entry: Any, host: str, assume_utc: bool) -> tuple[str, _Made | UnreadableError]:
    # The page's address holds the id of the JSON feed; the tag holds another number of the same incident.
    found = _IN_ADDRESS.search(_link(entry))
    given = found[1] if found else _text(entry, "id").rpartition("/")[2]
    raw = {
        "id": given,
        "name": _text(entry, "title"),
        "published": _text(entry, "published") or None,
        "updated": _text(entry, "updated") or None,
    }
    try:
        model = Entry.model_validate(raw, context={"assume_utc": assume_utc})
        return given, _from_entry(model, _text(entry, "content"), host)
    except ValidationError as error:
        return given, _fault(error)
    except UnreadableError as error:
        return given, error


def _from_entry(entry: Entry, content: str, host: str) -> _Made:
    newest = entry.updated or entry.published
    if newest is None:
        raise UnreadableError("published", "", "a time, here or in updated")
    posts = list(_posts(content, newest))
    times = [at for _, at in posts if at]
    states = [status for status, _ in posts if status != "update"]
    # Some pages put the time of the last post into both: the first post is then the earlier one.
    start = min([entry.published or newest, *times])
    end = None
    if states and states[0] in _OVER:
        end = next((at for status, at in posts if status == "resolved" and at), None)
        if end is None and states[0] == "resolved":
            end = entry.updated
    found = Incident(
        key=f"{host}:{entry.id}",
        start=start,
        end=incidents.checked_end(start, end, "content"),
        name=incidents.title(entry.name),
        impact=MAINTENANCE if set(states) & set(_PLANNED) else "",
        seen=max([*times, newest]),
    )
    return found, newest


def _posts(content: str, newest: datetime) -> Iterator[tuple[str, datetime | None]]:
    """Yield status and time of each post in an entry's HTML, the newest first."""
    from bs4 import BeautifulSoup

    if "<p" not in content:  # plain text; the parser warns of some
        return
    for paragraph in BeautifulSoup(content, "html.parser").find_all("p"):
        strong, small = paragraph.find("strong"), paragraph.find("small")
        status = strong.get_text().strip().lower().replace(" ", "_") if strong else ""
        if status in (*_OVER, *_PLANNED, *_ONGOING):
            yield status, _posted(small.get_text() if small else "", newest)


def _posted(text: str, newest: datetime) -> datetime | None:
    """Read "Mar 26, 03:35 UTC": the last such moment that is not after the newest update."""
    match = _POSTED.search(" ".join(text.split()))
    for year in (newest.year + 1, newest.year, newest.year - 1) if match else ():
        assert match is not None
        try:
            found = parsedate_to_datetime(f"{match[2]} {match[1]} {year} {match[3]} {match[4]}")
        except ValueError:  # 29 February of a year without one
            continue
        if found.tzinfo is None:  # an abbreviation that means several zones, or none
            return None
        found = found.astimezone(UTC).replace(second=0)
        if found <= newest + DAY:
            return found
    return None


def _text(element: Any, name: str) -> str:
    found = element.find(f"{_ATOM}{name}")
    return "" if found is None else "".join(found.itertext()).strip()


def _link(element: Any, kind: str = "alternate") -> str:
    links = (link for link in element.findall(f"{_ATOM}link") if link.get("rel", "alternate") == kind)
    return next((link.get("href", "") for link in links), "")


# --- both

_Made = tuple[Incident, datetime]


def _gathered(name: str, home: str, host: str, made: Iterator[tuple[str, _Made | UnreadableError]]) -> Feed:
    found, refused, newest = [], [], None
    for number, (label, result) in enumerate(made, 1):
        label = incidents.one_line(label, 40)
        where = f"incident {number} ({label})" if label else f"incident {number}"
        if isinstance(result, UnreadableError):
            refused.append(Refused(where, result.field, result.value, result.expected))
            continue
        incident, updated = result
        newest = max(newest or updated, updated)
        found.append(replace(incident, where=where))
    kept, twice = incidents.once(found)
    return Feed(incidents.title(name, 80), home, host, newest, kept, (*refused, *twice))


def _home(stated: str, address: str, host: str) -> tuple[str, str]:
    """Return the address of the page, and the host that goes before ids."""
    for candidate in (stated, address, f"https://{host}" if host else ""):
        try:
            parts = urlsplit(candidate)
            name = (parts.hostname or "").removeprefix("www.")
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and _HOST.fullmatch(name):
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", host or name
    raise FeedError("the feed does not say whose page it is; --feed githubstatus.com, for example, does")


def _fault(error: ValidationError) -> UnreadableError:
    """Turn pydantic's first complaint into field, value, and what was expected."""
    first = error.errors(include_url=False)[0]
    expected = str(first.get("ctx", {}).get("error", "")) or first["msg"]
    expected = expected.removeprefix("Input should be ")
    if first["type"] == "missing":
        return UnreadableError(".".join(map(str, first["loc"])), "", "a value; there is none")
    if first["type"] == "string_pattern_mismatch":
        expected = "an id of letters and digits without blanks, at most 100"
    if first["type"] == "model_type":
        expected = "an object in braces"
    return UnreadableError(".".join(map(str, first["loc"])) or "incident", first["input"], expected)
