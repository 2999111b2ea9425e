"""The simulation behind bench/rule.csv has the truth that it says, and the committed table keeps its promises."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr
from scipy.stats import kstest

from helpers import sampling
from helpers.claims import rounding
from helpers.pooled import question, rule
from helpers.pooled.design import NAMES, TERMS, USUAL, lay_out
from helpers.pooled.gains import SLICES

BENCH = Path(__file__).parents[1] / "bench"
sys.path.append(str(BENCH))
bench = import_module("rule")
PLAIN, TAKEN_OUT, SELECTED = bench.SCENARIOS
GOOD = {"scenario": PLAIN.name, "rule": bench.PLAIN, "outages": 30, "refused": 0} | {
    f"{name} {what}": value for name in bench.WATCHED for what, value in (("error", 0.5), (0.95, 1.0), (0.8, 0.0))
}


@pytest.fixture(scope="module")
def simulated():
    return [bench.simulate(PLAIN, seed) for seed in range(12)]


def log_total(gain):
    """Weights, means and standard deviations of the slices of a gain, of the log of all extra people."""
    spread = gain.spread[:, 0, 0] + gain.spread[:, 1, 1] + 2 * gain.spread[:, 0, 1]
    return gain.weight, gain.middle.sum(axis=1), np.sqrt(spread)


class TestSimulation:
    def test_the_same_number_is_the_same_table(self):
        one, again, other = (bench.simulate(PLAIN, seed) for seed in (3, 3, 4))
        np.testing.assert_array_equal(one.log_gain, again.log_gain)
        np.testing.assert_array_equal(one.gains[0].middle, again.gains[0].middle)
        assert not np.array_equal(one.parameters, other.parameters)

    def test_shapes_and_shares(self, simulated):
        for made in simulated:
            assert len(made.events) == len({event.outage_id for event in made.events}) == bench.OUTAGES
            assert len(made.gains) == len(made.log_gain) == len(made.log_usual)
            assert made.parameters.shape == (len(NAMES),)
            for gain in made.gains:
                assert gain.weight.shape == (SLICES,)
                assert gain.weight.sum() == pytest.approx(1)
            table = lay_out(made.events, made.gains)
            assert (len(table.events), len(table.quiet)) == (bench.OUTAGES, 0)
            assert 1 <= np.bincount(table.owner).min() <= np.bincount(table.owner).max() <= bench.MOST_RIVALS
        told = pd.DataFrame([vars(event) for made in simulated for event in made.events])
        assert told["affected"].isna().mean() == pytest.approx(bench.NO_PEOPLE, abs=0.06)
        assert told.query("kind == 'outage'")["hours"].isna().mean() == pytest.approx(bench.NO_HOURS, abs=0.08)

    def test_parameters_are_of_their_priors(self):
        rng = np.random.default_rng(1)
        drawn = np.array([bench.truths(rng) for _ in range(2_000)])
        z = np.column_stack([(drawn[:, i] - term.mean) / term.sd for i, term in enumerate(TERMS)])
        np.testing.assert_allclose(z.mean(axis=0), 0, atol=0.1)
        np.testing.assert_allclose(z.std(axis=0), 1, atol=0.1)
        assert np.median(drawn[:, -2:], axis=0) == pytest.approx([1, 1], abs=0.1)

    def test_true_gains_lie_where_the_rule_expects_them(self, simulated):
        off = []
        for made in simulated:
            table = lay_out(made.complete, made.gains, bench.pattern().known)
            assert not table.doubt.any()
            middle, within = rule.expected(made.parameters[None], table)
            usual = made.parameters[NAMES.index("usual")] * (made.log_usual - np.log(USUAL))
            between = made.parameters[-2] ** 2
            first = np.unique(table.owner, return_index=True)[1]  # others of an event are not independent of it
            off.append(((made.log_gain - middle[0] - usual) / np.sqrt(between + within))[first])
        assert kstest(np.concatenate(off), "norm").pvalue > 0.01

    def test_likelihoods_lie_around_the_truth(self, simulated):
        """Ranks of the true extra people in the likelihoods are uniform; sharp ones peak beside the truth."""
        ranks, sharp = [], []
        for made in simulated:
            for gain, true in zip(made.gains, made.log_gain + made.log_usual, strict=True):
                weight, middle, sd = log_total(gain)
                ranks.append(weight @ ndtr((true - middle) / sd))
                grid = np.linspace(middle.min() - 5, middle.max() + 5, 2_000)[:, None]
                density = (weight * np.exp(-0.5 * ((grid - middle) / sd) ** 2) / sd).sum(axis=1)
                wide = np.sqrt(weight @ (sd**2 + (middle - weight @ middle) ** 2))
                if wide < 0.4:  # a bound is wider
                    sharp.append(abs(grid[density.argmax(), 0] - true) / wide)
        assert kstest(ranks, "uniform").pvalue > 0.01
        assert len(sharp) > 40
        assert np.quantile(sharp, 0.9) < 2.5
        assert max(sharp) < 5

    def test_a_bound_is_told_as_the_claims_have_it(self):
        rng = np.random.default_rng(2)
        told = [bench.more_than(np.log(3_400_000), rng) for _ in range(400)]
        for claim in told:
            assert (claim.low, claim.high) == rounding(claim.low, "more_than")
        assert np.median([claim.low for claim in told]) in (2_000_000, 3_000_000)
        fresh = np.mean([claim.low == 3_000_000 for claim in told])
        assert 0.3 < fresh < 0.7
        drawn = bench.from_likelihood(told[0], 20_000, rng)
        assert np.quantile(drawn, 0.01) > np.log(told[0].low) - 3 * bench.BOUND_SCALE
        assert np.quantile(drawn, 0.99) > np.log(told[0].high)

    def test_a_third_is_published_and_rather_the_big_gains(self):
        typical = np.random.default_rng(3).normal(2, 2, 400)
        chance = bench.chances(typical)
        assert chance.mean() == pytest.approx(bench.PUBLISHED)
        assert np.all(np.diff(chance[np.argsort(typical)]) >= 0)
        made = bench.simulate(SELECTED, 1)
        table = lay_out(made.events, made.gains)
        assert len(table.events) + len(table.quiet) == bench.CANDIDATES
        assert 15 <= len(table.events) <= 45

    def test_prior_in_and_out_leaves_what_it_was(self):
        """Where the prior reaches, the gain is the same but for chance."""
        like, event = bench.pattern().gains["facebook-2021-10-04"][0], bench.pattern().events[0]
        both = np.random.default_rng(4).normal([3.0, 9.0], [0.5, 0.3], (40_000, 2))
        plain, again = (bench.sliced(like, event, both, out, np.random.default_rng(5)) for out in (False, True))
        np.testing.assert_allclose(plain.weight @ plain.middle, again.weight @ again.middle, atol=0.05)

    def test_one_set_gives_a_row_for_each_rule(self, monkeypatch):
        monkeypatch.setattr(bench, "CANDIDATES", 15)
        rows = [row for task in ((PLAIN, 0), (SELECTED, 0)) for row in bench.compared(task)]
        assert [row["rule"] for row in rows] == [bench.PLAIN] * 2 + [bench.CORRECTED]
        table = bench.summed(rows)
        assert list(table["sets"]) == [1, 1, 1]
        good = table[table["refused"] == 0].filter(regex="_cover_")
        assert len(good) >= 2
        assert good.isin([0.0, 1.0]).all(axis=None)
        assert (good.filter(regex="_95").to_numpy() >= good.filter(regex="_80").to_numpy()).all()

    def test_a_refused_fit_is_counted_and_left_out(self, monkeypatch):
        def refuse(*_: object) -> None:
            raise sampling.ConvergenceError("no")

        monkeypatch.setattr(bench.rule, "fit", refuse)
        row = bench.summed([*bench.compared((PLAIN, 0)), GOOD])
        assert (row["sets"].item(), row["refused"].item()) == (2, 1)
        assert row["affected_bias"].item() == 0.5


def committed():
    return pd.read_csv(BENCH / "rule.csv")


class TestPromises:
    """The committed table holds what the section in README.md says: a later run that breaks a promise fails here."""

    def test_rows(self):
        table = committed()
        assert list(table["scenario"].unique()) == [*(s.name for s in bench.SCENARIOS), bench.LEFT_OUT]
        assert list(table.loc[table["scenario"] == SELECTED.name, "rule"]) == [bench.PLAIN, bench.CORRECTED]
        assert list(table.loc[table["scenario"] == bench.LEFT_OUT, "rule"]) == list(question.RIVAL_RULES)

    def test_coverage_where_everything_is_published(self):
        row = committed().set_index("scenario").loc[PLAIN.name]
        assert row["sets"] >= 200
        assert row["refused"] <= 0.02 * row["sets"]
        for name in ("affected", "hours"):
            assert 0.92 <= row[f"{name}_cover_95"] <= 0.98
            assert 0.74 <= row[f"{name}_cover_80"] <= 0.86

    def test_each_left_out_outage_is_scored(self):
        table = committed().query("scenario == @bench.LEFT_OUT").set_index("rule")
        assert table["score"].notna().all()
        assert table.filter(regex="left_out_.*_cover").notna().all(axis=None)

    def test_it_stands_in_the_readme_and_in_the_makefile(self):
        readme = (BENCH / "README.md").read_text(encoding="utf-8")
        assert "[rule.csv](rule.csv)" in readme
        made = (BENCH.parent / "Makefile").read_text(encoding="utf-8").partition("\nbench:")[2].partition("\n\n")[0]
        assert "python bench/rule.py" in readme
        assert "python bench/rule.py" in made
