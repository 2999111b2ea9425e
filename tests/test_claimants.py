"""Who claims what: pairs that may be compared, bias and scale against known truth and against statsmodels."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from helpers import case, evidence, usual
from helpers.claims import CLAIMANT_SCALE, PASSED
from helpers.prior import Prior
from helpers.published import ageing, claimant_model, claimants
from helpers.published.pairs import COLUMNS, pairs


@pytest.fixture(scope="module")
def tables():
    return evidence.load()


@pytest.fixture(scope="module")
def found(tables):
    return pairs(tables)


@pytest.fixture(scope="module")
def estimated(tables):
    return claimants.estimate(tables)


def _pair(found, first, second):
    return found[(found["first_id"] == first) & (found["second_id"] == second)].iloc[0]


# --- pairs


def test_seventy_million_against_six(found):
    pair = _pair(found, "facebook-2021-10-04--telegram--1", "facebook-2021-10-04--telegram--4")
    assert pair["used"]
    assert pair["converted"]
    assert (pair["first_class"], pair["second_class"]) == ("company", "panel")
    assert np.exp(pair["log_ratio"]) == pytest.approx(70 / 6.3)
    assert (pair["shape_low"], pair["shape_high"]) == (0, 0)
    assert pair["text"].endswith("at least 11 times as many.")


def test_three_days_within_a_week(found):
    """25 million in 72 hours against 15.7 in the week that holds them: the three days brought 3/7 of it at least."""
    event = "whatsapp-2021-01-06-privacy-policy--telegram--"
    pair = _pair(found, f"{event}1", f"{event}4")
    assert pair["used"]
    assert (pair["shape_low"], pair["shape_high"]) == pytest.approx((np.log(3 / 7), 0.0))
    month = _pair(found, f"{event}22", f"{event}2")
    assert month["used"]
    assert np.exp(month["log_ratio"]) == pytest.approx(90 / 63)
    assert month["second_bound"] == "lower"
    assert "up to" in month["text"]


def test_the_other_pairs_of_the_tables(found):
    used = found[found["used"]].set_index("outage_id")
    assert np.exp(used.loc["kakaotalk-2014-09-surveillance", "log_ratio"]) == pytest.approx(1.5)
    assert np.exp(used.loc["tiktok-2026-01-25-us", "log_ratio"]) == pytest.approx(1 / 0.7)
    # 197,000 installs are of one platform: the whole was up to five times that.
    ios = used.loc["x-2024-10-block-feature"]
    assert np.exp(ios["log_ratio"]) == pytest.approx(500 / 197)
    assert ios["shape_high"] > np.log(5) - 0.01


def test_no_figure_enters_twice_and_no_retelling_at_all(tables, found):
    used = found[found["used"]]
    ids = [*used["first_id"], *used["second_id"]]
    assert len(ids) == len(set(ids))
    repeats = tables.growth_figures.loc[tables.growth_figures["repeats"] != "", "figure_id"]
    assert not set(chain(found["first_id"], found["second_id"])) & set(repeats)
    assert (found["first_class"] != found["second_class"]).all()
    assert (found["log_low"] <= found["log_ratio"] + 1e-9).all()
    assert (found["log_ratio"] <= found["log_high"] + 1e-9).all()
    assert (found["shape_low"] <= found["shape_high"]).all()
    assert (found["used"] == (found["why_not"] == "")).all()


def test_a_stock_of_years_is_no_claim_about_a_surge(found):
    """Line's totals of 340, 350 and 360 million, Bluesky's 24 million: most of each was there before."""
    assert not found["service_id"].isin(["line"]).any()
    assert "x-2024-11-05-us-election--bluesky--7" not in set(found["first_id"]) | set(found["second_id"])


def test_what_cannot_be_compared_is_no_pair(tables):
    event, kept = "facebook-2021-10-04", ["facebook-2021-10-04--telegram--1", "facebook-2021-10-04--telegram--4"]
    growth = tables.growth_figures
    growth = growth[(growth["outage_id"] == event) & growth["figure_id"].isin(kept)]
    assert len(pairs(replace(tables, growth_figures=growth))) == 1

    def changed(column, value):
        edited = growth.copy()
        edited.loc[edited["figure_id"] == kept[1], column] = value
        return pairs(replace(tables, growth_figures=edited))

    for column, value in [
        ("scope", "Brazil"),
        ("quantity", "visits"),
        ("claimant_class", "company"),
        ("window_start_utc", pd.Timestamp("2021-10-09", tz="UTC")),
        ("repeats", kept[0]),
        ("value", np.nan),
        ("reading", "rate_peak"),
    ]:
        assert changed(column, value).empty, column
    assert list(changed("scope", "Brazil").columns) == COLUMNS
    month = changed("window_end_utc", pd.Timestamp("2021-11-05", tz="UTC"))
    assert len(month) == 1  # its hours are still those that it states: a day within the month
    assert changed("window_hours", 24.0 * 30).shape[0] == 1


# --- bias and scale


def test_without_any_pair_scales_and_biases_are_the_prior(tables):
    alone = replace(tables, growth_figures=tables.growth_figures[tables.growth_figures["claimant_class"] == "company"])
    scales, biases = claimants.errors(alone)
    assert scales == pytest.approx(CLAIMANT_SCALE, rel=0.01)
    assert biases == pytest.approx(dict.fromkeys(CLAIMANT_SCALE, claimant_model.BIAS_SD) | {"panel": 0.0}, rel=0.02)
    nothing = claimants.estimate(alone)
    assert nothing.pairs.empty
    assert "No outage" in nothing.text


def test_the_estimate_of_the_tables(estimated):
    classes = estimated.classes.set_index("claimant_class")
    assert estimated.effective > claimant_model.ENOUGH
    assert estimated.gap.low < 1.6 < estimated.gap.high
    assert estimated.next_gap.low < estimated.gap.low < estimated.gap.high < estimated.next_gap.high
    assert classes.loc["panel", "bias"] == 0
    assert classes.loc["company", "bias_low"] < 0 < classes.loc["company", "bias_high"]
    assert (classes["handed"] >= classes["scale"]).all()
    assert (classes["scale_low"] < classes["scale"]).all()
    assert (classes["scale"] < classes["scale_high"]).all()
    assert estimated.conversion_scale.low < usual.CONVERSION_SCALE < estimated.conversion_scale.high
    assert "Companies claim" in estimated.text
    with pytest.raises(ValueError, match="level: got 95"):
        claimants.estimate(None, level=95)


def test_a_figure_does_not_set_its_own_error(tables):
    everything = claimants.scales(tables)
    without = claimants.scales(tables, "facebook-2021-10-04")
    assert without["company"] != pytest.approx(everything["company"], rel=0.01)
    gone = tables.growth_figures[tables.growth_figures["outage_id"] != "facebook-2021-10-04"]
    afresh = claimants.scales(replace(tables, growth_figures=gone))
    assert without == pytest.approx(afresh, rel=0.06)
    assert claimants.scales(tables, "whatsapp-2014-02-22") == everything


def test_companies_that_exaggerate_everywhere_are_believed_less(tables, found):
    loud = found[found["used"]].copy()
    company = loud["first_class"] == "company"
    loud.loc[company, ["log_low", "log_high"]] += 2.0
    weights = (made := claimant_model.posterior(loud)).weights()
    bias = claimant_model.quantiles(made.draws.bias["company"], weights, 0.95)[1]
    plain = claimant_model.posterior(found[found["used"]])
    assert bias > claimant_model.quantiles(plain.draws.bias["company"], plain.weights(), 0.95)[1] + 0.3


def test_the_fit_uses_the_scales(tables):
    claims = [c for s in case.build(tables, "whatsapp-2014-02-22", ["telegram"]).series for c in s.claims]
    scales, biases = claimants.errors(tables, ["whatsapp-2014-02-22", "whatsapp-2014-02-19-facebook-deal"])
    assert {(c.scale, c.bias) for c in claims} <= {(scales[name], biases[name]) for name in scales}
    given = case.build(tables, "whatsapp-2014-02-22", ["telegram"], scales=CLAIMANT_SCALE)
    assert {c.scale for s in given.series for c in s.claims} <= set(CLAIMANT_SCALE.values())
    assert {c.bias for s in given.series for c in s.claims} == {0.0}


def test_asked_again_it_looks_for_no_pairs(tables, monkeypatch):
    claimants.scales(tables)
    monkeypatch.setattr(claimants, "pairs", None)
    for outage_id in tables.outages["outage_id"].head(10):
        claimants.scales(tables, outage_id)


def _simple(ratios, outages, first="company", second="panel", converted=False):
    quantity = "installs" if not converted else "signups"
    return pd.DataFrame(
        {
            "outage_id": outages,
            "service_id": "x",
            "first_id": [str(i) for i in range(len(ratios))],
            "first_class": first,
            "second_class": second,
            "first_quantity": quantity,
            "first_bound": "none",
            "second_bound": "none",
            "log_low": np.asarray(ratios) - 1e-3,
            "log_high": np.asarray(ratios) + 1e-3,
            "shape_low": 0.0,
            "shape_high": 0.0,
            "converted": converted,
        }
    )


@pytest.fixture
def plain(monkeypatch):
    """Make the model the plain normal one: scales known, nothing wrong, no part of each outage's own."""
    monkeypatch.setattr(claimant_model, "Prior", lambda: Prior(false=1e-12))
    monkeypatch.setattr(claimant_model, "SCALE_SD", 1e-9)
    monkeypatch.setattr(claimant_model, "OUTAGE_SD", 1e-9)


