"""The membership's part of one connection: both logs become equal, then ours is appended.

Of two membership logs one is the beginning of the other as a rule; the end that has more gives it
to the other, and a relay that lost all gets it back from the second record on. Where they went
different ways, because the relay was put back to an earlier state, all of the relay's is read, and
a rule says which one goes on; what lost is carried on top. Where ours goes on, it takes the place
of the relay's behind the fork, in one message. What this device appends of its own (a join, an
invite) is signed on top of a log that is known whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio import limits
from bifolio.errors import MembershipError
from bifolio.ids import content_hash
from bifolio.sync.store import SyncStore
from bifolio.wire.messages import Append, Members, Message, PullMembers, Welcome


class MembershipSync:
    """What to ask for, and to append, of one library's membership log."""

    def __init__(self, store: SyncStore, welcome: Welcome) -> None:
        self._store = store
        #: Without a role it speaks with a ticket's key: a member comes back as itself.
        self._came_with_ticket = welcome.role is None
        #: The relay's records; None where they are to be asked for.
        self._relay_count: int | None = welcome.members
        self._request: PullMembers | Append | None = None
        self._appends_left = limits.MEMBERSHIP_APPENDS_MAX
        #: The relay's log from its beginning, while it is read because it went another way.
        self._other: list[bytes] | None = None
        #: With how many records both logs begin where ours is to take the place of the relay's, and
        #: the head of the relay's.
        self._fork: tuple[int, bytes] | None = None
        #: The most of our records that the relay had on this connection, and of its own that were
        #: read at once: where they grow, something came of a message.
        self._held_most = 0
        self._read_most = 0
        self._check(welcome.members, welcome.members_head)

    @property
    def is_settled(self) -> bool:
        """Whether no answer is to come. After ``decide``: both logs are equal, and ours is in."""
        return self._request is None

    @property
    def has_joined(self) -> bool:
        """Whether a ticket's holder is a member now, who is to come back as a device."""
        return self.is_settled and self._came_with_ticket and self._store.is_member()

    def receive(self, message: Members) -> bool:
        """Records came, as an answer or because somebody else appended them.

        Returns:
            whether anything came of it that cannot be said again: one of us has more of the other's
            records than ever on this connection.

        Raises:
            MembershipError: a record breaks the rules, or the logs go different ways.
        """
        before = (len(self._store.members()), self._held_most, self._read_most)
        if self._other is not None:
            self._receive_other(self._other, message)
        else:
            self._receive_more(message)
        after = (len(self._store.members()), self._held_most, self._read_most)
        return any(now > then for now, then in zip(after, before, strict=True))

    def _receive_more(self, message: Members) -> None:
        """What follows our log, or is in it."""
        self._request = self._fork = None
        known = len(self._store.members())
        self._relay_count = message.total
        if message.start > known:
            return  # a gap: ``decide`` asks for what lies between
        fresh = message.records[known - message.start :]
        if fresh:
            if not self._store.continues_members(fresh[0]):
                self._other = []
                return
            self._store.learn_members(fresh)
        self._check(message.total, message.head)

    def look_again(self) -> None:
        """The relay's log is not what we took it for: it is asked for before anything else."""
        self._request = self._fork = self._other = None
        self._relay_count = None

    def decide(self) -> list[Message]:
        """What the membership logs need; nothing while an answer is to come, or none is needed.

        Raises:
            MembershipError: the two logs cannot become one.
        """
        if self._request is None:
            self._request = self._next_request()
            return [self._request] if self._request is not None else []
        return []

    def _next_request(self) -> PullMembers | Append | None:
        known = self._store.members()
        relay_count = self._relay_count
        if self._other is not None:
            return PullMembers(len(self._other))
        if self._fork is not None:
            return self._replace(known, *self._fork)
        if relay_count is None or relay_count > len(known):
            return PullMembers(len(known))
        if relay_count < len(known):
            return self._append(known[relay_count], after=known[:relay_count])
        if (record := self._store.carry_record()) is not None:
            return self._append(record, after=known, fresh=True)
        if (record := self._store.join_record()) is not None:
            return self._append(record, after=known, fresh=True)
        if self.has_joined:
            return None  # a ticket's key appends its holder's join and nothing else
        record = self._store.own_record(log_is_merged=False)
        return self._append(record, after=known, fresh=True) if record is not None else None

    def decide_after_log(self) -> list[Message]:
        """What is to be appended now that the relay's log is merged and ours is on the relay: who
        loses the right to write does so where its chains end.

        Raises:
            MembershipError: it is refused again and again.
        """
        record = self._store.own_record(log_is_merged=True)
        if record is None:
            return []
        self._request = self._append(record, after=self._store.members(), fresh=True)
        return [self._request]

    def _append(self, record: bytes, *, after: Sequence[bytes], fresh: bool = False) -> Append:
        if not after:
            raise MembershipError("the relay lost the beginning of the library's list of members")
        self._count_append()
        return Append(content_hash(after[-1]), record, fresh)

    def _replace(self, known: Sequence[bytes], shared: int, relay_head: bytes) -> Append:
        """All of ours behind the fork, in the place of what the relay has there."""
        self._count_append()
        first, *further = known[shared:]
        if sum(map(len, known[shared:])) > limits.MEMBERSHIP_REPLACED_BYTES_MAX:
            raise MembershipError(
                "the relay's list of members and this computer's differ in too many records"
            )
        return Append(relay_head, first, kept=shared, further=tuple(further))

    def _count_append(self) -> None:
        if self._appends_left == 0:
            raise MembershipError("the relay's list of members does not continue this computer's")
        self._appends_left -= 1

    def _check(self, total: int, head: bytes) -> None:
        """One log is the beginning of the other; if not, all of the relay's is asked for."""
        known = self._store.members()
        if not 0 < total <= len(known):
            return
        if content_hash(known[total - 1]) != head:
            self._other = []
        else:
            self._held_most = max(self._held_most, total)

    def _receive_other(self, other: list[bytes], message: Members) -> None:
        """A part of the relay's log, which went another way.

        Raises:
            MembershipError: a record breaks the rules, or the relay does not give its log.
        """
        if message.start != len(other):
            if message.total < len(other):
                self._other = []  # it has another one by now
                self._request = None
            return  # somebody appended meanwhile: the part that was asked for is still to come
        self._request = None
        other.extend(message.records)
        self._read_most = max(self._read_most, len(other))
        if len(other) < message.total:
            if not message.records or len(other) > limits.RELAY_MEMBERSHIP_RECORDS_MAX:
                raise MembershipError("the relay does not give its list of members")
            return
        self._other = None
        if content_hash(other[-1]) != message.head:
            self._other = []  # another one took its place while it was read
            return
        shared = self._store.meet_members(other)
        self._relay_count = message.total
        self._fork = None if shared is None else (shared, message.head)
