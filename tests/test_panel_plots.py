"""Figures of a panel of series: tidy in both widths, and what is drawn is what was given."""

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

from helpers.charts import panel_plots, theme
from helpers.charts.panel_plots import (
    Multiple,
    MultiplesView,
    OutageSpan,
    PGroup,
    PValueView,
    RankingView,
    RankRow,
    Response,
    ResponseView,
)
from helpers.charts.panel_ranking_axes import choose, ratio_ticks
from helpers.charts.picture import MIME, Picture
from helpers.charts.theme import NARROW, WIDE

WORDS = {
    "title": "37 of 412 services gained clearly, and 6 lost",
    "subtitle": "Against the expected from each service’s own past.",
    "source": "Source: simulated panel.",
    "alt": "alt text",
}
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
quick = settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
START = pd.Timestamp("2014-02-22T19:00Z")
LONG = "카카오톡 and a name of a service that goes on " * 3


def said(picture: Picture, size: theme.Size = WIDE) -> str:
    return "\n".join(text.get_text().replace("\n", " ") for text in texts(picture.figure(size)))


def axes_of(picture: Picture, size: theme.Size = WIDE) -> list[Axes]:
    figure = picture.figure(size)
    figure.draw_without_rendering()
    return figure.axes


# ranking


def row(name: str, ratio: float, error: float = 0.1, base: float = 1e4, found: bool = True) -> RankRow:
    low, high = ratio * np.exp(-2 * error), ratio * np.exp(2 * error)
    return RankRow(name, low, ratio, high, base * (low - 1), base * (high - 1), found)


def rows(n: int, spread: float, error: float = 0.1) -> list[RankRow]:
    rng = np.random.default_rng(n)
    ratios = np.exp(rng.normal(0, spread, n))
    made = [
        row(f"Messenger {i}", float(ratio), error, 10.0 ** rng.uniform(0, 8), abs(np.log(ratio)) > spread / 2)
        for i, ratio in enumerate(ratios)
    ]
    return sorted(made, key=lambda r: -abs(np.log(r.ratio)))


RANKINGS = {
    "percent": RankingView(rows(24, 0.2), others=388),
    "times": RankingView(rows(40, 1.5, 0.3)),
    "one": RankingView([row("Telegram", 1.4)]),
    "one loser": RankingView([row("Telegram", 0.97, 0.005)]),
    "as expected": RankingView([row("Telegram", 1.0, 0.0)]),
    "open ends": RankingView(
        [
            RankRow("nobody came", 0.0, 0.0, 3.0, -10, 5, False),
            RankRow("from almost nothing", 2.0, 50.0, np.inf, 3, 1e8, True),
            RankRow("three people", 0.9, 1.2, 1.5, 1, 3, True),
        ]
    ),
    "absurd": RankingView([row("a", 1e6), row("b", 1e-6, 4.0), row("c", 1.1)]),
    "long words": RankingView([row(LONG * 2, 1.4), row("A" * 90, 1.3), *rows(5, 0.3)]),
    "nothing found": RankingView([replace(r, found=False) for r in rows(6, 0.1)]),
}


@SIZES
@pytest.mark.parametrize("name", RANKINGS)
def test_rankings_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(panel_plots.ranking(RANKINGS[name], **WORDS).figure(size))


@quick
@given(st.integers(1, 50), st.floats(0.001, 6), st.floats(0, 3), st.sampled_from([WIDE, NARROW]))
def test_no_ranking_makes_words_meet(n: int, spread: float, error: float, size: theme.Size) -> None:
    assert_tidy(panel_plots.ranking(RankingView(rows(n, spread, error)), **WORDS).figure(size))


