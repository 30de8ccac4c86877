"""Importing is deterministic: the same file gives the same bytes, in any process, on any computer.

A newer version of a file is merged as if the file were a replica of its own (case A5).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.prepared import members
from tests.simulation.computer import Computer
from tests.simulation.history import check_equal, check_index
from tests.support.examples import IS_FULL, examples
from tests.support.stored_changes import all_envelopes

from bifolio.document import editing
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.document.view import RecordView, read_view
from bifolio.formats import read
from bifolio.ids import content_hash
from bifolio.imports.importer import Importer
from bifolio.records.edits import Act, Edit
from bifolio.replication.inbox import Inbox, Received
from bifolio.replication.outbox import Outbox
from bifolio.results import ImportReport

GOLDEN = Path(__file__).parents[1] / "golden"
FEW = settings(deadline=None, max_examples=examples(12), derandomize=True)

WORDS = st.lists(st.sampled_from("paper ink fold Żółć 図書館 é".split()), min_size=1, max_size=4)
#: What one version of a file says of a reference; its id and DOI stay.
VERSIONS = st.fixed_dictionaries(
    {"TI": WORDS.map(" ".join), "AB": WORDS.map(" ".join)},
    optional={"VL": st.sampled_from("789"), "IS": st.sampled_from("12")},
)
AUTHORS = st.lists(st.sampled_from(("Doe, Jane", "Roe, R.", "Poe, P.")), max_size=3, unique=True)


def test_the_same_file_gives_the_same_bytes_in_every_process() -> None:
    program = (
        "from tests.property.test_imports import imported_hashes\n"
        "if __name__ == '__main__':\n    print(imported_hashes())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout
        for _ in range(2 if IS_FULL else 1)
    }
    assert outputs == {f"{imported_hashes()}\n"}


def test_a_file_imported_on_two_computers_before_they_meet_gives_one_of_each() -> None:
    with TemporaryDirectory() as folder:
        one, other, third = members(Path(folder))
        for name in ("small.ris", "small.bib"):
            first = imports(one, GOLDEN / name)
            assert imports(other, GOLDEN / name).added == first.added > 0
        before = one.replica.references.all_rows()
        exchange(one, other, third)
        check_equal((one, other, third))
        for computer in (one, other, third):
            assert computer.replica.references.all_rows() == before
            assert computer.replica.references.conflict_count() == 0
            again = imports(computer, GOLDEN / "small.ris")
            assert (again.added, again.updated) == (0, 0)


@given(old=VERSIONS, new=VERSIONS, authors=st.tuples(AUTHORS, AUTHORS), meet_before=st.booleans())
@FEW
def test_a_corrected_file_imported_on_both_arrives_once_and_local_edits_stay(
    old: dict[str, str],
    new: dict[str, str],
    authors: tuple[list[str], list[str]],
    meet_before: bool,
) -> None:
    with TemporaryDirectory() as folder:
        one, other, _ = members(Path(folder))
        first = ris(Path(folder) / "old.ris", old, authors[0])
        second = ris(Path(folder) / "new.ris", new, authors[1])
        imports(one, first)
        imports(other, first)
        if meet_before:
            exchange(one, other)
        (row,) = other.replica.references.iter_rows(trashed=False)
        edit(other, row.id, Edit("page", Act.SET, ("12-34",)))
        edit(other, row.id, Edit("author", Act.ADD, ("Local, L.",)))
        edit(other, row.id, Edit("note", Act.SET, ("a note of our own",)))
        for computer in (one, other):
            imports(computer, second)
        exchange(one, other)
        check_equal((one, other))
        for computer in (one, other):
            assert computer.replica.references.count(trashed=False) == 1
            check_index(computer)
            view = shown(computer, row.id)
            assert view.conflicts == ()
            assert view.values["page"] == "12-34"
            assert view.values["note"] == "a note of our own"
            assert view.values["title"] == new["TI"]
            assert view.values["abstract"] == new["AB"]
            assert view.values.get("volume") == new.get("VL")
            names = view.values["author"]
            assert isinstance(names, tuple)
            assert sorted(map(str, names)) == sorted([*authors[1], "Local, L."])


def imported_hashes() -> list[str]:
    """The hashes of the states that an import of the golden files makes, on a fresh computer."""
    with TemporaryDirectory() as folder:
        computer, *_ = members(Path(folder))
        for name in ("small.ris", "small.bib"):
            imports(computer, GOLDEN / name)
        return [
            content_hash(record.state).hex()
            for kind in ("reference", "import")
            for record in computer.replica.records.of_kind(kind)
        ]


def imports(computer: Computer, path: Path) -> ImportReport:
    """Import a file."""
    return Importer(computer.replica, file=path.name).run(read(path))


def edit(computer: Computer, record: str, change: Edit) -> None:
    """One edit of one reference."""

    def write(plan: Plan, entries: Entries) -> None:
        editing.plan_edits(plan, entries, [change])

    computer.replica.commit([(record, write)])


def exchange(*computers: Computer) -> None:
    """Give everybody everything."""
    for computer in computers:
        Outbox(computer.replica, computer.member_log).seal()
    envelopes = [
        one.envelope for computer in computers for one in all_envelopes(computer.replica.database)
    ]
    for computer in computers:
        batch = [Received(one, None) for one in envelopes]
        Inbox(computer.replica, computer.member_log).receive(batch)


def shown(computer: Computer, record: str) -> RecordView:
    """What is shown of a reference."""
    return read_view(computer.replica.document(record).entries())


def ris(path: Path, tags: dict[str, str], authors: list[str]) -> Path:
    """A file of one reference."""
    lines = ["TY  - JOUR", "ID  - 815", "DO  - 10.1000/made.up"]
    lines += [f"AU  - {name}" for name in authors]
    lines += [f"{tag}  - {value}" for tag, value in tags.items()]
    path.write_text("\n".join([*lines, "ER  - ", ""]), encoding="utf-8")
    return path
