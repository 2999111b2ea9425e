"""The parameters of each notebook as a pydantic model: types, ranges, choices, help."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from helpers.schemas import KINDS

PERIODS = ("second", "hour", "day")


def _number(value: object) -> object:
    """Take a number or its text; ``True`` is not a number, though Python says so."""
    if isinstance(value, bool):
        raise ValueError("a number")
    if isinstance(value, str):
        return int(value) if value.strip().removeprefix("-").isdecimal() else float(value)
    return value


def _names(value: object) -> object:
    """Take a list of names, or the names in one text separated by commas."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return list(value) if isinstance(value, tuple) else value


def _per_rival(value: object) -> object:
    """Take a number, a mapping, or the text ``telegram=100000, line=500000``."""
    if isinstance(value, str) and "=" in value:
        pairs = [part.partition("=") for part in value.split(",")]
        return {name.strip(): float(number) for name, _, number in pairs}
    if isinstance(value, str) and value.strip().lower() in {"", "none"}:
        return None
    if isinstance(value, Mapping):
        return {name: _number(number) for name, number in value.items()}
    return _number(value)


def first_day(value: str) -> str:
    """Take a year, a month or a day as the first day of it; nothing stays nothing, what is no date is a ValueError."""
    text = value.strip()
    return date.fromisoformat(text + {4: "-01-01", 7: "-01"}.get(len(text), "")).isoformat() if text else ""


def _year(value: object) -> object:
    """Take the year 2014 as it comes from a command line that guesses types."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _one_of(choices: tuple[str, ...]) -> AfterValidator:
    def known(value: str | list[str]) -> str | list[str]:
        given = [value] if isinstance(value, str) else value
        if not given or not set(given) <= set(choices):
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return AfterValidator(known)


Number = Annotated[float, BeforeValidator(_number), Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_number), Field(strict=True)]
Names = Annotated[list[str], BeforeValidator(_names)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Day = Annotated[str, BeforeValidator(_year), AfterValidator(first_day)]
PerRival = Annotated[dict[str, Positive] | Positive | None, BeforeValidator(_per_rival)]


class Parameters(BaseModel):
    """What every notebook's parameters share: no unknown name, no silent conversion.

    ``SUBJECT`` names the parameters that say what a report is about: they give its file its name.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)
    SUBJECT: ClassVar[tuple[str, ...]] = ()

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
    kinds: Annotated[Names, _one_of(KINDS)] = _field(
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
    per: Annotated[str, _one_of(PERIODS)] = _field("day", "period of the rates", f"one of {', '.join(PERIODS)}")


class AdoptionAfterOutage(Parameters):
    """Parameters of ``03_adoption_after_outage``."""

    SUBJECT = ("outage_id",)

    outage_id: str = _field("whatsapp-2014-02-22", "the outage", "an outage_id of data/outages.csv")
    rivals: Names = _field(
        [],
        "services to look at, separated by commas; none: all with figures",
        "service ids or names, as a list or separated by commas",
    )
    horizon_hours: Number = _field(
        168.0,
        "hours after the start of the outage in which people are counted",
        "a number of hours above 0, at most 8760 (a year)",
        gt=0,
        le=8760,
    )
    baseline_per_day: PerRival = _field(
        None,
        "usual number a day, instead of the published one: a number, or telegram=100000,...",
        "nothing, a number above 0, or one for each rival (telegram=100000)",
    )
    level: Number = _LEVEL
    seed: Whole = _field(20140222, "seed of the random numbers", "a whole number from 0 to 4294967295", ge=0, lt=2**32)


NOTEBOOKS: dict[str, type[Parameters]] = {
    "01_outage_history": OutageHistory,
    "02_growth_figures": GrowthFigures,
    "03_adoption_after_outage": AdoptionAfterOutage,
}
