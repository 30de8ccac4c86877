"""The table of meanings: what EndNote's general fields stand for in each of its types.

RIS, ``enw`` and EndNote XML write the same fields under different names: RIS's ``A2`` is ``%E`` and
``secondary-authors``. What such a field means depends on the type: it is the editor of a chapter,
the series' editor of a book, the recipient of a letter. The labels that EndNote itself shows for
each type decide. What a type does not name means what ``mapping.fields`` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bifolio.formats.mapping.types import TYPES


@dataclass(frozen=True, slots=True)
class GeneralField:
    """One of EndNote's fields, by RIS's tag, and what the other two formats call it."""

    ris: str
    enw: str
    endnote: str


GENERAL_FIELDS: Final = (
    GeneralField("AU", "A", "contributors/authors/author"),
    GeneralField("A2", "E", "contributors/secondary-authors/author"),
    GeneralField("A3", "Y", "contributors/tertiary-authors/author"),
    GeneralField("A4", "?", "contributors/subsidiary-authors/author"),
    GeneralField("T2", "B", "titles/secondary-title"),
    GeneralField("T3", "S", "titles/tertiary-title"),
    GeneralField("M1", "N", "number"),
    GeneralField("NV", "6", "num-vols"),
    GeneralField("VL", "V", "volume"),
    GeneralField("SP", "P", "pages"),
    GeneralField("SE", "&", "section"),
    GeneralField("ET", "7", "edition"),
    GeneralField("PB", "I", "publisher"),
    GeneralField("CY", "C", "pub-location"),
    GeneralField("M3", "9", "work-type"),
    GeneralField("OP", "(", "orig-pub"),
    GeneralField("C1", "1", "custom1"),
    GeneralField("C2", "2", "custom2"),
    GeneralField("C3", "3", "custom3"),
    GeneralField("C4", "4", "custom4"),
    GeneralField("C5", "#", "custom5"),
    GeneralField("C6", "$", "custom6"),
    GeneralField("C7", "]", "custom7"),
)


@dataclass(frozen=True, slots=True)
class MeaningRow:
    """Some types, by RIS's code and EndNote's number, and what their fields mean.

    ``meanings`` are ``<RIS tag>=<field>`` pairs; ``-`` is an extra field. ``ris`` are pairs that
    hold in RIS alone.
    """

    codes: str
    numbers: str
    meanings: str
    ris: str = ""


MEANINGS: Final = (
    MeaningRow("ADVS", "3", "A2=performer A3=collection-editor C5=medium C3=dimensions NV=-"),
    MeaningRow("ANCIENT", "51", "A2=editor T2=container-title SP=page M1=number T3=-"),
    MeaningRow("ART", "2", "C3=dimensions M1=-"),
    MeaningRow(
        "BILL UNBILL", "4",
        "A2=author T3=authority M1=number ET=chapter-number OP=references",
    ),
    MeaningRow("BLOG", "56", "A3=illustrator T3=- SE=number VL=-"),
    MeaningRow(
        "CASE", "7",
        "A2=container-title NV=container-title-short PB=authority OP=references "
        "A3=- A4=- T3=- ET=-",
        "SV=number",
    ),
    MeaningRow("CHAP ECHAP", "5 60", "SE=chapter-number M1=collection-number",
               "M1=number-of-volumes SV=collection-number"),
    MeaningRow("CHART EQUA FIGURE", "37 38 39", "ET=version VL=dimensions M1=number A2=- T2=-"),
    MeaningRow("COMP", "9", "A2=collection-editor T2=collection-title ET=version VL=edition"),
    MeaningRow("CPAPER", "47", "C1=publisher-place CY=event-place T2=event-title M1=issue"),
    MeaningRow("CONF", "10", "A4=-"),
    MeaningRow("CTLG", "8", "A2=contributor NV=number SE=number-of-pages SP=page"),
    MeaningRow("DATA", "59", "A2=producer A4=- NV=number ET=version SE=-"),
    MeaningRow("DICT", "52", "SE=version M1=number"),
    MeaningRow("EBOOK", "44", "A2=editor A3=collection-editor NV=version"),
    MeaningRow("EDBOOK", "28", "AU=editor A2=collection-editor"),
    MeaningRow("EJOUR", "43", "T3=- NV=number"),
    MeaningRow("GOVDOC", "46", "A2=contributor"),
    MeaningRow("GRANT GRNT", "54", "M1=status NV=- OP=number"),
    MeaningRow("HEAR", "14", "T2=section T3=authority M1=number ET=chapter-number OP=references"),
    MeaningRow("LEGAL", "50", "A2=authority VL=number SP=page M1=page T2=- T3=- NV=-"),
    MeaningRow("MANSCPT UNPD", "36", "NV=number M1=-"),
    MeaningRow("MAP", "20", "A2=collection-editor T2=collection-title C1=scale C3=dimensions"),
    MeaningRow("MGZN", "19", "NV=-"),
    MeaningRow("MPCT VIDEO", "21",
               "A2=- A3=producer A4=performer SP=dimensions T2=collection-title M3=medium "
               "C4=genre"),
    MeaningRow("MULTI", "48", "A2=collection-editor T2=collection-title"),
    MeaningRow("MUSIC", "61", "A4=producer C1=medium"),
    MeaningRow("NEWS", "23", "NV=- C2=issue"),
    MeaningRow("PAMP", "24", "A2=contributor M1=collection-number VL=number",
               "M2=number-of-pages"),
    MeaningRow("PAT", "25", "A2=authority A3=- C5=references C6=status T3=-"),
    MeaningRow("PCOMM ICOMM", "26", "A2=recipient NV=number"),
    MeaningRow("RPRT", "27", "A2=collection-editor A4=contributor NV=collection-number "
                             "T2=collection-title"),
    MeaningRow("SER", "57", "A2=editor A3=collection-editor M1=collection-number "
                            "SE=chapter-number"),
    MeaningRow("STAND", "58", "SP=page M1=page T2=- T3=- NV=-"),
    MeaningRow("STAT", "31", "ET=chapter-number OP=references M1=number T3=- NV=-"),
    MeaningRow("THES", "32", "A3=contributor T2=-"),
    MeaningRow("UNPB INPR", "34", "A2=collection-editor T3=-"),
    MeaningRow("WEB ELEC", "12", "VL=-"),
)  # fmt: skip

#: EndNote's number for its own label of a type, in small letters.
ENDNOTE_NUMBERS: Final = {
    label.partition(" ")[2].lower(): label.partition(" ")[0]
    for row in TYPES
    for label in "|".join(filter(None, (row.endnote, row.endnote_read))).split("|")
}


def endnote_number(label: str) -> str:
    """EndNote's number for one of its labels; empty for any other text."""
    return ENDNOTE_NUMBERS.get(" ".join(label.lower().split()), "")


