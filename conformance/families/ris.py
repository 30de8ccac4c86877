"""RIS: search exports, reference managers' exports, and the cases of Zotero and JabRef."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from conformance.agreement import plain_texts
from conformance.differences import stands_in, texts_of
from conformance.expected import zotero
from conformance.expected.bibtex import read_bibtex
from conformance.family import Case, Difference, Disagreement, Family

#: Texts next to the RIS files that are of other formats, or of none.
_OTHERS: Final = frozenset({"PubMed_example.txt", "WoS_txt_example.txt", "litsearchr.txt"})


def owns(path: PurePosixPath) -> bool:
    """RIS by its suffix, and the texts among the RIS files."""
    if path.suffix == ".txt":
        return path.parts[0] == "ris" and path.name not in _OTHERS
    return path.suffix == ".ris"


def cases(folder: Path) -> Iterator[Case]:
    """Zotero's and JabRef's."""
    yield from zotero.cases(folder / "zotero" / "ris.json", "case.ris")
    for path in sorted((folder / "jabref" / "ris").glob("*.ris")):
        expected = read_bibtex(path.with_suffix(".bib"))
        yield Case(f"jabref/{path.name}", path.read_bytes(), expected, path.name)


#: Zotero's case that holds every type of EndNote's, each tag with EndNote's own label as its text.
_ALL_TYPES: Final = "zotero/ris.json#1"

#: What Zotero makes of a code and we of the same, by the table of types.
_TYPES: Final = {
    ("document", "dataset"),  # AGGR
    ("document", "classic"),  # ANCIENT
    ("article-magazine", "book"),  # CTLG
    ("book", "classic"),  # CLSWK
    ("graphic", "figure"),  # FIGURE
    ("article-journal", "document"),  # GEN
    ("article-journal", "report"),  # GRANT
    ("manuscript", "pamphlet"),  # PAMP
    ("book", "collection"),  # SER
    ("report", "standard"),  # STAND
    ("article-journal", "article"),  # UNPB
}

#: Fields of that case in which EndNote's label speaks for us: the label, and where we have it.
_LABELS: Final = {
    ("container-title", "Periodical Title"): "the label of an abbreviation (J2)",
    ("container-title", "Abbreviation"): "the label of an abbreviation (J2)",
    ("title", "Abbreviated Case Name"): "the label of a short title (ST)",
    ("title", "Short Title"): "the label of a short title (ST)",
    ("collection-title", "Secondary Title"): "the series' title is in T3",
    ("collection-editor", "Editor"): "no series' editor by its label (A2)",
    ("editor", "Editor, Series"): "a series' editor by its label (A2 or A3)",
    ("producer", "Editor, Series"): "a series' editor by its label (A3)",
    ("contributor", "Performers"): "performers by their label (A4)",
    ("collection-editor", "Department"): "a department, not an editor (A2)",
    ("translator", "Department/Division"): "a department, not a translator (A4)",
    ("translator", "Producer"): "a producer by its label (A4)",
    ("author", "Editor"): "an editor by its label (A2)",
    ("composer", "Composer"): "the author of music",
    ("number-of-volumes", "Version"): "a version by its label (NV)",
    ("number-of-pages", "Pages"): "the length is in M2",
    ("container-title", "Series Title"): "the series' title of a book",
    ("container-title", "Organization, Issuing"): "an authority, not a container",
    ("authority", "Publisher"): "the authority is in A2",
}


def _endnote_says(found: Disagreement) -> bool:
    text = " ".join(plain_texts(found.expected))
    return found.case == _ALL_TYPES and (found.field, text) in _LABELS


def _has_another_type(found: Disagreement) -> bool:
    return found.field == "type" and (found.expected, found.ours) in _TYPES


def _is_the_genre(found: Disagreement) -> bool:
    return found.field == "medium" and (
        stands_in(found, texts_of(found, "genre", extra=True)) or found.case == _ALL_TYPES
    )


def _has_another_record(found: Disagreement) -> bool:
    return found.case == "jabref/RisImporterTest1.ris"


def _is_alone(found: Disagreement) -> bool:
    tags = {tag for tag, _ in found.tags}
    ours = texts_of(found, "container-title")
    return found.field == "container-title-short" and "JF" not in tags and stands_in(found, ours)


def _is_an_accession_number(found: Disagreement) -> bool:
    ours = texts_of(found, "accession-number", "PMID", "PMCID")
    return found.project == "jabref" and found.field == "issue" and stands_in(found, ours)


def _is_an_identifier(found: Disagreement) -> bool:
    if found.field != "note" or not isinstance(found.expected, str):
        return False
    wanted = [line.partition("[")[0].strip() for line in found.expected.split("\n")]
    return all(text in texts_of(found, "PMID", "PMCID") for text in wanted)


def _has_another_dash(found: Disagreement) -> bool:
    one, two = (
        "".join(plain_texts(value)).replace("–", "-").replace("—", "-")
        for value in (found.expected, found.ours)
    )
    return found.project == "jabref" and one == two


DIFFERENCES: Final = (
    Difference(
        "other-type",
        "The two tables of types differ for this code: ours is in docs/formats.md.",
        _has_another_type,
    ),
    Difference(
        "endnote-label",
        "EndNote's own label of the tag in this type says what it is, and the project takes it for "
        "something else (the list is in conformance/families/ris.py).",
        _endnote_says,
    ),
    Difference(
        "type-of-work",
        "M3 is the genre in every type; the project has the medium of pictures and films there.",
        _is_the_genre,
    ),
    Difference(
        "type-begins-a-record",
        "JabRef goes on after a second TY without ER between; we begin a record, because whole "
        "exports come without ER.",
        _has_another_record,
    ),
    Difference(
        "lone-journal",
        "The only name of the journal is its name, abbreviated or not.",
        _is_alone,
    ),
    Difference(
        "accession-number",
        "JabRef takes AN for the issue; it is the number in a database.",
        _is_an_accession_number,
    ),
    Difference(
        "identifier-in-a-note",
        "U1 and U2 that name a PubMed id are that id.",
        _is_an_identifier,
    ),
    Difference(
        "dash-through-tex",
        "The expectation is written in TeX, which has lost the kind of dash.",
        _has_another_dash,
    ),
)

FAMILY: Final = Family("ris", owns, cases, DIFFERENCES)
