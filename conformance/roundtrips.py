"""Out and back: in the same format, with one field touched, and through every other format.

Each check returns how many references it tried and one line for every fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bifolio.formats import EXPORT_FORMATS
from bifolio.formats.bibtex.entries import harmless
from bifolio.formats.bibtex.macros import macros_of
from bifolio.formats.bibtex.names import is_readable_field, own_name
from bifolio.formats.bibtex.values import COMMENT_TAG
from bifolio.formats.reading import trace
from bifolio.records.fields import FORMS, Form, form_of
from bifolio.records.names import Name
from bifolio.records.reference import (
    ExportedReference,
    ImportedBlocks,
    ImportedReference,
    Source,
    Value,
    Values,
)
from conformance.agreement import plain, plain_texts, show_value
from conformance.loading import Loaded, export, reload

#: Fields that are not touched: another type means other tags, and the library makes the key.
_UNTOUCHED: Final = frozenset({"type"})


@dataclass(slots=True)
class Check:
    """How many references came back as they should."""

    tried: int = 0
    #: (tag, value) pairs that did not come back.
    pairs_lost: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Check) -> None:
        """Add the figures of another run."""
        self.tried += other.tried
        self.pairs_lost += other.pairs_lost
        self.faults += other.faults


def check_unchanged(loaded: Loaded, format: str, folder: Path) -> Check:
    """Import, export, import: the same values, and every (tag, value) pair in its order."""
    check = Check(len(loaded.references))
    content, report = export(_outgoing(loaded.references), format, loaded.blocks)
    again = reload(folder, content, format)
    check.faults += [f"lost on the way: {one.field} ({one.reason})" for one in report.lost]
    if len(again.references) != len(loaded.references):
        check.faults.append(f"{len(loaded.references)} went out, {len(again.references)} came back")
        return check
    for before, after in zip(loaded.references, again.references, strict=True):
        apart = _rewritten(before.source.tags, macros_of(loaded.blocks.get(before.source.blocks)))
        were, are = (_count_pairs(one.source.tags, apart) for one in (before, after))
        missing = were - are
        check.pairs_lost += missing.total()
        if missing:
            check.faults.append(f"line {before.line}: lost {next(iter(missing))}")
        elif [*were] != [*are]:
            check.faults.append(f"line {before.line}: other tags or another order")
        if difference := difference_of(before.values, after.values):
            check.faults.append(f"line {before.line}: {difference}")
    return check


def check_touched(loaded: Loaded, format: str, folder: Path, sample: Sequence[int]) -> Check:
    """One field of each edited: it comes back edited, and nothing else is another."""
    # What an edit of a parent changes in the entries that inherit from it is meant.
    parents = {
        raw.strip('{}"').lower()
        for one in loaded.references
        for tag, raw in one.source.tags
        if tag.lower() in ("crossref", "xdata")
    }
    sample = [
        number for number in sample
        if loaded.references[number].source.id.lower() not in parents
    ]  # fmt: skip
    check = Check(len(sample))
    edited: list[tuple[ImportedReference, str, Values]] = []
    for place, number in enumerate(sample):
        reference = loaded.references[number]
        name = _touched_field(reference.values, place)
        values = {**reference.values, name: _edit(name, reference.values.get(name))}
        edited.append((reference, name, values))
    outgoing = [
        ExportedReference(reference.record_id(), values, reference.source)
        for reference, _, values in edited
    ]
    content, report = export(outgoing, format, loaded.blocks)
    check.faults += [f"lost on the way: {one.field} ({one.reason})" for one in report.lost]
    again = reload(folder, content, format)
    if len(again.references) != len(edited):
        check.faults.append(f"{len(edited)} went out, {len(again.references)} came back")
        return check
    for (reference, name, values), after in zip(edited, again.references, strict=True):
        if difference := difference_of(values, after.values):
            check.faults.append(f"line {reference.line}, {name} touched: {difference}")
        missing = _lost_pairs(reference, name, after.source, loaded.blocks)
        check.pairs_lost += len(missing)
        if missing:
            check.faults.append(f"line {reference.line}, {name} touched: lost {missing[0]}")
    return check


def check_across(
    loaded: Loaded, formats: tuple[str, str], folder: Path, sample: Sequence[int]
) -> Check:
    """Import, export to another format, import, export back, import: the same values.

    Args:
        formats: the file's own, to which the way leads back if it is written at all, and the
            other one.
    """
    own, other = formats
    check = Check(len(sample))
    chosen = [loaded.references[number] for number in sample]
    steps = (other, own) if own in EXPORT_FORMATS else (other,)
    current = chosen
    blocks = loaded.blocks
    for step in steps:
        content, report = export(_outgoing(current), step, blocks)
        check.faults += [f"lost in {step}: {one.field} ({one.reason})" for one in report.lost]
        again = reload(folder, content, step)
        if len(again.references) != len(chosen):
            check.faults.append(f"{len(chosen)} went to {step}, {len(again.references)} came back")
            return check
        current, blocks = again.references, again.blocks
        for before, after in zip(chosen, current, strict=True):
            if difference := difference_of(before.values, after.values):
                check.faults.append(f"line {before.line}, in {step}: {difference}")
    return check


def difference_of(before: Values, after: Values) -> str:
    """The first field that is not the same in both; empty where all are.

    Texts are compared in composed form, sets without their order; nothing else is forgiven.
    """
    for name in sorted(before.keys() | after.keys()):
        one, two = before.get(name), after.get(name)
        if one != two and _exact(name, one) != _exact(name, two):
            return f"{name} was {show_value(one)}, is {show_value(two)}"
    return ""


def _exact(name: str, value: Value | None) -> object:
    if isinstance(value, dict):
        return value
    if isinstance(value, tuple):
        texts = [one.to_csl() if isinstance(one, Name) else plain(one) for one in value]
        return sorted(map(str, texts)) if FORMS.get(name) is Form.STRINGS else texts
    return plain_texts(value)


def _outgoing(references: Sequence[ImportedReference]) -> list[ExportedReference]:
    return [ExportedReference(one.record_id(), one.values, one.source) for one in references]


def _touched_field(values: Values, place: int) -> str:
    names = sorted(name for name in values if name not in _UNTOUCHED)
    return names[place % len(names)] if names else "title"


def _edit(name: str, value: Value | None) -> Value:
    """Another value for the field, as a user might have given it."""
    form = form_of(name)
    if form is Form.DATE:
        return {"date-parts": [[1987, 5]]}
    if form is Form.NAMES:
        before = [one for one in value or () if isinstance(one, Name)]
        return (*before, Name(family="Touched", given="Ada B."))
    if form is Form.STRINGS:
        added = {"ISSN": "2434-561X", "ISBN": "978-3-16-148410-0"}.get(name, "touched")
        texts = [one for one in value or () if isinstance(one, str)]
        return (*texts, f"https://example.org/{added}" if name == "URL" else added)
    return {
        "DOI": "10.1234/touched",
        "page": "17-19",
        "citation-key": "Touched2020",
        "PMID": "31542275",
        "PMCID": "PMC1234567",
    }.get(name, f"{value or ''} touched".strip())


def _lost_pairs(
    reference: ImportedReference, name: str, after: Source, blocks: dict[str, ImportedBlocks]
) -> list[tuple[str, str]]:
    """Pairs that fed nothing but other fields and are gone all the same."""
    source = reference.source
    of_file = blocks.get(source.blocks)
    feeds = trace(source, of_file).feeds
    kept = [pair for pair, fed in zip(source.tags, feeds, strict=True) if name not in fed]
    apart = _rewritten(source.tags, macros_of(of_file))
    return list((_count_pairs(kept, apart) - _count_pairs(after.tags, apart)).elements())


def _rewritten(pairs: Iterable[tuple[str, str]], macros: Mapping[str, str]) -> frozenset[str]:
    """The names, in small letters, of what goes out in other words, because some program does not
    read it: odd names, lists of people, links that close a circle."""
    names = {
        tag.removeprefix("^").lower()
        for tag, raw in pairs
        if tag != COMMENT_TAG and not is_readable_field(tag.removeprefix("^"), raw, macros)
    }
    links = {"crossref", "xdata"} if ("^crossref", "") in pairs else set()
    return frozenset(names | links | {"x-bibtex-crossref", "x-bibtex-xdata"})


def _count_pairs(
    pairs: Iterable[tuple[str, str]], apart: frozenset[str]
) -> Counter[tuple[str, str]]:
    """The pairs, inherited ones as if the entry had them itself: without its parent it has. Lone
    braces and percent signs are as the writer has them.

    Args:
        apart: the names of those that are not counted.
    """
    return Counter(
        (name, harmless(tag, raw))
        for tag, raw in pairs
        if (name := tag.removeprefix("^")).lower() not in apart
        if tag == COMMENT_TAG or is_readable_field(own_name(name), raw)
    )
