"""Errors about what was searched for."""

from __future__ import annotations

from bifolio.errors.base import UsageError


class QueryError(UsageError):
    """A query of which a part has no meaning."""

    def __init__(self, reason: str, *, next_step: str) -> None:
        self.reason = reason
        super().__init__(f"The query was not understood: {reason}.", next_step=next_step)
