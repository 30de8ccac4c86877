"""Where an export is written: whole under its name, or not at all."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from bifolio_cli.export_target import target


def test_a_file_appears_whole_under_its_name(tmp_path: Path) -> None:
    file = tmp_path / "out.ris"
    with target(file) as out:
        out.write(b"TY  - BOOK\r\n")
        assert not file.exists()
    assert file.read_bytes() == b"TY  - BOOK\r\n"
    assert list(tmp_path.iterdir()) == [file]


def test_an_export_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "out.ris"
    file.write_bytes(b"old")
    with pytest.raises(TypeError), target(file) as out:
        out.writelines([b"new", None])  # type: ignore[list-item]
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "out.ris"
    file.write_bytes(b"old")
    file.chmod(0o640)
    with target(file) as out:
        out.write(b"new")
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, target(tmp_path / "none" / "out.ris"):
        pass
    assert caught.value.filename == str(tmp_path / "none" / "out.ris")


def test_on_a_terminal_controls_are_spelled_out_even_between_two_writes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with target(None) as out:
        out.write(b"TI  - a\x1b\r\n\xc5")
        out.write(b"\x81\xc2")
        out.write(b"\x9b")
    assert capsys.readouterr().out == "TI  - a\\x1b\nŁ\\x9b"


def test_without_a_terminal_stdout_gets_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="utf-8"))
    with target(None) as out:
        out.write(b"\xff\r\n")
    assert written.getvalue() == b"\xff\r\n"


def test_a_link_stays_a_link_and_the_file_that_it_names_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "library.ris"
    file.write_bytes(b"old")
    link = tmp_path / "paper.ris"
    link.symlink_to(file)
    with target(link) as out:
        out.write(b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_a_pipe_is_written_to_and_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with target(pipe) as out:
            out.write(b"TY  - BOOK\n")
        assert os.read(reader, 100) == b"TY  - BOOK\n"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
