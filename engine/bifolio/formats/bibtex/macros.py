"""BibTeX's ``@string`` macros: their definitions, and values with the text in their place.

A macro whose text is longer than ``MACRO_CHARACTERS_MAX`` is as one that nothing defines; so is
what names it, and so are all macros of a value whose texts are longer together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from bifolio.formats.bibtex.values import pieces
from bifolio.formats.dates import MONTH_MACROS
from bifolio.limits import MACRO_CHARACTERS_MAX
from bifolio.records.reference import ImportedBlocks

_STRING: Final = re.compile(r"@\s*string\s*[{(]\s*([^\s=]+)\s*=\s*(.*)[})]\s*", re.I | re.S)


def expand(raw: str, macros: dict[str, str]) -> str:
    """The text of a raw value: delimiters off, parts joined, macros in their place.

    A macro that nothing defines stays as its name.
    """
    if raw[:1] == "{" and raw[-1] == "}" and "#" not in raw:
        return raw[1:-1]
    parts = pieces(raw)
    if len(parts) == 1 and parts[0][0]:
        return parts[0][1]
    if not _fit(parts, macros):
        return "".join(text for _, text in parts)
    return "".join(
        text if delimiter else macros.get(text.lower(), text) for delimiter, text in parts
    )


def mean_the_same(
    tags: Iterable[tuple[str, str]], macros: dict[str, str], others: dict[str, str]
) -> bool:
    """Whether raw values say the same by these macros as by those."""
    return all(
        macros.get(name) == others.get(name)
        for _, raw in tags
        if "#" in raw or raw[:1] not in ("{", '"')
        for delimiter, text in pieces(raw)
        if not delimiter and (name := text.lower())
    )


def find_overlong(
    tags: Iterable[tuple[str, str]], macros: dict[str, str], *, longest: int
) -> list[str]:
    """The tags whose macros have more text than a value may take from macros.

    Args:
        longest: the length of the longest macro, which spares nearly every value a look.
    """
    return [
        tag
        for tag, raw in tags
        if (raw.count("#") + 1) * longest > MACRO_CHARACTERS_MAX and not _fit(pieces(raw), macros)
    ]


def _fit(parts: Sequence[tuple[str, str]], macros: dict[str, str]) -> bool:
    if len(parts) == 1:
        return True  # each macro fits by itself
    texts = (macros.get(text.lower(), "") for delimiter, text in parts if not delimiter)
    return sum(map(len, texts)) <= MACRO_CHARACTERS_MAX


@lru_cache(maxsize=16)
def macros_of(blocks: ImportedBlocks | None) -> dict[str, str]:
    """The ``@string`` macros of a file, in full; a later definition replaces an earlier one."""
    macros: dict[str, str] = {}
    too_long: set[str] = set()
    for block in blocks.blocks if blocks is not None else ():
        if (definition := macro_definition(block)) is not None:
            name, raw = definition
            parts = pieces(raw)
            text = expand(raw, macros)
            used = {text.lower() for delimiter, text in parts if not delimiter}
            if used & too_long or not _fit(parts, macros) or len(text) > MACRO_CHARACTERS_MAX:
                too_long.add(name)
                macros.pop(name, None)
            else:
                too_long.discard(name)
                macros[name] = text
    return macros


@lru_cache(maxsize=16)
def month_macros_of(blocks: ImportedBlocks | None) -> dict[str, str]:
    """The macros that a month may hold: the file's, and the names of the months."""
    return macros_of(blocks) | MONTH_MACROS


def macro_definition(block: str) -> tuple[str, str] | None:
    """(name in small letters, raw value) of an ``@string`` block; nothing for any other."""
    found = _STRING.fullmatch(block.strip())
    return (found.group(1).lower(), found.group(2).strip()) if found else None
