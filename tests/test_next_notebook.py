"""Notebook 07: the default, predicted without its own figures; what is far outside, impossible or nameless."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from helpers import declared, evidence, models, params, report, results
from helpers.pooled import kept
from helpers.scenario import outcome, predict, question, story

NOTEBOOK = "07_next_outage"
SOURCE = report.NOTEBOOKS_DIR / f"{NOTEBOOK}.ipynb"
DATA = evidence.ROOT / "data"


@pytest.fixture(scope="module")
def page(chosen_report) -> Path:
    return chosen_report("07")


@pytest.fixture(scope="module")
def record(page) -> results.Record:
    made = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    return results.Record.model_validate({n: v for n, v in made.items() if n in results.Record.model_fields})


@pytest.fixture(scope="module")
def text(page) -> str:
    return " ".join(BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" ").split())


@pytest.fixture(scope="module")
def known() -> evidence.Evidence:
    return evidence.load(DATA)


def ask(known, **given):
    asked = params.check(NOTEBOOK, given, known)
    found = question.scenario(known, DATA, asked)
    rng = np.random.default_rng(asked.seed)
    made = predict.predict(found, known, rng)
    return found, made, outcome.outcome(found, made, known, rng)


def said(known, **given) -> str:
    found, made, cost = ask(known, **given)
    names = known.services.set_index("service_id")["name"]
    return " ".join(story.answer(found, made, cost, names).paragraphs)


def test_the_page_answers_first_and_leaves_its_numbers(record, text):
    number = {(one.service, one.quantity): one for one in record.estimates}
    gain, peak = number["upscrolled", "extra_users"], number["upscrolled", "peak_rate"]
    assert 1e3 < gain.low < gain.median < gain.high <= 220e6
    assert 0 < peak.low < peak.high < 1e4
    assert text.index(record.headline) < text.index("Did it come out so?")
    for wanted in ("users_lost_for_good", "income_at_stake", "users_lost_next_12_months"):
        assert ("tiktok", wanted) in number
    # Whoever is lost for good joined a rival before.
    assert number["tiktok", "users_lost_for_good"].high < sum(
        one.high for one in record.estimates if one.quantity == "extra_users"
    )


def test_the_event_itself_is_not_in_the_rule(record, text):
    assert "tiktok-2026-01-25-us" not in record.evidence_ids
    assert record.diagnostics["events_left_out"] == 1
    assert "figures published later that can be set against it (UpScrolled)" in text


def test_its_own_figures_change_nothing_of_the_prediction(known):
    """A prediction that knew what it predicts would be worth nothing."""
    first, before, _ = ask(known)
    figures = known.growth_figures.copy()
    own = (figures["outage_id"] == "tiktok-2026-01-25-us") & figures["value"].notna() & (figures["unit"] == "users")
    assert own.sum() > 3
    figures.loc[own, "value"] = figures.loc[own, "value"] * 3
    other = evidence.Evidence(known.outages, figures, known.baselines, known.services, known.sources)
    second, after, _ = ask(other)
    assert first.rivals == second.rivals
    for one, two in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.extra, two.extra)


@pytest.mark.usefixtures("without_kernel")
@pytest.mark.parametrize(
    "given",
    [
        {"service": "whatsapp", "start": "2027-01-01T12:00Z", "duration_hours": 4.0, "users_affected": 2e9,
         "region": "world", "creators": 0.0},
        {"rivals": "telegram"},
    ],
    ids=["the README's, to come", "no figure of this rival"],
)  # fmt: skip
def test_an_outage_without_figures_of_the_rival_has_a_report(given, tmp_path):
    made = report.render(NOTEBOOK, given, out_dir=tmp_path).job.place.file("html")
    said = " ".join(BeautifulSoup(made.read_text(encoding="utf-8"), "html.parser").get_text(" ").split())
    assert "more people to join" in said
    assert "No figure was published later that counts people who came to these rivals." in said


def test_who_stays_is_not_taken_from_the_event_itself(known):
    found, _, cost = ask(known)
    assert "tiktok-2026-01-25-us" in found.unknown
    assert not set(cost.anchors["outage_id"]) & found.unknown
    later, _, whole = ask(known, start="2027-01-01T00:00Z")
    assert "tiktok-2026-01-25-us" not in later.unknown
    assert len(whole.anchors) > len(cost.anchors) > 3


def test_numbers_do_not_move_with_parameters_that_have_nothing_to_do_with_them(known):
    _, made, cost = ask(known)
    for given in ({"income_per_creator_hour": 0.0}, {"horizon_hours": 1.0}):
        _, other, less = ask(known, **given)
        np.testing.assert_array_equal(less.lost, cost.lost)
        np.testing.assert_array_equal(less.stay, cost.stay)
    assert (other[0].extra < made[0].extra).all()
    assert (cost.extra >= sum(one.extra for one in made) * (1 - 1e-9)).mean() > 0.95


def test_what_was_over_before_the_start_is_no_figure_of_the_event(known):
    _, made, _ = ask(known, service="whatsapp", start="2014-02-22T19:00Z", duration_hours=3.8, users_affected=450e6,
                     region="world", rivals=["telegram"])  # fmt: skip
    (one,) = made
    assert len(one.fitted.series.claims) >= 3
    assert all(claim.end > 0 for claim in one.fitted.series.claims)
    before = one.fitted.series.figures
    assert (before["window_end_utc"] <= pd.Timestamp("2014-02-22T19:00Z")).any()  # there is one to leave out


def test_no_more_can_earn_than_are_hit_and_nobody_loses_where_nothing_is_down(known):
    assert outcome.earning(ask(known, users_affected=1e6)[0].asked) == 1e6
    _, _, cost = ask(known, kind="policy_shock")
    assert cost.income is None
    assert "no hour of income is lost" in said(known, kind="policy_shock")


def test_a_service_is_not_taken_to_hit_those_of_its_group(known):
    assert outcome._people(known, "instagram") is None
    assert outcome._people(known, "whatsapp") == 2e9


def test_there_are_four_figures(page):
    assert len(BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find_all("img")) == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"users_affected": 8.2e9, "service": "whatsapp", "region": "world"}, "2.3 times the most of any event"),
        ({"users_affected": 1000.0}, "1000 times fewer than in any event"),
        ({"service": "github", "region": "world"}, "no event with a known gain is of this sector (developer)"),
        ({"service": "spotify", "region": "world"}, "the evidence names no rival"),
        ({"duration_hours": 5000.0}, "Longer than 7 days counts as that"),
        ({"duration_hours": 0.01}, "no event with a known gain was as short"),
    ],
)
def test_far_outside_answers_and_says_so(known, given, words):
    assert words in said(known, start="2027-01-01T12:00Z", **given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"users_affected": 9e9}, "expected a number of people from 1 to 8,200,000,000"),
        ({"duration_hours": 0.0}, "expected a number of hours above 0"),
        ({"service": "tiktk"}, "did you mean tiktok?"),
        ({"rivals": ["tiktok"]}, "expected services other than the one that fails"),
        ({"rivals": ["telegramm"]}, "did you mean telegram"),
        ({"region": "Atlantis"}, "expected world, or a place of the evidence"),
        ({"kind": "nothing_failed"}, "expected one of outage, block, shutdown, policy_shock"),
        ({"start": "yesterday"}, "expected a moment"),
        ({"creators": -1.0}, "expected a number of people, 0 or more"),
        ({"creators": 1e9, "users_affected": 1000.0}, "expected at most as many as people hit, 1,000"),
        ({"start": "2500-01-01"}, "expected a moment between the years 1900 and 2200"),
    ],
)
def test_what_is_impossible_is_refused_before_anything_runs(known, given, words):
    with pytest.raises(params.ParameterError, match="cannot be used") as refused:
        params.check(NOTEBOOK, given, known)
    assert words in str(refused.value)


def test_more_people_hit_send_more_and_never_more_than_were_hit(known):
    few, many = (
        ask(
            known,
            start="2027-01-01T12:00Z",
            users_affected=hit,
            rivals=["telegram"],
            service="whatsapp",
            region="world",
        )
        for hit in (1e6, 1e9)
    )
    assert np.median(many[1][0].extra) > 2 * np.median(few[1][0].extra)
    assert few[1][0].extra.max() <= 1e6


def test_a_rule_made_of_other_evidence_is_said(known):
    found, _, _ = ask(known)
    assert "make rule" not in " ".join(story.limits(found).paragraphs)
    stale = replace(found, kept=replace(found.kept, fresh=False))
    assert "make rule fits it again" in story.limits(stale).paragraphs[0]


def test_income_is_not_asked_without_creators(known):
    found, _, cost = ask(known, creators=0.0)
    assert cost.income is None
    assert found.asked.creators == 0


def test_a_year_takes_what_all_incidents_share_once(known):
    """Drawn anew for each incident, the share that stays away would average out."""
    rule = kept.load(DATA)
    rng = np.random.default_rng(1)
    away = np.array([0.0, 1.0])
    loss = outcome.Loss(rule, rule.known, 1e7, 1, np.resize(away, len(rule.told)))
    which = np.repeat(np.arange(40), 25)
    lost = loss(np.full(1000, 4.0), which, rng).reshape(40, 25)
    assert (lost[::2] == 0).all()
    assert (lost[1::2] > 0).all()


def test_words_are_taken_in_any_capitals(known):
    asked = params.check(NOTEBOOK, {"kind": "Outage", "region": "united states"}, known)
    assert (asked.kind, asked.region) == ("outage", "United States")


def test_parameters_cell_declares_what_the_model_checks():
    declared.check_declared(SOURCE, models.NOTEBOOKS[NOTEBOOK])
