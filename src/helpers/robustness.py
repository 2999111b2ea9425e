"""Does the answer survive? The same curve under other assumptions, and without single figures.

Another prior, or one figure less, weighs the draws of the answer anew (importance sampling; Gelfand, Dey and Chang
1992). Where too few of them would count, and for another model, the curve is fitted again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from helpers import claims as cl
from helpers.curve import Array, Season
from helpers.fit import Fit, draw, within
from helpers.likelihood import Model
from helpers.reweighed import chosen, log_prior
from helpers.sampling import ConvergenceError

#: The busiest hour of a place's day, local time, and how far the rate swings about its mean.
BUSY_HOUR, SWING = 20.0, 0.5
MOST_LEFT_OUT = 5


@dataclass(frozen=True)
class Variant:
    """The extra count under one changed assumption: draws (n,), None where the sampler refused to answer.

    ``left_out`` is the id of the figure that this variant did without.
    """

    label: str
    extra: Array | None
    left_out: str = ""


def variants(answer: Fit, horizon: float, seed: int, origin_hour: float) -> list[Variant]:
    """Refit under each changed assumption; the answer itself comes first.

    Parameters
    ----------
    horizon : hours up to which extra users count.
    origin_hour : UTC hour of the day at the case's origin, for the day-and-night cycle.
    """
    series, model = answer.series, answer.model
    prior = model.prior

    def gained(attempt: Callable[[], Fit]) -> Array | None:
        try:
            fitted = attempt()
        except ConvergenceError:
            return None
        return within(fitted, horizon)

    west, east = cl.UTC_OFFSETS.get(series.scope, (0.0, 4.0))
    season = Season(SWING, BUSY_HOUR - (west + east) / 2 - origin_hour)
    expected = {
        "half-life expected half as long": prior.times(half_life=1 / 2),
        "half-life expected twice as long": prior.times(half_life=2.0),
        "gain expected three times smaller": prior.times(gain=1 / 3),
        "gain expected three times larger": prior.times(gain=3.0),
    }
    changed: dict[str, Model] = {
        "with a day-and-night cycle": replace(model, season=season),
        "plain response" if model.delayed else "delayed response": replace(model, delayed=not model.delayed),
    }
    if model.others:
        changed["without the other event"] = replace(model, shocks=tuple(model.shocks[j] for j in model.own))
    told = within(answer, horizon)

    def weighed(label: str, other: Model, log_weight: Array, left_out: str = "") -> Variant:
        places = chosen(log_weight, seed)
        again = gained(partial(draw, series, other, seed, more=False)) if places is None else told[places]
        return Variant(label, again, left_out)

    made = [Variant("the answer", told)]
    for label, moved in expected.items():
        other = replace(model, prior=moved)
        made.append(weighed(label, other, log_prior(answer, other.prior) - log_prior(answer, prior)))
    made += [Variant(label, gained(partial(draw, series, other, seed, more=False))) for label, other in changed.items()]
    if len(series.claims) > 1:
        whole = model.log_likelihood(answer.sample.draws)
        for claim in series.claims[:MOST_LEFT_OUT]:
            rest = replace(model, claims=tuple(one for one in model.claims if one is not claim))
            made.append(weighed("", rest, rest.log_likelihood(answer.sample.draws) - whole, claim.figure_id))
    return made
