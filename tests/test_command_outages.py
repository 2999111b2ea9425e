"""What `adoption outages` lists, in its three forms."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from helpers import cli, groups, params

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
    assert text.count("It began at 11:00 Pacific") == 1
    hostile = text.replace("It began at 11:00 Pacific", "=HYPERLINK(1) It began at 11:00 Pacific")
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


def test_an_outage_of_a_group_is_one_of_each_member(capsys: pytest.CaptureFixture[str]) -> None:
    def named(*names: str) -> set[str]:
        words = [word for name in names for word in ("--service", name)]
        return {row["service_id"] for row in json.loads(said(capsys, *words, "--json"))}

    assert "facebook-2021-10-04" in ids(capsys, "--service", "whatsapp")
    whatsapp = named("whatsapp")
    assert {"whatsapp", "facebook-instagram-whatsapp"} <= whatsapp
    assert all("whatsapp" in name.split("-") for name in whatsapp)
    assert named("facebook-instagram-whatsapp") == {"facebook-instagram-whatsapp"}
    # An id with a hyphen of its own is one service, no group.
    assert named("google-plus") == {"google-plus"}
    assert named("whatsapp", "Slack") == {*whatsapp, "slack"}


def test_members_of_groups() -> None:
    assert groups.members(["a-b", "a-c", "a-b-c", "x"], {"a", "b-c", "b"}) == {"a-b": ("a", "b"), "a-b-c": ("a", "b-c")}
    assert groups.members(["a", "", "-"], {"a", ""}) == {"-": ("", "")}


def changed(tmp_path: Path, old: str, new: str, table: str = "outages") -> str:
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    text = (folder / f"{table}.csv").read_text(encoding="utf-8")
    assert old in text
    (folder / f"{table}.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_a_service_that_nobody_knows(form: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = changed(tmp_path, "whatsapp-2014-02-22,whatsapp,", "whatsapp-2014-02-22,notaservice,")
    assert cli.main(["outages", "--data", folder, *form]) == 1
    captured = capsys.readouterr()
    assert sum("notaservice" in line for line in captured.out.splitlines()) == 1
    assert captured.err == "adoption: not in services.csv: notaservice; `adoption check` lists every problem\n"
    assert cli.main(["outages", "--data", folder, *form, "--service", "slack"]) == 0


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_a_row_that_is_not_whole(form: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = changed(tmp_path, "\n", "\na,b,c\n")
    assert cli.main(["outages", "--data", folder, *form]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "outages.csv:2: fields: 3, expected" in captured.err
    assert "`adoption check`" in captured.err


def test_numbers_and_kinds_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = rows("outages")[0]
    folder = changed(tmp_path, f",{cells['kind']},{cells['incidents']},", ",breakage,many,")
    assert cli.main(["outages", "--data", folder, "--json"]) == 1
    assert "are broken (invalid literal" in capsys.readouterr().err
    # A kind that nobody knows hides no row.
    assert cells["outage_id"] in said(capsys, "--data", folder)


def test_rows_name_file_and_line_of_what_is_wrong(tmp_path: Path) -> None:
    names = list(rows("services")[0])
    path, header = tmp_path / "services.csv", ",".join(names)
    good = ",".join(["x"] * len(names))
    path.write_text(f'{header}\n"two\nlines"{good[1:]}\n\n{good}\n', encoding="utf-8")
    assert [row["service_id"] for row in params.rows(tmp_path, "services")] == ["two\nlines", "x"]
    path.write_text(header + "\n", encoding="utf-8")
    assert params.rows(tmp_path, "services") == []
    for text, message in [
        ("", r"^services\.csv: nothing in it$"),
        (header.replace("sector,", "") + "\n", r"^services\.csv:1: no sector in the header$"),
        (f'{header}\n"two\nlines"{good[1:]}\n{good},x\n', rf"^services\.csv:4: fields: {len(names) + 1}, expected"),
        (f"{header}\n{good}\nx\n", rf"^services\.csv:3: fields: 1, expected {len(names)}, as the header has$"),
    ]:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            params.rows(tmp_path, "services")


@pytest.mark.parametrize("until", ["2021", "2023", "2022-12-31"])
def test_a_span_that_ends_before_it_begins(until: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["outages", "--since", "2023", "--until", until]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "expected a day after --since 2023-01-01" in captured.err
