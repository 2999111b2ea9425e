"""The claim less the usual: arithmetic that can be done by hand, what is chosen, and what the page says of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

from helpers import case, claimed, evidence, fit, story
from helpers.anyway import Anyway, predict
from helpers.case import Series
from helpers.ceilings import Ceiling
from helpers.claims import Claim
from helpers.excess import DRAWS, excess, firmest
from helpers.likelihood import Shock
from helpers.pooled import events, kept

BENCH = Path(__file__).parents[1] / "bench"
DAY = Claim("day", "increment", 2.9e6, 3.1e6, "none", 0.0, 24.0, (0.0, 0.0), 0.27)
#: 500,000 a day, known to 10%.
LEVEL = Claim("level", "baseline", 500_000 / 24, 500_000 / 24, "none", 0, 0, (0.0, 0.0), 0.1)


def curve(*claims, levels=(LEVEL,), **more):
    figures = pd.DataFrame({"figure_id": [claim.figure_id for claim in claims], "used": True})
    shocks = (Shock("e", "e", (0.0, 0.0), (4.0, 4.0)),)
    made = Series("x", "X", "signups", "world", "", shocks, claims, tuple(levels), figures, "")
    return replace(made, **more)


def test_three_million_less_half_a_million():
    one = excess(DAY, curve(DAY), None, 1)
    low, middle, high = one.ends(0.95)
    assert middle == pytest.approx(2.5e6, rel=0.01)
    # Even between 2.9 and 3.1 million, less a log-normal of 10%: variances add up.
    sd = np.hypot(2e5 / np.sqrt(12), 5e4)
    assert one.draws.std() == pytest.approx(sd, rel=0.03)
    assert low < 2.41e6 < 2.59e6 < high
    assert one.usual_known
    assert one.share == pytest.approx(1 / 6, rel=0.02)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (replace(DAY, reading="rate_mean", low=1.2e5, high=1.3e5), 24 * 1.25e5 - 5e5),
        (replace(DAY, reading="excess"), 3e6),
        (replace(DAY, reading="ratio_mean", low=4.9, high=5.1), 4 * 5e5),
        (replace(DAY, end=48.0), 3e6 - 1e6),
    ],
)
def test_rates_ratios_and_what_is_already_less_the_usual(claim, expected):
    assert excess(claim, curve(claim), None, 1).ends(0.95)[1] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    "claim",
    [
        replace(DAY, reading="rate_instant"),
        replace(DAY, end=0.5),
        replace(DAY, end=2_000.0),
        replace(DAY, start=-72.0, end=-48.0),
        replace(DAY, reading="ratio_mean", low=4.9, high=5.1, lag=168.0),
    ],
)
def test_moments_long_windows_and_those_before_the_event_say_nothing(claim):
    assert excess(claim, curve(claim), None, 1) is None


def test_more_than_reaches_beyond_and_up_to_falls_short():
    more, most = (excess(replace(DAY, bound=bound), curve(DAY), None, 1) for bound in ("lower", "upper"))
    about = excess(DAY, curve(DAY), None, 1)
    assert more.ends(0.95)[2] > 2 * about.ends(0.95)[2]
    assert most.ends(0.95)[0] < about.ends(0.95)[0]


def test_less_than_the_usual_is_nobody():
    small = replace(DAY, low=1e5, high=1.2e5)
    one = excess(small, curve(small), None, 1)
    assert one.ends(0.95) == (0.0, 0.0, 0.0)
    assert one.factor(0.95) == np.inf


def test_without_a_usual_level_the_claim_is_the_upper_end():
    bare = curve(DAY, levels=())
    one = excess(DAY, bare, Anyway(-2.2, 1.0, 10.0), 1)
    low, middle, high = one.ends(0.95)
    assert not one.usual_known
    assert high <= 3.1e6
    assert middle == pytest.approx(3e6 * (1 - one.share), rel=0.03)
    assert 0.05 < one.share < 0.2
    assert 0 < low < middle
    assert excess(DAY, bare, None, 1) is None


def _shares(rng, count=60):
    quantity = rng.choice(["signups", "installs", "searches"], count)
    failed = rng.random(count) < 0.5
    log_odds = -2.0 + 1.5 * (quantity != "signups") - 1.0 * failed + 0.8 * rng.standard_normal(count)
    return pd.DataFrame({"quantity": quantity, "failed": failed, "share": expit(log_odds)})


def test_the_share_that_would_have_come_anyway_is_a_prediction_that_holds():
    """New shares of the same making lie within the 95% interval in 95 of 100, and the terms are found."""
    rng, held = np.random.default_rng(4), []
    for _ in range(150):
        learnt = predict(_shares(rng), "installs", failed=True)
        new = -2.0 + 1.5 - 1.0 + 0.8 * rng.standard_normal()
        low, high = stats.t(learnt.freedom, learnt.middle, learnt.scale).ppf([0.025, 0.975])
        held.append(low <= new <= high)
    assert 0.90 <= np.mean(held) <= 0.99
    many = _shares(rng, 4_000)
    assert predict(many, "installs", failed=True).middle == pytest.approx(-1.5, abs=0.1)
    assert predict(many, "signups", failed=False).middle == pytest.approx(-2.0, abs=0.1)
    assert predict(many, "visits", failed=False).middle == pytest.approx(-0.5, abs=0.1)  # as all counts but sign-ups
    other = many.assign(share=many["share"].where(many["quantity"] != "searches", 0.9))
    assert predict(other, "installs", failed=True).middle == pytest.approx(-1.5, abs=0.15)  # of people who came


def test_shares_of_one_and_more_teach_nothing_and_few_are_too_few():
    """A figure that is told as a gain is more than the usual."""
    some = _shares(np.random.default_rng(5), 20)
    more = pd.concat([some, some.head(3).assign(share=[1.0, 4.2, 0.0])])
    assert predict(more, "signups", failed=True) == predict(some, "signups", failed=True)
    assert predict(some.head(7), "signups", failed=True) is None


def test_a_ceiling_cuts_and_that_of_the_event_alone_only_where_nothing_else_pushed():
    loose = replace(DAY, bound="lower")
    hit = Ceiling("people hit", 3.0e6, np.inf, "e", 3.0e6, own=True)
    cut = excess(loose, curve(loose, ceilings=(hit,)), None, 1)
    assert cut.draws.max() <= 3.0e6
    assert len(cut.draws) == DRAWS
    other = Shock("other", "other", (0.0, 0.0), (4.0, 4.0))
    both = curve(loose, ceilings=(hit,))
    both = replace(both, shocks=(*both.shocks, other))
    assert excess(loose, both, None, 1).draws.max() > 3.0e6
    over = replace(hit, most=1.0)  # below everything: it contradicts the claim and cuts nothing
    assert excess(DAY, curve(DAY, ceilings=(over,)), None, 1).ends(0.95)[1] == pytest.approx(2.5e6, rel=0.02)


def test_the_longest_firm_window_is_chosen_and_a_doubtful_figure_passed_over():
    two = replace(DAY, figure_id="two days", end=48.0, low=4.9e6, high=5.1e6)
    loose = replace(DAY, figure_id="loose", end=96.0, low=4e6, high=9e6, bound="lower")
    series = curve(DAY, two, loose)
    assert firmest(series, None, 1, 0.95).claim.figure_id == "two days"
    assert firmest(series, None, 1, 0.95, ("two days",)).claim.figure_id == "day"
    assert firmest(curve(loose), None, 1, 0.95).claim.figure_id == "loose"
    assert firmest(curve(replace(DAY, reading="rate_peak")), None, 1, 0.95) is None


# --- on the evidence


@pytest.fixture(scope="module")
def known():
    return evidence.load()


def answered(known, outage_id, rival, **given):
    found = case.build(known, outage_id, [rival], **given)
    fits = [fit.fit(series, kept.SEED) for series in case.primary(found)]
    firm = claimed.collect(known, evidence.ROOT / "data", found, fits, kept.SEED, 0.95)
    names = known.services.set_index("service_id")["name"]
    return story.answer(found, fits, names, 168.0, 0.95, firm).paragraphs, firm[0], found, fits


@pytest.mark.parametrize(
    ("outage_id", "other"),
    [
        ("sktelecom-2025-04-22-breach", "sktelecom-2025-07-05-waiver"),
        ("x-2024-10-block-feature", "x-2024-11-05-us-election"),
    ],
)
def test_an_event_that_names_this_one_lends_it_no_share(known, monkeypatch, outage_id, other):
    seen = []
    monkeypatch.setattr(kept.Kept, "shares_without", lambda self, out: seen.append(out) or self.shares.head(0))
    found = case.build(known, outage_id)
    claimed.collect(known, evidence.ROOT / "data", found, [fit.fit(case.primary(found)[0], kept.SEED)], kept.SEED, 0.95)
    assert {outage_id, other} <= seen[0]


def test_telegram_in_2014_leads_with_its_day(known):
    said, firm, _, fits = answered(known, "whatsapp-2014-02-22", "telegram")
    one = firm.excess
    assert one.claim.figure_id == "whatsapp-2014-02-22--telegram--5"
    assert one.factor(0.95) < 1.1
    assert said[0].endswith("4.8 to 4.9 million if its own count is right (95% interval).")
    assert "about 4.8 million more people joined Telegram than usual in 24 hours" in said[0]
    assert "“about 4.95 million users” (23 Feb 2014), less the usual, some 2% of it" in said[1]
    assert said[2].startswith("Further on it is an extrapolation: ")
    (number,) = claimed.estimates(fits[0], firm, 0.95)
    assert (number.quantity, number.unit) == ("excess_in_window", "users in 24 hours")
    told = {estimate.quantity: estimate for estimate in fit.estimates(fits[0], 168.0, 0.95)}
    assert told["extra_users_told_hours"].high <= told["extra_users_all_events"].high
    assert firm.told[2] < 2.5 * firm.told[0]
    assert told["extra_users_all_events"].high < 3 * told["extra_users_all_events"].low
    assert "As its company counts, all 7 figures and the prior together give" in said[1]
    assert firm.grade.name == "solid"


def test_a_week_that_the_figures_reach_across_is_no_extrapolation(known):
    said, _, _, fits = answered(known, "tiktok-2026-01-25-us", "upscrolled")
    assert fit.told_until(fits[0]) > 168.0
    assert said[2].startswith("From all figures and the prior: ")


def test_the_readers_usual_level_is_taken_off_and_one_above_the_claim_leaves_nobody(known):
    said, firm, _, _ = answered(known, "facebook-2019-03-13", "telegram", baseline_per_day=1_000_000.0)
    assert firm.excess.ends(0.95)[1] == pytest.approx(2e6, rel=0.02)
    assert "less the usual that was given for this report, some 33% of it" in said[1]
    said, firm, _, _ = answered(known, "facebook-2019-03-13", "telegram", baseline_per_day=5_000_000.0)
    assert firm.excess.ends(0.95) == (0.0, 0.0, 0.0)
    assert "no more people joined Telegram than usual in 24 hours, if its own count is right" in said[0]


def test_shares_are_those_of_other_events(known):
    rules = kept.load(evidence.ROOT / "data")
    mine = rules.shares[rules.shares["outage_id"] == "facebook-2021-10-04"]
    assert len(mine) > 1
    assert len(rules.shares_without({"facebook-2021-10-04"})) == len(rules.shares) - len(mine)
    failed = {event.outage_id: event.failed for event in events.all_events(known)}
    assert all(failed[row.outage_id] == row.failed for row in rules.shares.itertuples())
    assert set(rules.shares["failed"]) == {True, False}


def test_the_bench_holds_what_it_promises():
    table = pd.read_csv(BENCH / "headline.csv", index_col="claims")
    assert table["n"].min() > 1_000
    assert table["coverage, 95%"].between(0.93, 0.97).all()


def test_an_event_after_the_horizon_takes_no_part_and_is_said_once(known):
    said, *_ = answered(known, "sktelecom-2025-04-22-breach", "kt")
    text = " ".join(said)
    assert "Another event fell into the days of these figures: " in text
    assert "(100% of it all)" in text
    assert "100% to 100%" not in text
