"""What enters a library's logs, and what is read from them: the relay's rules over a store.

``Ledger.answer`` takes one of the questions below, ``Ledger.commit`` the pushes of any number of
connections for one shared commit. It checks the author's signature and right, not who carries:
any member may carry anyone's envelopes. Memberships are loaded when they are needed and a bounded
number is kept. Used by one thread; knows nothing of connections, queues or time.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bifolio import limits
from bifolio.crypto.envelope import Envelope, parse_envelope, verify_signature
from bifolio.crypto.membership import Membership, library_id_of
from bifolio.errors import EnvelopeError, MembershipError
from bifolio.wire.messages import AttestedPosition, Code
from bifolio_relay.blob_rules import BlobAnswer, BlobLedger, BlobQuestion
from bifolio_relay.storage import LibraryHead, LogStorage, Outcome, Placed, Refused, Unavailable


@dataclass(frozen=True, slots=True)
class Look:
    """How does the library stand, for this device at this position?"""

    library: bytes
    device: bytes
    cursor: int
    attested: AttestedPosition | None
    blob_tally: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """Answers ``Look`` and ``CreateLibrary``; without ``head`` the library is not held."""

    head: LibraryHead | None
    role: str | None = None
    cursor_hash: bytes | None = None
    attested_hash: bytes | None = None
    blob_drops: int = 0
    blob_tally_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class CreateLibrary:
    """Hold the library that this genesis begins; answered by ``Seen`` or ``Refused``."""

    look: Look
    genesis: bytes


@dataclass(frozen=True, slots=True)
class ReadLog:
    """The entries after a position; answered by ``LogPart`` or ``Refused``."""

    library: bytes
    device: bytes
    after: int


@dataclass(frozen=True, slots=True)
class LogPart:
    """The entries after+1, ...; ``n`` was the log's length when they were read."""

    after: int
    envelopes: tuple[bytes, ...]
    n: int


@dataclass(frozen=True, slots=True)
class ReadMembers:
    """Membership records from a number on; answered by ``MembersPart`` or ``Refused``."""

    library: bytes
    start: int


@dataclass(frozen=True, slots=True)
class AppendMember:
    """Append a membership record; answered by ``MembersPart`` or ``Refused``."""

    library: bytes
    expected_head: bytes
    record: bytes


@dataclass(frozen=True, slots=True)
class MembersPart:
    """Membership records from ``start``; with ``grown``, what they made of the membership."""

    start: int
    records: tuple[bytes, ...]
    total: int
    head: bytes
    grown: Membership | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """Envelopes that a device carries to a library's log."""

    library: bytes
    device: bytes
    envelopes: tuple[bytes, ...]

    @property
    def size_bytes(self) -> int:
        """Of all its envelopes."""
        return sum(map(len, self.envelopes))


Question = Look | CreateLibrary | ReadLog | ReadMembers | AppendMember | BlobQuestion
Answer = Seen | LogPart | MembersPart | BlobAnswer


@dataclass(frozen=True, slots=True)
class Commit:
    """What one commit did.

    ``outcomes`` has a tuple for each submission; ``grown`` the new entries of each library.
    """

    outcomes: tuple[tuple[Outcome, ...], ...]
    grown: dict[bytes, LogPart]


