"""What a gain cannot exceed: which facts bound which curve, what the fit does with them, every curve as measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers import bounds, case, ceilings, evidence, fit, sampling, story
from helpers import curve as curves
from helpers.ceilings import LATEST_DAYS, MOST_KEPT, Ceiling
from helpers.claims import CLAIMANT_SCALE, Claim
from helpers.curve import Curve
from helpers.likelihood import ANTICIPATION
from helpers.shocks import LOOSE_START

START = pd.Timestamp("2020-06-10T12:00Z")
WEEK, SEED = 168.0, 20140222
#: A small curve of one figure, quick to fit: Pinboard when Delicious was to be closed.
PINBOARD = ("delicious-2010-12-16", "pinboard")
CURVE = ["outage_id", "rival", "quantity", "scope", "platform", "panel"]


@pytest.fixture(scope="module")
def tables():
    return evidence.load()


@pytest.fixture(scope="module")
def pinboard(tables):
    found = case.build(tables, PINBOARD[0], scales=CLAIMANT_SCALE)
    (series,) = case.primary(found)
    return found, replace(series, ceilings=())


@pytest.fixture(scope="module")
def free(pinboard):
    """The curve of Pinboard without any ceiling."""
    return fit.fit(pinboard[1], SEED)


def _at(days):
    return START + pd.Timedelta(days=days)


def _total(name, value, days, length=1.0, **given):
    """A row of the usual levels: a total told ``days`` after the event."""
    row = {
        "baseline_id": name, "service_id": "rival", "quantity": "signups", "value": float(value), "unit": "users",
        "reading": "total", "window_start_utc": _at(days), "window_end_utc": _at(days + length), "qualifier": "about",
        "scope": "world", "platform": "", "role": "baseline", "panel": "",
    }  # fmt: skip
    return row | given


def _monthly(name, value, days, **given):
    return _total(name, value, days, quantity="monthly_active", **given)


def _figure(name, value, days, **given):
    """A row of the growth figures: a total told ``days`` after some event."""
    row = _total(name, value, days) | {"figure_id": name, "value_kind": "absolute", "repeats": "", "role": "gainer"}
    del row["baseline_id"]
    return row | given


def _rows(frame, rows):
    made = [frame.iloc[[0]].assign(**row) for row in rows]
    return pd.concat(made, ignore_index=True) if made else frame.iloc[:0]


def _event(tables, **given):
    event = tables.outages[tables.outages["outage_id"] == "whatsapp-2014-02-22"].iloc[0].copy()
    event["start_utc"] = START
    for name, value in given.items():
        event[name] = value
    return event


def _found(tables, *totals, kind="later total", figures=(), event=None, **like):
    """Ceilings of one kind of a curve of signups in the world, unless said otherwise."""
    made = replace(
        tables, baselines=_rows(tables.baselines, totals), growth_figures=_rows(tables.growth_figures, figures)
    )
    curve = pd.Series({"service_id": "rival", "quantity": "signups", "scope": "world", "platform": ""} | like)
    event = _event(tables) if event is None else event
    return [one for one in ceilings.ceilings(made, event, START, curve) if one.kind == kind]


def _of_month(tables, *totals, **like):
    return _found(tables, *totals, kind="users of a month", **like)


# --- people hit


@pytest.mark.parametrize("unit", ["users", "customers", "accounts"])
def test_a_gain_is_at_most_the_people_whom_an_outage_hit(tables, unit):
    event = _event(tables, affected_users=450_000_000, affected_unit=unit)
    (hit,) = _found(tables, kind="people hit", event=event)
    assert (hit.value, hit.most, hit.until, hit.row) == (450e6, 455e6, np.inf, "whatsapp-2014-02-22")
    assert hit.own


@pytest.mark.parametrize(
    ("people", "most"), [(400_000_000, 450e6), (62_000, 62_500), (100, 150), (1_234_567, 1234567.5)]
)
def test_people_hit_are_rounded_so_the_upper_end_of_the_rounding_bounds(tables, people, most):
    (hit,) = _found(tables, kind="people hit", event=_event(tables, affected_users=people, affected_unit="users"))
    assert hit.most == most


@pytest.mark.parametrize(
    "given",
    [
        {"affected_unit": "reports"},
        {"affected_unit": "other"},
        {"affected_unit": "", "affected_users": pd.NA},
        {"affected_unit": "users", "affected_users": pd.NA},
        {"cause_category": "nothing_failed", "affected_unit": "users"},
    ],
)
def test_reports_and_what_brought_newcomers_too_bound_nothing(tables, given):
    assert not _found(tables, kind="people hit", event=_event(tables, **given))


def test_people_hit_bound_the_events_own_push_and_totals_that_of_all_events():
    """Two pushes of 24,000 people: 30,000 hit is possible, 30,000 users in all is not."""
    made = Curve(np.ones(1), np.array([[1e3, 1e3]]), np.array([5.0]), np.array([0.0, 10.0]), np.array([24.0, 34.0]))
    hit, total = (Ceiling("any", 30e3, np.inf, own=own) for own in (True, False))
    assert ceilings.highest(made, hit, (0,), False) == pytest.approx([24e3])
    assert ceilings.highest(made, total, (0,), False) == pytest.approx([48e3])
    later = Ceiling("later total", 30e3, 20.0)
    assert ceilings.highest(made, later, (0,), False) == pytest.approx(
        sum(curves.extra(made, -100.0, 20.0, j)[:, 0] for j in (0, 1))
    )


# --- later totals


def test_a_later_total_bounds_less_what_the_rival_had_before(tables):
    """At most 15.5 million then, at least 9.5 million before: 6 million between them."""
    (one,) = _found(tables, _total("before", 10e6, -5), _total("after", 15e6, 20))
    assert (one.most, one.before, one.value, one.row) == (6e6, 9.5e6, 15e6, "after")
    assert one.until == 20 * 24
    assert not one.own


def test_the_largest_of_the_earlier_totals_is_taken_off(tables):
    earlier = [_total("a", 12e6, -400), _total("b", 9e6, -5), _total("c", 11e6, -900)]
    (one,) = _found(tables, *earlier, _total("after", 15e6, 20))
    assert one.before == 11.5e6


def test_a_total_alone_bounds_too(tables):
    (one,) = _found(tables, _total("after", 15e6, 20))
    assert (one.most, one.before) == (15.5e6, 0)


def test_an_earlier_total_above_a_later_one_is_not_taken_off(tables):
    (one,) = _found(tables, _total("before", 40e6, -5), _total("after", 15e6, 20))
    assert (one.most, one.before) == (15.5e6, 0)


def test_a_mark_that_was_passed_may_lie_anywhere_below_the_next_round_number(tables):
    (one,) = _found(tables, _total("after", 3e6, 20, qualifier="more_than"))
    assert one.most == 4e6
    (one,) = _found(tables, _total("after", 3e6, 20, qualifier="up_to"))
    assert one.most == 3e6


def test_a_total_of_the_month_of_the_event_bounds_only_if_it_was_told_after_it(tables):
    month = {"days": -9.5, "length": 30.0}
    assert not _found(tables, _total("month", 15e6, **month))
    assert not _found(tables, _total("month", 15e6, **month, role="during_event"))
    (one,) = _found(tables, _total("month", 15e6, **month, role="after_event"))
    assert (one.most, one.until) == (15.5e6, 20.5 * 24)  # any day of it: the last one
    # Nor is a total of that month one of before, to be taken off.
    (one,) = _found(tables, _total("month", 10e6, **month), _total("after", 15e6, 40))
    assert one.before == 0


def test_a_total_of_another_place_another_service_or_another_platform_bounds_nothing(tables):
    assert not _found(tables, _total("there", 15e6, 20, scope="Brazil"))
    assert not _found(tables, _total("there", 15e6, 20, scope="Brazil"), scope="India")
    assert not _found(tables, _total("other", 15e6, 20, service_id="another"))
    assert not _found(tables, _total("android", 15e6, 20, platform="android"))
    assert _found(tables, _total("any", 15e6, 20), platform="android")


def test_a_total_of_the_world_bounds_a_place_but_what_the_world_had_before_does_not(tables):
    (one,) = _found(tables, _total("before", 10e6, -5), _total("after", 15e6, 20), scope="Brazil")
    assert (one.most, one.before) == (15.5e6, 0)
    local = [_total("here before", 2e6, -5, scope="Brazil"), _total("here", 4e6, 20, scope="Brazil")]
    (one,) = _found(tables, *local, scope="Brazil")
    assert (one.most, one.before) == (4.05e6 - 1.95e6, 1.95e6)


def test_a_total_of_years_later_says_nothing(tables):
    assert _found(tables, _total("late", 15e6, LATEST_DAYS - 1))
    assert not _found(tables, _total("late", 15e6, LATEST_DAYS + 1))


def test_only_totals_smaller_than_all_later_ones_are_kept_those_that_end_first(tables):
    found = _found(tables, *(_total(f"t{i}", (10 + i) * 1e6, 20 + i) for i in range(5)), _total("big", 90e6, 19))
    kept = ceilings.binding(found)
    assert [one.row for one in kept] == ["t2", "t1", "t0"]
    assert len(kept) == MOST_KEPT


def test_totals_among_the_growth_figures_count_unless_they_repeat_or_hold_no_number(tables):
    (one,) = _found(tables, figures=[_figure("told", 15e6, 20)])
    assert (one.row, one.most) == ("told", 15.5e6)
    assert not _found(tables, figures=[_figure("told", 15e6, 20, repeats="original")])
    assert not _found(tables, figures=[_figure("told", 15e6, 20, value_kind="qualitative")])


def test_installs_are_bounded_by_totals_of_installs_and_users_by_totals_of_users(tables):
    both = [_total("users", 15e6, 20), _total("installs", 30e6, 20, quantity="installs", unit="installs")]
    assert [one.row for one in _found(tables, *both, quantity="installs")] == ["installs"]
    assert [one.row for one in _found(tables, *both, quantity="signups")] == ["users"]
    assert not _of_month(tables, _monthly("month", 15e6, 5), quantity="installs")


# --- users of a month


def test_users_of_the_month_after_the_event_bound_and_nothing_is_taken_off(tables):
    (one,) = _of_month(tables, _total("before", 10e6, -5), _monthly("month", 35e6, 31))
    assert (one.row, one.most, one.before) == ("month", 35.5e6, 0)
    assert not _of_month(tables, _monthly("month", 35e6, 32))
    assert not _of_month(tables, _monthly("month", 35e6, -1))


@pytest.mark.parametrize(
    ("before", "after", "bounds_it"),
    [(20e6, 35e6, True), (20e6, 40e6, True), (20e6, 41e6, False), (2e6, 35e6, False), (36e6, 35e6, False)],
)
def test_later_users_of_a_month_bound_only_where_the_service_was_large_and_did_not_shrink(
    tables, before, after, bounds_it
):
    """At most twice as many as before, and no fewer."""
    found = _of_month(tables, _monthly("before", before, -40), _monthly("after", after, 200))
    assert [one.row for one in found] == ["after"] * bounds_it


def test_users_of_a_month_years_before_do_not_make_a_service_steady(tables):
    assert not _of_month(tables, _monthly("before", 20e6, -LATEST_DAYS - 1), _monthly("after", 35e6, 200))


# --- population, and what is not of people


@pytest.mark.parametrize(
    ("scope", "most"),
    [
        ("United Kingdom (London)", 70e6),
        ("United Kingdom", 70e6),
        ("Brazil", 213e6),
        ("world", 8.24e9),
        ("Atlantis", 8.24e9),
    ],
)
def test_nobody_gains_more_people_than_live_there(tables, scope, most):
    (one,) = _found(tables, kind="population", scope=scope)
    assert (one.most, one.until, one.row) == (most, np.inf, "")


@pytest.mark.parametrize("quantity", ["visits", "searches", "usage"])
def test_where_no_people_are_counted_nothing_bounds(tables, quantity):
    for kind in ("people hit", "later total", "population"):
        assert not _found(tables, _total("after", 15e6, 20), kind=kind, quantity=quantity)
        assert _found(tables, _total("after", 15e6, 20), kind=kind, quantity="daily_active")


# --- daily users


def test_of_daily_users_the_level_of_a_day_is_bounded_not_the_days_together():
    """Against the highest level above the usual one on a fine grid."""
    rng = np.random.default_rng(3)
    start = np.column_stack([np.zeros(40), rng.uniform(-30, 60, 40)])
    amplitude, tau = rng.lognormal(3, 1, (40, 2)), rng.lognormal(3, 0.7, 40)
    made = Curve(np.full(40, 7.0), amplitude, tau, start, start + rng.uniform(2, 24, (40, 2)))
    hours = np.linspace(-40, 200, 9_601)
    for own, shocks in ((True, (0,)), (False, (0, 1))):
        level = sum(made.amplitude[:, [j]] * curves.response(made, hours, j) for j in shocks)
        told = ceilings.highest(made, Ceiling("people hit", 1.0, np.inf, own=own), (0,), True)
        assert told == pytest.approx(24 * level.max(axis=1), rel=0.01)


def test_a_fit_of_daily_users_may_count_more_user_days_than_there_are_people(tables):
    found = case.build(tables, "instagram-2022-09-21-iran", scales=CLAIMANT_SCALE)
    (series,) = (one for one in found.series if one.quantity == "daily_active")
    series = replace(series, ceilings=())
    without = fit.fit(series, SEED)
    level = ceilings.highest(without.made, Ceiling("people hit", 1.0, np.inf), without.model.own, True)
    most = float(np.quantile(level, 0.8))
    fitted = fit.fit(replace(series, ceilings=(Ceiling("people hit", most, np.inf, own=True),)), SEED)
    hours = np.linspace(-30, 100, 521)
    above_usual = curves.rate(fitted.made, hours) - fitted.made.baseline[:, None]
    assert 24 * above_usual.max() <= most * (1 + 1e-9)
    assert 24 * above_usual.max() > 0.9 * most
    assert (fit.within(fitted, WEEK) > most).any()


# --- contradictions


def _claim(**given):
    return Claim(**({
        "figure_id": "x", "reading": "increment", "low": 100.0, "high": 120.0, "bound": "none", "start": 0.0,
        "end": 10.0, "shift": (0.0, 0.0), "scale": 0.1,
    } | given))  # fmt: skip


@pytest.mark.parametrize(
    ("given", "most", "usual", "found"),
    [
        ({}, 82.0, 0.0, False),  # 100 exp(-2 x 0.1) = 81.87
        ({}, 81.8, 0.0, True),
        ({"bound": "lower"}, 81.8, 0.0, True),
        ({"bound": "upper"}, 10.0, 0.0, False),
        ({}, 75.0, 1.0, False),  # ten hours of one an hour would have come anyway
        ({}, 71.0, 1.0, True),
        ({"reading": "excess"}, 75.0, 1.0, True),
        ({"reading": "rate_mean", "low": 10.0}, 81.8, 0.0, True),
        ({"reading": "rate_mean", "low": 10.0}, 82.0, 0.0, False),
        ({"reading": "daily_level"}, 10.0, 0.0, False),
        ({"start": 60.0, "end": 70.0}, 10.0, 0.0, False),  # only after the total was told
        ({"start": 40.0, "end": 50.0}, 10.0, 0.0, True),
        ({"start": 45.0, "end": 55.0}, 10.0, 0.0, False),  # it also counts hours after that
    ],
)
def test_a_figure_contradicts_a_ceiling_below_its_firm_lower_end(given, most, usual, found):
    claim = _claim(**given)
    told = ceilings.contradicted(Ceiling("later total", most, 50.0), [_claim(low=1.0, figure_id="y"), claim], usual)
    assert told == (claim if found else None)


def test_a_figure_that_runs_on_after_a_total_was_told_does_not_contradict_it():
    """50 million by Thursday, 100 million by Monday: Threads in July 2023."""
    monday = _claim(low=100e6, high=200e6, bound="lower", start=0.0, end=120.0)
    assert ceilings.contradicted(Ceiling("later total", 60e6, 24.0), [monday], 0.0) is None


def test_what_an_earlier_event_brought_is_in_the_earlier_total_already(tables):
    """Bluesky, November 2024: of 13 million at the end of October some had come in October, because of another event.

    2,400,000 of them before the earlier total, 1,200,000 after the event: 1.2 million more is less than 2.05 million.
    """
    (one,) = _found(tables, _total("before", 10e6, -4), _total("after", 11.5e6, 8))
    assert one.most == 2.05e6
    pushes = np.array([[1_200_000 / 24, 2_400_000 / 24]])
    made = Curve(np.ones(1), pushes, np.array([5.0]), np.array([0.0, -480.0]), np.array([24.0, -456.0]))
    assert ceilings.highest(made, one, (0,), False)[0] <= one.most


def test_an_earlier_total_of_all_platforms_is_not_taken_off_a_later_one_of_one_platform(tables):
    before, after = _total("before", 5e6, -5), _total("after", 6e6, 20, platform="android")
    (one,) = _found(tables, before, after, platform="android")
    assert one.most == 6.05e6


def test_a_ceiling_that_is_contradicted_hides_no_other(tables, pinboard):
    """12,000 by Christmas and 300 by mid-January: the second is contradicted, the first still bounds."""
    origin = pinboard[0].origin
    rows = [
        _total(name, value, 0, window_start_utc=origin + pd.Timedelta(days=days), service_id="pinboard",
               window_end_utc=origin + pd.Timedelta(days=days + 1))
        for name, value, days in (("christmas", 12e3, 9), ("january", 300.0, 30))
    ]  # fmt: skip
    series = _built(tables, rows)[1]
    assert "january" in [ceiling.row for ceiling, _ in series.contradicted]
    assert "christmas" in [ceiling.row for ceiling in series.ceilings]


def _built(tables, rows):
    """Pinboard with totals of its own instead of the published ones."""
    levels = tables.baselines
    levels = levels[(levels["service_id"] != "pinboard") | (levels["reading"] != "total")]
    made = pd.concat([levels, _rows(tables.baselines, rows)], ignore_index=True)
    found = case.build(replace(tables, baselines=made), PINBOARD[0], scales=CLAIMANT_SCALE)
    (series,) = case.primary(found)
    return found, series


def test_a_contradicted_ceiling_is_not_applied_and_the_report_names_both(tables, pinboard, free):
    origin, (claim,) = pinboard[0].origin, pinboard[1].claims
    day = pd.Timedelta(hours=claim.end + claim.shift[1] + 24)
    place = {"window_start_utc": origin + day, "window_end_utc": origin + day + pd.Timedelta(days=1)}
    found, series = _built(tables, [_total("little", 300.0, 0, service_id="pinboard", **place)])
    assert [(ceiling.row, told.figure_id) for ceiling, told in series.contradicted] == [("little", claim.figure_id)]
    assert {ceiling.kind for ceiling in series.ceilings} == {"population"}
    (told,) = bounds.contradictions(found, [series])
    text = str(story.doubtful(found, [replace(free, series=series)], 0.95, 1))
    assert told in text
    row = series.figures.set_index("figure_id").loc[claim.figure_id]
    value = f"{row['value'] / 1e3:g}" if row["value"] >= 1e4 else f"{row['value']:,.0f}"
    assert value in told
    assert "300 users" in told
    assert "not applied" in told
    assert not bounds.contradictions(found, [pinboard[1]])


def test_the_same_total_told_high_enough_is_applied(tables, pinboard):
    day = {"window_start_utc": pinboard[0].origin + pd.Timedelta(days=16)}
    day["window_end_utc"] = day["window_start_utc"] + pd.Timedelta(days=1)
    _, series = _built(tables, [_total("enough", 16e3, 0, service_id="pinboard", **day)])
    assert not series.contradicted
    assert "enough" in [ceiling.row for ceiling in series.ceilings]


# --- the fit


def _gain(fitted):
    made = fitted.made
    return (made.amplitude * (made.end - made.start))[:, list(fitted.model.own)].sum(axis=1)


@pytest.mark.parametrize("share", [0.7, 0.1])
def test_no_draw_lies_above_a_ceiling_and_the_fit_says_how_much_it_cut(pinboard, free, share):
    """A ceiling that leaves most of the draws drops the others; one that leaves few has them drawn anew."""
    most = float(np.quantile(_gain(free), share))
    hit = Ceiling("people hit", most, np.inf, PINBOARD[0], most, own=True)
    fitted = fit.fit(replace(pinboard[1], ceilings=(hit,)), SEED)
    assert _gain(fitted).max() <= most
    (bite,) = fitted.bites
    assert bite.ceiling == hit
    assert bite.above == pytest.approx(1 - share, abs=0.005)
    # What is left is the free posterior below the ceiling, and so probable as its share of it.
    kept = np.sort(_gain(free)[_gain(free) <= most])
    for level in (0.25, 0.5, 0.75):
        assert np.quantile(_gain(fitted), level) == pytest.approx(np.quantile(kept, level), rel=0.12)
    assert fitted.sample.log_evidence - free.sample.log_evidence == pytest.approx(np.log(share), abs=0.15)
    assert fitted.sample.effective >= sampling.ENOUGH_DRAWS


def test_the_answer_names_the_ceiling_that_cut_it_and_its_share(tables, pinboard, free):
    most = float(np.quantile(_gain(free), 0.7))
    hit = Ceiling("people hit", most, np.inf, PINBOARD[0], 14_000.0, own=True)
    found = pinboard[0]
    fitted = fit.fit(replace(pinboard[1], ceilings=(hit,)), SEED)
    names = tables.services.set_index("service_id")["name"]
    text = str(story.answer(found, [fitted], names, WEEK, 0.95))
    assert "The range ends where more is impossible: the news hit 14,000 people (which cuts off 30" in text
    assert "impossible" not in str(story.answer(found, [free], names, WEEK, 0.95))


def test_a_ceiling_far_above_changes_nothing_at_all(pinboard, free):
    far = (Ceiling("population", 8.24e9, np.inf), Ceiling("later total", 8e9, 200.0, "row", 8e9))
    fitted = fit.fit(replace(pinboard[1], ceilings=far), SEED)
    assert np.array_equal(fitted.sample.draws, free.sample.draws)
    assert fitted.sample.log_evidence == free.sample.log_evidence
    assert fitted.bites == ()


def test_a_ceiling_that_hardly_cuts_is_kept_and_not_named(pinboard, free):
    most = float(np.quantile(_gain(free), 0.995))
    fitted = fit.fit(replace(pinboard[1], ceilings=(Ceiling("people hit", most, np.inf, own=True),)), SEED)
    assert _gain(fitted).max() <= most
    assert fitted.bites == ()


# --- all curves of the evidence, as bench/curves.csv has them


#: Columns that no curve is made of.
UNUSED = (
    "affected_users_basis", "claimed_by", "confounders", "external_ids", "geography", "measure", "note", "operator",
    "unit_as_published",
)  # fmt: skip


def _near(tables, outage_id):
    """The rows that an event's curves can be made of: of its rivals, and of the other events in the same days."""
    events, told, levels = tables.outages, tables.growth_figures, tables.baselines
    near = [outage_id, *tables.outage(outage_id)["confounder_ids"].split(";")]
    rivals = set(told.loc[told["outage_id"] == outage_id, "service_id"])
    return replace(
        tables,
        outages=events[events["outage_id"].isin(near)],
        growth_figures=told[told["service_id"].isin(rivals)],
        baselines=levels[levels["service_id"].isin(rivals)],
    )


