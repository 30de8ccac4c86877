"""An owner has a relay delete a library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.relay.test_blob_service import Bench

from bifolio.crypto.membership import deletion_message
from bifolio.wire.messages import Code
from bifolio_relay.requests import CreateLibrary, DeleteLibrary, LibraryInfo, OpenLibrary, Rejected

NONCE = b"n" * 32


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def deletion(bench: Bench, *, nonce: bytes = NONCE, device: bytes | None = None) -> DeleteLibrary:
    """The owner's wish, as it is taken on the connection with ``NONCE``."""
    message = deletion_message(nonce=nonce, library=bench.library.id)
    signature = bench.library.owner.sign(message)
    return DeleteLibrary(bench.library.id, device or bench.owner, NONCE, signature)


def creation(bench: Bench, *, again: bool) -> CreateLibrary:
    opening = OpenLibrary(bench.library.id, bench.owner, 0, None)
    return CreateLibrary(opening, bench.library.genesis, again=again)


def test_only_an_owner_deletes_a_library(bench: Bench) -> None:
    for wish in (
        deletion(bench, device=bench.editor),
        deletion(bench, device=bench.stranger),
        deletion(bench, nonce=b"o" * 32),  # of another connection
    ):
        answer = bench.answer(wish)
        assert isinstance(answer, Rejected)
        assert answer.code is Code.FORBIDDEN
    assert bench.answer(OpenLibrary(bench.library.id, bench.owner, 0, None)).head is not None


def test_a_deleted_library_is_given_back_by_nobody_unasked(bench: Bench) -> None:
    bench.put(0)
    bench.now_ms = 86_400_000
    answer = bench.answer(deletion(bench))
    assert (answer.code, answer.detail) == (Code.DELETED, "an owner deleted it here on 1970-01-02")
    assert bench.answer(OpenLibrary(bench.library.id, bench.owner, 0, None)) == LibraryInfo(None)
    assert bench.answer(creation(bench, again=False)).code is Code.DELETED
    assert bench.answer(deletion(bench)).code is Code.UNKNOWN_LIBRARY
    assert isinstance(bench.answer(creation(bench, again=True)), LibraryInfo)
    # Wanted again, it is one like others.
    assert isinstance(bench.answer(creation(bench, again=False)), LibraryInfo)
