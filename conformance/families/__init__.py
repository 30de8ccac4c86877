"""The formats of a conformance run, one module each."""

from __future__ import annotations

from typing import Final

from conformance.families import (
    biblatex,
    bibtex,
    csl_json,
    endnote_xml,
    enw,
    mods,
    nbib,
    ovid,
    pubmed_xml,
    refworks,
    ris,
    wos,
)
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
        wos.FAMILY,
        ovid.FAMILY,
        refworks.FAMILY,
        pubmed_xml.FAMILY,
        mods.FAMILY,
    )
}
