"""The page that lists the reports: with fifty of them, in a browser without a network, and with broken ones."""

import base64
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from helpers import cards, index
from helpers.render import FIGURE

MAIN = "03_adoption_after_outage"
KINDS = ("outage", "block", "shutdown", "policy_shock")
SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} 400'><defs><clipPath id='a'><rect x=\"40\" y=\"60\" "
    "width=\"200\" height=\"100\"/></clipPath></defs><path d='M20 340L200 20' stroke='#1568ab'/></svg>"
)
SVG_WIDE, SVG_NARROW = SVG.format(720), SVG.format(300)
DRAWN = {"wide": SVG_WIDE, "narrow": SVG_NARROW}


def picture(seed: int = 0, size: tuple[int, int] = (720, 400)) -> str:
    """Draw a curve with bands and words, as much as a figure of a report holds; PNG in base64."""
    image = Image.new("RGB", size, "#ffffff")
    draw = ImageDraw.Draw(image)
    wide, high = size
    for band, colour in ((150, "#d8e7f3"), (80, "#9cc1e0"), (4, "#1568ab")):
        up = [(x, high * 0.8 - (seed * 37 + x * x) % 150 - band) for x in range(40, wide, 16)]
        down = [(x, y + 2 * band) for x, y in reversed(up)]
        draw.polygon([*up, *down], fill=colour)
    draw.line([(wide / 3, 0), (wide / 3, high)], fill="#b3261e", width=3)
    for line in range(12):
        draw.text((line * 53 % wide, line * 31 + 4), f"about {seed + line} million users", fill="#1f2430")
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def estimate(median: float = 1.5e6, factor: float = 2, **more: Any) -> dict[str, Any]:
    numbers = {"low": median / factor, "median": median, "high": median * factor, "level": 0.95}
    return {"service": "telegram", "quantity": "extra_users", "unit": "users", **numbers, **more}


def executed(png: str, alt: str = "A peak. And more.", **figure: Any) -> dict[str, Any]:
    drawn = {"wide": SVG_WIDE, "narrow": SVG_NARROW, "alt": alt, "caption": "How to read it.", "source": "x", **figure}
    output = {
        "output_type": "display_data",
        "data": {FIGURE: drawn, "image/png": png},
        "metadata": {"image/png": {"alt": alt}},
    }
    return {"cells": [{"cell_type": "markdown"}, {"cell_type": "code", "metadata": {}, "outputs": [output]}]}


def put(folder: Path, slug: str, source: Any = None, asked: str = MAIN, **record: Any) -> Path:
    """Put the three files of a report in place and return its record's path."""
    place = folder / asked / slug
    place.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "notebook": asked,
        "title": f"Who gained, {slug}?",
        "headline": "1 to 2 million more people joined Telegram.",
        "outage_id": slug,
        "subject": slug,
        "parameters": {},
        "estimates": [estimate()],
        "made": "2026-11-22T00:00:00+00:00",
        **record,
    }
    place.with_name(f"{slug}.html").write_text("<h1>x</h1>", encoding="utf-8")
    if source is not None:
        place.with_name(f"{slug}.ipynb").write_text(json.dumps(source), encoding="utf-8")
    path = place.with_name(f"{slug}.json")
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def fifty(folder: Path) -> Path:
    """Make up fifty reports, each with a picture of its own, and their index."""
    kinds = {}
    for number in range(48):
        slug = f"service{number}-20{10 + number // 4}-0{1 + number % 9}-1{number % 10}"
        kinds[slug] = KINDS[number % 4]
        rivals = [estimate(10.0 ** (3 + number % 5) + number, 1.5 + number % 7, service=f"rival {n}") for n in range(4)]
        title = f"Who gained when Facebook, Instagram and WhatsApp were down, event number {number}?"
        words = f"Because all of them were down, {number} to 22 million more people joined Telegram within a week. "
        put(folder, slug, executed(picture(number)), title=title, headline=words * 2, estimates=rivals)
    put(folder, "telegram", executed(picture(48)), "07_next_outage", parameters={"kind": "block"}, outage_id="")
    put(folder, "all", executed(picture(49)), "06_across_outages", outage_id="")
    return index.write(folder, {"telegram": "Telegram"}, kinds)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fifty(tmp_path_factory.mktemp("fifty"))


