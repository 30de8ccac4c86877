"""The table of what is tried."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import msgpack
import zstandard
from nacl import bindings
from tests.fuzz import seeds
from tests.fuzz.blackboard import LENGTH_MAX
from tests.fuzz.judging import Target
from tests.fuzz.mutations import (
    mutate_bytes,
    mutate_json,
    mutate_lines,
    mutate_msgpack,
    mutate_sqlite,
    mutate_zip,
)
from tests.unit.crypto.builders import device, header_of, new_library
from tests.unit.document.builders import RECORD_ID
from tests.unit.formats.files import exported, load

from bifolio.crypto.envelope import (
    Envelope,
    envelope_chain_key,
    open_envelope,
    parse_envelope,
    verify_signature,
)
from bifolio.crypto.membership import Membership
from bifolio.crypto.membership.records import parse_record
from bifolio.crypto.ticket import Ticket
from bifolio.document import canonical, view
from bifolio.document.record import RecordDocument
from bifolio.document.update_rules import check_complete
from bifolio.document.update_structure import read_update
from bifolio.errors import (
    BackupError,
    DocumentError,
    EnvelopeError,
    FileFormatError,
    LibraryError,
    MembershipError,
    NewerMembershipError,
    ProtocolError,
    RecordTooLargeError,
    TicketError,
)
from bifolio.formats import MAPPING_VERSION, write
from bifolio.home import Home
from bifolio.library.backups import restore, verify
from bifolio.library.library import Library
from bifolio.replica.creation import create
from bifolio.storage import archive
from bifolio.storage.archive import Archive
from bifolio.storage.manifest import DATABASE
from bifolio.wire.changes import Body
from bifolio.wire.messages import parse_message

#: References of a file that records are made of: each costs as much as to read ten.
_MADE_MAX = 3


@cache
def _folder() -> Path:
    """A folder of this process, in memory where the tests' are."""
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


# --- what members and relays send --------------------------------------------------------------


def _read_structure(raw: bytes) -> None:
    structure = read_update(raw)
    assert len(structure.ranges) == len(structure.structs)
    check_complete(structure, {})


def _merge(raw: bytes) -> None:
    """An update that a record takes leaves one that can be read and saved, and it is the same
    whether an honest update of another device comes before or after it."""
    refused: list[DocumentError] = []
    for state, honest in zip(seeds.base_states(), seeds.honest_updates(), strict=True):
        document = RecordDocument(state, client_id=5)
        before = document.state()
        try:
            document.merge(raw)
        except DocumentError as error:
            refused.append(error)
            assert document.state() == before
            continue
        _check_record(document)
        other = RecordDocument(state, client_id=5)
        for one, update in ((document, honest), (other, honest), (other, raw)):
            try:
                one.merge(update)
            except DocumentError as error:
                raise AssertionError("an update is taken or refused by its order") from error
        assert _text_of(document) == _text_of(other)
    if len(refused) == len(seeds.base_states()):
        raise refused[0]


def _check_record(document: RecordDocument) -> None:
    view.read_view(document.visible())
    again = RecordDocument(document.state())
    assert _text_of(again) == _text_of(document)
    read_update(document.state(), is_own=True)


def _text_of(document: RecordDocument) -> str:
    entries = document.entries()
    return canonical.record_json(RECORD_ID, view.kind_of(entries), entries)


def _read_body(raw: bytes) -> None:
    body = Body.parse(raw)
    assert Body.parse(body.serialize()) == body


def _read_envelope(raw: bytes) -> None:
    envelope = parse_envelope(raw)
    assert envelope.raw == raw
    verify_signature(envelope)
    open_envelope(envelope, seeds.CONTENT_KEY)


def _open_sealed(compressed: bytes) -> None:
    """What a member sealed, whatever it is: ``compressed`` in place of a zstd frame."""
    owner = device("owner")
    header = header_of(owner, new_library(owner))
    nonce = bytes(24)
    sealed = nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        compressed, header.encode(), nonce, envelope_chain_key(header, seeds.CONTENT_KEY)
    )
    open_envelope(Envelope(header, sealed, bytes(64), b"", bytes(32)), seeds.CONTENT_KEY)


def _read_membership(raw: bytes) -> None:
    try:
        records = msgpack.unpackb(raw, strict_map_key=False)
    except Exception:  # noqa: BLE001 - only the records are on trial
        records = [raw]
    if not isinstance(records, list):
        records = [raw]
    records = [one for one in records if isinstance(one, bytes)] or [raw]
    for record in records:
        parse_record(record)
    membership = Membership.from_records(records)
    for member in membership.members:
        repr(member)


def _believe_signatures() -> None:
    """Take every signature of a membership record for good: what is behind that check is tried."""
    for name, module in sys.modules.items():
        if name.startswith("bifolio.crypto.membership") and hasattr(module, "verify"):
            module.verify = lambda *_: True  # type: ignore[attr-defined]


def _read_message(raw: bytes) -> None:
    message = parse_message(raw)
    assert parse_message(message.serialize()) == message


def _read_ticket(raw: bytes) -> None:
    ticket = Ticket.decode(raw.decode("utf-8", "surrogateescape"))
    assert Ticket.decode(ticket.encode()) == ticket


def _compressed_bodies() -> list[bytes]:
    return [zstandard.ZstdCompressor().compress(one) for one in (*seeds.bodies(), bytes(100_000))]


