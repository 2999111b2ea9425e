"""Posterior draws under another prior: weighted by the ratio of the two and drawn again.

Sampling importance resampling (Smith and Gelfand 1992, The American Statistician 46: 84).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from helpers.curve import DAY, Array
from helpers.fit import Fit
from helpers.likelihood import AFTERMATH
from helpers.prior import Prior
from helpers.sampling import ENOUGH_DRAWS, WORST_TAIL, pareto_tail


def log_prior(answer: Fit, prior: Prior) -> Array:
    """Log density of each draw's half-life and gains under a prior, up to a constant: (n,)."""
    model, z = answer.model, answer.sample.draws
    column = {name: z[:, i] for i, name in enumerate(model.names)}
    used, per_day = model.prior, answer.made.baseline * DAY
    half = np.log(used.half_life_hours / prior.half_life_hours) / prior.half_life_sd + column["half_life"]
    density: Array = -0.5 * half**2
    for j, shock in enumerate(model.shocks):
        if shock.event_id == AFTERMATH:
            continue  # assumed as a share of the event's gain
        (mean, sd), (other, other_sd) = (
            one.gain(per_day) if j == 0 else (np.log(one.gain_days), one.gain_sd) for one in (used, prior)
        )
        density = density - 0.5 * ((mean + sd * column[f"gain_{j}"] - other) / other_sd) ** 2 - np.log(other_sd)
    return density


def chosen(log_weight: Array, seed: int) -> NDArray[np.intp] | None:
    """Places of draws (n,) by their new weights; None where too few of them would count."""
    weight = np.exp(log_weight - log_weight.max())
    if weight.sum() ** 2 / (weight**2).sum() < ENOUGH_DRAWS or pareto_tail(log_weight) >= WORST_TAIL:
        return None
    return np.random.default_rng(seed).choice(len(weight), len(weight), p=weight / weight.sum())
