"""The tables pass, and every kind of damage is found where it is."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import evidence, raw_table, schemas
from helpers.evidence import EvidenceError, Problem

DATA = evidence.ROOT / "data"
OUTAGES = (
    "whatsapp-2014-02-22",
    "whatsapp-2014-02-19-facebook-deal",
    "telegram-2014-02-22-rush",
    "telegram-2014-02-23-europe",
)


def read(path):
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def write(path, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def position(folder, table, key, column):
    """Index of a row and of a column in a table's records."""
    rows = read(folder / f"{table}.csv")
    return next(i for i, row in enumerate(rows) if row[0] == key), rows[0].index(column)


def put(folder, table, key, column, value):
    """Change one cell; return the line it is on."""
    rows = read(folder / f"{table}.csv")
    row, place = position(folder, table, key, column)
    rows[row][place] = value
    write(folder / f"{table}.csv", rows)
    return row + 1


def make_small(folder):
    """Write the tables with one outage, its confounders and what refers to them."""
    for table in evidence.TABLES:
        rows = read(DATA / f"{table}.csv")
        if table == "outages":
            rows = [rows[0], *(row for row in rows if row[0] in OUTAGES)]
        if table == "growth_figures":
            rows = [rows[0], *(row for row in rows if row[1] in OUTAGES)]
        if table == "baselines":
            rows = [rows[0], *(row for row in rows if row[1] in ("telegram", "line"))]
        write(folder / f"{table}.csv", rows)
    return folder


@pytest.fixture
def folder(tmp_path):
    return make_small(tmp_path)


@pytest.fixture(scope="module")
def tables():
    return evidence.load(DATA)


def only(problems):
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


FIGURE = "whatsapp-2014-02-22--telegram--5"


class TestRealTables:
    def test_no_problem(self):
        assert evidence.check(DATA) == []

    def test_every_row_is_kept(self, tables):
        for name in evidence.TABLES:
            assert len(getattr(tables, name)) == len(read(DATA / f"{name}.csv")) - 1 > 200

    def test_types(self, tables):
        for table in evidence.TABLES:
            frame = getattr(tables, table)
            assert isinstance(frame.index, pd.RangeIndex)
            assert [field.name for field in schemas.FIELDS[table]] == list(frame.columns)
            for field in schemas.FIELDS[table]:
                assert str(frame[field.name].dtype) == schemas.DTYPES[field.kind], field.name

    def test_text_is_never_missing(self, tables):
        for table in evidence.TABLES:
            frame = getattr(tables, table)
            assert not frame.select_dtypes("str").isna().any(axis=None)

    def test_plain_dates_span_their_day(self, tables):
        figure = tables.growth_figures.set_index("figure_id").loc[FIGURE]
        assert figure["window_start_utc"] == pd.Timestamp("2014-02-23", tz="UTC")
        assert figure["window_end_utc"] == pd.Timestamp("2014-02-24", tz="UTC")
        outage = tables.outages.set_index("outage_id").loc["whatsapp-2014-02-22"]
        assert outage["end_utc"] == pd.Timestamp("2014-02-22T22:48", tz="UTC")

    def test_readings_of_the_seed_case(self, tables):
        readings = tables.growth_figures.set_index("figure_id")["reading"]
        assert readings["whatsapp-2014-02-22--telegram--1"] == "rate_instant"
        assert readings["whatsapp-2015-12-17-brazil--telegram--5"] == "rate_peak"
        assert readings[FIGURE] == "increment"
        assert readings["whatsapp-2014-02-22--line--2"] == "total"

    def test_modelled_figures_have_a_value(self, tables):
        figures = tables.growth_figures
        assert figures.loc[figures["reading"] != "context", "value"].notna().all()

    def test_reports_are_not_users(self, tables):
        outages = tables.outages
        basis = outages["affected_users_basis"].str.contains("Downdetector|reports", regex=True)
        assert set(outages.loc[basis & outages["affected_users"].notna(), "affected_unit"]) == {"reports"}

    def test_best_cases_pair_with_their_baseline(self, tables):
        key = ["service_id", "quantity", "scope", "platform"]
        figures = tables.growth_figures.set_index("figure_id")
        usual = tables.baselines[tables.baselines["role"] == "baseline"].set_index(key).index
        for name in (
            "facebook-2021-10-04--telegram--4",
            "facebook-2021-10-04--signal--2",
            "facebook-2021-10-04--viber--1",
            "chatgpt-2024-06-04--gemini--2",
            "whatsapp-2014-02-22--line--1",
            "x-2024-10-block-feature--bluesky--3",
            "sktelecom-2025-04-22-breach--kt--4",
            "paytm-2024-01-31-rbi--phonepe--10",
        ):
            assert tuple(figures.loc[name, key]) in usual, name

    def test_notes_hold_no_long_quotation(self, tables):
        for name in ("outages", "growth_figures", "baselines"):
            for note in getattr(tables, name)["note"]:
                assert all(len(quoted.split()) <= 5 for quoted in re.findall(r'"([^"]*)"', note)), note

    def test_hash_changes_with_any_byte(self, folder):
        before = evidence.data_hash(folder)
        assert re.fullmatch("[0-9a-f]{64}", before)
        assert evidence.data_hash(folder) == before
        with (folder / "sources.csv").open("a", encoding="utf-8") as file:
            file.write("\n")
        assert evidence.data_hash(folder) != before

    def test_default_folder_can_be_set(self, folder, monkeypatch):
        monkeypatch.setenv("ADOPTION_DATA", str(folder))
        assert len(evidence.load().outages) == len(OUTAGES)

    def test_import_is_cheap(self):
        code = "import sys, helpers.evidence; print('pandera' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False"


