"""Of a reference that changes, only the rows that differ are written: and no other row is wrong."""

from __future__ import annotations

from itertools import islice, permutations
from pathlib import Path
from typing import Any

import pytest
from tests.support.examples import IS_FULL
from tests.unit.storage.builders import new_database, row

from bifolio.storage.attachments import AttachmentRow
from bifolio.storage.database import Database
from bifolio.storage.derived import DerivedReference, SourceRow
from bifolio.storage.purged import PurgedRow
from bifolio.storage.references import References

_ID = row(1).id
_ANN = {"family": "Lee", "given": "Ann"}
_BOB = {"literal": "Bob"}
_FILE = AttachmentRow(_ID, "a" * 64, "paper.pdf", 7, "0" * 18, "s" * 12)


def _of(
    fields: dict[str, Any] | None = None,
    *,
    sources: tuple[SourceRow, ...] = (),
    files: tuple[AttachmentRow, ...] = (),
    **columns: Any,
) -> DerivedReference:
    given = {"title": "On Paper", "abstract": "It speaks of ink.", "key": "lee1"} | columns
    plain = {"volume": "7", "author": [_ANN]}
    return DerivedReference(row(1, fields=plain | (fields or {}), **given), sources, files)


#: States of one reference: each differs from each other one in what it writes.
STATES = {
    "plain": _of(),
    "another volume": _of({"volume": "8"}),
    "no volume": DerivedReference(row(1, title="On Paper", key="lee1", fields={"author": [_ANN]})),
    "another author": _of({"author": [_ANN, _BOB]}),
    "no words in a name": _of({"author": []}),
    "an editor": _of({"editor": [_BOB]}),
    "a DOI": _of({"DOI": "10.1/x"}),
    "another DOI": _of({"DOI": "10.1/y"}),
    "a short title": _of({"title-short": "Paper"}),
    "a tag": _of({"tags": ["red"]}, tags="red"),
    "two tags": _of({"tags": ["red", "blue"]}, tags="red; blue"),
    "a group": _of({"groups": ["f" * 32]}),
    "an earlier key": _of({"citation-key-aliases": ["lee0"]}),
    "another key": _of(key="lee2"),
    "another title": _of(title="On Ink"),
    "another abstract": _of(abstract="Of nothing."),
    "a note": _of(note="Read it."),
    "a year": _of({"issued": {"date-parts": [[1980]]}}, year=1980),
    "a date without a year": _of({"issued": {"literal": "soon"}}),
    "another type": _of(type="article"),
    "a conflict": _of(conflicts=1),
    "two conflicts": _of(conflicts=2),
    "in the trash": _of(trashed=True),
    "a source": _of(sources=(SourceRow(_ID, "ris", "17", b"c", ""),)),
    "another source": _of(sources=(SourceRow(_ID, "ris", "17", b"d", ""),)),
    "a file": _of(files=(_FILE,)),
    "gone": DerivedReference(row(1, key="lee1", trashed=True), (), (), PurgedRow(_ID, "lee1", "")),
}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return new_database(tmp_path)


def test_upkeep_gives_what_a_rebuild_gives_from_every_state_to_every_other(
    database: Database,
) -> None:
    references = References(database)
    expected: dict[str, list[tuple[Any, ...]]] = {}
    with database.transaction():
        for name, state in STATES.items():
            references.clear()
            references.write([state])
            expected[name] = references.all_rows()
        assert len({repr(rows) for rows in expected.values()}) == len(STATES)
        for before, after in islice(permutations(STATES, 2), 0, None, 1 if IS_FULL else 5):
            references.clear()
            references.write([STATES[before]])
            references.write([STATES[after]])
            assert references.all_rows() == expected[after], (before, after)


@pytest.mark.parametrize(
    ("after", "written"),
    [
        ("plain", set()),
        ("another volume", {"refs"}),
        ("two conflicts", {"refs", "refs_fts"}),
        ("another title", {"refs", "refs_fts", "orders"}),
        ("a tag", {"refs", "refs_fts", "elements"}),
        ("a source", {"sources"}),
    ],
)
def test_what_stays_as_it_is_is_not_written(
    database: Database, after: str, written: set[str]
) -> None:
    references = References(database)
    references.write([STATES["plain"]])
    statements: list[str] = []
    database._connection.set_trace_callback(statements.append)
    references.write([STATES[after]])
    database._connection.set_trace_callback(None)
    changed = [one.split() for one in statements if not one.startswith(("SELECT", "--"))]
    tables = {words[words.index("INTO" if "INTO" in words else "FROM") + 1] for words in changed}
    assert tables - {"shared_keys"} == written
