"""Getting a feed: everything that can go wrong on the way is one clear sentence."""

import gzip
import socket
import threading
import time
from pathlib import Path

import pytest
from feed_tools import body, feed, post, redirect, server

from helpers.importing import feeds
from helpers.importing.feeds import FeedError

FEED = feed(post(1, "2024-06-01T10:00:00Z", "2024-06-01T11:00:00Z"))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_an_address_is_read_as_it_is() -> None:
    with server({"/feed.json?page=2": body(FEED)}) as home:
        got = feeds.fetch(f"{home}/feed.json?page=2")
    assert got.data == FEED
    assert got.address == f"{home}/feed.json?page=2"


@pytest.mark.parametrize("end", ["", "/"])
def test_a_bare_site_stands_for_its_feed(end: str) -> None:
    with server({"/api/v2/incidents.json": body(FEED)}) as home:
        assert feeds.fetch(home + end).data == FEED


def test_redirects_are_followed() -> None:
    with server({"/old": redirect("/new"), "/new": body(FEED)}) as home:
        assert feeds.fetch(f"{home}/old").address == f"{home}/new"


def test_packed_answers_are_unpacked_and_held_to_the_size() -> None:
    def packed(request):  # type: ignore[no-untyped-def]
        data = gzip.compress(b" " * 2_000_000)
        request.send_response(200)
        request.send_header("Content-Encoding", "gzip")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    with server({"/bomb": packed}) as home:
        assert len(feeds.fetch(f"{home}/bomb").data) == 2_000_000
        with pytest.raises(FeedError, match=r"more than 1 MB"):
            feeds.fetch(f"{home}/bomb", most=1_000_000)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/missing", "answered 404 Not Found"),
        ("/broken", "answered 500 Internal Server Error"),
        ("/empty", "answered 204 No Content"),
        ("/round", "redirected more than five times"),
        ("/elsewhere", "something other than http or https"),
        ("/half", "broke off"),
    ],
)
def test_other_answers_are_one_sentence(path: str, message: str) -> None:
    answers = {
        "/broken": body(b"oh", 500, "text/plain"),
        "/empty": body(b"", 204),
        "/round": redirect("/round"),
        "/elsewhere": redirect("file:///etc/passwd"),
        "/half": body(FEED[:200], length=len(FEED)),
    }
    with server(answers) as home, pytest.raises(FeedError) as caught:
        feeds.fetch(home + path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_says_nothing() -> None:
    let_go, ended = threading.Event(), threading.Event()
    with server({"/slow": lambda _: (let_go.wait(60), ended.set())}) as home:
        with pytest.raises(FeedError, match=r"no answer within 0\.2 s; --timeout"):
            feeds.fetch(f"{home}/slow", timeout=0.2)
        assert not ended.is_set()  # the reader gave up while the server was still silent
        let_go.set()


def test_a_server_that_never_ends() -> None:
    def drip(request):  # type: ignore[no-untyped-def]
        request.send_response(200)
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        try:
            for _ in range(200):
                request.wfile.write(b" ")
                time.sleep(0.02)
        except OSError:  # the reader has gone, as it should
            pass

    with server({"/drip": drip}) as home, pytest.raises(FeedError, match=r"not whole after 0\.2 s"):
        feeds.fetch(f"{home}/drip", whole=0.2)


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound, not listening: refused
        with pytest.raises(FeedError, match="no connection"):
            feeds.fetch(f"http://127.0.0.1:{port}/x")


def test_no_such_host() -> None:
    with pytest.raises(FeedError, match="is there a network"):
        feeds.fetch("https://status.invalid")


@pytest.mark.parametrize("source", ["file:///etc/passwd", "ftp://x.example/y", "http://", "https://[::1/x"])
def test_addresses_that_are_none(source: str) -> None:
    with pytest.raises(FeedError):
        feeds.fetch(source)


def test_files(tmp_path: Path) -> None:
    (tmp_path / "feed.json").write_bytes(FEED)
    assert feeds.fetch(str(tmp_path / "feed.json")) == feeds.Fetched(FEED)
    with pytest.raises(FeedError, match="No such file"):
        feeds.fetch("www.status.example")
    with pytest.raises(FeedError, match="directory"):
        feeds.fetch(str(tmp_path))
    with pytest.raises(FeedError, match="more than"):
        feeds.fetch(str(tmp_path / "feed.json"), most=100)
    with pytest.raises(FeedError):
        feeds.fetch("a\0b")
