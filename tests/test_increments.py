"""Running totals become increments; falls are missing and never clipped, jumps are named, holes stay holes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_series import series

from helpers.measured.increments import SeriesError, from_totals, increments


def days(count, start="2025-03-05"):
    return pd.date_range(start, periods=count, tz="UTC")


def test_a_regular_total_gives_plain_differences_at_the_start_of_each_step():
    found = increments(days(5), [100, 103, 103, 110, 115], "1D")
    assert found.steps["increment"].tolist() == [3, 0, 7, 5]
    assert found.steps.index[0] == pd.Timestamp("2025-03-05T00:00Z")
    assert found.step == pd.Timedelta(days=1)
    assert found.notes == ("The counts are increments of a running total.",)


def test_a_fall_and_the_rises_beside_it_are_missing_and_not_clipped():
    rng = np.random.default_rng(3)
    totals = 1000 + np.cumsum(rng.integers(45, 56, 40)).astype(float)
    totals[20] -= 200  # one crawl that lost servers: it falls by 150, and the next rises by 250
    found = increments(days(40), totals, "1D")
    np.testing.assert_array_equal(
        found.steps["flag"].iloc[17:23],
        ["", "beside a correction", "correction", "beside a correction", "", ""],
    )
    assert found.steps["increment"].isna().sum() == 3
    assert (found.steps["increment"].dropna() >= 45).all()
    assert "falls 1 time" in found.notes[1]
    assert "Missing: 3 of 39 steps of 1 day." in found.notes


def test_a_fall_too_small_to_matter_leaves_its_neighbours():
    totals = np.cumsum([1000, 50, 50, 50, -2, 50, 50, 50]).astype(float)
    found = increments(days(8), totals, "1D")
    assert found.steps["flag"].tolist() == ["", "", "", "correction", "", "", ""]


@pytest.mark.parametrize("drop", [False, True])
def test_a_single_jump_is_named_and_kept_unless_asked(drop):
    rng = np.random.default_rng(4)
    added = rng.poisson(100, 40).astype(float)
    added[25] += 5000
    found = increments(days(41), np.concatenate([[0], np.cumsum(added)]), "1D", drop_jumps=drop)
    assert found.steps.index[found.steps["flag"] == "jump"].tolist() == [pd.Timestamp("2025-03-30T00:00Z")]
    assert np.isnan(found.steps["increment"].iloc[25]) == drop
    said = next(note for note in found.notes if "jumps by" in note)
    assert "2025-03-30 00:00 and 2025-03-31 00:00" in said
    assert ("left out" if drop else "kept") in said


def test_a_surge_of_several_steps_and_a_quiet_weekend_are_no_jumps():
    rng = np.random.default_rng(5)
    added = rng.poisson(100, 60).astype(float)
    added[30:36] += 4000 * 0.5 ** np.arange(6)
    added[6::7] = 15
    found = increments(days(61), np.concatenate([[0], np.cumsum(added)]), "1D")
    assert (found.steps["flag"] == "").all()


def test_between_observations_the_total_goes_straight_but_not_over_a_hole():
    times = pd.DatetimeIndex(
        pd.to_datetime([f"2025-03-05T{clock}Z" for clock in ("00:00", "02:40", "06:10", "09:00", "20:00", "22:30")])
    )
    totals = [0.0, 160.0, 370.0, 540.0, 5000.0, 5150.0]  # 60 an hour up to the hole of 11 hours
    found = increments(times, totals, "3h")
    np.testing.assert_allclose(found.steps["increment"], [180, 180, 180, np.nan, np.nan, np.nan, np.nan])
    assert found.steps["flag"].tolist() == ["", "", "", "gap", "gap", "gap", "gap"]
    wider = increments(times, totals, "3h", limit=pd.Timedelta(hours=12))
    assert wider.steps["increment"].notna().all()
    assert "spread evenly" in found.notes[1]


@pytest.mark.parametrize(
    ("times", "totals", "every", "said"),
    [
        (days(5).tz_localize(None), range(5), "1D", "times with a zone"),
        (days(5)[::-1], range(5), "1D", "sorted times"),
        (days(1), [1], "1D", "at least two totals"),
        (days(5), [1, np.nan, np.nan, np.nan, np.nan], "1D", "at least two totals"),
        (days(5), range(5), "1h", "at least about the usual distance of the observations, 1 day"),
        (days(5), range(5), "1W", "at least one whole step of 7 days"),
        (days(5), range(5), "x", "a step from one minute to one week"),
    ],
)
def test_what_is_no_total_is_refused(times, totals, every, said):
    with pytest.raises(SeriesError, match=said):
        increments(times, list(totals), every)


def test_a_table_of_totals_is_refused_with_its_rows():
    cells = pd.DataFrame(
        {"time": ["2025-03-05", "2025-03-07", "2025-03-06", "2025-03-06"], "users": ["1", "-2", "3", "4"]}
    )
    with pytest.raises(SeriesError) as caught:
        from_totals(cells, "time", "users", source="users.csv")
    message = str(caught.value)
    assert "users.csv, row 3, users: '-2', expected a count" in message
    assert "row 4, time: '2025-03-06', expected a time after that of row 3; fix=\"sort\"" in message
    assert "row 5, time: '2025-03-06', expected each time once, not that of row 4 again\n" in message + "\n"
    with pytest.raises(SeriesError, match=r"fix: 'sum_duplicates', expected one of sort, drop_duplicates, drop_jumps"):
        from_totals(cells, "time", "users", fix=["sum_duplicates"])


def test_the_step_of_a_regular_total_is_found_and_asked_for_otherwise():
    cells = pd.DataFrame({"time": ["2025-03-05", "2025-03-06", "2025-03-07", "2025-03-09"], "users": [10, 12, 15, 21]})
    found = from_totals(cells, "time", "users", source="users.csv")
    np.testing.assert_array_equal(found.counts, [2, 3, np.nan, np.nan])
    assert (found.counts.name, found.step) == ("users", pd.Timedelta(days=1))
    cells["time"] = ["2025-03-05 00:00", "2025-03-05 02:51", "2025-03-05 06:09", "2025-03-05 09:13"]
    with pytest.raises(SeriesError, match="as the times are not regular"):
        from_totals(cells, "time", "users")


def test_the_defects_of_a_real_crawl_are_found():
    cells = pd.read_csv(series("mastodon_all_3h_2022/mastodon.csv"), dtype="str")
    times = pd.DatetimeIndex(pd.to_datetime(cells["updated_at"], utc=True))
    totals = cells["users"].astype(float)
    found = increments(times, totals, "3h")
    changes = found.changes.set_index("end")
    # A server was added on 7 November, the list was changed on the 21st; nothing else before it is flagged.
    assert changes.loc["2022-11-07T15:24Z", ["change", "flag"]].tolist() == [72_820, "jump"]
    assert changes.index[changes["flag"] == "jump"].strftime("%m-%d %H:%M").tolist() == ["11-07 15:24", "11-21 07:13"]
    assert (changes.loc[:"2022-11-21T01:57Z", "flag"] != "").sum() == 1
    # After it the total falls 139 times; the crawls that lost half of the servers are among them.
    assert (changes["flag"] == "correction").sum() == 139
    assert changes.loc["2022-12-28T09:17Z", "flag"] == "correction"
    assert changes.loc["2022-11-21T09:22Z", "flag"] == "beside a correction"
    assert (found.steps["increment"].dropna() >= 0).all()
    # The night of the ultimatum is a surge and no jump, and whole.
    night = found.steps["2022-11-18T00:00Z":"2022-11-18T21:00Z"]
    assert (night["flag"] == "").all()
    assert night["increment"].sum() == pytest.approx(np.diff(np.interp([16, 40], *_hours(times, totals)))[0], rel=1e-6)
    # The hole of 16 hours on 19 December is missing.
    assert found.steps.loc["2022-12-19T15:00Z":"2022-12-19T21:00Z", "increment"].isna().all()
    without = from_totals(cells, "updated_at", "users", "3h", fix=["drop_jumps"], source="mastodon.csv")
    assert without.counts.loc["2022-11-07T12:00Z":"2022-11-07T15:00Z"].isna().all()
    assert without.counts[:"2022-11-07T12:00Z"].notna().sum() > 20


def _hours(times, totals):
    return (times - pd.Timestamp("2022-11-17T08:00Z")) / pd.Timedelta(hours=1), totals


@settings(max_examples=100, deadline=None)
@given(
    gaps=st.lists(st.integers(1, 20), min_size=1, max_size=40),
    added=st.lists(st.integers(-50, 500), min_size=40, max_size=40),
    every=st.sampled_from(["1h", "3h", "1D"]),
)
def test_increments_never_invent_anybody(gaps, added, every):
    times = pd.Timestamp("2025-03-05T00:00Z") + pd.to_timedelta(np.concatenate([[0], np.cumsum(gaps)]), unit="h")
    totals = 10_000 + np.cumsum([0, *added[: len(gaps)]])
    try:
        found = increments(pd.DatetimeIndex(times), totals.astype(float), every)
    except SeriesError:
        return
    present = found.steps["increment"].dropna()
    assert (present >= 0).all()
    rises = found.changes.loc[found.changes["change"] > 0, "change"].sum()
    assert present.sum() <= rises + 1e-6
    assert (found.steps["increment"].isna() == ~found.steps["flag"].isin(["", "jump"])).all()
