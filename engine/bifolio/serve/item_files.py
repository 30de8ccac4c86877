"""Attached files: where another program finds one, and the text of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bifolio import limits
from bifolio.errors import BifolioError
from bifolio.library.files import TextToRead
from bifolio.results import FileText
from bifolio.serve.answers import Refusal, not_found
from bifolio.serve.note_objects import FILE
from bifolio.serve.served_library import ServedLibrary


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


def text_of(served: ServedLibrary, key: str) -> FileText | TextToRead:
    """What an attached file says, or what is to be read to know it.

    Raises:
        Refusal: it is no file, of no kind that has a text, or not on this computer.
    """
    record, content, _ = _file(served, key)
    found = served.library.files.text_to_read(record, content)
    if found is None:
        raise not_found()
    return found


def text_object(found: FileText) -> dict[str, Any]:
    """A text as the interface has it: counted in pages, or in characters.

    Raises:
        Refusal: there is nothing to read in the file.
    """
    if not found.text.strip():
        raise not_found()
    if found.pages:
        counted = {"indexedPages": found.pages_read, "totalPages": found.pages}
    else:
        counted = {"indexedChars": len(found.text), "totalChars": len(found.text)}
    return {"content": found.text, **counted}


def keep_text(served: ServedLibrary, key: str, given: Mapping[str, Any]) -> None:
    """Keep what another program read in a file.

    Raises:
        Refusal: it is no file, or not what a text is.
    """
    text = given.get("content")
    if not isinstance(text, str):
        raise Refusal(400, "'content' not provided")
    if len(text) > limits.TEXT_CHARACTERS_MAX:
        raise Refusal(413, f"A text may have {limits.TEXT_CHARACTERS_MAX:,} characters.")
    counts = {}
    for name in ("indexedPages", "totalPages", "indexedChars", "totalChars"):
        count = given.get(name, 0)
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < 10**9:
            raise Refusal(400, f"'{name}' must be a whole number")
        counts[name] = count
    found = served.names.find(key)
    if found is None or not found.part.startswith(FILE):
        raise not_found()
    content = found.part.split("/", 2)[1]
    pages = max(counts["totalPages"], counts["indexedPages"])
    served.library.files.keep_text(
        content, FileText(text, pages, counts["indexedPages"]), given=True
    )


def texts_since(served: ServedLibrary, version: int) -> dict[str, int]:
    """The files that have a text, and whose references changed after a version: their keys, with
    those versions."""
    changed = served.windows.changes_since(version)
    names = served.names.of(list(changed.records))
    versions = served.windows.versions_of(list(changed.records))
    files: list[tuple[str, str, str, int]] = []
    for record, parts in names.items():
        for part, key in parts.items():
            if part.startswith(FILE):
                _, hash, name = part.split("/", 2)
                files.append((key, hash, name, versions[record]))
    having = served.library.files.hashes_with_text([(hash, name) for _, hash, name, _ in files])
    return {key: version for key, hash, _, version in files if hash in having}


def _file(served: ServedLibrary, key: str) -> tuple[str, str, str]:
    """The reference, the content's hash and the name of the file that a key names."""
    record, part = served.find(key)
    if not part.startswith(FILE):
        raise not_found("Not a file attachment with a file")
    _, content, name = part.split("/", 2)
    return record, content, name
