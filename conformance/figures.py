"""The figures of one format, and how those of its files and cases add up."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.agreement import Agreement
from conformance.roundtrips import Check


@dataclass(slots=True)
class Reading:
    """Files and records read of those that the manifest counts."""

    files: int = 0
    files_read: int = 0
    #: Of the files whose records the manifest counts.
    records_counted: int = 0
    #: Of these, how many were read.
    records_read: int = 0
    #: References of files that the manifest does not count, or beyond its count.
    records_beyond: int = 0
    lost_with_reason: int = 0
    lost: int = 0
    #: One line for each file that gave fewer records.
    reasons: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, other: Reading) -> None:
        """Add the figures of another file."""
        self.files += other.files
        self.files_read += other.files_read
        self.records_counted += other.records_counted
        self.records_read += other.records_read
        self.records_beyond += other.records_beyond
        self.lost_with_reason += other.lost_with_reason
        self.lost += other.lost
        self.reasons += other.reasons
        self.faults += other.faults


@dataclass(slots=True)
class Figures:
    """Everything that the run says of one format."""

    format: str
    reading: Reading = field(default_factory=Reading)
    agreement: Agreement = field(default_factory=Agreement)
    unchanged: Check = field(default_factory=Check)
    touched: Check = field(default_factory=Check)
    #: The way there and back through each other format.
    across: dict[str, Check] = field(default_factory=dict)
    #: Of all processes together.
    seconds: float = 0.0

    def add(self, other: Figures) -> None:
        """Add the figures of another part of the run."""
        self.reading.add(other.reading)
        self.agreement.add(other.agreement)
        self.unchanged.add(other.unchanged)
        self.touched.add(other.touched)
        for name, check in other.across.items():
            self.across.setdefault(name, Check()).add(check)
        self.seconds += other.seconds

    def is_sound(self) -> bool:
        """Whether no record is lost without a reason and every way back is whole."""
        checks = [self.unchanged, self.touched, *self.across.values()]
        return not self.reading.lost and not any(check.faults for check in checks)
