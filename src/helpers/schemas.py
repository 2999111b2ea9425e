"""What every column of the evidence tables may hold.

One list of fields a table. The pandera schemas are built from it here, and a test holds the codebook
(`data/README.md`) and `data/datapackage.json` to the same list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

Kind = Literal["string", "number", "integer", "boolean", "datetime"]

QUANTITIES = (
    "signups", "installs", "ported_numbers", "daily_active", "weekly_active", "monthly_active", "visits",
    "searches", "usage", "store_rank", "imports", "other",
)  # fmt: skip
READINGS = (
    "increment", "rate_mean", "rate_instant", "rate_peak", "total", "daily_level", "excess", "ratio_mean",
    "ratio_peak", "context",
)  # fmt: skip
MEASURES = (
    "signup_rate", "install_rate", "new_users", "installs", "total_users", "installed_base", "daily_active",
    "weekly_active", "monthly_active", "usage_time", "usage_sessions", "store_rank", "web_visits", "searches",
    "imports", "none_reported",
)  # fmt: skip
VALUE_KINDS = (
    "absolute", "change", "percent", "ratio", "rank", "qualitative", "none_stated", "gain_without_number",
    "not_mentioned", "retention_remark",
)  # fmt: skip
COMPARED_WITH = ("usual", "previous_day", "previous_week", "previous_month", "previous_year", "share", "other")
KINDS = ("outage", "block", "shutdown", "policy_shock")
ALL_KINDS = (*KINDS, NOTHING_FAILED := "nothing_failed")
SECTORS = (
    "messaging", "social", "video", "photo", "music", "payments", "banking", "brokerage", "crypto", "telecom",
    "ai", "search", "gaming", "vpn", "work", "news", "commerce", "transport", "cloud", "developer", "adult",
    "other",
)  # fmt: skip
CAUSES = (
    "unknown", "policy", "government_ban", "court_order", "load", "configuration", "shutdown", "attack",
    "software_fault", "software_update", "network", "protest", "third_party", "hardware", "acquisition",
    "power", "fire", "deplatforming", "dns", "nothing_failed",
)  # fmt: skip
#: What is counted, and the rates of it: "users", "users/s". A rate unit is always <thing>/<unit of time>.
THINGS = (
    "users", "installs", "numbers", "accounts", "subscribers", "customers", "visits", "views", "searches",
    "minutes", "hours", "requests", "projects", "domains", "games", "rides", "devices",
)  # fmt: skip
TIMES = ("s", "min", "hour", "day", "week", "month")
RATES = tuple(f"{thing}/{time}" for thing in THINGS for time in TIMES)
UNITS = (*THINGS, *RATES, "percent", "ratio", "rank", "countries")
PLATFORMS = ("android", "ios", "web", "mobile")

ID = r"[a-z0-9][a-z0-9().,-]*"
#: "githubstatus.com:9632825": where an imported row is from, and its id there.
EXTERNAL_ID = r"[^\s:;]+:[^\s;]+"
URL = r"https?://[^\s/]+\.[^\s]+"
#: The two articles the project began with have no published address that is known.
SEED = "seed-"


@dataclass(frozen=True)
class Field:
    """One column of a table.

    Attributes
    ----------
    name : column name.
    kind : type of a cell once it is read.
    required : an empty cell is a problem.
    unique : no value twice.
    enum : the values allowed; empty for any.
    pattern : regular expression that a whole cell, or each of several values, must match.
    least, most : range of a number, both ends allowed.
    many : several values, separated by ";".
    refers : table whose key the value must be; empty for none.
    """

    name: str
    kind: Kind = "string"
    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    pattern: str = ""
    least: float | None = None
    most: float | None = None
    many: bool = False
    refers: str = ""


@dataclass(frozen=True)
class Rule:
    """A condition over several columns of one row: `holds` says for each row whether it is met."""

    column: str
    expected: str
    holds: Callable[[pd.DataFrame], Any]

    def __call__(self, frame: pd.DataFrame) -> Any:
        """Test every row; where a column is missing, which is a problem already, there is nothing to test."""
        try:
            return self.holds(frame)
        except KeyError:
            return True


def _key(name: str) -> Field:
    return Field(name, required=True, unique=True, pattern=ID)


def _sources() -> Field:
    return Field("source_ids", required=True, many=True, refers="sources")


def _choice(name: str, enum: tuple[str, ...], required: bool = True) -> Field:
    return Field(name, required=required, enum=enum)


FIELDS: dict[str, tuple[Field, ...]] = {
    "outages": (
        _key("outage_id"),
        Field("service_id", required=True, refers="services"),
        Field("service", required=True),
        Field("operator"),
        _choice("kind", KINDS),
        Field("incidents", "integer", required=True, least=1),
        Field("start_utc", "datetime", required=True),
        Field("end_utc", "datetime"),
        _choice("time_precision", ("minute", "hour", "day", "month")),
        Field("duration_hours", "number", least=0),
        Field("duration_low_hours", "number", least=0),
        Field("duration_high_hours", "number", least=0),
        Field("scope"),
        Field("affected_users", "integer", least=1),
        _choice("affected_unit", ("users", "reports", "accounts", "customers", "other"), required=False),
        Field("affected_users_basis"),
        _choice("cause_category", CAUSES),
        Field("cause"),
        Field("partial", "boolean"),
        Field("confounders"),
        Field("confounder_ids", many=True, refers="outages"),
        Field("external_ids", many=True, pattern=EXTERNAL_ID),
        _sources(),
        Field("note"),
    ),
    "growth_figures": (
        _key("figure_id"),
        Field("outage_id", required=True, refers="outages"),
        Field("service_id", required=True, refers="services"),
        _choice("measure", MEASURES),
        _choice("quantity", QUANTITIES),
        Field("value", "number"),
        _choice("unit", UNITS, required=False),
        Field("unit_as_published"),
        _choice("value_kind", VALUE_KINDS),
        _choice("compared_with", COMPARED_WITH, required=False),
        _choice("reading", READINGS),
        _choice("platform", PLATFORMS, required=False),
        _choice("qualifier", ("exact", "about", "more_than", "up_to", "none")),
        Field("window_start_utc", "datetime", required=True),
        Field("window_end_utc", "datetime", required=True),
        Field("window_hours", "number", required=True, least=0.01, most=10_000),
        _choice("window_precision", ("minute", "hour", "day", "unknown")),
        Field("geography", required=True),
        Field("scope", required=True),
        _choice("claimed_by", ("company", "press", "analytics_firm")),
        _choice("claimant_class", ("company", "panel", "press", "api_count", "paper")),
        Field("panel"),
        _choice("role", ("gainer", "failing_service", "circumvention", "no_gain_named")),
        Field("part_of", many=True, refers="growth_figures"),
        Field("repeats", refers="growth_figures"),
        _sources(),
        Field("note"),
    ),
    "baselines": (
        _key("baseline_id"),
        Field("service_id", required=True, refers="services"),
        _choice("measure", MEASURES),
        _choice("quantity", QUANTITIES),
        Field("value", "number", required=True),
        _choice("unit", UNITS),
        Field("unit_as_published", required=True),
        _choice("reading", READINGS),
        Field("window_start_utc", "datetime", required=True),
        Field("window_end_utc", "datetime", required=True),
        _choice("qualifier", ("about", "more_than", "up_to"), required=False),
        _choice("window_precision", ("day", "month", "year", "range")),
        Field("geography", required=True),
        Field("scope", required=True),
        _choice("platform", PLATFORMS, required=False),
        _choice("role", ("baseline", "record", "during_event", "after_event")),
        Field("panel"),
        _sources(),
        Field("note"),
    ),
    "services": (
        _key("service_id"),
        Field("name", required=True, unique=True),
        _choice("sector", SECTORS),
        Field("is_group", "boolean", required=True),
        _choice("identity", ("phone_number",), required=False),
        _sources(),
    ),
    "sources": (
        _key("source_id"),
        Field("title", required=True),
        Field("publisher", required=True),
        Field("url", pattern=URL),
        Field("published_date", pattern=r"(19|20)\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"),
        Field("language", required=True, pattern="[a-z]{2}"),
    ),
}


def _hours(frame: pd.DataFrame, start: str, end: str) -> Any:
    return (frame[end] - frame[start]).dt.total_seconds() / 3600


def _reading_fits_unit(frame: pd.DataFrame) -> Any:
    reading, unit = frame["reading"], frame["unit"]
    rate = unit.str.contains("/", regex=False)
    relative = unit.isin(["percent", "ratio"])
    # The peak of a daily count, of users active in a day for example, is a rate whose unit does not say so.
    daily = (reading == "rate_peak") & (frame["quantity"] == "daily_active")
    wrong = reading.str.startswith("rate_") & ~rate & ~daily
    wrong |= reading.isin(["increment", "total", "excess"]) & (rate | relative)
    wrong |= reading.str.startswith("ratio_") & ~relative
    wrong |= (reading == "daily_level") & relative
    wrong |= (reading != "context") & (unit == "")
    return ~wrong


def _value_possible(frame: pd.DataFrame) -> Any:
    value, unit, reading = frame["value"], frame["unit"], frame["reading"]
    lowest = unit.map({"percent": -100.0}).fillna(0.0)
    return (reading == "context") | value.isna() | (value >= lowest)


def _whole(frame: pd.DataFrame) -> Any:
    """Whether a baseline's window is the whole day, month or year that its precision names."""
    start, end, precision = frame["window_start_utc"], frame["window_end_utc"], frame["window_precision"]
    hours = _hours(frame, "window_start_utc", "window_end_utc")
    month = (start.dt.day == 1) & (end.dt.day == 1) & (hours <= 31 * 24)
    year = (start.dt.day_of_year == 1) & (end.dt.day_of_year == 1) & (hours <= 366 * 24)
    wrong = (precision == "day") & (hours != 24)
    wrong |= (precision == "month") & ~month | (precision == "year") & ~year
    return ~wrong | hours.isna()


