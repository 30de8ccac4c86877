"""PubMed's nbib (MEDLINE): its files and the cases of Zotero and JabRef."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.agreement import plain_texts
from conformance.differences import texts_of
from conformance.expected import zotero
from conformance.expected.bibtex import read_bibtex
from conformance.family import Case, Difference, Disagreement, Family


def owns(path: PurePosixPath) -> bool:
    """By its suffix, and the one text that is MEDLINE's."""
    return path.suffix == ".nbib" or path.name == "PubMed_example.txt"


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's and JabRef's."""
    yield from zotero.cases(folder / "zotero" / "medline_nbib.json", "case.nbib")
    for path in sorted((folder / "jabref" / "nbib").iterdir()):
        if path.suffix != ".bib" and path.with_suffix(".bib").exists():
            expected = read_bibtex(path.with_suffix(".bib"))
            yield Case(f"jabref/{path.name}", path.read_bytes(), expected, path.name)


def _is_a_supplier(found: Disagreement) -> bool:
    supplied = {raw.strip() for tag, raw in found.tags if tag == "JT"}
    if found.case != "zotero/medline_nbib.json#4":
        return False
    return found.field == "publisher" or (found.field == "archive" and found.expected in supplied)


def _has_marks(found: Disagreement) -> bool:
    if not found.field.startswith("jabref.") or not isinstance(found.expected, str):
        return False
    text = found.expected.partition(" [")[0]
    return text in texts_of(found) or any(text == raw.partition(" [")[0] for _, raw in found.tags)


def _joins_tags(found: Disagreement) -> bool:
    texts = {raw.strip() for _, raw in found.tags}
    if not found.field.startswith("jabref.") or not isinstance(found.expected, str):
        return False
    return all(text in texts for text in found.expected.split(", "))


def _cuts_headings(found: Disagreement) -> bool:
    return (
        found.project == "jabref"
        and found.field == "tags"
        and any(tag == "MH" for tag, _ in found.tags)
    )


def _cuts_the_copyright(found: Disagreement) -> bool:
    text = " ".join(texts_of(found, "abstract"))
    return (
        found.project == "jabref"
        and found.field in ("abstract", "license")
        and all(one in text for one in plain_texts(found.expected))
    )


def _is_a_conference(found: Disagreement) -> bool:
    return (
        found.field == "type"
        and found.expected == "paper-conference"
        and any(tag == "PT" and "Conference" in raw for tag, raw in found.tags)
    )


def _is_a_body(found: Disagreement) -> bool:
    bodies = {raw.strip() for tag, raw in found.tags if tag == "CN"}
    ours = [text for text in texts_of(found, "author") if text not in bodies]
    return found.field == "author" and bool(bodies) and ours == plain_texts(found.expected)


DIFFERENCES: Final = (
    Difference(
        "supplier",
        "ERIC puts who supplies a book or thesis where journals stand: the publisher for us; the "
        "project takes a university out of the text of SO.",
        _is_a_supplier,
    ),
    Difference(
        "marked-id",
        "The project keeps ids with or without their marks ([doi], [pii]); ours is the bare DOI, "
        "and other ids are extra fields with their mark.",
        _has_marks,
    ),
    Difference(
        "tags-joined",
        "The project joins several tags into one text; each is an extra field of ours.",
        _joins_tags,
    ),
    Difference(
        "headings-whole",
        "A subject heading is one tag as it stands; the project cuts it at commas and slashes and "
        "moves its star.",
        _cuts_headings,
    ),
    Difference(
        "copyright-in-abstract",
        "The project takes the copyright line out of the abstract; the text stays whole.",
        _cuts_the_copyright,
    ),
    Difference(
        "published-as",
        "A conference among the publication types is what an article reports on; PubMed's records "
        "are articles.",
        _is_a_conference,
    ),
    Difference(
        "body-as-author",
        "CN is a body that wrote the work: the last author for us, apart for the project.",
        _is_a_body,
    ),
)

FAMILY: Final = Family("nbib", owns, cases, DIFFERENCES)
