"""The parameters of each notebook as a pydantic model: types, ranges, choices, help."""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from helpers.claims import UTC_OFFSETS
from helpers.schemas import ALL_KINDS, KINDS, SECTORS
from helpers.values import (
    Day,
    End,
    Moment,
    MomentOrNone,
    Names,
    Number,
    NumberOrNone,
    PerRival,
    Spans,
    Step,
    Whole,
    one_of,
    some,
    some_of,
)

PERIODS = ("second", "hour", "day")


class Parameters(BaseModel):
    """What every notebook's parameters share: no unknown name, no silent conversion.

    ``SUBJECT`` names the parameters that say what a report is about: they give its file its name.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)
    SUBJECT: ClassVar[tuple[str, ...]] = ()

    def files(self) -> tuple[Path, ...]:
        """Return the files, beside the evidence, that a report with these parameters depends on."""
        return ()

    def changed(self) -> dict[str, Any]:
        """Return the parameters that differ from their defaults."""
        given, usual = self.model_dump(), type(self)().model_dump()
        return {name: value for name, value in given.items() if value != usual[name]}

    def subject(self) -> str:
        """Name what the report is about, as part of a file's name: "whatsapp-2014-02-22", "telegram-signal"."""
        values = (getattr(self, name) for name in self.SUBJECT)
        parts = ["-".join(value) if isinstance(value, list) else value for value in values]
        return "--".join(part for part in parts if part) or "all"


def _field(default: Any, description: str, expected: str, **limits: float) -> Any:
    """Describe a parameter for its help and for the message when it cannot be used."""
    extra: Any = {"json_schema_extra": {"expected": expected}, **limits}
    return Field(default, description=description, **extra)


_SEED = _field(20140222, "seed of the random numbers", "a whole number from 0 to 4294967295", ge=0, lt=2**32)
_HOURS = "a number of hours above 0, at most 8760 (a year)"
_HORIZON = _field(168.0, "hours after the start of the outage in which people are counted", _HOURS, gt=0, le=8760)
_LEVEL = _field(0.95, "probability that the intervals hold", "a number from 0.5 to below 1", ge=0.5, lt=1)


class OutageHistory(Parameters):
    """Parameters of ``01_outage_history``."""

    SUBJECT = ("services",)

    services: Names = _field(
        [],
        "services to look at, separated by commas; none: those that failed most often",
        "service ids or names, as a list or separated by commas",
    )
    since: Day = _field(
        "", "first day (UTC); none: as far back as the evidence goes", "a day, month or year: 2014-02-22"
    )
    until: Day = _field("", "day (UTC) before which it ends; none: where the evidence ends", "a day, month or year")
    kinds: Annotated[Names, one_of(KINDS)] = _field(
        ["outage"], "kinds of events", f"some of {', '.join(KINDS)}, as a list or separated by commas"
    )
    level: Number = _LEVEL


class GrowthFigures(Parameters):
    """Parameters of ``02_growth_figures``."""

    SUBJECT = ("service", "outage_id")

    service: str = _field("telegram", "the service that the figures are about", "a service id or name")
    outage_id: str = _field(
        "whatsapp-2014-02-22",
        "the outage after which they were published; all: every one",
        "an outage_id of data/outages.csv, or all",
    )
    per: Annotated[str, one_of(PERIODS)] = _field("day", "period of the rates", f"one of {', '.join(PERIODS)}")


class AdoptionAfterOutage(Parameters):
    """Parameters of ``03_adoption_after_outage``."""

    SUBJECT = ("outage_id",)

    outage_id: str = _field("whatsapp-2014-02-22", "the outage", "an outage_id of data/outages.csv")
    rivals: Names = _field(
        [],
        "services to look at, separated by commas; none: all with figures",
        "service ids or names, as a list or separated by commas",
    )
    horizon_hours: Number = _HORIZON
    baseline_per_day: PerRival = _field(
        None,
        "usual number a day, instead of the published one: a number, or telegram=100000,...",
        "nothing, a number above 0, or one for each rival (telegram=100000)",
    )
    level: Number = _LEVEL
    seed: Whole = _SEED


