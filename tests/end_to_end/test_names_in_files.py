"""A file of records names its fields as it likes: none of its names is a fact of the library."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.computer import Computer
from tests.support.names_in_files import FILES


@pytest.mark.parametrize("name", FILES)
def test_no_name_in_a_file_trashes_attaches_groups_or_makes_a_conflict(
    desk: Computer, tmp_path: Path, name: str
) -> None:
    for title in ("First", "Second"):
        (tmp_path / title).mkdir()
        (tmp_path / title / name).write_text(FILES[name](title), "utf-8")
    commands: list[tuple[str, ...]] = [("init",)]
    for title in ("First", "Second", "First", "Second"):
        commands.append(("import", str(tmp_path / title / name)))
    *imported, (shown,), trash, groups, conflicts, status = desk.run_all(
        [*commands, ("list",), ("list", "--trash"), ("group", "list"), ("conflicts",), ("status",)]
    )[1:]

    counts = [(one["added"], one["updated"], one["unchanged"]) for one in imported]
    assert counts == [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 1)]
    assert [one["conflicts"] for one in imported] == [0, 0, 0, 0]
    assert shown["fields"]["title"] == "Second"
    assert (shown["files"], shown["groups"], shown["trashed"]) == ([], [], False)
    assert "planted" not in shown["tags"]
    assert (trash, groups, conflicts) == ([], [], [])
    assert (status["references"], status["trashed"], status["conflicts"]) == (1, 0, 0)
