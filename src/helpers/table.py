"""A table as a page needs it: a caption, headed columns, every cell escaped."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from helpers.words import UNKNOWN, digits, listing, moment

if TYPE_CHECKING:
    import pandas as pd

DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")
NUMBER = re.compile(r"[-−+±<>≤≥]?\s*\d[\d.,\s]*%?")
#: What stays on one line inside a cell: a date with its time, a number with its unit, and a mark after it.
WHOLE = re.compile(
    r"(?:\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*(?: \d{4})?(?: \d{2}:\d{2})?|\d{2}:\d{2} UTC"
    r"|(?<![\w-])\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?Z?)?(?![\w-])"
    r"|(?<![\d-])[-−+±≤≥]?\d[\d.,]{,11} (?:million|billion|percent|times|days?|hours?|minutes?|seconds?)\b)[”).,;:]*"
)
#: A word of more characters may be broken anywhere, a cell of more scrolls inside itself.
LONG_WORD, LONG_TEXT = 15, 600
#: Where a long word is better broken, as the name of a site: before a dot, after a slash; after a hyphen it is anyway.
WORD = re.compile(rf"\S{{{LONG_WORD + 1},}}")
JOINT = re.compile(r"(?<=[^\W\d_])(?=[._@][^\W\d_])|(?<=[^\W\d_]/)(?=[^\W\d_])")
#: Columns whose longest text has more characters than this are at least so wide: names of classes of the style sheet.
WIDTHS = ((60, "text-wide"), (24, "text-medium"), (10, "text-narrow"))


class Table:
    """A table that a screen reader can read aloud and that cannot smuggle markup into the page.

    Parameters
    ----------
    frame : pandas.DataFrame
        Shown without its index. Missing cells are empty, moments are written in UTC.
    caption : str
        What the table holds; required.
    links : mapping of str to str, optional
        Column -> column of addresses. The address column itself is not shown. Only http and https addresses
        become links; anything else leaves the cell as text.
    align : mapping of str to {"num", "text"}, optional
        Overrides the alignment; numeric columns are "num" (right-aligned by the page's style sheet).

    Raises
    ------
    ValueError
        If the caption is empty, or links or align name a column that is not there.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        caption: str,
        links: Mapping[str, str] | None = None,
        align: Mapping[str, Literal["num", "text"]] | None = None,
    ) -> None:
        """Check the names and write every cell as plain text."""
        if not caption.strip():
            raise ValueError("a table needs a caption")
        self.caption, self._links, self._align = caption, dict(links or {}), dict(align or {})
        unknown = {*self._links, *self._links.values(), *self._align} - set(frame.columns)
        if unknown:
            there = listing([str(name) for name in frame.columns])
            raise ValueError(f"no column {listing(sorted(unknown))}; there are {there}")
        self._frame = frame
        self.columns = [str(name) for name in frame.columns if name not in self._links.values()]
        self.cells = [[_cell(value) for value in row] for row in frame[self.columns].itertuples(index=False)]

    def _class(self, name: str) -> str:
        numeric = self._frame[name].dtype.kind in "iuf"
        # JupyterLab would set text to the right; a page takes its own style and drops this one.
        number = self._align.get(name, "num" if numeric else "text") == "num"
        return ' class="num"' if number else ' style="text-align:left"'

    def _repr_html_(self) -> str:
        classes = [self._class(name) for name in self.columns]
        addresses = {name: list(self._frame[column]) for name, column in self._links.items()}
        named = zip(self.columns, classes, strict=True)
        head = "".join(f'<th scope="col"{css}>{html.escape(name)}</th>' for name, css in named)
        rows = []
        for i, row in enumerate(self.cells):
            shown = [
                _link(text, addresses[name][i]) if name in addresses else html.escape(text)
                for name, text in zip(self.columns, row, strict=True)
            ]
            rows.append("".join(f"<td{css}>{text}</td>" for css, text in zip(classes, shown, strict=True)))
        body = "\n".join(f"<tr>{row}</tr>" for row in rows)
        return (
            f"<table>\n<caption>{html.escape(self.caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
            f"<tbody>\n{body}\n</tbody>\n</table>"
        )

    @property
    def text(self) -> str:
        """The table as plain text, columns padded with spaces."""
        rows = [self.columns, *self.cells]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.columns))]
        right = ["num" in self._class(name) for name in self.columns]

        def line(row: list[str]) -> str:
            padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
            return "  ".join(padded).rstrip()

        return "\n".join([self.caption, *map(line, rows)])

    def __repr__(self) -> str:
        """Return the plain text form, for consoles and text exports."""
        return self.text


