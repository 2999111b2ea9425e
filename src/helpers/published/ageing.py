"""How fast a usual level goes out of date, from services whose level was published more than once.

Between two published levels of one count lie the errors of both and a drift that grows with the square root of time:
log ratio ~ normal(0, 2 error^2 + drift^2 years). Two levels of one panel have that panel's error in common. One pair in
ten is assumed to hold a number that is simply wrong, as in the fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import norm

from helpers import words
from helpers.evidence import Evidence
from helpers.prior import Prior
from helpers.published import levels
from helpers.published.claimant_model import quantiles
from helpers.published.claimants import Interval
from helpers.published.figures import KEY
from helpers.usual import BASELINE_SCALE, DRIFT_PER_ROOT_YEAR, OLDEST_BASELINE_YEARS, SAME_PANEL_SCALE

#: Assumed before any pair is seen: drift and error, each within a factor of 4 (95%).
PRIOR_DRIFT, PRIOR_ERROR, SPREAD = 0.8, 0.2, 0.7
_POINTS = 161
COLUMNS = [*KEY, "earlier_id", "later_id", "years", "log_ratio", "same_panel"]


@dataclass(frozen=True)
class Ageing:
    """How usual levels age.

    Attributes
    ----------
    changes : DataFrame, one row two levels of one count that follow each other: service_id, quantity, scope,
        platform, earlier_id, later_id, years between their middles, log_ratio of the later over the earlier,
        same_panel.
    drift : standard deviation (log) after one year, to set beside DRIFT_PER_ROOT_YEAR.
    error : standard deviation (log) of one level as published by anybody else, to set beside BASELINE_SCALE.
    level : of both intervals.
    text : what it means for the fit.
    """

    changes: pd.DataFrame
    drift: Interval
    error: Interval
    level: float
    text: str

    @property
    def agrees(self) -> bool:
        """Whether the numbers that the fit uses lie within the intervals."""
        found = ((self.drift, DRIFT_PER_ROOT_YEAR), (self.error, BASELINE_SCALE))
        return all(interval.low <= used <= interval.high for interval, used in found)


def changes(evidence: Evidence) -> pd.DataFrame:
    """Pairs of published usual levels of one count that follow each other within OLDEST_BASELINE_YEARS."""
    made = []
    panel = evidence.baselines.set_index("baseline_id")["panel"]
    for service_id in evidence.baselines["service_id"].unique():
        steps = levels.usual(evidence, service_id)
        steps = steps[steps["usual"] & (steps["made_of"] == "published rate")]
        middle = steps["window_start"] + (steps["window_end"] - steps["window_start"]) / 2
        for _, part in steps.assign(middle=middle).sort_values("middle").groupby(KEY, sort=False):
            for (_, earlier), (_, later) in pairwise(part.iterrows()):
                years = (later["middle"] - earlier["middle"]) / pd.Timedelta(days=365.25)
                ratio = float(np.log(later["value"] / earlier["value"]))
                if years <= OLDEST_BASELINE_YEARS:
                    pair = earlier["ids"], later["ids"]
                    same = "" != panel[pair[0]] == panel[pair[1]]
                    made.append((*(earlier[c] for c in KEY), *pair, float(years), ratio, same))
    return pd.DataFrame(made, columns=COLUMNS)


def estimate(found: pd.DataFrame, level: float = 0.95) -> Ageing:
    """Estimate drift and error from changes of usual levels (see :func:`changes`), by a grid over both.

    Raises
    ------
    ValueError
        If ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, expected a number between 0 and 1")
    z = np.linspace(-4, 4, _POINTS)
    drift = (PRIOR_DRIFT * np.exp(SPREAD * z))[:, None]
    error = (PRIOR_ERROR * np.exp(SPREAD * z))[None, :]
    log_posterior = norm.logpdf(z)[:, None] + norm.logpdf(z)[None, :]
    prior = Prior()
    for years, ratio, same in zip(found["years"], found["log_ratio"], found["same_panel"], strict=True):
        spread = np.sqrt(2 * (np.full_like(error, SAME_PANEL_SCALE) if same else error) ** 2 + drift**2 * years)
        right = norm.pdf(ratio, 0, spread)
        wrong = norm.pdf(ratio, 0, np.hypot(spread, prior.wrong))
        log_posterior = log_posterior + np.log((1 - prior.false) * right + prior.false * wrong)
    weights = np.exp(log_posterior - log_posterior.max())
    weights /= weights.sum()
    drifts = Interval(*quantiles(drift[:, 0], weights.sum(axis=1), level))
    errors = Interval(*quantiles(error[0], weights.sum(axis=0), level))
    made = Ageing(found, drifts, errors, level, "")
    return Ageing(found, drifts, errors, level, _text(made))


def _text(made: Ageing) -> str:
    if made.changes.empty:
        return "No usual level was published twice: how fast one goes out of date is assumed, not known."
    drift, error = (
        " to ".join(words.digits(words.significant(v, 2)) for v in (i.low, i.high)) for i in (made.drift, made.error)
    )
    fits = "agree with" if made.agrees else "differ from"
    return (
        f"From {len(made.changes)} pairs of usual levels: a level strays by a log standard deviation of {drift} in "
        f"a year, beside an error of {error} of its own. These {fits} the {words.digits(DRIFT_PER_ROOT_YEAR)} and "
        f"{words.digits(BASELINE_SCALE)} that the fit uses."
    )
