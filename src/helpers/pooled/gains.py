"""The gains that the rule is made of: each the posterior of the main job, with its own prior taken out.

A rule across outages must not count the prior of every single fit as if it were data. Each gain therefore enters as
its likelihood: posterior draws weighted by one over the prior of that fit (two-stage meta-analysis with exact
likelihoods; Lunn, Barrett, Sweeting and Thompson 2013, Statistics in Medicine 32: 4134). Cut into slices along what
the rule predicts, each slice a small normal, it costs next to nothing to look up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers import case, fit
from helpers.curve import DAY, Array
from helpers.evidence import Evidence
from helpers.fit import Fit
from helpers.groups import members
from helpers.likelihood import AFTER_SD, AFTER_SHARE, AFTERMATH
from helpers.pooled.events import Event
from helpers.sampling import ConvergenceError

#: Counts of people who came, once each. Daily users, visits and searches are other quantities.
CAME = ("signups", "installs", "ported_numbers")
#: Slices that the draws of a gain are cut into.
SLICES = 10
#: Direction in which they are cut: about what the rule predicts, log gain in usual days less this share of log usual.
CUT = -0.85
_DRAWN = 200_000
#: Probabilities at which the quantiles of a gain are kept.
PLACES = np.linspace(0.0, 1.0, 201)
#: Horizon of the reports of single events, hours.
WEEK = 168.0
#: How the name of a group begins that holds every rival.
WHOLE = "All "

NOT_PEOPLE = "counts {what}, not people who came"
PART = "counts {scope} only, and the event hit others too"
BESIDE = "a group, and its members are counted by themselves"
REFUSED = "the sampler refused: {why}"


@dataclass(frozen=True)
class Gain:
    """What the figures of one rival after one event say, prior taken out.

    ``weight`` (SLICES,), ``middle`` (SLICES, 2) and ``spread`` (SLICES, 2, 2) are a mixture of normals over
    (log gain in usual days, log usual people a day); ``half_life`` (SLICES, 2) weight and log hours of the same made
    for the half-life, prior N(log 24, 1) taken out. For display, with the prior of the main job: the quantiles at
    PLACES of the log of all extra people, ``total``, and of the extra people within a week, as the report of that event
    prints them, ``week``; the quantile of either at one of the places is that of the draws.
    """

    outage_id: str
    rival_id: str
    rival: str
    quantity: str
    scope: str
    circumvention: bool
    identity: str
    weight: Array
    middle: Array
    spread: Array
    half_life: Array
    total: Array
    week: Array
    sector: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A rival of an event whose figures are in no gain, and why."""

    outage_id: str
    rival: str
    why: str


def collect(
    evidence: Evidence,
    events: Sequence[Event],
    seed: int,
    only: Collection[str] = (),
) -> tuple[list[Gain], list[LeftOut]]:
    """Fit the curve of every rival of some events, as the main job does, and keep what its figures say.

    Parameters
    ----------
    events : which to look at.
    seed : of the random numbers of every fit.
    only : rivals, by service id; none: all.

    Returns
    -------
    list of Gain, list of LeftOut
        In the order of the events. Curves of what is no person who came, of one place of an event that hit others
        too, and of groups beside their members are left out.
    """
    services = evidence.services.set_index("service_id")
    groups = members(services.index[services["is_group"]], set(services.index[~services["is_group"]]))
    gains: list[Gain] = []
    out: list[LeftOut] = []
    with_figures = set(evidence.growth_figures["outage_id"])
    for event in events:
        if event.outage_id not in with_figures:
            continue
        found = case.build(evidence, event.outage_id)
        best = [series for series in case.primary(found) if not only or series.service_id in only]
        kept = {series.service_id for series in best if not _why_not(found, series, set(), groups)}
        for series in best:
            why = _why_not(found, series, kept, groups)
            if not why:
                try:
                    gains.append(_gain(event, series, fit.fit(series, seed), services, found))
                except ConvergenceError as error:
                    why = REFUSED.format(why=error)
            if why:
                out.append(LeftOut(event.outage_id, series.service, why))
    return gains, out


def _why_not(found: case.Case, series: case.Series, here: set[str], groups: dict[str, tuple[str, ...]]) -> str:
    if series.quantity not in CAME:
        return NOT_PEOPLE.format(what=fit.COUNTED[series.quantity])
    alone = here - {series.service_id}
    if alone & set(groups.get(series.service_id, ())) or (alone and series.service.startswith(WHOLE)):
        return BESIDE
    if series.scope != "world" and found.outage["scope"].split(" (")[0] != series.scope:
        return PART.format(scope=series.scope)
    return ""


