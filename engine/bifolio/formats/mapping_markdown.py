"""The mapping tables as Markdown, for ``docs/formats.md``; a test says the page holds them."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.formats.endnote.columns import COLUMNS, TYPE_NUMBERS
from bifolio.formats.mapping import zotero as mapping_zotero
from bifolio.formats.mapping.fields import FIELDS, bare
from bifolio.formats.mapping.meanings import GENERAL_FIELDS, MEANINGS
from bifolio.formats.mapping.types import NBIB_TYPES, TYPES


def mapping_table_markdown() -> str:
    """All tables, types first, as the page of formats shows them."""
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
    general = [(row.ris, f"%{row.enw}", row.endnote) for row in GENERAL_FIELDS]
    special = [(row.codes, row.numbers, _pairs(row.meanings), _pairs(row.ris)) for row in MEANINGS]
    published = [(kind, csl) for kind, csl in NBIB_TYPES]
    return (
        "### Types\n\n"
        + _table(("CSL", "BibTeX", "BibLaTeX", "RIS", "BibTeX, also read", "RIS, also read"), types)
        + "\n### Types of EndNote XML and enw\n\n"
        + "An `enw` file has the label alone. CSL-JSON has CSL's own types.\n\n"
        + _table(("CSL", "EndNote", "also read"), numbers)
        + "\n### Publication types of PubMed and ERIC\n\n"
        + "Any other is an article-journal, and a record with BTI a book or a chapter.\n\n"
        + _table(("PT", "CSL"), published)
        + "\n### Fields\n\n"
        + _table(("field", "BibTeX", "BibLaTeX", "RIS", "note"), fields)
        + "\n### Fields of EndNote, PubMed and CSL-JSON\n\n"
        + _table(("field", "EndNote XML", "enw", "nbib", "CSL-JSON"), others)
        + "\n### One field under three names\n\n"
        + "EndNote's general fields; what one means in a type stands in the next table, else in "
        + "those above.\n\n"
        + _table(("RIS", "enw", "EndNote XML"), general)
        + "\n### What a field means in some types\n\n"
        + "By RIS's tags, for all three formats; a dash is an extra field.\n\n"
        + _table(("RIS", "EndNote", "means", "in RIS alone"), special)
        + "\n"
        + _libraries()
    )


def _libraries() -> str:
    """The tables of whole libraries: EndNote's and Zotero's."""
    columns = [(one.name, one.element + (" (each)" if one.many else "")) for one in COLUMNS]
    numbers = [(str(row.number), row.type, "yes" if row.seen else "") for row in TYPE_NUMBERS]
    types = [(row.csl, row.zotero) for row in mapping_zotero.TYPES]
    special = {field: f"{name} of {kind}" for (kind, name), field in mapping_zotero.BY_TYPE.items()}
    fields = [
        (row.field, row.zotero, special.get(row.field, ""))
        for row in (*mapping_zotero.FIELDS, *mapping_zotero.CREATORS)
    ]
    return (
        "### EndNote libraries: columns\n\n"
        + "A row is read as the record of the XML export that EndNote makes of it.\n\n"
        + _table(("column", "EndNote XML"), columns)
        + "\n### EndNote libraries: type numbers\n\n"
        + "*Seen* are those of which real records were compared with their type; the others follow "
        + "from the order of EndNote's list, and an import names them.\n\n"
        + _table(("reference_type", "EndNote XML", "seen"), numbers)
        + "\n### Zotero: types\n\n"
        + _table(("CSL", "Zotero"), types)
        + "\n### Zotero: fields and roles\n\n"
        + _table(("field", "Zotero", "also"), fields)
    )


def _pairs(text: str) -> str:
    return ", ".join(pair.replace("=", " ").replace(" -", " –") for pair in text.split())


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)
