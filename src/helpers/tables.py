"""The tables of a report: each figure as published beside the curve, what was left out, and where it is from."""

from __future__ import annotations

import math

import pandas as pd

from helpers import words
from helpers.case import Case, Series
from helpers.evidence import Evidence
from helpers.fit import Fit, compared, estimates, prior_left, seed_error, within
from helpers.published.figures import window
from helpers.table import Sentence, Table
from helpers.view import named

NOTHING = Sentence("None: nothing was published that can be put on a curve.")
CLAIMANTS = {
    "company": "the company",
    "panel": "a panel or analytics firm",
    "press": "the press",
    "api_count": "a public count",
    "paper": "a paper",
}


def published(fits: list[Fit], evidence: Evidence, level: float, seed: int) -> Table | Sentence:
    """Every figure that was used, beside what the curve says of the same thing."""
    if not fits:
        return NOTHING
    rows = []
    for fitted in fits:
        figures = fitted.series.figures.set_index("figure_id")
        for seen in compared(fitted, level, seed).itertuples(index=False):
            row = figures.loc[seen.figure_id]
            unit = str(row["unit"])
            rows.append(
                {
                    "rival": named(fitted),
                    "as published": words.published(row["value"], unit, row["qualifier"]),
                    "window (UTC)": window(row),
                    "by": CLAIMANTS[row["claimant_class"]],
                    "the curve says": said(seen.low, seen.high, unit),
                    "fits?": "yes" if seen.fits else "does not fit",
                    "chance it is wrong": words.percent(seen.wrong),
                    **source(evidence, row),
                }
            )
    caption = f"Published figures and the curve's {words.percent(level)} interval for the same quantity and hours"
    return Table(pd.DataFrame(rows), caption, links={"source": "address"} if rows else None)


def said(low: float, high: float, unit: str) -> str:
    """Write an interval in the unit of a published figure."""
    thing, _, per = unit.partition("/")
    if unit == "percent":
        return f"{low:+,.0f} to {high:+,.0f} percent"
    if unit == "ratio":
        return f"{words.significant(low):g} to {words.significant(high):g} times"
    each = {"s": " a second", "min": " a minute", "hour": " an hour"}.get(per, f" a {per}" if per else "")
    return f"{words.interval(low, high)} {thing}{each}"


def source(evidence: Evidence, row: pd.Series) -> dict[str, str]:
    """Name the first source of a row that can be opened, and where it is."""
    pages = evidence.sources.set_index("source_id").loc[[i for i in str(row["source_ids"]).split(";") if i]]
    # The seed articles have no address; a page that can be opened is named first.
    page = pages.sort_values("url", key=lambda url: url == "", kind="stable").iloc[0]
    return {"source": str(page["publisher"]) or str(page["title"]), "address": str(page["url"])}


def unused(case: Case, evidence: Evidence) -> Table | Sentence:
    """Every figure that was not put on a curve, and why."""
    rows = []
    figures = evidence.growth_figures.set_index("figure_id")
    for series in case.series:
        for _, row in series.figures[~series.figures["used"]].iterrows():
            # A reason names another figure by its id; a reader knows it by its words.
            why = " ".join(_quoted(word, figures) for word in row["why_not"].split(" "))
            rows.append(_shown(series.service, row, why, evidence))
    names = evidence.services.set_index("service_id")["name"]
    for _, row in case.others.iterrows():
        rows.append(_shown(names[row["service_id"]], row, "about the failing service itself", evidence))
    if not rows:
        return Sentence("Nothing else was published.")
    frame = pd.DataFrame(
        rows, columns=["service", "as published", "counts", "window (UTC)", "why not", "source", "address"]
    )
    return Table(frame, "Published figures that were not put on a curve", links={"source": "address"})


def _quoted(word: str, figures: pd.DataFrame) -> str:
    name = word.rstrip(":")
    if name not in figures.index:
        return word
    row = figures.loc[name]
    return f"“{words.published(row['value'], row['unit'], row['qualifier'])}”{word[len(name) :]}"


def _shown(service: str, row: pd.Series, why: str, evidence: Evidence) -> dict[str, str]:
    value = words.published(row["value"], row["unit"], row["qualifier"]) if pd.notna(row["value"]) else "no number"
    return {
        "service": service,
        "as published": value,
        "counts": str(row["unit_as_published"]) or str(row["measure"]).replace("_", " "),
        "window (UTC)": window(row),
        "why not": why,
        **source(evidence, row),
    }


