"""Numbers that others have published, from the same data: CausalImpact in R, expected deaths of The Economist."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from shared_series import series

from helpers.measured.expected import Measurement, measure
from helpers.measured.totals import Estimate
from helpers.measured.window import Window

DAY, WEEK = pd.Timedelta(days=1), pd.Timedelta(days=7)


def per_step(found: Measurement) -> Estimate:
    """Return the average effect of a step, as CausalImpact reports it."""
    return Estimate(*(end / len(found.gap) for end in found.extra))


def agree(ours: Estimate, theirs: Estimate) -> bool:
    """Say whether each interval holds the other's number."""
    return ours.low <= theirs.median <= ours.high and theirs.low <= ours.median <= theirs.high


class TestCausalImpact:
    """Average effects and 95% intervals of the R package on the fixtures of its Python descendants."""

    def test_traffic_with_three_controls(self):
        table = pd.read_csv(series("causalimpact_fixtures/comparison_data.csv"), index_col="DATE")
        table.index = pd.DatetimeIndex(table.index).tz_localize("UTC")
        window = Window(pd.Timestamp("2019-07-15T00Z"), pd.Timestamp("2019-08-02T00Z"))
        options = {"horizon": 18 * DAY, "fractional": True}
        found = measure(table["CHANGED"], window, controls=table.iloc[:, 1:], **options)
        assert agree(per_step(found), Estimate(-657, -2076, 832))
        assert found.p > 0.1  # theirs: 0.2
        # Without its controls it says what it knows: a third of the width is theirs.
        alone = measure(table["CHANGED"], window, **options)
        assert alone.extra.high - alone.extra.low > 2 * (found.extra.high - found.extra.low)

    def test_arma_with_one_added(self):
        table = pd.read_csv(series("causalimpact_fixtures/arma_data.csv"))
        table.index = pd.date_range("2024-01-01", periods=100, tz="UTC")
        counts = table["y"] + (np.arange(100) >= 70)
        assert counts.iloc[70:].mean() == pytest.approx(121.23, abs=0.005)
        found = measure(
            counts, Window(counts.index[70], counts.index[99]), horizon=30 * DAY, controls=table[["X"]], fractional=True
        )
        assert agree(per_step(found), Estimate(0.89, 0.27, 1.5))
        ours = per_step(found)
        assert ours.low <= 1 <= ours.high  # what was added

    def test_basque_country(self):
        """Years, given as weeks: 21 of them before, so no placebo date tests the width, and it is no narrower."""
        table = pd.read_csv(series("causalimpact_fixtures/basque_gdp.csv"))
        table.index = pd.date_range("2000-01-03", periods=43, freq="7D", tz="UTC")
        window = Window(table.index[21], table.index[42])
        found = measure(table["Basque"], window, horizon=22 * WEEK, controls=table[["another"]], fractional=True)
        assert found.observed_total == pytest.approx(173.07, abs=0.005)
        assert len(found.placebos.table) == 0
        ours, theirs = per_step(found), Estimate(-0.76, -1.4, -0.2)
        assert agree(ours, theirs)
        assert ours.high - ours.low > theirs.high - theirs.low


#: Sums of the weeks from 2020-03-16 to 2020-05-25: deaths, and those that The Economist expected.
ECONOMIST = {"britain": (189092.0, 125216.143), "france": (149307.0, 122754.940), "sweden": (24177.2, 18711.467)}


def deaths(country: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the weeks that were counted, and those of 2020 with what was expected of them."""
    counted = pd.read_csv(series(f"economist_excess_deaths/historical-deaths__{country}_weekly_deaths.csv"))
    published = pd.read_csv(series(f"economist_excess_deaths/excess-deaths__{country}_excess_deaths.csv"))
    published = published[published["start_date"] < "2020-12-28"].astype({"week": int})  # the 53rd has no fit
    return counted, published


@pytest.mark.parametrize("country", ECONOMIST)
class TestEconomist:
    def test_interval_holds_their_excess(self, country):
        counted, _ = deaths(country)
        weeks = pd.Series(counted["total_deaths"].to_numpy(float), pd.DatetimeIndex(counted["start_date"], tz="UTC"))
        window = Window(pd.Timestamp("2020-03-16T00Z"), pd.Timestamp("2020-06-01T00Z"))
        fractional = bool((weeks % 1).any())
        assert fractional == (country == "sweden")
        found = measure(weeks, window, horizon=11 * WEEK, fractional=fractional)
        observed, expected = ECONOMIST[country]
        assert found.observed_total == pytest.approx(observed)
        assert found.design.rhythms == ("year",)
        assert found.extra.low <= observed - expected <= found.extra.high
        assert found.expected_total.median == pytest.approx(expected, rel=0.02)
        assert found.extra.low > 0
        assert found.extra.high - found.extra.low < 0.2 * expected

    def test_their_expected_deaths_are_a_trend_in_the_year_and_an_effect_of_each_week(self, country):
        """By least squares from the weeks up to 23 February 2020; within 0.15% in every week, as data were revised."""
        counted, published = deaths(country)
        fitted = smf.ols("total_deaths ~ year + C(week)", counted[counted["start_date"] < "2020-02-24"]).fit()
        np.testing.assert_allclose(fitted.predict(published), published["expected_deaths"], rtol=0.0015)
        window = published["start_date"].between("2020-03-16", "2020-05-25")
        assert published.loc[window, "expected_deaths"].sum() == pytest.approx(ECONOMIST[country][1], abs=0.001)
