"""Groups of other programs' libraries as deterministic updates, as references are (``importing``).

The same library imported twice, or on two computers before they first meet, makes the same bytes.
A newer state of a group is merged as if the library were a replica of its own that had last seen
the state before: a rename there arrives, a rename here stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bifolio.clock import import_stamp
from bifolio.document import content_names, groups, positions
from bifolio.document.content_names import STAND_IN_CLIENT
from bifolio.document.editing import KIND
from bifolio.document.entries import Entries, join
from bifolio.document.importing import SOURCE, document_of, name_newer
from bifolio.document.plan import Plan, Writer
from bifolio.ids import IMPORT_MARK, SLOT_LENGTH, base64url, digest
from bifolio.records.canonical import canonical_json, stored_json
from bifolio.records.reference import ImportedGroup, group_record_id

_HASH_LENGTH = 5

#: How a group becomes registers; a new way of it gets a new character.
_VERSION = "1"


def group_updates(versions: Sequence[ImportedGroup]) -> list[bytes]:
    """The imports of one group: an update for each state, each of which builds on those before.

    Args:
        versions: at least one, the oldest first, all of the same record id.
    """
    record_id = versions[0].record_id()
    before: dict[str, str | None] = {}
    updates: list[bytes] = []
    for number, version in enumerate(versions, start=1):
        text = canonical_json(version.to_json())
        hashed = digest(b"bifolio group import", record_id.encode(), text.encode())
        stem = IMPORT_MARK + base64url(hashed)[:_HASH_LENGTH] + _VERSION
        document = document_of(updates, client_id=STAND_IN_CLIENT)
        entries = document.entries()
        plan = Plan(Writer(content_names.stand_in(stem), import_stamp(number)))
        now = _registers(version)
        for name, value in now.items():
            if before.get(name) != value:
                plan.put(name, value, seen=entries.live(name))
        own = hashlib.blake2b(text.encode(), digest_size=12).digest()
        plan.put(join(SOURCE, base64url(own)), text, seen=[])
        updates.append(name_newer(record_id, document, plan, stem=stem))
        before = now
    return updates


def group_sources(entries: Entries) -> list[ImportedGroup]:
    """The states of a group that were imported, the newest last."""
    found = []
    for name in entries.under(SOURCE):
        live = entries.registers[name][0]
        stored = stored_json(live.value)
        if isinstance(stored, dict) and (group := ImportedGroup.from_json(stored)) is not None:
            found.append((live.rank, live.value, group))
    return [group for _, _, group in sorted(found, key=lambda one: one[:2])]


def _registers(group: ImportedGroup) -> dict[str, str | None]:
    parent = group_record_id(group.format, group.parent) if group.parent else None
    return {
        KIND: groups.GROUP,
        groups.NAME: group.name,
        groups.PARENT: parent,
        groups.POSITION: _position(group),
        groups.COLOUR: group.colour,
        groups.QUERY: group.query,
    }


def _position(group: ImportedGroup) -> str:
    """Where it is: what one library puts under one group ends in one slot, so it is a run."""
    hashed = digest(b"bifolio group place", group.format.encode(), group.parent.encode())
    slot = IMPORT_MARK + base64url(hashed)[: SLOT_LENGTH - 1]
    return positions.run("", None, slot=slot, count=group.place + 1)[-1]
