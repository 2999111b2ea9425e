"""The look of every figure: colours, sizes, and how much room words take; lengths in points (1/72 inch)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import TextToPath

FONT = "DejaVu Sans"  # comes with matplotlib, so that every machine draws the same
INK, QUIET, RULE, PAPER = "#1f2430", "#5b6270", "#e3e6eb", "#ffffff"
FIT, OUTAGE, OTHER = "#1568ab", "#b3261e", "#5b6270"  # told apart also without colour: see DASHES and HATCH
FIT_50, FIT_95, OUTAGE_BAND, SHADE, OTHER_BAND = "#9cc1e0", "#d8e7f3", "#e6b8b3", "#f9e8e6", "#e9ebee"
DASHES, DOTS, HATCH = (0, (5, 2.5)), (0, (1, 2)), "////"

Box = tuple[float, float, float, float]  # left, bottom, right, top


@dataclass(frozen=True)
class Size:
    """One of the two widths a figure is drawn in; font sizes and lengths in points."""

    width: float
    title: float
    text: float
    edge: float

    @property
    def small(self) -> float:
        """Font size of sources and keys."""
        return self.text - 1


WIDE = Size(720, 18, 11, 14)
NARROW = Size(302.4, 14, 10.5, 8)  # a 360 px phone shows it at about 1.1 px a point


@contextmanager
def style() -> Iterator[None]:
    """Draw and save inside this context; the settings outside stay as they were."""
    settings: Any = {  # the keys known to the type checker differ between matplotlib 3.10 and 3.11
        "font.family": [FONT],
        "text.parse_math": False,  # "$19bn" is money
        "text.hinting": "none",
        "svg.fonttype": "none",  # text stays text; `picture.svg` fixes its width for where the font is missing
        "svg.hashsalt": "adoption",  # the same figure is the same bytes
        "hatch.linewidth": 0.8,
        "path.simplify": True,
    }
    with mpl.rc_context(settings):
        yield


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=[FONT]))).get_charmap())


def drawable(text: str) -> str:
    """Replace what the font cannot draw by "?"; line breaks stay, other blanks become one space."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join("".join(c if ord(c) in _glyphs() else "?" for c in line) for line in lines)


@lru_cache(maxsize=4096)
def line_width(text: str, size: float, bold: bool) -> float:
    """Return the width in points of one line of text."""
    font = FontProperties(family=[FONT], size=size, weight="bold" if bold else "normal")
    return float(TextToPath().get_text_width_height_descent(text, font, ismath=False)[0])


def extent(text: str, size: float, bold: bool = False) -> tuple[float, float]:
    """Return width and height in points of text that may have several lines."""
    lines = text.split("\n")
    # matplotlib sets a line 1.2 times the height of "lp", which is about the font size in this font
    return max(line_width(line, size, bold) for line in lines) + 1, size * (1.02 + 1.21 * (len(lines) - 1))


def wrap(text: str, width: float, size: float, bold: bool = False, even: bool = False) -> str:
    """Break text into lines no wider than ``width`` points; a longer word is broken where it must be.

    ``even`` makes the lines about equally long, without adding one.
    """
    broken = _break(text, width, size, bold)
    if even and "\n" in broken:
        for narrower in np.linspace(width, width / 2, 16)[1:]:
            closer = _break(text, float(narrower), size, bold)
            if closer.count("\n") > broken.count("\n"):
                break
            broken = closer
    return broken


def _break(text: str, width: float, size: float, bold: bool) -> str:
    lines: list[str] = []
    for paragraph in drawable(text).split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line_width(longer, size, bold) <= width or not longer:
                line = longer
                continue
            if line:
                lines.append(line)
            while len(word) > 1 and line_width(word, size, bold) > width:
                fits = next((n for n in range(len(word), 1, -1) if line_width(word[:n], size, bold) <= width), 1)
                fits = word.rfind("/", 1, fits) + 1 or fits  # between two names rather than inside one
                lines.append(word[:fits])
                word = word[fits:]
            line = word
        lines.append(line)
    return "\n".join(lines)
