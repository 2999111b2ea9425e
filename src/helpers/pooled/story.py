"""All events together in words: the rule first, how sure, what is left after the placebos, what nobody can tell."""

from __future__ import annotations

import numpy as np

from helpers import words
from helpers.charts.pooled_view import DoseView, LeftOutView
from helpers.charts.range_axes import Range
from helpers.evidence import Evidence
from helpers.fit import five
from helpers.models import AcrossOutages
from helpers.pooled import view
from helpers.pooled.design import HOURS, PEOPLE, USUAL
from helpers.pooled.events import LONGEST_HOURS
from helpers.pooled.question import Pool
from helpers.pooled.view import Factor
from helpers.prose import Prose
from helpers.results import Estimate, Record
from helpers.schemas import KINDS

TITLE = "What does an outage send to its rivals, whoever fails?"
SOURCE = "published figures of all events (data/growth_figures.csv); gains are fits of 03_adoption_after_outage"


def times(low: float, high: float) -> str:
    """Write a range of factors: "1.3 to 9.2 times"."""
    ends = [words.digits(words.significant(end)) for end in (low, high)]
    return f"{ends[0]} to {ends[1]} times" if ends[0] != ends[1] else f"about {ends[0]} times"


def by_name(pool: Pool, level: float) -> dict[str, Factor]:
    """Return the factors by the name of their coefficient."""
    return {factor.name: factor for factor in view.factors(pool, level)}


def headline(pool: Pool, level: float) -> str:
    """The answer in a sentence: what ten times as many people hit do to a rival's gain."""
    factor = by_name(pool, level).get("affected")
    if factor is None:
        return f"{_over(pool)}, the people hit do not differ enough to say what more of them send to a rival."
    low, high = factor.plain[0], factor.plain[4]
    sure = "" if low > 1 else "; the figures cannot even tell that it is more"
    return (
        f"{_over(pool)}, ten times as many people hit went with {times(low, high)} the gain of a rival "
        f"({words.percent(level)} interval){sure}."
    )


def _over(pool: Pool) -> str:
    """Say how many events there are, and how few of them are outages or have a published number of people hit."""
    outages, hit = counted(pool)
    first = {0: "none is an outage", 1: "1 is an outage"}.get(outages, f"{outages} are outages")
    second = f"{hit or 'none'} {'have' if hit > 1 else 'has'} a published number of people hit"
    return f"Over {len(pool.table.events)} events, of which {first} and {second}"


def counted(pool: Pool) -> tuple[int, int]:
    """Count the events of the rule that are outages, and those whose number of people hit was published."""
    events = pool.table.events
    return sum(event.kind == "outage" for event in events), sum(not np.isnan(event.affected) for event in events)


def answer(pool: Pool, asked: AcrossOutages) -> Prose:
    """The answer: the rule, how far it can be trusted, what the placebos leave of it."""
    level, told = asked.level, by_name(pool, asked.level)
    said = [headline(pool, level)]
    said += [_hours(told["hours"])] if "hours" in told else []
    said += [_typical(pool, level)] if any(event.kind == "outage" for event in pool.table.events) else []
    said.append(_size(told["usual"]))
    said += [placebo(pool, level)] if "nothing_failed" in told else []
    said += [selected(pool, level), _predicts(pool)]
    return Prose(tuple(said))


def _hours(factor: Factor) -> str:
    low, high = factor.plain[0], factor.plain[4]
    verdict = (
        "longer outages send more"
        if low > 1
        else "longer outages send less"
        if high < 1
        else "the figures cannot tell whether longer outages send more"
    )
    return f"Twice as long down went with {times(low, high)} the gain: {verdict}."


def _typical(pool: Pool, level: float) -> str:
    mean = view.typical(pool.found)
    noise = np.random.default_rng(0).standard_normal(len(mean)) * view.scatter(pool.found)
    low, _, _, _, high = five(np.exp(mean), level)
    first, _, _, _, last = five(np.exp(mean + noise), level)
    return (
        f"After an outage of {words.duration(HOURS)} that hits {words.count(PEOPLE)} people, the median gain of a "
        f"rival that usually wins {words.count(USUAL)} a day is {words.interval(low, high)} people in all; a single "
        f"rival's lies anywhere from {words.interval(first, last)}."
    )


