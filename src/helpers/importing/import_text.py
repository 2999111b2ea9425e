"""What an import does, in lines for a terminal: the counts first, then a few of each group, or all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from helpers.importing import outage_rows
from helpers.importing.incidents import Feed, Incident
from helpers.importing.merge import Merge, Outcome
from helpers.importing.origin import Origin, Row

#: Of each group, unless all are wanted.
FEW = 10
#: An address or a name may be long; a line in a terminal is to be read.
_SHOWN = 100
#: What the lines of a new row tell by themselves; the other cells are told once where all new rows have the same.
_OWN = (
    "outage_id", "start_utc", "end_utc", "time_precision", "duration_hours", "cause", "scope", "external_ids", "note",
)  # fmt: skip


def summary(result: Merge, left: Sequence[Incident], feed: Feed) -> str:
    """Count what becomes of the incidents of a feed."""
    said = [
        (result.count("new"), f"new (outages: {len(result.those('new'))})"),
        (result.count("changed"), "in rows that change"),
        (result.count("same"), "in rows that stay as they are"),
        (len(left), "left out"),
        (result.count("against"), "overlapping other rows"),
        (len(feed.refused) + len(result.refused), "cannot be read"),
    ]
    total = len(feed.incidents) + len(feed.refused)
    counts = ", ".join(f"{count} {words}" for count, words in said if count)
    return f"{total} incident{'' if total == 1 else 's'}: {counts or 'none'}"


def nothing_to_write(result: Merge, feed: Feed) -> str:
    """Say why no table changes."""
    if not feed.incidents and not feed.refused:
        return "nothing to write: there is no incident in it"
    if not result.those("same"):
        return "nothing to write: none of them is imported"
    if feed.refused or result.refused or result.those("against"):
        return "nothing to write: the others are in the tables already"
    return "nothing to write: the tables are up to date"


def table_lines(table: str, before: Sequence[Row], after: Sequence[Row]) -> list[str]:
    """Say what changes in a small table: cells of old rows, then new rows."""
    lines = [
        f"~ {table}.csv: {next(iter(old.values()))}: {name}: {old[name]!r} -> {new[name]!r}"
        for old, new in zip(before, after, strict=False)
        for name in old
        if old[name] != new[name]
    ]
    return [*lines, *(f"+ {table}.csv: {', '.join(filter(None, row.values()))}" for row in after[len(before) :])]


def group_lines(
    result: Merge, left: Sequence[Incident], feed: Feed, origin: Origin, most: int | None = FEW
) -> list[str]:
    """Say which rows are new and which change, what is left to a person, and what is not imported.

    Parameters
    ----------
    result : Merge
        What the import does.
    left : sequence of Incident
        Those that do not count as outages.
    feed : Feed
        What was read.
    origin : Origin
        Where it is from.
    most : int or None
        How many of each group are shown; None for all.
    """
    new = [outcome for outcome in result.those("new") if outcome.after]
    shared = _shared([outcome.after for outcome in new if outcome.after], origin)
    kept = [f"    {one.name}: the feed has {one.kept}" for one in result.outcomes if one.kept]
    refused = [*feed.refused, *result.refused]
    groups: list[tuple[str, Iterable[str], int]] = [
        (
            f"new in outages.csv, each with {_cells(shared)}",
            (_new_lines(one, shared, origin) for one in new),
            len(new),
        ),
        ("changed in outages.csv:", map(_changed_lines, result.those("changed")), len(result.those("changed"))),
        ("rows that keep times of their own:", kept, len(kept)),
        (
            "cannot be read, not imported:",
            (f"    {one}" for one in refused),
            len(refused),
        ),
        (
            "overlapping what is in the tables, not imported:",
            map(_against_line, result.those("against")),
            len(result.those("against")),
        ),
        (
            "left out, not outages or of less impact than asked for:",
            (f"    {one.key}: {one.impact or 'impact not stated'}: {one.name[:_SHOWN]}" for one in left),
            len(left),
        ),
    ]
    lines = []
    for title, blocks, count in groups:
        if count:
            lines += [title, *_few(blocks, count, most)]
    return lines


def _few(blocks: Iterable[str], count: int, most: int | None) -> list[str]:
    # One more is shown in place of the line that says there is one more.
    shown = count if most is None or count <= most + 1 else most
    lines = [block for block, _ in zip(blocks, range(shown), strict=False)]
    return lines if shown == count else [*lines, f"    and {count - shown:,} more; --list-all shows every one"]


def _shared(rows: Sequence[Row], origin: Origin) -> Row:
    """Return the cells that all new rows have alike, and what all notes say."""
    if not rows:
        return {}
    first, *others = rows
    alike = {
        name: value
        for name, value in first.items()
        if value and name not in _OWN and all(row[name] == value for row in others)
    }
    return {**alike, "note": outage_rows.sentence(origin, "")}


def _cells(cells: Mapping[str, str]) -> str:
    return " | ".join(f"{name}: {value}" for name, value in cells.items())


def _new_lines(outcome: Outcome, shared: Row, origin: Origin) -> str:
    """Write a new row: its id and times in a line, what else is its own in another."""
    row, found = outcome.after or {}, outcome.found
    head = [_times(row)]
    head += [f"{row['duration_hours']} h"] if row["duration_hours"] else []
    head += [f"impact {found.impact}"] if found.impact else []
    head += [f"{len(found.keys)} incidents that overlap"] if len(found.keys) > 1 else []
    note = row["note"].removesuffix(outage_rows.sentence(origin, found.impact)).strip()
    own = {name: row[name] for name in ("cause", "scope")} | {
        name: value for name, value in row.items() if name not in (*_OWN, *shared)
    }
    own |= {"external_ids": row["external_ids"], "note": note}
    body = _cells({name: value for name, value in own.items() if value})
    return f"+ {row['outage_id']}: {', '.join(head)}\n    {body}"


def _changed_lines(outcome: Outcome) -> str:
    lines = [f"~ {outcome.name}"]
    lines += [f"    {name}: {before!r} -> {after!r}" for name, (before, after) in outcome.changes.items()]
    lines += [f"- {name}: now part of {outcome.name}" for name in outcome.lost]
    return "\n".join(lines)


def _against_line(outcome: Outcome) -> str:
    names = "; ".join(outcome.found.names)[:_SHOWN]
    ids, rows = ", ".join(outcome.found.keys), ", ".join(outcome.rows)
    return f"    {_times(outcome.found.edges)}, {names} ({ids}): {rows}: {outcome.advice}"


def _times(cells: Mapping[str, str]) -> str:
    return f"{cells['start_utc']} to {cells['end_utc'] or 'now'}"
