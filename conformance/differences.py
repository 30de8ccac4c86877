"""The differences that any format may have with another project, and why they are meant.

Each has a name, a reason and a rule. A format's own ones are in its module in ``families``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Final

from bifolio.records.fields import FORMS, Form
from bifolio.records.names import Name
from bifolio.records.reference import Value
from conformance.agreement import plain, plain_name, plain_texts
from conformance.family import Difference, Disagreement


def texts_of(found: Disagreement, *fields: str, extra: bool = False) -> list[str]:
    """All texts of these fields of ours, whole and line by line; all fields where none is named.

    Args:
        extra: the extra fields too.
    """
    return [
        text
        for field, value in found.values.items()
        if (field in fields or not fields or (extra and field.startswith("x.")))
        for text in _lines(value)
    ]


def _lines(value: Value) -> list[str]:
    if isinstance(value, dict):
        return plain_texts(value)
    return [
        plain_name(line) if isinstance(line, Name) else plain(line)
        for text in ([value] if isinstance(value, str) else value)
        for line in ((text, *text.split("\n")) if isinstance(text, str) else (text,))
    ]


def stands_in(found: Disagreement, kept: Iterable[str]) -> bool:
    """Whether each line that is expected is one of these texts, or a line of one."""
    lines = {line for text in kept for line in (text, *map(plain, text.split("; ")))}
    wanted = (
        [plain(line) for line in found.expected.split("\n")]
        if isinstance(found.expected, str)
        else plain_texts(found.expected)
    )
    return bool(wanted) and all(text in lines or not text for text in wanted)


def _is_kept_as_extra(found: Disagreement) -> bool:
    if found.ours is not None:
        return False
    extras = [value for field, value in found.values.items() if field.startswith("x.")]
    joined = [" ".join(plain_texts(value)) for value in extras]
    return stands_in(found, [*joined, *(line for value in extras for line in _lines(value))])


def _is_in_another_field(found: Disagreement) -> bool:
    if "." not in found.field or found.ours is not None:
        return False
    return stands_in(found, texts_of(found))


def _has_less_of_a_date(found: Disagreement) -> bool:
    if not isinstance(found.expected, dict) or not isinstance(found.ours, dict):
        return False
    theirs, ours = found.expected.get("date-parts"), found.ours.get("date-parts")
    if not ours:
        return False
    if not theirs:  # only the month or day, without its year
        word = str(found.expected.get("literal", ""))[:3].lower()
        return word in "jan feb mar apr may jun jul aug sep oct nov dec".split()
    return (
        len(ours) == 1
        and len(theirs[0]) < len(ours[0]) == len([*theirs[0], *ours[0]]) - len(theirs[0])
        and ours[0][: len(theirs[0])] == theirs[0]
    )


def _keeps_all(found: Disagreement) -> bool:
    if isinstance(found.expected, dict) or isinstance(found.ours, dict | str):
        return False
    theirs, ours = set(plain_texts(found.expected)), set(plain_texts(found.ours))
    return bool(theirs) and theirs < ours


def _by_form(found: Disagreement) -> bool:
    if found.field not in ("ISSN", "ISBN"):
        return False
    kept = {re.sub(r"\W", "", text) for text in texts_of(found, "ISSN", "ISBN", "number")}
    wanted = [
        re.sub(r"(?:ISBN|ISSN)(?=\W*\d)|\([^()]*\)|\W", "", text)
        for one in plain_texts(found.expected)
        for text in one.split("\n")
    ]
    return bool(wanted) and all(text in kept for text in wanted)


def _bare_name(name: object) -> str:
    text = plain_name(name) if isinstance(name, Name) else plain(str(name))
    return re.sub(r"[\s.,-]", "", text).lower()


def _differs_in_points_only(found: Disagreement) -> bool:
    if not isinstance(found.expected, tuple) or not isinstance(found.ours, tuple):
        return False
    return [_bare_name(one) for one in found.expected] == [_bare_name(one) for one in found.ours]


def _is_an_address(found: Disagreement) -> bool:
    return found.field == "publisher-place" and stands_in(found, texts_of(found, "author-address"))


def _expands_pages(found: Disagreement) -> bool:
    if found.field != "page" or not isinstance(found.ours, str):
        return False
    first, _, last = plain(found.ours).partition("-")
    expected = plain(str(found.expected))
    return bool(last) and expected == f"{first}-{first[: len(first) - len(last)]}{last}"


def _is_the_article_number(found: Disagreement) -> bool:
    return found.field == "page" and stands_in(found, texts_of(found, "article-number"))


def _is_its_length(found: Disagreement) -> bool:
    return found.field == "page" and stands_in(found, texts_of(found, "number-of-pages"))


def _is_another_kind_of_number(found: Disagreement) -> bool:
    numbers = ("issue", "number", "collection-number", "volume", "number-of-volumes", "status")
    return found.field in numbers and stands_in(found, texts_of(found, *numbers))


def _has_the_research_notes(found: Disagreement) -> bool:
    if found.field != "note":
        return False
    ours = [found.values.get(field) for field in ("note", "annotation")]
    joined = " ".join(text for value in ours for text in plain_texts(value))
    return "annotation" in found.values and joined == " ".join(plain_texts(found.expected))


def _is_no_date(found: Disagreement) -> bool:
    """Whether neither text holds a year: the two projects keep different parts of no date."""
    if found.field != "issued" or not isinstance(found.ours, dict):
        return False
    return "literal" in found.ours and not re.search(r"[1-9]\d{3}", plain_texts(found.expected)[0])


def _reads_the_date(found: Disagreement) -> bool:
    if not isinstance(found.expected, dict) or not isinstance(found.ours, dict):
        return False
    return "literal" in found.expected and "date-parts" in found.ours


def _names_stay_whole(found: Disagreement) -> bool:
    """Whether the file writes a name without a comma, or many names as one."""
    if not isinstance(found.ours, tuple) or not isinstance(found.expected, tuple):
        return False
    if not any(isinstance(one, Name) and one.literal for one in found.ours):
        return False
    words = [
        set(re.findall(r"\w+", " ".join(plain_texts(names))))
        for names in (found.expected, found.ours)
    ]
    return FORMS.get(found.field) is Form.NAMES and words[0] <= words[1]


def _holds_several_people(found: Disagreement) -> bool:
    """Whether a text that the project takes for one name is several people of ours."""
    if not isinstance(found.ours, tuple) or not isinstance(found.expected, tuple):
        return False
    if FORMS.get(found.field) is not Form.NAMES or len(found.ours) <= len(found.expected):
        return False
    expected, ours = (
        set(re.findall(r"\w+", " ".join(plain_texts(names))))
        for names in (found.expected, found.ours)
    )
    return expected - {"et", "al"} <= ours


def _is_an_abbreviation(found: Disagreement) -> bool:
    """Whether the project takes ``J2`` or ``JO``, an abbreviation, before the full name."""
    if found.field != "container-title":
        return False
    return stands_in(found, texts_of(found, "container-title-short"))


def _leaves_an_entity(found: Disagreement) -> bool:
    if not isinstance(found.expected, str) or not isinstance(found.ours, str):
        return False
    return html.unescape(found.expected) == found.ours


def _is_an_address_of_a_doi(found: Disagreement) -> bool:
    return found.field == "DOI" and str(found.expected).lower().endswith(f"/{found.ours}".lower())


SHARED: Final = (
    Difference(
        "kept-as-extra",
        "The tag has no field in CSL or in ours: its text is an extra field, editable and written "
        "back.",
        _is_kept_as_extra,
    ),
    Difference(
        "other-home",
        "The project has a field of its own for it; the same text stands in a field of ours.",
        _is_in_another_field,
    ),
    Difference(
        "whole-date",
        "The project keeps less of the date (no day, no month, or a month without its year); the "
        "file says more, and so do we.",
        _has_less_of_a_date,
    ),
    Difference(
        "all-of-a-set",
        "The project keeps one of several values; ours is a set and keeps them all.",
        _keeps_all,
    ),
    Difference(
        "number-by-form",
        "A serial number is an ISSN or an ISBN by its form, without words about it, whatever tag "
        "or type it stands in.",
        _by_form,
    ),
    Difference(
        "initials-as-written",
        "The project adds or drops points and blanks in initials; a name stays as the file has it.",
        _differs_in_points_only,
    ),
    Difference(
        "author-address",
        "The tag holds the authors' address, which is no place of publication; it has a field of "
        "ours.",
        _is_an_address,
    ),
    Difference(
        "pages-as-written",
        "The project completes the last page (475-82 to 475-482); pages stay as the file has them.",
        _expands_pages,
    ),
    Difference(
        "article-number",
        "What an article has instead of pages is its article number, not a page.",
        _is_the_article_number,
    ),
    Difference(
        "length",
        "The pages of a whole work without a range are its length.",
        _is_its_length,
    ),
    Difference(
        "number-by-type",
        "The same number is the issue of an article, the number of a report or that of a book in "
        "its series: the type decides.",
        _is_another_kind_of_number,
    ),
    Difference(
        "research-notes-apart",
        "The project joins notes and research notes; ours are two fields.",
        _has_the_research_notes,
    ),
    Difference(
        "no-date",
        "The text is no date; we keep it, the project makes the year 0 of it.",
        _is_no_date,
    ),
    Difference(
        "date-read",
        "The project keeps the date as text; we read it.",
        _reads_the_date,
    ),
    Difference(
        "name-stays-whole",
        "A name without a comma may be a person or a body: nothing in the file tells, so we do not "
        "cut it.",
        _names_stay_whole,
    ),
    Difference(
        "several-people",
        "The project takes a text that holds several people, or *et al.*, for one name.",
        _holds_several_people,
    ),
    Difference(
        "full-name-first",
        "The project takes the abbreviated title; we take the full one and keep the abbreviation.",
        _is_an_abbreviation,
    ),
    Difference(
        "entity-read",
        "The project leaves an entity of XML in the text; we read it.",
        _leaves_an_entity,
    ),
    Difference(
        "bare-doi",
        "The project keeps the address; a DOI is kept without what stands before it.",
        _is_an_address_of_a_doi,
    ),
)
