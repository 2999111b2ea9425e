"""What notebook 05 says and shows of a panel: names, sums, rules, words, and what figures are given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from panel_data import BEGIN, DAYS, panel
from scipy import stats

from helpers import models, params
from helpers.panel import captions, discoveries, gains, names, question, story, tables, view
from helpers.panel.grid import PanelError
from helpers.panel.measure_all import PanelResult

OUTAGE = f"{DAYS[BEGIN]:%Y-%m-%dT%H:%MZ}/{DAYS[BEGIN]:%Y-%m-%dT06:00Z}"


def asked(**given: object) -> models.WhoGained:
    return params.check("05", {"source": "table.csv", "outages": [OUTAGE], **given})


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return panel(16, 3)


@pytest.fixture(scope="module")
def result(table) -> PanelResult:
    return question.measure(table, asked())


@pytest.fixture
def found(result) -> discoveries.Discoveries:
    return question.call(result, asked(placebos=["country 001", "country 01[35]"]))


# --- names


def test_patterns_choose_series_and_a_slip_of_the_pen_is_refused():
    known = ["JP / elm", "JP / oak", "DE / elm", "A[1] / x"]
    assert names.matching(known, ["JP / *"]) == {"JP / elm", "JP / oak"}
    assert names.matching(known, ["* / elm", "A[1] / x"]) == {"JP / elm", "DE / elm", "A[1] / x"}
    with pytest.raises(PanelError, match="'jp / \\*' is no series of the table: JP / elm"):
        names.matching(known, ["JP / *", "jp / *"])


def test_clusters_are_parts_of_names():
    series = pd.Series(["DE / ios / elm", "DE / web / oak", "alone"])
    assert names.clusters(series, "first").tolist() == ["DE", "DE", "alone"]
    assert names.clusters(series, "last").tolist() == ["elm", "oak", "alone"]
    assert names.clusters(series, "none").tolist() == series.tolist()


# --- sums and rules


def _rows(middle: list[float], below: list[float], above: list[float]) -> pd.DataFrame:
    extra = np.array(middle)
    return pd.DataFrame({"extra": extra, "called_low": extra - below, "called_high": extra + above})


def test_errors_of_one_cluster_are_added_and_those_of_several_squared():
    rows = _rows([100, 50, 10], [30, 10, 5], [3, 1, 12])
    whole = gains.total(rows, ["a", "a", "b"])
    assert whole == pytest.approx((160, 160 - np.hypot(40, 5), 160 + np.hypot(4, 12)))
    assert gains.total(rows.iloc[:1], ["a"]) == (100, 70, 103)


def test_other_rules_call_what_their_authors_say():
    p = np.array([0.001, 0.008, 0.012, 0.03, 0.2, 0.9])
    frame = pd.DataFrame({"p": p, "q": stats.false_discovery_control(p)})
    frame.loc[6] = [0.0001, np.nan]  # a placebo series is called by no rule
    calls = gains.rules(discoveries.Discoveries(frame, 0.05, 6, None))
    number = {(rule.name, rule.level): int(rule.called.sum()) for rule in calls}
    # q: 0.006, 0.024, 0.024, 0.045, ...; Holm: 0.006, 0.04, 0.048, 0.09, ...; BY is q times 2.45
    assert number == {
        ("share", 0.01): 1,
        ("share", 0.05): 4,
        ("share", 0.1): 4,
        ("share", 0.2): 4,
        ("any dependence", 0.05): 1,
        ("not one", 0.05): 3,
        ("none", 0.05): 4,
    }
    assert not any(rule.called[6] for rule in calls)


def test_the_surest_leave_room_for_losses():
    ranks = [1, 2, 3, 4, 5, 6, -1, -2, -3, 0]
    both = discoveries.Discoveries(pd.DataFrame({"rank": ranks}), 0.05, 10, None)
    assert gains.surest(both, 6)["rank"].tolist() == [1, 2, 3, 4, -1, -2]
    assert gains.surest(both, 8)["rank"].tolist() == [1, 2, 3, 4, 5, 6, -1, -2]
    assert gains.surest(both, 30)["rank"].tolist() == ranks[:9]


def test_the_smallest_gain_that_is_seen_does_not_depend_on_what_was_gained(result):
    found = question.call(result, asked())
    more = found.table.assign(observed=2 * found.table["observed"])
    for name in ("relative", "relative_low", "relative_high"):
        more[name] = 2 * (1 + more[name]) - 1
    seen = gains.smallest_seen(found)
    assert 0.05 < seen < 1
    assert gains.smallest_seen(discoveries.Discoveries(more, 0.05, found.tested, None)) == pytest.approx(seen)


# --- words


def test_the_answer_names_who_gained_with_its_range_and_what_tested_it(result, found):
    with_placebos = asked(placebos=["country 001", "country 01[35]"])
    said = story.answer(result, found, with_placebos).paragraphs
    assert said[0].startswith("Of 13 series, 4 gained sign-ups and none lost any within 7 days of the start of")
    assert said[0].endswith("The other 9 cannot be told from chance.")
    first = found.gainers().iloc[0]
    assert said[1].startswith(f"{first['series']} gained most surely: ")
    assert "Together the 4 counted" in said[1]
    assert any(text.startswith("3 series that cannot have gained (country 001 and country 01[35])") for text in said)
    assert not any("SIMULATED" in text for text in said)


def test_without_placebos_the_words_say_that_nothing_checked_across_series(result):
    alone = question.call(result, asked())
    assert alone.placebos is None
    assert "nothing has checked across series" in repr(story.answer(result, alone, asked()))
    assert "nothing here has checked the calibration across series" in repr(story.space(result, alone, asked()))
    record = story.record(result, alone, asked(), "0")
    assert record.diagnostics["placebos"] == 0
    assert "placebos_called" not in record.diagnostics


def test_the_simulated_panel_has_placebos_of_its_own_and_says_what_it_is(result, found):
    assert question.placebos(asked()) == ()
    example = params.check("05", {})
    assert question.placebos(example) == ("JP / *",)
    assert story.headline(result, found, example).startswith("SIMULATED panel: of 13 series")
    assert "SIMULATED" in story.source_line(example)


def test_what_is_counted_is_named_by_its_column():
    assert story.noun(asked()) == "sign-ups"
    assert story.noun(asked(value_column="app_installs")) == "app installs"
    assert story.noun(asked(value_column="app_installs", read_as=["wide"])) == "sign-ups"


def test_the_record_has_totals_first_and_the_level_of_all_intervals_together(result, found):
    record = story.record(result, found, asked(false_discoveries=0.1), "0")
    assert [one.service for one in record.estimates[:2]] == ["all that gained", found.gainers().iloc[0]["series"]]
    assert {one.level for one in record.estimates} == {0.95}  # of what was called, not of what was asked for
    assert record.title == "table.csv: who gained?"


# --- tables


def test_many_failures_show_some_of_each_reason(result):
    reasons = ["all_zero"] * 200 + ["too_broken"] * 2
    frame = pd.DataFrame({"series": [f"s{i}" for i in range(202)], "window": "w", "status": "failed"})
    frame["reason"], frame["reason_text"] = reasons, "why"
    many = PanelResult(**{**vars(result), "table": frame})
    shown = tables.failures(many)
    assert len(shown.cells) == 17
    assert {row[1] for row in shown.cells} == {"nothing but zeros", "too many gaps"}
    assert "of 202 in all" in shown.caption


def test_a_rule_says_who_comes_and_goes(result, found):
    shown = tables.survives(result, found, asked())
    used = [row for row in shown.cells if "used here" in row[0]]
    assert len(used) == 1
    assert used[0][1:] == ["4", "0", "at most 0.2", "nothing"]


# --- figures


def test_the_ranking_shows_called_rows_clear_of_the_expected_and_counts_the_rest(result, found):
    ranked = view.ranking(result, found, "sign-ups")
    called = [row for row in ranked.rows if row.found]
    assert [row.name for row in called] == found.gainers()["series"].tolist()
    assert all(row.low > 1 for row in called)
    assert len(ranked.rows) == 10  # four and the next six
    assert ranked.others + len(ranked.rows) == found.tested


def test_small_panels_are_the_measurements_of_the_panel_itself(table, result, found):
    clear = view.clearest(table, result, found)
    assert list(clear) == found.gainers()["series"].tolist()
    rows = result.table.set_index("series")
    for name, one in clear.items():
        assert one.extra.median == pytest.approx(rows.loc[name, "extra"])
    shown = view.multiples(clear, found, "sign-ups", 0.95)
    first = shown.panels[0]
    assert len(first.times) == 3 * 7
    assert first.times[14] == DAYS[BEGIN]


def test_the_mean_response_is_of_groups_that_do_not_overlap(result, found):
    shown = view.response(result, found, asked(), "sign-ups")
    assert [(group.label, group.series, group.placebo) for group in shown.groups] == [
        ("gained", 4, False),
        ("not called", 9, False),
        ("cannot have gained", 3, True),
    ]
    gained = shown.groups[0]
    assert gained.hours[:3].tolist() == [0, 12, 36]
    assert np.isnan(gained.mean[0])
    assert gained.low[1] < np.log(3) < gained.high[1]  # they tripled on the first day


def test_two_outages_draw_no_band(table):
    twice = asked(outages=[OUTAGE.replace("2024-05-05", "2024-03-31"), OUTAGE])
    result = question.measure(table, twice)
    found = question.call(result, twice)
    assert found.tested == 32
    assert question.clusters(result, twice).nunique() == 2
    shown = view.response(result, found, twice, "sign-ups")
    assert all(np.isnan(group.low).all() for group in shown.groups)
    assert "2 outages are too few" in captions.response_below(result, twice)
    clear = view.clearest(table, result, found)
    assert next(iter(clear.values())).window.start == DAYS[BEGIN]
    assert "5 May 2024" in captions.multiples_below(result, found, twice)


# --- parameters


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"outages": []}, "outages: given [], expected at least one window"),
        ({"outages": ["2024-05-05"]}, "outages: "),
        ({"clusters": "country"}, "clusters: given 'country', expected first, last or none"),
        ({"read_as": ["totals"]}, "read_as: "),
        ({"false_discoveries": 0.5}, "false_discoveries: "),
        ({"seed": 1}, "seed: "),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(given, said):
    with pytest.raises(params.ParameterError, match=said.replace("[", r"\[")):
        asked(**given)


def test_a_report_is_named_by_its_table_and_the_day_of_the_first_outage():
    assert asked(outages=["it was down=2024-05-05/2024-05-06"]).subject() == "table--2024-05-05"
