"""Creations made by a second process: the very ones that are made here, and never in the way."""

from __future__ import annotations

import io
import pickle
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.stored_changes import sum_of_hashes
from tests.unit.replica.builders import Computer, owner_of_a_library, ris

from bifolio.errors import InvalidValueError
from bifolio.formats import MAPPING_VERSION
from bifolio.imports import prefetch
from bifolio.imports.prefetch import Prefetch
from bifolio.records.names import Name
from bifolio.records.reference import ImportedReference, Source, Values
from bifolio.replica import worker_process
from bifolio.replica.creation import Creation, create
from bifolio.storage.import_staging import ImportStaging
from bifolio.storage.records import StoredRecord

MANY = 120


def reference(number: int) -> ImportedReference:
    values: Values = {
        "type": "article-journal",
        "title": f"On Number {number}",
        "author": (Name(family="Doe", given=f"J. {number}"), Name(literal="Körper")),
        "abstract": "Words, and more words.",
        "issued": {"date-parts": [[2000 + number % 20]]},
        "tags": ("numbers", f"n{number}"),
        "citation-key": f"doe{number}",
    }
    return ImportedReference(values, Source("ris", "JOUR", str(number), (("ID", str(number)),)), 1)


@dataclass
class Bench:
    """A staging with references, and what is made ahead of them."""

    staging: ImportStaging
    prefetch: Prefetch
    references: list[ImportedReference] = field(default_factory=list)

    def add(self, count: int) -> None:
        fresh = [reference(len(self.references) + one) for one in range(count)]
        self.references += fresh
        self.staging.add([(one.record_id(), pickle.dumps(one)) for one in fresh])
        self.prefetch.advance()

    def creation(self, number: int) -> Creation:
        one = self.references[number - 1]
        return self.prefetch.creation(number, one.record_id(), one)


@pytest.fixture
def office(tmp_path: Path) -> Computer:
    return owner_of_a_library(tmp_path)


