"""Does the answer survive? The same curve fitted under other assumptions, and without single figures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from helpers import claims as cl
from helpers.case import Series
from helpers.curve import Array, Season
from helpers.fit import Fit, draw, extra, fit
from helpers.likelihood import Model, Prior

#: The busiest hour of a place's day, local time, and how far the rate swings about its mean.
BUSY_HOUR, SWING = 20.0, 0.5
MOST_LEFT_OUT = 5


@dataclass(frozen=True)
class Variant:
    """The extra count under one changed assumption: draws (n,), and how much better it predicts the figures.

    ``log_evidence`` compares only variants that saw the same figures; None elsewhere. ``left_out`` is the id of
    the figure that this variant did without.
    """

    label: str
    extra: Array
    log_evidence: float | None = None
    left_out: str = ""


def variants(answer: Fit, horizon: float, seed: int, origin_hour: float) -> list[Variant]:
    """Refit under each changed assumption; the answer itself comes first.

    Parameters
    ----------
    horizon : hours up to which extra users count.
    origin_hour : UTC hour of the day at the case's origin, for the day-and-night cycle.

    Raises
    ------
    helpers.sampling.ConvergenceError
        If one of the fits cannot be trusted.
    """
    series, model = answer.series, answer.model
    prior = model.prior

    def gained(fitted: Fit) -> Array:
        return extra(fitted, horizon, fitted.model.own)

    made = [Variant("the answer", gained(answer), answer.sample.log_evidence)]
    priors: dict[str, Prior] = {
        "half-life expected half as long": replace(prior, half_life_hours=prior.half_life_hours / 2),
        "half-life expected twice as long": replace(prior, half_life_hours=prior.half_life_hours * 2),
        "gain expected three times smaller": replace(prior, gain_days=prior.gain_days / 3),
        "gain expected three times larger": replace(prior, gain_days=prior.gain_days * 3),
    }
    for label, other in priors.items():
        fitted = draw(series, replace(model, prior=other), seed)
        made.append(Variant(label, gained(fitted), fitted.sample.log_evidence))
    west, east = cl.UTC_OFFSETS.get(series.scope, (0.0, 4.0))
    season = Season(SWING, BUSY_HOUR - (west + east) / 2 - origin_hour)
    shapes: dict[str, Model] = {
        "with a day-and-night cycle": replace(model, season=season),
        "plain response" if model.delayed else "delayed response": replace(model, delayed=not model.delayed),
    }
    if model.others:
        shapes["without the other shock"] = replace(model, shocks=tuple(model.shocks[j] for j in model.own))
    for label, changed in shapes.items():
        fitted = draw(series, changed, seed)
        made.append(Variant(label, gained(fitted), fitted.sample.log_evidence))
    if len(series.claims) > 1:
        made += [Variant("", gained(fitted), left_out=name) for name, fitted in _each_left_out(series, seed)]
    return made


def _each_left_out(series: Series, seed: int) -> list[tuple[str, Fit]]:
    """Fit without each claim in turn, the first MOST_LEFT_OUT of them: (figure id, fit)."""
    made = []
    for left_out in series.claims[:MOST_LEFT_OUT]:
        rest = tuple(claim for claim in series.claims if claim is not left_out)
        made.append((left_out.figure_id, fit(replace(series, claims=rest), seed)))
    return made
