"""Other programs' saved queries as ours, where they can be said exactly; None where they cannot.

A query that would find other references than it did there is worse than none: what is not in these
few forms is left to the caller, who names it. Knows the words of the language of searches
(``docs/search.md``), not how a search is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: One condition of EndNote's: ``('Year' CONTAINS [2019])``.
_TERM: Final = re.compile(r"\(\s*'([^']+)'\s+([A-Z ]+?)\s+\[([^\]]*)\]\s*\)")
_JOINT: Final = re.compile(r"\s+(AND|OR)\s+")
_YEAR: Final = re.compile(r"\d{4}")

#: What Zotero adds to a search that is no condition of ours: our searches never find the trash,
#: and know nothing of notes and files as things by themselves.
_SILENT: Final = {("deleted", "false"), ("noChildren", "true")}


@dataclass(frozen=True, slots=True)
class ZoteroCondition:
    """One condition of a saved search of Zotero's."""

    name: str
    operator: str
    value: str


def translate_endnote_query(flat: str) -> str | None:
    """The query of a smart group: years, one or several joined by one of AND and OR."""
    written = flat.strip()
    pieces = _JOINT.split(written)
    terms, joints = pieces[::2], set(pieces[1::2])
    found = [_TERM.fullmatch(term.strip()) for term in terms]
    if len(joints) > 1 or any(term is None for term in found):
        return None
    words = []
    for term in found:
        name, operator, value = term.groups() if term is not None else ("", "", "")
        if name != "Year" or operator != "CONTAINS" or not _YEAR.fullmatch(value):
            return None
        words.append(f"year:{value}")
    return (" OR " if joints == {"OR"} else " ").join(words)


def translate_zotero_query(
    conditions: Sequence[ZoteroCondition], groups: Mapping[str, str]
) -> str | None:
    """The query of a saved search: tags and collections.

    Args:
        groups: by a collection's key the record id of the group that it becomes.
    """
    any_of = False
    words = []
    for one in conditions:
        if one.name == "joinMode":
            any_of = one.operator == "any"
        elif (one.name, one.operator) in _SILENT:
            continue
        elif one.operator not in ("is", "isNot") or '"' in one.value or not one.value.strip():
            return None
        else:
            minus = "-" if one.operator == "isNot" else ""
            if one.name == "tag":
                words.append(f'{minus}tag:"{one.value}"')
            elif one.name == "collection" and one.value in groups:
                words.append(f"{minus}group:{groups[one.value]}")
            else:
                return None
    return (" OR " if any_of else " ").join(words) or None
