"""The rule across outages, part by part: against integrals done by brute force, refits, and tables of known truth."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr

from helpers import case, evidence, fit, models, params, sampling
from helpers.curve import DAY
from helpers.likelihood import ANTICIPATION, Model, Shock
from helpers.pooled import (
    agreement,
    events,
    gains,
    half_lives,
    informed,
    kept,
    left_out,
    question,
    rule,
    selection,
    unusual,
    unusual_story,
)
from helpers.pooled.design import HOURS, NAMES, OF_EVENT, PEOPLE, TERMS, USUAL, lay_out, moments
from helpers.pooled.events import Event
from helpers.pooled.gains import SLICES, Gain
from helpers.prior import Prior
from helpers.schemas import ALL_KINDS

DATA = evidence.ROOT / "data"
DERIVED = DATA / kept.FOLDER
TRUTH = {
    "intercept": 2.0, "affected": 0.6, "hours": 0.4, "block": 0.7, "shutdown": -0.5, "policy_shock": 0.9,
    "nothing_failed": -0.8, "earlier": 0.3, "usual": -0.4, "same_identity": 0.6, "circumvention": -0.5,
    "installs": 0.8, "contract": -3.0, "between": 0.5, "within": 0.4,
}  # fmt: skip
ENDS = (0.025, 0.25, 0.5, 0.75, 0.975)


@pytest.fixture(scope="module")
def known() -> evidence.Evidence:
    return evidence.load(DATA)


@pytest.fixture(scope="module")
def by_id(known) -> dict[str, Event]:
    return {event.outage_id: event for event in events.all_events(known)}


def event(name: str, **more: object) -> Event:
    plain = Event(
        name, "big", name, "outage", "messaging", pd.Timestamp("2020-01-01", tz="UTC"), PEOPLE, HOURS, 0.0, 0, "", False
    )
    return replace(plain, **more)


def point(name: str, log_gain: float, log_usual: float = np.log(USUAL), sd: float = 0.1, **more: object) -> Gain:
    """A gain that is known to a normal error, in one slice."""
    made = Gain(
        name, "small", "Small", "signups", "world", False, "", np.ones(1), np.array([[log_gain, log_usual]]),
        sd**2 * np.diag([1.0, 0.01])[None], np.array([[1.0, np.log(24.0)]]),
        log_gain + log_usual + sd * stats.norm.ppf((np.arange(400) + 0.5) / 400),
        np.exp(log_gain + log_usual + sd * stats.norm.ppf((np.arange(400) + 0.5) / 400)),
    )  # fmt: skip
    return replace(made, **more)


def mixture(seed: int, name: str, **more: object) -> Gain:
    """A gain whose figures say something that is not normal: slices here and there."""
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 0.4, (SLICES, 2, 2))
    middle = np.sort(rng.normal([3.0, 9.0], [1.2, 0.5], (SLICES, 2)), axis=0)
    spread = root @ root.transpose(0, 2, 1) + 0.01 * np.eye(2)
    weight = rng.dirichlet(np.ones(SLICES))
    return point(name, 0.0, weight=weight, middle=middle, spread=spread, **more)


def world(seed: int, count: int, rivals: tuple[int, ...] = (1, 2), truth: dict[str, float] | None = None):
    """Events and gains made by a rule that is known."""
    rng, truth = np.random.default_rng(seed), TRUTH | (truth or {})
    made, seen = [], []
    for i in range(count):
        kind = ALL_KINDS[i % 5] if i % 2 else "outage"
        hours = float(np.exp(rng.uniform(-1, 4))) if kind in events.UNAVAILABLE else float("nan")
        one = event(
            f"e{i}", kind=kind, affected=float(np.exp(rng.uniform(11, 21))), hours=hours,
            earlier=int(rng.integers(0, 6)), identity="phone_number" if rng.random() < 0.5 else "",
        )  # fmt: skip
        made.append(one)
        effect = truth["between"] * rng.standard_normal()
        for j in range(rivals[i % len(rivals)]):
            usual = float(rng.normal(np.log(USUAL), 2.0))
            quantity = ("signups", "installs", "ported_numbers")[int(rng.integers(3))]
            around, identity = bool(rng.random() < 0.3), "phone_number" if rng.random() < 0.5 else ""
            log = truth["intercept"] + truth["affected"] * np.log(one.affected / PEOPLE) + truth.get(kind, 0.0)
            log += truth["hours"] * np.log(hours / HOURS) if kind in events.UNAVAILABLE else 0.0
            log += truth["earlier"] * np.log2(1 + one.earlier) + truth["usual"] * (usual - np.log(USUAL))
            log += truth["same_identity"] * (one.identity == identity == "phone_number")
            sector = "telecom" if quantity == "ported_numbers" else "messaging"
            log += truth["circumvention"] * around + truth["installs"] * (quantity == "installs")
            log += truth["contract"] * (sector == "telecom")
            log += effect + truth["within"] * rng.standard_normal() + 0.1 * rng.standard_normal()
            seen.append(
                point(
                    one.outage_id,
                    log,
                    usual,
                    rival_id=f"r{j}",
                    rival=f"R{j}",
                    quantity=quantity,
                    circumvention=around,
                    identity=identity,
                    sector=sector,
                )
            )
    return made, seen


@pytest.fixture(scope="module")
def large():
    return lay_out(*world(7, 60))


@pytest.fixture(scope="module")
def large_rule(large) -> rule.Rule:
    return rule.fit(large, 3)


@pytest.fixture(scope="module")
def small_rule() -> rule.Rule:
    return rule.fit(lay_out(*world(2, 20)), 5)


def some_values(n: int = 12, seed: int = 0) -> np.ndarray:
    """Values of the rule as the prior has them, the scatters not so wild."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal([t.mean for t in TERMS], [t.sd for t in TERMS], (n, len(TERMS))),
                            rng.uniform(0.4, 1.5, (n, 2))])  # fmt: skip


def value(values: np.ndarray, name: str) -> np.ndarray:
    return values[:, NAMES.index(name)]


def integrated(table, values: np.ndarray, number: int, log_factor=None) -> np.ndarray:
    """Log likelihood of one event's gains by the trapezoid rule over the event's effect, in steps of a hundredth."""
    own, plain = np.flatnonzero(table.owner == number), values[:, : len(NAMES)]
    middle, within = rule.expected(plain, table)
    between = np.sqrt(rule.event_variance(plain, table.doubt)[:, number])
    off, variance = rule.slices(plain, table, own, middle, within)
    x = np.arange(-25, 25, 0.01)
    made = []
    for n in range(len(values)):
        log = stats.norm.logpdf(x, 0, between[n]) + (0.0 if log_factor is None else log_factor(n, x))
        for share, place, sd in zip(table.weight[own], off[n], np.sqrt(variance[n]), strict=True):
            log += np.log(stats.norm.pdf(place[:, None], x, sd[:, None]).T @ share + 1e-300)
        made.append(np.log(np.trapezoid(np.exp(log), x)))
    return np.array(made)


