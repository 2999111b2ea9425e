"""Which figures about one outage can be true together, which contradict each other, and by how much.

Nothing is assumed about the surge: any rate that is never negative will do (see :mod:`helpers.published.stretch`). Two
readings: as worded, "more than 3 million" is at least that; as told, it is also below the next round number, because
who passes that says so. A day without a time zone may be any place's day, the same for all figures of a set; a day on
which the outage itself is dated holds the whole outage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers import words
from helpers.case import DAYS_AFTER, DAYS_BEFORE
from helpers.evidence import Evidence
from helpers.published.agreement import SETS, Sets, Verdict, alone, off, retellings
from helpers.published.figures import KEY, hours_between, no_rate, window
from helpers.published.held import Held, Remainder, held, remainders
from helpers.published.levels import as_total
from helpers.published.stretch import Fact, Kind

#: An outage up to so many hours lies within the day that is named for it.
ONE_DAY_HOURS = 12.0
KINDS: dict[str, Kind] = {"rate_instant": "moment", "rate_peak": "peak", "total": "total"}
#: Counts of people on a day: they overlap from day to day and leave nothing over.
NO_SUMS = ("daily_active", "usage")
#: Below this factor a contradiction is less than any claimant's error.
HARDLY = 1.02
#: Rows of the baselines that speak of the event's own days.
OF_THE_EVENT = ("record", "during_event", "after_event")


@dataclass(frozen=True)
class Consistency:
    """What the figures of one kind about one service say of each other.

    Attributes
    ----------
    service_id, service, quantity, scope, platform : the kind of count; no other is compared with it.
    figures : DataFrame: figure_id, published, repeats, own (told with this event, not with another or as a level),
        kind ("count", "total", "moment", "peak"; empty where not compared), low, high (as told; people, or people
        per hour), start, end (UTC), why_not.
    worded, told : Verdict in each reading.
    contradictions : DataFrame, one row a smallest set that cannot be true: reading, figure_ids (tuple), retold
        (whether it needs a retelling), factor (by which each would have to be off), zones (hours from UTC in
        which the set is possible after all, empty where in none), text.
    alone : DataFrame: figure_id and the factor by which this figure alone would have to be off for all others to
        stand, in both readings; infinite where the others contradict each other without it.
    retellings : DataFrame, one row a figure that tells another one again: figure_id, repeats, ratio of the numbers,
        numbers_agree, same_window, factor_worded and factor_told against the originals, taken by its own words,
        against (the smallest set of originals that it contradicts as told, with ";"), text.
    held : rates of a moment, if they had been held (see :class:`helpers.published.held.Held`).
    remainders : what long counts leave for the hours that no shorter one speaks of.
    """

    service_id: str
    service: str
    quantity: str
    scope: str
    platform: str
    figures: pd.DataFrame
    worded: Verdict
    told: Verdict
    contradictions: pd.DataFrame
    alone: pd.DataFrame
    retellings: pd.DataFrame
    held: tuple[Held, ...]
    remainders: tuple[Remainder, ...]

    @property
    def text(self) -> str:
        """The verdict in a sentence or two."""
        told = self.figures[self.figures["kind"].ne("") & self.figures["repeats"].eq("")]
        n, elsewhere = len(told), int((~told["own"]).sum())
        if n < 2:
            return "There are not two figures of this kind to compare."
        all_of, both = ("The two figures", "both") if n == 2 else (f"The {n} figures", "all")
        if elsewhere:
            own = {0: "", 1: "figure and "}.get(n - elsewhere, f"{n - elsewhere} figures and ")
            all_of = f"The {own}{elsewhere} more about the same days, told elsewhere,"
        if self.told.agree:
            return f"{all_of} can be true together, even with every bound read as a number rounded down."
        if self.worded.agree:
            if self.told.factor < HARDLY:
                return (
                    f"{all_of} can {both} be true, bounds read as rounded down but for {off(self.told.factor, True)}."
                )
            return (
                f"{all_of} can {both} be true as worded. With every bound read as a number rounded down, each "
                f"would have to be {off(self.told.factor)}."
            )
        if self.worded.factor < HARDLY:
            error = off(self.worded.factor, True)
            return f"{all_of} cannot {both} be exactly true, but an error of {error} in each would do."
        return f"{all_of} cannot {both} be true: each would have to be {off(self.worded.factor)}."


def check(evidence: Evidence, outage_id: str, service_id: str = "") -> list[Consistency]:
    """Compare the figures told with an outage, and with the events that confound it, kind by kind.

    Parameters
    ----------
    outage_id : key of the event.
    service_id : one service only; all of them when empty.

    Returns
    -------
    list of Consistency
        One for each kind with at least one figure that is a rate, a count or a total.

    Raises
    ------
    KeyError
        If the evidence has no such outage.
    """
    outage = evidence.outage(outage_id)
    told = evidence.growth_figures
    if service_id:
        told = told[told["service_id"] == service_id]
    own = told[told["outage_id"] == outage_id]
    nearby = told[told["outage_id"].isin(outage["confounder_ids"].split(";"))]
    names = evidence.services.set_index("service_id")["name"]
    made = []
    for key, part in own.groupby(KEY, sort=False):
        same = nearby[(nearby[KEY] == pd.Series(key, index=KEY)).all(axis=1)]
        near = _near(pd.concat([part, same]), outage)
        if near.empty:
            continue
        rows = pd.concat([near, _levels(evidence, outage, part.iloc[0])])
        compared = _compare(rows, outage, str(names[key[0]]))
        if compared.figures["kind"].ne("").any():
            made.append(compared)
    return made


def _near(rows: pd.DataFrame, outage: pd.Series) -> pd.DataFrame:
    start = outage["start_utc"]
    late = rows["window_start_utc"] > start + pd.Timedelta(days=DAYS_AFTER)
    return rows[~late & (rows["window_end_utc"] >= start - pd.Timedelta(days=DAYS_BEFORE))]


def _levels(evidence: Evidence, outage: pd.Series, like: pd.Series) -> pd.DataFrame:
    """Records, totals and means published elsewhere whose days hold the event."""
    rows = evidence.baselines
    rows = rows[(rows[KEY] == like[KEY]).all(axis=1) & rows["role"].isin(OF_THE_EVENT)]
    rows = _near(rows.rename(columns={"baseline_id": "figure_id"}), outage)
    hours = (rows["window_end_utc"] - rows["window_start_utc"]) / pd.Timedelta(hours=1)
    same = {"qualifier": "about", "repeats": "", "value_kind": "absolute", "outage_id": ""}
    return rows.assign(window_hours=hours.astype(float), **same)


def _compare(rows: pd.DataFrame, outage: pd.Series, name: str) -> Consistency:
    origin = outage["start_utc"]
    facts: dict[str, Fact] = {}
    made = []
    for _, row in rows.iterrows():
        fact = _fact(row, origin)
        if isinstance(fact, Fact):
            facts[fact.figure_id] = fact
        made.append(_shown(row, fact) | {"own": row["outage_id"] == outage["outage_id"]})
    figures = pd.DataFrame(made).reset_index(drop=True)
    retold = {str(row["figure_id"]): str(row["repeats"]) for _, row in rows.iterrows() if row["repeats"]}
    plain = dict(zip(figures["figure_id"], figures["published"], strict=True))
    # The same words may stand for other days: each figure is named with its window.
    said = {str(row["figure_id"]): f"{plain[row['figure_id']]} ({window(row)})" for _, row in rows.iterrows()}
    sets = Sets(facts, retold, _anchors(facts, outage), said)
    qualifiers = dict(zip(rows["figure_id"], rows["qualifier"], strict=True))
    worded = replace(sets, facts={i: _as_worded(fact, qualifiers[i]) for i, fact in facts.items()})
    first = rows.iloc[0]
    summed = {} if first["quantity"] in NO_SUMS else facts
    return Consistency(
        *(str(first["service_id"]), name, str(first["quantity"]), str(first["scope"]), str(first["platform"])),
        figures=figures,
        worded=worded.verdict("as worded"),
        told=sets.verdict("as told"),
        contradictions=pd.DataFrame(worded.smallest("as worded") + sets.smallest("as told"), columns=SETS),
        alone=alone(worded, sets),
        retellings=retellings(worded, sets, dict(zip(figures["figure_id"], figures["value"], strict=True))),
        held=tuple(held(summed, figures, _length(outage))),
        remainders=tuple(remainders([f for i, f in summed.items() if i not in retold], plain)),
    )


def _length(outage: pd.Series) -> float:
    return float(outage["duration_hours"]) if pd.notna(outage["duration_hours"]) else np.nan


def _fact(row: pd.Series, origin: pd.Timestamp) -> Fact | str:
    """Read a row as a constraint, as told; or say why it is none."""
    if why := no_rate(row):
        return why
    reading = str(row["reading"])
    if reading.startswith("ratio") or reading == "excess":
        return "relative to a usual level: it bounds no count by itself"
    start, end = hours_between(row["window_start_utc"], origin), hours_between(row["window_end_utc"], origin)
    low, high = cl.interval(float(row["value"]), str(row["unit"]), str(row["qualifier"]), reading)
    kind = KINDS.get(reading, "count")
    hours = min(float(row["window_hours"]), end - start) if pd.notna(row["window_hours"]) else end - start
    precision = str(row["window_precision"])
    zone = cl.shift(precision if precision in ("minute", "hour") else "day", str(row["scope"]), 0.0, 0.0)
    if kind == "count" and reading != "increment":
        low, high = low * hours, high * hours
    if kind == "total":
        total = as_total(row.rename({"figure_id": "id"}))
        low, high, hours = total.low, total.high, 0.0
    if kind in ("moment", "peak"):
        hours = cl.PER_HOURS.get(str(row["unit"]).partition("/")[2], 24.0)
    return Fact(str(row["figure_id"]), kind, low, high, start, end, hours, zone)


def _as_worded(fact: Fact, qualifier: str) -> Fact:
    bound = cl.bound_of(qualifier)
    return replace(fact, low=0.0 if bound == "upper" else fact.low, high=np.inf if bound == "lower" else fact.high)


def _shown(row: pd.Series, fact: Fact | str) -> dict[str, object]:
    value = np.nan
    if isinstance(fact, Fact):
        value = float(row["value"]) * cl.per_hour(str(row["unit"]), str(row["reading"]))
        value *= fact.hours if fact.kind == "count" and row["reading"] != "increment" else 1.0
    return {
        "figure_id": row["figure_id"],
        "published": words.published(float(row["value"]), str(row["unit"]), str(row["qualifier"])),
        "repeats": row["repeats"],
        "kind": fact.kind if isinstance(fact, Fact) else "",
        "value": value,
        "low": fact.low if isinstance(fact, Fact) else np.nan,
        "high": fact.high if isinstance(fact, Fact) else np.nan,
        "start": row["window_start_utc"],
        "end": row["window_end_utc"],
        "why_not": "" if isinstance(fact, Fact) else fact,
    }


def _anchors(facts: dict[str, Fact], outage: pd.Series) -> dict[str, tuple[float, float]]:
    """Shifts that leave the whole outage within the windows that are dated on it."""
    if outage["time_precision"] not in ("minute", "hour") or pd.isna(outage["end_utc"]):
        return {}
    length = hours_between(outage["end_utc"], outage["start_utc"])
    if length > ONE_DAY_HOURS:
        return {}
    dated = [f for f in facts.values() if f.zone[1] - f.zone[0] > 1 and f.start <= 0 and f.end >= length]
    return {f.figure_id: (length - f.end, -f.start) for f in dated if f.hours >= f.end - f.start}
