"""Meta-analysis and meta-regression: published numbers, formulas by hand, other software, simulated studies."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects

from helpers.pooled.meta import MetaRegression, fit

# Tuberculosis with and without vaccination, then without it: sick, healthy, sick, healthy; degrees of latitude.
# Colditz et al. 1994, Journal of the American Medical Association 271, 698-702.
BCG = np.array(
    [
        (4, 119, 11, 128, 44),
        (6, 300, 29, 274, 55),
        (3, 228, 11, 209, 42),
        (62, 13536, 248, 12619, 52),
        (33, 5036, 47, 5761, 13),
        (180, 1361, 372, 1079, 44),
        (8, 2537, 10, 619, 19),
        (505, 87886, 499, 87892, 13),
        (29, 7470, 45, 7232, 27),
        (17, 1699, 65, 1600, 42),
        (186, 50448, 141, 27197, 18),
        (5, 2493, 3, 2338, 33),
        (27, 16886, 29, 17825, 33),
    ],
    dtype=float,
)


@dataclass(frozen=True)
class Studies:
    effect: np.ndarray
    variance: np.ndarray
    design: np.ndarray


@pytest.fixture(scope="module")
def bcg() -> Studies:
    sick, healthy, sick_without, healthy_without, latitude = BCG.T
    treated, untreated = sick + healthy, sick_without + healthy_without
    return Studies(
        np.log(sick / treated) - np.log(sick_without / untreated),
        1 / sick - 1 / treated + 1 / sick_without - 1 / untreated,
        np.column_stack([np.ones(len(BCG)), latitude]),
    )


def random_studies(seed: int, k: int, p: int = 2, tau2: float = 0.3) -> Studies:
    rng = np.random.default_rng(seed)
    variance = 10 ** rng.uniform(-3, 1, k)
    design = np.column_stack([np.ones(k), rng.normal(size=(k, p - 1))])
    return Studies(rng.normal(size=k) * np.sqrt(variance + tau2), variance, design)


def restricted(tau2: float, studies: Studies) -> float:
    """Twice the restricted log likelihood as textbooks have it, without its constant."""
    y, x, weight = studies.effect, studies.design, 1 / (studies.variance + tau2)
    information = (x.T * weight) @ x
    residual = y - x @ np.linalg.solve(information, (x.T * weight) @ y)
    return float(np.log(weight).sum() - np.linalg.slogdet(information)[1] - (weight * residual**2).sum())


def test_bcg_without_covariate(bcg: Studies) -> None:
    result = fit(bcg.effect, bcg.variance)
    assert result.coefficients[0] == pytest.approx(-0.7145, abs=5e-5)
    assert result.plain_error[0] == pytest.approx(0.1798, abs=5e-5)
    assert result.tau2 == pytest.approx(0.3132, abs=5e-5)
    assert result.q == pytest.approx(152.23, abs=5e-3)
    assert result.i2 == pytest.approx(0.9212, abs=5e-5)
    assert (result.k, result.freedom) == (13, 12)


def test_bcg_with_latitude(bcg: Studies) -> None:
    result = fit(bcg.effect, bcg.variance, bcg.design)
    assert result.coefficients == pytest.approx([0.2515, -0.0291], abs=5e-5)
    assert result.plain_error[1] == pytest.approx(0.0072, abs=5e-5)
    # 0.0764 as published is where metafor stops, on its way down, at steps below 1e-5; the top is at 0.07635.
    assert result.tau2 == pytest.approx(0.0764, abs=6e-5)
    top = optimize.minimize_scalar(lambda tau2: -restricted(tau2, bcg), bounds=(0, 1), method="bounded")
    assert result.tau2 == pytest.approx(top.x, abs=1e-5)
    # Latitude explains most of what the trials differ by.
    assert result.q < fit(bcg.effect, bcg.variance).q / 4


def test_bcg_next_to_statsmodels(bcg: Studies) -> None:
    result = fit(bcg.effect, bcg.variance)
    laird = combine_effects(bcg.effect, bcg.variance, method_re="dl")
    mandel = combine_effects(bcg.effect, bcg.variance, method_re="iterated")
    assert laird.mean_effect_fe == pytest.approx(-0.4303, abs=5e-5)
    assert laird.sd_eff_w_fe == pytest.approx(0.0405, abs=5e-5)
    assert result.q == pytest.approx(laird.q)
    assert result.i2 == pytest.approx(laird.i2)
    # For these trials the three estimators of tau2 come in this order, near to one another.
    assert laird.tau2 == pytest.approx(0.3088, abs=5e-5)
    assert mandel.tau2 == pytest.approx(0.3181, abs=5e-5)
    assert laird.tau2 < result.tau2 < mandel.tau2
    assert laird.mean_effect_re > result.coefficients[0] > mandel.mean_effect_re
    assert laird.sd_eff_w_re < result.plain_error[0] < mandel.sd_eff_w_re


def test_hartung_knapp_by_hand(bcg: Studies) -> None:
    result = fit(bcg.effect, bcg.variance, level=0.9)
    weight = 1 / (bcg.variance + result.tau2)
    mean = (weight * bcg.effect).sum() / weight.sum()
    error = np.sqrt((weight * (bcg.effect - mean) ** 2).sum() / (12 * weight.sum()))
    assert result.coefficients[0] == pytest.approx(mean)
    assert result.error[0] == pytest.approx(error)
    assert result.low[0] == pytest.approx(mean - 1.782288 * error)
    assert result.high[0] == pytest.approx(mean + 1.782288 * error)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_knapp_hartung_is_weighted_regression(p: int) -> None:
    studies = random_studies(p, 9, p)
    result = fit(studies.effect, studies.variance, studies.design)
    # Ordinary least squares of rows divided by the root of their variance, with its usual errors and intervals.
    root = np.sqrt(studies.variance + result.tau2)
    y, x = studies.effect / root, studies.design / root[:, None]
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    covariance = inverse * ((y - x @ beta) ** 2).sum() / (9 - p)
    reach = stats.t.ppf(0.975, 9 - p) * np.sqrt(np.diag(covariance))
    assert result.coefficients == pytest.approx(beta)
    assert result.covariance == pytest.approx(covariance)
    assert result.plain_covariance == pytest.approx(inverse)
    assert result.low == pytest.approx(beta - reach)
    assert result.high == pytest.approx(beta + reach)


def test_prediction_by_hand(bcg: Studies) -> None:
    result = fit(bcg.effect, bcg.variance)
    mean, low, high = result.predict([1])
    reach = 2.200985 * np.sqrt(result.tau2 + result.plain_error[0] ** 2)
    assert mean == result.coefficients[0]
    assert (low, high) == pytest.approx((mean - reach, mean + reach))
    regression = fit(bcg.effect, bcg.variance, bcg.design)
    mean, low, high = regression.predict([1, 40])
    cov = regression.plain_covariance
    reach = stats.t.ppf(0.975, 10) * np.sqrt(regression.tau2 + cov[0, 0] + 80 * cov[0, 1] + 1600 * cov[1, 1])
    assert mean == pytest.approx(0.2515 - 40 * 0.0291, abs=3e-3)
    assert (low, high) == pytest.approx((mean - reach, mean + reach))


def test_prediction_needs_two_studies_to_spare() -> None:
    mean, low, high = fit([0.1, 0.5], [0.1, 0.1]).predict([1])
    assert mean == pytest.approx(0.3)
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize("seed", range(20))
def test_tau2_has_the_highest_restricted_likelihood(seed: int) -> None:
    studies = random_studies(seed, 4 + seed % 6, 1 + seed % 3, tau2=[0.0, 0.5][seed % 2])
    result = fit(studies.effect, studies.variance, studies.design)
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 1e3, 500)])
    best = max(restricted(tau2, studies) for tau2 in grid)
    assert restricted(result.tau2, studies) >= best - 1e-9


@pytest.mark.parametrize(
    ("effect", "variance", "expected"),
    [
        ([1.99, 1.67, 0.0, -0.03], [1, 1, 0.001, 0.001], 0.0),
        ([1.11, -0.03, 0.5, -0.02], [1, 1e-4, 0.01, 1e-4], 0.082),
        ([0.79, -0.06, -0.02, -0.49], [0.1, 1e-4, 1e-4, 0.1], 0.00075),
        ([-0.16, 0.11, -0.2, -1.39], [1e-4, 0.1, 1e-3, 0.1], 0.304),
    ],
)
def test_highest_of_two_tops(effect: list[float], variance: list[float], expected: float) -> None:
    # A few exact studies agree and the rough ones do not: the likelihood has a top for either lot.
    studies = Studies(np.array(effect), np.array(variance), np.ones((4, 1)))
    heights = np.array([restricted(tau2, studies) for tau2 in [0.0, *np.geomspace(1e-6, 100, 400)]])
    rising = np.concatenate([[True], np.diff(heights) > 0, [False]])
    assert (rising[:-1] & ~rising[1:]).sum() == 2
    result = fit(effect, variance)
    assert result.tau2 == pytest.approx(expected, rel=0.01)
    assert restricted(result.tau2, studies) >= heights.max() - 1e-12


def test_equal_variances_have_a_closed_form() -> None:
    effect = np.array([0.1, 0.9, -0.4, 0.6, 1.3])
    result = fit(effect, np.full(5, 0.1))
    assert result.tau2 == pytest.approx(effect.var(ddof=1) - 0.1)
    # Then the plain and the Hartung-Knapp errors are one.
    assert result.error == pytest.approx(result.plain_error)


@pytest.mark.parametrize("effect", [[0.2, 0.21, 0.19, 0.2, 0.22], [0.2] * 5, [0.0] * 5])
def test_homogeneous_studies(effect: list[float]) -> None:
    variance = np.array([0.1, 0.2, 0.05, 0.3, 0.1])
    result = fit(effect, variance)
    assert result.tau2 == 0.0
    assert result.i2 == 0.0
    assert result.coefficients[0] == pytest.approx(np.average(effect, weights=1 / variance))
    assert result.plain_error[0] == pytest.approx(np.sqrt(1 / (1 / variance).sum()))
    # Hartung and Knapp as published: agreement beyond what the variances allow makes for a short interval.
    assert result.error[0] < result.plain_error[0] / 5


def test_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(20240719)
    covered = []
    for _ in range(400):
        variance = rng.uniform(0.05, 0.3, 10)
        result = fit(rng.normal(0.4, np.sqrt(variance + 0.1)), variance)
        covered.append(result.low[0] <= 0.4 <= result.high[0])
    assert 0.92 <= np.mean(covered) <= 0.98


def same(one: MetaRegression, other: MetaRegression) -> bool:
    names = ("coefficients", "error", "plain_error", "low", "high", "tau2", "q", "i2")
    return all(getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-7, abs=1e-30) for name in names)


def test_shift_adds_to_the_intercept(bcg: Studies) -> None:
    result = fit(bcg.effect, bcg.variance, bcg.design)
    moved = fit(bcg.effect + 5, bcg.variance, bcg.design)
    assert moved.coefficients - result.coefficients == pytest.approx([5, 0])
    assert moved.covariance == pytest.approx(result.covariance)
    assert (moved.tau2, moved.q) == pytest.approx((result.tau2, result.q))


@pytest.mark.parametrize("scale", [-1.0, 1e-8, 1e6])
def test_scale_multiplies(bcg: Studies, scale: float) -> None:
    result = fit(bcg.effect, bcg.variance, bcg.design)
    scaled = fit(bcg.effect * scale, bcg.variance * scale**2, bcg.design)
    assert scaled.coefficients == pytest.approx(result.coefficients * scale, rel=1e-7, abs=1e-30)
    assert scaled.error == pytest.approx(result.error * abs(scale), rel=1e-7, abs=1e-30)
    assert scaled.tau2 == pytest.approx(result.tau2 * scale**2, rel=1e-7, abs=1e-30)
    assert (scaled.q, scaled.i2) == pytest.approx((result.q, result.i2))


def test_units_and_order_do_not_matter(bcg: Studies) -> None:
    result = fit(bcg.effect, bcg.variance, bcg.design)
    turned = fit(bcg.effect[::-1], bcg.variance[::-1], bcg.design[::-1])
    assert same(result, turned)
    minute = fit(bcg.effect, bcg.variance, bcg.design * [1, 1e-18])
    assert minute.coefficients * [1, 1e-18] == pytest.approx(result.coefficients)
    assert minute.tau2 == pytest.approx(result.tau2)


def test_no_design_is_a_column_of_ones(bcg: Studies) -> None:
    assert same(fit(bcg.effect, bcg.variance), fit(list(bcg.effect), list(bcg.variance), np.ones((13, 1))))


ONES = np.ones((3, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1, 2], [3, 4]], [1, 2]), r"effect: given shape \(2, 2\), expected \(k,\)"),
        (([1, 2, 3], [1, 2]), r"variance: given shape \(2,\), expected \(3,\)"),
        (([1, 2, 3], [1, 2, 3], [1, 2, 3]), r"design: given shape \(3,\), expected \(3, p\)"),
        (([1, 2, 3], [1, 2, 3], np.ones((2, 1))), r"design: given shape \(2, 1\), expected \(3, p\)"),
        (([1, 2, 3], [1, 2, 3], np.ones((3, 0))), r"design: given shape \(3, 0\), expected \(3, p\)"),
        (([1, np.nan, 3], [1, 2, 3]), "effect: given nan at position 1, expected finite"),
        (([1, 2, 3], [1, 2, np.inf]), "variance: given inf at position 2, expected finite"),
        (([1, 2, 3], [1, 2, 3], ONES * np.inf), r"design: given inf at position \(0, 0\), expected finite"),
        (([1, 2, 3], [1, 0, 3]), "variance: given 0.0 at position 1, expected numbers above 0"),
        (([1, 2, 3], [1, 2, -3]), "variance: given -3.0 at position 2, expected numbers above 0"),
        (([], []), "effect: given 0 studies for 1 coefficients, expected at least 2"),
        (([1, 2, 3], [1, 2, 3], np.eye(3)), "effect: given 3 studies for 3 coefficients, expected at least 4"),
        (([1, 2, 3], [1, 2, 3], np.ones((3, 2))), "design: given 2 columns of rank 1"),
        (([1, 2, 3], [1, 2, 3], np.zeros((3, 1))), "design: given 1 columns of rank 0"),
        (([1, 2, 3], [1, 2, 3], None, 95), "level: given 95, expected a share between 0 and 1"),
        (([1, 2, 3], [1, 2, 3], None, np.nan), "level: given nan"),
    ],
)
def test_what_cannot_be_fitted(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(*arguments)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1], r"row: given shape \(1,\), expected \(2,\)"),
        (1.0, r"row: given shape \(\), expected \(2,\)"),
        ([1, np.nan], "row: given nan at position 1, expected finite"),
    ],
)
def test_what_cannot_be_predicted(bcg: Studies, row: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(bcg.effect, bcg.variance, bcg.design).predict(row)
