"""The people of one line of text, however it parts them: of a file's line and of a user's.

``Doe, Jane; Roe, R.``, ``Doe, J., Roe, R.``, ``Doe J, Roe R``, ``J. Doe, R. Roe and K. Poe``: one
rule for all, which leaves a text whole where a part would be no person's name. Knows nothing of
formats.
"""

from __future__ import annotations

import re
from typing import Final

from bifolio import limits
from bifolio.lazy import pattern
from bifolio.records.names import (
    Name,
    is_body,
    is_natural_name,
    split_initials,
    split_initials_first,
    split_natural_name,
)

#: The people whom a list does not name, and what is given for them among its names.
OTHERS: Final = Name(literal="others")
ET_AL_WORDS: Final = "et al."

_ONE_PERSON: Final = pattern(r"\s*[^\W\d_][^,]*,\s*[^\W\d_][^,]*")
#: An ``and`` before the first name, or after the last.
DANGLING: Final = pattern(r"^(?:and\s+)+|\s+and$|^and$", re.IGNORECASE)
_ET_AL_CHARACTERS_MAX: Final = 20
ET_AL: Final = pattern(r"(?:^|[\s,;]+)(?:et\.? al\.?|and others)$", re.IGNORECASE)
#: One word that may be a family name, by itself between semicolons.
_ONE_WORD: Final = pattern(r"[^\W\d_][\w'’‐-]*")
_FAMILY: Final = pattern(r"(?:[^\W\d_][\w'’‐-]* ){0,3}[^\W\d_][\w'’‐-]+")
#: Initials between commas: with points, or up to three capitals.
_GIVEN_INITIALS: Final = pattern(r"(?:[^\W\d_a-z]\.?[ -]?){1,4}(?<=\.)|[A-Z]{1,3}")
_COMMA: Final = pattern(",")
_COMMA_AND: Final = pattern(r",\s*(?:(?:and|&)\s+)?|\s+(?:and|&)\s+")
_PLAINLY_ONE: Final = pattern(
    r"(?!and |[^\W\d_]\.)[^\W\d_][\w'’ .-]*[a-zß-öø-ÿ], [^\W\d_](?:[\w.'’-]| (?!and\b|et\b|al\b))*"
)
_PARTED: Final = (pattern(r"\s*;\s*"), pattern(r"\s+(?:and|&)\s+"))
#: So many full names between commas are names of as many people.
_FULL_NAMES_MIN: Final = 3


def split_people(text: str) -> list[str]:
    """The names of a line that should hold one: ``Last, First; Last, First`` is several, and so is
    ``Last, First and Last, First``; none where nothing is said.

    The text whole if any part is no person's name: bodies and addresses have semicolons too.
    """
    if is_plainly_one(text):
        return [text]
    if not any(map(str.isalnum, text)):
        return []
    if text.rstrip().endswith(","):
        return [text]
    written = " ".join(text.split()).strip(" ;")
    before = _without_others(written)
    if before != written:
        people = split_people(before)
        return [*people, ET_AL_WORDS] if all(map(_is_person, people)) else [text]
    written = DANGLING.sub("", written) or written
    if ";" not in written and (people := _full_names(written)):
        return people
    for separator in _PARTED:
        parts = _split_list(separator, written)
        parts = [part for part in parts if any(map(str.isalnum, part))]
        people = [one for part in parts for one in split_people(part)] if len(parts) > 1 else []
        if people and all(map(_is_person, people)):
            return list(map(_family_first, people))
        if separator is _PARTED[0] and any(map(has_initials, people)):
            return people  # a body among people
    if written.count(",") + 1 >= 2 and (people := _between_commas(written)):
        return people
    if ";" in written and all(map(_is_family, _split_list(_PARTED[0], written))):
        return _split_list(_PARTED[0], written)
    return [written if _is_person(written) else text]


def _without_others(text: str) -> str:
    """The text without *et al.* at its end. No more of it than that is looked at, each time."""
    while (found := ET_AL.search(text, max(0, len(text) - _ET_AL_CHARACTERS_MAX))) is not None:
        text = text[: found.start()].rstrip(" ,;")
    return text


def is_plainly_one(text: str) -> bool:
    """Whether this is a family name that ends in a small letter, one comma and given names: nearly
    every name of nearly every file."""
    return _PLAINLY_ONE.fullmatch(text) is not None


def _between_commas(text: str) -> list[str]:
    """The people of ``Doe J, Roe R`` and of ``Doe, J., Roe, R.``; none where it is neither."""
    parts = [part.strip() for part in _split_list(_COMMA_AND, text)]
    if len(parts) < 2:
        return []
    if all(split_initials(part) is not None for part in parts):
        return parts
    pairs = list(zip(parts[::2], parts[1::2], strict=False))
    if len(parts) < 4 or len(parts) % 2:
        return []
    if all(_FAMILY.fullmatch(one) and _GIVEN_INITIALS.fullmatch(two) for one, two in pairs):
        return [f"{one}, {two}" for one, two in pairs]
    return []


def _full_names(text: str) -> list[str]:
    """The people of ``Jane Doe, Richard Roe, and Ann Poe``; none where it is not that. Two names
    may be a family's and a person's: ``Garcia Lopez, Ana Maria``."""
    if people := _with_initials_first(text):
        return people
    if text.count(",") + 1 < _FULL_NAMES_MIN and not (" and " in text and "," in text):
        return []
    parts = [part for part in _split_list(_COMMA_AND, text) if part]
    if len(parts) < _FULL_NAMES_MIN:
        return []
    are_names = all(is_natural_name(one) or split_initials_first(one) for one in parts)
    return list(map(_family_first, parts)) if are_names else []


def _with_initials_first(text: str) -> list[str]:
    """The people of ``J. Doe, R. Roe``, family names first; none where it is not that."""
    if "." not in text or "," not in text:
        return []
    parts = [split_initials_first(part.strip()) for part in _split_list(_COMMA, text)]
    people = [f"{part[1]}, {part[0]}" for part in parts if part is not None]
    return people if len(people) == len(parts) else []


def _family_first(name: str) -> str:
    """``Doe, Jane`` of ``Jane Doe``; a name of another form as it is."""
    if "," in name or split_initials(name) is not None or not is_natural_name(name):
        return name
    given, particle, family = split_natural_name(name)
    return f"{particle} {family}".strip() + f", {given}"


def _is_family(text: str) -> bool:
    return _ONE_WORD.fullmatch(text) is not None and text[0].isupper() and not is_body(text)


def _is_person(text: str) -> bool:
    """Whether a text is one person's name."""
    return (
        _ONE_PERSON.fullmatch(text) is not None
        or split_initials(text) is not None
        or split_initials_first(text) is not None
        or is_natural_name(text)
    )


def has_initials(text: str) -> bool:
    """Whether a text is a person's name, of which initials leave no doubt."""
    family, comma, given = text.partition(",")
    if comma:
        return _FAMILY.fullmatch(family) is not None and (
            _GIVEN_INITIALS.fullmatch(given.strip()) is not None
        )
    return split_initials(text) is not None


def _split_list(separator: re.Pattern[str], text: str) -> list[str]:
    """The parts of a list; of one that is too long not all are parted, which its reader sees."""
    return separator.split(text, maxsplit=limits.IMPORT_RECORD_VALUES_MAX + 1)
