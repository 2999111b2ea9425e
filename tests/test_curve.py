"""The closed forms against numerical integration, and what must hold for any curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from helpers import curve as curves
from helpers.curve import Curve, Season

HOURS = st.floats(-200, 400)
SEASONS = st.builds(Season, st.floats(0, 0.9), st.floats(0, 24))


@st.composite
def made(draw, seasons=SEASONS):
    """One curve with one or two shocks."""
    count = draw(st.integers(1, 2))
    starts = [draw(st.floats(-100, 50)) for _ in range(count)]
    lengths = [draw(st.floats(0.2, 60)) for _ in range(count)]
    amplitudes = [draw(st.floats(0, 1e5)) for _ in range(count)]
    tau = draw(st.floats(0.5, 200))
    rise = draw(st.none() | st.floats(0.2, 80))
    return Curve(
        np.array([draw(st.floats(0, 1e4))]),
        np.array([amplitudes]),
        np.array([tau]),
        np.array(starts),
        np.array(starts) + np.array(lengths),
        draw(seasons),
        None if rise is None else np.array([rise]),
    )


def _edges(curve: Curve) -> list[float]:
    return sorted({*np.ravel(curve.start), *np.ravel(curve.end)})


@settings(max_examples=60, deadline=None)
@given(made(), HOURS, st.floats(0.1, 200))
def test_increment_is_the_integral_of_the_rate(curve, start, length):
    end = start + length
    points = [edge for edge in _edges(curve) if start < edge < end]
    area, _ = quad(lambda t: curves.rate(curve, [t])[0, 0], start, end, points=points or None, limit=400)
    assert curves.increment(curve, start, end)[0, 0] == pytest.approx(area, rel=1e-5, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(made(st.just(Season())))
def test_kernel_has_mass_one(curve):
    """In the long run a shock brings its amplitude times its hours."""
    for j in range(curve.shocks):
        total = curves.extra(curve, -1e3, 1e5, j)[0, 0]
        hours = np.ravel(curve.end)[j] - np.ravel(curve.start)[j]
        assert total == pytest.approx(curve.amplitude[0, j] * hours, rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(made())
def test_nobody_ever_leaves_the_cumulative(curve):
    hours = np.linspace(-150, 400, 500)
    joined = curves.increment(curve, -150.0, hours)[0]
    assert (np.diff(joined) >= -1e-6 * max(joined[-1], 1)).all()
    assert (curves.rate(curve, hours) >= -1e-9 * curves.rate(curve, hours).max()).all()


@settings(max_examples=40, deadline=None)
@given(made(st.just(Season())), st.floats(0.1, 100), HOURS, st.floats(1, 100))
def test_the_unit_of_time_does_not_matter(curve, unit, start, length):
    """Measured in other hours, the same people join."""
    other = Curve(
        curve.baseline / unit,
        curve.amplitude / unit,
        curve.tau * unit,
        curve.start * unit,
        curve.end * unit,
        rise=None if curve.rise is None else curve.rise * unit,
    )
    here = curves.increment(curve, start, start + length)
    there = curves.increment(other, start * unit, (start + length) * unit)
    assert there == pytest.approx(here, rel=1e-6, abs=1e-6)


def test_peak_of_a_short_rise_in_a_long_window():
    curve = Curve(
        np.zeros(1), np.ones((1, 1)), np.ones(1), np.zeros((1, 1)), np.ones((1, 1)), Season(), np.full(1, 0.25)
    )
    grid = np.linspace(1, 28, 30_000)
    assert curves.peak(curve, 1.0, 28.0)[0][0, 0] == pytest.approx(curves.rate(curve, grid).max(), rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(made(st.just(Season()) | SEASONS), HOURS, st.floats(1, 150))
def test_peak_is_the_highest_rate(curve, start, length):
    top, when = curves.peak(curve, start, start + length)
    grid = np.unique(np.concatenate([np.linspace(start, start + length, 3000), np.ravel(curve.end)]))
    grid = grid[(grid >= start) & (grid <= start + length)]
    # With a season the maximum is looked for on a grid of 96 points.
    slack = 1e-9 if curve.season.depth == 0 else 0.03
    assert top[0, 0] >= curves.rate(curve, grid).max() * (1 - slack) - 1e-9
    assert start - 1e-9 <= when[0, 0] <= start + length + 1e-9
    assert curves.rate(curve, when[0])[0, 0] == pytest.approx(top[0, 0])


def test_half_life_is_when_the_response_has_halved():
    curve = Curve(np.zeros(1), np.array([[7.0]]), np.array([10.0]), np.array([0.0]), np.array([4.0]))
    half = curves.half_life(curve)[0]
    after = curves.rate(curve, [4.0, 4.0 + half, 4.0 + 2 * half])[0]
    assert after[1:] / after[0] == pytest.approx([0.5, 0.25])


def test_a_season_cannot_make_people_leave():
    with pytest.raises(ValueError, match="expected 0 <= depth < 1"):
        Season(depth=1.2)


@pytest.mark.parametrize("when", [(-5.0, -1.0), (0.5, 3.5), (4.0, 4.0), (4.5, 200.0), (-5.0, 200.0)])
@pytest.mark.parametrize("cumulative", [False, True])
def test_times_asked_for_together_are_answered_as_alone(when, cumulative):
    """Before, during, at the end of and after the shock, with fewer and more times than draws: one row a draw each."""
    tau = np.array([3.0, 20.0, 90.0])
    made = Curve(np.ones(3), np.ones((3, 1)), tau, np.zeros(1), np.full(1, 4.0), Season(), np.array([0.5, 1.0, 2.0]))
    for count in (1, 3, 7):
        times = np.linspace(*when, count)
        together = curves.response(made, times, 0, cumulative)
        assert together.shape == (3, count)
        alone = [curves.response(made, np.array([time]), 0, cumulative)[:, 0] for time in times]
        np.testing.assert_allclose(together, np.array(alone).T, rtol=1e-12)
