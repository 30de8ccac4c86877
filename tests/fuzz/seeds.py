"""Inputs that mutations begin with: made by our own code, so that they keep to its formats."""

from __future__ import annotations

import base64
import io
import re
import tempfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

import msgpack
from pycrdt import Doc, Map
from tests.fuzz.drawn_updates import STAMP, draw_update
from tests.fuzz.mutations import mutate_bytes, mutate_msgpack
from tests.support import yjs_updates as yjs
from tests.support.bibliographies import TYPOGRAPHY, real_entries
from tests.support.endnote_libraries import EndNoteLibrary, Group
from tests.support.names_in_files import FILES
from tests.support.zotero_libraries import Collection, Item, ZoteroLibrary
from tests.unit.crypto.builders import device, envelope_of, new_library, secret
from tests.unit.document.builders import Desk, desks
from tests.unit.formats.files import GOLDEN
from tests.unit.wire.test_messages import EXAMPLES

from bifolio import Library
from bifolio.crypto.membership import Membership, Role, make_genesis, make_invite, make_join
from bifolio.crypto.ticket import SCHEME, Ticket, _checksum
from bifolio.home import Home
from bifolio.ids import base64url
from bifolio.records.names import parse_name
from bifolio.storage.manifest import DATABASE
from bifolio.wire.changes import Body, Change

CONTENT_KEY = bytes(range(32))


def tickets() -> list[bytes]:
    """Tickets as text."""
    return [
        Ticket(
            relay=relay,
            library=b"L" * 16,
            secret=b"S" * 32,
            epoch=b"E" * 16,
            position=position,
            chain_hash=b"C" * 32,
            membership_head=b"M" * 32,
        )
        .encode()
        .encode()
        for relay, position in (("wss://relay.example.org/bifolio", 1234), ("ws://[::1]:80", 0))
    ]


def mutate_ticket(draw: Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """A ticket's text changed, or its values with a checksum that fits."""
    body = raw.decode("ascii", "ignore").removeprefix(SCHEME)
    if draw.randint(0, 2) == 0 or not re.fullmatch(r"[A-Za-z0-9_-]+", body) or len(body) % 4 == 1:
        return mutate_bytes(draw, raw, seeds)
    content = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))[:-6]
    changed = mutate_msgpack(draw, content, (content,))
    return (SCHEME + base64url(changed + _checksum(changed))).encode()


def messages() -> list[bytes]:
    """One of each type, some several times."""
    return [message.serialize() for message in EXAMPLES]


@cache
def membership_log() -> tuple[bytes, ...]:
    """A genesis, invites and joins."""
    owner, editor, reader = device("owner"), device("editor"), device("reader")
    log = [make_genesis(owner, lambda count: b"g" * count, content_key=CONTENT_KEY)]

    def grow(raw: bytes) -> None:
        log.append(raw)

    for name, role, newcomer in (("e", Role.EDITOR, editor), ("r", Role.READER, reader)):
        grow(
            make_invite(
                Membership.from_records(log),
                owner,
                ticket_secret=secret(name),
                role=role,
                generation=0,
                content_key=CONTENT_KEY,
            )
        )
        grow(make_join(Membership.from_records(log), newcomer, ticket_secret=secret(name)))
    return tuple(log)


def membership_logs() -> list[bytes]:
    """Its beginnings, each a msgpack array of records."""
    log = membership_log()
    return [msgpack.packb(log[:length]) for length in range(1, len(log) + 1)]


def document() -> Desk:
    """A computer with a record that has texts, sets and registers, edited by two."""
    one, two = desks(
        "one", "two", holding={"title": "On Paper", "author": (parse_name("Doe, Jane"),)}
    )
    one.sets("note", "A note of some words")
    two.learns(one)
    two.sets("note", "A note of some \U0001f4d6 other words")
    two.sets("title", "On Ink")
    one.sets("title", "On Vellum")
    one.adds("tags", "paper", "ink")
    two.adds("tags", "ink")
    one.learns(two)
    two.learns(one)
    two.removes("tags", "paper")
    one.learns(two)
    return one


@cache
def base_states() -> tuple[bytes | None, ...]:
    """States of documents that updates are merged into."""
    other = Desk("three")
    other.creates({"title": "On Paper"})
    return None, document().document.state(), other.document.state()


@cache
def honest_updates() -> tuple[bytes, ...]:
    """For each base state, what another device did with it at the same time."""
    made = []
    for state in base_states():
        desk = Desk("four")
        if state is None:
            desk.creates({"title": "On Parchment"})
            made.append(desk.document.state())
            continue
        desk.document.merge(state)
        desk.sets("note", "A note of some fine \U0001f4d6 words")
        desk.sets("title", "On Parchment")
        desk.adds("tags", "parchment")
        made.append(_difference(state, desk))
    return tuple(made)


