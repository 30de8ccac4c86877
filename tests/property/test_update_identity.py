"""Every update that this program makes bears its author's names, or those of its content."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.test_replicas import CHOICES, SLOW, world
from tests.support.examples import examples
from tests.support.identities import Brought, brought

from bifolio import Library
from bifolio.document.update_identity import UpdateAuthor, UpdateKind
from bifolio.errors import DocumentError
from bifolio.ids import device_tag, incarnation_client_id
from bifolio.records.edits import Act, Edit
from bifolio.replica.replica import Replica

STRANGER = UpdateAuthor.of(
    b"s" * 32, is_owner=True, incarnations=[(device_tag(b"s" * 32) + "0000", b"n" * 8)]
)


def check_all(replica: Replica) -> set[UpdateKind]:
    """Each update passes for its author, and for nobody else where its author is named in it."""
    kinds: set[UpdateKind] = set()
    for one in brought(replica):
        kind = one.check()
        kinds.add(kind)
        if kind is UpdateKind.OWN and one.structure.structs:
            check_nobody_else_may_bring_it(one)
        elif kind is UpdateKind.CONTENT:
            assert one.check(STRANGER) is UpdateKind.CONTENT
    return kinds


def check_nobody_else_may_bring_it(one: Brought) -> None:
    with pytest.raises(DocumentError):
        one.check(STRANGER)
    author = one.author
    with pytest.raises(DocumentError):  # no incarnation is declared
        one.check(UpdateAuthor.of(author.signing_key, is_owner=True, incarnations=[]))
    others = UpdateAuthor(
        author.signing_key, True, dict.fromkeys(author.slots, author.tag + "????")
    )
    if one.structure.keys:
        with pytest.raises(DocumentError):  # another incarnation of the same device
            one.check(others)


@settings(SLOW, max_examples=examples(6))
@given(choose=CHOICES, steps=st.integers(5, 40))
def test_every_edit_bears_its_author_s_names(choose: random.Random, steps: int) -> None:
    with world(choose) as made:
        for _ in range(steps):
            made.step()
        made.deliver_all()
        for computer in made.computers:
            check_all(computer.replica)


def test_everything_that_a_library_does_bears_the_right_names(tmp_path: Path) -> None:
    bib = tmp_path / "a.bib"
    bib.write_text(
        '@string{b = "Blue"}\n@book{one, title={On Paper}, author={Doe, Jane}, abstract={A.}}\n'
        "@book{two, title={On Paper}, author={Doe, Jane}, publisher=b}\n",
        encoding="utf-8",
    )
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(b"%PDF-")
    with Library.create(tmp_path / "lib") as library, Library.create(tmp_path / "other") as other:
        library.import_files([bib])
        bib.write_text(
            bib.read_text(encoding="utf-8").replace("{A.}", "{Of ink.}"), encoding="utf-8"
        )
        library.import_files([bib])
        one, two = (row.id for row in library.list())
        group = library.groups.create("Group").id
        library.groups.add(group, [one, two])
        library.edit(one, [Edit("title", Act.SET, ("On Ink",)), Edit("tags", Act.ADD, ("x",))])
        library.edit(one, [Edit("note", Act.SET, ("A long note of mine.",))])
        library.edit(one, [Edit("note", Act.SET, ("A longer note of mine.",))])
        library.edit(one, [Edit("abstract", Act.CLEAR), Edit("author", Act.ADD, ("Roe, R.",))])
        library.files.add(one, [pdf])
        library.copy([one], other)
        library.history.undo()
        library.merge([one, two])
        three = library.add({"title": "Three"}).id
        library.delete([three])
        library.restore([three])
        library.delete([three])
        library.trash.empty()
        kinds = check_all(library._replica) | check_all(other._replica)
    assert kinds == {UpdateKind.OWN, UpdateKind.CONTENT}


@given(key=st.binary(min_size=32, max_size=32), nonce=st.binary(min_size=8, max_size=8))
def test_a_client_id_follows_from_all_of_key_slot_and_nonce(key: bytes, nonce: bytes) -> None:
    slot = device_tag(key) + "0000"
    ids = {
        incarnation_client_id(key, slot, nonce),
        incarnation_client_id(key[::-1] + b"x", slot, nonce),
        incarnation_client_id(key, slot[:-1] + "1", nonce),
        incarnation_client_id(key, slot, nonce + b"x"),
    }
    assert len(ids) == 4
    assert device_tag(key)[0] not in "ij"
