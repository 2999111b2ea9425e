"""Does the answer survive? The same curve fitted under other assumptions, and without single figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from helpers import claims as cl
from helpers.curve import Array, Season
from helpers.fit import Fit, draw, extra
from helpers.likelihood import Model
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
        return extra(fitted, horizon, fitted.model.own)

    west, east = cl.UTC_OFFSETS.get(series.scope, (0.0, 4.0))
    season = Season(SWING, BUSY_HOUR - (west + east) / 2 - origin_hour)
    changed: dict[str, Model] = {
        "half-life expected half as long": _supposing(model, half_life_hours=prior.half_life_hours / 2),
        "half-life expected twice as long": _supposing(model, half_life_hours=prior.half_life_hours * 2),
        "gain expected three times smaller": _supposing(model, gain_days=prior.gain_days / 3),
        "gain expected three times larger": _supposing(model, gain_days=prior.gain_days * 3),
        "with a day-and-night cycle": replace(model, season=season),
        "plain response" if model.delayed else "delayed response": replace(model, delayed=not model.delayed),
    }
    if model.others:
        changed["without the other event"] = replace(model, shocks=tuple(model.shocks[j] for j in model.own))
    made = [Variant("the answer", gained(lambda: answer))]
    made += [Variant(label, gained(partial(draw, series, other, seed))) for label, other in changed.items()]
    if len(series.claims) > 1:
        for left_out in series.claims[:MOST_LEFT_OUT]:
            rest = replace(model, claims=tuple(claim for claim in model.claims if claim is not left_out))
            made.append(Variant("", gained(partial(draw, series, rest, seed)), left_out.figure_id))
    return made


def _supposing(model: Model, **other: float) -> Model:
    return replace(model, prior=replace(model.prior, **other))
