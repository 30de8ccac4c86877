"""What counts as the same value, and what an edit may change."""

from __future__ import annotations

from pathlib import Path

from conformance.agreement import is_same
from conformance.loading import Loaded, load
from conformance.roundtrips import check_touched, check_unchanged, difference_of
from tests.unit.conformance.folders import ENW

from bifolio.records.names import Name
from bifolio.records.reference import ImportedReference, Source


def test_composed_and_decomposed_text_are_the_same_and_other_text_is_not() -> None:
    assert is_same("title", "Café  au lait", "Cafe\u0301 au lait")
    assert not is_same("title", "Café", "Cafe")
    assert not is_same("title", "Café", None)


def test_a_body_and_a_lone_family_name_read_alike_and_order_counts() -> None:
    body, family = (Name(literal="CERN"),), (Name(family="CERN"),)
    assert is_same("author", body, family)
    assert not is_same("author", (*body, Name(family="Lovelace")), (Name(family="Lovelace"), *body))


def test_sets_are_the_same_in_any_order_and_dates_by_their_numbers() -> None:
    assert is_same("tags", ("a", "b"), ("b", "a"))
    assert not is_same("tags", ("a", "b"), ("a",))
    assert not is_same("issued", {"date-parts": [[1843]]}, {"date-parts": [[1843, 9]]})


def test_a_way_back_that_changes_or_drops_a_value_is_a_fault(tmp_path: Path) -> None:
    assert difference_of({"title": "a"}, {"title": "b"}) == "title was 'a', is 'b'"
    assert difference_of({"tags": ("a", "b")}, {"tags": ("b", "a")}) == ""
    path = tmp_path / "a.enw"
    path.write_text(ENW, encoding="utf-8")
    loaded = load(path)
    assert check_unchanged(loaded, "enw", tmp_path).faults == []
    assert check_touched(loaded, "enw", tmp_path, [0, 1]).faults == []
    # What no format holds: the report of the export names it, and so does the check.
    grouped = ImportedReference({"groups": ("Engines",)}, Source("enw", "Book", "", ()), 1)
    faults = check_unchanged(Loaded([grouped]), "enw", tmp_path).faults
    assert any("groups" in fault for fault in faults)
