"""One batch of received envelopes on its way: each is refused, kept, left waiting or merged.

``Run`` carries out what ``judging`` decides; its transactions are the inbox's. What it merges may
free what waited, which follows at once: the work that this takes is that of what was freed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bifolio import limits
from bifolio.clock import HybridClock
from bifolio.crypto.envelope import Envelope, parse_envelope, read_header
from bifolio.document.update_identity import UpdateAuthor
from bifolio.errors import EnvelopeError, NewerFormatError
from bifolio.ids import content_hash, device_tag, slot_tag
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import cut_forks, cut_off, stories
from bifolio.replication.applying import Applier
from bifolio.replication.crash_mark import SAVING, CrashMark
from bifolio.replication.judging import (
    NO_RIGHT,
    BuildsOnNewerError,
    Judge,
    StrangerError,
    WaitsError,
)
from bifolio.replication.waiting import WaitingRoom
from bifolio.storage.lost_changes import LostChanges
from bifolio.storage.refused_envelopes import SEALED_AGAIN
from bifolio.wire.changes import Attested, Body, Change
from bifolio.wire.position import LogPosition


@dataclass(frozen=True, slots=True)
class Received:
    """An envelope on its way in; ``position`` is None outside a relay's log."""

    envelope: bytes
    position: int | None


@dataclass(slots=True)
class ApplyResult:
    """What a batch brought; ``kept`` is for a newer program, and ``frees_kept`` tells whether
    something in it carries the changes of what is kept.

    ``lawful`` counts those at the places of a log where an honest relay could have them: members
    signed them, whatever they hold, and they are at no other place of the log too.
    """

    changes: int = 0
    records: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    kept: int = 0
    not_kept: int = 0
    lawful: int = 0
    frees_kept: bool = False


