"""Files between two replicas and the real relay, through both ends' sessions, step by step."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.simulation.computer import Clock, Computer, empty_computer, found_library, introduce
from tests.simulation.relay import SimulatedConnection, SimulatedRelay, sync

from bifolio import limits
from bifolio.attachments import attachments, garbage_collection
from bifolio.document import deletion, editing
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import FileNotHereError, Next, NextStep, next_step
from bifolio.imports.importer import Importer
from bifolio.library import status
from bifolio.library.files import Files
from bifolio.records.edits import Act, Edit
from bifolio.records.reference import ImportedFile, ImportedReference, Source
from bifolio.replication.remote import Remote
from bifolio.results import FileState, FileView
from bifolio.wire.messages import AskBlobs, Chunk, Push, parse_message
from bifolio_relay.storage.sqlite_file import FILE_NAME

REF = "1" * 32
CHUNK = limits.CHUNK_BYTES


class Bench:
    """A desk and a laptop that are members of one library, and their relay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.desk = found_library(folder / "desk", seed=1, clock=self.clock, name="desk")
        self.laptop = empty_computer(
            folder / "laptop", seed=2, clock=self.clock, name="laptop", library=self.desk
        )
        introduce([self.desk, self.laptop])
        for computer in (self.desk, self.laptop):
            with computer.replica.database.transaction():
                computer.replica.meta.relay_url = "ws://relay"
        self.relay = SimulatedRelay(folder / "relay", seed=3)
        self.adds_reference(self.desk)

    def adds_reference(self, computer: Computer) -> None:
        def write(plan: Plan, entries: Entries) -> None:
            editing.plan_creation(plan, entries, kind="reference", values={"title": "Paper"})

        computer.replica.commit([(REF, write)])

    def attaches(self, computer: Computer, raw: bytes, name: str = "paper.pdf") -> FileView:
        path = self.folder / name
        path.write_bytes(raw)
        (file,) = attachments.attach(computer.replica, REF, [path], None)
        return file

    def syncs(self, *computers: Computer) -> None:
        for computer in computers:
            sync(self.relay, computer)

    def connect(self, computer: Computer) -> SimulatedConnection:
        self.relay.connect(computer)
        return self.relay.connections[-1]

    def cut(self, connection: SimulatedConnection) -> None:
        """End a connection; what was under way is lost."""
        connection.port.files.close()
        self.relay.disconnect(connection)

    def blob_file(self) -> Path:
        """The one file of sealed chunks that the relay keeps."""
        (path,) = [one for one in (self.relay.folder / "blobs").rglob("*") if one.is_file()]
        return path

    def lies(self) -> None:
        """The relay does not look at what it gives."""
        with closing(sqlite3.connect(self.relay.folder / FILE_NAME)) as connection, connection:
            connection.execute("DELETE FROM chunk_check")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.relay.close()
    made.desk.close()
    made.laptop.close()


def state_of(computer: Computer) -> str:
    (file,) = attachments.list_files(computer.replica, REF)
    return file.state


def content(computer: Computer, file: FileView) -> bytes:
    return computer.replica.contents.path(file.hash).read_bytes()


def run_until(relay: SimulatedRelay, connection: SimulatedConnection, count: int) -> None:
    """Carry messages until so many chunks are on their way or came."""
    while connection.chunks < count:
        assert connection.step() or relay.commit(), "it stands still"


@pytest.mark.parametrize("size", [0, 1, CHUNK, 5 * CHUNK + 3])
def test_a_content_comes_to_the_other_computer_as_it_was(bench: Bench, size: int) -> None:
    raw = os.urandom(size)
    file = bench.attaches(bench.desk, raw)
    assert state_of(bench.desk) == "not-sent"
    bench.syncs(bench.desk, bench.laptop)
    assert (state_of(bench.desk), state_of(bench.laptop)) == ("here", "here")
    assert content(bench.laptop, file) == raw
    assert bench.laptop.state() == bench.desk.state()