def shown(opened: Any) -> list[str]:
    """Return the links of the cards that are seen, as they stand on the page."""
    script = """[...document.querySelectorAll('.cards li')].filter(card => card.checkVisibility())
    .map(card => [card.getBoundingClientRect(), card.querySelector('a').getAttribute('href')])
    .sort(([a], [b]) => a.top - b.top || a.left - b.left).map(pair => pair[1])"""
    return list(opened.page.evaluate(script))


def test_fifty_reports_fit_into_the_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.encode()) < 1_500_000
    assert text.count('class="shot"') == 50
    assert text.count("<input") == 4 + 4 + 5


@pytest.mark.parametrize("width", [360, 1440])
def test_loads_nothing_and_nothing_moves(page: Path, width: int, browser_page: Callable[..., Any]) -> None:
    opened = browser_page(page, width=width)
    assert opened.messages == []
    assert [address for address in opened.requests if not address.startswith("data:")] == [page.as_uri()]
    moved = """new Promise(done => { let sum = 0; new PerformanceObserver(list => {
    for (const entry of list.getEntries()) sum += entry.value }).observe({type: 'layout-shift', buffered: true});
    scrollTo(0, document.body.scrollHeight); setTimeout(() => done(sum), 400) })"""
    assert opened.page.evaluate(moved) == 0
    opened.page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert not opened.scrolls_sideways()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_is_accessible(page: Path, width: int, scheme: str, browser_page: Callable[..., Any]) -> None:
    opened = browser_page(page, width=width, scheme=scheme)
    opened.page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert opened.violations() == []


def test_cards_can_be_sorted(tmp_path: Path, browser_page: Callable[..., Any]) -> None:
    put(tmp_path, "a-2020-01-01", estimates=[estimate(1e4, 1.5)])
    put(tmp_path, "b-2021-01-01", estimates=[estimate(1e6, 3)])
    put(tmp_path, "c-2022-01-01", estimates=[estimate(1e5, 2)])
    ratio = estimate(5, 1.1, quantity="gain_ratio")
    put(tmp_path, "all", None, "06_across_outages", outage_id="x-2023-01-01", estimates=[ratio])
    opened = browser_page(index.write(tmp_path))
    wanted = {
        "latest event": ["all", "c-2022-01-01", "b-2021-01-01", "a-2020-01-01"],
        "largest gain": ["b-2021-01-01", "c-2022-01-01", "a-2020-01-01", "all"],
        "narrowest interval": ["all", "a-2020-01-01", "c-2022-01-01", "b-2021-01-01"],
        "question asked": ["c-2022-01-01", "b-2021-01-01", "a-2020-01-01", "all"],
    }
    for name, order in wanted.items():
        opened.page.get_by_role("radio", name=name).check()
        assert [Path(link).stem for link in shown(opened)] == order
    # By the keyboard: arrows choose, and what comes next is what stands next.
    opened.page.get_by_role("radio", name="latest event").focus()
    assert opened.page.evaluate("document.activeElement.id") == "order-0"
    opened.page.get_by_role("radio", name="latest event").check()
    opened.page.keyboard.press("ArrowRight")
    assert opened.page.get_by_role("radio", name="largest gain").is_checked()
    if opened.page.evaluate("CSS.supports('reading-flow', 'grid-order')"):
        opened.page.get_by_text("Show only some").focus()
        opened.page.keyboard.press("Tab")
        assert opened.page.evaluate("document.activeElement.getAttribute('href')").endswith("b-2021-01-01.html")