def test_ranking_draws_what_passes_solid_and_the_rest_hollow() -> None:
    view = RankingView([row("a", 1.5), row("b", 1.2, found=False), row("c", 0.7)])
    axes = axes_of(panel_plots.ranking(view, **WORDS))[0]
    marks = [line for line in axes.lines if line.get_marker() in ("o", "s")]
    found = {float(np.asarray(m.get_xdata())[0]): m for m in marks}
    assert set(found) == {1.5, 1.2, 0.7}
    assert found[1.5].get_markerfacecolor() == theme.FIT
    assert found[1.2].get_markerfacecolor() == theme.PAPER
    assert found[0.7].get_markerfacecolor() == theme.OUTAGE
    # told apart without colour too
    assert (found[1.5].get_marker(), found[0.7].get_marker()) == ("o", "s")
    bars = [tuple(np.asarray(line.get_xdata(), dtype=float)) for line in axes.lines if len(line.get_xdata()) == 2]
    for r in view.rows:
        assert (r.low, r.high) in bars
    assert axes.get_xscale() == "log"
    words = said(panel_plots.ranking(view, **WORDS))
    for part in ("+2,300 to 8,300", "−4,300 to −1,500", "as expected", "not clear at 5% false discoveries"):
        assert part in words


def test_losers_keep_a_third_of_the_rows_and_the_rest_is_counted() -> None:
    many = [row(f"w{i}", 2.0) for i in range(60)] + [row(f"l{i}", 0.5) for i in range(60)]
    winners, losers = choose(many, 30)
    assert ([r.name for r in winners], [r.name for r in losers]) == (
        [f"w{i}" for i in range(20)], [f"l{i}" for i in range(10)],
    )  # fmt: skip
    assert [len(part) for part in choose(many[:60], 30)] == [30, 0]
    assert [len(part) for part in choose(many[55:], 30)] == [5, 25]
    picture = panel_plots.ranking(RankingView(many, others=280), **WORDS)
    assert "370 more series not drawn" in said(picture)
    assert "384 more series not drawn" in said(picture, NARROW)


def test_ratio_ticks_speak_of_percent_or_of_times() -> None:
    values, names = ratio_ticks(0.7, 1.6, 600, 11)
    assert {"−20%", "as expected", "+20%"} < set(names)
    assert dict(zip(names, values, strict=True))["+50%"] == 1.5
    values, names = ratio_ticks(0.01, 300, 600, 11)
    assert dict(zip(names, values, strict=True))["×1/10"] == pytest.approx(0.1)
    assert "×100" in names
    assert values == sorted(values)


# mean response


def response(label: str, n: int, top: float, placebo: bool = False, hours: np.ndarray | None = None) -> Response:
    hours = np.arange(-48.0, 169.0) if hours is None else hours
    mean = np.where(hours >= 0, top * np.exp(-np.maximum(hours, 0) / 30), 0.0)
    error = 0.5 / np.sqrt(max(n, 1))
    return Response(label, n, hours, mean, mean - error, mean + error, placebo)


GROUPS = (response("series that gained", 37, 0.6), response("series that cannot have gained", 60, 0.0, True))
RESPONSES = {
    "two": ResponseView(GROUPS, 3.8, "WhatsApp down 19:00–22:48 UTC"),
    "one": ResponseView(GROUPS[:1], 3.8, "WhatsApp down"),
    "four": ResponseView([*GROUPS, response("others", 9, -0.3), response("more", 2, 0.1)], 3.8, "WhatsApp down"),
    "huge": ResponseView([response(LONG, 9, 5.0), *GROUPS], None, LONG),
    "loss": ResponseView([response("losers", 9, -2.0)], 900.0, "Blocked"),
    "flat": ResponseView([response("flat", 0, 0.0)], 0.0, ""),
    "gaps": ResponseView(
        [replace(GROUPS[0], mean=np.where(np.arange(217) % 5 == 0, GROUPS[0].mean, np.nan))], 3.8, "WhatsApp down"
    ),
    "minutes": ResponseView([response("a", 5, 1.0, hours=np.linspace(-0.5, 1.5, 25))], 0.3, "Down"),
}


@SIZES
@pytest.mark.parametrize("name", RESPONSES)
def test_mean_responses_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(panel_plots.mean_response(RESPONSES[name], **WORDS).figure(size))


