"""What `adoption outages` lists, in its three forms."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from helpers import cli, params

DATA = params.ROOT / "data"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["outages", *words]) == 0
    return capsys.readouterr().out


def ids(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    return [row["outage_id"] for row in json.loads(said(capsys, *words, "--json"))]


def rows(table: str) -> list[dict[str, str]]:
    with (DATA / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_for_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "--service", "WhatsApp", "--kind", "outage").splitlines()
    assert lines[0].split() == ["start", "outage_id", "kind", "service", "hours", "figures"]
    (line,) = (line for line in lines if "whatsapp-2014-02-22" in line)
    assert line.split()[-2] == "3.8"
    assert int(line.split()[-1]) > 5
    assert {text.split()[2] for text in lines[1:]} == {"outage"}
    assert [text[:10] for text in lines[1:]] == sorted(text[:10] for text in lines[1:])


def test_filters_narrow_and_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    everything = rows("outages")
    assert sorted(ids(capsys)) == sorted(row["outage_id"] for row in everything)
    some = ids(capsys, "--kind", "block", "--kind", "shutdown")
    assert sorted(some) == sorted(row["outage_id"] for row in everything if row["kind"] in ("block", "shutdown"))
    assert some
    early, late = ids(capsys, "--until", "2021-10-04"), ids(capsys, "--since", "2021-10-04")
    assert sorted(early + late) == sorted(row["outage_id"] for row in everything)
    assert "facebook-2021-10-04" in late
    told = {row["outage_id"] for row in rows("growth_figures")}
    assert set(ids(capsys, "--with-figures")) == told
    assert ids(capsys, "--since", "2021") == ids(capsys, "--since", "2021-01") == ids(capsys, "--since", "2021-01-01")


def test_json_has_numbers_and_nulls(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = [
        row
        for row in json.loads(said(capsys, "--service", "whatsapp", "--json"))
        if row["outage_id"] == "whatsapp-2013-seven-incidents"
    ]
    assert (row["incidents"], row["duration_hours"], row["figures"]) == (7, None, 0)


def test_csv_is_the_table_and_harmless_in_a_spreadsheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    text = (folder / "outages.csv").read_text(encoding="utf-8")
    assert text.count("Start 11:00 PST") == 1
    hostile = text.replace("Start 11:00 PST", "=HYPERLINK(1) Start 11:00 PST")
    (folder / "outages.csv").write_text(hostile, encoding="utf-8")
    found = list(csv.DictReader(io.StringIO(said(capsys, "--csv", "--data", str(folder)))))
    assert list(found[0]) == [*rows("outages")[0], "figures"]
    assert len(found) == len(rows("outages"))
    (cell,) = [row["note"] for row in found if "HYPERLINK" in row["note"]]
    assert cell.startswith("'=HYPERLINK")


def test_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--since", "2100") == "none in the evidence\n"
    assert said(capsys, "--since", "2100", "--json") == "[]\n"
    assert said(capsys, "--since", "2100", "--csv").count("\n") == 1


@pytest.mark.parametrize("words", [["--since", "2014-13"], ["--since", "22/02/2014"], ["--json", "--csv"]])
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["outages", *words])
    assert "usage: adoption outages" in capsys.readouterr().err


def test_broken_tables_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    (folder / "outages.csv").write_text("nothing\n", encoding="utf-8")
    assert cli.main(["outages", "--data", str(folder)]) == 1
    assert "adoption check" in capsys.readouterr().err
