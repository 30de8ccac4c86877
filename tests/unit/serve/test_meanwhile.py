"""What goes on while a library is served: edits, imports and programs, and nothing is answered from
before them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from benchmarks.support.bibliography import write_bibliography
from tests.support.serving import Answer, serving

from bifolio import Library
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.serve.permissions import Permissions


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
