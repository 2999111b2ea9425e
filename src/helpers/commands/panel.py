"""``adoption panel``: every series of a long table measured for one or more outages, and who gained."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import params
from helpers.commands import terminal
from helpers.words import FORMULA

if TYPE_CHECKING:
    import pandas as pd

    from helpers.measured.window import Window

_DAY = 10


def add(commands: Any) -> None:
    """Add the command to a parser's commands."""
    parser = commands.add_parser(
        "panel",
        help="measure many series at once: who gained",
        description="Measure every series of a table for each outage, control false discoveries, and write one row a "
        "series and outage. A series that fails is listed with its reason; the others go on.",
    )
    parser.add_argument("source", metavar="FILE|URL", help="table of counts: CSV, Parquet, or an address")
    parser.add_argument(
        "--outage",
        action="append",
        required=True,
        metavar="[NAME=]START/END",
        help="an outage, in UTC: 2021-10-04T15:40/2021-10-04T21:45; a plain day as END is all of it; may be repeated",
    )
    parser.add_argument(
        "--series",
        action="append",
        metavar="COLUMN",
        help="column that names the series (default: series); repeated, the columns together name it; with --wide, "
        "the columns that are series (default: all)",
    )
    parser.add_argument("--time", default="time", metavar="COLUMN", help="column of times (default: time)")
    parser.add_argument("--value", default="count", metavar="COLUMN", help="column of counts (default: count)")
    parser.add_argument("--wide", action="store_true", help="each series is a column of the table")
    parser.add_argument("--fractional", action="store_true", help="the values are measures, not counts of people")
    parser.add_argument("--every", metavar="STEP", help="the table's step: 1h, 1D, 7D (default: as its times show)")
    parser.add_argument(
        "--horizon-hours", type=_above_zero, metavar="H", help="hours from each start in which people are counted"
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="START/END",
        help="disturbed time that no baseline learns from; may be repeated",
    )
    parser.add_argument(
        "--placebo-series",
        action="append",
        default=[],
        metavar="NAME",
        help="series that cannot have gained, by name or pattern (JP / *), which test the method; may be repeated",
    )
    parser.add_argument("--level", type=_share, default=0.95, metavar="L", help="of the intervals (default: 0.95)")
    parser.add_argument(
        "--false-discoveries",
        type=_share,
        default=0.05,
        metavar="Q",
        help="share of false discoveries among those called, on average (default: 0.05)",
    )
    machine = parser.add_mutually_exclusive_group()
    machine.add_argument("--jobs", type=_processes, metavar="N", help="processes (default: one for each core)")
    machine.add_argument("--cluster", metavar="ADDRESS", help="Dask scheduler to use instead: tcp://host:8786")
    parser.add_argument("--resume", type=Path, metavar="DIR", help="keep what is done there; the same command goes on")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="where to write: .csv or .parquet")
    parser.set_defaults(run=run, tables=False)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"given {text!r}, expected a number") from None


def _above_zero(text: str) -> float:
    value = _number(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"given {text!r}, expected a number of hours above 0")
    return value


def _share(text: str) -> float:
    value = _number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"given {text!r}, expected a number between 0 and 1, such as 0.95")
    return value


def _processes(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10_000:
        raise argparse.ArgumentTypeError(f"given {text!r}, expected a whole number from 1 on")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Measure the panel, write its table, print a summary; 1 where no series could be measured."""
    import pandas as pd

    from helpers.measured.grid import step_of
    from helpers.panel import discoveries, summary
    from helpers.panel.measure_all import measure_panel
    from helpers.reading.long import long_table

    if options.to.suffix not in (".csv", ".parquet"):
        raise params.ParameterError(f"--to: given {str(options.to)!r}, expected a file ending in .csv or .parquet")
    if not options.to.parent.is_dir():
        raise params.ParameterError(f"--to: no such folder: {options.to.parent}")
    outages = [_window(text, "--outage") for text in options.outage]
    exclude = [_window(text, "--exclude") for text in options.exclude]
    try:
        every = step_of(options.every) if options.every else None
    except ValueError as error:
        raise params.ParameterError(f"--every: given {options.every!r}, expected {error}") from None
    columns = options.series or ([] if options.wide else ["series"])
    table = long_table(options.source, columns, options.time, "" if options.wide else options.value, wide=options.wide)
    notes = table.attrs.get("notes", ())
    placebos = _placebos(table["series"].cat.categories, options.placebo_series)
    tables = [table]
    del table  # handed over, so that it is gone when the workers come
    result = measure_panel(
        _handed_over(tables),
        outages,
        horizon=pd.Timedelta(hours=options.horizon_hours) if options.horizon_hours else None,
        exclude=exclude,
        level=options.level,
        fractional=options.fractional,
        every=every,
        jobs=options.jobs,
        cluster=options.cluster,
        resume=options.resume,
    )
    found = discoveries.find(
        result.table,
        placebo=result.table["series"].isin(placebos) if placebos else None,
        level=options.false_discoveries,
        interval_level=options.level,
        fractional=options.fractional,
    )
    write(found.table, options.to)
    print("\n".join([*notes, *summary.lines(result, found), f"written: {options.to}"]))
    if not (result.table["status"] == "measured").any():
        return terminal.complain("no series could be measured", 1)
    return 0


def _handed_over(tables: list[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield tables and let go of them."""
    while tables:
        yield tables.pop(0)


def _window(text: str, option: str) -> Window:
    """Read [NAME=]START/END; times without a zone are UTC."""
    import pandas as pd

    from helpers.measured.window import Window

    name, equals, rest = text.rpartition("=")
    given = [part.strip() for part in rest.split("/")]
    wanted = f"{option}: given {text!r}, expected START/END in UTC, such as 2021-10-04T15:40/2021-10-04T21:45"
    if len(given) != 2 or (equals and not name.strip()):
        raise params.ParameterError(wanted)
    try:
        start, end = (pd.to_datetime(part, format="ISO8601", utc=True) for part in given)
        if pd.isna(start) or pd.isna(end):
            raise ValueError
    except ValueError:
        raise params.ParameterError(wanted) from None
    if len(given[1]) == _DAY:  # the last day, as in the evidence tables, not its first moment
        end += pd.Timedelta(days=1)
    try:
        return Window(start, end, name.strip())
    except ValueError as error:
        raise params.ParameterError(f"{option}: given {text!r}: {error}") from None


def _placebos(known: Sequence[str], patterns: Sequence[str]) -> set[str]:
    """Return the series that are named, or match a pattern."""
    from helpers.panel.grid import PanelError
    from helpers.panel.names import matching

    try:
        return matching(known, patterns)
    except PanelError as error:
        raise params.ParameterError(f"--placebo-series: {error}") from None


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV or Parquet, by the ending of its name; whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.suffix == ".parquet":
            table.to_parquet(part, index=False)
        else:
            harmless = table.copy()
            for column in ("series", "window", "reason_text"):
                risky = harmless[column].str.startswith(FORMULA)
                harmless[column] = harmless[column].where(~risky, "'" + harmless[column])
            harmless.to_csv(part, index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%SZ")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
