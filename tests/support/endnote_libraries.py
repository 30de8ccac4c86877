"""EndNote libraries made on the spot, with EndNote's own schema (as its version 21 writes it)."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from bifolio.formats.endnote.columns import COLUMNS

DB_ID = "a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3e4f5"

_TEXTS = " TEXT NOT NULL DEFAULT '', ".join(column.name for column in COLUMNS)
_SCHEMA = f"""
CREATE TABLE refs(id INTEGER PRIMARY KEY AUTOINCREMENT,
 trash_state INTEGER NOT NULL DEFAULT 0, text_styles TEXT NOT NULL DEFAULT '',
 reference_type INTEGER NOT NULL DEFAULT 0, {_TEXTS} TEXT NOT NULL DEFAULT '',
 record_properties TEXT NOT NULL DEFAULT '', added_to_library INTEGER NOT NULL DEFAULT 0,
 record_last_updated INTEGER NOT NULL DEFAULT 0, reserved3 INTEGER NOT NULL DEFAULT 0,
 fulltext_downloads TEXT NOT NULL DEFAULT '', read_status TEXT NOT NULL DEFAULT '',
 rating TEXT NOT NULL DEFAULT '');
CREATE TABLE misc(code INTEGER UNSIGNED NOT NULL, subcode INTEGER UNSIGNED NOT NULL,
 value BLOB NOT NULL, PRIMARY KEY(code, subcode));
CREATE TABLE groups(group_id INTEGER PRIMARY KEY, recs_stamp INTEGER UNSIGNED NOT NULL DEFAULT 0,
 spec BLOB NOT NULL DEFAULT '', members BLOB NOT NULL DEFAULT '');
CREATE TABLE file_res(refs_id INTEGER NOT NULL, file_path TEXT NOT NULL DEFAULT '',
 file_type INTEGER NOT NULL, file_pos INTEGER NOT NULL);
CREATE TABLE terms(list_id INTEGER UNSIGNED NOT NULL, term TEXT NOT NULL COLLATE ENCI_Base);
CREATE TABLE tag_groups(group_id INTEGER PRIMARY KEY, spec BLOB NOT NULL DEFAULT '');
CREATE VIRTUAL TABLE tag_members USING fts5(tag_ids, tokenize = 'ascii', detail = none);
CREATE TABLE refs_ord(ro_key_2 TEXT COLLATE ENCIN_nl_NL, ro_id INTEGER PRIMARY KEY);
"""

#: EndNote's own function is not there for anybody else, so nobody else can write.
_TRIGGER = """
CREATE TRIGGER refs__refs_ord_AU AFTER UPDATE ON refs BEGIN
 UPDATE refs_ord SET ro_key_2 = EN_MAKE_SORT_KEY(new.author, 2, 12) WHERE ro_id = new.id; END;
