"""The formats by name: what reads them, what writes them, how a file shows which it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bifolio.formats.bibtex import entries as bibtex
from bifolio.formats.csl import items as csl_json
from bifolio.formats.endnote import xml as endnote_xml
from bifolio.formats.field_collector import MappedRecord
from bifolio.formats.services import cff, columns, mods, ovid, refworks, wos
from bifolio.formats.tagged import enw, nbib, ris
from bifolio.formats.zotero import items as zotero
from bifolio.records.reference import ImportedBlocks, Source, Value, Values

#: The version of all mapping tables and rules together: one character of an import's slot. It
#: goes up whenever an old source would give other values.
MAPPING_VERSION: Final = "1"

Tags = list[tuple[str, str]]

#: What a reader makes of a source: its values, and the fields that each tag fed.
Traced = MappedRecord


@dataclass(frozen=True, slots=True)
class ReadFamily:
    """Formats that share a source layer: how a source of that kind is known and read."""

    name: str
    shown: str
    suffixes: tuple[str, ...]
    #: Text in which this matches is of the family.
    mark: re.Pattern[str]
    #: ``(source, blocks)`` to its values and the fields that each tag fed.
    trace: Callable[[Source, ImportedBlocks | None], Traced]


@dataclass(frozen=True, slots=True)
class Family(ReadFamily):
    """Formats that are written too."""

    #: ``(values, dialect)`` to the type as the format writes it.
    written_type: Callable[[Values, str], str]
    #: ``(field, values, dialect, written type)`` to the tags that say the field.
    emit: Callable[[str, Values, str, str], Tags]
    #: ``(field, value)`` to the tags that carry what has no place; None empties the field.
    carry: Callable[[str, Value | None], Tags]
    render: Callable[[Source], str]
    #: ``(values, reference id)`` to the id that a changed or foreign reference is written with;
    #: None where the format keeps its id among the tags.
    own_id: Callable[[Values, str], str] | None = None
    #: Whether a source's own text may be written again; None: always.
    is_own_shape: Callable[[Source], bool] | None = None
    #: What comes before the first reference, between two, and after the last.
    opening: str = ""
    separator: str = ""
    closing: str = ""


BIBTEX: Final = Family(
    name="bibtex",
    shown="BibTeX",
    suffixes=(".bib", ".bibtex", ".biblatex"),
    mark=re.compile(r"^[ \t]*@\s*\w+\s*[{(]", re.MULTILINE),
    trace=bibtex.trace,
    written_type=bibtex.written_type,
    emit=bibtex.emit,
    carry=bibtex.carry,
    render=bibtex.render,
    own_id=bibtex.own_id,
)

RIS: Final = Family(
    name="ris",
    shown="RIS",
    suffixes=(".ris",),
    mark=re.compile(r"^TY[ \t]{0,3}-(?:[ \t]|\w|$)", re.MULTILINE | re.IGNORECASE),
    trace=ris.trace,
    written_type=ris.written_type,
    emit=ris.emit,
    carry=ris.carry,
    render=ris.render,
)

CSL_JSON: Final = Family(
    name="csl-json",
    shown="CSL-JSON",
    suffixes=(".json", ".csl"),
    mark=re.compile(
        r"\A\s*(?:\[\s*(?:[\[{\]]|(?:\"(?:[^\"\\]|\\.)*+\"|-?\d[\d.]*+|true|false|null)\s*(?:,|\]\s*\Z))"
        r"|\{\s*[\"}])"
    ),
    trace=csl_json.trace,
    written_type=csl_json.written_type,
    emit=csl_json.emit,
    carry=csl_json.carry,
    render=csl_json.render,
    own_id=csl_json.own_id,
    is_own_shape=csl_json.is_own_shape,
    opening="[\n",
    separator=",\n",
    closing="\n]\n",
)

ENW: Final = Family(
    name="enw",
    shown="enw",
    suffixes=(".enw", ".end", ".refer"),
    mark=re.compile(r"^%0[ \t]+\S|^%[A-Z][ \t]+\S.*\n%[A-Z][ \t]+\S", re.MULTILINE),
    trace=enw.trace,
    written_type=enw.written_type,
    emit=enw.emit,
    carry=enw.carry,
    render=enw.render,
)

ENDNOTE_XML: Final = Family(
    name=endnote_xml.NAME,
    shown="EndNote XML",
    suffixes=(".xml", ".endx"),
    mark=re.compile(
        r"<xml\b[^>]*>\s*<records\b|<records>\s*<record\b|<record>\s*<database\b"
        r"|<EndNote>\s*<Cite\b"
    ),
    trace=endnote_xml.trace,
    written_type=endnote_xml.written_type,
    emit=endnote_xml.emit,
    carry=endnote_xml.carry,
    render=endnote_xml.render,
    opening='<?xml version="1.0" encoding="UTF-8" ?>\n<xml><records>\n',
    closing="</records></xml>\n",
)

NBIB: Final = ReadFamily(
    name="nbib",
    shown="nbib",
    suffixes=(".nbib",),
    # RIS has no tag of more than two characters.
    mark=re.compile(r"^(?:PMID ?- ?\d|(?:OWN |STAT|FAU |FED |DCOM|PMC )- ?\S)", re.MULTILINE),
    trace=nbib.trace,
)

#: Zotero's own database: no text, so nothing marks it.
ZOTERO: Final = ReadFamily(
    name=zotero.NAME,
    shown="Zotero",
    suffixes=(),
    mark=re.compile(r"(?!)"),
    trace=zotero.trace,
)

WOS: Final = ReadFamily(
    name="wos",
    shown="Web of Science's tags",
    suffixes=(".ciw", ".isi"),
    mark=re.compile(
        r"^FN (?:Thomson|Clarivate|ISI |Web of)[^\n]*\nVR "
        r"|^PT [JBSP][ \t]*\n(?:[A-Z][A-Z0-9] |   )",
        re.MULTILINE,
    ),
    trace=wos.TABLE.trace,
)

OVID: Final = ReadFamily(
    name="ovid",
    shown="Ovid's tags",
    suffixes=(".ovd", ".cgi"),
    mark=re.compile(
        r"^[ \t]*<\d+\.?[ \t]*>[ \t]*\n(?: ?[A-Z][A-Z0-9]  ?- "
        r"|(?:Accession Number|Unique Identifier|Authors?|Title|Database|Source)[ \t]*:?\n)",
        re.MULTILINE,
    ),
    trace=ovid.TABLE.trace,
)

REFWORKS: Final = ReadFamily(
    name="refworks",
    shown="RefWorks' tags",
    suffixes=(".rwt",),
    mark=re.compile(r"^RT [A-Za-z][^\n]*\n(?:SR|ID|[AT]1) ", re.MULTILINE),
    trace=refworks.TABLE.trace,
)

#: Its records are nbib's.
PUBMED_XML: Final = ReadFamily(
    name="pubmed-xml",
    shown="PubMed XML",
    suffixes=(),
    mark=re.compile(r"<Pubmed(?:Article|BookArticle)(?:Set)?\b|<MedlineCitation(?:Set)?\b"),
    trace=nbib.trace,
)

MODS: Final = ReadFamily(
    name=mods.NAME,
    shown="MODS",
    suffixes=(".mods",),
    mark=re.compile(r"<(?:\w+:)?mods(?:Collection)?\b[^>]*(?:loc\.gov/mods|version=)"),
    trace=mods.TABLE.trace,
)

SCOPUS_CSV: Final = ReadFamily(
    name=columns.SCOPUS.name,
    shown="Scopus' CSV",
    suffixes=(),
    mark=re.compile(r"\A(?=[^\n]*\bAuthors\b)(?=[^\n]*\bTitle\b)(?=[^\n]*\bSource title\b)[^\n]*"),
    trace=columns.SCOPUS.trace,
)

PUBMED_CSV: Final = ReadFamily(
    name=columns.PUBMED.name,
    shown="PubMed's CSV",
    suffixes=(),
    mark=re.compile(r"\A\"?PMID\"?[,;\t](?=[^\n]*\bTitle\b)[^\n]*\bCitation\b"),
    trace=columns.PUBMED.trace,
)

CFF: Final = ReadFamily(
    name="cff",
    shown="CITATION.cff",
    suffixes=(".cff",),
    mark=re.compile(r"^[\"']?cff-version[\"']?\s*:", re.MULTILINE),
    trace=cff.TABLE.trace,
)

#: Those whose text can be read, in the order in which a suffix decides.
FAMILIES: Final[dict[str, ReadFamily]] = {
    family.name: family
    for family in (
        *(RIS, BIBTEX, ENDNOTE_XML, CSL_JSON, ENW, NBIB, WOS, OVID, REFWORKS, PUBMED_XML, MODS),
        *(SCOPUS_CSV, PUBMED_CSV, CFF),
    )
}

#: Every format that a source can be of.
SOURCES: Final[dict[str, ReadFamily]] = FAMILIES | {ZOTERO.name: ZOTERO}

#: What may be named as the format of an import; ``biblatex`` reads as ``bibtex`` does.
IMPORT_FORMATS: Final[dict[str, ReadFamily]] = {
    "ris": RIS,
    "bibtex": BIBTEX,
    "biblatex": BIBTEX,
    "csl-json": CSL_JSON,
    "enw": ENW,
    "endnote-xml": ENDNOTE_XML,
    "nbib": NBIB,
    **{
        family.name: family
        for family in (WOS, OVID, REFWORKS, PUBMED_XML, MODS, SCOPUS_CSV, PUBMED_CSV, CFF)
    },
}

#: What may be named as the format of an export.
EXPORT_FORMATS: Final = {
    "ris": RIS,
    "bibtex": BIBTEX,
    "biblatex": BIBTEX,
    "csl-json": CSL_JSON,
    "enw": ENW,
    "endnote-xml": ENDNOTE_XML,
}
