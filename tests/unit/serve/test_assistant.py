"""The tools for assistants, called in this process; the command itself is run in
``tests/end_to_end/test_assistants.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bifolio import Library, limits
from bifolio.home import Home

if TYPE_CHECKING:
    from bifolio.serve.assistant import Assistant


@pytest.fixture(scope="module")
def tools() -> Any:
    """The module, loaded by the first test: it takes a second, and every worker of a run reads this
    file. It is no lazy module of this file: collecting asks those for their names."""
    return import_module("bifolio.serve.assistant")


@pytest.fixture
def assistant(tools: Any, tmp_path: Path) -> Assistant:
    home = Home(tmp_path / "home")
    with Library.create(tmp_path / "A.bifolio", home=home) as library:
        one = library.add({"type": "book", "title": "Folding", "citation-key": "doe"})
        (tmp_path / "a.txt").write_text("words inside")
        (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4\x00\x01")
        library.files.add(one.id, [tmp_path / "a.txt", tmp_path / "b.pdf"])
        library.groups.create("Thesis")
    made: Assistant = tools.Assistant(tmp_path / "A.bifolio", home)
    return made


def run(call: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    return asyncio.run(call)


def test_tools_that_write_are_there_only_where_asked_for(tools: Any, assistant: Assistant) -> None:
    with closing(assistant):
        reading = asyncio.run(tools.server(assistant, may_write=False).list_tools())
        writing = asyncio.run(tools.server(assistant, may_write=True).list_tools())
    assert {one.name for one in writing} - {one.name for one in reading} == {
        *("add_reference", "edit_reference", "add_note", "tag_references", "add_to_group")
    }
    assert all(one.annotations and one.annotations.read_only_hint for one in reading)


def test_what_a_library_holds_is_marked_as_data(tools: Any, assistant: Assistant) -> None:
    with closing(assistant):
        answers = [
            run(assistant.search_references("fold")),
            run(assistant.show_reference("doe")),
            run(assistant.list_groups()),
            run(assistant.list_tags()),
            run(assistant.read_file("doe", "a.txt")),
        ]
        assert [one["note"] for one in answers] == [tools.DATA] * 5
        assert answers[4]["text"] == "words inside"
        assert "error" in run(assistant.read_file("doe", "b.pdf"))
        assert "error" in run(assistant.read_file("doe", "../../home/device.key"))
        assert "error" in run(assistant.cite_references(["doe"], "/etc/passwd"))
        assert "error" in run(assistant.search_references("year:x"))


def test_a_write_is_one_command(assistant: Assistant, tmp_path: Path) -> None:
    with closing(assistant):
        run(assistant.add_to_group("Thesis", ["doe"]))
        added = run(assistant.add_reference({"type": "book", "title": "Ink" * 20_000}))
        title = added["reference"]["fields"]["title"]
        assert len(title) == limits.ASSISTANT_FIELD_CHARACTERS_MAX
    with Library.open(tmp_path / "A.bifolio", home=Home(tmp_path / "home")) as library:
        said = [action.text for entry in library.history.log() for action in entry.what]
    assert said[:2] == ["assistant: added a reference", "assistant: put references into a group"]
