"""What an import says of what it could not read."""

from __future__ import annotations

from bifolio.errors import OldEndNoteLibraryError
from bifolio.records.reference import SkippedRecord
from bifolio_cli.commands.import_ import nothing_read, skipped_text


def test_a_skipped_record_is_named_by_file_and_line() -> None:
    assert skipped_text(SkippedRecord("a.ris", 7, "no end")) == "a.ris:7: no end"


def test_a_file_that_cannot_be_read_at_all_is_named_once() -> None:
    whole = SkippedRecord("a.pdf", 0, "a.pdf cannot be imported: found a PDF.")
    assert skipped_text(whole) == "a.pdf cannot be imported: found a PDF."
    assert nothing_read([whole]).message == "a.pdf cannot be imported: found a PDF."


def test_what_a_file_itself_says_to_do_comes_before_what_may_be_done_about_any() -> None:
    old = OldEndNoteLibraryError("Old.enl")
    failure = nothing_read([SkippedRecord("Old.enl", 0, old.message, next=old.next_step)])
    assert "EndNote 20 or later" in str(failure.next_step)


def test_several_of_which_nothing_can_be_read_are_counted_and_the_first_named() -> None:
    failure = nothing_read([SkippedRecord("a.ris", 7, "no end"), SkippedRecord("a.ris", 9, "x")])
    assert "2 files or records could not be read; the first: a.ris:7: no end" in failure.message
    assert failure.exit_code == 1
    assert "--format" in str(failure.next_step)
