"""References as Zotero's interfaces write items, and such items as values of references.

What ``fields_of_item`` writes ``values_of_item`` reads back: a field that Zotero's type lacks
travels as a line of *extra*, as Zotero itself reads such lines. What of *extra* is no such line is
kept in an extra field of ours, so that it comes back as it was written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from bifolio.formats.mapping.zotero import BY_TYPE, CSL_TYPES, FIELD_OF, ROLE_OF, TYPES
from bifolio.formats.mapping.zotero_types import CREATORS, FIELDS
from bifolio.formats.zotero import items
from bifolio.formats.zotero.json_items import source
from bifolio.records.dates import date_text
from bifolio.records.fields import FORMS, Form, is_extra
from bifolio.records.names import Name
from bifolio.records.reference import Values

_X: Final = "x.zotero."
#: What of *extra* says no field.
FREE_TEXT: Final = "x.zotero.extra"
#: Zotero's type, where it has several for one of CSL's and this is not the first.
_TYPE: Final = "x.zotero.itemType"
_OWN_TYPE: Final = {row.csl: row.zotero.split()[0] for row in TYPES}

#: What is shown elsewhere in an item, or is ours alone.
_NOT_SAID: Final = frozenset(
    "title abstract note annotation tags groups files citation-key citation-key-aliases "
    "citation-key-pinned type merged-into shown-on".split()
)
_CREATOR_LINE: Final = re.compile(r"\s*([A-Za-z -]+?)\s*:\s*(.*\S)\s*\|\|\s*(.*?)\s*")
_SLASHED: Final = re.compile(r"\d{4}(?:/\d{1,2}){0,2}")
_PLAIN_NAME: Final = {"family", "given"}
_ROLES: Final = {field: field for field, form in FORMS.items() if form is Form.NAMES}


def item_type(csl_type: str, fields: Mapping[str, Any]) -> str:
    """Zotero's type of a reference of a CSL type."""
    kept = fields.get(_TYPE)
    if isinstance(kept, list) and kept and CSL_TYPES.get(str(kept[0])) == csl_type:
        return str(kept[0])
    return _OWN_TYPE.get(csl_type, "document")


