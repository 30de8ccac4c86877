"""How cases begin: computers that hold one library and have nothing left to exchange."""

from __future__ import annotations

from tests.support.bibliographies import numbered_entries
from tests.support.computer import Computer


def make_library(computer: Computer, entries: str) -> None:
    """A library with the entries of one BibTeX file, attached to nothing."""
    file = computer.home / "start.bib"
    file.write_text(entries, "utf-8")
    _, imported = computer.run_all([("init", "--name", "Shared works"), ("import", str(file))])
    assert imported["skipped"] == []


def share(url: str, first: Computer, *others: Computer, entries: str = "") -> str:
    """One library on every computer, through the relay at ``url``; returns a ticket for more."""
    make_library(first, entries or numbered_entries(3))
    first.run("attach", url)
    ticket: str = first.run("invite", "--uses", "any", "--expires", "never")["ticket"]
    for other in others:
        other.run("attach", ticket, other.library)
    return ticket
