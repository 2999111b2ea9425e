"""What the index shows of one report, its numbers in words and its first figure: small, and harmless.

A report may be broken, half written or made by somebody else: what cannot be shown is left out, never an error.
"""

import base64
import io
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Any

from helpers import marks, words
from helpers.render import FIGURE, HIDDEN, refused
from helpers.results import sha

NAMES = {
    "extra_users_confounder": "extra users, other cause",
    "peak_rate": "at the peak",
    "half_life": "half-life",
    "baseline_rate": "usual",
    "gain_per_affected_user": "gain per affected user",
    "outages_next_12_months": "outages within 12 months",
    "expected_users": "expected without the outage",
    "settled_level": "level afterwards",
    "users_brought_forward": "only brought forward",
    "gain_ratio_affected": "gain at ten times the people hit:",
    "gain_ratio_hours": "gain at twice the hours down:",
    "gain_ratio_block": "a block against an outage:",
    "gain_ratio_shutdown": "a shutdown against an outage:",
}
#: Quantities that a card shows, and how many of them; headlines of the quiet notebooks say all that there is to say.
MAIN = ("extra_users", "outages_next_12_months")
MOST = 4
QUIET = ("01_outage_history", "02_growth_figures")
#: Service of an estimate about all events together.
ALL = "all"
#: Headings of the index, the main job first.
GROUPS = {
    "03_adoption_after_outage": "One outage: who gained",
    "02_growth_figures": "The published figures of one service",
    "01_outage_history": "How often services fail",
    "04_measured_signups": "One measured series: against what was expected",
    "05_who_gained": "Many measured series: who gained",
    "06_across_outages": "All outages together: the rule",
    "07_next_outage": "The next outage",
}
#: Kinds of events, as the evidence calls them and in the index.
KINDS = {
    "outage": "outage",
    "block": "block",
    "shutdown": "shutdown",
    "policy_shock": "shock without downtime",
}
#: Size of a small picture in pixels: about that of a card, so that its labels can be read.
WIDE, HIGH = 400, 225
COLOURS = 24
#: Larger files and drawings are not looked at: no report has come near.
MOST_BYTES, MOST_PIXELS, MOST_DRAWN = 20_000_000, 20_000_000, 150_000
JOINERS = "\u200c\u200d"  # between letters of Persian, Hindi and others
PANEL = re.compile(r"<clipPath[^>]*><rect" + "".join(rf' {name}="([\d.]+)"' for name in ("x", "y", "width", "height")))
VIEW = re.compile(r'<svg [^>]*viewBox=["\']0 0 ([\d.]+) ([\d.]+)["\']')
SHOT = re.compile(
    r'<img class="shot" data-of="(\w{64})" src="data:image/png;base64,([\w+/=]+)" alt="([^"]*)"', re.ASCII
)
LARGEST = 1e15
LINK = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Shot:
    """A small picture: what it was made of, PNG in base64, and alternative text, empty where a card says it all."""

    of: str
    png: str
    alt: str