@pytest.fixture(scope="module")
def today(tables):
    """Every curve that the tables make, by its key.

    In half the time: text as plain objects, fewer rows and columns, errors of claimants as assumed.
    """
    frames = {}
    for name in ("outages", "growth_figures", "baselines", "services"):
        frame = getattr(tables, name).drop(columns=[*UNUSED], errors="ignore")
        frames[name] = frame.astype({column: object for column, kind in frame.dtypes.items() if kind == "str"})
    quick, made = replace(tables, **frames), {}
    told = set(tables.growth_figures["outage_id"])
    for outage_id in [name for name in tables.outages["outage_id"] if name in told]:
        for one in case.build(_near(quick, outage_id), outage_id, scales=CLAIMANT_SCALE).series:
            if one.fits:
                made[outage_id, one.service_id, one.quantity, one.scope, one.platform, one.panel] = one
    return made


@pytest.mark.parametrize("outage_id", ["parler-2021-01-11", "x-2024-08-31-brazil"])
def test_the_quick_way_to_all_curves_leaves_nothing_out(tables, today, outage_id):
    right = [one for one in case.build(tables, outage_id, scales=CLAIMANT_SCALE).series if one.fits]
    quick = [one for key, one in today.items() if key[0] == outage_id]
    for one, two in zip(right, quick, strict=True):
        assert (one.service_id, one.panel) == (two.service_id, two.panel)
        assert (one.claims, one.baselines, one.shocks) == (two.claims, two.baselines, two.shocks)
        assert (one.ceilings, one.contradicted) == (two.ceilings, two.contradicted)