class TestForm:
    def test_small_tables_pass(self, folder):
        assert evidence.check(folder) == []

    def test_missing_folder(self, tmp_path):
        problems = evidence.check(tmp_path / "nowhere")
        assert [(p.file, p.row, p.value) for p in problems] == [
            (f"{name}.csv", 0, "no such file") for name in evidence.TABLES
        ]

    def test_missing_file(self, folder):
        (folder / "sources.csv").unlink()
        problem = only(evidence.check(folder))
        assert (problem.file, problem.row) == ("sources.csv", 0)

    def test_folder_in_place_of_a_file(self, folder):
        (folder / "sources.csv").unlink()
        (folder / "sources.csv").mkdir()
        assert only(evidence.check(folder)).row == 0

    @pytest.mark.parametrize("content", [b"", b"\n", b"  \n\n", b"\xef\xbb\xbf"])
    def test_empty_file(self, folder, content):
        (folder / "baselines.csv").write_bytes(content)
        problems = evidence.check(folder)
        assert {(p.file, p.row) for p in problems} == {("baselines.csv", 1)}

    def test_header_alone_is_an_empty_table(self, folder):
        write(folder / "baselines.csv", read(DATA / "baselines.csv")[:1])
        assert evidence.check(folder) == []
        assert len(evidence.load(folder).baselines) == 0
        assert str(evidence.load(folder).baselines["value"].dtype) == "float64"

    def test_missing_column(self, folder):
        rows = [row[:2] + row[3:] for row in read(folder / "growth_figures.csv")]
        write(folder / "growth_figures.csv", rows)
        problem = only(evidence.check(folder))
        assert (problem.file, problem.row, problem.column) == ("growth_figures.csv", 1, "service_id")

    def test_missing_key_does_not_break_references(self, folder):
        write(folder / "sources.csv", [row[1:] for row in read(folder / "sources.csv")])
        problem = only(evidence.check(folder))
        assert (problem.file, problem.row, problem.column) == ("sources.csv", 1, "source_id")

    def test_extra_column_has_a_near_match(self, folder):
        rows = read(folder / "services.csv")
        write(folder / "services.csv", [[*rows[0], "sectors"], *([*row, "x"] for row in rows[1:])])
        problem = only(evidence.check(folder))
        assert (problem.row, problem.column) == (1, "sectors")
        assert "did you mean sector?" in problem.expected

    def test_renamed_column(self, folder):
        path = folder / "services.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("is_group", "isgroup", 1), encoding="utf-8")
        assert {p.column for p in evidence.check(folder)} == {"isgroup", "is_group"}

    def test_duplicated_column(self, folder):
        rows = [[*row, row[1]] for row in read(folder / "services.csv")]
        write(folder / "services.csv", rows)
        problem = only(evidence.check(folder))
        assert (problem.row, problem.column, problem.expected) == (1, "name", "each column once")

    def test_not_utf8(self, folder):
        path = folder / "outages.csv"
        path.write_bytes(path.read_bytes().replace(b"network router", b"network r\xf6uter", 1))
        row, _ = position(folder_as_latin1(folder), "outages", "whatsapp-2014-02-22", "note")
        problem = only(evidence.check(folder))
        assert (problem.row, problem.value, problem.expected) == (row + 1, "\\xf6", "text in UTF-8")

    def test_utf16(self, folder):
        path = folder / "outages.csv"
        path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
        assert any(p.expected == "text in UTF-8" for p in evidence.check(folder))

    def test_byte_order_mark(self, folder):
        path = folder / "sources.csv"
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        problem = only(evidence.check(folder))
        assert (problem.row, problem.value) == (1, "a byte order mark")

    def test_windows_line_ends_are_fine(self, folder):
        path = folder / "sources.csv"
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert evidence.check(folder) == []

    @pytest.mark.parametrize(
        ("change", "count"), [(lambda row: row[:-1], "5 fields"), (lambda row: [*row, "x"], "7 fields")]
    )
    def test_ragged_row(self, folder, change, count):
        rows = read(folder / "services.csv")
        write(folder / "services.csv", [*rows[:7], change(rows[7]), *rows[8:]])
        problem = only(evidence.check(folder))
        assert (problem.row, problem.value, problem.expected) == (8, count, "6 fields, as the header has")

    def test_empty_line(self, folder):
        lines = (folder / "services.csv").read_text(encoding="utf-8").split("\n")
        (folder / "services.csv").write_text("\n".join([*lines[:4], "", *lines[4:]]), encoding="utf-8")
        problem = only(evidence.check(folder))
        assert (problem.row, problem.value) == (5, "0 fields")

    def test_quote_that_never_closes(self, folder):
        path = folder / "sources.csv"
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[20] = '"' + lines[20].replace('"', "")
        path.write_text("\n".join(lines[:21] + [line.replace('"', "") for line in lines[21:]]), encoding="utf-8")
        problem = next(p for p in evidence.check(folder) if p.file == "sources.csv")
        assert problem.row == 21
        assert "quotation mark" in problem.expected

    @pytest.mark.parametrize("line", ['a,"b""c",d', 'a,"b,c","d"', '"a","",""', "a,,"])
    def test_a_well_formed_file_is_read_at_once_and_alike(self, line):
        data = f"x,y,z\n1,2,3\n{line}\n".encode()
        by_row = list(raw_table._records(raw_table.RawTable("services", pd.DataFrame()), data))
        index, columns = raw_table._well_formed(data, ["x", "y", "z"])
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        assert [(n, list(cells)) for n, cells in zip(index, rows, strict=True)] == by_row[1:]

    @pytest.mark.parametrize(
        "line",
        [
            *('a,b"c"d,e', 'a,"b"c,d', 'a,"b,c', 'a,"b\nc",d', "a,b", "a,b,c,d", "", "a,b,c\n"),
            *("a,b,c\rd,e,f\n", 'a,"b\rc",d', f"a,b,{'c' * 200_000}"),
        ],
    )
    def test_what_is_not_well_formed_goes_row_by_row(self, line):
        assert raw_table._well_formed(f"x,y,z\n1,2,3\n{line}\n".encode(), ["x", "y", "z"]) is None

    def test_nul_byte(self, folder):
        row = put(folder, "outages", "whatsapp-2014-02-22", "cause", "router\0fault")
        problem = only(evidence.check(folder))
        assert (problem.row, problem.column, problem.value) == (row, "cause", "router\0fault")

    @pytest.mark.parametrize("value", [" WhatsApp", "WhatsApp ", "\u00a0WhatsApp", "Whats\nApp", "a\tb"])
    def test_blanks_and_line_breaks(self, folder, value):
        row = put(folder, "outages", "whatsapp-2014-02-22", "operator", value)
        problem = only(evidence.check(folder))
        assert (problem.row, problem.column) == (row, "operator")

    def test_rows_are_lines_after_a_cell_with_line_breaks(self, folder):
        first = put(folder, "growth_figures", "whatsapp-2014-02-22--telegram--1", "note", "one\ntwo\nthree")
        second = put(folder, "growth_figures", FIGURE, "unit", "usrs")
        assert [p.row for p in evidence.check(folder)] == [first, second + 2]

    def test_very_long_cell(self, folder):
        row = put(folder, "outages", "whatsapp-2014-02-22", "note", "x" * 200_000)
        problem = next(p for p in evidence.check(folder) if p.file == "outages.csv")
        assert (problem.row, problem.value) == (row, "field larger than field limit (131072)")