def fields_of_item(csl_type: str, fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The type, the fields and the creators of an item.

    Args:
        fields: CSL-JSON's, with title and abstract.
        key: the citation key; empty for none.
    """
    kind = item_type(csl_type, fields)
    said: set[str] = set()
    empty, names, own_names = _empty_item(kind)
    data = empty.copy()
    data["creators"] = _creators(kind, fields, said)
    if own_names.isdisjoint(fields):
        for field, value in fields.items():
            name = names.get(field)
            if name is not None and field not in said:
                data[name] = value if type(value) is str else _text(value, name)
                said.add(field)
    else:
        _fill_with_own(data, kind, fields, said)
    data["citationKey"] = key
    data["extra"] = "\n".join(_lines(csl_type, kind, fields, said))
    return data


def _fill_with_own(
    data: dict[str, Any], kind: str, fields: Mapping[str, Any], said: set[str]
) -> None:
    """Fill in the fields of an item some of which keep a value under a name of their own: theirs
    goes before what several of Zotero's names share."""
    for name, field, own in _fields_of(kind):
        if own in fields:
            data[name] = _text(fields[own])
            said.add(own)
        elif field in fields and field not in said:
            data[name] = _text(fields[field], name)
            said.add(field)


@cache
def _empty_item(kind: str) -> tuple[dict[str, Any], dict[str, str], frozenset[str]]:
    """An item of a type with nothing in it; the name that each field of ours has there, the first
    where there are several; and the fields that keep a value under a name of their own."""
    known = _fields_of(kind)
    first, *others = [name for name, _, _ in known]
    # After the title come the creators, as Zotero has it.
    empty: dict[str, Any] = {"itemType": kind, first: "", "creators": []}
    empty |= dict.fromkeys([*others, "citationKey", "extra"], "")
    names: dict[str, str] = {}
    for name, field, _ in known:
        names.setdefault(field, name)
    return empty, names, frozenset(own for _, _, own in known)


@cache
def _fields_of(kind: str) -> tuple[tuple[str, str, str], ...]:
    """Of each field of a type: its name, the field that it is here, and the extra field of its
    name. *Extra* is made of what is left."""
    return tuple(
        (name, BY_TYPE.get((kind, name)) or FIELD_OF.get(name, ("", 0))[0], _X + name)
        for name in FIELDS[kind]
        if name not in ("citationKey", "extra")
    )


def values_of_item(data: Mapping[str, Any]) -> Values:
    """The values of an item, without its notes, its files and its place in the library."""
    kind = str(data.get("itemType") or "document")
    given = {name: _read_date(name, one) for name, one in data.items()}
    extra = str(given.pop("extra", None) or "")
    made = source({**given, "itemType": kind, "notes": [], "attachments": []})
    values = dict(items.trace(made, None).values)
    free: list[str] = []
    for line in extra.splitlines():
        if (found := _CREATOR_LINE.fullmatch(line)) and (role := _field(found[1])) in _ROLES:
            kept = values.get(role, ())
            name = Name(family=found[2], given=found[3])
            values[role] = (*(kept if isinstance(kept, tuple) else ()), name)
        else:
            said = items.said_by(line)
            if said is None:
                free.append(line)
            else:
                values[said[0]] = said[1]
    values.pop("note", None)
    if text := "\n".join(free).strip():
        values[FREE_TEXT] = (text,)
    if _OWN_TYPE.get(str(values["type"])) != kind and CSL_TYPES.get(kind) == values["type"]:
        values[_TYPE] = (kind,)
    return values


def note_html(text: str) -> str:
    """A text as a note of Zotero's, whose paragraphs are HTML."""
    paragraphs = [one for one in re.split(r"\n{2,}", text.strip()) if one]
    return "".join(f"<p>{'<br/>'.join(map(_marked, one.splitlines()))}</p>" for one in paragraphs)


def creator_summary(fields: Mapping[str, Any]) -> str:
    """The names under which a list shows a work: ``Doe``, ``Doe and Roe``, ``Doe et al.``."""
    for role in ("author", "editor", *_ROLES):
        names = fields.get(role)
        if isinstance(names, list) and names and isinstance(names[0], dict):
            shown = [str(one.get("literal") or one.get("family") or "") for one in names]
            if len(shown) > 2:
                return f"{shown[0]} et al."
            return " and ".join(shown)
    return ""


def _creators(kind: str, fields: Mapping[str, Any], said: set[str]) -> list[dict[str, str]]:
    found = []
    for role in CREATORS[kind]:
        field = ROLE_OF[role]
        if field in said or not isinstance(fields.get(field), list):
            continue
        said.add(field)
        found += [{"creatorType": role, **_name(one)} for one in fields[field]]
    return found


def _name(parts: Any) -> dict[str, str]:
    if type(parts) is dict and parts.keys() == _PLAIN_NAME:  # nearly all are
        return {"firstName": str(parts["given"]), "lastName": str(parts["family"]).strip()}
    name = Name.from_csl(parts if isinstance(parts, dict) else {"literal": str(parts)})
    if name.literal:
        return {"name": name.literal}
    particles = " ".join(p for p in (name.dropping_particle, name.non_dropping_particle) if p)
    given = ", ".join(part for part in (name.given, name.suffix) if part)
    return {"firstName": given, "lastName": f"{particles} {name.family}".strip()}


def _lines(csl_type: str, kind: str, fields: Mapping[str, Any], said: set[str]) -> Iterator[str]:
    """What the type has no field for, as lines of *extra*; then its free text."""
    if CSL_TYPES.get(kind) != csl_type:
        yield f"Type: {csl_type}"
    for name, value in fields.items():
        if name in said or name in _NOT_SAID or is_extra(name) or not value:
            continue
        words = name if name.isupper() else name.replace("_", "-").replace("-", " ").title()
        if FORMS.get(name) is Form.NAMES:
            for one in value:
                parts = _name(one)
                given = parts.get("firstName", "")
                yield f"{words}: {parts.get('name') or parts.get('lastName', '')} || {given}"
        elif name in FORMS:
            yield f"{words}: {_text(value, name)}"
    free = fields.get(FREE_TEXT)
    if isinstance(free, list):
        yield from (str(one) for one in free)


def _text(value: Any, name: str = "") -> str:
    if isinstance(value, dict):
        return date_text(value)
    if isinstance(value, list):
        texts = [str(one) for one in value]
        return texts[0] if name == "url" and texts else " ".join(texts)
    return str(value)


def _field(words: str) -> str:
    return "-".join(words.lower().split())


def _read_date(name: str, value: Any) -> Any:
    """A date as clients write it: Zotero's Connector sends ``2026/11/30``."""
    form = FORMS.get(FIELD_OF.get(name, ("", 0))[0])
    if form is Form.DATE and isinstance(value, str) and _SLASHED.fullmatch(value.strip()):
        year, *rest = value.strip().split("/")
        return "-".join([year, *(f"{int(one):02d}" for one in rest)])
    return value


def _marked(line: str) -> str:
    """A line with its markup; anything else that looks like HTML is text."""
    return re.sub(r"&lt;(/?(?:i|b|u|sub|sup))&gt;", r"<\1>", html.escape(line, quote=False))
