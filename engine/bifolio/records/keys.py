"""Citation keys: how one is made (``smith2020neural``) and how two of one name are told apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from bifolio.records.dates import date_year
from bifolio.records.names import Name
from bifolio.records.reference import Values

#: Words that say nothing of a work, in the languages that titles mostly have.
_STOP_WORDS = frozenset(
    "a an the on of in and for to with from by at as is are das der die ein eine le la les un "
    "une el los las il lo gli de des du".split()
)

#: Characters of the record id that set a later key apart from the keeper's.
_SUFFIX_LENGTH = 6


def make_key(values: Values, *, taken: Callable[[str], bool]) -> str:
    """Family name, year and first telling word of the title; ``b``, ``c``... while taken."""
    base = _family(values) + _year(values) + _title_word(values)
    base = base or "reference"
    if not taken(base):
        return base
    number = 2
    while taken(candidate := base + _letters(number)):
        number += 1
    return candidate


def suffixed_key(key: str, record_id: str) -> str:
    """What a reference shows whose key an earlier one keeps."""
    return f"{key}-{record_id[:_SUFFIX_LENGTH]}"


def _family(values: Values) -> str:
    for role in ("author", "editor", "translator", "director"):
        names = values.get(role)
        if isinstance(names, tuple) and names and isinstance(names[0], Name):
            return _ascii(names[0].family or names[0].literal.split(" ")[0])
    return ""


def _year(values: Values) -> str:
    issued = values.get("issued")
    year = date_year(issued) if isinstance(issued, dict) else None
    # A year before Christ without its sign: a key that begins with - reads as an option.
    return str(abs(year)) if year is not None else ""


def _title_word(values: Values) -> str:
    title = values.get("title")
    if not isinstance(title, str):
        return ""
    plain = re.sub(r"<[^>]+>", "", title)
    words = [_ascii(word) for word in re.split(r"[\s\-–—/]+", plain)]
    telling = [word for word in words if word and word not in _STOP_WORDS]
    return telling[0] if telling else ""


def _ascii(text: str) -> str:
    spelled = text.replace("ß", "ss").replace("ø", "o").replace("Ø", "O").replace("æ", "ae")
    folded = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]", "", folded).lower()


def _letters(number: int) -> str:
    letters = ""
    while number > 0:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("a") + place) + letters
    return letters
