"""What an import, an export, an attachment, a join and a sync did."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct, field

from bifolio.records.reference import LeftOut, LostValue, SkippedRecord
from bifolio.results.base import Result
from bifolio.results.bundles import KnownRelay
from bifolio.results.members import InviteView


class ClearedFields(Result, frozen=True):
    """Fields that a reference had, and that the newer version of its record does not have."""

    key: str
    fields: tuple[str, ...]


class ImportReport(Result, frozen=True):
    """What an import did, or would do.

    ``conflicts`` counts the fields in which a newer version of a record now differs from a local
    edit, and ``cleared`` names what updated references had that the newer version has not;
    ``trashed_keys`` names the references that stay in the trash, or came into it because
    they are in the trash of the library that they come from, ``purged_keys`` those that went with
    it for good. Of a whole library ``groups`` counts the groups that are new or changed, ``files``
    the files that were found, ``missing_files`` those that were not, ``linked_files_left_out``
    those that it only links to and that nobody asked for, and ``left_out`` names what
    could not be taken over.
    """

    added: int
    updated: int
    updated_keys: tuple[str, ...]
    cleared: tuple[ClearedFields, ...]
    unchanged: int
    conflicts: int
    trashed: int
    trashed_keys: tuple[str, ...]
    purged: int
    purged_keys: tuple[str, ...]
    groups: int
    files: int
    missing_files: int
    linked_files_left_out: int
    skipped: tuple[SkippedRecord, ...]
    left_out: tuple[LeftOut, ...]


class ImportTally(Struct):
    """An import's report while it goes on."""

    added: int = 0
    unchanged: int = 0
    conflicts: int = 0
    groups: int = 0
    files: int = 0
    missing_files: int = 0
    linked_files_left_out: int = 0
    updated_keys: list[str] = field(default_factory=list)
    cleared: list[ClearedFields] = field(default_factory=list)
    trashed_keys: list[str] = field(default_factory=list)
    purged_keys: list[str] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, other: ImportReport) -> None:
        """Count another file's report too."""
        self.added += other.added
        self.updated_keys += other.updated_keys
        self.cleared += other.cleared
        self.unchanged += other.unchanged
        self.conflicts += other.conflicts
        self.trashed_keys += other.trashed_keys
        self.purged_keys += other.purged_keys
        self.groups += other.groups
        self.files += other.files
        self.missing_files += other.missing_files
        self.linked_files_left_out += other.linked_files_left_out
        self.skipped += other.skipped
        self.left_out += other.left_out

    def report(self) -> ImportReport:
        """What was done so far."""
        return ImportReport(
            added=self.added,
            updated=len(self.updated_keys),
            updated_keys=tuple(self.updated_keys),
            cleared=tuple(self.cleared),
            unchanged=self.unchanged,
            conflicts=self.conflicts,
            trashed=len(self.trashed_keys),
            trashed_keys=tuple(self.trashed_keys),
            purged=len(self.purged_keys),
            purged_keys=tuple(self.purged_keys),
            groups=self.groups,
            files=self.files,
            missing_files=self.missing_files,
            linked_files_left_out=self.linked_files_left_out,
            skipped=tuple(self.skipped),
            left_out=tuple(self.left_out),
        )


class ExportedFile(Result, frozen=True):
    """References that were written to a file, and the values that its format could not carry."""

    exported: int
    file: Path
    lost: tuple[LostValue, ...]


class CreatedLibrary(Result, frozen=True):
    """A new library."""

    library: str
    path: Path


class AttachResult(Result, frozen=True):
    """The library is on the relay: the ticket lets another computer attach. It is empty where
    this one is no owner's, and so cannot invite.

    ``moved_from`` is the relay that it left, if it was on another one; ``is_told`` if that relay
    knows of it; ``is_said`` if the other computers learn of it. ``known`` is where the members'
    list said that the library is, if this computer was on no relay and is on another one now.
    """

    library: str
    path: Path
    ticket: str
    backup: Path | None
    references: int
    moved_from: str = ""
    is_told: bool = False
    is_said: bool = False
    known: KnownRelay | None = None


class JoinResult(Result, frozen=True):
    """A replica that holds a ticket's library; ``left_out`` trashed ones stay in the backup."""

    library: str
    path: Path
    backup: Path | None
    references: int
    left_out: int = 0


class RecoveredLibrary(Result, frozen=True):
    """The library of which this computer is an owner now, by a recovery code: by its relay, or by
    the list of members that was here where none has it. ``adopted`` counts the changes of a lost
    computer that were never sent, and are this one's now."""

    library: str
    path: Path
    references: int
    by_relay: bool
    adopted: int


class TicketPreview(Result, frozen=True):
    """What a ticket is for, and what of the library here would be shared by joining with it.

    ``name`` and ``maker`` (the computer that made it) are empty where the ticket does not say, as
    all of it is of one for a bundle. ``is_same`` where the library here is the ticket's,
    ``is_attached`` where it is another one on a relay of its own and cannot join, ``is_empty``
    where it holds nothing. ``shared`` references would go to everybody who is in ``members``.
    """

    library: str
    name: str
    maker: str
    role: str
    members: int
    member_names: tuple[str, ...]
    is_same: bool
    is_attached: bool
    shared: int
    is_empty: bool


class Invitation(Result, frozen=True):
    """A ticket with which another computer attaches, and for whom it is."""

    ticket: str
    invite: InviteView


class SyncReport(Result, frozen=True):
    """One round of sync: changes and files new to the other side, and the state hash after it.

    ``kept_back`` changes of this computer are not sent, because it may only read the library;
    ``moved_to`` is the relay to which this computer followed the library in it, otherwise empty.
    """

    pushed: int
    pulled: int
    kept_back: int
    files_sent: int
    files_received: int
    conflicts: int
    state: str
    moved_to: str = ""
