"""Where a service and a panel contradict each other: two readings, each stated as its own, not one wide interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from helpers.case import PEOPLE
from helpers.claims import Claim
from helpers.excess import Excess, excess
from helpers.fit import Fit
from helpers.likelihood import OWN_COUNT
from helpers.usual import CONVERSION_SCALE

#: Windows are compared where neither is longer than the other by more than this factor.
AS_LONG = 2.0
#: Standard deviations of both claimants' usual errors beyond which two numbers contradict each other.
APART = 2.0


@dataclass(frozen=True)
class Reading:
    """What one claimant's count says of a window, if it is right."""

    fitted: Fit
    excess: Excess


def contradiction(fits: Sequence[Fit], service_id: str, seed: int, level: float) -> tuple[Reading, Reading] | None:
    """The firmest count of a service and of a panel for the same hours, where both cannot be right.

    Both are claims less the usual; they contradict each other where the log of their ratio, less that of their hours,
    exceeds APART standard deviations of the claimants' errors and, where sign-ups stand against installs, of the
    conversion.
    """
    mine = [fitted for fitted in fits if fitted.series.service_id == service_id and fitted.series.quantity in PEOPLE]
    own = [one for one in _claims(mine, seed) if one.excess.claim.claimant in OWN_COUNT]
    panels = [one for one in _claims(mine, seed) if one.excess.claim.claimant == "panel"]
    pairs = [(one, other) for one in own for other in panels if _contradict(one, other)]
    return min(pairs, key=lambda pair: sum(one.excess.factor(level) for one in pair), default=None)


def _claims(fits: Sequence[Fit], seed: int) -> list[Reading]:
    """Every claim of some curves less its usual, where one was published."""
    found = ((fitted, excess(claim, fitted.series, None, seed)) for fitted in fits for claim in fitted.series.claims)
    return [Reading(fitted, one) for fitted, one in found if one is not None and np.median(one.draws) > 0]


def _contradict(one: Reading, other: Reading) -> bool:
    first, second = one.excess, other.excess
    if one.fitted.series.scope != other.fitted.series.scope or not _same_hours(first.claim, second.claim):
        return False
    conversion = CONVERSION_SCALE * (one.fitted.series.quantity != other.fitted.series.quantity)
    error = np.sqrt(first.claim.error**2 + second.claim.error**2 + conversion**2)
    apart = abs(np.log(np.median(first.draws) / np.median(second.draws)))
    longer = abs(np.log(first.hours / second.hours))  # the longer window may hold so much more
    return bool(apart - longer > APART * error)


def _same_hours(first: Claim, second: Claim) -> bool:
    lengths = first.end - first.start, second.end - second.start
    overlap = min(first.end, second.end) - max(first.start, second.start)
    return max(lengths) <= AS_LONG * min(lengths) and overlap >= min(lengths) / AS_LONG
