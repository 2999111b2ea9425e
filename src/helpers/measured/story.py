"""A measurement in words: the answer first, what a reader must know, and a paragraph to paste into an e-mail."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from helpers import results, words
from helpers.measured.checks import Checks
from helpers.measured.expected import Measurement
from helpers.measured.series import Series
from helpers.measured.surge import FADED, HOUR, Surge
from helpers.measured.totals import Estimate
from helpers.measured.window import CannotTell
from helpers.models import SIMULATED, MeasuredSignups
from helpers.prose import Prose

_KINDS = {"outlier": "a single step far off", "surge": "a surge", "step": "a lasting step"}
_DAYS = 14


def noun(asked: MeasuredSignups) -> str:
    """Name what is counted: the column of the counts where it is a word for many of something, or "counts"."""
    if asked.fractional:
        return "units"
    name = (asked.value_column or ("signups" if asked.source == SIMULATED else "")).replace("_", " ").lower()
    if name in ("signups", "sign ups"):
        return "sign-ups"
    return name if re.fullmatch(r"[a-z][a-z ]{2,}s", name) else "counts"


def label(asked: MeasuredSignups) -> str:
    """Name whose series it is."""
    if asked.label or asked.source != SIMULATED:
        return asked.label or Path(asked.source.rstrip("/")).name.partition("?")[0]
    return "The simulated market"


def source_line(series: Series, asked: MeasuredSignups) -> str:
    """Say where the numbers are from."""
    if asked.source == SIMULATED:
        return "SIMULATED data (data/simulated), no real sign-ups"
    return series.source


def answer(
    found: Measurement | CannotTell, after: Surge | None, checked: Checks | None, asked: MeasuredSignups
) -> Prose:
    """The answer in a few sentences: how many, how sure, how fast, what stayed, and what is doubtful."""
    if isinstance(found, CannotTell):
        return Prose((headline(found, asked), "Missing is not zero: no interval is given where none would be honest."))
    said = [headline(found, asked), early(found, asked), _surge(after, found, asked), settled(after, found)]
    said += [past_events(found), *(checked.faults if checked else ())]
    if asked.source == SIMULATED:
        said.append("The series is simulated: nobody signed up. Name a table of your own as the source.")
    return Prose(tuple(text for text in said if text))


def headline(found: Measurement | CannotTell, asked: MeasuredSignups) -> str:
    """The answer in a sentence with its range."""
    if isinstance(found, CannotTell):
        return f"This series cannot tell: {found}."
    level, what = words.percent(found.level), noun(asked)
    share = f"{words.percent(abs(found.relative.low))} to {words.percent(abs(found.relative.high))}"
    within = f"within {_horizon(found)} of the start of the outage of {words.moment(found.window.start)}"
    expected = words.count(found.expected_total.median, 2)
    if found.p >= 1 - found.level:
        fewer, more = words.count(-found.extra.low, 2), words.count(found.extra.high, 2)
        return (
            f"{label(asked)}: no effect can be told from chance {within}. Between {fewer} fewer and {more} more "
            f"{what} than the {expected} expected ({level} interval, {p_value(found.p)})."
        )
    gained = found.extra.median > 0
    low, high = sorted((abs(found.extra.low), abs(found.extra.high)))
    if not gained:
        share = f"{words.percent(abs(found.relative.high))} to {words.percent(abs(found.relative.low))}"
    return (
        f"{label(asked)} counted {words.interval(low, high)} {'more' if gained else 'fewer'} {what} than expected "
        f"{within} ({level} interval): {share} {'above' if gained else 'below'} the {expected} expected without it."
    )


def p_value(p: float) -> str:
    """Write a p-value: "p = 0.034", "p under 0.001"."""
    return "p under 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _horizon(found: Measurement) -> str:
    return words.duration(len(found.gap) * (found.step / HOUR))


def early(found: Measurement, asked: MeasuredSignups) -> str:
    """Say that the surge seems to have begun before its stated start, if it has."""
    if found.early is None or found.extra_early is None:
        return ""
    lead = (found.window.start - found.early) / HOUR
    more = words.interval(found.extra_early.low, found.extra_early.high)
    return (
        f"The surge seems to have begun before the stated start: from {words.moment(found.early)} on, "
        f"{words.duration(lead)} earlier. Those steps are kept out of the baseline; they hold another {more} "
        f"{noun(asked)} above the expected, which are not in the count above. Check the start."
    )


def _surge(after: Surge | None, found: Measurement, asked: MeasuredSignups) -> str:
    if after is None:
        return ""
    half, peak = after.half_life, after.peak_rate
    rate = f"{words.rate_interval(peak.low, peak.high)}, " if not asked.fractional else ""
    return (
        f"At its peak the response reached {rate}{after.peak.low:.2g} to {after.peak.high:.2g} times the usual, and it "
        f"fades by half every {words.duration_interval(half.low, half.high)}."
    )


def settled(after: Surge | None, found: Measurement) -> str:
    """Say what stayed and what was only brought forward, as far as the figures tell."""
    if after is None:
        return ""
    level = after.settled
    if after.faded < FADED:
        return (
            f"Only {words.percent(after.faded)} of the surge has faded at the end of the count: what stays cannot be "
            "told from what still fades. Count for longer."
        )
    if level.low <= 0 <= level.high:
        return (
            "Whether any of it stays cannot be told: once the surge has faded the level lies between "
            f"{words.percent(-level.low)} below and {words.percent(level.high)} above the expected."
        )
    per_day = words.rate_interval(*_sorted(after.settled_per_day.low / 86400, after.settled_per_day.high / 86400))
    if level.low > 0:
        return f"A part stays: {_share(level)} above the expected once the surge has faded, {per_day}."
    people = words.interval(after.brought_forward.low, after.brought_forward.high)
    return (
        f"A part was only brought forward: {_share(level)} below the expected once the surge has faded, {people} "
        f"people by the end of the count."
    )


def _share(level: Estimate) -> str:
    low, high = _sorted(level.low, level.high)
    return f"{words.percent(low)} to {words.percent(high)}"


def _sorted(first: float, last: float) -> tuple[float, float]:
    low, high = sorted((abs(first), abs(last)))
    return low, high


def past_events(found: Measurement) -> str:
    """Say which events nobody marked were found in the past and taken out."""
    events = [event for event in found.unmarked if event.kind != "outlier"]
    odd = len(found.unmarked) - len(events)
    said = []
    for event in events[:3]:
        at = words.moment(found.path.index[event.first])
        change = abs(math.expm1(event.size))
        which = "up" if event.size > 0 else "down"
        said.append(f"{_KINDS[event.kind]} ({which} by {words.percent(change)}) at {at}")
    if len(events) > 3:
        said.append(f"{len(events) - 3} more")
    if odd:
        said.append(f"{odd} single step{'s' if odd > 1 else ''} far off")
    if not said:
        return ""
    return f"The past holds what nobody marked: {words.listing(said)}. The baseline does not learn from it."


def shown_panels(found: Measurement, asked: MeasuredSignups) -> str:
    """Title of the three panels: the finding."""
    if found.p >= 1 - found.level:
        return f"No effect on {label(asked).lower() if not asked.label else label(asked)} can be told from chance"
    more = "more" if found.extra.median > 0 else "fewer"
    low, high = _sorted(found.extra.low, found.extra.high)
    return f"{words.interval(low, high)} {more} {noun(asked)} than expected in {_horizon(found)}"


def panels_alt(found: Measurement, asked: MeasuredSignups) -> str:
    """Alternative text of the three panels."""
    total = words.interval(found.expected_total.low, found.expected_total.high)
    return (
        f"{shown_panels(found, asked)}. Counted: {words.count(found.observed_total)}; expected: {total}. "
        "Three panels over time: observed against expected, the gap of each step, the sum of the gaps."
    )


def placebos_alt(found: Measurement, title: str) -> str:
    """Alternative text of the placebo dates."""
    low, high = (f"{value:+.0%}".replace("-", words.MINUS) for value in (found.relative.low, found.relative.high))
    return f"{title}. The outage: {low} to {high} against the expected. One mark a date with its interval."


def checks_alt(checked: Checks, title: str) -> str:
    """Alternative text of the residual checks."""
    return " ".join([f"{title}. Residuals over time, their autocorrelation, and their quantiles.", *checked.faults])


def shown_placebos(found: Measurement) -> str:
    """Title of the placebo dates: how often the procedure cried wolf."""
    scores = found.placebos.table["score"].abs()
    missed = int((scores > _limit(found)).sum())
    if not missed:
        return f"At {len(scores)} dates when nothing happened the interval always holds zero"
    times = {1: "once", 2: "twice"}.get(missed, f"{missed} times")
    return f"At {len(scores)} dates when nothing happened the interval misses zero {times}"


def _limit(found: Measurement) -> float:
    shams = found.placebos
    return float(stats.t.ppf((1 + found.level) / 2, shams.freedom) * shams.scale**0.5)


def shown_surge(after: Surge) -> str:
    """Title of the response: how fast it fades."""
    return f"The surge fades by half every {words.duration_interval(after.half_life.low, after.half_life.high)}"


def shown_checks(checked: Checks) -> str:
    """Title of the residual checks: what is wrong, or that nothing is."""
    several = len(checked.faults)
    if not several:
        return "The residuals before the outage show nothing wrong"
    return f"The residuals before the outage show {'one thing' if several == 1 else f'{several} things'} wrong"


def mail(found: Measurement | CannotTell, after: Surge | None, asked: MeasuredSignups, series: Series) -> Prose:
    """One paragraph to paste into an e-mail: every number with its range, its scope and what it assumes."""
    if isinstance(found, CannotTell):
        return Prose((headline(found, asked),))
    parts = [headline(found, asked), early(found, asked), _surge(after, found, asked), settled(after, found)]
    dates = len(found.placebos.table)
    if dates:
        parts.append(f"The width is scaled by {dates} dates in the past at which nothing happened.")
    parts.append(
        "Expected is what the series' own trend, rhythm and drift before the outage lead to; it knows of no other "
        f"event of the same days. Source: {source_line(series, asked)}."
    )
    return Prose((" ".join(part for part in parts if part),))


def limits(found: Measurement | CannotTell, series: Series) -> Prose:
    """What the data and the method do not know."""
    notes = list(series.notes)
    if not isinstance(found, CannotTell):
        notes += found.notes
        days = len(found.used) * (found.step / pd.Timedelta(days=1))
        if days < 6 * _DAYS:
            notes.append(
                f"The baseline has seen {words.duration(days * 24)}: slow drifts longer than that are unknown."
            )
    notes.append("Another event of the same days is counted as the outage's own; one series cannot tell them apart.")
    return Prose(tuple(notes), bullets=True)


def record(
    found: Measurement | CannotTell,
    after: Surge | None,
    checked: Checks | None,
    asked: MeasuredSignups,
    digest: str,
) -> results.Record:
    """Return what the report leaves behind, in the quantities of the main job."""
    estimates: list[results.Estimate] = []
    diagnostics: dict[str, Any] = {}
    name = label(asked)

    def add(quantity: str, unit: str, estimate: Estimate, level: float) -> None:
        median, low, high = (float(end) for end in estimate)
        estimates.append(
            results.Estimate(service=name, quantity=quantity, unit=unit, median=median, low=low, high=high, level=level)
        )

    if isinstance(found, CannotTell):
        diagnostics = {"cannot_tell": found.code, "reason": str(found)}
    else:
        add("extra_users", noun(asked), found.extra, found.level)
        add("expected_users", noun(asked), found.expected_total, found.level)
        diagnostics = {
            "p": found.p,
            "placebo_dates": len(found.placebos.table),
            "placebo_scale": found.placebos.scale,
            "freedom": found.effective_freedom,
            "began_early": str(found.early) if found.early is not None else "",
            "unmarked_events": len(found.unmarked),
            "faults": list(checked.faults) if checked else [],
        }
    if after is not None and not isinstance(found, CannotTell):
        one = "users" if noun(asked) == "sign-ups" else noun(asked)  # the main job counts users
        add("peak_rate", f"{one}/s", after.peak_rate, found.level)
        add("half_life", "hours", after.half_life, found.level)
        add("baseline_rate", f"{one}/hour", after.baseline_rate, found.level)
        add("settled_level", "of the expected", after.settled, found.level)
        add("users_brought_forward", noun(asked), after.brought_forward, found.level)
    return results.Record(
        notebook="04_measured_signups",
        title=f"{label(asked)}: what would have happened without the outage?",
        headline=headline(found, asked),
        parameters=asked.model_dump(),
        evidence_ids=[],
        estimates=estimates,
        diagnostics=diagnostics,
        data_hash=digest,
    )
