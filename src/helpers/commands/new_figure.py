"""A new growth figure: what can be said for whoever adds it, from what they have said."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from helpers.evidence import DATE, NUMBER, WANTED
from helpers.raw_table import near
from helpers.schemas import FIELDS, THINGS, TIMES, expected_of
from helpers.store import Row

#: What has to be given; the other columns follow from it, or may stay empty.
NEEDED = (
    "outage_id",
    "service_id",
    "value",
    "unit",
    "qualifier",
    "quantity",
    "reading",
    "window_start_utc",
    "window_end_utc",
    "scope",
    "claimant_class",
)
SOURCE = {"url": "source_url", "title": "source_title", "publisher": "source_publisher"}
#: The finer name of a count, where the reading does not change it.
_MEASURES = {
    "ported_numbers": "new_users",
    "daily_active": "daily_active",
    "weekly_active": "weekly_active",
    "monthly_active": "monthly_active",
    "visits": "web_visits",
    "searches": "searches",
    "usage": "usage_sessions",
    "store_rank": "store_rank",
    "imports": "imports",
}
_CLAIMED_BY = {"company": "company", "panel": "analytics_firm", "api_count": "press", "paper": "analytics_firm"}


def completed(given: Mapping[str, str], figures: Iterable[Row], outages: Iterable[Row]) -> Row:
    """Fill in what follows from what was given; what was given is never changed.

    Parameters
    ----------
    given : mapping of str to str
        Cells by column; empty ones count as not given.
    figures, outages : iterable of rows
        The tables as they are: for the running number, and to see whether the service itself failed.

    Returns
    -------
    dict of str to str
        One cell a column of growth_figures; what does not follow is empty.
    """
    row = {field.name: "" for field in FIELDS["growth_figures"]} | {k: v.strip() for k, v in given.items() if v}
    failing = {outage["service_id"] for outage in outages if outage["outage_id"] == row["outage_id"]}
    follows = {
        "figure_id": _next_id(row, figures),
        "measure": _measure(row),
        "unit_as_published": row["unit"].replace("/", " per "),
        "value_kind": _value_kind(row),
        "compared_with": "usual" if row["reading"].startswith("ratio") else "",
        "window_precision": _precision(row),
        "window_hours": _hours(row),
        "geography": row["scope"],
        "claimed_by": _CLAIMED_BY.get(row["claimant_class"], "press"),
        "role": "failing_service" if row["service_id"] in failing else "gainer",
    }
    return {name: cell or follows.get(name, "") for name, cell in row.items()}


def source_row(given: Mapping[str, str], sources: Iterable[Row]) -> Row:
    """Make the row of a page that is not among the sources yet; its id comes from its publisher, title and year.

    A page whose address is known already keeps its row.
    """
    known = list(sources)
    for page in known:
        if page["url"] and page["url"].rstrip("/") == given["source_url"].strip().rstrip("/"):
            return page
    published = given.get("source_date", "").strip()
    words = f"{given['source_publisher']} {given['source_title']}".lower()
    stem = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in words).split()[:5])
    stem = "-".join(part for part in (stem or "page", published[:4]) if part)
    taken = {page["source_id"] for page in known}
    number = next(n for n in range(1, len(taken) + 2) if (stem if n == 1 else f"{stem}-{n}") not in taken)
    return {
        "source_id": stem if number == 1 else f"{stem}-{number}",
        "title": given["source_title"].strip(),
        "publisher": given["source_publisher"].strip(),
        "url": given["source_url"].strip(),
        "published_date": published,
        "language": given.get("source_language", "").strip() or "en",
    }


#: Columns in which a figure told twice is the same; the same hours and page make it the same row.
_ALIKE = ("outage_id", "service_id", "quantity", "value", "unit", "scope")
_SAME = (*_ALIKE, "reading", "window_start_utc", "window_end_utc", "source_ids")


def alike(row: Row, figures: Iterable[Row]) -> list[str]:
    """Return the ids of figures that give the same number for the same thing: perhaps one claim, told twice."""
    return [known["figure_id"] for known in figures if row["value"] and all(known[n] == row[n] for n in _ALIKE)]


def same(row: Row, figures: Iterable[Row]) -> list[str]:
    """Return the ids of figures that say the same of the same hours by the same page: the row is there already."""
    return [known["figure_id"] for known in figures if row["value"] and all(known[n] == row[n] for n in _SAME)]


def fault(name: str, text: str) -> str:
    """Say what was expected of one cell taken by itself; empty where nothing is wrong with it."""
    field = next((item for item in FIELDS["growth_figures"] if item.name == name), None)
    if field is None or not text:
        return ""
    forms = {"number": NUMBER, "datetime": DATE}
    if field.kind in forms:
        return "" if forms[field.kind].fullmatch(text) else WANTED[field.kind]
    if field.enum and text not in field.enum:
        if name == "unit":
            times = "|".join(TIMES)
            return f"percent, ratio, rank, countries, or one of {', '.join(THINGS)}, for a rate with /{times} after it"
        return expected_of(field) + near(text, field.enum)
    return ""


def _next_id(row: Row, figures: Iterable[Row]) -> str:
    """Return the event, the service, and a number above all that the two have had."""
    if not (row["outage_id"] and row["service_id"]):
        return ""
    stem = f"{row['outage_id']}--{row['service_id']}--"
    ends = (known["figure_id"].removeprefix(stem) for known in figures if known["figure_id"].startswith(stem))
    return f"{stem}{max((int(end) for end in ends if end.isdecimal()), default=0) + 1}"


def _measure(row: Row) -> str:
    rate = row["reading"].startswith("rate") or row["unit"].partition("/")[2] in TIMES
    if row["quantity"] == "signups":
        return "total_users" if row["reading"] == "total" else "signup_rate" if rate else "new_users"
    if row["quantity"] == "installs":
        return "install_rate" if rate else "installs"
    return _MEASURES.get(row["quantity"], "new_users")


def _value_kind(row: Row) -> str:
    if row["unit"] in ("percent", "ratio", "rank"):
        return row["unit"]
    return "absolute" if row["value"] else "gain_without_number"


def _precision(row: Row) -> str:
    times = [row["window_start_utc"], row["window_end_utc"]]
    return "hour" if all("T" in time for time in times) else "day"


def _hours(row: Row) -> str:
    """Length of the window; a plain date as its end is included. Empty where the edges cannot be read."""
    try:
        start, end = (datetime.fromisoformat(row[f"window_{edge}_utc"]) for edge in ("start", "end"))
    except ValueError:
        return ""
    start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
    if _is_date(row["window_end_utc"]):
        end += timedelta(days=1)
    hours = round((end - start).total_seconds() / 3600, 1)
    return f"{hours:g}" if hours > 0 else ""


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2014-02-22")
