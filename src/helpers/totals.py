"""Running totals as what they say of a flow: how many came between one total and the next."""

from __future__ import annotations

from dataclasses import replace

from helpers.claims import Claim


def differences(totals: list[Claim]) -> list[Claim]:
    """Turn totals into the increments between them, in the order of time.

    Parameters
    ----------
    totals : claims with the reading "total", of one service and one claimant's counter.

    Returns
    -------
    list of Claim
        One increment for each total whose window begins after that of an earlier one has ended; it bears the
        later total's id, keeps its bound, and remembers in ``since`` what it counts from. Its interval is as wide
        as both roundings together. Two totals of one moment are no growth, whatever they say, and totals that
        fell contradict each other: neither gives anything.
    """
    made: list[Claim] = []
    before: Claim | None = None
    for total in sorted(totals, key=_moment):
        if before is None:
            before = total
            continue
        low, high = total.low - before.high, total.high - before.low
        if total.start < before.end or high <= 0:
            continue
        made.append(
            replace(
                total,
                reading="increment",
                low=max(low, 0.0),
                high=high,
                start=_moment(before),
                end=_moment(total),
                since=(before.low + before.high) / 2,
            )
        )
        before = total
    return made


def _moment(total: Claim) -> float:
    """Middle of the window in which a total was told: nobody says when it was read off."""
    return (total.start + total.end) / 2
