"""Names of people and bodies, with CSL's parts.

How a user writes one: ``Family, Given``, ``Family, Given, Suffix``, ``Given Family`` or
``{Corporate Body}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct

from bifolio.errors import InvalidValueError
from bifolio.records.canonical import to_object

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


class Name(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """One creator's name. Either ``literal`` (a body, or a name nobody can split) or the parts.

    As JSON it is CSL's object.
    """

    family: str = ""
    given: str = ""
    suffix: str = ""
    non_dropping_particle: str = ""
    dropping_particle: str = ""
    literal: str = ""

    def to_csl(self) -> dict[str, str]:
        """The CSL-JSON object: only the parts that are there."""
        return to_object(self)

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


#: Words that name a body; no person's name holds one.
_BODY_WORDS: Final = frozenset(
    """
    academy administration agency alliance archive archives association authority bank board bureau
    center centers centre centres church club coalition collaboration college commission committee
    community company conference congress consortium corp corporation council court department
    development directorate division editors enterprise federation foundation forum fund government
    group hospital inc inst institut institute institution institutes international investigators
    laboratories laboratory ltd llc gmbh library limited management ministry mission museum
    national nations network observatory office organisation organization panel partnership party
    press program programme project publishers publishing register registry research review school
    science sciences secretariat service services society staff state states studies survey task
    team trials trust union united universidad universidade universitat universite universitaet
    universität université university working world
    """.split()
)
_FUNCTION_WORDS: Final = frozenset("of for and the & on in to und der für et des du".split())
_WORD: Final = re.compile(r"[^\W\d_][\w.'’‐-]*")
_NATURAL_WORDS_MAX: Final = 5

#: Family names and nothing but initials after them: ``Doe J.A.``, ``Smith JA``, ``de Vries H.``.
_FAMILY_AND_INITIALS: Final = re.compile(
    r"(?P<family>(?:[^\W\d_][\w'’‐-]*\.? )*?[^\W\d_][\w'’‐-]+)"
    r" (?P<given>[^\W\d_](?:[. -]{0,2}[^\W\d_]){0,4}\.?)"
)
_SUFFIX: Final = re.compile(r",? ([JS]r\.?|I{2,3}|IV|2nd|3rd|4th)$")
#: Particles of family names, also where they have a capital (``Van Dyke MC``).
PARTICLES: Final = frozenset(
    "da das de del della den der di do dos du el la le ten ter van vande vander von zu zur".split()
)
#: Initials with points and the names behind them: ``J.A. Smith``, ``Jane A. van Doe``.
_INITIALS_FIRST: Final = re.compile(
    r"(?P<given>(?:[^\W\d_][\w'’‐-]+ )?(?:[^\W\d_]\.[ -]?){1,4}) ?"
    r"(?P<family>(?:[^\W\d_][\w'’‐-]* )*[^\W\d_][\w'’‐-]+)"
)
_COUNTRIES: Final = frozenset({"US", "UK", "UN", "EU"})


def split_initials(text: str) -> tuple[str, str, str] | None:
    """(family with its particles, initials, suffix) of a name whose initials come last; None for
    any other. The initials are capitals, with points or without; several family names before
    initials without points may be words of anything."""
    suffix = _SUFFIX.search(text)
    found = _FAMILY_AND_INITIALS.fullmatch(text[: suffix.start()] if suffix else text)
    if found is None:
        return None
    family, given = _without_long_word(found["family"], found["given"])
    letters = [one for one in given if one.isalpha()]
    words = family.split(" ")
    capitalised = [
        word
        for place, word in enumerate(words)
        if not _begins_small(word) and not (place < len(words) - 1 and word.lower() in PARTICLES)
    ]
    dotted = "." in given or (" " in given and len(letters) > 1)
    joined = "-" in given or dotted
    if not all(one.isupper() or not one.islower() for one in letters) or not capitalised:
        return None
    if _begins_small(words[-1]) or is_body(family):
        return None
    if not joined and (len(letters) > 3 or len(capitalised) > 1):
        return None
    if not joined and len(letters) > 2 and len(family) <= 3 and family.isupper():
        return None  # US EPA, UN FAO
    return family, given, suffix.group(1) if suffix else ""


_IS_SUFFIX: Final = re.compile(r"(?:[js]r|[js]nr)\.?|I{2,3}|IV|VI{1,3}|[2-9](?:nd|rd|th)", re.I)
#: More letters in a row are no initials, but a word of a family name in capitals.
_INITIALS_IN_A_ROW: Final = 3
_JOINED_PARTICLE: Final = re.compile(r"[a-z]{1,4}['’‐-][^\W\d_a-z]")


def _without_long_word(family: str, given: str) -> tuple[str, str]:
    """The two parts of ``DE LA CRUZ J``: words in capitals before the initials are the family's."""
    first, _, rest = given.partition(" ")
    while rest and "." not in first and len(first.replace("-", "")) > _INITIALS_IN_A_ROW:
        family, given = f"{family} {first}", rest
        first, _, rest = given.partition(" ")
    return family, given


