"""Expressions of the full-text index (FTS5).

Every word is put in quotes, so that none is ever an operator. The search language's tree is turned
into one of these by ``search.search``; what FTS5 wants to be asked is known here alone.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Finds nothing: a word that no text and no mark is.
NOTHING = '"\ue001"'


def phrase(words: Sequence[str], *, prefix: bool = False, columns: Sequence[str] = ()) -> str:
    """Words that are side by side.

    Args:
        prefix: whether the last word may go on.
        columns: of the index, where they are looked for; none: everywhere.
    """
    quoted = f'"{" ".join(words)}"' + (" *" if prefix else "")
    return f"({{{' '.join(columns)}}} : {quoted})" if columns else quoted


def either(parts: Sequence[str]) -> str:
    """What any of the parts finds; of none: nothing."""
    return _bracket(parts, " OR ")


def every(parts: Sequence[str]) -> str:
    """What each of the parts finds."""
    return _bracket(parts, " AND ")


def without(wanted: str, unwanted: str) -> str:
    """What the first finds and the second does not."""
    return f"({wanted} NOT {unwanted})"


def _bracket(parts: Sequence[str], between: str) -> str:
    if not parts:
        return NOTHING
    return parts[0] if len(parts) == 1 else f"({between.join(parts)})"
