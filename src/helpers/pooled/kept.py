"""The rule as it was last fitted to the whole evidence, kept as tables: who asks one question need not fit it again.

``data/derived/rule.csv`` holds draws of the rule, of the rule with the chance of being published, and of the
half-lives; ``gains.csv`` what the figures of every gain say, so that an outage can be left out; ``people.csv`` how many
people each gain is, for display; ``rule.json`` what evidence they were made of. ``make rule`` writes them
(:mod:`helpers.pooled.keep`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import evidence as ev
from helpers.curve import Array
from helpers.pooled.design import NAMES, Moments, Table, lay_out
from helpers.pooled.events import Event
from helpers.pooled.gains import SLICES, Gain, LeftOut
from helpers.schemas import ALL_KINDS

SEED = 20140222
#: Probability of the interval by which claims are called firm.
LEVEL = 0.95
#: Draws kept of each fit, and significant digits.
DRAWS, DIGITS = 1_600, 5
FOLDER = "derived"
#: What a report says where a rule is not `Kept.fresh`.
STALE = "The rule was made of other evidence than is in use: make rule fits it again."
HALVES = tuple(f"half_life_{kind}" for kind in ALL_KINDS)
SLICE = ("weight", "gain", "usual", "var_gain", "var_both", "var_usual", "half_life_weight", "half_life")
OF_PEOPLE = ("total", "week")
_TABLES = ("rule.csv", "gains.csv", "people.csv", "rule.json")
OF_GAIN = ("outage_id", "rival_id", "rival", "quantity", "scope", "circumvention", "identity", "sector")


@dataclass(frozen=True)
class Kept:
    """The rule: draws (DRAWS, len(NAMES)) plain and with the chance of being published; half-lives; its gains.

    ``halves`` are median half-lives by kind, hours, and ``half_scatter`` the standard deviation of the log half-life of
    a new surge; ``aside`` are curves that are no gain; ``shares`` those of the usual in claims (outage_id, quantity,
    failed, share); ``known`` are the moments of covariates that were not published; ``fresh`` says whether all of it
    was made of the evidence in use.
    """

    draws: Array
    told: Array
    halves: dict[str, Array]
    half_scatter: Array
    gains: list[Gain]
    aside: list[LeftOut]
    shares: pd.DataFrame
    known: Moments
    fresh: bool

    def shares_without(self, outage_ids: set[str]) -> pd.DataFrame:
        """Shares of the usual in the firmest claims of other events."""
        return self.shares[~self.shares["outage_id"].isin(outage_ids)]

    def table(self, known: list[Event]) -> Table:
        """Lay the gains out with all events of the evidence; gains of events that it no longer holds are dropped."""
        ids = {event.outage_id for event in known}
        return lay_out(known, [gain for gain in self.gains if gain.outage_id in ids], self.known)


class KeptError(ValueError):
    """The kept rule cannot be read; the message says how to make it."""


def load(folder: Path) -> Kept:
    """Read the kept rule of a folder of evidence, or that of the project where the folder has none of its own.

    Raises
    ------
    KeptError
        If it cannot be read.
    """
    own = folder / FOLDER
    place = own if (own / "rule.csv").is_file() else ev.ROOT / "data" / FOLDER
    try:
        stamp = tuple((place / name).stat().st_mtime_ns for name in _TABLES)
        return read(place, ev.data_hash(folder), stamp)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeptError(f"{place}: expected the rule across outages: {error}; make rule fits it again") from error


@lru_cache(maxsize=2)
def read(place: Path, data_hash: str, stamp: tuple[int, ...] = ()) -> Kept:
    """Read the tables of one folder, that were changed at such times, beside evidence of that hash."""
    drawn = pd.read_csv(place / "rule.csv")
    rows = pd.read_csv(place / "gains.csv", keep_default_na=False)
    people = pd.read_csv(place / "people.csv").set_index(["outage_id", "rival_id", "of"])
    meta = json.loads((place / "rule.json").read_text(encoding="utf-8"))
    plain, told = (drawn[drawn["model"] == model] for model in ("plain", "published"))
    numbers = drawn.drop(columns="model")
    if len(plain) != DRAWS or len(told) != DRAWS or not np.isfinite(numbers.to_numpy(dtype=float)).all():
        raise ValueError(f"rule.csv: {len(plain)} and {len(told)} draws, expected {DRAWS} of each, every number finite")
    whole = rows.groupby(["outage_id", "rival_id"]).size().eq(SLICES).all()
    if rows.empty or not whole or not np.isfinite(rows[list(SLICE)].to_numpy(dtype=float)).all():
        raise ValueError(f"gains.csv: expected {SLICES} slices of every gain, every number finite")
    return Kept(
        plain[list(NAMES)].to_numpy(dtype=float),
        told[list(NAMES)].to_numpy(dtype=float),
        {kind: plain[name].to_numpy(dtype=float) for name, kind in zip(HALVES, ALL_KINDS, strict=True)},
        plain["half_life_scatter"].to_numpy(dtype=float),
        [_gain(part, people) for _, part in rows.groupby(["outage_id", "rival_id"], sort=False)],
        [LeftOut(*one) for one in meta["aside"]],
        pd.DataFrame(meta["shares"], columns=["outage_id", "quantity", "failed", "share"]),
        Moments(tuple(meta["people"]), tuple(meta["hours"])),
        meta["evidence"] == data_hash,
    )


def _gain(part: pd.DataFrame, people: pd.DataFrame) -> Gain:
    first = part.iloc[0]
    column = {name: part[name].to_numpy(dtype=float) for name in SLICE}
    spread = np.empty((len(part), 2, 2))
    spread[:, 0, 0], spread[:, 1, 1] = column["var_gain"], column["var_usual"]
    spread[:, 0, 1] = spread[:, 1, 0] = column["var_both"]
    return Gain(
        **{name: first[name] for name in OF_GAIN if name != "circumvention"},
        circumvention=bool(first["circumvention"]),
        weight=column["weight"],
        middle=np.column_stack([column["gain"], column["usual"]]),
        spread=spread,
        half_life=np.column_stack([column["half_life_weight"], column["half_life"]]),
        **{name: people.loc[(first["outage_id"], first["rival_id"], name)].to_numpy(dtype=float) for name in OF_PEOPLE},
    )
