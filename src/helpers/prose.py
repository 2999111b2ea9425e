"""Paragraphs of plain text on display in a notebook, and the words in which a page says what it is and where from."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import words
from helpers.models import NOTEBOOKS

if TYPE_CHECKING:
    from helpers.results import Record

DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True)
class Prose:
    """Paragraphs of plain text, escaped when shown as HTML; ``bullets`` shows them as a list."""

    paragraphs: tuple[str, ...]
    bullets: bool = False

    def __repr__(self) -> str:
        """Plain text, a paragraph a line."""
        return "\n".join(self.paragraphs)

    def _repr_html_(self) -> str:
        shown = [html.escape(text) for text in self.paragraphs]
        if self.bullets:
            return "<ul>" + "".join(f"<li>{text}</li>" for text in shown) + "</ul>"
        return "".join(f"<p>{text}</p>" for text in shown)


def subject(record: Record) -> str:
    """Say what a report is about, for the line below its title; empty if it is about everything."""
    if record.outage_id:
        return f"Outage {record.outage_id}"
    model, asked = NOTEBOOKS.get(record.notebook), record.parameters
    given = [asked.get(name) for name in (model.SUBJECT if model else ())]
    named = [", ".join(map(str, value)) if isinstance(value, list) else str(value) for value in given if value]
    # A measured series has outages of its own, that are in no table.
    starts = [str(start)[:10] for start in (asked.get("outage_start"), *(asked.get("outages") or ()))]
    days = [words.day(datetime.fromisoformat(start)) for start in starts if DAY.fullmatch(start)]
    if days:
        more = f" and {len(days) - 1} more" if days[1:] else ""
        named.append(f"Outage of {days[0]}{more}")
    return ", ".join(named)


def file_name(record: Record) -> str:
    """Return how the names of the files begin that a page holds."""
    return re.sub(r"[^\w.-]+", "-", record.outage_id or subject(record) or record.notebook).strip("-.")[:80]


def commit(folder: Path) -> str:
    """Return the commit that a folder is checked out at, read without running git; "unknown" if there is none."""
    git = folder / ".git"
    try:
        if git.is_file():  # a work tree beside the main one
            git = folder / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        name = head.removeprefix("ref:").strip()
        if name != head:
            shared = git / "commondir"
            common = git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git
            packed = common / "packed-refs"
            lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
            loose = [place / name for place in (git, common) if (place / name).is_file()]
            found = [path.read_text(encoding="utf-8").strip() for path in loose]
            head = [*found, *(line.split()[0] for line in lines if line.endswith(f" {name}")), ""][0]
    except (OSError, ValueError):
        return "unknown"
    return head if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", head) else "unknown"


def in_words(value: object) -> str:
    """Write the value of a parameter for a reader."""
    if value is None or value in ([], ""):
        return "not given"
    if isinstance(value, dict):
        return ", ".join(f"{name} {in_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
