"""CSL-JSON: items to values and back, for every program that formats citations.

A tag is a variable and its raw value the JSON text; the members of ``custom`` are tags of their
own, ``custom/<name>``. A list becomes the string that CSL wants; what CSL has no variable for, or
not in that shape, goes into ``custom``, from where it is restored. May know CSL's schema, not
files or the other formats.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from msgspec.structs import replace

from bifolio.formats.bounds import split_list
from bifolio.formats.csl import answers
from bifolio.formats.csl.dates import csl_date
from bifolio.formats.entities import escape, unescape
from bifolio.formats.field_collector import FieldCollector, MappedRecord
from bifolio.formats.identifiers import doi_of, split_identifiers, split_urls
from bifolio.formats.mapping.fields import CSL_JSON_FIELDS, WRITTEN_FIELDS
from bifolio.formats.mapping.fields import FIELDS as ROWS
from bifolio.formats.mapping.types import UNKNOWN_TYPE
from bifolio.formats.names import parse_plain_name
from bifolio.formats.roundtrip_fields import RESTORE_CLEARED, RestoredField, core_value
from bifolio.records.canonical import canonical_json, read_json
from bifolio.records.fields import FIELDS, FORMS, Form, is_extra
from bifolio.records.names import Name
from bifolio.records.people import OTHERS, split_people
from bifolio.records.reference import ImportedBlocks, Source, Value, Values, value_to_json

Tags = list[tuple[str, str]]

_EXTRA: Final = "x.csl-json."
_CUSTOM: Final = "custom/"

_QUOTES: Final = (('"', '"'), ("“", "”"))
_KEYWORDS: Final = re.compile(r"[,;]")

#: Fields that are ours: CSL 1.0.2 has no variable of the name.
_NOT_CSL: Final = frozenset(row.field for row in ROWS if row.csl_json == "(custom)") | {
    "citation-key-pinned",
    "files",
    "part",
    "rating",
    "read-status",
    "translated-container-title",
}

#: An id that is a word of somebody's own choice; not our record ids, numbers or addresses.
_KEY: Final = re.compile(r"(?![0-9a-f]{32}$)(?!\d+$)(?!\w+://)\S+")

#: Made once: ``json.dumps`` makes one for each call that wants anything else than ASCII.
_to_json: Final = json.JSONEncoder(ensure_ascii=False).encode

#: An escaped NUL; an escaped backslash before the letters is none.
_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


# --- reading ---------------------------------------------------------------------------------


def is_item(value: Any) -> bool:
    """Whether the JSON value says anything that CSL has a variable for."""
    if not isinstance(value, dict):
        return False
    known = (FIELDS.keys() | CSL_JSON_FIELDS.keys() | {"custom"}) - _NOT_CSL
    return not known.isdisjoint(value)


def source(item: dict[str, Any]) -> Source:
    """The source of one item."""
    tags: Tags = []
    for name, value in item.items():
        if name == "type" and isinstance(value, str):
            continue
        if name == "id" and isinstance(value, str):
            continue
        if name == "custom" and isinstance(value, dict) and value:
            tags += [(_CUSTOM + member, _json(inner)) for member, inner in value.items()]
        else:
            tags.append((name, _json(value)))
    kind, own_id = item.get("type", ""), item.get("id", "")
    shown_id = str(own_id) if isinstance(own_id, str | int) else ""
    return Source("csl-json", kind if isinstance(kind, str) else "", shown_id, tuple(tags))


def trace(source: Source, blocks: ImportedBlocks | None) -> MappedRecord:
    """The values of an item and which fields each variable fed."""
    del blocks
    collector = FieldCollector(len(source.tags))
    collector.derive("type", answers.csl_type(source.type))
    if _KEY.fullmatch(source.id):
        collector.derive("citation-key", source.id)
    values = [_read(raw) for _, raw in source.tags]
    given = {tag: value for (tag, _), value in zip(source.tags, values, strict=True)}
    answer = answers.is_answer(source.type, given)
    for index, ((tag, _), value) in enumerate(zip(source.tags, values, strict=True)):
        if answer and tag in ("title", "subtitle"):
            title = answers.whole_title(given.get("title"), given.get("subtitle"))
            collector.candidate(index, "title", unescape(title))
        elif answer and tag == "container-title" and answers.is_in_a_series(source.type, value):
            # The series comes first, as "Lecture Notes in Computer Science" does.
            collector.candidate(index, "collection-title", unescape(value[0]), rank=1)
            collector.candidate(index, tag, unescape(value[-1]))
        elif answer and tag == "journal-issue" and isinstance(value, dict) and value.get("issue"):
            collector.candidate(index, "issue", str(value["issue"]), rank=1)
        elif answer and tag == "article-number" and isinstance(value, str):
            collector.candidate(index, tag, value)
        elif answer and tag in ("event", "institution"):
            _gather_body(collector, index, tag, value)
        elif tag.startswith(_CUSTOM):
            _gather_custom(collector, index, tag.removeprefix(_CUSTOM), value)
        elif tag not in ("id", "type"):
            _gather(collector, index, tag, value)
    return collector.finish()


def is_own_shape(source: Source) -> bool:
    """Whether an item is CSL as its schema has it, so that its own text can be written again."""
    return not answers.is_answer(source.type, {tag: _read(raw) for tag, raw in source.tags})


def _gather_body(collector: FieldCollector, index: int, tag: str, value: Any) -> None:
    """Crossref's objects for a meeting and for who published a thesis or a report."""
    said = value[0] if isinstance(value, list) and value else value
    name, place = (
        (said.get("name"), said.get("location", said.get("place")))
        if isinstance(said, dict)
        else (said, None)
    )
    fields = ("event-title", "event-place") if tag == "event" else ("publisher", "publisher-place")
    for field, text in zip(fields, (name, place), strict=True):
        if found := answers.first_text(text):
            collector.candidate(index, field, found, rank=5, extra=_EXTRA + tag)
    if not answers.first_text(name):
        _gather_extra(collector, index, _EXTRA + tag, value)


