"""``--json`` gives one document of the documented kind; exit codes mean what they say.

``Computer.run`` checks each document against the JSON Schema of its command's result.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.arrangements import make_library, share
from tests.support.bibliographies import numbered_entries
from tests.support.cases import each
from tests.support.computer import Computer
from tests.support.convergence import sync_all
from tests.support.documents import check_document, seen
from tests.support.relay_process import RelayProcess

from bifolio_cli.json_documents import COMMANDS


def assert_shows(
    listed: Sequence[Mapping[str, Any]], *, count: int, best_first: bool = False
) -> None:
    """A list of so many show objects: by id, or what a search found, the best first."""
    assert len(listed) == count
    assert best_first or [one["id"] for one in listed] == sorted(one["id"] for one in listed)


def test_every_command_on_one_computer_gives_its_document(desk: Computer) -> None:
    made = desk.run("init", "--name", "Papers")
    assert made["path"] == str(desk.library)
    file = desk.home / "some.bib"
    file.write_text(numbered_entries(3), "utf-8")
    dry = desk.run("import", "--dry-run", file)
    assert (dry["added"], dry["updated"], dry["skipped"]) == (3, 0, [])
    assert desk.run("list") == []
    assert desk.run("import", file, "--format", "bibtex") == dry

    fields = ("title=On Names", "author=Doe, Jane", "author={The Paper Board}", "issued=2024-03")
    added = desk.run("add", "--type", "book", *fields)
    assert added["fields"]["issued"] == {"date-parts": [[2024, 3]]}
    assert added["fields"]["author"][1] == {"literal": "The Paper Board"}
    edited = desk.run("edit", added["key"], "tags+=seen", "issued=", "author-=Doe, Jane")
    assert (edited["tags"], "issued" in edited["fields"]) == (["seen"], False)
    assert desk.run("show", added["id"][:12]) == edited
    assert_shows(desk.run("list"), count=4)
    assert_shows(desk.run("search", "work", "number"), count=3, best_first=True)
    assert_shows(desk.run("delete", "work0", "work1"), count=2)
    assert_shows(desk.run("list", "--trash"), count=2)
    assert_shows(desk.run("restore", "work0", "work1"), count=2)
    assert desk.run("conflicts") == []

    status = desk.run("status")
    assert (status["library_id"], status["name"]) == (made["library"], "Papers")
    assert status["relay"] is None
    target = desk.home / "out.json"
    exported = desk.run("export", "--format", "csl-json", "-o", target, "work")
    assert exported == {"exported": 3, "file": str(target), "lost": []}
    assert len(json.loads(target.read_text("utf-8"))) == 3
    desk.run("--version")


@pytest.mark.heavy
def test_every_command_of_several_computers_gives_its_document(
    relay: RelayProcess, desk: Computer, laptop: Computer, tmp_path: Path
) -> None:
    make_library(desk, numbered_entries(2))
    attached = desk.run("attach", relay.url)
    assert attached["ticket"].startswith("bifolio:")
    assert Path(attached["backup"]).is_file()
    assert desk.run("attach", relay.url, "--no-backup")["backup"] is None
    laptop.run("attach", attached["ticket"], laptop.library)
    assert "Only the library's owner can invite" in laptop.fails("invite")
    invited = desk.run("invite")
    alone = desk.call("invite", exits=0).stdout.splitlines()
    assert len(alone) == 1
    assert alone[0].startswith("bifolio:")
    third = Computer.make(tmp_path, "third")
    make_library(third, "@book{own, title = {Own}}\n")
    joined = third.run("attach", invited["ticket"], "--join")
    assert joined["references"] == 3

    desk.run("edit", "work0", "title=One")
    laptop.run("edit", "work0", "title=Two")
    report = laptop.run("sync")
    assert (report["pushed"], report["conflicts"]) == (1, 0)
    sync_all(desk, laptop, third)
    (conflict,) = third.run("conflicts")
    assert [value["n"] for value in conflict["values"]] == [1, 2]
    third.run("show", "work0")
    third.run("resolve", "work0", "title", "--take", "1")
    status = third.run("status")
    assert status["unsent"] == 1


@pytest.mark.heavy
def test_the_commands_that_go_on_give_a_document_a_line(
    relay: RelayProcess, desk: Computer
) -> None:
    share(relay.url, desk)
    watch = desk.start("sync", "--watch", "--json")
    serving = desk.start("relay", "--json", "--port", "0", "--data", desk.home / "relay")
    exporting = desk.start("export", "--watch", desk.home / "all.ris", "--json")
    running = ((watch, "sync --watch"), (serving, "relay"), (exporting, "export --watch"))
    for process, call in running:
        assert process.stdout is not None
        check_document(call.split(), json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors


@pytest.mark.heavy
def test_every_command_prints_a_document_of_its_schema(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    """All of ``COMMANDS`` but those that go on (above) the demo (``test_demo``) and the
    benchmark (``test_bench``)."""
    seen.clear()
    make_library(desk, numbered_entries(6))
    paper = desk.home / "paper.pdf"
    paper.write_bytes(b"%PDF-1.4 paper")
    desk.run("--version")
    desk.run("init", desk.home / "Other")
    attached = desk.run("attach", relay.url)
    laptop.run("attach", attached["ticket"], laptop.library)
    (desk.home / "more.bib").write_text(numbered_entries(1), "utf-8")
    calls = (
        f"import {desk.home / 'more.bib'} --dry-run",
        "add --type book title=Ink",
        "edit work0 tags+=seen tags+=old",
        "show work0",
        "list",
        "search work",
        f"export --format ris -o {desk.home / 'all.ris'}",
        "cite work0",
        "cite --styles apa",
        f"copy work0 --to {desk.home / 'Other'}",
        "group create A",
        "group create B --query work",
        "group rename A C",
        "group edit C --colour red",
        "group create D",
        "group move D --parent C",
        "group add C work0 work1",
        "group remove C work1",
        "group list",
        "group delete D",
        "group restore D",
        "note add work0 Mine",
        "note edit work0 1 --append More",
        "note show work0 1",
        "note list work0",
        "note remove work0 1",
        "annotation add work0 --text folded",
        "annotation edit work0 1 --comment why",
        "annotation list work0",
        "annotation remove work0 1",
        "tag list",
        "tag add new work1",
        "tag rename old older",
        "tag remove older work0",
        f"file add work0 {paper}",
        "file list",
        f"file export work0 paper.pdf -o {desk.home / 'copy.pdf'}",
        "file text work0 paper.pdf",
        "file remove work0 paper.pdf",
        "file clean",
        "file policy",
        "key pattern",
        "key make --all",
        "key pin work0",
        "key unpin work0",
        "key shared",
        "duplicates --min-score 1",
        "duplicates --ignore work0 work1",
        "merge work2 work3",
        "delete work4",
        "trash list",
        "restore work4",
        "delete work5",
        "trash empty --yes",
        "trash list --emptied",
        "history work0",
        "edit work0 title=Other",
        "undo",
        "log",
        "revert work0 --to 2999-01-01",
        "invite",
        f"invite --bundle {desk.home / 'invited.bundle'}",
        f"bundle export {desk.home / 'all.bundle'}",
        f"bundle import {desk.home / 'all.bundle'}",
        "restore --at 2999-01-01",
        "trash confirm",
        "sync",
        "status",
        "doctor --offline",
        "compact --dry-run",
        "backup list",
        "autosync status",
        "autosync off",
    )
    for call, document in zip(calls, desk.run_all([one.split() for one in calls]), strict=True):
        check_document(call.split(), document)
    for call in (
        "relay token create --label reader",
        "relay token list",
        "relay token revoke reader",
        "relay libraries",
        f"relay remove {attached['library']} --yes",
    ):
        desk.run(*call.split(), "--data", relay.data)
    desk.run("sync")
    backup = desk.run("backup", "create")["path"]
    desk.run("backup", "verify", backup)
    desk.run("backup", "restore", backup, desk.home / "Restored")
    laptop.run("sync")
    desk.run("edit", "work0", "title=One")
    laptop.run("edit", "work0", "title=Two")
    sync_all(desk, laptop)
    assert desk.run("conflicts")
    desk.run("resolve", "work0", "title", "--take", "1")
    laptop.fails("show", "nobody2020")
    _print_documents_of_members(desk, laptop)
    desk.run("serve", "status")
    desk.run("serve", "allow", "Zotero Connector")
    desk.run("serve", "revoke", "Zotero Connector")
    desk.run("device", "show")
    desk.run("device", "rename", "office")
    desk.run("device", "rotate", "--yes")
    desk.run("relay", "delete", "--yes")
    # A background process, a program of the desktop, and what other tests run.
    others = {"autosync on", "autosync run", "file open", "demo", "bench", "relay", "serve"}
    assert seen == set(COMMANDS) - others - {"sync --watch", "export --watch"}


def test_a_path_that_is_not_empty_is_refused_for_a_new_replica(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    ticket = share(relay.url, desk)
    folder = laptop.home / "Documents"
    folder.mkdir()
    (folder / "thesis.tex").write_text("kept")
    assert str(folder) in laptop.fails("attach", ticket, folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]
    assert str(desk.library) in desk.fails("attach", ticket, desk.library)
    assert desk.run("attach", ticket)["references"] == 3


def test_a_library_attached_elsewhere_does_not_join_a_second_ticket(
    relay: RelayProcess, desk: Computer, laptop: Computer
) -> None:
    ticket = share(relay.url, desk)
    share(relay.url, laptop)
    assert "--separate" in laptop.fails("attach", ticket, exits=2)
    assert "already" in laptop.fails("attach", ticket, "--join")
    assert laptop.run("sync")["pushed"] == 0


@each(
    ("arguments", "says"),
    [
        (["edit", "work0", "titel=X"], "title"),
        (["edit", "work0", "volume+=2"], "volume"),
        (["edit", "work0", "author=Doe, J", "author+=Roe, R"], "author"),
        (["edit", "work0", "no assignment"], "field=value"),
        (["add", "title-=X"], "title"),
        (["resolve", "work0", "title"], "--take"),
        (["attach", "somewhere"], "ticket"),
        (["export", "--format", "ris"], "-o"),
        (["export", "--format", "word"], "word"),
        (["import"], "--help"),
        (["frobnicate"], "--help"),
    ],
)
def test_a_call_that_is_wrong_in_itself_ends_with_exit_code_2(
    used_library: Computer, arguments: list[str], says: str
) -> None:
    assert says in used_library.fails(*arguments, exits=2)


@each(
    ("arguments", "says"),
    [
        (["show", "nobody2020"], "nobody2020"),
        (["edit", "nobody2020", "title=X"], "bifolio search"),
        (["resolve", "work0", "title", "--take", "1"], "bifolio conflicts"),
        (["edit", "work0", "author-=Roe, Richard"], "Roe, Richard"),
        (["sync"], "bifolio attach"),
    ],
)
def test_what_could_not_be_done_ends_with_exit_code_1(
    used_library: Computer, arguments: list[str], says: str
) -> None:
    assert says in used_library.fails(*arguments, exits=1)


def test_what_was_done_in_part_ends_with_exit_code_3_and_names_what_was_left_out(
    desk: Computer,
) -> None:
    make_library(desk, numbered_entries(3))
    for verb in ("delete", "restore"):
        outcome = desk.call("--json", verb, "work0", "nobody2020", exits=3)
        assert_shows(outcome.document, count=1)
        assert "nobody2020" in outcome.stderr
    file = desk.home / "damaged.bib"
    file.write_text("@book{fine, title = {Fine}}\n@book{torn, title = {Torn", "utf-8")
    report = desk.run("import", file, exits=3)
    assert report["added"] >= 1
    assert {"file", "line", "reason", "is_remark", "next"} == set(report["skipped"][0])


@pytest.fixture(scope="module")
def used_library(tmp_path_factory: pytest.TempPathFactory) -> Computer:
    """A library that the tests of refusals share, since none of them changes it."""
    computer = Computer.make(tmp_path_factory.mktemp("refusals"), "desk")
    make_library(computer, numbered_entries(1))
    return computer


def _print_documents_of_members(desk: Computer, laptop: Computer) -> None:
    """Members, tickets, drafts and the recovery code, each by its command."""
    desk.run("members")
    desk.run("invite", "--role", "reader", "--label", "seminar", "--uses", "any")
    desk.run("invites")
    desk.run("invites", "revoke", "seminar")
    desk.run("member", "rename", "laptop", "lab")
    laptop.run("edit", "work0", "title=Kept back")
    desk.run("member", "set-role", "lab", "reader")
    laptop.run("sync")
    laptop.run("draft")
    draft = laptop.run("draft", "export", desk.home / "lab.draft")["file"]
    desk.run("draft", "show", draft)
    desk.run("draft", "accept", draft, "--yes")
    laptop.run("draft", "discard", "--yes")
    code = desk.run("recovery", "create")["code"]
    place = laptop.home / "Recovered"
    recovered = ("recovery", "use", place, "--relay", desk.run("status")["relay"]["url"])
    laptop.run(*recovered, typed_in=code)
    desk.run("member", "set-role", "lab", "editor")
    laptop.run("leave", "--yes")
    third = laptop.with_library(laptop.home / "Third.bifolio")
    third.run("attach", desk.run("invite")["ticket"], third.library)
    desk.run("sync")
    desk.run("libraries")
    desk.run("sync", "--all")
    third.run("detach")
    desk.run("member", "remove", desk.run("members")[-1]["id"])