@pytest.fixture(scope="module")
def measured():
    """The table of all curves; without it the tests fail."""
    rows = pd.read_csv(evidence.ROOT / "bench" / "curves.csv", dtype=dict.fromkeys(CURVE, "str"), keep_default_na=False)
    for column in ("ceiling", "low", "high"):
        rows[column] = pd.to_numeric(rows[column])
    assert not rows.duplicated(CURVE).any()
    return rows.set_index(CURVE).sort_index()


def _least(series, applied):
    """The least ceiling of what a curve gains in a week, in its unit, and the one that it is of.

    Counted from the last hour at which the event may have begun; of daily users, so many on each day of it.
    """
    event = series.shocks[0]
    last = WEEK + (event.start[1] if event.start[1] - event.start[0] > LOOSE_START else 0.0)
    first = min(one.start[0] for one in series.shocks if one is event or one.event_id == ANTICIPATION)
    days = (last - first) / 24 if series.quantity == "daily_active" else 1.0
    return min((one.most * days for one in applied if one.until >= last), default=np.inf)


def _exactly(tables, key):
    """A curve with the errors of claimants as all other events tell them."""
    for one in case.build(tables, key[0]).series:
        if (one.service_id, one.quantity, one.scope, one.platform, one.panel) == key[1:]:
            return one
    raise KeyError(key)


