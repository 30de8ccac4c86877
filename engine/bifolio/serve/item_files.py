"""Attached files: where another program finds one, and the text of one."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from bifolio import limits
from bifolio.errors import BifolioError
from bifolio.serve.answers import Refusal, not_found
from bifolio.serve.note_objects import FILE
from bifolio.serve.served_library import ServedLibrary

#: Files whose content is a text, by the ends of their names.
_TEXTS: Final = (".txt", ".md", ".html", ".htm", ".xhtml", ".csv", ".tex")
_MARKUP: Final = (".html", ".htm", ".xhtml")


def path_of(served: ServedLibrary, key: str) -> Path:
    """A copy of an attached file under its own name, for another program to read.

    Raises:
        Refusal: it is no file, not on this computer, or no document.
    """
    record, content, _ = _file(served, key)
    try:
        return served.library.files.open_copy(record, content)
    except BifolioError as error:
        raise Refusal(404, error.message) from error


def text_of(served: ServedLibrary, key: str) -> dict[str, Any]:
    """The text of an attached file, where it is one of text.

    Raises:
        Refusal: it is none, or not on this computer.
    """
    record, content, name = _file(served, key)
    if not name.lower().endswith(_TEXTS):
        raise not_found("No text of this file is known here.")
    path = served.library.files.content_path(record, content)
    if path is None:
        raise not_found("The file is not on this computer.")
    with path.open("rb") as file:
        raw = file.read(limits.SERVE_TEXT_BYTES_MAX)
        is_whole = not file.read(1)
    text = raw.decode("utf-8", errors="replace")
    if name.lower().endswith(_MARKUP):
        text = _words_of(text)
    total = len(text) if is_whole else path.stat().st_size
    return {"content": text, "indexedChars": len(text), "totalChars": total}


def texts_since(served: ServedLibrary, version: int) -> dict[str, int]:
    """The files of which ``text_of`` knows a text, and whose references changed after a version:
    their keys, with those versions."""
    changed = served.windows.changes_since(version)
    names = served.names.of(list(changed.records))
    versions = served.windows.versions_of(list(changed.records))
    return {
        key: versions[record]
        for record, parts in names.items()
        for part, key in parts.items()
        if part.startswith(FILE) and part.lower().endswith(_TEXTS)
    }


def _file(served: ServedLibrary, key: str) -> tuple[str, str, str]:
    """The reference, the content's hash and the name of the file that a key names."""
    record, part = served.find(key)
    if not part.startswith(FILE):
        raise not_found("Not a file attachment with a file")
    _, content, name = part.split("/", 2)
    return record, content, name


def _words_of(markup: str) -> str:
    reader = _Words()
    reader.feed(markup)
    reader.close()
    return " ".join("".join(reader.found).split())


class _Words(HTMLParser):
    """What a page says, without its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        self.found.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found.append(data)
