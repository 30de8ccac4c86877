"""``bifolio note`` and ``bifolio annotation``: what a researcher does, and what is printed."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.cli.shell import Shell


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    made = Shell(tmp_path, monkeypatch, capsys)
    made.does("add", "title=On Paper", "key=paper", "note=Mine.")
    return made


def test_notes_are_added_listed_edited_and_removed(shell: Shell) -> None:
    assert shell.does("note", "add", "paper", "Second\nof two lines", "--tag", "idea").out
    shown = shell.does("note", "list", "paper").out
    assert "note 1\n    Mine.\n" in shown
    assert "[idea]\n    Second\n    of two lines\n" in shown
    shell.does("note", "edit", "paper", "2", "--append", "And more.", "--no-tags")
    assert shell.does("note", "show", "paper", "2").out == "Second\nof two lines\n\nAnd more.\n"
    assert "Mine." in shell.does("note", "remove", "paper", "1").out
    (left,) = json.loads(shell.does("note", "list", "paper", "--json").out)
    assert (left["n"], left["text"], left["tags"]) == (1, "Second\nof two lines\n\nAnd more.", [])
    shell.does("undo")
    (whole,) = [json.loads(shell.does("show", "paper", "--json").out)]
    assert [one["text"] for one in whole["notes"]] == ["Mine.", left["text"]]
    assert whole["fields"]["note"] == "Mine."
    assert "note 2: Second" in shell.does("show", "paper").out


def test_one_note_is_shown_as_ever(shell: Shell) -> None:
    assert "  note: Mine.\n" in shell.does("show", "paper").out


def test_a_note_comes_through_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    given = SimpleNamespace(buffer=io.BytesIO("From a file: é\r\nin two lines\n".encode()))
    monkeypatch.setattr(sys, "stdin", given)
    shell.does("note", "add", "paper", "-")
    assert shell.does("note", "show", "paper", "2").out == "From a file: é\nin two lines\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\xff\xfe")))
    assert shell.calls("note", "add", "paper", "-").code == 2


def test_annotations_are_added_listed_edited_and_removed(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "fold.pdf").write_bytes(b"%PDF-1.4 not much of one")
    shell.does("file", "add", "paper", str(tmp_path / "fold.pdf"))
    shell.does(
        "annotation", "add", "paper", "--text", "folded", "--page", "3", "--file", "fold.pdf"
    )
    shell.does("annotation", "edit", "paper", "1", "--comment", "why?", "--tag", "idea")
    (one,) = json.loads(shell.does("annotation", "list", "paper", "--json").out)
    assert (one["type"], one["text"], one["comment"]) == ("highlight", "folded", "why?")
    assert len(one["file"]) == 64
    assert (
        "annotation 1 (highlight, p. 3): > folded\n    why?   [idea]"
        in shell.does("show", "paper").out
    )
    shell.does("annotation", "remove", "paper", one["id"])
    assert json.loads(shell.does("annotation", "list", "paper", "--json").out) == []


def test_what_is_not_there_or_says_nothing_is_refused(shell: Shell) -> None:
    said = shell.calls("note", "edit", "paper", "7", "x")
    assert said.code == 1
    assert "'paper' has no note 7. Nothing was changed." in said.err
    assert "'bifolio note list paper'" in said.err
    assert shell.calls("note", "edit", "paper", "1").code == 2
    assert shell.calls("note", "add", "paper", " ").code == 2
    assert shell.calls("annotation", "add", "paper").code == 2
    assert shell.calls("annotation", "edit", "paper", "1", "--page", "2").code == 1


def test_the_log_calls_every_note_a_note(shell: Shell) -> None:
    shell.does("note", "add", "paper", "Second", "--tag", "idea")
    assert "edited note of paper" in shell.does("log").out


def test_an_export_says_that_notes_are_one_text(shell: Shell, tmp_path: Path) -> None:
    shell.does("note", "add", "paper", "Second")
    said = shell.does("export", "-o", str(tmp_path / "out.ris"))
    assert "Written as one text for each reference: the notes of 1 reference." in said.err
    assert "N1  - Mine." in (tmp_path / "out.ris").read_text()
