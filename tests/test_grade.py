"""Grades by stated rules, two readings where counts contradict each other, and what the page and the record say."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers import case, claimed, evidence, fit, recorded, story
from helpers.case import Series
from helpers.claims import Claim
from helpers.grade import Grade, grade
from helpers.likelihood import Shock
from helpers.pooled import informed, kept
from helpers.readings import contradiction

DATA = evidence.ROOT / "data"


@pytest.fixture(scope="module")
def known():
    return evidence.load()


@pytest.mark.parametrize(
    ("headline", "together", "figures", "doubtful", "contradicted", "name"),
    [
        (1.2, 2.9, 3, 0, False, "solid"),
        (1.2, 3.1, 3, 0, False, "rough"),
        (1.2, 2.0, 1, 0, False, "rough"),  # nobody else counted
        (1.2, 2.0, 3, 1, False, "rough"),
        (9.9, 50.0, 2, 0, False, "rough"),
        (10.1, 50.0, 2, 0, False, "cannot tell"),
        (np.inf, 50.0, 2, 0, False, "cannot tell"),
        (1.2, 2.0, 3, 0, True, "cannot tell"),
    ],
)
def test_grades(headline, together, figures, doubtful, contradicted, name):
    graded = grade(headline, together, figures, doubtful, contradicted)
    assert graded.name == name
    assert graded.why


def one(value, who, quantity="signups", *, service="x", start=0.0, end=24.0, scope="world", usual=1e5):
    """A fit of one claim, as far as it is asked: the claim, its usual level, and where it counts."""
    made = Claim(
        who, "increment", 0.98 * value, 1.02 * value, "none", start, end, (0.0, 0.0), 0.15, claimant=who, bias=0.3
    )
    level = Claim("level", "baseline", usual / 24, usual / 24, "none", 0, 0, (0.0, 0.0), 0.1)
    figures = pd.DataFrame({"figure_id": [who], "used": True})
    shocks = (Shock("e", "e", (0.0, 0.0), (4.0, 4.0)),)
    return SimpleNamespace(series=Series(service, "X", quantity, scope, "", shocks, (made,), (level,), figures, ""))


class TestTwoReadings:
    def test_a_count_far_above_a_panels_contradicts_it(self):
        own, panel = one(70e6, "company"), one(6e6, "panel", "installs")
        first, second = contradiction([panel, own], "x", 1, 0.95)
        assert (first.fitted, second.fitted) == (own, panel)
        assert first.excess.ends(0.95)[1] == pytest.approx(69.9e6, rel=0.01)

    @pytest.mark.parametrize(
        "panel",
        [
            one(25e6, "panel", "installs"),  # sign-ups are no installs: within the conversion
            one(6e6, "panel", "installs", end=96.0),
            one(6e6, "panel", "installs", start=48.0, end=72.0),
            one(6e6, "panel", "installs", service="y"),
            one(6e6, "panel", "installs", scope="Brazil"),
            one(6e6, "press", "installs"),
            one(6e6, "panel", "searches"),
        ],
    )
    def test_within_errors_of_other_hours_services_and_places_nothing_contradicts(self, panel):
        assert contradiction([one(70e6, "company"), panel], "x", 1, 0.95) is None

    def test_a_longer_window_may_hold_more(self):
        """Five million a day for two days against one of one day: less than the sum of both errors."""
        panel = one(1.2e6, "panel", usual=1e4)
        assert contradiction([one(4e6, "company", usual=1e4), panel], "x", 1, 0.95) is not None
        assert contradiction([one(4e6, "company", end=48.0, usual=1e4), panel], "x", 1, 0.95) is None

    def test_of_one_quantity_the_conversion_excuses_nothing(self):
        assert contradiction([one(70e6, "company"), one(25e6, "panel")], "x", 1, 0.95) is not None


@pytest.fixture(scope="module")
def facebook(known):
    found = case.build(known, "facebook-2021-10-04", ["telegram"])
    fits = informed.fits(known, DATA, found, case.primary(found), kept.SEED)
    more = informed.fits(known, DATA, found, case.secondary(found), kept.SEED)
    return found, fits, more, claimed.collect(known, DATA, found, fits, kept.SEED, 0.95, more)


def test_telegram_in_2021_has_two_readings_each_sharp_in_its_own_day(known, facebook):
    found, fits, more, firm = facebook
    own, panel = firm[0].readings
    assert own.excess.claim.figure_id == "facebook-2021-10-04--telegram--1"
    assert own.excess.factor(0.95) < 3
    assert panel.excess.factor(0.95) < 3
    assert firm[0].grade.name == "cannot tell"
    names = known.services.set_index("service_id")["name"]
    said = story.answer(found, fits, names, 168.0, 0.95, firm).paragraphs
    assert "by its own count about 75 million more people joined Telegram than usual in 24 hours" in said[0]
    assert "by the panel’s count about 5.4 million more installs of Telegram were made" in said[0]
    assert "the two contradict each other" in said[0]
    assert "“over 70 million users”" in said[1]
    assert "“about 6.3 million installs”" in said[1]
    record = recorded.record(found, fits, more, names, {"horizon_hours": 168.0}, 0.95, "hash", firm)
    told = {number.quantity: number for number in record.estimates}
    assert told["excess_in_window_by_company"].low > 5 * told["excess_in_window_by_panel"].high
    assert record.headline == said[0]
    assert record.diagnostics["telegram signups"]["grade"] == "cannot tell"


def test_people_are_as_doubtful_as_the_bias_of_who_counts(facebook):
    _, (fitted, *_), _, _ = facebook
    counted = np.full(20_000, 1e6)
    free = replace(fitted, model=replace(fitted.model, ceilings=()))
    draws = fit.people(free, counted)
    bias = next(claim.bias for claim in fitted.model.claims if claim.claimant == "company")
    assert np.log(draws).std() == pytest.approx(bias, rel=0.03)
    assert np.median(draws) == pytest.approx(1e6, rel=0.02)
    lowest = min(ceiling.most for ceiling in fitted.model.ceilings if ceiling.until == np.inf)
    assert fit.people(fitted, np.full(20_000, 0.9 * lowest)).max() <= lowest


def test_where_no_figure_can_be_right_beside_the_others_the_page_leads_with_that(facebook, known, monkeypatch):
    found, fits, _, firm = facebook
    monkeypatch.setattr(story, "all_wrong", lambda fitted: True)
    names = known.services.set_index("service_id")["name"]
    said = story.headline(found, fits, names, 168.0, 0.95, firm)
    assert "cannot be said: each of its 2 figures is more likely wrong than not beside the others" in said


def test_all_figures_together_lead_where_they_say_more_than_the_claim():
    wide = SimpleNamespace(factor=lambda level: 40.0)
    sharp = SimpleNamespace(factor=lambda level: 4.0)
    of = {"readings": None, "grade": Grade("", "")}
    assert not claimed.Firm(wide, (1.0, 2.0, 5.0), **of).claim_leads(0.95)
    assert claimed.Firm(wide, (1.0, 2.0, 50.0), **of).claim_leads(0.95)  # neither says much: the claim is firmer
    assert claimed.Firm(sharp, (1.0, 2.0, 3.0), **of).claim_leads(0.95)
    assert not claimed.Firm(None, (1.0, 2.0, 3.0), **of).claim_leads(0.95)
    assert claimed.Firm(wide, (1.0, 2.0, 5.0), **of).factor(0.95) == 5.0
