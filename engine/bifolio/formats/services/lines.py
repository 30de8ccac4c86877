"""Files of tagged lines cut into records: Web of Science, Ovid, RefWorks.

The lines are read by ``tagged.lines``; what is around records (a head of file, the legend of the
tags) is taken off here. May not know what a tag means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bifolio.formats.tagged.lines import LineLayout, OutsideText, TaggedRecord

_WOS: Final = LineLayout(re.compile(r"([A-Z][A-Z0-9])(?: (.*)|)"), start="PT", typed=True)
_WOS_AROUND: Final = re.compile(r"^(?:FN|VR|EF|ER)(?: .*)?$", re.MULTILINE)
_WOS_RECORD: Final = re.compile(r"^PT(?: |$)", re.MULTILINE)

_REFWORKS: Final = LineLayout(
    re.compile(
        r"(RT|SR|ID|A[1-6]|T[1-4]|J[FO]|YR|FD|VO|IS|SP|OP|K1|AB|NO|ED|PB|PP|SN|AV|AD|AN|LA|CL|SF|OT"
        r"|LK|DO|CN|DB|DS|IP|RD|ST|U[1-9]|U1[0-5]|UL|SL|LL|CR|WT|WV|WP|OL|PMC?ID)(?: (.*)|)"
    ),
    start="RT",
    typed=True,
)
#: Some databases end a record for RefWorks as one of RIS.
_REFWORKS_END: Final = re.compile(r"^ER[ \t]*-?[ \t]*$", re.MULTILINE)
_REFWORKS_BEGIN: Final = re.compile(r"^RT ", re.MULTILINE)

_OVID_NUMBER: Final = re.compile(r"^[ \t]*<\d+\.?[ \t]*>[ \t]*$", re.MULTILINE)
_OVID_TAG: Final = re.compile(r" ?([A-Z][A-Z0-9])  ?- ?(.*)")
#: Labels that Ovid writes on lines of their own, with the text below, for its tags.
_OVID_LABELS: Final = {
    label: tag
    for tag, labels in {
        "AN": "accession number|unique identifier|ovid accession number",
        "AU": "author|authors|authors full name|author(s)",
        "TI": "title|article title|original title",
        "SO": "source|journal source",
        "AB": "abstract",
        "PT": "publication type|publication type/document type|document type",
        "LG": "language",
        "IS": "issn|international standard serial number",
        "IB": "isbn",
        "DI": "digital object identifier|doi",
        "KW": "keywords|keyword|key words|author keywords|keyword heading",
        "SH": "subject headings|mesh subject headings|descriptors|heading words",
        "IN": "institution|author affiliation|affiliation|correspondence address",
        "YR": "year of publication|publication year",
        "DP": "date of publication|publication date",
        "PU": "publisher|publisher information",
        "BT": "book title",
        "JN": "journal name|journal",
        "CP": "country of publication",
        "DB": "database",
    }.items()
    for label in labels.split("|")
}


def split_wos(text: str) -> Iterator[TaggedRecord]:
    """The records of Web of Science: ``PT`` begins one, ``ER`` ends it."""
    found = _WOS_RECORD.search(text)
    start = found.start() if found is not None else 0
    for one in _WOS.split(_WOS_AROUND.sub("", text[start:])):
        if isinstance(one, TaggedRecord):
            yield _moved(one, text.count("\n", 0, start))


def split_refworks(text: str) -> Iterator[TaggedRecord]:
    """The records of RefWorks, behind the legend of its tags."""
    found = _REFWORKS_BEGIN.search(text)
    start = found.start() if found is not None else 0
    for one in _REFWORKS.split(_REFWORKS_END.sub("", text[start:])):
        if isinstance(one, TaggedRecord):
            yield _moved(one, text.count("\n", 0, start))


def split_ovid(text: str) -> Iterator[TaggedRecord]:
    """The records of Ovid, each behind its number; tags with a hyphen, or labels above texts."""
    numbers = list(_OVID_NUMBER.finditer(text))
    line, counted = 1, 0
    for place, found in enumerate(numbers):
        line += text.count("\n", counted, found.start())
        counted = found.start()
        end = numbers[place + 1].start() if place + 1 < len(numbers) else len(text)
        yield _ovid_record(text[found.end() : end], line)


def _ovid_record(text: str, line: int) -> TaggedRecord:
    record = TaggedRecord(line, ended=True)
    tagged = any(_OVID_TAG.fullmatch(one) for one in text.split("\n")[:8])
    tag, pending = "", list[str]()
    for one in text.split("\n"):
        found = _OVID_TAG.fullmatch(one) if tagged else None
        label = one.strip().rstrip(":") if not tagged and one[:1].strip() else ""
        if found is None and not label:
            if one.strip():
                pending.append(one.strip())
            continue
        if tag:
            record.add(tag, "\n".join(pending))
        if found is not None:
            tag, pending = found.group(1), [found.group(2).strip()]
        else:
            tag, pending = _OVID_LABELS.get(label.lower(), label), []
    if tag:
        record.add(tag, "\n".join(pending))
    return record


def _moved(record: TaggedRecord | OutsideText, lines: int) -> TaggedRecord:
    assert isinstance(record, TaggedRecord)
    record.line += lines
    return record