def folder_as_latin1(folder):
    """The same tables with the broken byte removed, to find the row by its key."""
    copy = folder / "copy"
    copy.mkdir()
    for path in folder.glob("*.csv"):
        (copy / path.name).write_bytes(path.read_bytes().replace(b"\xf6", b""))
    return copy


CELLS = [
    # table, key, column, value, part of what is expected
    ("growth_figures", FIGURE, "value", "4,950,000", "without thousands separators"),
    ("growth_figures", FIGURE, "value", "4.950.000", "a number"),
    ("growth_figures", FIGURE, "value", "4 950 000", "a number"),
    ("growth_figures", FIGURE, "value", "5 million", "a number"),
    ("growth_figures", FIGURE, "value", "nan", "a number"),
    ("growth_figures", FIGURE, "value", "inf", "a number"),
    ("growth_figures", FIGURE, "value", "1e99", None),
    ("growth_figures", FIGURE, "value", "٤٩٥", None),
    ("growth_figures", FIGURE, "value", "", "a number"),
    ("growth_figures", FIGURE, "value", "-5", "zero or more"),
    ("growth_figures", FIGURE, "unit", "", "fits the reading"),
    ("growth_figures", FIGURE, "unit", "usrs", "did you mean users?"),
    ("growth_figures", FIGURE, "unit", "users/day", "fits the reading"),
    ("growth_figures", FIGURE, "reading", "Increment", "did you mean increment?"),
    ("growth_figures", FIGURE, "reading", "", "a value"),
    ("growth_figures", FIGURE, "reading", "ratio_mean", "fits the reading"),
    ("growth_figures", FIGURE, "quantity", "sign-ups", "did you mean signups?"),
    ("growth_figures", FIGURE, "platform", "Android", "did you mean android?"),
    ("growth_figures", FIGURE, "claimant_class", "analyst", "one of: company, panel"),
    ("growth_figures", FIGURE, "window_start_utc", "22/02/2014", "2014-02-22T19:00Z"),
    ("growth_figures", FIGURE, "window_start_utc", "2014-02-30", "a date"),
    ("growth_figures", FIGURE, "window_start_utc", "2014-02-23T10:00+01:00", "a time in UTC"),
    ("growth_figures", FIGURE, "window_start_utc", "2014-02-23T10:00", "a time in UTC"),
    ("growth_figures", FIGURE, "window_start_utc", "2014-02-23T25:00Z", "a time in UTC"),
    ("growth_figures", FIGURE, "window_start_utc", "", "a date"),
    ("growth_figures", FIGURE, "window_end_utc", "2014-02-20", "a time after window_start_utc"),
    ("growth_figures", FIGURE, "window_hours", "48", "the hours of the window"),
    ("growth_figures", FIGURE, "window_hours", "0", "a number from"),
    ("growth_figures", FIGURE, "window_hours", "", "a number"),
    ("growth_figures", FIGURE, "outage_id", "whatsapp-2014-02-23", "did you mean whatsapp-2014-02-22?"),
    ("growth_figures", FIGURE, "service_id", "Telegram", "did you mean telegram?"),
    ("growth_figures", FIGURE, "source_ids", "", "a value"),
    ("growth_figures", FIGURE, "source_ids", "nobody-1900", "a source_id of sources.csv"),
    ("growth_figures", FIGURE, "source_ids", "techcrunch-line-2014;techcrunch-line-2014", "each id once"),
    ("growth_figures", FIGURE, "source_ids", "techcrunch-line-2014,reuters-whatsapp-2014", "a source_id"),
    ("growth_figures", FIGURE, "repeats", FIGURE, "another row"),
    ("growth_figures", FIGURE, "part_of", "whatsapp-2014-02-22--telegram--99", "did you mean"),
    ("growth_figures", FIGURE, "figure_id", "Whats App", "an id"),
    ("growth_figures", "whatsapp-2014-02-22--line--4", "compared_with", "", "what a ratio is relative to"),
    ("outages", "whatsapp-2014-02-22", "end_utc", "2014-02-22T18:00Z", "a time after start_utc"),
    ("outages", "whatsapp-2014-02-22", "duration_hours", "38", None),
    ("outages", "whatsapp-2014-02-22", "duration_low_hours", "", "both or none"),
    ("outages", "whatsapp-2014-02-22", "duration_high_hours", "3", "low <= duration_hours <= high"),
    ("outages", "whatsapp-2014-02-22", "affected_users", "450000000.5", "a whole number"),
    ("outages", "whatsapp-2014-02-22", "affected_unit", "", "a unit where affected_users is given"),
    ("outages", "whatsapp-2014-02-22", "affected_users", "", "empty where it is not"),
    ("outages", "whatsapp-2014-02-22", "confounder_ids", "whatsapp-2014", "an outage_id of outages.csv"),
    ("outages", "whatsapp-2014-02-22", "confounder_ids", "whatsapp-2014-02-22", "another row"),
    ("outages", "whatsapp-2014-02-22", "kind", "outtage", "did you mean outage?"),
    ("outages", "whatsapp-2014-02-22", "incidents", "0", "1 or more"),
    ("outages", "whatsapp-2014-02-22", "incidents", "", "a whole number"),
    ("outages", "whatsapp-2014-02-22", "external_ids", "9632825", "githubstatus.com:9632825"),
    ("outages", "whatsapp-2014-02-22", "external_ids", "a.com:1;a.com:2", None),
    ("baselines", "base--telegram--2014-01-26--1", "window_precision", "year", "the last day"),
    ("baselines", "base--telegram--2014-01-26--1", "value", "", "a number"),
    ("baselines", "base--telegram--2014-01-26--1", "scope", "", "a value"),
    ("services", "telegram", "is_group", "no", "true or false"),
    ("services", "telegram", "is_group", "", "true or false"),
    ("services", "telegram", "sector", "messenger", "did you mean messaging?"),
    ("services", "telegram", "name", "Signal", "a value of its own"),
    ("sources", "techcrunch-line-2014", "url", "techcrunch.com/2014", "an address"),
    ("sources", "techcrunch-line-2014", "url", "", "empty for the seed articles only"),
    ("sources", "techcrunch-line-2014", "url", "javascript:alert(1)", "an address"),
    ("sources", "techcrunch-line-2014", "published_date", "25 Feb 2014", "a date, month or year"),
    ("sources", "techcrunch-line-2014", "language", "english", "two letters"),
]


