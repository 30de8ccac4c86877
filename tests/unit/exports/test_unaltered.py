"""What this device imported and nobody changed is exported unread: as it is when it is read."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifolio import Library
from bifolio.document import importing
from bifolio.exports import unaltered
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.records.reference import ExportReport, Source

BIBTEX = r"""
@comment{kept as it is}
@string{acm = "ACM Press"}
@string(sep = {Sept.})
@preamble{"\newcommand{\x}{y}"}
@article{plain, title = {A {Plain} One}, author = {Lee, Ann and {The Team}}, year = 1999,
  month = jan, abstract = {Words of an abstract, \"{o} and \cite{x}.}, note = "a note"}
@book{macro, title = "With a " # acm # { macro}, publisher = acm, year = {2001},
  file = {:a.pdf:PDF}}
@inproceedings{child, crossref = {whole}, title = {Inherits}}
@proceedings{whole, title = {The Whole}, year = 1980, publisher = acm, groups = {Old; New}}
@misc{odd key, title = {Key with a space}, unknownfield = {said}, isbn = {1-2, 3-4}}
@misc{twin, title = {First}}
@misc{twin, title = {Second}}
@misc{lone, title = {A brace \{ of its own}, month = sep}
loose text, and an at sign
"""
SECOND = r"""
@string{acm = "Another Press"}
@book{second, title = {Of another file}, publisher = acm, year = 2002}
@book{third, title = {Of another file too}, publisher = {None}, year = 2003}
@book{fourth, title = {Names what the first defines}, publisher = sep}
"""
RIS = """TY  - JOUR
AU  - Lee, Ann
TI  - Of a Tagged File
PY  - 1999/02/03
N2  - An abstract.
KW  - one
KW  - two
ER  -

TY  - BOOK
ID  - own1
TI  - With a Key
AU  - Lee, Ann
PY  - 1999
L1  - file:///a.pdf
ZZ  - unknown
ER  -

TY  - JOUR
AU  - Lee, Ann
TI  - Of a Tagged File
PY  - 1999
ER  -
"""
CSL = """[{"id": "c1", "type": "book", "title": "Ä title", "issued": {"date-parts": [[1999, 2]]},
"author": [{"family": "Lee", "given": "Ann"}], "custom": {"a": [1]}, "note": "said: yes"},
{"type": "article-journal", "title": "No id", "DOI": "10.1/x"}]"""
ENW = """%0 Journal Article
%A Lee, Ann
%T Of Refer
%D 1999
%K one
%X An abstract.
"""
FILES = {"a.bib": BIBTEX, "b.bib": SECOND, "a.ris": RIS, "a.json": CSL, "a.enw": ENW}
FORMATS = ("bibtex", "biblatex", "ris", "csl-json", "enw", "endnote-xml")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    home = Home(folder / "home", device_name="office")
    with Library.create(folder / "L.bifolio", home=home) as library:
        for name, text in FILES.items():
            (folder / name).write_text(text, "utf-8")
            library.import_files([folder / name])
        xml = io.BytesIO()
        library.export(xml, format="endnote-xml", query="title:plain")
        (folder / "a.xml").write_bytes(xml.getvalue().replace(b"Plain", b"Foreign"))
        library.import_files([folder / "a.xml"])
    return folder


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Iterator[Library]:
    shutil.copytree(made, tmp_path / "made")
    home = Home(tmp_path / "made" / "home", device_name="office")
    with Library.open(tmp_path / "made" / "L.bifolio", home=home) as library:
        yield library


def exported(library: Library, format: str, query: str | None = None) -> tuple[str, ExportReport]:
    out = io.BytesIO()
    report = library.export(out, format=format, query=query)
    return out.getvalue().decode(), report


def unread(library: Library, format: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Check that an export is what it is where every reference is read; how many were not."""
    found: list[Source] = []
    find = unaltered.UnalteredReferences.find

    def count(self: unaltered.UnalteredReferences, row: object) -> Source | None:
        if (source := find(self, row)) is not None:  # type: ignore[arg-type]
            found.append(source)
        return source

    counts = []
    for query in (None, "year:1999"):
        found.clear()
        with monkeypatch.context() as patched:
            patched.setattr(unaltered.UnalteredReferences, "find", count)
            quick = exported(library, format, query)
        with monkeypatch.context() as patched:
            patched.setattr(unaltered.UnalteredReferences, "find", lambda *_: None)
            assert quick == exported(library, format, query), query
        counts.append(len(found))
    return counts[0]


@pytest.mark.parametrize("format", FORMATS)
def test_what_nobody_changed_is_exported_as_if_it_was_read(
    library: Library, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    least = {"bibtex": 5, "biblatex": 5, "ris": 2, "csl-json": 1, "enw": 1, "endnote-xml": 0}
    assert unread(library, format, monkeypatch) >= least[format]


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_changed_is_exported_as_it_is_now(
    library: Library, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = sorted(one.id for one in library.list())
    for number, one in enumerate(ids):
        edit = ("title", "abstract", "volume", "citation-key", "note")[number % 5]
        library.edit(one, [Edit(edit, Act.SET, (f"new{number}",))])
    assert not unread(library, format, monkeypatch)
    assert "new2" in exported(library, format)[0]


def test_a_reference_in_a_group_or_with_a_tag_of_the_librarys_own_is_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = unread(library, "ris", monkeypatch)
    (chosen,) = [one.id for one in library.list() if one.key == "own1"]
    library.edit(chosen, [Edit("tags", Act.ADD, ("mine",))])
    assert unread(library, "ris", monkeypatch) == before - 1
    library.groups.create("Reading")
    library.groups.add("Reading", [one.id for one in library.list()])
    assert not unread(library, "ris", monkeypatch)


def test_another_mapping_reads_every_source(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unaltered, "MAPPING_VERSION", "2")
    assert not unread(library, "bibtex", monkeypatch)


def test_what_another_device_wrote_is_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member may say one thing in a source and another in the values."""
    monkeypatch.setattr(unaltered, "is_written_here", lambda *_: False)
    assert not unread(library, "bibtex", monkeypatch)


def test_only_the_state_of_a_first_import_is_one(library: Library) -> None:
    replica = library._replica
    (row,) = [one for one in library.list() if one.key == "plain"]
    state = replica.records.state(row.id)
    assert state is not None
    source = importing.untouched_source(row.id, state, mapping="1")
    assert source is not None
    assert source.id == "plain"
    assert source == importing.sources(replica.document(row.id).entries())[-1]
    assert importing.untouched_source("ab" * 16, state, mapping="1") is None
    assert importing.untouched_source(row.id, state, mapping="2") is None
    for place in range(len(state)):  # whatever is cut off or altered, nothing else is read
        found = importing.untouched_source(row.id, state[:place], mapping="1")
        assert found is None or found == source
        damaged = state[:place] + bytes([state[place] ^ 1]) + state[place + 1 :]
        found = importing.untouched_source(row.id, damaged, mapping="1")
        assert found is None or found == source
