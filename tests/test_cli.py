"""The command, as typed."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from helpers import chosen, cli, index, params, report, results

Project = Callable[[str], Path]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "helpers", *words], capture_output=True, text=True, check=False)


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    for path in (params.ROOT / "data").glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_help_loads_nothing_heavy() -> None:
    assert run("--help").returncode == 0
    heavy = "pandas", "papermill", "nbconvert", "matplotlib", "numpy"
    code = f"import sys, helpers.cli, helpers.report; assert not set({heavy!r}) & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_names_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["report", "--help"])
    text = capsys.readouterr().out
    flags = ("--outage", "--rivals", "--horizon-hours", "--baseline-per-day", "--level", "--seed")
    assert all(flag in text for flag in flags)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "99"], "03_adoption_after_outage"),
        (["report", "--outage", "whatsap-2014-02-22"], "did you mean whatsapp-2014-02-22"),
        (["report", "--level", "95"], "did you mean 0.95?"),
        (["report", "-p", "sed", "3"], "did you mean seed?"),
        (["report", "-p", "seed", "3", "--seed", "4"], "seed: given twice"),
        (["report", "--all", "--outage", "x"], "expected one of them"),
        (["outages", "--service", "whatsap"], "did you mean whatsapp"),
    ],
)
def test_usage_errors_are_one_clear_message(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], project: Project
) -> None:
    project("good")
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("words", [[], ["reprot"], ["report", "--jobs", "0"], ["report", "--timeout", "nan"]])
def test_wrong_usage_exits_with_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(words)
    assert "usage: adoption" in capsys.readouterr().err


def test_report_makes_reports_and_an_index(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project("good")
    assert cli.main(["report", "--outage", "facebook-2021-10-04", "--level", "0.9"]) == 0
    assert "made: " in capsys.readouterr().out
    assert cli.main(["report", "03", "--outage", "facebook-2021-10-04", "-p", "level", "0.90"]) == 0
    assert "unchanged: " in capsys.readouterr().out
    assert len(list(folder.glob("facebook-2021-10-04--*.html"))) == 1
    text = (folder.parent / "index.html").read_text(encoding="utf-8")
    assert "1 to 2 million" in text
    assert ", with other parameters." in text


def test_the_chosen_set_is_in_the_evidence(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project("good")
    monkeypatch.setattr(index, "render_all", lambda jobs, *_, **__: [report.Outcome(job, "unchanged") for job in jobs])
    assert cli.main(["report"]) == 0
    planned: list[str] = []

    def note(jobs: list[report.Job], *_: object, **__: object) -> list[report.Outcome]:
        planned.extend(job.slug for job in jobs)
        return []

    monkeypatch.setattr(index, "render_all", note)
    assert cli.main(["report", "--all"]) == 0
    assert len(planned) == len(params.rows(params.ROOT / "data", "outages"))
    assert {given["outage_id"] for name, given in chosen.REPORTS if name == report.MAIN} <= set(planned)


def test_a_failing_report_exits_with_one(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project("exception")
    assert cli.main(["report", "03"]) == 1
    captured = capsys.readouterr()
    assert "cell 5 of 6" in captured.err
    assert "KeyError" in captured.err
    assert "1 failed" in captured.out


@pytest.mark.parametrize(
    "words",
    [
        ("04", "--value-column", "counts", "--outage-start", "2025-03-06T00:00Z", "--outage-end", "2025-03-06T06:00Z"),
        ("05", "--value-column", "counts", "--outages", "2025-03-06/2025-03-06"),
    ],
)
def test_a_column_that_the_source_lacks_was_asked_wrongly(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "new.parquet"
    days = pd.date_range("2025-01-01", periods=90, tz="UTC")
    pd.DataFrame({"series": "a", "time": days, "count": range(90)}).to_parquet(source, index=False)
    assert cli.main(["report", *words, "--source", str(source), "--out", str(tmp_path / "out")]) == 2
    said = (
        "ColumnError: new.parquet, row 1: no column 'counts', expected one of series, time, count; did you mean count?"
    )
    assert said in capsys.readouterr().err


def test_check_lists_every_problem(tables: Path, capsys: pytest.CaptureFixture[str], project: Project) -> None:
    assert cli.main(["check", str(tables)]) == 0
    assert re.match(r"ok: [1-9],\d{3} rows in 5 tables\n", capsys.readouterr().out)
    outages = (tables / "outages.csv").read_text(encoding="utf-8").replace(",outage,", ",breakage,", 2)
    (tables / "outages.csv").write_text(outages, encoding="utf-8")
    assert cli.main(["check", str(tables)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("outages.csv:")
    assert "'breakage'" in lines[0]
    folder = project("good")
    assert cli.main(["report", "03", "--data", str(tables)]) == 1
    assert "'breakage'" in capsys.readouterr().err
    assert not list(folder.glob("*"))


def test_check_of_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(tmp_path / "nowhere")]) == 1
    captured = capsys.readouterr()
    assert "outages.csv" in captured.out + captured.err


def test_cards_say_ranges_in_words() -> None:
    def said(quantity: str, low: float, high: float, unit: str, level: float = 0.95) -> str:
        return index.estimate({"quantity": quantity, "low": low, "high": high, "unit": unit, "level": level})

    assert said("extra_users", 3.4e5, 6e5, "users") == "340,000 to 600,000 extra users"
    assert said("extra_users", 1e6, 2e6, "installs", 0.8) == "1 to 2 million extra installs (80% interval)"
    assert said("half_life", 20, 30, "hours") == "half-life 20 to 30 hours"
    assert said("gain_per_affected_user", 0.001, 0.0123, "") == "gain per affected user 0.001 to 0.012"
    assert "second" in said("peak_rate", 80, 120, "users/s")


def test_the_index_shows_text_as_text(tmp_path: Path) -> None:
    folder = tmp_path / "03_adoption_after_outage"
    folder.mkdir()
    record = {
        "notebook": folder.name,
        "title": "<script>alert(1)</script>",
        "headline": "a & b",
        "outage_id": "x-2014-02-22",
        "estimates": [],
        "made": "2026-11-22T00:00:00+00:00",
    }
    (folder / "x-2014-02-22.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "x-2014-02-22.html").write_text("", encoding="utf-8")
    text = index.write(tmp_path).read_text(encoding="utf-8")
    assert "&lt;script&gt;" in text
    assert "<script>" not in text


def test_an_empty_index_is_a_page(tmp_path: Path) -> None:
    assert "No report has been made yet." in index.write(tmp_path / "new").read_text(encoding="utf-8")


def test_nothing_changed_makes_nothing(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Every outage of the evidence is left alone (how long that takes: bench/speed.py)."""
    project("good")
    for outage in report.known(params.ROOT / "data").outages:
        job = report.plan("03", {"outage_id": outage})
        job.place.folder.mkdir(parents=True, exist_ok=True)
        record = {"notebook": "n", "title": "t", "headline": "h", "outage_id": outage, "estimates": []}
        manifest = {
            "fingerprint": job.fingerprint,
            "page_sha256": results.sha(""),
            "made": "2026-11-22",
            **record,
        }
        job.place.put({"html": "", "ipynb": "{}", "json": json.dumps(manifest)})
    assert cli.main(["report", "--all"]) == 0
    assert "made: " not in capsys.readouterr().out
