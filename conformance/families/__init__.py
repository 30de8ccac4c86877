"""The formats of a conformance run, one module each."""

from __future__ import annotations

from typing import Final

from conformance.families import biblatex, bibtex, csl_json, endnote_xml, enw, nbib, ris
from conformance.family import Family

FAMILIES: Final[dict[str, Family]] = {
    family.name: family
    for family in (
        ris.FAMILY,
        bibtex.FAMILY,
        biblatex.FAMILY,
        enw.FAMILY,
        nbib.FAMILY,
        endnote_xml.FAMILY,
        csl_json.FAMILY,
    )
}
