"""Zotero's notes and annotations as text.

A note is HTML. Its paragraphs become lines, its lists and headings are marked as in Markdown, and
the inline markup that rich text has (``<i> <b> <sub> <sup> <u>``) stays. What the text cannot show
(colours, sizes, a picture) is named or left to the source, which keeps the HTML itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, Final

from bifolio.records.notes import FIRST, Annotation

#: HTML's names of the inline markup that stays.
_INLINE: Final = {
    "i": "i",
    "em": "i",
    "b": "b",
    "strong": "b",
    "sub": "sub",
    "sup": "sup",
    "u": "u",
}
_BLOCKS: Final = frozenset(
    "p div h1 h2 h3 h4 h5 h6 ul ol li blockquote pre table tr hr section article dl dt dd".split()
)
_HIDDEN: Final = frozenset({"script", "style", "head", "title"})

#: Zotero's numbers of the types that mark no words.
_PICTURES: Final = {"3": "image", "4": "ink"}


def note_text(html: str) -> str:
    """The text of a note."""
    reader = _NoteReader()
    reader.feed(html)
    reader.close()
    return reader.text()


def annotation_text(annotation: Mapping[str, Any]) -> str:
    """The text of an annotation: what it marks, quoted, with its page; the comment; its tags.

    Args:
        annotation: ``type`` (Zotero's number), ``text``, ``comment``, ``page`` and ``tags``.
    """
    tags = annotation.get("tags")
    kind = str(annotation.get("type", ""))
    said = Annotation(
        FIRST,
        type=_PICTURES.get(kind, kind),
        page=str(annotation.get("page") or ""),
        text=str(annotation.get("text") or "").strip(),
        comment=note_text(str(annotation.get("comment") or "")),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
    )
    return said.as_text()


class _NoteReader(HTMLParser):
    """Gathers lines from HTML; damaged HTML gives what can be made of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int, int]] = []
        self._hidden = 0
        self._preformatted = 0
        self._prefix = ""

    def text(self) -> str:
        """All lines, without empty ones at the ends and never two of them together."""
        lines = [line.rstrip() for line in self._lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "br":
            self._line()
        elif tag == "hr":
            self._line("---")
            self._line()
        elif tag == "img":
            self._say(f"[picture: {given.get('alt') or 'without a name'}]")
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self._lines), len(self._lines[-1])))
        elif tag in ("td", "th"):
            self._say(" | " if self._lines[-1].strip() else "")
        elif tag in _INLINE:
            self._say(f"<{_INLINE[tag]}>")
        elif tag in _BLOCKS:
            self._begin_block(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a" and self._links:
            self._end_link()
        elif tag in _INLINE:
            self._say(f"</{_INLINE[tag]}>")
        elif tag in _BLOCKS:
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            if tag == "pre":
                self._preformatted = max(0, self._preformatted - 1)
            self._line()

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._preformatted:
            first, *rest = data.split("\n")
            self._say(first)
            for line in rest:
                self._line(line)
            return
        words = re.sub(r"\s+", " ", data)
        self._say(words.lstrip() if not self._lines[-1] else words)

    def _begin_block(self, tag: str) -> None:
        self._line()
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            depth = "  " * (len(self._lists) - 1)
            if self._lists and (number := self._lists[-1]) is not None:
                self._lists[-1] = number + 1
                self._prefix = f"{depth}{number + 1}. "
            else:
                self._prefix = f"{depth}- "
        elif tag[0] == "h" and tag[1:].isdigit():
            self._prefix = "#" * int(tag[1:]) + " "
        elif tag == "blockquote":
            self._prefix = "> "
        elif tag == "pre":
            self._preformatted += 1

    def _end_link(self) -> None:
        """An address that the words do not show is put after them."""
        address, line, place = self._links.pop()
        said = self._lines[-1][place:] if line == len(self._lines) else ""
        if re.match(r"(?:https?|doi|mailto):", address) and address not in said:
            self._say(f" ({address})")

    def _say(self, words: str) -> None:
        if self._hidden or not words:
            return
        if not self._lines[-1]:
            if not words.strip():
                return
            self._lines[-1], self._prefix = self._prefix, ""
        self._lines[-1] += words

    def _line(self, words: str = "") -> None:
        if self._hidden:
            return
        if self._lines[-1] or words:
            self._lines.append(words)
