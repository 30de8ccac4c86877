"""What users write for a type, a name or a field, and how imports and exports end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.shell import Shell


def fields(shell: Shell) -> list[dict[str, object]]:
    return [
        one["fields"] | {"type": one["type"]}
        for one in json.loads(shell.does("list", "--json").out)
    ]


def test_a_type_is_what_a_user_means_by_it(shell: Shell) -> None:
    meant = {
        "article": "article-journal",
        "Article": "article-journal",
        "journal article": "article-journal",
        "preprint": "article",
        "phdthesis": "thesis",
        "PhD thesis": "thesis",
        "website": "webpage",
        "misc": "document",
        "book": "book",
    }
    for written in meant:
        shell.does("add", "--type", written, f"title={written}")
    assert {str(one["title"]): one["type"] for one in fields(shell)} == meant


def test_names_are_people_as_they_are_typed(shell: Shell) -> None:
    doe, roe = {"family": "Doe", "given": "Jane"}, {"family": "Roe", "given": "Richard"}
    meant = {
        "Jane Doe": [doe],
        "Doe, Jane and Roe, Richard": [doe, roe],
        "Jane Doe and Richard Roe": [doe, roe],
        "Doe, Jane; Roe, Richard": [doe, roe],
        "Doe J.A.": [{"family": "Doe", "given": "J.A."}],
        "World Health Organization": [{"literal": "World Health Organization"}],
        "{Jane Doe}": [{"literal": "Jane Doe"}],
        "Doe": [{"family": "Doe"}],
        "Jane Doe; Richard Roe": [doe, roe],
        "Jane Doe, Richard Roe and Karl Poe": [doe, roe, {"family": "Poe", "given": "Karl"}],
        "J. Doe, R. Roe": [{"family": "Doe", "given": "J."}, {"family": "Roe", "given": "R."}],
        "Jane Doe and others": [doe, {"literal": "others"}],
        "Doe, Jane et al.": [doe, {"literal": "others"}],
        "Garcia Lopez, Ana Maria": [{"family": "Garcia Lopez", "given": "Ana Maria"}],
    }
    for written in meant:
        shell.does("add", f"title={written}", f"author={written}")
    assert {str(one["title"]): one["author"] for one in fields(shell)} == meant


@pytest.mark.parametrize(
    ("name", "field"),
    [("year", "issued"), ("journal", "container-title"), ("pages", "page"), ("authors", "author")],
)
def test_another_name_of_a_field_is_answered_with_its_own(
    shell: Shell, name: str, field: str
) -> None:
    said = shell.calls("add", "title=T", f"{name}=1")
    assert said.code == 2
    assert f"'{field}'" in said.err


def test_the_names_of_identifiers_work_in_small_letters(shell: Shell) -> None:
    shell.does("add", "title=T", "doi=10.1/x")
    assert fields(shell)[0]["DOI"] == "10.1/x"


@pytest.mark.parametrize("before", ["https://doi.org/", "http://dx.doi.org/", "doi:", "doi.org/"])
def test_a_doi_that_is_typed_as_an_address_is_the_doi(shell: Shell, before: str) -> None:
    shell.does("add", "title=T", f"DOI={before}10.1000/x")
    assert fields(shell)[0]["DOI"] == "10.1000/x"


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_what_was_guessed_is_said_and_is_no_failure(
    shell: Shell, tmp_path: Path, more: list[str]
) -> None:
    file = tmp_path / "a.bib"
    file.write_bytes("@book{k, title={Складывание бумаги}, author={Иванов, Иван}}".encode("cp1251"))
    said = shell.does("import", str(file), *more)
    assert "read as Windows-1251" in said.err
    assert "--encoding" in said.err
    assert "0 skipped" in said.out + said.err


def test_the_character_set_can_be_named(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "a.bib"
    file.write_bytes("@book{k, title={Świat}}".encode("cp1250"))
    assert shell.does("import", str(file), "--encoding", "windows-1250").err == ""
    assert fields(shell)[0]["title"] == "Świat"
    wrong = shell.calls("import", str(file), "--encoding", "none")
    assert wrong.code == 2
    assert "windows-1251" in wrong.err


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.bib", "@book{a,\n title = {T}},\n year = 2020\n}\n", "line 2"),
        ("a.json", '[{"id":"a","type":"book","title":"T"}] more', "after the end of the JSON"),
    ],
)
def test_what_is_damaged_is_named_and_ends_with_3(
    shell: Shell, tmp_path: Path, name: str, text: str, reason: str, more: list[str]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    said = shell.calls("import", str(tmp_path / name), *more)
    assert said.code == 3
    assert reason in said.err


def test_an_export_without_groups_and_files_ends_with_0_and_says_so(
    shell: Shell, tmp_path: Path
) -> None:
    shell.does("add", "title=T", "citation-key=k")
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    shell.does("file", "add", "k", str(tmp_path / "a.txt"))
    said = shell.does("export", "-o", str(tmp_path / "out.bib"))
    assert "the files of 1 reference" in said.err
    assert len(said.err.splitlines()) <= 2


def test_an_export_with_a_key_twice_ends_with_3(shell: Shell, tmp_path: Path) -> None:
    for number, title in enumerate(("One", "Two")):
        file = tmp_path / f"{number}.bib"
        file.write_text(f"@book{{k, title={{{title}}}}}", encoding="utf-8")
        shell.does("import", str(file))
    said = shell.calls("export", "-o", str(tmp_path / "out.bib"))
    assert said.code == 3
    assert "the key 'k'" in said.err
