"""The page in a real browser with the network cut."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from helpers import index, report, table
from helpers.table import Table

WIDTHS = (360, 800, 1440)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Render the good fixture notebook once, and the page that lists it."""
    folder = tmp_path_factory.mktemp("page")
    notebook = folder / "03_adoption_after_outage.ipynb"
    notebook.write_bytes((Path(__file__).parent / "notebooks" / "good.ipynb").read_bytes())
    job = report.plan(notebook, {"level": 0.9}, folder / "reports")
    job.place.put(report.build(job))
    return {"report": job.place.file("html"), "index": index.write(folder / "reports")}


@pytest.mark.parametrize("name", ["report", "index"])
@pytest.mark.parametrize("width", WIDTHS)
def test_loads_nothing_and_fits(
    pages: dict[str, Path], name: str, width: int, browser_page: Callable[..., Any]
) -> None:
    opened = browser_page(pages[name], width=width)
    opened.page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert not opened.scrolls_sideways()
    assert opened.messages == []
    assert [address for address in opened.requests if not address.startswith("data:")] == [pages[name].as_uri()]


@pytest.mark.parametrize("name", ["report", "index"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_is_accessible(
    pages: dict[str, Path], name: str, scheme: str, width: int, browser_page: Callable[..., Any]
) -> None:
    opened = browser_page(pages[name], width=width, scheme=scheme)
    opened.page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert opened.violations() == []


def test_a_phone_gets_the_narrow_figure(pages: dict[str, Path], browser_page: Callable[..., Any]) -> None:
    shape = "(() => { const i = document.querySelector('figure img'); return i.clientWidth / i.clientHeight })()"
    assert browser_page(pages["report"], width=360).page.evaluate(shape) == pytest.approx(1, abs=0.02)
    assert browser_page(pages["report"], width=1280).page.evaluate(shape) == pytest.approx(2, abs=0.02)


def test_contents_lead_to_their_headings(pages: dict[str, Path], browser_page: Callable[..., Any]) -> None:
    page = browser_page(pages["report"], width=360).page
    page.get_by_role("navigation", name="Contents").get_by_role("link", name="Limits").click()
    assert page.get_by_role("heading", name="Limits").bounding_box()["y"] < 800
    first, second = (page.get_by_role("heading", level=2).nth(n).bounding_box()["y"] for n in (0, 1))
    contents = page.get_by_role("navigation", name="Contents").bounding_box()["y"]
    assert first < contents < second  # the answer comes before the contents


def test_code_is_folded_away_and_can_be_opened(pages: dict[str, Path], browser_page: Callable[..., Any]) -> None:
    page = browser_page(pages["report"]).page
    assert not page.get_by_text("wide.replace").is_visible()
    page.get_by_text("How this was computed").first.click()
    assert page.get_by_text("wide.replace").first.is_visible()


def test_index_leads_to_the_report(pages: dict[str, Path], browser_page: Callable[..., Any]) -> None:
    page = browser_page(pages["index"], width=360).page
    assert page.get_by_text("1 to 2 million").first.is_visible()
    page.get_by_role("link", name="Who gained when WhatsApp went down?").click()
    assert page.url == pages["report"].as_uri()


def test_prints_without_folds(pages: dict[str, Path], browser_page: Callable[..., Any]) -> None:
    opened = browser_page(pages["report"])
    opened.page.emulate_media(media="print")
    assert not opened.page.get_by_text("How this was computed").first.is_visible()
    assert opened.page.get_by_text("How this report was made").is_visible()


@pytest.mark.parametrize(("width", "height"), [(1100, 900), (360, 740)])
def test_the_first_screen_says_what_it_is_when_it_was_made_and_what_came_out(
    pages: dict[str, Path], width: int, height: int, browser_page: Callable[..., Any]
) -> None:
    page = browser_page(pages["report"], width=width, height=height).page
    about = page.locator(".about")
    answer = page.get_by_text("Between 1 and 2 million").first
    for shown in (page.get_by_role("heading", level=1), about, answer):
        box = shown.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= height
    assert about.inner_text().startswith("Outage whatsapp-2014-02-22 · made ")


@pytest.mark.parametrize("width", [360, 1100])
def test_nothing_moves_while_it_loads(pages: dict[str, Path], width: int, browser_page: Callable[..., Any]) -> None:
    opened = browser_page(pages["report"], width=width, height=900)
    assert opened.moved() == 0
    known = "[...document.querySelectorAll('figure img, figure source')].every(i => i.width && i.height)"
    assert opened.page.evaluate(known)


def test_room_for_a_figure_is_there_before_it_is_decoded(
    pages: dict[str, Path], tmp_path: Path, browser_page: Callable[..., Any]
) -> None:
    text = pages["report"].read_text(encoding="utf-8")
    empty = tmp_path / "empty.html"
    # An image without a shape of its own: only the width and height of its element say how high it is.
    image = "data:image/svg+xml;base64," + base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"/>').decode()
    empty.write_text(re.sub(r'(src|srcset)="data:[^"]*"', rf'\1="{image}"', text), encoding="utf-8")
    height = "document.querySelector('figure img').getBoundingClientRect().height"
    for width in (360, 1100):
        heights = [browser_page(path, width=width).page.evaluate(height) for path in (pages["report"], empty)]
        assert heights[0] == pytest.approx(heights[1], abs=1)


def test_prints_whole_figures_and_rows_on_paper_of_a4(pages: dict[str, Path], browser_page: Callable[..., Any]) -> None:
    opened = browser_page(pages["report"], width=672, height=990, scheme="dark")
    page = opened.page
    page.emulate_media(media="print", color_scheme="dark")
    whole = "[...document.querySelectorAll('figure, tr')].every(e => getComputedStyle(e).breakInside === 'avoid')"
    joined = "[...document.querySelectorAll('h2, h3')].every(e => getComputedStyle(e).breakAfter === 'avoid')"
    assert page.evaluate(whole)
    assert page.evaluate(joined)
    assert page.evaluate("[...document.querySelectorAll('details, .data, nav')].every(e => !e.checkVisibility())")
    assert not opened.scrolls_sideways()
    address = "[...document.querySelectorAll('a[href^=http]')].map(a => getComputedStyle(a, '::after').content)"
    assert set(page.evaluate(address)) == {"none"}  # a link of the text, not of the table of sources
    assert "@page { size: A4" in pages["report"].read_text(encoding="utf-8")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


SOURCES = [
    (
        "averylongpublishername.wordpress.example.com",
        "WhatsApp founder apologizes for downtime of Saturday",
        "2014-02-22",
    ),
    ("Reuters", "Network router caused WhatsApp biggest outage", "2014-02"),
]


def with_table(page: Path, shown: Table, path: Path, *names: str) -> Path:
    """Put a table at the end of a page, as a report would hold it."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    soup.main.append(BeautifulSoup(shown._repr_html_(), "html.parser"))
    added = soup.main.find_all("table")[-1]
    table.arranged(soup, added, 2)
    added["class"] = list(names)
    path.write_text(str(soup), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def sources(pages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put a table of sources, as it comes from a notebook, into a page."""
    frame = pd.DataFrame(SOURCES, columns=["publisher", "title", "published"]).assign(url="https://example.org/a/b")
    shown = Table(frame, "Sources", links={"title": "url"})
    return with_table(pages["report"], shown, tmp_path_factory.mktemp("sources") / "page.html", "sources")


def test_titles_of_sources_are_seen_on_a_phone(sources: Path, browser_page: Callable[..., Any]) -> None:
    opened = browser_page(sources, width=360, height=740)
    assert not opened.scrolls_sideways()
    for _, title, _ in SOURCES:
        box = opened.page.get_by_role("link", name=title).bounding_box()
        assert box["x"] + box["width"] <= 360
    narrow = "[...document.querySelectorAll('table.sources td')].map(cell => cell.getBoundingClientRect().width)"
    assert min(opened.page.evaluate(narrow)) > 80
    assert opened.violations() == []


def test_sources_are_printed_with_their_addresses(sources: Path, browser_page: Callable[..., Any]) -> None:
    page = browser_page(sources, width=672).page
    page.emulate_media(media="print")
    address = "getComputedStyle(document.querySelector('table.sources a'), '::after').content"
    assert "https://example.org/a/b" in page.evaluate(address)


PUBLISHED = {
    "rival": ["Telegram", "Viber in Brazil, installs"],
    "as published": ["about 4.95 million users", "about +1,000 percent"],
    "window (UTC)": ["22 Feb 22:48 to 23 Feb 22:48", "6 days in 19 Feb to 25 Feb 2014"],
    "by": ["a panel or analytics firm", "the company"],
    "the curve says": ["230,000 to 1.1 million users", "+232 to +2,005 percent"],
    "fits?": ["yes", "does not fit"],
    "chance it is wrong": [0.05, 0.08],
    "source": ["Circuito Mato Grosso / Olhar Digital", "timesofindia.indiatimes.com"],
}


@pytest.fixture(scope="module")
def published(pages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put a table of eight columns into a page."""
    shown = Table(pd.DataFrame(PUBLISHED), "Published figures and the curve's 95% interval")
    return with_table(pages["report"], shown, tmp_path_factory.mktemp("published") / "page.html")


def darkest(box: Any, side: str) -> int:
    """Return how dark the paper is at a side of a box, above its headings: 255 is white."""
    image = Image.open(io.BytesIO(box.screenshot())).convert("L")
    x = image.width - 4 if side == "right" else 0
    return min(image.getpixel((x + i, 40)) for i in range(4))  # type: ignore[type-var,return-value]


def test_a_wide_table_scrolls_inside_itself_on_a_phone(published: Path, browser_page: Callable[..., Any]) -> None:
    opened = browser_page(published, width=360, height=740)
    box = opened.page.get_by_role("region", name="Published figures")
    assert not opened.scrolls_sideways()
    assert box.evaluate("e => e.scrollWidth > e.clientWidth")
    narrowest = """e => Math.min(...[...e.querySelectorAll('tbody td:not(.num)')]
        .map(cell => cell.getBoundingClientRect().width / parseFloat(getComputedStyle(cell).fontSize)))"""
    assert box.evaluate(narrowest) >= 8
    assert box.locator("wbr").count() == 2  # the name of a site is broken at its dots
    lines = """e => [...e.querySelectorAll('.unbroken')].map(one => [one.textContent, one.getClientRects().length])"""
    found = dict(box.evaluate(lines))
    assert {"4.95 million", "+1,000 percent", "22 Feb 22:48", "25 Feb 2014", "1.1 million"} <= set(found)
    assert set(found.values()) == {1}
    # The shade stands where more is hidden, and only there.
    assert darkest(box, "right") < 215
    assert darkest(box, "left") > 250
    box.focus()
    opened.page.keyboard.press("ArrowRight")
    opened.page.wait_for_function("e => e.scrollLeft > 20", arg=box.element_handle())
    box.evaluate("e => e.scrollLeft = e.scrollWidth")
    assert darkest(box, "left") < 215
    assert darkest(box, "right") > 250


def test_a_wide_table_needs_no_scrolling_where_there_is_room(
    published: Path, sources: Path, browser_page: Callable[..., Any]
) -> None:
    opened = browser_page(published, width=1280)
    box = opened.page.get_by_role("region", name="Published figures")
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert not opened.scrolls_sideways()
    assert darkest(box, "right") > 250
    assert box.locator("table").evaluate("e => e.offsetWidth") > 864  # into the empty room beside the text
    text = browser_page(sources, width=1280).page.locator("table.sources").evaluate("e => e.offsetWidth")
    assert text <= 864  # as wide as the text is enough for three columns


def test_a_wide_table_fits_on_paper(published: Path, browser_page: Callable[..., Any]) -> None:
    opened = browser_page(published, width=672, height=990)
    opened.page.emulate_media(media="print")
    box = opened.page.get_by_role("region", name="Published figures")
    assert box.locator("table").evaluate("e => e.getBoundingClientRect().right") <= 672
    assert box.evaluate("e => getComputedStyle(e).backgroundImage") == "none"
    assert not opened.scrolls_sideways()


def test_a_printed_figure_leaves_room_for_what_it_is_about(
    pages: dict[str, Path], browser_page: Callable[..., Any]
) -> None:
    page = browser_page(pages["report"], width=672, height=990).page
    page.emulate_media(media="print")
    image = page.locator("figure img").first
    image.evaluate("e => { e.width = 720; e.height = 800 }")
    image.evaluate("e => { e.src = 'data:image/svg+xml,<svg xmlns=%22http://www.w3.org/2000/svg%22 "
        "viewBox=%220 0 720 800%22/>'; return e.decode() }")  # fmt: skip
    height = "e => e.getBoundingClientRect().height"
    assert image.evaluate(height) <= 0.6 * 990
    image.evaluate("e => e.className = 'tall'")
    assert image.evaluate(height) > 0.6 * 990


@pytest.mark.parametrize(("scheme", "least", "most"), [("light", 250, 255), ("dark", 0, 40)])
def test_figures_have_the_paper_of_the_page(
    pages: dict[str, Path], scheme: str, least: int, most: int, browser_page: Callable[..., Any]
) -> None:
    page = browser_page(pages["report"], width=1000, scheme=scheme).page
    shot = Image.open(io.BytesIO(page.locator("figure img").first.screenshot())).convert("L")
    assert least <= shot.getpixel((6, 6)) <= most
