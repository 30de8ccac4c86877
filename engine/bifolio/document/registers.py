"""Scalar fields: registers that keep every concurrent value (DESIGN §4).

One live slot is the value; several that differ are a conflict, the greatest (stamp, slot)
shown. A write sets its own slot and deletes every other that it has seen.
"""

from __future__ import annotations

from bifolio.document.entries import Entries, Live
from bifolio.document.plan import Plan
from bifolio.records.canonical import nfc


def read_shown(entries: Entries, name: str) -> Live | None:
    """The value that is shown, or None where nothing was ever written."""
    lives = entries.live(name)
    return lives[0] if lives else None


def distinct(lives: list[Live]) -> list[Live]:
    """One live value for each different one (compared in NFC), newest first."""
    if len(lives) == 1:
        return lives
    found: dict[str | None, Live] = {}
    for live in lives:
        found.setdefault(nfc(live.value) if live.value is not None else None, live)
    return list(found.values())


def plan_set(plan: Plan, entries: Entries, name: str, value: str | None) -> None:
    """Plan a write; nothing is planned where that value is alone already."""
    lives = entries.live(name)
    if not lives and value is None:
        return
    if lives and all(live.value == value for live in lives):
        return
    plan.put(name, value, seen=lives)
