"""MODS, the XML of library catalogues: elements to tags, and what each means.

A tag is the element's path in words of MODS (``host/part/volume``), its text on one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bifolio.formats import dates
from bifolio.formats.endnote.rules import gather_languages
from bifolio.formats.mapping.types import UNKNOWN_TYPE
from bifolio.formats.services.elements import (
    BrokenXml,
    children,
    name_of,
    split,
    text_at,
    text_of,
)
from bifolio.formats.services.rules import NOTHING, Table, Tracing, fields, gather_ends, worded_type
from bifolio.records.names import Name

if TYPE_CHECKING:
    from lxml.etree import _Element

NAME: Final = "mods"
_MARKS: Final = frozenset({"mods"})

#: The parts of a person's name, parted by what is in no name.
_PART: Final = "\x1f"
_ROLES: Final = {
    "aut": "author", "author": "author", "creator": "author", "cre": "author",
    "edt": "editor", "editor": "editor", "editeur": "editor",
    "trl": "translator", "translator": "translator",
    "ctb": "contributor", "contributor": "contributor",
    "ill": "illustrator", "illustrator": "illustrator",
    "cmp": "composer", "composer": "composer",
    "ive": "author", "ivr": "interviewer", "interviewer": "interviewer",
    "drt": "director", "director": "director",
    "pbd": "collection-editor", "inv": "author", "ths": "contributor",
}  # fmt: skip

_FIELDS: Final = fields("""
title: title
title-short: title/abbreviated
translated-title: title/translated
original-title: title/uniform
publisher: publisher host/publisher
publisher-place: place host/place
edition: edition host/edition
volume: part/volume host/part/volume
issue: part/issue part/number host/part/issue host/part/number
section: part/section part/chapter host/part/section
number-of-pages: part/total
abstract: abstract tableOfContents
note: note
tags: subject
language: language
call-number: classification shelfLocator
DOI: identifier/doi host/identifier/doi
ISBN: identifier/isbn host/identifier/isbn
ISSN: identifier/issn host/identifier/issn
URL: url identifier/uri identifier/hdl host/url
PMID: identifier/pmid
accession-number: identifier/accession
collection-title: series/title
collection-number: series/part/volume series/part/number
archive: physicalLocation
license: accessCondition
version: version
""") | dict.fromkeys(("typeOfResource", "issuance", "host/issuance"), (NOTHING, 0))

_TYPES: Final = {
    "journal article": "article-journal",
    "article": "article-journal",
    "academic journal": "article-journal",
    "periodical": "article-journal",
    "web site": "webpage",
    "conference publication": "paper-conference",
    "conference proceeding": "paper-conference",
    "conference paper": "paper-conference",
    "collection": "book",
    "monograph": "book",
    "theses": "thesis",
    "ph.d. thesis": "thesis",
    "masters thesis": "thesis",
    "technical report": "report",
    "letter": "personal_communication",
    "government publication": "report",
    "hearing": "hearing",
    "legislation": "bill",
    "graphic": "graphic",
    "bibliography": "",
    "picture": "graphic",
    "photograph": "graphic",
}
_RESOURCES: Final = {
    "cartographic": "map",
    "sound recording": "song",
    "sound recording-musical": "song",
    "sound recording-nonmusical": "song",
    "still image": "graphic",
    "moving image": "motion_picture",
    "software, multimedia": "software",
    "three dimensional object": "graphic",
    "notated music": "musical_score",
}


@dataclass(frozen=True, slots=True)
class ModsRecord:
    """One ``mods`` element: its id, and its tags."""

    line: int
    id: str
    tags: tuple[tuple[str, str], ...]


def records(text: str) -> Iterator[ModsRecord | BrokenXml]:
    """All records of a file."""
    for found in split(text, _MARKS):
        if isinstance(found, BrokenXml):
            yield found
            continue
        tags = tuple((tag, raw) for tag, raw in _tags(found, "") if raw)
        yield ModsRecord(found.sourceline or 1, str(found.get("ID") or ""), tags)


def _tags(place: _Element, before: str) -> Iterator[tuple[str, str]]:
    for one in children(place):
        name = name_of(one)
        if name == "titleInfo":
            kind = str(one.get("type") or "")
            yield before + (f"title/{kind}" if kind else "title"), _title(one)
        elif name == "name":
            yield before + f"name/{_role(one, before)}", _person(one)
        elif name == "originInfo":
            yield from _origin(one, before)
        elif name == "part":
            yield from _part(one, before)
        elif name == "relatedItem" and not before:
            kind = str(one.get("type") or "related")
            yield from _tags(one, f"{kind}/")
        elif name == "subject":
            yield (
                before + "subject",
                "; ".join(text_of(inner) for inner in children(one, "topic") if text_of(inner)),
            )
        elif name == "language":
            yield before + "language", text_at(one, "languageTerm") or text_of(one)
        elif name == "identifier":
            kind = str(one.get("type") or "").lower()
            yield before + (f"identifier/{kind}" if kind else "identifier"), text_of(one)
        elif name == "location":
            for inner in children(one):
                yield before + name_of(inner), text_of(inner)
        elif name == "recordInfo":
            continue
        elif name == "physicalDescription":
            for inner in children(one):
                yield before + f"physicalDescription/{name_of(inner)}", text_of(inner)
        elif name == "genre":
            yield (
                before + f"genre{'/' + str(one.get('authority')) if one.get('authority') else ''}",
                (text_of(one)),
            )
        else:
            yield before + name, text_of(one)


def _title(place: _Element) -> str:
    """The title with the word before it, its subtitle, and its part."""
    whole = " ".join(filter(None, (text_at(place, "nonSort"), text_at(place, "title"))))
    if subtitle := text_at(place, "subTitle"):
        whole = f"{whole.rstrip(' :')}: {subtitle}"
    part = ". ".join(filter(None, (text_at(place, "partNumber"), text_at(place, "partName"))))
    return f"{whole}. {part}" if part else whole


def _role(place: _Element, before: str) -> str:
    for role in children(place, "role"):
        for term in children(role, "roleTerm"):
            if known := _ROLES.get(text_of(term).lower().strip(".")):
                return known
    if str(place.get("type") or "") == "conference":
        return "conference"
    return "contributor" if before else "author"


#: The years of a person's life, as catalogues write them behind the name.
_LIFE: Final = re.compile(r",\s*(?:b\.|d\.|ca\.|fl\.)?\s*\d{4}\??(?:\s*-\s*(?:\d{4}\??)?)?\.?\s*$")


def _person(place: _Element) -> str:
    """``family␟given`` of a person, else the name as it is written."""
    parts: dict[str, list[str]] = {}
    for one in children(place, "namePart"):
        parts.setdefault(str(one.get("type") or ""), []).append(text_of(one))
    if "family" in parts:
        given = " ".join(parts.get("given", []))
        tail = _PART + " ".join(parts["termsOfAddress"]) if "termsOfAddress" in parts else ""
        return " ".join(parts["family"]) + _PART + given + tail
    whole = " ".join(parts.get("", [])) or text_at(place, "displayForm")
    if str(place.get("type") or "") == "personal" and "," in whole:
        family, _, given = _LIFE.sub("", whole).partition(",")
        return family.strip() + _PART + given.strip()
    return whole


def _origin(place: _Element, before: str) -> Iterator[tuple[str, str]]:
    for one in children(place):
        name = name_of(one)
        if name == "place":
            for term in children(one, "placeTerm", "text"):
                if str(term.get("type") or "text") == "text":
                    yield before + "place", text_of(term)
        elif name.startswith(("date", "copyright")):
            point = str(one.get("point") or "")
            yield before + name + (f"/{point}" if point else ""), text_of(one)
        else:
            yield before + name, text_of(one)


def _part(place: _Element, before: str) -> Iterator[tuple[str, str]]:
    for one in children(place):
        name = name_of(one)
        if name == "detail":
            kind = str(one.get("type") or "number").lower()
            said = text_at(one, "number") or text_at(one, "title") or text_at(one, "caption")
            yield before + f"part/{kind}", said
        elif name == "extent":
            start, end = text_at(one, "start"), text_at(one, "end")
            listed = text_at(one, "list")
            yield before + "part/pages", f"{start}{_PART}{end}" if start or end else listed
            yield before + "part/total", text_at(one, "total")
        else:
            yield before + f"part/{name}", text_of(one)


def _type_of(record: Tracing) -> str:
    given = record.given
    for tag, raw in record.source.tags:
        if tag.startswith("genre"):
            words = raw.lower().strip(" .")
            if csl := _TYPES.get(words) or worded_type(words):
                return _in_host(csl, given)
    for tag, raw in record.source.tags:
        if tag.startswith("host/genre") and raw.lower() in (
            "periodical",
            "academic journal",
            "journal",
        ):
            return "article-journal"
    if (resource := _RESOURCES.get(given.get("typeOfResource", "").lower())) is not None:
        return resource
    alone = given.get("issuance") == "monographic" and "host/part/pages" not in given
    if "host/title" in given and not (alone and "publisher" in given):
        periodical = given.get("host/issuance") == "continuing" or "host/identifier/issn" in given
        return "article-journal" if periodical or "host/part/issue" in given else "chapter"
    if given.get("issuance") == "monographic":
        return "book"
    return "book" if "publisher" in given and "identifier/isbn" in given else UNKNOWN_TYPE


def _in_host(csl: str, given: dict[str, str]) -> str:
    if csl == "book" and "host/title" in given:
        return "chapter"
    return csl


def _special(record: Tracing, index: int, tag: str, text: str) -> bool:
    collector, extra = record.collector, f"x.mods.{tag}"
    host = tag.startswith("host/")
    plain = tag.removeprefix("host/")
    if plain.startswith("name/"):
        role = plain.removeprefix("name/")
        if role == "conference":
            collector.candidate(index, "event-title", text)
        elif role == "author" and host:
            collector.append(index, "container-author", _name(text))
        else:
            collector.append(index, role, _name(text))
    elif tag == "host/title":
        collector.candidate(index, "container-title", text)
    elif tag == "host/title/abbreviated":
        collector.candidate(index, "container-title-short", text)
    elif tag == "language":
        said = (text for name, text in record.source.tags if name == "language")
        gather_languages(collector, index, "\n".join(filter(None, said)))
    elif plain == "part/pages":
        start, _, end = text.partition(_PART)
        gather_ends(record, index, start.strip(), end.strip(), extra=extra)
    elif plain.split("/")[0] in ("dateIssued", "copyrightDate", "dateCreated") or plain in (
        "part/date", "dateOther",
    ):  # fmt: skip
        rank = ("part/date", "dateIssued", "copyrightDate", "dateCreated", "dateOther").index(
            plain if plain == "part/date" else plain.split("/")[0]
        )
        date = dates.any_date(re.sub(r"^c(?=\d{4}$)|[\[\]]", "", text).rstrip("."))
        collector.candidate(index, "issued", date, rank=rank * 2 + (not host), extra=extra)
    elif plain.startswith("dateCaptured"):
        collector.candidate(index, "accessed", dates.any_date(text), extra=extra)
    elif tag.startswith("genre") and record.kind == "thesis":
        collector.candidate(index, "genre", text, extra=extra)
    else:
        return False
    return True


def _name(text: str) -> Name:
    parts = text.split(_PART)
    if len(parts) == 1:
        return Name(literal=text)
    suffix = parts[2] if len(parts) > 2 else ""
    return Name(family=parts[0], given=parts[1], suffix=suffix)


TABLE: Final = Table(NAME, _FIELDS, _type_of, _special)
