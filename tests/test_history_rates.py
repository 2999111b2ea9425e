"""Incidents per year, their trend, and the model of counts that vary more than chance."""

import numpy as np
import pandas as pd
import pytest
from histories import steady, tables
from scipy import integrate
from scipy.stats import chi2, nbinom

from helpers.incidence.gamma_poisson import Prior, posterior
from helpers.incidence.history import select
from helpers.incidence.intervals import amounts, counted, mixture
from helpers.incidence.rates import VERDICTS, trend, verdict, yearly

OPEN = [("a", "2012-01-01")]


def history(counts, first=2012, **options):
    events = [row for i, n in enumerate(counts) if n for row in steady(range(first + i, first + i + 1), n)]
    evidence = tables([*events, {"start_utc": f"{first}-01-01"}])  # the first of them opens the watch
    return select(evidence, ["a"], until=options.pop("until", f"{first + len(counts)}-01-01"), **options)


def model(counts, **prior):
    n = len(counts)
    return posterior(np.array(counts), np.ones(n), np.arange(n) + 0.5, np.arange(n), Prior(**prior))


class TestYearly:
    def test_years_without_incident_are_rows_too(self):
        table = yearly(history([2, 0, 1]))
        assert table["incidents"].tolist() == [2, 0, 1]
        assert table["year"].tolist() == [2012, 2013, 2014]
        assert not table["part"].any()

    def test_interval_is_garwoods(self):
        row = yearly(history([3]), level=0.9).iloc[0]
        assert row["low"] == pytest.approx(chi2.ppf(0.05, 6) / 2)
        assert row["high"] == pytest.approx(chi2.ppf(0.95, 8) / 2)

    def test_none_is_bounded_from_above_only(self):
        row = yearly(history([0])).iloc[0]
        assert (row["rate"], row["low"]) == (0, 0)
        assert row["high"] == pytest.approx(-np.log(0.025))

    def test_three_weeks_of_a_year(self):
        row = yearly(history([4, 4], until="2013-01-22")).iloc[1]
        assert row["part"]
        assert row["exposure_years"] == pytest.approx(21 / 365)
        assert row["last_day"] == pd.Timestamp("2013-01-21", tz="UTC")
        assert row["incidents"] == 0

    def test_leap_year_is_one_year(self):
        table = yearly(history([1, 1, 1, 1]))
        assert table["exposure_years"].tolist() == pytest.approx([1, 1, 1, 1])

    def test_counts_what_the_history_counts(self):
        events = steady(range(2014, 2018), 3)
        chosen = select(tables(events), ["a"], until="2018-01-01")
        assert yearly(chosen)["incidents"].sum() == chosen.services["incidents"].sum() == 11

    def test_seven_incidents_without_dates(self):
        row = {"incidents": 7, "start_utc": "2013-01-01", "end_utc": "2014-01-01", "time_precision": "month"}
        table = yearly(select(tables([row]), until="2015-01-01"))
        assert table["incidents"].tolist() == [7, 0]

    def test_no_service_gives_no_row(self):
        table = yearly(select(tables([], usual=OPEN), until="2015-01-01"))
        assert table.empty
        assert "rate" in table

    @pytest.mark.parametrize("level", [0, 1, 95])
    def test_level_is_a_share(self, level):
        with pytest.raises(ValueError, match="level"):
            yearly(history([1]), level=level)


