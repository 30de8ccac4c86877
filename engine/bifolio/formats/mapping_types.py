"""The table of types: CSL's item types and what each format calls them.

Only the table and what is looked up in it; a type that depends on more than its name is decided
in the format's own module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One CSL type: what is written for it, and what else is read as it (space-separated)."""

    csl: str
    bibtex: str
    biblatex: str
    ris: str
    bibtex_read: str = ""
    ris_read: str = ""
    names: str = ""


#: Where two rows read one name, the first row has it. ``names`` are EndNote's labels, which some
#: tools write after ``TY`` instead of the code (separated by ``|``).
TYPES: Final = (
    TypeRow(
        "article-journal", "article", "article", "JOUR",
        "suppperiodical review shortstory", "EJOUR JFULL ABST",
        "journal article|electronic article",
    ),
    TypeRow("article-magazine", "article", "article", "MGZN", "", "", "magazine article"),
    TypeRow("article-newspaper", "article", "article", "NEWS", "", "", "newspaper article"),
    TypeRow("article", "misc", "online", "UNPB", "preprint", "INPR", "unpublished work"),
    TypeRow(
        "book", "book", "book", "BOOK",
        "mvbook manual reference mvreference collection mvcollection", "EBOOK EDBOOK CTLG",
        "book|edited book|electronic book|catalog",
    ),
    TypeRow("classic", "book", "book", "CLSWK", "", "ANCIENT", "classical work|ancient text"),
    TypeRow(
        "chapter", "incollection", "incollection", "CHAP",
        "inbook bookinbook suppbook suppcollection", "ECHAP",
        "book section|electronic book section",
    ),
    TypeRow(
        "paper-conference", "inproceedings", "inproceedings", "CONF",
        "conference", "CPAPER", "conference paper|conference proceedings",
    ),
    TypeRow("collection", "proceedings", "proceedings", "SER", "mvproceedings"),
    TypeRow("periodical", "periodical", "periodical", "JFULL", "", "", "serial"),
    TypeRow("thesis", "phdthesis", "thesis", "THES", "mastersthesis", "", "thesis"),
    TypeRow(
        "report", "techreport", "report", "RPRT", "",
        "GOVDOC GRNT GRANT", "report|government document|grant",
    ),
    TypeRow(
        "webpage", "misc", "online", "ELEC", "electronic www",
        "WEB", "web page|online multimedia|online database",
    ),
    TypeRow("post-weblog", "misc", "online", "BLOG", "", "", "blog"),
    TypeRow("post", "misc", "online", "ELEC"),
    TypeRow("dataset", "misc", "dataset", "DATA", "", "DBASE AGGR", "dataset|aggregated database"),
    TypeRow("software", "misc", "software", "COMP", "", "", "computer program"),
    TypeRow("standard", "misc", "standard", "STAND", "", "", "standard"),
    TypeRow("patent", "patent", "patent", "PAT", "", "", "patent"),
    TypeRow("bill", "misc", "legislation", "BILL", "", "UNBILL", "bill"),
    TypeRow("legislation", "misc", "legislation", "STAT", "", "", "statute"),
    TypeRow("regulation", "misc", "legal", "STAT", "", "", "legal rule or regulation"),
    TypeRow("legal_case", "misc", "jurisdiction", "CASE", "", "LEGAL", "case"),
    TypeRow("hearing", "misc", "legal", "HEAR", "", "", "hearing"),
    TypeRow("manuscript", "unpublished", "unpublished", "MANSCPT", "", "UNPD", "manuscript"),
    TypeRow("pamphlet", "booklet", "booklet", "PAMP", "", "", "pamphlet"),
    TypeRow(
        "personal_communication", "misc", "letter", "PCOMM", "", "ICOMM",
        "personal communication",
    ),
    TypeRow("interview", "misc", "misc", "PCOMM"),
    TypeRow("speech", "misc", "unpublished", "SLIDE"),
    TypeRow(
        "entry-encyclopedia", "incollection", "inreference", "ENCYC", "", "", "encyclopedia"
    ),
    TypeRow("entry-dictionary", "incollection", "inreference", "DICT", "", "", "dictionary"),
    TypeRow(
        "motion_picture", "misc", "movie", "MPCT", "video",
        "VIDEO ADVS MULTI", "film or broadcast|audiovisual material",
    ),
    TypeRow("broadcast", "misc", "video", "MPCT"),
    TypeRow("song", "misc", "audio", "SOUND", "music", "MUSIC", "music"),
    TypeRow("graphic", "misc", "artwork", "ART", "image", "CHART", "artwork|chart or table"),
    TypeRow("figure", "misc", "image", "FIGURE", "", "", "figure"),
    TypeRow("map", "misc", "misc", "MAP", "", "", "map"),
    TypeRow("performance", "misc", "performance", "GEN"),
    TypeRow("document", "misc", "misc", "GEN", "", "EQUA", "generic|equation"),
)  # fmt: skip

#: What any type that the table does not know is read as; the source keeps its own word.
UNKNOWN_TYPE: Final = "document"

#: Names that a more general row owns, although a more special one writes them.
_BIBTEX_OWNERS = {
    "misc": "document",
    "online": "webpage",
    "legislation": "legislation",
    "legal": "regulation",
}


def _readers(written: tuple[str, ...], also: str, owners: dict[str, str]) -> dict[str, str]:
    """Name in the file to CSL type, from columns of the table."""
    types = dict(owners)
    for row in TYPES:
        for column in written:
            types.setdefault(getattr(row, column).lower(), row.csl)
    for row in TYPES:
        for name in getattr(row, also).split():
            types.setdefault(name.lower(), row.csl)
    return types


BIBTEX_TYPES: Final = _readers(("bibtex", "biblatex"), "bibtex_read", _BIBTEX_OWNERS)
RIS_TYPES: Final = _readers(("ris",), "ris_read", {"jfull": "periodical", "gen": UNKNOWN_TYPE}) | {
    name: row.csl for row in reversed(TYPES) for name in row.names.split("|") if name
}

WRITTEN_TYPES: Final = {
    "bibtex": {row.csl: row.bibtex for row in TYPES},
    "biblatex": {row.csl: row.biblatex for row in TYPES},
    "ris": {row.csl: row.ris for row in TYPES},
}
