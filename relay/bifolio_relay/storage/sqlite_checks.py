"""Whether what the file holds is what was written to it: libraries, one after the other.

Every entry names the hash of its envelope and continues the chain of hashes; members' records are
signed; what is counted can be counted again. So nothing has to be noted beside it. Blocking, for a
thread of its own: it reads through a connection that nothing else uses.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bifolio import limits
from bifolio.crypto.blob import sealed_chunk_count, sealed_chunk_length, sealed_chunk_place
from bifolio.crypto.envelope import Envelope, parse_envelope, verify_signature
from bifolio.crypto.membership import Membership
from bifolio.crypto.snapshot import CoveredChain, parse_snapshot, root_of
from bifolio.crypto.statement import Statement, Verdict
from bifolio.errors import EnvelopeError, MembershipError
from bifolio.ids import content_hash, digest
from bifolio.wire.log_chain import log_next, log_start
from bifolio_relay.storage.sqlite_file import BLOBS_NAME

_CHECK_BYTES = 16
_BLOBS_AT_ONCE = 8


@dataclass(slots=True)
class Damage:
    """What is damaged of a library on the relay; ``library`` is None of the file itself."""

    library: bytes | None
    #: The table or the kind of thing, in words, and what is wrong.
    what: str


@dataclass(slots=True)
class CheckedEntry:
    """A row of ``entry`` as it should be; ``is_lost`` where its envelope is not whole."""

    position: int
    chain: bytes
    seq: int
    hash: bytes
    chain_hash: bytes
    size_bytes: int
    device: bytes | None
    is_lost: bool = False
    is_wrong: bool = False


@dataclass(slots=True)
class CheckedMembers:
    """The records of a membership log that are whole, from the first on."""

    records: list[bytes] = field(default_factory=list)
    head: bytes = b""
    is_short: bool = False


def chunk_check(sealed: bytes) -> bytes:
    """What is kept of a sealed chunk, to know it by: 16 bytes."""
    return digest(sealed, size=_CHECK_BYTES)


def libraries(connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
    """Key and id of every library."""
    return connection.execute("SELECT key, id FROM library ORDER BY key").fetchall()


def check_file(connection: sqlite3.Connection) -> str | None:
    """What SQLite finds wrong with the file, in its words; None where nothing is."""
    try:
        said = [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if said == ["ok"] else str(said[0])


def read_members(connection: sqlite3.Connection, key: int) -> CheckedMembers:
    """The membership log of a library, as far as it is whole."""
    rows = connection.execute(
        "SELECT number, record FROM member WHERE library = ? ORDER BY number", (key,)
    ).fetchall()
    members = CheckedMembers()
    records = [record for place, (number, record) in enumerate(rows) if number == place]
    members.is_short = len(records) < len(rows)
    try:
        members.head = Membership.from_records(records).head
        members.records = records
        return members
    except (MembershipError, EnvelopeError, TypeError, ValueError):
        members.is_short = True
    whole: Membership | None = None
    for record in records:
        try:
            whole = whole.append(record) if whole else Membership.from_records([record])
        except (MembershipError, EnvelopeError, TypeError, ValueError):
            break
        members.records.append(record)
        members.head = whole.head
    return members


def check_entries(
    connection: sqlite3.Connection, key: int, library: bytes, *, after: int = 0, most: int = -1
) -> Iterator[CheckedEntry]:
    """The entries of a library's log behind a position, as they should be.

    Args:
        most: at most so many; -1: all.
    """
    epoch, floor = connection.execute(
        "SELECT epoch, floor FROM library WHERE key = ?", (key,)
    ).fetchone()
    before: bytes | None = log_start(library, epoch)
    if after:
        row = connection.execute(
            "SELECT chain_hash FROM entry WHERE library = ? AND position = ?", (key, after)
        ).fetchone()
        before = None if row is None else row[0]
    rows = connection.execute(
        "SELECT position, chain, seq, hash, chain_hash, envelope FROM entry "
        "WHERE library = ? AND position > ? ORDER BY position LIMIT ?",
        (key, after, most),
    )
    for position, chain, seq, entry_hash, chain_hash, raw in rows:
        one = _check_entry(position, chain, seq, entry_hash, raw, is_pruned=position <= floor)
        right = None if before is None else log_next(before, one.hash)
        one.chain_hash = right or chain_hash
        one.is_wrong = (one.chain, one.seq, one.hash, one.chain_hash) != (
            *(chain, seq, entry_hash),
            chain_hash,
        )
        before = one.chain_hash
        yield one


def _check_entry(
    position: int, chain: bytes, seq: int, entry_hash: bytes, raw: bytes, *, is_pruned: bool
) -> CheckedEntry:
    one = CheckedEntry(position, chain, seq, entry_hash, b"", len(raw), None)
    if is_pruned:
        return one
    envelope = parse_whole(raw, entry_hash)
    if envelope is None:
        one.is_lost = True
        return one
    header = envelope.header
    one.chain, one.seq, one.hash = header.author_chain, header.seq, envelope.hash
    one.device = header.device
    return one


def parse_whole(raw: bytes, entry_hash: bytes) -> Envelope | None:
    """An envelope that is as its author made it: by its hash, or by the signature."""
    try:
        envelope = parse_envelope(raw)
        if envelope.hash != entry_hash:
            verify_signature(envelope)
    except (EnvelopeError, ValueError):
        return None
    return envelope


def find_damage(connection: sqlite3.Connection, key: int, library: bytes) -> str | None:
    """What is wrong with a library beside its entries; None where nothing is."""
    row = connection.execute(
        "SELECT n, chain_hash, epoch, size_bytes, members, members_head, members_bytes, roles_known"
        " FROM library WHERE key = ?",
        (key,),
    ).fetchone()
    if row is None:
        return None
    n, chain_hash, epoch, size_bytes, count, head, members_bytes, roles_known = row
    members = read_members(connection, key)
    if members.is_short or len(members.records) != count or members.head != head:
        return "its list of members"
    if sum(map(len, members.records)) != members_bytes:
        return "what its list of members counts"
    if roles_known:
        roles = {
            one.device: str(one.role) for one in Membership.from_records(members.records).members
        }
        if roles != dict(
            connection.execute("SELECT device, role FROM member_role WHERE library = ?", (key,))
        ):
            return "its members' roles"
    last, total, entries = connection.execute(
        "SELECT coalesce(max(position), 0), coalesce(sum(length(envelope)), 0), count(*)"
        " FROM entry WHERE library = ?",
        (key,),
    ).fetchone()
    if (last, total, entries) != (n, size_bytes, n):
        return "what its log counts"
    end = connection.execute(
        "SELECT chain_hash FROM entry WHERE library = ? AND position = ?", (key, n)
    ).fetchone()
    if (log_start(library, epoch) if end is None else end[0]) != chain_hash:
        return "the end of its log"
    if connection.execute(
        "SELECT 1 FROM chunk_check LEFT JOIN blob ON blob.library = chunk_check.library"
        " AND blob.id = chunk_check.blob WHERE chunk_check.library = ?"
        " AND (blob.id IS NULL OR number NOT BETWEEN 0 AND held - 1) LIMIT 1",
        (key,),
    ).fetchone():
        return "the checks of its files"
    if not _do_chains_end(connection, key):
        return "where its chains end"
    if any(True for _ in find_damaged_snapshots(connection, key)):
        return "its snapshots"
    if find_damaged_statements(connection, key):
        return "where its members are"
    if any(device != author for device, author in _chain_devices(connection, key)):
        return "whose its chains are"
    return None


def _chain_devices(connection: sqlite3.Connection, key: int) -> Iterator[tuple[bytes, bytes]]:
    """Of each chain whose last entry is here: whose it is said to be, and who signed that entry."""
    for device, raw in connection.execute(
        "SELECT chain.device, envelope FROM chain JOIN entry ON entry.library = chain.library"
        " AND entry.chain = chain.id AND entry.seq = chain.seq WHERE chain.library = ?",
        (key,),
    ):
        try:
            author = parse_envelope(raw).header.device
        except EnvelopeError:
            continue  # the check of the entries says so
        yield device, author


def _chains(connection: sqlite3.Connection, key: int) -> Iterator[tuple[bytes, tuple[int, bytes]]]:
    for chain, seq, entry_hash in connection.execute(
        "SELECT id, seq, hash FROM chain WHERE library = ?", (key,)
    ):
        yield chain, (seq, entry_hash)


def _last_of_chains(
    connection: sqlite3.Connection, key: int
) -> Iterator[tuple[bytes, tuple[int, bytes]]]:
    for chain, seq, entry_hash in connection.execute(
        "SELECT chain, max(seq), hash FROM entry WHERE library = ? GROUP BY chain", (key,)
    ):
        yield chain, (seq, entry_hash)


def _do_chains_end(connection: sqlite3.Connection, key: int) -> bool:
    """Whether the chains end where the entries and the snapshots say, or, as a snapshot may have
    said that has gone since, further on."""
    said, ends = dict(_chains(connection, key)), dict(_last_of_chains(connection, key))
    covered = covered_ends(connection, key)
    for chain, one in covered.items():
        if one.seq > ends.get(chain, (0, b""))[0]:
            ends[chain] = one.seq, one.hash
    if not covered:
        return said == ends
    return all(
        said.get(chain) == end or said.get(chain, (0, b""))[0] > end[0]
        for chain, end in ends.items()
    )


def covered_ends(connection: sqlite3.Connection, key: int) -> dict[bytes, CoveredChain]:
    """Where each chain ends in the snapshots that are held whole, by its id in the log."""
    ends: dict[bytes, CoveredChain] = {}
    for (header,) in connection.execute(
        "SELECT header FROM snapshot WHERE library = ? AND whole", (key,)
    ):
        try:
            chains = parse_snapshot(header).header.chains
        except EnvelopeError:
            continue
        for one in chains:
            known = ends.get(one.author_chain)
            if known is None or one.seq > known.seq:
                ends[one.author_chain] = one
    return ends


def find_damaged_snapshots(connection: sqlite3.Connection, key: int) -> Iterator[int]:
    """The keys of a library's snapshots that are not what was stored: by their makers' signatures
    and the hashes of their chunks."""
    for snapshot, held_id, header, device, chunks, whole in connection.execute(
        "SELECT key, id, header, device, chunks, whole FROM snapshot WHERE library = ?", (key,)
    ).fetchall():
        try:
            said = parse_snapshot(header)
        except EnvelopeError:
            yield snapshot
            continue
        hashes: list[bytes] = []
        verdicts = connection.execute(
            "SELECT device, right_, raw FROM snapshot_verdict WHERE snapshot = ?", (snapshot,)
        ).fetchall()
        is_right = (said.id, said.header.device, said.header.chunks) == (held_id, device, chunks)
        is_right &= all(_is_verdict(one, said.id) for one in verdicts)
        for number, chunk_hash, sealed in connection.execute(
            "SELECT number, hash, sealed FROM snapshot_chunk WHERE snapshot = ? ORDER BY number",
            (snapshot,),
        ):
            is_right &= number == len(hashes) and content_hash(sealed) == chunk_hash
            hashes.append(chunk_hash)
        is_right &= not whole or root_of(hashes) == said.header.root
        if not is_right:
            yield snapshot


def _is_verdict(row: tuple[bytes, int, bytes], snapshot: bytes) -> bool:
    device, is_right, raw = row
    try:
        said = Verdict.parse(raw)
    except EnvelopeError:
        return False
    return (said.device, said.is_right, said.snapshot) == (device, bool(is_right), snapshot)


def find_damaged_statements(
    connection: sqlite3.Connection, key: int
) -> list[tuple[int, bytes, bytes]]:
    """Library, device and replica of each statement that is not what the device signed."""
    damaged = []
    for device, replica, n, raw in connection.execute(
        "SELECT device, replica, n, raw FROM statement WHERE library = ?", (key,)
    ):
        try:
            said = Statement.parse(raw)
            is_right = (said.device, said.replica, said.n) == (device, replica, n)
        except EnvelopeError:
            is_right = False
        if not is_right:
            damaged.append((key, device, replica))
    return damaged


def find_damaged_blobs(
    connection: sqlite3.Connection,
    folder: Path,
    key: int,
    library: bytes,
    among: Sequence[bytes] | None = None,
) -> Iterator[bytes]:
    """The blobs of a library (of these, if they are given) of which a chunk is not what was
    stored, or is not there."""
    for blob, size_bytes, held in connection.execute(
        "SELECT id, size_bytes, held FROM blob WHERE library = ?", (key,)
    ).fetchall():
        if among is not None and blob not in among:
            continue
        checks = dict(
            connection.execute(
                "SELECT number, hash FROM chunk_check WHERE library = ? AND blob = ?", (key, blob)
            )
        )
        if not _is_blob_whole(blob_path(folder, library, blob), size_bytes, held, checks):
            yield blob


def blob_path(folder: Path, library: bytes, blob: bytes) -> Path:
    """Where a blob's sealed bytes are, by the relay's folder."""
    name = blob.hex()
    return folder / BLOBS_NAME / library.hex() / name[:2] / name


def _is_blob_whole(path: Path, size_bytes: int, held: int, checks: dict[int, bytes]) -> bool:
    if sealed_chunk_count(size_bytes) is None:
        return False
    try:
        with path.open("rb") as file:
            for number in range(held):
                file.seek(sealed_chunk_place(number))
                length = sealed_chunk_length(size_bytes, number)
                sealed = file.read(length)
                known = checks.get(number)
                if len(sealed) != length or (known is not None and known != chunk_check(sealed)):
                    return False
    except (OSError, ValueError):
        return False
    return True


def check_all(path: Path, folder: Path) -> list[Damage]:
    """All that is damaged of a relay's file and its blobs; nothing is changed."""
    found: list[Damage] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if (reason := check_file(connection)) is not None:
            found.append(Damage(None, reason))
        try:
            for key, library in libraries(connection):
                found += check_library(connection, folder, key, library)
        except (sqlite3.DatabaseError, TypeError, ValueError) as error:
            found.append(Damage(None, str(error)))
    return found


