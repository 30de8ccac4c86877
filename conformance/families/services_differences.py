"""What is known to differ in the formats of search services, all of them Zotero's cases."""

from __future__ import annotations

from typing import Final

from conformance.agreement import plain_texts
from conformance.family import Difference, Disagreement


def _letters(value: object) -> str:
    return "".join(one for one in str(value).casefold() if one.isalnum())


def _same_letters(found: Disagreement) -> bool:
    return _letters(plain_texts(found.expected)) == _letters(plain_texts(found.ours))


def _is_the_accession_number(found: Disagreement) -> bool:
    if found.field != "call-number":
        return False
    ours = _letters(found.values.get("accession-number", ""))
    return bool(ours) and ours in _letters(plain_texts(found.expected))


_LEGAL: Final = frozenset({"zotero/extra_mods.json#12", "zotero/extra_mods.json#13"})

DIFFERENCES: Final = (
    Difference(
        "letters-and-points",
        "Zotero changes capitals, takes off a full stop at a title's end and points abbreviations; "
        "ours has what the file has.",
        _same_letters,
    ),
    Difference(
        "accession-number",
        "A number in a database is the accession number, not a call number.",
        _is_the_accession_number,
    ),
    Difference(
        "provider",
        "The service that a file comes from is no value of the record unless the record names it.",
        lambda found: found.field == "source",
    ),
    Difference(
        "headings-whole",
        "A subject heading stays with its qualifiers; Zotero cuts them off.",
        lambda found: found.field == "tags",
    ),
    Difference(
        "notes-joined",
        "Zotero writes the kind of a note before it, and adds notes on what it has no field for.",
        lambda found: found.field == "note",
    ),
    Difference(
        "repository",
        "PubMed has the archive of a preprint as its journal, and so have we.",
        lambda found: (
            found.field in ("publisher", "publisher-place", "container-title")
            and found.case.startswith("zotero/extra_pubmed_xml")
        ),
    ),
    Difference(
        "page-once",
        "A work of one page has one page.",
        lambda found: (
            found.field == "page"
            and plain_texts(found.expected) == ["-".join(2 * plain_texts(found.ours))]
        ),
    ),
    Difference(
        "number-once",
        "A serial number is without the words behind it; of several call numbers the first counts.",
        lambda found: found.field in ("ISBN", "call-number") and found.ours is not None,
    ),
    Difference(
        "assignee",
        "The owner of a patent is an extra field.",
        lambda found: found.field == "zotero.assignee",
    ),
    Difference(
        "journal-as-written",
        "Ovid writes journal, meeting and date in one line, which is read up to its first number.",
        lambda found: (
            found.case == "zotero/extra_ovid_tagged.json#2"
            and found.field in ("container-title", "issued")
        ),
    ),
    Difference(
        "congress",
        "Zotero reads the parts of American laws out of extensions and titles of MODS.",
        lambda found: found.case in _LEGAL,
    ),
    Difference(
        "catalogue",
        "Kinds of catalogues: sheet music is a musical score, a meeting is the event of a paper, a "
        "name without a role is an author; a place's holdings are no accession number.",
        lambda found: (
            found.case.startswith("zotero/extra_mods")
            and found.field in ("type", "accession-number", "author", "publisher")
        ),
    ),
)
