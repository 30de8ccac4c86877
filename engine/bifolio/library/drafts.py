"""Edits that this computer may not send, as programs use them: ``library.drafts``.

They wait on the computer that made them, and go to an owner as a file, sealed for the library's
members. A draft's file begins with ``MAGIC``; then come envelopes, each behind its length in four
bytes, most significant first.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from bifolio import limits
from bifolio.disk import write_whole
from bifolio.errors import (
    DocumentError,
    DraftError,
    EnvelopeError,
    Next,
    NextStep,
    NothingToSendError,
)
from bifolio.ids import device_tag
from bifolio.replica import lookup
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication import drafts
from bifolio.replication.drafts import Draft, DraftRecord
from bifolio.results import (
    AcceptedDraft,
    DiscardedDraft,
    DraftEdit,
    DraftFile,
    DraftValue,
    DraftView,
    EditKind,
)

MAGIC = b"bifolio-draft 1\n"
_LENGTH_BYTES = 4


class Drafts:
    """What this computer, or another one, changed and may not send."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._log = LibraryMembership(replica)

    def own(self) -> DraftView:
        """What was changed here and may not be sent; no edits where all may be."""
        return self._view(drafts.find_draft(self._replica, self._log))

    def export(self, target: Path | str) -> DraftFile:
        """Write what was changed here and may not be sent for an owner, who can accept it.

        Raises:
            NothingToSendError: all may be sent, or nothing was changed.
            DraftError: the file cannot be written; what had the name still has it.
        """
        path = Path(target).absolute()
        draft = drafts.find_draft(self._replica, self._log)
        if not draft.records:
            raise NothingToSendError
        try:
            with write_whole(path) as file:
                file.write(MAGIC)
                for raw in drafts.seal_draft(self._replica, self._log, draft):
                    file.write(len(raw).to_bytes(_LENGTH_BYTES, "big") + raw)
        except OSError as error:
            reason = error.strerror or "it cannot be written"
            raise DraftError(
                path, reason=reason, is_new=True, next_step=Next.CHOOSE_BUNDLE_PATH
            ) from error
        return DraftFile(path, len(draft.records))

    def show(self, source: Path | str) -> DraftView:
        """What a draft's file would change here.

        Raises:
            DraftError: it is no whole draft of this library.
        """
        path = Path(source).absolute()
        draft = self._open(path)
        try:
            return self._view(draft)
        except DocumentError as error:
            raise DraftError(path, reason=error.reason) from error

    def check_may_accept(self) -> None:
        """Check that this computer may write what a draft says, before anybody is asked.

        Raises:
            ReaderError and others: it may not.
        """
        self._replica.check_may_write()

    def accept(self, source: Path | str) -> AcceptedDraft:
        """Make what a draft's file says edits of this computer, for every member; ``undo`` takes
        them back. A value that was changed here meanwhile stays next to the draft's, in conflict.

        Raises:
            DraftError: it is no whole draft of this library, and nothing was changed.
            ReaderError: this computer may not write either.
        """
        path = Path(source).absolute()
        draft = self._open(path)
        try:
            changed = drafts.accept_draft(self._replica, draft)
        except DocumentError as error:
            raise DraftError(path, reason=error.reason) from error
        return AcceptedDraft(self._name(draft), len(changed))

    def discard(self) -> DiscardedDraft:
        """Take back here what was changed and may not be sent. It cannot be undone."""
        return DiscardedDraft(drafts.drop_draft(self._replica, self._log))

    # --- small steps -------------------------------------------------------------------------

    def _open(self, path: Path) -> Draft:
        try:
            return drafts.open_draft(self._replica, self._log, _read(path))
        except EnvelopeError as error:
            behind = NextStep(Next.SYNC_THEN_OPEN_DRAFT)
            step = behind if error.next_step == behind else Next.CHOOSE_DRAFT
            raise DraftError(path, reason=error.reason, next_step=step) from error

    def _name(self, draft: Draft) -> str:
        return lookup.device_name(lookup.device_names(self._replica), device_tag(draft.device))

    def _view(self, draft: Draft) -> DraftView:
        edits = tuple(self._edit(draft, one) for one in draft.records)
        return DraftView(self._name(draft), edits)

    def _edit(self, draft: Draft, one: DraftRecord) -> DraftEdit:
        fields = drafts.describe(one)
        kind = EditKind.CHANGED
        if drafts.is_deleted(one):
            kind = EditKind.DELETED
        elif drafts.is_made_by(one, draft.device, here=self._replica.records.state(one.id)):
            kind = EditKind.ADDED
        here = self._replica.records.state(one.id)
        changes = drafts.changed_fields(one, draft.device, here=here) if here is not None else []
        values = tuple(DraftValue(*change) for change in changes)
        return DraftEdit(one.id, fields.key, fields.title, kind, values, fields.of)


def _read(path: Path) -> Sequence[bytes]:
    """The envelopes in a draft's file.

    Raises:
        DraftError: it cannot be read, or is no whole draft.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DraftError(path, reason="it is no file")
        with path.open("rb") as file:
            raw = file.read(limits.DRAFT_BYTES_MAX + 1)
    except OSError as error:
        raise DraftError(path, reason=error.strerror or "it cannot be read") from error
    if not raw.startswith(MAGIC):
        raise DraftError(path, reason="it does not begin like one")
    if len(raw) > limits.DRAFT_BYTES_MAX:
        raise DraftError(path, reason="it is larger than any draft")
    envelopes = []
    at = len(MAGIC)
    while at < len(raw):
        length = int.from_bytes(raw[at : at + _LENGTH_BYTES], "big")
        at += _LENGTH_BYTES
        if not 0 < length <= min(limits.ENVELOPE_BYTES_MAX, len(raw) - at):
            raise DraftError(path, reason="it is cut short")
        envelopes.append(raw[at : at + length])
        at += length
    return envelopes
