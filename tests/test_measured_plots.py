"""Figures of one measured series: tidy in both widths, and what is drawn is what was given."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from test_plots import assert_tidy, texts

from helpers.charts import measured_lines, measured_plots, measured_scale, theme
from helpers.charts.measured_gap_axes import total_words
from helpers.charts.measured_placebo_axes import MISSED
from helpers.charts.measured_plots import CheckView, MeasuredView, OtherTime, OutageSpan, PlaceboView, SurgeView
from helpers.charts.picture import MIME, Picture
from helpers.charts.theme import NARROW, WIDE

WORDS = {
    "title": "340,000 to 600,000 extra people joined in the week after",
    "subtitle": "Against what the weeks before lead one to expect.",
    "source": "Source: simulated sign-up log.",
    "alt": "alt text",
}
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
quick = settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
START = pd.Timestamp("2014-02-22T19:00Z")


def measured(
    step: str = "1h",
    before: int = 400,
    after: int = 168,
    base: float = 1200.0,
    gain: float = 2.0,
    missing: float = 0.01,
    hours: float = 3.8,
    **more: object,
) -> MeasuredView:
    """A rhythm with a surge that fades, with honest bands."""
    rng = np.random.default_rng(7)
    each = pd.Timedelta(step)
    times = pd.date_range(START.floor(each) - before * each, periods=before + after, freq=each)
    since = np.arange(-before, after) + 0.5
    expected = base * (1 + 0.4 * np.sin(np.arange(len(times)) / 24 * 2 * np.pi))
    surge = np.where(since > 0, gain * np.exp(-since / (after / 6)), 0)
    observed = rng.poisson(expected * (1 + surge)).astype(float)
    observed[rng.random(len(times)) < missing] = np.nan
    width = 2 * np.sqrt(expected) + 0.1 * expected
    extra = (observed - expected)[before:]
    total = np.nancumsum(extra)
    wide = 3 * np.sqrt(np.cumsum(width[before:] ** 2))
    fields: dict[str, object] = {
        "service": "Telegram",
        "noun": "sign-ups",
        "step": each,
        "times": times,
        "observed": observed,
        "expected": expected,
        "low": np.maximum(expected - width, 0),
        "high": expected + width,
        "extra": extra,
        "extra_low": extra - width[before:],
        "extra_high": extra + width[before:],
        "cumulative": total,
        "cumulative_low": total - wide,
        "cumulative_high": total + wide,
        "outage": OutageSpan(START, START + pd.Timedelta(hours=hours), "WhatsApp down 19:00–22:48 UTC"),
    }
    return MeasuredView(**(fields | more))  # type: ignore[arg-type]


def other(days: float, length: float, kind: str, label: str = "") -> OtherTime:
    start = START + pd.Timedelta(days=days)
    return OtherTime(start, start + pd.Timedelta(days=length), kind, label)  # type: ignore[arg-type]


OTHERS = (
    other(-3, 1, "excluded", "Facebook buys WhatsApp"),
    other(-8.5, 1, "known", "Valentine’s Day"),
    other(-6, 0.01, "unmarked"),
    other(-300, 1, "known", "long ago"),
)
LONG = "a name of a service that goes on and on " * 3
PANELS = {
    "hours": measured(others=OTHERS, early=START - pd.Timedelta(hours=1)),
    "rise begins days before": measured(others=OTHERS, early=START - pd.Timedelta(days=4)),
    "twenty times the usual": measured(gain=20.0),
    "minutes": measured("1min", 3000, 1440),
    "half an hour of minutes": measured("1min", 45, 30, hours=0.2),
    "days": measured("1D", 200, 30, base=4e4, missing=0.1),
    "weeks": measured("7D", 100, 12, base=2.5e6, hours=912),
    "one step": measured("1D", 3, 1),
    "all missing after": measured(extra=np.full(168, np.nan), extra_low=np.full(168, np.nan)),
    "gain of three": measured(base=0.2, gain=0.5),
    "gain of a hundred million": measured(base=1e6, gain=5.0),
    "nothing expected": measured(expected=np.zeros(568), low=np.zeros(568), high=np.zeros(568)),
    "huge bands": measured(high=np.full(568, 1e12), cumulative_high=np.full(168, 1e12)),
    "no end": measured(outage=OutageSpan(START, None, "Blocked in Iran")),
    "ends after the horizon": measured(outage=OutageSpan(START, START + pd.Timedelta(days=40), "Blocked in Iran")),
    "long words": measured(
        service=LONG, outage=OutageSpan(START, START + pd.Timedelta(hours=4), LONG),
        others=[other(-i, 0.5, "known", f"event {i} of many in that year") for i in range(1, 9)],
        total_label="about as many as all of the year before, which nobody believes",
    ),
}  # fmt: skip


def three(view: MeasuredView) -> Picture:
    return measured_plots.three_panels(view, **WORDS)


def axes_of(picture: Picture, size: theme.Size = WIDE) -> list[Axes]:
    figure = picture.figure(size)
    figure.draw_without_rendering()
    return figure.axes


def lines(axes: Axes, colour: str) -> list[Line2D]:
    return [line for line in axes.lines if line.get_color() == colour and len(line.get_xdata()) > 2]


def said(picture: Picture, size: theme.Size = WIDE) -> str:
    return "\n".join(text.get_text().replace("\n", " ") for text in texts(picture.figure(size)))


@SIZES
@pytest.mark.parametrize("name", PANELS)
def test_three_panels_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(three(PANELS[name]).figure(size))


@quick
@given(
    st.sampled_from(["1min", "15min", "1h", "1D", "7D"]),
    st.integers(1, 300),
    st.integers(1, 90),
    st.floats(-1, 7),
    st.floats(-0.9, 40),
    st.floats(0, 0.6),
    st.sampled_from([WIDE, NARROW]),
)
def test_no_series_makes_words_meet(
    step: str, before: int, after: int, size_of: float, gain: float, missing: float, size: theme.Size
) -> None:
    view = measured(step, before, after, 10.0**size_of + 0.1, gain, 0.0, hours=pd.Timedelta(step) / pd.Timedelta("1h"))
    view.observed[:-1][np.random.default_rng(1).random(len(view.observed) - 1) < missing] = np.nan
    assert_tidy(three(view).figure(size))


def test_counts_start_at_zero_and_all_of_them_are_inside() -> None:
    for name in ("hours", "twenty times the usual", "days", "weeks"):
        view = PANELS[name]
        upper, _, lower = axes_of(three(view))
        low, high = upper.get_ylim()
        assert low == 0
        assert high >= np.nanmax(view.observed[-len(view.extra) :])
        low, high = lower.get_ylim()
        assert low <= view.cumulative_low.min()
        assert high >= view.cumulative_high.max()


def test_a_surge_bends_the_scale_and_says_so() -> None:
    upper = axes_of(three(measured(gain=20.0)))[0]
    assert upper.get_yscale() == "asinh"
    assert "logarithmic above 1,000" in said(three(measured(gain=20.0)))
    # the usual level keeps a good part of the height
    scale = measured_scale.counts_scale([np.array([25_000.0])], 1200.0)
    assert scale.share(1200.0) > 0.2
    assert axes_of(three(measured(gain=2.0)))[0].get_yscale() == "linear"
    # one or two in an hour where a fifth was expected are no surge
    assert axes_of(three(PANELS["gain of three"]))[0].get_yscale() == "linear"
    assert axes_of(three(measured(gain=20.0, scale="linear")))[0].get_yscale() == "linear"
    assert axes_of(three(measured(gain=2.0, scale="log")))[0].get_yscale() == "asinh"


def test_only_the_focus_is_drawn() -> None:
    upper = axes_of(three(measured(before=400, after=100)))[0]
    left, right = upper.get_xlim()
    assert (right - left) * 24 == pytest.approx(250)
    left, right = axes_of(three(measured(before=40, after=100)))[0].get_xlim()
    assert (right - left) * 24 == pytest.approx(140)


def test_dots_become_a_thin_line_beyond_four_hundred() -> None:
    def looks(view: MeasuredView) -> set[str]:
        return {line.get_marker() for line in lines(axes_of(three(view))[0], theme.INK)}

    assert looks(measured(before=200, after=100)) == {"o"}
    assert looks(measured(before=400, after=200)) == {"None"}


def test_the_bands_are_those_given() -> None:
    view = measured(before=150, after=100, missing=0.0)
    ends = ((view.low, view.high), (view.extra_low, view.extra_high), (view.cumulative_low, view.cumulative_high))
    for axes, (low, high) in zip(axes_of(three(view)), ends, strict=True):
        bands = [c for c in axes.collections if isinstance(c, PolyCollection)]
        corners = np.concatenate([path.vertices for band in bands for path in band.get_paths()])
        last = corners[corners[:, 0] == corners[:, 0].max(), 1]
        assert (last.min(), last.max()) == pytest.approx((low[-1], high[-1]))
    before = np.concatenate([path.vertices for path in axes_of(three(view))[1].collections[0].get_paths()])
    assert before[:, 1].max() == pytest.approx((view.observed - view.low)[:150].max())


def test_missing_steps_are_gaps_and_not_zeros() -> None:
    view = measured(before=150, after=100, missing=0.0)
    view.observed[200:220] = np.nan
    line = lines(axes_of(three(view))[0], theme.INK)[0]
    ys = np.asarray(line.get_ydata(), dtype=float)
    assert np.isnan(ys).sum() == 20
    assert np.nanmin(ys) > 0


def test_the_sum_ends_in_words_at_its_end() -> None:
    view = measured(before=150, after=100)
    low, high = view.cumulative_low[-1], view.cumulative_high[-1]
    for size in (WIDE, NARROW):
        assert total_words(low, high, "sign-ups") in said(three(view), size)
    lower = axes_of(three(view))[2]
    dot = [line for line in lower.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1]
    assert dot[0].get_ydata()[0] == view.cumulative[-1]
    assert dot[0].get_xdata()[0] == pytest.approx(lower.get_xlim()[1])
    assert total_words(-900, -200, "sign-ups") == "200 to 900 fewer sign-ups"
    assert total_words(-900, 200, "sign-ups") == "−900 to 200 extra sign-ups"
    assert "its own words" in said(three(replace(view, total_label="its own words")))


def test_other_times_are_hatched_and_named() -> None:
    picture = three(PANELS["hours"])
    hatches = [p.get_hatch() for p in axes_of(picture)[0].patches if p.get_hatch()]
    assert len(hatches) == len(set(hatches)) == 3
    words = said(picture)
    for part in ("Facebook buys WhatsApp", "left out of the baseline", "event nobody marked", "rise begins 18:00"):
        assert part in words
    assert "long ago" not in words
    assert "rise begins" not in said(three(measured(early=START + pd.Timedelta(hours=1))))


# placebo dates


def placebo_view(
    k: int = 38, real: tuple[float, float, float] = (0.45, 0.6, 0.8), spread: float = 0.04, **more: object
) -> PlaceboView:
    rng = np.random.default_rng(2)
    middle = rng.normal(0, spread, k)
    dates = pd.date_range(START - pd.Timedelta(days=300), START - pd.Timedelta(days=12), periods=k)
    view = PlaceboView(dates, middle - 2 * spread, middle, middle + 2 * spread, START, real, "WhatsApp down")
    return replace(view, **more)  # type: ignore[arg-type]


PLACEBOS = {
    "some": placebo_view(),
    "one": placebo_view(1, (-0.1, 0.01, 0.2)),
    "many": placebo_view(150, (0.02, 0.06, 0.11), 0.06),
    "huge": placebo_view(real=(18.0, 21.0, 26.0)),
    "loss": placebo_view(real=(-1.0, -0.9, -0.7)),
    "score": placebo_view(12, (2.1, 3.3, 4.5), 1.0, unit="score"),
    "nothing anywhere": placebo_view(3, (0.0, 0.0, 0.0), 0.0),
    "long words": placebo_view(real_label=LONG),
    "one absurd interval": placebo_view(high=np.append(np.full(37, 0.2), 4e5)),
    "within a day": placebo_view(dates=pd.date_range(START - pd.Timedelta("1D"), periods=38, freq="30min")),
}


@SIZES
@pytest.mark.parametrize("name", PLACEBOS)
def test_placebos_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(measured_plots.placebos(PLACEBOS[name], **WORDS).figure(size))


def test_placebos_that_miss_zero_differ_in_shape_and_colour() -> None:
    view = PLACEBOS["many"]
    missed = int(view.misses.sum())
    assert 0 < missed < len(view.dates)
    picture = measured_plots.placebos(view, **WORDS)
    marks = {(line.get_marker(), line.get_color()): line for line in axes_of(picture)[0].lines}
    assert len(marks["^", MISSED].get_xdata()) == missed
    assert len(marks["o", theme.QUIET].get_xdata()) == len(view.dates) - missed
    real = marks["D", theme.OUTAGE]
    assert real.get_ydata()[0] == pytest.approx(6.0)
    assert real.get_xdata()[0] > max(marks["o", theme.QUIET].get_xdata())
    for size in (WIDE, NARROW):
        assert "WhatsApp down: +2% to +11%" in said(picture, size)
        assert f"misses zero ({missed})" in said(picture, size)


# checks


def check_view(n: int = 2000, step: str = "1h", lags: int = 48, **more: object) -> CheckView:
    rng = np.random.default_rng(3)
    residuals = rng.standard_normal(n)
    residuals[::37] = np.nan
    times = pd.date_range("2013-12-01", periods=n, freq=step, tz="UTC")
    view = CheckView(times, residuals, pd.Timedelta(step), rng.normal(0, 0.02, lags), 1.96 / np.sqrt(n))
    return replace(view, **more)  # type: ignore[arg-type]


CHECKS = {
    "hours": check_view(),
    "minutes": check_view(30_000, "15min", 168),
    "weeks": check_view(104, "7D", 20),
    "three": check_view(4, "1D", 1, residuals=np.array([0.1, 0.0, np.nan, -1.0])),
    "no autocorrelation": check_view(60, "1D", 0),
    "strong": check_view(500, lags=30, autocorrelation=np.linspace(1, -1, 30)),
    "absurd": check_view(500, residuals=np.append(np.zeros(499), 1e9)),
}


@SIZES
@pytest.mark.parametrize("name", CHECKS)
def test_residual_checks_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(measured_plots.residual_checks(CHECKS[name], **WORDS).figure(size))


def test_checks_keep_what_is_far_out() -> None:
    view = check_view(30_000, "15min", 0)
    view.residuals[12_345] = 7.5
    panels = axes_of(measured_plots.residual_checks(view, **WORDS))
    assert len(panels) == 2
    dots = next(line for line in panels[0].lines if line.get_marker() == "o")
    assert max(dots.get_ydata()) == 7.5
    assert len(dots.get_ydata()) < 400
    quantiles = next(line for line in panels[1].lines if line.get_marker() == "o")
    assert max(quantiles.get_ydata()) == 7.5
    # standard normal residuals lie on the line
    x, y = np.asarray(quantiles.get_xdata()), np.asarray(quantiles.get_ydata())
    inner = np.abs(x) < 2
    assert np.abs(x - y)[inner].max() < 0.1


# the surge


def surge_view(
    gain: float = 3.0, tau: float = 16.0, left: float = 1.06, last: float = 168.0, **more: object
) -> SurgeView:
    hours = np.arange(-24, last) + 0.5
    length = 3.8

    def response(x: np.ndarray, height: float, decay: float, level: float) -> np.ndarray:
        surge = np.where(x < length, height * x / length, height * np.exp(-(x - length) / decay))
        return 1 + np.where(x > 0, surge + level - 1, 0)

    rng = np.random.default_rng(5)
    ratio = response(hours, gain, tau, left) * np.exp(rng.normal(0, 0.08, len(hours)))
    ratio[::31] = np.nan
    x = np.linspace(0, hours[-1], 250)
    curves = [response(x, gain * f, tau * f, left + f / 20 - 1 / 20) for f in (1, 0.8, 1.25)]
    ends = (tau * 0.5, tau * 0.69, tau * 0.9), (left - 0.05, left, left + 0.05)
    view = SurgeView("sign-ups", hours, ratio, x, *curves, length, "WhatsApp down", ends[0], length, ends[1])
    return replace(view, **more)  # type: ignore[arg-type]


NO_CURVE = {name: np.empty(0) for name in ("curve_hours", "curve", "curve_low", "curve_high")}
SURGES = {
    "usual": surge_view(),
    "huge": surge_view(40.0, 8.0),
    "small": surge_view(0.3),
    "loss": surge_view(-0.8, left=0.9),
    "half-life beyond the end": surge_view(half_life=(100.0, 500.0, np.inf)),
    "no end": surge_view(outage_hours=None, outage_label=LONG),
    "no fit": surge_view(half_life=None, stays=None, **NO_CURVE),
    "nothing stayed known": surge_view(stays=None),
    "one hour": surge_view(**NO_CURVE, hours=np.array([0.5]), ratio=np.array([2.0]), half_life=None),
    "a thousand times": surge_view(1000.0),
}


@SIZES
@pytest.mark.parametrize("name", SURGES)
def test_surges_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(measured_plots.surge(SURGES[name], **WORDS).figure(size))


def test_the_surge_starts_at_zero_and_tells_its_half_life() -> None:
    picture = measured_plots.surge(surge_view(), **WORDS)
    axes = axes_of(picture)[0]
    assert axes.get_ylim()[0] == 0
    for size in (WIDE, NARROW):
        assert "half of the surge gone after 8 to 14 hours" in said(picture, size)
        assert "level that stayed: +1% to +11%" in said(picture, size)
    for name, part in (("loss", "half of the drop gone"), ("half-life beyond the end", "after 4.2 days or more")):
        assert part in said(measured_plots.surge(SURGES[name], **WORDS))
    dashed = [line for line in axes.lines if set(np.asarray(line.get_ydata(), dtype=float)) == {1.06}]
    assert len(dashed) == 1


def test_the_bracket_spans_the_half_life() -> None:
    figure = measured_plots.surge(surge_view(), **WORDS).figure(WIDE)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    ends = [axes.transData.transform((3.8 + hours, 0))[0] for hours in (0, 16 * 0.69)]
    rules = [
        a for a in figure.artists if isinstance(a, Line2D) and a.get_color() == theme.INK and a.get_linewidth() == 1.4
    ]
    spans = [tuple(np.asarray(rule.get_xdata(), dtype=float)) for rule in rules]
    assert any(span == pytest.approx(ends, abs=0.01) for span in spans)


# all of them

FIGURES: dict[str, Callable[[], Picture]] = {
    "three panels": lambda: three(PANELS["hours"]),
    "minutes": lambda: three(PANELS["minutes"]),
    "dots": lambda: three(measured(before=240, after=160, others=OTHERS)),
    "placebos": lambda: measured_plots.placebos(PLACEBOS["many"], **WORDS),
    "checks": lambda: measured_plots.residual_checks(CHECKS["minutes"], **WORDS),
    "surge": lambda: measured_plots.surge(SURGES["usual"], **WORDS),
}


@pytest.mark.parametrize("name", FIGURES)
def test_same_bytes_small_and_with_words(name: str) -> None:
    first, second = FIGURES[name](), FIGURES[name]()
    assert (first.wide, first.narrow) == (second.wide, second.narrow)
    assert len(first.wide.encode()) + len(first.narrow.encode()) < 120_000
    assert 'aria-label="alt text"' in first.narrow
    assert first.caption.endswith(".")
    assert len(first.caption) > 60
    assert first.source in said(first, NARROW)
    data, _ = first._repr_mimebundle_()
    assert set(data[MIME]) == {"wide", "narrow", "alt", "caption", "source"}
    json.dumps(data)


def test_a_figure_needs_its_words() -> None:
    for missing in ("alt", "source"):
        with pytest.raises(ValueError, match=missing):
            measured_plots.three_panels(PANELS["days"], **(WORDS | {missing: " "}))
    own = measured_plots.three_panels(PANELS["days"], **WORDS, caption="Read it so.")
    assert own.caption == "Read it so."


def test_thinning_keeps_the_extremes_and_the_gaps() -> None:
    y = np.zeros(10_000)
    y[4321], y[8765] = 9.0, -9.0
    y[2000:3000] = np.nan
    kept = y[measured_lines.thin_line(y, 200)]
    assert len(kept) <= 210
    assert np.nanmax(kept) == 9
    assert np.nanmin(kept) == -9
    assert np.isnan(kept).any()
    x, low, middle, high = measured_lines.thin_band(np.arange(1e4), y, y, y, 100)
    assert (len(x), np.nanmin(low), np.nanmax(high)) == (100, -9.0, 9.0)
    assert np.isnan(middle[20:30]).all()


def test_steps_and_ticks_have_units_people_use() -> None:
    names = [measured_lines.per(pd.Timedelta(step)) for step in ("1min", "15min", "1h", "6h", "1D", "7D", "28D")]
    assert names == ["minute", "15 minutes", "hour", "6 hours", "day", "week", "4 weeks"]
    assert [measured_scale.short(v) for v in (4.95e6, 1200, 0, -50, 0.3, 2e9)] == [
        "4.95 M", "1,200", "0", "−50", "0.3", "2 bn",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: measured(observed=np.full(568, np.nan)), "no step was counted"),
        (lambda: measured(observed=np.zeros(5)), "568 steps"),
        (lambda: measured(extra=np.zeros(0)), "steps after the outage"),
        (lambda: measured(times=pd.date_range("2014", periods=568, freq="h")), "UTC"),
        (lambda: measured(times=pd.date_range("2014", periods=568, freq="h", tz="UTC")[::-1]), "increasing"),
        (lambda: other(0, 1, "other"), "the kind is 'other'"),
        (lambda: other(0, -1, "known", "x"), "ends after it starts"),
        (lambda: placebo_view(0), "no placebo date"),
        (lambda: placebo_view(2, (np.nan, 0.1, 0.2)), "not finite"),
        (lambda: placebo_view(2, (0.3, 0.1, 0.2)), "below its start"),
        (lambda: check_view(residuals=np.full(2000, np.nan)), "fewer than 3"),
        (lambda: surge_view(ratio=np.full(192, np.nan)), "no ratio"),
        (lambda: surge_view(curve=np.zeros(3)), "points of the curve"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
