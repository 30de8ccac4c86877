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
    #: EndNote's number and label; an ``enw`` file has the label alone.
    endnote: str = ""
    endnote_read: str = ""


#: Where two rows read one name, the first row has it. ``names`` are EndNote's labels, which some
#: tools write after ``TY`` instead of the code (separated by ``|``).
TYPES: Final = (
    TypeRow(
        "article-journal", "article", "article", "JOUR",
        "suppperiodical review shortstory", "EJOUR JFULL ABST",
        "journal article|electronic article",
        endnote="17 Journal Article", endnote_read="43 Electronic Article",
    ),
    TypeRow(
        "article-magazine", "article", "article", "MGZN", "", "", "magazine article",
        endnote="19 Magazine Article",
    ),
    TypeRow(
        "article-newspaper", "article", "article", "NEWS", "", "", "newspaper article",
        endnote="23 Newspaper Article",
    ),
    TypeRow(
        "article", "misc", "online", "UNPB", "preprint", "INPR", "unpublished work",
        endnote="34 Unpublished Work",
    ),
    TypeRow(
        "book", "book", "book", "BOOK",
        "mvbook manual reference mvreference collection mvcollection", "EBOOK EDBOOK CTLG",
        "book|edited book|electronic book|catalog",
        endnote="6 Book", endnote_read="28 Edited Book|44 Electronic Book|8 Catalog",
    ),
    TypeRow(
        "classic", "book", "book", "CLSWK", "", "ANCIENT", "classical work|ancient text",
        endnote="49 Classical Work", endnote_read="51 Ancient Text",
    ),
    TypeRow(
        "chapter", "incollection", "incollection", "CHAP",
        "inbook bookinbook suppbook suppcollection", "ECHAP",
        "book section|electronic book section",
        endnote="5 Book Section", endnote_read="60 Electronic Book Section",
    ),
    TypeRow(
        "paper-conference", "inproceedings", "inproceedings", "CONF",
        "conference", "CPAPER", "conference paper|conference proceedings",
        endnote="10 Conference Proceedings", endnote_read="47 Conference Paper",
    ),
    TypeRow(
        "collection", "proceedings", "proceedings", "SER", "mvproceedings",
        endnote="10 Conference Proceedings",
    ),
    TypeRow(
        "periodical", "periodical", "periodical", "JFULL", "", "", "serial",
        endnote="57 Serial",
    ),
    TypeRow(
        "thesis", "phdthesis", "thesis", "THES", "mastersthesis", "", "thesis",
        endnote="32 Thesis",
    ),
    TypeRow(
        "report", "techreport", "report", "RPRT", "",
        "GOVDOC GRNT GRANT", "report|government document|grant",
        endnote="27 Report", endnote_read="46 Government Document|54 Grant",
    ),
    TypeRow(
        "webpage", "misc", "online", "ELEC", "electronic www webpage",
        "WEB", "web page|online multimedia|online database",
        endnote="12 Web Page", endnote_read="48 Online Multimedia|45 Online Database",
    ),
    TypeRow("post-weblog", "misc", "online", "BLOG", "", "", "blog", endnote="56 Blog"),
    TypeRow("post", "misc", "online", "ELEC", endnote="12 Web Page"),
    TypeRow(
        "dataset", "misc", "dataset", "DATA", "", "DBASE AGGR", "dataset|aggregated database",
        endnote="59 Dataset", endnote_read="55 Aggregated Database",
    ),
    TypeRow(
        "software", "misc", "software", "COMP", "softwareversion softwaremodule codefragment", "",
        "computer program",
        endnote="9 Computer Program",
    ),
    TypeRow("standard", "misc", "standard", "STAND", "", "", "standard", endnote="58 Standard"),
    TypeRow("patent", "patent", "patent", "PAT", "", "", "patent", endnote="25 Patent"),
    TypeRow(
        "bill", "misc", "legislation", "BILL", "legmaterial", "UNBILL", "bill", endnote="4 Bill",
    ),
    TypeRow(
        "legislation", "misc", "legislation", "STAT", "constitution", "", "statute",
        endnote="31 Statute",
    ),
    TypeRow(
        "regulation", "misc", "legal", "STAT", "legadminmaterial", "", "legal rule or regulation",
        endnote="50 Legal Rule or Regulation",
    ),
    TypeRow("legal_case", "misc", "jurisdiction", "CASE", "", "LEGAL", "case", endnote="7 Case"),
    TypeRow("hearing", "misc", "legal", "HEAR", "", "", "hearing", endnote="14 Hearing"),
    TypeRow(
        "manuscript", "unpublished", "unpublished", "MANSCPT", "", "UNPD", "manuscript",
        endnote="36 Manuscript",
    ),
    TypeRow("pamphlet", "booklet", "booklet", "PAMP", "", "", "pamphlet", endnote="24 Pamphlet"),
    TypeRow(
        "personal_communication", "misc", "letter", "PCOMM", "", "ICOMM",
        "personal communication",
        endnote="26 Personal Communication",
    ),
    TypeRow("interview", "misc", "misc", "PCOMM", endnote="26 Personal Communication"),
    TypeRow(
        "speech", "misc", "unpublished", "SLIDE", "presentation", endnote="47 Conference Paper",
    ),
    TypeRow(
        "entry-encyclopedia", "incollection", "inreference", "ENCYC", "", "", "encyclopedia",
        endnote="53 Encyclopedia",
    ),
    TypeRow(
        "entry-dictionary", "incollection", "inreference", "DICT", "", "", "dictionary",
        endnote="52 Dictionary",
    ),
    TypeRow(
        "motion_picture", "misc", "movie", "MPCT", "video",
        "VIDEO ADVS MULTI", "film or broadcast|audiovisual material",
        endnote="21 Film or Broadcast", endnote_read="3 Audiovisual Material",
    ),
    TypeRow("broadcast", "misc", "video", "MPCT", endnote="21 Film or Broadcast"),
    TypeRow("song", "misc", "audio", "SOUND", "music", "MUSIC", "music|audio", endnote="61 Music"),
    TypeRow(
        "graphic", "misc", "artwork", "ART", "image", "CHART", "artwork|chart or table",
        endnote="2 Artwork", endnote_read="38 Chart or Table",
    ),
    TypeRow("figure", "misc", "image", "FIGURE", "", "", "figure", endnote="37 Figure"),
    TypeRow("map", "misc", "misc", "MAP", "", "", "map", endnote="20 Map"),
    TypeRow("performance", "misc", "performance", "GEN", endnote="13 Generic"),
    TypeRow(
        "document", "misc", "misc", "GEN", "", "EQUA", "generic|equation",
        endnote="13 Generic", endnote_read="39 Equation",
    ),
)  # fmt: skip

