"""An export that is kept current, and what others write to its file meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from bifolio.records.reference import ExportReport
from bifolio_cli import export_watch
from bifolio_cli.export_target import target
from bifolio_cli.export_watch import keep_current
from bifolio_cli.output import Output


class Versions:
    """An export whose library changes twice, and whose watch then ends."""

    composed = 0

    def __init__(self) -> None:
        self.left = [b"first", b"second"]

    def has_changed(self) -> bool:
        return bool(self.left)

    def write(self, out: BinaryIO) -> ExportReport:
        out.write(self.left.pop(0))
        return ExportReport()


def test_what_another_program_writes_the_moment_after_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "thesis.bib"

    @contextmanager
    def target_and_editor(path: Path | None) -> Iterator[BinaryIO]:
        with target(path) as out:
            yield out
        if file.read_bytes() == b"first":
            file.write_bytes(b"by hand")

    versions = Versions()
    until = _UntilWritten(versions)
    monkeypatch.setattr(export_watch, "target", target_and_editor)
    monkeypatch.setattr(threading, "Event", lambda: until)
    keep_current(versions, file, Output(json=False))
    assert file.read_bytes() == b"second"
    assert (tmp_path / "thesis.edited-1.bib").read_bytes() == b"by hand"


class _UntilWritten(threading.Event):
    """Set when there is nothing left to write; waits for nothing."""

    def __init__(self, versions: Versions) -> None:
        super().__init__()
        self._versions = versions

    def is_set(self) -> bool:
        return not self._versions.left

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set() or timeout is None
