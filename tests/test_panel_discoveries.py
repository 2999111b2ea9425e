"""Many series asked at once: false discoveries controlled, placebos in space, intervals that agree with the calls."""

import numpy as np
import pandas as pd
import pytest
from panel_data import HORIZON, OUTAGE, panel
from scipy import stats

from helpers.measured.totals import Predictive
from helpers.panel import null as nulls
from helpers.panel import summary
from helpers.panel.discoveries import adjusted, find, said_of_placebos
from helpers.panel.measure_all import measure_panel
from helpers.panel.null import Null

LEVEL = 0.95


def measured(scores: np.ndarray, mean: float = 5000.0, spread: float = 0.1, freedom: float = 12.0) -> pd.DataFrame:
    """Return rows as a panel gives them, with these normal scores, before anything is corrected."""
    n = len(scores)
    told = Predictive(np.full(n, mean), np.full(n, (mean * spread) ** 2), 1.0, freedom)
    ratio = np.log1p(spread**2)
    # A score as a quantile of the same log-Student distribution.
    far = np.where(scores > 0, -1, 1) * stats.t.ppf(stats.norm.sf(np.abs(scores)), freedom)
    observed = np.round(np.exp(np.log(mean) - ratio / 2 + far * np.sqrt(ratio)))
    low, middle, high = (told.quantile(q) for q in ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2))
    table = pd.DataFrame({"series": [f"s{number}" for number in range(n)], "observed": observed, "expected": middle})
    table["extra"], table["extra_low"], table["extra_high"] = observed - middle, observed - high, observed - low
    for end, value in (("", middle), ("_low", high), ("_high", low)):
        table[f"relative{end}"] = observed / value - 1
    table["p"], table["z"], table["effective_freedom"] = told.p_value(observed), told.score(observed), freedom
    table["predicted_mean"], table["predicted_variance"] = mean, (mean * spread) ** 2
    return table.assign(window="w", status="measured")


def test_adjusted_p_values_are_those_of_benjamini_and_hochberg() -> None:
    # Benjamini and Hochberg 1995, section 3.2: 15 p-values of which 4 are called at 5%.
    p = np.array([1, 4, 19, 95, 201, 278, 298, 344, 459, 3240, 4262, 5719, 6528, 7590, 10000]) / 10000
    order = np.random.default_rng(1).permutation(15)
    q = adjusted(p[order])
    assert sorted(p[order][q <= 0.05]) == p[:4].tolist()
    assert q[order == 3] == pytest.approx(0.0095 * 15 / 4)


def test_failed_series_take_no_part() -> None:
    p = np.array([0.01, np.nan, 0.04, np.nan])
    np.testing.assert_allclose(adjusted(p), [0.02, np.nan, 0.04, np.nan])
    assert np.isnan(adjusted(np.array([np.nan]))).all()


@pytest.mark.parametrize("placebos", [0, 60])
def test_false_discoveries_stay_below_the_level(placebos: int) -> None:
    """200 panels of 200 series, 40 of which gained: the mean share of false calls is at most 10%, and most are found.

    With placebos all scores are shifted and wider than they should be, by something that touched every series.
    """
    random = np.random.default_rng(5)
    shares, found, wrong_without = [], [], []
    gained = np.arange(200) < 40
    for _ in range(200):
        z = random.standard_normal(200 + placebos)
        if placebos:
            z = 0.5 + 1.3 * z
        z[:200] += np.where(gained, 5.0, 0.0)
        null = nulls.fit(z[200:]) if placebos else Null()
        called = adjusted(null.p_value(z[:200])) <= 0.1
        shares.append((called & ~gained).sum() / max(called.sum(), 1))
        found.append((called & gained).sum() / 40)
        plain = adjusted(Null().p_value(z[:200])) <= 0.1
        wrong_without.append((plain & ~gained).sum() / max(plain.sum(), 1))
    error = np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) <= 0.1 + 2 * error
    assert np.mean(found) > 0.6
    if placebos:
        assert np.mean(wrong_without) > 0.2  # so the correction is what kept the promise


