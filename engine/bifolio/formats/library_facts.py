"""What the facts of a library (``records.library_facts``) add to a record's values.

Of several versions of one record each kind of fact is taken from the newest that could say it.
Knows neither EndNote's nor Zotero's own form of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from bifolio.records.canonical import nfc
from bifolio.records.library_facts import LibraryFacts, LibraryFile
from bifolio.records.notes import read_part
from bifolio.records.reference import Value, Values, group_record_id

_KINDS: Final = LibraryFacts.__struct_fields__


def merge_facts(versions: Iterable[LibraryFacts | None]) -> LibraryFacts:
    """What several versions of a record say together, oldest first.

    A file which the newest could not find is the one that an earlier version found under the same
    path.
    """
    merged = LibraryFacts()
    found: dict[str, LibraryFile] = {}
    for facts in versions:
        if facts is None:
            continue
        said = {kind: one for kind in _KINDS if (one := getattr(facts, kind)) is not None}
        merged = replace(merged, **said)
        found |= {one.path: one for one in facts.files or () if one.attachment is not None}
    if merged.files is None:
        return merged
    return replace(
        merged,
        files=tuple(
            one if one.attachment is not None else found.get(one.path, one) for one in merged.files
        ),
    )


def add_facts(values: Values, facts: LibraryFacts | None, *, format: str) -> Values:
    """The record's values with what the library says next to it.

    Args:
        values: what the record itself is mapped to.
        format: the source's, which group ids belong to.
    """
    if facts is None:
        return values
    added: dict[str, Value] = {}
    if facts.tags:
        before = values.get("tags", ())
        own = [one for one in before if isinstance(one, str)] if isinstance(before, tuple) else []
        known = {nfc(one) for one in own}
        more = (one for one in dict.fromkeys(facts.tags) if nfc(one) not in known)
        added["tags"] = (*own, *more)
    if facts.rating:
        added["rating"] = facts.rating
    if facts.read_status:
        added["read-status"] = facts.read_status
    if facts.groups:
        added["groups"] = tuple(group_record_id(format, one) for one in dict.fromkeys(facts.groups))
    attached = {one.path: one.attachment for one in facts.files or () if one.attachment is not None}
    if attached:
        added["files"] = tuple(dict.fromkeys(one.to_element() for one in attached.values()))
        for name, value in values.items():
            part = read_part(name)
            if part is not None and part.attribute == "file" and value in attached:
                added[name] = attached[str(value)].hash
    return values | added