def _read(raw: str) -> Any:
    try:
        return read_json(raw)
    except (ValueError, RecursionError):
        return raw


def _json(value: Any) -> str:
    """The value's JSON text, without a lone surrogate or NUL, which no document holds."""
    text = _to_json(value)
    if "\\u0000" in text:
        text = _NUL.sub(r"\1", text)
    return text if text.isascii() else text.encode("utf-8", errors="replace").decode("utf-8")


def _gather(collector: FieldCollector, index: int, tag: str, value: Any) -> None:
    """Give one variable to its field, or to an extra one if it has another shape."""
    field, rank = answers.FIELDS.get(tag) or CSL_JSON_FIELDS.get(tag, (tag, 0))
    form = FORMS.get(field) if field not in _NOT_CSL else None
    if form is None or field == "type":
        _gather_extra(collector, index, _EXTRA + tag, value)
        return
    value = _plain(value)
    if form is Form.NAMES:
        names, others = _names(value)
        for name in names:
            collector.append(index, field, name)
        if others or not names:
            _gather_extra(collector, index, _EXTRA + tag, others or value)
    elif form is Form.DATE:
        date, whole = csl_date(value)
        if date:
            extra = _EXTRA + tag if field != tag else ""
            collector.candidate(index, field, date, rank=rank, extra=extra)
        if not whole:
            _gather_extra(collector, index, _EXTRA + tag, value)
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        _gather_texts(collector, index, tag, value)
    elif not isinstance(value, str | int | float) or isinstance(value, bool):
        _gather_extra(collector, index, _EXTRA + tag, value)
    elif form is Form.STRINGS:
        for part in _parts(field, str(value)):
            collector.append(index, field, part)
    elif form is Form.TEXT:
        text = str(value)
        collector.append(
            index, field, answers.plain_abstract(text) if field == "abstract" else text
        )
    else:
        text = doi_of(str(value)) if field == "DOI" else str(value)
        collector.candidate(index, field, text, rank=rank, extra=_EXTRA + tag)