class TestEvents:
    def altered(self, known, outage_id: str, **cells: object) -> Event:
        """One event of the evidence after its row was changed."""
        frame = known.outages.copy()
        for name, cell in cells.items():
            frame.loc[frame["outage_id"] == outage_id, name] = cell
        return next(e for e in events.all_events(replace(known, outages=frame)) if e.outage_id == outage_id)

    def test_kinds_are_those_of_the_table_but_for_events_in_which_nothing_failed(self, known, by_id):
        """A placebo that passed for news, or a block for an outage, would turn the answer of the report."""
        rows = known.outages.set_index("outage_id")
        assert set(by_id) == set(rows.index)
        placebos = {name for name, one in by_id.items() if one.kind == "nothing_failed"}
        assert placebos == set(rows.index[rows["cause_category"] == "nothing_failed"])
        assert {"arattai-2025-09-promotion", "signal-2025-03-24-signalgate"} <= placebos
        others = set(by_id) - placebos
        assert all(by_id[name].kind == rows.loc[name, "kind"] for name in others)
        assert [one.start for one in by_id.values()] == sorted(one.start for one in by_id.values())

    @pytest.mark.parametrize(
        ("outage_id", "cells", "hours", "sd"),
        [
            ("facebook-2018-08-03", {"duration_hours": 500.0}, 168.0, 0.0),
            ("facebook-2018-08-03", {"duration_low_hours": 2.0, "duration_high_hours": 8.0}, 0.75, np.log(4) / 4),
            (
                "facebook-2018-08-03",
                {"duration_hours": np.nan, "duration_low_hours": 2.0, "duration_high_hours": 8.0},
                4.0,
                np.log(4) / 4,
            ),
            (
                "facebook-2018-08-03",
                {"duration_hours": np.nan, "duration_low_hours": 84.0, "duration_high_hours": 1000.0},
                168 / np.sqrt(2),
                np.log(2) / 4,
            ),
            ("facebook-2018-08-03", {"duration_hours": np.nan, "end_utc": pd.NaT}, np.nan, 0.0),
            ("facebook-2018-08-03", {"duration_hours": 0.0, "end_utc": pd.NaT}, np.nan, 0.0),
            ("kickass-2016-07-20", {"duration_hours": np.nan, "end_utc": pd.NaT}, 168.0, 0.0),
            ("tiktok-2020-06-29-india", {"duration_hours": np.nan, "end_utc": pd.NaT}, 168.0, 0.0),
            ("tiktok-2020-06-29-india", {"end_utc": pd.Timestamp("2020-07-29", tz="UTC")}, 168.0, 0.0),
            ("tiktok-2020-06-29-india", {"end_utc": pd.Timestamp("2020-07-01", tz="UTC")}, 48.0, 0.0),
            ("tiktok-2020-06-29-india", {"duration_hours": 0.0}, np.nan, 0.0),
            ("sktelecom-2025-04-22-breach", {"duration_hours": 9.0}, np.nan, 0.0),
        ],
    )
    def test_hours_without_a_service(self, known, outage_id, cells, hours, sd):
        """A week is the most; a range has its spread; who is blocked for good has a week, who was not down none."""
        one = self.altered(known, outage_id, **cells)
        assert one.hours == pytest.approx(hours, nan_ok=True)
        assert one.hours_sd == pytest.approx(sd)

    def test_no_event_of_the_evidence_is_down_for_longer_than_a_week(self, by_id):
        hours = np.array([one.hours for one in by_id.values()])
        assert np.nanmax(hours) == events.LONGEST_HOURS
        assert np.nanmin(hours) > 0
        assert all(np.isfinite(one.hours_sd) for one in by_id.values())

    def test_only_people_count_as_hit(self, known):
        """Reports of a panel are no people: they would pass for a tiny outage."""
        named = {"affected_users": 3e6, "affected_unit": "users"}
        assert self.altered(known, "facebook-2018-08-03", **named).affected == 3e6
        for unit in ("reports", "other"):
            assert np.isnan(self.altered(known, "facebook-2018-08-03", **named | {"affected_unit": unit}).affected)
        assert np.isnan(self.altered(known, "facebook-2018-08-03", affected_users=np.nan).affected)

    def test_a_failure_of_a_group_counts_for_its_members_for_a_year(self, known, by_id):
        """facebook-instagram-whatsapp failed on 4 October 2021: WhatsApp's users knew it when WhatsApp failed again."""
        frame = known.outages.copy()
        row = frame["outage_id"] == "facebook-2021-10-04"
        assert frame.loc[row, "service_id"].item() == "facebook-instagram-whatsapp"
        frame.loc[row, "incidents"] += 5
        later = {one.outage_id: one.earlier for one in events.all_events(replace(known, outages=frame))}
        grown = {name for name, count in later.items() if count == by_id[name].earlier + 5}
        assert {"whatsapp-2022-04-28", "instagram-2022-03-14-russia", "instagram-2022-09-21-iran"} <= grown
        within = [by_id[name].start - frame.loc[row, "start_utc"].item() for name in grown]
        assert min(within) > pd.Timedelta(0)
        assert max(within) <= pd.Timedelta(days=365)
        assert all(later[name] == by_id[name].earlier for name in set(later) - grown)
        assert not grown & {"telegram-2022-01-17", "whatsapp-2022-10-25", "facebook-2021-10-04"}

    def test_blocks_are_no_earlier_failures(self, known, by_id):
        frame = known.outages.copy()
        blocks = frame["kind"] != "outage"
        frame.loc[blocks, "incidents"] += 50
        assert {e.outage_id: e.earlier for e in events.all_events(replace(known, outages=frame))} == {
            name: one.earlier for name, one in by_id.items()
        }

    def test_silent_is_where_nobody_published_that_a_rival_gained(self, known, by_id):
        assert not by_id["whatsapp-2014-02-22"].silent
        frame = known.growth_figures.copy()
        own = frame["outage_id"] == "whatsapp-2014-02-22"
        for rows in (frame[~own], frame.assign(role=frame["role"].mask(own, "failing_service"))):
            after = {e.outage_id: e.silent for e in events.all_events(replace(known, growth_figures=rows))}
            assert after.pop("whatsapp-2014-02-22")
            assert all(silent == by_id[name].silent for name, silent in after.items())

    def test_names_are_whole_and_tell_days_from_months(self, by_id):
        """Tables and alternative texts have room for them; only drawings cut."""
        labels = {name: one.label for name, one in by_id.items()}
        assert labels["whatsapp-2014-02-22"] == "WhatsApp, 22 Feb 2014"
        assert labels["facebook-2014-09-real-names"] == "Facebook, Sep 2014"
        assert labels["facebook-2021-10-04"] == "Facebook, Instagram and WhatsApp, 4 Oct 2021"
        assert [text for text in labels.values() if "…" in text or "..." in text] == []

    def test_events_can_be_chosen(self, by_id):
        """An empty choice is all of them; parts of a choice hold together."""
        every = list(by_id.values())
        assert events.chosen(every) == every
        some = events.chosen(every, ("outage",), ("messaging",), ("whatsapp-2014-02-22",))
        assert {(e.kind, e.sector) for e in some} == {("outage", "messaging")}
        count = sum((e.kind, e.sector) == ("outage", "messaging") for e in every)
        assert len(some) == count - 1


def synthetic(mean, sd, rho: float = 0.0, shocks: int = 1, size: int = 4_000, prior: Prior | None = None) -> fit.Fit:
    """A fit whose posterior of (log gain in usual days, log usual) is a normal that is given."""
    rng, names = np.random.default_rng(3), ["outage", *[ANTICIPATION] * (shocks - 1)]
    model = Model(tuple(Shock(name, name, (0.0, 0.0), (4.0, 4.0)) for name in names), (), prior or Prior())
    even = stats.norm.ppf((np.arange(size) + 0.5) / size)
    first, second = rng.permutation(even), rng.permutation(even)
    log_gain = mean[0] + sd[0] * first
    log_usual = mean[1] + sd[1] * (rho * first + np.sqrt(1 - rho**2) * second)
    z = np.column_stack([rng.permutation(even) for _ in model.names])
    middle, spread = model.prior.gain(np.exp(log_usual))
    z[:, model.names.index("gain_0")] = (log_gain - middle) / spread
    z[:, model.names.index("baseline")] = (log_usual - np.log(model.prior.baseline_per_day)) / model.prior.baseline_sd
    return fit.Fit(None, model, sampling.Sample(z, size, 0.0, 0.0, 0.0), model.unpack(z))  # type: ignore[arg-type]


#: An event with one rival, so that one synthetic fit is all of it.
ALONE = "line-2024-05-korea-japan-dispute"
PRIOR = Model((), ()).prior