class TestContent:
    @pytest.mark.parametrize(("table", "key", "column", "value", "expected"), CELLS)
    def test_cell(self, folder, table, key, column, value, expected):
        row = put(folder, table, key, column, value)
        problems = [p for p in evidence.check(folder) if p.file == f"{table}.csv" and p.row == row]
        if expected is None:  # odd, but readable: only no traceback is promised
            return
        # A rule over several cells names the one it is about, which need not be the one that was changed.
        assert any(expected in p.expected for p in problems), problems
        if "a number" in expected or "did you mean" in expected:
            assert [(p.column, p.value) for p in problems] == [(column, value)]

    @pytest.mark.parametrize("value", ["=1+1", "<b>bold</b>", "<script>alert(1)</script>", "@SUM(A1)", "-2", "日本"])
    def test_text_may_be_anything(self, folder, value):
        put(folder, "growth_figures", FIGURE, "note", value)
        assert evidence.check(folder) == []

    def test_duplicate_id(self, folder):
        rows = read(folder / "growth_figures.csv")
        write(folder / "growth_figures.csv", [*rows, rows[1]])
        problem = only(evidence.check(folder))
        assert (problem.row, problem.column) == (len(rows) + 1, "figure_id")
        assert "row 2 has this one" in problem.expected

    def test_figure_without_role(self, folder):
        row = put(folder, "growth_figures", FIGURE, "role", "")
        problem = only(evidence.check(folder))
        assert (problem.row, problem.column, problem.value) == (row, "role", "")
        assert problem.expected == "a value, not an empty cell"

    def test_chained_repeat(self, folder):
        figures = read(folder / "growth_figures.csv")
        original_of = {row[0]: row[figures[0].index("repeats")] for row in figures[1:]}
        copy = next(key for key, original in original_of.items() if original)
        alone = next(key for key in original_of if not original_of[key] and key not in original_of.values())
        row = put(folder, "growth_figures", alone, "repeats", copy)
        problem = only(evidence.check(folder))
        assert (problem.row, problem.column) == (row, "repeats")
        assert "repeats nothing itself" in problem.expected

    def test_load_raises_with_every_problem(self, folder):
        put(folder, "growth_figures", FIGURE, "value", "4,950,000")
        put(folder, "outages", "whatsapp-2014-02-22", "kind", "outtage")
        put(folder, "sources", "techcrunch-line-2014", "url", "")
        with pytest.raises(EvidenceError) as caught:
            evidence.load(folder)
        assert [(p.file, p.column) for p in caught.value.problems] == [
            ("outages.csv", "kind"),
            ("growth_figures.csv", "value"),
            ("sources.csv", "url"),
        ]
        text = str(caught.value)
        assert text.startswith("3 problems in the evidence tables\n")
        assert "growth_figures.csv, row " in text
        assert "'4,950,000', expected a number" in text

    def test_a_column_of_junk_is_reported_row_by_row(self, folder):
        rows = read(folder / "growth_figures.csv")
        place = rows[0].index("unit")
        write(
            folder / "growth_figures.csv",
            [rows[0], *([*r[:place], "junk", *r[place + 1 :]] for r in rows[1:])],
        )
        assert [p.row for p in evidence.check(folder)] == list(range(2, len(rows) + 1))


