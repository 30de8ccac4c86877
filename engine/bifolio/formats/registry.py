"""The formats by name: what reads them, what writes them, how a file shows which it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bifolio.formats import bibtex, ris
from bifolio.formats.gathering import Mapped
from bifolio.records.reference import ImportedBlocks, Source, Value, Values

#: The version of all mapping tables and rules together: one character of an import's slot. It
#: goes up whenever an old source would give other values.
MAPPING_VERSION: Final = "1"

Tags = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Family:
    """Formats that share a source layer: what can be done with a source of that kind."""

    name: str
    shown: str
    suffixes: tuple[str, ...]
    #: Text in which this matches is of the family.
    mark: re.Pattern[str]
    #: ``(source, blocks)`` to its values and the fields that each tag fed.
    trace: Callable[[Source, ImportedBlocks | None], Mapped]
    #: ``(values, dialect)`` to the type as the format writes it.
    written_type: Callable[[Values, str], str]
    #: ``(field, values, dialect, written type)`` to the tags that say the field.
    emit: Callable[[str, Values, str, str], Tags]
    #: ``(field, value)`` to the tags that carry what has no place; None empties the field.
    carry: Callable[[str, Value | None], Tags]
    render: Callable[[Source], str]


BIBTEX: Final = Family(
    name="bibtex",
    shown="BibTeX",
    suffixes=(".bib", ".bibtex", ".biblatex"),
    mark=re.compile(r"^[ \t]*@\s*\w+\s*[{(]", re.MULTILINE),
    trace=bibtex.trace,
    written_type=bibtex.written_type,
    emit=bibtex.emit,
    carry=bibtex.carry,
    render=bibtex.render,
)

RIS: Final = Family(
    name="ris",
    shown="RIS",
    suffixes=(".ris",),
    mark=re.compile(r"^TY[ \t]{1,3}-(?:[ \t]|$)", re.MULTILINE | re.IGNORECASE),
    trace=ris.trace,
    written_type=ris.written_type,
    emit=ris.emit,
    carry=ris.carry,
    render=ris.render,
)

FAMILIES: Final = {family.name: family for family in (BIBTEX, RIS)}

#: What may be named as the format of an import; ``biblatex`` reads as ``bibtex`` does.
IMPORT_FORMATS: Final = {"ris": RIS, "bibtex": BIBTEX, "biblatex": BIBTEX}

#: What may be named as the format of an export; None is written without a source layer.
EXPORT_FORMATS: Final = {"ris": RIS, "bibtex": BIBTEX, "biblatex": BIBTEX, "csl-json": None}