class TestGains:
    @pytest.fixture
    def taken(self, known, by_id, monkeypatch):
        """Turn a synthetic fit into a gain the way real ones go."""

        def take(fitted: fit.Fit) -> Gain:
            monkeypatch.setattr(fit, "fit", lambda series, seed: replace(fitted, series=series))
            (made,), _ = gains.collect(known, [by_id[ALONE]], 0)
            return made

        return take

    @staticmethod
    def log_density(made: Gain, log_gain: np.ndarray) -> np.ndarray:
        sd = np.sqrt(made.spread[:, 0, 0])
        return np.log(stats.norm.pdf(log_gain[:, None], made.middle[:, 0], sd) @ made.weight)

    @pytest.mark.parametrize(("centre", "sd"), [(4.0, 0.5), (0.0, 1.0), (4.0, 1.5)])
    def test_the_prior_is_taken_out(self, taken, centre, sd):
        """Prior times a likelihood that is known goes in; the slices hold the likelihood alone."""
        precision = 1 / PRIOR.gain_sd**2 + 1 / sd**2
        mean = (np.log(PRIOR.gain_days) / PRIOR.gain_sd**2 + centre / sd**2) / precision
        made = taken(synthetic((mean, np.log(1e5)), (precision**-0.5, 0.3)))
        middle = made.weight @ made.middle
        off = made.middle - middle
        cov = np.einsum("k,kij->ij", made.weight, made.spread + off[:, :, None] * off[:, None, :])
        assert abs(mean - centre) > 0.05  # what went in does lie elsewhere
        assert middle == pytest.approx([centre, np.log(1e5)], abs=0.03)
        assert np.sqrt(np.diag(cov)) == pytest.approx([sd, 0.3], rel=0.03)
        assert made.weight.sum() == pytest.approx(1)
        assert made.weight.shape == (SLICES,)

    def test_who_says_nothing_weighs_nothing(self, taken):
        """A posterior that is the prior leaves a flat likelihood: it would otherwise count the prior as a gain."""
        mean = np.log([PRIOR.gain_days, PRIOR.baseline_per_day])
        there = mean[0] + PRIOR.gain_sd * np.linspace(-1.5, 1.5, 61)
        flat = self.log_density(taken(synthetic(mean, (PRIOR.gain_sd, PRIOR.baseline_sd))), there)
        assert np.ptp(flat) < 0.25
        assert np.ptp(stats.norm.logpdf(there, mean[0], PRIOR.gain_sd)) > 1
        # The usual level known, all slices lie along the gain, and ten of them are a little bumpy.
        known = self.log_density(taken(synthetic((mean[0], np.log(1e5)), (PRIOR.gain_sd, 0.3))), there)
        inner = np.abs(there - mean[0]) <= PRIOR.gain_sd
        assert np.ptp(known[inner]) < 0.25

    def test_a_known_total_stays_known(self, taken):
        """Figures of people who came say little of gain and usual level apart, and much of their sum."""
        precision = np.diag([PRIOR.gain_sd**-2, PRIOR.baseline_sd**-2]) + np.ones((2, 2)) / 0.2**2
        cov = np.linalg.inv(precision)
        told = np.log([PRIOR.gain_days, PRIOR.baseline_per_day]) / [PRIOR.gain_sd**2, PRIOR.baseline_sd**2]
        mean, sd = cov @ (told + 13.0 / 0.2**2), np.sqrt(np.diag(cov))
        made = taken(synthetic(mean, sd, cov[0, 1] / sd.prod()))
        total = made.middle.sum(axis=1)
        middle = made.weight @ total
        within = made.spread.sum(axis=(1, 2))
        assert middle == pytest.approx(13.0, abs=0.05)
        assert np.sqrt(made.weight @ (within + (total - middle) ** 2)) == pytest.approx(0.2, rel=0.1)
        assert np.quantile(made.total, [0.025, 0.5, 0.975]) == pytest.approx(
            mean.sum() + np.sqrt(cov.sum()) * stats.norm.ppf([0.025, 0.5, 0.975]), abs=0.05
        )

    def test_the_half_life_loses_its_prior_too(self, taken):
        """Standard normal draws of the half-life are its prior: the slices weigh its tails as much as its middle."""
        halves = taken(synthetic((3.0, 9.0), (1.0, 1.0))).half_life
        width = np.diff(stats.norm.ppf(np.linspace(0, 1, SLICES + 1)[1:-1]))
        inner = halves[1:-1, 0] / halves[1:-1, 0].sum()
        assert inner == pytest.approx(width / width.sum(), rel=0.01)
        assert halves[0, 0] > 2 * halves[1, 0]
        assert halves[:, 1] @ halves[:, 0] == pytest.approx(np.log(PRIOR.half_life_hours), abs=0.02)

    def test_a_rush_before_the_event_belongs_to_its_gain_and_to_its_prior(self):
        fitted = synthetic((np.log(PRIOR.gain_days), 9.0), (PRIOR.gain_sd, 1.0), shocks=2)
        log_gain, _ = gains.drawn(fitted)
        assert gains.prior_of_gain(fitted) == pytest.approx((log_gain.mean(), log_gain.std()), abs=0.08)
        one = synthetic((3.0, 9.0), (1.0, 0.5))
        assert gains.prior_of_gain(one) == (np.log(PRIOR.gain_days), PRIOR.gain_sd)
        made = one.made
        days = (made.amplitude * (made.end - made.start)).sum(axis=1) / (made.baseline * DAY)
        np.testing.assert_allclose(gains.drawn(one)[0], np.log(days))

    @pytest.mark.parametrize(
        ("outage_id", "rival", "why", "others"),
        [
            ("whatsapp-2014-02-22", "Viber", gains.PART.format(scope="Brazil"), {"telegram", "line"}),
            ("github-2018-06-03-microsoft-deal", "GitLab", gains.NOT_PEOPLE.format(what="visits"), set()),
            ("youtube-2024-08-01-russia", "RuTube", gains.NOT_PEOPLE.format(what="user-days"), set()),
            (
                "sktelecom-2025-04-22-breach",
                "KT and LG Uplus",
                gains.BESIDE,
                {"kt", "lg-uplus", "korean-budget-carriers"},
            ),
            (
                "kt-2025-12-31-waiver",
                "All rivals of KT",
                gains.BESIDE,
                {"sk-telecom", "lg-uplus", "korean-budget-carriers"},
            ),
        ],
    )
    def test_what_is_no_gain_is_left_out_and_says_why(self, known, by_id, monkeypatch, outage_id, rival, why, others):
        """Nobody counts twice, no visit counts as a person, and a part of an event does not stand for all of it."""
        monkeypatch.setattr(fit, "fit", lambda series, seed: replace(synthetic((3, 9), (1, 1)), series=series))
        made, out = gains.collect(known, [by_id[outage_id]], 0)
        assert (rival, why) in {(one.rival, one.why) for one in out}
        assert {one.rival_id for one in made} == others
        assert {(one.outage_id, one.identity) for one in made} <= {(outage_id, name) for name in ("", "phone_number")}

    def test_a_group_whose_members_nobody_counts_enters(self, known, by_id, monkeypatch):
        monkeypatch.setattr(fit, "fit", lambda series, seed: replace(synthetic((3, 9), (1, 1)), series=series))
        made, out = gains.collect(known, [by_id["sktelecom-2025-04-22-breach"]], 0, only={"kt-lg-uplus"})
        assert [one.rival for one in made] == ["KT and LG Uplus"]
        assert out == []

    def test_a_curve_that_the_sampler_refuses_is_left_out(self, known, by_id, monkeypatch):
        """One curve that cannot be trusted must neither stop the report nor enter it."""

        def refuse(series, seed):
            raise sampling.ConvergenceError("12 effective draws")

        monkeypatch.setattr(fit, "fit", refuse)
        made, out = gains.collect(known, [by_id[ALONE]], 0)
        assert made == []
        assert [one.why for one in out] == ["the sampler refused: 12 effective draws"]


