"""Writes that programs have done: each as a whole or not at all, and none twice.

``WholeWrites(library)``. A program that got no answer sends the same again, also after a crash: the
token of a write is kept in the transaction of the write, for twelve hours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bifolio import limits
from bifolio.storage.write_tokens import WriteTokensTable

if TYPE_CHECKING:
    from bifolio.library.library import Library


class WholeWrites:
    """Whole writes to one library, and the tokens of those of the last hours."""

    def __init__(self, library: Library) -> None:
        self._replica = library._replica
        self._database = library._replica.database
        self._table = WriteTokensTable(self._database)

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is changed inside is durable at the end, or nothing of it was changed; inside of
        another one, a part of it that is undone by itself. Others that write wait meanwhile."""
        with self._database.together():
            yield
        self._replica.mark_edit()

    def is_used(self, token: str) -> bool:
        """Whether the write of a token was done."""
        used_at = self._table.used_at(_hashed(token))
        return used_at is not None and self._now() - used_at < limits.SERVE_TOKEN_KEPT_S

    def use(self, token: str) -> None:
        """Note that the write of a token is done."""
        now = self._now()
        with self._database.transaction():
            self._table.add(_hashed(token), now)
            before = now - int(limits.SERVE_TOKEN_KEPT_S)
            self._table.forget(before=before, most=limits.SERVE_TOKENS_MAX)

    def _now(self) -> int:
        return self._replica.runtime.now_ms() // 1000


def _hashed(token: str) -> bytes:
    return hashlib.blake2b(token.encode(errors="replace"), digest_size=16).digest()
