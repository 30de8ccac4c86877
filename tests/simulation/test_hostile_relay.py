"""A relay that lies: whatever it says, nothing is lost, nothing is believed, and it ends.

``ATTACKS`` are the lies. Of each: a sync ends within so many messages and seconds; what the user is
to know is said; and on the next honest relay everything is as if there had been no lie.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
import tracemalloc
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from tests.simulation.hostile_attacks import ATTACKS
from tests.simulation.hostile_world import EVIL, GOOD, World
from tests.support import hostile_relay
from tests.support.hostile_relay import Attack, Line, Network, RewrittenLog
from tests.unit.replica.builders import Computer

from bifolio import limits
from bifolio.crypto.envelope import parse_envelope
from bifolio.errors import Next, RelayConductError
from bifolio.ids import device_tag
from bifolio.replication import client
from bifolio.replication.remote import Remote
from bifolio.sync import backoff
from bifolio.sync.counts import Counts


def _named() -> list[object]:
    """In the default run one or two of each kind, and in the long one all."""
    return [
        pytest.param(name, id=name, marks=[pytest.mark.heavy] if case.heavy else [])
        for name, case in ATTACKS.items()
    ]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        World.prepare(folder, Network.of(patch))
    return folder


@pytest.fixture
def world(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(limits, "ANSWER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(limits, "FRUITLESS_MESSAGES_MAX", 48)  # a sixth of the time
    shutil.copytree(prepared, tmp_path / "world")
    return World(tmp_path / "world", Network.of(monkeypatch))


@pytest.mark.parametrize("name", _named())
def test_a_lie_is_seen_or_does_no_harm(world: World, name: str) -> None:
    case = ATTACKS[name]
    world.suffer(case.make(world))
    read = world.sentences()
    print(f"{name} | {read}")
    if case.reads:
        assert re.search(case.reads, read), read
    world.recover(on=GOOD)
    world.check()
    world.close()


# --- how much it costs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "garbage_without_end",
        pytest.param("large_garbage_without_end", marks=pytest.mark.heavy),
        pytest.param("strangers_without_end", marks=pytest.mark.heavy),
        pytest.param("blobs_without_end", marks=pytest.mark.heavy),
        pytest.param("messages_of_later_versions_without_end", marks=pytest.mark.heavy),
    ],
)
def test_what_has_no_end_takes_no_memory_and_next_to_no_disk(world: World, name: str) -> None:
    alice = world.alice
    world.suffer(ATTACKS[name].make(world), rounds=1)
    kept = _rows(alice), _database_bytes(alice)
    tracemalloc.start()
    try:
        for _ in range(2):
            assert isinstance(world.sync(alice), RelayConductError)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"{name}: {peak / 1e6:.1f} MB at most")
    assert peak < 12_000_000
    rows, size = _rows(alice), _database_bytes(alice)
    assert rows["refused"] <= limits.REFUSED_KEPT_MAX
    assert rows["log_hashes"] - kept[0]["log_hashes"] <= 2 * limits.FRUITLESS_MESSAGES_MAX + 2
    assert {one: rows[one] for one in ("changes", "pending", "newer_envelopes")} == {
        one: kept[0][one] for one in ("changes", "pending", "newer_envelopes")
    }
    assert size - kept[1] < 8_000_000


def _rows(computer: Computer) -> dict[str, int]:
    return {name: len(rows) for name, rows in computer.tables().items()}


def _database_bytes(computer: Computer) -> int:
    return sum(path.stat().st_size for path in computer.replica.path.rglob("*") if path.is_file())


def test_what_members_sign_never_ends_a_sync_however_much_of_it_is_rubbish(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FRUITLESS_MESSAGES_MAX", 8)
    monkeypatch.setattr(hostile_relay, "PAGE", 1)
    world.network.set(EVIL, world.evil, ATTACKS["helped_signs_rubbish"].make(world))
    assert world.sync(world.alice) is None


# --- what is kept back, and what is told differently ---------------------------------------------


def test_of_whom_nothing_comes_any_more_status_says_since_when(world: World) -> None:
    tag = device_tag(world.alice.keys.sign_public)
    before = world.bob.replica.heard.read_all()[tag]
    world.alice.waits(3600.0)
    world.suffer(ATTACKS["withholds_one_author"].make(world), rounds=1)
    assert world.bob.replica.heard.read_all()[tag] == before
    (heard,) = [one for one in world.status(world.bob).heard if one.device == "alice"]
    assert heard.at is not None
    world.recover()
    assert world.bob.replica.heard.read_all()[tag] > before
    (later,) = [one for one in world.status(world.bob).heard if one.device == "alice"]
    assert later.at is not None
    assert later.at > heard.at
    world.close()


def test_who_was_told_another_story_finds_out_on_the_next_relay_they_share(world: World) -> None:
    """The relay gives each of the two what it pushed itself, and nothing of the other's."""

    def own(log: list[bytes], line: Line) -> list[bytes]:
        assert line.hello is not None
        other = next(
            one for one in world.honest if one.keys.sign_public != line.hello.device
        ).keys.sign_public
        return [raw for raw in log if parse_envelope(raw).header.device != other]

    world.suffer(RewrittenLog(own, epoch=b"e" * 16), rounds=3)
    assert "different things" not in world.sentences()
    assert world.alice.state != world.bob.state
    world.recover()
    world.check()
    for one, other in (world.honest, world.honest[::-1]):
        (found,) = [
            refusal
            for refusal in world.status(one).refusals
            if "different things" in refusal.reason
        ]
        assert f"told {other.name} and this computer" in found.reason
        assert "it is not honest" in found.reason
        assert found.next is not None
        assert found.next.code is Next.COMPARE_STATES
    world.close()