@pytest.mark.parametrize(
    ("first", "second"), [("none", "none"), ("lower", "none"), ("none", "lower"), ("upper", "lower")]
)
def test_the_probability_of_a_pair_against_simulation(first, second):
    """Two figures drawn a million times: the share told within the interval is what the table says."""
    pair = _simple([0.6], ["a"]).assign(first_bound=first, second_bound=second, shape_low=-0.8, shape_high=0.4).iloc[0]
    pair["log_low"], pair["log_high"] = 0.5, 0.8
    rng = np.random.default_rng(7)
    n, mu, scale = 1_000_000, 0.3, 0.35
    lag = {"none": 0.0, "lower": 1.0, "upper": -1.0}
    late = rng.exponential(PASSED, (2, n)) * (rng.random((2, n)) < 0.5)
    told = mu + rng.uniform(-0.8, 0.4, n) + scale * rng.standard_normal(n)
    told += -lag[first] * late[0] + lag[second] * late[1]
    share = ((told >= 0.5) & (told < 0.8)).mean()
    table = claimant_model._table(pair)
    assert claimant_model._look_up(table, np.array([mu]), np.array([scale]))[0] == pytest.approx(share, rel=0.02)


def test_against_statsmodels_fixed_effect(plain):
    """Known variances: the posterior is the meta-analysis of statsmodels, drawn towards the prior by its precision."""
    rng = np.random.default_rng(2)
    variance = CLAIMANT_SCALE["company"] ** 2 + CLAIMANT_SCALE["panel"] ** 2
    ratios = 0.4 + np.sqrt(variance) * rng.standard_normal(10)
    pooled = combine_effects(ratios, np.full(10, variance), method_re="dl").summary_frame().loc["fixed effect"]
    precision = 1 / pooled["sd_eff"] ** 2
    sd = (precision + 1 / claimant_model.BIAS_SD**2) ** -0.5
    mean = pooled["eff"] * precision * sd**2
    made = claimant_model.posterior(_simple(ratios, [str(i) for i in range(10)]))
    low, median, high = claimant_model.quantiles(made.draws.bias["company"], made.weights(), 0.95)
    assert median == pytest.approx(mean, abs=0.01)
    assert (high - low) / 2 / 1.96 == pytest.approx(sd, rel=0.06)


