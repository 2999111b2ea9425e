"""The published figures in words: how far above the usual, whether they can all be true, and who claims what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers import words
from helpers.charts.scale_view import ScaleView
from helpers.evidence import Evidence
from helpers.prose import Prose
from helpers.published.claimants import Claimants
from helpers.published.consistency import Consistency
from helpers.published.growth_view import JOINED
from helpers.published.one_scale import OneScale
from helpers.results import Estimate, Record
from helpers.view import NOUNS

#: Findings that the answer spells out.
MOST_SAID = 3
AGREED = "No two figures of one kind contradict each other."


Checks = Mapping[str, Sequence[Consistency]]


def answer(
    scale: OneScale,
    against: pd.DataFrame,
    checks: Checks,
    found: Claimants,
    evidence: Evidence,
    outage_id: str,
) -> Prose:
    """The answer: how many figures, the largest uplift, whether they can be true together, who claims more.

    Parameters
    ----------
    checks : what the figures of each event say of each other, by outage id.
    outage_id : the event, or "all".
    """
    said = [headline(scale, against, about(outage_id, evidence)), _together(checks)]
    worst = _worst(checks)
    if worst is not None and worst["retold"]:
        said.append(f"A retelling does not fit. {worst['text']}")
    pairs = found.pairs[found.pairs["used"].astype(bool) & (found.pairs["service_id"] == scale.service_id)]
    here = pairs[pairs["outage_id"] == outage_id]["text"].tolist()
    if here:
        said.append(f"Two claimants do not say the same: {' '.join(here)}")
    said += [found.text, _beyond(found)]
    return Prose(tuple(text for text in said if text))


def _beyond(found: Claimants) -> str:
    """Name the pairs that lie beyond what one more outage is expected to bring: one of the two is likely wrong."""
    used = found.pairs[found.pairs["used"].astype(bool)]
    used = used[(used["first_class"] == "company") & (used["second_class"] == "panel")]
    least = np.exp((used["log_low"] - used["shape_high"]).to_numpy("float64"))
    beyond = used[least > found.next_gap.high]["text"].tolist()
    if not beyond:
        return ""
    told = " ".join(text[0].upper() + text[1:] for text in beyond)
    return f"Beyond that: {told} The estimate takes one of the two for simply wrong, and does not say which."


def _together(checks: Checks) -> str:
    """Say of every kind of count whether its figures can be true together; of many, how many can."""
    compared = [one for found in checks.values() for one in found if (one.figures["kind"] != "").sum() > 1]
    if len(compared) <= MOST_SAID:
        return " ".join(f"{_kind(one)}: {one.text}" for one in compared)
    told = sum(one.told.agree for one in compared)
    worded = sum(one.worded.agree and not one.told.agree for one in compared)
    never = len(compared) - told - worded
    only = f", {worded} only if “more than” may be far more" if worded else ""
    not_all = f", {never} cannot" if never else ""
    return (
        f"Retellings left out, of {len(compared)} sets of figures of one kind about one event {told} can be true "
        f"together as told{only}{not_all}."
    )


def headline(scale: OneScale, against: pd.DataFrame, about: str) -> str:
    """The answer in two sentences: how much was published, and how far above the usual it lies."""
    own = scale.figures[scale.figures["repeats"] == ""]
    told, again = len(own), len(scale.figures) - len(own)
    retold = f" (and {again} that tell{'s' if again == 1 else ''} one of them again)" if again else ""
    figures = f"{told} published figure{'s' if told != 1 else ''}{retold}"
    count = f"{figures} about {scale.service}{about} can be put on one scale"
    if not told:
        return f"No published figure about {scale.service}{about} is a rate."
    best = _clearest(own, against)
    if best is None:
        return (
            f"{count}. No usual level of the same count was published before, so how far above it they lie is unknown."
        )
    return f"{count}. The clearest: {best['text']}"


def _clearest(own: pd.DataFrame, against: pd.DataFrame) -> Mapping[str, Any] | None:
    """Return the figure whose lower end lies furthest above its usual level; a mean before a moment."""
    # A ratio was published relative to the usual: set against it, it says nothing new.
    own = own[~own["reading"].str.startswith("ratio")]
    beside = own.merge(against[against["times_low"].notna()], on="figure_id")
    if beside.empty:
        return None
    beside["people"] = beside["quantity"].isin(JOINED)
    beside["whole"] = (beside["bound"] == "none") & (beside["measure"] == "mean")
    found: Mapping[str, Any] = beside.sort_values(["people", "whole", "times_low"], ascending=False).iloc[0].to_dict()
    return found


def _kind(checked: Consistency) -> str:
    place = "" if checked.scope == "world" else f" in {checked.scope}"
    device = f" ({checked.platform})" if checked.platform else ""
    noun = NOUNS.get(checked.quantity, checked.quantity.replace("_", " "))
    return f"{noun.capitalize()}{place}{device}"


def _all(checks: Checks) -> list[Consistency]:
    return [one for found in checks.values() for one in found]


def _worst(checks: Checks) -> Mapping[str, Any] | None:
    rows: list[Mapping[str, Any]] = [row for one in _all(checks) for row in one.contradictions.to_dict("records")]
    return max(rows, key=lambda row: row["factor"], default=None)


def about(outage_id: str, evidence: Evidence) -> str:
    """Say after which event, as the end of a phrase: " after WhatsApp's outage of 22 February 2014"."""
    if outage_id == "all":
        return ""
    outage = evidence.outages.set_index("outage_id").loc[outage_id]
    name = evidence.services.set_index("service_id")["name"][outage["service_id"]]
    what = {"outage": "outage", "block": "block", "shutdown": "shutdown"}.get(outage["kind"])
    when = f"{outage['start_utc']:%B %Y}" if outage["time_precision"] == "month" else words.day(outage["start_utc"])
    return f" after the {what} of {name} of {when}" if what else f" after the news about {name} of {when}"


def contradictions(checks: Checks) -> Prose:
    """Every smallest set of figures that cannot be true together, and by how much each would have to be off."""
    said = [
        f"{_kind(checked)}: {row['text']}"
        for checked in _all(checks)
        for row in checked.contradictions.drop_duplicates("figure_ids").to_dict("records")
    ]
    return Prose(tuple(said or [AGREED]), bullets=bool(said))


def retellings(checks: Checks) -> Prose:
    """How other pages tell the same figures again."""
    said = [row["text"] for checked in _all(checks) for row in checked.retellings.to_dict("records")]
    return Prose(tuple(said or ["No figure is told again in other words."]), bullets=bool(said))


def arithmetic(checks: Checks) -> Prose:
    """Rates of a moment held for longer, and what long counts leave for the hours in between."""
    said = [item.text for checked in _all(checks) for item in checked.held]
    said += [item.text for checked in _all(checks) for item in checked.remainders]
    said = list(dict.fromkeys(said))
    return Prose(tuple(said or ["There is no rate of a moment beside a count to hold against it."]), bullets=bool(said))


def shown_chart(scale: OneScale, against: pd.DataFrame, family: Sequence[str]) -> str:
    """The finding of a chart: how far above the usual its clearest figure lies."""
    own = scale.figures[scale.figures["quantity"].isin(family) & (scale.figures["repeats"] == "")]
    best = _clearest(own, against)
    if best is None:
        return f"What was published about {scale.service}, with no usual level to set it against"
    low, high = (words.digits(words.significant(min(best[name], 1e12))) for name in ("times_low", "times_high"))
    times = f"at least {low}" if best["times_high"] == float("inf") else low if low == high else f"{low} to {high}"
    return f"{scale.service}: {best['published']}, {times} times the usual"


def shown_claimants(found: Claimants) -> str:
    """The finding of the forest of ratios."""
    low, high = (words.digits(words.significant(end)) for end in (found.gap.low, found.gap.high))
    return f"Companies claim {low} to {high} times what panels count"


def gap(found: Claimants) -> list[Estimate]:
    """Return how many times a panel's figure a company's is: over all pairs, and for one more."""
    both = (("company_over_panel", found.gap), ("company_over_panel_next", found.next_gap))
    return [
        Estimate(service="all", quantity=name, unit="times", median=i.median, low=i.low, high=i.high, level=found.level)
        for name, i in both
    ]


def shown_levels(scale: OneScale, shown: ScaleView) -> str:
    """The finding of the chart of usual levels: from what to what."""
    ends = {step.start.year: step for step in (shown.usual[0], shown.usual[-1])}
    told = [f"{shown.rate(step.low, step.high)} in {year}" for year, step in ends.items()]
    return f"Usual {shown.noun} of {scale.service}: {', '.join(told)}"


def record(
    scale: OneScale,
    against: pd.DataFrame,
    estimates: Sequence[Estimate],
    evidence: Evidence,
    parameters: Mapping[str, Any],
    data_hash: str,
) -> Record:
    """Return what the report leaves behind."""
    outage = str(parameters["outage_id"])
    where = about(outage, evidence)
    used = {i for cell in against["usual_ids"] for i in str(cell).split(";") if i}
    return Record(
        notebook="02_growth_figures",
        title=f"What was published about {scale.service}'s growth{where}, and can it all be true?",
        headline=headline(scale, against, where),
        outage_id="" if outage == "all" else outage,
        parameters=dict(parameters),
        evidence_ids=[*scale.figures["figure_id"], *scale.left_out["figure_id"], *sorted(used)],
        estimates=[*_rates(scale), *estimates],
        data_hash=data_hash,
    )


def _rates(scale: OneScale) -> list[Estimate]:
    """Return each figure as a rate with the interval of what is true if it and nothing else is known."""
    made = []
    for row in scale.figures[scale.figures["repeats"] == ""].itertuples(index=False):
        unit = f"{row.quantity}/{'s' if scale.per == 'second' else scale.per}"
        middle = min(max(row.value, row.least), row.most)
        made.append(
            Estimate(
                service=scale.service_id, quantity=f"published_{row.measure}", unit=unit,
                median=middle, low=row.least, high=row.most, level=scale.level,
            )
        )  # fmt: skip
    return made
