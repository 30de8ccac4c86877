"""Which field a BibTeX name means in an entry of this type: what the table of fields cannot say.

Data and small decisions on names; no texts are read or written here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bifolio.formats.mapping.fields import BIBTEX_FIELDS
from bifolio.formats.mapping.types import BIBTEX_TYPES, UNKNOWN_TYPE, WORDED_TYPES

ARTICLES: Final = frozenset("article-journal article-magazine article-newspaper periodical".split())
PARTS: Final = frozenset(
    "chapter paper-conference entry-encyclopedia entry-dictionary entry".split()
)
BOOKS: Final = frozenset("book collection classic".split())
_NUMBERED_SERIES: Final = BOOKS | PARTS | {"thesis", "pamphlet"}

#: A title, and the field whose text is joined to it with a colon.
SUBTITLES: Final = {
    "title": "subtitle",
    "booktitle": "booksubtitle",
    "maintitle": "mainsubtitle",
    "journaltitle": "journalsubtitle",
    "journal": "journalsubtitle",
}
_TITLES: Final = {"journalsubtitle": "journaltitle"} | {
    subtitle: title for title, subtitle in SUBTITLES.items() if not title.startswith("journal")
}

#: What ``editortype`` and ``editoratype`` say beyond an editor.
EDITOR_ROLES: Final = {
    "compiler": "compiler",
    "collaborator": "contributor",
    "director": "director",
    "organizer": "organizer",
    "producer": "producer",
    "series": "collection-editor",
    "serieseditor": "collection-editor",
}
_EDITORS: Final = frozenset({"editor", "editora", "editorb", "editorc"})
#: Types whose entry type says so little that a text of the entry may say more.
_WORDED: Final = frozenset("document manuscript article-journal".split())
_LIKE_ARTICLES: Final = frozenset({"article-newspaper", "article-magazine", "post-weblog"})

#: What comes before an ``eprint`` to be its address, by ``eprinttype`` or ``archivePrefix``.
_IACR: Final = "https://eprint.iacr.org/"
_ARCHIVES: Final = {
    "arxiv": "https://arxiv.org/abs/",
    "jstor": "https://www.jstor.org/stable/",
    "hdl": "https://hdl.handle.net/",
    "googlebooks": "https://books.google.com?id=",
    "hal": "https://hal.science/",
    "biorxiv": "https://www.biorxiv.org/content/",
    "medrxiv": "https://www.medrxiv.org/content/",
    "ssrn": "https://ssrn.com/abstract=",
    "chemrxiv": "https://doi.org/",
    "psyarxiv": "https://osf.io/preprints/psyarxiv/",
    "osf": "https://osf.io/",
    "iacr": _IACR,
    "cryptology eprint archive": _IACR,
    "ascl": "https://ascl.net/",
    "zenodo": "https://zenodo.org/records/",
}
_ARXIV: Final = re.compile(r"\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?")
_ARXIV_BEFORE: Final = re.compile(r"arxiv\s*:\s*", re.IGNORECASE)
#: Databases that write their own name as the ``source``; to everybody else it is something else.
_DATABASES: Final = frozenset(
    {"scopus", "web of science", "pubmed", "embase", "medline", "dimensions", "lens", "proquest"}
)
#: The Web of Science's fields of bodies that wrote a work: names of people they are not.
BODIES_AS_AUTHORS: Final = frozenset({"group-author", "book-group-author"})
#: JabRef's and BibDesk's names of a rating, and of whether something was read.
RATINGS: Final = frozenset({"ranking", "rating"})
READ_MARKS: Final = frozenset({"readstatus", "read"})
_MARKED: Final = RATINGS | READ_MARKS
_RANK: Final = re.compile(r"(?:rank)?\s*([1-5])")
_READ: Final = {
    text: status
    for status, texts in {
        "read": "read skimmed 1 2 true yes",
        "unread": "unread 0 false no",
    }.items()
    for text in texts.split()
}
_PUBLISHERS: Final = ("school", "institution", "organization")


def csl_type(written: str, given: Mapping[str, str]) -> str:
    """The CSL type of an entry type in small letters, with the entry's texts by name."""
    kind = BIBTEX_TYPES.get(written, UNKNOWN_TYPE)
    subtype = given.get("entrysubtype", "").lower()
    if kind == "article-journal" and subtype in ("magazine", "newspaper"):
        return f"article-{subtype}"
    if kind in _WORDED and (worded := _worded_type(kind, given)):
        return worded
    if kind in ("document", "webpage"):
        if subtype == "map":
            return "map"
        if given.get("eprint") and not given.get("howpublished"):
            return "article"
    if kind == "manuscript" and given.get("eventtitle"):
        return "paper-conference"
    return kind


def _worded_type(kind: str, given: Mapping[str, str]) -> str:
    """The CSL type that a text of the entry names; empty where none does."""
    for name in ("type", "howpublished", "entrysubtype"):
        if name not in given:
            continue
        words = " ".join(given[name].strip("{}[]().: ").lower().split())
        csl = WORDED_TYPES.get(words, "")
        if csl and (kind != "article-journal" or csl in _LIKE_ARTICLES):
            return csl
    return ""


