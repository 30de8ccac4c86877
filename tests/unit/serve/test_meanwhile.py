"""What goes on while a library is served: edits, imports and programs, and nothing is answered from
before them."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from benchmarks.support.bibliography import write_bibliography
from tests.support.serving import Answer, serving

from bifolio import Library
from bifolio.home import Home
from bifolio.library.windows import StoredWindowRow, Windows
from bifolio.records.edits import Act, Edit
from bifolio.serve.item_objects import Objects
from bifolio.serve.permissions import Permissions
from bifolio.serve.served_library import ServedLibrary


def test_nothing_is_answered_from_before_an_import_an_edit_or_a_write(tmp_path: Path) -> None:
    home, path = Home(tmp_path / "home"), tmp_path / "A.bifolio"
    with Library.create(path, home=home) as library:
        one = library.add({"type": "book", "title": "Round"})
    Permissions(home).allow("Test")
    write_bibliography(tmp_path / "many.bib", 150)

    def fill() -> None:
        with Library.open(path, home=home) as filling:
            filling.import_files([tmp_path / "many.bib"])

    with serving(path, home) as served, Library.open(path, home=home) as library:
        server = {"Zotero-Server-ID": served.get("items?limit=1").headers["zotero-server-id"]}

        def post(where: str, value: object, **headers: str) -> Answer:
            return served.ask(
                "POST", f"/api/{where}", headers=server | headers, body=json.dumps(value)
            )

        key = post("local/authorize", {"appName": "Test"}).json["key"]
        filling = threading.Thread(target=fill)
        filling.start()
        versions, rounds = [0], 0
        while rounds < 5 or filling.is_alive():
            rounds += 1
            library.edit(one.id, [Edit("title", Act.SET, (f"Round {rounds}",))])
            found = served.get(f"items/top?q=%22Round%20{rounds}%22&qmode=titleCreatorYear")
            assert [each["data"]["title"] for each in found.json] == [f"Round {rounds}"]
            item = {"itemType": "book", "title": f"Written {rounds}"}
            answer = post("users/0/items", [item], **{"Zotero-API-Key": key})
            (made,) = answer.json["success"].values()
            assert served.get(f"items/{made}").json["data"]["title"] == f"Written {rounds}"
            versions.append(int(served.get("items/top?limit=1").headers["last-modified-version"]))
        filling.join()
        assert versions == sorted(versions)
        total = int(served.get("items/top?limit=1").headers["total-results"])
        assert total == len(list(library.list())) == 1 + rounds + 150


def test_rows_are_read_again_only_when_somebody_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever that was; also where it was undone, or touched other references only."""
    home, path = Home(tmp_path / "home"), tmp_path / "A.bifolio"
    read: list[int] = []
    stored = Windows.stored

    def count(windows: Windows, numbers: Sequence[int]) -> list[StoredWindowRow]:
        read.extend(numbers)
        return stored(windows, numbers)

    monkeypatch.setattr(Windows, "stored", count)
    with Library.create(path, home=home) as library:
        ids = [library.add({"title": one, "type": "book"}).id for one in "abc"]
        with serving(path, home) as served:

            def titles(where: str = "items/top?sort=title") -> list[str]:
                read.clear()
                return [one["data"]["title"] for one in served.get(where).json]

            titles()
            served.wait_for_work()
            titles()
            assert (titles(), read) == (["a", "b", "c"], [])
            assert (titles("items/top?sort=title&direction=desc&limit=2"), read) == (["c", "b"], [])
            library.edit(ids[1], [Edit("title", Act.SET, ("x",))])
            assert (titles(), len(read)) == (["a", "c", "x"], 3)
            assert (titles(), read) == (["a", "c", "x"], [])
            library.delete([ids[0]])
            library.add({"title": "b", "type": "book"})
            assert titles() == ["b", "c", "x"]
            library.groups.create("New")
            assert (titles(), len(read)) == (["b", "c", "x"], 3)


def test_what_was_made_of_a_row_while_a_write_was_tried_is_not_kept(tmp_path: Path) -> None:
    with Library.create(tmp_path / "A.bifolio", home=Home(tmp_path / "home")) as library:
        one = library.add({"title": "before", "type": "book"})
        served = ServedLibrary(library, group=None)

        def title() -> str:
            served.catch_up()
            made = json.loads(Objects(served, "").listed(served.windows.order(sort="title")))
            return str(made[0]["data"]["title"])

        assert title() == "before"
        with suppress(ZeroDivisionError), served.writes.together():
            library.edit(one.id, [Edit("title", Act.SET, ("tried",))])
            assert title() == "tried"
            raise ZeroDivisionError
        served.forget()
        assert title() == "before"
