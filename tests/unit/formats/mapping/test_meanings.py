"""What EndNote's general fields mean in each type, in the three formats that have them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.cases import each

from bifolio.formats import map_source
from bifolio.formats.mapping.meanings import GENERAL_FIELDS, MEANINGS, MeaningRow
from bifolio.formats.mapping.types import TYPES
from bifolio.formats.registry import EXPORT_FORMATS
from bifolio.formats.writing import compose
from bifolio.records.fields import FORMS, Form
from bifolio.records.names import Name
from bifolio.records.reference import ExportedReference, Source, Value

LABELS = {
    label.partition(" ")[0]: label
    for row in TYPES
    for label in "|".join(filter(None, (row.endnote, row.endnote_read))).split("|")
}


def _cases() -> Iterator[tuple[str, str, str, str]]:
    """(format, type as written, tag, field) for each meaning that is a field."""
    names = {field.ris: field for field in GENERAL_FIELDS}
    for row in MEANINGS:
        for tag, field in _pairs(row, row.meanings):
            for code in row.codes.split():
                if f"{tag}=" not in row.ris:
                    yield "ris", code, tag, field
            for number in row.numbers.split():
                label = LABELS[number]
                yield "endnote-xml", label, names[tag].endnote, field
                yield "enw", label.partition(" ")[2], names[tag].enw, field
        for tag, field in _pairs(row, row.ris):
            yield "ris", row.codes.split()[0], tag, field


def _pairs(row: MeaningRow, text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split():
        tag, _, field = pair.partition("=")
        if field not in ("-", "page") and not (row.codes == "CPAPER" and tag == "T2"):
            yield tag, field


def _value(field: str) -> tuple[str, Value]:
    """A text for the tag and what it means in the field."""
    if FORMS[field] is Form.NAMES:
        return "Lovelace, Ada", (Name(family="Lovelace", given="Ada"),)
    return "11", "11"


@each(("format", "kind", "tag", "field"), list(_cases()))
def test_a_field_means_what_its_type_says_and_is_written_there(
    format: str, kind: str, tag: str, field: str
) -> None:
    text, value = _value(field)
    source = Source(format, kind, "", ((tag, text),))
    values = map_source(source)
    assert values[field] == value
    # A reference of that type to which somebody adds the field: the same tag, and no carrier.
    empty = Source(format, kind, "", (("TI", ""),) if format == "ris" else ())
    family = EXPORT_FORMATS[format]
    composed, lost = compose(
        ExportedReference("1", {"type": values["type"], field: value}, empty),
        family, dialect=format, blocks=None,
    )  # fmt: skip
    assert lost == []
    assert not any("x-csl-" in raw for _, raw in composed.tags)
    assert map_source(composed) == {"type": values["type"], field: value}


def test_every_row_stands_for_types_that_the_table_of_types_knows() -> None:
    codes = [code for row in MEANINGS for code in row.codes.split()]
    numbers = [number for row in MEANINGS for number in row.numbers.split()]
    assert len(set(codes)) == len(codes)
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= LABELS.keys()


def test_a_meeting_and_its_proceedings_are_told_apart_by_what_else_is_there() -> None:
    def titles(code: str, **tags: str) -> tuple[object, object]:
        values = map_source(Source("ris", code, "", tuple(tags.items())))
        return values.get("event-title"), values.get("container-title")

    # IEEE and most others; EndNote and Zotero; the Web of Science; a paper that was never printed.
    assert titles("CONF", T2="Proc. X") == (None, "Proc. X")
    assert titles("CONF", T2="Meeting X", C3="Proc. X") == ("Meeting X", "Proc. X")
    assert titles("CPAPER", T2="PROC. X", CP="10th Meeting X") == ("10th Meeting X", "PROC. X")
    assert titles("CPAPER", T2="Meeting X") == ("Meeting X", None)
    assert map_source(Source("ris", "JOUR", "", (("CP", "4"),)))["issue"] == "4"


def test_adding_the_meeting_to_a_paper_with_proceedings_needs_no_carrier() -> None:
    source = Source("ris", "CONF", "", (("TI", "A"), ("T2", "Proc. X"), ("CY", "Berlin")))
    values = map_source(source)
    edited = {**values, "event-title": "Meeting X", "event-place": "Bonn"}
    family = EXPORT_FORMATS["ris"]
    composed, lost = compose(
        ExportedReference("1", edited, source), family, dialect="ris", blocks=None
    )
    assert lost == []
    assert {tag for tag, _ in composed.tags} == {"TI", "T2", "C3", "CY", "C1"}
    assert map_source(composed) == edited
