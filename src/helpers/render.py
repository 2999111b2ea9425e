"""An executed notebook becomes one page: self-contained, script-free, readable by everyone and offline.

What a page may not hold is refused with a message, not silently dropped: a warning, a script, a figure
without alternative text, an address that a browser would load.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from helpers import marks, params, prose, results, table, words
from helpers.results import MIME as RESULT
from helpers.results import Record

FIGURE = "application/vnd.adoption.figure+json"
DATA = "application/vnd.adoption.data+json"  # the table behind a figure, beside it
SHOWN = (FIGURE, "text/html", "image/svg+xml", "image/png", "text/markdown", "text/plain")
TEMPLATES = Path(__file__).parent / "templates"
LIMIT = 600_000
HIDDEN = "notebook-only"  # tag of cells that help who reads the notebook, not who reads the page
# fmt: off
TAGS = frozenset((
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "details",
    "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img",
    "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "summary", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var",
))
FORBIDDEN = frozenset((
    "script", "link", "iframe", "object", "embed", "base", "form", "input", "applet", "frame",
    "audio", "video",
))
# fmt: on
ATTRIBUTES = {
    "*": ["class", "id", "title", "lang"],
    "a": lambda tag, name, value: name in {"class", "id", "title", "lang", "rel", "download"} or _may_lead(name, value),
    "img": ["src", "alt", "width", "height"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
    "time": ["datetime"],
    "ol": ["start"],
}
MATH = re.compile(r"\$\$|\\begin\{|\\\\\(|\\\\\[")
PROJECT = "Who gains when a service goes down"
#: The only addresses that hold their content themselves and may be followed: files to keep, no page and no script.
DOWNLOAD = re.compile(r"data:(text/csv;charset=utf-8|application/json);base64,[A-Za-z0-9+/]*={0,2}")
FILE = re.compile(r"[\w.-]+\.(csv|json)")


class PageError(ValueError):
    """A notebook that cannot become a page, or a page not to be published; one line for every fault."""


def page(notebook: Mapping[str, Any], record: Record, made: datetime, commands: Mapping[str, str]) -> str:
    """Return the HTML page of an executed notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed notebook.
    record : Record
        What its last cell emitted; gives the title, the description and the provenance.
    made : datetime
        When, with time zone.
    commands : mapping of str to str
        Name of a way to make the page again -> the line to type.

    Raises
    ------
    PageError
        If the notebook or the page holds anything that a page may not hold.
    """
    faults = refused(notebook)
    if faults:
        raise PageError("\n".join(faults))
    resources = {
        "record": record,
        "parameters": {name: prose.in_words(value) for name, value in record.parameters.items()},
        "made": made,
        "commands": commands,
        "style": style(),
        "project": PROJECT,
        "commit": prose.commit(params.ROOT),
        "file": prose.file_name(record),
        "results": results.stable_json(record.model_dump(mode="json")),
    }
    shown = _only_shown(notebook)
    text, _ = _exporter().from_notebook_node(shown, resources)
    text = _small_enough(marks.in_page(_arranged(text, record, made)))
    faults = page_faults(text)
    kinds = [kind for cell in shown.cells for output in cell.get("outputs", []) for kind in output.get("data", {})]
    drawn = sum(kind == FIGURE or kind.startswith("image/") for kind in kinds)
    found = text.count('<figure class="output">')
    if found != drawn:
        faults.append(f"the page shows {found} of {drawn} figures")
    if faults:
        raise PageError("\n".join(faults))
    return text


def load() -> None:
    """Load all that `page` needs, so that it takes no time later."""
    import bs4  # noqa: F401

    _cleaner()
    _exporter().template  # noqa: B018


def style() -> str:
    """Return the style sheet that every page carries inside itself."""
    return (TEMPLATES / "adoption" / "style.css").read_text(encoding="utf-8")


def refused(notebook: Mapping[str, Any]) -> list[str]:
    """List what stands in the cells of a notebook and may not stand in a page."""
    faults = []
    for number, cell in enumerate(notebook["cells"], 1):
        found = []
        if cell["cell_type"] == "markdown" and MATH.search(cell["source"]):
            found.append("holds LaTeX, which a page without scripts cannot show")
        for output in cell.get("outputs", []):
            found += _refused_output(output)
        faults += [f"cell {number}: {fault}" for fault in found]
    return faults


def _refused_output(output: Mapping[str, Any]) -> Iterator[str]:
    if output["output_type"] == "stream" and output["name"] == "stderr":
        first = next((line for line in output["text"].splitlines() if line.strip()), "")
        yield f"wrote to standard error, and a report holds no warnings: {first.strip()[:200]}"
    data = output.get("data", {})
    if RESULT in data:
        return
    kind = next((kind for kind in SHOWN if kind in data), None)
    if data and kind is None:
        yield f"shows {', '.join(data)}, which a page cannot show"
    elif kind == FIGURE:
        figure = data[FIGURE]
        if not (figure.get("alt") or "").strip():
            yield "shows a figure without alternative text"
        drawings = f"{figure['wide']}{figure.get('narrow') or ''}"
        if re.search(r"<script|<[^>]*\s(?:on\w+=|href=[\"'](?!#))", drawings):
            yield "shows a figure that holds a script or an address"
    elif kind in ("image/png", "image/svg+xml"):
        if not output.get("metadata", {}).get(kind, {}).get("alt", "").strip():
            yield "shows an image without alternative text"
    elif kind == "text/html":
        yield from (f"HTML output holds {what}" for what in _forbidden(data[kind]))


class _Scan(HTMLParser):
    """Names the elements and attributes that may not come out of a notebook."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS and tag != "style":
            self.found[f"<{tag}>"] = None
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.found[f"{name}= on <{tag}>"] = None