JUNK = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "NaN", "1e400", "-1e-400", "0x10", "9" * 40, "2014-13-01", "2100-01-01", "1800-01-01", ";", ";;"]
    ),
    st.sampled_from(["0001-01-01T00:00Z", "2014-02-22T19:00Z", "2014-02-22", "True", "None", '"', "'", "\\", "\x00"]),
)
SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("whole"))


def survives(folder):
    found: list[Problem] = []
    try:
        evidence.load(folder)
    except EvidenceError as error:
        found = error.problems or [None]
    assert all(isinstance(p, Problem) and p.row >= 0 and p.expected and str(p) for p in found)


@SLOW
@given(table=st.sampled_from(evidence.TABLES), row=st.integers(0, 10**6), column=st.integers(0, 100), junk=JUNK)
def test_any_cell_may_hold_junk(whole, tmp_path_factory, table, row, column, junk):
    folder = tmp_path_factory.mktemp("cell")
    shutil.copytree(whole, folder, dirs_exist_ok=True)
    rows = read(folder / f"{table}.csv")
    line = rows[row % len(rows)]
    line[column % len(line)] = junk.encode("utf-8", "replace").decode()
    write(folder / f"{table}.csv", rows)
    survives(folder)


@SLOW
@given(
    table=st.sampled_from(evidence.TABLES),
    place=st.floats(0, 1),
    junk=st.binary(max_size=20),
    cut=st.integers(0, 50),
)
def test_any_bytes_may_be_damaged(whole, tmp_path_factory, table, place, junk, cut):
    folder = tmp_path_factory.mktemp("bytes")
    shutil.copytree(whole, folder, dirs_exist_ok=True)
    path = folder / f"{table}.csv"
    data = path.read_bytes()
    at = int(place * len(data))
    path.write_bytes(data[:at] + junk + data[at + cut :])
    survives(folder)


