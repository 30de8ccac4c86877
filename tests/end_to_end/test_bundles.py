"""F3: a library that is shared by files alone, and bundles as sticks and clouds deliver them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.arrangements import make_library, share
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.convergence import assert_converges, assert_same_library
from tests.support.relay_process import RelayProcess


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder that is carried from one computer to the other."""
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def share_by_bundle(stick: Path, first: Computer, *others: Computer) -> None:
    """One library on every computer, without a relay."""
    make_library(first, numbered_entries(3))
    ticket = first.run("invite", "--bundle", stick / "first.bundle")["ticket"]
    for other in others:
        other.run("attach", ticket, other.library, "--bundle", stick / "first.bundle")


def exchange(stick: Path, *computers: Computer) -> None:
    """Everybody's bundle to everybody, twice, as a join may have to be carried once."""
    for _ in range(2):
        for one in computers:
            one.run("bundle", "export", stick / f"{one.name}.bundle")
        for one in computers:
            one.run("bundle", "import", stick)


def test_a_library_lives_by_bundles_alone(stick: Path, desk: Computer, laptop: Computer) -> None:
    share_by_bundle(stick, desk, laptop)
    assert "never bundled" not in laptop.call("status", exits=0).stdout
    laptop.run("edit", "work0", "title=Edited on the laptop")
    desk.run("edit", "work1", "title=Edited on the desk")
    assert laptop.run("status")["bundles"]["not_bundled"] == 1
    exchange(stick, desk, laptop)
    view = assert_same_library(desk, laptop)
    assert view.fields("work0")["title"] == "Edited on the laptop"
    assert view.fields("work1")["title"] == "Edited on the desk"
    status = laptop.run("status")
    assert (status["relay"], status["waiting"], status["bundles"]["not_bundled"]) == (None, 0, 0)
    assert status["refusals"] == []
    assert "All changes of this computer are in a bundle." in laptop.call("status").stdout


@pytest.mark.heavy
def test_two_computers_that_joined_apart_find_each_other(
    tmp_path: Path, stick: Path, desk: Computer, laptop: Computer
) -> None:
    """Both joined on top of the same membership record: one of the two joins is carried."""
    phone = Computer.make(tmp_path, "phone")
    share_by_bundle(stick, desk, laptop, phone)
    laptop.run("edit", "work0", "title=From the laptop")
    phone.run("edit", "work1", "title=From the phone")
    # The two newcomers meet before the computer that invited them has seen either.
    exchange(stick, laptop, phone)
    exchange(stick, desk, laptop, phone)
    view = assert_same_library(desk, laptop, phone)
    assert view.fields("work0")["title"] == "From the laptop"
    assert view.fields("work1")["title"] == "From the phone"
    for computer in (desk, laptop, phone):
        status = computer.run("status")
        assert (status["waiting"], status["refusals"]) == (0, [])


