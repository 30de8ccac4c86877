"""What may enter a library's membership log: pure functions of record, membership and time.

Whether a record is good is the membership's to judge; the relay adds what only it can: room, which
is kept for owners so that nobody can make a removal impossible, haste, and when a ticket ends.
"""

from __future__ import annotations

from bifolio import limits
from bifolio.crypto.envelope import author_chain
from bifolio.crypto.membership import ChainEnd, Membership, Role
from bifolio.crypto.membership.records import Record, parse_record
from bifolio.errors import MembershipError
from bifolio.ids import content_hash
from bifolio.wire.messages import Code
from bifolio_relay.requests import AppendMember, MembersPart, Rejected

#: Where a device's chains end, as a record says, by ``author_chain``.
Cuts = dict[bytes, dict[bytes, ChainEnd]]


def judge_record(
    membership: Membership, question: AppendMember, *, now_ms: int = 0, joined_lately: int = 0
) -> MembersPart | Rejected:
    """The record as the membership's next, with what it makes of it, or as it was appended before.

    A client that lost the answer appends again: it gets the answer it lost, without ``grown``.
    ``joined_lately`` counts those who came with the record's invite within a minute.
    """
    raw, records = question.record, membership.records
    if len(raw) > limits.MEMBERSHIP_RECORD_BYTES_MAX:
        return _reject(Code.TOO_BIG, raw, "a membership record is smaller than that")
    if question.expected_head != membership.head:
        if raw in records:
            return MembersPart(records.index(raw), (raw,), len(records), membership.head)
        return _reject(Code.HEAD_MOVED, raw, "the membership log ends elsewhere")
    if membership.needs_newer and not _is_known(membership, question.carrier):
        # Who may add what cannot be judged here: without this, any stranger could fill the log.
        return _reject(Code.FORBIDDEN, raw, "this relay needs a newer Bifolio to let others in")
    try:
        record = parse_record(raw)
        rejected = _judge_room(membership, record, raw)
        if rejected is None and record.header.kind == "join":
            rejected = _judge_join(membership, record, question, now_ms, joined_lately)
        if rejected is not None:
            return rejected
        grown = membership.append(raw)
    except MembershipError as error:
        return _reject(Code.INVALID, raw, error.reason)
    return MembersPart(len(records), (raw,), len(records) + 1, grown.head, grown)


def invite_of(raw: bytes) -> bytes | None:
    """The invite with whose right a record lets a device in; None for any other record."""
    try:
        header = parse_record(raw).header
    except MembershipError:
        return None
    return header.author if header.kind == "join" else None


def cuts_of(raw: bytes) -> Cuts:
    """Where the chains of the devices end that lose the right to write by a good record."""
    record = parse_record(raw)
    rows = record.fields.get("cut")
    if record.header.kind not in ("remove", "role", "leave") or not isinstance(rows, list):
        return {}
    devices = record.fields.get("devices", [record.fields.get("device", record.header.author)])
    cuts: Cuts = {}
    if isinstance(devices, list):
        cuts = {device: {} for device in devices if isinstance(device, bytes)}
    for row in rows:
        match row:
            case [bytes() as device, bytes() as chain, int() as seq, bytes() as head]:
                cuts[device][author_chain(device, chain)] = ChainEnd(seq, head)
    return cuts


def reject_cut(raw: bytes) -> Rejected:
    """The log has more of a device's chains than the record leaves it: pull, and sign again."""
    return _reject(Code.HEAD_MOVED, raw, "its member has written more than the record says")


def _judge_room(membership: Membership, record: Record, raw: bytes) -> Rejected | None:
    """The last tenth is for owners; and nobody else fills the rest alone."""
    count, size_bytes = len(membership.records), membership.size_bytes + len(raw)
    count_max, bytes_max = (
        limits.RELAY_MEMBERSHIP_RECORDS_MAX,
        limits.RELAY_MEMBERSHIP_BYTES_MAX,
    )
    author = record.header.author
    if membership.role_of(author) is not Role.OWNER:
        count_max -= count_max // limits.RELAY_MEMBERSHIP_KEPT_FOR_OWNERS
        bytes_max -= bytes_max // limits.RELAY_MEMBERSHIP_KEPT_FOR_OWNERS
        records_of_one, bytes_of_one = membership.written_by(author)
        if (
            records_of_one >= limits.RELAY_MEMBERSHIP_RECORDS_OF_ONE_MAX
            or bytes_of_one + len(raw) > limits.RELAY_MEMBERSHIP_BYTES_OF_ONE_MAX
        ):
            return _reject(
                Code.QUOTA, raw, "this device or ticket added as much to the members as it may"
            )
    if count >= count_max or size_bytes > bytes_max:
        return _reject(Code.QUOTA, raw, "the membership log is as long as it may be")
    return None


def _judge_join(
    membership: Membership,
    record: Record,
    question: AppendMember,
    now_ms: int,
    joined_lately: int,
) -> Rejected | None:
    """Time is the relay's to judge, of those who come: a member gives back what is in the log."""
    if membership.role_of(question.carrier) is not None:
        return None
    invite = membership.invite(record.header.author)
    if invite is not None and invite.expires_ms is not None and invite.expires_ms <= now_ms:
        return _reject(Code.EXPIRED, question.record, "the ticket has expired")
    if joined_lately >= limits.RELAY_JOINS_PER_MINUTE:
        return _reject(
            Code.RATE, question.record, "too many joined with this ticket: again in a minute"
        )
    return None


def _is_known(membership: Membership, key: bytes) -> bool:
    """Whether a key is a member's or that of an open invite."""
    return membership.role_of(key) is not None or membership.is_open_invite(key)


def _reject(code: Code, raw: bytes, detail: str) -> Rejected:
    return Rejected(code, content_hash(raw), detail)
