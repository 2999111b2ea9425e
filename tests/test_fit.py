"""The posterior: exactness against a well-kept sampler, diagnostics, robustness, and the 2014 case."""

from __future__ import annotations

from dataclasses import replace

import emcee
import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy import stats
from scipy.special import ndtr

from helpers import case, evidence, fit, robustness, sampling
from helpers import curve as curves
from helpers.claims import Claim
from helpers.coarsened import SHARED_NODES, UNEVEN, published, tabulated
from helpers.likelihood import Model, Shock
from helpers.prior import Prior


@pytest.fixture(scope="module")
def telegram():
    found = case.build(evidence.load(), "whatsapp-2014-02-22", ["telegram"])
    return fit.fit(case.primary(found)[0], 20140222)


def _claim(name, low, high, start=0.0, end=24.0, reading="increment", scale=0.1, bound="none", group=""):
    return Claim(name, reading, low, high, bound, start, end, (0.0, 0.0), scale, group)


OUTAGE = Shock("outage", "the outage", (0.0, 0.0), (4.0, 4.0))
USUAL = _claim("usual", 990, 1010, reading="baseline", scale=0.05)


def _extra(model, until=168.0):
    drawn = sampling.sample(model.log_likelihood, len(model.names), 1)
    made = model.unpack(drawn.draws)
    return curves.extra(made, 0.0, until, 0)[:, 0]


def test_sampler_on_a_posterior_known_in_closed_form():
    """Normal data on a normal prior: mean, variance and evidence as the textbook has them."""
    seen, noise = np.array([1.5, -0.5, 4.0]), 0.7

    def loglik(z):
        return stats.norm.logpdf(seen, z, noise).sum(axis=1)

    drawn = sampling.sample(loglik, 3, 3)
    assert drawn.draws.mean(axis=0) == pytest.approx(seen / (1 + noise**2), abs=0.03)
    assert drawn.draws.var(axis=0) == pytest.approx(noise**2 / (1 + noise**2), rel=0.08)
    assert drawn.log_evidence == pytest.approx(stats.norm.logpdf(seen, 0, np.hypot(1, noise)).sum(), abs=0.05)


def test_sampler_finds_both_modes():
    def loglik(z):
        return np.logaddexp(stats.norm.logpdf(z[:, 0], -2, 0.1), stats.norm.logpdf(z[:, 0], 2, 0.1))

    drawn = sampling.sample(loglik, 2, 5)
    assert (drawn.draws[:, 0] > 0).mean() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("bound", ["none", "lower", "upper"])
@pytest.mark.parametrize("scale", [0.05, 0.35])
@pytest.mark.parametrize("shared", [0.0, 0.3])
@pytest.mark.parametrize("together", [False, True])
def test_looking_a_probability_up_is_working_it_out(bound, scale, shared, together):
    claim, prior = _claim("one", 1e6, 2e6, scale=scale, bound=bound), Prior()
    value = np.exp(np.linspace(np.log(1e3), np.log(1e9), 5_000))[:, None]
    nodes, weights = hermegauss(SHARED_NODES) if shared and together else (np.zeros(1), np.ones(1))
    own = np.hypot(scale, UNEVEN) if together else np.sqrt(scale**2 + UNEVEN**2 + shared**2)
    right = published(claim, np.log(value) + shared * nodes, own)
    exact = (1 - prior.false) * right + prior.false * published(claim, np.log(value), prior.wrong)
    found = np.exp(tabulated(claim, prior, shared, together).log_at(value)[0])
    assert found @ weights == pytest.approx(exact @ weights, rel=0.005, abs=1e-12)


@pytest.mark.parametrize("shape", [0.2, 0.5, 0.9])
def test_the_tail_of_weights_is_that_of_a_pareto_distribution(shape):
    """Near its truth, and near the maximum likelihood estimate of scipy."""
    weights = np.sort(stats.genpareto.rvs(shape, size=10_000, random_state=1) + 1)
    excess = weights[-300:] - weights[-301]
    told = sampling.pareto_tail(np.log(weights))
    assert told == pytest.approx(shape, abs=3 * (1 + shape) / np.sqrt(300))  # three standard errors
    assert told == pytest.approx(stats.genpareto.fit(excess, floc=0)[0], abs=0.05)


def test_an_evidence_that_cannot_be_reached_is_given_up_and_one_that_can_is_not(telegram):
    loglik, dim = telegram.model.log_likelihood, len(telegram.model.names)
    known = telegram.sample.log_evidence
    with pytest.raises(sampling.OutOfReachError, match="at least"):
        sampling.sample(loglik, dim, 1, at_least=known + 3)
    assert sampling.sample(loglik, dim, 1, at_least=known).log_evidence == pytest.approx(known, abs=0.1)


def test_a_posterior_out_of_reach_is_refused():
    with pytest.raises(sampling.ConvergenceError, match="effective draws"):
        sampling.sample(lambda z: 40 * np.sin(1e5 * z).sum(axis=1), 3, 1)
    with pytest.raises(sampling.ConvergenceError, match="not a number"):
        sampling.sample(lambda z: np.full(len(z), np.nan), 2, 1)