def test_a_file_of_an_import_is_told_to_be_on_the_computer_that_imported_it(bench: Bench) -> None:
    path = bench.folder / "paper.pdf"
    path.write_bytes(b"content")
    record = ImportedReference(
        values={"title": "Of Paper", "type": "book"},
        source=Source("zotero", "book", "1", (("title", "Of Paper"),)),
        line=1,
        files=(ImportedFile("storage/X/paper.pdf", "paper.pdf", path, path.parent),),
    )
    Importer(bench.desk.replica, file="zotero").run([record])
    bench.relay.file_bytes_max = 0
    bench.relay.restart()
    bench.syncs(bench.desk, bench.laptop)
    replica = bench.laptop.replica
    files = Files(replica, _no_relay)

    def told() -> tuple[FileState, NextStep | None]:
        (file,) = files.list()
        with pytest.raises(FileNotHereError) as caught:
            files.export(file.ref, file.name, bench.folder)
        return file.state, caught.value.next_step

    assert told() == (
        FileState.ON_OTHER_DEVICE,
        next_step(Next.SYNC_OTHER_COMPUTER, device="desk"),
    )
    with replica.database.transaction():
        replica.journal.index.clear()  # as after joining another library: the past is elsewhere
    assert told() == (FileState.ON_IMPORTING_DEVICE, NextStep(Next.SYNC_IMPORTING_COMPUTER))

    (file,) = attachments.list_all_files(bench.desk.replica)
    bench.desk.replica.contents.remove(file.hash)
    assert [one.state for one in attachments.list_all_files(bench.desk.replica)] == ["missing"]


def _no_relay() -> Remote:
    raise AssertionError("no connection is needed")


def test_an_upload_that_was_cut_goes_on_at_its_chunk(bench: Bench) -> None:
    raw = os.urandom(9 * CHUNK)
    file = bench.attaches(bench.desk, raw)
    connection = bench.connect(bench.desk)
    run_until(bench.relay, connection, 6)
    bench.cut(connection)
    bench.syncs(bench.laptop)
    assert state_of(bench.laptop) == "on-other-device"

    bench.desk.reopen()
    again = bench.connect(bench.desk)
    while not again.over:
        assert again.step() or bench.relay.commit()
    assert again.chunks <= 9 - (6 - limits.CHUNKS_IN_FLIGHT_MAX)
    bench.cut(again)
    bench.syncs(bench.laptop)
    assert content(bench.laptop, file) == raw


def test_a_download_that_was_cut_goes_on_at_its_chunk_after_a_restart(bench: Bench) -> None:
    raw = os.urandom(9 * CHUNK)
    file = bench.attaches(bench.desk, raw)
    bench.syncs(bench.desk)
    connection = bench.connect(bench.laptop)
    run_until(bench.relay, connection, 5)
    bench.cut(connection)
    assert state_of(bench.laptop) == "on-relay"

    bench.laptop.reopen()
    again = bench.connect(bench.laptop)
    while not again.over:
        assert again.step() or bench.relay.commit()
    assert again.chunks <= 9 - 4
    assert content(bench.laptop, file) == raw
    assert not bench.laptop.replica.contents.incoming(file.hash).exists()


def test_an_edit_in_the_middle_of_a_file_goes_between_two_chunks(bench: Bench) -> None:
    bench.attaches(bench.desk, os.urandom(12 * CHUNK))
    connection = bench.connect(bench.desk)
    run_until(bench.relay, connection, 3)
    bench.adds_reference(bench.laptop)
    second = "2" * 32
    bench.desk.replica.commit(
        [
            (
                second,
                lambda plan, entries: editing.plan_creation(
                    plan, entries, kind="reference", values={"title": "Edit"}
                ),
            )
        ]
    )
    connection.local_change()
    sent = [parse_message(raw) for raw in connection.to_relay]
    assert isinstance(sent[-1], Push)
    assert sum(isinstance(one, Chunk) for one in sent) <= limits.CHUNKS_IN_FLIGHT_MAX
    before = len(bench.relay.log())
    while len(bench.relay.log()) == before:
        assert connection.step() or bench.relay.commit()
    assert connection.chunks < 12


def test_one_content_of_two_computers_is_sent_once(bench: Bench) -> None:
    raw = os.urandom(6 * CHUNK)
    bench.syncs(bench.desk, bench.laptop)
    bench.attaches(bench.desk, raw)
    bench.attaches(bench.laptop, raw, "copy.pdf")
    bench.syncs(bench.desk)
    connection = bench.connect(bench.laptop)
    while not connection.over:
        assert connection.step() or bench.relay.commit()
    assert connection.chunks == 0
    assert [one.state for one in attachments.list_files(bench.laptop.replica, REF)] == [
        "here",
        "here",
    ]


