"""Names of fields that every reader of BibTeX takes: letters, digits, ``_`` and ``-`` alone.

Any other character of a name is written ``_hex_``, and then so are its underscores. May not know
what a field means.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from bifolio.formats.bibtex.fields import plain_field
from bifolio.formats.names import split_names
from bifolio.records.fields import FORMS, Form

#: A name that BibTeX, Biber and pandoc all read; a plus sign and a colon are BibLaTeX's own.
READABLE_NAME: Final = re.compile(r"[A-Za-z0-9_+:-]+")

#: Braces, and what is in them: their commas part nothing.
_GROUP: Final = re.compile(r"\{[^{}]*\}")
_COMMAS_MAX: Final = 2
_GROUPS_DEEP_MAX: Final = 8
_EMPTY_PART: Final = re.compile(r"^\s*,|,\s*,")

_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]")
_HEX: Final = re.compile(r"_([0-9a-f]{1,6})_")
_TO_ESCAPE: Final = re.compile(r"[^A-Za-z0-9-]")


def is_readable_field(name: str, raw: str) -> bool:
    """Whether every program reads a field: by its name, and as names of people none of which has
    an empty part or more commas than a name of BibTeX's; Biber leaves out the whole entry."""
    if READABLE_NAME.fullmatch(name) is None:
        return False
    if "," not in raw or not _is_of_people(name.lower()):
        return True
    text = raw.strip()
    if text[:1] in '{"' and text[-1:] in '}"':
        text = text[1:-1]
    for _ in range(_GROUPS_DEEP_MAX):
        if "{" not in text:
            break
        text = _GROUP.sub("x", text)
    return all(
        "," not in one or (one.count(",") <= _COMMAS_MAX and _EMPTY_PART.search(one) is None)
        for one in split_names(text)
    )


@lru_cache(maxsize=4096)
def _is_of_people(name: str) -> bool:
    return FORMS.get(plain_field(name)[0]) is Form.NAMES


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
