"""References as a citation style writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cited:
    """What a style makes of some references.

    ``citation`` stands in the running text, ``bibliography`` has an entry for each reference in
    the style's order, ``failed`` are the keys of those that could not be formatted. HTML is
    escaped and has no tags but ``i b sub sup span`` and the like.
    """

    style: str
    form: str
    citation: str
    bibliography: tuple[str, ...]
    failed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """``{"style","form","citation","bibliography","failed"}``."""
        return {
            "style": self.style,
            "form": self.form,
            "citation": self.citation,
            "bibliography": list(self.bibliography),
            "failed": list(self.failed),
        }
