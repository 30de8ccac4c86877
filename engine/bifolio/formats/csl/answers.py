"""Shapes of CSL-JSON that CSL does not have: what Crossref's service answers, and lists for texts.

Crossref calls its types and some of its members by other names and puts a list where CSL has one
text. Such an item is read as what it means; it is written as CSL, not as it came. Tables and what
is looked up in them; may not know how a value becomes a field's.
"""

from __future__ import annotations

import re
from typing import Any, Final

from bifolio.formats.mapping.types import UNKNOWN_TYPE
from bifolio.formats.mapping.zotero import CSL_TYPES as ZOTERO_TYPES
from bifolio.records.fields import TYPES

#: Crossref's names of types (and DataCite's, of those that CSL has others for).
_TYPES: Final = {
    name: csl
    for csl, names in {
        "article-journal": "journal-article",
        "article": "posted-content preprint",
        "chapter": "book-chapter book-section book-part book-track",
        "book": "monograph edited-book reference-book book-set",
        "paper-conference": "proceedings-article conference-paper",
        "collection": "proceedings proceedings-series book-series report-series standard-series",
        "periodical": "journal journal-issue journal-volume",
        "entry-encyclopedia": "reference-entry",
        "thesis": "dissertation",
        "report": "report-component",
        "review": "peer-review",
        "dataset": "database data-set",
        "article-newspaper": "newspaper-article",
        "article-magazine": "magazine-article",
        "webpage": "web-page website",
    }.items()
    for name in names.split()
}

#: Crossref's names of fields: (field, rank).
FIELDS: Final = {
    "short-container-title": ("container-title-short", 1),
    "publisher-location": ("publisher-place", 1),
    "published": ("issued", 1),
    "published-print": ("issued", 2),
    "published-online": ("issued", 3),
    "posted": ("issued", 4),
    "degree": ("genre", 1),
    "edition-number": ("edition", 1),
    "article-number": ("article-number", 0),
}

_ISBN_ADDRESS: Final = re.compile(r"https?://id\.crossref\.org/isbn/")
_JATS_PARAGRAPH: Final = re.compile(r"\s*</jats:(?:p|title|sec)>\s*")
_JATS_SCRIPT: Final = re.compile(r"<(/?)jats:(italic|bold|sub|sup)>")
_JATS: Final = re.compile(r"</?jats:[^<>]*>")
_HTML: Final = {"italic": "i", "bold": "b"}


def csl_type(written: str) -> str:
    """The CSL type of an item's type."""
    if written in TYPES:
        return written
    return _TYPES.get(written.lower()) or ZOTERO_TYPES.get(written, UNKNOWN_TYPE)


def is_answer(kind: str, tags: dict[str, Any]) -> bool:
    """Whether an item is of another shape than CSL's, by its type and its members."""
    if kind not in TYPES and csl_type(kind) != UNKNOWN_TYPE:
        return True
    return isinstance(tags.get("title"), list) or isinstance(tags.get("container-title"), list)


def is_in_a_series(kind: str, containers: Any) -> bool:
    """Whether the containers of a part are a series and the volume in it."""
    texts = isinstance(containers, list) and all(isinstance(one, str) for one in containers)
    return texts and len(containers) == 2 and csl_type(kind) in ("chapter", "paper-conference")


def whole_title(value: Any, subtitles: Any) -> str:
    """The title with its subtitle, of what may be lists; empty where there is none."""
    title = first_text(value)
    subtitle = first_text(subtitles)
    if not title or not subtitle or subtitle.lower() in title.lower():
        return title
    return f"{title}: {subtitle}"


def first_text(value: Any) -> str:
    """The text, or the first one of a list."""
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, str) and one.strip()), "")
    return " ".join(value.split()) if isinstance(value, str) else ""


def plain_abstract(text: str) -> str:
    """An abstract without the elements of JATS: its paragraphs, and the rich text that we have."""
    if "<jats:" not in text:
        return text
    text = _JATS_SCRIPT.sub(
        lambda found: f"<{found.group(1)}{_HTML.get(found.group(2), found.group(2))}>", text
    )
    return _JATS.sub("", _JATS_PARAGRAPH.sub("\n\n", text)).strip()


def bare_isbn(text: str) -> str:
    """An ISBN without Crossref's address before it."""
    return _ISBN_ADDRESS.sub("", text)
