"""Whole EndNote and Zotero libraries through the command line, on one computer and on two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.computer import Computer
from tests.support.convergence import assert_converges
from tests.support.endnote_libraries import EndNoteLibrary, Group
from tests.support.relay_process import RelayProcess
from tests.support.zotero_libraries import Collection, Item, ZoteroLibrary

PDF = b"%PDF-1.7 of a paper"
ENDNOTE = EndNoteLibrary(
    [
        {"author": "Doe, Jane", "title": "On Paper", "year": "2014", "rating": "80"},
        {"author": "Roe, R.", "title": "On Ink", "year": "2015", "read_status": "1"},
        {"author": "Roe, R.", "title": "On Waste", "year": "2016", "trash_state": 1},
    ],
    groups=[Group("G1", "Methods", [1, 2]), Group("G2", "Intro", [1, 3])],
    sets={"Thesis": ["G2", "G1"]},
    tags={"to read": [2]},
    files={1: {"0123/paper.pdf": PDF}},
)
ZOTERO = ZoteroLibrary(
    [
        Item(
            "AAAA2222", "book", fields={"title": "Book of Paper", "date": "2014-00-00 2014"},
            creators=[("author", "Doe", "Jane")], tags={"to read": 0},
        ),
        Item("NNNN2222", "note", parent="AAAA2222", note="<p>Seen <b>twice</b></p>"),
        Item("PPPP2222", "attachment", parent="AAAA2222", own={"path": "storage:paper.pdf"}),
        Item("XXXX2222", "annotation", parent="PPPP2222", own={"text": "marked", "pageLabel": "3"}),
        Item(
            "BBBB2222", "book", fields={"title": "Book of Waste", "date": "2016-00-00 2016"},
            creators=[("author", "Roe", "R.")], trashed=True,
        ),
    ],
    [Collection("C1", "Reading", ["AAAA2222"]), Collection("C2", "Old", ["BBBB2222"], "C1")],
    files={"PPPP2222/paper.pdf": PDF},
    searches={"Unread": [("title", "contains", "x")]},
)  # fmt: skip


def paths(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Listed groups by their paths, with how many references each holds."""
    names: dict[str, str] = {}
    for row in rows:
        above = names.get(row["parent"])
        names[row["id"]] = f"{above}/{row['name']}" if above else row["name"]
    return {names[row["id"]]: row["count"] for row in rows}


def contents(computer: Computer) -> list[bytes]:
    """The contents of files that a replica keeps."""
    return [one.read_bytes() for one in (computer.library / "files").rglob("*") if one.is_file()]


def counted(report: Mapping[str, Any]) -> tuple[int, ...]:
    """Added, updated, unchanged, in the trash, groups."""
    names = ("added", "updated", "unchanged", "trashed", "groups")
    return tuple(report[name] for name in names)


def test_a_whole_endnote_library_comes_in_once(desk: Computer, tmp_path: Path) -> None:
    path = ENDNOTE.write_enlx(tmp_path / "Thesis.enlx")
    before = path.read_bytes()
    _, would, nothing, report, groups, paper, ink, trash, status, again, same, _, restored = (
        desk.run_all([
            ("init",), ("import", "--dry-run", str(path)), ("list",), ("import", str(path)),
            ("group", "list"), ("show", "doe2014paper"), ("show", "roe2015ink"),
            ("list", "--trash"), ("status",), ("import", str(path)), ("status",),
            ("restore", "roe2016waste"), ("group", "list"),
        ])
    )  # fmt: skip
    assert nothing == []
    assert report == would
    assert counted(report) == (2, 0, 0, 1, 3)
    assert (report["files"], report["missing_files"], report["left_out"]) == (1, 0, [])
    assert paths(groups) == {"Thesis": 0, "Thesis/Intro": 1, "Thesis/Methods": 2}
    assert paper["fields"]["rating"] == "4"
    assert (ink["fields"]["read-status"], ink["tags"]) == ("read", ["to read"])
    assert [one["key"] for one in trash] == ["roe2016waste"]
    assert contents(desk) == [PDF]
    assert counted(again) == (0, 0, 2, 1, 0)
    assert same["state"] == status["state"]
    assert paths(restored)["Thesis/Intro"] == 2
    assert path.read_bytes() == before


def test_a_whole_zotero_library_comes_in_once(desk: Computer, tmp_path: Path) -> None:
    folder = ZOTERO.write(tmp_path / "Zotero").parent
    _, report, groups, shown, again = desk.run_all([
        ("init",), ("import", str(folder)), ("group", "list"), ("show", "doe2014book"),
        ("import", str(folder / "zotero.sqlite")),
    ])  # fmt: skip
    assert counted(report) == (1, 0, 0, 1, 2)
    assert [one["what"] for one in report["left_out"]] == ["the saved search 'Unread'"]
    assert paths(groups) == {"Reading": 1, "Reading/Old": 0}
    assert shown["fields"]["note"] == "Seen <b>twice</b>"
    assert shown["fields"]["annotation"] == "> marked (p. 3)"
    assert [one["text"] for one in shown["annotations"]] == ["marked"]
    assert shown["tags"] == ["to read"]
    assert contents(desk) == [PDF]
    assert counted(again) == (0, 0, 1, 1, 0)


