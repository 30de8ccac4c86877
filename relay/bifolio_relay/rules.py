"""What may enter a library's logs: pure functions of envelope, membership and chain head, no I/O.

An envelope passes two of them. ``check_envelope`` needs nothing but its bytes, and takes the time:
parsing and the signature. ``judge_envelope`` needs the membership and its chain's head, and says
whether it comes next, has its place taken already, or is rejected with a reason. Who is checked is
the author, not who carries: any member may carry anyone's envelopes. Knows nothing of stores,
connections or time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bifolio import limits
from bifolio.crypto.envelope import Envelope, SignedHeader, parse_envelope, verify_signature
from bifolio.crypto.keys import verify
from bifolio.crypto.membership import (
    Membership,
    Permission,
    Role,
    deletion_message,
    library_id_of,
)
from bifolio.crypto.relay_token import proves_token
from bifolio.errors import EnvelopeError, MembershipError
from bifolio.ids import content_hash
from bifolio.wire.messages import Code
from bifolio_relay.quotas import entry_cost
from bifolio_relay.requests import (
    Appended,
    CheckedSubmission,
    CreateLibrary,
    DeleteLibrary,
    Outcome,
    ReadLog,
    Rejected,
    Submission,
    Unavailable,
)
from bifolio_relay.storage import ChainHead, ChainHeads, LibraryHead, Place, TokenFacts


@dataclass(slots=True)
class Carried:
    """An envelope and the device that carries it here."""

    envelope: Envelope
    carrier: bytes


@dataclass(frozen=True, slots=True)
class Next:
    """It is the next of its chain: to be appended."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The log has an envelope at its place in the chain: this one, or another one."""


@dataclass(frozen=True, slots=True)
class Again:
    """It is the same as the one with this number among those that were judged with it."""

    number: int


Decision = Next | Earlier | Again | Rejected

#: A moment in the year 9999, of what a damaged row could say.
_LAST_MOMENT_S = 253_402_000_000

_NEXT, _EARLIER = Next(), Earlier()


# --- envelopes ------------------------------------------------------------------------------


def check_submission(submission: Submission) -> CheckedSubmission:
    """Each of its envelopes, if it is one of this library and its author made it."""
    return CheckedSubmission(
        submission,
        tuple(check_envelope(submission.library, raw) for raw in submission.envelopes),
    )


def reject_carrier(submission: Submission) -> CheckedSubmission:
    """Nothing of it is taken: who carries it is no member."""
    return CheckedSubmission(
        submission,
        tuple(reject(Code.FORBIDDEN, raw, "only members push") for raw in submission.envelopes),
    )


def leave_out(submission: Submission, reason: str) -> CheckedSubmission:
    """Nothing of it can be judged now, for this reason."""
    return CheckedSubmission(
        submission, tuple(Unavailable(content_hash(raw), reason) for raw in submission.envelopes)
    )


def check_envelope(library: bytes, raw: bytes) -> Envelope | Rejected:
    """The envelope, if it is one of this library and signed by the device that it names."""
    if len(raw) > limits.ENVELOPE_BYTES_MAX:
        return reject(Code.TOO_BIG, raw, f"at most {limits.ENVELOPE_BYTES_MAX} bytes")
    try:
        envelope = parse_envelope(raw)
        if envelope.header.library != library:
            return reject(Code.INVALID, raw, "it is another library's")
        verify_signature(envelope)
    except EnvelopeError as error:
        return reject(Code.INVALID, raw, error.reason)
    return envelope


def judge_envelope(
    carried: Carried,
    *,
    membership: Membership,
    head: ChainHead | None,
    room_bytes: int,
) -> Decision:
    """What is to become of a checked envelope whose chain ends at ``head``."""
    return _Judge(membership).judge(carried, head, room_bytes)


