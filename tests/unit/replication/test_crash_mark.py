"""An envelope that ends the process twice is set aside, and all others are merged."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.hostile_member import HostileMember
from tests.unit.replica.builders import Computer, members

from bifolio.library import status
from bifolio.replica.envelope_formats import ENVELOPE_FORMATS, EnvelopeFormats
from bifolio.replica.workspace import Workspace
from bifolio.replication.crash_mark import CrashMark
from bifolio.replication.inbox import Received
from bifolio.wire.changes import BODY_VERSION, Body

ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)
_FATAL = b"this title ends the process"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the child is forked")


def _ends_the_process(plaintext: bytes) -> Body:
    if _FATAL in plaintext:
        os.kill(os.getpid(), signal.SIGSEGV)
    return Body.parse(plaintext)


#: A program in which one content ends the process, as a fault in pycrdt would.
FAULTY = EnvelopeFormats(
    ENVELOPE_FORMATS.openers, {**ENVELOPE_FORMATS.readers, (1, BODY_VERSION): _ends_the_process}
)


def in_a_child(computer: Computer, act: Callable[[Computer], object]) -> tuple[Computer, int]:
    """Do something with a replica in a process of its own; the replica, and how that ended."""
    computer.replica.database.close()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act(computer.reopened(formats=FAULTY))
            code = 0
        finally:
            os._exit(code)
    _, ended = os.waitpid(child, 0)
    return computer.reopened(), os.waitstatus_to_exitcode(ended)


def batch_with(tmp_path: Path, fatal: bytes) -> tuple[Computer, HostileMember, list[bytes]]:
    office, home, laptop = members(tmp_path, "office", "home", "laptop")
    mallory = HostileMember.of(laptop.replica, laptop.member_log)
    office.adds(ONE, {"title": "On Paper"})
    batch = office.envelopes()
    update = mallory.writes(mallory.document(), {"title": fatal.decode()})
    batch.append(mallory.says(mallory.change((TWO, update))).raw)
    update = mallory.writes(mallory.document(), {"title": "By the same author"})
    batch.append(mallory.says(mallory.change((THREE, update))).raw)
    return home, mallory, batch


def test_an_envelope_that_ended_the_process_twice_is_set_aside_and_named(tmp_path: Path) -> None:
    home, mallory, batch = batch_with(tmp_path, _FATAL)
    for _ in range(2):
        home, code = in_a_child(home, lambda one: one.receives(batch))
        assert code == -signal.SIGSEGV
        assert home.titles() == []
    home, code = in_a_child(home, lambda one: one.receives(batch))
    assert code == 0
    assert home.titles() == ["By the same author", "On Paper"]
    (refusal,) = status.refusals(home.replica)
    assert f"1 change of {mallory.keys.name} ended Bifolio twice" in refusal.reason
    assert not CrashMark(home.replica.path).is_there()
    merged = home.inbox.retry_fatal()  # by a program without the fault
    assert merged.changes == 1
    assert _FATAL.decode() in home.titles()
    assert list(status.refusals(home.replica)) == []


def test_a_process_that_ends_while_it_saves_finds_out_which_envelope_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, mallory, batch = batch_with(tmp_path, b"saved")
    store = Workspace._store

    def ends(self: Workspace, record_id: str, *others: object) -> object:
        if record_id == TWO:
            os.kill(os.getpid(), signal.SIGSEGV)
        return store(self, record_id, *others)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Workspace, "_store", ends)
        codes = []
        for _ in range(4):
            home, code = in_a_child(home, lambda one: one.receives(batch))
            codes.append(code)
    assert codes == [-signal.SIGSEGV] * 3 + [0]
    assert home.titles() == ["By the same author", "On Paper"]
    assert mallory.keys.name in next(iter(status.refusals(home.replica))).reason
    assert home.replica.refused.deaths().keys() == {
        one for one in home.replica.refused.deaths() if home.replica.refused.fatal(one)
    }, "the search for it is over"


def test_a_process_that_was_killed_once_for_another_reason_costs_nothing(tmp_path: Path) -> None:
    home, _, batch = batch_with(tmp_path, b"harmless")
    mark = CrashMark(home.replica.path)
    from bifolio.crypto.envelope import parse_envelope

    mark.set(parse_envelope(batch[1]).hash)
    home.receives(batch)
    assert len(home.titles()) == 3
    assert home.replica.refused.deaths() == {}


def test_an_exception_is_no_death(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, _, batch = batch_with(tmp_path, b"harmless")

    def fails(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("bifolio.replication.receiving.Applier.apply", fails)
        with pytest.raises(KeyboardInterrupt):
            home.inbox.receive([Received(one, None) for one in batch])
    assert not CrashMark(home.replica.path).is_there()
    home.receives(batch)
    assert home.replica.refused.deaths() == {}


def test_a_folder_that_cannot_be_written_to_has_no_mark_and_no_fault(tmp_path: Path) -> None:
    mark = CrashMark(tmp_path / "nowhere")
    mark.set(b"h" * 32)
    assert mark.read() is None
    mark.clear()


@pytest.mark.parametrize("fault", [None, OSError, ValueError])
def test_the_mark_names_the_envelope_at_work_also_where_no_file_can_be_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: type[Exception] | None
) -> None:
    def refuse(*_: object) -> None:
        assert fault is not None
        raise fault

    if fault is not None:
        monkeypatch.setattr("mmap.mmap", refuse)
    mark, other = CrashMark(tmp_path), CrashMark(tmp_path)
    for one in (b"a" * 32, b"b" * 32, b"c" * 32):
        mark.set(one)
        assert other.read() == one
    mark.clear()
    assert not other.is_there()
    mark.set(b"d" * 32)
    assert other.read() == b"d" * 32
    other.clear()
    assert not mark.is_there()


def test_who_clears_a_mark_takes_none_away_that_another_process_writes(tmp_path: Path) -> None:
    watch, sync = CrashMark(tmp_path), CrashMark(tmp_path)
    watch.set(b"a" * 32)
    watch.clear()
    sync.set(b"b" * 32)  # and it ended here
    assert watch.is_there()
    watch.clear()
    watch.set(b"c" * 32)
    assert CrashMark(tmp_path).read() == b"c" * 32
    sync.clear()
    assert CrashMark(tmp_path).read() is None
    watch.set(b"d" * 32)
    assert CrashMark(tmp_path).read() == b"d" * 32