class TestDesign:
    def test_what_was_not_published_stands_at_its_mean_with_its_spread(self):
        """A missing number of people hit must not pass for ten million that are known."""
        told = [event(f"e{i}", affected=people) for i, people in enumerate((1e6, 1e7, 1e8, float("nan")))]
        told.append(event("news", kind="policy_shock", hours=float("nan")))
        table = lay_out(told, [point(one.outage_id, 3.0) for one in told])
        column = [term.name for term in OF_EVENT].index("affected")
        logs = np.log([0.1, 1.0, 10.0, 1.0])
        assert table.event[3, column] == pytest.approx(logs.mean())
        assert table.doubt[3, column] == pytest.approx(logs.std(ddof=1))
        assert (np.delete(table.doubt, 3, axis=0) == 0).all()
        assert table.event[4].tolist() == [1, 0, 0, 0, 0, 1, 0, 0]
        assert moments(told[:2]).people == (0.0, 2.0)

    def test_gains_of_events_that_are_not_there_are_refused(self):
        with pytest.raises(ValueError, match="gains of gone: expected only those of the events given"):
            lay_out([event("e")], [point("e", 3.0), point("gone", 3.0)])

    def test_who_is_told_of_without_a_gain_is_neither_silent_nor_in_the_rule(self):
        told = [event("gain"), event("told"), event("silent", silent=True)]
        table = lay_out(told, [point("gain", 3.0)])
        assert [one.outage_id for one in table.events] == ["gain"]
        assert [one.outage_id for one in table.quiet] == ["silent"]

    def test_same_identity_is_only_where_both_have_one(self):
        made = [point("e", 3.0, rival_id=name, identity=name) for name in ("", "phone_number")]
        same = [lay_out([event("e", identity=how)], made).rival[:, 1].tolist() for how in ("", "phone_number", "email")]
        assert same == [[0, 0], [0, 1], [0, 0]]

    def test_leaving_nothing_out_changes_nothing(self):
        """What is assumed of missing covariates must not depend on whether somebody asked to leave nothing out."""
        told = [event(f"e{i}", affected=10.0 ** (4 + i)) for i in range(5)]
        told += [event("missing", affected=float("nan")), event("told", affected=1e12)]
        table = lay_out(told, [point(one.outage_id, 3.0) for one in told[:-1]])
        np.testing.assert_allclose(table.without(set()).event, table.event)


class TestRule:
    def test_one_gain_is_the_density_of_a_normal(self):
        """Its variance: that of the figures along the exponent of the usual level, of rivals, and of events."""
        one = event("e", affected=4e7, hours=13.0, kind="block", earlier=2, identity="phone_number")
        spread = np.array([[[0.5, 0.2], [0.2, 0.3]]])
        gain = point("e", 4.0, 11.0, spread=spread, quantity="installs", circumvention=True, identity="phone_number")
        values = some_values()
        v = {name: value(values, name) for name in NAMES}
        mean = v["intercept"] + v["affected"] * np.log(4) + v["hours"] * np.log(13 / 4) + v["block"]
        mean += v["earlier"] * np.log2(3) + v["usual"] * (11 - np.log(1e4))
        mean += v["same_identity"] + v["circumvention"] + v["installs"]
        variance = v["between"] ** 2 + v["within"] ** 2 + 0.5 - 0.4 * v["usual"] + 0.3 * v["usual"] ** 2
        found = rule.Model(lay_out([one], [gain])).by_event(values)[:, 0]
        np.testing.assert_allclose(found, stats.norm.logpdf(4.0, mean, np.sqrt(variance)), rtol=1e-9)

    def test_missing_covariates_add_their_variance(self):
        """People hit that nobody counted widen the prediction by exponent times spread, a range of hours as well."""
        told = [event(f"e{i}", affected=people) for i, people in enumerate((1e6, 1e7, 1e8))]
        told += [event("missing", affected=float("nan"), hours_sd=0.3)]
        values = some_values()
        found = rule.Model(lay_out(told, [point("missing", 4.0)])).by_event(values)[:, 0]
        sd = np.log([0.1, 1.0, 10.0]).std(ddof=1)
        v = {name: value(values, name) for name in NAMES}
        variance = v["between"] ** 2 + v["within"] ** 2 + 0.01 + 0.0001 * v["usual"] ** 2
        variance += (v["affected"] * sd) ** 2 + (v["hours"] * 0.3) ** 2
        np.testing.assert_allclose(found, stats.norm.logpdf(4.0, v["intercept"], np.sqrt(variance)), rtol=1e-9)

    @pytest.mark.parametrize("rivals", [1, 2, 4])
    def test_several_gains_are_the_integral_over_the_effect_of_their_event(self, rivals):
        """The quadrature of seven points against five thousand, on gains that are far from normal."""
        made = [mixture(10 * rivals + j, "e", rival_id=f"r{j}") for j in range(rivals)]
        table, values = lay_out([event("e")], made), some_values(20)
        found = rule.Model(table).by_event(values)[:, 0]
        np.testing.assert_allclose(found, integrated(table, values, 0), atol=1e-2)

    def test_events_of_the_evidence_are_integrated_too(self, known):
        """On the gains and draws of the committed rule: every event with several rivals, most to a thousandth."""
        rules = kept.load(DATA)
        table, values = rules.table(events.all_events(known)), rules.draws[::320]
        several = [i for i, count in enumerate(np.bincount(table.owner)) if count > 1]
        found = rule.Model(table).by_event(values)
        off = np.array([found[:, i] - integrated(table, values, i) for i in several])
        assert len(several) > 8
        assert np.median(np.abs(off)) < 1e-5
        assert np.quantile(np.abs(off), 0.8) < 1e-3
        assert np.abs(off).max() < 0.03

    def test_the_order_of_events_and_gains_does_not_matter(self):
        made, seen = world(4, 9)
        values = some_values()
        plain = rule.Model(lay_out(made, seen))
        turned = rule.Model(lay_out(made[::-1], seen[::2] + seen[1::2]))
        np.testing.assert_allclose(plain.by_event(values), turned.by_event(values)[:, ::-1], rtol=1e-9)

    def test_the_likelihood_is_that_of_the_unpacked_values(self):
        """Parts of a hundred draws are put together in order, and standard normal draws mean the prior."""
        model = rule.Model(lay_out(*world(4, 9)))
        z = np.random.default_rng(1).standard_normal((250, len(NAMES)))
        values = model.unpack(z)
        np.testing.assert_allclose(model.log_likelihood(z)[203], model.by_event(values[203:204]).sum())
        for j, term in enumerate(TERMS):
            np.testing.assert_allclose(values[:, j], term.mean + term.sd * z[:, j])
        np.testing.assert_allclose(np.log(values[:, -2:]), np.log(1.0) + 0.7 * z[:, -2:])

    def test_held_coefficients_stay(self):
        made = rule.Model(lay_out(*world(4, 9)), rule.SAME_SHARE)
        assert made.free == ("intercept", "between", "within")
        values = made.unpack(np.random.default_rng(1).standard_normal((5, 3)))
        held = {name: set(value(values, name)) for name in NAMES if name not in made.free}
        assert held == {name: {0.0} for name in held} | {"affected": {1.0}, "usual": {-1.0}}
        assert len(set(value(values, "intercept"))) == 5

    def test_the_rules_to_beat_say_what_they_are_called(self):
        """The gain in people: the same share of the people hit, or the same, whatever the rival's usual level."""
        for held, share in ((rule.SAME_SHARE, 1.0), (rule.MEDIAN_GAIN, 0.0)):
            for people, usual in ((1e8, 1e5), (1e6, 1e3)):
                one = lay_out([event("e", affected=people)], [point("e", 0.0, np.log(usual))])
                values = rule.Model(one, held).unpack(np.zeros((1, 3)))
                middle, within = rule.expected(values, one)
                off, _ = rule.slices(values, one, np.array([0]), middle, within)
                extra = np.exp(-off[0, 0, 0]) * usual  # the gain in people that would be right on the rule
                assert extra / np.exp(TERMS[0].mean) / USUAL == pytest.approx((people / PEOPLE) ** share)

    def test_few_events_make_no_rule(self):
        made, seen = world(4, 2)
        with pytest.raises(ValueError, match="2 events with a gain: at least 3 make a rule"):
            rule.fit(lay_out(made, seen), 1)

    def test_a_known_rule_is_found_again(self, large_rule):
        """Every parameter inside its 99% interval, and the intervals far narrower than the prior."""
        for name, true in TRUTH.items():
            low, high = np.quantile(large_rule.of(name), [0.005, 0.995])
            assert low < true < high, name
        sd = large_rule.draws.std(axis=0)
        assert sd[NAMES.index("affected")] < 0.06
        assert sd[NAMES.index("usual")] < 0.07
        assert (sd[:-2] < [0.75 * term.sd for term in TERMS]).all()
        assert large_rule.sample.effective >= sampling.ENOUGH_DRAWS

    def test_one_kernel_gives_the_posterior_in_closed_form(self):
        """Many parameters, a normal likelihood with correlation: mean and variance as the textbook has them."""
        design = np.random.default_rng(5).normal(size=(20, 14))
        seen = design @ np.linspace(-1, 1, 14)
        precision = np.eye(14) + design.T @ design
        drawn = sampling.sample(lambda z: -0.5 * ((seen - z @ design.T) ** 2).sum(axis=1), 14, 3, one_mode=True)
        cov = np.linalg.inv(precision)
        sd = np.sqrt(np.diag(cov))
        assert np.abs((drawn.draws.mean(axis=0) - cov @ design.T @ seen) / sd).max() < 0.15
        assert drawn.draws.std(axis=0) == pytest.approx(sd, rel=0.12)
        exact = stats.multivariate_normal(np.zeros(20), np.eye(20) + design @ design.T).logpdf(seen)
        assert drawn.log_evidence - 10 * np.log(2 * np.pi) == pytest.approx(exact, abs=0.1)


