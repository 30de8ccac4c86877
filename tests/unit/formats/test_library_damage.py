"""Databases of other programs with anything in their cells: a value, or an error that says so."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from tests.support.endnote_libraries import EndNoteLibrary, Group
from tests.support.zotero_libraries import Collection, Item, ZoteroLibrary
from tests.unit.formats.files import load

from bifolio.errors import FileFormatError

ENDNOTE = EndNoteLibrary(
    [{"title": "On Paper", "rating": "80"}, {"title": "On Ink", "trash_state": 1}],
    groups=[Group("G1", "Methods", [1, 2])],
    sets={"Thesis": ["G1"]},
    tags={"to read": [2]},
    files={1: {"0123/paper.pdf": b"%PDF-"}},
)
ZOTERO = ZoteroLibrary(
    [
        Item("AAAA2222", "book", {"title": "On Paper"}, [("author", "Doe", "Jane")], {"read": 0}),
        Item("NNNN2222", "note", parent="AAAA2222", note="<p>Seen</p>"),
        Item("PPPP2222", "attachment", parent="AAAA2222", own={"path": "storage:paper.pdf"}),
        Item("XXXX2222", "annotation", parent="PPPP2222", own={"text": "marked"}),
    ],
    [Collection("C1", "Reading", ["AAAA2222"]), Collection("C2", "Old", ["AAAA2222"], "C1")],
    searches={"Next": [("tag", "is", "read")]},
)
VALUES = (None, "text", b"\xff\x00", -1, 2**62, 1.5, "", 0, "\x00a\x1f")


def _damage(path: Path, seed: int) -> None:
    """Other values, fewer columns and fewer tables than the program would leave."""
    draw = random.Random(seed)
    connection = sqlite3.connect(path)
    connection.create_function("EN_MAKE_SORT_KEY", 3, lambda *_: "")
    for name in ("ENCI_Base", "ENCIN_nl_NL"):
        connection.create_collation(name, lambda *_: 0)
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' "
        "AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'tag_members_%' ORDER BY name"
    ).fetchall()
    for _ in range(draw.randint(1, 3)):
        table = draw.choice(found)[0]
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if not columns:
            continue
        column, value, kind = draw.choice(columns), draw.choice(VALUES), draw.random()
        try:
            if kind < 0.8:
                statement = f"UPDATE OR REPLACE {table} SET {column} = ?"
                connection.execute(statement, (value,))
            elif kind < 0.9:
                connection.execute(f"DROP TABLE {table}")
            else:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        except sqlite3.Error:
            continue  # what SQLite itself does not let in
    connection.commit()
    connection.close()


@pytest.mark.parametrize("library", [ENDNOTE, ZOTERO], ids=["endnote", "zotero"])
def test_no_database_stops_an_import_but_with_an_error_that_says_why(
    library: EndNoteLibrary | ZoteroLibrary, tmp_path: Path
) -> None:
    read = refused = 0
    for seed in range(30):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = library.write(folder)
        _damage(path, seed)
        try:
            load(path)
            read += 1
        except FileFormatError:
            refused += 1
    assert read > 10
    assert refused


def test_a_database_of_a_version_that_is_too_old_says_what_it_lacks(tmp_path: Path) -> None:
    path = ZOTERO.write(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE itemTags DROP COLUMN type")
    connection.commit()
    connection.close()
    with pytest.raises(FileFormatError, match="its table itemTags has no type") as failure:
        load(path)
    assert "newest version" in str(failure.value.next_step)
