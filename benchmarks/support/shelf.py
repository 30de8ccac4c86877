"""A library of derived rows: what searches and duplicates read, without 100,000 documents.

The references are ``bibliography``'s, read and mapped as an import does. For seven of ten an
abstract of a hundred words, made of the titles of others, stands for those that bibliographies
of books lack; tags and groups are given by number.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.support.bibliography import write_bibliography

from bifolio.document.view import RecordView
from bifolio.formats import read
from bifolio.records.reference import ImportedReference
from bifolio.replica.projection import reference_row
from bifolio.storage.derived import DerivedReference, ReferenceRow
from bifolio.storage.references import References

#: A tag that few have and one that every fourth has; a group that holds half of all.
RARE_TAG, COMMON_TAG = "rare tag", "common tag"
GROUP = "e" * 32

_ABSTRACT_TITLES = 12
_AT_ONCE = 500


def rows(folder: Path, count: int) -> Iterator[ReferenceRow]:
    """The rows of ``count`` different references."""
    file = folder / "shelf.bib"
    write_bibliography(file, count)
    titles: list[str] = []
    for number, one in enumerate(read(file)):
        if not isinstance(one, ImportedReference):
            continue
        title = one.values.get("title")
        titles.append(title if isinstance(title, str) else "")
        chosen = [
            titles[(number * 7919 + 31 * place) % len(titles)] for place in range(_ABSTRACT_TITLES)
        ]
        tags = (COMMON_TAG,) * (number % 4 == 0) + (RARE_TAG,) * (number % 5000 == 7)
        values: dict[str, Any] = dict(one.values)
        if number % 10 < 7:
            values["abstract"] = "The " + ". ".join(chosen) + "." + " 活版印刷" * (number % 30 == 0)
        values |= {"tags": tags} if tags else {}
        values |= {"groups": (GROUP,)} if number % 2 == 0 else {}
        rank = ("0" * 18, "iAAAAA1")
        view = RecordView("reference", values, (), trashed=False, purged=False, key_rank=rank)
        yield reference_row(f"{number * 0x9E3779B97F4A7C15 % 2**128:032x}", view)


def fill(references: References, given: Iterator[ReferenceRow]) -> int:
    """Write rows as imports do, in batches; how many they were."""
    count = 0
    batch: list[DerivedReference] = []
    for row in given:
        batch.append(DerivedReference(row))
        count += 1
        if len(batch) == _AT_ONCE:
            references.write(batch)
            batch = []
    references.write(batch)
    return count
