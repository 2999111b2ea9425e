"""The outage history in words: how often, how long, what comes next, and how far the evidence reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from helpers import words
from helpers.incidence import backtest, forecast
from helpers.incidence.backtest import Backtest
from helpers.incidence.durations import Survival
from helpers.incidence.exposure import EVIDENCE, FEED, PRESS
from helpers.incidence.forecast import Forecast
from helpers.incidence.gaps import Gaps
from helpers.incidence.history import History
from helpers.incidence.history import noun as noun
from helpers.incidence.history_tables import counts as _count
from helpers.incidence.history_view import CAUSES, last_day
from helpers.incidence.rates import Trends
from helpers.incidence.rhythm import Rhythm
from helpers.prose import Prose
from helpers.results import Estimate, Record

#: Services the answer spells out.
MOST_NAMED = 3
_CHANGES = {
    "fewer": "they became rarer",
    "more": "they became more frequent",
    "no clear trend": "no clear trend",
    "too few to tell": "too few to tell a trend",
}


def answer(
    history: History, trends: Trends, expected: Forecast, lengths: Survival, tested: Backtest, level: float
) -> Prose:
    """The answer in a few sentences: how often, better or worse, how long, what is to be expected, what is not."""
    if history.events.empty:
        none = f"The evidence holds no {noun(history, False)} of these services in this time."
        return Prose((none, *left_out(expected)))
    said = [headline(history, expected, level), *left_out(expected), *doubts(tested, expected), _trend(trends)]
    if lengths.known:
        said.append(_length(lengths, history))
    own, press = (history.services.loc[history.services["regime"] == one, "name"].tolist() for one in (FEED, PRESS))
    if own and press:
        others = words.listing(press) if len(press) <= MOST_NAMED else "the others"
        said.append(
            f"{words.listing(own)}: counted from an imported record of incidents; {others}: from the press, which "
            "tells of few. The two cannot be compared."
        )
    said.append(
        "These are published incidents, not all incidents: what nobody wrote about is not in the evidence, and "
        "recent years are written about more."
    )
    return Prose(tuple(text for text in said if text))


def headline(history: History, expected: Forecast, level: float) -> str:
    """The answer in two sentences: what was published, and what the 12 months after it are expected to bring."""
    first = history.events["start"].min()
    total = history.total
    what = noun(history) if total != 1 else noun(history, False)
    counts = expected.counts.head(MOST_NAMED)
    if counts.empty:
        short = (
            "too short a watch" if expected.left_out["why"].eq(forecast.SHORT).any() else "too few of any one service"
        )
        return f"{total:,} published {what} since {first.year}: {short} to say what comes next."
    few = history.services.set_index("service_id").loc[counts["service_id"]]
    often = [f"{r['name']} {r['incidents']:,} in {r['exposure_years']:.1f} years" for r in few.to_dict("records")]
    head = f"{total:,} {what} published since {first.year}" if not history.named else f"{total:,} published {what}"
    days = [words.day(last_day(starts)) for starts in counts["starts"]]
    same = len(set(days)) == 1
    ahead = [
        f"{row['name']} {_count(row['low'], row['high'])}{'' if same else f' (after {day})'}"
        for day, row in zip(days, counts.to_dict("records"), strict=True)
    ]
    ends = ", where the evidence ends," if (few["closed_by"] == EVIDENCE).all() else ""
    ahead_words, share = words.listing(ahead), words.percent(level)
    if same:
        comes = (
            f"The 12 months after {days[0]}{ends} are expected to bring {ahead_words} ({share} predictive intervals)"
        )
    else:
        comes = f"Expected in the 12 months after each record ends, as {share} predictive intervals: {ahead_words}"
    return f"{head}: {words.listing(often)}. {comes}."


def left_out(expected: Forecast) -> list[str]:
    """Say of which services asked for nothing is predicted, and why."""
    said = []
    for why, some in expected.left_out.groupby("why", sort=False):
        names = some["name"].tolist()
        if why == forecast.SHORT:
            said += [
                f"{row['name']}: watched for {_watched(float(row['years']))}: too short to predict a year."
                for row in some.to_dict("records")
            ]
        elif why == forecast.NOTHING:
            said.append(f"{words.listing(names)}: nothing collected, so nothing can be predicted.")
        else:
            said.append(f"{words.listing(names)}: {why}, so nothing can be predicted.")
    return said


def _watched(years: float) -> str:
    """Write a watch of less than a year: "5 weeks", "9 months"."""
    if years < 0.25:
        weeks = round(years * 365.25 / 7)
        return "less than a week" if weeks < 1 else f"{weeks} week{'s' * (weeks > 1)}"
    return f"{round(years * 12)} months"


def doubts(tested: Backtest, expected: Forecast) -> list[str]:
    """Say of what is predicted here that past years were predicted badly."""
    found = backtest.poor(tested)
    found = found[found["name"].isin(["", *expected.counts["name"]])]
    return [
        f"{row['name'] or 'Taken together'}: predicting past years from those before, the 80% "
        f"interval for {row['quantity']} held in {row['hits']} of {row['predictions']}. "
        f"{'The hours' if row['quantity'] == backtest.HOURS else 'The counts'} expected are not to be trusted."
        for row in found.to_dict("records")
    ]


def _trend(trends: Trends) -> str:
    """Say of each service with enough incidents whether they became rarer."""
    if trends.table.empty:
        return ""
    clear = trends.table[trends.table["verdict"].isin(["fewer", "more"])]
    said = [f"{row['name']}: {_CHANGES[row['verdict']]}, by {_change(row)} a year" for row in clear.to_dict("records")]
    rest = trends.table[~trends.table.index.isin(clear.index)]
    for verdict, some in rest.groupby("verdict", sort=False):
        about = [f"{row['name']} ({_change(row)} a year)" for row in some.head(MOST_NAMED).to_dict("records")]
        more = f" and {len(some) - MOST_NAMED} more" if len(some) > MOST_NAMED else ""
        said.append(f"{_CHANGES[str(verdict)]} for {words.listing(about)}{more}")
    told = "; ".join(said)
    doubt = (
        " More published is not always more failures: it may be more attention."
        if "more" in set(clear["verdict"])
        else ""
    )
    return f"Better or worse? {told[0].upper()}{told[1:]}.{doubt}"


def _change(row: Mapping[str, Any]) -> str:
    return f"{words.MINUS if row['low'] < 0 else '+'}{abs(100 * row['low']):.0f}% to {_signed(row['high'])}"


def _signed(change: float) -> str:
    return f"{words.MINUS if change < 0 else '+'}{abs(100 * change):.0f}%"


def _length(lengths: Survival, history: History) -> str:
    curve = lengths.curves[0]
    ends = words.duration_interval(curve.median_low, curve.median_high)
    ends = "" if ends == words.UNKNOWN else f" ({ends})"
    within = curve.hours <= 24
    day = float(curve.share[within][-1]) if within.any() else 1.0
    told = f"Of {history.total:,} {noun(history)}, {lengths.known:,} have a published length. "
    told = told if lengths.known < history.total else ""
    longer = f"{words.percent(day)} lasted more than a day" if day else "none lasted more than a day"
    return f"{told}Half of them were over within {words.duration(curve.median)}{ends}; {longer}."


def shown_lengths(lengths: Survival, what: str) -> str:
    """The finding of the figure of durations."""
    if not lengths.known:
        return f"No length of these {what} was published"
    curve = lengths.curves[0]
    ends = words.duration_interval(curve.median_low, curve.median_high)
    within = words.duration(curve.median) if ends == words.UNKNOWN else ends
    return f"Half of the {what} were over within {within}"


def causes(lengths: Survival) -> Prose:
    """Say whether the cause makes a difference to the length, and how long each group of causes lasted."""
    if not lengths.known:
        return Prose(("No length was published.",))
    said = [
        f"{CAUSES.get(curve.label, curve.label)}: half over within {words.duration(curve.median)}, "
        f"{curve.known:,} with a published length"
        for curve in lengths.curves[1:]
        if math.isfinite(curve.median)
    ]
    return Prose((lengths.sentence, *said), bullets=bool(said))


def shown_rhythm(found: Rhythm) -> str:
    """The finding of the figure of hours and weekdays."""
    parts = (("hour of the day", found.hour_verdict), ("day of the week", found.weekday_verdict))
    said = []
    for what, verdict in parts:
        text = {
            "uneven": f"the {what} matters",
            "no sign of a rhythm": f"no sign that the {what} matters",
            "too few to tell": f"too few to tell whether the {what} matters",
        }
        said.append(text[verdict])
    joined = " and ".join(said)
    return joined[0].upper() + joined[1:]


def shown_rates(trends: Trends, expected: Forecast) -> str:
    """The finding of the figure of yearly rates."""
    if expected.counts.empty:
        return "Too few incidents of any one service to draw a rate"
    row = expected.counts.iloc[0]
    verdict = trends.table.set_index("service_id")["verdict"].get(row["service_id"], "too few to tell")
    ahead = f"{_count(row['low'], row['high'])} expected in the 12 months after {words.day(last_day(row['starts']))}"
    return f"{row['name']}: {_CHANGES[str(verdict)]}; {ahead}"


def shown_timeline(history: History) -> str:
    """The finding of the time line: the longest event, and how many there are."""
    events = forecast.with_hours(history.once)
    known = events[events["known"] & (events["hours"] > 0)]
    total = history.total
    if known.empty:
        return f"{total:,} published {noun(history, total != 1)}, none with a published length"
    longest = known.loc[known["hours"].idxmax()]
    # An outage of a group is told of the whole group, whoever of it was asked for.
    return (
        f"{total:,} published {noun(history, total != 1)}; the longest was that of {longest['named']}, "
        f"{words.day(longest['start'])}, {words.duration(float(longest['hours']))}"
    )


def shown_backtest(tested: Backtest, level: float) -> str:
    """The finding of the check on past years, in the words of both levels."""
    rows = tested.shares[tested.shares["quantity"] == "outages"]
    if rows.empty or not rows["predictions"].iloc[0]:
        return "No service has a past year with two years before it to predict it from"
    said = []
    for row in rows.to_dict("records"):
        which = "95%" if row["level"] != 0.8 and abs(level - 0.95) < 1e-9 else words.percent(row["level"])
        said.append(f"the {which} interval held in {row['hits']} of {row['predictions']}")
    return f"Predicting each past year from those before it, {words.listing(said)}"


def limits(found: Gaps) -> Prose:
    """What the evidence does not hold."""
    return Prose(tuple(found.sentences), bullets=True)


def record(
    history: History,
    trends: Trends,
    expected: Forecast,
    lengths: Survival,
    tested: Backtest,
    parameters: Mapping[str, Any],
    data_hash: str,
) -> Record:
    """Return what the report leaves behind."""
    level = float(parameters["level"])
    return Record(
        notebook="01_outage_history",
        title=title(history),
        headline=headline(history, expected, level) if len(history.events) else "No such event in the evidence.",
        parameters=dict(parameters),
        evidence_ids=list(history.once["outage_id"]),
        estimates=_estimates(trends, expected, lengths, level),
        diagnostics={
            f"{row['quantity']}, {words.percent(row['level'])}": {
                "held": int(row["hits"]),
                "of": int(row["predictions"]),
            }
            for row in tested.shares.to_dict("records")
        },
        data_hash=data_hash,
    )


def title(history: History) -> str:
    """The question of the report."""
    watched = history.services[history.services["service_id"].isin(history.named)]["name"]
    named = [*watched, *history.unwatched.values(), *history.nothing.values()]
    who = (
        words.listing(named) if 0 < len(named) <= MOST_NAMED else f"{len(named)} services" if named else "big services"
    )
    verb = "does" if len(named) == 1 else "do"
    return f"How often {verb} {who} fail, for how long, and what comes next?"


def _estimates(trends: Trends, expected: Forecast, lengths: Survival, level: float) -> list[Estimate]:
    made = []
    pairs = (
        ("outages_next_12_months", "outages", expected.counts),
        ("hours_down_next_12_months", "hours", expected.hours),
    )
    for quantity, unit, table in pairs:
        made += [_estimate(row, quantity, unit, ("low", "median", "high"), level) for row in table.to_dict("records")]
    for row in trends.table.to_dict("records"):
        made.append(_estimate(row, "rate_change", "relative a year", ("low", "change", "high"), level))
    curve = lengths.curves[0] if lengths.known else None
    if curve is not None and all(map(math.isfinite, (curve.median_low, curve.median, curve.median_high))):
        ends = {"service_id": "all", "low": curve.median_low, "median": curve.median, "high": curve.median_high}
        made.append(_estimate(ends, "outage_length", "hours", ("low", "median", "high"), level))
    return made


def _estimate(row: Mapping[str, Any], quantity: str, unit: str, names: tuple[str, str, str], level: float) -> Estimate:
    low, middle, high = (float(row[name]) for name in names)
    # The median of a skew distribution may lie at an end of its shortest interval, never beyond.
    return Estimate(
        service=str(row["service_id"]), quantity=quantity, unit=unit, median=middle, low=low, high=high, level=level
    )
