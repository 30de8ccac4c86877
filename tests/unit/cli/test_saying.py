"""What commands say to a person: of what they did, and of what there was not to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.shell import Shell


@pytest.fixture
def two(shell: Shell) -> Shell:
    """A library with two references."""
    shell.does("add", "--type", "book", "title=On Paper", "key=paper", "tags=red", "note=7")
    shell.does("add", "--type", "book", "title=On Ink", "key=ink")
    return shell


def test_an_export_names_the_references_of_lost_values_by_their_keys(
    two: Shell, tmp_path: Path
) -> None:
    two.does("group", "create", "Reading")
    two.does("group", "add", "Reading", "paper")
    said = two.calls("export", "-o", str(tmp_path / "a.ris"))
    assert said.code == 3
    assert "  paper: groups: " in said.err
