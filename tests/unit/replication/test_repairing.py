"""What was set aside is tried again, each update by itself."""

from __future__ import annotations

from pathlib import Path

from tests.unit.replica.builders import members

from bifolio.library import status
from bifolio.replication import repairing

ONE = "1" * 32


def test_what_an_earlier_version_set_aside_with_a_bad_update_is_recovered(tmp_path: Path) -> None:
    office, home = members(tmp_path, "office", "home")
    office.adds(ONE, {"title": "On Paper"})
    home.learns(office)
    office.sets(ONE, "title", "On Ink")
    office.sets(ONE, "note", "A note.")
    changes = office.replica.changes.unsealed(bytes_max=1 << 20)
    from bifolio.wire.changes import Change

    kept = [dict(Change.parse(one.body).records)[ONE] for one in changes]
    rows = [(ONE, b"\xff" * 40, "damaged"), *((ONE, one, "an earlier one") for one in kept)]
    home.replica.database.execute_many(
        "INSERT INTO quarantined_updates (record, contents, reason) VALUES (?, ?, ?)", rows
    )
    (said,) = status.refusals(home.replica)
    assert said.next is not None
    assert said.next.code == "repair-library"
    assert repairing.retry_all(home.replica) == 2
    assert home.state == office.state
    (left,) = home.replica.quarantined.counts()
    assert left.count == 1
    assert repairing.retry_all(home.replica) == 0
