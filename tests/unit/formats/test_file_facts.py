"""Groups, ratings and files that JabRef, Mendeley, BibDesk and others write next to references."""

from __future__ import annotations

import base64
import plistlib
from pathlib import Path

import pytest
from tests.support.cases import each
from tests.unit.formats.files import Loaded, load, load_content

from bifolio.formats import LinkedFiles
from bifolio.formats.bibtex.library_fields import paths_of
from bifolio.records.reference import group_record_id

NEW = r"""@article{a, title={A}, groups={Markov, Intro}, ranking={rank4}, readstatus={read}}
@article{b, title={B}, groups={Deep}}
@article{c, title={C}}
@Comment{jabref-meta: databaseType:bibtex;}
@Comment{jabref-meta: grouping:
0 AllEntriesGroup:;
1 StaticGroup:Markov\;2\;1\;0x8a8a8aff\;\;\;;
2 StaticGroup:Deep\;0\;1\;\;\;\;;
1 KeywordGroup:Auto\;0\;keywords\;x\;0\;0\;1\;\;\;\;;
1 StaticGroup:Intro\;0\;1\;\;\;\;;
}
"""
OLD = r"""@article{a, title={A}}
@article{b, title={B}}
@comment{jabref-meta: groupsversion:3;}
@comment{jabref-meta: groupstree:
0 AllEntriesGroup:;
1 ExplicitGroup:Mar
kov\;0\;a\;b\;;
2 ExplicitGroup:Deep\\\; er\;0\;b\;;
}
"""
MENDELEY = r"""@article{a, title={A}, mendeley-groups = {Thesis/Intro,Other}}
@article{b, title={B}, mendeley-groups = {Thesis}}
"""
BIBDESK = """@article{a, title={A}, Rating = {3}, Read = {1}}
@article{b, title={B}, Read = {0}}
@comment{BibDesk Static Groups{
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><array><dict><key>group name</key><string>To read</string>
<key>keys</key><string>a,b</string></dict></array></plist>
}}
"""


def named(loaded: Loaded) -> dict[str, set[str]]:
    """The names of the groups of each reference, by its title."""
    names = {group_record_id(one.format, one.id): one.name for one in loaded.groups}
    return {
        str(one.values["title"]): {names[str(group)] for group in one.values.get("groups", ())}
        for one in loaded.references
    }


def test_jabref_s_groups_of_today_come_in(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, NEW)
    assert named(loaded) == {"A": {"Markov", "Intro"}, "B": {"Deep"}, "C": set()}
    parents = {one.name: one.parent for one in loaded.groups}
    ids = {one.name: one.id for one in loaded.groups}
    assert parents == {"Markov": "", "Deep": ids["Markov"], "Intro": ""}
    assert (loaded.references[0].values["rating"], loaded.references[0].values["read-status"]) == (
        "4",
        "read",
    )
    assert [one.what for one in loaded.left_out] == ["1 group that a search fills"]


def test_jabref_s_older_groups_with_their_keys_come_in(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, OLD)
    assert named(loaded) == {"A": {"Markov"}, "B": {"Markov", "Deep; er"}}


def test_mendeley_s_groups_come_in_with_their_folders(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, MENDELEY)
    assert named(loaded) == {"A": {"Intro", "Other"}, "B": {"Thesis"}}
    assert {one.name: one.parent for one in loaded.groups} == {
        "Thesis": "",
        "Intro": "Thesis",
        "Other": "",
    }


def test_bibdesk_s_groups_ratings_and_marks_come_in(tmp_path: Path) -> None:
    loaded = load_content(tmp_path, BIBDESK)
    assert named(loaded) == {"A": {"To read"}, "B": {"To read"}}
    a, b = loaded.values()
    assert (a["rating"], a["read-status"], b["read-status"]) == ("3", "read", "unread")


