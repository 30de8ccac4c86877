"""Test vectors for a second implementation: inputs and what Bifolio makes of them, as JSON.

``python -m tests.support.vectors conformance/vectors`` writes them. Bytes are in hexadecimal, and
every key is made for this purpose. What is random in use comes from a seeded source here, so that a
test can compare; only what is sealed to a key (in ``membership``) is another one in each run, as
libsodium makes it, and the test reads it instead.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from bifolio.crypto.envelope import (
    KIND_CHANGES,
    NO_PREVIOUS,
    Header,
    SignedHeader,
    envelope_chain_key,
    open_envelope,
    parse_envelope,
    seal,
)
from bifolio.crypto.keys import DeviceKeys, new_device_keys
from bifolio.crypto.membership import (
    Membership,
    Role,
    invite_keys,
    key_commitment,
    library_id_of,
    make_genesis,
    make_invite,
    make_join,
    make_relay,
    make_rotate,
)
from bifolio.crypto.membership.records import parse_record
from bifolio.document import canonical, editing, view
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.ids import device_tag, incarnation_client_id
from bifolio.records.canonical import canonical_json
from bifolio.records.reference import Values
from bifolio.wire.changes import Attested, Body, Change, Incarnation

#: What one file of vectors holds.
Vectors = list[dict[str, object]]

CONTENT_KEY = hashlib.blake2b(b"content key", digest_size=32).digest()
STAMP = "01941f297c00000001"
RECORD = "0f" * 16
NONCE = b"nonce..8"


def seeded(name: str) -> Callable[[int], bytes]:
    """As many bytes as are asked for, the same in every run."""
    count = 0

    def draw(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{name} {count}".encode()).digest(size)

    return draw


def keys_of(name: str) -> DeviceKeys:
    """A device's keys."""
    return new_device_keys(name, seeded(name))


OWNER = keys_of("owner")
SLOT = device_tag(OWNER.sign_public) + "Ab-9"


def envelope_vectors() -> Vectors:
    """An envelope: its parts, its keys, and what it holds."""
    body = body_of_one_change()
    header = Header(
        library=b"L" * 16,
        generation=0,
        device=OWNER.sign_public,
        chain=b"C" * 16,
        seq=1,
        previous=NO_PREVIOUS,
        kind=KIND_CHANGES,
        membership_head=b"H" * 32,
    )
    made = seal(
        header,
        body.serialize(),
        content_key=CONTENT_KEY,
        keys=OWNER,
        random_bytes=seeded("envelope"),
    )
    envelope = parse_envelope(made.raw)
    return [
        {
            "what": "an envelope of one change",
            "signing-public-key": OWNER.sign_public.hex(),
            "content-key": CONTENT_KEY.hex(),
            "header": header.encode().hex(),
            "chain-key": envelope_chain_key(header, CONTENT_KEY).hex(),
            "author-chain": header.author_chain.hex(),
            "envelope": envelope.raw.hex(),
            "hash": envelope.hash.hex(),
            "signed-header": SignedHeader.of(envelope).serialize().hex(),
            "plaintext": open_envelope(envelope, CONTENT_KEY).hex(),
        }
    ]


def body_of_one_change() -> Body:
    """What an editor wrote in one command."""
    client_id = incarnation_client_id(OWNER.sign_public, SLOT, NONCE)
    document = RecordDocument(client_id=client_id)
    update = document.write(plan_of_a_reference())
    return Body(
        (b"F" * 32,),
        (Change(STAMP, ((RECORD, update),)),),
        incarnations=(Incarnation(SLOT, NONCE),),
        attested=Attested(b"E" * 8, 7, b"K" * 16),
    )


def plan_of_a_reference() -> Plan:
    """A reference with a title, a year, two authors, a tag and a note."""
    plan = Plan(Writer(SLOT, STAMP))
    values: Values = {
        "type": "article-journal",
        "title": "Über Papier",
        "issued": canonical_json({"date-parts": [[2024, 5]]}),
        "note": "Ein Satz.",
        "tags": ("paper",),
    }
    editing.plan_creation(plan, Entries({}, {}, {}), kind="reference", values=values)
    return plan


