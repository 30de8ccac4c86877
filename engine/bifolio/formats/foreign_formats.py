"""Texts of formats that are not read: which one it is, and the way round it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ForeignFormat:
    """A format that is known and not read."""

    shown: str
    mark: re.Pattern[str]
    #: The next step; empty where no better one is known than to export the file again.
    way: str = ""
    #: Whether it is told before a mark of a format that is read is looked for: it may hold one.
    first: bool = False


_XML: Final = r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!DOCTYPE[^>]*>\s*)?"

FOREIGN_FORMATS: Final = (
    ForeignFormat(
        "Zotero RDF, which is not read",
        re.compile(_XML + r"<rdf:RDF\b", re.DOTALL),
        "Import Zotero's own folder, or export as CSL JSON or BibLaTeX.",
    ),
    ForeignFormat(
        "MARCXML, which is not read",
        re.compile(_XML + r"<(?:\w+:)?(?:collection|record)\b[^>]*MARC21", re.DOTALL),
        "Ask the catalogue for MODS, RIS or BibTeX, and import that.",
    ),
    ForeignFormat(
        "MARC, which is not read",
        re.compile(r"\d{5}[acdnp][a-z][ a-z]"),
        "Ask the catalogue for MODS, RIS or BibTeX, and import that.",
    ),
    ForeignFormat(
        "Crossref's XML, which is not read",
        re.compile(_XML + r"<(?:doi_records|crossref_result|doi_batch)\b", re.DOTALL),
        "Ask Crossref for JSON (https://api.crossref.org/works/DOI), and import that.",
    ),
    ForeignFormat(
        "TEI, which is not read",
        re.compile(_XML + r"<(?:TEI|listBibl)\b", re.DOTALL),
        "Export as BibTeX or RIS, and import that.",
    ),
    ForeignFormat(
        "BibTeXML, which is not read",
        re.compile(
            _XML + r"<(?:bibtex|bibtexml):file\b|\s*<(?:file|bibtex)\b[^>]*bibtexml", re.DOTALL
        ),
        "Export as BibTeX, and import that.",
    ),
    ForeignFormat(
        "CSL YAML, which is not read",
        re.compile(r"(?:---[ \t]*\n)?references:[ \t]*\n[ \t]*-[ \t]"),
        "Turn it into CSL-JSON (pandoc FILE -t csljson -o FILE.json), and import that.",
    ),
    ForeignFormat(
        "Hayagriva's YAML, which is not read",
        re.compile(r"(?:#[^\n]*\n|\s)*[\w:.+-]+:[ \t]*\n[ \t]+type:[ \t]*[A-Za-z]+[ \t]*\n"),
        "Import the BibTeX file that it was made from, or make one of it.",
    ),
    ForeignFormat(
        "JATS, an article and no list of references",
        re.compile(_XML + r"<(?:article|pmc-articleset)\b", re.DOTALL),
        "Ask PubMed or the publisher for the article's reference as RIS, and import that.",
    ),
    ForeignFormat(
        "DocBook, which is not read",
        re.compile(_XML + r"<(?:bibliography|biblioentry)\b", re.DOTALL),
        "Export as BibTeX or RIS, and import that.",
    ),
    ForeignFormat(
        "DataCite's XML, which is not read",
        re.compile(_XML + r"<resource\b[^>]*datacite", re.DOTALL),
        "Ask DataCite for BibTeX or CSL-JSON, and import that.",
    ),
    ForeignFormat(
        "Word's sources, which are not read",
        re.compile(_XML + r"<(?:b:)?Sources\b", re.DOTALL),
        "Export from the program that wrote the sources, as RIS or BibTeX, and import that.",
    ),
    ForeignFormat(
        "a citation style, which is no list of references",
        re.compile(_XML + r"<style\b[^>]*(?:citationstyles|purl\.org/net/xbiblio/csl)", re.DOTALL),
        "Name it as the style of citations.",
    ),
    ForeignFormat(
        "RefWorks XML, which is not read",
        re.compile(_XML + r"<refworks\b", re.DOTALL | re.IGNORECASE),
        "Export from RefWorks as RIS or as Tagged Format, and import that.",
    ),
    ForeignFormat(
        "Web of Science's table of tabs, which is not read",
        re.compile(r"(?=[^\n]*\bPT\t)(?=[^\n]*\tAU\t)[^\n]*\tTI\t"),
        "Export from Web of Science as plain text (savedrecs.txt) or RIS, and import that.",
    ),
    ForeignFormat(
        "a Dimensions or Lens table, which is not read",
        re.compile(r"(?:[^\n]*\n)?(?=[^\n]*\bLens ID\b|[^\n]*\bPublication ID\b)[^\n]*,"),
        "Export as RIS or BibTeX there, and import that.",
    ),
    ForeignFormat(
        "LaTeX's list of references, which is not read",
        re.compile(r"(?:[^\n]*\n){0,20}?[^\n]*\\begin\{thebibliography\}|\s*% \$ biblatex "),
        "Import the .bib file that it was made from.",
    ),
    ForeignFormat(
        "a Citavi project, which is not read",
        re.compile(_XML + r"<CitaviExchangeData\b", re.DOTALL),
        "Export from Citavi as RIS or BibTeX, and import that.",
    ),
    ForeignFormat(
        "a web page",
        re.compile(r"\s*<!doctype html|\s*<html", re.IGNORECASE),
        "Save the references of the page as RIS or BibTeX, and import that.",
        first=True,
    ),
    ForeignFormat("XML", re.compile(r"\s*<\?xml|\s*<[A-Za-z][\w:.-]*[\s>]")),
    ForeignFormat("JSON", re.compile(r"\s*[\[{]\s*[\"{]")),
    ForeignFormat(
        "a table",
        re.compile(r"[^\n,;\t]+(?:,[^\n,]+){3,}\n|[^\n\t]+(?:\t[^\n\t]+){3,}\n"),
        "Export as RIS, BibTeX or CSL-JSON, and import that.",
    ),
)


def foreign_kind(text: str) -> tuple[str, str | None]:
    """(what the text is and the way round, the next step where one is known)."""
    for one in FOREIGN_FORMATS:
        if one.mark.match(text):
            way = f" ({one.way[0].lower()}{one.way[1:].rstrip('.')})" if one.way else ""
            return one.shown + way, one.way or None
    return "text without a record of that kind", None


def is_foreign(text: str) -> bool:
    """Whether it is of a format that may hold a record of another one, and is none."""
    return any(one.first and one.mark.match(text) for one in FOREIGN_FORMATS)
