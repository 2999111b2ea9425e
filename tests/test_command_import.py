"""``adoption import``, as typed: from a feed on a local server, a file or a table, into tables of the test."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from feed_tools import FEEDS, body, contents, feed, make_tables, post, row, server
from test_incident_table import SERIES, real

from helpers import cli, evidence, store
from helpers.params import ROOT

A, B = "2024-06-01T10:00:00Z", "2024-06-01T11:00:00Z"
SOURCE = ["--source-title", "A list", "--source-url", "https://list.example/all", "--source-publisher", "Lists"]
GITHUB = ["--map", "id=id", "started_at=start_utc", "resolved_at=end_utc", "title=cause", "impact=impact"]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_tables(tmp_path / "tables", row())


class Said:
    """What a command printed, and how it ended."""

    def __init__(self, code: int, captured: Any) -> None:
        self.code, self.out, self.err = code, captured.out, captured.err


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    def run(*words: str | bytes, service: str = "chat") -> Said:
        """Run an import; bytes are put into a file first."""
        plain = []
        for word in words:
            if isinstance(word, bytes):
                path = tmp_path / "given"
                path.write_bytes(word)
                word = str(path)
            plain.append(word)
        code = cli.main(["import", *plain, "--service", service, "--data", str(folder)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(code, captured)

    return run


class TestDryRun:
    def test_it_shows_all_and_writes_nothing(self, run: Any, folder: Path) -> None:
        before = contents(folder)
        with server({"/api/v2/incidents.json": body((FEEDS / "incidents.json").read_bytes())}) as home:
            said = run("statuspage", home)
        assert contents(folder) == before
        assert said.code == 0
        lines = said.out.splitlines()
        assert lines[0] == "5 incidents: 3 new (outages: 2), 2 left out"
        assert lines[1].startswith("+ sources.csv: statuspage-chat, Chat status page: incident history, Chat, https:")
        (head,) = [n for n, line in enumerate(lines) if line.startswith("+ chat-2024-04-21: ")]
        assert lines[head].endswith("Z to 2024-04-21T04:02Z, 3.12 h, impact critical, 2 incidents that overlap")
        assert lines[head + 1].startswith(
            "    cause: Messages are not delivered; Calls drop | scope: Messages, Calls | "
        )
        assert "service_id: chat | service: Chat | kind: outage" in lines[2]
        assert "    status.example:quiet001: none: A note to our customers" in lines
        assert "    status.example:planned1: maintenance: Database maintenance" in lines
        assert lines[-1] == "nothing written; add --write"

    def test_only_what_is_large_enough(self, run: Any) -> None:
        said = run("statuspage", str(FEEDS / "incidents.json"), "--least-impact", "critical")
        assert "5 incidents: 1 new (outages: 1), 4 left out" in said.out

    def test_an_empty_feed(self, run: Any) -> None:
        said = run("statuspage", feed())
        assert (said.code, said.out) == (0, "0 incidents: none\nnothing to write: there is no incident in it\n")

    def test_what_is_not_imported_is_not_called_up_to_date(self, run: Any) -> None:
        bad = post(2, A, B, started_at="22.02.2014 19:00")
        said = run("statuspage", feed(bad))
        assert said.code == 1
        assert said.out.splitlines()[:2] == [
            "1 incident: 1 cannot be read",
            "nothing to write: none of them is imported",
        ]
        assert "'22.02.2014 19:00': expected a time written 2014-02-22T19:00Z, or with an offset" in said.out
        assert "none of them is imported" in run("statuspage", feed(post(1, A, B, impact="none"))).out
        run("statuspage", feed(post(1, A, B)), "--write")
        assert "the others are in the tables already" in run("statuspage", feed(post(1, A, B), bad)).out
        assert "up to date" in run("statuspage", feed(post(1, A, B))).out

    def test_a_long_list_shows_ten_of_each_group(self, run: Any, folder: Path) -> None:
        def at(n: int, hour: int) -> str:
            return f"2024-0{6 + n // 28}-{n % 28 + 1:02}T{hour}:00:00Z"

        good = [post(n, at(n, 10), at(n, 11)) for n in range(50)]
        quiet = [post(100 + n, at(n, 10), at(n, 11), impact="none") for n in range(12)]
        late = [post(200 + n, at(n, 11), at(n, 10)) for n in range(11)]
        said = run("statuspage", feed(*good, *quiet, *late))
        lines = said.out.splitlines()
        assert lines[0] == "73 incidents: 50 new (outages: 50), 12 left out, 11 cannot be read"
        assert lines.count("    and 40 more; --list-all shows every one") == 1
        assert lines.count("    and 2 more; --list-all shows every one") == 1
        assert len(lines) < 60
        assert sum(line.startswith("+ chat-") for line in lines) == 10
        # A line for the eleventh takes no more room than one that says there is one more.
        assert sum("expected a time after the start" in line for line in lines) == 11
        everything = run("statuspage", feed(*good, *quiet, *late), "--list-all").out
        assert sum(line.startswith("+ chat-") for line in everything.splitlines()) == 50
        assert "more;" not in everything
        run("statuspage", feed(*good), "--write")
        longer = run("statuspage", feed(*(post(n, at(n, 10), at(n, 12)) for n in range(50))))
        assert sum(line.startswith("~ chat-") for line in longer.out.splitlines()) == 10
        assert longer.out.splitlines()[0] == "50 incidents: 50 in rows that change"


class TestWriting:
    def test_the_tables_take_it_once(self, run: Any, folder: Path) -> None:
        page = str(FEEDS / "incidents.json")
        said = run("statuspage", page, "--write")
        assert (said.code, said.out.splitlines()[1]) == (0, "written: outages.csv, sources.csv")
        assert evidence.check(folder) == []
        rows = store.read(folder, "outages")
        assert [one["outage_id"] for one in rows] == ["chat-2024-03-05", "chat-2024-04-21", "chat-2024-05-02"]
        assert rows[1]["end_utc"] == "2024-04-21T04:02Z"
        assert rows[2]["end_utc"] == ""
        assert store.read(folder, "sources")[-1] == {
            "source_id": "statuspage-chat",
            "title": "Chat status page: incident history",
            "publisher": "Chat",
            "url": "https://www.status.example",
            "published_date": "2024-05-02",
            "language": "en",
        }
        before = contents(folder)
        again = run("statuspage", page, "--write")
        assert contents(folder) == before
        assert again.out.splitlines()[:2] == [
            "5 incidents: 3 in rows that stay as they are, 2 left out",
            "nothing to write: the tables are up to date",
        ]

    def test_an_open_incident_gets_its_end_and_a_persons_words_stay(self, run: Any, folder: Path) -> None:
        run("statuspage", feed(post(1, A, None)), "--write")
        rows = store.read(folder, "outages")
        rows[1] |= {"cause_category": "power", "confounders": "a holiday"}
        store.write(folder, {"outages": rows})
        said = run("statuspage", feed(post(1, A, B)), "--write")
        assert "    end_utc: '' -> '2024-06-01T11:00Z'" in said.out
        assert "~ chat-2024-06-01\n" in said.out
        now = store.read(folder, "outages")[1]
        assert (now["end_utc"], now["duration_hours"]) == ("2024-06-01T11:00Z", "1")
        assert (now["cause_category"], now["confounders"]) == ("power", "a holiday")

    def test_json_and_atom_know_the_same_incidents(self, run: Any, folder: Path) -> None:
        run("statuspage", str(FEEDS / "incidents.json"), "--write")
        said = run("statuspage", str(FEEDS / "history.atom"), "--write")
        assert "3 incidents: 1 new (outages: 1), 1 in rows that stay as they are, 1 left out" in said.out
        assert "~ sources.csv: statuspage-chat: published_date: '2024-05-02' -> '2025-01-01'" in said.out
        assert store.read(folder, "outages")[-1]["start_utc"] == "2024-12-31T23:50Z"
        assert len(store.read(folder, "sources")) == 2

    def test_what_is_good_is_written_and_what_is_not_is_said(self, run: Any, folder: Path) -> None:
        day = {"started_at": "2024-03-05T10:00:00Z", "resolved_at": "2024-03-05T11:00:00Z"}
        said = run("statuspage", feed(post(1, A, B), post(2, B, A), post(3, A, B, **day), post(4, 3, B)), "--write")
        assert said.code == 1
        assert [one["outage_id"] for one in store.read(folder, "outages")] == ["chat-2024-03-05", "chat-2024-06-01"]
        assert "incident 2 (id0002): resolved_at: '2024-06-01T10:00Z': expected a time after the start" in said.out
        assert "(status.example:id0003): chat-2024-03-05: --overlaps merge joins them" in said.out
        assert "incident 4 (id0004): created_at: '3': expected a time as text" in said.out
        assert "4 incidents: 1 new (outages: 1), 1 overlapping other rows, 2 cannot be read" in said.out

    @pytest.mark.parametrize("way", ["merge", "add"])
    def test_the_row_of_the_press(self, run: Any, folder: Path, way: str) -> None:
        same_day = feed(post(1, "2024-03-05T10:00:00Z", "2024-03-05T11:00:00Z"))
        assert run("statuspage", same_day, "--write").code == 1
        assert len(store.read(folder, "outages")) == 1
        assert run("statuspage", same_day, "--write", "--overlaps", way).code == 0
        rows = store.read(folder, "outages")
        assert len(rows) == {"merge": 1, "add": 2}[way]
        assert rows[0]["cause"] == "a cut cable"
        assert rows[-1]["start_utc"] == "2024-03-05T10:00Z"
        assert evidence.check(folder) == []
        assert run("statuspage", same_day, "--write").code == 0

    def test_hostile_names_are_stored_as_a_line_of_text(self, run: Any, folder: Path) -> None:
        names = [
            '=HYPERLINK("http://x.example")',
            "<script>alert(1)</script>\r\nlog-in\0",
            "\u202egnol\u202c",
            "a,b;\"c'",
        ]
        days = [f"2024-07-{n:02}T10:00:00Z" for n in range(1, 9)]
        posts = [post(n, days[n], None, name=name, resolved_at=days[n][:-6] + "30:00Z") for n, name in enumerate(names)]
        posts.append(post(9, days[7], None, name="\u200f" * 5))
        said = run("statuspage", feed(*posts), "--write")
        assert said.code == 0
        assert all(letter.isprintable() or letter == "\n" for letter in said.out)
        assert [one["cause"] for one in store.read(folder, "outages")][1:] == [
            '“=HYPERLINK("http://x.example")”',
            "alert(1) log-in",
            "gnol",
            "a,b;\"c'",
            "",
        ]
        assert evidence.check(folder) == []

    def test_a_service_that_is_new(self, run: Any, folder: Path) -> None:
        page = str(FEEDS / "incidents.json")
        with_sector = run("statuspage", page, "--sector", "gaming", "--write", service="Big Games <b>!")
        assert "+ services.csv: big-games, Big Games !, gaming" in with_sector.out
        assert store.read(folder, "services")[-1] == {
            "service_id": "big-games",
            "name": "Big Games !",
            "sector": "gaming",
            "is_group": "false",
            "identity": "",
            "source_ids": "statuspage-big-games",
        }
        assert evidence.check(folder) == []
        before = contents(folder)
        assert run("statuspage", page, "--write", service="big games !").code == 0
        assert contents(folder) == before

    def test_two_pages_of_one_service_are_two_sources(self, run: Any, folder: Path) -> None:
        run("statuspage", feed(post(1, A, B)), "--write")
        other = feed(post(1, "2024-06-05T10:00:00Z", "2024-06-05T11:00:00Z"), url="https://eu.status.example")
        run("statuspage", other, "--write")
        assert [one["source_id"] for one in store.read(folder, "sources")][1:] == [
            "statuspage-chat",
            "statuspage-chat-2",
        ]
        before = contents(folder)
        run("statuspage", other, "--write")
        assert contents(folder) == before

    def test_the_feed_of_another_service_is_told(self, run: Any, folder: Path) -> None:
        run("statuspage", feed(post(1, A, B)), "--write")
        before = contents(folder)
        said = run("statuspage", feed(post(1, A, B)), "--write", service="rival")
        assert said.code == 1
        assert "an incident of rival; chat-2024-06-01 of chat has this id" in said.out
        assert contents(folder) == before


class TestWhoReads:
    """What becomes of the output is no business of the tables."""

    def start(self, folder: Path, tmp_path: Path, *words: str, **more: Any) -> "subprocess.Popen[bytes]":
        posts = [post(n, f"2024-06-{n % 28 + 1:02}T{n // 28:02}:00:00Z", None, resolved_at=None) for n in range(300)]
        posts = [{**one, "resolved_at": one["started_at"][:-6] + "30:00Z", "name": "x" * 180} for one in posts]
        bad = [post(9999, B, A)] if "--bad" in words else []
        (tmp_path / "feed.json").write_bytes(feed(*posts, *bad))
        typed = ["import", "statuspage", str(tmp_path / "feed.json"), "--service", "chat", "--data", str(folder)]
        words = tuple(word for word in words if word != "--bad")
        return subprocess.Popen([sys.executable, "-m", "helpers", *typed, "--list-all", *words], **more)

    def test_a_pipe_that_breaks_stops_no_writing(self, folder: Path, tmp_path: Path) -> None:
        """Nobody reads a single byte; the exit code says what it would have said."""
        to, back = os.pipe()
        os.close(to)
        done = self.start(folder, tmp_path, "--write", "--bad", stdout=back, stderr=subprocess.PIPE)
        os.close(back)
        said = done.communicate()[1]
        assert (done.returncode, said) == (1, b"")
        assert len(store.read(folder, "outages")) == 301

    def test_a_reader_that_has_seen_enough(self, folder: Path, tmp_path: Path) -> None:
        done = self.start(folder, tmp_path, "--write", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.stdout is not None
        assert done.stdout.readline() == b"300 incidents: 300 new (outages: 300)\n"
        done.stdout.close()
        assert done.wait() == 0
        assert done.stderr is not None
        assert done.stderr.read() == b""
        done.stderr.close()
        assert len(store.read(folder, "outages")) == 301

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
    def test_a_full_disk_for_the_output(self, folder: Path, tmp_path: Path) -> None:
        with Path("/dev/full").open("wb") as full:
            done = self.start(folder, tmp_path, "--write", stdout=full, stderr=subprocess.PIPE)
            said = done.communicate()[1]
        assert done.returncode != 0
        assert b"No space left" in said
        assert len(store.read(folder, "outages")) == 301


class TestTwoAtATime:
    def test_another_import_is_writing(self, run: Any, folder: Path) -> None:
        code = "import sys, time, pathlib, helpers.store as s\nwith s.alone(pathlib.Path(sys.argv[1])):"
        code += " print(1, flush=True); time.sleep(60)"
        with subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            other.stdout.readline()
            said = run("statuspage", feed(post(1, A, B)), "--write")
            assert said.code == 1
            assert f"another import is writing (process {other.pid}): nothing written" in said.err
            assert "written: " not in said.out
            assert run("statuspage", feed(post(1, A, B))).code == 0  # a dry run is in nobody's way
            other.kill()
        assert len(store.read(folder, "outages")) == 1
        assert run("statuspage", feed(post(1, A, B)), "--write").code == 0

    def test_tables_written_in_the_meantime(self, run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from helpers.importing import merge

        whole = merge.merge

        def slow(*given: Any) -> Any:
            """Somebody else adds a row between reading and writing."""
            store.write(
                folder, {"outages": [*given[0], row(outage_id="chat-2024-05-05", start_utc="2024-05-05", end_utc="")]}
            )
            return whole(*given)

        monkeypatch.setattr(merge, "merge", slow)
        said = run("statuspage", feed(post(1, A, B)), "--write")
        assert said.code == 1
        assert "outages.csv has changed since it was read: nothing written; run it again" in said.err
        assert [one["outage_id"] for one in store.read(folder, "outages")] == ["chat-2024-03-05", "chat-2024-05-05"]
        monkeypatch.undo()
        assert run("statuspage", feed(post(1, A, B)), "--write").code == 0
        assert len(store.read(folder, "outages")) == 3


class TestWhatGoesWrong:
    def test_an_empty_table(self, run: Any) -> None:
        said = run("csv", b"", "--map", "a=start_utc", *SOURCE)
        assert (said.code, said.out) == (1, "")
        assert "the file is empty, expected a table in CSV with a header" in said.err

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (body(b"no", 404), "answered 404"),
            (body(b"<!doctype html><html></html>", kind="text/html"), "a page in HTML"),
            (body(feed(post(1, A, B))[:200]), "not whole JSON"),
            (body(feed(post(1, A, B))[:200], length=5000), "broke off"),
            (body(b'{"page": {}, "incidents": {}}'), "without a list of incidents"),
        ],
    )
    def test_on_the_way(self, run: Any, folder: Path, answer: Any, message: str) -> None:
        before = contents(folder)
        with server({"/x": answer}) as home:
            said = run("statuspage", f"{home}/x", "--write")
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith("adoption: http://127.0.0.1")
        assert message in said.err
        assert said.err.count("\n") == 1
        assert contents(folder) == before

    def test_a_server_that_says_nothing(self, run: Any) -> None:
        let_go = threading.Event()
        with server({"/x": lambda _: let_go.wait(10)}) as home:
            said = run("statuspage", f"{home}/x", "--timeout", "0.2")
            let_go.set()
        assert (said.code, "no answer within 0.2 s" in said.err) == (1, True)

    def test_a_feed_that_is_nobodys(self, run: Any) -> None:
        nobody = json.dumps({"incidents": [post(1, A, B)]}).encode()
        assert "--feed githubstatus.com" in run("statuspage", nobody).err
        assert "external_ids: mine:id0001" in run("statuspage", nobody, "--feed", "mine").out

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["statuspage", feed(), "--service", "chta"], "did you mean chat?; a new one needs --sector"),
            (["statuspage", feed(), "--service", "微信", "--sector", "messaging"], "Latin letters or digits"),
            (["statuspage", feed(), "--feed", "a:b"], "--feed: given 'a:b'"),
            (["csv", b"a\n", *SOURCE], "no column for start_utc"),
            (["csv", b"a\n", "--map", "a=start"], "did you mean start_utc?"),
            (["csv", b"a\n", "--map", "b=start_utc", *SOURCE], "column 'b' is not in the header a"),
            (["csv", b"a\n", "--map", "a=start_utc"], "no --source-title, --source-url, --source-publisher"),
            (["csv", b"a\n", "--map", "a=start_utc", "--source", "no"], "--source: given 'no'"),
            (["csv", b"a\n", "--map", "a=start_utc", "--source", "press-2024", *SOURCE], "expected one or the other"),
            (["csv", b"a\n", "--map", "a=start_utc", "--set", "kind=breakage", *SOURCE], "kind: 'breakage'"),
            (["csv", b"a\n", "--map", "a=start_utc", *SOURCE[:2], "--source-url", "x", *SOURCE[4:]], "--source-url"),
        ],
    )
    def test_wrong_usage(self, run: Any, folder: Path, words: list[Any], message: str) -> None:
        before = contents(folder)
        if "--service" in words:
            place = words.index("--service")
            said = run(*words[:place], *words[place + 2 :], service=words[place + 1])
        else:
            said = run(*words)
        assert (said.code, said.out) == (2, "")
        assert message in said.err
        assert contents(folder) == before

    @pytest.mark.parametrize(
        "words",
        [["import"], ["import", "statuspage"], ["import", "statuspage", "x", "--service", "y", "--timeout", "0"]],
    )
    def test_wrong_words(self, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            cli.main(words)
        assert "usage: adoption import" in capsys.readouterr().err

    def test_tables_that_are_broken_already(self, run: Any, folder: Path) -> None:
        text = (folder / "outages.csv").read_text(encoding="utf-8").replace(",network,", ",newtork,")
        (folder / "outages.csv").write_text(text, encoding="utf-8")
        before = contents(folder)
        for words in ([], ["--write"]):
            said = run("statuspage", feed(post(1, A, B)), *words)
            assert (said.code, said.out) == (1, "")
            assert "outages.csv:2: cause_category: 'newtork'" in said.err
        assert contents(folder) == before

    def test_tables_that_would_break(self, run: Any, folder: Path) -> None:
        """Nothing in a feed can break the tables alone; a page whose address they do not take does."""
        before = contents(folder)
        for words in ([], ["--write"]):
            said = run("statuspage", feed(post(1, A, B), url="http://localhost"), *words)
            assert said.code == 1
            assert "sources.csv:3: url: 'http://localhost'" in said.err
            assert contents(folder) == before

    def test_a_folder_that_cannot_be_written_to(self, run: Any, folder: Path) -> None:
        """Also for root, who may write everywhere: the place of the temporary file leads nowhere."""
        before = contents(folder)
        (folder / f".outages.{os.getpid()}.part.csv").symlink_to("/nowhere/at/all")
        said = run("statuspage", feed(post(1, A, B)), "--write")
        assert said.code == 1
        assert "nothing written: No such file or directory" in said.err
        assert "written: " not in said.out
        assert contents(folder) == before


class TestTables:
    text = b"nr;from;to;what\n1;2024-06-01T10:00:00;2024-06-01T12:00:00;Down\n2;2024-06-03;;Slow\n"
    words = ("--map", "nr=id", "from=start_utc", "to=end_utc", "what=cause", *SOURCE)

    def test_times_without_a_zone(self, run: Any) -> None:
        said = run("csv", self.text, *self.words)
        assert (said.code, said.out.count("--assume-utc")) == (1, 2)
        assert "2 incidents: 2 cannot be read" in said.out

    def test_from_a_table(self, run: Any, folder: Path) -> None:
        said = run("csv", self.text, *self.words, "--assume-utc", "--set", "scope=EU", "--write")
        assert said.code == 0
        assert evidence.check(folder) == []
        first, second = store.read(folder, "outages")[1:]
        assert first["external_ids"] == "list.example:1"
        assert (first["start_utc"], first["duration_hours"], first["scope"]) == ("2024-06-01T10:00Z", "2", "EU")
        assert (second["start_utc"], second["end_utc"], second["time_precision"]) == ("2024-06-03", "", "day")
        assert first["note"] == "Start and end are from lists-a-list."
        assert store.read(folder, "sources")[-1]["source_id"] == "lists-a-list"
        before = contents(folder)
        assert run("csv", self.text, *self.words, "--assume-utc", "--set", "scope=EU", "--write").code == 0
        assert contents(folder) == before

    def test_from_a_source_that_is_there(self, run: Any, folder: Path) -> None:
        run("csv", self.text, *self.words[:5], "--source", "press-2024", "--assume-utc", "--write")
        assert store.read(folder, "outages")[1]["external_ids"] == "paper.example:1"
        assert len(store.read(folder, "sources")) == 1

    @real
    def test_a_real_history(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        for path in (ROOT / "data").glob("*.csv"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        words = [
            "import",
            "csv",
            str(SERIES / "incidents.csv"),
            *GITHUB,
            "--service",
            "GitHub",
            "--data",
            str(tmp_path),
        ]
        words += ["--feed", "githubstatus.com", *SOURCE, "--write"]
        assert cli.main(words) == 0
        out = capsys.readouterr().out
        assert "819 incidents: 770 new (outages: " in out
        assert "49 left out" in out
        rows = [one for one in store.read(tmp_path, "outages") if "githubstatus.com:" in one["external_ids"]]
        ids = [key for one in rows for key in one["external_ids"].split(";")]
        assert len(ids) == len(set(ids)) == 770
        before = contents(tmp_path)
        assert cli.main(words) == 0
        assert "770 in rows that stay as they are" in capsys.readouterr().out
        assert contents(tmp_path) == before


def test_five_megabytes_import_whole(folder: Path, tmp_path: Path) -> None:
    """A dry run of 4,000 incidents, from the start of the process; how long it takes: bench/speed.py."""
    posts = []
    for n in range(4000):
        day = f"20{10 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}"
        posts.append(post(n, f"{day}T10:00:00Z", f"{day}T1{1 + n % 5}:00:00Z", body_html="x" * 400))
    data = feed(*posts)
    assert len(data) > 5_000_000
    (tmp_path / "big.json").write_bytes(data)
    words = ["import", "statuspage", str(tmp_path / "big.json"), "--service", "chat", "--data", str(folder)]
    done = subprocess.run([sys.executable, "-m", "helpers", *words], capture_output=True, text=True, check=False)
    assert "4000 incidents: " in done.stdout
    assert done.stderr == ""


def test_help_loads_nothing_heavy(capsys: pytest.CaptureFixture[str]) -> None:
    heavy = "pandas", "numpy", "httpx", "bs4", "scipy"
    code = f"import sys, helpers.cli; assert not set({heavy!r}) & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    for words in (["import", "--help"], ["import", "statuspage", "--help"], ["import", "csv", "--help"]):
        with pytest.raises(SystemExit, match="0"):
            cli.main(words)
        assert "adoption import" in capsys.readouterr().out
