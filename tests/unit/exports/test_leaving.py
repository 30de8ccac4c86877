"""Leaving with everything: groups, ratings and files in BibTeX, RIS and EndNote's XML, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.errors import FileFormatError
from bifolio.records.edits import Act, Edit
from bifolio.records.reference import ExportReport

RIS = """TY  - JOUR
TI  - On paper
AU  - Doe, Jane
PY  - 2015
JO  - Journal of Paper
KW  - ink
N1  - A note.
ER  -

TY  - BOOK
TI  - On ink & glue
AU  - Roe, Richard
PY  - 2016
SN  - 0306406152
ER  -

TY  - CHAP
TI  - Alone
AU  - Poe, E. A.
PY  - 2017
T2  - The Book
ER  -
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setenv("BIFOLIO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    (tmp_path / "a.ris").write_text(RIS, encoding="utf-8")
    for name in ("paper.pdf", "paper: two; {x}.pdf", "ink.pdf"):
        (tmp_path / name).write_bytes(b"%PDF-1.7 " + name.encode())
    with Library.create(tmp_path / "a.bifolio", name="a") as created:
        created.import_files([tmp_path / "a.ris"])
        created.groups.create("Thesis")
        created.groups.create("R&D, 50% {now}", parent="Thesis")
        created.groups.create("Intro", parent="Thesis")
        created.groups.create("Empty")
        created.groups.create("Young", query="title:ink")
        created.groups.add("Thesis", ["doe2015paper", "roe2016ink"])
        created.groups.add("R&D, 50% {now}", ["doe2015paper"])
        created.groups.add("Intro", ["roe2016ink"])
        created.files.add(
            "doe2015paper", [tmp_path / "paper.pdf", tmp_path / "paper: two; {x}.pdf"]
        )
        created.files.add("roe2016ink", [tmp_path / "ink.pdf"])
        marks = [Edit("rating", Act.SET, ("4",)), Edit("read-status", Act.SET, ("read",))]
        created.edit("doe2015paper", marks)
        created.edit("roe2016ink", marks[:1])
        yield created


def leave(
    library: Library,
    folder: Path,
    name: str,
    *,
    with_files: Path | None = None,
    cited_in: Path | None = None,
) -> tuple[str, ExportReport]:
    format = {".bib": "bibtex", ".ris": "ris", ".xml": "endnote-xml"}[Path(name).suffix]
    with (folder / name).open("wb") as out:
        report = library.export(
            out, format=format, with_files=with_files, beside=folder, cited_in=cited_in
        )
    return (folder / name).read_text(encoding="utf-8"), report


def contents(library: Library) -> dict[str, dict[str, object]]:
    """What a user sees of each reference, by its key; extra fields apart."""
    found: dict[str, dict[str, object]] = {}
    for one in library.list():
        fields = {name: value for name, value in one.fields.items() if not name.startswith("x.")}
        fields.pop("files", None)
        found[one.key] = fields | {
            "type": one.type,
            "tags": set(one.tags),
            "groups": set(one.groups),
            "files": {library.files.find(one.key, name).hash for name in one.files},
        }
    return found


def paths(library: Library) -> set[str]:
    return {one.path for one in library.groups.list()}


def back(tmp_path: Path, file: Path) -> Library:
    library = Library.create(tmp_path / f"back-{file.name}.bifolio", name="b")
    report = library.import_files([file])
    assert not report.skipped
    return library


def test_references_groups_ratings_and_files_go_out_as_bibtex_and_come_back(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    text, report = leave(library, folder, "all.bib", with_files=folder / "files")
    assert [(one.field, one.key) for one in report.lost] == [("smart-group", "Young")]
    assert "file = {:files/doe2015paper/" in text
    assert "ranking = {rank4}" in text
    with back(tmp_path, folder / "all.bib") as again:
        assert contents(again) == contents(library)
        assert paths(again) == paths(library) - {"Empty", "Young"}
        names = [name for one in again.list() for name in one.files]
        assert sorted(names) == ["ink.pdf", "paper.pdf", "paper_ two_ _x_.pdf"]
        again.import_files([folder / "all.bib"])
        assert contents(again) == contents(library)


def test_the_readers_of_jabref_and_zotero_find_files_and_groups_by_their_own_rules(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    text, _ = leave(library, folder, "all.bib", with_files=folder / "files")
    of_keys = {
        entry.split(",", 1)[0]: re.search(r"^\s*file = \{(.*)\},?$", entry, re.MULTILINE)
        for entry in re.split(r"^@\w+\{(?=\w+,)", text, flags=re.MULTILINE)[1:]
    }
    named = {key: found.group(1) for key, found in of_keys.items() if found is not None}
    assert sorted(named) == ["doe2015paper", "roe2016ink"]
    for read in (file_by_jabref, file_by_zotero):
        for key, field in named.items():
            hashes = {library.files.find(key, one.name).hash for one in library.files.list(key)}
            files = read(field)
            assert len(files) == len(hashes)
            assert all((folder / path).read_bytes()[:8] == b"%PDF-1.7" for path in files)
    tree = tree_of_jabref(text)
    # JabRef shows a name as the file has it, and finds its entries by just these characters.
    assert tree == [(1, "Thesis"), (2, r"R\&D, 50\% \{now\}"), (2, "Intro")]
    fields = re.findall(r"^\s*groups = \{(.*)\},?$", text, re.MULTILINE)
    listed = [name for field in fields for name in re.split(r"(?<!\\), ?", field)]
    assert {name.replace(r"\,", ",") for name in listed} == {name for _, name in tree}


def file_by_jabref(field: str) -> list[str]:
    """The paths of ``FileFieldParser``: a backslash takes the next character as it is, a colon
    ends a part (description, path, type), a semicolon a file."""
    files, parts, part, escaped = [], list[str](), "", False
    for one in [*field, ";"]:
        if one == "\\" and not escaped:
            escaped = True
            continue
        if one == ":" and not escaped:
            parts, part = [*parts, part], ""
        elif one == ";" and not escaped:
            files.append([*parts, part][1])
            parts, part = [], ""
        else:
            part += one
        escaped = False
    return files


def file_by_zotero(field: str) -> list[str]:
    """The paths of Zotero's BibTeX translator: cut where no backslash is before the sign, the
    part in the middle, without the backslashes before ``\\``, ``:``, ``;`` and braces."""
    records = re.split(r"(?<!\\);", field)
    paths = [re.split(r"(?<!\\):", record)[1] for record in records]
    return [re.sub(r"\\([\\:;{}])", r"\1", path) for path in paths]


def tree_of_jabref(text: str) -> list[tuple[int, str]]:
    """The levels and names of ``GroupsParser``: a line of the tree ends at a semicolon that no
    backslash is before, and is its level, its kind and its parts, which are escaped once more."""
    found = re.search(r"@Comment\{jabref-meta: grouping:\n(.*?)\n?\}\s*(?:@|\Z)", text, re.S)
    assert found is not None
    tree = []
    for line in re.findall(r"((?:[^\\;]|\\.)+);\n?", found.group(1), re.S):
        level, _, rest = line.partition(" ")
        kind, _, parts = rest.partition(":")
        if kind == "StaticGroup":
            once = re.sub(r"\\(.)", r"\1", parts)
            name = re.split(r"(?<!\\);", once)[0]
            tree.append((int(level), re.sub(r"\\(.)", r"\1", name)))
    return tree


@pytest.mark.parametrize("name", ["all.ris", "all.xml"])
def test_files_go_out_with_other_formats_and_come_back(
    library: Library, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    _, report = leave(library, folder, name, with_files=folder / "PDF files")
    assert {one.field for one in report.lost} == {"groups", "smart-group"}
    with back(tmp_path, folder / name) as again:
        ours, theirs = contents(library), contents(again)
        assert {key: one["files"] for key, one in theirs.items()} == {
            key: one["files"] for key, one in ours.items()
        }


def test_an_export_without_files_says_that_they_stay_and_has_the_groups(
    library: Library, tmp_path: Path
) -> None:
    text, report = leave(library, tmp_path, "all.bib")
    assert {one.field for one in report.lost} == {"files", "smart-group"}
    assert "jabref-meta: grouping" in text
    assert "file =" not in text


def test_a_group_that_a_reference_left_is_left_in_the_file_too(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    leave(library, folder, "all.bib")
    with back(tmp_path, folder / "all.bib") as again:
        again.groups.remove("Intro", ["roe2016ink"])
        text, _ = leave(again, folder, "again.bib")
        assert re.findall(r"groups = \{(.*)\}", text) == [
            "Thesis, R\\&D\\, 50\\% \\{now\\}",
            "Thesis",
        ]
        assert text.count("jabref-meta") == 1


def test_a_selection_lists_only_its_own_groups(library: Library, tmp_path: Path) -> None:
    with (tmp_path / "out.bib").open("wb") as out:
        library.export(out, format="biblatex", query="title:ink")
    text = (tmp_path / "out.bib").read_text(encoding="utf-8")
    assert "StaticGroup:Intro" in text
    assert "R&D" not in text


def test_a_watched_export_has_the_same_groups(library: Library, tmp_path: Path) -> None:
    live = library.live_export(format="bibtex")
    for act in (
        lambda: None,
        lambda: library.groups.rename("Intro", "Beginning"),
        lambda: library.groups.add("Thesis", ["poe2017alone"]),
    ):
        act()
        with (tmp_path / "live.bib").open("wb") as out:
            live.write(out)
        text, _ = leave(library, tmp_path, "all.bib")
        assert (tmp_path / "live.bib").read_text(encoding="utf-8") == text


def test_groups_of_one_name_are_told_apart(library: Library, tmp_path: Path) -> None:
    library.groups.create("Other")
    library.groups.create("Intro", parent="Other")
    library.groups.add("Other/Intro", ["poe2017alone"])
    text, _ = leave(library, tmp_path, "all.bib")
    assert "groups = {Other / Intro}" in text


# --- what a paper cites --------------------------------------------------------------------------

AUX = (
    "\\relax\n\\citation{doe2015paper,Roe2016Ink}\n\\@input{chapters/one.aux}\n\\citation{nobody}\n"
)
BCF = (
    '<?xml version="1.0"?><bcf:controlfile xmlns:bcf="x"><bcf:section number="0">'
    '<bcf:citekey order="1">doe2015paper</bcf:citekey></bcf:section></bcf:controlfile>'
)


def exported_keys(text: str) -> set[str]:
    return set(re.findall(r"^@(?!Comment)\w+\{([^,]*),", text, re.MULTILINE))


def test_what_an_aux_cites_is_exported_and_what_is_missing_is_named(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "chapters").mkdir()
    (tmp_path / "main.aux").write_text(AUX)
    (tmp_path / "chapters" / "one.aux").write_text("\\abx@aux@cite{0}{poe2017alone}\n")
    text, report = leave(library, tmp_path, "cited.bib", cited_in=tmp_path / "main.aux")
    assert exported_keys(text) == {"doe2015paper", "roe2016ink", "poe2017alone"}
    assert [one.key for one in report.lost if one.field == "cited"] == ["nobody"]


def test_what_a_set_of_a_bcf_holds_is_exported(library: Library, tmp_path: Path) -> None:
    whole = '<bcf:citekey order="1" type="set" members="doe2015paper,roe">s</bcf:citekey>'
    (tmp_path / "main.bcf").write_text(BCF.replace(BCF[BCF.index("<bcf:citekey") :], whole))
    _, report = leave(library, tmp_path, "cited.bib", cited_in=tmp_path / "main.bcf")
    assert [one.key for one in report.lost if one.field == "cited"] == ["roe"]


def test_what_a_bcf_cites_is_exported(library: Library, tmp_path: Path) -> None:
    (tmp_path / "main.bcf").write_text(BCF)
    text, _ = leave(library, tmp_path, "cited.bib", cited_in=tmp_path / "main.bcf")
    assert exported_keys(text) == {"doe2015paper"}


def test_a_paper_that_cites_all_gets_all_and_one_that_cites_nothing_says_so(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "main.aux").write_text("\\citation{*}\n")
    text, _ = leave(library, tmp_path, "cited.bib", cited_in=tmp_path / "main.aux")
    assert len(exported_keys(text)) == 3
    (tmp_path / "main.aux").write_text("\\relax\n")
    with pytest.raises(FileFormatError, match="citations"):
        leave(library, tmp_path, "cited.bib", cited_in=tmp_path / "main.aux")


def test_files_that_are_not_there_are_counted_and_nothing_else_is_said(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "jabref"
    folder.mkdir()
    (folder / "here.pdf").write_bytes(b"%PDF-")
    (folder / "a.bib").write_text(
        "@book{x, title={Here}, file={:here.pdf:PDF;:gone.pdf:PDF;:/home/x/y.pdf:PDF}}\n"
    )
    report = library.import_files([folder / "a.bib"])
    assert (report.files, report.missing_files, report.linked_files_left_out) == (1, 0, 2)
    assert not report.left_out
