"""HELLO: who this device is, signed so that no other relay can use what one was told."""

from __future__ import annotations

from urllib.parse import urlsplit

from bifolio.crypto.keys import KeyPair
from bifolio.crypto.membership import hello_message, invite_keys, recovery_keys
from bifolio.crypto.recovery import RecoveryCode
from bifolio.crypto.ticket import Ticket
from bifolio.wire.messages import AttestedPosition, Challenge, Hello
from bifolio.wire.versions import choose_version, spoken_versions

_PORTS = {"ws": 80, "wss": 443}


def relay_name(url: str) -> str:
    """The host and port that an address calls: what HELLO binds itself to."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port or _PORTS.get(parts.scheme, 443)}"


def make_hello(
    signer: KeyPair,
    challenge: Challenge,
    *,
    library: bytes,
    relay: str,
    join: bool = False,
    cursor: int = 0,
    attested: AttestedPosition | None = None,
    blob_tally: int = 0,
) -> Hello:
    """The greeting, in the best version that both sides speak.

    Args:
        signer: this device's keys, or those of a ticket's invite (``join``).
        challenge: what the relay began with.
        library: the id (16 bytes) of the library asked for.
        relay: the relay as it was called (``relay_name``).
        join: whether a newcomer greets with a ticket's key.
        cursor: how far the replica has merged.
        attested: the highest position that it knows to be attested.
        blob_tally: the tally of blobs by which it noted what is on the relay.

    Raises:
        VersionsError: there is no such version.
    """
    unsigned = Hello(
        version=choose_version(challenge.versions),
        versions=spoken_versions(),
        library=library,
        device=signer.sign_public,
        signature=bytes(64),
        relay=relay,
        join=join,
        cursor=cursor,
        attested=attested,
        blob_tally=blob_tally,
    )
    message = hello_message(offered=challenge.versions, nonce=challenge.nonce, said=unsigned.said())
    return unsigned.with_signature(signer.sign(message))


def recovery_greeting(code: RecoveryCode, url: str, challenge: Challenge) -> Hello:
    """HELLO with the recovery key."""
    return make_hello(
        recovery_keys(code.secret),
        challenge,
        library=code.library,
        relay=relay_name(url),
        join=True,
    )


def ticket_greeting(ticket: Ticket, challenge: Challenge) -> Hello:
    """HELLO with the ticket's key."""
    return make_hello(
        invite_keys(ticket.secret),
        challenge,
        library=ticket.library,
        relay=relay_name(ticket.relay),
        join=True,
    )
