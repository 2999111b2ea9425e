"""What is firm about an answer, in words: the first lines of a page, and what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import words
from helpers.anyway import predict
from helpers.case import Case
from helpers.evidence import Evidence
from helpers.excess import Excess, firmest
from helpers.fit import Fit, doubtful, told, told_until
from helpers.grade import ROUGH, Grade, grade
from helpers.pooled import kept
from helpers.pooled.events import neighbours
from helpers.published.figures import window
from helpers.readings import Reading, contradiction
from helpers.results import Estimate

#: What is counted more of, by quantity.
GAINED = {
    "signups": "more people joined {rival}",
    "installs": "more installs of {rival} were made",
    "ported_numbers": "more numbers moved to {rival}",
    "daily_active": "more user-days were spent at {rival}",
    "visits": "more visits went to {rival}",
    "searches": "more searches were made for {rival}",
    "usage": "more uses of {rival} were counted",
}
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


#: Whose count a curve is as, by class of claimant.
COUNTER = {
    "company": "As its company counts",
    "panel": "As the panel counts",
    "press": "As the reports count",
    "paper": "As the paper counts",
    "api_count": "As the public counter counts",
}


@dataclass(frozen=True)
class Firm:
    """What is firm about one curve.

    ``excess`` is the firmest claim less the usual; ``told`` are low end, median and high end of what all figures
    together give until the last hour that one speaks of; ``readings`` two counts that contradict each other.
    """

    excess: Excess | None
    told: tuple[float, float, float]
    readings: tuple[Reading, Reading] | None
    grade: Grade

    def claim_leads(self, level: float) -> bool:
        """Whether the claim less the usual answers best; else all figures together do."""
        return self.excess is not None and (self.excess.factor(level) <= ROUGH or _factor(self.told) > ROUGH)

    def factor(self, level: float) -> float:
        """Upper end over lower end of the headline; of two readings, the wider one's."""
        if self.readings:
            return max(reading.excess.factor(level) for reading in self.readings)
        return self.excess.factor(level) if self.excess and self.claim_leads(level) else _factor(self.told)


def _factor(ends: tuple[float, float, float]) -> float:
    return ends[2] / ends[0] if ends[0] > 0 else float("inf")


def collect(
    evidence: Evidence, folder: Path, case: Case, fits: list[Fit], seed: int, level: float, more: Sequence[Fit] = ()
) -> list[Firm]:
    """Say what is firm about each curve; shares of the usual come from other events of the kept rule.

    Events of the same days, whichever of the two names the other, are no other events. Claims that are more likely
    wrong than not, beside the others of their curve, are passed over.

    Parameters
    ----------
    more : further curves of the same rivals, that may contradict the first.
    """
    own = str(case.outage["outage_id"])
    out = {own} | neighbours(evidence)[own]
    try:
        rules = kept.load(folder)
    except kept.KeptError:
        rules = None
    made = []
    for fitted in fits:
        wrong = doubtful(fitted)
        share = predict(rules.shares_without(out), fitted.series.quantity, case.failed) if rules else None
        one = firmest(fitted.series, share, seed, level, wrong)
        low, middle, high = (float(v) for v in np.quantile(told(fitted), [(1 - level) / 2, 0.5, (1 + level) / 2]))
        ends = max(low, 0.0), max(middle, 0.0), max(high, 0.0)
        readings = contradiction([*fits, *more], fitted.series.service_id, seed, level)
        firm = Firm(one, ends, readings, Grade("", ""))
        mine = sum(claim.figure_id in wrong for claim in fitted.series.claims)
        graded = grade(firm.factor(level), _factor(ends), len(fitted.series.claims), mine, readings is not None)
        made.append(replace(firm, grade=graded))
    return made


def phrase(fitted: Fit) -> str:
    """What is counted, as a clause: "more people joined Telegram"."""
    return GAINED[fitted.series.quantity].format(rival=fitted.series.service) + fitted.series.place


def headline(ahead: str, fitted: Fit, firm: Firm, level: float) -> str:
    """The answer in one sentence, best estimate first, then its range and whose number it is.

    Parameters
    ----------
    ahead : "Because WhatsApp was down on 22 Feb 2014".
    """
    sure = f"({words.percent(level)} interval)"
    if firm.readings:
        return f"{ahead}, {_two(firm.readings, level)}"
    if not firm.claim_leads(level):
        low, middle, high = firm.told
        claims = len(fitted.series.claims)
        of = {1: "one figure", 2: "both figures together"}.get(claims, f"all {claims} figures together")
        return (
            f"{ahead}, about {words.count(middle, 2)} {phrase(fitted)} than usual {_until(fitted)}: "
            f"{words.interval(low, high)} from {of} {sure}."
        )
    assert firm.excess is not None
    one = firm.excess
    low, middle, high = one.ends(level)
    whose = _whose(fitted, one)
    span = f"in {words.duration(one.hours)}"
    if middle <= 0:
        return f"{ahead}, no {phrase(fitted)} than usual {span}, if {whose} is right."
    return (
        f"{ahead}, about {words.count(middle, 2)} {phrase(fitted)} than usual {span}: {_ends(one, level)} if {whose} "
        f"is right {sure}."
    )


