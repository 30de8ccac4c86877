"""Names of people as BibTeX and RIS write them, and back.

BibTeX's rules: names are joined by ``and``; ``First von Last``, ``von Last, First`` and
``von Last, Jr, First``; what is in braces is one word; a name all in braces is a body.
``and others`` is the name with the literal ``others`` and is written as ``and others`` again.
RIS: ``Last, First, Suffix``, one to a line as a rule; a comma at the end marks a body; without any
comma nobody can tell, so the text stays whole, unless initials come after the family name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from bifolio import limits
from bifolio.formats.bounds import split_list
from bifolio.formats.latex.text import decode, encode, resolve_branches
from bifolio.records.names import (
    PARTICLES,
    Name,
    is_natural_name,
    is_suffix,
    order_suffix,
    split_initials,
    split_initials_first,
    split_natural_name,
)
from bifolio.records.people import (
    DANGLING,
    ET_AL,
    ET_AL_WORDS,
    OTHERS,
    has_initials,
    is_plainly_one,
    split_people,
)

_Separator = Callable[[str, int], int]

_EXTENDED: Final = re.compile(r"\s*(family|given|prefix|suffix|useprefix)\s*=\s*", re.IGNORECASE)
#: The space that ends a command parts no words: ``Dezs\\H o``, ``\\O stergaard``.
_ACCENTED: Final = re.compile(r"(\\[uvHtcdbkr`'^\"~=.])\s+([^\W\d_])")
_COMMAND_END: Final = re.compile(r"(\\(?:ss|[oOlLij]|a[ae]|A[AE]|oe|OE))\s+(?=\w)")
#: ``Doe J, Roe RA``, which cannot be a family name and given ones.
_SHORT_NAMES: Final = re.compile(r"[^\W\d_][\w'’‐-]+ [A-Z]{1,3}, [^\W\d_][\w'’‐-]+ [A-Z]{1,3}")
_FIRM: Final = re.compile(r"(?:inc|ltd|llc|gmbh|corp|plc|limited|co)\.?", re.IGNORECASE)
_SIMPLE_AND: Final = re.compile(r"\s+and\s+", re.IGNORECASE)
#: A name of BibTeX's has at most so many commas.
_COMMAS_MAX: Final = 2


def parse_bibtex_names(text: str) -> tuple[Name, ...]:
    """All names of a BibTeX list; empty ones are left out."""
    stripped = (" ".join(part.split()) for part in split_names(resolve_branches(text)))
    return tuple(name for part in stripped if part for name in _names_in(part))


@lru_cache(maxsize=16_384)
def _names_in(part: str) -> tuple[Name, ...]:
    """The names of one part of a list, of which nearly every one is one name."""
    names = (_bibtex_name(one) for one in _bibtex_people(_without_and(part)))
    return tuple(name for name in names if _says_something(name))


def split_names(text: str) -> list[str]:
    """The parts of a BibTeX list, between ``and`` outside of braces."""
    return _split_at(text, _and_at) if "{" in text else split_list(_SIMPLE_AND, text)


def _without_and(part: str) -> str:
    while part[:4].lower() in ("and", "and ") or part[-4:].lower() == " and":
        part = DANGLING.sub("", part)
    return part


def _bibtex_people(part: str) -> list[str]:
    """One name, or the people of a part that is no name of BibTeX's: ``Doe, J.; Roe, R.``,
    ``Doe J, Roe R``, ``Doe J.A.``, ``Doe, J. et al.``"""
    if "{" in part or "=" in part or is_plainly_one(part):
        return [part]
    plain = part.replace("~", " ")
    if ";" in part or "," in part or part[-3:].lower() in ("al.", " al"):
        one_comma = ";" not in part and part.count(",") == 1 and part[-3:].lower() != "al."
        people = (
            []
            if one_comma and not _SHORT_NAMES.fullmatch(plain)
            else split_people(plain.replace("\\&", "&"))
        )
        if len(people) > 1:
            return ["others" if one == ET_AL_WORDS else _with_comma(one) or one for one in people]
    return [(_with_comma(plain) if part[-1:] == "." else "") or part]


def _with_comma(name: str) -> str:
    """``Doe, J.A.`` of ``Doe J.A.``; empty for a name of another form."""
    if "," in name or ("." not in name and " " not in name):
        return ""
    found = split_initials(name)
    if found is None:
        return ""
    family, given, suffix = found
    return f"{family}, {suffix}, {given}" if suffix else f"{family}, {given}"


def write_bibtex_names(names: tuple[Name, ...]) -> str:
    """The list as BibTeX writes it."""
    return " and ".join(_write_bibtex_name(name) for name in names)


def parse_plain_name(text: str) -> Name:
    """One name as people write it: ``Last, First``, ``First von Last``, or a body's."""
    written = " ".join(text.split())
    if not any(map(str.isalnum, written)):
        return Name()
    if len(written) > 2 and written[0] == "{" and written[-1] == "}":
        return Name(literal=written[1:-1])
    if "," not in written and split_initials(written) is None and is_natural_name(written):
        given, particle, family = split_natural_name(written)
        return Name(family=family, given=given, non_dropping_particle=particle)
    return parse_ris_name(written)