def _cell(value: object) -> str:
    # pandas' NA first: it refuses to be compared
    if value is None or type(value).__name__ == "NAType" or value != value:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value) if value.tzinfo else str(value)
    if isinstance(value, str):
        return " ".join(value.split())
    if hasattr(value, "__float__"):
        number = float(value)
        return digits(number) if math.isfinite(number) else UNKNOWN
    return str(value)


def _link(text: str, address: object) -> str:
    shown = html.escape(text)
    try:
        parts = urlsplit(address.strip()) if isinstance(address, str) else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc or not text:
        return shown
    return f'<a href="{html.escape(parts.geturl())}" rel="noopener">{shown}</a>'


class Sentence:
    """One sentence where a table would be empty."""

    def __init__(self, text: str) -> None:
        """Keep the text."""
        self.text = text

    def __repr__(self) -> str:
        """Return the text."""
        return self.text

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.text)}</p>"


def arranged(soup: Any, table: Any, number: int) -> None:
    """Get a table of a page ready: headings and cells named, columns wide enough, and room to scroll sideways.

    Parameters
    ----------
    soup, table : bs4.BeautifulSoup, bs4.Tag
        The page and the table in it, which is changed.
    number : int
        Which table of the page it is; its name where it has no caption.
    """
    for cell in table.find_all("th"):
        if not cell.get_text(strip=True):
            cell.name = "td"  # an empty heading says nothing to a screen reader
            del cell["scope"]
        elif not cell.get("scope"):
            cell["scope"] = "col" if cell.find_parent("thead") else "row"
    for cell in table.find_all("td"):
        if DATE.fullmatch(cell.get_text(strip=True)):
            _mark(cell, "date")
    if not table.find(class_="num"):
        _align(table)
    _widen(table)
    _hold(soup, table)
    caption = table.caption.get_text(" ", strip=True) if table.caption else f"Table {number}"
    table.wrap(soup.new_tag("div", attrs={"class": "table", "tabindex": "0", "role": "region", "aria-label": caption}))


def _mark(cell: Any, name: str) -> None:
    cell["class"] = [*cell.get("class", []), name]


def _align(table: Any) -> None:
    """Mark the columns of numbers in a table whose maker did not."""
    lines = [line.find_all(["td", "th"]) for line in table.find_all("tr")]
    body = [line.find_all(["td", "th"]) for line in table.select("tbody tr")]
    for column in range(min(map(len, lines), default=0)):
        texts = [line[column].get_text(strip=True) for line in body]
        if any(texts) and all(NUMBER.fullmatch(text) or text in {"", "–", "NaN"} for text in texts):
            for line in lines:
                _mark(line[column], "num")


def _widen(table: Any) -> None:
    """Keep columns of text from shrinking to a word a line, which is what a phone would make of them."""
    lines = [line.find_all(["td", "th"]) for line in table.find_all("tr")]
    for column in range(min(map(len, lines), default=0)):
        cells = [line[column] for line in lines]
        if any({"num", "date"} & set(cell.get("class", [])) for cell in cells[1:]):
            continue
        longest = max(len(cell.get_text(strip=True)) for cell in cells)
        wide = next((name for least, name in WIDTHS if longest > least), None)
        if wide:
            _mark(cells[0], wide)


def _hold(soup: Any, table: Any) -> None:
    """Keep dates and numbers whole, let long words break, and put a very long text into a box that scrolls."""
    for cell in table.find_all(["td", "th", "caption"]):
        text = cell.get_text()
        if any(len(part) > LONG_WORD for word in text.replace("-", "- ").split() for part in JOINT.split(word)):
            _mark(cell, "break")
        if cell.name != "caption" and len(text) <= LONG_TEXT:
            _keep_whole(cell)
        if len(text) > LONG_TEXT and cell.name == "td":
            label = f"Long text, {len(text):,} characters"
            box = soup.new_tag("div", attrs={"class": "long", "tabindex": "0", "role": "region", "aria-label": label})
            for child in list(cell.contents):
                box.append(child.extract())
            cell.append(box)


def _keep_whole(cell: Any) -> None:
    """Put dates and numbers into elements that do not break, and places to break into long words."""
    from bs4 import BeautifulSoup

    for string in cell.find_all(string=True):
        text = html.escape(string)
        marked = WORD.sub(lambda word: JOINT.sub("<wbr>", word[0]), text)
        marked = WHOLE.sub(r'<span class="unbroken">\g<0></span>', marked)
        if marked != text:
            string.replace_with(BeautifulSoup(marked, "html.parser"))