class TestDocuments:
    """The codebook, the data package and the schemas say the same."""

    book = (DATA / "README.md").read_text(encoding="utf-8")
    package = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))

    def section(self, heading):
        return re.split(r"\n#{2,3} ", self.book.split(f"\n{heading}\n", 1)[1], maxsplit=1)[0]

    @pytest.mark.parametrize("table", evidence.TABLES)
    def test_columns_in_the_same_order(self, table):
        names = [field.name for field in schemas.FIELDS[table]]
        assert read(DATA / f"{table}.csv")[0] == names
        assert re.findall(r"^\| `(\w+)` \|", self.section(f"## `{table}.csv`"), flags=re.M) == names
        resource = next(r for r in self.package["resources"] if r["name"] == table)
        assert [field["name"] for field in resource["schema"]["fields"]] == names

    @pytest.mark.parametrize(("table", "field"), [(t, f) for t in schemas.FIELDS for f in schemas.FIELDS[t] if f.enum])
    def test_enums(self, table, field):
        resource = next(r for r in self.package["resources"] if r["name"] == table)
        declared = next(f for f in resource["schema"]["fields"] if f["name"] == field.name)
        assert tuple(declared["constraints"]["enum"]) == field.enum
        if field.name == "unit":
            listed = set(re.findall(r"`([\w/]+)`", self.section("### `unit`")))
            assert listed >= {*schemas.THINGS, *schemas.TIMES, "percent", "ratio", "rank", "countries"}
        elif f"\n### `{field.name}`\n" in self.book:
            listed = re.findall(r"^\| `(\w+)` \|", self.section(f"### `{field.name}`"), flags=re.M)
            assert tuple(listed) == field.enum
        else:
            line = re.search(rf"^\| `{field.name}` \|.*$", self.section(f"## `{table}.csv`"), flags=re.M)
            assert line is not None
            assert set(field.enum) <= set(re.findall(r"`(\w+)`", line[0]))

    @pytest.mark.parametrize("table", evidence.TABLES)
    def test_constraints_and_keys(self, table):
        resource = next(r for r in self.package["resources"] if r["name"] == table)
        schema = resource["schema"]
        fields = schemas.FIELDS[table]
        assert schema["primaryKey"] == fields[0].name
        single = {f.name: "" if f.refers == table else f.refers for f in fields if f.refers and not f.many}
        assert {k["fields"]: k["reference"]["resource"] for k in schema.get("foreignKeys", [])} == single
        types = {"datetime": "string"}
        for field, declared in zip(fields, schema["fields"], strict=True):
            constraints = declared.get("constraints", {})
            assert declared["type"] == types.get(field.kind, field.kind)
            assert constraints.get("required", False) == field.required
            assert constraints.get("unique", False) == field.unique
            assert constraints.get("minimum") == field.least
            assert constraints.get("maximum") == field.most

    @pytest.mark.parametrize("table", evidence.TABLES)
    def test_patterns_hold_for_every_cell(self, table):
        resource = next(r for r in self.package["resources"] if r["name"] == table)
        rows = read(DATA / f"{table}.csv")
        for place, declared in enumerate(resource["schema"]["fields"]):
            pattern = declared.get("constraints", {}).get("pattern")
            if pattern:
                assert all(re.search(pattern, row[place]) for row in rows[1:] if row[place]), declared["name"]

    def test_licence_and_files(self):
        assert self.package["licenses"][0]["name"] == "CC-BY-4.0"
        for name in evidence.TABLES:
            assert f"| `{name}.csv` | " in self.book

    def test_paths(self):
        assert [Path(r["path"]).stem for r in self.package["resources"]] == list(evidence.TABLES)
