"""The replica's own facts, a typed property each. Outside of a write transaction read afresh each
time: another process may have written them since.

Reading a property asks the file; assigning to it writes before the caller's transaction ends. A
value that is absent, or of a form that this version does not know, reads as the property's default;
the default is stored as nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar, overload

import msgpack
from msgspec import Struct

from bifolio.errors import NextStep, from_plain, to_plain
from bifolio.storage.database import Database
from bifolio.wire.position import LogPosition

#: What is remembered of the table in a transaction is under its name; larger values are read when
#: they are asked for.
_TABLE = "meta"
_LARGE_BYTES = 1024
_LARGE = b""

_WRITE = (
    "INSERT INTO meta (key, value) VALUES (?, ?) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)

T = TypeVar("T")
U = TypeVar("U")


class Rows:
    """The table as a write transaction sees it: its rows, those of them that are to be written, and
    the facts that were read of it."""

    def __init__(self, packed: dict[str, bytes | None]) -> None:
        self.packed = packed
        self.changed: dict[str, bytes | None] = {}
        self.facts: dict[str, Any] = {}


class OwnChain(Struct, frozen=True):
    """This replica's chain of envelopes: its id, author, last number and hash."""

    chain: bytes
    device: bytes
    seq: int
    head: bytes


class Standing(Struct, frozen=True):
    """What a device is in its library: its signing key, its role (empty: no member), how many
    members and owners there are, and whether a recovery code is good."""

    device: bytes
    role: str
    members: int
    owners: int
    has_recovery: bool


class FormerRelay(Struct, frozen=True):
    """A relay that the library left: its address, this computer's token for it (sealed), when it
    was left and last looked at, and whether it was told where the library is now."""

    url: str
    token: bytes
    left_ms: int
    looked_ms: int = 0
    is_told: bool = False


class RelayMove(Struct, frozen=True):
    """From where the library last moved, whose computer said so, and when this one followed."""

    url: str
    by: str
    at_ms: int


class SaidRelay(Struct, frozen=True):
    """Where an owner's record says that the library is: the address, the tag of whose computer said
    so, and the record's hash."""

    url: str
    by: str
    record: bytes


class Fact(Generic[T]):
    """A property of ``Meta``: one row of the table, with its default and its form."""

    def __init__(
        self,
        default: T,
        decode: Callable[[object], T | None],
        encode: Callable[[T], object] = lambda value: value,
    ) -> None:
        self.default = default
        self._decode = decode
        self._encode = encode
        self.key = ""

    def __set_name__(self, owner: type[Meta], name: str) -> None:
        self.key = name

    @overload
    def __get__(self, meta: None, owner: type[Meta]) -> Fact[T]: ...
    @overload
    def __get__(self, meta: Meta, owner: type[Meta]) -> T: ...
    def __get__(self, meta: Meta | None, owner: type[Meta]) -> T | Fact[T]:
        if meta is None:
            return self
        rows = meta.rows()
        if rows is not None and self.key in rows.facts:
            known: T = rows.facts[self.key]
            return known
        stored = meta.stored(self.key)
        value = None if stored is None else self._decode(stored)
        found = self.default if value is None else value
        if rows is not None:
            rows.facts[self.key] = found
        return found

    def __set__(self, meta: Meta, value: T) -> None:
        meta.store(self.key, None if value == self.default else self._encode(value))


def _of_type(kind: type[T]) -> Callable[[object], T | None]:
    return lambda stored: stored if isinstance(stored, kind) else None


def _mapping(kind: type[T]) -> Callable[[object], Mapping[str, T] | None]:
    def decode(stored: object) -> Mapping[str, T] | None:
        if not isinstance(stored, dict):
            return None
        return {str(key): value for key, value in stored.items() if isinstance(value, kind)}

    return decode


def _sequence(kind: type[T]) -> Callable[[object], Sequence[T] | None]:
    def decode(stored: object) -> Sequence[T] | None:
        if not isinstance(stored, list):
            return None
        return tuple(one for one in stored if isinstance(one, kind))

    return decode


