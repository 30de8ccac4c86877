"""The mapping tables as Markdown, for ``docs/formats.md``; a test says the page holds them."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.formats.mapping_fields import FIELDS, bare
from bifolio.formats.mapping_types import TYPES


def mapping_table_markdown() -> str:
    """Both tables, types first, as the page of formats shows them."""
    types = [
        (row.csl, row.bibtex, row.biblatex, row.ris, row.bibtex_read, row.ris_read) for row in TYPES
    ]
    numbers = [(row.csl, row.endnote, row.endnote_read.replace("|", ", ")) for row in TYPES]
    fields = [(row.field, row.bibtex, row.biblatex, row.ris, row.note) for row in FIELDS]
    others = [
        (
            row.field,
            row.endnote,
            " ".join(f"%{bare(name)}" for name in row.enw.split()),
            row.nbib,
            row.csl_json or row.field,
        )
        for row in FIELDS
    ]
    return (
        "### Types\n\n"
        + _table(("CSL", "BibTeX", "BibLaTeX", "RIS", "BibTeX, also read", "RIS, also read"), types)
        + "\n### Types of EndNote XML and enw\n\n"
        + "An `enw` file has the label alone. CSL-JSON has CSL's own types.\n\n"
        + _table(("CSL", "EndNote", "also read"), numbers)
        + "\n### Fields\n\n"
        + _table(("field", "BibTeX", "BibLaTeX", "RIS", "note"), fields)
        + "\n### Fields of EndNote, PubMed and CSL-JSON\n\n"
        + _table(("field", "EndNote XML", "enw", "nbib", "CSL-JSON"), others)
    )


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)
