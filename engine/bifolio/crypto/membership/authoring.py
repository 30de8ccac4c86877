"""Membership records of our own. What is made here passes what everybody else will check."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from bifolio import limits
from bifolio.crypto.encoding import FieldValue, pack
from bifolio.crypto.keys import SEED_BYTES, DeviceKeys, KeyPair, seal_to, signed_message
from bifolio.crypto.membership.key_material import (
    key_commitment,
    key_roots,
    open_newest,
    open_text,
    seal_earlier,
    seal_text,
)
from bifolio.crypto.membership.record_kinds import KINDS
from bifolio.crypto.membership.record_kinds.base import (
    CONTENT_KEY_BYTES,
    GENERATION_STEP,
    NONCE_BYTES,
)
from bifolio.crypto.membership.records import (
    NO_LIBRARY,
    NO_PREVIOUS,
    VERSION,
    RecordHeader,
    sign_record,
)
from bifolio.crypto.membership.rights import Cut, Role
from bifolio.crypto.membership.rules import Membership
from bifolio.errors import MembershipError, NewerMembershipError
from bifolio.ids import RandomBytes

#: What one recipient's key takes in a record: two byte strings in a row.
_KEY_ROW_BYTES = 120
#: Earlier keys that one record brings: one, or a few where logs went different ways. What has no
#: room follows (``make_earlier_keys``).
_EARLIER_ROWS_MAX = 256
#: How long a byte string is, in front of it.
_LENGTH_BYTES = 5


class InviteKeys(KeyPair, frozen=True, dict=True):
    """The keys of an invite, which every holder of its ticket can derive."""


def invite_keys(secret: bytes) -> InviteKeys:
    """The keys of the invite whose ticket has this secret (32 bytes)."""
    return _derived(secret, b"bifolio.inv")


def recovery_keys(secret: bytes) -> InviteKeys:
    """The keys that the holder of a recovery code with this secret (32 bytes) has."""
    return _derived(secret, b"bifolio.rec")


def make_genesis(keys: DeviceKeys, random_bytes: RandomBytes, *, content_key: bytes) -> bytes:
    """The first record of a new library, whose owner is this device.

    Args:
        keys: the owner's.
        random_bytes: for the nonce, by which two libraries differ.
        content_key: the library's first (32 bytes), to which the record commits.
    """
    _check_content_key(content_key)
    header = RecordHeader(VERSION, NO_LIBRARY, NO_PREVIOUS, keys.sign_public, "genesis", 1)
    fields: dict[str, FieldValue] = {
        "box": keys.box_public,
        "commitment": key_commitment(0, content_key),
        "nonce": random_bytes(NONCE_BYTES),
    }
    return sign_record(header, fields, keys)


def make_invite(
    membership: Membership,
    keys: DeviceKeys,
    *,
    ticket_secret: bytes,
    role: Role,
    generation: int,
    content_key: bytes,
    uses: int | None = None,
    expires_ms: int | None = None,
    sealed_label: bytes = b"",
) -> bytes:
    """The record that lets the holder of a ticket join, to be appended by the relay.

    Args:
        membership: whose head the record follows.
        keys: an owner's.
        ticket_secret: fresh random 32 bytes, which go into the ticket alone.
        role: what who joins with the ticket becomes.
        generation: of the content key.
        content_key: the library's key (32 bytes), here sealed to the ticket's holder.
        uses: how many devices may join; any number without it.
        expires_ms: when the relay stops letting devices in (Unix time); never without it.
        sealed_label: what the invite is called among the members (``seal_text``).

    Raises:
        MembershipError: this device is no owner, the secret was used before, or the key is not
            the one that the log commits to.
        NewerMembershipError: the log holds what this program does not know.
    """
    invite = invite_keys(ticket_secret)
    fields = _invitation(invite, generation, content_key)
    fields["role"] = role.value
    if uses is not None:
        fields["uses"] = uses
    if expires_ms is not None:
        fields["expires_ms"] = expires_ms
    if sealed_label:
        fields["label"] = sealed_label
    return make_record(membership, keys, "invite", fields)


def make_recovery(
    membership: Membership,
    keys: DeviceKeys,
    *,
    secret: bytes,
    generation: int,
    content_key: bytes,
) -> bytes:
    """The record by which who has the recovery code (32 random bytes) can become an owner.

    Raises:
        MembershipError, NewerMembershipError: as ``make_invite``.
    """
    fields = _invitation(recovery_keys(secret), generation, content_key)
    return make_record(membership, keys, "recovery", fields)


def make_join(
    membership: Membership,
    keys: DeviceKeys,
    *,
    ticket_secret: bytes,
    at_ms: int | None = None,
    random_bytes: RandomBytes | None = None,
) -> bytes:
    """The record by which this device joins with a ticket; no owner need be online.

    With ``random_bytes`` it says what the device is called, with ``at_ms`` (Unix time) when it
    joined.

    Raises:
        MembershipError: the library has no open invite for the ticket, or its key is not the
            library's.
        NewerMembershipError: the log holds what this program does not know.
    """
    return _make_join(membership, keys, invite_keys(ticket_secret), at_ms, random_bytes)


def make_recovery_join(
    membership: Membership,
    keys: DeviceKeys,
    *,
    secret: bytes,
    at_ms: int | None = None,
    random_bytes: RandomBytes | None = None,
) -> bytes:
    """The record by which this device becomes an owner with a recovery code, otherwise as
    ``make_join``.

    Raises:
        MembershipError, NewerMembershipError: as ``make_join``.
    """
    return _make_join(membership, keys, recovery_keys(secret), at_ms, random_bytes)


def make_revoke(membership: Membership, keys: DeviceKeys, *, sign_public: bytes) -> bytes:
    """The record that closes an invite or a recovery key, named by its signing key.

    Raises:
        MembershipError: this device is no owner, or there is no such invite.
        NewerMembershipError: the log holds what this program does not know.
    """
    return make_record(membership, keys, "revoke", {"sign": sign_public})


def make_role(
    membership: Membership, keys: DeviceKeys, *, device: bytes, role: Role, cut: Cut | None = None
) -> bytes:
    """The record that gives a member another role.

    Args:
        membership: whose head the record follows.
        keys: an owner's.
        device: the member's signing key.
        role: the new one.
        cut: where the member's chains end; given if and only if it loses the right to write.

    Raises:
        MembershipError: this device is no owner, there is no such member, or it is the last owner.
        NewerMembershipError: the log holds what this program does not know.
    """
    fields: dict[str, FieldValue] = {"device": device, "role": role.value}
    if cut is not None:
        fields["cut"] = cut_rows({device: cut})
    return make_record(membership, keys, "role", fields)


def make_leave(membership: Membership, keys: DeviceKeys, *, cut: Cut) -> bytes:
    """The record by which this device leaves; ``cut`` says where its own chains end.

    Raises:
        MembershipError: this device is no member, or the last owner.
        NewerMembershipError: the log holds what this program does not know.
    """
    return make_record(membership, keys, "leave", {"cut": cut_rows({keys.sign_public: cut})})


def make_remove(
    membership: Membership,
    keys: DeviceKeys,
    *,
    cuts: Mapping[bytes, Cut],
    content_key: bytes,
    earlier: Mapping[int, bytes],
    random_bytes: RandomBytes,
) -> list[bytes]:
    """The record that removes members, and those that bring the next content key to the rest.

    The first one removes; the others only carry keys for which it has no room.

    Args:
        membership: whose head the first record follows; the others follow each other.
        keys: an owner's.
        cuts: of each device to remove, by its signing key, where its chains end.
        content_key: the next one: fresh random 32 bytes.
        earlier: the content keys so far by generation; they are sealed under the next.
        random_bytes: for nonces and the generation's number.

    Raises:
        MembershipError: this device is no owner, or one of them is no member.
        NewerMembershipError: the log holds what this program does not know.
    """
    devices = sorted(cuts)
    closed = membership.invites_known_to(devices)
    gone = closed.union(devices)
    stay = [one for one in _recipients(membership, keys) if one not in gone]
    fields = _new_key(membership, content_key, earlier, random_bytes)
    fields["devices"] = list(devices)
    fields["cut"] = cut_rows(cuts)
    room = limits.MEMBERSHIP_RECORD_BYTES_TARGET - sum(60 + 40 * len(cut) for cut in cuts.values())
    first = max(0, room) // _KEY_ROW_BYTES
    generation = fields["generation"]
    assert isinstance(generation, int)
    fields["keys"] = _sealed_rows(membership, stay[:first], content_key)
    records = [make_record(membership, keys, "remove", fields)]
    return [
        *records,
        *_further_keys(membership.append(records[0]), keys, stay[first:], content_key),
    ]


def make_keys(
    membership: Membership,
    keys: DeviceKeys,
    *,
    content_key: bytes,
    earlier: Mapping[int, bytes] | None = None,
    random_bytes: RandomBytes | None = None,
) -> list[bytes]:
    """Records that give keys to those who lack one.

    With ``earlier`` and ``random_bytes``, ``content_key`` is the next one, for everybody; otherwise
    it is the newest one, for those who do not have it (``Membership.without_key``).

    Raises:
        MembershipError: this device is no owner.
        NewerMembershipError: the log holds what this program does not know.
    """
    if earlier is None or random_bytes is None:
        return _further_keys(membership, keys, membership.without_key, content_key)
    fields = _new_key(membership, content_key, earlier, random_bytes)
    everybody = _recipients(membership, keys)
    first = limits.MEMBERSHIP_RECORD_BYTES_TARGET // _KEY_ROW_BYTES
    fields["keys"] = _sealed_rows(membership, everybody[:first], content_key)
    record = make_record(membership, keys, "keys", fields)
    grown = membership.append(record)
    return [record, *_further_keys(grown, keys, everybody[first:], content_key)]


def make_earlier_keys(
    membership: Membership,
    keys: DeviceKeys,
    *,
    content_key: bytes,
    earlier: Mapping[int, bytes],
    random_bytes: RandomBytes,
) -> bytes | None:
    """The record that seals under the newest content key those that are not found from it.

    Two logs that went different ways may each have made a key. The one that is not the newest of
    both is sealed under none, and who joins later could read nothing that was sealed under it.

    Args:
        membership: whose head the record follows.
        keys: a member's.
        content_key: the newest one.
        earlier: the content keys that this device has by generation.
        random_bytes: for nonces.

    Returns:
        None where all are found from the newest one. Of more than one record has room for, the
        newest ones.

    Raises:
        MembershipError: this device is no member.
        NewerMembershipError: the log holds what this program does not know.
    """
    generation = membership.generation
    roots = key_roots(membership, {**earlier, generation: content_key})
    rows = [row for row in roots if row[0] != generation][:_EARLIER_ROWS_MAX]
    if not rows:
        return None
    sealed = seal_earlier(generation, content_key, rows, random_bytes)
    fields: dict[str, FieldValue] = {
        "earlier": [list(row) for row in sealed],
        "generation": generation,
    }
    is_owner = membership.role_of(keys.sign_public) is Role.OWNER
    if not is_owner or any(number in membership.lost_generations for number, _ in rows):
        return make_record(membership, keys, "earlier", fields)
    return make_record(membership, keys, "keys", {**fields, "keys": []})


def make_rename(
    membership: Membership,
    keys: DeviceKeys,
    *,
    device: bytes,
    name: str,
    generation: int,
    content_key: bytes,
    random_bytes: RandomBytes,
) -> bytes:
    """The record that says what a device is called: this one's own, or an owner's of any.

    Raises:
        MembershipError: this device may not, or there is no such member.
        NewerMembershipError: the log holds what this program does not know.
    """
    sealed = seal_text(content_key, b"device" + device, name, random_bytes)
    fields: dict[str, FieldValue] = {"device": device, "generation": generation, "name": sealed}
    return make_record(membership, keys, "rename", fields)


def member_names(membership: Membership, keys: Mapping[int, bytes]) -> dict[bytes, str]:
    """What the members, and former ones, are called in the log, as far as these keys open it."""
    return _open_names(membership, keys, membership.sealed_name)


def joined_names(membership: Membership, keys: Mapping[int, bytes]) -> dict[bytes, str]:
    """What they called themselves when they joined, as far as these content keys open it."""
    return _open_names(membership, keys, membership.joined_name)


def _open_names(
    membership: Membership,
    keys: Mapping[int, bytes],
    sealed_name: Callable[[bytes], tuple[int, bytes] | None],
) -> dict[bytes, str]:
    names: dict[bytes, str] = {}
    for device in membership.devices:
        generation, sealed = sealed_name(device) or (0, b"")
        if generation in keys:
            name = open_text(keys[generation], b"device" + device, sealed)
            if name is not None:
                names[device] = name
    return names


def make_carry(
    membership: Membership, keys: DeviceKeys, records: Sequence[bytes], *, count_min: int = 1
) -> list[bytes]:
    """Records that bring those of a log that lost (``merge_logs``), in that log's order.

    Args:
        membership: whose head the first record follows.
        keys: those of a member, or of who becomes one by what is brought.
        records: what lost.
        count_min: make at least so many: a log grows with every record, and never shrinks.

    Raises:
        MembershipError: this device is no member, or one of them does not fit the log.
        NewerMembershipError: the log holds what this program does not know.
    """
    made: list[bytes] = []
    for part in _parts(records, count_min):
        record = make_record(membership, keys, "carry", {"records": list(part)})
        membership = membership.append(record)
        made.append(record)
    return made


def hello_message(*, offered: Sequence[int], nonce: bytes, said: bytes) -> bytes:
    """What a device, or a newcomer with a ticket's key, signs to show a relay who it is.

    Args:
        offered: the versions that the relay offered.
        nonce: the relay's, fresh for this connection.
        said: everything that the greeting says, but for the signature (``Hello.said``).
    """
    return signed_message("hello 2", pack(list(offered)), nonce, said)


def deletion_message(*, nonce: bytes, library: bytes) -> bytes:
    """What an owner signs to have a relay delete a library: good for one connection."""
    return signed_message("delete library", nonce, library)


def _derived(secret: bytes, purpose: bytes) -> InviteKeys:
    if len(secret) != SEED_BYTES:
        raise ValueError(f"a ticket's secret has {SEED_BYTES} bytes")
    sign_seed, box_seed = (
        hashlib.blake2b(b"", key=secret, person=purpose + use, digest_size=SEED_BYTES).digest()
        for use in (b".sign", b".box")
    )
    return InviteKeys(sign_seed, box_seed)


def _make_join(
    membership: Membership,
    keys: DeviceKeys,
    pair: InviteKeys,
    at_ms: int | None,
    random_bytes: RandomBytes | None,
) -> bytes:
    header = _next_header(membership, pair.sign_public, "join")
    invite = membership.invite(pair.sign_public)
    if invite is None:
        raise MembershipError("this library has no invite for this ticket")
    if not invite.is_open:
        raise MembershipError("the ticket was closed by an owner of the library")
    generation, content_key = open_newest(membership, pair)
    fields: dict[str, FieldValue] = {
        "box": keys.box_public,
        "device": keys.sign_public,
        "generation": generation,
        "key": seal_to(keys.box_public, content_key),
    }
    if at_ms is not None:
        fields["at_ms"] = at_ms
    if random_bytes is not None:
        purpose = b"device" + keys.sign_public
        fields["name"] = seal_text(content_key, purpose, keys.name, random_bytes)
    return _check_own(membership, sign_record(header, fields, pair, keys))


def _invitation(invite: InviteKeys, generation: int, content_key: bytes) -> dict[str, FieldValue]:
    _check_content_key(content_key)
    return {
        "box": invite.box_public,
        "commitment": key_commitment(generation, content_key),
        "generation": generation,
        "key": seal_to(invite.box_public, content_key),
        "sign": invite.sign_public,
    }


def _new_key(
    membership: Membership,
    content_key: bytes,
    earlier: Mapping[int, bytes],
    random_bytes: RandomBytes,
) -> dict[str, FieldValue]:
    """The fields of a new content key, without the rows for its recipients."""
    _check_content_key(content_key)
    step = membership.generation // GENERATION_STEP + 1
    apart = int.from_bytes(random_bytes(2), "big") % GENERATION_STEP
    generation = step * GENERATION_STEP + apart
    # What is of a list that lost is sealed under one of these, or will be (``make_earlier_keys``).
    holding = {number: key for number, key in earlier.items() if number in membership.generations}
    roots = key_roots(membership, holding)[:_EARLIER_ROWS_MAX]
    sealed = seal_earlier(generation, content_key, roots, random_bytes)
    return {
        "commitment": key_commitment(generation, content_key),
        "earlier": [list(row) for row in sealed],
        "generation": generation,
    }


def _further_keys(
    membership: Membership, keys: DeviceKeys, recipients: Sequence[bytes], content_key: bytes
) -> list[bytes]:
    """As many records as it takes to give these the newest key."""
    made: list[bytes] = []
    at_once = limits.MEMBERSHIP_RECORD_BYTES_TARGET // _KEY_ROW_BYTES
    generation = membership.generation
    if recipients and membership.commitment(generation) != key_commitment(generation, content_key):
        raise MembershipError("this is not the library's newest content key")
    for start in range(0, len(recipients), at_once):
        rows = _sealed_rows(membership, recipients[start : start + at_once], content_key)
        record = make_record(membership, keys, "keys", {"generation": generation, "keys": rows})
        membership = membership.append(record)
        made.append(record)
    return made


def _recipients(membership: Membership, keys: DeviceKeys) -> list[bytes]:
    """Who is to have a new key, this device first: it is in the first record, and must not lose
    the key if it ends before it makes the others."""
    everybody = membership.recipients
    own = [one for one in everybody if one == keys.sign_public]
    return [*own, *(one for one in everybody if one != keys.sign_public)]


def _sealed_rows(
    membership: Membership, recipients: Iterable[bytes], content_key: bytes
) -> list[FieldValue]:
    rows: list[FieldValue] = []
    for recipient in recipients:
        box_public = membership.box_key(recipient)
        assert box_public is not None
        rows.append([recipient, seal_to(box_public, content_key)])
    return rows


def cut_rows(cuts: Mapping[bytes, Cut]) -> list[FieldValue]:
    """Where the chains of devices end, in a record's form."""
    return [
        [device, chain, end.seq, end.hash]
        for device, cut in sorted(cuts.items())
        for chain, end in sorted(cut.items(), key=lambda one: one[0])
    ]


