"""HTML's entities in texts that are no HTML: what databases leave in RIS, ``enw`` and keywords.

Only what ends in a semicolon is one: an address may hold ``&copy=2``. May not know any format.
"""

from __future__ import annotations

import html
import re
from typing import Final

_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def unescape(text: str) -> str:
    """The text with characters in place of entities; one that nobody knows stays."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def escape(text: str) -> str:
    """A text that ``unescape`` turns into this one."""
    return _ENTITY.sub(lambda found: "&amp;" + found.group()[1:], text) if "&" in text else text


def _character(found: re.Match[str]) -> str:
    character = html.unescape(found.group())
    return found.group() if _CONTROL.search(character) else character
