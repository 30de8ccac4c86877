"""The relay's rules applied to a store: answers questions, and makes the commits.

Holds no truth of its own, so that any number of processes may serve one store: what it remembers
is compared with the store on every use, and what it writes names what it was decided by. Where the
store has moved it reads and decides again. ``rules`` decides; this carries out. Used by one event
loop; knows nothing of connections or queues.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence

from bifolio import limits
from bifolio.crypto.membership import Membership
from bifolio.errors import MembershipError, RelayStorageError
from bifolio.wire.messages import Code, Receipt
from bifolio_relay import member_rules, rules
from bifolio_relay.blob_service import BlobService
from bifolio_relay.join_rates import JoinRates
from bifolio_relay.known_libraries import Heavy, KnownLibraries
from bifolio_relay.log_writer import Appender
from bifolio_relay.quotas import Quotas
from bifolio_relay.requests import (
    Answer,
    AppendMember,
    BlobAnswer,
    BlobQuestion,
    CheckedSubmission,
    Commit,
    CreateLibrary,
    DeleteLibrary,
    LibraryInfo,
    LocatedEnvelopes,
    LocateEnvelopes,
    LogPart,
    LookForSnapshots,
    MembersPart,
    OfferSnapshot,
    OpenLibrary,
    PublishStatement,
    Question,
    ReadLog,
    ReadMembers,
    ReadSnapshotChunk,
    Rejected,
    ReplaceMembers,
    SnapshotAnswer,
    SnapshotQuestion,
    StoreSnapshotChunk,
    Submission,
    VerifySnapshot,
)
from bifolio_relay.snapshot_service import SnapshotService
from bifolio_relay.storage import Growth, LibraryHead, LogSlice, LogStorage, Room


class LogService:
    """The logs and blobs of all libraries of one relay.

    Arguments:
        storage: which other processes may use as well.
        random_bytes: for epochs.
        now_ms: the wall clock, for leases.
        quotas: what the relay holds at most.
        heavy: runs what would hold up the event loop; in a thread unless given.
    """

    def __init__(
        self,
        storage: LogStorage,
        *,
        random_bytes: Callable[[int], bytes],
        now_ms: Callable[[], int],
        quotas: Quotas | None = None,
        heavy: Heavy = asyncio.to_thread,
    ) -> None:
        quotas = quotas or Quotas()
        self._storage = storage
        self._random_bytes = random_bytes
        self._quotas = quotas
        self._now_ms = now_ms
        self._join_rates = JoinRates()
        #: When a library's use was last noted.
        self._uses: OrderedDict[bytes, int] = OrderedDict()
        self._heavy = heavy
        self._known = KnownLibraries(storage, heavy)
        self._blobs = BlobService(storage.blobs, now_ms, library_bytes_max=quotas.file_bytes)
        self._snapshots = SnapshotService(
            storage, self._known.read_membership, now_ms, library_bytes_max=quotas.library_bytes
        )
        self._appender = Appender(storage, self._known, library_bytes_max=quotas.library_bytes)

    async def answer(self, question: Question) -> Answer:
        """The answer to one question.

        Raises:
            RelayStorageError: the store failed.
            MembershipError: the membership log in the store is damaged.
        """
        match question:
            case OpenLibrary():
                return await self._open(question)
            case CreateLibrary():
                return await self._create(question)
            case ReadLog():
                return await self._read_log(question)
            case LocateEnvelopes():
                return await self._locate(question)
            case ReadMembers():
                return await self._read_members(question)
            case AppendMember():
                return await self._append_member(question)
            case DeleteLibrary():
                return await self._delete(question)
            case ReplaceMembers():
                return await self._replace_members(question)
            case (
                PublishStatement()
                | LookForSnapshots()
                | OfferSnapshot()
                | StoreSnapshotChunk()
                | ReadSnapshotChunk()
                | VerifySnapshot()
            ):
                return await self._answer_about_snapshots(question)
            case _:
                return await self._answer_about_blobs(question)

    async def check(self, submission: Submission) -> CheckedSubmission:
        """A submission's envelopes after all checks that need not wait for the commit.

        Nothing is checked for a carrier that is no member: signatures cost time.
        """
        try:
            if not await self._is_member(submission.library, submission.device):
                return rules.reject_carrier(submission)
        except (RelayStorageError, MembershipError) as error:
            return rules.leave_out(submission, error.reason)
        if (
            len(submission.envelopes) <= limits.RELAY_CHECKED_INLINE_MAX
            and submission.size_bytes <= limits.RELAY_CHECKED_INLINE_BYTES_MAX
        ):
            return rules.check_submission(submission)
        checked: CheckedSubmission = await self._heavy(rules.check_submission, submission)
        return checked

    def check_at_once(self, submission: Submission) -> CheckedSubmission | None:
        """The same without a look at the store; None where that takes one, or a thread.

        Arguments:
            submission: of no more than ``limits.RELAY_CHECKED_INLINE_MAX`` envelopes.
        """
        known = self._known.get(submission.library)
        if known is None or not _has_role(known.membership, submission.device):
            return None
        if submission.size_bytes > limits.RELAY_CHECKED_INLINE_BYTES_MAX:
            return None
        return rules.check_submission(submission)

    async def commit(self, submissions: Sequence[CheckedSubmission]) -> Commit:
        """Append what may be appended, durably, in one commit.

        Raises:
            RelayStorageError: the store failed; nothing was acknowledged.
        """
        return await self._appender.commit(submissions)

    async def count_libraries(self) -> int:
        """How many libraries the store holds."""
        return await self._storage.count_libraries()

    async def room(self) -> Room:
        """How much room the store has."""
        return await self._storage.room()

    async def find_damaged(self) -> Sequence[tuple[bytes | None, str]]:
        """Check one more library of the store; what of it is damaged, and what is wrong with it.

        Raises:
            RelayStorageError: the store failed.
        """
        return await self._storage.find_damaged()

    async def mend(self, library: bytes | None) -> None:
        """Have the store put a library, or itself, right, and forget what was remembered of it.

        Raises:
            RelayStorageError: it cannot.
        """
        try:
            await self._storage.mend(library)
        finally:
            self._known.forget((library,) if library is not None else self._known.libraries())

    def watch(self, library: bytes) -> AsyncGenerator[Growth, None]:
        """How far a library has come: at once, and whenever anybody has written to it.

        Raises:
            RelayStorageError: the store failed.
        """
        return self._storage.watch(library)

    async def read_entries(
        self,
        library: bytes,
        after: int,
        *,
        bytes_max: int = limits.BATCH_BYTES_TARGET,
        count_max: int = limits.BATCH_ENVELOPES_MAX,
    ) -> LogSlice:
        """As many entries after a position as one message holds, for those who may read them."""
        return await self._storage.read(
            library, after=after, bytes_max=bytes_max, count_max=count_max
        )

    async def read_new_members(self, library: bytes, start: int) -> MembersPart | None:
        """Membership records from a number on, and the membership that they lead to."""
        head = await self._storage.read_head(library)
        if head is None or head.members <= start:
            return None
        grown = await self._known.read_membership(library, head)
        records = grown.records[start : start + limits.MEMBERS_BATCH_MAX]
        return MembersPart(start, records, head.members, head.members_head, grown)

    async def release_uploads(self, library: bytes, device: bytes) -> None:
        """A connection of the device ended: others may send what it was sending."""
        await self._blobs.release(library, device)

    async def _open(self, opening: OpenLibrary) -> LibraryInfo:
        library = opening.library
        head = await self._storage.read_head(library)
        if head is None:
            return LibraryInfo(None)
        role = await self._role(library, head, opening.device)
        if role is not None:
            await self._note_use(library)
        positions = [opening.cursor]
        if opening.attested is not None and opening.attested.epoch == head.epoch:
            positions.append(opening.attested.n)
        cursor_hash, *attested = await self._storage.read_chain_hashes(library, positions)
        return LibraryInfo(
            head,
            role,
            cursor_hash,
            attested[0] if attested else None,
            await self._blobs.count_drops(library),
            await self._storage.blobs.read_tally_hash(library, opening.blob_tally),
        )

    async def _create(self, question: CreateLibrary) -> LibraryInfo | Rejected:
        opening = question.opening
        library = opening.library
        token = question.proof.token or None
        if await self._storage.read_head(library) is not None:
            # Others created it meanwhile, or the answer was lost: nothing is to be allowed.
            membership = rules.judge_genesis(question, libraries_left=1)
            return membership if isinstance(membership, Rejected) else await self._open(opening)
        if not question.again:
            deleted_ms = await self._storage.read_deletion(library)
            if deleted_ms is not None:
                return rules.reject_deleted(deleted_ms, question.genesis)
        now_ms = self._now_ms()
        facts = None if token is None else await self._storage.read_token(token)
        rejected = rules.judge_token(
            question, facts, is_required=self._quotas.require_token, now_ms=now_ms
        )
        if rejected is not None:
            return rejected
        membership = rules.judge_genesis(question, libraries_left=await self._count_left())
        if isinstance(membership, Rejected):
            return membership
        if token is not None and not await self._storage.use_token(token, library, now_ms=now_ms):
            return rules.reject_used_up(question)
        await self._storage.create_library(
            library,
            epoch=self._random_bytes(16),
            genesis=question.genesis,
            head=membership.head,
            roles=_roles(membership),
            token=token,
            now_ms=now_ms,
        )
        return await self._open(opening)

    async def _delete(self, question: DeleteLibrary) -> Rejected:
        """Delete a library, if the one who wants it owns it; the answer says when that was done."""
        library, now_ms = question.library, self._now_ms()
        head = await self._storage.read_head(library)
        if head is None:
            return rules.reject_unknown()
        membership = await self._known.read_membership(library, head)
        rejected = rules.judge_deletion(question, membership)
        if rejected is not None:
            return rejected
        if not await self._storage.delete_library(library, now_ms=now_ms):
            return rules.reject_unknown()
        self._known.forget((library,))
        return rules.reject_deleted(now_ms)

    async def _count_left(self) -> int:
        """How many more libraries there may be; the longest unused one makes room at the last."""
        left = self._quotas.libraries - await self._storage.count_libraries()
        if left <= 0:
            before_ms = self._now_ms() - limits.RELAY_UNUSED_KEPT_MS
            removed = await self._storage.remove_unused(before_ms=before_ms, count_max=1)
            self._known.forget(removed)
            left += len(removed)
        return left

    async def remove_unused(self, *, days: int) -> int:
        """Remove some libraries that nobody has used for so many days; how many they were."""
        before_ms = self._now_ms() - days * 24 * 3600 * 1000
        removed = await self._storage.remove_unused(
            before_ms=before_ms, count_max=limits.RELAY_EXPIRED_AT_ONCE
        )
        self._known.forget(removed)
        return len(removed)

    async def _note_use(self, library: bytes) -> None:
        now_ms = self._now_ms()
        if now_ms - self._uses.get(library, 0) < limits.RELAY_USE_NOTED_MS:
            return
        self._uses[library] = now_ms
        if len(self._uses) > limits.RELAY_RATES_KEPT:
            self._uses.popitem(last=False)
        await self._storage.note_use(library, now_ms=now_ms)

    async def _role(self, library: bytes, head: LibraryHead, device: bytes) -> str | None:
        """A device's role: by the index, which is made where there is none."""
        standing = await self._storage.read_standing(library, device)
        if standing.is_known:
            return standing.role
        membership = await self._known.read_membership(library, head)
        await self._storage.write_roles(library, head=membership.head, roles=_roles(membership))
        return membership.role_of(device)

    async def _read_log(self, question: ReadLog) -> LogPart | Rejected:
        library, after = question.library, question.after
        head = await self._storage.read_head(library)
        if head is None:
            return rules.reject_unknown()
        role = await self._role(library, head, question.device)
        rejected = rules.judge_reading(role, head, question)
        if rejected is not None:
            return rejected
        found = await self.read_entries(
            library, after, bytes_max=question.bytes_max, count_max=question.count_max
        )
        # Past the end there is nothing to list: the notice alone tells how long the log is.
        return LogPart(min(after, found.n), found.envelopes, found.n)

    async def _locate(self, question: LocateEnvelopes) -> LocatedEnvelopes | Rejected:
        library = question.library
        head = await self._storage.read_head(library)
        if head is None:
            return rules.reject_unknown()
        rejected = rules.judge_locating(await self._role(library, head, question.device))
        if rejected is not None:
            return rejected
        links = [(one.chain, one.seq) for one in question.places]
        places = await self._storage.find_places(library, links)
        found = {one.position: one.hash for one in places if one is not None}
        return LocatedEnvelopes(tuple(Receipt(found[at], at) for at in sorted(found)))

    async def _read_members(self, question: ReadMembers) -> MembersPart | Rejected:
        head = await self._storage.read_head(question.library)
        if head is None:
            return rules.reject_unknown()
        start = min(question.start, head.members)
        limit = min(limits.MEMBERS_BATCH_MAX, head.members - start)
        records = await self._storage.read_members(question.library, start=start, limit=limit)
        records = _fitting(records, question.bytes_max)
        return MembersPart(start, records, head.members, head.members_head)

    async def _append_member(self, question: AppendMember) -> MembersPart | Rejected:
        library, record = question.library, question.record
        head = await self._storage.read_head(library)
        if head is None:
            return rules.reject_unknown(record)
        membership = await self._known.read_membership(library, head)
        now_ms, invite = self._now_ms(), member_rules.invite_of(record)
        part = member_rules.judge_record(
            membership,
            question,
            now_ms=now_ms,
            joined_lately=self._join_rates.count(library, invite or b"", now_ms),
        )
        if isinstance(part, Rejected) or part.grown is None:
            return part
        cuts = member_rules.cuts_of(record) if question.fresh else {}
        appended = await self._storage.append_member(
            library,
            expected_head=membership.head,
            expected_chain_heads={},
            record=record,
            head=part.head,
            cuts=cuts,
            roles=_changed_roles(membership, part.grown),
        )
        if not appended:
            return member_rules.reject_cut(record) if cuts else rules.reject_moved(record)
        if invite is not None:
            self._join_rates.note(library, invite, now_ms)
        self._known.keep(library, part.grown)
        return part

    async def _replace_members(self, question: ReplaceMembers) -> MembersPart | Rejected:
        library, first = question.library, question.records[0]
        head = await self._storage.read_head(library)
        if head is None:
            return rules.reject_unknown(first)
        membership = await self._known.read_membership(library, head)
        part: MembersPart | Rejected = await self._heavy(
            member_rules.judge_replacement, membership, question
        )
        if isinstance(part, Rejected) or part.grown is None:
            return part
        replaced = await self._storage.replace_members(
            library,
            expected_head=membership.head,
            kept=question.kept,
            records=question.records,
            head=part.head,
            roles=_changed_roles(membership, part.grown),
        )
        if not replaced:
            return rules.reject_moved(first)
        self._known.keep(library, part.grown)
        return part

    async def _answer_about_blobs(self, question: BlobQuestion) -> BlobAnswer:
        head = await self._storage.read_head(question.library)
        if head is None:
            return rules.reject_unknown()
        role = await self._role(question.library, head, question.device)
        return await self._blobs.answer(question, role)

    async def _answer_about_snapshots(self, question: SnapshotQuestion) -> SnapshotAnswer:
        head = await self._storage.read_head(question.library)
        if head is None:
            return rules.reject_unknown()
        if await self._role(question.library, head, question.device) is None:
            return Rejected(Code.FORBIDDEN, b"", "only members ask for snapshots")
        return await self._snapshots.answer(question, head)

    async def _is_member(self, library: bytes, device: bytes) -> bool:
        known = self._known.get(library)
        if known is not None and _has_role(known.membership, device):
            return True  # if that is over, the commit finds it out
        head = await self._storage.read_head(library)
        if head is None:
            return True  # the commit rejects all of it, with the better reason
        return await self._role(library, head, device) is not None


def _has_role(membership: Membership, device: bytes) -> bool:
    return membership.role_of(device) is not None


def _roles(membership: Membership) -> dict[bytes, str | None]:
    return {member.device: str(member.role) for member in membership.members}


def _changed_roles(before: Membership, after: Membership) -> dict[bytes, str | None]:
    """What a record changed of the roles."""
    old, new = _roles(before), _roles(after)
    changed = {device: role for device, role in new.items() if old.get(device) != role}
    return changed | dict.fromkeys(old.keys() - new.keys())


def _fitting(records: Sequence[bytes], bytes_max: int) -> tuple[bytes, ...]:
    """As many records as one message carries, one at least."""
    size_bytes = 0
    for number, record in enumerate(records):
        size_bytes += len(record)
        if number and size_bytes > bytes_max:
            return tuple(records[:number])
    return tuple(records)
