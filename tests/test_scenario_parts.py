"""What stays of a rush, what a year of outages costs, and the income at stake."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from histories import frame, steady, watched

from helpers import claims
from helpers.evidence import Evidence, load
from helpers.incidence.duration_model import Lengths
from helpers.incidence.forecast import NOTHING, SHORT, Forecast, forecast
from helpers.incidence.history import select
from helpers.scenario import income, retention
from helpers.scenario.anchors import ALL_REGISTERED, COLUMNS, LATEST_DAYS, LEVELS, NO_USUAL, anchors
from helpers.scenario.retention import said, share_kept
from helpers.scenario.year import NOT_AMONG, NotForecast, lengths_of, year
from helpers.schemas import FIELDS, KINDS

DTYPES = {"number": "float64", "integer": "Int64", "boolean": "bool", "datetime": "datetime64[us, UTC]"}
EVENT = {"outage_id": "e", "service_id": "big", "kind": "outage", "start_utc": "2020-03-10", "end_utc": "2020-03-11"}
FIGURE = {
    "outage_id": "e", "service_id": "small", "quantity": "daily_active", "unit": "users", "value_kind": "absolute",
    "reading": "daily_level", "qualifier": "about", "scope": "world", "claimant_class": "panel", "role": "gainer",
    "source_ids": "p",
}  # fmt: skip
LEVEL = FIGURE | {"role": "baseline"}


@pytest.fixture(scope="module")
def evidence():
    return load()


@pytest.fixture(scope="module")
def found(evidence):
    return anchors(evidence)


def rng(seed=0):
    return np.random.default_rng(seed)


def told(value, day, until=None, **more):
    return FIGURE | {"value": value, "window_start_utc": day, "window_end_utc": until or day} | more


def table(name, rows):
    columns = {item.name: DTYPES.get(item.kind, "str") for item in FIELDS[name]}
    made = [{name: "" for name, dtype in columns.items() if dtype == "str"} | row for row in rows]
    return frame(made, columns)


def world(figures, usual=(), **event):
    """Evidence of one event; plain days end with the day after, as the loader makes them."""

    def ends(row):
        return row | {"window_end_utc": str(pd.Timestamp(row["window_end_utc"]) + pd.Timedelta(days=1))}

    services = [{"service_id": name, "name": name.title(), "is_group": False} for name in ("big", "small")]
    return Evidence(
        table("outages", [EVENT | event]),
        table("growth_figures", [{"figure_id": f"f{i}"} | ends(row) for i, row in enumerate(figures)]),
        table("baselines", [{"baseline_id": f"b{i}"} | ends(LEVEL | row) for i, row in enumerate(usual)]),
        table("services", services),
        table("sources", []),
    )


def level(value, day, **more):
    return {"value": value, "window_start_utc": day, "window_end_utc": day} | more


class TestAnchors:
    PEAK, LATER, USUAL = told(900, "2020-03-10"), told(300, "2020-04-10"), level(100, "2020-03-01")

    def test_share_of_those_who_came(self):
        row = anchors(world([self.PEAK, self.LATER], [self.USUAL])).iloc[0]
        assert row["share"] == pytest.approx((300 - 100) / (900 - 100))
        assert row["days"] == 31
        assert (row["peak_id"], row["later_id"], row["usual_id"], row["who"]) == ("f0", "f1", "b0", "came")
        assert row["over"]
        assert not row["clipped"]
        assert row["low"] == pytest.approx((250 - 150) / (950 - 150))
        assert row["high"] == pytest.approx((350 - 50) / (850 - 50))

    def test_units_and_ratios_say_the_same(self):
        ratio = {"unit": "ratio", "value_kind": "ratio", "reading": "ratio_mean", "compared_with": "usual"}
        percent = ratio | {"unit": "percent"}
        plain = anchors(world([self.PEAK, self.LATER], [self.USUAL]))["share"].iloc[0]
        for like, values in ((ratio, (9, 3)), (percent, (800, 200))):
            rows = [told(v, d, **like) for v, d in zip(values, ("2020-03-10", "2020-04-10"), strict=True)]
            for usual in ([], [self.USUAL]):
                assert anchors(world(rows, usual))["share"].tolist() == pytest.approx([plain])
            assert anchors(world([self.PEAK, rows[1]], [self.USUAL]))["share"].tolist() == pytest.approx([plain])
            assert anchors(world([self.PEAK, rows[1]])).empty

    def test_no_usual_level_is_not_a_level_of_nothing(self):
        row = anchors(world([self.PEAK, self.LATER])).iloc[0]
        assert np.isnan(row["usual"])
        assert row["remark"] == NO_USUAL
        assert row["share"] == pytest.approx(300 / 900)
        assert row["low"] == pytest.approx((250 - 150) / (950 - 150))

    @pytest.mark.parametrize(
        ("figures", "usual", "why"),
        [
            ([told(900, "2020-03-10")], [], "nothing later"),
            ([told(900, "2020-03-10"), told(1500, "2020-04-01")], [], "still growing"),
            ([told(900, "2020-06-10"), told(300, "2020-07-10")], [], "peak long after the event"),
            ([told(900, "2020-03-10"), told(300, "2020-12-10")], [], "later long after the peak"),
            ([told(900, "2020-03-10"), told(300, "2020-04-10", quantity="installs")], [], "another quantity"),
            ([told(900, "2020-03-10"), told(300, "2020-04-10", scope="France")], [], "another place"),
            ([told(900, "2020-03-10"), told(300, "2020-04-10", repeats="f0")], [], "a copy"),
            ([told(900, "2020-03-10"), told(300, "2020-04-10")], [level(900, "2020-03-01")], "no gain to keep"),
            ([told(9, "2020-03-10", quantity="installs"), told(3, "2020-04-10", quantity="installs")], [], "a flow"),
        ],
    )
    def test_what_is_no_pair(self, figures, usual, why):
        assert anchors(world(figures, usual)).empty, why

    def test_below_the_usual_level_is_cut_and_said(self):
        row = anchors(world([self.PEAK, told(50, "2020-04-10")], [self.USUAL])).iloc[0]
        assert (row["share"], row["low"], row["clipped"]) == (0, 0, True)

    def test_the_failing_service(self):
        figures = [
            told(v, d, role="failing_service", service_id="big") for v, d in ((400, "2020-03-10"), (800, "2020-04-01"))
        ]
        row = anchors(world(figures, [level(900, "2020-03-01", service_id="big")])).iloc[0]
        assert row["who"] == "left"
        assert row["share"] == pytest.approx(0.2)
        assert anchors(world(figures)).empty

    def test_whether_it_was_over(self):
        figures = [told(900, "2020-03-10"), told(300, "2020-03-20")]
        for event, over in (
            ({"end_utc": "2020-04-01"}, False),
            ({"end_utc": None}, False),
            ({"end_utc": "2020-03-19"}, True),
        ):
            assert anchors(world(figures, **event))["over"].tolist() == [over]
        assert anchors(world(figures, end_utc=None, duration_hours=5.0))["over"].tolist() == [True]

    def test_another_firm_does_not_follow_the_peak_where_the_same_one_does(self):
        others = told(500, "2020-04-10", source_ids="q")
        assert anchors(world([self.PEAK, self.LATER, others]))["later"].tolist() == [300]
        assert anchors(world([self.PEAK, others]))["later"].tolist() == [500]

    def test_relative_to_the_peak_in_the_words_of_the_page(self):
        fall = {"unit": "percent", "value_kind": "percent", "reading": "context", "compared_with": "other"}
        named = told(-30, "2020-04-10", unit_as_published="percent from the peak", **fall)
        assert anchors(world([self.PEAK, named]))["later"].tolist() == pytest.approx([630])
        assert anchors(world([self.PEAK, told(-30, "2020-04-10", unit_as_published="percent", **fall)])).empty

    def test_a_change_on_the_day_before(self):
        change = told(300, "2020-03-10", value_kind="change", reading="context", compared_with="previous_day")
        later = told(250, "2020-03-20")
        row = anchors(world([change, later], [level(100, "2020-03-09")])).iloc[0]
        assert (row["peak"], row["share"]) == (400, pytest.approx(0.5))
        assert anchors(world([change, later], [level(100, "2020-03-01")])).empty

    def test_a_remark_with_a_number(self):
        remark = told(
            13e6, "2020-06-01", quantity="monthly_active", value_kind="retention_remark", reading="context",
            unit_as_published="users active (of 36 million registered)",
        )  # fmt: skip
        row = anchors(world([remark])).iloc[0]
        assert row["share"] == pytest.approx(13 / 36)
        assert row["remark"] == ALL_REGISTERED
        assert anchors(world([remark | {"unit_as_published": "users"}])).empty

    def test_of_the_evidence(self, evidence, found):
        """Held to the tables: every number is that of the row it names, and the best known falls are among them."""
        assert list(found) == COLUMNS
        pairs = found[found["remark"] != ALL_REGISTERED]
        rows = pd.concat(
            [
                evidence.growth_figures.rename(columns={"figure_id": "id"}),
                evidence.baselines.rename(columns={"baseline_id": "id"}),
            ]
        ).set_index("id")
        assert set(found["quantity"]) <= set(LEVELS)
        assert found[["share", "low", "high"]].apply(lambda c: c.between(0, 1)).all(axis=None)
        assert (found["low"] <= found["share"]).all()
        assert (found["share"] <= found["high"]).all()
        assert pairs["days"].between(0, LATEST_DAYS + 31).all()
        for row in found.itertuples():
            peak, later = rows.loc[row.peak_id], rows.loc[row.later_id]
            assert peak["service_id"] == later["service_id"] == row.service_id
            if later["value_kind"] == "absolute":
                assert row.later == later["value"]
        shares = found.set_index(["outage_id", "later_id"])["share"]
        assert shares["tiktok-2025-01-18-us", "tiktok-2025-01-18-us--rednote-(xiaohongshu)--5"] == pytest.approx(
            0.45, abs=0.01
        )
        assert {"mastodon", "threads", "rednote"} <= set(found["service_id"])
        assert "reddit" in set(found.loc[found["who"] == "left", "service_id"])


def cases(shares, kinds=None, over=True, **more):
    """A table of anchors whose rounding is nothing: one service an event."""
    shares = np.asarray(shares, dtype=float)
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {"outage_id": f"e{i}", "service_id": f"s{i}", "service": f"S{i}", "kind": kinds[i] if kinds else "block"}
        | {"who": "came", "days": 30.0, "peak": 1.0, "usual": 0.0, "later": s, "share": s, "low": s, "high": s}
        | {"clipped": False, "over": over, "claimant": "api_count"}
        | more
        for i, s in enumerate(shares)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"over": "bool"})


def width(anchored, kind="block", n=20_000):
    return np.diff(np.quantile(share_kept(anchored, kind, n, rng()), [0.1, 0.9]))[0]


class TestShareKept:
    def test_holds_a_new_case_as_often_as_it_says(self, monkeypatch):
        """Truths drawn from the priors: the share of hits is 0.8 within three standard errors, also with few cases."""
        monkeypatch.setattr(retention, "LITERATURE_KIND", "shutdown")
        draw, hits, n = rng(5), [], 400
        for trial in range(n):
            size = (2, 4, 9)[trial % 3]
            tau = retention.CASES_MEDIAN * np.exp(retention.CASES_SCATTER * draw.standard_normal())
            omega = abs(retention.KINDS_SD * draw.standard_normal())
            centre = retention.CENTRE + retention.CENTRE_SD * draw.standard_normal()
            mean = dict(zip(KINDS, centre + omega * draw.standard_normal(len(KINDS)), strict=True))
            kinds = [str(kind) for kind in draw.choice(KINDS, size)]
            odds = np.array([mean[kind] + tau * draw.standard_normal() for kind in kinds])
            # The London strike is a case like the others: here one of the true world.
            london = 1 / (1 + np.exp(-(mean["shutdown"] + tau * draw.standard_normal())))
            monkeypatch.setattr(retention, "LITERATURE_PERCENT", round(100 * float(london), 3))
            read = odds + claims.CLAIMANT_SCALE["api_count"] * draw.standard_normal(size)
            draws = share_kept(cases(1 / (1 + np.exp(-read)), kinds), "block", 2_000, draw)
            low, high = np.quantile(draws, [0.1, 0.9])
            new = 1 / (1 + np.exp(-(mean["block"] + tau * draw.standard_normal())))
            hits.append(low <= new <= high)
        assert np.mean(hits) == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / n))

    def test_more_that_agree_say_more_but_never_one_number(self):
        widths = [width(cases(np.full(k, 0.3))) for k in (0, 3, 12)]
        assert widths[0] > widths[1] > widths[2] > 0.1
        assert np.median(share_kept(cases(np.full(12, 0.3)), "block", 20_000, rng())) == pytest.approx(0.28, abs=0.06)

    def test_cases_that_disagree_say_less(self):
        assert width(cases([0.1, 0.6] * 6)) > 1.5 * width(cases(np.full(12, 0.3)))

    def test_own_kind_speaks_louder(self):
        kinds = ["block"] * 6 + ["policy_shock"] * 6
        both = cases([0.1, 0.12, 0.08] * 2 + [0.7, 0.75, 0.65] * 2, kinds)
        middles = [np.median(share_kept(both, kind, 20_000, rng())) for kind in ("block", "shutdown", "policy_shock")]
        assert middles[0] < middles[1] < middles[2]
        assert middles[2] - middles[0] > 0.1

    def test_rivals_of_one_event_are_not_several_events(self):
        apart = cases(np.full(8, 0.4))
        assert width(apart.assign(outage_id="e0")) > width(apart)

    def test_only_the_latest_pair_of_a_service_counts(self):
        late = cases([0.2, 0.3])
        early = late.assign(share=0.9, low=0.9, high=0.9, days=2.0)
        both = pd.concat([late, early], ignore_index=True)
        assert share_kept(both, "block", 50, rng()).tolist() == share_kept(late, "block", 50, rng()).tolist()

    def test_an_outage_asks_for_events_that_were_over(self):
        going_on = cases([0.9, 0.9, 0.9], over=False)
        none = going_on.iloc[:0]
        assert share_kept(going_on, "outage", 50, rng()).tolist() == share_kept(none, "outage", 50, rng()).tolist()
        assert share_kept(going_on, "block", 50, rng()).mean() > share_kept(none, "block", 50, rng()).mean()

    def test_who_came_and_who_left_are_apart(self, found):
        came, left = (share_kept(found, "shutdown", 20_000, rng(), who) for who in ("came", "left"))
        assert np.median(came) > np.median(left)

    @pytest.mark.parametrize("kind", KINDS)
    def test_same_seed_same_shares(self, found, kind):
        one, two, three = (share_kept(found, kind, 500, rng(seed)) for seed in (1, 1, 2))
        assert one.tolist() == two.tolist() != three.tolist()
        assert one.shape == (500,)
        assert ((one > 0) & (one < 1)).all()

    def test_without_any_case_the_london_strike_speaks(self, evidence):
        bare = replace(evidence, growth_figures=evidence.growth_figures.iloc[:0], baselines=evidence.baselines.iloc[:0])
        none = anchors(bare)
        assert none.empty
        low, middle, high = np.quantile(share_kept(none, "outage", 20_000, rng()), [0.1, 0.5, 0.9])
        assert low < retention.LITERATURE_PERCENT / 100 < middle < high
        assert high > 0.3
        assert "the evidence holds none that speaks, so it rests on the commuters" in said(none, "outage")

    def test_says_which_cases_speak(self, found):
        text = said(found, "outage")
        over = found[found["over"] & (found["who"] == "came")]
        assert "is a range from few cases" in text
        assert f"{len(over.groupby(['outage_id', 'service_id']))} published cases speak" in text
        assert all(name in text for name in over["service"])
        assert "shocks without any downtime" in text
        assert "London Underground" in text
        going_on = set(found.loc[~found["over"], "service"]) - set(over["service"])
        assert not any(name in text for name in going_on)
        assert all(name in said(found, "block") for name in going_on)
        assert "1 published case speaks" in said(cases([0.3]), "block")

    def test_refuses(self, found):
        for more, message in (
            (("strike", 5), "kind: got 'strike', expected one of outage"),
            (("outage", 0), "size: got 0"),
            (("outage", 5, rng(), "stayed"), "who: got 'stayed'"),
        ):
            kind, size, *rest = more
            with pytest.raises(ValueError, match=message):
                share_kept(found, kind, size, *(rest or [rng()]))
        with pytest.raises(ValueError, match="without low and high"):
            share_kept(found.drop(columns=["low", "high"]), "outage", 5, rng())


@pytest.fixture(scope="module")
def calm():
    history = watched(steady(range(2010, 2020), 4), "2020-01-01")
    return history, forecast(history)


def constant(hours, _, __):
    return np.full(len(hours), 7.0)


class TestYear:
    def test_constant_loss_is_incidents_times_loss(self, calm):
        history, made = calm
        found = year(made, "a", constant, lengths_of(history, made, "a"), rng())
        assert found.draws.tolist() == (7.0 * made.draws["incidents"]).tolist()
        assert found.mean == pytest.approx(7 * found.incidents)
        assert found.none == pytest.approx(np.mean(made.draws["incidents"] == 0))
        assert (found.starts, found.ends) == (made.starts, made.ends)

    def test_loss_an_hour_is_the_mean_length_times_incidents(self, calm):
        history, made = calm
        exact = Lengths(("a",), np.linspace(-6, 6, 1201), np.array([0.5]), np.zeros((2, 1, 1201)))
        exact.weight[:, 0, 600] = 1.0
        found = year(made, "a", lambda hours, _, __: 10 * hours, exact, rng())
        assert found.mean == pytest.approx(10 * found.incidents * np.exp(0.125), rel=0.02)
        real = year(made, "a", lambda hours, _, __: 10 * hours, lengths_of(history, made, "a"), rng())
        assert real.median == pytest.approx(10 * made.hours["median"].iloc[0], rel=0.1)

    def test_interval_and_worst_year(self, calm):
        history, made = calm
        found = year(made, "a", lambda hours, _, __: hours, lengths_of(history, made, "a"), rng(), level=0.9)
        assert found.worst == pytest.approx(np.quantile(found.draws, 0.95))
        assert found.low < found.median < found.high
        assert found.high == pytest.approx(found.worst)
        assert found.probability == pytest.approx(0.9, abs=0.01)
        inside = (found.draws >= found.low) & (found.draws <= found.high)
        assert inside.mean() == found.probability

    def test_same_seed_same_year(self, calm):
        history, made = calm
        lengths = lengths_of(history, made, "a")
        one, two, three = (
            year(made, "a", lambda h, _, g: h * g.exponential(1, len(h)), lengths, rng(s)).draws for s in (1, 1, 2)
        )
        assert one.tolist() == two.tolist() != three.tolist()

    def test_batches_change_nothing_but_memory(self, calm, monkeypatch):
        history, made = calm
        monkeypatch.setattr("helpers.scenario.year.BATCH", 50)
        sizes = []

        def loss(hours, _, __):
            sizes.append(len(hours))
            return np.full(len(hours), 7.0)

        found = year(made, "a", loss, lengths_of(history, made, "a"), rng())
        assert found.draws.tolist() == (7.0 * made.draws["incidents"]).tolist()
        assert max(sizes) < 100
        assert sum(sizes) == made.draws["incidents"].sum()

    def test_a_mean_of_a_few_years_is_said(self, calm):
        history, made = calm
        lengths = lengths_of(history, made, "a")
        heavy = year(made, "a", lambda h, _, g: np.exp(5 * g.standard_normal(len(h))), lengths, rng())
        assert heavy.dominated
        assert "less than 1% of the simulated years" in heavy.remark
        even = year(made, "a", constant, lengths, rng())
        assert not even.dominated
        assert "Half of the mean comes from" in even.remark
        nothing = year(made, "a", lambda h, _, __: 0 * h, lengths, rng())
        assert (nothing.mean, nothing.high, nothing.none, nothing.dominated) == (0, 0, 1, False)
        assert "lost anyone" in nothing.remark

    def test_reason_for_no_year(self, calm):
        _, made = calm
        assert year(made, "z", constant, None, rng()) == NotForecast("z", NOT_AMONG)
        short = forecast(watched([], "2010-02-01"))
        assert year(short, "a", constant, None, rng()) == NotForecast("a", SHORT)

    def test_a_service_of_the_evidence(self, evidence):
        known = select(evidence, ["whatsapp", "pocket"])
        made = forecast(known)
        assert isinstance(made, Forecast)
        assert year(made, "pocket", constant, lengths_of(known, made, "pocket"), rng()) == NotForecast(
            "pocket", NOTHING
        )
        found = year(made, "whatsapp", lambda h, _, __: 1000 * h, lengths_of(known, made, "whatsapp"), rng())
        assert 0 <= found.low <= found.median <= found.worst
        assert np.median(found.draws) == pytest.approx(1000 * made.hours["median"].iloc[0], rel=0.15)

    @pytest.mark.parametrize(
        ("loss", "message"),
        [
            (lambda h, _, __: h[:-1], "expected one loss for each"),
            (lambda h, _, __: -h, "zero or more"),
            (lambda h, _, __: h * np.nan, "finite"),
        ],
    )
    def test_refuses_a_loss(self, calm, loss, message):
        history, made = calm
        with pytest.raises(ValueError, match=message):
            year(made, "a", loss, lengths_of(history, made, "a"), rng())

    def test_refuses_a_level_and_missing_lengths(self, calm):
        history, made = calm
        with pytest.raises(ValueError, match="level: got 1"):
            year(made, "a", constant, lengths_of(history, made, "a"), rng(), level=1.0)
        with pytest.raises(ValueError, match="incident_hours"):
            year(made, "a", constant, None, rng())


class TestIncome:
    def test_mean_is_the_product(self):
        found = income.at_stake(1000, 2.5, np.full(50_000, 4.0), 0.6, rng())
        assert found.mean == pytest.approx(1000 * 2.5 * 4 * (0 + 0.6 + 1) / 3, rel=0.01)
        assert np.mean((found.draws >= found.low) & (found.draws <= found.high)) == pytest.approx(0.8, abs=0.001)
        assert found.draws.max() <= 10_000

    def test_without_the_study_it_is_wider(self):
        with_it, without = (income.at_stake(10, 1, np.ones(20_000), part, rng()) for part in (0.6, None))
        assert without.high - without.low > with_it.high - with_it.low
        assert "no study" in without.assumptions[1]
        assert "60%" in with_it.assumptions[1]
        assert "Crosby 2021" in with_it.assumptions[1]

    def test_hours_carry_their_spread(self):
        hours = rng().lognormal(1, 1, 20_000)
        still, spread = (income.at_stake(10, 1, h, 0.6, rng(1)) for h in (np.full(20_000, hours.mean()), hours))
        assert spread.high / spread.low > still.high / still.low
        assert income.at_stake(10, 1, np.zeros(3), 0.6, rng()).high == 0

    def test_part_comes_from_the_evidence(self, evidence):
        row = evidence.growth_figures.set_index("figure_id").loc[income.MOVED_ID]
        assert income.likely_lost(evidence) == pytest.approx(1 - row["value"] / 100)
        assert income.likely_lost(replace(evidence, growth_figures=evidence.growth_figures.iloc[:0])) is None

    def test_agrees_with_the_minutes_of_the_study(self, evidence):
        """14.4 of 23.6 billion minutes went to no other service, as its other row says."""
        rows = evidence.growth_figures
        minutes = rows[(rows["outage_id"] == "facebook-2021-10-04") & (rows["unit"] == "minutes")].iloc[0]
        lost = float(minutes["unit_as_published"].split("(of ")[1].split(" billion")[0]) * 1e9
        assert income.likely_lost(evidence) == pytest.approx(minutes["value"] / lost, abs=0.005)

    @pytest.mark.parametrize("asked", [(0, 5.0), (5, 0.0)])
    def test_nobody_asked(self, asked):
        found = income.at_stake(*asked, np.ones(3), 0.6, rng())
        assert found is None
        assert income.NOT_ASKED in income.said(found)

    def test_says_the_range(self):
        text = income.said(income.at_stake(10_000, 5, np.full(5_000, 8.0), 0.6, rng(), "euros"))
        assert " to " in text
        assert "euros (with 80% probability" in text

    def test_same_seed_same_loss(self):
        one, two, three = (income.at_stake(10, 1, np.ones(50), 0.6, rng(s)).draws for s in (1, 1, 2))
        assert one.tolist() == two.tolist() != three.tolist()

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ((-1, 1, np.ones(3), 0.6), "creators: got -1"),
            ((1, np.nan, np.ones(3), 0.6), "income_per_creator_hour: got nan"),
            ((1, 1, np.ones((3, 2)), 0.6), "hours"),
            ((1, 1, np.array([]), 0.6), "hours"),
            ((1, 1, -np.ones(3), 0.6), "hours"),
            ((1, 1, np.ones(3), 1.2), "likely: got 1.2"),
        ],
    )
    def test_refuses(self, given, message):
        with pytest.raises(ValueError, match=message):
            income.at_stake(*given, rng())

    def test_refuses_a_level(self):
        with pytest.raises(ValueError, match="level: got 0"):
            income.at_stake(1, 1, np.ones(3), 0.6, rng(), level=0)
