"""An older program at a newer one's files: it refuses, says what to do, and changes no byte."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.arrangements import make_library
from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer

#: Each opens the library of the computer; none may do anything to it.
COMMANDS = (
    "list",
    "edit work0 title=X",
    "sync",
    "attach ws://127.0.0.1:9",
    "backup create",
    "doctor --deep --offline",
    "doctor --repair --offline",
    "doctor --rebuild --offline",
)

RELAY_COMMANDS = (
    "relay libraries",
    "relay remove ab --yes",
    "relay token create",
    "relay token list",
    "relay token revoke ab",
    "relay --port 0",
)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its content; the lock of a file is none of its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".lock", ".sqlite-shm")
    }


def make_newer(file: Path) -> None:
    """What a later program leaves, its last commit in the log: a step more, and a table."""
    with closing(sqlite3.connect(file)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("CREATE TABLE of_later (number INTEGER PRIMARY KEY, value TEXT)")
        connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute("INSERT INTO of_later (value) VALUES ('kept')")
        connection.commit()
        # Copied while it is open, as after a crash: the log holds what the file does not.
        copies = [(path, path.read_bytes()) for path in file.parent.glob(f"{file.name}*")]
    for path, raw in copies:
        if not path.name.endswith("-shm"):
            path.write_bytes(raw)


def test_no_command_changes_a_byte_of_a_newer_library(desk: Computer) -> None:
    make_library(desk, numbered_entries(2))
    make_newer(desk.library / "library.sqlite")
    before = bytes_of(desk.library)
    assert any(name.endswith("-wal") for name in before)
    for words in COMMANDS:
        ended = desk.call(*words.split())
        assert ended.exit_code != 0, words
        said = ended.stdout + ended.stderr
        assert "newer" in said, (words, said)
        assert "pgrade" in said, (words, said)
        assert bytes_of(desk.library) == before, words


def test_no_command_changes_a_byte_of_a_newer_relay(desk: Computer, tmp_path: Path) -> None:
    data = tmp_path / "relay"
    desk.run("relay", "token", "create", "--data", data)
    make_newer(data / "relay.sqlite")
    before = bytes_of(data)
    for words in RELAY_COMMANDS:
        ended = desk.call(*words.split(), "--data", data)
        assert ended.exit_code != 0, words
        assert "newer relay" in ended.stderr, (words, ended)
        assert "pgrade" in ended.stderr, words
        assert bytes_of(data) == before, words
