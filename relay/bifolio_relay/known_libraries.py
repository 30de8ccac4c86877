"""What a relay process remembers of libraries, so that it need not read it again: hints, not truth.

Other processes may write to the same store at any time. So a membership is used only for the head
that the store has, and chain heads only for a write that names them, which the store compares.
Bounded: an idle library costs nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bifolio import limits
from bifolio.crypto.membership import Membership
from bifolio.errors import MembershipError
from bifolio_relay.quotas import log_cost
from bifolio_relay.storage import ChainHead, LibraryHead, LogStorage

#: How work that takes a processor's time is run: a function and its arguments.
Heavy = Callable[..., Awaitable[Any]]

#: A membership grows record by record up to so many; each copies what is there.
_APPENDED_SINGLY_MAX = 16


@dataclass(slots=True)
class KnownLibrary:
    """A membership, and what the logs cost and some of its chains' heads as they were last seen."""

    membership: Membership
    size_bytes: int = 0
    chains: dict[bytes, ChainHead | None] = field(default_factory=dict)

    def has(self, chains: Iterable[bytes]) -> bool:
        """Whether the ends of all these chains are known."""
        return all(chain in self.chains for chain in chains)


class KnownLibraries:
    """The libraries that were used last."""

    def __init__(self, storage: LogStorage, heavy: Heavy) -> None:
        self._storage = storage
        self._heavy = heavy
        self._known: OrderedDict[bytes, KnownLibrary] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, library: bytes) -> KnownLibrary | None:
        """What is remembered of a library; it may have changed."""
        known = self._known.get(library)
        if known is not None:
            self._known.move_to_end(library)
        return known

    async def read(self, library: bytes, chains: Sequence[bytes]) -> KnownLibrary | None:
        """What the store has now, with the ends of these chains; None if it is not held.

        Raises:
            RelayStorageError: the store failed.
            MembershipError: the membership log in the store is damaged.
        """
        heads = await self._storage.read_heads(library, chains)
        if heads is None:
            self._known.pop(library, None)
            return None
        membership = await self.read_membership(library, heads.library)
        known = self.keep(library, membership)
        self.note(library, heads.library, heads.chains)
        return known

    async def read_membership(self, library: bytes, head: LibraryHead) -> Membership:
        """The membership at this head: the one remembered, if it is that one.

        Raises:
            RelayStorageError: the store failed.
            MembershipError: the membership log in the store is damaged.
        """
        known = self.get(library)
        if known is not None and known.membership.head == head.members_head:
            return known.membership
        membership = None if known is None else await self._extend(known.membership, library, head)
        if membership is None:
            records = await self._storage.read_members(library, start=0, limit=head.members)
            membership = await self._heavy(Membership.from_records, records)
        self.keep(library, membership)
        return membership

    def keep(self, library: bytes, membership: Membership) -> KnownLibrary:
        """Remember a membership."""
        known = self._known.get(library)
        if known is None:
            known = self._known[library] = KnownLibrary(membership)
        known.membership = membership
        self._known.move_to_end(library)
        self._make_room()
        return known

    def note(
        self, library: bytes, head: LibraryHead, chains: Mapping[bytes, ChainHead | None]
    ) -> None:
        """Remember how large a known library is and where chains of it end."""
        known = self._known.get(library)
        if known is None:
            return
        if not known.has(chains):
            kept = sum(len(other.chains) for other in self._known.values())
            if kept + len(chains) > limits.RELAY_CHAIN_HEADS_CACHED_MAX:
                for other in self._known.values():
                    other.chains.clear()
        known.chains.update(chains)
        known.size_bytes = log_cost(
            entries=head.n,
            size_bytes=head.size_bytes,
            records=head.members,
            records_bytes=head.members_bytes,
        )

    def doubt_chains(self, library: bytes) -> None:
        """Others write to this library: where its chains end must be read."""
        known = self._known.get(library)
        if known is not None:
            known.chains.clear()

    def libraries(self) -> tuple[bytes, ...]:
        """The libraries of which something is remembered."""
        return tuple(self._known)

    def forget(self, libraries: Iterable[bytes]) -> None:
        """Remember nothing of these."""
        for library in libraries:
            self._known.pop(library, None)

    async def _extend(
        self, membership: Membership, library: bytes, head: LibraryHead
    ) -> Membership | None:
        """A membership with what others appended since; None if that does not lead to the head."""
        start = len(membership.records)
        if not 0 < head.members - start <= _APPENDED_SINGLY_MAX:
            return None
        records = await self._storage.read_members(library, start=start, limit=head.members - start)
        try:
            membership = await self._heavy(_append_all, membership, records)
        except MembershipError:
            return None
        return membership if membership.head == head.members_head else None

    def _make_room(self) -> None:
        records = sum(len(known.membership.records) for known in self._known.values())
        size_bytes = sum(known.membership.size_bytes for known in self._known.values())
        while len(self._known) > 1 and (
            len(self._known) > limits.RELAY_MEMBERSHIPS_CACHED_MAX
            or records > limits.RELAY_MEMBERSHIP_RECORDS_CACHED_MAX
            or size_bytes > limits.RELAY_MEMBERSHIP_BYTES_CACHED_MAX
        ):
            _, dropped = self._known.popitem(last=False)
            records -= len(dropped.membership.records)
            size_bytes -= dropped.membership.size_bytes


def _append_all(membership: Membership, records: Sequence[bytes]) -> Membership:
    for record in records:
        membership = membership.append(record)
    return membership
