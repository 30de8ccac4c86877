"""Names of fields that every reader of BibTeX takes: letters, digits, ``_`` and ``-`` alone.

Any other character of a name is written ``_hex_``, and then so are its underscores. May not know
what a field means.
"""

from __future__ import annotations

import re
from typing import Final

#: A name that BibTeX, Biber and pandoc all read; a plus sign and a colon are BibLaTeX's own.
READABLE_NAME: Final = re.compile(r"[A-Za-z0-9_+:-]+")

_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]")
_HEX: Final = re.compile(r"_([0-9a-f]{1,6})_")
_TO_ESCAPE: Final = re.compile(r"[^A-Za-z0-9-]")


def written_name(name: str) -> str:
    """The name as it is written."""
    if _OTHER.search(name) is None and _HEX.search(name) is None:
        return name
    return _TO_ESCAPE.sub(lambda found: f"_{ord(found.group()):x}_", name)


def own_name(written: str) -> str:
    """The name that was written so."""
    return _HEX.sub(_character, written)


def _character(found: re.Match[str]) -> str:
    code = int(found.group(1), 16)
    allowed = 0x20 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if allowed else found.group()
