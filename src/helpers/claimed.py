"""The firmest claim less the usual, in words: the first lines of the answer, and what they rest on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from helpers import words
from helpers.case import Case
from helpers.evidence import Evidence
from helpers.excess import Excess, firmest
from helpers.fit import Fit, doubtful, extra, told_until
from helpers.pooled import kept
from helpers.pooled.events import neighbours
from helpers.published.figures import window
from helpers.results import Estimate

#: Whose number it is, by class of claimant.
WHOSE = {
    "company": "its own count",
    "panel": "the panel’s count",
    "press": "the report",
    "api_count": "the public counter",
    "paper": "the paper",
}
#: What such claimants are, in the plural.
SUCH = {
    "company": "companies’ counts of this kind",
    "panel": "panels’ counts of this kind",
    "press": "reports of this kind",
    "api_count": "public counters",
    "paper": "papers’ counts of this kind",
}


def collect(
    evidence: Evidence, folder: Path, case: Case, fits: list[Fit], seed: int, level: float
) -> list[Excess | None]:
    """Take the usual off the firmest claim of each curve; shares of the usual come from other events of the kept rule.

    Events of the same days, whichever of the two names the other, are no other events. Claims that are more likely
    wrong than not, beside the others of their curve, are passed over.
    """
    own = str(case.outage["outage_id"])
    out = {own} | neighbours(evidence)[own]
    try:
        rules = kept.load(folder)
    except kept.KeptError:
        rules = None
    made = []
    for fitted in fits:
        shares = rules.shares_of(fitted.series.quantity, out) if rules else np.empty(0)
        made.append(firmest(fitted.series, shares, seed, level, doubtful(fitted)))
    return made


def headline(ahead: str, phrase: str, fitted: Fit, one: Excess, level: float) -> str:
    """The answer in one sentence, best estimate first, then its range and whose number it is.

    Parameters
    ----------
    ahead : "Because WhatsApp was down on 22 Feb 2014".
    phrase : "more people joined Telegram".
    """
    low, middle, high = one.ends(level)
    whose = WHOSE[_row(fitted, one)["claimant_class"]]
    span = f"in {words.duration(one.hours)}"
    if middle <= 0:
        return f"{ahead}, no {phrase}{fitted.series.place} than usual {span}, if {whose} is right."
    best = words.count(middle, 2)
    ends = words.interval(low, high)
    ends = ends.removeprefix("about ") if ends == f"about {best}" else ends
    return (
        f"{ahead}, about {best} {phrase}{fitted.series.place} than usual {span}: {ends} if {whose} is right "
        f"({words.percent(level)} interval)."
    )


def clause(phrase: str, fitted: Fit, one: Excess, level: float) -> str:
    """The same of another rival, range first: "about 800,000 more installs of Signal were made in 24 hours"."""
    low, _, high = one.ends(level)
    return f"{words.interval(low, high)} {phrase}{fitted.series.place} in {words.duration(one.hours)}"


def basis(fitted: Fit, one: Excess, level: float) -> str:
    """What the headline rests on: the claim, the usual in its hours, and how far such claimants are usually off."""
    row = _row(fitted, one)
    told = words.published(row["value"], row["unit"], row["qualifier"])
    since = f", of which {words.count(one.claim.since, 2)} were there before" if one.claim.since else ""
    said = [f"That is “{told}” ({window(row)}){since}"]
    if one.claim.reading == "excess":
        said = [f"{said[0]}, which the page itself sets against the usual."]
    elif one.usual_known:
        some = f"some {words.percent(one.share)}" if one.share >= 0.01 else "under 1%"
        said = [f"{said[0]}, less the usual, {some} of it."]
    else:
        said = [
            f"{said[0]}, less what would have come anyway: no usual level was published, and after other events it "
            f"was some {words.percent(one.share)} of such a claim. The claim itself is the most that it can be."
        ]
    off = np.exp(1.96 * one.claim.scale)
    such = SUCH[row["claimant_class"]]
    said.append(f"In 19 of 20 cases {such} are off by less than a factor of {words.significant(float(off)):g}.")
    return " ".join(said)


def told_hours(fitted: Fit, level: float) -> str:
    """How many came from the start to the last hour that a figure speaks of, all figures together."""
    hours = told_until(fitted)
    draws = extra(fitted, hours, tuple(range(fitted.made.shocks)))
    low, high = (float(end) for end in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))
    claims = len(fitted.series.claims)
    of = "this figure and the prior give" if claims == 1 else f"all {claims} figures and the prior together give"
    of = "both figures and the prior together give" if claims == 2 else of
    span = words.interval(max(low, 0.0), max(high, 0.0))
    return f"Allowing for claimants who err, {of} {span} until the last hour that a figure speaks of."


def estimate(fitted: Fit, one: Excess, level: float) -> Estimate:
    """The firmest claim less the usual, as the record holds it."""
    low, middle, high = one.ends(level)
    unit = f"{fitted.counted}{fitted.series.place} in {words.duration(one.hours)}"
    service = fitted.series.service_id
    return Estimate(
        service=service, quantity="excess_in_window", unit=unit, median=middle, low=low, high=high, level=level
    )


def _row(fitted: Fit, one: Excess) -> pd.Series:
    return fitted.series.figures.set_index("figure_id").loc[one.claim.figure_id]
