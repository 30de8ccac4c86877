"""Imports as deterministic updates (DESIGN §4).

The same file imported twice, or on two computers before they first meet, makes the same bytes
under names that these bytes give (``content_names``): one reference and no conflict. A newer
version of a record is merged as if the file were a replica of its own that had last seen the
version before: a second update, made on a scratch document that holds only the imports, so local
edits stay.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cached_property

from msgspec import Struct

from bifolio.clock import import_stamp
from bifolio.document import content_names, deletion, editing, sets
from bifolio.document.content_names import STAND_IN_CLIENT, NamedUpdate
from bifolio.document.entries import Entries, join
from bifolio.document.field_kinds import field_kind
from bifolio.document.new_update import encode_new
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.ids import IMPORT_MARK, base64url, digest
from bifolio.lazy import pattern
from bifolio.records.canonical import canonical_json, stored_json
from bifolio.records.reference import ImportedBlocks, Source, Values, strings_of

SOURCE = "+source"

#: Sets of which a file's first element is the one that counts: formats of one value write it.
_ORDERED = ("ISBN", "ISSN", "URL")

_HASH_LENGTH = 5

#: How a state begins that one client wrote, and ends in which nothing is deleted.
_ONE_WRITER, _NOTHING_DELETED = b"\x01", b"\x00"

#: A source in a state: the hash of its text, its slot, its stamp; the length and the text follow.
_STORED_SOURCE = pattern(
    rb"\+source\x1f([\w-]{16})\x1f(i[\w-]{11})\x01u\x02w\x12[0-9a-f]{18}w", re.ASCII
)


class ImportVersion(Struct, frozen=True, dict=True):
    """One version of a record in a file: what it was mapped to, and what it said."""

    values: Values
    source: Source

    @cached_property
    def text(self) -> str:
        """The source as it is stored, made once."""
        return self.source.text()


def first_import(record_id: str, version: ImportVersion, *, mapping: str) -> tuple[bytes, Entries]:
    """The import of a record's first version: its update, which is its state, and its entries."""
    stem = _stem(record_id, version.text, mapping)
    slot = content_names.stand_in(stem)
    plan = Plan(Writer(slot, import_stamp(1)))
    _plan_first(plan, version)
    named = _name(record_id, plan, stem)
    return named.update, plan.alone_as(named.family)


def import_updates(
    record_id: str, versions: Sequence[ImportVersion], *, mapping: str
) -> list[bytes]:
    """The imports of one record: an update for each version, each of which builds on those before.

    The same versions make the same bytes on every computer. All of them are given, so that a
    record which an older mapping made gets what the newer one builds on too.

    Args:
        record_id: where they go.
        versions: all that was imported of the record so far, the oldest first, at least one, each
            mapped as today.
        mapping: the mapping's version, one character.
    """
    first, _ = first_import(record_id, versions[0], mapping=mapping)
    updates = [first]
    before = versions[0].values
    for number, version in enumerate(versions[1:], start=2):
        document = document_of(updates, client_id=STAND_IN_CLIENT)
        stem = _stem(record_id, version.text, mapping)
        plan = Plan(Writer(content_names.stand_in(stem), import_stamp(number)))
        _plan_newer(plan, document.entries(), version, before, number=number)
        updates.append(name_newer(record_id, document, plan, stem=stem))
        before = version.values
    return updates


def document_of(updates: Sequence[bytes], *, client_id: int | None = None) -> RecordDocument:
    """A document that holds these updates."""
    document = RecordDocument(client_id=client_id)
    for update in updates:
        document.merge_own(update)
    return document


def name_newer(record_id: str, document: RecordDocument, plan: Plan, *, stem: str) -> bytes:
    """Write a plan on top of what a document holds, as an update that its content names."""
    made = content_names.sort_deletes(document.write(plan))
    return content_names.name_update(record_id, made, stem=stem).update


def _name(record_id: str, plan: Plan, stem: str) -> NamedUpdate:
    """A record that holds a plan and nothing else, as an update that its content names."""
    made = encode_new(plan, client_id=STAND_IN_CLIENT)
    return content_names.name_update(record_id, made, stem=stem)


