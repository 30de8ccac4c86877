"""The notes and annotations of a reference: how each is named, and all of them as objects.

A reference has any number of both. Each is fields of its own among the reference's others, so that
it merges, is undone and is imported as they are:

========================  ==================================================================
``note``                  the text of the first note
``note:ID``               the text of a further note
``note:ID:tags``          its tags; of the first note ``note:0:tags``
``annotation``            the comment of the first annotation
``annotation:ID``         the comment of a further annotation
``annotation:ID:type``    ``highlight``, ``underline``, ``note``, ``text``, ``image``, ``ink``;
                          in the same way ``text`` (what it marks), ``colour``, ``page``,
                          ``position`` (JSON of the program that made it), ``sort`` (its place in
                          the file), ``author``, ``file`` (the hash of the content that it is in,
                          or its name) and ``tags``
========================  ==================================================================

An id is 16 characters: eight that say when it was made, so that notes are in that order, and eight
that tell it from others of that moment. Knows nothing of documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from msgspec import Struct

from bifolio.ids import digest
from bifolio.lazy import pattern

NOTE: Final = "note"
ANNOTATION: Final = "annotation"

#: What stands for an id in the names of what the first note or annotation has next to its text.
FIRST: Final = "0"

TAGS: Final = "tags"

#: What a note and an annotation have next to their text.
ATTRIBUTES: Final = {
    NOTE: (TAGS,),
    ANNOTATION: (
        *("type", "text", "colour", "page", "position", "sort", "author", "file"),
        TAGS,
    ),
}

#: What is quoted of an annotation that marks no words.
_WITHOUT_WORDS: Final = {"image": "[a picture from the PDF]", "ink": "[a drawing on the PDF]"}

_PREFIXES: Final = (f"{NOTE}:", f"{ANNOTATION}:")

#: The digits of an id, in the order of their code points: an id is never taken for an option.
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TIME_LENGTH: Final = 8
_OWN_LENGTH: Final = 8

_PART = pattern(rf"({NOTE}|{ANNOTATION}):([0-9A-Za-z]{{16}}|{FIRST})(?::([a-z]+))?")
_OWN = pattern(r"[0-9A-Za-z]{8}")


class Part(NamedTuple):
    """What the name of a field says of a note or an annotation; ``attribute`` is empty for its
    text, ``id`` is ``FIRST`` for the first one."""

    kind: str
    id: str
    attribute: str

    @property
    def text_field(self) -> str:
        """The field of its text."""
        return text_field(self.kind, self.id)


class Note(Struct, frozen=True):
    """One note."""

    id: str
    text: str
    tags: tuple[str, ...] = ()


class Annotation(Struct, frozen=True):
    """One annotation of a file; empty is what it does not have."""

    id: str
    comment: str = ""
    type: str = ""
    text: str = ""
    colour: str = ""
    page: str = ""
    position: str = ""
    sort: str = ""
    author: str = ""
    file: str = ""
    tags: tuple[str, ...] = ()

    @property
    def lives(self) -> bool:
        """Whether there is anything of it but what an edit of a removed one left."""
        return bool(self.comment or self.type or self.text)

    def as_text(self) -> str:
        """All of it but its place: what it marks, quoted, with its page; the comment; its tags."""
        marked = self.text or _WITHOUT_WORDS.get(self.type, "")
        lines = [f"> {line}" for line in marked.splitlines()]
        comment = self.comment
        if self.page:
            if lines:
                lines[-1] += f" (p. {self.page})"
            else:
                comment = f"{comment} (p. {self.page})".strip()
        lines += [comment] if comment else []
        if self.tags:
            lines.append(" ".join(f"#{tag}" for tag in self.tags))
        return "\n".join(lines)


def is_part(name: str) -> bool:
    """Whether a field of this name may be of a note or an annotation that is not the first."""
    return name.startswith(_PREFIXES)


def read_part(name: str) -> Part | None:
    """What a field's name says; None of any other field, ``note`` and ``annotation`` too."""
    if not name.startswith(_PREFIXES):
        return None
    found = _PART.fullmatch(name)
    if found is None:
        return None
    kind, part_id, attribute = found.group(1), found.group(2), found.group(3) or ""
    if attribute:
        return Part(kind, part_id, attribute) if attribute in ATTRIBUTES[kind] else None
    return None if part_id == FIRST else Part(kind, part_id, "")


