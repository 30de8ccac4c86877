"""Results: frozen, declared once, JSON and its schema from the declaration."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from tests.support.cases import each
from tests.support.floor_plan import ROOT

from bifolio.errors import Next, next_step
from bifolio.records.reference import SkippedRecord
from bifolio.results import (
    Action,
    ActionKind,
    CheckVerdict,
    Finding,
    ImportTally,
    RelayStatus,
    RemovalResult,
    Result,
    Subject,
    in_words,
    read_actions,
    to_json,
    write_actions,
)
from bifolio.results.schema import result_types, results_schema, schema_text

SCHEMA = ROOT / "docs" / "results.schema.json"


def test_the_committed_schema_is_that_of_the_declarations() -> None:
    said = "run: python -m bifolio.results.schema > docs/results.schema.json"
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), said


def test_the_schema_is_one() -> None:
    schema = results_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert {one.__name__ for one in result_types()} <= schema["$defs"].keys()


@each("kind", result_types(), ids=lambda kind: kind.__name__)
def test_every_result_is_frozen_and_says_what_it_is(kind: type[Result]) -> None:
    assert kind.__struct_config__.frozen
    assert kind.__doc__


def test_every_field_is_written_and_nothing_else_is_valid() -> None:
    schema = {"$ref": "#/$defs/RelayStatus", "$defs": results_schema()["$defs"]}
    document = RelayStatus("wss://relay", True, None, None).to_json()
    assert document == {
        "url": "wss://relay",
        "reachable": True,
        "last_sync": None,
        "moved": None,
        "was_asked": True,
    }
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(document)
    for wrong in ({"url": "wss://relay"}, {**document, "more": 1}, {**document, "url": 1}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(wrong)


def test_a_next_step_has_its_code_its_facts_and_the_words_of_the_front_end() -> None:
    finding = Finding("key", CheckVerdict.ATTENTION, "No.", next_step(Next.UNPIN_KEY, key="a"))
    document = finding.to_json(lambda step: f"Unpin {step.facts['key']}.")
    assert document["next"] == {
        "code": "unpin-key",
        "facts": {"key": "a"},
        "text": "Unpin a.",
    }
    assert Finding("key", CheckVerdict.WELL, "Yes.").to_json()["next"] is None


def test_paths_enums_tuples_and_sets_are_plain_values() -> None:
    assert to_json([Path("a") / "b"]) == [str(Path("a") / "b")]
    assert RemovalResult((), frozenset({"x"})).to_json() == {"references": [], "without": ["x"]}
    assert json.dumps(Action(ActionKind.ADDED, Subject.GROUP, 1, "A").to_json())
    with pytest.raises(NotImplementedError):
        to_json(object())


def test_a_tally_makes_a_report_of_what_was_counted() -> None:
    tally = ImportTally(added=2, updated_keys=["a"], skipped=[SkippedRecord("x.ris", 3, "odd")])
    tally.add(ImportTally(added=1, trashed_keys=["b"]).report())
    report = tally.report()
    assert (report.added, report.updated, report.trashed) == (3, 1, 1)
    assert report.to_json()["skipped"] == [
        {"file": "x.ris", "line": 3, "reason": "odd", "is_remark": False, "next": None}
    ]
    with pytest.raises(AttributeError):
        report.added = 1  # type: ignore[misc]


def test_actions_are_read_as_they_were_written_and_old_words_as_they_are() -> None:
    edited = Action(ActionKind.EDITED, Subject.REFERENCE, 1, "doe", fields=("title",))
    undone = (Action(ActionKind.UNDID, actions=(edited,)),)
    assert read_actions(write_actions(undone)) == undone
    assert read_actions("imported 3 references from a file") == in_words(
        "imported 3 references from a file"
    )
    newer = msgspec.json.encode([{"kind": "walked", "count": 1}]).decode()
    assert read_actions(newer) == in_words(newer)
    assert in_words("") == ()
