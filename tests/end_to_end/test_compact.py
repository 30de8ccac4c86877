"""``bifolio compact``: what it says, and that a library goes on as before."""

from __future__ import annotations

from tests.support.arrangements import share
from tests.support.computer import Computer
from tests.support.relay_process import RelayProcess


def test_a_library_is_compacted_and_goes_on(relay: RelayProcess, desk: Computer) -> None:
    share(relay.url, desk)
    before = desk.run("list")
    would = desk.run("compact", "--dry-run")
    assert would["dry_run"]
    done = desk.run("compact")
    assert done["bytes_after"] <= done["bytes_before"]
    said = desk.call("compact").stdout
    assert said.splitlines()[-1].startswith("The library takes ")
    assert "Nothing was changed." in desk.call("compact", "--dry-run").stdout
    assert desk.run("list") == before
    desk.run("edit", "work0", "title=After it")
    assert desk.run("sync")["pushed"] >= 1
    assert desk.run("doctor")["well"]
