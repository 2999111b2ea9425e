"""What a scenario is asked about: the event's row of the evidence, and what the reader gives instead of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import words
from helpers.claims import UTC_OFFSETS
from helpers.evidence import Evidence
from helpers.models import NextOutage
from helpers.pooled.events import LONGEST_HOURS, UNAVAILABLE, Event
from helpers.scenario.named import DEFAULT

#: Place of a scenario without day and night.
WORLD = "world"
#: People who earn on TikTok in the United States, and dollars each of them earns in an hour of day or night: by its
#: own account of December 2024 nearly two million people, nearly 300 million dollars a month.
EARNERS = {DEFAULT: (2_000_000.0, 0.2)}


@dataclass(frozen=True)
class Asked:
    """A scenario with every gap filled.

    ``given`` are the parameters as they came; ``row`` the row of the event in the outages table, None for an outage to
    come. ``duration_hours`` is nan where nothing is down, and LONGEST_HOURS where ``endless``: nobody published an end.
    ``hours_sd`` is the standard deviation of the log of a published length. ``users_affected`` are people, nan where
    unknown. ``creators`` people and ``income_per_creator_hour`` dollars are zero where they are not asked.
    """

    given: NextOutage
    row: pd.Series | None
    service: str
    kind: str
    start: pd.Timestamp
    duration_hours: float
    hours_sd: float
    endless: bool
    users_affected: float
    region: str
    creators: float
    income_per_creator_hour: float

    @property
    def horizon_hours(self) -> float:
        """Hours after the start in which people are counted."""
        return self.given.horizon_hours

    @property
    def level(self) -> float:
        """Probability that the intervals hold."""
        return self.given.level

    @property
    def seed(self) -> int:
        """Seed of the random numbers."""
        return self.given.seed

    @property
    def day(self) -> str:
        """The day it begins: of the place where the evidence has a plain day, else in UTC."""
        plain = self.row is not None and not self.given.start and self.row["time_precision"] in ("day", "month")
        return words.day(self.row["start_utc"] if self.row is not None and plain else self.start)

    @property
    def down(self) -> bool:
        """Whether something could not be used, so that hours without it mean something."""
        return self.kind in UNAVAILABLE

    @property
    def most(self) -> float:
        """People who can leave at the most: those hit, infinite where their number is unknown."""
        return np.inf if np.isnan(self.users_affected) else self.users_affected

    @property
    def of_group(self) -> bool:
        """Whether the event hit more services than the one asked about, so that its people are theirs together."""
        return self.row is not None and self.row["service_id"] != self.service


def fill(evidence: Evidence, given: NextOutage, event: Event | None) -> Asked:
    """Fill what the reader left out from the event, or with what is assumed of an outage to come.

    Parameters
    ----------
    given : as :func:`helpers.params.check` returns them, which refuses what cannot be filled.
    event : the event named by ``given.outage_id``, None for an outage to come.
    """
    row = None if event is None else evidence.outages.set_index("outage_id").loc[event.outage_id]
    place = WORLD if row is None else str(row["scope"]).partition(" (")[0]
    place = place if place in UTC_OFFSETS else WORLD
    kind = given.kind or ("outage" if row is None else str(row["kind"]))
    hours, spread, endless = _length(given, kind, event, row)
    people = given.users_affected if event is None or given.users_affected else event.affected
    earners = EARNERS.get(given.outage_id, (0.0, 0.0))
    asked = (given.creators, given.income_per_creator_hour)
    creators, income = (usual if one is None else one for one, usual in zip(asked, earners, strict=True))
    return Asked(
        given=given,
        row=row,
        service=given.service or ("" if event is None else event.service_id),
        kind=kind,
        start=pd.Timestamp(given.start) if given.start or row is None else _began(row, place),
        duration_hours=hours,
        hours_sd=spread,
        endless=endless,
        users_affected=float("nan") if people is None else people,
        region=given.region or place,
        creators=creators,
        income_per_creator_hour=income,
    )


def _began(row: pd.Series, place: str) -> pd.Timestamp:
    """Start of an event (UTC); a plain day is a day of the place where it happened."""
    start = pd.Timestamp(row["start_utc"])
    plain = row["time_precision"] in ("day", "month")
    return start - pd.Timedelta(hours=place_hours(place)) if plain else start


def _length(given: NextOutage, kind: str, event: Event | None, row: pd.Series | None) -> tuple[float, float, bool]:
    """Hours, the standard deviation of their log, and whether no end was published."""
    if kind not in UNAVAILABLE:
        return float("nan"), 0.0, False
    if given.duration_hours is not None or event is None or row is None:
        return given.duration_hours or float("nan"), 0.0, False
    if row["duration_hours"] > 0:
        return float(row["duration_hours"]), event.hours_sd, False
    endless = np.isnan(row["duration_low_hours"]) and pd.isna(row["end_utc"])
    lasted = event.hours
    if event.hours == LONGEST_HOURS and not endless and np.isnan(row["duration_low_hours"]):
        lasted = (row["end_utc"] - row["start_utc"]) / pd.Timedelta(hours=1)
    return float(lasted), event.hours_sd, bool(endless)


def place_hours(region: str) -> float:
    """Hours by which the middle of a place is ahead of UTC; zero for the world."""
    return float(np.mean(UTC_OFFSETS[region])) if region in UTC_OFFSETS else 0.0
