"""The library as programs use it: every method, with a real relay where one is needed."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

import bifolio.library.library
from bifolio import Library
from bifolio.crypto.ticket import Ticket
from bifolio.errors import (
    AlreadyAttachedError,
    AmbiguousReferenceError,
    BifolioError,
    ConflictChoiceError,
    FileNotHereError,
    FilesFieldError,
    InvalidValueError,
    KeyFileError,
    Next,
    NextStep,
    NotALibraryError,
    NotAttachedError,
    NothingToRemoveError,
    PathTakenError,
    ProtocolError,
    ReferenceNotFoundError,
    RelayRefusedError,
    RelayUnreachableError,
    TicketError,
    TrashedReferenceError,
    UnknownFieldError,
    UsageError,
    next_step,
)
from bifolio.home import Home
from bifolio.records.edits import Act, Edit
from bifolio.results import Policy, ReferenceView

GOLDEN = Path(__file__).parents[2] / "golden"
NOBODY = "ws://127.0.0.1:9"


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A relay process, and its address."""
    data = str(tmp_path_factory.mktemp("relay"))
    process = subprocess.Popen(
        [sys.executable, "-m", "bifolio_relay.server", "--port", "0", "--data", data],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.kill()
        process.communicate()


def home(tmp_path: Path, name: str) -> Home:
    return Home(tmp_path / name, device_name=name)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Library]:
    path = tmp_path / "office" / "Thesis.bifolio"
    with Library.create(path, home=home(tmp_path, "office")) as library:
        yield library


def add(library: Library, title: str = "On Paper", **fields: str | list[str]) -> ReferenceView:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return library.add({"type": "book", "title": title, "author": ["Doe, Jane"], **named})


def second(relay: str, office: Library, tmp_path: Path) -> Library:
    """Another computer's replica of the office's library."""
    ticket = office.attach(relay).ticket
    path = tmp_path / "laptop" / "Thesis.bifolio"
    return Library.attach_new(ticket, path, home=home(tmp_path, "laptop"))


# --- opening -------------------------------------------------------------------------------


def test_the_example_of_the_module_runs(tmp_path: Path) -> None:
    assert bifolio.library.library.__doc__ is not None
    example = re.findall(r"(?m)^(?: {4}.*)?$", bifolio.library.library.__doc__)
    program = "\n".join(line[4:] for line in example)
    assert "Library.create" in program
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        check=True,
        cwd=tmp_path,
        env=environment,
        timeout=60,
    )
    with Library.open(tmp_path / "Thesis.bifolio", home=home(tmp_path, "other")) as library:
        assert [one.fields["title"] for one in library.list()] == ["On Sync"]


def test_a_created_library_opens_again_with_its_name_and_ids(tmp_path: Path) -> None:
    path = tmp_path / "a.bifolio"
    with Library.create(path, name="My thesis", home=home(tmp_path, "office")) as library:
        made = (library.id, library.name, library.replica_id)
    with Library.open(str(path), home=home(tmp_path, "office")) as library:
        assert (library.id, library.name, library.replica_id) == made
    assert made[1] == "My thesis"
    assert len(made[0]) == len(made[2]) == 32


def test_a_library_is_never_made_over_something(office: Library, tmp_path: Path) -> None:
    with pytest.raises(PathTakenError):
        Library.create(office.path, home=home(tmp_path, "office"))
    (tmp_path / "empty.bifolio").mkdir()
    Library.create(tmp_path / "empty.bifolio", home=home(tmp_path, "office")).close()


@pytest.mark.parametrize("kind", ["missing", "folder", "file"])
def test_what_is_no_library_is_told_and_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.bifolio"
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.write_text("a file")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NotALibraryError):
        Library.open(path, home=home(tmp_path, "office"))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_a_cloud_synchronises_gives_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "Dropbox" / "a.bifolio"
    with Library.create(path, home=home(tmp_path, "office")) as library:
        (notice,) = library.notices
        assert "Dropbox" in notice.message
        assert notice.next == next_step(Next.MOVE_LIBRARY, path=str(library.path))
    with Library.create(tmp_path / "b.bifolio", home=home(tmp_path, "office")) as library:
        assert library.notices == []


def test_closing_twice_is_no_error(office: Library) -> None:
    office.close()
    office.close()


# --- references ----------------------------------------------------------------------------


