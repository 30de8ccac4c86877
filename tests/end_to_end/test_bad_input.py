"""Bad input ends in one clear sentence with the next step, exit code 1, and nothing lost."""

from __future__ import annotations

import random
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.arrangements import make_library
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess
from tests.support.rights import read_only, under_file_modes

from bifolio.crypto.ticket import Ticket

SEED = 7

WHOLE_AND_DAMAGED_RIS = """\
TY  - JOUR
TI  - Whole before the damage
AU  - Doe, Jane
ER  -\x20

TY  - JOUR
TI  - Cut off in the mid
TY  - JOUR
ER  -\x20

TY  - BOOK
TI  - Whole after the damage
ER  -\x20
"""


@contextmanager
def nothing_lost(computer: Computer) -> Iterator[None]:
    """What happens inside leaves the library as it was."""
    before = computer.run_all([("status",), ("list",)])
    yield
    assert computer.run_all([("status",), ("list",)]) == before


def one_sentence(computer: Computer, *arguments: str | Path) -> str:
    """What a person is told on stderr when a command cannot: a sentence and a next step."""
    outcome = computer.call(*arguments, exits=1)
    assert outcome.stdout == ""
    sentence, next_step = outcome.stderr.rstrip("\n").split("\n")
    assert sentence.startswith("Error: ")
    assert next_step
    return sentence


