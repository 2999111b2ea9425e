"""What the tests of importing share: a local server, small tables, feeds in the shape of real ones."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from helpers import evidence, schemas, store

FEEDS = Path(__file__).parent / "feeds"
#: Who answers at a path: takes the request, writes the answer.
Answer = Callable[[BaseHTTPRequestHandler], None]


def body(data: bytes, code: int = 200, kind: str = "application/json", length: int | None = None) -> Answer:
    """Answer with bytes; ``length`` may promise more than there are."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(data) if length is None else length))
        request.end_headers()
        request.wfile.write(data)

    return answer


def redirect(target: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", target)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


@contextmanager
def server(answers: dict[str, Answer]) -> Iterator[str]:
    """Serve on a free port of this machine; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.get(self.path, body(b"not here", 404, "text/plain"))(self)

        def log_message(self, *_: object) -> None:
            pass

    here = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=here.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{here.server_port}"
    finally:
        here.shutdown()
        here.server_close()
        thread.join()


PRESS = {
    "outage_id": "chat-2024-03-05",
    "service_id": "chat",
    "service": "Chat",
    "kind": "outage",
    "incidents": "1",
    "start_utc": "2024-03-05",
    "end_utc": "2024-03-05",
    "time_precision": "day",
    "duration_hours": "2",
    "cause_category": "network",
    "cause": "a cut cable",
    "source_ids": "press-2024",
    "note": "As the paper has it.",
}


def row(**cells: str) -> dict[str, str]:
    """Return a row of outages.csv: the one of the press, with other cells."""
    return {**dict.fromkeys((field.name for field in schemas.FIELDS["outages"]), ""), **PRESS, **cells}


def make_tables(folder: Path, *outages: dict[str, str]) -> Path:
    """Write five tables without problems: services Chat and Rival, the outages given, no figure."""
    folder.mkdir(exist_ok=True)
    tables: dict[str, list[dict[str, str]]] = {
        "outages": list(outages),
        "growth_figures": [],
        "baselines": [],
        "services": [
            {"service_id": "chat", "name": "Chat", "sector": "messaging", "is_group": "false"},
            {"service_id": "rival", "name": "Rival", "sector": "messaging", "is_group": "false"},
        ],
        "sources": [
            {
                "source_id": "press-2024",
                "title": "Chat is down",
                "publisher": "The Paper",
                "url": "https://paper.example/chat",
                "published_date": "2024-03-06",
                "language": "en",
            }
        ],
    }
    tables["services"] = [{**one, "source_ids": "press-2024"} for one in tables["services"]]
    for table, rows in tables.items():
        (folder / f"{table}.csv").write_text(store.text(table, rows), encoding="utf-8", newline="")
    assert evidence.check(folder) == []
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def post(number: int, start: str, end: str | None, **more: Any) -> dict[str, Any]:
    """Return an incident in the shape of the JSON feed, with two posts, or one while it goes on."""
    posts = [("resolved", end), ("investigating", start)] if end else [("investigating", start)]
    return {
        "id": f"id{number:04}",
        "name": f"Incident {number}",
        "status": "resolved" if end else "investigating",
        "created_at": start,
        "updated_at": end or start,
        "monitoring_at": None,
        "resolved_at": end,
        "impact": "major",
        "shortlink": f"https://stspg.example/{number}",
        "started_at": start,
        "page_id": "p1",
        "incident_updates": [
            {
                "id": f"u{number}-{status}",
                "status": status,
                "body": "We are looking into it.",
                "incident_id": f"id{number:04}",
                "created_at": at,
                "updated_at": at,
                "display_at": at,
                "affected_components": None,
                "deliver_notifications": True,
            }
            for status, at in posts
        ],
        "components": [{"id": "c1", "name": "API", "status": "operational"}],
        **more,
    }


def feed(*posts: Any, **page: str) -> bytes:
    """Return a JSON feed."""
    whose = {
        "id": "p1",
        "name": "Chat",
        "url": "https://www.status.example",
        "time_zone": "Etc/UTC",
        "updated_at": "2024-06-01T00:00:00.000Z",
        **page,
    }
    return json.dumps({"page": whose, "incidents": list(posts)}).encode()