def test_an_added_reference_is_shown_by_key_id_and_beginning_of_the_id(office: Library) -> None:
    shown = office.add(
        {
            "type": "article-journal",
            "title": "On Paper",
            "author": ["Doe, Jane", "{WHO}"],
            "issued": "2024-05",
            "tag": ["a", "b"],
            "doi": "10.1/x",
        }
    )
    assert (shown.key, shown.type, shown.tags) == ("doe2024paper", "article-journal", ("a", "b"))
    assert shown.fields == {
        "title": "On Paper",
        "author": [{"family": "Doe", "given": "Jane"}, {"literal": "WHO"}],
        "issued": {"date-parts": [[2024, 5]]},
        "DOI": "10.1/x",
    }
    for ref in ("doe2024paper", shown.id, shown.id[:8], shown.id[:8].upper(), f" {shown.key} "):
        assert office.show(ref) == shown


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"titel": "x"}, UnknownFieldError),
        ({"type": "boook"}, InvalidValueError),
        ({"title": ["a", "b"]}, InvalidValueError),
        ({"author": ""}, InvalidValueError),
        ({"title": "half \ud800"}, InvalidValueError),
    ],
)
def test_a_wrong_field_adds_nothing(
    office: Library, fields: dict[str, str | list[str]], error: type[BifolioError]
) -> None:
    with pytest.raises(error):
        office.add(fields)
    assert list(office.list()) == []


@pytest.mark.parametrize("act", list(Act))
def test_the_files_of_a_reference_are_no_field_to_write(office: Library, act: Act) -> None:
    shown = office.add({"title": "Paper"})
    values = () if act is Act.CLEAR else ("paper.pdf",)
    with pytest.raises(FilesFieldError) as caught:
        office.edit(shown.id, [Edit("files", act, values)])
    assert caught.value.next_step == NextStep(Next.ADD_OR_REMOVE_FILE)
    with pytest.raises(FilesFieldError):
        office.add({"title": "Paper", "file": "paper.pdf"})


def test_an_edit_of_several_fields_is_made_whole_or_not_at_all(office: Library) -> None:
    shown = add(office)
    edited = office.edit(
        shown.key, [Edit("volume", Act.SET, ("7",)), Edit("tags", Act.ADD, ("new",))]
    )
    assert (edited.fields["volume"], edited.tags) == ("7", ("new",))
    with pytest.raises(UsageError):
        office.edit(shown.key, [Edit("volume", Act.SET, ("8",)), Edit("title", Act.ADD, ("x",))])
    assert office.show(shown.key).fields["volume"] == "7"


def test_two_references_of_one_key_are_told_apart_by_what_is_shown(office: Library) -> None:
    first = add(office, citation_key="doe")
    other = add(office, "On Ink", citation_key="doe")
    shown = {office.show(one.id).key for one in (first, other)}
    assert "doe" in shown
    (suffixed,) = shown - {"doe"}
    assert re.fullmatch(r"doe-[0-9a-f]{6}", suffixed)
    assert office.show(suffixed).id != office.show("doe").id


def test_what_is_called_nothing_or_several_things_is_named(office: Library, tmp_path: Path) -> None:
    for ref in ("nobody", "", "zzzz", "half \ud800"):
        with pytest.raises(ReferenceNotFoundError):
            office.show(ref)
    added: list[str] = []
    while len({one[:4] for one in added}) == len(added) and len(added) < 1500:
        records = (f"TY  - BOOK\nTI  - Title {len(added)} {n}\nER  - \n" for n in range(300))
        (tmp_path / "more.ris").write_text("".join(records), "utf-8")
        office.import_files([tmp_path / "more.ris"])
        added = [one.id for one in office.list()]
    prefix = next(one[:4] for one in added if sum(x[:4] == one[:4] for x in added) == 2)
    with pytest.raises(AmbiguousReferenceError) as caught:
        office.show(prefix)
    assert len(caught.value.candidates) == 2


def test_deleted_references_lie_in_the_trash_until_restored(office: Library) -> None:
    paper, ink = add(office), add(office, "On Ink")
    (gone,) = office.delete([paper.key])
    assert gone.trashed
    assert [one.id for one in office.list()] == [ink.id]
    assert [one.id for one in office.list(trash=True)] == [paper.id]
    assert list(office.search("paper")) == []
    with pytest.raises(TrashedReferenceError):
        office.edit(paper.key, [Edit("volume", Act.SET, ("7",))])
    office.delete([paper.key])
    (back,) = office.restore([paper.key])
    assert back == paper


