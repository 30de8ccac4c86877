"""What Zotero's translators expect: items of Zotero's types and fields, in our names."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bifolio.records.fields import FORMS, Form
from bifolio.records.names import Name
from conformance.expected.dates import read_date
from conformance.family import Case, Expected

_TYPES: Final = {
    "artwork": "graphic",
    "audioRecording": "song",
    "bill": "bill",
    "blogPost": "post-weblog",
    "book": "book",
    "bookSection": "chapter",
    "case": "legal_case",
    "computerProgram": "software",
    "conferencePaper": "paper-conference",
    "dataset": "dataset",
    "dictionaryEntry": "entry-dictionary",
    "document": "document",
    "email": "personal_communication",
    "encyclopediaArticle": "entry-encyclopedia",
    "film": "motion_picture",
    "forumPost": "post",
    "hearing": "hearing",
    "instantMessage": "personal_communication",
    "interview": "interview",
    "journalArticle": "article-journal",
    "letter": "personal_communication",
    "magazineArticle": "article-magazine",
    "manuscript": "manuscript",
    "map": "map",
    "newspaperArticle": "article-newspaper",
    "patent": "patent",
    "podcast": "song",
    "preprint": "article",
    "presentation": "speech",
    "radioBroadcast": "broadcast",
    "report": "report",
    "standard": "standard",
    "statute": "legislation",
    "thesis": "thesis",
    "tvBroadcast": "broadcast",
    "videoRecording": "motion_picture",
    "webpage": "webpage",
}

#: Our field, then Zotero's names for it.
_FIELDS: Final = """
title: title caseName subject nameOfAct
title-short: shortTitle
abstract: abstractNote
issued: date dateDecided issueDate dateEnacted
accessed: accessDate
container-title: publicationTitle bookTitle proceedingsTitle encyclopediaTitle dictionaryTitle
container-title: blogTitle websiteTitle programTitle forumTitle reporter code
container-title-short: journalAbbreviation
authority: court legislativeBody issuingAuthority
chapter-number: session
collection-title: series seriesTitle
collection-number: seriesNumber
volume: volume codeVolume reporterVolume
issue: issue
page: pages codePages firstPage
number-of-pages: numPages
number-of-volumes: numberOfVolumes
number: reportNumber patentNumber billNumber docketNumber documentNumber publicLawNumber
number: identifier number
edition: edition
version: versionNumber
section: section committee
publisher: publisher institution university label company studio distributor network repository
publisher-place: place
event-title: conferenceName
genre: thesisType reportType manuscriptType letterType mapType websiteType genre type
DOI: DOI
ISBN: ISBN
ISSN: ISSN
URL: url
language: language
call-number: callNumber
archive: archive
accession-number: archiveLocation
source: libraryCatalog
license: rights
citation-key: citationKey
dimensions: artworkSize runningTime
medium: artworkMedium videoRecordingFormat audioRecordingFormat
scale: scale
references: references history
status: legalStatus
"""

_NAMES: Final = {
    name: field
    for line in _FIELDS.strip().splitlines()
    for field, _, names in [line.partition(": ")]
    for name in names.split()
}

#: A type's first kind of creator is its author, whatever Zotero calls it.
_FIRST_ROLES: Final = {
    "film": "director",
    "videoRecording": "director",
    "tvBroadcast": "director",
    "radioBroadcast": "director",
    "audioRecording": "performer",
}

#: Zotero's kinds of creator that are not what CSL calls them.
_CREATORS: Final = {
    "artist": "author",
    "attorneyAgent": "zotero.attorneyAgent",
    "bookAuthor": "container-author",
    "cartographer": "author",
    "castMember": "zotero.castMember",
    "commenter": "zotero.commenter",
    "cosponsor": "zotero.cosponsor",
    "counsel": "zotero.counsel",
    "interviewee": "author",
    "inventor": "author",
    "podcaster": "author",
    "presenter": "author",
    "programmer": "author",
    "reviewedAuthor": "reviewed-author",
    "scriptwriter": "script-writer",
    "seriesEditor": "collection-editor",
    "sponsor": "author",
    "wordsBy": "zotero.wordsBy",
}

_IGNORED: Final = frozenset({"itemType", "creators", "attachments", "seeAlso", "itemID", "extra"})

_EXTRA_LINES: Final = {
    "PMID": "PMID",
    "PMCID": "PMCID",
    "DOI": "DOI",
    "Original Date": "original-date",
    "Publisher": "publisher",
    "Place": "publisher-place",
    "ISBN": "ISBN",
    "ISSN": "ISSN",
    "Volume": "volume",
    "Section": "section",
    "Edition": "edition",
    "Number of volumes": "number-of-volumes",
    "Series": "collection-title",
    "Publication Title": "container-title",
}


def cases(path: Path, file_name: str) -> Iterator[Case]:
    """All cases of one of Zotero's files; the inputs are files of that name."""
    for number, stored in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        yield Case(
            f"zotero/{path.name}#{number}",
            stored["input"].encode(),
            tuple(values(one) for one in stored["items"]),
            file_name,
        )


def values(stored: Mapping[str, Any]) -> Expected:
    """The expected values of one item."""
    expected: Expected = {"type": _TYPES.get(stored["itemType"], stored["itemType"])}
    for name, value in stored.items():
        if name in _IGNORED or value in ("", [], None):
            continue
        if name == "tags":
            expected["tags"] = tuple(
                one["tag"] if isinstance(one, dict) else str(one) for one in value
            )
        elif name == "notes":
            expected["note"] = "\n\n".join(
                _text_of_note(one["note"] if isinstance(one, dict) else str(one)) for one in value
            )
        else:
            _add(expected, _NAMES.get(name, f"zotero.{name}"), str(value))
    creators: dict[str, list[Name]] = {}
    for creator in stored.get("creators", ()):
        role = _CREATORS.get(creator["creatorType"], creator["creatorType"])
        if role == _FIRST_ROLES.get(stored["itemType"]):
            role = "author"
        creators.setdefault(role, []).append(_name(creator))
    expected |= {role: tuple(names) for role, names in creators.items()}
    for line in str(stored.get("extra", "")).splitlines():
        name, colon, text = line.partition(": ")
        if colon and text.strip():
            _add(expected, _EXTRA_LINES.get(name, f"zotero.extra {name}"), text.strip())
    return expected


def _add(expected: Expected, field: str, text: str) -> None:
    form = FORMS.get(field)
    if form is Form.DATE:
        expected[field] = read_date(text)
    elif form is Form.STRINGS:
        expected[field] = (text,) if field == "URL" else tuple(re.split(r"[,\s]\s*", text))
    elif field in expected:
        expected[f"zotero.second {field}"] = text
    else:
        expected[field] = text


def _name(creator: Mapping[str, Any]) -> Name:
    if not creator.get("firstName"):
        return Name(literal=str(creator.get("lastName") or creator["name"]))
    return Name(family=str(creator["lastName"]), given=str(creator["firstName"]))


def _text_of_note(note: str) -> str:
    return html.unescape(re.sub(r"<[^<>]+>", "", note)).strip()
