"""The columns of the rule, what is assumed of them beforehand, and the data laid out for it.

    log gain = intercept + affected log(people hit / 10 million) + hours log(hours / 4) + kind
               + earlier log2(1 + failures in the year before)
               + usual log(usual / 10,000 a day) + same identity + circumvention + installs + contract
               + event effect (between) + rival effect (within)

The gain is the extra total in usual days of the rival; ``usual`` = -1 means that a large rival gains no more people
than a small one, 0 that it gains in proportion to its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.curve import Array
from helpers.pooled.events import Event
from helpers.pooled.gains import SLICES, Gain
from helpers.prior import USUAL as USUAL

#: Where the covariates are zero: people hit, hours, usual people a day.
PEOPLE, HOURS = 10_000_000.0, 4.0


@dataclass(frozen=True)
class Term:
    """A coefficient: its normal prior, and what it means in words."""

    name: str
    mean: float
    sd: float
    words: str


#: Coefficients that an event decides. People affected: between "no matter how many" and "in proportion". Kinds are
#: against an outage of four hours; a factor of e either way is nothing unusual.
OF_EVENT = (
    Term("intercept", 2.3, 2.0, "outage of four hours that hits 10 million people"),
    Term("affected", 0.5, 0.5, "exponent of the people hit"),
    Term("hours", 0.3, 0.5, "exponent of the hours down"),
    Term("block", 0.0, 1.0, "block instead of an outage"),
    Term("shutdown", 0.0, 1.0, "shutdown instead of an outage"),
    Term("policy_shock", 0.0, 1.0, "news instead of an outage"),
    Term("nothing_failed", 0.0, 1.0, "nothing failed instead of an outage"),
    Term("earlier", 0.0, 0.5, "each doubling of the failures in the year before"),
)
#: Coefficients that a rival decides.
OF_RIVAL = (
    Term("usual", -0.5, 0.5, "exponent of the rival's usual level, on the gain in usual days"),
    Term("same_identity", 0.0, 0.7, "both know people by their phone number"),
    Term("circumvention", 0.0, 0.7, "a way around a block instead of a rival"),
    Term("installs", 0.0, 0.7, "installs are counted instead of sign-ups"),
    Term("contract", -4.0, 1.5, "a contract, an account or money has to be moved"),
)
#: Sectors whose services bind people by a contract, an account or money. About half of all people with a smartphone
#: install a new app in a month (51%: comScore, The 2016 U.S. Mobile App Report); some 0.1% of current accounts are
#: switched in one (900,000 a year of about 65 million: Current Account Switch Service, United Kingdom, 2018), and 1% of
#: numbers are moved (525,937 in March 2025 in South Korea: data/baselines.csv). The logs of those ratios are -6 and -4:
#: the prior's middle is the milder one, its 95% range a factor of 3 to 1,000.
CONTRACT = ("banking", "brokerage", "telecom")
TERMS = OF_EVENT + OF_RIVAL
#: Scatter (standard deviation of the log gain) of events, and of rivals within one: log-normal, 95% within a factor
#: of four of a factor of e.
SCATTER, SCATTER_SD = 1.0, 0.7
NAMES = (*(term.name for term in TERMS), "between", "within")


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of log people hit and of log hours of an outage, where they were published."""

    people: tuple[float, float]
    hours: tuple[float, float]


@dataclass(frozen=True)
class Table:
    """Events (e), their gains (n) in slices (k), and the covariates.

    Parameters
    ----------
    event : (e, len(OF_EVENT)) covariates; one that was not published stands at its mean.
    doubt : (e, len(OF_EVENT)) standard deviation of those that were not published, zero of the others.
    rival : (n, len(OF_RIVAL)) covariates without the usual level, which is in the slices: column 0 is zero.
    owner : (n,) row of the event of each gain.
    weight, gain, usual : (n, k) slices: weight, log gain in usual days, log usual over USUAL.
    var_gain, var_both, var_usual : (n, k) their variances and covariance.
    silent, silent_doubt : covariates of the events after which nobody published a gain.
    events, gains, quiet : what the rows are.
    known : moments of covariates that were not published.
    """

    event: Array
    doubt: Array
    rival: Array
    owner: NDArray[np.intp]
    weight: Array
    gain: Array
    usual: Array
    var_gain: Array
    var_both: Array
    var_usual: Array
    silent: Array
    silent_doubt: Array
    events: tuple[Event, ...]
    gains: tuple[Gain, ...]
    quiet: tuple[Event, ...]
    known: Moments

    def without(self, outage_ids: set[str]) -> Table:
        """Leave out some events and their gains."""
        return lay_out(
            [event for event in (*self.events, *self.quiet) if event.outage_id not in outage_ids],
            [gain for gain in self.gains if gain.outage_id not in outage_ids],
            self.known,
        )


