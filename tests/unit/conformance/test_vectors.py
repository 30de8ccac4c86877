"""The test vectors for other implementations are what this one makes and reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support import vectors
from tests.support.cases import each

from bifolio.crypto.encoding import content_hash
from bifolio.crypto.envelope import SignedHeader, open_envelope, parse_envelope, verify_signature
from bifolio.crypto.membership import Membership, find_keys, relay_address
from bifolio.crypto.membership.records import parse_record
from bifolio.document.record import RecordDocument
from bifolio.document.update_identity import UpdateAuthor, UpdateKind, check_identity
from bifolio.document.update_structure import read_update
from bifolio.wire.changes import Body

FOLDER = Path(__file__).parents[3] / "conformance" / "vectors"

#: What is sealed to a key is another one each time.
_SEALED = "membership"


def stored(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


@each("name", [one for one in vectors.FILES if one != _SEALED])
def test_the_vectors_are_what_is_made(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text()
    assert text == vectors.text_of(vectors.FILES[name]()), (
        "run: python -m tests.support.vectors conformance/vectors"
    )


def test_there_are_no_other_files_of_vectors() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(vectors.FILES)


def test_the_envelope_of_the_vectors_is_read_as_they_say() -> None:
    (one,) = stored("envelope")
    envelope = parse_envelope(bytes.fromhex(one["envelope"]))
    verify_signature(envelope)
    plaintext = open_envelope(envelope, bytes.fromhex(one["content-key"]))
    assert (envelope.hash.hex(), plaintext.hex()) == (one["hash"], one["plaintext"])
    assert SignedHeader.parse(bytes.fromhex(one["signed-header"])).header == envelope.header
    body = Body.parse(plaintext)
    author = UpdateAuthor.of(envelope.header.device, is_owner=False, incarnations=body.incarnations)
    ((record_id, update),) = body.changes[0].records
    assert check_identity(record_id, update, read_update(update), author) is UpdateKind.OWN
    assert RecordDocument().merge(update)


def test_the_membership_log_of_the_vectors_is_read_as_they_say() -> None:
    keys, *records, said, end = stored(_SEALED)
    log = Membership.from_records([bytes.fromhex(one["record"]) for one in records])
    assert (log.library_id.hex(), log.head.hex()) == (keys["library"], end["head"])
    assert log.commitment(0) == bytes.fromhex(keys["commitment"])
    for one in records:
        raw = bytes.fromhex(one["record"])
        assert content_hash(raw).hex() == one["hash"]
        assert parse_record(raw).header.previous.hex() == one["previous"]
    assert {one.device.hex(): str(one.role) for one in log.members} == end["members"]
    content_keys = {0: bytes.fromhex(said["content-key"])}
    assert relay_address(log, content_keys) == said["address"]
    found = find_keys(log, vectors.keys_of("editor's next"))
    assert dict(found.keys) == {0: bytes.fromhex(keys["content-key"])}
