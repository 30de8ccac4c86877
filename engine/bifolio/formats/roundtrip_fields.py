"""Round-trip fields: how a value travels in a format that has no place for it, and comes back.

Each has a name and a text. In BibTeX it is a field of that name, in RIS an ``N1`` line
``name: text``; the names are ``x-<format>-<tag>`` for an extra field ``x.<format>.<tag>``,
``x--<name>`` for an extra field of the user's own, and ``x-csl-<variable>`` for a field of the
typed core. The text of ``x-csl-*`` is what the reader takes, whatever the other tags say; an
empty one says that the field is empty. May not know any format's syntax.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from bifolio.records.canonical import canonical_json
from bifolio.records.dates import is_date
from bifolio.records.fields import EXTRA_PREFIX, FORMS, Form, is_extra
from bifolio.records.names import Name
from bifolio.records.reference import Value, value_to_json

_CORE: Final = "csl"

#: Characters that a round-trip field's name holds as they are; others are written ``!hex!``.
_UNSAFE = re.compile(r"[^A-Za-z0-9._/+@-]")
_ESCAPED = re.compile(r"!([0-9a-f]{1,6})!")
_ROUNDTRIP = re.compile(r"x-(?:-(?P<own>.+)|(?P<format>[A-Za-z0-9_.]+)-(?P<tag>.+))")

#: A text that is safe to write plainly: one line, no space at an end, none doubled.
_PLAIN = re.compile(r'(?!["\s])(?!.*\s\s)(?:[^\n\t\r\x00-\x1f\x7f-\x9f\u2028\u2029]*\S)?')

#: Says that the round-trip field empties its field.
RESTORE_CLEARED: Final[tuple[str, ...]] = ("\x00cleared",)


@dataclass(frozen=True, slots=True)
class RestoredField:
    """What a round-trip field says: the field, its value, and whether it adds to what is there."""

    field: str
    value: Any
    append: bool = False


def roundtrip_name(field: str) -> str:
    """The round-trip field's name for a field."""
    if not is_extra(field):
        return f"x-{_CORE}-{field}"
    family, dot, tag = field[len(EXTRA_PREFIX) :].partition(".")
    if dot and family and tag and family != _CORE and "-" not in family:
        return f"x-{_escape(family)}-{_escape(tag)}"
    return f"x--{_escape(field[len(EXTRA_PREFIX) :])}"


def roundtrip_texts(field: str, value: Value | None) -> list[str]:
    """The texts that say a field: one for a core field, one per string for an extra field."""
    if is_extra(field) and isinstance(value, tuple):
        return [_quote(item) for item in value if isinstance(item, str)]
    if value is None:
        return [""]
    if isinstance(value, str):
        return [_quote(value)]
    return [canonical_json(value_to_json(value))]


def restore(name: str, text: str) -> RestoredField | None:
    """What the round-trip field says, or nothing if it is not one of ours."""
    found = _ROUNDTRIP.fullmatch(name)
    if found is None:
        return None
    if found["own"]:
        return _restore_extra(_unescape(found["own"]), text)
    family, tag = _unescape(found["format"]), _unescape(found["tag"])
    if family != _CORE:
        return _restore_extra(f"{family}.{tag}", text)
    # What belongs to a library is no file's to give: an element names a content by its hash.
    form = FORMS.get(tag) if tag not in ("groups", "files") else None
    return None if form is None else _restore_core(tag, form, text)


def _restore_extra(rest: str, text: str) -> RestoredField | None:
    read = _unquote(text)
    if not isinstance(read, str):
        return None
    return RestoredField(EXTRA_PREFIX + rest, (read,), append=True)


def _restore_core(field: str, form: Form, text: str) -> RestoredField | None:
    if text == "":
        return RestoredField(field, RESTORE_CLEARED)
    if form in (Form.STRING, Form.TEXT):
        read = _unquote(text)
        return RestoredField(field, read) if isinstance(read, str) else None
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError):
        return None
    value = core_value(form, stored)
    return None if value is None else RestoredField(field, value)


def core_value(form: Form, stored: object) -> Value | None:
    """The value of this form that the JSON holds; nothing for JSON of another shape."""
    if not _is_encodable(stored):
        return None
    if form in (Form.STRING, Form.TEXT):
        return stored if isinstance(stored, str) and stored else None
    if form is Form.DATE:
        return stored if isinstance(stored, dict) and is_date(stored) else None
    if not isinstance(stored, list) or not stored:
        return None
    if form is Form.NAMES:
        names = tuple(Name.from_csl(one) for one in stored if isinstance(one, dict))
        return names if len(names) == len(stored) else None
    return tuple(stored) if all(isinstance(one, str) for one in stored) else None


def _quote(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text else json.dumps(text, ensure_ascii=False)


def _unquote(text: str) -> str | None:
    if not text.startswith('"'):
        return text
    try:
        read = json.loads(text)
    except ValueError:
        return text
    return read if isinstance(read, str) and _is_encodable(read) else None


def _is_encodable(stored: object) -> bool:
    """Whether no lone surrogate and no NUL hides in the JSON: the documents hold neither."""
    try:
        written = json.dumps(stored, ensure_ascii=False)
        written.encode("utf-8")
    except (UnicodeEncodeError, RecursionError):
        return False
    return "\\u0000" not in written


def _escape(part: str) -> str:
    return _UNSAFE.sub(lambda found: f"!{ord(found.group()):x}!", part)


def _unescape(part: str) -> str:
    def character(found: re.Match[str]) -> str:
        code = int(found.group(1), 16)
        allowed = 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
        return chr(code) if allowed else found.group()

    return _ESCAPED.sub(character, part)
