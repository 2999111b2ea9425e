"""The page in a real browser with the network cut."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import index, report

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
