"""The JSON Schema of all results: ``python -m bifolio.results.schema > docs/results.schema.json``.

A test compares the committed file with what is written here. Other front ends make their types
from it.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

import bifolio.results
from bifolio.errors import Next, NextStep
from bifolio.results.base import Result

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def result_types() -> list[type[Result]]:
    """Every result, by name."""
    named = (getattr(bifolio.results, name) for name in sorted(bifolio.results.__all__))
    return [
        one
        for one in named
        if isinstance(one, type) and issubclass(one, Result) and one is not Result
    ]


def describe(types: Sequence[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The schema of each type, and the definitions that they refer to."""
    schemas, definitions = msgspec.json.schema_components(
        types, schema_hook=_describe_foreign, ref_template="#/$defs/{name}"
    )
    return list(schemas), _close(definitions)


def results_schema() -> dict[str, Any]:
    """The whole document: a definition for each result."""
    _, definitions = describe(result_types())
    return {
        "$schema": _DRAFT,
        "title": "Results of Bifolio",
        "description": "Made by 'python -m bifolio.results.schema'; do not edit by hand.",
        "$defs": dict(sorted(definitions.items())),
    }


def outlines(types: Sequence[Any]) -> tuple[list[str], dict[str, str]]:
    """The schema for a person to read: each type, and each definition by name.

    A field without a type is text.
    """
    schemas, definitions = describe(types)
    named = {
        name: _outline_fields(one, definitions)
        for name, one in sorted(definitions.items())
        if "enum" not in one
    }
    return [_outline(one, definitions) for one in schemas], named


def schema_text() -> str:
    """The document as it is committed."""
    return json.dumps(results_schema(), indent=2, ensure_ascii=False) + "\n"


_NEXT_STEP = {
    "title": "NextStep",
    "description": "What can be done: a code, its facts, and the front end's words.",
    "type": "object",
    "properties": {
        "code": {"type": "string", "enum": [str(one) for one in Next]},
        "facts": {"type": "object"},
        "text": {"type": "string"},
    },
}


def _describe_foreign(kind: type) -> dict[str, Any]:
    """The schema of what is no Struct."""
    if kind is NextStep:
        return {"$ref": "#/$defs/NextStep"}
    if issubclass(kind, Path):
        return {"type": "string", "format": "path"}
    raise NotImplementedError(f"{kind.__name__} is no part of a result")


def _outline(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A type in a few signs: a name, ``[name]``, ``NUMBER or null``."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        found = definitions[name]
        return " | ".join(json.dumps(one) for one in found["enum"]) if "enum" in found else name
    if "anyOf" in schema:
        return " or ".join(_outline(one, definitions) for one in schema["anyOf"])
    match schema.get("type"):
        case "array":
            return f"[{_outline(schema.get('items') or {}, definitions)}]"
        case "integer" | "number":
            return "NUMBER"
        case "boolean":
            return "true or false"
        case "null":
            return "null"
        case "object":
            return schema.get("title") or "{...}"
        case "string":
            return "TEXT"
    return "VALUE"


def _outline_fields(definition: dict[str, Any], definitions: dict[str, Any]) -> str:
    fields = []
    for name, schema in definition["properties"].items():
        kind = _outline(schema, definitions)
        fields.append(f'"{name}"' if kind == "TEXT" else f'"{name}": {kind}')
    return "{" + ", ".join(fields) + "}"


def _close(definitions: dict[str, Any]) -> dict[str, Any]:
    """Every field is always written, and nothing else; what is no Struct is defined too."""
    if "#/$defs/NextStep" in json.dumps(definitions):
        definitions = {**definitions, "NextStep": dict(_NEXT_STEP)}
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
        if definition.get("type") == "object" and "properties" in definition:
            definition["required"] = list(definition["properties"])
            definition["additionalProperties"] = False
            for described in definition["properties"].values():
                described.pop("default", None)
    return definitions


if __name__ == "__main__":
    sys.stdout.write(schema_text())
