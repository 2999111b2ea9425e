"""A measured panel in words: the answer first, what chance and the placebo series say, what stays unknown."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import results, words
from helpers.measured.totals import Estimate
from helpers.models import SIMULATED, WhoGained
from helpers.panel import gains, question, view
from helpers.panel.discoveries import Discoveries, said_of_placebos
from helpers.panel.measure_all import PanelResult
from helpers.panel.null import LEAST_PLACEBOS
from helpers.prose import Prose

#: Rows named in a sentence, and rows of each side that a report leaves behind as estimates.
FEW, KEPT = 3, 10
#: Why a series gives no interval, in words, by code.
REASONS = {
    "too_short": "too short",
    "too_few_seasons": "too few seasons to learn",
    "too_broken": "too many gaps",
    "all_zero": "nothing but zeros",
    "constant": "the same number throughout",
    "outside": "the outage lies outside the data",
    "no_counts": "nothing counted after the start",
    "bad_count": "a count that is none",
    "bad_time": "a time between the steps",
    "duplicate_time": "two counts at one time",
    "no_name": "no name",
}


def noun(asked: WhoGained) -> str:
    """Name what is counted: the column of the counts in words."""
    name = "" if "wide" in asked.read_as else asked.value_column
    return "sign-ups" if name in ("", "count", "signups") else name.replace("_", " ")


def reason(code: str) -> str:
    """Say a reason code in words."""
    return REASONS.get(code, code.replace("_", " "))


def source_line(asked: WhoGained) -> str:
    """Say where the numbers are from."""
    if asked.source == SIMULATED:
        return "SIMULATED data (data/simulated), no real sign-ups"
    return Path(asked.source.rstrip("/")).name.partition("?")[0]


def answer(result: PanelResult, found: Discoveries, asked: WhoGained) -> Prose:
    """The answer in a few sentences: how many, who, how sure, what could not be measured, what checked it."""
    said = [headline(result, found, asked)]
    said += [_side(result, found, asked, sign) for sign in (1, -1)]
    said += [_chance(found), failed(result, asked), checked(found, asked), _early(found, asked)]
    if asked.source == SIMULATED:
        said.append(
            "The data are SIMULATED: nobody signed up anywhere, and what really happened to each series is known "
            "(data/simulated). Name a table of your own as the source."
        )
    return Prose(tuple(text for text in said if text))


def several(asked: WhoGained) -> bool:
    """Whether there are several outages, so that a row is a series and an outage."""
    return len(asked.outages) > 1


def _rows(asked: WhoGained, number: int) -> str:
    """Name what is counted among: "52 series", "104 measurements of a series after an outage"."""
    if not several(asked):
        return f"{number:,} series"
    return f"{number:,} measurement{'' if number == 1 else 's'} of a series after an outage"


def _when(asked: WhoGained) -> str:
    windows = question.windows(asked)
    within = f"within {words.duration(asked.horizon_hours)} of the start of"
    if len(windows) == 1:
        named = f"{windows[0].name} (" if windows[0].name else "the outage of "
        return f"{within} {named}{words.moment(windows[0].start)}{')' if windows[0].name else ''}"
    first, last = (words.moment(end(window.start for window in windows)) for end in (min, max))
    return f"{within} each of {len(windows)} outages ({first} to {last})"


def numbers(found: Discoveries) -> tuple[int, int]:
    """Return how many rows are called gains, and losses."""
    rank = found.table["rank"]
    return int((rank > 0).sum()), int((rank < 0).sum())


def headline(result: PanelResult, found: Discoveries, asked: WhoGained) -> str:
    """The answer in a sentence: how many of how many gained and lost."""
    mark = "SIMULATED panel: " if asked.source == SIMULATED else ""
    gained, lost = numbers(found)
    if not found.tested:
        text = f"none of {_rows(asked, len(result.table))} could be tested {_when(asked)}."
    elif not gained + lost:
        text = f"none of {_rows(asked, found.tested)} gained or lost {noun(asked)} beyond chance {_when(asked)}."
    else:
        rest = found.tested - gained - lost
        others = f" The other {rest:,} cannot be told from chance." if rest else ""
        losers = f"{lost:,} lost some" if lost else "none lost any"
        text = (
            f"of {_rows(asked, found.tested)}, {f'{gained:,}' if gained else 'none'} gained {noun(asked)} and {losers} "
            f"{_when(asked)}.{others}"
        )
    return mark + text if mark else text[:1].upper() + text[1:]


def _side(result: PanelResult, found: Discoveries, asked: WhoGained, sign: int) -> str:
    """Name the surest gains, or losses, each with its range, and what they add up to."""
    rows = found.gainers() if sign > 0 else found.losers()
    if not len(rows):
        return ""
    more, done = ("more", "gained") if sign > 0 else ("fewer", "lost")
    first, *rest = [(view.label(row, result), extent(row)) for _, row in rows.head(FEW).iterrows()]
    text = f"{first[0]} {done} most surely: {first[1]} {more} {noun(asked)} than expected"
    if not rest:
        return f"{text}."
    whole = together(result, found, asked, sign)
    low, high = sorted((abs(whole.low), abs(whole.high)))
    then = words.listing([f"{name} ({counted})" for name, counted in rest])
    return f"{text}; then {then}. Together the {len(rows):,} counted {words.interval(low, high)} {more}."


def extent(row: pd.Series) -> str:
    """Write the interval of a called gain or loss in people."""
    low, high = sorted((abs(float(row["called_low"])), abs(float(row["called_high"]))))
    return words.interval(low, high)


def together(result: PanelResult, found: Discoveries, asked: WhoGained, sign: int) -> Estimate:
    """Return what all called gains, or losses, add up to."""
    rows = found.gainers() if sign > 0 else found.losers()
    # Errors of one country go together whatever the number of outages.
    apart = question.alike(result, asked)
    return gains.total(rows, apart.loc[rows.index])


def _chance(found: Discoveries) -> str:
    called = sum(numbers(found))
    if not called:
        return ""
    share, each = words.percent(found.level), words.percent(1 - found.level)
    return (
        f"Of those called, about {share} or fewer are chance on average. Their intervals are widened to be right "
        f"together: of all of them about {each} hold what really happened, although the largest were chosen."
    )


def failed(result: PanelResult, asked: WhoGained) -> str:
    """Say how many rows could not be measured and why."""
    counts = result.failures
    if not len(counts):
        return ""
    why = [f"{reason(str(code))} ({number:,})" for code, number in counts.items()]
    return f"{int(counts.sum()):,} of {_rows(asked, len(result.table))} could not be measured: {words.listing(why)}."


def checked(found: Discoveries, asked: WhoGained) -> str:
    """Say in short what the series that cannot have gained show, or that there are none."""
    seen = found.placebos
    if seen is None:
        return (
            "No series was named that cannot have gained: nothing has checked across series whether something else "
            "touched all of them on the same days."
        )
    named = words.listing(list(question.placebos(asked)))
    if not seen.number:
        return f"No series that cannot have gained ({named}) could be measured: nothing has checked across series."
    sound = "look like chance" if seen.uniform >= 0.05 else "do not look like chance: something touched these, too"
    corrected = ", and all others are held against theirs" if seen.corrected else ""
    would = words.count(seen.called) if seen.called else "none"
    return (
        f"{_rows(asked, seen.number)} that cannot have gained ({named}) tested the method: {would} would have been "
        f"called; their p-values {sound}{corrected}."
    )


def _early(found: Discoveries, asked: WhoGained) -> str:
    early = found.table[found.table["early"].notna()]
    if not len(early):
        return ""
    first = early.iloc[0]
    return (
        f"In {_rows(asked, len(early))} the surge seems to have begun before the stated start: in {first['series']} "
        f"from {words.moment(first['early'])} on. Those steps are in no count; check the start."
    )


def mail(result: PanelResult, found: Discoveries, asked: WhoGained) -> Prose:
    """One paragraph to paste into an e-mail."""
    parts = [headline(result, found, asked), *(_side(result, found, asked, sign) for sign in (1, -1))]
    parts += [_chance(found), failed(result, asked)]
    if found.tested:
        parts.append(
            "Expected is what each series' own trend, rhythm and drift before the outage lead to; another event of the "
            "same days counts as the outage's own."
        )
    parts.append(f"Source: {source_line(asked)}.")
    return Prose((" ".join(part for part in parts if part),))


def space(result: PanelResult, found: Discoveries, asked: WhoGained) -> Prose:
    """What the series that cannot have gained say, in full, or what is missing without them."""
    if found.placebos is None:
        return Prose(
            (
                "No series was named that cannot have gained, so nothing here has checked the calibration across "
                "series. The width of each interval is checked on the series' own past; whatever touched all series "
                "on the days of the outage, a holiday or a fault of the counting, would be called a gain. Name such "
                f"series as placebos; {LEAST_PLACEBOS} or more of them correct all scores.",
            )
        )
    said = [said_of_placebos(found.placebos)]
    if 0 < found.placebos.number < LEAST_PLACEBOS:
        said.append("So few can show a gross fault only, not a small one.")
    apart = question.alike(result, asked)[found.table["placebo"]].unique()
    if found.placebos.number > len(apart) == 1:
        said.append(f"All of them are of {apart[0]}: what moved one of them may have moved all.")
    return Prose(tuple(said))


def limits(result: PanelResult, found: Discoveries, asked: WhoGained, table: pd.DataFrame) -> Prose:
    """What the data and the method do not know."""
    notes = [*table.attrs.get("notes", ()), *result.notes]
    if several(asked):
        notes.append(
            f"Each of the {len(asked.outages)} outages is measured by itself, with the others and what followed them "
            "left out of its baseline; a series is called for each outage on its own."
        )
    else:
        notes.append("One outage: who gained then need not gain next time.")
    notes.append(
        "What touched all series on the same days, a holiday, a campaign, other news, counts as the outage's own, "
        "unless series that cannot have gained show it."
    )
    notes.append(
        "Series are not islands: a gain of one may be a loss of another, people may be counted in several, and a "
        "series named as untouched may have been touched by way of the others."
    )
    seen = gains.smallest_seen(found)
    if math.isfinite(seen):
        notes.append(
            "Not called is not the same as not touched: half of those tested would have had to count at least "
            f"{words.percent(seen)} more than expected to leave even their own {words.percent(asked.level)} interval."
        )
    notes.append(
        f"Counted over {words.duration(asked.horizon_hours)}: a gain that is gone after a small part of that drowns in "
        "the noise of the rest. Choose the time before looking at the answer."
    )
    notes.append(
        "The mean of those that gained is that of series chosen for having gained, and so a little too high; the false "
        "discoveries are controlled if series go their own ways or move together, as those of one country do."
    )
    return Prose(tuple(notes), bullets=True)


def record(result: PanelResult, found: Discoveries, asked: WhoGained, digest: str) -> results.Record:
    """Return what the report leaves behind: totals of all that gained or lost, then the surest of them."""
    estimates: list[results.Estimate] = []

    def add(service: str, ends: tuple[float, float, float]) -> None:
        if all(math.isfinite(end) for end in ends):
            median, low, high = (float(end) for end in ends)
            estimates.append(
                results.Estimate(
                    service=service,
                    quantity="extra_users",
                    unit=noun(asked),
                    median=median,
                    low=low,
                    high=high,
                    level=1 - found.level,
                )
            )

    sides = {"all that gained": found.gainers(), "all that lost": found.losers()}
    for (name, rows), sign in zip(sides.items(), (1, -1), strict=True):
        if len(rows):
            add(name, together(result, found, asked, sign))
    for rows in sides.values():
        for _, row in rows.head(KEPT).iterrows():
            add(view.label(row, result), (row["extra"], row["called_low"], row["called_high"]))
    gained, lost = numbers(found)
    diagnostics: dict[str, Any] = {
        "series": int(result.table["series"].nunique()),
        "outages": len(result.settings.windows),
        "measured": int((result.table["status"] == "measured").sum()),
        "failed": {str(code): int(number) for code, number in result.failures.items()},
        "tested": found.tested,
        "gained": gained,
        "lost": lost,
        "false_discovery_level": found.level,
        "placebos": found.placebos.number if found.placebos else 0,
    }
    if found.placebos is not None and found.placebos.number:
        seen = found.placebos
        diagnostics |= {"placebos_below_0.05": seen.below, "placebos_called": seen.called}
        diagnostics |= {"placebos_uniform_p": seen.uniform, "placebos_correct": seen.corrected}
    return results.Record(
        notebook="05_who_gained",
        title=f"{title(asked)}: who gained?",
        headline=headline(result, found, asked),
        parameters=asked.model_dump(),
        evidence_ids=[],
        estimates=estimates,
        diagnostics=diagnostics,
        data_hash=digest,
    )


def title(asked: WhoGained) -> str:
    """Name the panel."""
    return "The simulated panel" if asked.source == SIMULATED else source_line(asked)
