"""What the demo measured and checked: plain values, and the document that --json prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bifolio.errors import BifolioError
from bifolio_cli.json_documents import DemoCheck, DemoReport


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence about the two libraries, and whether it holds."""

    sentence: str
    holds: bool


@dataclass(slots=True)
class Outcome:
    """Everything that the story found out, collected on its way."""

    checks: list[Check] = field(default_factory=list)
    references: dict[str, int] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    state: str = ""

    def check(self, sentence: str, holds: bool) -> None:
        """Note whether the sentence holds; ``require`` ends the demo where one did not."""
        self.checks.append(Check(sentence, holds))

    def require(self) -> None:
        """Raise unless every sentence holds.

        Raises:
            BifolioError: names those that do not.
        """
        broken = [check.sentence for check in self.checks if not check.holds]
        if broken:
            raise BifolioError(
                f"The demo found a fault of Bifolio. This does not hold: {'; '.join(broken)}.",
                next_step="Run 'bifolio demo --keep' to keep the two libraries, and report it.",
            )

    def report(self, folder: Path | None) -> DemoReport:
        """The document of ``bifolio demo --json``; ``folder`` is what --keep left behind."""
        return DemoReport(
            references=self.references,
            conflicts=self.conflicts,
            state=self.state,
            seconds={name: round(value, 3) for name, value in self.seconds.items()},
            bytes=self.bytes,
            checks=tuple(DemoCheck(one.sentence, one.holds) for one in self.checks),
            folder=folder,
        )