def usual(fits: list[Fit], evidence: Evidence) -> Table | Sentence:
    """The usual levels that were used."""
    if not fits:
        return NOTHING
    rows, columns = [], ["rival", "usual level", "error granted", "from", "source", "address"]
    for fitted in fits:
        known = evidence.baselines.set_index("baseline_id")
        for claim in fitted.series.baselines + fitted.series.records:
            ids = claim.figure_id.split(";")
            row = known.loc[ids[0]] if ids[0] in known.index else None
            rows.append(
                {
                    "rival": named(fitted),
                    "usual level": f"at most {words.count(claim.high * 24)} a day, the record"
                    if claim.reading == "record"
                    else f"about {words.count((claim.low + claim.high) * 12, 2)} a day",
                    "error granted": f"a factor of {math.exp(claim.error):.2f}",
                    "from": "given by the reader"
                    if row is None
                    else f"{words.day(row['window_start_utc'])}, {row['unit']}"
                    + (f", and {len(ids) - 1} more of other days or counts" if len(ids) > 1 else ""),
                    **({"source": "", "address": ""} if row is None else source(evidence, row)),
                }
            )
        if not fitted.series.baselines:
            rows.append({"rival": named(fitted), "usual level": "not published", **dict.fromkeys(columns[2:], "")})
    frame = pd.DataFrame(rows, columns=columns)
    return Table(
        frame, "Usual level of each rival at the event, from all that was published of it", links={"source": "address"}
    )


def numbers(fits: list[Fit], case: Case, horizon: float, level: float) -> Table | Sentence:
    """All estimates, one row a curve, each as its interval in words; the exact numbers are in the JSON."""
    if not fits:
        return NOTHING
    rows = []
    for fitted in fits:
        made = estimates(fitted, horizon, level, case.affected(fitted.series))
        number = {estimate.quantity: (estimate.low, estimate.high) for estimate in made}
        other = number.get(f"{fitted.name}_confounder")
        each = number.get("gain_per_affected_user")
        rows.append(
            {
                "rival": named(fitted),
                f"extra within {words.duration(horizon)}": f"{words.interval(*number[fitted.name])} {fitted.counted}",
                "at the peak": words.rate_interval(*number["peak_rate"]),
                "half-life": words.duration_interval(*number["half_life"]),
                "usual day": words.interval(*number["baseline_rate"]),
                "other event": words.interval(*other) if other else "none",
                "of 1,000 affected": "unknown"
                if each is None
                else " to ".join(f"{words.significant(1000 * end):g}" for end in each),
            }
        )
    return Table(pd.DataFrame(rows), f"Estimates for each curve: {words.percent(level)} intervals")


def sources(case: Case, evidence: Evidence) -> Table:
    """Every page behind the report."""
    ids = list(str(case.outage["source_ids"]).split(";"))
    for frame in [*(s.figures for s in case.series), case.others, case.confounders]:
        ids += [i for cell in frame["source_ids"] for i in str(cell).split(";")]
    pages = evidence.sources.set_index("source_id").loc[list(dict.fromkeys(i for i in ids if i))].reset_index()
    frame = pages[["publisher", "title", "published_date", "url"]].rename(columns={"published_date": "published"})
    return Table(frame, "Sources", links={"title": "url"})


def publishers(series: Series, evidence: Evidence) -> str:
    """Name the first sources of a curve, for the line under its figure."""
    used = series.figures[series.figures["used"]]
    names = list(dict.fromkeys(source(evidence, row)["source"] for _, row in used.iterrows()))
    return ", ".join(names[:4]) + (" and others" if len(names) > 4 else "")


def diagnostics(fits: list[Fit], horizon: float, level: float) -> Table | Sentence:
    """How well each fit went."""
    if not fits:
        return NOTHING
    rows = [
        {
            "rival": named(fitted),
            "effective draws": f"{fitted.sample.effective:,.0f}",
            "Pareto tail (below 0.7)": f"{fitted.sample.tail:.2f}",
            "response": fitted.model.response,
            "half-life still prior": words.percent(prior_left(fitted)["half-life"]),
            "ends move with the seed by": words.percent(seed_error(fitted, within(fitted, horizon), level)),
            "size still prior": words.percent(prior_left(fitted)["extra count in usual days"]),
        }
        for fitted in fits
    ]
    return Table(pd.DataFrame(rows), "Convergence of each fit, and how much of it is prior")
