"""The trash: a deletion stores what the deleter had seen, so that unseen edits revive.

The register ``deleted`` holds canonical JSON ``{slot: greatest stamp seen}``, together with what
the deletions it replaces had seen; null is a restoration, itself an edit. A record is in the
trash if each of its edits is covered by some live deletion. Imports never revive.

Emptying the trash is a second register of the same form, ``purged``: a record is gone if each of
its edits is covered by some live purge. What a purge saw counts as deleted too, so whoever took
the record out of the trash, or edited it, without knowing of the purge has it back, flagged. Who
took back a purge, and deleted the record again, has it in the trash until a purge has seen that.
"""

from __future__ import annotations

from bifolio.document.entries import Entries, Live, is_import
from bifolio.document.plan import Plan
from bifolio.records.canonical import canonical_json, stored_json

REGISTER = "deleted"
PURGE = "purged"

#: Registers whose values are no edits of the record; null is one in either.
MARKS = (REGISTER, PURGE)

#: In a reference of the trash: the id of the one that it was merged into (document.merging).
MERGED_INTO = "merged-into"

Seen = dict[str, str]


def edits(entries: Entries) -> Seen:
    """The greatest stamp of each writing slot: all that a deletion must have seen."""
    greatest: Seen = {}
    for name, lives in entries.registers.items():
        for live in lives:
            if is_import(live) or (name in MARKS and live.value is not None):
                continue
            if live.stamp > greatest.get(live.slot, ""):
                greatest[live.slot] = live.stamp
    return greatest


def live_deletions(entries: Entries) -> list[tuple[Live, Seen]]:
    """The live deletions, newest first, each with what it had seen."""
    return _live(entries, REGISTER)


def live_purges(entries: Entries) -> list[tuple[Live, Seen]]:
    """The live purges, newest first, each with what it had seen."""
    return _live(entries, PURGE)


def is_trashed(entries: Entries) -> bool:
    """Whether each edit is covered by some live deletion or purge (and there is one)."""
    marks = _marks(entries)
    return bool(marks) and not _edits_not_covered(entries, marks)


def is_purged(entries: Entries) -> bool:
    """Whether each edit is covered by some live purge (and there is one)."""
    purges = live_purges(entries) if PURGE in entries.registers else []
    return bool(purges) and not _edits_not_covered(entries, purges)


def is_revived(entries: Entries) -> bool:
    """Whether there is a deletion or purge that an unseen edit has undone: listed until settled."""
    marks = _marks(entries)
    return bool(marks) and bool(_edits_not_covered(entries, marks))


def seen_by_all(entries: Entries) -> Seen:
    """The greatest stamp of each slot that any live deletion or purge had seen."""
    return _greatest(*(seen for _, seen in _marks(entries)))


def plan_delete(plan: Plan, entries: Entries) -> None:
    """Plan a deletion that covers all that is seen here; nothing where it is in the trash."""
    if is_trashed(entries):
        return
    seen = _greatest(edits(entries), *(earlier for _, earlier in live_deletions(entries)))
    if plan.puts:  # what is written together with the deletion is no later edit
        seen[plan.writer.slot] = plan.writer.stamp
    plan.put(REGISTER, canonical_json(seen), seen=entries.live(REGISTER))


def plan_purge(plan: Plan, entries: Entries) -> None:
    """Plan that a record of the trash is gone; nothing where it is not in the trash (any more)."""
    if not is_trashed(entries) or is_purged(entries):
        return
    seen = _greatest(edits(entries), seen_by_all(entries))
    plan.put(PURGE, canonical_json(seen), seen=entries.live(PURGE))


def plan_restore(plan: Plan, entries: Entries) -> None:
    """Plan a restoration: it clears deletions and purges, and dismisses the flag of a revival; what
    was merged into another reference is one of its own again."""
    for register in MARKS:
        if _live(entries, register):
            plan.put(register, None, seen=entries.live(register))
    merged = entries.live(MERGED_INTO)
    if plan.puts and merged and merged[0].value is not None:
        plan.put(MERGED_INTO, None, seen=merged)


def _live(entries: Entries, register: str) -> list[tuple[Live, Seen]]:
    return [(live, _parse(live.value)) for live in entries.live(register) if live.value is not None]


def _marks(entries: Entries) -> list[tuple[Live, Seen]]:
    if REGISTER not in entries.registers and PURGE not in entries.registers:
        return []
    return [*live_deletions(entries), *live_purges(entries)]


def _greatest(*vectors: Seen) -> Seen:
    greatest: Seen = {}
    for vector in vectors:
        for slot, stamp in vector.items():
            greatest[slot] = max(stamp, greatest.get(slot, ""))
    return greatest


def _edits_not_covered(entries: Entries, marks: list[tuple[Live, Seen]]) -> list[str]:
    return [
        slot
        for slot, stamp in edits(entries).items()
        if not any(stamp <= seen.get(slot, "") for _, seen in marks)
    ]


def _parse(text: str) -> Seen:
    """What a deletion had seen; one that cannot be read covers nothing, so nothing is lost."""
    seen = stored_json(text)
    if not isinstance(seen, dict):
        return {}
    return {slot: stamp for slot, stamp in seen.items() if isinstance(stamp, str)}
