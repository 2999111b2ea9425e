"""What a reader may write for a parameter, and what it is turned into: numbers, names, days, moments, windows."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field


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


def one_of(choices: tuple[str, ...]) -> AfterValidator:
    """Take one of some words, or several, in any capitals, as they are spelled here."""

    def known(value: str | list[str]) -> str | list[str]:
        spelled = {one.casefold(): one for one in choices}
        given = [one.casefold() for one in ([value] if isinstance(value, str) else value)]
        if not given or not set(given) <= set(spelled):
            raise ValueError(f"one of {', '.join(choices)}")
        return spelled[given[0]] if isinstance(value, str) else [spelled[one] for one in given]

    return AfterValidator(known)


def moment(value: str) -> str:
    """Take a moment in ISO 8601, UTC where it names no zone; what is none is a ValueError."""
    when = datetime.fromisoformat(value.strip())
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return f"{when:%Y-%m-%dT%H:%M}Z"


def end_moment(value: str) -> str:
    """Take a moment as an end: a plain day is all of it, as in the evidence tables."""
    text = value.strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        text = (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    return moment(text)


def span(value: str) -> str:
    """Take a window "start/end" or "name=start/end" in UTC; the end must lie after the start."""
    name, _, ends = value.rpartition("=")
    first, slash, last = ends.partition("/")
    if not slash or moment(first) >= end_moment(last):
        raise ValueError("start/end")
    written = f"{moment(first)}/{end_moment(last)}"
    return f"{name.strip()}={written}" if name else written


def _spans(values: list[str]) -> list[str]:
    return [span(value) for value in values]


def some(values: list[str]) -> list[str]:
    """Take a list with something in it."""
    if not values:
        raise ValueError("at least one")
    return values


def _step(value: str) -> str:
    if value.strip():
        from helpers.measured.grid import step_of

        step_of(value)
    return value.strip()


def some_of(choices: tuple[str, ...]) -> AfterValidator:
    """Take some of the words, or none."""

    def known(value: list[str]) -> list[str]:
        if not set(value) <= set(choices):
            raise ValueError(f"some of {', '.join(choices)}")
        return value

    return AfterValidator(known)


Number = Annotated[float, BeforeValidator(_number), Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_number), Field(strict=True)]
Names = Annotated[list[str], BeforeValidator(_names)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Day = Annotated[str, BeforeValidator(_year), AfterValidator(first_day)]
Moment = Annotated[str, AfterValidator(moment)]
#: Nothing stays nothing.
MomentOrNone = Annotated[str, AfterValidator(lambda value: moment(value) if value.strip() else "")]
End = Annotated[str, AfterValidator(end_moment)]
Spans = Annotated[list[str], BeforeValidator(_names), AfterValidator(_spans)]
Step = Annotated[str, AfterValidator(_step)]
NumberOrNone = Annotated[Annotated[float, Field(strict=True, allow_inf_nan=False)] | None, BeforeValidator(_number)]
PerRival = Annotated[dict[str, Positive] | Positive | None, BeforeValidator(_per_rival)]
