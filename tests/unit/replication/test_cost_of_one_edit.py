"""What an edit costs that comes alone, in statements: a busy machine moves none of these."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.replica.builders import Computer, members

ONE = "1" * 32

#: As measured, and a few for what comes next. Before, an edit took 52.
STATEMENTS_MAX = 40


def statements(computer: Computer, envelope: bytes) -> list[str]:
    """What SQLite is asked while one envelope is merged, without what its full-text index asks."""
    asked: list[str] = []
    connection = computer.replica.database._connection
    connection.set_trace_callback(asked.append)
    try:
        assert computer.receives([envelope]).changes == 1
    finally:
        connection.set_trace_callback(None)
    return [one for one in asked if not one.startswith("--")]


def test_an_edit_that_comes_alone_asks_for_all_its_facts_in_a_few_statements(
    tmp_path: Path,
) -> None:
    office, laptop = members(tmp_path, "office", "laptop")
    office.adds(ONE, {"title": "On Paper"})
    laptop.receives(office.envelopes())
    for number, field in enumerate(("volume", "title", "volume", "title")):
        office.sets(ONE, field, f"Value {number}")
        envelope = office.envelopes()[-1]
        asked = statements(laptop, envelope)
        assert len(asked) <= STATEMENTS_MAX, "\n".join(asked)
        assert sum("FROM meta" in one for one in asked) <= 4
        assert sum("SELECT NOT EXISTS" in one for one in asked) <= (number == 0)
    assert laptop.titles() == office.titles() == ["Value 3"]
    assert laptop.state == office.state


#: Tables with rows for each reference, or each change.
LARGE = "refs|records|changes|history|elements|sources|orders|operations|operation_changes"

#: How SQLite says that it goes through all of one, or through all that are live. An index of its
#: own has the few changes that are not sealed.
THROUGH_ALL = re.compile(rf"SCAN (?:{LARGE})\b(?! USING INDEX copy_of_unsealed)|\(trashed=\?\)")


def test_no_statement_of_an_edit_goes_through_all_references(tmp_path: Path) -> None:
    office, laptop = members(tmp_path, "office", "laptop")
    office.adds(ONE, {"title": "On Paper"})
    laptop.receives(office.envelopes())
    connection = laptop.replica.database._connection
    for field in ("volume", "title", "abstract"):
        office.sets(ONE, field, "Changed")
        for asked in statements(laptop, office.envelopes()[-1]):
            if not asked.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
                continue
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {asked}")]
            assert not any(map(THROUGH_ALL.search, plan)), f"{asked}: {plan}"
