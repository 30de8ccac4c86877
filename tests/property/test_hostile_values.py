"""Values of other members are data: nothing that they write stops a reader of the library."""

from __future__ import annotations

import io
import json
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.support.examples import examples
from tests.support.hostile_values import (
    FOREIGN_SHAPES,
    HOSTILE_STRINGS,
    REGISTERS,
    exchange,
    failures,
    library_of,
    plant,
)
from tests.unit.replica.builders import Computer, members

from bifolio.document.entries import Entries
from bifolio.document.view import RecordView, read_view
from bifolio.formats import EXPORT_FORMATS

GOOD = "f" * 32

#: The values are planted in so many parts: each test stays short.
PARTS = 30


def attacked(tmp_path: Path) -> tuple[Computer, Computer]:
    mallory, victim = members(tmp_path, "mallory", "victim")
    victim.adds(GOOD, {"type": "book", "title": "A good title", "citation-key": "good"})
    exchange(victim, mallory)
    return victim, mallory


@pytest.mark.parametrize(
    "part",
    ["few", *(pytest.param(part, marks=pytest.mark.heavy) for part in range(PARTS))],
)
@pytest.mark.parametrize("kind", ["reference", "group", "import", "settings", "unknown"])
def test_no_value_of_a_member_stops_any_reading_of_the_library(
    tmp_path: Path, kind: str, part: int | str
) -> None:
    victim, mallory = attacked(tmp_path)
    every: list[object] = [*HOSTILE_STRINGS, *FOREIGN_SHAPES]
    values = every[part::PARTS] if isinstance(part, int) else every[:: len(every) // 2]
    records = {
        f"{number:032x}": {**dict.fromkeys(REGISTERS, value), "kind": kind}
        for number, value in enumerate(values, 1)
    }
    plant(mallory, records)
    exchange(victim, mallory)
    library = library_of(victim)
    assert failures(library, tmp_path) == []
    shown = library.show(GOOD)
    assert (shown.key, shown.fields["title"]) == ("good", "A good title")


whole = st.integers(-(2**63), 2**63 - 1)
leaves = st.none() | st.booleans() | whole | st.floats() | st.text(max_size=8)
shapes = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "date-parts",
                    "season",
                    "circa",
                    "literal",
                    "role",
                    "name",
                    "family",
                    "hash",
                    "size",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
anything = st.one_of(
    st.sampled_from([*HOSTILE_STRINGS, *FOREIGN_SHAPES]), shapes, shapes.map(json.dumps)
)
registers = st.dictionaries(st.sampled_from(REGISTERS) | st.text(max_size=6), anything, max_size=12)
kinds = st.sampled_from(["reference", "reference", "reference", "group", "import", "settings", "z"])
ids = st.sampled_from([GOOD, "1" * 32, "2" * 32, "0" * 32])


@settings(
    max_examples=examples(8),
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes seconds to shrink
)
@given(records=st.dictionaries(ids, st.tuples(registers, st.none() | kinds), max_size=4))
def test_random_values_under_random_keys_of_any_record_stop_nothing(
    records: dict[str, tuple[dict[str, object], str | None]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("random")
    victim, mallory = attacked(folder)
    victim.adds("e" * 32, {"type": "book", "title": "Another", "citation-key": "another"})
    planted = {
        one: said if kind is None else {**said, "kind": kind}
        for one, (said, kind) in records.items()
    }
    plant(mallory, planted)
    exchange(victim, mallory)
    library = library_of(victim)
    assert failures(library, folder) == []
    assert library.show("e" * 32).fields["title"] == "Another"
    library.close()
    mallory.replica.database.close()
    shutil.rmtree(folder)


def test_a_group_that_is_its_own_parent_and_a_huge_position_are_shown(tmp_path: Path) -> None:
    victim, mallory = attacked(tmp_path)
    group = {"kind": "group", "name": "Loop"}
    plant(
        mallory,
        {
            "1" * 32: {**group, "parent": "1" * 32, "order": "z" * 100_000},
            "2" * 32: {**group, "parent": "3" * 32, "order": "-" * 1000},
            "3" * 32: {**group, "parent": "2" * 32, "order": "\u202e"},
        },
    )
    exchange(victim, mallory)
    library = library_of(victim)
    assert len(library.groups.list()) == 3
    assert library.groups.create("Mine", parent="1" * 32).name == "Mine"
    assert failures(library, tmp_path) == []


@pytest.mark.heavy
def test_ten_thousand_tags_on_one_reference_are_read_in_time(tmp_path: Path) -> None:
    victim, mallory = attacked(tmp_path)
    for part in range(2):
        tags = {f"+tags\x1f{part}-{number}": f"{part}-{number}" for number in range(5_000)}
        plant(mallory, {"1" * 32: {"kind": "reference", **tags}})
    exchange(victim, mallory)
    library = library_of(victim)
    start = time.monotonic()
    assert len(library.show("1" * 32).tags) == 10_000
    assert len(library.tags.list()) == 10_000
    for format in EXPORT_FORMATS:
        library.export(io.BytesIO(), format=format)
    assert time.monotonic() - start < 60


def test_a_reference_that_this_program_cannot_read_is_listed_and_the_others_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, mallory = attacked(tmp_path)

    def fails_for_ink(entries: Entries) -> RecordView:
        if entries.live("title")[0].value == "Ink":
            raise IndexError(entries)
        return read_view(entries)

    failing = SimpleNamespace(read_view=fails_for_ink, RecordView=RecordView)
    monkeypatch.setattr("bifolio.replica.projection.views", failing)
    monkeypatch.setattr("bifolio.exports.export.read_view", fails_for_ink)
    plant(mallory, {"1" * 32: {"kind": "reference", "title": "Ink"}})
    exchange(victim, mallory)
    library = library_of(victim)
    assert library.show("1" * 32).fields["note"] == "its values cannot be read here (IndexError)"
    assert library.show(GOOD).fields["title"] == "A good title"
    for format in EXPORT_FORMATS:
        live = library.live_export(format=format)
        for report in (library.export(io.BytesIO(), format=format), live.write(io.BytesIO())):
            assert (report.exported, [one.reference for one in report.lost]) == (1, ["1" * 32])
