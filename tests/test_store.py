"""Tables are replaced whole, checked as a whole, or not at all."""

import os
import stat
import subprocess
import sys
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


class TestTwoAtATime:
    HOLD = """
import sys, time
from pathlib import Path
from helpers import store
with store.alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""

    def holder(self, folder: Path) -> "subprocess.Popen[str]":
        found = subprocess.Popen([sys.executable, "-c", self.HOLD, folder], stdout=subprocess.PIPE, text=True)
        assert found.stdout is not None
        assert found.stdout.readline() == "held\n"
        return found

    def test_a_second_one_is_told_and_writes_nothing(self, folder: Path) -> None:
        with self.holder(folder) as other:
            before = contents(folder)
            message = rf"another import is writing \(process {other.pid}\): nothing written"
            with pytest.raises(store.ConflictError, match=message):
                store.write(folder, {"outages": [row(note="new")]})
            assert contents(folder) == before
            other.kill()

    def test_the_lock_of_a_process_that_was_killed_is_taken_over(self, folder: Path) -> None:
        with self.holder(folder) as other:
            other.kill()
        assert (folder / store.LOCK).read_text() == str(other.pid)
        store.write(folder, {"outages": [row(note="new")]})
        assert store.read(folder, "outages")[0]["note"] == "new"
        assert not (folder / store.LOCK).exists()

    def test_it_is_let_go_after_a_failure(self, folder: Path) -> None:
        for _ in range(2):
            with pytest.raises(EvidenceError):
                store.write(folder, {"services": []})
        assert not (folder / store.LOCK).exists()

    def test_rows_written_since_are_not_lost(self, folder: Path) -> None:
        """Two read the same tables and work out their rows; the later one is told to run again."""
        read = {table: store.read(folder, table) for table in ("outages", "sources")}
        mine, theirs = (row(outage_id=f"chat-2024-0{n}-01", start_utc=f"2024-0{n}-01", end_utc="") for n in (4, 5))
        store.write(folder, {"outages": [*read["outages"], theirs]}, read)
        before = contents(folder)
        with pytest.raises(store.ConflictError, match=r"outages\.csv has changed since it was read: nothing written"):
            store.write(folder, {"outages": [*read["outages"], mine]}, read)
        assert contents(folder) == before
        now = {"outages": store.read(folder, "outages")}
        store.write(folder, {"outages": [*now["outages"], mine]}, now)
        assert len(store.read(folder, "outages")) == 3

    def test_many_at_once_lose_nothing(self, folder: Path) -> None:
        """Each tries again until it is let in; every row is there in the end."""
        code = """
import sys, time
from pathlib import Path
from helpers import store
folder, name = Path(sys.argv[1]), sys.argv[2]
for _ in range(200):
    now = {"outages": store.read(folder, "outages")}
    new = {**now["outages"][0], "outage_id": name, "start_utc": "2024-05-0" + name[-1], "end_utc": ""}
    try:
        store.write(folder, {"outages": [*now["outages"], new]}, now)
        break
    except store.ConflictError:
        time.sleep(0.05)
else:
    sys.exit(1)
"""
        names = [f"chat-{n}" for n in range(1, 4)]
        running = [subprocess.Popen([sys.executable, "-c", code, folder, name]) for name in names]
        assert [one.wait() for one in running] == [0, 0, 0]
        assert {one["outage_id"] for one in store.read(folder, "outages")} == {"chat-2024-03-05", *names}
        assert evidence.check(folder) == []
        assert not (folder / store.LOCK).exists()