class Round:
    """Checks of one relay's file that go round, a little at a time; each step opens the file."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path = path
        self._folder = folder
        self._key = 0
        self._library = b""
        self._position = 0
        self._blobs: list[bytes] | None = None

    def step(self) -> list[Damage]:
        """Check a little more; what is damaged of it."""
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                connection.execute("BEGIN")
                return self._step(connection)
        except sqlite3.OperationalError:
            return []  # busy or full: nothing is said of what it holds
        except (sqlite3.DatabaseError, TypeError, ValueError) as error:
            self._begin(0, b"")
            return [Damage(None, str(error))]

    def _begin(self, key: int, library: bytes) -> None:
        self._key, self._library, self._position, self._blobs = key, library, 0, None

    def _step(self, connection: sqlite3.Connection) -> list[Damage]:
        key, library = self._key, self._library
        here = connection.execute("SELECT id FROM library WHERE key = ?", (key,)).fetchone()
        if self._library and here is not None and here[0] == library:
            if self._blobs is None:
                return self._check_entries(connection, key, library)
            if self._blobs:
                some, self._blobs = self._blobs[:_BLOBS_AT_ONCE], self._blobs[_BLOBS_AT_ONCE:]
                bad = self._find_damaged_blobs(connection, key, library, some)
                return [Damage(library, f"{len(bad)} of its files")] if bad else []
        row = connection.execute(
            "SELECT key, id FROM library WHERE key > ? ORDER BY key LIMIT 1", (key,)
        ).fetchone()
        if row is not None:
            self._begin(*row)
            reason = find_damage(connection, *row)
            return [] if reason is None else [Damage(row[1], reason)]
        self._begin(0, b"")
        reason = check_file(connection)
        return [] if reason is None else [Damage(None, reason)]

    def _find_damaged_blobs(
        self, connection: sqlite3.Connection, key: int, library: bytes, among: Sequence[bytes]
    ) -> list[bytes]:
        """Of some blobs those that are damaged. What a member drops meanwhile is not: whatever
        seems to be is looked at again, by what the file says then."""
        bad = list(find_damaged_blobs(connection, self._folder, key, library, among))
        if bad:
            connection.execute("COMMIT")
            connection.execute("BEGIN")
            bad = list(find_damaged_blobs(connection, self._folder, key, library, bad))
        return bad

    def _check_entries(
        self, connection: sqlite3.Connection, key: int, library: bytes
    ) -> list[Damage]:
        checked = list(
            check_entries(
                connection, key, library, after=self._position, most=limits.RELAY_CHECKED_AT_ONCE
            )
        )
        if len(checked) < limits.RELAY_CHECKED_AT_ONCE:
            rows = connection.execute("SELECT id FROM blob WHERE library = ?", (key,))
            self._blobs = [blob for (blob,) in rows]
        if checked:
            self._position = checked[-1].position
        bad = sum(one.is_lost or one.is_wrong for one in checked)
        return [Damage(library, f"{bad} of its log's entries")] if bad else []


def check_library(
    connection: sqlite3.Connection, folder: Path, key: int, library: bytes
) -> Sequence[Damage]:
    """All that is damaged of one library."""
    found = []
    bad = sum(one.is_lost or one.is_wrong for one in check_entries(connection, key, library))
    if bad:
        found.append(Damage(library, f"{bad} of its log's entries"))
    if (reason := find_damage(connection, key, library)) is not None:
        found.append(Damage(library, reason))
    blobs = sum(1 for _ in find_damaged_blobs(connection, folder, key, library))
    if blobs:
        found.append(Damage(library, f"{blobs} of its files"))
    return found
