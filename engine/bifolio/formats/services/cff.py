"""CITATION.cff: the software that it describes, and the works that it names; the only user of yaml.

Each is a record whose tags are the file's own keys, their values as JSON texts where they are no
plain text. YAML's aliases are refused: a few lines of them may stand for gigabytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bifolio.formats import dates
from bifolio.formats.identifiers import doi_of
from bifolio.formats.mapping.types import UNKNOWN_TYPE
from bifolio.formats.services.rules import NOTHING, Table, Tracing, fields, gather_ends, worded_type
from bifolio.records.names import Name

_FIELDS: Final = fields("""
title: title
title-short: abbreviation
container-title: journal collection-title
volume: volume
issue: issue
edition: edition
version: version
DOI: doi
ISBN: isbn
ISSN: issn
PMID: pmid
URL: url repository-code repository repository-artifact
abstract: abstract
tags: keywords
note: notes
language: languages
license: license
status: status
section: section
number: number
number-of-pages: pages
number-of-volumes: number-volumes
genre: thesis-type
""") | dict.fromkeys(("cff-version", "message", "type"), (NOTHING, 0))

_TYPES: Final = {
    "art": "graphic", "article": "article-journal", "audiovisual": "motion_picture",
    "bill": "bill", "blog": "post-weblog", "book": "book", "catalogue": "book",
    "conference": "event", "conference-paper": "paper-conference", "data": "dataset",
    "database": "dataset", "dictionary": "book", "edited-work": "book",
    "encyclopedia": "book", "film-broadcast": "broadcast",
    "government-document": "report", "grant": "report", "hearing": "hearing",
    "historical-work": "classic", "legal-case": "legal_case", "legal-rule": "regulation",
    "magazine-article": "article-magazine", "manual": "book", "map": "map",
    "multimedia": "motion_picture", "music": "song", "newspaper-article": "article-newspaper",
    "pamphlet": "pamphlet", "patent": "patent", "personal-communication": "personal_communication",
    "proceedings": "collection", "report": "report", "serial": "periodical", "slides": "speech",
    "software": "software", "software-code": "software", "software-container": "software",
    "software-executable": "software", "software-virtual-machine": "software",
    "sound-recording": "song", "standard": "standard", "statute": "legislation",
    "thesis": "thesis", "unpublished": "manuscript", "video": "motion_picture",
    "website": "webpage", "dataset": "dataset",
}  # fmt: skip
_PEOPLE: Final = {
    "authors": "author", "editors": "editor", "editors-series": "collection-editor",
    "translators": "translator", "recipients": "recipient", "senders": "author",
}  # fmt: skip
_DATES: Final = {"date-released": 0, "date-published": 1, "issue-date": 2}


@dataclass(frozen=True, slots=True)
class CffRecord:
    """One work: its type and its tags."""

    type: str
    tags: tuple[tuple[str, str], ...]


class CffError(ValueError):
    """The YAML cannot be read; ``line`` is where, from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


def records(text: str) -> Iterator[CffRecord]:
    """The software, the work to be cited for it, and what else the file refers to.

    Raises:
        CffError: it is no YAML, or no mapping.
    """
    read = _load(text)
    if not isinstance(read, dict):
        raise CffError(1, "it holds no keys")
    yield _record(read, "software")
    preferred = read.get("preferred-citation")
    listed = read.get("references")
    for one in [preferred, *(listed if isinstance(listed, list) else [])]:
        if isinstance(one, dict):
            yield _record(one, "generic")