#: The event that is left out: one whose weights can be trusted (Pareto tail of 0.3).
LEFT = 4


@pytest.fixture(scope="module")
def refit(small_rule) -> rule.Rule:
    table = small_rule.table
    return rule.fit(table.without({table.events[LEFT].outage_id}), 11)


@pytest.fixture(scope="module")
def tests(large_rule) -> dict[str, left_out.LeftOut]:
    found = {"true": left_out.leave_one_out(large_rule, 1, people=True)}
    for name, held in (("share", rule.SAME_SHARE), ("median", rule.MEDIAN_GAIN)):
        found[name] = left_out.leave_one_out(rule.fit(large_rule.table, 1, held), 1, held)
    return found


class TestLeftOut:
    def test_weights_say_what_a_rule_made_without_the_event_says(self, small_rule, refit):
        """The short way, one over the likelihood, against the long one: predictions and score."""
        table, number = small_rule.table, LEFT
        assert len(refit.table.events) == len(table.events) - 1
        values, weight, score, again = left_out.without(small_rule, number, 1)
        assert not again
        assert weight.sum() == pytest.approx(1)
        own = np.flatnonzero(table.owner == number)
        even = np.full(len(refit.draws), 1 / len(refit.draws))
        for i in own:
            short = left_out.predicted(values, weight, table, i, ENDS)
            long = left_out.predicted(refit.draws, even, table, i, ENDS)
            assert short == pytest.approx(long, abs=0.12)
        likelihood = rule.Model(table).by_event(refit.draws)[:, number]
        assert score == pytest.approx(np.log(np.exp(likelihood).mean()), abs=0.1)

    def test_where_weights_cannot_be_trusted_the_rule_is_fitted_again(self, small_rule, refit, monkeypatch):
        monkeypatch.setattr(left_out, "GOOD_TAIL", -np.inf)
        monkeypatch.setattr(rule, "fit", lambda table, seed, held: refit)
        values, weight, score, again = left_out.without(small_rule, LEFT, 1)
        assert again
        assert values is refit.draws
        assert set(weight) == {1 / len(values)}
        likelihood = rule.Model(small_rule.table).by_event(refit.draws)[:, LEFT]
        assert score == pytest.approx(np.log(np.exp(likelihood).mean()))

    def test_the_rule_that_made_the_data_predicts_best(self, tests):
        assert tests["true"].score > tests["share"].score + 0.2
        assert tests["true"].score > tests["median"].score + 0.2

    def test_intervals_hold_as_often_as_they_say(self, tests):
        """Of 60 events the 80% interval holds 48, give or take three standard deviations."""
        for of, count in (("outages", 60), ("gains", 90)):
            for level in (0.5, 0.8, 0.95):
                held, number = tests["true"].covers(level, of)
                assert number == count
                assert abs(held - level * number) < 3 * np.sqrt(number * level * (1 - level)) + 0.5

    def test_ranks_and_intervals_are_those_of_simulated_gains(self, large_rule, tests):
        """The rank of each gain, that of the mean of an event, and the predicted people, against draws of new gains."""
        table, rng, size = large_rule.table, np.random.default_rng(2), 40_000
        for number in (0, 1, 3, 5, 7, 9, 11):
            values, weight, _, _ = left_out.without(large_rule, number, 1)
            values = values[rng.choice(len(values), size, p=weight)]
            own = np.flatnonzero(table.owner == number)
            middle, _ = rule.expected(values, table)
            usual = table.usual[own, 0]
            new = middle[:, own] + value(values, "usual")[:, None] * usual
            new += value(values, "between")[:, None] * rng.standard_normal((size, 1))
            new += value(values, "within")[:, None] * rng.standard_normal((size, len(own)))
            rows = tests["true"].gains.set_index("outage_id").loc[[table.events[number].outage_id]]
            people = np.quantile(new + usual + np.log(USUAL), list(left_out.ENDS.values()), axis=0).T
            assert rows[list(left_out.ENDS)].to_numpy() == pytest.approx(people, abs=0.06)
            new += 0.1 * rng.standard_normal(new.shape)
            assert (new < table.gain[own, 0]).mean(axis=0) == pytest.approx(rows["rank"].to_numpy(), abs=0.012)
            mean = (new.mean(axis=1) < table.gain[own, 0].mean()).mean()
            assert tests["true"].outages["rank"][number] == pytest.approx(mean, abs=0.012)

    def test_quantiles_are_those_of_the_mixture(self):
        rng = np.random.default_rng(3)
        centre, sd, weight = rng.normal(0, 2, 50), rng.uniform(0.2, 2, 50), rng.dirichlet(np.ones(50))
        found = left_out.quantiles(centre, sd, weight, ENDS)
        which = rng.choice(50, 400_000, p=weight)
        drawn = centre[which] + sd[which] * rng.standard_normal(len(which))
        assert [(drawn < q).mean() for q in found] == pytest.approx(ENDS, abs=0.004)

    def test_people_are_predicted_for_the_rival_as_it_is(self, large_rule, tests):
        """Quantiles are of people, not of usual days: the log of the true total lies inside most 95% intervals."""
        rows = tests["true"].gains
        total = (large_rule.table.gain + large_rule.table.usual)[:, 0] + np.log(USUAL)
        inside = (rows["low95"] < total) & (total < rows["high95"])
        assert (rows["low80"].between(rows["low95"], rows["middle"])).all()
        assert 0.88 <= inside.mean() <= 1