def test_the_null_is_that_of_the_placebos_in_spite_of_a_few_that_gained() -> None:
    random = np.random.default_rng(2)
    z = 0.4 + 1.5 * random.standard_normal(1000)
    z[:50] += 8
    found = nulls.fit(z)
    assert found.centre == pytest.approx(0.4, abs=0.25)
    assert found.spread == pytest.approx(1.5, rel=0.15)
    assert np.std(z) > 2.2


def test_the_estimated_null_keeps_its_level_with_few_placebos() -> None:
    """Simulated: 20 placebo series, 5% of a new series' p-values below 5%, and 1% below 1%."""
    random = np.random.default_rng(3)
    p = np.array([nulls.fit(random.standard_normal(20)).p_value(random.standard_normal(1))[0] for _ in range(4000)])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.012)
    assert (p < 0.01).mean() == pytest.approx(0.01, abs=0.006)


def test_too_few_placebos_correct_nothing() -> None:
    with pytest.raises(ValueError, match="19 placebo series, expected at least 20"):
        nulls.fit(np.zeros(19))
    with pytest.raises(ValueError, match="do not differ"):
        nulls.fit(np.zeros(25))
    table = measured(np.linspace(-2, 2, 30))
    found = find(table, placebo=np.arange(30) < 19)
    assert found.placebos is not None
    assert not found.placebos.corrected
    pd.testing.assert_series_equal(found.table["p"], table["p"])
    assert "Nothing is corrected by them; that takes 20 or more." in said_of_placebos(found.placebos)


@pytest.mark.parametrize("mean", [5000.0, 12.0])
@pytest.mark.parametrize("null", [Null(), Null(0.4, 1.4, 30.0), Null(-0.3, 0.8, 14.0)])
def test_interval_and_p_value_agree_under_any_null(mean: float, null: Null) -> None:
    table = measured(np.linspace(-5, 5, 201), mean, 0.4 if mean < 100 else 0.1)
    p = nulls.p_values(table, null)
    for level in (0.8, 0.95, 0.999):
        middle, low, high = nulls.intervals(table, null, level)
        outside = ((table["observed"] < low) | (table["observed"] > high)).to_numpy()
        assert (outside == (p < 1 - level)).all()
        assert (low <= middle).all()
        assert (middle <= high).all()


def test_no_correction_leaves_what_was_measured() -> None:
    table = measured(np.linspace(-5, 5, 101))
    np.testing.assert_allclose(nulls.p_values(table, Null()), table["p"], rtol=1e-6)
    _, low, high = nulls.intervals(table, Null(), LEVEL)
    np.testing.assert_allclose(table["observed"] - high, table["extra_low"], rtol=1e-9)
    np.testing.assert_allclose(table["observed"] - low, table["extra_high"], rtol=1e-9)


def test_placebos_correct_p_values_scores_and_intervals_together() -> None:
    random = np.random.default_rng(4)
    z = np.concatenate([[6.0, 1.0, -0.2], 1.0 + 1.2 * random.standard_normal(200)])
    table = measured(z)
    found = find(table, placebo=np.arange(len(z)) >= 3)
    assert found.placebos is not None
    assert found.placebos.corrected
    assert found.placebos.uniform < 1e-6
    assert found.placebos.below > 20
    outside = (found.table["extra_low"] > 0) | (found.table["extra_high"] < 0)
    assert (outside == (found.table["p"] < 0.05)).all()
    assert ((found.table["relative_low"] > 0) == (found.table["extra_low"] > 0)).all()
    # All scores were one too high: so was what they gained.
    assert (found.table["extra"] < table["extra"]).all()
    shams = found.table["p"][3:]
    assert stats.kstest(shams, "uniform").pvalue > 0.05
    plain = find(table, placebo=np.arange(len(z)) >= 3, correct=False)
    pd.testing.assert_series_equal(plain.table["p"], table["p"])


