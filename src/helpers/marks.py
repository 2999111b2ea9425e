"""Marks that turn the direction of text: a page shows them and does not obey them.

Text from elsewhere may hold a mark that turns all that follows it, so that a sentence or a row reads otherwise than
it is. Letters that are written from right to left need no such mark, and keep their direction.
"""

from __future__ import annotations

import re
from urllib.parse import quote

#: The joiners U+200C and U+200D are none of them: Persian and emoji need them, and they turn nothing.
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r'(?<= href=")[^"]*')


def shown(text: str) -> str:
    """Return text with every mark that turns its direction written out, such as ``[U+202E]``.

    Parameters
    ----------
    text : str
        Plain text, or text of a page or drawing outside of addresses.
    """
    return TURNING.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def in_page(html: str) -> str:
    """Return a page with every such mark written out; in an address it is encoded, so that it leads where it did."""
    return shown(_ADDRESS.sub(lambda found: TURNING.sub(lambda mark: quote(mark[0]), found[0]), html))