def _size(factor: Factor) -> str:
    low, high = factor.plain[0], factor.plain[4]
    return f"A rival that is usually ten times as large gained {times(low, high)} as many people: " + (
        "size helps, but far less than in proportion." if high < 10 and low > 1 else "in proportion would be ten."
    )


def placebo(pool: Pool, level: float) -> str:
    """What is left of an outage's effect after the events in which nothing failed."""
    low, _, middle, _, high = five(np.exp(-pool.found.of("nothing_failed")), level)
    count = sum(event.kind == "nothing_failed" for event in pool.table.events)
    if low > 1:
        verdict = "what is left of an outage after these placebos is more than attention alone"
    elif high < 1:
        verdict = "nothing is left of an outage's effect after these placebos"
    else:
        verdict = (
            "so the figures cannot tell that anything is left of an outage's effect after these placebos: attention "
            "may be the driver, not unavailability"
        )
    return (
        f"In {count} event{'' if count == 1 else 's'} nothing failed (advice of a minister, an arrest, a leak), and "
        f"rivals gained all "
        f"the same. An outage that hit as many people gave {times(low, high)} as much "
        f"(middle {words.significant(middle):g}); {verdict}."
    )


def selected(pool: Pool, level: float) -> str:
    """How much it could matter that only big gains make the news."""
    outages = next((bound for bound in pool.bounds if bound.kind == "outage"), None)
    silent = sum(bound.events - bound.told for bound in pool.bounds)
    if not silent:
        return "Every event asked for has a published gain, so what nobody reported cannot be asked about."
    if outages is None or outages.told == outages.events:
        return (
            f"After {silent} of {sum(bound.events for bound in pool.bounds)} events nobody published that a rival "
            f"gained. "
            "None of them is an outage, and other events were mostly collected because somebody gained: how much that "
            "matters cannot be told from them."
        )
    pair = [np.exp(np.median(view.typical(found))) for found in (pool.found, pool.told)]
    slope = five(pool.told.draws[:, -1], level)
    sure = (
        "big gains are surely likelier to be published"
        if slope[0] > 0
        else "whether big gains are likelier to be published cannot be told from these figures"
    )
    return (
        f"After {outages.events - outages.told} of {outages.events} outages nobody published that a rival gained. A "
        f"model of publication makes of the typical {words.count(words.significant(pair[0]))} people "
        f"{words.count(words.significant(pair[1]))} ({sure}); were the silent outages all without any gain, the mean "
        f"over all outages would be {words.percent(outages.share)} of that over those told of."
    )


def publication(pool: Pool, level: float) -> Prose:
    """What a model of publication makes of the silence, and what it leans on."""
    said, factor = [selected(pool, level)], by_name(pool, level).get("affected")
    if any(event.kind == "outage" for event in pool.table.events):
        slope = five(pool.told.draws[:, -1], level)
        plain, told = (five(np.exp(view.typical(found)), level) for found in (pool.found, pool.told))
        ends = [f"{slope[place]:.2f}".replace("-", words.MINUS) for place in (0, 4)]
        said.append(
            f"In that model a gain e times as large changes the probit of being published by {ends[0]} to {ends[1]}. "
            f"The typical gain is {words.interval(plain[0], plain[4])} people without it and "
            f"{words.interval(told[0], told[4])} with it."
        )
    if factor:
        said.append(
            f"Ten times the people hit make {times(factor.plain[0], factor.plain[4])} the gain without it, "
            f"{times(factor.told[0], factor.told[4])} with it."
        )
    said.append(
        "The model leans on the normal form of gains that nobody saw: it says how much the effect could matter."
    )
    return Prose(tuple(said))


def _predicts(pool: Pool) -> str:
    own = pool.tests["this rule"]
    (inside80, count), (inside95, _) = own.covers(0.8), own.covers(0.95)
    return (
        f"Does it predict? Each event left out in turn, the 80% interval held in {inside80} of {count} and the 95% "
        f"interval in {inside95}: intervals for what the figures say, as uncertain as they were published, not for the "
        f"true gain. The mean log score is {signed(own.score)}; {'; '.join(map(lead, view.leads(pool)))}."
    )


