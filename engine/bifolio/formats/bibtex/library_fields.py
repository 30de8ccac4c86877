"""What JabRef, Mendeley and BibDesk write next to a reference: groups, ratings, files.

Groups are in a block of the file (JabRef's in two forms, BibDesk's as a property list) and in
fields of the entries; a rating and whether something was read have fields; a file is named by its
path. May not know where files are.
"""

from __future__ import annotations

import base64
import binascii
import plistlib
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from xml.parsers.expat import ExpatError

from bifolio.errors import DATA_FAULTS
from bifolio.formats.bibtex.values import name_of
from bifolio.formats.latex import text as latex
from bifolio.records.reference import ImportedGroup

FORMAT: Final = "bibtex"

#: The names of fields that say such things, in small letters.
NAMES: Final = frozenset("groups mendeley-groups file pdf local-url".split())
_BIBDESK_FILE: Final = re.compile(r"bdsk-file-\d+")
_META: Final = re.compile(
    r"\s*@comment\s*[{(]\s*jabref-meta:\s*(grouping|groupstree)\s*:(.*)[})]\s*",
    re.IGNORECASE | re.DOTALL,
)
_BIBDESK: Final = re.compile(
    r"\s*@comment\s*\{\s*BibDesk Static Groups\s*\{(.*)\}\s*\}\s*", re.IGNORECASE | re.DOTALL
)
_BIBDESK_OTHERS: Final = re.compile(r"\s*@comment\s*\{\s*BibDesk (Smart|URL|Script) Groups", re.I)
_GROUP: Final = re.compile(r"\s*(\d+)\s+(\w+):(.*)", re.DOTALL)
_ROOTLESS: Final = re.compile(r"(?:home|Users|mnt|media|Volumes)/")
_URL: Final = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]+://")
#: What would end an entry, or begin a comment in it.
_BREAKING: Final = re.compile(r"[\\{}%]")
_FILE_MARKS: Final = re.compile(r"[:;\\]")
_BACKSLASHED: Final = r"\\\g<0>"
_PARTED: Final = "\x1f"


@dataclass(slots=True)
class FileGroups:
    """The groups of one file: in the order of the file, those above first."""

    groups: list[ImportedGroup] = field(default_factory=list)
    #: By name, the first of its name; and the names of groups that hold these keys.
    ids: dict[str, str] = field(default_factory=dict)
    of_key: dict[str, list[str]] = field(default_factory=dict)
    #: Whether the file says what groups there are.
    is_listed: bool = False
    #: Groups that a search fills: none of ours.
    searches: int = 0
    _places: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, parent: str = "") -> str:
        """A group below another one; its id, which its path gives."""
        own = f"{parent}{_PARTED}{name}" if parent else name
        if all(one.id != own for one in self.groups):
            place = self._places.get(parent, 0)
            self._places[parent] = place + 1
            self.groups.append(ImportedGroup(FORMAT, own, name, parent, place))
            self.ids.setdefault(name, own)
        return own

    def add_path(self, path: str) -> str:
        """The group of a path whose steps are parted by slashes (Mendeley)."""
        if path in self.ids:
            return self.ids[path]
        own = ""
        for step in filter(None, map(str.strip, path.split("/"))):
            own = self.add(step, own)
        self.ids.setdefault(path, own)
        return own


def groups_of(blocks: Sequence[str]) -> FileGroups:
    """The groups that the blocks of a file list."""
    found = FileGroups()
    for block in blocks:
        if (meta := _META.fullmatch(block)) is not None:
            _add_jabref(found, meta.group(2), lists_keys=meta.group(1).lower() == "groupstree")
        elif (listed := _BIBDESK.fullmatch(block)) is not None:
            _add_bibdesk(found, listed.group(1))
        elif _BIBDESK_OTHERS.match(block):
            found.searches += block.count("<key>group name</key>")
    return found


def _add_jabref(found: FileGroups, text: str, *, lists_keys: bool) -> None:
    """JabRef's tree: a level, a kind and a name a line; in the older form with the keys inside."""
    found.is_listed = True
    above: list[str] = []
    # The older form is wrapped wherever a line is long.
    for line in _split(re.sub(r"\r?\n", "", text), ";"):
        said = _GROUP.fullmatch(line)
        if said is None:
            continue
        level, kind, rest = int(said.group(1)), said.group(2), said.group(3)
        parts = [_unescape(one) for one in _split(_unescape(rest), ";")]
        name = _plain_name(parts[0].strip())
        if kind == "AllEntriesGroup" or level == 0 or not name:
            above = []
            continue
        if kind not in ("StaticGroup", "ExplicitGroup"):
            found.searches += 1
            above = [*above[: level - 1], above[level - 2] if 2 <= level <= len(above) + 1 else ""]
            continue
        parent = above[level - 2] if 2 <= level <= len(above) + 1 else ""
        own = found.add(name, parent)
        above = [*above[: level - 1], own]
        if lists_keys or kind == "ExplicitGroup":
            for key in filter(None, map(str.strip, parts[2:])):
                found.of_key.setdefault(key, []).append(own)


def _plain_name(text: str) -> str:
    """A group's name; of one that is written as LaTeX, its text."""
    return latex.decode(text).strip() if "\\" in text or "{" in text else text


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _split(text: str, separator: str) -> list[str]:
    """The parts of a text; a separator behind a backslash parts nothing."""
    parts, begun, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == separator:
            parts.append(text[begun:at])
            begun = at + 1
        at += 1
    parts.append(text[begun:])
    return parts


