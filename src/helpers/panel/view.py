"""From a measured panel to what its figures show; None where there is nothing to draw."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers import words
from helpers.charts.panel_multiples_axes import MOST as MOST_PANELS
from helpers.charts.panel_ranking_axes import MOST as MOST_DRAWN
from helpers.charts.panel_view import (
    Multiple,
    MultiplesView,
    PGroup,
    PValueView,
    RankingView,
    RankRow,
    Response,
    ResponseView,
)
from helpers.charts.scale_view import OutageSpan
from helpers.measured.expected import Measurement
from helpers.models import WhoGained
from helpers.panel import gains, measure_all, question
from helpers.panel.detail import details
from helpers.panel.discoveries import Discoveries
from helpers.panel.measure_all import PanelResult
from helpers.panel.response import mean_response

HOUR = pd.Timedelta(hours=1)
#: Rows drawn, and how many that were nearly called, as far as even a phone has room for all.
MOST_ROWS, MOST_MISSES = MOST_DRAWN[False], 6
#: Steps before the outage that a small panel shows: twice the horizon, and at least these.
LEAST_BEFORE = 14
#: Clusters without which a mean has no band: of two of them it would reach over the whole page and say nothing.
LEAST_CLUSTERS = 3


def label(row: pd.Series, result: PanelResult) -> str:
    """Name a row: its series, and its outage where there are several."""
    series = str(row["series"])
    return f"{series}, {outage(row, result)}" if len(result.settings.windows) > 1 else series


def outage(row: pd.Series, result: PanelResult) -> str:
    """Name a row's outage: by its own name, by its day, or where one has two by its start."""
    windows = result.settings.windows
    place = [measure_all.label(window) for window in windows].index(str(row["window"]))
    starts = [words.moment(window.start) for window in windows]
    days = [start.partition(",")[0] for start in starts]
    return windows[place].name or (days if len(set(days)) == len(days) else starts)[place]


def ranking(result: PanelResult, found: Discoveries, noun: str) -> RankingView | None:
    """Return the called rows, the surest first, and the next ones that were not."""
    table = found.table
    called = gains.surest(found, MOST_ROWS)
    missed = table[table["q"].notna() & ~table["called"]].sort_values("p", kind="stable")
    missed = missed.head(max(0, min(MOST_MISSES, MOST_DRAWN[True] - len(called))))
    rows = [_rank_row(row, result) for part in (called, missed) for _, row in part.iterrows()]
    if not rows:
        return None
    return RankingView(rows, noun, found.level, found.tested - len(rows), 1 - found.level)


def _rank_row(row: pd.Series, result: PanelResult) -> RankRow:
    """Show a called row with its interval for all of them together, another one with its own."""
    called = bool(row["called"])
    low, high = (
        float(row[name]) for name in (("called_low", "called_high") if called else ("extra_low", "extra_high"))
    )
    observed = float(row["observed"])
    ends = [observed / max(observed - end, 1e-9) for end in (low, high)]
    middle = min(max(1 + float(row["relative"]), ends[0]), ends[1])
    return RankRow(label(row, result), ends[0], middle, ends[1], low, high, called)


def chosen_window(found: Discoveries, result: PanelResult) -> int:
    """Return the outage whose small panels are drawn: that of the most called rows, the first of equals."""
    called = found.table.loc[found.table["called"], "window"]
    order = found.table["window"].head(len(result.settings.windows)).tolist()
    return order.index(called.mode()[0]) if len(called) else 0


def clearest(table: pd.DataFrame, result: PanelResult, found: Discoveries) -> dict[str, Measurement]:
    """Measure the surest winners and losers of one outage again, with their whole paths."""
    number = chosen_window(found, result)
    window = found.table["window"].iloc[number]
    rows = gains.surest(_only(found, window), MOST_PANELS)
    names = rows["series"].tolist()
    if not names:
        return {}
    return details(table[table["series"].isin(names)], names, result.settings, number)


def _only(found: Discoveries, window: str) -> Discoveries:
    return Discoveries(found.table[found.table["window"] == window], found.level, found.tested, found.placebos)


def multiples(clear: dict[str, Measurement], found: Discoveries, noun: str, level: float) -> MultiplesView | None:
    """Return observed against expected around the outage of the clearest winners and losers."""
    if not clear:
        return None
    window = next(iter(clear.values())).window
    rows = found.table[found.table["start"] == window.start].set_index("series")
    panels = [_multiple(name, one, rows.loc[name]) for name, one in clear.items()]
    return MultiplesView(panels, OutageSpan(window.start, window.end, window.name or "outage"), noun, level)


def _multiple(name: str, measured: Measurement, row: pd.Series) -> Multiple:
    after = len(measured.gap)
    path = measured.path.iloc[-(after + max(2 * after, LEAST_BEFORE)) :]
    values = {one: path[one].to_numpy(dtype=float) for one in ("observed", "expected", "low", "high")}
    low, high = sorted((abs(float(row["called_low"])), abs(float(row["called_high"]))))
    gain = f"{words.interval(low, high)} {'more' if row['rank'] > 0 else 'fewer'}"
    return Multiple(name, gain, pd.DatetimeIndex(path.index), measured.step, **values)


def groups(found: Discoveries) -> list[tuple[str, NDArray[np.bool_], bool]]:
    """Return groups of rows whose mean response is shown: name, rows, whether they cannot have gained."""
    table = found.table
    rank, placebo = table["rank"].to_numpy(), table["placebo"].to_numpy(dtype=bool)
    tested = table["q"].notna().to_numpy()
    return [
        ("gained", rank > 0, False),
        ("lost", rank < 0, False),
        ("not called", tested & (rank == 0), False),
        ("cannot have gained", placebo & table["p"].notna().to_numpy(), True),
    ]


def response(result: PanelResult, found: Discoveries, asked: WhoGained, noun: str) -> ResponseView | None:
    """Return the mean response of each group by time since the start of the outage."""
    shown, labels = [], question.clusters(result, asked)
    for name, rows, placebo in groups(found):
        if rows.any():
            mean = mean_response(result, rows=rows, clusters=labels).table
            hours = (result.since + result.settings.step / 2) / HOUR
            # A line through the middle of each step, on an axis that begins with the outage.
            enough = mean["clusters"] >= LEAST_CLUSTERS
            middle, low, high = (
                np.append(np.nan, values)
                for values in (mean["log_ratio"], mean["log_low"].where(enough), mean["log_high"].where(enough))
            )
            shown.append(Response(name, int(rows.sum()), np.append(0.0, hours), middle, low, high, placebo))
    if not any(np.isfinite(group.mean).any() for group in shown):
        return None
    lasted = [(window.end - window.start) / HOUR for window in result.settings.windows]
    same = lasted[0] if len(set(lasted)) == 1 else float(np.median(lasted))
    said = (
        f"outage, {words.duration(same)}" if len(set(lasted)) == 1 else f"outage, {words.duration(same)} at the median"
    )
    return ResponseView(shown, same, said, noun, result.settings.level)


def p_values(found: Discoveries, several: bool) -> PValueView | None:
    """Return the p-values of the tested rows, and of those that cannot have gained."""
    table = found.table[found.table["p"].notna()]
    placebo = table["placebo"].to_numpy(dtype=bool)
    values = table["p"].to_numpy(dtype=float)
    shown = [PGroup("tested", values[~placebo]), PGroup("cannot have gained", values[placebo], True)]
    if not len(values):
        return None
    return PValueView(shown, "measurements" if several else "series")