class Run:
    """One batch on its way, in one or several transactions."""

    def __init__(self, replica: Replica, member_log: LibraryMembership, mark: CrashMark) -> None:
        self._replica = replica
        self._member_log = member_log
        self._mark = mark
        self._judge = Judge(replica, member_log)
        self.room = WaitingRoom(replica)
        self.merged = ApplyResult()
        self.incoming: deque[Received] = deque()
        #: What waited, and waits for nothing any more.
        self.ready: deque[bytes] = deque()
        #: Whether anything that waited left.
        self.released = False
        #: Whether a place may have two envelopes of which one does not count.
        self.looks_for_forks = False
        #: Whether somebody may have lost a right whose envelopes are here.
        self.looks_for_cuts = False
        #: From where the log would be pulled again.
        self.start: LogPosition | None = None
        # What was there when it began; read with the first transaction.
        self._has_begun = False
        self._deaths: dict[bytes, int] = {}
        self._tried: set[bytes] = set()
        self._copied_from: set[str] = set()
        #: Whether anything waits: as a rule nothing does, and nobody has to be asked.
        self._anything_waits = False
        #: Whether something that was damaged here is to come again.
        self._refills = False
        self._applier: Applier
        # Of this transaction, written at its end: what each envelope would write again.
        self._frontier: dict[bytes, None] = {}
        self._clock = HybridClock()
        self._now_ms = 0
        #: The newest stamp of each device, by its tag.
        self._heard: dict[str, str] = {}
        # Of this transaction, asked for once: where authors said that they stood.
        self._stories: set[tuple[bytes, Attested | None]] = set()

    # --- a part -------------------------------------------------------------------------------

    def begin(self) -> None:
        """A transaction begins."""
        replica = self._replica
        if not self._has_begun:
            self._has_begun = True
            self._deaths = replica.refused.deaths()
            self._copied_from = self._find_copied()
            self._refills = replica.meta.refill is not None
        self._judge.begin()
        self._applier = Applier(replica, self._judge.author_of)
        self._frontier = dict.fromkeys(replica.meta.frontier)
        self._clock = HybridClock(replica.meta.clock)
        self._now_ms = replica.runtime.now_ms()
        self._heard.clear()
        self._stories.clear()
        # Asked in each: another process may have received something meanwhile.
        self._anything_waits = replica.pending.has_any()

    def _find_copied(self) -> set[str]:
        """The tags of other devices of which there are unsealed changes. Nothing that is written
        here brings any: where there were none, there are none."""
        replica = self._replica
        remembered, own = replica.database.remembered, replica.keys.tag
        name = f"unsealed changes of others than {own}"
        if remembered is not None and name in remembered:
            return set()
        found = {slot_tag(one.slot) for one in replica.changes.unsealed_of_others(own)}
        if remembered is not None and not found:
            remembered[name] = True
        return found

    def work(self) -> bool:
        """Merge what there is, or as much as one transaction should; whether that was all."""
        # A process ended while it saved, nobody knows by which envelope: each is alone then.
        careful = SAVING in self._deaths
        if self.looks_for_cuts:
            # All in one transaction: what is let go of comes from nowhere else.
            for stored in cut_off.count_again(self._replica, self._member_log):
                self._take(Received(stored.envelope, stored.position))
        while True:
            if self.ready:
                self._take_waiting(self.ready.popleft())
            elif self.incoming:
                self._take(self.incoming.popleft())
            elif self.merged.frees_kept:
                self._retry_all_newer()
            else:
                if careful:
                    self._tried.add(SAVING)
                return True
            if careful or self._applier.is_spent:
                return False

    def end(self) -> None:
        """Save, before the transaction ends."""
        if SAVING not in self._deaths:
            self._mark.set(SAVING)
        if self.looks_for_forks:
            self.looks_for_forks = False
            taken = cut_forks.void(self._replica, self._member_log, self._applier)
            self.merged.refused.extend([cut_forks.NOT_IN_CHAIN] * len(taken))
        cut_off_now = None
        if self.looks_for_cuts:
            self.looks_for_cuts = False
            self._replica.meta.frontier = list(self._frontier)
            cut_off_now = cut_off.void(self._replica, self._member_log, self._applier)
            self.merged.refused.extend([NO_RIGHT] * len(cut_off_now.envelopes))
            self._frontier = dict.fromkeys(self._replica.meta.frontier)
        self._applier.settle()
        self._applier.save()
        self.merged.records.update(self._applier.records)
        self._write_facts()
        if cut_off_now is not None and cut_off_now.envelopes:
            cut_off.write_again(self._replica, cut_off_now)
        for one in self._tried:
            self._replica.refused.survive(one)
            self._deaths.pop(one, None)
        self._tried.clear()

    def _write_facts(self) -> None:
        """Write what each envelope moved on: the frontier, the clock, when who was heard."""
        meta = self._replica.meta
        frontier = list(self._frontier)
        if frontier != list(meta.frontier):
            meta.frontier = frontier
        if self._clock.last != meta.clock:
            meta.clock = self._clock.last
        for tag, stamp in self._heard.items():
            self._replica.heard.note(tag, stamp)

    # --- one envelope -------------------------------------------------------------------------

    def _take_waiting(self, envelope_hash: bytes) -> None:
        waiting = self._replica.pending.read(envelope_hash)
        if waiting is not None:
            self._decide(parse_envelope(waiting.envelope), waiting.position, 0)

    def _take(self, received: Received, depth: int = 0) -> bytes | None:
        """Take an envelope as it came; its hash, where it is one."""
        try:
            envelope = parse_envelope(received.envelope)
        except EnvelopeError as error:
            self._refuse(content_hash(received.envelope), received.envelope, error, None)
            return None
        replica = self._replica
        if replica.changes.is_stored(envelope.hash):
            if self._refills:
                LostChanges(replica.database).fill(envelope.hash, envelope.raw)
            if received.position is not None:
                self._count_place(replica.changes.position(envelope.hash), received.position)
                if not self._is_own_behind_end(envelope):
                    replica.changes.set_position(envelope.hash, received.position)
            return envelope.hash
        if replica.newer_envelopes.is_kept(envelope.hash):
            if received.position is not None:
                self._count_place(
                    replica.newer_envelopes.position(envelope.hash), received.position
                )
                replica.newer_envelopes.set_position(envelope.hash, received.position)
            return envelope.hash
        if self._is_in_snapshot(envelope):
            if received.position is not None:
                self._count_place(replica.snapshots.position(envelope.hash), received.position)
                replica.snapshots.set_position(envelope.hash, received.position)
            return envelope.hash
        waited_at = replica.pending.position(envelope.hash)
        is_new = received.position is not None and not replica.refused.is_kept(envelope.hash)
        is_signed = self._decide(envelope, received.position, depth)
        if is_new and is_signed and self._judge.has_met(envelope.header.device):
            self._count_place(waited_at, received.position)
        return envelope.hash

    def _is_own_behind_end(self, envelope: Envelope) -> bool:
        """Whether it is this computer's and counts nowhere: a log that has it does not bring it to
        the others."""
        author = envelope.header.device
        if author != self._replica.keys.sign_public or not self._judge.is_cut(author):
            return False
        return not (
            self._judge.permits(envelope) or self._replica.snapshots.is_asserted(envelope.hash)
        )

    def _is_in_snapshot(self, envelope: Envelope) -> bool:
        """Whether a snapshot has an envelope, or says that it does not count, which must hold."""
        replica = self._replica
        if not replica.snapshots.is_covered(envelope.hash):
            return False
        if not replica.voided.has(envelope.hash) or not self._judge.permits(envelope):
            return True
        replica.voided.remove(envelope.hash)
        replica.snapshots.remove_covered(envelope.hash)
        return False

    def _count_place(self, known: int | None, position: int | None) -> None:
        """Count an envelope at a place of the log, unless it has another one there."""
        if known is None or known == position:
            self.merged.lawful += 1

    def _decide(self, envelope: Envelope, position: int | None, depth: int) -> bool:
        """Judge an envelope that is not here, or waits, and do what follows from that.

        Returns:
            whether it is of this library, and signed by the author that it names.
        """
        if self._deaths and self._is_fatal(envelope, position):
            return True
        self._mark.set(envelope.hash)
        try:
            self._judge.verify(envelope)
        except EnvelopeError as error:
            self._refuse(envelope.hash, envelope.raw, error, None)
            return False
        self._decide_signed(envelope, position, depth)
        return True

    def _decide_signed(self, envelope: Envelope, position: int | None, depth: int) -> None:
        author = envelope.header.device
        try:
            body = self._judge.read(envelope)
            carried = self._take_carried(body, depth)
            self._mark.set(envelope.hash)
            by = self._judge.author(envelope, body)
            self._judge.check_frontier(envelope, body)
        except WaitsError as error:
            if not error.of_members and self._is_here_in_another(envelope, body):
                self.room.leave(envelope.hash)
                return
            self._anything_waits = True
            if not self.room.admit(envelope, position, error.needs, of_members=error.of_members):
                self._do_not_keep(author, position)
            return
        except StrangerError:
            self._do_not_keep(None, position)
            return
        except (NewerFormatError, BuildsOnNewerError) as error:
            self._keep(envelope, position, error)
        except EnvelopeError as error:
            # Strangers, of which a relay can make any number, count as one.
            known = author if self._judge.has_met(author) else None
            again = error.reason == NO_RIGHT and self._is_sealed_again(envelope)
            if again:
                self._replica.refused.add(envelope.hash, envelope.raw, SEALED_AGAIN, known)
            else:
                self._refuse(envelope.hash, envelope.raw, error, known)
            self.room.leave(envelope.hash)
            if error.reason == NO_RIGHT and self._anything_waits and self._judge.is_cut(author):
                # It comes no more, nor what it was made instead of: what waits for these may go on.
                for one in (envelope.hash, *self._judge.replaced_by(envelope)):
                    self.ready.extend(self._replica.pending.arrive(one))
            return
        else:
            self._merge(envelope, by, body, position)
            self._replica.changes.add_carried(carried, by=envelope.hash)
        self._leave(envelope.hash)

    def _is_here_in_another(self, envelope: Envelope, body: Body) -> bool:
        """Whether all that an envelope brings is here, in the one that its author made instead of
        it: what it follows in its chain may be nowhere any more, as its author moved that too."""
        return self._is_sealed_again(envelope) and all(map(self._applier.has_change, body.changes))

    def _is_sealed_again(self, envelope: Envelope) -> bool:
        """Whether its author has put its changes into one that is here."""
        device = envelope.header.device
        own = self._replica.keys.sign_public
        return self._replica.changes.is_replaced_by(envelope.hash, device, own=device == own)

    def _take_carried(self, body: Body, depth: int) -> list[bytes]:
        """Take the envelopes that one carries whole, as if each had come by itself outside a log;
        their hashes. Those carried in one another too deep are left to come by themselves."""
        if not body.carried or depth >= limits.CARRIED_DEPTH_MAX:
            return []
        taken = [self._take(Received(one, None), depth + 1) for one in dict.fromkeys(body.carried)]
        return [one for one in taken if one is not None]

    def _is_fatal(self, envelope: Envelope, position: int | None) -> bool:
        """Whether an envelope ended the process so often that it is set aside."""
        deaths = self._deaths.get(envelope.hash)
        if deaths is None:
            return False
        if deaths < limits.DEATHS_PER_ENVELOPE_MAX:
            self._tried.add(envelope.hash)
            return False
        refused = self._replica.refused
        if refused.fatal(envelope.hash) is None:
            author = envelope.header.device
            refused.set_fatal_aside(envelope.hash, envelope.raw, author, position)
            self.merged.refused.append("this envelope ended the process twice")
            self._leave(envelope.hash)
        return True

    def _leave(self, envelope_hash: bytes) -> None:
        """An envelope is here for good: what waited for it may go on."""
        if not self._anything_waits:
            return
        self.room.leave(envelope_hash)
        freed = self._replica.pending.arrive(envelope_hash)
        if freed:
            self.released = True
            self.ready.extend(freed)

    def _refuse(
        self, envelope_hash: bytes, raw: bytes, error: EnvelopeError, author: bytes | None
    ) -> None:
        self.merged.refused.append(error.reason)
        self._replica.refused.add(envelope_hash, raw, error.reason, author)

    def _do_not_keep(self, author: bytes | None, position: int | None) -> None:
        self.merged.not_kept += 1
        self.room.note_not_kept(author, None if position is None else self.start)

    # --- for a newer program --------------------------------------------------------------------

    def _keep(
        self,
        envelope: Envelope,
        position: int | None,
        error: NewerFormatError | BuildsOnNewerError,
    ) -> None:
        """Keep an envelope whole for a newer program. No bound for those who may write: it is a
        part of the log, and merged it would take as much room. Behind a membership record that
        only a newer program knows nobody is refused for their right, so those who had none by
        what is known have so much room and no more."""
        membership = self._member_log.membership()
        author = envelope.header.device
        newer = self._replica.newer_envelopes
        of_member = membership is not None and membership.may_write(author)
        if not of_member and newer.bytes_of_strangers() > limits.PENDING_PER_AUTHOR_BYTES_MAX:
            self._do_not_keep(None, position)
            return
        newer.add(
            envelope=envelope.raw,
            envelope_hash=envelope.hash,
            chain=envelope.header.chain,
            position=position,
            needs=error.needs if isinstance(error, NewerFormatError) else "",
            formats=self._replica.formats.name,
            of_member=of_member,
        )
        self.merged.kept += 1

    def retry_some_newer(self, formats: str) -> None:
        """Take some of what another program kept as if it came just now."""
        newer = self._replica.newer_envelopes
        for _ in range(limits.BATCH_ENVELOPES_MAX):
            kept = newer.first_of_another(formats)
            if kept is None:
                return
            newer.remove(kept.hash)
            self._take(Received(kept.envelope, kept.position))
            while self.ready:
                self._take_waiting(self.ready.popleft())

    def _retry_all_newer(self) -> None:
        """What builds on something that is kept can go on when another envelope carries that."""
        self.merged.frees_kept = False
        before = self.merged.changes
        newer = self._replica.newer_envelopes
        number, last = 0, newer.last_number()
        while (kept := newer.first(after=number, through=last)) is not None:
            number = kept.number
            newer.remove(kept.hash)
            self._take(Received(kept.envelope, kept.position))
        if self.merged.changes > before and newer.waiting():
            self.merged.frees_kept = True

    # --- merging ------------------------------------------------------------------------------

    def _merge(
        self, envelope: Envelope, author: UpdateAuthor, body: Body, position: int | None
    ) -> None:
        replica, header = self._replica, envelope.header
        self._follow_clock(body, header.device)
        self._applier.apply(envelope, author, body)
        self.merged.changes += len(body.changes)
        self._note_double(envelope)
        self.looks_for_forks |= self._judge.ends_cut_chain(envelope)
        number = replica.changes.add_envelope(
            envelope=envelope.raw,
            envelope_hash=envelope.hash,
            chain=header.chain,
            seq=header.seq,
            position=position,
            own=False,
            count=len(body.changes),
            frontier=body.frontier,
            number=self._free_number(position),
        )
        self._judge.note_merged(header, envelope.hash)
        tag = device_tag(header.device)
        self._drop_copied(tag, body)
        replica.journal.receive(number, body.changes, device=tag)
        if body.changes:
            newest = max(change.stamp for change in body.changes)
            self._heard[tag] = max(newest, self._heard.get(tag, ""))
        story = (header.device, body.attested)
        if story not in self._stories:
            self._stories.add(story)
            stories.compare(replica, header.device, body.attested)
        self._note_replacements(envelope, body)
        for one in (*body.frontier, header.previous):
            self._frontier.pop(one, None)
        self._frontier[envelope.hash] = None

    def _free_number(self, position: int | None) -> int | None:
        """Where an envelope that was lost here belongs; None for news."""
        if not self._refills or not position:
            return None
        return LostChanges(self._replica.database).free_number(position)

    def _drop_copied(self, tag: str, body: Body) -> None:
        """A folder was copied with changes of its computer that were not sealed: here they are."""
        replica = self._replica
        if tag not in self._copied_from:
            return
        ids = {change.id for change in body.changes}
        copied = replica.changes.unsealed_of_others(replica.keys.tag)
        for one in copied:
            if Change.parse(one.body).id in ids:
                replica.journal.index.remove_unsealed(one.number)
                replica.changes.remove_unsealed([one])

    def _note_double(self, envelope: Envelope) -> None:
        """Note where a device signed two envelopes for one place: both are merged, or replicas
        that met only one of them would differ. This device's own are those of a copied folder."""
        header, changes = envelope.header, self._replica.changes
        if header.device == self._replica.keys.sign_public:
            return
        # All that others sealed comes past here.
        known, place = self._replica.database.rows_known("changes"), ("last", header.chain)
        last: int | None = known.get(place)
        if last is None:
            last = changes.last_seq(header.chain)
        known[place] = max(last, header.seq)
        if header.seq > last:
            return
        for other in changes.at_place(header.chain, header.seq):
            beginning = changes.beginning(other)
            assert beginning is not None
            if read_header(beginning).device == header.device:
                changes.add_double(
                    device=header.device,
                    chain=header.chain,
                    seq=header.seq,
                    first=other,
                    second=envelope.hash,
                )
                self.looks_for_forks = True

    def _note_replacements(self, envelope: Envelope, body: Body) -> None:
        """Believe what an envelope claims to replace, as far as it is its author's.

        A claim about an envelope that is not here holds until that comes, and is another's: so it
        does not matter which of the two came first.
        """
        replica, author = self._replica, envelope.header.device
        for liar in replica.changes.drop_false_replacements(envelope.hash, device=author):
            self._refuse_claim(envelope.hash, envelope.raw, liar)
        if not body.replaces:
            return
        own = [one for one in body.replaces if self._judge.is_author(one, author) is not False]
        if len(own) < len(body.replaces):
            self._refuse_claim(envelope.hash, envelope.raw, author)
        replica.changes.add_replacements(own, by=envelope.hash, device=author)
        self.merged.frees_kept |= any(map(replica.newer_envelopes.is_kept, own))
        for one in own:
            refused = replica.refused.kept(one, NO_RIGHT)
            if refused is not None and read_header(refused).device == author:
                replica.refused.settle(one)  # it is here now, sealed with a right
            freed = replica.pending.arrive(one)
            if replica.pending.has(one):
                self.ready.append(one)
            self.ready.extend(freed)
            self.released |= bool(freed)

    def _refuse_claim(self, envelope_hash: bytes, raw: bytes, author: bytes) -> None:
        reason = "it claims to replace what another computer wrote"
        self.merged.refused.append(reason)
        self._replica.refused.add(envelope_hash, raw, reason, author)

    def _follow_clock(self, body: Body, device: bytes) -> None:
        """Follow the stamps of an envelope; what is too far ahead is noted with its device."""
        for change in body.changes:
            if not self._clock.follow(change.stamp, self._now_ms):
                known = self._replica.meta.clocks_ahead
                tag = device_tag(device)
                if change.stamp > known.get(tag, ""):
                    self._replica.meta.clocks_ahead = {**known, tag: change.stamp}
