"""What JabRef expects: a BibTeX file beside the input.

It is read by our own BibTeX reader, which has a conformance run of its own; fields that BibTeX
has and CSL lacks are compared under ``jabref.<name>``.
"""

from __future__ import annotations

from pathlib import Path

from conformance.family import Expected
from conformance.loading import load


def read_bibtex(path: Path) -> tuple[Expected, ...]:
    """The expected values of a BibTeX file, which may hold no entry."""
    if not path.read_text(encoding="utf-8", errors="replace").strip():
        return ()
    return tuple(
        {
            name.replace("x.bibtex.", "jabref."): value
            if not name.startswith("x.")
            else "\n".join(map(str, value))
            for name, value in reference.values.items()
        }
        for reference in load(path, "bibtex").references
    )