def test_mean_response_is_in_percent_with_its_band() -> None:
    picture = panel_plots.mean_response(RESPONSES["two"], **WORDS)
    axes = axes_of(picture)[0]
    line = next(line for line in axes.lines if line.get_color() == theme.FIT)
    assert max(line.get_ydata()) == pytest.approx(100 * np.expm1(0.6))
    bands = [c for c in axes.collections if isinstance(c, PolyCollection)]
    tops = {round(max(path.vertices[:, 1].max() for path in band.get_paths()), 6) for band in bands}
    assert round(100 * np.expm1(0.6 + 0.5 / np.sqrt(37)), 6) in tops
    dashes = {line.get_linestyle() for line in axes.lines if len(line.get_xdata()) > 10}
    assert len(dashes) == 2
    for size in (WIDE, NARROW):
        words = said(picture, size)
        assert "series that gained (37)" in words
        assert "series that cannot have gained (60)" in words
    # the wide band of two series must not cover the narrow one of sixty
    four = axes_of(panel_plots.mean_response(RESPONSES["four"], **WORDS))[0]
    bands = [c for c in four.collections if isinstance(c, PolyCollection)]
    corners = {c.get_zorder(): np.concatenate([path.vertices for path in c.get_paths()]) for c in bands}
    first = {order: np.ptp(points[points[:, 0] == -48, 1]) for order, points in corners.items()}
    assert [first[order] for order in sorted(first)] == sorted(first.values(), reverse=True)
    assert "logarithmic above +100%" in said(panel_plots.mean_response(RESPONSES["huge"], **WORDS))


# small multiples


