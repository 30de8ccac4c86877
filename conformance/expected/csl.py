"""CSL-JSON as other projects expect it (citation.js): CSL's own names and ours are the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bifolio.records.fields import FORMS, Form
from bifolio.records.names import Name
from conformance.family import Expected


def read_csl(path: Path) -> tuple[Expected, ...]:
    """The expected values of a file of CSL-JSON."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return tuple(csl_values(one) for one in (stored if isinstance(stored, list) else [stored]))


def csl_values(stored: Mapping[str, Any]) -> Expected:
    """The values of one CSL item."""
    expected: Expected = {}
    for name, value in stored.items():
        if name in ("id", "custom") or value in ("", [], {}, None):
            continue
        field = "tags" if name == "keyword" else name
        form = FORMS.get(field)
        if form is Form.NAMES:
            expected[field] = tuple(Name.from_csl(one) for one in value)
        elif form is Form.DATE:
            expected[field] = csl_date(value)
        elif form is Form.STRINGS:
            expected[field] = tuple(value) if isinstance(value, list) else _elements(field, value)
        else:
            expected[field if form else f"csl.{field}"] = str(value)
    return expected


def _elements(field: str, value: Any) -> tuple[str, ...]:
    if field in ("tags", "ISBN", "ISSN"):
        return tuple(re.split(r"[,;]\s*|\s+(?=97[89]|\d{4}-)", str(value)))
    return (str(value),)


def csl_date(value: Mapping[str, Any]) -> dict[str, Any]:
    """A CSL date with numbers for its parts and without empty members."""
    if "date-parts" not in value:
        return {"literal": str(value.get("literal") or value.get("raw") or "")}
    date: dict[str, Any] = {
        "date-parts": [[int(part) for part in end] for end in value["date-parts"]]
    }
    if value.get("season"):
        date["season"] = int(value["season"])
    if value.get("circa"):
        date["circa"] = True
    return date
