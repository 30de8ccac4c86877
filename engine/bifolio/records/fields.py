"""The field table: every known field of a reference, what its values look like, and the rule by
which they merge.

Names are CSL 1.0.2's variables and the few additions of our own (marked). The open space
``x.<format>.<tag>`` holds what a format has and CSL lacks. Notes and annotations beyond the first
have names of their own (``notes``).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from bifolio import lazy
from bifolio.errors import UnknownFieldError
from bifolio.records import notes

if TYPE_CHECKING:
    import difflib
else:
    difflib = lazy.module("difflib")


class Form(Enum):
    """What the values of a field look like, whatever becomes of concurrent ones.

    All that reads and writes values (formats, the command line) goes by the form alone.
    """

    STRING = "one string"
    DATE = "one CSL date"
    TEXT = "one long text"
    NAMES = "names, one after another"
    STRINGS = "strings, one after another"

    @property
    def holds_several(self) -> bool:
        """Whether a value is made of several, each of which can be added and removed."""
        return self in (Form.NAMES, Form.STRINGS)


class MergeRule(Enum):
    """How concurrent edits of one field meet (DESIGN §4).

    What a rule does is its kind's to say (``document.field_kinds``); no other place asks for one.
    """

    SCALAR = "one string; every concurrent value is kept"
    DATE = "one CSL date; every concurrent value is kept"
    TEXT = "one long text, merged by character"
    CREATORS = "a list of names, merged by element"
    SET = "a set of strings, observed-remove"
    LIST = "a list of strings that is one value; every concurrent value is kept"


_SCALARS = (
    # CSL standard and number variables
    "annote archive archive_collection archive_location archive-place authority call-number "
    "chapter-number citation-key citation-label citation-number collection-number "
    "collection-title container-title container-title-short dimensions division DOI edition "
    "event event-place event-title first-reference-note-number genre issue jurisdiction keyword "
    "language license locator medium number number-of-pages number-of-volumes "
    "original-publisher original-publisher-place original-title page page-first part "
    "part-number part-title PMCID PMID printing-number publisher publisher-place references "
    "reviewed-genre reviewed-title scale section source status supplement-number title "
    "title-short version volume volume-title volume-title-short year-suffix "
    # ours
    "type accession-number article-number author-address translated-title "
    "translated-container-title rating read-status citation-key-pinned"
).split()

_DATES = "accessed available-date event-date issued original-date submitted".split()

_TEXTS = "abstract annotation note".split()

_CREATORS = (
    "author chair collection-editor compiler composer container-author contributor curator "
    "director editor editor-translator editorial-director executive-producer guest host "
    "illustrator interviewer narrator organizer original-author performer producer recipient "
    "reviewed-author script-writer series-creator translator"
).split()

_SETS = "ISBN ISSN URL tags files citation-key-aliases".split()

_FORM_OF_RULE = {
    MergeRule.SCALAR: Form.STRING,
    MergeRule.DATE: Form.DATE,
    MergeRule.TEXT: Form.TEXT,
    MergeRule.CREATORS: Form.NAMES,
    MergeRule.SET: Form.STRINGS,
    MergeRule.LIST: Form.STRINGS,
}

FIELDS: dict[str, MergeRule] = (
    dict.fromkeys(_SCALARS, MergeRule.SCALAR)
    | dict.fromkeys(_DATES, MergeRule.DATE)
    | dict.fromkeys(_TEXTS, MergeRule.TEXT)
    | dict.fromkeys(_CREATORS, MergeRule.CREATORS)
    | dict.fromkeys(_SETS, MergeRule.SET)
)
del FIELDS["keyword"]  # one name for one thing: tags

#: The rules of what notes and annotations have (``records.notes``); of the others it is a scalar.
_PART_RULES = {"": MergeRule.TEXT, notes.TAGS: MergeRule.SET}

#: The form of every known field.
FORMS: dict[str, Form] = {field: _FORM_OF_RULE[rule] for field, rule in FIELDS.items()}

#: What a copy in another library names its origin by: ``LIBRARY ID/RECORD ID``.
COPY_ORIGIN = "x.bifolio.origin"

#: What a user may write for a field's own name.
SYNONYMS = {
    "tag": "tags",
    "file": "files",
    "keyword": "tags",
    "keywords": "tags",
    "key": "citation-key",
    "doi": "DOI",
    "isbn": "ISBN",
    "issn": "ISSN",
    "url": "URL",
    "pmid": "PMID",
    "pmcid": "PMCID",
}

#: What other programs call a field: suggested, not taken, because some mean several things.
_OTHER_NAMES = {
    "year": "issued",
    "date": "issued",
    "month": "issued",
    "published": "issued",
    "authors": "author",
    "editors": "editor",
    "pages": "page",
    "vol": "volume",
    "publication": "container-title",
    "journal-title": "container-title",
    "publicationtitle": "container-title",
    "notes": "note",
    "bibtexkey": "citation-key",
    "citekey": "citation-key",
    "journal": "container-title",
    "journaltitle": "container-title",
    "booktitle": "container-title",
    "series": "collection-title",
    "address": "publisher-place",
    "location": "publisher-place",
    "place": "publisher-place",
    "city": "publisher-place",
    "school": "publisher",
    "institution": "publisher",
    "organization": "publisher",
    "urldate": "accessed",
    "link": "URL",
    "comment": "note",
    "id": "citation-key",
}

#: CSL's item types; ``document`` stands for any other.
TYPES = frozenset(
    (
        "article article-journal article-magazine article-newspaper bill book broadcast chapter "
        "classic collection dataset document entry entry-dictionary entry-encyclopedia event "
        "figure graphic hearing interview legal_case legislation manuscript map motion_picture "
        "musical_score pamphlet paper-conference patent performance periodical "
        "personal_communication post post-weblog regulation report review review-book software "
        "song speech standard thesis treaty webpage"
    ).split()
)

#: The prefix of the open space.
EXTRA_PREFIX = "x."


def is_extra(name: str) -> bool:
    """Whether the field lies in the open space ``x.*``."""
    return name.startswith(EXTRA_PREFIX) and len(name) > len(EXTRA_PREFIX)


def is_other_name(name: str) -> bool:
    """Whether another program calls one of the fields so."""
    return name in _OTHER_NAMES


def known_rule(name: str) -> MergeRule | None:
    """The rule of a field; None for one of a newer version, or what is no field at all."""
    rule = FIELDS.get(name)
    if rule is not None:
        return rule
    if is_extra(name):
        return MergeRule.LIST
    part = notes.read_part(name)
    return None if part is None else _PART_RULES.get(part.attribute, MergeRule.SCALAR)


def merge_rule(name: str) -> MergeRule:
    """The rule of a field; extra fields are lists.

    Raises:
        UnknownFieldError: neither known nor extra; it suggests the nearest known name.
    """
    rule = known_rule(name)
    if rule is not None:
        return rule
    raise UnknownFieldError(name, suggestion=_nearest(name))


def form_of(name: str) -> Form:
    """The form of a field's values; those of an extra field are strings.

    Raises:
        UnknownFieldError: neither known nor extra; it suggests the nearest known name.
    """
    return FORMS.get(name) or _FORM_OF_RULE[merge_rule(name)]


def canonical_field(name: str) -> str:
    """The field's own name for what a user wrote (``tag``, ``key``, ``doi``).

    Raises:
        UnknownFieldError: neither known nor extra, or with U+001F in it, which separates the
            parts of a document's keys: such a field would be stored and never be shown.
    """
    own = SYNONYMS.get(name, name)
    if "\x1f" in own:
        raise UnknownFieldError(name, suggestion=None)
    merge_rule(own)
    return own


def _nearest(name: str) -> str | None:
    if (meant := _OTHER_NAMES.get(name.lower())) is not None:
        return meant
    known = {field.lower(): field for field in (*FIELDS, *SYNONYMS)}
    found = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return known[found[0]] if found else None
