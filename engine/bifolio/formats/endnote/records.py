"""EndNote's XML cut into records and written back: the only user of ``lxml``.

A record is its type (``17 Journal Article``) and its tags: the path of an element below
``record``, with its attributes, and the inside of that element (``endnote.text``). The tags are
in EndNote's order. No DTD is read, no entity expanded, nothing fetched; the exporter's own path
(``database/@path``) is left out. May not know what an element means.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bifolio import limits
from bifolio.formats import bounds
from bifolio.formats.endnote.pieces import Piece, mend, pieces
from bifolio.formats.endnote.text import Run, attributes, read_raw, write_raw
from bifolio.formats.roundtrip_fields import restore

if TYPE_CHECKING:
    from lxml.etree import XMLSyntaxError, _Element

Tags = list[tuple[str, str]]

NOTES: Final = "research-notes"

#: EndNote's order of the elements in a record, and of those inside them.
_ORDER: Final = {
    name: place
    for place, name in enumerate(
        "database source-app rec-number foreign-keys ref-type contributors authors "
        "secondary-authors tertiary-authors subsidiary-authors translated-authors auth-address "
        "titles title secondary-title tertiary-title alt-title short-title translated-title "
        "periodical alt-periodical full-title abbr-1 abbr-2 abbr-3 pages volume number num-vols "
        "edition section reprint-edition keywords dates year pub-dates pub-location publisher "
        "orig-pub isbn accession-num call-num abstract label caption notes research-notes "
        "work-type reviewed-item urls web-urls related-urls pdf-urls text-urls image-urls custom6 "
        "custom1 custom2 custom3 custom4 custom5 custom7 electronic-resource-num "
        "remote-database-name remote-database-provider language access-date "
        "modified-date".split()
    )
}

_CONTAINERS: Final = frozenset(
    "foreign-keys contributors authors secondary-authors tertiary-authors subsidiary-authors "
    "translated-authors titles periodical alt-periodical keywords dates pub-dates urls web-urls "
    "related-urls pdf-urls text-urls image-urls".split()
)

#: What may come before a document type: XML's declaration, comments, white space.
_PROLOG: Final = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_STEP: Final = re.compile(r'([^/\[\]]+)((?:\[@[^"\]]+="[^"]*"\])*)')
_ATTRIBUTE: Final = re.compile(r'\[@([^"\]=]+)="([^"]*)"\]')
_TYPE: Final = re.compile(r"(\d*) ?(.*)", re.DOTALL)
_ROUNDTRIP: Final = re.compile(r"(x-[^:\s]+): ?(.*)")
_LINE: Final = re.compile(r"[^\r\n]*")


@dataclass(frozen=True, slots=True)
class XmlRecord:
    """One ``record`` element."""

    line: int
    type: str
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class XmlDamage:
    """Where the XML is not well formed, and what became of it."""

    line: int
    reason: str


def has_document_type(text: str) -> bool:
    """Whether the XML declares a document type, which is refused."""
    found = _PROLOG.match(text, max(0, text.find("<")))
    return found is not None and text.startswith("<!DOCTYPE", found.end())


def split(text: str) -> Iterator[XmlRecord | XmlDamage]:
    """All records in order, each one's damage before it.

    After the first fault every record is parsed by itself, so that it is the only one to suffer.
    """
    from lxml.etree import XMLSyntaxError

    if _holds_overfull_record(text):
        for piece in pieces(text, after=0):
            if reason := _reason_against(piece.text, 0, len(piece.text)):
                yield XmlDamage(piece.line, reason)
                continue
            one, damage = _parse_alone(piece)
            if damage is not None:
                yield damage
            if one is not None:
                yield one
        return
    body = text[max(0, text.find("<")) :].encode("utf-8", errors="replace")
    read = 0
    try:
        for record in _records(body):
            yield record
            read += 1
        return
    except XMLSyntaxError:
        pass
    named = False
    for piece in pieces(text, after=read):
        one, damage = _parse_alone(piece)
        if damage is not None:
            yield damage
            named = True
        if one is not None:
            yield one
            read += 1
    if not named:
        line, reason = _first_fault(body)
        yield XmlDamage(line, f"the XML is damaged here ({reason}); records read from it: {read}")


def _holds_overfull_record(text: str) -> bool:
    """Whether between two ends of records there is more than one of them may hold."""
    at = 0
    while at < len(text):
        end = text.find("</record", at)
        end = len(text) if end < 0 else end
        if _reason_against(text, at, end):
            return True
        at = end + 1
    return False


def _reason_against(text: str, start: int, end: int) -> str:
    """Why the record in this part of a text is not parsed; empty where it is."""
    if end - start <= limits.IMPORT_RECORD_PARTS_MAX:
        return ""
    if end - start > 2 * limits.IMPORT_RECORD_CHARACTERS_MAX:
        return bounds.TOO_LONG
    quotes = text.count('"', start, end) + text.count("'", start, end)
    if max(text.count("<", start, end), quotes // 8) > limits.IMPORT_RECORD_PARTS_MAX:
        return bounds.TOO_MANY
    return ""


def _parse_alone(piece: Piece) -> tuple[XmlRecord | None, XmlDamage | None]:
    """A record parsed by itself: as it is, or mended, or as far as it goes."""
    from lxml.etree import XMLSyntaxError

    try:
        element = _parse(piece.text)
        return None if element is None else _record(element, piece.line), None
    except XMLSyntaxError as error:
        line, reason = _fault(error)
    line += piece.line - 1
    how = "mended where characters are no XML"
    try:
        element = _parse(mend(piece.text))
    except XMLSyntaxError:
        element = _parse(mend(piece.text), recover=True)
        how = "imported as far as it could be read"
    record = None if element is None else _record(element, piece.line)
    return record, XmlDamage(line, f"the XML of this record is damaged ({reason}); {how}")


def _parse(text: str, *, recover: bool = False) -> _Element | None:
    """The element; nothing where not even recovering finds one."""
    from lxml.etree import XMLParser, fromstring

    parser = XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, recover=recover
    )
    return fromstring(text.encode("utf-8", errors="replace"), parser)


def _fault(error: XMLSyntaxError) -> tuple[int, str]:
    """(line, reason) of a fault."""
    return int(error.lineno or 1), str(error.msg or "").split(", line")[0]


def _first_fault(body: bytes) -> tuple[int, str]:
    """(line, reason) of the first fault: reading by events does not always tell it."""
    from lxml.etree import XMLParser, XMLSyntaxError, fromstring

    parser = XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
    try:
        fromstring(body, parser)
    except XMLSyntaxError as error:
        return _fault(error)
    return 1, "not well formed"


def _records(body: bytes) -> Iterator[XmlRecord]:
    from lxml.etree import iterparse

    events = iterparse(
        io.BytesIO(body),
        events=("end",),
        tag="record",
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    )
    for _, element in events:
        yield _record(element, element.sourceline or 1)
        element.clear()
        # Where an end tag is missing, a record is inside another one that is not yet read.
        while (before := element.getprevious()) is not None and before.tag == "record":
            before.getparent().remove(before)


def _record(element: _Element, line: int) -> XmlRecord:
    kind = ""
    tags: Tags = []
    for child in element:
        if not isinstance(child.tag, str) or child.tag == "record":
            continue
        if child.tag == "ref-type" and not kind:
            number = " ".join("".join(child.itertext()).split())
            kind = f"{number} {child.get('name', '').strip()}".strip()
        else:
            _walk(child, "", tags)
    return XmlRecord(line, kind, tuple(sort_tags(tags)))


def _walk(element: _Element, path: str, tags: Tags) -> None:
    """The tags of an element without children, or of all its children."""
    name = str(element.tag).rpartition("}")[2]
    pairs = [(str(key), str(value)) for key, value in element.attrib.items()]
    if name == "database" and not path:
        pairs = [(key, _file_name(value)) for key, value in pairs if key != "path"]
    own = path + name + "".join(f"[@{pair.strip()}]" for pair in _attribute_texts(pairs))
    children = [child for child in element if isinstance(child.tag, str) and child.tag != "style"]
    runs = _runs(element)
    if name == "database" and not path:
        runs = [Run(_file_name(run.text), run.style) for run in runs]
    if name == NOTES:
        tags += [(own, write_raw(piece)) for piece in note_pieces(runs)]
    elif runs or (not children and name not in _CONTAINERS):
        tags.append((own, write_raw(runs)))
    for child in children:
        _walk(child, f"{own}/", tags)


def _attribute_texts(pairs: list[tuple[str, str]]) -> list[str]:
    return [attributes([pair]) for pair in pairs]


def _file_name(text: str) -> str:
    """The name without the folders of whoever exported the file."""
    return text.replace("\\", "/").rpartition("/")[2]


def _runs(element: _Element) -> list[Run]:
    """The element's own text; white space between elements is layout."""
    if not len(element):
        bare = (element.text or "").strip()
        return [Run(bare, None)] if bare else []
    texts: list[tuple[str, str | None]] = [(element.text or "", None)]
    for child in element:
        if child.tag == "style":
            pairs = [(str(key), str(value)) for key, value in child.attrib.items()]
            texts.append(("".join(map(str, child.itertext())), attributes(pairs)))
        texts.append((child.tail or "", None))
    return [
        Run(text, style) for text, style in texts if text and (style is not None or text.strip())
    ]


