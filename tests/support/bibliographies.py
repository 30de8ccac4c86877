"""Files to import: slices of the real bibliographies of the demo and small ones made here."""

from __future__ import annotations

from pathlib import Path

DEMO = Path(__file__).parents[2] / "cli" / "bifolio_cli" / "demo" / "libraries"
TYPOGRAPHY = DEMO / "typography.bib"
PRINTING_HISTORY = DEMO / "printing-history.bib"

#: What ``typography.bib`` holds (its README.md).
TYPOGRAPHY_REFERENCES = 5_735


def real_entries(source: Path, *, first: int, count: int) -> str:
    """Some entries of a real BibTeX file, as they are there."""
    entries = [one for one in source.read_text("utf-8").split("\n\n") if one.lstrip()[:1] == "@"]
    chosen = entries[first : first + count]
    assert len(chosen) == count, f"{source.name} has only {len(entries)} entries"
    return "\n\n".join(chosen) + "\n"


def numbered_entries(count: int) -> str:
    """Articles ``work0``, ``work1``, ..., each with a note of three paragraphs."""
    return "\n".join(
        f"@article{{work{number},\n"
        f"  title = {{Work number {number}}},\n"
        f"  author = {{Doe, Jane}},\n"
        f"  journal = {{Journal of Works}},\n"
        f"  volume = {{{number + 1}}},\n"
        f"  note = {{Opening of {number}.\n\nMiddle of {number}.\n\nClosing of {number}.}},\n"
        f"}}\n"
        for number in range(count)
    )