def moments(events: Sequence[Event]) -> Moments:
    """Take the moments of what was published; too few (under three) fall back on what is assumed."""
    people = np.log([e.affected / PEOPLE for e in events if not np.isnan(e.affected)])
    hours = np.log([e.hours / HOURS for e in events if e.kind == "outage" and not np.isnan(e.hours)])
    found = [(float(v.mean()), float(v.std(ddof=1))) if len(v) > 2 else (0.0, 2.0) for v in (people, hours)]
    return Moments(*found)


def lay_out(events: Sequence[Event], gains: Sequence[Gain], known: Moments | None = None) -> Table:
    """Lay out events and gains for the rule.

    Parameters
    ----------
    events : all of them; those without a gain that are silent enter the model of publication, others nothing.
    known : moments of covariates that were not published; from the events when None.

    Raises
    ------
    ValueError
        If a gain belongs to none of the events.
    """
    known = known or moments(events)
    with_gain = {gain.outage_id for gain in gains}
    missing = with_gain - {event.outage_id for event in events}
    if missing:
        raise ValueError(f"gains of {', '.join(sorted(missing))}: expected only those of the events given")
    told = [event for event in events if event.outage_id in with_gain]
    quiet = [event for event in events if event.silent and event.outage_id not in with_gain]
    place = {event.outage_id: i for i, event in enumerate(told)}
    identity = {event.outage_id: event.identity for event in told}
    rows, doubts = _covariates(told, known)
    silent, silent_doubt = _covariates(quiet, known)
    cut = len(gains[0].weight) if gains else SLICES
    middle = np.array([gain.middle for gain in gains]).reshape(len(gains), cut, 2)
    spread = np.array([gain.spread for gain in gains]).reshape(len(gains), cut, 2, 2)
    return Table(
        event=rows,
        doubt=doubts,
        rival=np.array([of_rival(gain, identity[gain.outage_id]) for gain in gains]).reshape(len(gains), len(OF_RIVAL)),
        owner=np.array([place[gain.outage_id] for gain in gains], dtype=np.intp),
        weight=np.array([gain.weight for gain in gains]).reshape(middle.shape[:2]),
        gain=middle[..., 0],
        usual=middle[..., 1] - np.log(USUAL),
        var_gain=spread[..., 0, 0],
        var_both=spread[..., 0, 1],
        var_usual=spread[..., 1, 1],
        silent=silent,
        silent_doubt=silent_doubt,
        events=tuple(told),
        gains=tuple(gains),
        quiet=tuple(quiet),
        known=known,
    )


def _covariates(events: Sequence[Event], known: Moments) -> tuple[Array, Array]:
    pairs = [of_event(event, known) for event in events]
    made = [np.array(rows).reshape(len(events), len(OF_EVENT)) for rows in zip(*pairs, strict=True)]
    return (made[0], made[1]) if pairs else (np.zeros((0, len(OF_EVENT))), np.zeros((0, len(OF_EVENT))))


def of_event(event: Event, known: Moments) -> tuple[list[float], list[float]]:
    """Covariates of one event in the order of OF_EVENT, and the standard deviation of those not published."""
    people, people_sd = (np.log(event.affected / PEOPLE), 0.0) if not np.isnan(event.affected) else known.people
    if event.kind in ("policy_shock", "nothing_failed"):
        hours, hours_sd = 0.0, 0.0
    else:
        hours, hours_sd = (np.log(event.hours / HOURS), event.hours_sd) if not np.isnan(event.hours) else known.hours
    kinds = [float(event.kind == term.name) for term in OF_EVENT[3:7]]
    row = [1.0, float(people), float(hours), *kinds, float(np.log2(1 + event.earlier))]
    return row, [0.0, float(people_sd), float(hours_sd), *[0.0] * 5]


def of_rival(gain: Gain, identity: str) -> list[float]:
    """Covariates of one rival in the order of OF_RIVAL; the usual level is in its slices."""
    same = bool(identity) and gain.identity == identity
    return terms(same, gain.circumvention, gain.quantity, gain.sector)


def terms(same_identity: bool, circumvention: bool, quantity: str, sector: str) -> list[float]:
    """Covariates of one rival by what it is; who only installs the app of a bank has moved no account yet."""
    installs = quantity == "installs"
    return [
        0.0,
        float(same_identity),
        float(circumvention),
        float(installs),
        float(sector in CONTRACT and not installs),
    ]
