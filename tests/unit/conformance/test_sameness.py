"""Ten articles as six tools export them."""

from __future__ import annotations

import pytest
from conformance.folders import Folders
from conformance.sameness import REASONS, compare_tools


def test_the_same_articles_from_six_tools_land_on_nearly_equal_references() -> None:
    folders = Folders.from_environment()
    if absence := folders.absence():
        pytest.skip(absence)
    found = compare_tools(folders.corpora)
    assert found.unexplained == []
    assert found.named.keys() <= REASONS.keys()
    assert found.values > 1_000
    assert found.agreeing > 0.9 * found.values
    only_in_names = found.agreeing + found.named["initials-as-written"]
    assert only_in_names > 0.99 * found.values
