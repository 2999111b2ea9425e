"""Figures of all outages together: tidy in both widths, every outage named, and what is drawn is what was given."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from test_plots import assert_tidy, texts

from helpers.charts import pooled_plots, theme
from helpers.charts.picture import MIME, Picture
from helpers.charts.pooled_dose_axes import power_ticks
from helpers.charts.pooled_names import LONGEST, short
from helpers.charts.pooled_plots import DosePoint, DoseView, LeftOutView, PredictedRow
from helpers.charts.pooled_view import KINDS
from helpers.charts.theme import NARROW, WIDE

WORDS = {
    "title": "Ten times as many people hit, about six times as many for the rivals",
    "subtitle": "Extra users that rivals gained in and after outages, blocks and shutdowns.",
    "source": "Source: simulated outages.",
    "alt": "alt text",
}
WORDS_OF_EVENTS = WORDS | {"subtitle": "Extra users.", "source": "Source: simulated events."}
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
quick = settings(max_examples=3, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
SERVICES = ("WhatsApp", "SK Telecom", "Facebook", "X, Brazil", "KakaoTalk", "Twitter, Nigeria", "Yahoo Messenger")
LONG = "카카오톡 and a name that goes on for sixty characters, 22 Feb"
EMPTY = np.empty(0)


def names(n: int) -> list[str]:
    """Different names of usual lengths."""
    return [f"{SERVICES[i % 7]}, {i % 28 + 1} {('Feb', 'Oct', 'Apr')[i % 3]} {2010 + i // 7}" for i in range(n)]


def points(known: int, unknown: int, seed: int = 0, sd: float = 0.7) -> list[DosePoint]:
    """Gains that grow with people hit, in intervals of a factor 3 to 100."""
    rng = np.random.default_rng(seed)
    made = []
    for i, label in enumerate(names(known + unknown)):
        x = float(10 ** rng.uniform(5, 9.48))
        y = float(10 ** (0.75 * np.log10(x) - 0.9 + rng.normal(0, sd)))
        half = float(10 ** rng.uniform(0.24, 1))
        made.append(DosePoint(label, x if i < known else None, y / half, y, y * half, KINDS[(i * 7) % 5]))
    return made


def rule(given: list[DosePoint], top: float = 3e9) -> DoseView:
    grid = np.geomspace(1e5, top, 40)
    line = 10 ** (0.75 * np.log10(grid) - 0.9)
    mean, new = 10 ** (0.25 + 0.12 * abs(np.log10(grid) - 7)), 25.0
    return DoseView(given, grid, line / mean, line, line * mean, line / mean / new, line * mean * new)


def bare(given: list[DosePoint]) -> DoseView:
    return DoseView(given, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY)


ONE = DosePoint("WhatsApp, 22 Feb 2014", 4.5e8, 5e6, 7e6, 1.1e7, "outage")
DOSES = {
    "usual": rule(points(30, 25)),
    "one": bare([ONE]),
    "one without people": bare([replace(ONE, x=None)]),
    "one with a rule": rule([ONE]),
    "a rule, none with people": rule(points(0, 9)),
    "seventy": rule(points(70, 0)),
    "seventy without people": bare(points(0, 70)),
    "long names": rule([replace(p, label=f"{LONG} {i}") for i, p in enumerate(points(8, 8))]),
    "one long word": bare([replace(p, label="A" * 58 + f"{i:02}") for i, p in enumerate(points(3, 3))]),
    "twelve decades": rule([*points(9, 9), DosePoint("a", 1e-3, 1e-4, 1e-3, 1e9, "block"), replace(ONE, high=1e12)]),
    "all in one place": bare([replace(ONE, label=name) for name in names(18)]),
    "no interval": bare([replace(ONE, low=7e6, high=7e6), replace(ONE, x=None, low=7e6, high=7e6, label="Optus")]),
}


def said(picture: Picture, size: theme.Size = WIDE) -> str:
    # a word longer than its column is broken without a blank
    return "\n".join("".join(text.get_text().split()) for text in texts(picture.figure(size)))


def holds(words: str, label: str) -> bool:
    return "".join(theme.drawable(label).split()) in words.split("\n")


def axes_of(picture: Picture, size: theme.Size = WIDE) -> list[Axes]:
    figure = picture.figure(size)
    figure.draw_without_rendering()
    return figure.axes


@SIZES
@pytest.mark.parametrize("name", DOSES)
def test_dose_responses_are_tidy_and_name_every_outage(name: str, size: theme.Size) -> None:
    view = DOSES[name]
    figure = pooled_plots.dose_response(view, **WORDS).figure(size)
    assert_tidy(figure)
    words = "\n".join("".join(text.get_text().split()) for text in texts(figure))
    assert [p.label for p in view.points if not holds(words, short(p.label))] == []


def test_only_the_service_of_a_long_name_is_cut() -> None:
    whole = "Facebook, Instagram and WhatsApp, 4 Oct 2021"
    assert short("WhatsApp, 22 Feb 2014") == "WhatsApp, 22 Feb 2014"
    assert short(whole) == "Facebook, Instagram a…, 4 Oct 2021"
    for label in (whole, "A" * 60, "A" * 40 + ", " + "9" * 40, f"{LONG} 7"):
        assert len(short(label)) <= LONGEST
        assert "…" in short(label)
    picture = pooled_plots.dose_response(bare([replace(ONE, label=whole)]), **WORDS)
    assert picture.data is not None
    assert whole in picture.data.text


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_events_are_not_called_outages_and_the_band_is_of_the_median(size: theme.Size) -> None:
    """Few of the events are outages, and what lies in the darker band is a median, in every wording of it."""
    given = rule([replace(p, kind="block") for p in points(8, 5)])
    pictures = [
        pooled_plots.dose_response(given, **WORDS_OF_EVENTS),
        pooled_plots.left_out(LeftOutView(LEFT_OUT["usual"]), **WORDS_OF_EVENTS),
    ]
    for picture in pictures:
        words = "\n".join(text.get_text() for text in texts(picture.figure(size)))
        assert "outage" not in words.lower()
        assert "mean" not in f"{words} {picture.caption}"
    assert "median" in "".join(text.get_text() for text in texts(pictures[0].figure(size)))
    assert "median gain lies" in pictures[0].caption
    assert "gain is known best (the narrowest interval)" in pictures[0].caption
    assert "from all other events" in pictures[1].caption
    assert "outage" not in pictures[1].caption


@quick
@given(st.integers(1, 25), st.integers(0, 25), st.floats(0, 3), st.sampled_from([WIDE, NARROW]))
def test_no_dose_response_makes_words_meet(known: int, unknown: int, sd: float, size: theme.Size) -> None:
    assert_tidy(pooled_plots.dose_response(rule(points(known, unknown, known, sd)), **WORDS).figure(size))


@SIZES
def test_marks_and_bands_are_what_was_given(size: theme.Size) -> None:
    view = rule(points(10, 8))
    axes = axes_of(pooled_plots.dose_response(view, **WORDS), size)
    assert len(axes) == 2
    assert {a.get_yscale() for a in axes} == {"log"}
    assert axes[0].get_ylim() == axes[1].get_ylim()
    marks = [{line.get_ydata()[0] for line in a.lines if len(line.get_ydata()) == 1} for a in axes]  # type: ignore[index]
    assert marks[0] == {p.middle for p in view.points if p.x is not None}
    assert marks[1] == {p.middle for p in view.points if p.x is None}
    bars = {tuple(line.get_ydata()) for a in axes for line in a.lines if len(line.get_ydata()) == 2}  # type: ignore[arg-type]
    assert {(p.low, p.high) for p in view.points} <= bars
    bands = [np.concatenate([path.vertices for path in c.get_paths()])[:, 1] for c in axes[0].collections
             if isinstance(c, PolyCollection)]  # fmt: skip
    ends = {(round(band.min(), 3), round(band.max(), 3)) for band in bands}
    assert ends == {
        (round(view.low.min(), 3), round(view.high.max(), 3)),
        (round(view.wide_low.min(), 3), round(view.wide_high.max(), 3)),
    }


def test_kinds_differ_without_colour() -> None:
    view = bare([replace(ONE, label=kind, kind=kind, x=10.0**i) for i, kind in enumerate(KINDS)])
    axes = axes_of(pooled_plots.dose_response(view, **WORDS))[0]
    shapes = {line.get_marker() for line in axes.lines if len(line.get_ydata()) == 1}  # type: ignore[arg-type]
    assert len(shapes) == 5


def test_names_are_words_on_a_wide_page_and_numbers_on_a_phone() -> None:
    picture = pooled_plots.dose_response(rule(points(8, 5)), **WORDS)
    numbers = {str(i) for i in range(1, 14)}
    for size, expected in ((WIDE, False), (NARROW, True)):
        lines = said(picture, size).split("\n")
        assert (numbers <= set(lines)) == expected
        assert any("notpublished(5)" in line for line in lines)
    assert "People hit by the event" in "\n".join(t.get_text() for t in texts(picture.figure(NARROW)))
    assert "of 5 events nobody published" in picture.caption
    assert "the line is what the rule says" in picture.caption
    alone = pooled_plots.dose_response(DOSES["one"], **WORDS).caption
    assert "rule" not in alone
    assert "nobody" not in alone


def test_ticks_are_powers_of_ten_with_room() -> None:
    values, words = power_ticks(1e5, 3e9, 450, 11, across=True)
    assert dict(zip(words, values, strict=True))["1 million"] == 1e6
    assert len(words) == 5
    values, words = power_ticks(1e-6, 1e12, 240, 10.5, across=True)
    assert values == sorted(values)
    assert 2 <= len(values) <= 8
    assert len(power_ticks(3e4, 9e5, 450, 11, across=False)[0]) >= 3


# left out


def row(label: str, middle: float, sd: float = 0.7, seen: float | None = None, half: float = 3.0) -> PredictedRow:
    ends = [middle * 10 ** (z * sd) for z in (-1.96, -1.28, 0, 1.28, 1.96)]
    seen = middle if seen is None else seen
    return PredictedRow(label, *ends, seen / half, seen, seen * half)


def rows(n: int, seed: int = 1) -> list[PredictedRow]:
    rng = np.random.default_rng(seed)
    made = []
    for label in names(n):
        middle, sd = 10 ** rng.uniform(3.5, 7.5), rng.uniform(0.5, 0.9)
        made.append(row(label, middle, sd, middle * 10 ** rng.normal(0, 1.1 * sd), 10 ** rng.uniform(0.24, 1)))
    return sorted(made, key=lambda r: -r.middle)


LEFT_OUT = {
    "usual": rows(30),
    "one": rows(1),
    "sixty": rows(60),
    "none inside": [row(name, 1e5, seen=1e9) for name in names(4)],
    "long names": [replace(r, label=f"{LONG} {i}") for i, r in enumerate(rows(8))],
    "one long word": [replace(r, label="A" * 60) for r in rows(2)],
    "twelve decades": [*rows(5), row("a", 1e-3), row("b", 1e11, 0.3)],
    "no width": [row("a", 1e5, 0.0, half=1.0)],
}


@SIZES
@pytest.mark.parametrize("name", LEFT_OUT)
def test_left_out_is_tidy_and_names_every_outage(name: str, size: theme.Size) -> None:
    figure = pooled_plots.left_out(LeftOutView(LEFT_OUT[name]), **WORDS).figure(size)
    assert_tidy(figure)
    words = "\n".join("".join(text.get_text().split()) for text in texts(figure))
    assert [r.label for r in LEFT_OUT[name] if not holds(words, r.label)] == []


def test_outside_is_another_shape_and_colour() -> None:
    given = [row("in", 1e5), row("out", 1e5, seen=1e8), row("at the end", 1e5, seen=1e5 * 10 ** (1.96 * 0.7))]
    picture = pooled_plots.left_out(LeftOutView(given), **WORDS)
    axes = axes_of(picture)[0]
    dots = [line for line in axes.lines if line.get_marker() in ("o", "X")]
    assert [(d.get_marker(), d.get_color()) for d in dots] == [
        ("o", theme.INK), ("X", theme.OUTAGE), ("o", theme.INK)
    ]  # fmt: skip
    assert [float(np.asarray(d.get_xdata())[0]) for d in dots] == [r.seen_middle for r in given]
    heights = [float(np.asarray(d.get_ydata())[0]) for d in dots]
    assert heights == sorted(heights)  # drawn in the order given
    assert axes.get_xscale() == "log"
    bands = [c.get_paths()[0].vertices[:, 0] for c in axes.collections if isinstance(c, PolyCollection)]
    ends = {(round(band.min(), 6), round(band.max(), 6)) for band in bands}
    first = given[0]
    assert ends == {
        (round(first.low95, 6), round(first.high95, 6)), (round(first.low80, 6), round(first.high80, 6))
    }  # fmt: skip
    words = "\n".join(text.get_text() for text in texts(picture.figure()))
    assert "in the 95% band (2)" in words
    assert "outside the 95% band (1)" in words
    assert "2 of 3 lie in the pale bar, red crosses do not" in picture.caption


# both

FIGURES: dict[str, Callable[[], Picture]] = {
    "dose": lambda: pooled_plots.dose_response(rule(points(14, 12)), **WORDS),
    "left out": lambda: pooled_plots.left_out(LeftOutView(LEFT_OUT["usual"]), **WORDS),
}


@pytest.mark.parametrize("name", FIGURES)
def test_same_bytes_small_and_with_words(name: str) -> None:
    first, second = FIGURES[name](), FIGURES[name]()
    assert (first.wide, first.narrow) == (second.wide, second.narrow)
    assert len(first.wide.encode()) + len(first.narrow.encode()) < 140_000
    assert 'aria-label="alt text"' in first.narrow
    assert first.caption.endswith(".")
    data, _ = first._repr_mimebundle_()
    assert set(data[MIME]) == {"wide", "narrow", "alt", "caption", "source"}
    json.dumps(data)


def test_a_figure_needs_its_words() -> None:
    for missing in ("alt", "source"):
        with pytest.raises(ValueError, match=missing):
            pooled_plots.dose_response(DOSES["one"], **(WORDS | {missing: " "}))
    assert pooled_plots.dose_response(DOSES["one"], **WORDS, caption="Read it so.").caption == "Read it so."
    assert pooled_plots.left_out(LeftOutView(rows(1)), **WORDS, caption="Read it so.").caption == "Read it so."


GRID = np.array([1.0, 2.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(ONE, low=8e6), r"'WhatsApp, 22 Feb 2014': expected .* low <= middle <= high, got 8e\+06"),
        (lambda: replace(ONE, low=0.0), "positive"),
        (lambda: replace(ONE, high=np.inf), "finite"),
        (lambda: replace(ONE, middle=np.nan), "got 5e\\+06, nan"),
        (lambda: replace(ONE, x=-1.0), "people hit, or None, got -1"),
        (lambda: replace(ONE, x=np.nan), "people hit"),
        (lambda: replace(ONE, label=" "), "needs a name"),
        (lambda: replace(ONE, kind="crash"), "expected a kind of outage, .* got 'crash'"),
        (lambda: bare([]), "no event has a gain"),
        (lambda: replace(bare([ONE]), level=95.0), "between 0 and 1, got 95"),
        (lambda: replace(bare([ONE]), grid=GRID), "arrays of 2 people hit"),
        (lambda: DoseView([ONE], GRID[::-1], *[GRID] * 5), "increasing"),
        (lambda: DoseView([ONE], GRID - 1, *[GRID] * 5), "positive"),
        (lambda: DoseView([ONE], GRID, GRID, GRID * 3, GRID * 2, GRID, GRID * 4), "the rule at 1 people"),
        (lambda: DoseView([ONE], GRID, *[GRID * np.nan] * 5), "the rule at 1 people"),
        (lambda: LeftOutView([]), "nothing to draw"),
        (lambda: replace(row("x", 1e5), low80=1.0), "'x': expected .* low95 <= low80"),
        (lambda: replace(row("x", 1e5), seen_low=1e9), "'x': expected .* seen_low <= seen_middle"),
        (lambda: replace(row("x", 1e5), seen_low=0.0), "positive"),
        (lambda: row("", 1e5), "needs a name"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
