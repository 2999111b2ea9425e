"""Can they all be true at once? The contradictions of 2014 by their size, and the program against brute force."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from helpers import evidence
from helpers.published import consistency
from helpers.published.agreement import off
from helpers.published.stretch import Fact, factor, factor_alone, shifts

EVENT = "whatsapp-2014-02-22"


@pytest.fixture(scope="module")
def tables():
    return evidence.load()


@pytest.fixture(scope="module")
def checked(tables):
    return cache(lambda outage_id: consistency.check(tables, outage_id))


@pytest.fixture(scope="module")
def telegram(checked):
    return next(c for c in checked(EVENT) if (c.service_id, c.quantity) == ("telegram", "signups"))


def _short(ids):
    return tuple(i.rsplit("--", 1)[-1] for i in ids)


# --- the arithmetic of 2014


def test_a_hundred_a_second_held_for_a_day(telegram):
    by = {held.count_id: held for held in telegram.held}
    day = by[f"{EVENT}--telegram--5"]
    assert day.held_day == pytest.approx(8.64e6)
    assert day.held_outage == pytest.approx(100 * 3600 * 3.8)
    assert day.count_per_second == pytest.approx(57.3, abs=0.05)
    assert day.hours == pytest.approx(13.75)
    # 50 to 150 a second are published as "about 100".
    assert (day.hours_low, day.hours_high) == pytest.approx((4.945e6 / 540_000, 24.0))
    assert by[f"{EVENT}--telegram--4"].hours == pytest.approx(5.0)
    assert "8.64 million" in day.text
    assert "57 a second" in day.text


def test_two_days_leave_two_million_for_the_other_two(telegram):
    """1.8 + 4.95 is less than 9."""
    left = next(r for r in telegram.remainders if r.figure_id == f"{EVENT}--telegram--7")
    assert _short(left.inside) == ("4", "5")
    assert left.hours == 48
    assert (left.low, left.high) == pytest.approx((9e6 - 1.9e6 - 4.955e6, 10e6 - 1.8e6 - 4.945e6))


def test_the_originals_agree_and_two_retellings_do_not(telegram):
    assert telegram.worded.agree
    assert telegram.told.agree
    assert telegram.told.factor == 1.0
    # Over nine million and, before them, over one million cannot be about eight million in the six days of both.
    assert telegram.worded.retold == pytest.approx(((9 + 1) / 8.5) ** 0.5)
    found = telegram.contradictions.set_index(["reading", "figure_ids"])
    told = found.loc["as told"]
    pair = next(ids for ids in told.index if _short(ids) == ("4", "9"))
    # Four million in four hours of a day that held less than 1.9: each off by the root of 4 / 1.9.
    assert told.loc[[pair], "factor"].item() == pytest.approx((4 / 1.9) ** 0.5)
    assert told.loc[[pair], "retold"].item()
    assert (
        "over 4 million users (22 Feb 19:00 to 23:00) cannot both be true as told: each would have to be off by 45%"
        in told.loc[[pair], "text"].item()
    )
    assert ("4", "9") not in {_short(ids) for ids in found.loc["as worded"].index}
    # Where the day ended before the outage did, the four million could have come after it.
    assert told.loc[[pair], "zones"].item() == tuple(range(2, 13))


def test_retellings_are_set_against_what_they_retell(telegram):
    found = telegram.retellings.set_index("figure_id")
    eight = found.loc[f"{EVENT}--telegram--8"]
    assert eight["ratio"] == pytest.approx(8 / 9)
    assert not eight["numbers_agree"]
    assert "11% less" in eight["text"]
    four = found.loc[f"{EVENT}--telegram--9"]
    assert four["against"] == f"{EVENT}--telegram--4"
    assert four["factor_told"] == pytest.approx((4 / 1.9) ** 0.5)
    assert four["factor_worded"] == 1.0
    rounded = found.loc[f"{EVENT}--telegram--6"]
    assert rounded["numbers_agree"]
    assert rounded["same_window"]
    assert rounded["against"] == ""


def test_lines_totals_contradict_its_record(checked):
    """340 and 360 million within two days, and never more than 1.7 million on one of them."""
    (line,) = (c for c in checked(EVENT) if (c.service_id, c.scope) == ("line", "world"))
    assert not line.worded.agree
    ids = line.contradictions["figure_ids"].tolist()[0]
    assert set(ids) == {f"{EVENT}--line--2", f"{EVENT}--line--3", "base--line--2013-11-25--1"}
    assert line.worded.factor == pytest.approx((355 / (345 + 2 * 1.75)) ** 0.5, abs=3e-4)
    alone = line.alone.set_index("figure_id")["factor_worded"]
    assert alone[f"{EVENT}--line--1"] == np.inf
    assert alone["base--line--2013-11-25--1"] == pytest.approx(5 / 1.75, rel=0.02)


def test_a_sentence_for_every_finding(checked):
    for outage_id in (EVENT, "twitter-2022-10-28-takeover", "facebook-2021-10-04"):
        for found in checked(outage_id):
            assert found.text.endswith(".")
            said = [*found.contradictions["text"], *found.retellings["text"]]
            said += [h.text for h in found.held] + [r.text for r in found.remainders]
            assert all(text.endswith(".") and "nan" not in text and "unknown" not in text for text in said)
            assert set(found.alone["figure_id"]) <= set(found.figures["figure_id"])
            assert len(found.figures) == found.figures["figure_id"].nunique()
            assert ((found.figures["kind"] == "") == (found.figures["why_not"] != "")).all()


def test_every_outage_can_be_checked(tables):
    for outage_id in tables.outages["outage_id"][::7]:
        for found in consistency.check(tables, outage_id):
            assert found.worded.factor <= found.told.factor * (1 + 1e-9)
            assert found.told.factor <= found.told.retold * (1 + 1e-9)
            quantities = tables.growth_figures.set_index("figure_id")["quantity"]
            own = [i for i in found.figures["figure_id"] if i in quantities.index]
            assert set(quantities[own]) == {found.quantity}


def test_one_figure_alone_and_unknown_outages(tables):
    one = replace(
        tables, growth_figures=tables.growth_figures[tables.growth_figures["figure_id"] == f"{EVENT}--telegram--5"]
    )
    (found,) = consistency.check(one, EVENT)
    assert found.contradictions.empty
    assert found.retellings.empty
    assert "not two figures" in found.text
    assert consistency.check(replace(one, growth_figures=one.growth_figures.iloc[:0]), EVENT) == []
    with pytest.raises(KeyError, match="no-such"):
        consistency.check(tables, "no-such")


def test_a_false_figure_is_the_one_that_would_have_to_move(tables):
    """Fifty million on the day after, in a hundred hours of nine: alone it is off by 5, the others by nothing."""
    growth = tables.growth_figures.copy()
    growth.loc[growth["figure_id"] == f"{EVENT}--telegram--5", ["value", "qualifier"]] = [50e6, "about"]
    found = consistency.check(replace(tables, growth_figures=growth), EVENT, "telegram")[0]
    alone = found.alone.set_index("figure_id")["factor_told"]
    assert found.told.factor > 2
    assert alone[f"{EVENT}--telegram--5"] == pytest.approx(45 / (10 - 1.8), rel=0.02)
    assert alone[f"{EVENT}--telegram--7"] == pytest.approx((45 + 1.8) / 10, rel=0.02)
    assert alone[f"{EVENT}--telegram--4"] == np.inf


# --- the program


def _count(name, low, high, start, end, **given):
    return Fact(name, "count", low, high, start, end, given.pop("hours", end - start), **given)


def test_parts_that_exceed_the_whole_by_their_factor():
    parts = [_count("a", 60, 60, 0, 10), _count("b", 60, 60, 10, 20)]
    assert factor([*parts, _count("whole", 100, 100, 0, 20)]) == pytest.approx(1.2**0.5)
    assert factor([*parts, _count("whole", 0, 100, 0, 20)]) == pytest.approx(1.2**0.5)
    assert factor([*parts, _count("whole", 100, np.inf, 0, 20)]) == 1.0
    assert factor([*parts, _count("elsewhere", 1, 1, 30, 40)]) == 1.0
    assert factor(parts[:1]) == 1.0
    assert factor([]) == 1.0


def test_no_factor_makes_people_of_nobody():
    assert factor([_count("none", 0, 0, 0, 24), _count("some", 5, 6, 0, 12)]) == np.inf


def test_against_brute_force():
    """Random sets over six hours: the factor is the least s for which a grid of histories has a solution."""
    rng = np.random.default_rng(5)
    for _ in range(8):
        facts = []
        for i in range(4):
            start, end = sorted(rng.choice(7, 2, replace=False))
            value = float(rng.uniform(5, 50))
            facts.append(_count(str(i), 0.9 * value, 1.1 * value, float(start), float(end)))
        cells = [np.arange(int(f.start), int(f.end)) for f in facts]
        best = np.inf
        tried = np.exp(rng.uniform(-1, 4, (60, 6))) * (rng.random((60, 6)) < 0.7)
        for x in tried:
            for _ in range(60):  # random search downhill
                y = x * np.exp(0.3 * rng.standard_normal(6)) + (rng.random(6) < 0.05)
                if _needed(y, facts, cells) <= _needed(x, facts, cells):
                    x = y
            best = min(best, _needed(x, facts, cells))
        least = factor(facts)
        assert least <= best + 1e-9
        assert least >= best * 0.9


def _needed(x, facts, cells):
    sums = np.array([x[c].sum() for c in cells])
    low, high = np.array([f.low for f in facts]), np.array([f.high for f in facts])
    return max(1.0, float(np.max(np.maximum(low / np.maximum(sums, 1e-9), sums / high))))


def test_true_histories_never_contradict_themselves():
    """Whatever the rate, what is rightly published about it agrees, with unknown places and zones too."""
    rng = np.random.default_rng(11)
    for _ in range(20):
        rate = rng.gamma(0.3, 100, 240)
        total = 1_000 + np.concatenate([[0], np.cumsum(rate)])
        facts = []
        for i in range(6):
            start = int(rng.integers(0, 200))
            length = int(rng.integers(2, 40))
            value = rate[start : start + length].sum()
            if i == 0:
                facts.append(Fact("t", "total", total[start] * 0.999, total[start] * 1.001, start - 3, start + 4, 0))
            elif i == 1:
                facts.append(Fact("p", "peak", rate.max() * 0.99, rate.max() * 1.01, 0, 240, 1))
            elif i == 2:
                facts.append(Fact("m", "moment", rate[start] * 0.9, rate[start] * 1.1, start, start + 1, 1 / 3600))
            else:
                slack = int(rng.integers(0, 20))
                before = int(rng.integers(0, slack + 1))
                window = (start - before, start - before + length + slack)
                facts.append(_count(str(i), value * 0.99, value * 1.01, *window, hours=length))
        assert factor(facts) == pytest.approx(1.0, abs=1e-6)


def test_a_peak_bounds_the_means_of_its_window():
    peak = Fact("peak", "peak", 95, 100, 0, 240, 1)
    assert factor([peak, _count("day", 2300, 2390, 24, 48)]) == 1.0
    assert factor([peak, _count("day", 4800, 4900, 24, 48)]) == pytest.approx(2**0.5)
    best_day = Fact("peak", "peak", 95, 100, 0, 240, 24)
    assert factor([best_day, _count("hour", 2300, 2390, 24, 25)]) == 1.0
    assert factor([best_day, _count("hour", 4800, 4900, 24, 25)]) == pytest.approx(2**0.5)
    # A moment's rate bounds nothing from above, but no moment lies above a peak.
    moment = Fact("moment", "moment", 400, 500, 24, 28, 1 / 3600)
    assert factor([moment, _count("day", 10, 20, 0, 48)]) == 1.0
    assert factor([moment, peak]) == pytest.approx(2.0)


def test_one_figure_may_move_alone():
    facts = [_count("a", 4e6, 5e6, 19, 23), _count("b", 1.8e6, 1.9e6, 0, 24)]
    assert factor_alone(facts, 0) == pytest.approx(4 / 1.9)
    assert factor_alone(facts, 1) == pytest.approx(4 / 1.9)
    third = _count("c", 1, 2, 100, 120)
    assert factor_alone([*facts, third], 2) == np.inf
    assert factor_alone([facts[0], third], 1) == 1.0


def test_time_zones_are_tried_from_utc_outwards():
    anywhere = _count("a", 1, 2, 0, 24, zone=(-12.0, 12.0))
    korea = _count("b", 1, 2, 0, 24, zone=(-9.0, -9.0))
    assert shifts([anywhere])[:3] == [0, -1, 1]
    assert len(shifts([anywhere])) == 25
    assert shifts([korea]) == [-9]
    assert korea.window(5.0) == (-9, 15)
    day = replace(anywhere, low=10, high=10)
    early = _count("c", 20, 20, -6, -2)
    later = _count("d", 10, 10, 0, 24)
    by = {z: factor([day, early, later], z) for z in shifts([day, early, later])}
    assert by[0] == 1.0
    assert by[-6] > 1.3
    assert all(by[z] >= 1 for z in by)


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (1.031, "off by 3% at least"),
        (1.4509, "off by 45% at least"),
        (3.42, "off by a factor of 3.4 at least"),
        (np.inf, "off without limit"),
    ],
)
def test_factors_in_words(by, words):
    assert off(by) == words


def test_smallest_sets_hold_no_smaller_one(checked):
    for outage_id in (EVENT, "twitter-2022-10-28-takeover"):
        for found in checked(outage_id):
            for _, part in found.contradictions.groupby("reading"):
                sets = [set(ids) for ids in part["figure_ids"]]
                assert not any(a < b for a, b in combinations(sets, 2))
                assert isinstance(part, pd.DataFrame)
