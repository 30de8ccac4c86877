"""Libraries to measure with: real references, as many as asked for.

The origin is the two libraries of the demo, 6,581 references of Nelson H. F. Beebe's
public-domain bibliographies of the University of Utah (typography, the history of printing).
Beyond them come copies of the same references in the same order, each with the number of the
copy in its citation key and before its title, so that every reference is one of its own.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_FOLDERS = (_ROOT / "cli" / "bifolio_cli" / "demo" / "libraries", _ROOT / "demo")
_FILES = ("typography.bib", "printing-history.bib")

_ENTRY = re.compile(r"^@\w+\{[^\n]*,\n.*?^\}\n", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"\A(@\w+\{[^,\n]+)")
_COMMON = 20
_TITLE_LINE = re.compile(r"^\s*title\s*=\s*(.*)$", re.MULTILINE)
_TITLE = re.compile(r"^(\s*title\s*=\s*[{\"])", re.MULTILINE)


def write_bibliography(path: Path, count: int) -> None:
    """Write a BibTeX file of ``count`` entries."""
    with path.open("w", encoding="utf-8") as file:
        for number, entry in enumerate(_entries()):
            if number == count:
                return
            file.write(entry + "\n")


def words_of_titles() -> list[str]:
    """The words of four letters and more of all titles, each once, in a mixed order: one that many
    titles have, which fills a page in a small library too, then one of the others."""
    counted: Counter[str] = Counter()
    for entry in _real_entries():
        for line in _TITLE_LINE.findall(entry):
            counted.update(set(re.findall("[a-z]{4,}", line.lower())))
    mixed = sorted(counted, key=lambda word: (zlib.crc32(word.encode()), word))
    common = [word for word in mixed if counted[word] >= _COMMON]
    rare = [word for word in mixed if counted[word] < _COMMON]
    return [word for pair in zip(common, rare, strict=False) for word in pair]


def _entries() -> Iterator[str]:
    """The real entries, then their copies, without end."""
    yield from _real_entries()
    copy = 2
    while True:
        for entry in _real_entries():
            renamed = _KEY.sub(rf"\g<1>:copy{copy}", entry, count=1)
            yield _TITLE.sub(rf"\g<1>Copy {copy}: ", renamed, count=1)
        copy += 1


@cache
def _real_entries() -> tuple[str, ...]:
    folder = next(one for one in _FOLDERS if (one / _FILES[0]).is_file())
    return tuple(
        found.group()
        for name in _FILES
        for found in _ENTRY.finditer((folder / name).read_text(encoding="utf-8"))
    )
