"""A scenario in words: who would gain what, what to provide for, what is lost, and how far the evidence reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers import words
from helpers.evidence import Evidence
from helpers.fit import compared
from helpers.pooled import kept
from helpers.pooled.events import LONGEST_HOURS
from helpers.prose import Prose
from helpers.results import Estimate, Record
from helpers.scenario import income, retention
from helpers.scenario.basis import an_hour_in_words
from helpers.scenario.outcome import CURRENCY, Outcome, Year, an_hour, earning
from helpers.scenario.predict import Prediction
from helpers.scenario.question import Scenario
from helpers.scenario.titles import ends
from helpers.scenario.year import YearLoss
from helpers.story import within

VERBS = {"outage": "is down", "block": "is blocked", "shutdown": "is shut down", "policy_shock": "is in the news"}
#: One case in twenty goes beyond the provision that is advised.
PROVIDE = 0.95
COUNTS = {"signups": "sign-ups", "installs": "installs", "ported_numbers": "moved numbers"}
#: Why a bank, a broker or a carrier gains few, and late.
BOUND = "Switching takes days there: a contract, an account or money has to be moved, so few do it for one failure."
#: So many times outside of the evidence is said to be far.
FAR = 10.0


def happens(found: Scenario, names: pd.Series) -> str:
    """The event as a clause: "TikTok is down for 7.6 days from 25 January 2026 and 220 million people are hit"."""
    asked = found.asked
    name = str(names[asked.service])
    lasts = f" for {words.duration(asked.duration_hours)}" if asked.down and not asked.endless else ""
    on = " on" if asked.endless else ""
    hit = words.count(asked.users_affected) if np.isfinite(asked.users_affected) else "an unknown number of"
    verb = VERBS[asked.kind].replace("is ", "are ", 1) if " and " in name else VERBS[asked.kind]
    return f"{name} {verb}{lasts} from {asked.day}{on} and {hit} people are hit"


def title(found: Scenario, names: pd.Series) -> str:
    """The question of the report."""
    asked, name = found.asked, str(names[found.asked.service])
    without = f"{words.duration(asked.duration_hours)} without {name}" if asked.down else f"such news about {name}"
    without = f"a {asked.kind} of {name} without an end" if asked.endless else without
    return f"What would {without} send to its rivals?"


def headline(found: Scenario, made: Sequence[Prediction], names: pd.Series) -> str:
    """The answer in a sentence."""
    event = happens(found, names)
    if not made:
        return f"If {event}, the evidence names no rival: give some, and the rule says what they would gain."
    return f"If {event}, provide {_to_provide(made[0], found.asked.level)}"


def _to_provide(one: Prediction, level: float) -> str:
    """What one rival should provide for, and when: "for 48 sign-ups a second at Signal ..."."""
    rate = words.rate(float(np.quantile(one.peak, PROVIDE))).replace(
        " a", f" {COUNTS[one.fitted.series.quantity]} a", 1
    )
    when = words.duration_interval(*ends(one.peak_hour, level))
    return (
        f"for {rate} at {one.rival}, usual ones included: enough in 19 of 20 cases. The peak comes {when} after the "
        f"start ({words.percent(level)} interval)."
    )


def gain(found: Scenario, one: Prediction) -> str:
    """How many more would join the first rival."""
    level = found.asked.level
    low, high = ends(one.extra, level)
    said = (
        f"In all the rule expects {words.interval(low, high)} more people to join {one.rival} "
        f"{within(found.asked.horizon_hours)} ({words.percent(level)} interval, middle "
        f"{words.count(words.significant(float(np.median(one.extra))))})."
    )
    return f"{said} {BOUND}" if found.bound(one.rival_id) else said


def answer(found: Scenario, made: Sequence[Prediction], cost: Outcome, names: pd.Series) -> Prose:
    """The answer: the rivals, the provision, the loss, and how far it can be trusted."""
    said = [headline(found, made, names)]
    level = found.asked.level
    if made:
        said.append(gain(found, made[0]))
    if len(made) > 1:
        rest = [f"{one.rival} {words.interval(*ends(one.extra, level))}" for one in made[1:]]
        said.append(f"The others would gain: {words.listing(rest)}.")
    if made:
        said += [provision(made[1:])] if len(made) > 1 else []
        said += [_lost(found, cost, names)]
        said += [an_hour_in_words(found, cost)] if found.asked.down else []
    said.append(_income(found, cost))
    said += extrapolates(found)
    if made:
        low, high = ends(made[0].extra, level)
        said.append(
            f"How sure? A factor of {words.significant(high / max(low, 1.0)):,.0f} between the ends: one event to "
            f"come is "
            "that uncertain, even where the rule is right."
        )
    return Prose(tuple(said))


def provision(made: Sequence[Prediction]) -> str:
    """The peak that the other rivals should provide for."""
    each = [f"{one.rival} {words.rate(float(np.quantile(one.peak, PROVIDE)))}" for one in made]
    return f"At the others provide for {words.listing(each)}, the busy hour of the day included."


def _income(found: Scenario, cost: Outcome) -> str:
    """The income at stake, with what was given for it."""
    asked = found.asked
    if not asked.down:
        return "Nothing is down in such an event: no hour of income is lost."
    numbers = (asked.given.creators, asked.given.income_per_creator_hour)
    by = "by its own account of December 2024" if numbers == (None, None) else "as given"
    given = f"{words.count(earning(asked))} people at {asked.income_per_creator_hour:g} {CURRENCY} an hour, {by}"
    return income.said(cost.income).replace("Those who earn on the service", f"Those who earn there ({given})")


def _lost(found: Scenario, cost: Outcome, names: pd.Series) -> str:
    level = found.asked.level
    return (
        f"Of all who join these rivals {words.interval(*ends(cost.stay, level))} would still be active there weeks "
        f"later; "
        f"{words.interval(*ends(cost.lost, level))} would be lost to {names[found.asked.service]} for good."
    )


def extrapolates(found: Scenario) -> list[str]:
    """Say how far a scenario lies outside of the events that the rule is made of."""
    asked, said = found.asked, []
    known = [event for event in found.rule_events if not np.isnan(event.affected)]
    people = [event.affected for event in known]
    if people and asked.users_affected > max(people):
        said.append(
            f"This extrapolates: {words.count(asked.users_affected)} people hit are "
            f"{words.significant(asked.users_affected / max(people)):g} times the most of any event with a known gain "
            f"({words.count(max(people))})."
        )
    if people and asked.users_affected < min(people):
        said.append(
            f"This extrapolates: {words.count(asked.users_affected)} people hit are "
            f"{words.significant(min(people) / asked.users_affected):g} times fewer than in any event with a known "
            f"gain "
            f"({words.count(min(people))})."
        )
    own = [event for event in known if event.sector == found.event.sector]
    if own and asked.users_affected >= FAR * max(event.affected for event in own):
        most = max(event.affected for event in own)
        said.append(
            f"This extrapolates within its sector ({found.event.sector}): no event there with a known gain hit more "
            f"than {words.count(most)} people, {words.significant(asked.users_affected / most):g} times fewer."
        )
    if not any(event.sector == found.event.sector for event in found.rule_events):
        said.append(
            f"This extrapolates: no event with a known gain is of this sector ({found.event.sector}); what people "
            f"do there "
            "is taken to be what they do elsewhere."
        )
    if not any(event.kind == found.event.kind for event in found.rule_events):
        said.append(
            f"This extrapolates: no other event of this kind ({found.event.kind.replace('_', ' ')}) has a known gain."
        )
    lengths = [event.hours for event in found.rule_events if event.hours > 0]
    if asked.down and lengths and asked.duration_hours < min(lengths):
        said.append(
            f"This extrapolates: no event with a known gain was as short ({words.duration(min(lengths))} or longer); "
            "the rule knows little of what a short one sends, and may give it far too much."
        )
    if asked.down and asked.duration_hours > LONGEST_HOURS:
        said.append(
            f"Longer than {words.duration(LONGEST_HOURS)} counts as that: whoever left for so long has found another "
            "service."
        )
    return said


def against(found: Scenario, made: Sequence[Prediction]) -> Prose:
    """Say how the prediction did, where the event has happened and figures were published later."""
    if found.real is None:
        return Prose(("No published event is near this one: there is nothing to hold the prediction against.",))
    level, inside, of = found.asked.level, 0, 0
    for one in made:
        if one.fitted.series.claims:
            seen = compared(one.fitted, level, found.asked.seed)
            of += len(seen)
            inside += int(sum(_holds(one, row) for row in seen.itertuples(index=False)))
    left = (
        "Its own figures and those of later events of the service were left out of the rule"
        if found.left_out
        else "None of its figures is in the rule"
    )
    if not of:
        return Prose((f"{left}. What was published about these rivals later counts no people who came.",))
    named = words.listing([one.rival for one in made if one.fitted.series.claims])
    return Prose(
        (
            f"{left}. Of {of} figure{'' if of == 1 else 's'} published later that can be set against it ({named}), "
            f"{inside} lie{'s' if inside == 1 else ''} within the {words.percent(level)} interval of the prediction.",
            "Who the rivals are was taken from the evidence, with hindsight; a forecaster of that day would have "
            "had to "
            "guess them.",
        )
    )


def _holds(one: Prediction, row: object) -> bool:
    figure = one.fitted.series.figures.set_index("figure_id").loc[row.figure_id]  # type: ignore[attr-defined]
    return bool(row.low <= figure["value"] <= row.high)  # type: ignore[attr-defined]


def overload(then: Scenario, made: Sequence[Prediction], planned: float, evidence: Evidence) -> Prose:
    """The rival that did not provide for it: Telegram on 22 and 23 February 2014.

    Parameters
    ----------
    then, made : the scenario of that day and its prediction.
    planned : sign-ups a day that the company had expected at most.
    """
    outages = evidence.outages
    load = outages[(outages["cause_category"] == "load") & outages["confounder_ids"].str.contains(then.event.outage_id)]
    load = load[load["service_id"].isin(then.rivals)]
    if not made or not then.event.outage_id or load.empty:
        return Prose(("The evidence no longer holds Telegram's case.",))
    one, level = made[0], then.asked.level
    figures = one.fitted.series.figures
    day = figures[figures["used"] & (figures["reading"] == "increment") & (figures["window_hours"] <= 24)][
        "value"
    ].max()
    hours = words.listing([words.duration(float(length)) for length in sorted(load["duration_hours"].dropna())])
    rates = figures[figures["used"] & figures["reading"].str.startswith("rate") & (figures["unit"] == "users/s")]
    peak = "" if rates.empty else f", {words.rate(float(rates['value'].max()))} at its height by its own account"
    return Prose(
        (
            f"{one.rival} had expected at most {words.count(planned)} sign-ups a day, "
            f"{words.rate(planned / 86400)}. It "
            f"took {words.count(day)} in one day{peak}, and was itself down under the load, for {hours}.",
            f"Had it asked the rule (made without any figure of that day), the answer would have been a peak of "
            f"{words.rate_interval(*ends(one.peak, level))} ({words.percent(level)}), "
            f"{words.rate(float(np.quantile(one.peak, PROVIDE)))} to be safe in 19 of 20 cases, and a chance of "
            f"{words.percent(float(np.mean(one.peak > planned / 86400)))} that its provision is too small.",
        )
    )


def stays(found: Scenario, cost: Outcome) -> Prose:
    """What the shares that stay rest on."""
    return Prose(
        (
            *(retention.said(cost.anchors, found.asked.kind, who) for who in ("came", "left")),
            income.said(cost.income),
            *(cost.income.assumptions if cost.income else ()),
        )
    )


def years(rows: Sequence[Year], rivals: int) -> Prose:
    """Say what a year of outages costs the service asked about, where as many rivals gain as were predicted."""
    first = rows[0]
    if not isinstance(first.loss, YearLoss):
        return Prose((f"{first.service}: no year is predicted ({first.loss.why}).",))
    loss = first.loss
    return Prose(
        (
            f"{first.service}: {loss.incidents:.1f} published outages are expected within the twelve months from "
            f"{words.day(loss.starts)}. They would cost it {words.count(words.significant(loss.mean))} users for "
            f"good on "
            f"average, {words.count(words.significant(loss.median))} in the middle year, and in one year of twenty "
            f"more than "
            f"{words.count(words.significant(loss.worst))}.",
            loss.remark,
            "The history of published outages is multiplied by the rule with the chance of being published, because "
            "most "
            "outages never make a rival's news. Every incident is taken to hit as many people as the largest one with "
            f"a published number, and to send people to {rivals or 1} rival{'' if rivals == 1 else 's'}, as here: more "
            "rivals, more lost.",
        )
    )


def limits(found: Scenario) -> Prose:
    """What such a prediction cannot know."""
    stale = () if found.kept.fresh else (kept.STALE,)
    return Prose(
        (
            *stale,
            *_lengths(found),
            f"The rule rests on {len(found.rule_events)} events with a published gain. It predicts gains like those "
            f"that "
            "were published: a rival nobody writes about gains less.",
            "Rivals are predicted as if each were open to everybody who was hit. Language, place and platform are "
            "not in it.",
            *_capped(found),
            "The effect of the event is common to its rivals, what a single rival makes of it is its own; they are not "
            "held to share a given number of people.",
            "Those who are lost for good are those who joined these rivals: who left for none of them is not counted.",
        ),
        bullets=True,
    )


def _capped(found: Scenario) -> list[str]:
    known = np.isfinite(found.asked.users_affected)
    return ["Nobody can lose more people than were hit: larger draws count as that."] if known else []


def _lengths(found: Scenario) -> list[str]:
    """Say where published accounts of how long it took differ."""
    if found.real is None or not found.asked.down or found.asked.given.duration_hours is not None:
        return []
    low, high = (float(found.real.outage[f"duration_{end}_hours"]) for end in ("low", "high"))
    if not low < high:
        return []
    taken = words.duration(found.asked.duration_hours)
    return [
        f"Published accounts of this event leave {words.duration_interval(low, high)}; {taken} is taken for it, "
        "and the rule allows for the difference."
    ]


def record(
    found: Scenario, made: Sequence[Prediction], cost: Outcome, rows: Sequence[Year], names: pd.Series, data_hash: str
) -> Record:
    """Return what the report leaves behind."""
    level = found.asked.level
    estimates = []
    for one in made:
        estimates.append(_estimate(one.rival_id, "extra_users", "users", one.extra, level))
        estimates.append(_estimate(one.rival_id, "peak_rate", "users/s", one.peak, level))
    lost = [(one.rival_id, one.total) for one in made] + [(found.asked.service, cost.extra)] * bool(made)
    for service, people in lost:
        if (each := an_hour(found, people)) is not None:
            estimates.append(_estimate(service, "users_lost_per_hour", "users/h", each, level))
    if made:
        estimates.append(_estimate(found.asked.service, "users_lost_for_good", "users", cost.lost, level))
        estimates.append(_estimate("rivals", "users_who_stay", "users", cost.stay, level))
    if cost.income:
        estimates.append(_estimate(found.asked.service, "income_at_stake", CURRENCY, cost.income.draws, level))
    for row in rows:
        if isinstance(row.loss, YearLoss):
            estimates.append(
                _estimate(row.loss.service_id, "users_lost_next_12_months", "users", row.loss.draws, level)
            )
    return Record(
        notebook="07_next_outage",
        title=title(found, names),
        headline=headline(found, made, names),
        outage_id=found.event.outage_id,
        parameters=found.asked.given.model_dump(),
        evidence_ids=[event.outage_id for event in found.rule_events],
        estimates=estimates,
        diagnostics={"rule_made_of_this_evidence": found.kept.fresh, "events_left_out": found.left_out},
        data_hash=data_hash,
    )


def _estimate(service: str, quantity: str, unit: str, draws: np.ndarray, level: float) -> Estimate:
    low, median, high = (float(value) for value in np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2]))
    return Estimate(service=service, quantity=quantity, unit=unit, median=median, low=low, high=high, level=level)