def test_libraries_imported_on_both_before_they_meet_are_one_of_each_and_go_on(
    relay: RelayProcess, desk: Computer, laptop: Computer, tmp_path: Path
) -> None:
    """A1 and A5 with whole libraries: a rename there arrives once, a rename here stays."""
    groups = []
    for computer in (desk, laptop):
        folder = tmp_path / f"of-{computer.name}"
        folder.mkdir()
        places = (ENDNOTE.write(folder), ZOTERO.write(folder / "Zotero"))
        imports = [("import", str(place)) for place in places]
        *_, listed = computer.run_all([("init",), *imports, ("group", "list")])
        groups.append(paths(listed))
    assert groups[0] == groups[1]
    laptop.run("attach", desk.run("attach", relay.url)["ticket"], "--join")
    laptop.run_all([
        ("add", "--type", "book", "title=Of our own"),
        ("group", "rename", "Thesis/Intro", "Beginning"),
    ])  # fmt: skip
    later = EndNoteLibrary(
        [ENDNOTE.refs[0], {**ENDNOTE.refs[1], "volume": "7"}, ENDNOTE.refs[2]],
        groups=[Group("G1", "Ways", [2]), Group("G2", "Introduction", [1, 2, 3])],
        sets=ENDNOTE.sets,
        tags=ENDNOTE.tags,
        files=ENDNOTE.files,
    )
    assert counted(desk.run("import", later.write(tmp_path))) == (0, 2, 0, 1, 2)
    view = assert_converges(desk, laptop)
    assert view.keys == {"doe2014paper", "roe2015ink", "doe2014book", "our"}
    assert view.trash_keys == {"roe2016waste", "roe2016book"}
    assert view.conflicts == []
    assert view.fields("roe2015ink")["volume"] == "7"
    arrived = {"Thesis": 0, "Thesis/Beginning": 2, "Thesis/Ways": 1, "Reading": 1, "Reading/Old": 0}
    for computer in (desk, laptop):
        assert paths(computer.run("group", "list")) == arrived


def test_what_cannot_be_imported_says_why_and_what_to_do(desk: Computer, tmp_path: Path) -> None:
    desk.run("init")
    old = tmp_path / "Old.Data" / "rdb"
    old.mkdir(parents=True)
    (old / "refs.MYD").write_bytes(b"\xfe\xfe\x07")
    (tmp_path / "Old.enl").write_bytes(b"\x00\x01old")
    said = desk.fails("import", tmp_path / "Old.enl")
    assert "one of EndNote X9 or earlier. Nothing was changed." in said
    assert "Open it in EndNote 20 or later" in said

    cut = ENDNOTE.write_enlx(tmp_path / "cut.enlx")
    cut.write_bytes(cut.read_bytes()[:2000])
    assert "damaged" in desk.fails("import", cut)


def test_nothing_of_the_exporters_computer_is_kept_or_shown(desk: Computer) -> None:
    folder = desk.home / "jane-doe"
    folder.mkdir(parents=True)
    linked = folder / "linked.pdf"
    linked.write_bytes(PDF)
    item = Item("LLLL2222", "attachment", own={"linkMode": 2, "path": str(linked)})
    places = (ENDNOTE.write(folder), ZoteroLibrary([item]).write(folder / "Zotero"))
    desk.run_all([("init",), *(("import", "--linked-files", str(place)) for place in places)])
    assert contents(desk) == [PDF]
    with desk.opened() as library:
        kept = "".join(library.state_json())
    assert "On Paper" in kept
    assert "jane-doe" not in kept


def test_linked_files_come_only_when_asked_for_and_only_from_the_users_documents(
    desk: Computer, tmp_path: Path
) -> None:
    paper = desk.home / "papers" / "linked.pdf"
    paper.parent.mkdir(parents=True)
    paper.write_bytes(PDF)
    desk.run("init")
    paths = [str(paper), "/etc/passwd", "/proc/self/environ", str(desk.home / "device.key")]
    items = [
        Item("AAAA2222", "book", fields={"title": "Links"}),
        *(
            Item(f"LLLL222{n}", "attachment", parent="AAAA2222", own={"linkMode": 2, "path": path})
            for n, path in enumerate(paths)
        ),
    ]
    library = ZoteroLibrary(items).write(tmp_path / "Zotero")
    report = desk.run("import", library)
    assert (report["files"], report["missing_files"], report["linked_files_left_out"]) == (0, 0, 4)
    assert contents(desk) == []
    said = desk.call("import", library, exits=0).stdout
    assert "4 linked files left out" in said
    assert "--linked-files" in said
    report = desk.run("import", "--linked-files", library, exits=3)
    assert (report["files"], report["missing_files"], report["linked_files_left_out"]) == (1, 3, 0)
    assert {one["what"].split("'")[1] for one in report["left_out"]} == {
        "passwd", "environ", "device.key",
    }  # fmt: skip
    assert contents(desk) == [PDF]
    assert desk.run("import", library)["linked_files_left_out"] == 4
    (listed,) = desk.run("file", "list")
    assert listed["name"] == "linked.pdf"
