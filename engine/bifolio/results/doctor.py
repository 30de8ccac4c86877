"""What a self-check found."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from bifolio.errors import NextStep
from bifolio.results.base import Result


class CheckVerdict(StrEnum):
    """How one check ended."""

    WELL = "well"
    #: Something needs its user, who is told the next step.
    ATTENTION = "attention"
    #: It could not be looked at, because of something else that was found, or was left out.
    UNKNOWN = "unknown"


class Finding(Result, frozen=True):
    """One check: what was found, and what to do about it."""

    check: str
    verdict: CheckVerdict
    message: str
    next: NextStep | None = None


class Diagnosis(Result, frozen=True):
    """Everything that was found about one library on this computer; ``well`` where nothing needs
    attention."""

    path: Path
    well: bool
    checks: tuple[Finding, ...]

    @classmethod
    def of(cls, path: Path, checks: tuple[Finding, ...]) -> Diagnosis:
        """The diagnosis that these checks make."""
        well = all(one.verdict is not CheckVerdict.ATTENTION for one in checks)
        return cls(path, well, checks)


class RepairReport(Result, frozen=True):
    """What was damaged of a library on this computer, and what became of it.

    ``kept`` is the damaged file, kept in the library's folder; None where its file was whole.
    ``files`` counts attached files that were damaged and set aside, ``merged`` the changes that
    had been set aside; ``waits`` is why what only the relay has did not come yet.
    """

    mended: tuple[str, ...]
    kept: Path | None
    files: int
    merged: int
    waits: str | None = None