def _hours_fit(frame: pd.DataFrame) -> Any:
    """Whether window_hours is the length of the window, or fits into it where the position is unknown."""
    hours = _hours(frame, "window_start_utc", "window_end_utc")
    off, loose = frame["window_hours"] - hours, frame["window_precision"] == "unknown"
    # Published lengths are rounded to a tenth of an hour at most.
    return off.isna() | (off.abs() <= 0.06) | (loose & (off <= 0.06))


def _range_holds(frame: pd.DataFrame) -> Any:
    low, middle, high = (frame[f"duration_{name}hours"] for name in ("low_", "", "high_"))
    both = low.notna() & high.notna() & ~(low > high) & ~(middle < low) & ~(middle > high)
    return both | (low.isna() & high.isna())


def _duration_fits(frame: pd.DataFrame) -> Any:
    """Whether a duration fits edges that are known to the hour; a date as an end leaves a day of play."""
    hours = _hours(frame, "start_utc", "end_utc")
    fine = frame["time_precision"].isin(["minute", "hour"])
    plain = frame["end_utc"].dt.strftime("%H%M") == "0000"
    off = frame["duration_hours"] - hours
    near = (off.abs() <= 0.1) | (plain & (off <= 0.1) & (off >= -24))
    return ~fine | off.isna() | near


