"""How a reference, a conflict or a value reads to a person: JSON objects in, lines of text out.

Pure; knows the JSON shapes of docs/cli.md and nothing of terminals but that control characters
never reach one.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from bifolio.records.dates import date_text, date_year
from bifolio.records.fields import COPY_ORIGIN
from bifolio.records.names import Name
from bifolio.records.notes import FIRST
from bifolio_cli.text.safe_text import escape_line

#: The fields that a reader looks for first, in this order; the others follow by name.
_FIRST_FIELDS = (
    "title author editor translator container-title collection-title volume issue page "
    "article-number edition issued publisher publisher-place DOI ISBN ISSN PMID URL language"
).split()

_SIZE_UNITS = ("kB", "MB", "GB", "TB")

#: As much of an id as tells references apart.
ID_SHOWN_LENGTH = 12

#: Long texts come last, so that they do not push the facts off the screen.
_LAST_FIELDS = "abstract annotation note".split()


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 reference``, ``5,735 references``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size_text(size_bytes: int) -> str:
    """``812 bytes``, ``1.4 MB``: in powers of a thousand, as file managers count."""
    if size_bytes < 1000:
        return count(size_bytes, "byte")
    size = size_bytes / 1000
    for unit in _SIZE_UNITS[:-1]:
        if size < 999.95:
            return f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} {_SIZE_UNITS[-1]}"


def value_text(value: object) -> str:
    """One value of any field as a person writes it: names joined by ``; ``, dates in EDTF."""
    if value is None:
        return "(cleared)"
    if isinstance(value, Mapping):
        return _object_text(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(value_text(member) for member in value)
    return str(value)


def reference_name(reference: Mapping[str, Any]) -> str:
    """What a reference is called: its citation key, or its id where that was cleared."""
    return str(reference["key"] or reference["id"])


def reference_lines(reference: Mapping[str, Any]) -> Iterator[str]:
    """One reference in full: its name, then a field per line, then its conflicts."""
    trashed = "   in the trash" if reference["trashed"] else ""
    key = f"{reference['key']}   " if reference["key"] else ""
    yield f"{key}({reference['type']})   {reference['id']}{trashed}"
    if reference.get("deleted_by"):
        yield f"  deleted by {reference['deleted_by']}; shown until you confirm it"
    if reference["merged_into"]:
        yield f"  merged into {reference['merged_into']}"
    if reference["same_key"]:
        yield f"  same citation key: {', '.join(reference['same_key'])}"
    conflicts: Sequence[Mapping[str, Any]] = reference["conflicts"]
    disputed = {conflict["field"] for conflict in conflicts}
    fields: Mapping[str, Any] = reference["fields"]
    notes: Sequence[Mapping[str, Any]] = reference.get("notes", ())
    annotations: Sequence[Mapping[str, Any]] = reference.get("annotations", ())
    apart = ["note"] * bool(notes) + ["annotation"] * _are_objects(annotations)
    origin: Mapping[str, Any] | None = reference.get("copied_from")
    apart += [COPY_ORIGIN] * (origin is not None)
    for name in _ordered(fields):
        if name not in apart:
            yield from _field_lines(name, fields[name], disputed=name in disputed)
    for note in notes:
        label = "note" if len(notes) == 1 else f"note {note['n']}"
        yield from _part_lines(label, note["text"], note, disputed)
    for one in annotations if "annotation" in apart else ():
        where = ", ".join(filter(None, (one["type"], one["page"] and f"p. {one['page']}")))
        label = f"annotation {one['n']}" + (f" ({where})" if where else "")
        marked = [f"> {line}" for line in one["text"].split("\n") if one["text"]]
        text = "\n".join([*marked, *filter(None, (one["comment"],))])
        yield from _part_lines(label, text, one, disputed)
    for name in ("tags", "groups", "files"):
        if reference[name]:
            yield from _field_lines(name, reference[name], disputed=name in disputed)
    if origin is not None:
        yield f"  {_origin_text(origin)}"
    for name in reference.get("lost_files", ()):
        yield f"  no computer is known to have the file {name}"
    for conflict in conflicts:
        yield ""
        yield from conflict_lines(conflict)


def conflict_lines(conflict: Mapping[str, Any]) -> Iterator[str]:
    """One conflict: the values by number, 1 being the one shown, and how to resolve it."""
    key, field = conflict["key"] or conflict["ref"], conflict["field"]
    of_group = conflict.get("of") == "group"
    if conflict["kind"] == "revived":
        name = f"group {key}" if of_group else key
        yield f"{name}: deleted and edited at the same time; it was restored"
    else:
        yield f"{key}: {field} has {count(len(conflict['values']), 'value')}"
    for value in conflict["values"]:
        who = ", ".join(filter(None, (value["by"] or "unknown", value["at"])))
        before = f"  {value['n']:>3}  "
        yield from _set_in(before, value_text(value["value"]), f"   ({who})", margin="       ")
    if conflict["kind"] == "revived":
        verb, name = "group " if of_group else "", shlex.quote(key)
        yield f"  resolve it: bifolio {verb}restore {name}  or  bifolio {verb}delete {name}"
    else:
        both = " (--take 1 --take 2 keeps both)" if conflict["kind"] == "text" else ""
        words = f"{shlex.quote(key)} {shlex.quote(field)}"
        yield f"  resolve it: bifolio resolve {words} --take N{both}"


def summary_cells(reference: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """One row of a list: key, year, first names, title, each on one line."""
    fields = reference["fields"]
    issued = fields.get("issued")
    year = date_year(issued) if isinstance(issued, dict) else None
    by = reference.get("deleted_by")
    deleted = f" (deleted by {by}, not confirmed)" if by else ""
    cells = (
        reference_name(reference),
        str(year) if year is not None else "",
        _creators_in_short(fields),
        str(fields.get("title", "")) + deleted,
    )
    key, year_text, creators, title = (escape_line(" ".join(cell.split())) for cell in cells)
    return key, year_text, creators, title


def _ordered(fields: Mapping[str, Any]) -> list[str]:
    rank = {name: place for place, name in enumerate(_FIRST_FIELDS)}
    last = {name: place for place, name in enumerate(_LAST_FIELDS)}

    def order(name: str) -> tuple[int, int, str]:
        if name in last:
            return (3, last[name], name)
        if name.startswith("x."):
            return (2, 0, name)
        return (0, rank[name], name) if name in rank else (1, 0, name)

    return sorted((name for name in fields if name not in ("type", "citation-key")), key=order)


def _origin_text(origin: Mapping[str, Any]) -> str:
    """``Copied from Thesis (doe2020), on 2026-11-30.``"""
    library = origin["library"] or f"the library {origin['library_id'][:ID_SHOWN_LENGTH]}"
    at = f", on {origin['at'][:10]}" if origin["at"] else ""
    name = origin["key"] or origin["id"][:ID_SHOWN_LENGTH]
    return f"Copied from {library} ({name}){at}."


def _are_objects(annotations: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any is more than the text of the field."""
    return any(one["id"] != FIRST or one["type"] for one in annotations)


