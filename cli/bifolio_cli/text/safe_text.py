"""What others wrote, as it may reach a terminal: nothing moves the cursor, turns the writing round,
ends a line or is there without being seen.

The one place for it: ``output`` passes all that a command says through here.
"""

from __future__ import annotations

import json
import re

from bifolio.lazy import pattern

# C0 without tab and newline, DEL, C1; marks, embeddings, overrides and isolates of the direction of
# writing; line and paragraph separators; what has no width. A joiner between two letters of a
# script that needs it (Persian, Hindi, an emoji of several) is left.
_UNSAFE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
_JOINERS = "(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
_IN_TEXT = pattern(f"[{_UNSAFE}]|{_JOINERS}")
_IN_LINE = pattern(f"[\n{_UNSAFE}]|{_JOINERS}")


def escape_controls(text: str) -> str:
    """The text of several lines with all that is unsafe but newline and tab spelled out."""
    return _IN_TEXT.sub(_spelled, text)


def escape_line(text: str) -> str:
    """The text on one line: its newlines are spelled out too."""
    return _IN_LINE.sub(_spelled, text)


def escape_json(text: str) -> str:
    """JSON with the same value: inside a string, the only place for them, an escape is the same."""
    return _IN_TEXT.sub(lambda found: json.dumps(found.group())[1:-1], text)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