def published_values(n: int = 6, seed: int = 4) -> np.ndarray:
    """Values of the rule and of the chance of being published, the slope of either sign."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(-0.9, 0.9, n)
    return np.column_stack([some_values(n, seed), rng.normal(-0.5, 1, n), rng.normal(1, 1, n), slope])


def probit_at(values: np.ndarray, n: int, one: Event, effect):
    """The probit of being published of an event whose people hit are ten million, written out."""
    v = {name: value(values, name)[n] for name in NAMES}
    typical = v["intercept"] + v["affected"] * np.log(one.affected / PEOPLE) + v.get(one.kind, 0.0)
    typical += v["hours"] * np.log(one.hours / HOURS) if one.kind in events.UNAVAILABLE else 0.0
    typical += v["earlier"] * np.log2(1 + one.earlier)
    chance, others, slope = values[n, -3:]
    return chance + others * (one.kind != "outage") + slope * (typical + effect - TERMS[0].mean)


class TestSelection:
    SILENT = (
        event("s0", silent=True, affected=3e8, hours=1.0, earlier=3),
        event("s1", silent=True, kind="block", affected=1e5),
        event("s2", silent=True, kind="policy_shock", hours=float("nan")),
    )

    def test_silence_is_the_chance_that_no_effect_of_the_event_was_published(self):
        """Against integration over the event's effect, event by event."""
        values = published_values()
        alone = lay_out([event("e"), *self.SILENT], [point("e", 3.0)])
        exact = np.zeros(len(values))
        for n in range(len(values)):
            for one in self.SILENT:
                sd = value(values, "between")[n]
                exact[n] += np.log(
                    quad(lambda x, n=n, one=one, sd=sd: ndtr(-probit_at(values, n, one, x)) * stats.norm.pdf(x, 0, sd),
                         -12 * sd, 12 * sd, limit=200)[0]
                )  # fmt: skip
        np.testing.assert_allclose(selection.Published(alone).silence(values), exact, rtol=1e-6)

    def test_an_unknown_number_of_people_hit_joins_the_effect(self):
        told = [event(f"e{i}", affected=people) for i, people in enumerate((1e6, 1e7, 1e8))]
        silent = event("silent", silent=True, affected=float("nan"))
        values, sd = published_values(), np.log([0.1, 1.0, 10.0]).std(ddof=1)
        found = selection.Published(lay_out([*told, silent], [point("e0", 3.0)])).silence(values)
        variance = value(values, "between") ** 2 + (value(values, "affected") * sd) ** 2
        slope = values[:, -1]
        middle = np.array([probit_at(values, n, event("at its mean"), 0.0) for n in range(len(values))])
        np.testing.assert_allclose(found, log_ndtr(-middle / np.sqrt(1 + slope**2 * variance)), rtol=1e-9)

    @pytest.mark.parametrize("kind", ["outage", "block"])
    def test_a_single_gain_and_its_being_published_hang_together(self, kind):
        """Both depend on the effect of the event: against integration of their product."""
        one = event("e", kind=kind, affected=4e7)
        table, values = lay_out([one], [mixture(3, "e")]), published_values()
        found = selection.Published(table).by_event(values)[:, 0]
        exact = integrated(table, values, 0, lambda n, x: log_ndtr(probit_at(values, n, one, x)))
        np.testing.assert_allclose(found, exact, atol=1e-5)

    def test_several_gains_of_an_event_are_published_once(self):
        one = event("e", kind="shutdown", affected=4e6)
        made = [mixture(20 + j, "e", rival_id=f"r{j}") for j in range(3)]
        table, values = lay_out([one], made), published_values()
        found = selection.Published(table).by_event(values)[:, 0]
        exact = integrated(table, values, 0, lambda n, x: log_ndtr(probit_at(values, n, one, x)))
        np.testing.assert_allclose(found, exact, atol=2e-2)

    def test_without_a_slope_it_is_the_rule_and_a_coin(self):
        """Where size does not matter to publication, the likelihood of the gains is that of the plain rule."""
        made, seen = world(4, 9)
        table, values = lay_out([*made, *self.SILENT], seen), published_values()
        values[:, -1] = 0.0
        model = selection.Published(table)
        others = np.array([one.kind != "outage" for one in table.events])
        chance = log_ndtr(values[:, -3, None] + values[:, -2, None] * others)
        plain = rule.Model(table).by_event(values[:, : len(NAMES)])
        np.testing.assert_allclose(model.by_event(values), plain + chance, rtol=1e-9)
        total = np.random.default_rng(0).standard_normal((2, len(model.free)))
        unpacked = model.unpack(total)
        assert unpacked.shape == (2, len(NAMES) + len(selection.EXTRA))
        expected = model.by_event(unpacked).sum(axis=1) + model.silence(unpacked)
        np.testing.assert_allclose(model.log_likelihood(total), expected)

    def test_big_gains_that_alone_are_published_are_seen_through(self):
        """Small gains held back and counted as silence: the plain rule reads too much, the other one less."""
        made, seen = world(12, 70, rivals=(1,), truth={"between": 1.5, "affected": 0.0})
        usual = {gain.outage_id: float(gain.middle[0, 1]) for gain in seen}
        size = {g.outage_id: g.middle[0, 0] - TRUTH["usual"] * (usual[g.outage_id] - np.log(USUAL)) for g in seen}
        told = {name for name, gain in size.items() if gain > TRUTH["intercept"] + 0.3}
        made = [replace(one, silent=one.outage_id not in told) for one in made]
        table = lay_out(made, [gain for gain in seen if gain.outage_id in told])
        assert 20 < len(table.events) < 55
        plain, model = rule.fit(table, 1), selection.fit(table, 1)
        assert (model.draws[:, -1] > 0).mean() > 0.95
        assert np.median(plain.of("intercept")) > TRUTH["intercept"] + 0.6
        assert np.median(model.of("intercept")) < np.median(plain.of("intercept")) - 0.3

    def test_bound_counts_by_kind(self):
        told = [event("a"), event("b", silent=True), event("c", silent=True), event("d", kind="block")]
        assert selection.bound(told, ALL_KINDS) == [selection.Bound("outage", 3, 1), selection.Bound("block", 1, 1)]
        assert selection.bound(told, ALL_KINDS)[0].share == pytest.approx(1 / 3)


HALF_LIVES = {"outage": 12.0, "block": 48.0, "policy_shock": 96.0}


@pytest.fixture(scope="module")
def found() -> rule.Rule:
    rng = np.random.default_rng(6)
    made = [event(f"e{i}", kind=list(HALF_LIVES)[i % 3]) for i in range(45)]
    seen = []
    for one in made:
        log = np.log(HALF_LIVES[one.kind]) + 0.3 * rng.standard_normal()
        seen.append(point(one.outage_id, 3.0, half_life=np.array([[1.0, log]])))
    return half_lives.fit(lay_out(made, seen), 2)


class TestHalfLives:
    def test_known_medians_are_found_again_by_kind(self, found):
        for kind, true in HALF_LIVES.items():
            low, middle, high = np.quantile(half_lives.typical(found, kind), [0.005, 0.5, 0.995])
            assert low < true < high
            assert middle == pytest.approx(true, rel=0.25)
            assert high / low < 2.5

    def test_nothing_but_the_kind_matters(self, found):
        held = [name for name in NAMES if name not in ("intercept", "between", "within", *ALL_KINDS)]
        assert all((found.of(name) == 0).all() for name in held)
        assert "affected" in held

    def test_a_new_surge_scatters_around_the_median(self, found):
        """Its spread is that of events and of rivals: 0.3 in all, as simulated."""
        draws = np.log(half_lives.new(found, "block", np.random.default_rng(0)))
        assert np.median(draws) == pytest.approx(np.log(48), abs=0.15)
        assert 0.25 < draws.std() < 0.45


@pytest.fixture(scope="module")
def measured():
    rng, made, seen = np.random.default_rng(8), [], []
    for i in range(30):
        made.append(event(f"e{i}", affected=float(np.exp(rng.uniform(11, 21)))))
        effect = 0.3 * rng.standard_normal()
        for j in range(1 + i % 2):
            usual = rng.normal(np.log(USUAL), 2.0)
            log = 2.0 + 0.6 * np.log(made[i].affected / PEOPLE) - 0.4 * (usual - np.log(USUAL))
            log += effect + rng.normal(0, 0.3)
            seen.append(point(f"e{i}", log, usual, 0.05, rival_id=f"r{j}"))
    made += [event("nobody counted", affected=float("nan")), event("vague")]
    seen += [point("nobody counted", 9.0), point("vague", -9.0, sd=3.0)]
    return lay_out(made, seen)


