"""What every store of statements and snapshots must do; it is the stores of logs that hold them.

With two on the same data, the first is written to and the second is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_blob_storage import Bench
from tests.contract.test_log_storage import STORES
from tests.support.in_loop import InLoop

from bifolio.crypto.snapshot import CoveredChain, root_of
from bifolio.ids import content_hash
from bifolio_relay.storage import ChainHead, HeldSnapshot, HeldStatement, HeldVerdict, Stop

DESK, LAPTOP = b"d" * 32, b"l" * 32
CHUNKS = (b"first chunk", b"second chunk")
ROOT = root_of([content_hash(one) for one in CHUNKS])
SNAPSHOT = HeldSnapshot(
    id=b"s" * 32,
    header=b"header",
    device=DESK,
    carrier=LAPTOP,
    n=4,
    chunks=2,
    size_bytes=23,
    begun_ms=5,
    touched_ms=5,
)
STATEMENT = HeldStatement(DESK, b"r" * 16, 7, 12, b"statement")
CHAIN = CoveredChain(DESK, b"c" * 16, 9, b"h" * 32)


class SnapshotBench(Bench):
    """The same, for statements and snapshots."""

    def _open(self) -> None:
        super()._open()
        self.snapshots: Any = InLoop(self._runner, self.instances[0].snapshots)
        self.told: Any = InLoop(self._runner, self.instances[-1].snapshots)

    def send(self) -> None:
        """A whole snapshot."""
        self.snapshots.add_snapshot(self.library, SNAPSHOT)
        for number, sealed in enumerate(CHUNKS):
            held = self.snapshots.store_chunk(self.library, SNAPSHOT.id, number, sealed, now_ms=6)
            assert held == number + 1


@pytest.fixture(params=[(name, count) for name in STORES for count in (1, 2)], ids=str)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SnapshotBench]:
    name, count = request.param
    made = SnapshotBench(STORES[name], tmp_path, count)
    yield made
    made.close()


def test_the_newest_statement_of_each_replica_is_kept(bench: SnapshotBench) -> None:
    later = replace(STATEMENT, n=9, raw=b"later")
    other = replace(STATEMENT, replica=b"o" * 16)
    for one in (STATEMENT, other, later):
        bench.snapshots.write_statement(bench.library, one, dropped=())
    assert set(bench.told.read_statements(bench.library)) == {later, other}
    bench.snapshots.write_statement(bench.library, later, dropped=[(DESK, b"o" * 16)])
    bench.reopen()
    assert bench.told.read_statements(bench.library) == (later,)


def test_chunks_come_one_after_the_other_and_survive(bench: SnapshotBench) -> None:
    store = bench.snapshots.store_chunk
    bench.snapshots.add_snapshot(bench.library, SNAPSHOT)
    assert store(bench.library, SNAPSHOT.id, 1, CHUNKS[1], now_ms=6) is Stop.MOVED
    assert store(bench.library, SNAPSHOT.id, 0, CHUNKS[0], now_ms=6) == 1
    assert bench.snapshots.store_chunk(bench.library, b"x" * 32, 0, b"x", now_ms=6) is Stop.MOVED
    bench.reopen()
    assert bench.snapshots.store_chunk(bench.library, SNAPSHOT.id, 0, b"other", now_ms=7) == 1
    assert bench.told.read_chunk(bench.library, SNAPSHOT.id, 0) == CHUNKS[0]
    assert bench.told.read_chunk(bench.library, SNAPSHOT.id, 1) is None
    (held,) = bench.told.read_snapshots(bench.library)
    assert (held.held, held.stored_bytes, held.is_whole) == (1, len(CHUNKS[0]), False)


def test_it_is_whole_only_with_the_chunks_that_were_signed(bench: SnapshotBench) -> None:
    bench.send()
    finish = bench.snapshots.finish_snapshot
    assert not finish(bench.library, SNAPSHOT.id, root=b"w" * 32, chains=())
    assert not bench.told.read_snapshots(bench.library)[0].is_whole
    assert finish(bench.library, SNAPSHOT.id, root=ROOT, chains=())
    assert bench.told.read_snapshots(bench.library)[0].is_whole


def test_chains_end_where_a_snapshot_of_a_lost_log_says(bench: SnapshotBench) -> None:
    bench.send()
    assert bench.snapshots.finish_snapshot(
        bench.library, SNAPSHOT.id, root=ROOT, chains=(CHAIN, replace(CHAIN, chain=b"o" * 16))
    )
    heads = bench.store.read_heads(bench.library, [CHAIN.author_chain])
    assert heads.chains[CHAIN.author_chain] == ChainHead(DESK, 9, b"h" * 32)
    lower = replace(CHAIN, seq=3, hash=b"l" * 32)
    bench.snapshots.finish_snapshot(bench.library, SNAPSHOT.id, root=ROOT, chains=(lower,))
    heads = bench.store.read_heads(bench.library, [CHAIN.author_chain])
    assert heads.chains[CHAIN.author_chain].seq == 9


def test_verdicts_and_marks_go_with_their_snapshot(bench: SnapshotBench) -> None:
    bench.send()
    write = bench.snapshots.write_verdict
    write(bench.library, SNAPSHOT.id, HeldVerdict(LAPTOP, False, b"wrong"))
    write(bench.library, SNAPSHOT.id, HeldVerdict(LAPTOP, True, b"right"))
    bench.snapshots.mark_attested(bench.library, SNAPSHOT.id, True)
    (held,) = bench.told.read_snapshots(bench.library)
    assert held.verdicts == (HeldVerdict(LAPTOP, True, b"right"),)
    assert held.is_attested
    bench.snapshots.remove_snapshots(bench.library, [SNAPSHOT.id])
    assert bench.told.read_snapshots(bench.library) == ()
    assert bench.told.read_chunk(bench.library, SNAPSHOT.id, 0) is None


def test_nothing_is_kept_of_a_library_that_is_not_held(bench: SnapshotBench) -> None:
    other = b"o" * 16
    bench.snapshots.write_statement(other, STATEMENT, dropped=())
    bench.snapshots.add_snapshot(other, SNAPSHOT)
    assert bench.told.read_statements(other) == ()
    assert bench.told.read_snapshots(other) == ()