def lead(one: view.Lead) -> str:
    """Say how the rule does beside a simple one, and whether that could be chance."""
    error = f"(standard error {one.error:.2f})"
    if one.clear:
        verdict = f"better by {one.ahead:.2f} {error}"
    elif one.ahead > 0:
        verdict = f"a little better, by {one.ahead:.2f} {error}, which could be chance"
    else:
        verdict = f"not better, the difference is {signed(one.ahead)} {error}"
    return f"beside “{one.name}” ({signed(one.score)}) that is {verdict}"


def signed(value: float) -> str:
    """Write a score with two decimals and a true minus."""
    return f"{value:.2f}".replace("-", words.MINUS)


def dose_title(pool: Pool, level: float) -> str:
    """The finding of the dose-response figure."""
    factor = by_name(pool, level).get("affected")
    if factor is None:
        return "What rivals gained, event by event"
    return f"Ten times the people hit, {times(factor.plain[0], factor.plain[4])} the gain"


def dose_below(pool: Pool, level: float) -> str:
    """The line below the dose-response figure."""
    outages, hit = counted(pool)
    return (
        "Extra people gained by the rival whose gain is known best (the narrowest interval), against the people hit. "
        f"{outages} of {len(pool.table.events)} events are outages, and {hit} have a published number of people hit. "
        f"{words.percent(level)} intervals."
    )


def dose_alt(shown: DoseView, title: str) -> str:
    """Describe the dose-response figure, with every event."""
    told = [
        f"{p.label}: {f'{words.count(p.x)} hit' if p.x else 'people hit not published'}, "
        f"{words.interval(p.low, p.high)} gained"
        for p in shown.points
    ]
    return f"{title}. Extra people gained against people hit, both on logarithmic scales: {'; '.join(told)}."


def forest_title(rows: list[Range]) -> str:
    """The finding of the forest plot."""
    middles = [row.five[2] for row in rows if row.five]
    if len(middles) < 2:
        return "People gained for each million user-hours without the service"
    span = words.interval(min(middles), max(middles))
    apart = max(row.five[0] for row in rows if row.five) > min(row.five[4] for row in rows if row.five)
    return f"People gained for each million user-hours: medians from {span}" + (", no constant rate" if apart else "")


def forest_alt(rows: list[Range], title: str) -> str:
    """Describe the forest plot, with every event."""
    return f"{title}. {'; '.join(view.range_words(row) for row in rows)}."


def halves_title(rows: list[Range]) -> str:
    """The finding of the half-lives."""
    if len(rows) == 1:
        return f"How long the surge lasts after {rows[0].label.split(' (')[0]}"
    named = {row.label.split(" (")[0]: row.five for row in rows if row.five}
    news, outages = named.get("news"), named.get("outages")
    if news and outages and news[0] > outages[4]:
        return "The surge after news lasts longer than that after an outage"
    if news and outages and news[2] > outages[2]:
        return "The surge after news seems to last longer than that after an outage, but the intervals overlap"
    return "How long the surge lasts hardly differs by kind of event, as far as can be told"


def halves_below(pool: Pool, rows: list[Range], level: float) -> str:
    """The line below the half-lives; how far those beyond a week can be trusted, where there are any."""
    said = f"Half-life of a typical surge; {words.percent(level)} intervals. {len(pool.table.gains)} surges."
    if any(row.five and row.five[4] > LONGEST_HOURS for row in rows):
        said += " Beyond about a week only the order of magnitude is known, however narrow an interval looks there."
    return said


def halves_alt(rows: list[Range]) -> str:
    """Half-lives in words, for who cannot see them."""
    return "; ".join(f"{row.label} {words.duration_interval(row.five[0], row.five[4])}" for row in rows if row.five)


def attention(pool: Pool, level: float) -> Prose:
    """Outages against news and against events in which nothing failed."""
    told, said = by_name(pool, level), list[str]()
    if "policy_shock" in told:
        low, high = told["policy_shock"].plain[0], told["policy_shock"].plain[4]
        verdict = (
            "news sends more" if low > 1 else "news sends less" if high < 1 else "the two cannot be told apart by size"
        )
        said.append(
            f"News without any downtime (a change of terms, a takeover, a breach) gave rivals {times(low, high)} what "
            f"an outage of {words.duration(HOURS)} gives: {verdict}."
        )
    if "nothing_failed" in told:
        said.append(placebo(pool, level) + " What rivals gained in such events is what attention alone can do.")
    if said:
        return Prose(tuple(said))
    if any(event.kind == "outage" for event in pool.table.events):
        return Prose(("Something was out of use in every event asked for, so there is nothing to compare with.",))
    return Prose(("No outage is among the events asked for, so there is nothing to compare with.",))


