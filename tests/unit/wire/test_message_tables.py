"""The tables in docs/protocol.md are those of the code."""

from __future__ import annotations

from pathlib import Path

from bifolio.wire.message_tables import message_table, state_table, with_tables, word_table
from bifolio.wire.messages import MESSAGE_TYPES

PAGE = Path(__file__).parents[3] / "docs" / "protocol.md"


def test_the_tables_in_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for table in (state_table(), message_table(), word_table()):
        assert table in page, "run: python -m bifolio.wire.message_tables docs/protocol.md"
    assert with_tables(page) == page


def test_the_page_explains_every_message() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for message_type in MESSAGE_TYPES:
        assert f"`{message_type.NAME}`" in page