def note_pieces(runs: list[Run]) -> list[list[Run]]:
    """The notes with each of our round-trip fields, a line of its own, as a piece of its own."""
    text = "".join(run.text for run in runs)
    segments: list[tuple[int, int, bool]] = []
    at = 0
    while at <= len(text):
        found = _LINE.match(text, at)
        end = found.end() if found is not None else len(text)
        pair = _ROUNDTRIP.fullmatch(text[at:end])
        ours = pair is not None and restore(pair.group(1), pair.group(2)) is not None
        if segments and not ours and not segments[-1][2]:
            segments[-1] = (segments[-1][0], end, False)
        else:
            segments.append((at, end, ours))
        at = end + (2 if text[end : end + 2] == "\r\n" else 1)
    if len(segments) == 1:
        return [runs]
    return [piece for start, end, _ in segments if (piece := _slice(runs, start, end))]


def _slice(runs: list[Run], start: int, end: int) -> list[Run]:
    pieces: list[Run] = []
    at = 0
    for run in runs:
        text = run.text[max(0, start - at) : max(0, end - at)]
        if text:
            pieces.append(Run(text, run.style))
        at += len(run.text)
    return pieces


# --- writing ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    """An element on its way out: with children, or with its inside."""

    name: str
    attributes: str
    raw: str | None = None
    children: list[_Node] = field(default_factory=list)