@lru_cache(maxsize=16_384)
def parse_ris_name(text: str) -> Name:
    """One name of an RIS line."""
    written = " ".join(text.split())
    if written.endswith(",") and written.rstrip(", "):
        if "," not in written[:-1] or not has_initials(written[:-1]):
            return Name(literal=written[:-1].rstrip())
        written = written[:-1]
    initials = split_initials(written)
    if initials is not None:
        particle, family = _particle(initials[0].split(" "))
        return Name(
            family=family,
            given=initials[1],
            suffix=initials[2],
            non_dropping_particle=particle,
        )
    parts = [part.strip() for part in written.split(",")]
    if len(parts) == 1:
        if (first := split_initials_first(written)) is not None:
            particle, family = _particle(first[1].split(" "))
            return Name(family=family, given=first[0], non_dropping_particle=particle)
        if ET_AL.fullmatch(written) is not None:
            return OTHERS
        return Name(literal=written) if " " in written else Name(family=written)
    if len(parts) > 3 or not parts[0] or _FIRM.fullmatch(parts[-1]) or parts[1][:4] == "and ":
        return Name(literal=written)
    particle, family = _particle(parts[0].split(" "))
    given, suffix = order_suffix(parts[1], parts[2]) if len(parts) > 2 else (parts[1], "")
    return Name(family=family, given=given, suffix=suffix, non_dropping_particle=particle)


def _says_something(name: Name) -> bool:
    said = name.family or name.literal or name.given
    return said[:1].isalnum() or any(map(str.isalnum, said))


def write_ris_name(name: Name) -> str:
    """The name as an RIS line has it."""
    if name.literal:
        plain = " " in name.literal and "," not in name.literal
        plain = plain and parse_ris_name(name.literal) == name
        plain = plain and split_people(name.literal) == [name.literal]
        return name.literal if plain else f"{name.literal},"
    return str(name) if "," in str(name) or " " not in str(name) else f"{name}, "


def _bibtex_name(text: str) -> Name:
    if "\\" in text:
        text = _ACCENTED.sub(r"\1{\2}", text).replace("\\ ", " ")
        text = _COMMAND_END.sub(r"\1{}", text)
    if text.lower() == "others" or ET_AL.fullmatch(text) is not None:
        return OTHERS
    whole = _is_one_group(text)
    if "=" in text:
        extended = _extended_name(text[1:-1] if whole else text)
        if extended is not None:
            return extended
    if whole:
        return Name(literal=_text(text[1:-1]))
    parts = [part.strip() for part in _split_at(text, _comma_at)]
    if len(parts) > 3 or not parts[0]:
        return Name(literal=_text(text))
    if len(parts) == 1:
        return _natural_name(_words(text))
    particle, family = _particle(_words(parts[0]))
    given, suffix = parts[-1], ""
    if len(parts) == 3 and not parts[2] and not is_suffix(parts[1]):
        given = parts[1]  # a comma before the next name
    elif len(parts) == 3:
        given, suffix = order_suffix(parts[2], parts[1])
    return Name(
        family=_text(family),
        given=_text(given),
        suffix=_text(suffix),
        non_dropping_particle=_text(particle),
    )


def _natural_name(words: list[str]) -> Name:
    """``First von Last``: the particle is the lower-case words before the last one."""
    if not words:
        return Name()
    lower = [place for place, word in enumerate(words[:-1]) if _is_lower(word)]
    if lower and words[0].lower() not in PARTICLES and all(map(_is_lower, words)):
        lower = []  # a name without any capital
    if not lower:
        return Name(family=_text(words[-1]), given=_text(" ".join(words[:-1])))
    first, last = lower[0], lower[-1]
    return Name(
        family=_text(" ".join(words[last + 1 :])),
        given=_text(" ".join(words[:first])),
        non_dropping_particle=_text(" ".join(words[first : last + 1])),
    )


