"""Saved queries of other programs: said exactly, or not at all."""

from __future__ import annotations

from tests.support.cases import each

from bifolio.formats.databases.saved_queries import (
    ZoteroCondition,
    translate_endnote_query,
    translate_zotero_query,
)
from bifolio.search.query import parse_query

GROUP = "ab" * 16


@each(
    ("flat", "query"),
    [
        ("('Year' CONTAINS [2019])", "year:2019"),
        ("('Year' CONTAINS [2019]) OR ('Year' CONTAINS [2020])", "year:2019 OR year:2020"),
        ("('Year' CONTAINS [2019]) AND ('Year' CONTAINS [2020])", "year:2019 year:2020"),
        ("('Year' CONTAINS [20])", None),
        ("('Title' CONTAINS [2019])", None),
        ("('PDF Notes' CONTAINS [#intro])", None),
        ("('Year' CONTAINS [2019]) AND ('Title' CONTAINS [x])", None),
        ("('Year' CONTAINS [2019]) NOT ('Year' CONTAINS [2020])", None),
        ("", None),
    ],
)
def test_endnotes_years_can_be_said(flat: str, query: str | None) -> None:
    assert translate_endnote_query(flat) == query
    if query is not None:
        parse_query(query)


@each(
    ("conditions", "query"),
    [
        ([("tag", "is", "to read")], 'tag:"to read"'),
        ([("tag", "is", "a"), ("tag", "isNot", "b")], 'tag:"a" -tag:"b"'),
        ([("joinMode", "any", ""), ("tag", "is", "a"), ("tag", "is", "b")], 'tag:"a" OR tag:"b"'),
        ([("collection", "is", "C1")], f"group:{GROUP}"),
        ([("collection", "is", "GONE")], None),
        ([("tag", "is", "a"), ("title", "contains", "b")], None),
        ([("tag", "contains", "a")], None),
        ([("tag", "is", 'a "quoted" one')], None),
        ([("joinMode", "any", "")], None),
        ([], None),
    ],
)
def test_zoteros_tags_and_collections_can_be_said(
    conditions: list[tuple[str, str, str]], query: str | None
) -> None:
    said = [ZoteroCondition(*one) for one in conditions]
    assert translate_zotero_query(said, {"C1": GROUP}) == query
    if query is not None:
        parse_query(query)
