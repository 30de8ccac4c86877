"""The trash: a deletion stores what the deleter had seen, so that unseen edits revive.

The register ``deleted`` holds canonical JSON ``{slot: greatest stamp seen}``, together with what
the deletions it replaces had seen; null is a restoration, itself an edit. A record is in the
trash if each of its edits is covered by some live deletion. Imports never revive.
"""

from __future__ import annotations

from bifolio.document.entries import Entries, Live, is_import
from bifolio.document.plan import Plan
from bifolio.records.canonical import canonical_json, stored_json

REGISTER = "deleted"

Seen = dict[str, str]


def edits(entries: Entries) -> Seen:
    """The greatest stamp of each writing slot: all that a deletion must have seen."""
    greatest: Seen = {}
    for name, lives in entries.registers.items():
        for live in lives:
            if is_import(live) or (name == REGISTER and live.value is not None):
                continue
            if live.stamp > greatest.get(live.slot, ""):
                greatest[live.slot] = live.stamp
    return greatest


def live_deletions(entries: Entries) -> list[tuple[Live, Seen]]:
    """The live deletions, newest first, each with what it had seen."""
    found = []
    for live in entries.live(REGISTER):
        if live.value is not None:
            found.append((live, _parse(live.value)))
    return found


def is_trashed(entries: Entries) -> bool:
    """Whether each edit is covered by some live deletion (and there is one)."""
    deletions = live_deletions(entries)
    return bool(deletions) and not _uncovered(entries, deletions)


def is_revived(entries: Entries) -> bool:
    """Whether a deletion stands that an unseen edit has undone: listed until it is settled."""
    deletions = live_deletions(entries)
    return bool(deletions) and bool(_uncovered(entries, deletions))


def plan_delete(plan: Plan, entries: Entries) -> None:
    """Plan a deletion that covers all that is seen here; nothing where it is in the trash."""
    if is_trashed(entries):
        return
    seen = edits(entries)
    for _, earlier in live_deletions(entries):
        for slot, stamp in earlier.items():
            seen[slot] = max(stamp, seen.get(slot, ""))
    plan.put(REGISTER, canonical_json(seen), seen=entries.live(REGISTER))


def plan_restore(plan: Plan, entries: Entries) -> None:
    """Plan a restoration: it clears the deletions and dismisses the flag of a revival."""
    if live_deletions(entries):
        plan.put(REGISTER, None, seen=entries.live(REGISTER))


def _uncovered(entries: Entries, deletions: list[tuple[Live, Seen]]) -> list[str]:
    return [
        slot
        for slot, stamp in edits(entries).items()
        if not any(stamp <= seen.get(slot, "") for _, seen in deletions)
    ]


def _parse(text: str) -> Seen:
    """What a deletion had seen; one that cannot be read covers nothing, so nothing is lost."""
    seen = stored_json(text)
    if not isinstance(seen, dict):
        return {}
    return {slot: stamp for slot, stamp in seen.items() if isinstance(stamp, str)}
