"""Envelopes on their way to the relay: sealed when they are offered, a few megabytes at a time."""

from __future__ import annotations

from collections.abc import Iterator

from bifolio import limits
from bifolio.errors import Next, NextStep, RelayConductError
from bifolio.sync.counts import Counts
from bifolio.sync.line import Line
from bifolio.sync.store import OutgoingEnvelope, SyncStore
from bifolio.wire.messages import Ack, Code, Message, Nack, Push, Receipt


class Offers:
    """What is offered of the changes that the relay lacks, in causal order."""

    def __init__(self, store: SyncStore, counts: Counts, line: Line) -> None:
        self._store = store
        self._line = line
        self._counts = counts
        self._in_flight: dict[bytes, OutgoingEnvelope] = {}
        self._in_flight_bytes = 0
        self._offered_through = 0
        #: Whether changes may wait that are not sealed yet.
        self._may_seal = True
        #: Envelopes that this relay will not have.
        self._left_out: set[bytes] = set()
        #: What was under way when a chain was sealed again, to which answers may still come; and
        #: the chains in which another's change was left out, because its author has no right to it.
        self._withdrawn: set[bytes] = set()
        self._broken_chains: set[bytes] = set()
        self._restarts_left = limits.CHAIN_RESTARTS_MAX
        self._has_left_to_snapshot = False

    @property
    def is_settled(self) -> bool:
        """Whether the relay has all that it will have of us."""
        return not self._in_flight and not self._may_seal

    @property
    def changes_in_flight(self) -> int:
        """How many changes are pushed and not answered."""
        return sum(one.changes for one in self._in_flight.values())

    def take_left_to_snapshot(self) -> bool:
        """Whether something counts as arrived only once the relay's snapshots were compared with
        what is here; said once."""
        left, self._has_left_to_snapshot = self._has_left_to_snapshot, False
        return left

    def look_again(self) -> None:
        """There may be changes that are not sealed yet."""
        self._may_seal = True

    def acknowledge(self, message: Ack) -> Iterator[Receipt]:
        """The receipts that answer something of ours."""
        for receipt in message.positions:
            offered = self._in_flight.get(receipt.hash)
            if offered is not None:
                self._land(offered)
                self._line.note_moved(len(offered.envelope))
                self._line.note_news(offered.hash, len(offered.envelope))
                self._counts.pushed += offered.changes
                yield receipt

    def refuse(self, message: Nack) -> bool:
        """The relay refused something; False if it is not one envelope, or one chain.

        Raises:
            RelayConductError: it refuses again and again to continue this computer's changes.
        """
        offered = self._in_flight.get(message.subject)
        match message.code:
            case Code.FORK:
                if offered is not None:  # or its chain was restarted for an envelope before it
                    if not self._store.may_move(offered.hash):
                        self._leave_to_others(offered)
                        return True
                    self._count_restart()
                    if not self._store.restart_chain(offered.hash, message.proof):
                        raise RelayConductError(
                            "it says that an author made two changes for one place, and does not "
                            "show the other one"
                        )
                    self._begin_again()
                return True
            case Code.GAP:
                if offered is not None:
                    self._close_gap(offered, message)
                return True
            case Code.NEED_SNAPSHOT if message.subject:
                if offered is not None:
                    self._leave_to_snapshot(offered, message)
                return True
            case Code.TOO_BIG | Code.INVALID if offered is not None:
                self._leave_out(offered, message.detail)
                return True
            case Code.FORBIDDEN if offered is not None and not offered.changes:
                # Kept here for a newer program, and not its author's right by the relay's: so it
                # is nothing of this computer's that was refused.
                self._left_out.add(offered.hash)
                self._land(offered)
                return True
            case Code.FORBIDDEN if offered is not None:
                return self._without_right(offered)
            case Code.FORBIDDEN:
                return message.subject in self._withdrawn | self._left_out
        return False

    def forget(self) -> None:
        """What is under way is offered again, from the first on."""
        self._in_flight.clear()
        self._in_flight_bytes = 0
        self._offered_through = 0

    def decide(self) -> list[Message]:
        """Seal what waits, and push as much as may be under way at once."""
        if self._may_seal and not self._in_flight:
            self._store.settle_join_offers()
            self._store.seal()
            self._may_seal = False
            self._offered_through = 0
        messages: list[Message] = []
        window = min(self._line.window_bytes, limits.PUSH_IN_FLIGHT_BYTES_MAX)
        while self._in_flight_bytes < window:
            batch = self._next_batch()
            if not batch:
                break
            for offered in batch:
                self._in_flight[offered.hash] = offered
                self._in_flight_bytes += len(offered.envelope)
            messages.append(Push(tuple(offered.envelope for offered in batch)))
        return messages

    def _next_batch(self) -> list[OutgoingEnvelope]:
        while True:
            lacking = self._store.next_outgoing(
                after=self._offered_through, bytes_max=self._line.message_bytes
            )[: limits.BATCH_ENVELOPES_MAX]
            batch = [
                one
                for one in lacking
                if one.hash not in self._in_flight and one.hash not in self._left_out
            ]
            if lacking:
                self._offered_through = lacking[-1].number
            if batch or not lacking:
                return batch

    def _leave_to_snapshot(self, offered: OutgoingEnvelope, message: Nack) -> None:
        """A snapshot on the relay covers an envelope, or another one in its place.

        Where the chain ends with what nobody here knows, its author goes on in another one; of
        another's chain only comparing with that snapshot tells.
        """
        is_covered = self._store.is_in_chain(offered.hash, seq=message.seq, head=message.head)
        if is_covered is None and self._store.restart_own_chain(offered.hash):
            self._count_restart()
            self._begin_again()
        elif is_covered is None or is_covered or not self._store.may_move(offered.hash):
            self._has_left_to_snapshot = True
            self._left_out.add(offered.hash)
            self._land(offered)
        else:
            self._count_restart()
            self._store.move_chain(offered.hash)
            self._begin_again()

    def _without_right(self, offered: OutgoingEnvelope) -> bool:
        """Its author had no right to it by our list too, as where a ticket let in more than it may
        at two relays: that says nothing of this computer's right. Our own is sealed again under
        the right that we have now; another's is for its author to seal again."""
        if self._store.seal_without_right_again(offered.hash):
            self._count_restart()
            self._withdrawn |= self._in_flight.keys()
            self._begin_again()
            return True
        if not self._store.lacks_right(offered.hash):
            return False
        self._broken_chains.add(offered.chain)
        self._left_out.add(offered.hash)
        self._land(offered)
        if not self._store.is_replaced(offered.hash):
            self._store.note(
                "A change of a computer that is no member any more is not sent on: it is kept here "
                "until that computer has joined again and syncs.",
                NextStep(Next.INVITE_AGAIN),
            )
        return True

    def _close_gap(self, offered: OutgoingEnvelope, message: Nack) -> None:
        """The relay lacks what is before an envelope in its chain. Where that is here it goes
        first; otherwise our own is sealed again, and another's is carried whole: who has what is
        before it needs nothing else, and who has not gets it with a snapshot."""
        if offered.chain in self._broken_chains:
            self._left_out.add(offered.hash)
            self._land(offered)
            return
        self._count_restart()
        if self._store.note_gap(offered.hash):
            self._has_left_to_snapshot = True
        if self._store.continue_chain(offered.hash, seq=message.seq, head=message.head):
            self._begin_again()
        else:
            self._leave_to_others(offered)

    def _leave_to_others(self, offered: OutgoingEnvelope) -> None:
        """Another's envelope has no place in its chain on the relay, and this device may not write:
        who has it and may brings it there."""
        self._broken_chains.add(offered.chain)
        self._left_out.add(offered.hash)
        self._land(offered)
        self._store.note(
            "The relay lacks changes of another computer that are here, and does not take them "
            "from a computer that only reads. One that has them and may write sends them on.",
            NextStep(Next.WAIT),
        )

    def _count_restart(self) -> None:
        if self._restarts_left == 0:
            raise RelayConductError("it refuses again and again to continue a chain of changes")
        self._restarts_left -= 1

    def _begin_again(self) -> None:
        self.forget()
        self._may_seal = True

    def _leave_out(self, offered: OutgoingEnvelope, detail: str) -> None:
        self._left_out.add(offered.hash)
        self._land(offered)
        is_large = len(offered.envelope) > limits.ENVELOPE_TARGET_BYTES
        self._store.note(
            f"The relay refused a change of {len(offered.envelope):,} bytes: {detail}. It is kept "
            "on this computer.",
            NextStep(Next.SHORTEN_TEXT if is_large else Next.TELL_RELAY_OPERATOR),
        )

    def _land(self, offered: OutgoingEnvelope) -> None:
        """It is answered."""
        del self._in_flight[offered.hash]
        self._in_flight_bytes -= len(offered.envelope)