def tested_alt(shown: LeftOutView, title: str) -> str:
    """Describe the leave-one-out figure, with every event."""
    told = [
        f"{row.label}: predicted {words.interval(row.low95, row.high95)}, its figures say "
        f"{words.interval(row.seen_low, row.seen_high)}"
        for row in shown.rows
    ]
    return f"{title}. {'; '.join(told)}."


def tested_title(pool: Pool) -> str:
    """The finding of the leave-one-out figure."""
    own = pool.tests["this rule"]
    inside, count = own.covers(0.95)
    return f"Predicted from all the others, {inside} of {count} events lie where the rule expects them"


def sources(pool: Pool, evidence: Evidence) -> Prose:
    """Where the pages behind the gains are listed."""
    rows = evidence.growth_figures
    used = rows[rows["outage_id"].isin([event.outage_id for event in pool.table.events])]
    pages = len(set(";".join(used["source_ids"]).split(";")))
    return Prose(
        (
            f"{pages} pages. The table of gains links one for each of them; all of one event are listed, with links, "
            "in its own report (03_adoption_after_outage), and all there are in data/sources.csv.",
        )
    )


def limits(pool: Pool) -> Prose:
    """What the evidence cannot tell."""
    events, gains = pool.table.events, pool.table.gains
    outages, hit = counted(pool)
    there = {event.kind for event in events} - {"outage"}
    others = [view.KIND_WORDS[kind] for kind in KINDS if outages and kind in there]
    counts = {quantity: sum(gain.quantity == quantity for gain in gains) for quantity in ("signups", "installs")}
    return Prose(
        (
            f"{len(gains)} gains after {len(events)} events, {outages} of them outages"
            + (f": the rule for outages leans on {words.listing(others)} for its exponents." if others else "."),
            f"How many people were hit was published for {hit} of {len(events)}; the others enter with the mean and "
            "the spread of those, which widens the interval.",
            f"{counts['signups']} gains count sign-ups, {counts['installs']} installs; one is turned into the other "
            "by one factor for all.",
            "People hit are as published: a service's active users where nobody counted who was really cut off.",
            "That a rival gained is published because it is worth a page. The model of publication knows events, not "
            "the rivals of an event that gained too little to be named.",
            "The single fits assume half-lives of 3 hours to a week, so that few of their draws speak of longer ones: "
            "beyond about a week half-lives are known by order of magnitude only, and an interval that reaches there "
            "may look surer than it is.",
            "An event of the same days shares figures with another (a purchase three days before an outage): both "
            "are in "
            "the rule, and each is left out with the other.",
            "Nothing here is an experiment. People hit, hours and kind go together with attention, season and what "
            "else happened; a coefficient is what went with what.",
        ),
        bullets=True,
    )


def record(pool: Pool, asked: AcrossOutages, data_hash: str) -> Record:
    """Return what the report leaves behind."""
    level = asked.level
    estimates = [
        Estimate(
            service="all",
            quantity=f"gain_ratio_{factor.name}",
            unit="times",
            median=factor.plain[2],
            low=factor.plain[0],
            high=factor.plain[4],
            level=level,
        )
        for factor in view.factors(pool, level)
    ]
    own = pool.tests["this rule"]
    return Record(
        notebook="06_across_outages",
        title=TITLE,
        headline=headline(pool, level),
        parameters=asked.model_dump(),
        evidence_ids=[event.outage_id for event in pool.table.events],
        estimates=estimates,
        diagnostics={
            "effective_draws": pool.found.sample.effective,
            "pareto_tail": pool.found.sample.tail,
            "log_score": {name: test.score for name, test in pool.tests.items()},
            "log_score_lead": {one.name: [one.ahead, one.error] for one in view.leads(pool)},
            "covered": {words.percent(share): list(own.covers(share)) for share in (0.5, 0.8, 0.95)},
            "fitted_again": int(own.outages["again"].sum()),
        },
        data_hash=data_hash,
    )