def _extended_name(text: str) -> Name | None:
    """BibLaTeX's ``given=Hans, family=Harman``; nothing if it is none.

    A prefix that the sorting leaves out (``useprefix=false``) is CSL's dropping particle.
    """
    parts: dict[str, str] = {}
    for part in _split_at(text, _comma_at):
        part = part.strip()
        if len(part) > 1 and part[0] == part[-1] == '"':
            part = part[1:-1]
        found = _EXTENDED.match(part)
        if found is not None:
            parts.setdefault(found.group(1).lower(), _text(part[found.end() :].strip(' "')))
        elif "=" not in part:
            return None
    if "family" not in parts:
        return None
    dropped = parts.get("useprefix", "").lower() == "false"
    prefix = parts.get("prefix", "")
    return Name(
        family=parts["family"],
        given=parts.get("given", ""),
        suffix=parts.get("suffix", ""),
        non_dropping_particle="" if dropped else prefix,
        dropping_particle=prefix if dropped else "",
    )


def _particle(words: list[str]) -> tuple[str, str]:
    """(particle, family) of the words before the first comma."""
    count = 0
    while count < len(words) - 1 and _is_lower(words[count]):
        count += 1
    return " ".join(words[:count]), " ".join(words[count:])


def _is_lower(word: str) -> bool:
    """Whether BibTeX would take the word for a particle: its first letter outside braces."""
    if word.startswith("{") and not word.startswith("{\\"):
        return False
    shown = decode(word) if "\\" in word else word
    letter = next((character for character in shown if character.isalpha()), "")
    return letter.islower()


def _text(text: str) -> str:
    return " ".join(decode(text).split())


def _words(text: str) -> list[str]:
    """The words at depth zero; ``~`` parts words too."""
    if "{" not in text:
        return text.replace("~", " ").split()
    return [word for word in _split_at(text, _space_at) if word]


def _is_one_group(text: str) -> bool:
    if not (text.startswith("{") and text.endswith("}")) or text.startswith("{\\"):
        return False
    depth = 0
    for character in text[:-1]:
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return False
    return True


def _split_at(text: str, separator: _Separator) -> list[str]:
    """The text cut at each separator outside braces."""
    parts: list[str] = []
    start = at = depth = 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 2
            continue
        depth = max(0, depth + (character == "{") - (character == "}"))
        length = separator(text, at) if depth == 0 else 0
        if length:
            parts.append(text[start:at])
            start = at + length
            if len(parts) > limits.IMPORT_RECORD_VALUES_MAX:
                break
        at += length or 1
    return [*parts, text[start:]]


def _comma_at(text: str, at: int) -> int:
    return 1 if text[at] == "," else 0


def _space_at(text: str, at: int) -> int:
    return 1 if text[at] in " \t\n~" else 0


_AND: Final = re.compile(r"\s+and(?=\s)", re.IGNORECASE)


def _and_at(text: str, at: int) -> int:
    if not text[at].isspace():
        return 0
    found = _AND.match(text, at)
    return found.end() - at if found else 0


def _write_bibtex_name(name: Name) -> str:
    if name == OTHERS:
        return "others"
    if name.literal:
        return "{" + encode(name.literal) + "}"
    # BibTeX has one kind of particle; a round-trip field says which it was.
    particle = _protect(f"{name.dropping_particle} {name.non_dropping_particle}".strip())
    family = _protect(name.family, particle=bool(particle))
    given, suffix = _protect(name.given), _protect(name.suffix)
    last = f"{particle} {family}".strip()
    if not last:  # a name that begins with a comma is none to Biber
        return "{" + ", ".join(filter(None, (encode(name.given), encode(name.suffix)))) + "}"
    written = f"{last}, {given}" if given or " " in last else last
    if suffix:
        written = f"{last}, {suffix}, {given}"
    if written.count(",") > _COMMAS_MAX:
        # Biber counts the commas in braces too, unless the name begins and ends with one.
        first = f"{{{last}}}" if last[0] != "{" or last[-1] != "}" else last
        end = f"{{{given}}}" if given[:1] != "{" or given[-1] != "}" else given
        return ", ".join(filter(None, (first, suffix, end)))
    return "{0}" if written == "0" else written  # it takes the name 0 for none


def _protect(part: str, *, particle: bool = True) -> str:
    """The part in braces where its own commas, ``and`` or small letters would part it."""
    written = encode(part)
    split = "," in part or _SIMPLE_AND.search(f" {part} ") or part.lower() == "others"
    small = not particle and " " in part and _is_lower(part.strip().split(" ")[0])
    return "{" + written + "}" if split or small else written