# --- files from outside ------------------------------------------------------------------------


def _import(name: str, format: str, raw: bytes) -> None:
    """Read a file, make records of its first references, and write those in the format again."""
    path = _folder() / name
    path.write_bytes(raw)
    loaded = load(path, format=format)
    first = exported(loaded)[:_MADE_MAX]
    for reference in loaded.references[:_MADE_MAX]:
        # A record that an import skips is no finding.
        try:
            create(reference.record_id(), reference, mapping=MAPPING_VERSION)
        except RecordTooLargeError:
            continue
    if format != "nbib":
        write(io.BytesIO(), first, format=format, blocks=loaded.blocks)


def _read_database(names: tuple[str, ...], raw: bytes) -> None:
    """Read another program's library, whose database is at each of ``names``."""
    for name in names:
        path = _folder() / "libraries" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    load(_folder() / "libraries" / names[0])


def _open_backup(raw: bytes) -> None:
    path = _folder() / "a.bifolio-backup"
    path.write_bytes(raw)
    verify(path)


def _restore_library(raw: bytes) -> None:
    """Restore a backup that is whole but for its library, and list what is in it."""
    source, path = _folder() / "source.sqlite", _folder() / "b.bifolio-backup"
    source.write_bytes(raw)
    path.write_bytes(seeds.backups()[1])
    with Archive.open(path) as backup:
        account = backup.manifest
    with path.open("wb") as target:
        archive.write(target, [(DATABASE, source)], account, lambda _: None)
    with tempfile.TemporaryDirectory(dir=_folder()) as restored:
        restore(path, Path(restored) / "L.bifolio")
        home = Home(_folder() / "home", device_name="laptop")
        with Library.open(Path(restored) / "L.bifolio", home=home) as library:
            for reference in library.list():
                library.show(reference.id)


def _importer(name: str, suffix: str, mutation: Callable[..., bytes] = mutate_lines) -> Target:
    return Target(
        f"import-{name}",
        partial(seeds.files, suffix),
        partial(_import, f"a{suffix}", name),
        (FileFormatError,),
        mutation,
        watched=("bifolio.formats",),
        short=15,
    )


_LIST = (
    Target(
        "update-structure",
        seeds.updates,
        _read_structure,
        (DocumentError,),
        seeds.mutate_update,
        watched=("bifolio.document",),
        short=120,
    ),
    Target(
        "update-merge",
        seeds.updates,
        _merge,
        (DocumentError,),
        seeds.mutate_update,
        watched=("bifolio.document",),
    ),
    Target(
        "body",
        seeds.bodies,
        _read_body,
        (EnvelopeError,),
        mutate_msgpack,
        watched=("bifolio.wire",),
        short=100,
    ),
    Target(
        "envelope",
        seeds.envelopes,
        _read_envelope,
        (EnvelopeError,),
        mutate_msgpack,
        watched=("bifolio.crypto",),
    ),
    Target(
        "envelope-sealed",
        _compressed_bodies,
        _open_sealed,
        (EnvelopeError,),
        mutate_bytes,
        watched=("bifolio.crypto",),
    ),
    Target(
        "membership",
        seeds.membership_logs,
        _read_membership,
        (MembershipError, NewerMembershipError),
        mutate_msgpack,
        watched=("bifolio.crypto",),
    ),
    Target(
        "membership-believed",
        seeds.membership_logs,
        _read_membership,
        (MembershipError, NewerMembershipError),
        mutate_msgpack,
        watched=("bifolio.crypto",),
        prepare=_believe_signatures,
    ),
    Target(
        "message",
        seeds.messages,
        _read_message,
        (ProtocolError,),
        mutate_msgpack,
        watched=("bifolio.wire",),
        short=100,
    ),
    Target(
        "ticket",
        seeds.tickets,
        _read_ticket,
        (TicketError,),
        seeds.mutate_ticket,
        watched=("bifolio.crypto",),
        short=100,
    ),
    _importer("ris", ".ris"),
    _importer("bibtex", ".bib"),
    _importer("enw", ".enw"),
    _importer("nbib", ".nbib"),
    _importer("endnote-xml", ".xml"),
    _importer("csl-json", ".json", mutate_json),
    Target(
        "library-zotero",
        seeds.zotero_databases,
        partial(_read_database, ("zotero.sqlite",)),
        (FileFormatError,),
        mutate_sqlite,
        length_max=LENGTH_MAX,
        watched=("bifolio.formats",),
        short=8,
    ),
    Target(
        "library-endnote",
        seeds.endnote_databases,
        partial(_read_database, ("Thesis.enl", "Thesis.Data/sdb/sdb.eni")),
        (FileFormatError,),
        mutate_sqlite,
        length_max=LENGTH_MAX,
        watched=("bifolio.formats",),
        short=8,
    ),
    Target(
        "backup",
        lambda: list(seeds.backups()),
        _open_backup,
        (BackupError,),
        mutate_zip,
        length_max=LENGTH_MAX,
        watched=("bifolio.storage",),
        short=15,
    ),
    Target(
        "backup-library",
        seeds.backed_up_databases,
        _restore_library,
        (BackupError, LibraryError),
        mutate_sqlite,
        length_max=LENGTH_MAX,
        watched=("bifolio.storage",),
        short=4,
    ),
)

TARGETS = {target.name: target for target in _LIST}
