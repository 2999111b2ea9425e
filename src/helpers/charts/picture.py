"""A figure together with its words: wide and narrow, never without alternative text, caption and source."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from helpers.charts.data import Data, table
from helpers.charts.theme import FONT, NARROW, WIDE, Size, line_width, style

_LINES = 'role="img" stroke-linejoin="round" stroke-linecap="butt"'
# Where matplotlib's own font is missing, its nearest relatives; each line of text keeps its width in any of them.
_FONTS = f'font-family="{FONT}, Verdana, Geneva, sans-serif"'
MIME = "application/vnd.adoption.figure+json"
#: The table behind a figure, as the page takes it.
DATA = "application/vnd.adoption.data+json"


class Picture:
    """A figure in two widths, with what a reader needs who cannot see it or asks where it is from.

    Parameters
    ----------
    draw : callable
        Takes `theme.WIDE` or `theme.NARROW` and returns a new matplotlib Figure.
    alt : str
        What the figure shows, with its numbers, for a screen reader.
    caption : str
        How to read it.
    source : str
        Where its numbers are from.
    data : optional
        What it draws, as `data.table` takes it; a report offers it as a file of CSV.

    Raises
    ------
    ValueError
        If alt, caption or source is empty.
    """

    def __init__(
        self, draw: Callable[[Size], Figure], alt: str, caption: str, source: str, data: object = None
    ) -> None:
        """Keep the words and how to draw; drawing waits until it is asked for."""
        for name, text in (("alt", alt), ("caption", caption), ("source", source)):
            if not text.strip():
                raise ValueError(f"a figure needs its {name}: it is empty")
        self._draw = draw
        self.alt, self.caption, self.source, self._view = alt, caption, source, data

    def figure(self, size: Size = WIDE) -> Figure:
        """Draw the figure anew."""
        with style():
            return self._draw(size)

    @cached_property
    def _wide(self) -> Figure:
        return self.figure(WIDE)

    @cached_property
    def wide(self) -> str:
        """The wide figure as SVG."""
        return svg(self._wide, self.alt)

    @cached_property
    def narrow(self) -> str:
        """The figure for a phone as SVG."""
        return svg(self.figure(NARROW), self.alt)

    @cached_property
    def data(self) -> Data | None:
        """What the figure draws as CSV, if it was given."""
        return None if self._view is None else table(self._view)

    def png(self, dpi: int = 144) -> bytes:
        """Return the wide figure as PNG, in 128 colours: a third of the size, and no difference to see."""
        buffer = io.BytesIO()
        with style():
            self._wide.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        small = io.BytesIO()
        image = Image.open(buffer).convert("RGB").quantize(128, dither=Image.Dither.NONE)
        image.save(small, format="png", optimize=True, dpi=(dpi, dpi))
        return small.getvalue()

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        words = {"alt": self.alt, "caption": self.caption, "source": self.source}
        data: dict[str, Any] = {
            "text/plain": self.alt,
            "image/png": base64.b64encode(self.png()).decode("ascii"),
            MIME: {"wide": self.wide, "narrow": self.narrow, **words},
        }
        if self.data and self.data.text:
            data[DATA] = {"data": self.data.text, "data_note": self.data.note}
        return data, {"image/png": {"alt": self.alt}}


def svg(figure: Figure, alt: str) -> str:
    """Write a figure as one small SVG element that can stand beside others in a page.

    The same figure gives the same text. Ids that nothing refers to are dropped and the others are made unique
    to the figure; coordinates keep a tenth of a point.
    """
    buffer = io.StringIO()
    with style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<text style=\"([^\"]*)\"([^>]*)>([^<]*)</text>", _fixed_width, text)
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' d="([^"]*)"', lambda m: f' d="{_short(m[1])}"', text)
    text = re.sub(r"translate\([^)]*\)", lambda m: _rounded(m[0], 2), text)
    text = text.replace("xlink:href", "href").replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    text = re.sub(r' transform="translate\(([-\d.]+) 0\)"/>', r' x="\1"/>', text)  # the letters of a line
    text = re.sub(r' ([xy])="([-\d.]+)"', lambda m: f' {m[1]}="{_rounded(m[2], 1)}"', text)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>|<g/>", "", text, flags=re.DOTALL)  # it would style the page
    text = re.sub(r"\s*\n\s*", " ", text).replace("> <", "><").replace(" />", "/>").strip()
    view = re.search(r'viewBox="[^"]*"', text)
    assert view is not None  # matplotlib always writes one
    label = f'aria-label="{html.escape(alt)}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {view[0]} {label} {_LINES} {_FONTS}>'
    text = opening + text[text.index(">") + 1 :]
    return _joined(_own_ids(text))


def _joined(text: str) -> str:
    """Drop groups that hold nothing or one thing, and draw neighbours of one look as one path or group."""
    text = re.sub(r'style="([^"]*)"', lambda m: f'style="{m[1].replace("; ", ";").replace(": ", ":")}"', text)
    text = re.sub(r'<path d="[^"]*" style="fill:none"/>', "", text)  # the invisible face of axes
    before = ""
    while before != text:
        before = text
        text = re.sub(r"<g/>|<g></g>", "", text)
        text = re.sub(r"<g>(<(?:path|use|image)\b[^<>]*/>)</g>", r"\1", text)
    stroke = r'<path d="([^"]*)"((?: clip-path="[^"]*")? style="fill:none;[^"]*")/>'
    runs = re.compile(rf"{stroke}(?:<path d=\"[^\"]*\"\2/>)+")

    def one(found: re.Match[str]) -> str:
        lines = "".join(re.findall(r' d="([^"]*)"', found[0]))
        return f'<path d="{lines}"{found[2]}/>'

    text = runs.sub(one, text)
    marks = re.compile(r'<use [^<>]*( style="[^"]*")/>(?:<use [^<>]*\1/>){3,}')
    return marks.sub(lambda found: f"<g{found[1]}>{found[0].replace(found[1], '')}</g>", text)


def _fixed_width(found: re.Match[str]) -> str:
    """Write a line of text so that it takes the same width in whatever font the reader has."""
    look, place, content = found.groups()
    size = re.search(r"font-size: ([\d.]+)px", look)
    assert size is not None  # matplotlib always writes one
    width = line_width(html.unescape(content), float(size[1]), "font-weight" in look)
    look = re.sub(r"; font-family: [^;]*", "", look)
    place = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", place)
    return f'<text style="{look}"{place} textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs">{content}</text>'


def _own_ids(text: str) -> str:
    used = dict.fromkeys(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
    prefix = "p" + hashlib.sha256(text.encode()).hexdigest()[:6]
    short = {a or b: f"{prefix}{i:x}" for i, (a, b) in enumerate(used)}
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{short[m[1]]}"' if m[1] in short else "", text)
    text = re.sub(r'href="#([^"]+)"', lambda m: f'href="#{short[m[1]]}"', text)
    return re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{short[m[1]]})", text)


def _short(path: str) -> str:
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", _rounded(" ".join(path.split()), 1))


def _rounded(text: str, digits: int) -> str:
    return re.sub(r"-?\d+\.\d+", lambda m: f"{round(float(m[0]), digits) + 0.0:g}", text)
