"""A measured panel in a few lines of plain text: how much was measured, what failed and why, who gained."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers import words
from helpers.panel.discoveries import Discoveries, said_of_placebos
from helpers.panel.measure_all import PanelResult

#: Series of each list that are named.
FEW = 10
_SIGN = {1: "gained", -1: "lost"}


def lines(result: PanelResult, found: Discoveries, few: int = FEW) -> list[str]:
    """Return the summary, line by line.

    Parameters
    ----------
    result : what was measured.
    found : what was called of it.
    few : most series to name in each list.
    """
    text = [_measured(result), *_failed(result), *result.notes]
    if found.placebos is not None:
        text.append(said_of_placebos(found.placebos))
    text.append(_called(found))
    for sign, rows in ((1, found.gainers()), (-1, found.losers())):
        if len(rows):
            many = f"; the {few} surest" if len(rows) > few else ", the surest first"
            text.append(f"{_SIGN[sign].capitalize()}{many}, against the expected, all intervals together:")
            text += [f"  {line}" for line in _rows(rows.head(few), several=len(result.settings.windows) > 1)]
    return text


def _measured(result: PanelResult) -> str:
    windows, series = len(result.settings.windows), result.table["series"].nunique()
    good = int((result.table["status"] == "measured").sum())
    outages = "1 outage" if windows == 1 else f"{windows} outages"
    earlier = f", {result.taken_over:,} series taken over from an earlier run" if result.taken_over else ""
    lasting = words.duration(result.seconds / 3600)
    return f"{series:,} series, {outages}: {good:,} of {len(result.table):,} measured{earlier}, in {lasting}"


def _failed(result: PanelResult) -> list[str]:
    text = []
    for code, number in result.failures.items():
        row = result.table[result.table["reason"] == code].iloc[0]
        text.append(f"failed, {code}: {number:,}; the first, {row['series']}: {row['reason_text']}")
    return text


def _called(found: Discoveries) -> str:
    gained, lost = (int((sign * found.table["rank"] > 0).sum()) for sign in (1, -1))
    if not found.tested:
        return "Nothing could be tested."
    if not gained + lost:
        return f"Of {found.tested:,} tested none gained or lost beyond chance."
    return (
        f"Of {found.tested:,} tested {gained:,} gained and {lost:,} lost "
        f"(of those called, about {words.percent(found.level)} or fewer are chance)"
    )


def _rows(rows: pd.DataFrame, several: bool) -> Sequence[str]:
    names = rows["series"] + (", " + rows["window"] if several else "")
    return [
        f"{name}: {words.interval(low, high)} (observed {words.count(observed)}, expected {words.count(expected)})"
        for name, low, high, observed, expected in zip(
            names, rows["called_low"], rows["called_high"], rows["observed"], rows["expected"], strict=True
        )
    ]
