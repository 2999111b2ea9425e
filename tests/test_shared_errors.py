"""One clock and one bias a claimant: by quadrature written out, and by what they make of an answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from helpers import sampling
from helpers.claims import Claim
from helpers.coarsened import UNEVEN, published
from helpers.likelihood import Model, Shock, observed, one_clock
from helpers.prior import USUAL, Prior

SHOCKS = (Shock("outage", "the outage", (0.0, 0.0), (4.0, 4.0)),)
ZONE = (-12.0, 12.0)
CERTAIN = replace(Prior(), false=1e-9)


def claim(name, value, start=0.0, end=24.0, *, who="company", bias=0.3, **more):
    given = {"shift": (0.0, 0.0), "scale": 0.15} | more
    shift, scale = given.pop("shift"), given.pop("scale")
    return Claim(name, "increment", 0.97 * value, 1.03 * value, "none", start, end, shift, scale,
                 claimant=who, bias=bias, **given)  # fmt: skip


def draws(model, count=400):
    return np.random.default_rng(2).standard_normal((count, len(model.names)))


def test_the_bias_of_a_claimant_is_summed_out_once_for_all_its_figures():
    """Against the integral over the bias, on a fine grid, of the product of what each figure says."""
    company = claim("c", 2e6)
    press = [claim("p1", 1e6, who="press", scale=0.3), claim("p2", 3e6, end=72.0, who="press", scale=0.3)]
    model = Model(SHOCKS, (company, *press), CERTAIN)
    z = draws(model)
    made = model.unpack(z)
    bias = np.linspace(-2.5, 2.5, 801)
    weight = stats.norm.pdf(bias, 0, np.hypot(0.3, 0.3))  # of the press against the company, as which the curve counts
    both = np.ones((len(z), len(bias)))
    for one in press:
        both *= published(one, np.log(observed(one, made)[:, :1]) + bias, np.hypot(0.3, UNEVEN))
    alone = published(company, np.log(observed(company, made)[:, 0]), np.hypot(0.15, UNEVEN))
    exact = np.log(alone + 1e-300) + np.log(both @ weight / weight.sum() + 1e-300)
    near = exact > exact.max() - 8
    assert near.sum() > 5
    assert model.log_likelihood(z)[near] == pytest.approx(exact[near], abs=0.05)


def test_the_curve_counts_as_companies_do_where_one_speaks():
    company, panel, press = (claim(who, 1e6, who=who) for who in ("company", "panel", "press"))
    assert Model(SHOCKS, (panel, panel, company)).reference == "company"
    assert Model(SHOCKS, (panel, press, press)).reference == "press"
    assert Model(SHOCKS, (company, panel), counts_as="panel").reference == "panel"
    counter = claim("k", 1e6, who="api_count")
    assert Model(SHOCKS, (panel, panel, counter)).reference == "company"
    assert Model(SHOCKS, (company, counter)).shared(counter) == 0.0
    model = Model(SHOCKS, (company, press))
    assert model.shared(company) == 0.0
    assert model.shared(press) == pytest.approx(np.hypot(0.3, 0.3))


def test_days_of_one_claimant_lie_in_one_zone():
    """Two days that follow each other, told by one company: their zone is the same in each term of the mean."""
    days = [claim("d1", 1e6, shift=ZONE, clock=True), claim("d2", 5e5, 24.0, 48.0, shift=ZONE, clock=True)]
    model = Model(SHOCKS, tuple(days), CERTAIN)
    z = draws(model)
    made = model.unpack(z)
    error = np.hypot(0.15, UNEVEN)
    places = -12 + 24 * (np.arange(9) + 0.5) / 9
    terms = []
    for place in places:
        moved = [replace(day, start=day.start + place, end=day.end + place, shift=(0.0, 0.0)) for day in days]
        terms.append(np.prod([published(day, np.log(observed(day, made)[:, 0]), error) for day in moved], axis=0))
    exact = np.log(np.mean(terms, axis=0) + 1e-300)
    near = exact > exact.max() - 8
    assert model.log_likelihood(z)[near] == pytest.approx(exact[near], abs=0.05)


def test_a_clock_is_shared_where_all_windows_can_be_moved_alike():
    far = claim("f", 1e6, shift=(-5.0, 12.0), clock=True)
    near = claim("n", 1e6, shift=(-12.0, 3.0), clock=True)
    known = claim("k", 1e6, shift=(-0.5, 0.5))
    assert one_clock([far, near, known]) == (-5.0, 3.0)
    assert one_clock([far, known]) is None
    assert (
        one_clock([claim("a", 1e6, shift=(4.0, 6.0), clock=True), claim("b", 1e6, shift=(-6.0, 3.0), clock=True)])
        is None
    )
    other = replace(far, claimant="press", figure_id="o")
    groups = {tuple(sorted(c.figure_id for c in group)) for group in Model(SHOCKS, (far, near, other)).groups()}
    assert ("f", "n") in groups


def test_a_second_figure_of_a_claimant_does_not_outvote_its_bias():
    """Four figures of the press, all twice what the company counts, count as one that is biased."""
    company = claim("c", 1e6)
    press = [claim(f"p{i}", 2e6, who="press") for i in range(4)]
    lone = [replace(one, scale=one.error, bias=0.0, claimant="") for one in press]
    middles = []
    for others in (press, lone):
        model = Model(SHOCKS, (company, *others))
        made = model.unpack(sampling.sample(model.log_likelihood, len(model.names), 3).draws)
        middles.append(np.median(observed(company, made)[:, 0]))
    assert middles[0] < 1.25e6 < 1.5e6 < middles[1]


class TestPrior:
    def test_without_a_rule_it_is_the_wide_one(self):
        middle, sd = Prior().gain(np.array([100.0, 1e6]))
        assert middle == pytest.approx(np.log([10.0, 10.0]))
        assert sd == pytest.approx([2.0, 2.0])

    def test_with_a_rule_it_has_the_moments_of_both_in_equal_parts(self):
        rule = (6.0, -0.7, 1.5)
        per_day = np.array([USUAL, 100 * USUAL])
        middle, sd = Prior(rule=rule).gain(per_day)
        rng = np.random.default_rng(1)
        for i, said in enumerate([6.0, 6.0 - 0.7 * np.log(100)]):
            mixed = np.concatenate([rng.normal(np.log(10), 2.0, 200_000), rng.normal(said, 1.5, 200_000)])
            assert middle[i] == pytest.approx(mixed.mean(), abs=0.02)
            assert sd[i] == pytest.approx(mixed.std(), rel=0.01)

    def test_a_gain_expected_to_be_larger_is_so_in_both_parts(self):
        per_day = np.array([1e3, 1e5])
        for prior in (Prior(), Prior(rule=(6.0, -0.7, 1.5))):
            (before, sd), (after, same) = prior.gain(per_day), prior.times(gain=3.0).gain(per_day)
            assert after - before == pytest.approx(np.log(3.0))
            assert same == pytest.approx(sd)
        assert Prior().times(half_life=0.5).half_life_hours == 12.0