def body_vectors() -> Vectors:
    """The content of an envelope, and the names that its changes bear."""
    body = body_of_one_change()
    (change,) = body.changes
    return [
        {
            "what": "one change of one record",
            "device": OWNER.sign_public.hex(),
            "device-tag": device_tag(OWNER.sign_public),
            "slot": SLOT,
            "nonce": NONCE.hex(),
            "client-id": incarnation_client_id(OWNER.sign_public, SLOT, NONCE),
            "stamp": STAMP,
            "record": RECORD,
            "update": change.records[0][1].hex(),
            "change-id": change.id.hex(),
            "body": body.serialize().hex(),
        }
    ]


#: Where the library of the vectors moves.
RELAY = "wss://relay.example"


def membership_vectors() -> Vectors:
    """A log of a genesis, an invite, a join, the library's relay and a member's next key: each
    record, and what follows from it."""
    editor, secret = keys_of("editor"), hashlib.blake2b(b"ticket", digest_size=32).digest()
    genesis = make_genesis(OWNER, seeded("genesis"), content_key=CONTENT_KEY)
    log = Membership.from_records([genesis])
    invite = make_invite(
        log,
        OWNER,
        ticket_secret=secret,
        role=Role.EDITOR,
        generation=0,
        content_key=CONTENT_KEY,
    )
    invited = log.append(invite)
    join = make_join(invited, editor, ticket_secret=secret)
    joined = invited.append(join)
    moved = joined.append(
        make_relay(
            joined,
            OWNER,
            address=RELAY,
            generation=0,
            content_key=CONTENT_KEY,
            random_bytes=seeded("relay"),
        )
    )
    successor = keys_of("editor's next")
    ended = moved.append(
        make_rotate(
            moved,
            editor,
            successor,
            cut={},
            generation=0,
            content_key=CONTENT_KEY,
            random_bytes=seeded("rotate"),
        )
    )
    found: Vectors = [
        {
            "what": "keys",
            "content-key": CONTENT_KEY.hex(),
            "commitment": key_commitment(0, CONTENT_KEY).hex(),
            "ticket-secret": secret.hex(),
            "invite-signing-key": invite_keys(secret).sign_public.hex(),
            "library": library_id_of(genesis).hex(),
        }
    ]
    for raw in ended.records:
        record = parse_record(raw)
        found.append(
            {
                "what": f"a record of the kind '{record.header.kind}'",
                "record": raw.hex(),
                "hash": record.hash.hex(),
                "previous": record.header.previous.hex(),
                "author": record.header.author.hex(),
                "needs": record.header.needs,
            }
        )
    found.append(
        {
            "what": "the address in the record of the kind 'relay'",
            "content-key": CONTENT_KEY.hex(),
            "address": RELAY,
        }
    )
    members = {one.device.hex(): str(one.role) for one in ended.members}
    return [*found, {"what": "members at the end", "head": ended.head.hex(), "members": members}]


def canonical_json_vectors() -> Vectors:
    """Values and their one form, of which hashes are made."""
    values: list[object] = [
        {"b": 1, "a": [], "é": "é"},
        {"title": 'a "quoted"\nline', "none": None},
        [["x", 1], ["\u2028", True]],
        {"date-parts": [[2024, 5, 1]]},
    ]
    return [{"value": value, "canonical": canonical_json(value)} for value in values]


def state_hash_vectors() -> Vectors:
    """A record, its canonical JSON, its share, and the state hash of a library that holds it."""
    document = RecordDocument(client_id=incarnation_client_id(OWNER.sign_public, SLOT, NONCE))
    document.write(plan_of_a_reference())
    entries = document.entries()
    kind = view.kind_of(entries)
    share = canonical.record_share(RECORD, kind, entries)
    return [
        {
            "what": "a library of one record",
            "record": RECORD,
            "state": document.state().hex(),
            "canonical": canonical.record_json(RECORD, kind, entries),
            "share": f"{share:064x}",
            "state-hash": f"{share % (1 << 256):064x}",
        }
    ]


#: Each file and what it holds.
FILES: dict[str, Callable[[], Vectors]] = {
    "envelope": envelope_vectors,
    "body": body_vectors,
    "membership": membership_vectors,
    "canonical-json": canonical_json_vectors,
    "state-hash": state_hash_vectors,
}


def text_of(vectors: Vectors) -> str:
    """The text of a file."""
    return json.dumps(vectors, indent=2, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        (folder / f"{name}.json").write_text(text_of(make()))
