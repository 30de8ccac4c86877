"""What changed since a version: told at once, whoever wrote, and waited for."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.serving import Serving, serving

from bifolio import Library, limits
from bifolio.home import Home
from bifolio.library.change_feed import ChangeFeed
from bifolio.library.windows import Windows


def ask(served: Serving, since: int, wait: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = served.ask(
        "GET", f"/bifolio/users/0/changes?since={since}&wait={wait}"
    ).json
    return found


def test_the_numbers_and_keys_of_what_changed_are_told(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    with (
        serving(tmp_path / "A.bifolio", home) as served,
        Library.open(tmp_path / "A.bifolio", home=home) as library,
    ):
        before = ask(served, 0)["version"]
        made = library.add({"type": "book", "title": "New"})
        found = ask(served, before)
        (item,) = served.get("items/top").json
        assert found["keys"] == [item["key"]]
        (row,) = Windows(library).rows(found["numbers"])
        assert row.id == made.id
        assert ask(served, found["version"]) == found | {"numbers": [], "keys": []}
        assert ask(served, found["version"] + 100)["whole"] is True
        for wrong in ("", "?since=x", "?since=1&wait=x", "?since=1&wait=99999"):
            assert served.ask("GET", f"/bifolio/users/0/changes{wrong}").status == 400
        assert served.ask("GET", "/bifolio/groups/5/changes?since=0").status == 404


def test_who_waits_is_answered_when_the_time_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SERVE_CHANGES_WAIT_S", 0.3)
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    with serving(tmp_path / "A.bifolio", home) as served:
        version = ask(served, 0)["version"]
        begun = time.monotonic()
        assert ask(served, version, wait=5)["keys"] == []
        assert 0.3 <= time.monotonic() - begun < 5


def test_a_change_of_another_process_ends_the_waiting(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    Library.create(tmp_path / "A.bifolio", home=home).close()
    with serving(tmp_path / "A.bifolio", home) as served:
        version = ask(served, 0)["version"]
        answers: list[dict[str, Any]] = []
        waiting = [
            threading.Thread(target=lambda: answers.append(ask(served, version, wait=15)))
            for _ in range(3)
        ]
        for one in waiting:
            one.start()
        time.sleep(0.3)
        begun = time.monotonic()
        with Library.open(tmp_path / "A.bifolio", home=home) as library:
            library.add({"type": "book", "title": "New"})
        for one in waiting:
            one.join(15)
        assert time.monotonic() - begun < 10
        assert [len(one["keys"]) for one in answers] == [1, 1, 1]
        late = threading.Thread(target=lambda: ask(served, answers[0]["version"], wait=20))
        late.start()
        time.sleep(0.3)
        begun = time.monotonic()
    late.join(10)
    assert time.monotonic() - begun < 5  # who waits does not hold up the end


def test_a_program_follows_a_library_that_it_opened(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    async def follow() -> list[int]:
        told = []
        with (
            Library.create(tmp_path / "A.bifolio", home=home) as library,
            Library.open(tmp_path / "A.bifolio", home=home) as other,
        ):
            feed = ChangeFeed(library).follow()
            for number in range(2):
                other.add({"type": "book", "title": f"Book {number}"})
                library.add({"type": "book", "title": f"Own {number}"})
                async with asyncio.timeout(10):
                    changed = await anext(feed)
                told.append(len(changed.numbers))
            await feed.aclose()
        return told

    assert asyncio.run(follow()) == [2, 2]
