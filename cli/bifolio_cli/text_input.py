"""A text that a user gives: as an argument, or through standard input for ``-``."""

from __future__ import annotations

import sys

from bifolio.errors import InvalidValueError
from bifolio_cli.edit_arguments import whole_text

#: What stands for standard input.
_STDIN = "-"

#: More is in no record: what the engine says of a text that is too long is said of one that fits
#: into memory.
_BYTES_MAX = 32 * 1024 * 1024


def read_text(given: str, *, field: str) -> str:
    """The text itself, or what comes through standard input, without the end of its last line.

    Raises:
        InvalidValueError: it is no text in UTF-8, or longer than any record may be.
    """
    if given != _STDIN:
        return whole_text(given, field=field)
    raw = sys.stdin.buffer.read(_BYTES_MAX + 1)
    if len(raw) > _BYTES_MAX:
        raise InvalidValueError(field, expected=f"at most {_BYTES_MAX:,} bytes", got="more")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise InvalidValueError(field, expected="text in UTF-8", got="other bytes") from None
    return text.replace("\r\n", "\n").removesuffix("\n")
