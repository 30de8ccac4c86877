"""The replica's own facts, one typed accessor each. Read afresh each time: another process may
have written them since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgpack

from bifolio.storage.database import Database
from bifolio.wire.position import LogPosition


@dataclass(frozen=True, slots=True)
class OwnChain:
    """This replica's chain of envelopes: its id, author, last number and hash."""

    chain: bytes
    device: bytes
    seq: int
    head: bytes


class Meta:
    """The ``meta`` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, key: str) -> object:
        """A stored value, or None."""
        row = self._database.row("SELECT value FROM meta WHERE key = ?", (key,))
        return msgpack.unpackb(row[0]) if row else None

    def write(self, key: str, value: object) -> None:
        """Store a value (anything msgpack holds); None removes it."""
        if value is None:
            self._database.execute("DELETE FROM meta WHERE key = ?", (key,))
            return
        self._database.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, msgpack.packb(value)),
        )

    def text(self, key: str, default: str = "") -> str:
        """A stored string."""
        value = self.read(key)
        return value if isinstance(value, str) else default

    def raw(self, key: str, default: bytes = b"") -> bytes:
        """A stored byte string."""
        value = self.read(key)
        return value if isinstance(value, bytes) else default

    def number(self, key: str, default: int = 0) -> int:
        """A stored integer."""
        value = self.read(key)
        return value if isinstance(value, int) else default

    # --- the state hash ---------------------------------------------------------------

    def state_hash(self) -> int:
        """The set hash over all records (DESIGN §6)."""
        return int.from_bytes(self.raw("state_hash"), "big")

    def write_state_hash(self, value: int) -> None:
        """Store the set hash."""
        self.write("state_hash", value.to_bytes(32, "big"))

    # --- causality --------------------------------------------------------------------

    def frontier(self) -> list[bytes]:
        """The merged envelopes that no other merged envelope names."""
        value = self.read("frontier")
        return [one for one in value if isinstance(one, bytes)] if isinstance(value, list) else []

    def write_frontier(self, hashes: list[bytes]) -> None:
        """Store the frontier."""
        self.write("frontier", hashes)

    # --- members ----------------------------------------------------------------------

    def newer_members(self) -> tuple[str, ...]:
        """The kinds of the membership records that only a newer program knows."""
        value = self.read("newer_members")
        return tuple(map(str, value)) if isinstance(value, list) else ()

    def write_newer_members(self, kinds: Sequence[str]) -> None:
        """Store the kinds of the membership records that only a newer program knows."""
        self.write("newer_members", list(kinds) or None)

    # --- the relay's log --------------------------------------------------------------

    def cursor(self) -> LogPosition | None:
        """How far the relay's log is merged; None before the first contact."""
        value = self.read("cursor")
        if not isinstance(value, list) or len(value) != 3:
            return None
        return LogPosition(epoch=value[0], position=value[1], chain_hash=value[2])

    def write_cursor(self, at: LogPosition | None) -> None:
        """Store the cursor."""
        self.write("cursor", [at.epoch, at.position, at.chain_hash] if at else None)

    # --- the own chain ----------------------------------------------------------------

    def own_chain(self) -> OwnChain | None:
        """The chain that the next envelope of this replica continues."""
        value = self.read("own_chain")
        if not isinstance(value, list) or len(value) != 4:
            return None
        return OwnChain(chain=value[0], device=value[1], seq=value[2], head=value[3])

    def write_own_chain(self, chain: OwnChain | None) -> None:
        """Store the own chain; None makes the next envelope begin a new one."""
        stored = [chain.chain, chain.device, chain.seq, chain.head] if chain else None
        self.write("own_chain", stored)