def _forbidden(text: str) -> list[str]:
    scan = _Scan()
    scan.feed(text)
    scan.close()
    return list(scan.found)


def _clean(text: str) -> str:
    """Keep the few tags and attributes a page needs; the style of a pandas table goes, ours comes."""
    text = re.sub(r"<style\b.*?</style\s*>", "", text, flags=re.DOTALL | re.IGNORECASE)
    return str(_cleaner().clean(text))


@lru_cache
def _cleaner() -> Any:
    from bleach.sanitizer import Cleaner  # type: ignore[import-untyped]

    return Cleaner(tags=TAGS, attributes=ATTRIBUTES, protocols=["http", "https", "data"], strip=True)


def _may_lead(name: str, value: str) -> bool:
    """Say whether an attribute of a link from a notebook may stay: a data: address only if it is a file to keep."""
    plain = re.sub(r"[\x00-\x20]", "", unescape(value)).lower()
    return name == "href" and (not plain.startswith("data:") or DOWNLOAD.fullmatch(value) is not None)


def _markdown(text: str) -> str:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    made = MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True)).render(text)
    forbidden = _forbidden(made)
    if forbidden:
        raise PageError(f"text holds {', '.join(forbidden)}: {text.strip().splitlines()[0][:80]}")
    return _clean(made)


@lru_cache
def _exporter() -> Any:
    from nbconvert.exporters import TemplateExporter
    from nbconvert.filters.highlight import Highlight2HTML
    from traitlets.config import Config

    return TemplateExporter(  # type: ignore[no-untyped-call]
        template_name="adoption",
        file_extension=".html",
        extra_template_basedirs=[str(TEMPLATES)],
        filters={
            "markdown": _markdown,
            "clean": _clean,
            "code": Highlight2HTML(pygments_lexer="python3"),  # type: ignore[no-untyped-call]
            "e": lambda value: escape(str(value)),
            # The mark at its start tells a spreadsheet that the file is in UTF-8, once it stands alone.
            "csv": lambda text: base64.b64encode(marks.shown(text).encode("utf-8-sig")).decode("ascii"),
            "drawn": lambda image: base64.b64encode(marks.shown(image).encode()).decode("ascii"),
            "shape": _shape,
        },
        config=Config({"NbConvertBase": {"display_data_priority": list(SHOWN)}}),
    )


def _shape(image: str) -> str:
    """Return width and height of an image as attributes, so that its room is there before it is decoded."""
    found = re.search(r"<svg[^>]*\bviewBox=[\"'][-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)[\"']", image)
    width, height = (float(end) for end in found.groups()) if found else (0.0, 0.0)
    if image.startswith("iVBORw0KGgo"):  # how a PNG begins in base 64; its size stands in the first 24 bytes
        head = base64.b64decode(image[:32])
        width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    return f' width="{width:.0f}" height="{height:.0f}"' if width and height else ""


def _only_shown(notebook: Mapping[str, Any]) -> Any:
    """Return a copy with the outputs that a reader sees: no record, results like displays."""
    import nbformat

    copy: Any = nbformat.from_dict(json.loads(json.dumps(notebook)))  # type: ignore[no-untyped-call]
    copy.cells = [cell for cell in copy.cells if HIDDEN not in cell.metadata.get("tags", [])]
    for cell in copy.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs if RESULT not in output.get("data", {})]
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.output_type = "display_data"
            if "data" in output:
                kind = next(kind for kind in SHOWN if kind in output.data)
                more = output.data.get(DATA, {}) if kind == FIGURE else {}
                output.data = {kind: {**output.data[kind], **more} if more else output.data[kind]}
    return copy


