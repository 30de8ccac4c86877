"""Names of people and bodies, with CSL's parts.

How a user writes one: ``Family, Given``, ``Family, Given, Suffix`` or ``{Corporate Body}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from msgspec import Struct

from bifolio.errors import InvalidValueError

#: CSL's own names of the parts, in the order in which a name is shown.
_PARTS = (
    ("family", "family"),
    ("given", "given"),
    ("suffix", "suffix"),
    ("non-dropping-particle", "non_dropping_particle"),
    ("dropping-particle", "dropping_particle"),
    ("literal", "literal"),
)
_CSL_PARTS = tuple(csl for csl, _ in _PARTS)
_own_parts = attrgetter(*(own for _, own in _PARTS))


class Name(Struct, frozen=True):
    """One creator's name. Either ``literal`` (a body, or a name nobody can split) or the parts."""

    family: str = ""
    given: str = ""
    suffix: str = ""
    non_dropping_particle: str = ""
    dropping_particle: str = ""
    literal: str = ""

    def to_csl(self) -> dict[str, str]:
        """The CSL-JSON object: only the parts that are there."""
        given = zip(_CSL_PARTS, _own_parts(self), strict=True)
        return {csl: value for csl, value in given if value}

    @classmethod
    def from_csl(cls, parts: Mapping[str, object]) -> Name:
        """The name of a CSL-JSON object; unknown parts are left out."""
        return cls(*[str(value) if (value := parts.get(csl)) else "" for csl in _CSL_PARTS])

    def __reduce__(self) -> tuple[Any, ...]:
        return (Name, _own_parts(self))

    def __str__(self) -> str:
        """As a user writes it; ``parse_name`` reads it back where there are no particles."""
        if self.literal:
            return "{" + self.literal + "}"
        particles = " ".join(p for p in (self.dropping_particle, self.non_dropping_particle) if p)
        family = f"{particles} {self.family}".strip()
        return ", ".join(part for part in (family, self.given, self.suffix) if part)


def parse_name(text: str, *, field: str = "author") -> Name:
    """Read ``Family, Given[, Suffix]`` or ``{Corporate}``; one word alone is a family name.

    Raises:
        InvalidValueError: nothing there, unbalanced braces, or more than three parts.
    """
    written = text.strip()
    if written.startswith("{") and written.endswith("}") and written[1:-1].strip():
        return Name(literal=written[1:-1].strip())
    parts = [part.strip() for part in written.split(",")]
    if not parts[0] or len(parts) > 3 or "{" in written or "}" in written:
        raise InvalidValueError(
            field,
            expected="'Family, Given', 'Family, Given, Suffix' or '{Organization}'",
            got=f"'{text}'",
        )
    given = parts[1] if len(parts) > 1 else ""
    suffix = parts[2] if len(parts) > 2 else ""
    return Name(family=parts[0], given=given, suffix=suffix)
