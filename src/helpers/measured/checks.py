"""What the model of the expected path left over, and in words what is wrong with it where something is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.tsa.stattools import acf

from helpers.measured.design import DAY, WEEK
from helpers.measured.expected import Measurement
from helpers.measured.unmarked import innovations

Array = NDArray[np.float64]
#: Chance below which a check speaks up; several are made.
RARE = 0.001
#: Placebo scale from which the model's own width was clearly too small.
MISJUDGED = 1.5


@dataclass(frozen=True)
class Checks:
    """Residuals of the training steps and what they say.

    Attributes
    ----------
    residuals : Series by time (UTC): one-step innovations over their standard deviation, NaN where nothing was learnt.
    autocorrelation : (k,) at lags 1 to k steps.
    bound : half-width of the band that holds an autocorrelation with the level's probability if there is none.
    faults : what is wrong, a sentence each; empty where nothing is.
    """

    residuals: pd.Series
    autocorrelation: Array
    bound: float
    faults: tuple[str, ...]


def checks(found: Measurement) -> Checks:
    """Return the residuals before the outage and what is wrong with them, in words."""
    n = len(found.used)
    times = pd.DatetimeIndex(found.path.index[:n])
    counts = found.path["observed"].to_numpy()[:n] * found.stretch
    left = np.where(found.used, innovations(found.fit, found.fit.at(), counts, found.used)[0], np.nan)
    spread = float(np.nanstd(left)) or 1.0
    residuals = pd.Series(left / spread, times)
    good = residuals.dropna()
    lags = int(min(2 * _season(found.step), len(good) // 4, 60))
    correlation = np.asarray(acf(good.to_numpy(), nlags=max(lags, 1), fft=True)[1:])
    bound = float(stats.norm.ppf((1 + found.level) / 2) / np.sqrt(len(good)))
    faults = [*_left_in_time(good, lags, correlation), *_shape(good), *_season_left(good, found.step), *_width(found)]
    return Checks(residuals, correlation, bound, tuple(faults))


def _season(step: pd.Timedelta) -> int:
    """Return the steps of the shortest season."""
    return max(int(DAY / step), 1) if step < DAY else max(int(WEEK / step), 4)


def _left_in_time(residuals: pd.Series, lags: int, correlation: Array) -> list[str]:
    if lags < 2:
        return []
    p = float(acorr_ljungbox(residuals.to_numpy(), lags=[lags])["lb_pvalue"].iloc[0])
    worst = int(np.abs(correlation).argmax())
    # In long series the smallest correlation is beyond chance; what matters is its size.
    if p >= RARE or abs(correlation[worst]) < 0.1:
        return []
    return [
        f"Neighbouring residuals still move together (at most {correlation[worst]:+.2f}, {worst + 1} steps apart): the "
        "drift has another shape than assumed. The width is scaled by the placebo dates, which see this too."
    ]


def _shape(residuals: pd.Series) -> list[str]:
    said = []
    excess = float(stats.kurtosis(residuals))
    if excess > 3:
        said.append(
            f"Single steps stray further than a bell curve allows (excess kurtosis {excess:.1f}): single-step "
            "intervals miss the wildest steps."
        )
    third = len(residuals) // 3
    if third >= 10:
        ratio = float(residuals.iloc[-third:].var() / max(residuals.iloc[:third].var(), 1e-12))
        if not 0.4 < ratio < 2.5:
            more = "more" if ratio > 1 else "less"
            said.append(
                f"The noise is {more} than it was ({ratio:.1f} times the variance of the first third): the interval "
                f"leans on times that were {'quieter' if ratio > 1 else 'noisier'}."
            )
    return said


def _season_left(residuals: pd.Series, step: pd.Timedelta) -> list[str]:
    if step > DAY:
        return []
    times = pd.DatetimeIndex(residuals.index)
    said = []
    for what, place in (("hour of the day", times.hour), ("weekday", times.day_of_week)):
        if what == "hour of the day" and step >= DAY:
            continue
        groups = [group.to_numpy() for _, group in residuals.groupby(place) if len(group) > 1]
        if len(groups) > 1 and float(stats.kruskal(*groups).pvalue) < RARE:
            said.append(f"The residuals still depend on the {what}: that rhythm is not wholly taken out.")
    return said


def _width(found: Measurement) -> list[str]:
    shams = found.placebos
    if not len(shams.table):
        return ["There is no room for placebo dates: the width is the model's own, widened as a precaution."]
    said = []
    if shams.scale > MISJUDGED:
        said.append(
            "At the placebo dates the model was off by more than it thought: the interval is "
            f"{np.sqrt(shams.scale):.1f} times as wide as the model alone would have it."
        )
    scores = shams.table["score"]
    if len(scores) >= 6 and abs(scores.mean()) > 1:
        said.append(
            f"At the placebo dates it expected too {'little' if scores.mean() > 0 else 'much'} on average: the answer "
            "may err in the same direction."
        )
    return said
