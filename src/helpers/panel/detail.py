"""Some series of a panel once more, with their whole paths: what the panel itself does not keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from helpers.panel.grid import PanelError, gather
from helpers.panel.task import Settings, measure_window

if TYPE_CHECKING:
    from helpers.measured.expected import Measurement


def details(
    table: pd.DataFrame,
    names: Sequence[str],
    settings: Settings,
    window: int = 0,
    columns: tuple[str, str, str] = ("series", "time", "count"),
) -> dict[str, Measurement]:
    """Measure a few series again, exactly as in the panel, and keep everything.

    Parameters
    ----------
    table : the long table that the panel was made of.
    names : series to measure, such as the clearest winners.
    settings : `PanelResult.settings`.
    window : which of its windows, by place.
    columns : names of the columns of series, time and count.

    Raises
    ------
    PanelError
        If a name is no series of the table, or a series is at fault.
    CannotTell
        If a series gives no honest interval.
    """
    here = table[columns[0]].astype("str")
    strangers = [name for name in names if not (here == name).any()]
    if strangers:
        raise PanelError(f"series {strangers[0]!r}: not in the table")
    panel = gather(table[here.isin(list(names))], columns, settings.step, settings.fractional)
    found: dict[str, Measurement] = {}
    for name in names:
        number = panel.names.index(name)
        if number in panel.faults:
            raise PanelError(f"series {name!r}: {panel.faults[number].reason}")
        found[name] = measure_window(panel.series(number), settings, window)
    return found
