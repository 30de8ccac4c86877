"""What a newer Bifolio may send one day, as golden files, and the program that can read it.

``python -m tests.support.newer_envelopes tests/golden/newer`` writes the files, the same in every
run: fixed keys, a fixed clock. Each holds a library whose second envelope only a newer program can
read; the third and the fourth are of today's format and build on it, one in its chain, one by its
frontier. The newer program differs from today's by the tables of ``EnvelopeFormats`` alone.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgpack
from msgspec import structs
from tests.unit.replica.builders import Computer, new_computer

from bifolio.crypto.envelope import (
    CONTENT_KEY_BYTES,
    KIND_CHANGES,
    NO_PREVIOUS,
    Envelope,
    Header,
    open_envelope,
    seal,
)
from bifolio.crypto.keys import SEED_BYTES, DeviceKeys
from bifolio.ids import RandomBytes, digest
from bifolio.replica.envelope_formats import ENVELOPE_FORMATS, EnvelopeFormats
from bifolio.replication.inbox import Received
from bifolio.wire.changes import BODY_VERSION, Body, Change

FOLDER = Path(__file__).parents[1] / "golden" / "newer"

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)

_PADDED_TO = 256


@dataclass(frozen=True, slots=True)
class NewerFormat:
    """One thing that a newer program can do: how it writes an envelope, and its tables."""

    needs: str
    header: dict[str, Any]
    content: Callable[[Body], bytes]
    formats: EnvelopeFormats


@dataclass(frozen=True, slots=True)
class GoldenLibrary:
    """A golden file: a library of one device, its log, and its state once all is merged."""

    name: str
    newer: NewerFormat
    keys: DeviceKeys
    content_key: bytes
    members: tuple[bytes, ...]
    log: tuple[bytes, ...]
    state: str


def _tables(
    *,
    opener: dict[int, Any] | None = None,
    reader: dict[tuple[int, int], Any] | None = None,
    critical_parts: tuple[str, ...] = (),
) -> EnvelopeFormats:
    return EnvelopeFormats(
        openers={**ENVELOPE_FORMATS.openers, **(opener or {})},
        readers={**ENVELOPE_FORMATS.readers, **(reader or {})},
        critical_parts=critical_parts,
    )


def _open_padded(envelope: Envelope, content_key: bytes) -> bytes:
    padded = open_envelope(envelope, content_key)
    return padded[4 : 4 + int.from_bytes(padded[:4], "big")]


def _pad(plaintext: bytes) -> bytes:
    framed = len(plaintext).to_bytes(4, "big") + plaintext
    return framed + bytes(-len(framed) % _PADDED_TO)


def _write_second_kind(body: Body) -> bytes:
    """Its frontier last, as a kind of its own may have it."""
    _, frontier, changes, parts = msgpack.unpackb(body.serialize())
    return bytes(msgpack.packb([1, changes, parts, "a snapshot, say", frontier]))


def _read_second_kind(plaintext: bytes) -> Body:
    _, changes, parts, _, frontier = msgpack.unpackb(plaintext)
    return Body.parse(msgpack.packb([BODY_VERSION, frontier, changes, parts]))


def _write_third_version(body: Body) -> bytes:
    """Nothing but named parts."""
    _, frontier, changes, parts = msgpack.unpackb(body.serialize())
    return bytes(msgpack.packb([3, {"frontier": frontier, "changes": changes, **parts}]))


def _read_third_version(plaintext: bytes) -> Body:
    _, parts = msgpack.unpackb(plaintext)
    frontier, changes = parts.pop("frontier"), parts.pop("changes")
    return Body.parse(msgpack.packb([BODY_VERSION, frontier, changes, parts]))


def _write_with_a_critical_part(body: Body) -> bytes:
    """A body of today's version with a part that must be understood."""
    version, frontier, changes, parts = msgpack.unpackb(body.serialize())
    return bytes(msgpack.packb([version, frontier, changes, {"Salt": b"salt", **parts}]))


def _read_with_a_critical_part(plaintext: bytes) -> Body:
    version, frontier, changes, parts = msgpack.unpackb(plaintext)
    parts.pop("Salt", None)
    return Body.parse(msgpack.packb([version, frontier, changes, parts]))


#: What each golden file shows, by the file's name.
NEWER: dict[str, NewerFormat] = {
    "envelope-kind-2": NewerFormat(
        needs="kind 2",
        header={"kind": 2},
        content=_write_second_kind,
        formats=_tables(reader={(2, 1): _read_second_kind}),
    ),
    "body-version-3": NewerFormat(
        needs="kind 1, content version 3",
        header={},
        content=_write_third_version,
        formats=_tables(reader={(KIND_CHANGES, 3): _read_third_version}),
    ),
    "body-critical-part": NewerFormat(
        needs="content part 'Salt'",
        header={},
        content=_write_with_a_critical_part,
        formats=_tables(
            reader={(KIND_CHANGES, BODY_VERSION): _read_with_a_critical_part},
            critical_parts=("Salt",),
        ),
    ),
    "header-version-2": NewerFormat(
        needs="header version 2",
        header={"version": 2, "more": ("padded", _PADDED_TO)},
        content=lambda body: _pad(body.serialize()),
        formats=_tables(opener={2: _open_padded}),
    ),
}