def _arranged(text: str, record: Record, made: datetime) -> str:
    """Add what needs the whole page: its own question as the heading, contents, room for wide tables."""
    from bs4 import BeautifulSoup

    soup: Any = BeautifulSoup(text, "html.parser")
    main: Any = soup.main
    if main.h1:
        main.h1.string = record.title  # the notebook asks for any parameters, the page for its own
        day = f'<time datetime="{made:%Y-%m-%d}">{words.day(made)}</time>'
        about = "".join(f"<span>{escape(text)}</span> · " for text in [prose.subject(record)] if text)
        main.h1.insert_after(BeautifulSoup(f'<p class="about">{about}<span>made {day}</span></p>', "html.parser"))
    headings = main.find_all("h2")
    taken = {tag["id"] for tag in soup.find_all(id=True)}
    for heading in headings:
        wanted = re.sub(r"[^a-z0-9]+", "-", heading.get_text().lower()).strip("-") or "section"
        name, count = wanted, 2
        while name in taken:
            name, count = f"{wanted}-{count}", count + 1
        heading["id"] = name
        taken.add(name)
    _fold(main)
    if len(headings) > 2:
        links = "".join(f'<li><a href="#{h["id"]}">{escape(h.get_text())}</a></li>' for h in headings)
        contents = f'<nav class="contents" aria-label="Contents"><p>Contents</p><ul>{links}</ul></nav>'
        # The answer comes first, so the contents wait for the second heading.
        place = headings[1].find_parent(class_="cell") or headings[1]
        place.insert_before(BeautifulSoup(contents, "html.parser"))
        soup.body["class"] = "has-contents"
    shown = main.find_all("table")
    for number, one in enumerate(shown, 1):
        table.arranged(soup, one, number)
    # Printed, a link is its address; beside every one of them a table of figures would be unreadable.
    lists = [one for one in shown if one.caption and one.caption.get_text(strip=True) == "Sources"] or shown
    for one in [one for one in lists if one.find("a")]:
        one["class"] = [*one.get("class", []), "sources"]
    for image in main.select("figure img[height]"):
        if int(image["height"]) > 1.2 * int(image["width"]):
            image["class"] = "tall"  # its many rows need a page where it is printed
    for number, link in enumerate(main.select("figcaption a[download]"), 1):
        link["download"] = f"{link['download']}-figure-{number}.csv"
    return str(soup)


def _small_enough(text: str) -> str:
    """Leave out the largest tables behind figures where the page would be too large for a mail, and say so."""
    links = sorted(re.findall(r'<a download="[^"]*\.csv" href="data:[^"]*">[^<]*</a>', text), key=len)
    while links and len(text.encode()) >= LIMIT:
        text = text.replace(links.pop(), "data behind this figure: in the notebook that this page was made of", 1)
    return text


def _fold(main: Any) -> None:
    """Put what was found before how it was found, and cells in a row that show nothing into one fold."""
    for fold in main.select(".cell.code > details"):
        cell = fold.parent
        before = cell.find_previous_sibling()
        quiet = not cell.select(".output")
        if quiet and before and "code" in before["class"] and not before.select(".output"):
            before.summary.string = "Parameters and set-up"
            for code in fold.select(".highlight"):
                before.details.append(code.extract())
            cell.decompose()
        else:
            cell.append(fold.extract())
    for code in main.select("details pre"):
        code["tabindex"] = "0"  # it may scroll sideways, also for who has no mouse


class _Page(HTMLParser):
    """Finds what a browser would load or run, and what a reader would miss."""

    def __init__(self, relative: bool) -> None:
        super().__init__()
        self.relative, self.titles, self.in_style = relative, 0, False
        self.faults, self.ids = list[str](), set[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.in_style = tag == "style"
        self.titles += tag == "h1"
        if tag in FORBIDDEN:
            self.faults.append(f"the page holds <{tag}>")
        if tag == "img" and given.get("alt", "").strip() in {
            "",
            "No description has been provided for this image",
        }:
            self.faults.append(f"an image has no alternative text: {given.get('src', '')[:60]}")
        file = tag == "a" and FILE.fullmatch(given.get("download", "")) and DOWNLOAD.fullmatch(given.get("href", ""))
        for name, value in given.items():
            if not (file and name == "href"):
                self._attribute(tag, name, value.strip())

    def _attribute(self, tag: str, name: str, value: str) -> None:
        local = value.startswith("#") or (self.relative and re.match(r"[\w./-]+$", value))
        if name == "href" and not (tag == "a" and (local or value.startswith(("https://", "http://")))):
            self.faults.append(f"<{tag} href> leads to {value[:80]!r}, expected https://...")
        if name in {"src", "srcset", "poster", "data", "background", "action"} and not value.startswith("data:"):
            self.faults.append(f"<{tag} {name}> would load {value[:80]!r}")
        if name == "style":
            self._css(value)
        if name.startswith("on"):
            self.faults.append(f"<{tag} {name}> holds a script")
        if name == "id":
            if value in self.ids:
                self.faults.append(f"id {value!r} is there twice")
            self.ids.add(value)

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self._css(data)

    def _css(self, text: str) -> None:
        if "@import" in text or re.search(r"url\(\s*[\"']?(?!data:|#)", text):
            self.faults.append("a style would load an address")


def page_faults(text: str, *, relative: bool = False) -> list[str]:
    """List everything about a page that must not be published.

    Parameters
    ----------
    text : str
        The HTML.
    relative : bool
        Whether links to files beside the page are right, as they are in the index.
    """
    reader = _Page(relative)
    reader.feed(text)
    reader.close()
    faults = list(dict.fromkeys(reader.faults))
    if reader.titles != 1:
        faults.append(f"the page has {reader.titles} main headings (h1), expected one")
    size = len(text.encode())
    if size >= LIMIT:
        faults.append(f"the page has {size // 1000} kB, expected less than {LIMIT // 1000} kB")
    return faults
