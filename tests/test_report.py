"""The runner: one fixture notebook for every way of failing, and what stays in place when it does."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from cells import here

from helpers import index, render, report, results
from helpers.params import ParameterError
from helpers.report import ReportError

Project = Callable[[str], Path]
SLUG = "whatsapp-2014-02-22"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> report.Job:
    """Render the good fixture notebook once."""
    folder = tmp_path_factory.mktemp("good")
    notebook = folder / "03_adoption_after_outage.ipynb"
    notebook.write_bytes((Path(__file__).parent / "notebooks" / "good.ipynb").read_bytes())
    report.render(notebook, {}, folder / "reports")
    return report.plan(notebook, {}, folder / "reports")


def test_a_report_is_three_files(rendered: report.Job) -> None:
    assert set(contents(rendered.place.folder)) == {f"{SLUG}.html", f"{SLUG}.ipynb", f"{SLUG}.json"}
    record = json.loads(rendered.place.file("json").read_bytes())
    assert record["estimates"][0]["quantity"] == "extra_users"
    assert record["versions"]["python"]
    notebook = rendered.place.file("ipynb").read_text(encoding="utf-8")
    assert results.read(json.loads(notebook)).outage_id == SLUG
    assert str(rendered.notebook.parent) not in notebook


def test_the_page_holds_what_it_must(rendered: report.Job) -> None:
    page = rendered.place.file("html").read_text(encoding="utf-8")
    assert render.page_faults(page) == []
    assert "<title>Who gained when WhatsApp went down?</title>" in page
    assert 'content="Telegram gained 1 to 2 million people."' in page
    assert 'alt="A line rises from nothing to a peak' in page
    assert "&lt;b&gt;as published&lt;/b&gt;" in page
    assert page.count("<style>") == 1  # the one a table brought is gone
    assert "adoption report 03 --outage whatsapp-2014-02-22" in page
    assert "papermill notebooks/03_adoption_after_outage.ipynb out.ipynb" in page
    assert '<th class="num" scope="col">People</th>' in page
    assert results.MIME not in page
    assert "Only whoever works in the notebook" not in page


def test_the_same_again_is_skipped_and_what_changed_is_not(
    project: Project, unchecked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project("good")
    assert report.render("03").status == "made"
    before = contents(folder)
    assert report.render("03").status == "unchanged"
    (folder / f"{SLUG}.html").write_text("cut", encoding="utf-8")
    assert not report.is_fresh(report.plan("03"))
    (folder / f"{SLUG}.html").write_bytes(before[f"{SLUG}.html"])
    assert report.is_fresh(report.plan("03"))
    source = report.NOTEBOOKS_DIR / "03_adoption_after_outage.ipynb"
    source.write_text(source.read_text(encoding="utf-8").replace("printed", "PRINTED"), encoding="utf-8")
    assert not report.is_fresh(report.plan("03"))


def test_two_runs_give_the_same_page(project: Project, unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second in this process, as the tests run most notebooks: nothing in a page depends on the kernel."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1393095600")
    folder = project("good")
    report.render("03", {"level": 0.9, "rivals": "line,telegram"})
    first = contents(folder)
    with here():
        report.render("03", {"level": 0.9, "rivals": "line,telegram"}, force=True)
    second = contents(folder)
    (slug,) = {name.partition(".")[0] for name in first}
    assert slug.startswith(f"{SLUG}--")
    assert first[f"{slug}.html"] == second[f"{slug}.html"]
    assert first[f"{slug}.json"] == second[f"{slug}.json"]
    assert b"-p rivals line,telegram -p level 0.9" in first[f"{slug}.html"]


FAILURES = [
    ("exception", r"cell 5 of 6 \(`figures = .*`\) failed: KeyError: 'line'"),
    ("no_result", "the last code cell emits no result record"),
    ("warning", "cell 5: wrote to standard error, .*: .*UserWarning: a division by zero somewhere"),
    ("kernel_dies", r"cell 4 of 5 \(`import os`\) ended its kernel"),
    ("endless", r"cell 4 of 5 \(`while True:`\) took longer than 1 s"),
    ("no_alternative_text", "cell 5: shows a figure without alternative text"),
    ("external_image", "<img src> would load 'https://example.org/map.png'"),
    ("script", r"HTML output holds onclick= on <p>\n.*HTML output holds <script>"),
    ("two_titles", r"the page has 2 main headings \(h1\), expected one"),
    ("latex", "holds LaTeX"),
    ("other_parameters", r"the record is of .*'level': 0\.8.*expected .*'level': 0\.95"),
]


#: What only a kernel can do.
OWN_KERNEL = {"exception", "warning", "kernel_dies", "endless"}


@pytest.mark.parametrize(("name", "message"), FAILURES, ids=[name for name, _ in FAILURES])
def test_a_failure_says_why_and_leaves_the_earlier_report(
    project: Project, unchecked: None, name: str, message: str
) -> None:
    folder = project(name)
    folder.mkdir(parents=True)
    earlier = {f"{SLUG}.{ending}": ending.encode() for ending in ("html", "ipynb", "json")}
    for file, content in earlier.items():
        (folder / file).write_bytes(content)
    with nullcontext() if name in OWN_KERNEL else here(), pytest.raises(ReportError, match=message) as caught:
        report.render("03", timeout=1 if name == "endless" else 60)
    assert len(str(caught.value).splitlines()) < 15
    after = contents(folder)
    kept = after.pop(f"{SLUG}.failed.ipynb")
    assert after == earlier
    assert json.loads(kept)["cells"]
    assert f"{SLUG}.failed.ipynb" in str(caught.value)


def test_a_success_removes_what_a_failure_left(project: Project, unchecked: None) -> None:
    project("exception")
    with pytest.raises(ReportError):
        report.render("03")
    folder = project("good")
    report.render("03")
    assert f"{SLUG}.failed.ipynb" not in contents(folder)


def test_unknown_parameters_stop_before_a_kernel_starts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_execute", lambda *_: pytest.fail("a kernel was started"))
    folder = project("good")
    with pytest.raises(ParameterError, match="did you mean horizon_hours"):
        report.render("03", {"horizon_hour": 3})
    project("unknown_parameter")
    with pytest.raises(ParameterError, match=r"speed: 1\.0 in the notebook, 'missing' in the model"):
        report.render("03")
    assert not folder.exists()


def test_an_unknown_kernel_is_named(project: Project, unchecked: None) -> None:
    project("good")
    with pytest.raises(ReportError, match="No such kernel named no-such"):
        report.render("03", kernel_name="no-such")


def test_one_failure_does_not_stop_the_others(project: Project, tmp_path: Path) -> None:
    project("good")
    good = report.plan("03", {"seed": 1})
    broken = tmp_path / "broken" / "03_adoption_after_outage.ipynb"
    broken.parent.mkdir()
    broken.write_bytes((Path(__file__).parent / "notebooks" / "exception.ipynb").read_bytes())
    seen: list[str] = []
    jobs = [report.plan(broken, {}), good, report.plan("03", {"seed": 2})]
    outcomes = index.render_all(jobs, workers=2, done=lambda outcome: seen.append(outcome.status))
    assert [outcome.status for outcome in outcomes] == ["failed", "made", "made"]
    assert sorted(seen) == ["failed", "made", "made"]
    assert "KeyError: 'line'" in outcomes[0].message
    again = index.render_all(jobs[1:])
    assert [outcome.status for outcome in again] == ["unchanged", "unchanged"]


def test_broken_tables_make_no_report(project: Project, tmp_path: Path) -> None:
    from helpers.evidence import EvidenceError
    from helpers.params import ROOT

    folder = project("broken_table")
    data = tmp_path / "tables"
    data.mkdir()
    for path in (ROOT / "data").glob("*.csv"):
        (data / path.name).write_bytes(path.read_bytes())
    outages = (data / "outages.csv").read_text(encoding="utf-8").replace(",outage,", ",breakage,", 1)
    (data / "outages.csv").write_text(outages, encoding="utf-8")
    with pytest.raises(EvidenceError, match="breakage"):
        report.render("03", evidence_dir=data)
    with pytest.raises(EvidenceError, match="breakage"):
        index.render_all([report.plan("03", evidence_dir=data)])
    assert not folder.exists() or contents(folder) == {}
    (data / "outages.csv").write_text("not a table", encoding="utf-8")
    with pytest.raises(EvidenceError, match="outage_id"):
        report.plan("03", evidence_dir=data)


def test_tables_once_found_sound_are_not_checked_again(
    rendered: report.Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from helpers import evidence

    monkeypatch.setattr(evidence, "load", lambda data: pytest.fail("checked"))
    report.check_tables(rendered.data, rendered.place.folder)
    (tmp_path / "other.csv").touch()
    with pytest.raises(pytest.fail.Exception, match="checked"):
        report.check_tables(tmp_path, rendered.place.folder)


RUN = """
import sys
from pathlib import Path
from helpers import report
report.check_tables = lambda *folders: None
report.render(Path(sys.argv[1]), {}, Path(sys.argv[2]), force=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_a_killed_run_leaves_whole_files(project: Project, unchecked: None, tmp_path: Path) -> None:
    folder = project("good")
    report.render("03")
    before = contents(folder)
    project("slow")
    notebook = report.NOTEBOOKS_DIR / "03_adoption_after_outage.ipynb"
    run = subprocess.Popen([sys.executable, "-c", RUN, notebook, report.OUT_DIR])
    deadline = time.monotonic() + 60
    while not list(folder.glob(".*.part.ipynb")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    after = contents(folder)
    left = [name for name in after if name.startswith(".")]
    assert left
    assert {name: after[name] for name in before} == before
    project("good")
    report.render("03", force=True)
    assert set(contents(folder)) == set(before)  # the next run cleans up


def test_page_faults_find_what_a_browser_would_load() -> None:
    page = "<h1>x</h1>{}"
    bad = [
        "<script>1</script>",
        "<script src='data:,'></script>",
        "<link rel=stylesheet href=https://example.org/a.css>",
        "<img alt=x src=https://example.org/a.png>",
        "<img alt=x src=a.png>",
        "<img alt=x src=data:, srcset='https://example.org/a.png 2x'>",
        "<img src=data:,>",
        "<img alt=' ' src=data:,>",
        "<a href=javascript:alert(1)>x</a>",
        "<a href=file:///etc/passwd>x</a>",
        "<p onclick=x()>x</p>",
        "<style>@import 'a.css'</style>",
        "<style>p { background: url(https://example.org/a.png) }</style>",
        "<p style=\"background: url('a.png')\">x</p>",
        "<iframe></iframe>",
        "<p id=a></p><p id=a></p>",
        "x" * render.LIMIT,
    ]
    assert [text for text in bad if not render.page_faults(page.format(text))] == []
    fine = "<a href=https://example.org>x</a><a href=#x>y</a><img alt=x src=data:,><style>p { top: 0 }</style>"
    assert render.page_faults(page.format(fine)) == []
    assert render.page_faults("<p>no title</p>") == ["the page has 0 main headings (h1), expected one"]


def test_lines_that_make_a_report_again_survive_a_shell(tmp_path: Path) -> None:
    changed = {
        "outage_id": "a b",
        "rivals": ["x", "y"],
        "baseline_per_day": {"x": 1e5},
        "horizon_hours": 72.5,
    }
    lines = results.commands("03_adoption_after_outage", {"outage_id": "a b"}, changed, Path("my tables"))
    assert lines == {
        "adoption": "adoption report 03 --outage 'a b' -p rivals x,y -p baseline_per_day x=100000 "
        "-p horizon_hours 72.5 --data 'my tables'",
        "papermill": "ADOPTION_DATA='my tables' papermill notebooks/03_adoption_after_outage.ipynb out.ipynb "
        "-p outage_id 'a b' -p rivals x,y -p baseline_per_day x=100000 -p horizon_hours 72.5",
    }
