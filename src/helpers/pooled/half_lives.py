"""How fast the surge fades after outages, blocks, news: the half-lives of all fits together, by kind of event.

The same mixed model as the rule, with kinds as the only covariates, of the log half-life; its prior in every single fit
(24 hours, a factor of e either way) is taken out as that of the gain is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from helpers.curve import Array
from helpers.pooled import rule
from helpers.pooled.design import OF_EVENT, TERMS, Table
from helpers.pooled.rule import Rule
from helpers.schemas import ALL_KINDS

#: Hours of the half-life at which the prior of the intercept has its mean.
CENTRE = 24.0
#: Standard deviation of the log within a slice: the slices are narrow.
NARROW = 0.05
HELD = {term.name: 0.0 for term in TERMS if term.name not in ("intercept", *ALL_KINDS)}


def fit(table: Table, seed: int) -> Rule:
    """Fit log half-lives by kind; the rule's intercept is that of outages.

    Raises
    ------
    helpers.sampling.ConvergenceError, ValueError
        As :func:`helpers.pooled.rule.fit`.
    """
    halves = np.array([gain.half_life for gain in table.gains]).reshape(len(table.gains), -1, 2)
    logs = halves[..., 1] - np.log(CENTRE) + TERMS[0].mean
    nothing = np.zeros_like(logs)
    asked = replace(
        table,
        weight=halves[..., 0],
        gain=logs,
        usual=nothing,
        var_gain=nothing + NARROW**2,
        var_both=nothing,
        var_usual=nothing,
    )
    return rule.fit(asked, seed, HELD)


def typical(found: Rule, kind: str) -> Array:
    """Draws of the median half-life after events of a kind, hours: (n,)."""
    named = [term.name for term in OF_EVENT]
    log = found.of("intercept") - TERMS[0].mean + np.log(CENTRE)
    hours: Array = np.exp(log + (found.of(kind) if kind in named else 0.0))
    return hours


def new(found: Rule, kind: str, rng: np.random.Generator) -> Array:
    """Draws of the half-life of a rival's surge after a new event of a kind, hours: (n,)."""
    scatter = np.sqrt(found.of("between") ** 2 + found.of("within") ** 2)
    hours: Array = typical(found, kind) * np.exp(scatter * rng.standard_normal(len(scatter)))
    return hours
