"""What biblatex-csl-converter expects: BibLaTeX's fields as JSON, texts in runs of marks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bifolio.records.fields import FORMS, Form
from bifolio.records.names import Name
from conformance.expected.dates import read_date
from conformance.family import Expected

#: BibLaTeX's types where the project writes these; the others are CSL's own already.
_TYPES: Final = {
    "article": "article-journal",
    "inbook": "chapter",
    "incollection": "chapter",
    "inproceedings": "paper-conference",
    "proceedings": "collection",
    "unpublished": "manuscript",
    "online": "webpage",
    "misc": "document",
}

_NAMES: Final = {
    "journaltitle": "container-title",
    "shortjournal": "container-title-short",
    "volume": "volume",
    "pages": "page",
    "title": "title",
    "publisher": "publisher",
    "location": "publisher-place",
    "isbn": "ISBN",
    "issn": "ISSN",
    "eprint": "accession-number",
    "library": "call-number",
    "abstract": "abstract",
    "note": "note",
    "annotation": "annotation",
    "langid": "language",
    "url": "URL",
    "urldate": "accessed",
    "date": "issued",
    "author": "author",
    "editor": "editor",
    "keywords": "tags",
    "doi": "DOI",
    "edition": "edition",
    "series": "collection-title",
    "chapter": "chapter-number",
    "label": "citation-key",
}


def read_biblatex_json(path: Path) -> tuple[Expected, ...]:
    """The expected values of a file."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return tuple(_values(entry) for entry in stored["entries"].values())


def _values(entry: Mapping[str, Any]) -> Expected:
    fields = entry["fields"]
    kind = _TYPES.get(entry["bib_type"], entry["bib_type"])
    expected: Expected = {"type": kind}
    for name, value in fields.items():
        if name == "booktitle":
            field = "container-title" if "journaltitle" not in fields else ""
        elif name == "chapter":
            field = "chapter-number" if kind == "chapter" else "section"
        elif name in ("number", "issue"):
            field = "issue" if name == "number" or "number" not in fields else ""
        else:
            field = _NAMES.get(name, "")
        _add(expected, field or f"biblatex.{name}", value)
    return expected


def _add(expected: Expected, field: str, value: Any) -> None:
    form = FORMS.get(field)
    if form is Form.NAMES:
        expected[field] = tuple(_name(one) for one in value)
    elif form is Form.DATE:
        expected[field] = read_date(_text(value))
    elif field == "tags":
        expected[field] = tuple(_text(one) for one in value)
    elif form is Form.STRINGS:
        expected[field] = tuple(re.split(r"\s*[;,]\s*", _text(value)))
    elif field == "page":
        ranges = ["-".join(_text(end) for end in _ends(one)) for one in value]
        expected[field] = ", ".join(ranges)
    else:
        expected[field] = _text(value)


def _ends(span: Any) -> list[Any]:
    """The ends of one range of pages; the project writes both as two texts of one list."""
    if len(span) == 1 and isinstance(span[0], list):
        return list(span[0])
    return list(span)


def _name(stored: Mapping[str, Any]) -> Name:
    if "literal" in stored:
        return Name(literal=_text(stored["literal"]))
    return Name(
        family=_text(stored.get("family", "")),
        given=_text(stored.get("given", "")),
        suffix=_text(stored.get("suffix", "")),
        non_dropping_particle=_text(stored.get("prefix", "")),
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(_text(one) for one in value)
    return str(value.get("text", "")) if isinstance(value, dict) else str(value)