SIMULATED = "simulated"
#: What may be put right in a measured series when asked for: `helpers.measured.series.FIXES` and `increments.FIXES`.
FIXES = ("sort", "drop_duplicates", "sum_duplicates", "snap", "fill_zero", "drop_jumps")
READ_AS = ("measures", "totals", *FIXES)
ReadAs = Annotated[Names, some_of(READ_AS)]
_READ_AS = _field(
    [],
    f"how to read the table: measures (not counts), totals (running); what to put right: {', '.join(FIXES)}",
    f"some of {', '.join(READ_AS)}",
)


class Measured(Parameters):
    """What the notebooks about measured series share."""

    source: str = _field(
        SIMULATED,
        "path or address of the table; simulated: the example that comes with the project",
        "a path or an http(s) address",
    )
    time_column: str = _field("", "column of times; none: the only one there is", "the name of a column")
    value_column: str = _field("", "column of counts; none: the only one there is", "the name of a column")
    every: Step = _field("", "step, such as 1min, 1h, 1D, 1W; none: as the table has it", "a step from 1min to 1W")
    exclude: Spans = _field(
        [],
        "other outages and disturbed times that the baseline shall not learn from: start/end,...",
        "windows in UTC: 2025-12-24/2025-12-27, as a list or separated by commas",
    )
    horizon_hours: Number = _HORIZON
    level: Number = _LEVEL

    def files(self) -> tuple[Path, ...]:
        """Return the files of this machine that a report with these parameters depends on."""
        if self.source == SIMULATED or "://" in self.source:
            return ()
        return (Path(self.source).expanduser(),)

    def named(self, day: str) -> str:
        """Name the report by the table and the day of its outage."""
        stem = Path(self.source.rstrip("/").rpartition("/")[2].partition("?")[0]).name.partition(".")[0]
        return re.sub(r"[^\w-]+", "-", f"{stem or 'table'}--{day[:10]}", flags=re.ASCII).strip("-").lower()


class MeasuredSignups(Measured):
    """Parameters of ``04_measured_signups``."""

    seed: Whole = _SEED
    label: str = _field("", "whose sign-ups, in words; none: the name of the table", "a name")
    outage_start: Moment = _field("2025-03-05T14:00Z", "start of the outage (UTC)", "a moment: 2025-03-05T14:00Z")
    outage_end: End = _field(
        "2025-03-05T19:00Z", "end of the outage (UTC); a plain day is all of it", "a moment: 2025-03-05T19:00Z"
    )
    controls: Names = _field(
        [], "columns of series that the outage does not touch", "names of columns, as a list or separated by commas"
    )
    known: Spans = _field(
        [],
        "named days that come back, such as holidays: holiday=2025-12-25/2025-12-25,...",
        "named windows in UTC: holiday=2025-12-25/2025-12-25, as a list or separated by commas",
    )
    where: Names = _field(
        [], "keep only rows in which a column has a value: country=tn", "column=value, as a list or separated by commas"
    )
    read_as: ReadAs = _READ_AS

    @property
    def fractional(self) -> bool:
        """Whether the values are measures rather than counts."""
        return "measures" in self.read_as

    def subject(self) -> str:
        """Name the report by the table and the day of the outage."""
        return self.named(self.outage_start)