def _load(text: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """Plain values: dates and numbers stay as they are written."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise CffError(self.line + 1, "an alias of YAML, which no CITATION.cff needs")
            return super().compose_node(parent, index)

    Loader.yaml_implicit_resolvers = {}
    try:
        return yaml.load(text, Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise CffError(line, str(error.problem or "not well formed")) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, CffError):
            raise
        raise CffError(1, str(error).split("\n")[0]) from None


def _record(read: dict[Any, Any], default: str) -> CffRecord:
    kind = read.get("type")
    tags = tuple(
        (str(key), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for key, value in read.items()
        if value not in (None, "", [], {}) and key not in ("preferred-citation", "references")
    )
    return CffRecord(str(kind) if isinstance(kind, str) else default, tags)


def _type_of(record: Tracing) -> str:
    words = record.source.type.lower()
    if words == "generic" and "collection-title" in record.given:
        return "chapter"
    return _TYPES.get(words) or worded_type(words) or UNKNOWN_TYPE


def _special(record: Tracing, index: int, tag: str, text: str) -> bool:
    collector, given, extra = record.collector, record.given, f"x.cff.{tag}"
    if tag in _PEOPLE:
        for one in _json_list(text):
            if (name := _name(one)) != Name():
                collector.append(index, _PEOPLE[tag], name)
    elif tag in _DATES:
        collector.candidate(index, "issued", dates.any_date(text), rank=_DATES[tag], extra=extra)
    elif tag in ("year", "month"):
        whole = given.get("year", "")
        if month := given.get("month", ""):
            whole = f"{whole}-{int(month):02d}" if month.isdigit() else whole
        collector.candidate(index, "issued", dates.any_date(whole), rank=3, extra=extra)
    elif tag == "date-accessed":
        collector.candidate(index, "accessed", dates.any_date(text), extra=extra)
    elif tag in ("start", "end"):
        gather_ends(record, index, given.get("start", ""), given.get("end", ""), extra=extra)
    elif tag in ("keywords", "languages"):
        for one in _json_list(text):
            if tag == "keywords":
                collector.append(index, "tags", str(one))
        if tag == "languages":
            collector.candidate(index, "language", "; ".join(map(str, _json_list(text))))
    elif tag in ("publisher", "institution", "conference", "location"):
        _gather_body(record, index, tag, text)
    elif tag == "identifiers":
        for one in _json_list(text):
            if isinstance(one, dict) and one.get("type") == "doi":
                collector.candidate(index, "DOI", doi_of(str(one.get("value", ""))), rank=1,
                                    extra=extra)  # fmt: skip
            elif isinstance(one, dict) and one.get("type") == "url":
                collector.append(index, "URL", str(one.get("value", "")))
    elif tag == "license":
        collector.candidate(index, "license", "; ".join(map(str, _json_list(text))))
    else:
        return False
    return True


def _gather_body(record: Tracing, index: int, tag: str, text: str) -> None:
    """An entity: its name and where it is."""
    read = _json(text)
    name = str(read.get("name", "")) if isinstance(read, dict) else text
    fields = (
        ("event-title", "event-place") if tag == "conference" else ("publisher", "publisher-place")
    )
    if tag == "location":
        record.collector.candidate(index, "publisher-place", name, rank=1, extra="x.cff.location")
        return
    rank = 1 if tag == "institution" else 0
    record.collector.candidate(index, fields[0], name, rank=rank, extra=f"x.cff.{tag}")
    if isinstance(read, dict):
        place = ", ".join(str(read[key]) for key in ("city", "country") if read.get(key))
        record.collector.candidate(index, fields[1], place, rank=rank, extra=f"x.cff.{tag}")


def _name(value: Any) -> Name:
    if not isinstance(value, dict):
        return Name(literal=str(value)) if value else Name()
    text = {key: str(value.get(key) or "").strip() for key in (
        "family-names", "given-names", "name-particle", "name-suffix", "name", "alias",
    )}  # fmt: skip
    if text["family-names"]:
        return Name(
            family=text["family-names"],
            given=text["given-names"],
            suffix=text["name-suffix"],
            non_dropping_particle=text["name-particle"],
        )
    return Name(literal=text["name"] or text["given-names"] or text["alias"])


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _json_list(text: str) -> list[Any]:
    read = _json(text) if text[:1] in "[{" else text
    return read if isinstance(read, list) else [read]


TABLE: Final = Table("cff", _FIELDS, _type_of, _special)
