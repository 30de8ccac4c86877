"""Entries of more fields than Biber reads: it ends without a word, and nothing of the file is read.

Round-trip fields of one name become one field, whose texts ``#`` joins: nothing is lost by that,
and BibTeX reads no field twice. What is still too much is written as comments. May not know what a
field means.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from bifolio.formats.bibtex.values import COMMENT_TAG, is_inherited, name_of, pieces
from bifolio.records.reference import Source

#: Biber's parser has room for 97 fields of an entry.
FIELDS_MAX: Final = 90

_ROUNDTRIP: Final = "x-"


def is_crowded(source: Source) -> bool:
    """Whether an entry has more fields than every program reads."""
    return len(source.tags) > FIELDS_MAX and sum(map(_is_field, source.tags)) > FIELDS_MAX


def within_limit(source: Source) -> Source:
    """The entry with as many fields as every program reads."""
    if not is_crowded(source):
        return source
    joined: dict[str, list[str]] = {}
    for tag, raw in source.tags:
        joined.setdefault(tag, []).append(raw)
    tags: list[tuple[str, str]] = []
    for tag, raw in source.tags:
        if not is_roundtrip(tag) or len(raws := joined[tag]) == 1:
            tags.append((tag, raw))
        elif raws:
            tags.append((tag, " # ".join(raws)))
            raws.clear()
    fields = [place for place, pair in enumerate(tags) if _is_field(pair)]
    for place in fields[FIELDS_MAX:]:
        tag, raw = tags[place]
        tags[place] = (COMMENT_TAG, f"% {name_of(tag)} = {raw}")
    return replace(source, tags=tuple(tags))


def is_roundtrip(tag: str) -> bool:
    """Whether a tag is one of ours, which says what no field of BibTeX's says."""
    return tag.startswith(_ROUNDTRIP)


def roundtrip_pieces(raw: str) -> list[str]:
    """The raw texts that one round-trip field says: those that ``#`` joins, each in braces."""
    if "#" not in raw:
        return [raw]
    found = pieces(raw)
    if any(delimiter != "{" for delimiter, _ in found):
        return [raw]
    return [f"{{{text}}}" for _, text in found]


def _is_field(pair: tuple[str, str]) -> bool:
    return pair[0] != COMMENT_TAG and not is_inherited(pair[0])
