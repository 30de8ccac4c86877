"""Files of XML cut into records, element by element: without entities, DTD or network.

A document type that only names the DTD (PubMed's) is skipped; one that declares anything inside of
the file is refused by the reader. May not know what an element means.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lxml.etree import _Element

_DOCTYPE: Final = re.compile(r"<!DOCTYPE[^\[>]*>")
_BEGIN: Final = re.compile(r"<(?!\?|!)")


@dataclass(frozen=True, slots=True)
class BrokenXml:
    """Where the XML is not well formed."""

    line: int
    reason: str


def declares_entities(text: str) -> bool:
    """Whether the head of an XML text declares anything that is in no DTD elsewhere."""
    begin = _BEGIN.search(text)
    head = text[: begin.start() if begin is not None else len(text)]
    return "<!ENTITY" in head or re.search(r"<!DOCTYPE[^>]*\[", head) is not None


def split(text: str, names: Collection[str]) -> Iterator[_Element | BrokenXml]:
    """The outermost elements of these names, each forgotten once the next one is asked for."""
    from lxml.etree import XMLSyntaxError, iterparse

    body = _DOCTYPE.sub(_blank, text[max(0, text.find("<")) :], count=1)
    body = re.sub(r"(<\?xml[^>]*?)\s+encoding\s*=\s*[\"'][^\"']*[\"']", r"\1", body, count=1)
    events = iterparse(
        io.BytesIO(body.encode("utf-8", errors="replace")),
        events=("start", "end"),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    )
    inside: _Element | None = None
    try:
        for event, element in events:
            if event == "start":
                if inside is None and name_of(element) in names:
                    inside = element
            elif inside is not None and element is inside:
                yield element
                inside = None
                element.clear()
                while (
                    before := element.getprevious()
                ) is not None and before.getparent() is not None:
                    before.getparent().remove(before)
    except XMLSyntaxError as error:
        reason = str(error.msg or "not well formed").split(", line")[0]
        yield BrokenXml(int(error.lineno or 1), reason)


def _blank(found: re.Match[str]) -> str:
    return "\n" * found.group().count("\n")


def name_of(element: _Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: _Element, *names: str) -> list[_Element]:
    """The children of these names, or all."""
    return [
        child
        for child in element
        if isinstance(child.tag, str) and (not names or name_of(child) in names)
    ]


def find(element: _Element | None, path: str) -> _Element | None:
    """The first element at a path of names below another."""
    for name in path.split("/"):
        if element is None:
            return None
        element = next(iter(children(element, name)), None)
    return element


def text_of(element: _Element | None) -> str:
    """All text inside of an element, on one line; empty where there is no element."""
    if element is None:
        return ""
    inside = (piece for piece in element.itertext())
    return " ".join("".join(map(str, inside)).replace("\x00", "").split())


def text_at(element: _Element | None, path: str) -> str:
    """The text of the first element at a path."""
    return text_of(find(element, path))
