"""The indexes by which lists are read in their orders, for a library that is served.

A program that shows a page of a list asks for one after the other, and each is read off an index
at once. Each index costs every merge and import some of its time, so a library has them only from
the first time that it is served; without them a list is sorted when it is read.
"""

from __future__ import annotations

from typing import Final

#: Of the orders of the search index, the columns after ``trashed``: what is sorted by, and what
#: decides between equals.
TIES: Final = {
    "title": "title, id",
    "author": "author, year, title, id",
    "year": "year, title, id",
    "key": "key, id",
}
#: The columns of ``object_versions`` that lists are read by.
_MOMENTS: Final = ("version", "added", "modified")

#: How each of ``orders`` is made, by its name.
OF_ORDERS: Final = {
    f"orders_by_{name}": f"CREATE INDEX orders_by_{name} ON orders (trashed, {columns})"
    for name, columns in TIES.items()
}
#: How every one is made, by its name.
MADE: Final = OF_ORDERS | {
    f"listed_by_{name}": f"CREATE INDEX listed_by_{name} ON object_versions ({name})"
    for name in _MOMENTS
}
