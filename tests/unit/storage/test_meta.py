"""The replica's own facts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.cases import each
from tests.unit.storage.builders import new_database

from bifolio.errors import Next, NextStep, next_step
from bifolio.storage.database import Database
from bifolio.storage.meta import Fact, FormerRelay, Meta, OwnChain, RelayMove, SaidRelay, Standing
from bifolio.wire.position import LogPosition


@pytest.fixture
def meta(tmp_path: Path) -> Meta:
    return Meta(new_database(tmp_path))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Meta:
    """One file for all tests of single facts, which forget what they store."""
    return Meta(new_database(tmp_path_factory.mktemp("meta")))


POSITION = LogPosition(b"e" * 16, 9, b"h" * 32)
CHAIN = OwnChain(b"c" * 16, b"d" * 32, 3, b"h" * 32)

#: A value that is not the default for each fact.
VALUES: dict[str, object] = {
    "member_ids": {"tag": "a1b2c3"},
    "relay_move": RelayMove("ws://old", "Ada's laptop", 12),
    "device_key": b"k" * 32,
    "relay_notice": b"record",
    "detached_from": "ws://old",
    "former_relays": (FormerRelay("ws://old", b"sealed", 12, 13, True),),
    "successors": {"abc": "def"},
    "is_at_another_relay": True,
    "was_asked": True,
    "library_id": b"l" * 16,
    "replica_id": b"r" * 16,
    "derived_version": 3,
    "history_unread": True,
    "history_cuts": 2,
    "name": "Thesis",
    "key_pattern": "[auth]",
    "short_keys_through": 7,
    "short_keys_behind": (8, "record", 9),
    "devices": {"abc": "office"},
    "set_apart": ("one two",),
    "clock": "1" * 18,
    "clocks_ahead": {"abc": "2" * 18},
    "introduced": (b"k" * 32, "office"),
    "state_hash": (1 << 256) - 1,
    "frontier": (b"a" * 32, b"b" * 32),
    "last_own": b"o" * 32,
    "cut_off_at": b"h" * 32,
    "own_chain": CHAIN,
    "too_large": {"record": 7},
    "standing": Standing(b"d" * 32, "owner", 3, 1, True),
    "member_names": {"tag": "Ada's laptop"},
    "joined_names": {"tag": "laptop"},
    "sent_through": 12,
    "log_read_through": 34,
    "newer_members": ("role",),
    "envelope_formats": "headers 1; contents 1.1",
    "relay_url": "ws://relay",
    "cursor": POSITION,
    "pull_again": POSITION,
    "refill": ("record",),
    "lost_edits": ("1" * 18, "2" * 18),
    "lost_members": (b"record",),
    "other_stories": {"QRpjzkRa": 7},
    "relay_token": b"sealed",
    "not_kept": {"QRpjzkRa": 2, "": 1},
    "reachable": True,
    "last_sync_ms": 12,
    "sampled": (7, "record"),
    "damaged_tables": ("refs",),
    "join_backup": "/backups/one.bifolio-backup",
    "said_relay": SaidRelay("wss://relay.example", "QRpjzkRa", b"h" * 32),
    "bundled": (7, 12),
    "bundle_taken_ms": 12,
    "ticket_secret": b"sealed",
    "deletions_shown_on": True,
    "shown_through": 7,
    "is_filling": True,
    "notes": (("reason", NextStep(Next.RUN_SYNC)), ("none", None)),
    "files_policy": "all",
    "blob_drops": (b"e" * 16, 2),
    "blob_tally": (4, b"t" * 32),
    "stated": (7, 1_700_000_000_000),
    "stated_at_ms": 1_700_000_000_001,
    "stated_since_ms": 1_700_000_000_000,
    "passed_by_all": (b"epoch", 7),
    "unnamed_epoch": b"epoch",
    "unnamed_mark": (7, 1_700_000_000_000),
    "unnamed_passed_ms": 1_700_000_000_000,
    "declared_through": 12,
    "covered_frontier": (b"a" * 32,),
    "snapshot_loading": b"header",
    "snapshot_made": b"header",
    "snapshots_looked_ms": 5,
    "snapshot_not_before_ms": 6,
    "snapshot_kept": b"header",
    "snapshot_kept_verdicts": (b"verdict",),
    "snapshot_loaded_ms": 9,
    "snapshot_last": (7, 8),
    "snapshot_unproved": b"snapshot",
    "gap": (b"epoch", b"hash"),
    "gap_answered": b"hash",
}


def facts() -> dict[str, Fact[object]]:
    return {name: fact for name, fact in vars(Meta).items() if isinstance(fact, Fact)}


def test_every_fact_is_tried_here() -> None:
    assert sorted(facts()) == sorted(VALUES)


@each("name", VALUES)
def test_a_fact_comes_back_and_its_default_is_stored_as_nothing(kept: Meta, name: str) -> None:
    default = facts()[name].default
    kept.forget(name)  # what a new file begins with
    assert getattr(kept, name) == default
    setattr(kept, name, VALUES[name])
    assert getattr(kept, name) == VALUES[name] != default
    setattr(kept, name, default)
    assert kept.stored(name) is None


@each("name", VALUES)
def test_a_value_of_a_form_that_nobody_knows_reads_as_something_harmless(
    kept: Meta, name: str
) -> None:
    harmless = (type(facts()[name].default), type(VALUES[name]))
    for foreign in (1.5, [7, 7, 7, 7, 7], {"a": [1]}, "\u2028"):
        kept.store(name, foreign)
        assert type(getattr(kept, name)) in harmless, foreign
    kept.forget(name)


def test_a_note_of_an_earlier_version_has_its_words(meta: Meta) -> None:
    meta.store("notes", [["The relay lost a part.", "Nothing to do."]])
    assert meta.notes == (
        ("The relay lost a part.", next_step(Next.ADVICE, text="Nothing to do.")),
    )


def test_forgotten_facts_are_at_their_defaults(meta: Meta) -> None:
    meta.cursor, meta.last_own = POSITION, b"o" * 32
    meta.forget("cursor", "last_own")
    assert [meta.stored(name) for name in ("cursor", "last_own")] == [None, None]


def test_what_another_process_wrote_is_seen_at_once(meta: Meta, tmp_path: Path) -> None:
    meta.name = "before"
    Meta(Database.open(tmp_path / "library.sqlite")).name = "after"
    assert meta.name == "after"
