"""Several references of one work made one: the kept one gets what it lacks, the others go to the
trash. One change.

Nothing is lost. A field that the kept one lacks is taken over; lists and sets are united; notes
and abstracts that say more are put together; of two dates the more exact one is kept. What
differs stays as the kept one has it; the other value stays in the trash, and is named. Only the
ways of writing one value (case, spaces, dashes) are no difference: what is taken for the same is
named nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from bifolio.document import importing, merged_references
from bifolio.document.entries import Entries
from bifolio.document.field_kinds import field_kind
from bifolio.document.plan import Plan
from bifolio.document.view import read_view
from bifolio.errors import Next, UsageError
from bifolio.records.canonical import nfc
from bifolio.records.fields import Form
from bifolio.records.reference import Value, Values, strings_of, value_to_json
from bifolio.records.terms import Mark, normalize
from bifolio.replica import lookup
from bifolio.replica.replica import Replica, Write
from bifolio.results import DifferingValue, MergedReferences, TakenValue
from bifolio.storage.elements import ALIASES

KEY = "citation-key"

#: Fields that say something of the reference as such, not of the work.
_OWN = (KEY, "citation-key-pinned")

#: Identifiers that may be one, written differently.
_WRITTEN = {
    "ISBN": Mark.ISBN,
    "ISSN": Mark.ISSN,
    "URL": Mark.URL,
    "DOI": Mark.DOI,
    "PMID": Mark.PMID,
    "PMCID": Mark.PMCID,
}

#: Dashes and quotation marks as a keyboard has them.
_TYPED = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2018\u2019\u201c\u201d", "-----''\"\"")

#: A word with the space behind it, and the end of a sentence.
_WORD = re.compile(r"(\S+)(\s*)")
_SENTENCE_END = re.compile("[.!?\u2026\u3002\uff01\uff1f][\"')\\]\u2019\u201d]*$")

#: What says nothing where a more telling value is there.
_WEAK = {"type": "document", "read-status": "unread"}


def merge(replica: Replica, refs: Sequence[str], *, keep: str | None = None) -> MergedReferences:
    """Merge references into the first one, or into the one that is named.

    Raises:
        UsageError: fewer than two references.
        ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError: nothing was
        changed.
    """
    with replica.database.transaction():
        ids = lookup.live_ids(replica, [keep, *refs] if keep is not None else refs)
        if len(ids) < 2:
            raise UsageError(
                "A merge takes at least two references, and these are one.",
                next_step=Next.LIST_DUPLICATES,
            )
        kept, others = ids[0], ids[1:]
        merger = _Merger(replica, kept)
        for other in others:
            merger.take(other)
        writes: list[tuple[str, Write]] = [(kept, merger.write)]
        writes += [(other, partial(_write_merged, kept)) for other in others]
        replica.commit_inside(writes)
    return MergedReferences(
        kept=lookup.show_id(replica, kept),
        merged=tuple(lookup.show_id(replica, one) for one in others),
        taken=tuple(merger.taken),
        differing=tuple(merger.differing),
    )


def _write_merged(kept: str, plan: Plan, entries: Entries) -> None:
    merged_references.plan_merged(plan, entries, into=kept)


class _Merger:
    """What becomes of the kept reference: its values, and those that it did not get."""

    def __init__(self, replica: Replica, kept: str) -> None:
        self._replica = replica
        self._values: Values = dict(read_view(replica.document(kept).visible()).values)
        self._before = dict(self._values)
        self._merged: list[str] = []
        self._sources: list[merged_references.MergedSource] = []
        self.taken: list[TakenValue] = []
        self.differing: list[DifferingValue] = []

    def take(self, record_id: str) -> None:
        """Take over what another reference has."""
        entries = self._replica.document(record_id).visible()
        named = lookup.show_id(self._replica, record_id).key
        values = read_view(entries).values
        for field in sorted(values.keys() - set(_OWN)):
            self._take_field(field, values[field], named)
        self._take_keys(values)
        self._merged.append(record_id)
        self._sources += map(merged_references.source_of, importing.sources(entries))
        self._sources += merged_references.merged_sources(entries)

    def write(self, plan: Plan, entries: Entries) -> None:
        """Plan the kept reference."""
        for field in sorted(self._values):
            if self._values[field] != self._before.get(field):
                field_kind(field).plan_union(plan, entries, field, self._values[field])
        merged_references.plan_kept(plan, entries, merged=self._merged, sources=self._sources)

    def _take_field(self, field: str, other: Value, named: str) -> None:
        mine = self._values.get(field)
        combined = other if mine is None else _combine(field, mine, other)
        if combined is None:
            assert mine is not None
            self.differing.append(
                DifferingValue(field, value_to_json(mine), value_to_json(other), named)
            )
        elif combined != mine:
            self._values[field] = combined
            self.taken.append(TakenValue(field, named))

    def _take_keys(self, values: Values) -> None:
        """The other one's key goes on finding the work."""
        key = values.get(KEY)
        if not isinstance(key, str) or not key:
            return
        mine = self._values.get(KEY)
        if mine is None:
            self._values[KEY] = key
        elif nfc(str(mine)) != nfc(key):
            aliases = self._values.get(ALIASES, ())
            self._values[ALIASES] = _unite(ALIASES, strings_of(aliases), (key,))


