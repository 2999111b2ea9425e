"""Hours: where a window may lie, what a horizon counts from, which figures share a curve, and what a headline says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers import case, evidence, fit, story
from helpers import curve as curves
from helpers.case import build, primary
from helpers.claims import CLAIMANT_SCALE, Claim
from helpers.curve import Curve
from helpers.likelihood import ANTICIPATION, Model, Shock, observed
from helpers.published import figures
from helpers.shocks import early
from helpers.usual import records

SEED, WEEK, LEVEL = 20140222, 168.0, 0.95


@pytest.fixture(scope="module")
def tables():
    return evidence.load()


@pytest.fixture(scope="module")
def names(tables):
    return tables.services.set_index("service_id")["name"]


def _first(found, service_id):
    return next(series for series in primary(found) if series.service_id == service_id)


@pytest.fixture(scope="module")
def november(tables):
    """An event of which only the month is known."""
    found = build(tables, "whatsapp-2014-11-blue-ticks", scales=CLAIMANT_SCALE)
    return fit.fit(_first(found, "telegram"), SEED)


@pytest.fixture(scope="module")
def february(tables):
    """An event known to the minute, with another three days before it."""
    found = build(tables, "whatsapp-2014-02-22", scales=CLAIMANT_SCALE)
    return found, fit.fit(_first(found, "telegram"), SEED)


# --- the horizon


def test_where_only_the_month_is_known_a_week_counts_from_each_draws_own_start(november):
    start = november.made.start[:, 0]
    assert np.ptp(start) > 24 * 14
    assert fit.until(november, WEEK) == pytest.approx(start + WEEK)
    week = fit.within(november, WEEK)
    low, high = np.quantile(week, [0.025, 0.975])
    assert low > high / 1_000
    assert low > 10_000
    # Counted from the first of the month, the week of many draws would hold nothing at all.
    assert np.quantile(fit.extra(november, WEEK, november.model.own), 0.025) < 1
    # One curve after another, by the closed form of an exponential response.
    made, some = november.made, range(0, len(start), 997)
    for i in some:
        hours, tau = made.end[i, 0] - start[i], made.tau[i]
        left = tau * (np.exp(-(WEEK - hours) / tau) - np.exp(-WEEK / tau))
        assert week[i] == pytest.approx(made.amplitude[i, 0] * (hours - left), rel=1e-6)


def test_an_event_known_to_the_minute_has_its_week_counted_from_hour_zero(february):
    fitted = february[1]
    assert (fit.until(fitted, WEEK) == WEEK).all()
    assert np.array_equal(fit.within(fitted, WEEK), fit.extra(fitted, WEEK, fitted.model.own))
    everything = tuple(range(len(fitted.model.shocks)))
    assert np.array_equal(fit.within(fitted, WEEK, everything), fit.extra(fitted, WEEK, everything))


def test_an_event_known_to_the_day_has_its_week_counted_from_hour_zero(november):
    """Only a start that is known to no better than three days is loose."""
    day, loose = (replace(november.model.shocks[0], start=(-12.0, last)) for last in (60.0, 60.1))
    for shock, moves in ((day, False), (loose, True)):
        fitted = replace(november, model=replace(november.model, shocks=(shock,)))
        assert (fit.until(fitted, WEEK) != WEEK).any() == moves


# --- the rush before an event


def _claim(start, end, shift=(0.0, 0.0), **given):
    told = {"figure_id": "x", "reading": "increment", "low": 9e3, "high": 11e3, "bound": "none", "scale": 0.2}
    return Claim(**(told | {"start": start, "end": end, "shift": shift} | given))


DAY = Shock("event", "the event", (2.0, 29.0), (24.0, 24.0))


@pytest.mark.parametrize(
    ("claim", "before"),
    [
        (_claim(-24.0, 0.0, (-12.0, 12.0)), True),
        (_claim(-22.0, 2.0, (-12.0, 12.0)), True),
        (_claim(-21.5, 2.5, (-12.0, 12.0)), False),
        (_claim(-24.0, 0.0, (-6.0, 12.0)), False),  # the middle of its places is three hours later
        (_claim(0.0, 24.0, (-12.0, 12.0)), False),
        (_claim(-24.0, 24.0), False),  # a long window that reaches into the event
        (_claim(-4.0, 6.0), True),  # a window of some hours that begins before it
        (_claim(-4.0, 9.0), False),
        (_claim(-1.0, 5.0, (-3.0, 4.0)), False),  # where it may begin after the event
        (_claim(3.0, 9.0), False),
    ],
)
def test_a_rush_before_the_event_is_added_where_a_figure_lies_before_it(claim, before):
    shocks = early([claim, _claim(24.0, 48.0)], [DAY])
    assert shocks[0] == DAY
    assert [one.event_id for one in shocks[1:]] == [ANTICIPATION] * before
    if before:
        begun = max(2.0 - claim.start, 1.0)
        assert shocks[1].start == (claim.start, claim.start)
        assert shocks[1].hours == (min(begun, 24.0),) * 2


def test_another_event_explains_a_figure_before_this_one():
    other = Shock("other", "another event", (-60.0, -60.0), (24.0, 24.0))
    assert early([_claim(-24.0, 0.0)], [DAY, other]) == [DAY, other]


def test_before_the_block_of_x_in_brazil_people_rushed_and_what_counts_later_days_only_has_no_rush(tables):
    found = build(tables, "x-2024-08-31-brazil", scales=CLAIMANT_SCALE)
    seen = {}
    for series in found.series:
        if series.fits:
            begun = series.shocks[0].start[0]
            earlier = any(
                claim.end + sum(claim.shift) / 2 <= begun
                or (claim.start + claim.shift[1] < begun and claim.end + claim.shift[1] - claim.start <= 12)
                for claim in series.claims
            )
            rush = any(shock.event_id == ANTICIPATION for shock in series.shocks)
            assert rush == earlier
            seen.setdefault(rush, []).append(series.service_id)
    assert "bluesky" in seen[True]
    assert seen[False]


# --- a ratio against the days before


def _row(tables, **given):
    row = tables.growth_figures.iloc[0].copy()
    start = pd.Timestamp("2020-06-10T00:00Z")
    told = {
        "figure_id": "ratio", "reading": "ratio_mean", "value": 3.0, "unit": "ratio", "compared_with": "previous_week",
        "qualifier": "about", "window_start_utc": start, "window_end_utc": start + pd.Timedelta(days=1),
        "window_hours": 24.0, "window_precision": "hour", "scope": "world", "claimant_class": "press",
    } | given  # fmt: skip
    for name, value in told.items():
        row[name] = value
    return row, start


@pytest.mark.parametrize(
    ("given", "lag"),
    [
        ({}, 168.0),
        ({"compared_with": "previous_day"}, 24.0),
        ({"compared_with": "previous_month"}, 730.5),
        ({"compared_with": "usual"}, 0.0),
        ({"compared_with": "previous_day", "reading": "ratio_peak"}, 24.0),
        ({"reading": "increment", "unit": "users"}, 0.0),
    ],
)
def test_a_ratio_is_relative_to_what_the_page_compares_it_with(tables, given, lag):
    row, start = _row(tables, **given)
    assert figures.claim(row, start).lag == lag


def test_the_days_before_a_longer_window_are_as_long_as_it(tables):
    row, start = _row(tables, compared_with="previous_day", window_hours=96.0)
    row["window_end_utc"] = start + pd.Timedelta(days=4)
    assert figures.claim(row, start).lag == 96.0


def _curve(per_hour, at, tau=6.0, baseline=100.0):
    """A usual level and one push of a day."""
    edges = np.array([float(at)]), np.array([at + 24.0])
    return Curve(np.full(1, baseline), np.full((1, 1), float(per_hour)), np.full(1, tau), *edges)


@pytest.mark.parametrize("reading", ["ratio_mean", "ratio_peak"])
def test_on_a_constant_curve_every_ratio_is_one(reading):
    for lag in (0.0, 24.0, 168.0):
        claim = _claim(0.0, 24.0, (-12.0, 12.0), reading=reading, lag=lag)
        assert observed(claim, _curve(0.0, 0.0)) == pytest.approx(1.0, abs=1e-12)


def test_a_surge_in_the_week_before_makes_the_ratio_to_that_week_smaller():
    """2,400 on a usual day; a week before, nearly 24,000 more came."""
    surge = _curve(1_000.0, -168.0)
    usual, before = (_claim(0.0, 24.0, reading="ratio_mean", lag=lag) for lag in (0.0, 168.0))
    assert observed(usual, surge)[0, 0] == pytest.approx(1.0, abs=1e-6)
    there = curves.increment(surge, -168.0, -144.0)[0, 0]
    assert there == pytest.approx(2_400 + 24_000 - 6_000 * (1 - np.exp(-4.0)))
    assert observed(before, surge)[0, 0] == pytest.approx(2_400 / there, rel=1e-6)
    assert observed(replace(before, lag=24.0), surge)[0, 0] == pytest.approx(1.0, abs=1e-6)


def test_a_surge_of_today_makes_the_same_ratio_to_an_ordinary_week_before():
    surge = _curve(1_000.0, 0.0)
    for reading in ("ratio_mean", "ratio_peak"):
        usual, before = (_claim(0.0, 24.0, (-2.0, 2.0), reading=reading, lag=lag) for lag in (0.0, 168.0))
        assert observed(before, surge) == pytest.approx(observed(usual, surge), rel=1e-9)
        assert (observed(before, surge) > 5).all()


def test_a_peak_is_relative_to_the_mean_of_the_week_before():
    surge = _curve(1_000.0, -168.0)
    peak = _claim(0.0, 24.0, reading="ratio_peak", lag=168.0)
    there = curves.increment(surge, -168.0, -144.0)[0, 0] / 24
    assert observed(peak, surge)[0, 0] == pytest.approx(100.0 / there, rel=1e-6)


# --- panels


EVENT = "delicious-2010-12-16"


def _figure(tables, name, value, panel, claimant="panel", **given):
    """A figure of Pinboard for the day after the event, on a curve that nothing published is on."""
    like = tables.growth_figures[tables.growth_figures["figure_id"] == f"{EVENT}--pinboard--1"]
    start = tables.outage(EVENT)["start_utc"] + pd.Timedelta(days=1)
    told = {
        "figure_id": name, "value": float(value), "panel": panel, "claimant_class": claimant, "quantity": "installs",
        "unit": "installs", "reading": "increment", "qualifier": "about", "scope": "Gabon", "platform": "ios",
        "part_of": "", "repeats": "", "window_start_utc": start, "window_end_utc": start + pd.Timedelta(days=1),
        "window_hours": 24.0, "window_precision": "day",
    }  # fmt: skip
    return like.assign(**(told | given))


def _with(tables, *rows):
    made = pd.concat([tables.growth_figures, *rows], ignore_index=True)
    found = build(replace(tables, growth_figures=made), EVENT, ["pinboard"], scales=CLAIMANT_SCALE)
    return [series for series in found.series if series.scope == "Gabon"]


def _on(series):
    return {one.panel: {claim.figure_id for claim in one.claims} for one in series}


def test_figures_of_two_panels_never_share_a_curve(tables):
    rows = [_figure(tables, f"a{i}", 10_000 + i, "Apptopia") for i in (1, 2)]
    rows += [_figure(tables, f"z{i}", 90_000 + i, "Appfigures") for i in (1, 2, 3)]
    company = _figure(tables, "own", 50_000, "", "company")
    found = _with(tables, *rows, company)
    assert _on(found) == {"Apptopia": {"a1", "a2"}, "Appfigures": {"z1", "z2", "z3", "own"}}
    # It goes with whichever has most: the other way round with one more of the other.
    more = [_figure(tables, f"a{i}", 10_000 + i, "Apptopia") for i in (3, 4)]
    assert _on(_with(tables, *rows, *more, company))["Apptopia"] == {"a1", "a2", "a3", "a4", "own"}


def test_of_two_panels_with_as_many_figures_the_first_by_name_has_the_others(tables):
    rows = [_figure(tables, "z", 90_000, "Sensor Tower"), _figure(tables, "a", 10_000, "Apptopia")]
    found = _on(_with(tables, *rows, _figure(tables, "own", 50_000, "", "company")))
    assert found == {"Apptopia": {"a", "own"}, "Sensor Tower": {"z"}}


def test_one_panel_and_the_company_are_one_curve_without_a_name(tables):
    rows = [_figure(tables, "z", 90_000, "Sensor Tower"), _figure(tables, "own", 50_000, "", "company")]
    assert _on(_with(tables, *rows)) == {"": {"z", "own"}}


def test_no_curve_of_the_evidence_mixes_panels(tables):
    named = []
    for outage_id, rival in (("whatsapp-2021-01-06-privacy-policy", "signal"), ("uber-2017-01-28", "lyft")):
        for series in build(tables, outage_id, [rival], scales=CLAIMANT_SCALE).series:
            panels = set(series.figures["panel"]) - {""}
            assert len(panels) <= 1
            assert series.panel in ("", *panels)
            named.append(series.panel)
    assert {"App Annie", "Appfigures", "Apptopia", "Sensor Tower"} <= set(named)


# --- the order of rows


@pytest.fixture(scope="module")
def shuffled(tables):
    """The same evidence, its rows in another order: backwards, and mixed."""
    names = ("outages", "growth_figures", "baselines")
    turned = {name: getattr(tables, name).iloc[::-1].reset_index(drop=True) for name in names}
    mixed = {name: frame.sample(frac=1, random_state=5, ignore_index=True) for name, frame in turned.items()}
    return [replace(tables, **turned), replace(tables, **mixed)]


@pytest.fixture(scope="module", params=[("parler-2021-01-11", "mewe"), ("twitter-2022-10-28-takeover", "mastodon")])
def ordered(tables, shuffled, request):
    """Curves of an event with several others in the same days: as they are, and twice from shuffled rows."""
    outage_id, rival = request.param
    return [build(one, outage_id, [rival], scales=CLAIMANT_SCALE).series for one in (tables, *shuffled)]


def test_the_order_of_rows_decides_nothing_of_what_was_published(ordered):
    for again in ordered[1:]:
        for one, two in zip(ordered[0], again, strict=True):
            for name in ("service_id", "quantity", "scope", "platform", "panel", "claims", "baselines", "records"):
                assert getattr(one, name) == getattr(two, name), name
            assert (one.ceilings, one.contradicted) == (two.ceilings, two.contradicted)
            assert one.baseline_note == two.baseline_note
            assert set(one.shocks) == set(two.shocks)
            assert list(one.figures["figure_id"]) == list(two.figures["figure_id"])


def test_the_order_of_rows_decides_nothing_of_the_other_events(ordered):
    """Their order is that of the parameters: another one gives other draws."""
    right, *others = ([series.shocks for series in found] for found in ordered)
    assert others == [right, right]


def test_a_fit_of_shuffled_rows_gives_the_same_numbers(tables, shuffled):
    right, *others = (
        fit.fit(_first(build(one, "whatsapp-2014-02-22", ["line"], scales=CLAIMANT_SCALE), "line"), SEED)
        for one in (tables, shuffled[1])
    )
    assert len(right.series.shocks) == 2
    for other in others:
        assert np.array_equal(other.sample.draws, right.sample.draws)
        assert np.array_equal(fit.within(other, WEEK), fit.within(right, WEEK))


# --- retellings


@pytest.mark.parametrize(
    ("moved", "hours", "given", "other"),
    [
        (0, 48, {}, True),
        (12, 24, {}, True),
        (6, 24, {}, False),
        (0, 26, {}, False),  # exp(0.15) times 24 hours are 27.9
        (0, 28, {}, True),
        (0, 48, {"window_precision": "unknown"}, False),
        (0, 48, {"reading": "rate_peak", "unit": "users/day"}, False),
        (48, 24, {}, False),  # wholly outside the original's hours
    ],
)
def test_a_retelling_is_told_of_other_hours_or_of_the_same(tables, moved, hours, given, other):
    told = pd.concat(_retold(tables, moved, hours, **given), ignore_index=True)
    assert list(figures.another_window(told)) == [False, other]
    assert list(figures.another_window(told.iloc[::-1])) == [other, False]


@pytest.mark.parametrize(("hours", "other"), [(24, False), (48, True)])
def test_a_retelling_is_a_claim_of_its_own_only_over_other_hours(tables, hours, other):
    """Of one running count: the two share their error."""
    (series,) = _with(tables, *_retold(tables, 0, hours))
    claims = {claim.figure_id: claim for claim in series.claims}
    assert set(claims) == ({"first", "again"} if other else {"first"})
    assert {claim.group for claim in claims.values()} == ({"first"} if other else {""})
    why = series.figures.set_index("figure_id").loc["again", "why_not"]
    assert why == ("" if other else "repeats first: one claim counts once")


def _retold(tables, moved, hours, **given):
    """A count of a day, and one of so many hours, so much later, that retells it."""
    first = _figure(tables, "first", 90_000, "", "press", window_precision="hour")
    start = first["window_start_utc"].iloc[0] + pd.Timedelta(hours=moved)
    again = {
        "figure_id": "again", "value": 150_000.0, "repeats": "first", "window_start_utc": start,
        "window_end_utc": start + pd.Timedelta(hours=hours), "window_hours": float(hours),
    }  # fmt: skip
    return first, first.assign(**(again | given))


def test_a_retelling_of_an_original_of_unknown_hours_is_none(tables):
    first = _figure(tables, "first", 90_000, "", "press", window_precision="unknown")
    again = first.assign(
        figure_id="again", repeats="first", window_hours=48.0, window_precision="day",
        window_end_utc=first["window_end_utc"] + pd.Timedelta(days=1),
    )  # fmt: skip
    assert list(figures.another_window(pd.concat([first, again], ignore_index=True))) == [False, False]


# --- records


def test_a_record_told_after_the_event_bounds_its_days(tables):
    """LINE, winter 2013 to 2014: never more than 1.7 million a day."""
    outage = tables.outage("whatsapp-2014-02-22")
    like = pd.Series({"service_id": "line", "quantity": "signups", "scope": "world", "platform": ""})
    (record,) = records(tables, outage["start_utc"], like)
    assert (record.reading, record.bound, record.figure_id) == ("record", "upper", "base--line--2013-11-25--1")
    assert record.high * 24 == pytest.approx(1.7e6)
    assert not records(tables, pd.Timestamp("2015-01-01T00:00Z"), like)
    assert not records(tables, outage["start_utc"], like.replace("signups", "installs"))
    assert not records(tables, outage["start_utc"], like.replace("world", "Brazil"))
    assert record in _first(build(tables, "whatsapp-2014-02-22", scales=CLAIMANT_SCALE), "line").statements


def _best_days(shocks, delayed=False, many=300):
    """What a record observes of curves of the prior, and the best of all days that begin every six minutes."""
    model = Model(shocks, (), delayed=delayed)
    made = model.unpack(np.random.default_rng(1).standard_normal((many, len(model.names))))
    seen = observed(_claim(0.0, 24.0, reading="record", bound="upper"), made)[:, 0]
    ends = np.arange(min(s.start[0] for s in shocks), max(s.start[1] for s in shocks) + 300, 0.1)
    return seen, curves.increment(made, ends - 24, ends).max(axis=1) / 24


@pytest.mark.parametrize("hours", [2.0, 4.0, 12.0, 24.0])
def test_a_record_observes_the_best_day_of_a_push(hours):
    seen, best = _best_days((Shock("a", "a", (0.0, 0.0), (hours, hours)),))
    assert (seen <= best * 1.001).all()
    assert np.median(seen / best) > 0.98
    assert np.quantile(seen / best, 0.05) > 0.92


def test_a_record_observes_the_best_day_of_several_pushes():
    seen, best = _best_days(tuple(Shock(str(i), "a", (at, at), (24.0, 24.0)) for i, at in enumerate((0.0, 40.0))))
    assert (seen <= best * 1.001).all()
    assert np.quantile(seen / best, 0.05) > 0.97


@pytest.mark.parametrize(("hours", "delayed"), [(4.0, False), (24.0, False), (4.0, True), (24.0, True)])
def test_a_record_observes_the_best_day_of_every_curve_within_two_percent(hours, delayed):
    seen, best = _best_days((Shock("a", "a", (0.0, 0.0), (hours, hours)),), delayed)
    assert seen == pytest.approx(best, rel=0.02)


def test_a_record_keeps_the_days_of_a_fit_below_it(tables):
    """A surge that would be twice as high without the record."""
    shock, level = Shock("a", "a", (0.0, 0.0), (24.0, 24.0)), _claim(0, 0, reading="baseline", low=95, high=105)
    told = _claim(0.0, 24.0, low=20_000.0, high=60_000.0, scale=0.3)
    record = _claim(0.0, 24.0, reading="record", bound="upper", low=490.0, high=500.0, figure_id="r", scale=0.05)
    free = case.Series("s", "S", "signups", "world", "", (shock,), (told,), (level,), pd.DataFrame(), "")
    best = []
    for series in (free, replace(free, records=(record,))):
        made = fit.fit(series, SEED).made
        ends = np.arange(0.0, 80.0, 1.0)
        best.append(np.median(curves.increment(made, ends - 24, ends).max(axis=1)))
    assert best[0] > 20_000
    assert best[1] < 16_000


# --- the headline


def test_a_headline_says_because_only_where_nothing_else_pushed(tables, names, february):
    found, fitted = february
    assert fitted.model.others
    told = story.headline(found, [fitted], names, WEEK, LEVEL)
    assert told.startswith("After WhatsApp was down on 22 February 2014, ")
    assert "ecause" not in told
    assert not story.finding(found, fitted, WEEK, LEVEL).startswith("The outage")
    text = str(story.answer(found, [fitted], names, WEEK, LEVEL))
    numbers = {number.quantity: number for number in fit.estimates(fitted, WEEK, LEVEL)}
    share = numbers["share_from_outage"]
    assert "nother event fell into the days of these figures" in text
    if share.high - share.low > story.HARDLY:
        assert "the figures cannot separate" in text
    else:
        assert "alone brought" in text
    assert f"{100 * share.low:.0f}%" in text
    # The range is of both together.
    both = np.quantile(fit.within(fitted, WEEK, (0, 1)), [0.025, 0.975])
    assert (numbers["extra_users_all_events"].low, numbers["extra_users_all_events"].high) == pytest.approx(both)
    alone = replace(fitted, model=replace(fitted.model, shocks=fitted.model.shocks[:1]))
    assert story.headline(found, [alone], names, WEEK, LEVEL).startswith(
        "Because WhatsApp was down on 22 February 2014, "
    )


@pytest.mark.parametrize(
    ("wide", "said"), [(True, "the figures cannot separate"), (False, "alone brought")], ids=["wide", "narrow"]
)
def test_the_answer_says_how_well_two_events_are_told_apart(names, february, monkeypatch, wide, said):
    found, fitted = february
    monkeypatch.setattr(story, "HARDLY", 0.0 if wide else 1.0)
    assert said in str(story.answer(found, [fitted], names, WEEK, LEVEL))


def test_the_headline_of_a_month_names_the_month(tables, names, november):
    found = build(tables, "whatsapp-2014-11-blue-ticks", scales=CLAIMANT_SCALE)
    told = story.headline(found, [november], names, WEEK, LEVEL)
    assert told.startswith("Because of the news about WhatsApp (nothing failed) in November 2014, ")


def test_a_partial_outage_reads_partly(names, february):
    found, fitted = february
    partial = found.outage.copy()
    partial["partial"] = True
    partly = replace(found, outage=partial)
    assert story.event(partly, names).startswith("WhatsApp was partly down")
    assert story.headline(partly, [fitted], names, WEEK, LEVEL).startswith("After WhatsApp was partly down")
    assert "WhatsApp was partly down" in story.title(partly, names)
    assert "partly" not in story.headline(found, [fitted], names, WEEK, LEVEL) + story.title(found, names)