def _stem(record_id: str, source: str, mapping: str) -> str:
    """How an import's slot begins. Of the source alone, whatever a mapping makes of it: so that
    what a newer mapping made of the same one is told to hide what an older one made."""
    hashed = digest(b"bifolio sources", record_id.encode(), source.encode())
    return IMPORT_MARK + base64url(hashed)[:_HASH_LENGTH] + mapping


def blocks_update(blocks: ImportedBlocks) -> tuple[str, bytes]:
    """The record of kind *import* that keeps a file's own blocks: its id and its update."""
    record_id = blocks.record_id()
    stem = _stem(record_id, "", "1")
    plan = Plan(Writer(content_names.stand_in(stem), import_stamp(1)))
    plan.put(editing.KIND, "import", seen=[])
    plan.put("format", blocks.format, seen=[])
    plan.put("blocks", canonical_json(list(blocks.blocks)), seen=[])
    return record_id, _name(record_id, plan, stem).update


def read_blocks(entries: Entries) -> ImportedBlocks:
    """The file's own blocks that a record of kind *import* keeps."""
    formats, blocks = entries.live("format"), entries.live("blocks")
    stored = stored_json(blocks[0].value) if blocks else None
    return ImportedBlocks(
        format=(formats[0].value or "") if formats else "",
        blocks=tuple(map(str, stored)) if isinstance(stored, list) else (),
    )


def sources(entries: Entries) -> list[Source]:
    """The sources of a reference, the newest last."""
    found = []
    for name in entries.under(SOURCE):
        live = entries.registers[name][0]
        if (source := Source.from_text(live.value)) is not None:
            found.append((live.rank, live.value, source))
    return [source for _, _, source in sorted(found, key=lambda one: one[:2])]


def untouched_source(record_id: str, state: bytes, *, mapping: str) -> Source | None:
    """The source of a record that is what its first import made of it, by this mapping, and to
    which nobody has written since; None of any other. Without a document: read off its bytes.

    Args:
        state: the record's, as one update.
    """
    # One writer, and nothing deleted: every other change has a writer of its own.
    if not state.startswith(_ONE_WRITER) or not state.endswith(_NOTHING_DELETED):
        return None
    found = _STORED_SOURCE.search(state)
    if found is None:
        return None
    length, at = 0, found.end()
    for shift in range(0, 35, 7):
        byte = state[at] if at < len(state) else 0
        length |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            break
    raw = state[at : at + length]
    name, slot = found.group(1).decode(), found.group(2).decode()
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    if len(raw) != length or name != _source_name(text):
        return None
    return Source.from_text(text) if slot.startswith(_stem(record_id, text, mapping)) else None


def _plan_first(plan: Plan, version: ImportVersion) -> None:
    nothing = Entries({}, {}, {})
    editing.plan_creation(plan, nothing, kind="reference", values=version.values)
    if version.source.is_trashed:  # where it comes from: the first version goes there here too
        plan.put(deletion.REGISTER, canonical_json({}), seen=[])  # it has seen no edit of anyone's
    _plan_order(plan, version.values, number=1)
    _plan_source(plan, version)


def _plan_order(plan: Plan, values: Values, *, number: int) -> None:
    """Sets are shown by stamp, then by element (DESIGN §4): of those whose order counts each
    element of a file gets a stamp of its own, where it would not come in the file's order anyway.

    Args:
        number: counts the record's sources, as the stamps of imports do.
    """
    for field in _ORDERED:
        elements = strings_of(values.get(field))
        if len(elements) < 2 or list(elements) == sorted(elements):
            continue
        for place, element in enumerate(elements):
            key = join(sets.element_name(field, element), plan.writer.slot)
            if place and key in plan.puts:
                plan.stamps[key] = import_stamp(number + place)


def _plan_newer(
    plan: Plan, entries: Entries, version: ImportVersion, before: Values, *, number: int
) -> None:
    for name in sorted(before.keys() - version.values.keys()):
        field_kind(name).plan_replace(plan, entries, name, None)
    for name, value in version.values.items():
        if before.get(name) != value:
            field_kind(name).plan_replace(plan, entries, name, value)
    _plan_order(plan, version.values, number=number)
    _plan_source(plan, version)


def _plan_source(plan: Plan, version: ImportVersion) -> None:
    plan.put(join(SOURCE, _source_name(version.text)), version.text, seen=[])


def _source_name(text: str) -> str:
    return base64url(hashlib.blake2b(text.encode(), digest_size=12).digest())
