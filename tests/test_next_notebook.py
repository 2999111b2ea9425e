"""Notebook 07: the default, predicted without its own figures; what is far outside, impossible or nameless."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from helpers import curve as curves
from helpers import declared, evidence, models, params, report, results, words
from helpers.pooled import kept
from helpers.pooled.design import CONTRACT
from helpers.scenario import basis, outcome, predict, question, story

NOTEBOOK = "07_next_outage"
SOURCE = report.NOTEBOOKS_DIR / f"{NOTEBOOK}.ipynb"
ROOT = evidence.ROOT
DATA = ROOT / "data"


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
    assert record.diagnostics["events_left_out"] == 2  # the change of the owner three days before goes with it
    assert "figures published later that can be set against it (UpScrolled and Skylight)" in text


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
         "region": "world"},
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
        ({"users_affected": 8.2e9, "service": "whatsapp", "duration_hours": 4.0}, "2.3 times the most of any event"),
        ({"users_affected": 700.0}, "1000 times fewer than in any event"),
        ({"service": "github", "duration_hours": 4.0}, "no event with a known gain is of this sector (developer)"),
        ({"outage_id": "tsb-2018-04-20-uk", "duration_hours": 48.0}, "the evidence names no rival"),
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
        ({"outage_id": "optus-2023-11-08"}, "did you mean optus-2023-11-08-australia?"),
        ({"outage_id": "optus-2023-11-08-australia", "service": "tiktok"}, "service: given 'tiktok', expected optus"),
        ({"outage_id": "tiktok-2026-01-25-us", "service": "whatsapp"}, "leave outage_id empty, or name one of its"),
        ({"outage_id": ""}, "service: not given"),
        ({"outage_id": "tsb-2018-04-20-uk"}, "duration_hours: not given"),
        ({"service": "whatsapp", "start": "2027-01-01"}, "duration_hours: not given"),
        ({"service": "whatsapp"}, "no length of whatsapp-2025-04-12, the latest event of WhatsApp"),
        ({"service": "upscrolled", "duration_hours": 1.0}, "start: not given"),
        ({"service": "optus", "creators": 10.0}, "income_per_creator_hour: not given"),
        ({"service": "optus", "rivals": ["optus"]}, "expected services other than the one that fails"),
        ({"users_affected": "many"}, "expected a number of people from 1"),
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
            duration_hours=182.0,
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


OPTUS = {"service": "optus", "start": "2023-11-07T17:05Z"}


@pytest.mark.parametrize("given", [OPTUS, {"service": "Optus"}, {"outage_id": "optus-2023-11-08-australia"}])
def test_an_event_of_the_evidence_is_taken_by_its_own_row(known, given):
    found, made, cost = ask(known, **given)
    asked = found.asked
    assert found.event.outage_id == "optus-2023-11-08-australia"
    assert (asked.service, asked.kind, asked.region) == ("optus", "outage", "Australia")
    assert (asked.users_affected, asked.duration_hours) == (10e6, 11.92)
    assert asked.start == pd.Timestamp("2023-11-07T17:05Z")
    assert [one.rival_id for one in made] == ["telstra"]  # named after this very event
    assert max(one.total.max() for one in made) <= 10e6
    assert cost.income is None


def test_the_page_leads_with_what_to_provide_for_and_when(known):
    found, made, cost = ask(known, outage_id="tiktok-2026-01-25-us")
    names = known.services.set_index("service_id")["name"]
    lead, more, *_ = story.answer(found, made, cost, names).paragraphs
    first = made[0]
    rate = words.rate(float(np.quantile(first.peak, 0.95)))
    assert f"provide for {rate.replace(' a ', ' sign-ups a ', 1)} at {first.rival}, usual ones included" in lead
    early, late = np.quantile(first.peak_hour, [0.025, 0.975])
    assert f"The peak comes {words.duration_interval(early, late)} after the start" in lead
    hours = np.arange(0.0, 60.0, 0.25)
    rate = curves.rate(first.fitted.made, hours)
    assert np.median(np.abs(hours[rate.argmax(axis=1)] - first.peak_hour)) < 0.26
    assert "more people to join UpScrolled within a week" in more
    assert story.BOUND not in more


def test_who_has_a_contract_to_move_gains_fewer(known):
    """Telstra against the same rival, were it a messenger: the sector decides, and the page says why."""
    found, (one,), cost = ask(known, **OPTUS)
    services = known.services.copy()
    services.loc[services["service_id"] == "telstra", "sector"] = "messaging"
    _, (free,), _ = ask(replace(known, services=services), **OPTUS)
    assert np.median(one.extra) < np.median(free.extra) / 5
    draws = found.kept.draws[:, kept.NAMES.index("contract")]
    shift = np.log(np.median(free.total) / np.median(one.total))
    assert shift == pytest.approx(-np.median(draws), abs=1.0)
    names = known.services.set_index("service_id")["name"]
    assert story.BOUND in story.answer(found, [one], cost, names).paragraphs[1]


def test_who_has_no_published_level_is_as_large_as_rivals_of_its_kind(known):
    """A carrier wins no messenger's thousands of people a minute; where the rule has none of its kind, all count."""
    found, (one,), _ = ask(known, **OPTUS)
    assert not one.usual_known
    bound = [gain for gain in found.kept.gains if gain.sector in CONTRACT]
    sizes = np.exp([float((gain.weight * gain.middle[:, 1]).sum()) for gain in bound])
    usual = one.fitted.made.baseline * 24
    assert np.median(usual) == pytest.approx(np.exp(np.log(sizes).mean()), rel=0.1)
    free = [gain for gain in found.kept.gains if gain.sector not in CONTRACT]
    (other,) = predict.predict(replace(found, kept=replace(found.kept, gains=free)), known, np.random.default_rng(1))
    assert np.median(other.fitted.made.baseline) > 2 * np.median(one.fitted.made.baseline)