def multiple(
    i: int = 0, base: float = 100.0, gain: float = 2.0, step: str = "1h", n: int = 336, **more: object
) -> Multiple:
    rng = np.random.default_rng(i)
    each = pd.Timedelta(step)
    times = pd.date_range(START.floor("h") - n // 2 * each, periods=n, freq=each)
    since = np.arange(n) - n // 2
    expected = base * (1 + 0.4 * np.sin(np.arange(n) / 24 * 2 * np.pi))
    observed = rng.poisson(expected * (1 + np.where(since >= 0, gain * np.exp(-since / 20), 0))).astype(float)
    observed[rng.random(n) < 0.03] = np.nan
    observed[0] = base
    width = 2 * np.sqrt(expected)
    made = Multiple(
        f"Messenger {i}", "+340,000 to 600,000 (+45% to +80%)", times, each, observed, expected,
        np.maximum(expected - width, 0), expected + width,
    )  # fmt: skip
    if "said" in more:
        more["gain"] = more.pop("said")
    return replace(made, **more)  # type: ignore[arg-type]


DOWN = OutageSpan(START, START + pd.Timedelta(hours=3.8), "WhatsApp down 19:00–22:48 UTC")
MULTIPLES = {
    "twelve": MultiplesView([multiple(i, 10.0 ** (i * 0.6)) for i in range(12)], DOWN),
    "one": MultiplesView([multiple()], DOWN),
    "two": MultiplesView([multiple(i) for i in range(2)], DOWN),
    "five": MultiplesView([multiple(i, gain=-0.8) for i in range(5)], OutageSpan(START, None, "Blocked")),
    "seven, without gains": MultiplesView([multiple(i, said="") for i in range(7)], DOWN),
    "fourteen": MultiplesView([multiple(i, 0.1) for i in range(14)], DOWN),
    "days": MultiplesView([multiple(i, 1e7, step="1D", n=60) for i in range(6)], DOWN),
    "minutes": MultiplesView([multiple(i, 1e5, step="1min", n=2000) for i in range(6)], DOWN),
    "long words": MultiplesView([multiple(0, name=LONG), multiple(1, name="A" * 80), multiple(2, said=LONG)], DOWN),
}


@SIZES
@pytest.mark.parametrize("name", MULTIPLES)
def test_small_multiples_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(panel_plots.small_multiples(MULTIPLES[name], **WORDS).figure(size))


def test_each_panel_has_its_own_axis_from_zero() -> None:
    view = MULTIPLES["twelve"]
    picture = panel_plots.small_multiples(view, **WORDS)
    panels = axes_of(picture)
    assert len(panels) == 12
    for panel, axes in zip(view.panels, panels, strict=True):
        low, high = axes.get_ylim()
        assert low == 0
        assert np.nanmax(panel.observed) <= high < 2.2 * np.nanmax(np.maximum(panel.observed, panel.expected))
        dark = [line for line in axes.lines if line.get_color() == theme.INK and len(line.get_xdata()) > 2]
        assert np.nanmax(np.asarray(dark[0].get_ydata(), dtype=float)) == np.nanmax(panel.observed)
        assert any(isinstance(c, PolyCollection) for c in axes.collections)
    columns = {round(axes.get_position().x0, 3) for axes in panels}
    assert len(columns) == 3
    assert len({round(axes.get_position().x0, 3) for axes in axes_of(picture, NARROW)}) == 2
    assert "2 more series not drawn" in said(panel_plots.small_multiples(MULTIPLES["fourteen"], **WORDS))


# p-values


def p_view(*sizes: int) -> PValueView:
    rng = np.random.default_rng(0)
    return PValueView([PGroup(f"group {i}", rng.uniform(size=n), i == 0) for i, n in enumerate(sizes)])


P_VALUES = {
    "two": p_view(120, 290),
    "few": p_view(3, 40),
    "one": p_view(1),
    "four": p_view(7, 11_000, 50, 200),
    "empty group": p_view(0, 50),
    "all at zero": PValueView([PGroup(LONG, np.zeros(500)), PGroup("ones", np.ones(30), True)]),
}


@SIZES
@pytest.mark.parametrize("name", P_VALUES)
def test_p_values_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(panel_plots.p_values(P_VALUES[name], **WORDS).figure(size))


def test_bars_count_the_values_over_an_even_line() -> None:
    values = np.concatenate([np.full(30, 0.01), (np.arange(170) + 0.5) / 170])
    picture = panel_plots.p_values(PValueView([PGroup("series that cannot have gained", values, True)]), **WORDS)
    axes = axes_of(picture)[0]
    bars = [p for p in axes.patches if p.get_height() and 0 < p.get_width() < 0.06]
    assert sum(p.get_height() for p in bars) == 200
    assert bars[0].get_height() >= 38
    assert axes.get_ylim()[0] == 0
    even = [line for line in axes.lines if isinstance(line, Line2D) and list(line.get_ydata()) == [10, 10]]
    assert len(even) == 1
    words = said(picture)
    assert "Series that cannot have gained (200)" in words
    assert "38 below 0.05, by chance about 10" in words or "39 below 0.05, by chance about 10" in words


# all of them

FIGURES: dict[str, Callable[[], Picture]] = {
    "ranking": lambda: panel_plots.ranking(RANKINGS["times"], **WORDS),
    "response": lambda: panel_plots.mean_response(RESPONSES["four"], **WORDS),
    "multiples": lambda: panel_plots.small_multiples(MULTIPLES["twelve"], **WORDS),
    "minutes": lambda: panel_plots.small_multiples(
        MultiplesView([multiple(i, 30.0, step="1min", n=3000) for i in range(12)], DOWN), **WORDS
    ),
    "p": lambda: panel_plots.p_values(P_VALUES["four"], **WORDS),
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
            panel_plots.ranking(RANKINGS["one"], **(WORDS | {missing: " "}))
    assert panel_plots.ranking(RANKINGS["one"], **WORDS, caption="Read it so.").caption == "Read it so."


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RankingView([]), "no series has a gain"),
        (lambda: RankRow("x", 1.2, 1.1, 1.3, 0, 1, True), "'x': a ratio"),
        (lambda: RankRow("x", 1.0, np.inf, np.inf, 0, 1, True), "'x': a ratio"),
        (lambda: RankRow("x", 1.0, 1.1, 1.3, 2, 1, True), "'x': an extra"),
        (lambda: RankRow("x", np.nan, 1.1, 1.3, 0, 1, True), "'x': a ratio"),
        (lambda: ResponseView([], 3.8, "down"), "no group"),
        (lambda: ResponseView(GROUPS * 3, 3.8, "down"), "6 groups"),
        (lambda: response("x", 3, 1.0, hours=np.array([1.0, 0.0])), "increasing"),
        (lambda: MultiplesView([], DOWN), "no series"),
        (lambda: multiple(observed=np.full(336, np.nan)), "no step was counted"),
        (lambda: PValueView([]), "no p-value"),
        (lambda: PGroup("x", np.array([0.5, np.nan])), "between 0 and 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