def _part_lines(
    label: str, text: str, part: Mapping[str, Any], disputed: Collection[str]
) -> Iterator[str]:
    """A note or an annotation, with its tags behind it."""
    after = f"   [{', '.join(part['tags'])}]" if part["tags"] else ""
    after += "   [conflict]" if part["field"] in disputed else ""
    yield from _set_in(f"  {label}: ", text, after, margin="    ")


def _field_lines(name: str, value: object, *, disputed: bool) -> Iterator[str]:
    mark = "   [conflict]" if disputed else ""
    yield from _set_in(f"  {name}: ", value_text(value), mark, margin="    ")


def _set_in(before: str, text: str, after: str, *, margin: str) -> Iterator[str]:
    """A text of one or several lines, the further ones behind a margin."""
    first, *rest = text.split("\n")
    lines = [before + first, *(margin + line if line else line for line in rest)]
    lines[-1] += after
    yield from lines


def _object_text(value: Mapping[str, Any]) -> str:
    if "date-parts" in value:
        return date_text(dict(value))
    name = Name.from_csl(value)
    if name.family or name.given:
        return str(name)
    return str(value.get("literal", dict(value)))


def _creators_in_short(fields: Mapping[str, Any]) -> str:
    for role in ("author", "editor", "translator"):
        names = fields.get(role)
        if isinstance(names, Sequence) and names and isinstance(names[0], Mapping):
            first = str(names[0].get("family") or names[0].get("literal") or value_text(names[0]))
            return first if len(names) == 1 else f"{first} and {len(names) - 1} more"
    return ""
