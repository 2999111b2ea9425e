"""The notebook of one measured series: its truth, its awkward cases, its page in a browser, its refusals in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import papermill
import pytest
from bs4 import BeautifulSoup

from helpers import declared, models, params, report, results
from helpers.measured import checks, question, story, surge, tables
from helpers.params import ParameterError

NOTEBOOK = "04_measured_signups"
TRUTH = json.loads((params.ROOT / "data" / "simulated" / "signups_hourly_truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(chosen_report) -> Path:
    return chosen_report("04")


def text(page: Path) -> str:
    return " ".join(BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" ").split())


def record(page: Path) -> results.Record:
    kept = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    return results.Record.model_validate({n: v for n, v in kept.items() if n in results.Record.model_fields})


def table(path: Path, times: float = 3.0, ahead: int = 0, days: int = 120) -> tuple[Path, pd.Timestamp]:
    """Write a daily table with a surge on day `days`, which begins `ahead` days before; return it and that day."""
    rng = np.random.default_rng(11)
    index = pd.date_range("2025-01-06", periods=days + 14, freq="D", tz="UTC")
    since = np.arange(len(index)) - (days - ahead)
    response = np.where(since >= 0, (times - 1) * 0.5 ** (np.maximum(since, 0) / 2), 0.0)
    mean = 3000 * (1 + 0.2 * (index.day_of_week >= 5)) * (1 + response)
    frame = pd.DataFrame({"day": index.strftime("%Y-%m-%d"), "installs": rng.poisson(mean)})
    frame.to_csv(path, index=False)
    return path, index[days]


def asked(path: Path, start: pd.Timestamp, **more: object) -> models.MeasuredSignups:
    end = start + pd.Timedelta(hours=6)
    given = {"source": str(path), "outage_start": str(start), "outage_end": str(end), "value_column": "installs"}
    return params.check(NOTEBOOK, given | more)


def told(request: models.MeasuredSignups) -> str:
    """Return everything the report says of a request in prose and tables, without a kernel."""
    series = question.load(request)
    found = question.measure(series, request)
    fine = not isinstance(found, ValueError)
    after, checked = (surge.surge(found, 1), checks.checks(found)) if fine else (None, None)
    said = [story.answer(found, after, checked, request), tables.numbers(found, after, request)]
    said += [
        tables.events(found),
        tables.placebos(found, request),
        tables.second_opinion(found),
        story.mail(found, after, request, series),
    ]
    said += [story.limits(found, series), story.record(found, after, checked, request, "0").headline]
    return "\n".join(map(str, said))


def test_parameters_cell_declares_what_the_model_checks():
    declared.check_declared(report.NOTEBOOKS_DIR / f"{NOTEBOOK}.ipynb", models.NOTEBOOKS[NOTEBOOK])


def test_the_answer_holds_the_simulated_truth(page):
    kept = record(page)
    number = {e.quantity: e for e in kept.estimates}
    assert number["extra_users"].low <= TRUTH["extra_realised_by_hours"]["168"] <= number["extra_users"].high
    assert number["half_life"].low <= TRUTH["half_life_hours"] <= number["half_life"].high
    assert number["settled_level"].low <= TRUTH["stayed_share"] <= number["settled_level"].high
    assert number["peak_rate"].unit == "users/s"
    assert kept.diagnostics["unmarked_events"] == 1
    shown = text(page)
    assert shown.index(kept.headline) < shown.index("How fast it fades")
    for said in (
        "29 Jan 2025, 09:00 UTC",
        "SIMULATED",
        "nobody signed up",
        "Missing: 7 of 1,680 steps",
        "95% interval",
    ):
        assert said in shown


@pytest.mark.usefixtures("without_kernel")
def test_papermill_gives_the_same_numbers(page, tmp_path):
    source, out = report.NOTEBOOKS_DIR / f"{NOTEBOOK}.ipynb", tmp_path / "out.ipynb"
    papermill.execute_notebook(source, out, progress_bar=False)
    again = results.read(json.loads(out.read_text(encoding="utf-8")))
    # With more threads the last digits of a sum may differ.
    for ours, theirs in zip(again.estimates, record(page).estimates, strict=True):
        assert (ours.quantity, ours.unit) == (theirs.quantity, theirs.unit)
        ends = [(e.low, e.median, e.high) for e in (ours, theirs)]
        assert ends[0] == pytest.approx(ends[1], rel=1e-5, abs=1e-9)


def test_a_gain_is_told_with_its_range_and_its_noun(tmp_path):
    said = told(asked(*table(tmp_path / "x.csv"), label="Signal"))
    assert "Signal counted" in said
    assert "more installs than expected within 7 days" in said
    assert "it fades by half every" in said


def test_no_effect_is_not_called_one(tmp_path):
    said = told(asked(*table(tmp_path / "x.csv", times=1.0)))
    assert "no effect can be told from chance" in said
    assert "fades by half" not in said


def test_a_start_stated_a_day_late_is_said(tmp_path):
    path, start = table(tmp_path / "x.csv", times=5.0, ahead=1)
    said = told(asked(path, start))
    day = start - pd.Timedelta(days=1)
    assert f"The surge seems to have begun before the stated start: from {day.day} {day:%b %Y}, 00:00 UTC" in said
    assert "before the stated start, above the expected" in said


def test_a_series_that_cannot_tell_says_why_and_gives_no_number(tmp_path):
    path, start = table(tmp_path / "x.csv", days=9)
    said = told(asked(path, start))
    assert "This series cannot tell: 9 usable steps before the outage are 1.3 weeks" in said
    assert "more installs" not in said


def test_measures_have_no_people(tmp_path):
    path, start = table(tmp_path / "x.csv")
    frame = pd.read_csv(path)
    frame["installs"] = frame["installs"] / 1000 + 0.5
    frame.to_csv(path, index=False)
    said = told(asked(path, start, read_as="measures"))
    assert "more units than expected" in said
    assert "a second" not in said.partition("quantity")[0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"outage_end": "2025-03-05T13:00Z"},
            "outage_end: given '2025-03-05T13:00Z', expected a moment after the start",
        ),
        ({"outage_start": "last week"}, "outage_start: given 'last week', expected a moment"),
        ({"exclude": "2025-01-01"}, "exclude: given '2025-01-01', expected windows in UTC"),
        ({"every": "1 month"}, "every: given '1 month', expected a step from 1min to 1W"),
        ({"read_as": "sorted"}, "read_as: given 'sorted', expected some of measures, totals, sort"),
        ({"valuecolumn": "x"}, "did you mean value_column?"),
    ],
)
def test_wrong_parameters_are_named_before_anything_runs(given, says):
    with pytest.raises(ParameterError) as error:
        params.check(NOTEBOOK, given)
    assert says in str(error.value)


def test_a_plain_day_as_the_end_is_all_of_it():
    given = {"outage_start": "2025-03-05", "outage_end": "2025-03-05", "exclude": "2025-02-01/2025-02-02"}
    asked = params.check(NOTEBOOK, given)
    assert (asked.outage_start, asked.outage_end) == ("2025-03-05T00:00Z", "2025-03-06T00:00Z")
    assert asked.exclude == ["2025-02-01T00:00Z/2025-02-03T00:00Z"]


def test_a_file_that_is_not_there_is_named_with_near_matches(tmp_path):
    (tmp_path / "signups.csv").write_text("time,signups\n")
    with pytest.raises(ParameterError, match=r"expected a file: there is none; did you mean signups\.csv\?"):
        report.plan(NOTEBOOK, {"source": str(tmp_path / "signup.csv")}, tmp_path)


def test_a_report_is_made_again_when_its_table_changes(tmp_path):
    path, start = table(tmp_path / "x.csv")
    given = asked(path, start).changed()
    before = report.plan(NOTEBOOK, given, tmp_path).fingerprint
    assert report.plan(NOTEBOOK, given, tmp_path).fingerprint == before
    path.write_text(path.read_text().replace("2025-01-06,", "2025-01-06,1"))
    assert report.plan(NOTEBOOK, given, tmp_path).fingerprint != before


def test_two_tables_of_one_name_have_reports_of_their_own(tmp_path):
    (tmp_path / "a").mkdir()
    places = []
    for folder in (tmp_path, tmp_path / "a"):
        path, start = table(folder / "x.csv")
        places.append(report.plan(NOTEBOOK, asked(path, start).changed(), tmp_path).slug)
    assert places[0] != places[1]
    assert all(place.startswith("x--2025-05-06--") for place in places)


@pytest.mark.usefixtures("without_kernel")
def test_a_broken_table_fails_with_row_and_value_and_leaves_the_earlier_report(tmp_path):
    path, start = table(tmp_path / "x.csv")
    path.write_text(path.read_text().replace("2025-02-03,", "2025-02-03,-"))
    with pytest.raises(report.ReportError) as error:
        report.render(NOTEBOOK, asked(path, start).changed(), out_dir=tmp_path / "out")
    message = str(error.value)
    assert "x.csv" in message
    assert "row 30" in message
    assert "'-" in message
    assert not list((tmp_path / "out" / NOTEBOOK).glob("*.html"))
