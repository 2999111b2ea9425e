"""Published figures on one scale, and the usual level under them: the numbers of 2014, and what has no rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers import evidence
from helpers.claims import CLAIMANT_SCALE, PASSED, Claim
from helpers.published import levels
from helpers.published.one_scale import credible, on_one_scale, uplift, worded


@pytest.fixture(scope="module")
def tables():
    return evidence.load()


@pytest.fixture(scope="module")
def telegram(tables):
    return on_one_scale(tables, "telegram", "whatsapp-2014-02-22", "second")


def _row(scale, figure_id):
    return scale.figures.set_index("figure_id").loc[figure_id]


def test_the_day_after_was_57_a_second(telegram):
    row = _row(telegram, "whatsapp-2014-02-22--telegram--5")
    assert row["value"] == pytest.approx(57.3, abs=0.05)
    assert (row["low"] * 86400, row["high"] * 86400) == pytest.approx((4.945e6, 4.955e6))
    assert row["least"] < row["low"] < row["high"] < row["most"]
    assert (row["measure"], row["published"]) == ("mean", "about 4.95 million users")


def test_a_moment_and_a_peak_are_no_means(tables, telegram):
    assert _row(telegram, "whatsapp-2014-02-22--telegram--1")["measure"] == "moment"
    assert _row(telegram, "whatsapp-2014-02-22--telegram--2")["measure"] == "peak"
    held = on_one_scale(tables, "telegram", "whatsapp-2014-02-22", "day")
    assert _row(held, "whatsapp-2014-02-22--telegram--1")["value"] == pytest.approx(8.64e6)


def test_the_three_periods_say_the_same(tables):
    by = {per: on_one_scale(tables, "telegram", "whatsapp-2014-02-22", per).figures for per in levels.PERIODS}
    columns = ["low", "value", "high", "least", "most"]
    day = by["day"][columns].to_numpy()
    assert by["hour"][columns].to_numpy() * 24 == pytest.approx(day)
    assert by["second"][columns].to_numpy() * 86400 == pytest.approx(day)


def test_every_figure_is_shown_once_and_those_without_a_rate_say_why(tables):
    growth = tables.growth_figures
    for service_id in ("telegram", "signal", "bluesky", "line", "whatsapp", "rednote"):
        scale = on_one_scale(tables, service_id)
        shown = [*scale.figures["figure_id"], *scale.left_out["figure_id"]]
        assert sorted(shown) == sorted(growth.loc[growth["service_id"] == service_id, "figure_id"])
        assert (scale.left_out["why_not"] != "").all()
        figures = scale.figures
        assert (figures["low"] <= figures["value"] * (1 + 1e-9)).all()
        assert (figures["value"] <= figures["high"] * (1 + 1e-9)).all()
        assert (figures["least"] < figures["most"]).all()
        length = figures["window_end"] - figures["window_start"]
        assert (figures["latest"] - figures["earliest"] >= length).all()


def test_ranks_and_silence_have_no_rate(tables):
    left = on_one_scale(tables, "telegram").left_out.set_index("figure_id")["why_not"]
    assert "rank" in left["facebook-2021-10-04--telegram--3"]
    assert "without a number" in left["parler-2021-01-11--telegram--1"]
    assert "month" in left["whatsapp-2026-02-11-russia--telegram--1"]


def test_a_ratio_goes_through_the_usual_level(tables):
    """Ten times the usual of 2020, 1.5 million a day, as far as it was published."""
    row = _row(on_one_scale(tables, "telegram", "facebook-2021-10-04"), "facebook-2021-10-04--telegram--2")
    assert row["value"] == pytest.approx(15e6)
    assert row["made_of"] == "base--telegram--2020--1"
    assert (row["low"], row["high"]) == pytest.approx((5 * 1.45e6, 15 * 1.55e6))


def test_a_total_counts_from_an_earlier_one(tables):
    row = _row(on_one_scale(tables, "line", "whatsapp-2014-02-22"), "whatsapp-2014-02-22--line--3")
    assert row["made_of"] == "base--line--2013-11--1;whatsapp-2014-02-22--line--3"
    assert row["value"] == pytest.approx(60e6 / 92, rel=0.001)


def test_line_two_million_over_a_usual_of_440_to_650_thousand(tables):
    scale = on_one_scale(tables, "line", "whatsapp-2014-02-22")
    row = uplift(scale, tables).set_index("figure_id").loc["whatsapp-2014-02-22--line--1"]
    assert (row["usual_low"], row["usual_high"]) == pytest.approx((440_000, 652_000), rel=0.01)
    assert row["usual_least"] < row["usual_low"]
    assert row["usual_most"] > row["usual_high"]
    # [1.5, 2.5] million over [0.32, 0.77] million: two to eight times, and 0.7 to 2.2 million more.
    assert (row["times_low"], row["times_high"]) == pytest.approx((1.95, 7.75), rel=0.01)
    assert (row["more_low"], row["more_high"]) == pytest.approx((0.73e6, 2.18e6), rel=0.01)
    assert "over a usual level of 440,000 to 650,000 a day" in row["text"]


def test_a_bound_leaves_the_uplift_open(tables):
    scale = on_one_scale(tables, "telegram", "whatsapp-2014-02-22")
    row = uplift(scale, tables).set_index("figure_id").loc["whatsapp-2014-02-22--telegram--4"]
    assert np.isinf(row["times_high"])
    assert "at least" in row["text"]
    assert row["usual_ids"] == "base--telegram--2014-01-26--1"


def test_a_record_or_the_days_of_the_event_are_not_usual(tables):
    steps = levels.usual(tables, "line").set_index("ids")
    assert not steps.loc["base--line--2013-11-25--1", "usual"]
    assert not steps.loc["base--line--2013-11-25--2", "usual"]
    after = steps.index.str.endswith("base--line--2014-04-01--1") & (steps["made_of"] == "growth between totals")
    assert after.any()
    assert not steps.loc[after, "usual"].any()
    assert steps.loc["base--line--2014-02-25--1", "usual"]


def test_totals_of_one_month_are_placed_by_the_rate_made_of_them(tables):
    """300 million "in November": the rate made of 300 and 360 million begins on the 25th."""
    steps = levels.usual(tables, "line").set_index("ids")
    grown = steps.loc["base--line--2013-11--1;whatsapp-2014-02-22--line--2"]
    assert grown["window_start"].strftime("%Y-%m-%d") == "2013-11-25"
    without = tables.baselines[~tables.baselines["baseline_id"].str.startswith("base--line--2014-02-25")]
    without = without[~without["baseline_id"].str.startswith("base--line--2013-11-25")]
    steps = levels.usual(replace(tables, baselines=without), "line").set_index("ids")
    grown = steps.loc["base--line--2013-11--1;whatsapp-2014-02-22--line--2"]
    assert grown["window_start"].strftime("%Y-%m-%d") == "2013-11-16"
    assert grown["high"] / grown["low"] > 1.8


def test_totals_that_fell_or_stand_side_by_side_are_no_growth(tables):
    first = levels.Total("a", 95, 100, 105, *_days("2020-01-01", "2020-01-02"), "baseline")
    same = levels.Total("b", 195, 200, 205, *_days("2020-01-02", "2020-01-03"), "baseline")
    fell = levels.Total("c", 75, 80, 85, *_days("2020-02-01", "2020-02-02"), "baseline")
    later = levels.Total("d", 295, 300, 305, *_days("2020-04-10", "2020-04-11"), "baseline")
    assert levels.growth(first, same) is None
    assert levels.growth(first, fell) is None
    step = levels.growth(first, later)
    assert step["value"] == pytest.approx(200 / 100 / 24)
    assert step["low"] == pytest.approx(190 / 101 / 24)
    assert step["high"] == pytest.approx(210 / 99 / 24)


def _days(first, last):
    return pd.Timestamp(first, tz="UTC"), pd.Timestamp(last, tz="UTC")


def test_the_claimants_error_widens_and_nothing_else_does(tables):
    narrow = on_one_scale(tables, "telegram", "whatsapp-2014-02-22", scales=dict.fromkeys(CLAIMANT_SCALE, 0.01))
    wide = on_one_scale(tables, "telegram", "whatsapp-2014-02-22", scales=dict.fromkeys(CLAIMANT_SCALE, 0.5))
    same = ["figure_id", "low", "value", "high", "window_start", "earliest"]
    assert narrow.figures[same].equals(wide.figures[same])
    assert (narrow.figures["most"] < wide.figures["most"]).all()
    about = narrow.figures[narrow.figures["bound"] == "none"]
    assert (about["least"] >= about["low"] * 0.97).all()
    assert (about["most"] <= about["high"] * 1.03).all()


def test_credible_against_simulation():
    """Draw truths, publish them as a lower bound, keep those published as "more than 3 million"."""
    rng = np.random.default_rng(3)
    truth = np.exp(rng.uniform(np.log(1e5), np.log(1e9), 2_000_000))
    lag = np.where(rng.random(truth.size) < 0.5, 0, rng.exponential(PASSED, truth.size))
    told = truth * np.exp(0.2 * rng.standard_normal(truth.size) - lag)
    kept = truth[(told >= 3e6) & (told < 4e6)]
    low, high = credible(Claim("x", "increment", 3e6, 4e6, "lower", 0, 24, (0, 0), 0.2), 0.9)
    assert (low, high) == pytest.approx(tuple(np.quantile(kept, [0.05, 0.95])), rel=0.02)


def test_what_cannot_be_asked(tables):
    with pytest.raises(ValueError, match="per: got 'week'"):
        on_one_scale(tables, "line", per="week")
    with pytest.raises(ValueError, match="level: got 1"):
        on_one_scale(tables, "line", level=1)
    with pytest.raises(KeyError):
        on_one_scale(tables, "no-such-service")


def test_a_service_without_figures_gives_empty_tables(tables):
    empty = replace(tables, growth_figures=tables.growth_figures.iloc[:0], baselines=tables.baselines.iloc[:0])
    scale = on_one_scale(empty, "telegram")
    assert scale.figures.empty
    assert scale.left_out.empty
    assert uplift(scale, empty).empty
    assert levels.usual(empty, "telegram").empty
    alone = replace(tables, baselines=tables.baselines.iloc[:0])
    found = uplift(on_one_scale(alone, "telegram", "whatsapp-2014-02-22"), alone)
    assert found["usual_low"].isna().all()
    assert found["text"].str.contains("no usual level").all()


def test_kinds_are_never_mixed(tables):
    """The usual installs of Signal are no level for anybody's sign-ups."""
    for service_id in ("telegram", "signal", "bluesky"):
        scale = on_one_scale(tables, service_id)
        kind = {i: tuple(row[levels.KEY]) for i, row in scale.figures.set_index("figure_id").iterrows()}
        base = tables.baselines.set_index("baseline_id")
        for _, row in uplift(scale, tables).iterrows():
            for used in filter(None, row["usual_ids"].split(";")):
                if used in base.index:
                    assert tuple(base.loc[used, levels.KEY]) == kind[row["figure_id"]]


def test_rates_below_a_hundred_keep_two_digits():
    assert worded(5.06, 7.56) == "5.1 to 7.6"
    assert worded(0.5, 0.5) == "about 0.5"
    assert worded(437_000, 652_000) == "440,000 to 650,000"
