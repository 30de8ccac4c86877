"""What is damaged, and from what it is mended: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Source(StrEnum):
    """From what something damaged is mended; the words are those of a report."""

    COPY = "from its second copy in the same file"
    RECORDS = "from the references"
    CHANGES = "from the changes"
    ENVELOPES = "from the sealed changes"
    MEMBERS = "from the list of members"
    CONTENT = "from what is in it"
    RELAY = "from the relay, with the next sync"
    NOTHING = "left out, as it is only of use until the next sync"
    LOST = "by nothing: no copy of it is here, and the damaged one is kept"


@dataclass(slots=True)
class Damages:
    """What was found, by the table and the source."""

    found: dict[tuple[str, Source], int] = field(default_factory=dict)

    def add(self, table: str, source: Source, count: int = 1) -> None:
        """Note so many damaged pieces of a table."""
        if count:
            key = (table, source)
            self.found[key] = self.found.get(key, 0) + count

    @property
    def waits_for_relay(self) -> bool:
        """Whether something is to come from the relay."""
        return any(source is Source.RELAY for _, source in self.found)

    @property
    def has_lost(self) -> bool:
        """Whether something cannot be mended."""
        return any(source is Source.LOST for _, source in self.found)