def _pair(first: type[T], second: type[U]) -> Callable[[object], tuple[T, U] | None]:
    def decode(stored: object) -> tuple[T, U] | None:
        if not isinstance(stored, list) or len(stored) != 2:
            return None
        one, other = stored
        return (one, other) if isinstance(one, first) and isinstance(other, second) else None

    return decode


def _as_list(pair: tuple[object, object] | None) -> object:
    return None if pair is None else list(pair)


def _notes(stored: object) -> Sequence[tuple[str, NextStep | None]] | None:
    if not isinstance(stored, list):
        return None
    return tuple(
        (str(one[0]), from_plain(one[1]))
        for one in stored
        if isinstance(one, list) and len(one) == 2
    )


def _position(stored: object) -> LogPosition | None:
    if not isinstance(stored, list) or len(stored) != 3:
        return None
    return LogPosition(epoch=stored[0], position=stored[1], chain_hash=stored[2])


def _chain(stored: object) -> OwnChain | None:
    if not isinstance(stored, list) or len(stored) != 4:
        return None
    return OwnChain(chain=stored[0], device=stored[1], seq=stored[2], head=stored[3])


def _standing(stored: object) -> Standing | None:
    match stored:
        case [bytes() as device, str() as role, int() as members, int() as owners, bool() as code]:
            return Standing(device, role, members, owners, code)
    return None


def _former_relays(stored: object) -> Sequence[FormerRelay] | None:
    if not isinstance(stored, list):
        return None
    found: list[FormerRelay] = []
    for one in stored:
        match one:
            case [str() as url, bytes() as token, int() as left, int() as looked, bool() as told]:
                found.append(FormerRelay(url, token, left, looked, told))
    return tuple(found)


def _relay_move(stored: object) -> RelayMove | None:
    match stored:
        case [str() as url, str() as by, int() as at_ms]:
            return RelayMove(url, by, at_ms)
    return None


def _said_relay(stored: object) -> SaidRelay | None:
    match stored:
        case [str() as url, str() as by, bytes() as record]:
            return SaidRelay(url, by, record)
    return None


def _text(default: str = "") -> Fact[str]:
    return Fact(default, _of_type(str))


def _bytes() -> Fact[bytes]:
    return Fact(b"", _of_type(bytes))


def _flag() -> Fact[bool]:
    return Fact(False, _of_type(bool))


def _place(stored: object) -> tuple[int, str, int] | None:
    if not isinstance(stored, list) or [type(one) for one in stored] != [int, str, int]:
        return None
    version, record, number = stored
    return version, record, number


