"""Citation keys of names and titles in any script."""

from __future__ import annotations

from tests.support.cases import each

from bifolio.records.citation_keys import make_key
from bifolio.records.names import Name
from bifolio.records.reference import Values


def key(**values: object) -> str:
    given: Values = {"issued": {"date-parts": [[2015]]}}
    given.update(values)  # type: ignore[arg-type]
    return make_key(given, taken=lambda _: False)


@each(
    ("family", "title", "made"),
    [
        ("Łukasz", "Folding", "lukasz2015folding"),
        ("Đặng", "Folding", "dang2015folding"),
        ("Øster", "Æther", "oster2015aether"),
        ("Straße", "Über", "strasse2015uber"),
        ("Иванов", "Щука", "ivanov2015shchuka"),
        ("Παππάς", "Ωκεανός", "pappas2015okeanos"),
        ("王", "摺紙的數學理論與應用", "wang2015zhezhide"),
        ("김", "한국어", "gim2015hangugeo"),
        ("Ünal", "İstanbul", "unal2015istanbul"),
    ],
)
def test_letters_of_any_script_are_written_in_latin_ones(
    family: str, title: str, made: str
) -> None:
    assert key(author=(Name(family, "A."),), title=title) == made


def test_no_key_is_a_bare_year() -> None:
    assert key() == "reference2015"
    assert key(title="2015") == "reference20152015"
    assert key(title="…") == "reference2015"


def test_a_year_behind_a_word_is_a_key() -> None:
    assert key(title="Folding") == "2015folding"