class TestModel:
    def test_agrees_with_adaptive_quadrature(self):
        """The same posterior by scipy's quadrature in two dimensions, the trend held at nothing."""
        counts, prior = np.array([3, 0, 6, 1]), Prior(trend=1e-4)

        def density(x, cv, power=0):
            rate, a = np.exp(x), cv**-2
            log = nbinom.logpmf(counts, a, a / (a + rate)).sum()
            log += 0.5 * x - 1.5 * np.log1p(rate / prior.rate) - 0.5 * (cv / prior.spread) ** 2
            return np.exp(log + 8) * rate**power

        area = (0.0, 2.5, -6.0, 5.0)
        mass, first = (
            integrate.dblquad(density, *area, args=(power,), epsabs=1e-7, epsrel=1e-5)[0] for power in (0, 1)
        )
        found = model(counts, trend=1e-4)
        assert found.rate @ found.weight == pytest.approx(first / mass, rel=0.01)

    def test_many_even_years_give_the_rate_itself(self):
        found = model([200] * 12)
        mean = found.rate @ found.weight
        spread = np.sqrt(found.rate**2 @ found.weight - mean**2)
        assert mean == pytest.approx(200, rel=0.02)
        assert spread == pytest.approx(np.sqrt(200 / 12), rel=0.4)

    def test_uneven_years_widen(self):
        rng = np.random.default_rng(1)
        ahead = (np.array([9.0]), np.array([9.5]), np.array([1.0]))
        even, uneven = (model(counts).means(*ahead, 4000, rng) for counts in ([10] * 8, [0, 30, 2, 25, 1, 0, 20, 2]))
        assert uneven.std() > 2 * even.std()

    def test_unit_of_time_does_not_matter_to_what_is_seen(self):
        """Counting half years as years doubles the exposure and leaves the expected count alone."""
        rng = np.random.default_rng(2)
        one = posterior(np.array([40.0] * 6), np.ones(6), np.arange(6) + 0.5, np.arange(6))
        means = one.means(np.array([6.0]), np.array([6.5]), np.array([0.5]), 4000, rng)
        assert means.mean() == pytest.approx(20, rel=0.06)

    def test_rest_of_a_year_keeps_its_luck(self):
        rng = np.random.default_rng(3)
        counts = np.array([10, 9, 11, 10, 40])
        found = posterior(counts, np.array([1, 1, 1, 1, 0.5]), np.array([0.5, 1.5, 2.5, 3.5, 4.25]), np.arange(5))
        rest = found.means(np.array([4.0]), np.array([4.75]), np.array([0.5]), 4000, rng)
        fresh = found.means(np.array([5.0]), np.array([4.75]), np.array([0.5]), 4000, rng)
        assert np.median(rest) > 1.5 * np.median(fresh)

    def test_no_years_give_the_prior(self):
        none = np.array([])
        found = posterior(none, none, none, none)
        order = np.argsort(found.rate)
        middle = found.rate[order][np.searchsorted(np.cumsum(found.weight[order]), 0.5)]
        assert 2 < middle < 5

    def test_zero_counts_leave_a_rate_near_nothing(self):
        found = model([0] * 10)
        assert 0 < found.rate @ found.weight < 0.2

    @pytest.mark.parametrize(("count", "exposure"), [([1], [0]), ([-1], [1])])
    def test_impossible_data(self, count, exposure):
        with pytest.raises(ValueError, match="above zero"):
            posterior(np.array(count), np.array(exposure), np.array([0.5]), np.array([0]))