class TestAgreement:
    def test_sampler_mixed_model_and_meta_regression_agree(self, measured):
        found = agreement.compared(measured, 1)
        assert found is not None
        assert found["method"].tolist() == ["sampler", "mixed model", "meta-regression"]
        for name, true in (("affected", 0.6), ("usual", 0.6)):  # on people: one more than on usual days
            middle, low, high = found[name], found[f"{name}_low"], found[f"{name}_high"]
            assert np.ptp(middle) < 0.25
            assert low.max() < middle.min()
            assert middle.max() < high.min()
            assert ((low < true) & (true < high)).all()
            assert (high - low < 0.6).all()

    def test_only_gains_that_are_points_are_taken(self, measured):
        """A gain known to a factor of a thousand, or after nobody knows how many, would be a wrong point."""
        kept_gains = agreement.well_measured(measured).gains
        assert len(kept_gains) == 45
        assert {"nobody counted", "vague"}.isdisjoint(gain.outage_id for gain in kept_gains)
        found = agreement.compared(measured, 1)
        assert found["gains"].tolist() == [45, 45, 30]

    def test_points_hold_total_and_variance(self):
        """A mixture's mean and variance, of people: gain and usual level together."""
        gain = mixture(1, "e")
        taken = agreement.points(lay_out([event("e", affected=3e7)], [gain]))
        rng = np.random.default_rng(0)
        which = rng.choice(SLICES, 200_000, p=gain.weight)
        root = np.linalg.cholesky(gain.spread)
        both = gain.middle[which] + np.einsum("nij,nj->ni", root[which], rng.standard_normal((len(which), 2)))
        total = both.sum(axis=1) - np.log(USUAL)
        assert taken.total[0] == pytest.approx(total.mean(), abs=0.02)
        assert taken.variance[0] == pytest.approx(total.var(), rel=0.03)
        assert taken.design[0] == pytest.approx([1, np.log(3), both[:, 1].mean() - np.log(USUAL)], abs=0.02)

    def test_the_best_known_gain_of_an_event_stands_for_it_in_the_meta_regression(self):
        """Ten events whose good figures lie on one line, and whose vague ones lie on another."""
        made, seen = [event(f"e{i}", affected=10.0 ** (5 + i / 3)) for i in range(10)], []
        for i, one in enumerate(made):
            log, usual = np.log(one.affected / PEOPLE), np.log(USUAL) + np.cos(5 * i)
            seen += [point(one.outage_id, 2 - 0.3 * log, usual, 1.5, rival_id="vague")]
            seen += [point(one.outage_id, 2 + 0.6 * log + 0.05 * (-1) ** i, usual, 0.1, rival_id="good")]
        regressed = agreement.compared(lay_out(made, seen), 1).set_index("method").loc["meta-regression"]
        assert regressed["gains"] == 10
        assert regressed["affected"] == pytest.approx(0.6, abs=0.03)

    def test_few_gains_are_not_compared(self, measured):
        first = {one.outage_id for one in measured.events[7:]}
        assert agreement.compared(measured.without(first), 1) is None


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy of the evidence with its rule."""
    return Path(shutil.copytree(DATA, tmp_path / "data", ignore=shutil.ignore_patterns("simulated")))


class TestKept:
    def test_the_committed_rule_was_made_of_this_evidence(self, known):
        meta = json.loads((DERIVED / "rule.json").read_text(encoding="utf-8"))
        told = "data/derived was made of other evidence: make rule fits the rule again"
        assert meta["evidence"] == evidence.data_hash(DATA), told
        rules = kept.load(DATA)
        assert rules.fresh
        table = rules.table(events.all_events(known))
        assert len(table.events) == meta["events"]
        assert len(table.gains) == len(rules.gains)
        assert meta["seed"] == kept.SEED
        whole = moments(events.all_events(known))
        assert (*rules.known.people, *rules.known.hours) == pytest.approx((*whole.people, *whole.hours))

    def test_draws_are_whole(self):
        """What reports multiply with must be finite, and as many as promised; half-lives are hours."""
        rules = kept.load(DATA)
        for draws in (rules.draws, rules.told):
            assert draws.shape == (kept.DRAWS, len(NAMES))
            assert np.isfinite(draws).all()
            assert (draws[:, -2:] > 0).all()
        assert set(rules.halves) == set(ALL_KINDS)
        assert all(3 < np.median(hours) < 24 * 31 for hours in rules.halves.values())
        assert (rules.half_scatter > 0).all()

    @pytest.mark.parametrize("outage_id", [ALONE, "hongkong-2014-09-28-protest"])
    def test_a_gain_is_what_a_fresh_fit_of_its_outage_gives(self, known, by_id, outage_id):
        """To the digits that are kept; where this fails, fits have changed and make rule is due."""
        rules = kept.load(DATA)
        fresh, _ = gains.collect(known, [by_id[outage_id]], kept.SEED)
        mine = [gain for gain in rules.gains if gain.outage_id == outage_id]
        assert len(fresh) == len(mine) > 0
        for one, other in zip(mine, fresh, strict=True):
            for name in ("outage_id", "rival_id", "rival", "quantity", "scope", "circumvention", "identity"):
                assert getattr(one, name) == getattr(other, name)
            for name in ("weight", "middle", "spread", "half_life"):
                told = f"{name} of {one.rival_id}: make rule fits the rule again"
                np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-4, err_msg=told)

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("gains.csv", None),
            ("rule.json", None),
            ("rule.csv", lambda text: ""),
            ("gains.csv", lambda text: text[: len(text) // 2]),
            ("rule.csv", lambda text: text.replace("intercept", "interzept")),
            ("gains.csv", lambda text: text.replace("weight", "wait")),
            ("rule.json", lambda text: text[: len(text) // 2]),
            ("rule.json", lambda text: "{}"),
            *(
                pytest.param(name, change, id=why)
                for name, change, why in (
                    ("rule.json", lambda text: "[]", "a list"),
                    ("rule.csv", lambda text: text[: len(text) * 3 // 4], "half of the published draws"),
                    ("rule.csv", lambda text: text.split("\n")[0] + "\n", "a table without draws"),
                    ("gains.csv", lambda text: text.split("\n")[0] + "\n", "a table without gains"),
                )
            ),
        ],
    )
    def test_a_broken_rule_says_where_it_lies_and_how_to_make_it(self, folder, name, change):
        """Anybody can delete or cut off a file; the report must not stop with a traceback or show nonsense."""
        path = folder / kept.FOLDER / name
        if change:
            path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            path.unlink()
        with pytest.raises(kept.KeptError, match="make rule fits it again") as caught:
            kept.load(folder)
        assert str(path.parent) in str(caught.value)

    def test_other_evidence_has_the_rule_of_the_project_and_knows_it(self, folder):
        shutil.rmtree(folder / kept.FOLDER)
        assert kept.load(folder).fresh  # the same tables
        with (folder / "services.csv").open("a", encoding="utf-8") as table:
            table.write("\n")
        other = kept.load(folder)
        assert not other.fresh
        np.testing.assert_array_equal(other.draws, kept.load(DATA).draws)

    def test_evidence_with_a_rule_of_its_own_has_that(self, folder):
        path = folder / kept.FOLDER / "rule.csv"
        frame = pd.read_csv(path)
        frame.assign(affected=frame["affected"] + 7).to_csv(path, index=False)
        assert (kept.load(folder).draws - kept.load(DATA).draws).max() == pytest.approx(7)

    def test_gains_of_events_that_are_gone_are_dropped(self, known):
        rules = kept.load(DATA)
        rows = known.outages[known.outages["outage_id"] != "facebook-2021-10-04"].reset_index(drop=True)
        left = rules.table(events.all_events(replace(known, outages=rows)))
        assert len(left.gains) == len(rules.gains) - sum(g.outage_id == "facebook-2021-10-04" for g in rules.gains)
        assert left.known == rules.known != moments(left.events)


#: Of all events this one has most influence on what is predicted for it: a factor of three.
OUTAGE = "arattai-2025-09-promotion"


@pytest.fixture(scope="module")
def fitted(known) -> fit.Fit:
    found = case.build(known, OUTAGE)
    return informed.fits(known, DATA, found, case.primary(found)[:1], kept.SEED)[0]


@pytest.fixture(scope="module")
def compared(known, fitted) -> unusual.Compared:
    made = unusual.compare(known, DATA, OUTAGE, fitted, 0.95)
    assert isinstance(made, unusual.Compared)
    return made


class TestUnusual:
    def test_another_count_is_not_compared(self, known):
        series = case.primary(case.build(known, "github-2018-06-03-microsoft-deal"))[0]
        other = replace(synthetic((3, 9), (1, 1)), series=series)
        said = unusual.compare(known, DATA, "github-2018-06-03-microsoft-deal", other, 0.95)
        assert said == "The rule knows people who came; visits are another count."
        assert unusual_story.said([said], 0.95).paragraphs == (said,)

    def test_a_rule_that_cannot_be_read_is_a_sentence(self, known, folder, fitted):
        (folder / kept.FOLDER / "gains.csv").unlink()
        said = unusual.compare(known, folder, OUTAGE, fitted, 0.95)
        assert isinstance(said, str)
        assert "could not be read" in said
        assert "make rule" in said

    def test_the_event_itself_is_left_out(self, known, by_id, fitted, compared, monkeypatch):
        """The prediction is that of a rule fitted without it; of the whole rule it would be far higher."""
        rules = kept.load(DATA)
        others = [gain for gain in rules.gains if gain.outage_id != OUTAGE]
        every = list(by_id.values())
        refit = rule.fit(lay_out([e for e in every if e.outage_id != OUTAGE], others, moments(every)), 4)
        predicted = []
        for draws in (refit.draws, rules.draws):
            monkeypatch.setattr(unusual, "without", lambda *given, draws=draws: (replace(rules, draws=draws), 0))
            predicted.append(np.log(unusual.compare(known, DATA, OUTAGE, fitted, 0.95).predicted))
        long, whole = predicted
        assert (whole - long > 0.3).all()
        assert (np.abs(np.log(compared.predicted) - long) < 0.2 * (whole - long)).all()
        assert compared.events == len(rules.table(every).events) - 1

    def test_prediction_own_figures_and_the_answer_of_the_page(self, compared, fitted):
        """Half of the page's prior is the rule's; the figures alone have the wide prior."""
        assert fitted.model.prior.rule is not None
        width = [np.log(five[4] / five[0]) for five in (compared.predicted, compared.own, compared.together)]
        assert width[2] < width[1]
        # The rule expects more than the ten usual days of the wide prior.
        assert compared.predicted[2] < compared.own[2] < compared.together[2]
        for five in (compared.predicted, compared.own, compared.together):
            assert list(five) == sorted(five)
        total = np.exp(np.sum(gains.drawn(fitted), axis=0))
        assert compared.together == pytest.approx(fit.five(total, 0.95))

    @pytest.mark.parametrize(("seen", "between"), [(4.5, None), (7.5, (0.3, 5.0))])
    def test_the_figures_alone_lose_the_rules_part_of_the_prior(self, known, fitted, monkeypatch, seen, between):
        """On a posterior that is known: what the rule adds to the prior is taken out, and the wide prior put in.

        The prediction also with a rule whose draws differ widely in scatter.
        """
        if between:
            draws = kept.load(DATA).draws.copy()
            draws[:, NAMES.index("between")] = np.resize(between, len(draws))
            wild = replace(kept.load(DATA), draws=draws, gains=[])
            monkeypatch.setattr(unusual, "load", lambda folder: wild)
            monkeypatch.setattr(unusual, "without", lambda *given: (wild, 49))

        def product(middle, spread):
            precision = 1 / spread**2 + 1
            return (middle / spread**2 + seen) / precision, precision**-0.5

        informed = Prior(rule=(5.0, -0.5, 1.2))
        middle, spread = (float(v[0]) for v in informed.gain(np.array([1e5])))
        mean, sd = product(middle, spread)
        made = replace(synthetic((mean, np.log(1e5)), (sd, 0.01), prior=informed), series=fitted.series)
        one = unusual.compare(known, DATA, OUTAGE, made, 0.95)
        assert np.log(one.together) == pytest.approx(mean + np.log(1e5) + sd * stats.norm.ppf(ENDS), abs=0.05)
        mean, own_sd = product(np.log(PRIOR.gain_days), PRIOR.gain_sd)
        assert np.log(one.own) == pytest.approx(mean + np.log(1e5) + own_sd * stats.norm.ppf(ENDS), abs=0.12)
        rules, every = unusual.load(DATA), events.all_events(known)
        rules, _ = unusual.without(rules, every, {OUTAGE})
        weight = np.full(len(rules.draws), 1 / len(rules.draws))
        event = next(e for e in every if e.outage_id == OUTAGE)
        row = np.array([0.0, *unusual_row(known, fitted, event)])
        middle, sd = unusual.expected(rules.draws, event, moments(every), row)
        middle = middle + value(rules.draws, "usual") * np.log(1e5 / USUAL)
        assert np.log(one.predicted) == pytest.approx(
            left_out.quantiles(middle + np.log(1e5), sd, weight, ENDS), abs=0.02
        )
        rng = np.random.default_rng(1)
        which = rng.choice(len(weight), 40_000, p=weight)
        new = middle[which] + sd[which] * rng.standard_normal(len(which))
        assert one.rank == pytest.approx((new < mean + own_sd * rng.standard_normal(len(new))).mean(), abs=0.03)

    @pytest.mark.parametrize(("days", "verdict"), [(-9.0, "far less"), (14.0, "far more")])
    def test_ranks_follow_the_size_of_the_gain(self, known, fitted, days, verdict):
        """A tiny gain lies near the lower end of what is predicted, a huge one near the upper, never outside 0 to 1."""
        made = replace(synthetic((days, np.log(1e5)), (0.1, 0.1)), series=fitted.series)
        one = unusual.compare(known, DATA, OUTAGE, made, 0.95)
        assert (one.rank < 0.025) == (verdict == "far less")
        assert (one.rank > 0.975) == (verdict == "far more")
        assert 0 <= one.rank <= 1
        assert f"{one.rival}: {verdict} than all other events lead to expect" in unusual_story.verdict(one, 0.95)
        assert "not what the rule" in unusual_story.title(one)

    def test_the_page_says_what_the_rule_knows_of_this_event(self, compared):
        """Whoever reads "unusual" must learn what the comparison is made of, and when there is none."""
        said = unusual_story.said([compared, "a sentence"], 0.95).paragraphs
        assert len(said) == 2
        assert said[0] == unusual_story.verdict(compared, 0.95)
        assert f"made of the {compared.events} other events" in said[1]
        assert "nothing to compare" in unusual_story.said([], 0.95).paragraphs[0]


class TestQuestion:
    @pytest.mark.parametrize(
        ("given", "counts"),
        [
            ({"kinds": "shutdown"}, "25 events, and after 5 of them"),
            ({"kinds": "outage", "sectors": "messaging"}, "44 events, and after 2 of them"),
            ({"sectors": "gaming"}, "after 0 of them a gain was published"),
        ],
    )
    def test_too_few_events_are_counted_before_anything_is_fitted(self, known, given, counts, monkeypatch):
        """The message says how many of what there are and what to change, not that a sampler failed."""
        monkeypatch.setattr(rule, "fit", None)
        asked = params.check("06", given, known)
        with pytest.raises(question.PoolError, match=counts) as caught:
            question.pool(known, asked)
        assert str(caught.value).startswith("kinds, sectors, exclude: ")
        assert str(caught.value).endswith("expected at least 8")

    def test_the_parameters_are_those_of_the_notebook(self):
        assert models.NOTEBOOKS["06_across_outages"] is models.AcrossOutages


def unusual_row(known, fitted: fit.Fit, event: Event) -> list[float]:
    """What a rival has of its own beside its usual level, written out for a plain rival counted in installs."""
    assert fitted.series.quantity == "installs"
    assert set(fitted.series.figures["role"]) == {"gainer"}
    identity = known.services.set_index("service_id").loc[fitted.series.service_id, "identity"]
    return [float(bool(identity) and identity == event.identity), 0.0, 1.0, 0.0]
