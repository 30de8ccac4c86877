"""What may enter a library's membership log: pure functions of record, membership and time.

Whether a record is good is the membership's to judge; the relay adds what only it can: room, which
is kept for owners so that nobody can make a removal impossible, haste, and when a ticket ends.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bifolio import limits
from bifolio.crypto.envelope import author_chain
from bifolio.crypto.membership import (
    ChainEnd,
    Membership,
    Role,
    carried_records,
    carry_depth,
    merge_logs,
)
from bifolio.crypto.membership.records import Record, parse_record
from bifolio.errors import MembershipError
from bifolio.ids import content_hash
from bifolio.wire.messages import Code
from bifolio_relay.requests import AppendMember, MembersPart, Rejected, ReplaceMembers

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
        # Behind what an earlier program could not judge, records without effect are taken, of
        # members alone, who give back what was lost.
        grown = membership.append(raw, strict=membership.role_of(question.carrier) is None)
        for join in _joins_in(record) if record.header.kind == "carry" else ():
            rejected = _judge_join(grown, join, question, now_ms, joined_lately, before=membership)
            if rejected is not None:
                return rejected
    except MembershipError as error:
        return _reject(Code.INVALID, raw, error.reason)
    return MembersPart(len(records), (raw,), len(records) + 1, grown.head, grown)


def judge_replacement(membership: Membership, question: ReplaceMembers) -> MembersPart | Rejected:
    """The records in the place of those of a log that went another way, if they may take it.

    A member brings them, the log with them goes on by the rule, everything that was in the log is
    in it too, and it is longer: a log never loses a record by this, nor shrinks. Where both have
    the same records and differ in what carries them, it may be as long.
    """
    records, first = membership.records, question.records[0]
    if question.expected_head != membership.head:
        return _reject(Code.HEAD_MOVED, first, "the membership log ends elsewhere")
    if membership.role_of(question.carrier) is None:
        return _reject(Code.FORBIDDEN, first, "only members put the list of members in order")
    size_bytes = sum(map(len, question.records))
    if size_bytes > limits.MEMBERSHIP_REPLACED_BYTES_MAX:
        return _reject(Code.TOO_BIG, first, "so many records are not replaced at once")
    if not 0 < question.kept < len(records):
        return _reject(Code.INVALID, first, "it replaces nothing of the membership log")
    try:
        grown = Membership.from_records([*records[: question.kept], *question.records])
        merged = merge_logs(grown, membership)
    except MembershipError as error:
        return _reject(Code.INVALID, first, error.reason)
    if merged.shared != question.kept or not merged.ours_won:
        return _reject(Code.FORBIDDEN, first, "the relay's list of members is the one that goes on")
    is_longer = len(grown.records) - len(records) - (grown.content != membership.content) >= 0
    if merged.lost or not is_longer:
        return _reject(Code.FORBIDDEN, first, "records of the relay's list would be lost")
    rejected = _judge_replaced(membership, grown, question)
    if rejected is not None:
        return rejected
    total = len(grown.records)
    return MembersPart(total, (), total, grown.head, grown)


def _judge_replaced(
    membership: Membership, grown: Membership, question: ReplaceMembers
) -> Rejected | None:
    """As ``_judge_room``, of many records at once; and how deep they carry each other."""
    first = question.records[0]
    count_max, bytes_max = (
        limits.RELAY_MEMBERSHIP_RECORDS_MAX,
        limits.RELAY_MEMBERSHIP_BYTES_MAX,
    )
    if membership.role_of(question.carrier) is not Role.OWNER:
        count_max -= count_max // limits.RELAY_MEMBERSHIP_KEPT_FOR_OWNERS
        bytes_max -= bytes_max // limits.RELAY_MEMBERSHIP_KEPT_FOR_OWNERS
        count, size_bytes = grown.written_by(question.carrier)
        if (
            count > limits.RELAY_MEMBERSHIP_RECORDS_OF_ONE_MAX
            or size_bytes > limits.RELAY_MEMBERSHIP_BYTES_OF_ONE_MAX
        ):
            return _reject(
                Code.QUOTA, first, "this device or ticket added as much to the members as it may"
            )
        if carry_depth(question.records) > limits.MEMBERSHIP_CARRY_DEPTH_BY_MEMBERS_MAX:
            return _reject(Code.QUOTA, first, "its records carry each other too deeply")
    if len(grown.records) > count_max or grown.size_bytes > bytes_max:
        return _reject(Code.QUOTA, first, "the membership log is as long as it may be")
    return None


def _joins_in(record: Record) -> list[Record]:
    """The joins that a record carries."""
    return [one for one in carried_records(record) if one.header.kind == "join"]


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
    if record.header.kind not in ("remove", "role", "leave", "rotate") or not isinstance(
        rows, list
    ):
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
    *,
    before: Membership | None = None,
) -> Rejected | None:
    """Time is the relay's to judge, of those who come: a member gives back what is in the log.

    ``membership`` has the join's invite; ``before`` is what the log was before it, if that differs.
    """
    if (before or membership).role_of(question.carrier) is not None:
        return None
    invite = membership.invite(record.header.author)
    if invite is not None and invite.expires_ms is not None and invite.expires_ms <= now_ms:
        ended = datetime.fromtimestamp(min(invite.expires_ms, now_ms) / 1000, UTC)
        return _reject(Code.EXPIRED, question.record, f"it ended on {ended:%Y-%m-%d at %H:%M} UTC")
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