def test_against_statsmodels_random_effects(plain, monkeypatch):
    """Sign-ups against installs in forty outages: the spread between outages is that of Paule and Mandel."""
    monkeypatch.setattr(claimant_model, "OUTAGE_SD", 0.6)
    rng = np.random.default_rng(8)
    variance = CLAIMANT_SCALE["company"] ** 2 + CLAIMANT_SCALE["panel"] ** 2
    ratios = 0.5 + np.hypot(0.6, np.sqrt(variance)) * rng.standard_normal(40)
    pooled = combine_effects(ratios, np.full(40, variance), method_re="iterated")
    effect = pooled.summary_frame().loc["random effect"]
    made = claimant_model.posterior(_simple(ratios, [str(i) for i in range(40)], converted=True))
    weights = made.weights()
    low, median, high = claimant_model.quantiles(made.draws.outage, weights, 0.95)
    assert low < np.sqrt(pooled.tau2) < high
    assert median == pytest.approx(np.sqrt(pooled.tau2), rel=0.12)
    gap = claimant_model.quantiles(made.draws.bias["company"] + made.draws.conversion, weights, 0.95)
    assert gap[1] == pytest.approx(effect["eff"], abs=0.04)
    assert gap[2] - gap[0] == pytest.approx(effect["ci_upp"] - effect["ci_low"], rel=0.2)


