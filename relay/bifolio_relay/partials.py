"""Messages whose fragments have not all come: kept from connection to connection of a device.

A line that is cut every hundred kilobytes carries a message of twenty megabytes only where each
connection goes on at the byte at which the last one ended. Bounded for each device, each library
and in all; what does not fit any more is begun again by its sender. In memory: a relay that starts
again has none, which costs its clients a part of one message each.
"""

from __future__ import annotations

from collections import OrderedDict

from bifolio import limits
from bifolio.wire.fragments import Unfinished
from bifolio.wire.messages import Fragment, Partial

_Key = tuple[bytes, bytes, bytes]


class Partials:
    """The unfinished messages of all devices, by library, device and the message's hash."""

    def __init__(self) -> None:
        #: The one that grew last is the last one.
        self._unfinished: OrderedDict[_Key, Unfinished] = OrderedDict()
        self._bytes: dict[bytes, int] = {}

    @property
    def held_bytes(self) -> int:
        """What is held of all of them."""
        return sum(self._bytes.values())

    def of_device(self, library: bytes, device: bytes) -> tuple[Partial, ...]:
        """What is held of a device's messages."""
        return tuple(
            one.partial for key, one in self._unfinished.items() if key[:2] == (library, device)
        )

    def add(self, library: bytes, device: bytes, fragment: Fragment) -> bytes | None:
        """Keep a part of a message; the whole message with its last part.

        Raises:
            ProtocolError: the part before it is not here, or they are not what they say they are.
        """
        key = (library, device, fragment.message)
        unfinished = self._unfinished.get(key)
        if unfinished is None:
            unfinished = Unfinished(fragment.message, fragment.size_bytes)
        else:
            self._remove(key)
        whole = unfinished.add(fragment)
        if whole is None:
            self._keep(key, unfinished)
        return whole

    def _keep(self, key: _Key, unfinished: Unfinished) -> None:
        library, device, _ = key
        own = [one for one in self._unfinished if one[:2] == (library, device)]
        for one in own[: max(0, len(own) + 1 - limits.PARTIALS_OF_DEVICE_MAX)]:
            self._remove(one)
        size_bytes = _cost(unfinished)
        while self._bytes.get(
            library, 0
        ) + size_bytes > limits.RELAY_LIBRARY_PARTIALS_BYTES_MAX and self._remove_oldest(library):
            pass
        while self.held_bytes + size_bytes > limits.RELAY_PARTIALS_BYTES_MAX:
            # Of the library that holds most: a crowd at one takes nothing from the others.
            if not self._remove_oldest(max(self._bytes, key=lambda one: self._bytes[one])):
                break
        self._unfinished[key] = unfinished
        self._bytes[library] = self._bytes.get(library, 0) + size_bytes

    def _remove_oldest(self, library: bytes) -> bool:
        oldest = next((key for key in self._unfinished if key[0] == library), None)
        if oldest is not None:
            self._remove(oldest)
        return oldest is not None

    def _remove(self, key: _Key) -> None:
        library = key[0]
        left = self._bytes[library] - _cost(self._unfinished.pop(key))
        if left:
            self._bytes[library] = left
        else:
            del self._bytes[library]


def _cost(unfinished: Unfinished) -> int:
    return unfinished.held_bytes + limits.RELAY_FRAME_BYTES
