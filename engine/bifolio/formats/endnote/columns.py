"""The tables of an EndNote library: its columns and type numbers, and what its XML calls them.

A row of a library is read as the record of the XML export that EndNote would make of it, so that
both are one source. Only tables and what is looked up in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``refs``: its element in the XML, and whether ``\\r`` parts several of them."""

    name: str
    element: str
    many: bool = False


#: In the order of the table, which the numbers in ``text_styles`` follow. The first three columns
#: (id, trash_state, text_styles) come before them.
COLUMNS: Final = (
    Column("author", "contributors/authors/author", many=True),
    Column("year", "dates/year"),
    Column("title", "titles/title"),
    Column("pages", "pages"),
    Column("secondary_title", "titles/secondary-title"),
    Column("volume", "volume"),
    Column("number", "number"),
    Column("number_of_volumes", "num-vols"),
    Column("secondary_author", "contributors/secondary-authors/author", many=True),
    Column("place_published", "pub-location"),
    Column("publisher", "publisher"),
    Column("subsidiary_author", "contributors/subsidiary-authors/author", many=True),
    Column("edition", "edition"),
    Column("keywords", "keywords/keyword", many=True),
    Column("type_of_work", "work-type"),
    Column("date", "dates/pub-dates/date"),
    Column("abstract", "abstract"),
    Column("label", "label"),
    Column("url", "urls/related-urls/url", many=True),
    Column("tertiary_title", "titles/tertiary-title"),
    Column("tertiary_author", "contributors/tertiary-authors/author", many=True),
    Column("notes", "notes"),
    Column("isbn", "isbn"),
    Column("custom_1", "custom1"),
    Column("custom_2", "custom2"),
    Column("custom_3", "custom3"),
    Column("custom_4", "custom4"),
    Column("alternate_title", "titles/alt-title"),
    Column("accession_number", "accession-num"),
    Column("call_number", "call-num"),
    Column("short_title", "titles/short-title"),
    Column("custom_5", "custom5"),
    Column("custom_6", "custom6"),
    Column("section", "section"),
    Column("original_publication", "orig-pub"),
    Column("reprint_edition", "reprint-edition"),
    Column("reviewed_item", "reviewed-item"),
    Column("author_address", "auth-address"),
    Column("caption", "caption"),
    Column("custom_7", "custom7"),
    Column("electronic_resource_number", "electronic-resource-num"),
    Column("translated_author", "contributors/translated-authors/author", many=True),
    Column("translated_title", "titles/translated-title"),
    Column("name_of_database", "remote-database-name"),
    Column("database_provider", "remote-database-provider"),
    Column("research_notes", "research-notes"),
    Column("language", "language"),
    Column("access_date", "access-date"),
    Column("last_modified_date", "modified-date"),
)

#: What ``text_styles`` calls a column: its number among EndNote's fields, of which the picture (40)
#: and the attachments (44) are no columns.
_FIELD_NUMBERS: Final = (*range(2, 40), *range(41, 44), *range(45, 53))
STYLE_FIELDS: Final = {
    str(number): column.name for number, column in zip(_FIELD_NUMBERS, COLUMNS, strict=True)
}

#: Columns that a reference has no place for: dates of EndNote's own, and what is read elsewhere.
UNREAD: Final = frozenset(
    "id trash_state text_styles reference_type record_properties added_to_library "
    "record_last_updated reserved3 fulltext_downloads read_status rating reserved7 reserved8 "
    "reserved9 reserved10 alt_title".split()
)


@dataclass(frozen=True, slots=True)
class TypeNumber:
    """A number in ``reference_type``, and the type of the XML.

    ``seen``: real records of this number were compared with their type. The others follow from
    the order of EndNote's list of types, in which these stand; an import names them.
    """

    number: int
    type: str
    seen: bool = False


TYPE_NUMBERS: Final = (
    TypeNumber(0, "17 Journal Article", seen=True),
    TypeNumber(1, "6 Book", seen=True),
    TypeNumber(2, "32 Thesis", seen=True),
    TypeNumber(3, "10 Conference Proceedings", seen=True),
    TypeNumber(4, "26 Personal Communication"),
    TypeNumber(5, "23 Newspaper Article", seen=True),
    TypeNumber(6, "9 Computer Program"),
    TypeNumber(7, "5 Book Section", seen=True),
    TypeNumber(8, "19 Magazine Article", seen=True),
    TypeNumber(9, "28 Edited Book"),
    TypeNumber(10, "27 Report", seen=True),
    TypeNumber(11, "20 Map"),
    TypeNumber(12, "3 Audiovisual Material"),
    TypeNumber(13, "2 Artwork"),
    TypeNumber(15, "25 Patent"),
    TypeNumber(16, "12 Web Page", seen=True),
    TypeNumber(17, "4 Bill"),
    TypeNumber(18, "7 Case"),
    TypeNumber(19, "14 Hearing", seen=True),
    TypeNumber(20, "36 Manuscript"),
    TypeNumber(21, "21 Film or Broadcast"),
    TypeNumber(22, "31 Statute", seen=True),
    TypeNumber(25, "37 Figure"),
    TypeNumber(26, "38 Chart or Table"),
    TypeNumber(27, "39 Equation"),
    TypeNumber(28, "43 Electronic Article"),
    TypeNumber(29, "44 Electronic Book"),
    TypeNumber(30, "45 Online Database"),
    TypeNumber(31, "13 Generic", seen=True),
    TypeNumber(32, "46 Government Document"),
    TypeNumber(33, "47 Conference Paper"),
    TypeNumber(34, "48 Online Multimedia"),
    TypeNumber(35, "49 Classical Work"),
    TypeNumber(36, "50 Legal Rule or Regulation"),
    TypeNumber(37, "34 Unpublished Work", seen=True),
    TypeNumber(38, "51 Ancient Text"),
    TypeNumber(39, "52 Dictionary"),
    TypeNumber(40, "53 Encyclopedia"),
    TypeNumber(41, "54 Grant"),
    TypeNumber(42, "55 Aggregated Database"),
    TypeNumber(43, "56 Blog", seen=True),
    TypeNumber(46, "57 Serial", seen=True),
    TypeNumber(47, "58 Standard"),
    TypeNumber(48, "59 Dataset", seen=True),
)

_BY_NUMBER: Final = {row.number: row for row in TYPE_NUMBERS}


def type_of(number: int) -> TypeNumber:
    """The type of a number; one that is not in the table keeps its number in its name."""
    return _BY_NUMBER.get(number) or TypeNumber(number, f"EndNote type {number}")
