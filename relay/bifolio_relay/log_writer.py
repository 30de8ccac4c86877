"""One shared commit: the envelopes of any number of submissions, judged and appended together.

Judged by what is remembered, which costs no look at the store; the store compares it when it
appends. What would be rejected is judged once more by what the store has, because a rejection is
final for its sender. Where others wrote to the same chains meanwhile, what was not kept is judged
again. ``rules`` decides; this carries out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bifolio import limits
from bifolio.crypto.envelope import Envelope
from bifolio.errors import EnvelopeError, MembershipError, RelayStorageError
from bifolio.wire.messages import Code
from bifolio_relay import rules
from bifolio_relay.known_libraries import KnownLibraries, KnownLibrary
from bifolio_relay.requests import (
    Appended,
    CheckedSubmission,
    Commit,
    Outcome,
    Rejected,
    Unavailable,
)
from bifolio_relay.rules import Again, Carried, Decision, Earlier, Next
from bifolio_relay.storage import Batch, BatchResult, ChainHead, LogStorage, Place, Stop

#: Which submission of a commit, and which envelope of it.
_Slot = tuple[int, int]


@dataclass(slots=True)
class _Pushed(Carried):
    """An envelope that waits for its outcome. There are thousands a second: one object each."""

    slot: _Slot

    @property
    def chain(self) -> bytes:
        return self.envelope.header.author_chain


@dataclass(frozen=True, slots=True)
class _Judged:
    """A library's envelopes, what is to become of each, and what that was decided by.

    ``places`` has what the log holds where a decision is ``Earlier``.
    """

    library: bytes
    pushed: tuple[_Pushed, ...]
    decisions: tuple[Decision, ...]
    places: Mapping[_Slot, Place | None]
    members_head: bytes
    heads: Mapping[bytes, ChainHead | None]

    def batch(self) -> Batch:
        """What is to be appended."""
        pairs = zip(self.pushed, self.decisions, strict=True)
        envelopes = tuple(one.envelope for one, decision in pairs if isinstance(decision, Next))
        return Batch(self.library, self.members_head, self.heads, envelopes)


_Waiting = dict[bytes, tuple[_Pushed, ...]]
_Outcomes = dict[_Slot, Outcome]


class Appender:
    """Makes commits, one after the other."""

    def __init__(
        self, storage: LogStorage, known: KnownLibraries, *, library_bytes_max: int
    ) -> None:
        self._storage = storage
        self._known = known
        self._library_bytes_max = library_bytes_max

    async def commit(self, submissions: Sequence[CheckedSubmission]) -> Commit:
        """Append what may be appended, durably; in one commit of the store if nobody else writes.

        Raises:
            RelayStorageError: the store failed. What it kept all the same is told when it is
                pushed again.
        """
        waiting = _by_library(submissions)
        outcomes: _Outcomes = {}
        for _ in range(limits.RELAY_DECIDED_AGAIN_MAX):
            if not waiting:
                break
            try:
                waiting = await self._append(waiting, outcomes)
            except RelayStorageError:
                self._known.forget(waiting)
                raise
        for left in waiting.values():
            _give_up(left, "other relay processes write to the same library", outcomes)
        await self._prove_forks(submissions, outcomes)
        return _report(submissions, outcomes)

    async def _prove_forks(
        self, submissions: Sequence[CheckedSubmission], outcomes: _Outcomes
    ) -> None:
        """Show with each fork what its author signed of the other one: nobody believes a relay.

        Where that has gone under a snapshot, the refusal says so instead.
        """
        for (row, column), outcome in tuple(outcomes.items()):
            if not isinstance(outcome, Rejected) or outcome.code is not Code.FORK:
                continue
            library = submissions[row].submission.library
            envelope = submissions[row].envelopes[column]
            assert isinstance(envelope, Envelope)
            link = (envelope.header.author_chain, rules.competing_seq(envelope, outcome))
            (place,) = await self._storage.find_places(library, (link,))
            competing: Sequence[bytes] = ()
            if place is not None:
                entry = await self._storage.read(
                    library, after=place.position - 1, bytes_max=0, count_max=1
                )
                competing = entry.envelopes
            try:
                outcomes[row, column] = rules.prove_fork(outcome, competing)
            except EnvelopeError as error:
                outcomes[row, column] = Unavailable(envelope.hash, error.reason)

    async def _append(self, waiting: _Waiting, outcomes: _Outcomes) -> _Waiting:
        """Judge and append; what is to be judged again, because others were faster."""
        judged = [
            one
            for library, pushed in waiting.items()
            if (one := await self._judge(library, pushed, outcomes)) is not None
        ]
        batches = [one.batch() for one in judged]
        written = [batch for batch in batches if batch.envelopes]
        results = iter(await self._storage.append(written) if written else ())
        left: _Waiting = {}
        for one, batch in zip(judged, batches, strict=True):
            result = next(results) if batch.envelopes else None
            again = self._settle(one, result, outcomes)
            if again:
                left[one.library] = again
        return left

    async def _judge(
        self, library: bytes, pushed: tuple[_Pushed, ...], outcomes: _Outcomes
    ) -> _Judged | None:
        """What is to become of a library's envelopes; None where it is settled at once."""
        chains = tuple({one.chain for one in pushed})
        try:
            known = self._known.get(library)
            is_fresh = known is None or not known.has(chains)
            if is_fresh:
                known = await self._known.read(library, chains)
            decisions, heads = self._decide(known, pushed), _heads_of(known, chains)
            places = await self._find_places(library, pushed, decisions)
            # What is remembered may be of a library that was removed, or of others' envelopes.
            doubtful = None in places.values() or any(isinstance(d, Rejected) for d in decisions)
            if not is_fresh and doubtful:
                known = await self._known.read(library, chains)
                decisions, heads = self._decide(known, pushed), _heads_of(known, chains)
                places = await self._find_places(library, pushed, decisions)
        except MembershipError as error:
            _give_up(pushed, error.reason, outcomes)
            return None
        if known is None:
            outcomes |= {one.slot: rules.reject_unknown(one.envelope) for one in pushed}
            return None
        head = known.membership.head
        return _Judged(library, pushed, decisions, places, head, heads)

    def _decide(
        self, known: KnownLibrary | None, pushed: tuple[_Pushed, ...]
    ) -> tuple[Decision, ...]:
        if known is None:
            return ()
        decisions = rules.judge_envelopes(
            pushed,
            membership=known.membership,
            heads=known.chains,
            room_bytes=self._library_bytes_max - known.size_bytes,
        )
        return tuple(decisions)

    async def _find_places(
        self, library: bytes, pushed: Sequence[_Pushed], decisions: Sequence[Decision]
    ) -> dict[_Slot, Place | None]:
        """What the log holds where a decision is ``Earlier``."""
        earlier = [
            one
            for one, decision in zip(pushed, decisions, strict=False)
            if isinstance(decision, Earlier)
        ]
        if not earlier:
            return {}
        links = [(one.chain, one.envelope.header.seq) for one in earlier]
        places = await self._storage.find_places(library, links)
        return {one.slot: place for one, place in zip(earlier, places, strict=True)}

    def _settle(
        self, judged: _Judged, result: BatchResult | None, outcomes: _Outcomes
    ) -> tuple[_Pushed, ...]:
        """Note what became of a library's envelopes; those that must be judged again."""
        if result is not None and result.stop is Stop.FAILED:
            _give_up(judged.pushed, result.reason, outcomes)
            return ()
        positions = iter(() if result is None else result.positions)
        heads = dict(judged.heads)
        left: tuple[_Pushed, ...] = ()
        for number, (one, decision) in enumerate(zip(judged.pushed, judged.decisions, strict=True)):
            if isinstance(decision, Rejected):
                outcomes[one.slot] = decision
            elif isinstance(decision, Next):
                position = next(positions, None)
                if position is None:
                    left = judged.pushed[number:]
                    break
                outcomes[one.slot] = Appended(one.envelope.hash, position, fresh=True)
                heads[one.chain] = rules.head_after(one.envelope)
            elif isinstance(decision, Again):
                twin = outcomes[judged.pushed[decision.number].slot]
                assert isinstance(twin, Appended)
                outcomes[one.slot] = Appended(twin.hash, twin.position, fresh=False)
            else:
                place = judged.places[one.slot]
                outcomes[one.slot] = rules.judge_earlier(one.envelope, place, heads[one.chain])
        if result is not None and result.head is not None:
            self._known.note(judged.library, result.head, heads)
        if left:
            self._known.doubt_chains(judged.library)
        return left