def updates() -> list[bytes]:
    """Updates of ordinary edits, whole states, and updates made by hand."""
    desk = document()
    written: list[bytes] = [desk.document.state()]
    for name, text in (("title", "New"), ("note", "A note of words"), ("DOI", "10.1/x")):
        before = desk.document.state()
        desk.sets(name, text)
        written.append(desk.document.state())
        written.append(_difference(before, desk))
    before = desk.document.state()
    desk.deletes()
    written.append(_difference(before, desk))
    written += [
        yjs.update(yjs.new_text("k"), yjs.piece("abc", parent=(7, 0)), deletes=[(7, 2, 1)]),
        yjs.update(yjs.entry(f"title\x1f{'s' * 12}", yjs.pair(STAMP, "x"))),
        yjs.of_clients(
            (7, 0, [yjs.entry("k", yjs.NULL)]), (8, 0, [yjs.following((7, 0), b"\x78")])
        ),
    ]
    return written


def _difference(before: bytes, desk: Desk) -> bytes:
    old: Doc[Map[object]] = Doc()
    old.apply_update(before)
    new: Doc[Map[object]] = Doc()
    new.apply_update(desk.document.state())
    return new.get_update(old.get_state())


def mutate_update(draw: Random, raw: bytes, seeds: Sequence[bytes]) -> bytes:
    """An update's bytes changed, or one drawn for one of the base states."""
    return draw_update(draw, raw, seeds, base_states())


def bodies() -> list[bytes]:
    """Plaintexts of envelopes."""
    changes = tuple(
        Change(STAMP, (("ab" * 16, update), ("cd" * 16, update))) for update in updates()[:4]
    )
    return [
        Body((), changes[:1]).serialize(),
        Body((b"f" * 32,), changes).serialize(),
        Body((b"f" * 32, b"g" * 32), changes[1:2], replaces=(b"r" * 32,)).serialize(),
    ]


def envelopes() -> list[bytes]:
    """Envelopes sealed and signed."""
    owner = device("owner")
    membership = new_library(owner)
    return [envelope_of(owner, membership, one).raw for one in (*bodies(), b"", b"x" * 1000)]


_FILES = ("small", "damaged")


def files(suffix: str) -> list[bytes]:
    """Small files of a format, by the suffix of its name."""
    found = [
        path.read_bytes()
        for path in sorted(GOLDEN.glob(f"*{suffix}"))
        if path.name.split(".")[0] in _FILES
    ]
    if f"a{suffix}" in FILES:
        found.append(FILES[f"a{suffix}"]("A title").encode())
    if suffix == ".bib":
        found += [
            real_entries(TYPOGRAPHY, first=first, count=2).encode() for first in (0, 40, 900, 3000)
        ]
    return found


@cache
def backups() -> tuple[bytes, ...]:
    """Backups of a small library, one of them without its file."""
    with tempfile.TemporaryDirectory(prefix="bifolio-fuzz-") as temporary:
        folder = Path(temporary)
        with Library.create(folder / "L.bifolio", home=Home(folder / "home")) as library:
            library.add({"type": "book", "title": "On Paper", "citation-key": "paper"})
            library.add({"type": "book", "title": "On Ink", "tags": ["ink"]})
            paper = folder / "paper.txt"
            paper.write_text("A paper")
            library.files.add("paper", [paper])
            made = [
                library.backups.create(folder / f"{whole}.bifolio-backup", files=whole).path
                for whole in (True, False)
            ]
        return tuple(one.read_bytes() for one in made)


def backed_up_databases() -> list[bytes]:
    """The SQLite file in such a backup."""
    with zipfile.ZipFile(io.BytesIO(backups()[1])) as archive:
        return [archive.read(DATABASE)]


def zotero_databases() -> list[bytes]:
    """``zotero.sqlite`` of small libraries."""
    library = ZoteroLibrary(
        [
            Item("AAAA2222", "book", {"title": "On Paper"}, [("author", "Doe", "Jane")]),
            Item("NNNN2222", "note", parent="AAAA2222", note="<p>Seen</p>"),
            Item("PPPP2222", "attachment", parent="AAAA2222", own={"path": "storage:paper.pdf"}),
            Item("XXXX2222", "annotation", parent="PPPP2222", own={"text": "marked"}),
        ],
        [Collection("C1", "Reading", ["AAAA2222"]), Collection("C2", "Old", ["AAAA2222"], "C1")],
        searches={"Next": [("tag", "is", "read")]},
    )
    with tempfile.TemporaryDirectory(prefix="bifolio-fuzz-") as temporary:
        return [library.write(Path(temporary)).read_bytes()]


def endnote_databases() -> list[bytes]:
    """``sdb.eni`` of small libraries."""
    library = EndNoteLibrary(
        [{"title": "On Paper", "rating": "80"}, {"title": "On Ink", "trash_state": 1}],
        groups=[Group("G1", "Methods", [1, 2])],
        sets={"Thesis": ["G1"]},
        tags={"to read": [2]},
    )
    with tempfile.TemporaryDirectory(prefix="bifolio-fuzz-") as temporary:
        return [library.write(Path(temporary)).read_bytes()]