@each(
    ("name", "raw", "paths"),
    [
        ("file", "{:papers/a.pdf:PDF}", ["papers/a.pdf"]),
        ("file", "{A title: b.pdf}", ["A title: b.pdf"]),
        ("file", r"{Text:a\:b.pdf:PDF;Other:c\;d.pdf:PDF}", ["a:b.pdf", "c;d.pdf"]),
        ("file", "{Full Text:files/12/x.pdf:application/pdf}", ["files/12/x.pdf"]),
        ("file", "{/home/doe/x.pdf}", ["/home/doe/x.pdf"]),
        ("file", r"{:C$\backslash$:/doe/x.pdf:pdf}", ["C:/doe/x.pdf"]),
        ("file", "{:home/doe/x.pdf:pdf}", ["/home/doe/x.pdf"]),
        ("file", "{:https\\://example.org/a.pdf:PDF}", []),
        ("pdf", "{x.pdf}", ["x.pdf"]),
        ("local-url", "{file://localhost/home/doe/a%20b.pdf}", ["/home/doe/a b.pdf"]),
        (
            "bdsk-file-1",
            "{" + base64.b64encode(plistlib.dumps({"relativePath": "p/x.pdf"})).decode() + "}",
            ["p/x.pdf"],
        ),
    ],
)
def test_a_field_of_files_names_these_paths(name: str, raw: str, paths: list[str]) -> None:
    assert list(paths_of(name, raw)) == paths


def places(loaded: Loaded) -> list[list[str]]:
    return [[one.name for one in ref.files if one.place is not None] for ref in loaded.references]


def test_a_file_next_to_the_bib_is_taken_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    (tmp_path / "home").mkdir()
    folder = tmp_path / "thesis"
    (folder / "pdf").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for inside in ("pdf/a.pdf", ".hidden/b.pdf"):
        (folder / inside).write_bytes(b"%PDF-")
    (tmp_path / "out.pdf").write_bytes(b"%PDF-")
    text = "".join(
        f"@book{{k{place}, title={{{place}}}, file={{:{path}:PDF}}}}\n"
        for place, path in enumerate(
            ["pdf/a.pdf", ".hidden/b.pdf", "../out.pdf", f"{folder}/pdf/a.pdf", "none.pdf"]
        )
    )
    loaded = load_content(folder, text)
    assert places(loaded) == [["a.pdf"], [], [], ["a.pdf"], []]
    links = [one.is_unwanted_link for ref in loaded.references for one in ref.files]
    assert links == [False, True, True, False, True]
    ris = load_content(folder, "TY  - BOOK\nTI  - A\nL1  - file:pdf/a.pdf\nER  - \n", "a.ris")
    assert places(ris) == [["a.pdf"]]
    web = load_content(folder, "TY  - BOOK\nTI  - A\nL1  - http://x.org/a.pdf\nER  - \n", "b.ris")
    assert places(web) == [[]]


def test_where_the_bib_is_in_the_home_folder_its_files_are_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    (tmp_path / "private.pdf").write_bytes(b"%PDF-")
    text = "@book{a, title={A}, file={:private.pdf:PDF}}"
    loaded = load_content(tmp_path, text)
    assert [one.is_unwanted_link for one in loaded.references[0].files] == [True]
    asked = load(tmp_path / "library.bib", links=LinkedFiles(tmp_path))
    assert places(asked) == [["private.pdf"]]


def test_a_property_list_with_entities_is_not_read(tmp_path: Path) -> None:
    text = BIBDESK.replace("<plist", '<!DOCTYPE plist [<!ENTITY e "x">]><plist')
    assert load_content(tmp_path, text).groups == []


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("a;b/semi;colon.pdf", ["semi;colon.pdf"]),
        ("a.pdf;b c.pdf", ["a.pdf", "b c.pdf"]),
        ("a.pdf; b c.pdf;", ["a.pdf", "b c.pdf"]),
        ("internal-pdf://123/a%20b.pdf", []),
    ],
)
def test_a_line_of_ris_names_one_file_or_several(
    tmp_path: Path, line: str, names: list[str]
) -> None:
    (tmp_path / "a;b").mkdir()
    for name in ("a;b/semi;colon.pdf", "a.pdf", "b c.pdf"):
        (tmp_path / name).write_bytes(b"%PDF-1.4")
    loaded = load_content(tmp_path, f"TY  - BOOK\nTI  - A\nL1  - {line}\nER  - \n", "a.ris")
    files = loaded.references[0].files
    assert [one.name for one in files if one.place is not None] == names
    assert sum(one.is_unwanted_link for one in files) == (not names)
