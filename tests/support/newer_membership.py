"""What a newer Bifolio may do to a library's members one day, and the program that knows it.

``python -m tests.support.newer_membership tests/golden/newer/membership-promotion.json`` writes the
golden file: a library whose owner says something that others may ignore, and then makes a reader an
editor, who writes. The newer program differs from today's by the table of kinds alone. The content
key is sealed into the records at random, so two runs give two files.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from tests.unit.replica.builders import Computer, new_computer

from bifolio.crypto.keys import SEED_BYTES, DeviceKeys
from bifolio.crypto.membership import Membership, Role, make_invite
from bifolio.crypto.membership.record_kinds import KINDS, RecordKind
from bifolio.crypto.membership.records import (
    VERSION,
    Record,
    RecordHeader,
    sign_record,
)
from bifolio.crypto.membership.rights import Rights
from bifolio.errors import MembershipError
from bifolio.replica.envelope_formats import ENVELOPE_FORMATS


class PromotionKind(RecordKind):
    """An owner gives a member another role, in a way of later times."""

    name = "promotion"
    required: ClassVar = {"device": bytes, "role": str}

    def enter(self, record: Record, rights: Rights) -> None:
        """The member has the role from here on."""
        fields = self.read(record)
        device, role = fields["device"], fields["role"]
        if rights.role(record.header.author) is not Role.OWNER:
            raise MembershipError("only owners give roles")
        if rights.role(device) is None:
            raise MembershipError("there is no such member")
        record.check_others()
        rights.assign(device, Role(role))


class GreetingKind(RecordKind):
    """A member says something."""

    name = "greeting"
    required: ClassVar = {"text": str}

    def enter(self, record: Record, rights: Rights) -> None:
        """Nothing comes of it."""
        self.read(record)
        if rights.role(record.header.author) is None:
            raise MembershipError("only members greet")
        record.check_others()


#: What the newer program knows.
NEWER_KINDS = {**KINDS, "promotion": PromotionKind(), "greeting": GreetingKind()}
NEWER_FORMATS = replace(ENVELOPE_FORMATS, record_kinds=NEWER_KINDS)

GOLDEN = Path(__file__).parents[1] / "golden" / "newer" / "membership-promotion.json"

ONE, TWO = ("1" * 32, "2" * 32)

_DEVICES = ("owner", "older", "reader")


@dataclass(frozen=True, slots=True)
class GoldenMembers:
    """The golden file: three devices, the membership log, the envelopes, the state of it all.

    The last record is the one that nobody may go on without; ``early`` counts the envelopes that
    were sealed in front of it.
    """

    keys: dict[str, DeviceKeys]
    content_key: bytes
    members: tuple[bytes, ...]
    log: tuple[bytes, ...]
    early: int
    state: str


def golden_members() -> GoldenMembers:
    """Read the golden file."""
    stored = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return GoldenMembers(
        keys={
            name: DeviceKeys(bytes.fromhex(sign_seed), bytes.fromhex(box_seed), name)
            for name, (sign_seed, box_seed) in stored["device_seeds"].items()
        },
        content_key=bytes.fromhex(stored["content_key"]),
        members=tuple(map(base64.b64decode, stored["members"])),
        log=tuple(map(base64.b64decode, stored["log"])),
        early=stored["early"],
        state=stored["state"],
    )


def make_record(
    membership: Membership,
    author: DeviceKeys,
    kind: str,
    *,
    needs: int = 1,
    version: int = VERSION,
    **fields: bytes | str | int,
) -> bytes:
    """A well-signed record that follows a membership."""
    header = RecordHeader(
        version, membership.library_id, membership.head, author.sign_public, kind, needs
    )
    return sign_record(header, fields, author)


def make_promotion(membership: Membership, owner: DeviceKeys, device: bytes, role: Role) -> bytes:
    """The record that gives a member another role: nobody may go on without knowing it."""
    return make_record(membership, owner, "promotion", device=device, role=role.value)


def make_greeting(membership: Membership, author: DeviceKeys, text: str = "Hello") -> bytes:
    """A record that a program goes on without if it does not know it."""
    return make_record(membership, author, "greeting", needs=0, text=text)


def write_golden(target: Path) -> None:
    """Make the library and write its golden file."""
    with tempfile.TemporaryDirectory() as folder:
        owner = new_computer(Path(folder), "owner", formats=NEWER_FORMATS)
        with owner.replica.database.transaction():
            owner.member_log.create_genesis(b"k" * 32)
        library = owner.replica.library_id
        others = [
            new_computer(Path(folder), name, library=library, formats=NEWER_FORMATS)
            for name in _DEVICES[1:]
        ]
        for one, role in zip(others, (Role.EDITOR, Role.READER), strict=True):
            _join(owner, one, role)
        _learn([owner, *others], make_greeting(_membership(owner), owner.keys))
        owner.adds(ONE, {"title": "On Paper"})
        early = len(owner.envelopes())
        reader = others[1]
        device = reader.keys.sign_public
        _learn(
            [owner, *others], make_promotion(_membership(owner), owner.keys, device, Role.EDITOR)
        )
        reader.learns(owner)
        reader.sets(ONE, "title", "On Ink")
        owner.learns(reader)
        owner.adds(TWO, {"title": "On Glue"})
        stored = {
            "device_seeds": {
                name: [one.keys.sign_seed.hex(), one.keys.box_seed.hex()]
                for name, one in zip(_DEVICES, (owner, *others), strict=True)
            },
            "content_key": (b"k" * 32).hex(),
            "members": _in_text(_membership(owner).records),
            "log": _in_text(owner.envelopes()),
            "early": early,
            "state": owner.state,
        }
        for computer in (owner, *others):
            computer.replica.database.close()
    target.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")


def _join(owner: Computer, newcomer: Computer, role: Role) -> None:
    secret = owner.draw(SEED_BYTES)
    invite = make_invite(
        _membership(owner),
        owner.keys,
        ticket_secret=secret,
        role=role,
        generation=0,
        content_key=b"k" * 32,
    )
    owner.member_log.learn([invite])
    newcomer.member_log.learn(_membership(owner).records)
    _learn([owner, newcomer], newcomer.member_log.join(secret))


def _learn(computers: list[Computer], record: bytes) -> None:
    """Everybody has the first one's records, and one more."""
    records = [*_membership(computers[0]).records, record]
    for computer in computers:
        computer.member_log.learn(records)


def _membership(computer: Computer) -> Membership:
    membership = computer.member_log.membership()
    assert membership is not None
    return membership


def _in_text(all_bytes: tuple[bytes, ...] | list[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in all_bytes]


if __name__ == "__main__":
    write_golden(Path(sys.argv[1]))
