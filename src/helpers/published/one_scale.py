"""Every published figure about a service on one scale: a mean rate per second, hour or day, with its width.

A count over a window is divided by its length; a running total counts from the total before it; a ratio is
multiplied by the usual level that it speaks of. A moment's rate and a peak stay what they are and are marked.
Nothing is averaged, and kinds of count are never mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers import words
from helpers.claims import Claim
from helpers.coarsened import published
from helpers.evidence import Evidence
from helpers.published import claimants, levels
from helpers.published.figures import KEY, no_rate
from helpers.published.figures import claim as read
from helpers.published.levels import before, period, usual

#: What a rate is: the mean of its window, one moment's, the highest of its window, or a mean above the usual.
MEASURES = {"rate_instant": "moment", "rate_peak": "peak", "ratio_peak": "peak", "excess": "excess"}
#: Comparisons that a usual level can be put in for.
AGAINST_USUAL = ("usual", "previous_day", "previous_week")
NO_USUAL = "relative to a usual level that was not published for this count"
OTHER_LEVEL = "relative to something else than the usual level"
NO_EARLIER = "a running total, and none before it to count from"
_GRID = 2_001
_FIGURE = ["figure_id", "outage_id", *KEY, "reading", "qualifier", "claimant_class", "claimed_by", "repeats"]
_RATE = ["measure", "published", "bound", "window_start", "window_end", "earliest", "latest"]
COLUMNS = [*_FIGURE, *_RATE, "low", "value", "high", "least", "most", "made_of"]
UPLIFT = [
    *("figure_id", "usual_low", "usual_high", "usual_least", "usual_most", "usual_ids", "usual_end"),
    *("times_low", "times_high", "more_low", "more_high", "text"),
]
EPOCH = pd.Timestamp(0, tz="UTC")
LEFT_OUT = ["figure_id", "outage_id", *KEY, "published", "why_not"]


@dataclass(frozen=True)
class OneScale:
    """The figures about a service on one scale.

    Attributes
    ----------
    service_id, service : key and name.
    per : "second", "hour" or "day".
    level : of the interval from ``least`` to ``most``.
    figures : DataFrame, one row a figure that is a rate, in the order of kinds and time. Beside the columns of the
        evidence (figure_id, outage_id, service_id, quantity, scope, platform, reading, qualifier, claimant_class,
        claimed_by, repeats): measure, "mean", "moment", "peak" or "excess"; published, the figure in words;
        bound, "none", "lower" or "upper"; window_start, window_end (UTC) as written; earliest and latest, how far
        the window may reach for want of a time zone or a date; value, as published, per period; low and high,
        what would be published so (rounding; for a bound, to the next round number); least and most, what is true
        if the figure and nothing else is known, with the error granted to its claimant; made_of, the rows
        of the evidence that a total or a ratio was converted with.
    left_out : DataFrame, one row a figure that is no rate: figure_id, outage_id, service_id, quantity, scope,
        platform, published, why_not.
    """

    service_id: str
    service: str
    per: str
    level: float
    figures: pd.DataFrame
    left_out: pd.DataFrame


def on_one_scale(
    evidence: Evidence,
    service_id: str,
    outage_id: str = "",
    per: str = "day",
    level: float = 0.95,
    scales: Mapping[str, float] | None = None,
) -> OneScale:
    """Convert every published figure about a service to one scale.

    Parameters
    ----------
    service_id : key of the service, a rival or the failing service itself.
    outage_id : only what was told with this event; everything when empty.
    per : "second", "hour" or "day".
    level : of the interval that holds the claimant's error, between 0 and 1.
    scales : standard deviation of the log error by class of claimant; by default estimated from all other outages
        (see :func:`helpers.published.claimants.scales`).

    Raises
    ------
    ValueError
        If ``per`` or ``level`` cannot be used.
    KeyError
        If the evidence has no such service.
    """
    hours = period(per)
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, expected a number between 0 and 1")
    name = evidence.services.set_index("service_id")["name"][service_id]
    rows = evidence.growth_figures[evidence.growth_figures["service_id"] == service_id]
    if outage_id:
        rows = rows[rows["outage_id"] == outage_id]
    if scales is None:
        scales = claimants.scales(evidence, without=outage_id)
    steps = usual(evidence, service_id, "hour")
    made, left = [], []
    for _, row in rows.iterrows():
        said = words.published(float(row["value"]), str(row["unit"]), str(row["qualifier"]))
        found = no_rate(row) or _level(row, per) or _rate(row, steps, evidence, scales)
        if isinstance(found, str):
            left.append({**row[LEFT_OUT[:-2]], "published": said, "why_not": found})
            continue
        claim, value, measure, made_of = found
        least, most = credible(claim, level)
        numbers = {"low": claim.low, "value": value, "high": claim.high, "least": least, "most": most}
        made.append(
            {
                **row[_FIGURE],
                "measure": measure,
                "published": said,
                "bound": claim.bound,
                **_window(claim),
                **{n: v * hours for n, v in numbers.items()},
                "made_of": made_of,
            }
        )
    figures = pd.DataFrame(made, columns=COLUMNS)
    windows = ["window_start", "window_end", "earliest", "latest"]
    figures[windows] = figures[windows].astype("datetime64[us, UTC]")
    figures = figures.sort_values([*KEY, "window_start", "figure_id"], ignore_index=True)
    return OneScale(service_id, str(name), per, level, figures, pd.DataFrame(left, columns=LEFT_OUT))


def _level(row: pd.Series, per: str) -> str:
    """Refuse to cut people who were active on a day into seconds: the same people come every day."""
    daily = row["quantity"] == "daily_active" and per != "day"
    return f"people active on a day are no rate per {per}" if daily else ""


def _rate(
    row: pd.Series, steps: pd.DataFrame, evidence: Evidence, scales: Mapping[str, float]
) -> tuple[Claim, float, str, str] | str:
    """Turn a row into a claim about a rate per hour, its value, what sort of rate it is, and what it is made of."""
    reading = str(row["reading"])
    claim = read(row, EPOCH, scales)
    measure = MEASURES.get(reading, "mean")
    if reading == "total":
        return _from_total(row, claim, evidence)
    if reading.startswith("ratio"):
        if row["compared_with"] not in AGAINST_USUAL:
            return OTHER_LEVEL
        base = before(steps, row, row["window_start_utc"])
        if base.empty:
            return NO_USUAL
        low, high = claim.low * base["low"].min(), claim.high * base["high"].max()
        value = cl.times_usual(float(row["value"]), str(row["unit"])) * base["value"].agg(["min", "max"]).mean()
        return replace(claim, low=low, high=high), float(value), measure, ";".join(base["ids"])
    length = claim.end - claim.start if reading in ("increment", "excess") else 1.0
    value = float(row["value"]) * cl.per_hour(str(row["unit"]), reading) / length
    return replace(claim, low=claim.low / length, high=claim.high / length), value, measure, ""


def _from_total(row: pd.Series, claim: Claim, evidence: Evidence) -> tuple[Claim, float, str, str] | str:
    """Count a total from an earlier one of the same kind."""
    known = levels.totals(evidence, str(row["service_id"])).get(tuple(str(row[c]) for c in KEY), [])
    later = levels.as_total(row.rename({"figure_id": "id"}))
    grown = levels.since(known, later)
    if not grown:
        return NO_EARLIER
    step = grown[-1]
    start, end = (float((step[c] - EPOCH) / pd.Timedelta(hours=1)) for c in ("window_start", "window_end"))
    made = replace(claim, low=step["low"], high=step["high"], start=start, end=end, shift=(0.0, 0.0))
    return made, step["value"], "mean", step["ids"]


def _window(claim: Claim) -> dict[str, Any]:
    hours = {
        "window_start": claim.start,
        "window_end": claim.end,
        "earliest": claim.start + claim.shift[0],
        "latest": claim.end + claim.shift[1],
    }
    return {name: EPOCH + pd.Timedelta(hours=round(at, 6)) for name, at in hours.items()}


def credible(claim: Claim, level: float) -> tuple[float, float]:
    """Equal-tailed interval of the true value, given one claim and a flat prior on its log.

    The same likelihood as in the fit: the claimant's log error, the rounding, and a bound's unknown distance.
    """
    top = np.log(claim.high)
    bottom = np.log(max(claim.low, claim.high / 100))
    reach = 6 * claim.scale + (8 * cl.PASSED if claim.bound != "none" else 0.0)
    grid = np.linspace(bottom - reach, top + reach, _GRID)
    weight = published(claim, grid, claim.scale)
    share = np.cumsum(weight) / weight.sum()
    low, high = np.interp([(1 - level) / 2, (1 + level) / 2], share, grid)
    return float(np.exp(low)), float(np.exp(high))


def uplift(scale: OneScale, evidence: Evidence) -> pd.DataFrame:
    """Set every figure against the usual level nearest before it.

    Returns
    -------
    DataFrame
        One row a figure of ``scale.figures``, in its order: figure_id; usual_low and usual_high, the range of the
        usual levels as published (more than one where sources disagree), per period; usual_least and usual_most,
        with their own width; usual_ids; usual_end (UTC), the last day that they speak of; times_low, times_high
        and more_low, more_high, how many times the usual the figure is and by how much it lies above it,
        from the widths of both; text, a sentence. Numbers are missing where no usual level of that count was
        published before it.
    """
    steps = usual(evidence, scale.service_id, scale.per)
    return pd.DataFrame([_set_against(row, steps, scale.per) for _, row in scale.figures.iterrows()], columns=UPLIFT)


def _set_against(row: pd.Series, steps: pd.DataFrame, per: str) -> dict[str, Any]:
    base = before(steps, row, row["window_start"])
    named: dict[str, Any] = {"figure_id": row["figure_id"]}
    if base.empty:
        return named | {
            "usual_ids": "",
            "text": f"{row['published']}: no usual level of this count was published before.",
        }
    low, high = base["value"].min(), base["value"].max()
    least, most = base["low"].min(), base["high"].max()
    own_high = np.inf if row["bound"] == "lower" else row["high"]
    own_low = 0.0 if row["bound"] == "upper" else row["low"]
    if row["measure"] == "excess":
        own_low, own_high = own_low + least, own_high + most
    times = own_low / most, own_high / max(least, 1e-12)
    return named | {
        "usual_low": low,
        "usual_high": high,
        "usual_least": least,
        "usual_most": most,
        "usual_ids": ";".join(base["ids"]),
        "usual_end": base["window_end"].max(),
        "times_low": times[0],
        "times_high": times[1],
        "more_low": own_low - most,
        "more_high": own_high - least,
        "text": f"{row['published']}, over a usual level of {worded(low, high)} "
        f"{'an' if per == 'hour' else 'a'} {per}: {_times(*times)} the usual.",
    }


def worded(low: float, high: float) -> str:
    """Write a range of rates; below a hundred with two digits, where a count would be whole."""
    if high >= 100:
        return words.interval(low, high)
    first, last = (words.digits(words.significant(v, 2)) for v in (low, high))
    return f"about {first}" if first == last else f"{first} to {last}"


def _times(low: float, high: float) -> str:
    first, last = (words.digits(words.significant(v, 2)) for v in (low, min(high, 1e15)))
    if np.isinf(high):
        return f"at least {first} times"
    return f"about {first} times" if first == last else f"{first} to {last} times"
