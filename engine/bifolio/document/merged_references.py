"""References merged into another one: what the documents say of it.

The kept one holds the ids of those that were merged into it (an observed-remove set, hidden) and
where they were imported from; each of the others goes to the trash and names the kept one. Both
are ordinary edits in one change. The kept one is written to in every merge: where two computers
merge two references into each other, each has an edit that the other one's deletion did not see,
so that both references come back, flagged, and none is lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from bifolio.document import deletion, registers, sets
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.records.canonical import canonical_json, stored_json
from bifolio.records.reference import Source

#: In the kept one: the ids of the others, and where they came from.
_MERGED = "merged"
_SOURCES = "merged-source"

#: Where a merged reference was imported from: format, id, hash of the content, the file's blocks.
MergedSource = tuple[str, str, bytes, str]


def plan_kept(
    plan: Plan, entries: Entries, *, merged: Iterable[str], sources: Iterable[MergedSource]
) -> None:
    """Plan the kept reference to know of the others."""
    for record_id in merged:
        sets.plan_add(plan, entries, _MERGED, record_id)
    for source_format, source_id, content, blocks in sources:
        element = canonical_json([source_format, source_id, content.hex(), blocks])
        sets.plan_add(plan, entries, _SOURCES, element)


def plan_merged(plan: Plan, entries: Entries, *, into: str) -> None:
    """Plan a reference to go to the trash, merged into another one."""
    registers.plan_set(plan, entries, deletion.MERGED_INTO, into)
    deletion.plan_delete(plan, entries)


def merged_into(entries: Entries) -> str | None:
    """The id of the reference that this one was merged into, None where it was not."""
    live = registers.read_shown(entries, deletion.MERGED_INTO)
    return live.value if live else None


def merged_sources(entries: Entries) -> list[MergedSource]:
    """Where the references came from that were merged into this one."""
    found = []
    for element in sets.elements(entries, _SOURCES):
        stored = stored_json(element)
        if (
            isinstance(stored, list)
            and len(stored) == 4
            and all(isinstance(one, str) for one in stored)
        ):
            source_format, source_id, content, blocks = stored
            try:
                found.append((source_format, source_id, bytes.fromhex(content), blocks))
            except ValueError:
                continue
    return found


def source_of(source: Source) -> MergedSource:
    """What the kept reference remembers of a source."""
    return (source.format, source.id, source.content(), source.blocks)
