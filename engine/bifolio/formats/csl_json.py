"""CSL-JSON: references out, for every program that formats citations.

A list becomes the string that CSL wants; what CSL has no variable for, or not in that shape,
stands in its ``custom`` object, so that nothing is lost. May know CSL's schema, nothing else.
"""

from __future__ import annotations

import json
from typing import Any, Final

from bifolio.records.fields import FIELDS, MergeRule
from bifolio.records.reference import ExportedReference, value_to_json

#: Fields that are ours: CSL 1.0.2 has no variable of the name.
_NOT_CSL: Final = frozenset(
    "accession-number annotation article-number author-address citation-key-aliases part "
    "rating read-status translated-container-title translated-title".split()
)
_IN_CUSTOM_AND_OUT: Final = ("ISBN", "ISSN", "URL")


def render(reference: ExportedReference) -> str:
    """One item of the array, indented by two spaces."""
    text = json.dumps(item(reference), ensure_ascii=False, indent=2)
    return "\n".join("  " + line for line in text.split("\n"))


def item(reference: ExportedReference) -> dict[str, Any]:
    """The CSL-JSON object of a reference."""
    values = reference.values
    written: dict[str, Any] = {
        "id": values.get("citation-key") or reference.id,
        "type": values.get("type", "document"),
    }
    custom: dict[str, Any] = {}
    for field, value in values.items():
        if field in ("type", "groups", "files"):
            continue
        stored = value_to_json(value)
        if field == "tags":
            written["keyword"] = ", ".join(stored)
            if any("," in tag for tag in stored):
                custom["tags"] = stored
        elif field in _IN_CUSTOM_AND_OUT:
            written[field] = stored[0] if stored else ""
            if len(stored) > 1:
                custom[field] = stored
        elif field not in FIELDS or field in _NOT_CSL or FIELDS[field] is MergeRule.SET:
            custom[field] = stored
        else:
            written[field] = stored
    if custom:
        written["custom"] = custom
    return written
