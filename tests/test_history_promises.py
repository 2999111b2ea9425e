"""What the forecast promises: measured coverage, the real tables, and the time it takes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from histories import frame, steady, tables, watched

from helpers.evidence import Evidence, load
from helpers.incidence.backtest import backtest
from helpers.incidence.forecast import forecast
from helpers.incidence.history import select
from helpers.incidence.rates import yearly

BENCH = Path(__file__).parents[1] / "bench"


class TestPromises:
    def test_measured_coverage_is_what_was_asked_for(self):
        rows = pd.read_csv(BENCH / "forecast.csv").set_index("group")
        total = rows.loc["all without trend"]
        assert total["histories"] >= 500
        for quantity in ("incidents", "hours"):
            assert 0.75 <= total[f"{quantity}_80"] <= 0.85
            assert 0.92 <= total[f"{quantity}_95"] <= 0.98

    def test_measured_false_alarms_of_the_trend(self):
        flat = pd.read_csv(BENCH / "trend.csv").query("change == 0")
        assert (flat["more"] + flat["fewer"]).max() <= 0.05

    def test_covers_simulated_histories(self):
        """A quick look at the same with 60 services of one world; bench/forecast.py is the measurement."""
        rng = np.random.default_rng(20140222)
        names, events, came = [f"s{i}" for i in range(60)], [], []
        for name in names:
            rate = np.exp(rng.uniform(0, 3))
            counts = rng.poisson(rate * rng.gamma(3, 1 / 3, 7))
            came.append(counts[-1])
            events += [e for i, n in enumerate(counts[:-1]) if n for e in steady(range(2010 + i, 2011 + i), n, name)]
        counts = forecast(watched(events, "2016-01-01", names)).counts.set_index("service_id").loc[names]
        hits_80 = counts["low_80"].le(came) & counts["high_80"].ge(came)
        hits_95 = counts["low"].le(came) & counts["high"].ge(came)
        assert 0.68 <= hits_80.mean() <= 0.92
        assert 0.88 <= hits_95.mean() <= 1

    def test_real_tables_hold(self):
        shares = backtest(select(load())).shares
        for row in shares.itertuples():
            assert row.predictions > 30
            assert row.low <= row.promised <= row.high

    def test_real_numbers_depend_neither_on_the_choice_nor_on_an_import(self):
        known = load()
        copied = known.outages[known.outages["service_id"] == "slack"].assign(
            outage_id=lambda rows: "github-" + rows["outage_id"], service_id="github", duration_hours=99.0,
            external_ids=lambda rows: "page:" + rows["outage_id"],
        )  # fmt: skip
        copied["start_utc"] += pd.DateOffset(years=2)
        outages = pd.concat([known.outages, copied], ignore_index=True)
        more = Evidence(outages, known.growth_figures, known.baselines, known.services, known.sources)
        histories = [select(known), select(known, ["whatsapp"]), select(more), select(more, ["github", "whatsapp"])]
        found = [(forecast(history), backtest(history)) for history in histories]
        frames = [(made.counts, made.hours, tested.table) for made, tested in found]
        for other in frames[1:]:
            for one, two in zip(frames[0], other, strict=True):
                left, right = (part[part["service_id"] == "whatsapp"].reset_index(drop=True) for part in (one, two))
                assert len(left)
                pd.testing.assert_frame_equal(left, right, check_exact=True)
        assert "github" in set(frames[2][0]["service_id"])

    def test_a_hundred_thousand_incidents(self):
        rng, n, names = np.random.default_rng(0), 100_000, [f"s{i}" for i in range(20)]
        start = pd.Timestamp("2012-01-01", tz="UTC") + pd.to_timedelta(np.sort(rng.uniform(0, 5000, n)), unit="D")
        few = tables(steady(range(2012, 2013), 1), more=tuple(names))
        columns = {name: few.outages[name].iloc[0] for name in few.outages}
        events = pd.DataFrame(columns | {"outage_id": np.arange(n).astype(str), "service_id": rng.choice(names, n)})
        events["start_utc"] = start.as_unit("us")
        events["duration_hours"] = rng.lognormal(0, 1.4, n)
        events["end_utc"] = frame([{"end_utc": None}] * n, {"end_utc": few.outages["end_utc"].dtype.name})["end_utc"]
        history = select(Evidence(events, few.growth_figures, few.baselines, few.services, few.sources), names)
        made = forecast(history)
        assert yearly(history)["incidents"].sum() == n - 20
        assert made.counts["mean"].sum() == pytest.approx(n / 5000 * 365, rel=0.05)
