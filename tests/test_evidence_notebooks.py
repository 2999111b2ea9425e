"""The notebooks about the evidence itself: what they answer, with odd parameters too, and their pages in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import papermill
import pytest
from bs4 import BeautifulSoup

from helpers import declared, models, report, results

HISTORY, FIGURES = "01_outage_history", "02_growth_figures"


def render(notebook: str, folder: Path, **given: object) -> Path:
    return report.render(notebook, given, out_dir=folder).job.place.file("html")


def text(page: Path) -> str:
    return " ".join(BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" ").split())


def record(page: Path) -> results.Record:
    kept = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    return results.Record.model_validate({n: v for n, v in kept.items() if n in results.Record.model_fields})


@pytest.fixture(scope="module")
def pages(chosen_report) -> dict[str, Path]:
    return {
        "history": chosen_report("01"),
        "telegram": chosen_report("02"),
        "line": chosen_report("02", service="line", outage_id="whatsapp-2014-02-22"),
    }


@pytest.mark.parametrize("notebook", [HISTORY, FIGURES])
def test_parameters_cell_declares_what_the_model_checks(notebook):
    declared.check_declared(report.NOTEBOOKS_DIR / f"{notebook}.ipynb", models.NOTEBOOKS[notebook])


def test_the_history_counts_predicts_and_scores_itself(pages):
    kept = record(pages["history"])
    number = {(e.service, e.quantity): e for e in kept.estimates}
    ahead = number["whatsapp", "outages_next_12_months"]
    assert ahead.low <= ahead.median <= ahead.high < 15
    assert number["whatsapp", "hours_down_next_12_months"].high > ahead.high
    change = number["whatsapp", "rate_change"]
    assert -0.5 < change.low < 0 < change.high < 0.5
    scores = {name: (score["held"], score["of"]) for name, score in kept.diagnostics.items()}
    assert set(scores) == {"outages, 80%", "outages, 95%", "hours down, 80%", "hours down, 95%"}
    assert all(0 < held <= of for held, of in scores.values())
    page = text(pages["history"])
    assert page.index(kept.headline) < page.index("What to expect in the 12 months that follow")
    for said in ("too few to tell", "not all incidents", "Hits and misses", "log-rank", "The misses"):
        assert said in page
    assert "whatsapp-2013-seven-incidents" in kept.evidence_ids


@pytest.mark.usefixtures("without_kernel")
@pytest.mark.parametrize("services", [[], ["whatsapp", "telegram"], ["spotify", "slack"]])
def test_every_count_of_the_history_is_the_same_or_says_why(pages, services, tmp_path):
    page = text(render(HISTORY, tmp_path, services=services) if services else pages["history"])
    number = r"(\d[\d,]*)"
    counts = re.findall(rf"{number} (?:published )?(?:outages|events)(?! of)\b", page)
    assert len(counts) >= 4
    assert len(set(counts)) == 1, counts
    total = int(counts[0])
    known, without = re.findall(rf"Of {total} outages, {number} have (?:a|no) published length", page)
    assert int(known) + int(without) == total
    causes = re.findall(rf", {number} with a published length", page)
    assert sum(map(int, causes)) in (0, int(known))
    rows = set(re.findall(rf"(?<!latest ){number} rows\b", page))
    assert len(rows) == 1, rows
    apart = re.search(rf"{number} of them have no date of their own and stand in 1 row", page)
    assert total - int(rows.pop()) == (int(apart[1]) - 1 if apart else 0)


@pytest.mark.parametrize("name", ["telegram", "line"])
def test_figures_of_one_event_are_counted_alike(pages, name):
    page = text(pages[name])
    told = re.search(r"(\d+) published figures?(?: \(and (\d+) that tells? one of them again\))?", page)
    compared = re.search(
        r"Sign-ups: The (?:(\d+) figures(?: and (\d+) more about the same days, told elsewhere,)?)", page
    )
    assert told
    assert compared
    assert int(compared[1]) == int(told[1])
    soup = BeautifulSoup(pages[name].read_text(encoding="utf-8"), "html.parser")
    table = next(one for one in soup("table") if "Every figure as a rate a day" in one.caption.get_text())
    assert len(table.tbody("tr")) == int(told[1]) + int(told[2] or 0)


@pytest.mark.usefixtures("without_kernel")
def test_the_history_of_2013_holds_seven_incidents(tmp_path):
    page = render(HISTORY, tmp_path, services=["whatsapp"], since="2013", until="2014")
    assert "7 published outages: WhatsApp 7 in 1.0 years" in text(page)


def test_figures_stand_against_their_usual_level(pages):
    line = text(pages["line"])
    assert "440,000 to 650,000 a day" in line
    assert "1.9 to 7.8 times the usual" in line
    telegram = text(pages["telegram"])
    assert "held for a day would be 8.64 million" in telegram
    assert "57 a second" in telegram
    assert "A retelling does not fit" in telegram
    kept = record(pages["telegram"])
    ratio = next(e for e in kept.estimates if e.quantity == "company_over_panel")
    assert 0.5 < ratio.low < ratio.median < ratio.high < 6
    assert "whatsapp-2014-02-22--telegram--9" in kept.evidence_ids


@pytest.mark.usefixtures("without_kernel")
@pytest.mark.parametrize(
    ("notebook", "given", "said"),
    [
        (HISTORY, {"services": ["signal"], "kinds": ["shutdown"]}, "The evidence holds no shutdown"),
        (HISTORY, {"services": ["line"], "until": "2016", "level": 0.8}, "1 published outage: Line 1"),
        (HISTORY, {"kinds": ["block", "policy_shock"]}, "events published since"),
        (FIGURES, {"outage_id": "facebook-2021-10-04", "per": "second"}, "at least 11 times as many"),
        (FIGURES, {"outage_id": "all"}, "sets of figures of one kind about one event"),
        (FIGURES, {"service": "mastodon", "outage_id": "all", "per": "hour"}, "figures about Mastodon can be put on"),
        (FIGURES, {"service": "discord", "outage_id": "all"}, "No published figure about Discord is a rate"),
    ],
)
def test_odd_questions_have_a_page_too(notebook, given, said, tmp_path):
    assert said in text(render(notebook, tmp_path, **given))


@pytest.mark.usefixtures("without_kernel")
def test_papermill_alone_gives_the_same_numbers(pages, tmp_path):
    out = tmp_path / "plain.ipynb"
    papermill.execute_notebook(report.NOTEBOOKS_DIR / f"{FIGURES}.ipynb", out, progress_bar=False)
    plain = results.read(nbformat.read(out, as_version=4))
    there = record(pages["telegram"])
    assert results.stable_json(plain.model_dump(mode="json")) == results.stable_json(there.model_dump(mode="json"))
