"""A sync checks a sample of the file: what is damaged is noted for ``status``, and costs little."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.support.examples import IS_FULL
from tests.support.relay_process import RelayProcess
from tests.support.rot_table import Bench
from tests.unit.replica.builders import Computer, new_computer

from bifolio import Library, limits
from bifolio.doctor.repairing import repair
from bifolio.errors import Next, NextStep
from bifolio.repair import sampling
from bifolio.repair.sampling import Sampler
from bifolio.results import Refusal

#: A round of the bench's library takes fewer syncs.
SYNCS_MAX = 400

_FLIPPED = "CAST(substr({0}, 1, 60) || x'00' || substr({0}, 62) AS BLOB)"
DAMAGE = {
    "changes": f"UPDATE changes SET body = {_FLIPPED.format('body')} "
    "WHERE number = (SELECT number FROM changes WHERE hash IS NOT NULL LIMIT 1)",
    "records": f"UPDATE records SET state = {_FLIPPED.format('state')} "
    "WHERE id = (SELECT max(id) FROM records WHERE kind = 'reference')",
    "refs": "UPDATE refs SET type = 'map' WHERE number = (SELECT max(number) FROM refs)",
}


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(tmp_path_factory.mktemp("sampled-relay")) as running:
        yield running


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, relay: RelayProcess) -> Bench:
    return Bench(tmp_path_factory.mktemp("sampled"), relay, references=6)


def damage(path: Path, table: str) -> None:
    """What a failing disk does, and neither SQLite nor a page's structure shows."""
    with closing(sqlite3.connect(path / "library.sqlite")) as connection:
        assert connection.execute(DAMAGE[table]).rowcount == 1
        connection.commit()


def syncs_until_told(path: Path, bench: Bench) -> list[Refusal]:
    for _ in range(SYNCS_MAX):
        with Library.open(path, home=bench.home) as library:
            library.sync()
            said = [one for one in library.status().refusals if "damaged" in one.reason]
        if said:
            return said
    return []


@pytest.mark.parametrize("table", list(DAMAGE))
def test_ordinary_syncs_find_damage_and_status_says_so_until_it_is_mended(
    bench: Bench, table: str
) -> None:
    path = bench.copy()
    damage(path, table)
    (said,) = syncs_until_told(path, bench)
    assert f"'{table}'" in said.reason
    assert said.next == NextStep(Next.REPAIR_LIBRARY)
    repair(path, bench.home)
    with Library.open(path, home=bench.home) as library:
        assert library.status().refusals == ()
    assert syncs_until_told_few(path, bench) == []
    assert bench.state_of(path) == bench.state


def syncs_until_told_few(path: Path, bench: Bench) -> list[Refusal]:
    with Library.open(path, home=bench.home) as library:
        for _ in range(3):
            library.sync()
        return list(library.status().refusals)


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    computer = new_computer(tmp_path, "office")
    for number in range(30):
        computer.adds(f"{number:032x}", {"title": f"Work {number}", "note": "x" * number})
    computer.deletes(f"{3:032x}")
    return computer


def sampled(office: Computer, sampler: Sampler, *, worked_s: float = 0.0) -> tuple[int, str]:
    """One sample; where the next one begins."""
    office.monotonic_s += limits.SAMPLE_WAIT_S + 1
    with office.replica.database.transaction():
        sampler.check(worked_s)
    return office.replica.meta.sampled or (0, "")


def test_a_sample_begins_where_the_last_one_ended_and_comes_round(office: Computer) -> None:
    ticking(office, 0.001)
    places = [sampled(office, Sampler(office.replica), worked_s=0.001) for _ in range(70)]
    assert places[0] < places[1] < places[2]
    assert {(31, places[30][1]), (1, places[32][1])} <= set(places)
    assert len({record for _, record in places}) >= 30
    assert office.replica.meta.damaged_tables == ()


def test_a_sample_takes_a_small_part_of_the_time_of_its_sync(office: Computer) -> None:
    calls = ticking(office, 0.0001)
    sampler = Sampler(office.replica)
    sampled(office, sampler, worked_s=0.2)
    assert len(calls) > 10
    assert len(calls) * 0.0001 <= 0.2 * limits.SAMPLE_PART + 0.0003


def test_syncs_that_are_too_short_for_a_sample_check_one_now_and_then(office: Computer) -> None:
    looks = ticking(office, limits.SAMPLE_LEAST_S / 2)
    numbers = iter(bytes(range(256)))
    office.replica.runtime = msgspec.structs.replace(
        office.replica.runtime, random_bytes=lambda _: bytes([next(numbers)])
    )
    worked_s = limits.SAMPLE_LEAST_S  # of which a sample may take a hundredth
    checked = 0
    for _ in range(200):
        before = len(looks)
        sampled(office, Sampler(office.replica), worked_s=worked_s)
        checked += len(looks) > before + 1
    assert 1 <= checked <= 4


def test_a_watch_checks_no_more_often_than_it_needs(office: Computer) -> None:
    sampler = Sampler(office.replica)
    ticking(office, 0.001)
    first = sampled(office, sampler, worked_s=0.001)
    with office.replica.database.transaction():
        sampler.check(0.0)
    assert (office.replica.meta.sampled or (0, "")) == first


def ticking(office: Computer, step_s: float) -> list[float]:
    """Its clock goes on with each look at it; the looks."""
    looks: list[float] = []
    runtime = office.replica.runtime

    def monotonic_s() -> float:
        office.monotonic_s += step_s
        looks.append(office.monotonic_s)
        return office.monotonic_s

    office.replica.runtime = type(runtime)(
        wall_s=runtime.wall_s, monotonic_s=monotonic_s, random_bytes=bytes
    )
    return looks


def test_a_sync_that_loads_no_documents_hardly_ever_loads_them_for_a_sample(
    office: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: set[int] = set()
    synced: list[int] = []

    def note(*_: object) -> bool:
        compared.add(len(synced))
        return True

    monkeypatch.setattr(Sampler, "_are_listed_right", note)
    office.draw = random.Random("syncs of a second").randbytes
    for is_loaded, syncs in ((True, 40 if IS_FULL else 4), (False, 40)):
        monkeypatch.setattr(sampling, "is_loaded", lambda given=is_loaded: given)
        compared.clear()
        for number in range(syncs):
            synced.append(number)
            sampled(office, Sampler(office.replica), worked_s=1.0)
        assert (len(compared) == syncs) is is_loaded
    assert 0 < len(compared) < 20, "now and then, so that all comes round"