def test_cards_can_be_chosen(page: Path, browser_page: Callable[..., Any]) -> None:
    opened = browser_page(page, width=360)
    count = "getComputedStyle(document.querySelector('.count'), '::before').content"
    assert len(shown(opened)) == 50
    opened.page.get_by_text("Show only some").click()
    opened.page.get_by_role("group", name="Kind of event").get_by_role("radio", name="block").check()
    assert len(shown(opened)) == 13
    opened.page.get_by_role("radio", name="The next outage").check()
    assert shown(opened) == ["07_next_outage/telegram.html"]
    opened.page.get_by_role("radio", name="shock without downtime").check()
    assert shown(opened) == []
    assert opened.page.evaluate(count) == "counter(shown)"
    assert "of 50 reports" in opened.page.locator(".count").inner_text()


def test_without_has_everything_is_shown(page: Path, tmp_path: Path, browser_page: Callable[..., Any]) -> None:
    old = tmp_path / "old.html"
    old.write_text(page.read_text(encoding="utf-8").replace(":has(", ":unknown("), encoding="utf-8")
    opened = browser_page(old)
    assert len(shown(opened)) == 50
    assert not opened.page.get_by_text("Sort by").is_visible()
    assert not opened.page.locator(".count").is_visible()


def test_the_rule_stands_on_top(page: Path, browser_page: Callable[..., Any]) -> None:
    for width, shape in ((360, 300 / 400), (1280, 720 / 400)):
        opened = browser_page(page, width=width)
        ratio = "(() => { const i = document.querySelector('.top img'); return i.clientWidth / i.clientHeight })()"
        assert opened.page.evaluate(ratio) == pytest.approx(shape, abs=0.02)
    image = opened.page.locator(".top img").bounding_box()
    opened.page.mouse.click(image["x"] + 50, image["y"] + 50)
    opened.page.wait_for_url("**/06_across_outages/all.html")


def test_a_picture_leads_to_its_report(page: Path, browser_page: Callable[..., Any]) -> None:
    opened = browser_page(page)
    opened.page.locator(".cards .shot").first.scroll_into_view_if_needed()
    link = opened.page.locator(".cards a").first.get_attribute("href")
    box = opened.page.locator(".cards .shot").first.bounding_box()
    opened.page.mouse.click(box["x"] + 50, box["y"] + 50)
    opened.page.wait_for_url(f"**/{link}")


def test_a_picture_says_what_the_card_does_not(tmp_path: Path) -> None:
    put(tmp_path, "a-2020-01-01", executed(picture(), "It brought 1 to 2 million. And more."))
    put(tmp_path, "b-2020-01-01", executed(picture(), "It brought 3 & 4 million. And more."))
    for _ in range(2):  # drawn, and taken from the earlier index
        text = index.write(tmp_path).read_text(encoding="utf-8")
        assert text.count('alt="" role="presentation" width="400" height="225"') == 1
        assert text.count('alt="It brought 3 &amp; 4 million." width="400" height="225"') == 1
        text = (tmp_path / "index.html").read_text(encoding="utf-8")


def noise(size: tuple[int, int]) -> str:
    buffer = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def test_pictures_stop_where_the_page_would_grow_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "PICTURES", 100_000)
    for number in range(4):
        put(tmp_path, f"a{number}-2020-01-01", executed(noise((800, 450)), wide=""))
    path = index.write(tmp_path)
    assert path.stat().st_size < 140_000
    text = path.read_text(encoding="utf-8")
    assert 0 < text.count('class="shot"') < 4
    assert text.count("<h3>") == 4


