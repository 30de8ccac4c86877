"""Files to references: which format it is, and record after record through the mapping.

The text of the file is held in memory once (and for BibTeX its entries, because a parent may come
after its children); references are made and handed on one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bifolio.errors import FileFormatError, Next
from bifolio.formats import services_reading
from bifolio.formats.bibtex import blocks as bibtex_blocks
from bifolio.formats.bibtex import crossref
from bifolio.formats.bibtex.macros import find_overlong, macro_definition, macros_of
from bifolio.formats.bibtex.values import own_tags
from bifolio.formats.bounds import OUTSIDE_LEFT_OUT, OutsideTexts
from bifolio.formats.csl import items as csl_json
from bifolio.formats.csl import splitting as csl_json_items
from bifolio.formats.databases.linked_files import LinkedFiles
from bifolio.formats.encodings import read_text
from bifolio.formats.endnote import records as endnote_records
from bifolio.formats.endnote import xml as endnote_xml
from bifolio.formats.endnote.files import XmlAttachments
from bifolio.formats.field_collector import MappedRecord
from bifolio.formats.file_facts import BibtexFacts, RisFacts, ZoteroFacts
from bifolio.formats.foreign_formats import foreign_kind, is_foreign
from bifolio.formats.imported import make_reference, of_source
from bifolio.formats.library_facts import add_facts, merge_facts
from bifolio.formats.registry import (
    BIBTEX,
    CSL_JSON,
    ENDNOTE_XML,
    ENW,
    FAMILIES,
    IMPORT_FORMATS,
    NBIB,
    RIS,
    SOURCES,
    ZOTERO,
    ReadFamily,
)
from bifolio.formats.tagged import lines as tagged_lines
from bifolio.formats.zotero import json_items as zotero_json
from bifolio.limits import MACRO_CHARACTERS_MAX
from bifolio.records.library_facts import LIBRARY_FORMATS, LibraryFacts
from bifolio.records.reference import (
    ImportedBlocks,
    ImportedGroup,
    ImportedReference,
    LeftOut,
    SkippedRecord,
    Source,
    Values,
)

Progress = Callable[[int, int], None]
Read = ImportedReference | ImportedBlocks | ImportedGroup | SkippedRecord | LeftOut

#: Progress is reported this often: a bar that moves more often is not seen to.
_PROGRESS_RECORDS: Final = 64

#: The beginning of a file in which its format shows. Search exports have long prefaces.
_SAMPLE_CHARACTERS: Final = 256 * 1024

_OVERLONG: Final = (
    f"is longer than {MACRO_CHARACTERS_MAX:,} characters; its name is kept in its place"
)

#: Of a longer BibTeX text the entries are not kept between its two passes (macros may be
#: anywhere, parents behind their children), but cut out again: a tenth of the time of reading.
_KEPT_CHARACTERS: Final = 4_000_000

_LATE_TYPE: Final = "TY is in the midst of this record; what is before it was read as part of it"
_ZOTERO_CHILD: Final = "it is a note or a file of Zotero's that belongs to no reference here"


def read(
    path: Path,
    *,
    format: str | None = None,
    encoding: str | None = None,
    links: LinkedFiles | None = None,
    progress: Progress | None = None,
) -> Iterator[Read]:
    """Everything that a file holds; its blocks come before the references that name them.

    Args:
        path: the file.
        format: one of ``IMPORT_FORMATS``; by default the content tells, then the suffix.
        encoding: the file's character set; by default its bytes tell.
        links: where files may be that the file names and that are not next to it; by default none
            of them is taken.
        progress: called with (bytes done, bytes in all) now and then.

    Raises:
        FileFormatError: nothing of the file can be read. An empty file gives nothing and is
            no error.
    """
    expected = _expected_words(path, format)
    text, remark = read_text(path, expected=expected, encoding=encoding)
    if not text.strip():
        return
    family = _family(path, text, format)
    if remark is not None:
        yield SkippedRecord(str(path), remark.line, remark.reason, is_remark=True)
    reader = _LINKING_READERS.get(family.name)
    records = reader(path, text, links) if reader else _READERS[family.name](path, text)
    yield from _with_progress(records, path.stat().st_size, text.count("\n") + 1, progress)


def map_source(source: Source, blocks: ImportedBlocks | None = None) -> Values:
    """The mapped values of a source, as an import would give them today.

    A source of a format that this version does not know maps to nothing.
    """
    return map_sources([(source, blocks)])[0]


def map_sources(versions: Sequence[tuple[Source, ImportedBlocks | None]]) -> list[Values]:
    """The mapped values of each version of one record, oldest first.

    What a version cannot say (an XML export knows no groups) is as the one before said it.
    """
    mapped: list[Values] = []
    said: list[LibraryFacts | None] = []
    for source, blocks in versions:
        said.append(source.library)
        values = trace(source, blocks).values
        mapped.append(add_facts(values, merge_facts(said), format=source.format))
    return mapped


def is_older(source: Source, other: Source) -> bool:
    """Whether both say when the record was changed, and this one earlier."""
    if source.library is None or other.library is None:
        return False
    this, that = source.library.changed or "", other.library.changed or ""
    return "" not in (this, that) and (len(this), this) < (len(that), that)


def comes_as_library(format: str) -> bool:
    """Whether records of this format come in whole libraries, and perhaps in files too."""
    return format in LIBRARY_FORMATS


def trace(source: Source, blocks: ImportedBlocks | None) -> MappedRecord:
    """The values of the record itself, and which fields each of its tags fed."""
    family = SOURCES.get(source.format)
    if family is None:
        return MappedRecord({}, tuple(frozenset() for _ in source.tags))
    return family.trace(source, blocks)


def source_identity(source: Source) -> tuple[str, bool]:
    """(the source's own id, whether it is the only one in the world).

    A citation key and an RIS ``ID`` are names that two files may both use; a PubMed id is given
    once, and so is the number of a record in an EndNote library that has an id of its own.
    """
    unique = (source.format == NBIB.name and source.id.isdigit()) or (
        source.format in LIBRARY_FORMATS and bool(source.id)
    )
    return source.id, unique


def _expected_words(path: Path, format: str | None) -> str:
    """What the file should hold, in words."""
    if format is None:
        *others, last = dict.fromkeys(family.shown for family in FAMILIES.values())
        return f"{', '.join(others)} or {last}"
    family = IMPORT_FORMATS.get(format)
    if family is None:
        raise FileFormatError(
            str(path),
            expected=f"one of the formats {', '.join(IMPORT_FORMATS)}",
            got=f"the format '{format}'",
            next_step=Next.LEAVE_OUT_FORMAT,
        )
    return family.shown


def _family(path: Path, text: str, format: str | None) -> ReadFamily:
    """The format by name, by content, or by suffix, in this order."""
    sample = text[:_SAMPLE_CHARACTERS]
    marks = {family: found for family in FAMILIES.values() if (found := family.mark.search(sample))}
    if format is not None:
        family = IMPORT_FORMATS[format]
        if family in marks or family.mark.search(text) or _is_only_comments(text, family):
            return family
        other = min(marks, key=lambda one: marks[one].start()).shown if marks else None
        kind, way = foreign_kind(text)
        raise FileFormatError(
            str(path), expected=family.shown, got=other or kind, next_step=None if other else way
        )
    if marks and not is_foreign(text):
        return min(marks, key=lambda one: marks[one].start())
    for family in FAMILIES.values():
        named = path.suffix.lower() in family.suffixes
        if named and (family.mark.search(text) or _is_only_comments(text, family)):
            return family
    kind, way = foreign_kind(text)
    raise FileFormatError(str(path), expected=_expected_words(path, None), got=kind, next_step=way)


def _is_only_comments(text: str, family: ReadFamily) -> bool:
    lines = (line.strip() for line in text.split("\n"))
    return family is BIBTEX and all(not line or line.startswith("%") for line in lines)


def _entries(text: str) -> Iterator[bibtex_blocks.BibtexEntry]:
    """The entries of a BibTeX text, cut out again."""
    return (one for one in bibtex_blocks.split(text) if isinstance(one, bibtex_blocks.BibtexEntry))


def _pop_each(entries: list[bibtex_blocks.BibtexEntry]) -> Iterator[bibtex_blocks.BibtexEntry]:
    """The entries in their order, each forgotten once it was given."""
    entries.reverse()
    while entries:
        yield entries.pop()


def _read_bibtex(path: Path, text: str, links: LinkedFiles | None) -> Iterator[Read]:
    blocks, free = OutsideTexts(), OutsideTexts()
    entries: list[bibtex_blocks.BibtexEntry] = []
    defined: dict[str, int] = {}
    parent_keys: set[str] = set()
    keeps = len(text) <= _KEPT_CHARACTERS
    for found in bibtex_blocks.split(text):
        if isinstance(found, bibtex_blocks.BibtexEntry):
            parent_keys |= crossref.find_parent_keys(found)
            if keeps:
                entries.append(found)
        elif isinstance(found, bibtex_blocks.UnreadableBlock):
            yield SkippedRecord(str(path), found.line, found.reason)
        else:
            if not (free if found.free else blocks).add(found.text):
                continue
            if (definition := macro_definition(found.text)) is not None:
                defined[definition[0]] = found.line
            if found.problem:
                yield SkippedRecord(str(path), found.line, f"{found.problem}; kept as it is")
    imported = _blocks(BIBTEX, blocks.texts, free.texts)
    if imported is not None:
        yield imported
    if blocks.is_cut or free.is_cut:
        yield SkippedRecord(str(path), 0, OUTSIDE_LEFT_OUT)
    macros = macros_of(imported)
    longest = max(map(len, macros.values()), default=0)
    for name, line in defined.items():
        if name not in macros:
            yield SkippedRecord(str(path), line, f"the macro '{name}' {_OVERLONG}")
    facts = BibtexFacts(path, imported.blocks if imported is not None else (), links)
    yield from facts.left_out()
    parents = crossref.Parents(parent_keys, entries if keeps else _entries(text))
    for entry in _pop_each(entries) if keeps else _entries(text):
        if entry.problem:
            yield SkippedRecord(str(path), entry.line, entry.problem, is_remark=entry.is_remark)
        tags = (*own_tags(entry.tags), *parents.find_inherited(entry))
        if longest and (long := find_overlong(tags, macros, longest=longest)):
            named = ", ".join(f"'{tag}'" for tag in long)
            yield SkippedRecord(str(path), entry.line, f"the text of macros in {named} {_OVERLONG}")
        one = make_reference(path, BIBTEX, entry.type, entry.key, tags, entry.line, imported)
        whole = facts.add_to(one) if isinstance(one, ImportedReference) else one
        yield from facts.new_groups()
        yield whole
    yield from facts.new_groups()


def _read_ris(path: Path, text: str, links: LinkedFiles | None) -> Iterator[Read]:
    facts = RisFacts(path, links)
    outside = OutsideTexts()
    for found in tagged_lines.split(text) if tagged_lines.holds_outside_text(text) else ():
        if isinstance(found, tagged_lines.OutsideText):
            outside.add(found.text)
            outside.is_cut = outside.is_cut or found.is_cut
    imported = _blocks(RIS, [], outside.texts)
    if imported is not None:
        yield imported
    if outside.is_cut:
        yield SkippedRecord(str(path), 0, OUTSIDE_LEFT_OUT)
    count = 0
    all_ended = True
    cut: tagged_lines.TaggedRecord | None = None
    for found in tagged_lines.split(text):
        if isinstance(found, tagged_lines.OutsideText):
            continue
        if cut is not None:
            all_ended = False
        cut = None if found.ended else found
        count += 1
        if found.is_joined:
            yield SkippedRecord(str(path), found.line, _LATE_TYPE, is_remark=True)
        one = _tagged(path, RIS, found, "ID", imported)
        yield facts.add_to(one) if isinstance(one, ImportedReference) else one
    # Some tools write no ER at all, and people forget the last one.
    if cut is not None and ((all_ended and count > 2) or not text.endswith("\n")):
        reason = "the file ends inside this record, before its ER line; imported as far as it goes"
        yield SkippedRecord(str(path), cut.line, reason)


def _tagged(
    path: Path,
    family: ReadFamily,
    found: tagged_lines.TaggedRecord,
    id_tag: str,
    imported: ImportedBlocks | None,
) -> ImportedReference | SkippedRecord:
    if found.refusal:
        return SkippedRecord(str(path), found.line, found.refusal)
    if not any(raw for _, raw in found.tags):
        return SkippedRecord(str(path), found.line, "the record holds nothing but its type")
    own_id = next((raw for tag, raw in found.tags if tag == id_tag), "")
    return make_reference(path, family, found.type, own_id, tuple(found.tags), found.line, imported)


def _json_values(text: str, *, naming: str) -> Iterator[Any]:
    """What a JSON text holds, if the member is in it at all."""
    for found in csl_json_items.split(text) if f'"{naming}"' in text else ():
        if isinstance(found, csl_json_items.JsonItem):
            yield found.value


def _read_csl_json(path: Path, text: str, links: LinkedFiles | None) -> Iterator[Read]:
    found_any = False
    children = zotero_json.Children(_json_values(text, naming="parentItem"))
    collections = (
        one.value
        for one in _json_values(text, naming="collections")
        if isinstance(one, csl_json_items.JsonCollections)
    )
    facts = ZoteroFacts(path, collections, links)
    yield from facts.groups
    for found in csl_json_items.split(text):
        if isinstance(found, csl_json_items.JsonDamage):
            if not found_any:
                got = f"JSON that cannot be read: {found.reason}"
                raise FileFormatError(str(path), expected=CSL_JSON.shown, got=got)
            reason = f"{found.reason}; what comes after this line was not read"
            yield SkippedRecord(str(path), found.line, reason)
            continue
        found_any = True
        if isinstance(found, csl_json_items.JsonRefusal):
            yield SkippedRecord(str(path), found.line, found.reason)
            continue
        if isinstance(found.value, csl_json_items.JsonCollections):
            continue
        if zotero_json.is_item(found.value):
            if zotero_json.is_cited(found.value):
                item = children.add_to(found.value)
                inner = zotero_json.members(item)
                one = facts.with_facts(zotero_json.source(item), inner)
                whole = of_source(path, ZOTERO, one, found.line, None)
                yield facts.add_to(whole, inner) if isinstance(whole, ImportedReference) else whole
            elif found.value not in children:
                yield SkippedRecord(str(path), found.line, _ZOTERO_CHILD)
            continue
        if not csl_json.is_item(found.value):
            yield SkippedRecord(str(path), found.line, "the JSON value is not a CSL item")
            continue
        one = csl_json.source(found.value)
        yield make_reference(path, CSL_JSON, one.type, one.id, one.tags, found.line, None)
    yield from facts.left_out()


def _read_enw(path: Path, text: str) -> Iterator[Read]:
    return _read_lines(path, ENW, tagged_lines.ENW_LINES.split(text), "F")


def _read_nbib(path: Path, text: str) -> Iterator[Read]:
    return _read_lines(path, NBIB, tagged_lines.NBIB_LINES.split(text), "PMID")


def _read_lines(
    path: Path,
    family: ReadFamily,
    records: Iterable[tagged_lines.TaggedRecord | tagged_lines.OutsideText],
    id_tag: str,
) -> Iterator[Read]:
    """Text outside of records comes before the first of them."""
    imported: ImportedBlocks | None = None
    for found in records:
        if isinstance(found, tagged_lines.OutsideText):
            imported = _blocks(family, [], [found.text])
            if imported is not None:
                yield imported
            if found.is_cut:
                yield SkippedRecord(str(path), found.line, OUTSIDE_LEFT_OUT)
            continue
        yield _tagged(path, family, found, id_tag, imported)


def _read_endnote_xml(path: Path, text: str, links: LinkedFiles | None) -> Iterator[Read]:
    if endnote_records.has_document_type(text):
        raise FileFormatError(
            str(path),
            expected=ENDNOTE_XML.shown,
            got="XML with a document type declaration, which may read other files",
            next_step="Export the library from EndNote again: it writes none.",
        )
    kept = XmlAttachments(path, links)
    for found in endnote_records.split(text):
        if isinstance(found, endnote_records.XmlDamage):
            yield SkippedRecord(str(path), found.line, found.reason)
        elif not any(raw for _, raw in found.tags):
            yield SkippedRecord(str(path), found.line, "the record holds nothing but its type")
        else:
            own_id = endnote_xml.identity(found.tags)
            one = make_reference(
                path, ENDNOTE_XML, found.type, own_id, found.tags, found.line, None
            )
            yield kept.add_to(one) if isinstance(one, ImportedReference) else one


def _blocks(family: ReadFamily, blocks: list[str], free: list[str]) -> ImportedBlocks | None:
    """The file's own blocks; text outside of any is one block, the last."""
    joint = "\n\n" if family is BIBTEX else "\n"
    whole = [*blocks, *([joint.join(free)] if free else [])]
    return ImportedBlocks(family.name, tuple(whole)) if whole else None


def _with_progress(
    records: Iterable[Read], size_bytes: int, lines: int, progress: Progress | None
) -> Iterator[Read]:
    """The records, with word of how far they reach: bytes by the share of lines."""
    number = 0
    for number, record in enumerate(records, 1):
        yield record
        if progress is not None and number % _PROGRESS_RECORDS == 0:
            line = getattr(record, "line", 0)
            progress(min(size_bytes, size_bytes * line // lines), size_bytes)
    if progress is not None:
        progress(size_bytes, size_bytes)


_READERS: Final[dict[str, Callable[[Path, str], Iterator[Read]]]] = {
    ENW.name: _read_enw,
    NBIB.name: _read_nbib,
    **services_reading.READERS,
}

#: Those whose records name files that may be elsewhere.
_LINKING_READERS: Final[dict[str, Callable[[Path, str, LinkedFiles | None], Iterator[Read]]]] = {
    BIBTEX.name: _read_bibtex,
    RIS.name: _read_ris,
    CSL_JSON.name: _read_csl_json,
    ENDNOTE_XML.name: _read_endnote_xml,
}
