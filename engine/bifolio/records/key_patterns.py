"""Patterns of citation keys: ``[auth:lower][year][title:lower]`` and what they make of a reference.

A pattern is text with words in square brackets, each with any number of modifiers behind colons.
``TOKENS`` and ``MODIFIERS`` are all there are, and the table of docs/keys.md. Knows nothing of a
library, nor of which keys are taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from bifolio.errors import InvalidValueError
from bifolio.records.dates import date_year
from bifolio.records.folding import is_run_of_characters
from bifolio.records.names import Name
from bifolio.records.reference import Values
from bifolio.records.romanising import romanised

#: Family name, year and first telling word of the title: ``smith2020neural``.
DEFAULT_PATTERN: Final = "[auth:lower][year][title:lower]"

#: What a key may hold besides letters and digits: what BibTeX, biber and a shell all take.
_LITERAL: Final = re.compile(r"[A-Za-z0-9_.:+\-/]*")
_PART: Final = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")

_FIELD: Final = "key-pattern"
_PATTERN_CHARACTERS_MAX: Final = 200

#: Words that say nothing of a work, in the languages that titles mostly have.
_STOP_WORDS: Final = frozenset(
    "a an the on of in and for to with from by at as is are das der die ein eine le la les un "
    "une el los las il lo gli de des du".split()
)

#: Whose family name a key may begin with: the first of these that the reference has.
KEY_ROLES: Final = ("author", "editor", "translator", "director")

#: What stands for a word in a script that parts none.
_CHARACTERS_OF_A_WORD: Final = 3

Token = Callable[[Values], str]


def make_by(pattern: str, values: Values) -> str:
    """What a pattern makes of a reference; empty where the reference gives nothing for it.

    Raises:
        InvalidValueError: the pattern is none.
    """
    made = []
    words = False
    for name, modifiers, literal in _parts(pattern):
        if not name:
            made.append(literal)
            continue
        text = TOKENS[name][1](values)
        for modifier in modifiers:
            text = _modify(text, modifier)
        words = words or bool(text)
        made.append(text)
    # A key that begins with - reads as an option of a command.
    return "".join(made).lstrip("-") if words else ""


def check_pattern(pattern: str) -> str:
    """The pattern, if it is one.

    Raises:
        InvalidValueError: says which word or character it does not know.
    """
    _parts(pattern)
    return pattern


def ascii_letters(text: str) -> str:
    """Letters and digits of a text as ASCII: accents go, other scripts are written in Latin letters
    (``Łukasz`` as ``Lukasz``, ``Иванов`` as ``Ivanov``)."""
    if not text.isascii():
        text = romanised(text)
    return re.sub(r"[^A-Za-z0-9]", "", text)


@lru_cache(maxsize=8)  # an import makes thousands of keys by one pattern
def _parts(pattern: str) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """The pattern in parts: (token, its modifiers, "") or ("", (), literal text)."""
    found: list[tuple[str, tuple[str, ...], str]] = []
    end = 0
    for part in _PART.finditer(pattern):
        if part.start() != end:
            break
        end = part.end()
        if part.group(1) is None:
            if not _LITERAL.fullmatch(part.group(2)):
                raise _wrong(pattern, "letters, digits and _ . : + - / between the brackets")
            found.append(("", (), part.group(2)))
            continue
        name, *modifiers = part.group(1).split(":")
        if name not in TOKENS:
            raise _wrong(pattern, f"one of the words {', '.join(TOKENS)} in brackets")
        for modifier in modifiers:
            if modifier not in MODIFIERS and not re.fullmatch(r"[1-9]\d{0,2}", modifier):
                raise _wrong(pattern, f"{', '.join(MODIFIERS)} or a number behind a colon")
        found.append((name, tuple(modifiers), ""))
    if end != len(pattern):
        raise _wrong(pattern, "brackets that are closed")
    if not any(name for name, _, _ in found):
        raise _wrong(pattern, "at least one word in brackets, such as [auth]")
    if len(pattern) > _PATTERN_CHARACTERS_MAX:
        raise _wrong(pattern[:40] + "...", f"at most {_PATTERN_CHARACTERS_MAX} characters")
    return tuple(found)


def _wrong(pattern: str, expected: str) -> InvalidValueError:
    return InvalidValueError(_FIELD, expected=expected, got=f"'{pattern}'")


def _modify(text: str, modifier: str) -> str:
    known = MODIFIERS.get(modifier)
    return known[1](text) if known is not None else text[: int(modifier)]


def _families(values: Values) -> list[str]:
    """The family names of the first role that the reference has."""
    for role in KEY_ROLES:
        names = values.get(role)
        if isinstance(names, tuple) and names and isinstance(names[0], Name):
            return [
                ascii_letters(name.family or name.literal.split(" ")[0])
                for name in names
                if isinstance(name, Name)
            ]
    return []


def _first_family(values: Values) -> str:
    families = _families(values)
    return families[0] if families else ""


def _several_families(values: Values) -> str:
    families = _families(values)
    return "".join(families[:3]) + ("EtAl" if len(families) > 3 else "")


def _year(values: Values) -> str:
    issued = values.get("issued")
    year = date_year(issued) if isinstance(issued, dict) else None
    # A year before Christ without its sign: a key that begins with - reads as an option.
    return str(abs(year)) if year is not None else ""


def _telling_words(values: Values, field: str) -> list[str]:
    text = values.get(field)
    if not isinstance(text, str):
        return []
    plain = re.sub(r"<[^>]+>", "", text)
    words = [ascii_letters(_short(word)) for word in re.split(r"[\s\-–—/]+", plain)]
    return [word for word in words if word and word.lower() not in _STOP_WORDS]


def _short(word: str) -> str:
    """A word; of a script that has no spaces between them the first few characters."""
    return word[:_CHARACTERS_OF_A_WORD] if is_run_of_characters(word[:1]) else word


def _initials(values: Values) -> str:
    return "".join(word[0] for word in _telling_words(values, "container-title"))


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def _first_page(values: Values) -> str:
    page = values.get("page")
    found = re.match(r"\w+", page) if isinstance(page, str) else None
    return ascii_letters(found.group()) if found else ""


def _plain(field: str) -> Token:
    def read(values: Values) -> str:
        value = values.get(field)
        return ascii_letters(value) if isinstance(value, str) else ""

    return read


#: Each word of a pattern: what it stands for, and how it is read.
TOKENS: Final[dict[str, tuple[str, Token]]] = {
    "auth": ("family name of the first author (else editor, translator, director)", _first_family),
    "auths": ("family names of the first three, `EtAl` for more", _several_families),
    "year": ("year of `issued`", _year),
    "shortyear": ("its last two digits", lambda values: _year(values)[-2:]),
    "title": (
        "first word of the title that is no article or the like",
        lambda values: "".join(_telling_words(values, "title")[:1]),
    ),
    "shorttitle": (
        "the first three of them, each with a capital",
        lambda values: "".join(map(_capitalise, _telling_words(values, "title")[:3])),
    ),
    "journal": ("initials of `container-title`", _initials),
    "volume": ("`volume`", _plain("volume")),
    "page": ("first page", _first_page),
    "type": ("`type`", _plain("type")),
}

#: Each modifier, besides a number, which keeps that many characters.
MODIFIERS: Final[dict[str, tuple[str, Callable[[str], str]]]] = {
    "lower": ("small letters", str.lower),
    "upper": ("capitals", str.upper),
    "capital": ("the first letter a capital", _capitalise),
}