def test_one_wild_pair_hardly_moves_the_rest():
    calm = [0.3, 0.2, 0.4, 0.35, 0.25, 0.3]
    both = [
        claimant_model.posterior(_simple(ratios, [str(i) for i in range(len(ratios))]))
        for ratios in (calm, [*calm, 4.0])
    ]
    medians = [claimant_model.quantiles(made.draws.bias["company"], made.weights(), 0.95)[1] for made in both]
    assert medians[1] == pytest.approx(medians[0], abs=0.1)


def test_intervals_hold_the_truth():
    """Sixty simulated sets: 95% intervals of the bias hold it (the full measurement is bench/claimants.py)."""
    rng = np.random.default_rng(6)
    inside = []
    for _ in range(60):
        truth = claimant_model.unpack(rng.standard_normal((1, claimant_model.DIMENSIONS)))
        spread = np.hypot(truth.scale["company"][0], truth.scale["panel"][0])
        wild = np.where(rng.random(8) < 0.19, 1.5, spread)
        ratios = truth.bias["company"][0] + wild * rng.standard_normal(8)
        made = claimant_model.posterior(_simple(ratios, [str(i) for i in range(8)]))
        low, _, high = claimant_model.quantiles(made.draws.bias["company"], made.weights(), 0.95)
        inside.append(low <= truth.bias["company"][0] <= high)
    assert 0.87 <= np.mean(inside) <= 1.0


def test_sharp_evidence_is_drawn_anew():
    """Sixty narrow pairs leave few draws of the prior: the answer is found all the same."""
    ratios = 1.2 + 0.1 * np.random.default_rng(4).standard_normal(60)
    made = claimant_model.posterior(_simple(ratios, [str(i) for i in range(60)], "company", "api_count"))
    gap = made.draws.bias["company"] - made.draws.bias["api_count"]
    low, median, high = claimant_model.quantiles(gap, made.weights(), 0.95)
    assert made.effective() >= claimant_model.ENOUGH
    assert median == pytest.approx(1.2, abs=0.05)
    assert high - low < 0.15


# --- how usual levels age


def test_the_fit_uses_an_ageing_that_the_tables_bear_out(tables):
    found = ageing.changes(tables)
    made = ageing.estimate(found)
    assert len(found) > 20
    assert found["years"].between(0, usual.OLDEST_BASELINE_YEARS).all()
    assert made.agrees
    assert "agree with" in made.text
    # What was assumed before the tables were asked lies outside.
    assert made.drift.high < ageing.PRIOR_DRIFT
    assert made.error.low > ageing.PRIOR_ERROR


def test_ageing_of_simulated_levels():
    rng = np.random.default_rng(9)
    inside = []
    for _ in range(40):
        z = rng.standard_normal(2)
        drift, error = ageing.PRIOR_DRIFT * np.exp(0.7 * z[0]), ageing.PRIOR_ERROR * np.exp(0.7 * z[1])
        years, same = rng.uniform(0, 3, 35), rng.random(35) < 0.2
        spread = np.where(rng.random(35) < 0.1, 1.5, 0.0)
        errors = np.where(same, usual.SAME_PANEL_SCALE, error)
        ratio = np.sqrt(2 * errors**2 + drift**2 * years + spread**2) * rng.standard_normal(35)
        made = ageing.estimate(pd.DataFrame({"years": years, "log_ratio": ratio, "same_panel": same}))
        inside += [made.drift.low <= drift <= made.drift.high, made.error.low <= error <= made.error.high]
    assert 0.88 <= np.mean(inside) <= 1.0
    nothing = ageing.estimate(pd.DataFrame({"years": [], "log_ratio": [], "same_panel": []}))
    assert nothing.drift.median == pytest.approx(ageing.PRIOR_DRIFT, rel=0.02)
    assert "assumed, not known" in nothing.text
    with pytest.raises(ValueError, match="level: got 0"):
        ageing.estimate(nothing.changes, 0)
