"""The relay's rules applied to a store: answers questions, and makes the commits.

Holds no truth of its own, so that any number of processes may serve one store: what it remembers
is compared with the store on every use, and what it writes names what it was decided by. Where the
store has moved it reads and decides again. ``rules`` decides; this carries out. Used by one event
loop; knows nothing of connections or queues.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from bifolio import limits
from bifolio.crypto.membership import Membership
from bifolio.errors import MembershipError, RelayStorageError
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
    LibraryInfo,
    LogPart,
    MembersPart,
    OpenLibrary,
    Question,
    ReadLog,
    ReadMembers,
    Rejected,
    Submission,
)
from bifolio_relay.storage import Growth, LogSlice, LogStorage


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
        self._libraries_max = quotas.libraries
        self._now_ms = now_ms
        self._join_rates = JoinRates()
        self._heavy = heavy
        self._known = KnownLibraries(storage, heavy)
        self._blobs = BlobService(storage.blobs, now_ms, library_bytes_max=quotas.file_bytes)
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
            case ReadMembers():
                return await self._read_members(question)
            case AppendMember():
                return await self._append_member(question)
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

    async def commit(self, submissions: Sequence[CheckedSubmission]) -> Commit:
        """Append what may be appended, durably, in one commit.

        Raises:
            RelayStorageError: the store failed; nothing was acknowledged.
        """
        return await self._appender.commit(submissions)

    async def count_libraries(self) -> int:
        """How many libraries the store holds."""
        return await self._storage.count_libraries()

    def watch(self, library: bytes) -> AsyncGenerator[Growth, None]:
        """How far a library has come: at once, and whenever anybody has written to it.

        Raises:
            RelayStorageError: the store failed.
        """
        return self._storage.watch(library)

    async def read_entries(self, library: bytes, after: int) -> LogSlice:
        """As many entries after a position as one message holds, for those who may read them."""
        return await self._storage.read(
            library,
            after=after,
            bytes_max=limits.BATCH_BYTES_TARGET,
            count_max=limits.BATCH_ENVELOPES_MAX,
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
        membership = await self._known.read_membership(library, head)
        positions = [opening.cursor]
        if opening.attested is not None and opening.attested.epoch == head.epoch:
            positions.append(opening.attested.n)
        cursor_hash, *attested = await self._storage.read_chain_hashes(library, positions)
        return LibraryInfo(
            head,
            membership.role_of(opening.device),
            cursor_hash,
            attested[0] if attested else None,
            await self._blobs.count_drops(library),
            await self._storage.blobs.read_tally_hash(library, opening.blob_tally),
        )

    async def _create(self, question: CreateLibrary) -> LibraryInfo | Rejected:
        library = question.opening.library
        left = 1
        if await self._storage.read_head(library) is None:
            left = self._libraries_max - await self._storage.count_libraries()
        membership = rules.judge_genesis(question, libraries_left=left)
        if isinstance(membership, Rejected):
            return membership
        await self._storage.create_library(
            library,
            epoch=self._random_bytes(16),
            genesis=question.genesis,
            head=membership.head,
        )
        return await self._open(question.opening)

    async def _read_log(self, question: ReadLog) -> LogPart | Rejected:
        library, after = question.library, question.after
        head = await self._storage.read_head(library)
        if head is None:
            return rules.reject_unknown()
        membership = await self._known.read_membership(library, head)
        rejected = rules.judge_reading(membership, head, question)
        if rejected is not None:
            return rejected
        found = await self.read_entries(library, after)
        # Past the end there is nothing to list: the notice alone tells how long the log is.
        return LogPart(min(after, found.n), found.envelopes, found.n)

    async def _read_members(self, question: ReadMembers) -> MembersPart | Rejected:
        head = await self._storage.read_head(question.library)
        if head is None:
            return rules.reject_unknown()
        start = min(question.start, head.members)
        limit = min(limits.MEMBERS_BATCH_MAX, head.members - start)
        records = await self._storage.read_members(question.library, start=start, limit=limit)
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
        )
        if not appended:
            return member_rules.reject_cut(record) if cuts else rules.reject_moved(record)
        if invite is not None:
            self._join_rates.note(library, invite, now_ms)
        self._known.keep(library, part.grown)
        return part

    async def _answer_about_blobs(self, question: BlobQuestion) -> BlobAnswer:
        head = await self._storage.read_head(question.library)
        if head is None:
            return rules.reject_unknown()
        membership = await self._known.read_membership(question.library, head)
        return await self._blobs.answer(question, membership)

    async def _is_member(self, library: bytes, device: bytes) -> bool:
        known = self._known.get(library)
        if known is not None and _has_role(known.membership, device):
            return True  # if that is over, the commit finds it out
        head = await self._storage.read_head(library)
        if head is None:
            return True  # the commit rejects all of it, with the better reason
        return _has_role(await self._known.read_membership(library, head), device)


def _has_role(membership: Membership, device: bytes) -> bool:
    return membership.role_of(device) is not None