def _gain(event: Event, series: case.Series, fitted: Fit, services: object, found: case.Case) -> Gain:
    roles = Counter(series.figures["role"])
    log_gain, log_usual = drawn(fitted)
    middle, sd = prior_of_gain(fitted)
    weight = 0.5 * ((log_gain - middle) / sd) ** 2
    both = np.column_stack([log_gain, log_usual])
    half = np.log(fitted.made.tau * np.log(2))
    prior = fitted.model.prior
    loose = 0.5 * ((half - np.log(prior.half_life_hours)) / prior.half_life_sd) ** 2
    return Gain(
        outage_id=event.outage_id,
        rival_id=series.service_id,
        rival=series.service,
        quantity=series.quantity,
        scope=series.scope,
        circumvention=roles["circumvention"] > roles.total() / 2,
        identity=str(services.loc[series.service_id, "identity"]),  # type: ignore[attr-defined]
        **_sliced(both, weight),
        half_life=_halves(half, loose),
        total=np.quantile(log_gain + log_usual, PLACES),
        week=np.quantile(fit.within(fitted, WEEK), PLACES),
        sector=str(services.loc[series.service_id, "sector"]),  # type: ignore[attr-defined]
    )


def with_people(gain: Gain, fitted: Fit) -> Gain:
    """The same gain, its people for display those of another fit."""
    total, week = np.sum(drawn(fitted), axis=0), fit.within(fitted, WEEK)
    return replace(gain, total=np.quantile(total, PLACES), week=np.quantile(week, PLACES))


def drawn(fitted: Fit) -> tuple[Array, Array]:
    """Posterior draws of the log of the extra total in usual days, and of the log of the usual people a day: (n,)."""
    made, own = fitted.made, list(fitted.model.own)
    total = (made.amplitude[:, own] * (made.end - made.start)[:, own]).sum(axis=1)
    usual = made.baseline * DAY
    return np.log(total / usual), np.log(usual)


def prior_of_gain(fitted: Fit) -> tuple[float, float]:
    """Mean and standard deviation of the log gain beforehand, where no rule across events informs it.

    That of one shock is normal. A rush before an announced event, or the days after, are more of them, and the log of
    their sum is nearly normal: its moments are taken from simulation, always the same.
    """
    prior, own = fitted.model.prior, fitted.model.own
    if len(own) == 1:
        return float(np.log(prior.gain_days)), prior.gain_sd
    z = np.random.default_rng(0).standard_normal((_DRAWN, len(own)))
    gain = np.exp(prior.gain_sd * z)
    for place, j in enumerate(own):
        if fitted.model.shocks[j].event_id == AFTERMATH:
            gain[:, place] = gain[:, 0] * AFTER_SHARE * np.exp(AFTER_SD * z[:, place])
    total = np.log(prior.gain_days) + np.log(gain.sum(axis=1))
    return float(total.mean()), float(total.std())


def _sliced(both: Array, log_weight: Array) -> dict[str, Array]:
    """Cut draws (n, 2) with log weights into slices of equal number along what the rule predicts."""
    order = np.argsort(both[:, 0] - CUT * both[:, 1], kind="stable")
    weights = np.exp(log_weight - log_weight.max())[order]
    parts = np.array_split(both[order], SLICES)
    shares = np.array_split(weights, SLICES)
    total = weights.sum()
    middle = np.array([np.average(part, axis=0, weights=share) for part, share in zip(parts, shares, strict=True)])
    spread = np.array(
        [np.cov(part.T, aweights=share, ddof=0) + 1e-6 * np.eye(2) for part, share in zip(parts, shares, strict=True)]
    )
    return {
        "weight": np.array([share.sum() / total for share in shares]),
        "middle": middle,
        "spread": spread,
    }


def _halves(half: Array, log_weight: Array) -> Array:
    """Slices of the log half-life: weight and mean of each, (SLICES, 2)."""
    order = np.argsort(half, kind="stable")
    weights = np.array_split(np.exp(log_weight - log_weight.max())[order], SLICES)
    parts = np.array_split(half[order], SLICES)
    total = sum(share.sum() for share in weights)
    rows = [(w.sum() / total, np.average(part, weights=w)) for part, w in zip(parts, weights, strict=True)]
    return np.array(rows)