def test_agrees_with_emcee(telegram):
    """Same posterior by affine-invariant ensembles: quantiles of the extra users within 8%, medians within 4%."""
    model = telegram.model
    walkers, dim = 64, len(model.names)
    moves = [(emcee.moves.DEMove(), 0.7), (emcee.moves.StretchMove(), 0.3)]
    ensemble = emcee.EnsembleSampler(
        walkers, dim, lambda z: model.log_likelihood(z) - 0.5 * (z**2).sum(axis=1), vectorize=True, moves=moves
    )
    ensemble._random = np.random.RandomState(4)  # the seed emcee has no public place for
    ensemble.run_mcmc(telegram.sample.draws[:walkers] + 1e-3, 4000)
    chain = ensemble.get_chain(discard=500, thin=5, flat=True)
    made = model.unpack(chain)
    other = np.log(curves.extra(made, 0.0, 168.0, 0)[:, 0])
    here = np.log(fit.extra(telegram, 168.0, (0,)))
    assert np.quantile(here, 0.5) == pytest.approx(np.quantile(other, 0.5), abs=0.05)
    for level in (0.1, 0.25, 0.75, 0.9):
        assert np.quantile(here, level) == pytest.approx(np.quantile(other, level), abs=0.12)


def test_same_seed_same_numbers(telegram):
    again = fit.fit(telegram.series, 20140222)
    assert np.array_equal(again.sample.draws, telegram.sample.draws)


def test_the_2014_answer_is_excess_and_in_the_range_of_the_headlines(telegram):
    """Telegram told of 6.75 million in two days and over 9 in four; the excess cannot be far from that."""
    number = {n.quantity: n for n in fit.estimates(telegram, 168.0, 0.95, 450e6)}
    assert 2e6 < number["extra_users"].low < number["extra_users"].high < 4e7
    assert 40 < number["peak_rate"].low < number["peak_rate"].high < 300
    assert number["gain_per_affected_user"].median == pytest.approx(number["extra_users"].median / 450e6)
    assert all(doubt < 0.5 for doubt in fit.wrong(telegram).values())
    assert telegram.sample.effective >= 1000


def test_a_false_figure_is_named_and_hardly_moves_the_answer():
    honest = (_claim("a", 95e3, 105e3), _claim("b", 130e3, 150e3, 0, 48), _claim("c", 30e3, 40e3, 24, 48), USUAL)
    false = _claim("false", 4.95e6, 5.05e6)
    without = Model((OUTAGE,), honest)
    with_it = Model((OUTAGE,), (*honest, false))
    drawn = sampling.sample(with_it.log_likelihood, len(with_it.names), 1)
    made = with_it.unpack(drawn.draws)
    assert with_it.false(false, made) > 0.95
    assert max(with_it.false(claim, made) for claim in honest) < 0.2
    assert np.median(_extra(with_it)) == pytest.approx(np.median(_extra(without)), rel=0.15)


def test_figures_of_one_running_count_weigh_less_than_independent_ones():
    parts = [_claim(str(i), 95e3, 105e3, scale=0.3) for i in range(4)]
    alone = Model((OUTAGE,), (*parts, USUAL))
    running = Model((OUTAGE,), (*(replace(part, group="one count") for part in parts), USUAL))
    assert np.log(_extra(running, 24.0)).std() > 1.3 * np.log(_extra(alone, 24.0)).std()


def test_with_one_sum_the_peak_stays_wide():
    """A count of four days says little about the moment."""
    model = Model((OUTAGE,), (_claim("sum", 0.95e6, 1.05e6, 0, 96), USUAL))
    drawn = sampling.sample(model.log_likelihood, len(model.names), 1)
    made = model.unpack(drawn.draws)
    peak = curves.peak(made, 0.0, 168.0)[0][:, 0]
    low, high = np.quantile(peak, [0.025, 0.975])
    assert high / low > 5


def test_gross_is_not_excess():
    """Two million in a day of which a known half a million came anyway."""
    usual = _claim("usual", 0.5e6 / 24 * 0.99, 0.5e6 / 24 * 1.01, reading="baseline", scale=0.02)
    model = Model((OUTAGE,), (_claim("gross", 1.99e6, 2.01e6, scale=0.02), usual))
    drawn = sampling.sample(model.log_likelihood, len(model.names), 2)
    made = model.unpack(drawn.draws)
    in_the_day = curves.extra(made, 0.0, 24.0, 0)[:, 0]
    assert np.median(in_the_day) == pytest.approx(1.5e6, rel=0.08)


def test_parameters_of_a_model_follow_the_prior():
    model = Model((Shock("o", "o", (0.0, 24.0), (2.0, 8.0)),), ())
    z = np.random.default_rng(1).standard_normal((20_000, len(model.names)))
    made = model.unpack(z)
    assert stats.kstest(made.start[:, 0] / 24, "uniform").pvalue > 0.001
    hours = np.log((made.end - made.start)[:, 0] / 2) / np.log(4)
    assert stats.kstest(hours, "uniform").pvalue > 0.001
    assert np.median(curves.half_life(made)) == pytest.approx(model.prior.half_life_hours, rel=0.03)
    assert ndtr(0) == 0.5


def test_variants_start_with_the_answer_and_cover_every_figure(telegram):
    tried = robustness.variants(telegram, 168.0, 20140222, 19.0)
    assert tried[0].label == "the answer"
    assert {v.left_out for v in tried if v.left_out} == {
        c.figure_id for c in telegram.series.claims[: robustness.MOST_LEFT_OUT]
    }
    middles = [np.median(v.extra) for v in tried if v.extra is not None]
    assert max(middles) / min(middles) < 3