class TestTrend:
    def test_rise_and_fall(self):
        up = trend(history([2, 3, 5, 7, 10, 15, 22, 33])).table.iloc[0]
        down = trend(history([33, 22, 15, 10, 7, 5, 3, 2])).table.iloc[0]
        assert (up["verdict"], down["verdict"]) == ("more", "fewer")
        assert up["low"] < 0.5 < up["high"]
        assert np.log1p(up["change"]) == pytest.approx(-np.log1p(down["change"]), rel=0.03)

    def test_steady_is_no_clear_trend(self):
        row = trend(history([20] * 10)).table.iloc[0]
        assert row["verdict"] == "no clear trend"
        assert row["low"] < 0 < row["high"]

    @pytest.mark.parametrize("counts", [[9, 1], [1, 1, 1, 0, 0, 1, 0], [0, 0, 0, 0], [3, 0, 0, 2, 0]])
    def test_too_few_to_tell(self, counts):
        assert trend(history(counts)).table["verdict"].tolist() == ["too few to tell"]

    @pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99])
    def test_interval_and_p_never_disagree(self, level):
        for counts in ([2, 4, 3, 8, 6, 9], [9, 8, 9, 2, 5, 1], [4, 4, 5, 3], [1, 0, 7, 2, 3, 9, 6, 11]):
            row = trend(history(counts), level).table.iloc[0]
            assert (row["p"] < 1 - level) == (row["low"] > 0 or row["high"] < 0)

    def test_p_is_one_without_any_news(self):
        assert trend(history([0])).table["p"].tolist() == pytest.approx([1.0])

    def test_line_runs_over_the_exposure(self):
        found = trend(history([2, 3, 5, 7]))
        assert found.line["at"].iloc[[0, -1]].dt.year.tolist() == [2012, 2016]
        assert (found.line["low"] < found.line["rate"]).all()
        assert (found.line["rate"] < found.line["high"]).all()

    @pytest.mark.parametrize(
        ("low", "high", "years", "incidents", "words"),
        [
            (0.01, 0.2, 5, 50, "more"),
            (-0.2, -0.01, 5, 50, "fewer"),
            (-0.1, 0.1, 5, 50, "no clear trend"),
            (-0.15, 0.15, 5, 50, "too few to tell"),
            (0.01, 0.2, 2.9, 50, "too few to tell"),
            (0.01, 0.2, 5, 4, "too few to tell"),
        ],
    )
    def test_vocabulary(self, low, high, years, incidents, words):
        assert verdict(low, high, years, incidents) == words
        assert words in VERDICTS

    def test_no_service_gives_no_row(self):
        found = trend(select(tables([], usual=OPEN), until="2015-01-01"))
        assert found.table.empty
        assert found.line.empty


class TestIntervals:
    def test_probability_is_the_intervals_own(self):
        count, probability = mixture(np.full(1000, 1.3), np.random.default_rng(0))
        for found in counted(count, probability, (0.8, 0.95)):
            inside = (count >= found.low) & (count <= found.high)
            assert found.probability == pytest.approx(probability[inside].sum())

    def test_nearest_to_the_level(self):
        count, probability = np.arange(4.0), np.array([0.55, 0.28, 0.13, 0.04])
        usual, wide = counted(count, probability, (0.8, 0.95))
        assert (usual.low, usual.high) == (0, 1)  # 83%, nearer than 96%
        assert (wide.low, wide.high) == (0, 2)  # 96%

    def test_holds_its_level_on_average_over_many_means(self):
        """An equal-tailed interval would hold 86% and 97% here."""
        rng = np.random.default_rng(0)
        held = [
            [found.probability for found in counted(*mixture(np.full(10, mean), rng), (0.8, 0.95))]
            for mean in np.geomspace(0.7, 30, 60)
        ]
        assert np.mean(held, axis=0) == pytest.approx([0.8, 0.95], abs=0.012)

    def test_wider_holds_narrower_and_the_median(self):
        rng = np.random.default_rng(4)
        for mean in np.geomspace(0.01, 3000, 40):
            draws = mean * rng.gamma(2, 0.5, 2000)
            count, probability = mixture(draws, rng)
            wide, usual = counted(count, probability, (0.95, 0.8))
            middle = count[np.searchsorted(np.cumsum(probability), 0.5)]
            assert wide.low <= usual.low <= middle <= usual.high <= wide.high

    def test_mixture_has_the_mean_of_its_draws(self):
        draws = np.random.default_rng(5).gamma(2, 3, 4000)
        count, probability = mixture(draws, np.random.default_rng(0))
        assert count @ probability == pytest.approx(draws.mean(), rel=0.01)
        assert probability.sum() == pytest.approx(1)

    def test_amount_that_is_mostly_nothing(self):
        draws = np.concatenate([np.zeros(700), np.linspace(1, 100, 300)])
        found = amounts(draws, 0.8)
        assert found.low == 0
        assert found.probability == pytest.approx(0.8, abs=0.01)

    def test_amount_that_is_always_something(self):
        found = amounts(np.linspace(1, 101, 1001), 0.8)
        assert (found.low, found.high) == pytest.approx((11, 91))