def _later(start: str, end: str) -> Rule:
    return Rule(end, f"a time after {start}", lambda f: ~(f[end] <= f[start]))


_WINDOW = (
    _later("window_start_utc", "window_end_utc"),
    Rule(
        "unit",
        "a unit that fits the reading: a rate for rate_*, a count for increment, total and excess, "
        "percent or ratio for ratio_*",
        _reading_fits_unit,
    ),
    Rule("value", "zero or more, percent -100 or more (losses have the reading context)", _value_possible),
)
RULES: dict[str, tuple[Rule, ...]] = {
    "outages": (
        _later("start_utc", "end_utc"),
        Rule("duration_low_hours", "low and high both or none, and low <= duration_hours <= high", _range_holds),
        Rule("duration_hours", "the hours from start_utc to end_utc, both known to the hour", _duration_fits),
        Rule(
            "affected_unit",
            "a unit where affected_users is given, and empty where it is not",
            lambda f: f["affected_users"].notna() == (f["affected_unit"] != ""),
        ),
    ),
    "growth_figures": (
        *_WINDOW,
        Rule(
            "window_hours",
            "the hours of the window (a day's end is inclusive), or fewer where the precision is unknown",
            _hours_fit,
        ),
        Rule(
            "value",
            "a number, as the reading is not context",
            lambda f: (f["reading"] == "context") | f["value"].notna(),
        ),
        Rule(
            "compared_with",
            "what a ratio is relative to",
            lambda f: ~f["reading"].str.startswith("ratio_") | (f["compared_with"] != ""),
        ),
    ),
    "baselines": (
        *_WINDOW,
        Rule("window_end_utc", "the last day of the day, month or year that window_precision names", _whole),
    ),
    "services": (),
    "sources": (
        Rule(
            "url",
            "an address, http:// or https:// (empty for the seed articles only)",
            lambda f: (f["url"] != "") | f["source_id"].str.startswith(SEED),
        ),
    ),
}