def test_called_intervals_leave_zero_out_just_when_a_series_is_called() -> None:
    random = np.random.default_rng(6)
    scores = np.concatenate([random.standard_normal(300), [4, 5, 6, -5, 3.2, 3.4]])
    found = find(measured(scores), level=0.1)
    called = found.table["called"]
    assert 3 < called.sum() < 12
    assert found.tested == 306
    rows = found.table[called]
    assert ((rows["called_low"] > 0) | (rows["called_high"] < 0)).all()
    assert (rows["called_low"] < rows["extra_low"]).all()
    assert found.table.loc[~called, ["called_low", "called_high"]].isna().all(axis=None)
    # The next best one, at the same level, would have kept zero in.
    best = found.table.loc[~called, "p"].min()
    assert best > 0.1 * called.sum() / 306


def test_gains_are_ranked_by_the_low_end_and_losses_apart() -> None:
    big, small = measured(np.array([5.0, 5.0, -6.0, -5.0, 0.0])), measured(np.array([9.0]), mean=1000.0)
    found = find(pd.concat([big, small], ignore_index=True))
    gainers, losers = found.gainers(), found.losers()
    assert gainers["called_low"].is_monotonic_decreasing
    assert losers["called_high"].is_monotonic_increasing
    assert gainers["rank"].tolist() == [1, 2, 3]
    assert losers["rank"].tolist() == [-1, -2]
    assert losers["series"].tolist() == ["s2", "s3"]
    assert found.table["rank"][4] == 0


def test_placebos_are_not_tested_and_counted_if_they_would_have_been_called() -> None:
    scores = np.concatenate([[6.0, 6.0, 6.0, 0.1], [7.0, 0.3, -0.4]])
    found = find(measured(scores), placebo=np.arange(7) >= 4)
    assert found.tested == 4
    assert found.table["q"][4:].isna().all()
    assert not found.table["called"][4:].any()
    assert found.placebos is not None
    assert found.placebos.called == 1
    assert "1 would have been called" in said_of_placebos(found.placebos)


def test_nothing_called_and_nothing_measured_are_no_error() -> None:
    assert not find(measured(np.zeros(5))).table["called"].any()
    table = measured(np.zeros(2)).assign(p=np.nan, z=np.nan, predicted_mean=np.nan)
    found = find(table, placebo=[True, False])
    assert found.tested == 0
    assert found.placebos is not None
    assert said_of_placebos(found.placebos) == "No placebo series could be measured."


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"placebo": [True]}, "1 flags for 3 rows"),
        ({"level": 5}, "level: given 5"),
        ({"interval_level": 0}, "interval_"),
    ],
)
def test_wrong_flags_and_levels_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        find(measured(np.zeros(3)), **options)  # type: ignore[arg-type]


def test_a_measured_panel_calls_those_that_gained_and_says_so() -> None:
    result = measure_panel(panel(24), [OUTAGE], horizon=HORIZON, jobs=1)
    gaining = np.arange(24) % 4 == 0
    found = find(result.table, placebo=np.arange(24) % 4 == 1)
    assert found.table["called"][gaining].all()
    assert found.table["called"][~gaining].sum() <= 1
    text = "\n".join(summary.lines(result, found, few=2))
    assert "24 series, 1 outage: 24 of 24 measured" in text
    assert "Of 18 tested 6 gained and 0 lost" in text
    assert "Gained; the 2 surest" in text
    first = found.gainers().iloc[0]
    assert f"  {first['series']}: " in text
    assert text.count("(observed ") == 2


def test_the_summary_counts_failures_by_their_reason() -> None:
    long = panel(3)
    long.loc[:149, "count"] = 0
    long.loc[150:299, "count"] = 0
    result = measure_panel(long, [OUTAGE], horizon=HORIZON, jobs=1)
    text = summary.lines(result, find(result.table))
    assert "failed, all_zero: 2; the first, country 000: all 125 counts before the outage are zero" in "\n".join(text)
