"""Notebook 06 on the whole evidence, run once: what it answers, what it leaves behind, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bs4 import BeautifulSoup

from helpers import chosen, declared, evidence, models, params, report, results
from helpers.charts.range_axes import Range
from helpers.pooled import events, kept, selection, story
from helpers.pooled.events import Event
from helpers.pooled.question import RIVAL_RULES

NOTEBOOK = "06_across_outages"
SOURCE = report.NOTEBOOKS_DIR / f"{NOTEBOOK}.ipynb"


@pytest.fixture(scope="module")
def page(chosen_report) -> Path:
    """The default report; a warning in any cell would have stopped it."""
    return chosen_report("06")


@pytest.fixture(scope="module")
def record(page) -> results.Record:
    made = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    return results.Record.model_validate({n: v for n, v in made.items() if n in results.Record.model_fields})


@pytest.fixture(scope="module")
def known() -> evidence.Evidence:
    return evidence.load(evidence.ROOT / "data")


@pytest.fixture(scope="module")
def in_rule(known, record) -> list[Event]:
    """The events that made the rule."""
    return [event for event in events.all_events(known) if event.outage_id in record.evidence_ids]


@pytest.fixture(scope="module")
def soup(page) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def text(soup) -> str:
    return " ".join(soup.get_text(" ").split())


def _ratio(record: results.Record, name: str) -> results.Estimate:
    return next(one for one in record.estimates if one.quantity == f"gain_ratio_{name}")


def test_the_page_answers_first_and_with_its_own_numbers(record, text):
    """The headline is the interval of the record, in the page before anything else."""
    hit = _ratio(record, "affected")
    assert 0.5 < hit.low < hit.median < hit.high < 30
    said = f"Over {len(record.evidence_ids)} events, ten times as many people hit went with "
    said += f"{story.times(hit.low, hit.high)} the gain of a rival (95% interval)"
    assert record.headline.startswith(said)
    assert ("cannot even tell" in record.headline) == (hit.low <= 1)
    assert text.index(record.headline) < text.index("One outage is an anecdote")
    for name in ("hours", "usual"):
        assert story.times(_ratio(record, name).low, _ratio(record, name).high) in text


def test_every_coefficient_is_left_behind_with_its_interval(record):
    """Other programs read the record: a ratio each, in order, of all kinds that occur."""
    names = {one.quantity.removeprefix("gain_ratio_") for one in record.estimates}
    assert {"affected", "hours", "usual", "earlier", "policy_shock", "nothing_failed", "block", "shutdown"} <= names
    for one in record.estimates:
        assert 0 < one.low < one.median < one.high
        assert (one.service, one.unit, one.level) == ("all", "times", 0.95)
    assert record.diagnostics["effective_draws"] >= 1000
    assert record.diagnostics["pareto_tail"] < 0.7


def test_the_committed_rule_is_that_of_the_report(record):
    """Reports of single outages use data/derived: it must say what this report says (make rule fits it again)."""
    draws = kept.load(evidence.ROOT / "data").draws[:, kept.NAMES.index("affected")]
    hit = _ratio(record, "affected")
    found = np.quantile(10**draws, [0.025, 0.5, 0.975])
    assert np.log(found) == pytest.approx(np.log([hit.low, hit.median, hit.high]), abs=0.12)


def test_intervals_of_outages_left_out_hold_about_as_often_as_they_say(record):
    """Of fifty outages, 80% intervals hold in 70 to 90% and 95% intervals in 88% or more."""
    inside = {share: held / count for share, (held, count) in record.diagnostics["covered"].items()}
    assert {count for _, count in record.diagnostics["covered"].values()} == {len(record.evidence_ids)}
    assert 0.7 <= inside["80%"] <= 0.9
    assert 0.88 <= inside["95%"] <= 1.0
    assert 0.3 <= inside["50%"] <= 0.7


def test_the_rule_predicts_better_than_both_simple_ones_and_says_so(record, text):
    scores = dict(record.diagnostics["log_score"])
    own = scores.pop("this rule")
    assert set(scores) == set(RIVAL_RULES) - {"this rule"}
    assert own > max(scores.values())
    assert "better than both simple rules" in text
    assert "not better than a simple rule" not in text


def test_every_event_of_the_rule_is_in_the_figures_for_who_cannot_see_them(soup, in_rule):
    """The dose figure and that of predictions name each event; a number without its event tells nothing."""
    alts = [image["alt"] for image in soup.find_all("img")]
    assert len(alts) == 4
    assert all(len(alt) > 60 for alt in alts)
    (dose,) = [alt for alt in alts if "both on logarithmic scales" in alt]
    (predicted,) = [alt for alt in alts if "its figures say" in alt]
    labels = {event.label for event in in_rule}
    assert len(labels) >= 45
    for label in labels:
        assert f"{label}: " in dose
        assert f"{label}: " in predicted
    unknown = sum(np.isnan(event.affected) for event in in_rule)
    assert dose.count("people hit not published") == unknown > 0


def test_what_did_not_enter_is_told_with_its_reason(text, known, record):
    for why in ("counts visits, not people who came", "a group, and its members are counted by themselves"):
        assert why in text
    silent = [event for event in events.all_events(known) if event.silent and event.kind == "outage"]
    outages = [event for event in events.all_events(known) if event.kind == "outage"]
    assert f"After {len(silent)} of {len(outages)} outages nobody published that a rival gained" in text
    assert not {event.outage_id for event in silent} & set(record.evidence_ids)


def test_the_page_says_what_it_cannot_tell(text):
    for said in (
        "In 6 events nothing failed (advice of a minister",
        "Nothing here is an experiment",
        "it says how much the effect could matter",
        "What the evidence cannot tell",
    ):
        assert said in text
    assert "nan" not in text.lower().split()


def test_parameters_cell_declares_what_the_model_checks():
    declared.check_declared(SOURCE, models.NOTEBOOKS[NOTEBOOK])
    assert (NOTEBOOK, {}) in chosen.REPORTS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kinds": "outtage"}, "kinds: given 'outtage', expected some of outage, block, shutdown, policy_shock"),
        ({"kinds": "nothing-failed"}, "expected some of outage, block, shutdown, policy_shock, nothing_failed"),
        ({"sectors": ["mesaging"]}, "sectors: given ['mesaging'], expected some of messaging, social"),
        ({"exclude": "whatsap-2014-02-22"}, "exclude: given 'whatsap-2014-02-22', expected an outage_id"),
        ({"exclude": ["facebook-2021-10-04", "whatsap-2014-02-22"]}, "did you mean whatsapp-2014-02-22"),
        ({"exclude": "telegram"}, "outages of Telegram: telegram-"),
        ({"exclude": 3}, "exclude: given 3, expected outage_ids of data/outages.csv"),
        ({"outage_id": "whatsapp-2014-02-22"}, "no such parameter"),
        ({"level": 95}, "did you mean 0.95"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_could_be(known, given, said):
    """Before anything is fitted: nobody waits a minute to learn of a slip."""
    with pytest.raises(params.ParameterError) as caught:
        params.check(NOTEBOOK, given, known)
    assert said in str(caught.value)


def test_names_are_read_as_typed_and_once(known):
    typed = {"kinds": "outage,block", "sectors": "messaging", "exclude": "WHATSAPP-2014-02-22,whatsapp-2014-02-22"}
    asked = params.check("06", typed, known)
    assert asked.kinds == ["outage", "block"]
    assert asked.sectors == ["messaging"]
    assert asked.exclude == ["whatsapp-2014-02-22"]
    assert asked.subject() == "outage-block--messaging"
    assert params.check("06", asked.model_dump(), known) == asked
    assert params.check("06", {}, known).subject() == "all"


def test_silence_about_blocks_is_not_denied_where_no_outage_was_asked_for():
    asked_for = SimpleNamespace(bounds=[selection.Bound("block", 35, 20)])
    assert "Every event asked for has a published gain" not in story.selected(asked_for, 0.95)


def test_half_lives_of_one_kind_are_not_compared():
    assert "by kind" not in story.halves_title([Range("outages (9 events)", (20.0, 40.0, 55.0, 90.0, 198.0))])


def test_half_lives_are_compared_as_far_as_their_intervals_allow():
    """A title that claims more than the intervals show is what a reader remembers."""
    outages = Range("outages (9 events)", (20.0, 40.0, 55.0, 90.0, 198.0))
    for news, said in (
        ((210.0, 240.0, 260.0, 300.0, 340.0), "The surge after news lasts longer"),
        ((90.0, 150.0, 180.0, 300.0, 340.0), "but the intervals overlap"),
        ((10.0, 30.0, 50.0, 90.0, 340.0), "hardly differs"),
    ):
        assert said in story.halves_title([outages, Range("news (20 events)", news)])