def test_of_several_to_delete_all_are_there_or_none_is_deleted(office: Library) -> None:
    paper = add(office)
    with pytest.raises(ReferenceNotFoundError):
        office.delete([paper.key, "nobody"])
    assert [one.id for one in office.list()] == [paper.id]
    assert len(office.delete([paper.key, paper.id])) == 1


def test_a_search_finds_words_and_the_key(office: Library) -> None:
    paper = add(office, note="Bought in Leipzig")
    add(office, "On Ink")
    for query in ("paper", "leipzig doe", '"on paper"', paper.key):
        assert [one.id for one in office.search(query)] == [paper.id]
    assert list(office.search("half \ud800")) == []


# --- files ---------------------------------------------------------------------------------


def test_files_are_imported_counted_and_exported(office: Library, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    paths = [GOLDEN / "small.ris", GOLDEN / "small.bib"]
    would = office.import_files(paths, dry_run=True)
    assert list(office.list()) == []
    report = office.import_files(paths, progress=lambda *one: told.append(one))
    assert report.added == would.added == 5
    assert told[-1][1] == told[-1][2] == 3
    assert office.import_files(paths).unchanged == 5
    for format in ("ris", "bibtex", "csl-json"):
        out = io.BytesIO()
        assert office.export(out, format=format).exported == 5
        assert b"Paper" in out.getvalue()
    told.clear()
    for query in (None, "teXnician"):
        out = io.BytesIO()
        written = office.export(
            out, format="ris", query=query, progress=lambda *one: told.append(("", *one))
        )
    assert written.exported == 1
    assert told == [*(("", done, 5) for done in range(1, 6)), ("", 1, 1)]
    again = Library.create(tmp_path / "again.bifolio", home=home(tmp_path, "office"))
    (tmp_path / "out.ris").write_bytes(out.getvalue())
    assert again.import_files([tmp_path / "out.ris"]).added == 1
    again.close()


@pytest.mark.parametrize("format", ["bibtex", "biblatex", "ris", "csl-json", "enw"])
def test_an_export_to_any_format_with_keys_comes_back_as_nothing_new(
    office: Library, tmp_path: Path, format: str
) -> None:
    first = add(office, "On {Paper}", author=["Doe, Jane"], note="5 % & more")
    office.groups.create("Reading")
    office.groups.add("Reading", [first.key])
    file = tmp_path / "own"
    with file.open("wb") as out:
        office.export(out, format=format)
    again = office.import_files([file])
    assert (again.added, again.updated, again.unchanged) == (0, 0, 1)
    office.edit(first.key, [Edit("volume", Act.SET, ("7",))])
    other = office.import_files([file])
    assert (other.added, other.unchanged) == (1, 0)


def test_a_group_that_another_program_wrote_into_an_export_comes_in_and_doubles_nothing(
    office: Library, tmp_path: Path
) -> None:
    add(office, "On Paper", author=["Doe, Jane"])
    file = tmp_path / "own.bib"
    with file.open("wb") as out:
        office.export(out, format="bibtex")
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("title =", "groups = {Ink, Wood},\n  title ="), encoding="utf-8")
    again = office.import_files([file])
    assert (again.added, again.updated) == (0, 1)
    (only,) = office.search("paper")
    assert set(only.groups) == {"Ink", "Wood"}
    assert office.import_files([file]).unchanged == 1


def test_a_file_of_which_nothing_can_be_read_is_named_and_the_others_imported(
    office: Library, tmp_path: Path
) -> None:
    (tmp_path / "photo.bib").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    report = office.import_files([tmp_path / "photo.bib", GOLDEN / "small.ris"])
    assert report.added == 2
    (skipped,) = report.skipped
    assert skipped.file.endswith("photo.bib")


# --- care ----------------------------------------------------------------------------------


def test_status_opens_no_connection_and_counts(office: Library) -> None:
    add(office)
    office.delete([add(office, "On Ink").key])
    status = office.status()
    assert (status.references, status.trashed, status.waiting, status.conflicts) == (1, 1, 0, 0)
    assert status.unsent == 4
    assert status.relay is None
    assert status.to_json()["library_id"] == office.id
    assert len(status.state) == 64


def test_a_rebuilt_index_shows_the_same(office: Library) -> None:
    office.import_files([GOLDEN / "small.ris", GOLDEN / "small.bib"])
    office.delete([next(office.list()).id])
    before = [one.to_json() for trash in (False, True) for one in office.list(trash=trash)]
    assert office.rebuild_index() == 5
    assert [one.to_json() for trash in (False, True) for one in office.list(trash=trash)] == before


# --- the relay -----------------------------------------------------------------------------