def test_of_two_that_send_one_content_at_the_same_time_one_waits(bench: Bench) -> None:
    raw = os.urandom(8 * CHUNK)
    bench.syncs(bench.desk, bench.laptop)
    bench.attaches(bench.desk, raw)
    bench.attaches(bench.laptop, raw)
    first, second = bench.connect(bench.desk), bench.connect(bench.laptop)
    while not (first.over and second.over):
        moved = [first.step(), second.step(), bench.relay.commit()]
        assert any(moved) or (first.over and second.over)
    assert first.chunks + second.chunks <= 8 + 1
    # Who waited hears that the other is done, and has nothing left to send.
    assert (state_of(bench.desk), state_of(bench.laptop)) == ("here", "here")


def test_what_another_computer_left_unfinished_is_finished(bench: Bench) -> None:
    raw = os.urandom(8 * CHUNK)
    bench.syncs(bench.desk, bench.laptop)
    bench.attaches(bench.desk, raw)
    bench.attaches(bench.laptop, raw)
    connection = bench.connect(bench.desk)
    run_until(bench.relay, connection, 6)
    bench.cut(connection)
    again = bench.connect(bench.laptop)
    while not again.over:
        assert again.step() or bench.relay.commit()
    assert 0 < again.chunks <= 8 - (6 - limits.CHUNKS_IN_FLIGHT_MAX)
    assert state_of(bench.laptop) == "here"


def test_a_damaged_blob_is_refused_named_and_asked_for_again_later(bench: Bench) -> None:
    """PITFALLS 33: back off, show it, go on with the rest."""
    file = bench.attaches(bench.desk, os.urandom(2 * CHUNK))
    bench.syncs(bench.desk)
    path = bench.blob_file()
    sealed = bytearray(path.read_bytes())
    sealed[CHUNK + 200] ^= 1
    path.write_bytes(sealed)
    bench.lies()
    whole = bench.attaches(bench.desk, b"whole", "whole.pdf")
    bench.syncs(bench.desk, bench.laptop)
    shown = {one.name: one.state for one in attachments.list_files(bench.laptop.replica, REF)}
    assert shown == {"paper.pdf": "damaged", "whole.pdf": "here"}
    assert content(bench.laptop, whole) == b"whole"
    (refusal,) = status.refusals(bench.laptop.replica)
    assert "paper.pdf" in refusal.reason

    asked = bench.connect(bench.laptop)
    while not asked.over:
        assert asked.step() or bench.relay.commit()
    assert asked.chunks == 0, "it was asked for again at once"
    bench.cut(asked)
    bench.clock.advance(limits.DAMAGED_RETRY_FIRST_S)
    bench.syncs(bench.laptop)  # damaged again: the relay's copy is of no use to anybody
    bench.syncs(bench.desk)
    bench.clock.advance(2 * limits.DAMAGED_RETRY_FIRST_S)
    bench.syncs(bench.laptop)
    assert content(bench.laptop, file) == content(bench.desk, file)
    assert list(status.refusals(bench.laptop.replica)) == []


def test_chunks_of_another_content_are_refused(bench: Bench) -> None:
    """A hostile relay swaps two files of one size."""
    one = bench.attaches(bench.desk, os.urandom(CHUNK), "one.pdf")
    bench.attaches(bench.desk, os.urandom(CHUNK), "two.pdf")
    bench.syncs(bench.desk)
    paths = [path for path in (bench.relay.folder / "blobs").rglob("*") if path.is_file()]
    first, second = (path.read_bytes() for path in paths)
    paths[0].write_bytes(second)
    paths[1].write_bytes(first)
    bench.lies()
    bench.syncs(bench.laptop)
    assert {one.state for one in attachments.list_files(bench.laptop.replica, REF)} == {"damaged"}
    assert not bench.laptop.replica.contents.has(one.hash)


def test_a_file_that_is_damaged_here_is_never_sent_whole(bench: Bench) -> None:
    file = bench.attaches(bench.desk, os.urandom(3 * CHUNK))
    path = bench.desk.replica.contents.path(file.hash)
    raw = bytearray(path.read_bytes())
    raw[10] ^= 1
    path.chmod(0o644)
    path.write_bytes(raw)
    bench.syncs(bench.desk, bench.laptop)
    assert (state_of(bench.desk), state_of(bench.laptop)) == ("missing", "on-other-device")
    assert [one for one in (bench.relay.folder / "blobs").rglob("*") if one.is_file()] == []


def test_a_wiped_relay_gets_the_contents_from_whoever_has_them(bench: Bench) -> None:
    file = bench.attaches(bench.desk, os.urandom(2 * CHUNK))
    bench.syncs(bench.desk, bench.laptop)
    bench.desk.replica.contents.remove(file.hash)
    bench.relay.roll_back(None)
    bench.syncs(bench.laptop)
    assert bench.blob_file().stat().st_size > 2 * CHUNK
    bench.syncs(bench.desk)
    assert content(bench.desk, file) == content(bench.laptop, file)


