"""From checked parameters to a measurement: the table read, the outage placed, the baseline learnt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pandas as pd

from helpers.measured import expected
from helpers.measured.expected import Measurement
from helpers.measured.series import Series
from helpers.measured.window import CannotTell, Window
from helpers.models import FIXES, SIMULATED, MeasuredSignups
from helpers.params import evidence_folder
from helpers.reading import read

#: The example that comes with the project: times, sign-ups and a control, all simulated.
EXAMPLE = "simulated/signups_hourly.csv"


def load(asked: MeasuredSignups) -> Series:
    """Read the series that was asked for; without a source the simulated example.

    Raises
    ------
    ReadingError, SeriesError
        If the source cannot be read, or is not an honest series.
    """
    if asked.source == SIMULATED:
        path = evidence_folder() / EXAMPLE
        return read(path, "time", asked.value_column or "signups", asked.every, asked.controls)
    return read(
        asked.source,
        asked.time_column,
        asked.value_column,
        asked.every,
        asked.controls,
        [name for name in asked.read_as if name in FIXES],
        asked.fractional,
        "totals" in asked.read_as,
        pairs(asked.where),
    )


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """Split "country=tn" into column and value.

    Raises
    ------
    ValueError
        If one has no equals sign.
    """
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise ValueError(f"where: given {wrong[0]!r}, expected column=value")
    return {name.strip(): value.strip() for name, _, value in (text.partition("=") for text in texts)}


def window(text: str) -> Window:
    """Read a checked window: "start/end" or "name=start/end" in UTC."""
    name, _, ends = text.rpartition("=")
    start, end = (pd.Timestamp(end) for end in ends.split("/"))
    return Window(start, end, name)


def outage(asked: MeasuredSignups) -> Window:
    """Return the outage that was asked about."""
    return window(f"{asked.outage_start}/{asked.outage_end}")


def others(asked: MeasuredSignups) -> tuple[list[Window], list[Window]]:
    """Return the windows to leave out, and the named events that come back."""
    return [window(text) for text in asked.exclude], [window(text) for text in asked.known]


def measure(series: Series, asked: MeasuredSignups) -> Measurement | CannotTell:
    """Measure the extra sign-ups; a series that cannot tell is an answer too, with its reason."""
    exclude, known = others(asked)
    try:
        return expected.measure(
            series.counts,
            outage(asked),
            horizon=pd.Timedelta(hours=asked.horizon_hours),
            controls=series.controls if len(series.controls.columns) else None,
            exclude=exclude,
            known=known,
            level=asked.level,
            fractional=asked.fractional,
        )
    except CannotTell as reason:
        return reason


def data_hash(series: Series) -> str:
    """Return a hash of the counts and controls as they were measured."""
    table = pd.concat([series.counts.rename("count"), series.controls], axis=1)
    return hashlib.sha256(table.to_csv(date_format="%Y-%m-%dT%H:%MZ").encode()).hexdigest()