@pytest.mark.heavy
def test_bundles_late_twice_truncated_renamed_and_as_conflicted_copies(
    stick: Path, desk: Computer, laptop: Computer
) -> None:
    share_by_bundle(stick, desk, laptop)
    for number in range(4):
        desk.run("edit", "work0", f"note=Note {number}")
        desk.run("bundle", "export", stick / f"part{number}.bundle", "--since", "last")
    whole = (stick / "part2.bundle").read_bytes()
    (stick / "half.bundle").write_bytes(whole[: len(whole) // 2])
    (stick / "empty.bundle").write_bytes(b"")
    (stick / "flipped.bundle").write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    (stick / "longer.bundle").write_bytes(whole + b"\0")
    (stick / "note.txt").write_text("no bundle")
    shutil.copy(stick / "part1.bundle", stick / "part1 (conflicted copy 2026-11-30).bundle")
    (stick / "part3.bundle").rename(stick / "AAA renamed")

    # Late: the last one alone waits for those before it.
    alone = laptop.run("bundle", "import", stick / "AAA renamed")
    assert (alone["changes"], alone["waiting"]) == (0, 1)
    assert "cut short" in laptop.fails("bundle", "import", stick / "half.bundle")
    report = laptop.run("bundle", "import", stick, exits=3)
    assert {Path(one["file"]).name for one in report["refused"]} == {
        "half.bundle",
        "empty.bundle",
        "flipped.bundle",
        "longer.bundle",
    }
    assert all(one["reason"] and one["next"]["text"] for one in report["refused"])
    assert report["waiting"] == 0
    again = laptop.run("bundle", "import", stick, exits=3)
    assert (again["changes"], again["state"]) == (0, report["state"])
    exchange_back = laptop.run("bundle", "export", stick / "back.bundle")
    assert exchange_back["unsealed"] == 0
    desk.run("bundle", "import", stick / "back.bundle")
    view = assert_same_library(desk, laptop)
    assert view.fields("work0")["note"] == "Note 3"


@pytest.mark.heavy
def test_since_leaves_out_what_the_other_has(stick: Path, desk: Computer, laptop: Computer) -> None:
    share_by_bundle(stick, desk, laptop)
    laptop.run("bundle", "export", stick / "laptop.bundle")
    desk.run("edit", "work0", "title=New")
    whole = desk.run("bundle", "export", stick / "whole.bundle")
    part = desk.run("bundle", "export", stick / "part.bundle", "--since", stick / "laptop.bundle")
    assert (whole["envelopes"], part["envelopes"]) == (2, 1)
    none = desk.run("bundle", "export", stick / "none.bundle", "--since", "last")
    assert none["envelopes"] == 0
    dated = desk.run("bundle", "export", stick / "dated.bundle", "--since", "2099-01-01")
    assert dated["envelopes"] == 0
    laptop.run("bundle", "import", stick / "part.bundle")
    assert_same_library(desk, laptop)


@pytest.mark.heavy
def test_files_come_along_when_asked(stick: Path, desk: Computer, laptop: Computer) -> None:
    share_by_bundle(stick, desk, laptop)
    paper = desk.home / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7\n" + b"x" * 600_000)
    desk.run("file", "add", "work0", paper)
    without = desk.run("bundle", "export", stick / "without.bundle", "--since", "last")
    laptop.run("bundle", "import", stick / "without.bundle")
    assert laptop.run("file", "list")[0]["state"] == "on-other-device"
    with_files = desk.run("bundle", "export", stick / "files.bundle", "--with-files")
    assert (without["files"], with_files["files"]) == (0, 1)
    assert b"%PDF" not in (stick / "files.bundle").read_bytes()
    assert laptop.run("bundle", "import", stick / "files.bundle")["files"] == 1
    assert laptop.run("bundle", "import", stick / "files.bundle")["files"] == 0
    out = laptop.home / "out.pdf"
    laptop.run("file", "export", "work0", "paper.pdf", "-o", out)
    assert out.read_bytes() == paper.read_bytes()


@pytest.mark.heavy
def test_bundles_next_to_a_relay(
    relay: RelayProcess, tmp_path: Path, stick: Path, desk: Computer, laptop: Computer
) -> None:
    """What came by a bundle is offered to the relay by whoever reaches it first."""
    ticket = share(relay.url, desk, laptop)
    laptop.run("edit", "work0", "title=Written offline")
    laptop.run("bundle", "export", stick / "laptop.bundle")
    desk.run("bundle", "import", stick / "laptop.bundle")
    pushed = desk.run("sync")["pushed"]
    assert pushed >= 1
    phone = Computer.make(tmp_path, "phone")
    phone.run("attach", ticket, phone.library)
    view = assert_converges(desk, phone, laptop)
    assert view.fields("work0")["title"] == "Written offline"


@pytest.mark.heavy
def test_a_newcomer_joins_by_a_bundle_of_a_library_with_a_relay(
    relay: RelayProcess, tmp_path: Path, stick: Path, desk: Computer, laptop: Computer
) -> None:
    ticket = share(relay.url, desk, laptop)
    desk.run("bundle", "export", stick / "desk.bundle")
    phone = Computer.make(tmp_path, "phone")
    phone.run("attach", ticket, phone.library, "--bundle", stick / "desk.bundle")
    phone.run("edit", "work2", "title=Of the phone")
    view = assert_converges(desk, laptop, phone)
    assert view.fields("work2")["title"] == "Of the phone"


@pytest.mark.heavy
def test_a_library_of_bundles_goes_to_a_relay(
    relay: RelayProcess, stick: Path, desk: Computer, laptop: Computer
) -> None:
    share_by_bundle(stick, desk, laptop)
    laptop.run("edit", "work0", "title=Of the laptop")
    exchange(stick, desk, laptop)
    ticket = desk.run("attach", relay.url)["ticket"]
    laptop.run("attach", ticket, "--join")
    view = assert_converges(desk, laptop)
    assert view.fields("work0")["title"] == "Of the laptop"


@pytest.mark.heavy
def test_a_library_of_ones_own_joins_by_a_bundle(
    stick: Path, desk: Computer, laptop: Computer
) -> None:
    make_library(desk, numbered_entries(3))
    make_library(laptop, numbered_entries(5))
    ticket = desk.run("invite", "--bundle", stick / "desk.bundle")["ticket"]
    laptop.run("attach", ticket, "--join", "--bundle", stick / "desk.bundle")
    exchange(stick, desk, laptop)
    view = assert_same_library(desk, laptop)
    assert len(view.references) == 5


@pytest.mark.heavy
def test_what_is_refused_says_why_and_changes_nothing(
    tmp_path: Path, stick: Path, desk: Computer, laptop: Computer
) -> None:
    share_by_bundle(stick, desk, laptop)
    stranger = Computer.make(tmp_path, "stranger")
    make_library(stranger, numbered_entries(2))
    stranger.run("bundle", "export", stick / "other.bundle")
    before = desk.run("status")["state"]
    assert "another library" in desk.fails("bundle", "import", stick / "other.bundle")
    assert "not a bundle" in desk.fails("bundle", "import", desk.home / "start.bib")
    assert "nothing is there" in desk.fails("bundle", "import", stick / "missing.bundle")
    (tmp_path / "void").mkdir()
    assert "no bundle" in desk.fails("bundle", "import", tmp_path / "void")
    assert "left as it is" in desk.fails("bundle", "export", desk.home / "start.bib")
    assert "left as it is" in desk.fails("bundle", "export", stick / "other.bundle")
    assert desk.run("status")["state"] == before
    desk.run("bundle", "export", stick / "old.bundle")
    ticket = desk.run("invite", "--bundle", stick / "new.bundle")["ticket"]
    late = Computer.make(tmp_path, "late")
    assert "before the ticket" in late.fails(
        "attach", ticket, late.library, "--bundle", stick / "old.bundle"
    )
    assert not late.library.exists()
    assert "--bundle FILE" in late.fails("attach", ticket, late.library)
    assert not late.library.exists()
    assert "owner" in laptop.fails("invite", "--bundle", stick / "laptop.bundle")
