"""The state space model against the same Gaussian model written out in full, and against statsmodels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from helpers.measured import drift

Array = NDArray[np.float64]
N, AHEAD = 60, 12
THETAS = [np.log([tau, sigma, alpha]) for tau, sigma, alpha in ((7, 0.05, 0.01), (30, 0.02, 0.002), (1.5, 0.2, 0.05))]


class Case(NamedTuple):
    """Working values of steps with different variances, some missing; columns for them and for the steps ahead."""

    work: drift.Work
    matrix: Array
    ahead: Array
    spread: Array


def case(seed: int = 0, missing: bool = True, n: int = N) -> Case:
    rng = np.random.default_rng(seed)
    t = np.arange(n + AHEAD)
    columns = np.column_stack([np.ones(len(t)), t / n - 0.5, np.cos(2 * np.pi * t / 7), np.sin(2 * np.pi * t / 7)])
    value = columns[:n] @ np.array([5.0, 0.4, 0.2, -0.1]) + 0.1 * np.cumsum(rng.normal(size=n)) * 0.3
    used = rng.random(n) > 0.25 if missing else np.ones(n, dtype=bool)
    if missing:
        used[[10, 11, 12, n - 1]] = False
    work = drift.Work(np.where(used, value, 0.0), rng.uniform(20, 300, n), used)
    return Case(work, columns[:n], columns[n:], np.array([10.0, 1.0, 0.5, 0.5]))


def covariance(theta: Array, times: Array, others: Array) -> Array:
    """Covariance of the drift, written out."""
    phi, sigma = np.exp(-np.exp(-theta[0])), np.exp(theta[1])
    return np.asarray(sigma**2 / (1 - phi**2) * phi ** np.abs(times[:, None] - others[None, :]))


def marginal(theta: Array, one: Case, n: int = N) -> tuple[Array, Array, Array]:
    """Return times, values and their covariance matrix, coefficients integrated out."""
    times = np.flatnonzero(one.work.used[:n])
    columns = one.matrix[times]
    noise = np.diag(1 / one.work.mean[times] + np.exp(theta[2]))
    full = covariance(theta, times, times) + noise + (columns * one.spread**2) @ columns.T
    return times, one.work.value[times], full


def minus_twice_log_likelihood(theta: Array, one: Case) -> float:
    _, value, full = marginal(theta, one)
    return float(np.linalg.slogdet(full)[1] + value @ np.linalg.solve(full, value))


def solved(theta: Array, one: Case, **options: int) -> drift.Solved:
    return drift.solve(theta, one.work, one.matrix, one.spread, **options)


class TestLikelihood:
    @pytest.mark.parametrize("missing", [False, True])
    def test_is_that_of_the_dense_matrix(self, missing):
        one = case(1, missing)
        ours = np.array([solved(theta, one).loss for theta in THETAS])
        theirs = np.array([minus_twice_log_likelihood(theta, one) for theta in THETAS])
        np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], rtol=1e-8, atol=1e-7)

    def test_is_the_diffuse_likelihood_of_statsmodels(self):
        """With flat priors the coefficients are diffuse states; only a constant is between the two likelihoods."""
        one = case(2, missing=True)
        work = drift.Work(one.work.value, np.full(N, 100.0), one.work.used)
        value = np.where(work.used, work.value, np.nan)
        model = sm.tsa.SARIMAX(
            value, one.matrix, order=(1, 0, 0), measurement_error=True, mle_regression=False, use_exact_diffuse=True
        )
        ours, theirs = [], []
        for theta in THETAS:
            found = drift.solve(theta, work, one.matrix, np.full(4, 1e4))
            given = {"ar.L1": found.phi, "var.measurement_error": 0.01 + found.alpha, "sigma2": found.sigma**2}
            ours.append(found.loss)
            theirs.append(-2 * model.loglike([given[name] for name in model.param_names]))
        np.testing.assert_allclose(np.diff(ours), np.diff(theirs), rtol=1e-6, atol=1e-6)

    def test_coefficients_and_drift_are_the_posterior_means(self):
        one, theta = case(3), THETAS[0]
        found = solved(theta, one)
        times, value, full = marginal(theta, one)
        pulled = np.linalg.solve(full, value)
        np.testing.assert_allclose(found.coefficients, one.spread**2 * (one.matrix[times].T @ pulled), rtol=1e-8)
        np.testing.assert_allclose(found.state(), covariance(theta, np.arange(N), times) @ pulled, atol=1e-9)
        inner = one.matrix[times] * one.spread**2
        posterior = np.diag(one.spread**2) - inner.T @ np.linalg.solve(full, inner)
        np.testing.assert_allclose(found.covariance, posterior, rtol=1e-6, atol=1e-9)


class TestForecast:
    @pytest.mark.parametrize("theta", THETAS)
    @pytest.mark.parametrize(("stop", "gap"), [(N, 0), (45, 0), (N, 5)])
    def test_is_that_of_the_dense_matrix(self, theta, stop, gap):
        one = case(4)
        mean, spread = drift.forecast(solved(theta, one, stop=stop), one.ahead, gap)
        times, value, full = marginal(theta, one, stop)
        later = stop + gap + np.arange(AHEAD)
        across = covariance(theta, later, times) + (one.ahead * one.spread**2) @ one.matrix[times].T
        own = covariance(theta, later, later) + (one.ahead * one.spread**2) @ one.ahead.T
        np.testing.assert_allclose(mean, across @ np.linalg.solve(full, value), rtol=1e-8)
        np.testing.assert_allclose(spread, own - across @ np.linalg.solve(full, across.T), rtol=1e-5, atol=1e-9)


class TestInvariance:
    def test_a_missing_step_says_nothing(self):
        """Whatever stands in a step that is not used; and missing steps at the end are a gap before the forecast."""
        one, theta = case(5), THETAS[0]
        other = drift.Work(np.where(one.work.used, one.work.value, 77.0), one.work.mean, one.work.used)
        again = drift.solve(theta, other, one.matrix, one.spread)
        assert again.loss == solved(theta, one).loss
        np.testing.assert_array_equal(again.coefficients, solved(theta, one).coefficients)
        cut = case(6, missing=False)
        used = np.arange(N) < N - 5
        holed = drift.Work(np.where(used, cut.work.value, 0.0), cut.work.mean, used)
        at_end = drift.forecast(drift.solve(theta, holed, cut.matrix, cut.spread), cut.ahead)
        dropped = drift.forecast(solved(theta, cut, stop=N - 5), cut.ahead, gap=5)
        for one_way, other_way in zip(at_end, dropped, strict=True):
            np.testing.assert_allclose(one_way, other_way, rtol=1e-8, atol=1e-12)

    def test_time_may_run_backwards(self):
        one, theta = case(7), THETAS[1]
        work = drift.Work(one.work.value[::-1], one.work.mean[::-1], one.work.used[::-1])
        back = drift.solve(theta, work, one.matrix[::-1], one.spread)
        assert back.loss == pytest.approx(solved(theta, one).loss, rel=1e-12)
        np.testing.assert_allclose(back.state()[::-1], solved(theta, one).state(), atol=1e-10)

    def test_many_times_the_people_are_a_higher_level(self):
        rng = np.random.default_rng(8)
        counts = rng.poisson(np.exp(12 + 0.1 * np.cumsum(rng.normal(size=N)))).astype(float)
        used, flat = np.ones(N, dtype=bool), np.full(4, 1e3)
        one, more = (drift.fit(c, used, case().matrix, flat, drift.usual_prior(7)) for c in (counts, 1000 * counts))
        moved = more.at().coefficients - one.at().coefficients
        np.testing.assert_allclose(moved, [np.log(1000), 0, 0, 0], atol=2e-3)
        np.testing.assert_allclose(more.at().state(), one.at().state(), atol=5e-3)


class TestFit:
    def test_finds_what_made_the_series(self):
        """Of one long series the three parameters come back within what a fit can know of them."""
        rng = np.random.default_rng(9)
        n, phi, sigma, alpha = 4000, np.exp(-1 / 20), 0.05, 0.01
        drifted = np.zeros(n)
        for t in range(1, n):
            drifted[t] = phi * drifted[t - 1] + rng.normal(0, sigma)
        counts = rng.poisson(rng.gamma(1 / alpha, alpha * np.exp(8 + drifted))).astype(float)
        found = drift.fit(counts, np.ones(n, dtype=bool), np.ones((n, 1)), np.array([10.0]), drift.usual_prior(7))
        assert (np.abs(found.theta - np.log([20, sigma, alpha])) < [0.35, 0.2, 0.2]).all()
        assert np.corrcoef(found.at().state(), drifted)[0, 1] > 0.85

    def test_of_few_people_without_drift_is_the_poisson_regression(self):
        rng = np.random.default_rng(10)
        t = np.arange(400)
        matrix = np.column_stack([np.ones(400), t / 400, np.cos(2 * np.pi * t / 7)])
        counts = rng.poisson(np.exp(matrix @ [0.2, 0.8, 0.5])).astype(float)
        assert (counts == 0).mean() > 0.15
        still = drift.Prior(np.log([7.0, 1e-3, 1e-6]), np.full(3, 0.05))
        found = drift.fit(counts, np.ones(400, dtype=bool), matrix, np.full(3, 100.0), still, rounds=4)
        told = sm.GLM(counts, matrix, family=sm.families.Poisson()).fit()
        np.testing.assert_allclose(found.at().coefficients, told.params, atol=2e-3)
        np.testing.assert_allclose(np.sqrt(np.diag(found.at().covariance)), told.bse, rtol=0.02)

    def test_mode_is_lower_than_what_lies_around(self):
        rng = np.random.default_rng(11)
        counts = rng.poisson(200 * np.exp(0.1 * np.sin(np.arange(200) / 9))).astype(float)
        matrix = np.column_stack([np.ones(200), np.arange(200) / 200 - 0.5])
        found = drift.fit(counts, np.ones(200, dtype=bool), matrix, np.array([10.0, 1.0]), drift.usual_prior(7))
        here = drift.penalised(found)
        for move in np.vstack([np.eye(3), -np.eye(3)]):
            there = drift.Fit(
                *[getattr(found, n) for n in ("work", "matrix", "spread", "prior")],
                found.theta + move,
                found.points,
                found.weights,
            )
            assert drift.penalised(there) > here + 0.02

    def test_points_stand_for_the_posterior(self):
        rng = np.random.default_rng(12)
        counts = rng.poisson(200 * np.exp(0.1 * np.sin(np.arange(200) / 9))).astype(float)
        found = drift.with_points(
            drift.fit(counts, np.ones(200, dtype=bool), np.ones((200, 1)), np.array([10.0]), drift.usual_prior(7))
        )
        assert found.points.shape == (7, 3)
        np.testing.assert_array_equal(found.points[0], found.theta)
        assert found.weights.sum() == pytest.approx(1)
        assert (found.weights > 0).all()
        np.testing.assert_allclose(found.points[1:4] - found.theta, -(found.points[4:] - found.theta))
        # None of them knows a parameter worse than its prior does.
        assert (np.abs(found.points - found.theta) <= drift.FAR * found.prior.spread.max() + 1e-9).all()

    def test_rare_large_counts_do_not_throw_it_off(self):
        """A linearised step from below overshoots by orders of magnitude; it goes on from the right total."""
        for seed in range(10):
            rng = np.random.default_rng([13, seed])
            counts = np.where(rng.random(300) < 0.05, 250.0, 0.0)
            found = drift.fit(
                counts, np.ones(300, dtype=bool), np.ones((300, 1)), np.array([10.0]), drift.usual_prior(1)
            )
            assert 1 / drift.ASTRAY < drift.times_the_counts(found, counts) < drift.ASTRAY