def golden_library(name: str) -> GoldenLibrary:
    """Read a golden file."""
    stored = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    sign_seed, box_seed = map(bytes.fromhex, stored["device_seeds"])
    return GoldenLibrary(
        name=name,
        newer=NEWER[name],
        keys=DeviceKeys(sign_seed, box_seed, "newer"),
        content_key=bytes.fromhex(stored["content_key"]),
        members=tuple(map(base64.b64decode, stored["members"])),
        log=tuple(map(base64.b64decode, stored["log"])),
        state=stored["state"],
    )


def write_golden_library(name: str, target: Path) -> None:
    """Make a library and write its golden file."""
    draw = _count_bytes(name)
    keys = DeviceKeys(draw(SEED_BYTES), draw(SEED_BYTES), "newer")
    content_key = draw(CONTENT_KEY_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        writer = new_computer(Path(folder), "newer", keys=keys)
        writer.draw = draw
        with writer.replica.database.transaction():
            writer.member_log.create_genesis(content_key)
        membership = writer.member_log.membership()
        assert membership is not None
        log = _log(writer, NEWER[name], content_key)
        state = _state(Path(folder), writer, NEWER[name], log, content_key)
        writer.replica.database.close()
    stored = {
        "needs": NEWER[name].needs,
        "device_seeds": [keys.sign_seed.hex(), keys.box_seed.hex()],
        "content_key": content_key.hex(),
        "members": [base64.b64encode(record).decode() for record in membership.records],
        "log": [base64.b64encode(envelope).decode() for envelope in log],
        "state": state,
    }
    target.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")


def _log(writer: Computer, newer: NewerFormat, content_key: bytes) -> list[bytes]:
    """Four envelopes, the second one of the newer format."""
    writer.adds(ONE, {"title": "On Paper"})
    first = _take_changes(writer)
    writer.sets(ONE, "title", "On Ink")
    second = _take_changes(writer)
    writer.sets(ONE, "note", "In the same chain.")
    writer.adds(TWO, {"title": "On Glue"})
    third = _take_changes(writer)
    writer.adds(THREE, {"title": "On Thread"})
    fourth = _take_changes(writer)
    membership = writer.member_log.membership()
    assert membership is not None
    header = Header(
        library=membership.library_id,
        generation=0,
        device=writer.keys.sign_public,
        chain=writer.draw(16),
        seq=1,
        previous=NO_PREVIOUS,
        kind=KIND_CHANGES,
        membership_head=membership.head,
    )

    def sealed(header: Header, content: bytes) -> Envelope:
        return seal(
            header,
            content,
            content_key=content_key,
            keys=writer.keys,
            random_bytes=writer.draw,
        )

    one = sealed(header, structs.replace(first, frontier=()).serialize())
    after_one = replace(header, seq=2, previous=one.hash)
    two = sealed(
        replace(after_one, **newer.header),
        newer.content(structs.replace(second, frontier=(one.hash,))),
    )
    after_two = replace(header, seq=3, previous=two.hash)
    three = sealed(after_two, structs.replace(third, frontier=(two.hash,)).serialize())
    elsewhere = replace(header, chain=writer.draw(16))
    four = sealed(elsewhere, structs.replace(fourth, frontier=(three.hash,)).serialize())
    return [one.raw, two.raw, three.raw, four.raw]


def _take_changes(writer: Computer) -> Body:
    """The changes since the last call, which no envelope of the writer's own will carry."""
    changes = writer.replica.changes
    with writer.replica.database.transaction():
        unsealed = changes.unsealed(bytes_max=1 << 20)
        changes.remove_unsealed(unsealed)
    return Body(
        (),
        tuple(Change.parse(one.body) for one in unsealed),
        incarnations=writer.replica.incarnations_of(unsealed),
    )


def _state(
    folder: Path,
    writer: Computer,
    newer: NewerFormat,
    log: Sequence[bytes],
    content_key: bytes,
) -> str:
    """The state hash of a replica that reads all of it from the start."""
    library = writer.replica.library_id
    reader = new_computer(
        folder, "reader", library=library, keys=writer.keys, formats=newer.formats
    )
    membership = writer.member_log.membership()
    assert membership is not None
    reader.member_log.learn(membership.records)
    with reader.replica.database.transaction():
        reader.member_log._keep_key(0, content_key)
    reader.inbox.receive([Received(envelope, None) for envelope in log])
    assert reader.titles() == ["On Glue", "On Ink", "On Thread"]
    assert reader.state == writer.state
    state = reader.state
    reader.replica.database.close()
    return state


def _count_bytes(name: str) -> RandomBytes:
    """Bytes that differ at every call and are the same in every run."""
    calls = 0

    def draw(count: int) -> bytes:
        nonlocal calls
        calls += 1
        return digest(name.encode(), calls.to_bytes(4, "big"), size=count)

    return draw


if __name__ == "__main__":
    for one in NEWER:
        write_golden_library(one, Path(sys.argv[1]) / f"{one}.json")
