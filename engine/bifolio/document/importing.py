"""Imports as deterministic updates (DESIGN §4).

The same file imported twice, or on two computers before they first meet, makes the same bytes
under the same client id: one reference and no conflict. A newer version of a record is merged
as if the file were a replica of its own that had last seen the version before: the update is
made on a scratch document that holds only the imports, so local edits stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from bifolio.clock import import_stamp
from bifolio.document import deletion, editing
from bifolio.document.entries import IMPORT_MARK, Entries, join
from bifolio.document.field_kinds import field_kind
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.ids import base64url, digest, hashed_client_id
from bifolio.records.canonical import canonical_json, stored_json
from bifolio.records.reference import ImportedBlocks, Source, Values, values_text

SOURCE = "+source"

_HASH_LENGTH = 5


@dataclass(frozen=True, slots=True)
class ImportVersion:
    """One version of a record in a file: what it was mapped to, and what it said."""

    values: Values
    source: Source
    #: The source as it is stored, made once.
    text: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.source.text())

    def written(self) -> bytes:
        """Exactly what an update of this version writes."""
        return f'{{"source":{self.text},"values":{values_text(self.values)}}}'.encode()


def import_document(
    record_id: str, versions: Sequence[ImportVersion], *, mapping: str
) -> RecordDocument:
    """A document that holds only the imports: the versions of one record, oldest first.

    The same versions make the same bytes on every computer; its whole state is the update to
    merge, so that a record which an older mapping made gets what the newer one builds on too.

    Args:
        record_id: where it goes.
        versions: all that was imported of the record so far, at least one, each mapped as today.
        mapping: the mapping's version, one character.
    """
    document: RecordDocument | None = None
    written = source_before = b""
    before: Values = {}
    for number, version in enumerate(versions, start=1):
        written_now = version.written()
        parts = (b"bifolio import", record_id.encode(), mapping.encode(), written, written_now)
        # The sources alone, whatever a mapping makes of them: so that what a newer mapping made
        # of the same ones has the same hash, and hides what an older one made.
        source_now = version.text.encode()
        hashed = digest(b"bifolio sources", record_id.encode(), source_before, source_now)
        slot = IMPORT_MARK + base64url(hashed)[:_HASH_LENGTH] + mapping
        client_id = hashed_client_id(*parts)
        plan = Plan(Writer(slot, import_stamp(number)))
        if document is None:
            _plan_first(plan, version)
            document = RecordDocument.of(plan, client_id=client_id)
        else:
            _plan_newer(plan, document.entries(), version, before)
            document = RecordDocument(document.state(), client_id=client_id)
            document.write(plan)
        written, source_before, before = written_now, source_now, version.values
    assert document is not None, "an import has a version"
    return document


def blocks_update(blocks: ImportedBlocks) -> tuple[str, bytes]:
    """The record of kind *import* that keeps a file's own blocks: its id and its update."""
    record_id = blocks.record_id()
    raw = digest(b"bifolio blocks", record_id.encode())
    document = RecordDocument(client_id=hashed_client_id(b"bifolio blocks", record_id.encode()))
    plan = Plan(Writer(IMPORT_MARK + base64url(raw)[:_HASH_LENGTH] + "1", import_stamp(1)))
    plan.put(editing.KIND, "import", seen=[])
    plan.put("format", blocks.format, seen=[])
    plan.put("blocks", canonical_json(list(blocks.blocks)), seen=[])
    return record_id, document.write(plan)


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


def _plan_first(plan: Plan, version: ImportVersion) -> None:
    nothing = Entries({}, {}, {})
    editing.plan_creation(plan, nothing, kind="reference", values=version.values)
    if version.source.is_trashed:  # where it comes from: the first version goes there here too
        plan.put(deletion.REGISTER, canonical_json({}), seen=[])  # it has seen no edit of anyone's
    _plan_source(plan, version)


def _plan_newer(plan: Plan, entries: Entries, version: ImportVersion, before: Values) -> None:
    for name in sorted(before.keys() - version.values.keys()):
        field_kind(name).plan_replace(plan, entries, name, None)
    for name, value in version.values.items():
        if before.get(name) != value:
            field_kind(name).plan_replace(plan, entries, name, value)
    _plan_source(plan, version)


def _plan_source(plan: Plan, version: ImportVersion) -> None:
    hashed = hashlib.blake2b(version.text.encode(), digest_size=12).digest()
    plan.put(join(SOURCE, base64url(hashed)), version.text, seen=[])
