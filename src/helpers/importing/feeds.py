"""Getting a feed, from a file or an address: whole, not too large, in time, or one clear sentence why not."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from helpers import __version__

#: A page of the largest status sites is about 1 MB; a whole history about 10.
MOST_BYTES = 64_000_000
TIMEOUT = 20.0
#: Seconds for the whole answer: a server that sends a byte now and then keeps every single read in time.
WHOLE = 300.0
INCIDENTS = "/api/v2/incidents.json"
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


class FeedError(ValueError):
    """A feed cannot be got or read at all; the message is one line."""


@dataclass(frozen=True)
class Fetched:
    """What was got: the bytes, and the address they came from (empty for a file)."""

    data: bytes
    address: str = ""


def fetch(source: str, timeout: float = TIMEOUT, most: int = MOST_BYTES, whole: float = WHOLE) -> Fetched:
    """Read a file or an address.

    Parameters
    ----------
    source : str
        A file, or an address with http or https; that of a bare site stands for its incident feed.
    timeout : float
        Seconds to wait for a connection, and for each part of the answer.
    most : int
        Bytes, unpacked, that are read at most.
    whole : float
        Seconds that the whole answer may take.

    Raises
    ------
    FeedError
        If it cannot be read whole: no such file, no network, out of time, an answer other than 200, broken off,
        too large.
    """
    if _SCHEME.match(source):
        return _download(source, timeout, most, whole)
    path = Path(source)
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FeedError(f"{source}: {reason}, expected a file, or an address that begins with https://") from None
    _check_size(source, len(data), most)
    return Fetched(data)


def _check_size(source: str, size: int, most: int) -> None:
    if size > most:
        raise FeedError(f"{source}: more than {most / 1e6:g} MB, expected a feed of at most that")


def _download(source: str, timeout: float, most: int, whole: float) -> Fetched:
    import httpx

    try:
        parts = urlsplit(source)
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise FeedError(f"{source}: expected an address with http:// or https://")
        if parts.path in ("", "/"):
            parts = parts._replace(path=INCIDENTS)
        with (
            httpx.Client(
                follow_redirects=True,
                max_redirects=5,
                timeout=timeout,
                headers={"User-Agent": f"adoption/{__version__}"},
            ) as client,
            client.stream("GET", urlunsplit(parts)) as answer,
        ):
            if answer.status_code != 200:
                raise FeedError(f"{answer.url}: answered {answer.status_code} {answer.reason_phrase}, expected a feed")
            started, data = time.monotonic(), bytearray()
            for piece in answer.iter_bytes():
                data += piece
                _check_size(source, len(data), most)
                if time.monotonic() - started > whole:
                    raise FeedError(f"{source}: not whole after {whole:g} s")
            return Fetched(bytes(data), str(answer.url))
    except httpx.TimeoutException:
        raise FeedError(f"{source}: no answer within {timeout:g} s; --timeout sets how long to wait") from None
    except httpx.ConnectError as error:
        raise FeedError(f"{source}: no connection ({error}); is the address right, and is there a network?") from None
    except httpx.RemoteProtocolError as error:
        raise FeedError(f"{source}: the answer broke off ({error})") from None
    except httpx.TooManyRedirects:
        raise FeedError(f"{source}: redirected more than five times") from None
    except httpx.UnsupportedProtocol:
        raise FeedError(f"{source}: redirected to something other than http or https") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        if isinstance(error, FeedError):
            raise
        raise FeedError(f"{source}: {error or type(error).__name__}") from None
