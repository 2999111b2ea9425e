"""Tables are replaced whole, checked as a whole, or not at all."""

import os
import stat
from pathlib import Path

import pytest
from feed_tools import contents, make_tables, row

from helpers import evidence, store
from helpers.evidence import EvidenceError
from helpers.params import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_tables(tmp_path / "tables", row())


def test_reading_and_writing_again_changes_no_byte() -> None:
    for table in evidence.TABLES:
        path = ROOT / "data" / f"{table}.csv"
        assert store.text(table, store.read(path.parent, table)).encode() == path.read_bytes()


def test_tables_are_replaced(folder: Path) -> None:
    before = contents(folder)
    new = row(outage_id="chat-2024-04-01", start_utc="2024-04-01", end_utc="2024-04-02", cause='a "quoted", cause')
    store.write(folder, {"outages": [*store.read(folder, "outages"), new]})
    assert store.read(folder, "outages")[1] == new
    assert set(contents(folder)) == set(before)
    assert [name for name in before if contents(folder)[name] != before[name]] == ["outages.csv"]
    assert evidence.check(folder) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"outages": [row(service_id="nobody")]}, "nobody"),
        ({"outages": [row(), row()]}, "a value of its own"),
        ({"outages": [row(end_utc="2024-03-04")]}, "2024-03-04"),
        ({"services": []}, "chat"),
    ],
)
def test_tables_with_a_problem_are_not_written(
    folder: Path, changed: dict[str, list[dict[str, str]]], message: str
) -> None:
    before = contents(folder)
    with pytest.raises(EvidenceError, match=message):
        store.write(folder, changed)
    assert contents(folder) == before
    assert [str(problem) for problem in store.check(folder, changed)]
    assert contents(folder) == before


def test_tables_that_are_broken_already_are_not_written(folder: Path) -> None:
    (folder / "services.csv").write_text("service_id,name\nchat,Chat\n", encoding="utf-8")
    before = contents(folder)
    with pytest.raises(EvidenceError):
        store.write(folder, {"outages": store.read(folder, "outages")})
    assert contents(folder) == before
    with pytest.raises(EvidenceError, match="the header service_id,name,sector"):
        store.read(folder, "services")


@pytest.mark.parametrize(
    "text", ["", "outage_id\n", '"half', "\ufeffoutage_id", None], ids=["empty", "short", "half", "mark", "missing"]
)
def test_what_cannot_be_read_is_a_problem(folder: Path, text: str | None) -> None:
    path = folder / "outages.csv"
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        store.read(folder, "outages")
    assert caught.value.problems[0].file == "outages.csv"


def test_a_short_row_is_a_problem(folder: Path) -> None:
    with (folder / "outages.csv").open("a", encoding="utf-8") as file:
        file.write("a,b\n")
    with pytest.raises(EvidenceError, match="2 fields"):
        store.read(folder, "outages")


def test_a_failure_leaves_everything_as_it_was(folder: Path) -> None:
    """The second of two temporary files cannot be made: nothing has been renamed by then."""
    before = contents(folder)
    (folder / f".outages.{os.getpid()}.part.csv").symlink_to("/nowhere/at/all")
    changed = {"sources": [{**store.read(folder, "sources")[0], "title": "New"}], "outages": [row(note="new")]}
    with pytest.raises(OSError, match="No such file"):
        store.write(folder, changed)
    assert contents(folder) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_one_may_not_write_to(folder: Path) -> None:
    before = contents(folder)
    folder.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            store.write(folder, {"outages": [row(note="new")]})
        assert contents(folder) == before
    finally:
        folder.chmod(0o700)


def test_who_may_read_a_table_stays(folder: Path) -> None:
    (folder / "outages.csv").chmod(0o664)
    store.write(folder, {"outages": [row(note="new")]})
    assert stat.S_IMODE((folder / "outages.csv").stat().st_mode) == 0o664
