"""The claim less the usual, in the claim's own hours: what a page says, if it is right. No curve, no half-life.

"3 million in 24 hours" less a usual 24 hours is a number: its error is the rounding of the claim and the doubt about
the usual level. How far such claimants are usually off is another question: it stands beside, not mixed in. Where no
usual level was published, the share of a claim that would have come anyway is predicted from the claims of other
events that have one (:mod:`helpers.anyway`), so that the claim itself is the upper end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.anyway import Anyway
from helpers.case import Series
from helpers.ceilings import OF_A_DAY
from helpers.claims import FRESH, PASSED, Claim
from helpers.curve import Array

#: Readings that speak of how many came in a window.
IN_WINDOW = ("increment", "excess", "rate_mean", "daily_level", "ratio_mean")
DRAWS = 8_000
#: Hours of a window: a shorter one is a moment, a longer one no surge.
SHORTEST, LONGEST = 1.0, 744.0
#: A window belongs to the event where it begins at most this long before it; days have no time zone.
EARLY = 24.0
#: A claim is firm whose ends lie at most this factor apart: among such the longest window says most.
FIRM = 2.0


@dataclass(frozen=True)
class Excess:
    """Extra users in the hours of one claim, if the claim is right.

    ``draws`` (DRAWS,) are negative where the claim is less than usual; ``usual_known`` says whether a usual level was
    published or given, or the share of the usual was taken from other events; ``share`` is the middle of that share.
    """

    claim: Claim
    draws: Array
    usual_known: bool
    share: float

    @property
    def hours(self) -> float:
        """Length of the claim's window."""
        return self.claim.end - self.claim.start

    def ends(self, level: float) -> tuple[float, float, float]:
        """Low end, median and high end of the extra users; fewer than none came in no window."""
        low, middle, high = np.maximum(np.quantile(self.draws, [(1 - level) / 2, 0.5, (1 + level) / 2]), 0.0)
        return float(low), float(middle), float(high)

    def factor(self, level: float) -> float:
        """Upper end over lower end; infinite where nobody may have come because of the event."""
        low, _, high = self.ends(level)
        return high / low if low > 0 else float("inf")


def excess(claim: Claim, series: Series, anyway: Anyway | None, seed: int) -> Excess | None:
    """Take the usual off one claim; None where that cannot be done.

    Parameters
    ----------
    anyway : the share of the usual as claims of other events predict it, for a curve without a usual level.
    """
    hours = claim.end - claim.start
    if claim.reading not in IN_WINDOW or not SHORTEST <= hours <= LONGEST or claim.start + claim.shift[1] < -EARLY:
        return None
    rng = np.random.default_rng(seed)
    value, usual = _published(claim, rng), _usual(series, rng) * hours
    if claim.reading in ("rate_mean", "daily_level"):
        value = value * hours
    if claim.reading == "ratio_mean":
        if not series.baselines or claim.lag:
            return None
        value = value * usual
    if claim.reading == "excess":
        return Excess(claim, _possible(value, claim, series, rng), True, 0.0)
    if series.baselines:
        return Excess(claim, _possible(value - usual, claim, series, rng), True, float(np.median(usual / value)))
    if anyway is None:
        return None
    share = anyway.draws(rng, DRAWS)
    return Excess(claim, _possible(value * (1 - share), claim, series, rng), False, float(np.median(share)))


def _possible(draws: Array, claim: Claim, series: Series, rng: np.random.Generator) -> Array:
    """Drop draws above what the gain in these hours cannot exceed; all of them stay where none is below.

    Users of a day are bounded in their level, not in user-days.
    """
    if series.quantity in OF_A_DAY:
        return draws
    alone = len(series.shocks) == 1
    last = claim.end + claim.shift[1]
    most = min((c.most for c in series.ceilings if c.until >= last and (alone or not c.own)), default=np.inf)
    below = draws[draws <= most]
    return draws if len(below) in (0, len(draws)) else rng.choice(below, DRAWS)


def firmest(
    series: Series, anyway: Anyway | None, seed: int, level: float, without: tuple[str, ...] = ()
) -> Excess | None:
    """Choose the claim of a curve that answers best: the longest window among firm ones, else the firmest.

    Parameters
    ----------
    without : ids of figures that are more likely wrong than not.
    """
    rows = series.figures.loc[series.figures["used"], "figure_id"]
    mine = (claim for claim in series.claims if claim.figure_id in set(rows) and claim.figure_id not in without)
    found = [one for one in (excess(claim, series, anyway, seed) for claim in mine) if one is not None]
    firm = [one for one in found if one.factor(level) <= FIRM]
    if firm:
        return max(firm, key=lambda one: (one.hours, -one.factor(level), one.claim.figure_id))
    return min(found, key=lambda one: (one.factor(level), -one.hours, one.claim.figure_id), default=None)


def share_of_usual(series: Series, seed: int, level: float) -> float | None:
    """Share of the firmest claim of a curve that would have come anyway; None without a claim or a usual level."""
    one = firmest(series, None, seed, level)
    return one.share if one is not None and one.usual_known and one.claim.reading != "excess" else None


def _published(claim: Claim, rng: np.random.Generator) -> Array:
    """Values that would be published as the claim is: even within its rounding, and beyond a mark that was passed."""
    inside = rng.uniform(claim.low, claim.high, DRAWS)
    if claim.bound == "none":
        return inside
    lag = PASSED * rng.standard_exponential(DRAWS)
    passed = claim.low * np.exp(lag) if claim.bound == "lower" else claim.high * np.exp(-lag)
    return np.where(rng.random(DRAWS) < FRESH, inside, passed)


def _usual(series: Series, rng: np.random.Generator) -> Array:
    """Usual users per hour."""
    if not series.baselines:
        return np.full(DRAWS, np.nan)
    (level,) = series.baselines
    usual: Array = np.sqrt(level.low * level.high) * np.exp(level.scale * rng.standard_normal(DRAWS))
    return usual
