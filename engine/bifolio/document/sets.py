"""Observed-remove sets: tags, groups, files, ISBN, ISSN, URL.

One flat key for each element and writer; a removal deletes the keys that it saw, so an element
that someone else added at the same time stays.
"""

from __future__ import annotations

import hashlib
from operator import itemgetter

from bifolio import limits
from bifolio.document.entries import Entries, join
from bifolio.document.plan import Plan, escape
from bifolio.ids import base64url
from bifolio.records.canonical import nfc

MARK = "+"

#: ``Live.rank``.
_rank = itemgetter(0, 1)


def element_name(field: str, element: str) -> str:
    """The register of an element: NFC, the separator escaped, hashed beyond 64 bytes."""
    text = escape(nfc(element))
    encoded = text.encode(errors="surrogatepass")
    if len(encoded) > limits.ELEMENT_KEY_BYTES_MAX:
        text = "#" + base64url(hashlib.blake2b(encoded, digest_size=24).digest())
    return join(MARK + field, text)


def elements(entries: Entries, field: str) -> list[str]:
    """The elements as given, in (stamp, slot, element) order."""
    return [value for _, value in rank_elements(entries, field)]


def rank_elements(entries: Entries, field: str) -> list[tuple[tuple[str, str], str]]:
    """The elements, each after the (stamp, slot) of who added it first, in their order."""
    found = []
    for name in entries.under(MARK + field):
        lives = entries.registers[name]
        stamp, slot, value = lives[0] if len(lives) == 1 else min(lives, key=_rank)
        if value is not None:
            found.append(((stamp, slot), value))
    found.sort()
    return found


def fields_in(entries: Entries) -> set[str]:
    """The fields of which an element may have a register."""
    return {head[len(MARK) :] for head in entries.by_head() if head.startswith(MARK)}


def all_elements(entries: Entries) -> dict[str, list[str]]:
    """The elements of every set that has any, by field."""
    found = ((field, elements(entries, field)) for field in fields_in(entries))
    return {field: held for field, held in found if held}


def plan_add(plan: Plan, entries: Entries, field: str, element: str) -> None:
    """Plan to add an element; nothing where it is there already."""
    name = element_name(field, element)
    if not entries.live(name):
        plan.put(name, element, seen=[])


def plan_remove(plan: Plan, entries: Entries, field: str, element: str) -> bool:
    """Plan to remove what is seen of an element. False where it is not there."""
    name = element_name(field, element)
    lives = entries.live(name)
    plan.remove(name, lives)
    return bool(lives)


def plan_set(plan: Plan, entries: Entries, field: str, wanted: tuple[str, ...]) -> bool:
    """Plan the set to hold just these elements. True where something is removed only."""
    keep = {element_name(field, element) for element in wanted}
    removed = False
    for name in entries.under(MARK + field):
        if name not in keep:
            plan.remove(name, entries.registers[name])
            removed = True
    for element in wanted:
        plan_add(plan, entries, field, element)
    return removed
