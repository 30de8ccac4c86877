"""Texts of any script in ASCII: the only user of ``anyascii``.

Its version is pinned: a key that an import makes is the same on every computer.
"""

from __future__ import annotations

import unicodedata


def romanised(text: str) -> str:
    """The text in ASCII, character by character; what has no such form is left out."""
    from anyascii import anyascii

    return anyascii(unicodedata.normalize("NFC", text))
