"""Is this outage unusual? Its own gain against what the rule, made of all other events, predicts for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp, ndtr

from helpers.curve import Array
from helpers.evidence import Evidence
from helpers.fit import COUNTED, Fit, Five, five
from helpers.pooled import events, left_out, rule
from helpers.pooled.design import NAMES, OF_EVENT, OF_RIVAL, USUAL, Moments, of_event
from helpers.pooled.events import Event
from helpers.pooled.gains import CAME, drawn, prior_of_gain
from helpers.pooled.kept import DRAWS, SEED, Kept, KeptError, load
from helpers.sampling import GOOD_TAIL, pareto_tail, systematic

#: Draws of the rule that a gain is weighed by.
SOME = 200


@dataclass(frozen=True)
class Compared:
    """A gain beside what the rule says of it, in extra people of all time after the event.

    ``rank`` is the share of gains, as the rule predicts them for this event and rival, that are smaller than this one;
    ``events`` how many other events the rule is made of.
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
    identity = str(evidence.services.set_index("service_id").loc[fitted.series.service_id, "identity"])
    roles = fitted.series.figures["role"]
    row = [0.0, float(bool(identity) and identity == event.identity), float((roles == "circumvention").mean() > 0.5)]
    row += [float(fitted.series.quantity == term.name) for term in OF_RIVAL[3:]]
    middle, sd = expected(kept.draws, event, kept.known, np.array(row))
    log_gain, log_usual = drawn(fitted)
    size = kept.draws[:, NAMES.index("usual")]
    usual = float(np.median(log_usual))
    centre = middle + (1 + size) * (usual - np.log(USUAL)) + np.log(USUAL)
    ends = ((1 - level) / 2, 0.25, 0.5, 0.75, (1 + level) / 2)
    predicted = np.exp(left_out.quantiles(centre, sd, weight, ends))
    total = log_gain + log_usual
    rank = float(np.mean([weight @ ndtr((value - centre) / sd) for value in np.quantile(total, _PLACES)]))
    some = np.random.default_rng(0).choice(len(weight), SOME)
    # The rule instead of the prior of the main job: each draw weighted by one over the other.
    off = log_gain[:, None] - middle[some] - size[some] * (log_usual[:, None] - np.log(USUAL))
    log_weight = logsumexp(-0.5 * (off / sd[some]) ** 2 - np.log(sd[some]), axis=1)
    beforehand, spread = prior_of_gain(fitted)
    log_weight += 0.5 * ((log_gain - beforehand) / spread) ** 2
    shares = np.exp(log_weight - log_weight.max())
    order = np.argsort(total)
    places = np.cumsum(shares[order]) / shares.sum()
    together = np.exp(np.interp(ends, places, total[order]))
    return Compared(fitted.series.service, _five(predicted), five(np.exp(total), level), _five(together), rank, others)


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
