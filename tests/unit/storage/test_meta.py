"""The replica's own facts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.storage.builders import new_database

from bifolio.storage.database import Database
from bifolio.storage.meta import Meta, OwnChain
from bifolio.wire.position import LogPosition


@pytest.fixture
def meta(tmp_path: Path) -> Meta:
    return Meta(new_database(tmp_path))


def test_facts_come_back_with_their_type(meta: Meta) -> None:
    for key, value in (("a", "text"), ("b", b"raw"), ("c", 7), ("d", ["x", 1, None]), ("e", {})):
        meta.write(key, value)
        assert meta.read(key) == value
    assert (meta.text("a"), meta.raw("b"), meta.number("c")) == ("text", b"raw", 7)


def test_what_is_not_there_or_of_another_type_is_the_default(meta: Meta) -> None:
    meta.write("a", "text")
    assert meta.number("a", 5) == 5
    assert meta.raw("a") == b""
    assert meta.text("missing", "none") == "none"
    assert meta.read("missing") is None


def test_writing_nothing_removes(meta: Meta) -> None:
    meta.write("a", "text")
    meta.write("a", None)
    meta.write("a", None)
    assert meta.read("a") is None


def test_the_cursor_the_frontier_the_chain_and_the_hash_come_back(meta: Meta) -> None:
    assert (meta.cursor(), meta.own_chain(), meta.frontier(), meta.state_hash()) == (
        None,
        None,
        [],
        0,
    )
    position = LogPosition(b"e" * 16, 9, b"h" * 32)
    chain = OwnChain(b"c" * 16, b"d" * 32, 3, b"h" * 32)
    meta.write_cursor(position)
    meta.write_own_chain(chain)
    meta.write_frontier([b"a" * 32, b"b" * 32])
    meta.write_state_hash((1 << 256) - 1)
    assert meta.cursor() == position
    assert meta.own_chain() == chain
    assert meta.frontier() == [b"a" * 32, b"b" * 32]
    assert meta.state_hash() == (1 << 256) - 1
    meta.write_cursor(None)
    meta.write_own_chain(None)
    assert meta.cursor() is None
    assert meta.own_chain() is None


def test_what_another_process_wrote_is_seen_at_once(meta: Meta, tmp_path: Path) -> None:
    meta.write("a", "before")
    Meta(Database.open(tmp_path / "library.sqlite")).write("a", "after")
    assert meta.text("a") == "after"