def test_a_relay_that_was_put_back_gets_what_it_lost(bench: Bench) -> None:
    copy = bench.relay.copy()
    bench.attaches(bench.desk, os.urandom(CHUNK))
    bench.syncs(bench.desk)
    bench.relay.roll_back(copy)
    bench.syncs(bench.desk)
    assert bench.blob_file().stat().st_size > CHUNK


@pytest.mark.parametrize("filled_again", [False, True])
def test_a_relay_put_back_to_before_an_upload_gets_the_content_again(
    bench: Bench, filled_again: bool
) -> None:
    """The log of the copy is whole, and its drops are the same: only contents are missing."""
    file = bench.attaches(bench.desk, os.urandom(CHUNK))
    bench.relay.file_bytes_max = 0
    bench.relay.restart()
    bench.syncs(bench.desk, bench.laptop)
    copy = bench.relay.copy()
    bench.relay.file_bytes_max = 1 << 40
    bench.relay.restart()
    bench.syncs(bench.desk)
    assert state_of(bench.desk) == "here"
    bench.relay.roll_back(copy)
    if filled_again:  # as many contents as before, but another one
        bench.attaches(bench.laptop, os.urandom(CHUNK), "other.pdf")
        bench.syncs(bench.laptop)
    bench.syncs(bench.desk, bench.laptop)
    assert content(bench.laptop, file) == content(bench.desk, file)


def test_what_is_on_the_relay_is_not_asked_about_at_each_sync(bench: Bench) -> None:
    bench.attaches(bench.desk, b"content")
    bench.syncs(bench.desk, bench.laptop)
    bench.relay.restart()
    for computer in (bench.desk, bench.laptop):
        connection = bench.connect(computer)
        asked = []
        while not connection.over:
            asked += [
                one for one in connection.to_relay if isinstance(parse_message(one), AskBlobs)
            ]
            assert connection.step() or bench.relay.commit()
        assert asked == []
        bench.cut(connection)


def pass_days(bench: Bench, computers: list[Computer], days: int) -> None:
    """All sync every twelve hours, and say where they are."""
    for _ in range(2 * days):
        bench.clock.advance(limits.UNNAMED_KEPT_S / 2 + 1)
        bench.syncs(*computers)


def blobs_of(bench: Bench) -> list[Path]:
    return [one for one in (bench.relay.folder / "blobs").rglob("*") if one.is_file()]


def test_what_one_drops_from_the_relay_another_that_names_it_sends_again(bench: Bench) -> None:
    raw = os.urandom(CHUNK)
    file = bench.attaches(bench.desk, raw)
    bench.syncs(bench.desk, bench.laptop)
    attachments.detach(bench.desk.replica, REF, "paper.pdf")
    bench.syncs(bench.desk, bench.laptop)
    bench.attaches(bench.laptop, raw, "again.pdf")  # offline, and after it has heard of it
    bench.clock.advance(limits.REPLICA_GONE_S + 1)
    bench.syncs(bench.desk)
    assert not bench.desk.replica.contents.has(file.hash)
    assert blobs_of(bench) == []
    bench.syncs(bench.laptop, bench.desk)
    assert content(bench.desk, file) == raw
    assert [one.name for one in attachments.list_files(bench.desk.replica, REF)] == ["again.pdf"]


def test_a_content_is_kept_until_every_replica_has_passed_what_took_its_name(bench: Bench) -> None:
    file = bench.attaches(bench.desk, os.urandom(CHUNK))
    bench.syncs(bench.desk, bench.laptop, bench.desk)
    attachments.detach(bench.desk.replica, REF, "paper.pdf")
    pass_days(bench, [bench.desk], 20)  # the laptop is on a journey
    assert bench.desk.replica.contents.has(file.hash)
    assert len(blobs_of(bench)) == 1
    pass_days(bench, [bench.laptop, bench.desk], 2)
    assert not bench.desk.replica.contents.has(file.hash)
    assert not bench.laptop.replica.contents.has(file.hash)
    assert blobs_of(bench) == []


