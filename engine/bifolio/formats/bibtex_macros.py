"""BibTeX's ``@string`` macros: their definitions, and values with the text in their place."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from bifolio.formats.bibtex_values import pieces
from bifolio.formats.dates import MONTH_MACROS
from bifolio.records.reference import ImportedBlocks

_STRING: Final = re.compile(r"@\s*string\s*[{(]\s*([^\s=]+)\s*=\s*(.*)[})]\s*", re.I | re.S)


def expand(raw: str, macros: dict[str, str]) -> str:
    """The text of a raw value: delimiters off, parts joined, macros in their place.

    A macro that nothing defines stays as its name.
    """
    parts = pieces(raw)
    if len(parts) == 1 and parts[0][0]:
        return parts[0][1]
    return "".join(
        text if delimiter else macros.get(text.lower(), text) for delimiter, text in parts
    )


@lru_cache(maxsize=16)
def macros_of(blocks: ImportedBlocks | None) -> dict[str, str]:
    """The ``@string`` macros of a file, in full; a later definition replaces an earlier one."""
    macros: dict[str, str] = {}
    for block in blocks.blocks if blocks is not None else ():
        if (definition := macro_definition(block)) is not None:
            name, raw = definition
            macros[name] = expand(raw, macros)
    return macros


@lru_cache(maxsize=16)
def month_macros_of(blocks: ImportedBlocks | None) -> dict[str, str]:
    """The macros that a month may hold: the file's, and the names of the months."""
    return macros_of(blocks) | MONTH_MACROS


def macro_definition(block: str) -> tuple[str, str] | None:
    """(name in small letters, raw value) of an ``@string`` block; nothing for any other."""
    found = _STRING.fullmatch(block.strip())
    return (found.group(1).lower(), found.group(2).strip()) if found else None