def _two(readings: tuple[Reading, Reading], level: float) -> str:
    """Two counts that contradict each other, the firmer one of each."""
    said: list[str] = []
    for reading in readings:
        one = reading.excess
        span = f" than usual in {words.duration(one.hours)}"
        said.append(
            f"by {_whose(reading.fitted, one)} about {words.count(one.ends(level)[1], 2)} {phrase(reading.fitted)}"
            f"{'' if said and span in said[0] else span} ({_ends(one, level)})"
        )
    return f"{said[0]}, {said[1]}: the two contradict each other ({words.percent(level)} intervals)."


def _ends(one: Excess, level: float) -> str:
    """The interval; its "about" only where it is more than the best estimate said again."""
    low, middle, high = one.ends(level)
    ends = words.interval(low, high)
    return ends.removeprefix("about ") if ends == f"about {words.count(middle, 2)}" else ends


def _until(fitted: Fit) -> str:
    return f"in the first {words.duration(told_until(fitted))}"


def clause(fitted: Fit, one: Excess, level: float) -> str:
    """The same of another rival, range first: "about 800,000 more installs of Signal were made in 24 hours"."""
    low, _, high = one.ends(level)
    return f"{words.interval(low, high)} {phrase(fitted)} in {words.duration(one.hours)}"


def basis(fitted: Fit, one: Excess, level: float, lead: str = "That is") -> str:
    """What the headline rests on: the claim, the usual in its hours, and how far such claimants are usually off."""
    row = _row(fitted, one)
    told = words.published(row["value"], row["unit"], row["qualifier"])
    since = f", of which {words.count(one.claim.since, 2)} were there before" if one.claim.since else ""
    said = [f"{lead} “{told}” ({window(row)}){since}"]
    if one.claim.reading == "excess":
        said = [f"{said[0]}, which the page itself sets against the usual."]
    elif one.usual_known:
        some = f"some {words.percent(one.share)}" if one.share >= 0.01 else "under 1%"
        given = " that was given for this report" if fitted.series.baselines[0].figure_id == "given" else ""
        said = [f"{said[0]}, less the usual{given}, {some} of it."]
    else:
        said = [
            f"{said[0]}, less what would have come anyway: no usual level was published, and after other events it "
            f"was some {words.percent(one.share)} of such a claim. The claim itself is the most that it can be."
        ]
    off = np.exp(1.96 * one.claim.error)
    such = SUCH[row["claimant_class"]]
    said.append(f"In 19 of 20 cases {such} are off by less than a factor of {words.significant(float(off)):g}.")
    return " ".join(said)


def told_hours(fitted: Fit, firm: Firm) -> str:
    """How many came from the start to the last hour that a figure speaks of, all figures together."""
    claims = len(fitted.series.claims)
    of = "this figure and the prior give" if claims == 1 else f"all {claims} figures and the prior together give"
    of = "both figures and the prior together give" if claims == 2 else of
    span = words.interval(firm.told[0], firm.told[2])
    speak = {claim.claimant for claim in fitted.series.claims}
    who = COUNTER["api_count" if speak == {"api_count"} else fitted.model.reference]
    return f"{who}, {of} {span} {_until(fitted)}, until the last one ends."


def rests_on(fitted: Fit, firm: Firm, level: float) -> str:
    """What the headline rests on."""
    if firm.readings:
        both = " ".join(
            basis(reading.fitted, reading.excess, level, f"{_whose(reading.fitted, reading.excess).capitalize()} is")
            for reading in firm.readings
        )
        return f"{both} They are further apart than that: one of them must be wrong."
    if not firm.claim_leads(level) or firm.excess is None:
        return told_hours(fitted, firm)
    return f"{basis(fitted, firm.excess, level)} {told_hours(fitted, firm)}"


def estimates(fitted: Fit, firm: Firm, level: float) -> list[Estimate]:
    """The firmest claim less the usual, and both readings where two counts contradict each other, for the record."""
    made = [] if firm.excess is None else [_estimate("excess_in_window", fitted, firm.excess, level)]
    for reading in firm.readings or ():
        who = reading.excess.claim.claimant
        made.append(_estimate(f"excess_in_window_by_{who}", reading.fitted, reading.excess, level))
    return made


def _estimate(quantity: str, fitted: Fit, one: Excess, level: float) -> Estimate:
    low, middle, high = one.ends(level)
    unit = f"{fitted.counted}{fitted.series.place} in {words.duration(one.hours)}"
    service = fitted.series.service_id
    return Estimate(service=service, quantity=quantity, unit=unit, median=middle, low=low, high=high, level=level)


def _whose(fitted: Fit, one: Excess) -> str:
    return WHOSE[str(_row(fitted, one)["claimant_class"])]


def _row(fitted: Fit, one: Excess) -> pd.Series:
    return fitted.series.figures.set_index("figure_id").loc[one.claim.figure_id]
