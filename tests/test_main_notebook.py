"""The main notebook on real outages, the awkward ones too, by both ways of running it, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import papermill
import pytest
from bs4 import BeautifulSoup
from cells import here

from helpers import chosen, declared, models, report, results, words

NOTEBOOK = "03_adoption_after_outage"
SOURCE = report.NOTEBOOKS_DIR / f"{NOTEBOOK}.ipynb"

#: Outages that are awkward in one way each, and what the page must say about it.
AWKWARD = {
    "whatsapp-2020-07-14": "not evidence of no gain",  # no figure at all
    "tumblr-2018-12-17-adult-ban": "Nothing failed here",  # an event with no end, where nothing failed
    "telegram-2024-08-24-durov": "about the failing service itself",  # nothing about a rival
    "whatsapp-2015-12-17-brazil": "the rush before it counts",  # people left before it began
    "facebook-2021-10-04": "published without a number",  # "millions", ranks, claims that contradict each other
    "whatsapp-2017-08": "Only the month of its beginning is known",
}


def _render(outage_id: str, folder: Path, **given: object) -> Path:
    report.render(NOTEBOOK, {"outage_id": outage_id, **given}, out_dir=folder)
    (page,) = (folder / NOTEBOOK).glob(f"{outage_id}*.html")
    return page


@pytest.fixture(scope="module")
def main_report(chosen_report) -> Path:
    return chosen_report("03", outage_id="whatsapp-2014-02-22")


def _text(page: Path) -> str:
    return " ".join(BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" ").split())


def test_the_2014_report_answers_first_and_leaves_its_numbers(main_report):
    record = results.Record.model_validate(_record(main_report))
    number = {(e.service, e.quantity): e for e in record.estimates}
    telegram = number["telegram", "extra_users"]
    assert 2e6 < telegram.low < telegram.median < telegram.high < 4e7
    for quantity in ("peak_rate", "half_life", "baseline_rate", "extra_users_confounder", "gain_per_affected_user"):
        assert ("telegram", quantity) in number
    assert number["line", "extra_users"].median < telegram.median
    text = _text(main_report)
    assert text.index(record.headline) < text.index("The published figures, and what the curve makes of them")
    for published in ("about 100 users a second", "about 4.95 million users", "over 9 million users"):
        assert published in text
    assert "whatsapp-2014-02-22--telegram--5" in record.evidence_ids
    assert record.diagnostics["telegram signups"]["effective_draws"] >= 1000


def _record(page: Path) -> dict[str, object]:
    kept = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    fields = results.Record.model_fields
    return {name: value for name, value in kept.items() if name in fields}


def test_figures_are_described_with_their_numbers(main_report):
    images = BeautifulSoup(main_report.read_text(encoding="utf-8"), "html.parser").find_all("img")
    assert len(images) >= 4
    number = {(e.service, e.quantity): e for e in results.Record.model_validate(_record(main_report)).estimates}
    gain = number["telegram", "extra_users"]
    assert any(words.interval(gain.low, gain.high) in image["alt"] for image in images)


@pytest.mark.usefixtures("without_kernel")
@pytest.mark.parametrize("outage_id", AWKWARD)
def test_awkward_outages_have_a_report_too(outage_id, tmp_path, chosen_report):
    one_of_many = (NOTEBOOK, {"outage_id": outage_id}) in chosen.REPORTS
    page = chosen_report("03", outage_id=outage_id) if one_of_many else _render(outage_id, tmp_path)
    assert AWKWARD[outage_id] in _text(page)


def test_papermill_alone_gives_the_same_numbers(tmp_path):
    asked = {"outage_id": "facebook-2019-03-13", "rivals": ["telegram"], "horizon_hours": 48.0}
    with here():
        page = _render(**asked, folder=tmp_path)
    out = tmp_path / "plain.ipynb"
    papermill.execute_notebook(SOURCE, out, parameters=asked, progress_bar=False)
    plain = results.read(nbformat.read(out, as_version=4))
    assert json.loads(results.stable_json(plain.model_dump(mode="json"))) == _record(page)


@pytest.mark.usefixtures("without_kernel")
def test_papermill_alone_refuses_wrong_parameters_too(tmp_path):
    with pytest.raises(papermill.PapermillExecutionError, match=r"did you mean 0\.95"):
        papermill.execute_notebook(SOURCE, tmp_path / "x.ipynb", parameters={"level": 95}, progress_bar=False)


@pytest.mark.usefixtures("without_kernel")
def test_a_given_usual_level_changes_the_answer(tmp_path):
    page = _render(
        "facebook-2019-03-13", tmp_path, rivals=["telegram"], baseline_per_day={"telegram": 1_000_000.0}, level=0.8
    )
    kept = _record(page)
    usual = next(e for e in kept["estimates"] if e["quantity"] == "baseline_rate")
    assert usual["median"] == pytest.approx(1e6, rel=0.1)
    assert usual["level"] == 0.8


def test_parameters_cell_declares_what_the_model_checks():
    declared.check_declared(SOURCE, models.NOTEBOOKS[NOTEBOOK])
