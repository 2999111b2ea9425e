"""The bytes of a file or an address, unpacked where they are gzip; no more of them than a limit."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from urllib.parse import urlsplit

from helpers.reading.errors import ReadingError

#: Bytes, packed and unpacked: what is larger than this is not one series.
MOST_BYTES = 200_000_000
#: Seconds without an answer.
TIMEOUT = 30.0
GZIP = b"\x1f\x8b"
#: Some public interfaces refuse a client without a name.
AGENT = "adoption/0.1 (measured sign-ups; python-httpx)"


def is_address(source: str | Path) -> bool:
    """Say whether a source is an http or https address."""
    return str(source).lower().startswith(("http://", "https://"))


def name_of(source: str | Path) -> str:
    """Return what messages call a source: the name of a file, an address without password and query."""
    if not is_address(source):
        return Path(source).name or str(source)
    parts = urlsplit(str(source))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def fetch(source: str | Path, most: int = MOST_BYTES, timeout: float = TIMEOUT) -> bytes:
    """Return the content of a file or an address.

    Parameters
    ----------
    source : str or Path
        Path, or address beginning with http:// or https://.
    most : int
        Bytes at most: of an answer, and of anything unpacked.
    timeout : float
        Seconds to wait for an address.

    Raises
    ------
    ReadingError
        If there is no such file, no network, an answer other than the thing itself, or too much of it.
    """
    if is_address(source):
        data = _download(str(source), most, timeout)
    else:
        try:
            data = Path(source).read_bytes()
        except FileNotFoundError:
            raise ReadingError(f"{source}: no such file") from None
        except OSError as error:
            raise ReadingError(f"{source}: {error.strerror or error}") from None
    return _unpacked(data, most, name_of(source)) if data.startswith(GZIP) else data


def _download(address: str, most: int, timeout: float) -> bytes:
    import httpx

    name = name_of(address)
    found = bytearray()
    try:
        with httpx.stream(
            "GET", address, timeout=timeout, follow_redirects=True, headers={"User-Agent": AGENT}
        ) as answer:
            if answer.status_code >= 400:
                answer.read()
                detail = " ".join(answer.text[:200].split())
                raise ReadingError(f"{name}: the server answers {answer.status_code}{': ' + detail if detail else ''}")
            for part in answer.iter_bytes():
                found += part
                if len(found) > most:
                    raise ReadingError(f"{name}: more than {most // 1_000_000} MB, the most that is read")
    except httpx.TimeoutException:
        raise ReadingError(f"{name}: no answer within {timeout:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        said = str(error) or type(error).__name__
        raise ReadingError(f"{name}: cannot be reached ({said}); is there a network?") from None
    return bytes(found)


def _unpacked(data: bytes, most: int, name: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            unpacked = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ReadingError(f"{name}: gzip that cannot be unpacked ({error})") from None
    if len(unpacked) > most:
        raise ReadingError(f"{name}: unpacked more than {most // 1_000_000} MB, the most that is read")
    return unpacked
