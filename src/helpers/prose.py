"""Paragraphs of plain text on display in a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass


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
