"""Values from what a user writes, and as text: one place for all forms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bifolio import lazy
from bifolio.errors import FilesFieldError, InvalidValueError
from bifolio.records import attachments
from bifolio.records.canonical import canonical_json, stored_json
from bifolio.records.dates import date_text, is_date, parse_date
from bifolio.records.fields import TYPES, Form, form_of
from bifolio.records.names import Name, parse_name
from bifolio.records.reference import Value

if TYPE_CHECKING:
    import difflib

    from bifolio.records import people
else:
    difflib = lazy.module("difflib")
    people = lazy.module("bifolio.records.people")

#: What is before a DOI in an address or a citation.
_BEFORE_DOI = lazy.pattern(r"^(?:(?:https?://)?(?:dx\.)?doi\.org/|doi:\s*)(?=10\.)", re.IGNORECASE)

#: Fields of which a user may write these values only; a file's own ones are kept as they are.
_CHOICES = {
    "rating": ("0", "1", "2", "3", "4", "5"),
    "read-status": ("read", "unread"),
    "citation-key-pinned": ("yes", "no"),
}


#: What users call a type; ``article`` is CSL's word for a preprint, and nobody else's.
_MEANT_TYPES = {
    "journal-article": "article-journal",
    "journalarticle": "article-journal",
    "journal": "article-journal",
    "paper": "article-journal",
    "magazine-article": "article-magazine",
    "magazine": "article-magazine",
    "newspaper-article": "article-newspaper",
    "newspaper": "article-newspaper",
    "preprint": "article",
    "book-chapter": "chapter",
    "book-section": "chapter",
    "incollection": "chapter",
    "inbook": "chapter",
    "inproceedings": "paper-conference",
    "conference-paper": "paper-conference",
    "conference": "paper-conference",
    "proceedings": "collection",
    "phdthesis": "thesis",
    "phd-thesis": "thesis",
    "phd": "thesis",
    "mastersthesis": "thesis",
    "masters-thesis": "thesis",
    "doctoral-thesis": "thesis",
    "dissertation": "thesis",
    "techreport": "report",
    "website": "webpage",
    "web-page": "webpage",
    "online": "webpage",
    "blog": "post-weblog",
    "blog-post": "post-weblog",
    "misc": "document",
    "generic": "document",
    "unpublished": "manuscript",
    "film": "motion_picture",
    "movie": "motion_picture",
    "video": "motion_picture",
    "presentation": "speech",
    "talk": "speech",
    "lecture": "speech",
    "computer-program": "software",
    "letter": "personal_communication",
    "email": "personal_communication",
    "encyclopedia-entry": "entry-encyclopedia",
    "dictionary-entry": "entry-dictionary",
    "case": "legal_case",
    "statute": "legislation",
    "artwork": "graphic",
    "audio": "song",
    "podcast": "broadcast",
}


#: Unicode's categories of what ends a line, controls a terminal or is no character.
_OFF_THE_LINE = ("Cc", "Cs", "Zl", "Zp")


def parse_value(field: str, texts: Sequence[str]) -> Value:
    """The value of a field in its form, from one or more written texts.

    Raises:
        UnknownFieldError: neither known nor extra.
        FilesFieldError: files are attached, not written.
        InvalidValueError: several texts for one value, no such type, rating or read status, an
            empty or spaced key.
    """
    form = form_of(field)
    if field == attachments.FIELD:
        raise FilesFieldError
    if form is Form.NAMES:
        return tuple(name for text in texts for name in _read_names(text, field))
    if form is Form.STRINGS:
        return tuple(texts)
    if len(texts) != 1:
        raise InvalidValueError(field, expected="one value", got=f"{len(texts)}")
    if form is Form.DATE:
        return parse_date(texts[0])
    if field == "type":
        return _check_type(texts[0])
    if field in _CHOICES and texts[0] not in _CHOICES[field]:
        choices = _CHOICES[field]
        expected = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise InvalidValueError(field, expected=expected, got=f"'{texts[0]}'")
    if field == "DOI":
        return str(_BEFORE_DOI.sub("", texts[0].strip()))
    if field == "citation-key" and (not texts[0].strip() or any(map(str.isspace, texts[0]))):
        raise InvalidValueError(field, expected="a word without spaces", got=f"'{texts[0]}'")
    return texts[0]


def _read_names(text: str, field: str) -> list[Name]:
    """The people of one text, by the rule by which those of a file's line are."""
    if "{" in text:  # a body, as its writer says
        return [parse_name(text, field=field)]
    listed = people.split_people(text) or [text]
    return [
        people.OTHERS if one == people.ET_AL_WORDS else parse_name(one, field=field)
        for one in listed
    ]


def is_one_line(text: str) -> bool:
    """Whether a name can be shown on one line as it is: no line's end in it, nor a control."""
    return not any(unicodedata.category(one) in _OFF_THE_LINE for one in text)


def check_tag(tag: str) -> None:
    """Refuse what a user may not write as a tag.

    Raises:
        InvalidValueError.
    """
    if not tag.strip() or not is_one_line(tag):
        raise InvalidValueError("tags", expected="a tag on one line", got=f"'{tag}'")


def encode_register(value: Value) -> str:
    """The text under which a scalar, date or list is stored in its register."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return canonical_json(value)
    return canonical_json(list(value) if not any(isinstance(v, Name) for v in value) else [])


def decode_register(form: Form, text: str) -> Value:
    """The value of a register's text; what cannot be read is shown as the text it is."""
    if form is Form.DATE:
        stored = stored_json(text)
        return stored if is_date(stored) and isinstance(stored, dict) else {"literal": text}
    if form is Form.STRINGS:
        stored = stored_json(text)
        return tuple(str(one) for one in stored) if isinstance(stored, list) else (text,)
    return text


def value_text(value: Value | None) -> str:
    """A value as one line of text for people and for the search index."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return date_text(value)
    if isinstance(value, tuple):
        return "; ".join(str(one) for one in value)
    return value


def _check_type(text: str) -> str:
    if text in TYPES:
        return text
    if (meant := _MEANT_TYPES.get("-".join(text.lower().split()))) is not None:
        return meant
    near = difflib.get_close_matches(text, sorted(TYPES), n=1, cutoff=0.5)
    advice = f", for example '{near[0]}'" if near else ", for example 'article-journal'"
    raise InvalidValueError("type", expected=f"a CSL type{advice}", got=f"'{text}'")
