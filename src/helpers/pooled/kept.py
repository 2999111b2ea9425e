"""The rule as it was last fitted to the whole evidence, kept as tables: who asks one question need not fit it again.

``data/derived/rule.csv`` holds draws of the rule, of the rule with the chance of being published, and of the
half-lives; ``gains.csv`` what the figures of every gain say, so that an outage can be left out; ``people.csv`` how many
people each gain is, for display; ``rule.json`` what evidence they were made of. ``make rule`` writes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import case
from helpers import evidence as ev
from helpers.curve import Array
from helpers.evidence import Evidence
from helpers.excess import ENOUGH, share_of_usual
from helpers.pooled import events, gains, half_lives, rule, selection
from helpers.pooled.design import NAMES, Moments, Table, lay_out
from helpers.pooled.events import Event
from helpers.pooled.gains import PLACES, Gain, LeftOut
from helpers.results import versions
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
_SLICE = ("weight", "gain", "usual", "var_gain", "var_both", "var_usual", "half_life_weight", "half_life")
_OF_PEOPLE = ("total", "week")
_TABLES = ("rule.csv", "gains.csv", "people.csv", "rule.json")
_OF_GAIN = ("outage_id", "rival_id", "rival", "quantity", "scope", "circumvention", "identity")


@dataclass(frozen=True)
class Kept:
    """The rule: draws (DRAWS, len(NAMES)) plain and with the chance of being published; half-lives; its gains.

    ``halves`` are median half-lives by kind, hours, and ``half_scatter`` the standard deviation of the log half-life of
    a new surge; ``aside`` are curves that are no gain; ``shares`` those of the usual in claims (outage_id, quantity,
    share); ``known`` are the moments of covariates that were not published; ``fresh`` says whether all of it was made
    of the evidence in use.
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

    def shares_of(self, quantity: str, without: set[str]) -> Array:
        """Shares of the usual in the firmest claims of other events, of one quantity where there are enough: (m,)."""
        others = self.shares[~self.shares["outage_id"].isin(without)]
        same = others[others["quantity"] == quantity]
        found: Array = (same if len(same) >= ENOUGH else others)["share"].to_numpy(dtype=float)
        return found

    def table(self, known: list[Event]) -> Table:
        """Lay the gains out with all events of the evidence; gains of events that it no longer holds are dropped."""
        ids = {event.outage_id for event in known}
        return lay_out(known, [gain for gain in self.gains if gain.outage_id in ids], self.known)


class KeptError(ValueError):
    """The kept rule cannot be read; the message says how to make it."""


def make(evidence: Evidence, data_hash: str, seed: int = SEED) -> dict[str, str]:
    """Fit the rule to all the evidence, whose tables have that hash: the files' contents by name."""
    found = events.all_events(evidence)
    collected, aside = gains.collect(evidence, found, seed)
    table = lay_out(found, collected)
    plain, told, halves = rule.fit(table, seed), selection.fit(table, seed), half_lives.fit(table, seed)
    some = np.linspace(0, len(plain.draws) - 1, DRAWS).astype(int)
    times = {name: half_lives.typical(halves, kind)[some] for name, kind in zip(HALVES, ALL_KINDS, strict=True)}
    scatter = np.sqrt(halves.of("between") ** 2 + halves.of("within") ** 2)[some]
    frames = []
    for model, draws in (("plain", plain.draws), ("published", told.draws)):
        frame = pd.DataFrame(draws[some][:, : len(NAMES)], columns=list(NAMES))
        frame.insert(0, "model", model)
        frames.append(frame.assign(**times, half_life_scatter=scatter))
    rows = [row for gain in collected for row in _rows(gain)]
    meta = {
        "evidence": data_hash,
        "seed": seed,
        "events": len(table.events),
        "people": table.known.people,
        "hours": table.known.hours,
        "shares": _shares(evidence, found, seed),
        "aside": [(one.outage_id, one.rival, one.why) for one in aside],
        "versions": versions(),
    }
    return {
        "rule.csv": _csv(pd.concat(frames)),
        "gains.csv": _csv(pd.DataFrame(rows)),
        "people.csv": _csv(pd.DataFrame([row for gain in collected for row in _quantiles(gain)])),
        "rule.json": json.dumps(meta, indent=1) + "\n",
    }


