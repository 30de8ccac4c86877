"""Tickets: one string that lets another computer attach to a library.

A ticket carries the secret from which an invite's keys are derived, so whoever holds it can join;
its repr shows none of it. It also carries the inviter's attested position and membership head, by
which a newcomer notices a relay that was rolled back. Knows nothing of the relay's answers. May
import only ``errors``, ``ids`` and ``limits``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bifolio import limits
from bifolio.crypto import passphrases
from bifolio.crypto.encoding import leading_values, pack, unpack
from bifolio.errors import LockedTicketError, Next, TicketError
from bifolio.ids import RandomBytes, base64url

VERSION = 1
#: As the first one, with the secret sealed under a passphrase.
LOCKED_VERSION = 2
SCHEME = "bifolio:"
SECRET_BYTES = 32

_POSITION_MAX = 2**53 - 1
_CHECKSUM_BYTES = 6
_TYPES = (int, str, bytes, bytes, bytes, int, bytes, bytes)
_LENGTHS = {
    "library": 16,
    "secret": SECRET_BYTES,
    "epoch": 16,
    "chain_hash": 32,
    "membership_head": 32,
}
_FOREIGN_CHARACTER = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where a library is, the right to join it, and how far its log was when it was written.

    Attributes:
        relay: a ``ws://`` or ``wss://`` address; empty for a library that is shared by bundles.
        library: the library's id (16 bytes).
        secret: what the invite's keys are derived from (32 bytes).
        epoch: the relay's epoch (16 bytes) at ``position``.
        position: how many envelopes the inviter had checked in the log.
        chain_hash: the hash of the log's chain there (32 bytes).
        membership_head: the hash of the last membership record that the inviter knew (32 bytes).

    Raises:
        TicketError: when a value has the wrong length or form.
    """

    relay: str
    library: bytes
    secret: bytes = field(repr=False)
    epoch: bytes
    position: int
    chain_hash: bytes
    membership_head: bytes

    def __post_init__(self) -> None:
        for name, length in _LENGTHS.items():
            if len(getattr(self, name)) != length:
                raise TicketError(f"its {name.replace('_', ' ')} has the wrong length")
        if not 0 <= self.position <= _POSITION_MAX:
            raise TicketError(f"its position is {self.position}")
        if self.relay and not is_relay_address(self.relay):
            raise TicketError("its relay's address is not a ws:// or wss:// address")

    def encode(self) -> str:
        """The ticket as one string to send over a channel that others do not read."""
        return self._encoded(VERSION, self.secret)

    def encode_locked(self, passphrase: str, random_bytes: RandomBytes) -> str:
        """The ticket as one string that is worth nothing without a passphrase, which goes another
        way."""
        sealed = passphrases.seal(
            self.secret, passphrase, bound_to=self.library, random_bytes=random_bytes
        )
        return self._encoded(LOCKED_VERSION, sealed)

    def _encoded(self, version: int, secret: bytes) -> str:
        content = pack(
            (
                version,
                self.relay,
                self.library,
                secret,
                self.epoch,
                self.position,
                self.chain_hash,
                self.membership_head,
            )
        )
        return SCHEME + base64url(content + _checksum(content))

    @classmethod
    def decode(cls, text: str, *, passphrase: str | None = None) -> Ticket:
        """The ticket in a string, in which mail programs may have put spaces and line breaks.

        Raises:
            LockedTicketError: it has a passphrase, and none or another one was given.
            TicketError: with the reason why this is no whole ticket.
        """
        content = _content(text)
        try:
            (version,) = leading_values(content, 1)
            if type(version) is int and version > LOCKED_VERSION:
                raise TicketError(
                    f"it was made by a newer Bifolio (ticket version {version}; this one knows "
                    f"{LOCKED_VERSION})",
                    next_step=Next.UPGRADE,
                )
            values: list[Any] = unpack(content, _TYPES)
        except ValueError as error:
            raise TicketError(str(error)) from error
        if version == LOCKED_VERSION:
            if passphrase is None:
                raise LockedTicketError
            values[3] = passphrases.open_sealed(values[3], passphrase, bound_to=values[2])
        elif version != VERSION:
            raise TicketError(f"its version is {version!r:.20}")
        return cls(*values[1:])


def _content(text: str) -> bytes:
    """The packed values of a ticket whose checksum fits."""
    if len(text) > limits.TICKET_CHARACTERS_MAX:
        raise TicketError(
            f"it has {len(text):,} characters, and a ticket at most "
            f"{limits.TICKET_CHARACTERS_MAX:,}"
        )
    joined = "".join(text.split())
    if not joined:
        raise TicketError("it is empty")
    if joined[: len(SCHEME)].lower() != SCHEME:
        raise TicketError(f"it does not begin with '{SCHEME}'")
    body = joined[len(SCHEME) :]
    foreign = _FOREIGN_CHARACTER.search(body)
    if foreign:
        raise TicketError(f"it contains {foreign.group()!a}, which no ticket does")
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except binascii.Error as error:
        raise TicketError("a part of it is missing, or it was altered on the way") from error
    content, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    # The last character may hold bits that no byte needs: only one form of a ticket is good.
    if base64url(raw) != body or checksum != _checksum(content):
        raise TicketError("a part of it is missing, or it was altered on the way")
    return content


def _checksum(content: bytes) -> bytes:
    """Against slips of the hand; who alters a ticket on purpose can make another."""
    return hashlib.blake2b(
        content, digest_size=_CHECKSUM_BYTES, person=b"bifolio.ticket.1"
    ).digest()


def is_relay_address(address: str) -> bool:
    """Whether a text has the form of a relay's address."""
    if len(address) > limits.RELAY_URL_CHARACTERS_MAX or not address.isprintable():
        return False
    if any(character.isspace() for character in address):
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
