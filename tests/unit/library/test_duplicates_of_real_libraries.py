"""Duplicates of real libraries: labelled ones are found, different works of one title are not.

The folders are ``BIFOLIO_CORPORA``'s and the demo's, as in tests/unit/formats/test_corpora.py.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from tests.unit.formats.test_corpora import CORPORA
from tests.unit.replica.builders import owner_of_a_library

from bifolio.formats import read
from bifolio.library.duplicates import MIN_SCORE, Duplicates
from bifolio.records.candidate_pairs import candidates
from bifolio.records.dates import date_year
from bifolio.records.reference import ImportedReference, values_to_json
from bifolio.records.similarity import Traits, compare_works

DEMO = Path(__file__).parents[3] / "cli" / "bifolio_cli" / "demo" / "libraries"

#: The six tools that exported the same ten records; two of them had other ones in two places.
TOOLS = (
    "covidence_mendeley",
    "covidence_refworks",
    "endnote",
    "eppireviewer",
    "mendeley",
    "zotero",
)


def references(path: Path) -> list[ImportedReference]:
    if not path.is_file():
        pytest.skip(f"{path} is not there; set BIFOLIO_CORPORA to the corpora's folder")
    return [one for one in read(path) if isinstance(one, ImportedReference)]


def traits(given: list[ImportedReference]) -> list[Traits]:
    found = []
    for number, one in enumerate(given):
        issued = one.values.get("issued")
        fields = values_to_json(one.values)
        found.append(
            Traits.of(
                f"{number:032x}",
                type=str(fields.get("type", "")),
                title=str(fields.get("title", "")),
                year=date_year(issued) if isinstance(issued, dict) else None,
                fields=fields,
            )
        )
    return found


def proposed(works: list[Traits]) -> list[tuple[int, int]]:
    return [
        pair
        for pair in candidates(works)
        if compare_works(works[pair[0]], works[pair[1]]).score >= MIN_SCORE
    ]


@pytest.mark.heavy
def test_of_a_screening_set_nearly_all_labelled_duplicates_are_found_and_nothing_else() -> None:
    given = references(CORPORA / "endnote_xml/big/dedupe_sweep/copper.xml")
    labelled = {
        number
        for number, one in enumerate(given)
        if any(tag == "caption" and "Duplicate" in raw for tag, raw in one.source.tags)
    }
    pairs = proposed(traits(given))
    found = {number for pair in pairs for number in pair}
    assert len(labelled) == 281
    assert len(labelled & found) / len(labelled) >= 0.99
    assert [pair for pair in pairs if not set(pair) & labelled] == []


def test_the_same_records_exported_by_six_tools_are_found(tmp_path: Path) -> None:
    office = owner_of_a_library(tmp_path)
    for tool in TOOLS:
        office.imports(*references(CORPORA / f"ris/medium/asreview_cff/baseline_{tool}.ris"))
    groups = Duplicates(office.replica).list()
    titles = [{one.fields["title"].casefold() for one in group.references} for group in groups]
    assert len(groups) == 10
    assert all(len(of_one) <= 2 for of_one in titles)  # spelled in two ways at the most
    left_alone = len(office.titles()) - sum(len(group.references) for group in groups)
    assert left_alone == 2  # one tool's file has two others, which the import knew by itself


@pytest.mark.parametrize(
    "all_of_them", [False, pytest.param(True, marks=pytest.mark.heavy)], ids=["some", "all"]
)
def test_different_works_of_one_title_year_and_author_are_not_proposed(
    all_of_them: bool,
) -> None:
    given = references(DEMO / "typography.bib")[: 10_000 if all_of_them else 2_000]
    works = traits(given)
    same: dict[object, list[int]] = defaultdict(list)
    for number, work in enumerate(works):
        same[work.title, work.year, work.authors[:1]].append(number)
    alike = {number for many in same.values() if len(many) > 1 for number in many}
    swallowed = sum(len(many) - 1 for many in same.values())
    pairs = proposed(works)
    assert swallowed > (800 if all_of_them else 200)
    # What is left is printed twice in truth: in TUGboat and in proceedings of the same year.
    assert len([pair for pair in pairs if set(pair) <= alike]) <= 12
    assert len(pairs) <= 25