def _shares(evidence: Evidence, found: list[Event], seed: int) -> list[tuple[str, str, float]]:
    """Share of the usual in the firmest claim of every curve that has one."""
    made = []
    for event in found:
        for series in case.primary(case.build(evidence, event.outage_id)):
            share = share_of_usual(series, seed, LEVEL)
            if share is not None:
                made.append((event.outage_id, series.quantity, float(f"{share:.{DIGITS}g}")))
    return made


def _rows(gain: Gain) -> list[dict[str, object]]:
    shared = {name: getattr(gain, name) for name in _OF_GAIN}
    spread = gain.spread
    columns = (
        gain.weight, gain.middle[:, 0], gain.middle[:, 1], spread[:, 0, 0], spread[:, 0, 1], spread[:, 1, 1],
        gain.half_life[:, 0], gain.half_life[:, 1],
    )  # fmt: skip
    return [shared | dict(zip(_SLICE, values, strict=True)) for values in zip(*columns, strict=True)]


def _quantiles(gain: Gain) -> list[dict[str, object]]:
    """Two rows of quantiles at PLACES: of the log of all extra people, and of those within a week."""
    of = {"outage_id": gain.outage_id, "rival_id": gain.rival_id}
    return [
        {**of, "of": name, **{f"{place:g}": value for place, value in zip(PLACES, getattr(gain, name), strict=True)}}
        for name in _OF_PEOPLE
    ]


def _csv(frame: pd.DataFrame) -> str:
    text: str = frame.to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")
    return text


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
        return _load(place, ev.data_hash(folder), stamp)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeptError(f"{place}: expected the rule across outages: {error}; make rule fits it again") from error


@lru_cache(maxsize=2)
def _load(place: Path, data_hash: str, stamp: tuple[int, ...]) -> Kept:
    drawn = pd.read_csv(place / "rule.csv")
    rows = pd.read_csv(place / "gains.csv", keep_default_na=False)
    people = pd.read_csv(place / "people.csv").set_index(["outage_id", "rival_id", "of"])
    meta = json.loads((place / "rule.json").read_text(encoding="utf-8"))
    plain, told = (drawn[drawn["model"] == model] for model in ("plain", "published"))
    numbers = drawn.drop(columns="model")
    if len(plain) != DRAWS or len(told) != DRAWS or not np.isfinite(numbers.to_numpy(dtype=float)).all():
        raise ValueError(f"rule.csv: {len(plain)} and {len(told)} draws, expected {DRAWS} of each, every number finite")
    if rows.empty:
        raise ValueError("gains.csv: no row, expected the slices of every gain")
    return Kept(
        plain[list(NAMES)].to_numpy(dtype=float),
        told[list(NAMES)].to_numpy(dtype=float),
        {kind: plain[name].to_numpy(dtype=float) for name, kind in zip(HALVES, ALL_KINDS, strict=True)},
        plain["half_life_scatter"].to_numpy(dtype=float),
        [_gain(part, people) for _, part in rows.groupby(["outage_id", "rival_id"], sort=False)],
        [LeftOut(*one) for one in meta["aside"]],
        pd.DataFrame(meta["shares"], columns=["outage_id", "quantity", "share"]),
        Moments(tuple(meta["people"]), tuple(meta["hours"])),
        meta["evidence"] == data_hash,
    )


def _gain(part: pd.DataFrame, people: pd.DataFrame) -> Gain:
    first = part.iloc[0]
    column = {name: part[name].to_numpy(dtype=float) for name in _SLICE}
    spread = np.empty((len(part), 2, 2))
    spread[:, 0, 0], spread[:, 1, 1] = column["var_gain"], column["var_usual"]
    spread[:, 0, 1] = spread[:, 1, 0] = column["var_both"]
    return Gain(
        **{name: first[name] for name in _OF_GAIN if name != "circumvention"},
        circumvention=bool(first["circumvention"]),
        weight=column["weight"],
        middle=np.column_stack([column["gain"], column["usual"]]),
        spread=spread,
        half_life=np.column_stack([column["half_life_weight"], column["half_life"]]),
        **{
            name: people.loc[(first["outage_id"], first["rival_id"], name)].to_numpy(dtype=float) for name in _OF_PEOPLE
        },
    )


def main() -> None:
    """Fit the rule to the evidence and write it beside its tables."""
    folder = ev.ROOT / "data"
    for name, text in make(ev.load(folder), ev.data_hash(folder)).items():
        part = folder / FOLDER / f".{name}.part"
        part.parent.mkdir(exist_ok=True)
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(folder / FOLDER / name)


if __name__ == "__main__":
    main()
