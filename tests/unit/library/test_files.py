"""Files attached to references, without a relay: added, replaced, found, exported, taken off."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.errors import (
    AmbiguousFileError,
    DamagedFileError,
    FileNameError,
    FileNotFoundInReferenceError,
    FileNotHereError,
    Next,
    NextStep,
    TrashedReferenceError,
    UnreadableFileError,
    UnwritableFileError,
    next_step,
)
from bifolio.home import Home
from bifolio.results import FreedSpace


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    home = Home(tmp_path / "home", device_name="office")
    with Library.create(tmp_path / "Thesis.bifolio", home=home) as made:
        yield made


@pytest.fixture
def ref(library: Library) -> str:
    return library.add({"title": "On Paper"}).id


def written(folder: Path, raw: bytes, name: str = "paper.pdf") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(raw)
    return path


def stored(library: Library, hash: str) -> Path:
    return library.path / "files" / hash[:2] / hash


def test_a_file_is_listed_with_its_content_who_and_when(
    library: Library, ref: str, tmp_path: Path
) -> None:
    (added,) = library.files.add(ref, [written(tmp_path, b"content")])
    assert added.hash == hashlib.blake2b(b"content", digest_size=32).hexdigest()
    assert list(library.files.list()) == list(library.files.list(ref)) == [added]
    document = added.to_json()
    assert document.pop("added_at").startswith("20")
    assert document == {
        "ref": ref,
        "key": "paper",
        "name": "paper.pdf",
        "label": "paper.pdf",
        "size": 7,
        "hash": added.hash,
        "state": "here",
        "device": None,
        "refusal": None,
        "added_by": "office",
    }
    assert library.show(ref).files == ("paper.pdf",)
    assert "files" not in library.show(ref).fields


def test_a_content_that_two_references_have_is_stored_once(
    library: Library, ref: str, tmp_path: Path
) -> None:
    other = library.add({"title": "Of Paper"}).id
    library.files.add(ref, [written(tmp_path, b"content")])
    library.files.add(other, [written(tmp_path, b"content", "same.pdf")])
    files = [path for path in (library.path / "files").rglob("*") if path.is_file()]
    assert len(files) == 1
    assert [one.name for one in library.files.list(other)] == ["same.pdf"]


def test_a_file_of_the_same_name_replaces_the_one_before(
    library: Library, ref: str, tmp_path: Path
) -> None:
    library.files.add(ref, [written(tmp_path, b"draft")])
    (final,) = library.files.add(ref, [written(tmp_path, b"final")])
    assert list(library.files.list(ref)) == [final]
    library.files.add(ref, [written(tmp_path, b"final")])
    assert list(library.files.list(ref)) == [final]


def test_two_files_of_one_name_are_told_apart_by_their_hash(
    library: Library, ref: str, tmp_path: Path
) -> None:
    one, two = written(tmp_path / "a", b"one"), written(tmp_path / "b", b"two")
    first, second = sorted(library.files.add(ref, [one, two]), key=lambda file: file.hash)
    assert first.label == f"paper.pdf~{first.hash[:6]}"
    with pytest.raises(AmbiguousFileError) as caught:
        library.files.find(ref, "paper.pdf")
    assert set(caught.value.candidates) == {first.label, second.label}
    for name in (second.label, second.hash[:8], second.hash.upper()):
        assert library.files.find(ref, name) == second
    gone = library.files.remove(ref, second.label)
    assert gone == second
    assert [file.hash for file in library.files.list(ref)] == [first.hash]
    assert library.files.find(ref, "paper.pdf").label == "paper.pdf"


def test_a_file_that_is_not_there_is_told_with_those_that_are(
    library: Library, ref: str, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundInReferenceError) as caught:
        library.files.find(ref, "paper.pdf")
    assert caught.value.next_step == next_step(Next.CHOOSE_FILE_NAME, names=())
    library.files.add(ref, [written(tmp_path, b"content")])
    for name in ("other.pdf", "~", "paper.pdf~ffffff0"):
        with pytest.raises(FileNotFoundInReferenceError) as caught:
            library.files.remove(ref, name)
        assert "paper.pdf" in str(caught.value.next_step)


def test_what_cannot_be_attached_attaches_nothing(
    library: Library, ref: str, tmp_path: Path
) -> None:
    good = written(tmp_path, b"content")
    with pytest.raises(UnreadableFileError):
        library.files.add(ref, [good, tmp_path / "missing"])
    unnameable = tmp_path / os.fsdecode(b"b\xe9.pdf")
    unnameable.write_bytes(b"x")
    with pytest.raises(FileNameError):
        library.files.add(ref, [good, unnameable])
    library.delete([ref])
    with pytest.raises(TrashedReferenceError):
        library.files.add(ref, [good])
    library.restore([ref])
    assert list(library.files.list(ref)) == []


def test_deleting_and_restoring_a_reference_gives_its_files_back(
    library: Library, ref: str, tmp_path: Path
) -> None:
    library.files.add(ref, [written(tmp_path, b"content")])
    library.delete([ref])
    assert list(library.files.list()) == []
    library.restore([ref])
    assert library.show(ref).files == ("paper.pdf",)
    assert library.files.export(ref, "paper.pdf", tmp_path / "out").read_bytes() == b"content"


def test_a_file_is_exported_to_a_path_or_into_a_folder(
    library: Library, ref: str, tmp_path: Path
) -> None:
    library.files.add(ref, [written(tmp_path, b"content")])
    (tmp_path / "folder").mkdir()
    target = tmp_path / "other.pdf"
    target.write_bytes(b"before")
    assert library.files.export(ref, "paper.pdf", target) == target
    assert target.read_bytes() == b"content"
    inside = library.files.export(ref, "paper.pdf", tmp_path / "folder")
    assert inside == tmp_path / "folder" / "paper.pdf"
    with pytest.raises(UnwritableFileError):
        library.files.export(ref, "paper.pdf", tmp_path / "no" / "folder.pdf")


def test_a_copy_to_open_has_the_files_own_name_and_is_the_users_alone(
    library: Library, ref: str, tmp_path: Path
) -> None:
    library.files.add(ref, [written(tmp_path, b"%PDF-1.7 content")])
    path = library.files.open_copy(ref, "paper.pdf")
    assert path.name == "paper.pdf"
    assert path.read_bytes() == b"%PDF-1.7 content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert library.files.open_copy(ref, "paper.pdf") == path
    assert library.files.changed_copies() == []


@pytest.mark.parametrize("by_rename", [False, True])
def test_a_changed_copy_is_never_overwritten_and_becomes_a_new_version(
    library: Library, ref: str, tmp_path: Path, *, by_rename: bool
) -> None:
    """PITFALLS 52: a viewer saves into the copy, or by a file that takes its name; of one size."""
    library.files.add(ref, [written(tmp_path, b"%PDF-1.7 content")])
    path = library.files.open_copy(ref, "paper.pdf")
    if by_rename:
        fresh = path.with_name("saving.tmp")
        fresh.write_bytes(b"%PDF-1.7 CONTENT")
        fresh.replace(path)
    else:
        path.write_bytes(b"%PDF-1.7 CONTENT")
    path.with_name("paper copy.pdf").write_bytes(b"%PDF-1.7 saved next to it")
    path.with_name(".paper.pdf.swp").write_bytes(b"of an editor")
    assert library.files.open_copy(ref, "paper.pdf") == path
    assert path.read_bytes() == b"%PDF-1.7 CONTENT"
    changed = library.files.changed_copies()
    assert {one.name for one in changed} == {"paper.pdf", "paper copy.pdf"}
    reasons = [one.reason for one in library.status().refusals]
    assert sum("was changed" in one for one in reasons) == 2
    library.files.clean()
    assert library.files.changed_copies() == changed

    library.files.add(ref, [path])
    assert [one.size for one in library.files.list(ref)] == [16]
    assert [one.name for one in library.files.changed_copies()] == ["paper copy.pdf"]
    library.files.export(ref, "paper.pdf", tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").read_bytes() == b"%PDF-1.7 CONTENT"


def test_a_changed_copy_does_not_replace_what_was_attached_meanwhile(
    library: Library, ref: str, tmp_path: Path
) -> None:
    library.files.add(ref, [written(tmp_path, b"%PDF-1.7 first")])
    path = library.files.open_copy(ref, "paper.pdf")
    path.write_bytes(b"%PDF-1.7 annotated")
    library.files.add(ref, [written(tmp_path, b"%PDF-1.7 of somebody else")])
    library.files.add(ref, [path])
    assert len(list(library.files.list(ref))) == 2


def test_a_file_that_no_computer_has_is_said_to_be_so(
    library: Library, ref: str, tmp_path: Path
) -> None:
    (file,) = library.files.add(ref, [written(tmp_path, b"content")])
    stored(library, file.hash).unlink()
    library.files._replica.transfers.mark_missing(file.hash)
    (refusal,) = library.status().refusals
    assert "No computer is known to have the file 'paper.pdf'" in refusal.reason


def test_a_damaged_content_is_named_kept_aside_and_never_handed_out(
    library: Library, ref: str, tmp_path: Path
) -> None:
    (file,) = library.files.add(ref, [written(tmp_path, b"content")])
    path = stored(library, file.hash)
    path.chmod(0o644)
    path.write_bytes(b"CONTENT")
    target = tmp_path / "out"
    target.write_bytes(b"before")
    with pytest.raises(DamagedFileError):
        library.files.export(ref, "paper.pdf", target)
    assert target.read_bytes() == b"before"
    assert path.with_name(f"{file.hash}.damaged").read_bytes() == b"CONTENT"
    with pytest.raises(FileNotHereError) as caught:
        library.files.export(ref, "paper.pdf", target)
    assert caught.value.next_step == NextStep(Next.ATTACH_FILE_AGAIN)
    library.files.add(ref, [written(tmp_path, b"content")])
    assert library.files.export(ref, "paper.pdf", target).read_bytes() == b"content"


def test_a_content_that_is_dropped_before_it_is_attached_is_copied_again(
    library: Library, ref: str, tmp_path: Path
) -> None:
    one, two = written(tmp_path, b"one"), written(tmp_path, b"second", "two.pdf")
    path = stored(library, hashlib.blake2b(b"one", digest_size=32).hexdigest())
    read: list[int] = []

    def drop_the_first(done: int, _: int) -> None:
        read.append(done)
        if read == [3, 6]:  # while the second is read, another command collects the first
            path.unlink()

    library.files.add(ref, [one, two], progress=drop_the_first)
    assert read == [3, 6, 3]
    assert path.read_bytes() == b"one"


def test_a_rebuilt_index_lists_the_same_files(library: Library, ref: str, tmp_path: Path) -> None:
    library.files.add(ref, [written(tmp_path, b"one"), written(tmp_path, b"two", "two.pdf")])
    before = list(library.files.list())
    library.rebuild_index()
    assert list(library.files.list()) == before


def test_what_nothing_names_is_dropped_when_a_user_wants_the_room(
    library: Library, ref: str, tmp_path: Path
) -> None:
    kept, trashed = library.add({"title": "Kept"}).id, library.add({"title": "Trashed"}).id
    library.files.add(ref, [written(tmp_path, b"12345")])
    library.files.add(kept, [written(tmp_path, b"kept")])
    library.files.add(trashed, [written(tmp_path, b"trashed")])
    library.files.remove(ref, "paper.pdf")
    library.delete([trashed])
    assert library.files.clean() == FreedSpace(1, 5)
    assert library.files.clean() == FreedSpace(0, 0)
    library.trash.empty()
    assert library.files.clean() == FreedSpace(1, 7)
    assert [one.state for one in library.files.list()] == ["here"]
    assert len(list((library.path / "files").glob("??/*"))) == 1


def test_an_export_names_the_files_that_its_format_does_not_carry(
    library: Library, ref: str, tmp_path: Path
) -> None:
    library.files.add(ref, [written(tmp_path, b"content")])
    for format in ("ris", "bibtex", "csl-json"):
        out = io.BytesIO()
        report = library.export(out, format=format)
        assert [(one.reference, one.field) for one in report.lost] == [(ref, "files")]
        assert b"paper.pdf" not in out.getvalue()