def _begins_small(word: str) -> bool:
    """Whether a word is a particle; ``al-Khwarizmi`` is a name."""
    return word[0].islower() and _JOINED_PARTICLE.match(word) is None


def is_suffix(text: str) -> bool:
    """Whether a part of a name is what comes behind it (``Jr.``, ``III``)."""
    return _IS_SUFFIX.fullmatch(text) is not None


def order_suffix(given: str, suffix: str) -> tuple[str, str]:
    """(given, suffix) of the two parts behind a family name: BibTeX has the suffix first, RIS and
    people last, and a suffix is known by its words."""
    if _IS_SUFFIX.fullmatch(given) and suffix and not _IS_SUFFIX.fullmatch(suffix):
        return suffix, given
    return given, suffix


def split_initials_first(text: str) -> tuple[str, str] | None:
    """(initials, family with its particles) of a name that begins with initials with points, or has
    one in its middle; None for any other."""
    found = _INITIALS_FIRST.fullmatch(text)
    if found is None or is_body(text):
        return None
    given, family = found["given"].strip(), found["family"]
    letters = "".join(filter(str.isalpha, given))
    if family.split(" ")[-1][0].islower() or letters in _COUNTRIES or not letters[0].isupper():
        return None
    return given, family


def is_body(text: str) -> bool:
    """Whether a name without any comma is that of a body, by its words."""
    words = text.lower().replace(",", " ").split()
    return any(
        word.strip(".()") in _BODY_WORDS or word in _FUNCTION_WORDS or any(map(str.isdigit, word))
        for word in words
    )


def is_natural_name(text: str) -> bool:
    """Whether this is ``Given Family``: two to five words of letters, the first and the last with
    a capital, and none that names a body."""
    words = text.split()
    return (
        2 <= len(words) <= _NATURAL_WORDS_MAX
        and all(_WORD.fullmatch(word) for word in words)
        and not words[0][0].islower()
        and not words[-1][0].islower()
        and not (len(words[-1]) > 1 and words[-1].isupper() and not text.isupper())
        and not is_body(text)
    )


def split_natural_name(text: str) -> tuple[str, str, str]:
    """(given, particle, family) of ``Given von Family``."""
    words = text.split()
    lower = [place for place, word in enumerate(words[:-1]) if word[0].islower()]
    if not lower:
        return " ".join(words[:-1]), "", words[-1]
    first, last = lower[0], lower[-1]
    particle, family = " ".join(words[first : last + 1]), " ".join(words[last + 1 :])
    return " ".join(words[:first]), particle, family


def parse_name(text: str, *, field: str = "author") -> Name:
    """Read ``Family, Given[, Suffix]``, ``Given Family`` or ``{Corporate}``; one word alone is a
    family name, and several of which no person's name can be made are a body's.

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
    if len(parts) == 1:
        return _without_comma(written)
    given = parts[1] if len(parts) > 1 else ""
    suffix = parts[2] if len(parts) > 2 else ""
    given, suffix = order_suffix(given, suffix)
    return Name(family=parts[0], given=given, suffix=suffix)


def _without_comma(written: str) -> Name:
    if (initials := split_initials(written)) is not None:
        family, given, suffix = initials
        return Name(family=family, given=given, suffix=suffix)
    if (first := split_initials_first(written)) is not None:
        return Name(family=first[1], given=first[0])
    if is_natural_name(written):
        given, particle, family = split_natural_name(written)
        return Name(family=f"{particle} {family}".strip(), given=given)
    return Name(literal=written) if " " in written else Name(family=written)
