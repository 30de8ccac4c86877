"""The table of fields: CSL's variables (and ours) and what each format calls them.

The first name of a column is written; all are read, an earlier one before a later one where a
record has both. A name in brackets is read for certain types only: which, the note says, and the
format's own module decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field: its names in each format, space-separated, in order of preference."""

    field: str
    bibtex: str = ""
    biblatex: str = ""
    ris: str = ""
    note: str = ""


#: In the order in which a new record is written.
FIELDS: Final = (
    FieldRow("author", "author", "author", "AU A1"),
    FieldRow("editor", "editor", "editor", "A2 ED [A3]", "RIS: A3 of a whole book"),
    FieldRow("translator", "translator", "translator", "A4 TA"),
    FieldRow("collection-editor", "", "", "A3 [A2]", "RIS: A2 of a whole book"),
    FieldRow("container-author", "bookauthor", "bookauthor", ""),
    FieldRow("title", "title", "title", "TI T1 CT [BT]", "a subtitle is joined with a colon"),
    FieldRow("title-short", "shorttitle", "shorttitle", "ST"),
    FieldRow("translated-title", "title_english", "", "TT"),
    FieldRow(
        "container-title",
        "[journal] [booktitle] [fjournal]",
        "[journaltitle] [booktitle]",
        "[T2] JF BT [JO]",
        "journal of an article, booktitle of a part; with fjournal, journal is the short form; "
        "RIS: JO where neither JF nor T2 is there",
    ),
    FieldRow(
        "container-title-short",
        "shortjournal [journal]",
        "shortjournal",
        "J2 JA J1 [JO]",
        "RIS: JO beside JF or T2",
    ),
    FieldRow("collection-title", "series", "series", "T3 [T2]", "RIS: T2 of a whole book"),
    FieldRow(
        "collection-number",
        "[number]",
        "[number]",
        "SV [M1]",
        "number of a book, part or conference paper",
    ),
    FieldRow("original-title", "origtitle", "origtitle", ""),
    FieldRow("reviewed-title", "", "", "RI"),
    FieldRow(
        "issued",
        "year month day date",
        "date year month day",
        "PY DA Y1",
        "year, month and day are one date; what is no date stays a literal",
    ),
    FieldRow("accessed", "urldate", "urldate", "Y2"),
    FieldRow("original-date", "origdate", "origdate", ""),
    FieldRow("event-date", "eventdate", "eventdate", ""),
    FieldRow("volume", "volume", "volume", "VL VO"),
    FieldRow("issue", "[number] issue", "[number] issue", "[IS] CP [M1]", "number of an article"),
    FieldRow(
        "number",
        "[number]",
        "[number]",
        "[IS] [M1] [SN]",
        "number of a report, patent, standard and the like; RIS: SN of a report or patent",
    ),
    FieldRow("page", "pages", "pages", "SP EP", "RIS: also 1-9 in SP alone"),
    FieldRow("article-number", "eid", "eid", "C7 AR"),
    FieldRow("number-of-pages", "pagetotal", "pagetotal", "[SP]", "RIS: SP of a whole work"),
    FieldRow("number-of-volumes", "volumes", "volumes", "NV"),
    FieldRow("edition", "edition", "edition", "[ET]"),
    FieldRow("version", "version", "version", "[ET]", "RIS: ET of software and datasets"),
    FieldRow("chapter-number", "chapter", "chapter", ""),
    FieldRow("section", "", "", "SE"),
    FieldRow(
        "publisher",
        "publisher [school] [institution] [organization]",
        "publisher [institution] [school] [organization]",
        "PB",
        "written as school of a thesis, institution of a report",
    ),
    FieldRow("publisher-place", "address location", "location address", "CY PP"),
    FieldRow("event-title", "eventtitle", "eventtitle", "[C3] [T2]", "RIS: T2 of CPAPER"),
    FieldRow("event-place", "venue", "venue", "[C1]", "RIS: of conference papers"),
    FieldRow("genre", "type", "type", "M3", "RIS: an M3 that is a DOI is a DOI"),
    FieldRow("DOI", "doi", "doi", "DO DI [M3] [UR]"),
    FieldRow("ISBN", "isbn", "isbn", "[SN]"),
    FieldRow("ISSN", "issn eissn", "issn eissn", "[SN]"),
    FieldRow("PMID", "pmid [eprint]", "pmid [eprint]", "[AN]", "where the database is PubMed"),
    FieldRow("PMCID", "pmcid", "pmcid", "[C2]", "RIS: a C2 that begins with PMC"),
    FieldRow("URL", "url", "url", "UR LK [L2]"),
    FieldRow("abstract", "abstract", "abstract", "AB N2"),
    FieldRow("note", "note addendum", "note addendum", "N1"),
    FieldRow("annotation", "annote annotation", "annotation annote", "RN"),
    FieldRow("tags", "keywords keyword", "keywords keyword", "KW"),
    FieldRow("language", "language langid", "langid language", "LA"),
    FieldRow("call-number", "call-number library lccn", "library call-number lccn", "CN"),
    FieldRow("archive", "", "", "DB"),
    FieldRow("source", "", "", "DP"),
    FieldRow("accession-number", "", "", "[AN] AV"),
    FieldRow("author-address", "affiliation", "affiliation", "AD"),
    FieldRow("status", "pubstate", "pubstate", ""),
    FieldRow("license", "copyright", "copyright", ""),
    FieldRow("citation-key", "(the key)", "(the key)", "ID LB"),
    FieldRow("citation-key-aliases", "ids", "ids", ""),
)


def names(column: str) -> Iterator[tuple[str, str, bool, int]]:
    """Each name in one column: (name, field, whether it depends on the type, rank)."""
    for row in FIELDS:
        for rank, written in enumerate(getattr(row, column).split()):
            if written.startswith("("):
                break
            name = written.strip("[]")
            yield name, row.field, written != name, rank


def _plain(column: str) -> dict[str, tuple[str, int]]:
    return {name: (field, rank) for name, field, special, rank in names(column) if not special}


#: Names that mean one field in every type: name to (field, rank).
BIBTEX_FIELDS: Final = _plain("biblatex") | _plain("bibtex")
RIS_FIELDS: Final = _plain("ris")

#: Every name that the mapping knows, dependent on the type or not.
BIBTEX_NAMES: Final = frozenset(
    name for column in ("bibtex", "biblatex") for name, *_ in names(column)
) | {"subtitle", "booksubtitle", "titleaddon", "editortype"}

#: The name under which a field is written, where the type does not decide it.
WRITTEN_FIELDS: Final = {
    column: {
        row.field: getattr(row, column).split()[0]
        for row in FIELDS
        if getattr(row, column) and getattr(row, column)[0] not in "[("
    }
    for column in ("bibtex", "biblatex", "ris")
}

#: The order in which the fields of a new record are written.
FIELD_ORDER: Final = {row.field: place for place, row in enumerate(FIELDS)}
