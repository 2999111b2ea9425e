"""`adoption panel`: a table in, one row a series and outage out, a summary in words, exit codes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from panel_data import BEGIN, DAYS, panel

from helpers import cli

SERIES = 8
OUTAGE = f"{DAYS[BEGIN]:%Y-%m-%dT%H:%M}/{DAYS[BEGIN]:%Y-%m-%dT06:00}"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("panel") / "signups.csv"
    panel(SERIES).to_csv(path, index=False)
    return path


def run(source: Path, *options: str | Path) -> int:
    given = [] if "--outage" in options else ["--outage", OUTAGE]
    jobs = [] if {"--jobs", "--cluster"} & set(options) else ["--jobs", "1"]
    return cli.main(["panel", *map(str, [source, *given, *jobs, "--horizon-hours", "168", *options])])


def test_a_table_is_measured_and_written(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(source, "--to", tmp_path / "out.csv") == 0
    shown = capsys.readouterr().out
    assert "8 series, 1 outage: 8 of 8 measured" in shown
    assert "Of 8 tested 2 gained and 0 lost" in shown
    assert "  country 000: " in shown
    assert f"written: {tmp_path / 'out.csv'}" in shown
    written = pd.read_csv(tmp_path / "out.csv")
    assert written["series"].tolist() == [f"country {number:03}" for number in range(SERIES)]
    assert written.loc[written["called"], "series"].tolist() == ["country 000", "country 004"]
    assert written["start"][0] == "2024-05-05T00:00:00Z"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv"]


def test_parquet_and_wide_tables_give_the_same_numbers(source: Path, tmp_path: Path) -> None:
    wide = panel(SERIES).pivot_table(index="time", columns="series", values="count").reset_index()
    wide.to_parquet(tmp_path / "wide.parquet", index=False)
    assert run(source, "--to", tmp_path / "long.parquet") == 0
    assert run(tmp_path / "wide.parquet", "--wide", "--to", tmp_path / "wide-out.parquet") == 0
    long, other = (pd.read_parquet(tmp_path / name) for name in ("long.parquet", "wide-out.parquet"))
    pd.testing.assert_frame_equal(long, other)


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_an_early_start_is_written_as_the_day_it_is(unit: str, tmp_path: Path) -> None:
    table = panel(2)
    table.assign(time=table["time"].dt.as_unit(unit)).to_parquet(tmp_path / "in.parquet", index=False)
    late = f"{DAYS[BEGIN + 1]:%Y-%m-%d}/{DAYS[BEGIN + 1]:%Y-%m-%d}"
    for name in ("out.csv", "out.parquet"):
        assert run(tmp_path / "in.parquet", "--outage", late, "--to", tmp_path / name) == 0
    text, typed = pd.read_csv(tmp_path / "out.csv")["early"], pd.read_parquet(tmp_path / "out.parquet")["early"]
    assert text[0] == f"{DAYS[BEGIN]:%Y-%m-%dT00:00:00Z}"
    assert typed[0] == DAYS[BEGIN]
    assert text.isna().tolist() == typed.isna().tolist() == [False, True]


def test_columns_have_other_names_and_name_a_series_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = panel(2).rename(columns={"time": "day", "count": "new", "series": "country"}).assign(os="ios")
    table.to_csv(tmp_path / "in.csv", index=False)
    columns = ("--series", "country", "--series", "os", "--time", "day", "--value", "new", "--every", "1D")
    assert run(tmp_path / "in.csv", *columns, "--to", tmp_path / "out.csv") == 0
    assert pd.read_csv(tmp_path / "out.csv")["series"].tolist() == ["country 000 / ios", "country 001 / ios"]
    assert "2 of 2 measured" in capsys.readouterr().out


def test_several_outages_have_names_and_a_row_each(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = ("--outage", "before=2024-04-10/2024-04-10", "--outage", f"it={OUTAGE}")
    assert run(source, *early, "--exclude", "2024-02-01/2024-02-02", "--to", tmp_path / "out.csv") == 0
    written = pd.read_csv(tmp_path / "out.csv")
    assert written["window"].tolist()[:2] == ["before", "it"]
    assert written["start"][0] == "2024-04-10T00:00:00Z"
    assert "  country 000, it: " in capsys.readouterr().out


def test_failures_are_listed_by_reason_and_are_no_failure_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = panel(4)
    table.loc[155, "count"] = -3
    table.loc[300:449, "count"] = 0
    table.to_csv(tmp_path / "in.csv", index=False)
    assert run(tmp_path / "in.csv", "--to", tmp_path / "out.csv") == 0
    shown = capsys.readouterr().out
    assert "2 of 4 measured" in shown
    assert "failed, bad_count: 1; the first, country 001: row 157: count '-3.0' is negative" in shown
    assert "failed, all_zero: 1; the first, country 002: " in shown
    assert pd.read_csv(tmp_path / "out.csv")["reason"].fillna("").tolist() == ["", "bad_count", "all_zero", ""]


def test_nothing_measured_is_a_failure_and_still_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    panel(2).assign(count=0).to_csv(tmp_path / "in.csv", index=False)
    assert run(tmp_path / "in.csv", "--to", tmp_path / "out.csv") == 1
    shown = capsys.readouterr()
    assert "no series could be measured" in shown.err
    assert "Nothing could be tested." in shown.out
    assert len(pd.read_csv(tmp_path / "out.csv")) == 2


def test_placebo_series_are_chosen_by_pattern(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    placebos = ("--placebo-series", "* 00[123]", "--placebo-series", "country 005")
    assert run(source, *placebos, "--to", tmp_path / "out.csv") == 0
    written = pd.read_csv(tmp_path / "out.csv")
    assert written.loc[written["placebo"], "series"].str[-1].astype(int).tolist() == [1, 2, 3, 5]
    assert "Of 4 measurements of series that cannot have gained" in capsys.readouterr().out
    assert run(source, "--placebo-series", "JP*", "--to", tmp_path / "out.csv") == 2
    assert "'JP*' is no series of the table: country 000" in capsys.readouterr().err


def test_a_name_that_a_spreadsheet_would_run_is_harmless_in_csv(tmp_path: Path) -> None:
    panel(1).assign(series="=1+1").to_csv(tmp_path / "in.csv", index=False)
    assert run(tmp_path / "in.csv", "--to", tmp_path / "out.csv") == 0
    assert pd.read_csv(tmp_path / "out.csv")["series"].tolist() == ["'=1+1"]


def test_a_second_run_takes_over_what_the_first_has_done(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert run(source, "--resume", tmp_path / "done", "--to", tmp_path / "out.csv") == 0
    assert "8 of 8 measured, 8 series taken over from an earlier run" in capsys.readouterr().out


ASKED_WRONGLY = [
    (("--outage", "2024-05-05"), "expected START/END in UTC"),
    (("--outage", "yesterday/today"), "expected START/END in UTC"),
    (("--outage", "=2024-05-05/2024-05-06"), "expected START/END in UTC"),
    (("--outage", "2024-05-06/2024-05-04"), "expected a moment after the start"),
    (("--exclude", "2024-05-06"), "--exclude: given '2024-05-06'"),
    (("--every", "month"), "--every: given 'month', expected a step"),
]


@pytest.mark.parametrize(("options", "said"), ASKED_WRONGLY)
def test_what_is_asked_wrongly_is_said_before_anything_is_read(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "none.csv", *options, "--to", tmp_path / "out.csv") == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["out.xlsx", "nowhere/out.csv"])
def test_a_place_that_cannot_be_written_is_said_first(
    name: str, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(source, "--to", tmp_path / name) == 2
    assert "--to: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [("--level", "95"), ("--jobs", "0"), ("--jobs", "2", "--cluster", "tcp://127.0.0.1:1"), ("--horizon-hours", "-1")],
)
def test_options_out_of_range_are_refused(options: tuple[str, ...], source: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        run(source, *options, "--to", "out.csv")
    assert stop.value.code == 2


def test_a_source_or_a_column_that_is_not_there_is_said(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "none.csv", "--to", tmp_path / "out.csv") == 1
    assert "none.csv" in capsys.readouterr().err
    panel(2).to_parquet(tmp_path / "in.parquet", index=False)
    for table in (source, tmp_path / "in.parquet"):
        assert run(table, "--value", "n", "--series", "serie", "--to", tmp_path / "out.csv") == 2
        said = capsys.readouterr().err
        assert f"{table.name}, row 1: no column 'n', expected one of series, time, count" in said
        assert "no column 'serie', expected one of series, time, count; did you mean series?" in said
    assert not (tmp_path / "out.csv").exists()


def test_it_needs_no_evidence_tables(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpers import params

    monkeypatch.setattr(params, "evidence_folder", lambda folder=None: tmp_path / "no such folder")
    assert run(source, "--to", tmp_path / "out.csv") == 0


def test_a_polite_end_stops_it_and_leaves_what_is_done(tmp_path: Path) -> None:
    panel(300).to_parquet(tmp_path / "in.parquet", index=False)
    done = tmp_path / "done"
    command = [sys.executable, "-m", "helpers", "panel", "in.parquet", "--outage", OUTAGE, "--to", "out.csv"]
    command += ["--jobs", "2", "--resume", "done"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while not list(done.glob("part-*")) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "adoption: stopped\n"
    assert list(done.glob("part-*"))
    assert not (tmp_path / "out.csv").exists()
