"""Who may be connected: caps for each address, device and library, and who goes for whom.

Nobody is kept out by those who have proved nothing: where there is no place left, the stranger that
has been here longest loses its own. Bookkeeping only: a connection is anything that can be cut off.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Protocol

from bifolio import limits
from bifolio_relay.config import Network
from bifolio_relay.rates import Buckets, TokenBucket

#: The address of whoever comes from this computer: a proxy, or its own user.
OWN_COMPUTER = b"own computer"


class Connected(Hashable, Protocol):
    """A connection, as far as it matters here."""

    def cut_off(self) -> None:
        """End it without a word."""
        ...


class Admission:
    """The connections of one relay.

    Arguments:
        connections_max: how many there may be.
        clock_s: a monotonic clock.
    """

    def __init__(self, connections_max: int, clock_s: Callable[[], float]) -> None:
        self._connections_max = connections_max
        self._strangers_max = min(limits.RELAY_STRANGERS_MAX, max(connections_max // 2, 1))
        self._library_max = max(connections_max // limits.RELAY_LIBRARY_CONNECTIONS_PART, 1)
        self._clock_s = clock_s
        self._addresses: dict[Connected, bytes] = {}
        self._strangers: OrderedDict[Connected, None] = OrderedDict()
        #: Connections in the order of their coming: of an address, its strangers, of a device at
        #: its library, of a library, and its strangers.
        self._groups: dict[tuple[str, bytes], OrderedDict[Connected, None]] = {}
        self._memberships: dict[Connected, list[tuple[str, bytes]]] = {}
        self._openings = Buckets(
            limits.RELAY_ADDRESS_OPENINGS_PER_S,
            limits.RELAY_ADDRESS_OPENINGS_AT_ONCE,
            kept=limits.RELAY_RATES_KEPT,
        )
        self._creations = Buckets(
            limits.RELAY_ADDRESS_CREATIONS_PER_S,
            limits.RELAY_ADDRESS_CREATIONS_AT_ONCE,
            kept=limits.RELAY_RATES_KEPT,
        )
        self._all_creations = TokenBucket(
            limits.RELAY_CREATIONS_PER_S, limits.RELAY_CREATIONS_AT_ONCE
        )

    def __len__(self) -> int:
        return len(self._addresses)

    @property
    def strangers(self) -> int:
        """Connections that have not proved to be a member's."""
        return len(self._strangers)

    def connect(self, connection: Connected, address: bytes) -> bool:
        """A connection was made from an address; whether it may stay."""
        if not self._may_open(address):
            return False
        self._addresses[connection] = address
        self._memberships[connection] = []
        self._strangers[connection] = None
        if not self._count_address(connection, address):
            self.leave(connection)
            return False
        if len(self._strangers) > self._strangers_max:
            self._cut_oldest(self._strangers)
        if len(self._addresses) > self._connections_max:
            return self._make_room(connection)
        return True

    def readdress(self, connection: Connected, address: bytes) -> bool:
        """It comes through a proxy from this address; whether it may stay."""
        if connection not in self._addresses or not self._may_open(address):
            return False
        self._addresses[connection] = address
        return self._count_address(connection, address)

    def address_of(self, connection: Connected) -> bytes:
        """Where it comes from."""
        return self._addresses.get(connection, b"")

    def greet(self, connection: Connected, library: bytes) -> None:
        """It asks for a library, and has proved no more than that it has a key."""
        if connection in self._strangers:
            group = self._join(connection, "strangers at", library)
            if len(group) > limits.RELAY_LIBRARY_STRANGERS_MAX:
                self._cut_oldest(group)

    def prove(self, connection: Connected, library: bytes, device: bytes) -> bool:
        """It is a member's; whether it may stay."""
        if connection not in self._strangers:
            return connection in self._addresses
        del self._strangers[connection]
        for group in ("strangers of", "strangers at"):
            self._quit(connection, group)
        devices = self._join(connection, "device", library + device)
        if len(devices) > limits.RELAY_DEVICE_CONNECTIONS_MAX:
            self._cut_oldest(devices)
        return len(self._join(connection, "library", library)) <= self._library_max

    def leave(self, connection: Connected) -> None:
        """It has ended."""
        self._addresses.pop(connection, None)
        self._strangers.pop(connection, None)
        for key in self._memberships.pop(connection, ()):
            self._drop(key, connection)

    def may_create(self, connection: Connected) -> bool:
        """Whether one more library may come from its address without a token."""
        address = self.address_of(connection)
        return address == OWN_COMPUTER or self._creations.of(address).try_take(self._clock_s())

    def creation_wait_s(self) -> float:
        """How long a creation without a token waits for its turn; 0 where it may be made now."""
        now_s = self._clock_s()
        return 0.0 if self._all_creations.try_take(now_s) else self._all_creations.wait_s(now_s)

    def _may_open(self, address: bytes) -> bool:
        return address == OWN_COMPUTER or self._openings.of(address).try_take(self._clock_s())

    def _count_address(self, connection: Connected, address: bytes) -> bool:
        if address == OWN_COMPUTER:
            return True
        everybody = self._join(connection, "address", address)
        if len(everybody) > limits.RELAY_ADDRESS_CONNECTIONS_MAX:
            return False
        strangers = self._join(connection, "strangers of", address)
        if len(strangers) > limits.RELAY_ADDRESS_STRANGERS_MAX:
            self._cut_oldest(strangers)
        return True

    def _make_room(self, newcomer: Connected) -> bool:
        """Have somebody go: a stranger, or one of the library with the most connections."""
        if next(iter(self._strangers)) is not newcomer:
            self._cut_oldest(self._strangers)
            return True
        libraries = (group for (kind, _), group in self._groups.items() if kind == "library")
        largest = max(libraries, key=len, default=None)
        if largest is None or len(largest) * 2 <= max(self._library_max, 2):
            self.leave(newcomer)
            return False
        self._cut_oldest(largest)
        return True

    def _cut_oldest(self, group: OrderedDict[Connected, None]) -> None:
        oldest = next(iter(group))
        self.leave(oldest)
        oldest.cut_off()

    def _join(self, connection: Connected, kind: str, name: bytes) -> OrderedDict[Connected, None]:
        group = self._groups.setdefault((kind, name), OrderedDict())
        group[connection] = None
        self._memberships[connection].append((kind, name))
        return group

    def _quit(self, connection: Connected, kind: str) -> None:
        left = [key for key in self._memberships[connection] if key[0] == kind]
        for key in left:
            self._memberships[connection].remove(key)
            self._drop(key, connection)

    def _drop(self, key: tuple[str, bytes], connection: Connected) -> None:
        group = self._groups.get(key)
        if group is not None:
            group.pop(connection, None)
            if not group:
                del self._groups[key]


def address_of(host: str) -> bytes:
    """What connections are counted by: an IPv4 address, an IPv6 network of 64 bits.

    Whatever is no address, and an address of this computer, is ``OWN_COMPUTER``.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return OWN_COMPUTER
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return OWN_COMPUTER
    return address.packed[:8] if address.version == 6 else address.packed


def forwarded_address(host: str, header: str, proxies: Network) -> str | None:
    """The address that a trusted proxy says it speaks for; None where ``host`` is not trusted.

    The last one in the header: those before it are whatever the proxy was told.
    """
    try:
        if ipaddress.ip_address(host.partition("%")[0]) not in proxies:
            return None
    except ValueError:
        return None
    return header.rpartition(",")[2].strip() or None
