"""Notebook 05 on the simulated panel, held against its truth, and on tables that are awkward in one way each."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from IPython.core.interactiveshell import InteractiveShell
from panel_data import BEGIN, DAYS, GAINING, panel
from traitlets.config import Config

from helpers import chosen, declared, models, report, results
from helpers.charts.picture import Picture
from helpers.panel import question

NOTEBOOK = "05_who_gained"
SOURCE = report.NOTEBOOKS_DIR / f"{NOTEBOOK}.ipynb"
OUTAGE = f"{DAYS[BEGIN]:%Y-%m-%dT%H:%MZ}/{DAYS[BEGIN]:%Y-%m-%dT06:00Z}"


@pytest.fixture(scope="module")
def page(chosen_report) -> Path:
    return chosen_report("05")


@pytest.fixture(scope="module")
def record(page) -> results.Record:
    kept = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    return results.Record(**{name: kept[name] for name in results.Record.model_fields if name in kept})


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    path = Path(question.evidence_folder()) / "simulated" / "panel_daily_truth.json"
    return pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))["series"]).set_index("series")


def _text(page: Path) -> str:
    return " ".join(BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" ").split())


def _called(record: results.Record) -> dict[str, results.Estimate]:
    return {one.service: one for one in record.estimates if not one.service.startswith("all that")}


def test_most_intervals_of_called_series_hold_what_really_happened(record, truth):
    called = _called(record)
    assert len(called) == record.diagnostics["gained"] + record.diagnostics["lost"]
    real = truth["extra_realised_7_days"]
    held = [one.low <= real[name] <= one.high for name, one in called.items()]
    assert sum(held) >= len(held) - 1
    assert all(one.level == 0.95 and one.unit == "sign-ups" for one in called.values())


def test_who_is_called_did_change_and_by_the_right_sign(record, truth):
    called = _called(record)
    gained = [name for name, one in called.items() if one.median > 0]
    # Of nine called one may be false where a twentieth is allowed: two or more have a chance of 7%.
    assert sum(truth.loc[name, "kind"] not in ("gains", "loses") for name in called) <= 1
    assert all(truth.loc[name, "kind"] == "gains" for name in gained)
    large = truth[(truth["kind"] == "gains") & (truth["first_day_times"] >= 1.8)]
    assert set(large.index) <= set(gained)


def test_totals_hold_what_all_called_series_really_gained_and_lost(record, truth):
    whole = {one.service: one for one in record.estimates if one.service.startswith("all that")}
    for name, sign in (("all that gained", 1), ("all that lost", -1)):
        parts = [(service, one) for service, one in _called(record).items() if sign * one.median > 0]
        real = sum(truth.loc[service, "extra_realised_7_days"] for service, _ in parts)
        assert whole[name].low < real < whole[name].high
        # narrower than if all ends were added up, wider than the widest part
        widths = [one.high - one.low for _, one in parts]
        assert max(widths) < whole[name].high - whole[name].low < sum(widths)


def test_series_named_as_placebos_are_null_by_the_truth(record, truth):
    placebos = truth[truth.index.str.startswith("JP / ")]
    assert question.EXAMPLE_PLACEBOS == ("JP / *",)
    assert set(placebos["kind"]) == {"none"}
    assert record.diagnostics["placebos"] == len(placebos) == 6
    assert record.diagnostics["placebos_called"] == 0
    readme = (Path(question.evidence_folder()) / "simulated" / "README.md").read_text(encoding="utf-8")
    assert "all six series of JP unchanged" in readme


def test_failures_are_listed_with_their_reasons_and_the_others_go_on(page, record, truth):
    failed = truth.index[truth["kind"].isin(["too_short", "all_zero"])]
    assert record.diagnostics["failed"] == {"too_few_seasons": 1, "all_zero": 1}
    assert (record.diagnostics["series"], record.diagnostics["measured"], record.diagnostics["tested"]) == (60, 58, 52)
    text = _text(page)
    assert "2 of 60 series could not be measured" in text
    for name in failed:
        assert name in text
    assert "all 300 counts before the outage are zero" in text


def test_the_page_answers_first_and_says_loudly_that_it_is_simulated(page, record):
    text = _text(page)
    gained, lost = record.diagnostics["gained"], record.diagnostics["lost"]
    said = f"SIMULATED panel: of 52 series, {gained} gained sign-ups and {lost} lost some within 7 days of the start"
    assert record.headline.startswith(said)
    assert text.index(record.headline) < text.index("Called at 5% false discoveries")
    assert "nobody signed up anywhere" in text
    for said in ("no correction, p below 0.05", "however the series depend on each other", "One outage: who gained"):
        assert said in text


def run_cells(**given: object) -> tuple[str, list[Picture], results.Record]:
    """Run the notebook's cells here, without a kernel: the text they show, their figures, the record."""
    config = Config()
    config.HistoryManager.enabled = False
    shell, shown = InteractiveShell(config=config), []
    shell.user_ns["display"] = shown.append
    for cell in nbformat.read(SOURCE, as_version=4).cells:
        if cell.cell_type == "code":
            run = shell.run_cell(cell.source)
            run.raise_error()
            shown += [run.result] if run.result is not None else []
            if "parameters" in cell.metadata.get("tags", []):
                shell.user_ns.update(given)
    pictures = [one for one in shown if isinstance(one, Picture)]
    said = "\n".join(repr(one) for one in shown if not isinstance(one, Picture))
    return said, pictures, shown[-1].record