class WhoGained(Measured):
    """Parameters of ``05_who_gained``."""

    time_column: str = _field("", "column of times; none: time", "the name of a column")
    value_column: str = _field("", "column of counts; none: count", "the name of a column")
    series_columns: Names = _field(
        [],
        "columns that name a series; none: series; of a wide table the columns that are series, none: all",
        "names of columns, as a list or separated by commas",
    )
    outages: Annotated[Spans, AfterValidator(some)] = _field(
        ["2025-09-15T00:00Z/2025-09-16T00:00Z"],
        "the outages: start/end,...",
        "at least one window in UTC: 2025-09-15T14:00Z/2025-09-15T19:00Z, as a list or separated by commas",
    )
    placebos: Names = _field(
        [],
        "series that cannot have gained: names, * for any letters; none: none (in the simulated example JP / *)",
        "names or patterns of series, as a list or separated by commas",
    )
    clusters: Annotated[str, one_of(("first", "last", "none"))] = _field(
        "first",
        "what moves together: series with the same first or last part of their name, as in DE / maple; none: nothing",
        "first, last or none",
    )
    false_discoveries: Number = _field(
        0.05, "share of the called series that may be chance", "a number above 0 and below 0.5", gt=0, lt=0.5
    )
    read_as: Annotated[Names, some_of(("measures", "wide"))] = _field(
        [], "how to read the table: measures (not counts), wide (a column a series)", "some of measures, wide"
    )

    def subject(self) -> str:
        """Name the report by the table and the day of the first outage."""
        return self.named(self.outages[0].rpartition("=")[2])


class AcrossOutages(Parameters):
    """Parameters of ``06_across_outages``."""

    SUBJECT = ("kinds", "sectors")

    kinds: Annotated[Names, some_of(ALL_KINDS)] = _field(
        [], "kinds of events; none: all", f"some of {', '.join(ALL_KINDS)}, as a list or separated by commas"
    )
    sectors: Annotated[Names, some_of(SECTORS)] = _field(
        [], "sectors of the failing service; none: all", f"some of {', '.join(SECTORS)}"
    )
    exclude: Names = _field(
        [], "events to leave out", "outage_ids of data/outages.csv, as a list or separated by commas"
    )
    level: Number = _LEVEL
    seed: Whole = _SEED


class NextOutage(Parameters):
    """Parameters of ``07_next_outage``; what is left empty is taken from the event's row of the evidence."""

    SUBJECT = ("outage_id", "service")

    outage_id: str = _field(
        "tiktok-2026-01-25-us",
        "an event of the evidence, whose row gives what is left out below; none: the one of service near start",
        "an outage_id of data/outages.csv, or nothing for an outage to come",
    )
    service: str = _field("", "the service that fails; none: the event's", "a service id or name")
    kind: Annotated[str, one_of(("", *KINDS))] = _field(
        "", "kind of event; none: the event's, else outage", f"one of {', '.join(KINDS)}"
    )
    start: MomentOrNone = _field("", "start of the event (UTC); none: the event's", "a moment: 2026-01-25T05:00Z")
    duration_hours: NumberOrNone = _field(
        None, "hours without the service; none: as published of the event", _HOURS, gt=0, le=8760
    )
    users_affected: NumberOrNone = _field(
        None,
        "people hit; none: as published of the event, else unknown",
        "a number of people from 1 to 8,200,000,000 (everybody)",
        ge=1,
        le=8.2e9,
    )
    region: Annotated[str, one_of(("", "world", *UTC_OFFSETS))] = _field(
        "",
        "place whose day and night the sign-ups follow; world: none; none given: the event's",
        "world, or a place of the evidence: United States, Brazil, India, ...",
    )
    rivals: Names = _field(
        [],
        "services that people turn to; none: those named after the event, after others of the service or in its sector",
        "service ids or names, as a list or separated by commas",
    )
    horizon_hours: Number = _HORIZON
    creators: NumberOrNone = _field(
        None,
        "people who earn on the service; none: not asked (after the default event TikTok's own number, 2 million)",
        "a number of people, 0 or more",
        ge=0,
        le=8.2e9,
    )
    income_per_creator_hour: NumberOrNone = _field(
        None,
        "what one of them earns in an hour of day or night, dollars; none: as creators (after the default event 0.2)",
        "an amount, 0 or more",
        ge=0,
        le=1e6,
    )
    level: Number = _LEVEL
    seed: Whole = _SEED


NOTEBOOKS: dict[str, type[Parameters]] = {
    "01_outage_history": OutageHistory,
    "02_growth_figures": GrowthFigures,
    "03_adoption_after_outage": AdoptionAfterOutage,
    "04_measured_signups": MeasuredSignups,
    "05_who_gained": WhoGained,
    "06_across_outages": AcrossOutages,
    "07_next_outage": NextOutage,
}
