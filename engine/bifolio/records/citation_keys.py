"""Citation keys: how one is made (``smith2020neural``) and how two of one name are told apart."""

from __future__ import annotations

from collections.abc import Callable

from bifolio.records.key_patterns import DEFAULT_PATTERN, make_by
from bifolio.records.reference import Values

#: The key of what has nothing that the pattern reads.
NAMELESS = "reference"

#: Characters of the record id that set a later key apart from the first.
_SUFFIX_LENGTH = 6


def make_key(
    values: Values, *, taken: Callable[[str], bool], pattern: str = DEFAULT_PATTERN
) -> str:
    """What the pattern makes of a reference; ``b``, ``c``... behind it while it is taken."""
    base = make_by(pattern, values)
    if not base or base.isdigit():  # a bare year is the key of too many, and names none
        base = NAMELESS + base
    if not taken(base):
        return base
    number = 2
    while taken(candidate := base + _letters(number)):
        number += 1
    return candidate


def suffixed_key(key: str, record_id: str) -> str:
    """What a reference shows whose key an earlier one keeps."""
    return f"{key}-{record_id[:_SUFFIX_LENGTH]}"


def _letters(number: int) -> str:
    letters = ""
    while number > 0:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("a") + place) + letters
    return letters
