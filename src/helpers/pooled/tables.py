"""The tables of notebook 06: the rule, its rivals, other means, what entered and what did not."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from helpers import words
from helpers.evidence import Evidence
from helpers.pooled import story, view
from helpers.pooled.gains import Gain, LeftOut
from helpers.pooled.question import Pool
from helpers.schemas import ALL_KINDS
from helpers.table import Sentence, Table
from helpers.tables import source

METHODS = {
    "sampler": "the sampler of this report, on the same gains",
    "mixed model": "mixed model, events as groups (statsmodels)",
    "meta-regression": "meta-regression, one gain an event (REML, Hartung and Knapp)",
}
KIND_NAMES = {kind: kind.replace("_", " ") for kind in ALL_KINDS} | {"policy_shock": "news"}


def factors(pool: Pool, level: float) -> Table:
    """Every coefficient as a factor on the gain, without and with the model of publication."""
    rows = [
        {
            "what changes": factor.said,
            "times the gain": story.times(factor.plain[0], factor.plain[4]).removesuffix(" times"),
            "middle": f"{words.significant(factor.plain[2]):g}",
            "if gains are published by size": story.times(factor.told[0], factor.told[4]).removesuffix(" times"),
        }
        for factor in view.factors(pool, level)
    ]
    caption = f"How many times the extra people, all else alike; {words.percent(level)} intervals"
    numbers = ["times the gain", "middle", "if gains are published by size"]
    return Table(pd.DataFrame(rows), caption, align=dict.fromkeys(numbers, "num"))


def scores(pool: Pool) -> Table:
    """The rule beside the two simple ones, each predicting every event from the others."""
    rows, ahead = [], {one.name: one for one in view.leads(pool)}
    for name, test in pool.tests.items():
        row = {"rule": name, "mean log score": story.signed(test.score)}
        one = ahead.get(name)
        row["this rule is ahead by (standard error)"] = f"{story.signed(one.ahead)} ({one.error:.2f})" if one else ""
        for share in (0.8, 0.95):
            events, gains = (test.covers(share, of) for of in ("outages", "gains"))
            told = f"{events[0]} of {events[1]} ({gains[0]} of {gains[1]})"
            row[f"{words.percent(share)} interval holds"] = told
        rows.append(row)
    frame = pd.DataFrame(rows)
    return Table(
        frame,
        "Each event predicted from all the others; a higher score is better; in brackets single rivals",
        align=dict.fromkeys(list(frame.columns[1:]), "num"),
    )


def means(pool: Pool, level: float) -> Table | Sentence:
    """The exponents by other means, on the gains that those can take."""
    if pool.means is None:
        return Sentence("Too few gains are known well enough to be taken for points: only the sampler applies.")
    frame = pd.DataFrame(
        {
            "by": [METHODS[name] for name in pool.means["method"]],
            "gains": pool.means["gains"],
            "exponent of people hit": [_ends(row, "affected") for row in pool.means.to_dict("records")],
            "exponent of the rival's size": [_ends(row, "usual") for row in pool.means.to_dict("records")],
        }
    )
    wide = [pool.means[f"{name}_high"] - pool.means[f"{name}_low"] for name in ("affected", "usual")]
    narrower = all(width.iloc[0] < width.iloc[1:].min() for width in wide)
    caption = (
        f"On gains known to a factor of seven or so; {words.percent(level)} intervals; the sampler has a prior and the "
        f"others have none{', so its intervals are narrower' if narrower else ''}, but they may not lie elsewhere"
    )
    numbers = ["exponent of people hit", "exponent of the rival's size"]
    return Table(frame, caption, align=dict.fromkeys(numbers, "num"))


def _ends(row: dict[str, float], name: str) -> str:
    low, high = (f"{row[f'{name}_{end}']:.2f}".replace("-", words.MINUS) for end in ("low", "high"))
    return f"{low} to {high}"


def entered(pool: Pool, known: Evidence, level: float) -> Table:
    """Every gain that entered, with what is known of its event and a page that says so."""
    ends = [(1 - level) / 2, (1 + level) / 2]
    rows = []
    for number, gain in enumerate(pool.table.gains):
        event = pool.table.events[pool.table.owner[number]]
        low, high = np.quantile(gain.week, ends)
        usual = float(np.exp((gain.weight * gain.middle[:, 1]).sum()))
        rows.append(
            {
                "event": event.label,
                "kind": KIND_NAMES[event.kind],
                "people hit": "" if np.isnan(event.affected) else words.count(event.affected),
                "hours": "" if np.isnan(event.hours) else words.digits(words.significant(event.hours)),
                "rival": gain.rival,
                "counted": gain.quantity.replace("_", " ").replace("signups", "sign-ups"),
                "usually a day": words.count(words.significant(usual)),
                "extra within a week": words.interval(low, high),
                **page(gain, known),
            }
        )
    caption = (
        f"Extra within a week: {words.percent(level)} interval of the fit of that event alone, as its own report has "
        "it; hours: without the service, at most a week; source: one page of those behind the gain"
    )
    numbers = ["people hit", "hours", "usually a day", "extra within a week"]
    return Table(pd.DataFrame(rows), caption, {"source": "address"}, dict.fromkeys(numbers, "num"))


def page(gain: Gain, known: Evidence) -> dict[str, str]:
    """Name the first source of a gain that can be opened, and where it is: of its own figures, else of its event."""
    figures, outages = known.growth_figures, known.outages
    own = figures[(figures["outage_id"] == gain.outage_id) & (figures["service_id"] == gain.rival_id)]
    own = own.sort_values("quantity", key=lambda quantity: quantity != gain.quantity, kind="stable")
    event = outages[outages["outage_id"] == gain.outage_id]
    told = [source(known, row) for frame in (own, event) for _, row in frame.iterrows()]
    return next((one for one in told if one["address"]), told[0])


def left_out(pool: Pool) -> Table | Sentence:
    """Figures that are in no gain, by reason; and the events after which nobody reported one."""
    if not pool.aside:
        return Sentence("Every rival with a curve entered.")
    labels = {event.outage_id: event.label for event in pool.events}
    reasons = Counter(one.why for one in pool.aside)
    rows = [
        {
            "why": why,
            "rivals": count,
            "which": words.listing([f"{one.rival} ({labels[one.outage_id]})" for one in pool.aside if one.why == why]),
        }
        for why, count in reasons.most_common()
    ]
    return Table(pd.DataFrame(rows), "Rivals with published figures that are in no gain")


def rows_of(pool: Pool, why: str) -> list[LeftOut]:
    """Return the rivals left out for one reason."""
    return [one for one in pool.aside if one.why == why]


def silence(pool: Pool) -> Table:
    """How many events of each kind somebody published a rival's gain after."""
    frame = pd.DataFrame(
        {
            "kind": [KIND_NAMES[bound.kind] for bound in pool.bounds],
            "events in the evidence": [bound.events for bound in pool.bounds],
            "a rival's gain was published": [bound.told for bound in pool.bounds],
            "share": [words.percent(bound.share) for bound in pool.bounds],
        }
    )
    caption = "Outages are collected whether or not anybody gained, other events mostly because somebody did"
    return Table(frame, caption, align={"share": "num"})


def diagnostics(pool: Pool) -> Table:
    """How well the sampler did for each fit."""
    fits = {"the rule": pool.found, "with the chance of being published": pool.told, "half-lives": pool.halves}
    frame = pd.DataFrame(
        {
            "fit": list(fits),
            "effective draws": [f"{found.sample.effective:,.0f}" for found in fits.values()],
            "Pareto tail": [f"{found.sample.tail:.2f}" for found in fits.values()],
        }
    )
    again = int(pool.tests["this rule"].outages["again"].sum())
    caption = f"Left out one by one, {again} of {len(pool.table.events)} events needed a fit of their own"
    return Table(frame, caption, align=dict.fromkeys(["effective draws", "Pareto tail"], "num"))
