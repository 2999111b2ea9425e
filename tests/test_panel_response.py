"""The mean response: unbiased when nothing happens, intervals that hold, three means for three questions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from panel_data import HORIZON, OUTAGE, panel

from helpers.measured.window import Window
from helpers.panel.measure_all import PanelResult, measure_panel
from helpers.panel.response import jackknife, mean_response
from helpers.panel.task import Settings

DAY = pd.Timedelta(days=1)


def made(observed: np.ndarray, expected: np.ndarray, error: np.ndarray | float = 0.1) -> PanelResult:
    """Return a panel with these counts, rows by steps."""
    rows, steps = observed.shape
    table = pd.DataFrame({"series": [f"s{row}" for row in range(rows)], "window": "w", "status": "measured"})
    settings = Settings((OUTAGE,), steps * DAY, (), 0.95, False, DAY, pd.Timedelta(0), steps)
    arrays = (np.asarray(one, dtype=np.float32) for one in (observed, expected, np.broadcast_to(error, observed.shape)))
    return PanelResult(table, *arrays, settings=settings, measured_now=rows, taken_over=0, seconds=0.0)


def test_equal_is_the_mean_of_logs_and_pooled_the_log_of_sums() -> None:
    expected = np.array([[100.0, 100.0], [100_000.0, 100_000.0]])
    observed = expected * np.array([[2.0, 1.0], [1.0, 1.0]])
    result = made(observed, expected, np.sqrt(1 / expected))
    equal = mean_response(result, by="equal").table
    assert equal["log_ratio"].iloc[0] == pytest.approx(np.log(2) / 2, abs=0.005)
    assert equal["ratio"].iloc[0] == pytest.approx(np.sqrt(2), abs=0.01)
    assert equal.index.tolist() == [pd.Timedelta(0), DAY]
    pooled = mean_response(result, by="pooled").table
    assert pooled["ratio"].iloc[0] == pytest.approx(100_200 / 100_100, rel=1e-6)
    precise = mean_response(result, by="precision").table
    assert precise["log_ratio"].iloc[0] == pytest.approx(np.log(2) / 1001, rel=0.05)


def test_zeros_count_where_people_were_expected_and_small_steps_are_left_out() -> None:
    result = made(np.array([[0.0, 3.0], [0.0, 5.0]]), np.array([[50.0, 4.0], [50.0, 5.0]]))
    equal = mean_response(result)
    assert equal.table["rows"].tolist() == [2, 0]
    assert equal.table["log_ratio"].iloc[0] < np.log(0.02)
    assert np.isnan(equal.table["log_ratio"].iloc[1])
    assert equal.left_out == 0.5
    pooled = mean_response(result, by="pooled").table
    assert pooled["ratio"].tolist() == pytest.approx([0.0, 8 / 9])
    assert pooled["low"].isna().tolist() == [True, False]


def test_measures_need_no_people() -> None:
    observed = np.array([[0.02, 0.0], [0.01, 0.01]])
    result = made(observed, np.full((2, 2), 0.01), 0.0)
    measures = replace(result, settings=replace(result.settings, fractional=True))
    found = mean_response(measures).table
    np.testing.assert_allclose(found["log_ratio"], [np.log(2) / 2, 0.0], atol=1e-6)
    assert found["rows"].tolist() == [2, 1]


def test_missing_steps_and_failed_rows_take_no_part() -> None:
    observed = np.array([[200.0, np.nan], [100.0, 100.0], [900.0, 900.0]])
    result = made(observed, np.full((3, 2), 100.0))
    result.table.loc[2, "status"] = "failed"
    found = mean_response(result, by="pooled").table
    assert found["ratio"].tolist() == pytest.approx([1.5, 1.0])
    assert found["rows"].tolist() == [2, 1]
    assert found["clusters"].tolist() == [2, 1]
    assert found["low"].isna().tolist() == [False, True]
    only = mean_response(result, by="pooled", rows=[True, False, False]).table
    assert only["ratio"].iloc[0] == 2.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"clusters": ["a"]}, "clusters: 1 of them for 2 rows"),
        ({"clusters": ["a", None]}, "a row has no label"),
        ({"rows": [False, False]}, "no measured series"),
        ({"by": "mean"}, "expected one of equal, precision, pooled"),
        ({"level": 2}, "level: given 2"),
    ],
)
def test_wrong_requests_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        mean_response(made(np.full((2, 1), 50.0), np.full((2, 1), 50.0)), **options)  # type: ignore[arg-type]


def test_equal_clusters_give_the_interval_of_cluster_robust_regression() -> None:
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(8), 5)
    y = random.normal(size=8)[labels] + random.normal(size=40)
    fit = sm.OLS(y, np.ones(40)).fit(cov_type="cluster", cov_kwds={"groups": labels}, use_t=True)
    sums = np.bincount(labels, y)[:, None]
    estimate, low, high = jackknife(sums, np.full((8, 1), 5.0), 0.95)
    assert estimate[0] == pytest.approx(fit.params[0])
    np.testing.assert_allclose([low[0], high[0]], fit.conf_int()[0], rtol=1e-6)


SIZES = {
    "5 alike": [20] * 5,
    "12 unlike": [80, 40, 20, 20, 10, 10, 5, 5, 5, 5, 5, 5],
    "40 alike": [10] * 40,
    "one among small ones": [100, 10, 10, 10, 10, 10],
}


@pytest.mark.parametrize("which", SIZES)
@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_intervals_hold_with_clusters_of_any_size(which: str, shared: float) -> None:
    """4,000 simulated panels: 95% intervals held 94.3 to 94.9% with clusters alike, 95.6 to 99.9% with unlike ones.

    With clusters - 1 degrees of freedom the unlike ones hold 90 to 91% where half of the variance is shared.
    """
    sizes = np.array(SIZES[which], dtype=float)
    random = np.random.default_rng(7)
    means = random.normal(size=(4000, len(sizes))) * np.sqrt(shared + (1 - shared) / sizes)
    _, low, high = jackknife((means * sizes).T, np.broadcast_to(sizes[:, None], means.T.shape), 0.95)
    held = ((low <= 0) & (high >= 0)).mean()
    assert held >= 0.94
    if "alike" in which.split():
        assert held <= 0.96


def test_pooled_intervals_hold_when_sizes_and_responses_differ() -> None:
    """1,000 simulated panels of 60 series, responses of one country alike: the true ratio lay inside 95.4%."""
    random = np.random.default_rng(8)
    countries = np.repeat(np.arange(20), 3)
    held = 0
    for _ in range(1000):
        size = np.exp(random.normal(4, 1, 20))[countries]
        ratio = 1.5 * np.exp(random.normal(0, 0.3, 20) - 0.045)[countries]
        observed = random.poisson(size * ratio)[:, None].astype(float)
        found = mean_response(made(observed, size[:, None]), by="pooled", clusters=countries).table.iloc[0]
        held += found["low"] <= 1.5 <= found["high"]
    assert 0.93 <= held / 1000 <= 0.98


def test_nothing_happening_gives_no_response_at_any_size_and_a_surge_its_size() -> None:
    """Measured panels: where nothing happened all three means lie near 1; where it doubled, near its true course."""
    table = panel(80, seed=3, least=12, most=400)
    result = measure_panel(table, [OUTAGE], horizon=HORIZON, jobs=1)
    gained = np.arange(80) % 4 == 0
    for by in ("equal", "precision", "pooled"):
        quiet = mean_response(result, by=by, rows=~gained).table  # type: ignore[arg-type]
        inside = ((quiet["low"] <= 1) & (quiet["high"] >= 1)).sum()
        assert inside >= 5, by
        assert quiet["log_ratio"].mean() == pytest.approx(0, abs=0.05), by
        surge = mean_response(result, by=by, rows=gained).table  # type: ignore[arg-type]
        truth = 1 + 2 * 0.5 ** (np.arange(7) / 3)
        np.testing.assert_allclose(surge["ratio"], truth, rtol=0.2)


def test_clusters_by_outage_speak_of_outages() -> None:
    windows = [Window(OUTAGE.start + shift * DAY, OUTAGE.end + shift * DAY, f"w{shift}") for shift in (-20, 0)]
    result = measure_panel(panel(8), windows, horizon=HORIZON, jobs=1)
    by_outage = mean_response(result, clusters=result.table["window"]).table
    by_series = mean_response(result).table
    assert (by_outage["clusters"] == 2).all()
    assert (by_series["clusters"] == 8).all()
    np.testing.assert_allclose(by_outage["ratio"], by_series["ratio"])
