"""Several references of one work made one: the kept one gets what it lacks, the others go to the
trash. One change.

Nothing is lost. A field that the kept one lacks is taken over; lists and sets are united; notes
and abstracts that say more are put together; of two dates the more exact one stands. What
differs stays as the kept one has it; the other value stays in the trash, and is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bifolio.document import creators, editing, importing, merging, sets, texts
from bifolio.document.entries import Entries
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.plan import Plan
from bifolio.document.view import read_view
from bifolio.errors import UsageError
from bifolio.records.canonical import nfc
from bifolio.records.fields import MergeRule, merge_rule
from bifolio.records.folding import words
from bifolio.records.marks import Mark, normalized
from bifolio.records.names import Name
from bifolio.records.reference import Value, Values, value_to_json
from bifolio.replica import lookup
from bifolio.replica.replica import Replica, Write
from bifolio.results import DifferingValue, Merged, TakenValue
from bifolio.storage.elements import ALIASES

KEY = "citation-key"

#: Fields that say something of the reference as such, not of the work.
_OWN = (KEY, "citation-key-pinned")

#: Sets of which two elements may be one, written differently.
_WRITTEN = {"ISBN": Mark.ISBN, "ISSN": Mark.ISSN, "URL": Mark.URL}

#: What says nothing where a more telling value is there.
_WEAK = {"type": "document", "read-status": "unread"}


def merge(replica: Replica, refs: Sequence[str], *, keep: str | None = None) -> Merged:
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
                next_step="'bifolio duplicates' shows which references are likely one work.",
            )
        kept, others = ids[0], ids[1:]
        merger = _Merger(replica, kept)
        for other in others:
            merger.take(other)
        writes: list[tuple[str, Write]] = [(kept, merger.write)]
        writes += [(other, partial(_write_merged, kept)) for other in others]
        replica.commit_inside(writes)
    return Merged(
        kept=lookup.show_id(replica, kept),
        merged=tuple(lookup.show_id(replica, one) for one in others),
        taken=tuple(merger.taken),
        differing=tuple(merger.differing),
    )


def _write_merged(kept: str, plan: Plan, entries: Entries) -> None:
    merging.plan_merged(plan, entries, into=kept)


class _Merger:
    """What becomes of the kept reference: its values, and those that it did not get."""

    def __init__(self, replica: Replica, kept: str) -> None:
        self._replica = replica
        self._values: Values = dict(read_view(replica.document(kept).visible()).values)
        self._before = dict(self._values)
        self._merged: list[str] = []
        self._sources: list[merging.MergedSource] = []
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
        self._sources += map(merging.source_of, importing.sources(entries))
        self._sources += merging.merged_sources(entries)

    def write(self, plan: Plan, entries: Entries) -> None:
        """Plan the kept reference."""
        for field in sorted(self._values):
            if self._values[field] != self._before.get(field):
                _plan_field(plan, entries, field, self._values[field])
        merging.plan_kept(plan, entries, merged=self._merged, sources=self._sources)

    def _take_field(self, field: str, other: Value, named: str) -> None:
        mine = self._values.get(field)
        combined = other if mine is None else _combined(field, mine, other)
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
            self._values[ALIASES] = _united(ALIASES, _strings(aliases), (key,))


def _combined(field: str, mine: Value, other: Value) -> Value | None:
    """The value that holds both; None where they cannot be had together."""
    rule = merge_rule(field) if field != MEMBERSHIP else MergeRule.SET
    if rule in (MergeRule.SET, MergeRule.LIST):
        return _united(field, _strings(mine), _strings(other))
    if rule is MergeRule.TEXT:
        return _both_texts(str(mine), str(other))
    if rule is MergeRule.DATE:
        return _more_exact(mine, other)
    if rule is MergeRule.CREATORS:
        return mine if _same_names(mine, other) else None
    if _WEAK.get(field) == mine:
        return other
    if _WEAK.get(field) == other or words(str(mine)) == words(str(other)):
        return mine
    return None


def _united(field: str, mine: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    kind = _WRITTEN.get(field)
    compared: Callable[[str], str] = nfc if kind is None else partial(normalized, kind)
    known = {compared(one) for one in mine}
    return (*mine, *(one for one in other if compared(one) not in known))


def _both_texts(mine: str, other: str) -> str:
    """One text that says what both say: the longer one if it holds the other, else both."""
    my_words, other_words = " ".join(words(mine)), " ".join(words(other))
    if other_words in my_words:
        return mine
    return other if my_words in other_words else f"{mine}\n\n{other}"


def _more_exact(mine: Value, other: Value) -> Value | None:
    """Of two dates the one that says more about the same day; None for two different ones."""
    if mine == other:
        return mine
    if not isinstance(mine, dict) or not isinstance(other, dict):
        return None
    my_parts, other_parts = mine.get("date-parts"), other.get("date-parts")
    if not my_parts or not other_parts or len(my_parts) != 1 or len(other_parts) != 1:
        return None
    shorter, longer = sorted((my_parts[0], other_parts[0]), key=len)
    if longer[: len(shorter)] != shorter:
        return None
    return mine if longer == my_parts[0] else other


def _same_names(mine: Value, other: Value) -> bool:
    return [words(str(one)) for one in mine] == [words(str(one)) for one in other]


def _plan_field(plan: Plan, entries: Entries, field: str, value: Value) -> None:
    """Plan a field so that the same merge made on two computers is the same twice."""
    rule = merge_rule(field) if field != MEMBERSHIP else MergeRule.SET
    if rule is MergeRule.SET:
        for element in _strings(value):
            sets.plan_add(plan, entries, field, element)
    elif rule is MergeRule.TEXT:
        texts.plan_replace(plan, entries, field, str(value))
    elif rule is MergeRule.CREATORS:
        creators.plan_add(plan, entries, field, _names(value))
    else:
        editing.plan_value(plan, entries, field, value)


def _strings(value: Value) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()


def _names(value: Value) -> tuple[Name, ...]:
    return tuple(one for one in value if isinstance(one, Name)) if isinstance(value, tuple) else ()
