"""Whose names the updates in a replica's changes bear: read as any other replica would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.support.stored_changes import all_envelopes

from bifolio.crypto.envelope import parse_envelope
from bifolio.crypto.membership import Role
from bifolio.document.update_identity import UpdateAuthor, UpdateKind, check_identity
from bifolio.document.update_structure import UpdateStructure, read_update
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.wire.changes import Change


class Brought(NamedTuple):
    """An update, and who brings it."""

    record_id: str
    update: bytes
    structure: UpdateStructure
    author: UpdateAuthor

    def check(self, author: UpdateAuthor | None = None) -> UpdateKind:
        """Whose names it bears; the error where they are nobody's."""
        by = author or self.author
        return check_identity(self.record_id, self.update, self.structure, by)


def brought(replica: Replica) -> Iterator[Brought]:
    """Every update that a replica holds, sealed by anybody or not sealed yet."""
    member_log = LibraryMembership(replica)
    membership = member_log.membership()
    for stored in all_envelopes(replica.database):
        assert membership is not None
        envelope = parse_envelope(stored.envelope)
        key = member_log.key(envelope.header.generation)
        assert key is not None
        body = replica.formats.read(envelope, key)
        device = envelope.header.device
        author = UpdateAuthor.of(
            device,
            is_owner=membership.role_of(device) is Role.OWNER,
            incarnations=body.incarnations,
        )
        for change in body.changes:
            yield from _of_change(change, author)
    own = replica.keys.sign_public
    for unsealed in replica.changes.unsealed(bytes_max=1 << 40):
        author = UpdateAuthor.of(
            own,
            is_owner=membership is None or membership.role_of(own) is Role.OWNER,
            incarnations=replica.incarnations_of([unsealed]),
        )
        yield from _of_change(Change.parse(unsealed.body), author)


def _of_change(change: Change, author: UpdateAuthor) -> Iterator[Brought]:
    for record_id, update in change.records:
        yield Brought(record_id, update, read_update(update), author)