# --- a running watch -----------------------------------------------------------------------------


class CountedWaits:
    """In place of the waits between attempts: none is waited, and each is counted."""

    def __init__(self) -> None:
        self.bounds_s: list[float] = []
        self._real = backoff.RECONNECT

    def waits(self, _random: object) -> Iterator[float]:
        for failures in itertools.count():
            self.bounds_s.append(self._real.bound_s(failures))
            yield 0.0


def settles_and_cuts(_: World) -> Attack:
    class Settles(Attack):
        def waits(self, line: Line) -> bool:
            line.cut()
            return True

    return Settles()


def takes_keeps_nothing_and_cuts(world: World) -> Attack:
    before = world.evil.log()

    class Takes(RewrittenLog):
        def waits(self, line: Line) -> bool:
            line.cut()
            return True

    return Takes(lambda _log, _: before, keeps=False)


def another_epoch_and_cuts(_: World) -> Attack:
    count = itertools.count()

    class Again(RewrittenLog):
        def begin(self, _: Line) -> None:
            self._epoch = next(count).to_bytes(16)

        def waits(self, line: Line) -> bool:
            line.cut()
            return True

    return Again(lambda log, _: log)


LOOPS: dict[str, Callable[[World], Attack]] = {
    "settles_and_cuts": settles_and_cuts,
    "takes_keeps_nothing_and_cuts": takes_keeps_nothing_and_cuts,
    "another_epoch_and_cuts": another_epoch_and_cuts,
    "cuts": ATTACKS["cuts"].make,
    "joins_again_and_again": ATTACKS["welcomes_without_a_role"].make,
    "byes_once": ATTACKS["byes_once"].make,
    "byes_until_later": ATTACKS["byes_until_later"].make,
}


@pytest.mark.parametrize(
    "name",
    [
        "takes_keeps_nothing_and_cuts",
        "joins_again_and_again",
        *(
            pytest.param(name, marks=pytest.mark.heavy)
            for name in LOOPS
            if name not in ("takes_keeps_nothing_and_cuts", "joins_again_and_again")
        ),
    ],
)
def test_a_watch_comes_back_ever_more_slowly(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts, waits = 25, CountedWaits()
    monkeypatch.setattr(backoff, "RECONNECT", waits)
    monkeypatch.setattr(client, "_TICK_S", 0.02)
    alice = world.alice
    world.network.set(EVIL, world.evil, LOOPS[name](world))
    world.network.lines.clear()
    world.edit("watched", alice)

    async def watched() -> None:
        rounds = Remote(alice.replica, alice.member_log).watch(lambda _: None)
        async with aclosing(rounds):
            following = asyncio.ensure_future(_drained(rounds))
            while len(waits.bounds_s) < attempts and not following.done():
                await asyncio.sleep(0.01)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    asyncio.run(asyncio.wait_for(watched(), 60))
    assert len(world.network.lines) <= len(waits.bounds_s) + 1
    # The first few come soon after one another; from then on each is as long as they get.
    assert sum(waits.bounds_s) > (attempts - 12) * limits.RECONNECT_MAX_S
    world.network.set(EVIL, world.evil)
    world.recover(on=EVIL)
    world.check()
    world.close()


async def _drained(rounds: AsyncGenerator[Counts, None]) -> None:
    async for _ in rounds:
        pass


def test_a_watch_that_a_relay_ends_says_so_in_status(world: World) -> None:
    alice = world.alice
    world.network.set(EVIL, world.evil, ATTACKS["nacks_fork_without_proof"].make(world))
    world.edit("watched", alice)

    async def watched() -> None:
        await _drained(Remote(alice.replica, alice.member_log).watch(lambda _: None))

    with pytest.raises(RelayConductError):
        asyncio.run(asyncio.wait_for(watched(), 20))
    (refusal,) = world.status(alice).refusals
    assert "does not show the other one" in refusal.reason
    world.close()
