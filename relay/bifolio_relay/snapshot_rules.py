"""What becomes of a library's statements and snapshots: pure functions, no I/O.

A relay cannot read a snapshot. It takes one from a device that may write, keeps it where its chunks
are the ones that its maker signed, and counts it for something (**attested**) once another member
says that it is what the changes give, or the maker itself where no other replica is there to ask.
The entries under the older of two attested snapshots go when every replica that is still there has
passed them, or after thirty days. Knows nothing of stores, connections or time.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.crypto.membership import Membership
from bifolio.crypto.snapshot import Snapshot, SnapshotHeader, parse_snapshot
from bifolio.crypto.statement import Statement, Verdict
from bifolio.errors import EnvelopeError
from bifolio.ids import content_hash
from bifolio.wire.messages import Code
from bifolio_relay.requests import (
    OfferSnapshot,
    PublishStatement,
    Rejected,
    StoreSnapshotChunk,
    VerifySnapshot,
)
from bifolio_relay.storage import HeldSnapshot, HeldStatement, LibraryHead

_GONE_MS = int(limits.REPLICA_GONE_S * 1000)


def check_statement(
    question: PublishStatement, membership: Membership, head: LibraryHead
) -> Statement | Rejected:
    """The statement, if a member signed it of this log."""
    raw = question.statement
    try:
        said = Statement.parse(raw)
    except EnvelopeError as error:
        return _reject(Code.INVALID, raw, error.reason)
    if said.library != question.library or said.epoch != head.epoch or said.n > head.n:
        return _reject(Code.INVALID, raw, "it is about another log")
    if membership.role_of(said.device) is None:
        return _reject(Code.FORBIDDEN, raw, "only members say where they are")
    return said


def judge_statement(
    said: Statement, raw: bytes, held: Sequence[HeldStatement], *, chain_hash: bytes | None
) -> tuple[tuple[bytes, bytes], ...] | Rejected:
    """Which replicas' statements make room for one, by device and replica.

    Arguments:
        chain_hash: of the log at its position.
    """
    if said.chain_hash != chain_hash:
        return _reject(Code.INVALID, raw, "the log is another one at that position")
    own = [one for one in held if one.device == said.device]
    before = [one for one in own if one.replica == said.replica]
    if before and Statement.parse(before[0].raw).said_ms >= said.said_ms:
        return _reject(Code.INVALID, raw, "a later one is known")
    others = sorted((one for one in own if one.replica != said.replica), key=_heard)
    surplus = len(others) + 1 - limits.STATEMENTS_PER_DEVICE_MAX
    dropped = others[: max(surplus, 0)]
    if not before and len(held) - len(dropped) >= limits.STATEMENTS_MAX:
        dropped.append(min(held, key=_heard))
    return tuple((one.device, one.replica) for one in dropped)


def check_offer(
    question: OfferSnapshot, membership: Membership, head: LibraryHead
) -> Snapshot | Rejected:
    """The snapshot, if a device that may write made it of this log as it is now."""
    raw = question.header
    try:
        snapshot = parse_snapshot(raw)
    except EnvelopeError as error:
        return _reject(Code.INVALID, raw, error.reason)
    header = snapshot.header
    if header.library != question.library:
        return _reject(Code.INVALID, raw, "it is of another library")
    if header.epoch == head.epoch and header.n > head.n:
        return _reject(Code.INVALID, raw, "it is of another log")
    if not membership.may_write(header.device):
        return _reject(Code.FORBIDDEN, raw, "its maker may not write here")
    if not membership.knows(header.membership_head):
        return _reject(Code.UNKNOWN_HEAD, raw, "append the membership records first")
    return snapshot


def judge_offer(
    snapshot: Snapshot,
    held: Sequence[HeldSnapshot],
    *,
    position: int,
    chain_hash: bytes | None,
    room_bytes: int,
    now_ms: int,
) -> tuple[bytes, ...] | Rejected:
    """Which snapshots (their ids) make room for one.

    Arguments:
        position: its place in this log; 0 for one of a log that this relay has lost.
        chain_hash: of this log there; None for one of another log.
        room_bytes: what all snapshots of the library may take.
    """
    header, raw = snapshot.header, snapshot.raw
    if any(one.id == snapshot.id for one in held):
        return ()
    if chain_hash is not None and header.chain_hash != chain_hash:
        return _reject(Code.INVALID, raw, "the log is another one at that position")
    attested = attested_of(held)
    # One of a lost log may bring what is in none of this log, however new that is.
    others = [parse_snapshot(one.header).header for one in attested if not one.n]
    is_old = attested and 0 < position <= attested[0].n
    if is_old or (not position and any(_is_past(header, one) for one in others)):
        return _reject(Code.INVALID, raw, "a newer one is held")
    # What is neither whole nor attested yet makes room, if its maker stopped or is this one.
    waiting = [one for one in held if one not in attested]
    if any(one.device != header.device and not _is_stale(one, now_ms) for one in waiting):
        return _reject(Code.TAKEN, raw, "another computer is sending a snapshot")
    kept_bytes = sum(one.size_bytes for one in attested)
    if kept_bytes + header.size_bytes > room_bytes:
        return _reject(Code.QUOTA, raw, "the library has no room for it on this relay")
    return tuple(one.id for one in waiting)


def check_chunk(question: StoreSnapshotChunk, held: HeldSnapshot | None) -> Rejected | None:
    """What keeps a chunk from being stored; None if it is the next one of a snapshot."""
    if held is None:
        return Rejected(Code.INVALID, question.snapshot, "it was not offered, or it made room")
    if question.device != held.carrier:
        return Rejected(Code.TAKEN, question.snapshot, "another computer is sending it")
    if question.number >= held.chunks or not question.sealed:
        return Rejected(Code.INVALID, question.snapshot, "it has no such chunk")
    if held.stored_bytes + len(question.sealed) > held.size_bytes and question.number == held.held:
        return Rejected(Code.INVALID, question.snapshot, "it is larger than its header says")
    return None


def check_verdict(question: VerifySnapshot, membership: Membership) -> Verdict | Rejected:
    """The verdict, if a device that may write signed it."""
    raw = question.verdict
    try:
        verdict = Verdict.parse(raw)
    except EnvelopeError as error:
        return _reject(Code.INVALID, raw, error.reason)
    if verdict.library != question.library:
        return _reject(Code.INVALID, raw, "it is about another library")
    if not membership.may_write(verdict.device):
        return _reject(Code.FORBIDDEN, raw, "only devices that may write say what a snapshot is")
    return verdict


def is_attested(
    held: HeldSnapshot,
    membership: Membership,
    statements: Sequence[HeldStatement],
    *,
    now_ms: int,
) -> bool:
    """Whether a snapshot is whole and said to be right by one who could tell, and by nobody wrong.

    Its maker's own word is enough where no other device of the library was heard lately.
    """
    if not held.is_whole:
        return False
    verdicts = [one for one in held.verdicts if membership.may_write(one.device)]
    if any(not one.is_right for one in verdicts):
        return False
    if held.is_attested or any(one.device != held.device for one in verdicts):
        return True
    is_alone = not any(
        one.device != held.device
        and membership.may_write(one.device)
        and now_ms - one.heard_ms < _GONE_MS
        for one in statements
    )
    return bool(verdicts) and is_alone


def attested_of(held: Sequence[HeldSnapshot]) -> list[HeldSnapshot]:
    """Those that were found to be attested, the newest first; of a log that was lost, all have the
    same place."""
    attested = [one for one in held if one.is_attested]
    return sorted(attested, key=lambda one: (-one.n, -one.begun_ms))


def judge_floor(
    held: Sequence[HeldSnapshot],
    statements: Sequence[HeldStatement],
    membership: Membership,
    *,
    now_ms: int,
) -> int:
    """Up to where the log may go: under the older of the two newest attested snapshots."""
    attested = attested_of(held)
    if len(attested) < limits.SNAPSHOTS_KEPT:
        return 0
    older = attested[limits.SNAPSHOTS_KEPT - 1]
    if now_ms - older.begun_ms >= _GONE_MS:
        return older.n
    members = {member.device for member in membership.members}
    here = [one for one in statements if now_ms - one.heard_ms < _GONE_MS]
    silent = members - {one.device for one in here}
    if silent or any(one.n < older.n for one in here if one.device in members):
        return 0
    return older.n


def surplus_of(held: Sequence[HeldSnapshot]) -> tuple[bytes, ...]:
    """The attested snapshots (their ids) that are older than those that are kept.

    Of the logs that this relay has lost the last ones stay until so many of this log were begun
    after them, and so hold what they brought.
    """
    attested = attested_of(held)
    own = [one for one in attested if one.n]
    lost = sorted((one for one in attested if not one.n), key=lambda one: -one.begun_ms)
    kept = own[: limits.SNAPSHOTS_KEPT]
    if len(kept) == limits.SNAPSHOTS_KEPT:
        kept += [one for one in lost if one.begun_ms >= kept[-1].begun_ms][: limits.SNAPSHOTS_KEPT]
    else:
        kept += lost[: limits.SNAPSHOTS_KEPT]
    return tuple(one.id for one in attested if one not in kept)


def _is_past(header: SnapshotHeader, other: SnapshotHeader) -> bool:
    """Whether another snapshot of the same log is as far, or further."""
    return header.epoch == other.epoch and header.n <= other.n


def _is_stale(held: HeldSnapshot, now_ms: int) -> bool:
    return now_ms - held.touched_ms > limits.SNAPSHOT_STALE_MS


def _heard(statement: HeldStatement) -> int:
    return statement.heard_ms


def _reject(code: Code, raw: bytes, detail: str) -> Rejected:
    return Rejected(code, content_hash(raw), detail)
