"""How long outages last: what is known of each, and the survival curve of all of them.

Where the end is not published the length is censored: the event lasted at least as long as it is known to have
lasted. Most of these are known for no time at all and say nothing, so the curve is one of the published lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.incidence.history import History
from helpers.incidence.rates import check_level

Array = NDArray[np.float64]

#: A cause has a curve of its own from this many known lengths on; the others are taken together.
ENOUGH = 5
OTHERS = "other causes"
#: The cause of events of which no cause is published.
UNKNOWN = "unknown"
HOUR = pd.Timedelta(hours=1)

PUBLISHED = "published"
MIDDLE = "middle of the published range"
DATES = "from start to end"
AT_LEAST = "lasted at least so long"
RUNNING = "still going on at the end of the span"
DAYS = "seen on several days"
NOTHING = "no end published"


@dataclass(frozen=True)
class Curve:
    """Share of outages that still go on after some hours (Kaplan and Meier 1958).

    Attributes
    ----------
    label : "all", the cause, OTHERS or UNKNOWN.
    known, censored : events of each sort; those censored at no time at all are counted, though they say nothing.
    hours : lengths at which the share falls, increasing, (k,).
    share : share still going on after each, (k,).
    low, high : pointwise interval of the share, (k,): log-log transform with Greenwood's variance.
    censored_at : hours at which an event left the view, increasing.
    median : hours that half of them last, NaN where the curve does not fall to a half.
    median_low, median_high : its interval (Brookmeyer and Crowley 1982); infinite or NaN where it has no end.
    """

    label: str
    known: int
    censored: int
    hours: Array
    share: Array
    low: Array
    high: Array
    censored_at: Array
    median: float
    median_low: float
    median_high: float


@dataclass(frozen=True)
class Survival:
    """Survival curves of the lengths, in all and by cause.

    Attributes
    ----------
    curves : the one of all first, then causes with enough known lengths, the rest of them, and UNKNOWN last; none
        where no length is known.
    test_p : log-rank test that the published causes do not differ; NaN where there are fewer than two with enough
        lengths.
    sentence : the test in words.
    known, censored : events whose length is known, and not.
    """

    curves: tuple[Curve, ...]
    test_p: float
    sentence: str
    known: int
    censored: int


def lengths(events: pd.DataFrame) -> pd.DataFrame:
    """Work out what is known of the length of each event of :class:`helpers.incidence.history.History`, row by row.

    Known: the published length; the geometric middle of a published range; end less start where both are known to
    the hour. Otherwise censored: at the least published length; at the days in between for an event that ran from
    one day to another; at the end of what was watched for one that went on beyond it; else at nothing. Of a row
    that stands for several incidents nothing is known.

    Returns
    -------
    DataFrame
        hours, known (False where the event lasted longer than ``hours``), why, low, high (published range in hours,
        or NaN); rows and index of ``events``.
    """
    low, high = events["duration_low_hours"], events["duration_high_hours"]
    span = (events["end"] - events["start"]) / HOUR
    precise = events["precision"].isin(["minute", "hour"])
    # An end given as a date is the end of that day: the event is sure of the days between its first and its last.
    between = (span - 48).where(events["precision"] == "day")
    choices = [
        (events["duration_hours"], events["duration_hours"].notna(), PUBLISHED),
        (np.sqrt(low * high), low.notna() & high.notna(), MIDDLE),
        (span, precise & (span > 0), DATES),
        (low, low.notna(), AT_LEAST),
        (between, between > 0, DAYS),
    ]
    hours = pd.Series(0.0, index=events.index)
    why = pd.Series(NOTHING, index=events.index, dtype="str")
    for value, holds, reason in reversed(choices):
        hours, why = hours.mask(holds, value), why.mask(holds, reason)
    known = why.isin([PUBLISHED, MIDDLE, DATES])
    left = (events["seen_until"] - events["start"]) / HOUR
    beyond = (hours > left) & (events["precision"] != "month")
    hours, why, known = hours.mask(beyond, left), why.mask(beyond, RUNNING), known & ~beyond
    several = events["incidents"] > 1
    return pd.DataFrame(
        {
            "hours": hours.mask(several, 0.0),
            "known": known & ~several,
            "why": why.mask(several, NOTHING),
            "low": low.mask(several),
            "high": high.mask(several),
        }
    )


def durations(history: History) -> pd.DataFrame:
    """Work out what is known of the length of each event, once each; rows of several incidents are left out.

    Returns
    -------
    DataFrame
        One row an event, in order of time: outage_id, service_id (as in the table), name, start (UTC), cause,
        group (the cause, UNKNOWN, or OTHERS for causes with fewer than ENOUGH known lengths), then the columns of
        :func:`lengths`.
    """
    events = history.once[history.once["incidents"] == 1].reset_index(drop=True)
    found = lengths(events)
    cause = events["cause"].mask(events["cause"] == "", UNKNOWN)
    often = cause.map(cause[found["known"]].value_counts()).fillna(0) >= ENOUGH
    return pd.DataFrame(
        {
            "outage_id": events["outage_id"],
            "service_id": events["named_service_id"],
            "name": events["named"],
            "start": events["start"],
            "cause": events["cause"],
            # Events without a published cause are no group of causes: they may be of any.
            "group": cause.where(often | (cause == UNKNOWN), OTHERS),
        }
    ).join(found)


def survival(history: History, level: float = 0.95) -> Survival:
    """Estimate how long outages last, in all and by cause, and test whether the causes differ.

    Kaplan and Meier's product-limit curve (1958, Journal of the American Statistical Association 53:457-481) and
    the log-rank test (Mantel 1966), both of statsmodels. It assumes that whether an end is published has
    nothing to do with the length: a long outage is more likely to have its end told, so the true ones may be
    shorter.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.
    """
    from statsmodels.duration.survfunc import survdiff

    check_level(level)
    table = durations(history)
    known, censored = int(table["known"].sum()), int((~table["known"]).sum())
    if not known:
        return Survival((), float("nan"), "No length is published, so nothing can be said.", known, censored)
    groups = table.loc[table["known"], "group"].value_counts()
    named = sorted(group for group in groups.index if group not in (OTHERS, UNKNOWN))
    last = [group for group in (OTHERS, UNKNOWN) if groups.get(group, 0) >= ENOUGH]
    kept = [group for group in (*named, *last) if group != UNKNOWN]
    curves = [_curve("all", table, level)]
    if kept:
        curves += [_curve(group, table[table["group"] == group], level) for group in (*named, *last)]
    if len(kept) < 2:
        words = f"Fewer than two groups of causes have {ENOUGH} known lengths: too few to compare them."
        return Survival(tuple(curves), float("nan"), words, known, censored)
    shown = table[table["group"].isin(kept)]
    statistic = survdiff(
        shown["hours"].to_numpy(), shown["known"].astype("int64").to_numpy(), shown["group"].to_numpy()
    )
    p = float(statistic[1])
    found = "differ in how long they last" if p < 1 - level else "show no clear difference in how long they last"
    tail = f"p = {p:.2g}" if p >= 0.001 else "p under 0.001"
    out = "; events without a published cause left out" if (table["group"] == UNKNOWN).any() else ""
    words = f"The {len(kept)} groups of causes {found} (log-rank test, {tail}{out})."
    return Survival(tuple(curves), p, words, known, censored)


def _curve(label: str, table: pd.DataFrame, level: float) -> Curve:
    from scipy.stats import norm
    from statsmodels.duration.survfunc import SurvfuncRight

    # Nothing is seen of an event that is censored at once; a length of nothing still happened.
    shown = table[table["known"] | (table["hours"] > 0)]
    model = SurvfuncRight(shown["hours"].to_numpy("float64"), shown["known"].to_numpy("int64"))
    hours, share = model.surv_times, model.surv_prob
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    # log(-log S) has a variance that is even over the curve, and its interval stays between 0 and 1.
    width = norm.ppf((1 + level) / 2) * np.where(inside, model.surv_prob_se, 0) / (safe * np.abs(np.log(safe)))
    low, high = (np.where(inside, safe ** np.exp(sign * width), 0.0) for sign in (1, -1))
    # Where nobody is left the formula has no value; the upper end stays where it was.
    high = np.where(inside, high, high[inside][-1] if inside.any() else 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        median_low, median_high = model.quantile_ci(0.5, alpha=1 - level)
    return Curve(
        label,
        int(table["known"].sum()),
        int((~table["known"]).sum()),
        hours,
        share,
        low,
        high,
        np.sort(shown.loc[~shown["known"], "hours"].to_numpy("float64")),
        float(model.quantile(0.5)),
        float(median_low),
        float(median_high),
    )
