"""Notes of ProCite and Reference Manager that say a field by its label (``Call Number: QA 76``).

RIS had no tag for what these programs held, so they wrote notes. Only the table and what is looked
up in it.
"""

from __future__ import annotations

import re
from typing import Final

_LABELS: Final = {
    label: field
    for field, labels in {
        "call-number": "call number|call no|call no.|library call number|shelf mark",
        "editor": "editor|editors|editor(s)|ed.|eds.",
        "collection-editor": "series editor|series editors|series editor(s)",
        "archive": "database",
        "source": "database provider",
        "tags": "keywords|descriptors",
        "abstract": "abstract",
        "translator": "translator|translators|translator(s)",
        "language": "language|languages|language(s)",
        "edition": "edition",
        "ISBN": "isbn",
        "ISSN": "issn",
        "DOI": "doi",
        "PMID": "pmid|pubmed id",
        "PMCID": "pmcid",
        "URL": "url|location/url|web address|internet address",
        "accessed": "date accessed|access date|accessed|date retrieved",
        "volume": "volume|volume id",
        "issue": "issue|issue id",
        "number": "report number|patent number",
        "page": "pages|page numbers",
        "title-short": "short title",
        "genre": "document type|type of work|degree",
        "publisher": "publisher|publisher name",
        "publisher-place": "place of publication|publisher place",
        "author-address": "author address|author affiliation|address",
        "accession-number": "accession number",
        "number-of-pages": "number of pages|extent of work",
        "number-of-volumes": "number of volumes",
        "event-place": "place of meeting|conference location|meeting place",
        "event-title": "meeting name|conference name|title of meeting",
        "collection-title": "series title|series",
        "translated-title": "translated title",
        "original-title": "original title",
        "medium": "medium|medium designator",
        "scale": "scale",
    }.items()
    for label in labels.split("|")
}
_LABELLED: Final = re.compile(r"\s*([A-Z][A-Za-z ./()]{1,30}?)\s*:\s+(\S.*)", re.DOTALL)


def labelled_note(text: str) -> tuple[str, str] | None:
    """(field, what is said of it) of a note that is one labelled line; None for any other."""
    if "\n" in text.strip():
        return None
    found = _LABELLED.fullmatch(text.strip())
    field = _LABELS.get(" ".join(found.group(1).lower().split()), "") if found else ""
    return (field, found.group(2).strip()) if found and field else None
