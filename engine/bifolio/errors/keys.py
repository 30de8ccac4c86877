"""Errors about citation keys."""

from __future__ import annotations

from bifolio.errors.base import BifolioError


class KeyTakenError(BifolioError):
    """Another reference has this citation key, or had it and is still found by it."""

    def __init__(self, key: str, *, by: str) -> None:
        self.key = key
        self.by = by
        super().__init__(
            f"The citation key '{key}' stands for another reference ({by}). Nothing was changed.",
            next_step=f"Choose another key, or look at that one with 'bifolio show {by}'.",
        )


class PinnedKeyError(BifolioError):
    """A new citation key for a reference whose key is pinned."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            f"The citation key '{key}' is pinned. Nothing was changed.",
            next_step=f"Run 'bifolio key unpin {key}' first.",
        )
