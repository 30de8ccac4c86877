"""Files that are on the disk whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from bifolio.disk import create_private, hash_file, open_below, write_first, write_whole
from bifolio.ids import content_hash


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with write_whole(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(error):
        _write_half(path, error)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def _write_half(path: Path, error: type[BaseException]) -> None:
    with write_whole(path) as file:
        file.write(b"half of the n")
        raise error


def test_a_folder_in_the_place_is_an_error_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError), write_whole(tmp_path / "a") as file:
        file.write(b"new")
    assert names(tmp_path) == ["a"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_the_rights_are_private_or_those_of_the_file_that_is_replaced(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with write_whole(tmp_path / "private"), write_whole(tmp_path / "new", mode=None):
            pass
        (tmp_path / "kept").touch(mode=0o600)
        (tmp_path / "kept").chmod(0o640)
        with write_whole(tmp_path / "kept", mode=None), create_private(tmp_path / "mine"):
            pass
    finally:
        os.umask(before)
    found = {name: rights(tmp_path / name) for name in names(tmp_path)}
    assert found == {"private": 0o600, "new": 0o644, "kept": 0o640, "mine": 0o600}


def test_of_two_that_write_a_file_first_one_is_told_that_it_was_second(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert write_first(path, b"first")
    assert not write_first(path, b"second")
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["key"]


def test_a_file_s_hash_is_that_of_its_content(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(content)
    told: list[int] = []
    assert hash_file(tmp_path / "a", told.append) == content_hash(content).hex()
    assert sum(told) == len(content)
    assert len(told) > 1


def test_a_name_as_long_as_the_system_allows_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 255)
    with write_whole(path) as file:
        file.write(b"content")
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_syncs_no_folder_keeps_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    synced = os.fsync

    def refuse_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    with write_whole(tmp_path / "a") as file:
        file.write(b"content")
    assert (tmp_path / "a").read_bytes() == b"content"


def test_a_file_below_a_folder_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(b"content")
    with open_below(tmp_path, tmp_path / "a" / "b" / "c") as file:
        assert file.read() == b"content"


@pytest.mark.skipif(os.name != "posix", reason="symbolic links and pipes of POSIX")
@pytest.mark.parametrize("exchanged", ["a", "a/b", "a/b/c"])
def test_what_was_exchanged_for_a_link_since_it_was_looked_at_is_not_opened(
    tmp_path: Path, exchanged: str
) -> None:
    away, folder = tmp_path / "away", tmp_path / "folder"
    for one in (away, folder):
        (one / "a" / "b").mkdir(parents=True)
        (one / "a" / "b" / "c").write_bytes(b"secret")
    (folder / exchanged).rename(tmp_path / "old")
    (folder / exchanged).symlink_to(away / exchanged)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        open_below(folder, folder / "a" / "b" / "c")


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")
def test_a_pipe_a_device_or_a_folder_is_not_opened_and_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", Path("/dev/zero")):
        with pytest.raises(OSError, match="it is not an ordinary file"):
            open_below(path.parent, path)