#: What any type that the table does not know is read as; the source keeps its own word.
UNKNOWN_TYPE: Final = "document"

#: Names that a more general row owns, although a more special one writes them.
_BIBTEX_OWNERS = {
    "misc": "document",
    "video": "motion_picture",
    "image": "graphic",
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

#: EndNote's number of a type to CSL's; the first row that writes a number has it.
ENDNOTE_TYPES: Final = {
    label.split()[0]: row.csl
    for column in ("endnote_read", "endnote")
    for row in reversed(TYPES)
    for label in getattr(row, column).split("|")
    if label
} | {"13": UNKNOWN_TYPE, "47": "paper-conference"}

#: Publication types of PubMed and ERIC that are no articles, the first that a record has decides.
NBIB_TYPES: Final = (
    ("journal articles", "article-journal"),
    ("preprint", "article"),
    ("dissertations/theses - doctoral dissertations", "thesis"),
    ("dissertations/theses - masters theses", "thesis"),
    ("dissertations/theses", "thesis"),
    ("books", "book"),
    ("book", "book"),
    ("speeches/meeting papers", "paper-conference"),
    ("collected works - proceedings", "collection"),
    ("collected works - serials", "periodical"),
    ("reports - research", "report"),
    ("dataset", "dataset"),
)

WRITTEN_TYPES: Final = {
    "bibtex": {row.csl: row.bibtex for row in TYPES},
    "biblatex": {row.csl: row.biblatex for row in TYPES},
    "ris": {row.csl: row.ris for row in TYPES},
    "endnote": {row.csl: row.endnote for row in TYPES},
}

#: What reference managers write as the ``type`` or ``howpublished`` of what BibTeX has no entry
#: type for (``@misc``, ``@unpublished``, ``@article``).
WORDED_TYPES: Final = {
    word: csl
    for csl, words in {
        "webpage": "web|web page|webpage|web_page|website|web site|online|internet site|"
        "available online",
        "article-newspaper": "newspaper|newspaper article|newspaperarticle|newspaper_article",
        "article-magazine": "magazine|magazine article|magazinearticle|magazine_article",
        "speech": "speech|talk|presentation|lecture|conference presentation|conference talk|poster|"
        "conference poster",
        "post-weblog": "blog|blog post|weblog|blogpost",
        "post": "forum post|social media post|tweet",
        "dataset": "dataset|data set",
        "software": "software|computer software|computer program|program",
        "motion_picture": "film|motion picture|movie|video|video recording",
        "broadcast": "podcast|broadcast|tv broadcast|television broadcast|radio broadcast",
        "song": "audio recording|sound recording",
        "map": "map",
        "patent": "patent",
        "report": "report|technical report|working paper",
        "manuscript": "manuscript|unpublished manuscript",
        "personal_communication": "letter|email|e-mail|personal communication",
        "interview": "interview",
        "bill": "bill",
        "legislation": "statute",
        "legal_case": "case|legal case",
        "hearing": "hearing",
        "standard": "standard",
        "article": "preprint",
        "entry-encyclopedia": "encyclopedia|encyclopedia article|encyclopedia entry|"
        "encyclopediaarticle",
        "entry-dictionary": "dictionary entry",
        "graphic": "artwork",
    }.items()
    for word in words.split("|")
}
