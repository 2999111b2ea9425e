"""Making reports again: what a change reaches, what it does not, and what a killed run leaves."""

import csv
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from helpers import bundle, case, chosen, cli, evidence, fit, imported, index, params, report, uses
from helpers.pooled import unusual

Project = Callable[[str], Path]
Row = dict[str, str]
DATA = params.ROOT / "data"
SLUG = "whatsapp-2014-02-22"
#: A published count, of an event without confounders, that no pair of claimants is made of.
FIGURE = "facebook-2019-03-13--telegram--1"


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    for table in uses.TABLES:
        shutil.copyfile(DATA / f"{table}.csv", folder / f"{table}.csv")
    return folder


def edit(folder: Path, table: str, change: Callable[[Row], object]) -> None:
    """Change rows of a table in their places."""
    rows = params.rows(folder, table)
    for row in rows:
        change(row)
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def cell(key: str, name: str, value: str) -> Callable[[Row], object]:
    """Change one cell of the row with this key."""
    return lambda row: row.update({name: value}) if key == next(iter(row.values())) else None


def fingerprints(tables: Path) -> dict[str, str]:
    jobs = [report.plan(name, values, evidence_dir=tables) for name, values in chosen.REPORTS]
    return {f"{job.notebook.stem[:2]} {job.slug}": job.fingerprint for job in jobs}


