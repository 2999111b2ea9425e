"""What several test modules need: fixture notebooks in their own folder, a browser without a network."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cells import here

from helpers import chosen, report, together

NOTEBOOKS = Path(__file__).parent / "notebooks"
MAIN = "03_adoption_after_outage"
#: What takes longest is begun first, so that two workers end together; then whatever waits for nobody's reports.
FIRST = (
    "across_notebook", "test_evidence.py", "evidence_notebooks", "main_notebook", "regenerate", "who_gained_notebook",
    "measured_notebook", "next_notebook", "test_share", "test_report", "panel_cluster", "every_report",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first; within them, and among the others, the order stays."""
    place = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: min((place[name] for name in FIRST if name in item.path.name), default=len(FIRST)))


@pytest.fixture(scope="session")
def chosen_report(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return the page of a report of `make reports`: ``chosen_report("03", outage_id="x")``, made once for all tests.

    Test processes share them: the second that asks waits for the first. The first report of each notebook comes from
    a kernel of its own, as readers get it; the others, whose bytes are no different, are made in this process.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "chosen"

    def page(number: str, **given: Any) -> Path:
        of_notebook = [one for one in chosen.REPORTS if one[0].startswith(number)]
        name, _ = one = next(one for one in of_notebook if one[1] == given)
        own = folder / report.plan(name, given).slug
        own.mkdir(parents=True, exist_ok=True)
        with together.alone(own), nullcontext() if one is of_notebook[0] else here():
            return report.render(name, given, out_dir=own).job.place.file("html")

    return page


@pytest.fixture
def without_kernel() -> Iterator[None]:
    """Run notebooks in this process."""
    with here():
        yield


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a fixture notebook in the place of the main one and reports into a folder of the test."""
    monkeypatch.setattr(report, "NOTEBOOKS_DIR", tmp_path / "notebooks")
    monkeypatch.setattr(report, "OUT_DIR", tmp_path / "reports")

    def install(name: str) -> Path:
        place = tmp_path / "notebooks" / f"{MAIN}.ipynb"
        shutil.copytree(NOTEBOOKS.parents[1] / "notebooks", place.parent, dirs_exist_ok=True)
        shutil.copyfile(NOTEBOOKS / f"{name}.ipynb", place)
        return tmp_path / "reports" / MAIN

    return install


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the check of the evidence tables, which has tests of its own and takes a second."""
    monkeypatch.setattr(report, "check_tables", lambda *folders: None)


@dataclass
class Opened:
    """A page open in a browser.

    Attributes
    ----------
    page : playwright.sync_api.Page
        The page itself.
    requests : list of str
        Every address the page asked for.
    messages : list of str
        Every error and warning of the console.
    """

    page: Any
    requests: list[str]
    messages: list[str]

    def scrolls_sideways(self) -> bool:
        """Say whether the page as a whole is wider than the window."""
        wide = self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        return bool(wide)

    def moved(self) -> float:
        """Return how far the page's parts have moved while it loaded, as browsers sum it up (0: not at all)."""
        shift = """() => new Promise(done => {
            let sum = 0;
            new PerformanceObserver(list => list.getEntries().forEach(entry => sum += entry.value))
                .observe({type: 'layout-shift', buffered: true});
            setTimeout(() => done(sum), 400);
        })"""
        assert self.page.evaluate("PerformanceObserver.supportedEntryTypes.includes('layout-shift')")
        return float(self.page.evaluate(shift))

    def violations(self) -> list[str]:
        """Return what axe finds against the accessibility rules of levels A and AA."""
        from axe_playwright_python.sync_playwright import Axe

        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": tags}})
        return [
            f"{item['id']} ({item['impact']}): {item['help']}: {node['html'][:200]}"
            for item in found.response["violations"]
            for node in item["nodes"]
        ]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start the Chromium of this machine once; without one, skip, but fail where CI needs one."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    program = program or shutil.which("google-chrome")
    if program is None:
        reason = "no Chromium on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=[*quiet, "--no-first-run"])
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Return what opens a file without a network: ``browser_page(path, width=360, scheme="dark")``."""
    contexts = []

    def open_page(path: Path, width: int = 1280, height: int = 800, scheme: str = "light", **more: Any) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, offline=True, **more
        )
        contexts.append(context)
        opened = Opened(context.new_page(), [], [])
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.on("console", lambda message: opened.messages.append(message.text))
        opened.page.on("pageerror", lambda error: opened.messages.append(str(error)))
        opened.page.goto(path.resolve().as_uri())
        return opened

    yield open_page
    for context in contexts:
        context.close()