def _heads_of(known: KnownLibrary | None, chains: Sequence[bytes]) -> dict[bytes, ChainHead | None]:
    """What a decision is made by: what is remembered may change while the store is asked."""
    return {chain: known.chains[chain] for chain in chains} if known is not None else {}


def _by_library(submissions: Sequence[CheckedSubmission]) -> _Waiting:
    found: dict[bytes, list[_Pushed]] = {}
    for row, checked in enumerate(submissions):
        submission = checked.submission
        for column, envelope in enumerate(checked.envelopes):
            if isinstance(envelope, Envelope):
                one = _Pushed(envelope, submission.device, (row, column))
                found.setdefault(submission.library, []).append(one)
    return {library: tuple(pushed) for library, pushed in found.items()}


def _give_up(pushed: Sequence[_Pushed], reason: str, outcomes: _Outcomes) -> None:
    for one in pushed:
        outcomes[one.slot] = Unavailable(one.envelope.hash, reason)


def _report(submissions: Sequence[CheckedSubmission], outcomes: _Outcomes) -> Commit:
    rows: list[tuple[Outcome, ...]] = []
    appended: dict[bytes, dict[int, bytes]] = {}
    for row, checked in enumerate(submissions):
        told: list[Outcome] = []
        for column, envelope in enumerate(checked.envelopes):
            if not isinstance(envelope, Envelope):
                told.append(envelope)
                continue
            outcome = outcomes[row, column]
            told.append(outcome)
            if isinstance(outcome, Appended) and outcome.fresh:
                entries = appended.setdefault(checked.submission.library, {})
                entries[outcome.position] = envelope.raw
        rows.append(tuple(told))
    return Commit(tuple(rows), appended)