def half(text: str) -> str:
    return text[: len(text) // 2]


BROKEN_NOTEBOOKS = {
    "missing": None,
    "empty": "",
    "half": half(json.dumps(executed(picture()))),
    "half a picture": json.dumps(executed(half(picture()))),
    "no picture": json.dumps(executed("bm8gcGljdHVyZQ==")),
    "no base64": json.dumps(executed("é")),
    "a list": "[]",
    "a number": "1",
    "cells of text": json.dumps({"cells": ["x", None]}),
    "no figure": json.dumps({"cells": []}),
    "no alternative text": json.dumps(executed(picture(), None)),  # type: ignore[arg-type]
    "deep": "[" * 100_000,
    "bytes": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("name", BROKEN_NOTEBOOKS)
def test_a_broken_notebook_costs_the_picture_alone(tmp_path: Path, name: str) -> None:
    content: Any = BROKEN_NOTEBOOKS[name]
    good, bad = put(tmp_path, "a-2020-01-01", executed(picture())), put(tmp_path, "all", None, "06_across_outages")
    if content is not None:
        bad.with_suffix(".ipynb").write_bytes(content.encode() if isinstance(content, str) else content)
    text = index.write(tmp_path).read_text(encoding="utf-8")
    assert text.count('class="shot"') == 1
    assert good.stem in text
    assert "06_across_outages/all.html" in text
    # A drawing that is whole may stand on top without its PNG.
    assert ('class="top"' in text) == (name in {"half a picture", "no picture", "no base64"})


BROKEN_RECORDS: dict[str, Any] = {
    "empty": "",
    "half": half(json.dumps({"notebook": MAIN, "title": "t", "headline": "h"})),
    "a list": "[]",
    "a text": '"x"',
    "nothing in it": "{}",
    "deep": "[" * 100_000,
    "a large number": '{"notebook": ' + "9" * 5000 + "}",
    "title": {"title": None},
    "no title": {"title": "\u00ad \u200b"},
    "headline": {"headline": ["h"]},
    "outage": {"outage_id": 3},
    "made": {"made": "yesterday"},
    "made too early": {"made": "0001-01-01T00:00:00+14:00"},
    "estimates": {"estimates": 3},
}


@pytest.mark.parametrize("content", BROKEN_RECORDS.values(), ids=BROKEN_RECORDS)
def test_a_report_with_a_broken_record_is_left_out(tmp_path: Path, content: Any) -> None:
    put(tmp_path, "a-2020-01-01")
    bad = put(tmp_path, "b-2020-01-01", **(content if isinstance(content, dict) else {}))
    if isinstance(content, str):
        bad.write_text(content, encoding="utf-8")
    text = index.write(tmp_path).read_text(encoding="utf-8")
    assert "a-2020-01-01.html" in text
    assert "b-2020-01-01.html" not in text


def test_an_estimate_that_says_nothing_is_left_out(tmp_path: Path) -> None:
    nothing: list[Any] = [
        "x",
        {},
        estimate(low=None),
        estimate(low=float("nan")),
        estimate(high=float("inf")),
        estimate(high=1e300),
        estimate(low=9e9),
        estimate(level="0.95"),
        estimate(service=["x"]),
        estimate(median=True),
    ]
    path = put(tmp_path, "a-2020-01-01", estimates=[*nothing, estimate(2e6, service="signal")])
    found = cards.card(path, tmp_path, {"signal": "Signal"})
    assert found["estimates"] == [("Signal", "1 to 4 million extra users", "middle 2 million")]
    assert found["size"] == 2e6


def test_hostile_text_is_text(tmp_path: Path, browser_page: Callable[..., Any]) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> javascript:alert(1) {{ 7 * 7 }}"
    for number, text in enumerate((hostile, "\u202eevil\u2066\ud800\x00", "x" * 10_000, "long words " * 1000)):
        notebook = executed(picture(), f"{text[:500]}. And more.")
        put(
            tmp_path,
            f"a{number}-2020-01-01",
            json.loads(json.dumps(notebook).replace("\\ud800", "")),
            asked=f"{number:02}_asked",
            notebook=text,
            title=text,
            headline=text,
            parameters={"kind": text},
            estimates=[estimate(service=text, unit=text, quantity=text), estimate(service=text)],
            subject=text,
        )
    put(tmp_path, "javascript:alert(1)")
    put(tmp_path, 'a" onclick="alert(1)')
    svg = SVG_WIDE.replace("<defs>", "<script>alert(1)</script><defs>")
    put(tmp_path, "all", executed(picture(), wide=svg), "06_across_outages", title=hostile)
    path = index.write(tmp_path, {hostile: hostile}, {"a0-2020-01-01": hostile})
    text = path.read_text(encoding="utf-8")
    assert 'class="top"' not in text  # its drawing holds a script
    assert text.count("<h3>") == 5
    assert "<script" not in text
    assert not {"\u202e", "\u2066", "\x00"} & set(text)
    assert "<p>[U+202E]evil[U+2066]</p>" in text
    assert ">[U+202E]evil[U+2066]</a></h3>" in text
    assert 'href="javascript:' not in text
    assert len(text) < 300_000
    opened = browser_page(path, width=360)
    opened.page.on("dialog", lambda dialog: pytest.fail("a script was run"))
    opened.page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert not opened.scrolls_sideways()
    assert opened.messages == []
    assert opened.violations() == []


def test_marks_of_direction_in_the_drawing_on_top_are_written_out(tmp_path: Path) -> None:
    drawn = {size: svg.replace("</svg>", "<text>abc \u202egnol</text></svg>") for size, svg in DRAWN.items()}
    put(
        tmp_path,
        "all",
        executed(picture(), caption="See \u202egnol \u05e9\u05dc\u05d5\u05dd.", **drawn),
        "06_across_outages",
    )
    text = index.write(tmp_path).read_text(encoding="utf-8")
    tops = [base64.b64decode(one).decode() for one in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", text)]
    assert len(tops) == 2
    assert all("abc [U+202E]gnol" in one for one in tops)
    assert "See [U+202E]gnol \u05e9\u05dc\u05d5\u05dd." in text


def test_only_choices_are_allowed_beyond_a_report() -> None:
    fine = '<h1>x</h1><input type="radio" name="order" id="order-0" checked>'
    assert index._checked(fine) == fine
    for bad in ('<input type="text" name="a" id="b">', '<input type="radio" name="a" id="b" onclick="x()">', "<form>"):
        with pytest.raises(index.PageError, match="index: "):
            index._checked(f"<h1>x</h1>{bad}")


def test_the_same_reports_are_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        for number in (3, 1, 2) if folder == "one" else (1, 2, 3):
            put(tmp_path / folder, f"a{number}-2020-01-01", executed(picture(number)))
        put(tmp_path / folder, "all", executed(picture()), "06_across_outages")
    first, second = (index.write(tmp_path / folder) for folder in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    before = first.stat().st_mtime_ns
    index.write(first.parent)  # with the pictures of the earlier index
    assert first.stat().st_mtime_ns == before
    first.write_bytes(b"\xff half an index")
    assert index.write(first.parent).read_bytes() == second.read_bytes()
    put(first.parent, "a1-2020-01-01", executed(picture(9)))
    assert index.write(first.parent).read_bytes() != second.read_bytes()


def test_a_report_that_arrives_meanwhile_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a-2020-01-01")
    page, made = index._page, []

    def slow(*given: Any) -> str:
        if not made:
            made.append(put(tmp_path, "b-2020-01-01"))
        return page(*given)

    monkeypatch.setattr(index, "_page", slow)
    assert "b-2020-01-01.html" in index.write(tmp_path).read_text(encoding="utf-8")


def test_files_that_are_being_written_are_not_listed(tmp_path: Path) -> None:
    put(tmp_path, "a-2020-01-01")
    put(tmp_path, ".b-2020-01-01.123.part")
    assert "part" not in index.write(tmp_path).read_text(encoding="utf-8")


RUN = """
import sys
from pathlib import Path
from helpers import index
for number in range(40):
    index.write(Path(sys.argv[1]), {"telegram": sys.argv[2] + str(number)}, {})
"""


def test_two_runs_at_once_leave_a_whole_index(tmp_path: Path) -> None:
    for number in range(10):
        put(tmp_path, f"a{number}-2020-01-01", executed(picture(number)))
    path = index.write(tmp_path)
    size = path.stat().st_size
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    runs = [subprocess.Popen([sys.executable, "-c", RUN, tmp_path, name], env=alone) for name in ("Tel", "Egram")]
    while any(run.poll() is None for run in runs):
        text = path.read_text(encoding="utf-8")
        assert text.endswith("</html>\n")
        assert abs(len(text.encode()) - size) < 1000
        time.sleep(0.002)
    assert [run.returncode for run in runs] == [0, 0]
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["index.html"]
