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
    #: After ``%``.
    enw: str = ""
    #: Elements by their path below ``record``.
    endnote: str = ""
    nbib: str = ""
    #: Empty where it is the field's own name; in brackets what is in ``custom``.
    csl_json: str = ""


#: In the order in which a new record is written.
FIELDS: Final = (
    FieldRow(
        "author",
        "author",
        "author",
        "AU A1",
        enw="A",
        endnote="contributors/authors/author",
        nbib="FAU AU CN",
    ),
    FieldRow(
        "editor",
        "editor",
        "editor",
        "A2 ED [A3]",
        "RIS: A3 of a whole book",
        enw="E",
        endnote="[contributors/secondary-authors/author] [contributors/tertiary-authors/author]",
        nbib="FED ED",
    ),
    FieldRow(
        "translator",
        "translator",
        "translator",
        "A4",
        "not TA, %H and translated-authors: these are the authors' names in another script",
        enw="?",
        endnote="contributors/subsidiary-authors/author",
    ),
    FieldRow(
        "collection-editor",
        "",
        "",
        "A3 [A2]",
        "RIS: A2 of a whole book",
        enw="Y",
        endnote="[contributors/tertiary-authors/author] [contributors/secondary-authors/author]",
    ),
    FieldRow("container-author", "bookauthor", "bookauthor", ""),
    FieldRow(
        "title",
        "title",
        "title",
        "TI T1 CT [BT]",
        "a subtitle is joined with a colon",
        enw="T",
        endnote="titles/title",
        nbib="TI [BTI]",
    ),
    FieldRow(
        "title-short",
        "shorttitle short-title short_title",
        "shorttitle",
        "ST",
        enw="!",
        endnote="titles/short-title",
        csl_json="title-short shortTitle",
    ),
    FieldRow(
        "translated-title",
        "title_english",
        "",
        "TT",
        enw="Q",
        endnote="titles/translated-title",
        nbib="TT",
        csl_json="(custom)",
    ),
    FieldRow(
        "container-title",
        "[journal] [booktitle] [fjournal]",
        "[journaltitle] [booktitle]",
        "[T2] JF BT [JO]",
        "journal of an article, booktitle of a part; with fjournal, journal is the short form; "
        "RIS: JO where neither JF nor T2 is there",
        enw="[J] [B]",
        endnote="[titles/secondary-title] periodical/full-title",
        nbib="JT [BTI]",
    ),
    FieldRow(
        "container-title-short",
        "shortjournal abbrev_source_title journal-iso journal_iso abbrevjournal journalabbr "
        "journal_abbreviation journal-abbreviation iso-source-abbreviation [journal]",
        "shortjournal",
        "J2 JA J1 [JO]",
        "RIS: JO next to JF or T2",
        endnote="periodical/abbr-1 alt-periodical/abbr-1 titles/alt-title",
        nbib="TA",
        csl_json="container-title-short journalAbbreviation",
    ),
    FieldRow(
        "collection-title",
        "series",
        "series",
        "T3 [T2]",
        "RIS: T2 of a whole book",
        enw="S [B]",
        endnote="titles/tertiary-title [titles/secondary-title]",
        nbib="CTI",
    ),
    FieldRow(
        "collection-number",
        "[number]",
        "[number]",
        "SV [M1]",
        "number of a book, part or conference paper",
        endnote="[number]",
    ),
    FieldRow(
        "original-title",
        "origtitle",
        "origtitle",
        "",
        enw="(",
        endnote="orig-pub",
    ),
    FieldRow(
        "reviewed-title",
        "",
        "",
        "RI",
        enw="*",
        endnote="reviewed-item",
    ),
    FieldRow(
        "issued",
        "year month day date",
        "date year month day",
        "PY DA Y1",
        "year, month and day are one date; what is no date stays a literal",
        enw="D 8",
        endnote="dates/year dates/pub-dates/date",
        nbib="DP DEP",
    ),
    FieldRow(
        "accessed",
        "urldate access-date accessdate url_date lastchecked lastaccessed accessed",
        "urldate",
        "Y2",
        enw="[",
        endnote="access-date",
    ),
    FieldRow("original-date", "origdate", "origdate", ""),
    FieldRow("original-publisher", "origpublisher", "origpublisher", ""),
    FieldRow("original-publisher-place", "origlocation", "origlocation", ""),
    FieldRow("event-date", "eventdate", "eventdate", ""),
    FieldRow(
        "volume",
        "volume",
        "volume",
        "VL VO",
        enw="V",
        endnote="volume",
        nbib="VI",
    ),
    FieldRow(
        "issue",
        "[number] issue",
        "[number] issue",
        "[IS] CP [M1]",
        "number of an article",
        enw="[N]",
        endnote="[number] issue",
        nbib="IP",
    ),
    FieldRow(
        "number",
        "[number]",
        "[number]",
        "[IS] [M1] [SN]",
        "number of a report, patent, standard and the like; RIS: SN of a report or patent",
        enw="[N] [@]",
        endnote="[number] [isbn]",
    ),
    FieldRow(
        "page",
        "pages",
        "pages",
        "SP EP",
        "RIS: also 1-9 in SP alone",
        enw="[P] &",
        endnote="[pages]",
        nbib="PG",
    ),
    FieldRow(
        "article-number",
        "eid articleno artnum art_number article-number article_number articlenumber article_no",
        "eid",
        "C7 AR",
        enw="]",
        endnote="[custom7]",
        nbib="[LID]",
        csl_json="(custom)",
    ),
    FieldRow(
        "number-of-pages",
        "pagetotal numpages page_count num_pages number-of-pages",
        "pagetotal numpages page_count",
        "[SP]",
        "RIS: SP of a whole work",
        enw="[P]",
        endnote="[pages]",
    ),
    FieldRow(
        "number-of-volumes",
        "volumes",
        "volumes",
        "NV",
        enw="6",
        endnote="num-vols",
    ),
    FieldRow(
        "edition",
        "edition",
        "edition",
        "[ET]",
        enw="[7]",
        endnote="[edition]",
        nbib="EN",
    ),
    FieldRow(
        "version",
        "version",
        "version",
        "[ET]",
        "RIS: ET of software and datasets",
        enw="[7]",
        endnote="[edition]",
    ),
    FieldRow(
        "volume-title",
        "[booktitle]",
        "[booktitle]",
        "",
        "booktitle of a part next to maintitle, which is then the container-title",
    ),
    FieldRow("part-number", "part", "part", ""),
    FieldRow("chapter-number", "chapter", "chapter", ""),
    FieldRow(
        "section",
        "",
        "",
        "SE",
        endnote="section",
    ),
    FieldRow(
        "publisher",
        "publisher [school] [institution] [organization]",
        "publisher [institution] [school] [organization]",
        "PB",
        "written as school of a thesis, institution of a report",
        enw="I",
        endnote="publisher",
        nbib="PB",
    ),
    FieldRow(
        "publisher-place",
        "address location place publisher-place publisher_place",
        "location address",
        "CY PP [C1]",
        enw="C",
        endnote="pub-location",
        nbib="PL",
    ),
    FieldRow(
        "event-title",
        "eventtitle conference",
        "eventtitle conference",
        "[T2] [CP]",
        "RIS and EndNote: of a meeting whose proceedings have a title of their own, and of CPAPER",
        endnote="[titles/secondary-title]",
        csl_json="event-title event",
    ),
    FieldRow(
        "event-place",
        "venue [location]",
        "venue [location]",
        "[CY] [C1]",
        "RIS and EndNote: of conference papers",
        endnote="[pub-location] [custom1]",
    ),
    FieldRow(
        "genre",
        "type document_type",
        "type",
        "M3",
        "RIS: an M3 that is a DOI is a DOI",
        enw="9",
        endnote="work-type",
        nbib="[PT]",
    ),
    FieldRow(
        "DOI",
        "doi",
        "doi",
        "DO DI DOI [M3] [UR]",
        enw="R",
        endnote="[electronic-resource-num]",
        nbib="[LID] [AID]",
    ),
    FieldRow(
        "ISBN",
        "isbn eisbn e-isbn isbn-13 isbn13 isbn-10 isbn10",
        "isbn",
        "[SN] ISBN",
        enw="[@]",
        endnote="[isbn]",
        nbib="ISBN",
    ),
    FieldRow(
        "ISSN",
        "issn eissn e-issn e_issn essn issn-online issn-print electronic-issn print-issn pissn "
        "p-issn",
        "issn eissn",
        "[SN] ISSN EISSN",
        enw="[@]",
        endnote="[isbn]",
        nbib="IS ISSN",
    ),
    FieldRow(
        "PMID",
        "pmid pubmed_id pubmedid [eprint]",
        "pmid [eprint]",
        "PMID [AN] [U1]",
        "where the database is PubMed; RIS: a U1 that says it is one",
        enw="[M]",
        endnote="[accession-num]",
        nbib="PMID",
    ),
    FieldRow(
        "PMCID",
        "pmcid pmc_id pmc",
        "pmcid",
        "[C2] PMCID [U2]",
        "RIS: a C2 that begins with PMC",
        enw="[2]",
        endnote="[custom2]",
        nbib="PMC",
    ),
    FieldRow(
        "URL",
        "url",
        "url",
        "UR LK URL [L2]",
        enw="U",
        endnote="urls/related-urls/url urls/web-urls/url",
    ),
    FieldRow(
        "abstract",
        "abstract abstractnote",
        "abstract",
        "AB N2",
        enw="X",
        endnote="abstract",
        nbib="AB",
    ),
    FieldRow(
        "note",
        "note addendum",
        "note addendum",
        "N1",
        enw="Z O",
        endnote="notes",
        nbib="GN",
    ),
    FieldRow(
        "annotation",
        "annote annotation review comment",
        "annotation annote review comment",
        "RN",
        enw="<",
        endnote="research-notes",
        csl_json="(custom)",
    ),
    FieldRow(
        "tags",
        "keywords keyword author_keywords author-keywords authorkeywords",
        "keywords keyword",
        "KW",
        enw="K",
        endnote="keywords/keyword",
        nbib="OT MH",
        csl_json="keyword",
    ),
    FieldRow(
        "language",
        "language langid hyphenation",
        "langid language hyphenation",
        "LA",
        enw="G",
        endnote="language",
        nbib="LA",
    ),
    FieldRow(
        "call-number",
        "call-number callnumber call_number library lccn",
        "library call-number lccn",
        "CN",
        enw="L",
        endnote="call-num",
    ),
    FieldRow(
        "archive",
        "",
        "",
        "DB",
        enw="~",
        endnote="remote-database-name",
    ),
    FieldRow(
        "source",
        "source",
        "",
        "DP",
        enw="W",
        endnote="remote-database-provider",
    ),
    FieldRow(
        "accession-number",
        "",
        "",
        "[AN] AV",
        enw="[M]",
        endnote="[accession-num]",
        csl_json="(custom)",
    ),
    FieldRow(
        "author-address",
        "affiliation affiliations author-address author_address",
        "affiliation",
        "AD",
        enw="+",
        endnote="auth-address",
        nbib="AD",
        csl_json="(custom)",
    ),
    FieldRow(
        "status",
        "pubstate",
        "pubstate",
        "",
        nbib="PST",
    ),
    FieldRow(
        "license",
        "copyright license rights",
        "copyright license rights",
        "",
        nbib="CI",
    ),
    FieldRow(
        "citation-key",
        "(the key)",
        "(the key)",
        "ID LB",
        enw="F",
        endnote="[label]",
        csl_json="citation-key (id)",
    ),
    FieldRow(
        "citation-key-aliases",
        "ids",
        "ids",
        "",
        csl_json="(custom)",
    ),
)