def _combine(field: str, mine: Value, other: Value) -> Value | None:
    """The value that holds both; None where they cannot be had together."""
    form = field_kind(field).form
    if form is Form.STRINGS:
        return _unite(field, strings_of(mine), strings_of(other))
    if form is Form.TEXT:
        return _both_texts(str(mine), str(other))
    if form is Form.DATE:
        return _more_exact(mine, other)
    if form is Form.NAMES:
        return mine if _same_names(mine, other) else None
    if _WEAK.get(field) == mine:
        return other
    if _WEAK.get(field) == other or _fold_value(field, mine) == _fold_value(field, other):
        return mine
    return None


def _unite(field: str, mine: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    known = {_element(field, one) for one in mine}
    return (*mine, *(one for one in other if _element(field, one) not in known))


def _element(field: str, element: str) -> str:
    """An element of a set or list as it is compared; one without a digit is no number."""
    kind = _WRITTEN.get(field)
    return (normalize(kind, element) if kind else "") or nfc(element)


def _fold_value(field: str, value: object) -> str:
    """A value without the ways of writing it: case, spaces, dashes, quotation marks, a full stop
    behind it, and of an identifier its address."""
    text = nfc(str(value))
    if kind := _WRITTEN.get(field):
        text = normalize(kind, text)
    return " ".join(text.translate(_TYPED).casefold().split()).removesuffix(".")


def _both_texts(mine: str, other: str) -> str:
    """One text that says what both say: the longer one if it holds the other, otherwise both."""
    if _holds(mine, other):
        return mine
    return other if _holds(other, mine) else f"{mine}\n\n{other}"


def _holds(whole: str, part: str) -> bool:
    """Whether a text has another one in it word for word, from the beginning of a line to the end
    of a line or sentence: "significant" says something else than "not significant"."""
    found = _WORD.findall(nfc(whole))
    words, wanted = [word for word, _ in found], nfc(part).split()
    if not wanted:
        return True
    begins, ends = {0}, {len(words)}
    for at, (word, space) in enumerate(found, start=1):
        if "\n" in space:
            begins.add(at)
            ends.add(at)
        elif _SENTENCE_END.search(word):
            ends.add(at)
    return any(
        words[at : at + 1] == wanted[:1] and words[at : at + len(wanted)] == wanted
        for at in begins
        if at + len(wanted) in ends
    )


def _more_exact(mine: Value, other: Value) -> Value | None:
    """Of two dates the one that says more about the same day; None for two different ones."""
    if mine == other:
        return mine
    if not isinstance(mine, dict) or not isinstance(other, dict):
        return None
    if _says(mine, other):
        return mine
    return other if _says(other, mine) else None


def _says(date: dict[str, Any], less: dict[str, Any]) -> bool:
    """Whether a date says all that another one says of a single day, month or year."""
    parts, fewer = date.get("date-parts"), less.get("date-parts")
    if not parts or not fewer or len(parts) != 1 or len(fewer) != 1:
        return False
    more = all(date.get(name) == value for name, value in less.items() if name != "date-parts")
    return more and bool(parts[0][: len(fewer[0])] == fewer[0])


def _same_names(mine: Value, other: Value) -> bool:
    return [_fold_name(one) for one in mine] == [_fold_name(one) for one in other]


def _fold_name(name: object) -> str:
    """A name without the ways of writing initials."""
    return " ".join(_fold_value("", name).replace(".", " ").split())
