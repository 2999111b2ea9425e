"""What a report says in words: the answer first, how sure it is, and what stays unknown.

Every sentence is made from a fit or from a row of evidence; text from the evidence is escaped where it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers import bounds, claimed, tables, words
from helpers.case import PEOPLE, Case
from helpers.ceilings import PEOPLE_HIT
from helpers.charts.plots import Range, Update
from helpers.claimed import Firm
from helpers.excess import Excess
from helpers.fit import Fit, compared, estimates, prior_left, seed_error, told_until
from helpers.fit import doubtful as doubtful_ids
from helpers.fit import within as within_horizon
from helpers.grade import Grade
from helpers.likelihood import ANTICIPATION
from helpers.prose import Prose
from helpers.published.figures import window
from helpers.results import Estimate
from helpers.view import CAUSES, event_words

#: An interval wider than this factor tells the order of magnitude at best.
WIDE, HOPELESS = 10.0, 200.0
#: Probability of the narrower interval of an extrapolation.
LIKELY = 0.8
AGREE = (
    "No figure on a curve contradicts the others there beyond its own error. How other pages retell them, also where "
    "they differ, is in the table below."
)
#: Share of the prior's width above which a half-life is the prior's rather than the figures'.
PRIORS_OWN = 0.8
#: Two events whose shares are known no better than this are hardly separated.
HARDLY = 0.6
#: Ends that another seed would move by more than this share are said to do so.
MOVES = 0.05
#: Letters that the answer gives to what another event was.
LONGEST = 160
#: Rivals whose gain the answer spells out.
MOST_NAMED = 4


def event(case: Case, names: pd.Series) -> str:
    """What happened, as a clause: "WhatsApp was down on 22 Feb 2014"."""
    outage = case.outage
    name, was = _named(case, names)
    was = f"{was} partly" if outage["partial"] else was
    what = {
        "outage": f"{name} {was} down",
        "block": f"{name} {was} blocked",
        "shutdown": f"{name} {was} shut down",
        "policy_shock": f"the news about {name} (nothing failed)",
    }[outage["kind"]]
    when = f"in {_month(outage)}" if outage["time_precision"] == "month" else f"on {words.day(outage['start_utc'])}"
    scope = outage["scope"].split(" (")[0]
    where = "" if scope in ("global", "world", "") else f" ({scope})"
    return f"{what} {when}{where}"


def _month(outage: pd.Series) -> str:
    """Name the month of an event, or the year where the evidence brackets no month."""
    long = pd.notna(outage["end_utc"]) and outage["end_utc"] - outage["start_utc"] > pd.Timedelta(days=60)
    return f"{outage['start_utc']:%Y}" if long else f"{outage['start_utc']:%B %Y}"


def _named(case: Case, names: pd.Series) -> tuple[str, str]:
    """Name of the service and the verb that goes with it: several services were down, one was."""
    name = str(names[case.outage["service_id"]])
    name = name.replace("Several ", "several ", 1)
    return name, "were" if " and " in name or name.startswith("several ") else "was"


def title(case: Case, names: pd.Series) -> str:
    """The question a report answers."""
    outage = case.outage
    name, was = _named(case, names)
    was = f"{was} partly" if outage["partial"] else was
    what = {
        "outage": f"when {name} {was} down",
        "block": f"when {name} {was} blocked",
        "shutdown": f"when {name} {was} shut down",
        "policy_shock": f"after the news about {name}",
    }[outage["kind"]]
    month = outage["time_precision"] == "month"
    when = _month(outage) if month else words.day(outage["start_utc"])
    return f"Who gained {what}, {when}?"


def within(horizon: float) -> str:
    """Name the horizon: "within a week"."""
    return "within a week" if horizon == 168 else f"within {words.duration(horizon)}"


def _by_name(numbers: list[Estimate]) -> dict[str, Estimate]:
    return {number.quantity: number for number in numbers}


def gain(fitted: Fit, horizon: float, level: float) -> str:
    """The finding about one rival as a clause, range first; with other events in the same days, of all together."""
    number = _together(fitted, horizon, level)
    return f"{words.interval(number.low, number.high)} {claimed.phrase(fitted)} {within(horizon)}"


def _together(fitted: Fit, horizon: float, level: float) -> Estimate:
    """Everything that was extra: because of the event, and of the others of the same days."""
    number = _by_name(estimates(fitted, horizon, level))
    return number.get(f"{fitted.name}_all_events", number[fitted.name])


def finding(case: Case, fitted: Fit, horizon: float, level: float) -> str:
    """The title of a rival's figure; it names a cause only where nothing else pushed in the same days."""
    number = _together(fitted, horizon, level)
    cause = CAUSES[case.outage["kind"]]
    span, rival = words.interval(number.low, number.high), fitted.series.service
    what = {"signups": "new users", "installs": "more installs", "ported_numbers": "numbers moved"}
    noun = what.get(fitted.series.quantity, fitted.counted)
    others = len(fitted.model.others)
    if others:
        other = "another event" if others == 1 else f"{others} other events"
        return f"{rival} gained {span} {noun}{fitted.series.place} {within(horizon)} of {cause} and {other}"
    brought = {"ported_numbers": f"moved {span} numbers to {rival}"}
    brought_it = brought.get(fitted.series.quantity, f"brought {rival} {span} {noun}")
    return f"{cause[0].upper()}{cause[1:]} {brought_it}{fitted.series.place} {within(horizon)}"