def _plain(value: Any) -> Any:
    """The value with characters in place of HTML's entities, and a whole number where a program
    wrote one with a point (``12.0``)."""
    if isinstance(value, str):
        return unescape(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _escaped(value: Any) -> Any:
    """A value that ``_plain`` turns into this one."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [_escaped(one) for one in value]
    if isinstance(value, dict):
        return {name: _escaped(one) for name, one in value.items()}
    return value


def _gather_texts(collector: FieldCollector, index: int, tag: str, texts: list[str]) -> None:
    """A list of texts: all of them for a set, the first for a field of one text."""
    field, rank = answers.FIELDS.get(tag) or CSL_JSON_FIELDS.get(tag, (tag, 0))
    if FORMS[field] in (Form.STRINGS, Form.TEXT):
        for text in texts:
            for part in _parts(field, text) if field != "tags" else [text.strip()]:
                collector.append(index, field, part)
        return
    kept = [text for text in texts if text.strip()]
    for number, text in enumerate(kept):
        if number == 0:
            text = doi_of(text) if field == "DOI" else text
            collector.candidate(index, field, text, rank=rank, extra=_EXTRA + tag)
        else:
            collector.append(index, _EXTRA + tag, text)


def _gather_custom(collector: FieldCollector, index: int, name: str, value: Any) -> None:
    """Restore what an export of ours put into ``custom``; keep what others did."""
    form = FORMS.get(name)
    if form is not None and name not in ("groups", "files"):
        restored = RESTORE_CLEARED if value is None else core_value(form, value)
        if restored is not None:
            collector.restore(index, RestoredField(name, restored))
            return
    own = is_extra(name) and isinstance(value, list)
    _gather_extra(collector, index, name if own else f"{_EXTRA}{_CUSTOM}{name}", value)


def _gather_extra(collector: FieldCollector, index: int, field: str, value: Any) -> None:
    """The strings of a value that has no field; other JSON as its text."""
    for one in value if isinstance(value, list) else [value]:
        collector.append(index, field, one if isinstance(one, str) else _json(one))


def _names(value: Any) -> tuple[list[Name], list[Any]]:
    """(the names of a list, or of what should be one: an object, or a text; what in it says
    something, and is no name)."""
    if isinstance(value, str):
        value = split_people(value)
    elif isinstance(value, dict):
        value = [value]
    elif not isinstance(value, list):
        return [], []
    names: list[Name] = []
    others: list[Any] = []
    for one in value:
        name = _name(one) if isinstance(one, dict | str) else Name()
        if name != Name():
            names.append(name)
        elif any(one.values()) if isinstance(one, dict) else one and not isinstance(one, str):
            others.append(one)
    return names, others


#: The parts of a name as programs of JavaScript call them, Zotero's among them.
_OTHER_PARTS: Final = {
    "lastName": "family", "firstName": "given", "last": "family", "first": "given",
    "last_name": "family", "first_name": "given",
    "family-names": "family", "given-names": "given",
}  # fmt: skip
_OTHERS: Final = frozenset({"et al.", "et al", "and others"})


def _name(value: dict[str, Any] | str) -> Name:
    """A name's object; Crossref's ``name`` is a body's, and marks round a family name only keep a
    program from taking its particles off. A text is read as people write it."""
    if isinstance(value, str):
        return parse_plain_name(value)
    name = Name.from_csl(value)
    if name.literal.lower() in _OTHERS:
        return OTHERS
    if name == Name():
        parts = {part: value[other] for other, part in _OTHER_PARTS.items() if value.get(other)}
        if parts:
            return Name.from_csl(parts)
        if isinstance(body := value.get("name"), str):
            return Name(literal=" ".join(body.split()))
    family = name.family.strip()
    if len(family) > 2 and (family[0], family[-1]) in _QUOTES:
        return replace(name, family=family[1:-1].strip())
    return name


def _parts(field: str, text: str) -> list[str]:
    if field == "tags":
        return [part.strip() for part in split_list(_KEYWORDS, unescape(text)) if part.strip()]
    if field == "URL":
        return split_urls(text)
    return split_identifiers(answers.bare_isbn(text) if field == "ISBN" else text)


# --- writing ---------------------------------------------------------------------------------


def written_type(values: Values, dialect: str) -> str:
    """CSL's types are ours."""
    del dialect
    return str(values.get("type", UNKNOWN_TYPE))


def own_id(values: Values, reference: str) -> str:
    """The item's id: the citation key, or the record's."""
    return str(values.get("citation-key") or reference)


def emit(field: str, values: Values, dialect: str, kind: str) -> Tags:
    """The variables that say a field, and its full form in ``custom`` where CSL has one string."""
    del dialect, kind
    value = values[field]
    if field == "citation-key":
        return []  # it is the id
    if is_extra(field):
        return _emit_extra(field, value)
    if field not in FIELDS or field in _NOT_CSL:
        return carry(field, value)
    stored = _escaped(value_to_json(value))
    name = WRITTEN_FIELDS["csl_json"].get(field, field)
    if FORMS[field] is not Form.STRINGS:
        return [(name, _json(stored))]
    text = ", ".join(stored) if field == "tags" else stored[0]
    return [
        (name, _json(text)),
        *(carry(field, value) if _parts(field, text) != value_to_json(value) else []),
    ]


def _emit_extra(field: str, value: Value) -> Tags:
    name = field.removeprefix(_EXTRA)
    plain = name.removeprefix(_CUSTOM)
    taken = plain in FIELDS or plain in CSL_JSON_FIELDS or plain in ("", "id", "custom")
    if name == field or taken or is_extra(plain) or not isinstance(value, tuple):
        return carry(field, value)
    return [(name, _json(value[0] if len(value) == 1 else list(value)))]


def carry(field: str, value: Value | None) -> Tags:
    """The field's member of ``custom``; null says that it is empty."""
    return [(_CUSTOM + field, "null" if value is None else canonical_json(value_to_json(value)))]


def render(source: Source) -> str:
    """One item of the array, indented by two spaces."""
    written: dict[str, Any] = {"id": source.id, "type": source.type or UNKNOWN_TYPE}
    custom: dict[str, Any] = {}
    for tag, raw in source.tags:
        if tag.startswith(_CUSTOM):
            custom[tag.removeprefix(_CUSTOM)] = _read(raw)
        else:
            written[tag] = _read(raw)
    if not source.id and "id" not in dict(source.tags):
        del written["id"]
    if not source.type:
        del written["type"]
    if custom:
        written["custom"] = custom
    text = json.dumps(written, ensure_ascii=False, indent=2)
    return "\n".join("  " + line for line in text.split("\n"))