def test_hard_switching_is_what_the_bench_has_measured():
    """TSB 2018: more than all who left in the quarter; Optus 2023: more than Telstra can have won."""
    table = pd.read_csv(ROOT / "bench" / "hard_switching.csv").set_index(["outage_id", "code"])["probability"]
    for outage_id in ("tsb-2018-04-20-uk", "optus-2023-11-08-australia"):
        assert table[outage_id, "after"] < 0.3 < 0.6 < table[outage_id, "before"]


def test_what_the_reader_gives_counts_instead_and_is_said(known):
    given = {"users_affected": 5e6, "region": "world", "duration_hours": 3.0}
    found, _, _ = ask(known, **OPTUS, **given)
    assert {name: getattr(found.asked, name) for name in given} == given
    names = known.services.set_index("service_id")["name"]
    assert "Given instead: 3 hours long, 5 million people hit and place: world." in str(
        basis.basis(found, known, names)
    )


def test_nothing_of_the_default_event_reaches_another_service(known):
    """Every column of its row is changed; no scenario of another service changes with it."""
    outages = known.outages.copy()
    own = outages["outage_id"] == "tiktok-2026-01-25-us"
    outages.loc[own, ["affected_users", "duration_hours", "scope"]] = [1000, 100.0, "Japan"]
    other = evidence.Evidence(outages, known.growth_figures, known.baselines, known.services, known.sources)
    for given in (OPTUS, {"service": "whatsapp", "start": "2027-01-01T12:00Z", "duration_hours": 4.0}):
        one, two = ask(known, **given)[0].asked, ask(other, **given)[0].asked
        assert (one.duration_hours, one.region, one.creators) == (two.duration_hours, two.region, 0.0)
        np.testing.assert_equal(one.users_affected, two.users_affected)
    assert ask(other)[0].asked.users_affected == 1000


@pytest.mark.parametrize(
    "given",
    [
        {"service": "whatsapp", "start": "2027-01-01T12:00Z", "duration_hours": 4.0},
        {"outage_id": "whatsapp-2025-02-28"},
    ],
    ids=["to come", "reports are no people"],
)
def test_unknown_people_hit_widen_and_are_said(known, given):
    given = given | {"rivals": ["telegram"]}
    found, (one,), _ = ask(known, **given)
    middle = float(np.exp(found.known.people[0])) * 1e7
    _, (sure,), _ = ask(known, **given, users_affected=middle)
    assert np.log(one.extra).std() > 1.05 * np.log(sure.extra).std()
    assert sure.total.max() == pytest.approx(middle) or sure.total.max() < middle
    assert "an unknown number of people are hit" in said(known, **given)
    names = known.services.set_index("service_id")["name"]
    text = str(basis.basis(found, known, names))
    assert "How many people it hits is not known" in text
    assert "give -p users_affected N" in text
    assert "than were hit" not in str(story.limits(found))


def test_users_lost_for_each_hour_are_the_draws_over_the_hours(known):
    found, made, cost = ask(known, **OPTUS)
    record = story.record(found, made, cost, [], known.services.set_index("service_id")["name"], "")
    number = {(one.service, one.quantity): one for one in record.estimates}
    for service, people in (("telstra", made[0].total), ("optus", cost.extra)):
        low, median, high = np.quantile(people / 11.92, [0.025, 0.5, 0.975])
        one = number[service, "users_lost_per_hour"]
        assert (one.low, one.median, one.high, one.unit) == pytest.approx((low, median, high, one.unit))
        assert one.unit == "users/h"
    low, high = basis.exponent_of_hours(found)
    assert low < 0 < high  # whether longer outages send more, the figures cannot tell
    assert f"{low:.2g} to {high:.2g}".replace("-", "\N{MINUS SIGN}") in str(basis.per_hour(found, made, cost))


def test_where_nothing_is_down_there_is_no_hour(known):
    found, made, cost = ask(known, outage_id="uber-2017-01-28")
    record = story.record(found, made, cost, [], known.services.set_index("service_id")["name"], "")
    assert not [one for one in record.estimates if one.quantity == "users_lost_per_hour"]
    assert "no hour of downtime" in str(basis.hours_table(found, made, cost))
    assert "hour of downtime" not in said(known, outage_id="uber-2017-01-28")


def test_a_block_without_an_end_and_a_shock_in_which_nothing_failed(known):
    block, _, _ = ask(known, outage_id="tiktok-2020-06-29-india")
    assert block.asked.endless
    assert "TikTok is blocked from 29 June 2020 on" in said(known, outage_id="tiktok-2020-06-29-india")
    assert ask(known, outage_id="spotify-2022-01-26-rogan")[0].event.kind == "nothing_failed"


def test_checked_again_parameters_stay_as_they_are(known):
    """Papermill hands the notebook what was checked, and the notebook checks it again."""
    for given in ({}, OPTUS, {"service": "github", "start": "2027-01-01", "duration_hours": 1.0}):
        asked = params.check(NOTEBOOK, given, known)
        assert params.check(NOTEBOOK, asked.model_dump(), known) == asked


def test_parameters_cell_declares_what_the_model_checks():
    declared.check_declared(SOURCE, models.NOTEBOOKS[NOTEBOOK])
