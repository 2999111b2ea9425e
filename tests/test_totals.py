"""Predictive distributions: interval and p-value are one, sums are sums, small counts are whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from helpers.measured.totals import SMALL, Moments, Predictive, moments

Array = NDArray[np.float64]

predictives = st.builds(
    lambda mean, extra, scale, freedom, whole: Predictive(
        np.array([mean]), np.array([mean + (extra * mean) ** 2]), scale, freedom, whole
    ),
    st.one_of(st.floats(0.05, 50), st.floats(50, 2 * SMALL), st.floats(1e3, 1e12)),
    st.floats(0.01, 1.0),
    st.floats(0.5, 4.0),
    st.one_of(st.floats(8.0, 40.0), st.just(np.inf)),
    st.booleans(),
)
levels = st.sampled_from([0.5, 0.8, 0.95, 0.99])


def one(value: float) -> Array:
    return np.array([value])


class TestAgreement:
    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(predictives, levels, st.floats(-4, 4))
    def test_p_is_below_just_where_the_interval_leaves_the_count_out(self, told, level, place):
        """The count lies anywhere: at the centre, in the tails, or just beside an end of the interval."""
        low, high = (float(told.quantile(q)[0]) for q in ((1 - level) / 2, (1 + level) / 2))
        centre = float(told.mean[0]) * np.exp(place * np.sqrt(float(told.variance[0])) / float(told.mean[0]) / 2)
        for count in (np.round(centre), np.round(low) - 1, np.round(low) + 1, np.round(high) - 1, np.round(high) + 1):
            count = max(float(count), 0.0)
            if abs(count - low) < 1e-6 * max(low, 1) or abs(count - high) < 1e-6 * max(high, 1):
                continue  # an end itself: in or out by the last bit
            p = float(told.p_value(one(count))[0])
            assert (p < 1 - level) == (not low <= count <= high), (count, low, high, p)

    @pytest.mark.parametrize("spread", [0.1, 2.0, 1e12])
    def test_zero_of_a_measure_is_outside_of_every_interval(self, spread):
        """Of a measure, unlike of a count, nothing at all has no probability, however little was expected."""
        told = Predictive(one(1e8), one((spread * 1e8) ** 2), 1.2, 9.0, whole=False)
        assert told.quantile(0.0005)[0] > 0
        assert 0 < told.p_value(one(0.0))[0] < 0.001

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(predictives, st.floats(0.005, 0.995))
    def test_quantile_and_probability_are_inverse(self, told, q):
        count = told.quantile(q)
        if told.whole and told.mean[0] < SMALL:
            assert count[0] == np.floor(count[0]) >= 0
            assert told.at_most(count)[0] >= q - 1e-9
            assert told.at_most(count - 1)[0] < q + 1e-9
        else:
            assert told.at_most(count)[0] == pytest.approx(q, abs=1e-9)
            assert told.at_least(count)[0] == pytest.approx(1 - q, abs=1e-9)

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(predictives, st.integers(0, 400))
    def test_at_most_and_at_least_share_the_count_itself(self, told, count):
        assume(told.whole and told.mean[0] < SMALL)
        here = told.at_most(one(count)) + told.at_least(one(count))
        below = told.at_most(one(count - 1)) if count else 0.0
        np.testing.assert_allclose(here, 1 + told.at_most(one(count)) - below, atol=1e-9)

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(predictives, st.floats(0.2, 3.0))
    def test_score_has_the_side_and_the_weight_of_the_p_value(self, told, times):
        count = np.round(told.mean * times)
        z, p = float(told.score(count)[0]), float(told.p_value(count)[0])
        assert (z > 0) == (told.at_most(count)[0] > told.at_least(count)[0]) or abs(z) < 1e-6
        if not (told.whole and told.mean[0] < SMALL) and np.isfinite(told.freedom):
            assume(p > 1e-12)
            assert 2 * stats.norm.sf(abs(z)) == pytest.approx(p, rel=1e-6)
        elif told.whole and told.mean[0] < SMALL:
            assert 2 * stats.norm.sf(abs(z)) <= p + 1e-9  # a middle lies nearer the end than the count's near side


class TestShape:
    def test_without_extra_variance_it_is_poisson(self):
        told = Predictive(np.array([0.3, 4.0, 60.0]), np.array([0.3, 4.0, 60.0]))
        for q in (0.025, 0.5, 0.975):
            np.testing.assert_array_equal(told.quantile(q), stats.poisson.ppf(q, told.mean))
        np.testing.assert_allclose(
            told.at_most(np.array([0, 3, 70])), stats.poisson.cdf([0, 3, 70], told.mean), rtol=1e-4
        )

    def test_with_it_mean_and_variance_are_as_given(self):
        mean, variance = np.array([2.0, 30.0]), np.array([8.0, 130.0])
        told = Predictive(mean, variance)
        counts = np.arange(600)[:, None]
        chance = np.diff(told.at_most(counts), axis=0, prepend=0)
        np.testing.assert_allclose((chance * counts).sum(axis=0), mean, rtol=1e-6)
        np.testing.assert_allclose((chance * (counts - mean) ** 2).sum(axis=0), variance, rtol=1e-6)

    def test_few_degrees_of_freedom_widen_both_kinds_alike(self):
        for mean in (50.0, 5000.0):
            variance = one(mean + (0.1 * mean) ** 2)
            sure, unsure = (Predictive(one(mean), variance, 1.0, freedom) for freedom in (np.inf, 9.0))
            widths = [told.quantile(0.975) - told.quantile(0.025) for told in (sure, unsure)]
            assert 1.08 < widths[1] / widths[0] < 1.2

    def test_small_and_large_meet(self):
        variance = 190.0 + (0.1 * 190.0) ** 2
        small, large = (Predictive(one(190.0), one(variance), whole=whole) for whole in (True, False))
        for q in (0.025, 0.5, 0.975):
            assert small.quantile(q) == pytest.approx(large.quantile(q), rel=0.03)

    def test_measures_are_not_rounded(self):
        assert Predictive(one(5.0), one(7.0), whole=False).quantile(0.9)[0] % 1 > 0
        assert Predictive(one(5.0), one(7.0)).quantile(0.9)[0] % 1 == 0

    @pytest.mark.parametrize("mean", [0.0, 1e-12, 1e17])
    def test_nothing_overflows(self, mean):
        told = Predictive(one(mean), one(mean + mean**2), 1.3, 9.0)
        for value in (told.quantile(0.999), told.p_value(one(3.0)), told.score(one(3.0)), told.score(one(0.0))):
            assert np.isfinite(value).all()


class TestUnderSimulation:
    def test_p_values_of_large_counts_are_uniform(self):
        rng = np.random.default_rng(1)
        spread = 0.2
        counts = np.exp(np.log(1e5) + spread * rng.standard_t(9, 20_000))
        # Log-Student with this median and spread has, without its tails, these moments.
        mean = 1e5 * np.exp(spread**2 / 2)
        told = Predictive(one(mean), one(mean**2 * np.expm1(spread**2)), 1.0, 9.0)
        assert stats.kstest(told.p_value(counts), "uniform").pvalue > 0.01
        assert stats.kstest(told.score(counts), "norm").pvalue > 0.01

    @pytest.mark.parametrize("mean", [0.5, 3.0, 40.0])
    def test_scores_of_small_counts_are_nearly_normal_and_p_values_never_too_small(self, mean):
        rng = np.random.default_rng(2)
        alpha = 0.05
        counts = rng.poisson(rng.gamma(1 / alpha, alpha * mean, 20_000)).astype(float)
        told = Predictive(one(mean), one(mean + alpha * mean**2))
        p = told.p_value(counts)
        for level in (0.01, 0.05, 0.2):
            assert (p <= level).mean() < level + 3 * np.sqrt(level / 20_000)
        z = told.score(counts)
        assert abs(z.mean()) < 0.08
        assert 0.7 < z.std() < 1.02


class TestMoments:
    def test_of_logarithms_are_those_of_simulated_counts(self):
        rng = np.random.default_rng(3)
        centre = np.log([40.0, 60.0, 3.0])
        covariance = 0.04 * np.array([[1.0, 0.8, 0.5], [0.8, 1.2, 0.6], [0.5, 0.6, 1.5]])
        alpha, n = 0.1, 400_000
        mean = np.exp(rng.multivariate_normal(centre, covariance, n))
        counts = rng.poisson(rng.gamma(1 / alpha, alpha * mean))
        told = moments([(centre, covariance)], [alpha])
        np.testing.assert_allclose(told.mean, counts.mean(axis=0), rtol=0.005)
        np.testing.assert_allclose(told.covariance, np.cov(counts.T), rtol=0.03)

    def test_of_several_points_have_the_variance_between_them(self):
        nothing = np.zeros((2, 2))
        told = moments(
            [(np.log([10.0, 20.0]), nothing), (np.log([30.0, 60.0]), nothing)], [0.0, 0.0], np.array([0.75, 0.25])
        )
        np.testing.assert_allclose(told.mean, [15, 30])
        between = 0.75 * 5**2 + 0.25 * 15**2
        np.testing.assert_allclose(told.covariance, [[15 + between, 2 * between], [2 * between, 30 + 4 * between]])

    def test_running_sums_by_hand(self):
        told = Moments(np.array([1.0, 2.0, 4.0]), np.array([[5.0, 1.0, 2.0], [1.0, 6.0, 3.0], [2.0, 3.0, 7.0]]))
        mean, variance = told.running()
        np.testing.assert_array_equal(mean, [1, 3, 7])
        np.testing.assert_array_equal(variance, [5, 5 + 6 + 2 * 1, 5 + 6 + 7 + 2 * (1 + 2 + 3)])
        mean, variance = told.kept(np.array([True, False, True])).running()
        np.testing.assert_array_equal(mean, [1, 1, 5])
        np.testing.assert_array_equal(variance, [5, 5, 5 + 7 + 2 * 2])
