"""The prior that all other events make for one."""

from __future__ import annotations

import numpy as np
import pytest

from helpers import case, evidence, fit
from helpers.pooled import events, informed, kept, unusual
from helpers.prior import Prior

DATA = evidence.ROOT / "data"
OUTAGE = "arattai-2025-09-promotion"


@pytest.fixture(scope="module")
def known():
    return evidence.load()


@pytest.fixture(scope="module")
def rule():
    return kept.load(DATA)


def one_series(known, outage_id):
    found = case.build(known, outage_id)
    return found, case.primary(found)[0]


def test_it_is_what_the_rule_without_the_event_predicts(known, rule):
    """Of all events this one moves its own prediction most: with it, the prior would be its own gain."""
    found, series = one_series(known, OUTAGE)
    (prior,) = informed.priors(known, rule, found, [series])
    event = next(one for one in events.all_events(known) if one.outage_id == OUTAGE)
    without, _ = unusual.without(rule, events.all_events(known), {OUTAGE, *event.near})
    row = unusual.rival_row(known, event, series)
    middle, sd = unusual.expected(without.draws, event, without.known, row)
    rng = np.random.default_rng(1)
    draws = rng.normal(np.repeat(middle, 50), np.repeat(sd, 50))
    mean, slope, spread = prior.rule
    assert mean == pytest.approx(draws.mean(), abs=0.03)
    assert spread == pytest.approx(draws.std(), rel=0.02)
    assert -1.2 < slope < -0.3
    with_it = informed.of_rule(rule, event, row).rule
    assert with_it[0] > mean + 0.3


def test_what_is_no_person_who_came_has_the_wide_prior(known, rule):
    found, series = one_series(known, "github-2018-06-03-microsoft-deal")
    assert informed.priors(known, rule, found, [series]) == [Prior()]
    assert informed.priors(known, None, *one_series(known, OUTAGE)[:1], [series]) == [Prior()]


def test_without_a_readable_rule_the_page_is_made_with_the_wide_prior(known, tmp_path, monkeypatch):
    def broken(folder):
        raise kept.KeptError("gone")

    monkeypatch.setattr(informed, "load", broken)
    found, series = one_series(known, OUTAGE)
    (fitted,) = informed.fits(known, tmp_path, found, [series], 1)
    assert fitted.model.prior == Prior()
    assert np.array_equal(fitted.sample.draws, fit.fit(series, 1).sample.draws)


def test_a_rule_sharpens_single_figures_and_leaves_many_alone(known):
    """Where the figures say enough, the prior says nothing more; where they do not, it narrows the answer."""

    def width(fitted):
        low, high = np.quantile(np.log(fit.within(fitted, 168.0)), [0.025, 0.975])
        return high - low

    def ratio(outage_id, rival):
        found = case.build(known, outage_id, [rival])
        series = case.primary(found)[0]
        return len(series.claims), width(informed.fits(known, DATA, found, [series], 7)[0]) / width(fit.fit(series, 7))

    some = [
        ("facebook-2019-03-13", "telegram"),
        ("whatsapp-2014-02-22", "line"),
        ("whatsapp-2016-05-02-brazil", "telegram"),
        ("blackberry-2010-08-06-saudi", "nimbuzz"),
    ]
    single = [ratio(*one) for one in some]
    assert [count for count, _ in single] == [1] * len(some)
    assert np.mean([narrowed for _, narrowed in single]) < 0.97
    count, many = ratio("whatsapp-2014-02-22", "telegram")
    assert count > 5
    assert many == pytest.approx(1.0, abs=0.12)