def test_a_damaged_ris_file_gives_its_whole_references_and_names_the_rest(desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    file = desk.home / "damaged.ris"
    file.write_text(WHOLE_AND_DAMAGED_RIS, "utf-8")
    report = desk.run("import", file, exits=3)
    (skipped,) = report["skipped"]
    assert (skipped["file"], skipped["line"]) == (str(file), 8)
    assert skipped["reason"]
    assert report["added"] == 3
    titles = {one["fields"]["title"] for one in desk.run("list")}
    assert titles >= {
        "Whole before the damage",
        "Cut off in the mid",
        "Whole after the damage",
    }
    told = desk.call("import", file, exits=3)
    assert f"{file}:8: {skipped['reason']}" in told.stderr

    file.write_bytes(b"TY  - JOUR\nTI  - \xff\xfe\x00\x01 torn")
    with nothing_lost(desk):
        assert str(file) in desk.fails("import", file, "--format", "ris")
        assert str(file) in one_sentence(desk, "import", file, "--format", "ris")


def test_a_binary_file_given_as_bibtex_is_refused_by_name(desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    file = desk.home / "picture.bib"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + random.Random(SEED).randbytes(50_000))
    with nothing_lost(desk):
        assert str(file) in desk.fails("import", file, "--format", "bibtex")
        assert str(file) in desk.fails("import", file)
        assert str(file) in one_sentence(desk, "import", file)
        missing = desk.home / "no such.bib"
        assert str(missing) in desk.fails("import", missing)


def test_a_wrong_or_truncated_ticket_leaves_nothing_behind(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    make_library(desk, numbered_entries(2))
    ticket = desk.run("attach", relay.url)["ticket"]
    parsed = Ticket.decode(ticket)
    wrong_secret = replace(parsed, secret=bytes(32)).encode()
    other_library = replace(parsed, library=bytes(16)).encode()
    with nothing_lost(desk):
        for bad in ("bifolio:", "bifolio:AAAA", ticket[:-1], ticket[: len(ticket) // 2]):
            assert "bifolio invite" in laptop.fails("attach", bad, laptop.library)
        for bad in (wrong_secret, other_library):
            laptop.fails("attach", bad, laptop.library)
        assert "ticket" in one_sentence(laptop, "attach", ticket[:-3], laptop.library)
        assert sorted(laptop.home.glob("*.bifolio")) == []

    make_library(laptop, "@book{own, title = {Own}}\n")
    for bad in (ticket[:-1], wrong_secret, other_library):
        laptop.fails("attach", bad)
    assert [one["key"] for one in laptop.run("list")] == ["own"]
    assert laptop.run("attach", ticket, "--join")["references"] == 3


def test_an_unreachable_relay_is_named_and_the_library_stays_as_it_was(desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with nothing_lost(desk):
        for url in (f"ws://127.0.0.1:{port}", "ws://no-such-host.invalid:1"):
            assert url in desk.fails("attach", url)
        assert "cannot be reached" in one_sentence(desk, "attach", f"ws://127.0.0.1:{port}")
        assert "not attached" in desk.fails("sync")
        assert "not attached" in desk.fails("invite")


def test_a_port_in_use_ends_the_relay_with_a_sentence(desk: Computer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = one_sentence(desk, "relay", "--port", port, "--data", desk.home / "relay")
        assert port in told
        assert "--port" in desk.fails("relay", "--port", port, "--data", desk.home / "relay")


def test_a_folder_or_file_that_is_no_library_is_not_touched(desk: Computer) -> None:
    folder = desk.home / "Holiday pictures"
    folder.mkdir()
    (folder / "note.txt").write_text("kept")
    for verb in (["list"], ["add", "title=X"], ["status"], ["sync"]):
        assert str(folder) in desk.fails("-L", folder, *verb)
    assert str(folder) in desk.fails("init", folder)
    assert "no Bifolio library" in desk.fails("list")

    (folder / "library.sqlite").write_bytes(b"not a database, but long enough to be read" * 100)
    desk.fails("-L", folder, "list")
    with sqlite3.connect(desk.home / "other.sqlite") as other:
        other.execute("CREATE TABLE pictures (name)")
    other.close()
    (desk.home / "other.sqlite").replace(folder / "library.sqlite")
    assert "another program" in desk.fails("-L", folder, "add", "title=X")
    assert sorted(path.name for path in folder.iterdir()) == ["library.sqlite", "note.txt"]


def test_a_library_of_a_newer_version_is_not_touched(desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    file = desk.library / "library.sqlite"
    with sqlite3.connect(file) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        database.execute("PRAGMA user_version = 9999")
    database.close()
    before = file.read_bytes()
    for verb in (["list"], ["edit", "work0", "title=X"], ["status"]):
        told = desk.fails(*verb)
        assert "newer" in told
        assert "Upgrade" in told
    assert file.read_bytes() == before

    with sqlite3.connect(file) as database:
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    assert len(desk.run("list")) == 2


@pytest.mark.heavy
def test_a_read_only_disk_ends_in_a_sentence_and_loses_nothing(desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    disk = desk.home / "disk"
    disk.mkdir()
    library = desk.with_library(disk / "Works.bifolio")
    desk.library.rename(library.library)
    file = desk.home / "start.bib"
    with nothing_lost(library):
        with read_only(disk):
            for verb in (
                ("edit", "work0", "title=X"),
                ("delete", "work0"),
                ("import", str(file)),
                ("-L", str(disk / "New.bifolio"), "init"),
                ("export", "--format", "ris", "-o", str(disk / "all.ris")),
            ):
                outcome = library.call("--json", *verb, wrapped_in=under_file_modes())
                assert outcome.exit_code == 1, (verb, outcome)
                assert set(outcome.document) == {"error"}
                assert outcome.document["error"]["next"]["text"]
                assert str(disk) in outcome.document["error"]["message"]
        assert [path.name for path in disk.iterdir()] == ["Works.bifolio"]
    library.run("edit", "work0", "title=Writable again")


def test_an_attach_that_reaches_no_relay_leaves_no_backup_and_says_to_attach_again(
    desk: Computer,
) -> None:
    make_library(desk, numbered_entries(2))
    for address in ("ws://127.0.0.1:1", "ws://127.0.0.1:99999", "ws://[::1"):
        said = desk.fails("attach", address)
        assert "cannot be reached" in said
        is_one = address == "ws://127.0.0.1:1"
        assert ("run the same command again" if is_one else "Check the relay's address") in said
    assert list(desk.home.rglob("*backup*/*")) == []
    assert desk.run("status")["relay"] is None


def test_an_import_that_is_exported_and_imported_again_changes_nothing(desk: Computer) -> None:
    """Also where the file gave no id: the key that the import made is not written as one."""
    file = desk.home / "vendor.ris"
    file.write_text(
        "TY  - JOUR\nTI  - On Paper\nAU  - Doe, Jane\nPY  - 1999\nER  - \n\n"
        "TY  - BOOK\nTI  - On Ink\nAU  - Roe, Richard\nID  - roe1\nER  - \n\n",
        encoding="utf-8",
    )
    desk.run("init")
    assert desk.run("import", file)["added"] == 2
    desk.run("export", "--format", "ris", "-o", desk.home / "out.ris")
    with nothing_lost(desk):
        again = desk.run("import", desk.home / "out.ris")
    assert (again["added"], again["updated"], again["unchanged"]) == (0, 0, 2)