def text_field(kind: str, part_id: str) -> str:
    """The field of the text of a note or an annotation."""
    return kind if part_id == FIRST else f"{kind}:{part_id}"


def attribute_field(kind: str, part_id: str, attribute: str) -> str:
    """The field of what a note or an annotation has next to its text."""
    return f"{kind}:{part_id}:{attribute}"


def fields_of(kind: str, part_id: str) -> list[str]:
    """All fields that a note or an annotation may have, its text first."""
    others = [attribute_field(kind, part_id, one) for one in ATTRIBUTES[kind]]
    return [text_field(kind, part_id), *others]


def make_id(milliseconds: int, random: bytes) -> str:
    """The id of one that is made now.

    Args:
        milliseconds: since 1970.
        random: six random bytes.
    """
    return _digits(milliseconds) + _drawn(random[:6])


def imported_id(milliseconds: int, own: str) -> str:
    """The id of one out of another program's library: the same on every computer.

    Args:
        milliseconds: since 1970, when it was made there; of what nobody knows that, its place.
        own: what that library calls it, or what tells it from its record's others.
    """
    if _OWN.fullmatch(own) is None:
        hashed = digest(b"bifolio note", own.encode(errors="replace"), size=6)
        own = _drawn(hashed)
    return _digits(milliseconds) + own


def own_name(part_id: str) -> str:
    """What of an id is not when it was made; of an imported one, what its library called it."""
    return part_id[_TIME_LENGTH:]


def made_at(part_id: str) -> int | None:
    """When it was made, in milliseconds since 1970; None where the id does not say."""
    if len(part_id) != _TIME_LENGTH + _OWN_LENGTH:
        return None
    number = 0
    for digit in part_id[:_TIME_LENGTH]:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number if number > _PLACES else None


#: Below this many milliseconds, an id's time is a place in a file.
_PLACES: Final = 1_000_000


def notes_of(fields: Mapping[str, Any], first: object = None) -> list[Note]:
    """The notes of a reference, the first one first and the others as they were made.

    Args:
        fields: its fields, as values or as JSON.
        first: the text of the first one, where it is not among them.
    """
    ids = _ids(fields, NOTE)
    texts = {FIRST: fields.get(NOTE, first)} | {one: fields.get(f"{NOTE}:{one}") for one in ids}
    return [
        Note(one, text, _strings(fields.get(attribute_field(NOTE, one, TAGS))))
        for one, text in texts.items()
        if isinstance(text, str) and text
    ]


def annotations_of(fields: Mapping[str, Any]) -> list[Annotation]:
    """The annotations of a reference, by their places in its files.

    Args: as of ``notes_of``.
    """
    found: list[Annotation] = []
    parts = [name for name in fields if ":" in name]
    if not parts and ANNOTATION not in fields:
        return found
    for one in (FIRST, *_ids(fields, ANNOTATION)):
        said: dict[str, Any] = {"comment": _text(fields.get(text_field(ANNOTATION, one)))}
        for name in ATTRIBUTES[ANNOTATION]:
            value = fields.get(attribute_field(ANNOTATION, one, name))
            said[name] = _strings(value) if name == TAGS else _text(value)
        annotation = Annotation(one, **said)
        if annotation.lives:
            found.append(annotation)
    return sorted(found, key=lambda one: (one.id != FIRST, one.file, one.sort, one.id))


def annotations_text(fields: Mapping[str, Any]) -> str:
    """All annotations of a reference as one text.

    Args: as of ``notes_of``.
    """
    return "\n\n".join(filter(None, (one.as_text() for one in annotations_of(fields))))


def _ids(fields: Mapping[str, Any], kind: str) -> list[str]:
    parts = [read_part(name) for name in fields if ":" in name]
    return sorted({one.id for one in parts if one and one.kind == kind and one.id != FIRST})


def _digits(number: int) -> str:
    """A number in eight digits; one that has more is the greatest that has eight."""
    number = min(max(number, 0), len(_DIGITS) ** _TIME_LENGTH - 1)
    digits = ""
    for _ in range(_TIME_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def _drawn(random: bytes) -> str:
    """Random bytes in eight digits: six hold more than these, and what is above begins anew."""
    return _digits(int.from_bytes(random, "big") % len(_DIGITS) ** _OWN_LENGTH)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else ()
