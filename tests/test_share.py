"""What is handed on and what follows: a PDF of the page, a bundle of everything, reports made while editing."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from helpers import bundle, cli, evidence, fingerprint, imported, params, pdf, report, results, watch

Project = Callable[[str], Path]
SLUG = "whatsapp-2014-02-22"
PAGE = "<!doctype html><html lang=en><title>x</title><h1>Wer kam?</h1><p>Eine Million.</p></html>\n"
#: A browser that prints at once.
PRINTS = 'for a in "$@"; do case $a in --print-to-pdf=*) echo %%EOF > "${a#*=}";; esac; done'


@pytest.fixture
def place(tmp_path: Path) -> results.Place:
    """A finished page, in a folder as people name them."""
    folder = tmp_path / "Berichte für Jürgen"
    folder.mkdir()
    (folder / "one.html").write_text(PAGE, encoding="utf-8")
    return results.Place(folder, "one")


def program(path: Path, script: str) -> Path:
    """Write a program that stands for a browser."""
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


# --- PDF


def test_a_pdf_is_printed_beside_the_page(place: results.Place) -> None:
    try:
        pdf.browser()
    except pdf.PdfError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    assert not pdf.is_fresh(place)
    made = pdf.write(place).read_bytes()
    assert made.startswith(b"%PDF-")
    assert len(made) > 1000
    assert pdf.is_fresh(place)
    assert {path.name for path in place.folder.iterdir()} == {"one.html", "one.pdf"}
    place.file("html").write_text(PAGE.replace("Eine", "Zwei"), encoding="utf-8")
    assert not pdf.is_fresh(place)
    place.put({"html": PAGE})
    assert not place.file("pdf").exists()  # a new page has no old PDF


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'cannot open display' >&2; exit 3", "could not print the page: cannot open display"),
        ("exit 0", "could not print the page: it ended with 0"),
        ("sleep 60; true", r"took longer than 0\.3 s"),
    ],
)
def test_a_browser_that_fails(
    place: results.Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, message: str
) -> None:
    monkeypatch.setenv("CHROME", str(program(tmp_path / "browser", script)))
    place.file("pdf").write_bytes(b"earlier")
    with pytest.raises(pdf.PdfError, match=message):
        pdf.write(place, 0.3 if "sleep" in script else 30)
    assert place.file("html").read_text(encoding="utf-8") == PAGE
    assert place.file("pdf").read_bytes() == b"earlier"
    assert len(list(place.folder.iterdir())) == 2


def test_a_page_made_again_while_it_is_printed(
    place: results.Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = shlex.quote(str(place.file("html")))
    script = (
        f'for a in "$@"; do case $a in --print-to-pdf=*) echo %%EOF > "${{a#*=}}";; esac; done; echo more >> {page}'
    )
    monkeypatch.setenv("CHROME", str(program(tmp_path / "browser", script)))
    with pytest.raises(pdf.PdfError, match="made again meanwhile"):
        pdf.write(place)
    assert not place.file("pdf").exists()


def made(folder: Path) -> report.Job:
    """Put files in place as if the report had just been made."""
    job = report.plan("03")
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        **{"notebook": "03_adoption_after_outage", "title": "Who gained?", "headline": "Telegram.", "outage_id": SLUG},
        **{"estimates": [], "versions": results.versions(), "made": "2026-11-22T01:02:04+00:00"},
        **{"evidence_ids": [SLUG, "figure-of-another-time"], "fingerprint": job.fingerprint},
        "page_sha256": results.sha(PAGE),
    }
    job.place.put({"html": PAGE, "ipynb": '{"cells": []}', "json": json.dumps(record)})
    return job


def test_without_a_browser_the_page_is_still_made(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = made(project("good"))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CHROME", raising=False)
    assert cli.main(["report", "03", "--to", "pdf"]) == 1
    told = capsys.readouterr()
    assert "unchanged: " in told.out
    assert "none of chromium, chromium-browser, google-chrome, chrome, msedge is installed; install" in told.err
    assert job.place.file("html").read_text(encoding="utf-8") == PAGE
    monkeypatch.setenv("CHROME", "no-such-browser")
    assert cli.main(["report", "03", "--to", "pdf"]) == 1
    assert "CHROME names no-such-browser, which is no program" in capsys.readouterr().err


def test_a_pdf_is_printed_once(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = made(project("good"))
    monkeypatch.setenv("CHROME", str(program(tmp_path / "browser", PRINTS)))
    assert cli.main(["report", "03", "--to", "pdf"]) == 0
    assert "printed: " in capsys.readouterr().out
    assert cli.main(["report", "03", "--to", "pdf"]) == 0
    assert capsys.readouterr().out.count("unchanged: ") == 2
    assert pdf.is_fresh(job.place)


# --- bundle


def test_a_bundle_holds_the_report_and_what_it_is_made_of(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = made(project("good"))
    first, second = tmp_path / "für alle.zip", tmp_path / "second.zip"
    assert cli.main(["report", "03", "--bundle", str(first)]) == 0
    assert "bundle: " in capsys.readouterr().out
    assert cli.main(["report", "03", "--bundle", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(first) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 11, 22, 1, 2, 4)}
        archive.extractall(unpacked)
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    tables = {f"{table}.csv" for table in evidence.TABLES}
    kept = {f"derived/{name}" for name in ("rule.csv", "rule.json", "gains.csv", "people.csv")}
    assert names == {
        *(f"{SLUG}.{end}" for end in ("html", "ipynb", "json")),
        *tables,
        *kept,
        "requirements.lock",
        "README.txt",
    }
    capsys.readouterr()
    assert cli.main(["check", str(unpacked)]) == 0
    assert capsys.readouterr().out.startswith("ok: ")
    told = (unpacked / "README.txt").read_text(encoding="utf-8")
    assert f"adoption report 03 --outage {SLUG} --data . --out again" in told
    # The line can be followed: nothing it needs is missing.
    again = report.plan("03", {"outage_id": SLUG}, unpacked / "again", unpacked)
    assert again.parameters == job.parameters
    for table in evidence.TABLES:
        rows, all_rows = params.rows(unpacked, table), params.rows(job.data, table)
        assert 0 < len(rows) < len(all_rows)
        assert rows == [row for row in all_rows if row in rows]  # whole, in their order


@pytest.mark.parametrize(("number", "source"), [("01", None), ("04", "counts.csv"), ("06", None)])
def test_bundles_of_other_notebooks(project: Project, tmp_path: Path, number: str, source: str | None) -> None:
    project("good")
    values = {}
    if source:
        (tmp_path / source).write_text("time,count\n2025-01-01,1\n", encoding="utf-8")
        values = {"source": str(tmp_path / source), "outage_start": "2025-03-05T14:00Z"}
    job = report.plan(number, values)
    job.place.folder.mkdir(parents=True)
    record = {
        **{"notebook": job.notebook.stem, "title": "T", "headline": "H", "versions": results.versions()},
        **{"made": "2026-11-22T01:02:04+00:00", "evidence_ids": [], "fingerprint": job.fingerprint},
        "page_sha256": results.sha(PAGE),
    }
    job.place.put({"html": PAGE, "ipynb": '{"cells": []}', "json": json.dumps(record)})
    with zipfile.ZipFile(bundle.write(job, tmp_path / "all.zip")) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert evidence.check(tmp_path / "unpacked") == []
    whole = {table: len(params.rows(tmp_path / "unpacked", table)) for table in evidence.TABLES}
    if source:
        assert set(whole.values()) == {0}
        assert (tmp_path / "unpacked" / "inputs" / source).read_bytes() == (tmp_path / source).read_bytes()
        told = (tmp_path / "unpacked" / "README.txt").read_text(encoding="utf-8")
        assert f"--source inputs/{source}" in told or f"-p source inputs/{source}" in told
        assert str(tmp_path) not in told
    else:
        assert whole == {table: len(params.rows(job.data, table)) for table in evidence.TABLES}


def test_a_bundle_of_what_has_changed_since(project: Project, tmp_path: Path) -> None:
    job = made(project("good"))
    job.place.file("html").write_text("cut", encoding="utf-8")
    with pytest.raises(bundle.BundleError, match="has changed since"):
        bundle.write(job, tmp_path / "a.zip")
    assert not list(tmp_path.glob("*.zip"))


def test_a_bundle_on_a_full_disk_leaves_the_earlier_one(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = made(project("good"))
    (tmp_path / "a.zip").write_bytes(b"earlier")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(bundle.BundleError, match="No space left on device; nothing was put in place"):
        bundle.write(job, tmp_path / "a.zip")
    assert [path.read_bytes() for path in tmp_path.glob("*.zip")] == [b"earlier"]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["03", "--bundle", "."], "that is a folder"),
        (["03", "--bundle", "report.tar"], r"it does not end in \.zip"),
        (["03", "--bundle", "nowhere/report.zip"], "there is no folder"),
        (["--bundle", "report.zip"], r"and \d+ reports, expected one report"),
    ],
)
def test_a_bundle_that_cannot_be_is_refused_at_once(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    project("good")
    monkeypatch.setattr(report, "plan", lambda *_, **__: pytest.fail("planned"))
    assert cli.main(["report", *words]) == 2
    assert re.search(message, capsys.readouterr().err)


# --- watch


def test_a_round_for_every_change(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a", encoding="utf-8")
    rounds: list[int] = []
    said: list[str] = []

    def again() -> None:
        rounds.append(1)
        if len(rounds) == 1:
            two.write_text("new", encoding="utf-8")  # while the round runs: it counts
        elif len(rounds) == 2:
            one.unlink()
        else:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch.watch(again, lambda: [one, two], said.append, every=0.01)
    assert len(rounds) == 3
    assert [line.rpartition("/")[2] for line in said if line.startswith("changed")] == ["two", "one"]


def test_a_swallowed_interrupt_ends_it_after_the_round() -> None:
    def again() -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        watch.watch(again, lambda: [], lambda line: None, every=0.01)
    assert signal.getsignal(signal.SIGINT) is before


def test_all_that_a_report_depends_on_is_watched() -> None:
    seen = set(watch.files(params.ROOT / "data", [Path("/mine.csv")]))
    for number in ("03", "05"):
        job = report.plan(number)
        needed = {job.notebook, *imported.files(job.notebook), *fingerprint._beside(job.notebook.stem, job.data)}
        assert needed <= seen
    assert {params.ROOT / "requirements.lock", params.ROOT / "data" / "outages.csv", Path("/mine.csv")} <= seen


WATCH = """
import sys
from contextlib import suppress
from pathlib import Path
from helpers import cli, report
report.NOTEBOOKS_DIR, report.OUT_DIR = Path(sys.argv[1]), Path(sys.argv[2])
sys.exit(cli.main(["report", "03", "--watch", "--data", sys.argv[3]]))
"""


@pytest.fixture
def watched(project: Project, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Callable[[str], None]]]:
    """A watching process, and what waits until it has said something."""
    project("good")
    tables = tmp_path / "tables"
    tables.mkdir()
    for table in evidence.TABLES:
        (tables / f"{table}.csv").write_bytes((params.ROOT / "data" / f"{table}.csv").read_bytes())
    words = [sys.executable, "-c", WATCH, str(report.NOTEBOOKS_DIR), str(report.OUT_DIR), str(tables)]
    run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.stdout is not None
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(iter(run.stdout.readline, "")), daemon=True)  # type: ignore
    reader.start()
    read = 0

    def wait(text: str) -> None:
        nonlocal read
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for number in range(read, len(lines)):
                if text in lines[number]:
                    read = number + 1
                    return
            time.sleep(0.05)
        pytest.fail(f"nothing said {text!r}: {lines}")

    yield run, wait
    run.kill()
    run.wait()
    reader.join()
    run.stdout.close()


def test_watching_goes_on_when_something_is_broken(
    watched: tuple[subprocess.Popen[str], Callable[[str], None]], tmp_path: Path
) -> None:
    run, wait = watched
    wait("made: ")
    wait("watching; Ctrl-C ends it")
    notebook = report.NOTEBOOKS_DIR / "03_adoption_after_outage.ipynb"
    good = notebook.read_text(encoding="utf-8")
    notebook.write_text(good[: len(good) // 2], encoding="utf-8")
    wait("changed: ")
    wait("adoption: JSONDecodeError")
    outages = tmp_path / "tables" / "outages.csv"
    text = outages.read_text(encoding="utf-8")
    outages.write_text(text.replace(",outage,", ",breakage,", 1), encoding="utf-8")
    notebook.write_text(good.replace("printed", "PRINTED"), encoding="utf-8")
    wait("'breakage'")
    outages.write_text(text, encoding="utf-8")
    wait("made: ")
    run.send_signal(signal.SIGINT)
    wait("stopped watching")
    assert run.wait(timeout=30) == 0
    page = report.OUT_DIR / "03_adoption_after_outage" / f"{SLUG}.html"
    assert "PRINTED" in page.read_text(encoding="utf-8")


def test_what_is_typed_wrongly_is_not_watched(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project("good")
    assert cli.main(["report", "--outage", "whatsap-2014-02-22", "--watch"]) == 2
    assert "did you mean whatsapp-2014-02-22" in capsys.readouterr().err
