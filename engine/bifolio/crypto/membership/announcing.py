"""Records by which members tell each other of themselves: the library's relay, next keys."""

from __future__ import annotations

from collections.abc import Mapping

from bifolio.crypto.encoding import FieldValue
from bifolio.crypto.keys import DeviceKeys, seal_to
from bifolio.crypto.membership.authoring import cut_rows, make_record
from bifolio.crypto.membership.key_material import open_text, seal_text
from bifolio.crypto.membership.record_kinds.announcing import succession_message
from bifolio.crypto.membership.rights import Cut
from bifolio.crypto.membership.rules import Membership
from bifolio.ids import RandomBytes


def make_relay(
    membership: Membership,
    keys: DeviceKeys,
    *,
    address: str,
    generation: int,
    content_key: bytes,
    random_bytes: RandomBytes,
) -> bytes:
    """The record that says on which relay the library is from here on.

    Args:
        membership: whose head the record follows.
        keys: an owner's.
        address: the relay's, which only members can read.
        generation: of the content key.
        content_key: that key (32 bytes).
        random_bytes: for the nonce.

    Raises:
        MembershipError: this device is no owner.
        NewerMembershipError: the log holds what this program does not know.
    """
    sealed = seal_text(content_key, b"relay", address, random_bytes)
    fields: dict[str, FieldValue] = {"address": sealed, "generation": generation}
    return make_record(membership, keys, "relay", fields)


def relay_address(membership: Membership, keys: Mapping[int, bytes]) -> str | None:
    """Where an owner said last that the library is; None where none did, or these content keys do
    not open it. It may be anything: whoever uses it checks it first."""
    notice = membership.relay
    if notice is None or notice.generation not in keys:
        return None
    return open_text(keys[notice.generation], b"relay", notice.sealed_address)


def make_rotate(
    membership: Membership,
    keys: DeviceKeys,
    successor: DeviceKeys,
    *,
    cut: Cut,
    generation: int,
    content_key: bytes,
    random_bytes: RandomBytes,
) -> bytes:
    """The record by which this device goes on under new keys.

    Args:
        membership: whose head the record follows.
        keys: the device's so far.
        successor: its next ones, with the name that it goes on under.
        cut: where the chains end that the old keys signed.
        generation: of the newest content key.
        content_key: that key (32 bytes).
        random_bytes: for the name's nonce.

    Raises:
        MembershipError: this device is no member, or the new keys were used before.
        NewerMembershipError: the log holds what this program does not know.
    """
    purpose = b"device" + successor.sign_public
    message = succession_message(
        membership.library_id,
        membership.head,
        keys.sign_public,
        successor.sign_public,
        successor.box_public,
    )
    fields: dict[str, FieldValue] = {
        "box": successor.box_public,
        "cut": cut_rows({keys.sign_public: cut}),
        "generation": generation,
        "key": seal_to(successor.box_public, content_key),
        "name": seal_text(content_key, purpose, successor.name, random_bytes),
        "proof": successor.sign(message),
        "successor": successor.sign_public,
    }
    return make_record(membership, keys, "rotate", fields)
