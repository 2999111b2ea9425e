"""The predictive distribution of a scenario: one adoption curve a draw and rival, from the rule's draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers import curve as curves
from helpers.case import PUSH_HOURS, Case, Series
from helpers.curve import DAY, Array, Curve, Season
from helpers.evidence import Evidence
from helpers.fit import Fit
from helpers.likelihood import Model, Shock
from helpers.pooled.design import CONTRACT, NAMES, USUAL
from helpers.pooled.unusual import expected, rival_row
from helpers.published.figures import hours_between
from helpers.robustness import BUSY_HOUR, SWING
from helpers.sampling import Sample
from helpers.scenario.asked import WORLD, place_hours
from helpers.scenario.question import Scenario
from helpers.usual import baselines

DRAWS = 4_000


@dataclass(frozen=True)
class Prediction:
    """What is predicted of one rival.

    ``fitted`` holds the curves in the form of the main job, so that its figures and tables can be drawn of it; its
    claims are the figures published later, if any, and had no part in it. ``extra`` (DRAWS,) are the extra people
    within the horizon, ``total`` those of all time, ``peak`` the highest rate in people a second, usual and extra
    together, ``peak_hour`` the hours after the start at which it comes; ``usual_known`` whether the rival's usual level
    was published; ``case`` the event as a case.
    """

    rival_id: str
    rival: str
    fitted: Fit
    case: Case
    extra: Array
    total: Array
    peak: Array
    peak_hour: Array
    usual_known: bool


def predict(found: Scenario, evidence: Evidence, rng: np.random.Generator) -> list[Prediction]:
    """Draw one curve for each draw of the rule and each rival; the effect of the event is common to its rivals."""
    asked = found.asked
    rows = rng.choice(len(found.kept.draws), DRAWS)
    draws = found.kept.draws[rows]
    common = rng.standard_normal(DRAWS)
    half = found.kept.halves[found.event.kind][rows]
    scatter = found.kept.half_scatter[rows]
    made = []
    for rival in found.rivals:
        usual, known, series = _rival(found, evidence, rival, rng)
        middle, sd = expected(draws, found.event, found.known, rival_row(evidence, found.event, series))
        within = draws[:, NAMES.index("within")]
        between = np.sqrt(np.maximum(sd**2 - within**2, 0.0))
        log_gain = middle + draws[:, NAMES.index("usual")] * (np.log(usual) - np.log(USUAL))
        log_gain += between * common + within * rng.standard_normal(DRAWS)
        # Nobody can lose more people than were hit, where their number is known.
        total = np.minimum(usual * np.exp(log_gain), asked.most)
        life = half * np.exp(scatter * rng.standard_normal(DRAWS))
        made.append(_prediction(found, evidence, rival, series, usual, total, life, known))
    return made


def _rival(found: Scenario, evidence: Evidence, rival: str, rng: np.random.Generator) -> tuple[Array, bool, Series]:
    """Draws of the rival's usual people a day, whether a level was published, and its curve's frame."""
    series = found.figures(rival) or _empty(evidence, rival)
    key = pd.Series(
        {"service_id": rival, "quantity": series.quantity, "scope": series.scope, "platform": series.platform}
    )
    levels, note = baselines(evidence, found.origin, key)
    if levels:
        (level,) = levels
        middle = np.log(np.sqrt(level.low * level.high) * DAY)
        return np.exp(middle + level.scale * rng.standard_normal(DRAWS)), True, replace(series, baseline_note=note)
    # As the rivals of the rule are that bind people as it does, or do not: size says little of a gain in people.
    like = [gain for gain in found.kept.gains if (gain.sector in CONTRACT) == found.bound(rival)]
    sizes = np.array([float((gain.weight * gain.middle[:, 1]).sum()) for gain in like or found.kept.gains])
    return np.exp(sizes.mean() + sizes.std() * rng.standard_normal(DRAWS)), False, replace(series, baseline_note=note)


def _empty(evidence: Evidence, rival: str) -> Series:
    name = str(evidence.services.set_index("service_id").loc[rival, "name"])
    figures = evidence.growth_figures.iloc[:0].assign(used=pd.Series(dtype=bool), why_not=pd.Series(dtype=str))
    return Series(rival, name, "signups", "world", "", (), (), (), figures, "")


def _prediction(
    found: Scenario,
    evidence: Evidence,
    rival: str,
    series: Series,
    usual: Array,
    total: Array,
    life: Array,
    known: bool,
) -> Prediction:
    asked = found.asked
    unavailable = np.isfinite(found.event.hours)
    push = min(asked.duration_hours, PUSH_HOURS) if unavailable else PUSH_HOURS
    busy = BUSY_HOUR - place_hours(asked.region) - found.origin.hour - found.origin.minute / 60
    season = Season() if asked.region == WORLD else Season(SWING, busy)
    edge = np.zeros((DRAWS, 1))
    made = Curve(usual / DAY, total[:, None] / push, life / np.log(2), edge, edge + push, season)
    shock = Shock("asked", "the scenario", (0.0, 0.0), (push, push))
    late = hours_between(found.origin, found.real.origin) if found.real is not None else 0.0
    moved = (replace(claim, start=claim.start - late, end=claim.end - late) for claim in series.claims)
    claims = tuple(claim for claim in moved if claim.end > 0)  # what was over before the start is not of this event
    series = replace(series, shocks=(shock,), claims=claims, baselines=())
    model = Model((shock,), series.claims, season=season)
    fitted = Fit(series, model, _NO_SAMPLE, made)
    extra = curves.extra(made, 0.0, asked.horizon_hours, 0)[:, 0]
    grid = np.arange(0.0, min(asked.horizon_hours, push + DAY) + 0.25, 0.25)
    rate = curves.rate(made, grid)
    peak, hour = rate.max(axis=1) / 3600, grid[rate.argmax(axis=1)]
    event = case_of(found, evidence, series)
    return Prediction(rival, series.service, fitted, event, extra, total, peak, hour, known)


#: A prediction is no fit: there are no draws of a sampler behind it.
_NO_SAMPLE = Sample(np.zeros((0, 0)), float("nan"), float("nan"), float("nan"), float("nan"))


def case_of(found: Scenario, evidence: Evidence, series: Series) -> Case:
    """Describe the scenario as the event of a case."""
    asked = found.asked
    service = str(evidence.services.set_index("service_id").loc[asked.service, "name"])
    end = found.origin + pd.Timedelta(hours=asked.duration_hours) if asked.down else pd.NaT
    outage = pd.Series(
        {
            "outage_id": found.event.outage_id or "asked",
            "service_id": asked.service,
            "service": service,
            "kind": asked.kind,
            "start_utc": found.origin,
            "end_utc": end,
            "time_precision": "hour",
            "duration_hours": asked.duration_hours,
            "scope": asked.region,
            "affected_users": asked.users_affected,
            "affected_unit": "users",
            "partial": False,
        }
    )
    nothing = evidence.growth_figures.iloc[:0]
    return Case(outage, found.origin, (series,), nothing, evidence.outages.iloc[:0])
