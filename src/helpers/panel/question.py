"""From checked parameters to a measured panel: the table read, the outages placed, the series called."""

from __future__ import annotations

import hashlib
from typing import cast

import pandas as pd

from helpers.measured.grid import step_of
from helpers.measured.question import window
from helpers.measured.window import Window
from helpers.models import SIMULATED, WhoGained
from helpers.panel import discoveries, names
from helpers.panel.discoveries import Discoveries
from helpers.panel.measure_all import PanelResult, measure_panel
from helpers.params import evidence_folder
from helpers.reading.long import long_table

#: The example that comes with the project, all simulated, and its series that cannot have gained.
EXAMPLE, EXAMPLE_PLACEBOS = "simulated/panel_daily.csv.gz", ("JP / *",)


def load(asked: WhoGained) -> pd.DataFrame:
    """Read the long table that was asked for; without a source the simulated example.

    Raises
    ------
    ReadingError, SeriesError
        If the source cannot be read, or holds what is no time or no number.
    """
    if asked.source == SIMULATED:
        return long_table(evidence_folder() / EXAMPLE, "series", "time", "count")
    wide = "wide" in asked.read_as
    return long_table(
        asked.source,
        asked.series_columns or ([] if wide else ["series"]),
        asked.time_column or "time",
        "" if wide else asked.value_column or "count",
        wide=wide,
    )


def windows(asked: WhoGained) -> list[Window]:
    """Return the outages that were asked about."""
    return [window(text) for text in asked.outages]


def measure(table: pd.DataFrame, asked: WhoGained) -> PanelResult:
    """Measure every series for every outage on all cores of this machine, silently.

    Raises
    ------
    PanelError
        If no panel can be made of the table.
    """
    return measure_panel(
        table,
        windows(asked),
        horizon=pd.Timedelta(hours=asked.horizon_hours),
        exclude=[window(text) for text in asked.exclude],
        level=asked.level,
        fractional=fractional(asked),
        every=step_of(asked.every) if asked.every else None,
        progress=False,
    )


def fractional(asked: WhoGained) -> bool:
    """Whether the values are measures rather than counts."""
    return "measures" in asked.read_as


def placebos(asked: WhoGained) -> tuple[str, ...]:
    """Return names and patterns of the series that cannot have gained; the simulated example has its own."""
    return tuple(asked.placebos) or (EXAMPLE_PLACEBOS if asked.source == SIMULATED else ())


def call(result: PanelResult, asked: WhoGained, correct: bool = True) -> Discoveries:
    """Call the rows that gained or lost; a row is a series and an outage.

    All rows are tested together, also where there are several outages: a series that gains after each of them is
    called for each, and false discoveries are a share of all calls.

    Raises
    ------
    PanelError
        If a series that cannot have gained is no series of the table.
    """
    series = result.table["series"]
    chosen = names.matching(series.unique(), placebos(asked))
    return discoveries.find(
        result.table,
        placebo=series.isin(chosen).to_numpy() if chosen else None,
        level=asked.false_discoveries,
        interval_level=asked.level,
        correct=correct,
        fractional=fractional(asked),
    )


def clusters(result: PanelResult, asked: WhoGained) -> pd.Series:
    """Return what moves together, a label a row.

    With one outage these are parts of the names, and intervals speak of this outage. With several each outage is a
    cluster: then they speak of outages like these, and few outages make them wide.
    """
    return result.table["window"] if len(result.settings.windows) > 1 else alike(result, asked)


def alike(result: PanelResult, asked: WhoGained) -> pd.Series:
    """Return what moves together by the names of the series, a label a row."""
    return names.clusters(result.table["series"], cast(names.Part, asked.clusters))


def data_hash(table: pd.DataFrame) -> str:
    """Return a hash of the table as it was measured."""
    return hashlib.sha256(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()).hexdigest()
