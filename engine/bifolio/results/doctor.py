"""What a self-check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Verdict(StrEnum):
    """How one check ended."""

    WELL = "well"
    #: Something needs its user, who is told the next step.
    ATTENTION = "attention"
    #: It could not be looked at, because of something else that was found, or was left out.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and what to do about it."""

    check: str
    verdict: Verdict
    message: str
    next: str = ""

    def to_json(self) -> dict[str, Any]:
        """``{"check","verdict","message","next"}``."""
        return {
            "check": self.check,
            "verdict": str(self.verdict),
            "message": self.message,
            "next": self.next,
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found about one library on this computer."""

    path: Path
    findings: tuple[Finding, ...]

    @property
    def is_well(self) -> bool:
        """Whether nothing needs attention."""
        return all(one.verdict is not Verdict.ATTENTION for one in self.findings)

    def to_json(self) -> dict[str, Any]:
        """``{"path","well","checks"}``."""
        return {
            "path": str(self.path),
            "well": self.is_well,
            "checks": [one.to_json() for one in self.findings],
        }