def _write(folder: Path, table: pd.DataFrame) -> str:
    path = folder / "table.csv"
    table.to_csv(path, index=False)
    return str(path)


def test_nothing_can_be_measured(tmp_path):
    late = OUTAGE.replace("2024", "2034")
    said, pictures, record = run_cells(source=_write(tmp_path, panel(3)), outages=[late])
    assert record.headline.startswith("None of 3 series could be tested")
    assert "3 of 3 series could not be measured: the outage lies outside the data (3)" in said
    assert "No series is called." in said
    assert pictures == [] == record.estimates
    assert record.diagnostics["failed"] == {"outside": 3}


def test_nothing_is_called_and_nothing_was_named_a_placebo(tmp_path):
    table = panel(9)
    quiet = table[table["series"].str[-3:].astype(int) % GAINING != 0]
    said, pictures, record = run_cells(source=_write(tmp_path, quiet), outages=[OUTAGE])
    assert record.headline.startswith("None of 6 series gained or lost sign-ups beyond chance")
    assert "nothing has checked across series" in said
    assert "nothing here has checked the calibration across series" in said
    assert record.estimates == []
    assert pictures[0].alt.partition(".")[0] == "None of 6 gained or lost beyond chance"
    assert len(pictures) == 3  # no winners, no small panels


def test_a_surge_that_begins_a_day_early_is_named_by_its_day(tmp_path):
    late = f"{DAYS[BEGIN + 1]:%Y-%m-%d}/{DAYS[BEGIN + 1]:%Y-%m-%d}"
    said, _, record = run_cells(source=_write(tmp_path, panel(2)), outages=[late])
    assert record.diagnostics["gained"] == 1
    assert "before the stated start: in country 000 from 5 May 2024, 00:00 UTC on" in said


def test_several_outages_of_a_wide_table_are_rows_of_their_own(tmp_path):
    wide = panel(6).pivot_table(index="time", columns="series", values="count").reset_index()
    earlier = OUTAGE.replace("2024-05-05", "2024-03-31")
    said, pictures, record = run_cells(
        source=_write(tmp_path, wide), read_as=["wide"], outages=[earlier, OUTAGE], placebos=["country 001"]
    )
    assert record.diagnostics["outages"] == 2
    assert record.diagnostics["tested"] == 10
    assert record.diagnostics["placebos"] == 2
    assert "country 000, 5 May 2024" in said
    assert "Of 10 measurements of a series after an outage" in record.headline
    assert "all that gained" in [one.service for one in record.estimates]
    assert len(pictures) == 4


def test_parameters_cell_declares_what_the_model_checks():
    declared.check_declared(SOURCE, models.NOTEBOOKS[NOTEBOOK])
    assert (NOTEBOOK, {}) in chosen.REPORTS