def _parts(records: Sequence[bytes], count_min: int) -> list[list[bytes]]:
    """The records in order, in parts that each fit one record; the last one again and again where
    they are too few: a record that is known already has no effect."""
    parts: list[list[bytes]] = []
    size_bytes = 0
    at_once = max(1, len(records) // count_min)
    for raw in records:
        size_bytes += len(raw) + _LENGTH_BYTES
        is_full = size_bytes > limits.MEMBERSHIP_RECORD_BYTES_TARGET
        if not parts or is_full or len(parts[-1]) >= at_once:
            parts.append([])
            size_bytes = len(raw) + _LENGTH_BYTES
        parts[-1].append(raw)
    parts += [[records[-1]]] * (count_min - len(parts))
    return parts


def make_record(
    membership: Membership, keys: DeviceKeys, kind: str, fields: Mapping[str, FieldValue]
) -> bytes:
    """A record of this device's that nobody else has to sign, checked by the rules."""
    header = _next_header(membership, keys.sign_public, kind)
    return _check_own(membership, sign_record(header, fields, keys))


def _next_header(membership: Membership, author: bytes, kind: str) -> RecordHeader:
    if membership.needs_newer:
        raise NewerMembershipError(membership.needs_newer)
    needs = KINDS[kind].version if KINDS[kind].is_critical else 0
    return RecordHeader(VERSION, membership.library_id, membership.head, author, kind, needs)


def _check_own(membership: Membership, raw: bytes) -> bytes:
    membership.append(raw, strict=True)
    return raw


def _check_content_key(content_key: bytes) -> None:
    if len(content_key) != CONTENT_KEY_BYTES:
        raise ValueError(f"a content key has {CONTENT_KEY_BYTES} bytes")
