"""Figures of the outage history: tidy in both widths, the numbers given are the numbers drawn, nothing is dropped."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.lines import Line2D
from test_plots import assert_tidy, texts

from helpers.charts import history_axes, history_plots, theme, timeline_view
from helpers.charts.history_plots import (
    NO_CAUSE,
    Even,
    Incident,
    NextYear,
    Prediction,
    RatePanel,
    Survival,
    TimeLane,
    TrendLine,
    YearRate,
)
from helpers.charts.picture import Picture
from helpers.charts.theme import NARROW, WIDE

WORDS = {
    "title": "WhatsApp failed nine to twenty times, at most once for a whole day",
    "subtitle": "Published outages only.",
    "source": "Source: TechCrunch, Reuters.",
    "alt": "alt text",
}
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
quick = settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def said(picture: Picture, size: theme.Size = WIDE) -> str:
    return "\n".join(text.get_text().replace("\n", " ") for text in texts(picture.figure(size)))


WHATSAPP = TimeLane(
    "WhatsApp",
    [
        Incident(utc("2013-01-01"), None, until=utc("2014-01-01"), count=7),
        Incident(utc("2014-02-22T19:00"), 3.8, "network fault"),
        Incident(utc("2014-04-02"), None, "too many users"),
        Incident(utc("2015-12-31T16:30"), 1.0, "too many users"),
        Incident(utc("2019-03-13"), 22.0, "change of settings"),
        Incident(utc("2021-10-04T15:39"), 7.18, "change of settings"),
        Incident(utc("2023-02-01"), 1.25, until=utc("2023-03-01")),
    ],
    utc("2013-01-01"),
)


def lanes(services: int, events: int, seed: int = 1) -> list[TimeLane]:
    """Invented events: 6 minutes to 22 days long, a third of unknown length, of eight causes."""
    rng = np.random.default_rng(seed)
    causes = [NO_CAUSE, "too many users", "change of settings", "attack", "fire", "power", "court order", "closed"]
    owners = np.concatenate([np.arange(services), rng.integers(0, services, max(events - services, 0))])
    made: list[list[Incident]] = [[] for _ in range(services)]
    for owner in owners[:events].tolist():
        start = utc("2008-01-01") + pd.Timedelta(days=float(rng.uniform(0, 6800)))
        hours = float(np.exp(rng.uniform(np.log(0.1), np.log(528)))) if rng.random() > 0.33 else None
        made[owner].append(Incident(start, hours, causes[int(rng.integers(0, 8) * rng.random())]))
    names = ["Service", "Kakao Talk and other services with long names", "X"]
    return [TimeLane(f"{names[i % 3]} {i}", events) for i, events in enumerate(made)]


TIMELINES = {
    "one service": [WHATSAPP],
    "eight services": [*lanes(7, 60), WHATSAPP],
    "212 events of 120 services": lanes(120, 212),
    "819 incidents": lanes(1, 819),
    "one event": [TimeLane("Line", [Incident(utc("2014-02-22"), 4.0)])],
    "one event of unknown length": [TimeLane("Line", [Incident(utc("2014-02-22"), np.nan)], utc("2012-01-01"))],
    "only a count": [TimeLane("Line", WHATSAPP.incidents[:1])],
    "a lane without events": [WHATSAPP, TimeLane("Quiet", [], utc("2020-01-01"))],
    "nothing": [],
}


@SIZES
@pytest.mark.parametrize("name", TIMELINES)
def test_time_lines_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(history_plots.timeline(TIMELINES[name], **WORDS).figure(size))


@st.composite
def some_lanes(draw: st.DrawFn) -> list[TimeLane]:
    made = []
    for i in range(draw(st.integers(1, 9))):
        incidents = []
        for _ in range(draw(st.integers(0, 8))):
            start = utc("2010-01-01") + pd.Timedelta(days=draw(st.floats(0, 6000)))
            until = start + pd.Timedelta(days=draw(st.floats(1, 400))) if draw(st.booleans()) else None
            count = draw(st.integers(1, 40)) if until is not None else 1
            hours = draw(st.none() | st.floats(0, 9000))
            group = draw(
                st.sampled_from(["", "attack", "카카오톡", "a cause with a long name " * 3, "b", "c", "d", "e"])
            )
            incidents.append(Incident(start, hours, group, until, count))
        made.append(TimeLane("long name " * i, incidents, utc("2012-01-01") if draw(st.booleans()) else None))
    return made


@quick
@given(some_lanes(), st.sampled_from([WIDE, NARROW]))
def test_no_events_make_words_meet(made: list[TimeLane], size: theme.Size) -> None:
    assert_tidy(history_plots.timeline(made, **WORDS).figure(size))


def test_the_time_line_says_what_it_draws() -> None:
    text = said(history_plots.timeline([WHATSAPP], **WORDS))
    assert "7 in 2013, days unknown" in text
    assert "13 Mar 2019, 22 hours" in text
    assert "4 Oct 2021, 7.2 hours" in text
    assert "13 outages" in text  # the seven of 2013 and six others
    assert "hollow: length not published" in text


def test_services_beyond_the_last_lane_share_it_and_none_is_lost() -> None:
    given = lanes(120, 212)
    shown = timeline_view.capped(given, 12)
    assert shown[-1].service == "and 109 more services"
    assert sum(lane.total for lane in shown) == 212
    assert [lane.total for lane in shown[:-1]] == sorted((lane.total for lane in given), reverse=True)[:11]
    assert "and 109 more services" in said(history_plots.timeline(given, **WORDS))
    assert timeline_view.capped(given[:12], 12) == sorted(given[:12], key=lambda lane: -lane.total)


def test_longer_is_higher_and_unknown_is_hollow_at_the_foot() -> None:
    hours = {2015: 1.0, 2016: 100.0, 2017: None}
    lane = TimeLane("A", [Incident(utc(f"{year}-01-01"), length, "attack") for year, length in hours.items()])
    figure = history_plots.timeline([lane], **WORDS).figure(WIDE)
    squares = [line for line in figure.findobj(Line2D) if line.get_marker() == "s" and line.get_zorder() == 4]
    [known] = [line for line in squares if len(line.get_xdata()) == 2]
    [unknown] = [line for line in squares if len(line.get_xdata()) == 1]
    (short, long), [foot] = known.get_ydata(), unknown.get_ydata()
    assert foot < short < long
    assert unknown.get_markerfacecolor() == theme.PAPER
    assert known.get_markerfacecolor() == theme.FIT
    first, second, third = (*known.get_xdata(), *unknown.get_xdata())
    assert second - first == pytest.approx(third - second, rel=0.01)


def test_groups_get_looks_that_differ_without_colour() -> None:
    names = ["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d", "d", "e", "unknown", ""]
    looks = history_axes.group_looks(names)
    assert {looks[name][0] for name in "abcde"} == {"a", "b", "c", history_axes.OTHERS}
    assert looks["unknown"] == looks[""] == (NO_CAUSE, history_axes.QUIET_LOOK)
    drawn = set(looks.values())
    assert len(drawn) == 5
    for one, other in itertools.combinations([look for _, look in drawn], 2):
        assert one.marker != other.marker
        assert one.dash != other.dash
    assert history_axes.group_looks(reversed(names)) == looks
    assert history_axes.group_looks([]) == {}


@pytest.mark.parametrize(
    ("start", "until", "name"),
    [
        ("2013-01-01", "2014-01-01", "2013"),
        ("2023-02-01", "2023-03-01", "Feb 2023"),
        ("2019-08-01", "2019-11-06", "Aug–Nov 2019"),
        ("2019-11-01", "2020-02-01", "2019–2020"),
    ],
)
def test_spans_have_names(start: str, until: str, name: str) -> None:
    assert timeline_view.span_name(utc(start), utc(until)) == name


@pytest.mark.parametrize("hours", [2, 30, 24 * 9, 24 * 60, 24 * 800, 24 * 365 * 14, 24 * 365 * 90])
@pytest.mark.parametrize("room", [170.0, 560.0])
def test_dates_on_an_axis_are_round_and_apart(hours: float, room: float) -> None:
    start = utc("2014-02-19T10:23")
    end = start + pd.Timedelta(hours=hours)
    places, names = history_axes.date_ticks(start, end, room, 11)
    assert 1 <= len(places) == len(names) <= 40
    assert all(history_axes.days(start) <= place <= history_axes.days(end) for place in places)
    at = [(place - history_axes.days(start)) * 24 / hours * room for place in places]
    wide = [theme.extent(name, 11)[0] for name in names]
    assert all(b - a > (v + w) / 2 for a, b, v, w in zip(at, at[1:], wide, wide[1:], strict=False))


@pytest.mark.parametrize("top", [0.4, 1, 3.2, 9.9, 13.4, 47, 460, 9999, 1e6])
def test_counts_on_an_axis_are_whole_and_few(top: float) -> None:
    ticks = history_axes.count_ticks(top)
    assert ticks[0] == 0
    assert all(tick == int(tick) <= top for tick in ticks)
    assert len(ticks) <= 6
    assert len(ticks) >= 2 or top < 1


def panel(service: str, counts: list[int], first: int, trend: bool = True, part: str = "Jan–Nov") -> RatePanel:
    years = [YearRate(first + i, n, float(n), max(n - 1.5, 0), n + 3.7) for i, n in enumerate(counts)]
    last = years[-1]
    years[-1] = YearRate(last.year, last.count, last.rate / 0.9, last.low, last.high / 0.9, part)
    at = np.linspace(first, first + len(counts), 20)
    middle = np.full(20, max(float(np.mean(counts)), 0.1))
    line = TrendLine(at, middle, middle / 2, middle * 2) if trend else None
    forecast = NextYear(middle[0], (0, 2 * middle[0]), (0, 4 * middle[0])) if trend else None
    return RatePanel(service, years, line, forecast, "no clear trend" if trend else "too few to tell")


RATES = {
    "one": [panel("WhatsApp", [7, 2, 1, 0, 4, 0, 3, 2, 3, 2, 1, 2, 2, 0], 2013)],
    "eight": [panel(f"Service with a name {i}", [i, 0, 2, 1, 3][: 2 + i % 4], 2010 + i) for i in range(8)],
    "nine": [panel(f"S{i}", [i, 0, 2], 2020) for i in range(9)],
    "far apart": [panel("GitHub", [150, 170, 160, 210], 2022), panel("WhatsApp", [1, 0, 2], 2023)],
    "one part year": [panel("New", [1], 2026, trend=False, part="3 weeks of Nov")],
    "never": [panel("Quiet", [0, 0, 0], 2020)],
    "no years": [RatePanel("Nothing", [])],
    "nothing": [],
}


@SIZES
@pytest.mark.parametrize("name", RATES)
def test_yearly_rates_are_tidy(name: str, size: theme.Size) -> None:
    assert_tidy(history_plots.yearly_rates(RATES[name], **WORDS).figure(size))


def test_yearly_rates_draw_the_numbers_given() -> None:
    shown = RATES["one"][0]
    axes = history_plots.yearly_rates([shown], **WORDS).figure(WIDE).axes[0]
    dots = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.get_lines() if line.get_marker() == "o"}
    assert dots == {(year.year + 0.5, year.rate) for year in shown.years}
    bars = [line for line in axes.get_lines() if len(line.get_xdata()) == 2]
    top = axes.get_ylim()[1]
    assert {tuple(bar.get_ydata()) for bar in bars} == {(year.low, min(year.high, top)) for year in shown.years}
    assert axes.get_ylim()[0] == 0
    hollow = [
        line for line in axes.get_lines() if line.get_marker() == "o" and line.get_markerfacecolor() == theme.PAPER
    ]
    assert [line.get_xdata()[0] for line in hollow] == [2026.5]
    text = said(history_plots.yearly_rates([shown], **WORDS))
    assert "No clear trend. Part year: Jan–Nov 2026." in text
    assert "next 12 months" in text


def test_services_without_a_panel_are_counted_and_scales_named() -> None:
    assert "Not drawn: 1 more service." in said(history_plots.yearly_rates(RATES["nine"], **WORDS))
    apart = history_plots.yearly_rates(RATES["far apart"], **WORDS)
    assert "The panels have different scales." in said(apart)
    alike = history_plots.yearly_rates(RATES["eight"], **WORDS).figure(WIDE)
    assert len({axes.get_ylim() for axes in alike.axes}) == 1


def curve(label: str, n: int, seed: int = 0, band: bool = False) -> Survival:
    rng = np.random.default_rng(seed)
    hours = np.sort(np.exp(rng.normal(1, 1.6, n)))
    share = 1 - np.arange(1, n + 1) / n
    low, high = (np.clip(share - 0.1, 0, 1), np.clip(share + 0.1, 0, 1)) if band else (None, None)
    middle = float(np.median(hours))
    return Survival(label, hours, share, n, low, high, np.array([0.0, 0.5, 30.0]), (middle / 2, middle, middle * 2))


SURVIVAL = {
    "all": [curve("all outages", 117, band=True)],
    "groups": [curve("all", 117, band=True), *(curve(f"cause number {i}", 5 + 9 * i, i) for i in range(5))],
    "too many groups": [curve("all", 60), *(curve(f"c{i}", 9, i) for i in range(8))],
    "one": [Survival("all", np.array([3.0]), np.array([0.0]), 1)],
    "minutes": [Survival("all", np.array([0.0, 0.01]), np.array([0.5, 0.0]), 2, median=(0.0, 0.0, np.inf))],
    "never half": [Survival("all", np.array([3.0]), np.array([0.8]), 5, median=(np.nan, np.nan, np.nan))],
    "no lengths": [Survival("all", np.empty(0), np.empty(0), 4)],
    "nothing": [],
    "100,000": [curve("all", 100_000, band=True)],
}


@SIZES
@pytest.mark.parametrize("name", SURVIVAL)
def test_survival_is_tidy(name: str, size: theme.Size) -> None:
    picture = history_plots.durations_survival(SURVIVAL[name], **WORDS)
    assert_tidy(picture.figure(size))


def test_survival_draws_the_steps_given() -> None:
    shown = Survival("all outages", np.array([1.0, 4.0, 24.0]), np.array([0.6, 0.3, 0.0]), 12, median=(1.0, 4.0, 24.0))
    picture = history_plots.durations_survival([shown], **WORDS)
    axes = picture.figure(WIDE).axes[0]
    steps = next(line for line in axes.get_lines() if line.get_drawstyle() == "steps-post")
    drawn = dict(zip(steps.get_xdata().tolist(), steps.get_ydata().tolist(), strict=True))
    assert {hours: drawn[hours] for hours in (1.0, 4.0, 24.0)} == {1.0: 0.6, 4.0: 0.3, 24.0: 0.0}
    text = said(picture)
    assert "all outages (12)" in text
    assert "half of the outages were over after 4 hours (1 to 24 hours)" in text
    assert "1 hour" in text


def test_many_incidents_stay_a_small_file() -> None:
    assert len(history_plots.durations_survival(SURVIVAL["100,000"], **WORDS).wide.encode()) < 120_000
    assert len(history_plots.timeline(lanes(1, 20_000), **WORDS).narrow.encode()) < 400_000


HOURS = Even([2, 1, 1, 0] * 6, 1.0, 0.0, 3.0, "no sign of a rhythm")
WEEK = Even([21, 23, 19, 12, 18, 5, 6], 104 / 7, 8, 22, "uneven")


@SIZES
@pytest.mark.parametrize(
    ("hours", "week"),
    [(HOURS, WEEK), (None, WEEK), (HOURS, None), (None, None), (Even([0] * 24, 0, 0, 0), Even([9999] * 7, 1, 0, 2))],
)
def test_rhythms_are_tidy(hours: Even | None, week: Even | None, size: theme.Size) -> None:
    assert_tidy(history_plots.rhythm(hours, week, **WORDS).figure(size))


def test_rhythm_draws_the_counts_given() -> None:
    figure = history_plots.rhythm(HOURS, WEEK, **WORDS).figure(WIDE)
    heights = [[bar.get_height() for bar in axes.containers[0]] for axes in figure.axes]
    assert heights == [list(HOURS.counts), list(WEEK.counts)]
    text = said(history_plots.rhythm(HOURS, WEEK, **WORDS))
    assert "104 whose day is known: uneven" in text


def predictions(services: int, years: int) -> list[Prediction]:
    rng = np.random.default_rng(2)
    rows = []
    for service, year in itertools.product(range(services), range(2026 - years, 2026)):
        actual = int(rng.poisson(2)) if rng.random() > 0.1 else 9
        rows.append(Prediction(f"Service {service}", year, actual, 2, (0, 3), (0, 5)))
    return [*rows, Prediction("Service 0", 2026, 1, 1.5, (0, 3), (0, 4), "Jan–Nov")]


@SIZES
@pytest.mark.parametrize(
    "rows",
    [
        predictions(4, 10),
        predictions(30, 3),
        predictions(1, 1),
        [],
        [Prediction("GitHub", 2024, 812.5, 300, (90, 900), (10, 90000))],
    ],
    ids=["40 rows", "30 services", "two rows", "nothing", "hours"],
)
def test_backtests_are_tidy(rows: list[Prediction], size: theme.Size) -> None:
    assert_tidy(history_plots.backtest(rows, **WORDS).figure(size))


def test_backtest_tells_hits_from_misses() -> None:
    rows = [
        Prediction("A", 2020, 5, 2, (0, 3), (0, 5)),  # the end of an interval is inside
        Prediction("A", 2021, 6, 2, (0, 3), (0, 5)),
        Prediction("A", 2022, 0, 2, (1, 3), (1, 5)),
    ]
    picture = history_plots.backtest(rows, **WORDS)
    lines = picture.figure(WIDE).axes[0].get_lines()
    assert [line.get_xdata()[0] for line in lines if line.get_marker() == "o"] == [2020.5]
    assert [line.get_xdata()[0] for line in lines if line.get_marker() == "X"] == [2021.5, 2022.5]
    assert "1 of 3" in picture.caption
    assert "1 of 3 inside the 95% interval" in said(picture)
    assert "Not drawn: 22 more services with 66 predicted years." in said(
        history_plots.backtest(predictions(30, 3), **WORDS)
    )


def test_pictures_carry_their_words_and_are_the_same_every_time() -> None:
    made = [
        lambda: history_plots.timeline([WHATSAPP], **WORDS),
        lambda: history_plots.yearly_rates(RATES["one"], **WORDS),
        lambda: history_plots.durations_survival(SURVIVAL["groups"], **WORDS),
        lambda: history_plots.rhythm(HOURS, WEEK, **WORDS),
        lambda: history_plots.backtest(predictions(2, 4), **WORDS),
    ]
    for make in made:
        first, second = make(), make()
        assert (first.wide, first.narrow) == (second.wide, second.narrow)
        assert first.alt == "alt text"
        assert first.caption.endswith(".")
        assert len(first.caption) > 60
        assert 'aria-label="alt text"' in first.wide
        assert first.source in said(first)
    own = history_plots.timeline([WHATSAPP], **WORDS, caption="Read it so.")
    assert own.caption == "Read it so."


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Incident(pd.Timestamp("2014-02-22"), 1.0), "UTC"),
        (lambda: Incident(pd.NaT, 1.0), "UTC"),
        (lambda: Incident(utc("2014-02-22"), -1.0), "-1.0 hours"),
        (lambda: Incident(utc("2014-02-22"), np.inf), "inf hours"),
        (lambda: Incident(utc("2014-02-22"), None, count=3), "span"),
        (lambda: Incident(utc("2014-02-22"), None, until=utc("2014-02-22")), "not after its start"),
        (lambda: YearRate(2014, 1, 5.0, 0.0, 2.0), "2014"),
        (lambda: YearRate(2014, 1, np.nan, 0.0, 2.0), "2014"),
        (lambda: Survival("x", np.array([2.0, 1.0]), np.array([0.5, 0.2]), 2), "increasing"),
        (lambda: Survival("x", np.array([1.0]), np.array([1.5]), 1), "between 0 and 1"),
        (lambda: Survival("x", np.array([1.0, 2.0]), np.array([0.5]), 1), "one length"),
        (lambda: Even([-1] * 7, 1, 0, 2), "negative"),
        (lambda: Even([1] * 7, 3, 0, 2), "expected count"),
        (lambda: Prediction("A", 2020, 1, 1, (3, 1), (0, 5)), "A 2020"),
        (lambda: history_plots.rhythm(WEEK, None, **WORDS).figure(), "expected 24"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
