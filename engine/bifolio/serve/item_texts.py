"""Items in other formats: files of the field's formats, and what a citation style makes of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bifolio.errors import BifolioError, CitationsMissingError
from bifolio.results import WindowRow
from bifolio.serve.answers import Refusal
from bifolio.serve.item_objects import Entry
from bifolio.serve.parameters import TEXT_FORMATS, Parameters
from bifolio.serve.served_library import ServedLibrary

#: What each format's text is called over HTTP.
KINDS = {
    "bibtex": "application/x-bibtex",
    "biblatex": "application/x-biblatex",
    "csljson": "application/vnd.citationstyles.csl+json",
    "ris": "application/x-research-info-systems",
    "refer": "application/x-research-info-systems",
}


def text_of(served: ServedLibrary, entries: Sequence[Entry], format: str) -> str:
    """References as one text in a format; notes and files are not in it."""
    ids = [one.row.id for one in entries if not one.part]
    text = served.windows.export(ids, format=TEXT_FORMATS[format])
    if format == "csljson":
        return json.dumps({"items": json.loads(text)}, ensure_ascii=False)
    return text


def bibliography(served: ServedLibrary, entries: Sequence[Entry], wanted: Parameters) -> str:
    """References as a style's bibliography, in HTML."""
    lines = "".join(
        f'<div class="csl-entry">{one}</div>' for one in _cite(served, entries, wanted).bibliography
    )
    return f'<div class="csl-bib-body" style="line-height: 1.35; ">{lines}</div>'


def citation(served: ServedLibrary, entries: Sequence[Entry], wanted: Parameters) -> str:
    """References as one citation in a text, in HTML."""
    return f"<span>{_cite(served, entries, wanted).citation}</span>"


def included(served: ServedLibrary, entry: Entry, wanted: Parameters, name: str) -> Any:
    """What ``include`` adds to an item; empty for a note or a file."""
    if entry.part:
        return "" if name != "csljson" else {}
    if name == "bib":
        return bibliography(served, [entry], wanted)
    if name == "citation":
        return citation(served, [entry], wanted)
    if name == "csljson":
        (item,) = json.loads(served.windows.export([entry.row.id], format="csl-json")) or ({},)
        return item
    return served.windows.export([entry.row.id], format=TEXT_FORMATS[name])


def _cite(served: ServedLibrary, entries: Sequence[Entry], wanted: Parameters) -> Any:
    rows: list[WindowRow] = [one.row for one in entries if not (one.part or one.row.trashed)]
    if not rows:
        raise Refusal(400, "There is nothing here that could be cited.")
    try:
        return served.library.cite(
            [row.id for row in rows], style=wanted.style, form="html", locale=wanted.locale
        )
    except CitationsMissingError as error:
        raise Refusal(501, error.message) from error
    except BifolioError as error:
        raise Refusal(400, error.message) from error
