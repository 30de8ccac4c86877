"""The groups, group sets and tags of an EndNote library.

Each is an XML text (its *spec*) in a row of its own; the members of a group are a list of numbers
in a blob, those of a set are named in the set's own XML. A smart group's query is EndNote's own:
what it found last stands beside it, and is taken in its place where our language cannot say it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bifolio.formats.databases import saved_queries as foreign_queries
from bifolio.formats.databases.safe_xml import parse_xml
from bifolio.formats.databases.sqlite import ForeignDatabase, as_number
from bifolio.records.reference import ImportedGroup, LeftOut

_GROUP_SETS, _SET_ORDER = 17, 18

#: Kinds of group. A combination (its type is not known for sure) is one with members all the same.
_SMART: Final = "4"
_ONLINE: Final = "6"

#: The blob of members: a version, how many, and as many numbers of references.
_MEMBERS_VERSION: Final = b"\x00\x00\x00\x02"
_NUMBER_BYTES: Final = 4

_FLAT_QUERY: Final = re.compile(r"<FlatQuery>(.*?)</FlatQuery>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class GroupTree:
    """All groups, and which references are in each, by the references' numbers."""

    groups: tuple[ImportedGroup, ...]
    members: dict[int, tuple[str, ...]]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class _Spec:
    """What the XML of a group, set or tag says."""

    id: str
    name: str
    rules: dict[str, str]
    members: tuple[str, ...]

    @property
    def flat_query(self) -> str:
        """EndNote's query of a smart group, on one line."""
        found = _FLAT_QUERY.search(self.rules.get("SEARCH", ""))
        return " ".join(found.group(1).split()) if found is not None else ""

    @property
    def query(self) -> str | None:
        """The same in our language, where it can be said."""
        return foreign_queries.translate_endnote_query(self.flat_query)


def read_groups(database: ForeignDatabase, *, format: str, library: str) -> GroupTree:
    """The group sets with their groups under them, in EndNote's order, then groups in no set.

    Args:
        library: the library's own id, which makes the groups' ids unique.
    """
    sets = _sets(database)
    found: list[tuple[_Spec, tuple[int, ...]]] = []
    left_out: list[LeftOut] = []
    for row in database.records("groups"):
        spec = _spec(row.get("spec"), fallback=f"group-{row.get('group_id')}")
        kind = spec.rules.get("TYPE", "")
        if kind == _ONLINE:
            left_out.append(
                LeftOut(f"the group '{spec.name}'", "it is a search of an online database")
            )
            continue
        if kind == _SMART and spec.query is None:
            left_out.append(
                LeftOut(f"the query of the smart group '{spec.name}'", _explain_frozen_query(spec))
            )
        found.append((spec, () if spec.query else member_numbers(row.get("members"))))
    groups = tuple(_place_groups(sets, [spec for spec, _ in found], format=format, library=library))
    members: dict[int, list[str]] = {}
    for spec, numbers in found:
        for number in numbers:
            members.setdefault(number, []).append(f"{library}:{spec.id}")
    return GroupTree(groups, {one: tuple(ids) for one, ids in members.items()}, tuple(left_out))


def read_tags(database: ForeignDatabase) -> dict[int, tuple[str, ...]]:
    """The names of the tags of each reference, by its number (EndNote 21 and later)."""
    names: dict[int, str] = {}
    for row in database.records("tag_groups"):
        spec = _spec(row.get("spec"), fallback="")
        if spec.name:
            names[as_number(row.get("group_id"))] = spec.name
    found: dict[int, tuple[str, ...]] = {}
    for row in database.records("tag_members_content"):
        numbers = [int(one, 16) for one in re.findall(r"[0-9a-fA-F]+", str(row.get("c0") or ""))]
        if tags := tuple(names[one] for one in numbers if one in names):
            found[as_number(row.get("id"))] = tags
    return found


def member_numbers(blob: object) -> tuple[int, ...]:
    """The numbers of the references in a blob of members; none where it is of another form."""
    if not isinstance(blob, bytes) or not blob.startswith(_MEMBERS_VERSION):
        return ()
    body = blob[len(_MEMBERS_VERSION) + _NUMBER_BYTES :]
    count = min(
        int.from_bytes(blob[len(_MEMBERS_VERSION) :][:_NUMBER_BYTES], "little"),
        len(body) // _NUMBER_BYTES,
    )
    return struct.unpack_from(f"<{count}I", body)


def _sets(database: ForeignDatabase) -> list[_Spec]:
    """The group sets in the order in which EndNote shows them."""
    order: list[str] = []
    sets: list[_Spec] = []
    for row in database.records("misc"):
        if row.get("code") == _GROUP_SETS:
            sets.append(_spec(row.get("value"), fallback=f"set-{row.get('subcode')}"))
        elif row.get("code") == _SET_ORDER and (root := parse_xml(row.get("value"))) is not None:
            order += ["".join(one.itertext()).strip() for one in root.iter("set")]
    rank = {one: place for place, one in enumerate(order)}
    return sorted(sets, key=lambda one: rank.get(one.id, len(rank)))


def _place_groups(
    sets: list[_Spec], groups: list[_Spec], *, format: str, library: str
) -> Iterator[ImportedGroup]:
    """Sets and groups with their places; a group that two sets name stands in the first."""

    def group(spec: _Spec, parent: str, place: int) -> ImportedGroup:
        return ImportedGroup(
            format, f"{library}:{spec.id}", spec.name, parent, place, query=spec.query
        )

    known = {spec.id: spec for spec in groups}
    placed: set[str] = set()
    for place, one in enumerate(sets):
        yield group(one, "", place)
        for inside, member in enumerate(one.members):
            if member in known and member not in placed:
                placed.add(member)
                yield group(known[member], f"{library}:{one.id}", inside)
    outside = [spec for spec in groups if spec.id not in placed]
    for place, spec in enumerate(outside, start=len(sets)):
        yield group(spec, "", place)


def _explain_frozen_query(spec: _Spec) -> str:
    said = f" {spec.flat_query}" if spec.flat_query else ""
    return (
        f"EndNote's query{said} has no equal here; the group holds the references that EndNote "
        "found last"
    )


def _spec(raw: object, *, fallback: str) -> _Spec:
    """The id, name, rules and members of a spec; a damaged one has the fallback as both names."""
    root = parse_xml(raw)
    if root is None:
        return _Spec(fallback, fallback, {}, ())
    rules: dict[str, str] = {}
    for one in root.iter("rule"):
        name, _, value = "".join(one.itertext()).partition(";")
        rules.setdefault(name.strip().upper(), value.strip())
    ids = root.find("ids")
    own = (ids.findtext("id") or "").strip() if ids is not None else ""
    name = " ".join((ids.findtext("name") or "").split()) if ids is not None else ""
    members = tuple("".join(one.itertext()).strip() for one in root.iter("member"))
    return _Spec(own or fallback, name or own or fallback, rules, members)
