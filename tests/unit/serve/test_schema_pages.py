"""Zotero's schema, version 22, as it is served: its counts, compared with the published file."""

from __future__ import annotations

from tests.support.cases import each

from bifolio.formats.mapping.zotero import CSL_TYPES
from bifolio.formats.mapping.zotero_types import CREATORS, FIELDS, localized
from bifolio.serve import schema_pages

#: Fields (without the citation key, which later versions give every type) and roles of each type.
COUNTS = {
    "artwork": (15, 2),
    "audioRecording": (21, 4),
    "bill": (17, 3),
    "blogPost": (11, 3),
    "book": (22, 5),
    "bookSection": (23, 6),
    "case": (15, 3),
    "computerProgram": (19, 2),
    "conferencePaper": (22, 5),
    "dataset": (20, 2),
    "dictionaryEntry": (23, 5),
    "document": (14, 5),
    "email": (9, 3),
    "encyclopediaArticle": (23, 5),
    "film": (17, 4),
    "forumPost": (11, 2),
    "hearing": (18, 1),
    "instantMessage": (9, 3),
    "interview": (14, 4),
    "journalArticle": (23, 5),
    "letter": (14, 3),
    "magazineArticle": (18, 4),
    "manuscript": (16, 3),
    "map": (20, 3),
    "newspaperArticle": (19, 4),
    "patent": (20, 3),
    "podcast": (12, 3),
    "preprint": (20, 5),
    "presentation": (12, 2),
    "radioBroadcast": (19, 6),
    "report": (19, 4),
    "standard": (23, 2),
    "statute": (16, 2),
    "thesis": (17, 2),
    "tvBroadcast": (19, 6),
    "videoRecording": (21, 5),
    "webpage": (11, 3),
}


def test_there_are_forty_types_111_fields_and_29_roles() -> None:
    assert len(schema_pages.item_types()) == 40
    assert len(schema_pages.item_fields()) == 111
    assert len({role for roles in CREATORS.values() for role in roles}) == 29


def test_every_type_has_its_fields_and_roles() -> None:
    own = {kind: (len(fields) - 1, len(CREATORS[kind])) for kind, fields in FIELDS.items()}
    assert own == COUNTS
    for kind, fields in FIELDS.items():
        assert len(set(fields)) == len(fields)
        assert "citationKey" in fields
        assert kind in CSL_TYPES


@each(
    ("name", "words"),
    [
        ("bookSection", "Book Section"),
        ("webpage", "Web Page"),
        ("thesisType", "Type"),
        ("interviewee", "Interview With"),
        ("numPages", "# of Pages"),
        ("seriesEditor", "Series Editor"),
        ("citationKey", "Citation Key"),
    ],
)
def test_names_are_shown_as_zotero_shows_them(name: str, words: str) -> None:
    assert localized(name) == words


def test_the_whole_schema_names_everything_that_the_pages_list() -> None:
    whole = schema_pages.whole_schema()
    assert {one["itemType"] for one in whole["itemTypes"]} == {
        one["itemType"] for one in schema_pages.item_types()
    }
    names = whole["locales"]["en-US"]
    assert set(names["fields"]) == {one["field"] for one in schema_pages.item_fields()}
    for one in whole["itemTypes"]:
        kind = one["itemType"]
        assert names["itemTypes"][kind]
        assert [each["field"] for each in one["fields"]] == [
            each["field"] for each in schema_pages.type_fields(kind)
        ]
        assert {each["creatorType"] for each in one["creatorTypes"]} <= set(names["creatorTypes"])
    assert {"date", "accessDate", "filingDate"} <= set(whole["meta"]["fields"])
    csl = whole["csl"]
    assert (csl["names"]["author"], csl["fields"]["date"]["issued"]) == ("author", "date")
    assert "journalArticle" in csl["types"]["article-journal"]
    assert "publicationTitle" in csl["fields"]["text"]["container-title"]