class Ledger:
    """The logs of all libraries of one relay."""

    def __init__(
        self,
        storage: LogStorage,
        random_bytes: Callable[[int], bytes],
        *,
        libraries_max: int = limits.RELAY_LIBRARIES_MAX,
        library_bytes_max: int = limits.RELAY_LIBRARY_BYTES_MAX,
        file_bytes_max: int = limits.RELAY_FILE_BYTES_MAX,
    ) -> None:
        self._storage = storage
        self._random_bytes = random_bytes
        self._libraries_max = libraries_max
        self._library_bytes_max = library_bytes_max
        self._blobs = BlobLedger(storage.blobs, library_bytes_max=file_bytes_max)
        self._memberships: OrderedDict[bytes, Membership] = OrderedDict()
        #: How many libraries are held; another thread may read it.
        self.libraries = storage.count_libraries()

    def answer(self, question: Question) -> Answer:
        """The answer to one question.

        Raises:
            RelayStorageError: the store failed.
            MembershipError: the membership log in the store is damaged.
        """
        match question:
            case Look():
                return self._look(question)
            case CreateLibrary():
                return self._create(question)
            case ReadLog():
                return self._read_log(question)
            case ReadMembers():
                return self._read_members(question)
            case AppendMember():
                return self._append_member(question)
            case _:
                return self._about_blobs(question)

    def commit(self, submissions: Sequence[Submission]) -> Commit:
        """Append what may be appended, durably, in one commit.

        Raises:
            RelayStorageError: the store failed; nothing was kept.
        """
        judged = [self._judged(submission) for submission in submissions]
        admitted = [found for row in judged for found in row if isinstance(found, Envelope)]
        placed = iter(
            self._storage.append(admitted, library_bytes_max=self._library_bytes_max)
            if admitted
            else ()
        )
        outcomes = tuple(
            tuple(next(placed) if isinstance(found, Envelope) else found for found in row)
            for row in judged
        )
        return Commit(outcomes, _growth(submissions, outcomes))

    def _look(self, look: Look) -> Seen:
        head = self._storage.library_head(look.library)
        if head is None:
            return Seen(None)
        attested_hash = None
        if look.attested is not None and look.attested.epoch == head.epoch:
            attested_hash = self._storage.chain_hash(look.library, look.attested.n)
        return Seen(
            head,
            self._membership(look.library, head).role_of(look.device),
            self._storage.chain_hash(look.library, look.cursor),
            attested_hash,
            self._storage.blobs.drops(look.library),
            self._storage.blobs.tally_hash(look.library, look.blob_tally),
        )

    def connection_gone(self, carrier: bytes) -> None:
        """A connection ended: others may send what it was sending."""
        self._blobs.gone(carrier)

    def _about_blobs(self, question: BlobQuestion) -> BlobAnswer:
        head = self._storage.library_head(question.library)
        if head is None:
            return Refused(Code.UNKNOWN_LIBRARY, b"", "this relay does not hold it")
        return self._blobs.answer(question, self._membership(question.library, head))

    def _create(self, question: CreateLibrary) -> Seen | Refused:
        library, genesis = question.look.library, question.genesis
        if library_id_of(genesis) != library:
            return _refused(Code.INVALID, genesis, "the genesis is another library's")
        try:
            membership = Membership.from_records([genesis])
        except MembershipError as error:
            return _refused(Code.INVALID, genesis, error.reason)
        if self._storage.library_head(library) is None:
            if self.libraries >= self._libraries_max:
                return _refused(Code.QUOTA, genesis, "the relay holds as many as it may")
            epoch = self._random_bytes(16)
            self._storage.create_library(
                library, epoch=epoch, genesis=genesis, head=membership.head
            )
            self.libraries += 1
        return self._look(question.look)

    def _read_log(self, question: ReadLog) -> LogPart | Refused:
        head = self._storage.library_head(question.library)
        if head is None:
            return Refused(Code.UNKNOWN_LIBRARY, b"", "this relay does not hold it")
        if self._membership(question.library, head).role_of(question.device) is None:
            return Refused(Code.FORBIDDEN, b"", "only members read the log")
        if question.after < head.floor:
            return Refused(Code.NEED_SNAPSHOT, b"", f"the log begins after {head.floor}")
        envelopes = self._storage.read(
            question.library,
            after=question.after,
            bytes_max=limits.BATCH_BYTES_TARGET,
            count_max=limits.BATCH_ENVELOPES_MAX,
        )
        # Past the end there is nothing to list: the notice alone tells how long the log is.
        return LogPart(min(question.after, head.n), envelopes, head.n)

    def _read_members(self, question: ReadMembers) -> MembersPart | Refused:
        head = self._storage.library_head(question.library)
        if head is None:
            return Refused(Code.UNKNOWN_LIBRARY, b"", "this relay does not hold it")
        start = min(question.start, head.members)
        records = self._storage.members(
            question.library, start=start, limit=limits.MEMBERS_BATCH_MAX
        )
        return MembersPart(start, records, head.members, head.members_head)

    def _append_member(self, question: AppendMember) -> MembersPart | Refused:
        record = question.record
        if len(record) > limits.MEMBERSHIP_RECORD_BYTES_MAX:
            return _refused(Code.TOO_BIG, record, "a membership record is smaller than that")
        head = self._storage.library_head(question.library)
        if head is None:
            return _refused(Code.UNKNOWN_LIBRARY, record, "this relay does not hold it")
        membership = self._membership(question.library, head)
        if question.expected_head != membership.head:
            return self._appended_before(membership, question)
        if len(membership.records) >= limits.RELAY_MEMBERSHIP_RECORDS_MAX:
            return _refused(Code.QUOTA, record, "the membership log is as long as it may be")
        try:
            grown = membership.append(record)
        except MembershipError as error:
            return _refused(Code.INVALID, record, error.reason)
        if not self._storage.append_member(
            question.library, expected_head=membership.head, record=record, head=grown.head
        ):
            # Another relay process on the same store was faster; what we kept is stale.
            del self._memberships[question.library]
            return _refused(Code.HEAD_MOVED, record, "the membership log ends elsewhere")
        self._keep(question.library, grown)
        return MembersPart(head.members, (record,), head.members + 1, grown.head, grown)

    def _appended_before(
        self, membership: Membership, question: AppendMember
    ) -> MembersPart | Refused:
        """A client that lost the answer appends again: it gets the answer it lost."""
        if question.record in membership.records:
            start = membership.records.index(question.record)
            return MembersPart(start, (question.record,), len(membership.records), membership.head)
        return _refused(Code.HEAD_MOVED, question.record, "the membership log ends elsewhere")

    def _judged(self, submission: Submission) -> list[Envelope | Outcome]:
        """Each envelope, if it may enter the log; what keeps it out, otherwise."""
        head = self._storage.library_head(submission.library)
        if head is None:
            return [
                _refused(Code.UNKNOWN_LIBRARY, raw, "this relay does not hold it")
                for raw in submission.envelopes
            ]
        try:
            membership = self._membership(submission.library, head)
        except MembershipError as error:
            return [Unavailable(_hash(raw), error.reason) for raw in submission.envelopes]
        if membership.role_of(submission.device) is None:
            return [
                _refused(Code.FORBIDDEN, raw, "only members push") for raw in submission.envelopes
            ]
        return [_admitted(membership, raw) for raw in submission.envelopes]

    def _membership(self, library: bytes, head: LibraryHead) -> Membership:
        membership = self._memberships.get(library)
        if membership is None:
            records = self._storage.members(library, start=0, limit=head.members)
            membership = Membership.from_records(records)
            self._keep(library, membership)
        self._memberships.move_to_end(library)
        return membership

    def _keep(self, library: bytes, membership: Membership) -> None:
        self._memberships[library] = membership
        self._memberships.move_to_end(library)
        records = sum(len(kept.records) for kept in self._memberships.values())
        while len(self._memberships) > 1 and (
            len(self._memberships) > limits.RELAY_MEMBERSHIPS_CACHED_MAX
            or records > limits.RELAY_MEMBERSHIP_RECORDS_CACHED_MAX
        ):
            _, dropped = self._memberships.popitem(last=False)
            records -= len(dropped.records)