DTYPES: dict[Kind, str] = {
    "string": "str",
    "number": "float64",
    "integer": "Int64",
    "boolean": "bool",
    "datetime": "datetime64[us, UTC]",
}


def expected_of(field: Field) -> str:
    """Say in words what a cell of the field may hold."""
    if field.enum:
        shown = ", ".join(field.enum) if len(field.enum) <= 25 else "a known one, see data/README.md"
        return f"one of: {shown}"
    if field.pattern == URL:
        return "an address, http:// or https://"
    if field.pattern == ID:
        return "an id: lower-case letters, digits, '-', '.', ',' and brackets"
    if field.pattern == EXTERNAL_ID:
        return "ids of the source with its name before them: githubstatus.com:9632825"
    if field.pattern:
        date = field.name == "published_date"
        return "a date, month or year: 2014-02-25, 2014-02 or 2014" if date else "a code of two letters: en"
    if field.least is not None and field.most is not None:
        return f"a number from {field.least:g} to {field.most:g}"
    return f"a number, {field.least:g} or more" if field.least is not None else "a value"


def frame_schema(table: str, columns: list[str]) -> pa.DataFrameSchema:
    """Build the pandera schema of a typed table.

    Parameters
    ----------
    table : name of the table, one of FIELDS.
    columns : columns the table has, of those it should.

    Returns
    -------
    pandera.pandas.DataFrameSchema
        To be run with ``lazy=True``. The message of a rule over several columns begins with the column
        it is about and a tab.
    """
    # Imported here: pandera costs a quarter of a second, and the lists above are wanted without it.
    import pandera.pandas as pa

    def column(field: Field) -> pa.Column:
        text, full = expected_of(field), field.required and field.kind == "string"
        checks = [pa.Check.ne("", error="a value, not an empty cell")] if full else []
        if field.enum:
            checks.append(pa.Check.isin(field.enum if field.required else ("", *field.enum), error=text))
        if field.pattern:
            pattern = f"(?:{field.pattern})(?:;(?:{field.pattern}))*" if field.many else field.pattern
            checks.append(pa.Check.str_matches(rf"^(?:{pattern})?$", error=text))
        checks += [pa.Check.ge(field.least, error=text)] if field.least is not None else []
        checks += [pa.Check.le(field.most, error=text)] if field.most is not None else []
        return pa.Column(DTYPES[field.kind], checks, nullable=True)

    return pa.DataFrameSchema(
        {field.name: column(field) for field in FIELDS[table] if field.name in columns},
        checks=[
            pa.Check(rule, name=rule.column, error=f"{rule.column}\t{rule.expected}", ignore_na=False)
            for rule in RULES[table]
            if rule.column in columns
        ],
    )