def path_of(tag: str) -> str:
    """The tag's path without attributes."""
    return _ATTRIBUTE.sub("", tag) if "[" in tag else tag


def attribute_of(tag: str, name: str) -> str:
    """The value of an attribute in a tag, as written; empty where it is not there."""
    found: dict[str, str] = dict(_ATTRIBUTE.findall(tag))
    return found.get(name, "")


def render(kind: str, tags: tuple[tuple[str, str], ...]) -> str:
    """The record's XML, on one line unless its text has lines of its own."""
    found = _TYPE.fullmatch(kind)
    number, label = found.groups() if found is not None else ("", kind)
    root = _tree(list(tags))
    if kind:
        named = attributes([("name", label)]) if label else ""
        root.children.append(_Node("ref-type", named, number))
        _sort(root)
    return _text(root)


def sort_tags(tags: Tags) -> Tags:
    """The tags as a reader of what ``render`` writes would see them."""
    places = [_place(tag) for tag, _ in tags]
    if all(one is not None for one in places) and places == sorted(places):  # type: ignore[type-var]
        return tags
    return list(_flatten(_tree(tags), ""))


@lru_cache(maxsize=4096)
def _place(tag: str) -> tuple[int, ...] | None:
    """Where EndNote's order has the tag; nothing where a tree has to tell."""
    *containers, leaf = path_of(tag).split("/")
    if any(name not in _CONTAINERS for name in containers) or "[" in tag.rpartition("/")[0]:
        return None
    return tuple(_ORDER.get(name, len(_ORDER)) for name in (*containers, leaf))


def _tree(tags: Tags) -> _Node:
    root = _Node("record", "")
    for tag, raw in tags:
        *containers, leaf = [
            (name, _ATTRIBUTE.sub(r' \1="\2"', written)) for name, written in _STEP.findall(tag)
        ] or [("unnamed", "")]
        node = root
        for name, written in containers:
            node = _container(node, name, written)
        node.children.append(_Node(*leaf, raw))
    _sort(root)
    return root


def _container(parent: _Node, name: str, written: str) -> _Node:
    for child in parent.children:
        if child.raw is None and (child.name, child.attributes) == (name, written):
            return child
    node = _Node(name, written)
    parent.children.append(node)
    return node


def _sort(node: _Node) -> None:
    node.children.sort(key=lambda child: _ORDER.get(child.name, len(_ORDER)))
    for child in node.children:
        _sort(child)


def _flatten(node: _Node, path: str) -> Iterator[tuple[str, str]]:
    for child in node.children:
        written = re.sub(r' ([^"=]+)="([^"]*)"', r'[@\1="\2"]', child.attributes)
        if child.raw is not None:
            yield path + child.name + written, child.raw
        else:
            yield from _flatten(child, f"{path}{child.name}{written}/")


def _text(node: _Node) -> str:
    if node.raw is not None:
        # Composed again from its runs: whatever a stored source says, this is well formed.
        inside = write_raw(read_raw(node.raw))
    else:
        inside = "".join(_text(child) for child in _join_notes(node.children))
    return f"<{node.name}{node.attributes}>{inside}</{node.name}>"


def _join_notes(nodes: list[_Node]) -> Iterator[_Node]:
    """The nodes; all research notes are one element, line after line."""
    notes = [node for node in nodes if node.name == NOTES and node.raw is not None]
    joined = write_raw([Run("\r")]).join(node.raw or "" for node in notes)
    for node in nodes:
        if not any(node is one for one in notes):
            yield node
        elif node is notes[0]:
            yield _Node(NOTES, node.attributes, joined)