def test_the_table_of_all_curves_holds_exactly_those_of_today(measured, today):
    assert set(measured.index) == set(today)


def test_every_curve_was_fitted_or_says_why_not(measured):
    refused = measured["refused"] != ""
    assert (measured["high"].isna() == refused).all()
    assert (measured["low"].isna() == refused).all()
    fitted = measured[~refused]
    assert (fitted["low"] <= fitted["high"]).all()
    assert refused.sum() <= 3


def test_no_upper_end_lies_above_a_ceiling_that_the_tables_give(measured, today, tables):
    above = {}
    for key, row in measured[measured["refused"] == ""].iterrows():
        series = today[key]
        found = (*series.ceilings, *(ceiling for ceiling, _ in series.contradicted))
        if row["high"] > _least(series, found) * 1.0001:  # the table has five digits
            # Perhaps only above one that is not applied, which hangs on the errors of claimants.
            series = _exactly(tables, key)
            if row["high"] > _least(series, series.ceilings) * 1.0001:
                above[key] = (row["high"], _least(series, series.ceilings))
    assert not above


def test_the_table_tells_the_ceilings_of_today(measured, today, tables):
    """The column is of people, whatever the curve counts; of what was measured with other tables it would differ."""

    def least(series):
        begun = series.shocks[0].start
        over = WEEK + (begun[1] if begun[1] - begun[0] > LOOSE_START else 0.0)
        return min((one.most for one in series.ceilings if one.until >= over), default=np.inf)

    other = {}
    for key, row in measured.iterrows():
        if row["ceiling"] != pytest.approx(least(today[key]), rel=1e-4):
            exact = least(_exactly(tables, key))
            if row["ceiling"] != pytest.approx(exact, rel=1e-4):
                other[key] = (row["ceiling"], exact)
    assert not other