def _admitted(membership: Membership, raw: bytes) -> Envelope | Refused:
    """The envelope, if its author made it and might; anybody may have carried it here."""
    if len(raw) > limits.ENVELOPE_BYTES_MAX:
        return _refused(Code.TOO_BIG, raw, f"at most {limits.ENVELOPE_BYTES_MAX} bytes")
    try:
        envelope = parse_envelope(raw)
        if envelope.header.library != membership.library_id:
            return _refused(Code.INVALID, raw, "it is another library's")
        verify_signature(envelope)
    except EnvelopeError as error:
        return _refused(Code.INVALID, raw, error.reason)
    header = envelope.header
    if not membership.knows(header.membership_head):
        return _refused(Code.UNKNOWN_HEAD, raw, "append the membership records first")
    if not membership.may_write(header.device, head=header.membership_head):
        return _refused(Code.FORBIDDEN, raw, "its author may not write here")
    return envelope


def _growth(
    submissions: Sequence[Submission], outcomes: Sequence[Sequence[Outcome]]
) -> dict[bytes, LogPart]:
    """The fresh entries of each library in the order of their positions."""
    fresh: dict[bytes, dict[int, bytes]] = {}
    for submission, row in zip(submissions, outcomes, strict=True):
        for raw, outcome in zip(submission.envelopes, row, strict=True):
            if isinstance(outcome, Placed) and outcome.fresh:
                fresh.setdefault(submission.library, {})[outcome.position] = raw
    return {
        library: LogPart(
            min(entries) - 1, tuple(entries[at] for at in sorted(entries)), max(entries)
        )
        for library, entries in fresh.items()
    }


def _hash(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=32).digest()


def _refused(code: Code, raw: bytes, detail: str) -> Refused:
    return Refused(code, _hash(raw), detail)