def test_two_computers_hold_one_library(relay: str, office: Library, tmp_path: Path) -> None:
    paper = add(office)
    attached = office.attach(relay)
    assert attached.ticket.startswith("bifolio:")
    assert attached.backup is not None
    assert attached.references == 1
    path = tmp_path / "laptop" / "Thesis.bifolio"
    with Library.attach_new(attached.ticket, path, home=home(tmp_path, "laptop")) as laptop:
        assert (laptop.id, laptop.name) == (office.id, office.name)
        assert laptop.replica_id != office.replica_id
        assert laptop.show(paper.key) == paper
        office.edit(paper.key, [Edit("title", Act.SET, ("On Ink",))])
        laptop.edit(paper.key, [Edit("volume", Act.SET, ("7",))])
        assert office.sync().pushed == 1
        report = laptop.sync()
        assert (report.pushed, report.pulled) == (1, 1)
        assert asyncio.run(office.sync_async()).pulled == 1
        assert office.status().state == laptop.status().state == office.sync().state
        assert list(office.state_json()) == list(laptop.state_json())
        assert office.status().unsent == 0


def test_a_file_is_fetched_when_it_is_asked_for(
    relay: str, office: Library, tmp_path: Path
) -> None:
    paper = add(office)
    for name in ("one.pdf", "two.pdf"):
        (tmp_path / name).write_bytes(name.encode())
    office.files.add(paper.id, [tmp_path / "one.pdf", tmp_path / "two.pdf"])
    ticket = office.attach(relay).ticket
    path = tmp_path / "laptop" / "Thesis.bifolio"
    laptop_home = home(tmp_path, "laptop")
    told: list[str] = []
    with Library.attach_new(ticket, path, home=laptop_home, files=Policy.NONE) as laptop:
        assert (laptop.files.policy, laptop.files.fetches_on_demand) == (Policy.NONE, False)
        with pytest.raises(FileNotHereError) as caught:
            laptop.files.export(paper.id, "one.pdf", tmp_path / "out")
        assert caught.value.next_step == NextStep(Next.FETCH_FILE)
        fetched = laptop.files.fetch(
            paper.id, "one.pdf", progress=lambda stage, *_: told.append(stage)
        )
        assert fetched.state == "here"
        assert "receiving-files" in told
        assert laptop.files.export(paper.id, "one.pdf", tmp_path / "out").read_bytes() == b"one.pdf"
        laptop.sync()
        assert [one.state for one in laptop.files.list(paper.id)] == ["here", "on-relay"]
        laptop.files.policy = Policy.ALL
        report = laptop.sync()
        assert (report.files_sent, report.files_received) == (0, 1)
        assert laptop.status().unsent_files == 0


def test_a_conflict_is_listed_on_both_and_settled_by_number(
    relay: str, office: Library, tmp_path: Path
) -> None:
    paper = add(office)
    with second(relay, office, tmp_path) as laptop:
        office.edit(paper.key, [Edit("title", Act.SET, ("On Ink",))])
        laptop.edit(paper.key, [Edit("title", Act.SET, ("On Glue",))])
        for library in (office, laptop, office):
            library.sync()
        with pytest.raises(ConflictChoiceError, match="not listed"):
            laptop.resolve(paper.key, "title", take=1)
        (conflict,) = laptop.conflicts()
        assert [(one.n, one.value, one.by) for one in conflict.values] == [
            (1, "On Glue", "laptop"),
            (2, "On Ink", "office"),
        ]
        for wrong in (0, 3):
            with pytest.raises(ConflictChoiceError):
                laptop.resolve(paper.key, "title", take=wrong)
        assert laptop.resolve(paper.key, "title", take=2).fields["title"] == "On Ink"
        with pytest.raises(ConflictChoiceError, match="no conflict"):
            laptop.resolve(paper.key, "title", value="x")
        laptop.sync()
        assert office.sync().conflicts == 0
        assert office.show(paper.key).fields["title"] == "On Ink"


def test_a_choice_by_number_ends_when_the_conflict_changes(
    relay: str, office: Library, tmp_path: Path
) -> None:
    paper = add(office)
    with second(relay, office, tmp_path) as laptop:
        office.edit(paper.key, [Edit("title", Act.SET, ("On Ink",))])
        laptop.edit(paper.key, [Edit("title", Act.SET, ("On Glue",))])
        for library in (office, laptop):
            library.sync()
        laptop.show(paper.key)
        office.edit(paper.key, [Edit("title", Act.SET, ("On Thread",))])
        for library in (office, laptop):
            library.sync()
        with pytest.raises(ConflictChoiceError, match="changed"):
            laptop.resolve(paper.key, "title", take=1)
        assert laptop.resolve(paper.key, "title", value="Mine").fields["title"] == "Mine"
        assert laptop.conflicts() == []