def subtitle(fitted: Fit, horizon: float, level: float) -> str:
    """The line below a figure's title: how fast and for how long."""
    number = _by_name(estimates(fitted, horizon, level))
    half, peak = number["half_life"], number["peak_rate"]
    return (
        f"{words.percent(level)} interval. At its peak {words.rate_interval(peak.low, peak.high)}; then the surge "
        f"halved every {words.duration_interval(half.low, half.high)}."
    )


def headline(
    case: Case, fits: list[Fit], names: pd.Series, horizon: float, level: float, firm: Sequence[Firm] = ()
) -> str:
    """The answer in one sentence: the firmest claim less the usual, where there is one; else the horizon's range."""
    happened = event(case, names)
    if not fits:
        reported = len(case.series)
        known = "nothing was published that says" if reported else "no figure was published on"
        return f"After {happened}, {known} how many people joined a rival: missing, not zero."
    because = "Because of" if case.outage["kind"] == "policy_shock" else "Because"
    ahead = f"After {happened}" if fits[0].model.others else f"{because} {happened}"
    if all_wrong(fits[0]):
        return (
            f"{ahead}, how many people joined {fits[0].series.service} cannot be said: each of its "
            f"{len(fits[0].series.claims)} figures is more likely wrong than not beside the others."
        )
    if firm:
        return claimed.headline(ahead, fits[0], firm[0], level)
    return f"{ahead}, {_extrapolated(fits[0], horizon, level)}"


def _extrapolated(fitted: Fit, horizon: float, level: float) -> str:
    """The range of all that was extra within the horizon, as a clause."""
    number = _together(fitted, horizon, level)
    factor = number.high / max(number.low, 1e-9)
    loose = f", a factor of {words.significant(factor):,.0f} wide" if factor > WIDE else ""
    return f"{gain(fitted, horizon, level)} than usual ({words.percent(level)} interval{loose})."


def answer(
    case: Case, fits: list[Fit], names: pd.Series, horizon: float, level: float, firm: Sequence[Firm] = ()
) -> Prose:
    """The answer: how many, how fast, for how long, whose doing, how sure."""
    said = [headline(case, fits, names, horizon, level, firm)]
    if fits:
        if firm:
            said.append(claimed.rests_on(fits[0], firm[0], level))
            said.append(_week(fits[0], horizon, level))
        said.append(" ".join(_details(case, fits[0], horizon, level)))
        said.append(sureness(fits[0], horizon, level, firm[0].grade if firm else None))
    if len(fits) > 1:
        claims = [one.excess for one in firm] or [None] * len(fits)
        others = list(zip(fits[1:MOST_NAMED], claims[1:MOST_NAMED], strict=True))
        rest = {fitted.series.service: _of_another(fitted, one, horizon, level) for fitted, one in others}
        more = f", and others: {len(fits) - MOST_NAMED} more in the table" if len(fits) > MOST_NAMED else ""
        if told := [text for text in rest.values() if text]:
            said.append(f"Of the other rivals, {words.listing(told)} than usual{more}.")
        if vague := [name for name, text in rest.items() if not text]:
            said.append(f"Of {words.listing(vague)} the figures cannot tell.")
    return Prose(tuple(said))