@lru_cache(maxsize=1024)
def ris_meanings(code: str) -> dict[str, str]:
    """RIS tag to field for what the type gives a meaning of its own; ``-`` for an extra field.

    Some tools write EndNote's label after ``TY`` instead of the code.
    """
    number = endnote_number(code)
    for row in MEANINGS:
        if code.upper() in row.codes.split() or (number and number in row.numbers.split()):
            return dict(_pairs(f"{row.meanings} {row.ris}"))
    return {}


@lru_cache(maxsize=1024)
def enw_meanings(number: str) -> dict[str, str]:
    """The same for ``enw``'s tags, by EndNote's number of the type."""
    names = {field.ris: field.enw for field in GENERAL_FIELDS}
    return {names[tag]: field for tag, field in _by_number(number)}


@lru_cache(maxsize=1024)
def endnote_meanings(number: str) -> dict[str, str]:
    """The same for the paths of EndNote XML."""
    names = {field.ris: field.endnote for field in GENERAL_FIELDS}
    return {names[tag]: field for tag, field in _by_number(number)}


def _by_number(number: str) -> Iterator[tuple[str, str]]:
    for row in MEANINGS:
        if number in row.numbers.split():
            yield from _pairs(row.meanings)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split():
        tag, _, field = pair.partition("=")
        yield tag, field


def written_name(field: str, meanings: dict[str, str]) -> str:
    """The tag that the type gives the field; empty where it gives none."""
    return next((tag for tag, meant in meanings.items() if meant == field), "")


def is_taken(name: str, field: str, meanings: dict[str, str]) -> bool:
    """Whether the type uses this tag for another field."""
    return meanings.get(name, field) != field
