"""What commands say to a person: of what they did, and of what there was not to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.shell import Shell


@pytest.fixture
def two(shell: Shell) -> Shell:
    """A library with two references."""
    shell.does("add", "--type", "book", "title=On Paper", "key=paper", "tags=red", "note=7")
    shell.does("add", "--type", "book", "title=On Ink", "key=ink")
    return shell


def test_an_export_says_in_one_line_that_groups_stay_behind(two: Shell, tmp_path: Path) -> None:
    two.does("group", "create", "Reading")
    two.does("group", "add", "Reading", "paper")
    said = two.calls("export", "-o", str(tmp_path / "a.ris"))
    assert said.code == 0  # RIS never carries groups
    assert "the groups of " in said.err


def test_a_second_group_of_one_path_is_told_when_it_is_made(shell: Shell) -> None:
    assert shell.does("group", "create", "Reading").err == ""
    again = shell.does("group", "create", "Reading")
    assert "There is another group Reading (" in again.err
    failed = shell.calls("group", "rename", "Reading", "Later")
    assert (failed.code, "Give the group's id." in failed.err) == (1, True)


def test_what_was_not_there_to_be_taken_off_is_told_by_reference(two: Shell) -> None:
    two.does("group", "create", "Reading")
    failed = two.calls("group", "remove", "Reading", "ink")
    assert (failed.code, "ink is not in the group 'Reading'" in failed.err) == (1, True)
    two.does("group", "add", "Reading", "paper")
    assert two.does("group", "remove", "Reading", "paper", "ink").out == (
        "paper is not in the group Reading.\nink was not in the group Reading.\n"
    )
    assert two.does("tag", "remove", "red", "ink", "paper").out == (
        "ink did not have the tag red.\npaper does not have the tag red.\n"
    )


def test_a_library_s_name_is_one_line(shell: Shell, tmp_path: Path) -> None:
    failed = shell.calls("init", str(tmp_path / "Two"), "--name", "two\nlines")
    assert (failed.code, "a name on one line" in failed.err) == (2, True)
    assert not (tmp_path / "Two.bifolio").exists()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("list",), "There are no references."),
        (("search", "nothing"), "Nothing was found."),
        (("list", "--query", "nothing"), "Nothing was found."),
        (("list", "--trash"), "The trash is empty."),
        (("trash", "list"), "The trash is empty."),
        (("list", "--group", "Reading"), "There are no references in the group Reading."),
    ],
)
def test_what_finds_nothing_says_so_beside_the_outcome(
    shell: Shell, call: tuple[str, ...], said: str
) -> None:
    shell.does("group", "create", "Reading")
    found = shell.does(*call)
    assert (found.out, found.err) == ("", f"{said}\n")
    found = shell.does(*call, "--json")
    assert (found.out, found.err) == ("[]\n", "")


def test_a_word_that_no_style_has_is_told(shell: Shell) -> None:
    found = shell.does("cite", "--styles", "zzzz")
    assert (found.out, found.err) == ("", "No style has 'zzzz' in its name.\n")


def test_a_group_library_of_a_file_is_refused(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "a.bib"
    file.write_text("@book{a, title={On Paper}}")
    failed = shell.calls("import", "--zotero-group", "Lab", str(file))
    assert (failed.code, "a.bib is not a Zotero library" in failed.err) == (2, True)
    assert shell.does("list").out == ""


def test_a_home_that_is_a_file_is_told_as_such(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    failed = shell.calls("init", str(file / "Work"))
    assert (failed.code, f"{file} is a file and no folder" in failed.err) == (1, True)
    monkeypatch.setenv("BIFOLIO_HOME", str(file))
    for call in ("init", "list", "doctor"):
        failed = shell.calls(call)
        assert (failed.code, "is a file and not a folder" in failed.err) == (2, True)


def test_a_check_that_left_something_out_does_not_say_that_all_is_well(two: Shell) -> None:
    two.does("delete", "ink")
    said = two.does("doctor").out
    assert "2 references, those in the trash" in said
    assert said.endswith("\nEverything is well.\n")
    assert two.does("doctor", "--offline").out.endswith("\nEverything that was checked is well.\n")


def test_an_import_tells_keys_of_the_trash_once_and_whose_trash_it_is(
    two: Shell, tmp_path: Path
) -> None:
    first, second = tmp_path / "a.bib", tmp_path / "b.bib"
    for file in (first, second):
        file.write_text("@book{doe, title={On Glue}}")
    two.does("import", str(first))
    two.does("delete", "doe")
    said = two.does("import", str(first), str(second)).out
    assert "of this library, or of the one that they come from: doe (2 times).\n" in said
