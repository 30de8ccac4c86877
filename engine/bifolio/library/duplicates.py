"""Which references of a library are likely one work, and which the user says are not.

Read from the derived rows alone. ``records.candidate_pairs`` says which pairs are compared,
``records.similarity`` how alike they are. What is set apart is remembered in the library's
settings, as pairs of ids, and reaches every computer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from bifolio import limits
from bifolio.document import sets
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import InvalidValueError, Next, UsageError
from bifolio.ids import SETTINGS_ID
from bifolio.library.merge_duplicates import merge
from bifolio.records.candidate_pairs import candidates
from bifolio.records.similarity import Similarity, Traits, compare_works, may_reach
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.replica.workspace import SET_APART
from bifolio.results import DuplicateGroup, DuplicatePair, MergedReferences, ReferenceView

#: Pairs from this score on are proposed: of the labelled sets it finds 99 of 100 duplicates, and
#: of the works of one title, author and year none that differ in volume, number or pages.
MIN_SCORE = 80

_Pair = tuple[int, int]


class Duplicates:
    """The duplicates of one library."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def list(
        self, *, min_score: float = MIN_SCORE, refs: Sequence[str] | None = None
    ) -> Sequence[DuplicateGroup]:
        """Groups of references that are likely one work, the surest first.

        Args:
            min_score: what a pair must reach, of 100.
            refs: only groups that hold one of these.

        Raises:
            InvalidValueError, ReferenceNotFoundError, AmbiguousReferenceError.
        """
        if not 0 < min_score <= 100:
            raise InvalidValueError("min-score", expected="1 to 100", got=f"'{min_score:g}'")
        wanted = {lookup.find(self._replica, ref).id for ref in refs or ()}
        rows = self._replica.references.iter_for_comparison()
        works = [
            Traits.of(record_id, type=kind, title=title, year=year, fields=fields)
            for record_id, kind, title, year, fields in rows
        ]
        alike: dict[_Pair, Similarity] = {}
        for one, other in candidates(works):
            if not may_reach(works[one], works[other], min_score):
                continue
            found = compare_works(works[one], works[other])
            if round(found.score) >= min_score:
                alike[one, other] = found
        groups = [
            self._group([works[one].id for one in members], pairs, works)
            for members, pairs in _groups(alike, self._apart(works))
            if not wanted or any(works[one].id in wanted for one in members)
        ]
        return sorted(groups, key=lambda one: (-one.score, one.references[0].id))

    def set_apart(self, refs: Sequence[str]) -> Sequence[ReferenceView]:
        """Remember that references are different works: no two of them are proposed again.

        Raises:
            UsageError: fewer than two, or too many.
            ReferenceNotFoundError, AmbiguousReferenceError, TrashedReferenceError: nothing was
            changed.
        """
        replica = self._replica
        with replica.database.transaction():
            ids = lookup.live_ids(replica, refs)
            if not 2 <= len(ids) <= limits.SET_APART_MAX:
                raise UsageError(
                    f"Two to {limits.SET_APART_MAX} references can be remembered as different "
                    f"works; this names {len(ids)}.",
                    next_step=Next.LIST_DUPLICATES,
                )

            def write(plan: Plan, entries: Entries) -> None:
                for pair in combinations(sorted(ids), 2):
                    sets.plan_add(plan, entries, SET_APART, " ".join(pair))

            replica.commit_inside([(SETTINGS_ID, write)])
        return [lookup.show_id(replica, one) for one in ids]

    def merge(self, refs: Sequence[str], *, keep: str | None = None) -> MergedReferences:
        """Merge references into the first one, or into the one that is named."""
        return merge(self._replica, refs, keep=keep)

    # --- small steps --------------------------------------------------------------------------

    def _apart(self, works: Sequence[Traits]) -> set[_Pair]:
        """The pairs that are different works by what the user says, as indexes."""
        stored = self._replica.meta.set_apart
        if not stored:
            return set()
        places = {work.id: place for place, work in enumerate(works)}
        found = set()
        for pair in stored:
            one, _, other = pair.partition(" ")
            if one in places and other in places:
                low, high = sorted((places[one], places[other]))
                found.add((low, high))
        return found

    def _group(
        self, ids: Sequence[str], pairs: Sequence[tuple[_Pair, Similarity]], works: Sequence[Traits]
    ) -> DuplicateGroup:
        shown = {one: lookup.show_id(self._replica, one) for one in ids}
        references = sorted(shown.values(), key=lambda one: (-_fullness(one), one.id))
        return DuplicateGroup(
            score=min(round(found.score) for _, found in pairs),
            references=tuple(references),
            pairs=tuple(
                DuplicatePair(
                    (shown[works[one].id].key, shown[works[other].id].key),
                    round(found.score),
                    found.why,
                )
                for (one, other), found in pairs
            ),
        )


def _fullness(shown: ReferenceView) -> int:
    """How much a reference says: what is merged into the fullest one changes least."""
    return len(shown.fields) + len(shown.tags) + 3 * len(shown.groups)


def _groups(
    alike: dict[_Pair, Similarity], apart: set[_Pair]
) -> Iterator[tuple[list[int], list[tuple[_Pair, Similarity]]]]:
    """The pairs joined to groups, the surest first; no two that are set apart come together.

    Yields:
        the members, and the pairs that hold them together.
    """
    group_of: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    links: dict[int, list[tuple[_Pair, Similarity]]] = {}
    ordered = sorted(alike.items(), key=lambda item: (-item[1].score, item[0]))
    for pair, found in ordered:
        one, other = (group_of.setdefault(index, index) for index in pair)
        if one == other:
            continue
        mine, theirs = members.get(one, [one]), members.get(other, [other])
        if apart and any(
            (min(left, right), max(left, right)) in apart for left in mine for right in theirs
        ):
            continue
        members[one] = mine + theirs
        links[one] = [*links.get(one, []), *links.pop(other, []), (pair, found)]
        members.pop(other, None)
        for index in theirs:
            group_of[index] = one
    for group, inside in members.items():
        yield sorted(inside), links[group]
