"""Figures about published figures: tidy in both widths, and the numbers drawn are the numbers given."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.patches import Rectangle
from test_plots import assert_tidy, texts

from helpers.charts import ratio_axes, scale_plots, theme
from helpers.charts.picture import Picture
from helpers.charts.scale_plots import OutageSpan, PooledRatio, Ratio, ScaleFigure, ScaleView, UsualStep
from helpers.charts.theme import NARROW, WIDE

WORDS = {
    "title": "100 a second cannot have lasted the day",
    "subtitle": "Published figures as rates.",
    "source": "Source: Telegram, Reuters.",
    "alt": "alt text",
}
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
quick = settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def said(picture: Picture, size: theme.Size = WIDE) -> str:
    return "\n".join(text.get_text().replace("\n", " ") for text in texts(picture.figure(size)))


FIGURES = (
    ScaleFigure("4.95 million on 23 Feb", utc("2014-02-23"), utc("2014-02-24"), 4.95e6, 4.9e6, 5e6),
    ScaleFigure("over 1.8 million on 22 Feb", utc("2014-02-22"), utc("2014-02-23"), 1.8e6, 1.8e6, math.inf),
    ScaleFigure(
        "about 100 a second", utc("2014-02-22T19:00"), utc("2014-02-22T22:48"), 8.64e6, 8.2e6, 9.1e6, kind="instant"
    ),
    ScaleFigure("up to 9 million in four days", utc("2014-02-21"), utc("2014-02-25"), 2.25e6, 0, 2.25e6, agrees=False),
    ScaleFigure(
        "1.1 million installs", utc("2014-02-22"), utc("2014-02-24"), 5.5e5, 5e5, 6e5, quantity="installs",
        claimant="panel",
    ),
    ScaleFigure(
        "4 million while it lasted", utc("2014-02-22T19:00"), utc("2014-02-22T23:00"), 2.4e7, 2e7, 3e7,
        claimant="press",
    ),
)  # fmt: skip
DOWN = OutageSpan(utc("2014-02-22T19:00"), utc("2014-02-22T22:48"), "WhatsApp down 19:00–22:48 UTC")
USUAL = UsualStep(utc("2013-11-25"), utc("2014-02-26"), 4.4e5, 5.5e5, 6.5e5)
VIEW = ScaleView("Telegram", "day", FIGURES, [USUAL], [DOWN])


def long_view(figures: int, outages: int = 21) -> ScaleView:
    """Twelve years of invented figures in bursts."""
    rng = np.random.default_rng(4)
    bursts = [utc("2013-06-01") + pd.Timedelta(days=float(d)) for d in np.sort(rng.uniform(0, 4400, outages))]
    made = []
    for i in range(figures):
        start = bursts[int(rng.integers(0, outages))] + pd.Timedelta(hours=float(rng.uniform(0, 60)))
        value = float(10 ** rng.uniform(0, 3))
        made.append(
            ScaleFigure(
                f"figure {i} of somebody", start, start + pd.Timedelta(hours=float(rng.uniform(1, 800))), value,
                value * 0.8, math.inf if rng.random() < 0.3 else value * 1.2,
                quantity=("sign-ups", "installs", "daily users", "searches", "views", "posts")[i % 6],
                claimant=("company", "panel", "press", "api_count", "paper", "somebody else")[i % 6],
            )
        )  # fmt: skip
    steps = [
        UsualStep(utc(f"{y}-01-01"), utc(f"{y + 3}-01-01"), 1 + y - 2013, 2 + y - 2013, 4 + y - 2013)
        for y in (2013, 2016, 2019)
    ]
    spans = [OutageSpan(b, b + pd.Timedelta(hours=9), f"event {i}") for i, b in enumerate(bursts)]
    return ScaleView("Telegram", "second", made, steps, spans)


VIEWS = {
    "2014": VIEW,
    "one figure": ScaleView("Line", "day", FIGURES[:1], [USUAL], [DOWN]),
    "no usual level": ScaleView("Telegram", "hour", FIGURES),
    "no end": ScaleView("Telegram", "day", FIGURES, [], [OutageSpan(utc("2014-02-22"), None, "Blocked in Iran")]),
    "three outages": ScaleView(
        "Telegram", "day", FIGURES, [USUAL],
        [
            DOWN,
            OutageSpan(utc("2014-02-24"), utc("2014-02-25"), "Telegram itself down"),
            OutageSpan(utc("2014-02-19"), utc("2014-02-19T01:00"), "purchase announced"),
        ],
    ),
    "long words": ScaleView("Telegram", "day", [replace(FIGURES[0], label="카카오톡 " + "long words " * 14)]),
    "twelve years": long_view(38),
    "300 figures": long_view(300),
    "80 in one spot": ScaleView("Telegram", "day", [*FIGURES, *[FIGURES[0]] * 80]),
    "usual only": ScaleView("Telegram", "day", [], [USUAL]),
    "outside": ScaleView("Telegram", "day", FIGURES, [USUAL], [DOWN], since=utc("2020-01-01"), until=utc("2020-02-01")),
    "nothing": ScaleView("Telegram", "day", []),
}  # fmt: skip


@SIZES
@pytest.mark.parametrize("name", VIEWS)
def test_figures_on_scale_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(scale_plots.figures_on_scale(VIEWS[name], **WORDS).figure(size))


@st.composite
def views(draw: st.DrawFn) -> ScaleView:
    span = 10.0 ** draw(st.floats(0, 3.6))
    made = []
    for i in range(draw(st.integers(0, 14))):
        start = utc("2014-02-19") + pd.Timedelta(days=span * draw(st.floats(0, 0.9)))
        value = 10.0 ** draw(st.floats(-2, 8))
        low, high = value * draw(st.sampled_from([0.0, 0.5, 1.0])), value * draw(st.sampled_from([1.0, 2.0, math.inf]))
        made.append(
            ScaleFigure(
                f"figure {i} " + draw(st.sampled_from(["", "of that day", "published by an analytics firm in May"])),
                start, start + pd.Timedelta(days=span * draw(st.floats(0.001, 0.4))), value, low, high,
                draw(st.sampled_from(["mean", "instant"])), draw(st.sampled_from(["sign-ups", "installs"])),
                draw(st.sampled_from(["company", "panel", "press"])), draw(st.booleans()),
            )
        )  # fmt: skip
    outages = []
    for at in draw(st.lists(st.floats(0, 1), max_size=4)):
        start = utc("2014-02-19") + pd.Timedelta(days=span * at)
        end = None if at > 0.8 else start + pd.Timedelta(days=span * at)
        outages.append(OutageSpan(start, end, f"down {at:.1f}"))
    return ScaleView("Telegram", draw(st.sampled_from(["second", "hour", "day"])), made, [USUAL], outages)


@quick
@given(views(), st.sampled_from([WIDE, NARROW]))
def test_no_view_makes_words_meet(view: ScaleView, size: theme.Size) -> None:
    assert_tidy(scale_plots.figures_on_scale(view, **WORDS).figure(size))


def test_figures_carry_their_own_words() -> None:
    wide = said(scale_plots.figures_on_scale(VIEW, **WORDS))
    for figure in FIGURES:
        assert figure.label in wide
    assert "usual: 440,000 to 650,000 a day" in wide
    assert "WhatsApp down 19:00–22:48 UTC" in wide
    narrow = said(scale_plots.figures_on_scale(VIEW, **WORDS), NARROW)
    assert "4.95 million on 23 Feb: 4.95 million a day" in narrow
    assert "over 1.8 million on 22 Feb: at least 1.8 million a day" in narrow
    assert "up to 9 million in four days: at most 2.25 million a day, contradicted" in narrow


def test_boxes_stand_where_their_figures_are() -> None:
    view = ScaleView("Telegram", "day", FIGURES[:1])
    figure = scale_plots.figures_on_scale(view, **WORDS).figure(WIDE)
    axes = figure.axes[0]
    blue = tuple(int(theme.FIT[i : i + 2], 16) / 255 for i in (1, 3, 5))
    boxes = [p for p in figure.findobj(Rectangle) if p.get_facecolor()[:3] == pytest.approx(blue)]
    [box] = [p for p in boxes if p.get_height() > 0]
    low, high = axes.transData.inverted().transform(
        [(box.get_x(), box.get_y()), (box.get_x() + box.get_width(), box.get_y() + box.get_height())]
    )
    days = (FIGURES[0].start - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    assert (low[0], high[0]) == pytest.approx((days, days + 1), abs=1e-6)
    # 4.9 to 5.0 million is thinner than can be seen: drawn three points high around its value
    assert math.sqrt(low[1] * high[1]) == pytest.approx(4.95e6, rel=0.002)
    assert axes.get_yscale() == "log"


def test_of_many_figures_the_highest_are_named_and_the_rest_counted() -> None:
    view = long_view(38)
    text = said(scale_plots.figures_on_scale(view, **WORDS))
    highest = max(view.figures, key=lambda figure: figure.value)
    assert highest.label in text
    assert "30 more figures are drawn without words." in text


def test_claimants_differ_without_colour() -> None:
    view = long_view(12, 3)
    keys = said(scale_plots.figures_on_scale(view, **WORDS))
    for words in ("said by the company", "measured by a panel", "press, no maker named", "full count", "a study"):
        assert words in keys
    figure = scale_plots.figures_on_scale(view, **WORDS).figure(WIDE)
    ink = [p for p in figure.findobj(Rectangle) if p.get_width() == 18]
    looks = {(p.get_hatch(), str(p.get_linestyle()), p.get_facecolor()[3]) for p in ink}
    assert len(looks) == len(ink) == 6
    # SVG applies the opacity of a face to the strokes of its hatch: a hatched face is opaque, or none at all
    assert {p.get_facecolor()[3] for p in ink if p.get_hatch()} <= {0.0, 1.0}
    drawn = scale_plots.figures_on_scale(view, **WORDS).wide
    assert not re.search(r"<pattern[^>]*>\s*<rect[^>]*fill=\"#1f2430\"", drawn)


RATIOS = (
    Ratio("Telegram, 4 October 2021", 11.1, 11.1, math.inf, "over 70 million against 6.3 million"),
    Ratio("Telegram, January 2021", 1.6, 2.9, 5.1, "25 million in 72 hours against 15.7 million in the week"),
    Ratio("Telegram, January 2021, month", 0, 1.43, 1.43, "90 million against over 63 million"),
    Ratio("KakaoTalk users to Telegram in Korea in the year 2014", 1.2, 1.5, 1.9),
)
POOLED = PooledRatio(2.4, 1.3, 4.6, 0.7, 9.2)
FORESTS = {
    "some": (RATIOS, POOLED),
    "no next": (RATIOS, PooledRatio(2.4, 1.3, 4.6)),
    "not pooled": (RATIOS[:1], None),
    "pooled only": ((), POOLED),
    "sixty": (RATIOS * 15, POOLED),
    "far apart": ((Ratio("a", 1e-5, 1e-4, 1e-3), Ratio("b", 1e3, 1e4, 1e5)), None),
    "nothing": ((), None),
}


@SIZES
@pytest.mark.parametrize("name", FORESTS)
def test_forests_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(scale_plots.claim_ratios(*FORESTS[name], **WORDS).figure(size))


def test_a_forest_draws_and_says_the_numbers_given() -> None:
    picture = scale_plots.claim_ratios(RATIOS, POOLED, **WORDS)
    text = said(picture)
    for words in ("at least 11 times", "1.6 to 5.1 times", "at most 1.4 times", "1.3 to 4.6 times", "0.7 to 9.2 times"):
        assert words in text
    assert "×1/2" in text
    axes = picture.figure(WIDE).axes[0]
    squares = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() == "s"]
    assert squares == [row.middle for row in RATIOS]
    bars = [tuple(line.get_xdata()) for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert (1.6, 5.1) in bars
    [diamond] = [patch for patch in axes.patches if len(patch.get_xy()) == 5 and patch.get_zorder() == 4]
    assert sorted(set(diamond.get_xy()[:, 0].tolist())) == [1.3, 2.4, 4.6]
    assert "26 more pairs not drawn." in said(scale_plots.claim_ratios(RATIOS * 14, POOLED, **WORDS))


def test_ratios_in_words() -> None:
    assert ratio_axes.times(1.26, 3.94) == "1.3 to 3.9 times"
    assert ratio_axes.times(2.01, 2.04) == "about 2 times"
    assert ratio_axes.times(11.11, math.inf) == "at least 11 times"
    assert ratio_axes.times(0, 0.5) == "at most 0.5 times"


def test_pictures_carry_their_words_and_are_the_same_every_time() -> None:
    for make in (
        lambda: scale_plots.figures_on_scale(VIEW, **WORDS),
        lambda: scale_plots.figures_on_scale(long_view(38), **WORDS),
        lambda: scale_plots.claim_ratios(RATIOS, POOLED, **WORDS),
    ):
        first, second = make(), make()
        assert (first.wide, first.narrow) == (second.wide, second.narrow)
        assert len(first.wide.encode()) < 120_000
        assert first.alt == "alt text"
        assert first.caption.endswith(".")
        assert first.source in said(first)
    assert "arrows are bounds" in scale_plots.figures_on_scale(VIEW, **WORDS).caption
    assert scale_plots.claim_ratios(RATIOS, None, **WORDS, caption="So.").caption == "So."


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(FIGURES[0], end=FIGURES[0].start), "ends after it starts"),
        (lambda: replace(FIGURES[0], start=pd.Timestamp("2014-02-23")), "in UTC"),
        (lambda: replace(FIGURES[0], value=0.0, low=0.0), "logarithmic"),
        (lambda: replace(FIGURES[0], value=math.nan), "logarithmic"),
        (lambda: replace(FIGURES[0], low=6e6), "is not in"),
        (lambda: replace(USUAL, low=0.0), "cannot be drawn"),
        (lambda: replace(USUAL, high=math.inf), "cannot be drawn"),
        (lambda: Ratio("a", 2, 1, 3), "a ratio of 1"),
        (lambda: Ratio("a", 0, 0, 3), "a ratio of 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


@SIZES
def test_levels_of_two_counts_at_one_time_are_both_named(size: theme.Size) -> None:
    start, end = utc("2014-02-20"), utc("2014-02-26")
    both = [
        UsualStep(start, end, 1e5, 1e5, 1e5, "usual sign-ups: about 100,000 a day"),
        UsualStep(start, end, 3e4, 3e4, 3e4, "usual installs: about 30,000 a day"),
    ]
    picture = scale_plots.figures_on_scale(replace(VIEW, usual=both), **WORDS)
    shown = said(picture, size)
    assert "usual sign-ups" in shown
    assert "usual installs" in shown
    assert_tidy(picture.figure(size))
