"""What was typed, by whom, knowing what: the truth that merged libraries are compared with.

Every commit is an event with the changes that its author had merged, read from the author's
tables. From these alone follows what must be shown or listed in the end, what must be gone, and
what must lie in the trash; nothing here asks the engine how it merges.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.simulation.computer import AUTHORS, Computer, opened
from tests.support.stored_changes import sum_of_hashes

from bifolio.document import canonical, creators
from bifolio.document.conflicts import ConflictKind
from bifolio.document.field_kinds import element_of
from bifolio.document.groups import MEMBERSHIP
from bifolio.document.view import kind_of, read_view
from bifolio.library import status
from bifolio.records.canonical import canonical_json
from bifolio.records.fields import MergeRule, merge_rule
from bifolio.records.names import Name
from bifolio.records.reference import value_to_json
from bifolio.replica.replica import Replica
from bifolio.replication.judging import NO_RIGHT

#: One typed thing: the field, and a value, a word of a text, a name or an element.
Typed = tuple[str, str]

#: Every word that is typed into a text is one of these, and no two are the same.
WORD = re.compile(r"w\d+q")


class Act(Enum):
    """What an event does to its record as a whole."""

    EDIT = auto()
    DELETE = auto()
    PURGE = auto()
    RESTORE = auto()


@dataclass(frozen=True, slots=True)
class Event:
    """One commit of one computer to one record.

    ``typed`` is what it added, ``removed`` what it left none of; ``lowered`` adds to that the
    names of which it left fewer, because an author may stand twice.
    """

    known: frozenset[bytes]
    record: str
    typed: frozenset[Typed]
    removed: frozenset[Typed]
    lowered: frozenset[Typed]
    act: Act


@dataclass(slots=True)
class History:
    """All events by the id of their change."""

    events: dict[bytes, Event] = field(default_factory=dict)
    #: Devices of which somebody took a right: what they wrote behind the cut is theirs alone.
    restricted: set[bytes] = field(default_factory=set)
    #: Changes that their author wrote again as its own, under its next keys.
    adopted: set[bytes] = field(default_factory=set)
    #: Changes behind the end of keys that their author replaced, put back to before it made them,
    #: on a relay without them: they count nowhere, as a thief of the old keys could have made them.
    behind_end: set[bytes] = field(default_factory=set)
    #: Who committed each event.
    authors: dict[bytes, bytes] = field(default_factory=dict)

    def note(self, computer: Computer, event: Event) -> None:
        """An event was committed just now."""
        change = computer.newest_change()
        self.events[change] = event
        self.authors[change] = computer.keys.sign_public

    def is_restricted(self, change: bytes) -> bool:
        """Whether somebody wrote a change of whom a right was taken, before it or behind it; or it
        was written again under other keys."""
        if change in self.adopted or change in self.behind_end:
            return True
        return self.authors.get(change, AUTHORS.get(change)) in self.restricted

    def note_end(self, keys: bytes, known: frozenset[bytes]) -> None:
        """Who had these keys has others now, and knew so much when it took them."""
        written = {**AUTHORS, **self.authors}
        self.behind_end |= {one for one, author in written.items() if author == keys} - known

    @property
    def has_restricted(self) -> bool:
        """Whether ``is_restricted`` may be said of any change."""
        return bool(self.restricted or self.adopted or self.behind_end)

    # --- what must hold -------------------------------------------------------------------

    def check_causality(self, computer: Computer) -> None:
        """(I4) Nothing is merged before everything that its author had merged."""
        self.check_causes(computer, frozenset())

    def check_causes(self, computer: Computer, before: frozenset[bytes]) -> frozenset[bytes]:
        """The same of what was not merged ``before``, by the ids of its changes; all that is."""
        known = computer.known()
        for one in (known - before) & self.events.keys():
            missing = self.events[one].known - known
            if self.has_restricted:
                missing = frozenset(m for m in missing if not self.is_restricted(m))
            assert not missing, f"{computer.name} merged a change before {len(missing)} others"
        return known

    def check_contents(self, computer: Computer) -> None:
        """Nothing typed is lost, nothing removed comes back, the trash holds what it must."""
        known = computer.known()
        events = {one: event for one, event in self.events.items() if one in known}
        loose = {
            one: event
            for one, event in self.events.items()
            if one not in known and self.has_restricted and self.is_restricted(one)
        }
        for record in sorted({event.record for event in events.values()}):
            concerned = {one: event for one, event in events.items() if event.record == record}
            others = [event for event in loose.values() if event.record == record]
            self._check_record(computer, record, concerned, others)

    def _check_record(
        self, computer: Computer, record: str, events: dict[bytes, Event], loose: list[Event]
    ) -> None:
        """``loose`` are those behind a cut: who had merged one before it heard of that may have
        written it again as its own, and one that was never sent removes nothing elsewhere."""
        present = typed_in(computer, record)
        standing: set[Typed] = set()
        # What was written again under other keys is there twice where a backup of before brings it
        # too: who removed the one had not seen the other (seed 13944).
        twice = [event for one, event in events.items() if one in self.adopted]
        for event in (*loose, *twice):
            standing |= event.typed
        for one, event in events.items():
            later = [other for other in events.values() if one in other.known]
            maybe = [other for other in loose if one in other.known]
            for typed in event.typed:
                if not any(typed in other.removed for other in later):
                    standing.add(typed)
                if not any(typed in other.lowered for other in (*later, *maybe)):
                    assert typed in present, f"{computer.name} lost {typed} of {record[:6]}"
        for name, value in present:
            if rule_of(name) is not MergeRule.TEXT:
                assert (name, value) in standing, f"{(name, value)} came back in {record[:6]}"
        if loose:
            return
        view = read_view(computer.replica.document(record).entries())
        trashed = _covers(events, Act.DELETE, Act.PURGE)
        assert view.trashed == trashed, f"the trash is wrong about {record[:6]}"
        purged = _covers(events, Act.PURGE)
        assert view.purged == purged, f"the emptied trash is wrong about {record[:6]}"


def _covers(events: dict[bytes, Event], *acts: Act) -> bool:
    """Whether every edit was known to one of these acts that nothing has replaced.

    Who restored and then deleted again has edited nothing that a purge should have known; but who
    took back an emptying of the trash has said that the record is not to go by that, and a deletion
    behind it only puts it into the trash again.
    """
    live = [
        event
        for one, event in events.items()
        if event.act in acts
        and not any(
            one in other.known and other.act in (event.act, Act.RESTORE)
            for other in events.values()
        )
    ]
    undone = {
        one
        for one, event in events.items()
        if event.act is Act.RESTORE
        and not _took_back_a_purge(events, event)
        and any(one in other.known and other.act is Act.DELETE for other in events.values())
    }
    edits = [
        one
        for one, event in events.items()
        if event.act not in (Act.DELETE, Act.PURGE) and one not in undone
    ]
    return bool(live) and all(any(one in event.known for event in live) for one in edits)


def _took_back_a_purge(events: dict[bytes, Event], restoration: Event) -> bool:
    """Whether a restoration knew a purge that nothing else that it knew had replaced."""
    known = [(one, event) for one, event in events.items() if one in restoration.known]
    return any(
        event.act is Act.PURGE
        and not any(
            one in other.known and other.act in (Act.PURGE, Act.RESTORE) for _, other in known
        )
        for one, event in known
    )


def typed_in(computer: Computer, record: str) -> frozenset[Typed]:
    """Everything that a replica shows of a record or lists as a conflict of it."""
    view = read_view(computer.replica.document(record).entries())
    found: set[Typed] = set()
    for name, value in view.values.items():
        found |= _pieces(name, value_to_json(value))
    for conflict in view.conflicts:
        if conflict.kind is ConflictKind.REVIVED:
            continue
        element = element_of(conflict.field)
        name = element or conflict.field
        for one in conflict.values:
            if one.value is not None:
                found |= _pieces(name, one.value if element is None else [one.value])
    return frozenset(found)


def names_in(computer: Computer, record: str) -> Counter[Typed]:
    """How often each name stands among the living creators of a record."""
    roles = creators.read_creators(computer.replica.document(record).entries())
    return Counter(
        (role, str(name))
        for role, elements in roles.items()
        for element in elements
        for name in {name for _, name in element.names}
    )


def rule_of(name: str) -> MergeRule:
    """How a field merges; being in groups is no field that a user edits, but a set as well."""
    return MergeRule.SET if name == MEMBERSHIP else merge_rule(name)


def _pieces(name: str, value: object) -> set[Typed]:
    rule = rule_of(name)
    if rule is MergeRule.TEXT:
        return {(name, word) for word in WORD.findall(str(value))}
    if rule is MergeRule.CREATORS:
        assert isinstance(value, list)
        return {(name, str(Name.from_csl(one))) for one in value}
    if rule is MergeRule.SET:
        assert isinstance(value, list)
        return {(name, str(one)) for one in value}
    return {(name, canonical_json(value))}


def check_stored(computer: Computer, checked: set[bytes] | None = None) -> None:
    """What must hold of one replica's tables at any moment.

    ``checked`` holds the hashes of envelopes that were looked at before, and grows by the others.
    """
    replica = computer.replica
    checked = set() if checked is None else checked
    assert replica.meta.state_hash == sum_of_hashes(replica.database), "the kept state hash"
    rows = replica.database.rows("SELECT hash FROM changes WHERE hash IS NOT NULL")
    merged = {envelope_hash for (envelope_hash,) in rows}
    for envelope_hash in merged - checked:
        row = replica.database.row("SELECT body FROM changes WHERE hash = ?", (envelope_hash,))
        assert row is not None
        key = computer.key_of(row[0])
        if key is None:
            continue
        body = opened(row[0], key)
        unmerged = [one for one in body.frontier if not _is_settled(replica, one)]
        assert not unmerged, f"{computer.name} merged an envelope before its frontier"
    checked |= merged
    for one in replica.meta.frontier:
        is_there = one in merged or replica.snapshots.is_covered(one)
        assert is_there, "the frontier names what is not merged"
    slots = replica.database.rows("SELECT slot, client_id FROM incarnations")
    assert len({slot for slot, _ in slots}) == len({client for _, client in slots}) == len(slots)


def _is_settled(replica: Replica, envelope_hash: bytes) -> bool:
    """Whether an envelope is merged, or counts for nobody, as its author lost the right to it."""
    is_merged = replica.changes.is_merged(envelope_hash)
    return is_merged or replica.refused.kept(envelope_hash, NO_RIGHT) is not None


def check_equal(computers: Iterable[Computer]) -> None:
    """(I5) All hold the same library, and read it the same after they were reopened."""
    states = []
    for computer in computers:
        before = computer.state()
        computer.reopen()
        assert computer.state() == before
        states.append(before)
    for state in states[1:]:
        assert state == states[0]


def check_index(computer: Computer) -> None:
    """What lists and the history read equals what a rebuild gives."""
    replica = computer.replica
    before, groups = replica.references.all_rows(), replica.groups.all()
    past = replica.journal.index.all_rows()
    status.rebuild(replica)
    assert replica.journal.index.all_rows() == past
    assert replica.references.all_rows() == before
    assert replica.groups.all() == groups


def check_state_hash(computer: Computer) -> None:
    """The state hash is the sum over the records that did not go with the trash, no others."""
    replica = computer.replica
    total = 0
    for record in replica.records.all_ids():
        entries = replica.document(record).entries()
        if replica.references.purged.read(record) is None:
            kind = kind_of(entries)
            total += canonical.record_hash(record, canonical.record_json(record, kind, entries))
        else:
            assert replica.references.read(record) is None
            assert read_view(entries).purged
    assert replica.meta.state_hash == total % canonical.STATE_HASH_MODULUS
