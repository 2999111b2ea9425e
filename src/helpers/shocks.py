"""From rows of events to shocks of a curve: when each began to push, for how long, and what rushed ahead of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers.claims import Claim
from helpers.likelihood import ANTICIPATION, Shock
from helpers.published.figures import hours_between

#: People switch once, and news is new once: however long an event lasts, it pushes for at most this many hours.
PUSH_HOURS = 24.0
#: Shortest and longest length of a technical outage whose end nobody published, hours.
UNKNOWN_HOURS = (0.5, 24.0)
#: Where a start is known no better than this, hours, a draw's own start is what the horizon is counted from, and what
#: windows of unknown place are laid on.
LOOSE_START = 72.0
#: A figure of so few hours that begins before the event counts a rush before it.
FEW_HOURS = 12.0


def shock(event: pd.Series, origin: pd.Timestamp) -> Shock:
    """What one event does to the curve: when it began to push, and for how long."""
    start = hours_between(event["start_utc"], origin)
    earliest = latest = start
    if event["time_precision"] in ("day", "month"):
        # A plain date is a day of the place where it happened.
        west, east = cl.UTC_OFFSETS.get(event["scope"].split(" (")[0], (0.0, 0.0))
        end = event["end_utc"] if pd.notna(event["end_utc"]) else event["start_utc"]
        day = 24.0 if event["time_precision"] == "day" else max(24.0, hours_between(end, event["start_utc"]))
        earliest, latest = start - east, start - west + day
    lengths = [event[c] for c in ("duration_low_hours", "duration_hours", "duration_high_hours")]
    known = [float(h) for h in lengths if pd.notna(h) and h > 0]
    if not known and event["kind"] == "outage":
        known = list(UNKNOWN_HOURS)
    known = known or [PUSH_HOURS]
    low, high = (min(h, PUSH_HOURS) for h in (min(known), max(known)))
    return Shock(str(event["outage_id"]), str(event["service"]), (earliest, latest), (low, high))


def is_consequence(event: pd.Series, outage: pd.Series, service_id: str) -> bool:
    """Whether an event limits the rival (its own failure) or follows from the outage (a failure under the rush).

    What a rival does to be joined, a launch or an advertisement, is neither.
    """
    return bool(
        (event["service_id"] == service_id and event["kind"] != "policy_shock")
        or (event["cause_category"] == "load" and event["start_utc"] >= outage["start_utc"])
    )


def early(claims: list[Claim], shocks: list[Shock]) -> list[Shock]:
    """Add a shock of anticipation where figures count people before the event and nothing else explains them.

    A day without a time zone counts as before where the middle of its possible places does.
    """
    begun = min(s.start[0] for s in shocks)
    wholly = [c.start for c in claims if c.end + sum(c.shift) / 2 <= begun]
    # A window of some hours whose place is known counts the time before even when it reaches into the event.
    partly = [c.start for c in claims if c.start + c.shift[1] < begun and c.end + c.shift[1] - c.start <= FEW_HOURS]
    before = wholly + partly
    if not before or len(shocks) > 1:
        return shocks
    start = min(before)
    lasts = float(np.clip(begun - start, 1.0, PUSH_HOURS))
    return [*shocks, Shock(ANTICIPATION, "the rush before it began", (start, start), (lasts, lasts))]


def about(claim: Claim, event: Shock) -> Claim:
    """Narrow the place of a window that is dated on the event: it was published because it holds part of it.

    In any time zone the window then begins before the event does, and ends no earlier than half-way through it. Where
    neither has a day, the window is laid on the event, whenever that was.
    """
    if claim.reading in ("total", "rate_instant"):
        return claim
    if min(event.start[1] - event.start[0], claim.shift[1] - claim.shift[0]) > LOOSE_START:
        hours = claim.end - claim.start
        return replace(claim, start=0.0, end=hours, shift=(min(event.hours[0] / 2 - hours, 0.0), 0.0), anchored=True)
    begun, into = event.start[0], event.start[0] + event.hours[0] / 2
    if not claim.start <= event.start[1] or not claim.end >= into:
        return claim
    low = max(claim.shift[0], into - claim.end)
    high = max(min(claim.shift[1], begun - claim.start), low)
    return claim if low > claim.shift[1] else replace(claim, shift=(low, high))
