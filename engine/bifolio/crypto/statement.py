"""Statements: how far a replica is in a relay's log, signed by its device (DESIGN §6).

"This replica has merged the entries 1 to n of this log, and all that it wrote before that is
acknowledged." The relay stores the newest of each replica and passes it on; nobody believes one
that a member did not sign. May import only ``errors``, ``ids`` and ``limits``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bifolio import limits
from bifolio.crypto.encoding import HASH_BYTES, pack, unpack, unpack_leading
from bifolio.crypto.keys import DeviceKeys, signed_message, verify
from bifolio.errors import EnvelopeError

_VERSION = 1
_ID_BYTES = 16
_KEY_BYTES = 32
_NUMBER_MAX = 2**53 - 1

_SIGNED_TYPES = (bytes, bytes)
_STATEMENT_TYPES = (int, bytes, bytes, bytes, bytes, int, bytes, int)
_VERDICT_TYPES = (int, bytes, bytes, bytes, int, int)


@dataclass(frozen=True, slots=True)
class Statement:
    """Where one replica stands.

    Arguments:
        library: its id, 16 bytes.
        device: the signing key that says so, 32 bytes.
        replica: which replica of that device, 16 bytes.
        epoch: names the relay's log, 16 bytes.
        n: the position; all entries up to it are merged.
        chain_hash: the log's chain of hashes there, 32 bytes.
        said_ms: when, by the clock of the device; of two, the later one holds.
    """

    library: bytes
    device: bytes
    replica: bytes
    epoch: bytes
    n: int
    chain_hash: bytes
    said_ms: int

    def sign(self, keys: DeviceKeys) -> bytes:
        """The statement as it travels."""
        body = pack(
            (
                _VERSION,
                self.library,
                self.device,
                self.replica,
                self.epoch,
                self.n,
                self.chain_hash,
                self.said_ms,
            )
        )
        return pack((body, keys.sign(signed_message("statement 1", body))))

    @classmethod
    def parse(cls, raw: bytes) -> Statement:
        """What ``sign`` made; whether its device is a member is the caller's to ask.

        Raises:
            EnvelopeError: damaged, or not signed by the device that it names.
        """
        values = _read_signed(raw, "statement 1", _STATEMENT_TYPES, device_at=2)
        said = cls(*values[1:])
        lengths_right = (
            len(said.library) == _ID_BYTES
            and len(said.replica) == _ID_BYTES
            and len(said.epoch) == _ID_BYTES
            and len(said.chain_hash) == HASH_BYTES
        )
        if not lengths_right or not _are_numbers(said.n, said.said_ms):
            raise EnvelopeError("a value in a statement is out of its range")
        return said


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a device found when it compared a snapshot with the changes that it holds.

    Arguments:
        library: its id, 16 bytes.
        device: the signing key that says so, 32 bytes.
        snapshot: the snapshot's id, 32 bytes.
        is_right: whether the snapshot is what the changes give.
        said_ms: when, by the clock of the device.
    """

    library: bytes
    device: bytes
    snapshot: bytes
    is_right: bool
    said_ms: int

    def sign(self, keys: DeviceKeys) -> bytes:
        """The verdict as it travels."""
        body = pack(
            (
                _VERSION,
                self.library,
                self.device,
                self.snapshot,
                int(self.is_right),
                self.said_ms,
            )
        )
        return pack((body, keys.sign(signed_message("snapshot verdict 1", body))))

    @classmethod
    def parse(cls, raw: bytes) -> Verdict:
        """What ``sign`` made; whether its device is a member is the caller's to ask.

        Raises:
            EnvelopeError: damaged, or not signed by the device that it names.
        """
        values = _read_signed(raw, "snapshot verdict 1", _VERDICT_TYPES, device_at=2)
        _, library, device, snapshot, is_right, said_ms = values
        if (
            len(library) != _ID_BYTES
            or len(snapshot) != HASH_BYTES
            or is_right not in (0, 1)
            or not _are_numbers(said_ms)
        ):
            raise EnvelopeError("a value in a verdict is out of its range")
        return cls(library, device, snapshot, bool(is_right), said_ms)


def _read_signed(raw: bytes, domain: str, kinds: tuple[type, ...], *, device_at: int) -> list[Any]:
    """The values of signed bytes, whose signature is that of the device among them.

    A later version may put values behind the known ones; they are signed and passed over.
    """
    if len(raw) > limits.STATEMENT_BYTES_MAX:
        raise EnvelopeError(f"a statement of {len(raw)} bytes")
    try:
        body, signature = unpack(raw, _SIGNED_TYPES)
        values, _ = unpack_leading(body, kinds)
    except ValueError as error:
        raise EnvelopeError(str(error)) from error
    if values[0] < _VERSION:
        raise EnvelopeError(f"a statement of version {values[0]}")
    if not verify(values[device_at], signed_message(domain, body), signature):
        raise EnvelopeError("a statement is not signed by the device that it names")
    return values


def _are_numbers(*values: int) -> bool:
    return all(0 <= value <= _NUMBER_MAX for value in values)
