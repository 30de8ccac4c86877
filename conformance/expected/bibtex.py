"""What JabRef expects: a BibTeX file next to the input.

It is read by our own BibTeX reader, which has a conformance run of its own; fields that BibTeX
has and CSL lacks are compared under ``jabref.<name>``. JabRef keeps a file's notes in its own
field ``comment``, which is the annotation of a BibTeX file and the note of any other.
"""

from __future__ import annotations

from pathlib import Path

from bifolio.records.reference import Values
from conformance.family import Expected
from conformance.loading import load


def read_bibtex(path: Path) -> tuple[Expected, ...]:
    """The expected values of a BibTeX file, which may hold no entry."""
    if not path.read_text(encoding="utf-8", errors="replace").strip():
        return ()
    return tuple(_expected_values(one.values) for one in load(path, "bibtex").references)


def _expected_values(values: Values) -> Expected:
    expected: Expected = {
        name.replace("x.bibtex.", "jabref."): value
        if not name.startswith("x.")
        else "\n".join(map(str, value))
        for name, value in values.items()
    }
    if "annotation" in expected and "note" not in expected:
        expected["note"] = expected.pop("annotation")
    return expected
