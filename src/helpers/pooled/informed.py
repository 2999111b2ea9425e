"""The prior that all other events make for one: what the rule, made without the event, predicts of a rival's gain.

A robust meta-analytic prior (Schmidli et al. 2014, Biometrics 70: 1023): half of it is what is assumed without the rule
(:meth:`helpers.prior.Prior.gain`), as the event may be like no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from helpers import fit
from helpers.case import Case, Series
from helpers.curve import Array
from helpers.evidence import Evidence
from helpers.fit import Fit
from helpers.pooled import events
from helpers.pooled.design import NAMES
from helpers.pooled.events import Event
from helpers.pooled.gains import CAME
from helpers.pooled.kept import Kept, KeptError, load
from helpers.pooled.unusual import expected, rival_row, without
from helpers.prior import Prior


def fits(evidence: Evidence, folder: Path, found: Case, chosen: Iterable[Series], seed: int) -> list[Fit]:
    """Fit curves of one event, each with the prior that all other events make for it.

    Parameters
    ----------
    folder : Path of the evidence tables, where the kept rule is looked for; where none can be read, and for counts of
        what is no person who came, the prior is the wide one.

    Raises
    ------
    helpers.sampling.ConvergenceError
        If the draws of one cannot be trusted.
    """
    try:
        rule = load(folder)
    except KeptError:
        rule = None
    chosen = list(chosen)
    made = zip(chosen, priors(evidence, rule, found, chosen), strict=True)
    return [fit.fit(series, seed, prior) for series, prior in made]


def priors(evidence: Evidence, rule: Kept | None, found: Case, chosen: Iterable[Series]) -> list[Prior]:
    """Return the prior of each curve of an event, the event and those of the same days left out of the rule."""
    chosen = list(chosen)
    if rule is None or not any(series.quantity in CAME for series in chosen):
        return [Prior() for _ in chosen]
    known = events.all_events(evidence)
    event = next(one for one in known if one.outage_id == found.outage["outage_id"])
    rule, _ = without(rule, known, {event.outage_id, *event.near})
    return [
        of_rule(rule, event, rival_row(evidence, event, one)) if one.quantity in CAME else Prior() for one in chosen
    ]


def of_rule(rule: Kept, event: Event, rival: Array) -> Prior:
    """Return the prior that a rule makes for a rival (its covariates) after an event.

    The rule's part has the mean and the standard deviation of the mixture of all its draws.
    """
    middle, sd = expected(rule.draws, event, rule.known, rival)
    size = rule.draws[:, NAMES.index("usual")]
    return Prior(rule=(float(middle.mean()), float(size.mean()), float(np.sqrt(np.mean(sd**2) + middle.var()))))