"""


@dataclass(frozen=True)
class Group:
    """A group, smart where it has a query, with the numbers of the references in it."""

    id: str
    name: str
    members: Sequence[int] = ()
    query: str = ""


@dataclass(frozen=True)
class EndNoteLibrary:
    """What a library holds; ``refs`` are rows by column, numbered from 1."""

    refs: Sequence[Mapping[str, object]]
    groups: Sequence[Group] = ()
    #: Name of a set to the ids of its groups, in order.
    sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: Name of a tag to the numbers of its references.
    tags: Mapping[str, Sequence[int]] = field(default_factory=dict)
    #: Number of a reference to its files: path below PDF to content, None for a missing file.
    files: Mapping[int, Mapping[str, bytes | None]] = field(default_factory=dict)
    db_id: str = DB_ID

    def write(self, folder: Path, name: str = "Thesis") -> Path:
        """``NAME.enl`` and ``NAME.Data`` in a folder; returns the ``.enl``."""
        data = folder / f"{name}.Data"
        self.write_data(data)
        enl = folder / f"{name}.enl"
        enl.write_bytes((data / "sdb" / "sdb.eni").read_bytes())
        return enl

    def write_enlx(self, path: Path) -> Path:
        """The compressed library."""
        data = path.parent / f"{path.stem}-to-pack"
        self.write_data(data)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(data.rglob("*")):
                archive.write(file, file.relative_to(data).as_posix())
        return path

    def write_data(self, data: Path) -> None:
        """The folder ``.Data``: the database and the files."""
        (data / "sdb").mkdir(parents=True, exist_ok=True)
        (data / "sdb" / "sdb.eni").unlink(missing_ok=True)
        (data / "PDF").mkdir(exist_ok=True)
        for kept in self.files.values():
            for path, content in kept.items():
                if content is not None:
                    (data / "PDF" / path).parent.mkdir(parents=True, exist_ok=True)
                    (data / "PDF" / path).write_bytes(content)
        connection = sqlite3.connect(data / "sdb" / "sdb.eni")
        try:
            connection.execute("PRAGMA synchronous = OFF")  # a test's file need not survive
            connection.execute("PRAGMA journal_mode = MEMORY")
            self._fill(connection)
            connection.commit()
        finally:
            connection.close()

    def _fill(self, connection: sqlite3.Connection) -> None:
        for name in ("ENCI_Base", "ENCIN_nl_NL"):
            connection.create_collation(name, lambda one, other: (one > other) - (one < other))
        connection.executescript(_SCHEMA)
        for number, row in enumerate(self.refs, 1):
            names = ", ".join(("id", *row))
            marks = ", ".join("?" * (len(row) + 1))
            connection.execute(
                f"INSERT INTO refs ({names}) VALUES ({marks})", (number, *row.values())
            )
            held = [place for place, kept in enumerate(self.tags.values(), 10) if number in kept]
            text = " ".join(f"{place:x}" for place in held)
            connection.execute(
                "INSERT INTO tag_members (rowid, tag_ids) VALUES (?, ?)", (number, f" {text} ")
            )
            for place, path in enumerate(self.files.get(number, {})):
                connection.execute(
                    "INSERT INTO file_res VALUES (?, ?, 1, ?)", (number, path, place)
                )
        for place, tag in enumerate(self.tags, 10):
            spec = _spec("group", f"tag-{place}", tag, ["TYPE;10", "COLOR;de3131"])
            connection.execute("INSERT INTO tag_groups VALUES (?, ?)", (place, spec))
        for place, group in enumerate(self.groups, 5):
            rules = ["TYPE;3"]
            if group.query:
                rules = [
                    "TYPE;4",
                    f"SEARCH;<ENQuery><FlatQuery>{group.query}</FlatQuery></ENQuery>",
                ]
            connection.execute(
                "INSERT INTO groups (group_id, spec, members) VALUES (?, ?, ?)",
                (place, _spec("group", group.id, group.name, rules), _members(group.members)),
            )
        connection.execute("INSERT INTO misc VALUES (1, 0, ?)", (b"17",))
        if self.db_id:
            connection.execute("INSERT INTO misc VALUES (14, 0, ?)", (self.db_id.encode(),))
        # Stored in the opposite order, so that the order comes from the list of sets.
        for place, (name, members) in enumerate(reversed(list(self.sets.items())), 1):
            spec = _spec("groupset", f"set-{name}", name, [], members)
            connection.execute("INSERT INTO misc VALUES (17, ?, ?)", (place, spec))
        order = "".join(f'<set collapsed="false">set-{escape(name)}</set>' for name in self.sets)
        connection.execute(
            "INSERT INTO misc VALUES (18, 0, ?)",
            (f'<setlist version="1"><sets>{order}</sets></setlist>'.encode(),),
        )
        connection.executescript(_TRIGGER)


def _spec(
    kind: str, own: str, name: str, rules: Sequence[str], members: Sequence[str] = ()
) -> bytes:
    inside = "".join(f"<rule>{escape(rule)}</rule>" for rule in rules)
    held = "".join(f"<member>{escape(member)}</member>" for member in members)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{kind} version="1"><ids><id>{escape(own)}</id>'
        f"<name>{escape(name)}</name></ids><rules>{inside}</rules>"
        f'<members complex="true">{held}</members></{kind}>'
    ).encode()


def _members(numbers: Sequence[int]) -> bytes:
    body = b"".join(number.to_bytes(4, "little") for number in numbers)
    return b"\x00\x00\x00\x02" + len(numbers).to_bytes(4, "little") + body