def plain(text: object, most: int) -> str:
    """Return text on one line without signs that are not seen, its marks of direction written out; cut if long."""
    if not isinstance(text, str):
        raise TypeError(f"given {type(text).__name__}, expected text")
    signs = (" " if sign.isspace() else sign for sign in marks.shown(text[: most * 4]))
    seen = "".join(sign for sign in signs if sign in JOINERS or unicodedata.category(sign)[0] != "C")
    line = " ".join(seen.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def first_sentence(text: str) -> str:
    """Return the sentence that a figure's alternative text begins with: its finding."""
    return plain(re.split(r"(?<=[.?!]) |: ", plain(text, 1000))[0], 200)


def card(path: Path, folder: Path, names: Mapping[str, str], kinds: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what the index shows of one report, but for its picture.

    Parameters
    ----------
    path : Path
        The report's record.
    folder : Path
        Where the index stands.
    names, kinds : mapping of str to str
        Names of services by id; kinds of events by the event's id.

    Raises
    ------
    OSError, ValueError, TypeError, LookupError, OverflowError, RecursionError
        If the record is broken.
    """
    record = json.loads(path.read_bytes())
    if not isinstance(record, dict):
        raise TypeError("no record")
    link = path.with_suffix(".html").relative_to(folder).as_posix()
    if not LINK.fullmatch(link):
        raise ValueError(f"{link}: no name that a link can have as it is")
    outage, notebook = record.get("outage_id", ""), plain(record["notebook"], 80)
    given = [item for item in record["estimates"] if _is_whole(item)]
    main = [item for item in given if item["quantity"] in MAIN] or (given if notebook not in QUIET else [])
    date = next((outage[i : i + 10] for i in range(len(outage)) if _is_date(outage[i : i + 10])), "")
    parameters = record.get("parameters")
    # A report on an event to come says itself what kind it would be.
    kind = (parameters.get("kind") if isinstance(parameters, dict) else None) or (kinds or {}).get(outage)
    title, headline = plain(record["title"], 200), plain(record["headline"], 500)
    if not title or not headline:
        raise ValueError("no title or no headline")
    return {
        "notebook": notebook,
        "group": GROUPS.get(notebook, notebook),
        "kind": KINDS.get(kind, "") if isinstance(kind, str) else "",
        "title": title,
        "headline": headline,
        "link": link,
        "estimates": [_told(item, names) for item in main[:MOST]],
        "size": main[0]["median"] if main and main[0]["quantity"] == "extra_users" else -math.inf,
        "width": _width(main[0]) if main else math.inf,
        "changed": path.stem != record.get("subject", outage),
        "date": date,
        "date_words": _date_words(datetime.fromisoformat(date)) if date else "",
        "made_words": _date_words(datetime.fromisoformat(record["made"]).astimezone(UTC)),
        "ranks": {},
        "shot": None,
    }


def _is_whole(item: Any) -> bool:
    """Say whether an estimate can be written and compared."""
    if not isinstance(item, dict):
        return False
    numbers: list[Any] = [item.get(name) for name in ("low", "median", "high", "level")]
    if not all(isinstance(item.get(name), str) for name in ("service", "quantity", "unit")):
        return False
    if not all(type(number) in (int, float) and abs(number) < LARGEST for number in numbers):
        return False
    if not (numbers[0] <= numbers[1] <= numbers[2] and 0 < numbers[3] < 1):
        return False
    try:
        return bool(estimate(item))
    except ValueError:  # a duration below zero, perhaps
        return False


def _told(item: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, str, str]:
    """Write whom or what an estimate is about, the estimate, and its middle where that is worth a word."""
    service, said = item["service"], plain(estimate(item), 120)
    middle = f"middle {words.count(item['median'], 2)}" if item["quantity"] == "extra_users" else ""
    if service == ALL and ": " in said:
        what, _, said = said.partition(": ")
        return what, said, middle
    return plain(names.get(service, service), 80), said, middle


def _width(item: Mapping[str, Any]) -> float:
    """Return how many times an interval's high end is its low end: people and ratios compare by that alone."""
    return float(item["high"] / item["low"]) if item["low"] > 0 else math.inf


def estimate(item: Mapping[str, Any]) -> str:
    """Write an estimate as a range in words, with its level if that is not 95%."""
    low, high, unit = item["low"], item["high"], item["unit"]
    what = NAMES.get(item["quantity"], item["quantity"].replace("_", " "))
    if unit.endswith(("/s", "/hour", "/day")):
        seconds = {"s": 1, "hour": 3600, "day": 86400}[unit.rpartition("/")[2]]
        text = f"{what} {words.rate_interval(low / seconds, high / seconds)}"
    elif unit == "hours":
        text = f"{what} {words.duration_interval(low, high)}"
    elif item["quantity"] == "outages_next_12_months":
        text = f"{low:.0f} to {high:.0f} {what}" if low < high else f"{low:.0f} {what}"
    elif item["quantity"] == "extra_users":
        text = f"{words.interval(low, high)} extra {unit}"
    else:
        text = f"{what} {low:.2g} to {high:.2g} {unit}".strip()
    return text if abs(item["level"] - 0.95) < 1e-9 else f"{text} ({words.percent(item['level'])} interval)"


def _date_words(when: datetime) -> str:
    return f"{when.day} {when:%B %Y}"


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def shots(page: Path) -> dict[str, Shot]:
    """Read the small pictures out of an earlier index, by what they were made of: making one takes a while."""
    try:
        text = page.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {of: Shot(of, png, unescape(alt)) for of, png, alt in SHOT.findall(text)}


def shot(notebook: Path, headline: str, earlier: Mapping[str, Shot]) -> Shot | None:
    """Return the small picture of an executed notebook's first figure.

    Parameters
    ----------
    notebook : Path
        The executed notebook.
    headline : str
        What its card says beside the picture.
    earlier : mapping of str to Shot
        Pictures made before.

    Returns
    -------
    Shot or None
        None if there is no notebook, no figure, or one that cannot be read.
    """
    try:
        source = _read(notebook)
        of = sha(f"{sha(source)} {headline} {_maker()}")
        return earlier.get(of) or _made(json.loads(source), headline, of)
    except Exception:  # Pillow and json fail in many ways, and a card without a picture is still a card
        return None


def drawing(notebook: Path) -> dict[str, Any] | None:
    """Return the first figure of an executed notebook as drawn, for a wide page and for a phone.

    Returns
    -------
    dict or None
        ``alt``, ``caption``, and ``wide`` and ``narrow``, each a triple of SVG in base64, width and height. None
        if there is no such figure, or one that a page may not hold.
    """
    try:
        output = _first_figure(json.loads(_read(notebook)))
        figure = output["data"][FIGURE]
        # The same rules as for the report's own page.
        if refused({"cells": [{"cell_type": "code", "outputs": [output]}]}):
            return None
        return {
            "alt": first_sentence(figure["alt"]),
            "caption": plain(figure["caption"], 600),
            **{size: _svg(figure[size]) for size in ("wide", "narrow")},
        }
    except Exception:  # as above
        return None


def _read(notebook: Path) -> bytes:
    if notebook.stat().st_size > MOST_BYTES:
        raise ValueError(f"{notebook}: too large")
    return notebook.read_bytes()


@lru_cache(maxsize=1)
def _maker() -> str:
    """Return a hash of what makes a small picture out of a figure."""
    from importlib.metadata import version

    return sha(Path(__file__).read_bytes() + version("pillow").encode())


def _first_figure(notebook: Mapping[str, Any]) -> Any:
    for cell in notebook["cells"]:
        if HIDDEN in cell.get("metadata", {}).get("tags", []):
            continue
        for output in cell.get("outputs", []):
            if {FIGURE, "image/png"} & set(output.get("data", {})):
                return output
    raise LookupError("no figure")


def _made(notebook: Mapping[str, Any], headline: str, of: str) -> Shot:
    from PIL import Image

    output = _first_figure(notebook)
    data = output["data"]
    alt = first_sentence(output["metadata"]["image/png"]["alt"])
    image: Any = Image.open(io.BytesIO(base64.b64decode("".join(data["image/png"]))), formats=["PNG"])
    if image.width * image.height > MOST_PIXELS:
        raise ValueError("too large")
    image = image.convert("RGB")
    image = image.crop(_part(str(data.get(FIGURE, {}).get("wide", "")), image.width, image.height))
    image.thumbnail((WIDE, HIGH), Image.Resampling.LANCZOS)
    paper = Image.new("RGB", (WIDE, HIGH), "#ffffff")
    paper.paste(image, ((WIDE - image.width) // 2, (HIGH - image.height) // 2))
    buffer = io.BytesIO()
    # The rounds of k-means keep a thin red line red beside large blue areas.
    paper.quantize(COLOURS, kmeans=3, dither=Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
    numbers = re.findall(r"\d[\d.,]*\b", alt)
    repeated = bool(numbers) and set(numbers) <= set(re.findall(r"\d[\d.,]*\b", headline))
    return Shot(of, base64.b64encode(buffer.getvalue()).decode("ascii"), "" if repeated else alt)


def _part(drawn: str, width: int, height: int) -> tuple[int, int, int, int]:
    """Choose the part of a figure to show, in pixels: its first panels, as the words above them stand in the card."""
    view = VIEW.search(drawn)
    panels = [tuple(map(float, found)) for found in PANEL.findall(drawn)]
    if not view or not panels:
        return 0, 0, width, height
    (x, top, wide, high), whole = panels[0], float(view[1])
    right, bottom = x + wide, top + high
    if bottom - top > right * HIGH / WIDE:
        right = whole  # a tall panel leaves room for the words beside it
    last = 1
    while last < len(panels) and sum(panels[last][1::2]) - top <= right * HIGH / WIDE:
        right, bottom = max(right, panels[last][0] + panels[last][2]), max(bottom, sum(panels[last][1::2]))
        last += 1
    scale = width / whole
    # Below the last panel stand the labels of its axis, below another one the words of the next.
    top, right, bottom = max(top - 3, 0), min(right + 8, whole), bottom + (19 if last == len(panels) else 6)
    return 0, round(top * scale), round(right * scale), min(round(bottom * scale), height)


def _svg(text: object) -> tuple[str, int, int] | None:
    from defusedxml.ElementTree import fromstring

    if text is None or text == "":
        return None
    view = VIEW.match(str(text))
    if not view or len(str(text)) > MOST_DRAWN:
        raise ValueError("no drawing of a known size")
    fromstring(str(text))  # half a drawing is none
    wide, high = (round(float(side)) for side in view.groups())
    return base64.b64encode(marks.shown(str(text)).encode()).decode("ascii"), wide, high
