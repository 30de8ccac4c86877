"""The texts of attached files: read once for each content, kept by its hash, found by searches.

PDFs are read by a process of its own with bounded memory and time (``text_worker``), because
anybody's who shares the library may be made to do harm. What was read before the time was up is
kept, and how much of the file that is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from bifolio import limits
from bifolio.attachments import text_worker
from bifolio.lazy import pattern
from bifolio.records.folding import fold
from bifolio.replica.replica import Replica
from bifolio.storage.texts import StoredText, Texts

#: The number of this reader: one that reads better has a greater one, and reads all again.
READER: Final = 1

_PDF: Final = (".pdf",)
_MARKUP: Final = (".html", ".htm", ".xhtml")
_PLAIN: Final = (".txt", ".md", ".csv", ".tex")

#: Files of which there may be a text, by the ends of their names.
NAMES: Final = (*_PDF, *_MARKUP, *_PLAIN)

_CONTROL = pattern("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")

Progress = Callable[[int, int], None]


@cache
def can_read_pdf() -> bool:
    """Whether the library is installed that reads PDFs (an extra)."""
    return find_spec("pypdf") is not None


def may_have_text(name: str) -> bool:
    """Whether a file of a name may have a text that can be read here."""
    return name.lower().endswith(NAMES if can_read_pdf() else (*_MARKUP, *_PLAIN))


def texts_of(replica: Replica) -> Texts:
    """The texts that are known of a replica's files."""
    return Texts(replica.path)


def known_text(replica: Replica, hash: str) -> StoredText | None:
    """The text of a content, where it was read before."""
    found = texts_of(replica).read(hash)
    return found if found is not None and found.reader in (0, READER) else None


def keep_text(replica: Replica, hash: str, text: StoredText) -> None:
    """Keep the text of a content for the next time, and for searches."""
    texts_of(replica).write(hash, text, fold(text.text))


def find_text(replica: Replica, hash: str, name: str) -> StoredText | None:
    """The text of a content, read now if need be; None where it is of no kind that has one, or is
    not here."""
    if not may_have_text(name):
        return None
    found = known_text(replica, hash)
    path = replica.contents.path(hash)
    if found is None and path.is_file():
        found = read_text(path, name)
        keep_text(replica, hash, found)
    return found


def read_missing(
    replica: Replica, *, until_s: float, progress: Progress | None = None
) -> tuple[int, int]:
    """Read the texts of the files that are here and were not read yet.

    Args:
        until_s: by ``time.monotonic``, when it is enough.
        progress: told how many are read, and of how many.

    Returns:
        how many were read, and how many are left.
    """
    missing = list(_missing(replica))
    for number, (hash, name) in enumerate(missing):
        if time.monotonic() >= until_s:
            return number, len(missing) - number
        if progress is not None:
            progress(number, len(missing))
        find_text(replica, hash, name)
    if progress is not None and missing:
        progress(len(missing), len(missing))
    return len(missing), 0


def read_text(path: Path, name: str) -> StoredText:
    """The text of a file, whatever it holds; empty where there is none in it.

    Args:
        name: says by its end what it is; its path says nothing.
    """
    if name.lower().endswith(_PDF):
        return _read_pdf(path)
    with path.open("rb") as file:
        raw = file.read(4 * limits.TEXT_CHARACTERS_MAX)
    text = raw.decode("utf-8-sig", errors="replace")
    if name.lower().endswith(_MARKUP):
        text = words_of_markup(text)
    return StoredText(_clean(text), 0, 0, READER)


def words_of_markup(markup: str) -> str:
    """What a page in HTML says, without its scripts."""
    reader = _Words()
    reader.feed(markup)
    reader.close()
    return " ".join("".join(reader.found).split())


# --- PDFs -----------------------------------------------------------------------------------


def _read_pdf(path: Path, *, command: Iterable[str] | None = None) -> StoredText:
    # -P: the folder that somebody happens to be in is no place to import from.
    started = tuple(command or (sys.executable, "-P", "-m", text_worker.__name__))
    pages, found = 0, list[str]()
    with path.open("rb") as file:
        process = subprocess.Popen(
            started,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    assert process.stdout is not None
    ending = threading.Timer(limits.TEXT_WALL_S, process.kill)
    ending.start()
    try:
        pages = _receive(process.stdout, found)
    finally:
        ending.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
    read = len(found)
    text = _clean("\n\n".join(one.strip() for one in found)).strip()
    return StoredText(text, max(pages, read), read, READER)


def _receive(output: IO[bytes], found: list[str]) -> int:
    """Take in what the process writes, page by page, as far as it is what it should be."""
    pages, left = 0, limits.TEXT_CHARACTERS_MAX
    with suppress(ValueError):
        # A character is at most six letters in JSON (a pair of them twelve).
        head = json.loads(output.readline(32))
        pages = head if isinstance(head, int) and 0 <= head < 10**9 else 0
        while left > 0 and len(found) < min(pages, limits.TEXT_PAGES_MAX):
            line = output.readline(12 * left + 16)
            if not line.endswith(b"\n"):
                break
            page = json.loads(line)
            if not isinstance(page, str):
                break
            found.append(page[:left])
            left -= len(page)
    return pages


def _missing(replica: Replica) -> Iterable[tuple[str, str]]:
    """The contents here that have a text nobody has read yet, with a name that says their kind."""
    attachments = replica.references.attachments
    named = {hash: name for hash, name in attachments.names_of_contents() if may_have_text(name)}
    known = texts_of(replica).known(list(named), reader=READER)
    for hash, name in named.items():
        if hash not in known and replica.contents.has(hash):
            yield hash, name


def _clean(text: str) -> str:
    return _CONTROL.sub("", text[: limits.TEXT_CHARACTERS_MAX])


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
