"""What a report says of ceilings: which one cut the range of an answer, and which contradicts a published figure."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers import words
from helpers.case import Case, Series
from helpers.ceilings import Ceiling
from helpers.evidence import Evidence
from helpers.fit import COUNTED, Fit
from helpers.table import Sentence, Table
from helpers.tables import source
from helpers.view import CAUSES, named

KINDS = {
    "people hit": "people hit",
    "later total": "a later total",
    "users of a month": "users of a later month",
    "population": "population of the place",
}


def in_words(ceiling: Ceiling, case: Case, series: Series) -> str:
    """Say what a ceiling is: "the outage hit 450 million people"."""
    people = words.count(words.significant(ceiling.value))
    if ceiling.kind == "people hit":
        return f"{CAUSES[case.outage['kind']]} hit {people} people"
    if ceiling.kind == "population":
        return f"{series.scope if series.scope != 'world' else 'the world'} has {people} people"
    when = case.origin + pd.Timedelta(hours=ceiling.until)
    before = words.count(words.significant(ceiling.before)) if ceiling.before else ""
    less = f", {before} of them before {CAUSES[case.outage['kind']]}" if before else ""
    if ceiling.kind == "users of a month":
        return f"{series.service} had {people} monthly users by {words.day(when)}"
    return f"{series.service} had {people} {COUNTED[series.quantity]} in all by {words.day(when)}{less}"


def bitten(fitted: Fit, case: Case) -> str:
    """Name the ceiling of each kind that cut an answer's range most; nothing where none did."""
    first = {bite.ceiling.kind: bite for bite in reversed(fitted.bites)}
    told = [
        f"{in_words(bite.ceiling, case, fitted.series)} (which cuts off {words.percent(bite.above)})"
        for bite in sorted(first.values(), key=lambda bite: -bite.above)
    ]
    return f"The range ends where more is impossible: {words.listing(told)}." if told else ""


def contradictions(case: Case, series: Sequence[Series]) -> list[str]:
    """Name each ceiling that a published figure contradicts, beside that figure; such a ceiling is not applied."""
    made = []
    for one in series:
        figures = one.figures.set_index("figure_id")
        for ceiling, claim in one.contradicted:
            row = figures.loc[claim.figure_id]
            told = words.published(row["value"], row["unit"], row["qualifier"])
            made.append(
                f"{one.service}: “{told}” cannot stand beside a published limit: {in_words(ceiling, case, one)}. "
                "Both are shown, and that limit is not applied."
            )
    return made


def table(fits: Sequence[Fit], case: Case, evidence: Evidence) -> Table | Sentence:
    """Every ceiling of every curve, whether it cut the range, and where it is from."""
    rows = []
    for fitted in fits:
        cut = {bite.ceiling: bite.above for bite in fitted.bites}
        against = dict(fitted.series.contradicted)
        for ceiling in (*fitted.series.ceilings, *against):
            if ceiling.kind == "population" and ceiling not in cut:
                continue
            share = words.percent(cut[ceiling]) + " of the range" if ceiling in cut else "nothing"
            rows.append(
                {
                    "rival": named(fitted),
                    "limit": KINDS[ceiling.kind],
                    "at most": words.count(words.significant(ceiling.most)),
                    "because": in_words(ceiling, case, fitted.series),
                    "cuts off": "not applied: a figure contradicts it" if ceiling in against else share,
                    **_page(ceiling, evidence),
                }
            )
    if not rows:
        return Sentence("No limit was published: neither the people hit nor a later total of a rival.")
    return Table(pd.DataFrame(rows), "What the gain cannot exceed", links={"source": "address"})


def _page(ceiling: Ceiling, evidence: Evidence) -> dict[str, str]:
    """Where a ceiling is from."""
    for frame, key in (
        (evidence.outages, "outage_id"), (evidence.baselines, "baseline_id"), (evidence.growth_figures, "figure_id")
    ):  # fmt: skip
        row = frame[frame[key] == ceiling.row]
        if len(row):
            return source(evidence, row.iloc[0])
    return {"source": "United Nations, World Population Prospects 2024", "address": ""}