def test_a_computer_that_is_silent_for_thirty_days_keeps_no_content(bench: Bench) -> None:
    file = bench.attaches(bench.desk, os.urandom(CHUNK))
    bench.syncs(bench.desk, bench.laptop, bench.desk)
    attachments.detach(bench.desk.replica, REF, "paper.pdf")
    pass_days(bench, [bench.desk], 32)
    assert not bench.desk.replica.contents.has(file.hash)
    assert blobs_of(bench) == []


def test_a_reference_that_comes_back_from_a_journey_has_its_file(bench: Bench) -> None:
    """It was purged meanwhile, and the traveller, who fetches no files, edited it."""
    raw = os.urandom(CHUNK)
    file = bench.attaches(bench.desk, raw)
    with bench.laptop.replica.database.transaction():
        bench.laptop.replica.meta.files_policy = "none"
    bench.syncs(bench.desk, bench.laptop, bench.desk)
    assert not bench.laptop.replica.contents.has(file.hash)
    bench.desk.replica.commit([(REF, deletion.plan_delete)])
    bench.desk.replica.commit([(REF, deletion.plan_purge)])
    written = partial(editing.plan_edits, edits=[Edit("title", Act.SET, ("On the train",))])
    bench.laptop.replica.commit([(REF, written)])
    pass_days(bench, [bench.desk], 20)
    bench.syncs(bench.laptop, bench.desk)
    assert content(bench.desk, file) == raw


def test_a_content_that_nothing_names_is_kept_for_a_while(bench: Bench) -> None:
    file = bench.attaches(bench.desk, b"draft")
    attachments.detach(bench.desk.replica, REF, "paper.pdf")
    assert list(garbage_collection.collect(bench.desk.replica)) == []
    bench.clock.advance(limits.UNNAMED_KEPT_S - 1)
    garbage_collection.collect(bench.desk.replica)
    assert bench.desk.replica.contents.has(file.hash)
    bench.clock.advance(limits.REPLICA_GONE_S)  # the laptop never told how far it is
    garbage_collection.collect(bench.desk.replica)
    assert not bench.desk.replica.contents.has(file.hash)


def test_a_content_in_the_trash_is_kept(bench: Bench) -> None:
    file = bench.attaches(bench.desk, b"draft")
    bench.desk.replica.commit([(REF, deletion.plan_delete)])
    for _ in range(2):
        garbage_collection.collect(bench.desk.replica)
        bench.clock.advance(10 * limits.UNNAMED_KEPT_S)
    assert bench.desk.replica.contents.has(file.hash)


@pytest.mark.parametrize("policy", ["on-demand", "none"])
def test_a_replica_that_fetches_nothing_sends_and_knows_where_files_are(
    bench: Bench, policy: str
) -> None:
    with bench.laptop.replica.database.transaction():
        bench.laptop.replica.meta.files_policy = policy
    bench.syncs(bench.desk, bench.laptop)
    bench.attaches(bench.desk, b"of the desk", "desk.pdf")
    bench.attaches(bench.laptop, b"of the laptop", "laptop.pdf")
    bench.syncs(bench.desk, bench.laptop, bench.desk)
    states = {one.name: one.state for one in attachments.list_files(bench.laptop.replica, REF)}
    assert states == {"desk.pdf": "on-relay", "laptop.pdf": "here"}
    assert {one.state for one in attachments.list_files(bench.desk.replica, REF)} == {"here"}


def test_a_full_relay_is_not_asked_for_room_again_and_again(bench: Bench) -> None:
    bench.relay.file_bytes_max = 0
    bench.relay.restart()
    for number in range(5):
        bench.attaches(bench.desk, os.urandom(100 + number), f"{number}.pdf")
    connection = bench.connect(bench.desk)
    while not connection.over:
        assert connection.step() or bench.relay.commit()
    assert connection.chunks <= limits.CHUNKS_IN_FLIGHT_MAX
    assert {one.state for one in attachments.list_files(bench.desk.replica, REF)} == {"no-room"}
    assert len(bench.relay.log()) > 0


def test_a_connected_computer_hears_of_a_new_content_and_fetches_it(bench: Bench) -> None:
    bench.syncs(bench.desk, bench.laptop)
    live = bench.connect(bench.laptop)
    while not live.over:
        assert live.step() or bench.relay.commit()
    file = bench.attaches(bench.desk, os.urandom(3 * CHUNK))
    sending = bench.connect(bench.desk)
    while not (sending.over and live.over and bench.laptop.replica.contents.has(file.hash)):
        moved = [sending.step(), live.step(), bench.relay.commit()]
        assert any(moved) or live.drain()
    assert content(bench.laptop, file) == content(bench.desk, file)