def _of_another(fitted: Fit, one: Excess | None, horizon: float, level: float) -> str:
    """Return what another rival gained, as a clause: its firmest claim less the usual, else the horizon; or nothing."""
    if one is not None and one.factor(level) <= HOPELESS:
        return claimed.clause(fitted, one, level)
    number = _together(fitted, horizon, level)
    return gain(fitted, horizon, level) if number.high <= HOPELESS * number.low else ""


def _details(case: Case, fitted: Fit, horizon: float, level: float) -> list[str]:
    number = _by_name(estimates(fitted, horizon, level, case.affected(fitted.series)))
    peak, half, usual = number["peak_rate"], number["half_life"], number["baseline_rate"]
    when = number["peak_hour"]
    rival = fitted.series.service
    said = [
        f"{rival} took {words.rate_interval(peak.low, peak.high)} at the peak, "
        f"{words.duration_interval(max(when.low, 0.0), max(when.high, 0.0))} after the start, against a usual "
        f"{words.rate_interval(usual.low / 86400, usual.high / 86400)}.",
        f"After that the surge halved every {words.duration_interval(half.low, half.high)}.",
    ]
    share = number.get("share_from_outage")
    if share:
        said.append(_separated(case, fitted, number[fitted.name], share))
    said.append(bounds.bitten(fitted, case))
    each = number.get("gain_per_affected_user")
    if each:
        low, high = each.low * 1000, each.high * 1000
        said.append(f"Of 1,000 people affected, {words.significant(low):g} to {words.significant(high):g} went there.")
    return [text for text in said if text]


def _separated(case: Case, fitted: Fit, own: Estimate, share: Estimate) -> str:
    """Say how much of what was extra is the event's, where others fell into the same days."""
    cause, many = CAUSES[case.outage["kind"]], len(fitted.model.others) > 1
    other = "the others" if many else "the other"
    parts = " to ".join(dict.fromkeys((words.percent(share.low), words.percent(share.high))))
    alone = f"{words.interval(own.low, own.high)} ({parts} of it all)"
    fell = f"{'Other events' if many else 'Another event'} fell into the days of these figures: {others(case, fitted)}."
    if share.high - share.low > HARDLY:
        return f"{fell} How much is {cause} and how much {other}, the figures cannot separate: {cause} alone, {alone}."
    return f"{fell} {cause[0].upper()}{cause[1:]} alone brought {alone}."


def others(case: Case, fitted: Fit) -> str:
    """Name the other events that push the same curve."""
    return words.listing([event_words(case, fitted.model.shocks[j].event_id, LONGEST) for j in fitted.model.others])


def _week(fitted: Fit, horizon: float, level: float) -> str:
    """All that was extra within the horizon, as the claimant counts and as people."""
    likely = _together(fitted, horizon, LIKELY)
    lead = "Further on it is an extrapolation" if told_until(fitted) < horizon else "From all figures and the prior"
    said = (
        f"{lead}: {_extrapolated(fitted, horizon, level)} With {words.percent(LIKELY)} probability it was "
        f"{words.interval(likely.low, likely.high)}."
    )
    people = _by_name(estimates(fitted, horizon, level)).get("extra_people")
    if people and not fitted.model.others:
        said += f" As people, were such counts off as they usually are: {words.interval(people.low, people.high)}."
    return said


def all_wrong(fitted: Fit) -> bool:
    """Whether each of several figures is more likely wrong than not beside the others."""
    claims = {claim.figure_id for claim in fitted.series.claims}
    return len(claims) > 1 and claims <= set(doubtful_ids(fitted))


def sureness(fitted: Fit, horizon: float, level: float, graded: Grade | None = None) -> str:
    """How sure the answer is, in words, and how much of it is prior."""
    number = _together(fitted, horizon, level)
    factor = number.high / max(number.low, 1e-9)
    sure = f"How sure? {graded.name[0].upper()}{graded.name[1:]}: {graded.why}." if graded else "How sure?"
    sure += (
        f" Within the {words.duration(horizon)} there is a factor of {words.significant(factor):,.0f} between the ends"
    )
    sure += ": the figures cannot tell." if factor > HOPELESS else "."
    if prior_left(fitted)["half-life"] > PRIORS_OWN:
        sure += " How fast the surge faded is mostly the prior: the figures say little about it."
    every = tuple(range(fitted.made.shocks))
    moved = seed_error(fitted, within_horizon(fitted, horizon, every), level)
    if moved > MOVES:
        sure += f" Other random numbers would move an end by about {words.percent(moved)}."
    return sure


