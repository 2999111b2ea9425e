"""What published figures say: the arithmetic of the 2014 headlines and of rounding."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import claims
from helpers import curve as curves
from helpers.claims import Claim
from helpers.coarsened import published
from helpers.curve import Curve
from helpers.likelihood import observed
from helpers.totals import differences

DAY, SECOND = 24.0, 1 / 3600


def _steady(per_hour: float) -> Curve:
    return Curve(np.array([per_hour]), np.zeros((1, 0)), np.ones(1), np.zeros(0), np.zeros(0))


def _mean_per_second(users: float, hours: float) -> float:
    """Rate of the steady curve that brings so many users in so many hours."""
    return users / curves.increment(_steady(1.0), 0.0, hours)[0, 0] * SECOND


def test_the_day_after_was_no_hundred_a_second():
    """4.95 million in a day are 57.3 a second: 100 a second was a moment, not the day's mean."""
    assert _mean_per_second(4.95e6, DAY) == pytest.approx(57.3, abs=0.05)
    held = curves.increment(_steady(100 * claims.per_hour("users/s", "rate_instant")), 0.0, DAY)[0, 0]
    assert held == pytest.approx(8.64e6)
    assert 4.95e6 / (100 * claims.per_hour("users/s", "rate_instant")) == pytest.approx(13.75)


def test_four_days_leave_three_million_for_the_other_three():
    assert _mean_per_second(8e6, 4 * DAY) == pytest.approx(23.1, abs=0.06)
    other_three = 8e6 - 4.95e6
    assert other_three == pytest.approx(3.05e6)


def test_seventy_five_a_second_and_seventy_million_a_day():
    assert 75 * claims.per_hour("users/s", "rate_mean") * DAY == pytest.approx(6.48e6)
    assert _mean_per_second(5.7e6, DAY) == pytest.approx(66, abs=0.1)
    assert _mean_per_second(70e6, DAY) == pytest.approx(810, abs=0.5)


@pytest.mark.parametrize(
    ("value", "qualifier", "low", "high"),
    [
        (2e6, "about", 1.5e6, 2.5e6),
        (4.95e6, "about", 4.945e6, 4.955e6),
        (100, "about", 50, 150),
        (53585, "exact", 53584.5, 53585.5),
        (2e6, "exact", 1999999.5, 2000000.5),
        (3e6, "more_than", 3e6, 4e6),
        (4.5e6, "more_than", 4.5e6, 4.6e6),
        (200_000, "up_to", 100_000, 200_000),
        (0.1, "about", 0.05, 0.15),
    ],
)
def test_rounding(value, qualifier, low, high):
    assert claims.rounding(value, qualifier) == pytest.approx((low, high))


@given(st.floats(1, 1e9), st.sampled_from(["about", "exact", "more_than", "up_to", "none"]))
def test_rounding_holds_what_was_published(value, qualifier):
    value = float(f"{value:.4g}")
    low, high = claims.rounding(value, qualifier)
    assert low <= value <= high
    assert high > low


def test_units():
    assert claims.interval(100, "users/s", "about", "rate_instant") == pytest.approx((180_000, 540_000))
    assert claims.interval(404, "percent", "about", "ratio_mean") == pytest.approx((5.035, 5.045))
    assert claims.interval(10, "ratio", "about", "ratio_mean") == pytest.approx((5, 15))
    assert claims.interval(3.4e6, "users", "about", "daily_level")[0] == pytest.approx(3.35e6 / 24)
    with pytest.raises(ValueError, match="unknown unit of time 'fortnight'"):
        claims.per_hour("users/fortnight", "rate_mean")


def test_a_day_without_a_zone_may_lie_anywhere():
    assert claims.shift("day", "world", 24, 24) == (-12, 12)
    assert claims.shift("day", "South Korea", 24, 24) == (-9, -9)
    assert claims.shift("minute", "world", 1, 1) == (0, 0)
    assert claims.shift("unknown", "South Korea", 72, 24) == (-9, 39)


def _claim(low, high, bound="none", reading="increment"):
    return Claim("x", reading, low, high, bound, 0, 24, (0.0, 0.0), 0.15)


