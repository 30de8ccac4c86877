"""What devices are called where they are shown: two that call themselves alike are told apart.

A name is what its device says, so it proves nothing: who joins may call a computer as an owner's is
called. The tag of the slots comes from the device's key; it follows every name that another device
has too, and every name that ends as if it did. Pure.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping

from bifolio.ids import TAG_LENGTH


def distinct_names(names: Mapping[str, str]) -> dict[str, str]:
    """The names of devices by their tags, each on one line, and no two alike."""
    shown = {tag: " ".join(name.split()) or f"device {tag}" for tag, name in names.items()}
    likenesses = {tag: likeness(name) for tag, name in shown.items()}
    counts = Counter(likenesses.values())
    for tag, alike in likenesses.items():
        if counts[alike] > 1 or _ends_in_a_tag(alike):
            shown[tag] = f"{shown[tag]} ({tag})"
    return shown


def likeness(name: str) -> str:
    """Equal for two names that look alike: without case, spaces and what nobody sees."""
    if name.isascii() and name.isprintable():
        return name.casefold().replace(" ", "")
    name = unicodedata.normalize("NFKC", name).casefold()
    return "".join(one for one in name if unicodedata.category(one)[0] not in "CZ")


def _ends_in_a_tag(name: str) -> bool:
    return name.endswith(")") and name[-TAG_LENGTH - 2 : -TAG_LENGTH - 1] == "("
