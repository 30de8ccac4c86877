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
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations, islice
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_FOLDERS = (_ROOT / "cli" / "bifolio_cli" / "demo" / "libraries", _ROOT / "demo")
_FILES = ("typography.bib", "printing-history.bib")

_ENTRY = re.compile(r"^@\w+\{[^\n]*,\n.*?^\}\n", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"\A(@\w+\{[^,\n]+)")
_TITLE_LINE = re.compile(r"^\s*title\s*=\s*(.*)$", re.MULTILINE)
#: What the titles of copies begin with.
_OF_COPIES = {"copy"}
_TITLE = re.compile(r"^(\s*title\s*=\s*[{\"])", re.MULTILINE)


def write_bibliography(path: Path, count: int) -> None:
    """Write a BibTeX file of ``count`` entries."""
    with path.open("w", encoding="utf-8") as file:
        for number, entry in enumerate(_entries()):
            if number == count:
                return
            file.write(entry + "\n")


@cache
def words_of_titles(count: int, *, least: int = 1) -> tuple[str, ...]:
    """The words of four letters and more of the titles of the first so many entries that at least
    so many of them have, the most frequent first."""
    counted = Counter(word for words in _titles(count) for word in words)
    return tuple(word for word, times in counted.most_common() if times >= least)


@cache
def pairs_of_titles(count: int, *, least: int = 1) -> tuple[str, ...]:
    """Two words each that at least so many titles of the first entries have both of."""
    often = set(words_of_titles(count, least=least))
    counted = Counter(
        pair for words in _titles(count) for pair in combinations(sorted(words & often), 2)
    )
    return tuple(" ".join(pair) for pair, times in counted.most_common() if times >= least)


def mixed(words: Iterable[str]) -> list[str]:
    """Words in an order that has nothing to do with them, the same in each run."""
    return sorted(words, key=lambda word: (zlib.crc32(word.encode()), word))


def _titles(count: int) -> Iterator[set[str]]:
    for entry in islice(_entries(), count):
        words: set[str] = set()
        for line in _TITLE_LINE.findall(entry):
            words.update(re.findall("[a-z]{4,}", line.lower()))
        yield words - _OF_COPIES


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
