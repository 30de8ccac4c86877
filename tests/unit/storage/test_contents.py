"""Contents stand under their hash whole or not at all, each once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from bifolio import limits
from bifolio.errors import FileTooLargeError, UnreadableFileError
from bifolio.storage.contents import INCOMING, Content, Contents


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    return Contents(tmp_path / "files")


def written(folder: Path, raw: bytes) -> Path:
    path = folder / "source"
    path.write_bytes(raw)
    return path


def left_over(contents: Contents) -> list[Path]:
    return list((contents.folder / INCOMING).iterdir())


@pytest.mark.parametrize("size", [0, 1, limits.CONTENT_PIECE_BYTES * 2 + 7])
def test_a_content_stands_under_its_hash(contents: Contents, tmp_path: Path, size: int) -> None:
    raw = os.urandom(size)
    content = contents.add(written(tmp_path, raw))
    assert content == Content(hashlib.blake2b(raw, digest_size=32).hexdigest(), size)
    path = contents.path(content.hash)
    assert path == contents.folder / content.hash[:2] / content.hash
    assert contents.has(content.hash)
    assert path.read_bytes() == raw
    assert left_over(contents) == []


def test_a_content_that_is_here_is_not_written_again(contents: Contents, tmp_path: Path) -> None:
    path = contents.path(contents.add(written(tmp_path, b"one")).hash)
    before = path.stat().st_ino
    contents.add(written(tmp_path, b"one"))
    assert path.stat().st_ino == before
    assert left_over(contents) == []


def test_removing_drops_one_content_and_a_second_time_is_no_error(
    contents: Contents, tmp_path: Path
) -> None:
    one = contents.add(written(tmp_path, b"one"))
    two = contents.add(written(tmp_path, b"two"))
    contents.remove(one.hash)
    contents.remove(one.hash)
    assert not contents.has(one.hash)
    assert contents.has(two.hash)


def test_progress_tells_what_is_read_of_all(contents: Contents, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    piece = limits.CONTENT_PIECE_BYTES
    contents.add(
        written(tmp_path, bytes(piece + 1)),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(piece, piece + 1), (piece + 1, piece + 1)]


def test_what_is_no_file_is_refused_by_name_and_leaves_nothing(
    contents: Contents, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "pipe"):
        with pytest.raises(UnreadableFileError) as caught:
            contents.add(path)
        assert str(path) in str(caught.value)
    assert not contents.folder.exists()


def test_a_file_beyond_the_limit_is_refused_and_leaves_nothing(
    contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONTENT_BYTES_MAX", 4)
    with pytest.raises(FileTooLargeError):
        contents.add(written(tmp_path, b"five!"))
    assert left_over(contents) == []