#: What is known of some curves without the code: event, rival, quantity, place, and how many at most.
KNOWN = [
    # Telegram: 700 million users a month in June 2022, eight months later.
    ("facebook-2021-10-04", "telegram", "signups", "world", 700e6),
    # Of WhatsApp's 450 million users; Telegram had 35 million users a month in March 2014.
    ("whatsapp-2014-02-22", "telegram", "signups", "world", 35.5e6),
    # LINE went from 325 million at the least in January 2014 to 400 million in April.
    ("whatsapp-2014-02-22", "line", "signups", "world", 80e6),
    # Brazil has 213 million people, and Viber had 16 million users there in June 2014.
    ("whatsapp-2014-02-22", "viber", "signups", "Brazil", 16.5e6),
    # Parler had 15 million users.
    ("parler-2021-01-11", "gab", "signups", "world", 15e6),
    ("parler-2021-01-11", "mewe", "signups", "world", 15e6),
    # More than all people, and the 240 million users of Twitter.
    ("twitter-2023-07-01-rate-limit", "threads", "signups", "world without the European Union", 8.2e9),
    ("twitter-2023-07-01-rate-limit", "threads", "signups", "world without the European Union", 245e6),
    # X has 22 million users in Brazil.
    ("x-2024-08-31-brazil", "threads", "installs", "Brazil", 22.5e6),
    # SK Telecom had 23 million customers, KT 16 million.
    ("sktelecom-2025-04-22-breach", "kt", "ported_numbers", "South Korea", 23.5e6),
    ("kt-2025-12-31-waiver", "lg-uplus", "ported_numbers", "South Korea", 16.5e6),
    # BlackBerry had 700,000 users in Saudi Arabia.
    ("blackberry-2010-08-06-saudi", "nimbuzz", "signups", "Saudi Arabia", 750e3),
    # Telegram had 50 million users a month at the beginning of December 2014.
    ("whatsapp-2014-11-blue-ticks", "telegram", "signups", "world", 50.5e6),
    # Pinboard had 16,000 users at the beginning of 2011.
    ("delicious-2010-12-16", "pinboard", "signups", "world", 16_500),
    # Bitchat was downloaded 365,307 times in the world up to 28 September 2025.
    ("socialmedia-2025-09-04-nepal", "bitchat", "installs", "Nepal", 365_308),
]


@pytest.mark.parametrize(("outage_id", "rival", "quantity", "scope", "most"), KNOWN)
def test_what_is_known_without_the_code_holds(measured, outage_id, rival, quantity, scope, most):
    rows = measured.loc[(outage_id, rival, quantity, scope)]
    assert (rows["refused"] == "").all()
    assert (rows["high"] <= most).all()


def test_the_ceilings_of_the_code_are_no_looser_than_what_is_known(today):
    for outage_id, rival, quantity, scope, most in KNOWN:
        found = [one for key, one in today.items() if key[:4] == (outage_id, rival, quantity, scope)]
        assert found, (outage_id, rival)
        for one in found:
            assert min(c.most for c in one.ceilings) <= most * 1.04, (outage_id, rival)
