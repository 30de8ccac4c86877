"""What pandoc expects of a BibLaTeX file: CSL in YAML, its texts in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from bifolio.records.dates import parse_date
from bifolio.records.fields import FORMS, Form
from bifolio.records.names import Name
from conformance.family import Case, Expected

_NAMES: Final = {
    "id": "citation-key",
    "keyword": "tags",
    "annote": "annotation",
    "url": "URL",
    "doi": "DOI",
    "isbn": "ISBN",
    "issn": "ISSN",
}
_PLAIN: Final = frozenset({"type", "citation-key", "URL", "DOI", "ISBN", "ISSN", "page"})
_SPAN: Final = re.compile(r"\[([^\[\]]*)\]\{\.(\w+)\}")
_MARKS: Final = (
    (re.compile(r"\[([^\[\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"<(\w+://[^>]*)>"), r"\1"),
    (re.compile(r"`([^`]*)`(?:\{=\w+\})?"), r"\1"),
    (re.compile(r"\*\*(.+?)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\*(.+?)\*"), r"<i>\1</i>"),
    (re.compile(r"\^([^^ ]+)\^"), r"<sup>\1</sup>"),
    (re.compile(r"~([^~ ]+)~"), r"<sub>\1</sub>"),
    (re.compile(r"---"), "—"),
    (re.compile(r"--"), "–"),
    (re.compile(r'(?<!\w)"(.*?)"(?!\w)'), r"“\1”"),
    (re.compile(r"(?<!\w)'(.*?)'(?!\w)"), r"‘\1’"),
)


def cases(folder: Path) -> Iterator[Case]:
    """Each file: a command, its input, ``^D``, and its output."""
    for path in sorted(folder.glob("*.md")):
        _, _, rest = path.read_text(encoding="utf-8").partition("% pandoc -f biblatex")
        content, _, output = rest.partition("\n")[2].partition("\n^D\n")
        found = re.search(r"^---\n(.*?)^---$", output, re.DOTALL | re.MULTILINE)
        if found is not None:
            stored = yaml.load(found.group(1), Loader=yaml.BaseLoader)
            expected = tuple(_values(one) for one in stored["references"])
            yield Case(f"pandoc/{path.name}", content.encode(), expected, "case.bib")


def _values(stored: Mapping[str, Any]) -> Expected:
    expected: Expected = {}
    for name, value in stored.items():
        field = _NAMES.get(name, name)
        form = FORMS.get(field)
        if form is Form.NAMES:
            people = value if isinstance(value, list) else [value]
            expected[field] = tuple(_name(one) for one in people)
        elif form is Form.DATE:
            expected[field] = parse_date(str(value).replace("\\", ""))
        elif form is Form.STRINGS:
            parts = re.split(r",\s*", value) if field == "tags" else [value]
            expected[field] = tuple(text(part) for part in parts)
        else:
            key = field if form is not None else f"pandoc.{field}"
            expected[key] = str(value) if field in _PLAIN else text(str(value))
    return expected


def _name(stored: Mapping[str, str] | str) -> Name:
    if isinstance(stored, str):
        return Name(literal=text(stored))
    return Name.from_csl({part: text(value) for part, value in stored.items()})


def text(markdown: str) -> str:
    """Markdown as the rich text that CSL has; an escaped character stands for itself."""
    escaped: list[str] = []

    def keep(found: re.Match[str]) -> str:
        escaped.append(found.group(1))
        return chr(0xE100 + len(escaped))

    shown = re.sub(r"\\(.)", keep, " ".join(markdown.split()))
    while (inner := _SPAN.sub(_unwrap_span, shown)) != shown:
        shown = inner
    for pattern, replacement in _MARKS:
        shown = pattern.sub(replacement, shown)
    shown = shown.replace("'", "’")
    for number, character in enumerate(escaped, 1):
        shown = shown.replace(chr(0xE100 + number), character)
    return shown


def _unwrap_span(found: re.Match[str]) -> str:
    if found.group(2) == "smallcaps":
        return f'<span style="font-variant:small-caps;">{found.group(1)}</span>'
    return found.group(1)