class Meta:
    """The ``meta`` table."""

    # --- which library and which replica this is ------------------------------------------
    library_id = _bytes()
    replica_id = _bytes()
    #: The version of what is derived (``storage.derived.DERIVED_VERSION``) that the tables hold.
    derived_version: Fact[int] = Fact(0, _of_type(int))
    #: Whether the changes of an older file were not read for the history yet.
    history_unread = _flag()
    #: How often changes that had touched records went (``ChangeIndex.remove``): their versions do
    #: not tell.
    history_cuts: Fact[int] = Fact(0, _of_type(int))

    #: The library's version through which things have short keys (``storage.short_keys``).
    short_keys_through: Fact[int] = Fact(0, _of_type(int))
    #: Where naming is, while more is new than is named at once: a version and the last of its
    #: records that is named, and the number of the next record of those that had no key when the
    #: library was first served (0: all have theirs).
    short_keys_behind: Fact[tuple[int, str, int] | None] = Fact(
        None, _place, lambda place: list(place or ())
    )

    # --- what the settings record says, for those who need no document --------------------
    name = _text()
    key_pattern = _text()
    #: The names of the devices by the tag of their slots.
    devices: Fact[Mapping[str, str]] = Fact({}, _mapping(str))
    #: Pairs of references that are different works: two ids with a space between.
    set_apart: Fact[Sequence[str]] = Fact((), _sequence(str), list)

    # --- time -----------------------------------------------------------------------------
    #: The greatest stamp that was given out or followed.
    clock = _text("0" * 18)
    #: The stamps of devices whose clock was ahead, by the tag of their slots.
    clocks_ahead: Fact[Mapping[str, str]] = Fact({}, _mapping(str))

    # --- what this replica writes ---------------------------------------------------------
    #: The signing key that this computer took for the library in the place of the one before.
    device_key = _bytes()
    #: By the tag of a device's earlier key the one of its present key.
    successors: Fact[Mapping[str, str]] = Fact({}, _mapping(str))
    #: The signing key and name under which this device is named in the settings.
    introduced: Fact[tuple[bytes, str] | None] = Fact(None, _pair(bytes, str), _as_list)
    #: The set hash over all records (DESIGN §6).
    state_hash: Fact[int] = Fact(
        0,
        lambda stored: int.from_bytes(stored, "big") if isinstance(stored, bytes) else None,
        lambda value: value.to_bytes(32, "big"),
    )
    #: The merged envelopes that no other merged envelope names.
    frontier: Fact[Sequence[bytes]] = Fact((), _sequence(bytes), list)
    #: The envelope, of whatever chain, that carries this replica's previous change.
    last_own = _bytes()
    #: The chain that the next envelope of this replica continues; None: it begins a new one.
    own_chain: Fact[OwnChain | None] = Fact(
        None, _chain, lambda one: [one.chain, one.device, one.seq, one.head] if one else None
    )
    #: The sizes of records that no envelope could hold, by id.
    too_large: Fact[Mapping[str, int]] = Fact({}, _mapping(int))

    #: The kinds of the membership records that only a newer program knows.
    newer_members: Fact[Sequence[str]] = Fact((), _sequence(str), list)
    #: What the device that last read the membership log is by it; None before one did.
    standing: Fact[Standing | None] = Fact(
        None,
        _standing,
        lambda one: (
            [one.device, one.role, one.members, one.owners, one.has_recovery] if one else None
        ),
    )
    #: The names that the membership log gives devices, by the tag of their slots.
    member_names: Fact[Mapping[str, str]] = Fact({}, _mapping(str))
    #: What devices called themselves when they joined, by the tag of their slots.
    joined_names: Fact[Mapping[str, str]] = Fact({}, _mapping(str))
    #: The beginnings of members' and former ones' keys, by which they can be named, by their tags.
    member_ids: Fact[Mapping[str, str]] = Fact({}, _mapping(str))
    #: The last row of ``changes`` that a relay had when the library came to another log.
    sent_through: Fact[int] = Fact(0, _of_type(int))
    #: Membership records of a log that lost against the relay's, to be carried on top of it.
    lost_members: Fact[Sequence[bytes]] = Fact((), _sequence(bytes), list)
    #: The end of the membership log by which what lies behind the cuts was taken back.
    cut_off_at = _bytes()
    #: What the program could read that last tried what is kept for a newer one.
    envelope_formats = _text()

    # --- the check of a sample ------------------------------------------------------------
    #: Up to which change and which record the file was checked, a sample with each sync.
    sampled: Fact[tuple[int, str] | None] = Fact(None, _pair(int, str), _as_list)
    #: The tables in which a sample was damaged, until the library is mended.
    damaged_tables: Fact[Sequence[str]] = Fact((), _sequence(str), list)

    # --- deletions of others --------------------------------------------------------------
    #: Whether what others deleted is shown on until the user confirms it.
    deletions_shown_on = _flag()
    #: The number of the last reference that was here when this replica last had everything.
    shown_through: Fact[int] = Fact(0, _of_type(int))
    #: Whether this replica was made from another one, and has never had everything yet.
    is_filling = _flag()

    # --- bundles --------------------------------------------------------------------------
    #: The secret of the ticket with which this device joined by a bundle, sealed to it.
    ticket_secret = _bytes()
    #: The newest envelope, by its number here, that a bundle was written with, and when.
    bundled: Fact[tuple[int, int] | None] = Fact(None, _pair(int, int), _as_list)
    #: The backup from before this library joined another one, by its path.
    join_backup = _text()
    #: When a bundle was last taken in.
    bundle_taken_ms: Fact[int] = Fact(0, _of_type(int))

    # --- the relay ------------------------------------------------------------------------
    relay_url = _text()
    #: The relay from which this computer was detached, until it comes to one again.
    detached_from = _text()
    #: The token that allows this library on the relay, sealed to this device; empty without one.
    relay_token = _bytes()
    #: Whether the library came to another relay, whose log has nothing to do with the cursor.
    is_at_another_relay = _flag()
    #: The record that says where the library is, once it needs nothing more here.
    relay_notice = _bytes()
    #: Where an owner said that the library is, as far as this device can read it.
    said_relay: Fact[SaidRelay | None] = Fact(
        None, _said_relay, lambda one: [one.url, one.by, one.record] if one else None
    )
    #: The relays that the library left, which may not know it yet.
    former_relays: Fact[Sequence[FormerRelay]] = Fact(
        (),
        _former_relays,
        lambda all: [[one.url, one.token, one.left_ms, one.looked_ms, one.is_told] for one in all],
    )
    relay_move: Fact[RelayMove | None] = Fact(
        None, _relay_move, lambda one: [one.url, one.by, one.at_ms] if one else None
    )
    #: How far the relay's log is merged; None before the first contact.
    cursor: Fact[LogPosition | None] = Fact(
        None, _position, lambda at: [at.epoch, at.position, at.chain_hash] if at else None
    )
    #: Where the log is to be pulled from again, for what was not kept; None where all was.
    pull_again: Fact[LogPosition | None] = Fact(
        None, _position, lambda at: [at.epoch, at.position, at.chain_hash] if at else None
    )
    #: What a log that somebody removed took away: the stamps of the last edit that is here, and of
    #: the last one that was made. None where nothing is missing.
    lost_edits: Fact[tuple[str, str] | None] = Fact(None, _pair(str, str), _as_list)
    #: What was damaged here and comes again with the relay's log: the records that are to be made
    #: again after it. None where nothing is.
    refill: Fact[Sequence[str] | None] = Fact(
        None, _sequence(str), lambda ids: None if ids is None else list(ids)
    )
    #: How many envelopes were not kept, by the tag of an author of whom too many wait; by the
    #: empty text, of computers that are no members as far as is known.
    not_kept: Fact[Mapping[str, int]] = Fact({}, _mapping(int))
    #: The last row of ``changes`` that was there when the user last read what others did.
    log_read_through: Fact[int] = Fact(0, _of_type(int))
    reachable = _flag()
    #: Whether the relay was ever asked for anything since the library came to it.
    was_asked = _flag()
    last_sync_ms: Fact[int] = Fact(0, _of_type(int))
    #: What syncs found wrong, with the next step: for ``status``.
    notes: Fact[Sequence[tuple[str, NextStep | None]]] = Fact(
        (), _notes, lambda all: [[reason, to_plain(step)] for reason, step in all]
    )
    #: Devices that were told another log than this replica, with the position, by their tag.
    other_stories: Fact[Mapping[str, int]] = Fact({}, _mapping(int))
    files_policy = _text()
    #: The relay's epoch, and how many drops of blobs it had counted.
    blob_drops: Fact[tuple[bytes, int] | None] = Fact(None, _pair(bytes, int), _as_list)
    #: The relay's count and hash of blobs by which something was last noted to be there.
    blob_tally: Fact[tuple[int, bytes] | None] = Fact(None, _pair(int, bytes), _as_list)

    # --- statements and snapshots -----------------------------------------------------------
    #: The position that this replica last stated, and the time that the statement names.
    stated: Fact[tuple[int, int] | None] = Fact(None, _pair(int, int), _as_list)
    #: When that was by this computer's time, which may have been set since.
    stated_at_ms: Fact[int] = Fact(0, _of_type(int))
    #: Since when statements of others are asked for; 0 before.
    stated_since_ms: Fact[int] = Fact(0, _of_type(int))
    #: The log's epoch, and the position in it that every replica has passed that is still there.
    passed_by_all: Fact[tuple[bytes, int] | None] = Fact(None, _pair(bytes, int), _as_list)
    #: A position of this log, and the time (ms) when it was reached: what nothing named then is
    #: passed with it. And the last such time that every replica has passed.
    unnamed_epoch = _bytes()
    unnamed_mark: Fact[tuple[int, int] | None] = Fact(None, _pair(int, int), _as_list)
    unnamed_passed_ms: Fact[int] = Fact(0, _of_type(int))
    #: Up to which row of ``changes`` it is noted what incarnations devices declared.
    declared_through: Fact[int] = Fact(0, _of_type(int))
    #: The frontier of the last snapshot that was merged.
    covered_frontier: Fact[Sequence[bytes]] = Fact((), _sequence(bytes), list)
    #: The signed header of a snapshot that is being merged: until that is done nothing is pulled.
    snapshot_loading = _bytes()
    #: The signed header of a snapshot of this replica's that is not on the relay yet.
    snapshot_made = _bytes()
    #: When the relay last said which snapshots it holds.
    snapshots_looked_ms: Fact[int] = Fact(0, _of_type(int))
    #: When a snapshot that is due may be made; 0 where none is.
    snapshot_not_before_ms: Fact[int] = Fact(0, _of_type(int))
    #: The signed header of the snapshot that was loaded last, whose chunks are kept, and what
    #: members had found of it.
    snapshot_kept = _bytes()
    snapshot_kept_verdicts: Fact[Sequence[bytes]] = Fact((), _sequence(bytes), list)
    #: When a snapshot last brought changes that are not here one by one, by this computer's time.
    snapshot_loaded_ms: Fact[int] = Fact(0, _of_type(int))
    #: The position and the size of the newest snapshot that is known to be on the relay.
    snapshot_last: Fact[tuple[int, int] | None] = Fact(None, _pair(int, int), _as_list)
    #: The snapshot that was loaded on its maker's word alone, as long as nobody else has said the
    #: same: of what came with it this replica can vouch for nothing.
    snapshot_unproved = _bytes()
    #: Another's envelope for which a relay's log lacks what is before it in its chain, and the
    #: epoch of that log; and the one for which a snapshot was sent.
    gap: Fact[tuple[bytes, bytes] | None] = Fact(None, _pair(bytes, bytes), _as_list)
    gap_answered = _bytes()

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self) -> Rows | None:
        """In a write transaction all rows, read once; None outside of one. For ``Fact``."""
        remembered = self._database.remembered
        if remembered is None:
            return None
        rows: Rows | None = remembered.get(_TABLE)
        if rows is None:
            rows = remembered[_TABLE] = Rows(self._read_all())
        return rows

    def stored(self, key: str) -> object:
        """What a row holds, or None. For ``Fact``."""
        rows = self.rows()
        if rows is None:
            packed = self._read(key)
        else:
            packed = rows.packed.get(key)
            if packed == _LARGE:
                packed = rows.packed[key] = self._read(key)
        return None if packed is None else msgpack.unpackb(packed)

    def store(self, key: str, value: object) -> None:
        """Write a row (anything msgpack holds); None removes it. Where the transaction ends all
        are written that it changed. For ``Fact``."""
        packed = None if value is None else msgpack.packb(value)
        rows = self.rows()
        if rows is None:
            self._write({key: packed})
            return
        rows.facts.pop(key, None)
        if not rows.changed:
            self._database.before_end(partial(self._write_changed, rows))
        rows.packed[key] = rows.changed[key] = packed

    def _write_changed(self, rows: Rows) -> None:
        changed, rows.changed = rows.changed, {}
        self._write(changed)
        assert self._database.remembered is not None
        self._database.remembered[_TABLE] = rows  # as it is written now

    def _write(self, changed: Mapping[str, bytes | None]) -> None:
        self._database.execute_many(_WRITE, [one for one in changed.items() if one[1] is not None])
        gone = [(key,) for key, packed in changed.items() if packed is None]
        self._database.execute_many("DELETE FROM meta WHERE key = ?", gone)

    def _read(self, key: str) -> bytes | None:
        row = self._database.row("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def _read_all(self) -> dict[str, bytes | None]:
        """Every row at once: a write needs about ten of some forty."""
        rows = self._database.rows(
            "SELECT key, CASE WHEN length(value) <= ? THEN value ELSE ? END FROM meta",
            (_LARGE_BYTES, _LARGE),
        )
        return dict(rows)

    def forget(self, *facts: str) -> None:
        """Bring facts back to their defaults, by name."""
        for name in facts:
            assert isinstance(vars(Meta)[name], Fact)
            self.store(name, None)