def unknown(case: Case, fits: list[Fit]) -> Prose:
    """What stays unknown about this event."""
    outage, said = case.outage, []
    if not case.series:
        said.append("No figure about a rival was published or found. That is missing data, not evidence of no gain.")
    elif not fits:
        said.append("What was published cannot be put on a curve; the table says why of each figure.")
    if outage["kind"] == "policy_shock":
        said.append(
            "Nothing failed here: people left because of news. It is not an outage and is not to be pooled with one."
        )
    if pd.isna(outage["end_utc"]) and outage["kind"] != "policy_shock":
        said.append("When it ended was not published.")
    if outage["time_precision"] in ("day", "month"):
        said.append(f"Only the {outage['time_precision']} of its beginning is known; every hour of it was tried.")
    low, high = outage["duration_low_hours"], outage["duration_high_hours"]
    if pd.notna(low) and pd.notna(high) and high > low:
        said.append(f"Published durations run from {words.duration_interval(low, high)}; all of them were tried.")
    if pd.notna(outage["duration_hours"]) and outage["duration_hours"] > 24:
        said.append("It lasted longer than a day. People switch once, so only its first day is assumed to push them.")
    if pd.isna(outage["affected_users"]) or outage["affected_unit"] not in PEOPLE_HIT:
        said.append("How many people it hit was not published, so there is no gain per person affected.")
    if any(shock.event_id == ANTICIPATION for fitted in fits for shock in fitted.model.shocks):
        said.append("Some left before it began: the rush before it counts as its doing.")
    for fitted in fits:
        if not fitted.series.baselines:
            said.append(f"{fitted.series.service}: {fitted.series.baseline_note}.")
        if fitted.series.quantity in PEOPLE and all(c.bound == "lower" for c in fitted.series.claims):
            said.append(f"{fitted.series.service}: only lower bounds were published; the upper end is the prior's.")
    said += [str(text) for text in (outage["confounders"],) if text]
    said.append("Rivals publish records, not ordinary days: figures that were never published are missing here.")
    return Prose(tuple(said), bullets=True)


def doubtful(case: Case, fits: list[Fit], level: float, seed: int) -> Prose:
    """Name the figures that do not fit the others."""
    if not fits:
        return Prose(("There is no figure on a curve to compare.",))
    said = []
    for fitted in fits:
        figures = fitted.series.figures.set_index("figure_id")
        for seen in compared(fitted, level, seed).itertuples(index=False):
            if not seen.fits:
                row = figures.loc[seen.figure_id]
                told = words.published(row["value"], row["unit"], row["qualifier"])
                curve = tables.said(seen.low, seen.high, row["unit"])
                said.append(
                    f"{fitted.series.service}: “{told}” ({window(row)}) does not fit the other figures. The "
                    f"chance that it is simply wrong is {words.percent(seen.wrong)}; the curve says {curve}."
                )
    said += bounds.contradictions(case, [fitted.series for fitted in fits])
    return Prose(tuple(said or [AGREE]), bullets=bool(said))


def range_of(row: Range) -> str:
    """The interval of one line of a figure, in words."""
    return words.interval(row.five[0], row.five[4]) if row.five else row.note


def change(update: Update) -> str:
    """What the figures did to one quantity, in words."""
    write = words.duration_interval if update.unit == "hours" else words.interval
    before, after = (write(five[0], five[4]) for five in (update.prior, update.posterior))
    return f"{update.name} {before} beforehand, {after} after the figures"


def survives(rows: list[Range], fitted: Fit) -> str:
    """The finding of the sensitivity figure: how far the middle of the answer moves."""
    fives = [row.five for row in rows if row.five]
    middles = [five[2] for five in fives]
    ratio = max(middles) / max(min(middles), 1e-9)
    sinks = fives[0][0] / max(min(five[0] for five in fives), 1e-9)
    verdict = "The middle survives" if ratio < 1.5 else "The answer moves" if ratio < 3 else "The answer leans on them"
    low, high = (words.count(words.significant(end)) for end in (min(middles), max(middles)))
    lower = words.count(words.significant(min(five[0] for five in fives)))
    ends = f"; the lower end sinks to {lower} in one of them" if sinks > 2 else ""
    return f"{verdict}: under other assumptions its middle is {low} to {high} {fitted.counted}{ends}"
