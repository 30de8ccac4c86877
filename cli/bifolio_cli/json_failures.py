"""What any command may print with --json: that it failed, or the version."""

from __future__ import annotations

from bifolio.errors import NextStep
from bifolio.results.base import Result


class ErrorDocument(Result, frozen=True):
    """What could not be done: a code that stays the same, one sentence, and what to do about it."""

    code: str
    message: str
    next: NextStep | None


class Failure(Result, frozen=True):
    """The document of a command that failed."""

    error: ErrorDocument


class Version(Result, frozen=True):
    """Bifolio's version."""

    version: str
