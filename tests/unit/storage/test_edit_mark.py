"""The mark of the last edit, by whichever process made it."""

from __future__ import annotations

from pathlib import Path

from bifolio.storage.edit_mark import EditMark

EARLIER, LATER = "1" * 18, "2" * 18


def test_a_process_that_ends_later_does_not_take_back_the_mark_of_another(tmp_path: Path) -> None:
    mark = EditMark(tmp_path)
    assert mark.read() is None
    for stamp in (EARLIER, LATER, EARLIER):
        mark.write(stamp)
    assert mark.read() == LATER


def test_what_is_no_stamp_is_no_mark(tmp_path: Path) -> None:
    mark = EditMark(tmp_path)
    for said in (b"", b"\xff" * 18, b"1" * 17, b"G" * 18):
        (tmp_path / "last-edit").write_bytes(said)
        assert mark.read() is None
        mark.write(EARLIER)
        assert mark.read() == EARLIER
