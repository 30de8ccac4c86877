"""PubMed's nbib read."""

from __future__ import annotations

import pytest
from tests.unit.formats.files import GOLDEN, export, load

from bifolio.errors import UsageError
from bifolio.formats import source_identity
from bifolio.records.names import Name


def test_an_article_is_read_whole() -> None:
    article = load(GOLDEN / "small.nbib").references[0]
    assert article.values == {
        "type": "article-journal",
        "PMID": "12345678",
        "ISSN": ("1535-7732",),
        "volume": "30",
        "issue": "11",
        "issued": {"date-parts": [[2019, 11, 5]]},
        "title": "A Title that Goes on in the Next Line.",
        "page": "1759-1764",
        "DOI": "10.1000/made.up",
        "abstract": "An abstract.",
        "author": (
            Name(family="Roe", given="Jane Q"),
            Name(family="Es", given="ACGM", non_dropping_particle="van"),
            Name(literal="Folding Group"),
        ),
        "author-address": "Nowhere.",
        "language": "eng",
        "genre": "Case Reports",
        "container-title-short": "J Madeup",
        "container-title": "Journal of made-up studies",
        "tags": ("folding", "Paper/*methods"),
        "status": "ppublish",
        "x.nbib.OWN": ("NLM",),
        "x.nbib.LID": ("S1051(19)30544-5 [pii]",),
        "x.nbib.PT": ("Journal Article",),
        "x.nbib.DEP": ("20190918",),
    }


def test_a_pubmed_id_is_an_identity_of_its_own() -> None:
    article = load(GOLDEN / "small.nbib").references[0]
    assert source_identity(article.source) == ("12345678", True)


def test_a_title_beside_a_book_title_is_a_chapters() -> None:
    chapter = load(GOLDEN / "small.nbib").values()[1]
    assert chapter["type"] == "chapter"
    assert (chapter["title"], chapter["container-title"]) == ("Chapter", "Book")


def test_no_export_to_nbib_is_offered() -> None:
    with pytest.raises(UsageError, match="nbib"):
        export([], "nbib")
