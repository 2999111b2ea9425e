"""From the evidence to claims: what enters a curve, what does not, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers import case, evidence, usual
from helpers.case import build, primary
from helpers.likelihood import ANTICIPATION


@pytest.fixture(scope="module")
def tables():
    return evidence.load()


@pytest.fixture(scope="module")
def cases(tables):
    """All events of the evidence, built once."""
    return [build(tables, outage_id) for outage_id in tables.outages["outage_id"]]


def _series(tables, outage_id, service_id, **given):
    return next(s for s in primary(build(tables, outage_id, **given)) if s.service_id == service_id)


def test_the_2014_headlines_become_claims(tables):
    series = _series(tables, "whatsapp-2014-02-22", "telegram")
    seen = {claim.figure_id.rsplit("whatsapp-", 1)[-1]: claim for claim in series.claims}
    assert {c.reading for c in series.claims} == {"rate_instant", "increment"}
    rate = seen["2014-02-22--telegram--1"]
    assert (rate.low, rate.high, rate.start, rate.end) == (180_000, 540_000, 0.0, pytest.approx(3.8))
    day_after = seen["2014-02-22--telegram--5"]
    assert (day_after.start, day_after.end, day_after.bound) == (5.0, 29.0, "none")
    four_days = seen["2014-02-22--telegram--7"]
    assert four_days.bound == "lower"
    # The purchase three days before is a shock of its own, and its figure is on the same curve.
    assert [s.event_id for s in series.shocks] == ["whatsapp-2014-02-22", "whatsapp-2014-02-19-facebook-deal"]
    assert "2014-02-19-facebook-deal--telegram--1" in seen
    # Published durations run from 2 to 4 hours.
    assert series.shocks[0].hours == (2.0, 4.0)


def test_repetitions_count_once_and_say_so(tables):
    figures = _series(tables, "whatsapp-2014-02-22", "telegram").figures.set_index("figure_id")
    again = figures.loc["whatsapp-2014-02-22--telegram--6"]
    assert not again["used"]
    assert "repeats whatsapp-2014-02-22--telegram--5" in again["why_not"]


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (None, "''"),
        (float("nan"), "''"),
        ("", "''"),
        ("gain", "'gain'"),
        ("gainr", "'gainr'"),
    ],
)
def test_a_figure_without_a_role_is_refused_by_name(tables, role, said):
    growth = tables.growth_figures
    by_hand = growth[growth["figure_id"] == "whatsapp-2014-02-22--telegram--5"].assign(figure_id="by hand", role=role)
    with_it = replace(tables, growth_figures=pd.concat([growth, by_hand], ignore_index=True))
    expected = "expected one of: gainer, failing_service, circumvention, no_gain_named"
    with pytest.raises(evidence.EvidenceError) as caught:
        build(with_it, "whatsapp-2014-02-22")
    hint = "; did you mean gainer?" if role in ("gain", "gainr") else ""
    assert str(caught.value).splitlines()[1:] == [f"  growth_figures, by hand, role: {said}, {expected}{hint}"]
    without = by_hand.drop(columns="role")
    with pytest.raises(evidence.EvidenceError, match=f"by hand, role: '', {expected}"):
        build(replace(tables, growth_figures=pd.concat([growth, without])), "whatsapp-2014-02-22")


def test_the_same_claim_twice_changes_nothing(tables):
    growth = tables.growth_figures
    twin = growth[growth["figure_id"] == "whatsapp-2014-02-22--telegram--5"].assign(figure_id="x-twin")
    doubled = replace(tables, growth_figures=pd.concat([growth, twin], ignore_index=True))
    once = _series(tables, "whatsapp-2014-02-22", "telegram")
    twice = _series(doubled, "whatsapp-2014-02-22", "telegram")
    assert twice.claims == once.claims
    assert "says the same as" in twice.figures.set_index("figure_id").loc["x-twin", "why_not"]


def test_every_outage_can_be_built_and_every_figure_is_accounted_for(tables, cases):
    growth = tables.growth_figures
    for found in cases:
        own = growth[growth["outage_id"] == found.outage["outage_id"]]
        shown = {i for s in found.series for i in s.figures["figure_id"]} | set(found.others["figure_id"])
        assert set(own["figure_id"]) <= shown
        for series in found.series:
            assert (series.figures["used"] == (series.figures["why_not"] == "")).all()
            on_curve = {c.figure_id for c in series.claims}
            assert set(series.figures.loc[series.figures["used"], "figure_id"]) <= on_curve


def test_quantities_places_and_platforms_are_never_mixed(cases):
    for found in cases:
        for series in found.series:
            keys = series.figures[case.KEY].drop_duplicates()
            assert len(keys) == 1


def test_a_block_of_weeks_pushes_for_a_day(tables):
    long = tables.outages.set_index("outage_id").loc["x-2024-08-31-brazil"].rename_axis(None)
    shock = case.shock(pd.concat([long, pd.Series({"outage_id": "x-2024-08-31-brazil"})]), long["start_utc"])
    assert shock.hours == (24.0, 24.0)


def test_people_who_leave_before_an_announced_block_are_its_own(tables):
    series = _series(tables, "whatsapp-2015-12-17-brazil", "telegram")
    assert [s.event_id for s in series.shocks] == ["whatsapp-2015-12-17-brazil", ANTICIPATION]
    assert series.shocks[1].start[0] == pytest.approx(-5.0)


def test_parts_of_one_running_count_share_their_error(tables):
    series = _series(tables, "whatsapp-2015-12-17-brazil", "telegram")
    groups = [claim.group for claim in series.claims if claim.group]
    assert len(groups) >= 2
    assert len(set(groups)) == 1


def test_a_percentage_needs_a_usual_level(cases):
    for found in cases:
        for series in found.series:
            if not series.baselines:
                assert not any(claim.reading.startswith("ratio") for claim in series.claims)


def test_a_given_usual_level_replaces_the_published_ones(tables):
    series = _series(tables, "whatsapp-2014-02-22", "line", baseline_per_day={"line": 500_000.0})
    (claim,) = series.baselines
    assert claim.low * 24 == pytest.approx(499_500)


def _with_levels(tables, *levels):
    """Usual levels of Telegram in sign-ups or installs a day, instead of all that were published."""
    like = tables.baselines[tables.baselines["baseline_id"] == "base--telegram--2014-01-26--1"].iloc[0]
    rows = []
    for number, (day, value, quantity) in enumerate(levels):
        start = pd.Timestamp(day, tz="UTC")
        window = {"window_start_utc": start, "window_end_utc": start + pd.Timedelta(days=1)}
        rows.append(like.to_dict() | window | {"baseline_id": f"b{number}", "value": value, "quantity": quantity})
    made = pd.DataFrame(rows).astype(tables.baselines.dtypes)
    return _series(replace(tables, baselines=made), "whatsapp-2014-02-22", "telegram").baselines[0]


def test_usual_levels_grow_doubtful_with_age_and_conversion(tables):
    fresh = _with_levels(tables, ("2014-02-01", 212_000, "signups"))
    old = _with_levels(tables, ("2012-02-01", 212_000, "signups"))
    converted = _with_levels(tables, ("2014-02-01", 212_000, "installs"))
    assert usual.BASELINE_SCALE <= fresh.scale < old.scale < converted.scale
    assert old.scale == pytest.approx(np.sqrt(usual.BASELINE_SCALE**2 + 2.06 * 0.4**2), rel=0.02)
    assert converted.scale == pytest.approx(np.hypot(fresh.scale, usual.CONVERSION_SCALE), rel=0.001)


def test_all_usual_levels_make_one_that_is_less_doubtful(tables):
    """The mean of a Brownian path seen at several times, with errors: by the formula for two levels, written out."""
    before, after = ("2014-01-22", 123_000, "signups"), ("2014-03-25", 492_000, "signups")
    both, one = _with_levels(tables, before, after), _with_levels(tables, before)
    assert both.figure_id.split(";") == ["b1", "b0"]  # the nearest first
    assert both.low * 24 == pytest.approx(246_000, rel=0.02)  # they are as near and as doubtful as each other
    assert both.scale == pytest.approx(one.scale / np.sqrt(2), rel=0.02)
    # What is converted shares the error of its conversion: a second one of the kind adds little.
    twice = _with_levels(tables, *[(day, value, "installs") for day, value, _ in (before, after)])
    assert usual.CONVERSION_SCALE < twice.scale < _with_levels(tables, ("2014-01-22", 123_000, "installs")).scale


def test_a_rank_and_a_lone_total_are_shown_not_modelled(tables):
    found = build(tables, "facebook-2021-10-04", rivals=["telegram"])
    reasons = {row["figure_id"]: row["why_not"] for s in found.series for _, row in s.figures.iterrows()}
    assert "rank" in reasons["facebook-2021-10-04--telegram--3"]
    skylight = build(tables, "tiktok-2026-01-25-us", rivals=["skylight"])
    reasons = {row["figure_id"]: row["why_not"] for s in skylight.series for _, row in s.figures.iterrows()}
    assert "running total" in reasons["tiktok-2026-01-25-us--skylight--1"]


def test_a_total_counts_from_an_earlier_one(tables):
    """400,000 users of Threema the day after the purchase, 200,000 the day before."""
    series = _series(tables, "whatsapp-2014-02-19-facebook-deal", "threema")
    (claim,) = series.claims
    assert claim.figure_id == "whatsapp-2014-02-19-facebook-deal--threema--2"
    assert (claim.reading, claim.since) == ("increment", 200_000)
    assert (claim.low, claim.high) == (100_000, 300_000)


def test_a_window_dated_on_the_event_holds_part_of_it(tables):
    for series in primary(build(tables, "facebook-2021-10-04")):
        for claim in series.claims:
            if claim.start <= 0 <= claim.end and claim.reading != "rate_instant":
                assert claim.start + claim.shift[1] <= 0
                assert claim.end + claim.shift[0] >= 3.0


def test_unknown_outage(tables):
    with pytest.raises(KeyError, match="no-such"):
        build(tables, "no-such")
