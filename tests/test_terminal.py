"""How every command begins and ends: the folder of the tables, answers that end, a reader who goes."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from feed_tools import make_tables, row

from helpers import cli


@pytest.mark.parametrize(
    "words",
    [
        ["outages"],
        ["check"],
        ["import", "statuspage", "x", "--service", "chat"],
        ["import", "csv", "x", "--service", "chat"],
        ["report"],
        ["report", "--all"],
        ["add-figure"],
    ],
)
def test_no_such_folder(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = tmp_path / "nope"
    assert cli.main([*words, "--data", str(nowhere)]) == 1
    assert capsys.readouterr().err == f"adoption: no such folder: {nowhere}; expected one with outages.csv\n"
    nowhere.write_text("")
    assert cli.main([*words, "--data", str(nowhere)]) == 1
    assert f"not a folder: {nowhere}" in capsys.readouterr().err


def test_the_folder_of_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADOPTION_DATA", str(tmp_path / "nope"))
    assert cli.main(["outages"]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_check_takes_its_folder_either_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(make_tables(tmp_path / "tables", row()))
    for words in ([folder], ["--data", folder]):
        assert cli.main(["check", *words]) == 0
        assert capsys.readouterr().out == "ok: 4 rows in 5 tables\n"
    assert cli.main(["outages", "--data", folder]) == 0
    assert "chat-2024-03-05" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        cli.main(["check", folder, "--data", folder])


def test_answers_that_end(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_: str = "") -> str:
        raise EOFError

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", ended)
    assert cli.main(["add-figure"]) == 1
    assert capsys.readouterr().err.strip() == "adoption: the answers ended: nothing written"


@pytest.mark.parametrize(
    ("words", "code", "said"), [(["outages", "--json"], 0, ""), (["check"], 1, "adoption: 1 problem in ")]
)
def test_a_reader_who_goes_changes_no_exit_code(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    folder = make_tables(tmp_path / "tables", row())
    if code:
        text = (folder / "outages.csv").read_text(encoding="utf-8")
        (folder / "outages.csv").write_text(text.replace(",outage,", ",breakage,"), encoding="utf-8")
    to, back = os.pipe()
    os.close(to)
    command = [sys.executable, "-m", "helpers", *words, "--data", str(folder)]
    done = subprocess.run(command, stdout=back, stderr=subprocess.PIPE, text=True, check=False)
    os.close(back)
    assert (done.returncode, done.stderr[: len(said) or None]) == (code, said)


def test_a_closed_output(tmp_path: Path) -> None:
    folder = make_tables(tmp_path / "tables", row())
    command = f"{shlex.quote(sys.executable)} -m helpers outages --data {shlex.quote(str(folder))} >&-"
    assert subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, check=False).returncode == 0