def _add_bibdesk(found: FileGroups, text: str) -> None:
    found.is_listed = True
    for one in _property_list(text.strip().encode()) or ():
        if not isinstance(one, dict):
            continue
        name, keys = one.get("group name"), one.get("keys")
        if isinstance(name, str) and name.strip():
            own = found.add(name.strip())
            for key in str(keys or "").split(","):
                if key.strip():
                    found.of_key.setdefault(key.strip(), []).append(own)


def _property_list(raw: bytes) -> Any:
    """What a property list holds; nothing where it is none, or declares entities."""
    if b"<!ENTITY" in raw:
        return None
    try:
        return plistlib.loads(raw)
    except (*DATA_FAULTS, ExpatError, struct.error):
        return None


def entry_groups(found: FileGroups, key: str, tags: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The ids of the groups of an entry; groups that only entries name are added."""
    ids = list(found.of_key.get(key, ()))
    for tag, raw in tags:
        name = name_of(tag).lower()
        if name not in ("groups", "mendeley-groups"):
            continue
        inside = raw.strip()
        if inside[:1] == "{" and inside[-1:] == "}":
            inside = inside[1:-1]
        for one in _split(inside, ","):
            group = _plain_name(one.replace("\\,", ",").strip())
            if not group:
                continue
            if name == "mendeley-groups":
                ids.append(found.add_path(group))
            else:
                ids.append(found.ids.get(group) or found.add(group))
    return tuple(dict.fromkeys(ids))


def paths_of(name: str, raw: str) -> Iterator[str]:
    """The paths of the files that a field names."""
    text = raw.strip()
    if text[:1] in '{"' and text[-1:] in '}"':
        text = text[1:-1].strip()
    if _BIBDESK_FILE.fullmatch(name):
        yield from _bibdesk_path(text)
    elif name == "file":
        for one in _split(text.replace("$\\backslash$", "\\"), ";"):
            # Mendeley leaves out the slash that an absolute path begins with.
            yield from _plain_path(_rooted(_jabref_path(one)))
    elif name in ("pdf", "local-url"):
        yield from _plain_path(text)


def _jabref_path(text: str) -> str:
    """``description:path:type``, where a colon of the path has a backslash; or a path alone."""
    parts = _split(text, ":")
    if len(parts) >= 3:
        # Mendeley writes C$\backslash$:/x or C:/x without a backslash before the colon.
        inner = ":".join(parts[1:-1]) if not parts[0] or len(parts) > 3 else parts[1]
        return _unescape(inner)
    return text


def _rooted(path: str) -> str:
    return f"/{path}" if _ROOTLESS.match(path) else path


def _plain_path(text: str) -> Iterator[str]:
    text = text.strip()
    if "{\\_}" in text or "\\_" in text or "\\&" in text:
        text = latex.decode(text)
    if text.lower().startswith("file:"):
        text = unquote(urlsplit(text).path)
    if text and not _URL.match(text):
        yield text


def _bibdesk_path(text: str) -> Iterator[str]:
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return
    read = _property_list(raw)
    if not isinstance(read, dict):
        return
    path = read.get("relativePath")
    if isinstance(path, str) and path:
        yield path
        return
    for one in read.get("$objects", ()) if isinstance(read.get("$objects"), list) else ():
        if isinstance(one, str) and "/" in one and not one.startswith("$"):
            yield one
            return


@lru_cache(maxsize=4096)
def says_more(tag: str) -> bool:
    """Whether a tag says something next to the reference: every tag of every entry is asked."""
    name = tag.lower()
    return name in NAMES or name.startswith("bdsk-file-")


def is_file_field(name: str) -> bool:
    """Whether a field names files."""
    return name in ("file", "pdf", "local-url") or _BIBDESK_FILE.fullmatch(name) is not None


# --- writing ---------------------------------------------------------------------------------


def written_name(name: str) -> str:
    """A group's name as JabRef has it, in its tree and in its entries: as it is, or as LaTeX where
    it would break an entry."""
    return latex.encode(name) if _BREAKING.search(name) else name


def written_groups(names: Sequence[str]) -> str:
    """The text of an entry's ``groups``."""
    return ", ".join(written_name(name).replace(",", "\\,") for name in names)


def written_files(paths: Sequence[str]) -> str:
    """The text of an entry's ``file``, as JabRef writes it."""
    return ";".join(
        f":{_FILE_MARKS.sub(_BACKSLASHED, path)}:{path.rpartition('.')[2].upper() or 'File'}"
        for path in paths
    )


def written_tree(groups: Sequence[tuple[int, str]]) -> str:
    """The block that lists groups, in JabRef's form.

    Args:
        groups: (level, from 1; name) of each, those above first.
    """
    lines = ["0 AllEntriesGroup:;"]
    for level, name in groups:
        inner = f"{_escape(written_name(name))};0;1;;;;"
        lines.append(f"{level} StaticGroup:{_escape(inner)};")
    return "@Comment{jabref-meta: grouping:\n" + "\n".join(lines) + "\n}"


def is_group_block(block: str) -> bool:
    """Whether a block of a file lists groups, which the library's own take the place of."""
    return _META.fullmatch(block) is not None or _BIBDESK.fullmatch(block) is not None


def _escape(text: str) -> str:
    return re.sub(r"[\\;]", _BACKSLASHED, text)
