"""A record traced by a table: which field each tag means. May not know any one format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bifolio.formats.endnote.rules import (
    gather_languages,
    gather_rule,
    gather_serial_numbers,
)
from bifolio.formats.field_collector import FieldCollector, MappedRecord
from bifolio.formats.identifiers import doi_of
from bifolio.formats.mapping.types import RIS_TYPES, UNKNOWN_TYPE, WORDED_TYPES
from bifolio.formats.names import parse_ris_name
from bifolio.formats.pages import join_range, plain_range
from bifolio.records.fields import FORMS, Form
from bifolio.records.people import split_people
from bifolio.records.reference import ImportedBlocks, Source

#: A tag that says nothing of the work: kept in the source.
NOTHING: Final = "-"


@dataclass(slots=True)
class Tracing:
    """One record on its way through a table."""

    source: Source
    collector: FieldCollector
    #: The first text of each tag, on one line.
    given: dict[str, str]
    kind: str = UNKNOWN_TYPE


#: ``(record, index, tag, raw text)``: whether the tag was taken.
Special = Callable[[Tracing, int, str, str], bool]


@dataclass(frozen=True, slots=True)
class Table:
    """What the tags of a format mean."""

    name: str
    #: Tag to (field, rank).
    fields: Mapping[str, tuple[str, int]]
    #: ``(record)`` to its CSL type.
    type_of: Callable[[Tracing], str]
    #: What needs more than the table.
    special: Special = field(default=lambda *_: False)

    @property
    def extra(self) -> str:
        """What the names of its extra fields begin with."""
        return f"x.{self.name}."

    def trace(self, source: Source, blocks: ImportedBlocks | None) -> MappedRecord:
        """The values of a record and which fields each tag fed."""
        del blocks
        given: dict[str, str] = {}
        for tag, raw in source.tags:
            text = " ".join(raw.split())
            if text:
                given.setdefault(tag, text)
        record = Tracing(source, FieldCollector(len(source.tags)), given)
        record.kind = self.type_of(record)
        record.collector.derive("type", record.kind)
        for index, (tag, raw) in enumerate(source.tags):
            text = raw.strip()
            if text and not self.special(record, index, tag, text):
                self._gather(record, index, tag, text)
        return record.collector.finish()

    def _gather(self, record: Tracing, index: int, tag: str, text: str) -> None:
        name, rank = self.fields.get(tag, ("", 0))
        if name == NOTHING:
            return
        if name == "":
            record.collector.append(index, self.extra + tag, "\n".join(map(str.strip, lines(text))))
            return
        gather(record, index, name, text, rank=rank, extra=self.extra + tag)


def fields(table: str, *, separator: str | None = None) -> dict[str, tuple[str, int]]:
    """A table of lines ``field: TAG OTHER``, an earlier tag before a later one.

    Args:
        separator: what parts the tags; by default white space.
    """
    found: dict[str, tuple[str, int]] = {}
    for line in table.strip().splitlines():
        name, _, tags = line.strip().partition(": ")
        for rank, tag in enumerate(tags.split(separator)):
            found[tag.strip()] = (name, rank)
    return found


def lines(text: str) -> list[str]:
    """The lines of a text that say something."""
    return [line for line in text.split("\n") if line.strip()]


def gather(
    record: Tracing, index: int, name: str, text: str, *, rank: int = 0, extra: str = ""
) -> None:
    """Give a text to a field in the form of the field's values; lines of names are names."""
    collector = record.collector
    line = " ".join(text.split())
    if name in ("ISSN", "ISBN"):
        gather_serial_numbers(collector, index, text, record.kind, extra)
    elif FORMS[name] is Form.NAMES:
        for one in lines(text):
            for person in split_people(" ".join(one.split())):
                collector.append(index, name, parse_ris_name(person))
    elif name == "DOI":
        collector.candidate(index, name, doi_of(line), rank=rank, extra=extra)
    elif name == "page":
        collector.candidate(index, name, plain_range(line), rank=rank, extra=extra)
    elif name == "language":
        gather_languages(collector, index, "\n".join(" ".join(one.split()) for one in lines(text)))
    elif name == "tags":
        for one in lines(text.replace(";", "\n")):
            collector.append(index, name, " ".join(one.split()))
    else:
        gather_rule(collector, index, name, line, text, rank=rank, extra=extra)


def gather_ends(record: Tracing, index: int, start: str, end: str, *, extra: str) -> None:
    """The pages of a record that has a tag for the first and one for the last."""
    whole = join_range(start, end) if start and end and start != end else start or end
    record.collector.candidate(index, "page", whole, extra=extra)


def worded_type(words: str) -> str:
    """The CSL type of a type in words, EndNote's or people's; empty where it is none."""
    plain = " ".join(words.lower().split())
    return RIS_TYPES.get(plain) or WORDED_TYPES.get(plain) or ""
