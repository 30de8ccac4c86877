"""Names of fields that every reader of BibTeX takes: letters, digits, ``_`` and ``-`` alone.

Any other character of a name is written ``_hex_``, and then so are its underscores. May not know
what a field means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from bifolio.formats.bibtex.fields import plain_field
from bifolio.formats.bibtex.values import pieces
from bifolio.formats.names import split_names
from bifolio.records.fields import FORMS, Form

#: A name that BibTeX, Biber and pandoc all read; a plus sign and a colon are BibLaTeX's own.
READABLE_NAME: Final = re.compile(r"[A-Za-z0-9_+:-]+")

#: Braces, and what is in them: their commas part nothing.
_GROUP: Final = re.compile(r"\{[^{}]*\}")
_COMMAS_MAX: Final = 2
_GROUPS_DEEP_MAX: Final = 8
_EMPTY_PART: Final = re.compile(r"^\s*,|,\s*,")
#: A part of a name in BibLaTeX's extended form: ``given=Hans, family=Harman, prefix=von``.
_EXTENDED_PART: Final = re.compile(r'\s*"?[a-z][a-z-]*\s*=', re.IGNORECASE)
#: ``and`` next to another one, which leaves an empty name between them.
_EMPTY_NAME: Final = re.compile(r"\sand\s+and\s", re.IGNORECASE)

_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]")
_HEX: Final = re.compile(r"_([0-9a-f]{1,6})_")
_TO_ESCAPE: Final = re.compile(r"[^A-Za-z0-9-]")


def is_readable_type(kind: str) -> bool:
    """Whether every program takes an entry of this type for one: to pandoc all types that begin
    so are comments."""
    return not kind.lower().startswith("comment")


def is_readable_field(name: str, raw: str, macros: Mapping[str, str] | None = None) -> bool:
    """Whether every program reads a field: by its name, and as names of people for none of which
    Biber leaves out the whole entry.

    Args:
        macros: the texts of those of the file; any other one is no text to a program. By default
            nothing is said of them.
    """
    if READABLE_NAME.fullmatch(name) is None:
        return False
    joined = macros is not None and "#" in raw
    doubtful = joined or "," in raw or "0" in raw or _EMPTY_NAME.search(raw) is not None
    if not doubtful or not _is_of_people(name.lower()):
        return True
    text = raw.strip()
    if joined and macros is not None:
        text = "".join(
            part if delimiter or part.isdigit() else macros.get(part.lower(), "")
            for delimiter, part in pieces(raw)
        )
    elif text[:1] in '{"' and text[-1:] in '}"':
        text = text[1:-1]
    plain = text
    for _ in range(_GROUPS_DEEP_MAX):
        if "{" not in plain:
            break
        plain = _GROUP.sub("x", plain)
    if _EMPTY_NAME.search(plain) is not None:
        return False
    if plain.count(",") == text.count(","):
        return all(map(_is_readable_name, split_names(plain)))
    return all(_is_readable_name(one) for one in split_names(text))


def _is_readable_name(name: str) -> bool:
    """Whether no part of a name is empty, and it has no more commas than a name of BibTeX's. Biber
    counts those in braces too, unless the name begins and ends with a brace. The parts of the
    extended form are as many as there are."""
    name = name.strip()
    if "," not in name:
        return name != "0"  # which Biber takes for none
    if name[0] == "{" and name[-1] == "}":
        return True
    if all(map(_EXTENDED_PART.match, name.split(","))):
        return True
    return name.count(",") <= _COMMAS_MAX and _EMPTY_PART.search(name) is None


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