def judge_envelopes(
    all_carried: Sequence[Carried],
    *,
    membership: Membership,
    heads: ChainHeads,
    room_bytes: int,
) -> list[Decision]:
    """What is to become of envelopes of one library, each on top of those before it."""
    judge = _Judge(membership)
    heads = dict(heads)
    numbers: dict[tuple[bytes, int], int] = {}
    decisions: list[Decision] = []
    for number, carried in enumerate(all_carried):
        envelope = carried.envelope
        chain, seq = envelope.header.author_chain, envelope.header.seq
        head = heads.get(chain)
        decision = judge.judge(carried, head, room_bytes)
        if decision is _NEXT:
            room_bytes -= entry_cost(len(envelope.raw))
            heads[chain] = head_after(envelope)
            numbers[chain, seq] = number
        elif decision is _EARLIER:
            twin = numbers.get((chain, seq))
            if twin is not None:
                same = all_carried[twin].envelope.hash == envelope.hash
                decision = Again(twin) if same else reject_fork(envelope, head)
        decisions.append(decision)
    return decisions


#: What a refusal says: its code, and a sentence.
_Refusal = tuple[Code, str]


class _Judge:
    """Judges envelopes by one membership, and asks it once for what is the same for many."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._carriers: dict[bytes, bool] = {}
        #: By author and head, while nobody has lost a right: then nothing else matters.
        self._permissions: dict[tuple[bytes, bytes], Permission] | None = (
            None if membership.has_lost_rights else {}
        )

    def judge(self, carried: Carried, head: ChainHead | None, room_bytes: int) -> Decision:
        """What is to become of a checked envelope whose chain ends at ``head``."""
        envelope, header = carried.envelope, carried.envelope.header
        refusal = self._refuse(carried)
        if refusal is not None:
            code, detail = refusal
            return reject(code, envelope, detail)
        seq, head_hash = (head.seq, head.hash) if head else (0, bytes(32))
        if header.seq <= seq:
            return _EARLIER
        if header.seq > seq + 1:
            return reject(Code.GAP, envelope, f"the relay has this chain up to {seq}", head)
        if header.previous != head_hash:
            return reject(Code.FORK, envelope, "it does not link to the last one here", head)
        if entry_cost(len(envelope.raw)) > room_bytes:
            return reject(Code.QUOTA, envelope, "the library has no more room on this relay")
        return _NEXT

    def _refuse(self, carried: Carried) -> _Refusal | None:
        """What the membership has against it."""
        is_member = self._carriers.get(carried.carrier)
        if is_member is None:
            is_member = self._membership.role_of(carried.carrier) is not None
            self._carriers[carried.carrier] = is_member
        if not is_member:
            return Code.FORBIDDEN, "only members push"
        permission = self._permission(carried.envelope)
        if permission is Permission.UNKNOWN_HEAD:
            return Code.UNKNOWN_HEAD, "append the membership records first"
        if permission is Permission.FORBIDDEN:
            return Code.FORBIDDEN, "its author may not write here"
        # Also where only a newer program can say: that is the replicas' to judge.
        return None

    def _permission(self, envelope: Envelope) -> Permission:
        known = self._permissions
        if known is None:
            return self._membership.permits(envelope)
        by = (envelope.header.device, envelope.header.membership_head)
        permission = known.get(by)
        if permission is None:
            permission = known[by] = self._membership.permits(envelope)
        return permission


def judge_earlier(envelope: Envelope, held: Place | None, head: ChainHead | None) -> Outcome:
    """What becomes of an envelope whose place in its chain is taken, by what is held there.

    Nothing is where the chain's end came with a snapshot: that covers it.
    """
    if held is None:
        return reject(Code.NEED_SNAPSHOT, envelope, "a snapshot covers it", head)
    if held.hash != envelope.hash:
        return reject_fork(envelope, head)
    return Appended(envelope.hash, held.position, fresh=False)


def head_after(envelope: Envelope) -> ChainHead:
    """Where a chain ends with this envelope."""
    return ChainHead(envelope.header.device, envelope.header.seq, envelope.hash)


def competing_seq(envelope: Envelope, rejected: Rejected) -> int:
    """Where in the chain the log has another envelope than the one that was refused as a fork,
    or than the one that it links to."""
    return min(envelope.header.seq, rejected.seq)


def prove_fork(rejected: Rejected, competing: Sequence[bytes]) -> Rejected:
    """The refusal with what the author signed of the envelope that has the place.

    Args:
        rejected: as a fork.
        competing: the envelope that has the place; none where the log let it go under a snapshot,
            so that nothing can be shown.

    Raises:
        EnvelopeError: the log's own entry is damaged.
    """
    if not competing:
        return replace(rejected, code=Code.NEED_SNAPSHOT, detail="a snapshot covers its place")
    return replace(rejected, proof=SignedHeader.of(parse_envelope(competing[0])).serialize())


def reject_fork(envelope: Envelope, head: ChainHead | None) -> Rejected:
    """Another envelope has its place."""
    return reject(Code.FORK, envelope, "another envelope has its place in the chain", head)


def judge_token(
    question: CreateLibrary, token: TokenFacts | None, *, is_required: bool, now_ms: int
) -> Rejected | None:
    """What keeps a library from being created by the token that is given, or by none."""
    genesis, proof = question.genesis, question.proof
    if not proof.token:
        if not is_required:
            return None
        return reject(Code.TOKEN, genesis, "it takes new libraries only with a token")
    if token is None:
        return reject(Code.TOKEN, genesis, "it does not know this token")
    if not proves_token(
        token.public, nonce=proof.nonce, genesis=genesis, signature=proof.signature
    ):
        return reject(Code.TOKEN, genesis, "it does not know this token")
    if token.revoked_ms is not None:
        return reject(Code.TOKEN, genesis, "this token was revoked")
    if token.expires_ms is not None and token.expires_ms <= now_ms:
        return reject(Code.TOKEN, genesis, "this token has expired")
    return None


def reject_used_up(question: CreateLibrary) -> Rejected:
    """The token has no uses left."""
    return reject(Code.TOKEN, question.genesis, "this token was used as often as it may be")


def judge_deletion(question: DeleteLibrary, membership: Membership) -> Rejected | None:
    """What keeps a device from having the library deleted; None if nothing does."""
    is_owner = membership.role_of(question.device) is Role.OWNER and not membership.needs_newer
    message = deletion_message(nonce=question.nonce, library=question.library)
    if is_owner and verify(question.device, message, question.signature):
        return None
    return Rejected(Code.FORBIDDEN, b"", "only owners delete a library")


# --- membership and reading -----------------------------------------------------------------


def judge_genesis(question: CreateLibrary, *, libraries_left: int) -> Membership | Rejected:
    """The membership that a library begins with."""
    genesis = question.genesis
    if library_id_of(genesis) != question.opening.library:
        return reject(Code.INVALID, genesis, "the genesis is another library's")
    try:
        membership = Membership.from_records([genesis])
    except MembershipError as error:
        return reject(Code.INVALID, genesis, error.reason)
    if libraries_left <= 0:
        return reject(Code.QUOTA, genesis, "the relay holds as many as it may")
    return membership


def judge_reading(role: str | None, head: LibraryHead, question: ReadLog) -> Rejected | None:
    """What keeps a device with this role from reading the log there; None if nothing does."""
    if role is None:
        return Rejected(Code.FORBIDDEN, b"", "only members read the log")
    if question.after < head.floor:
        return Rejected(Code.NEED_SNAPSHOT, b"", f"the log begins after {head.floor}")
    return None


def judge_locating(role: str | None) -> Rejected | None:
    """What keeps a device with this role from asking what the log has; None if nothing does."""
    return Rejected(Code.FORBIDDEN, b"", "only members read the log") if role is None else None


# --- rejections -----------------------------------------------------------------------------


def reject_unknown(subject: bytes | Envelope | None = None) -> Rejected:
    """This relay does not hold the library."""
    return reject(Code.UNKNOWN_LIBRARY, subject, "this relay does not hold it")


def reject_deleted(deleted_ms: int, genesis: bytes | None = None) -> Rejected:
    """An owner deleted the library here."""
    day = datetime.fromtimestamp(min(max(deleted_ms, 0) / 1000, _LAST_MOMENT_S), UTC)
    return reject(Code.DELETED, genesis, f"an owner deleted it here on {day:%Y-%m-%d}")


def reject_moved(record: bytes) -> Rejected:
    """The membership log does not end where the sender believes."""
    return reject(Code.HEAD_MOVED, record, "the membership log ends elsewhere")


def reject(
    code: Code, subject: bytes | Envelope | None, detail: str, head: ChainHead | None = None
) -> Rejected:
    """A rejection of an envelope, a record, or of nothing that has a hash."""
    if isinstance(subject, Envelope):
        named = subject.hash
    else:
        named = b"" if subject is None else content_hash(subject)
    if head is None:
        return Rejected(code, named, detail)
    return Rejected(code, named, detail, head.seq, head.hash)
