"""EndNote XML: its libraries and the cases of Zotero, JabRef, pandoc and biblatex-csl-converter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.expected import zotero
from conformance.expected.biblatex_json import read_biblatex_json
from conformance.expected.bibtex import read_bibtex
from conformance.expected.pandoc import read_native
from conformance.family import Case, Difference, Disagreement, Family


def owns(path: PurePosixPath) -> bool:
    """By its suffix."""
    return path.suffix in (".xml", ".endx")


def cases(folder: Path) -> Iterator[Case]:
    """Those of all four projects."""
    yield from zotero.cases(folder / "zotero" / "endnote_xml.json", "case.xml")
    for path in sorted((folder / "jabref" / "endnote_xml").glob("*.xml")):
        expected = read_bibtex(path.with_suffix(".bib"))
        yield Case(f"jabref/{path.name}", path.read_bytes(), expected, path.name)
    native = folder / "pandoc" / "readers" / "endnotexml-reader.xml"
    yield Case(
        f"pandoc/{native.name}",
        native.read_bytes(),
        read_native(native.with_suffix(".native")),
        native.name,
    )
    for path in sorted((folder / "biblatex_csl_converter" / "endnote").glob("*.xml")):
        expected = read_biblatex_json(path.with_suffix(".json"))
        yield Case(f"biblatex_csl_converter/{path.name}", path.read_bytes(), expected, path.name)


def _is_a_remark(found: Disagreement) -> bool:
    return found.field == "note" and "no corresponding Zotero field" in str(found.expected)


def _names_a_language(found: Disagreement) -> bool:
    return found.field == "language" and str(found.ours).lower() in str(found.expected)


def _has_another_type(found: Disagreement) -> bool:
    pairs = {("collection", "paper-conference"), ("manuscript", "article")}
    return found.field == "type" and (found.expected, found.ours) in pairs


DIFFERENCES: Final = (
    Difference(
        "remark",
        "Zotero writes what it has no field for into a note of its own; we keep it as a field.",
        _is_a_remark,
    ),
    Difference(
        "language-as-written",
        "The project writes BibLaTeX's name of the language; we keep the file's.",
        _names_a_language,
    ),
    Difference(
        "other-type",
        "A paper in proceedings and an unpublished work: the two tables of types differ.",
        _has_another_type,
    ),
)

FAMILY: Final = Family("endnote-xml", owns, cases, DIFFERENCES)
