"""In which order references are listed: what ``--sort`` takes."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from bifolio.errors import InvalidValueError


class Order(StrEnum):
    """What a list is sorted by; ties go by id, so that every computer lists alike."""

    RELEVANCE = "relevance"
    YEAR = "year"
    TITLE = "title"
    AUTHOR = "author"
    KEY = "key"
    ADDED = "added"
    MODIFIED = "modified"
    ID = "id"


class Sort(Struct, frozen=True):
    """An order and its direction."""

    order: Order
    descending: bool = False


def parse_sort(text: str) -> Sort:
    """Read ``year``, ``-year`` (the newest first) and so on.

    Raises:
        InvalidValueError: no such order.
    """
    name = text.strip().lower()
    descending = name.startswith("-")
    try:
        order = Order(name.removeprefix("-"))
    except ValueError:
        orders = ", ".join(one.value for one in Order)
        raise InvalidValueError(
            "sort", expected=f"one of {orders}, with - before it for the reverse", got=f"'{text}'"
        ) from None
    return Sort(order, descending)
