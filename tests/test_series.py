"""A table becomes a regular series, or a message names row, value and what was expected; no change is silent."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.measured.series import FIXES, Series, SeriesError, regular


def table(times, counts, **more):
    return pd.DataFrame({"time": times, "signups": counts, **more}, dtype=object)


def hours(count=48, start="2025-03-05", zone="Z"):
    return [f"{moment:%Y-%m-%dT%H:%M}{zone}" for moment in pd.date_range(start, periods=count, freq="h")]


def refused(*args, **more):
    with pytest.raises(SeriesError) as caught:
        regular(*args, **{"source": "signups.csv"} | more)
    return str(caught.value)


def test_an_hourly_table_becomes_a_series():
    found = regular(table(hours(), [str(n) for n in range(48)]), "time", "signups", source="signups.csv")
    assert found.step == pd.Timedelta(hours=1)
    assert found.counts.tolist() == list(range(48))
    assert str(found.counts.index.tz) == "UTC"
    assert found.counts.index[1] == pd.Timestamp("2025-03-05T01:00Z")
    assert (found.counts.name, found.counts.index.name, found.source) == ("signups", "time", "signups.csv")
    assert found.notes == ()
    assert found.controls.shape == (48, 0)


@pytest.mark.parametrize(
    ("row", "column", "cell", "said"),
    [
        (3, "signups", "many", r"row 5, signups: 'many', expected a number"),
        (3, "signups", "1,800", r"row 5, signups: '1,800', expected a number without thousands separators"),
        (3, "signups", "-4", r"row 5, signups: '-4', expected a count, zero or more"),
        (3, "signups", "2.5", r"row 5, signups: '2\.5', expected a whole number; fractional=True"),
        (3, "signups", "inf", r"row 5, signups: 'inf', expected a number"),
        (3, "signups", "1e300", r"row 5, signups: '1e300', expected a number|a count below"),
        (3, "signups", True, r"row 5, signups: 'True', expected a number"),
        (3, "time", "yesterday", r"row 5, time: 'yesterday', expected a time such as"),
        (3, "time", "03/04/2025", r"row 5, time: '03/04/2025', expected a time such as"),
        (3, "time", "2025-02-30", r"row 5, time: '2025-02-30', expected a time such as"),
        (3, "time", "", r"row 5, time: '', expected a time such as"),
        (
            3,
            "time",
            "2025-03-05T02:00Z",
            r"row 5, time: '2025-03-05T02:00Z', expected each time once, not that of row 4",
        ),
        (3, "time", "2025-03-05T03:00", r"row 5, time: '2025-03-05T03:00', expected a time with a zone"),
        (3, "time", "2025-03-05T03:07Z", r'row 5, time: .*2025-03-05 03:00 .*fix="snap"'),
        (4, "time", "2025-03-05T02:00Z", r'row 6, time: .* expected a time after that of row 5; fix="sort"'),
    ],
)
def test_a_cell_that_is_wrong_is_named(row, column, cell, said):
    cells = table(hours(), [str(n) for n in range(48)])
    cells.loc[row, column] = cell
    message = refused(cells, "time", "signups")
    assert "in signups.csv\n" in message
    assert re.search(said, message), message


def test_one_zone_among_times_without_is_the_odd_one():
    cells = table([*hours(10, zone=""), "2025-03-05T10:00Z"], range(11))
    assert "row 12, time: '2025-03-05T10:00Z', expected a time without a zone" in refused(cells, "time", "signups")


def test_every_problem_is_listed_up_to_twenty():
    cells = table(hours(), ["x"] * 48)
    message = refused(cells, "time", "signups")
    assert message.startswith("48 problems in signups.csv\n")
    assert message.count("\n") == 21
    assert message.endswith("and 28 more")
    cells = table(hours(400), ["x"] * 400)
    assert refused(cells, "time", "signups").endswith("and 380 more")


def test_problems_come_in_the_order_of_the_rows_whatever_their_kind():
    cells = table(hours(), range(48))
    cells.loc[30, "time"], cells.loc[20, "signups"], cells.loc[10, "signups"] = "x", "-1", "0.5"
    assert re.findall(r"row (\d+)", refused(cells, "time", "signups")) == ["12", "22", "32"]


def test_rows_are_the_lines_a_reader_counted():
    cells = table(hours(4), [1, 2, -3, 4])
    cells.index = pd.Index([7, 9, 12, 13], name="line")
    assert "row 12, signups: '-3'" in refused(cells, "time", "signups")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"value_column": "signup"}, r"row 1: 'signup', expected a column .*time, signups; did you mean signups\?"),
        ({"value_column": "time"}, "a column of its own"),
        ({"controls": ["signups"]}, "a column of its own"),
        ({"controls": ["market"]}, "'market', expected a column"),
        ({"fix": ["sortt"]}, r"fix: 'sortt', expected one of .*; did you mean sort\?"),
        ({"every": "1 fortnight"}, r"every: '1 fortnight', expected a step from one minute to one week"),
        ({"every": "1M"}, "every: '1M', expected a step"),
        ({"every": "30s"}, "every: '30s', expected a step"),
        ({"every": "8D"}, "every: '8D', expected a step"),
        ({"every": "1min"}, "every: '1 minute', expected 1 hour or more, the distance between the rows"),
        ({"every": "90min"}, "every: '1.5 hours', expected a whole number of the steps of the rows, 1 hour"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(more, said):
    cells = table(hours(), range(48))
    wanted = {"time_column": "time", "value_column": "signups"} | more
    assert re.search(said, refused(cells, **wanted))


def test_nothing_in_the_table_is_said():
    assert "no rows" in refused(table([], []), "time", "signups")
    assert "at least one count" in refused(table(hours(3), ["", "NA", "null"]), "time", "signups")
    assert "a single time shows none" in refused(table(hours(1), ["3"]), "time", "signups")
    assert regular(table(hours(1), ["3"]), "time", "signups", "1h").counts.tolist() == [3]


def test_a_missing_step_is_missing_and_not_zero():
    cells = table(hours(), range(48)).drop(index=[5, 6])
    cells.loc[8, "signups"] = ""
    found = regular(cells, "time", "signups")
    assert found.counts.index[found.counts.isna()].hour.tolist() == [5, 6, 8]
    assert found.notes == ("Missing: 3 of 48 steps of 1 hour; they stay missing, not zero.",)
    filled = regular(cells, "time", "signups", fix=["fill_zero"])
    assert filled.counts.iloc[[5, 6, 8]].tolist() == [0, 0, 0]
    assert filled.counts.sum() == found.counts.sum()
    assert filled.notes == ("fix fill_zero: 3 of 48 steps of 1 hour were missing and count as zero.",)


def test_each_fix_does_its_one_thing_and_says_so():
    cells = table(hours(24), range(24))
    shuffled = cells.iloc[[1, 0, *range(2, 24)]]
    found = regular(shuffled, "time", "signups", fix=["sort"])
    assert found.counts.tolist() == list(range(24))
    assert found.notes == ("fix sort: the rows were put into order; 1 row stood below a later one.",)

    twice = pd.concat([cells, cells.iloc[[3, 4]]]).sort_values("time", kind="stable")
    found = regular(twice, "time", "signups", fix=["drop_duplicates"])
    assert found.counts.tolist() == list(range(24))
    assert found.notes == ("fix drop_duplicates: 2 rows that repeated another one exactly left out.",)
    found = regular(twice, "time", "signups", fix="sum_duplicates")
    assert found.counts.tolist()[2:6] == [2, 6, 8, 5]
    assert found.notes == ("fix sum_duplicates: 2 rows added to another one of the same time.",)

    late = cells.assign(time=[text.replace("T03:00", "T03:02").replace("T05:00", "T04:58") for text in cells["time"]])
    found = regular(late, "time", "signups", "1h", fix=["snap"])
    assert found.counts.tolist() == list(range(24))
    assert found.notes == ("fix snap: 2 times moved to the nearest step of 1 hour.",)


def test_a_row_is_only_called_repeated_where_it_is():
    cells = table([*hours(3), "2025-03-05T02:00Z"], [1, 2, 3, 3])
    assert 'fix="drop_duplicates"' in refused(cells, "time", "signups")
    cells.loc[3, "signups"] = 4
    message = refused(cells, "time", "signups", fix=["drop_duplicates"])
    assert 'not that of row 4 again; fix="sum_duplicates" adds them up' in message


def test_snapping_two_times_into_one_is_no_silent_sum():
    cells = table([*hours(4), "2025-03-05T03:10Z", "2025-03-05T04:00Z"], [1, 2, 3, 4, 5, 6])
    assert "each time once" in refused(cells, "time", "signups", "1h", fix=["snap"])
    found = regular(cells, "time", "signups", "1h", fix=["snap", "sum_duplicates"])
    assert found.counts.tolist() == [1, 2, 3, 9, 6]


def test_offsets_are_converted_and_times_without_a_zone_are_utc():
    winter = regular(table(hours(5, zone="+01:00"), range(5)), "time", "signups")
    assert winter.counts.index[0] == pd.Timestamp("2025-03-04T23:00Z")
    naive = regular(table(hours(5, zone=""), range(5)), "time", "signups")
    assert naive.counts.index[0] == pd.Timestamp("2025-03-05T00:00Z")
    assert naive.notes == ("The times carry no zone; they are read as UTC.",)
    typed = table(hours(5), range(5))
    typed["time"] = pd.date_range("2025-03-05", periods=5, freq="h", tz="Europe/Paris")
    assert regular(typed, "time", "signups").counts.index[0] == pd.Timestamp("2025-03-04T23:00Z")


def test_hours_over_a_change_of_clocks_are_regular_in_utc():
    moments = pd.date_range("2025-03-29", periods=72, freq="h", tz="Europe/Paris")
    found = regular(table([moment.isoformat() for moment in moments], range(72)), "time", "signups")
    assert found.counts.tolist() == list(range(72))


@pytest.mark.parametrize("typed", [False, True])
@pytest.mark.parametrize(("frequency", "step"), [("D", 1), ("7D", 7)])
def test_local_midnights_stay_days_over_a_change_of_clocks(typed, frequency, step):
    days = pd.date_range("2025-03-03", periods=40, freq=frequency, tz="Europe/Paris")
    found = regular(table(days if typed else [day.isoformat() for day in days], range(40)), "time", "signups")
    assert found.counts.tolist() == list(range(40))
    assert found.step == pd.Timedelta(days=step)
    assert found.counts.index[0] == pd.Timestamp("2025-03-03T00:00Z")
    assert "23 or 25 hours" in found.notes[0]


def test_seconds_since_1970_are_times_and_a_stamp_of_ten_digits_is_not():
    found = regular(table([1741132800 + 3600 * n for n in range(5)], range(5)), "time", "signups")
    assert found.counts.index[0] == pd.Timestamp("2025-03-05T00:00Z")
    assert "since 1970" in found.notes[0]
    assert "'2015100100', expected a time" in refused(table(["2015100100", "2015100101"], [1, 2]), "time", "signups")


def test_finer_steps_are_added_up_only_when_asked_and_whole():
    cells = table(hours(24 * 4, "2025-03-05T13:00"), [1] * 96, other=[2] * 96).drop(index=[40])
    assert regular(cells, "time", "signups").step == pd.Timedelta(hours=1)
    found = regular(cells, "time", "signups", "1D", controls=["other"])
    # 5 March begins at 13:00, 9 March ends at 13:00, and hour 40 is missing on the 7th.
    assert found.counts.index[0] == pd.Timestamp("2025-03-05T00:00Z")
    np.testing.assert_array_equal(found.counts, [np.nan, 24, np.nan, 24, np.nan])
    np.testing.assert_array_equal(found.controls["other"], [np.nan, 48, np.nan, 48, np.nan])
    assert found.notes == (
        "Missing: 1 of 96 steps of 1 hour; they stay missing, not zero.",
        "Steps of 1 hour were added up into steps of 1 day, in UTC.",
        "Missing: 3 of 5 steps of 1 day, as they are only partly covered.",
    )
    filled = regular(cells, "time", "signups", "1D", fix=["fill_zero"])
    np.testing.assert_array_equal(filled.counts, [np.nan, 24, 23, 24, np.nan])
    assert "for a whole step of 1 day" in refused(cells.head(5), "time", "signups", "1D")


@pytest.mark.parametrize("every", ["1W", "7D"])
def test_weeks_begin_with_the_first_day(every):
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2025-03-05", periods=23)]
    found = regular(table(days, [1] * 23), "time", "signups", every)
    assert found.counts.index[0] == pd.Timestamp("2025-03-05T00:00Z")
    np.testing.assert_array_equal(found.counts, [7, 7, 7, np.nan])


def test_a_control_has_no_holes_where_there_are_counts():
    cells = table(hours(6), [1, 2, "", 4, 5, 6], other=["9", "", "", "x", "-1.5", "3"])
    message = refused(cells, "time", "signups", controls=["other"])
    assert re.findall(r"row (\d+), other: '(.*)', expected", message) == [("3", ""), ("5", "x")]
    cells.loc[[1, 3], "other"] = ["8", "7.25"]
    found = regular(cells, "time", "signups", controls=["other"])
    assert found.controls["other"].tolist()[3:] == [7.25, -1.5, 3]
    assert found.controls.index.equals(found.counts.index)
    assert "each control wherever an empty count" in refused(
        cells, "time", "signups", controls=["other"], fix=["fill_zero"]
    )


def test_irregular_times_are_one_problem_and_months_another():
    rng = np.random.default_rng(1)
    moments = pd.Timestamp("2025-03-05") + pd.to_timedelta(np.cumsum(rng.integers(100, 10_000, 50)), unit="s")
    message = refused(table([str(moment) for moment in moments], range(50)), "time", "signups", "1h")
    assert message.count("\n") <= 2
    months = [f"2025-{month:02d}-01" for month in range(1, 13)]
    assert "most common distance between times is 31 days" in refused(table(months, range(12)), "time", "signups")
    far = table(["1925-03-05", "2025-03-05"], [1, 2])
    assert "is a year mistyped?" in refused(far, "time", "signups", "1min")


def test_counts_with_a_fraction_are_taken_when_meant():
    assert regular(table(hours(3), [0.5, 1.25, 3]), "time", "signups", fractional=True).counts.tolist() == [
        0.5,
        1.25,
        3,
    ]


def test_a_hundred_thousand_rows_in_or_out_of_order():
    moments = pd.date_range("2025-01-01", periods=100_000, freq="min").strftime("%Y-%m-%d %H:%M+01:00")
    cells = pd.DataFrame({"time": moments, "signups": np.arange(100_000).astype(str)})
    assert len(regular(cells, "time", "signups").counts) == 100_000
    refused(cells.sample(frac=1, random_state=1), "time", "signups")


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**18),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["", "NA", "12", "-1", "1.5", "1e9", "x", "2025-03-05", "0x10", "٣", " 7 ", "1_000"]),
    st.text(max_size=6),
)
TIMES = st.one_of(
    st.datetimes(min_value=pd.Timestamp("1900-01-01"), max_value=pd.Timestamp("2100-01-01")),
    st.datetimes(timezones=st.timezones()),
    st.integers(0, 400).map(lambda n: str(pd.Timestamp("2025-03-05") + pd.Timedelta(hours=n))),
    st.integers(0, 400).map(lambda n: f"{pd.Timestamp('2025-03-05') + pd.Timedelta(days=n):%Y-%m-%d}"),
    st.sampled_from(["0001-01-01", "9999-12-31T23:59Z", "2025-03-05T24:00", "1741132800", 1741132800, "2025-13-01"]),
    CELLS,
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.tuples(TIMES, CELLS, CELLS), max_size=12),
    every=st.sampled_from([None, "", "1min", "1h", "1D", "1W", "3D", "7h", "13min", "x"]),
    fix=st.sets(st.sampled_from([*FIXES, "sortt"]), max_size=5),
    fractional=st.booleans(),
    control=st.booleans(),
)
def test_any_table_is_a_series_or_a_series_error(rows, every, fix, fractional, control):
    cells = pd.DataFrame(rows, columns=["time", "signups", "other"], dtype=object)
    try:
        found = regular(cells, "time", "signups", every, ["other"] if control else [], fix, fractional)
    except SeriesError:
        return
    assert isinstance(found, Series)
    assert found.counts.dtype == np.float64
    assert (found.counts.dropna() >= 0).all()
    assert found.counts.notna().any()
    assert len(found.counts) < 2 or (np.diff(found.counts.index) == found.step.to_timedelta64()).all()
    assert not (found.controls.isna().to_numpy(dtype=bool) & found.counts.notna().to_numpy()[:, None]).any()


@settings(max_examples=80, deadline=None)
@given(
    counts=st.lists(st.integers(0, 10**6), min_size=3, max_size=60),
    step=st.sampled_from(["1min", "5min", "30min", "1h", "1D", "7D"]),
    start=st.datetimes(min_value=pd.Timestamp("2000-01-01"), max_value=pd.Timestamp("2040-01-01")),
    order=st.randoms(use_true_random=False),
)
def test_a_shuffled_table_sorted_is_the_one_in_order(counts, step, start, order):
    moments = pd.date_range(pd.Timestamp(start).floor("s"), periods=len(counts), freq=step, tz="UTC")
    cells = table([moment.isoformat() for moment in moments], counts)
    rows = list(range(len(counts)))
    order.shuffle(rows)
    straight = regular(cells, "time", "signups")
    again = regular(cells.iloc[rows].reset_index(drop=True), "time", "signups", fix=["sort"])
    pd.testing.assert_series_equal(straight.counts, again.counts)
    assert straight.counts.tolist() == counts
    assert straight.step == pd.Timedelta(step)
