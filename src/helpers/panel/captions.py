"""The words of the figures of a panel: titles that say the finding, the line below, alternative text."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers import words
from helpers.charts.panel_view import Response, ResponseView
from helpers.measured.expected import Measurement
from helpers.models import WhoGained
from helpers.panel import gains, question, story, view
from helpers.panel.discoveries import Discoveries
from helpers.panel.measure_all import PanelResult


def ranking_title(result: PanelResult, found: Discoveries, asked: WhoGained) -> str:
    """Title of the ranking: how many, and the surest."""
    gained, lost = story.numbers(found)
    if not gained + lost:
        return f"None of {found.tested:,} gained or lost beyond chance"
    rows, more = (found.gainers(), "more") if gained else (found.losers(), "fewer")
    first = rows.iloc[0]
    winners, losers = "None" if not gained else f"{gained:,}", "none" if not lost else f"{lost:,}"
    many = f"{winners} of {found.tested:,} gained, {losers} lost"
    return f"{many}; surest of all {view.label(first, result)} with {story.extent(first)} {more} {story.noun(asked)}"


def ranking_caption(found: Discoveries, asked: WhoGained) -> str:
    """How to read the ranking."""
    each = words.percent(1 - found.level)
    return (
        "Marks are what was counted against what was expected, on a logarithmic scale; filled marks are called, and "
        f"their bars are widened so that about {each} of all called ones hold what really happened; hollow ones are "
        f"the next that were not called, with their own {words.percent(asked.level)} intervals. The numbers are the "
        f"extra {story.noun(asked)}."
    )


def ranking_alt(result: PanelResult, found: Discoveries, asked: WhoGained) -> str:
    """Alternative text of the ranking."""
    rows = gains.surest(found, 2 * story.FEW)
    said = [f"{view.label(row, result)} {_signed(row)}" for _, row in rows.iterrows()]
    listed = f" {words.listing(said)}." if said else ""
    return f"{ranking_title(result, found, asked)}. Forest of intervals, one row a series.{listed}"


def _signed(row: pd.Series) -> str:
    return f"{story.extent(row)} {'more' if row['rank'] > 0 else 'fewer'}"


def multiples_title(clear: Mapping[str, Measurement], asked: WhoGained) -> str:
    """Title of the small panels: what the first of them shows."""
    name, first = next(iter(clear.items()))
    counted, usual = words.count(first.observed_total, 2), first.expected_total
    expected = words.interval(usual.low, usual.high)
    return f"{name} counted {counted} {story.noun(asked)} where {expected} were expected"


def multiples_below(result: PanelResult, found: Discoveries, asked: WhoGained) -> str:
    """Line below the title of the small panels: which series, and after which outage."""
    text = "The surest gains first, then the surest losses."
    if not story.several(asked):
        return text
    window = result.settings.windows[view.chosen_window(found, result)]
    return f"{text} After the outage of {words.moment(window.start)}, for which most were called."


def multiples_alt(clear: Mapping[str, Measurement], asked: WhoGained) -> str:
    """Alternative text of the small panels."""
    return f"{multiples_title(clear, asked)}. Small panels over time, observed against expected: {', '.join(clear)}."


def response_title(shown: ResponseView) -> str:
    """Title of the mean response: where the first group stands at first and at the end."""
    group = next((one for one in shown.groups if np.isfinite(one.mean).any()), shown.groups[0])
    known = np.flatnonzero(np.isfinite(group.mean))
    who = f"Those {'' if group.label == 'not called' else 'that '}{group.label}"
    return (
        f"{who}: {_percents(group, known[0])} against the expected at first, {_percents(group, known[-1])} at the end"
    )


def _percents(group: Response, at: int) -> str:
    """Write the interval of a mean in percent, or the mean where it has none."""
    ends = [group.low[at], group.high[at]]
    values = ends if np.isfinite(ends).all() else [group.mean[at]]
    said = [f"{math.expm1(min(value, 20.0)):+.0%}".replace("-", words.MINUS) for value in values]
    return " to ".join(dict.fromkeys(said))


def response_alt(shown: ResponseView) -> str:
    """Alternative text of the mean response."""
    who = [f"{group.label} ({group.series:,})" for group in shown.groups]
    return f"{response_title(shown)}. Lines of the mean by time since the start, with bands: {', '.join(who)}."


def response_below(result: PanelResult, asked: WhoGained) -> str:
    """Say what the bands of the mean response speak of."""
    if story.several(asked):
        number = len(result.settings.windows)
        if number < view.LEAST_CLUSTERS:
            return f"Without bands: {number} outages are too few to say how much others would differ."
        return f"Bands take each of the {number} outages as one observation: they speak of outages like these."
    labels = question.clusters(result, asked)
    parts = {"first": "first", "last": "last"}.get(asked.clusters)
    same = f" that share the {parts} part of their name" if parts and labels.nunique() < len(labels) else ""
    few = f"; below {view.LEAST_CLUSTERS} of them no band"
    return (
        f"Bands speak of this outage; series{same} {'are one observation' if same else 'stand each for itself'}{few}."
    )


def p_title(found: Discoveries) -> str:
    """Title of the p-values: what the placebo series say, or the tested ones."""
    seen = found.placebos
    if seen is not None and seen.number:
        chance = words.digits(words.significant(0.05 * seen.number))
        verb = "has" if seen.below == 1 else "have"
        below = f"{seen.below or 'none'} {verb} p below 0.05"
        return f"Of {seen.number:,} that cannot have gained {below}; chance alone gives {chance}"
    p = found.table.loc[found.table["q"].notna(), "p"]
    chance = words.digits(words.significant(0.05 * len(p)))
    return f"{int((p < 0.05).sum()):,} of {len(p):,} have p below 0.05; by chance alone about {chance} would"


def p_alt(found: Discoveries) -> str:
    """Alternative text of the p-values."""
    return f"{p_title(found)}. Bars count the p-values; if nothing had happened they would be about even."
