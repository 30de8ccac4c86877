"""What a replica and a relay's log hold as a whole, which no program asks for: only checks do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgpack

from bifolio.storage.changes import StoredEnvelope
from bifolio.storage.database import Database
from bifolio.wire.log_chain import log_next


def all_envelopes(database: Database) -> Iterator[StoredEnvelope]:
    """Every merged envelope of a replica, in causal order."""
    rows = database.rows(
        "SELECT number, hash, chain, seq, position, own, count, frontier, body FROM changes "
        "WHERE hash IS NOT NULL ORDER BY number"
    )
    for number, hash, chain, seq, position, own, count, frontier, body in rows:
        named = tuple(msgpack.unpackb(frontier))
        yield StoredEnvelope(number, hash, chain, seq, position, bool(own), count, named, body)


def sum_of_hashes(database: Database) -> int:
    """The state hash computed over all records: what is kept with each write must be this."""
    rows = database.rows("SELECT hash FROM records")
    return sum(int.from_bytes(share, "big") for (share,) in rows) % (1 << 256)


def log_hash(start: bytes, envelope_hashes: Iterable[bytes]) -> bytes:
    """The chain's hash after several entries."""
    for envelope_hash in envelope_hashes:
        start = log_next(start, envelope_hash)
    return start
