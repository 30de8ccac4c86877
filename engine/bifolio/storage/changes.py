"""Every change: the outbox, the history and the means to rebuild a lost relay, all in one.

An own change lies unsealed until it is first offered; then it is an envelope, as on the
wire, and is never altered. ``number`` is this replica's own order, which is causal.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

import msgpack
from msgspec import Struct

from bifolio import limits
from bifolio.ids import TAG_LENGTH
from bifolio.storage.database import Database
from bifolio.storage.packed_states import pack_state, unpack_state
from bifolio.storage.refused_envelopes import SEALED_AGAIN


class UnsealedChange(Struct, frozen=True):
    """An own change that was never offered: its body, what was merged when it was made, and the
    slot of the incarnation that wrote it (empty where what it holds names no device)."""

    number: int
    frontier: tuple[bytes, ...]
    body: bytes
    slot: str


class StoredEnvelope(Struct, frozen=True):
    """A merged envelope."""

    number: int
    hash: bytes
    chain: bytes
    seq: int
    position: int | None
    own: bool
    count: int
    frontier: tuple[bytes, ...]
    envelope: bytes


class EnvelopePlace(Struct, frozen=True):
    """Where a merged envelope is: its number here, its chain, its number in that, its bytes."""

    number: int
    chain: bytes
    seq: int
    size: int


class EnvelopeBeginning(Struct, frozen=True):
    """A merged envelope by its first bytes, in which its header lies."""

    number: int
    hash: bytes
    count: int
    size_bytes: int
    beginning: bytes


#: What a device may seal: all that is its own, and what bears no device's name.
_OF_DEVICE = f"(? = '' OR slot IS NULL OR substr(slot, 1, {TAG_LENGTH}) = ?)"

#: What ``envelope_of_row`` takes.
COLUMNS = "number, hash, chain, seq, position, own, count, frontier, body"


class Changes:
    """The ``changes`` table, and what envelopes say of each other. Writes happen inside the
    caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- own changes before they are sealed ---------------------------------------------

    def add_unsealed(self, body: bytes, frontier: Sequence[bytes], *, slot: str = "") -> int:
        """Keep an own change with the frontier at its commit and its writer's slot; its number."""
        number = self._database.execute(
            "INSERT INTO changes (own, count, frontier, body, slot) VALUES (1, 1, ?, ?, ?)",
            (msgpack.packb(list(frontier)), pack_state(body), slot or None),
        ).lastrowid
        assert number is not None
        return number

    def unsealed(self, *, bytes_max: int, tag: str = "") -> list[UnsealedChange]:
        """The oldest unsealed changes, up to a total size, but at least one; of no more
        incarnations than one envelope may declare. With a tag only those of its device."""
        found: list[UnsealedChange] = []
        total = 0
        slots: set[str] = set()
        cursor = self._database.execute(
            "SELECT number, frontier, body, slot FROM changes "
            f"WHERE hash IS NULL AND {_OF_DEVICE} ORDER BY number",
            (tag, tag),
        )
        for number, frontier, stored, slot in cursor:
            slots.add(slot or "")
            body = unpack_state(stored)
            too_many = len(slots) > limits.INCARNATIONS_PER_ENVELOPE_MAX
            if found and (too_many or total + len(body) > bytes_max):
                break
            found.append(UnsealedChange(number, tuple(msgpack.unpackb(frontier)), body, slot or ""))
            total += len(body)
        cursor.close()
        return found

    def unsealed_edits(self) -> list[UnsealedChange]:
        """All unsealed changes that some incarnation wrote, in their order."""
        return self._unsealed_where("slot IS NOT NULL")

    def slot_of_unsealed(self, number: int) -> str:
        """The slot of the incarnation that wrote an unsealed change; empty where none did, or it
        is none."""
        row = self._database.row(
            "SELECT slot FROM changes WHERE number = ? AND hash IS NULL", (number,)
        )
        return (row[0] or "") if row else ""

    def unsealed_of_others(self, tag: str) -> list[UnsealedChange]:
        """Unsealed changes of another device than the one with this tag: the folder was copied."""
        return self._unsealed_where(f"substr(slot, 1, {TAG_LENGTH}) != ?", tag)

    def _unsealed_where(self, condition: str, *values: object) -> list[UnsealedChange]:
        rows = self._database.rows(
            "SELECT number, frontier, body, slot FROM changes "
            f"WHERE hash IS NULL AND {condition} ORDER BY number",
            values,
        )
        return [
            UnsealedChange(number, tuple(msgpack.unpackb(frontier)), unpack_state(body), slot)
            for number, frontier, body, slot in rows
        ]

    def has_unsealed(self, tag: str = "") -> bool:
        """Whether any change waits to be sealed; with a tag, by its device."""
        row = self._database.row(
            f"SELECT 1 FROM changes WHERE hash IS NULL AND {_OF_DEVICE} LIMIT 1", (tag, tag)
        )
        return row is not None

    def last_unsealed(self) -> int:
        """The number of the newest own change that waits to be sealed; 0 without one."""
        row = self._database.row(
            "SELECT number FROM changes WHERE hash IS NULL ORDER BY number DESC LIMIT 1"
        )
        return int(row[0]) if row else 0

    def remove_unsealed(self, changes: Sequence[UnsealedChange]) -> None:
        """Drop unsealed changes that an envelope now carries."""
        self._database.execute_many(
            "DELETE FROM changes WHERE number = ? AND hash IS NULL",
            [(change.number,) for change in changes],
        )

    # --- envelopes --------------------------------------------------------------------------

    def add_envelope(
        self,
        *,
        envelope: bytes,
        envelope_hash: bytes,
        chain: bytes,
        seq: int,
        position: int | None,
        own: bool,
        count: int,
        frontier: Sequence[bytes],
        number: int | None = None,
    ) -> int:
        """Keep a merged envelope; its number, the next one unless it is given."""
        number = self._database.execute(
            "INSERT INTO changes (number, hash, chain, seq, position, own, count, frontier, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                envelope_hash,
                chain,
                seq,
                position,
                int(own),
                count,
                msgpack.packb(list(frontier)),
                envelope,
            ),
        ).lastrowid
        assert number is not None
        return number

    def body(self, number: int) -> tuple[bytes, bool] | None:
        """What a row holds, and whether it is sealed; None where there is no such row."""
        row = self._database.row(
            "SELECT body, hash IS NOT NULL FROM changes WHERE number = ?", (number,)
        )
        if row is None:
            return None
        body, is_sealed = row
        return (body, True) if is_sealed else (unpack_state(body), False)

    def hash_of(self, number: int) -> bytes | None:
        """The hash of the envelope in a row; None where the row holds an unsealed change."""
        row = self._database.row("SELECT hash FROM changes WHERE number = ?", (number,))
        return row[0] if row else None

    def numbers(self) -> list[int]:
        """The numbers of all rows, in order."""
        return [row[0] for row in self._database.rows("SELECT number FROM changes ORDER BY number")]

    def envelope(self, envelope_hash: bytes) -> StoredEnvelope | None:
        """A merged envelope by its hash."""
        row = self._database.row(
            f"SELECT {COLUMNS} FROM changes WHERE hash = ?",
            (envelope_hash,),
        )
        return envelope_of_row(row) if row else None

    def is_stored(self, envelope_hash: bytes) -> bool:
        """Whether this very envelope is merged and kept here."""
        row = self._database.row("SELECT 1 FROM changes WHERE hash = ?", (envelope_hash,))
        return row is not None

    def position(self, envelope_hash: bytes) -> int | None:
        """Where in the relay's log an envelope is, if it is here and that is known."""
        row = self._database.row("SELECT position FROM changes WHERE hash = ?", (envelope_hash,))
        return row[0] if row else None

    def is_merged(self, envelope_hash: bytes) -> bool:
        """Whether the changes of this envelope are merged here, by itself, a replacement or a
        snapshot."""
        row = self._database.row(
            "SELECT 1 FROM changes WHERE hash = ? "
            "UNION ALL SELECT 1 FROM replacements WHERE hash = ? "
            "UNION ALL SELECT 1 FROM covered WHERE hash = ? LIMIT 1",
            (envelope_hash, envelope_hash, envelope_hash),
        )
        return row is not None

    def is_replaced_by(self, envelope_hash: bytes, device: bytes, *, own: bool) -> bool:
        """Whether an envelope of a device that is merged here carries the changes of another of
        its own; ``own`` where the device is this one."""
        row = self._database.row(
            "SELECT 1 FROM replacements WHERE hash = ? AND (device = ? OR (? AND device IS NULL))",
            (envelope_hash, device, own),
        )
        return row is not None

    def add_replacements(
        self, envelope_hashes: Sequence[bytes], *, by: bytes, device: bytes | None = None
    ) -> None:
        """A merged envelope carries the changes of others, which may never come.

        Args:
            device: the signing key of who says so, of whom the others must be.
        """
        self._database.execute_many(
            "INSERT OR IGNORE INTO replacements (hash, by, device) VALUES (?, ?, ?)",
            [(one, by, device) for one in envelope_hashes],
        )
        if envelope_hashes:
            self._database.note_row("replacements")

    def offered_replacements(self, envelope_hash: bytes) -> list[bytes]:
        """The envelopes here that are said to carry the changes of another instead of it, and are
        offered, the last one first."""
        rows = self._database.rows(
            "SELECT by FROM replacements AS one JOIN changes ON changes.hash = one.by "
            "WHERE one.hash = ? AND body != x'' "
            "AND by NOT IN (SELECT hash FROM carried_envelopes) ORDER BY changes.number DESC",
            (envelope_hash,),
        )
        return [row[0] for row in rows]

    def drop_false_replacements(self, envelope_hash: bytes, *, device: bytes) -> list[bytes]:
        """Forget who claimed, not being its author, to carry an envelope's changes; who did."""
        if self._database.is_empty("replacements"):
            return []
        rows = self._database.rows(
            "SELECT device FROM replacements WHERE hash = ? AND device != ?",
            (envelope_hash, device),
        )
        if rows:
            self._database.execute(
                "DELETE FROM replacements WHERE hash = ? AND device != ?", (envelope_hash, device)
            )
        return [row[0] for row in rows]

    def beginning(self, envelope_hash: bytes) -> bytes | None:
        """The first bytes of a merged envelope, in which its header lies; None also of one that is
        here without its content."""
        row = self._database.row(
            "SELECT substr(body, 1, ?) FROM changes WHERE hash = ? AND body != x''",
            (limits.ENVELOPE_HEADER_BYTES_MAX + 8, envelope_hash),
        )
        return row[0] if row else None

    def last_seq(self, chain: bytes) -> int:
        """The greatest number in chains of this id, whoever wrote them; 0 where there is none."""
        row = self._database.row("SELECT max(seq) FROM changes WHERE chain = ?", (chain,))
        return (row[0] or 0) if row else 0

    def at_place(self, chain: bytes, seq: int) -> list[bytes]:
        """The merged envelopes at a place of a chain of this id, whoever wrote them; without those
        that are here without their content, which tells who that was."""
        rows = self._database.rows(
            "SELECT hash FROM changes WHERE chain = ? AND seq = ? AND hash IS NOT NULL "
            "AND body != x'' ORDER BY number",
            (chain, seq),
        )
        return [row[0] for row in rows]

    def add_double(
        self, *, device: bytes, chain: bytes, seq: int, first: bytes, second: bytes
    ) -> None:
        """A device signed two envelopes for one place: both are the proof of it."""
        self._database.execute(
            "INSERT OR IGNORE INTO double_envelopes (device, chain, seq, first, second) "
            "VALUES (?, ?, ?, ?, ?)",
            (device, chain, seq, first, second),
        )

    def doubles(self) -> list[tuple[bytes, int]]:
        """Each device that signed two envelopes for one place, and how often."""
        rows = self._database.rows(
            "SELECT device, count(*) FROM double_envelopes GROUP BY device ORDER BY device"
        )
        return [(row[0], row[1]) for row in rows]

    def double_places(self) -> list[tuple[bytes, bytes, int]]:
        """Device, chain and number of each place for which a device signed two envelopes."""
        rows = self._database.rows(
            "SELECT device, chain, seq FROM double_envelopes ORDER BY device, chain, seq DESC"
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def add_carried(self, envelope_hashes: Sequence[bytes], *, by: bytes) -> None:
        """An envelope carries others whole: a relay that has it need not have these."""
        self._database.execute_many(
            "INSERT OR IGNORE INTO carried_envelopes (hash, by) VALUES (?, ?)",
            [(one, by) for one in envelope_hashes],
        )

    def carry_on(self, carrier: bytes, *, by: bytes) -> None:
        """What an envelope carries, another one carries now."""
        self._database.execute("UPDATE carried_envelopes SET by = ? WHERE by = ?", (by, carrier))

    def drop_carrier(self, carrier: bytes) -> None:
        """An envelope does not count any more: what it carries is offered by itself."""
        self._database.execute("DELETE FROM carried_envelopes WHERE by = ?", (carrier,))

    def offer_carried(self, chain: bytes) -> bool:
        """Offer by themselves what others carry of a chain; whether there was any."""
        removed = self._database.execute(
            "DELETE FROM carried_envelopes WHERE hash IN "
            "(SELECT hash FROM changes WHERE chain = ? AND position IS NULL)",
            (chain,),
        )
        return removed.rowcount > 0

    def replacing(self, envelope_hashes: Collection[bytes]) -> set[bytes]:
        """The envelopes that carry the changes of any of these instead."""
        rows = self._database.rows("SELECT hash, by FROM replacements")
        return {by for replaced, by in rows if replaced in envelope_hashes}

    def set_position(self, envelope_hash: bytes, position: int | None) -> None:
        """Note where in the relay's log an envelope is: it is acknowledged. None: it is nowhere."""
        self._database.execute(
            "UPDATE changes SET position = ? WHERE hash = ?", (position, envelope_hash)
        )

    def forget_positions(self) -> None:
        """The relay lost its log: nothing counts as acknowledged any more."""
        self._database.execute("UPDATE changes SET position = NULL WHERE position IS NOT NULL")

    def last_acknowledged(self) -> int:
        """The last row that holds an envelope which the relay has; 0 where there is none."""
        row = self._database.row("SELECT max(number) FROM changes WHERE position IS NOT NULL")
        return (row[0] or 0) if row else 0

    def own_on_the_way(self, *, after: int) -> list[bytes]:
        """The beginnings of own envelopes behind a row that no relay is known to have."""
        rows = self._database.rows(
            "SELECT substr(body, 1, ?) FROM changes WHERE own = 1 AND position IS NULL "
            "AND hash IS NOT NULL AND body != x'' AND number > ? ORDER BY number",
            (limits.ENVELOPE_HEADER_BYTES_MAX + 8, after),
        )
        return [row[0] for row in rows]

    def unacknowledged(self, *, after: int, bytes_max: int) -> list[StoredEnvelope]:
        """Envelopes, anyone's, that the relay does not have, in causal order.

        One that another envelope carries is not offered by itself.
        """
        found: list[StoredEnvelope] = []
        total = 0
        cursor = self._database.execute(
            f"SELECT {COLUMNS} FROM changes "
            "WHERE hash IS NOT NULL AND position IS NULL AND number > ? AND body != x'' "
            "AND hash NOT IN (SELECT hash FROM carried_envelopes) ORDER BY number",
            (after,),
        )
        for row in cursor:
            stored = envelope_of_row(row)
            if found and total + len(stored.envelope) > bytes_max:
                break
            found.append(stored)
            total += len(stored.envelope)
        cursor.close()
        return found

    def unacknowledged_places(self, *, after: int, count_max: int) -> list[EnvelopeBeginning]:
        """The beginnings of envelopes, anyone's, that the relay is not known to have."""
        rows = self._database.rows(
            "SELECT number, hash, count, length(body), substr(body, 1, ?) FROM changes "
            "WHERE hash IS NOT NULL AND position IS NULL AND number > ? "
            "AND hash NOT IN (SELECT hash FROM carried_envelopes) ORDER BY number LIMIT ?",
            (limits.ENVELOPE_HEADER_BYTES_MAX + 8, after, count_max),
        )
        return [EnvelopeBeginning(*row) for row in rows]

    def unacknowledged_of(self, chain: bytes) -> list[bytes]:
        """The hashes of a chain's envelopes that the relay does not have, in the chain's order."""
        rows = self._database.rows(
            "SELECT hash FROM changes WHERE hash IS NOT NULL AND position IS NULL AND chain = ? "
            "AND hash NOT IN (SELECT hash FROM carried_envelopes) ORDER BY seq, number",
            (chain,),
        )
        return [row[0] for row in rows]

    def remove_envelope(self, envelope_hash: bytes) -> None:
        """Drop an envelope that the relay refused; another one carries its changes."""
        self._database.execute("DELETE FROM changes WHERE hash = ?", (envelope_hash,))

    def remove_all(self) -> None:
        """Drop everything (joining another library only, after a backup)."""
        for table in (
            "changes",
            "pending",
            "waits_for",
            "refused",
            "replacements",
            "double_envelopes",
            "carried_envelopes",
            "voided_envelopes",
        ):
            self._database.execute(f"DELETE FROM {table}")

    def unsent(self) -> int:
        """How many own changes that count the relay has not acknowledged, also not carried."""
        row = self._database.row(
            "SELECT coalesce(sum(count), 0) FROM changes WHERE own = 1 AND position IS NULL "
            "AND (hash IS NULL OR hash NOT IN (SELECT one.hash FROM carried_envelopes AS one "
            "JOIN changes AS carrier ON carrier.hash = one.by "
            "WHERE carrier.position IS NOT NULL UNION ALL SELECT hash FROM voided_envelopes))"
        )
        return int(row[0]) if row else 0

    def links(self) -> list[tuple[bytes, tuple[bytes, ...]]]:
        """The hash and the frontier of every merged envelope, in causal order, without bodies."""
        rows = self._database.rows(
            "SELECT hash, frontier FROM changes WHERE hash IS NOT NULL ORDER BY number"
        )
        return [(row[0], tuple(msgpack.unpackb(row[1]))) for row in rows]

    def has_sealed(self) -> bool:
        """Whether any envelope is merged and here."""
        row = self._database.row("SELECT 1 FROM changes WHERE hash IS NOT NULL LIMIT 1")
        return row is not None

    def hashes(self) -> list[bytes]:
        """The hashes of all merged envelopes that are here, in causal order."""
        rows = self._database.rows(
            "SELECT hash FROM changes WHERE hash IS NOT NULL ORDER BY number"
        )
        return [row[0] for row in rows]

    # --- bundles ----------------------------------------------------------------------------

    def places(self, *, after: int = 0) -> Iterator[EnvelopePlace]:
        """The envelopes after a number, in causal order, those left out that another one carries;
        inside the caller's snapshot."""
        cursor = self._database.execute(
            "SELECT number, chain, seq, length(body) FROM changes WHERE hash IS NOT NULL "
            "AND number > ? AND hash NOT IN (SELECT hash FROM carried_envelopes) ORDER BY number",
            (after,),
        )
        for row in cursor:
            yield EnvelopePlace(*row)

    def bodies(self, numbers: Sequence[int]) -> list[bytes]:
        """The envelopes with these numbers, in the order of their numbers."""
        rows = self._database.rows(
            "SELECT body FROM changes WHERE number IN (SELECT value FROM json_each(?)) "
            "ORDER BY number",
            (json.dumps(list(numbers)),),
        )
        return [row[0] for row in rows]

    def count_unsealed(self, tag: str) -> int:
        """How many own changes of a device wait to be sealed."""
        row = self._database.row(
            f"SELECT count(*) FROM changes WHERE hash IS NULL AND {_OF_DEVICE}", (tag, tag)
        )
        return int(row[0]) if row else 0

    def last_number(self) -> int:
        """The number of the newest envelope; 0 without one."""
        row = self._database.row(
            "SELECT number FROM changes WHERE hash IS NOT NULL ORDER BY number DESC LIMIT 1"
        )
        return int(row[0]) if row else 0

    def chain_ends(self) -> list[tuple[bytes, int, bytes]]:
        """Each chain with the number and the hash of its last envelope here."""
        rows = self._database.rows(
            "SELECT chain, max(seq), hash FROM changes WHERE hash IS NOT NULL GROUP BY chain"
        )
        return [(chain, seq, envelope_hash) for chain, seq, envelope_hash in rows]

    def chain_beginnings(self) -> Iterator[tuple[bytes, bytes]]:
        """Each first envelope of a chain: the chain's id, and its beginning, in which its header
        lies; of one id there may be several, by different authors."""
        cursor = self._database.execute(
            "SELECT chain, substr(body, 1, ?) FROM changes WHERE seq = 1 AND hash IS NOT NULL "
            "AND body != x''",
            (limits.ENVELOPE_HEADER_BYTES_MAX + 8,),
        )
        for row in cursor:
            yield row[0], row[1]

    def backwards(self, chain: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The envelopes of chains of an id from the last one on: hash and beginning."""
        cursor = self._database.execute(
            "SELECT hash, substr(body, 1, ?) FROM changes WHERE chain = ? AND hash IS NOT NULL "
            "AND body != x'' ORDER BY seq DESC, number DESC",
            (limits.ENVELOPE_HEADER_BYTES_MAX + 8, chain),
        )
        for row in cursor:
            yield row[0], row[1]

    def forked_chains(self) -> set[bytes]:
        """The chains with two envelopes in one place."""
        rows = self._database.rows(
            "SELECT DISTINCT chain FROM changes WHERE hash IS NOT NULL "
            "GROUP BY chain, seq HAVING count(*) > 1"
        )
        return {row[0] for row in rows}

    def is_own_chain(self, chain: bytes) -> bool:
        """Whether this replica sealed the envelopes of a chain."""
        row = self._database.row("SELECT own FROM changes WHERE chain = ? LIMIT 1", (chain,))
        return row is not None and bool(row[0])

    def own_after(self, number: int) -> int:
        """How many own changes lie after a number, or are not sealed."""
        row = self._database.row(
            "SELECT coalesce(sum(count), 0) FROM changes WHERE own = 1 "
            "AND (number > ? OR hash IS NULL)",
            (number,),
        )
        return int(row[0]) if row else 0

    # --- waiting and refused --------------------------------------------------------------

    def waiting(self) -> int:
        """How many envelopes wait."""
        row = self._database.row("SELECT count(*) FROM pending")
        return int(row[0]) if row else 0

    def refusals(self) -> list[tuple[bytes, str]]:
        """What was refused, and why."""
        rows = self._database.rows("SELECT hash, reason FROM refused ORDER BY rowid")
        return [(row[0], row[1]) for row in rows if row[1] != SEALED_AGAIN]


def envelope_of_row(row: Sequence[object]) -> StoredEnvelope:
    """A row of ``COLUMNS``."""
    number, envelope_hash, chain, seq, position, own, count, frontier, body = row
    assert isinstance(number, int)
    assert isinstance(envelope_hash, bytes)
    assert isinstance(chain, bytes)
    assert isinstance(seq, int)
    assert position is None or isinstance(position, int)
    assert isinstance(count, int)
    assert isinstance(frontier, bytes)
    assert isinstance(body, bytes)
    return StoredEnvelope(
        number=number,
        hash=envelope_hash,
        chain=chain,
        seq=seq,
        position=position,
        own=bool(own),
        count=count,
        frontier=tuple(msgpack.unpackb(frontier)),
        envelope=body,
    )
