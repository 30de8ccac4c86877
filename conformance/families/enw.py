"""``enw`` and Refer: the cases of Zotero, citation.js and the inputs of JabRef."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.differences import stands_in, texts_of
from conformance.expected import zotero
from conformance.expected.csl import read_csl
from conformance.family import Case, Difference, Disagreement, Family


def owns(path: PurePosixPath) -> bool:
    """By its suffix."""
    return path.suffix in (".enw", ".end")


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's and citation.js's; JabRef's inputs expect a value here and there only in code."""
    yield from zotero.cases(folder / "zotero" / "refer_enw.json", "case.enw")
    for path in sorted((folder / "citation_js" / "enw").glob("*.enw")):
        expected = read_csl(path.with_suffix(".expected.csl.json"))
        yield Case(f"citation_js/{path.name}", path.read_bytes(), expected, path.name)


def _is_the_database(found: Disagreement) -> bool:
    ours = texts_of(found, "source")
    return found.field == "accession-number" and stands_in(found, ours)


def _is_a_second_journal(found: Disagreement) -> bool:
    journals = [raw for tag, raw in found.tags if tag == "J"]
    return found.field == "container-title" and len(journals) > 1 and found.expected in journals


DIFFERENCES: Final = (
    Difference(
        "database",
        "%W is the database that the record comes from; the project takes it for a place in an "
        "archive.",
        _is_the_database,
    ),
    Difference(
        "first-of-two",
        "The first %J is the journal, a second one an extra field; the project takes the last.",
        _is_a_second_journal,
    ),
)

FAMILY: Final = Family("enw", owns, cases, DIFFERENCES)