def test_a_revival_is_settled_by_restore_or_delete(
    relay: str, office: Library, tmp_path: Path
) -> None:
    paper = add(office)
    with second(relay, office, tmp_path) as laptop:
        office.delete([paper.key])
        laptop.edit(paper.key, [Edit("volume", Act.SET, ("7",))])
        for library in (office, laptop):
            library.sync()
        (conflict,) = laptop.conflicts()
        assert (conflict.field, conflict.kind) == ("deleted", "revived")
        with pytest.raises(ConflictChoiceError, match="deleted and edited at the same time"):
            laptop.resolve(paper.key, "deleted", take=1)
        laptop.restore([paper.key])
        assert laptop.conflicts() == []
        assert not laptop.show(paper.key).trashed


def test_a_library_joins_another_and_both_hold_both(
    relay: str, office: Library, tmp_path: Path
) -> None:
    add(office)
    ticket = office.attach(relay).ticket
    own = Library.create(tmp_path / "own.bifolio", home=home(tmp_path, "laptop"))
    glue = add(own, "On Glue")
    (tmp_path / "glue.pdf").write_bytes(b"glue")
    own.files.add(glue.id, [tmp_path / "glue.pdf"])
    own.delete([add(own, "Thrown away").key])
    joined = own.join(ticket)
    assert (joined.references, joined.left_out) == (2, 1)
    assert joined.backup is not None
    office.sync()
    assert own.id == office.id
    assert office.status().state == own.status().state
    assert [one.state for one in office.files.list(glue.id)] == ["here"]
    out = office.files.export(glue.id, "glue.pdf", tmp_path / "out.pdf")
    assert out.read_bytes() == b"glue"
    stranger = Library.create(tmp_path / "stranger.bifolio", home=home(tmp_path, "laptop"))
    other = stranger.attach(relay).ticket
    with pytest.raises(AlreadyAttachedError):
        own.join(other)
    assert own.join(ticket).backup is None
    own.close()
    stranger.close()


def test_an_invite_admits_as_many_as_it_says(relay: str, office: Library, tmp_path: Path) -> None:
    add(office)
    office.attach(relay, backup=False)
    ticket = office.invite(uses=2)
    for name in ("one", "two"):
        path = tmp_path / name / "a.bifolio"
        with Library.attach_new(ticket, path, home=home(tmp_path, name)) as library:
            assert len(list(library.list())) == 1


def test_watching_reports_each_round(relay: str, office: Library, tmp_path: Path) -> None:
    add(office)
    with second(relay, office, tmp_path) as laptop:

        async def first_two_rounds() -> list[int]:
            pulled: list[int] = []
            async with contextlib.aclosing(laptop.watch()) as rounds:
                async for report in rounds:
                    pulled.append(report.pulled)
                    if len(pulled) == 2:
                        break
                    add(office, "On Ink")
                    await office.sync_async()
            return pulled

        assert asyncio.run(asyncio.wait_for(first_two_rounds(), 30)) == [0, 1]
        assert len(list(laptop.list())) == 2


def test_a_relay_that_is_not_there_leaves_everything_as_it_was(
    relay: str, office: Library, tmp_path: Path
) -> None:
    paper = add(office)
    with pytest.raises(NotAttachedError):
        office.sync()
    with pytest.raises(RelayUnreachableError):
        office.attach(NOBODY)
    assert office.status().relay is None
    assert office.show(paper.key) == paper
    for ticket in ("", "bifolio:", "bifolio:AAAA", "no ticket"):
        with pytest.raises(TicketError):
            Library.attach_new(ticket, tmp_path / "new.bifolio", home=home(tmp_path, "laptop"))
    assert not (tmp_path / "new.bifolio").exists()
    attached = office.attach(relay)
    with pytest.raises(PathTakenError):
        Library.attach_new(attached.ticket, office.path, home=home(tmp_path, "laptop"))


# --- what a careless program or shell gives -------------------------------------------------


def test_a_library_that_cannot_be_begun_leaves_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.bifolio"
    with pytest.raises(InvalidValueError):
        Library.create(path, name="half \udc80", home=home(tmp_path, "office"))
    key = tmp_path / "laptop" / "device.key"
    key.parent.mkdir()
    key.write_text("no key")
    with pytest.raises(KeyFileError):
        Library.create(path, home=home(tmp_path, "laptop"))
    assert [one.name for one in tmp_path.iterdir() if "bifolio" in one.name] == []