def stale(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def about(notebook: str, names: dict[str, str], *words: str) -> set[str]:
    """Return the chosen reports of a notebook whose names begin with one of the words."""
    return {name for name in names if name.startswith(tuple(f"{notebook} {word}" for word in words))}


def test_a_figure_reaches_only_the_reports_that_use_it(tables: Path) -> None:
    before = fingerprints(tables)
    assert len(before) == len(chosen.REPORTS)
    use_it = about("03", before, "facebook-2019-03-13") | about("02", before, "telegram")
    use_it |= about("06", before, "") | about("07", before, "")
    assert len(use_it) == 5
    edit(tables, "growth_figures", cell(FIGURE, "value", "3100000"))
    assert stale(before, fingerprints(tables)) == use_it
    edit(tables, "growth_figures", cell(FIGURE, "value", "3000000"))
    assert stale(before, fingerprints(tables)) == set()
    edit(tables, "growth_figures", cell(FIGURE, "note", "in other words"))
    assert stale(before, fingerprints(tables)) == use_it
    # When services are watched is part of their history.
    edit(tables, "growth_figures", cell(FIGURE, "note", ""))
    before = fingerprints(tables)
    edit(tables, "growth_figures", cell(FIGURE, "window_start_utc", "2019-03-12"))
    assert stale(before, fingerprints(tables)) == use_it | about("01", before, "")


def test_a_page_reaches_only_the_reports_that_name_it(tables: Path) -> None:
    before = fingerprints(tables)
    (figure,) = (row for row in params.rows(tables, "growth_figures") if row["figure_id"] == FIGURE)
    page = figure["source_ids"].split(";")[0]
    edit(tables, "sources", cell(page, "title", "Another title"))
    changed = stale(before, fingerprints(tables))
    assert about("03", before, "facebook-2019-03-13") | about("02", before, "telegram") <= changed
    assert not about("03", before, "tiktok", "whatsapp") & changed
    assert not about("02", before, "line") & changed
    assert not about("04", before, "") & changed


def test_a_note_of_an_event_nobody_chose(tables: Path) -> None:
    """Of a bank without a figure: in the history and in what is made of all events, in no report of one outage."""
    before = fingerprints(tables)
    used = {row["service_id"] for row in params.rows(tables, "growth_figures")}
    lone = next(
        row
        for row in params.rows(tables, "outages")
        if row["service_id"] not in used and not set(row["service_id"].split("-")) & {"whatsapp", "facebook", "tiktok"}
    )
    edit(tables, "outages", cell(lone["outage_id"], "note", "seen again"))
    assert {name[:2] for name in stale(before, fingerprints(tables))} == {"01", "06", "07"}


def test_a_helper_reaches_only_the_notebooks_that_import_it(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "helpers"
    shutil.copytree(imported.HERE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(imported, "HERE", copied)
    imported._paths.cache_clear()
    try:
        by_notebook = {
            notebook: {path.relative_to(copied) for path in imported.files(report.NOTEBOOKS_DIR / f"{notebook}.ipynb")}
            for notebook in {name for name, _ in chosen.REPORTS}
        }
        for notebook, files in by_notebook.items():
            others = set.union(*(found for name, found in by_notebook.items() if name != notebook))
            (alone, *_) = [*sorted(files - others), None]
            if alone is None:
                continue
            before = fingerprints(tables)
            text = (copied / alone).read_text(encoding="utf-8")
            (copied / alone).write_text(f"{text}# another line\n", encoding="utf-8")
            assert stale(before, fingerprints(tables)) == about(notebook[:2], before, ""), alone
            (copied / alone).write_text(text, encoding="utf-8")
        assert stale(before, fingerprints(tables)) == set()
        everywhere = copied / "render.py"
        everywhere.write_text(everywhere.read_text(encoding="utf-8") + "# another line\n", encoding="utf-8")
        assert stale(before, fingerprints(tables)) == set(before)
    finally:
        imported._paths.cache_clear()


# --- is what is not used really not used?


def numbers(known: evidence.Evidence, outage: str) -> list[pd.DataFrame]:
    """Return what the report of an outage says: its curves' figures, draws, and what the rule makes of the first."""
    found = case.build(known, outage)
    fits = [fit.fit(series, 1) for series in case.primary(found)[:1]]
    frames = [
        pd.DataFrame([vars(claim) for claim in (*one.claims, *one.baselines)]).astype(str) for one in found.series
    ]
    judged = [pd.DataFrame([vars(unusual.compare(known, DATA, outage, one, 0.95))]) for one in fits]
    return [*frames, *(pd.DataFrame(one.sample.draws) for one in fits), *judged]


def test_rows_that_are_not_used_do_not_move_a_number(tables: Path, tmp_path: Path) -> None:
    outage = "facebook-2019-03-13"
    job = report.plan("03", {"outage_id": outage}, evidence_dir=tables)
    *whole, _, claimants = uses.rows("03_adoption_after_outage", job.parameters, tables)
    used = {table: {next(iter(row.values())) for row in rows} for table, rows in zip(uses.TABLES, whole, strict=True)}
    for table, parts in claimants.items():
        used[table] |= {cells[0] for cells in parts}
    before = numbers(evidence.load(tables), outage)
    assert len(before) > 1

    def other(table: str, change: Callable[[Row], object]) -> Callable[[Row], object]:
        def one(row: Row) -> None:
            if next(iter(row.values())) not in used[table]:
                changed.append(table)
                change(row)

        return one

    def half(name: str) -> Callable[[Row], object]:
        return lambda row: row.update({name: f"{float(row[name]) / 2:.10g}"}) if row[name] else None

    changed: list[str] = []
    edit(tables, "growth_figures", other("growth_figures", half("value")))
    edit(tables, "growth_figures", other("growth_figures", lambda row: row.update(note="n", claimant_class="press")))
    edit(tables, "baselines", other("baselines", half("value")))
    edit(tables, "outages", other("outages", lambda row: row.update(cause="c", kind="block", scope="Chad")))
    edit(tables, "services", other("services", lambda row: row.update(name=f"{row['name']} 2", sector="other")))
    edit(tables, "sources", other("sources", lambda row: row.update(publisher="p", language="eo")))
    assert {table: changed.count(table) > 20 for table in uses.TABLES} == dict.fromkeys(uses.TABLES, True)
    assert report.plan("03", {"outage_id": outage}, evidence_dir=tables).fingerprint == job.fingerprint
    # And the rows that a bundle holds say all that the changed tables say of it.
    fewer = tmp_path / "fewer"
    fewer.mkdir()
    for table, rows in bundle.rows(job).items():
        assert len(rows) < len(params.rows(tables, table))
        (fewer / f"{table}.csv").write_bytes(bundle._text(table, rows))
    for folder in (tables, fewer):
        for one, two in zip(before, numbers(evidence.load(folder), outage), strict=True):
            pd.testing.assert_frame_equal(one, two, check_exact=True)


# --- several runs, killed runs, full disks


def whole(folder: Path) -> dict[str, bytes]:
    """Return the files that stand in their places, after making sure that each is whole."""
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name[0] != "."}
    for name, content in found.items():
        if name.endswith(".html"):
            assert content.rstrip().endswith(b"</html>"), name
        else:
            assert json.loads(content), name
    return found


def children(process: int) -> set[int]:
    try:
        found = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")]
    except OSError:
        return set()
    own = {int(word) for text in found for word in text.split()}
    return own.union(*(children(child) for child in own))


def running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


MANY = """
import sys
from pathlib import Path
from helpers import index, report
report.NOTEBOOKS_DIR, report.OUT_DIR = Path(sys.argv[1]), Path(sys.argv[2])
report.check_tables = lambda *folders: None
outcomes = index.render_all([report.plan("03", {"seed": seed}) for seed in (1, 2)], workers=2, force=True)
print(*(outcome.status for outcome in outcomes))
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
def test_runs_killed_at_any_moment_leave_whole_files(project: Project, unchecked: None) -> None:
    folder = project("good")
    command = [sys.executable, "-c", MANY, str(report.NOTEBOOKS_DIR), str(report.OUT_DIR)]
    began = time.monotonic()
    assert subprocess.check_output(command, text=True).split() == ["made"] * 2
    takes = time.monotonic() - began
    before = whole(folder)
    assert len(before) == 6
    chance = random.Random(1)
    for part in range(3):
        run = subprocess.Popen(command)
        time.sleep(takes * (part + chance.random()) / 3)
        family = children(run.pid)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        assert set(whole(folder)) == set(before)
        # No worker waits for ever for work that nobody hands out, and no kernel outlives its worker.
        deadline = time.monotonic() + 15
        while any(map(running, family)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not [child for child in family if running(child)]
    assert subprocess.check_output(command, text=True).split() == ["made"] * 2
    assert {path.name for path in folder.iterdir()} == set(whole(folder)) == set(before)  # the next run cleans up
    assert all(report.is_fresh(report.plan("03", {"seed": seed})) for seed in (1, 2))


PUT = """
import sys
from pathlib import Path
from helpers.results import Place
for turn in range(200):
    Place(Path(sys.argv[1]), "one").put({end: sys.argv[2] * 20_000 for end in ("html", "ipynb", "json")})
"""


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    runs = [subprocess.Popen([sys.executable, "-c", PUT, str(tmp_path), name]) for name in "ab"]
    assert [run.wait() for run in runs] == [0, 0]
    assert {path.name for path in tmp_path.iterdir()} == {"one.html", "one.ipynb", "one.json"}
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_same_inputs_same_bytes(
    project: Project, unchecked: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1393095600")
    project("good")
    seen = []
    # A path with blanks, umlauts and braces is one like any other.
    for name in ("reports", "Berichte {für} Jürgen"):
        made = report.render("03", {"level": 0.9}, tmp_path / name)
        seen.append(whole(made.job.place.folder))
    assert len(seen[0]) == 3
    assert seen[0] == seen[1]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ValueError, match="given 'yesterday', expected whole seconds since 1970"):
        report.render("03", force=True)


@pytest.fixture
def earlier(project: Project) -> Iterator[dict[str, bytes]]:
    """Put files of an earlier report in place, and see that they are still there in the end."""
    folder = project("good")
    folder.mkdir(parents=True)
    for ending in ("html", "ipynb", "json"):
        (folder / f"{SLUG}.{ending}").write_text("{}", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    yield before
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_full_disk_at_the_end(earlier: dict[str, bytes], unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *_: object, **__: object) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(report, "build", lambda *_: {"html": "page", "ipynb": "{}", "json": "{}"})
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(report.ReportError, match=r"No space left on device; nothing was put in place"):
        report.render("03")


def test_a_full_disk_while_it_runs(earlier: dict[str, bytes], unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import papermill

    def full(source: str, target: str, *_: object, **__: object) -> None:
        Path(target).write_bytes(b'{"cells": [')
        raise OSError(errno.ENOSPC, "No space left on device", target)

    monkeypatch.setattr(papermill, "execute_notebook", full)
    with pytest.raises(report.ReportError, match=r"No space left on device"):
        report.render("03")


def test_an_output_folder_that_cannot_be(
    project: Project, unchecked: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project("good")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert cli.main(["report", "03", "--out", str(tmp_path / "file")]) == 1
    told = capsys.readouterr()
    assert "Not a directory; nothing was put in place" in told.err
    assert "the list of all reports was not written" in told.err
    assert "Traceback" not in told.err
    assert "1 failed" in told.out
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_notebook_that_never_ends_is_one_message(
    project: Project, unchecked: None, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project("endless")
    assert cli.main(["report", "03", "--timeout", "1"]) == 1
    told = capsys.readouterr()
    assert "longer than 1 s" in told.err
    assert "Traceback" not in told.err
    assert [path.name for path in folder.iterdir()] == [f"{SLUG}.failed.ipynb"]


def test_the_rest_is_tried_again_when_a_process_was_killed(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project("good")
    asked: list[int] = []

    def fake(jobs: list[report.Job], *_: object, done: Callable[..., object], **__: object) -> list[report.Outcome]:
        asked.append(len(jobs))
        message = "x: BrokenProcessPool: terminated abruptly"
        bad = {1: False}.get(len(jobs), True) or jobs[0].slug == "all"
        outcomes = [report.Outcome(job, "failed" if bad else "made", 1.0, message if bad else "") for job in jobs]
        for outcome in outcomes:
            done(outcome)
        return outcomes

    monkeypatch.setattr(index, "render_all", fake)
    assert cli.main(["report"]) == 1
    assert asked == [len(chosen.REPORTS)] + [1] * len(chosen.REPORTS)
    told = capsys.readouterr()
    alls = [name for name, values in chosen.REPORTS if report.plan(name, values).slug == "all"]
    assert f"failed: {', '.join(f'{name} all' for name in alls)}" in told.err
    assert told.err.count("BrokenProcessPool") == len(alls)


def test_time_left_is_said_where_no_bar_is(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    from helpers.commands.report import _Progress

    project("good")
    job = report.plan("03")
    say = _Progress(3)
    say(report.Outcome(job, "unchanged"))
    say(report.Outcome(job, "made", 2.0))
    say(report.Outcome(job, "made", 2.0))
    lines = capsys.readouterr().out.splitlines()
    assert ["left for" in line for line in lines] == [False, True, False]
    assert lines[1].endswith("about 0 s left for 1 more")
