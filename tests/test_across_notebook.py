"""Notebook 06 on the whole evidence, run once: what it answers, what it leaves behind, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from helpers import chosen, declared, evidence, models, params, report, results
from helpers.charts.pooled_names import LONGEST
from helpers.charts.range_axes import Range
from helpers.pooled import events, kept, left_out, selection, story, view
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


def test_the_page_answers_first_and_with_its_own_numbers(record, in_rule, text):
    """The headline is the interval of the record, in the page before anything else."""
    hit = _ratio(record, "affected")
    assert 0.5 < hit.low < hit.median < hit.high < 30
    outages = sum(event.kind == "outage" for event in in_rule)
    known_hit = sum(not np.isnan(event.affected) for event in in_rule)
    assert 1 < outages < known_hit < len(in_rule)
    said = f"Over {len(in_rule)} events, of which {outages} are outages and {known_hit} have a published number of "
    said += f"people hit, ten times as many people hit went with {story.times(hit.low, hit.high)} the gain of a rival"
    said += " (95% interval)"
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


def test_intervals_of_events_left_out_hold_about_as_often_as_they_say(record):
    """Of fifty events, 80% intervals hold in 70 to 90% and 95% intervals in 88% or more."""
    inside = {share: held / count for share, (held, count) in record.diagnostics["covered"].items()}
    assert {count for _, count in record.diagnostics["covered"].values()} == {len(record.evidence_ids)}
    assert 0.7 <= inside["80%"] <= 0.9
    assert 0.88 <= inside["95%"] <= 1.0
    assert 0.3 <= inside["50%"] <= 0.7


def test_a_lead_over_simple_rules_is_told_with_its_standard_error(record, text):
    """Better without a reserve only beyond two standard errors; the record has both numbers."""
    scores = dict(record.diagnostics["log_score"])
    own, leads = scores.pop("this rule"), record.diagnostics["log_score_lead"]
    assert set(scores) == set(leads) == set(RIVAL_RULES) - {"this rule"}
    for name, (ahead, error) in leads.items():
        assert ahead == pytest.approx(own - scores[name])
        assert 0.005 < error < 1
        said = f"better by {ahead:.2f} (standard error {error:.2f})"
        if ahead <= 2 * error:
            said = f"a little better, by {ahead:.2f} (standard error {error:.2f}), which could be chance"
        assert f"beside “{name}” (−{-scores[name]:.2f}) that is {said}" in text
    assert "better than both" not in text
    assert "as uncertain as they were published, not for the true gain" in text


def test_the_standard_error_is_that_of_the_paired_differences():
    """Scores of two rules for one event go together: what differs is what counts, whatever the order of the rows."""
    own = pd.DataFrame({"outage_id": ["a", "b", "c", "d"], "score": [-1.0, -9.0, -3.0, -4.0]})
    other = pd.DataFrame({"outage_id": ["d", "c", "b", "a"], "score": [-4.2, -3.1, -9.3, -1.0]})
    tests = {name: left_out.LeftOut(rows, rows) for name, rows in (("this rule", own), ("other", other))}
    (one,) = view.leads(SimpleNamespace(tests=tests))
    assert one.ahead == pytest.approx(np.mean([0.0, 0.3, 0.1, 0.2]))
    assert one.error == pytest.approx(np.std([0.0, 0.3, 0.1, 0.2], ddof=1) / 2)
    assert one.clear
    assert one.score == other["score"].mean()


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0.08, "that is a little better, by 0.08 (standard error 0.05), which could be chance"),
        (0.11, "that is better by 0.11 (standard error 0.05)"),
        (-0.02, "that is not better, the difference is −0.02 (standard error 0.05)"),
    ],
)
def test_better_is_said_only_as_far_as_it_is(ahead, said):
    assert story.lead(view.Lead("other", -4.0, ahead, 0.05)) == f"beside “other” (−4.00) {said}"


def test_events_are_not_called_outages(soup, text, in_rule):
    """A handful of them are: what is left out, predicted and counted are events."""
    alts = " ".join(image["alt"] for image in soup.find_all("img"))
    for wrong in (
        "other outages",
        "Each outage",
        f"{len(in_rule)} outages",
        "best known rival",
        "interval of its mean",
    ):
        assert wrong not in text
        assert wrong not in alts
    assert f"of {len(in_rule)} events lie where the rule expects them" in alts
    assert f"of {len(in_rule)} events needed a fit of their own" in text


def test_names_are_whole_in_tables_and_for_who_cannot_see(soup, in_rule):
    cells = [cell.get_text(" ", strip=True) for cell in soup.select("table td")]
    alts = [image["alt"] for image in soup.find_all("img")]
    assert [words for words in [*cells, *alts] if "…" in words or "..." in words] == []
    long = {event.label for event in in_rule if len(event.label) > LONGEST}
    assert long
    shown = {" ".join(cell.split()) for cell in cells}
    assert long <= shown


def test_every_gain_links_a_page_that_can_be_opened(page, soup, known, in_rule):
    """Whoever doubts a gain opens where it is from; links to other events' pages would not do."""
    (table,) = [one for one in soup.find_all("table") if "fit of that event alone" in one.caption.get_text()]
    rows = table.select("tbody tr")
    assert len(rows) >= len(in_rule)
    by_url = known.sources.set_index("url")["source_id"]
    figures, outages = known.growth_figures, known.outages
    linked = 0
    for row in rows:
        cells = row.find_all("td")
        label = " ".join(cells[0].get_text(" ", strip=True).split())
        ids = [event.outage_id for event in in_rule if event.label == label]
        used = [*figures.loc[figures["outage_id"].isin(ids), "source_ids"]]
        used += [*outages.loc[outages["outage_id"].isin(ids), "source_ids"]]
        behind = {one for cell in used for one in cell.split(";")}
        for link in row.find_all("a"):
            assert link["href"].startswith("http")
            assert behind & {*np.atleast_1d(by_url.loc[link["href"]])}
            linked += 1
    assert linked == len(rows)
    assert page.stat().st_size < 600_000


