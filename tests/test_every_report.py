"""Every report of ``make reports`` in a real browser with the network cut, as somebody opens it who got it by mail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from helpers import chosen, report

ABOUT = [(name[:2], given) for name, given in chosen.REPORTS]
NAMES = [f"{name[:2]}-{report.plan(name, given).slug}" for name, given in chosen.REPORTS]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
@pytest.mark.parametrize(("number", "given"), ABOUT, ids=NAMES)
def test_opens_without_a_network(
    number: str,
    given: dict[str, Any],
    width: int,
    scheme: str,
    chosen_report: Callable[..., Path],
    browser_page: Callable[..., Any],
) -> None:
    page = chosen_report(number, **given)
    opened = browser_page(page, width=width, scheme=scheme)
    assert opened.moved() == 0
    assert [address for address in opened.requests if not address.startswith("data:")] == [page.as_uri()]
    assert opened.messages == []
    assert opened.violations() == []
    opened.page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert not opened.scrolls_sideways()


@pytest.mark.parametrize(("number", "given"), ABOUT, ids=NAMES)
def test_is_small_runs_nothing_and_describes_its_figures(
    number: str, given: dict[str, Any], chosen_report: Callable[..., Path]
) -> None:
    page = chosen_report(number, **given)
    assert page.stat().st_size < 600_000
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    assert not soup.find_all("script")
    images = soup.find_all("img")
    assert len(images) >= 3
    assert all(len(image["alt"]) > 60 for image in images)
