"""What goes to stdout and to stderr, for a person and for a program."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from bifolio.errors import BifolioError, DamagedLibraryError, PinnedKeyError
from bifolio.results import ReferenceView
from bifolio_cli.output import Output, json_text, prepare_streams


def _reference(key: str, *, id: str = "ab", title: str = "On \x9bType\x7f") -> ReferenceView:
    fields = {"title": title, "issued": {"date-parts": [[2024]]}}
    return ReferenceView(id, key, "book", fields)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_list_is_one_json_document(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    references = [_reference(f"key{place}") for place in range(number)]
    Output(json=True).references(iter(references))
    assert json.loads(capsys.readouterr().out) == [one.to_json() for one in references]


def test_a_list_that_cannot_be_read_prints_nothing_before_it_fails(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def read(key: str) -> ReferenceView:
        raise DamagedLibraryError(tmp_path, reason=f"{key} is missing")

    with pytest.raises(DamagedLibraryError):
        Output(json=True).references(map(read, ["doe2024"]))
    assert capsys.readouterr().out == ""


def test_a_list_that_is_no_terminals_is_one_line_per_reference(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output(json=False).references([_reference("a"), _reference("b")])
    assert capsys.readouterr().out == (
        "a\t2024\t\tOn \\x9bType\\x7f\nb\t2024\t\tOn \\x9bType\\x7f\n"
    )


def test_a_list_tells_references_of_one_key_apart_by_their_ids(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = _reference("doe", id="0123456789abcdef" * 2)
    Output(json=False).references([one], ids=True)
    assert capsys.readouterr().out == "0123456789ab\tdoe\t2024\t\tOn \\x9bType\\x7f\n"
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    Output(json=False).references([one], ids=True)
    captured = capsys.readouterr()
    heading, row = captured.out.splitlines()
    assert heading.split() == ["id", "key", "year", "names", "title"]
    assert row.split()[:3] == ["0123456789ab", "doe", "2024"]
    assert captured.err == "1 reference.\n"


def test_json_holds_no_control_character_and_reads_back_the_same() -> None:
    value = {"note": "\x00\x1b\x7f\x80\x9f é 😀"}
    text = json_text(value)
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in text)
    assert json.loads(text) == value


def test_a_failure_is_two_sentences_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=False).failure(BifolioError("It failed\x1b.", next_step="Do this."))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "Error: It failed\\x1b.\nDo this.\n"


def test_a_failure_with_json_is_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).failure(PinnedKeyError("doe"))
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {
        "error": {
            "code": "pinned-key",
            "message": "The citation key 'doe' is pinned. Nothing was changed.",
            "next": {
                "code": "unpin-key",
                "facts": {"key": "doe"},
                "text": "Run 'bifolio key unpin doe' first.",
            },
        }
    }
    assert captured.err == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_stream_of_another_encoding_takes_every_letter(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    prepare_streams()
    Output(json=False).say("Łódź")
    Output(json=True).document({"place": "Łódź"})
    sys.stdout.flush()
    plain, document = written.getvalue().decode(encoding).splitlines()
    assert plain.startswith("\\u0141")
    assert json.loads(document) == {"place": "Łódź"}


def test_a_table_on_a_terminal_shows_markup_as_text_and_escapes_controls(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    reference = _reference("doe2024", title="[red]On\x1b Type[/red]")
    Output(json=False).references([reference] * 201)
    captured = capsys.readouterr()
    assert "[red]On\\x1b Type[/red]" in captured.out
    assert captured.out.count("doe2024") == 201
    assert captured.out.count("title") == 1, "the heading stands once"
    assert captured.err == "201 references.\n"