def test_without_an_outage_nothing_is_compared_with_one():
    """What is said of attention depends on which kinds were asked for."""
    for kind, said in (("outage", "Something was out of use in every event"), ("nothing_failed", "No outage is among")):
        asked_for = SimpleNamespace(table=SimpleNamespace(events=[SimpleNamespace(kind=kind)]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(story, "by_name", lambda pool, level: {})
            (only,) = story.attention(asked_for, 0.95).paragraphs
        assert said in only
    cells = json.loads(SOURCE.read_text(encoding="utf-8"))["cells"]
    words = " ".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "What rivals gained then" not in words
    assert "has a prior and the others have none" not in words


def test_gains_per_user_hour_are_medians_and_differ_only_where_intervals_do():
    apart = [Range("a", (1.0, 2.0, 3.0, 4.0, 5.0)), Range("b", (10.0, 20.0, 30.0, 40.0, 50.0))]
    assert story.forest_title(apart).endswith("medians from 3 to 30, no constant rate")
    assert story.forest_title([apart[0], Range("b", (4.0, 5.0, 6.0, 7.0, 8.0))]).endswith("medians from 3 to 6")


def test_half_lives_beyond_a_week_are_said_to_be_soft():
    """The single fits do not reach there: a narrow interval must not pass for knowledge."""
    pool = SimpleNamespace(table=SimpleNamespace(gains=[1, 2]))
    for high, soft in ((150.0, False), (200.0, True)):
        below = story.halves_below(pool, [Range("news (2 events)", (90.0, 95.0, 100.0, 120.0, high))], 0.95)
        assert ("only the order of magnitude is known" in below) == soft


def test_readme_says_what_the_report_says_and_where_everything_is(record):
    """A number that moves, or a folder that nobody lists, makes the first page wrong."""
    readme = (evidence.ROOT / "README.md").read_text(encoding="utf-8")
    flat = " ".join(readme.split())
    assert record.headline.rstrip(".") in flat
    for ahead, error in record.diagnostics["log_score_lead"].values():
        assert f"{ahead:.2f} (standard error {error:.2f})" in flat
    where = readme[readme.index("## Where things are") :]
    helpers = Path(story.__file__).parents[1]
    folders = [one.name for one in helpers.iterdir() if one.is_dir() and not one.name.startswith("_")]
    assert [name for name in folders if f"{name}/" not in where] == []
    assert [one.stem for one in report.NOTEBOOKS_DIR.glob("0*.ipynb") if one.stem not in where] == []


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
        "In 10 events nothing failed (advice of a minister",
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


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (["outage", "block", "policy_shock"], "1 of them outages: the rule for outages leans on blocks and news"),
        (["outage"], "1 of them outages."),
        (["block", "nothing_failed"], "0 of them outages."),
    ],
)
def test_what_the_rule_leans_on_is_what_was_asked_for(kinds, said):
    asked_for = [SimpleNamespace(kind=kind, affected=1e6) for kind in kinds]
    assert said in story.limits(SimpleNamespace(table=SimpleNamespace(events=asked_for, gains=[]))).paragraphs[0]
