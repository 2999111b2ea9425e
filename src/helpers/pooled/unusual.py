"""Is this outage unusual? Its own gain against what the rule, made of all other events, predicts for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from helpers.case import Series
from helpers.curve import Array
from helpers.evidence import Evidence
from helpers.fit import COUNTED, Fit, Five, draw, five
from helpers.pooled import events, left_out, rule
from helpers.pooled.design import NAMES, OF_EVENT, OF_RIVAL, USUAL, Moments, of_event, terms
from helpers.pooled.events import Event
from helpers.pooled.gains import CAME, drawn
from helpers.pooled.kept import DRAWS, SEED, Kept, KeptError, load
from helpers.prior import Prior
from helpers.reweighed import chosen, log_prior
from helpers.sampling import GOOD_TAIL, pareto_tail, systematic


@dataclass(frozen=True)
class Compared:
    """A gain beside what the rule says of it, in extra people of all time after the event.

    ``own`` is what its figures say with a wide prior, ``together`` with the prior that the rule makes, as the page has
    it. ``rank`` is the share of gains, as the rule predicts them for this event and rival, that are smaller than this
    one; ``events`` how many other events the rule is made of.
    """

    rival: str
    predicted: Five
    own: Five
    together: Five
    rank: float
    events: int


def compare(evidence: Evidence, folder: object, outage_id: str, fitted: Fit, level: float) -> Compared | str:
    """Set one fitted gain against the rule without this event, or say why that cannot be done.

    Parameters
    ----------
    folder : Path of the evidence tables, where the kept rule is looked for.
    """
    if fitted.series.quantity not in CAME:
        return f"The rule knows people who came; {COUNTED[fitted.series.quantity]} are another count."
    try:
        kept = load(folder)  # type: ignore[arg-type]
    except KeptError as error:
        return f"The rule across outages could not be read ({error})."
    known = events.all_events(evidence)
    event = next(one for one in known if one.outage_id == outage_id)
    kept, others = without(kept, known, {outage_id, *event.near})
    weight = np.full(len(kept.draws), 1 / len(kept.draws))
    middle, sd = expected(kept.draws, event, kept.known, rival_row(evidence, event, fitted.series))
    log_gain, log_usual = drawn(fitted)
    size = kept.draws[:, NAMES.index("usual")]
    usual = float(np.median(log_usual))
    centre = middle + (1 + size) * (usual - np.log(USUAL)) + np.log(USUAL)
    ends = ((1 - level) / 2, 0.25, 0.5, 0.75, (1 + level) / 2)
    predicted = np.exp(left_out.quantiles(centre, sd, weight, ends))
    own = _with_the_wide_prior(fitted)
    rank = float(np.mean([weight @ ndtr((value - centre) / sd) for value in np.quantile(own, _PLACES)]))
    together = five(np.exp(log_gain + log_usual), level)
    return Compared(fitted.series.service, _five(predicted), five(np.exp(own), level), together, rank, others)


def _with_the_wide_prior(fitted: Fit) -> Array:
    """Draws of the log of all extra people, were the rule not known: (n,)."""
    places = None
    if fitted.model.prior != Prior():
        places = chosen(log_prior(fitted, Prior()) - log_prior(fitted, fitted.model.prior), SEED)
        if places is None:
            fitted = draw(fitted.series, replace(fitted.model, prior=Prior()), SEED)
    log_gain, log_usual = drawn(fitted)
    total: Array = log_gain + log_usual
    return total if places is None else total[places]


_PLACES = (np.arange(100) + 0.5) / 100


def _five(values: Array) -> Five:
    low, first, middle, third, high = (float(value) for value in values)
    return low, first, middle, third, high


def without(kept: Kept, known: list[Event], outage_ids: set[str]) -> tuple[Kept, int]:
    """Return the kept rule as it is without some events, and of how many of all known events it is then made.

    Its draws are weighed by one over the likelihood of what is left out, and drawn again; where such weights cannot be
    trusted, the rule is fitted again. Fewer events than a rule is made of leave it as it is.
    """
    table = kept.table(known)
    others = {event.outage_id for event in table.events} - outage_ids
    if len(others) == len(table.events) or len(others) < rule.LEAST_EVENTS:
        return kept, len(others)
    log_weight = -rule.Model(table.without(others)).by_event(kept.draws).sum(axis=1)
    draws, weight = kept.draws, np.exp(log_weight - log_weight.max())
    if pareto_tail(log_weight) >= GOOD_TAIL:
        draws = rule.fit(table.without(outage_ids), SEED).draws
        weight = np.ones(len(draws))
    chosen = systematic(weight, DRAWS, np.random.default_rng(SEED))
    return replace(kept, draws=draws[chosen]), len(others)


def rival_row(evidence: Evidence, event: Event, series: Series) -> Array:
    """Covariates of one rival in the order of OF_RIVAL, without its usual level: (len(OF_RIVAL),)."""
    service = evidence.services.set_index("service_id").loc[series.service_id]
    same = bool(service["identity"]) and service["identity"] == event.identity
    around = bool((series.figures["role"] == "circumvention").mean() > 0.5)
    return np.array(terms(same, around, series.quantity, str(service["sector"])))


def expected(draws: Array, event: Event, known: Moments, rival: Array) -> tuple[Array, Array]:
    """Mean of the log gain in usual days of a rival that wins USUAL a day, and its standard deviation: (n,) each.

    Parameters
    ----------
    draws : (n, len(NAMES)) of the rule.
    known : moments of covariates that were not published.
    rival : (len(OF_RIVAL),) covariates of the rival.
    """
    row, doubt = (np.array(part) for part in of_event(event, known))
    n = len(OF_EVENT)
    middle: Array = draws[:, :n] @ row + draws[:, n : n + len(OF_RIVAL)] @ rival
    variance = draws[:, -2] ** 2 + draws[:, -1] ** 2 + draws[:, :n] ** 2 @ doubt**2
    return middle, np.sqrt(variance)
