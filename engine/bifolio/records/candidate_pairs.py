"""Which references are compared at all: those of one block. All pairs of 100,000 would be five
thousand million.

A reference is in a block for each identifier, for its title, for the beginning and the end of
its title (shorter ones among one author and year), for each two of its three rarest words, and
for its place in a volume. A block that holds too many to
compare is cut by first author and year.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from bifolio import limits
from bifolio.records.similarity import Traits

#: Letters at either end of a title that make a block; fewer where author and year agree.
_EDGE = 18
_SHORT_EDGE = 5


def candidates(works: Sequence[Traits]) -> Iterator[tuple[int, int]]:
    """The pairs to compare, as indexes, each once, the smaller first."""
    counts = Counter(word for work in works for word in set(work.title_words))
    blocks: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, work in enumerate(works):
        for key in set(_keys(work, counts)):
            blocks[key].append(index)
    seen: set[int] = set()  # each pair as one number: a tuple takes three times the memory
    for members in blocks.values():
        for block in _cut(members, works):
            for place, first in enumerate(block):
                for second in block[place + 1 :]:
                    pair = first * len(works) + second
                    if pair not in seen:
                        seen.add(pair)
                        yield first, second


def _keys(work: Traits, counts: Counter[str]) -> Iterator[tuple[str, ...]]:
    yield from work.identifiers
    for isbn in work.isbns:
        yield ("isbn", isbn)
    letters = work.title.replace(" ", "")
    if not letters:
        return
    yield ("title", letters)
    first = work.authors[0] if work.authors else ""
    yield ("begins", letters[:_SHORT_EDGE], first, str(work.year))
    yield ("ends", letters[-_SHORT_EDGE:], first, str(work.year))
    if len(letters) > _EDGE:
        yield ("begins", letters[:_EDGE])
        yield ("ends", letters[-_EDGE:])
    rarest = sorted(set(work.title_words), key=lambda word: (counts[word], word))[:3]
    if len(rarest) >= 2:
        yield ("rare", *sorted(rarest[:2]))
    if len(rarest) == 3:
        yield ("rare", *sorted(rarest[1:]))
        yield ("rare", *sorted((rarest[0], rarest[2])))
    if work.volume and work.page and work.year is not None:
        yield ("place", work.volume, work.page, str(work.year))


def _cut(members: list[int], works: Sequence[Traits]) -> Iterable[list[int]]:
    """A block in pieces that can be compared."""
    if len(members) <= limits.DUPLICATE_BLOCK_MAX:
        return [members]
    pieces: dict[tuple[str, int | None], list[int]] = defaultdict(list)
    for index in members:
        work = works[index]
        first = work.authors[0] if work.authors else ""
        pieces[first, work.year].append(index)
    return [piece[: limits.DUPLICATE_BLOCK_MAX] for piece in pieces.values() if len(piece) > 1]
