"""Copies of references in another library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.errors import ReferenceNotFoundError, SameLibraryError
from bifolio.home import Home
from bifolio.library.copy_references import ORIGIN
from bifolio.records.edits import Act, Edit
from bifolio.results import CopyOutcome


@pytest.fixture
def thesis(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "Thesis.bifolio", home=Home(tmp_path / "home")) as made:
        yield made


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Library]:
    with Library.create(tmp_path / "Group.bifolio", home=Home(tmp_path / "home")) as made:
        yield made


def add(library: Library, **fields: str | list[str]) -> str:
    return library.add({"type": "book", "title": "On Paper", "author": ["Doe, Jane"], **fields}).id


def test_a_copy_says_what_its_origin_says_and_where_that_is(
    thesis: Library, group: Library
) -> None:
    first = add(thesis, tags=["ink"], abstract="Long.", ISBN=["1", "2"])
    thesis.groups.create("Reading")
    thesis.groups.add("Reading", [first])
    (one,) = thesis.copy([first], group).references
    assert one.outcome is CopyOutcome.COPIED
    origin, copy = thesis.show(first), group.show(one.copy)
    assert copy.fields.pop(ORIGIN) == [f"{thesis.id}/{first}"]
    assert (copy.fields, copy.tags, copy.type, copy.key) == (
        origin.fields,
        origin.tags,
        origin.type,
        origin.key,
    )
    assert copy.groups == ()
    assert copy.conflicts == ()


def test_a_second_copy_finds_the_first_one(thesis: Library, group: Library) -> None:
    first = add(thesis)
    (one,) = thesis.copy([first], group).references
    group.edit(one.copy, [Edit("title", Act.SET, ("Edited there",))])
    (again,) = thesis.copy([first], group).references
    assert (again.copy, again.outcome) == (one.copy, CopyOutcome.EXISTS)
    assert group.show(one.copy).fields["title"] == "Edited there"
    group.delete([one.copy])
    assert thesis.copy([first], group).references[0].outcome is CopyOutcome.IN_TRASH


def test_a_copy_made_again_follows_its_origin_and_keeps_what_is_its_own(
    thesis: Library, group: Library
) -> None:
    first = add(thesis, tags=["ink", "old"], volume="1", abstract="Long.")
    (one,) = thesis.copy([first], group).references
    copy = one.copy
    group.edit(copy, [Edit("tags", Act.ADD, ("mine",)), Edit("note", Act.SET, ("Read it.",))])
    group.edit(copy, [Edit("volume", Act.SET, ("9",))])
    assert thesis.copy([first], group).references[0].outcome is CopyOutcome.EXISTS
    thesis.edit(first, [Edit("title", Act.SET, ("On Ink",)), Edit("volume", Act.SET, ("2",))])
    thesis.edit(first, [Edit("tags", Act.ADD, ("new",)), Edit("abstract", Act.CLEAR, ())])
    thesis.edit(first, [Edit("tags", Act.REMOVE, ("old",))])
    (again,) = thesis.copy([first], group).references
    assert (again.copy, again.outcome, again.kept) == (copy, CopyOutcome.UPDATED, ("volume",))
    assert again.updated == ("abstract", "tags", "title")
    assert again.own == ("note", "tags")
    shown = group.show(copy)
    assert shown.fields["title"] == "On Ink"
    assert shown.fields["volume"] == "9"
    assert shown.fields["note"] == "Read it."
    assert "abstract" not in shown.fields
    assert set(shown.tags) == {"ink", "mine", "new"}
    # What is so already is written no second time.
    state = group.status().state
    assert thesis.copy([first], group).references[0].outcome is CopyOutcome.EXISTS
    assert group.status().state == state
    group.edit(copy, [Edit("volume", Act.SET, ("2",))])
    assert thesis.copy([first], group).references[0].kept == ()
    assert thesis.show(first).tags == ("ink", "new") or set(thesis.show(first).tags) == {
        "ink",
        "new",
    }


def test_a_copy_says_what_it_is_a_copy_of(thesis: Library, group: Library) -> None:
    first = add(thesis)
    key = thesis.show(first).key
    (one,) = thesis.copy([first], group).references
    origin = group.show(one.copy).copied_from
    assert origin is not None
    assert (origin.library, origin.key, origin.library_id, origin.id) == (
        "Thesis",
        key,
        thesis.id,
        first,
    )
    assert origin.at is not None
    assert thesis.show(first).copied_from is None
    # What its origin is called now, where it is copied again; and when it was first.
    thesis.edit(first, [Edit("citation-key", Act.SET, ("other",))])
    thesis.copy([first], group)
    renamed = group.show(one.copy).copied_from
    assert renamed is not None
    assert (renamed.key, renamed.at) == ("other", origin.at)
    state = group.status().state
    thesis.copy([first], group)
    assert group.status().state == state


@pytest.mark.parametrize("format", ["bibtex", "biblatex", "ris", "csl-json", "enw", "endnote-xml"])
def test_no_file_says_what_a_copy_is_a_copy_of(
    thesis: Library, group: Library, tmp_path: Path, format: str
) -> None:
    """The ids of a library say nothing to another program, nor to who gets the file."""
    (one,) = thesis.copy([add(thesis)], group).references
    out = tmp_path / "out"
    with out.open("wb") as stream:
        report = group.export(stream, format=format)
    assert b"origin" not in out.read_bytes()
    assert thesis.id.encode() not in out.read_bytes()
    assert report.lost == []
    assert group.show(one.copy).copied_from is not None


def test_an_origin_that_a_file_or_a_member_made_up_is_shown_as_a_field(group: Library) -> None:
    added = add(group)
    for text in ("nothing", "/", "a/b", "\x1b[2J/x"):
        group.edit(added, [Edit(ORIGIN, Act.SET, (text,))])
        shown = group.show(added)
        assert shown.fields[ORIGIN] == [text]
        assert shown.copied_from is None


def test_a_copy_of_a_copy_finds_the_original(thesis: Library, group: Library) -> None:
    first = add(thesis)
    (one,) = thesis.copy([first], group).references
    (back,) = group.copy([one.copy], thesis).references
    assert (back.copy, back.outcome) == (first, CopyOutcome.EXISTS)


def test_a_copy_gives_way_to_a_key_that_is_taken(thesis: Library, group: Library) -> None:
    first = add(thesis)
    there = add(group)
    (one,) = thesis.copy([first], group).references
    assert one.key == f"{group.show(there).key}-{one.copy[:6]}"


def test_a_copy_keeps_its_source(thesis: Library, group: Library, tmp_path: Path) -> None:
    file = tmp_path / "one.bib"
    file.write_text("@book{Own,\n  title = {On {\\TeX}},\n  year = 2020,\n}\n", "utf-8")
    thesis.import_files([file])
    thesis.copy(["Own"], group)
    out = tmp_path / "out.bib"
    with out.open("wb") as stream:
        group.export(stream, format="bibtex")
    assert "title = {On {\\TeX}}" in out.read_text("utf-8")
    assert group.import_files([file]).unchanged == 1


def test_the_contents_of_files_come_along_or_are_named(
    thesis: Library, group: Library, tmp_path: Path
) -> None:
    file = tmp_path / "paper.pdf"
    file.write_bytes(b"%PDF-1.4 ink")
    content = thesis._replica.contents.add(file)
    first = add(thesis)
    _attach(thesis, first, content.hash, content.size)
    report = thesis.copy([first], group)
    assert report.missing == ()
    assert group._replica.contents.path(content.hash).read_bytes() == b"%PDF-1.4 ink"

    second = add(thesis)
    _attach(thesis, second, "00" * 32, 5)
    (missing,) = thesis.copy([second], group).missing
    assert missing.name == "paper.pdf"


def test_nothing_is_copied_into_the_same_library_or_of_what_is_not_there(
    thesis: Library, group: Library
) -> None:
    first = add(thesis)
    with pytest.raises(SameLibraryError):
        thesis.copy([first], thesis)
    with pytest.raises(ReferenceNotFoundError):
        thesis.copy([first, "nobody"], group)
    assert list(group.list()) == []


def _attach(library: Library, ref: str, hashed: str, size: int) -> None:
    from bifolio.document import sets
    from bifolio.records.attachments import FIELD, Attachment

    element = Attachment("paper.pdf", hashed, size).to_element()
    library._replica.commit(
        [(ref, lambda plan, entries: sets.plan_add(plan, entries, FIELD, element))]
    )
