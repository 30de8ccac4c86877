"""A mass deletion merges like any change, but is shown as one until the user here confirms it.

Somebody who selects all and deletes, a program that goes wrong, a stolen computer: their deletions
reach every replica. The records and the state hash are the same everywhere; what this replica
*lists* is its own. Where others deleted more than half of the library, and more than a few, since
the last confirmation, it goes on listing these references, marked. Editing or restoring one brings
it back for everybody; a confirmation puts the rest into the trash here too.

What a replica receives before it has once had all, or since it last had all, was not shown to
anybody here: it does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from typing import Protocol

from msgspec.structs import replace

from bifolio import limits
from bifolio.document import deletion
from bifolio.document.entries import Entries
from bifolio.ids import slot_tag
from bifolio.storage.database import Database
from bifolio.storage.derived import DerivedReference
from bifolio.storage.meta import Meta
from bifolio.storage.references import References
from bifolio.storage.unconfirmed_deletions import UnconfirmedDeletions

#: In the fields of a reference that is shown on: the tag of the device that deleted it, and when.
SHOWN_ON = "shown-on"


class Cause(Enum):
    """Why references are derived again."""

    #: A change of this computer.
    OWN = auto()
    #: Changes of others.
    RECEIVED = auto()
    #: Nothing changed but what is shown of them.
    SHOWING = auto()


class Documents(Protocol):
    """What the guard needs of a workspace."""

    def document(self, record_id: str, /) -> object:
        """The document of a record."""

    def mark_changed(self, record_id: str, /) -> None:
        """It is saved at the end."""

    def save(self) -> object:
        """Save all that changed."""


class DeletionGuard:
    """What one replica shows of what others deleted. Writes happen inside the caller's
    transaction."""

    def __init__(self, database: Database) -> None:
        self.noted = UnconfirmedDeletions(database)
        self._meta = Meta(database)
        self._references = References(database)

    @property
    def is_holding(self) -> bool:
        """Whether deleted references are shown on."""
        return self._meta.deletions_shown_on

    # --- what is derived of a reference --------------------------------------------------------

    def filter(self, cause: Cause) -> Filter:
        """For the references of one transaction."""
        return Filter(self, cause)

    def was_shown(self, record_id: str) -> bool:
        """Whether a reference was listed here when this replica last had everything."""
        number = self._references.live_number(record_id)
        return number is not None and number <= self._meta.shown_through

    # --- sessions ------------------------------------------------------------------------------

    def begin_session(self) -> None:
        """Something is about to be received: what is listed now was shown to the user."""
        if not self._meta.is_filling and self._meta.shown_through != self._references.last_number():
            self._note_shown()

    def end_session(self) -> None:
        """All there is was received."""
        if self._meta.is_filling or self._meta.shown_through != self._references.last_number():
            self._meta.is_filling = False
            self._note_shown()

    def _note_shown(self) -> None:
        self._meta.shown_through = self._references.last_number()

    # --- showing on, and no longer -------------------------------------------------------------

    def hold_if_many(self, workspace: Callable[[], Documents]) -> None:
        """Others deleted something: show all of it on, if that is most of the library."""
        if self.is_holding:
            return
        deleted = self.noted.count()
        if deleted <= limits.DELETED_BY_OTHERS_MAX:
            return
        if deleted * 2 <= self._references.count(trashed=False) + deleted:
            return
        self._meta.deletions_shown_on = True
        for page in self._pages():
            _derive_again(workspace(), page)

    def confirm(self, workspace: Callable[[], Documents]) -> int:
        """The user here agrees: what others deleted is in the trash; how many were shown on."""
        was_holding, count = self.is_holding, self.noted.count()
        self._meta.deletions_shown_on = False
        if was_holding:
            for page in self._pages():
                _derive_again(workspace(), page)
        self.noted.clear()
        return count if was_holding else 0

    def release(self, record_ids: Sequence[str], workspace: Callable[[], Documents]) -> list[str]:
        """The user here agrees to these; which of them were shown on."""
        held = [one for one in record_ids if self.is_holding and self.noted.read(one) is not None]
        if held:
            self.noted.remove(held)
            _derive_again(workspace(), held)
            if not self.noted.any():
                self._meta.deletions_shown_on = False
        return held

    def _pages(self) -> Iterator[list[str]]:
        after = ""
        while page := self.noted.ids(after=after, most=limits.DOCUMENTS_OPEN_MAX // 2):
            after = page[-1]
            yield page


class Filter:
    """What is derived of references, as this replica shows them; for one transaction."""

    def __init__(self, guard: DeletionGuard, cause: Cause) -> None:
        self._guard = guard
        self._cause = cause
        self._has_noted: bool | None = None
        #: References that were asked for at once, and those of them of which something is noted.
        self._expected: set[str] = set()
        self._noted: set[str] = set()
        #: Whether a deletion of others was noted.
        self.has_news = False

    def expect(self, record_ids: Sequence[str]) -> None:
        """These are about to come."""
        self._expected = set(record_ids)
        self._noted = self._guard.noted.among(record_ids) if self._anything_noted() else set()

    def __call__(self, derived: DerivedReference, entries: Entries) -> DerivedReference:
        """What is derived of a reference (``entries`` are the record's), or is shown on of it."""
        record_id = derived.row.id
        if not derived.row.trashed and derived.purged is None:
            self.note_living(record_id)
            return derived
        noted = self._read_noted(record_id)
        if noted is None:
            noted = self._note(record_id, entries)
        elif derived.purged is not None and self._cause is Cause.OWN:
            self._guard.noted.remove([record_id])  # whoever empties the trash has agreed
            return derived
        if noted is None or not self._guard.is_holding:
            return derived
        return show_on(derived, noted)

    def note_living(self, record_id: str) -> None:
        """A reference is shown as its record says: where others had deleted it, it is back."""
        if self._read_noted(record_id) is not None:
            self._guard.noted.remove([record_id])

    def _note(self, record_id: str, entries: Entries) -> tuple[str, str] | None:
        """Note that another device deleted a reference that was shown here."""
        if self._cause is not Cause.RECEIVED or not self._guard.was_shown(record_id):
            return None
        marks = [*deletion.live_deletions(entries), *deletion.live_purges(entries)]
        if not marks:
            return None
        last = max((live for live, _ in marks), key=lambda live: (live.stamp, live.slot))
        noted = (slot_tag(last.slot), last.stamp)
        self._guard.noted.add(record_id, device=noted[0], stamp=noted[1])
        self._noted.add(record_id)
        self._has_noted = self.has_news = True
        return noted

    def _read_noted(self, record_id: str) -> tuple[str, str] | None:
        """The device and the stamp of a deletion that was noted; None where none is."""
        if record_id in self._expected and record_id not in self._noted:
            return None
        return self._guard.noted.read(record_id) if self._anything_noted() else None

    def _anything_noted(self) -> bool:
        if self._has_noted is None:
            self._has_noted = self._guard.noted.any()
        return self._has_noted


def show_on(derived: DerivedReference, noted: tuple[str, str]) -> DerivedReference:
    """A deleted reference as one that is listed, with the mark of who deleted it and when."""
    fields = {**derived.row.fields, SHOWN_ON: list(noted)}
    row = replace(derived.row, trashed=False, fields=fields)
    return replace(derived, row=row, purged=None)


def _derive_again(workspace: Documents, record_ids: Sequence[str]) -> None:
    for one in record_ids:
        workspace.document(one)
        workspace.mark_changed(one)
    workspace.save()