def archive_address(given: Mapping[str, str]) -> str:
    """The address of an entry's ``eprint`` in the archive that it names; empty where none does."""
    if "eprint" not in given:
        number = (given.get("arxivid") or given.get("arxiv") or "").strip("{} ")
        number = _ARXIV_BEFORE.sub("", number)
        return _ARCHIVES["arxiv"] + number if _ARXIV.fullmatch(number) else ""
    eprint = given["eprint"].strip("{} ")
    if re.match(r"https?://", eprint):
        return eprint
    archive = (given.get("eprinttype") or given.get("archiveprefix") or "").strip("{} ").lower()
    own = re.sub(r"^(?:arxiv|hdl)\s*:\s*", "", eprint, flags=re.IGNORECASE)
    if not archive and (_ARXIV.fullmatch(own) or eprint.lower().startswith("arxiv:")):
        archive = "arxiv"
    before = _ARCHIVES.get(archive, "")
    return before + own if before and own and " " not in own else ""


def marked_field(name: str, text: str) -> tuple[str, int]:
    """The field of JabRef's and BibDesk's marks, whose texts are few; none for any other text."""
    if name in RATINGS:
        return ("rating", 0) if rating_of(text) else ("", 0)
    return ("read-status", 0) if read_status_of(text) else ("", 0)


def rating_of(text: str) -> str:
    """One to five of ``ranking`` or ``Rating``; empty for none."""
    found = _RANK.fullmatch(text.strip("{} ").lower())
    return found.group(1) if found is not None else ""


def read_status_of(text: str) -> str:
    """Whether the entry says that it was read; empty where it says nothing."""
    return _READ.get(text.strip("{} ").lower(), "")


def is_literal_list(name: str, given: Mapping[str, str]) -> bool:
    """Whether ``and`` parts the places or publishers of an entry: BibLaTeX's lists, not BibTeX's
    texts. A place by BibLaTeX's name and its one date tell which."""
    if name not in ("location", "publisher") or "date" not in given:
        return False
    listed = re.search(r" and (?!\d)", given.get("location", "")) is not None
    return listed and " and " in given[name]


def title_of_subtitle(name: str, given: Mapping[str, str]) -> str:
    """The title to which a subtitle is joined; empty if the name is none or the title missing."""
    title = _TITLES.get(name, "")
    if title == "journaltitle" and not given.get(title):
        title = "journal"
    return title if given.get(title) else ""


def field_of(name: str, kind: str, given: Mapping[str, str]) -> tuple[str, int]:
    """(field, rank) that a name means in this type; an empty field where it means none."""
    if name in _TITLES:
        name = title_of_subtitle(name, given)
    if name == "number":
        return number_field(kind), 0
    if name in ("journal", "journaltitle", "fjournal"):
        if name == "journal" and given.get("fjournal"):
            return "container-title-short", 1
        return "container-title", 1 if kind in PARTS and given.get("booktitle") else 0
    if name == "booktitle":
        if kind in BOOKS:
            return "", 0
        if kind in PARTS and given.get("maintitle"):
            return "volume-title", 0
        return "container-title", 0 if kind in PARTS else 1
    if name == "maintitle":
        return ("container-title", 0) if kind in PARTS and given.get("booktitle") else ("", 0)
    if name in _PUBLISHERS:
        return "publisher", 1 + _PUBLISHERS.index(name)
    if name == "location" and kind == "paper-conference" and given.get("address"):
        return "event-place", 1  # the publisher's address next to the conference's place
    if name in BODIES_AS_AUTHORS:
        return "author", 0
    if name in _MARKED:
        return marked_field(name, given[name])
    if name == "source" and given["source"].strip("{} ").lower() not in _DATABASES:
        return "", 0
    if name == "eprint":
        archive = given.get("eprinttype", given.get("archiveprefix", "")).lower()
        return {"pubmed": ("PMID", 1), "pmc": ("PMCID", 1), "pmcid": ("PMCID", 1)}.get(
            archive, ("", 0)
        )
    return _editor_field(name, given) if name.startswith("editor") else plain_field(name)


def plain_field(name: str) -> tuple[str, int]:
    """(field, rank) of a name that means the same in every type."""
    return BIBTEX_FIELDS.get(name, ("", 0))


def _editor_field(name: str, given: Mapping[str, str]) -> tuple[str, int]:
    """Editors of another kind than editing, and the field that says which."""
    who = name.removesuffix("type")
    role = EDITOR_ROLES.get(given.get(who + "type", "").lower(), "") if who in _EDITORS else ""
    if role and (given.get(who) or name == who):
        return role, 0
    return plain_field(name)


def number_field(kind: str) -> str:
    """What a ``number`` counts in this type."""
    if kind in ARTICLES:
        return "issue"
    return "collection-number" if kind in _NUMBERED_SERIES else "number"
