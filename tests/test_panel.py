"""A panel of series: regular, measured, failures listed, the same by any number of processes, resumed after a kill."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from panel_data import BEGIN, DAYS, HORIZON, OUTAGE, panel

from helpers.measured import expected
from helpers.measured.window import CannotTell, Window
from helpers.panel import parts
from helpers.panel.detail import details
from helpers.panel.grid import PanelError, gather
from helpers.panel.measure_all import PanelResult, measure_panel
from helpers.panel.task import batches


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return panel(12)


@pytest.fixture(scope="module")
def result(table: pd.DataFrame) -> PanelResult:
    return measure_panel(table, [OUTAGE], horizon=HORIZON, jobs=1)


def failed(result: PanelResult) -> dict[str, tuple[str, str]]:
    rows = result.table[result.table["status"] == "failed"]
    return {row.series: (row.reason, row.reason_text) for row in rows.itertuples()}


def spoiled(table: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    changed = table.astype({column: object})
    changed.loc[row, column] = value
    return changed


# --- a long table made regular


def test_a_missing_row_is_missing_and_never_zero() -> None:
    long = panel(2)
    gap = long.drop(index=[10, 11])
    series = gather(gap).series(0)
    assert len(series) == len(DAYS)
    assert np.flatnonzero(series.isna()).tolist() == [10, 11]
    assert (series.dropna() == long["count"][:150].drop([10, 11]).to_numpy()).all()
    assert (series.index == DAYS).all()


def test_the_order_of_rows_and_the_pieces_do_not_matter() -> None:
    long = panel(3)
    whole = gather(long)
    mixed = gather(long.sample(frac=1, random_state=1))
    pieces = gather(long.iloc[begin : begin + 47] for begin in range(0, len(long), 47))
    for number, name in enumerate(whole.names):
        expected_counts = whole.series(number)
        pd.testing.assert_series_equal(pieces.series(pieces.names.index(name)), expected_counts)
        pd.testing.assert_series_equal(mixed.series(mixed.names.index(name)), expected_counts)


def test_series_of_other_lengths_keep_their_own_times() -> None:
    long = panel(2)
    late = pd.concat([long[:150], long[200:290]])
    made = gather(late)
    assert made.series(1).index[0] == DAYS[50]
    assert made.series(1).index[-1] == DAYS[139]


@pytest.mark.parametrize(
    ("step", "start"), [("7D", "2024-01-03"), ("h", "2024-01-01 00:30"), ("min", "2024-01-01"), ("30min", "2024-01-01")]
)
def test_step_and_phase_are_told_from_the_times(step: str, start: str) -> None:
    times = pd.date_range(start, periods=40, freq=step, tz="UTC")
    long = pd.DataFrame({"series": ["a"] * 40 + ["b"] * 40, "time": [*times, *times], "count": range(80)})
    made = gather(long.drop(index=[3, 4, 50]))
    assert made.step == pd.Timedelta(times[1] - times[0])
    assert (made.series(1).index == times).all()


def test_months_are_no_step() -> None:
    times = pd.date_range("2020-01-01", periods=24, freq="MS", tz="UTC")
    with pytest.raises(PanelError, match="31 days apart; expected regular steps"):
        gather(pd.DataFrame({"series": "a", "time": times, "count": 1}))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(PanelError, match=r"column 'count': expected once in the table, which has series, time, n"):
        gather(panel(1).rename(columns={"count": "n"}))
    with pytest.raises(PanelError, match="no row"):
        gather(panel(1)[:0])


BAD = [
    ("count", "many", "bad_count", r"row 7: count 'many' is no count"),
    ("count", -4, "bad_count", r"row 7: count '-4' is negative"),
    ("count", 1.5, "bad_count", r"row 7: count '1.5' is not a whole number"),
    ("count", float("inf"), "bad_count", r"row 7: count 'inf' is no count"),
    ("time", DAYS[4], "duplicate_time", r"row 7: a second count \(\d+\) at 2024-01-05 00:00 UTC"),
    ("time", DAYS[4] + pd.Timedelta(hours=5), "bad_time", r"row 7: time 2024-01-05 05:00 lies between the steps"),
    ("time", "yesterday", "bad_time", r"row 7: time 'yesterday' is no time"),
    ("time", pd.Timestamp("2924-01-05", tz="UTC"), "too_broken", r"150 counts are spread over 328,\d+ steps of 1 day"),
]


@pytest.mark.parametrize(("column", "value", "code", "reason"), BAD)
def test_a_bad_row_fails_its_series_only(column: str, value: object, code: str, reason: str) -> None:
    made = gather(spoiled(panel(3), 5, column, value))
    assert set(made.faults) == {0}
    assert made.faults[0].code == code
    assert re.match(reason, made.faults[0].reason)
    assert not len(made.series(0))
    pd.testing.assert_series_equal(made.series(2), gather(panel(3)).series(2))


def test_a_bad_row_in_a_later_piece_is_named_by_its_line() -> None:
    long = spoiled(spoiled(panel(2), 5, "count", -1), 205, "count", -2)
    long.loc[210, "count"] = -3
    made = gather(long.iloc[begin : begin + 60] for begin in range(0, len(long), 60))
    assert made.faults[0].reason.startswith("row 7: ")
    assert made.faults[1].reason == "row 207: count '-2' is negative; expected a count of at least 0 (and 1 more row)"


def test_a_row_without_a_name_is_listed_and_the_others_stand() -> None:
    made = gather(spoiled(panel(2), 5, "series", None))
    assert made.faults[made.names.index("(no name)")].code == "no_name"
    assert np.flatnonzero(made.series(0).isna()).tolist() == [5]


def test_fractional_values_are_right_where_they_are_measures() -> None:
    long = panel(1).astype({"count": float})
    long["count"] += 0.25
    assert not gather(long, fractional=True).faults


# --- measured


def test_rows_are_what_measure_says_of_each_series(table: pd.DataFrame, result: PanelResult) -> None:
    assert result.table["series"].tolist() == [f"country {number:03}" for number in range(12)]
    for number in (0, 5):
        counts = pd.Series(table["count"][150 * number : 150 * (number + 1)].to_numpy(dtype=float), index=DAYS)
        alone = expected.measure(counts, OUTAGE, horizon=HORIZON)
        row = result.table.iloc[number]
        assert (row["extra"], row["extra_low"], row["extra_high"]) == tuple(alone.extra)
        assert (row["p"], row["z"], row["observed"]) == (alone.p, alone.z, alone.observed_total)
        assert row["effective_freedom"] == alone.effective_freedom
        np.testing.assert_allclose(np.exp(result.log_ratio[number]), alone.gap["ratio"], rtol=1e-5)
        np.testing.assert_allclose(result.log_error[number], alone.gap["log_error"], rtol=1e-6)
    assert result.log_ratio.dtype == np.float32
    assert result.log_ratio.shape == (12, 7)
    assert result.since[1] == pd.Timedelta(days=1)


def test_gains_are_found_where_they_are(result: PanelResult) -> None:
    found = set(result.table.index[(result.table["extra_low"] > 0)])
    assert {0, 4, 8} <= found
    assert len(found - {0, 4, 8}) <= 2


def test_each_window_has_its_row_and_does_not_learn_from_the_other(table: pd.DataFrame) -> None:
    early = Window(DAYS[100], DAYS[101], "early")
    both = measure_panel(table[:150], [early, OUTAGE], horizon=HORIZON, jobs=1)
    assert both.table["window"].tolist() == ["early", "it was down"]
    assert both.table["start"].tolist() == [DAYS[100], DAYS[BEGIN]]
    counts = gather(table[:150]).series(0)
    aftermath = Window(DAYS[100], DAYS[107])
    apart = expected.measure(counts, OUTAGE, horizon=HORIZON, exclude=[aftermath])
    assert both.table["z"][1] == apart.z
    assert both.table["z"][1] != expected.measure(counts, OUTAGE, horizon=HORIZON).z
    assert not both.notes


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_an_early_start_is_the_same_moment_in_every_unit_of_time(
    unit: str, table: pd.DataFrame, tmp_path: Path
) -> None:
    long = table[:300].assign(time=table["time"].dt.as_unit(unit))
    late = Window(DAYS[BEGIN + 1].as_unit(unit), DAYS[BEGIN + 2].as_unit(unit))
    first, resumed = (measure_panel(long, [late], horizon=HORIZON, jobs=1, resume=tmp_path) for _ in range(2))
    assert first.table["early"].dtype == "datetime64[us, UTC]"
    assert first.table["early"][0] == DAYS[BEGIN]
    assert pd.isna(first.table["early"][1])
    assert resumed.measured_now == 0
    pd.testing.assert_frame_equal(first.table, resumed.table, check_exact=True)
    assert details(long, ["country 000"], first.settings)["country 000"].early == DAYS[BEGIN]


def test_windows_in_each_others_horizon_are_noted(table: pd.DataFrame) -> None:
    near = Window(DAYS[BEGIN + 3], DAYS[BEGIN + 4], "again")
    said = measure_panel(table[:150], [near, OUTAGE], horizon=HORIZON, jobs=1).notes
    assert said == ("again starts within the horizon of it was down: what follows counts for both.",)


def test_a_series_that_fails_is_listed_and_the_others_go_on(table: pd.DataFrame, result: PanelResult) -> None:
    changed = spoiled(table, 155, "count", "many")
    changed.loc[300:449, "count"] = 0
    short = changed.drop(index=range(450, 560))
    found = measure_panel(short, [OUTAGE], horizon=HORIZON, jobs=1)
    reasons = failed(found)
    assert reasons["country 001"] == (
        "bad_count",
        "row 157: count 'many' is no count; expected a number of at least 0",
    )
    assert reasons["country 002"][0] == "all_zero"
    assert set(reasons) <= {"country 001", "country 002", "country 003"}
    assert found.table["series"].tolist() == result.table["series"].tolist()
    pd.testing.assert_frame_equal(found.table.iloc[4:], result.table.iloc[4:])
    assert np.isnan(found.observed[1:3]).all()
    assert found.failures["all_zero"] == 1


def test_any_other_error_fails_its_series_only(monkeypatch: pytest.MonkeyPatch) -> None:
    real = expected.measure

    def break_some(counts: pd.Series, *given: object, **options: object) -> object:
        if counts.iloc[0] == counts_of_first:
            raise ZeroDivisionError("a bug")
        if counts.iloc[0] == counts_of_second:
            raise CannotTell("too_broken", "half of it is missing")
        return real(counts, *given, **options)

    long = panel(3)
    counts_of_first, counts_of_second = long["count"][0], long["count"][150]
    monkeypatch.setattr(expected, "measure", break_some)
    found = measure_panel(long, [OUTAGE], horizon=HORIZON, jobs=1)
    assert failed(found) == {
        "country 000": ("error", "ZeroDivisionError: a bug"),
        "country 001": ("too_broken", "half of it is missing"),
    }
    assert found.table["status"].tolist() == ["failed", "failed", "measured"]


def test_measures_give_their_own_unit_back() -> None:
    long = panel(1, least=500, most=501).astype({"count": float})
    small = long.assign(count=long["count"] / 1000)
    found = measure_panel(small, [OUTAGE], horizon=HORIZON, fractional=True, jobs=1)
    row = found.table.iloc[0]
    np.testing.assert_allclose(found.observed[0], small["count"][BEGIN : BEGIN + 7], rtol=1e-6)
    assert found.expected[0].sum() == pytest.approx(row["expected"], rel=0.05)
    assert row["predicted_mean"] == pytest.approx(row["expected"], rel=0.05)


def test_missing_steps_after_the_start_are_missing_in_the_arrays(table: pd.DataFrame) -> None:
    gap = table.drop(index=[BEGIN + 2])[: 150 + BEGIN + 3]
    found = measure_panel(gap, [OUTAGE], horizon=HORIZON, jobs=1)
    assert np.flatnonzero(np.isnan(found.observed[0])).tolist() == [2]
    assert np.flatnonzero(np.isnan(found.expected[1])).tolist() == [4, 5, 6]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"windows": []}, "no outage"),
        ({"windows": [OUTAGE, OUTAGE]}, "given twice"),
        ({"level": 95}, "between 0 and 1"),
        ({"jobs": 0}, "at least 1"),
        ({"jobs": 2, "cluster": "tcp://127.0.0.1:8786"}, "one of the two"),
        ({"horizon": pd.Timedelta(0)}, "expected some time"),
    ],
)
def test_contradictions_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(PanelError, match=said):
        measure_panel(panel(1), **{"windows": [OUTAGE], "jobs": 1, **options})  # type: ignore[arg-type]


def test_details_are_the_same_measurement_with_its_path(table: pd.DataFrame, result: PanelResult) -> None:
    found = details(table, ["country 004"], result.settings)["country 004"]
    assert found.z == result.table["z"][4]
    assert found.path.index[0] == DAYS[0]
    with pytest.raises(PanelError, match="not in the table"):
        details(table, ["nobody"], result.settings)


def test_the_bar_is_shown_when_asked_for_only(table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    measure_panel(table[:300], [OUTAGE], horizon=HORIZON, jobs=1)
    assert capsys.readouterr().err == ""
    measure_panel(table[:300], [OUTAGE], horizon=HORIZON, jobs=1, progress=True)
    shown = capsys.readouterr()
    assert "2/2" in shown.err
    assert "series/s" in shown.err
    assert shown.out == ""


# --- resumed


def test_a_second_run_measures_nothing_and_says_the_same(
    table: pd.DataFrame, result: PanelResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = measure_panel(table, [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path)
    assert (first.measured_now, first.taken_over) == (12, 0)
    monkeypatch.setattr(expected, "measure", None)  # any call would fail the series
    second = measure_panel(table, [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path)
    assert (second.measured_now, second.taken_over) == (0, 12)
    for other in (first, second):
        pd.testing.assert_frame_equal(other.table, result.table, check_exact=True)
        np.testing.assert_array_equal(other.log_error, result.log_error)


def test_reasons_and_series_with_faults_survive_a_resume(table: pd.DataFrame, tmp_path: Path) -> None:
    changed = spoiled(table[:600], 5, "count", "many")
    changed.loc[150:299, "count"] = 0
    first, second = (measure_panel(changed, [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path) for _ in range(2))
    assert (second.measured_now, second.taken_over) == (0, 3)
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)


def test_parts_of_other_inputs_are_passed_over(table: pd.DataFrame, tmp_path: Path) -> None:
    small = table[:600]
    measure_panel(small, [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path)
    changed = small.copy()
    changed.loc[3, "count"] += 1
    again = measure_panel(changed, [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path)
    assert (again.measured_now, again.taken_over) == (1, 3)
    moved = small.assign(time=small["time"] + pd.Timedelta(days=1))
    later = Window(OUTAGE.start, OUTAGE.end + pd.Timedelta(hours=1), OUTAGE.name)
    for data, windows, options in (
        (moved, [OUTAGE], {}),
        (small, [later], {}),
        (small, [OUTAGE], {"level": 0.8}),
        (small, [OUTAGE], {"exclude": [Window(DAYS[3], DAYS[4])]}),
        (small, [OUTAGE], {"fractional": True}),
    ):
        other = measure_panel(data, windows, horizon=HORIZON, jobs=1, resume=tmp_path, **options)  # type: ignore[arg-type]
        assert other.taken_over == 0, (windows, options)


def test_other_code_measures_again(table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure_panel(table[:300], [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path)
    monkeypatch.setattr(parts, "code_version", lambda: "another")
    assert measure_panel(table[:300], [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path).taken_over == 0


def test_a_broken_part_is_measured_again(table: pd.DataFrame, tmp_path: Path) -> None:
    first = measure_panel(table[:450], [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path)
    torn, foreign, whole = sorted(tmp_path.iterdir())
    torn.write_bytes(torn.read_bytes()[:500])
    foreign.write_bytes(whole.read_bytes())  # another batch under this one's name
    again = measure_panel(table[:450], [OUTAGE], horizon=HORIZON, jobs=1, resume=tmp_path)
    assert (again.measured_now, again.taken_over) == (2, 1)
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)


KILLED = """
import sys, time
from pathlib import Path
from helpers.measured import expected
from helpers.panel.measure_all import measure_panel
from panel_data import HORIZON, OUTAGE, panel
real = expected.measure
def slow(*given, **options):
    time.sleep(0.05)
    return real(*given, **options)
expected.measure = slow
measure_panel(panel(48), [OUTAGE], horizon=HORIZON, jobs=1, resume=Path(sys.argv[1]))
"""


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    place = tmp_path / "done"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(place)], cwd=Path(__file__).parent) as run:
        until = time.monotonic() + 60
        while len(list(place.glob("part-*.parquet"))) < 3 and time.monotonic() < until and run.poll() is None:
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    done = len(list(place.glob("part-*.parquet")))
    assert 3 <= done < 16
    long = panel(48)
    resumed = measure_panel(long, [OUTAGE], horizon=HORIZON, jobs=1, resume=place)
    sizes = {len(batch) for batch in batches(gather(long))}
    assert sizes == {3}
    assert (resumed.taken_over, resumed.measured_now) == (3 * done, 48 - 3 * done)
    assert resumed.table["series"].tolist() == [f"country {number:03}" for number in range(48)]
    fresh = measure_panel(long[: 9 * 150], [OUTAGE], horizon=HORIZON, jobs=1)
    pd.testing.assert_frame_equal(resumed.table[:9], fresh.table, check_exact=True)
