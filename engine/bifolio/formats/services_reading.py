"""Files of search services and other programs to references: readers of ``services``' formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from bifolio.errors import FileFormatError
from bifolio.formats.imported import make_reference
from bifolio.formats.registry import (
    CFF,
    MODS,
    NBIB,
    OVID,
    PUBMED_CSV,
    PUBMED_XML,
    REFWORKS,
    SCOPUS_CSV,
    WOS,
    ReadFamily,
)
from bifolio.formats.services import cff, columns, elements, lines, mods, pubmed_xml
from bifolio.formats.tagged.lines import TaggedRecord
from bifolio.records.reference import ImportedBlocks, ImportedReference, SkippedRecord

Read = ImportedReference | ImportedBlocks | SkippedRecord

_EMPTY: Final = "the record holds nothing but its type"


def _read_wos(path: Path, text: str) -> Iterator[Read]:
    return _tagged(path, WOS, lines.split_wos(text), "UT")


def _read_refworks(path: Path, text: str) -> Iterator[Read]:
    return _tagged(path, REFWORKS, lines.split_refworks(text), "")


def _read_ovid(path: Path, text: str) -> Iterator[Read]:
    return _tagged(path, OVID, lines.split_ovid(text), "AN")


def _tagged(
    path: Path, family: ReadFamily, records: Iterable[TaggedRecord], id_tag: str
) -> Iterator[Read]:
    for found in records:
        if found.refusal or not any(raw for _, raw in found.tags):
            yield SkippedRecord(str(path), found.line, found.refusal or _EMPTY)
            continue
        own_id = next((raw.strip() for tag, raw in found.tags if tag == id_tag), "")
        yield make_reference(path, family, found.type, own_id, tuple(found.tags), found.line, None)


def _read_pubmed_xml(path: Path, text: str) -> Iterator[Read]:
    _refuse_entities(path, PUBMED_XML, text)
    for found in pubmed_xml.records(text):
        if isinstance(found, elements.BrokenXml):
            yield _broken(path, found)
        elif found.tags:
            own_id = next((raw for tag, raw in found.tags if tag == "PMID"), "")
            yield make_reference(path, NBIB, "", own_id, found.tags, found.line, None)


def _read_mods(path: Path, text: str) -> Iterator[Read]:
    _refuse_entities(path, MODS, text)
    for found in mods.records(text):
        if isinstance(found, elements.BrokenXml):
            yield _broken(path, found)
        elif found.tags:
            yield make_reference(path, MODS, "", found.id, found.tags, found.line, None)
        else:
            yield SkippedRecord(str(path), found.line, "the record is empty")


def _refuse_entities(path: Path, family: ReadFamily, text: str) -> None:
    if elements.declares_entities(text):
        raise FileFormatError(
            str(path),
            expected=family.shown,
            got="XML with a document type of its own, which may read other files",
        )


def _broken(path: Path, found: elements.BrokenXml) -> SkippedRecord:
    reason = f"the XML is damaged here ({found.reason}); what comes after this line was not read"
    return SkippedRecord(str(path), found.line, reason)


def _read_scopus_csv(path: Path, text: str) -> Iterator[Read]:
    return _rows(path, SCOPUS_CSV, text, "EID")


def _read_pubmed_csv(path: Path, text: str) -> Iterator[Read]:
    return _rows(path, PUBMED_CSV, text, "PMID")


def _rows(path: Path, family: ReadFamily, text: str, id_column: str) -> Iterator[Read]:
    for row in columns.rows(text):
        if row.refusal:
            yield SkippedRecord(str(path), row.line, row.refusal)
            continue
        own_id = next((cell for column, cell in row.tags if column == id_column), "")
        yield make_reference(path, family, "", own_id, row.tags, row.line, None)


def _read_cff(path: Path, text: str) -> Iterator[Read]:
    try:
        for found in cff.records(text):
            yield make_reference(path, CFF, found.type, "", found.tags, 1, None)
    except cff.CffError as error:
        got = f"YAML that cannot be read in line {error.line} ({error})"
        raise FileFormatError(str(path), expected=CFF.shown, got=got) from None


#: By the name of the format.
READERS: Final[dict[str, Callable[[Path, str], Iterator[Read]]]] = {
    WOS.name: _read_wos,
    REFWORKS.name: _read_refworks,
    OVID.name: _read_ovid,
    PUBMED_XML.name: _read_pubmed_xml,
    MODS.name: _read_mods,
    SCOPUS_CSV.name: _read_scopus_csv,
    PUBMED_CSV.name: _read_pubmed_csv,
    CFF.name: _read_cff,
}
