"""The references and the edits of ``bifolio bench``: the same ones for the same numbers.

Made up, of words without a meaning, as long as real references are: a title of a line, two to six
authors, an abstract of 150 words; 1.6 kB each.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from bifolio.records.edits import Act, Edit

_SEED = 20260101
_SYLLABLES = [first + then for first in "bcdfghklmnprstvz" for then in "aeiou"]
_TYPES = ("article-journal", "article-journal", "article-journal", "book", "chapter", "thesis")

#: Of a hundred edits seventy set a field, ten each add or delete a reference or add to a note.
_SETS, _ADDS, _DELETES = 0.7, 0.8, 0.9

#: One edit in ten is of a reference that every replica edits: one in so many is.
_SHARED_EDITS = 0.1
_SHARED_ONE_IN = 50

_FIELDS = ("title", "publisher", "volume", "issue", "page", "container-title", "abstract")


def references(first: int, last: int) -> Iterator[dict[str, Any]]:
    """CSL-JSON items, from one number up to another."""
    for number in range(first, last):
        yield _reference(number)


class Typist:
    """One user who edits offline. Each call of ``edit`` is one edit of a library."""

    def __init__(self, replica: int, replicas: int, ids: Sequence[str]) -> None:
        shared = max(1, len(ids) // _SHARED_ONE_IN)
        self._choose = random.Random(f"{_SEED}/{replica}/{replicas}")
        self._shared = list(ids[:shared])
        self._own = list(ids[shared + replica :: replicas])
        if not self._own:  # a library of a few references
            self._own = self._shared = list(ids)
        self._made = 0
        self._replica = replica

    def edit(self, library: Any) -> None:
        """Make the next edit in a library."""
        choose = self._choose
        pool = self._shared if choose.random() < _SHARED_EDITS else self._own
        place = choose.randrange(len(pool))
        kind = choose.random()
        if _SETS <= kind < _ADDS:
            self._made += 1
            title = f"{_words(choose, 8)} {self._replica} {self._made}"
            library.add({"type": "book", "title": title, "author": [_person(choose)]})
        elif _ADDS <= kind < _DELETES and pool is self._own and len(pool) > 1:
            pool[place], pool[-1] = pool[-1], pool[place]
            library.delete([pool.pop()])
        elif kind >= _DELETES:
            text = f"{_words(choose, 6)}."
            library.edit(pool[place], [Edit("note", Act.ADD, (text,))])
        else:
            value = _words(choose, 4)
            library.edit(pool[place], [Edit(choose.choice(_FIELDS), Act.SET, (value,))])


def _reference(number: int) -> dict[str, Any]:
    choose = random.Random(f"{_SEED}/{number}")
    page = choose.randint(1, 3000)
    authors = [_person(choose).split(", ") for _ in range(choose.randint(2, 6))]
    return {
        "id": f"bench{number}",
        "type": choose.choice(_TYPES),
        "title": _words(choose, choose.randint(9, 15)).capitalize(),
        "author": [{"family": family, "given": given} for family, given in authors],
        "issued": {"date-parts": [[choose.randint(1960, 2025)]]},
        "container-title": _words(choose, 4).title(),
        "volume": str(choose.randint(1, 200)),
        "issue": str(choose.randint(1, 24)),
        "page": f"{page}-{page + choose.randint(3, 30)}",
        "DOI": f"10.{choose.randint(1000, 9999)}/{number:08x}",
        "URL": f"https://example.org/{number:08x}",
        "abstract": _words(choose, choose.randint(120, 180)),
        "keyword": ", ".join(_words(choose, 1) for _ in range(4)),
    }


def _words(choose: random.Random, count: int) -> str:
    return " ".join(
        "".join(choose.choices(_SYLLABLES, k=choose.choice((2, 2, 3, 4)))) for _ in range(count)
    )


def _person(choose: random.Random) -> str:
    return f"{_words(choose, 1).capitalize()}, {choose.choice('ABCDEFGHJKLMNPRSTW')}."