@pytest.fixture
def bench(office: Computer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """With a process that starts at once, whatever the computer has."""
    monkeypatch.setattr(prefetch, "has_processors", lambda: True)
    monkeypatch.setattr(prefetch, "_RECORDS_WORTHWHILE", 1)
    monkeypatch.setattr(prefetch, "_RECORDS_AT_ONCE", 20)
    staging = ImportStaging(office.replica.database)
    found = Bench(staging, Prefetch(staging))
    yield found
    found.prefetch.close()


@pytest.fixture
def made_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the records that this process has made itself."""
    ids: list[str] = []

    def noted(record_id: str, one: ImportedReference, *, mapping: str) -> Creation:
        ids.append(record_id)
        return create(record_id, one, mapping=mapping)

    monkeypatch.setattr(prefetch, "create", noted)
    return ids


def wait_for_the_first(bench: Bench) -> None:
    """The process takes a while to start; nothing but a look at the clock waits for it."""
    while bench.staging.read_made(1) is None:
        time.sleep(0.01)
        bench.prefetch.advance()


def test_what_the_process_makes_is_what_is_made_here(bench: Bench, made_here: list[str]) -> None:
    bench.add(MANY)
    wait_for_the_first(bench)
    creations = [bench.creation(number) for number in range(1, MANY + 1)]
    assert creations == [
        create(one.record_id(), one, mapping=MAPPING_VERSION) for one in bench.references
    ]
    assert len(made_here) < MANY / 2, "the process made most of them"


def test_nobody_waits_for_a_process_that_still_starts(bench: Bench, made_here: list[str]) -> None:
    bench.prefetch = Prefetch(
        bench.staging, command=[sys.executable, "-c", "import time; time.sleep(60)"]
    )
    bench.add(20)
    assert bench.creation(1).record_id == bench.references[0].record_id()
    assert made_here == [bench.references[0].record_id()]


def test_a_record_under_another_id_is_made_for_that_id(bench: Bench) -> None:
    bench.add(MANY)
    wait_for_the_first(bench)
    other = "0" * 32
    assert bench.prefetch.creation(3, other, bench.references[2]).record_id == other


def test_a_record_out_of_its_turn_does_not_lead_the_process_away(
    bench: Bench, made_here: list[str]
) -> None:
    bench.add(4 * MANY)
    wait_for_the_first(bench)
    for number in (4 * MANY, *range(1, 4 * MANY)):
        assert bench.creation(number).record_id == bench.references[number - 1].record_id()
    assert len(made_here) < 2 * MANY, "the process made most of them"


def test_what_the_library_has_is_not_made(
    bench: Bench, office: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    send = worker_process.send

    def noted(pipe: io.BufferedIOBase, body: bytes) -> None:
        given.extend(number for number, _, _ in pickle.loads(body)[1])
        send(pipe, body)  # type: ignore[arg-type]

    monkeypatch.setattr(worker_process, "send", noted)
    known = [reference(number).record_id() for number in range(0, MANY, 2)]
    office.replica.records.write([StoredRecord(one, "reference", b"", 0) for one in known])
    bench.add(20)
    assert given == list(range(2, 21, 2))


def test_a_process_that_is_killed_leaves_the_rest_to_be_made_here(
    bench: Bench, made_here: list[str]
) -> None:
    bench.add(MANY)
    wait_for_the_first(bench)
    assert bench.prefetch._process is not None
    bench.prefetch._process.process.kill()
    bench.prefetch._process.process.wait()
    bench.add(MANY)
    creations = [bench.creation(number) for number in range(1, 2 * MANY + 1)]
    assert creations == [
        create(one.record_id(), one, mapping=MAPPING_VERSION) for one in bench.references
    ]
    assert len(made_here) > MANY


def test_a_python_that_cannot_be_started_is_no_error(bench: Bench, tmp_path: Path) -> None:
    bench.prefetch = Prefetch(bench.staging, command=[str(tmp_path / "nothing")])
    bench.add(MANY)
    one = bench.references[-1]
    assert bench.creation(MANY) == create(one.record_id(), one, mapping=MAPPING_VERSION)


def test_the_error_of_a_record_that_cannot_be_made_is_met_where_it_is_asked_for(
    bench: Bench,
) -> None:
    bench.add(MANY)
    wait_for_the_first(bench)
    bad = reference(MANY)
    bad.values["title"] = "half \ud800"
    bench.references.append(bad)
    bench.staging.add([("1" * 32, pickle.dumps(bad))])
    for number in range(1, MANY + 1):
        assert bench.creation(number).record_id == bench.references[number - 1].record_id()
    while bench.prefetch._process is not None:  # it ends with the record
        time.sleep(0.01)
        bench.prefetch.advance()
    with pytest.raises(InvalidValueError):
        bench.prefetch.creation(MANY + 1, "1" * 32, bad)
    assert bench.creation(MANY).record_id == bench.references[MANY - 1].record_id()


@pytest.mark.parametrize("sent", [b"", b"\x00\x00", (9).to_bytes(8, "big") + b"short"])
def test_a_message_that_is_cut_off_is_the_end(sent: bytes) -> None:
    assert worker_process.receive(io.BytesIO(sent)) is None


def test_an_import_stores_the_same_with_a_second_process_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [
        {"ID": str(number), "TI": f"Title {number}", "AU": "Doe, J.", "PY": "2014", "KW": "tag"}
        for number in range(900)
    ]
    stored = []
    for processors in (True, False):
        monkeypatch.setattr(prefetch, "has_processors", lambda given=processors: given)
        folder = tmp_path / str(processors)
        folder.mkdir()
        office = owner_of_a_library(folder)
        assert office.imports(*ris(folder, *records)).added == 900
        hashes = office.replica.records.hashes("reference")
        stored.append((hashes, office.replica.references.all_rows()))
        assert sum_of_hashes(office.replica.database) == office.replica.meta.state_hash
    assert stored[0] == stored[1]
