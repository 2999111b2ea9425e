"""What a predicted outage would cost: people who stay with rivals, people lost for good, income, and a year of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.ceilings import PEOPLE_HIT
from helpers.curve import Array
from helpers.evidence import Evidence
from helpers.incidence.forecast import forecast
from helpers.incidence.history import select
from helpers.pooled.design import NAMES, OF_EVENT, Moments, of_event
from helpers.pooled.events import LONGEST_HOURS, Event
from helpers.pooled.kept import Kept
from helpers.scenario.asked import Asked
from helpers.scenario.income import Income, at_stake, likely_lost
from helpers.scenario.predict import DRAWS, Prediction
from helpers.scenario.question import Scenario
from helpers.scenario.retention import anchors, share_kept
from helpers.scenario.year import NotForecast, YearLoss, lengths_of, year

#: Services of the year's view beside the one asked about: those that failed most often.
OTHERS = 5
CURRENCY = "dollars"


@dataclass(frozen=True)
class Outcome:
    """What follows from a prediction, (DRAWS,) each.

    ``extra`` are the people who came to the rivals, however late; ``stay`` those of them who are still active there,
    ``lost`` those who stay away from the service that failed; ``anchors`` the published pairs that both shares rest on,
    of which none is of this event or of a later one of the service.
    """

    extra: Array
    stay: Array
    lost: Array
    income: Income | None
    anchors: pd.DataFrame


def outcome(found: Scenario, made: Sequence[Prediction], evidence: Evidence, rng: np.random.Generator) -> Outcome:
    """Turn predicted gains into people who stay, people lost and income; each from a random stream of its own."""
    asked = found.asked
    pairs = anchors(evidence)
    pairs = pairs[~pairs["outage_id"].isin(found.unknown)].reset_index(drop=True)
    whole = np.minimum(sum((one.total for one in made), np.zeros(DRAWS)), asked.most)
    money, came, left = rng.spawn(3)
    income = at_stake(
        earning(asked),
        asked.income_per_creator_hour,
        np.full(DRAWS, asked.duration_hours),
        likely_lost(evidence),
        money,
        CURRENCY,
        asked.level,
    )
    stay = share_kept(pairs, asked.kind, DRAWS, came, "came")
    away = share_kept(pairs, asked.kind, DRAWS, left, "left")
    return Outcome(whole, whole * stay, whole * away, income, pairs)


def earning(asked: Asked) -> float:
    """People who earn on the service and cannot: at most as many as are hit, and nobody where nothing is down."""
    return min(asked.creators, asked.most) if asked.down else 0.0


def an_hour(found: Scenario, people: Array) -> Array | None:
    """People for each hour of downtime, (n,) from draws of people (n,); None where nothing was down."""
    return people / found.asked.duration_hours if found.asked.down else None


@dataclass(frozen=True)
class Year:
    """A year's loss of one service, or why none is predicted; ``affected`` are the people an incident is taken to "
    "hit."""

    service: str
    affected: float
    loss: YearLoss | NotForecast


def years(
    found: Scenario, made: Sequence[Prediction], cost: Outcome, evidence: Evidence, rng: np.random.Generator
) -> list[Year]:
    """Predict the users lost for good within twelve months, by service: its history of outages times the response.

    Every incident hits as many people as the service's largest published number (the scenario's, for the service
    asked about, where it is known), gives a typical rival a gain by the rule with the chance of being published, and as
    many rivals gain as in the scenario. What is uncertain about all incidents alike, the rule and the share that stays
    away, is drawn once a year.
    """
    asked = found.asked
    failed = select(evidence, ())
    main = failed.services.sort_values("incidents", ascending=False, kind="stable")["service_id"]
    wanted = list(dict.fromkeys([asked.service, *main[: OTHERS + 1]]))[: OTHERS + 1]
    named = [service for service in wanted if service in set(main)]
    history = select(evidence, named)
    expected = forecast(history, seed=asked.seed)
    names = evidence.services.set_index("service_id")["name"]
    share, *each = rng.spawn(1 + len(wanted))
    away = share_kept(cost.anchors, "outage", len(found.kept.told), share, "left")
    rows = []
    for service, own in zip(wanted, each, strict=True):
        known = service == asked.service and np.isfinite(asked.users_affected) and not asked.of_group
        people = asked.users_affected if known else _people(evidence, service)
        if service not in named:
            result: YearLoss | NotForecast = NotForecast(service, "no outage in the evidence")
        elif people is None:
            result = NotForecast(service, "nobody published how many people its outages hit")
        else:
            loss = Loss(found.kept, found.known, people, max(len(made), 1), away)
            lengths = lengths_of(history, expected, service)
            result = year(expected, service, loss, lengths, own, asked.level)
        rows.append(Year(str(names[service]), people or float("nan"), result))
    return rows


def _people(evidence: Evidence, service: str) -> float | None:
    """The largest published number of people whom an outage of a service hit; that of its group says nothing of it."""
    outages = evidence.outages[
        (evidence.outages["kind"] == "outage") & evidence.outages["affected_unit"].isin(PEOPLE_HIT)
    ]
    own = outages[outages["service_id"] == service]
    return None if own.empty else float(own["affected_users"].max())


@dataclass(frozen=True)
class Loss:
    """Users lost for good in incidents of given hours, for :func:`helpers.scenario.year.year`."""

    kept: Kept
    known: Moments
    people: float
    rivals: int
    away: Array

    def __call__(self, hours: Array, which: NDArray[np.intp], rng: np.random.Generator) -> Array:
        """Return the loss of each incident, (n,)."""
        row = which % len(self.kept.told)
        draws = self.kept.told[row]
        event = Event("", "", "", "outage", "", pd.NaT, self.people, 4.0, 0.0, 0, "", silent=False)
        base, _ = of_event(event, self.known)
        middle = draws[:, : len(OF_EVENT)] @ np.array(base)
        column = NAMES.index("hours")
        middle += draws[:, column] * np.log(np.minimum(np.maximum(hours, 1 / 60), LONGEST_HOURS) / 4.0)
        middle += draws[:, NAMES.index("between")] * rng.standard_normal(len(hours))
        within = draws[:, NAMES.index("within")]
        gained = np.zeros(len(hours))
        for _ in range(self.rivals):
            # A rival of the size at which the rule is centred; size says little of a gain in people.
            gained += 10_000.0 * np.exp(middle + within * rng.standard_normal(len(hours)))
        lost: Array = np.minimum(gained, self.people) * self.away[row]
        return lost