def test_a_folder_whose_name_is_no_text_holds_a_library_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "Th\udce8se.bifolio"
    with Library.create(path, home=home(tmp_path, "office")) as library:
        assert library.name == "Th?se"


@pytest.mark.parametrize(
    "fields",
    [{"author": ["Doe\udc80, Jane"]}, {"x.\udc80": "1"}, {"x.a": "\udc80"}, {"note": "\udc80"}],
)
def test_half_a_character_is_refused_wherever_it_stands(
    office: Library, fields: dict[str, str | list[str]]
) -> None:
    with pytest.raises(InvalidValueError):
        office.add(fields)
    assert list(office.list()) == []


def test_a_field_that_would_never_be_shown_is_refused(office: Library) -> None:
    with pytest.raises(UnknownFieldError):
        office.add({"x.a\x1fb": "1"})
    key = add(office).key
    with pytest.raises(UnknownFieldError):
        office.edit(key, [Edit("x.a\x1fb", Act.SET, ("1",))])


def test_control_characters_are_kept_as_given(office: Library) -> None:
    text = "".join(map(chr, range(32))) + "\x7f\u2028\u200f\ufffe"
    shown = add(office, title=text, note=text, tags=[text, "%1F"])
    assert office.show(shown.id).fields["title"] == text
    assert office.show(shown.id).fields["note"] == text
    assert set(office.show(shown.id).tags) == {text, "%1F"}
    before = office._replica.references.all_rows()
    office.rebuild_index()
    assert office._replica.references.all_rows() == before


def test_several_edits_of_one_field_are_made_in_their_order(office: Library) -> None:
    key = add(office).key
    office.edit(key, [Edit("x.a", Act.SET, ("1", "2"))])
    shown = office.edit(
        key,
        [
            Edit("x.a", Act.REMOVE, ("1",)),
            Edit("x.a", Act.ADD, ("3",)),
            Edit("note", Act.SET, ("first",)),
            Edit("note", Act.ADD, ("second",)),
            Edit("note", Act.ADD, ("third",)),
        ],
    )
    assert shown.fields["x.a"] == ["2", "3"]
    assert shown.fields["note"] == "first\n\nsecond\n\nthird"
    assert shown.conflicts == ()


def test_of_several_edits_of_one_field_all_are_made_or_none(office: Library) -> None:
    key = add(office).key
    with pytest.raises(NothingToRemoveError):
        office.edit(key, [Edit("x.a", Act.ADD, ("1",)), Edit("x.a", Act.REMOVE, ("2",))])
    assert "x.a" not in office.show(key).fields


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_an_empty_name_means_no_reference(office: Library, nothing: str) -> None:
    shown = add(office)
    cleared = office.edit(shown.key, [Edit("citation-key", Act.CLEAR)])
    assert office.show(cleared.key).id == shown.id
    with pytest.raises(ReferenceNotFoundError):
        office.delete([nothing])


@pytest.mark.parametrize(
    "address", ["ws://localhost:99999", "ws://a..b", "ws://[::1", "ws://\udc80", "ws://" + "a" * 99]
)
def test_what_is_no_address_is_told_and_not_kept(office: Library, address: str) -> None:
    with pytest.raises(RelayUnreachableError):
        office.attach(address, backup=False)
    assert office.status().relay is None


def test_a_server_that_is_no_relay_is_told_and_not_kept(office: Library) -> None:
    async def attach() -> None:
        async def chatter(socket: ServerConnection) -> None:
            await socket.send(b"hello")

        async with serve(chatter, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            with pytest.raises(ProtocolError):
                await office._relay.remote.attach(f"ws://127.0.0.1:{port}", None)

    asyncio.run(attach())
    assert office.status().relay is None


def test_a_ticket_of_a_library_that_its_relay_lost_changes_nothing(
    relay: str, office: Library
) -> None:
    ticket = Ticket(
        relay=relay,
        library=b"l" * 16,
        secret=b"s" * 32,
        epoch=b"e" * 16,
        position=1,
        chain_hash=b"c" * 32,
        membership_head=b"m" * 32,
    ).encode()
    add(office)
    before = office.id
    with pytest.raises(RelayRefusedError):
        office.join(ticket)
    assert office.id == before
    assert office.attach(relay).library == before
