"""Titles, captions and descriptions of the figures of a scenario."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers import words
from helpers.charts.range_axes import Range
from helpers.scenario.outcome import Outcome, Year
from helpers.scenario.predict import Prediction
from helpers.scenario.question import Scenario
from helpers.scenario.year import YearLoss
from helpers.story import range_of, within

SOURCE = "the rule across all events (06_across_outages); no figure of this event is in it"
LOSS_SOURCE = f"{SOURCE}; published levels of other events"
YEAR_SOURCE = "the rule across all events (06_across_outages) and the history of outages (01_outage_history)"


def ends(draws: np.ndarray, level: float) -> tuple[float, float]:
    """Ends of the interval with equal tails."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def reading(found: Scenario) -> str:
    """How to read a rival's figure."""
    return (
        f"The line is the middle of the predicted rate, the bands hold 50% and {words.percent(found.asked.level)} "
        f"of what "
        "is predicted. Figures published later are drawn as what they are: boxes are counts, whose area is the claim, "
        "points rates, arrows bounds; what is dashed and crossed lies outside of the wider band. A band that reaches "
        "the upper edge goes on beyond it."
    )


def finding(found: Scenario, one: Prediction) -> str:
    """The title of a rival's figure."""
    low, high = ends(one.extra, found.asked.level)
    return f"{one.rival}: {words.interval(low, high)} extra people expected {within(found.asked.horizon_hours)}"


def below(found: Scenario, one: Prediction) -> str:
    """The line below a rival's figure."""
    later, drawn = len(one.fitted.series.claims), laid_over(found, one)
    laid = f" Of {later} figures published later, {drawn} in these hours {'is' if drawn == 1 else 'are'} laid over it."
    laid = " The one figure published later is laid over it." if later == drawn == 1 else laid if drawn else ""
    return f"Predicted without any figure of this event. {words.percent(found.asked.level)} and 50% bands.{laid}"


def laid_over(found: Scenario, one: Prediction) -> int:
    """How many of the figures published later lie in the hours that are drawn."""
    return sum(claim.end <= found.asked.horizon_hours for claim in one.fitted.series.claims)


def alt(found: Scenario, one: Prediction) -> str:
    """Describe a rival's figure."""
    peak = words.rate_interval(*ends(one.peak, found.asked.level))
    count = laid_over(found, one)
    drawn = f" {count} published figure{' is' if count == 1 else 's are'} drawn on it." if count else ""
    return (
        f"{finding(found, one)}. Above, the predicted rate of sign-ups by hour, its peak {peak}; below, the extra "
        f"people "
        f"so far.{drawn}"
    )


def years_title(rows: Sequence[Year]) -> str:
    """The finding of the year's figure."""
    told = [row for row in rows if isinstance(row.loss, YearLoss)]
    if not told:
        return "No year is predicted for these services"
    most = max(told, key=lambda row: row.loss.worst if isinstance(row.loss, YearLoss) else 0.0)
    assert isinstance(most.loss, YearLoss)
    worst = words.count(words.significant(most.loss.worst))
    return f"One year in twenty costs {most.service} more than {worst} users for good"


def range_words(row: Range) -> str:
    """A range with its name."""
    return f"{row.label}{' ' if row.five else ': '}{range_of(row)}"


def gains_title(found: Scenario, made: Sequence[Prediction]) -> str:
    """The finding of the figure of all rivals."""
    each = [ends(one.extra, found.asked.level) for one in made]
    between = words.interval(min(low for low, _ in each), max(high for _, high in each))
    who = made[0].rival if len(made) == 1 else f"Each of {len(made)} rivals"
    return f"{who} would gain {between} people {within(found.asked.horizon_hours)}"


def losses_title(cost: Outcome, level: float) -> str:
    """The finding of the figure of those who come, stay and are lost."""
    low, high = ends(cost.lost / np.maximum(cost.extra, 1e-9), level)
    return f"Of those who join a rival, {words.percent(low)} to {words.percent(high)} are lost for good"