def bare(written: str) -> str:
    """The name without the brackets around it; a bracket alone is one of enw's tags."""
    return written[1:-1] if len(written) > 2 and written.startswith("[") else written


def names(column: str) -> Iterator[tuple[str, str, bool, int]]:
    """Each name in one column: (name, field, whether it depends on the type, rank)."""
    for row in FIELDS:
        for rank, written in enumerate(getattr(row, column).split()):
            if len(written) > 1 and written.startswith("("):
                break
            name = bare(written)
            yield name, row.field, written != name, rank


def _plain(column: str) -> dict[str, tuple[str, int]]:
    return {name: (field, rank) for name, field, special, rank in names(column) if not special}


#: Names that mean one field in every type: name to (field, rank).
BIBTEX_FIELDS: Final = _plain("biblatex") | _plain("bibtex")
RIS_FIELDS: Final = _plain("ris")
ENW_FIELDS: Final = _plain("enw")
ENDNOTE_FIELDS: Final = _plain("endnote")
NBIB_FIELDS: Final = _plain("nbib")
CSL_JSON_FIELDS: Final = _plain("csl_json")

#: Every name that the mapping knows, dependent on the type or not.
BIBTEX_NAMES: Final = frozenset(
    name for column in ("bibtex", "biblatex") for name, *_ in names(column)
) | {"subtitle", "booksubtitle", "titleaddon", "editortype"}

#: The name under which a field is written, where the type does not decide it.
WRITTEN_FIELDS: Final = {
    column: {
        row.field: first
        for row in FIELDS
        for first in getattr(row, column).split()[:1]
        if len(first) == 1 or first[0] not in "[("
    }
    for column in ("bibtex", "biblatex", "ris", "enw", "endnote", "csl_json")
}

#: The order in which the fields of a new record are written.
FIELD_ORDER: Final = {row.field: place for place, row in enumerate(FIELDS)}