@settings(deadline=None)
@given(st.floats(0.03, 1.5), st.floats(2, 1e7), st.floats(-30, 30))
def test_what_can_be_published_has_probability_one(scale, value, off):
    """Cutting all numbers into neighbouring intervals leaves nothing out, far away as well."""
    edges = value * np.exp(np.linspace(-2, 2, 9) * scale)
    cells = [(0.0, edges[0]), *pairwise(edges)]
    truth = np.array([np.log(value) + off * scale])
    inside = sum(published(_claim(low, high), truth, scale)[0] for low, high in cells)
    beyond = published(_claim(edges[-1], np.inf), truth, scale)[0]
    assert inside + beyond == pytest.approx(1, abs=1e-9)


def test_a_bound_allows_more_and_forbids_less():
    truth = np.log([1.5e6, 3.5e6, 6e6, 30e6])
    below, at, above, far = published(_claim(3e6, 4e6, "lower"), truth, 0.05)
    assert below < 1e-6
    assert at > above > far > 0.0
    up = published(_claim(1e6, 2e6, "upper"), np.log([0.5e6, 1.5e6, 4e6]), 0.05)
    assert up[1] > up[0] > 0
    assert up[2] < 1e-6


@pytest.mark.parametrize(("scale", "bound"), [(0.05, "lower"), (0.3, "lower"), (1.5, "upper")])
def test_bounds_against_simulation(scale, bound):
    """Rounded down when told, or a mark passed long ago: the closed form against a million publications."""
    rng = np.random.default_rng(1)
    n, truth = 1_000_000, np.log(5.3e6)
    sign = 1 if bound == "lower" else -1
    lag = np.where(rng.random(n) < claims.FRESH, 0, rng.exponential(claims.PASSED, n))
    told = np.exp(truth + scale * rng.standard_normal(n) - sign * lag)
    share = ((told >= 3e6) & (told < 4e6)).mean()
    assert published(_claim(3e6, 4e6, bound), np.array([truth]), scale)[0] == pytest.approx(share, abs=4e-3)


def test_readings_of_a_known_curve():
    """600 users an hour, and a shock of 240 hours' worth: every reading gives the number that is there."""
    curve = Curve(np.array([600.0]), np.array([[1000.0]]), np.array([1.0]), np.array([0.0]), np.array([10.0]))

    def seen(reading, start=0.0, end=24.0):
        return observed(Claim("x", reading, 1, 2, "none", start, end, (0.0, 0.0), 0.1), curve).mean()

    assert seen("baseline") == 600
    assert seen("increment") == pytest.approx(24 * 600 + 10_000, rel=1e-5)
    assert seen("rate_mean") == pytest.approx((24 * 600 + 10_000) / 24, rel=1e-5)
    assert seen("excess") == pytest.approx(10_000, rel=1e-5)
    assert seen("ratio_mean") == pytest.approx((24 * 600 + 10_000) / (24 * 600), rel=1e-5)
    assert seen("rate_peak") == pytest.approx(600 + 1000 * -np.expm1(-10))
    assert seen("ratio_peak") == pytest.approx((600 + 1000 * -np.expm1(-10)) / 600)
    assert seen("rate_instant", 5.0, 5.0) == pytest.approx(600 + 1000 * -np.expm1(-5))


def test_totals_become_increments_between_them():
    def total(name, low, high, day, bound="none"):
        return Claim(name, "total", low, high, bound, 24 * day, 24 * day + 24, (-12.0, 12.0), 0.15)

    later = total("c", 2.5e6, 2.6e6, 8, "lower")
    first, same_day = total("a", 0.9e6, 1.1e6, 1), total("b", 1.4e6, 1.6e6, 1)
    (claim,) = differences([later, first, same_day])
    assert (claim.figure_id, claim.reading, claim.bound) == ("c", "increment", "lower")
    assert (claim.low, claim.high, claim.since) == pytest.approx((1.4e6, 1.7e6, 1e6))
    assert (claim.start, claim.end) == (36.0, 204.0)
    assert differences([first]) == []
    assert differences([first, total("fell", 0.4e6, 0.5e6, 9)]) == []
