"""The mapping tables and the page that shows them."""

from __future__ import annotations

from pathlib import Path

from bifolio.formats import mapping_table_markdown
from bifolio.formats.mapping.fields import FIELDS
from bifolio.formats.mapping.types import TYPES
from bifolio.records.fields import FIELDS as KNOWN
from bifolio.records.fields import TYPES as CSL_TYPES

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"


def test_the_page_holds_the_tables_as_the_code_has_them() -> None:
    assert mapping_table_markdown() in PAGE.read_text(encoding="utf-8")


def test_every_mapped_field_and_type_is_known_and_has_one_row() -> None:
    fields = [row.field for row in FIELDS]
    types = [row.csl for row in TYPES]
    assert set(fields) <= KNOWN.keys()
    assert set(types) <= CSL_TYPES
    assert len(set(fields)) == len(fields)
    assert len(set(types)) == len(types)
